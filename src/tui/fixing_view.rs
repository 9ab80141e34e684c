//! How the fix dialog looks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget as _;
use unicode_width::UnicodeWidthStr as _;

use super::fixing::{Dialog, Stage, Tab, UndoList};
use super::keymap::Action;
use super::model::{Model, Overlay};
use super::page::wrap;
use super::theme::Role;
use super::view::{Draw, Span};
use crate::base::text::safe;
use crate::base::time::span;
use crate::fix::{AccessChange, DiffKind, DiffLine, FindingChange, FixError, Lockout, Preview};

/// How many lines the open tab has.
pub(super) fn length(model: &Model) -> usize {
    let (width, _) = super::layout::page_size(model.size);
    match &model.overlay {
        Some(Overlay::Fix(dialog)) => lines(dialog, width).len(),
        _ => 0,
    }
}

/// The lines of the open tab.
fn lines(dialog: &Dialog, width: usize) -> Vec<Vec<Span>> {
    let preview = match &dialog.preview {
        Ok(preview) => preview,
        Err(error) => {
            let text = format!("The consequences cannot be shown, so it cannot be applied: {error}");
            let mut out: Vec<Vec<Span>> = wrap(&text, width).into_iter().map(|line| vec![(Role::High, line)]).collect();
            if let FixError::Drift { diff, .. } = error {
                out.push(Vec::new());
                out.extend(changes(diff, width));
            }
            return out;
        }
    };
    match dialog.tab {
        Tab::Summary => summary(preview, width),
        Tab::Diff => changes(&preview.diff, width),
        Tab::Access => access(preview, width),
        Tab::Findings => {
            let mut out = findings("closes", Role::Ok, &preview.closes);
            out.push(Vec::new());
            out.extend(findings("opens", Role::High, &preview.opens));
            out
        }
        Tab::Calls => {
            let mut out = Vec::new();
            for call in &preview.calls {
                for line in call.lines().flat_map(|line| wrap(line, width)) {
                    out.push(vec![(Role::Text, line)]);
                }
                out.push(Vec::new());
            }
            out
        }
        Tab::Undo => {
            let mut out: Vec<Vec<Span>> =
                wrap(preview.undo_words.as_str(), width).into_iter().map(|line| vec![(Role::Text, line)]).collect();
            out.push(Vec::new());
            for change in &preview.undo {
                for line in change.call().lines().flat_map(|line| wrap(line, width)) {
                    out.push(vec![(Role::Dim, line)]);
                }
            }
            out
        }
    }
}

