//! `--ascii`: every mark the console draws, in letters. One table, applied to the finished frame,
//! so that no view has to know.

use ratatui::buffer::Buffer;

const LETTERS: &[(&str, &str)] = &[
    ("┌┐└┘├┤┬┴┼╭╮╰╯", "+"),
    ("─━", "-"),
    ("═", "="),
    ("│┃", "|"),
    ("▸→►▶", ">"),
    ("≤", "<"),
    ("←◂", "<"),
    ("▼", "v"),
    ("▲", "^"),
    ("●", "*"),
    ("○", "o"),
    ("◐", "%"),
    ("✓", "+"),
    ("✗", "x"),
    ("⟳", "@"),
    ("↺", "r"),
    ("…", "~"),
    ("·", "."),
    ("█▇", "#"),
    ("▆▅", "="),
    ("▄▃", "-"),
    ("▂▁", "_"),
    ("░▒", "."),
    ("┊", ":"),
    ("▏", "_"),
    ("⏸", "P"),
    ("–", "-"),
];

/// Replaces what is not ASCII. What has no letter of its own becomes `?`.
pub fn fold(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().is_ascii() {
            continue;
        }
        let spinning = "⠋⠙⠹⠸⠼⠴⠦⠧".find(cell.symbol()).map(|at| ["|", "/", "-", "\\"][at / 3 % 4]);
        let letter = LETTERS.iter().find(|(marks, _)| marks.contains(cell.symbol())).map(|(_, letter)| *letter);
        cell.set_symbol(spinning.or(letter).unwrap_or("?"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_folded_frame_is_ascii() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 1));
        buffer.set_string(0, 0, "┌─ ▲3 ●1 ✓ ⠹ 日 é ┐", Style::new());
        fold(&mut buffer);
        let line: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(line.is_ascii(), "{line}");
        assert!(line.starts_with("+- ^3 *1 + "), "{line}");
    }
}
