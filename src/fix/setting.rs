//! Settings of buckets as changes: what each is called, what it does to an inventory, what it may
//! break, how it is taken back. One setting is one call.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::change::quoted;
use super::effects::{AccessChange, AccessChanges};
use super::error::FixError;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::s3::{Bucket, PublicAccessBlock, Versioning};
use crate::inventory::{Inventory, Read};

/// A bucket as a call names it: every call says whose it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BucketAt {
    /// Its name.
    pub name: ResourceId,
    /// Its region.
    pub region: Text,
    /// `ExpectedBucketOwner`: twelve digits.
    pub owner: Text,
}

/// Which setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The bucket's own public access block.
    PublicAccess,
    /// Versioning.
    Versioning,
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", content = "value", rename_all = "snake_case")]
pub enum Setting {
    /// The four switches. A bucket without any behaves as one with all of them off.
    PublicAccess(PublicAccessBlock),
    /// Whether versions are kept; off is `Suspended`, for S3 has no way back to never.
    Versioning(bool),
}

impl Setting {
    /// All four switches on.
    pub const CLOSED: Self = Self::PublicAccess(PublicAccessBlock {
        block_acls: true,
        ignore_acls: true,
        block_policy: true,
        restrict_buckets: true,
    });

    /// Which it is.
    pub fn which(&self) -> Which {
        match self {
            Self::PublicAccess(_) => Which::PublicAccess,
            Self::Versioning(_) => Which::Versioning,
        }
    }

    /// The value in an inventory.
    pub fn of(bucket: &Bucket, which: Which) -> Result<Self, FixError> {
        let name = &bucket.name;
        match which {
            Which::PublicAccess => match bucket.public_access.known() {
                Ok(block) => Ok(Self::PublicAccess(*block)),
                Err(why) => Err(FixError::not_known(format!("public access block of bucket {name}"), &why)),
            },
            Which::Versioning => match bucket.versioning.known() {
                Ok(versioning) => Ok(Self::Versioning(versioning.enabled)),
                Err(why) => Err(FixError::not_known(format!("versioning of bucket {name}"), &why)),
            },
        }
    }

    /// Puts it into a bucket of an inventory, as read at `at`.
    pub fn put_into(&self, bucket: &mut Bucket, at: Timestamp) {
        match self {
            Self::PublicAccess(block) => bucket.public_access = Read::got(*block, at),
            Self::Versioning(enabled) => {
                let mfa_delete = bucket.versioning.known().is_ok_and(|versioning| versioning.mfa_delete);
                bucket.versioning = Read::got(Versioning { enabled: *enabled, mfa_delete }, at);
            }
        }
    }

