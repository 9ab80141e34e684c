//! A policy that names principals (of the resource, an organization, an endpoint), asked for everybody.
//!
//! Whom it does not name by ARN it treats by class; so it is read once a class, and person by person only for those it
//! names and those who differ in something it looks up.

use super::super::policy::Policy;
use super::super::print::meaning;
use super::super::request::Ground;
use super::super::scan::Side;
use super::memory::{Map, Memory, Piece};
use super::pass::says;
use super::rules::{Doc, Rule, named};
use super::sheet::Sheet;
use std::cell::OnceCell;

/// Such a policy.
pub(super) struct Facing<'d> {
    doc: Doc<'d>,
    side: Side,
    /// Those it may treat in their own way, in order.
    pub(super) named: Vec<u32>,
    classes: Vec<Option<Class>>,
    /// For each rule, once somebody asks: its number among all that say the same of every resource, if it does.
    everywhere: Vec<OnceCell<Option<u32>>>,
    /// What the uneven rules say to the one who is asked about.
    said: Vec<u32>,
}

/// What it says to those of a class.
struct Class {
    /// Each rule: what it says to all of them, unless it tells them apart.
    rules: Vec<Option<Vec<Piece>>>,
    /// The outcome, if all rules say the same to all.
    whole: Option<u32>,
    /// Else by what the uneven rules say.
    by: Map<Box<[u32]>, u32>,
}

impl<'d> Facing<'d> {
    pub(super) fn of(policy: &'d Policy, side: Side, sheet: &Sheet<'_>, memory: &mut Memory) -> Self {
        let doc = sheet.ready(policy, side, memory);
        let named = named(&doc).flat_map(|(arn, name)| sheet.crowd.called(&arn.account, name));
        let mut named: Vec<u32> = named.collect();
        named.sort_unstable();
        named.dedup();
        let classes = sheet.crowd.classes.iter().map(|_| None).collect();
        let everywhere = vec![OnceCell::new(); doc.rules.len()];
        Self { doc, side, named, classes, everywhere, said: Vec::new() }
    }

    /// What it says to one person, as the number of an outcome; and whether that is so for all like them.
    pub(super) fn outcome(
        &mut self,
        person: usize,
        class: u32,
        sheet: &Sheet<'_>,
        ground: Ground<'_>,
        memory: &mut Memory,
    ) -> (u32, bool) {
        let identity = &sheet.crowd.identities[person];
        if self.named.binary_search(&(person as u32)).is_ok() {
            let mut pieces = Vec::new();
            for rule in &self.doc.rules {
                says(rule, self.side, identity, sheet, ground, memory, &mut pieces);
            }
            return (memory.outcome(&pieces), false);
        }
        let held = self.classes[class as usize].get_or_insert_with(|| {
            let mut rules = Vec::with_capacity(self.doc.rules.len());
            for rule in &self.doc.rules {
                let mut keys = rule.keys.iter();
                let even = keys.all(|key| sheet.values(*key, ground.owner, memory).in_class[class as usize]);
                rules.push(if even {
                    let mut pieces = Vec::new();
                    says(rule, self.side, identity, sheet, ground, memory, &mut pieces);
                    Some(pieces)
                } else {
                    None
                });
            }
            let whole: Option<Vec<&[Piece]>> = rules.iter().map(Option::as_deref).collect();
            let whole = whole.map(|pieces| memory.outcome(&pieces.concat()));
            Class { rules, whole, by: Map::default() }
        });
        if let Some(whole) = held.whole {
            return (whole, true);
        }
        self.said.clear();
        for ((rule, known), everywhere) in self.doc.rules.iter().zip(&held.rules).zip(&self.everywhere) {
            if known.is_some() {
                continue;
            }
            let everywhere = *everywhere.get_or_init(|| number_of(rule, self.side, ground, memory));
            let people = sheet.crowd.identities.len();
            let told = |memory: &mut Memory| {
                let told = memory.told.entry((everywhere?, class)).or_insert_with(|| vec![0; people]);
                told.get(person).copied().filter(|said| *said != 0)
            };
            if let Some(said) = told(memory) {
                self.said.push(said);
                continue;
            }
            let mut pieces = Vec::new();
            says(rule, self.side, identity, sheet, ground, memory, &mut pieces);
            let said = memory.saying(&pieces);
            if let Some(told) = everywhere.and_then(|number| memory.told.get_mut(&(number, class))) {
                told[person] = said;
            }
            self.said.push(said);
        }
        if let Some(known) = held.by.get(self.said.as_slice()) {
            return (*known, false);
        }
        let mut uneven = self.said.iter();
        let mut pieces: Vec<Piece> = Vec::new();
        for known in &held.rules {
            match known {
                Some(known) => pieces.extend_from_slice(known),
                None => uneven.next().iter().for_each(|said| pieces.extend_from_slice(memory.saying_at(**said))),
            }
        }
        let outcome = memory.outcome(&pieces);
        held.by.insert(self.said.as_slice().into(), outcome);
        (outcome, false)
    }
}

/// The number of a rule that says the same of every resource of an owner: `Resource: *`, and nothing in it that is
/// looked up in the resource.
fn number_of(rule: &Rule<'_>, side: Side, ground: Ground<'_>, memory: &mut Memory) -> Option<u32> {
    let statement = rule.statement;
    let reach = statement.resources.as_ref().is_some_and(|resources| {
        !resources.negated && !resources.has_variables(rule.version) && resources.patterns.iter().any(|one| one == "*")
    });
    let own = rule.keys.iter().any(|key| ground.facts.get(&memory.keys.names[*key as usize]).is_some());
    if !reach || own || ground.open || statement.malformed.is_some() {
        return None;
    }
    let (version, part, owner) = (rule.version, rule.columns, ground.owner);
    let text = format!("{version:?} {part:x} {} {owner} {}", side as u8, meaning(statement));
    let next = memory.statements.len() as u32;
    Some(*memory.statements.entry(text).or_insert(next))
}
