//! The identity side of a caller: its own policies and its boundary, parsed once.

use std::collections::HashMap;
use std::sync::Arc;

use super::bounds::Bounds;
use super::decision::{Layer, Truth};
use super::policy::{Effect, Policy};
use super::principal::Caller;
use super::scan::{self, Ask, Side};
use super::scenario::{ContextValue, Facts};
use crate::base::{ResourceId, Text};
use crate::inventory::iam::InlinePolicy;
use crate::inventory::{Document, Inventory, SourceId};

/// A caller and everything on its identity side.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Who.
    pub caller: Caller,
    /// Its policies that could be read.
    pub policies: Vec<(Layer, Arc<Policy>)>,
    /// Its permissions boundary.
    pub boundary: Option<Boundary>,
    /// What conditions can ask about it: its tags, its id.
    pub facts: Facts,
    /// Why its policies are not all known; each makes the identity side uncertain.
    pub gaps: Vec<Text>,
    /// What its organization imposes.
    pub bounds: Arc<Bounds>,
}

/// A permissions boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// Its ARN.
    pub arn: ResourceId,
    /// The document, or why it is not known.
    pub policy: Result<Arc<Policy>, Text>,
}

impl Identity {
    /// What the inventory holds of a caller.
    pub fn of(inventory: &Inventory, caller: &Caller) -> Self {
        Self::read(inventory, caller, &mut Parsed::default())
    }

    /// The same, with what is parsed already.
    pub(super) fn read(inventory: &Inventory, caller: &Caller, parsed: &mut Parsed) -> Self {
        let mut identity = Self {
            caller: caller.clone(),
            policies: Vec::new(),
            boundary: None,
            facts: Facts::none(),
            gaps: Vec::new(),
            bounds: Arc::clone(parsed.bounds.get_or_insert_with(|| Bounds::of(inventory))),
        };
        let mut reader = Reader { inventory, identity: &mut identity, parsed };
        match caller {
            // E9, E10: no identity policies.
            Caller::Service(_) | Caller::Root(_) => return identity,
            Caller::Role { arn, .. } => {
                let exact = inventory.roles.get(arn.to_string().as_str());
                // A session ARN carries no path: find the role by account and name.
                let role = exact.or_else(|| {
                    inventory.roles.values().find(|role| {
                        // why first: taking an ARN apart costs more, and a policy may name a thousand strangers.
                        role.arn.as_str().ends_with(arn.name())
                            && role.arn.arn().is_some_and(|held| {
                                held.account == arn.account
                                    && held.partition == arn.partition
                                    && held.name() == arn.name()
                            })
                    })
                });
                match role {
                    None => reader.missing("role"),
                    Some(role) => {
                        reader.inline(&role.inline);
                        reader.attached(&role.attached);
                        reader.boundary(role.boundary.as_ref());
                        // A session may bring tags of its own only where the trust policy lets it.
                        if !may_tag(&role.trust) {
                            reader.identity.facts.tags("aws:PrincipalTag/", &role.tags);
                        }
                        let held = role.arn.arn();
                        if let (Some(held), Caller::Role { arn, .. }) = (held, &mut reader.identity.caller) {
                            *arn = held;
                        }
                    }
                }
            }
            Caller::User(arn) if caller.is_federated() => {
                let name = arn.name();
                let why = "it has what the user who federated it has, as far as its session policy lets it, and neither is told by its ARN";
                reader.gap(format!("federated user {name}: {why}"));
            }
            Caller::User(arn) => match inventory.users.get(arn.to_string().as_str()) {
                None => reader.missing("user"),
                Some(user) => {
                    reader.inline(&user.inline);
                    reader.attached(&user.attached);
                    reader.boundary(user.boundary.as_ref());
                    reader.identity.facts.tags("aws:PrincipalTag/", &user.tags);
                    reader.identity.facts.set("aws:userid", ContextValue::one(user.user_id.as_str()));
                    for name in &user.groups {
                        let named = |group: &&crate::inventory::iam::Group| {
                            group.name == *name && group.arn.arn().is_some_and(|held| held.account == arn.account)
                        };
                        match inventory.groups.values().find(named) {
                            None => reader.gap(format!("group {name} is not in the inventory")),
                            Some(group) => {
                                reader.inline(&group.inline);
                                reader.attached(&group.attached);
                            }
                        }
                    }
                }
            },
        }
        // why: users and roles come from one pass; if that was not whole, what is held may be old.
        if let Err(gap) = inventory.coverage.complete(SourceId::AUTHORIZATION) {
            identity.gaps.push(Text::new(gap.to_string()));
        }
        identity
    }

