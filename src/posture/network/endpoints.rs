//! CUS-NET-03: whether the subnets of jobs reach S3 through an endpoint.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ResourceId, Text};
use crate::inventory::ec2::{Endpoint, RouteTable};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::reach::{Network, endpoints_of, is_available};
use super::routes::{Way, way_out};

pub(in crate::posture) const NET_03: Control = Control {
    id: "CUS-NET-03",
    title: "S3 gateway endpoint exists and covers the job subnets",
    severity: Severity::High,
    area: Area::Network,
    what: "VPCs of customization and import jobs",
    lists: &[],
    // why the jobs too: one that is not known may run in another subnet of the VPC.
    tables: &[
        SourceId::JOBS,
        SourceId::JOB_DETAILS,
        SourceId::IMPORT_JOBS,
        SourceId::IMPORT_JOB_DETAILS,
        SourceId::SUBNETS,
        SourceId::ROUTE_TABLES,
        SourceId::ENDPOINTS,
    ],
    details: &[],
    logic: "Each VPC that jobs run in must have an available S3 gateway endpoint of this Region that is entered in the \
            route table of every subnet a job names (its own table, else the VPC's main one). An available S3 \
            interface endpoint with private DNS does as well, where there is no gateway endpoint; where there are \
            both, it is not known which one the subnets use, because the private DNS may be for inbound resolvers \
            only. Without an endpoint, jobs in isolated subnets cannot read their data, and jobs elsewhere send it \
            by another way.",
    reasons: &["no-endpoint", "not-available", "route-table-missing", "private-dns-off"],
    remediation: "Create an S3 gateway endpoint in the VPC, or enter the missing route tables in the one there is.",
    cli: "aws ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT --add-route-table-ids TABLE",
    compliance: &[
        (NIST, &["SC-7", "AC-4"]),
        (FEDRAMP, &["SC-7", "AC-4"]),
        (PCI, &["1.3.1"]),
        (HIPAA, &["164.312(e)(1)"]),
        (GDPR, &["32"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["NET", "S3"]),
    ],
    fixes: &[],
    evaluate: ways_to_s3,
};

/// A route table, and the jobs' subnets that follow it.
type Followed<'a> = (&'a RouteTable, Vec<&'a ResourceId>);

fn ways_to_s3(judge: &Judge<'_>) -> Vec<Verdict> {
    judge.tables().networks.iter().flat_map(|(vpc, network)| of_vpc(judge, vpc, network)).collect()
}

fn of_vpc<'a>(judge: &Judge<'a>, vpc: &ResourceId, network: &Network<'a>) -> Vec<Verdict> {
    let s3 = endpoints_of(judge.context.inventory, vpc, judge.context.region, "s3");
    let subject = judge
        .on(ResourceRef::new(Kind::Vpc, vpc))
        .related(network.references())
        .related(s3.iter().map(|endpoint| ResourceRef::new(Kind::Endpoint, &endpoint.id)));
    let way = way_to_s3(judge, vpc, &network.subnets);
    if let Err(NoWay::Unread(why)) = way {
        return vec![subject.unread(why)];
    }
    let tables = followed(judge, &network.subnets).map(|tables| listed(tables.keys())).unwrap_or_default();
    let draft = subject
        .shows("endpoints", or_none(s3.iter().map(|one| format!("{} ({}, {})", one.id, one.kind, one.state))))
        .shows("routeTables", tables)
        .shows("subnets", listed(&network.subnets));
    match way {
        Ok(how) => vec![draft.pass(how)],
        Err(NoWay::Unsure(why)) => vec![draft.undecided("private-dns-scope", why)],
        Err(NoWay::Missing(problem)) => draft.conclude(vec![problem], ""),
        Err(NoWay::Unread(why)) => vec![draft.undecided("unread", why)],
    }
}

/// Why subnets do not reach S3 through an endpoint, as far as is known.
pub(in crate::posture) enum NoWay {
    /// Something of it was not read.
    Unread(Text),
    /// It depends on what is not told.
    Unsure(String),
    /// They do not; with the sub-reasons of CUS-NET-03.
    Missing(Problem),
}

