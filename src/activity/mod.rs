//! What happened: CloudTrail events (and, later, model invocations) as plain data.

pub mod event;

pub use event::{Event, Outcome};
