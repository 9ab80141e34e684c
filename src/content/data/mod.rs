//! Training and validation data: streamed line by line with bounded memory, checked against the formats that
//! Bedrock takes, searched for what must not be trained on.

mod block;
mod crew;
mod keep;
mod lines;
mod look;
mod phrases;
mod record;
mod repeats;
mod report;
mod scan;
mod tables;
mod words;

pub use record::Shape;
pub use repeats::Count;
pub use report::{FileReport, Repetition, Report};
pub use scan::{Options, Scanner, Suffix};

#[cfg(test)]
mod tests;
