//! One question, every layer: who, what, on what, under which organization, session and endpoint (E1–E12).

use super::bounds::{Veil, veiled};
use super::decision::{Answer, Block, Deciding, Decision, Layer, Path, Tri, Truth};
use super::identity::{Identity, Own};
pub(super) use super::layers::Ground;
pub use super::layers::{Guards, Level, Resource, Rules};
use super::policy::{Effect, Policy};
use super::principal::Caller;
use super::scan::{self, Ask, Scan, Side, scan};
use super::scenario::{Context, Scenario};
use super::sides::{Sides, Stand};
use super::{across, grants};
use crate::base::Text;

/// One question.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks, with its own policies.
    pub identity: &'a Identity,
    /// `kms:Decrypt`.
    pub action: &'a str,
    /// On what.
    pub resource: &'a Resource,
    /// How.
    pub scenario: &'a Scenario,
    /// Under which other layers.
    pub guards: &'a Guards,
}

impl Request<'_> {
    /// The answer.
    pub fn answer(&self) -> Answer {
        evaluate(self.identity, self.action, self.resource.ground(), self.scenario, self.guards).answer()
    }

    pub(super) fn evaluate(&self) -> Evaluation {
        evaluate(self.identity, self.action, self.resource.ground(), self.scenario, self.guards)
    }
}

/// What the layers came to, before it is a decision: so that two questions can be joined.
#[derive(Clone)]
pub(super) struct Evaluation {
    pub allow: Truth,
    pub deny: Truth,
    pub missing: Vec<Text>,
    pub blocked: Vec<Block>,
    pub paths: Vec<Path>,
    pub caveats: Vec<Text>,
    /// What was not seen that may take it away.
    pub veil: Option<Text>,
    /// Malformed Allows that may have been meant to allow it, if nothing does.
    pub malformed: Vec<Text>,
}

impl Evaluation {
    /// One that rests on no policy.
    pub(super) fn of(allow: Truth, missing: Vec<Text>) -> Self {
        let (blocked, paths, caveats) = (Vec::new(), Vec::new(), Vec::new());
        Self { allow, deny: Truth::no(), missing, blocked, paths, caveats, veil: None, malformed: Vec::new() }
    }

    /// The decision; what was not seen is left aside.
    pub(super) fn settled(self) -> (Decision, super::expr::Expr) {
        Decision::of(self.allow, self.deny, self.missing)
    }

    pub(super) fn answer(self) -> Answer {
        let (decision, when) = Decision::of(self.allow, self.deny, self.missing);
        let denied = decision.is_denied();
        let behind = self.veil.as_ref().and_then(|veil| veiled(&decision, veil));
        let (decision, beneath, veil) = match behind {
            Some(uncertain) => (uncertain, Some(decision), self.veil),
            None => (decision, None, None),
        };
        Answer {
            malformed: if denied { self.malformed } else { Vec::new() },
            decision,
            beneath,
            veil,
            caveats: self.caveats,
            when,
            blocked: if denied { self.blocked } else { Vec::new() },
            paths: if denied { Vec::new() } else { self.paths },
        }
    }

    /// Both must be allowed.
    #[must_use]
    pub(super) fn and(mut self, other: Self) -> Self {
        self.missing.extend(other.missing);
        self.blocked.extend(other.blocked);
        self.paths.extend(other.paths);
        self.malformed.extend(other.malformed);
        for caveat in other.caveats {
            if !self.caveats.contains(&caveat) {
                self.caveats.push(caveat);
            }
        }
        let veil = self.veil.take().or(other.veil);
        Self { allow: self.allow.and(other.allow), deny: self.deny.or(other.deny), veil, ..self }
    }
}

