//! What a text holds, counted: it decides which detectors have anything to look at.

use crate::content::swar;

/// So many bytes are counted before their counts are taken out: no count runs over, and whole vectors fit.
const BLOCK: usize = 192;

/// What a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Census {
    /// Bytes `0`–`9`.
    pub digits: usize,
    /// Bytes `@`.
    pub ats: usize,
    /// Bytes above 0x7f.
    pub foreign: usize,
    /// Control characters other than tab, line feed and carriage return.
    pub controls: usize,
}

impl Census {
    /// Of a text.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut census = Self::default();
        // why blocks and bytes: so the compiler takes many bytes in one instruction.
        for block in text.chunks(BLOCK) {
            let (mut digits, mut ats, mut foreign, mut controls) = (0u8, 0u8, 0u8, 0u8);
            for byte in block {
                digits += u8::from(byte.wrapping_sub(b'0') < 10);
                ats += u8::from(*byte == b'@');
                foreign += byte >> 7;
                let blank = u8::from(*byte == b'\t') | u8::from(*byte == b'\n') | u8::from(*byte == b'\r');
                controls += (u8::from(*byte < b' ') | u8::from(*byte == 0x7f)) & !blank;
            }
            census.digits += usize::from(digits);
            census.ats += usize::from(ats);
            census.foreign += usize::from(foreign);
            census.controls += usize::from(controls);
        }
        census
    }
}

/// A byte of a token: letters, digits, `+ / _ - =`.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'=')
}

/// Where the first token of at least `shortest` bytes begins; those must be 23 or more. Such a token holds two words of
/// eight bytes from places that eight divides, so every second one is looked at, and closer only where it has no blank.
pub(super) fn long_token(text: &[u8], shortest: usize) -> Option<usize> {
    let mut done = 0;
    for (number, word) in text.as_chunks::<8>().0.iter().enumerate().step_by(2) {
        let at = number * 8;
        if swar::first_blank(*word).is_some() || at < done || !word.iter().all(|byte| is_token(*byte)) {
            continue;
        }
        let before = text[done..at].iter().rev().take_while(|byte| is_token(**byte)).count();
        let after = text[at..].iter().take_while(|byte| is_token(**byte)).count();
        if before + after >= shortest {
            return Some(at - before);
        }
        done = at + after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_census_counts() {
        let census = Census::of("12 a@b é\u{1b} abcdefgh-9\n".as_bytes());
        assert_eq!(census, Census { digits: 3, ats: 1, foreign: 2, controls: 1 });
        let long = "7".repeat(1000) + &"é".repeat(1000) + &"@".repeat(1000) + &"\u{1}".repeat(1000);
        assert_eq!(Census::of(long.as_bytes()), Census { digits: 1000, ats: 1000, foreign: 2000, controls: 1000 });
    }

    proptest! {
        #[test]
        fn a_long_token_is_found_where_it_begins(text in "([a-d]{0,32}[. é]{0,2}){0,5}", shortest in 23usize..30) {
            let plain = (0..text.len()).find(|at| {
                text.as_bytes().get(*at..at + shortest).is_some_and(|token| token.iter().all(|b| is_token(*b)))
            });
            prop_assert_eq!(long_token(text.as_bytes(), shortest), plain);
        }
    }
}
