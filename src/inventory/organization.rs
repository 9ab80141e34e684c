//! AWS Organizations: where the account stands, and the policies that bound it from above.
//!
//! Shapes follow the AWS Organizations API Reference (2016-11-28). A member account may read its
//! organization and its effective policies; the policies of its path only where that was delegated.

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text};

/// The organization (`DescribeOrganization`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `o-…`.
    pub id: ResourceId,
    /// ARN.
    pub arn: ResourceId,
    /// The management account, which no SCP or RCP bounds.
    pub management_account: Text,
    /// `ALL` or `CONSOLIDATED_BILLING`.
    pub features: Text,
}

/// A service or resource control policy that is attached on the way from the root to the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrganizationPolicy {
    /// `p-…`.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`.
    pub kind: Text,
    /// Whether AWS owns it (`FullAWSAccess`, `RCPFullAWSAccess`).
    pub aws_managed: bool,
    /// The root, units and account of the path that it is attached to. All policies of one level are
    /// one union; every level must allow (AWS Organizations User Guide, SCP evaluation).
    pub targets: Vec<ResourceId>,
    /// `DescribePolicy`.
    pub document: Read<Document>,
}

item!(OrganizationPolicy { id, document } named |policy| policy.name.as_str());
