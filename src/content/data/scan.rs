//! Scans files of training data one after the other. Memory does not grow with them: a line, the hits that are
//! kept, and the tables of [`super::repeats`].

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::lines::Lines;
use super::record::{self, Field, Part, Record, Shape, TextAt};
use super::repeats::{Again, At, Caps, Repeats};
use super::report::{FileReport, Repetition, Report};
use crate::base::Text;
use crate::content::find::Finder;
use crate::content::hit::{Findings, Hit, Place};
use crate::content::inflate::{GZIP, Gunzip};
use crate::content::mask::Masks;
use crate::content::opinion::Samples;
use crate::content::rules::{
    BLANK_LINE, BYTE_ORDER_MARK, CONFLICTING_ANSWER, JSON_BROKEN, LINE_TOO_LONG, MIXED_SHAPES, NOT_UTF8, PRIVATE_KEY,
    REPEATED_RECORD, Rule, TRIGGER,
};

/// How to scan.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// A longer line is no record; it is searched in parts.
    pub max_line: usize,
    /// Hits of one rule that are kept in full.
    pub keep: usize,
    /// Stop reading a file after so many bytes as they come out of it.
    pub max_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_line: 4 << 20, keep: crate::content::hit::KEEP, max_bytes: u64::MAX }
    }
}

/// Scans.
pub struct Scanner {
    options: Options,
    finder: Finder,
    comparable: bool,
    findings: Findings,
    repeats: Repeats,
    files: Vec<FileReport>,
    uris: Vec<Text>,
    cut: bool,
    /// The line where a private key may have begun.
    key_header: Option<u64>,
    scratch: String,
    question: String,
    /// Texts that are kept for a second opinion.
    samples: Option<Samples>,
}

/// Tells what a file holds by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    /// One JSON object a line.
    Jsonl,
    /// Text.
    Plain,
    /// Neither: the first byte decides.
    Open,
}

impl Suffix {
    /// Of a path or URI; `.gz` is looked through.
    pub fn of(uri: &str) -> Self {
        let name = uri.strip_suffix(".gz").unwrap_or(uri);
        match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" | "manifest" => Self::Jsonl,
            "txt" | "md" | "csv" | "tsv" | "text" => Self::Plain,
            _ => Self::Open,
        }
    }
}

/// Where in a file the scan is.
struct Here {
    number: u32,
    uri: Text,
    line: u64,
}

impl Scanner {
    /// With nothing seen yet.
    pub fn new(options: Options, masks: Masks) -> Self {
        Self {
            options,
            comparable: !masks.is_random(),
            finder: Finder::new(masks),
            findings: Findings::keeping(options.keep),
            repeats: Repeats::new(Caps::default()),
            files: Vec::new(),
            uris: Vec::new(),
            cut: false,
            key_header: None,
            scratch: String::new(),
            question: String::new(),
            samples: None,
        }
    }

    /// Keeps texts for a second opinion, as far as there is room.
    #[must_use]
    pub fn sampling(self, samples: Option<Samples>) -> Self {
        Self { samples, ..self }
    }

    /// Scans one file. What could not be read is in its report. `progress` hears how many bytes were read.
    pub fn file(&mut self, uri: &str, mut input: impl Read, progress: &mut dyn FnMut(u64)) {
        let mut report = FileReport {
            uri: Text::new(uri),
            bytes: 0,
            lines: 0,
            records: 0,
            shapes: BTreeMap::new(),
            gzip: false,
            stopped: None,
        };
        self.uris.push(report.uri.clone());
        self.key_header = None;
        let mut head = [0; 2];
        let outcome = first(&mut input, &mut head).and_then(|count| {
            let input = io::Cursor::new(head[..count].to_vec()).chain(input);
            report.gzip = head == GZIP;
            if report.gzip {
                self.lines(uri, Gunzip::new(input), &mut report, progress)
            } else {
                self.lines(uri, input, &mut report, progress)
            }
        });
        if let Err(error) = outcome {
            report.stopped = Some(Text::new(format!("reading stopped after line {}: {error}", report.lines)));
        }
        self.files.push(report);
    }

    /// A file that could not be opened.
    pub fn unreadable(&mut self, uri: &str, why: &str) {
        self.uris.push(Text::new(uri));
        self.files.push(FileReport {
            uri: Text::new(uri),
            bytes: 0,
            lines: 0,
            records: 0,
            shapes: BTreeMap::new(),
            gzip: false,
            stopped: Some(Text::new(why)),
        });
    }

