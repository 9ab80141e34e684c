//! Data: what models learn from, who may read it and who may change it.

#[cfg(test)]
pub(super) mod writer_tests;
mod writers;

pub(super) use writers::DAT_07;
