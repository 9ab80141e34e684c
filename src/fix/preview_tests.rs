//! What a preview tells, and what it refuses.

use serde_json::json;

use super::*;
use crate::fix::DiffKind;
use crate::fix::propose::propose;
use crate::fix::sample::{self, KEY, ONCALL, TUNER, admins, context, finding, inventory};
use crate::fix::summary::{statements, thousands};
use crate::inventory::{Document, Read, SourceId, SourceReport};
use crate::posture::Status;

/// Says that a role without Decrypt is a finding: enough to see what closes and opens.
fn judge(inventory: &Inventory) -> Assessment {
    let policy = inventory.keys[KEY].policy.known().unwrap().raw().to_owned();
    let mut missing = finding("CUS-KMS-06", "missing-right", &[]);
    missing.status = if policy.contains("Bedwatch") { Status::Pass } else { Status::Fail };
    let mut open = finding("CUS-KMS-07", "public-principal", &[]);
    open.status = if policy.contains("\"*\"") && policy.contains("Open") { Status::Fail } else { Status::Pass };
    Assessment { verdicts: vec![missing, open] }
}

fn plan(inventory: &Inventory) -> Plan {
    propose(&finding("CUS-KMS-06", "missing-right", &[]), inventory, &context()).unwrap().remove(0)
}

fn put(inventory: &Inventory, statements: &[serde_json::Value]) -> Plan {
    Plan::for_policy("FIX-03", "t", sample::key(inventory), sample::policy(statements), None, &context()).unwrap()
}

fn shown(plan: &Plan, inventory: &Inventory) -> Preview {
    preview_with(plan, inventory, &context(), &judge).unwrap()
}

#[test]
fn every_consequence_is_there() {
    let before = inventory(&[admins()]);
    let preview = shown(&plan(&before), &before);
    let rows: Vec<String> = preview.summary.iter().map(|(label, value)| format!("{label}: {value}")).collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    on: key orion-chat  (key/91b5-1e7e)  account 123456789012
    as: Oncall, session expires in 47m
    does: adds 1 statement "BedwatchInvoke"; removes nothing
    policy 354 → 709 of 32,768 bytes
    opens: nothing
    lockout: KeyAdmins and Oncall keep kms:PutKeyPolicy
    drift: read 1m ago; read again and compared before anything is written
    closes: HIGH CUS-KMS-06 on orion-chat
    gains: OrionTuner: Decrypt (allowed by key policy /Statement/1 "BedwatchInvoke" when kms:ViaService StringLike bedrock.us-east-1.amazonaws.com)
    loses: nobody
    undo: exact: the prior document is kept in the journal
    "#);
    assert_eq!(preview.gains.len(), 1);
    assert_eq!((preview.gains[0].actions.as_slice(), preview.gains[0].foreign), (["Decrypt"].as_slice(), false));
    assert!(preview.gains[0].how.as_str().contains("kms:ViaService"), "{}", preview.gains[0].how);
    assert!(preview.loses.is_empty() && preview.opens.is_empty());
    assert_eq!(
        preview.closes.iter().map(|f| (f.control, f.name.as_str(), f.code)).collect::<Vec<_>>(),
        [("CUS-KMS-06", "orion-chat", "missing-right")]
    );
    assert!(preview.diff.iter().any(|line| line.kind == DiffKind::Added && line.text.contains("BedwatchInvoke")));
    assert!(preview.diff.iter().all(|line| line.kind != DiffKind::Removed || line.text.trim() == "}"));
    let [call] = preview.calls.as_slice() else { panic!() };
    assert!(call.starts_with("aws kms put-key-policy --region us-east-1 --key-id arn:aws:kms"), "{call}");
    let before_policy = before.keys[KEY].policy.known().unwrap().clone();
    assert_eq!(preview.undo, [Change::PutKeyPolicy { key: KEY.into(), policy: before_policy }]);
    assert_eq!(before, inventory(&[admins()]), "the inventory itself is untouched");
}

