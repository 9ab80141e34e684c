//! Tables for the controls of guardrails: pass, every way to fail, unknown, not applicable.

use serde_json::{Value, json};

use crate::inventory::bedrock::ImportedModel;
use crate::inventory::guardrails::{ContentFilter, Guarding, GuardrailDetail};
use crate::inventory::iam::InlinePolicy;
use crate::inventory::macie::{SensitiveDetail, SensitiveFinding};
use crate::inventory::{Document, Inventory, Read};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::guardrails::*;
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[
    a_guardrail_where_models_are_served,
    enforcement_by_account_and_organization,
    enforcement_by_policies_of_callers,
    prompt_attacks,
    sensitive_information,
    harmful_content,
    keys_of_guardrails,
];

const HERE: &str = "us-east-1";

/// The version in force.
fn strong_one(i: &mut Inventory) -> &mut GuardrailDetail {
    i.guardrail_versions.get_mut(VERSION).unwrap().detail.known_mut().unwrap()
}

#[test]
fn a_guardrail_where_models_are_served() {
    let c = "CUS-GRD-01";
    expect(c, "one with versions", |_| {}, &[(HERE, Pass, "ok")]);
    let none = |i: &mut Inventory| {
        i.guardrails.clear();
        i.guardrail_versions.clear();
    };
    expect(
        c,
        "none",
        |i| {
            none(i);
            i.enforced_guardrails.clear();
        },
        &[(HERE, Fail, "no-guardrail")],
    );
    expect(
        c,
        "one of the organization",
        |i| {
            none(i);
            i.enforced_guardrails.get_mut(CONFIG).unwrap().guardrail =
                "arn:aws:bedrock:us-east-1:999988887777:guardrail/org1".into();
        },
        &[(HERE, Pass, "ok")],
    );
    expect(c, "a draft", |i| i.guardrail_versions.clear(), &[(HERE, Warn, "draft-only")]);
    expect(
        c,
        "failed",
        |i| i.guardrails.get_mut(GUARDRAIL).unwrap().status = "FAILED".into(),
        &[(HERE, Fail, "not-ready")],
    );
    expect(
        c,
        "versions that are being made",
        |i| i.guardrail_versions.values_mut().for_each(|version| version.status = "CREATING".into()),
        &[(HERE, Warn, "draft-only")],
    );
    expect(c, "nothing is served", nothing_served, &[(HERE, NotApplicable, "not-applicable")]);
}

/// One model, without the organization's policy.
fn alone(change: impl FnOnce(&mut Inventory)) -> impl FnOnce(&mut Inventory) {
    move |i| {
        one_served(i);
        i.settings.bedrock_policy = got(None);
        i.enforced_guardrails.get_mut(CONFIG).unwrap().messages = None;
        change(i);
    }
}

fn organization_with(change: impl FnOnce(&mut Value)) -> impl FnOnce(&mut Inventory) {
    move |i| {
        one_served(i);
        let mut policy = organization();
        change(&mut policy["bedrock"]["guardrail_inference"]["us-east-1"]["all"]);
        i.enforced_guardrails.clear();
        set_organization(i, &policy);
    }
}

const BASE: &str = "amazon.titan-text-express-v1";

