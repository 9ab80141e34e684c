//! CUS-NET-07: whether names of AWS resolve in the VPCs of jobs.

use crate::base::ResourceId;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{FEDRAMP, NIST, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::reach::JOB_LISTS;

pub(in crate::posture) const NET_07: Control = Control {
    id: "CUS-NET-07",
    title: "VPC DNS lets standard S3 URLs resolve",
    severity: Severity::Low,
    area: Area::Network,
    what: "VPCs of customization and import jobs",
    lists: JOB_LISTS,
    tables: &[SourceId::SUBNETS, SourceId::VPCS, SourceId::DHCP_OPTIONS],
    details: &[SourceId::VPC_ATTRIBUTES],
    logic: "Each VPC of jobs must have enableDnsSupport and enableDnsHostnames on. Its DHCP options should name \
            AmazonProvidedDNS: with name servers of your own, whether the names of endpoints resolve depends on them, \
            which the tool cannot see.",
    reasons: &["dns-support-off", "dns-hostnames-off", "custom-dns"],
    remediation: "Switch both DNS attributes on; with name servers of your own, let them forward to the VPC's resolver.",
    cli: "aws ec2 modify-vpc-attribute --vpc-id VPC --enable-dns-hostnames",
    compliance: &[(NIST, &["SC-20"]), (FEDRAMP, &["SC-20"]), (SRA, &["NET"])],
    fixes: &[],
    evaluate: resolution,
};

/// What EC2 calls the VPC's own resolver.
const OWN_RESOLVER: &str = "AmazonProvidedDNS";

fn resolution(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    let mut verdicts = Vec::new();
    for (&id, network) in &judge.tables().networks {
        let subject = judge.on(ResourceRef::new(Kind::Vpc, id)).related(network.references());
        let Some(vpc) = inventory.vpcs.get(id) else {
            let none = || format!("VPC {id} is not in the inventory");
            verdicts.push(subject.unread(judge.gap(SourceId::VPCS).map_or_else(none, |gap| gap.to_string())));
            continue;
        };
        let attribute = |read: &crate::inventory::Read<bool>| {
            read.known().copied().map_err(|unknown| unread("ec2:DescribeVpcAttribute", unknown))
        };
        let (support, hostnames) = match (attribute(&vpc.dns_support), attribute(&vpc.dns_hostnames)) {
            (Ok(support), Ok(hostnames)) => (support, hostnames),
            (Err(why), _) | (_, Err(why)) => {
                verdicts.push(subject.unread(why));
                continue;
            }
        };
        let name = context.name_of(&ResourceRef::new(Kind::Vpc, id));
        let options = vpc.dhcp_options.as_ref();
        let servers = options.and_then(|options| inventory.dhcp_options.get(options)).map(|held| &held.name_servers);
        let draft = subject
            .shows("enableDnsSupport", support)
            .shows("enableDnsHostnames", hostnames)
            .shows("dhcpOptionsId", options.map_or("none", ResourceId::as_str))
            .shows_some("domain-name-servers", servers.map(listed));
        let mut problems = Vec::new();
        if !support {
            let why = format!("VPC {name} has no DNS (enableDnsSupport is off): no name of AWS resolves");
            problems.push(Problem::fail("dns-support-off", why));
        }
        if !hostnames {
            let why = format!("VPC {name} gives no DNS names (enableDnsHostnames is off): private DNS does not work");
            problems.push(Problem::fail("dns-hostnames-off", why));
        }
        let own = servers.is_some_and(|servers| servers.iter().any(|server| server == OWN_RESOLVER));
        if !own {
            match (options, servers) {
                // why: `default` stands for no options at all; EC2 lists none of that id.
                (Some(options), None) if options != "default" && judge.gap(SourceId::DHCP_OPTIONS).is_some() => {}
                (Some(options), None) if options != "default" => {
                    let why = format!("the DHCP options {options} of VPC {name} are not in the inventory");
                    verdicts.push(draft.undecided("dhcp-options-missing", why));
                    continue;
                }
                _ => {
                    let which = servers.filter(|servers| !servers.is_empty()).map_or("none".to_owned(), listed);
                    let why = format!("VPC {name} does not name {OWN_RESOLVER} as its name server, but {which}");
                    problems.push(Problem::warn("custom-dns", why));
                }
            }
        }
        verdicts.extend(draft.conclude(problems, "names of AWS resolve by the VPC's own resolver"));
    }
    verdicts
}
