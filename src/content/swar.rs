//! The first byte of a kind, eight bytes at a time in one word ("SIMD within a register"; Mycroft's test for a zero byte).
//!
//! why not `memchr`: it looks for up to three bytes, not for digits or for what ends a string, and dependencies are
//! compiled for size of build, not for speed.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The first place of a byte, eight at a time.
pub(super) fn find_byte(bytes: &[u8], byte: u8) -> Option<usize> {
    let pattern = LOW * u64::from(byte);
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let x = u64::from_le_bytes(*word) ^ pattern;
        let hit = x.wrapping_sub(LOW) & !x & HIGH;
        if hit != 0 {
            return Some(at * 8 + hit.trailing_zeros() as usize / 8);
        }
    }
    let tail = words.len() * 8;
    bytes[tail..].iter().position(|b| *b == byte).map(|at| tail + at)
}

/// The first quote, backslash or control character at or after `at`.
pub(super) fn string_stop(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let (words, _) = rest.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let x = u64::from_le_bytes(*word);
        let quote = x ^ (LOW * 0x22);
        let slash = x ^ (LOW * 0x5c);
        let hit = ((quote.wrapping_sub(LOW) & !quote)
            | (slash.wrapping_sub(LOW) & !slash)
            | (x.wrapping_sub(LOW * 0x20) & !x))
            & HIGH;
        if hit != 0 {
            return at + n * 8 + hit.trailing_zeros() as usize / 8;
        }
    }
    let tail = words.len() * 8;
    let stop = rest[tail..].iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\');
    at + stop.map_or(rest.len(), |n| tail + n)
}

/// The first digit.
pub(super) fn find_digit(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // A byte below ten after this was a digit; a borrow only goes up, so the first hit is right.
        let x = u64::from_le_bytes(*word) ^ (LOW * u64::from(b'0'));
        let hit = x.wrapping_sub(LOW * 10) & !x & HIGH;
        if hit != 0 {
            return Some(at * 8 + hit.trailing_zeros() as usize / 8);
        }
    }
    let tail = words.len() * 8;
    bytes[tail..].iter().position(u8::is_ascii_digit).map(|at| tail + at)
}

/// The first blank or control character.
pub(super) fn find_blank(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        if let Some(blank) = first_blank(*word) {
            return Some(at * 8 + blank);
        }
    }
    let tail = words.len() * 8;
    bytes[tail..].iter().position(|byte| *byte <= b' ').map(|at| tail + at)
}

/// The first blank or control character of eight bytes.
pub(super) fn first_blank(bytes: [u8; 8]) -> Option<usize> {
    let x = u64::from_le_bytes(bytes);
    let hit = x.wrapping_sub(LOW * 0x21) & !x & HIGH;
    (hit != 0).then(|| hit.trailing_zeros() as usize / 8)
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