#[test]
fn enforcement_by_account_and_organization() {
    let c = "CUS-GRD-02";
    expect(c, "all that is served", |_| {}, &[("imported1", Pass, "ok"), ("model1", Pass, "ok")]);
    let model = |status, code| [("model1", status, code)];
    expect(c, "by the organization", one_served, &model(Pass, "ok"));
    expect(c, "by the account", alone(|_| {}), &model(Pass, "ok"));
    let config = |change: fn(&mut crate::inventory::guardrails::EnforcedGuardrail)| {
        alone(move |i| change(i.enforced_guardrails.get_mut(CONFIG).unwrap()))
    };
    expect(c, "no list", config(|one| one.included.clear()), &model(Pass, "ok"));
    expect(c, "named", config(|one| one.included = vec![MODEL.into()]), &model(Pass, "ok"));
    expect(c, "its deployment named", config(|one| one.included = vec![DEPLOYMENT.into()]), &model(Pass, "ok"));
    let half = |i: &mut Inventory| {
        let throughputs = i.throughputs.clone();
        config(|one| one.included = vec![DEPLOYMENT.into()])(i);
        i.throughputs = throughputs;
    };
    expect(c, "its deployment named, not its throughput", half, &model(Fail, "not-covered"));
    expect(c, "others named", config(|one| one.included = vec!["x".into()]), &model(Fail, "not-covered"));
    expect(c, "excluded", config(|one| one.excluded = vec![MODEL.into()]), &model(Fail, "not-covered"));
    expect(c, "its deployment excluded", config(|one| one.excluded = vec!["dep1".into()]), &model(Fail, "not-covered"));
    expect(c, "its base model excluded", config(|one| one.excluded = vec![BASE.into()]), &model(Unknown, "uncertain"));
    expect(c, "its base model named", config(|one| one.included = vec![BASE.into()]), &model(Unknown, "uncertain"));
    expect(c, "in part", config(|one| one.system = Some("SELECTIVE".into())), &model(Fail, "selective"));
    expect(c, "what is tagged", config(|one| one.input_tags = Some("HONOR".into())), &model(Warn, "honors-input-tags"));
    expect(c, "tags ignored", config(|one| one.input_tags = Some("IGNORE".into())), &model(Pass, "ok"));
    expect(c, "by its short id", config(|one| one.guardrail = "gr1".into()), &model(Pass, "ok"));
    expect(
        c,
        "automated reasoning",
        alone(|i| strong_one(i).reasoning = vec!["arn:x".into()]),
        &model(Fail, "automated-reasoning"),
    );
    expect(
        c,
        "not known whether",
        alone(|i| i.guardrail_versions.get_mut(VERSION).unwrap().detail = Read::NotAsked),
        &model(Unknown, "unread"),
    );
    expect(c, "a version that is gone", config(|one| one.version = "9".into()), &model(Unknown, "unread"));
    expect(c, "nothing", alone(|i| i.enforced_guardrails.clear()), &model(Fail, "no-enforcement"));

    expect(c, "organization alone", organization_with(|_| {}), &model(Pass, "ok"));
    expect(
        c,
        "as one policy writes it",
        organization_with(|one| {
            *one = json!({"identifier": {"@@assign": "arn:aws:bedrock:us-east-1:999988887777:guardrail/org1:4"},
                "model_enforcement": {"included_models": {"@@assign": ["ALL"]}}});
        }),
        &model(Pass, "ok"),
    );
    expect(
        c,
        "organization in part",
        organization_with(|one| one["selective_content_guarding"]["messages"] = "selective".into()),
        &model(Fail, "selective"),
    );
    expect(
        c,
        "organization, tagged",
        organization_with(|one| one["input_tags"] = "honor".into()),
        &model(Warn, "honors-input-tags"),
    );
    expect(
        c,
        "organization, excluded",
        organization_with(|one| one["model_enforcement"]["excluded_models"] = json!([MODEL])),
        &model(Fail, "not-covered"),
    );
    expect(
        c,
        "organization, elsewhere",
        |i| {
            one_served(i);
            i.enforced_guardrails.clear();
            let policy = organization().to_string().replace("\"us-east-1\":", "\"eu-west-1\":");
            i.settings.bedrock_policy = got(Some(Document::new(policy)));
        },
        &model(Fail, "no-enforcement"),
    );
    for odd in [
        json!({"identifier": "arn:aws:bedrock:us-east-1:1:guardrail/x:DRAFT"}),
        json!({}),
        json!({"identifier": "arn:aws:bedrock:us-east-1:1:guardrail/x:1", "model_enforcement": {"included_models": 7}}),
    ] {
        expect(c, &odd.to_string(), organization_with(|one| *one = odd.clone()), &model(Unknown, "uncertain"));
    }
    expect(
        c,
        "no JSON",
        |i| {
            one_served(i);
            i.enforced_guardrails.clear();
            i.settings.bedrock_policy = got(Some(Document::new("{")));
        },
        &model(Unknown, "uncertain"),
    );
    let unread = |i: &mut Inventory| {
        one_served(i);
        i.settings.bedrock_policy = Read::NotAsked;
    };
    expect(c, "organization not read", unread, &model(Unknown, "uncertain"));
    expect(c, "nothing is served", nothing_served, &[(HERE, NotApplicable, "not-applicable")]);
    expect(
        c,
        "a base model with throughput",
        |i| {
            nothing_served(i);
            let arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/p1";
            let base = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1";
            i.throughputs.insert(arn.into(), throughput(arn, base));
        },
        &[(HERE, NotApplicable, "not-applicable")],
    );
    expect(
        c,
        "an imported model",
        |i| {
            nothing_served(i);
            let arn = "arn:aws:bedrock:us-east-1:123456789012:imported-model/im1";
            i.imported_models.insert(
                arn.into(),
                ImportedModel {
                    arn: arn.into(),
                    name: "im".into(),
                    architecture: "llama".into(),
                    created: now(),
                    detail: Read::NotAsked,
                    tags: Read::NotAsked,
                },
            );
        },
        &[("im1", Pass, "ok")],
    );
}

