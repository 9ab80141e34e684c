//! What one document says to one question: its Allows by how they meet the caller, and its Denies.

use super::decision::{Deciding, Layer, Tri, Truth};
use super::expr::{Atom, Expr, FEDERATED_BY, SESSION_NAME};
use super::grants;
use super::policy::{Effect, Policy, Statement, Version};
use super::principal::{Caller, Class, Match};
use super::scenario::Context;
use crate::base::{Arn, Text};

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub caller: &'a Caller,
    pub has_boundary: bool,
    pub action: &'a str,
    pub resource: &'a Arn,
    /// Whether the question is about some object whose ARN begins so.
    pub open: bool,
    pub context: Context<'a>,
}

impl Ask<'_> {
    /// Whether something that is no condition key has a value: open unless somebody fixed it.
    pub(super) fn is(&self, what: &str, value: &str) -> Expr {
        let when = Expr::equals(what, value);
        match when.value(&|key| self.context.get(key)) {
            Tri::Yes => Expr::True,
            Tri::No => Expr::False,
            Tri::Maybe => when,
        }
    }

    /// Whether an entry that meets the caller so meets this one.
    fn holds(&self, met: &Match) -> Tri {
        match met {
            Match::None => Tri::No,
            Match::As(_) => Tri::Yes,
            Match::IfSession(name) => self.is(SESSION_NAME, name).tri(),
            Match::IfFederatedBy(user) => self.is(FEDERATED_BY, user).tri(),
        }
    }
}

/// Which kind of policy is read: they differ in what a missing element means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Attached to somebody: no principals.
    Identity,
    /// Attached to a resource: principals, and `Resource` is needed.
    Resource,
    /// A trust policy: principals; its resource is the role itself.
    Trust,
    /// On a VPC endpoint, or of an organization: principals are not told apart, or limit.
    Limit,
}

/// What one document says.
#[derive(Clone)]
pub(super) struct Scan {
    /// All Allows of an identity policy; in a resource policy, those that meet the caller itself.
    pub allow: Truth,
    /// Allows of a resource policy that meet the caller's role.
    pub role: Truth,
    /// Allows of a resource policy that meet the caller's account.
    pub account: Truth,
    /// Denies.
    pub deny: Truth,
}

impl Scan {
    pub(super) fn nothing() -> Self {
        Self { allow: Truth::no(), role: Truth::no(), account: Truth::no(), deny: Truth::no() }
    }

    /// Of a document that could not be seen.
    pub(super) fn blind(why: &Text) -> Self {
        Self { allow: Truth::blind(why.clone()), deny: Truth::blind(why.clone()), ..Self::nothing() }
    }
}

/// Many alternatives, joined at once: joining one by one would be quadratic.
#[derive(Default)]
struct Alternatives {
    parts: Vec<Expr>,
    yes: Vec<Deciding>,
    maybe: Vec<Deciding>,
    unsettled: usize,
}

impl Alternatives {
    fn add(&mut self, when: &Expr, by: Deciding) {
        if let Expr::Unsettled(_) = when {
            // One reason not to know is as good as a hundred thousand.
            if self.unsettled >= 64 {
                return;
            }
            self.unsettled += 1;
        }
        let named = if *when == Expr::True { &mut self.yes } else { &mut self.maybe };
        if *when != Expr::False && named.len() < 64 {
            named.push(by);
        }
        self.parts.push(when.clone());
    }

    fn truth(self) -> Truth {
        let when = Expr::any(self.parts);
        let by = if when == Expr::True && !self.yes.is_empty() { self.yes } else { self.maybe };
        Truth { by: if when == Expr::False { Vec::new() } else { by }, when }
    }
}

pub(super) fn scan(policy: &Policy, layer: &Layer, side: Side, ask: &Ask<'_>) -> Scan {
    scan_some(policy.version, &policy.statements, layer, side, ask)
}

