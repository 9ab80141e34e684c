//! What the evaluator says, and the three-valued logic it says it in (Kleene).

use std::fmt;
use std::ops::Range;

use super::expr::Expr;
use super::solve::Space;
use crate::base::{ResourceId, Text};

/// No, perhaps, yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tri {
    /// No.
    No,
    /// It depends on what is not known.
    Maybe,
    /// Yes.
    Yes,
}

impl Tri {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Tri {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Where a statement or permission stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The key policy.
    KeyPolicy,
    /// The policy of another resource: a bucket, a model, the trust policy of a role.
    ResourcePolicy,
    /// An identity policy, inline or managed, by its name.
    Identity(Text),
    /// The permissions boundary, by its ARN.
    Boundary(ResourceId),
    /// The session policy.
    Session,
    /// A service control policy, by name and the root, unit or account it hangs on.
    Scp(Text),
    /// A resource control policy, likewise.
    Rcp(Text),
    /// The policy of the VPC endpoint.
    Endpoint,
    /// A grant, by its id.
    Grant(ResourceId),
}

impl Layer {
    /// The word for its kind, as `access-eval` writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::KeyPolicy | Self::ResourcePolicy => "resource-policy",
            Self::Identity(_) => "identity",
            Self::Boundary(_) => "boundary",
            Self::Session => "session",
            Self::Scp(_) => "scp",
            Self::Rcp(_) => "rcp",
            Self::Endpoint => "endpoint",
            Self::Grant(_) => "grant",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyPolicy => f.write_str("key policy"),
            Self::Identity(name) => write!(f, "policy {name}"),
            Self::Boundary(arn) => write!(f, "boundary {}", arn.last()),
            Self::Grant(id) => write!(f, "grant {id}"),
            Self::ResourcePolicy => f.write_str("resource policy"),
            Self::Session => f.write_str("session policy"),
            Self::Scp(on) => write!(f, "service control policy {on}"),
            Self::Rcp(on) => write!(f, "resource control policy {on}"),
            Self::Endpoint => f.write_str("endpoint policy"),
        }
    }
}

/// A statement, or a grant, that decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deciding {
    /// Where.
    pub layer: Layer,
    /// JSON pointer into that document (`/Statement/1`); none for a grant or the root user.
    pub pointer: Option<Text>,
    /// Where it stands in the bytes of that document, if it was parsed from bytes.
    pub span: Option<(usize, usize)>,
    /// Its `Sid`; may be empty.
    pub sid: Text,
}

impl fmt::Display for Deciding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layer.fmt(f)?;
        if let Some(pointer) = &self.pointer {
            write!(f, " {pointer}")?;
        }
        if !self.sid.is_empty() {
            write!(f, " \"{}\"", self.sid)?;
        }
        Ok(())
    }
}

impl Deciding {
    /// A statement of a policy.
    pub(super) fn statement(layer: &Layer, statement: &super::policy::Statement) -> Self {
        let Range { start, end } = statement.span;
        Self {
            layer: layer.clone(),
            pointer: Some(statement.pointer()),
            span: (start < end).then_some((start, end)),
            sid: statement.sid.clone(),
        }
    }
}

/// An expression with the statements behind it: what makes it yes, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// When it holds.
    pub when: Expr,
    /// What decides (for yes), or would (for perhaps).
    pub by: Vec<Deciding>,
}

/// why a bound: each is compared with each, and a policy may hold a hundred thousand statements.
const NAMED: usize = 64;

impl Truth {
    /// No.
    pub fn no() -> Self {
        Self { when: Expr::False, by: Vec::new() }
    }

    /// Yes, without anything to point at.
    pub fn plain_yes() -> Self {
        Self { when: Expr::True, by: Vec::new() }
    }

    /// When this holds, by this; nothing points at what never holds.
    pub fn when(when: Expr, by: Option<Deciding>) -> Self {
        let by = by.filter(|_| when != Expr::False).into_iter().collect();
        Self { when, by }
    }

    /// Perhaps, because we could not see or AWS does not say.
    pub fn blind(why: impl Into<Text>) -> Self {
        Self { when: Expr::Unsettled(why.into()), by: Vec::new() }
    }

    /// Yes, no or open.
    pub fn tri(&self) -> Tri {
        self.when.tri()
    }

    /// The same, pointing at nothing: for layers that only limit.
    #[must_use]
    pub fn unnamed(self) -> Self {
        Self { by: Vec::new(), ..self }
    }

