//! Who can: everybody worth asking about, what each may do, and who can get there by a detour.
//!
//! Nobody is left out in silence: whoever a policy or grant names stands in a row, and whoever cannot be
//! seen (the principals of another account, everybody, what was not read) stands in a row of its own.

use std::collections::BTreeSet;

use super::batch::{ANYONE, anybody};
use super::bounds::Bounds;
use super::decision::{Answer, Decision};
use super::engine::Survey;
use super::identity::{Identity, Parsed};
use super::models::Model;
use super::policy::Policy;
use super::principal::{Caller, PrincipalEntry};
use super::request::{Guards, Request, Resource, Rules};
use super::scenario::{ContextValue, Scenario};
use super::target::Target;
use super::{actions, plain};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Inventory, SourceId};

/// Whom a row is about. The order is the order of rows: the unexpected first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// Anybody, in any account.
    Anyone,
    /// Whoever an account that is not ours lets.
    Account(String),
    /// Principals of our account that were not read.
    Unseen(String),
    /// This principal.
    Caller(Caller),
}

impl Who {
    /// What a person calls it.
    pub fn name(&self) -> Text {
        Text::new(match self {
            Self::Anyone => "* (anyone, in any account)".to_owned(),
            Self::Account(id) => format!("account {id} (delegated; its principals are not visible)"),
            Self::Unseen(id) => format!("any other principal of {id} (not read)"),
            Self::Caller(Caller::Role { arn, session: Some(session) }) => format!("{} as {session}", arn.name()),
            Self::Caller(caller) => caller.name().to_owned(),
        })
    }

    /// Its ARN, service name, account number, or `*`.
    pub fn id(&self) -> ResourceId {
        match self {
            Self::Anyone => "*".into(),
            Self::Account(id) | Self::Unseen(id) => ResourceId::new(id),
            Self::Caller(caller) => {
                caller.arn().map_or_else(|| ResourceId::new(caller.name()), |arn| ResourceId::new(arn.to_string()))
            }
        }
    }

    /// Whether no principal stands behind it that was read.
    pub fn is_synthetic(&self) -> bool {
        !matches!(self, Self::Caller(_))
    }
}

/// Everybody of an inventory, with policies parsed once.
pub struct People {
    /// Users, roles and the root user of the account, by ARN.
    pub identities: Vec<Identity>,
    /// Why there may be more.
    pub gap: Option<Text>,
    parsed: Parsed,
}

impl People {
    /// Reads them.
    pub fn of(inventory: &Inventory) -> Self {
        let mut parsed = Parsed::default();
        let known = inventory.roles.keys().chain(inventory.users.keys());
        let callers = known.filter_map(|arn| Caller::parse(arn.as_str()).ok());
        let mut identities: Vec<Identity> = callers.map(|one| Identity::read(inventory, &one, &mut parsed)).collect();
        identities.sort_by(|a, b| a.caller.cmp(&b.caller));
        let gap = inventory.coverage.complete(SourceId::AUTHORIZATION).err().map(|gap| Text::new(gap.to_string()));
        Self { identities, gap, parsed }
    }
}

/// One row: what somebody may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Who.
    pub who: Who,
    /// Whether it belongs to another account, or to nobody.
    pub foreign: bool,
    /// One answer for each action of the matrix.
    pub cells: Vec<Answer>,
}

impl Row {
    /// Whether anything of it is not plainly denied.
    pub fn has_access(&self) -> bool {
        self.cells.iter().any(|cell| !cell.decision.is_denied())
    }

    fn order(&self) -> (u8, bool, &Who) {
        let class = match &self.who {
            Who::Anyone => 0,
            Who::Account(_) => 1,
            Who::Caller(caller) if self.foreign && caller.arn().is_some() => 2,
            Who::Unseen(_) => 3,
            Who::Caller(Caller::Service(_)) => 5,
            Who::Caller(_) => 4,
        };
        (class, !self.has_access(), &self.who)
    }
}

/// Who can do what.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// On what.
    pub resource: Arn,
    /// The columns.
    pub actions: Vec<String>,
    /// The unexpected first.
    pub rows: Vec<Row>,
    /// What makes it incomplete. Empty: it is all there is to see.
    pub gaps: Vec<Text>,
    /// What stands beside every cell.
    pub notes: Vec<Text>,
}

