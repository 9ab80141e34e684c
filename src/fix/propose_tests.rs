//! Which plans a finding gets, and why some get none.

use serde_json::json;

use super::*;
use crate::fix::preview::preview_with;
use crate::fix::sample::{self, ADMINS, FOREIGN, KEY, ONCALL, TUNER, admins, context, finding, inventory, with_job};
use crate::fix::{Confirm, Lockout};
use crate::inventory::Read;
use crate::posture::{Assessment, Status};

fn statements(plan: &Plan) -> Vec<Value> {
    Policy::read(plan.policy().unwrap()).unwrap().statements().to_vec()
}

fn ask(inventory: &Inventory, plan: &Plan, who: &str, action: &str) -> Decision {
    let preview = preview_with(plan, inventory, &context(), &|_| Assessment::default()).unwrap();
    let caller = Caller::parse(who).unwrap();
    key_decision(&preview.after, &KEY.into(), &caller, action, &Scenario::through_bedrock("us-east-1")).decision
}

#[test]
fn a_customizer_without_rights_gets_a_statement_or_a_grant() {
    let inventory = with_job(inventory(&[admins()]));
    let plans = propose(&finding("CUS-KMS-06", "missing-right", &[]), &inventory, &context()).unwrap();
    let [statement, grant] = plans.as_slice() else { panic!("{plans:?}") };
    assert_eq!(statement.title.as_str(), "let OrionTuner use orion-chat for customization");
    assert_eq!(statement.confirm, Confirm::TypeName("orion-chat".into()));
    assert_eq!(
        statements(statement),
        [
            admins(),
            json!({"Sid": "BedwatchCustomize", "Effect": "Allow", "Principal": {"AWS": TUNER},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"],
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}})
        ]
    );
    let [Change::CreateGrant { grant: spec, .. }] = grant.changes.as_slice() else { panic!() };
    let operations: Vec<_> = spec.operations.iter().map(Text::as_str).collect();
    assert_eq!(operations, ["CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey"]);
    assert!(spec.name.as_str().starts_with("bedwatch-") && spec.retiring.is_none());
    assert!(grant.caveats[0].as_str().contains("wider"));
    for (plan, action) in [(statement, "kms:CreateGrant"), (grant, "kms:Decrypt")] {
        assert!(!ask(&inventory, plan, ADMINS, "kms:PutKeyPolicy").is_denied());
        assert!(ask(&inventory, plan, TUNER, action).is_allowed(), "{}", plan.title);
    }
    assert_ne!(statement.id, grant.id);
}

#[test]
fn an_invoker_gets_decrypt_only_and_statements_of_others_stay() {
    let other = "arn:aws:iam::123456789012:role/App";
    let via = json!({"StringLike": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}});
    let mut held = sample::allow("BedwatchInvoke", json!({"AWS": other}), json!(["kms:Decrypt"]));
    held["Condition"] = via.clone();
    let finding = finding("CUS-KMS-06", "missing-right", &[]);
    // The same right under the same condition: the role joins.
    let plans = propose(&finding, &inventory(&[admins(), held.clone()]), &context()).unwrap();
    assert_eq!(statements(&plans[0])[1]["Principal"], json!({"AWS": [other, TUNER]}));
    // Something else under that Sid: it is left alone.
    held["Action"] = json!("kms:*");
    let plans = propose(&finding, &inventory(&[admins(), held.clone()]), &context()).unwrap();
    let all = statements(&plans[0]);
    assert_eq!((&all[1], all[2]["Sid"].as_str()), (&held, Some("BedwatchInvoke2")));
    assert_eq!((&all[2]["Action"], &all[2]["Condition"]), (&json!(["kms:Decrypt"]), &via));
    // Its own statement, too narrow: it is replaced where it stands.
    let own = sample::allow("BedwatchInvoke", json!({"AWS": TUNER}), json!("kms:DescribeKey"));
    let plans = propose(&finding, &inventory(&[own, admins()]), &context()).unwrap();
    assert_eq!(statements(&plans[0])[0]["Action"], json!(["kms:Decrypt"]));
    assert_eq!(statements(&plans[0]).len(), 2);
}

#[test]
fn an_allow_is_not_proposed_against_a_deny() {
    let deny = json!({"Sid": "No", "Effect": "Deny", "Principal": {"AWS": TUNER}, "Action": "kms:*", "Resource": "*"});
    let finding = finding("CUS-KMS-06", "missing-right", &[]);
    let error = propose(&finding, &inventory(&[admins(), deny]), &context()).unwrap_err().to_string();
    assert!(error.contains("\"No\"") && error.contains("cannot override"), "{error}");
}

