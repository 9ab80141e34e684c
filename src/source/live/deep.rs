//! The deep look: what lies under the prefixes that jobs and imports name, and in the invocation log. Only in a
//! session that was made for content, once, last in the round.
//!
//! Everything is bounded: objects listed and heads read a prefix and in all, bytes read in all, conversations in
//! number and in time. Where a bound is hit the source is partial and says so; what was not read is never fine.

mod look;
mod opinion;
mod talk;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;

use super::Depth;
use super::known::Known;
use super::lists::LIST;
use super::reader::{Heard, Reader};
use crate::aws::read::objects::{Address, Holder, Object, S3Folder, head, list_in, scan_status};
use crate::base::{ResourceId, Text, Timestamp};
use crate::content::artefact::Kind as FileKind;
use crate::content::data::Suffix;
use crate::content::mask::Masks;
use crate::content::meter::Meter;
use crate::content::opinion::Samples;
use crate::inventory::objects::{ClassCount, Content, Dataset, Heads, Listing, Purpose, Scans, named};
use crate::inventory::{ErrorKind, Inventory, Items, Read, ReadError, SourceId, SourceReport, Update};
use look::Looked;
use talk::Place;

type S = SourceId;

/// Objects of one prefix that are listed.
const LISTED: usize = 20_000;
/// Heads of one prefix that are read, spread over all of it.
const HEADS: usize = 1000;
/// Heads in all.
const ALL_HEADS: usize = 20_000;
/// Objects of one prefix whose tags are read, spread over all of it.
const TAGS: usize = 100;
/// Calls at once.
const AT_ONCE: usize = 8;
/// Prefixes that are looked into at once, each on a thread of its own.
const LOOKS: usize = 4;
/// The longest that one head may take.
const ONE: Duration = Duration::from_mins(1);

/// What a deep look is allowed, and what it knows so far. Shared by its sources.
pub(super) struct Deep {
    meter: Meter,
    masks: Masks,
    heads: AtomicUsize,
    /// Bytes of text for a second opinion, if one is asked for.
    opinion: Option<u64>,
    listed: Mutex<BTreeMap<ResourceId, Arc<Listed>>>,
}

/// Objects of a prefix, and how to read them.
struct Listed {
    holder: Holder,
    address: Address,
    objects: Vec<Object>,
    more: bool,
}

/// What is to be looked into, as the inventory names it now.
pub(super) struct Plan {
    targets: Vec<Target>,
    place: Place,
}

/// One prefix.
struct Target {
    data: Dataset,
    holder: Holder,
    address: Address,
    /// Whether GuardDuty tags what it scans in that bucket.
    scanned: bool,
}

impl Plan {
    pub(super) fn of(inventory: &Inventory, known: &Known) -> Self {
        let target = |data: Dataset| {
            let address = Address::parse(data.uri.as_str())?;
            let name = ResourceId::new(&address.bucket);
            let owned = inventory.buckets.get(&name).map(|bucket| bucket.owned.known());
            let holder = Holder {
                region: known.places.get(&name).cloned().flatten(),
                foreign: matches!(owned, Some(Ok(false))),
                bucket: address.bucket.clone(),
            };
            let scanned = inventory.malware_plans.values().filter_map(|plan| plan.detail.last());
            let scanned = scanned.into_iter().any(|plan| plan.tagging && plan.bucket.as_ref() == Some(&name));
            Some(Target { data, holder, address, scanned })
        };
        Self { targets: named(inventory).into_iter().filter_map(target).collect(), place: Place::of(inventory, known) }
    }
}

impl Deep {
    /// No deeper than this.
    pub(super) fn new(depth: Depth) -> Self {
        Self {
            meter: Meter::new(depth.bytes),
            opinion: depth.opinion,
            masks: Masks::random(),
            heads: AtomicUsize::new(ALL_HEADS),
            listed: Mutex::default(),
        }
    }

