//! CUS-LOG-07: how long the invocation log is kept, and whether somebody can delete it.

use super::{group, group_ref, log_buckets, log_target};
use crate::base::{ResourceId, Text};
use crate::inventory::s3::Presence;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_07: Control = Control {
    id: "CUS-LOG-07",
    title: "Retention of the invocation log is set, and it is protected from deletion",
    severity: Severity::Medium,
    area: Area::Logging,
    what: "log groups and buckets of invocation logging",
    lists: &[SourceId::LOGGING],
    // why tables: the log is kept where all its places keep it, and one that was not seen may not.
    tables: &[SourceId::LOG_GROUPS, SourceId::BUCKET_VERSIONING, SourceId::BUCKET_LOCK],
    details: &[],
    logic: "The log group must keep events for 365 days or more; for ever is a warning, because personal data needs an \
            end. Deletion protection must be on. A bucket of the log must be versioned, and have object lock or MFA \
            delete.",
    reasons: &["retention-short", "retention-forever", "no-deletion-protection", "versioning-off", "not-locked"],
    remediation: "Set the retention, only upwards; switch deletion protection on; version and lock the bucket.",
    cli: "aws logs put-log-group-deletion-protection --log-group-identifier GROUP --deletion-protection-enabled",
    compliance: &[
        (NIST, &["AU-11", "AU-9"]),
        (FEDRAMP, &["AU-11", "AU-9"]),
        (PCI, &["10.5.1"]),
        (HIPAA, &["164.316(b)(2)(i)"]),
        (GDPR, &["5(1)(e)"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: kept,
};

fn kept(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if let Some(target) = log_target(judge) {
        verdicts.extend(group_kept(judge, &target.log_group));
    }
    let mut names: Vec<&ResourceId> = log_buckets(judge).into_iter().map(|uri| &uri.bucket).collect();
    names.dedup();
    verdicts.extend(names.into_iter().flat_map(|name| bucket_kept(judge, name)));
    verdicts
}

fn group_kept(judge: &Judge<'_>, name: &ResourceId) -> Vec<Verdict> {
    let subject = judge.on(group_ref(name));
    let group = match group(judge, name) {
        Ok(Some(group)) => group,
        Ok(None) => return vec![subject.not_applicable(format!("log group {name} does not exist; see CUS-LOG-04"))],
        Err(why) => return vec![subject.unread(why)],
    };
    let (days, shortest) = (group.retention_days, i64::from(judge.context.expect.log_retention_days));
    let draft = subject
        .shows("retentionInDays", days.map_or("never expires".to_owned(), |days| days.to_string()))
        .shows("deletionProtectionEnabled", group.deletion_protection);
    let mut problems = Vec::new();
    match days {
        None => problems.push(Problem::warn(
            "retention-forever",
            format!("log group {name} keeps prompts for ever: personal data in them never goes"),
        )),
        Some(days) if i64::from(days) < shortest => problems.push(Problem::fail(
            "retention-short",
            format!("log group {name} keeps events for {days} days; at least {shortest} are asked for"),
        )),
        Some(_) => {}
    }
    if !group.deletion_protection {
        let why = format!("log group {name} can be deleted: deletion protection is off");
        problems.push(Problem::fail("no-deletion-protection", why));
    }
    draft.conclude(problems, "kept long enough, and protected from deletion")
}

fn bucket_kept(judge: &Judge<'_>, name: &ResourceId) -> Vec<Verdict> {
    let subject = judge.on(ResourceRef::new(Kind::Bucket, name));
    let Some(bucket) = judge.context.inventory.buckets.get(name) else {
        let gap = judge.gap(SourceId::BUCKETS);
        let why = gap.map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
        return vec![subject.unread(format!("bucket {name}: {why}"))];
    };
    if bucket.presence() == Some(Presence::Gone) {
        return vec![subject.not_applicable(format!("bucket {name} does not exist any more; see CUS-DAT-06"))];
    }
    let versioning = match bucket.versioning.known() {
        Ok(versioning) => versioning,
        Err(unknown) => return vec![subject.unread(unread("s3:GetBucketVersioning", unknown))],
    };
    let lock = match bucket.lock.known() {
        Ok(lock) => lock,
        Err(unknown) => return vec![subject.unread(unread("s3:GetObjectLockConfiguration", unknown))],
    };
    let draft = subject
        .shows("Status", if versioning.enabled { "Enabled" } else { "not enabled" })
        .shows("MFADelete", if versioning.mfa_delete { "Enabled" } else { "Disabled" })
        .shows("ObjectLock", lock.as_ref().map_or("none", Text::as_str));
    let mut problems = Vec::new();
    if !versioning.enabled {
        problems
            .push(Problem::fail("versioning-off", format!("bucket {name} of the invocation log keeps no versions")));
    }
    if lock.is_none() && !versioning.mfa_delete {
        let why = format!("records in bucket {name} can be deleted: it has neither object lock nor MFA delete");
        problems.push(Problem::fail("not-locked", why));
    }
    draft.conclude(problems, "versioned and locked")
}
