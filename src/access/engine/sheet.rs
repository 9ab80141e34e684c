//! Up to 64 actions and everybody, made ready for any number of resources.

use super::super::bounds::Bounds;
use super::super::identity::Identity;
use super::super::policy::Policy;
use super::super::request::{Guards, Level};
use super::super::scan::Side;
use super::super::scenario::{Context, ContextValue, Facts, Scenario, is_own};
use super::crowd::{Crowd, Traits, View, place, samples};
use super::mask::{Columns, Covered};
use super::memory::{Memory, Numbers, Piece, Slot, Values};
use super::rules::{Doc, Keys, number, ready};
use super::told::Told;
use crate::access::policy::Effect;
use std::collections::HashMap;
use std::sync::Arc;

/// Which guard a level belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Session,
    Scp,
    Rcp,
    Endpoint,
}

/// One level of a guard: each must allow.
pub(super) struct Rung<'a> {
    pub(super) guard: Guard,
    pub(super) policies: Vec<&'a Policy>,
    /// Something of it was not read: it lets everything through, and the answer is veiled.
    pub(super) unread: bool,
    /// Whose: only people of these bounds; `None` for everybody.
    pub(super) of: Option<usize>,
}

/// Columns and people.
pub(super) struct Sheet<'a> {
    pub(super) columns: Columns<'a>,
    pub(super) scenario: &'a Scenario,
    pub(super) guards: &'a Guards,
    pub(super) crowd: Crowd<'a>,
    /// As in the crowd.
    pub(super) docs: Vec<Doc<'a>>,
    /// For each document the number of what it means.
    signs: Vec<u32>,
    /// What the plain rules of each document say.
    pub(super) plain: Vec<Vec<Piece>>,
    /// The documents that write out their resources, by resource.
    pub(super) of_resource: HashMap<&'a str, Vec<u32>>,
    pub(super) levels: Vec<Rung<'a>>,
    /// Somebody is told apart by a tag that is called like the encryption context: grants are then asked person by person.
    pub(super) uneven_grants: bool,
    samples: Vec<&'a Identity>,
    told: Told<'a>,
    keys: Keys,
}

impl<'a> Sheet<'a> {
    pub(super) fn of(
        identities: &'a [Identity],
        actions: &'a [String],
        scenario: &'a Scenario,
        guards: &'a Guards,
    ) -> Self {
        let columns = Columns::of(actions);
        let samples = samples(identities);
        let (mut keys, mut covered, mut known) = (Keys::default(), Covered::new(), HashMap::new());
        let mut docs = Vec::new();
        let crowd = Crowd::of(identities, &mut |policy| {
            let mut splits = |key: &str| split(key, &columns, scenario, &samples, &mut known);
            let doc = ready(policy, Side::Identity, &columns, &mut covered, &mut keys, &mut splits);
            let matters = !doc.rules.is_empty();
            docs.push(doc);
            matters
        });
        let signs = number(&mut docs);
        let plain =
            docs.iter().map(|doc: &Doc<'_>| doc.rules.iter().filter(|rule| rule.plain).map(plain_piece).collect());
        let plain = plain.collect();
        let mut of_resource: HashMap<&str, Vec<u32>> = HashMap::new();
        for (at, doc) in docs.iter().enumerate().filter(|(_, doc)| doc.literal) {
            let resources = doc.rules.iter().filter_map(|rule| rule.statement.resources.as_ref());
            for pattern in resources.flat_map(|resources| &resources.patterns) {
                of_resource.entry(pattern).or_default().push(at as u32);
            }
        }
        let told = Told::of(identities);
        let uneven_grants = told.each("kms:encryptioncontextkeys").any(|told| told.is_some());
        let levels = rungs(identities, &crowd, guards);
        Self {
            columns,
            scenario,
            guards,
            crowd,
            docs,
            signs,
            plain,
            of_resource,
            levels,
            uneven_grants,
            samples,
            told,
            keys,
        }
    }

    pub(super) fn memory(&self) -> Memory {
        Memory::new(self.keys.clone())
    }

    /// A memory that knows the people on resources of these owners: what every thread needs is worked out once.
    pub(super) fn prepared<'o>(&self, owners: impl Iterator<Item = &'o str>) -> Memory {
        let mut memory = self.memory();
        owners.for_each(|owner| drop(self.view(owner, &mut memory)));
        memory
    }

