//! What AWS says of its actions: which there are, on which resources they are authorised, which condition keys they
//! know. Facts of the Service Authorization Reference, embedded and dated (`catalogue.tsv`); of a service that is
//! not in it nothing is claimed.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::pattern;
use crate::base::Text;

/// The day of the facts.
pub const AS_OF: &str = "2026-09-26";

const TABLE: &str = include_str!("catalogue.tsv");

/// What an action does, as the reference sorts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Lists names.
    List,
    /// Reads.
    Read,
    /// Sets or takes tags.
    Tag,
    /// Changes, makes, destroys, or uses.
    Write,
    /// Changes who may do what.
    Permissions,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `kms:Decrypt`.
    pub name: String,
    /// What it does.
    pub level: Level,
    /// The resource types it is authorised on; none when only on `*`.
    pub types: Vec<&'static str>,
    /// The condition keys of services that it knows of its own; the types bring more, and so do the global keys.
    pub keys: Vec<&'static str>,
}

/// One type of resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceType {
    /// `custom-model`.
    pub name: &'static str,
    /// Its ARN with wildcards.
    pub arn: &'static str,
    /// Condition keys that come with it.
    pub keys: Vec<&'static str>,
}

/// What a condition key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// `kms:ViaService`; may end in `*` for a name that the policy's author chooses.
    pub name: &'static str,
    /// Whether a request may carry many values of it.
    pub many: bool,
}

/// One service.
#[derive(Debug, Default)]
pub struct Service {
    /// Its actions, by name.
    pub actions: Vec<Action>,
    /// Its resource types.
    pub types: Vec<ResourceType>,
    /// Its condition keys.
    pub keys: Vec<Key>,
}

fn services() -> &'static HashMap<&'static str, Service> {
    static READ: OnceLock<HashMap<&'static str, Service>> = OnceLock::new();
    READ.get_or_init(read)
}

fn read() -> HashMap<&'static str, Service> {
    let mut found: HashMap<&'static str, Service> = HashMap::new();
    let mut name = "";
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let words = |at: usize| cell(at).split(' ').filter(|word| !word.is_empty()).collect();
        let service = found.entry(if cell(0) == "service" { cell(1) } else { name }).or_default();
        match cell(0) {
            "service" => name = cell(1),
            "type" => service.types.push(ResourceType { name: cell(1), arn: cell(2), keys: words(3) }),
            "key" => {
                service.keys.push(Key { name: cell(1), many: matches!(cell(2), "strings" | "arns") });
            }
            _ => service.actions.push(Action {
                name: format!("{name}:{}", cell(1)),
                level: match cell(2) {
                    "list" => Level::List,
                    "read" => Level::Read,
                    "tag" => Level::Tag,
                    "permissions" => Level::Permissions,
                    _ => Level::Write,
                },
                types: words(3),
                keys: words(4),
            }),
        }
    }
    found
}

/// A service by its prefix, in either case; `None` when nothing is known of it.
pub fn service(prefix: &str) -> Option<&'static Service> {
    services().get(prefix.to_ascii_lowercase().as_str())
}

/// One action by its name, in either case.
pub fn action(name: &str) -> Option<&'static Action> {
    let of = service(name.split(':').next()?)?;
    of.actions.iter().find(|action| action.name.eq_ignore_ascii_case(name))
}

/// Every action that is asked about resources of a type, as they are written: `kms:Decrypt` of a `key`. Not
/// `kms:CreateKey`: that is asked about no key, and what a key's policy says of it means nothing.
pub fn of_type(prefix: &str, resource_type: &str) -> Vec<String> {
    let actions = service(prefix).into_iter().flat_map(|of| &of.actions);
    actions.filter(|action| action.types.contains(&resource_type)).map(|action| action.name.clone()).collect()
}

/// Why a question about a resource means little: the action is one that is asked about none.
pub fn placeless(name: &str) -> Option<Text> {
    let action = action(name).filter(|action| action.types.is_empty())?;
    let name = &action.name;
    Some(Text::new(format!("{name} is asked about no resource: what a policy on this one says of it means nothing")))
}

