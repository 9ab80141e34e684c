//! Tables for the controls of encryption: pass, every way to fail, unknown, not applicable.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::inventory::bedrock::JobStatus;
use crate::inventory::iam::ManagedPolicy;
use crate::inventory::kms::{Grant, KeyState, Rotation};
use crate::inventory::{Document, ErrorKind, Inventory, Read, ReadError, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] =
    &[keys_of_models, keys_of_jobs, states_of_keys, rotation_of_keys, rights_on_keys, strangers_in_key_policies];

fn model_key(key: Option<&'static str>) -> impl FnOnce(&mut Inventory) {
    move |i| i.models.get_mut(MODEL).and_then(|m| m.detail.known_mut()).unwrap().kms_key = key.map(id)
}

#[test]
fn keys_of_models() {
    let c = "CUS-KMS-01";
    expect(c, "a customer key", |_| {}, &[("model1", Pass, "ok")]);
    expect(c, "none", model_key(None), &[("model1", Fail, "no-cmk")]);
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), &[("model1", Fail, "aws-managed-key")]);
    let alias = "arn:aws:kms:us-east-1:123456789012:alias/tuning";
    expect(c, "named by its alias", model_key(Some(alias)), &[("model1", Pass, "ok")]);
    expect(
        c,
        "an alias nobody knows",
        model_key(Some("arn:aws:kms:us-east-1:123456789012:alias/x")),
        &[("model1", Unknown, "unread")],
    );
    expect(
        c,
        "the same alias abroad",
        model_key(Some("arn:aws:kms:eu-west-1:123456789012:alias/tuning")),
        &[("model1", Unknown, "unread")],
    );
    expect(
        c,
        "the key not read",
        |i| i.keys.get_mut(KEY).unwrap().metadata = Read::NotAsked,
        &[("model1", Unknown, "unread")],
    );
    expect(
        c,
        "shared with us",
        |i| i.models.get_mut(MODEL).unwrap().owned = false,
        &[("us-east-1", NotApplicable, "not-applicable")],
    );
    let more: &[_] = &[("model1", Pass, "ok"), ("us-east-1", Unknown, "list-incomplete")];
    expect(c, "perhaps more", |i| deny(i, SourceId::MODELS), more);
}

#[test]
fn keys_of_jobs() {
    let c = "CUS-KMS-02";
    let jobs = |list: &'static [(&'static str, &'static str, JobStatus, i64, bool)]| {
        move |i: &mut Inventory| {
            i.jobs.clear();
            for (name, model, status, created, keyed) in list {
                let arn = format!("arn:aws:bedrock:us-east-1:123456789012:model-customization-job/m/{name}");
                let mut one = job(&arn, model, status.clone(), *created);
                if !keyed {
                    one.detail.known_mut().unwrap().kms_key = None;
                }
                i.jobs.insert(arn.into(), one);
            }
        }
    };
    expect(c, "a key", |_| {}, &[("job1", Pass, "ok")]);
    expect(
        c,
        "running without",
        jobs(&[("a", "m", JobStatus::InProgress, 1, false)]),
        &[("a", Fail, "in-progress-without-cmk")],
    );
    expect(
        c,
        "finished without",
        jobs(&[("a", "m", JobStatus::Completed, 1, false)]),
        &[("a", Fail, "finished-without-cmk")],
    );
    let replaced = jobs(&[("a", "m", JobStatus::Completed, 1, false), ("b", "m", JobStatus::Completed, 2, true)]);
    expect(c, "only the newest of a name", replaced, &[("b", Pass, "ok")]);
    let running = jobs(&[("a", "m", JobStatus::InProgress, 1, false), ("b", "m", JobStatus::Failed, 2, true)]);
    expect(c, "and every running one", running, &[("a", Fail, "in-progress-without-cmk"), ("b", Pass, "ok")]);
    let mut old = healthy();
    detail(&mut old).kms_key = None;
    assert_eq!(verdicts(&old, c)[0].severity, Severity::Low);
}

