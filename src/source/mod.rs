//! Where everything that enters the console comes from: live AWS, a saved case, the demo.
//! One door: a [`Message`] in an [`Envelope`] that names its session.

pub mod message;

pub use message::{CallStats, Envelope, Message};
