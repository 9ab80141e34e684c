//! CUS-KMS-09 and CUS-KMS-10: the keys of copies, and of what is made with custom models.

use std::fmt;

use crate::base::arn::ArnKind;
use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::{BatchJob, EvaluationJob, JobStatus, S3Uri};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Draft, Judge, Subject, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{context_label, key_id, metadata};

/// What asks for encryption under a key of one's own.
pub(in crate::posture) const AT_REST: &[(&str, &[&str])] = &[
    (NIST, &["SC-28(1)"]),
    (FEDRAMP, &["SC-28(1)"]),
    (PCI, &["3.5.1"]),
    (HIPAA, &["164.312(a)(2)(iv)"]),
    (GDPR, &["32"]),
    (OWASP, &["LLM02"]),
    (ATLAS, &["AML.M0012"]),
    (SRA, &["DP"]),
];

pub(in crate::posture) const KMS_09: Control = Control {
    id: "CUS-KMS-09",
    title: "Copied models are encrypted with a customer managed key",
    severity: Severity::High,
    area: Area::Encryption,
    what: "copy jobs that run or have made a model",
    lists: &[SourceId::COPY_JOBS, SourceId::MODELS],
    tables: &[],
    details: &[SourceId::KEYS],
    logic: "Every copy job of this Region that is running, or whose copy still exists, must name a key for the copy \
            (targetModelKmsKeyArn) that the customer manages. The key of the source model does not go with a copy.",
    reasons: &["no-cmk", "aws-managed-key"],
    remediation: "Copy the model again with modelKmsKeyId, then delete the first copy yourself.",
    cli: "aws bedrock create-model-copy-job --source-model-arn MODEL --target-model-name NAME --model-kms-key-id KEY",
    compliance: AT_REST,
    fixes: &[],
    evaluate: copies,
};

fn copies(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut verdicts = Vec::new();
    for job in inventory.copy_jobs.values() {
        if !matches!(job.status, JobStatus::Completed | JobStatus::InProgress) {
            continue;
        }
        let target = ResourceRef::new(Kind::Model, &job.target_model);
        let subject = judge.on(ResourceRef::new(Kind::CopyJob, &job.arn)).related([target]);
        let gone = job.status == JobStatus::Completed && !inventory.models.contains_key(&job.target_model);
        if gone && judge.gap(SourceId::MODELS).is_none() {
            verdicts.push(subject.not_applicable(format!("the copy {} does not exist any more", job.target_name)));
            continue;
        }
        let facts = Facts::of("targetModelKmsKeyArn", job.target_key.as_ref())
            .and("targetModelArn", &job.target_model)
            .and("sourceModelArn", &job.source_model)
            .and("sourceAccountId", &job.source_account)
            .and("status", &job.status);
        let what = format!("the copy {}", job.target_name);
        verdicts.push(match &job.target_key {
            Some(named) => managed(judge, subject, named, &what, facts),
            None => {
                let why = format!("{what} has no KMS key: it is encrypted with one that AWS owns");
                facts.on(subject).fail("no-cmk", why)
            }
        });
    }
    verdicts
}

