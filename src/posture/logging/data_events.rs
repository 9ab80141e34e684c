//! CUS-LOG-10 and 11: whether data events are recorded: of Bedrock, and of objects in the buckets of jobs.

use std::collections::BTreeMap;

use super::recorders::{Event, any_records, stores, trails};
use super::{IN_USE, in_use};
use crate::base::{ResourceId, Text};
use crate::inventory::trail::Selector;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::data::{DATASET_LISTS, Use, Used, each};
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_10: Control = Control {
    id: "CUS-LOG-10",
    title: "Data events of Bedrock are recorded",
    severity: Severity::Medium,
    area: Area::Logging,
    what: "models, jobs, deployments or throughput of customization",
    lists: IN_USE,
    // why no event data stores: trails alone may record everything. What they lack, stores are asked for.
    tables: &[SourceId::TRAILS],
    details: &[SourceId::TRAIL_STATUS, SourceId::TRAIL_SELECTORS],
    logic: "Trails that log, or event data stores that take events, must together record data events of \
            AWS::Bedrock::Model (bidirectional streams and asynchronous invocations), AWS::Bedrock::AsyncInvoke and \
            AWS::Bedrock::Guardrail (ApplyGuardrail), reads and writes. These are not among management events.",
    reasons: &["no-data-events", "types-missing"],
    remediation: "Add advanced selectors for the missing resource types to a trail; PutEventSelectors replaces the \
                  whole list, so send those that are there as well.",
    cli: "aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors file://SELECTORS.json",
    compliance: &[
        (NIST, &["AU-12"]),
        (FEDRAMP, &["AU-12"]),
        (PCI, &["10.2.1"]),
        (HIPAA, &["164.312(b)"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: bedrock_events,
};

/// The types of resource, and what is done to them in the events: by name, and whether it only reads. The last
/// word of an ARN where nothing of the type is known.
const TYPES: &[(&str, &str, &str)] = &[
    ("AWS::Bedrock::Model", "InvokeModelWithBidirectionalStream", "custom-model-deployment/any"),
    ("AWS::Bedrock::AsyncInvoke", "GetAsyncInvoke", "async-invoke/any"),
    ("AWS::Bedrock::Guardrail", "ApplyGuardrail", "guardrail/any"),
];

/// Everything that records in a region, and what could not be read of it.
struct Recording<'a> {
    /// With the name of what records.
    selectors: Vec<(&'a Text, &'a Selector)>,
    open: Vec<String>,
}

impl<'a> Recording<'a> {
    fn of(judge: &Judge<'a>, region: &str) -> Self {
        let inventory = judge.context.inventory;
        let (read, mut open) = trails(inventory);
        let working = read.into_iter().filter(|one| one.works() && one.covers(region));
        let mut selectors: Vec<_> =
            working.flat_map(|one| one.selectors.iter().map(move |selector| (&one.trail.name, selector))).collect();
        let (lakes, unseen) = stores(inventory);
        selectors.extend(lakes.iter().flat_map(|one| one.selectors.iter().map(move |selector| (one.name, selector))));
        open.extend(unseen);
        let gaps = [SourceId::TRAILS, SourceId::EVENT_DATA_STORES].into_iter().filter_map(|source| judge.gap(source));
        open.extend(gaps.map(|gap| gap.to_string()));
        Self { selectors, open }
    }

    fn records(&self, event: &Event<'_>) -> bool {
        any_records(self.selectors.iter().map(|(_, selector)| *selector), event)
    }

    /// Who records an event, for evidence.
    fn recorder(&self, event: &Event<'_>) -> Option<&'a Text> {
        self.selectors.iter().find(|(_, selector)| any_records([*selector], event)).map(|(name, _)| *name)
    }
}

fn bedrock_events(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    if !in_use(context.inventory) {
        return Vec::new();
    }
    let recording = Recording::of(judge, context.region);
    let refs = context.inventory.trails.keys().map(|arn| ResourceRef::new(Kind::Trail, arn));
    let subject = judge.on_region().related(refs);
    let (mut covered, mut missing) = (Vec::new(), Vec::new());
    for (kind, name, tail) in TYPES {
        let recorded = arns(context, kind, tail).iter().all(|arn| {
            ["true", "false"].iter().all(|read_only| recording.records(&bedrock_event(kind, name, arn, read_only)))
        });
        if recorded { covered.push(*kind) } else { missing.push(*kind) }
    }
    let or_none = |kinds: &[&str]| if kinds.is_empty() { "none".to_owned() } else { listed(kinds) };
    let draft = subject.shows("covered", or_none(&covered)).shows("missing", or_none(&missing));
    if missing.is_empty() {
        return vec![draft.pass("data events of models, asynchronous invocations and guardrails are recorded")];
    }
    if let Some(why) = recording.open.into_iter().next() {
        return vec![draft.undecided("unread", why)];
    }
    let region = context.region;
    vec![if covered.is_empty() {
        draft.fail("no-data-events", format!("nothing records data events of Bedrock in {region}"))
    } else {
        draft.fail("types-missing", format!("data events of {} in {region} are not recorded", listed(&missing)))
    }]
}

fn bedrock_event<'a>(kind: &'a str, name: &'a str, arn: &'a str, read_only: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("eventCategory", "Data"),
        ("eventType", "AwsApiCall"),
        ("eventSource", "bedrock.amazonaws.com"),
        ("eventName", name),
        ("readOnly", read_only),
        ("resources.type", kind),
        ("resources.ARN", arn),
    ]
}

/// What of a type is there to be recorded: where models are served and guardrails, else anything.
fn arns(context: &Context<'_>, kind: &str, tail: &str) -> Vec<String> {
    let inventory = context.inventory;
    let all: Vec<String> = match kind {
        "AWS::Bedrock::Model" => {
            let served = inventory.deployments.keys().chain(inventory.throughputs.keys());
            served.chain(inventory.imported_models.keys()).map(ToString::to_string).collect()
        }
        "AWS::Bedrock::Guardrail" => inventory.guardrails.keys().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    if all.is_empty() {
        return vec![format!("arn:{}:bedrock:{}:{}:{tail}", context.partition, context.region, context.account)];
    }
    all
}

pub(in crate::posture) const LOG_11: Control = Control {
    id: "CUS-LOG-11",
    title: "Object-level access to job buckets is recorded",
    severity: Severity::High,
    area: Area::Logging,
    what: "buckets of jobs",
    lists: DATASET_LISTS,
    // why no event data stores: as for CUS-LOG-10.
    tables: &[SourceId::TRAILS],
    details: &[SourceId::TRAIL_STATUS, SourceId::TRAIL_SELECTORS, SourceId::BUCKET_LOGGING],
    logic: "For each bucket with training or validation data, output or models to import, a trail that logs in its \
            region (or an event data store) must record S3 data events on that data, reads and writes. Server access \
            logs to another bucket are counted as partial: a warning, because they come late and may be lost.",
    reasons: &["not-recorded", "reads-missing", "writes-missing", "access-log-only"],
    remediation: "Add S3 data events for the bucket to a trail, for reads and writes.",
    cli: "aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors file://SELECTORS.json",
    compliance: &[
        (NIST, &["AU-2", "AU-12"]),
        (FEDRAMP, &["AU-2", "AU-12"]),
        (PCI, &["10.2.1.1"]),
        (HIPAA, &["164.312(b)"]),
        (GDPR, &["30"]),
        (CIS, &["4.8", "4.9"]),
        (OWASP, &["LLM04"]),
        (ATLAS, &["AML.T0020", "AML.T0036", "AML.M0024"]),
        (SRA, &["S3"]),
    ],
    fixes: &[],
    evaluate: object_events,
};

/// Where data of jobs lies; the invocation log has controls of its own.
const OF_JOBS: &[Use] = &[Use::Training, Use::Validation, Use::Output, Use::Import];
/// Events of S3 that must be seen.
const OBJECT_READS: &[&str] = &["GetObject"];
/// See [`OBJECT_READS`].
const OBJECT_WRITES: &[&str] = &["PutObject", "DeleteObject"];

fn object_events(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let mut by_region: BTreeMap<&str, Recording<'_>> = BTreeMap::new();
    each(judge, OF_JOBS, |used, bucket, draft| {
        // A bucket whose region is not known is taken to be here, where the jobs are.
        let region = bucket.region.known().map_or(context.region, Text::as_str);
        let recording = by_region.entry(region).or_insert_with(|| Recording::of(judge, region));
        let arns = objects(context, used);
        let seen = |names: &[&str], read_only: &str| {
            arns.iter().all(|arn| names.iter().all(|name| recording.records(&object_event(name, arn, read_only))))
        };
        let (reads, writes) = (seen(OBJECT_READS, "true"), seen(OBJECT_WRITES, "false"));
        let who = |name: &str, read_only: &str| {
            let mut found = arns.iter().filter_map(|arn| recording.recorder(&object_event(name, arn, read_only)));
            found.next().map_or("nobody", Text::as_str)
        };
        let draft = draft.shows("reads", who("GetObject", "true")).shows("writes", who("PutObject", "false"));
        let logging = match bucket.logging.known() {
            Ok(logging) => logging.as_ref().filter(|logging| logging.bucket != bucket.name),
            Err(unknown) => return vec![draft.undecided("unread", unread("s3:GetBucketLogging", unknown))],
        };
        let draft = draft.shows("TargetBucket", logging.map_or("none", |logging| logging.bucket.as_str()));
        if reads && writes {
            return vec![draft.pass("reads and writes of its objects are recorded")];
        }
        // What may record it and could not be read leaves it open.
        if let Some(why) = recording.open.first() {
            return vec![draft.undecided("unread", why)];
        }
        let name: &ResourceId = used.name;
        let problem = match (reads, writes, logging) {
            (_, _, Some(logging)) => Problem::warn(
                "access-log-only",
                format!(
                    "only server access logs in bucket {} record who touched objects of bucket {name}",
                    logging.bucket
                ),
            ),
            (false, true, None) => {
                Problem::fail("reads-missing", format!("nobody records who reads objects of bucket {name}"))
            }
            (true, false, None) => {
                Problem::fail("writes-missing", format!("nobody records who changes objects of bucket {name}"))
            }
            _ => Problem::fail("not-recorded", format!("nobody records who touches objects of bucket {name}")),
        };
        draft.conclude(vec![problem], "")
    })
}

fn object_event<'a>(name: &'a str, arn: &'a str, read_only: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("eventCategory", "Data"),
        ("eventType", "AwsApiCall"),
        ("eventSource", "s3.amazonaws.com"),
        ("eventName", name),
        ("readOnly", read_only),
        ("resources.type", "AWS::S3::Object"),
        ("resources.ARN", arn),
    ]
}

/// An object for each prefix that jobs name: what ends in a name with a dot is an object itself.
fn objects(context: &Context<'_>, used: &Used<'_>) -> Vec<String> {
    let mut prefixes: Vec<&str> =
        OF_JOBS.iter().filter_map(|one| used.uses.get(one)).flatten().map(|prefix| prefix.as_str()).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let object = |prefix: &str| {
        let file = prefix.rsplit('/').next().is_some_and(|name| name.contains('.'));
        let tail = match prefix {
            _ if file => "",
            "" => "object",
            _ if prefix.ends_with('/') => "object",
            _ => "/object",
        };
        format!("arn:{}:s3:::{}/{prefix}{tail}", context.partition, used.name)
    };
    prefixes.into_iter().map(object).collect()
}