/// The whole way with the real controls: finding, plan, preview; what it says it closes is closed.
#[test]
fn the_controls_agree_that_it_is_mended() {
    let mut before = sample::with_job(inventory(&[admins(), sample::allow("Open", json!("*"), json!("kms:Decrypt"))]));
    for source in SourceId::all().filter(|source| source.is_read()) {
        before.coverage.record(SourceReport::sum(source, sample::at(900), 1, &[]));
    }
    let context = context();
    let assess = |inventory: &Inventory| {
        let lineage = Lineage::of(inventory);
        let (session, expect) = (&context.session, &context.expect);
        posture::assess(&posture::Context::of(inventory, &lineage, session, context.now, expect))
    };
    let mut now = before;
    for (control, code) in [("CUS-KMS-06", "missing-right"), ("CUS-KMS-07", "public-principal")] {
        let all = assess(&now);
        let found = all.findings().into_iter().find(|v| v.control == control && v.code == code);
        let found = found.unwrap_or_else(|| panic!("{control} finds nothing in {:?}", all.findings()));
        let plan = propose(found, &now, &context).unwrap().remove(0);
        assert_eq!(plan.finding.as_ref(), Some(&found.id));
        let preview = preview(&plan, &now, &context).unwrap();
        assert!(preview.closes.iter().any(|closed| closed.id == found.id), "{control}: {:?}", preview.summary);
        assert_eq!(preview.opens, [], "{control}");
        assert!(preview.lockout.is_safe());
        now = preview.after;
    }
}

