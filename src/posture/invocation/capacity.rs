//! CUS-INV-01: whether provisioned throughput serves what it should, and is used.

use crate::base::ResourceId;
use crate::base::arn::ArnKind;
use crate::base::time::span;
use crate::inventory::bedrock::Throughput;
use crate::inventory::cloudwatch::Metric;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_01: Control = Control {
    id: "CUS-INV-01",
    title: "Provisioned throughput is known, in use and points at the approved model",
    severity: Severity::Medium,
    area: Area::Invocation,
    what: "provisioned throughput",
    lists: &[SourceId::THROUGHPUTS],
    tables: &[SourceId::MODELS, SourceId::METRICS],
    details: &[],
    logic: "Each provisioned throughput must be in service, serve the model it is asked to serve (desiredModelArn), and \
            that model must exist in this account. It must have been invoked within 30 days (CloudWatch Invocations), \
            once it is older than seven. A commitment that ends within 30 days is told. One that is not \
            among the names that were ordered ([expect] approved-throughputs) fails; without such names, look at each \
            throughput here for one that nobody ordered.",
    reasons: &["not-ordered", "not-in-service", "drift", "model-missing", "foreign-model", "idle", "commitment-ends"],
    remediation: "Find out who ordered it and what for. bedwatch never deletes throughput: a commitment is billed to its \
                  end.",
    cli: "aws bedrock get-provisioned-model-throughput --provisioned-model-id THROUGHPUT",
    compliance: &[
        (NIST, &["CM-8", "SC-5"]),
        (FEDRAMP, &["CM-8", "SC-5"]),
        (PCI, &["12.5.1"]),
        (OWASP, &["LLM10"]),
        (ATLAS, &["AML.T0034"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: throughputs,
};

const DAY: i64 = 86_400;
/// So young it need not have been used.
const GRACE: i64 = 7 * DAY;
/// So near the end of a commitment is told.
const NOTICE: i64 = 30 * DAY;

fn throughputs(judge: &Judge<'_>) -> Vec<Verdict> {
    judge.context.inventory.throughputs.values().flat_map(|one| of_throughput(judge, one)).collect()
}

fn of_throughput(judge: &Judge<'_>, one: &Throughput) -> Vec<Verdict> {
    let context = judge.context;
    let name = &one.name;
    let id = Metric::id_of("Invocations", Some(&one.arn));
    let used = context.inventory.metrics.get(&id).map(|metric| metric.month);
    let draft = judge
        .on(ResourceRef::new(Kind::Throughput, &one.arn))
        .related(model_ref(&one.model))
        .shows("modelArn", &one.model)
        .shows("status", &one.status)
        .shows("modelUnits", one.units)
        .shows_some("desiredModelArn", one.desired_model.as_ref())
        .shows_some("commitmentDuration", one.commitment.as_ref())
        .shows_some("commitmentExpirationTime", one.commitment_ends)
        .shows_some("invocations in 30 days", used);
    let mut problems = Vec::new();
    match one.status.as_str() {
        "InService" => {}
        "Failed" => problems.push(Problem::fail("not-in-service", format!("throughput {name} has failed"))),
        other => {
            let why = format!("throughput {name} is {other}, not in service");
            problems.push(Problem::warn("not-in-service", why).graded(Severity::Low));
        }
    }
    let drifts = one.desired_model.as_ref().filter(|desired| **desired != one.model);
    // why not while it updates: then it is on the way.
    if let (Some(desired), true) = (drifts, one.status != "Updating") {
        let why = format!("throughput {name} serves {}, but is asked to serve {}", one.model.last(), desired.last());
        problems.push(Problem::warn("drift", why));
    }
    problems.extend(model(judge, one));
    let ordered = &context.expect.approved_throughputs;
    if !ordered.is_empty() && !ordered.contains(name.as_str()) {
        let why = format!("throughput {name} is not among those that were ordered: {}", listed(ordered));
        problems.push(Problem::fail("not-ordered", why).graded(Severity::High));
    }
    let mut open = None;
    let age = context.now.secs_since(one.created);
    match used {
        Some(month) if month <= 0.0 && age >= GRACE => {
            let since = span(age.min(30 * DAY));
            let why = format!("nobody has invoked throughput {name} for {since}: {} units stand idle", one.units);
            problems.push(Problem::fail("idle", why));
        }
        None if judge.gap(SourceId::METRICS).is_none() => {
            let why = format!("whether throughput {name} is used is not known: its invocations were not counted");
            open = Some(("not-counted", why));
        }
        _ => {}
    }
    if let Some(ends) = one.commitment_ends {
        let left = ends.secs_since(context.now);
        if (0..NOTICE).contains(&left) {
            let why =
                format!("the commitment of throughput {name} ends in {}: then it is billed by the hour", span(left));
            problems.push(Problem::warn("commitment-ends", why).graded(Severity::Low));
        }
    }
    draft.conclude_open(problems, open, format!("serves {}, and is used", one.model.last()))
}

/// Whether what it serves is there and ours.
fn model(judge: &Judge<'_>, one: &Throughput) -> Option<Problem> {
    let context = judge.context;
    let arn = one.model.arn()?;
    if arn.kind() != ArnKind::CustomModel {
        return None;
    }
    if arn.account != context.account {
        let why = format!("throughput {} serves a model of account {}", one.name, arn.account);
        return Some(Problem::fail("foreign-model", why));
    }
    // What is missing from a list that is not whole is not known to be gone.
    if context.inventory.models.contains_key(&one.model) || judge.gap(SourceId::MODELS).is_some() {
        return None;
    }
    let why = format!("throughput {} serves {}, which is not among the models", one.name, one.model.last());
    Some(Problem::fail("model-missing", why))
}

/// A model that lineage knows, by its ARN.
pub(super) fn model_ref(id: &ResourceId) -> Option<ResourceRef> {
    let kind = match id.arn()?.kind() {
        ArnKind::CustomModel => Kind::Model,
        ArnKind::ImportedModel => Kind::ImportedModel,
        ArnKind::FoundationModel => Kind::FoundationModel,
        _ => return None,
    };
    Some(ResourceRef::new(kind, id))
}
