//! Tables for the controls of models' keys: their scope, their grants, copies, and output.

use serde_json::{Value, json};

use crate::inventory::bedrock::{JobStatus, S3Uri};
use crate::inventory::kms::Grant;
use crate::inventory::s3::{Bucket, Encryption};
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[use_through_bedrock, grants_of_bedrock, keys_of_copies, keys_of_output];

fn uses(principal: Value, condition: Value) -> Value {
    json!({"Sid": "New", "Effect": "Allow", "Principal": principal, "Action": ["kms:Decrypt", "kms:DescribeKey"],
        "Resource": "*", "Condition": condition})
}

fn key_says(statement: Value) -> impl FnOnce(&mut Inventory) {
    move |i| set_key_policy(i, key_policy_and(statement))
}

/// A second key with the policy of the first, and a model under it.
fn twin(inventory: &mut Inventory) {
    let twin = "arn:aws:kms:us-east-1:123456789012:key/k2";
    let mut key = inventory.keys[KEY].clone();
    key.arn = twin.into();
    key.aliases.clear();
    inventory.keys.insert(key.arn.clone(), key);
    let mut model = inventory.models[MODEL].clone();
    model.arn = format!("{MODEL}2").into();
    model.detail.known_mut().unwrap().kms_key = Some(twin.into());
    inventory.models.insert(model.arn.clone(), model);
}

#[test]
fn keys_of_one_policy_differ_where_it_names_one() {
    let missing = ("k2", Fail, "via-service-missing");
    for (resource, other) in [
        ("*", missing),
        ("arn:aws:kms:us-east-1:123456789012:key/*", missing),
        ("arn:aws:kms:us-east-1:123456789012:key/k?", missing),
        (KEY, ("k2", Pass, "ok")),
    ] {
        let mut statement = uses(json!({"AWS": APP}), json!({}));
        statement["Resource"] = resource.into();
        let said = |i: &mut Inventory| {
            set_key_policy(i, key_policy_and(statement));
            twin(i);
        };
        expect("CUS-KMS-05", resource, said, &[("k1", Fail, "via-service-missing"), other]);
    }
}

