//! A JSON cursor (RFC 8259): walks one document once, strictly, without building it. Strings are handed out as
//! slices; objects with two equal keys are seen as they stand. Depth is bounded, so is everything else.

use super::swar::{find_byte, string_stop};

/// Deeper than this is refused: no training record or header needs it.
const DEPTH: u16 = 128;

/// Why a text is no JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Broken {
    /// Byte from the beginning, from 0.
    pub at: usize,
    /// What is wrong; never what stands there.
    pub what: &'static str,
}

/// What stands at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

impl Kind {
    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Null => "null",
        }
    }
}

/// A string as it stands between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Raw, with its escapes.
    pub raw: &'a str,
    /// Byte of its first character.
    pub at: usize,
    /// Whether it has escapes.
    pub escaped: bool,
}

impl<'a> Piece<'a> {
    /// The text itself; in `scratch` if escapes had to be undone. A lone surrogate becomes U+FFFD.
    pub fn text<'s>(&self, scratch: &'s mut String) -> &'s str
    where
        'a: 's,
    {
        if !self.escaped {
            return self.raw;
        }
        unescape(self.raw, scratch);
        scratch
    }

    /// The way back from [`Piece::text`] to the document.
    pub fn way(&self) -> Way<'a> {
        Way { piece: *self, raw: 0, decoded: 0 }
    }
}

/// Goes from the bytes of a text back to those of the document where they come from, forward only.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    piece: Piece<'a>,
    /// So far it went, in both.
    raw: usize,
    decoded: usize,
}

impl Way<'_> {
    /// The byte of the document for a byte of the text. One that lies before the last that was asked for counts as that.
    pub fn to(&mut self, decoded: usize) -> usize {
        let Piece { raw, at, escaped } = self.piece;
        if !escaped {
            return at + decoded;
        }
        while self.raw < raw.len() && self.decoded < decoded {
            let rest = &raw[self.raw..];
            let (used, c) = match rest.strip_prefix('\\') {
                Some(_) => escape(rest),
                None => rest.chars().next().map_or((rest.len(), ' '), |c| (c.len_utf8(), c)),
            };
            self.raw += used.max(1);
            self.decoded += c.len_utf8();
        }
        at + self.raw.min(raw.len())
    }
}

