//! What principals are allowed by their own policies, statement by statement: read once for all controls.
//!
//! A statement says what it gives; whether it really does is asked of `access`, with a resource that the statement
//! means (a [`witness`]): so a Deny that takes it away and a boundary that caps it count, and the statement can still
//! be shown. Knows no control.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::control::Context;
use super::judge::{Draft, Judge, Problem, Subject, listed};
use super::tables::Tables;
use super::verdict::{Status, Verdict};
use crate::access::catalogue::{self, Action, is_on};
use crate::access::who::People;
use crate::access::{
    Answer, BadPolicy, Caller, ContextValue, Deciding, Decision, Guards, Identity, Layer, Policy, Request, Resource,
    Rules, Scenario, Statement, Version, pattern,
};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Document, Inventory, Kind, ResourceRef, SourceId};

/// What invokes a model and sends back what it says, whole or in pieces.
pub(super) const INVOKES: &[&str] = &["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

/// What nothing is called: stands where a wildcard leaves room.
pub(super) const NOBODY: &str = "bedwatch-0";

/// What controls share while one inventory is judged, by several threads.
#[derive(Debug)]
pub struct Shared<'a> {
    tables: Tables<'a>,
    permissions: OnceLock<Permissions>,
    policies: Mutex<Policies>,
    said: Mutex<HashMap<&'static str, Arc<[Said]>>>,
}

/// Policies that are parsed.
#[derive(Debug, Default)]
struct Policies {
    /// By their text.
    by_text: HashMap<Arc<str>, Parsed>,
    /// By where their text is, which is asked far more often. Each holds that text, so that no other can come to stand
    /// in its place.
    by_place: HashMap<usize, (Arc<str>, Parsed)>,
}

type Parsed = Result<Arc<Policy>, BadPolicy>;

/// why poisoned or not: what a control that broke had put in is as right as the rest.
fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a control said of a resource, for those that rest on it.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// Which control.
    pub control: &'static str,
    /// Of what.
    pub resource: ResourceRef,
    /// What.
    pub status: Status,
    /// Sub-reason.
    pub code: &'static str,
    /// Why.
    pub reason: Text,
}

impl<'a> Shared<'a> {
    /// Of what is judged.
    pub(super) fn of(context: &Context<'a>) -> Self {
        let tables = Tables::of(context);
        Self { tables, permissions: OnceLock::new(), policies: Mutex::default(), said: Mutex::default() }
    }

    /// What several controls look at.
    pub(super) fn tables(&self) -> &Tables<'a> {
        &self.tables
    }

    /// Everybody's permissions; read when the first control asks.
    pub(super) fn permissions(&self, inventory: &Inventory) -> &Permissions {
        self.permissions.get_or_init(|| Permissions::of(inventory))
    }

    /// A policy, parsed once however many controls and resources have it.
    pub(super) fn policy(&self, document: &Document) -> Parsed {
        let text = document.shared();
        let place = text.as_ptr().addr();
        let mut policies = open(&self.policies);
        if let Some((_, known)) = policies.by_place.get(&place) {
            return known.clone();
        }
        let parse = || Policy::parse(document).map(Arc::new);
        let parsed = policies.by_text.entry(Arc::clone(text)).or_insert_with(parse).clone();
        policies.by_place.insert(place, (Arc::clone(text), parsed.clone()));
        parsed
    }

    /// What a control said, if it was asked before; else it is asked now.
    pub(super) fn said(&self, control: &'static str, ask: impl FnOnce() -> Vec<Verdict>) -> Arc<[Said]> {
        let known = open(&self.said).get(control).cloned();
        known.unwrap_or_else(|| self.keep(control, &ask()))
    }

    /// Keeps what a control said.
    pub(super) fn keep(&self, control: &'static str, verdicts: &[Verdict]) -> Arc<[Said]> {
        let said = |verdict: &Verdict| Said {
            control,
            resource: verdict.resource.clone(),
            status: verdict.status,
            code: verdict.code,
            reason: verdict.reason.clone(),
        };
        let all: Arc<[Said]> = verdicts.iter().map(said).collect();
        open(&self.said).insert(control, Arc::clone(&all));
        all
    }
}

