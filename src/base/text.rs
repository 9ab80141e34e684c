//! Text from outside, made safe to draw, print and export.
//!
//! Prompts, log fields, tags, names and policy Sids are written by strangers. [`Text`] is the one
//! type they pass through when they enter: whatever could move a cursor, colour a screen, hide or
//! reorder letters becomes a visible mark. The mark is for reading; it is not meant to be undone.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One line of outside text, safe on a terminal, in a table cell and in a log line.
// why compact: labels, counts, Sids and short names make up most texts, and up to 24 bytes need no memory of their own.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(CompactString);

impl Text {
    /// Takes a string from outside. Line breaks and tabs become visible marks too.
    pub fn new(outside: impl AsRef<str> + Into<CompactString>) -> Self {
        let marked = match safe(outside.as_ref()) {
            Cow::Owned(marked) => Some(marked.into()),
            // why not its copy: most texts are made for this one place, and can be kept as they are.
            Cow::Borrowed(_) => None,
        };
        Self(marked.unwrap_or_else(|| outside.into()))
    }

    /// What a value says of itself.
    pub fn of(value: impl fmt::Display) -> Self {
        thread_local! {
            // why kept: a text that grows while it is written is moved again and again.
            static BUFFER: Cell<String> = const { Cell::new(String::new()) };
        }
        // What writes itself by way of another text finds an empty buffer, and that is all.
        let mut buffer = BUFFER.take();
        buffer.clear();
        // A write to a String cannot fail.
        let _ = write!(buffer, "{value}");
        let text = Self::new(buffer.as_str());
        if buffer.capacity() <= 1 << 16 {
            BUFFER.set(buffer);
        }
        text
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Outside text of one line made safe; borrowed when nothing had to change.
pub fn safe(outside: &str) -> Cow<'_, str> {
    mark(outside, false)
}

/// Outside text of many lines made safe: `\n` stays, a tab becomes four spaces, `\r\n` becomes `\n`.
pub fn safe_lines(outside: &str) -> Cow<'_, str> {
    mark(outside, true)
}

fn mark(outside: &str, lines: bool) -> Cow<'_, str> {
    let harmless = |c: char| !is_hostile(c) || (lines && c == '\n');
    // why bytes first: nearly all text is plain ASCII, and all text comes through here.
    // And why no early end: so the compiler takes many bytes in one instruction.
    if outside.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(outside);
    }
    if outside.chars().all(harmless) {
        return Cow::Borrowed(outside);
    }
    let mut out = String::with_capacity(outside.len() + 16);
    let mut chars = outside.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' if lines => out.push('\n'),
            '\r' if lines && chars.peek() == Some(&'\n') => {}
            '\t' if lines => out.push_str("    "),
            c if !is_hostile(c) => out.push(c),
            // The Unicode control pictures: one visible cell for each C0 control and for DEL.
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('␀')),
            '\x7f' => out.push('␡'),
            c => {
                // A write to a String cannot fail.
                let _ = write!(out, "⟨U+{:04X}⟩", c as u32);
            }
        }
    }
    Cow::Owned(out)
}

/// Whether a character can act on a terminal or deceive a reader instead of being read: C0 and C1
/// controls, bidirectional controls (Trojan Source, CVE-2021-42574), zero-width and other default
/// ignorable characters, line and paragraph separators, tags, private noncharacters.
pub fn is_hostile(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{1d173}'..='\u{1d17a}')
}

/// Shortens to at most `max` terminal cells, with `…` in the middle, so that both ends (an ARN's
/// account and a key's last digits) stay readable.
pub fn shorten_middle(text: &str, max: usize) -> Cow<'_, str> {
    use unicode_width::UnicodeWidthStr as _;
    if text.width() <= max {
        return Cow::Borrowed(text);
    }
    if max < 3 {
        return Cow::Owned("…".repeat(max.min(1)));
    }
    let (head, tail) = ((max - 1).div_ceil(2), (max - 1) / 2);
    Cow::Owned(format!("{}…{}", take_cells(text.chars(), head), {
        let end = take_cells(text.chars().rev(), tail);
        end.chars().rev().collect::<String>()
    }))
}

fn take_cells(chars: impl Iterator<Item = char>, max: usize) -> String {
    use unicode_width::UnicodeWidthChar as _;
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= max
        })
        .collect()
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(outside: &str) -> Self {
        Self::new(outside)
    }
}

impl From<String> for Text {
    fn from(outside: String) -> Self {
        Self::new(outside)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

// why not derived: a case file is outside text as well.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(Cow::<'de, str>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_a_terminal_becomes_visible() {
        for (outside, seen) in [
            ("plain näme 日本", "plain näme 日本"),
            ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
            ("\x1b]52;c;cHduZWQ=\x07", "␛]52;c;cHduZWQ=␇"),
            ("a\rb\nc\td", "a␍b␊c␉d"),
            ("\u{9b}2J", "⟨U+009B⟩2J"),
            ("role/\u{202e}nimda", "role/⟨U+202E⟩nimda"),
            ("in\u{200b}visible\u{feff}", "in⟨U+200B⟩visible⟨U+FEFF⟩"),
            ("tag\u{e0041}", "tag⟨U+E0041⟩"),
        ] {
            assert_eq!(Text::new(outside).as_str(), seen);
        }
        assert_eq!(safe_lines("a\r\nb\tc\x1b"), "a\nb    c␛");
    }

    #[test]
    fn the_middle_is_what_goes() {
        assert_eq!(shorten_middle("abcdefghij", 7), "abc…hij");
        assert_eq!(shorten_middle("short", 7), "short");
        assert_eq!(shorten_middle("日本語日本語", 5), "日…語");
        assert_eq!(shorten_middle("abc", 1), "…");
    }

    proptest! {
        #[test]
        fn safe_text_is_safe_and_stays_as_it_is(outside in any::<String>()) {
            let once = Text::new(&outside);
            prop_assert!(once.as_str().chars().all(|c| !is_hostile(c)));
            prop_assert_eq!(&Text::new(once.as_str()), &once);
            let lines = safe_lines(&outside).into_owned();
            prop_assert!(lines.chars().all(|c| c == '\n' || !is_hostile(c)));
        }

        #[test]
        fn a_case_file_cannot_smuggle_past_it(outside in any::<String>()) {
            let json = serde_json::to_string(&outside).unwrap();
            let text: Text = serde_json::from_str(&json).unwrap();
            prop_assert!(text.as_str().chars().all(|c| !is_hostile(c)));
        }

        #[test]
        fn shortened_text_fits(text in any::<String>(), max in 0usize..40) {
            use unicode_width::UnicodeWidthStr as _;
            let text = Text::new(text);
            prop_assert!(shorten_middle(text.as_str(), max).width() <= max);
        }
    }
}