/// Only the policies of one role stand before one model: nobody else may invoke it.
fn bound(statements: Value) -> impl FnOnce(&mut Inventory) {
    alone(move |i| {
        i.enforced_guardrails.clear();
        i.users.clear();
        i.roles.get_mut(APP).unwrap().inline = vec![InlinePolicy { name: "own".into(), document: policy(statements) }];
    })
}

#[test]
fn enforcement_by_policies_of_callers() {
    let c = "CUS-GRD-02";
    let model = |status, code| [("model1", status, code)];
    let ours = "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1:2";
    let allow = json!({"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"});
    let deny = |resource: &str, operator: &str, value: &str| {
        json!([allow, {"Effect": "Deny", "Action": "bedrock:InvokeModel*", "Resource": resource,
            "Condition": {operator: {"bedrock:GuardrailIdentifier": value}}}])
    };
    expect(c, "denied without", bound(deny("*", "StringNotEquals", ours)), &model(Pass, "ok"));
    expect(
        c,
        "allowed only with",
        bound(json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel*", "Resource": "*",
            "Condition": {"StringEquals": {"bedrock:GuardrailIdentifier": ours}}}])),
        &model(Pass, "ok"),
    );
    // As all examples of AWS's page have it: custom models stay open.
    let examples = "arn:aws:bedrock:us-east-1::foundation-model/*";
    expect(c, "denied on base models", bound(deny(examples, "StringNotEquals", ours)), &model(Fail, "no-enforcement"));
    expect(c, "any guardrail will do", bound(deny("*", "Null", "true")), &model(Fail, "no-enforcement"));
    expect(c, "nobody may invoke it", bound(json!([])), &model(Fail, "no-enforcement"));
    let mut inventory = healthy();
    bound(json!([allow]))(&mut inventory);
    let said = verdicts(&inventory, c);
    assert_eq!(said[0].reason.as_str(), "no guardrail is enforced for model model1; App can invoke it without one");
    let two = |i: &mut Inventory| {
        bound(deny("*", "StringNotEquals", ours))(i);
        let other = "arn:aws:iam::123456789012:role/Other";
        i.roles.insert(other.into(), role(other, json!([]), json!([allow])));
    };
    expect(c, "one of two is bound", two, &model(Fail, "no-enforcement"));
}

fn filter<'a>(i: &'a mut Inventory, kind: &str) -> &'a mut ContentFilter {
    strong_one(i).content.iter_mut().find(|filter| filter.kind.as_str() == kind).unwrap()
}

fn without(kind: &'static str) -> impl FnOnce(&mut Inventory) {
    move |i| strong_one(i).content.retain(|filter| filter.kind.as_str() != kind)
}

const V: &str = "gr1";

