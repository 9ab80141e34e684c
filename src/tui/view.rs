//! The whole screen from the model. Draws, and does nothing else.

use std::sync::Arc;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::fit::{align, clip, telling};
use super::keymap::Action;
use super::layout::{self, Strip};
use super::list::{self, Cell};
use super::model::{Model, Overlay, Place};
use super::page::{self, Page};
use super::pane;
use super::theme::Role;
use super::{ascii, help};
use crate::base::text::safe;

/// A piece of a line.
pub type Span = (Role, String);

/// Draws the console.
pub fn view(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    let size = (area.width, area.height);
    let buffer = frame.buffer_mut();
    let mut cursor = None;
    match layout::areas(size) {
        None => too_small(buffer, area),
        Some(areas) => {
            let draw = Draw { model };
            draw.header(buffer, areas.header);
            if let Some(tabs) = areas.tabs {
                draw.tabs(buffer, tabs);
            }
            match model.stack.last() {
                Some(spot) => draw.spot(buffer, areas.body, spot),
                None => draw.pane(buffer, areas.body),
            }
            cursor = draw.overlay(buffer, areas.body, areas.footer);
        }
    }
    if model.ascii {
        ascii::fold(buffer);
    }
    if let Some(position) = cursor {
        frame.set_cursor_position(position);
    }
}

fn too_small(buffer: &mut Buffer, area: Rect) {
    let text =
        format!("terminal too small: {}×{}, needs {}×{}", area.width, area.height, layout::LEAST.0, layout::LEAST.1);
    for (row, line) in page::wrap(&text, usize::from(area.width)).into_iter().take(usize::from(area.height)).enumerate()
    {
        buffer.set_stringn(area.x, area.y + row as u16, line, usize::from(area.width), Style::new());
    }
}

/// Drawing with the theme at hand.
pub(super) struct Draw<'a> {
    pub(super) model: &'a Model,
}

