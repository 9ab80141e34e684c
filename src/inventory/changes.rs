//! Who changed customization before the time that activity is followed: what tells a first change from another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::{ResourceId, Text, Timestamp};

/// What CloudTrail's event history knows of changes to customization, looked up call by call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeHistory {
    /// Since when every change is known.
    pub since: Timestamp,
    /// Up to when; later ones are among the events.
    pub until: Timestamp,
    /// Who made any.
    pub makers: Vec<Maker>,
}

/// Somebody who changed customization, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// Name of the principal.
    pub who: Text,
    /// Its ARN.
    pub principal: Option<ResourceId>,
    /// Addresses, and names of services.
    pub from: BTreeSet<Text>,
}
