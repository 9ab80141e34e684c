//! Which document a layer of an answer stands in, so that a deciding statement can be shown where it was written.

use super::bounds::policy_of;
use super::decision::Layer;
use super::identity::Identity;
use super::target::Target;
use crate::base::ResourceId;
use crate::inventory::{Document, Inventory};

/// The documents of a layer, each with what a person calls it (`key policy of orion-chat`). Several only where
/// policies of one name reach a caller by different ways.
pub fn documents<'a>(
    inventory: &'a Inventory,
    target: &Target,
    identity: Option<&Identity>,
    layer: &Layer,
) -> Vec<(String, &'a Document)> {
    match layer {
        Layer::Identity(name) => {
            identity.map(|identity| of_caller(inventory, identity, name.as_str())).unwrap_or_default()
        }
        _ => single(inventory, target, layer).into_iter().collect(),
    }
}

fn single<'a>(inventory: &'a Inventory, target: &Target, layer: &Layer) -> Option<(String, &'a Document)> {
    let id = ResourceId::new(target.arn().to_string());
    match layer {
        Layer::KeyPolicy => {
            // A model is decided by the policy of its key.
            let of_model = match target {
                Target::Model(model) => model.key.as_ref().ok().and_then(Option::as_ref),
                Target::One(_) => None,
            };
            let id = of_model.map_or(id, |key| ResourceId::new(key.arn.to_string()));
            let key = inventory.keys.get(&id)?;
            Some((format!("key policy of {}", key.label()), key.policy.known().ok()?))
        }
        Layer::ResourcePolicy => {
            if let Some(role) = inventory.roles.get(&id) {
                return Some((format!("trust policy of {}", role.name), &role.trust));
            }
            if let Some(model) = inventory.models.get(&id) {
                return Some((format!("policy of model {}", model.name), model.policy.known().ok()?.as_ref()?));
            }
            if target.arn().service != "s3" {
                return None;
            }
            let name = target.arn().resource.split('/').next().unwrap_or_default();
            let bucket = inventory.buckets.get(name)?;
            Some((format!("bucket policy of {name}"), bucket.policy.known().ok()?.as_ref()?))
        }
        Layer::Boundary(arn) => {
            let policy = inventory.policies.get(arn)?;
            Some((format!("boundary {}", policy.name), &policy.document))
        }
        Layer::Scp(called) | Layer::Rcp(called) => {
            let policy = policy_of(inventory, layer)?;
            Some((called.to_string(), policy.document.known().ok()?))
        }
        _ => None,
    }
}

/// Inline policies before managed ones, a user's own before those of the groups.
fn of_caller<'a>(inventory: &'a Inventory, identity: &Identity, name: &str) -> Vec<(String, &'a Document)> {
    let caller = &identity.caller;
    let Some(arn) = caller.arn().map(ToString::to_string) else { return Vec::new() };
    let (inline, attached, groups) = match (inventory.roles.get(arn.as_str()), inventory.users.get(arn.as_str())) {
        (Some(role), _) => (&role.inline, &role.attached, &[][..]),
        (None, Some(user)) => (&user.inline, &user.attached, &user.groups[..]),
        (None, None) => return Vec::new(),
    };
    let groups: Vec<_> = inventory.groups.values().filter(|group| groups.contains(&group.name)).collect();
    let inline = inline.iter().chain(groups.iter().flat_map(|group| &group.inline));
    let attached = attached.iter().chain(groups.iter().flat_map(|group| &group.attached));
    let own = inline.filter(|policy| policy.name.as_str() == name).map(|policy| &policy.document);
    let managed = attached.filter_map(|arn| inventory.policies.get(arn));
    let managed = managed.filter(|policy| policy.name.as_str() == name).map(|policy| &policy.document);
    own.chain(managed).map(|document| (format!("policy {name} of {}", caller.name()), document)).collect()
}
