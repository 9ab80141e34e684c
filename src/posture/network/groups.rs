//! CUS-NET-06: what the security groups of jobs let out and in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::{ResourceId, Text};
use crate::inventory::ec2::{Permission, SecurityGroup};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, HIPAA, NIST, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed_refs};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::reach::{JOB_LISTS, running};
use super::routes::is_private;

pub(in crate::posture) const NET_06: Control = Control {
    id: "CUS-NET-06",
    title: "Job security groups are minimal",
    severity: Severity::Medium,
    area: Area::Network,
    what: "security groups of customization and import jobs",
    lists: JOB_LISTS,
    tables: &[SourceId::SECURITY_GROUPS, SourceId::PREFIX_LISTS],
    details: &[],
    logic: "No egress rule of a job's security group may lead to the whole internet (0.0.0.0/0, ::/0, or a half of \
            either) for every protocol or for HTTPS, and no ingress rule may name public addresses. Other egress to \
            public addresses, or to a prefix list that is not the one of S3 (whose entries are not read), is a \
            warning. Best is tcp/443 to the prefix list of S3 and to the security groups of interface endpoints.",
    reasons: &["open-egress", "public-ingress", "public-egress", "other-prefix-list"],
    remediation: "Allow tcp/443 to the prefix list of S3 and to the security groups of the interface endpoints, then \
                  revoke the rest. Look first at what else is in the group.",
    cli: "aws ec2 revoke-security-group-egress --group-id GROUP --security-group-rule-ids RULE",
    compliance: &[
        (NIST, &["SC-7(5)", "AC-4"]),
        (FEDRAMP, &["SC-7"]),
        (PCI, &["1.2.5", "1.3.2"]),
        (HIPAA, &["164.312(e)(1)"]),
        (CIS, &["6.5"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["NET"]),
    ],
    fixes: &[],
    evaluate: groups,
};

fn groups(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    let mut used: BTreeMap<&ResourceId, BTreeSet<ResourceRef>> = BTreeMap::new();
    for running in running(inventory) {
        for group in running.vpc.into_iter().flat_map(|vpc| &vpc.security_groups) {
            used.entry(group).or_default().insert(running.job.clone());
        }
    }
    let mut verdicts = Vec::new();
    for (id, jobs) in used {
        let subject = judge.on(ResourceRef::new(Kind::SecurityGroup, id)).related(jobs.iter().cloned());
        let Some(group) = inventory.security_groups.get(id) else {
            verdicts.push(match judge.gap(SourceId::SECURITY_GROUPS) {
                Some(why) => subject.unread(why),
                None => subject.not_applicable(format!("security group {id} does not exist any more; see CUS-NET-01")),
            });
            continue;
        };
        let mut problems: Vec<Problem> = group.egress.iter().flat_map(|rule| outward(judge, group, rule)).collect();
        problems.extend(group.ingress.iter().flat_map(|rule| inward(group, rule)));
        let draft = subject
            .shows("IpPermissionsEgress", group.egress.len())
            .shows("IpPermissions", group.ingress.len())
            .shows("usedBy", listed_refs(context, &jobs));
        verdicts.extend(draft.conclude(problems, "leads to no public address and is open to none"));
    }
    verdicts
}

fn outward(judge: &Judge<'_>, group: &SecurityGroup, rule: &Permission) -> Vec<Problem> {
    let context = judge.context;
    let mut problems = Vec::new();
    for peer in rule.peers.iter().map(Text::as_str) {
        let what = format!("{} → {peer}", words(rule));
        let name = &group.name;
        match peer_of(context, peer) {
            Peer::Inside | Peer::S3 => {}
            Peer::World if carries_https(rule) => problems.push(
                Problem::fail("open-egress", format!("security group {name} lets jobs reach the internet by {what}"))
                    .shows("egress", &what),
            ),
            Peer::World | Peer::Public => problems.push(
                Problem::warn("public-egress", format!("security group {name} leads to public addresses by {what}"))
                    .shows("egress", &what),
            ),
            // What is not in a list that is not whole may be the list of S3.
            Peer::List(None) if judge.gap(SourceId::PREFIX_LISTS).is_some() => {}
            Peer::List(called) => {
                let called = called.unwrap_or("which no longer exists");
                let why = format!("security group {name} leads to the prefix list {peer} ({called}), not that of S3");
                problems.push(Problem::warn("other-prefix-list", why).shows("egress", &what));
            }
        }
    }
    problems
}

fn inward(group: &SecurityGroup, rule: &Permission) -> Vec<Problem> {
    let public = rule.peers.iter().map(Text::as_str).filter(|peer| block(peer).is_some() && !is_private(peer));
    public
        .map(|peer| {
            let what = format!("{} ← {peer}", words(rule));
            let why = format!("security group {} is open to public addresses by {what}", group.name);
            Problem::fail("public-ingress", why).shows("ingress", what)
        })
        .collect()
}

/// The other side of a rule.
enum Peer<'a> {
    /// Private addresses, or a group.
    Inside,
    /// The prefix list of S3 in this region.
    S3,
    /// The whole internet, or half of it.
    World,
    /// Other public addresses.
    Public,
    /// Another prefix list, by its name; none when it is not there.
    List(Option<&'a str>),
}

fn peer_of<'a>(context: &Context<'a>, peer: &str) -> Peer<'a> {
    if peer.starts_with("pl-") {
        let list = context.inventory.prefix_lists.get(peer);
        let s3 = format!(".{}.s3", context.region);
        return match list {
            Some(list) if list.owner == "AWS" && list.name.as_str().ends_with(&s3) => Peer::S3,
            list => Peer::List(list.map(|list| list.name.as_str())),
        };
    }
    match block(peer) {
        None => Peer::Inside,
        Some(_) if is_private(peer) => Peer::Inside,
        Some(bits) if bits <= 1 => Peer::World,
        Some(_) => Peer::Public,
    }
}

/// The length of a block's prefix; none for what is no block (a group).
fn block(peer: &str) -> Option<u8> {
    let (address, bits) = peer.split_once('/')?;
    address.parse::<IpAddr>().ok()?;
    bits.parse().ok()
}

fn carries_https(rule: &Permission) -> bool {
    let port = rule.ports.is_none_or(|(first, last)| first == -1 || (first <= 443 && 443 <= last));
    match rule.protocol.as_str() {
        "-1" => true,
        "tcp" | "6" | "udp" | "17" => port,
        _ => false,
    }
}

fn words(rule: &Permission) -> String {
    let protocol = if rule.protocol == "-1" { "all traffic" } else { rule.protocol.as_str() };
    match rule.ports {
        Some((first, last)) if rule.protocol != "-1" && first != -1 && first == last => format!("{protocol}/{first}"),
        Some((first, last)) if rule.protocol != "-1" && first != -1 => format!("{protocol}/{first}-{last}"),
        _ => protocol.to_owned(),
    }
}
