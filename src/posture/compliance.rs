//! Frameworks: which of their requirements the controls speak to, how those stand, and what no tool
//! can attest.

use std::collections::BTreeMap;

use super::catalogue::{CONTROLS, framework};
use super::control::Control;
use super::verdict::{Assessment, Status};

/// A framework that controls are mapped to.
#[derive(Debug, PartialEq, Eq)]
pub struct Framework {
    /// What the command line calls it.
    pub id: &'static str,
    /// Its name in [`Control::compliance`].
    pub name: &'static str,
    /// What this report is not.
    pub limits: &'static str,
}

/// Every framework, once.
pub static FRAMEWORKS: &[Framework] = &[
    Framework {
        id: "sra",
        name: framework::SRA,
        limits: "The parts of AWS's guidance that can be read from an account. Training of people, the choice of data \
                 and the review of models are not among them.",
    },
    Framework {
        id: "nist-800-53",
        name: framework::NIST,
        limits: "Technical evidence for a few of the catalogue's controls, on resources of model customization only. \
                 Policies, procedures and everything outside customization are not judged.",
    },
    Framework {
        id: "fedramp-moderate",
        name: framework::FEDRAMP,
        limits: "Evidence for an assessor, not an assessment: only an accredited assessor attests FedRAMP.",
    },
    Framework {
        id: "pci-dss",
        name: framework::PCI,
        limits: "Applies where training data or prompts can hold cardholder data. Scope, procedures and interviews are \
                 an assessor's; nothing here attests PCI DSS.",
    },
    Framework {
        id: "hipaa",
        name: framework::HIPAA,
        limits: "Technical safeguards only. Administrative and physical safeguards and business associate agreements \
                 are not visible to a tool.",
    },
    Framework {
        id: "gdpr",
        name: framework::GDPR,
        limits: "Security of processing as far as configuration shows it. Lawfulness, consent, retention decisions and \
                 impact assessments are not visible to a tool.",
    },
    Framework {
        id: "cis",
        name: framework::CIS,
        limits: "The benchmark has no item on Bedrock; these are its general items, judged on what customization uses.",
    },
    Framework {
        id: "cis-7",
        name: framework::CIS_7,
        limits: "The benchmark has no item on Bedrock; these are its general items, judged on what customization uses.",
    },
    Framework {
        id: "owasp-llm",
        name: framework::OWASP,
        limits: "A list of risks, not of requirements: a pass says that a safeguard is in place, not that the risk is gone.",
    },
    Framework {
        id: "mitre-atlas",
        name: framework::ATLAS,
        limits: "Techniques and mitigations: a pass says that a mitigation is configured, not that it stops an attacker.",
    },
];

/// A framework by its id, in any case.
pub fn framework(id: &str) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|framework| framework.id.eq_ignore_ascii_case(id))
}

impl Framework {
    /// The controls mapped to it.
    pub fn controls(&self) -> impl Iterator<Item = &'static Control> {
        CONTROLS.iter().filter(|control| self.ids(control).next().is_some())
    }

    fn ids(&self, control: &'static Control) -> impl Iterator<Item = &'static str> {
        let mapped = control.compliance.iter().filter(|(name, _)| *name == self.name);
        mapped.flat_map(|(_, ids)| ids.iter().copied())
    }
}

/// One requirement, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// As the framework writes it.
    pub id: &'static str,
    /// The worst of its controls' verdicts: Fail, then Unknown, then Warn. Pass only if something passed.
    pub status: Status,
    /// The controls that speak to it.
    pub controls: Vec<&'static str>,
}

/// The requirements of a framework that controls speak to, in the framework's order of ids.
pub fn requirements(framework: &Framework, assessment: &Assessment) -> Vec<Requirement> {
    let mut all: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for control in framework.controls() {
        for id in framework.ids(control) {
            all.entry(id).or_default().push(control.id);
        }
    }
    all.into_iter()
        .map(|(id, controls)| {
            let statuses = assessment.verdicts.iter().filter(|v| controls.contains(&v.control)).map(|v| v.status);
            Requirement {
                id,
                status: statuses.min_by_key(|status| rank(*status)).unwrap_or(Status::NotApplicable),
                controls,
            }
        })
        .collect()
}

/// The place of a status among requirements, worst first. An Unknown outweighs a Warn: a requirement that was not looked at is not met "with remarks".
pub fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Unknown => 1,
        Status::Warn => 2,
        // Someone accepted a failure: the requirement is not met by that.
        Status::Muted => 3,
        Status::Pass => 4,
        Status::NotApplicable => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::SourceId;
    use crate::posture::assess;
    use crate::posture::fixtures::{deny, healthy, with_context};

    #[test]
    fn every_name_in_the_catalogue_is_a_framework_and_every_framework_is_used() {
        for control in CONTROLS {
            for (name, _) in control.compliance {
                assert!(FRAMEWORKS.iter().any(|framework| framework.name == *name), "{}: {name}", control.id);
            }
        }
        for framework in FRAMEWORKS {
            assert!(framework.controls().next().is_some(), "{}", framework.id);
        }
    }

    #[test]
    fn a_requirement_stands_as_its_worst_control() {
        let nist = framework("NIST-800-53").unwrap();
        let healthy_account = with_context(&healthy(), assess);
        let all = requirements(nist, &healthy_account);
        assert!(all.iter().all(|requirement| requirement.status == Status::Pass), "{all:?}");
        let mut denied = healthy();
        deny(&mut denied, SourceId::ROTATION);
        let unknown = requirements(nist, &with_context(&denied, assess));
        let of_rotation = |requirement: &&Requirement| requirement.controls.contains(&"CUS-KMS-04");
        assert!(unknown.iter().filter(of_rotation).all(|requirement| requirement.status == Status::Unknown));
        assert!(unknown.iter().any(|requirement| requirement.status == Status::Pass));
    }
}
