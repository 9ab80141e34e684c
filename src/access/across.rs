//! What has an effect across accounts (E8, B4).

use super::decision::Truth;
use crate::base::Arn;

/// KMS operations that work on a key of another account (KMS Developer Guide, "Allowing users in other
/// accounts to use a KMS key").
const KEY: &[&str] = &[
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:Sign",
    "kms:Verify",
    "kms:GenerateMac",
    "kms:VerifyMac",
    "kms:DeriveSharedSecret",
    "kms:CreateGrant",
    "kms:DescribeKey",
    "kms:GetKeyRotationStatus",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:RetireGrant",
    "kms:RevokeGrant",
];

/// What a shared custom model gives to another account (Bedrock User Guide, "Share a model").
const MODEL: &[&str] = &["bedrock:GetCustomModel", "bedrock:CreateModelCopyJob"];

/// Whether an action on a resource has an effect for this caller: always at home.
pub(super) fn effect(action: &str, on: &Arn, foreign: bool) -> Truth {
    let among = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(action));
    match on.service.as_str() {
        _ if !foreign => Truth::plain_yes(),
        "kms" if !among(KEY) => Truth::no(),
        "bedrock" if among(MODEL) => Truth::blind("AWS does not say what a model's resource policy gives by itself"),
        "bedrock" => Truth::no(),
        // Of a role only becoming it.
        "iam" if !action.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("sts:")) => Truth::no(),
        _ => Truth::plain_yes(),
    }
}
