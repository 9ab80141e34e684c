//! Controls over an inventory: what is right, wrong, weak or not known, with evidence.
//!
//! A control is a pure rule; it reads the inventory and nothing else. [`assess`] runs all of
//! [`CONTROLS`] and keeps the law that nothing passes because we could not look.

pub mod assess;
pub mod baseline;
pub mod catalogue;
pub mod compliance;
mod conclusion;
pub mod control;
mod data;
mod detection;
mod encryption;
pub mod event_pattern;
#[cfg(test)]
mod expectation_tests;
pub mod expectations;
pub mod filter_pattern;
#[cfg(test)]
pub(crate) mod fixtures;
mod guardrails;
pub mod history;
mod identity;
mod import;
mod invocation;
mod job_roles;
mod jobs;
pub mod judge;
#[cfg(test)]
mod law_tests;
mod logging;
mod looked;
pub mod mutes;
mod network;
mod outsiders;
#[cfg(test)]
mod peers_tests;
mod permissions;
mod probe;
mod recall;
pub mod score;
mod tables;
pub mod verdict;

pub use assess::assess;
pub use baseline::Baseline;
pub use catalogue::{CONTROLS, control};
pub use compliance::{Framework, framework};
pub use control::{Context, Control};
pub use expectations::Expectations;
pub use history::{Changes, History};
pub use mutes::{MuteReport, Mutes};
pub use score::{AreaScore, Score, score};
pub use verdict::{Area, Assessment, Evidence, Muted, Severity, Status, Verdict};
