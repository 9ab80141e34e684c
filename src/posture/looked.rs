//! What a deep look found, in the words of verdicts: shared by the controls of data and of import.

use std::collections::BTreeMap;

use super::judge::{Draft, Judge, Problem, Subject, listed, unread};
use super::verdict::{Severity, Status, Verdict};
use crate::content::rules::{self, Rule};
use crate::inventory::objects::{Content, Dataset, Listing, Purpose};
use crate::inventory::{Kind, Link, ResourceRef};

/// How a control calls what a rule finds, and whether that is wrong or only weak; none if it is another control's.
pub(super) type Sort = fn(&'static Rule) -> Option<(&'static str, Status)>;

/// Hits that are shown as evidence, of each sub-reason.
const SHOWN: usize = 6;

/// Every prefix with one of these purposes.
pub(super) fn of<'a>(judge: &Judge<'a>, purposes: &'static [Purpose]) -> impl Iterator<Item = &'a Dataset> {
    judge.context.inventory.data.values().filter(|data| purposes.iter().any(|purpose| data.is_for(*purpose)))
}

/// A verdict on a prefix, with who uses it.
pub(super) fn on<'a>(judge: &Judge<'a>, data: &Dataset) -> Subject<'a> {
    let this = ResourceRef::new(Kind::Data, &data.uri);
    let lineage = judge.context.lineage;
    let users = lineage.down(&this).iter().filter(|(link, _)| *link == Link::Feeds).map(|(_, user)| user);
    let writers = lineage.up(&this).iter().filter(|(link, _)| *link == Link::Writes).map(|(_, user)| user);
    let users: Vec<ResourceRef> = users.chain(writers).cloned().collect();
    judge.on(this).related(users)
}

/// The list of a prefix; else the verdict that says why there is none, or that nothing lies there.
// why unboxed: the verdict ends the judging of one prefix, and is handed on at once.
#[allow(clippy::result_large_err)]
pub(super) fn listing<'a>(judge: &Judge<'_>, data: &'a Dataset) -> Result<&'a Listing, Verdict> {
    match data.listing.known() {
        Err(unknown) => Err(on(judge, data).unread(unread("s3:ListObjectsV2", unknown))),
        Ok(listing) if listing.objects == 0 => {
            Err(on(judge, data).not_applicable(format!("nothing lies at {} any more", data.uri)))
        }
        Ok(listing) => Ok(listing),
    }
}

/// What the content of a prefix holds; else the verdict that says why that is not known.
// why unboxed: the verdict ends the judging of one prefix, and is handed on at once.
#[allow(clippy::result_large_err)]
pub(super) fn content<'a>(judge: &Judge<'_>, data: &'a Dataset) -> Result<&'a Content, Verdict> {
    listing(judge, data)?;
    data.content.known().map_err(|unknown| on(judge, data).unread(unread("s3:GetObject", unknown)))
}

/// One problem for each sub-reason, graded by its worst rule.
pub(super) fn problems(content: &Content, what: &str, sort: Sort) -> Vec<Problem> {
    let mut sorted: BTreeMap<&'static str, Vec<(&'static Rule, u64, Status)>> = BTreeMap::new();
    for (id, count) in &content.rules {
        let Some(rule) = rules::rule(id.as_str()) else { continue };
        if let Some((code, status)) = sort(rule) {
            sorted.entry(code).or_default().push((rule, *count, status));
        }
    }
    sorted.into_iter().map(|(code, found)| problem(content, what, code, found)).collect()
}

fn problem(content: &Content, what: &str, code: &'static str, mut found: Vec<(&'static Rule, u64, Status)>) -> Problem {
    found.sort_by_key(|(rule, ..)| (rule.severity, rule.id));
    let hits: Vec<_> =
        content.hits.iter().filter(|hit| found.iter().any(|(rule, ..)| hit.rule.as_str() == rule.id)).collect();
    let said = listed(found.iter().map(|(rule, count, _)| {
        let first = hits.iter().find(|hit| hit.rule.as_str() == rule.id);
        let first = first.map(|hit| format!(", first at {}", hit.place())).unwrap_or_default();
        let times = if *count == 1 { String::new() } else { format!(" ({count} times)") };
        format!("{}{times}{first}", lower(rule.title))
    }));
    let failed = found.iter().filter(|(.., status)| *status == Status::Fail).map(|(rule, ..)| rule.severity).min();
    let reason = format!("{what}: {said}");
    let mut problem = match failed {
        Some(severity) => Problem::fail(code, reason).graded(severity),
        None => Problem::warn(code, reason).graded(found.first().map_or(Severity::Low, |(rule, ..)| rule.severity)),
    };
    for (rule, count, _) in &found {
        problem = problem.shows("rule", format!("{} ×{count}", rule.id));
    }
    for hit in hits.iter().take(SHOWN) {
        let digest = if hit.digest.is_empty() { String::new() } else { format!(" {}", hit.digest) };
        problem = problem.shows("found", format!("{}: {} {}{digest}", hit.place(), hit.rule, hit.shown));
    }
    problem
}

/// A title inside a sentence: `AWS key` and `IBAN` keep their capitals.
fn lower(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => title.to_owned(),
    }
}

/// Ends a verdict on content: what was found stands; nothing found is right only if everything was read.
pub(super) fn conclude(
    draft: Draft<Subject<'_>>,
    content: &Content,
    listing: &Listing,
    problems: Vec<Problem>,
    right: &str,
) -> Vec<Verdict> {
    let mut draft = draft.shows("objects", listing.objects).shows("bytesRead", content.bytes);
    for (object, why) in content.unread.iter().take(SHOWN) {
        draft = draft.shows("unread", format!("{object}: {why}"));
    }
    if !problems.is_empty() {
        return draft.conclude(problems, right);
    }
    if let Some((object, why)) = content.unread.first() {
        let more = content.unread_objects.saturating_sub(1);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return vec![draft.undecided("unread", format!("not read whole: {object}{more}: {why}"))];
    }
    if listing.truncated {
        let why = format!("there are more than the {} objects that were listed", listing.objects);
        return vec![draft.undecided("unread", why)];
    }
    vec![draft.pass(right)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_inside_sentences() {
        for (title, inside) in [
            ("Private key", "private key"),
            ("AWS access key id", "AWS access key id"),
            ("IBAN (mod 97)", "IBAN (mod 97)"),
        ] {
            assert_eq!(lower(title), inside);
        }
    }
}
