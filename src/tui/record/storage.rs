//! AWS KMS and Amazon S3: CamelCase, a call each.

use serde_json::{Value, json};

use super::{Record, maybe_time, policy};
use crate::inventory::kms::{Grant, Key};
use crate::inventory::s3::Bucket;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// Writes a key or a bucket. Returns whether it was one.
pub(super) fn write(inventory: &Inventory, of: &ResourceRef, record: &mut Record) -> bool {
    match of.kind {
        Kind::Key => inventory.keys.get(&of.id).map(|held| key(held, record)),
        Kind::Bucket => inventory.buckets.get(&of.id).map(|held| bucket(held, record)),
        _ => None,
    }
    .is_some()
}

fn key(key: &Key, record: &mut Record) {
    record.read("DescribeKey", &key.metadata, |held| {
        json!({ "KeyMetadata": {
            "KeyId": key.arn.last(),
            "Arn": key.arn,
            "KeyState": held.state.to_string(),
            "KeyManager": held.manager,
            "Origin": held.origin,
            "KeySpec": held.spec,
            "KeyUsage": held.usage,
            "MultiRegion": held.multi_region,
            "Description": held.description,
            "CreationDate": maybe_time(held.created),
            "DeletionDate": maybe_time(held.deletion),
            "ValidTo": maybe_time(held.valid_to),
        }})
    });
    let aliases: Vec<Value> = key
        .aliases
        .iter()
        .map(|alias| json!({ "AliasName": format!("alias/{alias}"), "TargetKeyId": key.arn.last() }))
        .collect();
    record.call("ListAliases", json!({ "Aliases": aliases }));
    record.read("GetKeyPolicy", &key.policy, |held| json!({ "PolicyName": "default", "Policy": policy(held) }));
    record.read("ListGrants", &key.grants, |grants| json!({ "Grants": grants.iter().map(grant).collect::<Vec<_>>() }));
    record.read("GetKeyRotationStatus", &key.rotation, |held| {
        json!({
            "KeyRotationEnabled": held.enabled,
            "RotationPeriodInDays": held.period_days,
            "NextRotationDate": maybe_time(held.next),
        })
    });
}

fn grant(grant: &Grant) -> Value {
    let context = |held: &std::collections::BTreeMap<_, _>| (!held.is_empty()).then(|| json!(held));
    let equals = context(&grant.context_equals);
    let subset = context(&grant.context_subset);
    let constraints = (equals.is_some() || subset.is_some())
        .then(|| json!({ "EncryptionContextEquals": equals, "EncryptionContextSubset": subset }));
    json!({
        "GrantId": grant.id,
        "Name": grant.name,
        "GranteePrincipal": grant.grantee,
        "RetiringPrincipal": grant.retiring,
        "IssuingAccount": grant.issuer,
        "Operations": grant.operations,
        "Constraints": constraints,
        "CreationDate": maybe_time(grant.created),
    })
}

fn bucket(bucket: &Bucket, record: &mut Record) {
    record.read("ListBuckets", &bucket.owned, |owned| {
        let foreign =
            (!owned).then_some("the account's list of buckets does not hold it: it belongs to another account");
        json!({ "Name": bucket.name, "bedwatch": foreign })
    });
    record.read("GetBucketLocation", &bucket.region, |region| json!({ "LocationConstraint": region }));
    record.read("GetBucketEncryption", &bucket.encryption, |held| {
        json!({ "ServerSideEncryptionConfiguration": { "Rules": [{
            "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": held.algorithm, "KMSMasterKeyID": held.kms_key },
            "BucketKeyEnabled": held.bucket_key,
        }] } })
    });
    record.read("GetBucketVersioning", &bucket.versioning, |held| {
        if held.enabled {
            json!({ "Status": "Enabled", "MFADelete": if held.mfa_delete { "Enabled" } else { "Disabled" } })
        } else {
            // AWS leaves out what was never set; bedwatch does not keep apart whether it was suspended.
            json!({ "bedwatch": "not Enabled: Suspended, or never set" })
        }
    });
    record.read("GetPublicAccessBlock", &bucket.public_access, |held| {
        json!({ "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": held.block_acls,
            "IgnorePublicAcls": held.ignore_acls,
            "BlockPublicPolicy": held.block_policy,
            "RestrictPublicBuckets": held.restrict_buckets,
        }})
    });
    record.read("GetBucketPolicy", &bucket.policy, |held| match held {
        Some(held) => json!({ "Policy": policy(held) }),
        None => json!({ "bedwatch": "NoSuchBucketPolicy: there is none" }),
    });
    record.read(
        "GetBucketPolicyStatus",
        &bucket.policy_public,
        |public| json!({ "PolicyStatus": { "IsPublic": public } }),
    );
    record.read("GetBucketAcl", &bucket.acl, |grants| {
        let grants: Vec<Value> = grants
            .iter()
            .map(|words| match words.as_str().rsplit_once(' ') {
                Some((who, permission)) => json!({ "Grantee": who, "Permission": permission }),
                None => json!(words),
            })
            .collect();
        json!({ "Grants": grants })
    });
    record.read("GetBucketOwnershipControls", &bucket.ownership, |held| match held {
        Some(held) => json!({ "OwnershipControls": { "Rules": [{ "ObjectOwnership": held }] } }),
        None => json!({ "bedwatch": "OwnershipControlsNotFoundError: never set" }),
    });
    record.read("GetBucketLogging", &bucket.logging, |held| match held {
        Some(held) => json!({ "LoggingEnabled": { "TargetBucket": held.bucket, "TargetPrefix": held.prefix } }),
        None => json!({}),
    });
    record.read("GetObjectLockConfiguration", &bucket.lock, |held| match held {
        Some(held) => json!({ "bedwatch": held }),
        None => json!({ "bedwatch": "there is none" }),
    });
    record.read(
        "GetBucketLifecycleConfiguration",
        &bucket.lifecycle,
        |rules| json!({ "bedwatch": rules.iter().map(ToString::to_string).collect::<Vec<_>>() }),
    );
    record.read("GetBucketReplication", &bucket.replication, |to| {
        let rules: Vec<Value> = to.iter().map(|to| json!({ "Destination": { "Bucket": to } })).collect();
        json!({ "ReplicationConfiguration": { "Rules": rules } })
    });
}
