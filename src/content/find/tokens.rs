//! Long tokens: base64 that hides text, and values that look random.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::census::{is_token, long_token};
use super::formats::entropy;
use super::{Sink, View, hidden_in};
use crate::content::rules::{Class, ENCODED, HIGH_ENTROPY};

/// Shorter tokens hide nothing worth decoding.
const SHORTEST: usize = 24;
/// Longer ones are files, not keys; their beginning is decoded all the same.
const RANDOM: std::ops::RangeInclusive<usize> = 40..=256;
const DECODED: usize = 64 * 1024;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Finds them.
pub(super) fn find(view: &View<'_>, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    let Some(first) = long_token(bytes, SHORTEST) else { return };
    let public = public_blocks(view);
    let mut next = Some(first);
    while let Some(start) = next {
        let length = bytes[start..].iter().take_while(|byte| is_token(**byte)).count();
        let range = start..start + length;
        let token = &bytes[range.clone()];
        if let Some(text) = decoded(token) {
            if let Some(inner) = hidden_in(&text, sink.masks).into_iter().next() {
                sink.note(&ENCODED, range.clone(), format!("base64 of: {}", inner.rule.title));
            }
        } else if RANDOM.contains(&length)
            && is_random(token)
            && !sink.covers(Class::Secret, &range)
            && !public.iter().any(|block| block.contains(&range.start))
        {
            sink.value(&HIGH_ENTROPY, view.text, range.clone(), format!("… ({length} characters)"), true);
        }
        next = long_token(&bytes[range.end..], SHORTEST).map(|at| range.end + at);
    }
}

/// PEM blocks that are meant to be seen: certificates and public keys.
fn public_blocks(view: &View<'_>) -> Vec<std::ops::Range<usize>> {
    let begins = view.anchors().filter(|(_, range)| view.text.get(range.clone()) == Some("-----BEGIN "));
    begins
        .filter(|(_, range)| {
            let label = view.bytes()[range.end..].iter().take(48).take_while(|byte| **byte != b'-').count();
            !view.text.get(range.end..range.end + label).is_some_and(|label| label.ends_with("PRIVATE KEY"))
        })
        .map(|(_, range)| {
            let rest = view.bytes().get(range.end + 32..).unwrap_or_default();
            let body = rest.windows(8).take(16 * 1024).position(|window| window == b"-----END");
            range.start..range.end + 32 + body.unwrap_or(2048)
        })
        .collect()
}

/// What base64 hides, if it is text.
fn decoded(token: &[u8]) -> Option<String> {
    let token = &token[..token.len().min(DECODED)];
    let standard: Vec<u8> = token
        .iter()
        .filter(|byte| **byte != b'=')
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    // A cut token ends at a group of four.
    let whole = if token.len() == DECODED { standard.len() / 4 * 4 } else { standard.len() };
    let bytes = LENIENT.decode(&standard[..whole]).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let printable = text.chars().filter(|c| !c.is_control() || c.is_whitespace()).count();
    (printable * 100 >= text.chars().count() * 97).then_some(text)
}

/// Upper and lower case, digits, few separators, and no repetition: not a word, a path or a hash.
fn is_random(token: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| token.iter().filter(|byte| is(byte)).count();
    let separators = count(|b| matches!(b, b'-' | b'_' | b'/' | b'='));
    count(u8::is_ascii_uppercase) >= 4
        && count(u8::is_ascii_lowercase) >= 4
        && count(u8::is_ascii_digit) >= 3
        && separators * 8 <= token.len()
        && entropy(token) >= 4.5
}