/// Users and roles with their policies, each document parsed once.
pub struct Permissions {
    people: Vec<Identity>,
    places: HashMap<ResourceId, usize>,
    meant: Mutex<HashMap<String, Arc<[&'static Action]>>>,
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permissions({} principals)", self.people.len())
    }
}

impl Permissions {
    fn of(inventory: &Inventory) -> Self {
        let people = People::of(inventory).identities;
        let places = people.iter().enumerate().filter_map(|(at, one)| Some((principal(one)?.id, at))).collect();
        Self { people, places, meant: Mutex::default() }
    }

    /// A role or user by its ARN.
    pub(super) fn find(&self, arn: &ResourceId) -> Option<&Identity> {
        self.people.get(*self.places.get(arn)?)
    }

    /// Everybody, by account and name.
    pub(super) fn everybody(&self) -> &[Identity] {
        &self.people
    }

    /// The actions of a service that a statement is about. Thousands of statements are about the same few.
    pub(super) fn meant(&self, by: Granted<'_>, service: &str) -> Arc<[&'static Action]> {
        let Some(actions) = &by.statement.actions else { return Arc::default() };
        let of = |pattern: &String| {
            let of = pattern.split(':').next().unwrap_or_default();
            pattern::matches_ignoring_case(of, service)
        };
        if !actions.negated && !actions.patterns.iter().any(of) {
            return Arc::default();
        }
        let key = format!("{service} {} {}", actions.negated, actions.patterns.join(" "));
        let read = || {
            let known = catalogue::service(service).map(|of| &of.actions[..]).unwrap_or_default();
            known.iter().filter(|action| actions.cover(&action.name)).collect()
        };
        open(&self.meant).entry(key).or_insert_with(read).clone()
    }

    /// Whoever has an Allow for one of these actions, whatever takes it away again; and whoever's policies are not
    /// all known. Roles of services are left out: AWS alone writes their policies.
    pub(super) fn holders(&self, judge: &Judge<'_>, actions: &[&str]) -> Vec<&Identity> {
        // A gap in the whole table is told once, not of everybody.
        let whole = judge.gap(SourceId::AUTHORIZATION).is_none();
        let mut known: HashMap<*const Policy, bool> = HashMap::new();
        let mut gives = |policy: &Arc<Policy>| {
            *known.entry(Arc::as_ptr(policy)).or_insert_with(|| {
                let covers = |statement: &Statement| actions.iter().any(|action| covers(statement, action));
                policy.statements.iter().any(|statement| statement.allows() && covers(statement))
            })
        };
        let holds = |one: &&Identity| {
            !is_service_linked(&one.caller)
                && (one.policies.iter().any(|(_, policy)| gives(policy)) || (whole && !one.gaps.is_empty()))
        };
        self.people.iter().filter(holds).collect()
    }
}

/// A role or user as a resource.
pub(super) fn principal(identity: &Identity) -> Option<ResourceRef> {
    let kind = match &identity.caller {
        Caller::Role { .. } => Kind::Role,
        Caller::User(_) => Kind::User,
        Caller::Root(_) | Caller::Service(_) => return None,
    };
    Some(ResourceRef::new(kind, ResourceId::new(identity.caller.arn()?.to_string())))
}

fn is_service_linked(caller: &Caller) -> bool {
    caller.arn().is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
}

/// Whether a statement is about an action.
pub(super) fn covers(statement: &Statement, action: &str) -> bool {
    statement.actions.as_ref().is_some_and(|actions| actions.cover(action))
}

/// One well-formed Allow among the policies of a principal: its own, its groups', inline or attached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted<'a> {
    /// What the policy is called.
    pub policy: &'a str,
    /// Of the policy's language.
    pub version: Version,
    /// The statement.
    pub statement: &'a Statement,
}

