//! Policies: parse, match, evaluate. Knows IAM's rules and the inventory; knows no control and no fix.
//!
//! A [`Request`] asks whether one caller may do one action on one resource, and gets an [`Answer`]: the
//! decision, the statements behind it, and, where it depends on the request, an [`Expr`] that can be read
//! and evaluated. Facts and their marks are in the rules S, P, E, G and B that the comments name (AWS IAM
//! User Guide, policy evaluation logic; AWS KMS Developer Guide; Amazon Bedrock User Guide).

mod across;
pub mod actions;
pub mod alike;
pub mod apart;
pub mod batch;
pub mod bounds;
pub mod catalogue;
pub mod condition;
pub mod decision;
mod documents;
pub mod endpoint;
pub mod engine;
mod expiry;
pub mod expr;
mod grants;
pub mod identity;
pub mod invariants;
mod layers;
pub mod lint;
pub mod models;
pub mod obtain;
mod organization;
mod parse;
pub mod pattern;
pub mod plain;
pub mod policy;
pub mod principal;
mod print;
pub mod propose;
mod raise;
pub mod remarks;
pub mod request;
mod scan;
pub mod scenario;
mod sides;
mod solve;
mod span;
pub mod target;
mod variables;
pub mod who;

pub use bounds::Bounds;
pub use condition::{Condition, Operator, SetOperator};
pub use decision::{Answer, Block, Deciding, Decision, Layer, Path, Tri, Truth};
pub use documents::documents;
pub use endpoint::{NoWay, Through};
pub use expr::Expr;
pub use identity::Identity;
pub use plain::{KeyAccess, callers, decide, identity_decides, key_decision};
pub use policy::{Actions, BadPolicy, Effect, Policy, Resources, Statement, Version};
pub use principal::{Caller, Class, Match, NotACaller, PrincipalEntry, Principals};
pub use request::{Guards, Level, Request, Resource, Rules};
pub use scenario::{ContextValue, Facts, Scenario};
pub use target::{NoTarget, Target};
pub use who::{Matrix, People, Row, Shift, Who, who_can, who_under};

#[cfg(test)]
mod alike_tests;
#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod federated_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod who_tests;
