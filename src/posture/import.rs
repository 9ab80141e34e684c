//! Import: weights that were made elsewhere.

pub(super) mod code;
pub(super) mod files;
pub(super) mod provenance;
pub(super) mod weights;

use super::judge::Judge;
use super::looked::{self, Sort};
use super::verdict::Verdict;
use crate::inventory::SourceId;
use crate::inventory::objects::Purpose;

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
