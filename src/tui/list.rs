//! Lists: one kind for all panes. What is listed is derived when data, filter or order change; cells
//! are made only for rows that are seen (or to filter and sort by them).

use std::collections::BTreeSet;

use super::layout;
use super::model::Model;
use super::pane::{self, Pane};
use super::theme::Role;
use crate::base::Text;
use crate::inventory::{ResourceRef, SourceId};

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A resource.
    Resource(ResourceRef),
    /// A finding, by its verdict's id.
    Finding(String),
    /// An event, by its id.
    Event(Text),
    /// An invocation, by its request id.
    Invocation(Text),
    /// A source.
    Source(SourceId),
    /// An entry of the journal, by its number.
    Journal(usize),
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its head.
    pub title: &'static str,
    /// The least cells it needs.
    pub min: u16,
    /// Its share of what is left over.
    pub grow: u16,
    /// When room is short the highest goes first; 0 never.
    pub rank: u8,
    /// Numbers stand right.
    pub right: bool,
}

impl Column {
    /// What it is called in a sentence.
    pub fn name(&self) -> String {
        match self.title {
            "" => "status".to_owned(),
            "!" => "findings".to_owned(),
            title => title.to_lowercase(),
        }
    }
}

/// A column of text: `head`, least width, share of the rest, rank.
pub const fn text(title: &'static str, min: u16, grow: u16, rank: u8) -> Column {
    Column { title, min, grow, rank, right: false }
}

/// A column of numbers.
pub const fn number(title: &'static str, min: u16, rank: u8) -> Column {
    Column { title, min, grow: 0, rank, right: true }
}

/// What stands in a row under a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// What it means.
    pub role: Role,
    /// What it is sorted by, where that is not the text.
    pub order: Option<i64>,
}

impl Cell {
    /// Plain text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), role: Role::Text, order: None }
    }

    /// Text with a meaning.
    pub fn of(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), role, order: None }
    }

    /// Sorted by a number.
    #[must_use]
    pub fn by(mut self, order: i64) -> Self {
        self.order = Some(order);
        self
    }
}

/// The state of one list.
#[derive(Debug, Clone, Default)]
pub struct ListState {
    /// What is listed, in order.
    pub subjects: Vec<Subject>,
    /// How many there are without the filter.
    pub total: usize,
    /// The row under the cursor.
    pub cursor: usize,
    /// The first row shown.
    pub offset: usize,
    /// The column it is sorted by, if not in its own order; and whether backwards.
    pub sort: Option<(usize, bool)>,
    /// What rows must contain.
    pub filter: String,
    /// Rows to come back to.
    pub marked: BTreeSet<Subject>,
    selected: Option<Subject>,
    stamp: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq)]
struct Stamp {
    revision: u64,
    log: u64,
    sort: Option<(usize, bool)>,
    filter: String,
}

impl ListState {
    /// What is under the cursor.
    pub fn selected(&self) -> Option<Subject> {
        self.subjects.get(self.cursor).cloned()
    }

    /// Puts the cursor on a row, as a person does: the list then keeps to that row, wherever it goes.
    pub fn select(&mut self, row: usize, rows: usize) {
        self.cursor = row.min(self.subjects.len().saturating_sub(1));
        // why not at the top: there the newest and worst is wanted, whatever it is.
        self.selected = (self.cursor > 0).then(|| self.subjects.get(self.cursor).cloned()).flatten();
        self.reveal(rows);
    }

    /// Puts the cursor on a subject, or remembers to do so when it comes.
    pub fn point_at(&mut self, subject: Subject) {
        if let Some(row) = self.subjects.iter().position(|held| *held == subject) {
            self.cursor = row;
        }
        self.selected = Some(subject);
    }

    /// Moves the view when the cursor left it: by half a screen, because each scrolled row is paid
    /// for in bytes.
    fn reveal(&mut self, rows: usize) {
        let half = (rows / 2).max(1);
        let last = self.subjects.len().saturating_sub(rows);
        if rows == 0 {
            self.offset = 0;
        } else if self.cursor < self.offset {
            self.offset = self.cursor.saturating_sub(half.saturating_sub(1));
        } else if self.cursor >= self.offset + rows {
            self.offset = (self.cursor + half).saturating_sub(rows.saturating_sub(1)).max(self.cursor + 1 - rows);
        }
        self.offset = self.offset.min(last).min(self.cursor);
        if rows > 0 && self.cursor >= self.offset + rows {
            self.offset = self.cursor + 1 - rows;
        }
    }
}

/// Brings the list of the pane up to date. Cheap when nothing changed.
pub fn sync(model: &mut Model) {
    let pane = model.pane;
    let rows = layout::list_rows(model.size, pane);
    let list = model.list();
    let stamp = Stamp {
        revision: model.revision,
        log: pane::activity(model, pane),
        sort: list.sort,
        filter: list.filter.clone(),
    };
    if list.stamp.as_ref() != Some(&stamp) {
        let (subjects, total) = derive(model, pane, &stamp);
        let list = model.list_mut();
        list.subjects = subjects;
        list.total = total;
        list.stamp = Some(stamp);
        let place = list.selected.as_ref().and_then(|wanted| list.subjects.iter().position(|held| held == wanted));
        match (place, &list.selected) {
            (Some(row), _) => list.cursor = row,
            (None, None) => list.cursor = 0,
            (None, Some(_)) => list.cursor = list.cursor.min(list.subjects.len().saturating_sub(1)),
        }
        model.dirty = true;
    }
    model.list_mut().reveal(rows);
}