impl Draw<'_> {
    pub(super) fn style(&self, role: Role) -> Style {
        self.model.theme.style(role)
    }

    /// Draws spans from `x`, at most to the end of `area`'s first line. Returns where it ended.
    pub(super) fn spans<'s>(&self, buffer: &mut Buffer, area: Rect, spans: impl IntoIterator<Item = &'s Span>) -> u16 {
        let mut x = area.x;
        for (role, text) in spans {
            let room = area.right().saturating_sub(x);
            if room == 0 || area.height == 0 {
                break;
            }
            let (text, room) = (clip(text, room), usize::from(room));
            x = buffer.set_stringn(x, area.y, &text, room, self.style(*role)).0;
        }
        x
    }

    /// A frame with a title, a state beside it and words in its foot. Returns what is inside.
    pub(super) fn frame(&self, buffer: &mut Buffer, area: Rect, title: &[Span], foot: &[Span]) -> Rect {
        let border = self.style(Role::Border);
        let (right, bottom) = (area.right().saturating_sub(1), area.bottom().saturating_sub(1));
        if area.width < 4 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let line = "─".repeat(usize::from(area.width - 2));
        buffer.set_string(area.x, area.y, format!("┌{line}┐"), border);
        buffer.set_string(area.x, bottom, format!("└{line}┘"), border);
        for y in area.y + 1..bottom {
            buffer.set_string(area.x, y, "│", border);
            buffer.set_string(right, y, "│", border);
        }
        for (y, spans) in [(area.y, title), (bottom, foot)] {
            if spans.is_empty() {
                continue;
            }
            let room = Rect { x: area.x + 2, y, width: area.width.saturating_sub(4), height: 1 };
            let spaced = std::iter::once((Role::Border, " ".to_owned()))
                .chain(spans.iter().cloned())
                .chain(std::iter::once((Role::Border, " ".to_owned())))
                .collect::<Vec<_>>();
            self.spans(buffer, room, &spaced);
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    fn pane(&self, buffer: &mut Buffer, body: Rect) {
        let parts = layout::parts(self.model.pane, body);
        for (strip, area) in &parts.strips {
            match strip {
                Strip::Preview => self.preview(buffer, *area),
                strip => pane::strip(self, buffer, *area, *strip),
            }
        }
        self.list(buffer, parts.list);
    }

    fn preview(&self, buffer: &mut Buffer, area: Rect) {
        let (_, rows) = layout::inner(area);
        let Some((place, width)) = page::beside(self.model) else {
            self.frame(buffer, area, &[], &[]);
            return;
        };
        let page = super::held::preview(self.model, &place, width);
        let more = page.lines.len() > rows;
        let foot =
            if more { format!("{} more lines · Enter opens", page.lines.len() - rows) } else { "Enter opens".into() };
        let inside = self.frame(buffer, area, &title_of(&page), &[(Role::Dim, foot)]);
        self.lines(buffer, inside, &page, 0, None);
    }

    fn spot(&self, buffer: &mut Buffer, body: Rect, spot: &super::model::Spot) {
        let (_, rows) = layout::inner(body);
        let page = super::held::page(self.model, spot);
        let mut title: Vec<Span> = vec![(Role::Title, self.model.pane.title().to_owned())];
        for (at, crumb) in self.model.stack.iter().enumerate() {
            let name =
                if at + 1 == self.model.stack.len() { page.title.clone() } else { crumb_of(self.model, &crumb.place) };
            title.push((Role::Dim, " ▸ ".into()));
            title.push((if at + 1 == self.model.stack.len() { Role::Title } else { Role::Dim }, name));
        }
        if let Some((role, word)) = &page.state {
            title.push((Role::Text, "   ".into()));
            title.push((*role, word.clone()));
        }
        if let Place::Access(of) = &spot.place {
            return self.access(buffer, body, of, &title);
        }
        let count = page.lines.len();
        let foot = if count > rows {
            format!("{}–{} of {count}", spot.scroll + 1, (spot.scroll + rows).min(count))
        } else {
            String::new()
        };
        let foot: Vec<Span> = if foot.is_empty() { Vec::new() } else { vec![(Role::Dim, foot)] };
        let inside = self.frame(buffer, body, &title, &foot);
        let cursor = spot.cursor.min(count.saturating_sub(1));
        let scroll = spot.scroll.min(cursor).max((cursor + 1).saturating_sub(rows.max(1)));
        self.lines(buffer, inside, &page, scroll, Some(cursor));
    }

    fn lines(&self, buffer: &mut Buffer, area: Rect, page: &Page, scroll: usize, cursor: Option<usize>) {
        for (row, line) in page.lines.iter().enumerate().skip(scroll).take(usize::from(area.height)) {
            let y = area.y + (row - scroll) as u16;
            let here = Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 };
            self.spans(buffer, here, &line.spans);
            if cursor == Some(row) {
                let place = Rect { x: area.x, y, width: area.width, height: 1 };
                if line.target.is_some() || line.field.is_some() {
                    buffer.set_style(place, self.style(Role::Selection));
                }
                buffer.set_string(area.x, y, "▸", self.style(Role::Accent));
            } else if line.target.is_some() && cursor.is_some() && !matches!(line.target, Some(page::Target::Fold(_))) {
                buffer.set_string(area.x, y, "·", self.style(Role::Accent));
            }
        }
    }

    fn list(&self, buffer: &mut Buffer, area: Rect) {
        let model = self.model;
        let list = model.list();
        let columns = pane::columns(model.pane);
        let mut title: Vec<Span> = vec![(Role::Title, pane::list_title(model.pane).to_owned())];
        title.push((
            Role::Dim,
            if list.filter.is_empty() {
                match (model.pane, model.judged.unknown.len()) {
                    (pane::Pane::Posture | pane::Pane::Findings, unknown) if unknown > 0 => {
                        format!("  {} and {unknown} unknown", list.total.saturating_sub(unknown))
                    }
                    _ => format!("  {}", list.total),
                }
            } else {
                format!("  {} of {}", list.subjects.len(), list.total)
            },
        ));
        if !list.filter.is_empty() {
            // A pointer into a record begins with a slash of its own.
            let blank = if list.filter.starts_with('/') { " " } else { "" };
            title.push((Role::Text, "  ".into()));
            title.push((Role::Match, format!("/{blank}{}", safe(&list.filter))));
        }
        if let Some((column, backwards)) = list.sort {
            let arrow = if backwards { "▼" } else { "▲" };
            title.push((Role::Dim, format!("  {arrow}{}", columns[column].name())));
        }
        if !list.marked.is_empty() {
            title.push((Role::Accent, format!("  ●{} marked", list.marked.len())));
        }
        let gap = pane::sources_of(model.pane).iter().find_map(|source| {
            let report = model.inventory.coverage.report(*source)?;
            report.error.as_ref().map(|error| format!("{} {}", error.operation, error.kind.word()))
        });
        let mut foot: Vec<Span> = Vec::new();
        if list.subjects.len() > usize::from(area.height.saturating_sub(3)) {
            foot.push((Role::Dim, format!("{} of {}", list.cursor + 1, list.subjects.len())));
        }
        if let Some(way) = model.ways.last().filter(|way| way.pane == model.pane) {
            let from = way.from.stack.last().map(|spot| crumb_of(model, &spot.place));
            let from = from.unwrap_or_else(|| way.from.pane.title().to_owned());
            foot.push((Role::Dim, format!("{}Esc: back to {from}", if foot.is_empty() { "" } else { " · " })));
        }
        if let Some(gap) = gap {
            foot.push((Role::Medium, format!("{}! {gap}: 0 tells more", if foot.is_empty() { "" } else { "  " })));
        }
        let inside = self.frame(buffer, area, &title, &foot);
        if inside.height == 0 {
            return;
        }
        if list.subjects.is_empty() {
            let (role, text) = pane::nothing(model);
            let room = usize::from(inside.width.saturating_sub(2));
            for (row, line) in page::wrap(&text, room).into_iter().take(usize::from(inside.height)).enumerate() {
                let y = inside.y + row as u16;
                self.spans(buffer, Rect { x: inside.x + 1, y, width: inside.width - 1, height: 1 }, &[(role, line)]);
            }
            return;
        }
        // One cell for the marker on the left, one of air on the right.
        let widths = list::widths(columns, inside.width.saturating_sub(2));
        let place = |y: u16, at: usize| {
            let before: u16 = widths[..at].iter().filter(|width| **width > 0).map(|width| width + 1).sum();
            Rect { x: inside.x + 1 + before, y, width: widths[at], height: 1 }
        };
        for (at, column) in columns.iter().enumerate().filter(|(at, _)| widths[*at] > 0) {
            let text = align(column.title, widths[at], column.right);
            self.spans(buffer, place(inside.y, at), &[(Role::Dim, text)]);
        }
        let rows = usize::from(inside.height - 1);
        let offset = list.offset.min(list.subjects.len().saturating_sub(1));
        let mut above: Arc<Vec<Cell>> = Arc::default();
        for (row, subject) in list.subjects.iter().enumerate().skip(offset).take(rows) {
            let y = inside.y + 1 + (row - offset) as u16;
            let cells = super::held::cells(model, subject);
            for (at, cell) in cells.iter().enumerate() {
                if at < widths.len() && widths[at] > 0 {
                    let before = above.get(at).map_or("", |cell| cell.fitting(widths[at]));
                    let text = telling(before, cell.fitting(widths[at]), widths[at]);
                    let text = align(&text, widths[at], columns[at].right);
                    // why plain: reversed colours are hard to read, and each change of colour is paid for.
                    let role = if row == list.cursor { Role::Text } else { cell.role };
                    self.spans(buffer, place(y, at), &[(role, text)]);
                }
            }
            above = cells;
            let marked = list.marked.contains(subject);
            if marked {
                buffer.set_string(inside.x, y, "●", self.style(Role::Accent));
            }
            if row == list.cursor {
                buffer.set_style(Rect { y, height: 1, ..inside }, self.style(Role::Selection));
                if !marked {
                    buffer.set_string(inside.x, y, "▸", Style::new());
                }
            }
        }
    }

    /// What lies over the pane, and the last line. Returns where the text cursor stands.
    fn overlay(&self, buffer: &mut Buffer, body: Rect, footer: Rect) -> Option<Position> {
        match &self.model.overlay {
            Some(Overlay::Filter(line, _)) => {
                let before = format!(" /{}", safe(&line.before_cursor()));
                let text = format!(" /{}", safe(&line.text()));
                let end = self.spans(buffer, footer, &[(Role::Accent, text)]);
                let hint = "   Enter keep · Esc undo";
                self.spans(
                    buffer,
                    Rect { x: end, width: footer.right().saturating_sub(end), ..footer },
                    &[(Role::Dim, hint.into())],
                );
                let x = (footer.x + before.width() as u16).min(footer.right().saturating_sub(1));
                Some(Position::new(x, footer.y))
            }
            Some(Overlay::Help(scroll)) => {
                let lines = help::lines(self.model);
                let room = usize::from(body.height.saturating_sub(2));
                let foot = format!("{}–{} of {}", scroll + 1, (scroll + room).min(lines.len()), lines.len());
                clear(buffer, body);
                let inside = self.frame(buffer, body, &[(Role::Title, "Help: every key".into())], &[(Role::Dim, foot)]);
                for (row, line) in lines.iter().skip(*scroll).take(room).enumerate() {
                    let y = inside.y + row as u16;
                    self.spans(
                        buffer,
                        Rect { x: inside.x + 1, y, width: inside.width.saturating_sub(1), height: 1 },
                        line,
                    );
                }
                let key = |action| self.model.keymap.hint(action);
                let pair = |one, other| format!("{} {}", key(one), key(other));
                let keys = [
                    (pair(Action::Down, Action::Up), "scroll"),
                    (pair(Action::Top, Action::Bottom), "ends"),
                    ("any other key".to_owned(), "closes"),
                ];
                self.overlay_footer(buffer, footer, &keys);
                None
            }
            Some(Overlay::Palette(palette)) => {
                let position = self.palette(buffer, body, palette);
                let keys =
                    [("Enter".to_owned(), "do it"), ("Esc".to_owned(), "close"), ("Tab up down".to_owned(), "choose")];
                self.overlay_footer(buffer, footer, &keys);
                Some(position)
            }
            Some(Overlay::Fix(dialog)) => {
                clear(buffer, body);
                let position = self.fix(buffer, body, dialog);
                self.fix_keys(buffer, footer, dialog);
                position
            }
            Some(Overlay::WhatIf(what_if)) => {
                clear(buffer, body);
                self.what_if(buffer, body, what_if);
                self.what_if_keys(buffer, footer, what_if);
                None
            }
            Some(Overlay::Undo(list)) => {
                clear(buffer, body);
                self.undo(buffer, body, list);
                self.undo_keys(buffer, footer);
                None
            }
            Some(Overlay::Deep) => {
                self.deep(buffer, body, footer);
                None
            }
            None => {
                self.footer(buffer, footer);
                None
            }
        }
    }

    fn palette(&self, buffer: &mut Buffer, body: Rect, palette: &super::palette::Palette) -> Position {
        let width = body.width.min(92);
        let height = body.height.min(18);
        let area = Rect { x: body.x + (body.width - width) / 2, y: body.y, width, height };
        clear(buffer, area);
        let count = format!("{} of {}", palette.hits.len().min(palette.cursor + 1), palette.hits.len());
        let inside = self.frame(buffer, area, &[(Role::Title, "Command".into())], &[(Role::Dim, count)]);
        let typed = format!(":{}", safe(&palette.line.text()));
        self.spans(buffer, Rect { x: inside.x + 1, height: 1, ..inside }, &[(Role::Accent, typed)]);
        let rows = usize::from(inside.height.saturating_sub(1));
        let first = palette.cursor.saturating_sub(rows.saturating_sub(1));
        for (row, hit) in palette.hits.iter().enumerate().skip(first).take(rows) {
            let y = inside.y + 1 + (row - first) as u16;
            let here = Rect { x: inside.x + 1, y, width: inside.width.saturating_sub(2), height: 1 };
            let name = align(&hit.name, 22, false);
            self.spans(buffer, here, &[(Role::Text, name), (Role::Dim, format!(" {}", hit.brief()))]);
            if row == palette.cursor {
                buffer.set_style(Rect { y, height: 1, ..inside }, self.style(Role::Selection));
            }
        }
        let before = format!(":{}", safe(&palette.line.before_cursor())).width() as u16;
        Position::new((inside.x + 1 + before).min(inside.right().saturating_sub(1)), inside.y)
    }
}

