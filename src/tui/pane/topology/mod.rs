//! The network drawn: a job, its VPC, the subnets it runs in, the route tables those follow, where each route
//! leads, the endpoints that are there and those that are missing. What is wrong comes from verdicts alone: a
//! line is marked where a finding of the network points at it.

mod lines;
mod marks;
mod nodes;

use std::collections::BTreeSet;

use super::super::judged::area_of;
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use crate::base::ResourceId;
use crate::inventory::bedrock::VpcConfig;
use crate::inventory::{Inventory, Kind, Read, ResourceRef};
use crate::posture::{Area, Verdict};

use lines::{NARROW, below, put};
use marks::Marks;
use nodes::{Node, group_node, job_node, vpc_node};

/// How many jobs of a shared network are named.
const JOBS: usize = 3;

/// The page of the drawing.
pub fn page(model: &Model, of: &ResourceRef, width: usize) -> Page {
    let mut page = Page::new(format!("network of {}", model.name_of(of)), width);
    page.state = worst(model, of).map(|severity| (severity.into(), severity.word().to_owned()));
    draw(model, of, &mut page);
    page
}

/// Whether there is anything to draw around a resource.
pub fn applies(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Job
            | Kind::ImportJob
            | Kind::Vpc
            | Kind::Subnet
            | Kind::RouteTable
            | Kind::Endpoint
            | Kind::SecurityGroup
    )
}

/// Draws what is around a resource.
pub fn draw(model: &Model, of: &ResourceRef, page: &mut Page) {
    let scope = match Scope::of(model, of) {
        Ok(scope) => scope,
        Err((role, why)) => {
            let marks = Marks::of(model, &Scope { jobs: vec![of.clone()], ..Scope::default() });
            let head = Node::of(model, of, of, String::new()).marked(marks.on(of));
            put(page, &head, "", "");
            page.text(role, &why);
            return;
        }
    };
    let marks = Marks::of(model, &scope);
    for job in scope.jobs.iter().take(JOBS) {
        put(page, &job_node(model, of, job, &marks), "", "");
    }
    if scope.jobs.len() > JOBS {
        page.text(Role::Dim, &format!("and {} more jobs", scope.jobs.len() - JOBS));
    }
    if scope.jobs.is_empty() {
        page.text(Role::Dim, "no customization or import job runs here");
    }
    let mut top = Vec::new();
    for vpc in scope.vpcs(model) {
        top.push(vpc_node(model, of, &vpc, &scope, &marks));
    }
    // A subnet that is not held has no VPC to stand under.
    let lost = scope.subnets.iter().filter(|id| !model.inventory.subnets.contains_key(*id));
    top.extend(lost.map(|id| {
        let subnet = ResourceRef::new(Kind::Subnet, id);
        Node::of(model, of, &subnet, "gone, or not read".into()).marked(marks.on(&subnet))
    }));
    top.extend(scope.groups.iter().map(|id| group_node(model, of, id, &marks)));
    top.extend(marks.others(model, of));
    for source in super::sources_of(super::Pane::Network) {
        if let Some(error) = model.inventory.coverage.report(*source).and_then(|report| report.error.as_ref()) {
            let text = format!("? {} {}: something may be missing here", error.operation, error.kind.word());
            top.push(Node::text(Role::Unknown, text, Some(Target::Go(Place::Source(*source)))));
        }
    }
    below(page, &top, "");
    if page.width() >= NARROW {
        page.gap();
        page.text(Role::Dim, "──▶ stays inside   ══▶ leaves the VPC   ✗ missing   ? not known");
    }
}

/// The worst finding of the network on or around a resource.
pub fn worst(model: &Model, of: &ResourceRef) -> Option<crate::posture::Severity> {
    let around = model.lineage.all_needs(of);
    let vpcs: BTreeSet<&ResourceId> = around.iter().filter(|of| of.kind == Kind::Vpc).map(|of| &of.id).collect();
    let endpoints = model.inventory.endpoints.values().filter(|endpoint| vpcs.contains(&endpoint.vpc));
    let ids = std::iter::once(&of.id).chain(around.iter().map(|of| &of.id)).chain(endpoints.map(|held| &held.id));
    ids.filter_map(|id| model.judged.network(id)).min()
}

/// Whether a finding is about the network: it marks the drawing.
pub fn is_network(verdict: &Verdict) -> bool {
    area_of(verdict.control) == Some(Area::Network) || verdict.control == "CUS-IMP-02"
}

/// What is drawn.
#[derive(Default)]
struct Scope {
    jobs: Vec<ResourceRef>,
    subnets: BTreeSet<ResourceId>,
    groups: BTreeSet<ResourceId>,
    vpc: Option<ResourceId>,
}

