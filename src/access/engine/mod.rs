//! Who can do what, for thousands of people, hundreds of keys and every action at once.
//!
//! The plain evaluator answers one question with everything behind it: statements, conditions, layers. A hundred
//! million such questions (ten thousand principals, two hundred keys, 56 actions of KMS) would take it an hour. Yet
//! hardly any of them is a question of its own. Four observations take them down to a few thousand:
//!
//! 1. **Actions are bits.** A statement covers a set of actions: one word of 64 bits ([`mask`]). Three-valued logic
//!    needs two such words, "certainly" and "perhaps", and then joins all columns of a row in a dozen instructions. How
//!    the layers come together is not written down again here: `sides` has the formula once, for expressions and for
//!    masks.
//! 2. **People are classes.** To a policy that does not name you, you are your account, your kind, and whether you have a
//!    boundary. To your own policies you are your list of them. So people are put together by what tells them apart
//!    ([`crowd`]), and whoever a policy names, or who differs in a key that some condition looks up, is looked at
//!    alone ([`facing`], [`sheet`]).
//! 3. **A statement speaks for itself.** What a document says is its statements joined by "or"; so each is asked alone,
//!    by the plain reader, once for what it sees in a resource and in a class ([`rules`], [`pass`]). No rule of IAM is
//!    written down twice. What writes its resources out says nothing of any other: whoever holds such a document is
//!    looked at alone where it counts, and is one of a crowd elsewhere.
//! 4. **An open cell is its expressions.** Where yes and no do not decide, the verdict depends on the conditions that
//!    remain, and on nothing else: not on who asks or for which key. The plain evaluator is asked once for each list of
//!    conditions, and the verdict is remembered ([`settle`], [`memory`]).
//!
//! What is left of a cell is its place in a table. Reasons are not kept: [`Survey::explain`] has the plain evaluator
//! give them for the one cell that somebody opens. That both agree on every cell is a property test.

mod crowd;
mod facing;
mod mask;
mod memory;
mod pass;
mod rules;
mod settle;
mod sheet;
#[cfg(test)]
mod tests;
mod told;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::decision::{Answer, Decision};
use super::identity::Identity;
use super::request::{Ground, Guards, Request, Resource, Rules, denied, has_void};
use super::scenario::Scenario;
use super::who::Shift;
use mask::Columns;
use memory::Memory;
use pass::Pass;
use sheet::Sheet;

/// A decision without its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing allows it.
    ImplicitlyDenied,
    /// A Deny applies.
    ExplicitlyDenied,
    /// When conditions hold.
    Conditional,
    /// Not everything could be seen, or AWS does not say.
    Uncertain,
    /// Yes.
    Allowed,
}

impl Verdict {
    /// Of a decision.
    pub fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Allowed { .. } => Self::Allowed,
            Decision::Conditional { .. } => Self::Conditional,
            Decision::Uncertain { .. } => Self::Uncertain,
            Decision::ExplicitlyDenied { .. } => Self::ExplicitlyDenied,
            Decision::ImplicitlyDenied { .. } => Self::ImplicitlyDenied,
        }
    }

    /// No, by a Deny or for want of an Allow.
    pub fn is_denied(self) -> bool {
        matches!(self, Self::ImplicitlyDenied | Self::ExplicitlyDenied)
    }
}

/// The verdicts of up to 64 columns; what has no bit is implicitly denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Row {
    allowed: u64,
    conditional: u64,
    uncertain: u64,
    explicit: u64,
    /// Where something that was not seen of an organization may take away what is allowed.
    veiled: u64,
}

impl Row {
    fn put(&mut self, column: usize, verdict: Verdict) {
        let bit = 1 << column;
        match verdict {
            Verdict::ImplicitlyDenied => {}
            Verdict::ExplicitlyDenied => self.explicit |= bit,
            Verdict::Conditional => self.conditional |= bit,
            Verdict::Uncertain => self.uncertain |= bit,
            Verdict::Allowed => self.allowed |= bit,
        }
    }

    fn verdict(&self, column: usize) -> Verdict {
        let has = |bits: u64| (bits >> column) & 1 == 1;
        match () {
            () if has(self.veiled & (self.allowed | self.conditional)) => Verdict::Uncertain,
            () if has(self.allowed) => Verdict::Allowed,
            () if has(self.conditional) => Verdict::Conditional,
            () if has(self.uncertain) => Verdict::Uncertain,
            () if has(self.explicit) => Verdict::ExplicitlyDenied,
            () => Verdict::ImplicitlyDenied,
        }
    }

