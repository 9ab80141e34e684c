//! CUS-IMP-08: the SageMaker training jobs whose output was imported.

use std::collections::BTreeSet;

use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::S3Uri;
use crate::inventory::feeders::{TrainingDetail, TrainingJob};
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IMP_08: Control = Control {
    id: "CUS-IMP-08",
    title: "SageMaker training jobs that fed the import were isolated and encrypted",
    severity: Severity::Medium,
    area: Area::Import,
    what: "SageMaker training jobs whose output was imported",
    lists: &[
        SourceId::IMPORT_JOBS,
        SourceId::IMPORT_JOB_DETAILS,
        SourceId::IMPORTED_MODELS,
        SourceId::IMPORTED_MODEL_DETAILS,
        SourceId::SAGEMAKER,
    ],
    tables: &[],
    details: &[SourceId::TRAINING_DETAILS],
    logic: "A completed training job whose model artifacts or output path hold what was imported must have run with \
            network isolation, in a VPC, with encrypted traffic between containers, and with keys of the customer for \
            its output and its volumes.",
    reasons: &["no-network-isolation", "no-vpc", "traffic-not-encrypted", "output-without-cmk", "volume-without-cmk"],
    remediation: "Train again with isolation, a VPC and keys, and import that.",
    cli: "aws sagemaker create-training-job --enable-network-isolation --enable-inter-container-traffic-encryption …",
    compliance: &[
        (NIST, &["SC-7", "SC-8", "SC-28"]),
        (FEDRAMP, &["SC-7", "SC-8", "SC-28"]),
        (PCI, &["1.4.2", "3.5.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["NET"]),
    ],
    fixes: &[],
    evaluate: training,
};

fn training(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let imported = imported(inventory);
    let mut verdicts = Vec::new();
    let mut unseen: Vec<(&TrainingJob, String)> = Vec::new();
    for job in inventory.training_jobs.values() {
        let detail = match job.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                unseen.push((job, unread("sagemaker:DescribeTrainingJob", unknown)));
                continue;
            }
        };
        let mut fed = imported.iter().filter(|(data, _)| detail.fed(data)).peekable();
        if fed.peek().is_some() {
            verdicts.extend(trained(judge, job, detail, fed.map(|(_, by)| by)));
        }
    }
    // why one: most of them have made nothing that was imported.
    if let Some((_, why)) = unseen.first().filter(|_| !imported.is_empty()) {
        let names = listed(unseen.iter().map(|(job, _)| &job.name));
        let why = format!("cannot tell whether what was imported came out of {names}: {why}");
        verdicts.push(judge.on_region().part("unread").unread(why));
    }
    verdicts
}

/// What was imported, by where it lay.
fn imported(inventory: &Inventory) -> BTreeSet<(&S3Uri, ResourceRef)> {
    let jobs = inventory
        .import_jobs
        .values()
        .filter_map(|job| Some((job.detail.known().ok()?.data.as_ref()?, ResourceRef::new(Kind::ImportJob, &job.arn))));
    let models = inventory.imported_models.values().filter_map(|model| {
        Some((model.detail.known().ok()?.data.as_ref()?, ResourceRef::new(Kind::ImportedModel, &model.arn)))
    });
    jobs.chain(models).collect()
}

fn trained<'a>(
    judge: &Judge<'_>,
    job: &TrainingJob,
    detail: &TrainingDetail,
    fed: impl Iterator<Item = &'a ResourceRef>,
) -> Vec<Verdict> {
    let name = &job.name;
    let mut problems = Vec::new();
    let mut lacks = |lacks: bool, code, what: &str| {
        if lacks {
            problems.push(Problem::fail(code, format!("training job {name}, whose output was imported, {what}")));
        }
    };
    lacks(!detail.isolated, "no-network-isolation", "could reach the network");
    lacks(detail.vpc.is_none(), "no-vpc", "ran in no VPC");
    lacks(!detail.traffic_encrypted, "traffic-not-encrypted", "did not encrypt traffic between its containers");
    lacks(!is_customers(detail.output_key.as_ref()), "output-without-cmk", "named no customer key for its output");
    lacks(!is_customers(detail.volume_key.as_ref()), "volume-without-cmk", "named no customer key for its volumes");
    let or_none = |key: Option<&ResourceId>| Text::new(key.map_or("none", ResourceId::as_str));
    let subnets = detail.vpc.as_ref().map_or_else(|| "none".to_owned(), |vpc| listed(&vpc.subnets));
    let draft = judge
        .on(ResourceRef::new(Kind::TrainingJob, &job.arn))
        .related(fed.cloned())
        .shows("EnableNetworkIsolation", detail.isolated)
        .shows("VpcConfig", subnets)
        .shows("EnableInterContainerTrafficEncryption", detail.traffic_encrypted)
        .shows("OutputDataConfig.KmsKeyId", or_none(detail.output_key.as_ref()))
        .shows("ResourceConfig.VolumeKmsKeyId", or_none(detail.volume_key.as_ref()))
        .shows_some("S3ModelArtifacts", detail.artifacts.as_ref());
    draft.conclude(problems, "isolated, in a VPC, and encrypted with keys of the customer")
}

/// Whether a key is named that AWS does not manage. why by the name: keys of training jobs are not in the lineage.
fn is_customers(key: Option<&ResourceId>) -> bool {
    key.is_some_and(|key| !key.as_str().contains("alias/aws/"))
}