    /// Reads one of its sources and reports.
    pub(super) async fn read(&self, source: S, reader: &Reader, plan: Plan) -> SourceReport {
        match source {
            S::OBJECTS => self.objects(reader, plan.targets).await,
            S::HEADS => self.all_heads(reader, plan.targets).await,
            S::OBJECT_TAGS => self.all_scans(reader, plan.targets).await,
            S::CONTENT => self.content(reader, plan.targets).await,
            _ => talk::read(reader, plan.place, &self.meter, &self.masks).await,
        }
    }

    fn listed(&self, uri: &ResourceId) -> Option<Arc<Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(uri).cloned()
    }

    async fn objects(&self, reader: &Reader, targets: Vec<Target>) -> SourceReport {
        let source = S::OBJECTS;
        let all: Vec<Dataset> = targets.iter().map(|target| target.data.clone()).collect();
        reader.tell(Heard::Update(Update::Listed(Items::Data(all)))).await;
        let list = |target: Target| async move {
            let call = list_in(&reader.session, &target.holder, &target.address.key, LISTED);
            let answer = reader.gate.call(source, LIST, Box::pin(call)).await;
            let Target { data, holder, address, .. } = target;
            let (listing, failure) = match answer {
                Ok((objects, more)) => {
                    let listing = summed(&data, &objects, more);
                    let uri = data.uri.clone();
                    let listed = Arc::new(Listed { holder, address, objects, more });
                    self.listed.lock().unwrap_or_else(PoisonError::into_inner).insert(uri, listed);
                    (Read::got(listing, reader.now()), more.then(|| too_many(&data, reader.now())))
                }
                Err(error) => (Read::failed(error.clone()), Some(error)),
            };
            tell(reader, Dataset { listing, ..data }).await;
            failure
        };
        sum(source, reader, targets, list, AT_ONCE).await
    }

    async fn all_heads(&self, reader: &Reader, targets: Vec<Target>) -> SourceReport {
        let read = |target: Target| async move {
            let listed = self.listed(&target.data.uri)?;
            let (heads, failure) = self.heads(reader, &listed).await;
            tell(reader, Dataset { heads, ..target.data }).await;
            failure
        };
        sum(S::HEADS, reader, targets, read, 1).await
    }

    /// Heads of a prefix: of all its objects, or of a sample that is spread over it.
    async fn heads(&self, reader: &Reader, listed: &Listed) -> (Read<Heads>, Option<ReadError>) {
        let source = S::HEADS;
        let of = listed.objects.len();
        let step = of.div_ceil(HEADS).max(1);
        let wanted: Vec<&Object> = listed.objects.iter().step_by(step).collect();
        let take = |left: usize| Some(left.saturating_sub(wanted.len()));
        let left = self.heads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or_default();
        let allowed = wanted.len().min(left);
        let calls: Vec<_> = wanted
            .iter()
            .take(allowed)
            .map(|object| {
                let call = head(&reader.session, &listed.holder, &object.key);
                reader.gate.call(source, ONE, Box::pin(call))
            })
            .collect();
        let answers: Vec<_> = futures::stream::iter(calls).buffered(AT_ONCE).collect().await;
        let mut heads = Heads { of: of as u64, ..Heads::default() };
        for answer in answers {
            match answer {
                Ok(head) => heads.objects.push(head),
                Err(error) => {
                    heads.failed += 1;
                    heads.error.get_or_insert(error);
                }
            }
        }
        if allowed < wanted.len() {
            heads.failed += (wanted.len() - allowed) as u64;
            let what = format!("the limit of {ALL_HEADS} heads of one look was reached");
            heads.error.get_or_insert(limit(source, what, reader.now()));
        }
        let failure = heads.error.clone();
        match &failure {
            Some(error) if heads.objects.is_empty() => (Read::failed(error.clone()), failure),
            _ => (Read::got(heads, reader.now()), failure),
        }
    }

    /// What malware scans said of what is learned from or imported, where they say so by tags.
    async fn all_scans(&self, reader: &Reader, mut targets: Vec<Target>) -> SourceReport {
        let asked = |data: &Dataset| data.is_for(Purpose::Training) || data.is_for(Purpose::Import);
        targets.retain(|target| target.scanned && asked(&target.data));
        let read = |target: Target| async move {
            let listed = self.listed(&target.data.uri)?;
            let (scans, failure) = scans(reader, &listed).await;
            tell(reader, Dataset { scans, ..target.data }).await;
            failure
        };
        sum(S::OBJECT_TAGS, reader, targets, read, 1).await
    }

    async fn content(&self, reader: &Reader, mut targets: Vec<Target>) -> SourceReport {
        let source = S::CONTENT;
        targets.retain(|target| target.data.purposes.iter().any(|purpose| purpose.is_input()));
        // why an even share: what is looked at must not depend on which prefix was read first.
        let asked = targets.iter().filter(|target| !target.data.is_for(Purpose::Import)).count().max(1) as u64;
        let share = self.opinion.map(|bytes| bytes / asked);
        let went = opinion::Asked::default();
        let asked = &went;
        let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, LOOKS);
        let read = |target: Target| async move {
            let listed = self.listed(&target.data.uri)?;
            let Listed { holder, address, objects, more } = &*listed;
            let folder = S3Folder::of(&reader.session, holder.clone(), address.clone(), objects.clone(), *more);
            let (meter, masks) = (self.meter.clone(), self.masks.clone());
            let weights = target.data.is_for(Purpose::Import);
            // why a thread: reading blocks, and looking takes the whole of a core.
            let samples = share.map(Samples::up_to).filter(|_| !weights);
            let looked = tokio::task::spawn_blocking(move || look::into(folder, weights, &meter, masks, samples)).await;
            let (mut content, failure, samples) = match looked {
                Ok(Looked { content, failure, samples }) => (content, failure, samples),
                Err(error) => (Content::default(), Some(broke_off(source, &error, reader.now())), None),
            };
            if let Some(samples) = samples {
                content.opinion = Some(opinion::of(reader, samples, &self.masks, &content, asked).await);
            }
            let spent = (content.unread_objects > 0 && self.meter.is_spent()).then(|| {
                limit(
                    source,
                    format!("the limit of {} bytes of one look was reached", self.meter.limit()),
                    reader.now(),
                )
            });
            let failure = failure.or(spent);
            let content = match &failure {
                Some(error) if content.objects == 0 => Read::failed(error.clone()),
                _ => Read::got(content, reader.now()),
            };
            tell(reader, Dataset { content, ..target.data }).await;
            failure
        };
        let report = sum(source, reader, targets, read, threads).await;
        if let Some(bytes) = self.opinion {
            opinion::report(reader, asked, bytes).await;
        }
        report
    }
}