/// The tables that subnets follow; else those subnets of which none is known.
fn followed<'a>(
    judge: &Judge<'a>,
    subnets: &BTreeSet<&'a ResourceId>,
) -> Result<BTreeMap<&'a ResourceId, Followed<'a>>, Vec<&'a ResourceId>> {
    let (mut tables, mut lost): (BTreeMap<&ResourceId, Followed<'_>>, Vec<&ResourceId>) = (BTreeMap::new(), Vec::new());
    for subnet in subnets.iter().copied() {
        match judge.context.inventory.route_table_of(subnet) {
            Some(table) => tables.entry(&table.id).or_insert_with(|| (table, Vec::new())).1.push(subnet),
            None => lost.push(subnet),
        }
    }
    if lost.is_empty() { Ok(tables) } else { Err(lost) }
}

/// How these subnets of a VPC reach S3.
pub(in crate::posture) fn way_to_s3<'a>(
    judge: &Judge<'a>,
    vpc: &ResourceId,
    subnets: &BTreeSet<&'a ResourceId>,
) -> Result<String, NoWay> {
    let context = judge.context;
    let s3 = endpoints_of(context.inventory, vpc, context.region, "s3");
    let gap = judge.any_gap(&[SourceId::SUBNETS, SourceId::ROUTE_TABLES, SourceId::ENDPOINTS]);
    let tables = followed(judge, subnets).map_err(|lost| {
        let none = || Text::new(format!("no route table of {} is in the inventory", listed(&lost)));
        NoWay::Unread(gap.clone().unwrap_or_else(none))
    })?;
    let usable: Vec<&Endpoint> = s3.iter().copied().filter(|endpoint| is_available(endpoint)).collect();
    let entered: BTreeSet<&ResourceId> = usable.iter().flat_map(|endpoint| &endpoint.route_tables).collect();
    let missing: Vec<&Followed<'_>> = tables.values().filter(|(table, _)| !entered.contains(&table.id)).collect();
    let resolved = usable.iter().find(|endpoint| is_interface(endpoint) && endpoint.private_dns);
    if missing.is_empty() {
        let through = listed(usable.iter().filter(|one| !is_interface(one)).map(|one| &one.id));
        return Ok(format!("every route table of the jobs' subnets leads to S3 through {through}"));
    }
    let without = listed(missing.iter().map(|(table, _)| &table.id));
    if let Some(interface) = resolved {
        if s3.iter().all(|endpoint| is_interface(endpoint)) {
            return Ok(format!("S3 resolves to the interface endpoint {}", interface.id));
        }
        return Err(NoWay::Unsure(format!(
            "{without} are not entered in a gateway endpoint; whether {} serves them depends on whether its private \
             DNS is for inbound resolvers only, which is not read",
            interface.id
        )));
    }
    // What is not in a list that is not whole may be there all the same.
    if let Some(why) = gap {
        return Err(NoWay::Unread(why));
    }
    let name = context.name_of(&ResourceRef::new(Kind::Vpc, vpc));
    let then = consequence(&missing);
    Err(NoWay::Missing(if s3.is_empty() {
        Problem::fail("no-endpoint", format!("VPC {name} has no S3 endpoint: {then}"))
    } else if usable.is_empty() {
        let states = listed(s3.iter().map(|one| format!("{} is {}", one.id, one.state)));
        Problem::fail("not-available", format!("no S3 endpoint of VPC {name} works ({states}): {then}"))
    } else if usable.iter().all(|endpoint| is_interface(endpoint)) {
        let which = listed(usable.iter().map(|one| &one.id));
        Problem::fail("private-dns-off", format!("S3 does not resolve to {which} in VPC {name}: {then}"))
            .shows("PrivateDnsEnabled", false)
    } else {
        let subnets = listed(missing.iter().flat_map(|(_, subnets)| subnets));
        let why = format!("{without} of VPC {name} is not entered in an S3 endpoint ({subnets}): {then}");
        Problem::fail("route-table-missing", why).shows("missingRouteTables", &without)
    }))
}

fn is_interface(endpoint: &Endpoint) -> bool {
    endpoint.kind.as_str().eq_ignore_ascii_case("interface")
}

fn or_none(items: impl Iterator<Item = String>) -> String {
    let all = listed(items);
    if all.is_empty() { "none".to_owned() } else { all }
}

/// What follows when these tables do not lead to S3.
fn consequence(missing: &[&Followed<'_>]) -> &'static str {
    let leads_out = |table: &RouteTable| {
        table.routes.iter().any(|route| route.state != "blackhole" && way_out(route) != Way::Stays)
    };
    if missing.iter().any(|(table, _)| leads_out(table)) {
        "the data of its jobs leaves the VPC by another way"
    } else {
        "its jobs cannot read their data"
    }
}
