//! Who can get access that they do not have: by rewriting the policy, by handing out a grant, by becoming a
//! role that has it or passing such a role to a service, by making credentials of a user who has it, or by raising
//! their own rights ([`super::raise`]).

use std::collections::{BTreeSet, VecDeque};

use super::decision::{Answer, Decision};
use super::engine::Survey;
use super::identity::Identity;
use super::policy::{Effect, Policy};
use super::principal::{Caller, PrincipalEntry};
use super::raise::{may, raises};
use super::request::{Guards, Request, Resource, Rules};
use super::scenario::{ContextValue, Scenario};
use super::target::{self, Target};
use super::who::{Matrix, People, Who, answer};
use crate::base::{ResourceId, Text};
use crate::inventory::Inventory;

/// How many roles a chain may go through. why: each hop is a session of its own, and chains longer than a
/// few are no way that anybody takes; one that is cut is said.
pub const MOST_HOPS: usize = 6;
/// How many roles with access are followed.
const MOST_ROLES: usize = 40;

/// One way to access.
#[derive(Debug, Clone, PartialEq)]
pub struct Obtain {
    /// Who.
    pub who: Who,
    /// By which action.
    pub action: String,
    /// On what: the resource itself, or a role.
    pub on: ResourceId,
    /// For a chain of roles: those between, first to last.
    pub through: Vec<ResourceId>,
    /// Whether it is allowed, and by what.
    pub decision: Decision,
}

/// The ways to a resource, and what was not followed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ways {
    /// Who, how.
    pub ways: Vec<Obtain>,
    /// What was not followed, in words.
    pub gaps: Vec<Text>,
}

/// What changes who may use a resource: its policy, grants on it, and what policies tell it by.
fn powers(target: &Target, people: &People) -> Vec<&'static str> {
    match (target.arn().service.as_str(), target) {
        ("kms", _) => {
            let mut powers = vec!["kms:PutKeyPolicy", "kms:CreateGrant"];
            if told_by(target, people, &["aws:ResourceTag/"]) {
                powers.extend(["kms:TagResource", "kms:UntagResource"]);
            }
            if told_by(target, people, &["kms:ResourceAliases", "kms:RequestAlias"]) {
                powers.extend(["kms:CreateAlias", "kms:UpdateAlias"]);
            }
            powers
        }
        ("s3", _) => vec!["s3:PutBucketPolicy", "s3:PutBucketAcl"],
        ("iam", _) => vec!["iam:UpdateAssumeRolePolicy"],
        ("bedrock", Target::Model(_)) => vec![
            "bedrock:CreateModelCopyJob",
            "bedrock:CreateCustomModelDeployment",
            "bedrock:CreateProvisionedModelThroughput",
            "bedrock:PutResourcePolicy",
        ],
        _ => Vec::new(),
    }
}

/// Whether an Allow about the resource's service rests on a condition key of this beginning: whoever can change what
/// the key says then decides who may (1.6).
fn told_by(target: &Target, people: &People, keys: &[&str]) -> bool {
    let begins =
        |key: &str| keys.iter().any(|one| key.get(..one.len()).is_some_and(|head| head.eq_ignore_ascii_case(one)));
    let told = |policy: &Policy| {
        policy.statements.iter().any(|statement| {
            statement.effect == Effect::Allow && statement.conditions.iter().any(|condition| begins(&condition.key))
        })
    };
    let own = match target {
        Target::One(resource) => matches!(&resource.rules, Rules::Known(policy) if told(policy)),
        Target::Model(_) => false,
    };
    own || people.identities.iter().any(|identity| identity.policies.iter().any(|(_, policy)| told(policy)))
}

/// What lets somebody change a role that has access, or make it work for them.
const OVER_ROLES: &[&str] =
    &["iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"];

/// What gives somebody the credentials of a user who has access.
const OVER_USERS: &[&str] = &["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"];

