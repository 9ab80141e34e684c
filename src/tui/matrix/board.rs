//! The state of the matrices that are open or were: what was answered, what is asked, where the cursor is.
//! The cursor keeps to a principal and an action, never to a row or a column.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ask::{Asked, Part, Question, Reply, Seen};
use super::explain::Explanation;
use super::rows::{Entry, Way};
use super::uses::Uses;
use crate::access::Who;
use crate::base::{ResourceId, Text};
use crate::inventory::{ResourceRef, SessionInfo};
use crate::tui::filter::Filter;
use crate::tui::message::Effect;
use crate::tui::model::Model;

/// How many matrices are kept for those who come back.
const KEPT: usize = 8;
/// The fields that rows are filtered by.
pub const FIELDS: &[&str] = &["who", "how", "action"];

/// One cell: why is it as it is?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellOf {
    /// Of which matrix.
    pub of: ResourceRef,
    /// Whose: an ARN, a service, an account, or `*`.
    pub who: ResourceId,
    /// `kms:Decrypt`.
    pub action: String,
    /// On what, if not on what the matrix is about: a role on the way.
    pub on: Option<ResourceId>,
}

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// Who can.
    #[default]
    Who,
    /// Who can get there.
    Obtain,
    /// What was not seen.
    Limits,
}

impl Tab {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Who, Self::Obtain, Self::Limits];

    /// The next but `by - 1`.
    #[must_use]
    pub fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// By what the rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The unexpected first.
    #[default]
    Risk,
    /// By name.
    Name,
    /// By last use.
    Used,
}

impl Sort {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Risk => Self::Name,
            Self::Name => Self::Used,
            Self::Used => Self::Risk,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Stamp {
    revision: u64,
    callers: Arc<BTreeSet<String>>,
}

/// One matrix.
#[derive(Debug)]
pub struct Board {
    /// About what.
    pub of: ResourceRef,
    /// Who can, once answered; or why that cannot be said.
    pub seen: Option<Result<Box<Seen>, String>>,
    /// Who can get there, once answered.
    pub ways: Option<Vec<Way>>,
    /// What was not followed.
    pub way_gaps: Vec<Text>,
    /// The last uses.
    pub uses: Uses,
    /// The table that is shown.
    pub tab: Tab,
    /// The order.
    pub sort: Sort,
    /// Whether backwards.
    pub backwards: bool,
    /// What rows must contain.
    pub filter: String,
    /// The rows that are left, in order.
    pub order: Vec<usize>,
    /// The ways that are left, in order.
    pub way_order: Vec<usize>,
    /// The action under the cursor.
    pub action: usize,
    /// The row under the cursor, a table each.
    pub cursors: [usize; 3],
    /// The first row shown, a table each.
    pub offsets: [usize; 3],
    chosen: Option<ResourceId>,
    chosen_way: Option<(ResourceId, String, ResourceId)>,
    arranged: Option<(u64, Sort, bool, String)>,
    changes: u64,
    asking: Option<(u64, Stamp)>,
    answered: Option<Stamp>,
    cell: Option<(CellOf, u64, Result<Box<Explanation>, String>)>,
    cell_asking: Option<(u64, CellOf, u64)>,
}

impl Board {
    fn new(of: ResourceRef) -> Self {
        Self {
            of,
            seen: None,
            ways: None,
            way_gaps: Vec::new(),
            uses: Uses::default(),
            tab: Tab::Who,
            sort: Sort::Risk,
            backwards: false,
            filter: String::new(),
            order: Vec::new(),
            way_order: Vec::new(),
            action: 0,
            cursors: [0; 3],
            offsets: [0; 3],
            chosen: None,
            chosen_way: None,
            arranged: None,
            changes: 0,
            asking: None,
            answered: None,
            cell: None,
            cell_asking: None,
        }
    }

