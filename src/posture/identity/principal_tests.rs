//! Tables for what everybody may do with models and jobs.

use serde_json::{Value, json};

use crate::inventory::{Inventory, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::permissions::{cap, expect_of as expect, give, nothing, put_policy, user};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[passing_roles, administrators, invokers, nothing_to_protect];

const REGION_NA: &[(&str, crate::posture::Status, &str)] = &[("us-east-1", NotApplicable, "not-applicable")];

fn allow(actions: &Value, resources: &Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

fn creator(passes: Value) -> impl FnOnce(&mut Inventory) {
    move |inventory| {
        let creates = allow(&json!("bedrock:CreateModelCustomizationJob"), &json!("*"));
        give(inventory, "Maker", json!([creates, passes]));
    }
}

fn passes(resources: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": resources, "Condition": condition})
}

#[test]
fn passing_roles() {
    let c = "CUS-IAM-06";
    let (unscoped, any) = ("unscoped-pass-role", "any-bedrock-role");
    expect(c, "nobody", |_| {}, &[("us-east-1", Pass, "ok")]);
    let to_bedrock = json!({"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}});
    let to_lambda = json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}});
    let none = json!({});
    let all = "arn:aws:iam::123456789012:role/*";
    for (resources, condition, status, code) in [
        (json!("*"), none.clone(), Fail, unscoped),
        (json!(all), none.clone(), Fail, unscoped),
        (json!("arn:aws:iam::*:role/Orion*"), none.clone(), Fail, unscoped),
        (json!("*"), json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}), Fail, unscoped),
        (json!("*"), json!({"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}), Fail, unscoped),
        (json!("*"), json!({"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}), Fail, unscoped),
        (json!("*"), to_bedrock.clone(), Warn, any),
        (json!([all]), to_bedrock.clone(), Warn, any),
        (json!("arn:aws:iam::123456789012:role/bedrock/*"), to_bedrock.clone(), Pass, "ok"),
        (json!(TUNER), none.clone(), Pass, "ok"),
        (
            json!("arn:aws:iam::123456789012:role/Orion*"),
            json!({"ArnLike": {"iam:AssociatedResourceArn": "arn:aws:bedrock:*:*:model-customization-job/*"}}),
            Pass,
            "ok",
        ),
    ] {
        let what = format!("{resources} {condition}");
        expect(c, &what, creator(passes(resources, condition)), &[("Maker", status, code)]);
    }
    expect(c, "to Lambda", creator(passes(json!("*"), to_lambda)), &[("us-east-1", Pass, "ok")]);
    let only = |inventory: &mut Inventory| give(inventory, "Maker", json!([passes(json!("*"), json!({}))]));
    expect(c, "creates nothing", only, &[("us-east-1", Pass, "ok")]);
    let admin = |inventory: &mut Inventory| user(inventory, "zoe", json!([allow(&json!("*"), &json!("*"))]));
    expect(c, "an administrator", admin, &[("zoe", Fail, unscoped)]);
    let not = json!({"Effect": "Allow", "NotAction": "s3:*", "NotResource": TUNER});
    expect(c, "NotAction, NotResource", creator(not), &[("Maker", Fail, unscoped)]);
    let taken = |inventory: &mut Inventory| {
        let deny = json!({"Effect": "Deny", "Action": "iam:PassRole", "NotResource": TUNER});
        let wide = allow(&json!(["iam:PassRole", "bedrock:Create*"]), &json!("*"));
        give(inventory, "Maker", json!([wide, deny]));
    };
    expect(c, "a Deny takes it away", taken, &[("us-east-1", Pass, "ok")]);
    let capped = |inventory: &mut Inventory| {
        creator(passes(json!("*"), json!({})))(inventory);
        cap(inventory, "Maker", json!([allow(&json!("bedrock:*"), &json!("*"))]));
    };
    expect(c, "the boundary caps it", capped, &[("us-east-1", Pass, "ok")]);
    let linked = |inventory: &mut Inventory| {
        give(inventory, "aws-service-role/x.amazonaws.com/Linked", json!([allow(&json!("*"), &json!("*"))]));
    };
    expect(c, "a role of a service", linked, &[("us-east-1", Pass, "ok")]);
    let mut inventory = healthy();
    creator(passes(json!("*"), json!({})))(&mut inventory);
    let verdict = &verdicts(&inventory, c)[0];
    assert_eq!(verdict.severity, Severity::Critical);
    let facts: Vec<_> = verdict.evidence.iter().map(|e| format!("{} {}", e.label, e.value)).collect();
    assert!(facts.iter().any(|fact| fact.contains("Tuner (reads arn:aws:s3:::train")), "{facts:?}");
    assert_eq!(verdict.evidence[0].pointer.as_deref(), Some("/Statement/1"));
    let broken = |inventory: &mut Inventory| {
        let bad = json!({"Effect": "Deny", "Action": "iam:PassRole", "Resource": 7});
        let wide = allow(&json!(["iam:PassRole", "bedrock:Create*"]), &json!("*"));
        give(inventory, "Maker", json!([wide, bad]));
    };
    expect(c, "a malformed Deny", broken, &[("Maker", Unknown, "uncertain")]);
}

#[test]
fn administrators() {
    let c = "CUS-IAM-07";
    let region = ("us-east-1", Pass, "ok");
    let wild = "wildcard-grant";
    expect(c, "nobody", |_| {}, &[region]);
    for (actions, resources, status, code) in [
        (json!("bedrock:CreateModelCopyJob"), json!("*"), Pass, "ok"),
        (json!("bedrock:Create*"), json!("*"), Pass, "ok"),
        (json!("bedrock:*"), json!("*"), Fail, wild),
        (json!("*"), json!("*"), Fail, wild),
        (json!("Bed*:*"), json!(["arn:aws:bedrock:*:*:*"]), Fail, wild),
        (json!("bedrock:*"), json!("arn:aws:bedrock:us-east-1:123456789012:custom-model/*"), Pass, "ok"),
    ] {
        let give = |inventory: &mut Inventory| give(inventory, "Admin", json!([allow(&actions, &resources)]));
        expect(c, &format!("{actions} on {resources}"), give, &[("Admin", status, code), region]);
    }
    let not = json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]);
    expect(c, "NotAction", |i| give(i, "Admin", not), &[("Admin", Fail, wild), region]);
    let copy = json!([allow(&json!("bedrock:DeleteCustomModel"), &json!(MODEL))]);
    expect(c, "a user", |i| user(i, "zoe", copy), &[region, ("zoe", Fail, "iam-user")]);
    let when = json!([{"Effect": "Allow", "Action": "bedrock:UpdateGuardrail", "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]);
    expect(c, "under a condition", |i| give(i, "Admin", when), &[("Admin", Pass, "ok"), region]);
    let nothing = json!([
        allow(&json!("bedrock:CreateModelImportJob"), &json!(MODEL)),
        allow(&json!(["bedrock:Get*", "bedrock:List*"]), &json!("*"))
    ]);
    expect(c, "an Allow without effect", |i| give(i, "Admin", nothing), &[region]);
    let taken = json!([allow(&json!("bedrock:*"), &json!("*")),
        {"Effect": "Deny", "NotAction": "bedrock:Get*", "Resource": "*"}]);
    expect(c, "a Deny takes it away", |i| give(i, "Admin", taken), &[region]);
    let capped = |inventory: &mut Inventory| {
        give(inventory, "Admin", json!([allow(&json!("*"), &json!("*"))]));
        cap(inventory, "Admin", json!([allow(&json!("s3:*"), &json!("*"))]));
    };
    expect(c, "the boundary caps it", capped, &[region]);
    let broken = json!([allow(&json!("bedrock:DeleteCustomModel"), &json!("*")), {"Effect": "deny", "Action": "*"}]);
    expect(c, "a malformed Deny", |i| give(i, "Admin", broken), &[("Admin", Unknown, "uncertain"), region]);
    let lost = |inventory: &mut Inventory| {
        inventory.roles.get_mut(APP).unwrap().attached.push("arn:aws:iam::123456789012:policy/lost".into());
    };
    expect(c, "a policy that was not read", lost, &[("App", Unknown, "uncertain"), region]);
    let many = |inventory: &mut Inventory| {
        for at in 0..9 {
            let one = json!([allow(&json!("bedrock:DeleteCustomModel"), &json!("*"))]);
            give(inventory, &format!("Admin{at}"), one);
        }
    };
    let mut inventory = healthy();
    many(&mut inventory);
    let said = says(&inventory, c);
    assert_eq!(said.last().unwrap(), &("us-east-1".to_owned(), Fail, "too-many-principals"));
    assert_eq!(said.iter().filter(|(_, status, _)| *status == Pass).count(), 9);
}

#[test]
fn invokers() {
    let c = "CUS-IAM-08";
    let app = ("App", Pass, "ok");
    let wild = "wildcard-models";
    expect(c, "by name", |_| {}, &[app]);
    let arn = |rest: &str| json!(format!("arn:aws:bedrock:us-east-1:123456789012:{rest}"));
    for (actions, resources, expected) in [
        (json!("bedrock:InvokeModel"), json!("*"), Some((Fail, wild))),
        (json!("bedrock:Invoke*"), json!("arn:aws:bedrock:*:*:*"), Some((Fail, wild))),
        (json!("*"), json!("*"), Some((Fail, wild))),
        (json!("bedrock:InvokeModel"), arn("custom-model-deployment/*"), Some((Fail, wild))),
        (json!("bedrock:InvokeModel"), arn("imported-model/*"), Some((Fail, wild))),
        (json!("bedrock:InvokeModelWithResponseStream"), arn("provisioned-model/*"), Some((Fail, wild))),
        (json!("bedrock:CreateModelInvocationJob"), arn("custom-model/*"), Some((Fail, wild))),
        (json!("bedrock:InvokeModelWithBidirectionalStream"), arn("custom*"), Some((Fail, wild))),
        (json!("bedrock:InvokeModel"), arn("custom-model-deployment/dep*"), Some((Warn, "wildcard-in-name"))),
        (json!("bedrock:InvokeModel"), arn("imported-model/m1"), Some((Pass, "ok"))),
        (json!("bedrock:InvokeModel"), json!("arn:aws:bedrock:*::foundation-model/*"), None),
        (json!("bedrock:InvokeModel"), json!("arn:aws:bedrock:eu-west-1:123456789012:imported-model/*"), None),
        (json!("bedrock:InvokeModel"), json!("arn:aws:bedrock:us-east-1:999999999999:imported-model/*"), None),
        (json!("bedrock:GetCustomModel"), json!("*"), None),
    ] {
        let what = format!("{actions} on {resources}");
        let give = |inventory: &mut Inventory| give(inventory, "Bot", json!([allow(&actions, &resources)]));
        match expected {
            Some((status, code)) => expect(c, &what, give, &[app, ("Bot", status, code)]),
            None => expect(c, &what, give, &[app]),
        }
    }
    let not = json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel",
        "NotResource": "arn:aws:bedrock:*::foundation-model/*"}]);
    expect(c, "NotResource", |i| give(i, "Bot", not), &[app, ("Bot", Fail, wild)]);
    let with = |condition: Value| json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*", "Condition": condition}]);
    let tag = with(json!({"StringEquals": {"aws:ResourceTag/app": "bot"}}));
    expect(c, "by tag", |i| give(i, "Bot", tag), &[app, ("Bot", Warn, "by-tag")]);
    let ip = with(json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}));
    expect(c, "under a condition", |i| give(i, "Bot", ip), &[app, ("Bot", Fail, wild)]);
    let base = with(json!({"ArnLike": {"bedrock:ModelArn": "arn:aws:bedrock:*::foundation-model/*"}}));
    expect(c, "base models by condition", |i| give(i, "Bot", base), &[app]);
    let taken = json!([allow(&json!("bedrock:InvokeModel"), &json!("*")),
        {"Effect": "Deny", "Action": "bedrock:Invoke*", "NotResource": "arn:aws:bedrock:*::foundation-model/*"}]);
    expect(c, "a Deny takes it away", |i| give(i, "Bot", taken), &[app]);
    let capped = |inventory: &mut Inventory| {
        give(inventory, "Bot", json!([allow(&json!("*"), &json!("*"))]));
        cap(inventory, "Bot", json!([allow(&json!("s3:*"), &json!("*"))]));
    };
    expect(c, "the boundary caps it", capped, &[app]);
    let user = |inventory: &mut Inventory| user(inventory, "zoe", json!([allow(&json!("bedrock:*"), &json!("*"))]));
    expect(c, "a user", user, &[app, ("zoe", Fail, wild)]);
    let grouped = |inventory: &mut Inventory| {
        let arn = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess";
        put_policy(inventory, arn, json!([allow(&json!("bedrock:*"), &json!("*"))]));
        give(inventory, "Bot", json!([]));
        let bot = inventory.roles.get_mut("arn:aws:iam::123456789012:role/Bot").unwrap();
        bot.attached.push(arn.into());
    };
    expect(c, "an attached policy", grouped, &[app, ("Bot", Fail, wild)]);
    let broken = json!([allow(&json!("bedrock:InvokeModel"), &json!("*")), {"Effect": "deny", "Action": "*"}]);
    expect(c, "a malformed Deny", |i| give(i, "Bot", broken), &[app, ("Bot", Unknown, "uncertain")]);
    expect(
        c,
        "nobody",
        |i| {
            i.roles.clear();
            i.users.clear();
        },
        &[("us-east-1", Pass, "ok")],
    );
    let mut inventory = healthy();
    give(&mut inventory, "Bot", json!([allow(&json!("bedrock:InvokeModel"), &json!("*"))]));
    let all = verdicts(&inventory, c);
    let verdict = all.iter().find(|verdict| verdict.resource.id.last() == "Bot").unwrap();
    assert_eq!(verdict.evidence[0].pointer, None);
    assert_eq!(verdict.evidence[1].pointer.as_deref(), Some("/Statement/0"));
    assert!(verdict.evidence.iter().any(|fact| fact.value.as_str().contains("1 deployment")));
    assert!(verdict.reason.as_str().contains("custom-model, custom-model-deployment, imported-model"));
}

#[test]
fn nothing_to_protect() {
    for c in ["CUS-IAM-06", "CUS-IAM-07", "CUS-IAM-08"] {
        expect(c, "no customization", nothing, REGION_NA);
        let blind = |inventory: &mut Inventory| {
            nothing(inventory);
            deny(inventory, SourceId::MODELS);
        };
        expect(c, "nobody knows", blind, &[("us-east-1", Unknown, "unread")]);
    }
}
