//! S3: settings of buckets, one call a setting. Never objects.
//!
//! Every call names the expected owner, so that a bucket of the same name in a stranger's account is
//! refused and not described. A bucket is asked in its own region.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketVersioningStatus, DefaultRetention, ExpirationStatus, Grant as AclGrant,
    LifecycleExpiration, LifecycleRule, MfaDeleteStatus, NoncurrentVersionExpiration, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockRetentionMode, PolicyStatus, PublicAccessBlockConfiguration, ReplicationConfiguration,
    ReplicationRuleStatus, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

use super::kms::KeyNames;
use super::{PAGE, all, failed, has_code, text};
use crate::aws::Session;
use crate::base::{ResourceId, Text};
use crate::inventory::s3::{AccessLogging, Encryption, LifecycleRule as Lifecycle, PublicAccessBlock, Versioning};
use crate::inventory::{Document, ReadError, SourceId};

/// A bucket as `ListBuckets` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedBucket {
    /// Its name.
    pub name: ResourceId,
    /// Its region, where the answer says it.
    pub region: Option<Text>,
}

/// A bucket to ask about.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: ResourceId,
    /// Its region, if it is known; else the session's is asked.
    pub region: Option<Text>,
}

/// `ListBuckets`: those of the account, in every region.
pub async fn buckets(session: &Session) -> Result<Vec<OwnedBucket>, ReadError> {
    // why a page size: only the paged form of the answer tells regions.
    let pages = session.s3().list_buckets().into_paginator().page_size(PAGE).items().send();
    let found = all(session, SourceId::BUCKETS, pages, |bucket| {
        let region = bucket.bucket_region().filter(|region| !region.is_empty()).map(Text::new);
        bucket.name().map(|name| OwnedBucket { name: name.into(), region })
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// `GetBucketLocation`, as a region's code.
pub async fn location(session: &Session, bucket: &Place) -> Result<Text, ReadError> {
    let call = client(session, bucket).get_bucket_location().bucket(bucket.name.as_str());
    let answer = call.expected_bucket_owner(session.info().account.as_str()).send().await;
    answer
        .map(|answer| region_code(answer.location_constraint().map_or("", |constraint| constraint.as_str())))
        .map_err(|error| failed(session, SourceId::BUCKET_LOCATION, &error))
}

/// `GetBucketEncryption`; algorithm `none` where nothing is configured.
pub async fn encryption(session: &Session, keys: &KeyNames, bucket: &Place) -> Result<Encryption, ReadError> {
    let call = client(session, bucket).get_bucket_encryption().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => {
            let rules = answer
                .server_side_encryption_configuration()
                .map(ServerSideEncryptionConfiguration::rules)
                .unwrap_or_default();
            Ok(default_encryption(rules, keys))
        }
        Err(error) if has_code(&error, &["ServerSideEncryptionConfigurationNotFoundError"]) => {
            Ok(default_encryption(&[], keys))
        }
        Err(error) => Err(failed(session, SourceId::BUCKET_ENCRYPTION, &error)),
    }
}

/// `GetBucketVersioning`.
pub async fn versioning(session: &Session, bucket: &Place) -> Result<Versioning, ReadError> {
    let call = client(session, bucket).get_bucket_versioning().bucket(bucket.name.as_str());
    let answer = call.expected_bucket_owner(session.info().account.as_str()).send().await;
    answer
        .map(|answer| Versioning {
            enabled: answer.status() == Some(&BucketVersioningStatus::Enabled),
            mfa_delete: answer.mfa_delete() == Some(&MfaDeleteStatus::Enabled),
        })
        .map_err(|error| failed(session, SourceId::BUCKET_VERSIONING, &error))
}

/// `GetPublicAccessBlock` of the bucket; all off where it has none.
pub async fn public_access(session: &Session, bucket: &Place) -> Result<PublicAccessBlock, ReadError> {
    let call = client(session, bucket).get_public_access_block().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => Ok(answer.public_access_block_configuration().map(switches).unwrap_or_default()),
        Err(error) if has_code(&error, &["NoSuchPublicAccessBlockConfiguration"]) => Ok(PublicAccessBlock::default()),
        Err(error) => Err(failed(session, SourceId::BUCKET_PUBLIC_ACCESS, &error)),
    }
}

/// `GetBucketPolicy`; `None` where it has none.
pub async fn policy(session: &Session, bucket: &Place) -> Result<Option<Document>, ReadError> {
    let call = client(session, bucket).get_bucket_policy().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => Ok(answer.policy.filter(|policy| !policy.is_empty()).map(Document::new)),
        Err(error) if has_code(&error, &["NoSuchBucketPolicy"]) => Ok(None),
        Err(error) => Err(failed(session, SourceId::BUCKET_POLICY, &error)),
    }
}

