//! The tabs of the fix dialog as lines that fit: nothing is cut, what is too long goes on below.

use super::fixing::{Dialog, Stage, Tab};
use super::page::wrap;
use super::theme::Role;
use super::view::Span;
use crate::fix::{AccessChange, DiffKind, DiffLine, FindingChange, FixError, Lockout, Preview};

/// The lines of the open tab, or of what went wrong.
pub(super) fn lines(dialog: &Dialog, width: usize) -> Vec<Vec<Span>> {
    let preview = match (&dialog.stage, &dialog.preview) {
        (Stage::Done(outcome), _) if outcome.bad => return trouble(&outcome.words, &outcome.diff, None, width),
        (_, Ok(preview)) => preview,
        (_, Err(error)) => {
            let words = match error {
                FixError::Drift { .. } => error.to_string(),
                _ => format!("The consequences cannot be shown, so it cannot be applied: {error}"),
            };
            return trouble(&words, error.diff(), dialog.note.as_ref(), width);
        }
    };
    match dialog.tab {
        Tab::Summary => summary(preview, width),
        Tab::Diff => changes(&preview.diff, width),
        Tab::Access => access(preview, width),
        Tab::Findings => {
            let mut out = findings("closes", Role::Ok, &preview.closes, width);
            out.push(Vec::new());
            out.extend(findings("opens", Role::High, &preview.opens, width));
            out
        }
        Tab::Calls => {
            let mut out = Vec::new();
            for call in &preview.calls {
                out.extend(text(Role::Text, call, width));
                out.push(Vec::new());
            }
            out.extend(text(Role::Dim, "This is what is called, as a line for a shell.", width));
            out
        }
        Tab::Undo => {
            let mut out = text(Role::Text, preview.undo_words.as_str(), width);
            out.push(Vec::new());
            for change in &preview.undo {
                out.extend(text(Role::Dim, &change.call(), width));
            }
            out
        }
    }
}

/// Running text, wrapped; its own line breaks stay.
fn text(role: Role, text: &str, width: usize) -> Vec<Vec<Span>> {
    text.lines().flat_map(|line| wrap(line, width)).map(|line| vec![(role, line)]).collect()
}

/// What went wrong, what differs, and why there is no other way.
fn trouble(words: &str, diff: &[DiffLine], note: Option<&FixError>, width: usize) -> Vec<Vec<Span>> {
    let mut out = text(Role::High, words, width);
    if let Some(note) = note {
        out.push(Vec::new());
        out.extend(text(Role::Notice, &note.to_string(), width));
    }
    if !diff.is_empty() {
        out.push(Vec::new());
        out.extend(changes(diff, width));
    }
    out
}

fn summary(preview: &Preview, width: usize) -> Vec<Vec<Span>> {
    let mut out = Vec::new();
    for (label, value) in &preview.summary {
        let role = match *label {
            "opens" if !preview.opens.is_empty() => Role::High,
            "lockout" if !preview.lockout.is_safe() => Role::Critical,
            "lockout" => Role::Ok,
            "closes" => Role::Ok,
            "note" => Role::Medium,
            "unseen" => Role::Unknown,
            _ => Role::Text,
        };
        let parts = value.lines().flat_map(|line| wrap(line, width.saturating_sub(10)));
        for (row, part) in parts.enumerate() {
            out.push(vec![(Role::Dim, format!("{:<10}", if row == 0 { label } else { "" })), (role, part)]);
        }
    }
    out
}

/// Unchanged lines shown around a change.
const CONTEXT: usize = 4;

fn changes(diff: &[DiffLine], width: usize) -> Vec<Vec<Span>> {
    let mut out = Vec::new();
    let mut hidden = 0;
    for (at, line) in diff.iter().enumerate() {
        // why not all of it: what changes must be seen without scrolling; E and o show the whole policy.
        let near = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(diff.len());
        if diff[near].iter().all(|line| line.kind == DiffKind::Same) {
            hidden += 1;
            continue;
        }
        if hidden > 0 {
            out.push(vec![(Role::Dim, format!("  … {hidden} lines unchanged"))]);
            hidden = 0;
        }
        let (mark, role) = match line.kind {
            DiffKind::Same => ("  ", Role::Dim),
            DiffKind::Added => ("+ ", Role::Added),
            DiffKind::Removed => ("- ", Role::Removed),
        };
        for (row, part) in wrap(&line.text, width.saturating_sub(2)).into_iter().enumerate() {
            out.push(vec![(role, format!("{}{part}", if row == 0 { mark } else { "  " }))]);
        }
    }
    match (out.is_empty(), hidden) {
        (true, _) => out.push(vec![(Role::Dim, "nothing differs".into())]),
        (false, 0) => {}
        (false, hidden) => out.push(vec![(Role::Dim, format!("  … {hidden} lines unchanged"))]),
    }
    out
}

fn access(preview: &Preview, width: usize) -> Vec<Vec<Span>> {
    let mut out: Vec<Vec<Span>> = Vec::new();
    let mut part = |title: &str, role: Role, changes: &[AccessChange]| {
        out.push(vec![(Role::Title, format!("{title}  {}", changes.len()))]);
        if changes.is_empty() {
            out.push(vec![(Role::Dim, "  nobody".into())]);
        }
        for change in changes {
            let (role, foreign) = match (change.foreign, change.principal.as_str()) {
                (_, "*") => (Role::Critical, "  EVERYBODY"),
                (true, _) => (Role::Critical, "  ANOTHER ACCOUNT"),
                (false, _) => (role, ""),
            };
            out.extend(text(role, &format!("  {}{foreign}", change.name), width));
            out.extend(text(Role::Text, &format!("    {}", change.actions.join(" ")), width));
            out.extend(text(Role::Dim, &format!("    {}", change.how), width));
        }
        out.push(Vec::new());
    };
    part("gains", Role::Added, &preview.gains);
    part("loses", Role::Removed, &preview.loses);
    let (role, words) = match &preview.lockout {
        Lockout::Safe { administrators } => {
            let names: Vec<String> = administrators.iter().map(ToString::to_string).collect();
            (Role::Ok, format!("no lockout: you and {} keep kms:PutKeyPolicy", names.join(", ")))
        }
        Lockout::Untouched => (Role::Ok, "no lockout: the policy is not touched".into()),
        Lockout::Refused { why } => (Role::Critical, format!("LOCKOUT: {why}")),
    };
    out.extend(text(role, &words, width));
    if let Some(incomplete) = &preview.incomplete {
        out.extend(text(Role::Unknown, &format!("? more may gain or lose: {incomplete}"), width));
    }
    out
}

fn findings(title: &str, role: Role, changes: &[FindingChange], width: usize) -> Vec<Vec<Span>> {
    let mut out = vec![vec![(Role::Title, format!("{title}  {}", changes.len()))]];
    for change in changes {
        let what = format!("  {}  {}  {}", change.control, change.severity.word(), change.title);
        out.extend(text(role, &what, width));
        let on = format!("    on {} {}: {}", change.resource.kind.word(), change.name, change.reason);
        out.extend(text(Role::Dim, &on, width));
    }
    if changes.is_empty() {
        out.push(vec![(Role::Dim, "  none".into())]);
    }
    out
}
