//! Many literals at once: an Aho-Corasick automaton with a full table, ASCII case folded.
//!
//! why not the crate: the scan counts digits, at signs, non-ASCII bytes and the longest token in the same pass,
//! which the crate cannot; and this room is compiled with the package's optimization, dependencies are not.

use std::collections::{BTreeMap, VecDeque};

/// What a text holds, seen in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Bytes `0`–`9`.
    pub digits: u32,
    /// Bytes `@`.
    pub ats: u32,
    /// Bytes above 0x7f.
    pub foreign: u32,
    /// Control characters other than tab, line feed and carriage return.
    pub controls: u32,
    /// Length of the longest run of letters, digits, `+ / _ - =`.
    pub longest: u32,
}

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
}

const DIGIT: u64 = 1;
const AT: u64 = 1 << 24;
const FOREIGN: u64 = 1 << 32;
const CONTROL: u64 = 1 << 56;

/// One addend a byte: four counters in one word.
static KINDS: [u64; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'@' => AT,
            b'\t' | b'\n' | b'\r' => 0,
            0..=0x1f | 0x7f => CONTROL,
            0x80..=0xff => FOREIGN,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

static TOKEN: [u32; 256] = {
    let mut token = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let is = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'/' | b'_' | b'-' | b'=');
        token[byte] = if is { u32::MAX } else { 0 };
        byte += 1;
    }
    token
};

/// How many bytes are counted before the four counters are taken out: none can run over into the next.
const BLOCK: usize = 128;

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
        Self { class, table, accept: quiet.len() as u16, outputs }
    }

    /// Scans a text once: what it holds, and every literal in it, by end.
    pub fn scan(&self, text: &[u8], seen: &mut Vec<Seen>) -> Census {
        seen.clear();
        let (mut state, mut run, mut longest) = (0u16, 0u32, 0u32);
        let mut census = Census::default();
        for (number, block) in text.chunks(BLOCK).enumerate() {
            let mut kinds = 0u64;
            for (at, byte) in block.iter().enumerate() {
                let byte = usize::from(*byte);
                kinds += KINDS[byte];
                run = (run + 1) & TOKEN[byte];
                longest = longest.max(run);
                state = self.table[(usize::from(state) << STRIDE_BITS) | usize::from(self.class[byte])];
                if state >= self.accept {
                    let end = (number * BLOCK + at + 1) as u32;
                    seen.extend(
                        self.outputs[usize::from(state - self.accept)]
                            .iter()
                            .map(|literal| Seen { literal: *literal, end }),
                    );
                }
            }
            census.digits += (kinds & 0xff_ffff) as u32;
            census.ats += (kinds >> 24 & 0xff) as u32;
            census.foreign += (kinds >> 32 & 0xff_ffff) as u32;
            census.controls += (kinds >> 56) as u32;
        }
        census.longest = longest;
        census
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

    #[test]
    fn the_census_counts() {
        let mut seen = Vec::new();
        let census = Literals::new(&["q"]).scan("12 a@b é\u{1b} abcdefgh-9\n".as_bytes(), &mut seen);
        assert_eq!(census, Census { digits: 3, ats: 1, foreign: 2, controls: 1, longest: 10 });
        let long = "7".repeat(1000) + &"é".repeat(1000) + &"@".repeat(1000) + &"\u{1}".repeat(1000);
        let census = Literals::new(&["q"]).scan(long.as_bytes(), &mut seen);
        assert_eq!(census, Census { digits: 1000, ats: 1000, foreign: 2000, controls: 1000, longest: 1000 });
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            literals in proptest::collection::btree_set("[ab-]{1,4}", 1..8), text in "[abAB\\-é]{0,60}"
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
