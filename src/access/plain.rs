//! The question about a key in its plainest form, as controls and fixes ask it: one caller, one action,
//! every layer that the inventory holds.
//!
//! Session policies are not in the inventory, nor is the way that a request takes; every answer says so. What AWS does not settle comes out as `Uncertain`, what depends on the request as `Conditional`.

use std::sync::Arc;

use super::decision::Answer;
use super::identity::Identity;
use super::policy::{BadPolicy, Policy};
use super::principal::Caller;
use super::request::{Ground, Guards, Resource, Rules, evaluate};
use super::scenario::{ContextValue, Facts, Scenario};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::kms::{Grant, Key, KeyState};
use crate::inventory::{Document, Inventory, SourceId};

/// A key and everything on the resource's side, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyAccess {
    /// The key.
    pub arn: Arn,
    /// Its policy, or why that is not known.
    pub policy: Result<Arc<Policy>, Text>,
    /// Its grants, or why they are not known.
    pub grants: Result<Vec<Grant>, Text>,
    /// What stands beside every decision: a state in which the key cannot be used (E12).
    pub state: Option<Text>,
    /// What conditions can ask about it (`kms:KeySpec`, `kms:ResourceAliases`, …).
    pub facts: Facts,
    /// Whether AWS manages it.
    pub managed: bool,
}

impl KeyAccess {
    /// Of a key. `None` when its id is no key ARN.
    pub fn of(key: &Key) -> Option<Self> {
        Self::with(key, |document| Policy::parse(document).map(Arc::new))
    }

    /// The same by who has parsed its policy already.
    pub fn with(key: &Key, parse: impl FnOnce(&Document) -> Result<Arc<Policy>, BadPolicy>) -> Option<Self> {
        Some(Self::at(key.arn.arn()?, key, Self::policy_of(key, parse)))
    }

    /// The policy of a key, or why it is not known.
    pub(super) fn policy_of(
        key: &Key,
        parse: impl FnOnce(&Document) -> Result<Arc<Policy>, BadPolicy>,
    ) -> Result<Arc<Policy>, Text> {
        match key.policy.known() {
            Ok(document) => parse(document).map_err(|error| Text::new(format!("key policy: {error}"))),
            Err(unknown) => Err(Text::new(format!("key policy: {unknown}"))),
        }
    }

    /// A key whose ARN and policy are read already. What it takes of the key beside these, its grants and its aliases
    /// makes keys alike or not: [`super::alike::Likeness`].
    pub(super) fn at(arn: Arn, key: &Key, policy: Result<Arc<Policy>, Text>) -> Self {
        let grants = key.grants.known().cloned().map_err(|unknown| Text::new(format!("grants: {unknown}")));
        let mut facts = Facts::of_place(&arn);
        let mut managed = false;
        let state = match key.metadata.known() {
            Ok(metadata) => {
                for (key, value) in [
                    ("kms:KeySpec", &metadata.spec),
                    ("kms:KeyUsage", &metadata.usage),
                    ("kms:KeyOrigin", &metadata.origin),
                ] {
                    if !value.is_empty() {
                        facts.set(key, ContextValue::one(value.as_str()));
                    }
                }
                facts.set("kms:MultiRegion", ContextValue::one(metadata.multi_region.to_string()));
                managed = metadata.manager.as_str() == "AWS";
                (metadata.state != KeyState::Enabled).then(|| {
                    Text::new(format!("the key is {}: whoever is allowed still cannot use it", metadata.state))
                })
            }
            Err(unknown) => Some(Text::new(format!("state of the key: {unknown}"))),
        };
        if !key.aliases.is_empty() {
            let aliases = key.aliases.iter().map(|alias| format!("alias/{alias}")).collect();
            facts.set(OWN_FACT, ContextValue::Known(aliases));
        }
        Self { arn, policy, grants, state, facts, managed }
    }

    /// The same with another key policy: for previews.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        Self { policy: Ok(Arc::new(policy)), ..self.clone() }
    }

    /// As a resource that any question can be asked about.
    pub fn resource(self) -> Resource {
        Resource {
            owner: self.arn.account.clone(),
            arn: self.arn,
            open: false,
            rules: self.policy.map_or_else(Rules::Unknown, |policy| Rules::Known(Arc::unwrap_or_clone(policy))),
            grants: self.grants,
            facts: self.facts,
            managed: self.managed,
            notes: self.state.into_iter().collect(),
        }
    }
}

