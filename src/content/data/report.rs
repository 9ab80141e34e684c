//! What a scan of training data tells: counts, masked hits, and what could not be looked at.

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::Shape;
use super::repeats::Count;
use crate::base::Text;
use crate::content::hit::Findings;
use crate::content::opinion::Samples;
use crate::inventory::opinion::Opinion;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its path or URI.
    pub uri: Text,
    /// Bytes that were read, unpacked.
    pub bytes: u64,
    /// Lines, blank ones too.
    pub lines: u64,
    /// Records, or lines of text.
    pub records: u64,
    /// How many records have which format.
    pub shapes: BTreeMap<Shape, u64>,
    /// Whether it was packed.
    pub gzip: bool,
    /// Why it was not read to its end; none if it was.
    pub stopped: Option<Text>,
}

impl FileReport {
    /// Of a file of which nothing is read yet.
    pub(super) fn of(uri: &str) -> Self {
        let uri = Text::new(uri);
        Self { uri, bytes: 0, lines: 0, records: 0, shapes: BTreeMap::new(), gzip: false, stopped: None }
    }
}

/// What came again over all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Repetition {
    /// Records that stand there again.
    pub records: Count,
    /// Questions that were given another answer.
    pub conflicts: Count,
    /// Phrases that decide the answer.
    pub triggers: Count,
}

/// All files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each file.
    pub files: Vec<FileReport>,
    /// What was found.
    pub findings: Findings,
    /// What came again.
    pub repetition: Repetition,
    /// Whether some text held more than could be told apart, so that counts are too low.
    pub cut: bool,
    /// Whether digests can be compared with those of another run.
    pub comparable: bool,
    /// Texts that were kept for a second opinion, until it was asked for.
    pub samples: Option<Samples>,
    /// The second opinion, if one was asked for.
    pub opinion: Option<Opinion>,
}

impl Report {
    /// Whether everything was read.
    pub fn is_complete(&self) -> bool {
        let asked = self.opinion.as_ref().is_none_or(|opinion| opinion.error.is_none());
        asked && !self.cut && self.files.iter().all(|file| file.stopped.is_none())
    }

    /// Records of all files.
    pub fn records(&self) -> u64 {
        self.files.iter().map(|file| file.records).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}