/// Asks everybody.
pub fn who_can(inventory: &Inventory, target: &Target, actions: &[String], scenario: &Scenario) -> Matrix {
    who_of(inventory, &mut People::of(inventory), target, actions, scenario)
}

/// The same, with people that are read already.
pub fn who_of(
    inventory: &Inventory,
    people: &mut People,
    target: &Target,
    actions: &[String],
    scenario: &Scenario,
) -> Matrix {
    who_under(inventory, people, target, actions, scenario, &Guards::default())
}

/// The same under other layers: a session policy that everybody's session has, an endpoint that everybody comes through.
pub fn who_under(
    inventory: &Inventory,
    people: &mut People,
    target: &Target,
    actions: &[String],
    scenario: &Scenario,
    guards: &Guards,
) -> Matrix {
    let owner = target.owner().to_owned();
    let mut notes: Vec<Text> = guards.unseen().into_iter().collect();
    let mut gaps: Vec<Text> = people.gap.iter().cloned().collect();
    gaps.extend(Bounds::of(inventory).gap());
    for resource in resources(target) {
        if let Rules::Unknown(why) = &resource.rules {
            gaps.push(why.clone());
        }
        gaps.extend(resource.grants.as_ref().err().cloned());
        notes.extend(resource.notes.iter().cloned());
        notes.extend(orphans(resource));
    }
    if let Target::Model(model) = target {
        gaps.extend(model.gaps.iter().cloned());
        gaps.extend(model.key.as_ref().err().cloned());
    }
    let partition = &target.arn().partition;
    let mut rows: Vec<Row> = Vec::new();
    // why: such a row is about what an account may hand on; what binds it from above is a part of what it hands on.
    let delegated = Guards { scps: Some(Vec::new()), ..guards.clone() };
    let row = |who: Who, identity: &Identity, scenario: &Scenario| {
        let guards = if matches!(who, Who::Account(_)) { &delegated } else { guards };
        let cells = actions.iter().map(|action| answer(target, identity, action, scenario, guards)).collect();
        let foreign = identity.caller.account().is_none_or(|account| account != owner);
        Row { who, foreign, cells }
    };
    let mut seen: BTreeSet<Caller> = people.identities.iter().map(|identity| identity.caller.clone()).collect();
    match target {
        Target::One(resource) if asks_plainly(resource, actions) => {
            let mut survey = Survey::of(&people.identities, actions, scenario, guards);
            let grid = survey.grid(resource);
            for (person, identity) in people.identities.iter().enumerate() {
                let cells = (0..actions.len()).map(|column| survey.answer(person, column, resource, &grid));
                let foreign = identity.caller.account().is_none_or(|account| account != owner);
                rows.push(Row { who: Who::Caller(identity.caller.clone()), foreign, cells: cells.collect() });
            }
        }
        _ => people
            .identities
            .iter()
            .for_each(|identity| rows.push(row(Who::Caller(identity.caller.clone()), identity, scenario))),
    }
    let mut ask = |who: Who, identity: &Identity, scenario: &Scenario| rows.push(row(who, identity, scenario));
    let root = |account: &str| Caller::parse(&format!("arn:{partition}:iam::{account}:root")).ok();
    let bare = |caller: Caller| Identity::read(inventory, &caller, &mut Parsed::default());
    if let Some(root) = root(&owner) {
        seen.insert(root.clone());
        ask(Who::Caller(root.clone()), &bare(root), scenario);
    }
    let mut everybody = false;
    for (entry, negated) in resources(target).into_iter().flat_map(named) {
        everybody |= negated || entry == PrincipalEntry::Everyone;
        match entry {
            PrincipalEntry::Account(id) if id != owner => {
                let Some(caller) = root(&id).filter(|caller| seen.insert(caller.clone())) else { continue };
                ask(Who::Account(id.clone()), &bare(caller), &somebody(scenario.clone()));
            }
            PrincipalEntry::Arn(_) | PrincipalEntry::Service(_) => {
                let Ok(caller) = Caller::parse(&entry.written()) else { continue };
                // A role that a policy names by another path is the one that was read.
                let identity = Identity::read(inventory, &caller, &mut people.parsed);
                if seen.insert(identity.caller.clone()) {
                    ask(Who::Caller(identity.caller.clone()), &identity, scenario);
                }
            }
            _ => {}
        }
    }
    if everybody && let Some(anyone) = root(ANYONE) {
        ask(Who::Anyone, &bare(anyone), &anybody(scenario.clone()));
    }
    if let (Some(gap), Ok(nobody)) = (&people.gap, Caller::parse(&format!("arn:{partition}:iam::{owner}:user/?"))) {
        let mut identity = bare(nobody);
        identity.gaps = vec![gap.clone()];
        ask(Who::Unseen(owner.clone()), &identity, &somebody(scenario.clone()));
    }
    rows.sort_by(|a, b| a.order().cmp(&b.order()));
    gaps.dedup();
    Matrix { resource: target.arn().clone(), actions: actions.to_vec(), rows, gaps, notes }
}

