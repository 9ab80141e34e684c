//! What a source sends.

use serde::{Deserialize, Serialize};

use crate::activity::Event;
use crate::base::{Generation, Timestamp};
use crate::inventory::{ReadError, SessionInfo, Update};

/// A message and the session it came from. Receivers drop those of another generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Which session.
    pub generation: Generation,
    /// When it was sent.
    pub at: Timestamp,
    /// What.
    pub message: Message,
}

/// What a source has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The session is verified: who and where. Comes first.
    Session(SessionInfo),
    /// The session could not be verified.
    NoSession(ReadError),
    /// The inventory changed.
    Update(Box<Update>),
    /// New activity, newest first.
    Events(Vec<Event>),
    /// What the API calls cost so far: absolute numbers, one line an operation.
    Calls(Vec<CallStats>),
    /// A round of reading began (`true`) or everything asked for has been read (`false`).
    Busy(bool),
}

/// Calls of one operation since the session began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallStats {
    /// `service:Operation`.
    pub operation: String,
    /// Calls that were sent.
    pub calls: u64,
    /// Requests on the wire, retries included.
    pub attempts: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Attempts that were throttled.
    pub throttles: u64,
    /// Sum of the calls' durations, in milliseconds.
    pub total_ms: u64,
    /// Calls the guard refused.
    pub refused: u64,
}
