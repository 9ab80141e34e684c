//! Tables of hashes whose memory is bounded: what does not fit is sampled, forgotten or taken out, and they say so.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// Keys of our own making are random already.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub(super) type Map<V> = HashMap<u64, V, BuildHasherDefault<AsIs>>;

/// A fast hash with a random seed, so that nobody can prepare collisions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed(u64, u64);

impl Seed {
    pub(super) fn random() -> Self {
        let state = RandomState::new();
        Self(state.hash_one(1u8) | 1, state.hash_one(2u8))
    }

    /// Folded multiplication over sixteen bytes at a time.
    pub(super) fn hash(self, bytes: &[u8]) -> u64 {
        let (pairs, tail) = bytes.as_chunks::<16>();
        let mut hash = self.1 ^ bytes.len() as u64;
        for pair in pairs {
            hash = self.fold(hash, *pair);
        }
        let mut last = [0; 16];
        last[..tail.len()].copy_from_slice(tail);
        self.mix(self.fold(hash, last))
    }

    /// Of the texts of one side of a record.
    pub(super) fn side<'a>(self, texts: impl Iterator<Item = &'a str>) -> u64 {
        texts.fold(0, |hash, text| self.mix(hash ^ self.hash(text.trim_ascii().as_bytes())))
    }

    fn fold(self, hash: u64, pair: [u8; 16]) -> u64 {
        let pair = u128::from_le_bytes(pair);
        let wide = u128::from(pair as u64 ^ self.0) * u128::from((pair >> 64) as u64 ^ hash);
        (wide >> 64) as u64 ^ wide as u64
    }

    pub(super) fn mix(self, value: u64) -> u64 {
        let wide = u128::from(value ^ self.1) * u128::from(self.0 ^ 0x9e37_79b9_7f4a_7c15);
        ((wide >> 64) as u64 ^ wide as u64).rotate_left(23)
    }
}

/// What was seen once. why: most phrases never come again, and a small table answers sooner than a large one. It holds one hash a place; while it is sparse, nothing is lost.
#[derive(Debug)]
pub(super) struct Glimpses<V> {
    /// The upper half of a hash, at the place that the lower one says; 0 is nobody.
    marks: Vec<u32>,
    values: Vec<V>,
    /// How many more may be turned away from a taken place before the older ones are forgotten instead.
    spare: usize,
}

/// How often something was seen.
pub(super) enum Sight<V> {
    /// For the first time.
    First,
    /// For the second time; the value of the first. It is no longer kept here.
    Second(V),
    /// Nobody knows: its place is taken.
    Crowded,
}

impl<V: Copy + Default> Glimpses<V> {
    pub(super) fn new(places: usize) -> Self {
        let places = places.next_power_of_two();
        Self { marks: vec![0; places], values: vec![V::default(); places], spare: places / 4 }
    }

    pub(super) fn see(&mut self, hash: u64, value: V) -> Sight<V> {
        let (at, mark) = (hash as usize & (self.marks.len() - 1), (hash >> 32) as u32 | 1);
        let held = self.marks[at];
        if held == mark {
            self.marks[at] = 0;
            return Sight::Second(self.values[at]);
        }
        if held != 0 && self.spare > 0 {
            self.spare -= 1;
            return Sight::Crowded;
        }
        (self.marks[at], self.values[at]) = (mark, value);
        Sight::First
    }

    /// Whether something may have been forgotten.
    pub(super) fn forgets(&self) -> bool {
        self.spare == 0
    }
}

/// A map that keeps at most so many keys, by sampling.
#[derive(Debug)]
pub(super) struct Sample<V> {
    pub map: Map<V>,
    cap: usize,
    pub level: u32,
}

impl<V> Sample<V> {
    pub(super) fn new(cap: usize) -> Self {
        Self { map: Map::default(), cap: cap.max(2), level: 0 }
    }

    pub(super) fn keeps(&self, hash: u64) -> bool {
        self.level == 0 || hash >> (64 - self.level.min(63)) == 0
    }

    pub(super) fn put(&mut self, hash: u64, value: V) {
        self.map.insert(hash, value);
        while self.map.len() > self.cap && self.level < 63 {
            self.level += 1;
            let level = self.level;
            self.map.retain(|hash, _| hash >> (64 - level) == 0);
        }
    }
}

/// Takes the rarest out until a quarter is free.
pub(super) fn make_room<V>(map: &mut Map<V>, count: impl Fn(&V) -> u64) {
    let (most, mut floor) = (map.len() / 4 * 3, 1);
    while map.len() > most {
        map.retain(|_, value| count(value) > floor);
        floor *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sparse_table_counts_as_a_plain_one(hashes in proptest::collection::vec(0u64..40, 0..200)) {
            let (seed, mut glimpses, mut counts) = (Seed::random(), Glimpses::new(1024), Map::<u64>::default());
            for hash in &hashes {
                let hash = seed.mix(*hash);
                if let Some(count) = counts.get_mut(&hash) {
                    *count += 1;
                    continue;
                }
                match glimpses.see(hash, ()) {
                    Sight::First => {}
                    Sight::Second(()) => drop(counts.insert(hash, 2)),
                    Sight::Crowded => drop(counts.insert(hash, 1)),
                }
            }
            for one in 0..40u64 {
                let plain = hashes.iter().filter(|hash| **hash == one).count() as u64;
                let counted = counts.get(&seed.mix(one)).copied();
                prop_assert!(counted == Some(plain) || (counted.is_none() && plain <= 1), "{counted:?} {plain}");
            }
            prop_assert!(!glimpses.forgets());
        }

        #[test]
        fn every_bit_of_a_text_counts(text in proptest::collection::vec(any::<u8>(), 1..80), at in any::<usize>()) {
            let (seed, mut other) = (Seed::random(), text.clone());
            let at = at % (text.len() * 8);
            other[at / 8] ^= 1 << (at % 8);
            prop_assert_ne!(seed.hash(&text), seed.hash(&other));
        }
    }

    #[test]
    fn a_crowded_table_forgets_and_says_so() {
        let (seed, mut glimpses) = (Seed::random(), Glimpses::new(16));
        let crowded = (0..100).filter(|n| matches!(glimpses.see(seed.mix(*n), ()), Sight::Crowded)).count();
        assert!(crowded == 4 && glimpses.forgets());
    }

    #[test]
    fn the_rarest_make_room() {
        let mut map: Map<u64> = (0..100u64).map(|n| (n, n / 10)).collect();
        make_room(&mut map, |count| *count);
        assert!(map.len() <= 75 && map.contains_key(&99) && !map.contains_key(&0));
        // Those that are all alike go all: nothing may stay full for ever.
        let mut map: Map<u64> = (0..100u64).map(|n| (n, 7)).collect();
        make_room(&mut map, |count| *count);
        assert!(map.is_empty());
    }
}
