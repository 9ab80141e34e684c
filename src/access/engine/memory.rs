//! What has been worked out already, so that it is worked out once: expressions, outcomes, rows, cells.
//!
//! Nothing in it refers to a person or a resource: two people whose documents come to the same outcome on two keys
//! share a row, whoever they are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::super::expr::Expr;
use super::super::request::Has;
use super::super::scenario::ContextValue;
use super::super::who::Shift;
use super::crowd::{Fence, View};
use super::mask::{Covered, Mask, each};
use super::rules::Keys;
use super::{Row, Verdict};

/// A map by numbers of our own. why another hasher: the standard one withstands keys chosen by an enemy, at ten times the
/// price; texts from outside are still kept under that one.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Multiply and rotate, as compilers hash (FxHash).
#[derive(Debug, Default)]
pub(super) struct Quick(u64);

impl Quick {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.add(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.add(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    fn finish(&self) -> u64 {
        // why: the table takes the upper bits for one thing and the lower for another; the lower are poor.
        self.0 ^ (self.0 >> 32)
    }
}

/// Where a statement's word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    Allow,
    Role,
    Account,
    Deny,
}

/// What one statement says: in these columns, under this condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Piece {
    pub(super) slot: Slot,
    pub(super) columns: u64,
    /// The number of an expression; 0 is "always".
    pub(super) when: u32,
}

/// What one or more documents say together.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) pieces: Box<[Piece]>,
    pub(super) allow: Mask,
    pub(super) role: Mask,
    pub(super) account: Mask,
    pub(super) deny: Mask,
}

impl Outcome {
    pub(super) const NOTHING: u32 = 0;

    fn of(pieces: &[Piece]) -> Self {
        let mut outcome =
            Self { pieces: pieces.into(), allow: Mask::NO, role: Mask::NO, account: Mask::NO, deny: Mask::NO };
        for piece in pieces {
            let mask = match piece.slot {
                Slot::Allow => &mut outcome.allow,
                Slot::Role => &mut outcome.role,
                Slot::Account => &mut outcome.account,
                Slot::Deny => &mut outcome.deny,
            };
            mask.may |= piece.columns;
            if piece.when == 0 {
                mask.must |= piece.columns;
            }
        }
        outcome
    }
}

/// The values of one key, person by person, as numbers.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) of: Vec<u32>,
    /// Everybody has the same.
    pub(super) same: bool,
    /// Whether all of a class have the same.
    pub(super) in_class: Vec<bool>,
}

/// What somebody has who is asked one rule: at most two numbers of values.
pub(super) type Had = u64;

/// What a row depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RowKey {
    pub(super) ground: u32,
    pub(super) class: u32,
    pub(super) gaps: bool,
    /// With the number of an outcome.
    pub(super) fence: Fence,
    pub(super) own: u32,
    pub(super) rules: u32,
    pub(super) guards: u32,
    pub(super) grants: u32,
}

/// What a row depends on of the resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct GroundKey {
    pub(super) owner: String,
    pub(super) service: String,
    pub(super) effect: Mask,
    pub(super) flags: [bool; 5],
}

/// The grants that concern somebody.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) columns: u64,
}

/// Everything that is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) keys: Keys,
    pub(super) covered: Covered,
    pub(super) splits: HashMap<String, Vec<u64>>,
    /// By owner of the resource, then by key.
    pub(super) values: HashMap<String, Vec<Option<Arc<Values>>>>,
    exprs: HashMap<Expr, u32>,
    outcomes: Vec<Outcome>,
    outcome_of: Map<Box<[Piece]>, u32>,
    joined: Map<Box<[u32]>, u32>,
    grounds: HashMap<GroundKey, u32>,
    lists: Vec<Box<[u32]>>,
    list_of: Map<Box<[u32]>, u32>,
    pub(super) granted: Vec<Granted>,
    row_of: Map<RowKey, u32>,
    rows: Vec<Settled>,
    cells: Map<Box<[u32]>, (u32, Verdict)>,
    /// Statements by what they say and the owner they say it to, for `told`.
    pub(super) statements: HashMap<String, u32>,
    /// What a statement of a resource's policy said to each of a class, wherever it stood; 0: it was not asked.
    pub(super) told: Map<(u32, u32), Vec<u32>>,
    sayings: Vec<Box<[Piece]>>,
    saying_of: Map<Box<[Piece]>, u32>,
    /// What a rule of an own policy looks up in a resource, and whether it is about it.
    sights: HashMap<(u32, String, Vec<Option<ContextValue>>), u32>,
    /// What it said there to somebody.
    pub(super) heard: Map<(u32, Had), u32>,
    pub(super) views: HashMap<String, Arc<View>>,
    /// How often the plain evaluator was asked.
    pub(super) asked: usize,
}

