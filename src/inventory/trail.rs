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

item!(Trail { arn, status, selectors } named |trail| trail.name.to_string());

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
}

/// A CloudTrail Lake store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDataStore {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
}

item!(EventDataStore { arn } named |store| store.name.to_string());
