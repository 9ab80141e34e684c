//! Looks into one prefix: training data line by line, weights by their structure. Blocks: on threads of its own.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::read::objects::S3Folder;
use crate::base::Text;
use crate::content::artefact::{Folder as _, check};
use crate::content::bytes::{ByteSource, Stream, up_to};
use crate::content::data::{Options, Scanner};
use crate::content::digests::{self, is_manifest, is_signature};
use crate::content::hit::Findings;
use crate::content::mask::Masks;
use crate::content::meter::{Meter, Metered};
use crate::content::opinion::Samples;
use crate::inventory::ReadError;
use crate::inventory::objects::{Content, ContentHit};

/// Hits of one rule that are kept.
const KEEP: usize = 20;
/// Objects that could not be read which are named.
const NAMED: usize = 20;
/// One file of training data, unpacked.
const PER_FILE: u64 = 8 << 30;

/// The first failure of a read, with its kind.
type First = Arc<Mutex<Option<ReadError>>>;

/// What was found in a prefix.
pub(super) struct Looked {
    /// What it holds.
    pub(super) content: Content,
    /// The first read that failed.
    pub(super) failure: Option<ReadError>,
    /// Texts for a second opinion.
    pub(super) samples: Option<Samples>,
}

/// Looks; `samples` takes texts for a second opinion.
pub(super) fn into(folder: S3Folder, weights: bool, meter: &Meter, masks: Masks, samples: Option<Samples>) -> Looked {
    let first = First::default();
    let hear: Arc<dyn Fn(&io::Error) + Send + Sync> = {
        let first = first.clone();
        Arc::new(move |error: &io::Error| {
            if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<ReadError>()) {
                first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.clone());
            }
        })
    };
    let (content, samples) = if weights {
        let single = folder.is_single();
        (artefacts(&Metered::new(folder, meter, hear), single), None)
    } else {
        let options = Options { keep: KEEP, max_bytes: PER_FILE, ..Options::default() };
        records(&folder, meter, Scanner::new(options, masks).sampling(samples), &hear)
    };
    let failure = first.lock().unwrap_or_else(PoisonError::into_inner).take();
    Looked { content, failure, samples }
}

fn records(
    folder: &S3Folder,
    meter: &Meter,
    mut scanner: Scanner,
    hear: &Arc<dyn Fn(&io::Error) + Send + Sync>,
) -> (Content, Option<Samples>) {
    for (uri, object) in folder.sources() {
        // The bucket is that of the prefix.
        let key = uri.splitn(4, '/').nth(3).unwrap_or(&uri).to_owned();
        let metered = Metered::new(object, meter, hear.clone());
        scanner.file(&key, Stream::new(&metered), &mut |_| {});
    }
    let report = scanner.finish();
    let unread = report.files.iter().filter_map(|file| Some((file.uri.clone(), file.stopped.clone()?)));
    let mut content = Content { bytes: report.bytes(), records: report.records(), ..Content::default() };
    count_unread(&mut content, report.files.len(), unread.collect());
    found(&mut content, &report.findings);
    (content, report.samples)
}

fn artefacts(folder: &Metered<S3Folder>, single: bool) -> Content {
    let mut content = Content::default();
    let report = match check(folder, single) {
        Ok(report) => report,
        Err(error) => {
            count_unread(&mut content, 1, vec![(Text::new(folder.uri()), Text::new(error.to_string()))]);
            return content;
        }
    };
    for file in &report.files {
        *content.kinds.entry(file.kind.word().into()).or_default() += 1;
        content.bytes += file.bytes;
    }
    let unread = report.files.iter().filter_map(|file| Some((file.path.clone(), file.error.clone()?)));
    let mut unread: Vec<_> = unread.collect();
    let mut digests = std::collections::BTreeMap::new();
    for file in &report.files {
        let path = file.path.as_str();
        if is_signature(path) {
            content.signatures.push(file.path.clone());
        }
        if is_manifest(path) && file.bytes <= digests::LARGEST {
            let read = folder.open(path).and_then(|source| {
                let whole = usize::try_from(source.size()).unwrap_or(usize::MAX);
                up_to(source.as_ref(), 0, whole)
            });
            match read {
                Ok(bytes) => digests::read(&String::from_utf8_lossy(&bytes), path, &mut digests),
                Err(error) => unread.push((file.path.clone(), Text::new(error.to_string()))),
            }
        }
    }
    content.digests = digests.into_iter().map(|(path, digest)| (Text::new(path), Text::new(digest))).collect();
    count_unread(&mut content, report.files.len(), unread);
    found(&mut content, &report.findings);
    content
}

fn count_unread(content: &mut Content, files: usize, unread: Vec<(Text, Text)>) {
    content.unread_objects = unread.len() as u64;
    content.objects = (files as u64).saturating_sub(content.unread_objects);
    content.unread = unread.into_iter().take(NAMED).collect();
}

fn found(content: &mut Content, findings: &Findings) {
    content.rules = findings.counts().into_iter().map(|(rule, count)| (rule.id.into(), count)).collect();
    let mut kept: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for hit in findings.hits() {
        let kept = kept.entry(hit.rule.id).or_default();
        *kept += 1;
        if *kept <= KEEP {
            content.hits.push(ContentHit {
                rule: hit.rule.id.into(),
                object: hit.place.uri.clone(),
                line: hit.place.line,
                field: hit.place.field.clone(),
                shown: hit.shown.clone(),
                digest: hit.digest.clone(),
            });
        }
    }
}
