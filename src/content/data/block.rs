//! Cuts a file into blocks of lines, so that several can be looked at together. What only the order of lines tells
//! (their numbers, blanks, the mark before the first) is settled here.

use std::io::{self, Read};

use super::lines::{Line, Lines};
use super::look::Seen;
use super::scan::{Options, Suffix};
use crate::base::Text;

/// A block is full beyond so many bytes. why no more: what one thread reads should still be near when another looks.
const FULL: usize = 128 * 1024;
/// `progress` hears of each so many bytes.
const TOLD: u64 = 8 << 20;

/// Some lines, and what was seen in them.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    /// In their order.
    pub lines: Vec<Placed>,
    /// What the file holds.
    pub suffix: Suffix,
    /// Whether texts are wanted for a second opinion.
    pub sampled: bool,
    /// What was seen, when somebody looked.
    pub seen: Seen,
}

/// A line in a block, or a part of one that is too long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Placed {
    start: usize,
    end: usize,
    /// From 1.
    pub number: u64,
    /// Byte of the line where it begins.
    pub offset: u64,
    /// Whether it is a part.
    pub part: bool,
    /// How many of its bytes were in the part before.
    pub again: usize,
    /// Whether a byte order mark stood before it.
    pub marked: bool,
    /// Whether blank lines stand before it.
    pub after_blanks: bool,
}

impl Block {
    /// The bytes of a line.
    pub(super) fn bytes(&self, line: &Placed) -> &[u8] {
        &self.bytes[line.start..line.end]
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
        self.seen.clear();
    }

    fn push(&mut self, bytes: &[u8], line: Placed) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.lines.push(Placed { start, end: self.bytes.len(), ..line });
    }
}

/// Reads blocks of one file.
pub(super) struct Blocks<R> {
    lines: Lines<R>,
    suffix: Suffix,
    sampled: bool,
    max_bytes: u64,
    new_line: bool,
    blanks: bool,
    told: u64,
    failed: Option<io::Error>,
    /// The number of the last line.
    pub number: u64,
    /// Records, or lines of text.
    pub records: u64,
    /// Why it stopped before the end.
    pub stopped: Option<Text>,
}

impl<R: Read> Blocks<R> {
    /// Blocks of `input`; `sampled` if texts are wanted for a second opinion.
    pub(super) fn new(input: R, suffix: Suffix, options: &Options, sampled: bool) -> Self {
        Self {
            lines: Lines::new(input, options.max_line),
            suffix,
            sampled,
            max_bytes: options.max_bytes,
            new_line: true,
            blanks: false,
            told: 0,
            failed: None,
            number: 0,
            records: 0,
            stopped: None,
        }
    }

    /// Bytes that were read.
    pub(super) fn read(&self) -> u64 {
        self.lines.read
    }

    /// The next block, in the memory of an old one; none at the end. An error comes after all that was read before it.
    pub(super) fn next(&mut self, old: Block, progress: &mut dyn FnMut(u64)) -> io::Result<Option<Block>> {
        let mut block = old;
        block.clear();
        while block.bytes.len() < FULL && self.stopped.is_none() && self.failed.is_none() {
            if self.lines.read - self.told >= TOLD {
                self.told = self.lines.read;
                progress(self.told);
            }
            match self.lines.next() {
                Ok(None) => break,
                Ok(Some(line)) => {
                    self.number += u64::from(self.new_line);
                    self.new_line = line.last;
                    let mut place = Place { number: self.number, suffix: &mut self.suffix, blanks: &mut self.blanks };
                    let Some(record) = place.put(&line, &mut block) else { continue };
                    self.records += u64::from(record);
                    if self.lines.read > self.max_bytes {
                        let limit = self.max_bytes;
                        self.stopped = Some(Text::new(format!("reading stopped at the limit of {limit} bytes")));
                    }
                }
                Err(error) => self.failed = Some(error),
            }
        }
        (block.suffix, block.sampled) = (self.suffix, self.sampled);
        match self.failed.take() {
            Some(error) if block.lines.is_empty() => Err(error),
            failed => {
                self.failed = failed;
                Ok((!block.lines.is_empty()).then_some(block))
            }
        }
    }
}

/// Where a line belongs.
struct Place<'a> {
    number: u64,
    suffix: &'a mut Suffix,
    /// Whether the lines before were blank.
    blanks: &'a mut bool,
}

impl Place<'_> {
    /// Puts a line into the block, unless it is blank. Whether it ends a record; none for a blank one.
    fn put(&mut self, line: &Line<'_>, block: &mut Block) -> Option<bool> {
        let mut placed = Placed {
            number: self.number,
            offset: line.offset,
            part: line.part,
            again: line.again,
            ..Placed::default()
        };
        let mut bytes = line.bytes;
        if self.number == 1
            && line.offset == 0
            && let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf")
        {
            (bytes, placed.marked) = (rest, true);
        }
        if bytes.trim_ascii().is_empty() && !line.part {
            *self.blanks = true;
            if placed.marked {
                block.push(b"", placed);
            }
            return None;
        }
        if *self.suffix == Suffix::Open {
            let json = bytes.trim_ascii_start().first() == Some(&b'{');
            *self.suffix = if json { Suffix::Jsonl } else { Suffix::Plain };
        }
        placed.after_blanks = std::mem::take(self.blanks);
        block.push(bytes, placed);
        Some(!line.part || line.last)
    }
}