#[test]
fn states_of_keys() {
    let c = "CUS-KMS-03";
    expect(c, "enabled", |_| {}, &[("k1", Pass, "ok")]);
    for (state, code) in [
        (KeyState::Disabled, "disabled"),
        (KeyState::PendingDeletion, "pending-deletion"),
        (KeyState::Other("PendingReplicaDeletion".into()), "pending-deletion"),
        (KeyState::PendingImport, "pending-import"),
        (KeyState::Unavailable, "unavailable"),
        (KeyState::Other("Updating".into()), "unavailable"),
    ] {
        expect(c, code, |i| metadata(i).state = state, &[("k1", Fail, code)]);
    }
    expect(c, "RSA", |i| metadata(i).spec = "RSA_2048".into(), &[("k1", Fail, "wrong-spec")]);
    expect(c, "for signing", |i| metadata(i).usage = "SIGN_VERIFY".into(), &[("k1", Fail, "wrong-spec")]);
    let mut dying = healthy();
    metadata(&mut dying).state = KeyState::PendingDeletion;
    metadata(&mut dying).deletion = Some(Timestamp::from_secs(1_800_500_000));
    let verdict = verdicts(&dying, c).remove(0);
    let reason = verdict.reason.as_str();
    assert!(reason.starts_with("key tuning is PendingDeletion on 2027-01-21 02:53; job job1, "), "{reason}");
    assert!(reason.contains("model model1, ") && reason.ends_with(" cannot be decrypted"), "{reason}");
    assert!(verdict.related.len() >= 3);
    // A key that is named by an alias and by its ARN is one key.
    expect(c, "two names", |i| detail(i).kms_key = Some(id("alias/tuning")), &[("k1", Pass, "ok")]);
    expect(c, "not in the inventory", |i| i.keys.clear(), &[("k1", Unknown, "unread")]);
}

#[test]
fn rotation_of_keys() {
    let c = "CUS-KMS-04";
    let rotation = |enabled, period_days| {
        move |i: &mut Inventory| {
            i.keys.get_mut(KEY).unwrap().rotation = got(Rotation { enabled, period_days, next: None });
        }
    };
    expect(c, "a year", |_| {}, &[("k1", Pass, "ok")]);
    expect(c, "the default period", rotation(true, None), &[("k1", Pass, "ok")]);
    expect(c, "off", rotation(false, Some(365)), &[("k1", Fail, "rotation-off")]);
    expect(c, "long", rotation(true, Some(366)), &[("k1", Fail, "rotation-period-long")]);
    for origin in ["EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"] {
        expect(c, origin, |i| metadata(i).origin = origin.into(), &[("k1", NotApplicable, "not-applicable")]);
    }
    let refused = ReadError {
        operation: "kms:GetKeyRotationStatus".into(),
        kind: ErrorKind::Service,
        message: "KMSInvalidStateException: k1 is pending deletion".into(),
        at: now(),
    };
    let off = got(Rotation { enabled: false, period_days: None, next: None });
    for (state, rotation, status, code) in [
        (KeyState::PendingDeletion, None, NotApplicable, "not-applicable"),
        (KeyState::PendingDeletion, Some(off.clone()), NotApplicable, "not-applicable"),
        (KeyState::PendingDeletion, Some(Read::NotAsked), NotApplicable, "not-applicable"),
        (KeyState::PendingDeletion, Some(Read::failed(refused.clone())), NotApplicable, "not-applicable"),
        (KeyState::Other("PendingReplicaDeletion".into()), Some(off.clone()), NotApplicable, "not-applicable"),
        (KeyState::Other("Updating".into()), Some(off.clone()), Unknown, "key-state"),
        (KeyState::Unavailable, Some(off.clone()), Unknown, "key-state"),
        (KeyState::Disabled, Some(off), Fail, "rotation-off"),
        (KeyState::Enabled, Some(Read::failed(refused)), Unknown, "unread"),
    ] {
        let what = format!("{state} {rotation:?}");
        let spoil = |i: &mut Inventory| {
            metadata(i).state = state;
            if let Some(rotation) = rotation {
                i.keys.get_mut(KEY).unwrap().rotation = rotation;
            }
        };
        expect(c, &what, spoil, &[("k1", status, code)]);
    }
    expect(c, "AWS's", |i| metadata(i).manager = "AWS".into(), &[("us-east-1", NotApplicable, "not-applicable")]);
}

