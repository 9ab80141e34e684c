//! CUS-DET-05 and 06: whether GuardDuty watches, and what it has found on customization.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ResourceId;
use crate::inventory::guardduty::ThreatDetail;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{CUSTOMIZED, idle};

pub(in crate::posture) const DET_05: Control = Control {
    id: "CUS-DET-05",
    title: "GuardDuty covers the account: detector, S3 protection, AI protection",
    severity: Severity::High,
    area: Area::Detection,
    what: "customization jobs, custom or imported models, deployments",
    lists: CUSTOMIZED,
    tables: &[SourceId::GUARDDUTY, SourceId::CHANNELS],
    details: &[SourceId::DETECTORS],
    logic: "The region must have a GuardDuty detector that is enabled, with S3 protection (S3_DATA_EVENTS) and AI \
            protection (AI_PROTECTION) on. For the latter, the channel that GuardDuty makes for itself in CloudTrail \
            counts too. Where the detector does not list AI protection at all, that is a warning: the region may not \
            have it.",
    reasons: &["no-detector", "detector-off", "s3-protection-off", "ai-protection-off", "ai-protection-missing"],
    remediation: "Create a detector, or switch on the features that are off.",
    cli: "aws guardduty update-detector --detector-id ID --enable --features Name=S3_DATA_EVENTS,Status=ENABLED …",
    compliance: &[
        (NIST, &["SI-4", "RA-5"]),
        (FEDRAMP, &["SI-4", "RA-5"]),
        (PCI, &["11.5.1.1"]),
        (HIPAA, &["164.308(a)(1)(ii)(A)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM01", "LLM10"]),
        (ATLAS, &["AML.T0040", "AML.T0051"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: detectors,
};

/// What the channel's name begins with that GuardDuty makes for its protection of AI.
const CHANNEL: &str = "aws-service-channel/guardduty/";
const S3: &str = "S3_DATA_EVENTS";
const AI: &str = "AI_PROTECTION";

fn detectors(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    if idle(judge.context) {
        return Vec::new();
    }
    let region = judge.context.region;
    if inventory.detectors.is_empty() {
        let subject = judge.on_region();
        return vec![match judge.gap(SourceId::GUARDDUTY) {
            Some(why) => subject.unread(why),
            None => subject
                .shows("detectors", "none")
                .fail("no-detector", format!("GuardDuty is off in {region}: it has no detector")),
        }];
    }
    let channel = inventory.channels.values().find(|channel| channel.name.as_str().starts_with(CHANNEL));
    let mut verdicts = Vec::new();
    for detector in inventory.detectors.values() {
        // why the region: a detector's id tells nobody anything, and a region has one.
        let subject = judge.on_region().related([ResourceRef::new(Kind::Detector, &detector.id)]);
        let detail = match detector.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("guardduty:GetDetector", unknown)));
                continue;
            }
        };
        let features = detail.features.iter().map(|(name, state)| format!("{name} {state}"));
        let draft = subject
            .shows("DetectorId", &detector.id)
            .shows("Status", &detail.status)
            .shows("Features", listed(features))
            .shows_some("channel", channel.map(|channel| &channel.name));
        if detail.status.as_str() != "ENABLED" {
            let why = format!("GuardDuty is {} in {region}: its detector finds nothing", detail.status);
            verdicts.push(draft.fail("detector-off", why));
            continue;
        }
        let mut problems = Vec::new();
        if !detail.has(S3) {
            let why =
                format!("GuardDuty in {region} does not watch S3 ({S3} is off): reading out training data goes unseen");
            problems.push(Problem::fail("s3-protection-off", why));
        }
        if !detail.has(AI) && channel.is_none() {
            problems.push(if detail.features.keys().any(|name| name.as_str() == AI) {
                let why = format!("GuardDuty in {region} does not watch model invocations ({AI} is off)");
                Problem::fail("ai-protection-off", why)
            } else {
                let why = format!("GuardDuty in {region} does not list {AI}: nothing of it watches model invocations");
                Problem::warn("ai-protection-missing", why)
            });
        }
        verdicts.extend(draft.conclude(problems, "watches the account, S3 and the use of models"));
    }
    verdicts
}

