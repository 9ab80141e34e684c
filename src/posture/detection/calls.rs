//! CUS-DET-02, 03 and 04: whether somebody is told when models come in or are served, when safeguards are
//! changed, and when keys and buckets of customization are.

use crate::base::ResourceId;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Subject, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::alerts::{self, Alerts, Call};
use super::{CUSTOMIZED, idle};

/// The sub-reasons of all three.
const REASONS: &[&str] = &["unwatched", "partly-watched", "tells-nobody", "not-recorded"];

pub(in crate::posture) const DET_02: Control = Control {
    id: "CUS-DET-02",
    title: "Imports, copies and deployments of models raise an alert",
    severity: Severity::Medium,
    area: Area::Detection,
    what: "customization jobs, custom or imported models, deployments",
    lists: CUSTOMIZED,
    tables: alerts::TABLES,
    details: alerts::DETAILS,
    logic: "EventBridge has no event of its own for a model that is imported, created, copied, deployed or given \
            throughput. So each of these calls, as CloudTrail records it, must match an enabled rule with a target, or a \
            metric filter on the log group of a trail with an alarm that acts, and a trail that logs must record it.",
    reasons: REASONS,
    remediation: "Put a rule for source aws.bedrock, detail-type \"AWS API Call via CloudTrail\", and these names of \
                  calls, with a target.",
    cli: "aws events put-rule --name NAME --event-pattern file://PATTERN.json && aws events put-targets --rule NAME --targets …",
    compliance: &[
        (NIST, &["SI-4", "AU-6"]),
        (FEDRAMP, &["SI-4", "AU-6"]),
        (PCI, &["10.4.1"]),
        (HIPAA, &["164.308(a)(1)(ii)(D)"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0010.003"]),
        (SRA, &["EB"]),
    ],
    fixes: &[],
    evaluate: arrivals,
};

/// How a model comes in, or becomes usable.
const ARRIVALS: &[&str] = &[
    "CreateModelImportJob",
    "CreateCustomModel",
    "CreateModelCopyJob",
    "CreateCustomModelDeployment",
    "CreateProvisionedModelThroughput",
];

fn arrivals(judge: &Judge<'_>) -> Vec<Verdict> {
    if idle(judge.context) {
        return Vec::new();
    }
    let alerts = Alerts::of(judge.context);
    vec![watched(judge, judge.on_region(), &alerts, "bedrock", ARRIVALS, None)]
}

pub(in crate::posture) const DET_03: Control = Control {
    id: "CUS-DET-03",
    title: "Tampering with the safeguards of Bedrock raises an alert",
    severity: Severity::High,
    area: Area::Detection,
    what: "customization jobs, custom or imported models, deployments",
    lists: CUSTOMIZED,
    tables: alerts::TABLES,
    details: alerts::DETAILS,
    logic: "Each call that changes or removes invocation logging, a guardrail or its enforcement, a model's resource \
            policy, a model, or the data-retention mode must match an enabled rule with a target, or a metric filter \
            on the log group of a trail with an alarm that acts, and a trail that logs must record it. Calls that \
            nobody hears of are named.",
    reasons: REASONS,
    remediation: "Put a rule, or a metric filter with an alarm, for every one of these calls.",
    cli: "aws events put-rule --name NAME --event-pattern file://PATTERN.json && aws events put-targets --rule NAME --targets …",
    compliance: &[
        (NIST, &["SI-4", "AU-6", "IR-5"]),
        (FEDRAMP, &["SI-4", "AU-6", "IR-5"]),
        (PCI, &["10.4.1", "10.7.2"]),
        (HIPAA, &["164.308(a)(6)(ii)"]),
        (GDPR, &["33"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.T0015"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: tampering,
};

/// How a safeguard goes.
const TAMPERING: &[&str] = &[
    "PutModelInvocationLoggingConfiguration",
    "DeleteModelInvocationLoggingConfiguration",
    "UpdateGuardrail",
    "DeleteGuardrail",
    "PutEnforcedGuardrailConfiguration",
    "DeleteEnforcedGuardrailConfiguration",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    "DeleteCustomModel",
    "DeleteImportedModel",
    "PutAccountDataRetention",
];

fn tampering(judge: &Judge<'_>) -> Vec<Verdict> {
    if idle(judge.context) {
        return Vec::new();
    }
    let alerts = Alerts::of(judge.context);
    vec![watched(judge, judge.on_region(), &alerts, "bedrock", TAMPERING, None)]
}

/// What says which keys and buckets there are.
const REACHED: &[SourceId] = &[
    SourceId::JOBS,
    SourceId::JOB_DETAILS,
    SourceId::MODELS,
    SourceId::MODEL_DETAILS,
    SourceId::IMPORT_JOBS,
    SourceId::IMPORTED_MODELS,
    SourceId::DEPLOYMENTS,
    SourceId::LOGGING,
];

pub(in crate::posture) const DET_04: Control = Control {
    id: "CUS-DET-04",
    title: "Changes to keys of models and to data buckets raise an alert",
    severity: Severity::High,
    area: Area::Detection,
    what: "keys and buckets of customization",
    lists: REACHED,
    tables: alerts::TABLES,
    details: alerts::DETAILS,
    logic: "Calls that disable a key, schedule its deletion, change its policy or take back a grant, and calls that \
            change a bucket's policy, access list, versioning or encryption, must match an enabled rule with a target, \
            or a metric filter on the log group of a trail with an alarm that acts, and a trail that logs must record \
            them (trails may leave out KMS). A pattern that asks for single keys or buckets must name each of the \
            lineage.",
    reasons: REASONS,
    remediation: "Put metric filters for these calls on the trail's log group, with an alarm that tells somebody.",
    cli: "aws logs put-metric-filter --log-group-name GROUP --filter-name NAME --filter-pattern PATTERN --metric-transformations …",
    compliance: &[
        (NIST, &["SI-4", "AU-6"]),
        (FEDRAMP, &["SI-4", "AU-6"]),
        (PCI, &["10.4.1"]),
        (HIPAA, &["164.308(a)(1)(ii)(D)"]),
        (GDPR, &["32"]),
        (CIS, &["5.7", "5.8"]),
        (ATLAS, &["AML.T0029"]),
        (SRA, &["S3", "KMS"]),
    ],
    fixes: &[],
    evaluate: keys_and_buckets,
};

const OF_KEYS: &[&str] = &["DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy", "RevokeGrant", "RetireGrant"];
const OF_BUCKETS: &[&str] =
    &["PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketVersioning", "DeleteBucketEncryption"];

fn keys_and_buckets(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let alerts = Alerts::of(context);
    let mut verdicts = Vec::new();
    for (part, kind, service, names, parameter) in
        [("keys", Kind::Key, "kms", OF_KEYS, "keyId"), ("buckets", Kind::Bucket, "s3", OF_BUCKETS, "bucketName")]
    {
        let mut reached: Vec<ResourceId> = context.lineage.reached(kind).into_iter().collect();
        if reached.is_empty() {
            continue;
        }
        if kind == Kind::Key {
            // An alias is no name that these calls record.
            for named in &mut reached {
                if let Some(key) = context.key(named) {
                    *named = key.arn.clone();
                }
            }
            reached.sort();
            reached.dedup();
        }
        let subject = judge.on_region().part(part);
        verdicts.push(watched(judge, subject, &alerts, service, names, Some((parameter, reached.as_slice()))));
    }
    verdicts
}

/// Whether somebody hears of each of these calls, on each of these resources.
fn watched(
    judge: &Judge<'_>,
    subject: Subject<'_>,
    alerts: &Alerts<'_>,
    service: &str,
    names: &'static [&'static str],
    about: Option<(&str, &[ResourceId])>,
) -> Verdict {
    let context = judge.context;
    let (mut heard_of, mut missing) = (0, Vec::<String>::new());
    let (mut mute, mut doubts, mut unfed) = (Vec::new(), Vec::new(), Vec::new());
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let mut related: Vec<ResourceRef> = Vec::new();
    for name in names.iter().copied() {
        // why one is enough otherwise: no pattern can tell one resource from another.
        let resources: Vec<Option<(&str, &ResourceId)>> = match about {
            Some((parameter, all)) if alerts.ask_for_resources() => {
                all.iter().map(|id| Some((parameter, id))).collect()
            }
            Some((parameter, all)) => vec![all.first().map(|id| (parameter, id))],
            None => vec![None],
        };
        let (mut told, mut deaf) = (Vec::new(), Vec::new());
        for about in resources {
            let heard = alerts.hear(context, Call { service, name, about });
            if heard.told.is_empty() {
                let id = about.filter(|_| alerts.ask_for_resources()).map(|(_, id)| id);
                deaf.push(id);
                mute.extend(heard.mute);
                doubts.extend(heard.doubts);
                unfed.extend(heard.unfed);
            } else {
                told.extend(heard.told);
            }
        }
        told.sort();
        told.dedup();
        if deaf.is_empty() {
            heard_of += 1;
            facts.push((name, listed(told)));
            continue;
        }
        let only: Vec<&ResourceId> = deaf.into_iter().flatten().collect();
        if told.is_empty() || only.is_empty() {
            facts.push((name, "nobody is told".to_owned()));
            missing.push(name.to_owned());
        } else {
            let on = listed(only.iter().map(|id| id.last()));
            facts.push((name, format!("nobody is told for {on}")));
            missing.push(format!("{name} on {on}"));
            let kind = if service == "kms" { Kind::Key } else { Kind::Bucket };
            related.extend(only.into_iter().map(|id| ResourceRef::new(kind, id)));
            heard_of += 1;
        }
    }
    for list in [&mut mute, &mut doubts, &mut unfed] {
        list.sort();
        list.dedup();
    }
    related.sort();
    related.dedup();
    let mut draft = subject.related(related).shows("eventSource", format!("{service}.amazonaws.com"));
    for (name, by) in facts {
        draft = draft.shows(name, by);
    }
    if missing.is_empty() {
        return draft.pass(format!("somebody is told of all {} calls", names.len()));
    }
    // What is missing from a list that is not whole is not known to be missing.
    if let Some(why) = judge.any_gap(alerts::TABLES) {
        return draft.undecided("unread", why);
    }
    if !doubts.is_empty() {
        return draft.undecided("uncertain", listed(doubts));
    }
    let calls = listed(&missing);
    if !unfed.is_empty() {
        let why = format!("{} would tell of {calls}, but no trail that logs records it where they look", listed(unfed));
        return draft.fail("not-recorded", why);
    }
    if !mute.is_empty() {
        return draft.fail("tells-nobody", format!("nobody is told of {calls}: {}", listed(mute)));
    }
    if heard_of == 0 {
        return draft.fail("unwatched", format!("no rule and no alarm in {} watches {calls}", context.region));
    }
    draft.fail("partly-watched", format!("no rule and no alarm in {} watches {calls}", context.region))
}
