//! Data: the buckets that customization reads and writes. This file says which those are; the controls on
//! them stand one topic a file.

pub(super) mod content;
pub(super) mod drift;
mod encryption;
mod exposure;
mod invocation_data;
mod macie;
mod malware;
pub(super) mod objects;
mod ownership;
mod recovery;
#[cfg(test)]
pub(super) mod tests;
mod transport;
#[cfg(test)]
pub(super) mod writer_tests;
mod writers;

use std::collections::{BTreeMap, BTreeSet};

use super::control::Context;
use super::judge::{Draft, Judge, Subject, listed_refs};
use super::verdict::Verdict;
use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::{Bucket, Presence};
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) use content::DAT_09;
pub(super) use drift::DAT_11;
pub(super) use encryption::{DAT_01, default_key};
pub(super) use exposure::{DAT_03, exposure};
pub(super) use invocation_data::DAT_12;
pub(super) use macie::DAT_08;
pub(super) use malware::DAT_10;
pub(super) use objects::DAT_02;
pub(super) use ownership::DAT_06;
pub(super) use recovery::DAT_05;
pub(super) use transport::DAT_04;
pub(super) use writers::DAT_07;

/// Everything that says which buckets customization uses.
pub(super) const BUCKET_LISTS: &[SourceId] =
    &[SourceId::JOBS, SourceId::JOB_DETAILS, SourceId::IMPORT_JOBS, SourceId::IMPORT_JOB_DETAILS, SourceId::LOGGING];

/// The same for data that goes into a model.
pub(super) const DATASET_LISTS: &[SourceId] =
    &[SourceId::JOBS, SourceId::JOB_DETAILS, SourceId::IMPORT_JOBS, SourceId::IMPORT_JOB_DETAILS];

/// What a bucket is to customization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Use {
    /// Training data.
    Training,
    /// Validation data.
    Validation,
    /// Output of customization jobs.
    Output,
    /// Model files to import.
    Import,
    /// The invocation log, or the large bodies beside it.
    InvocationLog,
}

impl Use {
    /// Every use.
    pub const ALL: &'static [Self] =
        &[Self::Training, Self::Validation, Self::Output, Self::Import, Self::InvocationLog];

    /// One word, as evidence says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Training => "train",
            Self::Validation => "validation",
            Self::Output => "output",
            Self::Import => "import",
            Self::InvocationLog => "invocation-log",
        }
    }
}

/// A bucket of the lineage: what for, and by whom.
#[derive(Debug)]
pub(super) struct Used<'a> {
    /// Its name.
    pub name: &'a ResourceId,
    /// What is known of it; none when the inventory does not hold it.
    pub bucket: Option<&'a Bucket>,
    /// What it is used for, with the prefixes (or keys) under which.
    pub uses: BTreeMap<Use, BTreeSet<&'a Text>>,
    /// The jobs, and the invocation log, that use it.
    pub users: Vec<ResourceRef>,
    /// The service roles that they reach it with.
    pub service_roles: BTreeSet<&'a ResourceId>,
}

impl Used<'_> {
    /// A reference to it.
    pub fn reference(&self) -> ResourceRef {
        ResourceRef::new(Kind::Bucket, self.name)
    }

    /// Whether it is used for one of these.
    pub fn serves(&self, any: &[Use]) -> bool {
        any.iter().any(|one| self.uses.contains_key(one))
    }

    /// `train, output`.
    pub fn words(&self) -> String {
        self.uses.keys().map(|one| one.word()).collect::<Vec<_>>().join(", ")
    }
}

/// Every bucket that customization uses, once, with what for and by whom.
pub(super) fn buckets<'a>(context: &Context<'a>) -> BTreeMap<&'a ResourceId, Used<'a>> {
    let inventory = context.inventory;
    let mut found: BTreeMap<&'a ResourceId, Used<'a>> = BTreeMap::new();
    let mut add = |uri: &'a S3Uri, what: Use, user: &ResourceRef, role: Option<&'a ResourceId>| {
        let used = found.entry(&uri.bucket).or_insert_with(|| Used {
            name: &uri.bucket,
            bucket: inventory.buckets.get(&uri.bucket),
            uses: BTreeMap::new(),
            users: Vec::new(),
            service_roles: BTreeSet::new(),
        });
        used.uses.entry(what).or_default().insert(&uri.prefix);
        // why the last alone: one user comes with all its data before the next one does.
        if used.users.last() != Some(user) {
            used.users.push(user.clone());
        }
        used.service_roles.extend(role);
    };
    for job in inventory.jobs.values() {
        let Some(detail) = job.detail.last() else { continue };
        let (this, role) = (ResourceRef::new(Kind::Job, &job.arn), Some(&detail.role));
        let logs = detail.invocation_logs.iter().filter_map(|logs| logs.source.as_ref());
        detail.training.iter().chain(logs).for_each(|uri| add(uri, Use::Training, &this, role));
        detail.validation.iter().for_each(|uri| add(uri, Use::Validation, &this, role));
        detail.output.iter().for_each(|uri| add(uri, Use::Output, &this, role));
    }
    for job in inventory.import_jobs.values() {
        let Some(detail) = job.detail.last() else { continue };
        let this = ResourceRef::new(Kind::ImportJob, &job.arn);
        detail.data.iter().for_each(|uri| add(uri, Use::Import, &this, Some(&detail.role)));
    }
    if let Some(Some(logging)) = inventory.logging.last() {
        let this = ResourceRef::new(Kind::Logging, "invocation-logging");
        let large = logging.cloud_watch.as_ref().and_then(|target| target.large_data.as_ref());
        logging.s3.iter().chain(large).for_each(|uri| add(uri, Use::InvocationLog, &this, None));
    }
    found
}

/// A verdict about to be given on a bucket, with who uses it and what for.
pub(super) type BucketDraft<'a> = Draft<Subject<'a>>;

/// Judges each bucket that is used for one of these and is ours. One that is gone has nothing to judge; one
/// of another account, or that was not read, is unknown.
pub(super) fn each<'a>(
    judge: &Judge<'a>,
    uses: &[Use],
    mut decide: impl FnMut(&Used<'a>, &'a Bucket, BucketDraft<'a>) -> Vec<Verdict>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for used in judge.tables().buckets.values().filter(|used| used.serves(uses)) {
        let subject = judge.on(used.reference()).related(used.users.iter().cloned());
        let Some(bucket) = used.bucket else {
            let gap = judge.gap(SourceId::BUCKETS);
            let why = gap.map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
            verdicts.push(subject.unread(format!("bucket {}: {why}", used.name)));
            continue;
        };
        match bucket.presence() {
            Some(Presence::Gone) => verdicts
                .push(subject.not_applicable(format!("bucket {} does not exist any more; see CUS-DAT-06", used.name))),
            Some(Presence::Foreign) => {
                let why = format!("bucket {} belongs to another account: its settings cannot be read", used.name);
                verdicts.push(facts(judge, used, subject).undecided("foreign-bucket", why));
            }
            _ => verdicts.extend(decide(used, bucket, facts(judge, used, subject))),
        }
    }
    verdicts
}

fn facts<'a>(judge: &Judge<'a>, used: &Used<'a>, subject: Subject<'a>) -> BucketDraft<'a> {
    subject.shows("roles", used.words()).shows("usedBy", listed_refs(judge.context, &used.users))
}
