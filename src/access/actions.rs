//! The actions that matter on each kind of resource, and whom they concern.
//!
//! From the Service Authorization Reference (KMS, Bedrock, S3, STS, IAM), autumn 2026.

use crate::base::Arn;
use crate::base::arn::ArnKind;

/// What an action gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// To use or read the resource.
    Use,
    /// To give it to oneself or to others.
    Give,
    /// To change or destroy it.
    Change,
    /// To look at its description.
    Look,
}

const KEY: &[&str] = &[
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:DisableKey",
    "kms:DescribeKey",
];

const MODEL: &[&str] = &[
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:CreateProvisionedModelThroughput",
    "bedrock:CreateCustomModelDeployment",
    "bedrock:CreateModelInvocationJob",
    "bedrock:CreateModelCopyJob",
    "bedrock:DeleteCustomModel",
    "bedrock:GetCustomModel",
];

const IMPORTED: &[&str] = &[
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:DeleteImportedModel",
    "bedrock:GetImportedModel",
];

const DEPLOYMENT: &[&str] = &[
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:DeleteCustomModelDeployment",
    "bedrock:GetCustomModelDeployment",
];

const THROUGHPUT: &[&str] = &[
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:UpdateProvisionedModelThroughput",
    "bedrock:DeleteProvisionedModelThroughput",
    "bedrock:GetProvisionedModelThroughput",
];

const BUCKET: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutBucketPublicAccessBlock",
];

const OBJECT: &[&str] = &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];

const ROLE: &[&str] = &[
    "sts:AssumeRole",
    "iam:PassRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
];

/// The actions on a resource that matter, use first.
pub fn that_matter(arn: &Arn) -> &'static [&'static str] {
    match arn.kind() {
        ArnKind::Key | ArnKind::Alias => KEY,
        ArnKind::CustomModel => MODEL,
        ArnKind::ImportedModel => IMPORTED,
        ArnKind::Deployment => DEPLOYMENT,
        ArnKind::ProvisionedModel | ArnKind::FoundationModel => THROUGHPUT,
        ArnKind::Bucket => BUCKET,
        ArnKind::Object => OBJECT,
        ArnKind::Role => ROLE,
        _ => &[],
    }
}

/// Whether an S3 action is on objects, not on their bucket.
pub fn is_on_objects(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    action.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("s3:"))
        && ["object", "multipart"].iter().any(|word| name.to_ascii_lowercase().contains(word))
        && !["bucket", "objectlockconfiguration"].iter().any(|word| name.to_ascii_lowercase().contains(word))
        && !name.eq_ignore_ascii_case("ListBucketMultipartUploads")
}

/// The action under which a call is authorised: Converse is InvokeModel (B2).
pub fn authorised_as(action: &str) -> &str {
    match action.to_ascii_lowercase().as_str() {
        "bedrock:converse" => "bedrock:InvokeModel",
        "bedrock:conversestream" => "bedrock:InvokeModelWithResponseStream",
        _ => action,
    }
}

/// Whether an action invokes a model.
pub fn invokes(action: &str) -> bool {
    ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"].iter().any(|one| one.eq_ignore_ascii_case(action))
}
