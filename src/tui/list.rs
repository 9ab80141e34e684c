//! Lists: one kind for all panes. What is listed is derived when data, filter or order change; cells
//! are made only for rows that are seen (or to filter and sort by them).

use std::collections::BTreeSet;

use super::filter::Filter;
use super::layout;
use super::model::Model;
use super::pane::{self, Pane};
use super::theme::Role;
use crate::base::Text;
use crate::inventory::{ResourceRef, SourceId};

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// A framework, by its id.
    Framework(&'static str),
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its head.
    pub title: &'static str,
    /// The cells it wants.
    pub min: u16,
    /// The cells it can do with, before a column of rank 1 goes.
    pub least: u16,
    /// Its share of what is left over.
    pub grow: u16,
    /// When room is short the highest goes first; 1 only when narrower columns do not help; 0 never.
    pub rank: u8,
    /// Numbers stand right.
    pub right: bool,
}

impl Column {
    /// The same, that can do with less.
    #[must_use]
    pub const fn at_least(mut self, least: u16) -> Self {
        self.least = least;
        self
    }

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
    Column { title, min, least: min, grow, rank, right: false }
}

/// A column of numbers.
pub const fn number(title: &'static str, min: u16, rank: u8) -> Column {
    Column { title, min, least: min, grow: 0, rank, right: true }
}

/// What stands in a row under a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// The same in fewer letters, where the text does not fit.
    pub short: Option<String>,
    /// What it means.
    pub role: Role,
    /// What it is sorted by, where that is not the text.
    pub order: Option<i64>,
}

impl Cell {
    /// Plain text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), short: None, role: Role::Text, order: None }
    }

    /// Text with a meaning.
    pub fn of(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), short: None, role, order: None }
    }

    /// In fewer letters where there is no room.
    #[must_use]
    pub fn or(mut self, short: impl Into<String>) -> Self {
        self.short = Some(short.into());
        self
    }

    /// What fits into so many cells, if one of its texts does; else the whole.
    pub fn fitting(&self, cells: u16) -> &str {
        use unicode_width::UnicodeWidthStr as _;
        match &self.short {
            Some(short) if self.text.width() > usize::from(cells) => short,
            _ => &self.text,
        }
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
    rows: Option<Rows>,
}

