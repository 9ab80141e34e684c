//! The panes: a closed list. Each says which columns it has, what it lists, what a row holds, and
//! how one of its resources reads in full.

pub mod changes;
pub mod compliance;
pub mod content;
pub mod data;
pub mod fields;
pub mod findings;
pub mod guardrails;
pub mod invocations;
pub mod jobs;
pub mod journal;
pub mod keys;
pub mod models;
pub mod network;
pub mod posture;
pub mod reason;
pub mod recorded;
pub mod resource;
pub mod roles;
pub mod session;
pub mod sources;
pub mod standing;
pub mod topology;
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
            /// All, in the order of the tabs; then those that are reached by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// Its name where room is short.
            pub fn short(self) -> &'static str {
                match self { $(Self::$variant => $short,)* }
            }

            /// Its key; a blank for those that are reached by name.
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
    Guardrails, ' ', "Guardrails", "Guardrails";
    Roles, ' ', "Roles", "Roles";
    Journal, ' ', "Journal", "Journal";
    Compliance, ' ', "Compliance", "Compliance";
}

impl Pane {
    /// Whether it has a tab and a key.
    pub fn is_tab(self) -> bool {
        self.digit() != ' '
    }

    /// The next or the previous pane of the tabs, round and round.
    #[must_use]
    pub fn step(self, forward: bool) -> Self {
        let tabs: Vec<Self> = Self::ALL.iter().copied().filter(|pane| pane.is_tab()).collect();
        let next = match (tabs.iter().position(|pane| *pane == self), forward) {
            (Some(at), true) => at + 1,
            (Some(at), false) => at + tabs.len() - 1,
            (None, true) => 0,
            (None, false) => tabs.len() - 1,
        };
        tabs.get(next % tabs.len().max(1)).copied().unwrap_or(self)
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
        Pane::Guardrails => guardrails::COLUMNS,
        Pane::Roles => roles::COLUMNS,
        Pane::Journal => journal::COLUMNS,
        Pane::Compliance => compliance::COLUMNS,
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
        Pane::Guardrails => guardrails::subjects(model),
        Pane::Roles => roles::subjects(model),
        Pane::Journal => journal::subjects(model),
        Pane::Compliance => compliance::subjects(),
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
        Pane::Guardrails => guardrails::cells(model, subject),
        Pane::Roles => roles::cells(model, subject),
        Pane::Journal => journal::cells(model, subject),
        Pane::Compliance => compliance::cells(model, subject),
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
        Pane::Roles => "Roles of customization",
        Pane::Journal => "Journal, newest first",
        Pane::Compliance => "Compliance: evidence, no attestation",
        pane => pane.title(),
    }
}

/// How a pane's list is ordered where nobody sorted it.
pub fn own_order(pane: Pane) -> &'static str {
    match pane {
        Pane::Posture | Pane::Findings | Pane::Keys | Pane::Roles => "the worst first",
        Pane::Jobs | Pane::Models | Pane::Trail | Pane::Invocations | Pane::Journal => "the newest first",
        Pane::Data => "by name",
        Pane::Network => "jobs first, the worst placed first",
        Pane::Sources => "those with trouble first",
        Pane::Guardrails => "those that are enforced first",
        Pane::Compliance => "as frameworks are listed",
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
        Pane::Guardrails => &[SourceId::GUARDRAILS, SourceId::ENFORCED_GUARDRAILS, SourceId::GUARDRAIL_DETAILS],
        Pane::Roles => &[SourceId::AUTHORIZATION],
        Pane::Posture | Pane::Findings | Pane::Sources | Pane::Journal | Pane::Compliance => &[],
    }
}

/// Why a list is empty, in a sentence: filtered, not read yet, refused, or really nothing there.
pub fn nothing(model: &Model) -> (Role, String) {
    let list = model.list();
    if list.total > 0 {
        let filter = crate::base::text::safe(&list.filter).into_owned();
        let mut text = format!("Nothing of {} matches '{filter}'. Esc takes the filter away.", list.total);
        if let Some(stranger) = fields::stranger(model.pane, &list.filter) {
            text = format!("{text} {stranger}");
        }
        return (Role::Dim, text);
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
        Pane::Network => format!("There are no customization or import jobs in {place}, and no network of theirs."),
        Pane::Trail => "CloudTrail returned no events about Bedrock, KMS or the roles of customization.".into(),
        Pane::Invocations => invocations::nothing(model),
        Pane::Sources => "There are no sources.".into(),
        Pane::Guardrails => {
            format!("There are no guardrails in {place}: nothing filters what models are asked and answer.")
        }
        Pane::Roles => format!("No job, log or copy in {place} runs as a role."),
        Pane::Journal => journal::nothing(model),
        Pane::Compliance => "There are no frameworks.".into(),
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

/// A moment of today, or with its day.
pub(super) fn since(model: &Model, at: Timestamp) -> String {
    let (minute, today) = (at.minute(), model.now.minute());
    if minute[..10] == today[..10] { minute[11..].to_owned() } else { minute[5..].to_owned() }
}

/// Since when the use of keys is known, if that is not the whole last day.
pub(super) fn key_use_since(model: &Model) -> Option<Timestamp> {
    let named = model.inventory.coverage.looked(SourceId::EVENTS)?.named;
    (model.now.secs_since(named) < 86_400 - 300).then_some(named)
}

/// Bars of `secs` each that end now; `?` where nothing is known, so that it does not look like nothing.
pub(super) fn spark_since(values: &[u32], model: &Model, secs: i64) -> String {
    let known = key_use_since(model).map_or(i64::MAX, |at| model.now.secs_since(at));
    let begins = (1..=values.len()).rev().map(|back| i64::try_from(back).unwrap_or(i64::MAX).saturating_mul(secs));
    let bars = spark(values);
    let unread = |(value, begins): (&u32, i64)| *value == 0 && begins > known;
    bars.chars().zip(values.iter().zip(begins)).map(|(bar, span)| if unread(span) { '?' } else { bar }).collect()
}

/// Eight heights of bars; `·` for nothing.
fn spark(values: &[u32]) -> String {
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