#[test]
fn use_through_bedrock() {
    let c = "CUS-KMS-05";
    let fine: &[_] = &[("k1", Pass, "ok")];
    let missing: &[_] = &[("k1", Fail, "via-service-missing")];
    let root: &[_] = &[("k1", Warn, "root-delegation")];
    let other: &[_] = &[("k1", Warn, "other-service")];
    expect(c, "through Bedrock", |_| {}, fine);
    let app = || json!({"AWS": APP});
    let account = || json!({"AWS": "arn:aws:iam::123456789012:root"});
    let logs = || json!({"Service": "logs.us-east-1.amazonaws.com"});
    let via = |host: &str| json!({"StringEquals": {"kms:ViaService": host}});
    for (what, principal, condition, expected) in [
        ("no condition", app(), json!({}), missing),
        ("everybody", json!("*"), json!({}), missing),
        ("a foreign account", json!({"AWS": "444455556666"}), json!({}), missing),
        ("our account", account(), json!({}), root),
        ("our account, through Bedrock", account(), via("bedrock.us-east-1.amazonaws.com"), fine),
        ("like", app(), json!({"StringLike": {"KMS:viaservice": "bedrock.*"}}), fine),
        ("any service", app(), json!({"StringLike": {"kms:ViaService": "*.amazonaws.com"}}), missing),
        (
            "what begins like Bedrock",
            app(),
            json!({"StringLike": {"kms:ViaService": "bedrock*.amazonaws.com"}}),
            missing,
        ),
        (
            "if it says",
            app(),
            json!({"StringEqualsIfExists": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}),
            missing,
        ),
        (
            "not through Lambda",
            app(),
            json!({"StringNotEquals": {"kms:ViaService": "lambda.us-east-1.amazonaws.com"}}),
            missing,
        ),
        ("through Lambda", app(), via("lambda.us-east-1.amazonaws.com"), other),
        ("our account, through Lambda", account(), via("lambda.us-east-1.amazonaws.com"), other),
        ("through S3, which uses the key too", app(), via("s3.us-east-1.amazonaws.com"), fine),
        ("another condition", app(), json!({"Bool": {"kms:GrantIsForAWSResource": "true"}}), missing),
        ("Bedrock itself", json!({"Service": "bedrock.amazonaws.com"}), json!({}), fine),
        ("another service itself", json!({"Service": "sns.us-east-1.amazonaws.com"}), json!({}), other),
        ("Logs itself, which uses the key too", logs(), json!({}), fine),
        ("a deleted role", json!({"AWS": "AROAEXAMPLEID1234567"}), json!({}), fine),
    ] {
        expect(c, what, key_says(uses(principal, condition)), expected);
    }
    let no_group = |i: &mut Inventory| {
        i.log_groups.clear();
        key_says(uses(logs(), json!({})))(i);
    };
    expect(c, "Logs itself, where no log group has the key", no_group, other);
    for action in ["kms:CreateGrant", "kms:Create*", "kms:GenerateDataKey*", "kms:*", "*"] {
        let mut one = uses(app(), json!({}));
        one["Action"] = json!(action);
        expect(c, action, key_says(one), missing);
    }
    let mut look = uses(app(), json!({}));
    look["Action"] = json!(["kms:DescribeKey", "kms:ListGrants"]);
    expect(c, "to look is no use", key_says(look), fine);
    let mut elsewhere = uses(app(), json!({}));
    elsewhere["Resource"] = json!("arn:aws:kms:us-east-1:123456789012:key/other");
    expect(c, "of another key", key_says(elsewhere), fine);
    let not = json!({"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*"});
    expect(c, "everybody but", key_says(not), missing);
    let both: &[_] = &[("k1", Warn, "root-delegation"), ("k1", Fail, "via-service-missing")];
    expect(c, "both", key_says(uses(json!({"AWS": [APP, "123456789012"]}), json!({}))), both);
    let fence = |condition: Value| json!([uses(app(), json!({})), {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}]);
    let away = json!({"StringNotEquals": {"kms:ViaService": ["bedrock.us-east-1.amazonaws.com"]}});
    expect(c, "a Deny for all else", |i| set_key_policy(i, fence(away)), fine);
    let any = json!({"ForAnyValue:StringNotEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}});
    expect(c, "a Deny that spares direct calls", |i| set_key_policy(i, fence(any)), missing);
    let half =
        json!({"StringNotEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com", "aws:PrincipalArn": APP}});
    expect(c, "a Deny that spares somebody", |i| set_key_policy(i, fence(half)), missing);
    expect(
        c,
        "no JSON",
        |i| i.keys.get_mut(KEY).unwrap().policy = got(Document::new("{,")),
        &[("k1", Unknown, "malformed")],
    );
    expect(c, "a malformed statement", key_says(json!({"Effect": "allow"})), &[("k1", Unknown, "malformed")]);
    expect(c, "not read", |i| i.keys.get_mut(KEY).unwrap().policy = Read::NotAsked, &[("k1", Unknown, "unread")]);
    expect(c, "no such key", |i| i.keys.clear(), &[("k1", Unknown, "unread")]);
    let nothing: &[_] = &[("us-east-1", NotApplicable, "not-applicable")];
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), nothing);
    let no_models = |i: &mut Inventory| {
        i.models.clear();
        i.imported_models.clear();
        i.copy_jobs.clear();
    };
    expect(c, "a key of data only", no_models, nothing);
    let shared = |i: &mut Inventory| {
        i.models.get_mut(MODEL).unwrap().owned = false;
        i.imported_models.clear();
        i.copy_jobs.clear();
    };
    expect(c, "a model shared with us", shared, nothing);
    let mut inventory = healthy();
    key_says(uses(app(), json!({})))(&mut inventory);
    let verdict = verdicts(&inventory, c).remove(0);
    assert_eq!(verdict.evidence[0].pointer.as_deref(), Some("/Statement/3"));
    assert_eq!(
        verdict.reason.as_str(),
        "\"New\" lets arn:aws:iam::123456789012:role/App use the key past any service (kms:Decrypt)"
    );
}

fn granted(change: impl FnOnce(&mut Vec<Grant>)) -> impl FnOnce(&mut Inventory) {
    move |i| change(i.keys.get_mut(KEY).and_then(|key| key.grants.known_mut()).unwrap())
}