#[test]
fn a_change_that_locks_out_cannot_be_approved() {
    let before = inventory(&[admins()]);
    let without = |who: &str| {
        let mut rest = admins();
        rest["Principal"] = json!({"AWS": [who]});
        rest
    };
    let mfa = {
        let mut rest = admins();
        rest["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        rest
    };
    let gone = sample::allow("A", json!({"AWS": [ONCALL, "arn:aws:iam::123456789012:role/Deleted"]}), json!("kms:*"));
    for (statements, why) in [
        (vec![without(sample::ADMINS)], "you (Oncall) do not surely hold kms:PutKeyPolicy"),
        (vec![without(ONCALL)], "nobody but you (Oncall)"),
        (vec![mfa], "you (Oncall) do not surely hold kms:PutKeyPolicy"),
        (vec![gone], "nobody but you (Oncall)"),
        (vec![sample::allow("D", json!({"AWS": TUNER}), json!("kms:Decrypt"))], "you (Oncall)"),
    ] {
        let preview = shown(&put(&before, &statements), &before);
        let Lockout::Refused { why: said } = &preview.lockout else { panic!("{:?}", preview.lockout) };
        assert!(said.as_str().contains(why), "{said}");
        assert!(matches!(preview.approve("orion-chat"), Err(FixError::Lockout(_))));
        assert!(preview.summary.iter().any(|(label, value)| *label == "lockout" && value.contains("REFUSED")));
    }
    // The root statement is an administrator of its own: the account can always come back.
    let root = sample::allow("Root", json!({"AWS": "arn:aws:iam::123456789012:root"}), json!("kms:*"));
    let preview = shown(&put(&before, &[without(ONCALL), root]), &before);
    assert_eq!(preview.lockout, Lockout::Safe { administrators: vec!["account root".into()] });
}

#[test]
fn what_was_not_read_is_refused_with_the_reason() {
    let before = inventory(&[admins()]);
    let plan = plan(&before);
    let mut blind = before.clone();
    blind.keys.get_mut(KEY).unwrap().policy = Read::NotAsked;
    let error = preview_with(&plan, &blind, &context(), &judge).unwrap_err();
    assert!(matches!(error, FixError::NotKnown { .. }), "{error}");
    // Roles that were not read: nobody can be called an administrator.
    let mut blind = before.clone();
    blind.roles.clear();
    blind.coverage = crate::inventory::Coverage::default();
    let preview = preview_with(&plan, &blind, &context(), &judge).unwrap();
    assert!(!preview.lockout.is_safe());
    assert!(preview.incomplete.is_some());
}

#[test]
fn a_plan_made_on_another_state_is_drift() {
    let before = inventory(&[admins()]);
    let plan = plan(&before);
    let since = inventory(&[admins(), sample::allow("New", json!({"AWS": TUNER}), json!("kms:Encrypt"))]);
    let Err(FixError::Drift { diff, .. }) = preview_with(&plan, &since, &context(), &judge) else { panic!() };
    assert!(diff.iter().any(|line| line.kind == DiffKind::Added && line.text.contains("New")));
}

#[test]
fn what_opens_is_shown_too() {
    let before = inventory(&[admins()]);
    let open = sample::allow("Open", json!("*"), json!("kms:*"));
    let preview = shown(&put(&before, &[admins(), open]), &before);
    assert_eq!(preview.opens.iter().map(|f| f.control).collect::<Vec<_>>(), ["CUS-KMS-07"]);
    assert_eq!(preview.gains[0].name.as_str(), "anyone in any account");
    assert_eq!(preview.gains[0].principal, *"*");
}

#[test]
fn confirming_is_exact() {
    let before = inventory(&[admins()]);
    let preview = shown(&plan(&before), &before);
    for typed in ["", "y", "orion", "Orion-chat", "orion-chat2"] {
        assert!(matches!(preview.approve(typed), Err(FixError::NotConfirmed(_))), "{typed}");
    }
    assert_eq!(preview.approve("orion-chat ").unwrap().plan(), preview.plan());
    for (mode, why) in [(Mode::ReadOnly, "--write"), (Mode::Case, "saved case")] {
        let mut context = context();
        context.session.mode = mode;
        let preview = preview_with(&plan(&before), &before, &context, &judge).unwrap();
        assert!(preview.approve("orion-chat").unwrap_err().to_string().contains(why));
    }
}

#[test]
fn a_plan_from_a_file_cannot_weaken_its_own_checks() {
    let before = inventory(&[admins()]);
    let mut plan: Plan = serde_json::from_str(&serde_json::to_string(&plan(&before)).unwrap()).unwrap();
    plan.confirm = Confirm::Yes;
    assert!(matches!(shown(&plan, &before).approve("y"), Err(FixError::NotConfirmed(_))));
    plan.before.clear();
    let error = preview_with(&plan, &before, &context(), &judge).unwrap_err().to_string();
    assert!(error.contains("what must hold before kms:PutKeyPolicy"), "{error}");
    let mut context = context();
    context.session.account = "999999999999".into();
    assert!(preview_with(&plan, &before, &context, &judge).unwrap_err().to_string().contains("belongs to account"));
}

#[test]
fn an_edited_policy_goes_the_same_way() {
    let before = inventory(&[admins()]);
    let first = plan(&before);
    let error = first.edited(Document::new("{\"Version\":")).unwrap_err().to_string();
    assert!(error.contains("line 1, column 11"), "{error}");
    let edited =
        first.edited(sample::policy(&[sample::allow("Mine", json!({"AWS": ONCALL}), json!("kms:*"))])).unwrap();
    assert_ne!(edited.id, first.id);
    assert_eq!(edited.before, first.before);
    assert!(!shown(&edited, &before).lockout.is_safe());
}

#[test]
fn numbers_and_statements_read_well() {
    assert_eq!(
        [thousands(0), thousands(999), thousands(2114), thousands(32_768), thousands(1_000_000)],
        ["0", "999", "2,114", "32,768", "1,000,000"]
    );
    let one = |sid: &str, action: &str| sample::allow(sid, json!({"AWS": TUNER}), json!(action));
    let doc = |list: &[serde_json::Value]| sample::policy(list);
    let before = doc(&[one("A", "kms:Decrypt"), one("B", "kms:Decrypt")]);
    for (after, words) in [
        (doc(&[one("A", "kms:Decrypt"), one("B", "kms:Decrypt")]), "changes the layout only"),
        (doc(&[one("A", "kms:Encrypt"), one("B", "kms:Decrypt")]), "changes 1 statement \"A\"; removes nothing"),
        (doc(&[one("B", "kms:Decrypt")]), "removes 1 statement \"A\""),
        (
            doc(&[one("B", "kms:Decrypt"), one("C", "kms:Decrypt"), one("D", "kms:Decrypt")]),
            "adds 2 statements \"C\", \"D\"; removes 1 statement \"A\"",
        ),
    ] {
        assert_eq!(statements(&before, &after), words);
    }
}
