//! Lineage: base model and data → job → custom model → copy, deployment, throughput; and the roles,
//! keys, buckets and networks that each of them touches. A graph that can be walked both ways.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Inventory;
use super::bedrock::{S3Uri, VpcConfig};
pub use super::link::Link;
use super::reference::{Kind, ResourceRef};
use crate::base::ResourceId;

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// The nearer to the origin.
    pub from: ResourceRef,
    /// How.
    pub link: Link,
    /// The further from it.
    pub to: ResourceRef,
}

/// From one end of its connections to the others.
type Ends = BTreeMap<ResourceRef, Vec<(Link, ResourceRef)>>;

/// The graph, built from an inventory whenever that changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lineage {
    /// In order, each once.
    edges: Vec<Edge>,
    down: Ends,
    up: Ends,
}

impl Lineage {
    /// The lineage of everything in the inventory. Uses the last values there were: a stale edge is
    /// still an edge, and the rules judge values, not edges.
    pub fn of(inventory: &Inventory) -> Self {
        let mut lineage = Self::default();
        lineage.jobs(inventory);
        lineage.models(inventory);
        lineage.surroundings(inventory);
        // why sorted once: an account with thousands of jobs has tens of thousands of connections, most of which
        // are named by several resources.
        lineage.edges.sort();
        lineage.edges.dedup();
        let mut back: Vec<&Edge> = lineage.edges.iter().collect();
        back.sort_by(|a, b| a.to.cmp(&b.to));
        lineage.down = by_end(lineage.edges.iter().map(|edge| (&edge.from, (edge.link, &edge.to))));
        lineage.up = by_end(back.into_iter().map(|edge| (&edge.to, (edge.link, &edge.from))));
        lineage
    }

    fn jobs(&mut self, inventory: &Inventory) {
        for job in inventory.jobs.values() {
            let this = ResourceRef::new(Kind::Job, &job.arn);
            self.link(ResourceRef::new(Kind::FoundationModel, &job.base_model), Link::Feeds, this.clone());
            if let Some(model) = &job.output_model {
                self.link(this.clone(), Link::Makes, ResourceRef::new(Kind::Model, model));
            }
            let Some(detail) = job.detail.last() else { continue };
            for uri in detail.training.iter().chain(&detail.validation) {
                let data = self.data(uri);
                self.link(data, Link::Feeds, this.clone());
            }
            if let Some(uri) = &detail.output {
                let data = self.data(uri);
                self.link(this.clone(), Link::Writes, data);
            }
            self.link(this.clone(), Link::RunsAs, ResourceRef::new(Kind::Role, &detail.role));
            self.key(&this, detail.kms_key.as_ref());
            self.network(&this, detail.vpc.as_ref());
        }
        for job in inventory.import_jobs.values() {
            let this = ResourceRef::new(Kind::ImportJob, &job.arn);
            if let Some(model) = &job.imported_model {
                self.link(this.clone(), Link::Makes, ResourceRef::new(Kind::ImportedModel, model));
            }
            let Some(detail) = job.detail.last() else { continue };
            if let Some(uri) = &detail.data {
                let data = self.data(uri);
                self.link(data, Link::Feeds, this.clone());
            }
            self.link(this.clone(), Link::RunsAs, ResourceRef::new(Kind::Role, &detail.role));
            self.key(&this, detail.kms_key.as_ref());
            self.network(&this, detail.vpc.as_ref());
        }
        for job in inventory.copy_jobs.values() {
            let this = ResourceRef::new(Kind::CopyJob, &job.arn);
            self.link(ResourceRef::new(Kind::Model, &job.source_model), Link::CopiedTo, this.clone());
            self.link(this.clone(), Link::Makes, ResourceRef::new(Kind::Model, &job.target_model));
            self.key(&this, job.target_key.as_ref());
        }
        for job in inventory.evaluation_jobs.values() {
            let this = ResourceRef::new(Kind::EvaluationJob, &job.arn);
            for model in &job.models {
                if let Some(model) = model_ref(model) {
                    self.link(model, Link::Feeds, this.clone());
                }
            }
            let Some(detail) = job.detail.last() else { continue };
            if let Some(uri) = &detail.output {
                let data = self.data(uri);
                self.link(this.clone(), Link::Writes, data);
            }
            self.link(this.clone(), Link::RunsAs, ResourceRef::new(Kind::Role, &detail.role));
            self.key(&this, detail.kms_key.as_ref());
        }
        for job in inventory.batch_jobs.values() {
            let this = ResourceRef::new(Kind::BatchJob, &job.arn);
            if let Some(model) = model_ref(&job.model) {
                self.link(model, Link::Feeds, this.clone());
            }
            if let Some(uri) = &job.input {
                let data = self.data(uri);
                self.link(data, Link::Feeds, this.clone());
            }
            if let Some(uri) = &job.output {
                let data = self.data(uri);
                self.link(this.clone(), Link::Writes, data);
            }
            self.link(this.clone(), Link::RunsAs, ResourceRef::new(Kind::Role, &job.role));
            self.key(&this, job.output_key.as_ref());
        }
    }

