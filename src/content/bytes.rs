//! Where bytes come from: a file, an object in a bucket, a part of either. Read by range, so that the header of
//! a file of ten gigabytes costs no more than that of a small one.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Bytes that are read by range. An implementation for S3 sends one ranged `GetObject` a call.
pub trait ByteSource {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Reads from `offset`; how many bytes came. Zero at the end and beyond.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// A file of this machine.
#[derive(Debug)]
pub struct LocalFile {
    // why a lock: positions are per file, and only Unix reads without moving them.
    file: Mutex<File>,
    size: u64,
}

impl LocalFile {
    /// Opens a regular file; a pipe or a device has no ranges.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { file: Mutex::new(file), size: metadata.len() })
    }
}

impl ByteSource for LocalFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read(into)
    }
}

impl ByteSource for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let rest = &self[from..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl<S: ByteSource + ?Sized> ByteSource for &S {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }
}

/// Reads exactly `length` bytes from `offset`; `UnexpectedEof` if there are fewer.
pub fn exactly(source: &dyn ByteSource, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let count = source.read_at(offset + filled as u64, &mut bytes[filled..])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += count;
    }
    Ok(bytes)
}

/// Reads at most `length` bytes from `offset`.
pub fn up_to(source: &dyn ByteSource, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let there = source.size().saturating_sub(offset);
    let length = usize::try_from(there).unwrap_or(usize::MAX).min(length);
    exactly(source, offset, length)
}

/// A source read from front to end, or a part of it.
pub struct Stream<'a> {
    source: &'a dyn ByteSource,
    at: u64,
    end: u64,
}

impl<'a> Stream<'a> {
    /// The whole.
    pub fn new(source: &'a dyn ByteSource) -> Self {
        Self { source, at: 0, end: source.size() }
    }

    /// `length` bytes from `offset`, or what there is of them.
    pub fn part(source: &'a dyn ByteSource, offset: u64, length: u64) -> Self {
        Self { source, at: offset, end: offset.saturating_add(length).min(source.size()) }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = into.len().min(left);
        let count = if length == 0 { 0 } else { self.source.read_at(self.at, &mut into[..length])? };
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_where_the_source_ends() {
        let source: &[u8] = b"0123456789";
        assert_eq!(exactly(&source, 3, 4).unwrap(), b"3456");
        assert_eq!(exactly(&source, 8, 3).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(up_to(&source, 8, 30).unwrap(), b"89");
        assert_eq!(up_to(&source, 80, 30).unwrap(), b"");
        let mut text = String::new();
        Stream::part(&source, 7, 100).read_to_string(&mut text).unwrap();
        assert_eq!(text, "789");
    }

    #[test]
    fn a_file_is_read_by_range_and_a_folder_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "abcdef").unwrap();
        let file = LocalFile::open(&path).unwrap();
        assert_eq!((file.size(), exactly(&file, 2, 2).unwrap()), (6, b"cd".to_vec()));
        assert!(LocalFile::open(folder.path()).is_err());
    }
}
