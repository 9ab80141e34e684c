//! What lies under the prefixes that customization names, as a deep look (`scan --deep`) found it: lists, heads of
//! objects, and what their content holds. Never the content itself: masks, counts and digests.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Inventory;
use super::bedrock::S3Uri;
use super::opinion::Opinion;
use super::read::{Read, ReadError};
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// What data is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A job learns from it.
    Training,
    /// Logged prompts that a distillation learns from.
    Prompts,
    /// A job is measured by it.
    Validation,
    /// A job writes metrics and results there.
    Output,
    /// Weights that are imported.
    Import,
}

impl Purpose {
    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Training => "training data",
            Self::Prompts => "logged prompts",
            Self::Validation => "validation data",
            Self::Output => "output",
            Self::Import => "weights",
        }
    }

    /// Whether a job or a model is made out of it: then its content is looked into.
    pub fn is_input(self) -> bool {
        self != Self::Output
    }
}

/// Data under a prefix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// `s3://bucket/prefix`, as jobs name it.
    pub uri: ResourceId,
    /// What it is for.
    pub purposes: BTreeSet<Purpose>,
    /// `ListObjectsV2`.
    pub listing: Read<Listing>,
    /// `HeadObject` of all objects or of a sample.
    pub heads: Read<Heads>,
    /// `GetObjectTagging` of a sample, where GuardDuty tags what it scans: what it found.
    #[serde(default)]
    pub scans: Read<Scans>,
    /// `GetObject`: what was found in them. Output is not looked into.
    pub content: Read<Content>,
}

item!(Dataset { uri, listing, heads, scans, content } named |data| data.uri.to_string());

impl Dataset {
    /// One of which nothing was read.
    pub fn bare(uri: impl Into<ResourceId>, purposes: BTreeSet<Purpose>) -> Self {
        let uri = uri.into();
        let (listing, heads) = (Read::NotAsked, Read::NotAsked);
        Self { uri, purposes, listing, heads, scans: Read::NotAsked, content: Read::NotAsked }
    }

    /// Whether it has this purpose.
    pub fn is_for(&self, purpose: Purpose) -> bool {
        self.purposes.contains(&purpose)
    }

    /// The bucket it lies in.
    pub fn bucket(&self) -> Option<ResourceId> {
        S3Uri::parse(self.uri.as_str()).map(|uri| uri.bucket)
    }

    /// `training data and validation data`.
    pub fn words(&self) -> String {
        self.purposes.iter().map(|purpose| purpose.word()).collect::<Vec<_>>().join(" and ")
    }
}

/// What a list of a prefix tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listing {
    /// How many objects.
    pub objects: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Whether there are more objects than were listed.
    pub truncated: bool,
    /// The object that was written last.
    pub newest: Option<(Text, Timestamp)>,
    /// Objects by what their names say they are.
    pub classes: BTreeMap<Text, ClassCount>,
}

/// Objects of one class.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClassCount {
    /// How many.
    pub objects: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The first few keys.
    pub examples: Vec<Text>,
}

/// Heads of objects of a prefix.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Heads {
    /// Of how many objects these were taken.
    pub of: u64,
    /// Each.
    pub objects: Vec<Head>,
    /// How many could not be read.
    pub failed: u64,
    /// The first failure.
    pub error: Option<ReadError>,
}

/// One object's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its key.
    pub key: Text,
    /// Its size.
    pub bytes: u64,
    /// `LastModified`.
    pub modified: Option<Timestamp>,
    /// `VersionId`; none in a bucket that never had versions.
    pub version: Option<Text>,
    /// `ServerSideEncryption`: `AES256`, `aws:kms`, `aws:kms:dsse`; empty where the answer has none.
    pub encryption: Text,
    /// `SSEKMSKeyId`.
    pub kms_key: Option<ResourceId>,
    /// SHA-256 of the whole object in hexadecimal, where S3 keeps one.
    pub sha256: Option<Text>,
}

/// What GuardDuty's malware scan says of objects of a prefix, by the tag `GuardDutyMalwareScanStatus` that it leaves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scans {
    /// Of how many objects these were taken.
    pub of: u64,
    /// Of how many the tags were read.
    pub sampled: u64,
    /// How many have which status; empty: no such tag.
    pub statuses: BTreeMap<Text, u64>,
    /// A few whose status is not [`Scans::CLEAN`], those with malware before all others: key and status.
    pub others: Vec<(Text, Text)>,
    /// How many could not be read.
    pub failed: u64,
    /// The first failure.
    pub error: Option<ReadError>,
}

impl Scans {
    /// The status of what was scanned and found without malware (GuardDuty User Guide, "Monitoring S3 object scans").
    pub const CLEAN: &'static str = "NO_THREATS_FOUND";
    /// The status of malware.
    pub const THREATS: &'static str = "THREATS_FOUND";
    /// Keys that are named.
    const NAMED: usize = 10;

