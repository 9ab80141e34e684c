//! What happened: CloudTrail events and model invocations as plain data.

pub mod event;
pub mod invocation;
pub mod jacking;

pub use event::{Event, Outcome};
pub use invocation::Invocation;
pub use jacking::Watch;
