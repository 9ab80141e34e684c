//! What must hold of every case: flat answers hold in every context, a condition is exact, an Allow takes
//! nothing, a Deny gives nothing, and printing a policy keeps its meaning.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::batch::judge;
use super::decision::Answer;
use super::scenario::ContextValue;
use super::{Decision, Policy, Tri};

const A: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k1";
const VIA: &str = "kms:ViaService";
const IP: &str = "aws:SourceIp";
const TAG: &str = "aws:PrincipalTag/team";
const KEYS: &str = "kms:EncryptionContextKeys";

fn pick<T: Clone + std::fmt::Debug + 'static>(from: Vec<T>) -> impl Strategy<Value = T> {
    prop::sample::select(from)
}

/// Conditions on four keys that a request may carry or not.
fn condition() -> impl Strategy<Value = Value> {
    pick(vec![
        json!({"StringEquals": {VIA: "a"}}),
        json!({"StringEquals": {VIA: ["a", "b"]}}),
        json!({"StringNotEquals": {VIA: "a"}}),
        json!({"StringEqualsIfExists": {VIA: "a"}}),
        json!({"StringNotEqualsIfExists": {VIA: "a"}}),
        json!({"StringLike": {VIA: "a*"}}),
        json!({"StringNotLike": {VIA: "a*"}}),
        json!({"StringEqualsIgnoreCase": {VIA: "A"}}),
        json!({"Null": {VIA: "true"}}),
        json!({"Null": {VIA: "false"}}),
        json!({"IpAddress": {IP: "10.0.0.0/8"}}),
        json!({"NotIpAddress": {IP: "10.0.0.0/8"}}),
        json!({"StringEquals": {TAG: "ml"}}),
        json!({"StringEquals": {TAG: "${kms:ViaService}"}}),
        json!({"StringNotEquals": {TAG: "${kms:ViaService, 'b'}"}}),
        json!({"ForAllValues:StringEquals": {KEYS: ["x", "y"]}}),
        json!({"ForAnyValue:StringEquals": {KEYS: "x"}}),
        json!({"ForAnyValue:StringNotEquals": {KEYS: "x"}}),
        json!({"StringNotEquals": {KEYS: "x"}}),
        json!({"StringEquals": {KEYS: "x"}}),
        json!({"StringEquals": {VIA: "a"}, "IpAddress": {IP: "10.0.0.0/8"}}),
        json!({"Broken": {VIA: "a"}}),
    ])
}

fn statement(resource_side: bool) -> impl Strategy<Value = Value> {
    let effect = pick(vec!["Allow", "Allow", "Allow", "Deny"]);
    let action = pick(vec![
        ("Action", json!("kms:*")),
        ("Action", json!("kms:Decrypt")),
        ("Action", json!(["kms:D*", "s3:*"])),
        ("Action", json!("kms:Encrypt")),
        ("NotAction", json!("kms:Encrypt")),
        ("NotAction", json!(["kms:Decrypt", "iam:*"])),
    ]);
    let resource = pick(vec![
        ("Resource", json!("*")),
        ("Resource", json!("*")),
        ("Resource", json!([KEY, "arn:aws:kms:us-east-1:111122223333:key/k2"])),
        ("Resource", json!("arn:aws:kms:*:111122223333:key/k?")),
        ("Resource", json!("arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/team}")),
        ("NotResource", json!("arn:aws:kms:*:*:key/k2")),
        ("NotResource", json!(KEY)),
    ]);
    let principal = pick(vec![
        json!("*"),
        json!({"AWS": A}),
        json!({"AWS": "arn:aws:iam::111122223333:role/p/R"}),
        json!({"AWS": "arn:aws:sts::111122223333:assumed-role/R/s1"}),
        json!({"AWS": "444455556666"}),
        json!({"AWS": [A, "arn:aws:iam::111122223333:role/p/R", "arn:aws:sts::111122223333:assumed-role/R/s1"]}),
        json!({"Service": "bedrock.amazonaws.com"}),
    ]);
    let not = pick(vec!["Principal", "Principal", "Principal", "NotPrincipal"]);
    (effect, action, resource, principal, not, prop::option::weighted(0.6, condition())).prop_map(
        move |(effect, (act, actions), (on, resources), principal, not, condition)| {
            let mut one = json!({"Effect": effect, act: actions, on: resources});
            if resource_side {
                one[not] = principal;
            }
            if let Some(condition) = condition {
                one["Condition"] = condition;
            }
            one
        },
    )
}

pub(super) fn document(resource_side: bool) -> impl Strategy<Value = Value> {
    let version = pick(vec!["2012-10-17", "2012-10-17", "2008-10-17"]);
    (version, prop::collection::vec(statement(resource_side), 0..5)).prop_map(|(version, mut statements)| {
        if statements.len() == 1 {
            // A lone object is a policy as well.
            return json!({"Version": version, "Statement": statements.swap_remove(0)});
        }
        json!({"Version": version, "Statement": statements})
    })
}

