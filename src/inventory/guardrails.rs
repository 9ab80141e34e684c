//! Guardrails of Amazon Bedrock, and those that are enforced for the account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A guardrail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guardrail {
    /// ARN.
    pub arn: ResourceId,
    /// The short id that API calls take.
    pub short_id: Text,
    /// Its name.
    pub name: Text,
    /// `READY`, `CREATING`, …
    pub status: Text,
    /// `DRAFT` or a number.
    pub version: Text,
    /// `updatedAt`.
    pub updated: Timestamp,
    /// `GetGuardrail` of the draft.
    pub detail: Read<GuardrailDetail>,
}

/// What only `GetGuardrail` tells, as far as it is used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GuardrailDetail {
    /// `kmsKeyArn`.
    pub kms_key: Option<ResourceId>,
    /// Content filters: type → (input strength, output strength).
    pub filters: BTreeMap<Text, (Text, Text)>,
    /// Denied topics.
    pub topics: Vec<Text>,
    /// PII entity → action.
    pub pii: BTreeMap<Text, Text>,
    /// Number of blocked words and lists.
    pub words: u32,
    /// Whether contextual grounding is on.
    pub grounding: bool,
}

item!(Guardrail { arn, detail } named |guardrail| guardrail.name.to_string());

/// A guardrail enforced for the whole account and region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnforcedGuardrail {
    /// `configId`.
    pub id: ResourceId,
    /// ARN of the guardrail.
    pub guardrail: ResourceId,
    /// Its version.
    pub version: Text,
}

item!(EnforcedGuardrail { id } named |config| config.id.to_string());
