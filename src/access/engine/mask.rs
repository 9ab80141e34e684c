//! Three-valued logic on 64 columns at once, and the columns.

use std::collections::HashMap;

use super::super::pattern;
use super::super::policy::Actions;
use super::super::sides::Logic;

/// One answer for each of up to 64 columns: `must` has a bit where it is yes, `may` where it is not no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mask {
    pub must: u64,
    pub may: u64,
}

impl Mask {
    pub(super) const NO: Self = Self { must: 0, may: 0 };
    pub(super) const YES: Self = Self { must: u64::MAX, may: u64::MAX };
    /// Perhaps, for all columns: nobody could look.
    pub(super) const BLIND: Self = Self { must: 0, may: u64::MAX };

    /// Yes in these columns.
    pub(super) fn yes(bits: u64) -> Self {
        Self { must: bits, may: bits }
    }

    /// Perhaps in these columns.
    pub(super) fn maybe(bits: u64) -> Self {
        Self { must: 0, may: bits }
    }
}

impl Logic for Mask {
    fn either(self, other: Self) -> Self {
        Self { must: self.must | other.must, may: self.may | other.may }
    }

    fn both(self, other: Self) -> Self {
        Self { must: self.must & other.must, may: self.may & other.may }
    }
}

/// Up to 64 actions.
pub(super) struct Columns<'a> {
    pub(super) actions: &'a [String],
    /// A bit for each that there is.
    pub(super) all: u64,
    /// Those of KMS, with the names that grants give them.
    operations: Vec<(u64, &'a str)>,
}

/// Which columns a pattern covers, by pattern: thousands of policies say the same few.
pub(super) type Covered = HashMap<String, u64>;

impl<'a> Columns<'a> {
    /// The most that one word holds.
    pub(super) const MOST: usize = 64;

    pub(super) fn of(actions: &'a [String]) -> Self {
        let bits = || actions.iter().enumerate().map(|(at, action)| (1_u64 << at, action.as_str()));
        let operation = |(bit, action): (u64, &'a str)| {
            action
                .get(..4)
                .filter(|head| head.eq_ignore_ascii_case("kms:"))
                .and(action.get(4..))
                .map(|name| (bit, name))
        };
        Self {
            actions,
            all: bits().fold(0, |all, (bit, _)| all | bit),
            operations: bits().filter_map(operation).collect(),
        }
    }

    /// Where something holds of the action.
    pub(super) fn where_(&self, holds: impl Fn(&str) -> bool) -> u64 {
        self.actions.iter().enumerate().filter(|(_, action)| holds(action)).fold(0, |bits, (at, _)| bits | (1 << at))
    }

    /// The columns that an `Action` or `NotAction` covers (S2).
    pub(super) fn covered(&self, actions: &Actions, known: &mut Covered) -> u64 {
        let any = actions.patterns.iter().fold(0, |any, pattern| {
            any | match known.get(pattern) {
                Some(bits) => *bits,
                None => {
                    let bits = self.where_(|action| pattern::matches_ignoring_case(pattern, action));
                    known.insert(pattern.clone(), bits);
                    bits
                }
            }
        });
        if actions.negated { self.all & !any } else { any }
    }

    /// The columns that a grant could concern at all.
    pub(super) fn of_kms(&self) -> u64 {
        self.operations.iter().fold(0, |bits, (bit, _)| bits | bit)
    }

    /// The columns of some grant operations.
    pub(super) fn operations<'o>(&self, named: impl Iterator<Item = &'o str>) -> u64 {
        named.fold(0, |bits, name| {
            let same = |(_, own): &&(u64, &str)| own.eq_ignore_ascii_case(name);
            self.operations.iter().filter(same).fold(bits, |bits, (bit, _)| bits | bit)
        })
    }
}

/// The columns of a word, one by one.
pub(super) fn each(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (at < 64).then_some(at)
    })
}
