//! Many literals at once, ASCII case folded.
//!
//! Each literal is known by three bytes of it that are rare in prose. A small table tells of any three bytes whether they
//! may be those of a literal, and only there literals are compared. why not an automaton: each of its steps waits for
//! the one before, and its table is twenty times larger; here nothing waits.

/// One literal in a text: which, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// The byte after it.
    pub end: u32,
    /// Its number in the list that was asked for.
    pub literal: u16,
}

/// Bytes that tell a literal.
const GRAM: usize = 3;
/// How many places are looked at together: all that begin in one word of eight bytes and end in it.
const TOGETHER: usize = 8 - GRAM + 1;
/// Sets the bit that tells small letters from large ones. What else it changes is sorted out when literals are compared.
const FOLD: u64 = 0x2020_2020_2020_2020;
/// Bits of a hash that say which byte of the table.
const PLACE_BITS: u32 = 14;

/// Literals to look for.
#[derive(Debug)]
pub struct Literals {
    /// For each hash of three folded bytes, the number of a list in `known`; 0 if no literal has it. why no larger: it
    /// must stay near.
    table: Box<[u8; 1 << PLACE_BITS]>,
    /// What has such a hash. The first list is empty.
    known: Vec<Vec<Known>>,
    literals: Vec<Box<[u8]>>,
}

/// A literal, and where in it the three bytes stand.
#[derive(Debug, Clone, Copy)]
struct Known {
    literal: u16,
    offset: usize,
}

impl Literals {
    /// Of ASCII literals of at least three bytes; a shorter one is never seen, and a test of the table finds it.
    pub fn new(literals: &[&str]) -> Self {
        let mut table = Box::new([0; 1 << PLACE_BITS]);
        let mut known = vec![Vec::new()];
        for (number, literal) in literals.iter().enumerate() {
            let grams = literal.as_bytes().windows(GRAM).enumerate();
            let Some((offset, gram)) = grams.min_by_key(|(_, gram)| commonness(gram)) else { continue };
            let list = &mut table[place(gram.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)) | FOLD)];
            if *list == 0 {
                // Beyond so many lists, literals share the last.
                *list = u8::try_from(known.len()).unwrap_or(u8::MAX);
                known.resize(known.len().max(usize::from(*list) + 1), Vec::new());
            }
            known[usize::from(*list)].push(Known { literal: number as u16, offset });
        }
        Self { table, known, literals: literals.iter().map(|literal| literal.as_bytes().into()).collect() }
    }

    /// Every literal in a text, by its end; of those that end together the longest first.
    pub fn scan(&self, text: &[u8], seen: &mut Vec<Seen>) {
        seen.clear();
        let mut at = 0;
        while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            self.look(text, at, u64::from_le_bytes(*word) | FOLD, seen);
            at += TOGETHER;
        }
        let mut last = [0; 8];
        if let Some(rest) = text.get(at..).filter(|rest| rest.len() >= GRAM) {
            last[..rest.len()].copy_from_slice(rest);
            self.look(text, at, u64::from_le_bytes(last) | FOLD, seen);
        }
        let longest = |seen: &Seen| std::cmp::Reverse(self.literals[usize::from(seen.literal)].len());
        seen.sort_unstable_by_key(|seen| (seen.end, longest(seen), seen.literal));
    }

    /// Looks at the places of a word.
    #[inline]
    fn look(&self, text: &[u8], at: usize, folded: u64, seen: &mut Vec<Seen>) {
        // why all before one jump: six jumps would cost more than six looks.
        let any = (0..TOGETHER).fold(0, |any, nth| any | self.table[place(folded >> (8 * nth))]);
        if any != 0 {
            self.compare(text, at, folded, seen);
        }
    }

    /// Which literals really stand around the places of a word.
    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, folded: u64, seen: &mut Vec<Seen>) {
        for nth in 0..TOGETHER {
            let list = self.table[place(folded >> (8 * nth))];
            for known in &self.known[usize::from(list)] {
                let literal = &self.literals[usize::from(known.literal)];
                let Some(start) = (at + nth).checked_sub(known.offset) else { continue };
                let end = start + literal.len();
                if text.get(start..end).is_some_and(|there| there.eq_ignore_ascii_case(literal)) {
                    seen.push(Seen { end: end as u32, literal: known.literal });
                }
            }
        }
    }
}

/// Which byte of the table tells of the three lowest bytes of a word: the topmost bits of a hash, for they are mixed best.
#[inline]
fn place(word: u64) -> usize {
    let hash = (word as u32 & 0x00ff_ffff).wrapping_mul(0x9e37_79b1);
    (hash >> (u32::BITS - PLACE_BITS)) as usize
}

/// How often such bytes stand in prose, roughly.
fn commonness(gram: &[u8]) -> usize {
    // Blank and letters by their frequency in English, rarest first.
    const LETTERS: &[u8] = b"zqxjkvbpygfwmucldrhsnioate ";
    let of = |byte: &u8| LETTERS.iter().position(|letter| *letter == byte.to_ascii_lowercase()).map_or(0, |at| at + 1);
    gram.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(literals: &[&str], text: &str) -> Vec<(u16, usize)> {
        let mut seen = Vec::new();
        Literals::new(literals).scan(text.as_bytes(), &mut seen);
        assert!(seen.is_sorted_by_key(|seen| seen.end));
        let mut found: Vec<_> = seen.iter().map(|s| (s.literal, s.end as usize)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn overlapping_and_nested_literals_are_all_seen() {
        assert_eq!(all(&["her", "usher", "his", "ers"], "uSHErs"), [(0, 5), (1, 5), (3, 6)]);
        assert_eq!(all(&["aaa"], "aaaaa"), [(0, 3), (0, 4), (0, 5)]);
        assert_eq!(all(&["xyz"], ""), []);
        assert_eq!(all(&["[x]"], "{x}[X]"), [(0, 6)]);
    }

    #[test]
    fn more_literals_than_lists_are_all_seen() {
        let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
        let literals: Vec<String> =
            (0..2000).map(|n| format!("{}{}{}", letter(n), letter(n / 26), letter(n / 676))).collect();
        let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
        for (number, literal) in literals.iter().enumerate() {
            assert_eq!(all(&literals, &literal.to_uppercase()), [(number as u16, 3)]);
        }
    }

    #[test]
    fn the_longest_of_those_that_end_together_stands_first() {
        let (mut seen, literals) = (Vec::new(), ["prompt", "system prompt"]);
        Literals::new(&literals).scan(b"my system prompt", &mut seen);
        assert_eq!(seen.iter().map(|seen| seen.literal).collect::<Vec<_>>(), [1, 0]);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            literals in proptest::collection::btree_set("[ab-]{3,6}", 1..8), text in "[abAB\\-é]{0,90}"
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
