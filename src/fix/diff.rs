//! The difference of two documents, line by line.

use similar::{ChangeTag, TextDiff};

use super::error::{DiffKind, DiffLine};
use crate::base::text::safe;
use crate::inventory::Document;

/// From one policy to another: both laid out alike, so that only what they say differs. Of two
/// documents that say the same and differ in their bytes, nothing differs.
pub fn policies(before: &Document, after: &Document) -> Vec<DiffLine> {
    lines(&before.shown(), &after.shown())
}

/// From one text to another.
pub fn lines(before: &str, after: &str) -> Vec<DiffLine> {
    TextDiff::from_lines(before, after)
        .iter_all_changes()
        .map(|change| DiffLine {
            kind: match change.tag() {
                ChangeTag::Equal => DiffKind::Same,
                ChangeTag::Insert => DiffKind::Added,
                ChangeTag::Delete => DiffKind::Removed,
            },
            text: safe(change.value().trim_end_matches('\n')).into_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_is_no_difference_and_text_is_safe() {
        let before = Document::new(r#"{"a":1,"b":"x"}"#);
        let same = Document::new("{ \"a\": 1,\n\"b\":\"x\" }");
        assert!(policies(&before, &same).iter().all(|line| line.kind == DiffKind::Same));
        let after = Document::new("{\"a\":1,\"b\":\"\u{202e}y\"}");
        let changed: Vec<_> =
            policies(&before, &after).into_iter().filter(|line| line.kind != DiffKind::Same).collect();
        assert_eq!(
            changed,
            [
                DiffLine { kind: DiffKind::Removed, text: "  \"b\": \"x\"".into() },
                DiffLine { kind: DiffKind::Added, text: "  \"b\": \"⟨U+202E⟩y\"".into() },
            ]
        );
    }
}
