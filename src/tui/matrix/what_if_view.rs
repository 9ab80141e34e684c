//! How "what if" looks: the policy or the grants on one side, who gains and loses on the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget as _;

use super::what_if::{Focus, WhatIf};
use crate::access::Shift;
use crate::access::who::Difference;
use crate::tui::keymap::Action;
use crate::tui::page::wrap;
use crate::tui::theme::Role;
use crate::tui::view::{Draw, Span};

/// The lines that say what would change.
pub fn lines(what_if: &WhatIf, width: usize) -> Vec<Vec<Span>> {
    let mut out: Vec<Vec<Span>> = Vec::new();
    let outcome = match &what_if.outcome {
        None => return vec![vec![(Role::Dim, "comparing…".into())]],
        Some(Err(why)) => {
            return wrap(why, width).into_iter().map(|line| vec![(Role::High, line)]).collect();
        }
        Some(Ok(outcome)) => outcome,
    };
    for remark in &outcome.remarks {
        out.extend(wrap(&format!("! {remark}"), width).into_iter().map(|line| vec![(Role::Medium, line)]));
    }
    let (people, actions) = outcome.compared;
    if outcome.changes.is_empty() {
        let role = if outcome.gaps.is_empty() { Role::Ok } else { Role::Unknown };
        let nothing = if what_if.is_edited() || !what_if.without.is_empty() {
            format!("Nobody gains or loses: {people} principals, {actions} actions compared.")
        } else {
            "Nothing is changed yet.".to_owned()
        };
        out.extend(wrap(&nothing, width).into_iter().map(|line| vec![(role, line)]));
    }
    let mut rest = outcome.changes.as_slice();
    while let Some(first) = rest.first() {
        let same = |other: &&Difference| other.who == first.who && other.shift == first.shift;
        let of = rest.iter().take_while(same).count();
        let (group, left) = rest.split_at(of);
        rest = left;
        let (role, mark) = look(first);
        let foreign = if first.foreign && first.who.id().arn().is_some() { "  ANOTHER ACCOUNT" } else { "" };
        out.push(vec![
            (role, format!("{mark} {:<6} ", first.shift.word().to_uppercase())),
            (role, first.who.name().to_string()),
            (Role::Critical, foreign.into()),
        ]);
        let names: Vec<&str> =
            group.iter().map(|one| one.action.strip_prefix("kms:").unwrap_or(one.action.as_str())).collect();
        let names = if names.len() > 8 {
            format!("{} and {} more", names[..8].join(" "), names.len() - 8)
        } else {
            names.join(" ")
        };
        out.extend(
            wrap(&names, width.saturating_sub(4)).into_iter().map(|line| vec![(Role::Text, format!("    {line}"))]),
        );
        let mut why = Vec::new();
        if first.shift != Shift::Gain {
            why.push(format!("was {}", first.before.words()));
        }
        if first.shift != Shift::Lose {
            why.push(format!("would be {}", first.after.words()));
        }
        for words in why {
            let lines = wrap(&words, width.saturating_sub(4)).into_iter().take(4);
            out.extend(lines.map(|line| vec![(Role::Dim, format!("    {line}"))]));
        }
    }
    for gap in &outcome.gaps {
        out.extend(wrap(&format!("? {gap}"), width).into_iter().map(|line| vec![(Role::Unknown, line)]));
    }
    out
}

/// A word and a sign beside every colour.
fn look(change: &Difference) -> (Role, &'static str) {
    match change.shift {
        Shift::Gain | Shift::Widen if change.foreign => (Role::Critical, "+"),
        Shift::Gain | Shift::Widen => (Role::Added, "+"),
        Shift::Change => (Role::Medium, "~"),
        Shift::Narrow | Shift::Lose => (Role::Removed, "-"),
    }
}

