//! Findings: what is wrong or weak, the worst first; one of them with its evidence.

use std::collections::BTreeSet;

use super::super::list::{Cell, Column, Subject, text};
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::super::tree;
use crate::base::time::span;
use crate::inventory::{Document, Kind, Link, ResourceRef};
use crate::posture::compliance::FRAMEWORKS;
use crate::posture::{Evidence, Status, Verdict};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("SEV", 8, 0, 0).at_least(4),
    text("", 4, 0, 5),
    text("WHAT", 36, 6, 0).at_least(15),
    text("WHERE", 18, 1, 1).at_least(15),
    text("CONTROL", 10, 0, 4),
    text("AGE", 4, 0, 3),
    text("FIX", 6, 0, 2),
];

/// All findings.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let verdicts = &model.assessment.verdicts;
    let places = model.judged.findings.iter().chain(&model.judged.unknown);
    places.filter_map(|at| Some(Subject::Finding(verdicts.get(*at)?.id.clone()))).collect()
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Finding(id) = subject else { return None };
    let verdict = model.judged.verdict(&model.assessment, id)?;
    let fix = verdict.fixes.first().map_or_else(|| Cell::new("-"), |fix| Cell::new(*fix));
    Some(vec![
        match verdict.status {
            Status::Unknown => Cell::of("UNKNOWN", Role::Unknown).or("?").by(10 + verdict.severity as i64),
            _ => Cell::of(verdict.severity.word(), verdict.severity.into())
                .or(super::standing::brief(verdict.severity))
                .by(verdict.severity as i64),
        },
        Cell::new(if verdict.status == Status::Unknown { "?" } else { verdict.status.word() })
            .by(verdict.status as i64),
        Cell::of(super::reason::short(verdict), if verdict.stale.is_some() { Role::Unknown } else { Role::Text }),
        Cell::new(format!("{} {}", verdict.resource.kind.word(), verdict.name)).or(verdict.name.as_str()),
        Cell::new(verdict.control),
        age(model, id),
        fix,
    ])
}

/// How long it is open; the newest first when sorted.
fn age(model: &Model, id: &str) -> Cell {
    match model.judged.since(id).map(|since| model.now.secs_since(since).max(0)) {
        // why whole minutes: seconds in a list would repaint it all the time.
        Some(secs) if secs < 60 => Cell::new("<1m").by(secs),
        Some(secs) => Cell::new(span(secs)).by(secs),
        None => Cell::new("-"),
    }
}

/// One finding.
pub fn page(model: &Model, id: &str, width: usize) -> Page {
    let Some(verdict) = model.judged.verdict(&model.assessment, id) else {
        let mut page = Page::new("finding", width);
        page.text(Role::Ok, "This finding is gone: what it was about is mended, deleted, or was read anew.");
        return page;
    };
    let mut page = Page::new(verdict.control, width);
    let words = match verdict.status {
        Status::Fail => verdict.severity.word().to_owned(),
        status => format!("{} {}", verdict.severity.word(), status.word()),
    };
    let words = if verdict.stale.is_some() { format!("{words}, stale") } else { words };
    page.state = Some((verdict.severity.into(), words));
    page.text(Role::Title, verdict.reason.as_str());
    page.gap();
    let control = crate::posture::control(verdict.control);
    page.field("should be", Role::Text, verdict.title);
    let resource = &verdict.resource;
    let name = format!("{} {}", resource.kind.word(), verdict.name);
    page.field_to("on", Role::Accent, name, Some(Target::Go(Place::Resource(resource.clone()))));
    if let Some(since) = model.judged.since(&verdict.id) {
        let age = span(model.now.secs_since(since).max(0));
        page.field("open for", Role::Dim, format!("{age}, since {}", since.minute()));
    }
    if let Some(control) = control {
        page.field("to do", Role::Text, control.remediation);
        if !control.cli.is_empty() {
            page.field("by hand", Role::Dim, control.cli);
        }
    }
    statements(model, verdict, &mut page);
    if !verdict.evidence.is_empty() {
        page.head("Evidence");
    }
    for fact in &verdict.evidence {
        let role = if fact.pointer.is_some() { Role::Match } else { Role::Text };
        let at = fact.pointer.as_deref().map(|pointer| format!("  at {pointer}")).unwrap_or_default();
        let label: String = fact.label.as_str().chars().take(24).collect();
        page.field(&label, role, format!("{}{at}", fact.value));
    }
    fixes(verdict, &mut page);
    affected(model, verdict, &mut page);
    page.head("How it is judged");
    page.field("id", Role::Dim, resource.id.as_str());
    page.field("code", Role::Dim, verdict.code);
    if let Some(control) = control {
        page.field("by", Role::Text, control.logic);
        for (name, ids) in control.compliance {
            let target = FRAMEWORKS.iter().find(|held| held.name == *name).map(|held| Place::Framework(held.id));
            page.field_to("speaks to", Role::Text, format!("{name}  {}", ids.join(" ")), target.map(Target::Go));
        }
    }
    page.head("Read from");
    for source in &verdict.sources {
        let state = model.inventory.coverage.state(*source, model.now);
        page.field_to("", Role::Dim, format!("{source}  {}", state.word()), Some(Target::Go(Place::Source(*source))));
    }
    page
}

