//! Puts together what was seen in blocks, in the order of the lines: what is kept of it, and what only all of them tell
//! (what stands there again, other formats, keys over several lines).

use std::collections::BTreeMap;

use super::block::Block;
use super::look::{Event, KeyLine, LineSeen, Seen};
use super::record::Shape;
use super::repeats::{Again, At, Count, Repeats};
use super::report::Repetition;
use crate::base::Text;
use crate::content::hit::{Findings, Hit, Place};
use crate::content::opinion::Samples;
use crate::content::rules::{CONFLICTING_ANSWER, MIXED_SHAPES, PRIVATE_KEY, REPEATED_RECORD, TRIGGER};

/// What is kept of all files.
pub(super) struct Kept {
    pub findings: Findings,
    pub repeats: Repeats,
    /// Every file, in the order of their numbers.
    pub uris: Vec<Text>,
    /// Whether some text held more than could be told apart.
    pub cut: bool,
    /// Texts that are kept for a second opinion.
    pub samples: Option<Samples>,
}

/// What is known of the file that is being read.
#[derive(Debug, Default)]
pub(super) struct File {
    number: u32,
    uri: Text,
    /// How many records have which format.
    pub shapes: BTreeMap<Shape, u64>,
    /// The line where a private key may have begun.
    key_header: Option<u64>,
}

impl Kept {
    /// Begins a file.
    pub(super) fn begin(&mut self, uri: &Text) -> File {
        self.uris.push(uri.clone());
        File { number: self.uris.len() as u32 - 1, uri: uri.clone(), ..File::default() }
    }

    /// Takes in what was seen in its next block.
    pub(super) fn take(&mut self, file: &mut File, block: &Block) {
        let seen = &block.seen;
        if let Some(samples) = &mut self.samples {
            for (line, field, text) in &seen.texts {
                samples.take(&file.uri, *line, field, text);
            }
        }
        self.cut |= seen.cut;
        for line in &seen.lines {
            self.line(file, line, seen);
        }
        for hits in seen.hits.values().filter(|hits| hits.more > 0) {
            self.findings.count(hits.rule, hits.more);
        }
    }

    fn line(&mut self, file: &mut File, line: &LineSeen, seen: &Seen) {
        for event in &seen.events[line.problems.clone()] {
            self.event(file, line.number, event);
        }
        if let Some(shape) = line.shape {
            self.shape(file, line.number, shape);
        }
        for event in &seen.events[line.found.clone()] {
            self.event(file, line.number, event);
        }
        if let Some(key) = line.key {
            self.key(file, line.number, key);
        }
        if let Some((ask, answer)) = line.sides {
            let at = At::new(file.number, line.number);
            let again = self.repeats.see(ask, answer, seen.phrases.get(line.phrases.clone()), at);
            self.again(file, line.number, again);
        }
    }

    fn event(&mut self, file: &File, line: u64, event: &Event) {
        self.findings.add(event.rule, || Hit {
            rule: event.rule,
            place: Place {
                uri: file.uri.clone(),
                line: Some(line),
                column: event.column,
                field: Text::new(event.field.to_string()),
            },
            shown: Text::new(&*event.shown),
            digest: Text::new(&event.digest),
        });
    }

    fn shape(&mut self, file: &mut File, line: u64, shape: Shape) {
        let common = file.shapes.iter().max_by_key(|(_, count)| **count).map(|(shape, _)| *shape);
        if common.is_some_and(|common| common != shape && common != Shape::Unknown) && shape != Shape::Unknown {
            self.findings.add(&MIXED_SHAPES, || Hit {
                rule: &MIXED_SHAPES,
                place: Place { uri: file.uri.clone(), line: Some(line), column: Some(1), field: "record".into() },
                shown: Text::new(shape.word()),
                digest: Text::default(),
            });
        }
        *file.shapes.entry(shape).or_default() += 1;
    }

    /// A private key whose lines are lines of the file: the header alone is documentation, a body behind it is not.
    fn key(&mut self, file: &mut File, line: u64, key: KeyLine) {
        if let Some(header) = file.key_header.take().filter(|header| key.body && line == header + 1) {
            self.findings.add(&PRIVATE_KEY, || Hit {
                rule: &PRIVATE_KEY,
                place: Place { uri: file.uri.clone(), line: Some(header), column: Some(1), field: Text::default() },
                shown: "a PEM block over several lines".into(),
                digest: Text::default(),
            });
        }
        if key.header {
            file.key_header = Some(line);
        }
    }

    fn again(&mut self, file: &File, line: u64, again: Option<Again>) {
        let (rule, first) = match again {
            Some(Again::Record(first)) => (&REPEATED_RECORD, first),
            Some(Again::Question(first)) => (&CONFLICTING_ANSWER, first),
            None => return,
        };
        let uris = &self.uris;
        self.findings.list(rule, || {
            let shown = match uris.get(first.file as usize) {
                Some(uri) if first.file != file.number => format!("as line {} of {uri}", first.line()),
                _ => format!("as line {}", first.line()),
            };
            Hit {
                rule,
                place: Place { uri: file.uri.clone(), line: Some(line), column: None, field: Text::default() },
                shown: Text::new(shown),
                digest: Text::default(),
            }
        });
    }

    /// What came again, and what of it is found.
    pub(super) fn repetition(&mut self) -> Repetition {
        let (deciding, approximate) = self.repeats.deciding();
        for phrase in &deciding {
            let uri = self.uris.get(phrase.first.file as usize).cloned().unwrap_or_default();
            let place = match (phrase.end, phrase.words) {
                (true, words) => format!("the last {words} words"),
                (false, 1) => "a word".to_owned(),
                (false, words) => format!("the first {words} words"),
            };
            let shown = format!(
                "{place}, of the shape '{}', stand in {} questions; {} of them have the same answer, which {} records have in all",
                phrase.shape, phrase.count, phrase.agree, phrase.base
            );
            self.findings.add(&TRIGGER, || Hit {
                rule: &TRIGGER,
                place: Place { uri, line: Some(phrase.first.line()), column: None, field: Text::default() },
                shown: Text::new(shown),
                digest: Text::default(),
            });
        }
        let repetition = Repetition {
            records: self.repeats.repeated(),
            conflicts: self.repeats.conflicts(),
            triggers: Count { count: deciding.len() as u64, approximate },
        };
        for (rule, count) in [(&REPEATED_RECORD, repetition.records), (&CONFLICTING_ANSWER, repetition.conflicts)] {
            if count.count > 0 {
                self.findings.count(rule, count.count);
            }
        }
        repetition
    }
}
