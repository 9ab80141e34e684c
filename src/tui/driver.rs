//! The console without a terminal: keys and messages in, frames out, at once. For tests, headless
//! pictures and budgets.

use crossterm::event::KeyEvent;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::keymap::Key;
use super::matrix::{self, Question};
use super::message::{Effect, Message};
use super::model::{Model, Options};
use super::update::{settle, update};
use super::view::view;
use crate::source::Envelope;

/// A console that is driven by hand.
#[derive(Debug)]
pub struct Driver {
    /// Its state.
    pub model: Model,
    /// What it asked for and nobody carried out.
    pub effects: Vec<Effect>,
    /// Whether questions about access are answered at once; else they stay among the effects.
    pub answering: bool,
}

impl Driver {
    /// A console of this size.
    pub fn new(options: Options, width: u16, height: u16) -> Self {
        let mut driver = Self { model: Model::new(options), effects: Vec::new(), answering: true };
        driver.send(Message::Resize(width, height));
        driver
    }

    /// Takes one message, and settles.
    pub fn send(&mut self, message: Message) {
        self.effects.extend(update(&mut self.model, message));
        self.settle();
    }

    /// Settles, judges, and answers what is asked about access until nothing more is.
    fn settle(&mut self) {
        self.effects.extend(settle(&mut self.model));
        while let Some(at) = self.effects.iter().position(|effect| matches!(effect, Effect::Weigh(_))) {
            let Effect::Weigh(weighing) = self.effects.remove(at) else { return };
            self.effects.extend(update(&mut self.model, Message::Weighed(Box::new(weighing.weigh()))));
            self.effects.extend(settle(&mut self.model));
        }
        while self.answering
            && let Some(at) = self.effects.iter().position(|effect| matches!(effect, Effect::Ask(_)))
        {
            let Effect::Ask(question) = self.effects.remove(at) else { return };
            self.answer(&question);
        }
    }

    /// Answers a question about access.
    pub fn answer(&mut self, question: &Question) {
        let mut replies = Vec::new();
        matrix::answer(question, &mut |reply| replies.push(reply));
        for reply in replies {
            self.effects.extend(update(&mut self.model, Message::Answered(Box::new(reply))));
        }
        self.effects.extend(settle(&mut self.model));
    }

    /// Takes what a source sent.
    pub fn receive(&mut self, envelopes: impl IntoIterator<Item = Envelope>) {
        for envelope in envelopes {
            self.effects.extend(update(&mut self.model, Message::Source(envelope)));
        }
        self.settle();
    }

    /// Presses keys, by their names and separated by spaces: `j j enter ctrl-d`.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            if let Ok(key) = key.parse::<Key>() {
                self.press(key.event());
            }
        }
        self.send(Message::Rested);
    }

    /// Types text, a key a letter.
    pub fn text(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(Key::plain(crossterm::event::KeyCode::Char(letter)).event());
        }
    }

    fn press(&mut self, key: KeyEvent) {
        self.send(Message::Key(key));
    }

    /// The frame as it would be drawn now.
    pub fn frame(&mut self) -> Buffer {
        self.model.drawn();
        let (width, height) = self.model.size;
        let mut terminal = match Terminal::new(TestBackend::new(width, height)) {
            Ok(terminal) => terminal,
            // A backend in memory cannot fail.
            Err(never) => match never {},
        };
        match terminal.draw(|frame| view(&self.model, frame)) {
            Ok(frame) => frame.buffer.clone(),
            Err(never) => match never {},
        }
    }

    /// The frame's text, line by line, blanks at the ends removed.
    pub fn screen(&mut self) -> String {
        let buffer = self.frame();
        let width = usize::from(buffer.area.width).max(1);
        let lines = buffer.content.chunks(width).map(|row| {
            let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
