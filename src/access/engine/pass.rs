//! One pass over everybody for one resource.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::decision::Layer;
use super::super::expr::Expr;
use super::super::principal::{Match, PrincipalEntry};
use super::super::request::Ground;
use super::super::scan::{Ask, Side, scan_some};
use super::super::scenario::Context;
use super::super::{across, grants, identity::Identity};
use super::Part;
use super::crowd::{Fence, Group, View};
use super::facing::Facing;
use super::mask::Mask;
use super::memory::{Granted, GroundKey, Had, Map, Memory, Outcome, Piece, RowKey, Slot};
use super::rules::Rule;
use super::sheet::Sheet;
use crate::base::Arn;
use crate::base::arn::ArnKind;

/// What one statement says to one caller on one resource. It is the plain reader that says it: of a policy's
/// statements each counts by itself, so that what it makes of one alone is what it would make of it among others.
pub(super) fn says(
    rule: &Rule<'_>,
    side: Side,
    identity: &Identity,
    sheet: &Sheet<'_>,
    ground: Ground<'_>,
    memory: &mut Memory,
    pieces: &mut Vec<Piece>,
) {
    let (caller, action) = (&identity.caller, sheet.columns.actions[rule.asked].as_str());
    let (scenario, owner, principal, resource) = (sheet.scenario, ground.owner, &identity.facts, ground.facts);
    let context = Context { scenario, caller, action, owner, principal, resource, bounds: &identity.bounds };
    let has_boundary = identity.boundary.is_some();
    let ask = Ask { caller, has_boundary, action, resource: ground.arn, open: ground.open, context };
    let found = scan_some(rule.version, std::slice::from_ref(rule.statement), &Layer::Session, side, &ask);
    let slots = [
        (Slot::Allow, found.allow.when),
        (Slot::Role, found.role.when),
        (Slot::Account, found.account.when),
        (Slot::Deny, found.deny.when),
    ];
    for (slot, when) in slots {
        if when != Expr::False {
            pieces.push(Piece { slot, columns: rule.columns, when: memory.expr(&when) });
        }
    }
}

/// The state of a pass.
pub(super) struct Pass<'p, 'a> {
    pub(super) sheet: &'p Sheet<'a>,
    pub(super) memory: &'p mut Memory,
    pub(super) ground: Ground<'p>,
    /// The resource's ARN, to compare with.
    text: String,
    pub(super) effect: Mask,
    /// The columns that the account's own policies decide, whatever the resource's says.
    pub(super) own_only: u64,
    ground_number: u32,
    rules: Option<Facing<'p>>,
    levels: Vec<Vec<Facing<'p>>>,
    view: Arc<View>,
    /// Documents that write out this resource, by who holds them.
    written: Map<u32, Vec<u32>>,
    /// What each rule of own policies sees here, once somebody asks; none where it is not about it.
    sights: Map<u32, Option<u32>>,
    /// What each variant of a document comes to here, and each kin.
    variants: Vec<Option<u32>>,
    kins: Vec<Option<u32>>,
    /// Grants by class and by person, with the columns of each.
    operations: Vec<u64>,
    to_class: Map<u32, Vec<u32>>,
    to_person: Map<u32, Vec<u32>>,
    granted: HashMap<(Vec<u32>, Option<u32>), u32>,
}

