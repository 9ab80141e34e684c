//! CUS-DAT-01: which key new objects in a bucket are encrypted with.

use super::{BUCKET_LISTS, Use, each};
use crate::base::ResourceId;
use crate::base::arn::ArnKind;
use crate::inventory::SourceId;
use crate::inventory::s3::Bucket;
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::encryption::metadata;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_01: Control = Control {
    id: "CUS-DAT-01",
    title: "Job buckets encrypt by default with a customer managed key",
    severity: Severity::High,
    area: Area::Data,
    what: "buckets of customization",
    lists: BUCKET_LISTS,
    tables: &[],
    details: &[SourceId::BUCKET_ENCRYPTION, SourceId::KEYS],
    logic: "The default encryption of every bucket that holds training or validation data, output, models to import \
            or the invocation log must be aws:kms or aws:kms:dsse, with a key that the customer manages. AES256 (which \
            every bucket has), and aws:kms without a key or with alias/aws/s3, do not count: their keys have no policy \
            of yours.",
    reasons: &["no-kms", "aws-managed-key"],
    remediation: "Set the default encryption to aws:kms with your key. It is for new objects: those that are there \
                  keep the key they have.",
    cli: "aws s3api put-bucket-encryption --bucket BUCKET --server-side-encryption-configuration file://SSE.json",
    compliance: &[
        (NIST, &["SC-28(1)", "SC-13"]),
        (FEDRAMP, &["SC-28(1)", "SC-13"]),
        (PCI, &["3.5.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["32(1)(a)"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["DP", "S3", "KMS"]),
    ],
    fixes: &[],
    evaluate: encrypted,
};

fn encrypted(judge: &Judge<'_>) -> Vec<Verdict> {
    each(judge, Use::ALL, |_, bucket, mut draft| {
        if let Ok(encryption) = bucket.encryption.known() {
            draft = draft
                .shows("SSEAlgorithm", &encryption.algorithm)
                .shows("KMSMasterKeyID", encryption.kms_key.as_ref().map_or("none", ResourceId::as_str))
                .shows("BucketKeyEnabled", encryption.bucket_key);
        }
        match default_key(judge, bucket) {
            Err(why) => vec![draft.undecided("unread", why)],
            Ok(problem) => draft.conclude(problem.into_iter().collect(), "encrypted with a customer managed key"),
        }
    })
}

/// What is wrong with the key of a bucket's default encryption; `Err` says why that is not known.
pub(in crate::posture) fn default_key(judge: &Judge<'_>, bucket: &Bucket) -> Result<Option<Problem>, String> {
    let encryption = bucket.encryption.known().map_err(|unknown| unread("s3:GetBucketEncryption", unknown))?;
    let name = &bucket.name;
    let algorithm = &encryption.algorithm;
    if !matches!(algorithm.as_str(), "aws:kms" | "aws:kms:dsse") {
        let why = format!("bucket {name} encrypts with {algorithm}: the key is Amazon's, not yours");
        return Ok(Some(Problem::fail("no-kms", why)));
    }
    let Some(key) = &encryption.kms_key else {
        let why = format!("bucket {name} encrypts with {algorithm}, but names no key: AWS manages it (alias/aws/s3)");
        return Ok(Some(Problem::fail("aws-managed-key", why)));
    };
    let managed = |label: &str| {
        Problem::fail("aws-managed-key", format!("bucket {name} encrypts with {label}, which AWS manages"))
    };
    if is_aws_alias(key) && judge.context.key(key).is_none() {
        return Ok(Some(managed(key.last())));
    }
    let metadata = metadata(judge, key)?;
    Ok((metadata.manager != "CUSTOMER").then(|| {
        managed(judge.context.key(key).map_or(key.last(), crate::inventory::kms::Key::label))
            .shows("KeyManager", &metadata.manager)
    }))
}

/// `alias/aws/…`: only AWS makes such aliases.
fn is_aws_alias(key: &ResourceId) -> bool {
    key.as_str().starts_with("alias/aws/")
        || key.arn().is_some_and(|arn| arn.kind() == ArnKind::Alias && arn.resource.starts_with("alias/aws/"))
}
