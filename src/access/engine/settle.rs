//! One row: every column that the layers' yes and no decide is decided at once; what is open is asked of the plain
//! evaluator, and kept by what it depends on.

use super::super::request::evaluate;
use super::super::sides::{Logic as _, Sides, Stand};
use super::crowd::Fence;
use super::mask::{Mask, each};
use super::memory::{Outcome, Reach, RowKey, Settled, Slot};
use super::pass::Pass;
use super::sheet::Guard;
use super::{Row, Verdict};

/// The layers of a row.
struct Layers {
    stand: Stand,
    direct: Mask,
    role: Mask,
    account: Mask,
    effect: Mask,
    grant: Mask,
    /// The columns of resource control policies that spare.
    spared: u64,
}

impl Pass<'_, '_> {
    /// The verdicts of a row, worked out for one whose row it is.
    pub(super) fn settle(&mut self, person: usize, key: &RowKey) -> Settled {
        let class = &self.sheet.crowd.classes[key.class as usize];
        let caller = &self.sheet.crowd.identities[person].caller;
        let ground = self.ground;
        let stand = Stand {
            service: class.is_service(),
            foreign: ground.is_foreign_to(caller),
            sovereign: ground.is_sovereign(),
            federated: caller.is_federated(),
        };
        let gap = if key.gaps { Mask::BLIND } else { Mask::NO };
        let told = |number: u32| self.memory.outcome_at(number);

        let own = told(key.own);
        // E10: the root user's own side allows everything.
        let own_allow = if class.is_root() { Mask::YES } else { own.allow.either(gap) };
        let mut deny = own.deny.either(gap);
        let boundary = match key.fence {
            Fence::None => Mask::YES,
            Fence::Blind => {
                deny = deny.either(Mask::BLIND);
                Mask::BLIND
            }
            Fence::Doc(number) => {
                deny = deny.either(told(number).deny);
                told(number).allow
            }
        };
        let own_only = self.own_only;
        let heard = |mask: Mask| mask.both(Mask::yes(!own_only));
        let (direct, role, account) = match ground.rules {
            Some(Err(_)) => {
                deny = deny.either(heard(Mask::BLIND));
                (heard(Mask::BLIND), Mask::NO, Mask::NO)
            }
            _ => {
                let rules = told(key.rules);
                deny = deny.either(heard(rules.deny));
                (heard(rules.allow), heard(rules.role), heard(rules.account))
            }
        };
        let grant = match ground.grants {
            _ if !ground.is_key() => Mask::NO,
            Err(_) => Mask::maybe(self.sheet.columns.of_kms()),
            Ok(_) => Mask::maybe(self.memory.granted[key.grants as usize].columns),
        };
        let effect = if stand.foreign { self.effect } else { Mask::YES };
        let spared = self.sheet.columns.where_(|action| ground.spared(caller, action));
        let layers = Layers { stand, direct, role, account, effect, grant, spared };

        let (mut session, mut scp, mut endpoint) = (Mask::YES, Mask::YES, Mask::YES);
        let mut numbers = self.memory.list_at(key.guards).iter();
        let bounds = &self.sheet.crowd.identities[person].bounds;
        let (scps, rcps) =
            (self.sheet.guards.scps_over(bounds, caller), self.sheet.guards.rcps_over(bounds, ground.owner));
        for rung in &self.sheet.levels {
            let (mut lets, mut denies) = (Mask::NO, Mask::NO);
            for number in numbers.by_ref().take(rung.policies.len()) {
                lets = lets.either(told(*number).allow);
                denies = denies.either(told(*number).deny);
            }
            if rung.unread {
                lets = Mask::YES;
            }
            let theirs = rung.of.is_none_or(|of| of == class.bounds);
            let counts = match rung.guard {
                _ if !theirs => 0,
                Guard::Session if !class.takes_session => 0,
                Guard::Scp if !class.bound || scps.levels.is_empty() => 0,
                Guard::Rcp if rcps.levels.is_empty() => 0,
                Guard::Rcp => !layers.spared,
                _ => u64::MAX,
            };
            lets = lets.either(Mask::yes(!counts));
            deny = deny.either(denies.both(Mask::yes(counts)));
            let place = match rung.guard {
                Guard::Session => &mut session,
                Guard::Scp => &mut scp,
                // E3: they only deny.
                Guard::Rcp => continue,
                Guard::Endpoint => &mut endpoint,
            };
            *place = place.both(lets);
        }

        let sides = Sides {
            direct: &layers.direct,
            role: &layers.role,
            account: &layers.account,
            own: &own_allow,
            boundary: &boundary,
            session: &session,
            grant: &layers.grant,
            effect: &layers.effect,
        };
        let allowed = |stand: Stand| sides.ways(stand).into_iter().fold(Mask::NO, |allow, (_, way)| allow.either(way));
        let mut allow = allowed(stand);
        if own_only != 0 {
            let at_home = allowed(Stand { sovereign: false, ..stand });
            allow = heard(allow).either(at_home.both(Mask::yes(own_only)));
        }
        let allow = allow.both(scp).both(endpoint);

        let all = self.sheet.columns.all;
        let mut row = Row { explicit: deny.must & all, ..Row::default() };
        row.allowed = allow.must & !deny.may & all;
        row.veiled = match (scps.unseen, rcps.unseen) {
            (Some(_), _) => all,
            (None, Some(_)) => all & !layers.spared,
            (None, None) => 0,
        };
        let mut open = Vec::new();
        for column in each(all & allow.may & !deny.must & !row.allowed) {
            let (number, verdict) = self.cell(person, key, &layers, column);
            row.put(column, verdict);
            open.push((column, number));
        }
        let has = Reach {
            direct: layers.direct.may,
            role: layers.role.may,
            account: layers.account.may,
            own: own_allow.may,
            boundary: boundary.may,
            session: session.may,
            grant: layers.grant.may,
            effect: layers.effect.may,
            scp: scp.may,
            endpoint: endpoint.may,
        };
        Settled { row, open, has, bare: all & !allow.may & !deny.may & !layers.grant.may }
    }