impl<'p, 'a> Pass<'p, 'a> {
    pub(super) fn on(sheet: &'p Sheet<'a>, memory: &'p mut Memory, ground: Ground<'p>) -> Self {
        let when = |tri: &Expr| match tri {
            Expr::True => (true, true),
            Expr::False => (false, false),
            _ => (false, true),
        };
        let effects = |want: fn((bool, bool)) -> bool| {
            sheet.columns.where_(|action| want(when(&across::effect(action, ground.arn, true).when)))
        };
        let effect = Mask { must: effects(|(must, _)| must), may: effects(|(_, may)| may) };
        let state = match ground.rules {
            None => (false, false),
            Some(Ok(_)) => (true, false),
            Some(Err(_)) => (true, true),
        };
        let ground_number = memory.ground(GroundKey {
            owner: ground.owner.to_owned(),
            service: ground.arn.service.clone(),
            effect,
            flags: [ground.is_sovereign(), ground.managed, state.0, state.1, ground.grants.is_err()],
        });
        let rules = match ground.rules {
            Some(Ok(policy)) => Some(Facing::of(policy, ground.side(), sheet, memory)),
            _ => None,
        };
        let view = sheet.view(ground.owner, memory);
        let text = ground.arn.to_string();
        let mut written: Map<u32, Vec<u32>> = Map::default();
        let mut hold = |doc: u32| {
            for person in view.holders.get(&doc).into_iter().flatten() {
                written.entry(*person).or_default().push(doc);
            }
        };
        if ground.open {
            view.holders.keys().copied().for_each(&mut hold);
        } else {
            let mut docs = sheet.of_resource.get(text.as_str()).cloned().unwrap_or_default();
            docs.sort_unstable();
            docs.dedup();
            docs.into_iter().for_each(&mut hold);
        }
        let levels = sheet
            .levels
            .iter()
            .map(|rung| rung.policies.iter().map(|policy| Facing::of(policy, Side::Limit, sheet, memory)).collect());
        let levels = levels.collect();
        let mut pass = Self {
            text,
            written,
            sights: Map::default(),
            variants: vec![None; view.variants.len()],
            kins: vec![None; view.kins.len()],
            view,
            operations: Vec::new(),
            to_class: Map::default(),
            to_person: Map::default(),
            granted: HashMap::new(),
            sheet,
            memory,
            ground,
            effect,
            own_only: sheet.columns.where_(|action| ground.for_action(action).by_identity && !ground.by_identity),
            ground_number,
            rules,
            levels,
        };
        pass.hand_out();
        pass
    }

    /// Whom each grant concerns.
    fn hand_out(&mut self) {
        let Ok(list) = self.ground.grants else { return };
        if !self.ground.is_key() {
            return;
        }
        let crowd = &self.sheet.crowd;
        let meets = |who, person: u32| grants::meets(who, &crowd.identities[person as usize].caller) != Match::None;
        let meets_user = |user: &Arn, person: u32| {
            user.kind() == ArnKind::User && crowd.identities[person as usize].caller.account() == Some(&user.account)
        };
        // why once: whom a principal of many grants is, is the same question each time.
        let mut whom: HashMap<&str, (Vec<u32>, Vec<u32>)> = HashMap::new();
        let retire = self.sheet.columns.operations(std::iter::once("RetireGrant"));
        for (at, grant) in list.iter().enumerate() {
            let mut columns = self.sheet.columns.operations(grant.operations.iter().map(crate::base::Text::as_str));
            // Who may retire it counts as one whom it concerns: rather a cell too many to ask about.
            let retirers = || grant.retiring.iter().chain(&grant.issuer);
            if retirers().next().is_some() {
                columns |= retire;
            }
            self.operations.push(columns);
            if columns == 0 {
                continue;
            }
            for who in std::iter::once(&grant.grantee).chain(retirers()) {
                let (classes, people) =
                    whom.entry(who.as_str()).or_insert_with(|| match PrincipalEntry::new("AWS", who.as_str()) {
                        Some(PrincipalEntry::Arn(arn)) => {
                            let name = arn.assumed_role().map_or_else(|| arn.name(), |(role, _)| role);
                            let called = crowd.called(&arn.account, name);
                            // A user's grant may be that of whoever it federated: of a class, not of a name.
                            let federated = |person: u32| crowd.identities[person as usize].caller.is_federated();
                            let classes = crowd.first.iter().enumerate();
                            let classes =
                                classes.filter(|(_, person)| federated(**person) && meets_user(&arn, **person));
                            (
                                classes.map(|(class, _)| class as u32).collect(),
                                called.filter(|person| meets(who, *person)).collect(),
                            )
                        }
                        _ => {
                            let met = crowd.first.iter().enumerate().filter(|(_, person)| meets(who, **person));
                            (met.map(|(class, _)| class as u32).collect(), Vec::new())
                        }
                    });
                for class in classes.iter() {
                    self.to_class.entry(*class).or_default().push(at as u32);
                }
                for person in people.iter() {
                    self.to_person.entry(*person).or_default().push(at as u32);
                }
            }
        }
    }

