//! Payment card numbers: range of the issuer, length and Luhn (ISO/IEC 7812).

/// The brand, if the digits are a card number in a form that people write.
pub(super) fn brand(text: &str, digits: &[u8]) -> Option<&'static str> {
    if !(13..=19).contains(&digits.len()) || !grouped(text) || !luhn(digits) {
        return None;
    }
    if digits.iter().all(|digit| *digit == digits[0]) {
        return None;
    }
    let number = |count: usize| digits[..count].iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
    let length = digits.len();
    match (number(2), number(3), number(4), number(6)) {
        (40..=49, ..) if matches!(length, 13 | 16 | 19) => Some("Visa"),
        (51..=55, ..) | (_, _, 2221..=2720, _) if length == 16 => Some("Mastercard"),
        (34 | 37, ..) if length == 15 => Some("American Express"),
        (65, ..) | (_, 644..=649, ..) | (_, _, 6011, _) if matches!(length, 16..=19) => Some("Discover"),
        (_, _, 3528..=3589, _) if matches!(length, 16..=19) => Some("JCB"),
        (36 | 38 | 39, ..) | (_, 300..=305, ..) if matches!(length, 14..=19) => Some("Diners Club"),
        (62, ..) if matches!(length, 16..=19) => Some("UnionPay"),
        (_, _, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763, _) => Some("Maestro"),
        _ => None,
    }
}

/// In one piece, or in groups with one blank or dash, the same everywhere: `4-4-4-4`, `4-6-5`, `4-6-4`.
fn grouped(text: &str) -> bool {
    let Some(separator) = text.bytes().find(|b| !b.is_ascii_digit()) else { return true };
    let groups: Vec<usize> = text.split(separator as char).map(str::len).collect();
    let only = text.bytes().all(|b| b.is_ascii_digit() || b == separator);
    only && matches!(separator, b' ' | b'-')
        && matches!(groups.as_slice(), [4, 4, 4, 4 | 1] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5])
}

/// The check digit (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match (place % 2, digit) {
                (0, digit) => digit,
                (_, 0..=4) => digit * 2,
                (_, digit) => digit * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
