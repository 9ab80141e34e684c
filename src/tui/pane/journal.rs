//! Journal: what was changed, refused and shown from here, as it stands in the case.

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::{Model, Place};
use super::super::names::short;
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::age;
use super::resource::when;
use crate::fix::journal::{Body, EntryKind};
use crate::fix::{self, JournalEntry};
use crate::inventory::Mode;

/// Columns.
pub const COLUMNS: &[Column] = &[
    number("NO", 4, 3),
    text("TIME", 16, 0, 2),
    text("WHO", 12, 1, 1),
    text("DID", 11, 0, 0),
    text("WHAT", 20, 4, 0),
    text("ON", 12, 1, 1),
    number("AGE", 4, 4),
];

/// All entries, newest first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    (1..=model.journal.entries.len()).rev().map(Subject::Journal).collect()
}

/// The word of an entry; a rehearsal changed nothing, and says so.
fn word(entry: &JournalEntry) -> (Role, String) {
    let role = match entry.kind {
        EntryKind::Done => Role::Ok,
        EntryKind::Failed | EntryKind::Unconfirmed => Role::High,
        EntryKind::Refused | EntryKind::Revealed => Role::Medium,
        _ => Role::Dim,
    };
    let rehearsed = entry.fix().is_some_and(|record| record.rehearsed);
    let word = if rehearsed && entry.kind == EntryKind::Done { "rehearsed" } else { entry.kind.word() };
    (if rehearsed { Role::Dim } else { role }, word.to_owned())
}

fn what(entry: &JournalEntry) -> String {
    match (entry.fix(), &entry.body) {
        (Some(record), _) => record.plan.title.to_string(),
        (None, Body::Text(text)) => text.to_string(),
        (None, _) => String::new(),
    }
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Journal(number) = subject else { return None };
    let entry = model.journal.get(*number)?;
    let (role, word) = word(entry);
    let on = entry.fix().map(|record| record.plan.target_name.to_string()).unwrap_or_default();
    Some(vec![
        Cell::new(number.to_string()).by(i64::try_from(*number).unwrap_or(i64::MAX)),
        Cell::new(entry.at.minute()).by(-entry.at.millis()),
        Cell::new(short(&entry.who)),
        Cell::of(word, role),
        Cell::new(what(entry)),
        Cell::new(on),
        age(model, entry.at),
    ])
}

/// One entry.
pub fn page(model: &Model, number: usize, width: usize) -> Page {
    let mut page = Page::new(format!("journal entry {number}"), width);
    let Some(entry) = model.journal.get(number) else {
        page.text(Role::Dim, "The journal has no entry of this number.");
        return page;
    };
    page.state = Some(word(entry));
    page.text(Role::Title, &what(entry));
    page.gap();
    page.field("when", Role::Text, when(model, entry.at));
    page.field("who", Role::Text, entry.who.as_str());
    page.field("where", Role::Text, format!("account {}, {}", entry.account, entry.region));
    let Some(record) = entry.fix() else { return page };
    let plan = &record.plan;
    let target = Some(Target::Go(Place::Resource(plan.target.clone())));
    page.field_to("on", Role::Accent, format!("{} {}", plan.target.kind.word(), plan.target_name), target);
    page.field("fix", Role::Text, &plan.fix);
    if let Some(finding) = &plan.finding {
        page.field_to("finding", Role::Accent, finding, Some(Target::Go(Place::Finding(finding.clone()))));
    }
    if record.rehearsed {
        page.field("rehearsed", Role::Notice, "on a copy in memory: nothing left this machine");
    }
    page.field("made", Role::Text, format!("{} of {} changes", record.made, plan.changes.len()));
    if let Some(error) = &record.error {
        page.field("error", Role::High, error.as_str());
    }
    page.field("run", Role::Dim, &record.run);
    let runs = |run: &str| {
        let of = model.journal.entries.iter().enumerate();
        of.filter(|(_, held)| held.fix().is_some_and(|held| held.run == run)).map(|(at, _)| at + 1).collect::<Vec<_>>()
    };
    for other in runs(&record.run).into_iter().filter(|other| *other != number) {
        let text = model.journal.get(other).map(|entry| format!("{other} {}", word(entry).1)).unwrap_or_default();
        page.field_to("same run", Role::Accent, text, Some(Target::Go(Place::Journal(other))));
    }
    if let Some(undone) = &plan.undoes {
        for other in runs(undone).into_iter().take(1) {
            page.field_to("takes back", Role::Accent, other.to_string(), Some(Target::Go(Place::Journal(other))));
        }
    }
    page.head(if plan.changes.len() == 1 { "Change" } else { "Changes" });
    for change in &plan.changes {
        page.text(Role::Text, &crate::base::text::safe(&change.words()));
    }
    if !record.undo.is_empty() {
        page.head("Taken back by");
        for change in &record.undo {
            page.text(Role::Text, &crate::base::text::safe(&change.words()));
        }
        let undoable = fix::undoable(&model.journal.entries).into_iter().any(|held| std::ptr::eq(held, entry));
        let told =
            if undoable { "u offers it." } else { "It was taken back already, or this is not the end of its run." };
        page.text(Role::Dim, told);
    }
    page
}

/// Why there are no entries.
pub fn nothing(model: &Model) -> String {
    match (&model.journal.error, model.journal.read, model.mode()) {
        (Some(why), ..) => format!("The journal cannot be read: {}", crate::base::text::safe(why)),
        (None, false, _) => "Reading the journal…".into(),
        (None, true, Mode::ReadOnly) => {
            "Nothing was changed or revealed from here. This session is read-only: it can change nothing.".into()
        }
        (None, true, _) => "Nothing was changed or revealed from here.".into(),
    }
}