    /// Counts one.
    pub fn take(&mut self, key: &str, status: Text) {
        self.sampled += 1;
        if status.as_str() != Self::CLEAN {
            let named = (Text::new(key), status.clone());
            // why first: a thousand objects that were never scanned must not hide the one with malware.
            let at = if status.as_str() == Self::THREATS { 0 } else { self.others.len() };
            self.others.insert(at, named);
            self.others.truncate(Self::NAMED);
        }
        *self.statuses.entry(status).or_default() += 1;
    }
}

/// What the content of a prefix holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Objects that were looked into.
    pub objects: u64,
    /// Bytes that were read, unpacked.
    pub bytes: u64,
    /// Records of training data.
    pub records: u64,
    /// Files by what their first bytes say they are: only of weights.
    pub kinds: BTreeMap<Text, u64>,
    /// Rules that found something, and how often: ids of `content::rules`.
    pub rules: BTreeMap<Text, u64>,
    /// The first hits of each rule.
    pub hits: Vec<ContentHit>,
    /// Objects that could not be read whole, the first few, and why.
    pub unread: Vec<(Text, Text)>,
    /// How many those are.
    pub unread_objects: u64,
    /// Digests that a manifest beside the weights gives: path below the prefix → SHA-256 in hexadecimal.
    pub digests: BTreeMap<Text, Text>,
    /// Signatures that lie beside the weights.
    pub signatures: Vec<Text>,
    /// What another recognizer says of the same text, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Opinion>,
}

/// One hit: a mask and a digest, never the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentHit {
    /// Id of the rule.
    pub rule: Text,
    /// The object, below the prefix for weights.
    pub object: Text,
    /// Line from 1, where there are lines.
    pub line: Option<u64>,
    /// Which field of the record, tensor or key.
    pub field: Text,
    /// What may be seen of it.
    pub shown: Text,
    /// Tells equal values from different ones.
    pub digest: Text,
}

impl ContentHit {
    /// `train.jsonl line 7 prompt`.
    pub fn place(&self) -> String {
        let line = self.line.map(|line| format!(" line {line}")).unwrap_or_default();
        let field = if self.field.is_empty() { String::new() } else { format!(" {}", self.field) };
        format!("{}{line}{field}", self.object)
    }
}

/// What jobs and imports name, with what it is for; nothing of it read.
pub fn named(inventory: &Inventory) -> Vec<Dataset> {
    let mut named: BTreeMap<ResourceId, BTreeSet<Purpose>> = BTreeMap::new();
    let mut add = |uri: &S3Uri, purpose| {
        named.entry(uri.to_string().into()).or_default().insert(purpose);
    };
    for detail in inventory.jobs.values().filter_map(|job| job.detail.last()) {
        let logged = detail.invocation_logs.as_ref().and_then(|logs| logs.source.as_ref());
        for uri in &detail.training {
            add(uri, if logged == Some(uri) { Purpose::Prompts } else { Purpose::Training });
        }
        if let Some(uri) = logged {
            add(uri, Purpose::Prompts);
        }
        detail.validation.iter().for_each(|uri| add(uri, Purpose::Validation));
        detail.output.iter().for_each(|uri| add(uri, Purpose::Output));
    }
    let imports = inventory.import_jobs.values().filter_map(|job| job.detail.last()?.data.as_ref());
    let imported = inventory.imported_models.values().filter_map(|model| model.detail.last()?.data.as_ref());
    imports.chain(imported).for_each(|uri| add(uri, Purpose::Import));
    named.into_iter().map(|(uri, purposes)| Dataset::bare(uri, purposes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{ErrorKind, Items, Update};

    #[test]
    fn a_list_keeps_what_was_read_of_those_that_stay() {
        let at = Timestamp::from_secs(9);
        let bare = |uri: &str| Dataset::bare(uri, BTreeSet::from([Purpose::Training]));
        let mut inventory = Inventory::default();
        inventory.apply(Update::Listed(Items::Data(vec![bare("s3://b/a"), bare("s3://b/c")])));
        let listing = Listing { objects: 3, ..Listing::default() };
        let read = Dataset { listing: Read::got(listing, at), ..bare("s3://b/a") };
        inventory.apply(Update::Read(Items::Data(vec![read])));
        inventory.apply(Update::Listed(Items::Data(vec![bare("s3://b/a")])));
        assert_eq!(inventory.data.len(), 1);
        let held = &inventory.data["s3://b/a"];
        assert_eq!((held.listing.known().unwrap().objects, held.bucket()), (3, Some("b".into())));
        let error = ReadError { operation: "x".into(), kind: ErrorKind::Denied, message: "no".into(), at };
        inventory.apply(Update::Lost(error));
        assert!(inventory.data["s3://b/a"].listing.is_stale());
    }

    #[test]
    fn hits_say_where() {
        let hit = |line, field: &str| ContentHit {
            rule: "pii-card".into(),
            object: "a.jsonl".into(),
            line,
            field: field.into(),
            shown: "…".into(),
            digest: "".into(),
        };
        assert_eq!(hit(Some(7), "prompt").place(), "a.jsonl line 7 prompt");
        assert_eq!(hit(None, "").place(), "a.jsonl");
    }
}
