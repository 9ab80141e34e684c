//! Ids: of resources, of sessions (generations) and of requests.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arn::Arn;
use super::text::safe;

/// What AWS calls a resource by: an ARN where there is one, else the id or name that the API takes
/// (`subnet-0a1b…`, a bucket's name). Made safe like [`super::Text`], so that it can be drawn.
// why shared: lineage, findings and panes name the same few thousand resources over and over.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(Arc<str>);

impl ResourceId {
    /// Takes an id from outside.
    pub fn new(outside: impl AsRef<str>) -> Self {
        Self(safe(outside.as_ref()).into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as an ARN, if it is one.
    pub fn arn(&self) -> Option<Arn> {
        // why first: many ids are names, and why such a one is no ARN nobody asks here.
        if self.0.starts_with("arn:") { self.0.parse().ok() } else { None }
    }

    /// The last part: what a person calls it (`key/91b5…` → `91b5…`, `role/path/Tuner` → `Tuner`).
    pub fn last(&self) -> &str {
        // why trimmed: prefixes of buckets end with a slash.
        self.0.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(&self.0)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for ResourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ResourceId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ResourceId {
    fn from(outside: &str) -> Self {
        Self::new(outside)
    }
}

impl From<String> for ResourceId {
    fn from(outside: String) -> Self {
        Self::new(outside)
    }
}

impl PartialEq<str> for ResourceId {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for ResourceId {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(deserializer)?))
    }
}

/// Which session something came from. A switch of profile, region or account makes a new one;
/// what arrives with an older one is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Generation(pub u64);

impl Generation {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which request something answers; a newer answer of the same kind replaces an older one, never
/// the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct RequestId(pub u64);
