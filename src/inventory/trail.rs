//! What CloudTrail is told to record.

use serde::{Deserialize, Serialize};

use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trail {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
    /// Its home region.
    pub home_region: Text,
    /// Where it delivers.
    pub bucket: Option<ResourceId>,
    /// The key of the delivered files.
    pub kms_key: Option<ResourceId>,
    /// ARN of the log group it also writes to.
    pub log_group: Option<ResourceId>,
    /// Whether it covers all regions.
    pub multi_region: bool,
    /// Whether it belongs to the organization.
    pub organization: bool,
    /// Whether digests are written.
    pub validation: bool,
    /// `GetTrailStatus`.
    pub status: Read<TrailStatus>,
    /// `GetEventSelectors`.
    pub selectors: Read<Vec<Selector>>,
}

item!(Trail { arn, status, selectors } named |trail| trail.name.as_str());

/// `GetTrailStatus`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrailStatus {
    /// Whether it logs now.
    pub logging: bool,
    /// `LatestDeliveryTime`.
    pub delivered: Option<Timestamp>,
    /// `LatestDeliveryError`.
    pub error: Option<Text>,
}

/// One selector, classic or advanced, in one form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    /// Its name, if it has one.
    pub name: Text,
    /// Each condition in words, such as `eventCategory equals Management`.
    pub fields: Vec<Text>,
    /// The same conditions, to be judged; all of them must hold.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// A condition of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// `eventCategory`, `readOnly`, `eventSource`, `resources.type`, `resources.ARN`, …
    pub field: Text,
    /// `equals`, `startsWith`, `endsWith`, `notEquals`, `notStartsWith`, `notEndsWith`.
    pub operator: Text,
    /// Alternatives; for a negated operator, none of them.
    pub values: Vec<Text>,
}

impl Selector {
    /// Whether an event with this value of a field passes the conditions on that field. A field that
    /// no condition names passes; so does every value.
    pub fn admits(&self, field: &str, value: &str) -> bool {
        self.conditions.iter().filter(|condition| condition.field.as_str() == field).all(|condition| {
            let any = |test: fn(&str, &str) -> bool| condition.values.iter().any(|want| test(value, want.as_str()));
            match condition.operator.as_str() {
                "equals" => any(|value, want| value == want),
                "startsWith" => any(|value, want| value.starts_with(want)),
                "endsWith" => any(|value, want| value.ends_with(want)),
                "notEquals" => !any(|value, want| value == want),
                "notStartsWith" => !any(|value, want| value.starts_with(want)),
                "notEndsWith" => !any(|value, want| value.ends_with(want)),
                // why not: what this version does not know must not count as recorded.
                _ => false,
            }
        })
    }
}

/// A CloudTrail Lake store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDataStore {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
    /// `GetEventDataStore`.
    #[serde(default)]
    pub detail: Read<StoreDetail>,
}

item!(EventDataStore { arn, detail } named |store| store.name.as_str());

/// What only `GetEventDataStore` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreDetail {
    /// `ENABLED`, `STOPPED_INGESTION`, `PENDING_DELETION`, …
    pub status: Text,
    /// What it records.
    pub selectors: Vec<Selector>,
    /// Whether it covers all regions.
    pub multi_region: bool,
    /// Whether it covers the organization.
    pub organization: bool,
    /// The key it is encrypted with.
    pub kms_key: Option<ResourceId>,
    /// `RetentionPeriod`, in days.
    pub retention_days: Option<i32>,
}

/// A CloudTrail channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// ARN.
    pub arn: ResourceId,
    /// `aws-service-channel/SERVICE/…` where a service made it for itself.
    pub name: Text,
}

item!(Channel { arn } named |channel| channel.name.as_str());