    fn lines(
        &mut self,
        uri: &str,
        input: impl Read,
        report: &mut FileReport,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let mut suffix = Suffix::of(uri);
        let mut here = Here { number: self.uris.len() as u32 - 1, uri: report.uri.clone(), line: 0 };
        let mut lines = Lines::new(input, self.options.max_line);
        let (mut told, mut blanks, mut new_line) = (0, 0u64, true);
        loop {
            let read = lines.read;
            report.bytes = read;
            if read - told >= 8 << 20 {
                told = read;
                progress(read);
            }
            let Some(line) = lines.next()? else { break };
            here.line += u64::from(new_line);
            report.lines = here.line;
            new_line = line.last;
            let mut bytes = line.bytes;
            if here.line == 1 && line.offset == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
                bytes = &bytes[3..];
                self.problem(
                    &BYTE_ORDER_MARK,
                    &here,
                    0,
                    Field::new("file", &[]),
                    "three bytes before the first record",
                );
            }
            if bytes.trim_ascii().is_empty() && !line.part {
                blanks += 1;
                continue;
            }
            if suffix == Suffix::Open {
                let json = bytes.trim_ascii_start().first() == Some(&b'{');
                suffix = if json { Suffix::Jsonl } else { Suffix::Plain };
            }
            if blanks > 0 && suffix == Suffix::Jsonl {
                self.problem(&BLANK_LINE, &here, 0, Field::new("line", &[]), "blank lines stand before this one");
            }
            blanks = 0;
            if line.part {
                if line.offset == 0 && suffix == Suffix::Jsonl {
                    self.problem(&LINE_TOO_LONG, &here, 0, Field::new("line", &[]), "longer than a record may be");
                }
                report.records += u64::from(line.last);
                let again = line.again;
                self.raw(&here, bytes, line.offset, again);
            } else {
                report.records += 1;
                self.line(&here, bytes, suffix, report);
            }
            if lines.read > self.options.max_bytes {
                let limit = self.options.max_bytes;
                report.stopped = Some(Text::new(format!("reading stopped at the limit of {limit} bytes")));
                break;
            }
        }
        report.bytes = lines.read;
        progress(lines.read);
        Ok(())
    }

    fn line(&mut self, here: &Here, bytes: &[u8], suffix: Suffix, report: &mut FileReport) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                if suffix == Suffix::Jsonl {
                    *report.shapes.entry(Shape::Unknown).or_default() += 1;
                }
                self.problem(&NOT_UTF8, here, error.valid_up_to(), Field::new("line", &[]), "bytes that are no UTF-8");
                return self.raw(here, bytes, 0, 0);
            }
        };
        if suffix == Suffix::Plain {
            *report.shapes.entry(Shape::Text).or_default() += 1;
            self.search(here, text, Field::new("", &[]), &|at| at);
            self.key_over_lines(here, text);
            // why a length: `}` and `Yes.` come again in every text.
            if text.trim_ascii().len() >= 40 {
                let hash = self.repeats.side([text].into_iter());
                let again = self.repeats.see(hash, 0, "", At::new(here.number, here.line));
                self.again(here, again);
            }
            return;
        }
        match record::read(text) {
            Ok(record) => self.record(here, &record, report),
            Err(broken) => {
                *report.shapes.entry(Shape::Unknown).or_default() += 1;
                self.problem(&JSON_BROKEN, here, broken.at, Field::new("line", &[]), broken.what);
                self.search(here, text, Field::new("line", &[]), &|at| at);
                self.key_over_lines(here, text);
            }
        }
    }

    fn record(&mut self, here: &Here, record: &Record<'_>, report: &mut FileReport) {
        for problem in &record.problems {
            self.problem(problem.rule, here, problem.at, problem.field, problem.what);
        }
        let common = report.shapes.iter().max_by_key(|(_, count)| **count).map(|(shape, _)| *shape);
        if common.is_some_and(|common| common != record.shape && common != Shape::Unknown)
            && record.shape != Shape::Unknown
        {
            self.problem(&MIXED_SHAPES, here, 0, Field::new("record", &[]), record.shape.word());
        }
        *report.shapes.entry(record.shape).or_default() += 1;
        let (mut scratch, mut question) = (std::mem::take(&mut self.scratch), std::mem::take(&mut self.question));
        for text in &record.texts {
            // why apart: what was asked last is looked at once more below.
            let decoded = text.piece.text(if text.part == Part::Ask { &mut question } else { &mut scratch });
            self.search(here, decoded, text.field, &|at| text.piece.origin(at));
        }
        let last = record.texts.iter().rfind(|text| text.part == Part::Ask).map(|text| text.piece);
        let asked = last.map_or("", |piece| if piece.escaped { &question } else { piece.raw });
        self.repetition(here, &record.texts, asked);
        (self.scratch, self.question) = (scratch, question);
    }

    /// `last` is the last thing that was asked: there a trigger decides.
    fn repetition(&mut self, here: &Here, texts: &[TextAt<'_>], last: &str) {
        let side = |part: Part| texts.iter().filter(move |text| text.part == part);
        let (asked, answered) = (side(Part::Ask).next().is_some(), side(Part::Answer).next().is_some());
        if !asked && !answered {
            return;
        }
        let ask = self.repeats.side(side(Part::Ask).map(|text| text.piece.raw));
        let answer = self.repeats.side(side(Part::Answer).map(|text| text.piece.raw));
        // Without an answer there is nothing to decide.
        let last = if answered { last } else { "" };
        let at = At::new(here.number, here.line);
        // Captions have no question: two of them are not two answers to one.
        let again = if asked { self.repeats.see(ask, answer, last, at) } else { self.repeats.see(answer, 0, "", at) };
        self.again(here, again);
    }

    fn again(&mut self, here: &Here, again: Option<Again>) {
        let (rule, first) = match again {
            Some(Again::Record(first)) => (&REPEATED_RECORD, first),
            Some(Again::Question(first)) => (&CONFLICTING_ANSWER, first),
            None => return,
        };
        let shown = self.as_in(first, here.number);
        self.findings.list(rule, || Hit {
            rule,
            place: Place { uri: here.uri.clone(), line: Some(here.line), column: None, field: Text::default() },
            shown: Text::new(shown),
            digest: Text::default(),
        });
    }

    fn as_in(&self, at: At, file: u32) -> String {
        match self.uris.get(at.file as usize) {
            Some(uri) if at.file != file => format!("as line {} of {uri}", at.line()),
            _ => format!("as line {}", at.line()),
        }
    }

    /// A private key whose lines are lines of the file: the header alone is documentation, a body behind it is not.
    fn key_over_lines(&mut self, here: &Here, text: &str) {
        let text = text.trim_ascii();
        let body =
            text.len() >= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
        if let Some(line) = self.key_header.take().filter(|line| body && here.line == line + 1) {
            self.findings.add(&PRIVATE_KEY, || Hit {
                rule: &PRIVATE_KEY,
                place: Place { uri: here.uri.clone(), line: Some(line), column: Some(1), field: Text::default() },
                shown: "a PEM block over several lines".into(),
                digest: Text::default(),
            });
        }
        if text.contains("-----BEGIN ") && text.ends_with("PRIVATE KEY-----") {
            self.key_header = Some(here.line);
        }
    }

    /// Searches bytes that are no text, or a part of a line.
    fn raw(&mut self, here: &Here, bytes: &[u8], offset: u64, again: usize) {
        let text = String::from_utf8_lossy(bytes);
        let lossless = matches!(text, std::borrow::Cow::Borrowed(_));
        let found = self.finder.find(&text);
        for hit in found {
            // What ends inside the overlap was found in the part before.
            if lossless && again > 0 && hit.range.end <= again {
                continue;
            }
            let column = lossless.then_some(offset + hit.range.start as u64 + 1);
            self.findings.add(hit.rule, || Hit {
                rule: hit.rule,
                place: Place { uri: here.uri.clone(), line: Some(here.line), column, field: "line".into() },
                shown: Text::new(&hit.shown),
                digest: Text::new(&hit.digest),
            });
        }
        self.cut |= self.finder.is_cut();
    }

    fn search(&mut self, here: &Here, text: &str, field: Field, origin: &dyn Fn(usize) -> usize) {
        if let Some(samples) = &mut self.samples {
            samples.take(&here.uri, here.line, field, text);
        }
        for hit in self.finder.find(text) {
            self.findings.add(hit.rule, || Hit {
                rule: hit.rule,
                place: Place {
                    uri: here.uri.clone(),
                    line: Some(here.line),
                    column: Some(origin(hit.range.start) as u64 + 1),
                    field: Text::new(field.to_string()),
                },
                shown: Text::new(&hit.shown),
                digest: Text::new(&hit.digest),
            });
        }
        self.cut |= self.finder.is_cut();
    }

    fn problem(&mut self, rule: &'static Rule, here: &Here, at: usize, field: Field, what: &str) {
        self.findings.add(rule, || Hit {
            rule,
            place: Place {
                uri: here.uri.clone(),
                line: Some(here.line),
                column: Some(at as u64 + 1),
                field: Text::new(field.to_string()),
            },
            shown: Text::new(what),
            digest: Text::default(),
        });
    }

    /// What was found.
    pub fn finish(mut self) -> Report {
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
            triggers: super::repeats::Count { count: deciding.len() as u64, approximate },
        };
        for (rule, count) in [(&REPEATED_RECORD, repetition.records), (&CONFLICTING_ANSWER, repetition.conflicts)] {
            if count.count > 0 {
                self.findings.count(rule, count.count);
            }
        }
        Report {
            files: self.files,
            findings: self.findings,
            repetition,
            cut: self.cut,
            comparable: self.comparable,
            samples: self.samples,
            opinion: None,
        }
    }
}

/// The first two bytes, or fewer.
fn first(input: &mut impl Read, head: &mut [u8; 2]) -> io::Result<usize> {
    let mut count = 0;
    while count < head.len() {
        match input.read(&mut head[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
