//! Looks at a block of lines: what is wrong with each record, what is found in its texts, and by which hashes it is
//! known again. Needs nothing of other blocks, so that several can be looked at together; what only all of them tell is
//! left to [`super::keep`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::block::{Block, Placed};
use super::phrases::Phrases;
use super::record::{self, Field, Part, Record, Shape, TextAt};
use super::scan::Suffix;
use super::tables::Seed;
use crate::content::find::{Finder, Match};
use crate::content::mask::Masks;
use crate::content::rules::{BLANK_LINE, BYTE_ORDER_MARK, JSON_BROKEN, LINE_TOO_LONG, NOT_UTF8, Rule};

/// What was seen in a block.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Line by line.
    pub lines: Vec<LineSeen>,
    /// What is to be told, in its order.
    pub events: Vec<Event>,
    /// How often each rule was hit.
    pub hits: BTreeMap<&'static str, Hits>,
    /// Phrases of the questions, in their order.
    pub phrases: Phrases,
    /// Texts for a second opinion, with their lines.
    pub texts: Vec<(u64, Field, String)>,
    /// Whether some text held more than could be told apart.
    pub cut: bool,
}

impl Seen {
    /// Nothing any more, in the same memory.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.events.clear();
        self.hits.clear();
        self.phrases.clear();
        self.texts.clear();
        self.cut = false;
    }
}

/// One line.
#[derive(Debug, Default)]
pub(super) struct LineSeen {
    /// From 1.
    pub number: u64,
    /// Its format; none for a part of a line.
    pub shape: Option<Shape>,
    /// Events that come before anybody says that its format is another one than that of the others.
    pub problems: Range<usize>,
    /// Events that come after.
    pub found: Range<usize>,
    /// Phrases of its question.
    pub phrases: Range<usize>,
    /// Hashes of what is asked and of what is answered, if it can stand there again.
    pub sides: Option<(u64, u64)>,
    /// What it may be of a private key.
    pub key: Option<KeyLine>,
}

/// A line of text that may belong to a private key over several lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyLine {
    /// Base64 and long enough.
    pub body: bool,
    /// The line before a body.
    pub header: bool,
}

/// Something to be told.
#[derive(Debug)]
pub(super) struct Event {
    pub rule: &'static Rule,
    /// From 1; none where the bytes are no text.
    pub column: Option<u64>,
    pub field: Field,
    pub shown: Cow<'static, str>,
    pub digest: String,
}

/// Hits of one rule.
#[derive(Debug)]
pub(super) struct Hits {
    pub rule: &'static Rule,
    /// How many are among the events.
    listed: usize,
    /// How many are not.
    pub more: u64,
}

/// Looks. Keeps its buffers, so that one is used for many blocks.
pub(super) struct Looker {
    finder: Finder,
    seed: Seed,
    /// Hits of one rule that are listed.
    keep: usize,
    scratch: String,
    question: String,
}

impl Looker {
    pub(super) fn new(masks: Masks, seed: Seed, keep: usize) -> Self {
        Self { finder: Finder::new(masks), seed, keep, scratch: String::new(), question: String::new() }
    }

    /// Looks at every line.
    pub(super) fn look(&mut self, block: &mut Block) {
        let mut seen = std::mem::take(&mut block.seen);
        for placed in &block.lines {
            let mut line = Line { looker: self, seen: &mut seen, sampled: block.sampled, number: placed.number };
            let done = line.look(block.bytes(placed), placed, block.suffix);
            seen.lines.push(done);
        }
        block.seen = seen;
    }
}

/// A line that is being looked at.
struct Line<'a> {
    looker: &'a mut Looker,
    seen: &'a mut Seen,
    sampled: bool,
    number: u64,
}