fn derive(model: &Model, pane: Pane, stamp: &Stamp) -> (Vec<Subject>, usize) {
    let mut subjects = pane::subjects(model, pane);
    let total = subjects.len();
    if !stamp.filter.trim().is_empty() {
        if pane == Pane::Trail {
            let filter = pane::trail::Filter::parse(&stamp.filter);
            subjects.retain(|subject| match subject {
                Subject::Event(id) => model.log.event(id).is_some_and(|event| filter.accepts(model, event)),
                _ => true,
            });
        } else {
            let words: Vec<String> = stamp.filter.to_lowercase().split_whitespace().map(str::to_owned).collect();
            subjects.retain(|subject| {
                let cells = pane::cells(model, pane, subject);
                let row = cells.iter().map(|cell| cell.text.to_lowercase()).collect::<Vec<_>>().join(" ");
                words.iter().all(|word| match word.strip_prefix('!') {
                    Some(word) if !word.is_empty() => !row.contains(word),
                    _ => row.contains(word.as_str()),
                })
            });
        }
    }
    if let Some((column, backwards)) = stamp.sort {
        let mut keyed: Vec<_> = subjects
            .into_iter()
            .map(|subject| {
                let cell = pane::cells(model, pane, &subject).into_iter().nth(column).unwrap_or_else(|| Cell::new(""));
                ((cell.order.unwrap_or(i64::MAX), cell.text.to_lowercase()), subject)
            })
            .collect();
        keyed.sort_by(|a, b| if backwards { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
        subjects = keyed.into_iter().map(|(_, subject)| subject).collect();
    }
    (subjects, total)
}

/// The widths of the columns in `room` cells, 0 for those that do not fit. One cell stands between
/// two columns.
pub fn widths(columns: &[Column], room: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = columns.iter().map(|column| column.min).collect();
    let need = |widths: &[u16]| -> u16 {
        let shown = widths.iter().filter(|width| **width > 0).count() as u16;
        widths.iter().sum::<u16>() + shown.saturating_sub(1)
    };
    while need(&widths) > room {
        let gone =
            (0..columns.len()).filter(|at| widths[*at] > 0 && columns[*at].rank > 0).max_by_key(|at| columns[*at].rank);
        match gone {
            Some(at) => widths[at] = 0,
            None => break,
        }
    }
    let spare = room.saturating_sub(need(&widths));
    let shares: u16 = (0..columns.len()).filter(|at| widths[*at] > 0).map(|at| columns[at].grow).sum();
    if shares > 0 {
        let mut left = spare;
        let mut last = None;
        for at in 0..columns.len() {
            if widths[at] > 0 && columns[at].grow > 0 {
                let share = (u32::from(spare) * u32::from(columns[at].grow) / u32::from(shares)) as u16;
                widths[at] += share;
                left -= share;
                last = Some(at);
            }
        }
        if let Some(at) = last {
            widths[at] += left;
        }
    } else if need(&widths) > room
        && let Some(widest) = (0..widths.len()).max_by_key(|at| widths[*at])
    {
        widths[widest] = widths[widest].saturating_sub(need(&widths) - room);
    }
    if need(&widths) > room
        && let Some(widest) = (0..widths.len()).max_by_key(|at| widths[*at])
    {
        widths[widest] = widths[widest].saturating_sub(need(&widths) - room);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column] = &[
        text("SEV", 8, 0, 0),
        text("WHAT", 20, 3, 0),
        text("WHERE", 14, 1, 1),
        number("AGE", 4, 3),
        text("FIX", 6, 0, 2),
    ];

    #[test]
    fn the_least_important_column_goes_first() {
        assert_eq!(widths(COLUMNS, 76), [8, 35, 19, 4, 6]);
        assert_eq!(widths(COLUMNS, 55), [8, 23, 15, 0, 6]);
        assert_eq!(widths(COLUMNS, 44), [8, 20, 14, 0, 0]);
        assert_eq!(widths(COLUMNS, 32), [8, 23, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn columns_never_overflow(room in 0u16..300) {
            let widths = widths(COLUMNS, room);
            let shown = widths.iter().filter(|width| **width > 0).count() as u16;
            let used = widths.iter().sum::<u16>() + shown.saturating_sub(1);
            prop_assert!(used <= room || room < 10, "{used} of {room}");
        }

        #[test]
        fn the_cursor_is_always_in_view(moves in proptest::collection::vec(0usize..120, 1..40), rows in 1usize..30) {
            let mut list = ListState {
                subjects: (0..100).map(|n| Subject::Finding(n.to_string())).collect(),
                ..ListState::default()
            };
            for row in moves {
                list.select(row, rows);
                prop_assert!(list.cursor >= list.offset && list.cursor < list.offset + rows);
                prop_assert!(list.offset + rows <= 100 || list.offset == 0);
            }
        }
    }
}