/// A case without its context.
fn case() -> impl Strategy<Value = Value> {
    let layer = || prop::option::weighted(0.25, document(false));
    let principal = pick(vec![
        "arn:aws:sts::111122223333:assumed-role/R/s1",
        "arn:aws:sts::111122223333:assumed-role/R/s2",
        "arn:aws:iam::111122223333:role/p/R",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::444455556666:role/Q",
        "bedrock.amazonaws.com",
    ]);
    let grants = pick(vec![
        json!([]),
        json!([{"granteePrincipal": "arn:aws:iam::111122223333:role/p/R", "operations": ["Decrypt"]}]),
        json!([{"granteePrincipal": "arn:aws:sts::111122223333:assumed-role/R/s1", "operations": ["Decrypt"]}]),
        json!([{"granteePrincipal": A, "operations": ["Decrypt"], "encryptionContextSubset": {"app": "x"}}]),
        json!([{"granteePrincipal": "bedrock.amazonaws.com", "operations": ["Decrypt"], "encryptionContextEquals": {"app": "x"}}]),
    ]);
    let outside = (layer(), prop::option::weighted(0.25, document(true)), prop::option::weighted(0.2, document(true)));
    (document(true), document(false), layer(), layer(), outside, principal, grants).prop_map(
        |(key, own, boundary, session, (scp, rcp, endpoint), principal, grants)| {
            let mut case = json!({
                "resourcePolicy": key,
                "identityPolicies": [own],
                "grants": grants,
                "request": {"principal": principal, "action": "kms:Decrypt", "resource": KEY, "context": {}},
            });
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    case[name] = value;
                }
            };
            put("permissionBoundary", boundary);
            put("sessionPolicy", session);
            put("rcps", rcp.map(|policy| json!([{"orgIdentifier": "r", "policies": [policy]}])));
            put("endpointPolicies", endpoint.map(|policy| json!([policy])));
            put("scps", scp.map(|policy| json!([{"orgIdentifier": "r", "policies": [policy]}])));
            case
        },
    )
}

/// One full context: each key with a value or without.
fn contexts() -> impl Strategy<Value = Map<String, Value>> {
    let one = |values: Vec<Value>| pick(std::iter::once(Value::Null).chain(values).collect());
    let via = one(vec!["a".into(), "b".into(), "A".into(), "ab".into(), "z".into()]);
    let ip = one(vec!["10.1.2.3".into(), "8.8.8.8".into()]);
    let tag = one(vec!["ml".into(), "a".into(), "b".into()]);
    let keys = one(vec![json!(["x"]), json!(["x", "y"]), json!(["z"]), json!(["z", "x"])]);
    (via, ip, tag, keys).prop_map(|(via, ip, tag, keys)| {
        let all = [(VIA, via), (IP, ip), (TAG, tag), (KEYS, keys)];
        all.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.to_owned(), v)).collect()
    })
}

fn open(case: &Value) -> Answer {
    let mut case = case.clone();
    case["unknownContext"] = json!([VIA, IP, TAG, KEYS]);
    judge(&case).unwrap()
}

fn fixed(case: &Value, context: &Map<String, Value>, session: &str) -> Answer {
    let mut case = case.clone();
    case["request"]["context"] = Value::Object(context.clone());
    if case["request"]["principal"] == "arn:aws:iam::111122223333:role/p/R" {
        // A role acts as some session of it. The path is known to nobody in a session's ARN.
        case["request"]["principal"] = format!("arn:aws:sts::111122223333:assumed-role/R/{session}").into();
    }
    judge(&case).unwrap()
}

/// Whether a case holds something that AWS does not settle, or that cannot be read: a broken statement, a part of the
/// caller's chain in NotPrincipal, `ForAnyValue…IfExists`, a grant under a boundary or session policy.
fn may_be_unsettled(case: &Value) -> bool {
    let text = case.to_string();
    let limited = case.get("permissionBoundary").is_some() || case.get("sessionPolicy").is_some();
    let granted = case["grants"].as_array().is_some_and(|grants| !grants.is_empty());
    text.contains("Broken") || text.contains("NotPrincipal") || (granted && limited)
}