/// The most lines of one statement.
const STATEMENT: usize = 30;

/// The statements of policies that the evidence points into, whole, with what it points at marked. They come
/// first: they are why.
fn statements(model: &Model, verdict: &Verdict, page: &mut Page) {
    let documents = documents(model, &verdict.resource);
    let facts = verdict.evidence.iter().filter_map(|fact| Some((fact, fact.pointer.as_deref()?)));
    let places: BTreeSet<(&str, usize)> =
        facts.filter_map(|(fact, pointer)| Some((pointer, place(&documents, fact, pointer)?))).collect();
    for (pointer, at) in places.into_iter().take(4) {
        let Some((name, document)) = documents.get(at) else { continue };
        let Ok(json) = document.json() else { continue };
        page.gap();
        page.line(vec![
            (Role::Title, name.clone()),
            (Role::Match, format!("  {pointer}")),
            (Role::Dim, format!("  of {} bytes", document.raw().len())),
        ]);
        let marked = tree::lines_of(&json, pointer);
        let whole: Vec<&str> = pointer.splitn(4, '/').take(3).collect();
        let around = tree::lines_of(&json, &whole.join("/"));
        let shown = document.shown();
        // why not all of it: the statement must be seen without scrolling; o has the rest.
        let (from, to) = if around.len() > STATEMENT {
            let from = marked.start.saturating_sub(4).max(around.start);
            (from, (from + STATEMENT).min(around.end))
        } else {
            (around.start, around.end)
        };
        let lines: Vec<&str> = shown.lines().skip(from).take(to - from).collect();
        let indent = lines.first().map_or(0, |line| line.len() - line.trim_start().len());
        let lines: Vec<&str> = lines.into_iter().map(|line| line.get(indent..).unwrap_or(line)).collect();
        page.code(&lines.join("\n"), &(marked.start.saturating_sub(from)..marked.end.saturating_sub(from)));
    }
}

/// Which document a fact points into: the policy that it names, where it names one; else the first that has the place.
fn place(documents: &[(String, Document)], fact: &Evidence, pointer: &str) -> Option<usize> {
    let named = |name: &str| {
        let Some((_, own)) = name.split_once("policy ") else { return false };
        let said = fact.value.as_str().split(&format!("policy {own}")).nth(1);
        said.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':', ',']))
    };
    let has = |document: &Document| document.json().is_ok_and(|json| json.pointer(pointer).is_some());
    let held = || documents.iter().enumerate().filter(|(_, (_, document))| has(document));
    let by_name = held().find(|(_, (name, _))| named(name));
    by_name.or_else(|| held().next()).map(|(at, _)| at)
}