#[test]
fn an_invoker_with_too_much_keeps_decrypt_and_others_keep_all() {
    let app = "arn:aws:iam::123456789012:role/App";
    let wide = sample::allow("Wide", json!({"AWS": [TUNER, app]}), json!(["kms:Decrypt", "kms:CreateGrant"]));
    let before = inventory(&[wide, admins()]);
    let plans = propose(&finding("CUS-KMS-06", "over-granted", &[]), &before, &context()).unwrap();
    assert_eq!(plans.len(), 1);
    for (who, action, allowed) in [
        (TUNER, "kms:Decrypt", true),
        (TUNER, "kms:CreateGrant", false),
        (app, "kms:CreateGrant", true),
        (app, "kms:Decrypt", true),
    ] {
        assert_eq!(ask(&before, &plans[0], who, action).is_allowed(), allowed, "{who} {action}");
    }
    // Alone in a statement with a wildcard: only what it needs is left of it.
    let before = inventory(&[sample::allow("All", json!({"AWS": TUNER}), json!("kms:*")), admins()]);
    let plans = propose(&finding("CUS-KMS-06", "over-granted", &[]), &before, &context()).unwrap();
    assert_eq!(statements(&plans[0])[0]["Action"], json!(["kms:Decrypt"]));
    // Only the excess: the statement goes, and the right it needs comes back with a condition.
    let before = inventory(&[sample::allow("X", json!({"AWS": TUNER}), json!("kms:CreateGrant")), admins()]);
    let plans = propose(&finding("CUS-KMS-06", "over-granted", &[]), &before, &context()).unwrap();
    let all = statements(&plans[0]);
    assert_eq!((all.len(), &all[1]["Sid"]), (2, &json!("BedwatchInvoke")));
}

#[test]
fn amazon_nova_needs_a_right_more_of_those_who_invoke() {
    use crate::inventory::bedrock::{CustomModel, ModelDetail};
    let mut before = inventory(&[admins(), sample::allow("All", json!({"AWS": TUNER}), json!("kms:*"))]);
    let detail =
        ModelDetail { job: None, kms_key: Some(KEY.into()), training: None, output: None, training_loss: None };
    let model = CustomModel {
        arn: "m".into(),
        name: "m".into(),
        base_model: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0".into(),
        base_model_name: "Nova".into(),
        customization: "FINE_TUNING".into(),
        owner: "123456789012".into(),
        owned: true,
        status: "Active".into(),
        created: sample::at(1),
        detail: Read::got(detail, sample::at(1)),
        policy: Read::NotAsked,
        tags: Read::NotAsked,
    };
    before.models.insert("m".into(), model);
    let plans = propose(&finding("CUS-KMS-06", "over-granted", &[]), &before, &context()).unwrap();
    assert_eq!(statements(&plans[0])[1]["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey"]));
}

#[test]
fn rights_from_iam_policies_are_not_ours_to_change_yet() {
    let root = sample::allow("Root", json!({"AWS": "123456789012"}), json!("kms:*"));
    let mut before = inventory(&[root]);
    let document = sample::policy(&[json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})]);
    let inline = crate::inventory::iam::InlinePolicy { name: "TunerKms".into(), document };
    before.roles.get_mut(TUNER).unwrap().inline.push(inline);
    let error = propose(&finding("CUS-KMS-06", "over-granted", &[]), &before, &context()).unwrap_err().to_string();
    assert!(error.contains("policy TunerKms") && error.contains("kms:CreateGrant"), "{error}");
}

#[test]
fn a_key_is_closed_to_everyone() {
    let public = sample::allow("Open", json!("*"), json!("kms:*"));
    let before = inventory(&[public, admins()]);
    let plans = propose(&finding("CUS-KMS-07", "public-principal", &["/Statement/0"]), &before, &context()).unwrap();
    let [remove, inward] = plans.as_slice() else { panic!("{plans:?}") };
    assert_eq!(statements(remove), [admins()]);
    assert_eq!(statements(inward)[0]["Principal"], json!({"AWS": "arn:aws:iam::123456789012:root"}));
    let preview = preview_with(remove, &before, &context(), &|_| Assessment::default()).unwrap();
    assert_eq!(preview.loses[0].name.as_str(), "anyone in any account");
    assert!(preview.loses[0].foreign && preview.loses[0].actions.contains(&"Decrypt"));
    assert_eq!(preview.lockout, Lockout::Safe { administrators: vec!["KeyAdmins".into()] });
    // NotPrincipal in an Allow is everyone but a few.
    let but = json!({"Effect": "Allow", "NotPrincipal": {"AWS": TUNER}, "Action": "kms:*", "Resource": "*"});
    let plans = propose(
        &finding("CUS-KMS-07", "public-principal", &["/Statement/1"]),
        &inventory(&[admins(), but]),
        &context(),
    );
    assert_eq!(statements(&plans.unwrap()[0]), [admins()]);
    // The only statement is not removed, which would leave nobody; it is turned inward.
    let only = inventory(&[sample::allow("Open", json!({"AWS": "*"}), json!("kms:*"))]);
    let plans = propose(&finding("CUS-KMS-07", "public-principal", &[]), &only, &context()).unwrap();
    assert_eq!(plans.len(), 1);
    assert!(plans[0].title.as_str().contains("IAM of 123456789012 decides"));
}

