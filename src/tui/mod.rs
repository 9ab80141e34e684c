//! The console: an Elm loop. [`update::update`] changes the [`Model`], [`view::view`] draws it,
//! [`runtime`] feeds the one and calls the other. What reaches outside is an [`Effect`].

mod ascii;
mod become_role;
mod clipboard;
pub mod config;
mod deep;
pub mod driver;
mod export;
mod filter;
mod fit;
mod fixing;
mod fixing_tabs;
mod fixing_view;
mod footer;
mod header;
mod held;
mod help;
mod input;
mod invoked;
mod journaled;
mod judged;
pub mod keymap;
mod layout;
mod lineage;
mod list;
mod log;
mod matrix;
mod message;
mod model;
mod names;
mod navigate;
mod page;
mod palette;
mod pane;
mod record;
mod refusal;
mod runtime;
pub mod screenshot;
mod terminal;
pub mod theme;
mod thrift;
mod tree;
mod typing;
pub mod update;
pub mod view;
mod weighing;

pub use export::Export;
pub use judged::{Judge, Question};
pub use message::{Effect, EffectRunner, Message, Replies};
pub use model::{Model, Options, Place};
pub use pane::Pane;
pub use runtime::{Error, run};
pub use terminal::TerminalError;

#[cfg(test)]
mod tests;