    /// The columns that are not denied.
    fn access(&self) -> u64 {
        self.allowed | self.conditional | self.uncertain
    }
}

/// Up to 64 columns of a [`Grid`]: rows that occur, and who has which.
#[derive(Debug, Clone)]
struct Part {
    of: Vec<u32>,
    /// With its number in the memory of the survey that made it.
    rows: Vec<(u32, Row)>,
}

impl Part {
    fn row(&self, person: usize) -> (u32, Row) {
        self.of.get(person).and_then(|at| self.rows.get(*at as usize)).copied().unwrap_or_default()
    }
}

/// Everybody's verdicts on one resource. A row for each identity of the survey, a column for each action, in their order.
#[derive(Debug, Clone)]
pub struct Grid {
    parts: Vec<Part>,
    /// The resource's policy holds an Allow that cannot be read: what is denied then has more to say.
    void: bool,
}

impl Grid {
    /// One cell. Beyond the edge everything is denied.
    pub fn verdict(&self, person: usize, column: usize) -> Verdict {
        let (part, column) = (column / Columns::MOST, column % Columns::MOST);
        self.parts.get(part).map_or(Verdict::ImplicitlyDenied, |part| part.row(person).1.verdict(column))
    }

    /// Whether anything of a row is not plainly denied.
    pub fn has_access(&self, person: usize) -> bool {
        self.parts.iter().any(|part| part.row(person).1.access() != 0)
    }

    /// How many cells are not plainly denied.
    pub fn accesses(&self) -> usize {
        let part = |part: &Part| {
            let cells: Vec<usize> = part.rows.iter().map(|(_, row)| row.access().count_ones() as usize).collect();
            part.of.iter().map(|at| cells.get(*at as usize).copied().unwrap_or(0)).sum::<usize>()
        };
        self.parts.iter().map(part).sum()
    }
}

fn is_void(resource: &Resource) -> bool {
    matches!(&resource.rules, Rules::Known(policy) if has_void(policy))
}

/// A cell that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which identity.
    pub person: usize,
    /// Which action.
    pub column: usize,
    /// How.
    pub shift: Shift,
}

/// Everybody and every action, made ready to be asked about one resource after another.
pub struct Survey<'a> {
    identities: &'a [Identity],
    actions: &'a [String],
    scenario: &'a Scenario,
    guards: &'a Guards,
    sheets: Vec<(Sheet<'a>, Memory)>,
    /// Some guard holds an Allow that cannot be read.
    void: bool,
}

