//! Controls over an inventory: what is right, wrong, weak or not known, with evidence.

pub mod verdict;

pub use verdict::{Area, Assessment, Evidence, Severity, Status, Verdict};
