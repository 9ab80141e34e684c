//! Text in few cells: cut at words, and so that lines that begin alike can be told apart.

use unicode_width::UnicodeWidthStr as _;

/// Cuts text to `room` cells; the cut shows as `…`.
pub(super) fn clip(text: &str, room: u16) -> std::borrow::Cow<'_, str> {
    use unicode_width::UnicodeWidthChar as _;
    let room = usize::from(room);
    if text.width() <= room {
        return text.into();
    }
    let mut used = 1;
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect();
    if room > 0 {
        cut.push('…');
    }
    cut.into()
}

/// A sentence cut to `room` cells where it may be cut: behind a clause, else behind a word. What is no sentence
/// is left to [`clip`].
pub(super) fn brief(text: &str, room: u16) -> std::borrow::Cow<'_, str> {
    let room = usize::from(room);
    if text.width() <= room || room < 16 || !text.contains(' ') {
        return text.into();
    }
    let fits = |at: &usize| text[..*at].width() < room;
    let ends = |what: &'static str| text.match_indices(what).map(|(at, _)| at).filter(fits).last();
    let clause = [ends("; "), ends(": ")].into_iter().flatten().max().filter(|at| *at * 5 >= room * 3);
    match clause.or_else(|| ends(" ").filter(|at| *at * 4 >= room * 3)) {
        Some(at) => format!("{}…", text[..at].trim_end_matches([',', ';', ':'])).into(),
        None => text.into(),
    }
}

/// The same below a line that reads the same as far as there is room: then the end, where the two part.
pub(super) fn telling<'t>(above: &str, text: &'t str, room: u16) -> std::borrow::Cow<'t, str> {
    let cut = brief(text, room);
    if text.width() <= usize::from(room)
        || above == text
        || room < 24
        || clip(&brief(above, room), room) != clip(&cut, room)
    {
        return cut;
    }
    let common: usize =
        text.chars().zip(above.chars()).take_while(|(one, other)| one == other).map(|(c, _)| c.len_utf8()).sum();
    let mut from = text[..common].rfind(' ').map_or(0, |at| at + 1);
    // As many words before it as there is room for.
    let fits = |from: &usize| text[*from..].width() + 2 <= usize::from(room);
    while let Some(earlier) = text[..from.saturating_sub(1)].rfind(' ').map(|at| at + 1).filter(fits) {
        from = earlier;
    }
    if from == 0 {
        return cut;
    }
    let rest = text.get(from..).unwrap_or_default();
    format!("… {}", brief(rest, room.saturating_sub(2))).into()
}

/// Text in a column: cut to its width, filled to the left if it is a number.
pub(super) fn align(text: &str, width: u16, right: bool) -> String {
    let text = clip(text, width);
    let fill = usize::from(width).saturating_sub(text.width());
    if right { format!("{}{text}", " ".repeat(fill)) } else { format!("{text}{}", " ".repeat(fill)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_like_the_one_above_tells_where_they_part() {
        for (above, text, room, told) in [
            (
                "no rule and no alarm watches PutA",
                "no rule and no alarm watches DeleteB",
                24,
                "… alarm watches DeleteB",
            ),
            ("no rule and no alarm watches PutA", "no rule and no alarm watches PutA", 24, "no rule and no alarm…"),
            ("a rule and no alarm watches PutA", "no rule and no alarm watches PutA", 24, "no rule and no alarm…"),
            ("orion-a-long-name-of-a-job-1", "orion-a-long-name-of-a-job-2", 20, "orion-a-long-name-of-a-job-2"),
            ("", "short enough", 20, "short enough"),
        ] {
            assert_eq!(telling(above, text, room), told);
        }
    }

    #[test]
    fn sentences_are_cut_behind_clauses_and_words() {
        for (text, room, cut) in [
            ("PendingDeletion on 2026-11-27 23:40; job orion-law-1 cannot", 41, "PendingDeletion on 2026-11-27 23:40…"),
            ("statement 2 lets everybody (\"*\") assume it", 36, "statement 2 lets everybody (\"*\")…"),
            ("orion-a-name-without-any-blank-in-it", 20, "orion-a-name-without-any-blank-in-it"),
            ("short enough", 20, "short enough"),
        ] {
            assert_eq!(brief(text, room), cut);
        }
    }
}
