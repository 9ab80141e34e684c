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
    /// The session is over.
    Stop,
}
