//! Customization jobs with what their detail says. Knows no control.

use super::judge::{Judge, Subject, unread};
use super::verdict::Verdict;
use crate::inventory::Kind;
use crate::inventory::bedrock::{CustomizationJob, JobDetail};

/// Judges each of these jobs; one whose detail was not read is unknown.
pub(super) fn each<'a>(
    judge: &Judge<'a>,
    jobs: impl IntoIterator<Item = &'a CustomizationJob>,
    mut decide: impl FnMut(Subject<'a>, &'a CustomizationJob, &'a JobDetail) -> Vec<Verdict>,
) -> Vec<Verdict> {
    let jobs = jobs.into_iter();
    // why at once: what grows while it is filled is moved again and again.
    let mut verdicts = Vec::with_capacity(jobs.size_hint().1.unwrap_or_default());
    for job in jobs {
        let subject = judge.on_item(Kind::Job, job);
        match job.detail.known() {
            Ok(detail) => verdicts.extend(decide(subject, job, detail)),
            Err(unknown) => verdicts.push(subject.unread(unread("bedrock:GetModelCustomizationJob", unknown))),
        }
    }
    verdicts
}
