//! CloudWatch Logs groups.

use serde::{Deserialize, Serialize};

use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A log group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Its name.
    pub name: ResourceId,
    /// ARN.
    pub arn: ResourceId,
    /// `retentionInDays`; none means for ever.
    pub retention_days: Option<i32>,
    /// `kmsKeyId`.
    pub kms_key: Option<ResourceId>,
    /// `storedBytes`.
    pub bytes: i64,
    /// `creationTime`.
    pub created: Timestamp,
    /// Metric filters, as `name: pattern`.
    pub filters: Read<Vec<Text>>,
}

item!(LogGroup { name, filters } named |group| group.name.to_string());
