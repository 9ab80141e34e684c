//! From the evaluator's matrix to rows that can be drawn: names, signs, why somebody is unexpected, and how
//! bad that is. Made once an answer, off the screen's way.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::label::Mark;
use super::uses;
use crate::access::obtain::{Obtain, Ways};
use crate::access::{Caller, Deciding, Decision, Guards, Identity, Layer, Row, Scenario, Target, Who, who};
use crate::base::text::shorten_middle;
use crate::base::{ResourceId, Text};
use crate::inventory::{Inventory, Kind, Lineage, Link, ResourceRef, SessionInfo};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who.
    pub who: Who,
    /// Its ARN, service name, account number, or `*`.
    pub id: ResourceId,
    /// What a person calls it, short.
    pub name: String,
    /// The name that events have for it; empty for those who cannot be seen.
    pub caller_name: String,
    /// What uses are filed under.
    pub key: String,
    /// One verdict a column.
    pub marks: Vec<Mark>,
    /// The same in words.
    pub words: Vec<Arc<str>>,
    /// Why it is not expected here.
    pub unexpected: Option<Reason>,
    /// By what it has the most that it has.
    pub how: String,
    /// How bad: the lowest first.
    pub class: u8,
    /// Whether it is the session that looks.
    pub is_self: bool,
}

impl Entry {
    /// Its verdict in a column.
    pub fn mark(&self, action: usize) -> Mark {
        self.marks.get(action).copied().unwrap_or(Mark::Missing)
    }

    /// Whether it has any access, or may have.
    pub fn has_access(&self) -> bool {
        self.marks.iter().any(|mark| mark.is_open())
    }
}

/// Why somebody is not expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// In a word or two.
    pub short: &'static str,
    /// In a sentence.
    pub why: String,
}

/// One way to get access.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// Who.
    pub who: Who,
    /// Its ARN, service name, account number, or `*`.
    pub id: ResourceId,
    /// What a person calls it.
    pub name: String,
    /// Whether it may.
    pub mark: Mark,
    /// By which action.
    pub action: String,
    /// On what.
    pub on: ResourceId,
    /// From the first role to the last, with what is reached.
    pub path: String,
    /// By what it may, or under which conditions.
    pub words: Text,
    /// How bad: the lowest first.
    pub class: u8,
}

/// What is known about the surroundings, to tell who is expected.
pub struct Expected<'a> {
    inventory: &'a Inventory,
    target: &'a Target,
    trusted: &'a BTreeSet<String>,
    callers: &'a BTreeSet<String>,
    roles: BTreeSet<String>,
    own: String,
    label: String,
}

