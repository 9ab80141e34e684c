//! Guardrails: what stands between a custom model and those who talk to it.

#[cfg(test)]
pub(super) mod condition_tests;
mod conditions;

pub(super) use conditions::GRD_03;
