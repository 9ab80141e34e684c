//! Moving about: cursor, panes, places, history.

use super::layout;
use super::list::{self, Subject};
use super::message::Effect;
use super::model::{Model, Place, Spot, Visit, Way};
use super::pane::Pane;
use crate::inventory::Kind;
use crate::posture::Verdict;

/// Half of what is seen, in rows.
pub fn half_page(model: &Model) -> isize {
    let rows = match model.stack.last() {
        Some(_) => layout::page_size(model.size).1,
        None => layout::list_rows(model.size, model.pane),
    };
    isize::try_from(rows / 2).unwrap_or(1).max(1)
}

/// Moves the cursor.
pub fn step(model: &mut Model, by: isize) {
    if super::matrix::step(model, by) {
        return;
    }
    let Some(spot) = model.stack.last() else {
        let rows = layout::list_rows(model.size, model.pane);
        let list = model.list_mut();
        let row = list.cursor.saturating_add_signed(by);
        list.select(row, rows);
        return;
    };
    let last = super::held::page(model, spot).lines.len().saturating_sub(1);
    let (_, rows) = layout::page_size(model.size);
    if let Some(spot) = model.stack.last_mut() {
        spot.cursor = spot.cursor.saturating_add_signed(by).min(last);
        keep_in_view(spot, last + 1, rows);
    }
}

/// Scrolls so that the cursor is seen: half a page at the edges.
fn keep_in_view(spot: &mut Spot, lines: usize, rows: usize) {
    if rows == 0 {
        return;
    }
    let half = (rows / 2).max(1);
    if spot.cursor < spot.scroll {
        spot.scroll = spot.cursor.saturating_sub(half - 1);
    } else if spot.cursor >= spot.scroll + rows {
        spot.scroll = spot.cursor + half + 1 - rows.min(spot.cursor + half + 1);
    }
    spot.scroll = spot.scroll.min(lines.saturating_sub(rows)).min(spot.cursor);
}

fn remember(model: &mut Model) {
    let visit = Visit { pane: model.pane, stack: model.stack.clone() };
    if model.back.last() != Some(&visit) {
        model.back.push(visit);
    }
    if model.back.len() > 100 {
        model.back.remove(0);
    }
    model.forward.clear();
}

/// Shows a pane.
pub fn show(model: &mut Model, pane: Pane) {
    if model.pane == pane && model.stack.is_empty() {
        return;
    }
    remember(model);
    model.pane = pane;
    model.stack.clear();
    model.ways.clear();
    model.dirty = true;
}

/// Opens a place on top of what is open.
pub fn go(model: &mut Model, place: Place) {
    if model.stack.last().is_some_and(|spot| spot.place == place) {
        return;
    }
    remember(model);
    model.stack.push(Spot::new(place));
    // why a bound: lineage has circles, and breadcrumbs have none.
    if model.stack.len() > 12 {
        model.stack.remove(0);
    }
    model.dirty = true;
}

/// Goes one level up: what is open, then the way that led to a filtered list, then the filter, then the marks.
pub fn back(model: &mut Model) -> Vec<Effect> {
    model.dirty = true;
    if !model.stack.is_empty() {
        remember(model);
        model.stack.pop();
        return Vec::new();
    }
    if let Some(way) = model.ways.last().filter(|way| way.pane == model.pane) {
        // why first: what was typed over the filter that `e` set is a step of its own.
        if model.list().filter != way.set {
            let set = way.set.clone();
            model.list_mut().filter = set;
        } else if let Some(way) = model.ways.pop() {
            remember(model);
            model.list_mut().filter = way.held;
            (model.pane, model.stack) = (way.from.pane, way.from.stack);
        }
        return Vec::new();
    }
    let list = model.list_mut();
    if !list.filter.is_empty() {
        list.filter.clear();
    } else if !list.marked.is_empty() {
        list.marked.clear();
    } else {
        model.tell("this is the top; q leaves");
    }
    Vec::new()
}

/// Steps through the history.
pub fn history(model: &mut Model, forward: bool) {
    let from = if forward { &mut model.forward } else { &mut model.back };
    let Some(visit) = from.pop() else { return };
    let here = Visit { pane: model.pane, stack: std::mem::replace(&mut model.stack, visit.stack) };
    model.pane = visit.pane;
    model.ways.clear();
    if forward { &mut model.back } else { &mut model.forward }.push(here);
    model.dirty = true;
}

/// The place that shows a subject.
pub fn place_of(subject: &Subject) -> Place {
    match subject.clone() {
        Subject::Resource(resource) => Place::Resource(resource),
        Subject::Finding(id) => Place::Finding(id),
        Subject::Event(id) => Place::Event(id),
        Subject::Invocation(id) => Place::Invocation(id),
        Subject::Source(id) => Place::Source(id),
        Subject::Journal(number) => Place::Journal(number),
        Subject::Framework(id) => Place::Framework(id),
    }
}

/// What Enter opens of a list, and what the box beside it shows: in Network a job is looked at for where it runs.
pub fn opened(model: &Model, subject: &Subject) -> Place {
    match subject {
        Subject::Resource(of) if model.pane == Pane::Network && matches!(of.kind, Kind::Job | Kind::ImportJob) => {
            Place::Network(of.clone())
        }
        subject => place_of(subject),
    }
}