/// Every row that there is without the filter, made once for filtering and sorting: a letter more in the filter must
/// not cost what all of them cost.
#[derive(Debug, Clone)]
struct Rows {
    revision: u64,
    log: u64,
    rows: Vec<(Subject, Vec<Cell>)>,
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
        let held = model.list_mut().rows.take();
        let (subjects, total, rows) = derive(model, pane, &stamp, held);
        let list = model.list_mut();
        list.rows = rows;
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

fn derive(model: &Model, pane: Pane, stamp: &Stamp, held: Option<Rows>) -> (Vec<Subject>, usize, Option<Rows>) {
    let filtered = !stamp.filter.trim().is_empty();
    if !filtered && stamp.sort.is_none() {
        let subjects = pane::subjects(model, pane);
        let total = subjects.len();
        return (subjects, total, None);
    }
    let fresh = |held: &Rows| (held.revision, held.log) == (stamp.revision, stamp.log);
    let rows = held.filter(fresh).unwrap_or_else(|| {
        // why no cells of events to filter by: they have fields of their own, and there are many.
        let needed = stamp.sort.is_some() || pane != Pane::Trail;
        let row = |subject| {
            let cells = if needed { pane::cells(model, pane, &subject) } else { Vec::new() };
            (subject, cells)
        };
        let rows = pane::subjects(model, pane).into_iter().map(row).collect();
        Rows { revision: stamp.revision, log: stamp.log, rows }
    });
    let filter = Filter::parse(&stamp.filter, |field| pane::fields::has(pane, field));
    let mut shown: Vec<&(Subject, Vec<Cell>)> = rows
        .rows
        .iter()
        .filter(|(subject, row)| !filtered || pane::fields::accepts(model, pane, &filter, subject, row))
        .collect();
    if let Some((column, backwards)) = stamp.sort {
        let key = |row: &&(Subject, Vec<Cell>)| {
            let cell = row.1.get(column);
            let text = cell.map(|cell| cell.text.to_lowercase()).unwrap_or_default();
            let order = cell.and_then(|cell| cell.order);
            // why last, either way: where nothing stands there is nothing to look for.
            let nothing = order.is_none() && matches!(text.as_str(), "" | "-");
            (nothing, order.unwrap_or(i64::MAX), text)
        };
        shown.sort_by_cached_key(key);
        if backwards {
            let blank = shown.iter().rev().take_while(|row| key(row).0).count();
            let some = shown.len() - blank;
            shown[..some].reverse();
        }
    }
    let subjects = shown.into_iter().map(|(subject, _)| subject.clone()).collect();
    // why only while both stand still: events come all the time, and twenty thousand rows are much to keep.
    let total = rows.rows.len();
    (subjects, total, (pane != Pane::Trail).then_some(rows))
}

/// The widths of the columns in `room` cells, 0 for those that do not fit. One cell stands between
/// two columns.
pub fn widths(columns: &[Column], room: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = columns.iter().map(|column| column.min).collect();
    let need = |widths: &[u16]| -> u16 {
        let shown = widths.iter().filter(|width| **width > 0).count() as u16;
        widths.iter().sum::<u16>() + shown.saturating_sub(1)
    };
    // First what one can do without goes; then what is left gets narrower; only then what decides goes.
    let drop = |widths: &mut Vec<u16>, rank: u8| {
        while need(widths) > room {
            let gone = (0..columns.len())
                .filter(|at| widths[*at] > 0 && columns[*at].rank >= rank)
                .max_by_key(|at| columns[*at].rank);
            match gone {
                Some(at) => widths[at] = 0,
                None => break,
            }
        }
    };
    drop(&mut widths, 2);
    if need(&widths) > room {
        for (width, column) in widths.iter_mut().zip(columns).filter(|(width, _)| **width > 0) {
            *width = column.least;
        }
        drop(&mut widths, 1);
        // What fits whole again is whole; the rest goes to the columns that grow.
        for at in 0..columns.len() {
            let spare = room.saturating_sub(need(&widths));
            if widths[at] > 0 && columns[at].min - widths[at] <= spare {
                widths[at] = columns[at].min;
            }
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
    for _ in 0..widths.len() {
        let over = need(&widths).saturating_sub(room);
        if let Some(widest) = (0..widths.len()).max_by_key(|at| widths[*at]).filter(|_| over > 0) {
            widths[widest] = widths[widest].saturating_sub(over);
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the findings once were: nothing gets narrower.
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

    #[test]
    fn what_decides_stays_and_gets_narrower() {
        use crate::tui::pane::{Pane, columns};
        for (pane, shown) in [
            (Pane::Findings, &["SEV", "WHAT", "WHERE"][..]),
            (Pane::Trail, &["TIME", "WHO", "WHAT", "RESULT"]),
            (Pane::Invocations, &["TIME", "WHO", "MODEL", "RESULT"]),
            (Pane::Keys, &["KEY", "STATE", "24H", "!"]),
            (Pane::Network, &["KIND", "NAME", "!"]),
        ] {
            // 40 columns: the frame, its margins.
            let widths = widths(columns(pane), 36);
            let titles: Vec<_> =
                columns(pane).iter().zip(&widths).filter(|(_, w)| **w > 0).map(|(c, _)| c.title).collect();
            assert_eq!(titles, shown, "{pane:?} {widths:?}");
        }
    }

    #[test]
    fn a_cell_says_it_shorter_where_it_does_not_fit() {
        let cell = Cell::new("CRITICAL").or("CRIT");
        assert_eq!(
            (cell.fitting(8), cell.fitting(7), Cell::new("CRITICAL").fitting(4)),
            ("CRITICAL", "CRIT", "CRITICAL")
        );
    }

    proptest! {
        #[test]
        fn columns_never_overflow(room in 0u16..300) {
            for columns in crate::tui::pane::Pane::ALL.iter().map(|pane| crate::tui::pane::columns(*pane)).chain([COLUMNS]) {
                let widths = widths(columns, room);
                let shown = widths.iter().filter(|width| **width > 0).count() as u16;
                let used = widths.iter().sum::<u16>() + shown.saturating_sub(1);
                prop_assert!(used <= room || room < 10, "{used} of {room}: {widths:?}");
            }
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
