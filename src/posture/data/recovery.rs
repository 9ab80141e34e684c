//! CUS-DAT-05: whether a dataset that was changed or deleted can be had back.

use super::{DATASET_LISTS, Use, Used, each};
use crate::base::Text;
use crate::inventory::SourceId;
use crate::inventory::s3::LifecycleRule;
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_05: Control = Control {
    id: "CUS-DAT-05",
    title: "Dataset is versioned and can be recovered",
    severity: Severity::High,
    area: Area::Data,
    what: "buckets with datasets or models to import",
    lists: DATASET_LISTS,
    tables: &[],
    details: &[SourceId::BUCKET_VERSIONING, SourceId::BUCKET_LIFECYCLE],
    logic: "Versioning of every bucket with training or validation data or models to import must be Enabled (not \
            Suspended). A lifecycle rule on that data that deletes old versions before 30 days is a warning: what was \
            poisoned would be found after what was clean is gone. MFA delete and object lock are shown, not asked for.",
    reasons: &["versioning-off", "old-versions-expire"],
    remediation: "Enable versioning, and keep old versions for 30 days or more.",
    cli: "aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
    compliance: &[
        (NIST, &["CP-9", "SI-7"]),
        (FEDRAMP, &["CP-9", "SI-7"]),
        (PCI, &["10.3.4"]),
        (HIPAA, &["164.308(a)(7)(ii)(A)"]),
        (GDPR, &["32(1)(c)"]),
        (CIS, &["3.1.2"]),
        (OWASP, &["LLM04"]),
        (ATLAS, &["AML.T0020", "AML.T0059"]),
        (SRA, &["S3"]),
    ],
    fixes: &["FIX-10"],
    evaluate: recoverable,
};

const DATASETS: &[Use] = &[Use::Training, Use::Validation, Use::Import];
/// How long an old version has to stay. why thirty: a month is what a model is trained, evaluated and served in
/// before somebody doubts its data.
const KEPT_DAYS: i32 = 30;

fn recoverable(judge: &Judge<'_>) -> Vec<Verdict> {
    each(judge, DATASETS, |used, bucket, draft| {
        let versioning = match bucket.versioning.known() {
            Ok(versioning) => versioning,
            Err(unknown) => return vec![draft.undecided("unread", unread("s3:GetBucketVersioning", unknown))],
        };
        // why evidence only: what asks for a lock is a tag of the bucket, and tags of buckets are not read.
        let lock = bucket.lock.known().ok().map(|lock| lock.as_ref().map_or("none", Text::as_str));
        let status = if versioning.enabled { "Enabled" } else { "not enabled" };
        let draft = draft
            .shows("Status", status)
            .shows("MFADelete", if versioning.mfa_delete { "Enabled" } else { "Disabled" })
            .shows_some("ObjectLock", lock);
        if !versioning.enabled {
            let why = format!("bucket {} keeps no versions: changed or deleted data cannot be had back", bucket.name);
            return draft.conclude(vec![Problem::fail("versioning-off", why)], "");
        }
        let rules = match bucket.lifecycle.known() {
            Ok(rules) => rules,
            Err(unknown) => {
                return vec![draft.undecided("unread", unread("s3:GetBucketLifecycleConfiguration", unknown))];
            }
        };
        let problems = rules.iter().filter_map(|rule| soon(used, rule)).collect();
        draft.conclude(problems, "versions are kept")
    })
}

/// A rule that deletes old versions of the data too soon.
fn soon(used: &Used<'_>, rule: &LifecycleRule) -> Option<Problem> {
    let days = rule.noncurrent_days.filter(|days| rule.enabled && *days < KEPT_DAYS)?;
    let mut prefixes = DATASETS.iter().filter_map(|one| used.uses.get(one)).flatten();
    let meets = prefixes.any(|prefix| {
        let (prefix, ruled) = (prefix.as_str(), rule.prefix.as_str());
        prefix.starts_with(ruled) || ruled.starts_with(prefix)
    });
    let why =
        format!("bucket {} deletes old versions after {days} days; at least {KEPT_DAYS} are asked for", used.name);
    meets.then(|| Problem::warn("old-versions-expire", why).shows("Rule", &rule.line))
}
