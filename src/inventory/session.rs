//! Who we are and where, as plain facts. The session that owns the clients is `aws::Session`.

use serde::{Deserialize, Serialize};

use crate::base::{Generation, ResourceId, Text, Timestamp};

/// What may be done in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Live, reads only.
    ReadOnly,
    /// Live, started with `--write`.
    Write,
    /// The bundled case; fixes are rehearsed on a copy in memory.
    Demo,
    /// A saved case; no network.
    Case,
}

impl Mode {
    /// The badge of the header.
    pub fn badge(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ-ONLY",
            Self::Write => "WRITE",
            Self::Demo => "DEMO",
            Self::Case => "CASE",
        }
    }
}

/// The facts of a session, verified with STS. Immutable: a switch makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Stale results are told by it.
    pub generation: Generation,
    /// Twelve digits.
    pub account: Text,
    /// The account alias, if it has one and we may read it.
    pub alias: Option<Text>,
    /// The caller's ARN, as STS gave it.
    pub principal: ResourceId,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: Text,
    /// The region's code.
    pub region: Text,
    /// What may be done.
    pub mode: Mode,
    /// The profile it came from, if one was named.
    pub profile: Option<Text>,
    /// The endpoint override, if there is one.
    pub endpoint: Option<Text>,
    /// When the credentials expire, if they do.
    pub expires: Option<Timestamp>,
}

impl SessionInfo {
    /// The principal in a word: the role or user name, without its session.
    pub fn principal_name(&self) -> String {
        let Some(arn) = self.principal.arn() else { return self.principal.to_string() };
        match arn.assumed_role() {
            Some((role, _)) => role.to_owned(),
            None => arn.name().to_owned(),
        }
    }

    /// The account as a person says it: alias, else the number.
    pub fn account_name(&self) -> &str {
        self.alias.as_ref().unwrap_or(&self.account).as_str()
    }
}
