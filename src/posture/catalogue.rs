//! Every control, declared once. Lists, help, exports and documentation derive from this.

use super::control::Control;
use super::{data, detection, encryption, guardrails, identity, import, invocation, logging, network};

/// The controls, by area and number.
pub static CONTROLS: &[Control] = &[
    encryption::KMS_01,
    encryption::KMS_02,
    encryption::KMS_03,
    encryption::KMS_04,
    encryption::KMS_05,
    encryption::KMS_06,
    encryption::KMS_07,
    encryption::KMS_08,
    encryption::KMS_09,
    encryption::KMS_10,
    identity::IAM_01,
    identity::IAM_02,
    identity::IAM_03,
    identity::IAM_04,
    identity::IAM_05,
    identity::IAM_06,
    identity::IAM_07,
    identity::IAM_08,
    identity::IAM_09,
    identity::IAM_10,
    identity::IAM_11,
    identity::IAM_12,
    network::NET_01,
    network::NET_02,
    network::NET_03,
    network::NET_04,
    network::NET_05,
    network::NET_06,
    network::NET_07,
    network::NET_08,
    network::NET_09,
    network::NET_10,
    data::DAT_01,
    data::DAT_02,
    data::DAT_03,
    data::DAT_04,
    data::DAT_05,
    data::DAT_06,
    data::DAT_07,
    data::DAT_08,
    data::DAT_09,
    data::DAT_10,
    data::DAT_11,
    data::DAT_12,
    logging::LOG_01,
    logging::LOG_02,
    logging::LOG_03,
    logging::LOG_04,
    logging::LOG_05,
    logging::LOG_06,
    logging::LOG_07,
    logging::LOG_08,
    logging::LOG_09,
    logging::LOG_10,
    logging::LOG_11,
    logging::LOG_12,
    detection::DET_01,
    detection::DET_02,
    detection::DET_03,
    detection::DET_04,
    detection::DET_05,
    detection::DET_06,
    detection::DET_07,
    detection::DET_08,
    detection::DET_09,
    detection::DET_10,
    guardrails::GRD_01,
    guardrails::GRD_02,
    guardrails::GRD_03,
    guardrails::GRD_04,
    guardrails::GRD_05,
    guardrails::GRD_06,
    guardrails::GRD_07,
    import::IMP_01,
    import::IMP_02,
    import::IMP_03,
    import::IMP_04,
    import::IMP_05,
    import::IMP_06,
    import::IMP_07,
    import::IMP_08,
    invocation::INV_01,
    invocation::INV_02,
    invocation::INV_03,
    invocation::INV_04,
    invocation::INV_05,
    invocation::INV_06,
    invocation::INV_07,
    invocation::INV_08,
    invocation::INV_09,
];

/// A control by its id.
pub fn control(id: &str) -> Option<&'static Control> {
    CONTROLS.iter().find(|control| control.id == id)
}

/// Names of the frameworks of [`Control::compliance`].
pub mod framework {
    /// NIST SP 800-53, revision 5.
    pub const NIST: &str = "NIST 800-53 r5";
    /// FedRAMP, Moderate baseline.
    pub const FEDRAMP: &str = "FedRAMP Moderate";
    /// PCI DSS.
    pub const PCI: &str = "PCI DSS 4.0.1";
    /// HIPAA Security Rule.
    pub const HIPAA: &str = "HIPAA";
    /// GDPR, articles.
    pub const GDPR: &str = "GDPR";
    /// CIS AWS Foundations Benchmark.
    pub const CIS: &str = "CIS AWS 6.0";
    /// The same, next version.
    pub const CIS_7: &str = "CIS AWS 7.0";
    /// OWASP Top 10 for LLM applications.
    pub const OWASP: &str = "OWASP LLM 2025";
    /// MITRE ATLAS techniques and mitigations.
    pub const ATLAS: &str = "MITRE ATLAS 5.6";
    /// AWS Security Reference Architecture, generative AI, capability 4.
    pub const SRA: &str = "AWS SRA GenAI 4";
}
