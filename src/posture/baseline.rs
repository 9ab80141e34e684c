//! What lay under the prefixes of customization at earlier deep looks, so that a later one can tell what is no longer
//! the same. Times of writing tell what was written over; only an earlier look tells what was deleted, or put back to
//! an older version. Holds versions, digests, sizes and times, never content.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::Inventory;
use crate::inventory::objects::{Head, Heads};

/// Looks that are kept of one prefix. why the first is kept always: the oldest is worth most.
const KEPT: usize = 16;

/// Earlier looks, by prefix, oldest first; looks in a row that saw the same are one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline(BTreeMap<ResourceId, Vec<Earlier>>);

/// What lay there for some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// When it was seen first.
    pub first: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// By key.
    objects: BTreeMap<Text, Print>,
}

/// What tells an object from another under its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Print {
    bytes: u64,
    modified: Option<Timestamp>,
    version: Option<Text>,
    sha256: Option<Text>,
}

impl Baseline {
    /// Whether nothing was ever looked at.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes what a look saw. A prefix whose heads were not read is left as it was.
    pub fn take(&mut self, inventory: &Inventory) {
        for data in inventory.data.values() {
            let (Ok(heads), Some(at)) = (data.heads.known(), data.heads.at()) else { continue };
            let objects: BTreeMap<Text, Print> =
                heads.objects.iter().map(|head| (head.key.clone(), Print::of(head))).collect();
            let looks = self.0.entry(data.uri.clone()).or_default();
            match looks.last_mut() {
                Some(held) if held.last >= at => {}
                Some(held) if held.objects == objects => held.last = at,
                _ => looks.push(Earlier { first: at, last: at, objects }),
            }
            if looks.len() > KEPT {
                looks.remove(1);
            }
        }
    }

    /// What lay there at a time; else what the first look after it saw.
    pub fn at(&self, uri: &ResourceId, when: Timestamp) -> Option<&Earlier> {
        self.0.get(uri)?.iter().find(|look| look.last >= when)
    }

    /// What the last look before a time saw.
    pub fn before(&self, uri: &ResourceId, when: Timestamp) -> Option<&Earlier> {
        self.0.get(uri)?.iter().rev().find(|look| look.last < when)
    }
}

impl Earlier {
    /// What is no longer as it was, in words. Gone is only what would be there: `whole` says whether all keys of now
    /// are known.
    pub fn differences(&self, now: &Heads, whole: bool) -> Vec<String> {
        let held: BTreeMap<&Text, &Head> = now.objects.iter().map(|head| (&head.key, head)).collect();
        let changed = |(key, print): (&Text, &Print)| match held.get(key) {
            None => whole.then(|| format!("{key} is gone")),
            Some(head) => print.difference(head).map(|how| format!("{key} {how}")),
        };
        self.objects.iter().filter_map(changed).collect()
    }

    /// Whether an object is the one that lay there: by its digest, else by its version.
    pub fn pins(&self, head: &Head) -> bool {
        let Some(print) = self.objects.get(&head.key) else { return false };
        let known =
            (print.sha256.is_some() && head.sha256.is_some()) || (print.version.is_some() && head.version.is_some());
        known && print.difference(head).is_none()
    }
}

impl Print {
    fn of(head: &Head) -> Self {
        let Head { bytes, modified, version, sha256, .. } = head.clone();
        Self { bytes, modified, version, sha256 }
    }

    /// How an object differs; a digest says more than a version, and a version more than a time.
    fn difference(&self, head: &Head) -> Option<String> {
        if let (Some(was), Some(is)) = (&self.sha256, &head.sha256) {
            return (was != is).then(|| format!("has other content (SHA-256 {} was {})", short(is), short(was)));
        }
        if let (Some(was), Some(is)) = (&self.version, &head.version) {
            return (was != is).then(|| format!("is version {is}, was {was}"));
        }
        if self.bytes != head.bytes {
            return Some(format!("has {} bytes, had {}", head.bytes, self.bytes));
        }
        let time = |at: Option<Timestamp>| at.map_or("an unknown time".to_owned(), |at| at.to_string());
        (self.modified != head.modified)
            .then(|| format!("was written at {}, was of {}", time(head.modified), time(self.modified)))
    }
}

