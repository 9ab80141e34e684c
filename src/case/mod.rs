//! The case: one file that holds what was seen and what was done. Knows nothing of AWS and of
//! screens. Bodies of prompts and completions are never stored.

pub mod error;
pub mod export;
pub mod file;
pub mod journal;
pub mod place;
pub mod sightings;
pub mod store;
pub mod story;

#[cfg(test)]
mod sample;

pub use error::CaseError;
pub use export::Export;
pub use file::Case;
pub use journal::{Broken, Entry, Head};
pub use sightings::{Changes, Seen, Sighting};
pub use store::Snapshot;
pub use story::Step;
