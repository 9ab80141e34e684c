//! The evaluator on a key, as controls and fixes ask it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::access::Decision;
use crate::base::Timestamp;
use crate::inventory::iam::{InlinePolicy, ManagedPolicy, Role};
use crate::inventory::{Document, Read, ReadError, SourceReport};

#[path = "unseen_tests.rs"]
mod unseen;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k1";
const ROLE: &str = "arn:aws:iam::123456789012:role/ml/Tuner";
const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/edge";
const ROOT: &str = "arn:aws:iam::123456789012:root";

fn at() -> Timestamp {
    Timestamp::from_secs(1_000)
}

/// A role with these identity statements, perhaps within a boundary, and a key with this policy.
fn inventory(key: &Value, identity: &Value, boundary: Option<&Value>) -> Inventory {
    let mut inventory = Inventory::default();
    inventory.settings.organization = Read::got(None, at());
    let document = |statements: &Value| Document::pretty(&json!({"Version": "2012-10-17", "Statement": statements}));
    inventory.coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at(), 1, &[]));
    let role = Role {
        arn: ROLE.into(),
        name: "Tuner".into(),
        role_id: "AROAX".into(),
        trust: Document::new("{}"),
        inline: vec![InlinePolicy { name: "own".into(), document: document(identity) }],
        attached: Vec::new(),
        boundary: boundary.map(|_| BOUNDARY.into()),
        created: at(),
        last_used: None,
        tags: std::collections::BTreeMap::default(),
    };
    inventory.roles.insert(ROLE.into(), role);
    if let Some(boundary) = boundary {
        let policy = ManagedPolicy {
            arn: BOUNDARY.into(),
            name: "edge".into(),
            version: "v1".into(),
            document: document(boundary),
        };
        inventory.policies.insert(BOUNDARY.into(), policy);
    }
    let mut held = Key::bare(KEY);
    held.policy = Read::got(document(key), at());
    held.grants = Read::got(Vec::new(), at());
    inventory.keys.insert(KEY.into(), held);
    inventory
}

fn ask(inventory: &Inventory, caller: &str, action: &str, scenario: &Scenario) -> Decision {
    key_decision(inventory, &KEY.into(), &Caller::parse(caller).unwrap(), action, scenario).decision
}

