//! Who can use a model (B2–B5). A custom model is invoked through a deployment or provisioned throughput,
//! never by its own ARN; under a customer key the caller also needs that key, through Bedrock.

use super::actions;
use super::decision::{Answer, Tri, Truth};
use super::expr::Expr;
use super::identity::Identity;
use super::plain::KeyAccess;
use super::request::{Evaluation, Guards, Request, Resource, Rules};
use super::scenario::{ContextValue, Scenario};
use super::target;
use crate::base::arn::ArnKind;
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Inventory, SourceId};

/// A model, and what one needs to use it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The model itself: for what is done to it.
    pub resource: Resource,
    /// What it is invoked through.
    pub served: Vec<Resource>,
    /// The customer key it is under; `Ok(None)` for a key that AWS owns; else why that is not known.
    pub key: Result<Option<Box<Resource>>, Text>,
    /// Whether it is built on Amazon Nova, which needs GenerateDataKey too.
    pub nova: bool,
    /// Why it may be served elsewhere too.
    pub gaps: Vec<Text>,
}

impl Model {
    /// What the inventory holds of a model.
    pub fn of(inventory: &Inventory, id: &ResourceId, arn: Arn) -> Self {
        let mut gaps = Vec::new();
        let (mut served, key, rules, nova);
        if arn.kind() == ArnKind::ImportedModel {
            // Imported models are invoked directly.
            served = vec![Resource::plain(arn.clone())];
            let held = inventory.imported_models.get(id);
            key =
                named_key(held.map(|model| model.detail.known().map(|d| d.kms_key.clone()).map_err(|e| e.to_string())));
            (rules, nova) = (Rules::None, false);
        } else {
            let on = |model: &ResourceId| model == id;
            let deployments = inventory.deployments.values().filter(|one| on(&one.model)).map(|one| &one.arn);
            let throughputs = inventory.throughputs.values().filter(|one| on(&one.model)).map(|one| &one.arn);
            served = deployments.chain(throughputs).filter_map(ResourceId::arn).map(Resource::plain).collect();
            served.sort_by(|a, b| a.arn.cmp(&b.arn));
            for source in [SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS] {
                if let Err(gap) = inventory.coverage.complete(source) {
                    gaps.push(Text::new(gap.to_string()));
                }
            }
            let held = inventory.models.get(id);
            key =
                named_key(held.map(|model| model.detail.known().map(|d| d.kms_key.clone()).map_err(|e| e.to_string())));
            rules = held.map_or_else(
                || Rules::Unknown(Text::new("the model is not in the inventory")),
                |model| target::model_rules(&model.policy),
            );
            nova = held.is_some_and(|model| model.base_model.as_str().contains("amazon.nova"));
        }
        let key = key.and_then(|named| named.map(|named| held_key(inventory, &named)).transpose());
        Self { resource: Resource { rules, ..Resource::plain(arn) }, served, key, nova, gaps }
    }

    /// Whether a caller may do `action` with the model.
    pub fn answer(&self, identity: &Identity, action: &str, scenario: &Scenario, guards: &Guards) -> Answer {
        let action = actions::authorised_as(action);
        if !actions::invokes(action) {
            return Request { identity, action, resource: &self.resource, scenario, guards }.answer();
        }
        let mut ways = self.served.iter().map(|resource| {
            let bedrock = Request { identity, action, resource, scenario, guards }.evaluate();
            // why first: most principals cannot invoke it at all, and the key is the longer question.
            if bedrock.allow.tri() == Tri::No {
                bedrock
            } else {
                self.key_side(identity, guards).map_or(bedrock.clone(), |key| bedrock.and(key))
            }
        });
        let mut whole = match (ways.next(), ways.next()) {
            (None, _) => nowhere(identity),
            (Some(only), None) => only,
            (Some(first), Some(second)) => either([first, second].into_iter().chain(ways)),
        };
        for gap in &self.gaps {
            whole.allow = whole.allow.or(Truth::blind(gap.clone()));
        }
        whole.answer()
    }

