//! Scans files of training data one after the other. Memory does not grow with them: some blocks of lines, the hits that
//! are kept, and the tables of [`super::repeats`].

use std::io::{self, Read};

use super::block::Blocks;
use super::crew;
use super::keep::Kept;
use super::look::Looker;
use super::repeats::{Caps, Repeats};
use super::report::{FileReport, Report};
use crate::base::Text;
use crate::content::hit::Findings;
use crate::content::inflate::{GZIP, Gunzip};
use crate::content::mask::Masks;
use crate::content::opinion::Samples;

/// Lines that wait for the threads that look at them may take so many bytes in all.
const WAITING: usize = 128 << 20;

/// How to scan.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// A longer line is no record; it is searched in parts.
    pub max_line: usize,
    /// Hits of one rule that are kept in full.
    pub keep: usize,
    /// Stop reading a file after so many bytes as they come out of it.
    pub max_bytes: u64,
    /// At most so many threads look at lines, besides the one that reads them; with one, that one does all. Fewer where
    /// lines may be very long, so that memory stays bounded.
    pub threads: usize,
}

impl Options {
    /// How many threads look.
    fn crew(&self) -> usize {
        self.threads.min(WAITING / crew::AHEAD / self.max_line.max(1)).max(1)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { max_line: 4 << 20, keep: crate::content::hit::KEEP, max_bytes: u64::MAX, threads: 1 }
    }
}

/// Scans.
pub struct Scanner {
    options: Options,
    comparable: bool,
    lookers: Vec<Looker>,
    kept: Kept,
    files: Vec<FileReport>,
}

/// Tells what a file holds by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suffix {
    /// One JSON object a line.
    Jsonl,
    /// Text.
    Plain,
    /// Neither: the first byte decides.
    #[default]
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

impl Scanner {
    /// With nothing seen yet.
    pub fn new(options: Options, masks: Masks) -> Self {
        let kept = Kept {
            findings: Findings::keeping(options.keep),
            repeats: Repeats::new(Caps::default()),
            uris: Vec::new(),
            cut: false,
            samples: None,
        };
        let looker = || Looker::new(masks.clone(), kept.repeats.seed(), options.keep);
        Self {
            options,
            comparable: !masks.is_random(),
            lookers: (0..options.crew()).map(|_| looker()).collect(),
            kept,
            files: Vec::new(),
        }
    }

    /// Keeps texts for a second opinion, as far as there is room.
    #[must_use]
    pub fn sampling(mut self, samples: Option<Samples>) -> Self {
        self.kept.samples = samples;
        self
    }

    /// Scans one file. What could not be read is in its report. `progress` hears how many bytes were read.
    pub fn file(&mut self, uri: &str, mut input: impl Read, progress: &mut dyn FnMut(u64)) {
        let mut report = FileReport::of(uri);
        let mut head = [0; 2];
        let outcome = first(&mut input, &mut head).and_then(|count| {
            let input = io::Cursor::new(head[..count].to_vec()).chain(input);
            report.gzip = head == GZIP;
            if report.gzip {
                self.lines(Gunzip::new(input), &mut report, progress)
            } else {
                self.lines(input, &mut report, progress)
            }
        });
        if let Err(error) = outcome {
            report.stopped = Some(Text::new(format!("reading stopped after line {}: {error}", report.lines)));
        }
        self.files.push(report);
    }

    /// A file that could not be opened.
    pub fn unreadable(&mut self, uri: &str, why: &str) {
        self.files.push(FileReport { stopped: Some(Text::new(why)), ..FileReport::of(uri) });
    }

    fn lines(&mut self, input: impl Read, report: &mut FileReport, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        let mut blocks =
            Blocks::new(input, Suffix::of(report.uri.as_str()), &self.options, self.kept.samples.is_some());
        let (mut file, kept) = (self.kept.begin(&report.uri), &mut self.kept);
        let outcome =
            crew::each(&mut self.lookers, |old| blocks.next(old, progress), |block| kept.take(&mut file, block));
        (report.bytes, report.lines, report.records) = (blocks.read(), blocks.number, blocks.records);
        (report.shapes, report.stopped) = (file.shapes, blocks.stopped);
        outcome?;
        progress(report.bytes);
        Ok(())
    }

    /// What was found.
    pub fn finish(mut self) -> Report {
        let repetition = self.kept.repetition();
        Report {
            files: self.files,
            findings: self.kept.findings,
            repetition,
            cut: self.kept.cut,
            comparable: self.comparable,
            samples: self.kept.samples,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_not_looked_at_by_many() {
        let crew = |threads, max_line| Options { max_line, threads, ..Options::default() }.crew();
        let default = Options::default().max_line;
        assert_eq!([crew(0, default), crew(1, default), crew(4, default), crew(64, default)], [1, 1, 4, 16]);
        assert_eq!([crew(8, 256 << 20), crew(8, 4096), crew(8, 0)], [1, 8, 8]);
    }
}
