//! How the matrix looks: principals down, actions across, head and first column always in sight, and under
//! them what the cell under the cursor says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::board::{Board, Sort, Tab};
use super::label::{Mark, head};
use super::page::synthetic;
use super::rows::Entry;
use crate::base::text::safe;
use crate::base::time::span;
use crate::inventory::ResourceRef;
use crate::tui::fit::{align, clip};
use crate::tui::page::{Page, wrap};
use crate::tui::theme::Role;
use crate::tui::view::{Draw, Span};

/// Where the parts stand inside the frame.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    tabs: Rect,
    gap: Option<Rect>,
    pub(super) head: Rect,
    pub(super) body: Rect,
    pub(super) detail: Option<Rect>,
    /// Rows of data.
    pub rows: usize,
}

impl Parts {
    /// In the body of the screen.
    pub fn of(area: Rect, board: &Board) -> Self {
        let inside = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(2),
        };
        let line = |y: u16| Rect { y, height: 1, ..inside };
        let tabs = line(inside.y);
        let mut top = inside.y + 1;
        let gap = (!board.limits().iter().all(|(gap, _)| !gap) && inside.height >= 5).then(|| {
            top += 1;
            line(top - 1)
        });
        let has_head = board.tab != Tab::Limits;
        let head = line(top);
        top += u16::from(has_head);
        let left = inside.bottom().saturating_sub(top);
        let strip = match left {
            0..10 => 0,
            10..22 => 5,
            _ => 8,
        };
        let strip = if has_head { strip } else { 0 };
        let body = Rect { y: top, height: left.saturating_sub(strip), ..inside };
        let detail = (strip > 0).then(|| Rect { y: body.bottom(), height: strip, ..inside });
        Self { tabs, gap, head, body, detail, rows: usize::from(body.height) }
    }
}

/// Where names begin.
const NAMES: u16 = 2;

/// How the width is divided: the name, the actions that fit, the last use, the reason.
struct Plan {
    name: u16,
    /// Which actions are shown, and how wide each is.
    actions: std::ops::Range<usize>,
    widths: Vec<u16>,
    last: u16,
    why: u16,
}

impl Plan {
    fn of(width: u16, board: &Board) -> Self {
        let names: Vec<String> =
            board.known().map(|seen| seen.actions.iter().map(|action| head(action)).collect()).unwrap_or_default();
        let widths: Vec<u16> = names.iter().map(|name| (name.width() as u16).max(4)).collect();
        let (name, last, why) = match width {
            0..60 => (width.saturating_sub(19).clamp(10, 22), 0, 0),
            60..100 => (20, 5, 14),
            _ => (22, 5, 24),
        };
        // One cell for the marker, one for "!", one between columns.
        let fixed = NAMES + name + if last > 0 { last + 1 } else { 0 } + if why > 0 { why + 1 } else { 0 };
        let room = width.saturating_sub(fixed);
        let fits = |range: std::ops::Range<usize>| widths[range].iter().map(|width| width + 1).sum::<u16>() <= room;
        let at = board.action.min(widths.len().saturating_sub(1));
        let from = (0..=at).find(|from| fits(*from..at + 1)).unwrap_or(at);
        let mut to = (at + 1).min(widths.len());
        while to < widths.len() && fits(from..to + 1) {
            to += 1;
        }
        let from = if widths.is_empty() { 0 } else { from };
        let used: u16 = widths[from..to].iter().map(|width| width + 1).sum();
        let spare = room.saturating_sub(used);
        let (name, why) = match (why, width) {
            (0, _) => (name + spare, 0),
            (_, 0..100) => (name + spare, why),
            _ => (name + spare.min(8), why + spare.saturating_sub(8)),
        };
        Self { name, actions: from..to, widths, last, why }
    }

    fn column(&self, action: usize) -> (u16, u16) {
        let before: u16 = self.widths[self.actions.start..action].iter().map(|width| width + 1).sum();
        (NAMES + self.name + 1 + before, self.widths[action])
    }

    fn last_at(&self) -> u16 {
        NAMES + self.name + 1 + self.widths[self.actions.clone()].iter().map(|width| width + 1).sum::<u16>()
    }
}

/// The page of a matrix: only what the frame says; the rest is drawn.
pub fn title(board: Option<&Board>, width: usize) -> Page {
    let mut page = Page::new("who can", width);
    let Some(board) = board.filter(|board| board.known().is_some()) else { return page };
    let (open, all, unexpected) = board.counts();
    page.state = Some(match unexpected {
        0 => (Role::Dim, format!("{open} of {all} have access")),
        n => (Role::High, format!("{open} of {all} have access, {n} unexpected")),
    });
    page
}

