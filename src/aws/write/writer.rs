//! The writes, as the [`Executor`] that a confirmed fix drives.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::types::{GrantConstraints, GrantOperation};
use aws_sdk_s3::types::{BucketVersioningStatus, PublicAccessBlockConfiguration, VersioningConfiguration};
use futures::future::BoxFuture;

use super::WriteToken;
use crate::aws::Session;
use crate::aws::error::classify;
use crate::aws::read::{kms, s3};
use crate::base::{ResourceId, Text};
use crate::fix::{
    BucketAt, Change, Executed, Executor, FixError, GrantSpec, Held, KeySnapshot, KeyState, Setting, SettingState,
    Spot, Which,
};
use crate::inventory::kms::Grant;
use crate::inventory::{Document, ErrorKind, ReadError};

/// What changes things in a session.
#[derive(Debug, Clone)]
pub struct Writer {
    session: Session,
    /// Kept so that a writer is a proof too.
    _token: WriteToken,
}

impl Writer {
    /// The writer of a session. A session that was made without a token has none, whatever token
    /// is shown later: its guard knows no writes.
    pub fn new(session: &Session, token: WriteToken) -> Result<Self, ReadError> {
        if session.can_write() {
            return Ok(Self { session: session.clone(), _token: token });
        }
        Err(ReadError {
            operation: "kms:PutKeyPolicy".to_owned(),
            kind: ErrorKind::Refused,
            message: Text::new("this session is read-only; nothing was sent"),
            at: session.clock().now(),
        })
    }

    /// The session it writes in.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The client of the key's own region.
    fn kms(&self, key: &ResourceId) -> aws_sdk_kms::Client {
        kms::client(&self.session, key)
    }

    /// `GetKeyPolicy`, read now.
    pub async fn key_policy(&self, key: &ResourceId) -> Result<Document, ReadError> {
        kms::policy(&self.session, key).await
    }

    /// `ListGrants`, read now, every page.
    pub async fn grants(&self, key: &ResourceId) -> Result<Vec<Grant>, ReadError> {
        kms::grants(&self.session, key).await
    }

    /// `PutKeyPolicy` of `default`. KMS's check against lockout stays on: nothing here can turn it off.
    pub async fn put_key_policy(&self, key: &ResourceId, policy: &Document) -> Result<(), ReadError> {
        let call = self.kms(key).put_key_policy().key_id(key.as_str()).policy_name("default").policy(policy.raw());
        call.send().await.map(drop).map_err(|error| classify("kms:PutKeyPolicy", &error, self.session.clock().now()))
    }

    /// `CreateGrant`. Returns the grant's id.
    pub async fn create_grant(&self, key: &ResourceId, spec: &GrantSpec) -> Result<ResourceId, ReadError> {
        const OPERATION: &str = "kms:CreateGrant";
        let failed = |kind, why: &str| ReadError {
            operation: OPERATION.to_owned(),
            kind,
            message: Text::new(why),
            at: self.session.clock().now(),
        };
        if spec.name.is_empty() {
            return Err(failed(
                ErrorKind::Refused,
                "a grant needs a name, so that a repeated call makes no second one",
            ));
        }
        let operations = spec.operations.iter().map(|operation| GrantOperation::from(operation.as_str()));
        let call = self
            .kms(key)
            .create_grant()
            .key_id(key.as_str())
            .name(spec.name.as_str())
            .set_operations(Some(operations.collect()))
            .set_constraints(constraints(spec));
        let call = if Grant::is_service(&spec.grantee) {
            call.grantee_service_principal(spec.grantee.as_str())
        } else {
            call.grantee_principal(spec.grantee.as_str())
        };
        let call = match &spec.retiring {
            None => call,
            Some(service) if Grant::is_service(service) => call.retiring_service_principal(service.as_str()),
            Some(retiring) => call.retiring_principal(retiring.as_str()),
        };
        let answer = call.send().await.map_err(|error| classify(OPERATION, &error, self.session.clock().now()))?;
        let id = answer.grant_id().filter(|id| !id.is_empty());
        id.map(ResourceId::new).ok_or_else(|| failed(ErrorKind::Malformed, "the answer holds no grant id"))
    }

