//! Who can invoke custom models: by the names of models, or whatever there is and will be.

use std::collections::BTreeMap;

use crate::access::{Condition, ContextValue, Decision, Identity, Scenario, pattern};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::{
    Granted, NOBODY, decide, granted, idle, may, principal, scenario, serves, settle, ways,
};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_08: Control = Control {
    id: "CUS-IAM-08",
    title: "Custom-model invocation is granted per model ARN",
    severity: Severity::High,
    area: Area::Identity,
    what: "principals that may invoke custom models",
    // why no lists: the models only say whether there is something to protect; a wildcard means those to come too.
    lists: &[],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "An Allow of InvokeModel, InvokeModelWithResponseStream (which authorise Converse too), \
            InvokeModelWithBidirectionalStream or CreateModelInvocationJob must name custom models, deployments, \
            imported models and provisioned throughput by ARN. One that means every resource of such a kind is a \
            failure, under a condition too; a wildcard within a name, or every resource with a tag, is a warning. \
            Statements on base models alone do not matter, and what a Deny or the boundary takes away does not count.",
    reasons: &["wildcard-models", "wildcard-in-name", "by-tag"],
    remediation: "Name in Resource the ARNs of the deployments, throughput and imported models that the principal uses.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name invoke --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-3", "AC-6"]),
        (FEDRAMP, &["AC-3", "AC-6"]),
        (PCI, &["7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM02", "LLM10"]),
        (ATLAS, &["AML.T0040", "AML.T0024"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: by_name,
};

/// Actions that invoke. why the third, which the catalogue of actions does not list: AWS documents it for streams in
/// both directions.
const INVOKES: &[&str] = &[
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:InvokeModelWithBidirectionalStream",
    "bedrock:CreateModelInvocationJob",
];

/// The kinds of resource that a custom model is invoked as.
pub(in crate::posture) const FAMILIES: &[&str] =
    &["custom-model", "custom-model-deployment", "imported-model", "provisioned-model"];

/// Something of a kind that is not there.
pub(in crate::posture) fn nobody_of(context: &Context<'_>, family: &str) -> Arn {
    let id = if family == "custom-model" { format!("{NOBODY}/{NOBODY}") } else { NOBODY.to_owned() };
    Arn {
        partition: context.partition.to_owned(),
        service: "bedrock".to_owned(),
        region: context.region.to_owned(),
        account: context.account.to_owned(),
        resource: format!("{family}/{id}"),
    }
}

/// What is found out about one principal.
#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    /// What it may invoke by name, and where that stands.
    named: BTreeMap<ResourceId, (Text, Text)>,
    unsure: Option<(&'static str, Text)>,
}

fn by_name(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    if let Some(said) = idle(judge, serves(judge)) {
        return said;
    }
    let now = scenario(context);
    let families: Vec<(&str, Arn)> = FAMILIES.iter().map(|family| (*family, nobody_of(context, family))).collect();
    let mut verdicts = Vec::new();
    for identity in judge.permissions().holders(judge, INVOKES) {
        let Some(this) = principal(identity) else { continue };
        let mut found = Found::default();
        for by in granted(identity).filter(|by| INVOKES.iter().any(|action| by.covers(action))) {
            found.whole(context, identity, by, &families, &now);
            found.parts(context, identity, by, &now);
        }
        let Found { problems, named, unsure } = found;
        if problems.is_empty() && named.is_empty() {
            // Base models are another matter.
            let why = unsure.map(|(_, why)| why).or_else(|| identity.gaps.first().cloned());
            verdicts.extend(why.map(|why| judge.on(this).undecided("uncertain", why)));
            continue;
        }
        let models = named.keys().filter_map(|id| reference(context.inventory, id));
        let mut draft = judge.on(this).related(models).shows("here", count(context.inventory));
        for (id, (place, pointer)) in &named {
            draft = draft.points("invokes", format!("{id} by {place}"), Some(pointer.clone()));
        }
        let right = format!("it may invoke {}, by name", listed(named.keys().map(ResourceId::last)));
        verdicts.extend(settle(draft, identity, problems, unsure, right));
    }
    if verdicts.is_empty() {
        let draft = judge.on_region().shows("principals", judge.permissions().everybody().len());
        verdicts.push(draft.pass("no role or user may invoke a custom model"));
    }
    verdicts
}

impl Found {
    /// Kinds of which a statement means every resource.
    fn whole(
        &mut self,
        context: &Context<'_>,
        identity: &Identity,
        by: Granted<'_>,
        families: &[(&str, Arn)],
        now: &Scenario,
    ) {
        let Some(resources) = &by.statement.resources else { return };
        let mut kinds = Vec::new();
        let mut best: Option<(&str, Decision)> = None;
        for (family, nobody) in families.iter().filter(|(_, nobody)| resources.cover(nobody)) {
            let Some((action, decision)) = self.left(identity, by, nobody, now) else { continue };
            kinds.push(*family);
            if best.is_none() || decision.is_allowed() {
                best = Some((action, decision));
            }
        }
        let Some((action, decision)) = best else { return };
        let name = identity.caller.name();
        let what = format!("{} lets {name} do {action} on every {}", by.place(), listed(&kinds));
        let tags = by.statement.conditions.iter().filter(|held| is_on_tags(held));
        let tags: Vec<Text> = tags.map(Condition::words).collect();
        let problem = if tags.is_empty() {
            let when = match &decision {
                Decision::Conditional { conditions, .. } => format!(" when {}", listed(conditions)),
                _ => String::new(),
            };
            Problem::fail("wildcard-models", format!("{what}{when}")).shows("reaches", count(context.inventory))
        } else {
            Problem::warn("by-tag", format!("{what} with a tag ({})", listed(tags)))
        };
        self.problems.push(problem.points("statement", by.words(), by.statement.pointer()));
    }

    /// What a statement says of single resources of these kinds.
    fn parts(&mut self, context: &Context<'_>, identity: &Identity, by: Granted<'_>, now: &Scenario) {
        // why any kind: what the pattern says of it is read from the pattern itself.
        let like = nobody_of(context, "custom-model");
        if by.statement.resources.as_ref().is_none_or(|resources| resources.negated) {
            return;
        }
        for (written, _, on) in ways(identity, by, &like) {
            let resource = written.splitn(6, ':').nth(5).unwrap_or_default();
            let Some((kind, id)) = resource.split_once('/') else { continue };
            let ours = on.service == "bedrock" && on.region == context.region && on.account == context.account;
            let Some(family) = FAMILIES.iter().find(|family| pattern::matches(kind, family)).filter(|_| ours) else {
                continue;
            };
            // The base model stands before the id of a custom model.
            let id = id.rsplit('/').next().unwrap_or_default();
            let wild = id.contains(['*', '?', '$']);
            if wild && pattern::matches(id, NOBODY) {
                continue;
            }
            let Some((action, _)) = self.left(identity, by, &on, now) else { continue };
            if wild {
                let (name, written) = (identity.caller.name(), Text::new(&written));
                let why = format!("{} lets {name} do {action} on each {family} that '{written}' means", by.place());
                let problem = Problem::warn("wildcard-in-name", why);
                self.problems.push(problem.points("statement", by.words(), by.statement.pointer()));
            } else {
                self.named.insert(ResourceId::new(&written), (by.place(), by.statement.pointer()));
            }
        }
    }

    /// An action of a statement that nothing takes away on a model.
    fn left(
        &mut self,
        identity: &Identity,
        by: Granted<'_>,
        on: &Arn,
        now: &Scenario,
    ) -> Option<(&'static str, Decision)> {
        let now = now.clone().with("bedrock:ModelArn", ContextValue::one(on.to_string()));
        let mut best = None;
        for action in INVOKES.iter().copied().filter(|action| by.covers(action)) {
            match decide(identity, action, on, &now) {
                // Where another statement gives it too, that one is told.
                decision if may(&decision) && decision.by().iter().any(|one| by.is(one)) => {
                    let plain = decision.is_allowed();
                    if plain || best.is_none() {
                        best = Some((action, decision));
                    }
                    if plain {
                        break;
                    }
                }
                decision @ Decision::Uncertain { .. } => {
                    let why = || ("uncertain", Text::new(format!("{action} on {on}: {}", decision.words())));
                    self.unsure.get_or_insert_with(why);
                }
                _ => {}
            }
        }
        best
    }
}

/// Whether a condition asks for a tag of the resource.
fn is_on_tags(condition: &Condition) -> bool {
    const TAG: &str = "aws:ResourceTag/";
    super::binds(condition) && condition.key.get(..TAG.len()).is_some_and(|head| head.eq_ignore_ascii_case(TAG))
}

/// What there is to invoke.
fn count(inventory: &Inventory) -> String {
    let of = |count: usize, kind: Kind| (count > 0).then(|| format!("{count} {}", kind.word()));
    listed(
        [
            of(inventory.models.len(), Kind::Model),
            of(inventory.deployments.len(), Kind::Deployment),
            of(inventory.imported_models.len(), Kind::ImportedModel),
            of(inventory.throughputs.len(), Kind::Throughput),
        ]
        .into_iter()
        .flatten(),
    )
}

/// A model, or what serves it, as a resource that is there.
fn reference(inventory: &Inventory, id: &ResourceId) -> Option<ResourceRef> {
    let kinds = [Kind::Deployment, Kind::Throughput, Kind::ImportedModel, Kind::Model];
    kinds.into_iter().map(|kind| ResourceRef::new(kind, id)).find(|reference| inventory.holds(reference))
}
