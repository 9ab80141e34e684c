//! Wildcards as policies use them: `*` for any run, `?` for one character, nothing else.
//!
//! No regular expressions: a policy is outside text, and its patterns must not be able to cost time.

use crate::base::Arn;

/// Marks for a `*` and a `?` that a variable put in: they match themselves only. Private-use characters,
/// which no name of AWS holds.
const STAR: char = '\u{f0000}';
const QUESTION: char = '\u{f0001}';

/// A character of a value, as a pattern has to say it.
pub(super) fn literal(c: char) -> char {
    match c {
        '*' => STAR,
        '?' => QUESTION,
        c => c,
    }
}

/// Whether `text` matches `pattern`. Remembers only the last `*`, so that the worst case is the product
/// of both lengths, whatever the pattern.
pub fn matches(pattern: &str, text: &str) -> bool {
    if pattern.is_ascii() && text.is_ascii() {
        glob(pattern.as_bytes(), text.as_bytes(), b'*', b'?', |a, b| a == b)
    } else {
        let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        glob(&pattern, &text, '*', '?', |a, b| a == b || a == literal(b))
    }
}

/// The same, with ASCII letters of either case alike: for actions (S2).
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    if pattern.is_ascii() && text.is_ascii() {
        glob(pattern.as_bytes(), text.as_bytes(), b'*', b'?', |a, b| a.eq_ignore_ascii_case(&b))
    } else {
        let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        glob(&pattern, &text, '*', '?', |a, b| a.eq_ignore_ascii_case(&b))
    }
}

fn glob<T: Copy + PartialEq>(pattern: &[T], text: &[T], any: T, one: T, same: impl Fn(T, T) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&letter) = text.get(t) {
        match pattern.get(p) {
            Some(&c) if c == any => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == one || same(c, letter) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == any)
}

/// Whether an ARN matches the pattern of a policy's `Resource` (S3): part by part; a wildcard stays in
/// its part, and only in the last one it crosses `/` and `:`. `*` alone matches everything.
pub fn matches_arn(pattern: &str, arn: &Arn) -> bool {
    if pattern == "*" {
        return true;
    }
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let [head, partition, service, region, account, resource] = parts[..] else { return false };
    head == "arn"
        && matches(partition, &arn.partition)
        && matches(service, &arn.service)
        && matches(region, &arn.region)
        && matches(account, &arn.account)
        && matches(resource, &arn.resource)
}

/// Whether a value matches the pattern of an `ArnLike` condition: six parts, each with wildcards.
pub fn matches_arn_text(pattern: &str, value: &str) -> bool {
    let (pattern, value): (Vec<_>, Vec<_>) = (pattern.splitn(6, ':').collect(), value.splitn(6, ':').collect());
    pattern.len() == 6 && value.len() == 6 && pattern.iter().zip(&value).all(|(p, v)| matches(p, v))
}

/// How far the patterns of a `Resource` meet ARNs that begin with this one, whatever follows: all of them,
/// some, or none.
pub(super) fn meets_open(pattern: &str, arn: &Arn) -> super::decision::Tri {
    use super::decision::Tri;
    if pattern == "*" {
        return Tri::Yes;
    }
    let Some((head, resource)) = pattern.match_indices(':').nth(4).map(|(at, _)| (&pattern[..at], &pattern[at + 1..]))
    else {
        return Tri::No;
    };
    if !matches_arn(&format!("{head}:*"), arn) {
        return Tri::No;
    }
    // why these two: characters that no pattern names can only be met by wildcards; one `?` meets the
    // short one, only a `*` the long one.
    let long = format!("{}{}", arn.resource, "\u{f0002}".repeat(40));
    if matches(resource, &format!("{}\u{f0002}", arn.resource)) && matches(resource, &long) {
        return Tri::Yes;
    }
    Tri::from(may_begin(resource, &arn.resource)).and(Tri::Maybe)
}

/// Whether some text that begins with `start` matches.
fn may_begin(pattern: &str, start: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let closed = |mut places: Vec<bool>| {
        for at in 0..pattern.len() {
            if places[at] && pattern[at] == '*' {
                places[at + 1] = true;
            }
        }
        places
    };
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    let mut places = closed(places);
    for letter in start.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for at in 0..pattern.len() {
            if places[at] {
                match pattern[at] {
                    '*' => next[at] = true,
                    '?' => next[at + 1] = true,
                    c if c == letter => next[at + 1] = true,
                    _ => {}
                }
            }
        }
        places = closed(next);
    }
    places.contains(&true)
}

/// Whether a pattern is what a `Resource` may say: `*`, or six parts that begin with `arn`.
pub fn is_resource(pattern: &str) -> bool {
    pattern == "*" || (pattern.starts_with("arn:") && pattern.splitn(6, ':').count() == 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, written down: slow and obviously right.
    fn reference(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| reference(rest, &text[skip..])),
            Some((c, rest)) => {
                text.split_first().is_some_and(|(letter, more)| (*c == '?' || c == letter) && reference(rest, more))
            }
        }
    }

    #[test]
    fn arns_match_part_by_part() {
        let key: Arn = "arn:aws:kms:us-east-1:123456789012:key/91b5".parse().unwrap();
        for (pattern, yes) in [
            ("*", true),
            ("arn:aws:kms:*:123456789012:key/*", true),
            ("arn:*:kms:us-east-?:*:*", true),
            ("arn:aws:kms:us-east-1:123456789012:key/91b5", true),
            ("arn:aws:kms:us-east-1:123456789012:key/91b", false),
            ("arn:aws:kms:us-east-1:123456789012:alias/*", false),
            // A wildcard does not swallow the colons of the first five parts.
            ("arn:aws:*:key/91b5", false),
            ("arn:aws:kms:*", false),
            ("arn:AWS:kms:us-east-1:123456789012:key/91b5", false),
        ] {
            assert_eq!(matches_arn(pattern, &key), yes, "{pattern}");
        }
        let bucket: Arn = "arn:aws:s3:::b/".parse().unwrap();
        use super::super::decision::Tri;
        for (pattern, met) in [
            ("*", Tri::Yes),
            ("arn:aws:s3:::b/*", Tri::Yes),
            ("arn:aws:s3:::*", Tri::Yes),
            ("arn:aws:s3:::b/?*", Tri::Yes),
            ("arn:aws:s3:::b*", Tri::Yes),
            ("arn:aws:s3:::b/train/*", Tri::Maybe),
            ("arn:aws:s3:::*.jsonl", Tri::Maybe),
            ("arn:aws:s3:::b/?", Tri::Maybe),
            ("arn:aws:s3:::b", Tri::No),
            ("arn:aws:s3:::c/*", Tri::No),
            ("arn:aws:kms:::b/*", Tri::No),
            ("nonsense", Tri::No),
        ] {
            assert_eq!(meets_open(pattern, &bucket), met, "{pattern}");
        }
        let object: Arn = "arn:aws:logs:us-east-1:1:log-group:/a/b:log-stream:x".parse().unwrap();
        assert!(matches_arn("arn:aws:logs:*:*:log-group:*", &object));
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(20_000)));
    }

    proptest! {
        #[test]
        fn equals_the_definition(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), reference(&p, &t));
        }

        #[test]
        fn case_is_ignored_where_asked(pattern in "[abAB*?:]{0,8}", text in "[abAB:]{0,10}") {
            let lower = |s: &str| s.to_ascii_lowercase();
            prop_assert_eq!(matches_ignoring_case(&pattern, &text), matches(&lower(&pattern), &lower(&text)));
        }
    }
}
