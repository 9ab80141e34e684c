//! Where the statements of a document stand in its bytes, so that the deciding one can be shown in place.
//! The document is known to be JSON: this only counts brackets and skips strings.

use std::ops::Range;

/// The places of the statements, in order.
pub(super) fn statements(raw: &str) -> Vec<Range<usize>> {
    let mut walk = Walk { bytes: raw.as_bytes(), at: 0 };
    let mut found = Vec::new();
    walk.space();
    if walk.next() != Some(b'{') {
        return found;
    }
    while let Some(b'"') = walk.peek() {
        let key = walk.value();
        let named = raw.get(key).and_then(|key| serde_json::from_str::<String>(key).ok());
        walk.skip(b':');
        if named.as_deref() != Some("Statement") {
            walk.value();
        } else if walk.peek() == Some(b'[') {
            walk.skip(b'[');
            while !matches!(walk.peek(), None | Some(b']')) {
                found.push(walk.value());
                walk.skip(b',');
            }
            walk.skip(b']');
        } else {
            found.push(walk.value());
        }
        walk.skip(b',');
    }
    found
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        self.space();
        byte
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.next();
        }
    }

    /// Passes over one value and the space behind it; gives the value's place.
    fn value(&mut self) -> Range<usize> {
        let from = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth == 0 => break,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                break;
            }
        }
        let mut to = self.at;
        while to > from && self.bytes.get(to - 1).is_some_and(u8::is_ascii_whitespace) {
            to -= 1;
        }
        self.space();
        from..to
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn the_places_are_the_statements() {
        let raw =
            r#" { "Id" : "a]\"}", "\u0053tatement": [ {"Sid":"[é"} , {"Sid":"b"},7 ] , "Version":"2012-10-17" } "#;
        let found: Vec<&str> = statements(raw).into_iter().map(|at| &raw[at]).collect();
        assert_eq!(found, [r#"{"Sid":"[é"}"#, r#"{"Sid":"b"}"#, "7"]);
        let one = r#"{"Statement":{"Effect":"Deny"}}"#;
        assert_eq!(statements(one).into_iter().map(|at| &one[at]).collect::<Vec<_>>(), [r#"{"Effect":"Deny"}"#]);
    }

    proptest! {
        #[test]
        fn any_json_gives_its_own_parts(items in prop::collection::vec(".{0,12}", 0..5), pretty in any::<bool>()) {
            let json = serde_json::json!({"x": [1, {"Statement": 2}], "Statement": items});
            let raw = if pretty { serde_json::to_string_pretty(&json).unwrap() } else { json.to_string() };
            let found: Vec<Value> = statements(&raw).into_iter().map(|at| serde_json::from_str(&raw[at]).unwrap()).collect();
            prop_assert_eq!(Value::from(found), json["Statement"].clone());
        }
    }
}
