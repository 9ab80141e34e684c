//! AWS KMS keys. Shapes follow the AWS KMS API Reference.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A key that lineage reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// ARN.
    pub arn: ResourceId,
    /// Its aliases, without `alias/`.
    pub aliases: Vec<Text>,
    /// `DescribeKey`.
    pub metadata: Read<KeyMetadata>,
    /// `GetKeyPolicy` (`default`, the only one there is).
    pub policy: Read<Document>,
    /// `ListGrants`.
    pub grants: Read<Vec<Grant>>,
    /// `GetKeyRotationStatus`.
    pub rotation: Read<Rotation>,
}

impl Key {
    /// A key of which only the ARN is known.
    pub fn bare(arn: impl Into<ResourceId>) -> Self {
        Self {
            arn: arn.into(),
            aliases: Vec::new(),
            metadata: Read::NotAsked,
            policy: Read::NotAsked,
            grants: Read::NotAsked,
            rotation: Read::NotAsked,
        }
    }

    /// Short: the first alias, else the key's id.
    pub fn label(&self) -> &str {
        self.aliases.first().map_or_else(|| self.arn.last(), Text::as_str)
    }
}

item!(Key { arn, metadata, policy, grants, rotation } named |key| key.label());

/// `KeyState`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyState {
    /// Usable.
    Enabled,
    /// Switched off.
    Disabled,
    /// Waiting to be deleted.
    PendingDeletion,
    /// Waiting for key material.
    PendingImport,
    /// Its custom key store is not reachable.
    Unavailable,
    /// Anything else (`Creating`, `Updating`, `PendingReplicaDeletion`).
    Other(Text),
}

impl KeyState {
    /// From the API's word.
    pub fn new(word: &str) -> Self {
        match word {
            "Enabled" => Self::Enabled,
            "Disabled" => Self::Disabled,
            "PendingDeletion" => Self::PendingDeletion,
            "PendingImport" => Self::PendingImport,
            "Unavailable" => Self::Unavailable,
            other => Self::Other(Text::new(other)),
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
            Self::PendingImport => "PendingImport",
            Self::Unavailable => "Unavailable",
            Self::Other(word) => word.as_str(),
        })
    }
}

/// `KeyMetadata`, as far as it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyMetadata {
    /// Its state.
    pub state: KeyState,
    /// `CUSTOMER` or `AWS`.
    pub manager: Text,
    /// `AWS_KMS`, `EXTERNAL`, `AWS_CLOUDHSM`, `EXTERNAL_KEY_STORE`.
    pub origin: Text,
    /// `SYMMETRIC_DEFAULT`, `RSA_2048`, …
    pub spec: Text,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, …
    pub usage: Text,
    /// Whether it is a multi-Region key.
    pub multi_region: bool,
    /// `Description`.
    pub description: Text,
    /// `CreationDate`.
    pub created: Option<Timestamp>,
    /// `DeletionDate`, when pending deletion.
    pub deletion: Option<Timestamp>,
    /// `ValidTo`, when its imported material expires.
    pub valid_to: Option<Timestamp>,
}

/// `GetKeyRotationStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Whether it rotates.
    pub enabled: bool,
    /// `RotationPeriodInDays`.
    pub period_days: Option<i32>,
    /// `NextRotationDate`.
    pub next: Option<Timestamp>,
}

/// A grant on a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// `GrantId`.
    pub id: ResourceId,
    /// `Name`: the idempotency token it was made with.
    pub name: Option<Text>,
    /// Who may use the key by it: an ARN or a service principal.
    pub grantee: ResourceId,
    /// Who may retire it.
    pub retiring: Option<ResourceId>,
    /// The account that issued it.
    pub issuer: Option<ResourceId>,
    /// `Decrypt`, `CreateGrant`, …
    pub operations: Vec<Text>,
    /// `EncryptionContextEquals`.
    pub context_equals: BTreeMap<Text, Text>,
    /// `EncryptionContextSubset`.
    pub context_subset: BTreeMap<Text, Text>,
    /// `SourceArn`: only for requests on behalf of this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<ResourceId>,
    /// `CreationDate`.
    pub created: Option<Timestamp>,
}

impl Grant {
    /// Whether a grantee or retiring principal is a service: then the API calls it `…ServicePrincipal`.
    pub fn is_service(principal: &ResourceId) -> bool {
        !principal.as_str().contains(':') && principal.as_str().contains(".amazonaws.com")
    }
}
