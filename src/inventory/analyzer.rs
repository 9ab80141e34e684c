//! IAM Access Analyzer: its analyzers, and what they found on resources that lineage reaches.
//!
//! Shapes follow the IAM Access Analyzer API Reference (2019-11-01).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// An analyzer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analyzer {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
    /// `ACCOUNT`, `ORGANIZATION`, and the kinds for unused and internal access.
    pub kind: Text,
    /// `ACTIVE`, `CREATING`, `DISABLED`, `FAILED`.
    pub status: Text,
    /// `lastResourceAnalyzedAt`.
    pub analyzed: Option<Timestamp>,
}

item!(Analyzer { arn } named |analyzer| analyzer.name.as_str());

impl Analyzer {
    /// Whether it is on, and looks for access from outside.
    pub fn watches_outside(&self) -> bool {
        self.status.as_str() == "ACTIVE" && matches!(self.kind.as_str(), "ACCOUNT" | "ORGANIZATION")
    }
}

/// An active finding of external access on a bucket, key or role that lineage reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalyzerFinding {
    /// Its id.
    pub id: ResourceId,
    /// ARN of the analyzer.
    pub analyzer: ResourceId,
    /// `ExternalAccess`.
    pub kind: Text,
    /// ARN of the resource.
    pub resource: ResourceId,
    /// `AWS::S3::Bucket`, `AWS::KMS::Key`, `AWS::IAM::Role`.
    pub resource_type: Text,
    /// `ACTIVE`.
    pub status: Text,
    /// `updatedAt`.
    pub updated: Timestamp,
    /// `GetFindingV2`.
    pub detail: Read<ExternalAccess>,
}

item!(AnalyzerFinding { id, detail } named |finding| format!("{} {}", finding.kind, finding.resource.last()));

/// Who gets in (`externalAccessDetails`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExternalAccess {
    /// `isPublic`.
    pub public: bool,
    /// Kind of principal → who, such as `AWS` → `444455556666`.
    pub principal: BTreeMap<Text, Text>,
    /// Actions.
    pub actions: Vec<Text>,
    /// Condition key → value.
    pub condition: BTreeMap<Text, Text>,
}
