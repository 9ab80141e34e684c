//! CUS-IAM-11: service roles with one purpose each, that still exist.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ResourceId, Timestamp};
use crate::inventory::{Inventory, Kind, Read, ResourceRef, SourceId, Tags};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed, listed_refs};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_11: Control = Control {
    id: "CUS-IAM-11",
    title: "One purpose per service role; no dangling role ARNs",
    severity: Severity::Low,
    area: Area::Identity,
    what: "service roles of jobs and of invocation logging",
    lists: &[],
    // why tables: that a role serves one purpose alone is only known when every use of roles is.
    tables: &[
        SourceId::JOBS,
        SourceId::JOB_DETAILS,
        SourceId::IMPORT_JOBS,
        SourceId::IMPORT_JOB_DETAILS,
        SourceId::EVALUATION_JOBS,
        SourceId::EVALUATION_JOB_DETAILS,
        SourceId::BATCH_JOBS,
        SourceId::LOGGING,
        SourceId::AUTHORIZATION,
        SourceId::TAGS,
    ],
    details: &[],
    logic: "A role must serve only one of customization, import, evaluation, batch inference and invocation logging, \
            and only jobs of one data class, as far as jobs are tagged with one (data-classification). A role that the \
            newest job of its kind, or logging, names and that does not exist any more is a warning: somebody else \
            could make a role of that name.",
    reasons: &["shared-role", "mixed-classification", "dangling-role"],
    remediation: "Make a role for each purpose, and name it in the next job.",
    cli: "aws iam create-role --role-name ROLE --assume-role-policy-document file://TRUST.json",
    compliance: &[
        (NIST, &["AC-5", "AC-6"]),
        (FEDRAMP, &["AC-5", "AC-6"]),
        (PCI, &["7.2.5"]),
        (ATLAS, &["AML.M0019"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: service_roles,
};

/// What a role is used for.
#[derive(Default)]
struct Uses {
    /// By purpose.
    by: BTreeMap<&'static str, BTreeSet<ResourceRef>>,
    /// The data classes of its jobs, in one spelling, with a job of each.
    classes: BTreeMap<String, ResourceRef>,
    /// What names it and counts now: the newest job of a purpose, or logging.
    current: Vec<ResourceRef>,
}

fn service_roles(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut verdicts = Vec::new();
    for (arn, uses) in uses(inventory) {
        let users: BTreeSet<ResourceRef> = uses.by.values().flatten().cloned().collect();
        let subject = judge.on(ResourceRef::new(Kind::Role, arn)).related(users.iter().cloned());
        let name = arn.last();
        let mut problems = Vec::new();
        if uses.by.len() > 1 {
            let why = format!("role {name} serves {}", listed(uses.by.keys()));
            problems.push(Problem::fail("shared-role", why));
        }
        if uses.classes.len() > 1 {
            let jobs = listed_refs(judge.context, uses.classes.values());
            let why = format!("role {name} serves jobs on data of classes {} ({jobs})", listed(uses.classes.keys()));
            problems.push(Problem::fail("mixed-classification", why));
        }
        let mut gone = false;
        if !inventory.roles.contains_key(arn) {
            if let Some(why) = judge.gap(SourceId::AUTHORIZATION) {
                verdicts.push(subject.unread(why));
                continue;
            }
            gone = true;
            if !uses.current.is_empty() {
                let by = listed_refs(judge.context, &uses.current);
                let why = format!("{by} names role {name}, which does not exist: whoever makes it becomes its role");
                problems.push(Problem::warn("dangling-role", why));
            }
        }
        if gone && problems.is_empty() {
            verdicts
                .push(subject.not_applicable(format!("role {name} does not exist any more; only old jobs name it")));
            continue;
        }
        let mut draft = subject.shows("purposes", listed(uses.by.keys()));
        for (&purpose, users) in &uses.by {
            draft = draft.shows(purpose, listed_refs(judge.context, users));
        }
        verdicts.extend(draft.conclude(problems, format!("serves {} alone", listed(uses.by.keys()))));
    }
    verdicts
}

/// One job, as far as roles go.
struct Named<'a> {
    role: Option<&'a ResourceId>,
    by: ResourceRef,
    created: Timestamp,
    tags: Option<&'a Read<Tags>>,
}

fn uses(inventory: &Inventory) -> BTreeMap<&ResourceId, Uses> {
    let mut found: BTreeMap<&ResourceId, Uses> = BTreeMap::new();
    add(
        &mut found,
        "customization",
        inventory.jobs.values().map(|job| Named {
            role: job.detail.known().ok().map(|detail| &detail.role),
            by: ResourceRef::new(Kind::Job, &job.arn),
            created: job.created,
            tags: Some(&job.tags),
        }),
    );
    add(
        &mut found,
        "import",
        inventory.import_jobs.values().map(|job| Named {
            role: job.detail.known().ok().map(|detail| &detail.role),
            by: ResourceRef::new(Kind::ImportJob, &job.arn),
            created: job.created,
            tags: Some(&job.tags),
        }),
    );
    add(
        &mut found,
        "evaluation",
        inventory.evaluation_jobs.values().map(|job| Named {
            role: job.detail.known().ok().map(|detail| &detail.role),
            by: ResourceRef::new(Kind::EvaluationJob, &job.arn),
            created: job.created,
            tags: None,
        }),
    );
    add(
        &mut found,
        "batch inference",
        inventory.batch_jobs.values().map(|job| Named {
            role: Some(&job.role),
            by: ResourceRef::new(Kind::BatchJob, &job.arn),
            created: job.created,
            tags: None,
        }),
    );
    let logging = inventory.logging.known().ok().and_then(Option::as_ref).and_then(|it| it.cloud_watch.as_ref());
    add(
        &mut found,
        "logging",
        logging.into_iter().map(|target| Named {
            role: Some(&target.role),
            by: ResourceRef::new(Kind::Logging, "invocation-logging"),
            created: Timestamp::from_secs(0),
            tags: None,
        }),
    );
    found
}

fn add<'a>(found: &mut BTreeMap<&'a ResourceId, Uses>, purpose: &'static str, jobs: impl Iterator<Item = Named<'a>>) {
    let mut newest: Option<Named<'a>> = None;
    for job in jobs {
        // A role that was not read is the list's gap.
        if let Some(role) = job.role.filter(|role| !role.as_str().is_empty()) {
            let uses = found.entry(role).or_default();
            uses.by.entry(purpose).or_default().insert(job.by.clone());
            if let Some(class) = job.tags.and_then(|tags| tags.known().ok()).and_then(class) {
                uses.classes.entry(class).or_insert_with(|| job.by.clone());
            }
        }
        if newest.as_ref().is_none_or(|held| (held.created, &held.by) < (job.created, &job.by)) {
            newest = Some(job);
        }
    }
    if let Some(job) = newest
        && let Some(uses) = job.role.and_then(|role| found.get_mut(role))
    {
        uses.current.push(job.by);
    }
}

/// The data class that tags tell, in one spelling.
fn class(tags: &Tags) -> Option<String> {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let says = |key: &str| matches!(plain(key).as_str(), "dataclassification" | "classification" | "dataclass");
    let value = tags.iter().find(|(key, _)| says(key.as_str()))?.1;
    (!value.is_empty()).then(|| value.as_str().trim().to_lowercase())
}