impl<'a> Survey<'a> {
    /// Makes them ready.
    pub fn of(identities: &'a [Identity], actions: &'a [String], scenario: &'a Scenario, guards: &'a Guards) -> Self {
        let sheets = actions.chunks(Columns::MOST).map(|some| {
            let sheet = Sheet::of(identities, some, scenario, guards);
            let memory = sheet.memory();
            (sheet, memory)
        });
        let sheets: Vec<(Sheet<'a>, Memory)> = sheets.collect();
        let mut levels = sheets.first().into_iter().flat_map(|(sheet, _)| &sheet.levels);
        let void = levels.any(|rung| rung.policies.iter().any(|policy| has_void(policy)));
        Self { identities, actions, scenario, guards, sheets, void }
    }

    /// Everybody's verdicts on one resource. What it works out is kept for the next.
    pub fn grid(&mut self, resource: &Resource) -> Grid {
        let part = |(sheet, memory): &mut (Sheet<'a>, Memory)| Pass::on(sheet, memory, resource.ground()).run();
        Grid { parts: self.sheets.iter_mut().map(part).collect(), void: is_void(resource) }
    }

    /// The same where the account's own policies alone decide, even on a role (`iam:PassRole`).
    pub(super) fn grid_by_identity(&mut self, resource: &Resource) -> Grid {
        let ground = Ground { by_identity: true, ..resource.ground() };
        let part = |(sheet, memory): &mut (Sheet<'a>, Memory)| Pass::on(sheet, memory, ground).run();
        Grid { parts: self.sheets.iter_mut().map(part).collect(), void: is_void(resource) }
    }

    /// The same for many resources, on all processors.
    pub fn grids(&self, resources: &[Resource]) -> Vec<Grid> {
        let next = AtomicUsize::new(0);
        let owners = || resources.iter().map(|resource| resource.owner.as_str());
        let known: Vec<Memory> = self.sheets.iter().map(|(sheet, _)| sheet.prepared(owners())).collect();
        let done: Mutex<Vec<(usize, Grid)>> = Mutex::new(Vec::with_capacity(resources.len()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(resources.len());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut memories: Vec<Memory> = known.iter().map(Memory::fork).collect();
                    while let Some((at, resource)) = {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        resources.get(at).map(|resource| (at, resource))
                    } {
                        let sheets = self.sheets.iter().zip(&mut memories);
                        let part = |((sheet, _), memory): (&(Sheet<'a>, Memory), &mut Memory)| {
                            Pass::on(sheet, memory, resource.ground()).run()
                        };
                        let grid = Grid { parts: sheets.map(part).collect(), void: is_void(resource) };
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, grid));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, grid)| grid).collect()
    }

    /// Which cells change between two states of a resource: a policy edited, a grant taken away.
    pub fn moves(&mut self, before: &Resource, after: &Resource) -> Vec<Moved> {
        let (was, is) = (self.grid(before), self.grid(after));
        let mut known: HashMap<(u32, u32), Option<Shift>> = HashMap::new();
        let mut found = Vec::new();
        let mut rows: HashMap<(usize, u32, u32), Vec<(usize, Shift)>> = HashMap::new();
        for person in 0..self.identities.len() {
            for (at, (was, is)) in was.parts.iter().zip(&is.parts).enumerate() {
                let (then, now) = (was.row(person), is.row(person));
                if then.0 == now.0 {
                    continue;
                }
                let shifts = rows.entry((at, then.0, now.0)).or_insert_with(|| {
                    let mut compare = |column: usize, cells: Option<(u32, u32)>| {
                        let ask = || {
                            let column = at * Columns::MOST + column;
                            Shift::between(&self.explain(person, column, before), &self.explain(person, column, after))
                        };
                        match cells {
                            Some((then, now)) if then == now => None,
                            Some(cells) if self.sheets.len() == 1 => *known.entry(cells).or_insert_with(ask),
                            _ => ask(),
                        }
                    };
                    self.sheets[at].1.shifts(then, now, &mut compare)
                });
                found.extend(shifts.iter().map(|(column, shift)| Moved {
                    person,
                    column: at * Columns::MOST + column,
                    shift: *shift,
                }));
            }
        }
        found
    }

    /// One cell with its reasons, from the plain evaluator.
    pub fn explain(&self, person: usize, column: usize, resource: &Resource) -> Answer {
        let (scenario, guards) = (self.scenario, self.guards);
        match (self.identities.get(person), self.actions.get(column)) {
            (Some(identity), Some(action)) => Request { identity, action, resource, scenario, guards }.answer(),
            _ => Answer::blind("there is no such cell"),
        }
    }

    /// One cell of a grid that this survey has just made of this resource, with its reasons: the same as
    /// [`Survey::explain`], but for what is plainly not allowed no statement is read again.
    pub(super) fn answer(&self, person: usize, column: usize, resource: &Resource, grid: &Grid) -> Answer {
        let (at, bit) = (column / Columns::MOST, column % Columns::MOST);
        if let (Some(identity), Some(action), Some(part)) =
            (self.identities.get(person), self.actions.get(column), grid.parts.get(at))
        {
            let settled = self.sheets[at].1.row(part.row(person).0);
            let void = || self.void || grid.void || identity.policies.iter().any(|(_, policy)| has_void(policy));
            let fence = || identity.boundary.iter().filter_map(|one| one.policy.as_ref().ok()).any(|one| has_void(one));
            if (settled.bare >> bit) & 1 == 1 && !void() && !fence() {
                let ground = resource.ground().for_action(action);
                return denied(settled.has.at(bit), &ground, &identity.caller, action, self.guards);
            }
        }
        self.explain(person, column, resource)
    }

    /// How often the plain evaluator was asked to settle a cell.
    pub fn asked(&self) -> usize {
        self.sheets.iter().map(|(_, memory)| memory.asked).sum()
    }
}