impl Draw<'_> {
    /// Draws it over the body.
    pub(in crate::tui) fn what_if(&self, buffer: &mut Buffer, body: Rect, what_if: &WhatIf) {
        let title = vec![
            (Role::Title, format!("What if: {}", what_if.what)),
            (Role::Notice, "   nothing is written".to_owned()),
        ];
        let inside = self.frame(buffer, body, &title, &[]);
        if inside.height < 3 {
            return;
        }
        let wide = inside.width >= 108;
        let (edit, changes) = if wide {
            let left = inside.width / 2;
            (Rect { width: left, ..inside }, Rect { x: inside.x + left, width: inside.width - left, ..inside })
        } else {
            let top = (inside.height * 11 / 20).max(2);
            (Rect { height: top, ..inside }, Rect { y: inside.y + top, height: inside.height - top, ..inside })
        };
        self.edited(buffer, edit, what_if);
        self.changes(buffer, changes, what_if, wide);
    }

    /// The policy, or the grants.
    fn edited(&self, buffer: &mut Buffer, area: Rect, what_if: &WhatIf) {
        let on_grants = what_if.focus == Focus::Grants;
        let count = what_if.grants.len();
        let off = what_if.without.len();
        let mut tabs: Vec<Span> = vec![(Role::Text, " ".into())];
        let name = |open: bool, text: String| {
            if open { (Role::Accent, format!("[{text}]")) } else { (Role::Dim, text) }
        };
        let edited = if what_if.is_edited() { " (edited)" } else { "" };
        tabs.push(name(what_if.focus == Focus::Policy, format!("Policy{edited}")));
        if count > 0 {
            tabs.push((Role::Text, "  ".into()));
            let off = if off > 0 { format!(" ({off} off)") } else { String::new() };
            tabs.push(name(on_grants, format!("Grants {count}{off}")));
        }
        if what_if.wrong.is_some() {
            tabs.push((Role::High, "  ! not valid".into()));
        } else if what_if.is_edited() {
            tabs.push((Role::Ok, "  valid".into()));
        }
        self.spans(buffer, Rect { height: 1, ..area }, &tabs);
        let mut below = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(1),
        };
        if let Some(why) = &what_if.wrong {
            let lines = wrap(why, usize::from(below.width));
            let rows = (lines.len() as u16).min(below.height / 2).min(3);
            below.height -= rows;
            for (row, line) in lines.into_iter().take(usize::from(rows)).enumerate() {
                let place = Rect { y: below.bottom() + row as u16, height: 1, ..below };
                self.spans(buffer, place, &[(Role::High, line)]);
            }
        }
        if on_grants {
            self.grants_of(buffer, below, what_if);
        } else if let Some(editor) = &what_if.editor {
            editor.render(below, buffer);
        }
    }

    fn grants_of(&self, buffer: &mut Buffer, area: Rect, what_if: &WhatIf) {
        let rows = usize::from(area.height);
        let first = what_if.cursor.saturating_sub(rows.saturating_sub(1));
        for (row, grant) in what_if.grants.iter().enumerate().skip(first).take(rows) {
            let line = Rect { y: area.y + (row - first) as u16, height: 1, ..area };
            let off = what_if.without.contains(&grant.id);
            let operations = grant.operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let who = grant
                .grantee
                .arn()
                .map_or_else(|| grant.grantee.to_string(), |arn| format!("{} {}", arn.account, arn.name()));
            let spans = [
                (if off { Role::Removed } else { Role::Ok }, if off { "[ ] off " } else { "[x] on  " }.to_owned()),
                (Role::Text, format!("{who}  ")),
                (Role::Dim, operations),
            ];
            self.spans(buffer, line, &spans);
            if row == what_if.cursor {
                buffer.set_style(line, self.style(Role::Selection));
            }
        }
    }

    fn changes(&self, buffer: &mut Buffer, area: Rect, what_if: &WhatIf, wide: bool) {
        let border = self.style(Role::Border);
        let open = what_if.focus == Focus::Changes;
        let head = match (&what_if.wrong, what_if.is_current()) {
            (Some(_), _) => (Role::Medium, "if the last valid policy held".to_owned()),
            (None, false) => (Role::Dim, "comparing…".to_owned()),
            (None, true) => (Role::Dim, String::new()),
        };
        let name = if open { "[Would change]" } else { "Would change" };
        let spans: Vec<Span> = vec![
            (if open { Role::Accent } else { Role::Title }, format!(" {name} ")),
            (head.0, format!("{} ", head.1)),
        ];
        let below = if wide {
            for y in area.y..area.bottom() {
                buffer.set_string(area.x, y, "│", border);
            }
            self.spans(buffer, Rect { x: area.x + 1, height: 1, width: area.width - 1, ..area }, &spans);
            Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(3), height: area.height - 1 }
        } else {
            buffer.set_string(area.x, area.y, "─".repeat(usize::from(area.width)), border);
            self.spans(buffer, Rect { x: area.x + 1, height: 1, width: area.width - 1, ..area }, &spans);
            Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height - 1 }
        };
        let lines = lines(what_if, usize::from(below.width));
        let rows = usize::from(below.height);
        let scroll = what_if.scroll.min(lines.len().saturating_sub(rows));
        for (row, spans) in lines.iter().skip(scroll).take(rows).enumerate() {
            self.spans(buffer, Rect { y: below.y + row as u16, height: 1, ..below }, spans);
        }
        if lines.len() > rows && below.height > 0 {
            let more = format!(" {}–{} of {} ", scroll + 1, (scroll + rows).min(lines.len()), lines.len());
            let x = below.right().saturating_sub(more.chars().count() as u16);
            buffer.set_string(x, area.y, more, Style::new().patch(self.style(Role::Dim)));
        }
    }

    /// The last line while it is open.
    pub(in crate::tui) fn what_if_keys(&self, buffer: &mut Buffer, area: Rect, what_if: &WhatIf) {
        if self.model.notice.is_some() {
            self.footer(buffer, area);
            return;
        }
        let key = |action| self.model.keymap.hint(action);
        let mut words: Vec<(String, &str)> = Vec::new();
        match what_if.focus {
            Focus::Policy => words.push(("type".into(), "edit")),
            Focus::Grants => words.push((key(Action::WhatIfToggle), "grant off/on")),
            Focus::Changes => words.push((format!("{} {}", key(Action::Down), key(Action::Up)), "scroll")),
        }
        let next = if what_if.grants.is_empty() { "policy, changes" } else { "policy, grants, changes" };
        words.push((key(Action::WhatIfNext), next));
        if what_if.focus == Focus::Policy {
            words.push(("ctrl-u".into(), "undo"));
        }
        if what_if.to_write().is_ok() {
            words.push((key(Action::WhatIfFix), "fix…"));
        }
        words.push(("Esc".into(), "back: nothing is written"));
        let mut spans = vec![(Role::Text, " ".to_owned())];
        for (key, word) in words {
            spans.push((Role::Key, key));
            spans.push((Role::Dim, format!(" {word}  ")));
        }
        self.spans(buffer, area, &spans);
    }
}
