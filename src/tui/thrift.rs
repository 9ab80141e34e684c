//! A backend that saves bytes, for a console is read over slow lines. It draws what ratatui's own would draw, but
//! says it shorter: it moves the cursor by a distance and not to a place, draws a few unchanged cells again where
//! that is cheaper than to pass over them, and tells only what changes of a style, in one sequence.

use std::fmt::Write as _;
use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// The backend.
#[derive(Debug)]
pub struct Thrifty<W: Write> {
    inner: CrosstermBackend<W>,
    /// What is on screen, row by row, as far as it was drawn; none where that is not known.
    shown: Vec<Vec<Option<Cell>>>,
}

/// Colours and attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    fore: Color,
    back: Color,
    attributes: Modifier,
}

/// How a terminal draws that was told nothing.
const PLAIN: Look = Look { fore: Color::Reset, back: Color::Reset, attributes: Modifier::empty() };

/// Attributes with the number that switches each on and the one that switches it off (ECMA-48, 8.3.117).
const ATTRIBUTES: [(Modifier, u8, u8); 8] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

impl Look {
    fn of(cell: &Cell) -> Self {
        Self { fore: cell.fg, back: cell.bg, attributes: cell.modifier }
    }

    /// The sequence from one look to another: what differs, or all anew, whichever is shorter.
    fn change(self, to: Self) -> String {
        let mut step: Vec<String> = Vec::new();
        let gone = self.attributes - to.attributes;
        let mut held = self.attributes & to.attributes;
        for (attribute, _, off) in ATTRIBUTES {
            if gone.contains(attribute) && !step.contains(&off.to_string()) {
                step.push(off.to_string());
                // Bold and dim have one way off.
                if off == 22 {
                    held -= Modifier::BOLD | Modifier::DIM;
                }
            }
        }
        let on = |attributes: Modifier| ATTRIBUTES.into_iter().filter(move |(one, ..)| attributes.contains(*one));
        step.extend(on(to.attributes - held).map(|(_, number, _)| number.to_string()));
        if self.fore != to.fore {
            step.push(colour(to.fore, 30));
        }
        if self.back != to.back {
            step.push(colour(to.back, 40));
        }
        let mut anew: Vec<String> = vec![String::new()];
        anew.extend(on(to.attributes).map(|(_, number, _)| number.to_string()));
        anew.extend((to.fore != Color::Reset).then(|| colour(to.fore, 30)));
        anew.extend((to.back != Color::Reset).then(|| colour(to.back, 40)));
        let (step, anew) = (step.join(";"), anew.join(";"));
        format!("\x1b[{}m", if step.len() <= anew.len() { step } else { anew })
    }
}