#[test]
fn grants_of_bedrock() {
    let c = "CUS-KMS-08";
    const BEDROCK: &str = "bedrock.amazonaws.com";
    let fine: &[_] = &[("k1", Pass, "ok")];
    let foreign: &[_] = &[("k1", Fail, "foreign-grantee")];
    expect(c, "one for each model", |_| {}, fine);
    expect(c, "none", granted(Vec::clear), &[("k1", Fail, "no-bedrock-grant")]);
    expect(c, "one for two", granted(|all| all.truncate(1)), &[("k1", Warn, "fewer-grants-than-models")]);
    let orphans: &[_] = &[("k1", Warn, "orphan-grants")];
    let third = |i: &mut Inventory| {
        i.throughputs.clear();
        granted(|all| all.push(grant("g3", BEDROCK)))(i);
    };
    expect(c, "three for two", third, orphans);
    expect(c, "three for two and a throughput", granted(|all| all.push(grant("g3", BEDROCK))), fine);
    expect(
        c,
        "three, but a copy is running",
        |i| {
            third(i);
            i.copy_jobs.get_mut(COPY).unwrap().status = JobStatus::InProgress;
        },
        fine,
    );
    expect(
        c,
        "three, while models may be missing",
        |i| {
            third(i);
            deny(i, SourceId::THROUGHPUTS);
        },
        &[("k1", Pass, "ok"), ("us-east-1", Unknown, "list-incomplete")],
    );
    expect(
        c,
        "a short-lived one beside",
        granted(|all| {
            let operations = vec!["Decrypt".into(), "GenerateDataKey".into()];
            all.push(Grant { operations, ..grant("g3", BEDROCK) });
        }),
        fine,
    );
    for (grantee, expected) in [
        ("arn:aws:iam::444455556666:role/model-sync", foreign),
        ("arn:aws:iam::444455556666:root", foreign),
        ("arn:aws:sts::444455556666:assumed-role/x/y", foreign),
        ("arn:aws:iam::777777777777:role/trusted", fine),
        (APP, fine),
        ("s3.amazonaws.com", fine),
        ("AROAEXAMPLEID1234567", fine),
    ] {
        expect(c, grantee, granted(|all| all.push(grant("g3", grantee))), expected);
    }
    expect(
        c,
        "more than models need",
        granted(|all| all[0].operations.push("ReEncryptFrom".into())),
        &[("k1", Warn, "unexpected-operations")],
    );
    expect(
        c,
        "somebody else may retire it",
        granted(|all| all[0].retiring = Some(APP.into())),
        &[("k1", Warn, "unexpected-retiring-principal")],
    );
    expect(c, "not read", |i| i.keys.get_mut(KEY).unwrap().grants = Read::NotAsked, &[("k1", Unknown, "unread")]);
    expect(c, "no such key", |i| i.keys.clear(), &[("k1", Unknown, "unread")]);
    let nothing: &[_] = &[("us-east-1", NotApplicable, "not-applicable")];
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), nothing);
    expect(
        c,
        "no model that exists",
        |i| {
            i.imported_models.clear();
            i.models.get_mut(MODEL).unwrap().status = "Failed".into();
        },
        nothing,
    );
    let mut inventory = healthy();
    granted(|all| *all = vec![grant("g3", "arn:aws:iam::444455556666:role/model-sync")])(&mut inventory);
    let all = verdicts(&inventory, c);
    let [foreign, none] = &all[..] else { panic!("two") };
    assert_eq!((foreign.severity, foreign.fixes), (Severity::High, &["FIX-04"][..]));
    assert_eq!((none.severity, none.fixes), (Severity::Medium, &[][..]));
    assert_eq!(foreign.reason.as_str(), "grant g3 lets model-sync of account 444455556666 use key tuning");
}

#[test]
fn keys_of_copies() {
    let c = "CUS-KMS-09";
    let copy = |i: &mut Inventory, change: fn(&mut crate::inventory::bedrock::CopyJob)| {
        change(i.copy_jobs.get_mut(COPY).unwrap());
    };
    expect(c, "a key", |_| {}, &[("copy1", Pass, "ok")]);
    expect(c, "none", |i| copy(i, |job| job.target_key = None), &[("copy1", Fail, "no-cmk")]);
    expect(
        c,
        "none, and running",
        |i| {
            copy(i, |job| {
                job.target_key = None;
                job.status = JobStatus::InProgress;
                job.target_model = "arn:aws:bedrock:us-east-1:123456789012:custom-model/m/later".into();
            });
        },
        &[("copy1", Fail, "no-cmk")],
    );
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), &[("copy1", Fail, "aws-managed-key")]);
    expect(c, "no such key", |i| i.keys.clear(), &[("copy1", Unknown, "unread")]);
    let none: &[_] = &[("us-east-1", NotApplicable, "not-applicable")];
    expect(c, "failed", |i| copy(i, |job| job.status = JobStatus::Failed), none);
    expect(c, "no copy", |i| i.copy_jobs.clear(), none);
    expect(c, "deleted since", |i| i.models.clear(), &[("copy1", NotApplicable, "not-applicable")]);
    expect(
        c,
        "perhaps deleted",
        |i| {
            i.models.clear();
            deny(i, SourceId::MODELS);
        },
        &[("copy1", Pass, "ok"), ("us-east-1", Unknown, "list-incomplete")],
    );
}

