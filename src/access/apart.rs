//! What tells resources of one sort apart: the keys of an account, or its deployments.
//!
//! An answer knows a resource by what lies on it (its policy, its grants, its state), by the condition keys that follow
//! from it, and by its ARN; and by its ARN only where a `Resource` is compared with it. So two resources that have the
//! rest in common, and that are meant by the same patterns, get the same answer, word for word. Decides nothing itself:
//! whoever keeps an answer for another resource ([`super::alike`]) asks here whether it may.

use super::pattern::matches;
use super::policy::{Policy, Statement, Version};
use crate::base::ResourceId;

/// The sort of a resource: its ARN up to its own id (`arn:aws:kms:us-east-1:123456789012:key/`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort<'a> {
    /// Up to the fifth colon.
    place: &'a str,
    /// What follows, up to the first slash.
    kind: &'a str,
}

impl<'a> Sort<'a> {
    /// Of a resource, with the part of its ARN that follows the fifth colon. None for what is no ARN with a slash there.
    pub fn of(id: &'a ResourceId) -> Option<(Self, &'a str)> {
        let (colon, _) = id.as_str().match_indices(':').nth(4)?;
        let (place, resource) = id.as_str().split_at(colon + 1);
        let sort = Self { place, kind: &resource[..=resource.find('/')?] };
        let [head, partition, service, ..] = sort.parts()?;
        (head == "arn" && !partition.is_empty() && !service.is_empty()).then_some((sort, resource))
    }

    /// Whether it is KMS keys.
    pub fn is_keys(&self) -> bool {
        self.kind == "key/" && self.parts().is_some_and(|[_, _, service, ..]| service == "kms")
    }

    fn parts(&self) -> Option<[&'a str; 5]> {
        let mut parts = self.place.split(':');
        let mut part = || parts.next();
        Some([part()?, part()?, part()?, part()?, part()?])
    }
}

/// The patterns that may mean one resource of a sort and not another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart(Vec<String>);

/// Which of them mean a resource, by their places.
pub type Marks = Vec<usize>;

impl Apart {
    /// What of these policies tells resources of a sort apart, when one of these actions is asked about. `own` is the
    /// condition key whose value each of them has for itself, if there is one. None when more than patterns does: variables of the
    /// policy language in a `Resource`, or a condition on that key.
    pub fn of<'p>(
        sort: Sort<'_>,
        actions: &[&str],
        own: Option<&str>,
        policies: impl IntoIterator<Item = &'p Policy>,
    ) -> Option<Self> {
        let mut telling: Vec<String> = Vec::new();
        for policy in policies {
            let asked = |statement: &&Statement| {
                let held = statement.actions.as_ref();
                held.is_some_and(|held| actions.iter().any(|action| held.cover(action)))
            };
            for statement in policy.statements.iter().filter(asked) {
                if own.is_some_and(|own| mentions(statement, own, policy.version)) {
                    return None;
                }
                let Some(resources) = &statement.resources else { continue };
                if resources.has_variables(policy.version) {
                    return None;
                }
                for pattern in resources.patterns.iter().filter_map(|pattern| tells(pattern, sort)) {
                    if !telling.iter().any(|held| held == pattern) {
                        telling.push(pattern.to_owned());
                    }
                }
            }
        }
        Some(Self(telling))
    }

    /// The marks of a resource of the sort, by the part of its ARN that follows the fifth colon.
    pub fn marks(&self, resource: &str) -> Marks {
        self.0.iter().enumerate().filter(|(_, pattern)| matches(pattern, resource)).map(|(at, _)| at).collect()
    }
}

/// Whether the value of a condition key bears on a statement.
fn mentions(statement: &Statement, key: &str, version: Version) -> bool {
    let inside = |value: &String| value.to_ascii_lowercase().contains(&key.to_ascii_lowercase());
    statement.conditions.iter().any(|condition| {
        condition.is_on(key) || (condition.has_variables(version) && condition.values.iter().any(inside))
    })
}

