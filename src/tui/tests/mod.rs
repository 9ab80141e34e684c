//! The console, driven by hand over a small made-up account.

mod behaviour;
mod budget;
mod fixture;
mod happened;
mod screens;