#[test]
fn keys_of_output() {
    let c = "CUS-KMS-10";
    let says = |batch, evaluation| -> Vec<(&'static str, crate::posture::Status, &'static str)> {
        let (batch, evaluation): ((_, _), (_, _)) = (batch, evaluation);
        vec![("batch1", batch.0, batch.1), ("eval1", evaluation.0, evaluation.1)]
    };
    let fine = (Pass, "ok");
    let batch = |i: &mut Inventory, change: fn(&mut crate::inventory::bedrock::BatchJob)| {
        change(i.batch_jobs.get_mut(BATCH).unwrap());
    };
    expect(c, "keys", |_| {}, &says(fine, fine));
    let no_key = |i: &mut Inventory| {
        i.evaluation_jobs.get_mut(EVALUATION).and_then(|job| job.detail.known_mut()).unwrap().kms_key = None;
    };
    expect(c, "an evaluation without", no_key, &says(fine, (Fail, "evaluation-without-cmk")));
    let bucket = |encryption: Read<Encryption>| {
        move |i: &mut Inventory| i.buckets.get_mut("train").unwrap().encryption = encryption
    };
    let with = |algorithm: &str, kms_key| got(Encryption { algorithm: algorithm.into(), kms_key, bucket_key: true });
    let without = (Fail, "output-without-cmk");
    expect(c, "S3's own encryption", bucket(with("AES256", None)), &says(without, fine));
    expect(c, "AWS's key of S3", bucket(with("aws:kms", None)), &says(without, fine));
    expect(c, "a key twice over", bucket(with("aws:kms:dsse", Some(id(KEY)))), &says(fine, fine));
    expect(c, "an unread bucket", bucket(Read::NotAsked), &says((Unknown, "unread"), fine));
    expect(c, "a bucket that nobody knows", |i| i.buckets.clear(), &says((Unknown, "unread"), fine));
    expect(
        c,
        "a foreign bucket",
        |i| batch(i, |job| job.output = S3Uri::parse("s3://elsewhere/x")),
        &says((Unknown, "unread"), fine),
    );
    expect(
        c,
        "a foreign bucket, and a key",
        |i| {
            i.buckets.insert("elsewhere".into(), Bucket::bare("elsewhere"));
            batch(i, |job| {
                job.output = S3Uri::parse("s3://elsewhere/x");
                job.output_key = Some(KEY.into());
            });
        },
        &says(fine, fine),
    );
    expect(c, "no output", |i| batch(i, |job| job.output = None), &says(without, fine));
    let aws = (Fail, "aws-managed-key");
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), &says(aws, aws));
    expect(
        c,
        "an evaluation that was not read",
        |i| i.evaluation_jobs.get_mut(EVALUATION).unwrap().detail = Read::NotAsked,
        &says(fine, (Unknown, "unread")),
    );
    for model in ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "{}"] {
        let base = |i: &mut Inventory| {
            i.evaluation_jobs.get_mut(EVALUATION).unwrap().models = vec![id(model)];
            i.batch_jobs.get_mut(BATCH).unwrap().model = id(model);
        };
        expect(c, model, base, &[("us-east-1", NotApplicable, "not-applicable")]);
    }
    for kind in ["custom-model/m/x", "imported-model/x", "custom-model-deployment/x", "provisioned-model/x"] {
        let model = format!("arn:aws:bedrock:us-east-1:123456789012:{kind}");
        let spoil = |i: &mut Inventory| {
            no_key(i);
            i.evaluation_jobs.get_mut(EVALUATION).unwrap().models = vec!["anthropic.claude-v2".into(), id(&model)];
            i.batch_jobs.clear();
        };
        expect(c, kind, spoil, &[("eval1", Fail, "evaluation-without-cmk")]);
    }
}