    fn models(&mut self, inventory: &Inventory) {
        for model in inventory.models.values() {
            let this = ResourceRef::new(Kind::Model, &model.arn);
            if let Some(detail) = model.detail.last() {
                if let Some(job) = &detail.job {
                    self.link(ResourceRef::new(Kind::Job, job), Link::Makes, this.clone());
                }
                self.key(&this, detail.kms_key.as_ref());
            }
        }
        for model in inventory.imported_models.values() {
            let this = ResourceRef::new(Kind::ImportedModel, &model.arn);
            if let Some(detail) = model.detail.last() {
                if let Some(job) = &detail.job {
                    self.link(ResourceRef::new(Kind::ImportJob, job), Link::Makes, this.clone());
                }
                self.key(&this, detail.kms_key.as_ref());
            }
        }
        for deployment in inventory.deployments.values() {
            if let Some(model) = model_ref(&deployment.model) {
                self.link(model, Link::ServedBy, ResourceRef::new(Kind::Deployment, &deployment.arn));
            }
        }
        for throughput in inventory.throughputs.values() {
            if let Some(model) = model_ref(&throughput.model) {
                self.link(model, Link::ServedBy, ResourceRef::new(Kind::Throughput, &throughput.arn));
            }
        }
        for guardrail in inventory.guardrails.values() {
            let this = ResourceRef::new(Kind::Guardrail, &guardrail.arn);
            self.key(&this, guardrail.detail.last().and_then(|detail| detail.kms_key.as_ref()));
        }
    }

    fn surroundings(&mut self, inventory: &Inventory) {
        let used = |kind| -> BTreeSet<ResourceId> {
            self.edges.iter().filter(|edge| edge.to.kind == kind).map(|edge| edge.to.id.clone()).collect()
        };
        let (subnets, buckets) = (used(Kind::Subnet), used(Kind::Bucket));
        for id in subnets {
            let this = ResourceRef::new(Kind::Subnet, &id);
            if let Some(subnet) = inventory.subnets.get(&id) {
                self.link(this.clone(), Link::RunsIn, ResourceRef::new(Kind::Vpc, &subnet.vpc));
            }
            if let Some(table) = inventory.route_table_of(&id) {
                self.link(this, Link::Follows, ResourceRef::new(Kind::RouteTable, &table.id));
            }
        }
        for name in buckets {
            let key = inventory.buckets.get(&name).and_then(|bucket| bucket.encryption.last()?.kms_key.clone());
            self.key(&ResourceRef::new(Kind::Bucket, &name), key.as_ref());
        }
        // Objects may be under other keys than their bucket names today.
        for data in inventory.data.values() {
            let bucket = data.bucket().and_then(|name| inventory.buckets.get(&name));
            let Some(default) = bucket.and_then(|bucket| bucket.encryption.last()) else { continue };
            let heads = data.heads.last().map_or(&[][..], |heads| &heads.objects);
            let keys: BTreeSet<&ResourceId> = heads.iter().filter_map(|head| head.kms_key.as_ref()).collect();
            for key in keys.into_iter().filter(|key| default.kms_key.as_ref() != Some(*key)) {
                self.key(&ResourceRef::new(Kind::Data, &data.uri), Some(key));
            }
        }
        if let Some(Some(logging)) = inventory.logging.last() {
            let this = ResourceRef::new(Kind::Logging, "invocation-logging");
            if let Some(target) = &logging.cloud_watch {
                let group = ResourceRef::new(Kind::LogGroup, &target.log_group);
                self.link(this.clone(), Link::LogsTo, group.clone());
                self.link(this.clone(), Link::RunsAs, ResourceRef::new(Kind::Role, &target.role));
                let key = inventory.log_groups.get(&target.log_group).and_then(|group| group.kms_key.clone());
                self.key(&group, key.as_ref());
            }
            if let Some(uri) = &logging.s3 {
                let data = self.data(uri);
                self.link(this, Link::LogsTo, data);
                let key =
                    inventory.buckets.get(&uri.bucket).and_then(|bucket| bucket.encryption.last()?.kms_key.clone());
                self.key(&ResourceRef::new(Kind::Bucket, &uri.bucket), key.as_ref());
            }
        }
    }