/// What a set of limiting documents lets through, and what it denies. Each level must allow (E2). `unread`: something
/// of the level could not be read; what it then lets through is left to [`Veil`].
fn limits<'a, P>(levels: impl Iterator<Item = (P, bool)>, ask: &Ask<'_>) -> (Truth, Truth)
where
    P: Iterator<Item = (&'a Layer, &'a Policy)>,
{
    let (mut through, mut denies) = (Truth::plain_yes(), Vec::new());
    for (policies, unread) in levels {
        let mut lets = Vec::new();
        for (layer, policy) in policies {
            // why first: FullAWSAccess hangs on every level of most organizations.
            if policy.is_full() {
                lets.push(Truth::plain_yes());
                continue;
            }
            let found = scan(policy, layer, Side::Limit, ask);
            lets.push(found.allow);
            denies.push(found.deny);
        }
        if unread {
            lets.push(Truth::plain_yes());
        }
        through = through.and(Truth::any(lets).unnamed());
    }
    (through, Truth::any(denies))
}

/// The levels of an organization, to be asked.
fn imposed(levels: &[Level]) -> impl Iterator<Item = (impl Iterator<Item = (&Layer, &Policy)>, bool)> {
    levels.iter().map(|level| (level.policies.iter().map(|(layer, policy)| (layer, policy)), level.unread))
}

/// One level of plain documents.
fn alone<'a>(
    layer: &'a Layer,
    policies: Option<&'a [Policy]>,
) -> impl Iterator<Item = (impl Iterator<Item = (&'a Layer, &'a Policy)>, bool)> {
    policies.into_iter().map(move |policies| (policies.iter().map(move |policy| (layer, policy)), false))
}

pub(super) fn evaluate(
    identity: &Identity,
    action: &str,
    ground: Ground<'_>,
    scenario: &Scenario,
    guards: &Guards,
) -> Evaluation {
    let caller = &identity.caller;
    let ground = ground.for_action(action);
    let context = Context {
        scenario,
        caller,
        action,
        owner: ground.owner,
        principal: &identity.facts,
        resource: ground.facts,
        bounds: &identity.bounds,
    };
    let has_boundary = identity.boundary.is_some();
    let ask = Ask { caller, has_boundary, action, resource: ground.arn, open: ground.open, context };

    let (is_key, sovereign, side) = (ground.is_key(), ground.is_sovereign(), ground.side());
    let layer = if is_key { Layer::KeyPolicy } else { Layer::ResourcePolicy };
    let rules = match ground.rules {
        None => Scan::nothing(),
        Some(Ok(policy)) => scan(policy, &layer, side, &ask),
        Some(Err(why)) => Scan::blind(why),
    };
    let foreign = ground.is_foreign_to(caller);
    let service = matches!(caller, Caller::Service(_));

    let Own { allow: own, within: boundary, deny: own_denies } = identity.say(&ask);
    let session = guards.session.as_deref().filter(|policies| !policies.is_empty() && takes_session(caller));
    let (session_lets, session_denies) = limits(alone(&Layer::Session, session), &ask);
    let limit = || boundary.clone().and(session_lets.clone());
    let grant = if is_key { grants::grants(&ground, &own, &limit(), &ask) } else { Truth::no() };

    let effect = across::effect(action, ground.arn, foreign);
    let sides = Sides {
        direct: &rules.allow,
        role: &rules.role,
        account: &rules.account,
        own: &own,
        boundary: &boundary,
        session: &session_lets,
        grant: &grant,
        effect: &effect,
    };
    let ways = sides.ways(Stand { service, foreign, sovereign, federated: caller.is_federated() });
    let best = ways.iter().map(|(_, way)| way.tri()).max().unwrap_or(Tri::No);
    let paths = ways.iter().filter(|(_, way)| way.tri() == best && best != Tri::No).map(|(path, _)| *path).collect();
    let allow = ways.into_iter().fold(Truth::no(), |allow, (_, way)| allow.or(way));

    // E2, E3, E4: what limits from outside.
    let spared = ground.spared(caller, action);
    let scps = guards.scps_over(&identity.bounds, caller);
    let rcps = Some(guards.rcps_over(&identity.bounds, ground.owner)).filter(|_| !spared);
    let veil = Veil { scps: scps.unseen, rcps: rcps.and_then(|rcps| rcps.unseen) };
    let (scp_lets, scp_denies) = limits(imposed(scps.levels), &ask);
    // why only denies: RCPFullAWSAccess hangs on every level and cannot be taken off (E3).
    let (_, rcp_denies) = limits(imposed(rcps.map_or(&[], |rcps| rcps.levels)), &ask);
    let endpoint = guards.endpoint.as_deref().filter(|policies| !policies.is_empty());
    let (endpoint_lets, endpoint_denies) = limits(alone(&Layer::Endpoint, endpoint), &ask);

    let deny = [&rules.deny, &own_denies, &session_denies, &scp_denies, &rcp_denies, &endpoint_denies]
        .into_iter()
        .fold(Truth::no(), |deny, one| deny.or(one.clone()));

    let mut blocked: Vec<Block> = Vec::new();
    for by in deny.by.iter().filter(|_| deny.tri() != Tri::No) {
        blocked.push(Block { layer: by.layer.kind(), explicit: true });
    }
    let may = |truth: &Truth| truth.tri() != Tri::No;
    let has = Has {
        direct: may(&rules.allow),
        role: may(&rules.role),
        account: may(&rules.account),
        own: may(&own),
        boundary: may(&boundary),
        session: may(&session_lets),
        grant: may(&grant),
        effect: may(&effect),
        scp: may(&scp_lets),
        endpoint: may(&endpoint_lets),
    };
    let mut missing = has.shortfall(&ground, caller, action, &mut blocked);
    let mut caveats: Vec<Text> = guards.unseen().into_iter().collect();
    caveats.extend(ground.notes.iter().cloned());
    let allow = allow.and(scp_lets).and(endpoint_lets);
    let no = allow.tri() == Tri::No;
    let veil = if no { None } else { veil.words() };
    let mut malformed = Vec::new();
    if no {
        let rules = ground.rules.and_then(Result::ok).map(|policy| (&layer, policy, side)).into_iter();
        let own = identity.policies.iter().map(|(layer, policy)| (layer, &**policy, Side::Identity));
        let fence = identity
            .boundary
            .iter()
            .filter_map(|one| Some((Layer::Boundary(one.arn.clone()), one.policy.as_ref().ok()?)));
        let fence: Vec<_> = fence.collect();
        let fence = fence.iter().map(|(layer, policy)| (layer, &***policy, Side::Identity));
        let above = scps.levels.iter().flat_map(|level| &level.policies);
        let above = above.map(|(layer, policy)| (layer, policy, Side::Limit));
        let way = [(&Layer::Session, session), (&Layer::Endpoint, endpoint)].into_iter();
        let way =
            way.flat_map(|(layer, policies)| policies.into_iter().flatten().map(move |one| (layer, one, Side::Limit)));
        malformed = void(rules.chain(own).chain(fence).chain(above).chain(way), &ask);
        missing.extend(malformed.iter().cloned());
    }
    Evaluation { allow, deny, missing, blocked, paths, caveats, veil, malformed }
}

