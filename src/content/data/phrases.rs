//! Phrases of a question that may decide its answer: its first and last words, and single ones that look out of place.

use std::ops::Range;

use super::tables::Seed;
use super::words::{last_words, odd_words, third_end};

/// A longer phrase is none.
const LONGEST: usize = 200;
/// Odd words are looked for so far. why no further: the words of a long document are its own.
const HEAD: usize = 2048;
/// At most so many odd words of one question.
const ODD: usize = 4;

/// One phrase of one question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase<'a> {
    pub hash: u64,
    pub text: &'a str,
    /// How many words it has.
    pub words: u8,
    /// Whether it stands at the end.
    pub end: bool,
}

/// Phrases of many questions.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    list: Vec<Placed>,
    text: String,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    hash: u64,
    start: u32,
    length: u8,
    words: u8,
    end: bool,
}

impl Phrases {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.text.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Those with these numbers.
    pub(super) fn get(&self, numbers: Range<usize>) -> impl Iterator<Item = Phrase<'_>> {
        self.list[numbers].iter().map(|placed| {
            let start = placed.start as usize;
            let text = &self.text[start..start + usize::from(placed.length)];
            Phrase { hash: placed.hash, text, words: placed.words, end: placed.end }
        })
    }

    /// Takes those of one question in.
    pub(super) fn of(&mut self, seed: Seed, question: &str) {
        let last = last_words(question, 4);
        if let Some((_, end)) = last.last().copied() {
            for count in 2..=last.len() {
                let start = last[last.len() - count].0;
                self.put(seed, &question[start..end], count as u8, true);
            }
        }
        if let Some(end) = third_end(question) {
            self.put(seed, &question[..end], 3, false);
        }
        let head = &question[..question.floor_char_boundary(HEAD)];
        for word in odd_words(head).take(ODD) {
            self.put(seed, word, 1, false);
        }
    }

    fn put(&mut self, seed: Seed, text: &str, words: u8, end: bool) {
        if text.len() > LONGEST {
            return;
        }
        let hash = seed.mix(seed.hash(text.as_bytes()) ^ u64::from(end));
        self.list.push(Placed { hash, start: self.text.len() as u32, length: text.len() as u8, words, end });
        self.text.push_str(text);
    }
}
