//! Amazon GuardDuty: detectors, malware protection of buckets, and the findings that touch customization.
//!
//! Shapes follow the Amazon GuardDuty API Reference (2017-11-28). No detector in the table and its
//! source complete means that GuardDuty is off in the region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A detector; a region has one or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Its id.
    pub id: ResourceId,
    /// `GetDetector`.
    pub detail: Read<DetectorDetail>,
}

item!(Detector { id, detail } named |detector| detector.id.as_str());

/// What only `GetDetector` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DetectorDetail {
    /// `ENABLED` or `DISABLED`.
    pub status: Text,
    /// Feature → `ENABLED` or `DISABLED`: `S3_DATA_EVENTS`, `CLOUD_TRAIL`, … An open list.
    pub features: BTreeMap<Text, Text>,
}

impl DetectorDetail {
    /// Whether the detector and this feature of it are on.
    pub fn has(&self, feature: &str) -> bool {
        let on = |word: &Text| word.as_str() == "ENABLED";
        on(&self.status) && self.features.iter().any(|(name, state)| name.as_str() == feature && on(state))
    }
}

/// A current (not archived) finding of one of the types that bear on customization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threat {
    /// Its id.
    pub id: ResourceId,
    /// The detector that found it.
    pub detector: ResourceId,
    /// `GetFindings`.
    pub detail: Read<ThreatDetail>,
}

item!(Threat { id, detail } named |threat| {
    threat.detail.last().map_or_else(String::new, |detail| detail.kind.to_string())
});

/// What only `GetFindings` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreatDetail {
    /// `Impact:IAMUser/AnomalousModelInvocation`, …
    pub kind: Text,
    /// `Title`.
    pub title: Text,
    /// 0.1 to 10.0.
    pub severity: f64,
    /// Names of buckets it is about.
    pub buckets: Vec<ResourceId>,
    /// `UserName` of the access key: a role's or a user's name.
    pub principal: Option<Text>,
    /// `UserType`: `AssumedRole`, `IAMUser`, …
    pub principal_type: Option<Text>,
    /// How often it was seen.
    pub count: u32,
    /// `CreatedAt`.
    pub created: Option<Timestamp>,
    /// `UpdatedAt`.
    pub updated: Option<Timestamp>,
}

/// A malware protection plan of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MalwarePlan {
    /// Its id.
    pub id: ResourceId,
    /// `GetMalwareProtectionPlan`.
    pub detail: Read<MalwarePlanDetail>,
}

item!(MalwarePlan { id, detail } named |plan| {
    plan.detail.last().and_then(|detail| detail.bucket.as_ref()).map_or_else(String::new, ToString::to_string)
});

/// What only `GetMalwareProtectionPlan` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MalwarePlanDetail {
    /// The bucket it protects.
    pub bucket: Option<ResourceId>,
    /// The prefixes it covers; none means all.
    pub prefixes: Vec<Text>,
    /// ARN of the role it scans as.
    pub role: Option<ResourceId>,
    /// `ACTIVE`, `WARNING`, `ERROR`.
    pub status: Text,
    /// Why the status is not `ACTIVE`.
    pub reasons: Vec<Text>,
    /// Whether scanned objects are tagged.
    pub tagging: bool,
}
