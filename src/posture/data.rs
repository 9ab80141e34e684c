//! Data: what models learn from, who may read it and who may change it.

pub(super) mod content;
pub(super) mod drift;
pub(super) mod objects;
#[cfg(test)]
pub(super) mod writer_tests;
mod writers;

pub(super) use content::DAT_09;
pub(super) use drift::DAT_11;
pub(super) use objects::DAT_02;
pub(super) use writers::DAT_07;
