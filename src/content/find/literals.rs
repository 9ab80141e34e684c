//! Many literals at once: an Aho-Corasick automaton with a full table, ASCII case folded.
//!
//! why not the crate: it goes through a text in one lane, and this room is compiled with the package's optimization,
//! dependencies are not.

use std::collections::{BTreeMap, VecDeque};

/// One literal in a text: which, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number in the list the automaton was made of.
    pub literal: u16,
    /// The byte after it.
    pub end: u32,
}

const STRIDE_BITS: u32 = 6;
const STRIDE: usize = 1 << STRIDE_BITS;

/// The automaton.
#[derive(Debug)]
pub struct Literals {
    class: [u8; 256],
    table: Vec<u16>,
    /// States from here on accept.
    accept: u16,
    /// What each accepting state stands for.
    outputs: Vec<Vec<u16>>,
    /// Length of the longest literal.
    longest: usize,
}

impl Literals {
    /// Of ASCII literals. They may have at most 63 different letters together; more than that is a mistake in
    /// the table, which a test finds: what does not fit is never seen.
    pub fn new(literals: &[&str]) -> Self {
        let mut class = [0u8; 256];
        let mut classes = 0;
        for byte in literals.iter().flat_map(|literal| literal.bytes()) {
            let folded = byte.to_ascii_lowercase();
            if class[usize::from(folded)] == 0 && classes < STRIDE - 1 {
                classes += 1;
                class[usize::from(folded)] = classes as u8;
                class[usize::from(folded.to_ascii_uppercase())] = classes as u8;
            }
        }
        // The trie: state 0 is the root; 0 also means "no such edge" while it is built.
        let mut next: Vec<[u16; STRIDE]> = vec![[0; STRIDE]];
        let mut outputs: Vec<Vec<u16>> = vec![Vec::new()];
        for (number, literal) in literals.iter().enumerate() {
            let mut state = 0;
            for byte in literal.bytes() {
                let edge = usize::from(class[usize::from(byte)]);
                if next[state][edge] == 0 {
                    next[state][edge] = next.len() as u16;
                    next.push([0; STRIDE]);
                    outputs.push(Vec::new());
                }
                state = usize::from(next[state][edge]);
            }
            outputs[state].push(number as u16);
        }
        // Breadth first: missing edges become those of the longest proper suffix.
        let mut fail = vec![0u16; next.len()];
        let mut queue: VecDeque<usize> = next[0].iter().filter(|s| **s != 0).map(|s| usize::from(*s)).collect();
        while let Some(state) = queue.pop_front() {
            let suffix = usize::from(fail[state]);
            let inherited = outputs[suffix].clone();
            outputs[state].extend(inherited);
            let of_suffix = next[suffix];
            for (to, other) in next[state].iter_mut().zip(of_suffix) {
                if *to == 0 {
                    *to = other;
                } else {
                    fail[usize::from(*to)] = other;
                    queue.push_back(usize::from(*to));
                }
            }
        }
        // Accepting states last, so that one comparison tells them.
        let (quiet, loud): (Vec<usize>, Vec<usize>) = (0..next.len()).partition(|s| outputs[*s].is_empty());
        let order: BTreeMap<usize, u16> =
            quiet.iter().chain(&loud).enumerate().map(|(new, old)| (*old, new as u16)).collect();
        let table = quiet
            .iter()
            .chain(&loud)
            .flat_map(|old| next[*old].map(|to| order.get(&usize::from(to)).copied().unwrap_or_default()))
            .collect();
        let outputs = loud.iter().map(|old| std::mem::take(&mut outputs[*old])).collect();
        let longest = literals.iter().map(|literal| literal.len()).max().unwrap_or_default();
        Self { class, table, accept: quiet.len() as u16, outputs, longest }
    }

    /// Every literal in a text, by its end.
    ///
    /// A step must wait for the table's answer, and two can wait together: so the halves of a text go side by side.
    pub fn scan(&self, text: &[u8], seen: &mut Vec<Seen>) {
        seen.clear();
        let middle = if text.len() < 4 * self.longest { 0 } else { text.len() / 2 };
        let (left, right) = text.split_at(middle);
        let (mut first, mut second) = (0, self.state_at(text, middle));
        let mut later = Vec::new();
        for (at, (left, right)) in left.iter().zip(right).enumerate() {
            (first, second) = (self.next(first, *left), self.next(second, *right));
            if first >= self.accept || second >= self.accept {
                self.note(first, at + 1, seen);
                self.note(second, middle + at + 1, &mut later);
            }
        }
        for (at, byte) in right.iter().enumerate().skip(middle) {
            second = self.next(second, *byte);
            if second >= self.accept {
                self.note(second, middle + at + 1, &mut later);
            }
        }
        seen.append(&mut later);
    }

    fn next(&self, state: u16, byte: u8) -> u16 {
        self.table[(usize::from(state) << STRIDE_BITS) | usize::from(self.class[usize::from(byte)])]
    }

    /// What an accepting state stands for.
    #[cold]
    fn note(&self, state: u16, end: usize, seen: &mut Vec<Seen>) {
        if let Some(outputs) = state.checked_sub(self.accept) {
            let outputs = &self.outputs[usize::from(outputs)];
            seen.extend(outputs.iter().map(|literal| Seen { literal: *literal, end: end as u32 }));
        }
    }

    /// The state after the bytes before `start`: it knows no more of them than the longest literal is long.
    fn state_at(&self, text: &[u8], start: usize) -> u16 {
        text[start.saturating_sub(self.longest)..start].iter().fold(0, |state, byte| self.next(state, *byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(literals: &[&str], text: &str) -> Vec<(u16, usize)> {
        let mut seen = Vec::new();
        Literals::new(literals).scan(text.as_bytes(), &mut seen);
        let mut found: Vec<_> = seen.iter().map(|s| (s.literal, s.end as usize)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn overlapping_and_nested_literals_are_all_seen() {
        assert_eq!(all(&["he", "she", "his", "hers"], "uSHErs"), [(0, 4), (1, 4), (3, 6)]);
        assert_eq!(all(&["aa"], "aaaa"), [(0, 2), (0, 3), (0, 4)]);
        assert_eq!(all(&["x"], ""), []);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            literals in proptest::collection::btree_set("[ab-]{1,4}", 1..8), text in "[abAB\\-é]{0,90}"
        ) {
            let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
            let folded = text.to_ascii_lowercase();
            let mut plain = Vec::new();
            for (number, literal) in literals.iter().enumerate() {
                for start in 0..folded.len() {
                    if folded.as_bytes()[start..].starts_with(literal.as_bytes()) {
                        plain.push((number as u16, start + literal.len()));
                    }
                }
            }
            plain.sort_unstable();
            prop_assert_eq!(all(&literals, &text), plain);
        }
    }
}
