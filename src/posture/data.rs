//! Data: what jobs learn from, and who can change it.

pub(super) mod content;
pub(super) mod drift;
pub(super) mod objects;