    /// What was answered.
    pub fn known(&self) -> Option<&Seen> {
        self.seen.as_ref()?.as_ref().ok().map(|seen| &**seen)
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&Entry> {
        let row = self.order.get(self.cursors[0]).filter(|_| self.tab == Tab::Who)?;
        self.known()?.entries.get(*row)
    }

    /// The way under the cursor.
    pub fn selected_way(&self) -> Option<&Way> {
        let row = self.way_order.get(self.cursors[1]).filter(|_| self.tab == Tab::Obtain)?;
        self.ways.as_ref()?.get(*row)
    }

    /// The principal under the cursor.
    pub fn selected_id(&self) -> Option<ResourceId> {
        self.selected().map(|entry| entry.id.clone()).or_else(|| self.selected_way().map(|way| way.id.clone()))
    }

    /// The name of the action under the cursor.
    pub fn selected_action(&self) -> Option<&str> {
        self.known()?.actions.get(self.action).map(String::as_str)
    }

    /// The cell under the cursor.
    pub fn cell(&self) -> Option<CellOf> {
        let of = self.of.clone();
        if let Some(way) = self.selected_way() {
            let on = (way.on != of.id).then(|| way.on.clone());
            return Some(CellOf { of, who: way.id.clone(), action: way.action.clone(), on });
        }
        let (who, action) = (self.selected()?.id.clone(), self.selected_action()?.to_owned());
        Some(CellOf { of, who, action, on: None })
    }

    /// The row under the cursor as text.
    pub fn line(&self) -> Option<String> {
        if let Some(way) = self.selected_way() {
            return Some(format!("{}\t{} {}\t{}\t{}", way.id, way.mark.word(), way.action, way.path, way.words));
        }
        let (seen, entry) = (self.known()?, self.selected()?);
        let cells = seen.actions.iter().zip(&entry.marks).map(|(action, mark)| format!("{action}={}", mark.word()));
        Some(std::iter::once(entry.id.to_string()).chain(cells).collect::<Vec<_>>().join("\t"))
    }

    /// How many rows the table has that is shown.
    pub fn count(&self) -> usize {
        match self.tab {
            Tab::Who => self.order.len(),
            Tab::Obtain => self.way_order.len(),
            Tab::Limits => self.limits().len(),
        }
    }

    /// What was not seen, and what stands beside every cell.
    pub fn limits(&self) -> Vec<(bool, String)> {
        let Some(seen) = self.known() else { return Vec::new() };
        let gaps = seen.gaps.iter().chain(&seen.uncertain).chain(&self.way_gaps).map(|gap| (true, gap.to_string()));
        gaps.chain(seen.notes.iter().map(|note| (false, note.to_string()))).collect()
    }

    /// Moves the cursor; it then keeps to that row wherever it goes.
    pub fn step(&mut self, by: isize) {
        let (tab, last) = (self.tab as usize, self.count().saturating_sub(1));
        self.cursors[tab] = self.cursors[tab].saturating_add_signed(by).min(last);
        self.chosen = self.selected().map(|entry| entry.id.clone()).or(self.chosen.take());
        let way = self.selected_way().map(|way| (way.id.clone(), way.action.clone(), way.on.clone()));
        self.chosen_way = way.or(self.chosen_way.take());
    }

    /// The action before or after.
    pub fn turn(&mut self, right: bool) {
        let last = self.known().map_or(0, |seen| seen.actions.len().saturating_sub(1));
        self.action = if right { (self.action + 1).min(last) } else { self.action.saturating_sub(1) };
    }

    /// The answer about a cell, if it was given; the newest there is.
    pub fn explanation(&self, cell: &CellOf) -> Option<&Result<Box<Explanation>, String>> {
        self.cell.as_ref().filter(|(of, ..)| of == cell).map(|(_, _, answer)| answer)
    }

    /// Who a cell is about.
    fn who(&self, cell: &CellOf) -> Option<Who> {
        let way = || self.ways.iter().flatten().find(|way| way.id == cell.who).map(|way| way.who.clone());
        let entry = self.known()?.entries.iter().find(|entry| entry.id == cell.who).map(|entry| entry.who.clone());
        entry.or_else(way)
    }

    /// Puts the rows in order and the cursor where it was. Returns whether anything moved.
    fn arrange(&mut self) -> bool {
        let now = (self.changes, self.sort, self.backwards, self.filter.clone());
        if self.arranged.as_ref() == Some(&now) {
            return false;
        }
        self.arranged = Some(now);
        let filter = Filter::parse(&self.filter, |field| FIELDS.contains(&field));
        let fits = |[who, how, action]: [String; 3]| {
            filter.accepts(|field| match field {
                Some("who") => vec![who.as_str().into()],
                Some("how") => vec![how.as_str().into()],
                Some(_) => vec![action.as_str().into()],
                None => vec![format!("{who} {how} {action}").into()],
            })
        };
        let entries: &[Entry] = match &self.seen {
            Some(Ok(seen)) => &seen.entries,
            _ => &[],
        };
        let text = |entry: &Entry| {
            let why = entry.unexpected.as_ref().map_or("", |reason| reason.short);
            let marks = if entry.has_access() { "" } else { "no access" };
            [format!("{} {}", entry.name, entry.id), format!("{} {why} {marks}", entry.how), String::new()]
        };
        let mut order: Vec<usize> = (0..entries.len()).filter(|at| fits(text(&entries[*at]))).collect();
        let open = |entry: &Entry| std::cmp::Reverse(entry.marks.iter().filter(|mark| mark.is_open()).count());
        match self.sort {
            Sort::Risk => order.sort_by(|a, b| {
                let (a, b) = (&entries[*a], &entries[*b]);
                (a.class, open(a), &a.name, &a.id).cmp(&(b.class, open(b), &b.name, &b.id))
            }),
            Sort::Name => order.sort_by_cached_key(|at| (entries[*at].name.to_lowercase(), entries[*at].id.clone())),
            Sort::Used => order.sort_by_cached_key(|at| {
                let used = self.uses.of(&entries[*at].key).and_then(|used| used.at);
                (std::cmp::Reverse(used), entries[*at].class, entries[*at].name.clone())
            }),
        }
        let ways: &[Way] = self.ways.as_deref().unwrap_or_default();
        let text = |way: &Way| {
            let who = format!("{} {}", way.name, way.id);
            [who, format!("{} {}", way.path, way.words), way.action.clone()]
        };
        let mut way_order: Vec<usize> = (0..ways.len()).filter(|at| fits(text(&ways[*at]))).collect();
        if self.sort == Sort::Name {
            way_order.sort_by_key(|at| ways[*at].name.to_lowercase());
        }
        if self.backwards {
            order.reverse();
            way_order.reverse();
        }
        let at = |order: &[usize], is: &dyn Fn(usize) -> bool| order.iter().position(|row| is(*row));
        let chosen = self.chosen.as_ref().and_then(|id| at(&order, &|row| entries[row].id == *id));
        let chosen_way = self.chosen_way.as_ref().and_then(|(id, action, on)| {
            at(&way_order, &|row| ways[row].id == *id && ways[row].action == *action && ways[row].on == *on)
        });
        for (tab, chosen, kept, count) in [
            (0, chosen, self.chosen.is_some(), order.len()),
            (1, chosen_way, self.chosen_way.is_some(), way_order.len()),
        ] {
            let held = if kept { self.cursors[tab] } else { 0 };
            self.cursors[tab] = chosen.unwrap_or(held).min(count.saturating_sub(1));
        }
        (self.order, self.way_order) = (order, way_order);
        true
    }

    /// Scrolls so that the cursor is seen: by half a screen at the edges.
    fn reveal(&mut self, rows: usize) {
        let (tab, count) = (self.tab as usize, self.count());
        let (cursor, offset) = (self.cursors[tab].min(count.saturating_sub(1)), &mut self.offsets[tab]);
        if rows == 0 {
            *offset = 0;
            return;
        }
        if cursor < *offset {
            *offset = cursor.saturating_sub((rows / 2).max(1) - 1);
        } else if cursor >= *offset + rows {
            *offset = (cursor + rows / 2 + 1).saturating_sub(rows).max(cursor + 1 - rows);
        }
        *offset = (*offset).min(count.saturating_sub(rows)).min(cursor);
        self.cursors[tab] = cursor;
    }

    fn take(&mut self, reply: Reply) {
        match reply.part {
            Part::Who(seen) => {
                let action = self.selected_action().map(str::to_owned);
                let stamp = self.asking.as_ref().map(|(_, stamp)| stamp.clone());
                if seen.is_err() {
                    self.asking = None;
                }
                (self.seen, self.answered) = (Some(seen), stamp);
                let actions = self.known().map(|seen| &seen.actions);
                self.action =
                    actions.zip(action).and_then(|(all, one)| all.iter().position(|a| *a == one)).unwrap_or(0);
            }
            Part::Ways(ways, gaps) => {
                self.asking = None;
                (self.ways, self.way_gaps) = (Some(ways), gaps);
            }
            Part::Why(answer) => {
                if let Some((_, cell, changes)) = self.cell_asking.take() {
                    self.cell = Some((cell, changes, answer));
                }
                return;
            }
            Part::Broken(why) => {
                if let Some((_, cell, changes)) = self.cell_asking.take_if(|(id, ..)| *id == reply.id) {
                    self.cell = Some((cell, changes, Err(why)));
                    return;
                }
                self.answered = self.asking.take().map(|(_, stamp)| stamp);
                self.seen = Some(Err(why));
            }
            Part::WhatIf(_) => return,
        }
        self.changes += 1;
    }

    /// How many marks there are of a kind in a row, for the title.
    pub fn counts(&self) -> (usize, usize, usize) {
        let entries = self.known().map(|seen| seen.entries.as_slice()).unwrap_or_default();
        let open = entries.iter().filter(|entry| entry.has_access());
        let unexpected = open.clone().filter(|entry| entry.unexpected.is_some());
        (open.count(), entries.len(), unexpected.count())
    }
}

/// All matrices.
#[derive(Debug, Default)]
pub struct Matrices {
    boards: Vec<Board>,
    last: u64,
}

impl Matrices {
    /// The matrix of a resource, if it was opened.
    pub fn get(&self, of: &ResourceRef) -> Option<&Board> {
        self.boards.iter().find(|board| board.of == *of)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, of: &ResourceRef) -> Option<&mut Board> {
        self.boards.iter_mut().find(|board| board.of == *of)
    }

