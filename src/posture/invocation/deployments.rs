//! CUS-INV-02: whether what is deployed may be.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::capacity::model_ref;
use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::Deployment;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::assess::run;
use crate::posture::catalogue::{
    self,
    framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA},
};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::permissions::Said;
use crate::posture::verdict::{Area, Severity, Status, Verdict};

pub(in crate::posture) const INV_02: Control = Control {
    id: "CUS-INV-02",
    title: "On-demand deployments serve only compliant models",
    severity: Severity::High,
    area: Area::Invocation,
    what: "active on-demand deployments",
    lists: &[SourceId::DEPLOYMENTS, SourceId::MODELS],
    tables: &[],
    details: &[SourceId::DEPLOYMENT_DETAILS, SourceId::MODEL_DETAILS, SourceId::KEYS, SourceId::LOGGING],
    logic: "For each deployment that is active or being created: the model it serves, and the one it is being moved to, \
            must pass CUS-KMS-01 (customer managed key), and its Region must pass CUS-LOG-01 (invocation logging) and \
            the model CUS-GRD-02 (enforced guardrail). A model that is not in the account is a failure. What one of these \
            controls does not know is not known here.",
    reasons: &["model-not-compliant", "region-not-compliant", "model-missing"],
    remediation: "Serve a model that has a customer managed key, and switch on logging and an enforced guardrail. bedwatch \
                  never deletes deployments.",
    cli: "aws bedrock get-custom-model-deployment --custom-model-deployment-identifier DEPLOYMENT",
    compliance: &[
        (NIST, &["CM-3", "CM-8", "SA-10"]),
        (FEDRAMP, &["CM-3", "CM-8", "SA-10"]),
        (PCI, &["6.5.2"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM03", "LLM10"]),
        (ATLAS, &["AML.T0040", "AML.M0019"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: deployments,
};

/// What the model must pass, and what the region.
const OF_MODEL: &str = "CUS-KMS-01";
const OF_REGION: [&str; 2] = ["CUS-LOG-01", "CUS-GRD-02"];

fn deployments(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let active: Vec<&Deployment> =
        inventory.deployments.values().filter(|one| matches!(one.status.as_str(), "Active" | "Creating")).collect();
    // why: the other controls are asked once, not for each deployment.
    if active.is_empty() {
        return Vec::new();
    }
    let mut models: BTreeMap<ResourceId, Said> = BTreeMap::new();
    for verdict in said(judge, OF_MODEL).iter() {
        match models.get(&verdict.resource.id) {
            Some(held) if held.status <= verdict.status => {}
            _ => _ = models.insert(verdict.resource.id.clone(), verdict.clone()),
        }
    }
    let region: Vec<Said> = OF_REGION.iter().flat_map(|id| said(judge, id).to_vec()).collect();
    active.into_iter().flat_map(|one| of_deployment(judge, one, &models, &region)).collect()
}

fn said(judge: &Judge<'_>, id: &'static str) -> Arc<[Said]> {
    let ask = || catalogue::control(id).map(|control| run(control, judge.context, judge.shared)).unwrap_or_default();
    judge.shared.said(id, ask)
}

fn of_deployment(
    judge: &Judge<'_>,
    one: &Deployment,
    models: &BTreeMap<ResourceId, Said>,
    region: &[Said],
) -> Vec<Verdict> {
    let name = &one.name;
    let subject = judge.on_item(Kind::Deployment, one);
    let detail = match one.detail.known() {
        Ok(detail) => detail,
        Err(unknown) => return vec![subject.unread(unread("bedrock:GetCustomModelDeployment", unknown))],
    };
    let next = detail.updating_to.as_ref().filter(|next| **next != one.model);
    let draft = subject
        .clone()
        .related([&one.model].into_iter().chain(next).filter_map(model_ref))
        .shows("modelArn", &one.model)
        .shows("status", &one.status)
        .shows_some("updateDetails.modelArn", next)
        .shows_some("updateDetails.updateStatus", detail.update_status.as_ref());
    let (mut problems, mut unknown): (Vec<Problem>, Option<Text>) = (Vec::new(), None);
    let mut doubt = |why: &Text| _ = unknown.get_or_insert_with(|| why.clone());
    for (model, how) in [(&one.model, "serves")].into_iter().chain(next.map(|next| (next, "is being moved to"))) {
        let called = judge.context.name_of(&ResourceRef::new(Kind::Model, model));
        match models.get(model) {
            Some(verdict) if verdict.status == Status::Fail => {
                let why = format!("deployment {name} {how} {called}, which fails {OF_MODEL}: {}", verdict.reason);
                problems.push(Problem::fail("model-not-compliant", why).shows(OF_MODEL, verdict.code));
            }
            Some(verdict) if verdict.status == Status::Unknown => doubt(&verdict.reason),
            Some(_) => {}
            None => match judge.gap(SourceId::MODELS) {
                Some(why) => doubt(&why),
                None => {
                    let why = format!("deployment {name} {how} {called}, which is no model of this account");
                    problems.push(Problem::fail("model-missing", why));
                }
            },
        }
    }
    // why not of other models: that somebody can go past their guardrail is nothing of this one.
    let served = |verdict: &&Said| {
        !matches!(verdict.resource.kind, Kind::Model | Kind::ImportedModel)
            || verdict.resource.id == one.model
            || next.is_some_and(|next| verdict.resource.id == *next)
    };
    for verdict in region.iter().filter(served) {
        match verdict.status {
            Status::Fail => {
                let why = format!(
                    "deployment {name} is served in a Region that fails {}: {}",
                    verdict.control, verdict.reason
                );
                problems.push(Problem::fail("region-not-compliant", why).shows(verdict.control, verdict.code));
            }
            Status::Unknown => doubt(&verdict.reason),
            _ => {}
        }
    }
    let open = unknown.map(|why| ("unread", why));
    draft.conclude_open(problems, open, "serves a model with a customer managed key, where invocations are recorded")
}
