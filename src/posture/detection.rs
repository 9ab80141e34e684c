//! Detection: who is told when something happens to customization, and what watchers have found.

mod alerts;
mod analyzer;
mod calls;
mod guardduty;
mod interventions;
mod jacking;
mod jobs;
pub(super) mod talk;
#[cfg(test)]
pub(super) mod tests;

use super::control::Context;
use crate::inventory::SourceId;

pub(super) use analyzer::DET_10;
pub(super) use calls::{DET_02, DET_03, DET_04};
pub(super) use guardduty::{DET_05, DET_06};
pub(super) use interventions::DET_07;
pub(super) use jacking::DET_09;
pub(super) use jobs::DET_01;
pub(super) use talk::DET_08;

/// What says whether anything is customized in the region: where nothing is, there is nothing to watch.
const CUSTOMIZED: &[SourceId] =
    &[SourceId::JOBS, SourceId::MODELS, SourceId::IMPORT_JOBS, SourceId::IMPORTED_MODELS, SourceId::DEPLOYMENTS];

/// Whether nothing is customized here, as far as is known.
fn idle(context: &Context<'_>) -> bool {
    let inventory = context.inventory;
    inventory.jobs.is_empty()
        && inventory.models.is_empty()
        && inventory.import_jobs.is_empty()
        && inventory.imported_models.is_empty()
        && inventory.deployments.is_empty()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
