//! Tables for policies that ask for a guardrail.

use serde_json::{Value, json};

use crate::inventory::organization::OrganizationPolicy;
use crate::inventory::{Document, Inventory};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::permissions::{GUARDED, expect_of as expect, give, guard, nothing, put_policy, user};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[guardrail_conditions];

const EVERYTHING: &[&str] = &["*"];

fn says_of(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |inventory| put_policy(inventory, GUARDED, statements)
}

fn with(change: impl FnOnce(&mut Value)) -> impl FnOnce(&mut Inventory) {
    let mut statement = guard(EVERYTHING);
    change(&mut statement);
    says_of(json!([statement]))
}

fn when(condition: Value) -> impl FnOnce(&mut Inventory) {
    with(|statement| statement["Condition"] = condition)
}

#[test]
fn guardrail_conditions() {
    let c = "CUS-GRD-03";
    let one = |status, code| [("guarded", status, code)];
    let (open, loose) = ("custom-models-uncovered", "condition-does-not-bind");
    let id = "arn:aws:bedrock:us-east-1:123456789012:guardrail/g1";
    expect(c, "all four kinds", |_| {}, &one(Pass, "ok"));
    expect(c, "everything", with(|_| {}), &one(Pass, "ok"));
    let base = &["arn:aws:bedrock:us-east-1::foundation-model/*"][..];
    expect(c, "as in AWS's examples", says_of(json!([guard(base)])), &one(Fail, open));
    let three = ["custom-model/*", "imported-model/*", "provisioned-model/*"]
        .map(|rest| format!("arn:aws:bedrock:us-east-1:123456789012:{rest}"));
    let mut some: Vec<&str> = three.iter().map(String::as_str).collect();
    expect(c, "without deployments", says_of(json!([guard(&some)])), &one(Fail, open));
    some.push(DEPLOYMENT);
    expect(c, "deployments by name", says_of(json!([guard(&some)])), &one(Pass, "ok"));
    let not = with(|statement| {
        statement.as_object_mut().unwrap().remove("Resource");
        statement["NotResource"] = json!(base);
    });
    expect(c, "NotResource", not, &one(Pass, "ok"));
    let split = json!([guard(&some[..2]), guard(&some[2..])]);
    expect(c, "two statements", says_of(split), &one(Pass, "ok"));
    expect(
        c,
        "StringNotEquals",
        when(json!({"StringNotEquals": {"bedrock:guardrailidentifier": id}})),
        &one(Pass, "ok"),
    );
    expect(c, "Null", when(json!({"Null": {"bedrock:GuardrailIdentifier": "true"}})), &one(Fail, loose));
    expect(c, "StringEquals", when(json!({"StringEquals": {"bedrock:GuardrailIdentifier": id}})), &one(Fail, loose));
    let exists = when(json!({"StringNotEqualsIfExists": {"bedrock:GuardrailIdentifier": id}}));
    expect(c, "a negation with IfExists", exists, &one(Warn, "if-exists"));
    let any = when(json!({"ForAnyValue:StringNotEquals": {"bedrock:GuardrailIdentifier": id}}));
    expect(c, "ForAnyValue", any, &one(Fail, loose));
    let more = when(json!({"ArnNotLike": {"bedrock:GuardrailIdentifier": id},
        "StringEquals": {"aws:PrincipalTag/app": "bot"}}));
    expect(c, "under a further condition", more, &one(Fail, loose));
    let half = with(|statement| statement["Action"] = json!("bedrock:InvokeModel"));
    expect(c, "without streams", half, &one(Fail, "actions-uncovered"));
    let wide = with(|statement| {
        statement.as_object_mut().unwrap().remove("Action");
        statement["NotAction"] = json!("bedrock:Get*");
    });
    expect(c, "NotAction", wide, &one(Pass, "ok"));
    let allow = |operator: &str| {
        json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*",
            "Condition": {operator: {"bedrock:GuardrailIdentifier": id}}}])
    };
    expect(c, "an Allow alone", says_of(allow("ArnLike")), &one(Warn, "allow-only"));
    expect(c, "an Allow with IfExists", says_of(allow("ArnLikeIfExists")), &one(Fail, loose));
    let inline = |inventory: &mut Inventory| {
        give(inventory, "App", json!([guard(base)]));
        user(inventory, "zoe", json!([guard(base)]));
    };
    expect(c, "inline", inline, &[("App", Fail, open), ("guarded", Pass, "ok"), ("zoe", Fail, open)]);
    let above = |inventory: &mut Inventory| {
        inventory.organization_policies.insert(
            "p-1".into(),
            OrganizationPolicy {
                id: "p-1".into(),
                name: "guard".into(),
                kind: "SERVICE_CONTROL_POLICY".into(),
                aws_managed: false,
                targets: Vec::new(),
                document: got(policy(json!([guard(base)]))),
            },
        );
    };
    expect(c, "from the organization", above, &[("guarded", Pass, "ok"), ("p-1", Fail, open)]);
    let none: &[_] = &[("us-east-1", NotApplicable, "not-applicable")];
    expect(c, "nobody asks", |i| i.policies.clear(), none);
    let mention =
        says_of(json!([{"Sid": "GuardrailIdentifier", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
    expect(c, "a word in a Sid", mention, none);
    let broken = says_of(json!([guard(EVERYTHING), {"Effect": "Deny", "Action": 7, "Resource": "*"}]));
    expect(c, "a malformed statement", broken, &one(Unknown, "malformed"));
    let broken = says_of(json!([{"Effect": "Deny", "Action": 7, "Resource": "*",
        "Condition": {"ArnNotLike": {"bedrock:GuardrailIdentifier": id}}}]));
    expect(c, "malformed alone", broken, &one(Unknown, "malformed"));
    let no_json = |inventory: &mut Inventory| {
        put_policy(inventory, GUARDED, json!([]));
        let held = inventory.policies.get_mut(GUARDED).unwrap();
        held.document = Document::new("{ guardrailIdentifier");
    };
    expect(c, "no JSON", no_json, &one(Unknown, "malformed"));
    expect(c, "no model", nothing, none);
}
