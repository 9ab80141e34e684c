//! A frame as a picture, for the README: exact colours, one `<text>` a run of like cells.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::theme::{SIXTEEN, indexed};

const PAPER: (u8, u8, u8) = (17, 20, 24);
const INK: (u8, u8, u8) = (214, 218, 224);
/// Cell size in pixels; rows sit tight so that frames join.
const CELL: (f32, f32) = (8.4, 18.0);

/// The frame as SVG.
pub fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns as f32 * CELL.0 + 24.0, rows as f32 * CELL.1 + 24.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\">\n",
        hex(PAPER)
    );
    for (row, cells) in buffer.content.chunks(columns.max(1)).enumerate() {
        let y = row as f32 * CELL.1 + 12.0;
        let mut at = 0;
        while at < cells.len() {
            let look = look(&cells[at]);
            let mut end = at + 1;
            while end < cells.len() && self::look(&cells[end]) == look {
                end += 1;
            }
            run(&mut out, &cells[at..end], at, y, &look);
            at = end;
        }
    }
    out.push_str("</g></svg>\n");
    out
}

#[derive(PartialEq)]
struct Look {
    ink: (u8, u8, u8),
    paper: (u8, u8, u8),
    bold: bool,
    underlined: bool,
    italic: bool,
}

fn look(cell: &Cell) -> Look {
    let (mut ink, mut paper) = (rgb(cell.fg, INK), rgb(cell.bg, PAPER));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    Look {
        ink,
        paper,
        bold: cell.modifier.contains(Modifier::BOLD),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
        italic: cell.modifier.contains(Modifier::ITALIC),
    }
}

fn run(out: &mut String, cells: &[Cell], at: usize, y: f32, look: &Look) {
    let (x, width) = (at as f32 * CELL.0 + 12.0, cells.len() as f32 * CELL.0);
    if look.paper != PAPER {
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{}\"/>",
            CELL.1,
            hex(look.paper)
        );
    }
    let text: String = cells.iter().map(Cell::symbol).collect();
    if text.trim().is_empty() {
        return;
    }
    // why blanks that do not break: browsers differ in whether they keep the others, and columns must stay.
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}");
    let mut style = String::new();
    if look.bold {
        style.push_str(" font-weight=\"bold\"");
    }
    if look.italic {
        style.push_str(" font-style=\"italic\"");
    }
    if look.underlined {
        style.push_str(" text-decoration=\"underline\"");
    }
    // why textLength: fonts differ in width, and columns must not.
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"{style}>{escaped}</text>",
        y + 13.5,
        hex(look.ink)
    );
}

fn rgb(colour: Color, reset: (u8, u8, u8)) -> (u8, u8, u8) {
    match colour {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index @ 16..) => indexed(index),
        Color::Indexed(index) => SIXTEEN[usize::from(index)].1,
        Color::Reset => reset,
        named => SIXTEEN.iter().find(|(colour, _)| *colour == named).map_or(reset, |(_, rgb)| *rgb),
    }
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_picture_has_the_text_and_its_colours() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, "a <b> & c", Style::new().fg(Color::Rgb(1, 2, 3)));
        buffer.set_string(0, 1, "chosen", Style::new().add_modifier(Modifier::REVERSED));
        let svg = svg(&buffer);
        assert!(svg.contains("fill=\"#010203\"") && svg.contains("a\u{a0}&lt;b&gt;\u{a0}&amp;\u{a0}c"), "{svg}");
        assert!(
            svg.contains(&format!("fill=\"{}\">chosen", hex(PAPER)))
                || svg.contains(&format!("fill=\"{}\" textLength=\"50.4\"", hex(PAPER)))
        );
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    }
}
