//! What a deep look found in logged prompts and completions: detections with masks, never a text.

use serde::{Deserialize, Serialize};

use crate::base::{ResourceId, Severity, Text, Timestamp};

/// One look at the invocation log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Conversations {
    /// The log group, or `s3://bucket/prefix`; empty where nothing is logged.
    pub place: Text,
    /// How far back it went.
    pub since: Option<Timestamp>,
    /// Invocations of custom and imported models that were read.
    pub records: u64,
    /// Invocations of other models: not looked into.
    pub others: u64,
    /// Records without a body: it was too large for the log, or text is not logged.
    pub without_text: u64,
    /// Detections and how often they spoke.
    pub counts: Vec<(Text, u64)>,
    /// The first of each, with what is known of the invocation.
    pub hits: Vec<ConversationHit>,
}

/// One detection in one invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationHit {
    /// `D56`, …
    pub id: Text,
    /// What it is.
    pub title: Text,
    /// How bad; none for what is only worth knowing.
    pub severity: Option<Severity>,
    /// Whether it stands in the completion; else in the prompt.
    pub answered: bool,
    /// What may be seen of it.
    pub shown: Text,
    /// `requestId`.
    pub request: Text,
    /// `identity.arn`.
    pub principal: ResourceId,
    /// `modelId`.
    pub model: ResourceId,
    /// When.
    pub at: Timestamp,
}