    /// The same; makes it if there is none.
    pub fn open(&mut self, of: &ResourceRef) -> &mut Board {
        let at = self.boards.iter().position(|board| board.of == *of).unwrap_or_else(|| {
            if self.boards.len() >= KEPT {
                self.boards.remove(0);
            }
            self.boards.push(Board::new(of.clone()));
            self.boards.len() - 1
        });
        &mut self.boards[at]
    }

    /// Forgets everything: another session begins.
    pub fn forget(&mut self) {
        self.boards.clear();
    }

    /// The number of the next question.
    pub fn next_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes an answer. Returns whether anybody waited for it.
    pub fn take(&mut self, reply: Reply) -> bool {
        let waits = |board: &&mut Board| {
            board.asking.as_ref().is_some_and(|(id, _)| *id == reply.id)
                || board.cell_asking.as_ref().is_some_and(|(id, ..)| *id == reply.id)
        };
        match self.boards.iter_mut().find(waits) {
            Some(board) => {
                board.take(reply);
                true
            }
            None => false,
        }
    }
}

/// Brings what is derived up to date. Returns whether anything changed that is seen.
pub fn refresh(model: &mut Model, of: &ResourceRef) -> bool {
    model.matrices.open(of);
    let newer = model.matrices.get(of).and_then(|board| board.uses.newer(model, of));
    let rows = model.matrices.get(of).map_or(0, |board| super::rows_seen(model, board));
    let board = model.matrices.open(of);
    if let Some(newer) = newer {
        board.uses = newer;
        board.changes += 1;
    }
    let changed = board.arrange();
    board.reveal(rows);
    changed
}

/// What a matrix asks of the evaluator now: one question at a time, and the newest state of things.
pub fn wants(model: &mut Model, of: &ResourceRef, cell: Option<CellOf>, session: &SessionInfo) -> Vec<Effect> {
    let (inventory, trusted, now) = (model.inventory.clone(), model.options.expect.trusted_accounts.clone(), model.now);
    let revision = model.revision;
    let make = |id, asked| {
        let (inventory, session, trusted) = (inventory.clone(), session.clone(), trusted.clone());
        Effect::Ask(Box::new(Question { id, inventory, session, trusted, of: of.clone(), now, asked }))
    };
    let (id, other) = (model.matrices.next_id(), model.matrices.next_id());
    let board = model.matrices.open(of);
    let mut effects = Vec::new();
    let stamp = Stamp { revision, callers: board.uses.callers.clone() };
    if board.asking.is_none() && board.answered.as_ref() != Some(&stamp) {
        let asked = Asked::Who { callers: stamp.callers.clone() };
        board.asking = Some((id, stamp));
        effects.push(make(id, asked));
    }
    if let Some(cell) = cell
        && board.cell_asking.as_ref().is_none_or(|(_, held, _)| *held != cell)
        && board.cell.as_ref().is_none_or(|(held, changes, _)| *held != cell || *changes != board.changes)
        && let Some(who) = board.who(&cell)
    {
        board.cell_asking = Some((other, cell.clone(), board.changes));
        effects.push(make(other, Asked::Why(Box::new(cell), Box::new(who))));
    }
    effects
}