#[test]
fn prompt_attacks() {
    let c = "CUS-GRD-04";
    let attack = |change: fn(&mut ContentFilter)| move |i: &mut Inventory| change(filter(i, "PROMPT_ATTACK"));
    expect(c, "HIGH", |_| {}, &[(V, Pass, "ok")]);
    expect(c, "none", without("PROMPT_ATTACK"), &[(V, Fail, "no-filter")]);
    expect(c, "MEDIUM", attack(|one| one.input_strength = "MEDIUM".into()), &[(V, Fail, "weak")]);
    expect(c, "off", attack(|one| one.input.enabled = false), &[(V, Fail, "off")]);
    expect(c, "detects", attack(|one| one.input.action = "NONE".into()), &[(V, Fail, "detect-only")]);
    expect(
        c,
        "detects at LOW",
        attack(|one| {
            one.input.action = "NONE".into();
            one.input_strength = "LOW".into();
        }),
        &[(V, Fail, "detect-only"), (V, Fail, "weak")],
    );
    expect(
        c,
        "not read",
        |i| i.guardrail_versions.get_mut(VERSION).unwrap().detail = Read::NotAsked,
        &[(V, Unknown, "unread")],
    );
    expect(
        c,
        "an older version is no matter",
        |i| {
            i.guardrail_versions.remove(&id("arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1:1"));
        },
        &[(V, Pass, "ok")],
    );
    expect(
        c,
        "two versions enforced",
        |i| {
            let mut other = i.enforced_guardrails[&id(CONFIG)].clone();
            (other.id, other.version) = ("config2".into(), "1".into());
            i.enforced_guardrails.insert(other.id.clone(), other);
        },
        &[("1", Pass, "ok"), ("2", Pass, "ok")],
    );
    // Nothing is enforced: the newest by number, not by name.
    let newest = |i: &mut Inventory| {
        i.enforced_guardrails.clear();
        let mut ten = version("10");
        ten.detail.known_mut().unwrap().content.clear();
        i.guardrail_versions.insert(ten.id.clone(), ten);
    };
    expect(c, "the newest", newest, &[("gr1", Fail, "no-filter")]);
    expect(
        c,
        "a draft",
        |i| {
            i.enforced_guardrails.clear();
            i.guardrail_versions.clear();
        },
        &[("gr1", Pass, "ok")],
    );
    expect(
        c,
        "of another account",
        |i| {
            i.enforced_guardrails.get_mut(CONFIG).unwrap().guardrail =
                "arn:aws:bedrock:us-east-1:999988887777:guardrail/org1".into();
        },
        &[("org1", Unknown, "unread")],
    );
    expect(
        c,
        "none at all",
        |i| {
            i.enforced_guardrails.clear();
            i.guardrails.clear();
            i.guardrail_versions.clear();
        },
        &[(HERE, NotApplicable, "not-applicable")],
    );
}

#[test]
fn sensitive_information() {
    let c = "CUS-GRD-05";
    let entity = |i: &mut Inventory, kind: &str, guarding: Guarding| {
        let all = &mut strong_one(i).sensitive;
        all.iter_mut().find(|filter| filter.kind.as_str() == kind).unwrap().output = guarding;
    };
    let on = |enabled, action: &str| Guarding { enabled, action: action.into() };
    expect(c, "masked in answers", |_| {}, &[(V, Pass, "ok")]);
    expect(c, "blocked in answers", |i| entity(i, "NAME", on(true, "BLOCK")), &[(V, Pass, "ok")]);
    expect(c, "none", |i| strong_one(i).sensitive.clear(), &[(V, Fail, "missing-entities")]);
    expect(c, "detected", |i| entity(i, "EMAIL", on(true, "NONE")), &[(V, Fail, "not-on-answers")]);
    expect(c, "in prompts alone", |i| entity(i, "EMAIL", on(false, "BLOCK")), &[(V, Fail, "not-on-answers")]);
    expect(
        c,
        "both",
        |i| {
            entity(i, "EMAIL", on(false, "BLOCK"));
            strong_one(i).sensitive.retain(|filter| filter.kind.as_str() != "PASSWORD");
        },
        &[(V, Fail, "missing-entities"), (V, Fail, "not-on-answers")],
    );
    let found = |bucket: &'static str, kind: &'static str| {
        move |i: &mut Inventory| {
            let detail = SensitiveDetail {
                kind: "SensitiveData:S3Object/Personal".into(),
                severity: "High".into(),
                bucket: bucket.into(),
                object: "a.jsonl".into(),
                detections: vec![(kind.into(), 3)],
                updated: None,
            };
            i.sensitive_findings.insert("s1".into(), SensitiveFinding { id: "s1".into(), detail: got(detail) });
        }
    };
    expect(c, "found and covered", found("train", "EMAIL_ADDRESS"), &[(V, Pass, "ok")]);
    expect(c, "found and not covered", found("train", "USA_PASSPORT_NUMBER"), &[(V, Fail, "dataset-not-covered")]);
    expect(c, "found elsewhere", found("payroll", "USA_PASSPORT_NUMBER"), &[(V, Pass, "ok")]);
    let own = |uri: &'static str, rule: &'static str| move |i: &mut Inventory| deep::find(i, uri, rule, 2);
    expect(c, "found by our own look", own(deep::DATA, "pii-iban"), &[(V, Fail, "dataset-not-covered")]);
    expect(c, "found by our own look and covered", own(deep::DATA, "pii-email"), &[(V, Pass, "ok")]);
    expect(c, "in weights, of which nothing is learned", own(deep::WEIGHTS, "pii-iban"), &[(V, Pass, "ok")]);
    expect(c, "found what no guardrail knows", found("train", "SPAIN_NIE_NUMBER"), &[(V, Pass, "ok")]);
}

