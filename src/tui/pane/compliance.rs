//! Compliance: frameworks and how those of their requirements stand that controls speak to. What a tool cannot
//! attest is said first, and nothing is counted as met because nobody looked.

use std::collections::BTreeSet;

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::Model;
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::Pane;
use crate::posture::compliance::{FRAMEWORKS, Requirement, framework, rank, requirements};
use crate::posture::{Framework, Status};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("FRAMEWORK", 22, 3, 0).at_least(14),
    number("SPOKEN TO", 9, 2),
    number("MET", 3, 0),
    number("NOT", 4, 0),
    number("WEAK", 4, 3),
    number("?", 3, 0),
    number("N/A", 3, 4),
    number("CONTROLS", 8, 5),
];

/// Every framework.
pub fn subjects() -> Vec<Subject> {
    FRAMEWORKS.iter().map(|framework| Subject::Framework(framework.id)).collect()
}

/// The requirements of every framework, in the order of frameworks.
pub fn all_requirements(model: &Model) -> Vec<Vec<Requirement>> {
    FRAMEWORKS.iter().map(|framework| requirements(framework, &model.assessment)).collect()
}

fn held(model: &Model, framework: &Framework) -> Vec<Requirement> {
    let at = FRAMEWORKS.iter().position(|one| one.id == framework.id);
    at.map(|at| super::super::held::requirements(model, at)).unwrap_or_default()
}

/// How many requirements stand so: met, not met, weak, not known, nothing to judge.
fn counts(all: &[Requirement]) -> [usize; 5] {
    let count = |wanted: &[Status]| all.iter().filter(|requirement| wanted.contains(&requirement.status)).count();
    [
        count(&[Status::Pass]),
        count(&[Status::Fail, Status::Muted]),
        count(&[Status::Warn]),
        count(&[Status::Unknown]),
        count(&[Status::NotApplicable]),
    ]
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Framework(id) = subject else { return None };
    let framework = framework(id)?;
    let all = held(model, framework);
    let number = |count: usize, role: Role| {
        let by = i64::try_from(count).unwrap_or(i64::MAX);
        if count == 0 { Cell::of("-", Role::Dim).by(0) } else { Cell::of(count.to_string(), role).by(by) }
    };
    let [met, not, weak, unknown, none] = counts(&all);
    Some(vec![
        Cell::new(framework.name).or(framework.id),
        number(all.len(), Role::Text),
        number(met, Role::Ok),
        number(not, Role::High),
        number(weak, Role::Medium),
        number(unknown, Role::Unknown),
        number(none, Role::Dim),
        number(framework.controls().count(), Role::Dim),
    ])
}

fn word(status: Status) -> (Role, &'static str) {
    match status {
        Status::Pass => (Role::Ok, "met"),
        Status::Fail => (Role::High, "NOT MET"),
        Status::Warn => (Role::Medium, "weak"),
        Status::Unknown => (Role::Unknown, "? unknown"),
        Status::Muted => (Role::Medium, "accepted"),
        Status::NotApplicable => (Role::Dim, "n/a"),
    }
}

/// One framework: what this is not, then its requirements, the worst first.
pub fn page(model: &Model, id: &str, width: usize) -> Page {
    let Some(framework) = framework(id) else {
        let mut page = Page::new("framework", width);
        page.text(Role::Dim, "There is no such framework.");
        return page;
    };
    let mut page = Page::new(framework.name, width);
    let mut all = held(model, framework);
    let [met, not, weak, unknown, none] = counts(&all);
    page.text(Role::Notice, "Not an attestation.");
    page.text(Role::Text, framework.limits);
    page.gap();
    let spoken = format!("{} requirements, by {} controls", all.len(), framework.controls().count());
    page.field("spoken to", Role::Text, spoken);
    page.field("met", Role::Ok, format!("{met}: everything that was judged for them passes"));
    page.field("not met", if not > 0 { Role::High } else { Role::Text }, format!("{not}: something fails"));
    page.field("weak", Role::Text, format!("{weak}: something warns"));
    page.field("unknown", Role::Unknown, format!("{unknown}: something could not be looked at; not counted as met"));
    page.field("n/a", Role::Dim, format!("{none}: there is nothing here they could be judged on"));
    page.field("the rest", Role::Dim, "of the framework is not judged here, neither way");
    rest(model, framework, &mut all, &mut page);
    page
}

fn rest(model: &Model, framework: &Framework, all: &mut [Requirement], page: &mut Page) {
    page.head("Requirements");
    all.sort_by_key(|requirement| rank(requirement.status));
    let least = all.iter().map(|requirement| requirement.id.len()).max().unwrap_or(0).clamp(6, 20);
    let verdicts = model.assessment.verdicts.iter();
    let open_controls: BTreeSet<&str> = verdicts
        .filter(|verdict| verdict.status.is_finding() || verdict.status == Status::Unknown)
        .map(|verdict| verdict.control)
        .collect();
    for requirement in all.iter() {
        let (role, word) = word(requirement.status);
        let open: Vec<&str> =
            requirement.controls.iter().copied().filter(|control| open_controls.contains(control)).collect();
        let shown = if open.is_empty() { &requirement.controls } else { &open };
        let short: Vec<&str> = shown.iter().map(|control| control.trim_start_matches("CUS-")).collect();
        let room = page.width().saturating_sub(least + 12);
        let mut text = short.join(" ");
        if text.len() > room {
            let fits = (0..short.len()).rev().find(|n| short[..*n].join(" ").len() + 4 <= room).unwrap_or(0);
            text = format!("{} +{}", short[..fits].join(" "), short.len() - fits);
        }
        let line = page.line(vec![
            (Role::Text, format!("{:<least$} ", requirement.id)),
            (role, format!("{word:<10} ")),
            (Role::Dim, text),
        ]);
        line.copy = Some(format!("{} {} {}", framework.name, requirement.id, word));
        // What is open can be listed; of what passes there is nothing to list.
        line.target = (!open.is_empty()).then(|| Target::Filter(Pane::Findings, format!("control:{}", open.join(","))));
    }
}
