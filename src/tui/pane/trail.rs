//! Trail: what CloudTrail recorded, over time, in a table, and each record as a tree.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::list::{Cell, Column, Subject, text};
use super::super::log::buckets;
use super::super::model::{Model, Place};
use super::super::names::short;
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::super::view::{Draw, Span};
use super::super::{fit, tree};
use crate::activity::{Event, Outcome};
use crate::base::Text;
use crate::base::text::safe;
use crate::inventory::SourceId;

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("TIME", 8, 0, 0).at_least(5),
    text("WHO", 12, 2, 0).at_least(9),
    text("WHAT", 16, 2, 0).at_least(11),
    text("RESULT", 12, 0, 1).at_least(6),
    text("ON", 12, 2, 2),
    text("FROM", 15, 0, 4),
    text("VIA", 8, 1, 3),
    text("SOURCE", 10, 0, 5),
];

/// All events, newest first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    model.log.all().iter().map(|event| Subject::Event(event.id.clone())).collect()
}

fn result(event: &Event) -> (Role, String) {
    match &event.outcome {
        Outcome::Ok => (Role::Text, "ok".into()),
        Outcome::Denied(_) => (Role::High, "DENIED".into()),
        Outcome::Error(code) => (Role::Medium, code.to_string()),
    }
}

fn what_on(model: &Model, event: &Event) -> String {
    let named = event.resources.iter().find(|id| event.principal.as_ref() != Some(id));
    named.map_or_else(String::new, |id| match model.names.find(id) {
        Some(resource) => model.name_of(resource),
        None => short(id).to_owned(),
    })
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Event(id) = subject else { return None };
    let event = model.log.event(id)?;
    let (role, word) = result(event);
    let old = model.now.secs_since(event.at) >= 86_400;
    let time = if old { event.at.minute()[5..10].to_owned() } else { event.at.clock() };
    let brief = if old { time.clone() } else { time[..5].to_owned() };
    Some(vec![
        Cell::new(time).or(brief).by(-event.at.millis()),
        Cell::new(event.who.as_str()),
        Cell::new(event.name.as_str()),
        Cell::of(word, role),
        Cell::new(what_on(model, event)),
        Cell::new(event.from.as_str()),
        if event.is_ours() {
            Cell::of("bedwatch", Role::Notice)
        } else {
            Cell::new(event.via.as_ref().map_or("direct", Text::as_str))
        },
        Cell::new(event.source.as_str()),
    ])
}

/// An event in a line, for lists within pages.
pub fn line(model: &Model, event: &Event) -> Vec<Span> {
    let (role, word) = result(event);
    let on = what_on(model, event);
    let ours = if event.is_ours() { "  by bedwatch" } else { "" };
    vec![
        (Role::Dim, format!("{}  ", event.at.clock())),
        (role, fit::align(&word, 8, false)),
        (Role::Text, format!(" {} ", fit::align(event.who.as_str(), 14, false))),
        (Role::Text, format!("{}:{}", event.source, event.name)),
        (Role::Accent, if on.is_empty() { on } else { format!("  {on}") }),
        (Role::Dim, format!("  {}", event.from)),
        (Role::Notice, ours.to_owned()),
    ]
}

/// Events over time, counted.
#[derive(Debug)]
pub struct Bars {
    /// How many events there are.
    events: usize,
    /// The span of one bar.
    secs: i64,
    /// Events and denials in each, oldest first.
    counts: Vec<(u32, u32)>,
}

/// Those the filter left, in a box so wide.
pub fn bars(model: &Model, width: u16) -> Bars {
    let shown: Vec<&Arc<Event>> = model
        .list()
        .subjects
        .iter()
        .filter_map(|subject| match subject {
            Subject::Event(id) => model.log.event(id),
            _ => None,
        })
        .collect();
    let oldest = shown.iter().map(|event| event.at).min().unwrap_or(model.now);
    let age = model.now.secs_since(oldest).max(60);
    // The span of one bar: the first of these that brings all events in.
    let secs = [60, 300, 900, 3600, 10_800, 43_200, 86_400, 604_800]
        .into_iter()
        .find(|secs| secs * i64::from(width) > age + 4 * secs)
        .unwrap_or(604_800);
    let count = usize::from(width.saturating_sub(4)).max(1);
    Bars { events: shown.len(), secs, counts: buckets(shown.iter().copied(), model.now, count, secs) }
}