/// Who can obtain what `matrix` gives. Those who have it anyway are told too, for another way is news; but
/// a role that leads to itself is not.
pub fn obtain(inventory: &Inventory, people: &People, target: &Target, matrix: &Matrix) -> Ways {
    let (open, guards) = (Scenario::open(), Guards::default());
    let mut found = Ways::default();
    let id = ResourceId::new(target.arn().to_string());
    for action in powers(target, people) {
        for row in &matrix.rows {
            // The rows know their identity only by who they are: those of the account are asked again.
            let at = matrix.actions.iter().position(|one| one.eq_ignore_ascii_case(action));
            if let Some(cell) = at.and_then(|at| row.cells.get(at)) {
                found.keep(&row.who, action, &id, Vec::new(), cell.clone());
            } else if let Who::Caller(caller) = &row.who {
                let identity = Identity::of(inventory, caller);
                found.keep(&row.who, action, &id, Vec::new(), answer(target, &identity, action, &open, &guards));
            }
        }
    }
    let mut roles: Vec<ResourceId> = matrix
        .rows
        .iter()
        .filter(|row| row.has_access())
        .filter(|row| matches!(&row.who, Who::Caller(Caller::Role { .. })))
        .map(|row| row.who.id())
        .filter(|role| inventory.roles.contains_key(role))
        .collect();
    let itself = matches!(target.arn().kind(), crate::base::arn::ArnKind::Role);
    if itself {
        roles = vec![id.clone()];
    }
    let followed = roles.len().min(MOST_ROLES);
    let over: Vec<String> = OVER_ROLES.iter().map(ToString::to_string).collect();
    let mut survey = Survey::of(&people.identities, &over, &open, &guards);
    for role in &roles[..followed] {
        let Some(arn) = role.arn() else { continue };
        let on = Resource { rules: Rules::None, ..Resource::plain(arn) };
        let grid = survey.grid_by_identity(&on);
        for (person, identity) in people.identities.iter().enumerate().filter(|(person, _)| grid.has_access(*person)) {
            let who = Who::Caller(identity.caller.clone());
            for (column, action) in OVER_ROLES.iter().enumerate() {
                let known = itself && *action == "iam:UpdateAssumeRolePolicy";
                if known || grid.verdict(person, column).is_denied() {
                    continue;
                }
                if !may(identity, action) {
                    continue;
                }
                let decided = super::plain::by_identity(identity, action, &on, &open, &guards);
                found.keep(&who, action, role, Vec::new(), decided);
            }
        }
        let routes = becomes(inventory, people, role);
        for route in routes.routes {
            found.keep(&route.who, route.action, role, route.through, route.answer);
        }
        found_gaps(&mut found.gaps, routes.gaps);
    }
    for row in matrix.rows.iter().filter(|row| row.has_access()) {
        let Who::Caller(Caller::User(user)) = &row.who else { continue };
        let on = Resource::plain(user.clone());
        for identity in people.identities.iter().filter(|identity| identity.caller.arn() != Some(user)) {
            for action in OVER_USERS.iter().filter(|action| may(identity, action)) {
                let decided = super::plain::by_identity(identity, action, &on, &open, &guards);
                found.keep(&Who::Caller(identity.caller.clone()), action, &row.who.id(), Vec::new(), decided);
            }
        }
    }
    found.ways.extend(raises(inventory, people, target, matrix));
    if followed < roles.len() {
        let why = format!("only {followed} of {} roles with access were followed", roles.len());
        found.gaps.push(Text::new(why));
    }
    found
}

impl Ways {
    fn keep(&mut self, who: &Who, action: &str, on: &ResourceId, through: Vec<ResourceId>, answer: Answer) {
        if !answer.decision.is_denied() {
            let (who, action, on) = (who.clone(), action.to_owned(), on.clone());
            self.ways.push(Obtain { who, action, on, through, decision: answer.decision });
        }
    }
}

fn found_gaps(all: &mut Vec<Text>, more: Vec<Text>) {
    for gap in more {
        if !all.contains(&gap) {
            all.push(gap);
        }
    }
}

/// One way to become a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Who.
    pub who: Who,
    /// `sts:AssumeRole`, or how an identity provider does it.
    pub action: &'static str,
    /// The roles between, first to last; empty when the trust policy is met directly.
    pub through: Vec<ResourceId>,
    /// Whether the first step is allowed, and by what.
    pub answer: Answer,
}

/// Who can become a role.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Becomes {
    /// The ways, shortest first.
    pub routes: Vec<Route>,
    /// What was not seen or not followed.
    pub gaps: Vec<Text>,
}

