//! The lines of the drawing as a tree of what leads to what. Marks and rails come later.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::model::{Model, Place};
use super::super::super::page::Target;
use super::super::super::theme::Role;
use super::super::super::view::Span;
use super::super::standing;
use super::Scope;
use super::marks::{Marks, wanted};
use crate::base::ResourceId;
use crate::inventory::ec2::{Endpoint, Route, RouteTable};
use crate::inventory::{Inventory, Kind, ResourceRef};
use crate::posture::Verdict;

/// A line, and those below it.
pub(super) struct Node<'a> {
    pub(super) spans: Vec<Span>,
    pub(super) target: Option<Target>,
    pub(super) copy: Option<String>,
    pub(super) marks: Vec<&'a Verdict>,
    pub(super) below: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    pub(super) fn text(role: Role, text: String, target: Option<Target>) -> Self {
        Self { spans: vec![(role, text)], target, copy: None, marks: Vec::new(), below: Vec::new() }
    }

    /// A resource: its kind, its name, and what is to say about it.
    pub(super) fn of(model: &Model, chosen: &ResourceRef, this: &ResourceRef, about: String) -> Self {
        let role = if chosen == this { Role::Match } else { Role::Accent };
        let mut spans =
            vec![(Role::Text, format!("{} ", standing::short_kind(this.kind))), (role, model.name_of(this))];
        if !about.is_empty() {
            spans.push((Role::Dim, format!("  {about}")));
        }
        let target = Some(Target::Go(Place::Resource(this.clone())));
        Self { spans, target, copy: Some(this.id.to_string()), marks: Vec::new(), below: Vec::new() }
    }

    pub(super) fn marked(mut self, marks: Vec<&'a Verdict>) -> Self {
        self.marks = marks;
        self
    }
}

pub(super) fn job_node<'a>(model: &Model, of: &ResourceRef, job: &ResourceRef, marks: &Marks<'a>) -> Node<'a> {
    let inventory = &model.inventory;
    let status = match job.kind {
        Kind::Job => inventory.jobs.get(&job.id).map(|job| job.status.to_string()),
        _ => inventory.import_jobs.get(&job.id).map(|job| job.status.to_string()),
    };
    Node::of(model, of, job, status.unwrap_or_default()).marked(marks.on(job))
}

pub(super) fn vpc_node<'a>(
    model: &Model,
    of: &ResourceRef,
    id: &ResourceId,
    scope: &Scope,
    marks: &Marks<'a>,
) -> Node<'a> {
    let inventory = &model.inventory;
    let this = ResourceRef::new(Kind::Vpc, id);
    let about = inventory.vpcs.get(id).map_or_else(
        || "not read".to_owned(),
        |vpc| match (vpc.dns_support.last(), vpc.dns_hostnames.last()) {
            (Some(true), Some(true)) => format!("{}  DNS on", vpc.cidr),
            (Some(_), Some(_)) => format!("{}  DNS OFF", vpc.cidr),
            _ => format!("{}  DNS ?", vpc.cidr),
        },
    );
    let mut node = Node::of(model, of, &this, about).marked(marks.on(&this));
    // Subnets that follow the same table stand together, the table below the last of them.
    let mut tables: BTreeMap<Option<&ResourceId>, Vec<&ResourceId>> = BTreeMap::new();
    for subnet in &scope.subnets {
        if inventory.subnets.get(subnet).is_some_and(|held| held.vpc == *id) {
            tables.entry(inventory.route_table_of(subnet).map(|table| &table.id)).or_default().push(subnet);
        }
    }
    if of.kind == Kind::RouteTable && tables.is_empty() {
        tables.insert(inventory.route_tables.get(&of.id).map(|table| &table.id), Vec::new());
    }
    for (table, subnets) in tables {
        let count = subnets.len();
        for id in subnets {
            let subnet = ResourceRef::new(Kind::Subnet, id);
            let about = inventory.subnets.get(id).map_or_else(String::new, |held| {
                let public = if held.public_ip { "  gives public addresses" } else { "" };
                format!("{}  {}{public}", held.cidr, held.zone)
            });
            node.below.push(Node::of(model, of, &subnet, about).marked(marks.on(&subnet)));
        }
        let table = match table.and_then(|id| inventory.route_tables.get(id)) {
            Some(table) => table_node(model, of, table, count, marks),
            None => Node::text(Role::Unknown, "? no route table of it was read".into(), None),
        };
        match node.below.last_mut().filter(|_| count > 0) {
            Some(last) => last.below.push(table),
            None => node.below.push(table),
        }
    }
    node.below.push(endpoints_node(model, of, id, marks));
    node
}