/// The beginning of a digest: enough to compare by eye.
fn short(digest: &Text) -> &str {
    digest.as_str().get(..16).unwrap_or(digest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Read;
    use crate::inventory::objects::Dataset;
    use crate::posture::fixtures::deep::head;

    const URI: &str = "s3://b/x/";

    fn look(at: i64, objects: Vec<Head>) -> Inventory {
        let heads = Heads { of: objects.len() as u64, objects, failed: 0, error: None };
        let heads = Read::got(heads, Timestamp::from_secs(at));
        let mut inventory = Inventory::default();
        inventory.data.insert(URI.into(), Dataset { heads, ..Dataset::bare(URI, [].into()) });
        inventory
    }

    fn heads(inventory: &Inventory) -> &Heads {
        inventory.data[URI].heads.known().unwrap()
    }

    #[test]
    fn looks_that_saw_the_same_are_one() {
        let mut baseline = Baseline::default();
        let other = Head { sha256: Some("ff".into()), ..head("a") };
        for (at, one) in [(10, head("a")), (20, head("a")), (30, other.clone()), (30, head("a")), (40, head("a"))] {
            baseline.take(&look(at, vec![one]));
        }
        let uri = URI.into();
        let seen = |at| baseline.at(&uri, Timestamp::from_secs(at)).map(|look| (look.first, look.last));
        let secs = |first, last| Some((Timestamp::from_secs(first), Timestamp::from_secs(last)));
        for (at, expected) in
            [(5, secs(10, 20)), (15, secs(10, 20)), (25, secs(30, 30)), (35, secs(40, 40)), (41, None)]
        {
            assert_eq!(seen(at), expected, "{at}");
        }
        let before = baseline.before(&uri, Timestamp::from_secs(30)).unwrap();
        assert_eq!(before.last, Timestamp::from_secs(20));
        assert!(before.pins(&head("a")) && !before.pins(&other) && !before.pins(&head("b")));
        let json = serde_json::to_string(&baseline).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&json).unwrap(), baseline);
    }

    #[test]
    fn the_first_look_outlives_all_others() {
        let mut baseline = Baseline::default();
        for at in 1..100 {
            baseline.take(&look(at, vec![Head { version: Some(at.to_string().into()), sha256: None, ..head("a") }]));
        }
        let uri = URI.into();
        assert_eq!(baseline.at(&uri, Timestamp::from_secs(0)).unwrap().first, Timestamp::from_secs(1));
        assert_eq!(baseline.0[&uri].len(), KEPT);
    }

    #[test]
    fn differences_in_words() {
        let plain = || Head { sha256: None, version: None, ..head("a") };
        let digest = |text: &str| Head { sha256: Some(text.into()), ..head("a") };
        let version = |text: &str| Head { version: Some(text.into()), sha256: None, ..head("a") };
        for (was, is, expected) in [
            (digest("aa"), digest("aa"), None),
            (digest("aa"), digest("bb"), Some("a has other content (SHA-256 bb was aa)")),
            (Head { version: Some("v2".into()), ..digest("aa") }, digest("aa"), None),
            (version("v2"), version("v1"), Some("a is version v1, was v2")),
            (plain(), Head { bytes: 7, ..plain() }, Some("a has 7 bytes, had 100")),
            (plain(), plain(), None),
            (version("v2"), plain(), None),
            (
                plain(),
                Head { modified: Some(Timestamp::from_secs(60)), ..plain() },
                Some("a was written at 1970-01-01T00:01:00Z, was of 1970-01-01T00:00:50Z"),
            ),
        ] {
            let mut baseline = Baseline::default();
            baseline.take(&look(10, vec![was]));
            let held = baseline.at(&URI.into(), Timestamp::from_secs(0)).unwrap();
            let now = look(20, vec![is]);
            assert_eq!(held.differences(heads(&now), true), expected.into_iter().collect::<Vec<_>>());
        }
        let mut baseline = Baseline::default();
        baseline.take(&look(10, vec![head("a"), head("b")]));
        let held = baseline.at(&URI.into(), Timestamp::from_secs(0)).unwrap();
        let now = look(20, vec![head("b")]);
        assert_eq!(held.differences(heads(&now), true), ["a is gone"]);
        assert!(held.differences(heads(&now), false).is_empty(), "of a sample nothing is known to be gone");
    }
}
