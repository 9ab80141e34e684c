//! Import: how imported models are encrypted, where their jobs run, as whom, what made the weights and what is in them.

pub(super) mod code;
pub(super) mod files;
mod keys;
mod network;
pub(super) mod provenance;
mod role;
#[cfg(test)]
pub(super) mod tests;
mod training;
pub(super) mod weights;

use super::judge::Judge;
use super::looked::{self, Sort};
use super::verdict::Verdict;
use crate::inventory::SourceId;
use crate::inventory::objects::Purpose;

pub(super) use code::IMP_05;
pub(super) use files::IMP_03;
pub(super) use keys::IMP_01;
pub(super) use network::IMP_02;
pub(super) use provenance::IMP_07;
pub(super) use role::IMP_06;
pub(super) use training::IMP_08;
pub(super) use weights::IMP_04;

/// What says which weights are imported.
const WEIGHTS: &[SourceId] = &[
    SourceId::IMPORT_JOBS,
    SourceId::IMPORT_JOB_DETAILS,
    SourceId::IMPORTED_MODELS,
    SourceId::IMPORTED_MODEL_DETAILS,
    SourceId::OBJECTS,
];

/// What a control finds among what a deep look found under each import prefix.
fn weights(judge: &Judge<'_>, sort: Sort, right: &str) -> Vec<Verdict> {
    looked::of(judge, &[Purpose::Import])
        .flat_map(|data| match (looked::listing(judge, data), looked::content(judge, data)) {
            (Ok(listing), Ok(content)) => {
                let problems = looked::problems(content, data.uri.as_str(), sort);
                let kinds: Vec<_> = content.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
                let draft = looked::on(judge, data).shows("files", kinds.join(", "));
                looked::conclude(draft, content, listing, problems, right)
            }
            (Err(verdict), _) | (_, Err(verdict)) => vec![verdict],
        })
        .collect()
}