    /// Another policy made ready, in the numbers of `memory`.
    pub(super) fn ready<'p>(&self, policy: &'p Policy, side: Side, memory: &mut Memory) -> Doc<'p> {
        let Memory { keys, covered, splits, .. } = memory;
        let mut splits = |key: &str| split(key, &self.columns, self.scenario, &self.samples, splits);
        ready(policy, side, &self.columns, covered, keys, &mut splits)
    }

    /// The values of a key for everybody, on resources of `owner`.
    pub(super) fn values(&self, key: u32, owner: &str, memory: &mut Memory) -> Arc<Values> {
        let at = key as usize;
        let held = match memory.values.get_mut(owner) {
            Some(held) => held,
            None => memory.values.entry(owner.to_owned()).or_default(),
        };
        if held.len() <= at {
            held.resize(at + 1, None);
        }
        if let Some(values) = &held[at] {
            return Arc::clone(values);
        }
        let values = Arc::new(self.work_out(&memory.keys.names[at], owner));
        held[at] = Some(Arc::clone(&values));
        values
    }

    fn work_out(&self, key: &str, owner: &str) -> Values {
        let crowd = &self.crowd;
        let mut numbers = Numbers::default();
        let mut classes = vec![None; crowd.classes.len()];
        let mut values = Values {
            of: Vec::with_capacity(crowd.identities.len()),
            same: true,
            in_class: vec![true; crowd.classes.len()],
        };
        let (nothing, mut all) = (Facts::none(), self.columns.actions.iter());
        if all.all(|action| self.scenario.fixed(key, action).is_some()) {
            // The request tells it, whoever makes it.
            values.of.resize(crowd.identities.len(), 0);
            return values;
        }
        let action = self.columns.actions.first().map_or("", String::as_str);
        // why once a class: but for a few keys all of a class have the same, unless facts of their own say otherwise.
        let shared = !is_own(key);
        let mut of_class: HashMap<(u32, Option<&ContextValue>), u32> = HashMap::new();
        let mut last: Option<((u32, Option<&ContextValue>), u32)> = None;
        for ((person, identity), own) in crowd.identities.iter().enumerate().zip(self.told.each(key)) {
            let class = crowd.profile(person).class;
            // why both: what is told of the principal comes before what is told of the resource, and that before what
            // follows from the caller.
            let mut number = || {
                let (caller, principal) = (&identity.caller, &nothing);
                let context = Context {
                    scenario: self.scenario,
                    caller,
                    action,
                    owner,
                    principal,
                    resource: &nothing,
                    bounds: &identity.bounds,
                };
                numbers.of((own.cloned(), context.get(key)))
            };
            let number = match last {
                Some((same, number)) if shared && same == (class, own) => number,
                _ if shared => *of_class.entry((class, own)).or_insert_with(number),
                _ => number(),
            };
            last = Some(((class, own), number));
            let class = class as usize;
            values.same &= number == 0;
            values.in_class[class] &= *classes[class].get_or_insert(number) == number;
            values.of.push(number);
        }
        values
    }

    /// People on resources of an owner.
    pub(super) fn view(&self, owner: &str, memory: &mut Memory) -> Arc<View> {
        if let Some(view) = memory.views.get(owner) {
            return Arc::clone(view);
        }
        let uneven = |doc: &Doc<'_>, memory: &mut Memory| {
            let mut keys: Vec<u32> = doc.rules.iter().flat_map(|rule| &rule.keys).copied().collect();
            keys.sort_unstable();
            keys.dedup();
            let values = keys.into_iter().map(|key| self.values(key, owner, memory));
            values.filter(|values| !values.same).collect::<Vec<_>>()
        };
        let traits = self.docs.iter().zip(&self.signs);
        let traits =
            traits.map(|(doc, sign)| Traits { sign: *sign, literal: doc.literal, uneven: uneven(doc, memory) });
        let traits: Vec<Traits> = traits.collect();
        let view = Arc::new(View::of(&self.crowd, &traits));
        memory.views.insert(owner.to_owned(), Arc::clone(&view));
        view
    }
}