impl Memory {
    pub(super) fn new(keys: Keys) -> Self {
        let mut memory = Self {
            keys,
            covered: Covered::new(),
            splits: HashMap::new(),
            values: HashMap::new(),
            exprs: HashMap::new(),
            outcomes: Vec::new(),
            outcome_of: Map::default(),
            joined: Map::default(),
            grounds: HashMap::new(),
            lists: Vec::new(),
            list_of: Map::default(),
            granted: vec![Granted::default()],
            row_of: Map::default(),
            rows: Vec::new(),
            cells: Map::default(),
            statements: HashMap::new(),
            told: Map::default(),
            sayings: Vec::new(),
            saying_of: Map::default(),
            sights: HashMap::new(),
            heard: Map::default(),
            views: HashMap::new(),
            asked: 0,
        };
        memory.outcome(&[]);
        memory.list(&[]);
        // No saying has the number 0.
        memory.sayings.push(Box::default());
        memory
    }

    /// Another that knows the same of people, and nothing else.
    pub(super) fn fork(&self) -> Self {
        let (values, views) = (self.values.clone(), self.views.clone());
        Self { values, views, ..Self::new(self.keys.clone()) }
    }

    /// The number of an expression.
    pub(super) fn expr(&mut self, when: &Expr) -> u32 {
        if *when == Expr::True {
            return 0;
        }
        if let Some(known) = self.exprs.get(when) {
            return *known;
        }
        let number = self.exprs.len() as u32 + 1;
        self.exprs.insert(when.clone(), number);
        number
    }

    /// The number of an outcome.
    pub(super) fn outcome(&mut self, pieces: &[Piece]) -> u32 {
        if let Some(known) = self.outcome_of.get(pieces) {
            return *known;
        }
        let number = self.outcomes.len() as u32;
        self.outcomes.push(Outcome::of(pieces));
        self.outcome_of.insert(pieces.into(), number);
        number
    }

    pub(super) fn outcome_at(&self, number: u32) -> &Outcome {
        &self.outcomes[number as usize]
    }

    /// The number of what a statement says; never 0.
    pub(super) fn saying(&mut self, pieces: &[Piece]) -> u32 {
        if let Some(known) = self.saying_of.get(pieces) {
            return *known;
        }
        let number = self.sayings.len() as u32;
        self.sayings.push(pieces.into());
        self.saying_of.insert(pieces.into(), number);
        number
    }

    pub(super) fn saying_at(&self, number: u32) -> &[Piece] {
        &self.sayings[number as usize]
    }

    /// The number of what a rule of an own policy sees in a resource that it is about.
    pub(super) fn sight(&mut self, rule: u32, owner: &str, seen: Vec<Option<ContextValue>>) -> u32 {
        let next = self.sights.len() as u32;
        *self.sights.entry((rule, owner.to_owned(), seen)).or_insert(next)
    }

    /// The number of a list of outcomes.
    pub(super) fn list(&mut self, list: &[u32]) -> u32 {
        if let Some(known) = self.list_of.get(list) {
            return *known;
        }
        let number = self.lists.len() as u32;
        self.lists.push(list.into());
        self.list_of.insert(list.into(), number);
        number
    }

    pub(super) fn list_at(&self, number: u32) -> &[u32] {
        &self.lists[number as usize]
    }

