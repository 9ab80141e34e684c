//! Sources: how far we have seen, what it cost, and what to do where we have not.

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::Model;
use super::super::page::Page;
use super::super::theme::Role;
use super::resource::when;
use super::{age, changes};
use crate::inventory::{ErrorKind, SourceId, SourceState};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("SOURCE", 34, 3, 0).at_least(24),
    text("STATE", 9, 0, 0),
    number("AGE", 4, 1),
    number("ITEMS", 5, 3),
    number("FAILED", 6, 5),
    number("CALLS", 5, 4),
    number("MS", 5, 4),
    number("SLOWED", 6, 6),
    text("WHY", 16, 2, 2),
];

/// All sources: those with trouble first, then in reading order.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let coverage = &model.inventory.coverage;
    let rank = |source: SourceId| match coverage.report(source).map(|_| coverage.state(source, model.now)) {
        Some(SourceState::Failed) => 0,
        Some(SourceState::Denied) => 1,
        Some(SourceState::Partial) => 2,
        Some(SourceState::Stale) => 3,
        Some(SourceState::Complete) => 4,
        _ if !coverage.expects(source) => 6,
        None | Some(SourceState::NotAsked) => 5,
    };
    let mut all: Vec<SourceId> = SourceId::all().collect();
    all.sort_by_key(|source| (rank(*source), *source));
    all.into_iter().map(Subject::Source).collect()
}

/// What asks for sources that tell of content.
const DEEP: &str = "`bedwatch scan --deep`";

fn not_asked(source: SourceId) -> String {
    match (source.is_deep(), source.is_opinion()) {
        (true, _) => format!("only {DEEP} reads it"),
        (_, true) => format!("only {DEEP} with --comprehend asks it"),
        _ => "a later version reads it".to_owned(),
    }
}

fn role(state: SourceState) -> Role {
    match state {
        SourceState::Complete => Role::Ok,
        SourceState::Partial | SourceState::Stale => Role::Medium,
        SourceState::Denied | SourceState::Failed => Role::High,
        SourceState::NotAsked => Role::Dim,
    }
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Source(source) = subject else { return None };
    let coverage = &model.inventory.coverage;
    let report = coverage.report(*source);
    let state = coverage.state(*source, model.now);
    let dash = || Cell::new("-").by(0);
    let count = |n: u64, bad: bool| match n {
        0 => dash(),
        n => Cell::of(n.to_string(), if bad { Role::Medium } else { Role::Text })
            .by(i64::try_from(n).unwrap_or(i64::MAX)),
    };
    let calls = model.calls.get(source.name());
    let why = match report.and_then(|report| report.error.as_ref()) {
        Some(error) => Cell::of(format!("{}: {}", error.kind.word(), error.message), Role::Text),
        None if !coverage.expects(*source) => Cell::new(not_asked(*source)),
        None => Cell::new(source.source().what),
    };
    Some(vec![
        Cell::new(source.name()),
        Cell::of(
            if source.is_read() || source.is_deep() || source.is_opinion() { state.word() } else { "not yet" },
            role(state),
        ),
        report.map_or_else(dash, |report| age(model, report.at)),
        report.map_or_else(dash, |report| count(u64::from(report.items), false)),
        report.map_or_else(dash, |report| count(u64::from(report.failed), true)),
        calls.map_or_else(dash, |calls| count(calls.calls, false)),
        calls.map_or_else(dash, |calls| count(calls.total_ms.checked_div(calls.calls).unwrap_or(0), false)),
        calls.map_or_else(dash, |calls| count(calls.throttles, true)),
        why,
    ])
}

/// One source.
pub fn page(model: &Model, source: SourceId, width: usize) -> Page {
    let mut page = Page::new(source.name(), width);
    let state = model.inventory.coverage.state(source, model.now);
    page.state = Some((role(state), state.word().to_uppercase()));
    page.field("tells", Role::Text, source.source().what);
    if source.is_deep() {
        page.field("read", Role::Text, format!("once, by {DEEP}: it reads content"));
    } else if source.is_opinion() {
        page.field("read", Role::Text, format!("once, by {DEEP} with --comprehend: text is sent to it"));
    } else if !source.is_read() {
        page.field("read", Role::Dim, "by a later version; controls that need it say UNKNOWN");
    } else if source.source().every > 0 {
        page.field("read", Role::Text, format!("every {} s", source.source().every));
    }
    if let Some(report) = model.inventory.coverage.report(source) {
        page.field("last", Role::Text, when(model, report.at));
        page.field("items", Role::Text, report.items.to_string());
        page.field("failed", if report.failed > 0 { Role::High } else { Role::Text }, report.failed.to_string());
        if let Some(error) = &report.error {
            page.head("Why");
            page.text(Role::High, &error.to_string());
            page.gap();
            page.text(Role::Text, &format!("To do: {}.", error.kind.advice()));
        }
    }
    page.head("Permissions");
    for action in source.actions() {
        page.field("", Role::Text, action);
    }
    let denied = model.inventory.coverage.report(source).and_then(|report| report.error.as_ref());
    if denied.is_some_and(|error| error.kind == ErrorKind::Denied) {
        page.head("The policy line that grants it");
        page.field("", Role::Match, changes::grant(source));
        page.text(Role::Dim, "y copies it; `bedwatch policy` prints the whole read-only policy.");
    }
    if let Some(calls) = model.calls.get(source.name()) {
        page.head("Calls since the session began");
        page.field("sent", Role::Text, calls.calls.to_string());
        page.field("on the wire", Role::Text, format!("{} with retries", calls.attempts));
        page.field("failed", Role::Text, calls.errors.to_string());
        page.field("throttled", Role::Text, calls.throttles.to_string());
        page.field("took", Role::Text, format!("{} ms each", calls.total_ms.checked_div(calls.calls).unwrap_or(0)));
        page.field("refused", Role::Text, format!("{} by the read-only guard", calls.refused));
    }
    let controls: Vec<&str> = model.judged.needing(source).collect();
    if !controls.is_empty() {
        page.head("Controls that need it");
        page.text(Role::Dim, &controls.join(" "));
    }
    page
}