    /// Everybody.
    pub(super) fn run(mut self) -> Part {
        const UNASKED: u32 = u32::MAX;
        let view = Arc::clone(&self.view);
        let people = view.group_of.len();
        let mut alone = vec![false; people];
        let named = self.rules.iter().chain(self.levels.iter().flatten()).flat_map(|facing| &facing.named);
        for person in self.to_person.keys().chain(self.written.keys()).chain(named) {
            alone[*person as usize] = true;
        }
        let mut of_group: Vec<u32> = vec![UNASKED; view.groups.len()];
        let mut local: Map<u32, u32> = Map::default();
        let mut part = Part { of: Vec::with_capacity(people), rows: Vec::new() };
        for (person, (group, alone)) in view.group_of.iter().zip(alone).enumerate() {
            let known = of_group[*group as usize];
            if known != UNASKED && !alone {
                part.of.push(known);
                continue;
            }
            let (number, shared) = self.row_of(person, view.groups[*group as usize], &view);
            let place = *local.entry(number).or_insert_with(|| {
                part.rows.push((number, self.memory.row(number).row));
                part.rows.len() as u32 - 1
            });
            if shared && !alone {
                of_group[*group as usize] = place;
            }
            part.of.push(place);
        }
        part
    }

    /// The row of one person, and whether all of the group who are not named share it.
    fn row_of(&mut self, person: usize, group: Group, view: &View) -> (u32, bool) {
        let mut own = self.kin(group.kin, view);
        if let Some(docs) = self.written.remove(&(person as u32)) {
            let mut parts: Vec<u32> = docs.iter().map(|doc| self.document(*doc as usize, person)).collect();
            parts.push(own);
            own = self.joined(parts);
        }
        let fence = match group.fence {
            Fence::Doc(variant) => Fence::Doc(self.variant(variant, view)),
            other => other,
        };
        let mut even = true;
        let (sheet, ground) = (self.sheet, self.ground);
        let mut face = |facing: &mut Facing<'_>, memory: &mut Memory| {
            let (outcome, shared) = facing.outcome(person, group.class, sheet, ground, memory);
            even &= shared;
            outcome
        };
        let rules = self.rules.as_mut().map_or(Outcome::NOTHING, |facing| face(facing, self.memory));
        let mut guards = Vec::new();
        for level in &mut self.levels {
            for facing in level {
                guards.push(face(facing, self.memory));
            }
        }
        let guards = if guards.is_empty() { 0 } else { self.memory.list(&guards) };
        let grants = self.grants(person, group.class);
        even &= !(self.sheet.uneven_grants && grants != 0);
        let (class, gaps) = (group.class, group.gaps);
        let key = RowKey { ground: self.ground_number, class, gaps, fence, own, rules, guards, grants };
        let number = match self.memory.known_row(&key) {
            Some(number) => number,
            None => {
                let row = self.settle(person, &key);
                self.memory.keep_row(key, row)
            }
        };
        (number, even)
    }

    /// What the own policies of a kin say.
    fn kin(&mut self, kin: u32, view: &View) -> u32 {
        if let Some(known) = self.kins[kin as usize] {
            return known;
        }
        let parts = view.kins[kin as usize].iter().map(|variant| self.variant(*variant, view)).collect();
        let number = self.joined(parts);
        self.kins[kin as usize] = Some(number);
        number
    }

    fn joined(&mut self, mut parts: Vec<u32>) -> u32 {
        parts.retain(|part| *part != Outcome::NOTHING);
        parts.sort_unstable();
        parts.dedup();
        self.memory.join(&parts)
    }

    fn variant(&mut self, number: u32, view: &View) -> u32 {
        let at = number as usize;
        if let Some(known) = self.variants[at] {
            return known;
        }
        let number = self.document(view.variants[at].doc as usize, view.variants[at].person as usize);
        self.variants[at] = Some(number);
        number
    }

    /// What an own document says to somebody who holds it.
    fn document(&mut self, doc: usize, person: usize) -> u32 {
        let sheet = self.sheet;
        if sheet.docs[doc].plain {
            return self.memory.outcome(&sheet.plain[doc]);
        }
        let mut pieces = Vec::new();
        for rule in &sheet.docs[doc].rules {
            if self.ground.open || !rule.passes(&self.text) {
                self.hear(rule, person, &mut pieces);
            }
        }
        self.memory.outcome(&pieces)
    }

    /// What a rule of an own policy says to somebody who holds it: the same wherever it sees the same in the resource and
    /// in the holder.
    fn hear(&mut self, rule: &Rule<'_>, person: usize, pieces: &mut Vec<Piece>) {
        let (sheet, ground, side) = (self.sheet, self.ground, Side::Identity);
        let identity = &sheet.crowd.identities[person];
        let statement = rule.statement;
        let resources = match &statement.resources {
            Some(all) if !all.has_variables(rule.version) => all,
            _ => return says(rule, side, identity, sheet, ground, self.memory, pieces),
        };
        if ground.open || rule.literal || statement.malformed.is_some() || rule.keys.len() > 2 {
            return says(rule, side, identity, sheet, ground, self.memory, pieces);
        }
        let sight = match self.sights.get(&rule.number) {
            Some(known) => *known,
            None => {
                let memory = &mut *self.memory;
                let sight = resources.cover(ground.arn).then(|| {
                    let seen = rule.keys.iter().map(|key| ground.facts.get(&memory.keys.names[*key as usize]));
                    let seen = seen.collect();
                    memory.sight(rule.number, ground.owner, seen)
                });
                self.sights.insert(rule.number, sight);
                sight
            }
        };
        let Some(sight) = sight else { return };
        let memory = &mut *self.memory;
        let had = rule.keys.iter().enumerate().fold(0, |had: Had, (at, key)| {
            had | (Had::from(sheet.values(*key, ground.owner, memory).of[person]) << (32 * at))
        });
        let said = match memory.heard.get(&(sight, had)) {
            Some(known) => *known,
            None => {
                let mut own = Vec::new();
                says(rule, side, identity, sheet, ground, memory, &mut own);
                let said = memory.saying(&own);
                memory.heard.insert((sight, had), said);
                said
            }
        };
        pieces.extend_from_slice(memory.saying_at(said));
    }

    /// The grants that concern a person, as a number; 0 for none.
    fn grants(&mut self, person: usize, class: u32) -> u32 {
        if self.to_class.is_empty() && self.to_person.is_empty() {
            return 0;
        }
        let (to_class, to_person) = (self.to_class.get(&class), self.to_person.get(&(person as u32)));
        if to_class.is_none() && to_person.is_none() {
            return 0;
        }
        let list: Vec<u32> = to_class.into_iter().chain(to_person).flatten().copied().collect();
        let columns = list.iter().fold(0, |columns, at| columns | self.operations[*at as usize]);
        let whose = (to_person.is_some() || self.sheet.uneven_grants).then_some(person as u32);
        let granted = &mut self.memory.granted;
        *self.granted.entry((list, whose)).or_insert_with(|| {
            granted.push(Granted { columns });
            granted.len() as u32 - 1
        })
    }
}