    pub(super) fn ground(&mut self, key: GroundKey) -> u32 {
        let next = self.grounds.len() as u32;
        *self.grounds.entry(key).or_insert(next)
    }

    pub(super) fn known_row(&self, key: &RowKey) -> Option<u32> {
        self.row_of.get(key).copied()
    }

    pub(super) fn keep_row(&mut self, key: RowKey, row: Settled) -> u32 {
        let number = self.rows.len() as u32;
        self.rows.push(row);
        self.row_of.insert(key, number);
        number
    }

    pub(super) fn row(&self, number: u32) -> &Settled {
        &self.rows[number as usize]
    }

    pub(super) fn known_cell(&self, on: &[u32]) -> Option<(u32, Verdict)> {
        self.cells.get(on).copied()
    }

    pub(super) fn keep_cell(&mut self, on: Vec<u32>, verdict: Verdict) -> (u32, Verdict) {
        let cell = (self.cells.len() as u32, verdict);
        self.cells.insert(on.into_boxed_slice(), cell);
        cell
    }

    /// What changes from one row to another. `compare` settles the cells that are open in both.
    pub(super) fn shifts(
        &self,
        (then, old): (u32, Row),
        (now, new): (u32, Row),
        compare: &mut dyn FnMut(usize, Option<(u32, u32)>) -> Option<Shift>,
    ) -> Vec<(usize, Shift)> {
        let open = |row: u32, column: usize| {
            self.row(row).open.iter().find(|(at, _)| *at == column).map(|(_, number)| *number)
        };
        // What is allowed flatly before and after is so under all conditions.
        let differ = each((old.access() | new.access()) & !(old.allowed & new.allowed));
        let mut shift = |column: usize| match (old.verdict(column), new.verdict(column)) {
            (then, _) if then.is_denied() => Some(Shift::Gain),
            (_, now) if now.is_denied() => Some(Shift::Lose),
            _ => compare(column, open(then, column).zip(open(now, column))),
        };
        differ.filter_map(|column| Some((column, shift(column)?))).collect()
    }

    /// Several outcomes as one.
    pub(super) fn join(&mut self, parts: &[u32]) -> u32 {
        if let [] | [_] = parts {
            return parts.first().copied().unwrap_or(Outcome::NOTHING);
        }
        if let Some(known) = self.joined.get(parts) {
            return *known;
        }
        let pieces: Vec<Piece> = parts.iter().flat_map(|part| self.outcome_at(*part).pieces.iter().copied()).collect();
        let number = self.outcome(&pieces);
        self.joined.insert(parts.into(), number);
        number
    }
}

/// A row, with the numbers of its open cells: where those are the same, so are the conditions.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) row: Row,
    pub(super) open: Vec<(usize, u32)>,
    /// Where each layer lets something through, perhaps or for certain.
    pub(super) has: Reach,
    /// Where no Deny applies, not even perhaps, and nothing allows.
    pub(super) bare: u64,
}

/// Where each layer lets something through.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Reach {
    pub(super) direct: u64,
    pub(super) role: u64,
    pub(super) account: u64,
    pub(super) own: u64,
    pub(super) boundary: u64,
    pub(super) session: u64,
    pub(super) grant: u64,
    pub(super) effect: u64,
    pub(super) scp: u64,
    pub(super) endpoint: u64,
}

impl Reach {
    /// In one column.
    pub(super) fn at(&self, column: usize) -> Has {
        let is = |bits: u64| (bits >> column) & 1 == 1;
        Has {
            direct: is(self.direct),
            role: is(self.role),
            account: is(self.account),
            own: is(self.own),
            boundary: is(self.boundary),
            session: is(self.session),
            grant: is(self.grant),
            effect: is(self.effect),
            scp: is(self.scp),
            endpoint: is(self.endpoint),
        }
    }
}

/// Numbers for the values of one key.
#[derive(Default)]
pub(super) struct Numbers(HashMap<(Option<ContextValue>, ContextValue), u32>);

impl Numbers {
    pub(super) fn of(&mut self, value: (Option<ContextValue>, ContextValue)) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(value).or_insert(next)
    }
}