fn table_node<'a>(model: &Model, of: &ResourceRef, table: &RouteTable, subnets: usize, marks: &Marks<'a>) -> Node<'a> {
    let this = ResourceRef::new(Kind::RouteTable, &table.id);
    let shared = match subnets {
        0 | 1 => String::new(),
        2 => "both follow it".to_owned(),
        count => format!("all {count} follow it"),
    };
    let main = if table.main { "the VPC's main one" } else { "" };
    let about = [main, &shared].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
    let mut node = Node::of(model, of, &this, about).marked(marks.on(&this));
    node.below.extend(table.routes.iter().map(|route| route_node(model, table, route, marks)));
    // A gateway endpoint is a route to a prefix list; those whose route is not listed are told by themselves.
    for endpoint in gateways(&model.inventory, &table.vpc).filter(|endpoint| endpoint.route_tables.contains(&table.id))
    {
        if !table.routes.iter().any(|route| route.target == endpoint.id) {
            node.below.push(arrow(model, service(endpoint), &endpoint.id, Some(endpoint), None));
        }
    }
    let serves_all = |endpoint: &Endpoint| endpoint.kind == "Interface" && endpoint.private_dns;
    let s3 = || model.inventory.endpoints.values().filter(|held| held.vpc == table.vpc && service(held) == "s3");
    let served = s3().any(|held| held.route_tables.contains(&table.id) || serves_all(held));
    let missing: Vec<&Verdict> = marks.missing.iter().copied().filter(|v| v.control == "CUS-NET-03").collect();
    // Where there is none at all, the endpoints say so.
    if !served && s3().next().is_some() && !missing.is_empty() {
        let mut line = Node::text(Role::High, "✗ s3: its endpoint does not serve this table".into(), to(&missing));
        line.marks = missing;
        node.below.push(line);
    }
    node
}

fn gateways<'i>(inventory: &'i Inventory, vpc: &'i ResourceId) -> impl Iterator<Item = &'i Endpoint> {
    inventory.endpoints.values().filter(move |endpoint| endpoint.vpc == *vpc && endpoint.kind == "Gateway")
}

/// `com.amazonaws.us-east-1.s3` → `s3`.
fn service(endpoint: &Endpoint) -> &str {
    endpoint.service.as_str().rsplit('.').next().unwrap_or_default()
}

/// The findings behind a line, as something to follow.
fn to(marks: &[&Verdict]) -> Option<Target> {
    marks.first().map(|verdict| Target::Go(Place::Finding(verdict.id.clone())))
}

fn route_node<'a>(model: &Model, table: &RouteTable, route: &Route, marks: &Marks<'a>) -> Node<'a> {
    let said = format!("{} → {}", route.destination, route.target);
    let on = marks.routes.get(&said).cloned().unwrap_or_default();
    let endpoint = model.inventory.endpoints.get(&route.target);
    let mut node = arrow(model, route.destination.as_str(), &route.target, endpoint, Some((route, !on.is_empty())));
    let table = || Some(Target::Go(Place::Resource(ResourceRef::new(Kind::RouteTable, &table.id))));
    node.target = to(&on).or(node.target).or_else(table);
    node.copy = Some(said);
    node.marked(on)
}

/// `0.0.0.0/0 ══▶ nat-01 NAT gateway ══▶ INTERNET`.
fn arrow<'a>(
    model: &Model,
    from: &str,
    target: &ResourceId,
    endpoint: Option<&Endpoint>,
    route: Option<(&Route, bool)>,
) -> Node<'a> {
    let dead = route.is_some_and(|(route, _)| route.state == "blackhole");
    let bad = route.is_some_and(|(_, marked)| marked);
    let (what, internet) = match (endpoint, target.as_str().split('-').next().unwrap_or_default()) {
        (Some(endpoint), _) => (format!("{} endpoint for {}", endpoint.kind, service(endpoint)), false),
        (None, "local") => ("inside the VPC".to_owned(), false),
        (None, "igw") => ("internet gateway".to_owned(), true),
        (None, "nat") => ("NAT gateway".to_owned(), true),
        (None, "eigw") => ("egress-only internet gateway".to_owned(), true),
        (None, "cagw") => ("carrier gateway".to_owned(), true),
        (None, "tgw") => ("transit gateway".to_owned(), false),
        (None, "vgw") => ("virtual private gateway".to_owned(), false),
        (None, "pcx") => ("peering".to_owned(), false),
        (None, "vpce") => ("endpoint".to_owned(), false),
        (None, "eni") => ("network interface".to_owned(), false),
        (None, "i") => ("instance".to_owned(), false),
        (None, _) => (String::new(), false),
    };
    let leaves = !dead
        && (internet || bad || matches!(what.as_str(), "transit gateway" | "virtual private gateway" | "peering"));
    let line = if leaves { " ══▶ " } else { " ──▶ " };
    let role = if bad { Role::High } else { Role::Text };
    let mut spans = vec![(role, from.to_owned()), (if bad { Role::High } else { Role::Dim }, line.to_owned())];
    if dead {
        spans.push((Role::Dim, format!("nowhere: {target} is gone")));
    } else if internet {
        spans.push((role, "INTERNET".to_owned()));
        spans.push((Role::Dim, format!("  by {target}, {what}")));
    } else if target == "local" {
        spans.push((Role::Dim, what));
    } else {
        let name = endpoint.map_or_else(
            || target.to_string(),
            |endpoint| model.name_of(&ResourceRef::new(Kind::Endpoint, &endpoint.id)),
        );
        spans.push((role, name));
        spans.push((Role::Dim, format!("  {what}")));
    }
    let target = endpoint.map(|endpoint| Target::Go(Place::Resource(ResourceRef::new(Kind::Endpoint, &endpoint.id))));
    Node { spans, target, copy: None, marks: Vec::new(), below: Vec::new() }
}

