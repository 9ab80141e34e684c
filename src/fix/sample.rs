//! A key, the roles around it, and a session: for the tests of fixes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::Context;
use crate::base::Timestamp;
use crate::inventory::bedrock::{CustomizationJob, JobDetail, JobStatus, Phases};
use crate::inventory::kms::{Grant, Key};
use crate::inventory::{Document, Inventory, Kind, Read, ResourceRef, SessionInfo, SourceId, SourceReport, testing};
use crate::posture::Expectations;
use crate::posture::{Evidence, Severity, Status, Verdict};

pub(super) const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/91b5-1e7e";
pub(super) const TUNER: &str = "arn:aws:iam::123456789012:role/OrionTuner";
pub(super) const ADMINS: &str = "arn:aws:iam::123456789012:role/KeyAdmins";
pub(super) const ONCALL: &str = "arn:aws:iam::123456789012:role/Oncall";
pub(super) const FOREIGN: &str = "arn:aws:iam::444455556666:root";

pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

pub(super) fn context() -> Context {
    Context {
        session: SessionInfo { expires: Some(at(1000 + 47 * 60)), ..testing::session() },
        production: false,
        expect: Expectations::default(),
        now: at(1000),
    }
}

pub(super) fn admins() -> Value {
    json!({"Sid": "Admins", "Effect": "Allow", "Principal": {"AWS": [ADMINS, ONCALL]},
        "Action": ["kms:*"], "Resource": "*"})
}

pub(super) fn allow(sid: &str, principal: Value, actions: Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"})
}

/// The key `orion-chat` with these statements, and four roles.
pub(super) fn inventory(statements: &[Value]) -> Inventory {
    let mut inventory = Inventory::default();
    inventory.settings.organization = Read::got(None, at(900));
    let mut key = Key::bare(KEY);
    key.aliases = vec!["orion-chat".into()];
    key.metadata = Read::got(testing::key_metadata(), at(900));
    key.policy = Read::got(policy(statements), at(900));
    key.grants = Read::got(vec![grant("g-bedrock", "bedrock.amazonaws.com")], at(900));
    inventory.keys.insert(KEY.into(), key);
    for arn in [TUNER, ADMINS, ONCALL, "arn:aws:iam::123456789012:role/App"] {
        inventory.roles.insert(arn.into(), testing::role(arn));
    }
    inventory.coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at(900), 4, &[]));
    inventory
}

/// The same with a failed job of OrionTuner that names the key.
pub(super) fn with_job(mut inventory: Inventory) -> Inventory {
    let detail = JobDetail {
        role: TUNER.into(),
        kms_key: Some(KEY.into()),
        vpc: None,
        training: Vec::new(),
        validation: Vec::new(),
        output: None,
        failure: None,
        phases: Phases::default(),
        hyper_parameters: BTreeMap::new(),
        training_loss: None,
        validation_losses: Vec::new(),
        invocation_logs: None,
        grader: None,
    };
    let job = CustomizationJob {
        arn: "job".into(),
        name: "j".into(),
        status: JobStatus::Failed,
        base_model: "m".into(),
        customization: "FINE_TUNING".into(),
        output_model: None,
        output_model_name: "o".into(),
        created: at(1),
        modified: None,
        ended: None,
        detail: Read::got(detail, at(1)),
        tags: Read::NotAsked,
    };
    inventory.jobs.insert("job".into(), job);
    inventory
}

pub(super) fn policy(statements: &[Value]) -> Document {
    Document::pretty(&json!({"Version": "2012-10-17", "Id": "orion", "Statement": statements}))
}

pub(super) fn grant(id: &str, grantee: &str) -> Grant {
    Grant {
        id: id.into(),
        name: None,
        grantee: grantee.into(),
        retiring: None,
        issuer: Some("arn:aws:iam::123456789012:root".into()),
        operations: vec!["Decrypt".into(), "CreateGrant".into()],
        context_equals: BTreeMap::new(),
        context_subset: BTreeMap::new(),
        source_arn: None,
        created: Some(at(5)),
    }
}

pub(super) fn key(inventory: &Inventory) -> &Key {
    &inventory.keys[KEY]
}

pub(super) fn finding(control: &'static str, code: &'static str, pointers: &[&str]) -> Verdict {
    Verdict {
        id: format!("{control}/orion-chat"),
        control,
        title: "t",
        severity: Severity::High,
        status: Status::Fail,
        code,
        reason: "r".into(),
        resource: ResourceRef::new(Kind::Key, KEY),
        name: "orion-chat".into(),
        related: vec![ResourceRef::new(Kind::Role, TUNER)],
        evidence: pointers
            .iter()
            .map(|pointer| Evidence { label: "statement".into(), value: "v".into(), pointer: Some((*pointer).into()) })
            .collect(),
        sources: Vec::new(),
        fixes: &["FIX-03"],
        muted: None,
        stale: None,
    }
}