    fn link(&mut self, from: ResourceRef, link: Link, to: ResourceRef) {
        self.edges.push(Edge { from, link, to });
    }

    fn key(&mut self, from: &ResourceRef, key: Option<&ResourceId>) {
        if let Some(key) = key {
            self.link(from.clone(), Link::EncryptedWith, ResourceRef::new(Kind::Key, key));
        }
    }

    fn network(&mut self, from: &ResourceRef, vpc: Option<&VpcConfig>) {
        let Some(vpc) = vpc else { return };
        for subnet in &vpc.subnets {
            self.link(from.clone(), Link::RunsIn, ResourceRef::new(Kind::Subnet, subnet));
        }
        for group in &vpc.security_groups {
            self.link(from.clone(), Link::ProtectedBy, ResourceRef::new(Kind::SecurityGroup, group));
        }
    }

    fn data(&mut self, uri: &S3Uri) -> ResourceRef {
        let data = ResourceRef::new(Kind::Data, uri.to_string());
        self.link(data.clone(), Link::LiesIn, ResourceRef::new(Kind::Bucket, &uri.bucket));
        data
    }

    /// Every connection.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter()
    }

    /// What this leads to, one step.
    pub fn down(&self, from: &ResourceRef) -> &[(Link, ResourceRef)] {
        self.down.get(from).map_or(&[], Vec::as_slice)
    }

    /// What leads to this, one step.
    pub fn up(&self, to: &ResourceRef) -> &[(Link, ResourceRef)] {
        self.up.get(to).map_or(&[], Vec::as_slice)
    }

    /// Everything that leads here, any number of steps: who depends on this key, bucket or role.
    pub fn upstream(&self, of: &ResourceRef) -> BTreeSet<ResourceRef> {
        walk(of, |at| self.up(at))
    }

    /// Everything this leads to, any number of steps.
    pub fn downstream(&self, of: &ResourceRef) -> BTreeSet<ResourceRef> {
        walk(of, |at| self.down(at))
    }

    /// What this could not be, or could not work, without: what it was made of and what it leans on, one step.
    /// With each the sentence that begins with this.
    pub fn needs<'a>(&'a self, of: &ResourceRef) -> impl Iterator<Item = Step<'a>> + use<'a> {
        let made = self.up(of).iter().filter(|(link, _)| link.is_origin()).map(|(link, other)| (link.back(), other));
        made.chain(self.down(of).iter().filter(|(link, _)| !link.is_origin()).map(|(link, other)| (link.verb(), other)))
    }

    /// What could not be, or could not work, without this, one step. With each the sentence that begins with this.
    pub fn needed_by<'a>(&'a self, of: &ResourceRef) -> impl Iterator<Item = Step<'a>> + use<'a> {
        let made = self.down(of).iter().filter(|(link, _)| link.is_origin()).map(|(link, other)| (link.verb(), other));
        made.chain(self.up(of).iter().filter(|(link, _)| !link.is_origin()).map(|(link, other)| (link.back(), other)))
    }

    /// Everything this needs, any number of steps, the nearest first.
    pub fn all_needs(&self, of: &ResourceRef) -> Vec<ResourceRef> {
        reach(of, |at| self.needs(at))
    }

    /// Everything that needs this, any number of steps, the nearest first: what a fault of it affects.
    pub fn all_needed_by(&self, of: &ResourceRef) -> Vec<ResourceRef> {
        reach(of, |at| self.needed_by(at))
    }

    /// All of one kind that lineage reaches, each with what [`Self::up`] says of it.
    pub fn reached_from(&self, kind: Kind) -> BTreeMap<&ResourceId, &[(Link, ResourceRef)]> {
        let ends = of_kind(&self.down, kind).map(|(node, _)| (&node.id, &[][..]));
        // What stands in both is taken from the second.
        ends.chain(of_kind(&self.up, kind).map(|(node, others)| (&node.id, &others[..]))).collect()
    }

    /// All ids of one kind that lineage reaches.
    pub fn reached(&self, kind: Kind) -> BTreeSet<ResourceId> {
        let ends = of_kind(&self.down, kind).chain(of_kind(&self.up, kind));
        ends.map(|(node, _)| node.id.clone()).collect()
    }
}

/// The ends of one kind.
fn of_kind(ends: &Ends, kind: Kind) -> impl Iterator<Item = (&ResourceRef, &Vec<(Link, ResourceRef)>)> {
    // The first that there could be: ends are in the order of their kinds.
    ends.range(ResourceRef::new(kind, "")..).take_while(move |(node, _)| node.kind == kind)
}

