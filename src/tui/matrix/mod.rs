//! The access matrix: who can do what on a key, model, bucket or role, by which statement, and what would be
//! if its policy or grants were others. Questions to the evaluator go out as effects and come back as
//! messages: nothing here evaluates while a key is pressed or a frame is drawn, and nothing here writes.

mod ask;
mod board;
mod documents;
mod explain;
mod label;
mod page;
mod rows;
mod tables;
mod uses;
mod view;
mod what_if;
mod what_if_view;

pub use ask::{Question, Reply, answer};
pub use board::{CellOf, Matrices};
pub use page::page;
pub use what_if::WhatIf;

pub(super) use what_if::{paste, press};

use board::{Sort, Tab};

use super::input::Line;
use super::keymap::Action;
use super::list::Subject;
use super::message::Effect;
use super::model::{Model, Overlay, Place};
use super::page::Page;
use super::{layout, navigate};
use crate::base::ResourceId;
use crate::base::arn::ArnKind;
use crate::inventory::bedrock::S3Uri;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// What is asked about when somebody asks about this: a deployment is used as its model, data as its bucket.
/// Else why nobody can be asked about.
pub fn askable(inventory: &Inventory, of: &ResourceRef) -> Result<ResourceRef, String> {
    let served = |model: Option<&ResourceId>| {
        let model = model.filter(|id| id.arn().is_some_and(|arn| arn.kind() == ArnKind::CustomModel));
        Ok(model.map_or_else(|| of.clone(), |id| ResourceRef::new(Kind::Model, id)))
    };
    match of.kind {
        Kind::Key | Kind::Model | Kind::ImportedModel | Kind::Bucket | Kind::Role => Ok(of.clone()),
        Kind::Deployment => served(inventory.deployments.get(&of.id).map(|one| &one.model)),
        Kind::Throughput => served(inventory.throughputs.get(&of.id).map(|one| &one.model)),
        Kind::Data => S3Uri::parse(of.id.as_str())
            .map(|uri| ResourceRef::new(Kind::Bucket, uri.bucket))
            .ok_or_else(|| format!("{} names no bucket", of.id)),
        Kind::Job | Kind::ImportJob | Kind::CopyJob | Kind::EvaluationJob | Kind::BatchJob => {
            Err(format!("a {} is run, not used: ask about its role, key, model or data (L shows them)", of.kind.word()))
        }
        Kind::User | Kind::Group => {
            Err(format!("a {} stands in the rows: ask about a key, model, bucket or role", of.kind.word()))
        }
        kind => Err(format!("nobody is let in to a {}: ask about a key, model, bucket or role", kind.word())),
    }
}

/// Why `a` does nothing here.
pub fn refusal(model: &Model) -> Option<String> {
    match model.resource() {
        None => Some("no resource is under the cursor".into()),
        Some(of) => askable(&model.inventory, &of).err(),
    }
}

/// Opens the matrix of what a key press is about.
pub fn open(model: &mut Model) {
    let asked = model.resource().map(|of| askable(&model.inventory, &of));
    if let Some(Ok(of)) = asked {
        navigate::go(model, Place::Access(of));
    }
}

/// What to say when the palette was given `access` and a name that leads nowhere.
pub fn no_such(model: &Model, typed: &str) -> Option<String> {
    let name = typed.trim().strip_prefix("access ")?.trim();
    let named = model.inventory.references().find(|of| model.name_of(of) == name || of.id.as_str() == name);
    Some(match named.map(|of| askable(&model.inventory, &of)) {
        Some(Err(why)) => format!("access: {why}"),
        _ => format!("access: '{name}' is no key, model, bucket or role that was read"),
    })
}

/// What the page that is open asks of the evaluator; brings its lists up to date.
pub fn settle(model: &mut Model) -> Vec<Effect> {
    let mut effects = what_if::wants(model);
    let cell = match model.stack.last().map(|spot| &spot.place) {
        Some(Place::Access(_)) => None,
        Some(Place::Cell(cell)) => Some(cell.clone()),
        _ => return effects,
    };
    let Some(of) = on_top(model) else { return effects };
    model.dirty |= board::refresh(model, &of);
    let Some(session) = model.session.clone() else { return effects };
    effects.extend(board::wants(model, &of, cell, &session));
    effects
}

/// The resource whose matrix, or a cell of whose matrix, is open.
fn on_top(model: &Model) -> Option<ResourceRef> {
    match model.stack.last().map(|spot| &spot.place) {
        Some(Place::Access(of)) => Some(of.clone()),
        Some(Place::Cell(cell)) => Some(cell.of.clone()),
        _ => None,
    }
}