impl Draw<'_> {
    /// Draws the matrix of a resource.
    pub(in crate::tui) fn access(&self, buffer: &mut Buffer, area: Rect, of: &ResourceRef, title: &[Span]) {
        let Some(board) = self.model.matrices.get(of) else {
            self.frame(buffer, area, title, &[]);
            return;
        };
        let parts = Parts::of(area, board);
        let inside = self.frame(buffer, area, title, &self.foot(board, parts.rows, area.width));
        if inside.height == 0 {
            return;
        }
        let Some(seen) = board.known() else {
            let (role, text) = match &board.seen {
                Some(Err(why)) => (Role::High, format!("Who can use it cannot be said: {why}.")),
                _ if self.model.session.is_none() => (Role::Dim, "There is no session yet: nothing is known.".into()),
                _ => (Role::Dim, format!("Asking every principal about {}…", self.model.name_of(of))),
            };
            let width = usize::from(inside.width.saturating_sub(2));
            for (row, line) in wrap(&text, width).into_iter().take(usize::from(inside.height)).enumerate() {
                self.spans(buffer, line_of(inside, row as u16), &[(role, line)]);
            }
            return;
        };
        self.tabs_of(buffer, parts.tabs, board, &seen.through);
        if let Some(line) = parts.gap {
            self.gap_line(buffer, line, board);
        }
        match board.tab {
            Tab::Who => self.who(buffer, &parts, board),
            Tab::Obtain => self.obtain(buffer, &parts, board),
            Tab::Limits => self.limits(buffer, &parts, board),
        }
    }

    fn foot(&self, board: &Board, rows: usize, width: u16) -> Vec<Span> {
        let mut foot: Vec<Span> = Vec::new();
        let count = board.count();
        if count > rows {
            foot.push((Role::Dim, format!("{} of {count}  ", board.cursors[board.tab as usize] + 1)));
        }
        if board.tab != Tab::Limits && width >= 60 && board.known().is_some() {
            for mark in Mark::ALL {
                foot.push((mark.role(false), mark.sign(self.model.ascii).into()));
                foot.push((Role::Dim, format!(" {}  ", mark.word())));
            }
        }
        if let Some((_, text)) = foot.last_mut() {
            *text = text.trim_end().to_owned();
        }
        foot
    }

    fn tabs_of(&self, buffer: &mut Buffer, area: Rect, board: &Board, through: &str) {
        let wide = area.width >= 60;
        let mut spans: Vec<Span> = vec![(Role::Text, " ".into())];
        let gaps = board.limits().iter().filter(|(gap, _)| *gap).count();
        for tab in Tab::ALL {
            let name = match (tab, wide) {
                (Tab::Who, _) => "Who can".to_owned(),
                (Tab::Obtain, true) => {
                    let count = board.ways.as_ref().map_or("…".to_owned(), |ways| ways.len().to_string());
                    format!("Can obtain access {count}")
                }
                (Tab::Obtain, false) => "Can obtain".into(),
                (Tab::Limits, true) => format!("Not seen {gaps}"),
                (Tab::Limits, false) => "Not seen".into(),
            };
            let open = tab == board.tab;
            let name = if open { format!("[{name}]") } else { name };
            spans.push((if open { Role::Accent } else { Role::Dim }, name));
            spans.push((Role::Text, "  ".into()));
        }
        if !board.filter.is_empty() {
            spans.push((Role::Match, format!("/{}  ", safe(&board.filter))));
            let all = match board.tab {
                Tab::Who => board.known().map_or(0, |seen| seen.entries.len()),
                _ => board.ways.as_ref().map_or(0, Vec::len),
            };
            spans.push((Role::Dim, format!("{} of {all}  ", board.count())));
        }
        let arrow = if board.backwards { "▲" } else { "▼" };
        match board.sort {
            Sort::Risk if !board.backwards => {}
            Sort::Risk => spans.push((Role::Dim, format!("{arrow}risk  "))),
            Sort::Name => spans.push((Role::Dim, format!("{arrow}name  "))),
            Sort::Used => spans.push((Role::Dim, format!("{arrow}last use  "))),
        }
        spans.push((Role::Dim, through.to_owned()));
        self.spans(buffer, area, &spans);
    }

    fn gap_line(&self, buffer: &mut Buffer, area: Rect, board: &Board) {
        let gaps: Vec<String> = board.limits().into_iter().filter(|(gap, _)| *gap).map(|(_, text)| text).collect();
        let Some(first) = gaps.first() else { return };
        let more = if gaps.len() > 1 { format!(" (+{})", gaps.len() - 1) } else { String::new() };
        let rows = board.known().is_some_and(|seen| !seen.gaps.is_empty());
        let words = match (rows, area.width >= 60) {
            (true, true) => "not complete, rows may be missing: ",
            (true, false) => "not complete: ",
            (false, true) => "not all can be told: ",
            (false, false) => "not all seen: ",
        };
        let room = usize::from(area.width).saturating_sub(4 + words.width() + more.width());
        let first = clip(first, room as u16).into_owned();
        self.spans(buffer, area, &[(Role::Unknown, format!(" ? {words}{first}{more}"))]);
    }

    fn who(&self, buffer: &mut Buffer, parts: &Parts, board: &Board) {
        let Some(seen) = board.known() else { return };
        let plan = Plan::of(parts.head.width, board);
        self.heads(buffer, parts.head, board, &plan);
        if board.order.is_empty() {
            let text = if board.filter.is_empty() {
                "Nobody that was read, and nobody is named.".to_owned()
            } else {
                format!("Nobody of {} matches '{}'. Esc clears the filter.", seen.entries.len(), safe(&board.filter))
            };
            self.spans(buffer, line_of(parts.body, 0), &[(Role::Dim, text)]);
        }
        let offset = board.offsets[0];
        for (row, at) in board.order.iter().enumerate().skip(offset).take(parts.rows) {
            let line = Rect { y: parts.body.y + (row - offset) as u16, height: 1, ..parts.body };
            self.row(buffer, line, board, &plan, &seen.entries[*at], row == board.cursors[0]);
        }
        if let (Some(area), Some(entry)) = (parts.detail, board.selected()) {
            self.cell_detail(buffer, area, board, entry);
        }
    }

    fn heads(&self, buffer: &mut Buffer, area: Rect, board: &Board, plan: &Plan) {
        let Some(seen) = board.known() else { return };
        let put = |buffer: &mut Buffer, x: u16, width: u16, span: Span| {
            self.spans(buffer, Rect { x: area.x + x, width: width.min(area.width.saturating_sub(x)), ..area }, &[span]);
        };
        put(buffer, NAMES, plan.name, (Role::Dim, "PRINCIPAL".into()));
        for at in plan.actions.clone() {
            let (x, width) = plan.column(at);
            let name = head(&seen.actions[at]);
            let fill = usize::from(width).saturating_sub(name.width()) / 2;
            let role = if at == board.action { Role::Title } else { Role::Dim };
            put(buffer, x + fill as u16, width, (role, name));
        }
        if plan.last > 0 {
            put(buffer, plan.last_at(), plan.last, (Role::Dim, format!("{:>5}", "USED")));
        }
        if plan.why > 0 {
            put(buffer, plan.last_at() + plan.last + 1, plan.why, (Role::Dim, "WHY".into()));
        }
        // What does not fit shows at the edges: h and l bring it in.
        if plan.actions.start > 0 {
            put(buffer, NAMES + plan.name, 1, (Role::Accent, "◂".into()));
        }
        if plan.actions.end < seen.actions.len() {
            put(buffer, plan.last_at().saturating_sub(1), 1, (Role::Accent, "▸".into()));
        }
    }

    fn row(&self, buffer: &mut Buffer, line: Rect, board: &Board, plan: &Plan, entry: &Entry, here: bool) {
        let unexpected = entry.unexpected.is_some();
        let plain = |role: Role| if here { Role::Text } else { role };
        let at = |x: u16, width: u16| Rect { x: line.x + x, width: width.min(line.width.saturating_sub(x)), ..line };
        if unexpected {
            self.spans(buffer, at(1, 1), &[(plain(Role::High), "!".into())]);
        }
        let role = match (unexpected, entry.has_access()) {
            (true, _) => Role::High,
            (false, true) => Role::Text,
            (false, false) => Role::Dim,
        };
        let name = if entry.is_self { format!("{} (you)", entry.name) } else { entry.name.clone() };
        self.spans(buffer, at(NAMES, plan.name), &[(plain(role), align(&name, plan.name, false))]);
        for action in plan.actions.clone() {
            let (x, width) = plan.column(action);
            let mark = entry.mark(action);
            let sign = mark.sign(self.model.ascii);
            let middle = x + (width - 1) / 2;
            if here && action == board.action {
                // why brackets: the row is reversed already, and colour alone marks nothing.
                self.spans(buffer, at(middle - 1, 3), &[(Role::Text, format!("[{sign}]"))]);
            } else {
                self.spans(buffer, at(middle, 1), &[(plain(mark.role(unexpected)), sign.into())]);
            }
        }
        if plan.last > 0 {
            let (role, text) = self.last_use(board, entry);
            self.spans(buffer, at(plan.last_at(), plan.last), &[(plain(role), format!("{text:>5}"))]);
        }
        if plan.why > 0 {
            let (role, why) = match &entry.unexpected {
                Some(reason) if plan.why >= 20 && !entry.how.is_empty() => {
                    (Role::High, format!("{}: {}", reason.short, entry.how))
                }
                Some(reason) => (Role::High, reason.short.to_owned()),
                None if plan.why >= 20 => (Role::Dim, entry.how.clone()),
                None => (Role::Dim, String::new()),
            };
            let x = plan.last_at() + plan.last + 1;
            self.spans(buffer, at(x, plan.why), &[(plain(role), clip(&why, plan.why).into_owned())]);
        }
        if here {
            buffer.set_style(line, self.style(Role::Selection));
            buffer.set_string(line.x, line.y, "▸", Style::new());
        }
    }

    /// The last use, in four cells.
    fn last_use(&self, board: &Board, entry: &Entry) -> Span {
        let ago = |at| {
            let secs = self.model.now.secs_since(at).max(0);
            if secs < 60 { "<1m".to_owned() } else { span(secs) }
        };
        match board.uses.of(&entry.key) {
            Some(used) => match (used.at, used.denied_at) {
                (Some(at), _) => (Role::Text, ago(at)),
                (None, Some(at)) => (Role::High, format!("{}{}", Mark::Denied.sign(self.model.ascii), ago(at))),
                (None, None) => (Role::Dim, "-".into()),
            },
            None => (Role::Dim, "-".into()),
        }
    }

    pub(super) fn rule(&self, buffer: &mut Buffer, area: Rect, spans: &[Span]) {
        buffer.set_string(area.x, area.y, "─".repeat(usize::from(area.width)), self.style(Role::Border));
        let mut spaced = vec![(Role::Text, " ".to_owned())];
        spaced.extend(spans.iter().cloned());
        spaced.push((Role::Text, " ".to_owned()));
        self.spans(buffer, Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area }, &spaced);
    }

    /// What the cell under the cursor says, in the lines under the rows.
    fn cell_detail(&self, buffer: &mut Buffer, area: Rect, board: &Board, entry: &Entry) {
        let action = board.selected_action().unwrap_or_default();
        let mark = entry.mark(board.action);
        let unexpected = entry.unexpected.is_some();
        let sign = format!("{} {}", mark.sign(self.model.ascii), mark.word());
        self.rule(
            buffer,
            area,
            &[(Role::Title, entry.name.clone()), (Role::Text, format!("  {action}  ")), (mark.role(unexpected), sign)],
        );
        let mut lines: Vec<Span> = Vec::new();
        if let Some(words) = entry.words.get(board.action) {
            lines.push((Role::Text, words.to_string()));
        }
        if let Some(reason) = &entry.unexpected {
            lines.push((Role::High, format!("unexpected: {}", reason.why)));
        }
        if let Some(words) = synthetic(&entry.who).filter(|_| entry.unexpected.is_none()) {
            lines.push((Role::Dim, words.to_owned()));
        }
        if let Some(used) = board.uses.of(&entry.key) {
            let ago = |at| span(self.model.now.secs_since(at).max(0));
            if let Some(at) = used.at {
                let how = used.via.as_ref().map_or_else(|| "itself".to_owned(), |via| format!("through {via}"));
                lines.push((Role::Text, format!("last used {} ago: {} {how}", ago(at), used.what)));
            }
            if let Some(at) = used.denied_at {
                let times = if used.denied == 1 { "once" } else { "times" };
                let count = if used.denied == 1 { String::new() } else { format!("{} ", used.denied) };
                lines.push((Role::High, format!("refused {count}{times}, last {} ago", ago(at))));
            }
        }
        lines.push((Role::Dim, entry.id.to_string()));
        self.detail_lines(buffer, area, lines);
    }

    pub(super) fn detail_lines(&self, buffer: &mut Buffer, area: Rect, lines: Vec<Span>) {
        let width = usize::from(area.width.saturating_sub(2));
        let wrapped = lines.into_iter().flat_map(|(role, text)| wrap(&text, width).into_iter().map(move |l| (role, l)));
        for (row, span) in wrapped.take(usize::from(area.height.saturating_sub(1))).enumerate() {
            self.spans(buffer, line_of(area, row as u16 + 1), &[span]);
        }
    }
}

/// A line of an area, with a margin.
pub(super) fn line_of(area: Rect, row: u16) -> Rect {
    let y = area.y + row.min(area.height.saturating_sub(1));
    Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 }
}