/// What follows from one principal is not known of an account's.
fn somebody(scenario: Scenario) -> Scenario {
    ["aws:PrincipalArn", "aws:PrincipalType", "aws:username", "aws:userid"]
        .into_iter()
        .fold(scenario, |scenario, key| scenario.unless(key, ContextValue::Unknown))
}

/// Whether each action is asked of the resource itself: not of some object of a bucket, nor of the account that a role
/// belongs to.
fn asks_plainly(resource: &Resource, actions: &[String]) -> bool {
    let bucket = resource.arn.service == "s3" && actions.iter().any(|action| actions::is_on_objects(action));
    let role = resource.arn.service == "iam" && resource.arn.resource.starts_with("role/");
    !bucket && !role
}

/// One cell.
pub fn answer(target: &Target, identity: &Identity, action: &str, scenario: &Scenario, guards: &Guards) -> Answer {
    match target {
        Target::Model(model) => model.answer(identity, action, scenario, guards),
        Target::One(resource) => {
            let some_object =
                actions::is_on_objects(action) && resource.arn.service == "s3" && !resource.arn.resource.contains('/');
            if some_object {
                let mut objects = (**resource).clone();
                objects.arn.resource.push('/');
                objects.open = true;
                return Request { identity, action, resource: &objects, scenario, guards }.answer();
            }
            let is_role = resource.arn.service == "iam" && resource.arn.resource.starts_with("role/");
            if is_role && !action.to_ascii_lowercase().starts_with("sts:") {
                // Only becoming a role is decided by its trust policy; the rest by the account's own policies.
                let account = Resource {
                    rules: Rules::None,
                    facts: resource.facts.clone(),
                    ..Resource::plain(resource.arn.clone())
                };
                return plain::by_identity(identity, action, &account, scenario, guards);
            }
            Request { identity, action, resource, scenario, guards }.answer()
        }
    }
}

fn resources(target: &Target) -> Vec<&Resource> {
    match target {
        Target::One(resource) => vec![resource],
        Target::Model(model) => {
            let Model { resource, key, .. } = &**model;
            std::iter::once(resource).chain(key.as_ref().ok().and_then(Option::as_deref)).collect()
        }
    }
}

/// Everybody whom a resource's policy or grants name; with `true` when it names whom it spares.
fn named(resource: &Resource) -> Vec<(PrincipalEntry, bool)> {
    let mut found = Vec::new();
    if let Rules::Known(Policy { statements, .. }) = &resource.rules {
        for principals in statements.iter().filter_map(|statement| statement.principals.as_ref()) {
            found.extend(principals.entries.iter().map(|entry| (entry.clone(), principals.negated)));
        }
    }
    for grant in resource.grants.iter().flatten() {
        let written = grant.grantee.as_str();
        let kind = if written.contains(':') { "AWS" } else { "Service" };
        found.extend(PrincipalEntry::new(kind, written).map(|entry| (entry, false)));
    }
    found
}