/// Whether a policy holds an Allow that cannot be read.
pub(super) fn has_void(policy: &Policy) -> bool {
    policy.statements.iter().any(|statement| statement.malformed.is_some() && statement.effect == Effect::Allow)
}

/// The malformed Allows that could concern the request, in words (S5). why a bound: a policy may hold a hundred thousand.
fn void<'a>(documents: impl Iterator<Item = (&'a Layer, &'a Policy, Side)>, ask: &Ask<'_>) -> Vec<Text> {
    let named = documents.flat_map(|(layer, policy, side)| {
        let broken = policy
            .malformed()
            .filter(move |(statement, _)| statement.effect == Effect::Allow && scan::meets(statement, side, ask));
        broken.map(move |(statement, why)| {
            Text::new(format!("{} is malformed ({why}): it allows nothing", Deciding::statement(layer, statement)))
        })
    });
    named.take(8).collect()
}

/// Whether sessions of this caller may carry a policy of their own.
pub(super) fn takes_session(caller: &Caller) -> bool {
    match caller {
        Caller::Role { .. } => true,
        Caller::User(_) => caller.is_federated(),
        Caller::Root(_) | Caller::Service(_) => false,
    }
}

/// Which layers let a request through, perhaps or for certain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Has {
    pub direct: bool,
    pub role: bool,
    pub account: bool,
    pub own: bool,
    pub boundary: bool,
    pub session: bool,
    pub grant: bool,
    pub effect: bool,
    pub scp: bool,
    pub endpoint: bool,
}

