//! What is remembered of everything that was done: the entries, and who keeps them.

use serde::{Deserialize, Serialize};

use super::apply::KeySnapshot;
use super::change::{Change, Spot};
use super::error::FixError;
use super::plan::Plan;
use super::setting::{BucketAt, Setting};
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::{Inventory, Items, Read, SessionInfo, Update};

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A plan was confirmed and is about to be made.
    Intended,
    /// It was made and read back.
    Done,
    /// It was refused before anything was written (the state had changed).
    Refused,
    /// A call failed; the body says what was done and what was not.
    Failed,
    /// AWS accepted it, but it did not read back as written.
    Unconfirmed,
    /// Something hidden was shown (a prompt, a completion).
    Revealed,
    /// A remark of a person.
    Note,
}

impl EntryKind {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
            Self::Revealed => "revealed",
            Self::Note => "note",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        use EntryKind as K;
        [K::Intended, K::Done, K::Refused, K::Failed, K::Unconfirmed, K::Revealed, K::Note]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// One entry, as handed to the [`Recorder`], which adds its number and chains it to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// What it says.
    pub kind: EntryKind,
    /// When.
    pub at: Timestamp,
    /// The caller's ARN.
    pub who: ResourceId,
    /// Twelve digits.
    pub account: Text,
    /// The region's code.
    pub region: Text,
    /// The facts.
    pub body: Body,
}

/// The facts of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A fix: intended, done, refused, failed or unconfirmed.
    Fix(Box<FixRecord>),
    /// What was shown, or the remark.
    Text(Text),
}

/// What is remembered of a fix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FixRecord {
    /// What the entries of one run have in common.
    pub run: String,
    /// The plan, whole.
    pub plan: Plan,
    /// Whether nothing left the machine (the demo).
    pub rehearsed: bool,
    /// What was re-read before the first change: the exact prior documents.
    #[serde(default)]
    pub before: Vec<Held>,
    /// What was read back after the last change.
    #[serde(default)]
    pub after: Vec<Held>,
    /// How many of the plan's changes were made.
    pub made: usize,
    /// Changes that take it back, in the order to do them.
    #[serde(default)]
    pub undo: Vec<Change>,
    /// What went wrong, in words.
    #[serde(default)]
    pub error: Option<Text>,
}

/// What a change was made on, at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Held {
    /// A key.
    Key(KeyState),
    /// A setting of a bucket.
    Setting(SettingState),
}

impl Held {
    /// Whether it is of this spot.
    pub fn is_of(&self, spot: &Spot) -> bool {
        match (self, spot) {
            (Self::Key(held), Spot::Key(key)) => held.key == *key,
            (Self::Setting(held), Spot::Setting(bucket, which)) => {
                held.bucket.name == bucket.name && held.setting.which() == *which
            }
            _ => false,
        }
    }

    /// The key, if it is one.
    pub fn key(&self) -> Option<&KeyState> {
        match self {
            Self::Key(held) => Some(held),
            Self::Setting(_) => None,
        }
    }

    /// The same as an update of an inventory that holds the rest, read at `at`.
    pub fn update(&self, inventory: &Inventory, at: Timestamp) -> Option<Update> {
        let items = match self {
            Self::Key(held) => {
                let mut key = inventory.keys.get(&held.key).cloned()?;
                key.policy = Read::got(held.state.policy.clone(), at);
                key.grants = Read::got(held.state.grants.clone(), at);
                Items::Key(vec![key])
            }
            Self::Setting(held) => {
                let mut bucket = inventory.buckets.get(&held.bucket.name).cloned()?;
                held.setting.put_into(&mut bucket, at);
                Items::Bucket(vec![bucket])
            }
        };
        Some(Update::Read(items))
    }
}

/// A setting of a bucket at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingState {
    /// The bucket.
    pub bucket: BucketAt,
    /// The setting.
    #[serde(flatten)]
    pub setting: Setting,
}

/// A key at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyState {
    /// ARN.
    pub key: ResourceId,
    /// Its policy and grants.
    pub state: KeySnapshot,
}

/// Keeps the journal. An entry that was returned `Ok` is on disk.
pub trait Recorder: Send + Sync {
    /// Appends an entry; returns its number.
    fn record(&self, entry: &JournalEntry) -> Result<u64, FixError>;
}

impl JournalEntry {
    /// An entry of this session.
    pub fn new(kind: EntryKind, session: &SessionInfo, at: Timestamp, body: Body) -> Self {
        Self {
            kind,
            at,
            who: session.principal.clone(),
            account: session.account.clone(),
            region: session.region.clone(),
            body,
        }
    }

    /// The fix it is about.
    pub fn fix(&self) -> Option<&FixRecord> {
        match &self.body {
            Body::Fix(record) => Some(record),
            Body::Text(_) => None,
        }
    }
}

/// Fixes that were intended and never came to an end: the process died between, or the last entry
/// could not be written. Whether they were made must be looked up in AWS.
pub fn unfinished<'a>(entries: impl IntoIterator<Item = &'a JournalEntry>) -> Vec<&'a JournalEntry> {
    let mut open: Vec<(&str, &JournalEntry)> = Vec::new();
    for entry in entries {
        let Some(record) = entry.fix() else { continue };
        if entry.kind == EntryKind::Intended {
            open.push((&record.run, entry));
        } else {
            open.retain(|(run, _)| *run != record.run);
        }
    }
    open.into_iter().map(|(_, entry)| entry).collect()
}

/// Fixes that were made, wholly or in part, and not taken back yet: newest first.
pub fn undoable<'a>(entries: impl IntoIterator<Item = &'a JournalEntry>) -> Vec<&'a JournalEntry> {
    let mut made: Vec<&JournalEntry> = Vec::new();
    for entry in entries {
        let Some(record) = entry.fix() else { continue };
        if entry.kind == EntryKind::Done
            && let Some(undone) = &record.plan.undoes
        {
            made.retain(|held| held.fix().is_none_or(|held| held.run != *undone));
        }
        let ended = matches!(entry.kind, EntryKind::Done | EntryKind::Failed | EntryKind::Unconfirmed);
        if ended && !record.undo.is_empty() {
            made.push(entry);
        }
    }
    made.reverse();
    made
}
