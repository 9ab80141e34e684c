//! Questions to the evaluator, and their answers. [`answer`] is a pure function of the question: whoever runs
//! effects calls it where it may take its time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::board::CellOf;
use super::explain::{Explanation, explain};
use super::rows::{Entry, Expected, Way};
use super::what_if::{Draft, Outcome, outcome};
use crate::access::obtain::obtain;
use crate::access::remarks::{Remarked, remarks};
use crate::access::request::Resource;
use crate::access::who::who_of;
use crate::access::{Decision, Matrix, People, Scenario, Target, Who};
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::{Inventory, Kind, ResourceRef, SessionInfo};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Who can do what, and who can get there.
    Who {
        /// Who used it through Bedrock: expected to have access.
        callers: Arc<BTreeSet<String>>,
    },
    /// Why one cell is as it is.
    Why(Box<CellOf>, Box<Who>),
    /// What would change.
    WhatIf(Box<Draft>),
}

/// One question, with all that is needed to answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its number: an answer to an old one is dropped.
    pub id: u64,
    /// What exists.
    pub inventory: Arc<Inventory>,
    /// Where.
    pub session: SessionInfo,
    /// Other accounts that may use what is ours.
    pub trusted: BTreeSet<String>,
    /// About what.
    pub of: ResourceRef,
    /// When.
    pub now: Timestamp,
    /// What.
    pub asked: Asked,
}

/// Who can do what.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The columns.
    pub actions: Vec<String>,
    /// The rows, as the evaluator gave them.
    pub entries: Vec<Entry>,
    /// What makes it incomplete.
    pub gaps: Vec<Text>,
    /// Why some cells cannot be told, each reason once.
    pub uncertain: Vec<Text>,
    /// What stands beside every cell.
    pub notes: Vec<Text>,
    /// What it is used through, in words; for a model.
    pub through: String,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Who can.
    Who(Result<Box<Seen>, String>),
    /// Who can get there, and what was not followed. Comes after [`Part::Who`].
    Ways(Vec<Way>, Vec<Text>),
    /// Why.
    Why(Result<Box<Explanation>, String>),
    /// What if.
    WhatIf(Result<Box<Outcome>, String>),
    /// The task broke.
    Broken(String),
}

/// An answer, or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// To which question.
    pub id: u64,
    /// What.
    pub part: Part,
}

impl Reply {
    /// The task that should have answered has broken.
    pub fn broken(id: u64, why: String) -> Self {
        Self { id, part: Part::Broken(why) }
    }
}

/// The evaluator's name for a resource of the inventory.
pub fn target(inventory: &Inventory, session: &SessionInfo, of: &ResourceRef) -> Result<Target, String> {
    let name = match of.kind {
        Kind::Bucket => format!("arn:{}:s3:::{}", session.partition, of.id),
        _ => of.id.to_string(),
    };
    Target::of(inventory, session, &name).map_err(|no| no.to_string())
}

/// Answers a question, part by part.
pub fn answer(question: &Question, say: &mut dyn FnMut(Reply)) {
    let mut say = |part| say(Reply { id: question.id, part });
    let inventory = &*question.inventory;
    match &question.asked {
        Asked::Who { callers } => {
            let target = match target(inventory, &question.session, &question.of) {
                Ok(target) => target,
                Err(why) => return say(Part::Who(Err(why))),
            };
            let actions: Vec<String> = target.actions().iter().map(|action| (*action).to_owned()).collect();
            let mut people = People::of(inventory);
            let mut matrix = who_of(inventory, &mut people, &target, &actions, &Scenario::open());
            matrix.notes.extend(remarks(inventory, &target, question.now).iter().map(Remarked::line));
            let about = (&question.of, &target);
            let expected = Expected::of(inventory, &question.session, about, &question.trusted, callers);
            say(Part::Who(Ok(Box::new(seen(&matrix, &target, &expected, inventory)))));
            let ways = obtain(inventory, &people, &target, &matrix);
            say(Part::Ways(expected.ways(&ways, target.owner()), ways.gaps));
        }
        Asked::Why(cell, who) => say(Part::Why(explain(question, cell, who).map(Box::new))),
        Asked::WhatIf(draft) => say(Part::WhatIf(outcome(question, draft).map(Box::new))),
    }
}

/// What a person calls that which serves a model.
pub fn name_of(inventory: &Inventory, id: &ResourceId) -> Option<String> {
    let kinds = [Kind::Deployment, Kind::Throughput, Kind::ImportedModel];
    let of = kinds.into_iter().map(|kind| ResourceRef::new(kind, id)).find(|of| inventory.holds(of))?;
    Some(inventory.name_of(&of))
}

fn seen(matrix: &Matrix, target: &Target, expected: &Expected<'_>, inventory: &Inventory) -> Seen {
    let through = match target {
        Target::Model(model) if model.served.iter().any(|one| one.arn == model.resource.arn) => {
            "invoked directly".to_owned()
        }
        Target::Model(model) => {
            let name = |one: &Resource| {
                let id = ResourceId::new(one.arn.to_string());
                name_of(inventory, &id).unwrap_or_else(|| one.arn.name().to_owned())
            };
            let names: Vec<String> = model.served.iter().map(name).collect();
            if names.is_empty() { "nothing serves it".to_owned() } else { format!("used through {}", names.join(", ")) }
        }
        Target::One(_) => String::new(),
    };
    let mut known = HashSet::new();
    Seen {
        entries: matrix.rows.iter().map(|row| expected.entry(row, &matrix.actions, &mut known)).collect(),
        uncertain: uncertain(matrix),
        actions: matrix.actions.clone(),
        gaps: matrix.gaps.clone(),
        notes: matrix.notes.clone(),
        through,
    }
}

/// why a bound: each of ten thousand principals may have a reason of its own, and nobody reads them all.
const REASONS: usize = 200;

fn uncertain(matrix: &Matrix) -> Vec<Text> {
    let mut found: Vec<Text> = Vec::new();
    let cells = matrix.rows.iter().flat_map(|row| &row.cells);
    for why in cells.filter_map(|cell| match &cell.decision {
        Decision::Uncertain { why, .. } => Some(why),
        _ => None,
    }) {
        for why in why {
            if !found.contains(why) && !matrix.gaps.contains(why) {
                found.push(why.clone());
            }
        }
        if found.len() >= REASONS {
            break;
        }
    }
    found
}