/// The last part of a pattern that means some resource of a sort, perhaps, and not every one: compared as
/// [`super::pattern::matches_arn`] compares.
fn tells<'p>(pattern: &'p str, sort: Sort<'_>) -> Option<&'p str> {
    let mut parts = pattern.splitn(6, ':');
    for known in sort.parts()? {
        // Of another place, or no pattern of an ARN: it means none. And `*` alone means all.
        if !matches(parts.next()?, known) {
            return None;
        }
    }
    let resource = parts.next()?;
    let all =
        resource.strip_suffix('*').is_some_and(|start| !start.contains(['*', '?']) && sort.kind.starts_with(start));
    (!all).then_some(resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::pattern::matches_arn;
    use crate::inventory::Document;
    use proptest::prelude::*;

    const OWN: &str = "kms:ResourceAliases";

    fn key(id: &str) -> ResourceId {
        ResourceId::new(format!("arn:aws:kms:us-east-1:123456789012:key/{id}"))
    }

    fn apart(statement: &str) -> Option<Apart> {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
        let policy = Policy::parse(&Document::new(text)).unwrap();
        Apart::of(Sort::of(&key("a")).unwrap().0, &["kms:Decrypt"], Some(OWN), [&policy])
    }

    #[test]
    fn a_sort_is_an_arn_without_its_id() {
        let id = key("a/b");
        let (sort, resource) = Sort::of(&id).unwrap();
        assert_eq!((sort.place, sort.kind, resource), ("arn:aws:kms:us-east-1:123456789012:", "key/", "key/a/b"));
        assert!(sort.is_keys());
        for (other, keys) in [
            ("arn:aws:kms:us-east-1:123456789012:alias/x", false),
            ("arn:aws:bedrock:us-east-1:123456789012:key/x", false),
            ("arn:aws:kms:::key/", true),
        ] {
            assert_eq!(Sort::of(&other.into()).unwrap().0.is_keys(), keys, "{other}");
        }
        for none in
            ["", "key/a", "arn:aws:kms:us-east-1:1:key", "arn:aws:s3:::bucket", "arn::kms:::key/a", "arn:aws::::key/a"]
        {
            assert_eq!(Sort::of(&none.into()), None, "{none}");
        }
    }

    #[test]
    fn what_means_some_and_not_all_tells_apart() {
        let some = |patterns: &[&str]| Some(Apart(patterns.iter().map(|&pattern| pattern.to_owned()).collect()));
        for (resource, expected) in [
            (r#""*""#, some(&[])),
            (r#""arn:aws:kms:*:*:*""#, some(&[])),
            (r#""arn:aws:kms:us-east-1:123456789012:key/*""#, some(&[])),
            (r#""arn:aws:s3:::a/*", "arn:aws:kms:eu-west-1:123456789012:key/a", "key/a""#, some(&[])),
            (r#""arn:aws:kms:us-east-?:123456789012:key/a", "arn:aws:*:*:*:key/a""#, some(&["key/a"])),
            (r#""arn:aws:kms:*:*:key/a*", "arn:aws:kms:*:*:k*/*""#, some(&["key/a*", "k*/*"])),
            (r#""arn:aws:kms:*:*:key/${aws:username}""#, None),
        ] {
            for word in ["Resource", "NotResource"] {
                let found = apart(&format!(r#"{{"Effect": "Deny", "Action": "kms:*", "{word}": [{resource}]}}"#));
                assert_eq!(found, expected, "{word} {resource}");
            }
            let other = apart(&format!(r#"{{"Effect": "Allow", "Action": "kms:Sign", "Resource": [{resource}]}}"#));
            assert_eq!(other, some(&[]), "{resource}");
        }
        let named = some(&["key/a", "key/b*"]).unwrap();
        assert_eq!(["key/a", "key/b", "key/c"].map(|key| named.marks(key)), [vec![0], vec![1], vec![]]);
    }

    #[test]
    fn what_each_has_for_itself_cannot_be_shared() {
        for (condition, shared) in [
            (r#""StringEquals": {"kms:resourcealiases": "alias/x"}"#, false),
            (r#""StringEquals": {"aws:PrincipalTag/key": "${KMS:ResourceAliases, 'x'}"}"#, false),
            (r#""StringEquals": {"kms:ViaService": "kms:ResourceAliases"}"#, true),
        ] {
            let text =
                format!(r#"{{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {{{condition}}}}}"#);
            assert_eq!(apart(&text).is_some(), shared, "{condition}");
        }
    }

    proptest! {
        /// With the same marks, every pattern means both or neither.
        #[test]
        fn what_has_the_same_marks_is_meant_by_the_same_patterns(
            patterns in proptest::collection::vec("(\\*|arn:aws:(kms|\\*|s3):(\\*|us-east-1)?:[0-9*]{0,2}:(key/)?[ab*?]{0,3}[/:]?[ab]?)", 1..5),
            one in "[ab/:]{0,3}", other in "[ab/:]{0,3}",
        ) {
            let (one, other) = (key(&one), key(&other));
            let texts: Vec<String> = patterns.iter().map(|pattern| format!("\"{pattern}\"")).collect();
            let statement = format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": [{}]}}"#, texts.join(","));
            let Some(apart) = apart(&statement) else { return Ok(()) };
            let marks = |id: &ResourceId| apart.marks(Sort::of(id).unwrap().1);
            let meant = |id: &ResourceId| -> Vec<bool> {
                let arn = id.arn().unwrap();
                patterns.iter().map(|pattern| matches_arn(pattern, &arn)).collect()
            };
            if marks(&one) == marks(&other) {
                prop_assert_eq!(meant(&one), meant(&other));
            }
        }
    }
}
