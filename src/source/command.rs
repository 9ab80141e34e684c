//! What the console asks of a source.

use crate::inventory::ResourceRef;

/// A wish. A source that cannot fulfil it (a saved case cannot refresh) lets it pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Read everything again, now.
    Refresh,
    /// Stop reading, or go on.
    Pause(bool),
    /// This is what the user looks at: read it first.
    Focus(ResourceRef),
    /// This was just changed: read it again at once.
    Reread(ResourceRef),
    /// Look into content too, so deep: once, after everything else was read again.
    Deep(Depth),
    /// The session is over.
    Stop,
}

/// How far a deep look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Bytes of objects that are read at most.
    pub bytes: u64,
    /// Bytes of their text that are sent to Amazon Comprehend at most; none: nothing is sent.
    pub opinion: Option<u64>,
}

impl Depth {
    /// Bytes that are read unless somebody says otherwise: more than the data of most accounts, less than a day's work.
    pub const BYTES: u64 = 64 << 30;
}

impl Default for Depth {
    fn default() -> Self {
        Self { bytes: Self::BYTES, opinion: None }
    }
}
