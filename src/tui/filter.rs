//! What a list shows: one language for every list. `word`, `field:value`, `field:one,other`, `field:"a b"`; `-` or
//! `!` before a term turns it round. All terms must hold; case does not matter. Which fields there are is the list's
//! to say.

use std::borrow::Cow;

/// Terms that must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    except: bool,
    /// The field, if one was named; of none, the whole line.
    field: Option<String>,
    /// Any of these.
    values: Vec<String>,
}

impl Filter {
    /// Reads what was typed. `known` says whether a list has a field: what no list has is a word, because an ARN is
    /// full of colons.
    pub fn parse(text: &str, known: impl Fn(&str) -> bool) -> Self {
        let terms = words(text).into_iter().map(|(word, quoted)| {
            let (except, rest) = match word.strip_prefix(['-', '!']) {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, word.as_str()),
            };
            // JSON pointers are as the record writes them.
            let named = |field: &str| if field.starts_with('/') { field.to_owned() } else { field.to_lowercase() };
            let field = rest.split_once(':').map(|(field, value)| (named(field), value));
            match field.filter(|(field, _)| known(field)) {
                Some((field, value)) => {
                    let value = value.to_lowercase();
                    let values: Vec<String> = if quoted {
                        vec![value]
                    } else {
                        value.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect()
                    };
                    // What is still being typed hides nothing.
                    Term { except: except && !values.is_empty(), field: Some(field), values }
                }
                None => Term { except, field: None, values: vec![rest.to_lowercase()] },
            }
        });
        Self { terms: terms.collect() }
    }

    /// Whether a row is shown. `texts` gives what stands in a field of it, or, for none, in all of it; nothing if
    /// the row has no such field.
    pub fn accepts<'a>(&self, texts: impl Fn(Option<&str>) -> Vec<Cow<'a, str>>) -> bool {
        self.terms.iter().all(|term| {
            let held = texts(term.field.as_deref());
            let fits = term.values.is_empty()
                || held.iter().any(|text| {
                    let text = text.to_lowercase();
                    term.values.iter().any(|value| text.contains(value.as_str()))
                });
            fits != term.except
        })
    }
}

/// The words of what was typed, and whether they were quoted: quotation marks keep blanks and commas together.
fn words(text: &str) -> Vec<(String, bool)> {
    let mut words: Vec<(String, bool)> = Vec::new();
    let (mut word, mut open, mut quoted) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => (open, quoted) = (!open, true),
            c if c.is_whitespace() && !open => words.push((std::mem::take(&mut word), std::mem::take(&mut quoted))),
            c => word.push(c),
        }
    }
    words.push((word, quoted));
    words.retain(|(word, _)| !word.is_empty());
    words
}

/// The first `name:` of what was typed that looks like a field and is none: for the sentence that says so.
pub fn stranger(text: &str, known: impl Fn(&str) -> bool) -> Option<String> {
    words(text).into_iter().find_map(|(word, _)| {
        let rest = word.trim_start_matches(['-', '!']);
        let (field, value) = rest.split_once(':')?;
        // An ARN is no field, and neither is a time of day.
        let like = !field.is_empty() && field.len() <= 12 && field.chars().all(|c| c.is_ascii_alphabetic());
        (like && !value.is_empty() && field != "arn" && !known(&field.to_lowercase())).then(|| field.to_owned())
    })
}

/// The language in lines, for the help.
pub const HELP: &[(&str, &str)] = &[
    ("word word", "lines that contain all words; -word or !word: those that do not"),
    ("field:value", "where the field contains it: sev:critical, status:fail, area:kms, control:net-02, kind:role"),
    ("field:a,b", "where it contains one or the other; field:\"a b\" for what holds blanks"),
    ("-field:value", "where it does not"),
    ("any column", "is a field by its title: state:enabled, where:orion, who:ci-runner, result:denied"),
    ("/a/b:value", "in Trail: a JSON pointer into the record, as /userIdentity/type:root"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(field: &str) -> bool {
        matches!(field, "sev" | "who") || field.starts_with('/')
    }

    fn holds(text: &str) -> bool {
        Filter::parse(text, known).accepts(|field| match field {
            Some("sev") => vec!["HIGH".into()],
            Some("who") => vec!["ci-runner".into(), "arn:aws:iam::1:role/CI runner".into()],
            Some(_) => Vec::new(),
            None => vec!["HIGH".into(), "Grant to account 4444".into(), "key orion-chat".into()],
        })
    }

    #[test]
    fn terms() {
        for (text, shown) in [
            ("", true),
            ("grant ORION", true),
            ("grant nowhere", false),
            ("sev:high", true),
            ("SEV:crit", false),
            ("sev:crit,high", true),
            ("-sev:crit,high", false),
            ("sev:", true),
            ("-sev:", true),
            ("sev:\"high,crit\"", false),
            ("-sev:crit !nowhere", true),
            ("!grant", false),
            ("-grant", false),
            ("who:\"ci runner\"", true),
            ("who:\"ci  runner\"", false),
            ("/a/b:1", false),
            ("-/a/b:1", true),
            ("arn:aws", false),
            ("-", true),
            ("\"account 4444\"", true),
        ] {
            assert_eq!(holds(text), shown, "{text}");
        }
    }

    #[test]
    fn a_field_that_is_none_is_named() {
        for (text, field) in [
            ("foo:bar", Some("foo")),
            ("sev:high -color:red", Some("color")),
            ("arn:aws:kms", None),
            ("08:41:07", None),
            ("sev:high grant", None),
            ("s3://bucket", None),
        ] {
            assert_eq!(stranger(text, known).as_deref(), field, "{text}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(text in "\\PC{0,60}") {
            let filter = Filter::parse(&text, known);
            let _ = filter.accepts(|_| vec!["x".into()]);
            let _ = stranger(&text, known);
        }

        #[test]
        fn a_term_and_its_opposite_never_agree(word in "[a-z]{1,6}") {
            prop_assert_ne!(holds(&word), holds(&format!("-{word}")));
        }
    }
}
