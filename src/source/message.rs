//! What a source sends.

use crate::activity::{Event, Invocation};
use crate::base::{Generation, Text, Timestamp};
use crate::case::Sighting;
pub use crate::inventory::CallStats;
use crate::inventory::{ReadError, SessionInfo, Update};

/// What was known of an account before this session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// When it was last looked at; none if never.
    pub last_look: Option<Timestamp>,
    /// The findings of then and before.
    pub sightings: Vec<Sighting>,
}

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
    /// What the case of this session remembers.
    Remembered(Memory),
    /// Something beside the reading went wrong: one sentence.
    Trouble(Text),
    /// New activity, newest first.
    Events(Vec<Event>),
    /// New invocations of models, newest first; prompts and completions are not among what is known.
    Invocations(Vec<Invocation>),
    /// What the API calls cost so far: absolute numbers, one line an operation.
    Calls(Vec<CallStats>),
    /// A round of reading began (`true`) or everything asked for has been read (`false`).
    Busy(bool),
}