/// Why an action may not exist, with those whose names are nearest; none for one that is known, and for a service that
/// is not in the table. It is asked about all the same: AWS adds actions, and the table is of a day.
pub fn doubt(name: &str) -> Option<Text> {
    let (prefix, typed) = name.split_once(':')?;
    let of = service(prefix)?;
    if action(name).is_some() {
        return None;
    }
    let typed = typed.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = of
        .actions
        .iter()
        .filter_map(|one| {
            let known = one.name.split_once(':')?.1;
            let away = steps(&typed, &known.to_ascii_lowercase());
            (away <= 1 + typed.len() / 3).then_some((away, one.name.as_str()))
        })
        .collect();
    near.sort_unstable();
    let names: Vec<&str> = near.into_iter().take(3).map(|(_, name)| name).collect();
    let near = if names.is_empty() { String::new() } else { format!("; near it: {}", names.join(", ")) };
    Some(Text::new(format!("{name} is no action that was known on {AS_OF}{near}")))
}

/// How many letters must be put in, taken out or changed to come from one name to the other (Levenshtein).
fn steps(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = corner + usize::from(letter != *other);
            corner = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(corner + 1);
        }
    }
    row[to.len()]
}

/// The actions that a pattern of a policy means; `None` when its service is not in the table, or is a wildcard.
pub fn meant(pattern: &str) -> Option<Vec<&'static Action>> {
    let of = service(pattern.split_once(':')?.0)?;
    Some(of.actions.iter().filter(|action| pattern::matches_ignoring_case(pattern, &action.name)).collect())
}

/// Whether a condition key is one that AWS knows; `None` when its prefix is not in the table.
pub fn knows_key(key: &str) -> Option<bool> {
    let of = service(key.split_once(':')?.0)?;
    Some(of.keys.iter().any(|known| pattern::matches_ignoring_case(known.name, key)))
}

/// Whether an action of a service sees this condition key: its own, or one of the resources it is on. `true` too
/// for keys of which nothing is claimed.
pub fn sees(action: &Action, key: &str) -> bool {
    let Some((prefix, _)) = key.split_once(':') else { return true };
    if prefix.eq_ignore_ascii_case("aws") || service(prefix).is_none() {
        return true;
    }
    let types = service(action.name.split(':').next().unwrap_or_default()).map(|of| &of.types[..]).unwrap_or_default();
    let of_types = types.iter().filter(|one| action.types.contains(&one.name)).flat_map(|one| &one.keys);
    action.keys.iter().chain(of_types).any(|known| pattern::matches_ignoring_case(known, key))
}

/// Whether some resource that the pattern of a policy means is one that the action is authorised on. An action
/// without resource types is authorised on `*` only.
pub fn is_on(action: &Action, resource: &str) -> bool {
    if resource == "*" {
        return true;
    }
    let Some(of) = service(action.name.split(':').next().unwrap_or_default()) else { return true };
    of.types.iter().filter(|one| action.types.contains(&one.name)).any(|one| overlap(one.arn, resource))
}

/// Whether some ARN matches both patterns, part by part.
fn overlap(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.splitn(6, ':').collect(), other.splitn(6, ':').collect());
    one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| meet(&plain(a), &plain(b)))
}