    /// The key's part, with the request forwarded by Bedrock (B5).
    fn key_side(&self, identity: &Identity, guards: &Guards) -> Option<Evaluation> {
        let key = match &self.key {
            Ok(None) => return None,
            Ok(Some(key)) => key,
            Err(why) => {
                return Some(Evaluation::of(Truth::blind(why.clone()), Vec::new()));
            }
        };
        let through = Scenario::through_bedrock(&key.arn.region);
        // why: Bedrock's own request for the key comes through no endpoint of the caller's.
        let inside = guards.endpoint.as_ref().filter(|policies| !policies.is_empty());
        let inside = inside.map(|_| Guards { endpoint: Some(Vec::new()), ..guards.clone() });
        let guards = inside.as_ref().unwrap_or(guards);
        let ask = |action| Request { identity, action, resource: key, scenario: &through, guards }.evaluate();
        let decrypt = ask("kms:Decrypt");
        Some(if self.nova { decrypt.and(ask("kms:GenerateDataKey")) } else { decrypt })
    }
}

fn named_key(held: Option<Result<Option<ResourceId>, String>>) -> Result<Option<ResourceId>, Text> {
    match held {
        None => Err(Text::new("the model is not in the inventory: its key is not known")),
        Some(Err(why)) => Err(Text::new(format!("key of the model: {why}"))),
        Some(Ok(key)) => Ok(key),
    }
}

fn held_key(inventory: &Inventory, named: &ResourceId) -> Result<Box<Resource>, Text> {
    let by_alias = || {
        let alias = named.arn().filter(|arn| arn.kind() == ArnKind::Alias)?;
        let name = alias.resource.strip_prefix("alias/")?.to_owned();
        inventory.keys.values().find(|key| {
            key.aliases.iter().any(|held| held.as_str() == name)
                && key.arn.arn().is_some_and(|held| held.region == alias.region && held.account == alias.account)
        })
    };
    inventory
        .keys
        .get(named)
        .or_else(by_alias)
        .and_then(KeyAccess::of)
        .map(|access| Box::new(access.resource()))
        .ok_or_else(|| Text::new(format!("key {named} of the model is not in the inventory")))
}

fn nowhere(identity: &Identity) -> Evaluation {
    let name = identity.caller.name();
    let why = format!("{name} has nothing to invoke: the model has no deployment and no provisioned throughput");
    Evaluation::of(Truth::no(), vec![Text::new(why)])
}

/// One of them is enough. Each has its own denials, so they are settled one by one.
fn either(ways: impl Iterator<Item = Evaluation>) -> Evaluation {
    let mut whole: Option<Evaluation> = None;
    for way in ways {
        let open =
            Truth { when: Expr::all([way.allow.when.clone(), way.deny.when.clone().not()]), by: way.allow.by.clone() };
        let way = Evaluation { allow: open, ..way };
        whole = Some(match whole {
            None => way,
            Some(mut all) => {
                all.allow = all.allow.or(way.allow);
                all.deny = all.deny.and(way.deny);
                all.missing.extend(way.missing);
                all.missing.dedup();
                all.malformed.extend(way.malformed);
                all.veil = all.veil.or(way.veil);
                all.blocked.extend(way.blocked);
                all.paths.extend(way.paths);
                all
            }
        });
    }
    whole.unwrap_or_else(|| Evaluation::of(Truth::no(), Vec::new()))
}

/// Whether a caller may invoke through an inference profile: on the profile, and on the base model in each
/// region it sends to, where a policy may tie the model to the profile (B3).
pub fn profile_answer(
    identity: &Identity,
    action: &str,
    profile: &Arn,
    models: &[Arn],
    scenario: &Scenario,
    guards: &Guards,
) -> Answer {
    let action = actions::authorised_as(action);
    let on = Resource::plain(profile.clone());
    let mut whole = Request { identity, action, resource: &on, scenario, guards }.evaluate();
    let tied = scenario.clone().with("bedrock:InferenceProfileArn", ContextValue::one(profile.to_string()));
    for model in models {
        let resource = Resource::plain(model.clone());
        whole = whole.and(Request { identity, action, resource: &resource, scenario: &tied, guards }.evaluate());
    }
    if models.is_empty() {
        whole.allow = whole.allow.and(Truth::blind("which base models the profile sends to is not known"));
    }
    whole.answer()
}