/// Who can become a role, through other roles too. A role is followed once, so that a circle ends.
pub fn becomes(inventory: &Inventory, people: &People, role: &ResourceId) -> Becomes {
    let (open, guards) = (Scenario::open(), Guards::default());
    let mut found = Becomes::default();
    let wanted = role.clone();
    let mut done: BTreeSet<ResourceId> = BTreeSet::from([role.clone()]);
    let mut reached: BTreeSet<Who> = BTreeSet::new();
    let assumes = ["sts:AssumeRole".to_owned()];
    let mut survey = Survey::of(&people.identities, &assumes, &open, &guards);
    let mut queue: VecDeque<(ResourceId, Vec<ResourceId>)> = VecDeque::from([(role.clone(), Vec::new())]);
    while let Some((role, through)) = queue.pop_front() {
        let Some(arn) = role.arn() else { continue };
        let resource = target::role(inventory, &role, arn);
        let policy = match &resource.rules {
            Rules::Known(policy) => policy.clone(),
            Rules::Unknown(why) => {
                found.gaps.push(Text::new(format!("{}: {why}", role.last())));
                continue;
            }
            Rules::None => continue,
        };
        let mut keep = |who: Who, action: &'static str, answer: Answer| {
            if answer.decision.is_denied() || reached.contains(&who) || who.id() == wanted {
                return;
            }
            reached.insert(who.clone());
            if let Who::Caller(Caller::Role { arn, .. }) = &who {
                let id = ResourceId::new(arn.to_string());
                if done.insert(id.clone()) {
                    let longer: Vec<ResourceId> = std::iter::once(id.clone()).chain(through.iter().cloned()).collect();
                    if longer.len() <= MOST_HOPS {
                        queue.push_back((id, longer));
                    } else {
                        found.gaps.push(Text::new(format!("chains of more than {MOST_HOPS} roles are not followed")));
                    }
                }
            }
            found.routes.push(Route { who, action, through: through.clone(), answer });
        };
        let delegated = Guards { scps: Some(Vec::new()), ..Guards::default() };
        let assume = |identity: &Identity| {
            let (action, scenario, guards) = ("sts:AssumeRole", &open, &guards);
            Request { identity, action, resource: &resource, scenario, guards }.answer()
        };
        // why a grid first: it is asked of everybody, and hardly anybody may.
        let grid = survey.grid(&resource);
        for (_, identity) in people.identities.iter().enumerate().filter(|(person, _)| grid.has_access(*person)) {
            keep(Who::Caller(identity.caller.clone()), "sts:AssumeRole", assume(identity));
        }
        for (who, identity, action) in outsiders(inventory, &policy, &resource) {
            let scenario = match who {
                Who::Anyone => super::batch::anybody(open.clone()),
                Who::Account(_) => open.clone().with("aws:PrincipalArn", ContextValue::Unknown),
                _ => open.clone(),
            };
            let of_account = matches!(who, Who::Account(_));
            let guards = if of_account { &delegated } else { &guards };
            let identity = &identity;
            let answer = Request { identity, action, resource: &resource, scenario: &scenario, guards }.answer();
            keep(who, action, answer);
        }
    }
    found
}

/// Whom a trust policy names beyond the people of the account.
fn outsiders(inventory: &Inventory, policy: &Policy, role: &Resource) -> Vec<(Who, Identity, &'static str)> {
    let mut found: Vec<(Who, Identity, &'static str)> = Vec::new();
    let partition = &role.arn.partition;
    let entries = policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .filter_map(|statement| statement.principals.as_ref());
    for (entry, negated) in entries.flat_map(|all| all.entries.iter().map(|entry| (entry, all.negated))) {
        let account = |id: &str| Caller::parse(&format!("arn:{partition}:iam::{id}:root")).ok();
        let (who, caller) = match entry {
            _ if negated => (Who::Anyone, account(super::batch::ANYONE)),
            PrincipalEntry::Everyone => (Who::Anyone, account(super::batch::ANYONE)),
            PrincipalEntry::Account(id) if *id != role.owner => (Who::Account(id.clone()), account(id)),
            PrincipalEntry::Account(id) => match account(id) {
                Some(root) => (Who::Caller(root.clone()), Some(root)),
                None => continue,
            },
            PrincipalEntry::Arn(_) | PrincipalEntry::Service(_) => match Caller::parse(&entry.written()) {
                Ok(caller) => (Who::Caller(caller.clone()), Some(caller)),
                Err(_) => continue,
            },
            // why a service: like one, a provider has no policies of its own; its users are not visible.
            PrincipalEntry::Federated(provider) => {
                let caller = Caller::Service(provider.clone());
                (Who::Caller(caller.clone()), Some(caller))
            }
            PrincipalEntry::UniqueId(_) | PrincipalEntry::Canonical(_) => continue,
        };
        let action = match entry {
            PrincipalEntry::Federated(provider) if provider.contains(":saml-provider/") => "sts:AssumeRoleWithSAML",
            PrincipalEntry::Federated(_) => "sts:AssumeRoleWithWebIdentity",
            _ => "sts:AssumeRole",
        };
        if let Some(caller) = caller
            && !found.iter().any(|(known, _, _)| *known == who)
        {
            let identity = Identity::of(inventory, &caller);
            found.push((who, identity, action));
        }
    }
    found
}