/// A colour of the text (`first` 30) or behind it (40).
fn colour(colour: Color, first: u8) -> String {
    let named = |number: u8| (first + number).to_string();
    let bright = |number: u8| (first + 60 + number).to_string();
    match colour {
        Color::Reset => named(9),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(number) => format!("{};5;{number}", first + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", first + 8),
    }
}

impl<W: Write> Thrifty<W> {
    /// Draws into `writer`.
    pub fn new(writer: W) -> Self {
        Self { inner: CrosstermBackend::new(writer), shown: Vec::new() }
    }

    fn held(&self, x: u16, y: u16) -> Option<&Cell> {
        self.shown.get(usize::from(y))?.get(usize::from(x))?.as_ref()
    }

    fn hold(&mut self, x: u16, y: u16, cell: Option<&Cell>) {
        let (x, y) = (usize::from(x), usize::from(y));
        if self.shown.len() <= y {
            self.shown.resize_with(y + 1, Vec::new);
        }
        let row = &mut self.shown[y];
        if row.len() <= x {
            row.resize(x + 1, None);
        }
        row[x] = cell.cloned();
    }

    /// From the cell at `from` to the one at `x` in the same row: the text of the cells between, if all are
    /// known and look as what is drawn does, and that is no longer than a move.
    fn across(&self, from: u16, x: u16, y: u16, look: Look) -> String {
        let by = x - from;
        let step = if by == 1 { "\x1b[C".to_owned() } else { format!("\x1b[{by}C") };
        let mut text = String::new();
        for at in from..x {
            match self.held(at, y) {
                Some(cell) if Look::of(cell) == look && cell.symbol().width() == 1 => text.push_str(cell.symbol()),
                _ => return step,
            }
            if text.len() > step.len() {
                return step;
            }
        }
        text
    }

    fn forget(&mut self) {
        self.shown.clear();
    }
}

impl<W: Write> Backend for Thrifty<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> Result<(), Self::Error> {
        let mut out = String::new();
        let mut look = PLAIN;
        // Where the cursor stands; none where only the terminal knows: before the first cell, and behind a
        // letter that terminals do not agree on the width of.
        let mut stands: Option<(u16, u16)> = None;
        for (x, y, cell) in content {
            match stands {
                Some(place) if place == (x, y) => {}
                Some((from, row)) if row == y && from < x => out.push_str(&self.across(from, x, y, look)),
                _ => {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
                }
            }
            let wanted = Look::of(cell);
            if wanted != look {
                out.push_str(&look.change(wanted));
                look = wanted;
            }
            out.push_str(cell.symbol());
            let width = cell.symbol().width() as u16;
            stands = (width == 1).then_some((x + 1, y));
            self.hold(x, y, Some(cell));
            // What a wide letter covers is no cell of its own.
            for covered in 1..width {
                self.hold(x + covered, y, None);
            }
        }
        if look != PLAIN {
            out.push_str("\x1b[m");
        }
        self.inner.write_all(out.as_bytes())
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.forget();
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), Self::Error> {
        self.forget();
        self.inner.clear_region(region)
    }

    fn append_lines(&mut self, lines: u16) -> Result<(), Self::Error> {
        self.forget();
        self.inner.append_lines(lines)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use ratatui::style::Color;

    use super::*;

    #[derive(Clone, Default)]
    struct Bytes(Arc<Mutex<Vec<u8>>>);

    impl Bytes {
        fn take(&self) -> Vec<u8> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl Write for Bytes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn cell(symbol: &str, colour: Color) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_fg(colour);
        cell
    }

    fn draw(backend: &mut impl Backend<Error = io::Error>, cells: &[(u16, u16, Cell)]) {
        backend.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
    }

    #[test]
    fn few_cells_are_drawn_again_and_many_are_passed_over() {
        let bytes = Bytes::default();
        let mut backend = Thrifty::new(bytes.clone());
        let mut drawn = |cells: &[(u16, u16, Cell)]| {
            draw(&mut backend, cells);
            String::from_utf8(bytes.take()).unwrap()
        };
        let at = |x: u16, symbol: &str| (x, 0, cell(symbol, Color::Reset));
        let text: Vec<_> =
            "alpha beta gamma delta".chars().enumerate().map(|(x, c)| at(x as u16, &c.to_string())).collect();
        drawn(&text);
        assert!(drawn(&[at(0, "A"), at(4, "A")]).contains("AlphA"));
        assert_eq!(drawn(&[at(0, "a"), at(11, "G")]), "\u{1b}[1;1Ha\u{1b}[10CG");
        drawn(&[(2, 0, cell("p", Color::Red))]);
        assert!(!drawn(&[at(0, "A"), at(4, "A")]).contains("AlphA"), "another colour costs more than a move");
        drawn(&[at(2, "p")]);
        assert!(drawn(&[at(0, "A"), at(4, "A")]).contains("AlphA"));
        backend.clear().unwrap();
        draw(&mut backend, &[at(0, "A"), at(4, "A")]);
        assert!(!String::from_utf8(bytes.take()).unwrap().contains("AlphA"), "nothing is known of a cleared screen");
    }

    #[test]
    fn a_style_is_changed_in_the_fewest_bytes() {
        let look = |fore, attributes| Look { fore, back: Color::Reset, attributes };
        let (red, none) = (Color::Indexed(1), Modifier::empty());
        for (from, to, sequence) in [
            (PLAIN, look(red, none), "\x1b[38;5;1m"),
            (look(red, none), PLAIN, "\x1b[m"),
            (look(red, Modifier::REVERSED), look(red, none), "\x1b[27m"),
            (look(red, Modifier::BOLD | Modifier::DIM), look(red, Modifier::DIM), "\x1b[22;2m"),
            (look(red, Modifier::BOLD), look(Color::Red, Modifier::BOLD), "\x1b[31m"),
            (PLAIN, look(Color::Rgb(1, 2, 3), Modifier::BOLD), "\x1b[1;38;2;1;2;3m"),
        ] {
            assert_eq!(from.change(to), sequence);
        }
    }

    proptest! {
        /// What a terminal shows is the same as without this backend.
        #[test]
        fn the_screen_is_the_same(frames in proptest::collection::vec(
            proptest::collection::btree_map((0u16..3, 0u16..20), ("[a-c日]", 0u8..3, 0usize..256), 0..30), 1..6,
        )) {
            let (thrifty_bytes, plain_bytes) = (Bytes::default(), Bytes::default());
            let mut thrifty = Thrifty::new(thrifty_bytes.clone());
            let mut plain = CrosstermBackend::new(plain_bytes.clone());
            for frame in frames {
                // Every other column, so that a wide letter covers nothing that is drawn.
                let frame: BTreeMap<_, _> = frame;
                let cells: Vec<(u16, u16, Cell)> = frame
                    .into_iter()
                    .map(|((y, x), (symbol, colour, bits))| {
                        let mut cell = cell(&symbol, Color::Indexed(colour));
                        let on = ATTRIBUTES.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                        on.for_each(|(_, (attribute, ..))| cell.modifier |= *attribute);
                        // The emulator holds one of the two; no theme asks for both.
                        if cell.modifier.contains(Modifier::BOLD) {
                            cell.modifier -= Modifier::DIM;
                        }
                        (x * 2, y, cell)
                    })
                    .collect();
                draw(&mut thrifty, &cells);
                draw(&mut plain, &cells);
            }
            let screen = |bytes: Vec<u8>| {
                let size = |n| std::num::NonZero::new(n).unwrap();
                let mut terminal = vt100::Parser::new(size(4), size(60), 0);
                terminal.process(&bytes);
                terminal.screen().contents_formatted()
            };
            prop_assert_eq!(screen(thrifty_bytes.take()), screen(plain_bytes.take()));
        }
    }
}