fn endpoints_node<'a>(model: &Model, of: &ResourceRef, vpc: &ResourceId, marks: &Marks<'a>) -> Node<'a> {
    let inventory = &model.inventory;
    let held: Vec<&Endpoint> = inventory.endpoints.values().filter(|endpoint| endpoint.vpc == *vpc).collect();
    let count = match held.len() {
        0 => "endpoints: none".to_owned(),
        1 => "1 endpoint".to_owned(),
        count => format!("{count} endpoints"),
    };
    let mut node = Node::text(Role::Text, count, None);
    for endpoint in &held {
        let this = ResourceRef::new(Kind::Endpoint, &endpoint.id);
        let serves = match endpoint.kind.as_str() {
            "Gateway" => format!("{} table{}", endpoint.route_tables.len(), plural(endpoint.route_tables.len())),
            _ if endpoint.private_dns => {
                format!("{} subnet{}, private DNS", endpoint.subnets.len(), plural(endpoint.subnets.len()))
            }
            _ => format!("{} subnet{}, no private DNS", endpoint.subnets.len(), plural(endpoint.subnets.len())),
        };
        let state = if endpoint.state.as_str().eq_ignore_ascii_case("available") {
            String::new()
        } else {
            format!(", {}", endpoint.state)
        };
        let about = format!("{} for {}, {serves}{state}", endpoint.kind, service(endpoint));
        let mut on = marks.on(&this);
        // An endpoint that is there and still does not do.
        if service(endpoint) == "s3" {
            on.extend(marks.missing.iter().copied().filter(|verdict| verdict.control == "CUS-NET-03"));
        }
        node.below.push(Node::of(model, of, &this, about).marked(on));
    }
    let mut told = BTreeSet::new();
    for verdict in &marks.missing {
        for service_name in wanted(verdict) {
            if held.iter().any(|endpoint| service(endpoint) == service_name) || !told.insert(service_name) {
                continue;
            }
            let on: Vec<&Verdict> =
                marks.missing.iter().copied().filter(|other| wanted(other).contains(&service_name)).collect();
            let mut line = Node::text(Role::High, format!("✗ {service_name}: no endpoint"), to(&on));
            line.marks = on;
            node.below.push(line);
        }
    }
    // What names no service that is missing concerns the endpoints that are there.
    let unplaced = marks.missing.iter().copied().filter(|verdict| {
        verdict.control != "CUS-NET-03" && !wanted(verdict).iter().any(|service| told.contains(service))
    });
    node.marks = unplaced.collect();
    if let (None, Some(verdict)) = (&node.target, node.marks.first()) {
        node.target = Some(Target::Go(Place::Finding(verdict.id.clone())));
    }
    node
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

pub(super) fn group_node<'a>(model: &Model, of: &ResourceRef, id: &ResourceId, marks: &Marks<'a>) -> Node<'a> {
    let this = ResourceRef::new(Kind::SecurityGroup, id);
    let Some(group) = model.inventory.security_groups.get(id) else {
        return Node::of(model, of, &this, "gone, or not read".into()).marked(marks.on(&this));
    };
    let mut node = Node::of(model, of, &this, format!("{} in, {} out", group.ingress.len(), group.egress.len()));
    node = node.marked(marks.on(&this));
    for (way, rules) in [("in from", &group.ingress), ("out to", &group.egress)] {
        for rule in rules.iter().take(4) {
            let ports = match rule.ports {
                _ if rule.protocol == "-1" => "everything".to_owned(),
                Some((from, to)) if from == to => format!("{} {from}", rule.protocol),
                Some((from, to)) => format!("{} {from}–{to}", rule.protocol),
                None => rule.protocol.to_string(),
            };
            let peers: Vec<&str> = rule.peers.iter().map(crate::base::Text::as_str).collect();
            let wide = peers.iter().any(|peer| matches!(*peer, "0.0.0.0/0" | "::/0"));
            let role = if wide && !node.marks.is_empty() { Role::High } else { Role::Dim };
            let text = format!("{ports} {way} {}", if peers.is_empty() { "nobody".into() } else { peers.join(", ") });
            node.below.push(Node::text(role, text, None));
        }
        if rules.len() > 4 {
            node.below.push(Node::text(Role::Dim, format!("and {} more {way}", rules.len() - 4), None));
        }
    }
    node
}