pub(in crate::posture) const KMS_10: Control = Control {
    id: "CUS-KMS-10",
    title: "Evaluation and batch output of custom models use a customer managed key",
    severity: Severity::Medium,
    area: Area::Encryption,
    what: "evaluation and batch inference jobs of custom models",
    lists: &[
        SourceId::EVALUATION_JOBS,
        SourceId::EVALUATION_JOB_DETAILS,
        SourceId::BATCH_JOBS,
        SourceId::BUCKET_ENCRYPTION,
    ],
    tables: &[],
    details: &[SourceId::KEYS],
    logic: "Judges the jobs that use a custom or imported model, a deployment or provisioned throughput. An evaluation \
            must name a key (customerEncryptionKeyId). A batch job must name one for its output (s3EncryptionKeyId), \
            or write to a bucket whose default encryption names one. The key must be managed by the customer.",
    reasons: &["evaluation-without-cmk", "output-without-cmk", "aws-managed-key"],
    remediation: "Submit the job again with a key, and set the default encryption of the output bucket.",
    cli: "aws bedrock create-evaluation-job --customer-encryption-key-id KEY …",
    compliance: &[
        (NIST, &["SC-28(1)"]),
        (FEDRAMP, &["SC-28(1)"]),
        (PCI, &["3.5.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["S3"]),
    ],
    fixes: &[],
    evaluate: outputs,
};

fn outputs(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let evaluations = inventory.evaluation_jobs.values().filter(|job| job.models.iter().any(is_custom));
    let batches = inventory.batch_jobs.values().filter(|job| is_custom(&job.model));
    evaluations.map(|job| evaluation(judge, job)).chain(batches.map(|job| batch(judge, job))).collect()
}

/// Whether a job's model is one that was customized or imported, or what serves such a model.
fn is_custom(model: &ResourceId) -> bool {
    let kind = model.arn().map(|arn| arn.kind());
    matches!(
        kind,
        Some(ArnKind::CustomModel | ArnKind::ImportedModel | ArnKind::Deployment | ArnKind::ProvisionedModel)
    )
}

fn evaluation(judge: &Judge<'_>, job: &EvaluationJob) -> Verdict {
    let subject = judge.on(ResourceRef::new(Kind::EvaluationJob, &job.arn));
    let detail = match job.detail.known() {
        Ok(detail) => detail,
        Err(unknown) => return subject.unread(unread("bedrock:GetEvaluationJob", unknown)),
    };
    let facts = Facts::of("customerEncryptionKeyId", detail.kms_key.as_ref())
        .and("modelIdentifiers", listed(&job.models))
        .and("outputDataConfig", detail.output.as_ref().map_or("none".to_owned(), S3Uri::to_string))
        .and("status", &job.status);
    match &detail.kms_key {
        Some(named) => managed(judge, subject, named, &format!("evaluation {}", job.name), facts),
        None => {
            let why = format!("evaluation {} of a custom model names no KMS key", job.name);
            facts.on(subject).fail("evaluation-without-cmk", why)
        }
    }
}

fn batch(judge: &Judge<'_>, job: &BatchJob) -> Verdict {
    let subject = judge.on(ResourceRef::new(Kind::BatchJob, &job.arn));
    let what = format!("the output of batch job {}", job.name);
    let facts = Facts::of("s3EncryptionKeyId", job.output_key.as_ref())
        .and("modelId", &job.model)
        .and("outputDataConfig", job.output.as_ref().map_or("none".to_owned(), S3Uri::to_string))
        .and("status", &job.status);
    if let Some(named) = &job.output_key {
        return managed(judge, subject, named, &what, facts);
    }
    let Some(S3Uri { bucket, .. }) = &job.output else {
        let why = format!("batch job {} names no key and no bucket", job.name);
        return facts.on(subject).fail("output-without-cmk", why);
    };
    let subject = subject.related([ResourceRef::new(Kind::Bucket, bucket)]);
    let encryption = match judge.context.inventory.buckets.get(bucket).map(|held| held.encryption.known()) {
        Some(Ok(encryption)) => encryption,
        Some(Err(unknown)) => return subject.unread(unread("s3:GetBucketEncryption", unknown)),
        None => {
            let gap = judge.gap(SourceId::BUCKET_ENCRYPTION);
            let absent = || format!("bucket {bucket} is not in the inventory");
            return subject.unread(gap.map_or_else(absent, |why| why.to_string()));
        }
    };
    let facts = facts.and("SSEAlgorithm", &encryption.algorithm);
    match &encryption.kms_key {
        Some(named) if encryption.algorithm.as_str().starts_with("aws:kms") => {
            managed(judge, subject, named, &what, facts)
        }
        _ => {
            let algorithm = &encryption.algorithm;
            let why =
                format!("{what} has no customer key: it names none, and bucket {bucket} encrypts with {algorithm}");
            facts.on(subject).fail("output-without-cmk", why)
        }
    }
}

/// The field that names a key, and what stands beside it.
pub(in crate::posture) struct Facts {
    field: &'static str,
    key: Text,
    more: Vec<(&'static str, Text)>,
}

impl Facts {
    /// The field and what it says.
    pub(in crate::posture) fn of(field: &'static str, key: Option<&ResourceId>) -> Self {
        Self { field, key: Text::new(key.map_or("none", ResourceId::as_str)), more: Vec::new() }
    }

    /// One more fact.
    #[must_use]
    pub(in crate::posture) fn and(mut self, label: &'static str, value: impl fmt::Display) -> Self {
        self.more.push((label, Text::new(value.to_string())));
        self
    }

    /// As evidence.
    pub(in crate::posture) fn on(self, subject: Subject<'_>) -> Draft<Subject<'_>> {
        let draft = subject.shows(self.field, self.key);
        self.more.into_iter().fold(draft, |draft, (label, value)| draft.shows(label, value))
    }
}

/// A pass when the customer manages the key that `what` is encrypted with.
pub(in crate::posture) fn managed(
    judge: &Judge<'_>,
    subject: Subject<'_>,
    named: &ResourceId,
    what: &str,
    facts: Facts,
) -> Verdict {
    let subject = subject.related([ResourceRef::new(Kind::Key, key_id(judge, named))]);
    let metadata = match metadata(judge, named) {
        Ok(metadata) => metadata,
        Err(why) => return subject.unread(why),
    };
    let label = context_label(judge, named);
    let draft = facts.and("KeyManager", &metadata.manager).and("KeyState", &metadata.state).on(subject);
    if metadata.manager == "CUSTOMER" {
        draft.pass(format!("encrypted with the customer managed key {label}"))
    } else {
        draft.fail("aws-managed-key", format!("{what} is encrypted with {label}, which AWS manages"))
    }
}
