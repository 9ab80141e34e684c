//! bedwatch guards Amazon Bedrock model customization: how custom models are made, stored,
//! encrypted, reached and used.
//!
//! The map of the house, a line a room. A room may use only the rooms below it
//! (`tests/it/architecture.rs` reads the `use` lines and fails on an upward one).

pub mod cli;
pub mod tui;

pub mod report;

pub mod source;

pub mod aws;

pub mod case;

pub mod fix;

pub mod posture;

pub mod activity;

pub mod content;

pub mod access;

pub mod inventory;

pub mod base;
