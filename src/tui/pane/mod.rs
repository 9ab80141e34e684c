//! The panes: a closed list. Each says which columns it has, what it lists, what a row holds, and
//! how one of its resources reads in full.

pub mod data;
pub mod findings;
pub mod invocations;
pub mod jobs;
pub mod keys;
pub mod models;
pub mod network;
pub mod posture;
pub mod resource;
pub mod session;
pub mod sources;
pub mod trail;

use super::keymap::Action;
use super::layout::Strip;
use super::list::{Cell, Column, Subject};
use super::model::Model;
use super::theme::Role;
use super::view::Draw;
use crate::base::Timestamp;
use crate::base::time::span;
use crate::inventory::{ErrorKind, ResourceRef, SourceId, SourceState};

pub use resource::page as resource;

macro_rules! panes {
    ($($variant:ident, $digit:literal, $title:literal, $short:literal;)*) => {
        /// The panes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Pane {
            $(#[doc = $title] $variant,)*
        }

        impl Pane {
            /// All, in the order of the tabs.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// Its name where room is short.
            pub fn short(self) -> &'static str {
                match self { $(Self::$variant => $short,)* }
            }

            /// Its key.
            pub fn digit(self) -> char {
                match self { $(Self::$variant => $digit,)* }
            }

            /// The pane that an action shows.
            pub fn of(action: Action) -> Option<Self> {
                match action { $(Action::$variant => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

panes! {
    Posture, '1', "Posture", "Post";
    Findings, '2', "Findings", "Find";
    Jobs, '3', "Jobs", "Jobs";
    Models, '4', "Models", "Models";
    Keys, '5', "Keys", "Keys";
    Data, '6', "Data", "Data";
    Network, '7', "Network", "Net";
    Trail, '8', "Trail", "Trail";
    Invocations, '9', "Invocations", "Inv";
    Sources, '0', "Sources", "Src";
}

impl Pane {
    /// The next or the previous pane, round and round.
    #[must_use]
    pub fn step(self, forward: bool) -> Self {
        let count = Self::ALL.len();
        Self::ALL[(self as usize + if forward { 1 } else { count - 1 }) % count]
    }
}

/// The columns of a pane's list.
pub fn columns(pane: Pane) -> &'static [Column] {
    match pane {
        Pane::Posture | Pane::Findings => findings::COLUMNS,
        Pane::Jobs => jobs::COLUMNS,
        Pane::Models => models::COLUMNS,
        Pane::Keys => keys::COLUMNS,
        Pane::Data => data::COLUMNS,
        Pane::Network => network::COLUMNS,
        Pane::Trail => trail::COLUMNS,
        Pane::Invocations => invocations::COLUMNS,
        Pane::Sources => sources::COLUMNS,
    }
}

/// What a pane lists, in its own order: the worst or newest first.
pub fn subjects(model: &Model, pane: Pane) -> Vec<Subject> {
    match pane {
        Pane::Posture | Pane::Findings => findings::subjects(model),
        Pane::Jobs => jobs::subjects(model),
        Pane::Models => models::subjects(model),
        Pane::Keys => keys::subjects(model),
        Pane::Data => data::subjects(model),
        Pane::Network => network::subjects(model),
        Pane::Trail => trail::subjects(model),
        Pane::Invocations => invocations::subjects(model),
        Pane::Sources => sources::subjects(model),
    }
}

#[cfg(test)]
thread_local! {
    static MADE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many rows were made on this thread: for the test that it is no more than are seen.
#[cfg(test)]
pub fn made() -> usize {
    MADE.get()
}

/// One row, a cell a column.
pub fn cells(model: &Model, pane: Pane, subject: &Subject) -> Vec<Cell> {
    #[cfg(test)]
    MADE.set(MADE.get() + 1);
    let cells = match pane {
        Pane::Posture | Pane::Findings => findings::cells(model, subject),
        Pane::Jobs => jobs::cells(model, subject),
        Pane::Models => models::cells(model, subject),
        Pane::Keys => keys::cells(model, subject),
        Pane::Data => data::cells(model, subject),
        Pane::Network => network::cells(model, subject),
        Pane::Trail => trail::cells(model, subject),
        Pane::Invocations => invocations::cells(model, subject),
        Pane::Sources => sources::cells(model, subject),
    };
    cells.unwrap_or_else(|| vec![Cell::of("gone", Role::Dim)])
}

/// Changes with what happened, where the list of a pane shows that.
pub fn activity(model: &Model, pane: Pane) -> u64 {
    match pane {
        Pane::Trail => model.log.revision,
        Pane::Invocations => model.invoked.revision,
        _ => 0,
    }
}

/// What stands over the list.
pub fn list_title(pane: Pane) -> &'static str {
    match pane {
        Pane::Posture => "Worst first",
        Pane::Invocations => "Invocations, newest first",
        pane => pane.title(),
    }
}

/// The sources without which a pane's list is not whole.
pub fn sources_of(pane: Pane) -> &'static [SourceId] {
    match pane {
        Pane::Jobs => &[
            SourceId::JOBS,
            SourceId::IMPORT_JOBS,
            SourceId::COPY_JOBS,
            SourceId::EVALUATION_JOBS,
            SourceId::BATCH_JOBS,
            SourceId::JOB_DETAILS,
        ],
        Pane::Models => &[SourceId::MODELS, SourceId::IMPORTED_MODELS, SourceId::MODEL_DETAILS],
        Pane::Keys => {
            &[SourceId::KEYS, SourceId::KEY_POLICIES, SourceId::GRANTS, SourceId::ROTATION, SourceId::ALIASES]
        }
        Pane::Data => {
            &[SourceId::BUCKETS, SourceId::BUCKET_ENCRYPTION, SourceId::BUCKET_VERSIONING, SourceId::BUCKET_POLICY]
        }
        Pane::Network => {
            &[SourceId::VPCS, SourceId::SUBNETS, SourceId::ROUTE_TABLES, SourceId::ENDPOINTS, SourceId::SECURITY_GROUPS]
        }
        Pane::Trail => &[SourceId::EVENTS],
        Pane::Invocations => &[SourceId::LOG_EVENTS, SourceId::LOGGING],
        Pane::Posture | Pane::Findings | Pane::Sources => &[],
    }
}

/// Why a list is empty, in a sentence: filtered, not read yet, refused, or really nothing there.
pub fn nothing(model: &Model) -> (Role, String) {
    let list = model.list();
    if list.total > 0 {
        let filter = crate::base::text::safe(&list.filter).into_owned();
        return (Role::Dim, format!("Nothing of {} matches '{filter}'. Esc clears the filter.", list.total));
    }
    if let (None, Some(error)) = (&model.session, &model.refused) {
        return (Role::High, format!("No session: {error}. To do: {}.", error.kind.advice()));
    }
    let sources = sources_of(model.pane);
    let coverage = &model.inventory.coverage;
    let state = |source: &SourceId| coverage.state(*source, model.now);
    if let Some(report) = sources.iter().take(1).find_map(|source| coverage.report(*source))
        && let Some(error) = &report.error
    {
        let what = if error.kind == ErrorKind::Denied { "may not be read" } else { "could not be read" };
        return (Role::High, format!("{} {what}: {error}. To do: {}.", model.pane.title(), error.kind.advice()));
    }
    if model.session.is_none() || sources.first().is_some_and(|source| state(source) == SourceState::NotAsked) {
        return (Role::Dim, format!("Reading {}…", model.pane.title().to_lowercase()));
    }
    let place = model.session.as_ref().map(|session| session.region.to_string()).unwrap_or_default();
    let text = match model.pane {
        Pane::Posture | Pane::Findings if model.assessment.verdicts.is_empty() => {
            "Nothing has been judged yet: the first round of reading is under way.".into()
        }
        Pane::Posture | Pane::Findings => {
            let unknown = model.assessment.count(crate::posture::Status::Unknown);
            if unknown > 0 {
                format!(
                    "No findings among what could be judged; {unknown} checks are unknown, because something could not be read (0 shows what)."
                )
            } else {
                "No findings: every control that applies passes.".into()
            }
        }
        Pane::Jobs => format!("There are no customization, import, copy, evaluation or batch jobs in {place}."),
        Pane::Models => format!("There are no custom or imported models in {place}."),
        Pane::Keys => format!("No customer key is used by a job, model, bucket or log of customization in {place}."),
        Pane::Data => "No bucket is read or written by customization.".into(),
        Pane::Network => format!("No job runs in a VPC in {place}: customization uses Bedrock's own network."),
        Pane::Trail => "CloudTrail returned no events about Bedrock, KMS or the roles of customization.".into(),
        Pane::Invocations => invocations::nothing(model),
        Pane::Sources => "There are no sources.".into(),
    };
    (Role::Dim, text)
}

/// Draws a box beside a list.
pub(super) fn strip(draw: &Draw<'_>, buffer: &mut ratatui::buffer::Buffer, area: ratatui::layout::Rect, strip: Strip) {
    match strip {
        Strip::Scores => posture::scores(draw, buffer, area),
        Strip::Changes => posture::changes(draw, buffer, area),
        Strip::Live => posture::live(draw, buffer, area),
        Strip::Histogram => trail::histogram(draw, buffer, area),
        Strip::Logging => invocations::logging(draw, buffer, area),
        Strip::Usage => invocations::usage(draw, buffer, area),
        Strip::Preview => {}
    }
}

/// How long ago, as a cell: `4m`, sorted by time.
pub(super) fn age(model: &Model, at: Timestamp) -> Cell {
    // why whole minutes: seconds in a list would repaint it all the time.
    let secs = model.now.secs_since(at).max(0);
    let text = if secs < 60 { "<1m".to_owned() } else { span(secs) };
    Cell::new(text).by(secs)
}

/// The worst finding about a resource, as a cell.
pub(super) fn worst(model: &Model, resource: &ResourceRef) -> Cell {
    match model.judged.worst(&model.assessment, &resource.id) {
        Some(severity) => {
            Cell::of(&severity.word()[..severity.word().len().min(4)], severity.into()).by(severity as i64)
        }
        None if model.judged.is_in_doubt(&resource.id) => Cell::of("?", Role::Unknown).by(8),
        None => Cell::of("-", Role::Dim).by(9),
    }
}

/// A name behind an optional id: `-` for none, with what that means.
pub(super) fn name_or(
    model: &Model,
    kind: crate::inventory::Kind,
    id: Option<&crate::base::ResourceId>,
    none: &str,
) -> Cell {
    match id {
        Some(id) => Cell::new(model.name_of(&ResourceRef::new(kind, id))),
        None => Cell::of(none, Role::Dim),
    }
}

/// Eight heights of bars; `·` for nothing.
pub(super) fn spark(values: &[u32]) -> String {
    let most = values.iter().copied().max().unwrap_or(0);
    values
        .iter()
        .map(|value| match (value, most) {
            (0, _) | (_, 0) => '·',
            (value, most) => {
                let step = (value * 7).div_ceil(most).clamp(1, 7) as usize;
                ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][step]
            }
        })
        .collect()
}
