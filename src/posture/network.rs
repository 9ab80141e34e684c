//! Network: where customization jobs run, and what they can reach from there.

#[cfg(test)]
pub(super) mod interface_tests;
mod interfaces;
#[cfg(test)]
pub(super) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use super::control::Control;
use super::judge::{Judge, Problem, listed, listed_refs, unread};
use super::verdict::{Area, Severity, Verdict};
use crate::base::{ResourceId, Text};
use crate::inventory::ec2::Route;
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) use interfaces::NET_10;

pub(super) const NET_01: Control = Control {
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
    let mut verdicts = Vec::new();
    for job in inventory.jobs.values() {
        let subject = judge.on(ResourceRef::new(Kind::Job, &job.arn));
        let detail = match job.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("bedrock:GetModelCustomizationJob", unknown)));
                continue;
            }
        };
        let vpc = detail.vpc.clone().unwrap_or_default();
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
        // What is missing from a list that is not whole is not known to be gone.
        if judge.any_gap(&[SourceId::SUBNETS]).is_none() {
            let gone = vpc.subnets.iter().filter(|id| !inventory.subnets.contains_key(*id));
            problems.extend(gone.map(|id| {
                Problem::warn("dangling-subnet", format!("subnet {id} of job {} does not exist any more", job.name))
            }));
        }
        if judge.any_gap(&[SourceId::SECURITY_GROUPS]).is_none() {
            let gone = vpc.security_groups.iter().filter(|id| !inventory.security_groups.contains_key(*id));
            problems.extend(gone.map(|id| {
                Problem::warn(
                    "dangling-security-group",
                    format!("security group {id} of job {} does not exist any more", job.name),
                )
            }));
        }
        verdicts.extend(draft.conclude(problems, "runs in a VPC of this account"));
    }
    verdicts
}

pub(super) const NET_02: Control = Control {
    id: "CUS-NET-02",
    title: "Job subnets have no path to the internet",
    severity: Severity::High,
    area: Area::Network,
    what: "subnets of customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::SUBNETS, SourceId::ROUTE_TABLES],
    details: &[],
    logic: "The route table that a job's subnet follows (its own, else the VPC's main one) must have no active route to \
            public addresses, IPv4 or IPv6, through an internet, NAT, egress-only or carrier gateway. A route to public \
            addresses through anything else outside the VPC (transit or virtual private gateway, peering, an appliance) \
            is a warning. The subnet must not give out public addresses.",
    reasons: &["internet-route", "public-ip-on-launch", "leaves-vpc"],
    remediation: "Remove the route, or move the job to isolated subnets with VPC endpoints.",
    cli: "aws ec2 delete-route --route-table-id TABLE --destination-cidr-block 0.0.0.0/0",
    compliance: &[
        (NIST, &["SC-7", "SC-7(3)", "AC-4"]),
        (FEDRAMP, &["SC-7", "SC-7(3)", "AC-4"]),
        (PCI, &["1.3.2", "1.4.2"]),
        (HIPAA, &["164.312(e)(1)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["NET"]),
    ],
    fixes: &[],
    evaluate: subnets_isolated,
};

fn subnets_isolated(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut used: BTreeMap<&ResourceId, BTreeSet<ResourceRef>> = BTreeMap::new();
    for job in inventory.jobs.values() {
        let Some(vpc) = job.detail.known().ok().and_then(|detail| detail.vpc.as_ref()) else { continue };
        for subnet in &vpc.subnets {
            used.entry(subnet).or_default().insert(ResourceRef::new(Kind::Job, &job.arn));
        }
    }
    let mut verdicts = Vec::new();
    for (id, jobs) in used {
        let subject = judge.on(ResourceRef::new(Kind::Subnet, id)).related(jobs.iter().cloned());
        let Some(subnet) = inventory.subnets.get(id) else {
            verdicts.push(match judge.gap(SourceId::SUBNETS) {
                Some(why) => subject.unread(why),
                None => subject.not_applicable(format!("subnet {id} does not exist any more; see CUS-NET-01")),
            });
            continue;
        };
        let Some(table) = inventory.route_table_of(id) else {
            let why = judge
                .gap(SourceId::ROUTE_TABLES)
                .unwrap_or_else(|| Text::new(format!("no route table of {} is in the inventory", subnet.vpc)));
            verdicts.push(subject.unread(why));
            continue;
        };
        let subject = subject.related([ResourceRef::new(Kind::RouteTable, &table.id)]);
        let how = if table.subnets.contains(id) { "its own" } else { "the VPC's main one" };
        let draft = subject
            .shows("routeTable", format!("{} ({how})", table.id))
            .shows("MapPublicIpOnLaunch", subnet.public_ip)
            .shows("usedBy", listed_refs(judge.context, &jobs));
        let name = judge.context.name_of(&ResourceRef::new(Kind::Subnet, id));
        let mut problems = Vec::new();
        for route in table.routes.iter().filter(|route| route.state != "blackhole") {
            let what = format!("{} → {}", route.destination, route.target);
            match way_out(route) {
                Way::Stays => {}
                Way::Internet => problems.push(
                    Problem::fail("internet-route", format!("subnet {name} reaches the internet by {what}"))
                        .shows("route", what),
                ),
                Way::Leaves => problems.push(
                    Problem::warn(
                        "leaves-vpc",
                        format!("subnet {name} sends public addresses out of the VPC by {what}"),
                    )
                    .shows("route", what),
                ),
            }
        }
        if subnet.public_ip {
            let why = format!("subnet {name} gives public addresses to what starts in it");
            problems.push(Problem::fail("public-ip-on-launch", why).graded(Severity::Medium));
        }
        verdicts.extend(draft.conclude(problems, format!("{} leads nowhere outside", table.id)));
    }
    verdicts
}

#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Within the VPC, to an endpoint, or to private addresses.
    Stays,
    /// To the internet.
    Internet,
    /// Public addresses, through something else outside the VPC.
    Leaves,
}

fn way_out(route: &Route) -> Way {
    let target = route.target.as_str();
    let destination = route.destination.as_str();
    let kind = target.split('-').next().unwrap_or_default();
    if target == "local" || is_private(destination) {
        return Way::Stays;
    }
    match kind {
        "igw" | "nat" | "eigw" | "cagw" => Way::Internet,
        // A prefix list behind an endpoint is the gateway endpoint of a service.
        "vpce" if destination.starts_with("pl-") => Way::Stays,
        _ => Way::Leaves,
    }
}

/// Whether every address of a block is private: RFC 1918, shared (RFC 6598), link-local, or unique
/// local in IPv6 (RFC 4193). What is no block (a prefix list) is not known to be.
fn is_private(block: &str) -> bool {
    let Some((address, bits)) = block.split_once('/') else { return false };
    let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u8>()) else { return false };
    match address {
        IpAddr::V4(address) => {
            const PRIVATE: [(u32, u8); 5] =
                [(0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16), (0x6440_0000, 10), (0xa9fe_0000, 16)];
            PRIVATE.iter().any(|(net, length)| bits >= *length && (address.to_bits() ^ net) >> (32 - length) == 0)
        }
        IpAddr::V6(address) => {
            const PRIVATE: [(u128, u8); 2] = [(0xfc00 << 112, 7), (0xfe80 << 112, 10)];
            PRIVATE.iter().any(|(net, length)| bits >= *length && (address.to_bits() ^ net) >> (128 - length) == 0)
        }
    }
}
