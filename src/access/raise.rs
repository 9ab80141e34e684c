//! Who can give themselves access through their own policies: by adding one, by changing one that they hold, or by
//! taking off the boundary that limits them. It counts only where the resource leaves it to its account.

use std::collections::HashMap;
use std::sync::Arc;

use super::decision::{Answer, Layer};
use super::identity::Identity;
use super::obtain::Obtain;
use super::plain::by_identity;
use super::policy::{Effect, Policy, Statement};
use super::principal::Caller;
use super::request::{Guards, Resource, Rules};
use super::scenario::Scenario;
use super::target::Target;
use super::who::{Matrix, People, Row, Who, answer};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::Inventory;

/// Everybody who can, with the action and what it is done to.
pub(super) fn raises(inventory: &Inventory, people: &People, target: &Target, matrix: &Matrix) -> Vec<Obtain> {
    let (open, guards) = (Scenario::open(), Guards::default());
    let rows: HashMap<&Who, &Row> = matrix.rows.iter().map(|row| (&row.who, row)).collect();
    let mut found = Vec::new();
    for identity in &people.identities {
        let who = Who::Caller(identity.caller.clone());
        let Some(row) = rows.get(&who) else { continue };
        let mut gains: HashMap<bool, bool> = HashMap::new();
        for (action, on, frees) in powers(inventory, identity) {
            if !may(identity, action) {
                continue;
            }
            let Some(arn) = on.arn() else { continue };
            let on_it = Resource { rules: Rules::None, ..Resource::plain(arn) };
            let decided = by_identity(identity, action, &on_it, &open, &guards);
            if decided.decision.is_denied() {
                continue;
            }
            let gains = gains.entry(frees).or_insert_with(|| {
                let raised = raised(identity, frees);
                gains_by(&raised, target, matrix, row, &open, &guards)
            });
            if *gains {
                let who = who.clone();
                let through = Vec::new();
                found.push(Obtain { who, action: action.to_owned(), on, through, decision: decided.decision });
            }
        }
    }
    found
}

/// Whether some policy of an identity may allow an action: a quick look, before the long one.
pub(super) fn may(identity: &Identity, action: &str) -> bool {
    let covers = |statement: &Statement| {
        statement.effect == Effect::Allow && statement.actions.as_ref().is_some_and(|actions| actions.cover(action))
    };
    !identity.gaps.is_empty()
        || matches!(identity.caller, Caller::Root(_))
        || identity.policies.iter().any(|(_, policy)| policy.statements.iter().any(covers))
}

/// By what an identity could raise itself, on what, and whether that takes off its boundary.
fn powers(inventory: &Inventory, identity: &Identity) -> Vec<(&'static str, ResourceId, bool)> {
    let Some(arn) = identity.caller.arn() else { return Vec::new() };
    let own = ResourceId::new(arn.to_string());
    let mut found: Vec<(&'static str, ResourceId, bool)> = Vec::new();
    let (attached, put, attach, free) = match &identity.caller {
        Caller::Role { .. } => {
            let attached = inventory.roles.get(&own).map(|role| role.attached.clone()).unwrap_or_default();
            (attached, "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary")
        }
        Caller::User(_) => {
            let user = inventory.users.get(&own);
            let mut attached = user.map(|user| user.attached.clone()).unwrap_or_default();
            let groups = user.map(|user| user.groups.clone()).unwrap_or_default();
            for group in inventory.groups.values().filter(|group| groups.contains(&group.name)) {
                attached.extend(group.attached.iter().cloned());
                found.push(("iam:PutGroupPolicy", group.arn.clone(), false));
                found.push(("iam:AttachGroupPolicy", group.arn.clone(), false));
            }
            (attached, "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:DeleteUserPermissionsBoundary")
        }
        Caller::Root(_) | Caller::Service(_) => return found,
    };
    found.push((put, own.clone(), false));
    found.push((attach, own.clone(), false));
    if identity.boundary.is_some() {
        found.push((free, own, true));
    }
    // AWS's own policies cannot be changed by anybody.
    let customers = |policy: &ResourceId| policy.arn().is_some_and(|held: Arn| held.account == arn.account);
    found.extend(attached.into_iter().filter(customers).map(|policy| ("iam:CreatePolicyVersion", policy, false)));
    found
}

/// The identity after it: with a policy that allows everything, or without its boundary.
fn raised(identity: &Identity, frees: bool) -> Identity {
    let mut raised = identity.clone();
    if frees {
        raised.boundary = None;
        return raised;
    }
    raised.policies.push((Layer::Identity(Text::new("(one that it adds)")), Arc::new(Policy::everything())));
    raised
}

fn gains_by(
    raised: &Identity,
    target: &Target,
    matrix: &Matrix,
    row: &Row,
    scenario: &Scenario,
    guards: &Guards,
) -> bool {
    let denied = |cell: &Answer| cell.decision.is_denied();
    matrix
        .actions
        .iter()
        .zip(&row.cells)
        .filter(|(_, cell)| denied(cell))
        .any(|(action, _)| !denied(&answer(target, raised, action, scenario, guards)))
}
