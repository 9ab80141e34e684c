//! The known name that was probably meant.

/// The nearest of the known names, if one is near enough to be a slip.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    let steps = |name: &str| {
        let name = name.to_ascii_lowercase();
        // A beginning or a part of a name is meant more often than a slip.
        let part = given.len() >= 3 && name.contains(&given);
        if part { 0 } else { distance(&given, &name) }
    };
    let (name, steps) = known.into_iter().map(|name| (name, steps(name))).min_by_key(|(_, steps)| *steps)?;
    (steps <= given.len().div_ceil(3).min(3)).then_some(name)
}

/// `; did you mean 'x'?`, or nothing.
pub(super) fn hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// Letters to add, take away, change or swap (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_are_found_and_nothing_else_is() {
        let known = ["CUS-KMS-01", "CUS-KMS-02", "CUS-IAM-01", "nist-800-53", "pci-dss", "gdpr"];
        for (given, meant) in [
            ("CUS-KSM-01", Some("CUS-KMS-01")),
            ("CUS-KMS-1", Some("CUS-KMS-01")),
            ("cus-iam-1", Some("CUS-IAM-01")),
            ("nist", Some("nist-800-53")),
            ("pci", Some("pci-dss")),
            ("gpdr", Some("gdpr")),
            ("iso-27001", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), meant, "{given}");
        }
        assert_eq!(hint("gpdr", known), "; did you mean gdpr?");
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("ab", "ba")), (3, 0, 1));
    }
}
