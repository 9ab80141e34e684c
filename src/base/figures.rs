//! Figures for people.

/// `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let (first, rest) = digits.split_at(digits.len() % 3);
    let groups: Vec<&str> = std::iter::once(first)
        .filter(|first| !first.is_empty())
        .chain((0..rest.len() / 3).map(|n| &rest[n * 3..n * 3 + 3]))
        .collect();
    groups.join(",")
}

/// A size with at least two figures, cut: `9999 B`, `10 KB`, `12 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{} KB", count / 1000),
        10_000_000..10_000_000_000 => format!("{} MB", count / 1_000_000),
        _ => format!("{} GB", count / 1_000_000_000),
    }
}

/// `one object`, `3 objects`.
pub fn counted(count: u64, thing: &str) -> String {
    match count {
        1 => format!("one {thing}"),
        _ => format!("{} {thing}s", grouped(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_cut() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        for (count, expected) in
            [(0, "0 B"), (9999, "9999 B"), (10_000, "10 KB"), (9_999_999, "9999 KB"), (68_719_476_736, "68 GB")]
        {
            assert_eq!(bytes(count), expected);
        }
        assert_eq!((counted(0, "line"), counted(1, "line")), ("0 lines".into(), "one line".into()));
    }
}
