//! EventBridge rules of the default bus.

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text};

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
    /// `State` is `ENABLED` (or enabled for all management events).
    pub enabled: bool,
    /// `EventPattern`; none for a schedule.
    pub pattern: Option<Document>,
    /// `ListTargetsByRule`.
    pub targets: Read<Vec<Target>>,
}

item!(Rule { arn, targets } named |rule| rule.name.as_str());

/// Where a rule delivers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its id within the rule.
    pub id: Text,
    /// ARN.
    pub arn: ResourceId,
    /// ARN of the dead-letter queue.
    pub dead_letter: Option<ResourceId>,
}
