//! KMS: keys, their policies, grants, rotation and aliases.
//!
//! A key is asked in the region its ARN names; KMS knows no other way.

use std::collections::BTreeMap;

use aws_sdk_kms::config::Region;
use aws_sdk_kms::types::{GrantListEntry, KeyMetadata as SdkKeyMetadata};

use super::{all, failed, has_code, id, malformed, maybe_time, text};
use crate::aws::Session;
use crate::base::arn::ArnKind;
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::kms::{Grant, KeyMetadata, KeyState, Rotation};
use crate::inventory::{Document, ReadError, SessionInfo, SourceId};

/// An alias and the key it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Without `alias/`.
    pub name: Text,
    /// ARN of the key. AWS managed aliases that point nowhere yet are left out.
    pub key: ResourceId,
}

/// Turns every way in which AWS names a key (id, ARN, alias, alias ARN) into the key's ARN.
#[derive(Debug, Clone, Default)]
pub struct KeyNames {
    partition: String,
    region: String,
    account: String,
    aliases: BTreeMap<Text, ResourceId>,
}

impl KeyNames {
    /// For one session, with the aliases that are known.
    pub fn new(info: &SessionInfo, aliases: &[Alias]) -> Self {
        Self {
            partition: info.partition.to_string(),
            region: info.region.to_string(),
            account: info.account.to_string(),
            aliases: aliases.iter().map(|alias| (alias.name.clone(), alias.key.clone())).collect(),
        }
    }

    /// The ARN of the key that is named so; the alias's own ARN where the alias is not known.
    /// `None` for an empty name.
    pub fn arn(&self, named: &str) -> Option<ResourceId> {
        let named = named.trim();
        if named.is_empty() {
            return None;
        }
        let arn = named.parse::<Arn>().ok();
        let alias = match &arn {
            Some(arn) if arn.kind() == ArnKind::Alias => {
                // why the check: `alias/x` of another account or region is another alias.
                let here = arn.account == self.account && arn.region == self.region;
                arn.resource.strip_prefix("alias/").filter(|_| here)
            }
            Some(_) => None,
            None => named.strip_prefix("alias/"),
        };
        if let Some(key) = alias.and_then(|alias| self.aliases.get(&Text::new(alias))) {
            return Some(key.clone());
        }
        if arn.is_some() {
            return Some(named.into());
        }
        let resource = if named.contains('/') { named.to_owned() } else { format!("key/{named}") };
        Some(format!("arn:{}:kms:{}:{}:{resource}", self.partition, self.region, self.account).into())
    }
}

