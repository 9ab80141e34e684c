//! How the fix dialog looks: its frame, its tabs, and below them what can be done or what was.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget as _;
use unicode_width::UnicodeWidthStr as _;

use super::fit::clip;
use super::fixing::{Dialog, Stage, Tab, UndoList};
use super::fixing_tabs::lines;
use super::keymap::Action;
use super::layout;
use super::model::{Model, Overlay};
use super::page::wrap;
use super::theme::Role;
use super::view::{Draw, Span};
use crate::base::text::{safe, shorten_middle};
use crate::base::time::span;
use crate::fix::Confirm;
use crate::inventory::Mode;

/// How many lines of the open tab do not fit.
pub(super) fn overflow(model: &Model) -> usize {
    let (Some(Overlay::Fix(dialog)), Some(areas)) = (&model.overlay, layout::areas(model.size)) else { return 0 };
    let (width, height) = layout::inner(areas.body);
    let parts = Parts::of(height, below(model, dialog, width));
    lines(dialog, width).len().saturating_sub(parts.rows)
}

/// How the inside of the frame is divided.
struct Parts {
    /// Empty lines between the tabs, the text and what is below.
    gap: usize,
    /// Rows for the text.
    rows: usize,
    /// What is below.
    below: Vec<Vec<Span>>,
}

impl Parts {
    fn of(height: usize, mut below: Vec<Vec<Span>>) -> Self {
        let gap = usize::from(height >= 10);
        let room = height.saturating_sub(1 + 2 * gap);
        // why the last lines stay: what is typed stands in the last.
        let most = room.div_ceil(2).max(1);
        below.drain(..below.len().saturating_sub(most));
        Self { gap, rows: room.saturating_sub(below.len()), below }
    }
}

/// What stands below the text.
fn below(model: &Model, dialog: &Dialog, width: usize) -> Vec<Vec<Span>> {
    let said = |role: Role, words: &str| wrap(words, width).into_iter().map(|line| vec![(role, line)]).collect();
    let key = |action| model.keymap.hint(action);
    let preview = match (&dialog.stage, &dialog.preview) {
        (Stage::Done(outcome), _) if outcome.bad => return said(Role::Dim, "any key closes"),
        (Stage::Done(outcome), _) => return said(Role::Ok, &format!("{}  (any key closes)", outcome.words)),
        (_, Ok(preview)) => preview,
        (_, Err(_)) => {
            let next = dialog.plans.get((dialog.at + 1) % dialog.plans.len().max(1));
            return match next.filter(|_| dialog.plans.len() > 1) {
                Some(next) => {
                    said(Role::Notice, &format!("{} the other way: {}", key(Action::FixNextPlan), next.title))
                }
                None => said(Role::Dim, &format!("{} closes", key(Action::Back))),
            };
        }
    };
    match &dialog.stage {
        Stage::Confirming(line) => {
            let prompt = preview.confirm().prompt(preview.plan().target.kind);
            let mut out: Vec<Vec<Span>> = said(Role::Title, &prompt);
            let (role, hint) = if dialog.is_confirmed() { (Role::Ok, "   ctrl-y applies") } else { (Role::Text, "") };
            let typed = end_of(&safe(&line.text()), width.saturating_sub(2 + hint.len()));
            out.push(vec![(Role::Dim, "> ".into()), (role, typed), (Role::Dim, hint.into())]);
            out
        }
        Stage::Applying => said(Role::Notice, "applying: re-reads, compares, writes, reads back…"),
        Stage::Reading | Stage::Editing(..) | Stage::Done(_) => {
            let key = key(Action::FixConfirm);
            match preview.refusal() {
                Some(why) => said(Role::Notice, &format!("cannot be applied here: {why}")),
                None if model.mode() == Mode::Demo => {
                    said(Role::Notice, &format!("DEMO: {key} rehearses it on the copy; nothing is sent"))
                }
                None => said(Role::Text, &format!("{key} begins to apply; Enter does nothing")),
            }
        }
    }
}

/// The end of a text, where the cursor is.
fn end_of(text: &str, width: usize) -> String {
    let mut text = text;
    while text.width() > width {
        let mut letters = text.chars();
        letters.next();
        text = letters.as_str();
    }
    text.to_owned()
}

