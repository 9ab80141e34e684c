//! Every control, declared once. Lists, help, exports and documentation derive from this.

use super::control::Control;
use super::{data, detection, encryption, identity, logging, network};

/// The controls, by area and number.
pub static CONTROLS: &[Control] = &[
    encryption::KMS_01,
    encryption::KMS_02,
    encryption::KMS_03,
    encryption::KMS_04,
    encryption::KMS_06,
    encryption::KMS_07,
    identity::IAM_01,
    identity::IAM_02,
    network::NET_01,
    network::NET_02,
    data::DAT_01,
    data::DAT_03,
    data::DAT_04,
    data::DAT_05,
    data::DAT_06,
    data::DAT_08,
    data::DAT_10,
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