pub(in crate::posture) const DET_06: Control = Control {
    id: "CUS-DET-06",
    title: "No open GuardDuty finding touches Bedrock, job roles or job buckets",
    severity: Severity::High,
    area: Area::Detection,
    what: "customization jobs, models or detectors of GuardDuty",
    lists: &[],
    // why all that names buckets and roles: that nothing touches the lineage is only known of a whole lineage.
    tables: &[
        SourceId::JOBS,
        SourceId::JOB_DETAILS,
        SourceId::MODELS,
        SourceId::IMPORT_JOBS,
        SourceId::IMPORT_JOB_DETAILS,
        SourceId::GUARDDUTY,
        SourceId::THREATS,
    ],
    details: &[SourceId::THREAT_DETAILS],
    logic: "No finding of GuardDuty that is not archived may be about the use of Bedrock, about a bucket of the \
            lineage, or about a role of it. Graded by GuardDuty's own severity: from 7 high (from 9 critical), from 4 \
            medium, else low. Without a detector there is nothing to find: see CUS-DET-05.",
    reasons: &["touches-bedrock", "touches-bucket", "touches-role"],
    remediation: "Open an incident: find out who did it and whether it goes on; archive the finding when that is settled.",
    cli: "aws guardduty get-findings --detector-id DETECTOR --finding-ids FINDING",
    compliance: &[
        (NIST, &["IR-4", "SI-4"]),
        (FEDRAMP, &["IR-4", "SI-4"]),
        (PCI, &["12.10.5"]),
        (HIPAA, &["164.308(a)(6)(ii)"]),
        (GDPR, &["33"]),
        (OWASP, &["LLM01", "LLM10"]),
        (ATLAS, &["AML.T0034", "AML.T0051", "AML.T0054"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: threats,
};

/// Findings that are about the use of models, whoever made it.
const OF_BEDROCK: &[&str] = &[
    "DefenseEvasion:IAMUser/BedrockLoggingDisabled",
    "Impact:IAMUser/AnomalousModelInvocation",
    "Impact:IAMUser/CostHarvesting",
    "Impact:IAMUser/PromptInjection.Direct",
];
/// The one about every bucket of the account.
const OF_EVERY_BUCKET: &str = "Policy:S3/AccountBlockPublicAccessDisabled";

fn threats(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    let region = judge.on_region();
    if idle(context) && inventory.threats.is_empty() {
        return Vec::new();
    }
    if inventory.detectors.is_empty() {
        return vec![region.not_applicable("GuardDuty is off here, so it finds nothing; see CUS-DET-05")];
    }
    let buckets = context.lineage.reached(Kind::Bucket);
    let roles: BTreeMap<String, ResourceId> =
        context.lineage.reached(Kind::Role).into_iter().map(|arn| (arn.last().to_owned(), arn)).collect();
    let (mut verdicts, mut open, mut elsewhere) = (Vec::new(), 0, 0);
    for threat in inventory.threats.values() {
        let this = ResourceRef::new(Kind::Threat, &threat.id);
        let detail = match threat.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                open += 1;
                verdicts.push(judge.on_region().beside(this).unread(unread("guardduty:GetFindings", unknown)));
                continue;
            }
        };
        let Some((code, on)) = touches(context, detail, &buckets, &roles) else {
            elsewhere += 1;
            continue;
        };
        open += 1;
        let what = match code {
            "touches-bedrock" => format!("the use of Bedrock{}", by(detail)),
            _ => listed(on.iter().map(|one| format!("{} {}", one.kind.word(), context.name_of(one)))),
        };
        let severity = match detail.severity {
            s if s >= 9.0 => Severity::Critical,
            s if s >= 7.0 => Severity::High,
            s if s >= 4.0 => Severity::Medium,
            _ => Severity::Low,
        };
        // why not the finding: its id tells nobody anything.
        let first = on.first().filter(|_| detail.kind.as_str() != OF_EVERY_BUCKET);
        let about = first.cloned().unwrap_or_else(|| context.region_ref());
        let others: Vec<ResourceRef> = on.into_iter().filter(|one| *one != about).collect();
        let draft = judge
            .on(about)
            .beside(this)
            .related(others)
            .shows("Id", &threat.id)
            .shows("Type", &detail.kind)
            .shows("Title", &detail.title)
            .shows("Severity", detail.severity)
            .shows("Count", detail.count)
            .shows_some("UserName", detail.principal.as_ref())
            .shows_some("UpdatedAt", detail.updated);
        verdicts.push(draft.fail_as(severity, code, format!("GuardDuty finds {} on {what}", detail.kind)));
    }
    let nameless = |detail: &ThreatDetail| detail.principal.is_some() && principal(context, detail).is_none();
    if inventory.threats.values().any(|threat| threat.detail.known().is_ok_and(nameless)) {
        // Whose role or user it is decides on what a finding is told.
        let unread = |why| judge.on_region().part("principals").unread(why);
        verdicts.extend(judge.gap(SourceId::AUTHORIZATION).map(unread));
    }
    if open == 0 {
        verdicts
            .push(region.shows("open", 0).shows("elsewhere", elsewhere).pass("no open finding touches customization"));
    }
    verdicts
}

fn by(detail: &ThreatDetail) -> String {
    detail.principal.as_ref().map(|who| format!(" by {who}")).unwrap_or_default()
}

/// The role or user of the account that a finding names, of the lineage or not.
fn principal(context: &Context<'_>, detail: &ThreatDetail) -> Option<ResourceRef> {
    let (who, inventory) = (detail.principal.as_ref()?, context.inventory);
    let role = inventory.roles.values().find(|role| role.name == *who);
    let user = || inventory.users.values().find(|user| user.name == *who);
    role.map(|role| ResourceRef::new(Kind::Role, &role.arn))
        .or_else(|| user().map(|user| ResourceRef::new(Kind::User, &user.arn)))
}

/// How a finding concerns customization, and on what.
fn touches(
    context: &Context<'_>,
    detail: &ThreatDetail,
    buckets: &BTreeSet<ResourceId>,
    roles: &BTreeMap<String, ResourceId>,
) -> Option<(&'static str, Vec<ResourceRef>)> {
    let kind = detail.kind.as_str();
    let role = detail.principal.as_ref().and_then(|who| roles.get(who.as_str()));
    let role = role.map(|arn| ResourceRef::new(Kind::Role, arn));
    if OF_BEDROCK.contains(&kind) {
        return Some(("touches-bedrock", role.or_else(|| principal(context, detail)).into_iter().collect()));
    }
    let mut hit: Vec<ResourceRef> = if kind == OF_EVERY_BUCKET {
        buckets.iter().map(|name| ResourceRef::new(Kind::Bucket, name)).collect()
    } else {
        detail
            .buckets
            .iter()
            .filter(|name| buckets.contains(*name))
            .map(|name| ResourceRef::new(Kind::Bucket, name))
            .collect()
    };
    if !hit.is_empty() {
        hit.extend(role);
        return Some(("touches-bucket", hit));
    }
    role.map(|role| ("touches-role", vec![role]))
}