impl Draw<'_> {
    /// The dialog. Returns where the text cursor stands.
    pub(super) fn fix(&self, buffer: &mut Buffer, body: Rect, dialog: &Dialog) -> Option<Position> {
        let plan = &dialog.plans[dialog.at];
        let count = format!("{}/{}", dialog.at + 1, dialog.plans.len());
        let head = format!("Fix {}  ", plan.fix);
        let room = usize::from(body.width).saturating_sub(6 + head.width() + count.width() + 3);
        let title = vec![
            (Role::Title, format!("{head}{}", shorten_middle(plan.title.as_str(), room))),
            (Role::Dim, format!("   {count}")),
        ];
        let inside = self.frame(buffer, body, &title, &[]);
        let (width, height) = layout::inner(body);
        if height < 5 {
            return None;
        }
        if let Stage::Editing(editor, wrong) = &dialog.stage {
            self.editor(buffer, inside, editor, wrong.as_deref());
            return None;
        }
        let row = |y: usize| Rect { x: inside.x + 1, y: inside.y + y as u16, width: inside.width - 2, height: 1 };
        self.spans(buffer, row(0), &tabs(dialog.tab, width));
        let Parts { gap, rows, below } = Parts::of(height, below(self.model, dialog, width));
        let lines = lines(dialog, width);
        let scroll = dialog.scroll.min(lines.len().saturating_sub(rows));
        for (at, line) in lines.iter().skip(scroll).take(rows).enumerate() {
            self.spans(buffer, row(1 + gap + at), line);
        }
        if lines.len() > rows {
            let foot = format!(" {}–{} of {} ", scroll + 1, (scroll + rows).min(lines.len()), lines.len());
            let place = Rect { x: body.x + 2, y: body.bottom() - 1, width: body.width - 4, height: 1 };
            self.spans(buffer, place, &[(Role::Dim, foot)]);
        }
        let first = height - below.len();
        for (at, line) in below.iter().enumerate() {
            self.spans(buffer, row(first + at), line);
        }
        let Stage::Confirming(line) = &dialog.stage else { return None };
        let last = row(height - 1);
        let typed = safe(&line.before_cursor()).width().min(width.saturating_sub(3)) as u16;
        Some(Position::new(last.x + 2 + typed, last.y))
    }

    /// The policy in the editor, and below it what is wrong with it.
    fn editor(&self, buffer: &mut Buffer, inside: Rect, editor: &tui_textarea::TextArea<'_>, wrong: Option<&str>) {
        let (role, words) = match wrong {
            None => (Role::Ok, "valid: ctrl-s takes it and previews again · Esc drops the edit"),
            Some(why) => (Role::High, why),
        };
        let mut said = wrap(words, usize::from(inside.width.saturating_sub(2)));
        said.truncate(usize::from(inside.height / 2).max(1));
        let rows = said.len() as u16;
        let area = Rect { x: inside.x + 1, width: inside.width - 2, height: inside.height - rows, ..inside };
        editor.render(area, buffer);
        for (row, line) in said.into_iter().enumerate() {
            let place = Rect { y: area.bottom() + row as u16, height: 1, ..area };
            self.spans(buffer, place, &[(role, line)]);
        }
    }

    /// The last line while the dialog is open.
    pub(super) fn fix_keys(&self, buffer: &mut Buffer, area: Rect, dialog: &Dialog) {
        let key = |action| self.model.keymap.hint(action);
        // The most useful first: what does not fit is left out.
        let mut keys: Vec<(String, &str)> = Vec::new();
        let scrolls = overflow(self.model) > 0;
        match &dialog.stage {
            Stage::Reading => {
                if dialog.preview.as_ref().is_ok_and(|preview| preview.refusal().is_none()) {
                    keys.push((key(Action::FixConfirm), "apply…"));
                }
                keys.push((key(Action::Back), "cancel"));
                if dialog.preview.is_ok() {
                    keys.push((key(Action::FixNextTab), "next tab"));
                }
                if dialog.plans.len() > 1 {
                    keys.push((key(Action::FixNextPlan), "other way"));
                }
                if scrolls {
                    keys.push((format!("{} {}", key(Action::Down), key(Action::Up)), "scroll"));
                }
                if dialog.plans[dialog.at].policy().is_some() {
                    keys.push((key(Action::FixEdit), "edit policy"));
                }
            }
            Stage::Confirming(_) => {
                let plain = dialog.preview.as_ref().is_ok_and(|preview| *preview.confirm() == Confirm::Yes);
                let (key, word) = if plain { ("y", "apply") } else { ("ctrl-y", "apply when the text is right") };
                keys.extend([(key.into(), word), ("Esc".into(), "cancel")]);
            }
            Stage::Editing(..) => {
                keys.extend([("ctrl-s".into(), "take"), ("ctrl-u".into(), "undo"), ("Esc".into(), "drop")]);
            }
            Stage::Applying => {}
            Stage::Done(_) if scrolls => {
                let scroll = format!("{} {}", key(Action::Down), key(Action::Up));
                keys.extend([(scroll, "scroll"), ("any other key".into(), "close")]);
            }
            Stage::Done(_) => keys.push(("any key".into(), "close")),
        }
        self.keys(buffer, area, keys);
    }

    /// The last line while the undo list is open.
    pub(super) fn undo_keys(&self, buffer: &mut Buffer, area: Rect) {
        let key = |action| self.model.keymap.hint(action);
        let choose = format!("{} {}", key(Action::Down), key(Action::Up));
        self.keys(buffer, area, vec![(key(Action::Open), "show"), (choose, "choose"), (key(Action::Back), "close")]);
    }

    /// Keys and what they do, as many as fit; or the notice.
    fn keys(&self, buffer: &mut Buffer, area: Rect, keys: Vec<(String, &str)>) {
        if self.model.notice.is_some() {
            self.footer(buffer, area);
            return;
        }
        let mut spans: Vec<Span> = Vec::new();
        let mut room = usize::from(area.width);
        for (key, word) in keys {
            let gap = if spans.is_empty() { " " } else { "  " };
            let cells = gap.len() + key.width() + 1 + word.width();
            if cells <= room {
                room -= cells;
                spans.extend([(Role::Text, gap.to_owned()), (Role::Key, key), (Role::Dim, format!(" {word}"))]);
            }
        }
        self.spans(buffer, area, &spans);
    }

    /// What can be taken back.
    pub(super) fn undo(&self, buffer: &mut Buffer, body: Rect, list: &UndoList) {
        let title = vec![(Role::Title, format!("Undo  {}", list.entries.len()))];
        let foot = vec![(Role::Dim, "Enter shows what it would change · Esc closes".to_owned())];
        let inside = self.frame(buffer, body, &title, &foot);
        let (width, height) = layout::inner(body);
        let row = |y: usize| Rect { x: inside.x + 1, y: inside.y + y as u16, width: inside.width - 2, height: 1 };
        // The chosen one in full, below the list.
        let chosen = list.entries.get(list.cursor).map(|entry| wrap(&about(entry), width)).unwrap_or_default();
        let rows = height.saturating_sub(chosen.len() + 1).max(1).min(list.entries.len());
        let first = list.cursor.saturating_sub(rows.saturating_sub(1));
        for (y, (at, entry)) in list.entries.iter().enumerate().skip(first).take(rows).enumerate() {
            let ago = span(self.model.now.secs_since(entry.at));
            let mut spans =
                vec![(Role::Dim, format!("{ago:>4} ago  ")), (Role::Text, format!("{:<12}", entry.kind.word()))];
            if let Some(record) = entry.fix() {
                let room = width.saturating_sub(22 + record.plan.fix.len() + 2) as u16;
                spans.push((Role::Accent, format!("{}  {}", record.plan.fix, clip(record.plan.title.as_str(), room))));
            }
            self.spans(buffer, row(y), &spans);
            if at == list.cursor {
                buffer.set_style(Rect { y: inside.y + y as u16, height: 1, ..inside }, self.style(Role::Selection));
            }
        }
        for (at, line) in chosen.into_iter().enumerate().take_while(|(at, _)| rows + 1 + at < height) {
            self.spans(buffer, row(rows + 1 + at), &[(Role::Dim, line)]);
        }
    }
}

