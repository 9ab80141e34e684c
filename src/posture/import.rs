//! Import: how imported models are encrypted, where their jobs run, as whom, and what made the weights.

mod keys;
mod network;
mod role;
#[cfg(test)]
pub(super) mod tests;
mod training;

pub(super) use keys::IMP_01;
pub(super) use network::IMP_02;
pub(super) use role::IMP_06;
pub(super) use training::IMP_08;
