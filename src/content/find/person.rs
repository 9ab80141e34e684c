//! Personal data: e-mail addresses, and everything that begins with digits (cards, telephones, social security
//! numbers) or needs them (IBAN, national insurance). A checksum or a rule decides before anything is said.

use super::{Anchor, Sink, View, begins_word, card, ends_word, iban, phone};
use crate::content::rules::{CARD, Class, EMAIL, EMAIL_RESERVED, IBAN, NINO, PHONE, SSN};
use crate::content::swar::{find_byte, find_digit};

/// Domains that nobody owns (RFC 2606).
const RESERVED: &[&str] = &["example.com", "example.org", "example.net", "example.edu"];
const RESERVED_TLDS: &[&str] = &["example", "test", "invalid", "localhost", "local"];

/// Longer than any card or telephone number with what stands between its digits.
const SPAN: usize = 32;
/// Social security numbers and telephone numbers have at least so many digits, cards more.
const FEWEST: usize = 9;

/// E-mail addresses (the common form of RFC 5321: no quoted local part).
pub(super) fn emails(view: &View<'_>, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    let local = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'');
    let mut from = 0;
    while let Some(at) = find_byte(&bytes[from..], b'@').map(|n| from + n) {
        let before = bytes[from..at].iter().rev().take(65).take_while(|b| local(**b)).count();
        let after = bytes[at + 1..]
            .iter()
            .take(254)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
            .count();
        let domain = view.text[at + 1..at + 1 + after].trim_end_matches(['.', '-']);
        let name = view.text[at - before..at].trim_start_matches(['.', '-', '\'', '+', '%']);
        let range = at - name.len()..at + 1 + domain.len();
        from = (at + 1).max(range.end);
        let labels: Vec<&str> = domain.split('.').collect();
        let top = labels.last().copied().unwrap_or_default();
        let well_formed = (1..=64).contains(&name.len())
            && !name.ends_with('.')
            && !name.contains("..")
            && labels.len() >= 2
            && labels
                .iter()
                .all(|label| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-'))
            && (2..=24).contains(&top.len())
            && top.bytes().all(|b| b.is_ascii_alphabetic());
        if well_formed && !sink.covers(Class::Secret, &range) {
            let lower = domain.to_ascii_lowercase();
            let reserved = RESERVED.iter().any(|r| lower == *r || lower.ends_with(&format!(".{r}")))
                || RESERVED_TLDS.contains(&labels.last().map(|l| l.to_ascii_lowercase()).unwrap_or_default().as_str());
            let rule = if reserved { &EMAIL_RESERVED } else { &EMAIL };
            let shown = format!("…@… ({} characters)", range.len());
            sink.value(rule, view.text, range, shown, false);
        }
    }
}

/// Everything with digits.
pub(super) fn numbers(view: &View<'_>, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    let cues: Vec<usize> =
        view.anchors().filter(|(anchor, _)| matches!(anchor, Anchor::SsnCue)).map(|(_, range)| range.end).collect();
    let mut at = 0;
    while let Some(digit) = find_digit(&bytes[at..]) {
        at += digit;
        // A span: digits and what people write between them. `+`, `(` may stand before.
        let length = span(&bytes[at..]);
        let end = at + length;
        if length >= FEWEST {
            let before = bytes[..at].iter().rev().take(2).take_while(|b| matches!(b, b'+' | b'(')).count();
            let start = at - before;
            let alone = begins_word(bytes, start) && ends_word(bytes, end) && !continues(bytes, start, end);
            let digits: Vec<u8> = bytes[at..end].iter().copied().filter(u8::is_ascii_digit).collect();
            if digits.len() >= FEWEST && alone && !sink.covers(Class::Secret, &(start..end)) {
                one(view, sink, start, at, end, &digits, &cues);
            }
        }
        lettered(view, sink, at);
        at = end.max(at + 1);
    }
}

/// A number that goes on with a point and digits, or hangs on an equals sign of a URL, is no number of a person.
fn continues(bytes: &[u8], start: usize, end: usize) -> bool {
    let after = matches!(bytes.get(end), Some(b'.' | b',')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    let before = start >= 2 && matches!(bytes[start - 1], b'.' | b',') && bytes[start - 2].is_ascii_digit();
    let path = start > 0
        && matches!(bytes[start - 1], b'/' | b'=' | b'#' | b'%' | b'&' | b'$')
        && bytes.get(end).is_some_and(|b| matches!(b, b'/' | b'&' | b'?'));
    after || before || path
}

/// Digits with single blanks, dashes, dots or brackets between groups; at most [`SPAN`] bytes.
fn span(bytes: &[u8]) -> usize {
    let mut end = 0;
    let mut at = 0;
    while at < bytes.len().min(SPAN) {
        match bytes[at] {
            b'0'..=b'9' => {
                end = at + 1;
                at += 1;
            }
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if at - end < 2 => at += 1,
            _ => break,
        }
    }
    end
}

fn one(view: &View<'_>, sink: &mut Sink<'_>, start: usize, at: usize, end: usize, digits: &[u8], cues: &[usize]) {
    let text = &view.text[at..end];
    if let Some(brand) = card::brand(text, digits) {
        let last = &text[text.len().saturating_sub(4)..];
        // why four digits: PCI DSS 3.4.1 lets the last four be shown.
        let last = if last.bytes().all(|b| b.is_ascii_digit()) { last } else { "" };
        sink.value(&CARD, view.text, at..end, format!("{brand} …{last}"), false);
    } else if is_ssn(text, digits, at, cues) {
        sink.value(&SSN, view.text, at..end, "…-…-…".to_owned(), false);
    } else if let Some(country) = phone::country(&view.text[start..end], digits) {
        sink.value(&PHONE, view.text, start..end, format!("{country} … ({} digits)", digits.len()), false);
    }
}

/// `AAA-GG-SSSS` by the rules of the Social Security Administration; without dashes only after its name.
fn is_ssn(text: &str, digits: &[u8], at: usize, cues: &[usize]) -> bool {
    let bytes = text.as_bytes();
    let dashed = bytes.len() == 11 && bytes[3] == bytes[6] && matches!(bytes[3], b'-' | b' ');
    let named = || cues.iter().any(|cue| *cue <= at && at - cue <= 40);
    let form = digits.len() == 9 && (dashed && (bytes[3] == b'-' || named()) || bytes.len() == 9 && named());
    let (area, group, serial) = match digits.get(..9) {
        Some(d) => (&d[..3], &d[3..5], &d[5..9]),
        None => return false,
    };
    let published = [b"078051120".as_slice(), b"219099999"].contains(&digits);
    form && area != b"000" && area != b"666" && area[0] != b'9' && group != b"00" && serial != b"0000" && !published
}

/// What begins with letters and goes on with the digit at `at`: IBAN and national insurance numbers.
fn lettered(view: &View<'_>, sink: &mut Sink<'_>, at: usize) {
    let bytes = view.bytes();
    let Some(start) = at.checked_sub(2) else { return };
    let two = |start: usize| bytes[start..start + 2].iter().all(u8::is_ascii_uppercase) && begins_word(bytes, start);
    if two(start)
        && let Some(end) = iban::end(bytes, start)
    {
        let country = &view.text[start..start + 2];
        sink.value(&IBAN, view.text, start..end, format!("{country}… ({} characters)", end - start), false);
        return;
    }
    // A national insurance number may have a blank after its letters.
    let start = if bytes[at - 1] == b' ' && at >= 3 { at - 3 } else { start };
    if two(start)
        && let Some(end) = nino(bytes, start)
    {
        sink.value(&NINO, view.text, start..end, "two letters, six digits, one letter".to_owned(), false);
    }
}

/// `QQ 12 34 56 C` (HM Revenue & Customs, NIM39110).
fn nino(bytes: &[u8], start: usize) -> Option<usize> {
    let (first, second) = (bytes[start], bytes[start + 1]);
    let bad = |b: u8| matches!(b, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    let pair = [first, second];
    let unused = [*b"BG", *b"GB", *b"KN", *b"NK", *b"NT", *b"TN", *b"ZZ"];
    if bad(first) || bad(second) || second == b'O' || unused.contains(&pair) {
        return None;
    }
    let mut at = start + 2;
    let mut digits = 0;
    while digits < 6 {
        match bytes.get(at)? {
            b'0'..=b'9' => digits += 1,
            b' ' if digits % 2 == 0 => {}
            _ => return None,
        }
        at += 1;
    }
    at += usize::from(bytes.get(at) == Some(&b' '));
    (matches!(bytes.get(at)?, b'A'..=b'D') && ends_word(bytes, at + 1)).then_some(at + 1)
}