    /// One open cell.
    fn cell(&mut self, person: usize, key: &RowKey, layers: &Layers, column: usize) -> (u32, Verdict) {
        let on = self.depends(key, layers, column);
        if let Some(known) = self.memory.known_cell(&on) {
            return known;
        }
        let identity = &self.sheet.crowd.identities[person];
        let action = &self.sheet.columns.actions[column];
        self.memory.asked += 1;
        let (decision, _) = evaluate(identity, action, self.ground, self.sheet.scenario, self.sheet.guards).settled();
        self.memory.keep_cell(on, Verdict::of(&decision))
    }

    /// Everything that the verdict of an open cell depends on: the expressions of every layer that counts, in the order
    /// in which they are joined. Layers that cannot count are left out, so that more cells are the same.
    fn depends(&self, key: &RowKey, layers: &Layers, column: usize) -> Vec<u32> {
        let bit = 1_u64 << column;
        let in_grant = layers.grant.may & bit != 0;
        let named = layers.direct.may | layers.role.may | layers.account.may;
        let own_counts = in_grant
            || self.own_only & bit != 0
            || match layers.stand {
                Stand { service: true, .. } => false,
                Stand { foreign: true, .. } => layers.effect.may & named & bit != 0,
                Stand { sovereign: true, .. } => layers.account.may & bit != 0,
                _ => true,
            };
        let fence_counts = own_counts || layers.role.may & bit != 0;
        let flag = |is: bool, at: u32| u32::from(is) << at;
        let spared = layers.spared & bit != 0;
        let fence = match key.fence {
            Fence::None => 0,
            Fence::Blind => 1,
            Fence::Doc(_) => 2,
        };
        let mut on = vec![
            key.ground,
            key.class,
            flag(key.gaps, 0)
                | flag(spared, 1)
                | flag(layers.effect.must & bit != 0, 2)
                | flag(in_grant, 3)
                | (fence << 4),
            if in_grant { key.grants } else { 0 },
            // Which operations a grant gives, and which of them its constraints hold back, is told by the action.
            if in_grant { column as u32 } else { 0 },
        ];
        let mut add = |number: u32, allow: bool| {
            on.push(u32::MAX);
            for piece in &self.memory.outcome_at(number).pieces {
                if piece.columns & bit != 0 && (allow || piece.slot == Slot::Deny) {
                    on.push(piece.slot as u32);
                    on.push(piece.when);
                }
            }
        };
        add(key.own, own_counts);
        add(if let Fence::Doc(number) = key.fence { number } else { Outcome::NOTHING }, fence_counts);
        add(key.rules, true);
        for number in self.memory.list_at(key.guards) {
            add(*number, true);
        }
        on
    }
}
