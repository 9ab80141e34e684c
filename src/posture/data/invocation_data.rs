//! CUS-DAT-12: what a distillation learns from the invocation log.

use std::collections::BTreeSet;

use super::macie::{Uncovered, coverage};
use crate::base::Timestamp;
use crate::inventory::bedrock::{CustomizationJob, InvocationLogs};
use crate::inventory::guardrails::{GuardrailDetail, GuardrailVersion};
use crate::inventory::s3::Presence;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP};
use crate::posture::control::{Context, Control};
use crate::posture::jobs;
use crate::posture::judge::{Judge, Problem};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_12: Control = Control {
    id: "CUS-DAT-12",
    title: "Invocation logs are not trained on unfiltered",
    severity: Severity::Medium,
    area: Area::Data,
    what: "distillation jobs that learn from invocation logs",
    lists: &[SourceId::JOBS],
    tables: &[],
    // why no guardrails: they matter only to a job that learns from logged answers, and are asked for there.
    details: &[SourceId::JOB_DETAILS, SourceId::MACIE, SourceId::MACIE_BUCKETS],
    logic: "A job that learns from the invocation log must narrow it by requestMetadataFilters, and Macie must look \
            into the bucket of the log. If it learns from the logged answers too (usePromptResponse), a guardrail that \
            keeps personal data out of answers must have been there before the job: none at all fails; one that is \
            not enforced for the account, or came later, is a warning, because nobody can tell whether callers used \
            it.",
    reasons: &["no-filter", "log-not-inspected", "answers-unmasked", "masking-not-enforced"],
    remediation: "Submit the job again with requestMetadataFilters that name whose requests may be learned from.",
    cli: "aws bedrock create-model-customization-job --training-data-config file://TRAINING.json …",
    compliance: &[
        (NIST, &["PT-2", "PT-3"]),
        (FEDRAMP, &["AC-21"]),
        (HIPAA, &["164.502(b)"]),
        (GDPR, &["5(1)(b)", "6(4)"]),
        (OWASP, &["LLM02", "LLM04"]),
        (ATLAS, &["AML.T0057", "AML.M0007"]),
    ],
    fixes: &[],
    evaluate: filtered,
};

fn filtered(judge: &Judge<'_>) -> Vec<Verdict> {
    jobs::each(judge, judge.context.inventory.jobs.values(), |subject, job, detail| {
        let Some(logs) = &detail.invocation_logs else { return Vec::new() };
        let bucket = logs.source.as_ref().map(|uri| ResourceRef::new(Kind::Bucket, &uri.bucket));
        let draft = subject
            .related(bucket)
            .shows("invocationLogSource", logs.source.as_ref().map_or("none".to_owned(), ToString::to_string))
            .shows("requestMetadataFilters", if logs.filtered { "present" } else { "none" })
            .shows("usePromptResponse", logs.use_responses);
        let (mut problems, mut open) = (Vec::new(), Vec::new());
        if !logs.filtered {
            let why = format!("job {} learns from every logged request: it has no requestMetadataFilters", job.name);
            problems.push(Problem::fail("no-filter", why));
        }
        match inspected(judge, job, logs) {
            Ok(problem) => problems.extend(problem),
            Err(why) => open.push(why),
        }
        if logs.use_responses {
            match masked(judge, job) {
                Ok(problem) => problems.extend(problem),
                Err(why) => open.push(why),
            }
        }
        let open = open.into_iter().next().map(|why| ("unread", why));
        draft.conclude_open(problems, open, "learns from filtered and inspected logs")
    })
}

/// Whether Macie looks into the bucket of the log.
fn inspected(judge: &Judge<'_>, job: &CustomizationJob, logs: &InvocationLogs) -> Result<Option<Problem>, String> {
    let Some(source) = &logs.source else { return Ok(None) };
    let Some(bucket) = judge.context.inventory.buckets.get(&source.bucket) else {
        let gap = judge.gap(SourceId::BUCKETS);
        return Err(
            gap.map_or_else(|| format!("bucket {} is not in the inventory", source.bucket), |gap| gap.to_string())
        );
    };
    if matches!(bucket.presence(), Some(Presence::Foreign | Presence::Gone)) {
        return Err(format!(
            "bucket {} is not in this account: whether Macie looked into it is not known",
            bucket.name
        ));
    }
    match coverage(judge, bucket) {
        Ok(_) => Ok(None),
        Err(Uncovered::Unknown(why)) => Err(why),
        Err(Uncovered::Not(problem)) => {
            let why = format!("job {} learns from logs that Macie does not look into: {}", job.name, problem.reason);
            Ok(Some(Problem { reason: why, code: "log-not-inspected", ..problem }))
        }
    }
}

/// Whether a guardrail kept personal data out of the answers that are learned from.
fn masked(judge: &Judge<'_>, job: &CustomizationJob) -> Result<Option<Problem>, String> {
    let inventory = judge.context.inventory;
    let sources = [SourceId::ENFORCED_GUARDRAILS, SourceId::GUARDRAILS, SourceId::GUARDRAIL_DETAILS];
    let masking = masking(judge.context);
    let in_time = |version: &&GuardrailVersion| version.created <= job.created;
    let enforced = inventory.enforced_guardrails.values().any(|one| {
        let everywhere = one.excluded.is_empty() && one.included.iter().all(|model| model.as_str() == "ALL");
        let id = GuardrailVersion::id_of(&one.guardrail, one.version.as_str());
        everywhere && masking.iter().filter(|version| in_time(version)).any(|version| version.id == id)
    });
    if enforced {
        return Ok(None);
    }
    if let Some(why) = judge.any_gap(&sources) {
        return Err(why.to_string());
    }
    let name = &job.name;
    Ok(Some(if masking.is_empty() {
        let why = format!("job {name} learns from logged answers, and no guardrail keeps personal data out of them");
        Problem::fail("answers-unmasked", why)
    } else {
        let names: BTreeSet<&str> = masking.iter().map(|version| version.guardrail.last()).collect();
        let first = masking.iter().map(|version| version.created).min().map(Timestamp::minute).unwrap_or_default();
        let why = format!(
            "job {name} learns from logged answers; whether a guardrail masked personal data in them is not known, \
             because none that does was enforced when the job was created"
        );
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        Problem::warn("masking-not-enforced", why).shows("guardrails", names).shows("since", first)
    }))
}

/// Versions of guardrails that keep something personal out of answers.
fn masking<'a>(context: &Context<'a>) -> Vec<&'a GuardrailVersion> {
    let acts = |detail: &GuardrailDetail| detail.sensitive.iter().any(|filter| filter.output.acts());
    let versions = context.inventory.guardrail_versions.values();
    versions.filter(|version| version.detail.known().is_ok_and(acts)).collect()
}
