//! Where everything stands, for `view` and for `update`, which must agree on how many rows there are.

use ratatui::layout::Rect;

use super::pane::Pane;

/// The least columns and rows the console works in.
pub const LEAST: (u16, u16) = (40, 10);

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Who, where, counts.
    pub header: Rect,
    /// The tabs, where there is room.
    pub tabs: Option<Rect>,
    /// The pane.
    pub body: Rect,
    /// Keys, or a notice.
    pub footer: Rect,
}

/// The parts of the screen, or none if it is too small.
pub fn areas((width, height): (u16, u16)) -> Option<Areas> {
    if width < LEAST.0 || height < LEAST.1 {
        return None;
    }
    let row = |y| Rect::new(0, y, width, 1);
    let tabs = (height >= 14).then(|| row(1));
    let top = 1 + u16::from(tabs.is_some());
    Some(Areas { header: row(0), tabs, body: Rect::new(0, top, width, height - top - 1), footer: row(height - 1) })
}

/// A box beside the list of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strip {
    /// Scores by area.
    Scores,
    /// What changed, what expires, what was not seen.
    Changes,
    /// The newest events.
    Live,
    /// Events over time.
    Histogram,
    /// Where invocations are logged.
    Logging,
    /// Tokens by model and by caller.
    Usage,
    /// What is under the cursor.
    Preview,
}

/// The parts of a pane: boxes and the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The boxes.
    pub strips: Vec<(Strip, Rect)>,
    /// The list, with its frame.
    pub list: Rect,
}

/// How a pane divides the body.
pub fn parts(pane: Pane, body: Rect) -> Parts {
    let wide = body.width >= 110;
    let mut strips = Vec::new();
    let mut list = body;
    let cut_top = |list: &mut Rect, rows: u16| {
        let top = Rect { height: rows, ..*list };
        list.y += rows;
        list.height -= rows;
        top
    };
    match pane {
        Pane::Posture => {
            if body.height >= 17 {
                let top = cut_top(&mut list, 11);
                if body.width >= 100 {
                    let left = (body.width * 55 / 100).clamp(64, 76);
                    strips.push((Strip::Scores, Rect { width: left, ..top }));
                    strips.push((Strip::Changes, Rect { x: top.x + left, width: top.width - left, ..top }));
                } else if body.width >= 76 {
                    strips.push((Strip::Scores, Rect { width: 38, ..top }));
                    strips.push((Strip::Changes, Rect { x: top.x + 38, width: top.width - 38, ..top }));
                } else {
                    strips.push((Strip::Scores, top));
                }
            }
            if list.height >= 18 {
                let rows = (list.height / 3).clamp(6, 12);
                list.height -= rows;
                strips.push((Strip::Live, Rect { y: list.y + list.height, height: rows, ..list }));
            }
        }
        Pane::Findings if wide && body.height >= 30 => {
            let rows = body.height * 2 / 5;
            list.height -= rows;
            strips.push((Strip::Preview, Rect { y: list.y + list.height, height: rows, ..list }));
        }
        Pane::Sources | Pane::Guardrails | Pane::Roles | Pane::Compliance | Pane::Journal if body.height >= 30 => {
            let rows = body.height / 2;
            list.height -= rows;
            strips.push((Strip::Preview, Rect { y: list.y + list.height, height: rows, ..list }));
        }
        Pane::Trail if body.height >= 15 => strips.push((Strip::Histogram, cut_top(&mut list, 6))),
        Pane::Invocations if body.height >= 13 => {
            let top = cut_top(&mut list, if wide && body.height >= 30 { 12 } else { 8 });
            let left = if wide { body.width / 2 } else { body.width };
            strips.push((Strip::Logging, Rect { width: left, ..top }));
            if wide {
                strips.push((Strip::Usage, Rect { x: top.x + left, width: top.width - left, ..top }));
            }
        }
        Pane::Network if wide => {
            let left = body.width * 2 / 5;
            list.width = left;
            strips.push((Strip::Preview, Rect { x: body.x + left, width: body.width - left, ..body }));
        }
        Pane::Network if body.height >= 16 => {
            let rows = body.height - (body.height * 2 / 5).clamp(7, 14);
            list.height -= rows;
            strips.push((Strip::Preview, Rect { y: list.y + list.height, height: rows, ..list }));
        }
        Pane::Jobs | Pane::Models | Pane::Keys | Pane::Data if wide => {
            let left = body.width / 2;
            list.width = left;
            strips.push((Strip::Preview, Rect { x: body.x + left, width: body.width - left, ..body }));
        }
        _ => {}
    }
    Parts { strips, list }
}

/// Rows of data a list shows: without its frame and its head.
pub fn list_rows(size: (u16, u16), pane: Pane) -> usize {
    areas(size).map_or(0, |areas| usize::from(parts(pane, areas.body).list.height.saturating_sub(3)))
}

/// Columns of a list, with its frame.
pub fn list_width(size: (u16, u16), pane: Pane) -> u16 {
    areas(size).map_or(0, |areas| parts(pane, areas.body).list.width)
}

/// Columns and lines of a page: without its frame, marker and margin.
pub fn page_size(size: (u16, u16)) -> (usize, usize) {
    areas(size).map_or((0, 0), |areas| inner(areas.body))
}

/// The same for a box.
pub fn inner(area: Rect) -> (usize, usize) {
    (usize::from(area.width.saturating_sub(4)), usize::from(area.height.saturating_sub(2)))
}
