//! What views need and must not work out anew for every frame and every key: the page that is open, the one in the box
//! beside the list, what ends soon, the requirements of frameworks, the bars of the trail. Worked out once for what it
//! rests on; who asks for anything else works it out himself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::layout::{self, Strip};
use super::list::{Cell, Subject};
use super::model::{Model, Place, Spot};
use super::page::{self, Page};
use super::pane::changes::{self, Ending};
use super::pane::trail::{self, Bars};
use super::pane::{self, Pane, compliance};
use crate::posture::compliance::Requirement;

/// What a page rests on besides what it is of: what was read and judged, what happened, and the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    revision: u64,
    log: u64,
    invoked: u64,
    minute: i64,
}

impl State {
    fn of(model: &Model) -> Self {
        Self {
            revision: model.revision,
            log: model.log.revision,
            invoked: model.invoked.revision,
            minute: model.now.secs_since(crate::base::Timestamp::from_secs(0)).div_euclid(60),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PageOf {
    place: Place,
    brief: bool,
    folded: BTreeSet<String>,
    width: usize,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct BarsOf {
    state: State,
    filter: String,
    events: usize,
    width: u16,
}

/// The cells of the rows of a list.
type Rows = HashMap<Subject, Arc<Vec<Cell>>>;

/// What is held.
#[derive(Debug, Default)]
pub struct Held {
    pages: Vec<(PageOf, Arc<Page>)>,
    endings: Option<(State, Vec<Ending>)>,
    frameworks: Option<(State, Vec<Vec<Requirement>>)>,
    bars: Option<(BarsOf, Arc<Bars>)>,
    rows: Option<((State, Pane), Rows)>,
}

/// Whether all that a page of this place rests on is in its [`State`].
fn may_hold(place: &Place) -> bool {
    matches!(
        place,
        Place::Resource(_)
            | Place::Finding(_)
            | Place::Invocation(_)
            | Place::Source(_)
            | Place::Lineage(_)
            | Place::Network(_)
            | Place::Framework(_)
    )
}

fn open_page(model: &Model, spot: &Spot) -> PageOf {
    let (width, _) = layout::page_size(model.size);
    let (place, folded) = (spot.place.clone(), spot.folded.clone());
    PageOf { place, brief: false, folded, width, state: State::of(model) }
}

fn boxed_page(model: &Model, place: &Place, width: usize) -> PageOf {
    PageOf { place: place.clone(), brief: true, folded: BTreeSet::new(), width, state: State::of(model) }
}

fn make(model: &Model, of: &PageOf) -> Arc<Page> {
    Arc::new(if of.brief {
        page::preview(model, &of.place, of.width)
    } else {
        page::build(model, &of.place, &of.folded, of.width)
    })
}

fn held(model: &Model, of: &PageOf) -> Arc<Page> {
    let found = model.held.pages.iter().find(|(held, _)| held == of);
    found.map_or_else(|| make(model, of), |(_, page)| Arc::clone(page))
}

/// The page a spot shows, at the size of the screen.
pub fn page(model: &Model, spot: &Spot) -> Arc<Page> {
    held(model, &open_page(model, spot))
}

/// The page of the box beside a list.
pub fn preview(model: &Model, place: &Place, width: usize) -> Arc<Page> {
    held(model, &boxed_page(model, place, width))
}

/// What ends by itself, the soonest first.
pub fn endings(model: &Model) -> Vec<Ending> {
    match &model.held.endings {
        Some((state, all)) if *state == State::of(model) => all.clone(),
        _ => changes::expiring(model),
    }
}

/// The requirements of a framework, by its place among them all.
pub fn requirements(model: &Model, at: usize) -> Vec<Requirement> {
    match &model.held.frameworks {
        Some((state, all)) if *state == State::of(model) => all.get(at).cloned().unwrap_or_default(),
        _ => compliance::all_requirements(model).into_iter().nth(at).unwrap_or_default(),
    }
}

/// The cells of a row.
pub fn cells(model: &Model, subject: &Subject) -> Arc<Vec<Cell>> {
    let of = (State::of(model), model.pane);
    let held = model.held.rows.as_ref().filter(|(held, _)| *held == of);
    let found = held.and_then(|(_, rows)| rows.get(subject)).map(Arc::clone);
    found.unwrap_or_else(|| Arc::new(pane::cells(model, model.pane, subject)))
}

fn bars_of(model: &Model, width: u16) -> BarsOf {
    let list = model.list();
    BarsOf { state: State::of(model), filter: list.filter.clone(), events: list.subjects.len(), width }
}

/// The bars of the trail.
pub fn bars(model: &Model, width: u16) -> Arc<Bars> {
    let of = bars_of(model, width);
    match &model.held.bars {
        Some((held, bars)) if *held == of => Arc::clone(bars),
        _ => Arc::new(trail::bars(model, width)),
    }
}

/// Works out what the next frame needs and is not held yet.
pub fn settle(model: &mut Model) {
    let state = State::of(model);
    let mut wanted: Vec<PageOf> = Vec::new();
    if let Some(spot) = model.stack.last().filter(|spot| may_hold(&spot.place)) {
        wanted.push(open_page(model, spot));
    } else if model.stack.is_empty()
        && let Some((place, width)) = page::beside(model)
        && may_hold(&place)
    {
        wanted.push(boxed_page(model, &place, width));
    }
    if model.stack.is_empty() {
        let list = model.list();
        let rows = layout::list_rows(model.size, model.pane);
        let seen = list.subjects.iter().skip(list.offset).take(rows);
        let rows = seen.map(|subject| (subject.clone(), cells(model, subject))).collect();
        model.held.rows = Some(((state, model.pane), rows));
    }
    let pages = wanted.into_iter().map(|of| (held(model, &of), of)).map(|(page, of)| (of, page)).collect();
    model.held.pages = pages;
    let changes_open = matches!(model.stack.last(), Some(spot) if spot.place == Place::Changes);
    if (model.pane == Pane::Posture || changes_open) && model.held.endings.as_ref().is_none_or(|held| held.0 != state) {
        model.held.endings = Some((state, changes::expiring(model)));
    }
    let framework_open = matches!(model.stack.last(), Some(spot) if matches!(spot.place, Place::Framework(_)));
    if (model.pane == Pane::Compliance || framework_open)
        && model.held.frameworks.as_ref().is_none_or(|held| held.0.revision != state.revision)
    {
        model.held.frameworks = Some((state, compliance::all_requirements(model)));
    } else if let Some((of, _)) = &mut model.held.frameworks
        && of.revision == state.revision
    {
        // Neither the time nor what happens changes them.
        *of = state;
    }
    if model.pane == Pane::Trail
        && model.stack.is_empty()
        && let Some(areas) = layout::areas(model.size)
        && let Some((_, area)) =
            layout::parts(model.pane, areas.body).strips.into_iter().find(|(strip, _)| *strip == Strip::Histogram)
    {
        let of = bars_of(model, area.width);
        if model.held.bars.as_ref().is_none_or(|(held, _)| *held != of) {
            model.held.bars = Some((of, Arc::new(trail::bars(model, area.width))));
        }
    }
}