fn rank(answer: &Answer) -> u8 {
    match answer.decision {
        Decision::Allowed { .. } => 2,
        Decision::Conditional { .. } | Decision::Uncertain { .. } => 1,
        Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_flat_answer_holds_in_every_context_and_a_condition_is_exact(
        case in case(), contexts in prop::collection::vec(contexts(), 6), session in pick(vec!["s1", "s2", "other"])
    ) {
        let unknown = open(&case);
        for context in contexts {
            let known = fixed(&case, &context, session);
            let text = || format!("{}\n{}\n{}", unknown.decision.words(), known.decision.words(), json!(context));
            match &unknown.decision {
                // Only what AWS leaves open, or what cannot be read, may stay open; and it says which.
                Decision::Uncertain { why, .. } => {
                    prop_assert!(!why.is_empty() && why.iter().all(|one| !one.as_str().is_empty()), "{}", text());
                    prop_assert!(may_be_unsettled(&case), "{}", text());
                }
                Decision::Conditional { .. } => {
                    let values: BTreeMap<String, ContextValue> = context.iter().map(|(key, value)| {
                        let values = value.as_array().map_or_else(
                            || vec![value.as_str().unwrap().to_owned()],
                            |many| many.iter().map(|v| v.as_str().unwrap().to_owned()).collect(),
                        );
                        (key.to_ascii_lowercase(), ContextValue::Known(values))
                    }).collect();
                    let lookup = |key: &str| match key {
                        super::expr::SESSION_NAME => ContextValue::one(session),
                        key => values.get(&key.to_ascii_lowercase()).cloned().unwrap_or(ContextValue::Absent),
                    };
                    let expected = match unknown.when.value(&lookup) {
                        Tri::Yes => 2,
                        Tri::No => 0,
                        Tri::Maybe => 1,
                    };
                    prop_assert_eq!(rank(&known), expected, "{}", text());
                }
                _ => prop_assert_eq!(rank(&unknown), rank(&known), "{}", text()),
            }
        }
    }

    #[test]
    fn an_allow_takes_nothing_and_a_deny_gives_nothing(
        case in case(), context in contexts(), more in statement(true), own in statement(false), at_key in any::<bool>()
    ) {
        let mut changed = case.clone();
        let (place, one) = if at_key { ("/resourcePolicy/Statement", more) } else { ("/identityPolicies/0/Statement", own) };
        let allows = one["Effect"] == "Allow";
        let statements = changed.pointer_mut(place).unwrap();
        if let Some(lone) = statements.as_object().cloned() {
            *statements = json!([lone]);
        }
        statements.as_array_mut().unwrap().push(one);
        // In one context, and over all of them.
        for (before, after) in [
            (fixed(&case, &context, "s1"), fixed(&changed, &context, "s1")),
            (open(&case), open(&changed)),
        ] {
            let (was, is) = (rank(&before), rank(&after));
            prop_assert!(if allows { is >= was } else { is <= was }, "{} {}\n{changed}", before.decision.words(), after.decision.words());
        }
    }

    #[test]
    fn printing_keeps_the_meaning(document in document(true), own in document(false)) {
        for document in [&document, &own] {
            let Ok(policy) = Policy::from_json(document) else { panic!("{document}") };
            if policy.is_well_formed() {
                let printed = policy.to_json();
                prop_assert_eq!(Policy::from_json(&printed).unwrap(), policy, "{}", printed);
            }
        }
    }

    #[test]
    fn what_is_printed_reads_the_same_from_bytes(document in document(true)) {
        let policy = Policy::from_json(&document).unwrap();
        prop_assume!(policy.is_well_formed());
        let again = Policy::parse(&crate::inventory::Document::pretty(&policy.to_json())).unwrap();
        for (one, other) in again.statements.iter().zip(&policy.statements) {
            prop_assert_eq!(one.to_json(), other.to_json());
            prop_assert!(one.span.len() > 2);
        }
        prop_assert_eq!(again.statements.len(), policy.statements.len());
    }

    #[test]
    fn no_line_panics_and_each_gives_one_verdict(line in any::<Vec<u8>>(), case in case(), cut in 0..4000usize) {
        let mut broken = case.to_string();
        broken.truncate((0..=cut.min(broken.len())).rev().find(|at| broken.is_char_boundary(*at)).unwrap_or(0));
        for bytes in [&line[..], broken.as_bytes()] {
            let verdict: Value = serde_json::from_str(&super::batch::evaluate_line(bytes)).unwrap();
            prop_assert!(verdict["decision"].is_string());
        }
    }
}

#[test]
fn twenty_thousand_conditional_statements_are_read_to_the_end() {
    let many: Vec<Value> = (0..20_000)
        .map(|n| {
            json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": "*",
            "Condition": {"StringEquals": {VIA: format!("v{n}")}}})
        })
        .collect();
    let case = json!({
        "resourcePolicy": {"Version": "2012-10-17", "Statement": many},
        "request": {"principal": "arn:aws:iam::111122223333:role/R", "action": "kms:Decrypt", "resource": KEY},
        "unknownContext": [VIA],
    });
    assert_eq!(judge(&case).unwrap().decision.word(), "Conditional");
}
