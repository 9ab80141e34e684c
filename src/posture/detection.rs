//! Detection: whether the end of a customization job is told to anybody.

pub(super) mod talk;
#[cfg(test)]
pub(super) mod tests;

use serde_json::{Value, json};

use super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, PCI, SRA};
use super::control::{Context, Control};
use super::event_pattern::{self, NoMatcher};
use super::judge::{Judge, listed, unread};
use super::verdict::{Area, Severity, Verdict};
use crate::inventory::events::{Rule, Target};
use crate::inventory::{Document, Kind, ResourceRef, SourceId};

pub(super) const DET_01: Control = Control {
    id: "CUS-DET-01",
    title: "An EventBridge rule provably matches customization-job events and can deliver",
    severity: Severity::Medium,
    area: Area::Detection,
    what: "customization jobs, custom models or rules about them",
    lists: &[],
    tables: &[SourceId::RULES],
    details: &[SourceId::RULE_TARGETS],
    logic: "The enabled rules of the default bus are tried on the events that Bedrock sends when a customization job is \
            Completed, Failed or Stopped. Together, those with a target must match Completed and Failed; one of their \
            targets should have a dead-letter queue. A rule about customization that can match none of its events \
            (wrong detail-type, detail.status for detail.jobStatus) is dead. Nothing to judge in a region without jobs \
            and custom models.",
    reasons: &["no-rule", "dead-rule", "no-target", "misses-status", "no-dead-letter"],
    remediation: "Put a rule for source aws.bedrock, detail-type \"Model Customization Job State Change\", with a \
                  target and a dead-letter queue.",
    cli: "aws events put-rule --name NAME --event-pattern file://PATTERN.json && aws events put-targets --rule NAME --targets …",
    compliance: &[
        (NIST, &["IR-4", "SI-4(5)"]),
        (FEDRAMP, &["IR-4", "SI-4(5)"]),
        (PCI, &["10.4.1"]),
        (HIPAA, &["164.308(a)(6)"]),
        (GDPR, &["33"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["EB"]),
    ],
    fixes: &[],
    evaluate: rules,
};

const SOURCE: &str = "aws.bedrock";
const DETAIL_TYPE: &str = "Model Customization Job State Change";
/// Every status that Bedrock sends an event for. A rule for any of them is alive.
const STATUSES: [&str; 5] = ["Completed", "Failed", "Stopped", "InProgress", "Stopping"];
/// What must reach somebody.
const NEEDED: [&str; 2] = ["Completed", "Failed"];
/// Other detail-types that come with Bedrock's source: a rule for them is not about customization.
const OTHER_TYPES: &[&str] = &[
    "Batch Inference Job State Change",
    "Bedrock Data Automation Job Succeeded",
    "Bedrock Data Automation Job Failed With Client Error",
    "Bedrock Data Automation Job Failed With Service Error",
    "Bedrock Data Automation Job Created",
    "AWS API Call via CloudTrail",
    "AWS Service Event via CloudTrail",
    "AWS Insight via CloudTrail",
];

/// The event that Bedrock sends (Amazon Bedrock User Guide, monitoring with EventBridge).
fn canonical(context: &Context<'_>, status: &str) -> Value {
    let Context { account, region, partition, .. } = context;
    let job = format!(
        "arn:{partition}:bedrock:{region}:{account}:model-customization-job/amazon.titan-text-express-v1:0:8k/abcdefghijkl"
    );
    let failure = if status == "Failed" { "Failed" } else { "" };
    json!({
        "version": "0", "id": "12345678-1234-1234-1234-123456789012", "detail-type": DETAIL_TYPE, "source": SOURCE,
        "account": account, "time": "2026-01-01T00:00:00Z", "region": region, "resources": [job],
        "detail": {
            "version": "0.0", "jobName": "job", "jobArn": job, "outputModelName": "model",
            "outputModelArn": format!("arn:{partition}:bedrock:{region}:{account}:custom-model/amazon.titan-text-express-v1:0:8k/abcdefghijkl"),
            "roleArn": format!("arn:{partition}:iam::{account}:role/role"), "jobStatus": status,
            "failureMessage": failure, "creationTime": "2026-01-01T00:00:00Z",
            "lastModifiedTime": "2026-01-01T01:00:00Z", "endTime": "2026-01-01T01:00:00Z",
            "baseModelArn": format!("arn:{partition}:bedrock:{region}::foundation-model/amazon.titan-text-express-v1:0:8k"),
            "hyperParameters": {"batchSize": "1", "epochCount": "1", "learningRate": "0.00001"},
            "trainingDataConfig": {"s3Uri": "s3://bucket/train.jsonl"},
            "validationDataConfig": {"s3Uri": "s3://bucket/validation.jsonl"},
            "outputDataConfig": {"s3Uri": "s3://bucket/output/"},
        },
    })
}

/// What one rule does with the events.
enum Reach {
    /// About something else.
    Elsewhere,
    /// About customization, but no event can match.
    Dead,
    /// Matches these statuses.
    Matches(Vec<&'static str>),
    /// Cannot be told.
    Open(NoMatcher),
    /// The pattern is no JSON.
    Unreadable(String),
}

fn reach(context: &Context<'_>, pattern: &Document) -> Reach {
    let pattern = match pattern.json() {
        Ok(pattern) => pattern,
        Err(error) => return Reach::Unreadable(error.to_string()),
    };
    let mut matched = Vec::new();
    let mut open = None;
    for status in STATUSES {
        match event_pattern::matches(&pattern, &canonical(context, status)) {
            Ok(true) => matched.push(status),
            Ok(false) => {}
            Err(error) => open = Some(error),
        }
    }
    match (open, matched.is_empty()) {
        (Some(error), _) => Reach::Open(error),
        (None, false) => Reach::Matches(matched),
        (None, true) if about_customization(&pattern) => Reach::Dead,
        (None, true) => Reach::Elsewhere,
    }
}

/// Whether a pattern that matches nothing was meant for customization events: it names Bedrock as its
/// source, and no other kind of event that Bedrock sends.
fn about_customization(pattern: &Value) -> bool {
    let named = pattern.get("source").is_some() && event_pattern::admits(pattern, "source", SOURCE) == Ok(true);
    let other = OTHER_TYPES.iter().any(|kind| event_pattern::admits(pattern, "detail-type", kind) == Ok(true));
    // A pattern without detail-type admits all: it is about customization if it asks for a job's state.
    let typed = pattern.get("detail-type").is_some();
    let asks = ["jobStatus", "status", "jobName", "jobArn"]
        .iter()
        .any(|key| pattern.pointer(&format!("/detail/{key}")).is_some());
    named && if typed { !other } else { asks }
}

fn rules(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    let mut verdicts = Vec::new();
    let mut delivering: Vec<(&Rule, Vec<&'static str>, &[Target])> = Vec::new();
    let (mut untargeted, mut disabled, mut doubts): (Vec<&Rule>, Vec<&Rule>, Vec<String>) =
        (Vec::new(), Vec::new(), Vec::new());
    let mut dead = 0;
    for rule in inventory.rules.values() {
        let Some(pattern) = &rule.pattern else { continue };
        let subject = judge.on(ResourceRef::new(Kind::Rule, &rule.arn));
        let shown = pattern.shown();
        match reach(context, pattern) {
            Reach::Elsewhere => {}
            Reach::Matches(_) if !rule.enabled => disabled.push(rule),
            Reach::Dead | Reach::Open(_) | Reach::Unreadable(_) if !rule.enabled => {}
            Reach::Dead => {
                dead += 1;
                let why =
                    format!("rule {} is about customization jobs, but none of their events can match it", rule.name);
                let sends = format!("detail-type \"{DETAIL_TYPE}\", detail.jobStatus {}", STATUSES.join(" | "));
                let subject = judge.on_region().beside(ResourceRef::new(Kind::Rule, &rule.arn));
                let draft = subject.shows("pattern", one_line(&shown)).shows("bedrockSends", sends);
                verdicts.push(draft.fail("dead-rule", why));
            }
            Reach::Open(error) => {
                doubts.push(format!("rule {}: {error}", rule.name));
                verdicts.push(subject.undecided("uncertain", error));
            }
            Reach::Unreadable(error) => {
                doubts.push(format!("rule {}: {error}", rule.name));
                verdicts.push(subject.malformed("event pattern", None, error));
            }
            Reach::Matches(statuses) => match rule.targets.known() {
                Ok(targets) if targets.is_empty() => untargeted.push(rule),
                Ok(targets) => delivering.push((rule, statuses, targets)),
                Err(unknown) => {
                    let why = unread("events:ListTargetsByRule", unknown);
                    doubts.push(format!("rule {}: {why}", rule.name));
                    verdicts.push(subject.unread(why));
                }
            },
        }
    }
    let names = |rules: &[&Rule]| listed(rules.iter().map(|rule| &rule.name));
    let missing: Vec<&str> =
        NEEDED.into_iter().filter(|status| !delivering.iter().any(|(_, held, _)| held.contains(status))).collect();
    let subject =
        judge.on_region().related(delivering.iter().map(|(rule, ..)| ResourceRef::new(Kind::Rule, &rule.arn)));
    let idle = inventory.jobs.is_empty() && inventory.models.is_empty();
    if idle && delivering.is_empty() {
        if let Some(why) = judge.any_gap(&[SourceId::JOBS, SourceId::MODELS]) {
            verdicts.push(subject.unread(format!("no rule delivers, and whether there is a job is not known: {why}")));
        }
        return verdicts;
    }
    let mut draft = subject.shows(
        "rules",
        if delivering.is_empty() {
            "none".to_owned()
        } else {
            names(&delivering.iter().map(|(rule, ..)| *rule).collect::<Vec<_>>())
        },
    );
    for (rule, statuses, targets) in &delivering {
        draft = draft.shows("matches", format!("{}: {}", rule.name, statuses.join(", ")));
        draft = draft.shows("targets", format!("{}: {}", rule.name, listed(targets.iter().map(|target| &target.arn))));
    }
    if !disabled.is_empty() {
        draft = draft.shows("disabled", names(&disabled));
    }
    verdicts.extend(if missing.is_empty() {
        let queue =
            delivering.iter().flat_map(|(_, _, targets)| targets.iter()).any(|target| target.dead_letter.is_some());
        Some(if queue {
            draft.pass("Completed and Failed are delivered")
        } else {
            draft.warn(
                "no-dead-letter",
                "events are delivered, but one that cannot be is lost: no target has a dead-letter queue",
            )
        })
    } else if let Some(why) = judge.gap(SourceId::RULES) {
        // What is missing from a list that is not whole is not known to be missing.
        Some(draft.undecided("unread", why))
    } else if !doubts.is_empty() {
        Some(draft.undecided("uncertain", doubts.join("; ")))
    } else if !delivering.is_empty() {
        Some(draft.fail("misses-status", format!("no rule delivers {} of customization jobs", listed(&missing))))
    } else if !untargeted.is_empty() {
        let why = format!("rule {} matches the events, but has no target", names(&untargeted));
        Some(draft.shows("withoutTarget", names(&untargeted)).fail("no-target", why))
    } else if dead > 0 {
        // The dead rule is the finding: a second one for the region would say the same.
        None
    } else if !disabled.is_empty() {
        Some(draft.fail("no-rule", format!("rule {} would match, but is disabled", names(&disabled))))
    } else {
        Some(draft.fail("no-rule", format!("no rule in {} matches the events of customization jobs", context.region)))
    });
    verdicts
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
