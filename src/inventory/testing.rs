//! Plain things for the tests of every room: healthy, of one account, to be changed where a test cares.

use super::iam::Role;
use super::kms::{KeyMetadata, KeyState};
use super::{Document, Mode, SessionInfo};
use crate::base::{Generation, ResourceId, Text, Timestamp};

/// A session that may write, of the account `orion-prod`.
pub fn session() -> SessionInfo {
    SessionInfo {
        generation: Generation(1),
        account: "123456789012".into(),
        alias: Some("orion-prod".into()),
        principal: "arn:aws:sts::123456789012:assumed-role/Oncall/zoe".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        mode: Mode::Write,
        profile: None,
        endpoint: None,
        expires: None,
    }
}

/// An enabled symmetric key of the customer.
pub fn key_metadata() -> KeyMetadata {
    KeyMetadata {
        state: KeyState::Enabled,
        manager: "CUSTOMER".into(),
        origin: "AWS_KMS".into(),
        spec: "SYMMETRIC_DEFAULT".into(),
        usage: "ENCRYPT_DECRYPT".into(),
        multi_region: false,
        description: Text::default(),
        created: None,
        deletion: None,
        valid_to: None,
    }
}

/// A role that nobody may assume and that may do nothing.
pub fn role(arn: impl Into<ResourceId>) -> Role {
    let arn = arn.into();
    Role {
        name: arn.last().into(),
        arn,
        role_id: "AROAEXAMPLE".into(),
        trust: Document::new("{}"),
        inline: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        created: Timestamp::from_secs(1),
        last_used: None,
        tags: std::collections::BTreeMap::new(),
    }
}
