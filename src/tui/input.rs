//! A line of text being typed: filter, palette, the name that confirms.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::base::text::safe;

/// The line and its cursor, counted in characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    text: Vec<char>,
    cursor: usize,
}

impl Line {
    /// A line that holds `text`, cursor behind it.
    pub fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        Self { cursor: text.len(), text }
    }

    /// What was typed.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Text before the cursor, for drawing.
    pub fn before_cursor(&self) -> String {
        self.text[..self.cursor].iter().collect()
    }

    /// Takes a key. Returns whether the text changed.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let before = self.text.len();
        match key.code {
            KeyCode::Char('u') if control => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            KeyCode::Char('w') if control => {
                let kept = self.text[..self.cursor].iter().rposition(|c| !c.is_whitespace()).unwrap_or(0);
                let start = self.text[..kept].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1);
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.text.insert(self.cursor, c);
                self.cursor += 1;
            }
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            KeyCode::Delete if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => {}
        }
        self.text.len() != before
    }

    /// Takes pasted text: one line, made safe.
    pub fn paste(&mut self, text: &str) {
        let line = safe(text.lines().next().unwrap_or_default()).into_owned();
        for c in line.chars() {
            self.text.insert(self.cursor, c);
            self.cursor += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(line: &mut Line, keys: &[(KeyCode, KeyModifiers)]) {
        for (code, modifiers) in keys {
            line.press(KeyEvent::new(*code, *modifiers));
        }
    }

    #[test]
    fn it_edits() {
        let mut line = Line::new("who:ci runner");
        typed(&mut line, &[(KeyCode::Char('w'), KeyModifiers::CONTROL)]);
        assert_eq!(line.text(), "who:ci ");
        typed(&mut line, &[(KeyCode::Backspace, KeyModifiers::NONE), (KeyCode::Char('é'), KeyModifiers::NONE)]);
        assert_eq!(line.text(), "who:cié");
        typed(&mut line, &[(KeyCode::Home, KeyModifiers::NONE), (KeyCode::Delete, KeyModifiers::NONE)]);
        assert_eq!((line.text().as_str(), line.before_cursor().as_str()), ("ho:cié", ""));
        line.paste("x\u{1b}[2J\nsecond");
        assert_eq!(line.text(), "x␛[2Jho:cié");
    }

    proptest! {
        #[test]
        fn no_keys_break_it(keys in proptest::collection::vec((0usize..10, any::<char>()), 0..60)) {
            let mut line = Line::default();
            for (which, c) in keys {
                let code = [KeyCode::Char(c), KeyCode::Backspace, KeyCode::Delete, KeyCode::Left, KeyCode::Right,
                    KeyCode::Home, KeyCode::End, KeyCode::Enter, KeyCode::Char('w'), KeyCode::Char('u')][which];
                let modifiers = if which >= 8 { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                line.press(KeyEvent::new(code, modifiers));
                prop_assert!(line.before_cursor().chars().count() <= line.text().chars().count());
            }
        }
    }
}