/// The only fact that no two keys share.
pub(super) const OWN_FACT: &str = "kms:ResourceAliases";

/// What no answer has looked at.
pub const UNSEEN: &str = "session policies and VPC endpoint policies are not evaluated";

/// Whether a caller may do `action` (`kms:Decrypt`) on a key, and by what (E1, E6–E12, G1–G4).
pub fn decide(key: &KeyAccess, identity: &Identity, action: &str, scenario: &Scenario) -> Answer {
    let notes: Vec<Text> = key.state.iter().cloned().collect();
    let ground = Ground {
        arn: &key.arn,
        open: false,
        owner: &key.arn.account,
        rules: Some(key.policy.as_deref()),
        grants: key.grants.as_deref(),
        facts: &key.facts,
        managed: key.managed,
        notes: &notes,
        by_identity: false,
    };
    evaluate(identity, action, ground, scenario, &Guards::default()).answer()
}

/// Whether the identity side alone allows `action` on a resource: what decides for services like
/// Bedrock in the same account when the resource has no policy of its own (E5).
pub fn identity_decides(identity: &Identity, action: &str, resource: &Arn, scenario: &Scenario) -> Answer {
    let facts = Facts::of_place(resource);
    let ground = Ground {
        arn: resource,
        open: false,
        owner: &resource.account,
        rules: None,
        grants: Ok(&[]),
        facts: &facts,
        managed: false,
        notes: &[],
        by_identity: true,
    };
    evaluate(identity, action, ground, scenario, &Guards::default()).answer()
}

/// The same on a resource that is held, under other layers.
pub(super) fn by_identity(
    identity: &Identity,
    action: &str,
    resource: &Resource,
    scenario: &Scenario,
    guards: &Guards,
) -> Answer {
    let ground = Ground { by_identity: true, ..resource.ground() };
    evaluate(identity, action, ground, scenario, guards).answer()
}

/// The whole question by ARNs: may `caller` do `action` on `key` in this inventory.
pub fn key_decision(
    inventory: &Inventory,
    key: &ResourceId,
    caller: &Caller,
    action: &str,
    scenario: &Scenario,
) -> Answer {
    let blind = |why: String| Answer::blind(why);
    let Some(held) = inventory.keys.get(key) else { return blind(format!("key {key} is not in the inventory")) };
    let Some(access) = KeyAccess::of(held) else { return blind(format!("{key} is no key ARN")) };
    decide(&access, &Identity::of(inventory, caller), action, scenario)
}

/// Everybody worth asking about for this key: the account's roles, users and root, and everyone the key
/// policy and the grants name. Whether that is all of them is the second value: `Err` says what is missing.
pub fn callers(inventory: &Inventory, key: &KeyAccess) -> (Vec<Caller>, Result<(), Text>) {
    let mut found: Vec<Caller> = Vec::new();
    let root = key.arn.clone();
    found.push(Caller::Root(Arn { region: String::new(), ..root.sibling("iam", "root") }));
    let known = inventory.roles.keys().chain(inventory.users.keys()).map(ResourceId::as_str);
    found.extend(known.filter_map(|arn| Caller::parse(arn).ok()));
    if let Ok(policy) = &key.policy {
        let entries = policy.statements.iter().filter_map(|s| s.principals.as_ref()).flat_map(|p| &p.entries);
        found.extend(entries.filter_map(|entry| match entry {
            super::PrincipalEntry::Account(id) => {
                Caller::parse(&format!("arn:{}:iam::{id}:root", key.arn.partition)).ok()
            }
            entry => Caller::parse(&entry.written()).ok(),
        }));
    }
    if let Ok(grants) = &key.grants {
        found.extend(grants.iter().filter_map(|grant| Caller::parse(grant.grantee.as_str()).ok()));
    }
    found.sort();
    found.dedup();
    let whole = inventory.coverage.complete(SourceId::AUTHORIZATION).map_err(|gap| Text::new(gap.to_string()));
    let whole = whole.and(key.policy.as_ref().map(|_| ()).map_err(Clone::clone));
    (found, whole.and(key.grants.as_ref().map(|_| ()).map_err(Clone::clone)))
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