impl Line<'_> {
    fn look(&mut self, bytes: &[u8], placed: &Placed, suffix: Suffix) -> LineSeen {
        let (events, phrases) = (self.seen.events.len(), self.seen.phrases.len());
        let json = suffix == Suffix::Jsonl;
        if placed.marked {
            self.problem(&BYTE_ORDER_MARK, 0, Field::new("file", &[]), "three bytes before the first record");
        }
        if placed.after_blanks && json {
            self.problem(&BLANK_LINE, 0, Field::new("line", &[]), "blank lines stand before this one");
        }
        let mut done = LineSeen { number: placed.number, problems: events..events, ..LineSeen::default() };
        if placed.part {
            if placed.offset == 0 && json {
                self.problem(&LINE_TOO_LONG, 0, Field::new("line", &[]), "longer than a record may be");
            }
            self.raw(bytes, placed.offset, placed.again);
        } else if !bytes.is_empty() {
            self.whole(bytes, json, &mut done);
        }
        done.found = done.problems.end..self.seen.events.len();
        done.phrases = phrases..self.seen.phrases.len();
        done
    }

    fn whole(&mut self, bytes: &[u8], json: bool, done: &mut LineSeen) {
        let line = Field::new("line", &[]);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                done.shape = json.then_some(Shape::Unknown);
                self.problem(&NOT_UTF8, error.valid_up_to(), line, "bytes that are no UTF-8");
                return self.raw(bytes, 0, 0);
            }
        };
        if !json {
            done.shape = Some(Shape::Text);
            self.search(text, Field::new("", &[]), |at| at);
            done.key = Some(KeyLine::of(text));
            // why a length: `}` and `Yes.` come again in every text.
            done.sides = (text.trim_ascii().len() >= 40).then(|| (self.looker.seed.side([text].into_iter()), 0));
            return;
        }
        match record::read(text) {
            Ok(record) => self.record(&record, done),
            Err(broken) => {
                done.shape = Some(Shape::Unknown);
                self.problem(&JSON_BROKEN, broken.at, line, broken.what);
                self.search(text, line, |at| at);
                done.key = Some(KeyLine::of(text));
            }
        }
    }

    fn record(&mut self, record: &Record<'_>, done: &mut LineSeen) {
        for problem in &record.problems {
            self.problem(problem.rule, problem.at, problem.field, problem.what);
        }
        done.problems.end = self.seen.events.len();
        done.shape = Some(record.shape);
        let mut scratch = std::mem::take(&mut self.looker.scratch);
        let mut question = std::mem::take(&mut self.looker.question);
        for text in &record.texts {
            // why apart: what was asked last is looked at once more below.
            let decoded = text.piece.text(if text.part == Part::Ask { &mut question } else { &mut scratch });
            let mut way = text.piece.way();
            self.search(decoded, text.field, |at| way.to(at));
        }
        let last = record.texts.iter().rfind(|text| text.part == Part::Ask).map(|text| text.piece);
        let asked = last.map_or("", |piece| if piece.escaped { &question } else { piece.raw });
        done.sides = self.sides(&record.texts, asked);
        (self.looker.scratch, self.looker.question) = (scratch, question);
    }

    /// `last` is the last thing that was asked: there a trigger decides.
    fn sides(&mut self, texts: &[TextAt<'_>], last: &str) -> Option<(u64, u64)> {
        let seed = self.looker.seed;
        let side = |part: Part| {
            let mut texts = texts.iter().filter(move |text| text.part == part).map(|text| text.piece.raw).peekable();
            texts.peek().is_some().then(|| seed.side(texts))
        };
        match (side(Part::Ask), side(Part::Answer)) {
            (Some(ask), Some(answer)) => {
                self.seen.phrases.of(seed, last);
                Some((ask, answer))
            }
            // Without an answer there is nothing to decide.
            (Some(ask), None) => Some((ask, seed.side([].into_iter()))),
            // Captions have no question: two of them are not two answers to one.
            (None, Some(answer)) => Some((answer, 0)),
            (None, None) => None,
        }
    }

    /// Searches bytes that are no text, or a part of a line.
    fn raw(&mut self, bytes: &[u8], offset: u64, again: usize) {
        let text = String::from_utf8_lossy(bytes);
        let lossless = matches!(text, Cow::Borrowed(_));
        let keep = self.looker.keep;
        for hit in self.looker.finder.find(&text) {
            // What ends inside the overlap was found in the part before.
            if lossless && again > 0 && hit.range.end <= again {
                continue;
            }
            let column = || lossless.then_some(offset + hit.range.start as u64 + 1);
            self.seen.hit(keep, hit, Field::new("line", &[]), column);
        }
        self.seen.cut |= self.looker.finder.is_cut();
    }

    fn search(&mut self, text: &str, field: Field, mut origin: impl FnMut(usize) -> usize) {
        if self.sampled {
            self.seen.texts.push((self.number, field, text.to_owned()));
        }
        let keep = self.looker.keep;
        for hit in self.looker.finder.find(text) {
            self.seen.hit(keep, hit, field, || Some(origin(hit.range.start) as u64 + 1));
        }
        self.seen.cut |= self.looker.finder.is_cut();
    }

    fn problem(&mut self, rule: &'static Rule, at: usize, field: Field, what: &'static str) {
        self.seen.add(self.looker.keep, rule, || Event {
            rule,
            column: Some(at as u64 + 1),
            field,
            shown: Cow::Borrowed(what),
            digest: String::new(),
        });
    }
}

impl Seen {
    fn hit(&mut self, keep: usize, hit: &Match, field: Field, column: impl FnOnce() -> Option<u64>) {
        self.add(keep, hit.rule, || Event {
            rule: hit.rule,
            column: column(),
            field,
            shown: Cow::Owned(hit.shown.clone()),
            digest: hit.digest.clone(),
        });
    }

    /// Lists an event, or counts it: of all blocks together no more than `keep` of a rule are listed, so no block needs
    /// to list more.
    fn add(&mut self, keep: usize, rule: &'static Rule, make: impl FnOnce() -> Event) {
        let hits = self.hits.entry(rule.id).or_insert(Hits { rule, listed: 0, more: 0 });
        if hits.listed < keep {
            hits.listed += 1;
            self.events.push(make());
        } else {
            hits.more += 1;
        }
    }
}

impl KeyLine {
    fn of(text: &str) -> Self {
        let text = text.trim_ascii();
        let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        Self {
            body: text.len() >= 40 && text.bytes().all(base64),
            header: text.contains("-----BEGIN ") && text.ends_with("PRIVATE KEY-----"),
        }
    }
}