impl<'a> Expected<'a> {
    /// Looks through lineage: whoever runs the jobs that lead to the resource or come of it belongs to it.
    pub fn of(
        inventory: &'a Inventory,
        session: &SessionInfo,
        (of, target): (&ResourceRef, &'a Target),
        trusted: &'a BTreeSet<String>,
        callers: &'a BTreeSet<String>,
    ) -> Self {
        let lineage = Lineage::of(inventory);
        let mut near = lineage.upstream(of);
        near.extend(lineage.downstream(of));
        near.insert(of.clone());
        let runs = near.iter().flat_map(|node| lineage.down(node)).filter(|(link, _)| *link == Link::RunsAs);
        let roles = runs.filter(|(_, role)| role.kind == Kind::Role).map(|(_, role)| uses::key_of(&role.id)).collect();
        Self {
            inventory,
            target,
            trusted,
            callers,
            roles,
            own: uses::key_of(&session.principal),
            label: inventory.name_of(of),
        }
    }

    /// A row, told.
    pub fn entry(&self, row: &Row, actions: &[String], known: &mut HashSet<Arc<str>>) -> Entry {
        // why: thousands of rows say the same few sentences.
        let mut once = |words: &str| -> Arc<str> {
            known.get(words).cloned().unwrap_or_else(|| {
                let words: Arc<str> = words.into();
                known.insert(words.clone());
                words
            })
        };
        let words = row.cells.iter().map(|cell| once(cell.decision.words().as_str())).collect();
        let id = row.who.id();
        let key = uses::key_of(&id);
        let marks: Vec<Mark> = row.cells.iter().map(|cell| Mark::of(&cell.decision)).collect();
        let (class, unexpected) = self.judge(row, &key, actions);
        let caller_name = match &row.who {
            Who::Caller(Caller::Service(host)) => host.trim_end_matches(".amazonaws.com").to_owned(),
            Who::Caller(Caller::Root(_)) | Who::Anyone | Who::Account(_) | Who::Unseen(_) => String::new(),
            Who::Caller(caller) => caller.name().to_owned(),
        };
        Entry {
            name: name(&row.who, row.foreign),
            how: how(row),
            is_self: key == self.own,
            who: row.who.clone(),
            caller_name,
            id,
            key,
            marks,
            words,
            unexpected,
            class,
        }
    }

    fn judge(&self, row: &Row, key: &str, actions: &[String]) -> (u8, Option<Reason>) {
        let reason = |short, why: String| Some(Reason { short, why });
        if !row.has_access() {
            return (if row.who.is_synthetic() { 8 } else { 9 }, None);
        }
        let open = |wanted: &[&str]| {
            let cells = actions.iter().zip(&row.cells).filter(|(action, _)| wanted.contains(&action.as_str()));
            // why of what was read: how bad it is does not hang on what could not be seen of an organization.
            cells.map(|(_, cell)| Mark::of(cell.of_what_was_read())).min().unwrap_or(Mark::Missing)
        };
        let gives = open(GIVE).is_open();
        match &row.who {
            Who::Anyone => (0, reason("anyone", "a policy lets in everybody, in any account".into())),
            Who::Account(id) => {
                let why = format!("account {id} may let in any of its principals; they cannot be seen from here");
                self.foreign(id, why)
            }
            Who::Unseen(id) => {
                let why = format!("IAM of {id} was not read whole: whoever else it lets in is not in these rows");
                (3, reason("not visible", why))
            }
            Who::Caller(Caller::Service(_)) => (7, None),
            Who::Caller(caller) if row.foreign => {
                let account = caller.account().unwrap_or_default();
                self.foreign(account, format!("it belongs to account {account}; its own policies cannot be seen"))
            }
            Who::Caller(Caller::Root(_)) => (6, None),
            Who::Caller(_) if self.roles.contains(key) || self.callers.contains(key) => (6, None),
            Who::Caller(caller) => {
                let is_role = self.target.arn().service == "iam";
                let may_use = open(USE);
                let direct =
                    may_use == Mark::Allowed || may_use == Mark::Conditional && (is_role || self.is_direct(caller));
                let class = if gives { 4 } else { 5 };
                match (direct, is_role) {
                    (true, true) => (class, reason("not a service", BECOMES.into())),
                    (true, false) => (class, reason("not in lineage", STRANGE.into())),
                    // why no reason: what cannot be told says nothing about who it is.
                    (false, _) if may_use == Mark::Unknown => (5, None),
                    (false, _) => (6, None),
                }
            }
        }
    }

    fn foreign(&self, account: &str, why: String) -> (u8, Option<Reason>) {
        if self.trusted.contains(account) {
            return (6, None);
        }
        let class = if account.is_empty() { 2 } else { 1 };
        (class, Some(Reason { short: "other account", why }))
    }

    /// Whether it can use the resource itself, not only through a service that forwards its requests.
    fn is_direct(&self, caller: &Caller) -> bool {
        if self.target.arn().service != "kms" {
            return true;
        }
        let identity = Identity::of(self.inventory, caller);
        let ask = |action: &&str| {
            let guards = Guards::default();
            !who::answer(self.target, &identity, action, &Scenario::direct(), &guards).decision.is_denied()
        };
        USE.iter().filter(|action| action.starts_with("kms:")).any(ask)
    }

    /// The ways, told: those of strangers first.
    pub fn ways(&self, ways: &Ways, owner: &str) -> Vec<Way> {
        let mut found: Vec<Way> = ways.ways.iter().map(|way| self.way(way, owner)).collect();
        found.sort_by(|a, b| (a.class, a.mark, &a.name, &a.action).cmp(&(b.class, b.mark, &b.name, &b.action)));
        found
    }

    fn way(&self, way: &Obtain, owner: &str) -> Way {
        let foreign = match &way.who {
            Who::Caller(caller) => caller.account().is_some_and(|account| account != owner),
            Who::Account(_) | Who::Anyone => true,
            Who::Unseen(_) => false,
        };
        let id = way.who.id();
        let key = uses::key_of(&id);
        let class = match &way.who {
            Who::Anyone => 0,
            _ if foreign => 1,
            Who::Unseen(_) => 2,
            Who::Caller(Caller::Service(_)) => 7,
            _ if self.roles.contains(&key) => 5,
            _ => 4,
        };
        let name = name(&way.who, foreign);
        let mut path: Vec<&str> = way.through.iter().map(ResourceId::last).collect();
        if !self.is_itself(&way.on) {
            path.push(way.on.last());
        }
        path.push(&self.label);
        Way {
            mark: Mark::of(&way.decision),
            action: way.action.clone(),
            on: way.on.clone(),
            path: path.join(" ▸ "),
            words: way.decision.words(),
            who: way.who.clone(),
            name,
            id,
            class,
        }
    }

    fn is_itself(&self, on: &ResourceId) -> bool {
        on.arn().as_ref() == Some(self.target.arn())
    }
}

const BECOMES: &str = "it is no service, and may become this role: whoever it is then has all that the role has";
const STRANGE: &str = "no job of its lineage runs as it, and nobody saw it use this through Bedrock: what is it for?";

/// To use or read a resource.
const USE: &[&str] = &[
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:CreateModelInvocationJob",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "sts:AssumeRole",
];

/// To give it to oneself or to others.
const GIVE: &[&str] = &[
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "bedrock:CreateModelCopyJob",
    "bedrock:CreateCustomModelDeployment",
    "bedrock:CreateProvisionedModelThroughput",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "iam:PassRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
];

/// What a person calls somebody, in few cells.
fn name(who: &Who, foreign: bool) -> String {
    let text = match who {
        Who::Anyone => "* anyone".to_owned(),
        Who::Account(id) => format!("any of {id}"),
        Who::Unseen(_) => "any other principal".to_owned(),
        Who::Caller(Caller::Role { arn, session: Some(session) }) => format!("{} as {session}", arn.name()),
        Who::Caller(Caller::Root(arn)) if foreign => format!("root of {}", arn.account),
        Who::Caller(caller) if foreign && caller.account().is_some() => {
            format!("{}@{}", caller.name(), shorten_middle(caller.account().unwrap_or_default(), 9))
        }
        Who::Caller(caller) => caller.name().to_owned(),
    };
    crate::base::text::safe(&text).into_owned()
}

/// By what a row has the most that it has, in a few cells: the Sid, the grant, the policy.
fn how(row: &Row) -> String {
    let best = row.cells.iter().filter(|cell| !cell.decision.is_denied()).min_by_key(|cell| Mark::of(&cell.decision));
    let Some(best) = best else { return String::new() };
    match &best.decision {
        Decision::Uncertain { .. } => String::new(),
        decision => short(decision.by()),
    }
}

/// The statement that is nearest to the principal: of a delegation the identity policy, not the root statement.
fn nearest(by: &[Deciding]) -> Option<&Deciding> {
    by.iter().find(|one| matches!(one.layer, Layer::Identity(_))).or(by.first())
}

fn short(by: &[Deciding]) -> String {
    match nearest(by) {
        Some(Deciding { layer: Layer::Grant(id), .. }) => format!("grant {}", shorten_middle(id.as_str(), 9)),
        Some(Deciding { layer: Layer::Identity(name), .. }) => format!("IAM {name}"),
        Some(one) if !one.sid.is_empty() => format!("\"{}\"", one.sid),
        _ => phrase(by),
    }
}

/// The same with its document.
pub fn phrase(by: &[Deciding]) -> String {
    let Some(one) = nearest(by) else { return "the account itself".into() };
    let sid = if one.sid.is_empty() {
        one.pointer.as_deref().map(|pointer| format!(" {pointer}")).unwrap_or_default()
    } else {
        format!(" \"{}\"", one.sid)
    };
    match &one.layer {
        Layer::Identity(name) => format!("IAM {name}"),
        Layer::Grant(id) => format!("grant {}", shorten_middle(id.as_str(), 13)),
        layer => format!("{layer}{sid}"),
    }
}