/// Tags of objects of a prefix: of all, or of a sample that is spread over it.
async fn scans(reader: &Reader, listed: &Listed) -> (Read<Scans>, Option<ReadError>) {
    let of = listed.objects.len();
    let wanted: Vec<&Object> = listed.objects.iter().step_by(of.div_ceil(TAGS).max(1)).collect();
    let calls = wanted.into_iter().map(|object| async move {
        let call = scan_status(&reader.session, &listed.holder, &object.key);
        (object, reader.gate.call(S::OBJECT_TAGS, ONE, Box::pin(call)).await)
    });
    let calls: Vec<_> = calls.collect();
    let answers: Vec<_> = futures::stream::iter(calls).buffered(AT_ONCE).collect().await;
    let mut scans = Scans { of: of as u64, ..Scans::default() };
    for (object, answer) in answers {
        match answer {
            Ok(status) => scans.take(&object.key, status),
            Err(error) => {
                scans.failed += 1;
                scans.error.get_or_insert(error);
            }
        }
    }
    let failure = scans.error.clone();
    match &failure {
        Some(error) if scans.sampled == 0 => (Read::failed(error.clone()), failure),
        _ => (Read::got(scans, reader.now()), failure),
    }
}

/// Reads every target, some at once, and sums up.
async fn sum<F: Future<Output = Option<ReadError>>>(
    source: S,
    reader: &Reader,
    targets: Vec<Target>,
    read: impl Fn(Target) -> F,
    at_once: usize,
) -> SourceReport {
    let all = targets.len();
    let reads: Vec<F> = targets.into_iter().map(read).collect();
    let ended: Vec<_> = futures::stream::iter(reads).buffer_unordered(at_once).collect().await;
    let failures: Vec<ReadError> = ended.into_iter().flatten().collect();
    let worked = all - failures.iter().filter(|error| error.kind != ErrorKind::Truncated).count();
    SourceReport::sum(source, reader.now(), worked, &failures)
}

