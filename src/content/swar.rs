//! The first byte of a kind, eight bytes at a time in one word ("SIMD within a register"; Mycroft's test for a zero byte).
//!
//! why not `memchr`: it looks for up to three bytes, not for digits or for what ends a string, and dependencies are
//! compiled for size of build, not for speed.

/// One in each byte.
const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A mark in the high bit of bytes below `limit` (at most 0x80). Above the first mark there may be false ones: a borrow
/// goes up.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(LOW * u64::from(limit)) & !word & HIGH
}

/// The same of bytes that are this one.
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (LOW * u64::from(byte)), 1)
}

/// Where the first mark is.
fn place(marks: u64) -> Option<usize> {
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
}

/// The first byte that is marked. No mark may be on 0xff.
fn first(bytes: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        if let Some(found) = place(marks(u64::from_le_bytes(*word))) {
            return Some(at * 8 + found);
        }
    }
    let mut last = [0xff; 8];
    last[..rest.len()].copy_from_slice(rest);
    place(marks(u64::from_le_bytes(last))).map(|found| words.len() * 8 + found)
}

/// The first place of an ASCII byte.
pub(super) fn find_byte(bytes: &[u8], byte: u8) -> Option<usize> {
    first(bytes, |word| equal(word, byte))
}

/// The first quote, backslash or control character at or after `at`.
pub(super) fn string_stop(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    // With one bit turned, the quote stands right above the control characters, which stay together.
    let stop = first(rest, |word| equal(word, b'\\') | below(word ^ (LOW * 2), b' ' + 1));
    at + stop.unwrap_or(rest.len())
}

/// The first digit.
pub(super) fn find_digit(bytes: &[u8]) -> Option<usize> {
    // Ten bytes come out below ten, and they are the digits.
    first(bytes, |word| below(word ^ (LOW * u64::from(b'0')), 10))
}

/// The first blank or control character.
pub(super) fn find_blank(bytes: &[u8]) -> Option<usize> {
    first(bytes, |word| below(word, b' ' + 1))
}

/// The same of eight bytes.
pub(super) fn first_blank(bytes: [u8; 8]) -> Option<usize> {
    place(below(u64::from_le_bytes(bytes), b' ' + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_byte_is_found_where_it_stands(bytes in proptest::collection::vec(0u8..6, 0..60)) {
            prop_assert_eq!(find_byte(&bytes, 3), bytes.iter().position(|b| *b == 3));
        }

        #[test]
        fn a_digit_is_found_where_it_stands(
            bytes in proptest::collection::vec(prop_oneof![b'.'..b'?', any::<u8>()], 0..60)
        ) {
            prop_assert_eq!(find_digit(&bytes), bytes.iter().position(u8::is_ascii_digit));
        }

        #[test]
        fn a_blank_is_found_where_it_stands(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(find_blank(&bytes), bytes.iter().position(|byte| *byte <= b' '));
        }

        #[test]
        fn a_string_stops_where_it_must(bytes in proptest::collection::vec(any::<u8>(), 0..60), from in 0usize..60) {
            let from = from.min(bytes.len());
            let stops = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
            let plain = bytes[from..].iter().position(stops).map_or(bytes.len(), |at| from + at);
            prop_assert_eq!(string_stop(&bytes, from), plain);
        }
    }
}
