//! Whether data is still what a job learned from.

use std::collections::BTreeMap;

use super::super::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::jobs;
use super::super::judge::{Judge, Problem, listed, unread};
use super::super::verdict::{Area, Severity, Verdict};
use crate::base::Timestamp;
use crate::inventory::bedrock::{CustomizationJob, JobDetail, Phase, S3Uri};
use crate::inventory::objects::{Dataset, Listing};
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};

pub(in crate::posture) const DAT_11: Control = Control {
    id: "CUS-DAT-11",
    title: "Dataset has not changed between validation, training and now",
    severity: Severity::Medium,
    area: Area::Data,
    what: "customization jobs with data in buckets",
    lists: &[SourceId::JOBS, SourceId::OBJECTS],
    tables: &[],
    details: &[SourceId::JOB_DETAILS],
    logic: "The newest write to a job's training and validation data is compared with the job: one while the job ran \
            fails, because what was validated may not be what was trained on; one after it ended, or data that is \
            gone, is a warning: what the model learned can no longer be shown. Of each object only its last write is \
            known; where an earlier look was kept (`scan --deep --history CASE`), objects that are gone since, or have \
            another version or digest than when the job began, count as written too.",
    reasons: &["written-while-running", "changed-since-training", "data-gone"],
    remediation: "Find out in CloudTrail who wrote. Restore the version of then, or train again from data that is \
                  locked; keep versioning and object lock on.",
    cli: "aws s3api list-object-versions --bucket BUCKET --prefix PREFIX",
    compliance: &[
        (NIST, &["SI-7", "CM-3", "AU-10"]),
        (FEDRAMP, &["SI-7", "CM-3"]),
        (PCI, &["10.3.4"]),
        (HIPAA, &["164.312(c)(2)"]),
        (OWASP, &["LLM04"]),
        (ATLAS, &["AML.T0020", "AML.M0025"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: drift,
};

fn drift(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut places: BTreeMap<&S3Uri, Place<'_>> = BTreeMap::new();
    jobs::each(judge, inventory.jobs.values(), |subject, job, detail| {
        // Prompts that are logged go on being logged: that is no drift.
        let logged = detail.invocation_logs.as_ref().and_then(|logs| logs.source.as_ref());
        let uris: Vec<&S3Uri> =
            detail.training.iter().chain(&detail.validation).filter(|uri| Some(*uri) != logged).collect();
        if uris.is_empty() {
            return Vec::new();
        }
        for &uri in &uris {
            places.entry(uri).or_insert_with(|| Place::of(inventory, uri));
        }
        let mut draft = subject
            .related(uris.iter().filter_map(|uri| places.get(uri)).map(|place| place.reference.clone()))
            .shows("creationTime", job.created)
            .shows_some("endTime", ended(job))
            .shows_some("trainingStarted", detail.phases.training.as_ref().and_then(|phase| phase.started));
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        for uri in uris {
            let place = places.get(uri);
            let data = place.and_then(|place| place.data);
            match data.map(|data| data.listing.known()) {
                Some(Ok(listing)) => {
                    draft = draft.shows_some("lastWrite", place.and_then(|place| place.last_write.as_ref()));
                    problems.extend(problem(job, detail, uri, listing));
                    match since_look(judge, job, data, listing) {
                        Ok(Some((look, problem))) => {
                            draft = draft.shows("comparedWith", look);
                            problems.extend(problem);
                        }
                        Ok(None) => {}
                        Err(why) => gaps.push(format!("{uri}: {why}")),
                    }
                    if listing.truncated {
                        gaps.push(format!("there are more objects under {uri} than were listed"));
                    }
                }
                Some(Err(unknown)) => gaps.push(format!("{uri}: {}", unread("s3:ListObjectsV2", unknown))),
                None => gaps.push(
                    judge.gap(SourceId::OBJECTS).map_or_else(|| format!("{uri} was not listed"), |why| why.to_string()),
                ),
            }
        }
        let open = (!gaps.is_empty()).then(|| ("unread", listed(gaps)));
        draft.conclude_open(problems, open, "nothing was written since before the job began")
    })
}

/// Where data lies. why once: thousands of jobs may learn from the same.
struct Place<'a> {
    reference: ResourceRef,
    data: Option<&'a Dataset>,
    last_write: Option<String>,
}

impl<'a> Place<'a> {
    fn of(inventory: &'a Inventory, uri: &S3Uri) -> Self {
        let reference = ResourceRef::new(Kind::Data, uri.to_string());
        let data = inventory.data.get(&reference.id);
        let listing = data.and_then(|data| data.listing.known().ok());
        Self { last_write: listing.and_then(|listing| last_write(data, listing)), reference, data }
    }
}

fn ended(job: &CustomizationJob) -> Option<Timestamp> {
    if job.status.is_running() { None } else { job.ended.or(job.modified) }
}

/// Key, time and version of the newest object.
fn last_write(data: Option<&Dataset>, listing: &Listing) -> Option<String> {
    let (key, at) = listing.newest.as_ref()?;
    let heads = data.and_then(|data| data.heads.known().ok());
    let head = heads.and_then(|heads| heads.objects.iter().find(|head| head.key == *key));
    let version = head.and_then(|head| head.version.as_ref()).map(|version| format!(" version {version}"));
    Some(format!("{key} {at}{}", version.unwrap_or_default()))
}

fn problem(job: &CustomizationJob, detail: &JobDetail, uri: &S3Uri, listing: &Listing) -> Option<Problem> {
    if listing.objects == 0 {
        let why = format!("nothing lies at {uri} any more: what {} learned from cannot be shown", job.name);
        return Some(Problem::warn("data-gone", why));
    }
    let (key, at) = listing.newest.as_ref().filter(|(_, at)| *at > job.created)?;
    if ended(job).is_none_or(|ended| *at <= ended) {
        let began = |phase: Option<&Phase>| phase.and_then(|phase| phase.started);
        let phases = [
            ("before it was validated", began(detail.phases.validation.as_ref())),
            ("while it was validated", began(detail.phases.data_processing.as_ref())),
            ("while it was processed", began(detail.phases.training.as_ref())),
        ];
        let when = phases.into_iter().find(|(_, next)| next.is_some_and(|next| *at < next));
        let when = when.map_or("while the job ran", |(when, _)| when);
        let why = format!("{key} of {} was written at {at}, {when}", uri.bucket);
        return Some(Problem::fail("written-while-running", format!("job {}: {why}", job.name)));
    }
    let why = format!("{key} of {} was written at {at}, after job {} had ended", uri.bucket, job.name);
    Some(Problem::warn("changed-since-training", why))
}

/// Against what an earlier look saw: which one, and what is not as it was then. Nothing where there is none.
fn since_look(
    judge: &Judge<'_>,
    job: &CustomizationJob,
    data: Option<&Dataset>,
    listing: &Listing,
) -> Result<Option<(String, Option<Problem>)>, String> {
    let held = judge.context.baseline.zip(data);
    let Some((data, look)) = held.and_then(|(baseline, data)| Some((data, baseline.at(&data.uri, job.created)?)))
    else {
        return Ok(None);
    };
    if listing.objects == 0 {
        return Ok(None);
    }
    let heads = data.heads.known().map_err(|unknown| unread("s3:HeadObject", unknown))?;
    let whole = !listing.truncated && heads.objects.len() as u64 == heads.of;
    let differences = look.differences(heads, whole);
    let shown = format!("look of {}", look.first.minute());
    if differences.is_empty() {
        return Ok(Some((shown, None)));
    }
    let what = listed(&differences);
    let why = format!("job {}: since {} under {}: {what}", job.name, look.first.minute(), data.uri);
    let problem = if job.status.is_running() {
        Problem::fail("written-while-running", why)
    } else {
        Problem::warn("changed-since-training", why)
    };
    Ok(Some((shown, Some(problem.shows("changes", what)))))
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::base::Timestamp;
    use crate::inventory::bedrock::{JobStatus, Phase, S3Uri};
    use crate::inventory::objects::Listing;
    use crate::inventory::{Inventory, Read};
    use crate::posture::Baseline;
    use crate::posture::Status::{Fail, Pass, Unknown, Warn};
    use crate::posture::fixtures::deep::{DATA, expect, head, only_head};
    use crate::posture::fixtures::{self, *};

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[writes];

    const C: &str = "CUS-DAT-11";
    const J: &str = "job1";

    fn listing(inventory: &mut Inventory) -> &mut Listing {
        inventory.data.get_mut(DATA).and_then(|data| data.listing.known_mut()).unwrap()
    }

    /// The job ran from 100 to 200; the data was written then.
    fn written(at: i64) -> impl Fn(&mut Inventory) {
        move |inventory| {
            inventory.jobs.get_mut(JOB).unwrap().ended = Some(Timestamp::from_secs(200));
            listing(inventory).newest = Some(("a.jsonl".into(), Timestamp::from_secs(at)));
        }
    }

    #[test]
    fn writes() {
        for (at, status, code) in [
            (99, Pass, "ok"),
            (100, Pass, "ok"),
            (101, Fail, "written-while-running"),
            (200, Fail, "written-while-running"),
            (201, Warn, "changed-since-training"),
        ] {
            expect(C, &at.to_string(), written(at), &[(J, status, code)]);
        }
        let running = |i: &mut Inventory| {
            written(900)(i);
            i.jobs.get_mut(JOB).unwrap().status = JobStatus::InProgress;
        };
        expect(C, "still runs", running, &[(J, Fail, "written-while-running")]);
        expect(C, "gone", |i| listing(i).objects = 0, &[(J, Warn, "data-gone")]);
        expect(C, "more than was listed", |i| listing(i).truncated = true, &[(J, Unknown, "unread")]);
    }

    #[test]
    fn what_an_earlier_look_saw() {
        let says = |baseline: &Baseline, spoil: &dyn Fn(&mut Inventory)| {
            let mut inventory = healthy();
            deep::plain(&mut inventory);
            spoil(&mut inventory);
            let said = verdicts_since(&inventory, baseline, C);
            said.into_iter().map(|verdict| (verdict.status, verdict.code)).collect::<Vec<_>>()
        };
        let seen_at = |secs: i64| {
            let mut inventory = healthy();
            deep::plain(&mut inventory);
            let data = inventory.data.get_mut(DATA).unwrap();
            data.heads = Read::got(data.heads.known().unwrap().clone(), Timestamp::from_secs(secs));
            let mut baseline = Baseline::default();
            baseline.take(&inventory);
            baseline
        };
        let put_back = |i: &mut Inventory| {
            let head = only_head(i, DATA);
            (head.sha256, head.version) = (None, Some("v0".into()));
        };
        let deleted = |i: &mut Inventory| {
            *only_head(i, DATA) = head("another.jsonl");
        };
        let sampled = |i: &mut Inventory| {
            deleted(i);
            i.data.get_mut(DATA).unwrap().heads.known_mut().unwrap().of = 2000;
        };
        let unread = |i: &mut Inventory| i.data.get_mut(DATA).unwrap().heads = Read::NotAsked;
        let running = |i: &mut Inventory| {
            i.jobs.get_mut(JOB).unwrap().status = JobStatus::InProgress;
            put_back(i);
        };
        let warned = [(Warn, "changed-since-training")];
        let after = seen_at(150);
        assert_eq!(says(&after, &|_| {}), [(Pass, "ok")]);
        assert_eq!(says(&after, &put_back), warned);
        assert_eq!(says(&after, &deleted), warned);
        assert_eq!(says(&after, &sampled), [(Pass, "ok")], "what is not in a sample may be there");
        assert_eq!(says(&after, &unread), [(Unknown, "unread")]);
        assert_eq!(says(&after, &running), [(Fail, "written-while-running")]);
        // What changed before the job began is none of its drift.
        assert_eq!(says(&seen_at(50), &put_back), [(Pass, "ok")]);
        assert_eq!(says(&Baseline::default(), &put_back), [(Pass, "ok")]);
    }

    #[test]
    fn both_sets_count_and_logged_prompts_do_not() {
        let validation = |i: &mut Inventory| {
            written(150)(i);
            detail(i).validation = S3Uri::parse("s3://train/unlisted.jsonl").into_iter().collect();
        };
        let both = [(J, Unknown, "unread"), (J, Fail, "written-while-running")];
        expect(C, "one is not listed", validation, &both);
        let unlisted = |i: &mut Inventory| {
            detail(i).validation = S3Uri::parse("s3://train/unlisted.jsonl").into_iter().collect();
        };
        expect(C, "the other is not listed", unlisted, &[(J, Unknown, "unread")]);
        let logged = |i: &mut Inventory| {
            written(150)(i);
            let source = S3Uri::parse(DATA);
            detail(i).invocation_logs =
                Some(crate::inventory::bedrock::InvocationLogs { source, use_responses: false, filtered: true });
        };
        expect(C, "prompts", logged, &[("us-east-1", crate::posture::Status::NotApplicable, "not-applicable")]);
    }

    #[test]
    fn it_says_in_which_phase() {
        let mut inventory = healthy();
        fixtures::deep::plain(&mut inventory);
        written(150)(&mut inventory);
        let started =
            |at| Some(Phase { status: JobStatus::Completed, started: Some(Timestamp::from_secs(at)), changed: None });
        detail(&mut inventory).phases.validation = started(110);
        detail(&mut inventory).phases.data_processing = started(160);
        let said = verdicts(&inventory, C);
        assert!(said[0].reason.as_str().contains("while it was validated"), "{}", said[0].reason);
    }
}
