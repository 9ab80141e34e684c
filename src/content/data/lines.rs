//! Lines of a stream with bounded memory: one that is too long comes in parts that overlap.

use std::io::{self, Read};

// why no more: what was read should still be near when it is looked at.
const CHUNK: usize = 64 * 1024;
/// How much of a part is seen again in the next one, so that nothing is torn apart at the seam.
const OVERLAP: usize = 1024;

/// A line, or a part of one that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Without its end.
    pub bytes: &'a [u8],
    /// Byte of the line where this part begins; 0 for a whole line.
    pub offset: u64,
    /// Whether this is a part of a line that is too long.
    pub part: bool,
    /// Whether the next is another line.
    pub last: bool,
    /// How many bytes of this were in the part before as well.
    pub again: usize,
}

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Up to here no line end was found.
    searched: usize,
    max: usize,
    offset: u64,
    again: usize,
    ended: bool,
    /// Bytes read in all.
    pub read: u64,
}

impl<R: Read> Lines<R> {
    /// Lines of `input`, in parts beyond `max` bytes.
    pub(super) fn new(input: R, max: usize) -> Self {
        let max = max.max(OVERLAP * 2);
        Self {
            input,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            searched: 0,
            max,
            offset: 0,
            again: 0,
            ended: false,
            read: 0,
        }
    }

    /// The next line or part; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]).map(|n| self.searched + n) {
                return Ok(Some(self.give(at, at + 1, true)));
            }
            self.searched = self.end;
            if self.end - self.start >= self.max {
                let seam = seam(&self.buffer[self.start..self.end]);
                let stop = self.start + seam;
                let mut next = stop - OVERLAP;
                while next < stop && self.buffer[next] & 0xc0 == 0x80 {
                    next += 1;
                }
                return Ok(Some(self.give(stop, next, false)));
            }
            if self.ended {
                if self.start == self.end {
                    return Ok(None);
                }
                return Ok(Some(self.give(self.end, self.end, true)));
            }
            self.more()?;
        }
    }

    fn give(&mut self, stop: usize, next: usize, last: bool) -> Line<'_> {
        let (start, offset, again) = (self.start, self.offset, self.again);
        self.start = next;
        self.searched = if last { next } else { stop };
        self.offset = if last { 0 } else { offset + (next - start) as u64 };
        self.again = if last { 0 } else { stop - next };
        let bytes = &self.buffer[start..stop];
        let bytes = if last { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes };
        Line { bytes, offset, part: offset > 0 || !last, last, again }
    }

    fn more(&mut self) -> io::Result<()> {
        if self.start > 0 && self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.start..self.end, 0);
            self.searched -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        let count = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = count == 0;
        self.end += count;
        self.read += count as u64;
        Ok(())
    }

    /// How much memory the buffer takes.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

/// Where a part may end: at a character's end.
fn seam(bytes: &[u8]) -> usize {
    let back = bytes.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
    bytes.len() - if back == 0 && bytes.last().is_some_and(u8::is_ascii) { 0 } else { back + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(input: &[u8], max: usize) -> Vec<(String, u64, bool, bool)> {
        let mut lines = Lines::new(input, max);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((String::from_utf8_lossy(line.bytes).into_owned(), line.offset, line.part, line.last));
        }
        found
    }

    #[test]
    fn lines_end_as_they_do() {
        let found: Vec<_> = all(b"a\r\n\nb\n\nlast", 10_000).into_iter().map(|line| line.0).collect();
        assert_eq!(found, ["a", "", "b", "", "last"]);
        assert!(all(b"", 10_000).is_empty());
    }

    #[test]
    fn a_line_without_end_comes_in_parts_that_overlap() {
        let input = ["x".repeat(3_000_000), "short".into()].join("\n");
        let mut lines = Lines::new(input.as_bytes(), 4096);
        let mut sum = 0;
        let mut parts = 0;
        loop {
            let line = lines.next().unwrap().unwrap();
            assert!(line.part && line.bytes.len() <= 4096 + CHUNK);
            assert_eq!(line.offset, sum as u64 - line.again as u64);
            sum += line.bytes.len() - line.again;
            parts += 1;
            if line.last {
                break;
            }
        }
        assert!(sum == 3_000_000 && parts > 5, "{sum} bytes in {parts} parts");
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"short");
        assert!(lines.capacity() < 2 << 20, "{}", lines.capacity());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..5000)) {
            let mut lines = Lines::new(&input[..], 2048);
            let (mut found, mut one) = (Vec::new(), Vec::new());
            while let Some(line) = lines.next().unwrap() {
                one.extend_from_slice(&line.bytes[line.again..]);
                if line.last {
                    found.push(std::mem::take(&mut one));
                }
            }
            let mut wanted: Vec<Vec<u8>> =
                input.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect();
            if input.is_empty() || input.ends_with(b"\n") {
                wanted.pop();
            }
            prop_assert_eq!(found, wanted);
        }
    }
}