    /// Either: what is yes hides what is open.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self.tri(), other.tri()) {
            (Tri::Yes, Tri::Yes) | (Tri::Maybe, Tri::Maybe) => {
                let (when, other, by) = (self.when, other.when, merged(self.by, other.by));
                Self { when: Expr::any([when, other]), by }
            }
            (mine, theirs) if mine >= theirs => self,
            _ => other,
        }
    }

    /// One of many. why at once: joining one by one would move what is joined already each time, and a key may have
    /// fifty thousand grants.
    pub(super) fn any(many: impl IntoIterator<Item = Self>) -> Self {
        let mut best = Tri::No;
        let (mut whens, mut by): (Vec<Expr>, Vec<Deciding>) = (Vec::new(), Vec::new());
        for one in many {
            let tri = one.tri();
            if tri < best || tri == Tri::No {
                continue;
            }
            if tri > best {
                best = tri;
                whens.clear();
                by.clear();
            }
            whens.push(one.when);
            by = merged(by, one.by);
        }
        Self { when: Expr::any(whens), by }
    }

    /// Both: what is no hides the rest.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match Expr::all([self.when, other.when]) {
            Expr::False => Self::no(),
            when => Self { when, by: merged(self.by, other.by) },
        }
    }
}

fn merged(mut mine: Vec<Deciding>, theirs: Vec<Deciding>) -> Vec<Deciding> {
    for by in theirs {
        if mine.len() < NAMED && !mine.contains(&by) {
            mine.push(by);
        }
    }
    mine
}

/// May it, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes, whatever else is unknown.
    Allowed {
        /// The statements that allow; for delegation by the account both sides.
        by: Vec<Deciding>,
    },
    /// When these conditions hold.
    Conditional {
        /// The statements that allow.
        by: Vec<Deciding>,
        /// What must hold, in words.
        conditions: Vec<Text>,
    },
    /// A Deny applies; nothing overrides it (E1).
    ExplicitlyDenied {
        /// The statements that deny.
        by: Vec<Deciding>,
    },
    /// Nothing allows it (E11).
    ImplicitlyDenied {
        /// In words, what would have to allow it and does not.
        missing: Vec<Text>,
    },
    /// We could not see everything, or AWS does not say. Never to be counted as yes or no.
    Uncertain {
        /// The statements that would allow it.
        by: Vec<Deciding>,
        /// Why, in words.
        why: Vec<Text>,
    },
}

fn list(texts: &[Text]) -> String {
    texts.iter().map(Text::as_str).collect::<Vec<_>>().join("; ")
}

fn statements(by: &[Deciding]) -> String {
    by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Decision {
    /// Yes, whatever else is unknown.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// No, by a Deny or for want of an Allow.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::ExplicitlyDenied { .. } | Self::ImplicitlyDenied { .. })
    }

    /// `Allowed`, `Conditional`, …
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "Allowed",
            Self::Conditional { .. } => "Conditional",
            Self::ExplicitlyDenied { .. } => "ExplicitlyDenied",
            Self::ImplicitlyDenied { .. } => "ImplicitlyDenied",
            Self::Uncertain { .. } => "Uncertain",
        }
    }

    /// The statements behind it.
    pub fn by(&self) -> &[Deciding] {
        match self {
            Self::Allowed { by } | Self::Conditional { by, .. } | Self::ExplicitlyDenied { by } => by,
            Self::ImplicitlyDenied { .. } | Self::Uncertain { .. } => &[],
        }
    }

    /// In one line: what, and by which statement or why not.
    pub fn words(&self) -> Text {
        let (word, between) = match self {
            Self::Allowed { .. } | Self::Conditional { .. } => ("allowed", " "),
            Self::ExplicitlyDenied { .. } => ("denied", " "),
            Self::ImplicitlyDenied { .. } => ("not allowed", ": "),
            Self::Uncertain { .. } => ("uncertain", ": "),
        };
        let mut words = word.to_owned();
        let reason = self.reason();
        if !reason.is_empty() {
            words += between;
            words += &reason;
        }
        if let Self::Conditional { conditions, .. } = self {
            words += " when ";
            words += &list(conditions);
        }
        Text::new(words)
    }

    /// By which statement, or why not: what a word of its own stands before. Empty if there is nothing to name.
    pub fn reason(&self) -> String {
        match self {
            Self::Allowed { by } | Self::Conditional { by, .. } | Self::ExplicitlyDenied { by } if by.is_empty() => {
                String::new()
            }
            Self::Allowed { by } | Self::Conditional { by, .. } | Self::ExplicitlyDenied { by } => {
                format!("by {}", statements(by))
            }
            Self::ImplicitlyDenied { missing } => list(missing),
            Self::Uncertain { by, why } if by.is_empty() => list(why),
            Self::Uncertain { by, why } => format!("{} would allow it, but {}", statements(by), list(why)),
        }
    }

    /// From what allows, what denies, and what to say when nothing allows; with the expression that says
    /// when it is allowed.
    pub(super) fn of(allow: Truth, deny: Truth, missing: Vec<Text>) -> (Self, Expr) {
        match (allow.tri(), deny.tri()) {
            (_, Tri::Yes) => return (Self::ExplicitlyDenied { by: deny.by }, Expr::False),
            (Tri::No, _) => return (Self::ImplicitlyDenied { missing }, Expr::False),
            (Tri::Yes, Tri::No) => return (Self::Allowed { by: allow.by }, Expr::True),
            _ => {}
        }
        let when = Expr::all([allow.when.clone(), deny.when.clone().not()]);
        let Some(space) = Space::of(&[&allow.when, &deny.when, &when]) else {
            let why = when.unsettled();
            let conditions = when.conditions();
            let open = if why.is_empty() {
                Self::Conditional { by: allow.by, conditions }
            } else {
                Self::Uncertain { by: allow.by, why }
            };
            return (open, when);
        };
        let truths = space.truths(&when);
        if space.truths(&deny.when).always(&space) {
            (Self::ExplicitlyDenied { by: deny.by }, Expr::False)
        } else if truths.always(&space) {
            (Self::Allowed { by: allow.by }, Expr::True)
        } else if truths.never() {
            // Where something allows, something denies.
            let implicit = space.truths(&allow.when).never();
            let none =
                if implicit { Self::ImplicitlyDenied { missing } } else { Self::ExplicitlyDenied { by: deny.by } };
            (none, Expr::False)
        } else if truths.unsettled() {
            let when = space.minimal(&when);
            let mut why = when.unsettled();
            if why.is_empty() {
                why.push(Text::new(format!("AWS does not say what becomes of {}", when.words())));
            }
            (Self::Uncertain { by: allow.by, why }, when)
        } else {
            let when = space.minimal(&when);
            (Self::Conditional { by: allow.by, conditions: when.conditions() }, when)
        }
    }
}

