//! Training data and model artefacts, looked into: secrets, personal data, planted instructions, invisible
//! characters and repeated triggers in text; structure, pickles and code in model files. Pure: bytes in,
//! masked hits out. It knows no AWS, executes nothing, loads no model, and never hands out what it found:
//! a [`Hit`] has no place for the secret.

pub mod artefact;
pub mod bytes;
pub mod data;
pub mod digests;
pub mod find;
pub mod hit;
pub mod inflate;
pub mod json;
pub mod mask;
pub mod meter;
pub mod opinion;
pub mod rules;
mod swar;
pub mod talk;

pub use bytes::{ByteSource, LocalFile};
pub use hit::{Findings, Hit, Place};
pub use mask::Masks;
pub use rules::{Class, RULES, Rule, Severity};