/// The tabs; where there is no room, the open one and how many there are.
fn tabs(open: Tab, width: usize) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for tab in Tab::ALL {
        let name = if tab == open { format!("[{}]", tab.title()) } else { tab.title().to_owned() };
        spans.push((if tab == open { Role::Accent } else { Role::Dim }, name));
        spans.push((Role::Text, "  ".into()));
    }
    spans.pop();
    if spans.iter().map(|(_, text)| text.width()).sum::<usize>() <= width {
        return spans;
    }
    let place = format!("  tab {} of {}", open as usize + 1, Tab::ALL.len());
    vec![(Role::Accent, format!("[{}]", open.title())), (Role::Dim, place)]
}

/// A journal entry in words: what, on what, by whom.
fn about(entry: &crate::fix::JournalEntry) -> String {
    let who = entry.who.arn().and_then(|arn| arn.assumed_role().map(|(role, _)| role.to_owned()));
    let who = who.unwrap_or_else(|| entry.who.last().to_owned());
    let Some(record) = entry.fix() else { return format!("{} by {who}", entry.at) };
    let rehearsed = if record.rehearsed { ", rehearsed" } else { "" };
    format!("{}, on {}, by {who}, {}{rehearsed}", record.plan.title, record.plan.target_name, entry.at)
}