#[test]
fn harmful_content() {
    let c = "CUS-GRD-06";
    let hate = |change: fn(&mut ContentFilter)| move |i: &mut Inventory| change(filter(i, "HATE"));
    expect(c, "both directions", |_| {}, &[(V, Pass, "ok")]);
    expect(c, "one missing", without("SEXUAL"), &[(V, Fail, "no-filter")]);
    expect(c, "LOW in answers", hate(|one| one.output_strength = "LOW".into()), &[(V, Fail, "weak")]);
    expect(c, "NONE in prompts", hate(|one| one.input_strength = "NONE".into()), &[(V, Fail, "weak")]);
    expect(c, "off in answers", hate(|one| one.output.enabled = false), &[(V, Fail, "not-blocking")]);
    expect(c, "detects", hate(|one| one.input.action = "NONE".into()), &[(V, Fail, "not-blocking")]);
    expect(c, "all of it", |i| strong_one(i).content.clear(), &[(V, Fail, "no-filter")]);
}

#[test]
fn keys_of_guardrails() {
    let c = "CUS-GRD-07";
    let own = |i: &mut Inventory, key: Option<&str>| {
        i.guardrails.get_mut(GUARDRAIL).unwrap().detail.known_mut().unwrap().kms_key = key.map(id);
    };
    expect(c, "a customer key", |_| {}, &[("gr1", Pass, "ok")]);
    expect(c, "none", |i| own(i, None), &[("gr1", Fail, "no-cmk")]);
    expect(c, "AWS's", |i| metadata(i).manager = "AWS".into(), &[("gr1", Fail, "aws-managed-key")]);
    expect(
        c,
        "by its alias",
        |i| own(i, Some("arn:aws:kms:us-east-1:123456789012:alias/tuning")),
        &[("gr1", Pass, "ok")],
    );
    expect(
        c,
        "nobody knows it",
        |i| own(i, Some("arn:aws:kms:us-east-1:999999999999:key/x")),
        &[("gr1", Unknown, "unread")],
    );
    let delegated = json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]);
    expect(c, "left to IAM", |i| set_key_policy(i, delegated.clone()), &[("gr1", Pass, "ok")]);
    let only =
        |action: &str| json!([{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": action, "Resource": "*"}]);
    expect(c, "users alone", |i| set_key_policy(i, only("kms:Decrypt")), &[("gr1", Fail, "creators-lack-rights")]);
    expect(
        c,
        "nobody",
        |i| set_key_policy(i, only("kms:Put*")),
        &[("gr1", Fail, "creators-lack-rights"), ("gr1", Fail, "users-lack-decrypt")],
    );
    let odd = json!([{"Effect": "Perhaps", "Principal": {"AWS": APP}, "Action": "kms:*", "Resource": "*"}]);
    expect(c, "a statement nobody reads", |i| set_key_policy(i, odd.clone()), &[("gr1", Unknown, "malformed")]);
    expect(
        c,
        "no policy",
        |i| i.keys.get_mut(KEY).unwrap().policy = got(Document::new("{")),
        &[("gr1", Unknown, "malformed")],
    );
    expect(
        c,
        "not read",
        |i| i.guardrails.get_mut(GUARDRAIL).unwrap().detail = Read::NotAsked,
        &[("gr1", Unknown, "unread")],
    );
}