/// The policies of a resource, as the last reading had them.
pub fn documents(model: &Model, resource: &ResourceRef) -> Vec<(String, Document)> {
    let inventory = &model.inventory;
    let mut found = Vec::new();
    match resource.kind {
        Kind::Key => {
            if let Some(policy) = inventory.keys.get(&resource.id).and_then(|key| key.policy.last()) {
                found.push(("key policy".to_owned(), policy.clone()));
            }
        }
        Kind::Bucket => {
            if let Some(Some(policy)) = inventory.buckets.get(&resource.id).and_then(|bucket| bucket.policy.last()) {
                found.push(("bucket policy".to_owned(), policy.clone()));
            }
        }
        Kind::Model => {
            if let Some(Some(policy)) = inventory.models.get(&resource.id).and_then(|model| model.policy.last()) {
                found.push(("resource policy".to_owned(), policy.clone()));
            }
        }
        Kind::Role => {
            if let Some(role) = inventory.roles.get(&resource.id) {
                found.push(("trust policy".to_owned(), role.trust.clone()));
                found.extend(role.inline.iter().map(|p| (format!("inline policy {}", p.name), p.document.clone())));
                for id in &role.attached {
                    if let Some(policy) = inventory.policies.get(id) {
                        found.push((format!("attached policy {}", policy.name), policy.document.clone()));
                    }
                }
            }
        }
        Kind::Policy => {
            if let Some(policy) = inventory.policies.get(&resource.id) {
                found.push((format!("policy {}", policy.name), policy.document.clone()));
            }
        }
        Kind::Endpoint => {
            if let Some(policy) = inventory.endpoints.get(&resource.id).and_then(|endpoint| endpoint.policy.as_ref()) {
                found.push(("endpoint policy".to_owned(), policy.clone()));
            }
        }
        Kind::Rule => {
            if let Some(pattern) = inventory.rules.get(&resource.id).and_then(|rule| rule.pattern.as_ref()) {
                found.push(("event pattern".to_owned(), pattern.clone()));
            }
        }
        _ => {}
    }
    found
}

fn fixes(verdict: &Verdict, page: &mut Page) {
    page.head("Fixes");
    if verdict.fixes.is_empty() {
        page.text(Role::Dim, "none that bedwatch can propose: this takes a decision of yours");
    }
    for fix in verdict.fixes {
        let target = Some(Target::Fix(verdict.id.clone()));
        page.field_to(fix, Role::Accent, "show what it would change", target);
    }
}

/// What a fault of it affects: what needs it, by lineage, and what the control names.
fn affected(model: &Model, verdict: &Verdict, page: &mut Page) {
    let mut all: Vec<ResourceRef> = verdict.related.clone();
    for of in model.lineage.all_needed_by(&verdict.resource) {
        // why not data: a prefix says no more than its bucket.
        if of.kind != Kind::Data && !all.contains(&of) {
            all.push(of);
        }
    }
    if all.is_empty() {
        return;
    }
    page.head(format!("Affects  {}", all.len()));
    for of in all.iter().take(40) {
        let name = model.name_of(of);
        let served = model.lineage.down(of).iter().filter(|(link, _)| *link == Link::ServedBy).count();
        let text = if served > 0 { format!("{name}  served by {served}") } else { name };
        page.field_to(of.kind.word(), Role::Accent, text, Some(Target::Go(Place::Resource(of.clone()))));
    }
    if all.len() > 40 {
        page.text(Role::Dim, &format!("and {} more: L shows the lineage", all.len() - 40));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_points_into_the_policy_that_it_names() {
        let policy = |statements: &str| Document::new(format!("{{\"Statement\": [{statements}]}}"));
        let documents = [
            ("trust policy".to_owned(), policy("{}")),
            ("inline policy own".to_owned(), policy("{}, {}")),
            ("attached policy own-2".to_owned(), policy("{}, {}, {}")),
        ];
        for (value, pointer, expected) in [
            ("arn:aws:iam::1:role/x", "/Statement/0", Some(0)),
            ("policy own \"Sid\": Allow * on *", "/Statement/0", Some(1)),
            ("policy own-2 statement 1: Allow * on *", "/Statement/0", Some(2)),
            ("policy own-2: all", "/Statement/0", Some(2)),
            ("policy other statement 1", "/Statement/1", Some(1)),
            ("policy own statement 3", "/Statement/2", Some(2)),
            ("policy own statement 9", "/Statement/8", None),
        ] {
            let fact = Evidence { label: "statement".into(), value: value.into(), pointer: Some(pointer.into()) };
            assert_eq!(place(&documents, &fact, pointer), expected, "{value}");
        }
    }
}