/// Takes what the evaluator said. What nobody waits for any more is dropped.
pub fn answered(model: &mut Model, reply: Reply) {
    let taken = match &mut model.overlay {
        Some(Overlay::WhatIf(what_if)) if what_if.waits_for(reply.id) => {
            what_if.take(reply);
            true
        }
        _ => model.matrices.take(reply),
    };
    model.dirty |= taken;
}

/// What the frame of a matrix says.
pub fn title(model: &Model, of: &ResourceRef, width: usize) -> Page {
    let mut page = view::title(model.matrices.get(of), width);
    let under = model.stack.len().checked_sub(2).and_then(|at| model.stack.get(at)).map(|spot| &spot.place);
    if under != Some(&Place::Resource(of.clone())) {
        page.title = format!("{} who can", model.name_of(of));
    }
    page
}

/// Moves the cursor of the matrix. Returns whether there is one.
pub fn step(model: &mut Model, by: isize) -> bool {
    let Some(Place::Access(of)) = model.stack.last().map(|spot| spot.place.clone()) else { return false };
    if let Some(board) = model.matrices.get_mut(&of) {
        board.step(by);
    }
    true
}

/// Filters the matrix that is open, else the list.
pub fn set_filter(model: &mut Model, text: String) {
    match model.stack.last().map(|spot| spot.place.clone()) {
        Some(Place::Access(of)) => {
            if let Some(board) = model.matrices.get_mut(&of) {
                board.filter = text;
            }
        }
        _ => model.list_mut().filter = text,
    }
}

/// What a key press is about: the principal under the cursor if it is held, else the resource.
pub fn subject(model: &Model, of: &ResourceRef) -> Subject {
    let principal = model.matrices.get(of).and_then(board::Board::selected_id).and_then(|id| held(model, &id));
    Subject::Resource(principal.unwrap_or_else(|| of.clone()))
}

/// The role or user of the inventory with this ARN.
fn held(model: &Model, id: &ResourceId) -> Option<ResourceRef> {
    [Kind::Role, Kind::User].map(|kind| ResourceRef::new(kind, id)).into_iter().find(|of| model.inventory.holds(of))
}

/// Does what an action says, where it means something of its own here.
pub fn perform(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let of = match model.stack.last().map(|spot| spot.place.clone()) {
        Some(Place::Access(of)) => of,
        Some(Place::Cell(cell)) if action == Action::WhatIf => {
            what_if::open(model, &cell.of, Some(&cell));
            return Some(Vec::new());
        }
        _ => return None,
    };
    let board = model.matrices.open(&of);
    match action {
        Action::Open => {
            if let Some(cell) = board.cell() {
                navigate::go(model, Place::Cell(cell));
            }
        }
        Action::MatrixLeft => board.turn(false),
        Action::MatrixRight => board.turn(true),
        Action::MatrixTab => board.tab = board.tab.step(1),
        Action::MatrixBackTab => board.tab = board.tab.step(Tab::ALL.len() - 1),
        Action::Sort => {
            board.sort = board.sort.next();
            board.backwards = false;
            let told = board.sort.words();
            model.tell(format!("sorted by {told}"));
        }
        Action::Reverse => board.backwards = !board.backwards,
        Action::Filter => {
            let text = board.filter.clone();
            model.overlay = Some(Overlay::Filter(Line::new(&text), text));
        }
        Action::Back if !board.filter.is_empty() => board.filter.clear(),
        Action::Next => board.step(1),
        Action::Previous => board.step(-1),
        Action::Mark => model.tell("mark: there are no marks in the matrix; the cursor keeps to its principal"),
        Action::Events => {
            let who = board.selected().map(|entry| entry.caller_name.clone());
            let term = who.filter(|who| !who.is_empty()).map(|who| format!(" who:{who}")).unwrap_or_default();
            navigate::filtered(model, super::pane::Pane::Trail, format!("resource:{}{term}", of.id.last()));
        }
        Action::Copy => return board.line().map(|line| vec![Effect::Copy(line)]).or(Some(Vec::new())),
        Action::CopyId => {
            let id = board.selected_id().unwrap_or_else(|| of.id.clone());
            return Some(vec![Effect::Copy(id.to_string())]);
        }
        Action::WhatIf => what_if::open(model, &of, None),
        _ => return None,
    }
    Some(Vec::new())
}

/// Rows of data that are seen of the matrix.
fn rows_seen(model: &Model, board: &board::Board) -> usize {
    layout::areas(model.size).map_or(0, |areas| view::Parts::of(areas.body, board).rows)
}

impl Sort {
    /// What it is called.
    fn words(self) -> &'static str {
        match self {
            Self::Risk => "risk: the unexpected first",
            Self::Name => "name",
            Self::Used => "last use: the latest first",
        }
    }
}