/// `GetBucketPolicyStatus`; not public where there is no policy.
pub async fn policy_public(session: &Session, bucket: &Place) -> Result<bool, ReadError> {
    let call = client(session, bucket).get_bucket_policy_status().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => Ok(answer.policy_status().and_then(PolicyStatus::is_public).unwrap_or(false)),
        Err(error) if has_code(&error, &["NoSuchBucketPolicy"]) => Ok(false),
        Err(error) => Err(failed(session, SourceId::BUCKET_POLICY_STATUS, &error)),
    }
}

/// `GetBucketAcl`, as `grantee permission`.
pub async fn acl(session: &Session, bucket: &Place) -> Result<Vec<Text>, ReadError> {
    let call = client(session, bucket).get_bucket_acl().bucket(bucket.name.as_str());
    let answer = call.expected_bucket_owner(session.info().account.as_str()).send().await;
    answer
        .map(|answer| answer.grants().iter().map(acl_line).collect())
        .map_err(|error| failed(session, SourceId::BUCKET_ACL, &error))
}

/// `GetBucketOwnershipControls`; `None` where never set.
pub async fn ownership(session: &Session, bucket: &Place) -> Result<Option<Text>, ReadError> {
    let call = client(session, bucket).get_bucket_ownership_controls().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => {
            let rule = answer.ownership_controls().and_then(|controls| controls.rules().first());
            Ok(rule.map(|rule| rule.object_ownership().as_str().into()))
        }
        Err(error) if has_code(&error, &["OwnershipControlsNotFoundError"]) => Ok(None),
        Err(error) => Err(failed(session, SourceId::BUCKET_OWNERSHIP, &error)),
    }
}

/// `GetBucketLogging`; `None` where off.
pub async fn logging(session: &Session, bucket: &Place) -> Result<Option<AccessLogging>, ReadError> {
    let call = client(session, bucket).get_bucket_logging().bucket(bucket.name.as_str());
    let answer = call.expected_bucket_owner(session.info().account.as_str()).send().await;
    answer
        .map(|answer| {
            let target = answer.logging_enabled()?;
            Some(AccessLogging { bucket: target.target_bucket().into(), prefix: target.target_prefix().into() })
        })
        .map_err(|error| failed(session, SourceId::BUCKET_LOGGING, &error))
}

/// `GetObjectLockConfiguration`; `None` where off.
pub async fn lock(session: &Session, bucket: &Place) -> Result<Option<Text>, ReadError> {
    let call = client(session, bucket).get_object_lock_configuration().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => Ok(answer.object_lock_configuration().and_then(lock_words)),
        Err(error) if has_code(&error, &["ObjectLockConfigurationNotFoundError"]) => Ok(None),
        Err(error) => Err(failed(session, SourceId::BUCKET_LOCK, &error)),
    }
}

/// `GetBucketLifecycleConfiguration`; empty where it has none.
pub async fn lifecycle(session: &Session, bucket: &Place) -> Result<Vec<Lifecycle>, ReadError> {
    let call = client(session, bucket).get_bucket_lifecycle_configuration().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => Ok(answer.rules().iter().map(lifecycle_rule).collect()),
        Err(error) if has_code(&error, &["NoSuchLifecycleConfiguration"]) => Ok(Vec::new()),
        Err(error) => Err(failed(session, SourceId::BUCKET_LIFECYCLE, &error)),
    }
}

