//! CUS-DAT-08: whether Amazon Macie looks into datasets before they are trained on, and what it found.

use super::{BucketDraft, Use, Used, each};
use crate::base::Timestamp;
use crate::inventory::macie::{MacieBucket, SensitiveDetail};
use crate::inventory::s3::Bucket;
use crate::inventory::{Kind, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_08: Control = Control {
    id: "CUS-DAT-08",
    title: "Macie inspects training and validation data before it is trained on",
    severity: Severity::High,
    area: Area::Data,
    what: "buckets with training or validation data",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[
        SourceId::MACIE,
        SourceId::MACIE_BUCKETS,
        SourceId::CLASSIFICATION_JOBS,
        SourceId::SENSITIVE_FINDINGS,
        SourceId::SENSITIVE_DETAILS,
    ],
    details: &[],
    logic: "Macie must be enabled in the region, and look into each bucket by automated discovery or by a discovery \
            job, without an error, and find objects there that it can classify. It must have looked before the newest \
            job that trained on the data was created; a look since then leaves that open and is a warning, as are \
            many files in a form that Macie cannot parse. A sensitivity score over 50, or an open finding of sensitive \
            data, fails.",
    reasons: &[
        "macie-off",
        "not-monitored",
        "macie-error",
        "nothing-classifiable",
        "never-inspected",
        "inspected-after-training",
        "unparsable-files",
        "sensitive-data",
    ],
    remediation: "Enable Macie and let it look into the bucket; then clean the data that it found, or accept the \
                  finding, before the next job.",
    cli: "aws macie2 enable-macie && aws macie2 create-classification-job --job-type ONE_TIME --name NAME --s3-job-definition file://BUCKETS.json",
    compliance: &[
        (NIST, &["RA-5", "SI-4", "PT-2"]),
        (FEDRAMP, &["RA-5", "SI-4"]),
        (PCI, &["A3.2.5.1"]),
        (HIPAA, &["164.308(a)(1)(ii)(A)"]),
        (GDPR, &["5(1)(c)", "35"]),
        (CIS, &["3.1.3"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0007", "AML.T0057"]),
        (SRA, &["MACIE"]),
    ],
    fixes: &[],
    evaluate: inspected,
};

/// The highest score that passes: Macie calls 51 to 100 sensitive, and gives 50 before it has looked.
const HIGHEST_SCORE: i32 = 50;

fn inspected(judge: &Judge<'_>) -> Vec<Verdict> {
    each(judge, &[Use::Training, Use::Validation], |used, bucket, draft| {
        let context = judge.context;
        let row = match coverage(judge, bucket) {
            Ok(row) => row,
            Err(Uncovered::Unknown(why)) => return vec![draft.undecided("unread", why)],
            Err(Uncovered::Not(problem)) => return draft.conclude(vec![problem], ""),
        };
        let draft = facts(draft, row);
        let mut problems = Vec::new();
        problems.extend(unclassified(row));
        problems.extend(before_training(context, used, row));
        let found: Vec<&SensitiveDetail> = findings(context).filter(|detail| detail.bucket == bucket.name).collect();
        if !found.is_empty() || row.sensitivity.is_some_and(|score| score > HIGHEST_SCORE) {
            problems.push(sensitive(row, &found));
        }
        let unseen = context.inventory.sensitive_findings.values().find_map(|one| one.detail.known().err());
        let open = unseen.map(|unknown| ("unread", unread("macie2:GetFindings", unknown)));
        draft.conclude_open(problems, open, "Macie looked into it before the newest job, and found nothing sensitive")
    })
}

/// Why Macie does not look into a bucket.
pub(super) enum Uncovered {
    /// It does not.
    Not(Problem),
    /// It is not known whether it does.
    Unknown(String),
}

/// What Macie knows of a bucket that it looks into.
pub(super) fn coverage<'a>(judge: &Judge<'a>, bucket: &Bucket) -> Result<&'a MacieBucket, Uncovered> {
    let (context, name) = (judge.context, &bucket.name);
    let settings = &context.inventory.settings;
    let session = settings.macie.known();
    let session = session.map_err(|unknown| Uncovered::Unknown(unread("macie2:GetMacieSession", unknown)))?;
    if let Ok(region) = bucket.region.known()
        && region.as_str() != context.region
    {
        let why = format!("bucket {name} is in {region}: Macie looks into it there, and that region is not read here");
        return Err(Uncovered::Unknown(why));
    }
    if !session.is_on() {
        let why = format!("Macie is {} in {}: nothing looks into bucket {name}", session.status, context.region);
        return Err(Uncovered::Not(Problem::fail("macie-off", why).shows("status", &session.status)));
    }
    if let Some(why) = judge.gap(SourceId::MACIE_BUCKETS) {
        return Err(Uncovered::Unknown(why.to_string()));
    }
    let Some(row) = context.inventory.macie_buckets.get(name) else {
        let why = format!("bucket {name} is not in Macie's inventory of the region");
        return Err(Uncovered::Not(Problem::fail("not-monitored", why)));
    };
    if let Some(code) = &row.error {
        let why = format!("Macie cannot look into bucket {name}: {code}");
        return Err(Uncovered::Not(Problem::fail("macie-error", why).shows("errorCode", code)));
    }
    if !row.monitored && !row.in_job {
        let why = format!("neither automated discovery nor a discovery job of Macie looks into bucket {name}");
        let discovery = settings.macie_discovery.known().map_or("not known", |status| status.as_str());
        let problem = Problem::fail("not-monitored", why).shows("automatedDiscovery", discovery);
        return Err(Uncovered::Not(problem));
    }
    Ok(row)
}

fn facts<'a>(draft: BucketDraft<'a>, row: &MacieBucket) -> BucketDraft<'a> {
    draft
        .shows("automatedDiscoveryMonitoringStatus", if row.monitored { "MONITORED" } else { "NOT_MONITORED" })
        .shows("isDefinedInJob", row.in_job)
        .shows_some("lastJobRunTime", row.last_job)
        .shows_some("lastAutomatedDiscoveryTime", row.last_discovery)
        .shows_some("classifiableObjectCount", row.classifiable)
        .shows_some("unclassifiableObjectCount.fileType", row.unparsable)
        .shows_some("sensitivityScore", row.sensitivity)
}

