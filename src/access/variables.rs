//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, `${*}`, `${?}`, `${$}`.
//!
//! IAM User Guide, "Policy elements: Variables and tags". What is put in is literal: a `*` in a value is
//! no wildcard (S3). What has a variable without a value in it is no value: it is equal to nothing.
//!
//! The guide also says that such a variable "might cause the entire statement to be invalid"; where both readings
//! and the independent simulator differ, its other values and patterns count (`tests/access/judge`).

use super::pattern;
use super::scenario::ContextValue;

/// What became of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expanded {
    /// The pattern with the values in it.
    Pattern(String),
    /// A key without a value, or with many: equal to nothing.
    Void,
    /// A key whose value nobody knows.
    Unknown,
}

/// Whether a wildcard in the text is one: if so, put-in stars are marked as literal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    /// `StringLike`, ARNs, resources.
    Work,
    /// `StringEquals` and its kin.
    Literal,
}

/// Puts values in.
pub(super) fn expand(text: &str, wildcards: Wildcards, lookup: &dyn Fn(&str) -> ContextValue) -> Expanded {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut unknown = false;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        // An opening that nothing closes is text.
        let Some(end) = inside.find('}') else {
            out.push_str(&rest[at..]);
            return if unknown { Expanded::Unknown } else { Expanded::Pattern(out) };
        };
        let (name, default) = split(&inside[..end]);
        rest = &inside[end + 1..];
        match name {
            "*" | "?" | "$" => put(&mut out, name, wildcards),
            _ => match (lookup(name), default) {
                (ContextValue::Known(values), _) if values.len() == 1 => put(&mut out, &values[0], wildcards),
                (ContextValue::Known(values), _) if values.len() > 1 => return Expanded::Void,
                (ContextValue::Unknown, _) => unknown = true,
                (_, Some(default)) => put(&mut out, default, wildcards),
                (_, None) => return Expanded::Void,
            },
        }
    }
    out.push_str(rest);
    if unknown { Expanded::Unknown } else { Expanded::Pattern(out) }
}

/// `key, 'default'` apart.
fn split(inside: &str) -> (&str, Option<&str>) {
    match inside.split_once(',') {
        None => (inside.trim(), None),
        Some((name, default)) => {
            let default = default.trim();
            let bare = default.strip_prefix('\'').and_then(|d| d.strip_suffix('\'')).unwrap_or(default);
            (name.trim(), Some(bare))
        }
    }
}

fn put(out: &mut String, value: &str, wildcards: Wildcards) {
    match wildcards {
        Wildcards::Literal => out.push_str(value),
        Wildcards::Work => out.extend(value.chars().map(pattern::literal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_literal_and_a_missing_one_is_none() {
        let lookup = |key: &str| match key.to_ascii_lowercase().as_str() {
            "aws:username" => ContextValue::one("z*e"),
            "aws:many" => ContextValue::Known(vec!["a".into(), "b".into()]),
            "aws:gone" => ContextValue::Absent,
            _ => ContextValue::Unknown,
        };
        let text = |s: &str| Expanded::Pattern(s.to_owned());
        for (written, expected) in [
            ("plain", text("plain")),
            ("a/${AWS:UserName}/b", text("a/z*e/b")),
            ("${aws:gone, 'none'}!", text("none!")),
            ("${aws:gone}", Expanded::Void),
            ("${aws:many}", Expanded::Void),
            ("${aws:many, 'd'}", Expanded::Void),
            ("${aws:other}", Expanded::Unknown),
            ("${aws:other}${aws:gone}", Expanded::Void),
            ("${*}${?}${$}{x}", text("*?${x}")),
            ("${open", text("${open")),
        ] {
            assert_eq!(expand(written, Wildcards::Literal, &lookup), expected, "{written}");
        }
        let Expanded::Pattern(pattern) = expand("${aws:username}/*", Wildcards::Work, &lookup) else { panic!() };
        assert!(pattern::matches(&pattern, "z*e/x") && !pattern::matches(&pattern, "zoe/x"));
    }
}
