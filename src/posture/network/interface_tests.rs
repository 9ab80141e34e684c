//! Tables for the network rights of the roles of jobs.

use serde_json::{Value, json};

use crate::inventory::iam::InlinePolicy;
use crate::inventory::{Inventory, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
use crate::posture::fixtures::permissions::{cap, expect_of as expect, give, network};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[interface_rights];

/// The documented statements, changed.
fn with(change: impl FnOnce(&mut Vec<Value>)) -> impl FnOnce(&mut Inventory) {
    move |inventory| {
        let mut statements = network(&[SUBNET], &[GROUP]);
        change(statements.as_array_mut().unwrap());
        let role = inventory.roles.get_mut(TUNER).unwrap();
        role.inline = vec![InlinePolicy { name: "vpc".into(), document: policy(statements) }];
    }
}

#[test]
fn interface_rights() {
    let c = "CUS-NET-10";
    let tuner = |status, code| [("Tuner", status, code)];
    let missing = "missing-action";
    expect(c, "as documented", |_| {}, &tuner(Pass, "ok"));
    for at in 0..5 {
        expect(c, &format!("without statement {at}"), with(|s| drop(s.remove(at))), &tuner(Fail, missing));
    }
    let other = with(|s| s[2]["Resource"] = json!("arn:aws:ec2:us-east-1:123456789012:subnet/subnet-9"));
    expect(c, "another subnet, no group", other, &tuner(Fail, missing));
    let shared = with(|s| {
        s[2]["Resource"] = json!([
            "arn:aws:ec2:us-east-1:999999999999:subnet/subnet-1",
            "arn:aws:ec2:us-east-1:123456789012:security-group/sg-1"
        ]);
        s[3]["Condition"]["ArnEquals"]["ec2:Subnet"] = json!("arn:aws:ec2:us-east-1:999999999999:subnet/subnet-1");
    });
    expect(c, "a subnet that another account shares", shared, &tuner(Pass, "ok"));
    let regional = with(|s| s[0]["Resource"] = json!("arn:aws:ec2:us-east-1:123456789012:*"));
    expect(c, "Describe on resources has no effect", regional, &tuner(Fail, missing));
    let bare = with(|s| drop(s[1].as_object_mut().unwrap().remove("Condition")));
    expect(c, "no request tags", bare, &tuner(Fail, "untagged-interface"));
    let half = with(|s| drop(s[1]["Condition"].as_object_mut().unwrap().remove("ArnEquals")));
    expect(c, "one request tag", half, &tuner(Fail, "untagged-interface"));
    let exists = with(|s| {
        s[1]["Condition"] = json!({
            "StringEqualsIfExists": {"aws:RequestTag/BedrockManaged": "true"},
            "ArnLikeIfExists": {"aws:RequestTag/BedrockModelCustomizationJobArn": "arn:aws:bedrock:*:*:model-customization-job/*"},
        });
    });
    expect(c, "IfExists", exists, &tuner(Fail, "untagged-interface"));
    let any = with(|s| s[2]["Resource"] = json!("arn:aws:ec2:us-east-1:123456789012:*/*-1"));
    expect(c, "subnets by a wildcard that fits", any, &tuner(Pass, "ok"));
    let any = with(|s| {
        s[2]["Resource"] = json!([
            "arn:aws:ec2:us-east-1:123456789012:subnet/*",
            "arn:aws:ec2:us-east-1:123456789012:security-group/*"
        ]);
    });
    expect(c, "any subnet", any, &tuner(Fail, "any-subnet"));
    let bare = with(|s| drop(s[3].as_object_mut().unwrap().remove("Condition")));
    expect(c, "no resource tags", bare, &tuner(Fail, "any-interface"));
    let no_subnet = with(|s| drop(s[3]["Condition"]["ArnEquals"].as_object_mut().unwrap().remove("ec2:Subnet")));
    expect(c, "no subnet", no_subnet, &tuner(Fail, "any-interface"));
    let bare = with(|s| drop(s[4].as_object_mut().unwrap().remove("Condition")));
    expect(c, "tags at any time", bare, &tuner(Fail, "any-tagging"));
    let wide = with(|s| *s = vec![json!({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})]);
    let all = ["any-interface", "any-subnet", "any-tagging", "untagged-interface"].map(|code| ("Tuner", Fail, code));
    expect(c, "everything", wide, &all);
    let taken = with(|s| s.push(json!({"Effect": "Deny", "Action": "ec2:DeleteNetworkInterface", "Resource": "*"})));
    expect(c, "a Deny takes it away", taken, &tuner(Fail, missing));
    let capped = |i: &mut Inventory| cap(i, "Tuner", json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
    expect(c, "the boundary caps it", capped, &tuner(Fail, missing));
    let when = with(|s| s[0]["Condition"] = json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}}));
    expect(c, "under a condition", when, &tuner(Unknown, "conditional"));
    let broken = |i: &mut Inventory| give(i, "Tuner", json!([{"Effect": "Allow", "Action": 7, "Resource": "*"}]));
    expect(c, "a malformed statement", broken, &tuner(Unknown, "malformed"));
    let none = &[("us-east-1", NotApplicable, "not-applicable")];
    expect(c, "no VPC", |i| detail(i).vpc = None, none);
    expect(c, "no job", |i| i.jobs.clear(), none);
    let gone = |i: &mut Inventory| drop(i.roles.remove(TUNER));
    expect(c, "the role is gone", gone, &tuner(NotApplicable, "not-applicable"));
    let unread = |i: &mut Inventory| deny(i, SourceId::JOB_DETAILS);
    expect(c, "details not read", unread, &[("us-east-1", Unknown, "list-incomplete")]);
}