    /// `service:Operation`, as the guard of the session names it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::PublicAccess(_) => "s3:PutPublicAccessBlock",
            Self::Versioning(_) => "s3:PutBucketVersioning",
        }
    }

    /// What it does, in some words.
    pub fn words(&self) -> String {
        match self {
            Self::PublicAccess(block) if block.all() => "blocks all public access".to_owned(),
            Self::PublicAccess(block) => {
                let on: Vec<_> = switches(*block).into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
                if on.is_empty() {
                    "blocks no public access".to_owned()
                } else {
                    format!("of public access blocks only {}", on.join(", "))
                }
            }
            Self::Versioning(true) => "switches versioning on".to_owned(),
            Self::Versioning(false) => "suspends versioning".to_owned(),
        }
    }

    /// The call as a line for a shell.
    pub fn call(&self, bucket: &BucketAt) -> String {
        let (command, option, value) = match self {
            Self::PublicAccess(block) => {
                let value: Vec<String> =
                    switches(*block).into_iter().map(|(name, on)| format!("{name}={on}")).collect();
                ("put-public-access-block", "public-access-block-configuration", value.join(","))
            }
            Self::Versioning(enabled) => {
                let status = if *enabled { "Enabled" } else { "Suspended" };
                ("put-bucket-versioning", "versioning-configuration", format!("Status={status}"))
            }
        };
        let mut line = format!("aws s3api {command}");
        for (name, value) in [
            ("region", bucket.region.as_str()),
            ("bucket", bucket.name.as_str()),
            ("expected-bucket-owner", bucket.owner.as_str()),
            (option, &value),
        ] {
            // A write to a String cannot fail.
            let _ = write!(line, " --{name} {}", quoted(value));
        }
        line
    }

    /// What taking it back does.
    pub fn undo_words(&self) -> &'static str {
        match self {
            Self::PublicAccess(_) => "puts the four switches back as they were",
            Self::Versioning(true) => "suspends versioning: versions kept by then stay, and cannot be unmade",
            Self::Versioning(false) => "switches versioning on again",
        }
    }

    /// What a person should know before.
    pub fn caveats(&self) -> Vec<Text> {
        match self {
            Self::PublicAccess(_) => Vec::new(),
            Self::Versioning(_) => vec![
                "every version is stored and paid for until a lifecycle rule expires it".into(),
                "versioning can be suspended later, but never switched off again".into(),
            ],
        }
    }

    /// Whether a name must be typed for it: it gives or takes access, or nobody knows whether.
    pub fn is_grave(&self, bucket: &Bucket) -> bool {
        let AccessChanges { gains, loses, incomplete } = self.effects(bucket);
        !gains.is_empty() || !loses.is_empty() || incomplete.is_some() || *self == Self::Versioning(false)
    }

    /// Who gains, who loses, and what could not be looked at, when a bucket gets it.
    pub fn effects(&self, bucket: &Bucket) -> AccessChanges {
        let Self::PublicAccess(new) = self else { return AccessChanges::default() };
        let mut unseen = Vec::new();
        let old = bucket.public_access.known().copied().unwrap_or_default();
        let (mut gains, mut loses) = (Vec::new(), Vec::new());
        if old.restrict_buckets != new.restrict_buckets {
            match bucket.policy_public.known() {
                Ok(false) => {}
                Ok(true) => {
                    let side = if new.restrict_buckets { &mut loses } else { &mut gains };
                    side.push(everybody(
                        "the bucket policy is public: RestrictPublicBuckets decides whether it counts",
                    ));
                }
                Err(why) => unseen.push(format!("whether the bucket policy is public: {why}")),
            }
        }
        if old.ignore_acls != new.ignore_acls {
            match bucket.acl.known() {
                Ok(acl) => {
                    let public = ["/AllUsers ", "/AuthenticatedUsers "];
                    let side = if new.ignore_acls { &mut loses } else { &mut gains };
                    for grant in acl.iter().filter(|grant| public.iter().any(|group| grant.as_str().contains(group))) {
                        side.push(everybody(&format!(
                            "the ACL says {grant}: IgnorePublicAcls decides whether it counts"
                        )));
                    }
                }
                Err(why) => unseen.push(format!("the ACL: {why}")),
            }
        }
        AccessChanges { gains, loses, incomplete: (!unseen.is_empty()).then(|| Text::new(unseen.join("; "))) }
    }
}

fn everybody(how: &str) -> AccessChange {
    AccessChange {
        principal: "*".into(),
        name: "anyone in any account".into(),
        foreign: true,
        actions: vec!["what it gives to everybody"],
        how: Text::new(how),
    }
}

fn switches(block: PublicAccessBlock) -> [(&'static str, bool); 4] {
    [
        ("BlockPublicAcls", block.block_acls),
        ("IgnorePublicAcls", block.ignore_acls),
        ("BlockPublicPolicy", block.block_policy),
        ("RestrictPublicBuckets", block.restrict_buckets),
    ]
}

impl BucketAt {
    /// A bucket of ours; an error says why it is none.
    pub fn own(bucket: &Bucket, account: &Text) -> Result<Self, FixError> {
        let name = &bucket.name;
        match bucket.owned.known() {
            Ok(true) => {}
            Ok(false) => {
                return Err(FixError::Unsupported(format!(
                    "bucket {name} does not belong to account {account}: its owner must change it"
                )));
            }
            Err(why) => return Err(FixError::not_known(format!("owner of bucket {name}"), &why)),
        }
        let region =
            bucket.region.known().map_err(|why| FixError::not_known(format!("region of bucket {name}"), &why))?;
        Ok(Self { name: name.clone(), region: region.clone(), owner: account.clone() })
    }

    /// The bucket of an inventory.
    pub fn find<'a>(&self, inventory: &'a Inventory) -> Result<&'a Bucket, FixError> {
        inventory
            .buckets
            .get(&self.name)
            .ok_or_else(|| FixError::Gone(format!("bucket {} is not in the inventory: press r", self.name)))
    }
}

#[cfg(test)]
#[path = "setting_tests.rs"]
mod tests;
