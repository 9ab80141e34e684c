//! CUS-GRD-02: whether calls of a served model can go past the guardrail.

mod callers;
mod enforcement;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::base::arn::ArnKind;
use crate::base::{Arn, ResourceId};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use callers::Callers;
use enforcement::{Enforcement, Reach};

pub(in crate::posture) const GRD_02: Control = Control {
    id: "CUS-GRD-02",
    title: "Calls of custom models cannot bypass the guardrail",
    severity: Severity::High,
    area: Area::Guardrails,
    what: "served custom models and imported models",
    lists: &[SourceId::MODELS, SourceId::IMPORTED_MODELS, SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS],
    tables: &[SourceId::ENFORCED_GUARDRAILS, SourceId::AUTHORIZATION],
    details: &[SourceId::BEDROCK_POLICY, SourceId::GUARDRAIL_DETAILS],
    logic: "For each custom model that a deployment or throughput serves, and each imported model, one of three must hold: \
            a guardrail enforced for the account, or one of the organization's Bedrock policy, covers the model (included, \
            not excluded) and guards system prompts and messages wholly (COMPREHENSIVE, the default); or every role and \
            user that may invoke it is refused without a guardrail, and with another. A guardrail that guards only what \
            callers tag (input tags HONOR) is a warning. An enforced guardrail with an automated-reasoning policy fails \
            every call. The organization's own guardrails cannot be read from a member account.",
    reasons: &["no-enforcement", "not-covered", "selective", "honors-input-tags", "automated-reasoning"],
    remediation: "Enforce a guardrail for the account, for all models and comprehensively, after trying it with \
                  ApplyGuardrail.",
    cli: "aws bedrock put-enforced-guardrail-configuration --guardrail-inference-config file://CONFIG.json",
    compliance: &[
        (NIST, &["AC-3", "AC-4", "SI-10"]),
        (FEDRAMP, &["AC-3", "AC-4", "SI-10"]),
        (PCI, &["6.2.4"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM01", "LLM05"]),
        (ATLAS, &["AML.T0051", "AML.T0054", "AML.M0020"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: enforced,
};

/// A model that can be invoked, and by what.
pub(super) struct Served<'a> {
    model: ResourceRef,
    name: String,
    /// The deployments, throughputs or the imported model itself.
    servers: Vec<ResourceRef>,
    base: Option<&'a ResourceId>,
}

fn enforced(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let all = served(context);
    if all.is_empty() {
        return Vec::new();
    }
    let mut gaps: Vec<String> =
        judge.gap(SourceId::ENFORCED_GUARDRAILS).map(|gap| gap.to_string()).into_iter().collect();
    let mut enforcements = enforcement::of_account(context);
    match context.inventory.settings.bedrock_policy.known() {
        Err(unknown) => gaps.push(unread("organizations:DescribeEffectivePolicy", unknown)),
        Ok(None) => {}
        Ok(Some(document)) => match enforcement::of_organization(context, document) {
            Ok(found) => enforcements.extend(found),
            Err(why) => gaps.push(format!("the organization's Bedrock policy: {why}")),
        },
    }
    let (held, questions) = (OnceCell::new(), callers::questions(context));
    let mut callers = Callers::new(judge, &held, &questions);
    all.iter().map(|served| judged(judge, served, &enforcements, &gaps, &mut callers)).collect()
}

fn judged<'j>(
    judge: &Judge<'_>,
    served: &'j Served<'_>,
    enforcements: &[Enforcement],
    gaps: &[String],
    callers: &mut Callers<'j, '_>,
) -> Verdict {
    let name = &served.name;
    let mut draft = judge
        .on(served.model.clone())
        .related(served.servers.iter().filter(|server| **server != served.model).cloned())
        .shows("servedBy", listed(served.servers.iter().map(|server| judge.context.name_of(server))));
    let mut doubts: Vec<String> = gaps.to_vec();
    let mut unsure_of_reasoning: Vec<String> = Vec::new();
    let (mut holds, mut honoring, mut selective, mut leaving): (Vec<&Enforcement>, Vec<_>, Vec<_>, Vec<_>) =
        Default::default();
    for one in enforcements {
        let reach = one.reach(served);
        draft = draft.shows("enforcement", format!("{}: {}", one.words(), reach.words()));
        match reach {
            Reach::Leaves => leaving.push(one),
            Reach::Unsure(why) => doubts.push(format!("{}: {why}", one.label())),
            Reach::Covers => {
                match &one.reasoning {
                    Ok(true) => {
                        let why = format!(
                            "{} has an automated-reasoning policy: every call of model {name} fails at run time",
                            one.label()
                        );
                        return draft.fail("automated-reasoning", why);
                    }
                    Ok(false) => {}
                    Err(why) => unsure_of_reasoning.push(why.clone()),
                }
                if one.selective {
                    selective.push(one);
                } else if one.honors_tags {
                    honoring.push(one);
                } else {
                    holds.push(one);
                }
            }
        }
    }
    if let (true, Some(why)) = (!holds.is_empty(), unsure_of_reasoning.first()) {
        return draft.undecided("unread", why);
    }
    if let Some(one) = holds.first() {
        return draft.pass(format!("{} stands before every call", one.label()));
    }
    let bound = callers.bound(served);
    let draft = draft.shows("callers", &bound.words);
    if bound.holds && unsure_of_reasoning.is_empty() {
        return draft.pass("whoever may invoke it is refused without the guardrail");
    }
    doubts.extend(bound.doubts);
    doubts.extend(unsure_of_reasoning);
    if !doubts.is_empty() {
        doubts.dedup();
        return draft.undecided("uncertain", listed(doubts));
    }
    let names = |all: &[&Enforcement]| listed(all.iter().map(|one| one.label()));
    let past = if bound.unbound.is_empty() {
        "nothing binds callers".to_owned()
    } else {
        format!("{} can invoke it without one", listed(&bound.unbound))
    };
    if !honoring.is_empty() {
        let why =
            format!("{} guards of model {name} only what callers tag: who tags nothing goes past it", names(&honoring));
        draft.warn("honors-input-tags", why)
    } else if !selective.is_empty() {
        let why = format!("{} guards calls of model {name} only in part (SELECTIVE); {past}", names(&selective));
        draft.fail("selective", why)
    } else if !leaving.is_empty() {
        draft.fail("not-covered", format!("{} leaves model {name} out; {past}", names(&leaving)))
    } else {
        draft.fail("no-enforcement", format!("no guardrail is enforced for model {name}; {past}"))
    }
}

/// Every model that can be invoked, once.
fn served<'a>(context: &Context<'a>) -> Vec<Served<'a>> {
    let inventory = context.inventory;
    let mut servers: BTreeMap<&ResourceId, Vec<ResourceRef>> = BTreeMap::new();
    for deployment in inventory.deployments.values() {
        servers.entry(&deployment.model).or_default().push(ResourceRef::new(Kind::Deployment, &deployment.arn));
    }
    for throughput in inventory.throughputs.values() {
        servers.entry(&throughput.model).or_default().push(ResourceRef::new(Kind::Throughput, &throughput.arn));
    }
    let custom = servers.into_iter().filter(|(model, _)| is_custom(model));
    let mut all: Vec<Served<'a>> = custom
        .map(|(id, servers)| {
            let model = ResourceRef::new(Kind::Model, id);
            let base = inventory.models.get(id).map(|model| &model.base_model);
            Served { name: context.name_of(&model), model, servers, base }
        })
        .collect();
    all.extend(inventory.imported_models.values().map(|imported| {
        let model = ResourceRef::new(Kind::ImportedModel, &imported.arn);
        Served { name: imported.name.to_string(), servers: vec![model.clone()], model, base: None }
    }));
    all
}

/// Throughput may serve a base model too, which is nothing of customization.
fn is_custom(model: &ResourceId) -> bool {
    model.arn().is_some_and(|arn: Arn| arn.kind() == ArnKind::CustomModel)
}