impl Scope {
    /// Around a resource; else why there is nothing to draw.
    fn of(model: &Model, of: &ResourceRef) -> Result<Self, (Role, String)> {
        let inventory = &model.inventory;
        let mut scope = Self::default();
        match of.kind {
            Kind::Job | Kind::ImportJob => {
                scope.jobs.push(of.clone());
                match vpc_of_job(inventory, of) {
                    Some(Ok(Some(vpc))) => scope.take(vpc),
                    Some(Ok(None)) => {
                        let why = "└─ Bedrock's own network: no VPC is named";
                        return Err((Role::Medium, why.into()));
                    }
                    Some(Err(why)) => return Err((Role::Unknown, format!("└─ ? {why}"))),
                    None => return Err((Role::Unknown, "└─ ? this job was not read".into())),
                }
            }
            Kind::Vpc => scope.whole(model, &of.id),
            Kind::Subnet => {
                scope.subnets.insert(of.id.clone());
            }
            Kind::RouteTable => {
                let follow = |id: &&ResourceId| inventory.route_table_of(id).is_some_and(|table| table.id == of.id);
                scope.subnets.extend(used_subnets(model).iter().filter(follow).cloned());
                scope.vpc = inventory.route_tables.get(&of.id).map(|table| table.vpc.clone());
            }
            Kind::Endpoint => match inventory.endpoints.get(&of.id).map(|endpoint| endpoint.vpc.clone()) {
                Some(vpc) => scope.whole(model, &vpc),
                None => return Err((Role::Unknown, "└─ ? this endpoint was not read".into())),
            },
            Kind::SecurityGroup => {
                scope.groups.insert(of.id.clone());
                for (_, job) in model.lineage.up(of) {
                    if let Some(Ok(Some(vpc))) = vpc_of_job(inventory, job) {
                        scope.subnets.extend(vpc.subnets.iter().cloned());
                    }
                    scope.jobs.push(job.clone());
                }
                scope.vpc = inventory.security_groups.get(&of.id).map(|group| group.vpc.clone());
            }
            kind => return Err((Role::Dim, format!("└─ a {} has no place in a network", kind.word()))),
        }
        if scope.jobs.is_empty() {
            scope.find_jobs(model);
        }
        Ok(scope)
    }

    fn take(&mut self, vpc: &VpcConfig) {
        self.subnets.extend(vpc.subnets.iter().cloned());
        self.groups.extend(vpc.security_groups.iter().cloned());
    }

    /// All of a VPC that jobs use.
    fn whole(&mut self, model: &Model, vpc: &ResourceId) {
        let inside = |id: &&ResourceId| model.inventory.subnets.get(*id).is_some_and(|subnet| subnet.vpc == *vpc);
        self.subnets.extend(used_subnets(model).iter().filter(inside).cloned());
        self.vpc = Some(vpc.clone());
    }

    fn find_jobs(&mut self, model: &Model) {
        let mut jobs = BTreeSet::new();
        for id in &self.subnets {
            let users = model.lineage.up(&ResourceRef::new(Kind::Subnet, id));
            jobs.extend(users.iter().map(|(_, job)| job.clone()));
        }
        for job in &jobs {
            if let Some(Ok(Some(vpc))) = vpc_of_job(&model.inventory, job) {
                self.groups.extend(vpc.security_groups.iter().cloned());
            }
        }
        self.jobs = jobs.into_iter().collect();
    }

    fn vpcs(&self, model: &Model) -> BTreeSet<ResourceId> {
        let of_subnets = self.subnets.iter().filter_map(|id| model.inventory.subnets.get(id)).map(|s| s.vpc.clone());
        of_subnets.chain(self.vpc.clone()).collect()
    }
}

/// The subnets that jobs name.
fn used_subnets(model: &Model) -> BTreeSet<ResourceId> {
    let edges = model.lineage.edges().filter(|edge| edge.to.kind == Kind::Subnet);
    edges.map(|edge| edge.to.id.clone()).collect()
}

/// Where a job runs: what it names, nothing, or why that is not known.
pub fn vpc_of_job<'a>(inventory: &'a Inventory, job: &ResourceRef) -> Option<Result<Option<&'a VpcConfig>, String>> {
    fn told<T>(read: &Read<T>, vpc: impl Fn(&T) -> Option<&VpcConfig>) -> Result<Option<&VpcConfig>, String> {
        match (read.last(), read.known()) {
            (Some(detail), _) => {
                Ok(vpc(detail).filter(|vpc| !vpc.subnets.is_empty() || !vpc.security_groups.is_empty()))
            }
            (None, Err(unknown)) => Err(unknown.to_string()),
            (None, Ok(_)) => Ok(None),
        }
    }
    match job.kind {
        Kind::Job => inventory.jobs.get(&job.id).map(|job| told(&job.detail, |detail| detail.vpc.as_ref())),
        Kind::ImportJob => {
            inventory.import_jobs.get(&job.id).map(|job| told(&job.detail, |detail| detail.vpc.as_ref()))
        }
        _ => None,
    }
}