impl Granted<'_> {
    /// Whether it is about an action.
    pub fn covers(&self, action: &str) -> bool {
        covers(self.statement, action)
    }

    /// Whether it is the statement that decides.
    pub fn is(&self, one: &Deciding) -> bool {
        let named = matches!(&one.layer, Layer::Identity(name) if name.as_str() == self.policy);
        named && one.pointer.as_deref() == Some(self.statement.pointer().as_str())
    }

    /// Where it stands: `policy own "Sid"`.
    pub fn place(&self) -> Text {
        Text::new(format!("policy {} {}", self.policy, self.statement.label()))
    }

    /// What it says: `policy own "Sid": Allow s3:* on *`.
    pub fn words(&self) -> Text {
        let sign = |negated: bool| if negated { "all but " } else { "" };
        let actions = self.statement.actions.as_ref();
        let actions = actions.map(|held| format!("{}{}", sign(held.negated), listed(&held.patterns)));
        let resources = self.statement.resources.as_ref();
        let resources = resources.map(|held| format!("{}{}", sign(held.negated), listed(&held.patterns)));
        let conditions = &self.statement.conditions;
        let when = match conditions.len() {
            0 => String::new(),
            _ => format!(" when {}", listed(conditions.iter().map(crate::access::Condition::words))),
        };
        Text::new(format!(
            "{}: Allow {} on {}{when}",
            self.place(),
            actions.unwrap_or_default(),
            resources.unwrap_or_default()
        ))
    }
}

/// Everything that the policies of a principal give, in their order.
pub(super) fn granted(identity: &Identity) -> impl Iterator<Item = Granted<'_>> {
    identity.policies.iter().flat_map(|(layer, policy)| {
        let name = match layer {
            Layer::Identity(name) => name.as_str(),
            _ => "",
        };
        let statements = policy.statements.iter().filter(|s| s.allows() && s.resources.is_some());
        statements.map(move |statement| Granted { policy: name, version: policy.version, statement })
    })
}

/// A request of now in this region over TLS. Where it comes from and by whose hand is not known.
pub(super) fn scenario(context: &Context<'_>) -> Scenario {
    Scenario::open()
        .with("aws:CurrentTime", ContextValue::one(context.now.to_string()))
        .with("aws:EpochTime", ContextValue::one((context.now.millis() / 1000).to_string()))
        .with("aws:SecureTransport", ContextValue::one("true"))
        .with("aws:RequestedRegion", ContextValue::one(context.region))
}

/// What a principal's own policies and boundary give of one action on one resource, less what was seen of its
/// organization's. why not less what may be there unseen: policies of an organization only take away, and in most
/// accounts nobody may read them; what the account itself gives too freely would never be told.
pub(super) fn decide(identity: &Identity, action: &str, on: &Arn, scenario: &Scenario) -> Decision {
    if on.service == "iam" {
        // Not the trust policy of the role, which says who may become it, decides what is done to it.
        return crate::access::identity_decides(identity, action, on, scenario).into_what_was_read();
    }
    if on.service == "kms" {
        // why not without a policy: no key is, and without one nobody could do anything to it. What keys say
        // themselves is judged with them; here each leaves it to its account, as AWS's default policy does.
        let rules = left_to_the_account(on);
        return ask(identity, action, &Resource { rules, ..Resource::plain(on.clone()) }, scenario);
    }
    ask(identity, action, &Resource::plain(on.clone()), scenario)
}

/// The default key policy (KMS Developer Guide, "Default key policy").
fn left_to_the_account(key: &Arn) -> Rules {
    let root = format!("arn:{}:iam::{}:root", key.partition, key.account);
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}]});
    match Policy::parse(&Document::new(policy.to_string())) {
        Ok(policy) => Rules::Known(policy),
        Err(error) => Rules::Unknown(Text::new(error.to_string())),
    }
}

/// The same on everything whose ARN begins so.
pub(super) fn decide_below(identity: &Identity, action: &str, start: &Arn, scenario: &Scenario) -> Decision {
    ask(identity, action, &Resource { open: true, ..Resource::plain(start.clone()) }, scenario)
}

