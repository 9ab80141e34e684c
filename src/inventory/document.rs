//! A policy document exactly as AWS returned it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::text::safe_lines;

/// The bytes of a policy. They are kept as they came, because a fix writes them back and an undo
/// must be exact; drawing goes through [`Document::shown`].
// why shared: previews and parsed policies keep a copy, and none is ever changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Arc<str>);

/// Why a document is no JSON, with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy is not valid JSON at line {line}, column {column}: {why}")]
pub struct MalformedDocument {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What the parser says.
    pub why: String,
}

impl Document {
    /// The most bytes KMS takes in a key policy (AWS KMS API Reference, PutKeyPolicy).
    pub const KEY_POLICY_LIMIT: usize = 32_768;

    /// Takes a document as it came.
    pub fn new(raw: impl AsRef<str>) -> Self {
        Self(raw.as_ref().into())
    }

    /// From JSON, printed for people.
    pub fn pretty(json: &serde_json::Value) -> Self {
        // Printing a Value cannot fail: its keys are strings.
        Self::new(serde_json::to_string_pretty(json).unwrap_or_default())
    }

    /// The bytes, for writing back. Never for a screen.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The same bytes, shared.
    pub fn shared(&self) -> &Arc<str> {
        &self.0
    }

    /// Safe to draw: indented when it is JSON, as it came when it is not.
    pub fn shown(&self) -> String {
        let text = match self.json() {
            Ok(json) => Self::pretty(&json).0,
            Err(_) => self.0.clone(),
        };
        safe_lines(&text).into_owned()
    }

    /// Parsed, key order kept.
    pub fn json(&self) -> Result<serde_json::Value, MalformedDocument> {
        serde_json::from_str(&self.0).map_err(|error| MalformedDocument {
            line: error.line(),
            column: error.column(),
            why: error.to_string(),
        })
    }

    /// Whether two documents mean the same JSON, whatever their spacing.
    pub fn same_json(&self, other: &Self) -> bool {
        match (self.json(), other.json()) {
            (Ok(a), Ok(b)) => a == b,
            _ => self.0 == other.0,
        }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(deserializer)?))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.0.len())
    }
}
