//! CUS-INV-03, 04 and 05: who gets models, and from whom they come.

use serde_json::{Value, json};

use super::copy;
use crate::inventory::bedrock::JobStatus;
use crate::inventory::feeders::{ShareDetail, SharePrincipal};
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

fn given(to: Value, condition: Option<Value>) -> impl FnOnce(&mut Inventory) {
    let mut statement = json!({"Sid": "Give", "Effect": "Allow", "Principal": to, "Resource": MODEL,
        "Action": ["bedrock:GetCustomModel", "bedrock:CreateModelCopyJob"]});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    move |i| i.models.get_mut(MODEL).unwrap().policy = got(Some(policy(json!([statement]))))
}

#[test]
pub fn model_policies() {
    let c = "CUS-INV-03";
    let pass: &[_] = &[("model1", Pass, "ok")];
    let public: &[_] = &[("model1", Fail, "public-principal")];
    let foreign: &[_] = &[("model1", Fail, "foreign-account")];
    let other: &[_] = &[("model1", Fail, "foreign-organization")];
    expect(c, "none", |_| {}, pass);
    expect(c, "our own", given(json!({"AWS": APP}), None), pass);
    expect(c, "a trusted account", given(json!({"AWS": "777777777777"}), None), pass);
    expect(c, "a service", given(json!({"Service": "bedrock.amazonaws.com"}), None), pass);
    expect(c, "everybody", given(json!("*"), None), public);
    expect(c, "everybody of AWS", given(json!({"AWS": "*"}), None), public);
    expect(c, "a stranger", given(json!({"AWS": "999999999999"}), None), foreign);
    expect(c, "a stranger's role", given(json!({"AWS": "arn:aws:iam::999999999999:role/x"}), None), foreign);
    let when = |operator: &str, key: &str, value: Value| Some(json!({operator: {key: value}}));
    let ours = || json!("o-orion00000");
    let all = || json!("*");
    expect(c, "our organization", given(all(), when("StringEquals", "aws:PrincipalOrgID", ours())), pass);
    let path = json!("o-orion00000/r-1/*");
    let condition = Some(json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": path}}));
    expect(c, "a unit of it", given(all(), condition), pass);
    expect(c, "another", given(all(), when("StringEquals", "aws:PrincipalOrgID", json!("o-else"))), other);
    let two = json!(["o-orion00000", "o-else"]);
    expect(c, "both", given(all(), when("StringEquals", "aws:PrincipalOrgID", two)), other);
    let free = |i: &mut Inventory| {
        given(all(), when("StringEquals", "aws:PrincipalOrgID", ours()))(i);
        i.settings.organization = got(None);
    };
    expect(c, "we are in none", free, other);
    let blind = |i: &mut Inventory| {
        given(all(), when("StringEquals", "aws:PrincipalOrgID", ours()))(i);
        i.settings.organization = Read::failed(error("organizations:DescribeOrganization"));
    };
    expect(c, "who knows ours", blind, &[("model1", Unknown, "organization-unknown")]);
    expect(c, "any", given(all(), when("StringLike", "aws:PrincipalOrgID", json!("o-*"))), public);
    expect(c, "if there", given(all(), when("StringEqualsIfExists", "aws:PrincipalOrgID", ours())), public);
    expect(c, "not ours", given(all(), when("StringNotEquals", "aws:PrincipalOrgID", ours())), public);
    expect(c, "our account", given(all(), when("StringEquals", "aws:PrincipalAccount", json!(ACCOUNT))), pass);
    expect(
        c,
        "a strange one",
        given(all(), when("StringEquals", "aws:PrincipalAccount", json!("999999999999"))),
        foreign,
    );
    expect(c, "from an address", given(all(), when("IpAddress", "aws:SourceIp", json!("10.0.0.0/8"))), public);
    let statement = json!([{"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "bedrock:*", "Resource": "*"}]);
    let but = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().policy = got(Some(policy(statement)));
    expect(c, "all but one", but, public);
    let statement = json!([{"Effect": "Deny", "Principal": "*", "Action": "bedrock:*", "Resource": "*"}]);
    let denied = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().policy = got(Some(policy(statement)));
    expect(c, "a Deny gives nothing", denied, pass);
    let broken = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().policy = got(Some(Document::new("{")));
    expect(c, "no JSON", broken, &[("model1", Unknown, "malformed")]);
    let odd = json!([{"Effect": "Allow", "Principal": {"AWS": "zoe"}, "Action": "bedrock:*", "Resource": "*"}]);
    let odd = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().policy = got(Some(policy(odd)));
    expect(c, "a principal that AWS refuses", odd, &[("model1", Unknown, "malformed")]);
    let unread = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().policy = Read::NotAsked;
    expect(c, "not read", unread, &[("model1", Unknown, "unread")]);
    let received = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().owned = false;
    expect(c, "not ours to give", received, &[("us-east-1", NotApplicable, "not-applicable")]);
    let mut inventory = healthy();
    given(json!("*"), None)(&mut inventory);
    let verdict = verdicts(&inventory, c).remove(0);
    assert_eq!(verdict.evidence[0].pointer.as_deref(), Some("/Statement/0"));
}

#[test]
pub fn shares() {
    let c = "CUS-INV-04";
    let to = |id: &'static str, external: bool| {
        move |i: &mut Inventory| {
            i.shares.get_mut(SHARE).unwrap().principals = got(vec![SharePrincipal { id: id.into(), external }]);
        }
    };
    let detail = |change: fn(&mut ShareDetail)| {
        move |i: &mut Inventory| change(i.shares.get_mut(SHARE).and_then(|share| share.detail.known_mut()).unwrap())
    };
    let whole: &[_] = &[("share1", Warn, "whole-organization")];
    let unapproved: &[_] = &[("share1", Fail, "unapproved-account")];
    expect(c, "a trusted account", |_| {}, &[("share1", Pass, "ok")]);
    expect(c, "a stranger", to("999999999999", true), &[("share1", Fail, "external-principal")]);
    expect(c, "another of ours", to("888888888888", false), unapproved);
    expect(c, "its role", to("arn:aws:iam::888888888888:role/x", false), unapproved);
    expect(c, "our own role", to("arn:aws:iam::123456789012:role/x", false), &[("share1", Pass, "ok")]);
    let organization = "arn:aws:organizations::999988887777:organization/o-orion00000";
    expect(c, "the organization", to(organization, false), whole);
    expect(c, "a unit", to("arn:aws:organizations::999988887777:ou/o-orion00000/ou-1", false), whole);
    expect(
        c,
        "another organization",
        to("arn:aws:organizations::1:organization/o-else", true),
        &[("share1", Fail, "external-principal")],
    );
    expect(c, "who may be outside", detail(|d| d.external_allowed = true), &[("share1", Warn, "external-allowed")]);
    let both: &[_] = &[("share1", Warn, "external-allowed"), ("share1", Fail, "external-principal")];
    expect(
        c,
        "both",
        |i| {
            to("999999999999", true)(i);
            detail(|d| d.external_allowed = true)(i);
        },
        both,
    );
    let none = |i: &mut Inventory| i.shares.get_mut(SHARE).unwrap().principals = got(Vec::new());
    expect(c, "nobody", none, &[("share1", Pass, "ok")]);
    expect(c, "deleted", detail(|d| d.status = "DELETED".into()), &[("share1", NotApplicable, "not-applicable")]);
    let unread = |i: &mut Inventory| i.shares.get_mut(SHARE).unwrap().principals = Read::NotAsked;
    expect(c, "not read", unread, &[("share1", Unknown, "unread")]);
    expect(c, "none", |i| i.shares.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
pub fn strangers() {
    let c = "CUS-INV-05";
    let owner =
        |account: &'static str| move |i: &mut Inventory| i.models.get_mut(SHARED_MODEL).unwrap().owner = account.into();
    let source = "arn:aws:bedrock:us-east-1:999999999999:custom-model/m/x";
    let shared = ("shared1", Pass, "ok");
    expect(c, "trusted", |_| {}, &[shared]);
    expect(c, "a stranger's", owner("999999999999"), &[("shared1", Fail, "untrusted-owner")]);
    expect(c, "of nobody", owner(""), &[("shared1", Unknown, "owner-unknown")]);
    let copied = |account: &'static str, status: JobStatus| move |i: &mut Inventory| copy(i, source, account, status);
    let untrusted: &[_] = &[("copy1", Fail, "untrusted-source"), shared];
    expect(c, "copied from a stranger", copied("999999999999", JobStatus::Completed), untrusted);
    expect(c, "being copied", copied("999999999999", JobStatus::InProgress), untrusted);
    expect(c, "in vain", copied("999999999999", JobStatus::Failed), &[shared]);
    expect(c, "of an account that only the ARN names", copied("", JobStatus::Completed), untrusted);
    expect(c, "from a trusted one", copied("777777777777", JobStatus::Completed), &[("copy1", Pass, "ok"), shared]);
    expect(c, "from ourselves", copied(ACCOUNT, JobStatus::Completed), &[shared]);
    let nowhere = |i: &mut Inventory| copy(i, "x", "", JobStatus::Completed);
    expect(c, "from nowhere", nowhere, &[("copy1", Unknown, "owner-unknown"), shared]);
    let none = |i: &mut Inventory| _ = i.models.remove(SHARED_MODEL);
    expect(c, "none", none, &[("us-east-1", NotApplicable, "not-applicable")]);
    let more: &[_] = &[shared, ("us-east-1", Unknown, "list-incomplete")];
    expect(c, "perhaps more", |i| deny(i, SourceId::COPY_JOBS), more);
}