/// The same on a resource with rules of its own.
pub(super) fn ask(identity: &Identity, action: &str, resource: &Resource, scenario: &Scenario) -> Decision {
    answer(identity, action, resource, scenario).into_what_was_read()
}

/// Whether what is needed is really there: not, while a policy of the organization may be unseen that takes it away.
pub(super) fn ask_for_certain(identity: &Identity, action: &str, resource: &Resource, scenario: &Scenario) -> Decision {
    answer(identity, action, resource, scenario).decision
}

fn answer(identity: &Identity, action: &str, resource: &Resource, scenario: &Scenario) -> Answer {
    Request { identity, action, resource, scenario, guards: &Guards::default() }.answer()
}

/// Yes, or yes when something holds that is not known.
pub(super) fn may(decision: &Decision) -> bool {
    matches!(decision, Decision::Allowed { .. } | Decision::Conditional { .. })
}

/// A way to do something: a resource pattern of a statement, something it means, and what becomes of it.
#[derive(Debug, Clone)]
pub(super) struct Reach<'a> {
    /// The statement.
    pub by: Granted<'a>,
    /// As it is written; `NotResource …` for what it leaves out.
    pub pattern: String,
    /// Whether it leaves room for more than one resource.
    pub wild: bool,
    /// Something that it means, like what was asked for where it can.
    pub on: Arn,
    /// What Denies and the boundary leave of it.
    pub decision: Decision,
}

impl Reach<'_> {
    /// A fact that points at its statement.
    pub fn pointer(&self) -> Text {
        self.by.statement.pointer()
    }
}

/// Where the statements of a principal let it do an action, one for each resource pattern; what is denied again is
/// left out. `like` is what a wildcard is tried with.
pub(super) fn reaches<'a>(
    identity: &'a Identity,
    action: &'a Action,
    like: &'a Arn,
    scenario: &'a Scenario,
) -> impl Iterator<Item = Reach<'a>> {
    granted(identity).filter(move |by| by.covers(&action.name)).flat_map(move |by| {
        let found = ways(identity, by, like).into_iter().filter(move |(pattern, ..)| {
            // What is not a resource of the action gives nothing.
            pattern.starts_with("NotResource") || is_on(action, pattern)
        });
        found.filter_map(move |(pattern, wild, on)| {
            let decision = decide(identity, &action.name, &on, scenario);
            (!decision.is_denied()).then_some(Reach { by, pattern, wild, on, decision })
        })
    })
}

/// The resource patterns of a statement, whether each is wild, and something it means.
pub(super) fn ways(identity: &Identity, by: Granted<'_>, like: &Arn) -> Vec<(String, bool, Arn)> {
    let Some(resources) = &by.statement.resources else { return Vec::new() };
    if resources.negated {
        let pattern = format!("NotResource {}", listed(&resources.patterns));
        return if resources.cover(like) { vec![(pattern, true, like.clone())] } else { Vec::new() };
    }
    let of = |pattern: &String| {
        let filled =
            if by.version == Version::V2012 { fill_variables(pattern, &identity.caller) } else { pattern.clone() };
        Some((pattern.clone(), filled.contains(['*', '?']), witness(&filled, like)?))
    };
    resources.patterns.iter().filter_map(of).collect()
}

/// A resource that a pattern means: `like` where the pattern takes it, part by part, else an invented one.
pub(super) fn witness(pattern: &str, like: &Arn) -> Option<Arn> {
    if pattern == "*" {
        return Some(like.clone());
    }
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let [head, partition, service, region, account, resource] = parts[..] else { return None };
    let fit = |pattern: &str, like: &str| if pattern::matches(pattern, like) { like.to_owned() } else { fill(pattern) };
    (head == "arn").then(|| Arn {
        partition: fit(partition, &like.partition),
        service: fit(service, &like.service),
        region: fit(region, &like.region),
        account: fit(account, &like.account),
        resource: fit(resource, &like.resource),
    })
}

