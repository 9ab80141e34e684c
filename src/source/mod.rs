//! Where everything that enters the console comes from: live AWS, a saved case, the demo.
//! One door: a [`Message`] in an [`Envelope`] that names its session.

pub mod command;
pub mod live;
pub mod message;
pub mod replay;

pub use command::{Command, Depth};
pub use message::{CallStats, Envelope, Memory, Message};
pub use replay::Replay;
