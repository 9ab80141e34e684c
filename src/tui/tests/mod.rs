//! The console, driven by hand over a small made-up account.

mod behaviour;
mod budget;
mod drawn;
mod fixing;
pub mod fixture;
mod happened;
mod matrix;
mod of_then;
mod screens;
mod unread;
mod ways;
mod weighing;
