//! What can go wrong on the way from a plan to a change, and what to do about it.

use super::change::Change;
use crate::base::Text;
use crate::inventory::ReadError;
use crate::inventory::document::MalformedDocument;

/// One line of a difference between two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// Whether it stays, comes or goes.
    pub kind: DiffKind,
    /// The line, without its end; safe to draw.
    pub text: String,
}

/// What a line of a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffKind {
    /// In both.
    Same,
    /// Only in the new one.
    Added,
    /// Only in the old one.
    Removed,
}

/// Why a fix was not made, or not wholly.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FixError {
    /// The policy is no JSON.
    #[error("{0}")]
    Json(#[from] MalformedDocument),
    /// The policy is JSON, but KMS would refuse it or ignore a part of it.
    #[error("key policy: {0}")]
    Policy(String),
    /// The policy is too long.
    #[error(
        "key policy would have {bytes} bytes; KMS takes {limit}: remove statements that are no longer used, or use a grant"
    )]
    TooLarge {
        /// How long it would be.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Something that the consequences depend on was not read.
    #[error("{what}: {why}; without it the consequences cannot be shown")]
    NotKnown {
        /// What.
        what: String,
        /// Why not.
        why: String,
    },
    /// The thing to change is not there.
    #[error("{0}")]
    Gone(String),
    /// After the change nobody, or nobody but the caller, could change the policy again.
    #[error("refused, so that nobody is locked out: {0}")]
    Lockout(String),
    /// What was typed does not confirm the plan.
    #[error("not confirmed: type {0} exactly")]
    NotConfirmed(String),
    /// The state differs from the one the preview was computed on.
    #[error("{what} has changed since; nothing was written: look at what differs, then begin again")]
    Drift {
        /// What differs.
        what: String,
        /// From what the preview saw to what is there now.
        diff: Vec<DiffLine>,
    },
    /// The journal could not be written before the change, so the change was not made.
    #[error("journal: {0}; nothing was written to AWS")]
    Journal(String),
    /// A call failed.
    #[error("{0}: {advice}", advice = .0.kind.advice())]
    Call(ReadError),
    /// A call failed after others had worked, or its outcome is not known.
    #[error("stopped in the middle. Done: {}. Failed: {failed} ({why}); {state}. Not tried: {}", list(.done), list(.not_tried))]
    Partial {
        /// What was done, in words.
        done: Vec<String>,
        /// What failed.
        failed: String,
        /// With which error.
        why: String,
        /// What a look afterwards found of the failed change.
        state: Aftermath,
        /// What was not tried any more.
        not_tried: Vec<String>,
        /// What takes back that which was done, in the order to do it.
        undo: Vec<Change>,
    },
    /// AWS accepted the change, but reading back shows something else.
    #[error(
        "{what} was accepted by AWS, but does not read back as written: read it again in some minutes before doing more"
    )]
    NotConfirmedByRead {
        /// What.
        what: String,
        /// From what was written to what was read.
        diff: Vec<DiffLine>,
    },
    /// This version cannot do it.
    #[error("{0}")]
    Unsupported(String),
}

/// What a look after a failed call found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// The change is there all the same.
    Made,
    /// It is not there.
    NotMade,
    /// The look failed as well.
    NotKnown,
}

impl std::fmt::Display for Aftermath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Made => "a look afterwards shows it WAS made",
            Self::NotMade => "a look afterwards shows it was not made",
            Self::NotKnown => "a look afterwards failed too, so whether it was made is not known",
        })
    }
}

impl FixError {
    /// A value that was not read.
    pub fn not_known(what: impl Into<String>, why: &impl ToString) -> Self {
        Self::NotKnown { what: what.into(), why: why.to_string() }
    }

    /// What differs from what was expected, if that is the error.
    pub fn diff(&self) -> &[DiffLine] {
        match self {
            Self::Drift { diff, .. } | Self::NotConfirmedByRead { diff, .. } => diff,
            _ => &[],
        }
    }

    /// The error as one line of safe text.
    pub fn text(&self) -> Text {
        Text::new(self.to_string())
    }
}

fn list(words: &[String]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