/// To the next marked row; without marks, simply the next row of what the filter left.
pub fn next(model: &mut Model, forward: bool) {
    let rows = layout::list_rows(model.size, model.pane);
    let list = model.list_mut();
    let count = list.subjects.len();
    if count == 0 {
        return;
    }
    let one = |at: usize| if forward { (at + 1) % count } else { (at + count - 1) % count };
    let mut at = one(list.cursor);
    if !list.marked.is_empty() {
        for _ in 0..count {
            if list.marked.contains(&list.subjects[at]) {
                break;
            }
            at = one(at);
        }
    }
    list.select(at, rows);
}

/// The findings that a key press is about: the one under the cursor, else those of the resource, the
/// worst first.
pub fn findings(model: &Model) -> Vec<&Verdict> {
    match model.subject() {
        Some(Subject::Finding(id)) => model.judged.verdict(&model.assessment, &id).into_iter().collect(),
        Some(Subject::Resource(resource)) => model.judged.of(&model.assessment, &resource.id),
        _ => Vec::new(),
    }
}

/// Sorts by the next column that is seen; behind the last, in the list's own order again.
pub fn sort(model: &mut Model) {
    let columns = super::pane::columns(model.pane);
    // why only those: an order by what is not seen looks like none.
    let widths = list::widths(columns, layout::list_width(model.size, model.pane).saturating_sub(4));
    let pane = model.pane;
    let list = model.list_mut();
    let from = list.sort.map_or(0, |(column, _)| column + 1);
    let next = (from..columns.len()).find(|at| widths[*at] > 0);
    list.sort = next.map(|column| (column, columns[column].right));
    let told = match list.sort {
        None => format!("as at first: {}", super::pane::own_order(pane)),
        Some((column, _)) => format!("by {}", columns[column].name()),
    };
    model.tell(format!("sorted {told}"));
}

/// Shows the events of the resource.
pub fn events(model: &mut Model) {
    if let Some(resource) = model.resource() {
        filtered(model, Pane::Trail, format!("resource:{}", resource.id.last()));
    }
}

/// Shows what a filter leaves of a pane's list.
pub fn filtered(model: &mut Model, pane: Pane, filter: String) {
    let from = Visit { pane: model.pane, stack: model.stack.clone() };
    let held = model.lists.get(&pane).map(|list| list.filter.clone()).unwrap_or_default();
    let mut ways = std::mem::take(&mut model.ways);
    if (&held, from.pane, from.stack.is_empty()) != (&filter, pane, true) {
        ways.push(Way { from, pane, set: filter.clone(), held });
    }
    if ways.len() > 20 {
        ways.remove(0);
    }
    show(model, pane);
    model.ways = ways;
    let list = model.list_mut();
    list.filter = filter;
    list.select(0, 0);
}

/// Opens the record under the cursor.
pub fn raw(model: &mut Model) {
    match (model.subject(), model.resource()) {
        (Some(Subject::Event(id)), _) => go(model, Place::Event(id)),
        (Some(Subject::Invocation(id)), _) => go(model, Place::Invocation(id)),
        (_, Some(resource)) => go(model, Place::Raw(resource)),
        _ => {}
    }
}

/// Narrows the Trail by what is under the cursor: a field of an event, else its principal.
pub fn pivot(model: &mut Model, except: bool) {
    let Some(Subject::Event(id)) = model.subject() else { return };
    let field =
        model.stack.last().and_then(|spot| super::held::page(model, spot).lines.get(spot.cursor)?.field.clone());
    let (name, value) = match field {
        Some((name, value)) => (name, value),
        None => match model.log.event(&id) {
            Some(event) => ("who".to_owned(), event.who.to_string()),
            None => return,
        },
    };
    let value = if value.contains([' ', '"', ',']) { format!("\"{}\"", value.replace('"', "")) } else { value };
    let term = format!("{}{name}:{value}", if except { "-" } else { "" });
    let held = model.lists.get(&Pane::Trail).map(|list| list.filter.clone()).unwrap_or_default();
    let filter = if held.split_whitespace().any(|word| word == term) { held } else { format!("{held} {term}") };
    filtered(model, Pane::Trail, filter.trim().to_owned());
}

/// Folds or unfolds everything on the page.
pub fn fold_all(model: &mut Model, fold: bool) {
    let Some(spot) = model.stack.last() else { return };
    if let Place::Lineage(of) = &spot.place {
        let paths = if fold { super::lineage::foldable(model, of) } else { std::collections::BTreeSet::new() };
        if let Some(spot) = model.stack.last_mut() {
            spot.folded = paths;
            (spot.cursor, spot.scroll) = (0, 0);
        }
        return;
    }
    let value = match &spot.place {
        Place::Raw(resource) => super::record::of(model, resource),
        Place::Event(id) => model.log.event(id).map(|event| event.record.clone()),
        _ => None,
    };
    let paths = value.filter(|_| fold).map(|value| super::tree::foldable(&value)).unwrap_or_default();
    if let Some(spot) = model.stack.last_mut() {
        spot.folded = paths;
        (spot.cursor, spot.scroll) = (0, 0);
    }
}
