//! S3 buckets that lineage reaches: settings only, no objects.

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text};

/// A bucket. Each part is one API call of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name.
    pub name: ResourceId,
    /// Whether `ListBuckets` shows it; one that lineage names but the account does not own is foreign.
    pub owned: Read<bool>,
    /// `GetBucketLocation`, as a region's code.
    pub region: Read<Text>,
    /// Default encryption.
    pub encryption: Read<Encryption>,
    /// Versioning.
    pub versioning: Read<Versioning>,
    /// The bucket's own public access block.
    pub public_access: Read<PublicAccessBlock>,
    /// The bucket policy; `None` when it has none.
    pub policy: Read<Option<Document>>,
    /// `PolicyStatus.IsPublic`; false when there is no policy.
    pub policy_public: Read<bool>,
    /// Grants of the ACL, as `grantee permission`.
    pub acl: Read<Vec<Text>>,
    /// `BucketOwnerEnforced`, …; `None` when never set.
    pub ownership: Read<Option<Text>>,
    /// Where access logs go; `None` when off.
    pub logging: Read<Option<AccessLogging>>,
    /// Object lock; `None` when off.
    pub lock: Read<Option<Text>>,
    /// Lifecycle rules, as `id: what`.
    pub lifecycle: Read<Vec<Text>>,
    /// Destination buckets of replication.
    pub replication: Read<Vec<ResourceId>>,
}

impl Bucket {
    /// A bucket of which only the name is known.
    pub fn bare(name: impl Into<ResourceId>) -> Self {
        Self {
            name: name.into(),
            owned: Read::NotAsked,
            region: Read::NotAsked,
            encryption: Read::NotAsked,
            versioning: Read::NotAsked,
            public_access: Read::NotAsked,
            policy: Read::NotAsked,
            policy_public: Read::NotAsked,
            acl: Read::NotAsked,
            ownership: Read::NotAsked,
            logging: Read::NotAsked,
            lock: Read::NotAsked,
            lifecycle: Read::NotAsked,
            replication: Read::NotAsked,
        }
    }
}

item!(Bucket {
    name, owned, region, encryption, versioning, public_access, policy, policy_public, acl, ownership, logging, lock,
    lifecycle, replication
} named |bucket| bucket.name.to_string());

/// Default encryption of new objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub algorithm: Text,
    /// The key, for the two `aws:kms` kinds; none means the AWS managed key.
    pub kms_key: Option<ResourceId>,
    /// Whether a bucket key saves calls to KMS.
    pub bucket_key: bool,
}

/// Versioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioning {
    /// `Enabled` (not `Suspended`, not never set).
    pub enabled: bool,
    /// Whether deleting a version takes MFA.
    pub mfa_delete: bool,
}

/// The four switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`.
    pub block_policy: bool,
    /// `RestrictPublicBuckets`.
    pub restrict_buckets: bool,
}

impl PublicAccessBlock {
    /// Whether all four are on.
    pub fn all(self) -> bool {
        self.block_acls && self.ignore_acls && self.block_policy && self.restrict_buckets
    }
}

/// Server access logging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLogging {
    /// Target bucket.
    pub bucket: ResourceId,
    /// Target prefix.
    pub prefix: Text,
}