/// Ids of principals that are gone (P5).
fn orphans(resource: &Resource) -> Vec<Text> {
    let ids: BTreeSet<String> = named(resource)
        .into_iter()
        .filter_map(|(entry, _)| match entry {
            PrincipalEntry::UniqueId(id) => Some(id),
            _ => None,
        })
        .collect();
    ids.into_iter().map(|id| Text::new(format!("{id} is the id of a deleted principal: nobody has it"))).collect()
}

/// In what an answer differs from an earlier one, for the one who asks who gains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shift {
    /// Was denied, is allowed, perhaps under conditions.
    Gain,
    /// Under fewer conditions than before.
    Widen,
    /// Under other conditions; neither includes the other, or nobody can tell.
    Change,
    /// Under more conditions.
    Narrow,
    /// Was allowed, is denied.
    Lose,
}

impl Shift {
    /// `gain`, …
    pub fn word(self) -> &'static str {
        match self {
            Self::Gain => "gain",
            Self::Widen => "widen",
            Self::Change => "change",
            Self::Narrow => "narrow",
            Self::Lose => "lose",
        }
    }

    /// Between two answers; `None` when nothing has changed.
    pub fn between(before: &Answer, after: &Answer) -> Option<Self> {
        // why of what was read: what could not be seen of an organization is the same before and after.
        let uncertain = |answer: &Answer| matches!(answer.of_what_was_read(), Decision::Uncertain { .. });
        match (before.decision.is_denied(), after.decision.is_denied()) {
            (true, true) => None,
            (true, false) => Some(Self::Gain),
            (false, true) => Some(Self::Lose),
            (false, false) if before.when == after.when => None,
            (false, false) if uncertain(before) || uncertain(after) => Some(Self::Change),
            (false, false) => match super::solve::compare(&before.when, &after.when) {
                (true, true) => None,
                (true, false) => Some(Self::Widen),
                (false, true) => Some(Self::Narrow),
                (false, false) => Some(Self::Change),
            },
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Whose.
    pub who: Who,
    /// Whether outside the owner's account.
    pub foreign: bool,
    /// Which action.
    pub action: String,
    /// How.
    pub shift: Shift,
    /// Before.
    pub before: Decision,
    /// After.
    pub after: Decision,
}

/// What changed between two matrices of one resource: gains of everybody and of other accounts first, then
/// gains, and what was lost last. Somebody who stands in one of them only could do nothing in the other
/// unless the synthetic rows say otherwise.
pub fn diff(before: &Matrix, after: &Matrix) -> Vec<Difference> {
    let mut found = Vec::new();
    let none = Answer {
        decision: Decision::ImplicitlyDenied { missing: Vec::new() },
        beneath: None,
        veil: None,
        malformed: Vec::new(),
        caveats: Vec::new(),
        when: super::expr::Expr::False,
        blocked: Vec::new(),
        paths: Vec::new(),
    };
    let whos: BTreeSet<&Who> = before.rows.iter().chain(&after.rows).map(|row| &row.who).collect();
    let index = |matrix: &'_ Matrix| -> std::collections::BTreeMap<Who, usize> {
        matrix.rows.iter().enumerate().map(|(at, row)| (row.who.clone(), at)).collect()
    };
    let (old, new) = (index(before), index(after));
    for who in whos {
        let (was, is) = (old.get(who).map(|at| &before.rows[*at]), new.get(who).map(|at| &after.rows[*at]));
        for action in &after.actions {
            let cell = |row: Option<&Row>, actions: &[String]| {
                let at = actions.iter().position(|one| one == action);
                row.zip(at).and_then(|(row, at)| row.cells.get(at).cloned()).unwrap_or_else(|| none.clone())
            };
            let (then, now) = (cell(was, &before.actions), cell(is, &after.actions));
            if let Some(shift) = Shift::between(&then, &now) {
                found.push(Difference {
                    who: who.clone(),
                    foreign: is.or(was).is_some_and(|row| row.foreign),
                    action: action.clone(),
                    shift,
                    before: then.decision,
                    after: now.decision,
                });
            }
        }
    }
    found.sort_by(|a, b| (a.shift, !a.foreign, &a.who, &a.action).cmp(&(b.shift, !b.foreign, &b.who, &b.action)));
    found
}
