//! What an answer depends on, as an expression: it can be read, and it can be evaluated once the
//! context of a request is known.

use super::condition::Condition;
use super::decision::Tri;
use super::policy::{Resources, Version};
use super::scenario::ContextValue;
use crate::base::{Arn, Text};

/// The key under which an expression asks for the name of a role's session. No policy can name it.
pub const SESSION_NAME: &str = "the session's name";
/// What is asked for the user whose rights a federated user's session has: no condition key either.
pub const FEDERATED_BY: &str = "the user who federated it";

/// The key under which it asks for the object of a bucket, when the question is about "some object".
pub const OBJECT: &str = "the object";

/// A condition on the request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Atom {
    /// A condition of a statement or of a grant.
    Condition {
        /// The condition.
        condition: Condition,
        /// The language it is written in.
        version: Version,
    },
    /// A `Resource` that depends on a policy variable or on which object is meant.
    Resource {
        /// The patterns.
        resources: Resources,
        /// The resource asked about. With `open` what follows its last character is not known.
        arn: Arn,
        /// Whether the object of the bucket is not fixed.
        open: bool,
        /// The language they are written in.
        version: Version,
    },
}

/// A boolean expression over the context of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// Always.
    True,
    /// Never.
    False,
    /// When this holds.
    Atom(Box<Atom>),
    /// Nobody can tell: a document was not seen, or AWS does not say.
    Unsettled(Text),
    /// When that does not hold.
    Not(Box<Expr>),
    /// When all of these hold.
    All(Vec<Expr>),
    /// When one of these holds.
    Any(Vec<Expr>),
}

/// why a bound: comparing each part with each is quadratic, and policies are outside text.
const COMPARED: usize = 64;

impl Atom {
    /// Whether it holds in a context.
    pub fn holds(&self, lookup: &dyn Fn(&str) -> ContextValue) -> Tri {
        match self {
            Self::Condition { condition, version } => condition.holds_in(lookup, *version),
            Self::Resource { resources, arn, open, version } => {
                let mut arn = arn.clone();
                if *open {
                    match lookup(OBJECT) {
                        ContextValue::Known(values) if values.len() == 1 => arn.resource.push_str(&values[0]),
                        _ => return Tri::Maybe,
                    }
                }
                resources.cover_in(&arn, *version, lookup)
            }
        }
    }

    /// The key it is about; none when it depends on more than one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Condition { condition, version } if !condition.has_variables(*version) => Some(&condition.key),
            _ => None,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Condition { condition, .. } if [SESSION_NAME, FEDERATED_BY].contains(&condition.key.as_str()) => {
                format!("{} is {}", condition.key, condition.values.join(" or "))
            }
            Self::Condition { condition, .. } => condition.words().as_str().to_owned(),
            Self::Resource { resources, open, .. } => {
                let what = if *open { OBJECT } else { "this resource" };
                let not = if resources.negated { "not " } else { "" };
                format!("{what} is {not}{}", resources.patterns.join(" | "))
            }
        }
    }
}

impl Expr {
    /// A condition.
    pub fn condition(condition: Condition, version: Version) -> Self {
        Self::Atom(Box::new(Atom::Condition { condition, version }))
    }

    /// `StringEquals key value`, or `StringEqualsIgnoreCase` with a set operator: for what is no statement.
    pub(super) fn equals(key: &str, value: &str) -> Self {
        Self::condition(
            Condition {
                set: None,
                operator: super::condition::Operator::StringEquals,
                if_exists: false,
                key: key.to_owned(),
                values: vec![value.to_owned()],
            },
            Version::V2008,
        )
    }

    /// All of them.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::True => {}
                Self::False => return Self::False,
                Self::All(more) => more.into_iter().for_each(|one| keep(&mut kept, one)),
                one => keep(&mut kept, one),
            }
        }
        match kept.len() {
            0 => Self::True,
            1 => kept.swap_remove(0),
            _ => Self::All(kept),
        }
    }

    /// One of them.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::False => {}
                Self::True => return Self::True,
                Self::Any(more) => more.into_iter().for_each(|one| keep(&mut kept, one)),
                one => keep(&mut kept, one),
            }
        }
        match kept.len() {
            0 => Self::False,
            1 => kept.swap_remove(0),
            _ => Self::Any(kept),
        }
    }

    /// The opposite, with the negations at the leaves.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Not(inner) => *inner,
            Self::All(parts) => Self::any(parts.into_iter().map(Self::not)),
            Self::Any(parts) => Self::all(parts.into_iter().map(Self::not)),
            Self::Atom(atom) => match *atom {
                Atom::Condition { condition, version } => match condition.opposite(version) {
                    Some(condition) => Self::condition(condition, version),
                    None => Self::Not(Box::new(Self::condition(condition, version))),
                },
                other @ Atom::Resource { .. } => Self::Not(Box::new(Self::Atom(Box::new(other)))),
            },
            unsettled @ Self::Unsettled(_) => unsettled,
        }
    }

    /// Yes, no, or open.
    pub fn tri(&self) -> Tri {
        match self {
            Self::True => Tri::Yes,
            Self::False => Tri::No,
            _ => Tri::Maybe,
        }
    }

    /// Its value in a context. `Maybe` only for what the context leaves unknown and for what is unsettled.
    pub fn value(&self, lookup: &dyn Fn(&str) -> ContextValue) -> Tri {
        match self {
            Self::True => Tri::Yes,
            Self::False => Tri::No,
            Self::Atom(atom) => atom.holds(lookup),
            Self::Unsettled(_) => Tri::Maybe,
            Self::Not(inner) => inner.value(lookup).not(),
            Self::All(parts) => parts.iter().fold(Tri::Yes, |all, part| all.and(part.value(lookup))),
            Self::Any(parts) => parts.iter().fold(Tri::No, |any, part| any.or(part.value(lookup))),
        }
    }

    /// The reasons why parts of it are unsettled; of very many, the first.
    pub fn unsettled(&self) -> Vec<Text> {
        let mut found = Vec::new();
        self.each(&mut |part| {
            if let Self::Unsettled(why) = part
                && found.len() < COMPARED
                && !found.contains(why)
            {
                found.push(why.clone());
            }
        });
        found
    }

    /// Calls `see` with every part.
    pub(super) fn each(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        match self {
            Self::Not(inner) => inner.each(see),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each(see)),
            _ => {}
        }
    }

    /// What must hold, one text for each thing.
    pub fn conditions(&self) -> Vec<Text> {
        match self {
            Self::True => Vec::new(),
            Self::All(parts) => parts.iter().map(Self::words).collect(),
            other => vec![other.words()],
        }
    }

    /// In words, safe to draw.
    pub fn words(&self) -> Text {
        Text::new(self.phrase(false))
    }

    fn phrase(&self, inner: bool) -> String {
        let join = |parts: &[Self], word: &str| {
            let joined = parts.iter().map(|part| part.phrase(true)).collect::<Vec<_>>().join(word);
            if inner { format!("({joined})") } else { joined }
        };
        match self {
            Self::True => "always".to_owned(),
            Self::False => "never".to_owned(),
            Self::Atom(atom) => atom.words(),
            Self::Unsettled(why) => format!("({why})"),
            Self::Not(inner) => format!("not ({})", inner.phrase(false)),
            Self::All(parts) => join(parts, " and "),
            Self::Any(parts) => join(parts, " or "),
        }
    }
}

fn keep(kept: &mut Vec<Expr>, one: Expr) {
    if kept.len() >= COMPARED || !kept.contains(&one) {
        kept.push(one);
    }
}