fn unescape(raw: &str, out: &mut String) {
    out.clear();
    let mut rest = raw;
    while let Some(at) = find_byte(rest.as_bytes(), b'\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (used, c) = escape(rest);
        out.push(c);
        rest = rest.get(used.max(1)..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The escape that `text` begins with: how many bytes, which character.
fn escape(text: &str) -> (usize, char) {
    let bytes = text.as_bytes();
    let simple = |c| (2, c);
    match bytes.get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'u') => {
            let Some(high) = hex4(bytes, 2) else { return (2, char::REPLACEMENT_CHARACTER) };
            if (0xd800..0xdc00).contains(&high)
                && bytes.get(6..8) == Some(b"\\u")
                && let Some(low) = hex4(bytes, 8).filter(|low| (0xdc00..0xe000).contains(low))
            {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return (12, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            (6, char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
        // The cursor lets only `"`, `\` and `/` through here.
        Some(&c) if c.is_ascii() => simple(c as char),
        _ => (1, char::REPLACEMENT_CHARACTER),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |code, byte| Some(code << 4 | (*byte as char).to_digit(16)?))
}

/// Walks a document.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u16,
}

impl<'a> Cursor<'a> {
    /// At the beginning of a document.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte's place.
    pub fn at(&self) -> usize {
        self.at
    }

    fn broken<T>(&self, what: &'static str) -> Result<T, Broken> {
        Err(Broken { at: self.at, what })
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// What comes next.
    pub fn kind(&mut self) -> Result<Kind, Broken> {
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => self.broken("no JSON value"),
            None => self.broken("the text ends where a value should stand"),
        }
    }

    /// Nothing but blanks may follow.
    pub fn end(&mut self) -> Result<(), Broken> {
        if self.peek().is_none() { Ok(()) } else { self.broken("more after the end of the value") }
    }

    /// A string.
    pub fn string(&mut self) -> Result<Piece<'a>, Broken> {
        if !self.take(b'"') {
            return self.broken("no string where one should stand");
        }
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut escaped = false;
        loop {
            self.at = string_stop(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    let piece = Piece { raw: &self.text[start..self.at], at: start, escaped };
                    self.at += 1;
                    return Ok(piece);
                }
                Some(b'\\') => {
                    escaped = true;
                    match bytes.get(self.at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                        Some(b'u') if hex4(bytes, self.at + 2).is_some() => self.at += 6,
                        _ => return self.broken("an unknown escape"),
                    }
                }
                Some(_) => return self.broken("a control character inside a string"),
                None => return self.broken("a string without end"),
            }
        }
    }

    /// A number, as it is written.
    pub fn number(&mut self) -> Result<&'a str, Broken> {
        self.peek();
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at > from
        };
        let leading = bytes.get(at) == Some(&b'0');
        let first = at;
        if !digits(&mut at) || (leading && at > first + 1) {
            return self.broken("no number");
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            if !digits(&mut at) {
                return self.broken("no digit after the point");
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
            if !digits(&mut at) {
                return self.broken("no digit in the exponent");
            }
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    /// A number that counts: digits alone, at most 2^64 - 1.
    pub fn count(&mut self) -> Result<u64, Broken> {
        let at = self.at;
        let text = self.number()?;
        text.parse().map_err(|_| Broken { at, what: "no count" })
    }

    /// `true` or `false`.
    pub fn boolean(&mut self) -> Result<bool, Broken> {
        match self.peek() {
            Some(b't') => self.word("true").map(|()| true),
            _ => self.word("false").map(|()| false),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Broken> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.broken("no JSON value")
    }

    fn deeper(&mut self) -> Result<(), Broken> {
        self.depth += 1;
        if self.depth > DEPTH { self.broken("nested too deep") } else { Ok(()) }
    }

    /// An object: `each` is called at every value and must take it.
    pub fn object(&mut self, mut each: impl FnMut(&mut Self, Piece<'a>) -> Result<(), Broken>) -> Result<(), Broken> {
        if !self.take(b'{') {
            return self.broken("no object where one should stand");
        }
        self.deeper()?;
        if !self.take(b'}') {
            loop {
                let key = self.string()?;
                if !self.take(b':') {
                    return self.broken("no colon after a key");
                }
                each(self, key)?;
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return self.broken("no comma between the members of an object");
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// An array: `each` is called at every element, with its number, and must take it.
    pub fn array(&mut self, mut each: impl FnMut(&mut Self, usize) -> Result<(), Broken>) -> Result<(), Broken> {
        if !self.take(b'[') {
            return self.broken("no array where one should stand");
        }
        self.deeper()?;
        if !self.take(b']') {
            let mut number = 0;
            loop {
                each(self, number)?;
                number += 1;
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return self.broken("no comma between the elements of an array");
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Passes over a value; `each` sees every string in it, keys too.
    pub fn strings(&mut self, each: &mut dyn FnMut(Piece<'a>)) -> Result<(), Broken> {
        match self.kind()? {
            Kind::Object => self.object(|cursor, key| {
                each(key);
                cursor.strings(each)
            }),
            Kind::Array => self.array(|cursor, _| cursor.strings(each)),
            Kind::String => self.string().map(each),
            Kind::Number => self.number().map(|_| ()),
            Kind::Bool => self.boolean().map(|_| ()),
            Kind::Null => self.word("null"),
        }
    }

    /// Passes over a value.
    pub fn skip(&mut self) -> Result<(), Broken> {
        self.strings(&mut |_| {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(text: &str) -> Result<(), Broken> {
        let mut cursor = Cursor::new(text);
        cursor.skip()?;
        cursor.end()
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        for (text, at, what) in [
            ("", 0, "ends where"),
            ("{\"a\":1", 6, "comma"),
            ("{\"a\" 1}", 5, "colon"),
            ("[1 2]", 3, "comma"),
            ("\"abc", 4, "without end"),
            ("\"a\nb\"", 2, "control character"),
            ("\"\\x\"", 1, "escape"),
            ("\"\\u12g4\"", 1, "escape"),
            ("01", 0, "no number"),
            ("1.", 0, "point"),
            ("{} {}", 3, "more after"),
            ("nul", 0, "no JSON"),
            ("{'a':1}", 1, "no string"),
        ] {
            let broken = walk(text).unwrap_err();
            assert!(broken.at == at && broken.what.contains(what), "{text}: {broken}");
        }
        assert_eq!(walk(&"[".repeat(200)).unwrap_err().what, "nested too deep");
    }

    #[test]
    fn strings_are_undone_and_their_places_known() {
        let text = r#"["a\nb\u00e9\ud83d\ude00z","\ud800x"]"#;
        let mut seen = Vec::new();
        Cursor::new(text)
            .strings(&mut |piece| {
                let mut scratch = String::new();
                let decoded = piece.text(&mut scratch).to_owned();
                let z = decoded.rfind(['z', 'x']).unwrap();
                assert!(text[piece.way().to(z)..].starts_with(['z', 'x']));
                seen.push(decoded);
            })
            .unwrap();
        assert_eq!(seen, ["a\nbé😀z", "\u{fffd}x"]);
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde(text in "[\\[\\]{}:,\"\\\\a0-9eE.+ntrufalsb -]{0,40}") {
            // why not with overflowing numbers: serde_json refuses what it cannot hold.
            let serde = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(walk(&text).is_ok(), serde, "{}", text);
        }

        #[test]
        fn every_string_comes_back(outside in any::<String>()) {
            let text = serde_json::to_string(&outside).unwrap();
            let mut scratch = String::new();
            let piece = Cursor::new(&text).string().unwrap();
            prop_assert_eq!(piece.text(&mut scratch), outside.as_str());
        }

        #[test]
        fn no_input_panics(text in any::<String>()) {
            let _ = walk(&text);
        }
    }
}
