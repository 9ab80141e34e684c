//! How the other two tables look: who can obtain access, and what was not seen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::board::Board;
use super::rows::Way;
use super::view::{Parts, line_of};
use crate::base::text::safe;
use crate::tui::fit::{align, clip};
use crate::tui::page::wrap;
use crate::tui::theme::Role;
use crate::tui::view::{Draw, Span};

impl Draw<'_> {
    pub(super) fn obtain(&self, buffer: &mut Buffer, parts: &Parts, board: &Board) {
        let width = parts.head.width;
        let (name, action) = match width {
            0..60 => (12, 14),
            60..100 => (18, 27),
            _ => (28, 30),
        };
        let columns = |line: Rect| {
            let at =
                |x: u16, width: u16| Rect { x: line.x + x, width: width.min(line.width.saturating_sub(x)), ..line };
            (
                at(1, 1),
                at(3, name),
                at(4 + name, action),
                at(5 + name + action, width.saturating_sub(6 + name + action)),
            )
        };
        let (_, who, by, path) = columns(parts.head);
        for (place, text) in [(who, "PRINCIPAL"), (by, "CAN"), (path, "ON, LEADING TO")] {
            self.spans(buffer, place, &[(Role::Dim, text.into())]);
        }
        let ways = board.ways.as_deref().unwrap_or_default();
        if board.way_order.is_empty() {
            let text = match &board.ways {
                None => "Following roles and chains…".to_owned(),
                Some(all) if all.is_empty() => "Nobody that was seen can get what it has not.".into(),
                Some(all) => format!("None of {} matches '{}'. Esc clears the filter.", all.len(), safe(&board.filter)),
            };
            self.spans(buffer, line_of(parts.body, 0), &[(Role::Dim, text)]);
        }
        let offset = board.offsets[1];
        for (row, at) in board.way_order.iter().enumerate().skip(offset).take(parts.rows) {
            let line = Rect { y: parts.body.y + (row - offset) as u16, height: 1, ..parts.body };
            let (way, here) = (&ways[*at], row == board.cursors[1]);
            let strange = way.class <= 1;
            let plain = |role: Role| if here { Role::Text } else { role };
            let (sign, who, by, path) = columns(line);
            self.spans(buffer, sign, &[(plain(way.mark.role(strange)), way.mark.sign(self.model.ascii).into())]);
            let role = if strange { Role::High } else { Role::Text };
            self.spans(buffer, who, &[(plain(role), align(&way.name, who.width, false))]);
            self.spans(buffer, by, &[(Role::Text, align(&way.action, by.width, false))]);
            self.spans(buffer, path, &[(plain(Role::Dim), clip(&way.path, path.width).into_owned())]);
            if here {
                buffer.set_style(line, self.style(Role::Selection));
                buffer.set_string(line.x, line.y, "▸", Style::new());
            }
        }
        if let (Some(area), Some(way)) = (parts.detail, board.selected_way()) {
            self.way_detail(buffer, area, way);
        }
    }

    fn way_detail(&self, buffer: &mut Buffer, area: Rect, way: &Way) {
        let sign = format!("{} {}", way.mark.sign(self.model.ascii), way.mark.word());
        let head = [
            (Role::Title, way.name.clone()),
            (Role::Text, format!("  {}  ", way.action)),
            (way.mark.role(way.class <= 1), sign),
        ];
        self.rule(buffer, area, &head);
        let lines = vec![
            (Role::Text, format!("{} ▸ {}", way.name, way.path)),
            (Role::Text, way.words.to_string()),
            (Role::Dim, way.id.to_string()),
        ];
        self.detail_lines(buffer, area, lines);
    }

    pub(super) fn limits(&self, buffer: &mut Buffer, parts: &Parts, board: &Board) {
        let width = usize::from(parts.body.width.saturating_sub(2));
        let mut lines: Vec<Span> = Vec::new();
        let limits = board.limits();
        if !limits.iter().any(|(gap, _)| *gap) {
            lines.push((Role::Ok, "Everything that was asked for was read.".into()));
        }
        for (gap, text) in &limits[board.offsets[2].min(limits.len())..] {
            let (role, mark) = if *gap { (Role::Unknown, "? ") } else { (Role::Dim, "  ") };
            lines.extend(
                wrap(text, width.saturating_sub(2))
                    .into_iter()
                    .enumerate()
                    .map(|(row, line)| (role, format!("{}{line}", if row == 0 { mark } else { "  " }))),
            );
        }
        for (row, span) in lines.into_iter().take(parts.rows).enumerate() {
            self.spans(buffer, line_of(parts.body, row as u16), &[span]);
        }
    }
}
