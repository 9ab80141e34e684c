//! Who can become the role that is open: worked out once for it and kept, because views must not.

use super::model::{Model, Place};
use crate::access::People;
use crate::access::obtain::{self, Becomes};
use crate::inventory::{Kind, ResourceRef};

/// What was worked out, for what, and of which state of the inventory.
#[derive(Debug)]
pub struct Held {
    role: ResourceRef,
    revision: u64,
    found: Becomes,
}

/// Brings it up to date with what is open.
pub fn settle(model: &mut Model) {
    let open = model.stack.iter().rev().find_map(|spot| match &spot.place {
        Place::Resource(of) if of.kind == Kind::Role && model.inventory.holds(of) => Some(of.clone()),
        _ => None,
    });
    let Some(role) = open else {
        model.becomes = None;
        return;
    };
    if model.becomes.as_ref().is_some_and(|held| held.role == role && held.revision == model.revision) {
        return;
    }
    let found = obtain::becomes(&model.inventory, &People::of(&model.inventory), &role.id);
    model.becomes = Some(Held { role, revision: model.revision, found });
    model.dirty = true;
}

/// What is known of a role.
pub fn of<'a>(model: &'a Model, role: &ResourceRef) -> Option<&'a Becomes> {
    model.becomes.as_ref().filter(|held| held.role == *role).map(|held| &held.found)
}
