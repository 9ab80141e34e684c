//! Encryption: which key a model has, and whether that key is sound.

mod exposure;
mod granted;
mod outputs;
mod rights;
mod scope;
#[cfg(test)]
pub(super) mod scope_tests;
#[cfg(test)]
pub(super) mod tests;
mod ties;

use std::collections::HashMap;
use std::sync::Arc;

use super::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use super::control::{Context, Control};
use super::jobs;
use super::judge::{Judge, Subject, listed_refs, unread};
use super::verdict::{Area, Severity, Verdict};
use crate::access::Policy;
use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::{CustomizationJob, JobStatus};
use crate::inventory::kms::{Key, KeyMetadata, KeyState};
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) use exposure::KMS_07;
pub(super) use granted::KMS_08;
pub(super) use outputs::{AT_REST, Facts, KMS_09, KMS_10, managed};
pub(super) use rights::KMS_06;
pub(super) use scope::KMS_05;

pub(super) const KMS_01: Control = Control {
    id: "CUS-KMS-01",
    title: "Custom model encrypted with a customer managed key",
    severity: Severity::High,
    area: Area::Encryption,
    what: "custom models that we own",
    lists: &[SourceId::MODELS],
    tables: &[],
    details: &[SourceId::MODEL_DETAILS, SourceId::KEYS],
    logic: "Every custom model of this account must name a KMS key (modelKmsKeyArn), and that key must be managed by \
            the customer, not by AWS. A model without a key is encrypted with one that AWS owns and you cannot see.",
    reasons: &["no-cmk", "aws-managed-key"],
    remediation: "The key of a model cannot be changed. Train again with customModelKmsKeyId, or copy the model to \
                  another Region with modelKmsKeyId; then delete the old one yourself.",
    cli: "aws bedrock create-model-customization-job --custom-model-kms-key-id KEY …",
    compliance: &[
        (NIST, &["SC-28(1)", "SC-12", "SC-13"]),
        (FEDRAMP, &["SC-28", "SC-12"]),
        (PCI, &["3.5.1", "3.6.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0048.004", "AML.M0012"]),
        (SRA, &["DP", "KMS"]),
    ],
    fixes: &[],
    evaluate: model_keys,
};

fn model_keys(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let owned = context.inventory.models.values().filter(|model| model.owned);
    let mut verdicts = Vec::with_capacity(context.inventory.models.len());
    verdicts.extend(owned.map(|model| {
        let subject = judge.on_item(Kind::Model, model);
        let detail = match model.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => return subject.unread(unread("bedrock:GetCustomModel", unknown)),
        };
        let Some(named) = &detail.kms_key else {
            return subject
                .shows("modelKmsKeyArn", "none")
                .shows("customizationType", &model.customization)
                .shows_some("jobArn", detail.job.as_ref())
                .fail(
                    "no-cmk",
                    format!("model {} has no KMS key: it is encrypted with one that AWS owns", model.name),
                );
        };
        let key = context.key(named);
        let subject = subject.related([ResourceRef::new(Kind::Key, key.map_or(named, |key| &key.arn))]);
        let metadata = match metadata_of(judge, key, named) {
            Ok(metadata) => metadata,
            Err(why) => return subject.unread(why),
        };
        let alias = key.map_or(named.last(), Key::label);
        let draft = subject
            .shows("modelKmsKeyArn", named)
            .shows("KeyManager", &metadata.manager)
            .shows("KeyState", &metadata.state)
            .shows("alias", alias);
        if metadata.manager == "CUSTOMER" {
            draft.pass(format!("encrypted with the customer managed key {alias}"))
        } else {
            draft.fail("aws-managed-key", format!("model {} is encrypted with {alias}, which AWS manages", model.name))
        }
    }));
    verdicts
}

