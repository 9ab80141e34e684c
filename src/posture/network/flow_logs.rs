//! CUS-NET-08: whether the traffic of the jobs' subnets is recorded.

use std::collections::BTreeSet;

use crate::base::ResourceId;
use crate::inventory::ec2::FlowLog;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, PCI};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const NET_08: Control = Control {
    id: "CUS-NET-08",
    title: "Flow logs on the training VPC",
    severity: Severity::Medium,
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
        SourceId::FLOW_LOGS,
    ],
    details: &[],
    logic: "Each subnet that a job names must be covered by a flow log, of its own or of its VPC, that is active, whose \
            delivery does not fail, and that records accepted and rejected traffic. Logs on single network interfaces \
            are not counted: those of jobs come and go.",
    reasons: &["no-flow-log", "not-active", "delivery-failed", "partial-traffic"],
    remediation: "Create a flow log for the VPC with traffic type ALL, and repair the destination of one that fails.",
    cli: "aws ec2 create-flow-logs --resource-type VPC --resource-ids VPC --traffic-type ALL --log-destination \
          ARN --log-destination-type s3",
    compliance: &[
        (NIST, &["AU-12", "SI-4"]),
        (FEDRAMP, &["AU-12", "SI-4"]),
        (PCI, &["10.2.1"]),
        (HIPAA, &["164.312(b)"]),
        (GDPR, &["30"]),
        (CIS, &["4.7"]),
        (ATLAS, &["AML.M0024"]),
    ],
    fixes: &[],
    evaluate: recorded,
};

fn recorded(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    let mut verdicts = Vec::new();
    for (&vpc, network) in &judge.tables().networks {
        let name = context.name_of(&ResourceRef::new(Kind::Vpc, vpc));
        let about = |log: &&FlowLog| log.resource == *vpc || network.subnets.contains(&log.resource);
        let logs: Vec<&FlowLog> = inventory.flow_logs.values().filter(about).collect();
        let subject = judge
            .on(ResourceRef::new(Kind::Vpc, vpc))
            .related(network.references())
            .related(logs.iter().map(|log| ResourceRef::new(Kind::FlowLog, &log.id)));
        let of = |subnet: &ResourceId| {
            let own = logs.iter().copied().filter(|log| log.resource == *vpc || log.resource == *subnet);
            own.collect::<Vec<_>>()
        };
        let mut found: Vec<(&ResourceId, Lack)> =
            network.subnets.iter().filter_map(|subnet| Some((*subnet, lack(&of(subnet))?))).collect();
        if let (false, Some(why)) = (found.is_empty(), judge.gap(SourceId::FLOW_LOGS)) {
            verdicts.push(subject.unread(why));
            continue;
        }
        let shown = |log: &&FlowLog| {
            format!("{} ({}, {}, {} to {})", log.id, log.status, log.delivery, log.traffic, log.destination)
        };
        let draft = subject
            .shows("flowLogs", if logs.is_empty() { "none".to_owned() } else { listed(logs.iter().map(shown)) })
            .shows("subnets", listed(&network.subnets))
            .shows_some("DeliverLogsErrorMessage", logs.iter().find_map(|log| log.error.as_ref()));
        found.sort_by_key(|(_, lack)| *lack);
        let kinds: BTreeSet<Lack> = found.iter().map(|(_, lack)| *lack).collect();
        let problems = kinds.into_iter().map(|kind| {
            let subnets = listed(found.iter().filter(|(_, lack)| *lack == kind).map(|(subnet, _)| subnet));
            let (code, what) = kind.words();
            Problem::fail(code, format!("{what} for {subnets} of VPC {name}")).shows("notCovered", subnets)
        });
        verdicts.extend(draft.conclude(problems.collect(), "all traffic of the jobs' subnets is recorded"));
    }
    verdicts
}

/// Why a subnet's traffic is not recorded: the one step that is nearest to done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Log,
    Active,
    Delivery,
    Traffic,
}

impl Lack {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Log => ("no-flow-log", "there is no flow log"),
            Self::Active => ("not-active", "no flow log is active"),
            Self::Delivery => ("delivery-failed", "the flow log cannot be delivered"),
            Self::Traffic => ("partial-traffic", "only a part of the traffic is recorded"),
        }
    }
}

fn lack(logs: &[&FlowLog]) -> Option<Lack> {
    let mut left = logs.to_vec();
    if left.is_empty() {
        return Some(Lack::Log);
    }
    left.retain(|log| log.status.as_str().eq_ignore_ascii_case("ACTIVE"));
    if left.is_empty() {
        return Some(Lack::Active);
    }
    left.retain(|log| !log.delivery.as_str().eq_ignore_ascii_case("FAILED"));
    if left.is_empty() {
        return Some(Lack::Delivery);
    }
    let records = |kind: &str| left.iter().any(|log| log.traffic.as_str().eq_ignore_ascii_case(kind));
    (!(records("ALL") || records("ACCEPT") && records("REJECT"))).then_some(Lack::Traffic)
}