fn statement(principal: Value, actions: Value) -> Value {
    json!({"Sid": "New", "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"})
}

fn key_says(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |i| set_key_policy(i, statements)
}

/// The healthy policy without one action of one statement.
fn without(index: usize, action: &str) -> Value {
    let mut all = key_policy();
    let actions = match all[index]["Action"].take() {
        Value::Array(actions) => actions.into_iter().filter(|held| held != action).collect(),
        _ => vec![json!("kms:List*")],
    };
    all[index]["Action"] = json!(actions);
    all
}

#[test]
fn rights_on_keys() {
    let c = "CUS-KMS-06";
    let good: &[_] = &[("k1", Pass, "ok"), ("k1", Pass, "ok")];
    expect(c, "exactly", |_| {}, good);
    for action in ["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"] {
        expect(c, action, key_says(without(1, action)), &[("k1", Pass, "ok"), ("k1", Fail, "missing-right")]);
    }
    expect(
        c,
        "an invoker that cannot decrypt",
        key_says(without(2, "")),
        &[("k1", Fail, "missing-right"), ("k1", Pass, "ok")],
    );
    let over: &[_] = &[("k1", Fail, "over-granted"), ("k1", Pass, "ok")];
    for action in ["kms:CreateGrant", "kms:GenerateDataKey", "kms:*"] {
        expect(c, action, key_says(key_policy_and(statement(json!({"AWS": APP}), json!(action)))), over);
    }
    expect(
        c,
        "over-granted by delegation",
        |i| {
            set_key_policy(
                i,
                key_policy_and(statement(json!({"AWS": "arn:aws:iam::123456789012:root"}), json!("kms:*"))),
            );
            let own = json!([
                {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"},
                {"Effect": "Allow", "Action": "kms:GenerateDataKey*", "Resource": "*"},
            ]);
            i.roles.insert(APP.into(), role(APP, json!([]), own));
        },
        over,
    );
    expect(
        c,
        "over-granted by a grant",
        |i| {
            let grant = Grant {
                id: "g".into(),
                name: None,
                grantee: APP.into(),
                retiring: None,
                issuer: None,
                operations: vec!["GenerateDataKey".into()],
                context_equals: BTreeMap::default(),
                context_subset: BTreeMap::default(),
                source_arn: None,
                created: None,
            };
            i.keys.get_mut(KEY).unwrap().grants = got(vec![grant]);
        },
        over,
    );
    expect(
        c,
        "Nova needs data keys",
        |i| {
            i.models.get_mut(MODEL).unwrap().base_model =
                "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0".into();
            set_key_policy(i, key_policy_and(statement(json!({"AWS": APP}), json!("kms:GenerateDataKey"))));
        },
        good,
    );
    expect(
        c,
        "served by throughput",
        |i| {
            i.deployments.clear();
            let arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/p1";
            i.throughputs.insert(arn.into(), throughput(arn, MODEL));
            let own = json!([{"Effect": "Allow", "Action": "bedrock:InvokeModelWithResponseStream", "Resource": arn}]);
            i.roles.insert(APP.into(), role(APP, json!([]), own));
        },
        good,
    );
    let tuner: &[_] = &[("k1", Pass, "ok")];
    expect(c, "not served", |i| i.deployments.clear(), tuner);
    expect(
        c,
        "who may customize is no mere invoker",
        |i| {
            i.roles
                .insert(APP.into(), role(APP, json!([]), json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}])));
        },
        tuner,
    );
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), &[("us-east-1", NotApplicable, "not-applicable")]);
    expect(
        c,
        "a role that is gone",
        |i| {
            i.roles.remove(TUNER);
        },
        &[("k1", Pass, "ok"), ("k1", NotApplicable, "not-applicable")],
    );
    let conditional = json!([
        json!({"Effect": "Allow", "Principal": {"AWS": [TUNER, APP]}, "Action": ["kms:Decrypt"], "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}),
        key_policy()[1].clone()
    ]);
    expect(c, "it depends", key_says(conditional), &[("k1", Unknown, "conditional"), ("k1", Pass, "ok")]);
    expect(
        c,
        "a policy that is not there",
        |i| {
            i.roles.get_mut(APP).unwrap().attached.push("arn:aws:iam::aws:policy/Unseen".into());
        },
        &[("k1", Unknown, "uncertain"), ("k1", Pass, "ok")],
    );
    expect(
        c,
        "a policy that is",
        |i| {
            let arn = "arn:aws:iam::aws:policy/Seen";
            i.roles.get_mut(APP).unwrap().attached.push(arn.into());
            let seen = ManagedPolicy {
                arn: arn.into(),
                name: "Seen".into(),
                version: "v1".into(),
                document: policy(json!([])),
            };
            i.policies.insert(arn.into(), seen);
        },
        good,
    );
    expect(
        c,
        "a malformed key policy",
        |i| i.keys.get_mut(KEY).unwrap().policy = got(Document::new("{")),
        &[("k1", Unknown, "uncertain"), ("k1", Unknown, "uncertain")],
    );
    let mut inventory = healthy();
    set_key_policy(&mut inventory, without(1, "kms:CreateGrant"));
    let verdict = verdicts(&inventory, c).remove(1);
    assert_eq!(verdict.id, "CUS-KMS-06/k1/Tuner");
    assert_eq!(
        verdict.reason.as_str(),
        "Tuner customizes with key tuning but lacks kms:CreateGrant: jobs will be denied"
    );
    let decrypt = verdict.evidence.iter().find(|fact| fact.label == "kms:Decrypt").unwrap();
    assert_eq!(decrypt.pointer.as_deref(), Some("/Statement/1"));
    assert_eq!(decrypt.value.as_str(), "allowed by key policy /Statement/1 \"Tune\"");
}

#[test]
fn strangers_in_key_policies() {
    let c = "CUS-KMS-07";
    expect(c, "our own", |_| {}, &[("k1", Pass, "ok")]);
    let add = |principal: Value, condition: Option<Value>| {
        let mut one = statement(principal, json!(["kms:Decrypt"]));
        if let Some(condition) = condition {
            one["Condition"] = condition;
        }
        key_says(key_policy_and(one))
    };
    let public: &[_] = &[("k1", Fail, "public-principal")];
    let foreign: &[_] = &[("k1", Fail, "foreign-account")];
    let fine: &[_] = &[("k1", Pass, "ok")];
    let another: &[_] = &[("k1", Fail, "foreign-organization")];
    for (what, principal, condition, expected) in [
        ("everybody", json!("*"), None, public),
        ("everybody in AWS", json!({"AWS": ["*"]}), None, public),
        (
            "through a service",
            json!("*"),
            Some(json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})),
            public,
        ),
        ("in ours", json!("*"), Some(json!({"StringEquals": {"aws:PrincipalOrgID": "o-orion00000"}})), fine),
        ("in another", json!("*"), Some(json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}})), another),
        (
            "under a path",
            json!("*"),
            Some(json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-orion00000/r-1/*"]}})),
            fine,
        ),
        (
            "under any path",
            json!("*"),
            Some(json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["*"]}})),
            public,
        ),
        (
            "perhaps under a path",
            json!("*"),
            Some(json!({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": ["o-abc123/r-1/*"]}})),
            public,
        ),
        ("of our account", json!("*"), Some(json!({"StringEquals": {"KMS:CallerAccount": "123456789012"}})), fine),
        (
            "of our account, if it says",
            json!("*"),
            Some(json!({"StringEqualsIfExists": {"kms:CallerAccount": "123456789012"}})),
            public,
        ),
        ("of any account but", json!("*"), Some(json!({"StringNotEquals": {"kms:CallerAccount": "1"}})), public),
        ("of any account", json!("*"), Some(json!({"StringLike": {"kms:CallerAccount": "*"}})), public),
        (
            "of a foreign account",
            json!("*"),
            Some(json!({"StringEquals": {"kms:CallerAccount": "444455556666"}})),
            foreign,
        ),
        ("of a source account", json!("*"), Some(json!({"StringEquals": {"aws:SourceAccount": "123456789012"}})), fine),
        ("a foreign account", json!({"AWS": "arn:aws:iam::444455556666:root"}), None, foreign),
        ("a foreign role", json!({"AWS": "arn:aws:iam::444455556666:role/x"}), None, foreign),
        ("a trusted account", json!({"AWS": "777777777777"}), None, fine),
        ("a service", json!({"Service": "logs.us-east-1.amazonaws.com"}), None, fine),
        ("an orphan", json!({"AWS": "AROAEXAMPLEID1234567"}), None, fine),
    ] {
        expect(c, what, add(principal, condition), expected);
    }
    let not = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "kms:*", "Resource": "*"});
    expect(c, "everybody but", key_says(key_policy_and(not)), public);
    let ours = || add(json!("*"), Some(json!({"StringEquals": {"aws:PrincipalOrgID": "o-orion00000"}})));
    let unseen = |i: &mut Inventory| {
        ours()(i);
        i.settings.organization = Read::failed(error("organizations:DescribeOrganization"));
    };
    expect(c, "in an organization, when ours is not known", unseen, &[("k1", Unknown, "organization-unknown")]);
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
    expect(c, "a Deny", key_says(key_policy_and(deny)), fine);
    let no_action = json!({"Effect": "Allow", "Principal": "*", "Resource": "*"});
    expect(c, "without Action, without effect", key_says(key_policy_and(no_action)), fine);
    let both: &[_] = &[("k1", Fail, "foreign-account"), ("k1", Fail, "public-principal")];
    expect(c, "both", add(json!({"AWS": ["*", "444455556666"]}), None), both);
    let raw = |raw: String| move |i: &mut Inventory| i.keys.get_mut(KEY).unwrap().policy = got(Document::new(raw));
    let unknown: &[_] = &[("k1", Unknown, "malformed")];
    expect(c, "no JSON", raw("{\n  nope".into()), unknown);
    expect(c, "an unknown operator", add(json!("*"), Some(json!({"StringIsh": {"a": "b"}}))), unknown);
    expect(c, "5 MB", raw(format!(r#"{{"Statement":[{{"Sid":"{}"}}]}}"#, "x".repeat(5_000_000))), unknown);
    expect(c, "deep", raw("[".repeat(200_000)), unknown);
    let mut inventory = healthy();
    raw("{\n  nope".into())(&mut inventory);
    assert!(verdicts(&inventory, c)[0].reason.as_str().contains("line 2, column 3"));
    add(json!("*"), None)(&mut inventory);
    assert_eq!(verdicts(&inventory, c)[0].evidence[0].pointer.as_deref(), Some("/Statement/3"));
    assert_eq!(verdicts(&inventory, c)[0].fixes, ["FIX-03"]);
    expect(c, "no key", |i| *i = empty(), &[("us-east-1", NotApplicable, "not-applicable")]);
}
