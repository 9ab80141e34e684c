//! A JSON value as a tree that folds.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::page::{Page, PageLine, Target, hard_wrap};
use super::theme::Role;
use crate::base::text::safe;

/// Draws a value into a page. Paths of folded parts are JSON pointers (RFC 6901).
pub fn draw(page: &mut Page, value: &Value, folded: &BTreeSet<String>) {
    node(page, None, value, "", 0, folded);
}

fn node(page: &mut Page, key: Option<&str>, value: &Value, path: &str, depth: usize, folded: &BTreeSet<String>) {
    let indent = "  ".repeat(depth.min(20));
    let label = key.map(|key| format!("{}: ", safe(key))).unwrap_or_default();
    let (open, close, size) = match value {
        Value::Object(map) => ('{', '}', map.len()),
        Value::Array(list) => ('[', ']', list.len()),
        leaf => {
            leaf_lines(page, &indent, &label, leaf, path);
            return;
        }
    };
    let is_folded = folded.contains(path) && size > 0;
    let mark = match (size, is_folded) {
        (0, _) => "  ",
        (_, true) => "▸ ",
        (_, false) => "▼ ",
    };
    let summary = match (size, is_folded) {
        (0, _) => format!("{open}{close}"),
        (n, true) => format!("{open} {n} {close}"),
        (_, false) => open.to_string(),
    };
    page.lines.push(PageLine {
        spans: vec![(Role::Dim, format!("{indent}{mark}")), (Role::Accent, label), (Role::Dim, summary)],
        target: (size > 0).then(|| Target::Fold(path.to_owned())),
        copy: serde_json::to_string(value).ok().map(|json| safe(&json).into_owned()),
        ..PageLine::default()
    });
    if is_folded {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, child) in map {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                node(page, Some(key), child, &path, depth + 1, folded);
            }
        }
        Value::Array(list) => {
            for (at, child) in list.iter().enumerate() {
                node(page, Some(&at.to_string()), child, &format!("{path}/{at}"), depth + 1, folded);
            }
        }
        _ => {}
    }
}

/// A value behind its name, in as many lines as it takes: the end of an ARN is what tells two apart.
fn leaf_lines(page: &mut Page, indent: &str, label: &str, leaf: &Value, path: &str) {
    let (role, text) = match leaf {
        Value::String(text) => (Role::Text, safe(text).into_owned()),
        Value::Null => (Role::Dim, "null".to_owned()),
        Value::Bool(value) => (Role::Low, value.to_string()),
        other => (Role::Low, other.to_string()),
    };
    let before = indent.width() + 2 + label.width();
    // Beside the name as long as there is room for anything, else under it.
    let beside = before + 16 <= page.width();
    let column = if beside { before } else { indent.width() + 4 };
    let mut parts = hard_wrap(&text, page.width().saturating_sub(column));
    if !beside {
        parts.insert(0, String::new());
    }
    for (row, part) in parts.into_iter().enumerate() {
        let lead = if row == 0 { format!("{indent}  ") } else { " ".repeat(column) };
        let label = if row == 0 { label.to_owned() } else { String::new() };
        page.lines.push(PageLine {
            spans: vec![(Role::Dim, lead), (Role::Accent, label), (role, part)],
            target: None,
            copy: Some(text.clone()),
            field: Some((path.to_owned(), text.clone())),
            fold: None,
        });
    }
}

/// The paths of everything that folds, but the whole.
pub fn foldable(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        let mut child = |key: &str, value: &Value| {
            if value.is_object() || value.is_array() {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                found.insert(path.clone());
                walk(value, &path, found);
            }
        };
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| child(key, value)),
            Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| child(&at.to_string(), value)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

/// The lines of pretty-printed JSON, `base::text::safe_lines`d or not, that a JSON pointer covers.
pub fn lines_of(value: &Value, pointer: &str) -> std::ops::Range<usize> {
    fn size(value: &Value) -> usize {
        match value {
            Value::Object(map) if !map.is_empty() => 2 + map.values().map(size).sum::<usize>(),
            Value::Array(list) if !list.is_empty() => 2 + list.iter().map(size).sum::<usize>(),
            _ => 1,
        }
    }
    let (mut at, mut value) = (0, value);
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let children: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
            _ => return 0..0,
        };
        at += 1;
        let Some(place) = children.iter().position(|(key, _)| *key == step) else { return 0..0 };
        at += children[..place].iter().map(|(_, value)| size(value)).sum::<usize>();
        value = children[place].1;
    }
    at..at + size(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_folds() {
        let json = serde_json::json!({"a": {"b": [1, "x\u{1b}"]}, "c/d": []});
        let mut page = Page::new("", 40);
        draw(&mut page, &json, &BTreeSet::new());
        let text: Vec<String> = page.lines.iter().map(PageLine::text).collect();
        assert_eq!(text, ["▼ {", "  ▼ a: {", "    ▼ b: [", "        0: 1", "        1: x␛", "    c/d: []"]);
        let mut page = Page::new("", 40);
        draw(&mut page, &json, &BTreeSet::from(["/a".to_owned()]));
        assert_eq!(page.lines.len(), 3);
        assert_eq!(page.lines[1].text(), "  ▸ a: { 1 }");
        assert_eq!(foldable(&json), BTreeSet::from(["/a".into(), "/a/b".into(), "/c~1d".into()]));
    }

    #[test]
    fn long_values_are_shown_to_the_end() {
        let json = serde_json::json!({"arn": "arn:aws:kms:us-east-1:123456789012:key/the-end"});
        let mut page = Page::new("", 30);
        draw(&mut page, &json, &BTreeSet::new());
        let text: Vec<String> = page.lines.iter().map(PageLine::text).collect();
        assert_eq!(text, ["▼ {", "    arn: arn:aws:kms:us-east-1", "         :123456789012:key/the", "         -end"]);
        assert_eq!(page.lines[3].copy.as_deref(), Some("arn:aws:kms:us-east-1:123456789012:key/the-end"));
    }

    #[test]
    fn a_pointer_has_lines() {
        let json = serde_json::json!({"Version": "1", "Statement": [{"Sid": "A"}, {"Sid": "B", "Action": ["x", "y"]}]});
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        let lines: Vec<&str> = pretty.lines().collect();
        let range = lines_of(&json, "/Statement/1");
        assert_eq!(lines[range.start].trim(), "{");
        assert!(lines[range.start + 1].contains("\"B\""));
        assert_eq!(lines[range.end - 1].trim(), "}");
        assert_eq!(lines_of(&json, "/Statement/7"), 0..0);
        assert_eq!(lines_of(&json, ""), 0..lines.len());
    }
}