/// Gathers what stands beside each other under one end.
fn by_end<'a>(sorted: impl Iterator<Item = (&'a ResourceRef, (Link, &'a ResourceRef))>) -> Ends {
    let mut groups: Vec<(ResourceRef, Vec<(Link, ResourceRef)>)> = Vec::new();
    for (end, (link, other)) in sorted {
        match groups.last_mut() {
            Some((held, others)) if held == end => others.push((link, other.clone())),
            _ => groups.push((end.clone(), vec![(link, other.clone())])),
        }
    }
    groups.into_iter().collect()
}

/// A model by the ARN that serving names it with.
fn model_ref(id: &ResourceId) -> Option<ResourceRef> {
    use crate::base::arn::ArnKind;
    let kind = match id.arn()?.kind() {
        ArnKind::CustomModel => Kind::Model,
        ArnKind::ImportedModel => Kind::ImportedModel,
        ArnKind::FoundationModel => Kind::FoundationModel,
        ArnKind::Deployment => Kind::Deployment,
        ArnKind::ProvisionedModel => Kind::Throughput,
        _ => return None,
    };
    Some(ResourceRef::new(kind, id))
}

/// A sentence and what it leads to.
pub type Step<'a> = (&'static str, &'a ResourceRef);

fn reach<'a, I: Iterator<Item = Step<'a>>>(
    start: &'a ResourceRef,
    next: impl Fn(&ResourceRef) -> I,
) -> Vec<ResourceRef> {
    let mut seen = BTreeSet::from([start]);
    let (mut order, mut queue) = (Vec::new(), VecDeque::from([start]));
    while let Some(at) = queue.pop_front() {
        for (_, node) in next(at) {
            if seen.insert(node) {
                order.push(node.clone());
                queue.push_back(node);
            }
        }
    }
    order
}

fn walk<'a>(start: &'a ResourceRef, next: impl Fn(&ResourceRef) -> &'a [(Link, ResourceRef)]) -> BTreeSet<ResourceRef> {
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for (_, node) in next(at) {
            if seen.insert(node.clone()) {
                queue.push_back(node);
            }
        }
    }
    seen.remove(start);
    seen
}

impl Inventory {
    /// The table a subnet follows: the one that names it, else its VPC's main one.
    pub fn route_table_of(&self, subnet: &ResourceId) -> Option<&super::ec2::RouteTable> {
        let named = self.route_tables.values().find(|table| table.subnets.contains(subnet));
        named.or_else(|| {
            let vpc = &self.subnets.get(subnet)?.vpc;
            self.route_tables.values().find(|table| table.main && table.vpc == *vpc)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::bedrock::{CopyJob, JobStatus};
    use crate::inventory::{Items, Update};

    fn of(kind: Kind, id: &str) -> ResourceRef {
        ResourceRef::new(kind, id)
    }

    /// A model that is copied with a key: base facts enough for both sorts of edge.
    fn lineage() -> Lineage {
        let mut inventory = Inventory::default();
        inventory.apply(Update::Listed(Items::CopyJob(vec![CopyJob {
            arn: "copy".into(),
            status: JobStatus::Completed,
            source_model: "source".into(),
            source_account: "1".into(),
            target_model: "target".into(),
            target_name: "target".into(),
            target_key: Some("key".into()),
            created: crate::base::Timestamp::from_secs(0),
            failure: None,
        }])));
        Lineage::of(&inventory)
    }

    #[test]
    fn both_ends_of_an_edge_are_reached() {
        let reached = |kind| lineage().reached(kind).into_iter().collect::<Vec<_>>();
        assert_eq!(reached(Kind::Model), ["source", "target"]);
        assert_eq!(reached(Kind::CopyJob), ["copy"]);
        assert_eq!(reached(Kind::Key), ["key"]);
        assert_eq!(reached(Kind::Job), [] as [ResourceId; 0]);
    }

    #[test]
    fn a_copy_needs_its_source_and_its_key_and_not_the_other_way_round() {
        let lineage = lineage();
        let (copy, target, key) = (of(Kind::CopyJob, "copy"), of(Kind::Model, "target"), of(Kind::Key, "key"));
        let needs = lineage.all_needs(&target);
        assert_eq!(needs, [copy.clone(), of(Kind::Model, "source"), key.clone()]);
        assert_eq!(lineage.all_needed_by(&key), [copy, target]);
        assert_eq!(lineage.all_needs(&key), []);
    }
}
