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
#[serde(default)]
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
    /// Content filters in full.
    pub content: Vec<ContentFilter>,
    /// `contentPolicy.tier`: `CLASSIC` or `STANDARD`.
    pub tier: Option<Text>,
    /// PII entities and patterns in full; a pattern's name is `regex NAME`.
    pub sensitive: Vec<SensitiveFilter>,
    /// ARNs of automated-reasoning policies: enforced for an account, they fail at run time.
    pub reasoning: Vec<ResourceId>,
}

/// A content filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentFilter {
    /// `PROMPT_ATTACK`, `HATE`, …
    pub kind: Text,
    /// What it does to prompts.
    pub input: Guarding,
    /// What it does to answers.
    pub output: Guarding,
    /// `inputStrength`: `NONE`, `LOW`, `MEDIUM`, `HIGH`.
    pub input_strength: Text,
    /// `outputStrength`.
    pub output_strength: Text,
}

/// A filter of sensitive information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensitiveFilter {
    /// `EMAIL`, `AWS_SECRET_KEY`, … or `regex NAME`.
    pub kind: Text,
    /// What it does to prompts.
    pub input: Guarding,
    /// What it does to answers.
    pub output: Guarding,
}

/// One side of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarding {
    /// Whether this side is looked at; on unless switched off.
    pub enabled: bool,
    /// `BLOCK`, `ANONYMIZE`, or `NONE`: found and let through.
    pub action: Text,
}

impl Guarding {
    /// Whether it keeps anything back.
    pub fn acts(&self) -> bool {
        self.enabled && self.action.as_str() != "NONE"
    }
}

/// A numbered version of a guardrail: what an enforcement or a caller names. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuardrailVersion {
    /// `ARN:version`: [`GuardrailVersion::id_of`].
    pub id: ResourceId,
    /// ARN of the guardrail.
    pub guardrail: ResourceId,
    /// Its number.
    pub version: Text,
    /// `READY`, …
    pub status: Text,
    /// `createdAt`.
    pub created: Timestamp,
    /// `GetGuardrail` of this version.
    pub detail: Read<GuardrailDetail>,
}

impl GuardrailVersion {
    /// The id of a version.
    pub fn id_of(guardrail: &ResourceId, version: &str) -> ResourceId {
        ResourceId::new(format!("{guardrail}:{version}"))
    }
}

item!(GuardrailVersion { id, detail } named |version| format!("{} v{}", version.guardrail.last(), version.version));

item!(Guardrail { arn, detail } named |guardrail| guardrail.name.as_str());

/// A guardrail enforced for the whole account and region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnforcedGuardrail {
    /// `configId`.
    pub id: ResourceId,
    /// ARN of the guardrail.
    pub guardrail: ResourceId,
    /// Its version.
    pub version: Text,
    /// `modelEnforcement.includedModels`; none, or `ALL`, means every model.
    #[serde(default)]
    pub included: Vec<Text>,
    /// `modelEnforcement.excludedModels`.
    #[serde(default)]
    pub excluded: Vec<Text>,
    /// `selectiveContentGuarding.system`: `SELECTIVE` or `COMPREHENSIVE`, which none means too.
    #[serde(default)]
    pub system: Option<Text>,
    /// `selectiveContentGuarding.messages`.
    #[serde(default)]
    pub messages: Option<Text>,
    /// `inputTags`, deprecated: `HONOR` lets callers choose what is looked at.
    #[serde(default)]
    pub input_tags: Option<Text>,
    /// `owner`: `ACCOUNT`.
    #[serde(default)]
    pub owner: Option<Text>,
}

item!(EnforcedGuardrail { id } named |config| config.id.as_str());