fn title_of(page: &Page) -> Vec<Span> {
    let mut title = vec![(Role::Title, page.title.clone())];
    if let Some((role, word)) = &page.state {
        title.push((Role::Text, "  ".into()));
        title.push((*role, word.clone()));
    }
    title
}

/// A place in a word or two, for the breadcrumbs.
fn crumb_of(model: &Model, place: &Place) -> String {
    match place {
        Place::Resource(resource) => model.name_of(resource),
        Place::Raw(_) => "JSON".into(),
        Place::Lineage(_) => "lineage".into(),
        Place::Network(_) => "network".into(),
        Place::Framework(id) => (*id).into(),
        Place::Finding(id) => {
            model.judged.verdict(&model.assessment, id).map_or_else(|| "finding".into(), |v| v.control.to_owned())
        }
        Place::Event(id) => model.log.event(id).map_or_else(|| "event".into(), |event| event.name.to_string()),
        Place::Invocation(_) => "invocation".into(),
        Place::Source(id) => id.name().to_owned(),
        Place::Access(of) => format!("{} who can", model.name_of(of)),
        Place::Cell(cell) => cell.action.clone(),
        Place::Journal(number) => format!("entry {number}"),
        Place::Changes => "changes".into(),
        Place::Errors => "errors".into(),
        Place::Identity => "identity".into(),
    }
}

pub(super) fn clear(buffer: &mut Buffer, area: Rect) {
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}