impl Has {
    /// Adds every layer that lacks an Allow to those that block, and says in words what would have to allow (E11).
    pub(super) fn shortfall(
        &self,
        ground: &Ground<'_>,
        caller: &Caller,
        action: &str,
        blocked: &mut Vec<Block>,
    ) -> Vec<Text> {
        let (is_key, sovereign, foreign) = (ground.is_key(), ground.is_sovereign(), ground.is_foreign_to(caller));
        let service = matches!(caller, Caller::Service(_));
        let named = self.direct || self.role || self.account;
        let lone = !self.direct && !self.role;
        let needs_own = !service && (foreign || if sovereign { named && lone } else { lone });
        let needs_rules = service || foreign || sovereign;
        let mut lacks = |lacks: bool, layer: &'static str| {
            if lacks {
                blocked.push(Block { layer, explicit: false });
            }
        };
        lacks(needs_rules && !self.grant && (!named || !self.effect), "resource-policy");
        lacks(needs_own && !self.grant && !self.own, "identity");
        let limited = needs_own || !self.direct;
        lacks(!service && limited && !self.boundary, "boundary");
        lacks(!service && limited && !self.session, "session");
        lacks(!self.scp, "scp");
        lacks(!self.endpoint, "endpoint");
        blocked.sort();
        blocked.dedup();
        Missing { ground, caller, action, foreign, named, needs_own, needs_rules, is_key }.words(self, blocked)
    }
}

/// The answer for want of an Allow, when no Deny may apply either: no statement has to be read for it.
pub(super) fn denied(has: Has, ground: &Ground<'_>, caller: &Caller, action: &str, guards: &Guards) -> Answer {
    let mut blocked = Vec::new();
    let missing = has.shortfall(ground, caller, action, &mut blocked);
    let caveats = guards.unseen().into_iter().chain(ground.notes.iter().cloned()).collect();
    let decision = Decision::ImplicitlyDenied { missing };
    Answer {
        decision,
        beneath: None,
        veil: None,
        malformed: Vec::new(),
        caveats,
        when: super::expr::Expr::False,
        blocked,
        paths: Vec::new(),
    }
}

/// In words, what would have to allow and does not (E11).
struct Missing<'a> {
    ground: &'a Ground<'a>,
    caller: &'a Caller,
    action: &'a str,
    foreign: bool,
    named: bool,
    needs_own: bool,
    needs_rules: bool,
    is_key: bool,
}

impl Missing<'_> {
    fn words(&self, has: &Has, blocked: &[Block]) -> Vec<Text> {
        let (action, name) = (self.action, self.caller.name());
        let policy = match (self.is_key, self.ground.arn.service.as_str()) {
            (true, _) => "key policy",
            (_, "iam") => "trust policy",
            _ => "resource's policy",
        };
        let mut missing = Vec::new();
        let mut say = |words: String| missing.push(Text::new(words));
        if !self.named && self.is_key {
            say(format!("no statement of the key policy and no grant allows {action}"));
        } else if !self.named && self.needs_rules {
            say(format!("no statement of the {policy} allows {action}"));
        }
        if self.foreign && !has.effect {
            say(format!("{action} has no effect across accounts"));
        }
        if self.needs_own && !has.own {
            match (self.named, self.foreign) {
                (true, _) if self.needs_rules => {
                    say(format!("the {policy} leaves it to the account, and no policy of {name} allows {action}"));
                }
                _ if !self.needs_rules => say(format!("no identity policy of {name} allows {action}")),
                _ => {}
            }
        }
        if !has.boundary {
            say(format!("the permissions boundary of {name} does not allow {action}"));
        }
        for block in blocked.iter().filter(|block| !block.explicit) {
            match block.layer {
                "session" => say(format!("the session policy does not allow {action}")),
                "scp" => say(format!("a service control policy level does not allow {action}")),
                "endpoint" => say(format!("the policy of the VPC endpoint does not allow {action}")),
                _ => {}
            }
        }
        missing
    }
}
