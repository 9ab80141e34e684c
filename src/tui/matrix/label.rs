//! What stands for a verdict in a cell, and for an action over a column.

use super::super::theme::Role;
use crate::access::Decision;

/// A verdict in one letter. The order is from most to least access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Allowed.
    Allowed,
    /// Under conditions.
    Conditional,
    /// Nobody can tell.
    Unknown,
    /// Nothing allows it.
    Missing,
    /// A Deny applies.
    Denied,
}

impl Mark {
    /// All, as the legend tells them.
    pub const ALL: [Self; 5] = [Self::Allowed, Self::Conditional, Self::Denied, Self::Missing, Self::Unknown];

    /// Of a verdict.
    pub fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Allowed { .. } => Self::Allowed,
            Decision::Conditional { .. } => Self::Conditional,
            Decision::ExplicitlyDenied { .. } => Self::Denied,
            Decision::ImplicitlyDenied { .. } => Self::Missing,
            Decision::Uncertain { .. } => Self::Unknown,
        }
    }

    /// The sign of it. The letters are those of `bedwatch access`.
    pub fn sign(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Allowed, false) => "✓",
            (Self::Allowed, true) => "Y",
            (Self::Conditional, false) => "◐",
            (Self::Conditional, true) => "c",
            (Self::Denied, false) => "✗",
            (Self::Denied, true) => "x",
            (Self::Missing, false) => "·",
            (Self::Missing, true) => "-",
            (Self::Unknown, _) => "?",
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Conditional => "conditional",
            Self::Denied => "denied",
            Self::Missing => "not allowed",
            Self::Unknown => "cannot tell",
        }
    }

    /// Whether it is some access, or may be.
    pub fn is_open(self) -> bool {
        self <= Self::Unknown
    }

    /// How it looks; access of somebody who is not expected looks worse. The sign says it too.
    pub fn role(self, unexpected: bool) -> Role {
        match (self, unexpected) {
            (Self::Allowed, true) => Role::Critical,
            (Self::Allowed, false) => Role::Ok,
            (Self::Conditional, true) => Role::Medium,
            (Self::Conditional, false) => Role::Accent,
            (Self::Unknown, _) => Role::Unknown,
            (Self::Missing, _) => Role::Dim,
            (Self::Denied, _) => Role::Low,
        }
    }
}

/// The head of an action's column: as short as can be read. The whole name stands under the matrix.
pub fn head(action: &str) -> String {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let short = match name {
        "GenerateDataKey" => "GenKey",
        "ReEncryptFrom" => "ReEnc",
        "CreateGrant" => "Grant",
        "PutKeyPolicy" | "PutBucketPolicy" => "Policy",
        "ScheduleKeyDeletion" | "DeleteObject" | "DeleteCustomModel" | "DeleteImportedModel" => "Delete",
        "DeleteCustomModelDeployment" | "DeleteProvisionedModelThroughput" => "Delete",
        "DisableKey" => "Disable",
        "DescribeKey" | "GetCustomModel" | "GetImportedModel" => "Look",
        "GetCustomModelDeployment" | "GetProvisionedModelThroughput" => "Look",
        "InvokeModel" => "Invoke",
        "InvokeModelWithResponseStream" => "Stream",
        "CreateProvisionedModelThroughput" => "Provis",
        "CreateCustomModelDeployment" => "Deploy",
        "CreateModelInvocationJob" => "Batch",
        "CreateModelCopyJob" => "Copy",
        "UpdateProvisionedModelThroughput" => "Update",
        "GetObject" => "Get",
        "PutObject" => "Put",
        "ListBucket" => "List",
        "PutEncryptionConfiguration" => "Encrypt",
        "PutBucketPublicAccessBlock" => "Public",
        "AssumeRole" => "Become",
        "PassRole" => "Pass",
        "UpdateAssumeRolePolicy" => "Trust",
        "AttachRolePolicy" => "Attach",
        "PutRolePolicy" => "Inline",
        "DeleteRolePermissionsBoundary" => "Bound",
        other => other,
    };
    short.chars().take(9).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_has_a_sign_and_a_letter_of_its_own() {
        for ascii in [false, true] {
            let mut signs: Vec<_> = Mark::ALL.iter().map(|mark| mark.sign(ascii)).collect();
            signs.sort_unstable();
            signs.dedup();
            assert_eq!(signs.len(), Mark::ALL.len());
        }
        assert!(Mark::ALL.iter().all(|mark| mark.sign(true).is_ascii()));
    }

    #[test]
    fn heads_of_one_resource_differ() {
        for arn in [
            "arn:aws:kms:us-east-1:123456789012:key/k",
            "arn:aws:bedrock:us-east-1:123456789012:custom-model/a/b",
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a",
            "arn:aws:s3:::b",
            "arn:aws:iam::123456789012:role/R",
        ] {
            let actions = crate::access::actions::that_matter(&arn.parse().unwrap());
            let mut heads: Vec<String> = actions.iter().map(|action| head(action)).collect();
            assert!(heads.iter().all(|head| head.len() <= 9));
            heads.sort();
            heads.dedup();
            assert_eq!(heads.len(), actions.len(), "{arn}: {heads:?}");
        }
    }
}