/// `GetBucketReplication`: where enabled rules copy to; empty where it has none.
pub async fn replication(session: &Session, bucket: &Place) -> Result<Vec<ResourceId>, ReadError> {
    let call = client(session, bucket).get_bucket_replication().bucket(bucket.name.as_str());
    match call.expected_bucket_owner(session.info().account.as_str()).send().await {
        Ok(answer) => {
            let rules = answer.replication_configuration().map(ReplicationConfiguration::rules).unwrap_or_default();
            let enabled = rules.iter().filter(|rule| *rule.status() == ReplicationRuleStatus::Enabled);
            let mut names: Vec<ResourceId> = enabled
                .filter_map(|rule| rule.destination())
                .map(|to| to.bucket().rsplit(':').next().unwrap_or_default().into())
                .collect();
            names.sort();
            names.dedup();
            Ok(names)
        }
        Err(error) if has_code(&error, &["ReplicationConfigurationNotFoundError"]) => Ok(Vec::new()),
        Err(error) => Err(failed(session, SourceId::BUCKET_REPLICATION, &error)),
    }
}

/// The client of the bucket's own region.
fn client(session: &Session, bucket: &Place) -> aws_sdk_s3::Client {
    bucket.region.as_ref().map_or_else(|| session.s3().clone(), |region| session.s3_in(region.as_str()))
}

/// An empty constraint is us-east-1, `EU` is eu-west-1 (Amazon S3 API Reference, GetBucketLocation).
fn region_code(constraint: &str) -> Text {
    match constraint {
        "" => "us-east-1".into(),
        "EU" => "eu-west-1".into(),
        other => other.into(),
    }
}

fn default_encryption(rules: &[ServerSideEncryptionRule], keys: &KeyNames) -> Encryption {
    let rule = rules.iter().find_map(|rule| Some((rule, rule.apply_server_side_encryption_by_default()?)));
    match rule {
        None => Encryption { algorithm: "none".into(), kms_key: None, bucket_key: false },
        Some((rule, default)) => {
            let algorithm = default.sse_algorithm().as_str();
            let named = default.kms_master_key_id().filter(|_| algorithm.starts_with("aws:kms"));
            Encryption {
                algorithm: algorithm.into(),
                kms_key: named.and_then(|named| keys.arn(named)),
                bucket_key: rule.bucket_key_enabled().unwrap_or(false),
            }
        }
    }
}

fn switches(config: &PublicAccessBlockConfiguration) -> PublicAccessBlock {
    PublicAccessBlock {
        block_acls: config.block_public_acls().unwrap_or(false),
        ignore_acls: config.ignore_public_acls().unwrap_or(false),
        block_policy: config.block_public_policy().unwrap_or(false),
        restrict_buckets: config.restrict_public_buckets().unwrap_or(false),
    }
}

fn acl_line(grant: &AclGrant) -> Text {
    let who = grant.grantee();
    let who = who
        .and_then(|who| who.uri().or_else(|| who.id()).or_else(|| who.email_address()).or_else(|| who.display_name()));
    let permission = grant.permission().map_or("?", aws_sdk_s3::types::Permission::as_str);
    Text::new(format!("{} {permission}", who.unwrap_or("?")))
}

fn lock_words(config: &ObjectLockConfiguration) -> Option<Text> {
    if config.object_lock_enabled() != Some(&ObjectLockEnabled::Enabled) {
        return None;
    }
    let retention = config.rule().and_then(|rule| rule.default_retention());
    Some(retention.map_or_else(|| Text::new("on, no default retention"), retention_words))
}

fn retention_words(retention: &DefaultRetention) -> Text {
    let mode = retention.mode().map_or("?", ObjectLockRetentionMode::as_str);
    match (retention.days(), retention.years()) {
        (Some(days), _) => Text::new(format!("{mode} {days} days")),
        (None, Some(years)) => Text::new(format!("{mode} {years} years")),
        (None, None) => Text::new(mode),
    }
}

fn lifecycle_rule(rule: &LifecycleRule) -> Lifecycle {
    Lifecycle {
        line: rule_line(rule),
        enabled: *rule.status() == ExpirationStatus::Enabled,
        prefix: text(rule_prefix(rule)),
        noncurrent_days: rule.noncurrent_version_expiration().and_then(NoncurrentVersionExpiration::noncurrent_days),
        expires_days: rule.expiration().and_then(LifecycleExpiration::days),
    }
}

