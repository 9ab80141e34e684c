//! The roles that customization jobs run as, each with what its jobs read, write and run in. Knows no control.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Judge, Subject};
use super::verdict::Verdict;
use crate::access::Identity;
use crate::base::ResourceId;
use crate::inventory::bedrock::S3Uri;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};

/// A role, and what its jobs need.
#[derive(Debug, Default)]
pub(super) struct JobRole {
    /// The jobs.
    pub jobs: BTreeSet<ResourceRef>,
    /// Training and validation data, and invocation logs that are learned from.
    pub reads: BTreeSet<S3Uri>,
    /// Where results go.
    pub writes: BTreeSet<S3Uri>,
    /// Results that lie in the data of the same job: the job, the result, the data.
    pub nested: Vec<(ResourceRef, S3Uri, S3Uri)>,
    /// Subnets, of those that run in a VPC.
    pub subnets: BTreeSet<ResourceId>,
    /// Security groups.
    pub groups: BTreeSet<ResourceId>,
}

/// The roles of the jobs whose details were read.
pub(super) fn of(inventory: &Inventory) -> BTreeMap<&ResourceId, JobRole> {
    let mut roles: BTreeMap<&ResourceId, JobRole> = BTreeMap::new();
    for job in inventory.jobs.values() {
        // A detail that was not read is told by the list's gap.
        let Ok(detail) = job.detail.known() else { continue };
        let this = ResourceRef::new(Kind::Job, &job.arn);
        let role = roles.entry(&detail.role).or_default();
        let logs = detail.invocation_logs.as_ref().and_then(|logs| logs.source.as_ref());
        let data: BTreeSet<&S3Uri> = detail.training.iter().chain(&detail.validation).chain(logs).collect();
        if let Some(output) = &detail.output {
            let within = data.iter().filter(|data| lies_in(output, data));
            role.nested.extend(within.map(|data| (this.clone(), output.clone(), (*data).clone())));
            add(&mut role.writes, output);
        }
        for uri in data {
            add(&mut role.reads, uri);
        }
        role.jobs.insert(this);
        if let Some(vpc) = &detail.vpc {
            role.subnets.extend(vpc.subnets.iter().cloned());
            role.groups.extend(vpc.security_groups.iter().cloned());
        }
    }
    roles
}

/// why looked first: thousands of jobs share a few places, and each copy would be thrown away.
fn add(places: &mut BTreeSet<S3Uri>, uri: &S3Uri) {
    if !places.contains(uri) {
        places.insert(uri.clone());
    }
}

/// Whether one place is another or beneath it.
fn lies_in(inner: &S3Uri, outer: &S3Uri) -> bool {
    let (inside, around) = (inner.prefix.as_str(), outer.prefix.as_str().trim_end_matches('/'));
    let rest = inside.strip_prefix(around);
    inner.bucket == outer.bucket
        && (around.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Judges the permissions of each of these roles that is there.
pub(super) fn each(
    judge: &Judge<'_>,
    concerns: impl Fn(&JobRole) -> bool,
    mut decide: impl FnMut(Subject<'_>, &JobRole, &Identity) -> Vec<Verdict>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (arn, role) in judge.tables().roles.iter().filter(|(_, role)| concerns(role)) {
        let subject = judge.on(ResourceRef::new(Kind::Role, *arn)).related(role.jobs.iter().cloned());
        match judge.permissions().find(arn) {
            Some(identity) => verdicts.extend(decide(subject, role, identity)),
            None => verdicts.push(absent(judge, subject, arn)),
        }
    }
    verdicts
}

/// Of a role that was not read.
pub(super) fn absent(judge: &Judge<'_>, subject: Subject<'_>, arn: &ResourceId) -> Verdict {
    match judge.gap(SourceId::AUTHORIZATION) {
        Some(why) => subject.unread(why),
        None => subject.not_applicable(format!("role {} does not exist any more", arn.last())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_what() {
        for (inner, outer, yes) in [
            ("s3://b/out/", "s3://b/", true),
            ("s3://b/out", "s3://b", true),
            ("s3://b/train/out", "s3://b/train/", true),
            ("s3://b/train", "s3://b/train/", true),
            ("s3://b/train/a.jsonl", "s3://b/train/a.jsonl", true),
            ("s3://b/train/a.jsonl/x", "s3://b/train/a.jsonl", true),
            ("s3://b/training", "s3://b/train", false),
            ("s3://b/out", "s3://b/train", false),
            ("s3://c/train/x", "s3://b/train", false),
            ("s3://b/", "s3://b/train", false),
        ] {
            let uri = |text| S3Uri::parse(text).unwrap();
            assert_eq!(lies_in(&uri(inner), &uri(outer)), yes, "{inner} in {outer}");
        }
    }
}
