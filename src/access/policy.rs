//! A policy document as rules can use it. Keeps every statement, the broken ones too.

use std::ops::Range;

use super::condition::Condition;
use super::decision::Tri;
use super::pattern;
use super::principal::{PrincipalEntry, Principals};
use super::scenario::ContextValue;
use super::variables::{self, Expanded, Wildcards};
use crate::base::{Arn, Text};

/// `Version`. Before 2012-10-17 a `${…}` is literal text (S6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, or none.
    V2008,
    /// `2012-10-17`: variables work.
    V2012,
}

/// `Effect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Gives.
    Allow,
    /// Takes.
    Deny,
}

/// `Action` or `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// Patterns, as written.
    pub patterns: Vec<String>,
}

/// `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resources {
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// Patterns, as written.
    pub patterns: Vec<String>,
}

/// One statement. Strings of it are as written: what is drawn of them goes through [`Text`].
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its place, from 0.
    pub index: usize,
    /// Whether `Statement` was an array; a lone object's pointer has no number.
    pub in_array: bool,
    /// `Sid`.
    pub sid: Text,
    /// `Effect`. A statement whose effect cannot be read is a malformed Deny: it may apply.
    pub effect: Effect,
    /// `Action`/`NotAction`, if there is one.
    pub actions: Option<Actions>,
    /// `Resource`/`NotResource`, if there is one.
    pub resources: Option<Resources>,
    /// `Principal`/`NotPrincipal`, if there is one.
    pub principals: Option<Principals>,
    /// `Condition`: all must hold (S7).
    pub conditions: Vec<Condition>,
    /// Where it stands in the bytes of the document; empty when it was not parsed from bytes.
    pub span: Range<usize>,
    /// What is wrong with it, and where. An Allow in it counts as no, a Deny as "may apply" (S5).
    pub malformed: Option<String>,
}

/// A parsed document.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// `Version`.
    pub version: Version,
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// Why a document is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// Longer than any policy AWS stores.
    #[error("policy has {bytes} bytes; AWS stores none over {limit}, so it is not read")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that is parsed.
        limit: usize,
    },
    /// Not JSON, a key twice, or nested too deep.
    #[error("policy is not valid JSON at line {line}, column {column}: {why}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong, made safe.
        why: String,
    },
    /// JSON, but no policy.
    #[error("policy is malformed at {pointer}: {why}")]
    Shape {
        /// JSON pointer; `/` is the document.
        pointer: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl Policy {
    /// Whether it limits nothing, as `FullAWSAccess` and `RCPFullAWSAccess` do.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.statements.as_slice(), [statement] if statement.is_full())
    }

    /// The most bytes that are parsed. why: the longest policy of AWS (an organization's) is under 64 KiB;
    /// a megabyte leaves room, and an hour of parsing none.
    pub const MAX_BYTES: usize = 1 << 20;

    /// One that allows everything.
    pub fn everything() -> Self {
        let all = || vec!["*".to_owned()];
        let statement = Statement {
            index: 0,
            in_array: true,
            sid: Text::default(),
            effect: Effect::Allow,
            actions: Some(Actions { negated: false, patterns: all() }),
            resources: Some(Resources { negated: false, patterns: all() }),
            principals: None,
            conditions: Vec::new(),
            span: 0..0,
            malformed: None,
        };
        Self { version: Version::V2012, statements: vec![statement] }
    }

    /// Whether every statement could be read.
    pub fn is_well_formed(&self) -> bool {
        self.malformed().next().is_none()
    }

    /// The statements that could not, with what is wrong.
    pub fn malformed(&self) -> impl Iterator<Item = (&Statement, &str)> {
        self.statements.iter().filter_map(|statement| Some((statement, statement.malformed.as_deref()?)))
    }
}

impl Statement {
    /// JSON pointer to it: `/Statement/2`.
    pub fn pointer(&self) -> Text {
        if self.in_array { Text::of(format_args!("/Statement/{}", self.index)) } else { Text::from("/Statement") }
    }

