//! Logging: whether what is done with customization is recorded, where, for how long, and whether the record
//! can be trusted. One topic a file.

mod buckets;
mod data_events;
mod delivery;
mod deputy;
mod groups;
mod invocations;
mod masking;
mod recorders;
mod retention;
mod role;
#[cfg(test)]
pub(super) mod tests;
mod trails;

use super::judge::{Judge, unread};
use crate::base::ResourceId;
use crate::inventory::bedrock::{CloudWatchLogging, LoggingConfiguration, S3Uri};
use crate::inventory::logs::LogGroup;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};

pub(super) use buckets::LOG_05;
pub(super) use data_events::{LOG_10, LOG_11};
pub(super) use delivery::LOG_03;
pub(super) use groups::LOG_04;
pub(super) use invocations::{LOG_01, LOG_02};
pub(super) use masking::LOG_08;
pub(super) use retention::LOG_07;
pub(super) use role::LOG_06;
pub(super) use trails::{LOG_09, LOG_12};

/// Everything that says whether there is customization here at all.
const IN_USE: &[SourceId] = &[
    SourceId::JOBS,
    SourceId::IMPORT_JOBS,
    SourceId::MODELS,
    SourceId::IMPORTED_MODELS,
    SourceId::DEPLOYMENTS,
    SourceId::THROUGHPUTS,
];

/// Whether there is anything whose use should be recorded.
fn in_use(inventory: &Inventory) -> bool {
    !(inventory.jobs.is_empty()
        && inventory.import_jobs.is_empty()
        && inventory.models.is_empty()
        && inventory.imported_models.is_empty()
        && inventory.deployments.is_empty()
        && inventory.throughputs.is_empty())
}

/// The invocation logging of the region; `Err` says why it is not known.
fn configuration<'a>(judge: &Judge<'a>) -> Result<Option<&'a LoggingConfiguration>, String> {
    let read = judge.context.inventory.logging.known();
    read.map(Option::as_ref).map_err(|unknown| unread(SourceId::LOGGING.name(), unknown))
}

/// Where CloudWatch Logs takes the invocation log, if it does. A configuration that was not read is told by
/// the gap of its source.
fn log_target<'a>(judge: &Judge<'a>) -> Option<&'a CloudWatchLogging> {
    configuration(judge).ok()??.cloud_watch.as_ref()
}

/// The buckets of the invocation log, each with its prefixes.
fn log_buckets<'a>(judge: &Judge<'a>) -> Vec<&'a S3Uri> {
    let Ok(Some(set)) = configuration(judge) else { return Vec::new() };
    let large = set.cloud_watch.as_ref().and_then(|target| target.large_data.as_ref());
    let mut all: Vec<&S3Uri> = set.s3.iter().chain(large).collect();
    all.sort();
    all.dedup();
    all
}

/// The log group, or why there is none in the inventory.
fn group<'a>(judge: &Judge<'a>, name: &ResourceId) -> Result<Option<&'a LogGroup>, String> {
    match (judge.context.inventory.log_groups.get(name), judge.gap(SourceId::LOG_GROUPS)) {
        (Some(group), _) => Ok(Some(group)),
        (None, Some(why)) => Err(why.to_string()),
        (None, None) => Ok(None),
    }
}

fn group_ref(name: &ResourceId) -> ResourceRef {
    ResourceRef::new(Kind::LogGroup, name)
}