/// The same of some of its statements.
pub(super) fn scan_some(version: Version, some: &[Statement], layer: &Layer, side: Side, ask: &Ask<'_>) -> Scan {
    let (mut allow, mut role, mut account, mut deny) =
        (Alternatives::default(), Alternatives::default(), Alternatives::default(), Alternatives::default());
    for statement in some {
        if let Some(why) = &statement.malformed {
            // S5: an Allow in it counts as no, a Deny as "may apply".
            if statement.effect == Effect::Deny && meets(statement, side, ask) {
                let by = Deciding::statement(layer, statement);
                let why = Text::new(format!("{by} is malformed ({why}) and may deny"));
                deny.add(&Expr::Unsettled(why), by);
            }
            continue;
        }
        // why first: most statements are about other actions.
        if !statement.actions.as_ref().is_some_and(|actions| actions.cover(ask.action)) {
            continue;
        }
        let met = if side == Side::Identity || (side == Side::Limit && statement.principals.is_none()) {
            vec![Match::As(Class::Direct)]
        } else {
            match &statement.principals {
                None => continue,
                Some(principals) if statement.effect == Effect::Deny && principals.negated => {
                    let by = Deciding::statement(layer, statement);
                    let struck = match principals.strikes(ask.caller, ask.has_boundary, |met| ask.holds(met)) {
                        Tri::No => continue,
                        Tri::Yes => Expr::True,
                        Tri::Maybe => Expr::Unsettled(Text::new(format!(
                            "{by}: NotPrincipal lists a part of the caller's chain only"
                        ))),
                    };
                    deny.add(&Expr::all([struck, applies(version, statement, side, ask)]), by);
                    continue;
                }
                Some(principals) => principals.meet(ask.caller),
            }
        };
        let void = side == Side::Resource && statement.effect == Effect::Allow && grants::alone_give(ask.action);
        if met.is_empty() || void {
            continue;
        }
        let body = applies(version, statement, side, ask);
        if body == Expr::False {
            continue;
        }
        for met in met {
            let (class, when) = match met {
                Match::None => continue,
                Match::As(class) => (class, body.clone()),
                Match::IfSession(name) => (Class::Direct, Expr::all([ask.is(SESSION_NAME, &name), body.clone()])),
                Match::IfFederatedBy(user) => {
                    (Class::RoleOfSession, Expr::all([ask.is(FEDERATED_BY, &user), body.clone()]))
                }
            };
            if when == Expr::False {
                continue;
            }
            let by = Deciding::statement(layer, statement);
            match (statement.effect, class) {
                (Effect::Deny, _) => deny.add(&when, by),
                (Effect::Allow, Class::Account) if side != Side::Limit => account.add(&when, by),
                (Effect::Allow, Class::RoleOfSession) if side != Side::Limit => role.add(&when, by),
                (Effect::Allow, _) => allow.add(&when, by),
            }
        }
    }
    Scan { allow: allow.truth(), role: role.truth(), account: account.truth(), deny: deny.truth() }
}

/// When a well-formed statement about this action applies, principals apart (S1).
fn applies(version: Version, statement: &Statement, side: Side, ask: &Ask<'_>) -> Expr {
    let lookup = |key: &str| ask.context.get(key);
    let mut parts = Vec::new();
    match &statement.resources {
        // A trust policy has no Resource: it is about its role. S4: elsewhere it then has no effect.
        None if side == Side::Trust => {}
        None => return Expr::False,
        Some(resources) => {
            let atom =
                || Atom::Resource { resources: resources.clone(), arn: ask.resource.clone(), open: ask.open, version };
            let covers = match (ask.open, resources.has_variables(version)) {
                (false, _) => resources.cover_in(ask.resource, version, &lookup),
                (true, false) => resources.meet_open(ask.resource),
                (true, true) => Tri::Maybe,
            };
            match covers {
                Tri::No => return Expr::False,
                Tri::Yes => {}
                Tri::Maybe => parts.push(Expr::Atom(Box::new(atom()))),
            }
        }
    }
    for condition in &statement.conditions {
        match condition.holds_in(&lookup, version) {
            Tri::No => return Expr::False,
            Tri::Yes => {}
            // why: known, yet open: a rule that AWS does not settle.
            Tri::Maybe if condition.is_fixed(&lookup, version) => {
                let why = format!("AWS does not say whether {} holds without the key", condition.words());
                parts.push(Expr::Unsettled(Text::new(why)));
            }
            Tri::Maybe => parts.push(Expr::condition(condition.clone(), version)),
        }
    }
    Expr::all(parts)
}

/// Whether what can be read of a malformed statement could concern the request.
pub(super) fn meets(statement: &Statement, side: Side, ask: &Ask<'_>) -> bool {
    let action = statement.actions.as_ref().is_none_or(|actions| actions.cover(ask.action));
    let principal = side == Side::Identity
        || statement.principals.as_ref().is_none_or(|p| p.negated || !p.meet(ask.caller).is_empty());
    action && principal
}
