//! Network: the jobs by where they run, and the VPCs, subnets, tables, endpoints and groups they run in. What is
//! around the row under the cursor is drawn beside or below the list.

use super::super::list::{Cell, Column, Subject, text};
use super::super::model::Model;
use super::super::theme::Role;
use super::{standing, topology};
use crate::inventory::{Kind, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("KIND", 14, 0, 0).at_least(6),
    text("NAME", 16, 2, 0),
    text("WHAT", 16, 4, 2),
    text("VPC", 10, 1, 3),
    text("!", 4, 0, 1),
];

/// The jobs, the worst placed first; then everything of the network, kind by kind.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let inventory = &model.inventory;
    let of = |kind| move |id: &crate::base::ResourceId| ResourceRef::new(kind, id);
    let created = |job: &ResourceRef| match job.kind {
        Kind::Job => inventory.jobs.get(&job.id).map(|job| job.created),
        _ => inventory.import_jobs.get(&job.id).map(|job| job.created),
    };
    let jobs = inventory.jobs.keys().map(of(Kind::Job)).chain(inventory.import_jobs.keys().map(of(Kind::ImportJob)));
    // why those in a VPC first among equals: there is something to draw of them.
    let nowhere = |job: &ResourceRef| !matches!(topology::vpc_of_job(inventory, job), Some(Ok(Some(_))));
    let mut jobs: Vec<_> = jobs
        .map(|job| {
            (
                (topology::worst(model, &job).map_or(9, |s| s as u8), nowhere(&job), std::cmp::Reverse(created(&job))),
                job,
            )
        })
        .collect();
    jobs.sort();
    let parts = inventory
        .vpcs
        .keys()
        .map(of(Kind::Vpc))
        .chain(inventory.subnets.keys().map(of(Kind::Subnet)))
        .chain(inventory.route_tables.keys().map(of(Kind::RouteTable)))
        .chain(inventory.endpoints.keys().map(of(Kind::Endpoint)))
        .chain(inventory.security_groups.keys().map(of(Kind::SecurityGroup)));
    jobs.into_iter().map(|(_, job)| job).chain(parts).map(Subject::Resource).collect()
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let inventory = &model.inventory;
    let (what, vpc) = match of.kind {
        Kind::Job | Kind::ImportJob => job(model, of)?,
        Kind::Vpc => {
            let vpc = inventory.vpcs.get(&of.id)?;
            let dns = match (vpc.dns_support.last(), vpc.dns_hostnames.last()) {
                (Some(true), Some(true)) => ", DNS on",
                (Some(_), Some(_)) => ", DNS off",
                _ => ", DNS ?",
            };
            (Cell::new(format!("{}{dns}", vpc.cidr)), None)
        }
        Kind::Subnet => {
            let subnet = inventory.subnets.get(&of.id)?;
            let public = if subnet.public_ip { ", public addresses" } else { "" };
            let out = inventory.route_table_of(&of.id).is_some_and(internet);
            let role = if out || subnet.public_ip { Role::Medium } else { Role::Text };
            let route = if out { ", route to the internet" } else { "" };
            (Cell::of(format!("{} {}{public}{route}", subnet.cidr, subnet.zone), role), Some(&subnet.vpc))
        }
        Kind::RouteTable => {
            let table = inventory.route_tables.get(&of.id)?;
            let (role, out) =
                if internet(table) { (Role::Medium, "route to the internet") } else { (Role::Text, "no internet") };
            (
                Cell::of(
                    format!(
                        "{} {}, {out}{}",
                        table.routes.len(),
                        if table.routes.len() == 1 { "route" } else { "routes" },
                        if table.main { ", main" } else { "" }
                    ),
                    role,
                ),
                Some(&table.vpc),
            )
        }
        Kind::Endpoint => {
            let endpoint = inventory.endpoints.get(&of.id)?;
            let policy = if endpoint.policy.is_some() { "" } else { ", no policy" };
            (Cell::new(format!("{} {}{policy}", endpoint.kind, endpoint.service)), Some(&endpoint.vpc))
        }
        Kind::SecurityGroup => {
            let group = inventory.security_groups.get(&of.id)?;
            let wide =
                group.egress.iter().any(|rule| rule.peers.iter().any(|peer| peer == "0.0.0.0/0" || peer == "::/0"));
            let (role, out) = if wide { (Role::Medium, "out to anywhere") } else { (Role::Text, "out limited") };
            (Cell::of(format!("{} in, {} out, {out}", group.ingress.len(), group.egress.len()), role), Some(&group.vpc))
        }
        _ => return None,
    };
    Some(vec![
        Cell::of(of.kind.word(), Role::Dim).or(standing::short_kind(of.kind)),
        Cell::new(model.name_of(of)),
        what,
        vpc.map_or_else(
            || Cell::of("-", Role::Dim),
            |vpc| Cell::of(model.name_of(&ResourceRef::new(Kind::Vpc, vpc)), Role::Dim),
        ),
        if matches!(of.kind, Kind::Job | Kind::ImportJob) { placed(model, of) } else { standing::own(model, of) },
    ])
}

/// Where a job runs, in words; and its VPC.
fn job<'a>(model: &'a Model, of: &ResourceRef) -> Option<(Cell, Option<&'a crate::base::ResourceId>)> {
    Some(match topology::vpc_of_job(&model.inventory, of)? {
        Ok(Some(vpc)) => {
            let held = vpc.subnets.iter().find_map(|id| model.inventory.subnets.get(id));
            let subnets = if vpc.subnets.len() == 1 { "subnet" } else { "subnets" };
            let groups = if vpc.security_groups.len() == 1 { "group" } else { "groups" };
            let text = format!("{} {subnets}, {} {groups}", vpc.subnets.len(), vpc.security_groups.len());
            (Cell::new(text), held.map(|subnet| &subnet.vpc))
        }
        Ok(None) => (Cell::of("no VPC: Bedrock's own network", Role::Medium), None),
        Err(why) => (Cell::of(format!("? {why}"), Role::Unknown), None),
    })
}

/// The worst finding of the network on a job or around it.
fn placed(model: &Model, of: &ResourceRef) -> Cell {
    match topology::worst(model, of) {
        Some(severity) => Cell::of(standing::brief(severity), severity.into()).by(severity as i64),
        None if model.judged.is_in_doubt(&of.id) => Cell::of("?", Role::Unknown).by(8),
        None => Cell::of("-", Role::Dim).by(9),
    }
}

fn internet(table: &crate::inventory::ec2::RouteTable) -> bool {
    table.routes.iter().any(|route| {
        let target = route.target.as_str();
        target.starts_with("igw-") || target.starts_with("nat-") || target.starts_with("eigw-")
    })
}
