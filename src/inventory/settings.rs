//! Settings of which an account or region has one: each a [`Read`] of its own.

use serde::{Deserialize, Serialize};

use super::changes::ChangeHistory;
use super::conversation::Conversations;
use super::document::Document;
use super::ec2::BlockPublicAccess;
use super::macie::MacieSession;
use super::organization::Organization;
use super::read::{Read, ReadError};
use super::s3::PublicAccessBlock;
use crate::base::{ResourceId, Text, Timestamp};

/// Declares every setting once: the field, what it holds, its variant of [`Setting`] and its id.
macro_rules! settings {
    ($($(#[doc = $doc:literal])* $field:ident: $type:ty => $variant:ident, $id:literal;)*) => {
        /// Every setting.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Settings {
            $($(#[doc = $doc])* pub $field: Read<$type>,)*
        }

        /// One setting as it was read.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Setting {
            $($(#[doc = $doc])* $variant(Read<$type>),)*
        }

        impl Settings {
            /// The ids of all settings: what a [`super::ResourceRef`] of kind `Setting` names.
            pub const IDS: &'static [&'static str] = &[$($id,)*];

            /// Takes what was read. Returns whether it changed.
            pub(super) fn apply(&mut self, setting: Setting) -> bool {
                match setting {
                    $(Setting::$variant(read) => {
                        let newer = self.$field.clone().newer(read);
                        let changed = newer != self.$field;
                        self.$field = newer;
                        changed
                    })*
                }
            }

            /// Takes every setting for lost (see [`super::Update::Lost`]).
            pub(super) fn lose(&mut self, error: &ReadError) {
                $(self.$field.lose(error);)*
            }

            /// Whether one failed that was known before.
            pub(super) fn is_stale(&self) -> bool {
                false $(|| self.$field.is_stale())*
            }

            /// Puts back what was known; the ids and times of what was.
            pub(super) fn recall(&mut self) -> Vec<(&'static str, Timestamp)> {
                let mut recalled = Vec::new();
                $(recalled.extend(self.$field.recall().map(|at| ($id, at)));)*
                recalled
            }

            /// What is known, or failed, as settings of their own.
            pub(super) fn into_each(self) -> Vec<Setting> {
                let mut all = Vec::new();
                $(if self.$field != Read::NotAsked {
                    all.push(Setting::$variant(self.$field));
                })*
                all
            }

            /// One setting as JSON.
            pub fn raw(&self, id: &str) -> Option<serde_json::Value> {
                match id {
                    $($id => serde_json::to_value(&self.$field).ok(),)*
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// The organization; `None` when the account is in none.
    organization: Option<Organization> => Organization, "organization";
    /// From the root of the organization to the account, both included.
    organization_path: Vec<ResourceId> => OrganizationPath, "organization-path";
    /// The effective Amazon Bedrock policy of the organization (`BEDROCK_POLICY`); `None` when there is none.
    bedrock_policy: Option<Document> => BedrockPolicy, "bedrock-policy";
    /// Block public access of S3 for the whole account.
    public_access: PublicAccessBlock => PublicAccess, "account-public-access";
    /// Block public access of the region's VPCs.
    vpc_block: BlockPublicAccess => VpcBlock, "vpc-block-public-access";
    /// Amazon Macie in the region.
    macie: MacieSession => Macie, "macie";
    /// `GetAutomatedDiscoveryConfiguration`: `ENABLED` or `DISABLED`.
    macie_discovery: Text => MacieDiscovery, "macie-discovery";
    /// Whether model providers may see what the account sends (`GetAccountDataRetention`).
    data_retention: DataRetention => DataRetention, "data-retention";
    /// Data-protection policies of CloudWatch Logs for the whole account (`DescribeAccountPolicies`).
    log_protection: Vec<Document> => LogProtection, "log-data-protection";
    /// Who changed customization before the events that are followed begin; asked when somebody does now.
    changes: ChangeHistory => Changes, "change-history";
    /// What a deep look found in logged prompts and completions.
    conversations: Conversations => Conversations, "logged-conversations";
}

/// `GetAccountDataRetention`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRetention {
    /// `default`, `none`, `inherit`, `provider_data_share`; an open list.
    pub mode: Text,
    /// `updatedAt`.
    pub updated: Option<Timestamp>,
}
