//! CUS-LOG-09 and 12: whether a trail records what is done with Bedrock and its keys, and whether its record
//! can be trusted.

use super::recorders::{Event, Recorder, any_records, trails};
use super::{IN_USE, in_use};
use crate::base::ResourceId;
use crate::inventory::s3::Presence;
use crate::inventory::trail::Selector;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::data;
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_09: Control = Control {
    id: "CUS-LOG-09",
    title: "A healthy multi-Region trail records Bedrock's management events, reads included",
    severity: Severity::High,
    area: Area::Logging,
    what: "models, jobs, deployments or throughput of customization",
    lists: IN_USE,
    tables: &[SourceId::TRAILS],
    details: &[SourceId::TRAIL_STATUS, SourceId::TRAIL_SELECTORS],
    logic: "Trails that cover all regions, log now and deliver without an error must together record Bedrock's \
            management events, both those that read and those that write. Invocations (InvokeModel, Converse) are \
            management events that read: a trail for writes alone does not see them. Decided by showing each selector \
            the events.",
    reasons: &[
        "no-trail",
        "single-region",
        "not-logging",
        "delivery-error",
        "reads-missing",
        "writes-missing",
        "bedrock-missing",
    ],
    remediation: "Have a multi-Region trail record management events, reads and writes, without leaving out Bedrock.",
    cli: "aws cloudtrail put-event-selectors --trail-name TRAIL --event-selectors ReadWriteType=All,IncludeManagementEvents=true",
    compliance: &[
        (NIST, &["AU-2", "AU-12", "AU-5"]),
        (FEDRAMP, &["AU-2", "AU-12", "AU-5"]),
        (PCI, &["10.2.1"]),
        (HIPAA, &["164.312(b)"]),
        (GDPR, &["30"]),
        (CIS, &["4.1"]),
        (OWASP, &["LLM10"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: management_events,
};

/// Management events of Bedrock that must be seen, by whether they only read (AWS CloudTrail's record of them).
const READS: &[&str] =
    &["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream", "GetCustomModel"];
/// See [`READS`].
const WRITES: &[&str] = &[
    "CreateModelCustomizationJob",
    "CreateModelImportJob",
    "CreateCustomModelDeployment",
    "DeleteCustomModel",
    "PutModelInvocationLoggingConfiguration",
    "DeleteModelInvocationLoggingConfiguration",
];

fn management<'a>(source: &'a str, name: &'a str, read_only: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("eventCategory", "Management"),
        ("eventType", "AwsApiCall"),
        ("eventSource", source),
        ("eventName", name),
        ("readOnly", read_only),
    ]
}

fn all_recorded(selectors: &[&Selector], names: &[&str], read_only: &str) -> bool {
    names.iter().all(|name| {
        let event: &Event<'_> = &management("bedrock.amazonaws.com", name, read_only);
        any_records(selectors.iter().copied(), event)
    })
}

fn management_events(judge: &Judge<'_>) -> Vec<Verdict> {
    let (context, inventory) = (judge.context, judge.context.inventory);
    if !in_use(inventory) {
        return Vec::new();
    }
    let region = context.region;
    let (read, open) = trails(inventory);
    let refs = inventory.trails.keys().map(|arn| ResourceRef::new(Kind::Trail, arn));
    let subject = judge.on_region().related(refs);
    let healthy: Vec<&Recorder<'_>> = read.iter().filter(|one| one.trail.multi_region && one.works()).collect();
    let selectors: Vec<&Selector> = healthy.iter().flat_map(|one| one.selectors).collect();
    let (reads, writes) = (all_recorded(&selectors, READS, "true"), all_recorded(&selectors, WRITES, "false"));
    let names = |all: &[&Recorder<'_>]| listed(all.iter().map(|one| &one.trail.name));
    let mut draft = subject
        .shows("trails", if read.is_empty() { "none".to_owned() } else { names(&read.iter().collect::<Vec<_>>()) });
    for one in &read {
        draft = draft
            .shows("IsMultiRegionTrail", format!("{}: {}", one.trail.name, one.trail.multi_region))
            .shows("IsLogging", format!("{}: {}", one.trail.name, one.status.logging))
            .shows_some(
                "LatestDeliveryTime",
                one.status.delivered.map(|at| format!("{}: {}", one.trail.name, at.minute())),
            );
        for selector in one.selectors {
            draft = draft.shows("selector", format!("{}: {}", one.trail.name, listed(&selector.fields)));
        }
    }
    if reads && writes {
        return vec![draft.pass(format!("trail {} records reads and writes of Bedrock", names(&healthy)))];
    }
    // What is missing from a list that is not whole, or was not read, is not known to be missing.
    if let Some(why) = judge.gap(SourceId::TRAILS).map(|gap| gap.to_string()).or_else(|| open.into_iter().next()) {
        return vec![draft.undecided("unread", why)];
    }
    if healthy.is_empty() {
        return draft.conclude(broken(region, &read), "");
    }
    let who = names(&healthy);
    let problem = match (reads, writes) {
        (false, true) => Problem::fail(
            "reads-missing",
            format!("trail {who} does not record Bedrock events that read: invocations are invisible"),
        ),
        (true, false) => Problem::fail(
            "writes-missing",
            format!("trail {who} does not record Bedrock events that write: who makes and deletes models is invisible"),
        ),
        _ => Problem::fail("bedrock-missing", format!("trail {who} does not record management events of Bedrock")),
    };
    draft.conclude(vec![problem], "")
}

/// Why no trail is healthy.
fn broken(region: &str, read: &[Recorder<'_>]) -> Vec<Problem> {
    if read.is_empty() {
        let why = format!("no trail records anything in {region}: what is done with Bedrock is kept for 90 days only");
        return vec![Problem::fail("no-trail", why)];
    }
    let mut problems = Vec::new();
    for one in read {
        let name = &one.trail.name;
        if !one.trail.multi_region {
            let why = format!("trail {name} covers {} only", one.trail.home_region);
            problems.push(Problem::fail("single-region", why));
        }
        if !one.status.logging {
            problems.push(Problem::fail("not-logging", format!("trail {name} does not log")));
        }
        if let Some(error) = &one.status.error {
            let why = format!("trail {name} cannot deliver: {error}");
            problems.push(Problem::fail("delivery-error", why).shows("LatestDeliveryError", error));
        }
    }
    problems
}

pub(in crate::posture) const LOG_12: Control = Control {
    id: "CUS-LOG-12",
    title: "Trail is tamper-evident and keeps KMS events",
    severity: Severity::Medium,
    area: Area::Logging,
    what: "trails that could record customization",
    lists: IN_USE,
    tables: &[SourceId::TRAILS, SourceId::ACCOUNT_PUBLIC_ACCESS],
    details: &[
        SourceId::TRAIL_SELECTORS,
        SourceId::BUCKET_PUBLIC_ACCESS,
        SourceId::BUCKET_POLICY_STATUS,
        SourceId::BUCKET_OWNERSHIP,
    ],
    logic: "Each trail must validate its log files (digests show what was changed or removed), encrypt them with a KMS \
            key, and deliver to a bucket for which CUS-DAT-03 holds. A trail that records management events must not \
            leave out those of KMS, unless another trail has them: else nobody can tell who used the key of a model.",
    reasons: &["no-validation", "no-key", "kms-excluded", "bucket-exposed"],
    remediation: "Switch validation on, name a key, and take kms.amazonaws.com out of the excluded sources.",
    cli: "aws cloudtrail update-trail --name TRAIL --enable-log-file-validation --kms-key-id KEY",
    compliance: &[
        (NIST, &["AU-9", "SI-7"]),
        (FEDRAMP, &["AU-9", "SI-7"]),
        (PCI, &["10.3.2", "10.3.4"]),
        (HIPAA, &["164.312(c)(1)"]),
        (GDPR, &["32"]),
        (CIS, &["4.2", "4.5"]),
        (ATLAS, &["AML.M0024"]),
    ],
    fixes: &[],
    evaluate: tamper_evident,
};

/// Events of KMS that tell of the use of a key.
const KMS_EVENTS: &[(&str, &str)] = &[("Decrypt", "true"), ("GenerateDataKey", "true"), ("CreateGrant", "false")];

fn keeps_kms<'a>(selectors: impl IntoIterator<Item = &'a Selector> + Clone) -> bool {
    KMS_EVENTS.iter().all(|(name, read_only)| {
        let event: &Event<'_> = &management("kms.amazonaws.com", name, read_only);
        any_records(selectors.clone(), event)
    })
}

fn tamper_evident(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    if !in_use(inventory) {
        return Vec::new();
    }
    let known = inventory.trails.values().filter_map(|trail| trail.selectors.known().ok()).flatten();
    let kms_elsewhere = keeps_kms(known.collect::<Vec<_>>());
    let mut verdicts = Vec::new();
    for trail in inventory.trails.values() {
        let name = &trail.name;
        let bucket = trail.bucket.as_ref().map(|bucket| ResourceRef::new(Kind::Bucket, bucket));
        let draft = judge
            .on(ResourceRef::new(Kind::Trail, &trail.arn))
            .related(bucket)
            .shows("LogFileValidationEnabled", trail.validation)
            .shows("KmsKeyId", trail.kms_key.as_ref().map_or("none", ResourceId::as_str))
            .shows("S3BucketName", trail.bucket.as_ref().map_or("none", ResourceId::as_str));
        let (mut problems, mut open) = (Vec::new(), Vec::new());
        if !trail.validation {
            let why = format!("trail {name} does not validate its log files: nobody would see that one was changed");
            problems.push(Problem::fail("no-validation", why));
        }
        if trail.kms_key.is_none() {
            problems.push(Problem::fail("no-key", format!("trail {name} encrypts its log files with no KMS key")));
        }
        match trail.selectors.known() {
            Ok(selectors) => {
                let any = |source| {
                    ["true", "false"]
                        .iter()
                        .any(|read_only| any_records(selectors, &management(source, "Any", read_only)))
                };
                // why another source: to tell a trail that leaves KMS out from one that records no management.
                if any("bedrock.amazonaws.com") && !keeps_kms(selectors) && !kms_elsewhere {
                    let why = format!("trail {name} leaves out events of KMS: the use of model keys is not recorded");
                    let fields = selectors.iter().flat_map(|selector| &selector.fields);
                    problems.push(Problem::fail("kms-excluded", why).shows("selector", listed(fields)));
                }
            }
            Err(unknown) => open.push(unread("cloudtrail:GetEventSelectors", unknown)),
        }
        let (found, unseen) = bucket_of(judge, trail.bucket.as_ref());
        problems.extend(found);
        open.extend(unseen);
        let open = open.into_iter().next().map(|why| ("unread", why));
        verdicts.extend(draft.conclude_open(problems, open, "validated, encrypted, and in a bucket that is closed"));
    }
    verdicts
}

/// What lets strangers near the files of a trail, and why not all of that is known.
fn bucket_of(judge: &Judge<'_>, name: Option<&ResourceId>) -> (Vec<Problem>, Option<String>) {
    let Some(name) = name else { return (Vec::new(), None) };
    let Some(bucket) = judge.context.inventory.buckets.get(name) else {
        let gap = judge.gap(SourceId::BUCKETS);
        let why = gap.map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
        return (Vec::new(), Some(format!("bucket {name}: {why}")));
    };
    if bucket.presence() == Some(Presence::Foreign) {
        let why = format!("bucket {name} belongs to another account: whether it is closed cannot be read");
        return (Vec::new(), Some(why));
    }
    let (found, unseen) = data::exposure(judge, bucket);
    let found = found.into_iter().map(|problem| Problem { code: "bucket-exposed", severity: None, ..problem });
    (found.collect(), unseen)
}
