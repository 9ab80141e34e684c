//! Which finding of the network marks which line of the drawing.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::model::Model;
use super::nodes::Node;
use super::{Scope, is_network};
use crate::inventory::{Kind, ResourceRef};
use crate::posture::Verdict;

/// Which finding marks which line.
pub(super) struct Marks<'a> {
    on: BTreeMap<ResourceRef, Vec<&'a Verdict>>,
    pub(super) routes: BTreeMap<String, Vec<&'a Verdict>>,
    pub(super) missing: Vec<&'a Verdict>,
    others: Vec<&'a Verdict>,
}

impl<'a> Marks<'a> {
    pub(super) fn of(model: &'a Model, scope: &Scope) -> Self {
        let mut here: BTreeSet<ResourceRef> = scope.jobs.iter().cloned().collect();
        let inventory = &model.inventory;
        let vpcs = scope.vpcs(model);
        here.extend(scope.subnets.iter().map(|id| ResourceRef::new(Kind::Subnet, id)));
        here.extend(scope.groups.iter().map(|id| ResourceRef::new(Kind::SecurityGroup, id)));
        let tables = scope.subnets.iter().filter_map(|id| inventory.route_table_of(id));
        here.extend(tables.map(|table| ResourceRef::new(Kind::RouteTable, &table.id)));
        let endpoints = inventory.endpoints.values().filter(|endpoint| vpcs.contains(&endpoint.vpc));
        here.extend(endpoints.map(|endpoint| ResourceRef::new(Kind::Endpoint, &endpoint.id)));
        here.extend(vpcs.iter().map(|id| ResourceRef::new(Kind::Vpc, id)));
        let mut marks = Self { on: BTreeMap::new(), routes: BTreeMap::new(), missing: Vec::new(), others: Vec::new() };
        let judged = &model.judged;
        let all = judged.findings.iter().chain(&judged.unknown).filter_map(|at| model.assessment.verdicts.get(*at));
        for verdict in all.filter(|verdict| is_network(verdict)) {
            let on = here.contains(&verdict.resource);
            if !on && !verdict.related.iter().any(|related| here.contains(related)) {
                continue;
            }
            let route = verdict.evidence.iter().find(|fact| fact.label.as_str() == "route");
            if let Some(route) = route.filter(|_| on) {
                marks.routes.entry(route.value.to_string()).or_default().push(verdict);
            } else if verdict.status.is_finding() && wants_endpoint(verdict) && verdict.resource.kind != Kind::Endpoint
            {
                marks.missing.push(verdict);
            } else if on {
                marks.on.entry(verdict.resource.clone()).or_default().push(verdict);
            } else {
                marks.others.push(verdict);
            }
        }
        marks
    }

    pub(super) fn on(&self, of: &ResourceRef) -> Vec<&'a Verdict> {
        self.on.get(of).cloned().unwrap_or_default()
    }

    /// Findings of the network on what is no part of it: a role without the rights, a bucket open to other networks.
    pub(super) fn others(&self, model: &Model, of: &ResourceRef) -> Vec<Node<'a>> {
        let mut nodes: Vec<Node<'a>> = Vec::new();
        let mut told: BTreeSet<&ResourceRef> = BTreeSet::new();
        for verdict in &self.others {
            if told.insert(&verdict.resource) {
                let on = self.others.iter().copied().filter(|other| other.resource == verdict.resource);
                nodes.push(Node::of(model, of, &verdict.resource, String::new()).marked(on.collect()));
            }
        }
        nodes.truncate(8);
        nodes
    }
}

/// Whether a finding is about an endpoint that should be there (CUS-NET-03: S3; CUS-NET-09: Bedrock).
fn wants_endpoint(verdict: &Verdict) -> bool {
    matches!(verdict.control, "CUS-NET-03" | "CUS-NET-09")
}

/// The services without which a finding of [`wants_endpoint`] stands.
pub(super) fn wanted(verdict: &Verdict) -> Vec<&'static str> {
    if verdict.control == "CUS-NET-03" {
        return vec!["s3"];
    }
    let facts = verdict.evidence.iter().flat_map(|fact| [fact.label.as_str(), fact.value.as_str()]);
    let said: Vec<&str> = std::iter::once(verdict.reason.as_str()).chain(facts).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '-';
    let names = |service: &str| said.iter().any(|text| text.split(|c: char| !is_word(c)).any(|word| word == service));
    ["bedrock", "bedrock-runtime"].into_iter().filter(|service| names(service)).collect()
}