/// `ListAliases` of the session's region.
pub async fn aliases(session: &Session) -> Result<Vec<Alias>, ReadError> {
    let pages = session.kms().list_aliases().into_paginator().page_size(100).items().send();
    let names = KeyNames::new(session.info(), &[]);
    let found = all(session, SourceId::ALIASES, pages, |alias| {
        Some(Alias {
            name: alias.alias_name()?.trim_start_matches("alias/").into(),
            key: names.arn(alias.target_key_id()?)?,
        })
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// `DescribeKey`.
pub async fn metadata(session: &Session, key: &ResourceId) -> Result<KeyMetadata, ReadError> {
    let answer = client(session, key).describe_key().key_id(key.as_str()).send().await;
    let answer = answer.map_err(|error| failed(session, SourceId::KEYS, &error))?;
    answer.key_metadata().map(key_metadata).ok_or_else(|| malformed(session, SourceId::KEYS, "KeyMetadata"))
}

/// `GetKeyPolicy`, byte by byte as KMS keeps it.
pub async fn policy(session: &Session, key: &ResourceId) -> Result<Document, ReadError> {
    let call = client(session, key).get_key_policy().key_id(key.as_str()).policy_name("default");
    let answer = call.send().await.map_err(|error| failed(session, SourceId::KEY_POLICIES, &error))?;
    answer.policy.map(Document::new).ok_or_else(|| malformed(session, SourceId::KEY_POLICIES, "Policy"))
}

/// `ListGrants`.
pub async fn grants(session: &Session, key: &ResourceId) -> Result<Vec<Grant>, ReadError> {
    let pages = client(session, key).list_grants().key_id(key.as_str()).into_paginator().page_size(100).items().send();
    all(session, SourceId::GRANTS, pages, |entry| grant(&entry)).await
}

/// `GetKeyRotationStatus`.
pub async fn rotation(session: &Session, key: &ResourceId) -> Result<Rotation, ReadError> {
    match client(session, key).get_key_rotation_status().key_id(key.as_str()).send().await {
        Ok(status) => Ok(Rotation {
            enabled: status.key_rotation_enabled(),
            period_days: status.rotation_period_in_days(),
            next: maybe_time(status.next_rotation_date()),
        }),
        // why: asymmetric, HMAC, imported and custom-store keys cannot rotate, and "while a KMS key is
        // pending deletion, its key rotation status is false" (AWS KMS API Reference, GetKeyRotationStatus).
        // The other states in which KMS refuses to tell are the rule's to decide: it knows the state.
        Err(error) if has_code(&error, &["UnsupportedOperationException", "KMSInvalidStateException"]) => {
            Ok(Rotation { enabled: false, period_days: None, next: None })
        }
        Err(error) => Err(failed(session, SourceId::ROTATION, &error)),
    }
}

/// The client of the key's own region.
pub(in crate::aws) fn client(session: &Session, key: &ResourceId) -> aws_sdk_kms::Client {
    let client = session.kms();
    let there = key.arn().map(|arn| arn.region).filter(|region| !region.is_empty());
    match there {
        Some(region) if region != session.info().region.as_str() => {
            aws_sdk_kms::Client::from_conf(client.config().to_builder().region(Region::new(region)).build())
        }
        _ => client.clone(),
    }
}

fn key_metadata(key: &SdkKeyMetadata) -> KeyMetadata {
    KeyMetadata {
        // why the fallback: KeyState is optional in the model; Enabled is not.
        state: key.key_state().map_or_else(
            || KeyState::new(if key.enabled() { "Enabled" } else { "Disabled" }),
            |state| KeyState::new(state.as_str()),
        ),
        manager: text(key.key_manager().map(aws_sdk_kms::types::KeyManagerType::as_str)),
        origin: text(key.origin().map(aws_sdk_kms::types::OriginType::as_str)),
        spec: text(key.key_spec().map(aws_sdk_kms::types::KeySpec::as_str)),
        usage: text(key.key_usage().map(aws_sdk_kms::types::KeyUsageType::as_str)),
        multi_region: key.multi_region().unwrap_or(false),
        description: text(key.description()),
        created: maybe_time(key.creation_date()),
        deletion: maybe_time(key.deletion_date()),
        valid_to: maybe_time(key.valid_to()),
    }
}

fn grant(grant: &GrantListEntry) -> Grant {
    let constraints = grant.constraints();
    let context = |pairs: Option<&std::collections::HashMap<String, String>>| {
        pairs.into_iter().flatten().map(|(name, value)| (Text::new(name), Text::new(value))).collect()
    };
    Grant {
        id: grant.grant_id().unwrap_or_default().into(),
        name: grant.name().filter(|name| !name.is_empty()).map(Text::new),
        grantee: id(grant.grantee_principal())
            .or_else(|| id(grant.grantee_service_principal()))
            .unwrap_or_else(|| "".into()),
        retiring: id(grant.retiring_principal()).or_else(|| id(grant.retiring_service_principal())),
        issuer: id(grant.issuing_account()),
        operations: grant.operations().iter().map(|operation| operation.as_str().into()).collect(),
        context_equals: context(constraints.and_then(|c| c.encryption_context_equals())),
        context_subset: context(constraints.and_then(|c| c.encryption_context_subset())),
        source_arn: id(constraints.and_then(|c| c.source_arn())),
        created: maybe_time(grant.creation_date()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kms::types::{GrantConstraints, GrantOperation};

    fn names() -> KeyNames {
        KeyNames {
            partition: "aws".into(),
            region: "us-east-1".into(),
            account: "123456789012".into(),
            aliases: BTreeMap::from([(Text::new("orion"), "arn:aws:kms:us-east-1:123456789012:key/91b5".into())]),
        }
    }

    #[test]
    fn every_name_of_a_key_becomes_its_arn() {
        let key = "arn:aws:kms:us-east-1:123456789012:key/91b5";
        for (named, arn) in [
            ("91b5", key),
            ("key/91b5", key),
            ("alias/orion", key),
            ("arn:aws:kms:us-east-1:123456789012:alias/orion", key),
            (key, key),
            (" 91b5 ", key),
            ("alias/unknown", "arn:aws:kms:us-east-1:123456789012:alias/unknown"),
            ("arn:aws:kms:us-east-1:999988887777:alias/orion", "arn:aws:kms:us-east-1:999988887777:alias/orion"),
            ("arn:aws:kms:eu-west-1:123456789012:alias/orion", "arn:aws:kms:eu-west-1:123456789012:alias/orion"),
            ("mrk-0a1b", "arn:aws:kms:us-east-1:123456789012:key/mrk-0a1b"),
        ] {
            assert_eq!(names().arn(named), Some(arn.into()), "{named}");
        }
        assert_eq!(names().arn(""), None);
    }

    #[test]
    fn a_grant_with_constraints() {
        let entry = GrantListEntry::builder()
            .grant_id("g-1")
            .name("")
            .grantee_principal("arn:aws:iam::123456789012:role/OrionTuner")
            .retiring_service_principal("bedrock.amazonaws.com")
            .issuing_account("arn:aws:iam::123456789012:root")
            .operations(GrantOperation::Decrypt)
            .operations(GrantOperation::CreateGrant)
            .constraints(
                GrantConstraints::builder()
                    .encryption_context_equals("aws:bedrock:arn", "arn:aws:bedrock:us-east-1:1:custom-model/x")
                    .encryption_context_subset("team", "ml\x07")
                    .build(),
            )
            .build();
        let grant = grant(&entry);
        assert_eq!(grant.name, None);
        assert_eq!(grant.retiring, Some("bedrock.amazonaws.com".into()));
        assert_eq!(grant.operations, [Text::new("Decrypt"), Text::new("CreateGrant")]);
        assert_eq!(grant.context_equals.len(), 1);
        assert_eq!(grant.context_subset.get(&Text::new("team")), Some(&"ml␇".into()));
        assert_eq!(grant.source_arn, None);
        let job = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/j";
        let service = GrantListEntry::builder()
            .grant_id("g-2")
            .grantee_service_principal("s3.amazonaws.com")
            .constraints(GrantConstraints::builder().source_arn(job).build())
            .build();
        let service = super::grant(&service);
        assert_eq!((service.grantee.as_str(), service.source_arn), ("s3.amazonaws.com", Some(job.into())));
    }

    #[test]
    fn metadata_without_a_state_uses_the_switch() {
        let key = SdkKeyMetadata::builder().key_id("91b5").enabled(false).description("a\u{202e}b").build().unwrap();
        let metadata = key_metadata(&key);
        assert_eq!((metadata.state, metadata.description.as_str()), (KeyState::Disabled, "a⟨U+202E⟩b"));
    }
}