async fn tell(reader: &Reader, data: Dataset) {
    reader.tell(Heard::Update(Update::Read(Items::Data(vec![data])))).await;
}

/// What a list says, by what the names say that objects are.
fn summed(data: &Dataset, objects: &[Object], truncated: bool) -> Listing {
    const EXAMPLES: usize = 5;
    let mut listing = Listing { truncated, ..Listing::default() };
    for object in objects {
        listing.objects += 1;
        listing.bytes += object.size;
        let class = if data.is_for(Purpose::Import) {
            FileKind::of(&object.key, &[]).word()
        } else {
            match Suffix::of(&object.key) {
                Suffix::Jsonl => "json lines",
                Suffix::Plain => "text",
                Suffix::Open => "other",
            }
        };
        let class: &mut ClassCount = listing.classes.entry(class.into()).or_default();
        class.objects += 1;
        class.bytes += object.size;
        if class.examples.len() < EXAMPLES {
            class.examples.push(Text::new(&object.key));
        }
        let newer = |at: &Timestamp| listing.newest.as_ref().is_none_or(|(_, newest)| at > newest);
        if let Some(at) = object.modified.filter(newer) {
            listing.newest = Some((Text::new(&object.key), at));
        }
    }
    listing
}

fn too_many(data: &Dataset, at: Timestamp) -> ReadError {
    limit(S::OBJECTS, format!("more than {LISTED} objects lie under {}: the rest was not listed", data.uri), at)
}

/// A bound that was hit.
fn limit(source: S, message: String, at: Timestamp) -> ReadError {
    ReadError { operation: source.name().to_owned(), kind: ErrorKind::Truncated, message: Text::new(message), at }
}

/// A defect of ours must not look like content that is fine.
fn broke_off(source: S, error: &tokio::task::JoinError, at: Timestamp) -> ReadError {
    let message = Text::new(format!("looking into it broke off inside bedwatch: {error}"));
    ReadError { operation: source.name().to_owned(), kind: ErrorKind::Malformed, message, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_summed_by_class() {
        let object = |key: &str, size, at| Object {
            key: key.to_owned(),
            size,
            etag: String::new(),
            modified: Some(Timestamp::from_secs(at)),
        };
        let data = |purpose| Dataset::bare("s3://b/p/", [purpose].into_iter().collect());
        let objects = [object("p/a.jsonl", 3, 10), object("p/b.jsonl.gz", 4, 30), object("p/c.bin", 5, 20)];
        let listing = summed(&data(Purpose::Training), &objects, false);
        assert_eq!((listing.objects, listing.bytes, listing.classes[&Text::new("json lines")].objects), (3, 12, 2));
        assert_eq!(listing.newest, Some(("p/b.jsonl.gz".into(), Timestamp::from_secs(30))));
        let listing = summed(&data(Purpose::Import), &objects, true);
        assert!(listing.truncated && listing.classes[&Text::new("weights")].bytes == 5, "{listing:?}");
    }
}