/// The levels of all guards, in the order in which they are asked.
fn rungs<'a>(identities: &'a [Identity], crowd: &Crowd<'a>, guards: &'a Guards) -> Vec<Rung<'a>> {
    let alone = |guard: Guard, policies: &'a Option<Vec<Policy>>| {
        let held = policies.as_deref().filter(|policies| !policies.is_empty());
        held.map(|held| Rung { guard, policies: held.iter().collect(), unread: false, of: None })
    };
    let level = |guard: Guard, level: &'a Level, of: Option<usize>| Rung {
        guard,
        policies: level.policies.iter().map(|(_, policy)| policy).collect(),
        unread: level.unread,
        of,
    };
    let mut read: Vec<&'a Arc<Bounds>> = Vec::new();
    for first in &crowd.first {
        let bounds = &identities[*first as usize].bounds;
        if !read.iter().any(|held| place(held) == place(bounds)) {
            read.push(bounds);
        }
    }
    let mut rungs: Vec<Rung<'a>> = alone(Guard::Session, &guards.session).into_iter().collect();
    for (guard, brought) in [(Guard::Scp, &guards.scps), (Guard::Rcp, &guards.rcps)] {
        match brought {
            Some(levels) => rungs.extend(levels.iter().map(|one| level(guard, one, None))),
            None => {
                for bounds in &read {
                    let own = if guard == Guard::Scp { bounds.own_scps() } else { bounds.own_rcps() };
                    rungs.extend(own.iter().map(|one| level(guard, one, Some(place(bounds)))));
                }
            }
        }
    }
    rungs.extend(alone(Guard::Endpoint, &guards.endpoint));
    rungs
}

fn plain_piece(rule: &super::rules::Rule<'_>) -> Piece {
    let slot = if rule.statement.effect == Effect::Allow { Slot::Allow } else { Slot::Deny };
    Piece { slot, columns: rule.columns, when: 0 }
}

/// The columns that see one value of a key: all together, but for keys that a request of some actions only carries.
fn split(
    key: &str,
    columns: &Columns<'_>,
    scenario: &Scenario,
    samples: &[&Identity],
    known: &mut HashMap<String, Vec<u64>>,
) -> Vec<u64> {
    let lower = key.to_ascii_lowercase();
    if let Some(groups) = known.get(&lower) {
        return groups.clone();
    }
    let nothing = Facts::none();
    let mut seen: Vec<(Vec<ContextValue>, u64)> = Vec::new();
    for (at, action) in columns.actions.iter().enumerate() {
        let value = |identity: &&Identity| {
            let (caller, principal) = (&identity.caller, &identity.facts);
            let bounds = &identity.bounds;
            Context { scenario, caller, action, owner: "", principal, resource: &nothing, bounds }.get(&lower)
        };
        let values: Vec<ContextValue> = samples.iter().map(value).collect();
        match seen.iter_mut().find(|(held, _)| *held == values) {
            Some((_, bits)) => *bits |= 1 << at,
            None => seen.push((values, 1 << at)),
        }
    }
    let groups: Vec<u64> = seen.into_iter().map(|(_, bits)| bits).collect();
    known.insert(lower, groups.clone());
    groups
}