pub(super) const KMS_02: Control = Control {
    id: "CUS-KMS-02",
    title: "In-flight or latest customization job names a customer managed key",
    severity: Severity::High,
    area: Area::Encryption,
    what: "customization jobs",
    lists: &[SourceId::JOBS],
    tables: &[],
    details: &[SourceId::JOB_DETAILS],
    logic: "Judges every job in progress, and the newest job of each model name. It must name a key for the model it \
            makes (outputModelKmsKeyArn). A running job without one can still be stopped before it costs more; a \
            finished one is history and counts low.",
    reasons: &["in-progress-without-cmk", "finished-without-cmk"],
    remediation: "Stop the job, and submit it again with customModelKmsKeyId.",
    cli: "aws bedrock stop-model-customization-job --job-identifier JOB",
    compliance: &[
        (NIST, &["SC-28(1)", "SC-12"]),
        (FEDRAMP, &["SC-28(1)", "SC-12"]),
        (PCI, &["3.5.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["DP"]),
    ],
    fixes: &[],
    evaluate: job_keys,
};

fn job_keys(judge: &Judge<'_>) -> Vec<Verdict> {
    let all = &judge.context.inventory.jobs;
    let mut newest: HashMap<&Text, _> = HashMap::new();
    for job in all.values() {
        let held = newest.entry(&job.output_model_name).or_insert(job);
        if (job.created, &job.arn) > (held.created, &held.arn) {
            *held = job;
        }
    }
    let latest = |job: &CustomizationJob| newest.get(&job.output_model_name).is_some_and(|held| held.arn == job.arn);
    let judged = all.values().filter(|job| latest(job) || job.status == JobStatus::InProgress);
    jobs::each(judge, judged, |subject, job, detail| {
        let training = detail.phases.training.as_ref().map(|phase| &phase.status);
        let draft = subject
            .shows("outputModelKmsKeyArn", detail.kms_key.as_ref().map_or("none", ResourceId::as_str))
            .shows("status", &job.status)
            .shows_some("trainingStatus", training)
            .shows("roleArn", &detail.role);
        vec![match &detail.kms_key {
            Some(key) => draft.pass(format!("names the key {}", context_label(judge, key))),
            None if job.status.is_running() => draft.fail(
                "in-progress-without-cmk",
                format!(
                    "job {} is running without a KMS key for model {}; it can still be stopped",
                    job.name, job.output_model_name
                ),
            ),
            None => draft.fail_as(
                Severity::Low,
                "finished-without-cmk",
                format!("job {}, the latest for model {}, named no KMS key", job.name, job.output_model_name),
            ),
        }]
    })
}

/// Everything that says which keys there are.
const KEY_LISTS: &[SourceId] = &[
    SourceId::JOBS,
    SourceId::JOB_DETAILS,
    SourceId::MODELS,
    SourceId::MODEL_DETAILS,
    SourceId::IMPORTED_MODELS,
    SourceId::IMPORTED_MODEL_DETAILS,
    SourceId::LOGGING,
    SourceId::BUCKET_ENCRYPTION,
    SourceId::LOG_GROUPS,
];

pub(super) const KMS_03: Control = Control {
    id: "CUS-KMS-03",
    title: "Key of models and data is enabled and not pending deletion",
    severity: Severity::Critical,
    area: Area::Encryption,
    what: "keys used by models, jobs, buckets and log groups",
    lists: KEY_LISTS,
    tables: &[],
    details: &[SourceId::KEYS],
    logic: "Every key that a model, job, bucket or log group of the lineage is encrypted with must be in state Enabled, \
            of spec SYMMETRIC_DEFAULT and usage ENCRYPT_DECRYPT. In any other state, what it encrypts cannot be used; \
            once deleted, never again.",
    reasons: &["disabled", "pending-deletion", "pending-import", "unavailable", "wrong-spec"],
    remediation: "Cancel the deletion and enable the key.",
    cli: "aws kms cancel-key-deletion --key-id KEY && aws kms enable-key --key-id KEY",
    compliance: &[
        (NIST, &["SC-12", "CP-9"]),
        (FEDRAMP, &["SC-12", "CP-9"]),
        (PCI, &["3.6.1", "3.7.1"]),
        (HIPAA, &["164.308(a)(7)(ii)(A)"]),
        (GDPR, &["32(1)(b)"]),
        (CIS, &["5.7"]),
        (ATLAS, &["AML.T0029"]),
        (SRA, &["KMS"]),
    ],
    fixes: &[],
    evaluate: key_states,
};

fn key_states(judge: &Judge<'_>) -> Vec<Verdict> {
    let keys = judge.tables().keys.iter();
    keys.map(|used| {
        let subject = used.subject(judge).related(used.users.iter().copied().cloned());
        let metadata = match metadata_of(judge, used.key, used.id) {
            Ok(metadata) => metadata,
            Err(why) => return subject.unread(why),
        };
        let users = listed_refs(judge.context, used.users.iter().copied());
        let label = used.label();
        let draft = subject
            .shows("KeyState", &metadata.state)
            .shows_some("DeletionDate", metadata.deletion)
            .shows_some("ValidTo", metadata.valid_to)
            .shows("KeySpec", &metadata.spec)
            .shows("KeyUsage", &metadata.usage)
            .shows("usedBy", &users);
        let code = match &metadata.state {
            KeyState::Enabled if metadata.spec != "SYMMETRIC_DEFAULT" || metadata.usage != "ENCRYPT_DECRYPT" => {
                let (spec, usage) = (&metadata.spec, &metadata.usage);
                let why = format!(
                    "key {label} is {spec} for {usage}; models and data need SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT"
                );
                return draft.fail("wrong-spec", why);
            }
            KeyState::Enabled => return draft.pass(format!("enabled; used by {users}")),
            KeyState::Disabled => "disabled",
            KeyState::PendingDeletion => "pending-deletion",
            KeyState::PendingImport => "pending-import",
            KeyState::Unavailable => "unavailable",
            KeyState::Other(word) if word == "PendingReplicaDeletion" => "pending-deletion",
            // why: Creating and Updating pass by themselves, but no call works until then.
            KeyState::Other(_) => "unavailable",
        };
        let when = match (code, metadata.deletion) {
            ("pending-deletion", Some(date)) => format!(" on {}", date.minute()),
            _ => String::new(),
        };
        draft.fail(code, format!("key {label} is {}{when}; {users} cannot be decrypted", metadata.state))
    })
    .collect()
}

pub(super) const KMS_04: Control = Control {
    id: "CUS-KMS-04",
    title: "Automatic rotation of customization keys",
    severity: Severity::Medium,
    area: Area::Encryption,
    what: "customer managed keys in the lineage",
    lists: KEY_LISTS,
    tables: &[],
    details: &[SourceId::KEYS, SourceId::ROTATION],
    logic: "Every customer managed key of the lineage whose material AWS KMS made (origin AWS_KMS) must rotate by \
            itself, at least every 365 days. Keys with imported material or in other stores, and asymmetric keys, \
            cannot, and are left out.",
    reasons: &["rotation-off", "rotation-period-long"],
    remediation: "Switch rotation on, with a period of 365 days or less.",
    cli: "aws kms enable-key-rotation --key-id KEY --rotation-period-in-days 365",
    compliance: &[
        (NIST, &["SC-12(2)"]),
        (FEDRAMP, &["SC-12"]),
        (PCI, &["3.7.4"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["25", "30"]),
        (CIS, &["4.6"]),
        (ATLAS, &["AML.M0012"]),
    ],
    fixes: &[],
    evaluate: key_rotation,
};

/// The longest period that passes.
const LONGEST_PERIOD_DAYS: i32 = 365;

fn key_rotation(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(judge.tables().keys.len());
    let keys = judge.tables().keys.iter();
    verdicts.extend(keys.filter_map(|used| {
        let subject = used.subject(judge);
        let metadata = match metadata_of(judge, used.key, used.id) {
            Ok(metadata) => metadata,
            Err(why) => return Some(subject.unread(why)),
        };
        if metadata.manager != "CUSTOMER" {
            return None;
        }
        let label = used.label();
        if metadata.origin != "AWS_KMS" {
            return Some(
                subject
                    .not_applicable(format!("key {label} has origin {}: it cannot rotate by itself", metadata.origin)),
            );
        }
        if metadata.spec != "SYMMETRIC_DEFAULT" {
            return Some(
                subject.not_applicable(format!("key {label} is {}: it cannot rotate by itself", metadata.spec)),
            );
        }
        // why before the rotation is looked at: KMS refuses to tell it, and "while a KMS key is pending deletion,
        // its key rotation status is false" whatever was set (AWS KMS API Reference, GetKeyRotationStatus).
        if is_pending_deletion(&metadata.state) {
            return Some(
                subject.not_applicable(format!("key {label} is pending deletion: rotation rests; see CUS-KMS-03")),
            );
        }
        let rotation = match used.key.map(|key| key.rotation.known()) {
            Some(Ok(rotation)) => rotation,
            Some(Err(unknown)) => return Some(subject.unread(unread("kms:GetKeyRotationStatus", unknown))),
            None => return Some(subject.unread("the key is not in the inventory")),
        };
        // why: in any other state KMS refuses to tell the rotation, which is not the same as none.
        if !rotation.enabled && !matches!(metadata.state, KeyState::Enabled | KeyState::Disabled) {
            let why = format!("key {label} is {}: KMS tells its rotation only in another state", metadata.state);
            return Some(subject.shows("KeyState", &metadata.state).undecided("key-state", why));
        }
        let draft = subject
            .shows("KeyRotationEnabled", rotation.enabled)
            .shows_some("RotationPeriodInDays", rotation.period_days)
            .shows_some("NextRotationDate", rotation.next);
        Some(match rotation.period_days {
            _ if !rotation.enabled => draft.fail("rotation-off", format!("key {label} does not rotate")),
            Some(days) if days > LONGEST_PERIOD_DAYS => draft.fail(
                "rotation-period-long",
                format!("key {label} rotates every {days} days; at most {LONGEST_PERIOD_DAYS} are asked for"),
            ),
            Some(days) => draft.pass(format!("rotates every {days} days")),
            None => draft.pass("rotates once a year"),
        })
    }));
    verdicts
}

fn is_pending_deletion(state: &KeyState) -> bool {
    match state {
        KeyState::PendingDeletion => true,
        KeyState::Other(word) => word.as_str() == "PendingReplicaDeletion",
        _ => false,
    }
}

/// A key that lineage reaches, under its own ARN where that is known.
#[derive(Debug)]
pub(super) struct UsedKey<'a> {
    id: &'a ResourceId,
    key: Option<&'a Key>,
    /// Each once, in their order.
    users: Vec<&'a ResourceRef>,
}

impl<'a> UsedKey<'a> {
    /// Begins a verdict on it.
    fn subject(&self, judge: &Judge<'a>) -> Subject<'a> {
        match self.key {
            Some(key) => judge.on_item(Kind::Key, key),
            None => judge.on(ResourceRef::new(Kind::Key, self.id)),
        }
    }

    fn label(&self) -> &str {
        self.key.map_or_else(|| self.id.last(), Key::label)
    }
}

/// Every key of the lineage once, however it is named there, by its ARN.
pub(super) fn reached<'a>(context: &Context<'a>) -> Vec<UsedKey<'a>> {
    let mut found: Vec<UsedKey<'a>> = Vec::new();
    for (named, users) in context.lineage.reached_from(Kind::Key) {
        let key = context.key(named);
        let (id, users) = (key.map_or(named, |key| &key.arn), users.iter().map(|(_, user)| user).collect());
        found.push(UsedKey { id, key, users });
    }
    found.sort_by_key(|used| used.id);
    // What is named in several ways stands together now.
    found.dedup_by(|next, held| {
        let same = next.id == held.id;
        if same {
            held.users.append(&mut next.users);
        }
        same
    });
    for used in &mut found {
        used.users.sort();
        used.users.dedup();
    }
    found
}

/// The keys of models, each with what names it: custom models that are ours, imported ones, copies.
fn keys_of_models<'a>(judge: &Judge<'a>) -> impl Iterator<Item = (&'a UsedKey<'a>, Vec<&'a ResourceRef>)> {
    let inventory = judge.context.inventory;
    let counts = move |user: &&ResourceRef| match user.kind {
        Kind::Model => inventory.models.get(&user.id).is_none_or(|model| model.owned),
        Kind::ImportedModel => true,
        Kind::CopyJob => inventory
            .copy_jobs
            .get(&user.id)
            .is_none_or(|job| matches!(job.status, JobStatus::Completed | JobStatus::InProgress)),
        _ => false,
    };
    judge.tables().keys.iter().filter_map(move |used| {
        let models: Vec<&ResourceRef> = used.users.iter().copied().filter(counts).collect();
        (!models.is_empty()).then_some((used, models))
    })
}

