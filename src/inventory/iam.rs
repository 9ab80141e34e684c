//! IAM, as one `GetAccountAuthorizationDetails` pass returns it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Tags;
use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A policy with a name, written into a role, user or group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InlinePolicy {
    /// `PolicyName`.
    pub name: Text,
    /// The document.
    pub document: Document,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// ARN, with path.
    pub arn: ResourceId,
    /// `RoleName`.
    pub name: Text,
    /// `RoleId` (`AROA…`).
    pub role_id: Text,
    /// `AssumeRolePolicyDocument`.
    pub trust: Document,
    /// Inline policies.
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies.
    pub attached: Vec<ResourceId>,
    /// ARN of the permissions boundary.
    pub boundary: Option<ResourceId>,
    /// `CreateDate`.
    pub created: Timestamp,
    /// `RoleLastUsed.LastUsedDate`.
    pub last_used: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

item!(Role { arn } named |role| role.name.as_str());

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// ARN, with path.
    pub arn: ResourceId,
    /// `UserName`.
    pub name: Text,
    /// `UserId` (`AIDA…`).
    pub user_id: Text,
    /// Names of its groups.
    pub groups: Vec<Text>,
    /// Inline policies.
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies.
    pub attached: Vec<ResourceId>,
    /// ARN of the permissions boundary.
    pub boundary: Option<ResourceId>,
    /// `CreateDate`.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

item!(User { arn } named |user| user.name.as_str());

/// A group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// ARN.
    pub arn: ResourceId,
    /// `GroupName`.
    pub name: Text,
    /// Inline policies.
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies.
    pub attached: Vec<ResourceId>,
}

item!(Group { arn } named |group| group.name.as_str());

/// A managed policy, in its default version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// ARN.
    pub arn: ResourceId,
    /// `PolicyName`.
    pub name: Text,
    /// `DefaultVersionId`.
    pub version: Text,
    /// The document of that version.
    pub document: Document,
}

item!(ManagedPolicy { arn } named |policy| policy.name.as_str());

/// A long-term API key of Amazon Bedrock (`ListServiceSpecificCredentials`). Never its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// `ServiceSpecificCredentialId` (`ACCA…`).
    pub id: ResourceId,
    /// `UserName`: the user whose rights it carries.
    pub user: Text,
    /// `Status` is `Active`.
    pub active: bool,
    /// `CreateDate`.
    pub created: Timestamp,
    /// `ExpirationDate`; none means never.
    pub expires: Option<Timestamp>,
}

item!(ApiKey { id } named |key| format!("{} of {}", key.id, key.user));

/// When a principal that may use Amazon Bedrock last did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastUse {
    /// ARN of the role or user.
    pub principal: ResourceId,
    /// `GenerateServiceLastAccessedDetails`: the id of the report that IAM prepares.
    pub report: Read<Text>,
    /// `GetServiceLastAccessedDetails`.
    pub detail: Read<LastAccessed>,
}

impl LastUse {
    /// The most principals whose last use is asked for: each takes two calls or more.
    pub const MOST: usize = 200;
}

item!(LastUse { principal, report, detail } named |last| last.principal.last());

/// The namespace `bedrock` of a last-accessed report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LastAccessed {
    /// `LastAuthenticated`; none means not in the tracking period (400 days), or no access at all.
    pub at: Option<Timestamp>,
    /// `LastAuthenticatedRegion`.
    pub region: Option<Text>,
    /// Action → when it was last used; only the actions that IAM tracks.
    pub actions: BTreeMap<Text, Option<Timestamp>>,
}
