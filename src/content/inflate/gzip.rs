//! gzip (RFC 1952) around DEFLATE: members one after the other, each with its checksum.

use std::io::{self, Read};

use super::{Inflate, Stop};

/// The first bytes of a gzip file.
pub const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A gzip file, of one member or many.
#[derive(Debug)]
pub struct Gunzip<R> {
    inflate: Inflate<R>,
    begun: bool,
    ended: bool,
    crc: u32,
    size: u32,
}

impl<R: Read> Gunzip<R> {
    /// Unpacks `input`.
    pub fn new(input: R) -> Self {
        Self { inflate: Inflate::new(input), begun: false, ended: false, crc: !0, size: 0 }
    }

    fn next(&mut self) -> io::Result<u8> {
        self.inflate.after()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Whether another member begins.
    fn member(&mut self) -> io::Result<bool> {
        match self.inflate.after()? {
            None if self.begun => return Ok(false),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(first) if first == GZIP[0] => {}
            // Blocks of tape: zeros after the last member (gzip(1)).
            Some(0) if self.begun => return Ok(false),
            Some(_) => return Err(Stop::Broken("no gzip header").into()),
        }
        if self.next()? != GZIP[1] || self.next()? != 8 {
            return Err(Stop::Broken("no gzip header").into());
        }
        let flags = self.next()?;
        for _ in 0..6 {
            self.next()?;
        }
        if flags & 4 != 0 {
            let length = usize::from(self.next()?) | usize::from(self.next()?) << 8;
            for _ in 0..length {
                self.next()?;
            }
        }
        for flag in [8, 16] {
            while flags & flag != 0 && self.next()? != 0 {}
        }
        if flags & 2 != 0 {
            self.next()?;
            self.next()?;
        }
        self.inflate.again();
        (self.begun, self.crc, self.size) = (true, !0, 0);
        Ok(true)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let mut words = [0u32; 2];
        for word in &mut words {
            for shift in [0, 8, 16, 24] {
                *word |= u32::from(self.next()?) << shift;
            }
        }
        if words == [!self.crc, self.size] { Ok(()) } else { Err(Stop::Broken("the checksum does not fit").into()) }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || self.ended {
            return Ok(0);
        }
        if !self.begun {
            self.member()?;
        }
        loop {
            let count = self.inflate.read(into)?;
            if count > 0 {
                self.crc =
                    into[..count].iter().fold(self.crc, |crc, byte| CRC[usize::from((crc as u8) ^ byte)] ^ (crc >> 8));
                self.size = self.size.wrapping_add(count as u32);
                return Ok(count);
            }
            self.trailer()?;
            if !self.member()? {
                self.ended = true;
                return Ok(0);
            }
        }
    }
}

/// CRC-32 (RFC 1952, 8).
static CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut value, mut bit) = (byte as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};