/// What Macie could not take in.
fn unclassified(row: &MacieBucket) -> Option<Problem> {
    let name = &row.name;
    if row.sensitivity.is_some_and(|score| score < 0) {
        let why = format!("Macie could not classify anything in bucket {name}");
        return Some(Problem::fail("macie-error", why));
    }
    let (good, bad) = (row.classifiable.unwrap_or(0), row.unparsable.unwrap_or(0));
    if good <= 0 {
        let why = format!("bucket {name} has no object that Macie can classify");
        return Some(Problem::fail("nothing-classifiable", why));
    }
    // why a tenth: a few odd files are usual, a dataset in a form that Macie does not know is not.
    (bad.saturating_mul(9) > good)
        .then(|| Problem::warn("unparsable-files", format!("Macie cannot parse {bad} files in bucket {name}")))
}

/// Whether Macie looked before the newest job on this data was created.
fn before_training(context: &Context<'_>, used: &Used<'_>, row: &MacieBucket) -> Option<Problem> {
    let name = &row.name;
    let Some(last) = row.last_job.max(row.last_discovery) else {
        return Some(Problem::fail("never-inspected", format!("Macie has not looked into bucket {name} yet")));
    };
    let jobs = used.users.iter().filter(|user| user.kind == Kind::Job);
    let newest = jobs.filter_map(|job| context.inventory.jobs.get(&job.id)).max_by_key(|job| job.created)?;
    // why a discovery job that is older will do: Macie tells only of the last look, and one that comes again and
    // again is always later than the training.
    let standing =
        context.inventory.classification_jobs.values().any(|job| {
            job.buckets.contains(name) && job.created <= newest.created && job.status.as_str() != "CANCELLED"
        });
    let minute = Timestamp::minute;
    (last > newest.created && !standing).then(|| {
        let why = format!(
            "Macie last looked into bucket {name} on {}, after job {} of {}: whether it had looked before is not known",
            minute(last),
            newest.name,
            minute(newest.created)
        );
        Problem::warn("inspected-after-training", why).shows("creationTime", newest.created)
    })
}

fn findings<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a SensitiveDetail> {
    let known = context.inventory.sensitive_findings.values().filter_map(|finding| finding.detail.known().ok());
    known.filter(|detail| detail.kind.as_str().starts_with("SensitiveData"))
}

fn sensitive(row: &MacieBucket, found: &[&SensitiveDetail]) -> Problem {
    let name = &row.name;
    let why = if found.is_empty() {
        let score = row.sensitivity.unwrap_or_default();
        format!("Macie scores bucket {name} {score} of 100 for sensitive data")
    } else {
        let mut kinds: Vec<&str> = found.iter().map(|detail| detail.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        format!("Macie found sensitive data in bucket {name}: {}", listed(kinds))
    };
    let shown = found.iter().take(6);
    shown.fold(Problem::fail("sensitive-data", why), |problem, detail| {
        let what = detail.detections.iter().map(|(kind, count)| format!("{kind} ×{count}"));
        problem.shows("finding", format!("{} in {}: {}", detail.kind, detail.object, listed(what)))
    })
}