/// Events over time, drawn.
pub fn histogram(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let bars = super::super::held::bars(model, area.width);
    let Bars { events, secs, counts } = bars.as_ref();
    let (secs, width) = (*secs, counts.len());
    let most = counts.iter().map(|(all, _)| *all).max().unwrap_or(0);
    let denied: u32 = counts.iter().map(|(_, denied)| denied).sum();
    let about = match events {
        0 => "  no events".to_owned(),
        count => format!("  {count} events, {} a bar, at most {most}", crate::base::time::span(secs)),
    };
    let mut title = vec![(Role::Title, "Over time".to_owned()), (Role::Dim, about)];
    if denied > 0 {
        title.push((Role::High, format!("  {denied} denied")));
    }
    // why: before these times an empty bar does not mean that nothing happened.
    if let Some(looked) = model.inventory.coverage.looked(SourceId::EVENTS) {
        let named = if looked.named < looked.all {
            format!(" (changes and key use since {})", super::since(model, looked.named))
        } else {
            String::new()
        };
        title.push((Role::Medium, format!("  since {}{named}", super::since(model, looked.all))));
    }
    let paused = if model.paused { vec![(Role::Notice, "paused".to_owned())] } else { Vec::new() };
    let inside = draw.frame(buffer, area, &title, &paused);
    if inside.height < 2 || inside.width < 4 {
        return;
    }
    let rows = usize::from(inside.height - 1);
    for (at, (all, denied)) in counts.iter().enumerate() {
        let eighths = if most == 0 { 0 } else { (*all as usize * rows * 8).div_ceil(most as usize) };
        let role = if *denied > 0 { Role::High } else { Role::Accent };
        for row in 0..rows {
            let left = eighths.saturating_sub(row * 8).min(8);
            if left > 0 {
                let mark = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"][left - 1];
                let y = inside.y + (rows - 1 - row) as u16;
                buffer.set_string(inside.x + 1 + at as u16, y, mark, draw.style(role));
            }
        }
    }
    let y = inside.y + inside.height - 1;
    let label = |back: i64| {
        let at = model.now.plus_secs(-back);
        match secs * i64::try_from(width).unwrap_or(0) > 86_400 {
            // Over days the time alone says nothing; where there is no room for both, the day says more.
            true if width >= 60 => at.minute()[5..].to_owned(),
            true => at.minute()[5..10].to_owned(),
            false => at.clock()[..5].to_owned(),
        }
    };
    for quarter in 0..=4usize {
        let column = (width - 1) * quarter / 4;
        let text = label(i64::try_from(width - 1 - column).unwrap_or(0) * secs);
        let x = (column + 1).saturating_sub(if quarter == 4 { text.len() - 1 } else { 0 });
        // Where the last label would run into this one, that says less.
        if quarter < 4 && x + 2 * text.len() > width {
            continue;
        }
        buffer.set_stringn(inside.x + x as u16, y, text, width, draw.style(Role::Dim));
    }
}

/// One event: what matters in lines, then the record.
pub fn page(model: &Model, id: &Text, folded: &BTreeSet<String>, width: usize) -> Page {
    let Some(event) = model.log.event(id) else {
        let mut page = Page::new("event", width);
        page.text(Role::Dim, "This event is no longer held: only the newest are.");
        return page;
    };
    let mut page = Page::new(format!("{}:{}", event.source, event.name), width);
    let (role, word) = result(event);
    page.state = Some((role, word));
    page.field("time", Role::Text, event.at.to_string());
    let who = event.principal.as_ref().map_or_else(|| event.who.to_string(), ToString::to_string);
    page.field("who", Role::Text, who);
    if let Outcome::Denied(code) | Outcome::Error(code) = &event.outcome {
        let message = event.record.get("errorMessage").and_then(serde_json::Value::as_str).unwrap_or_default();
        page.field("error", role, format!("{code} {}", safe(message)));
    }
    page.field("from", Role::Text, event.from.as_str());
    page.field("via", Role::Text, event.via.as_ref().map_or("called directly", Text::as_str));
    if event.is_ours() {
        page.field("made by", Role::Notice, "bedwatch: the user agent says so");
    }
    for id in &event.resources {
        let target = model.resource_named(id).map(|resource| Target::Go(Place::Resource(resource)));
        let role = if target.is_some() { Role::Accent } else { Role::Text };
        page.field_to("names", role, id.as_str(), target);
    }
    page.head("Record");
    tree::draw(&mut page, &event.record, folded);
    page
}

/// The fields that events are filtered by; JSON pointers into the record are others.
pub const FIELDS: &[&str] = &["who", "what", "source", "result", "from", "via", "resource", "id"];

/// What stands in a field of an event; of none, in its row.
pub fn texts<'a>(model: &Model, event: &'a Event, field: Option<&str>) -> Vec<Cow<'a, str>> {
    let via = || if event.is_ours() { "bedwatch" } else { event.via.as_ref().map_or("direct", Text::as_str) };
    let named = || {
        let ids = event.resources.iter().map(|id| Cow::Borrowed(id.as_str()));
        ids.chain([Cow::Owned(what_on(model, event))]).collect::<Vec<_>>()
    };
    match field {
        Some("who") => {
            let principal = event.principal.as_ref().map(|id| Cow::Borrowed(id.as_str()));
            [Cow::Borrowed(event.who.as_str())].into_iter().chain(principal).collect()
        }
        Some("what") => vec![event.name.as_str().into()],
        Some("source") => vec![event.source.as_str().into()],
        Some("result") => vec![result(event).1.into()],
        Some("from") => vec![event.from.as_str().into()],
        Some("via") => vec![via().into()],
        Some("resource") => named(),
        Some("id") => vec![event.id.as_str().into()],
        Some(pointer) => match event.record.pointer(pointer) {
            Some(serde_json::Value::String(text)) => vec![safe(text)],
            Some(other) => vec![other.to_string().into()],
            None => Vec::new(),
        },
        None => {
            let row = [event.who.as_str(), event.name.as_str(), event.source.as_str(), event.from.as_str(), via()];
            row.into_iter().map(Cow::Borrowed).chain([Cow::Owned(result(event).1)]).chain(named()).collect()
        }
    }
}
