//! Telephone numbers: international form by country code (ITU-T E.164), North American form by the rules of its plan.

/// Country codes of one and two digits; three-digit codes begin with one of [`THREE`].
const TWO: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];
const THREE: &[&str] = &[
    "21", "22", "23", "24", "25", "26", "29", "35", "37", "38", "42", "50", "59", "67", "68", "69", "80", "85", "87",
    "88", "96", "97", "99",
];

/// Codes of three digits that no country has.
const UNASSIGNED: &[&str] = &[
    "210", "214", "215", "217", "219", "259", "384", "388", "671", "693", "694", "695", "696", "697", "698", "699",
    "990", "991", "997", "999",
];

/// `+44`, `+1`, or `US` for the national form, if it is a telephone number.
pub(super) fn country(text: &str, digits: &[u8]) -> Option<String> {
    let number = std::str::from_utf8(digits).ok()?;
    if digits.iter().all(|digit| *digit == digits[0]) {
        return None;
    }
    if text.trim_start_matches('(').starts_with('+') {
        if let Some(national) = number.strip_prefix('1') {
            return north_american(national).then(|| "+1".to_owned());
        }
        let code = if number.starts_with('7') {
            (number.len() == 11).then_some("7")?
        } else {
            let three = THREE.contains(&number.get(..2)?);
            let code = number.get(..if three { 3 } else { 2 })?;
            ((three && !UNASSIGNED.contains(&code)) || TWO.contains(&code)).then_some(code)?
        };
        return (9..=15).contains(&number.len()).then(|| format!("+{code}"));
    }
    let national = number.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(number);
    (national.len() == 10 && written_american(text) && north_american(national)).then(|| "US".to_owned())
}

/// `(212) 555-0187`, `212-555-0187`, `212.555.0187`, `1-212-555-0187`: never ten digits alone.
fn written_american(text: &str) -> bool {
    let text =
        text.strip_prefix("1-").or_else(|| text.strip_prefix("1 ")).or_else(|| text.strip_prefix("1.")).unwrap_or(text);
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    matches!(
        shape.as_str(),
        "(999) 999-9999"
            | "(999)999-9999"
            | "999-999-9999"
            | "999.999.9999"
            | "(999) 999 9999"
            | "999 999 9999"
            | "999 999-9999"
    )
}

/// `NXX-NXX-XXXX`, no service code, not of the range kept for fiction (555-0100 to 0199).
fn north_american(national: &str) -> bool {
    let d = national.as_bytes();
    d.len() == 10
        && d[0] >= b'2'
        && &d[1..3] != b"11"
        && d[3] >= b'2'
        && &d[4..6] != b"11"
        && !(&d[3..6] == b"555" && &d[6..8] == b"01")
}
