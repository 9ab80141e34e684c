//! ZIP archives (APPNOTE 6.3), read by range: the central directory, then members one at a time, unpacked within
//! bounds. Local and central headers that disagree are told: readers differ on which counts.

use std::io::{self, Read};

use super::Sink;
use crate::content::bytes::{ByteSource, Stream, exactly, up_to};
use crate::content::inflate::Inflate;
use crate::content::rules::{ARCHIVE_BOMB, ARCHIVE_BROKEN};

const MOST_MEMBERS: u64 = 65_536;
const LARGEST_DIRECTORY: u64 = 32 << 20;
/// A member is unpacked no further: pickles of models are small beside their tensors.
pub(super) const MOST_UNPACKED: u64 = 1 << 30;

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub name: String,
    method: u16,
    flags: u16,
    packed: u64,
    pub size: u64,
    header: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 2).map_or(0, |b| u64::from(b[0]) | u64::from(b[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

/// The members of an archive; what is wrong with it goes to the sink.
pub(super) fn members(source: &dyn ByteSource, sink: &mut Sink<'_>) -> io::Result<Vec<Member>> {
    let size = source.size();
    // The end record, and a comment of at most 65,535 bytes behind it.
    let tail_at = size.saturating_sub(65_557);
    let tail = up_to(source, tail_at, 65_557)?;
    let Some(end) = tail.windows(4).rposition(|window| window == b"PK\x05\x06").filter(|at| at + 22 <= tail.len())
    else {
        sink.add(&ARCHIVE_BROKEN, "", "there is no end of the central directory");
        return Ok(Vec::new());
    };
    if end + 22 + u16_at(&tail, end + 20) as usize != tail.len() {
        sink.add(&ARCHIVE_BROKEN, "", "bytes follow the end of the archive");
    }
    let (mut count, mut length, mut at) = (u16_at(&tail, end + 10), u32_at(&tail, end + 12), u32_at(&tail, end + 16));
    if (count == 0xffff || length == 0xffff_ffff || at == 0xffff_ffff)
        && end >= 20
        && tail[end - 20..end - 16] == *b"PK\x06\x07"
    {
        let record = u64_at(&tail, end - 12);
        let bytes = up_to(source, record, 56)?;
        if bytes.starts_with(b"PK\x06\x06") && bytes.len() == 56 {
            (count, length, at) = (u64_at(&bytes, 32), u64_at(&bytes, 40), u64_at(&bytes, 48));
        }
    }
    if at.checked_add(length).is_none_or(|stop| stop > size) {
        sink.add(&ARCHIVE_BROKEN, "", "the central directory lies outside the file");
        return Ok(Vec::new());
    }
    if count > MOST_MEMBERS || length > LARGEST_DIRECTORY {
        sink.add(&ARCHIVE_BOMB, "", format!("the archive claims {count} members"));
    }
    let directory = exactly(source, at, length.min(LARGEST_DIRECTORY) as usize)?;
    let mut members = Vec::new();
    let mut place = 0;
    while (members.len() as u64) < count.min(MOST_MEMBERS) {
        let Some(entry) = directory.get(place..).filter(|entry| entry.len() >= 46 && entry.starts_with(b"PK\x01\x02"))
        else {
            sink.add(&ARCHIVE_BROKEN, "", format!("the central directory breaks off after {} members", members.len()));
            break;
        };
        let (name, extra, comment) =
            (u16_at(entry, 28) as usize, u16_at(entry, 30) as usize, u16_at(entry, 32) as usize);
        let mut member = Member {
            name: String::from_utf8_lossy(entry.get(46..46 + name).unwrap_or_default()).into_owned(),
            flags: u16_at(entry, 8) as u16,
            method: u16_at(entry, 10) as u16,
            packed: u32_at(entry, 20),
            size: u32_at(entry, 24),
            header: u32_at(entry, 42),
        };
        zip64(&mut member, entry.get(46 + name..46 + name + extra).unwrap_or_default());
        members.push(member);
        place += 46 + name + extra + comment;
    }
    overlapping(&members, sink);
    Ok(members)
}

/// Sizes and places that do not fit 32 bits stand in an extra field, those only, in this order.
fn zip64(member: &mut Member, extra: &[u8]) {
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (id, length) = (u16_at(extra, at), u16_at(extra, at + 2) as usize);
        if id == 1 {
            let mut field = at + 4;
            for value in [&mut member.size, &mut member.packed, &mut member.header] {
                if *value == 0xffff_ffff && field + 8 <= (at + 4 + length).min(extra.len()) {
                    *value = u64_at(extra, field);
                    field += 8;
                }
            }
        }
        at += 4 + length;
    }
}

/// Members that share bytes are how a small archive claims to be a large one.
fn overlapping(members: &[Member], sink: &mut Sink<'_>) {
    let mut spans: Vec<(u64, u64)> = members.iter().map(|m| (m.header, m.header.saturating_add(m.packed))).collect();
    spans.sort_unstable();
    if spans.windows(2).any(|two| two[0].1 > two[1].0) {
        sink.add(&ARCHIVE_BOMB, "", "members of the archive share their bytes");
    }
}

/// Where a member's data begins, if its local header is sound.
fn data_at(source: &dyn ByteSource, member: &Member, sink: &mut Sink<'_>) -> io::Result<Option<u64>> {
    let local = up_to(source, member.header, 30)?;
    if local.len() < 30 || !local.starts_with(b"PK\x03\x04") {
        sink.add(&ARCHIVE_BROKEN, "", "the member's header is not where the directory says");
        return Ok(None);
    }
    let (name, extra) = (u16_at(&local, 26), u16_at(&local, 28));
    let own = up_to(source, member.header + 30, name as usize)?;
    if String::from_utf8_lossy(&own) != member.name {
        sink.add(&ARCHIVE_BROKEN, "", "directory and header give the member different names");
    }
    Ok(Some(member.header + 30 + name + extra))
}

/// Opens a member; none if it cannot be read, which is told.
pub(super) fn open<'a>(
    source: &'a dyn ByteSource,
    member: &Member,
    sink: &mut Sink<'_>,
) -> io::Result<Option<Box<dyn Read + 'a>>> {
    if member.flags & 1 != 0 {
        sink.add(&ARCHIVE_BROKEN, "", "the member is encrypted: nobody can look into it");
        return Ok(None);
    }
    let Some(at) = data_at(source, member, sink)? else { return Ok(None) };
    let packed = Stream::part(source, at, member.packed);
    match member.method {
        0 => Ok(Some(Box::new(packed))),
        8 => Ok(Some(Box::new(Inflate::at_most(packed, MOST_UNPACKED)))),
        method => {
            sink.add(&ARCHIVE_BROKEN, "", format!("compression method {method} is not looked into"));
            Ok(None)
        }
    }
}
