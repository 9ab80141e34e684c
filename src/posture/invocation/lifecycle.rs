//! CUS-INV-07: whether a served model was evaluated, and how long what it is built on lasts.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ResourceId;
use crate::base::time::span;
use crate::inventory::bedrock::{CustomModel, EvaluationJob, JobStatus};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Draft, Judge, Problem, Subject, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_07: Control = Control {
    id: "CUS-INV-07",
    title: "A served model has a completed evaluation and a live base model",
    severity: Severity::Medium,
    area: Area::Invocation,
    what: "custom models that are deployed or have throughput",
    lists: &[SourceId::MODELS, SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS],
    tables: &[SourceId::EVALUATION_JOBS, SourceId::FOUNDATION_MODELS],
    details: &[],
    logic: "For each custom model of this account that a deployment or provisioned throughput serves: a completed \
            evaluation job, made after the model, names it or what serves it; and its base model is ACTIVE and does \
            not end within 90 days. Evaluations that Bedrock keeps no job of are not seen.",
    reasons: &["not-evaluated", "base-legacy", "base-ends-soon", "base-not-listed"],
    remediation: "Evaluate the model before it serves, and plan to train again on a base model that lasts.",
    cli: "aws bedrock create-evaluation-job --job-name NAME --inference-config file://MODELS.json …",
    compliance: &[
        (NIST, &["CA-2", "SA-11", "SI-2"]),
        (FEDRAMP, &["CA-2", "SA-11", "SI-2"]),
        (PCI, &["6.3.3"]),
        (GDPR, &["35"]),
        (OWASP, &["LLM04", "LLM09"]),
        (ATLAS, &["AML.M0008"]),
        (SRA, &["S3"]),
    ],
    fixes: &[],
    evaluate: served,
};

/// So near its end a base model is told.
const NOTICE: i64 = 90 * 86_400;

fn served(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut servers: BTreeMap<&ResourceId, BTreeSet<ResourceRef>> = BTreeMap::new();
    let running = inventory.deployments.values().filter(|one| one.status != "Failed");
    for one in running {
        servers.entry(&one.model).or_default().insert(ResourceRef::new(Kind::Deployment, &one.arn));
    }
    for one in inventory.throughputs.values().filter(|one| one.status != "Failed") {
        servers.entry(&one.model).or_default().insert(ResourceRef::new(Kind::Throughput, &one.arn));
    }
    let mut evaluations: BTreeMap<&ResourceId, Vec<&EvaluationJob>> = BTreeMap::new();
    for job in inventory.evaluation_jobs.values() {
        job.models.iter().for_each(|model| evaluations.entry(model).or_default().push(job));
    }
    let mut verdicts = Vec::new();
    for (id, by) in &servers {
        if let Some(model) = inventory.models.get(*id).filter(|model| model.owned) {
            verdicts.extend(of_model(judge, model, by, &evaluations));
        }
    }
    verdicts
}

fn of_model(
    judge: &Judge<'_>,
    model: &CustomModel,
    by: &BTreeSet<ResourceRef>,
    evaluations: &BTreeMap<&ResourceId, Vec<&EvaluationJob>>,
) -> Vec<Verdict> {
    let subject = judge.on_item(Kind::Model, model).related(by.iter().cloned());
    // why what serves it: an evaluation invokes the model, and a custom model is invoked through a deployment or
    // throughput.
    let names = std::iter::once(&model.arn).chain(by.iter().map(|server| &server.id));
    let about: Vec<&EvaluationJob> = names.filter_map(|id| evaluations.get(id)).flatten().copied().collect();
    let counts = |job: &&&EvaluationJob| job.status == JobStatus::Completed && job.created >= model.created;
    let done = about.iter().find(counts);
    let words = |job: &&EvaluationJob| format!("{} ({}, {})", job.name, job.status, job.created.minute());
    let draft = subject
        .shows("evaluations", if about.is_empty() { "none".to_owned() } else { listed(about.iter().map(words)) })
        .shows("servedBy", listed(by.iter().map(|server| server.id.last())))
        .shows("baseModelArn", &model.base_model);
    let mut problems = Vec::new();
    let mut open = if done.is_none() { judge.gap(SourceId::EVALUATION_JOBS) } else { None };
    if done.is_none() && open.is_none() {
        let why = match about.as_slice() {
            [] => "no evaluation job names it".to_owned(),
            jobs if jobs.iter().any(|job| job.status == JobStatus::Completed) => {
                "its evaluations are older than the model".to_owned()
            }
            jobs => format!("no evaluation of it is completed ({})", listed(jobs.iter().map(|job| &job.status))),
        };
        problems.push(Problem::fail("not-evaluated", format!("model {} is served, but {why}", model.name)));
    }
    let (draft, problem) = base(judge, model, draft);
    if let Some(problem) = problem {
        // What is missing from a list that is not whole is not known to be gone.
        match judge.gap(SourceId::FOUNDATION_MODELS).filter(|_| problem.code == "base-not-listed") {
            Some(why) => open = open.or(Some(why)),
            None => problems.push(problem),
        }
    }
    draft.conclude_open(problems, open.map(|why| ("unread", why)), "was evaluated, and its base model is active")
}

/// What is wrong with the base model.
fn base<'a>(
    judge: &Judge<'_>,
    model: &CustomModel,
    draft: Draft<Subject<'a>>,
) -> (Draft<Subject<'a>>, Option<Problem>) {
    // A model that was made by CreateCustomModel has none.
    if model.base_model.as_str().is_empty() {
        return (draft, None);
    }
    let models = &judge.context.inventory.foundation_models;
    // why: a base model may be named with the variant that was tuned, such as `…-v1:0:128k`.
    let shorter = || model.base_model.as_str().rsplit_once(':').and_then(|(head, _)| models.get(head));
    let (name, called) = (&model.name, model.base_model.last());
    let Some(base) = models.get(&model.base_model).or_else(shorter) else {
        let why = format!("the base model of {name} is no longer listed: {called}");
        return (draft, Some(Problem::warn("base-not-listed", why)));
    };
    let draft =
        draft.shows("modelLifecycle.status", &base.lifecycle).shows_some("modelLifecycle.endOfLifeTime", base.ends);
    let left = base.ends.map(|ends| ends.secs_since(judge.context.now));
    let problem = match left {
        Some(left) if left < 0 => {
            let why = format!("the base model of {name}, {}, has ended", base.name);
            Some(Problem::fail("base-ends-soon", why))
        }
        Some(left) if left < NOTICE => {
            let why = format!("the base model of {name}, {}, ends in {}", base.name, span(left));
            Some(Problem::fail("base-ends-soon", why))
        }
        _ if base.lifecycle != "ACTIVE" => {
            let why = format!("the base model of {name}, {}, is {}", base.name, base.lifecycle);
            Some(Problem::fail("base-legacy", why))
        }
        _ => None,
    };
    (draft, problem)
}
