//! The networks that jobs run in, by VPC, with what each job reads and writes from there. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ResourceId;
use crate::inventory::bedrock::{S3Uri, VpcConfig};
use crate::inventory::ec2::Endpoint;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::control::Context;

/// Everything that says which networks and buckets jobs use.
pub(super) const JOB_LISTS: &[SourceId] =
    &[SourceId::JOBS, SourceId::JOB_DETAILS, SourceId::IMPORT_JOBS, SourceId::IMPORT_JOB_DETAILS];

/// A customization or import job, as far as its detail is known.
#[derive(Debug, Clone)]
pub(in crate::posture) struct Running<'a> {
    pub job: ResourceRef,
    pub role: &'a ResourceId,
    pub vpc: Option<&'a VpcConfig>,
    pub reads: Vec<&'a S3Uri>,
    pub writes: Option<&'a S3Uri>,
}

impl Running<'_> {
    /// The VPCs of its subnets; those that are gone have none.
    pub(super) fn vpcs<'i>(&self, inventory: &'i Inventory) -> BTreeSet<&'i ResourceId> {
        let subnets = self.vpc.into_iter().flat_map(|vpc| &vpc.subnets);
        subnets.filter_map(|id| inventory.subnets.get(id)).map(|subnet| &subnet.vpc).collect()
    }
}

/// Every job whose detail is known; the others are the lists' gap.
pub(super) fn running(inventory: &Inventory) -> Vec<Running<'_>> {
    let customizations = inventory.jobs.values().filter_map(|job| {
        let detail = job.detail.known().ok()?;
        Some(Running {
            job: ResourceRef::new(Kind::Job, &job.arn),
            role: &detail.role,
            vpc: detail.vpc.as_ref(),
            reads: detail.training.iter().chain(&detail.validation).collect(),
            writes: detail.output.as_ref(),
        })
    });
    let imports = inventory.import_jobs.values().filter_map(|job| {
        let detail = job.detail.known().ok()?;
        Some(Running {
            job: ResourceRef::new(Kind::ImportJob, &job.arn),
            role: &detail.role,
            vpc: detail.vpc.as_ref(),
            reads: detail.data.iter().collect(),
            writes: None,
        })
    });
    customizations.chain(imports).collect()
}

/// A VPC with the subnets that jobs run in, and the jobs.
#[derive(Debug, Default)]
pub(in crate::posture) struct Network<'a> {
    pub subnets: BTreeSet<&'a ResourceId>,
    pub jobs: Vec<Running<'a>>,
}

impl Network<'_> {
    /// The jobs, to be named beside a verdict.
    pub(super) fn references(&self) -> impl Iterator<Item = ResourceRef> + '_ {
        self.jobs.iter().map(|running| running.job.clone())
    }
}

/// Every VPC that a job runs in. Subnets that are gone are CUS-NET-01's.
pub(in crate::posture) fn networks(inventory: &Inventory) -> BTreeMap<&ResourceId, Network<'_>> {
    let mut found: BTreeMap<&ResourceId, Network<'_>> = BTreeMap::new();
    for running in running(inventory) {
        for vpc in running.vpcs(inventory) {
            let network = found.entry(vpc).or_default();
            let own = running.vpc.into_iter().flat_map(|vpc| &vpc.subnets);
            network.subnets.extend(own.filter(|id| inventory.subnets.get(*id).is_some_and(|one| one.vpc == *vpc)));
            network.jobs.push(running.clone());
        }
    }
    found
}

/// Whether an endpoint leads to this service of the region (`s3`, `bedrock-runtime`). In China some names begin
/// with `cn.`.
pub(super) fn serves(endpoint: &Endpoint, region: &str, service: &str) -> bool {
    let name = endpoint.service.as_str();
    let rest = name.strip_prefix("cn.").unwrap_or(name).strip_prefix("com.amazonaws.");
    let rest = rest.and_then(|rest| rest.strip_prefix(region)).and_then(|rest| rest.strip_prefix('.'));
    rest == Some(service)
}

/// The endpoints of a VPC that lead to a service.
pub(super) fn endpoints_of<'a>(
    inventory: &'a Inventory,
    vpc: &ResourceId,
    region: &str,
    service: &str,
) -> Vec<&'a Endpoint> {
    let own = inventory.endpoints.values().filter(|endpoint| endpoint.vpc == *vpc);
    own.filter(|endpoint| serves(endpoint, region, service)).collect()
}

/// Whether a condition on an organization names ours. While ours is not known, any may be.
pub(super) fn may_be_ours(context: &Context<'_>, organizations: &[String]) -> bool {
    match context.inventory.settings.organization.known() {
        Ok(Some(held)) => organizations.iter().all(|id| id == held.id.as_str()),
        Ok(None) => false,
        Err(_) => true,
    }
}

/// Whether an endpoint works. why either case: EC2 answers `available`, its reference writes `Available`.
pub(super) fn is_available(endpoint: &Endpoint) -> bool {
    endpoint.state.as_str().eq_ignore_ascii_case("available")
}