fn rule_prefix(rule: &LifecycleRule) -> Option<&str> {
    #[allow(deprecated)]
    let prefix = rule.filter().and_then(|filter| filter.prefix()).or_else(|| rule.prefix());
    prefix.filter(|prefix| !prefix.is_empty())
}

fn rule_line(rule: &LifecycleRule) -> Text {
    let mut does = Vec::new();
    if *rule.status() != ExpirationStatus::Enabled {
        does.push("disabled".to_owned());
    }
    if let Some(prefix) = rule_prefix(rule) {
        does.push(format!("under {prefix}"));
    }
    if let Some(expiration) = rule.expiration() {
        match (expiration.days(), expiration.date()) {
            (Some(days), _) => does.push(format!("expires after {days} days")),
            (None, Some(date)) => does.push(format!("expires at {}", super::time(date))),
            (None, None) => does.push("removes expired delete markers".to_owned()),
        }
    }
    for transition in rule.transitions() {
        let class = text(transition.storage_class().map(aws_sdk_s3::types::TransitionStorageClass::as_str));
        does.push(
            transition.days().map_or_else(|| format!("to {class}"), |days| format!("to {class} after {days} days")),
        );
    }
    if let Some(days) = rule.noncurrent_version_expiration().and_then(NoncurrentVersionExpiration::noncurrent_days) {
        does.push(format!("old versions expire after {days} days"));
    }
    if let Some(days) =
        rule.abort_incomplete_multipart_upload().and_then(AbortIncompleteMultipartUpload::days_after_initiation)
    {
        does.push(format!("uploads abort after {days} days"));
    }
    Text::new(format!("{}: {}", rule.id().unwrap_or("unnamed"), does.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::{
        Grantee, ObjectLockRule, Permission, ServerSideEncryption, ServerSideEncryptionByDefault, Type,
    };

    #[test]
    fn no_encryption_rule_is_none_and_not_aes() {
        let none = default_encryption(&[], &KeyNames::default());
        assert_eq!((none.algorithm.as_str(), none.kms_key), ("none", None));
        let rule = |algorithm, key: Option<&str>| {
            let default = ServerSideEncryptionByDefault::builder()
                .sse_algorithm(algorithm)
                .set_kms_master_key_id(key.map(str::to_owned))
                .build()
                .unwrap();
            let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
            default_encryption(&[rule.bucket_key_enabled(true).build()], &KeyNames::default())
        };
        assert_eq!(rule(ServerSideEncryption::Aes256, None).algorithm.as_str(), "AES256");
        let key = "arn:aws:kms:us-east-1:123456789012:key/91b5";
        let kms = rule(ServerSideEncryption::AwsKms, Some(key));
        assert_eq!((kms.algorithm.as_str(), kms.kms_key, kms.bucket_key), ("aws:kms", Some(key.into()), true));
        assert_eq!(rule(ServerSideEncryption::AwsKms, None).kms_key, None);
    }

    #[test]
    fn regions_of_old_buckets() {
        for (constraint, region) in [("", "us-east-1"), ("EU", "eu-west-1"), ("eu-central-1", "eu-central-1")] {
            assert_eq!(region_code(constraint).as_str(), region);
        }
    }

    #[test]
    fn words() {
        let all = "http://acs.amazonaws.com/groups/global/AllUsers";
        let grantee = Grantee::builder().r#type(Type::Group).uri(all).build().unwrap();
        let grant = AclGrant::builder().grantee(grantee).permission(Permission::Read).build();
        assert_eq!(acl_line(&grant).as_str(), format!("{all} READ"));
        let rule = LifecycleRule::builder()
            .id("old\x1b")
            .status(ExpirationStatus::Enabled)
            .expiration(LifecycleExpiration::builder().days(30).build())
            .build()
            .unwrap();
        assert_eq!(rule_line(&rule).as_str(), "old␛: expires after 30 days");
        let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Compliance).years(1).build();
        let lock = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .rule(ObjectLockRule::builder().default_retention(retention).build());
        assert_eq!(lock_words(&lock.build()).unwrap().as_str(), "COMPLIANCE 1 years");
        assert_eq!(lock_words(&ObjectLockConfiguration::builder().build()), None);
    }
}