    /// What a person calls it: its Sid, else its place.
    pub fn label(&self) -> String {
        if self.sid.is_empty() { format!("statement {}", self.index + 1) } else { format!("\"{}\"", self.sid) }
    }

    /// Whether it is a well-formed Allow.
    pub fn allows(&self) -> bool {
        self.effect == Effect::Allow && self.malformed.is_none()
    }

    /// Whether it lets everybody do everything to everything.
    fn is_full(&self) -> bool {
        let all = |patterns: &[String]| patterns == ["*"];
        self.allows()
            && self.conditions.is_empty()
            && self.actions.as_ref().is_some_and(|actions| !actions.negated && all(&actions.patterns))
            && self.resources.as_ref().is_some_and(|resources| !resources.negated && all(&resources.patterns))
            && self.principals.as_ref().is_none_or(|them| !them.negated && them.entries == [PrincipalEntry::Everyone])
    }
}

impl Actions {
    /// Whether `action` (`kms:Decrypt`) is among them (S2).
    pub fn cover(&self, action: &str) -> bool {
        let any = self.patterns.iter().any(|pattern| pattern::matches_ignoring_case(pattern, action));
        any != self.negated
    }
}

impl Resources {
    /// Whether `arn` is among them (S3). Variables are not expanded: see [`Resources::has_variables`].
    pub fn cover(&self, arn: &Arn) -> bool {
        self.patterns.iter().any(|pattern| pattern::matches_arn(pattern, arn)) != self.negated
    }

    /// The same with variables filled in. A pattern with a variable that has no value matches nothing, and
    /// spares nothing in a `NotResource`; the other patterns still count.
    pub(super) fn cover_in(&self, arn: &Arn, version: Version, lookup: &dyn Fn(&str) -> ContextValue) -> Tri {
        if !self.has_variables(version) {
            return Tri::from(self.cover(arn));
        }
        let (mut met, mut open, mut void) = (false, false, false);
        for pattern in &self.patterns {
            match variables::expand(pattern, Wildcards::Work, lookup) {
                Expanded::Pattern(pattern) => met |= pattern::matches_arn(&pattern, arn),
                Expanded::Void => void = true,
                Expanded::Unknown => open = true,
            }
        }
        match (met, self.negated) {
            (true, negated) => Tri::from(!negated),
            (false, true) if void => Tri::No,
            (false, _) if open => Tri::Maybe,
            (false, negated) => Tri::from(negated),
        }
    }

    /// How far they meet the ARNs that begin with this one: all, some, none.
    pub(super) fn meet_open(&self, arn: &Arn) -> Tri {
        let met = self.patterns.iter().fold(Tri::No, |met, pattern| met.or(pattern::meets_open(pattern, arn)));
        if self.negated { met.not() } else { met }
    }

    /// Whether a pattern depends on the caller (`${aws:username}`) under this version of the language.
    pub fn has_variables(&self, version: Version) -> bool {
        version == Version::V2012 && self.patterns.iter().any(|pattern| pattern.contains("${"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_limits_nothing_is_full() {
        let full = |statement: &str| {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
            Policy::parse(&crate::inventory::Document::new(&text)).unwrap().is_full()
        };
        for (statement, expected) in [
            (r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#, true),
            (r#"[{"Effect": "Allow", "Action": ["*"], "Resource": ["*"], "Principal": "*"}]"#, true),
            (r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#, false),
            (r#"{"Effect": "Allow", "NotAction": "*", "Resource": "*"}"#, false),
            (r#"{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}"#, false),
            (r#"{"Effect": "Allow", "Action": "*", "NotResource": "*"}"#, false),
            (r#"{"Effect": "Allow", "Action": "*"}"#, false),
            (r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": "*"}"#, false),
            (r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "111122223333"}}"#, false),
            (
                r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": {"Bool": {"aws:SecureTransport": "true"}}}"#,
                false,
            ),
            (
                r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}]"#,
                false,
            ),
            ("[]", false),
        ] {
            assert_eq!(full(statement), expected, "{statement}");
        }
    }
}