/// By which of the ways that AWS knows something is allowed (E5–E9, G3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// The resource's policy names the caller itself, or everybody.
    Direct,
    /// It names the role of the caller's session.
    RoleOfSession,
    /// It names the user whose rights the caller's session has.
    UserOfFederated,
    /// It leaves it to the account, and the caller's own policies allow.
    RootDelegated,
    /// Both sides of two accounts allow.
    CrossAccount,
    /// The caller's own policies alone.
    Identity,
    /// A grant.
    Grant,
    /// The resource's policy names the service.
    ServicePrincipal,
}

impl Path {
    /// `RootDelegated`, …
    pub fn word(self) -> &'static str {
        match self {
            Self::Direct => "Direct",
            Self::RoleOfSession => "RoleOfSession",
            Self::UserOfFederated => "UserOfFederated",
            Self::RootDelegated => "RootDelegated",
            Self::CrossAccount => "CrossAccount",
            Self::Identity => "Identity",
            Self::Grant => "Grant",
            Self::ServicePrincipal => "ServicePrincipal",
        }
    }
}

/// A layer that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// Which kind: `resource-policy`, `identity`, `boundary`, `session`, `scp`, `rcp`, `endpoint`.
    pub layer: &'static str,
    /// Whether a Deny of it applies; else it lacks an Allow.
    pub explicit: bool,
}

/// A decision and what it leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// What it would be if the policies of an organization that could not be read took nothing away; none where they
    /// were read, or could change nothing.
    pub beneath: Option<Decision>,
    /// What could not be read then, in words.
    pub veil: Option<Text>,
    /// What it did not look at, or what stands beside it (the key's state), in words.
    pub caveats: Vec<Text>,
    /// Malformed Allows that may have been meant to allow it; they count for nothing (S5).
    pub malformed: Vec<Text>,
    /// When it is allowed: always, never, or an expression over the context of the request.
    pub when: Expr,
    /// Every layer that stands in the way, if it is denied.
    pub blocked: Vec<Block>,
    /// By which ways it is allowed, or would be.
    pub paths: Vec<Path>,
}

impl Answer {
    /// The decision of all layers that could be read: for questions about those layers, like what an edit of a key
    /// policy changes.
    pub fn of_what_was_read(&self) -> &Decision {
        self.beneath.as_ref().unwrap_or(&self.decision)
    }

    /// The same, taken out.
    pub fn into_what_was_read(self) -> Decision {
        self.beneath.unwrap_or(self.decision)
    }

    /// An answer that nothing could be seen for.
    pub(super) fn blind(why: impl Into<Text>) -> Self {
        let why = why.into();
        Self {
            decision: Decision::Uncertain { by: Vec::new(), why: vec![why.clone()] },
            beneath: None,
            veil: None,
            malformed: Vec::new(),
            caveats: Vec::new(),
            when: Expr::Unsettled(why),
            blocked: Vec::new(),
            paths: Vec::new(),
        }
    }
}
