//! CUS-IMP-01: the keys of imported models.

use crate::base::ResourceId;
use crate::inventory::bedrock::JobStatus;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::encryption::{Facts, managed};
use crate::posture::judge::{Judge, Subject, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IMP_01: Control = Control {
    id: "CUS-IMP-01",
    title: "Imported model encrypted with a customer managed key",
    severity: Severity::High,
    area: Area::Import,
    what: "imported models and running import jobs",
    lists: &[
        SourceId::IMPORTED_MODELS,
        SourceId::IMPORTED_MODEL_DETAILS,
        SourceId::IMPORT_JOBS,
        SourceId::IMPORT_JOB_DETAILS,
        SourceId::MODELS,
        SourceId::MODEL_DETAILS,
    ],
    tables: &[],
    details: &[SourceId::KEYS],
    logic: "Every imported model, every custom model of ours that was made of imported weights, and every import job \
            that is running must name a KMS key (modelKmsKeyArn, importedModelKmsKeyArn) that the customer manages.",
    reasons: &["no-cmk", "aws-managed-key"],
    remediation: "The key of a model cannot be changed. Import it again with importedModelKmsKeyId, then delete the \
                  first one yourself.",
    cli: "aws bedrock create-model-import-job --imported-model-kms-key-id KEY …",
    compliance: &[
        (NIST, &["SC-28(1)"]),
        (FEDRAMP, &["SC-28(1)"]),
        (PCI, &["3.5.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["DP"]),
    ],
    fixes: &[],
    evaluate: imported_keys,
};

/// How `CreateCustomModel` calls what it makes.
const IMPORTED: &str = "IMPORTED";

fn imported_keys(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut verdicts = Vec::new();
    for model in inventory.imported_models.values() {
        let subject = judge.on(ResourceRef::new(Kind::ImportedModel, &model.arn));
        verdicts.push(match model.detail.known() {
            Err(unknown) => subject.unread(unread("bedrock:GetImportedModel", unknown)),
            Ok(detail) => {
                let facts = facts("modelKmsKeyArn", detail.kms_key.as_ref(), detail.job.as_ref());
                let facts = facts.and("modelArchitecture", &model.architecture);
                keyed(judge, subject, detail.kms_key.as_ref(), &format!("imported model {}", model.name), facts)
            }
        });
    }
    for job in inventory.import_jobs.values().filter(|job| job.status == JobStatus::InProgress) {
        let subject = judge.on(ResourceRef::new(Kind::ImportJob, &job.arn));
        verdicts.push(match job.detail.known() {
            Err(unknown) => subject.unread(unread("bedrock:GetModelImportJob", unknown)),
            Ok(detail) => {
                let facts = facts("importedModelKmsKeyArn", detail.kms_key.as_ref(), Some(&job.arn));
                let facts = facts.and("importedModelName", &job.imported_model_name);
                keyed(judge, subject, detail.kms_key.as_ref(), &format!("import job {}", job.name), facts)
            }
        });
    }
    for model in inventory.models.values().filter(|model| model.owned && model.customization == IMPORTED) {
        let subject = judge.on_item(Kind::Model, model);
        verdicts.push(match model.detail.known() {
            Err(unknown) => subject.unread(unread("bedrock:GetCustomModel", unknown)),
            Ok(detail) => {
                let facts = facts("modelKmsKeyArn", detail.kms_key.as_ref(), detail.job.as_ref());
                let facts = facts.and("customizationType", &model.customization);
                keyed(judge, subject, detail.kms_key.as_ref(), &format!("custom model {}", model.name), facts)
            }
        });
    }
    verdicts
}

fn facts(field: &'static str, key: Option<&ResourceId>, job: Option<&ResourceId>) -> Facts {
    Facts::of(field, key).and("jobArn", job.map_or("none", ResourceId::as_str))
}

fn keyed(judge: &Judge<'_>, subject: Subject<'_>, key: Option<&ResourceId>, what: &str, facts: Facts) -> Verdict {
    match key {
        Some(key) => managed(judge, subject, key, what, facts),
        None => {
            let why = format!("{what} has no KMS key: it is encrypted with one that AWS owns");
            facts.on(subject).fail("no-cmk", why)
        }
    }
}
