//! Invocation: where models are served, who shares them, whose they are, how long they last, and where.

mod capacity;
mod deployments;
mod inheritance;
mod lifecycle;
mod regions;
mod retention;
mod sharing;
mod tags;
#[cfg(test)]
pub(super) mod tests;

use super::judge::Judge;
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) use capacity::INV_01;
pub(super) use deployments::INV_02;
pub(super) use inheritance::INV_05;
pub(super) use lifecycle::INV_07;
pub(super) use regions::INV_08;
pub(super) use retention::INV_09;
pub(super) use sharing::{INV_03, INV_04};
pub(super) use tags::INV_06;

/// Everything that says whether there is customization in the region.
const PRESENCE: &[SourceId] = &[
    SourceId::JOBS,
    SourceId::MODELS,
    SourceId::IMPORTED_MODELS,
    SourceId::IMPORT_JOBS,
    SourceId::COPY_JOBS,
    SourceId::DEPLOYMENTS,
    SourceId::THROUGHPUTS,
];

/// What there is of customization in the region.
fn customization(judge: &Judge<'_>) -> Vec<ResourceRef> {
    let inventory = judge.context.inventory;
    let mut found = Vec::new();
    macro_rules! add {
        ($($kind:ident: $table:ident),*) => {
            $(found.extend(inventory.$table.keys().map(|id| ResourceRef::new(Kind::$kind, id)));)*
        };
    }
    add!(
        Job: jobs, Model: models, ImportedModel: imported_models, ImportJob: import_jobs, CopyJob: copy_jobs,
        Deployment: deployments, Throughput: throughputs
    );
    found
}
