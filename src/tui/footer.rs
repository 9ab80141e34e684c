//! The last line: the keys that work here and now, with what hinders them; or a notice.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::keymap::Action;
use super::model::{Model, Place};
use super::pane::Pane;
use super::theme::Role;
use super::update;
use super::view::{Draw, Span};
use crate::inventory::Mode;

impl Draw<'_> {
    /// The keys of what lies over the pane; or a notice.
    pub(super) fn overlay_footer(&self, buffer: &mut Buffer, area: Rect, keys: &[(String, &str)]) {
        if self.model.notice.is_some() {
            return self.footer(buffer, area);
        }
        let mut spans: Vec<Span> = vec![(Role::Text, " ".into())];
        let mut room = usize::from(area.width).saturating_sub(1);
        for (key, word) in keys.iter().filter(|(key, _)| !key.is_empty()) {
            let cells = key.width() + word.width() + 3;
            // What does not fit is left out, as ever; the blanks behind the last word need no room.
            if cells > room + 2 {
                continue;
            }
            room = room.saturating_sub(cells);
            spans.extend([(Role::Key, key.clone()), (Role::Dim, format!(" {word}  "))]);
        }
        self.spans(buffer, area, &spans);
    }

    pub(super) fn footer(&self, buffer: &mut Buffer, area: Rect) {
        if let Some(notice) = &self.model.notice {
            let role = if notice.bad { Role::High } else { Role::Notice };
            let mark = if notice.bad { " ! " } else { " " };
            self.spans(buffer, area, &[(role, format!("{mark}{}", notice.text))]);
            return;
        }
        let mut spans: Vec<Span> = vec![(Role::Text, " ".into())];
        let mut room = usize::from(area.width).saturating_sub(1);
        for (action, word) in hints(self.model) {
            let key = self.model.keymap.hint(action);
            if key.is_empty() {
                continue;
            }
            let off = update::refusal(self.model, action).is_some();
            let cells = key.width() + word.width() + 3;
            if cells > room {
                continue;
            }
            room -= cells;
            spans.push((if off { Role::Dim } else { Role::Key }, key));
            spans.push((Role::Dim, format!(" {word}  ")));
        }
        self.spans(buffer, area, &spans);
    }
}

/// The keys of the footer, the most useful first, with what hinders them.
fn hints(model: &Model) -> Vec<(Action, String)> {
    let top = model.stack.last().map(|spot| &spot.place);
    let word = |action: Action| {
        let short = action.entry().short;
        let word = match (action, model.mode()) {
            (Action::Pause, _) if model.paused => "go on",
            (Action::Quit, _) if !model.stack.is_empty() => "close",
            (Action::Open, _) if matches!(top, Some(Place::Access(_))) => "explain",
            (Action::MatrixRight, _) => "h action",
            (Action::FoldAll, _) => "fold all",
            (Action::UnfoldAll, _) => "unfold all",
            _ => short,
        };
        if action == Action::Fix {
            return match (update::refusal(model, action), model.mode()) {
                (Some(why), _) => format!("{word} ({why})"),
                (None, Mode::ReadOnly) => format!("{word} (needs --write)"),
                (None, Mode::Demo) => format!("{word} (rehearsed)"),
                (None, Mode::Case) => format!("{word} (preview only)"),
                (None, Mode::Write) => word.to_owned(),
            };
        }
        word.to_owned()
    };
    let actions: &[Action] = match model.stack.last().map(|spot| &spot.place) {
        Some(Place::Event(_)) => {
            &[Action::Only, Action::Except, Action::GoTo, Action::Copy, Action::FoldAll, Action::Back, Action::Help]
        }
        Some(Place::Raw(_)) => {
            &[Action::Open, Action::FoldAll, Action::UnfoldAll, Action::Copy, Action::Back, Action::Help]
        }
        Some(Place::Access(_)) => &[
            Action::Open,
            Action::WhatIf,
            Action::MatrixTab,
            Action::Filter,
            Action::Sort,
            Action::Back,
            Action::MatrixRight,
            Action::Help,
            Action::Events,
            Action::WhoCan,
            Action::CopyId,
        ],
        Some(Place::Cell(_)) => {
            &[Action::Open, Action::WhatIf, Action::Raw, Action::Copy, Action::Back, Action::Help, Action::Palette]
        }
        Some(Place::Lineage(_)) => &[
            Action::Open,
            Action::Toggle,
            Action::FoldAll,
            Action::UnfoldAll,
            Action::Back,
            Action::Help,
            Action::Fix,
            Action::Events,
            Action::WhoCan,
            Action::CopyId,
        ],
        Some(Place::Framework(_)) => {
            &[Action::Open, Action::Copy, Action::Export, Action::Back, Action::Palette, Action::Help]
        }
        Some(Place::Errors | Place::Identity) => &[Action::Copy, Action::Back, Action::Palette, Action::Help],
        Some(_) => &[
            Action::Open,
            Action::Fix,
            Action::Events,
            Action::WhoCan,
            Action::Lineage,
            Action::Back,
            Action::Help,
            Action::Raw,
            Action::CopyId,
            Action::Palette,
        ],
        None if model.pane == Pane::Trail => &[
            Action::Filter,
            Action::Open,
            Action::Only,
            Action::Except,
            Action::GoTo,
            Action::Pause,
            Action::Help,
            Action::Palette,
            Action::Quit,
        ],
        None if matches!(model.pane, Pane::Journal | Pane::Compliance) => {
            &[Action::Open, Action::Filter, Action::Sort, Action::Export, Action::Palette, Action::Help, Action::Quit]
        }
        None if model.pane == Pane::Sources => &[
            Action::Open,
            Action::Refresh,
            Action::Pause,
            Action::Filter,
            Action::Sort,
            Action::Errors,
            Action::Help,
            Action::Quit,
        ],
        None if model.pane == Pane::Posture => &[
            Action::Open,
            Action::Fix,
            Action::Events,
            Action::WhoCan,
            Action::Filter,
            Action::Help,
            Action::Changes,
            Action::Palette,
            Action::Lineage,
            Action::Sort,
            Action::Quit,
        ],
        None => &[
            Action::Open,
            Action::Fix,
            Action::Events,
            Action::WhoCan,
            Action::Filter,
            Action::Help,
            Action::Palette,
            Action::Lineage,
            Action::Sort,
            Action::Quit,
        ],
    };
    // What cannot be done here is left out; a fix says why, where there is something that could want one.
    let narrow = model.size.0 < 60;
    let applies = |action: &&Action| match action {
        Action::WhoCan | Action::Events | Action::Lineage | Action::Raw | Action::CopyId | Action::GoTo => {
            update::refusal(model, **action).is_none()
        }
        Action::Fix => {
            update::refusal(model, **action).is_none()
                || (!narrow && (model.resource().is_some() || !super::navigate::findings(model).is_empty()))
        }
        _ => true,
    };
    actions.iter().filter(applies).map(|action| (*action, word(*action))).collect()
}
