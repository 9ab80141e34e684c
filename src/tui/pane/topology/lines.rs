//! The tree as lines: rails at the left, marks at the right, which are never cut.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr as _;

use super::super::super::fit::clip;
use super::super::super::page::Page;
use super::super::super::theme::Role;
use super::super::super::view::Span;
use super::super::standing;
use super::nodes::Node;
use crate::posture::{Severity, Status, Verdict};

/// Below this many cells the drawing gets by with less.
pub(super) const NARROW: usize = 60;

/// The mark of a line: the worst finding that points at it.
fn mark(marks: &[&Verdict], narrow: bool) -> Option<Span> {
    let worst = marks.iter().min_by_key(|verdict| (verdict.status == Status::Unknown, verdict.severity))?;
    let controls: BTreeSet<&str> = marks.iter().map(|verdict| verdict.control).collect();
    let more = if controls.len() > 1 { format!(" +{}", controls.len() - 1) } else { String::new() };
    if worst.status == Status::Unknown {
        let text = if narrow { "?".to_owned() } else { format!("? {}", worst.control) };
        return Some((Role::Unknown, format!("{text}{more}")));
    }
    let sign = match worst.severity {
        Severity::Critical | Severity::High => "▲",
        Severity::Medium => "●",
        Severity::Low => "○",
    };
    let text = if narrow {
        format!("{sign} {}", standing::brief(worst.severity))
    } else {
        format!("{sign} {} {}", worst.severity.word(), worst.control)
    };
    Some((worst.severity.into(), format!("{text}{more}")))
}

pub(super) fn below(page: &mut Page, nodes: &[Node<'_>], indent: &str) {
    let narrow = page.width() < NARROW;
    for (at, node) in nodes.iter().enumerate() {
        let last = at + 1 == nodes.len();
        let (rail, next) = match (last, narrow) {
            (true, false) => ("└─ ", "   "),
            (false, false) => ("├─ ", "│  "),
            (true, true) => ("└ ", "  "),
            (false, true) => ("├ ", "│ "),
        };
        put(page, node, indent, rail);
        below(page, &node.below, &format!("{indent}{next}"));
    }
}

/// One line: what it is, cut if need be, and its mark at the right, which is never cut.
pub(super) fn put(page: &mut Page, node: &Node<'_>, indent: &str, rail: &str) {
    let width = page.width();
    let narrow = width < NARROW;
    let gap = if narrow { 1 } else { 2 };
    let mark = mark(&node.marks, narrow);
    let beside = mark.as_ref().map_or(0, |(_, text)| text.width() + gap);
    let mut room = width.saturating_sub(beside);
    let mut spans: Vec<Span> = Vec::new();
    let lead = (Role::Dim, format!("{indent}{rail}"));
    for (role, text) in std::iter::once(&lead).chain(&node.spans) {
        let short =
            if narrow { text.replace("══▶", "═▶").replace("──▶", "─▶") } else { text.clone() };
        let text = clip(&short, u16::try_from(room).unwrap_or(u16::MAX)).into_owned();
        room = room.saturating_sub(text.width());
        spans.push((*role, text));
        if room == 0 {
            break;
        }
    }
    if let Some(mark) = mark {
        spans.push((Role::Text, " ".repeat(room + gap)));
        spans.push(mark);
    }
    let line = page.line(spans);
    line.target.clone_from(&node.target);
    line.copy.clone_from(&node.copy);
}
