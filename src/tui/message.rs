//! What comes into the console and what goes out of it, as plain data.

use crossterm::event::KeyEvent;

use super::matrix::{Question, Reply};
use super::theme::Theme;
use crate::fix::{Applied, Approved, FixError, JournalEntry};
use crate::source::{Command, Envelope};

/// What `update` takes.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// From the source of the data.
    Source(Envelope),
    /// The source has gone: nothing more will come.
    SourceGone,
    /// Time has passed.
    Tick,
    /// No key moved the cursor for a moment.
    Rested,
    /// A background task panicked; a sentence.
    Panicked(String),
    /// The theme's file was read again.
    Theme(Result<Theme, String>),
    /// A fix was made, or not.
    Applied(Box<Result<Applied, FixError>>),
    /// What the controls said.
    Weighed(Box<super::weighing::Weighed>),
    /// Judging broke: which question, and how.
    WeighingBroke(u64, String),
    /// What the evaluator said about access.
    Answered(Box<Reply>),
    /// The journal, oldest first.
    Journal(Result<Vec<JournalEntry>, String>),
    /// Something to tell, from an effect.
    Notice(String),
    /// An effect failed; a sentence that says what to do.
    Failed(String),
}

/// What `update` asks for. [`Effect::Quit`], [`Effect::Suspend`], [`Effect::Redraw`], [`Effect::Copy`],
/// [`Effect::ReadTheme`], [`Effect::Export`], [`Effect::Ask`] and [`Effect::Weigh`] are carried out by the runtime; all
/// others go to the [`EffectRunner`].
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal back and stop until continued.
    Suspend,
    /// Draw the whole screen.
    Redraw,
    /// Put this on the terminal's clipboard.
    Copy(String),
    /// Read the user's theme again if its file changed.
    ReadTheme,
    /// Ask the evaluator about access; [`Message::Answered`] answers, in parts.
    Ask(Box<Question>),
    /// Judge the inventory; [`Message::Weighed`] answers.
    Weigh(Box<super::weighing::Weighing>),
    /// Write a file into the folder the console was started in; [`Message::Notice`] or [`Message::Failed`] answers.
    Export(super::export::Export),
    /// Tell the source.
    Source(Command),
    /// Make a fix that was confirmed; [`Message::Applied`] answers.
    Apply(Box<Approved>),
    /// Read the journal; [`Message::Journal`] answers.
    ReadJournal,
}

/// Carries effects out. Must not block: what takes time is spawned and answers through [`Replies`].
pub trait EffectRunner {
    /// Carries one out.
    fn run(&mut self, effect: Effect, replies: &Replies);
}

/// Where effects answer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Replies(tokio::sync::mpsc::UnboundedSender<Message>);

impl Replies {
    pub(super) fn new(sender: tokio::sync::mpsc::UnboundedSender<Message>) -> Self {
        Self(sender)
    }

    /// Sends an answer. When the console has gone, nobody needs it.
    pub fn send(&self, message: Message) {
        let _ = self.0.send(message);
    }
}