    /// `RevokeGrant`.
    pub async fn revoke_grant(&self, key: &ResourceId, grant: &ResourceId) -> Result<(), ReadError> {
        let call = self.kms(key).revoke_grant().key_id(key.as_str()).grant_id(grant.as_str());
        call.send().await.map(drop).map_err(|error| classify("kms:RevokeGrant", &error, self.session.clock().now()))
    }
}

/// Buckets.
impl Writer {
    /// A setting, read now.
    pub async fn setting(&self, bucket: &BucketAt, which: Which) -> Result<Setting, ReadError> {
        let place = s3::Place { name: bucket.name.clone(), region: Some(bucket.region.clone()) };
        Ok(match which {
            Which::PublicAccess => Setting::PublicAccess(s3::public_access(&self.session, &place).await?),
            Which::Versioning => Setting::Versioning(s3::versioning(&self.session, &place).await?.enabled),
        })
    }

    /// `PutPublicAccessBlock` or `PutBucketVersioning`, in the bucket's own region and only if it is
    /// the account's.
    pub async fn put_setting(&self, bucket: &BucketAt, setting: &Setting) -> Result<(), ReadError> {
        let client = self.session.s3_in(bucket.region.as_str());
        let (name, owner) = (bucket.name.as_str(), bucket.owner.as_str());
        let at = self.session.clock().now();
        match setting {
            Setting::PublicAccess(block) => {
                let switches = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(block.block_acls)
                    .ignore_public_acls(block.ignore_acls)
                    .block_public_policy(block.block_policy)
                    .restrict_public_buckets(block.restrict_buckets)
                    .build();
                let call = client.put_public_access_block().bucket(name).expected_bucket_owner(owner);
                let sent = call.public_access_block_configuration(switches).send().await;
                sent.map(drop).map_err(|error| classify(setting.operation(), &error, at))
            }
            Setting::Versioning(enabled) => {
                let status = if *enabled { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
                // why no MfaDelete in it: what is not named stays as it is.
                let versioning = VersioningConfiguration::builder().status(status).build();
                let call = client.put_bucket_versioning().bucket(name).expected_bucket_owner(owner);
                let sent = call.versioning_configuration(versioning).send().await;
                sent.map(drop).map_err(|error| classify(setting.operation(), &error, at))
            }
        }
    }
}

impl Executor for Writer {
    fn reread<'a>(&'a self, spot: &'a Spot) -> BoxFuture<'a, Result<Held, FixError>> {
        Box::pin(async move {
            match spot {
                Spot::Key(key) => {
                    let read = async { tokio::try_join!(self.key_policy(key), self.grants(key)) };
                    let (policy, grants) = read.await.map_err(FixError::Call)?;
                    Ok(Held::Key(KeyState { key: key.clone(), state: KeySnapshot { policy, grants } }))
                }
                Spot::Setting(bucket, which) => {
                    let setting = self.setting(bucket, *which).await.map_err(FixError::Call)?;
                    Ok(Held::Setting(SettingState { bucket: bucket.clone(), setting }))
                }
            }
        })
    }

    fn execute<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Executed, FixError>> {
        Box::pin(async move {
            let done = match change {
                Change::PutKeyPolicy { key, policy } => self.put_key_policy(key, policy).await.map(|()| None),
                Change::CreateGrant { key, grant } => self.create_grant(key, grant).await.map(Some),
                Change::RevokeGrant { key, grant } => self.revoke_grant(key, grant).await.map(|()| None),
                Change::PutSetting { bucket, setting } => self.put_setting(bucket, setting).await.map(|()| None),
            };
            done.map(|grant_id| Executed { grant_id }).map_err(FixError::Call)
        })
    }
}

fn constraints(spec: &GrantSpec) -> Option<GrantConstraints> {
    let pairs = |map: &BTreeMap<Text, Text>| -> Option<HashMap<String, String>> {
        let pairs: HashMap<_, _> = map.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        (!pairs.is_empty()).then_some(pairs)
    };
    let (equals, subset) = (pairs(&spec.context_equals), pairs(&spec.context_subset));
    let source = spec.source_arn.as_ref().map(ToString::to_string);
    (equals.is_some() || subset.is_some() || source.is_some()).then(|| {
        GrantConstraints::builder()
            .set_encryption_context_equals(equals)
            .set_encryption_context_subset(subset)
            .set_source_arn(source)
            .build()
    })
}

#[cfg(test)]
mod tests;