/// A text that a pattern matches, and hardly any other.
pub(super) fn fill(pattern: &str) -> String {
    pattern.replace('*', NOBODY).replace('?', "0")
}

/// Variables of the policy language in a resource; what is not known of the caller may be anything.
fn fill_variables(pattern: &str, caller: &Caller) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, inside)) = rest.split_once("${") {
        let (name, after) = inside.split_once('}').unwrap_or((inside, ""));
        out.push_str(before);
        match (name.to_ascii_lowercase().as_str(), caller) {
            ("aws:username", Caller::User(user)) => out.push_str(user.name()),
            ("aws:principalaccount", _) => out.push_str(caller.account().unwrap_or("*")),
            _ => out.push('*'),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Why what a principal may do is not all known: a policy that was not read, or a statement that cannot be.
pub(super) fn doubt(identity: &Identity) -> Option<(&'static str, Text)> {
    if let Some(gap) = identity.gaps.first() {
        return Some(("uncertain", gap.clone()));
    }
    let boundary = identity.boundary.as_ref().map(|boundary| (&boundary.arn, &boundary.policy));
    if let Some((_, Err(why))) = boundary {
        return Some(("uncertain", why.clone()));
    }
    let own = identity.policies.iter().map(|(layer, policy)| (layer.to_string(), policy));
    let capped = boundary.and_then(|(arn, policy)| Some((format!("boundary {}", arn.last()), policy.as_ref().ok()?)));
    own.chain(capped).find_map(|(name, policy)| {
        let (statement, why) = policy.malformed().next()?;
        Some(("malformed", Text::new(format!("{name}, {}: {why}", statement.pointer()))))
    })
}

/// A verdict from what is wrong, what could not be told, and what the principal's policies leave open.
pub(super) fn settle(
    draft: Draft<Subject<'_>>,
    identity: &Identity,
    problems: Vec<Problem>,
    unsure: Option<(&'static str, Text)>,
    right: impl fmt::Display,
) -> Vec<Verdict> {
    if problems.is_empty() {
        return match unsure.or_else(|| doubt(identity)) {
            Some((code, why)) => vec![draft.undecided(code, why)],
            None => draft.conclude(problems, right),
        };
    }
    // What is not seen of the organization may soften a finding.
    draft.shows_some("notSeen", identity.bounds.gap()).conclude_open(problems, unsure, right)
}

/// What a control on everybody's rights says where there is nothing to protect, or nobody knows; none where there is.
pub(super) fn idle(judge: &Judge<'_>, some: Result<bool, Text>) -> Option<Vec<Verdict>> {
    match some {
        Ok(true) => None,
        Ok(false) => Some(Vec::new()),
        Err(why) => Some(vec![judge.on_region().unread(why)]),
    }
}

/// Whether there is anything of customization here: what the controls on everybody's rights protect. `Err` when
/// nothing is known and not every list was read.
pub(super) fn customizes(judge: &Judge<'_>) -> Result<bool, Text> {
    let inventory = judge.context.inventory;
    let some = !inventory.jobs.is_empty()
        || !inventory.import_jobs.is_empty()
        || !inventory.copy_jobs.is_empty()
        || serves(judge)?;
    let lists = [SourceId::JOBS, SourceId::IMPORT_JOBS, SourceId::COPY_JOBS];
    if some { Ok(true) } else { judge.any_gap(&lists).map_or(Ok(false), Err) }
}

/// Whether there is a model to invoke.
pub(super) fn serves(judge: &Judge<'_>) -> Result<bool, Text> {
    let inventory = judge.context.inventory;
    let some = !inventory.models.is_empty()
        || !inventory.imported_models.is_empty()
        || !inventory.deployments.is_empty()
        || !inventory.throughputs.is_empty();
    let lists = [SourceId::MODELS, SourceId::IMPORTED_MODELS, SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS];
    if some { Ok(true) } else { judge.any_gap(&lists).map_or(Ok(false), Err) }
}
