//! S3 buckets that lineage reaches: settings only, no objects.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::{ErrorKind, Read};
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
    /// Lifecycle rules.
    pub lifecycle: Read<Vec<LifecycleRule>>,
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
} named |bucket| bucket.name.as_str());

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

/// A lifecycle rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "LifecycleForm")]
pub struct LifecycleRule {
    /// `id: what`.
    pub line: Text,
    /// Whether it is in force.
    pub enabled: bool,
    /// The prefix it is for; empty means all objects.
    pub prefix: Text,
    /// `NoncurrentVersionExpiration.NoncurrentDays`: old versions are deleted after so many days.
    pub noncurrent_days: Option<i32>,
    /// `Expiration.Days`.
    pub expires_days: Option<i32>,
}

impl fmt::Display for LifecycleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.line.as_str())
    }
}

/// A rule as cases hold it; the first version wrote only the line.
#[derive(Deserialize)]
#[serde(untagged)]
enum LifecycleForm {
    Line(Text),
    Whole { line: Text, enabled: bool, prefix: Text, noncurrent_days: Option<i32>, expires_days: Option<i32> },
}

impl From<LifecycleForm> for LifecycleRule {
    fn from(form: LifecycleForm) -> Self {
        match form {
            LifecycleForm::Whole { line, enabled, prefix, noncurrent_days, expires_days } => {
                Self { line, enabled, prefix, noncurrent_days, expires_days }
            }
            LifecycleForm::Line(line) => {
                let days = |before: &str| {
                    let rest = line.as_str().split_once(before)?.1;
                    rest.split_once(" days")?.0.parse().ok()
                };
                Self {
                    enabled: !line.as_str().contains(": disabled"),
                    prefix: Text::default(),
                    noncurrent_days: days("old versions expire after "),
                    expires_days: days(", expires after ").or_else(|| days(": expires after ")),
                    line,
                }
            }
        }
    }
}

/// Where a bucket is that lineage names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// In the account.
    Ours,
    /// In another account: `ListBuckets` does not show it, and it exists.
    Foreign,
    /// Nowhere: the name is free for anyone to take.
    Gone,
}

impl Bucket {
    /// Whose it is. `ListBuckets` says whether it is ours; for another, `GetBucketLocation` with the
    /// account as expected owner says 404 when there is none and 403 when it is somebody's.
    ///
    /// why not `HeadBucket`: it takes `s3:ListBucket`, which would let this program list objects.
    pub fn presence(&self) -> Option<Presence> {
        if *self.owned.known().ok()? {
            return Some(Presence::Ours);
        }
        match self.region.error().map(|error| error.kind) {
            Some(ErrorKind::NotFound) => Some(Presence::Gone),
            Some(ErrorKind::Denied) => Some(Presence::Foreign),
            Some(_) => None,
            None => self.region.known().is_ok().then_some(Presence::Foreign),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::inventory::ReadError;

    #[test]
    fn a_rule_of_an_older_case_still_opens() {
        for (line, enabled, noncurrent, expires) in [
            ("r: old versions expire after 30 days", true, Some(30), None),
            ("r: disabled, under tmp/, expires after 7 days", false, None, Some(7)),
            ("r: expires after 9 days, old versions expire after 2 days", true, Some(2), Some(9)),
        ] {
            let rule: LifecycleRule = serde_json::from_str(&format!("{line:?}")).unwrap();
            assert_eq!((rule.enabled, rule.noncurrent_days, rule.expires_days), (enabled, noncurrent, expires));
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<LifecycleRule>(&json).unwrap(), rule);
        }
    }

    #[test]
    fn whose_a_bucket_is() {
        let at = Timestamp::from_secs(1);
        let failed = |kind| {
            let operation = "s3:GetBucketLocation".into();
            Read::<Text>::failed(ReadError { operation, kind, message: "".into(), at })
        };
        let bucket = |owned: Read<bool>, region| Bucket { owned, region, ..Bucket::bare("b") };
        let got = |owned| Read::got(owned, at);
        for (bucket, presence) in [
            (bucket(got(true), failed(ErrorKind::Denied)), Some(Presence::Ours)),
            (bucket(got(false), failed(ErrorKind::NotFound)), Some(Presence::Gone)),
            (bucket(got(false), failed(ErrorKind::Denied)), Some(Presence::Foreign)),
            (bucket(got(false), failed(ErrorKind::Network)), None),
            (bucket(got(false), Read::NotAsked), None),
            (bucket(Read::NotAsked, failed(ErrorKind::NotFound)), None),
        ] {
            assert_eq!(bucket.presence(), presence, "{bucket:?}");
        }
    }
}
