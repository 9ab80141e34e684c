//! One binary for all integration tests: each binary more would link the whole SDK again.

// A test that meets what it does not expect has failed: that is what a panic says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// why the name: it takes longest, and tests begin in the order of their names.
#[path = "sweep.rs"]
mod a_sweep;
mod access;
mod architecture;
mod bed;
mod console;
mod data;
mod deep;
mod faults;
mod fix;
mod history;
mod matrix;
mod panics;
mod pty;
mod reports;
mod scan;
mod silent;
mod sources;
mod stale;
