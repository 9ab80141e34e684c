//! CUS-NET-01: whether customization jobs run in a VPC of this account that still exists.

use std::collections::BTreeSet;

use crate::base::{ResourceId, Text};
use crate::inventory::SourceId;
use crate::inventory::bedrock::VpcConfig;
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::jobs;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const NET_01: Control = Control {
    id: "CUS-NET-01",
    title: "Customization job runs in your VPC",
    severity: Severity::High,
    area: Area::Network,
    what: "customization jobs",
    lists: &[SourceId::JOBS],
    tables: &[SourceId::SUBNETS, SourceId::SECURITY_GROUPS],
    details: &[SourceId::JOB_DETAILS],
    logic: "Each job must name subnets and security groups (vpcConfig), and those must still exist. No IAM condition \
            can force it, so detection is the only control.",
    reasons: &["no-vpc", "dangling-subnet", "dangling-security-group"],
    remediation: "Submit the job again with vpcConfig.",
    cli: "aws bedrock create-model-customization-job --vpc-config subnetIds=SUBNET,securityGroupIds=GROUP …",
    compliance: &[
        (NIST, &["SC-7", "AC-4"]),
        (FEDRAMP, &["SC-7", "AC-4"]),
        (PCI, &["1.3.1", "1.4.4"]),
        (HIPAA, &["164.312(e)(1)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["NET"]),
    ],
    fixes: &[],
    evaluate: jobs_in_vpc,
};

fn jobs_in_vpc(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    // What is missing from a list that is not whole is not known to be gone.
    let [subnets, groups] = [SourceId::SUBNETS, SourceId::SECURITY_GROUPS].map(|list| judge.gap(list).is_none());
    jobs::each(judge, inventory.jobs.values(), |subject, job, detail| {
        let none = VpcConfig::default();
        let vpc = detail.vpc.as_ref().unwrap_or(&none);
        let or_none = |ids: &[ResourceId]| if ids.is_empty() { "none".to_owned() } else { listed(ids) };
        let zones: BTreeSet<&Text> =
            vpc.subnets.iter().filter_map(|id| inventory.subnets.get(id)).map(|subnet| &subnet.zone).collect();
        let draft = subject
            .shows("subnetIds", or_none(&vpc.subnets))
            .shows("securityGroupIds", or_none(&vpc.security_groups))
            .shows("status", &job.status)
            .shows_some("zones", (!zones.is_empty()).then(|| listed(&zones)));
        let mut problems = Vec::new();
        if vpc.subnets.is_empty() || vpc.security_groups.is_empty() {
            let what = match (vpc.subnets.is_empty(), vpc.security_groups.is_empty()) {
                (true, true) => "names no VPC: it runs in Bedrock's own network",
                (true, false) => "names security groups but no subnets",
                _ => "names subnets but no security groups",
            };
            problems.push(Problem::fail("no-vpc", format!("job {} {what}", job.name)));
        }
        if subnets {
            let gone = vpc.subnets.iter().filter(|id| !inventory.subnets.contains_key(*id));
            problems.extend(gone.map(|id| {
                Problem::warn("dangling-subnet", format!("subnet {id} of job {} does not exist any more", job.name))
            }));
        }
        if groups {
            let gone = vpc.security_groups.iter().filter(|id| !inventory.security_groups.contains_key(*id));
            problems.extend(gone.map(|id| {
                Problem::warn(
                    "dangling-security-group",
                    format!("security group {id} of job {} does not exist any more", job.name),
                )
            }));
        }
        draft.conclude(problems, "runs in a VPC of this account")
    })
}
