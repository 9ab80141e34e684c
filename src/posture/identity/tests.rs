//! Tables for the controls of identity: pass, every way to fail, unknown, not applicable.

use serde_json::{Value, json};

use crate::inventory::{Document, Inventory, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[who_may_assume, confused_deputies];

fn trusts(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |inventory| inventory.roles.get_mut(TUNER).unwrap().trust = policy(statements)
}

fn and(principal: Value) -> impl FnOnce(&mut Inventory) {
    let mut all = trust();
    all.as_array_mut().unwrap().push(json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}));
    trusts(all)
}

#[test]
fn who_may_assume() {
    let c = "CUS-IAM-01";
    expect(c, "Bedrock alone", |_| {}, &[("Tuner", Pass, "ok")]);
    for (principal, code) in [
        (json!("*"), "public-principal"),
        (json!({"AWS": "*"}), "public-principal"),
        (json!({"AWS": ["arn:aws:iam::123456789012:root"]}), "aws-principal"),
        (json!({"AWS": "999999999999"}), "aws-principal"),
        (json!({"AWS": "arn:aws:iam::123456789012:user/zoe"}), "aws-principal"),
        (json!({"Federated": "accounts.google.com"}), "aws-principal"),
        (json!({"Service": ["lambda.amazonaws.com"]}), "other-service"),
        (json!({"Service": ["bedrock.amazonaws.com", "ec2.amazonaws.com"]}), "other-service"),
    ] {
        expect(c, &principal.to_string(), and(principal.clone()), &[("Tuner", Fail, code)]);
    }
    expect(c, "a deleted role's id", and(json!({"AWS": "AROAEXAMPLEID1234567"})), &[("Tuner", Pass, "ok")]);
    let lost =
        json!([{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    expect(
        c,
        "another service instead",
        trusts(lost),
        &[("Tuner", Fail, "bedrock-missing"), ("Tuner", Fail, "other-service")],
    );
    let not = json!([{"Effect": "Allow", "NotPrincipal": {"AWS": "999999999999"}, "Action": "sts:*"}]);
    expect(c, "NotPrincipal", trusts(not), &[("Tuner", Fail, "bedrock-missing"), ("Tuner", Fail, "public-principal")]);
    let tags =
        json!([trust()[0], {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:TagSession"}]);
    expect(c, "tags alone assume nothing", trusts(tags), &[("Tuner", Pass, "ok")]);
    let deny_all = json!([trust()[0], {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]);
    expect(c, "a Deny lets nobody in", trusts(deny_all), &[("Tuner", Pass, "ok")]);
    let wide = verdicts(
        &{
            let mut i = healthy();
            and(json!({"AWS": "999999999999"}))(&mut i);
            i
        },
        c,
    );
    assert_eq!(wide[0].evidence[0].pointer.as_deref(), Some("/Statement/1"));
    expect(
        c,
        "no JSON",
        |i| i.roles.get_mut(TUNER).unwrap().trust = Document::new("{,"),
        &[("Tuner", Unknown, "malformed")],
    );
    expect(c, "a malformed statement", trusts(json!([{"Effect": "allow"}])), &[("Tuner", Unknown, "malformed")]);
    expect(
        c,
        "gone",
        |i| {
            i.roles.remove(TUNER);
        },
        &[("Tuner", NotApplicable, "not-applicable")],
    );
    expect(c, "no job", |i| i.jobs.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
    let blind: &[_] = &[("us-east-1", Unknown, "list-incomplete")];
    expect(
        c,
        "no job known",
        |i| {
            i.jobs.clear();
            deny(i, SourceId::JOBS);
        },
        blind,
    );
}

fn guarded(condition: Value) -> impl FnOnce(&mut Inventory) {
    let mut all = trust();
    all[0]["Condition"] = condition;
    trusts(all)
}

#[test]
fn confused_deputies() {
    let c = "CUS-IAM-02";
    let (account, arn) = ("source-account-missing", "source-arn-missing");
    let jobs = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/*";
    expect(c, "both", |_| {}, &[("Tuner", Pass, "ok")]);
    expect(c, "nothing", guarded(json!({})), &[("Tuner", Fail, account), ("Tuner", Fail, arn)]);
    for (what, condition, code) in [
        ("no account", json!({"ArnLike": {"aws:SourceArn": jobs}}), account),
        (
            "an account in some case",
            json!({"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": jobs}}),
            account,
        ),
        ("any account", json!({"StringLike": {"aws:SourceAccount": "*"}, "ArnLike": {"aws:SourceArn": jobs}}), account),
        (
            "all but an account",
            json!({"StringNotEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": jobs}}),
            account,
        ),
        ("no ARN", json!({"StringEquals": {"aws:SourceAccount": "123456789012"}}), arn),
        (
            "an ARN in some case",
            json!({"StringEquals": {"aws:sourceaccount": "123456789012"}, "ArnLikeIfExists": {"aws:SourceArn": jobs}}),
            arn,
        ),
    ] {
        expect(c, what, guarded(condition), &[("Tuner", Fail, code)]);
    }
    let with_arn = |arn: Value| {
        guarded(json!({"StringEquals": {"AWS:SourceAccount": ["123456789012"]}, "ArnEquals": {"AWS:SourceArn": arn}}))
    };
    for (arn, code) in [
        ("arn:aws:bedrock:*:123456789012:model-customization-job/*", "source-arn-region-wildcard"),
        ("arn:aws:bedrock:us-east-1:123456789012:model-import-job/*", "source-arn-wrong-job-type"),
        ("arn:aws:bedrock:us-east-1:123456789012:*", "source-arn-wrong-job-type"),
        ("arn:aws:bedrock:us-east-1:123456789012:model-*/*", "source-arn-wrong-job-type"),
        ("arn:aws:bedrock:us-east-1:111122223333:model-customization-job/*", "source-arn-account-mismatch"),
    ] {
        expect(c, arn, with_arn(json!(arn)), &[("Tuner", Fail, code)]);
    }
    expect(
        c,
        "one job",
        with_arn(json!("arn:aws:bedrock:us-east-1:123456789012:model-customization-job/m/x")),
        &[("Tuner", Pass, "ok")],
    );
    expect(
        c,
        "two kinds",
        with_arn(json!([jobs, "arn:aws:bedrock:us-east-1:123456789012:model-import-job/*"])),
        &[("Tuner", Pass, "ok")],
    );
    expect(
        c,
        "any account in the ARN, ours in the other",
        with_arn(json!("arn:aws:bedrock:us-east-1:*:model-customization-job/*")),
        &[("Tuner", Pass, "ok")],
    );
    let two = json!([trust()[0], {"Effect": "Allow", "Principal": {"Service": ["bedrock.amazonaws.com"]}, "Action": "sts:AssumeRole"}]);
    expect(c, "a second, open statement", trusts(two), &[("Tuner", Fail, account), ("Tuner", Fail, arn)]);
    let other =
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    expect(c, "no Bedrock", trusts(other), &[("Tuner", NotApplicable, "not-applicable")]);
    expect(c, "malformed", trusts(json!([7])), &[("Tuner", Unknown, "malformed")]);
    let mut inventory = healthy();
    with_arn(json!("arn:aws:bedrock:*:123456789012:model-customization-job/*"))(&mut inventory);
    assert_eq!(verdicts(&inventory, c)[0].severity, Severity::Low);
}