fn summary(preview: &Preview, width: usize) -> Vec<Vec<Span>> {
    let mut out = Vec::new();
    for (label, value) in &preview.summary {
        let role = match *label {
            "opens" if !preview.opens.is_empty() => Role::High,
            "lockout" if !preview.lockout.is_safe() => Role::Critical,
            "lockout" => Role::Ok,
            "closes" => Role::Ok,
            _ => Role::Text,
        };
        let parts = value.lines().flat_map(|line| wrap(line, width.saturating_sub(10)));
        for (row, part) in parts.enumerate() {
            out.push(vec![(Role::Dim, format!("{:<10}", if row == 0 { label } else { "" })), (role, part)]);
        }
    }
    for caveat in &preview.plan().caveats {
        for line in wrap(&format!("! {caveat}"), width) {
            out.push(vec![(Role::Medium, line)]);
        }
    }
    if let Some(incomplete) = &preview.incomplete {
        for line in wrap(&format!("? {incomplete}"), width) {
            out.push(vec![(Role::Unknown, line)]);
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
            let foreign = if change.foreign { "  ANOTHER ACCOUNT" } else { "" };
            out.push(vec![
                (if change.foreign { Role::Critical } else { role }, format!("  {}", change.name)),
                (Role::Critical, foreign.into()),
            ]);
            for line in wrap(&change.actions.join(" "), width.saturating_sub(4)) {
                out.push(vec![(Role::Text, format!("    {line}"))]);
            }
            for line in wrap(change.how.as_str(), width.saturating_sub(4)) {
                out.push(vec![(Role::Dim, format!("    {line}"))]);
            }
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
    out.extend(wrap(&words, width).into_iter().map(|line| vec![(role, line)]));
    if let Some(incomplete) = &preview.incomplete {
        out.extend(wrap(&format!("? {incomplete}"), width).into_iter().map(|line| vec![(Role::Unknown, line)]));
    }
    out
}

fn findings(title: &str, role: Role, changes: &[FindingChange]) -> Vec<Vec<Span>> {
    let mut out = vec![vec![(Role::Title, format!("{title}  {}", changes.len()))]];
    for change in changes {
        out.push(vec![
            (role, format!("  {} ", change.control)),
            (Role::Text, format!("on {} {}", change.resource.kind.word(), change.name)),
            (Role::Dim, format!("  {}", change.code)),
        ]);
    }
    if changes.is_empty() {
        out.push(vec![(Role::Dim, "  none".into())]);
    }
    out
}

impl Draw<'_> {
    /// The dialog. Returns where the text cursor stands.
    pub(super) fn fix(&self, buffer: &mut Buffer, body: Rect, dialog: &Dialog) -> Option<Position> {
        let plan = &dialog.plans[dialog.at];
        let title = vec![
            (Role::Title, format!("Fix {}  {}", plan.fix, plan.title)),
            (Role::Dim, format!("   {}/{}", dialog.at + 1, dialog.plans.len())),
        ];
        let (width, _) = super::layout::inner(body);
        let lines = lines(dialog, width);
        let inside = self.frame(buffer, body, &title, &[]);
        if inside.height < 5 {
            return None;
        }
        if let Stage::Editing(editor, wrong) = &dialog.stage {
            let area = Rect { x: inside.x + 1, width: inside.width - 2, height: inside.height - 1, ..inside };
            editor.render(area, buffer);
            let (role, words) = match wrong {
                None => (Role::Ok, "valid: ctrl-s takes it and previews again · Esc drops the edit".to_owned()),
                Some(why) => (Role::High, why.clone()),
            };
            let last = Rect { x: inside.x + 1, y: inside.bottom() - 1, width: inside.width - 2, height: 1 };
            self.spans(buffer, last, &[(role, words)]);
            return None;
        }
        let mut tabs: Vec<Span> = Vec::new();
        for tab in Tab::ALL {
            let open = tab == dialog.tab;
            let name = if open { format!("[{}]", tab.title()) } else { tab.title().to_owned() };
            tabs.push((if open { Role::Accent } else { Role::Dim }, name));
            tabs.push((Role::Text, "  ".into()));
        }
        let row = |y: u16| Rect { x: inside.x + 1, y, width: inside.width - 2, height: 1 };
        self.spans(buffer, row(inside.y), &tabs);
        let rows = usize::from(inside.height - 4);
        let scroll = dialog.scroll.min(lines.len().saturating_sub(rows));
        for (at, line) in lines.iter().skip(scroll).take(rows).enumerate() {
            self.spans(buffer, row(inside.y + 2 + at as u16), line);
        }
        if lines.len() > rows {
            let foot = format!(" {}–{} of {} ", scroll + 1, (scroll + rows).min(lines.len()), lines.len());
            let place = Rect { x: body.x + 2, y: body.bottom() - 1, width: body.width - 4, height: 1 };
            self.spans(buffer, place, &[(Role::Dim, foot)]);
        }
        self.confirm_line(buffer, row(inside.bottom() - 1), dialog)
    }

    fn confirm_line(&self, buffer: &mut Buffer, area: Rect, dialog: &Dialog) -> Option<Position> {
        let preview = dialog.preview.as_ref().ok()?;
        match &dialog.stage {
            Stage::Confirming(line) => {
                let prompt = format!("{}:  ", preview.confirm().prompt());
                let typed = safe(&line.text()).into_owned();
                let before = prompt.width() + safe(&line.before_cursor()).width();
                let role = if dialog.is_confirmed() { Role::Ok } else { Role::Text };
                let hint = if dialog.is_confirmed() {
                    "   ctrl-y applies".to_owned()
                } else {
                    format!("   '{}'", preview.confirm().wanted())
                };
                self.spans(buffer, area, &[(Role::Title, prompt), (role, typed), (Role::Dim, hint)]);
                Some(Position::new((area.x + before as u16).min(area.right().saturating_sub(1)), area.y))
            }
            Stage::Applying => {
                self.spans(buffer, area, &[(Role::Notice, "applying: re-reads, compares, writes, reads back…".into())]);
                None
            }
            Stage::Done(text, bad) => {
                let role = if *bad { Role::High } else { Role::Ok };
                self.spans(buffer, area, &[(role, format!("{text}  (any key closes)"))]);
                None
            }
            Stage::Reading | Stage::Editing(..) => {
                let span = if let Some(why) = preview.refusal() {
                    (Role::Notice, format!("cannot be applied here: {why}"))
                } else {
                    let key = self.model.keymap.hint(Action::FixConfirm);
                    if self.model.mode() == crate::inventory::Mode::Demo {
                        let words = "no AWS behind the demo, so nothing can be changed";
                        (Role::Notice, format!("{words}; {key} rehearses it on the copy in memory"))
                    } else {
                        (Role::Text, format!("{key} begins to apply; Enter does nothing"))
                    }
                };
                self.spans(buffer, area, &[span]);
                None
            }
        }
    }

    /// The last line while the dialog is open.
    pub(super) fn fix_keys(&self, buffer: &mut Buffer, area: Rect, dialog: &Dialog) {
        if self.model.notice.is_some() {
            self.footer(buffer, area);
            return;
        }
        let key = |action| self.model.keymap.hint(action);
        let text: Vec<(String, &str)> = match &dialog.stage {
            Stage::Reading => vec![
                (key(Action::FixNextTab), "next tab"),
                (format!("{} {}", key(Action::FixPreviousPlan), key(Action::FixNextPlan)), "other way"),
                (key(Action::FixEdit), "edit policy"),
                (key(Action::FixConfirm), "apply…"),
                (format!("{} {}", key(Action::Down), key(Action::Up)), "scroll"),
                (key(Action::Back), "cancel"),
            ],
            Stage::Confirming(_) => vec![("ctrl-y".into(), "apply when the text is right"), ("Esc".into(), "cancel")],
            Stage::Editing(..) => vec![("ctrl-s".into(), "take"), ("ctrl-u".into(), "undo"), ("Esc".into(), "drop")],
            Stage::Applying => Vec::new(),
            Stage::Done(..) => vec![("any key".into(), "close")],
        };
        let mut spans = vec![(Role::Text, " ".to_owned())];
        for (key, word) in text {
            spans.push((Role::Key, key));
            spans.push((Role::Dim, format!(" {word}  ")));
        }
        self.spans(buffer, area, &spans);
    }

    /// What can be taken back.
    pub(super) fn undo(&self, buffer: &mut Buffer, body: Rect, list: &UndoList) {
        let title = vec![(Role::Title, format!("Undo  {}", list.entries.len()))];
        let foot = vec![(Role::Dim, "Enter shows what taking it back would change · Esc closes".to_owned())];
        let inside = self.frame(buffer, body, &title, &foot);
        let rows = usize::from(inside.height);
        let first = list.cursor.saturating_sub(rows.saturating_sub(1));
        for (row, entry) in list.entries.iter().enumerate().skip(first).take(rows) {
            let y = inside.y + (row - first) as u16;
            let ago = span(self.model.now.secs_since(entry.at));
            let mut spans =
                vec![(Role::Dim, format!("{ago:>4} ago  ")), (Role::Text, format!("{:<12}", entry.kind.word()))];
            if let Some(record) = entry.fix() {
                spans.push((Role::Accent, format!("{}  {}", record.plan.fix, record.plan.title)));
                spans.push((Role::Text, format!("  on {}", record.plan.target_name)));
                let who = entry.who.arn().and_then(|arn| arn.assumed_role().map(|(role, _)| role.to_owned()));
                spans.push((Role::Dim, format!("  by {}", who.unwrap_or_else(|| entry.who.last().to_owned()))));
                if record.rehearsed {
                    spans.push((Role::Dim, "  rehearsed".into()));
                }
            }
            self.spans(buffer, Rect { x: inside.x + 1, y, width: inside.width.saturating_sub(2), height: 1 }, &spans);
            if row == list.cursor {
                buffer.set_style(Rect { y, height: 1, ..inside }, self.style(Role::Selection));
            }
        }
    }
}
