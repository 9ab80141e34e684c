//! The lineage drawn: what feeds a job, the job, the model it makes, where that is served. A box is
//! framed by the worst verdict on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::escaped;
use crate::base::text::shorten_middle;
use crate::inventory::{Kind, ResourceRef};
use crate::posture::Status;
use crate::report::{Scan, clip};

const BOX: (usize, usize) = (190, 34);
/// Letters that fit into a box.
const LETTERS: usize = 26;
const GAP: (usize, usize) = (70, 12);
/// Above this many boxes in a column a drawing helps nobody; the page says so.
const MOST: usize = 60;

/// In which column a kind stands, left to right.
fn column(kind: Kind) -> Option<usize> {
    match kind {
        Kind::FoundationModel | Kind::Data => Some(0),
        Kind::Job | Kind::ImportJob | Kind::CopyJob => Some(1),
        Kind::Model | Kind::ImportedModel => Some(2),
        Kind::Deployment | Kind::Throughput => Some(3),
        _ => None,
    }
}

/// The drawing as SVG inside a section; nothing when there is no lineage.
pub(super) fn drawing(scan: &Scan<'_>) -> String {
    let edges: Vec<_> = scan
        .lineage
        .edges()
        .filter(|edge| column(edge.from.kind).zip(column(edge.to.kind)).is_some_and(|(from, to)| from < to))
        .collect();
    let mut columns: [Vec<&ResourceRef>; 4] = Default::default();
    let nodes: BTreeSet<&ResourceRef> = edges.iter().flat_map(|edge| [&edge.from, &edge.to]).collect();
    for node in nodes {
        if let Some(column) = column(node.kind) {
            columns[column].push(node);
        }
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    if tallest == 0 {
        return String::new();
    }
    if tallest > MOST {
        return format!(
            "<h3>Lineage</h3>\n<p class=\"dim\">{tallest} resources side by side are too many to draw.</p>\n"
        );
    }
    settle(&mut columns, &edges);
    let (width, height) = (4 * BOX.0 + 3 * GAP.0 + 2, tallest * (BOX.1 + GAP.1) + 2);
    let mut text = format!(
        "<h3>Lineage</h3>\n<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
         aria-label=\"lineage of custom models\">\n"
    );
    let place = places(&columns);
    for edge in &edges {
        if let (Some(from), Some(to)) = (place.get(&edge.from), place.get(&edge.to)) {
            let (x1, y1, x2, y2) = (from.0 + BOX.0, from.1 + BOX.1 / 2, to.0, to.1 + BOX.1 / 2);
            let middle = usize::midpoint(x1, x2);
            let _ = writeln!(text, "<path d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}\"/>");
        }
    }
    for (node, (x, y)) in &place {
        // why whole: the last part of a prefix says nothing without its bucket, and may be empty.
        let name = match node.kind {
            Kind::Data => shorten_middle(node.id.as_str().trim_start_matches("s3://"), LETTERS).into_owned(),
            _ => clip(&scan.inventory.name_of(node), LETTERS),
        };
        let class = worst(scan, node).map_or("", Status::word);
        let _ = writeln!(
            text,
            "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"3\"/>\
             <text class=\"k\" x=\"{}\" y=\"{}\">{} {class}</text><text x=\"{}\" y=\"{}\">{}</text></g>",
            escaped(node.id.as_str()),
            BOX.0,
            BOX.1,
            x + 6,
            y + 13,
            node.kind.word(),
            x + 6,
            y + 27,
            escaped(&name),
        );
    }
    text.push_str("</svg>\n");
    text
}

/// Orders each column by the middle of what leads to it, so that lines cross less (one pass of the
/// barycentre rule).
fn settle(columns: &mut [Vec<&ResourceRef>; 4], edges: &[&crate::inventory::Edge]) {
    for at in 1..columns.len() {
        let rank: BTreeMap<_, _> =
            columns[..at].iter().flat_map(|column| column.iter().enumerate().map(|(row, node)| (*node, row))).collect();
        let middle = |node: &ResourceRef| {
            let rows: Vec<_> =
                edges.iter().filter(|edge| edge.to == *node).filter_map(|edge| rank.get(&edge.from)).collect();
            rows.iter().copied().sum::<usize>() * 100 / rows.len().max(1)
        };
        columns[at].sort_by_cached_key(|node| (middle(node), (*node).clone()));
    }
}

fn places<'a>(columns: &[Vec<&'a ResourceRef>; 4]) -> BTreeMap<&'a ResourceRef, (usize, usize)> {
    let column = |(x, nodes): (usize, &Vec<&'a ResourceRef>)| {
        let place =
            move |(y, node): (usize, &&'a ResourceRef)| (*node, (x * (BOX.0 + GAP.0) + 1, y * (BOX.1 + GAP.1) + 1));
        nodes.iter().enumerate().map(place).collect::<Vec<_>>()
    };
    columns.iter().enumerate().flat_map(column).collect()
}

/// The worst status of verdicts on a node; what passes needs no frame.
fn worst(scan: &Scan<'_>, node: &ResourceRef) -> Option<Status> {
    let on = scan.assessment.verdicts.iter().filter(|verdict| verdict.resource == *node).map(|verdict| verdict.status);
    on.filter(|status| matches!(status, Status::Fail | Status::Warn | Status::Unknown)).min()
}