fn allow(principal: Value, action: &str) -> Value {
    json!({"Sid": "S", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"})
}

fn with(mut statement: Value, key: &str, value: Value) -> Value {
    statement[key] = value;
    statement
}

fn identity(action: &str) -> Value {
    json!([{"Effect": "Allow", "Action": action, "Resource": "arn:aws:kms:*:123456789012:key/*"}])
}

fn none() -> Value {
    json!([])
}

#[test]
fn layers_combine_as_kms_combines_them() {
    let bedrock = Scenario::through_bedrock("us-east-1");
    let root = || json!({"AWS": ROOT});
    let role = || json!({"AWS": [ROLE]});
    let via = json!({"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}});
    let elsewhere = json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}});
    let edge = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let wide = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let deny = |principal: Value| with(allow(principal, "kms:Decrypt"), "Effect", json!("Deny"));
    for (what, key, own, boundary, caller, expected) in [
        ("nothing", json!([]), none(), None, ROLE, "ImplicitlyDenied"),
        ("identity without delegation", json!([]), identity("kms:*"), None, ROLE, "ImplicitlyDenied"),
        ("delegation without identity", json!([allow(root(), "kms:*")]), none(), None, ROLE, "ImplicitlyDenied"),
        ("delegation and identity", json!([allow(root(), "kms:*")]), identity("kms:Decrypt"), None, ROLE, "Allowed"),
        (
            "delegation of another action",
            json!([allow(root(), "kms:Describe*")]),
            identity("kms:*"),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "delegation for another service",
            json!([with(allow(root(), "kms:*"), "Condition", elsewhere.clone())]),
            identity("kms:*"),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        ("the role itself", json!([allow(role(), "kms:decrypt")]), none(), None, ROLE, "Allowed"),
        (
            "the role, through Bedrock",
            json!([with(allow(role(), "kms:*"), "Condition", via.clone())]),
            none(),
            None,
            ROLE,
            "Allowed",
        ),
        (
            "the role, through S3 only",
            json!([with(allow(role(), "kms:*"), "Condition", elsewhere)]),
            none(),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "a key nobody knows",
            json!([with(allow(role(), "kms:*"), "Condition", json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}))]),
            none(),
            None,
            ROLE,
            "Conditional",
        ),
        (
            "the role, outside its boundary",
            json!([allow(role(), "kms:*")]),
            none(),
            Some(&edge),
            ROLE,
            "ImplicitlyDenied",
        ),
        ("the role, inside its boundary", json!([allow(role(), "kms:*")]), none(), Some(&wide), ROLE, "Allowed"),
        ("everybody, outside the boundary", json!([allow(json!("*"), "kms:*")]), none(), Some(&edge), ROLE, "Allowed"),
        (
            "delegation, outside the boundary",
            json!([allow(root(), "kms:*")]),
            identity("kms:*"),
            Some(&edge),
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "one session of the role",
            json!([allow(json!({"AWS": "arn:aws:sts::123456789012:assumed-role/Tuner/a"}), "kms:*")]),
            none(),
            None,
            ROLE,
            "Conditional",
        ),
        (
            "that session",
            json!([allow(json!({"AWS": "arn:aws:sts::123456789012:assumed-role/Tuner/a"}), "kms:*")]),
            none(),
            None,
            "arn:aws:sts::123456789012:assumed-role/Tuner/a",
            "Allowed",
        ),
        (
            "a deleted role's id",
            json!([allow(json!({"AWS": "AROAEXAMPLEID1234567"}), "kms:*")]),
            none(),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "a Deny for the account",
            json!([allow(role(), "kms:*"), deny(root())]),
            none(),
            None,
            ROLE,
            "ExplicitlyDenied",
        ),
        (
            "a Deny of direct calls",
            json!([
                allow(role(), "kms:*"),
                with(
                    deny(json!("*")),
                    "Condition",
                    json!({"StringNotEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}})
                )
            ]),
            none(),
            None,
            ROLE,
            "Allowed",
        ),
        (
            "a Deny that may apply",
            json!([
                allow(role(), "kms:*"),
                with(deny(json!("*")), "Condition", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
            ]),
            none(),
            None,
            ROLE,
            "Conditional",
        ),
        (
            "a Deny in its own policy",
            json!([allow(role(), "kms:*")]),
            json!([{"Effect": "Deny", "Action": "kms:Dec*", "Resource": "*"}]),
            None,
            ROLE,
            "ExplicitlyDenied",
        ),
        (
            "a malformed Allow",
            json!([with(allow(role(), "kms:*"), "Condition", json!({"Stringish": {}}))]),
            none(),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "a malformed Deny",
            json!([allow(role(), "kms:*"), with(deny(role()), "Condition", json!({"Stringish": {}}))]),
            none(),
            None,
            ROLE,
            "Uncertain",
        ),
        (
            "a malformed Deny for another",
            json!([
                allow(role(), "kms:*"),
                with(deny(json!({"AWS": "999999999999"})), "Condition", json!({"Stringish": {}}))
            ]),
            none(),
            None,
            ROLE,
            "Allowed",
        ),
        (
            "a Deny for all but a part of the chain",
            json!([allow(role(), "kms:*"), {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}]),
            none(),
            None,
            ROLE,
            "Uncertain",
        ),
        (
            "no Action, no effect",
            json!([{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Resource": "*"}]),
            none(),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "another key's ARN",
            json!([with(allow(role(), "kms:*"), "Resource", json!("arn:aws:kms:us-east-1:123456789012:key/k2"))]),
            none(),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "an alias ARN never counts",
            json!([with(allow(role(), "kms:*"), "Resource", json!("arn:aws:kms:us-east-1:123456789012:alias/x"))]),
            none(),
            None,
            ROLE,
            "ImplicitlyDenied",
        ),
        (
            "a service by name",
            json!([allow(json!({"Service": "bedrock.amazonaws.com"}), "kms:*")]),
            none(),
            None,
            "bedrock.amazonaws.com",
            "Allowed",
        ),
        (
            "a service is no AWS principal",
            json!([allow(root(), "kms:*")]),
            none(),
            None,
            "bedrock.amazonaws.com",
            "ImplicitlyDenied",
        ),
        ("the root user", json!([allow(root(), "kms:*")]), none(), None, ROOT, "Allowed"),
        (
            "a foreign role",
            json!([allow(json!({"AWS": "999999999999"}), "kms:*")]),
            none(),
            None,
            "arn:aws:iam::999999999999:role/x",
            "Uncertain",
        ),
        (
            "a foreign account",
            json!([allow(json!({"AWS": "999999999999"}), "kms:*")]),
            none(),
            None,
            "arn:aws:iam::999999999999:root",
            // Its own organization may take it away.
            "Uncertain",
        ),
    ] {
        let inventory = inventory(&key, &own, boundary);
        let decision = ask(&inventory, caller, "kms:Decrypt", &bedrock);
        assert_eq!(decision.word(), expected, "{what}: {}", decision.words());
    }
    let put = inventory(&json!([allow(json!({"AWS": "999999999999"}), "kms:*")]), &none(), None);
    let decision = ask(&put, "arn:aws:iam::999999999999:root", "kms:PutKeyPolicy", &bedrock);
    assert!(decision.words().as_str().contains("no effect across accounts"));
}

#[test]
fn the_deciding_statements_are_named() {
    let key = json!([allow(json!({"Service": "x.amazonaws.com"}), "kms:*"), allow(json!({"AWS": ROOT}), "kms:*")]);
    let inventory = inventory(&key, &identity("kms:Decrypt"), None);
    let decision = ask(&inventory, ROLE, "kms:Decrypt", &Scenario::direct());
    assert_eq!(decision.words().as_str(), r#"allowed by key policy /Statement/1 "S", policy own /Statement/0"#);
    let decision = ask(&inventory, ROLE, "kms:Encrypt", &Scenario::direct());
    assert_eq!(
        decision.words().as_str(),
        "not allowed: the key policy leaves it to the account, and no policy of Tuner allows kms:Encrypt"
    );
}

#[test]
fn grants_allow_and_their_constraints_make_it_conditional() {
    let mut base = inventory(&json!([]), &none(), None);
    let grant = |grantee: &str, subset: &[(&str, &str)]| Grant {
        id: "g-1".into(),
        name: None,
        grantee: grantee.into(),
        retiring: None,
        issuer: None,
        operations: vec!["Decrypt".into(), "DescribeKey".into()],
        context_equals: std::collections::BTreeMap::default(),
        source_arn: None,
        context_subset: subset.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        created: None,
    };
    for (grantee, subset, caller, action, expected) in [
        (ROLE, &[][..], ROLE, "kms:Decrypt", "Allowed"),
        (ROLE, &[][..], ROLE, "kms:CreateGrant", "ImplicitlyDenied"),
        (ROLE, &[("a", "b")][..], ROLE, "kms:Decrypt", "Conditional"),
        (ROLE, &[("a", "b")][..], ROLE, "kms:DescribeKey", "Allowed"),
        ("bedrock.amazonaws.com", &[][..], "bedrock.amazonaws.com", "kms:Decrypt", "Allowed"),
        ("bedrock.amazonaws.com", &[][..], ROLE, "kms:Decrypt", "ImplicitlyDenied"),
    ] {
        base.keys.get_mut(KEY).unwrap().grants = Read::got(vec![grant(grantee, subset)], at());
        let decision = ask(&base, caller, action, &Scenario::open());
        assert_eq!(decision.word(), expected, "{grantee} {action}: {}", decision.words());
    }
}

#[test]
fn callers_are_those_of_the_account_and_those_named() {
    let key = json!([allow(json!({"AWS": ["999999999999", ROLE], "Service": "bedrock.amazonaws.com"}), "kms:*")]);
    let inventory = inventory(&key, &none(), None);
    let (found, whole) = callers(&inventory, &KeyAccess::of(&inventory.keys[KEY]).unwrap());
    let names: Vec<String> = found.iter().map(|c| c.arn().map_or(c.name().to_owned(), ToString::to_string)).collect();
    assert_eq!(names, [ROLE, ROOT, "arn:aws:iam::999999999999:root", "bedrock.amazonaws.com"]);
    assert_eq!(whole, Ok(()));
}

fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Allowed { .. } => 2,
        Decision::Conditional { .. } | Decision::Uncertain { .. } => 1,
        Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => 0,
    }
}

fn pick<T: Clone + std::fmt::Debug + 'static>(from: Vec<T>) -> impl Strategy<Value = T> {
    prop::sample::select(from)
}

fn statement(effect: &'static str, key_policy: bool) -> impl Strategy<Value = Value> {
    let actions = pick(vec!["kms:*", "kms:Decrypt", "kms:decr?pt", "kms:Create*", "s3:*"]);
    let resources = pick(vec!["*", KEY, "arn:aws:kms:*:*:key/k2"]);
    let principals = pick(vec![
        json!("*"),
        json!({"AWS": ROOT}),
        json!({"AWS": ROLE}),
        json!({"AWS": "arn:aws:sts::123456789012:assumed-role/Tuner/a"}),
        json!({"AWS": "999999999999"}),
        json!({"Service": "bedrock.amazonaws.com"}),
        json!({"Aws": "broken"}),
    ]);
    let conditions = pick(vec![
        None,
        None,
        Some(json!({"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}})),
        Some(json!({"StringNotEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}})),
        Some(json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        Some(json!({"Nonsense": {"a": "b"}})),
    ]);
    let not = pick(vec!["Principal", "Principal", "NotPrincipal"]);
    (actions, resources, principals, conditions, not).prop_map(move |(action, resource, principal, condition, not)| {
        let mut statement = json!({"Effect": effect, "Action": action, "Resource": resource});
        if key_policy {
            statement[not] = principal;
        }
        if let Some(condition) = condition {
            statement["Condition"] = condition;
        }
        statement
    })
}

fn statements(key_policy: bool) -> impl Strategy<Value = Vec<Value>> {
    let one = prop_oneof![3 => statement("Allow", key_policy), 1 => statement("Deny", key_policy)];
    prop::collection::vec(one, 0..4)
}

proptest! {
    #[test]
    fn an_allow_takes_nothing_and_a_deny_gives_nothing(
        key in statements(true), own in statements(false), bounded in any::<bool>(),
        more in (statement("Allow", true), statement("Allow", false)),
        less in (statement("Deny", true), statement("Deny", false)),
        scenario in pick(vec![Scenario::open(), Scenario::direct(), Scenario::through_bedrock("us-east-1")]),
    ) {
        let edge = json!([{"Effect": "Allow", "Action": "kms:C*", "Resource": "*"}]);
        let boundary = bounded.then_some(&edge);
        let judge = |key: &[Value], own: &[Value]| {
            ["kms:Decrypt", "kms:CreateGrant"].map(|action| {
                rank(&ask(&inventory(&json!(key), &json!(own), boundary), ROLE, action, &scenario))
            })
        };
        let plus = |list: &[Value], one: &Value| [list, std::slice::from_ref(one)].concat();
        let before = judge(&key, &own);
        for wider in [judge(&plus(&key, &more.0), &own), judge(&key, &plus(&own, &more.1))] {
            prop_assert!(wider[0] >= before[0] && wider[1] >= before[1]);
        }
        for narrower in [judge(&plus(&key, &less.0), &own), judge(&key, &plus(&own, &less.1))] {
            prop_assert!(narrower[0] <= before[0] && narrower[1] <= before[1]);
        }
    }

    /// What is Allowed or denied without knowing how the call is made stays so however it is made.
    #[test]
    fn a_flat_answer_holds_in_every_scenario(key in statements(true), own in statements(false)) {
        let inventory = inventory(&json!(key), &json!(own), None);
        let open = ask(&inventory, ROLE, "kms:Decrypt", &Scenario::open());
        for scenario in [Scenario::direct(), Scenario::through_bedrock("us-east-1"), Scenario::through("s3.x.amazonaws.com")] {
            let fixed = ask(&inventory, ROLE, "kms:Decrypt", &scenario);
            if rank(&open) != 1 {
                prop_assert_eq!(rank(&open), rank(&fixed), "{} / {}", open.words(), fixed.words());
            }
        }
    }
}

#[test]
fn a_malformed_allow_counts_for_nothing_and_is_named() {
    let mut broken = allow(json!({"AWS": ROLE}), "kms:Decrypt");
    broken["Sid"] = "Meant".into();
    broken["Condition"] = json!({"Stringish": {"kms:ViaService": "x"}});
    let held = inventory(&json!([broken]), &none(), None);
    let access = KeyAccess::of(&held.keys[KEY]).unwrap();
    let role = Identity::of(&held, &Caller::parse(ROLE).unwrap());
    let answer = decide(&access, &role, "kms:Decrypt", &Scenario::open());
    assert_eq!(answer.decision.word(), "ImplicitlyDenied");
    let words = answer.decision.words();
    assert!(words.as_str().contains("key policy /Statement/0 \"Meant\" is malformed ("), "{words}");
    assert_eq!(answer.malformed.len(), 1);
    // One that is about something else is not named, nor one that another statement makes up for.
    let other = decide(&access, &role, "kms:Encrypt", &Scenario::open());
    assert_eq!((other.decision.word(), other.malformed.len()), ("ImplicitlyDenied", 0));
    let made_up = inventory(&json!([broken, allow(json!({"AWS": ROLE}), "kms:Decrypt")]), &none(), None);
    let access = KeyAccess::of(&made_up.keys[KEY]).unwrap();
    let answer = decide(&access, &role, "kms:Decrypt", &Scenario::open());
    assert_eq!((answer.decision.word(), answer.malformed.len()), ("Allowed", 0));
    let line = crate::access::batch::evaluate_line(
        json!({"id": 1, "identityPolicies": [], "resourcePolicy": {"Version": "2012-10-17", "Statement": [broken]},
            "request": {"principal": ROLE, "action": "kms:Decrypt", "resource": KEY}})
        .to_string()
        .as_bytes(),
    );
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["decision"], "ImplicitlyDenied");
    assert!(line["malformed"][0].as_str().unwrap().contains("\"Meant\" is malformed"), "{line}");
}
