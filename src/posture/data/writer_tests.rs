//! Tables for who may write training data.

use serde_json::{Value, json};

use crate::inventory::bedrock::S3Uri;
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::permissions::{cap, expect_of as expect, give, user};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[bucket_policies, writers_of_the_account];

const ON: &str = "arn:aws:s3:::train/*";

fn bucket(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |inventory| inventory.buckets.get_mut("train").unwrap().policy = got(Some(policy(statements)))
}

/// The account has two roles, one that tunes and one that asks; no users.
fn few(inventory: &mut Inventory) {
    inventory.users.clear();
    inventory.roles.retain(|arn, _| [TUNER, APP].contains(&arn.as_str()));
}

/// Such a policy, and few that it might let in.
fn bucket_of_few(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |inventory| {
        few(inventory);
        bucket(statements)(inventory);
    }
}

fn lets(principal: Value, action: &str, on: &str, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": on, "Condition": condition})
}

#[test]
fn bucket_policies() {
    let c = "CUS-DAT-07";
    let (public, foreign, organization) = ("public-writers", "foreign-writers", "organization-writers");
    expect(c, "no policy", |_| {}, &[("train", Pass, "ok")]);
    let none = json!({});
    let put = "s3:PutObject";
    let stranger = json!({"AWS": "arn:aws:iam::999999999999:root"});
    for (principal, action, on, condition, status, code) in [
        (json!("*"), put, ON, none.clone(), Fail, public),
        (json!({"AWS": "*"}), "s3:*", "arn:aws:s3:::train*", none.clone(), Fail, public),
        (json!("*"), "s3:DeleteObject*", ON, json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), Fail, public),
        (json!("*"), put, ON, json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}), Fail, public),
        (json!("*"), put, ON, json!({"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}), Warn, organization),
        (json!("*"), put, ON, json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}), Fail, public),
        (json!("*"), put, ON, json!({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}), Pass, "ok"),
        (json!("*"), put, ON, json!({"StringEquals": {"aws:PrincipalAccount": "999999999999"}}), Fail, foreign),
        (
            json!("*"),
            put,
            ON,
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::999999999999:role/*"}}),
            Fail,
            foreign,
        ),
        (stranger.clone(), put, ON, none.clone(), Fail, foreign),
        (json!({"AWS": "999999999999"}), "s3:ReplicateObject", "*", none.clone(), Fail, foreign),
        (json!({"AWS": "arn:aws:iam::999999999999:role/Feeder"}), put, ON, none.clone(), Fail, foreign),
        (json!({"AWS": "arn:aws:iam::777777777777:root"}), put, ON, none.clone(), Pass, "ok"),
        (stranger.clone(), "s3:GetObject", ON, none.clone(), Pass, "ok"),
        (stranger.clone(), put, "arn:aws:s3:::train/other/*", none.clone(), Pass, "ok"),
        (json!({"Service": "logging.s3.amazonaws.com"}), put, ON, none.clone(), Pass, "ok"),
        (json!({"AWS": APP}), put, ON, none.clone(), Pass, "ok"),
    ] {
        let what = format!("{principal} {action} {on} {condition}");
        expect(c, &what, bucket_of_few(json!([lets(principal, action, on, condition)])), &[("train", status, code)]);
    }
    let not = json!([{"Effect": "Allow", "NotPrincipal": {"AWS": "999999999999"}, "Action": "s3:*", "Resource": ON}]);
    expect(c, "NotPrincipal", bucket_of_few(not), &[("train", Fail, public)]);
    let not = json!([{"Effect": "Allow", "Principal": "*", "NotAction": "s3:Get*", "NotResource": "arn:aws:s3:::x"}]);
    expect(c, "NotAction, NotResource", bucket_of_few(not), &[("train", Fail, public)]);
    let taken = json!([
        lets(json!("*"), put, ON, json!({})),
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ON},
    ]);
    expect(c, "a Deny takes it away", bucket(taken), &[("train", Pass, "ok")]);
    expect(
        c,
        "a malformed statement",
        bucket(json!([{"Effect": "Allow", "Action": 7}])),
        &[("train", Unknown, "malformed")],
    );
    let held = |change: fn(&mut crate::inventory::s3::Bucket)| {
        move |inventory: &mut Inventory| change(inventory.buckets.get_mut("train").unwrap())
    };
    let no_json = held(|bucket| bucket.policy = got(Some(Document::new("{,"))));
    expect(c, "no JSON", no_json, &[("train", Unknown, "malformed")]);
    expect(c, "not read", held(|bucket| bucket.policy = Read::NotAsked), &[("train", Unknown, "unread")]);
    let foreign = held(|bucket| {
        bucket.owned = got(false);
        bucket.region = got("us-east-1".into());
    });
    expect(c, "another account's bucket", foreign, &[("train", Unknown, "foreign-bucket")]);
    let gone = held(|bucket| {
        let missing = crate::inventory::ErrorKind::NotFound;
        bucket.owned = got(false);
        bucket.region = Read::failed(crate::inventory::ReadError { kind: missing, ..error("s3:GetBucketLocation") });
    });
    expect(c, "gone", gone, &[("train", NotApplicable, "not-applicable")]);
    expect(c, "not in the inventory", |i| i.buckets.clear(), &[("train", Unknown, "unread")]);
    expect(c, "no job", |i| i.jobs.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
    let unread = |inventory: &mut Inventory| deny(inventory, SourceId::JOB_DETAILS);
    expect(c, "details not read", unread, &[("us-east-1", Unknown, "list-incomplete")]);
}

#[test]
fn writers_of_the_account() {
    let c = "CUS-DAT-07";
    let train = |status, code| [("train", status, code)];
    let put = |on: &str| json!([{"Effect": "Allow", "Action": "s3:PutObject", "Resource": on}]);
    let count = |spoil: &dyn Fn(&mut Inventory)| {
        let mut inventory = healthy();
        spoil(&mut inventory);
        let verdict = verdicts(&inventory, c).remove(0);
        verdict.evidence.iter().find(|fact| fact.label.as_str() == "writers").unwrap().value.to_string()
    };
    assert_eq!(count(&|_| {}), "0");
    assert_eq!(count(&|i| give(i, "Feeder", put(ON))), "1");
    assert_eq!(count(&|i| give(i, "Feeder", put("arn:aws:s3:::train/a.jsonl"))), "1");
    assert_eq!(count(&|i| give(i, "Feeder", put("arn:aws:s3:::train/other/*"))), "0");
    assert_eq!(count(&|i| give(i, "Feeder", put("arn:aws:s3:::train"))), "0");
    assert_eq!(count(&|i| give(i, "aws-service-role/x.amazonaws.com/Linked", put("*"))), "0");
    let by_bucket = |i: &mut Inventory| bucket(json!([lets(json!({"AWS": APP}), "s3:PutObject", ON, json!({}))]))(i);
    assert_eq!(count(&by_bucket), "1");
    let two = |i: &mut Inventory| {
        detail(i).training =
            ["s3://train/chat/a.jsonl", "s3://train/code/b.jsonl"].iter().filter_map(|u| S3Uri::parse(u)).collect();
        give(i, "Feeder", put("arn:aws:s3:::train/code/*"));
        give(i, "Other", put("arn:aws:s3:::train/cold/*"));
    };
    assert_eq!(count(&two), "1");
    expect(c, "a pipeline", |i| give(i, "Feeder", put(ON)), &train(Pass, "ok"));
    expect(c, "a user", |i| user(i, "zoe", put("*")), &train(Fail, "user-writers"));
    let many = |i: &mut Inventory| (0..6).for_each(|at| give(i, &format!("Feeder{at}"), put(ON)));
    expect(c, "six roles", many, &train(Fail, "too-many-writers"));
    let taken = |i: &mut Inventory| {
        many(i);
        bucket(json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": ON,
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/Feeder1"}}}]))(i);
    };
    expect(c, "a Deny for all but one", taken, &train(Pass, "ok"));
    assert_eq!(count(&taken), "1");
    let capped = |i: &mut Inventory| {
        give(i, "Feeder", put("*"));
        cap(i, "Feeder", json!([{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]));
    };
    assert_eq!(count(&capped), "0");
    let when = |i: &mut Inventory| {
        user(
            i,
            "zoe",
            json!([{"Effect": "Allow", "Action": "s3:PutObject", "Resource": ON,
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]),
        );
    };
    expect(c, "a user under a condition", when, &train(Fail, "user-writers"));
    let lost = |i: &mut Inventory| {
        i.roles.get_mut(APP).unwrap().attached.push("arn:aws:iam::123456789012:policy/lost".into());
    };
    expect(c, "a policy that was not read", lost, &train(Unknown, "uncertain"));
}