/// The policy of a key, or a verdict that says why it is not known.
fn policy_of(judge: &Judge<'_>, used: &UsedKey<'_>, subject: &Subject<'_>) -> Result<Arc<Policy>, Box<Verdict>> {
    let verdict = |verdict| Err(Box::new(verdict));
    match used.key.map(|key| key.policy.known()) {
        Some(Ok(document)) => {
            judge.policy(document).or_else(|error| verdict(subject.clone().malformed("key policy", None, error)))
        }
        Some(Err(unknown)) => verdict(subject.clone().unread(unread("kms:GetKeyPolicy", unknown))),
        None => verdict(subject.clone().unread(format!("key {} is not in the inventory", used.id))),
    }
}

fn key_id<'a>(judge: &Judge<'a>, named: &'a ResourceId) -> &'a ResourceId {
    judge.context.key(named).map_or(named, |key| &key.arn)
}

fn context_label(judge: &Judge<'_>, named: &ResourceId) -> String {
    judge.context.key(named).map_or(named.last(), Key::label).to_owned()
}

pub(super) fn metadata<'a>(judge: &Judge<'a>, named: &ResourceId) -> Result<&'a KeyMetadata, String> {
    metadata_of(judge, judge.context.key(named), named)
}

/// The same of a key that was looked for already.
fn metadata_of<'a>(judge: &Judge<'a>, key: Option<&'a Key>, named: &ResourceId) -> Result<&'a KeyMetadata, String> {
    let Some(key) = key else {
        let why =
            judge.gap(SourceId::KEYS).map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
        return Err(format!("key {named}: {why}"));
    };
    key.metadata.known().map_err(|unknown| unread("kms:DescribeKey", unknown))
}