    /// What its own policies and its boundary say. why at once: a document that is read says both what it allows and
    /// what it denies.
    pub(super) fn say(&self, ask: &Ask<'_>) -> Own {
        let (mut allow, mut deny) = (Vec::new(), Vec::new());
        for (layer, policy) in &self.policies {
            let found = scan::scan(policy, layer, Side::Identity, ask);
            allow.push(found.allow);
            deny.push(found.deny);
        }
        let within = match &self.boundary {
            None => Truth::plain_yes(),
            Some(Boundary { arn, policy: Ok(policy) }) => {
                let found = scan::scan(policy, &Layer::Boundary(arn.clone()), Side::Identity, ask);
                deny.push(found.deny);
                // A boundary gives nothing: it is not what allows.
                found.allow.unnamed()
            }
            Some(Boundary { policy: Err(why), .. }) => {
                deny.push(Truth::blind(why.clone()));
                Truth::blind(why.clone())
            }
        };
        let gaps = || self.gaps.iter().map(|gap| Truth::blind(gap.clone()));
        // E10: the root user has no identity policies; its side allows everything.
        let root = matches!(self.caller, Caller::Root(_));
        let allow = if root { Truth::plain_yes() } else { Truth::any(allow.into_iter().chain(gaps())) };
        Own { allow, within, deny: Truth::any(deny.into_iter().chain(gaps())) }
    }
}

/// What the identity side says to one question.
pub(super) struct Own {
    /// Whether the identity policies allow it, the boundary apart.
    pub allow: Truth,
    /// Whether the boundary lets it through; yes where there is none.
    pub within: Truth,
    /// Whether any of them denies it.
    pub deny: Truth,
}

/// Whether a trust policy may let somebody set tags for a session.
fn may_tag(trust: &Document) -> bool {
    Policy::parse(trust).is_ok_and(|policy| {
        policy.statements.iter().any(|statement| {
            statement.effect == Effect::Allow && statement.actions.as_ref().is_some_and(|a| a.cover("sts:TagSession"))
        })
    })
}

/// Documents that are parsed already: many principals share them.
#[derive(Default)]
pub(super) struct Parsed {
    policies: HashMap<String, Result<Arc<Policy>, String>>,
    bounds: Option<Arc<Bounds>>,
}

impl Parsed {
    fn policy(&mut self, document: &Document) -> Result<Arc<Policy>, String> {
        if let Some(known) = self.policies.get(document.raw()) {
            return known.clone();
        }
        let policy = Policy::parse(document).map(Arc::new).map_err(|error| error.to_string());
        self.policies.insert(document.raw().to_owned(), policy.clone());
        policy
    }
}

struct Reader<'a> {
    inventory: &'a Inventory,
    identity: &'a mut Identity,
    parsed: &'a mut Parsed,
}

impl Reader<'_> {
    fn gap(&mut self, why: String) {
        self.identity.gaps.push(Text::new(why));
    }

    fn missing(&mut self, kind: &str) {
        let name = self.identity.caller.arn().map(ToString::to_string).unwrap_or_default();
        self.gap(format!("{kind} {name} is not in the inventory"));
    }

    fn add(&mut self, name: &Text, document: &Document) {
        match self.parsed.policy(document) {
            Ok(policy) => self.identity.policies.push((Layer::Identity(name.clone()), policy)),
            Err(error) => self.gap(format!("policy {name}: {error}")),
        }
    }

    fn inline(&mut self, policies: &[InlinePolicy]) {
        for policy in policies {
            self.add(&policy.name, &policy.document);
        }
    }

    fn attached(&mut self, arns: &[ResourceId]) {
        for arn in arns {
            match self.inventory.policies.get(arn) {
                Some(policy) => self.add(&policy.name, &policy.document),
                None => self.gap(format!("attached policy {arn} is not in the inventory")),
            }
        }
    }

    fn boundary(&mut self, arn: Option<&ResourceId>) {
        let Some(arn) = arn else { return };
        let policy = match self.inventory.policies.get(arn) {
            Some(policy) => {
                self.parsed.policy(&policy.document).map_err(|error| format!("boundary {}: {error}", policy.name))
            }
            None => Err(format!("boundary {arn} is not in the inventory")),
        };
        self.identity.boundary = Some(Boundary { arn: arn.clone(), policy: policy.map_err(Text::new) });
    }
}
