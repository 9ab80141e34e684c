//! Tables for the rights of the roles that Bedrock works as.

use serde_json::{Value, json};

use crate::inventory::bedrock::{CloudWatchLogging, S3Uri};
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
use crate::posture::fixtures::permissions::{cap, expect_of as expect, give, nothing, put_policy};
use crate::posture::fixtures::*;
use crate::posture::{Severity, Status};

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[used_buckets, needed_rights, training_data, surplus_rights, odd_policies];

fn allow(actions: &Value, resources: &Value) -> Value {
    json!([{"Sid": "More", "Effect": "Allow", "Action": actions, "Resource": resources}])
}

fn more(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |inventory| give(inventory, "Tuner", statements)
}

fn one(status: Status, code: &'static str) -> [(&'static str, Status, &'static str); 1] {
    [("Tuner", status, code)]
}

#[test]
fn used_buckets() {
    let c = "CUS-IAM-03";
    let (all, wild, unused) = ("all-buckets", "wildcard-bucket", "unused-bucket");
    expect(c, "what it needs", |_| {}, &one(Pass, "ok"));
    for (actions, resources, status, code) in [
        (json!("s3:*"), json!("*"), Fail, all),
        (json!("*"), json!("*"), Fail, all),
        (json!("s3:GetObject"), json!("arn:aws:s3:::*"), Fail, all),
        (json!("S3:getobject"), json!(["arn:aws:s3:::*/*"]), Fail, all),
        (json!("s*:Get*"), json!("arn:*:s3:::*"), Fail, all),
        (json!("s3:GetObject"), json!("arn:aws:s3:::train-*"), Fail, wild),
        (json!("s3:GetObject"), json!("arn:aws:s3:::tr?in2/*"), Fail, wild),
        (json!("s3:GetObject"), json!("arn:aws:s3:::${aws:SourceVpc}-x/*"), Fail, wild),
        // It has no such tag.
        (json!("s3:GetObject"), json!("arn:aws:s3:::${aws:PrincipalTag/team}/*"), Pass, "ok"),
        (json!("s3:GetObject"), json!("arn:aws:s3:::other/*"), Fail, unused),
        (json!("s3:ListBucket"), json!("arn:aws:s3:::other"), Fail, unused),
        (json!("s3:PutObject"), json!(["arn:aws:s3:::train/out/*", "arn:aws:s3:::other/x"]), Fail, unused),
        // What has no effect gives nothing.
        (json!("s3:GetObject"), json!("arn:aws:s3:::other"), Pass, "ok"),
        (json!("s3:ListBucket"), json!("arn:aws:s3:::other/*"), Pass, "ok"),
        (json!("s3:ListAllMyBuckets"), json!("*"), Pass, "ok"),
        (json!("s3:GetObject"), json!("arn:aws:s3:::train/*"), Pass, "ok"),
        (json!("logs:*"), json!("*"), Pass, "ok"),
    ] {
        expect(c, &format!("{actions} on {resources}"), more(allow(&actions, &resources)), &one(status, code));
    }
    let not = json!([{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::train/*"}]);
    expect(c, "NotResource", more(not), &one(Fail, all));
    let not = json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]);
    expect(c, "NotAction", more(not), &one(Fail, all));
    let not = json!([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}]);
    expect(c, "NotAction without S3", more(not), &one(Pass, "ok"));
    let taken = json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::train", "arn:aws:s3:::train/*"]},
    ]);
    expect(c, "a Deny takes it away", more(taken), &one(Pass, "ok"));
    let capped = |inventory: &mut Inventory| {
        give(inventory, "Tuner", allow(&json!("s3:*"), &json!("*")));
        cap(inventory, "Tuner", allow(&json!("*"), &json!(["arn:aws:s3:::train", "arn:aws:s3:::train/*"])));
    };
    expect(c, "the boundary caps it", capped, &one(Pass, "ok"));
    let when = json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*",
        "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]);
    expect(c, "under a condition", more(when), &one(Fail, unused));
    let over = json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*",
        "Condition": {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}}]);
    expect(c, "until long ago", more(over), &one(Pass, "ok"));
    let mut inventory = healthy();
    give(&mut inventory, "Tuner", allow(&json!("s3:GetObject"), &json!("arn:aws:s3:::other/*")));
    let verdict = &verdicts(&inventory, c)[0];
    assert!(verdict.reason.as_str().contains("policy more \"More\" lets Tuner do s3:GetObject on bucket other"));
    assert_eq!(verdict.evidence[0].pointer.as_deref(), Some("/Statement/0"));
}

#[test]
fn needed_rights() {
    let c = "CUS-IAM-03";
    let rightless = |inventory: &mut Inventory| inventory.roles.get_mut(TUNER).unwrap().inline.clear();
    // Of a job that only reads, and no logs.
    let bare = |inventory: &mut Inventory| {
        rightless(inventory);
        (detail(inventory).output, detail(inventory).invocation_logs) = (None, None);
    };
    expect(c, "nothing, and results to write", rightless, &one(Fail, "missing-right"));
    expect(c, "nothing", bare, &one(Fail, "missing-right"));
    let by_bucket = |inventory: &mut Inventory| {
        bare(inventory);
        let statements = json!([{"Effect": "Allow", "Principal": {"AWS": TUNER},
            "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::train", "arn:aws:s3:::train/*"]}]);
        inventory.buckets.get_mut("train").unwrap().policy = got(Some(policy(statements)));
    };
    expect(c, "by the bucket's policy", by_bucket, &one(Pass, "ok"));
    let unread = |inventory: &mut Inventory| {
        bare(inventory);
        inventory.buckets.get_mut("train").unwrap().policy = Read::NotAsked;
    };
    expect(c, "the bucket's policy is not read", unread, &one(Unknown, "uncertain"));
    let output = |inventory: &mut Inventory| detail(inventory).output = S3Uri::parse("s3://out/results");
    expect(c, "no PutObject", output, &one(Fail, "missing-right"));
    let wrong = |inventory: &mut Inventory| {
        output(inventory);
        give(inventory, "Tuner", allow(&json!("s3:PutObject"), &json!("arn:aws:s3:::out/results/*")));
    };
    expect(c, "PutObject where it writes", wrong, &one(Pass, "ok"));
    let elsewhere = |inventory: &mut Inventory| {
        output(inventory);
        give(inventory, "Tuner", allow(&json!("s3:PutObject"), &json!("arn:aws:s3:::out/other/*")));
    };
    expect(c, "PutObject elsewhere", elsewhere, &one(Fail, "missing-right"));
    let when = |inventory: &mut Inventory| {
        bare(inventory);
        let statements = json!([{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::train", "arn:aws:s3:::train/*"],
            "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}]);
        give(inventory, "Tuner", statements);
    };
    expect(c, "from an endpoint alone", when, &one(Unknown, "conditional"));
    let prefixed = |inventory: &mut Inventory| {
        bare(inventory);
        let statements = json!([
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::train/*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::train",
                "Condition": {"StringLike": {"s3:prefix": "a*"}}},
        ]);
        give(inventory, "Tuner", statements);
    };
    expect(c, "lists its prefix", prefixed, &one(Pass, "ok"));
    let denied = json!([{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}]);
    expect(c, "denied", more(denied), &one(Fail, "missing-right"));
}

#[test]
fn training_data() {
    let c = "CUS-IAM-04";
    let code = "writes-training-data";
    expect(c, "reads alone", |_| {}, &one(Pass, "ok"));
    for (actions, resources, fails) in [
        ("s3:PutObject", "arn:aws:s3:::train/*", true),
        ("s3:PutObject", "arn:aws:s3:::train/a.jsonl", true),
        ("s3:PutObject", "arn:aws:s3:::train/a.jsonl/*", true),
        ("s3:*", "*", true),
        ("s3:Put*", "arn:aws:s3:::t*", true),
        ("s3:DeleteObject*", "arn:aws:s3:::train/*", true),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::*/*.jsonl", true),
        ("s3:ReplicateObject", "arn:aws:s3:::train/*", true),
        ("s3:PutBucketPolicy", "arn:aws:s3:::train", true),
        ("s3:PutBucketPolicy", "arn:aws:s3:::out", false),
        ("s3:PutObject", "arn:aws:s3:::train/out/*", false),
        ("s3:PutObject", "arn:aws:s3:::train", false),
        ("s3:PutObject", "arn:aws:s3:::out/*", false),
        ("s3:Get*", "*", false),
    ] {
        let expected = if fails { one(Fail, code) } else { one(Pass, "ok") };
        expect(c, &format!("{actions} on {resources}"), more(allow(&json!(actions), &json!(resources))), &expected);
    }
    let folder = |inventory: &mut Inventory| {
        detail(inventory).training = S3Uri::parse("s3://train/chat/").into_iter().collect();
        give(inventory, "Tuner", allow(&json!("s3:PutObject"), &json!("arn:aws:s3:::train/chat/tmp/*")));
    };
    expect(c, "a part of the folder", folder, &one(Fail, code));
    let taken = json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["s3:Put*", "s3:Delete*", "s3:Replicate*"], "Resource": "*"},
    ]);
    expect(c, "a Deny takes it away", more(taken), &one(Pass, "ok"));
    let capped = |inventory: &mut Inventory| {
        give(inventory, "Tuner", allow(&json!("*"), &json!("*")));
        cap(inventory, "Tuner", allow(&json!(["s3:Get*", "s3:List*"]), &json!("*")));
    };
    expect(c, "the boundary caps it", capped, &one(Pass, "ok"));
    let not = json!([{"Effect": "Allow", "NotAction": "s3:Get*", "NotResource": "arn:aws:s3:::other/*"}]);
    expect(c, "NotAction, NotResource", more(not), &one(Fail, code));
    let when = json!([{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::train/*",
        "Condition": {"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}}]);
    expect(c, "under a condition", more(when), &one(Fail, code));
    let nested = |inventory: &mut Inventory| {
        detail(inventory).training = S3Uri::parse("s3://train/chat/").into_iter().collect();
        detail(inventory).output = S3Uri::parse("s3://train/chat/out/");
    };
    expect(c, "output in the data", nested, &one(Fail, "output-in-training-data"));
    let beside = |inventory: &mut Inventory| {
        detail(inventory).training = S3Uri::parse("s3://train/chat/").into_iter().collect();
        detail(inventory).validation = S3Uri::parse("s3://val/chat/").into_iter().collect();
        detail(inventory).output = S3Uri::parse("s3://train/chatter/");
    };
    expect(c, "output beside the data", beside, &one(Pass, "ok"));
}

fn severity(statements: Value) -> Severity {
    let mut inventory = healthy();
    give(&mut inventory, "Tuner", statements);
    verdicts(&inventory, "CUS-IAM-05").iter().find(|v| v.resource.id.last() == "Tuner").unwrap().severity
}

#[test]
fn surplus_rights() {
    let c = "CUS-IAM-05";
    let (full, raises, surplus) = ("full-access", "privileged-action", "surplus-action");
    expect(c, "the documented set", |_| {}, &one(Pass, "ok"));
    for (actions, status, code) in [
        (json!("*"), Fail, full),
        (json!("*:*"), Fail, full),
        (json!("iam:CreateUser"), Fail, raises),
        (json!("iam:*"), Fail, raises),
        (json!("sts:AssumeRole"), Fail, raises),
        (json!("kms:*"), Fail, raises),
        (json!("KMS:putkeypolicy"), Fail, raises),
        (json!("iam:GetRole"), Fail, surplus),
        (json!("s3:DeleteObject"), Fail, surplus),
        (json!("s3:*"), Fail, surplus),
        (json!("dynamodb:GetItem"), Fail, surplus),
        (json!("ec2:*"), Fail, surplus),
        (json!("ec2:Describe*"), Fail, surplus),
        (json!("lambda:InvokeFunction"), Fail, surplus),
        (json!("bedrock:InvokeModel"), Fail, surplus),
        (json!(["s3:Get*", "s3:List*", "s3:PutObject", "kms:Decrypt", "EC2:createtags"]), Pass, "ok"),
        // No such action.
        (json!("s3:Nonsense"), Pass, "ok"),
    ] {
        let ungraded = |inventory: &mut Inventory| {
            detail(inventory).grader = None;
            give(inventory, "Tuner", allow(&actions, &json!("*")));
        };
        expect(c, &actions.to_string(), ungraded, &one(status, code));
    }
    assert_eq!(severity(allow(&json!("*"), &json!("*"))), Severity::Critical);
    assert_eq!(severity(allow(&json!("iam:*"), &json!("*"))), Severity::High);
    assert_eq!(severity(allow(&json!("ec2:*"), &json!("*"))), Severity::Medium);
    let not = json!([{"Effect": "Allow", "NotAction": "organizations:*", "Resource": "*"}]);
    expect(c, "NotAction", more(not), &one(Fail, full));
    let not = json!([{"Effect": "Allow", "NotAction": ["iam:*", "sts:*", "kms:*"], "Resource": "*"}]);
    expect(c, "NotAction, less", more(not), &one(Fail, surplus));
    let arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    let attach = |inventory: &mut Inventory| {
        put_policy(inventory, arn, allow(&json!("s3:*"), &json!("*")));
        inventory.roles.get_mut(TUNER).unwrap().attached.push(arn.into());
    };
    expect(c, "a FullAccess policy", attach, &one(Fail, full));
    let admin = |inventory: &mut Inventory| {
        let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
        inventory.roles.get_mut(TUNER).unwrap().attached.push(admin.into());
    };
    expect(c, "a policy of AWS that was not read", admin, &one(Fail, full));
    let lost = |inventory: &mut Inventory| {
        let own = "arn:aws:iam::123456789012:policy/own";
        inventory.roles.get_mut(TUNER).unwrap().attached.push(own.into());
    };
    expect(c, "a policy that was not read", lost, &one(Unknown, "uncertain"));
    let capped = |inventory: &mut Inventory| {
        attach(inventory);
        give(inventory, "Tuner", allow(&json!("*"), &json!("*")));
        cap(inventory, "Tuner", allow(&json!(["s3:Get*", "s3:List*", "s3:PutObject"]), &json!("*")));
    };
    expect(c, "the boundary caps it", capped, &one(Pass, "ok"));
    let taken = json!([
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    ]);
    expect(c, "a Deny takes it away", more(taken), &one(Pass, "ok"));
    let distils = |inventory: &mut Inventory| {
        inventory.jobs.get_mut(JOB).unwrap().customization = "DISTILLATION".into();
        give(inventory, "Tuner", allow(&json!("bedrock:InvokeModel"), &json!("*")));
    };
    expect(c, "a distillation invokes its teacher", distils, &one(Pass, "ok"));
    let graded = |inventory: &mut Inventory| {
        detail(inventory).grader = Some("arn:aws:lambda:us-east-1:123456789012:function:grade".into());
        give(inventory, "Tuner", allow(&json!("lambda:InvokeFunction"), &json!("*")));
    };
    expect(c, "a grader is called", graded, &one(Pass, "ok"));
    let logging = |statements: Value| {
        move |inventory: &mut Inventory| {
            give(inventory, "Logger", statements);
            let config = inventory.logging.known_mut().and_then(Option::as_mut).unwrap();
            config.cloud_watch = Some(CloudWatchLogging {
                log_group: "invocations".into(),
                role: "arn:aws:iam::123456789012:role/Logger".into(),
                large_data: None,
            });
        }
    };
    let writes = allow(&json!(["logs:CreateLogStream", "logs:PutLogEvents"]), &json!("*"));
    expect(c, "a logging role", logging(writes), &[("Logger", Pass, "ok"), ("Tuner", Pass, "ok")]);
    let reads = allow(&json!(["logs:PutLogEvents", "s3:GetObject"]), &json!("*"));
    expect(c, "one that reads", logging(reads), &[("Logger", Fail, surplus), ("Tuner", Pass, "ok")]);
}

#[test]
fn odd_policies() {
    for c in ["CUS-IAM-03", "CUS-IAM-04", "CUS-IAM-05"] {
        let broken = json!([{"Effect": "Allow", "Action": 7, "Resource": "*"}]);
        expect(c, "a malformed statement", more(broken), &one(Unknown, "malformed"));
        let no_json = |inventory: &mut Inventory| {
            inventory.roles.get_mut(TUNER).unwrap().inline[0].document = Document::new("{,");
        };
        expect(c, "no JSON", no_json, &one(Unknown, "uncertain"));
        let gone = |inventory: &mut Inventory| {
            inventory.roles.remove(TUNER);
        };
        expect(c, "the role is gone", gone, &one(NotApplicable, "not-applicable"));
        let unread = |inventory: &mut Inventory| deny(inventory, SourceId::JOB_DETAILS);
        expect(c, "details not read", unread, &[("us-east-1", Unknown, "list-incomplete")]);
        expect(c, "no job", nothing, &[("us-east-1", NotApplicable, "not-applicable")]);
        let hostile =
            more(json!([{"Sid": "a\u{1b}[31m\u{202e}", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
        let mut inventory = healthy();
        hostile(&mut inventory);
        for verdict in verdicts(&inventory, c) {
            assert!(!verdict.reason.as_str().contains(['\u{1b}', '\u{202e}']), "{}", verdict.reason);
        }
    }
}
