//! A second opinion on personal data in training data: what another recognizer says of the same text. Masks, counts
//! and digests; never the text.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::objects::ContentHit;
use super::read::ReadError;
use crate::base::Text;

/// What it says of the data of one prefix, or of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Opinion {
    /// Bytes of text that were sent.
    pub bytes: u64,
    /// Units of 100 characters that were asked about: whether there is something (`ContainsPiiEntities`).
    pub asked_whether: u64,
    /// Units of 100 characters that were asked about: where it is (`DetectPiiEntities`).
    pub asked_where: u64,
    /// Texts beyond the byte budget, which were not sent.
    pub left_over: u64,
    /// Kinds of personal data, as the service names them, and how often.
    pub entities: BTreeMap<Text, u64>,
    /// The same of each object.
    pub objects: BTreeMap<Text, BTreeMap<Text, u64>>,
    /// The first of each kind, masked; the rule is the kind.
    pub hits: Vec<ContentHit>,
    /// Kinds that our own scan found too.
    pub agreed: BTreeSet<Text>,
    /// Kinds that our own scan looks for and did not find.
    pub only_theirs: BTreeSet<Text>,
    /// Rules of our own scan whose kind the service knows and did not find.
    pub only_ours: BTreeSet<Text>,
    /// The first call that failed.
    pub error: Option<ReadError>,
}

impl Opinion {
    /// Whether all of the text was looked at.
    pub fn is_whole(&self) -> bool {
        self.left_over == 0 && self.error.is_none()
    }

    /// Kinds that only the service looks for: names, addresses and the like.
    pub fn beyond(&self) -> impl Iterator<Item = &Text> {
        self.entities.keys().filter(|kind| !self.agreed.contains(*kind) && !self.only_theirs.contains(*kind))
    }

    /// `EMAIL 3, NAME 2`, or `nothing`.
    pub fn counted(&self) -> String {
        match self.entities.len() {
            0 => "nothing".to_owned(),
            _ => self.entities.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", "),
        }
    }

    /// How it stands to our own scan, in one line.
    pub fn compared(&self) -> String {
        let names = |kinds: Vec<&Text>| match kinds.len() {
            0 => "none".to_owned(),
            _ => kinds.into_iter().map(Text::as_str).collect::<Vec<_>>().join(", "),
        };
        format!(
            "both: {}; only Comprehend: {}; only bedwatch: {}; not looked for by bedwatch: {}",
            names(self.agreed.iter().collect()),
            names(self.only_theirs.iter().collect()),
            names(self.only_ours.iter().collect()),
            names(self.beyond().collect()),
        )
    }
}
