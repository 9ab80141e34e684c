//! Amazon Resource Names.
//!
//! `arn:partition:service:region:account:resource`, split at the first five colons; the resource
//! part may hold further colons and slashes (AWS General Reference, "Amazon Resource Names").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text::{is_hostile, safe};

/// An ARN in its six parts. Parts may be empty, as in `arn:aws:s3:::bucket`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// `kms`, `bedrock`, `iam`, …
    pub service: String,
    /// Empty for global services.
    pub region: String,
    /// Twelve digits, `aws` for AWS's own, or empty.
    pub account: String,
    /// All that follows the fifth colon.
    pub resource: String,
}

/// Why a string is no ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an ARN: {why}")]
pub struct NotAnArn {
    /// What was given, made safe.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Kinds of resource that bedwatch tells apart by ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArnKind {
    /// `bedrock … model-customization-job/…`
    CustomizationJob,
    /// `bedrock … model-import-job/…`
    ImportJob,
    /// `bedrock … model-copy-job/…`
    CopyJob,
    /// `bedrock … custom-model/…`
    CustomModel,
    /// `bedrock … imported-model/…`
    ImportedModel,
    /// `bedrock … custom-model-deployment/…`
    Deployment,
    /// `bedrock … provisioned-model/…`
    ProvisionedModel,
    /// `bedrock::… foundation-model/…`
    FoundationModel,
    /// `bedrock … guardrail/…`
    Guardrail,
    /// `kms … key/…`
    Key,
    /// `kms … alias/…`
    Alias,
    /// `iam … role/…`
    Role,
    /// `iam … user/…`
    User,
    /// `iam … :root`: everybody in the account, not the root user alone
    AccountRoot,
    /// `sts … assumed-role/…`
    AssumedRole,
    /// `s3:::bucket`
    Bucket,
    /// `s3:::bucket/key`
    Object,
    /// `logs … log-group:…`
    LogGroup,
    /// Anything else.
    Other,
}

impl Arn {
    /// What the ARN names.
    pub fn kind(&self) -> ArnKind {
        let head = self.resource.split(['/', ':']).next().unwrap_or_default();
        match (self.service.as_str(), head) {
            ("bedrock", "model-customization-job") => ArnKind::CustomizationJob,
            ("bedrock", "model-import-job") => ArnKind::ImportJob,
            ("bedrock", "model-copy-job") => ArnKind::CopyJob,
            ("bedrock", "custom-model") => ArnKind::CustomModel,
            ("bedrock", "imported-model") => ArnKind::ImportedModel,
            ("bedrock", "custom-model-deployment") => ArnKind::Deployment,
            ("bedrock", "provisioned-model") => ArnKind::ProvisionedModel,
            ("bedrock", "foundation-model") => ArnKind::FoundationModel,
            ("bedrock", "guardrail") => ArnKind::Guardrail,
            ("kms", "key") => ArnKind::Key,
            ("kms", "alias") => ArnKind::Alias,
            ("iam", "role") => ArnKind::Role,
            ("iam", "user") => ArnKind::User,
            ("iam", "root") => ArnKind::AccountRoot,
            ("sts", "assumed-role") => ArnKind::AssumedRole,
            ("s3", _) if self.resource.contains('/') => ArnKind::Object,
            ("s3", _) => ArnKind::Bucket,
            ("logs", "log-group") => ArnKind::LogGroup,
            _ => ArnKind::Other,
        }
    }

    /// The last part of the resource: `key/91b5…` → `91b5…`, `role/path/Tuner` → `Tuner`.
    pub fn name(&self) -> &str {
        self.resource.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// For `assumed-role/ROLE/SESSION`: the role's name (session ARNs carry no path) and the session.
    pub fn assumed_role(&self) -> Option<(&str, &str)> {
        (self.kind() == ArnKind::AssumedRole)
            .then(|| self.resource.strip_prefix("assumed-role/")?.split_once('/'))
            .flatten()
    }

    /// An ARN of the same partition, region and account.
    #[must_use]
    pub fn sibling(&self, service: &str, resource: &str) -> Self {
        Self { service: service.into(), resource: resource.into(), ..self.clone() }
    }
}

impl FromStr for Arn {
    type Err = NotAnArn;

    fn from_str(text: &str) -> Result<Self, NotAnArn> {
        let no = |why| NotAnArn { text: safe(text).chars().take(120).collect(), why };
        // why bytes first: nearly every ARN is plain ASCII, and thousands are read at once.
        let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !plain && text.chars().any(is_hostile) {
            return Err(no("it holds control or invisible characters"));
        }
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return Err(no("it does not begin with 'arn:'"));
        }
        let mut part = || parts.next().map(str::to_owned).ok_or_else(|| no("it has fewer than six parts"));
        let arn = Self { partition: part()?, service: part()?, region: part()?, account: part()?, resource: part()? };
        match () {
            () if arn.partition.is_empty() => Err(no("its partition is empty")),
            () if arn.service.is_empty() => Err(no("its service is empty")),
            () if arn.resource.is_empty() => Err(no("its resource is empty")),
            () => Ok(arn),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl TryFrom<String> for Arn {
    type Error = NotAnArn;

    fn try_from(text: String) -> Result<Self, NotAnArn> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_and_names() {
        for (text, kind, name) in [
            ("arn:aws:kms:us-east-1:123456789012:key/91b5-1e7e", ArnKind::Key, "91b5-1e7e"),
            ("arn:aws:iam::123456789012:role/ml/OrionTuner", ArnKind::Role, "OrionTuner"),
            ("arn:aws:iam::123456789012:root", ArnKind::AccountRoot, "root"),
            ("arn:aws:sts::123456789012:assumed-role/App/s1", ArnKind::AssumedRole, "s1"),
            ("arn:aws:s3:::orion-train", ArnKind::Bucket, "orion-train"),
            ("arn:aws:s3:::orion-train/chat/a.jsonl", ArnKind::Object, "a.jsonl"),
            ("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:custom-model/x/y", ArnKind::CustomModel, "y"),
            ("arn:aws:logs:us-east-1:123456789012:log-group:/aws/x", ArnKind::LogGroup, "x"),
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!((arn.kind(), arn.name()), (kind, name), "{text}");
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_says_why() {
        for (text, why) in [
            ("", "begin"),
            ("key/91b5", "begin"),
            ("arn:aws:kms", "six parts"),
            ("arn::kms:::key/1", "partition"),
            ("arn:aws::::x", "service"),
            ("arn:aws:kms:::", "resource is empty"),
            ("arn:aws:iam::1:role/\u{202e}nimda", "invisible"),
        ] {
            let error = text.parse::<Arn>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(
            p in "[a-z-]{1,8}", s in "[a-z0-9-]{1,10}", r in "[a-z0-9-]{0,12}", a in "[0-9]{0,12}", res in "[ -~]{1,60}"
        ) {
            let text = format!("arn:{p}:{s}:{r}:{a}:{res}");
            prop_assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }

        #[test]
        fn no_input_panics(text in any::<String>()) {
            let _ = text.parse::<Arn>();
        }
    }
}