#[test]
fn another_account_is_taken_out_of_a_statement_and_trusted_ones_stay() {
    let shared = sample::allow("Shared", json!({"AWS": [FOREIGN, TUNER, "777788889999"]}), json!("kms:Decrypt"));
    let before = inventory(&[admins(), shared]);
    let mut context = context();
    context.expect.trusted_accounts.insert("777788889999".into());
    let plans = propose(&finding("CUS-KMS-07", "foreign-account", &["/Statement/1"]), &before, &context).unwrap();
    assert_eq!(statements(&plans[0])[1]["Principal"], json!({"AWS": [TUNER, "777788889999"]}));
    assert_eq!(plans.len(), 1);
}

#[test]
fn foreign_grants_are_revoked_and_bedrocks_never() {
    let mut before = inventory(&[admins()]);
    let held = before.keys.get_mut(KEY).unwrap().grants.known_mut().unwrap();
    held.push(sample::grant("g-foreign", FOREIGN));
    held.push(sample::grant("g-own", ONCALL));
    let plans = propose(&finding("CUS-KMS-08", "foreign-grantee", &[]), &before, &context()).unwrap();
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0].changes, [Change::RevokeGrant { key: KEY.into(), grant: "g-foreign".into() }]);
    assert_eq!(plans[0].title.as_str(), "revoke the grant of account 444455556666 on orion-chat");
    let preview = preview_with(&plans[0], &before, &context(), &|_| Assessment::default()).unwrap();
    assert_eq!(preview.loses[0].name.as_str(), "account 444455556666");
    assert_eq!(preview.lockout, Lockout::Untouched);

    let key: ResourceId = KEY.into();
    let error = revoke(&key, &"g-bedrock".into(), &before, &context()).unwrap_err().to_string();
    assert!(error.contains("unusable for good"), "{error}");
    assert!(revoke(&key, &"g-own".into(), &before, &context()).is_ok());
    assert!(matches!(revoke(&key, &"nope".into(), &before, &context()), Err(FixError::Gone(_))));
}

#[test]
fn what_cannot_be_fixed_says_why() {
    let inventory_ = inventory(&[admins()]);
    let (good, mut passed) = (finding("CUS-KMS-04", "rotation-off", &[]), finding("CUS-KMS-06", "ok", &[]));
    let error = propose(&good, &inventory_, &context()).unwrap_err().to_string();
    assert!(error.contains("this version cannot change the key for CUS-KMS-04"), "{error}");
    passed.status = Status::Pass;
    assert!(propose(&passed, &inventory_, &context()).unwrap_err().to_string().contains("no finding"));
    let missing = finding("CUS-KMS-06", "missing-right", &[]);
    let mut other = context();
    other.session.account = "999999999999".into();
    assert!(
        propose(&missing, &inventory_, &other).unwrap_err().to_string().contains("belongs to account 123456789012")
    );
    let mut other = context();
    other.session.region = "eu-west-1".into();
    assert!(propose(&missing, &inventory_, &other).unwrap_err().to_string().contains("lies in us-east-1"));
    let mut blind = inventory(&[admins()]);
    blind.keys.get_mut(KEY).unwrap().policy = Read::NotAsked;
    let error = propose(&missing, &blind, &context()).unwrap_err().to_string();
    assert!(error.contains("policy of key orion-chat: not read yet"), "{error}");
}

#[test]
fn production_asks_for_the_account() {
    let mut context = context();
    context.production = true;
    let plans = propose(&finding("CUS-KMS-06", "missing-right", &[]), &inventory(&[admins()]), &context).unwrap();
    assert_eq!(plans[0].confirm, Confirm::TypeAlias("orion-prod".into()));
}