/// A variable of a policy may become anything.
fn plain(part: &str) -> Vec<char> {
    let mut out = String::new();
    let mut rest = part;
    while let Some((before, inside)) = rest.split_once("${") {
        out.push_str(before);
        out.push('*');
        rest = inside.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.chars().collect()
}

/// Whether some text matches both patterns: a table of one row, as long as one of them.
fn meet(a: &[char], b: &[char]) -> bool {
    let mut row = vec![false; b.len() + 1];
    row[0] = true;
    for (at, other) in b.iter().enumerate() {
        row[at + 1] = row[at] && *other == '*';
    }
    for one in a {
        let mut next = vec![false; b.len() + 1];
        next[0] = row[0] && *one == '*';
        for (at, other) in b.iter().enumerate() {
            let wild = *one == '*' || *other == '*';
            let same = one == other || *one == '?' || *other == '?';
            next[at + 1] = if wild { next[at] || row[at + 1] || row[at] } else { row[at] && same };
        }
        row = next;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_action_is_doubted_with_what_is_near_it() {
        for (name, near) in [
            ("kms:Decrypt", None),
            ("KMS:decrypt", None),
            ("kms:Decript", Some("near it: kms:Decrypt")),
            ("kms:GenerateDatakeys", Some("near it: kms:GenerateDataKey")),
            ("kms:Nonsense", Some("kms:Nonsense is no action that was known on 2026-")),
            ("dynamodb:Nonsense", None),
            ("nonsense", None),
        ] {
            let said = doubt(name);
            match near {
                None => assert_eq!(said, None, "{name}"),
                Some(near) => {
                    assert!(said.as_ref().is_some_and(|said| said.as_str().contains(near)), "{name}: {said:?}");
                }
            }
        }
        assert_eq!((steps("", "abc"), steps("decript", "decrypt"), steps("a", "a")), (3, 1, 0));
    }
    use crate::access::actions::that_matter;
    use crate::access::condition::is_multivalued;
    use proptest::prelude::*;

    #[test]
    fn the_table_is_whole() {
        for (name, actions) in [("kms", 56), ("bedrock", 262), ("s3", 180), ("sts", 16), ("iam", 190), ("aws", 0)] {
            assert_eq!(service(name).unwrap().actions.len(), actions, "{name}");
        }
        assert!(service("ec2").is_none());
        let decrypt = action("KMS:decrypt").unwrap();
        assert_eq!(
            (decrypt.name.as_str(), decrypt.level, &decrypt.types[..]),
            ("kms:Decrypt", Level::Write, &["key"][..])
        );
        assert_eq!(action("kms:CreateGrant").unwrap().level, Level::Permissions);
        assert!(!action("bedrock:InvokeModel").unwrap().types.contains(&"custom-model"));
        assert!(action("bedrock:InvokeModel").unwrap().types.contains(&"custom-model-deployment"));
        assert_eq!(action("bedrock:CreateModelCopyJob").unwrap().types, ["custom-model"]);
        assert_eq!(action("iam:PassRole").unwrap().keys, ["iam:AssociatedResourceArn", "iam:PassedToService"]);
        for (held, of) in services() {
            for one in &of.actions {
                let known = |name: &&str| of.types.iter().any(|held| held.name == *name);
                assert!(one.types.iter().all(known), "{} of {held}", one.name);
                for key in &one.keys {
                    assert_eq!(knows_key(&key.replace('*', "x")), Some(true), "{key} of {}", one.name);
                }
            }
        }
    }

    #[test]
    fn what_is_asked_of_no_key_is_not_among_its_actions() {
        let of_keys = of_type("kms", "key");
        assert_eq!(of_keys.len(), 45);
        let has = |name: &str| of_keys.iter().any(|held| held == name);
        assert!(["kms:Decrypt", "kms:CreateAlias", "kms:RetireGrant", "kms:PutKeyPolicy"].into_iter().all(has));
        assert!(!["kms:CreateKey", "kms:ListKeys", "kms:ListAliases", "kms:GenerateRandom"].into_iter().any(has));
        let said = placeless("KMS:createkey").unwrap();
        assert!(said.as_str().starts_with("kms:CreateKey is asked about no resource"), "{said}");
        assert_eq!([placeless("kms:Decrypt"), placeless("kms:Nothing")], [None, None]);
        assert_eq!(of_type("kms", "bucket"), Vec::<String>::new());
        assert_eq!(of_type("nothing", "key"), Vec::<String>::new());
    }

    #[test]
    fn the_lists_of_the_code_are_those_of_the_table() {
        for (prefix, of) in services() {
            for key in &of.keys {
                // Tags are one key each, whatever the name.
                assert_eq!(is_multivalued(&key.name.replace('*', "x")), key.many, "{} of {prefix}", key.name);
            }
        }
        for arn in [
            "arn:aws:kms:us-east-1:111122223333:key/k",
            "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0/abcdefgh1234",
            "arn:aws:bedrock:us-east-1:111122223333:imported-model/abcdefgh1234",
            "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcdefgh1234",
            "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefgh1234",
            "arn:aws:s3:::bucket/key",
            "arn:aws:iam::111122223333:role/ml/Tuner",
        ] {
            for name in that_matter(&arn.parse().unwrap()) {
                let known = action(name).unwrap_or_else(|| panic!("{name} is not in the table"));
                // B2: a custom model is invoked through what serves it.
                let served = name.contains("InvokeModel") && arn.contains("custom-model/");
                assert!(served || is_on(known, arn), "{name} on {arn}");
            }
        }
    }

    #[test]
    fn what_a_policy_means_and_what_it_cannot() {
        assert_eq!(meant("kms:Decript").map(|found| found.len()), Some(0));
        assert_eq!(meant("kms:ReEncrypt*").map(|found| found.len()), Some(2));
        assert_eq!(meant("ec2:RunInstances"), None);
        assert_eq!(meant("*"), None);
        for (key, known) in [
            ("kms:viaservice", Some(true)),
            ("kms:ViaServices", Some(false)),
            ("kms:EncryptionContext:any thing", Some(true)),
            ("aws:PrincipalTag/team", Some(true)),
            ("aws:PrincipleArn", Some(false)),
            ("bedrock:GuardrailIdentifier", Some(true)),
            ("s3:x-amz-acl", Some(true)),
            ("oidc.example.com:sub", None),
            ("nonsense", None),
        ] {
            assert_eq!(knows_key(key), known, "{key}");
        }
        for (name, key, seen) in [
            ("kms:Decrypt", "kms:GrantOperations", false),
            ("kms:CreateGrant", "kms:grantoperations", true),
            ("kms:Decrypt", "kms:ResourceAliases", true),
            ("iam:PassRole", "iam:PassedToService", true),
            ("sts:AssumeRole", "iam:PassedToService", false),
            ("kms:Decrypt", "aws:SourceIp", true),
            ("kms:Decrypt", "ec2:Vpc", true),
        ] {
            assert_eq!(sees(action(name).unwrap(), key), seen, "{name} {key}");
        }
        for (name, resource, on) in [
            ("s3:GetObject", "arn:aws:s3:::bucket", false),
            ("s3:GetObject", "arn:aws:s3:::bucket/*", true),
            ("s3:GetObject", "arn:aws:s3:::${aws:username}*", true),
            ("s3:ListBucket", "arn:aws:s3:::bucket", true),
            ("bedrock:InvokeModel", "arn:aws:bedrock:*:111122223333:custom-model/*", false),
            ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", true),
            ("bedrock:InvokeModel", "arn:aws:bedrock:*:*:*", true),
            ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:alias/x", false),
            ("kms:ListAliases", "arn:aws:kms:us-east-1:111122223333:key/*", false),
            ("kms:ListAliases", "*", true),
        ] {
            assert_eq!(is_on(action(name).unwrap(), resource), on, "{name} {resource}");
        }
    }

    proptest! {
        #[test]
        fn patterns_meet_where_a_text_is_in_both(a in "[ab*?]{0,5}", b in "[ab*?]{0,5}", text in "[ab]{0,5}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            if pattern::matches(&a, &text) && pattern::matches(&b, &text) {
                prop_assert!(meet(&chars(&a), &chars(&b)));
            }
            // A pattern without wildcards is a text.
            prop_assert_eq!(meet(&chars(&a), &chars(&text)), pattern::matches(&a, &text));
        }
    }
}
