//! DEFLATE (RFC 1951) and gzip (RFC 1952), streaming: 32 KiB of window and one buffer, whatever the input claims.
//! What comes out is limited, in all and in relation to what went in: an archive bomb ends in an error.
//!
//! why not a crate: none is linked, and data from strangers is unpacked only here.

mod gzip;

use std::io::{self, Read};

pub use gzip::{GZIP, Gunzip};

const WINDOW: usize = 32 * 1024;
const CHUNK: usize = 64 * 1024;
const FAST: u32 = 10;

/// Text may well shrink to a two-hundredth; beyond that, after this much output, it is a bomb.
const FREE: u64 = 256 << 20;
const RATIO: u64 = 400;

/// How much may come out in all unless told otherwise: one tebibyte, more than any job takes.
const MOST: u64 = 1 << 40;

/// Why unpacking stopped: `io::Error`s made of this tell a bomb from a broken stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Not DEFLATE, or damaged.
    #[error("the compressed data is broken: {0}")]
    Broken(&'static str),
    /// More comes out than is allowed.
    #[error("the compressed data unpacks to more than is allowed")]
    Bomb,
}

impl Stop {
    /// The stop behind an error, if it is one.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }
}

impl From<Stop> for io::Error {
    fn from(stop: Stop) -> Self {
        Self::new(io::ErrorKind::InvalidData, stop)
    }
}

/// Canonical Huffman codes.
#[derive(Debug)]
struct Codes {
    fast: Vec<u16>,
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl Codes {
    fn new(lengths: &[u8]) -> Result<Self, Stop> {
        let mut counts = [0u16; 16];
        for length in lengths {
            counts[usize::from(*length & 15)] += 1;
        }
        counts[0] = 0;
        let mut left = 1i32;
        for count in &counts[1..] {
            left = (left << 1) - i32::from(*count);
            if left < 0 {
                return Err(Stop::Broken("a code has too many words"));
            }
        }
        let (mut offsets, mut codes) = ([0u16; 16], [0u16; 16]);
        for length in 1..15 {
            offsets[length + 1] = offsets[length] + counts[length];
            codes[length + 1] = (codes[length] + counts[length]) << 1;
        }
        let mut symbols = vec![0u16; lengths.len()];
        let mut fast = vec![0u16; 1 << FAST];
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let place = usize::from(*length);
            symbols[usize::from(offsets[place])] = symbol as u16;
            offsets[place] += 1;
            let code = codes[place];
            codes[place] += 1;
            if u32::from(*length) <= FAST {
                // The stream gives codes bit by bit from the top, everything else from the bottom.
                let reversed = usize::from(code.reverse_bits() >> (16 - length));
                for entry in (reversed..1 << FAST).step_by(1 << length) {
                    fast[entry] = (symbol as u16) << 4 | u16::from(*length);
                }
            }
        }
        Ok(Self { fast, counts, symbols })
    }
}

#[derive(Debug)]
enum Block {
    Header,
    Stored(usize),
    Coded(Box<(Codes, Codes)>),
    Done,
}

/// A DEFLATE stream that is read as what it holds.
#[derive(Debug)]
pub struct Inflate<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    full: usize,
    bits: u64,
    count: u32,
    block: Block,
    last: bool,
    out: Vec<u8>,
    given: usize,
    taken_in: u64,
    put_out: u64,
    most: u64,
}

static LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
static DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];
static ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl<R: Read> Inflate<R> {
    /// Unpacks `input`.
    pub fn new(input: R) -> Self {
        Self::at_most(input, MOST)
    }

    /// Unpacks `input`, no more than `most` bytes.
    pub fn at_most(input: R, most: u64) -> Self {
        Self {
            input,
            buffer: vec![0; CHUNK],
            at: 0,
            full: 0,
            bits: 0,
            count: 0,
            block: Block::Header,
            last: false,
            out: Vec::with_capacity(WINDOW + CHUNK + 512),
            given: 0,
            taken_in: 0,
            put_out: 0,
            most,
        }
    }

    /// One byte of input; none at its end.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.full {
            self.full = loop {
                match self.input.read(&mut self.buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
            self.at = 0;
            if self.full == 0 {
                return Ok(None);
            }
        }
        self.at += 1;
        self.taken_in += 1;
        Ok(Some(self.buffer[self.at - 1]))
    }

    /// As many bits as can be had, up to at least `wanted`.
    fn fill(&mut self, wanted: u32) -> io::Result<()> {
        while self.count < wanted {
            let Some(byte) = self.byte()? else { return Ok(()) };
            self.bits |= u64::from(byte) << self.count;
            self.count += 8;
        }
        Ok(())
    }

    fn take(&mut self, wanted: u32) -> io::Result<usize> {
        self.fill(wanted)?;
        if self.count < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let value = self.bits & ((1 << wanted) - 1);
        self.bits >>= wanted;
        self.count -= wanted;
        Ok(value as usize)
    }

    fn symbol(&mut self, codes: &Codes) -> io::Result<usize> {
        self.fill(15)?;
        let entry = codes.fast[(self.bits & ((1 << FAST) - 1)) as usize];
        let length = u32::from(entry & 15);
        if length > 0 && length <= self.count {
            self.bits >>= length;
            self.count -= length;
            return Ok(usize::from(entry >> 4));
        }
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for length in 1..16 {
            if self.count < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            code |= (self.bits >> (length - 1) & 1) as i32;
            let count = i32::from(codes.counts[length as usize]);
            if code - count < first {
                self.bits >>= length;
                self.count -= length;
                return Ok(usize::from(codes.symbols[(index + code - first) as usize]));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(Stop::Broken("a word of no code").into())
    }

    fn header(&mut self) -> io::Result<()> {
        if self.last {
            self.block = Block::Done;
            return Ok(());
        }
        self.last = self.take(1)? == 1;
        self.block = match self.take(2)? {
            0 => {
                let spare = self.count % 8;
                self.take(spare)?;
                let length = self.take(16)?;
                if self.take(16)? != length ^ 0xffff {
                    return Err(Stop::Broken("the length of a stored block").into());
                }
                Block::Stored(length)
            }
            1 => {
                let lengths: Vec<u8> = (0..288)
                    .map(|symbol| match symbol {
                        144..=255 => 9,
                        256..=279 => 7,
                        _ => 8,
                    })
                    .collect();
                Block::Coded(Box::new((Codes::new(&lengths)?, Codes::new(&[5; 30])?)))
            }
            2 => self.dynamic()?,
            _ => return Err(Stop::Broken("an unknown kind of block").into()),
        };
        Ok(())
    }

    fn dynamic(&mut self) -> io::Result<Block> {
        let (literals, distances) = (self.take(5)? + 257, self.take(5)? + 1);
        let words = self.take(4)? + 4;
        if literals > 286 || distances > 30 {
            return Err(Stop::Broken("too many codes").into());
        }
        let mut lengths = [0u8; 19];
        for place in &ORDER[..words] {
            lengths[*place] = self.take(3)? as u8;
        }
        let codes = Codes::new(&lengths)?;
        let mut all = Vec::with_capacity(320);
        while all.len() < literals + distances {
            let (value, times) = match self.symbol(&codes)? {
                16 => {
                    let Some(before) = all.last().copied() else {
                        return Err(Stop::Broken("nothing to repeat").into());
                    };
                    (before, 3 + self.take(2)?)
                }
                17 => (0, 3 + self.take(3)?),
                18 => (0, 11 + self.take(7)?),
                length => (length as u8, 1),
            };
            all.extend(std::iter::repeat_n(value, times));
        }
        if all.len() > literals + distances || all[256] == 0 {
            return Err(Stop::Broken("the lengths of the codes").into());
        }
        Ok(Block::Coded(Box::new((Codes::new(&all[..literals])?, Codes::new(&all[literals..])?))))
    }

    /// Unpacks until there is something to give, or the end.
    fn produce(&mut self) -> io::Result<()> {
        if self.out.len() > WINDOW {
            let cut = self.out.len() - WINDOW;
            self.out.drain(..cut);
        }
        self.given = self.out.len();
        let from = self.out.len();
        while self.out.len() == from
            || (self.out.len() < WINDOW + CHUNK && !matches!(self.block, Block::Header | Block::Done))
        {
            match std::mem::replace(&mut self.block, Block::Done) {
                Block::Header => self.header()?,
                Block::Stored(left) => self.block = self.stored(left)?,
                Block::Coded(codes) => {
                    let ended = self.coded(&codes)?;
                    self.block = if ended { Block::Header } else { Block::Coded(codes) };
                }
                Block::Done => break,
            }
        }
        self.put_out += (self.out.len() - from) as u64;
        let bomb = self.put_out > FREE && self.put_out / RATIO > self.taken_in;
        if bomb || self.put_out > self.most { Err(Stop::Bomb.into()) } else { Ok(()) }
    }

    fn stored(&mut self, mut left: usize) -> io::Result<Block> {
        while left > 0 && self.out.len() < WINDOW + CHUNK {
            let byte = self.take(8)? as u8;
            self.out.push(byte);
            left -= 1;
        }
        Ok(if left == 0 { Block::Header } else { Block::Stored(left) })
    }

    /// Whether the block has ended.
    fn coded(&mut self, codes: &(Codes, Codes)) -> io::Result<bool> {
        while self.out.len() < WINDOW + CHUNK {
            match self.symbol(&codes.0)? {
                literal @ 0..=255 => self.out.push(literal as u8),
                256 => return Ok(true),
                symbol => {
                    let Some((base, extra)) = LENGTHS.get(symbol - 257).copied() else {
                        return Err(Stop::Broken("an unknown length").into());
                    };
                    let length = usize::from(base) + self.take(u32::from(extra))?;
                    let Some((base, extra)) = DISTANCES.get(self.symbol(&codes.1)?).copied() else {
                        return Err(Stop::Broken("an unknown distance").into());
                    };
                    let distance = usize::from(base) + self.take(u32::from(extra))?;
                    let Some(start) = self.out.len().checked_sub(distance) else {
                        return Err(Stop::Broken("a distance before the beginning").into());
                    };
                    if distance >= length {
                        self.out.extend_from_within(start..start + length);
                    } else {
                        for at in start..start + length {
                            self.out.push(self.out[at]);
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    /// The next byte of input after the end of the stream, whole bytes only.
    fn after(&mut self) -> io::Result<Option<u8>> {
        let spare = self.count % 8;
        self.take(spare)?;
        if self.count >= 8 { self.take(8).map(|byte| Some(byte as u8)) } else { self.byte() }
    }

    /// Begins another stream in the same input.
    fn again(&mut self) {
        (self.block, self.last) = (Block::Header, false);
        self.out.clear();
        self.given = 0;
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if self.given == self.out.len() {
            self.produce()?;
        }
        let count = into.len().min(self.out.len() - self.given);
        into[..count].copy_from_slice(&self.out[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
