//! Finds secrets, personal data, planted instructions and invisible characters in one text.
//!
//! One pass over the bytes sees every literal, another counts what the slower detectors need; only those that can
//! find something run then. Each validator looks at a bounded window, so the whole is linear in the text.

mod card;
mod census;
mod disguise;
mod formats;
mod hidden;
mod iban;
mod links;
pub mod literals;
mod person;
mod phone;
mod tokens;
mod wording;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use super::mask::Masks;
use super::rules::{Class, Rule};
use census::Census;
use literals::{Literals, Seen};

/// More matches than this in one text are not told apart any more.
const MOST: usize = 4096;

/// Something found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What was looked for.
    pub rule: &'static Rule,
    /// Bytes of the text.
    pub range: Range<usize>,
    /// How it may be shown.
    pub shown: String,
    /// Tells values apart; empty where there is none.
    pub digest: String,
}

/// What a literal is good for.
#[derive(Debug, Clone, Copy)]
enum Anchor {
    /// Begins (or lies in) a secret of a known format.
    Format(usize),
    /// Announces a value: `password`.
    Cue(formats::Cue),
    /// Begins an instruction that overrides others.
    Verb,
    /// Says it all by itself.
    Phrase(usize),
    /// A word beside which nine digits are a social security number.
    SsnCue,
    /// The middle of a Markdown link.
    Link,
}

struct Vocabulary {
    literals: Literals,
    anchors: Vec<(&'static str, Anchor)>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut anchors: Vec<(&'static str, Anchor)> = Vec::new();
    anchors.extend(formats::FORMATS.iter().enumerate().map(|(n, format)| (format.literal, Anchor::Format(n))));
    anchors.extend(formats::CUES.iter().map(|(word, cue)| (*word, Anchor::Cue(*cue))));
    let verbs = words::WORDS.iter().filter(|(_, part)| *part == words::Part::Verb);
    anchors.extend(verbs.map(|(word, _)| (*word, Anchor::Verb)));
    anchors.extend(words::PHRASES.iter().enumerate().map(|(n, phrase)| (phrase.text, Anchor::Phrase(n))));
    anchors.extend(["ssn", "social security", "social-security"].map(|word| (word, Anchor::SsnCue)));
    anchors.push(("](http", Anchor::Link));
    let literals = Literals::new(&anchors.iter().map(|(literal, _)| *literal).collect::<Vec<_>>());
    Vocabulary { literals, anchors }
});

/// Looks for everything. Keeps its buffers, so that one is used for a whole file.
#[derive(Debug)]
pub struct Finder {
    masks: Masks,
    seen: Vec<Seen>,
    found: Vec<Match>,
    cut: bool,
}

/// What the detectors see of a text.
struct View<'a> {
    text: &'a str,
    seen: &'a [Seen],
}

impl<'a> View<'a> {
    /// Every literal that was seen, with its anchor and its bytes.
    fn anchors(&self) -> impl Iterator<Item = (Anchor, Range<usize>)> + use<'a> {
        let seen = self.seen;
        seen.iter().filter_map(|seen| {
            let (literal, anchor) = VOCABULARY.anchors.get(usize::from(seen.literal))?;
            let end = seen.end as usize;
            Some((*anchor, end.saturating_sub(literal.len())..end))
        })
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

/// Where detectors put what they find.
struct Sink<'a> {
    masks: &'a Masks,
    found: &'a mut Vec<Match>,
    cut: &'a mut bool,
}

impl Sink<'_> {
    /// A value that can be told apart from others: with a digest.
    fn value(&mut self, rule: &'static Rule, text: &str, range: Range<usize>, shown: String, bare: bool) {
        let Some(value) = text.get(range.clone()) else { return };
        let digest = if bare { Masks::bare(value) } else { self.masks.keyed_digest(value) };
        self.push(Match { rule, range, shown, digest });
    }

    /// Something that has no value of its own.
    fn note(&mut self, rule: &'static Rule, range: Range<usize>, shown: String) {
        self.push(Match { rule, range, shown, digest: String::new() });
    }

    fn push(&mut self, found: Match) {
        if self.found.len() < MOST { self.found.push(found) } else { *self.cut = true }
    }

    /// Whether something of a class lies in those bytes already.
    fn covers(&self, class: Class, range: &Range<usize>) -> bool {
        // why from the end: detectors go forward, so what could overlap was found last.
        self.found
            .iter()
            .rev()
            .take(64)
            .any(|m| m.rule.class == class && m.range.start < range.end && range.start < m.range.end)
    }
}

impl Finder {
    /// A finder that shows what it finds through these masks.
    pub fn new(masks: Masks) -> Self {
        Self { masks, seen: Vec::new(), found: Vec::new(), cut: false }
    }

    /// What is in the text, by place.
    pub fn find(&mut self, text: &str) -> &[Match] {
        self.found.clear();
        self.cut = false;
        let census = Census::of(text.as_bytes());
        VOCABULARY.literals.scan(text.as_bytes(), &mut self.seen);
        let view = View { text, seen: &self.seen };
        let mut sink = Sink { masks: &self.masks, found: &mut self.found, cut: &mut self.cut };
        if !view.seen.is_empty() {
            formats::find(&view, &mut sink);
            formats::assigned(&view, &mut sink);
            wording::find(&view, &mut sink);
            links::find(&view, &mut sink);
        }
        tokens::find(&view, &mut sink);
        if census.ats > 0 {
            person::emails(&view, &mut sink);
        }
        if census.digits >= 6 {
            person::numbers(&view, &mut sink);
        }
        if census.foreign > 0 || census.controls > 0 {
            hidden::find(&view, &mut sink);
        }
        if census.foreign > 0 {
            disguise::find(&view, &mut sink);
        }
        // Stable, and nearly sorted.
        self.found.sort_by_key(|found| (found.range.start, found.rule.id));
        &self.found
    }

    /// Whether the last text held more than could be told apart.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

/// Only wording and secrets of a known format, for text that was decoded: what it hides. At most one of each rule.
fn hidden_in(text: &str, masks: &Masks) -> Vec<Match> {
    let (mut seen, mut found, mut cut) = (Vec::new(), Vec::new(), false);
    VOCABULARY.literals.scan(text.as_bytes(), &mut seen);
    if !seen.is_empty() {
        let view = View { text, seen: &seen };
        let mut sink = Sink { masks, found: &mut found, cut: &mut cut };
        formats::find(&view, &mut sink);
        wording::find(&view, &mut sink);
    }
    found.sort_by_key(|found: &Match| found.rule.id);
    found.dedup_by_key(|found| found.rule.id);
    found
}

/// A byte that belongs to a word: what stands on both sides of a boundary must not both be one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a word could begin at `at`.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_word(bytes[at - 1])
}

/// Whether a word could end at `at`.
fn ends_word(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| !is_word(*byte))
}

#[cfg(test)]
mod tests;
