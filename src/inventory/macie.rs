//! Amazon Macie: whether it is on, which of the buckets that lineage reaches it looks into, and what
//! sensitive data it found there. Shapes follow the Amazon Macie REST API Reference (2020-01-01).

use serde::{Deserialize, Serialize};

use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// `GetMacieSession`. An account that never enabled Macie has the status [`MacieSession::OFF`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacieSession {
    /// `ENABLED`, `PAUSED`, or [`MacieSession::OFF`].
    pub status: Text,
    /// `updatedAt`.
    pub updated: Option<Timestamp>,
}

impl MacieSession {
    /// The status of an account in which Macie is not enabled. AWS has no word for it: it answers 403.
    pub const OFF: &'static str = "NOT_ENABLED";

    /// Whether Macie works here.
    pub fn is_on(&self) -> bool {
        self.status.as_str() == "ENABLED"
    }
}

/// What Macie knows of a bucket (`DescribeBuckets`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MacieBucket {
    /// The bucket's name.
    pub name: ResourceId,
    /// `automatedDiscoveryMonitoringStatus` is `MONITORED`.
    pub monitored: bool,
    /// `jobDetails.isDefinedInJob` or `isMonitoredByJob` is `TRUE`.
    pub in_job: bool,
    /// `jobDetails.lastJobRunTime`.
    pub last_job: Option<Timestamp>,
    /// `lastAutomatedDiscoveryTime`.
    pub last_discovery: Option<Timestamp>,
    /// `errorCode`: why Macie could not look, `ACCESS_DENIED`.
    pub error: Option<Text>,
    /// `classifiableObjectCount`.
    pub classifiable: Option<i64>,
    /// `unclassifiableObjectCount.fileType`: objects in a form that Macie cannot parse.
    pub unparsable: Option<i64>,
    /// `sensitivityScore`: -1 failed, 1 not sensitive … 100 sensitive; 50 not analyzed.
    pub sensitivity: Option<i32>,
}

item!(MacieBucket { name } named |bucket| bucket.name.as_str());

/// A sensitive-data discovery job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassificationJob {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// `ONE_TIME` or `SCHEDULED`.
    pub kind: Text,
    /// `RUNNING`, `COMPLETE`, `IDLE`, `CANCELLED`, …
    pub status: Text,
    /// Names of the buckets it lists; empty for a job that picks buckets by criteria.
    pub buckets: Vec<ResourceId>,
    /// `createdAt`.
    pub created: Timestamp,
}

item!(ClassificationJob { id } named |job| job.name.as_str());

/// A current (not archived) finding of sensitive data in a bucket that lineage reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensitiveFinding {
    /// Its id.
    pub id: ResourceId,
    /// `GetFindings`.
    pub detail: Read<SensitiveDetail>,
}

item!(SensitiveFinding { id, detail } named |finding| {
    finding.detail.last().map_or_else(String::new, |detail| detail.kind.to_string())
});

/// What only `GetFindings` tells. Never the data itself: Macie does not return it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensitiveDetail {
    /// `SensitiveData:S3Object/Personal`, …
    pub kind: Text,
    /// `Low`, `Medium`, `High`.
    pub severity: Text,
    /// The bucket.
    pub bucket: ResourceId,
    /// The object's key.
    pub object: Text,
    /// What was found, such as `EMAIL_ADDRESS`, with how often.
    pub detections: Vec<(Text, i64)>,
    /// `updatedAt`.
    pub updated: Option<Timestamp>,
}
