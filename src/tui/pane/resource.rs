//! A resource in full: what is particular to its kind, then what is the same for all.

use std::collections::HashSet;

use super::super::fit;
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::{findings, topology, trail};
use crate::base::ResourceId;
use crate::base::time::span;
use crate::inventory::read::Unknown;
use crate::inventory::{Kind, Read, ResourceRef};
use crate::posture::Verdict;

/// The page of a resource; `brief` for the box beside a list, where lineage is a key press away.
pub fn page(model: &Model, resource: &ResourceRef, width: usize, brief: bool) -> Page {
    let mut page = Page::new(model.name_of(resource), width);
    if !model.inventory.holds(resource) {
        let text = format!("{} {} is named by others, but was not read itself", resource.kind.word(), resource.id);
        page.text(Role::Unknown, &text);
    }
    match resource.kind {
        Kind::Job | Kind::ImportJob | Kind::CopyJob | Kind::EvaluationJob | Kind::BatchJob => {
            super::jobs::detail(model, resource, &mut page);
        }
        Kind::Model | Kind::ImportedModel => super::models::detail(model, resource, &mut page),
        Kind::Key => super::keys::detail(model, resource, &mut page),
        Kind::Bucket => super::data::detail(model, resource, &mut page),
        Kind::Guardrail => super::guardrails::detail(model, resource, &mut page),
        Kind::Role if model.inventory.holds(resource) => super::roles::detail(model, resource, &mut page),
        _ => generic(model, resource, &mut page),
    }
    open_findings(model, resource, &mut page);
    match resource.kind {
        Kind::Key => super::keys::more(model, resource, &mut page),
        Kind::Bucket => super::data::more(model, resource, &mut page),
        _ => {}
    }
    if resource.kind != Kind::Key {
        policies(model, resource, &mut page);
    }
    if !brief && topology::applies(resource.kind) {
        page.head("Network");
        topology::draw(model, resource, &mut page);
    }
    // why not in brief: these name what they need in fields of their own.
    let told =
        matches!(resource.kind, Kind::Job | Kind::ImportJob | Kind::CopyJob | Kind::EvaluationJob | Kind::BatchJob)
            || matches!(resource.kind, Kind::Model | Kind::ImportedModel | Kind::Key | Kind::Bucket);
    if !(brief && told) {
        links(model, resource, &mut page);
    }
    recent(model, resource, &mut page);
    page
}

/// The simple facts of a record, as they are called there.
fn generic(model: &Model, resource: &ResourceRef, page: &mut Page) {
    page.field("id", Role::Dim, resource.id.as_str());
    let Some(serde_json::Value::Object(record)) = model.inventory.raw(resource) else { return };
    for (name, value) in &record {
        let text = match value {
            serde_json::Value::String(text) if !text.contains('\n') => text.clone(),
            serde_json::Value::Bool(value) => value.to_string(),
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Object(read) => match read.get("value") {
                Some(serde_json::Value::Bool(value)) => value.to_string(),
                Some(serde_json::Value::String(value)) => value.clone(),
                _ => continue,
            },
            _ => continue,
        };
        if !["arn", "id", "name", "trust", "document"].contains(&name.as_str()) && !text.is_empty() {
            // What names a resource that was read is called as that, and leads there.
            let named = model.names.find(&ResourceId::new(text.as_str())).filter(|of| of.id.as_str() == text);
            let label = name.replace('_', " ");
            match named {
                Some(of) => {
                    let target = Target::Go(Place::Resource(of.clone()));
                    let text = format!("{} {}", of.kind.word(), model.name_of(of));
                    page.field_to(&label, Role::Accent, text, Some(target));
                }
                None => page.field(&label, Role::Text, crate::base::text::safe(&text)),
            }
        }
    }
}

/// Findings about it or concerning it; then those of what it needs.
pub fn open_findings(model: &Model, resource: &ResourceRef, page: &mut Page) {
    let own = model.judged.of(&model.assessment, &resource.id);
    let mut through = super::standing::through(model, resource);
    let held: HashSet<&str> = own.iter().map(|verdict| verdict.id.as_str()).collect();
    through.retain(|verdict| !held.contains(verdict.id.as_str()));
    let worst = |all: &[&Verdict]| all.first().map_or(u8::MAX, |verdict| verdict.severity as u8);
    // The worst first, whosever it is.
    if worst(&through) < worst(&own) {
        needed_findings(&through, page);
        own_findings(&own, page);
    } else {
        own_findings(&own, page);
        needed_findings(&through, page);
    }
}

fn own_findings(all: &[&Verdict], page: &mut Page) {
    if all.is_empty() {
        return;
    }
    page.head(format!("Findings  {}", all.len()));
    rows(page, all.iter().take(12).map(|verdict| (*verdict, verdict.reason.to_string())));
    if all.len() > 12 {
        page.text(Role::Dim, &format!("and {} more in Findings", all.len() - 12));
    }
}

fn needed_findings(all: &[&Verdict], page: &mut Page) {
    if all.is_empty() {
        return;
    }
    page.head(format!("Findings of what it needs  {}", all.len()));
    let told = |verdict: &Verdict| {
        format!("{} {}: {}", verdict.resource.kind.word(), verdict.name, super::reason::short(verdict))
    };
    rows(page, all.iter().take(8).map(|verdict| (*verdict, told(verdict))));
    if all.len() > 8 {
        page.text(Role::Dim, &format!("and {} more: L shows where", all.len() - 8));
    }
}

/// A line each. What begins like the line above it shows where the two part.
pub fn rows<'a>(page: &mut Page, all: impl Iterator<Item = (&'a Verdict, String)>) {
    let room = u16::try_from(page.width().saturating_sub(9)).unwrap_or(u16::MAX);
    let mut above = String::new();
    for (verdict, text) in all {
        let shown = fit::telling(&above, &text, room).into_owned();
        let severity = (verdict.severity.into(), format!("{:<9}", verdict.severity.word()));
        let line = page.line(vec![severity, (Role::Text, shown)]);
        line.target = Some(Target::Go(Place::Finding(verdict.id.clone())));
        line.copy = Some(text.clone());
        above = text;
    }
}

/// Its policies.
pub fn policies(model: &Model, resource: &ResourceRef, page: &mut Page) {
    for (name, document) in findings::documents(model, resource) {
        page.head(format!("{name}, {} bytes", document.raw().len()));
        page.code(&document.shown(), &(0..0));
    }
}

/// One step of lineage, both ways: sentences that begin with this resource.
pub fn links(model: &Model, resource: &ResourceRef, page: &mut Page) {
    let (needs, needed_by) = (model.lineage.needs(resource), model.lineage.needed_by(resource));
    let all: Vec<_> = needs.chain(needed_by).collect();
    if all.is_empty() {
        return;
    }
    page.head("Lineage");
    for (sentence, other) in all.iter().take(40) {
        let mut spans =
            vec![(Role::Text, format!("{sentence} {} ", other.kind.word())), (Role::Accent, model.name_of(other))];
        if let Some(severity) = model.judged.worst(&model.assessment, &other.id) {
            spans.push((severity.into(), format!("  {}", severity.word())));
        }
        let line = page.line(spans);
        line.target = Some(Target::Go(Place::Resource((*other).clone())));
        line.copy = Some(other.id.to_string());
    }
    if all.len() > 40 {
        page.text(Role::Dim, &format!("and {} more: L shows all", all.len() - 40));
    }
}

/// The newest events about it.
pub fn recent(model: &Model, resource: &ResourceRef, page: &mut Page) {
    let events = model.log.of(&resource.id);
    if events.is_empty() {
        return;
    }
    page.head(format!("Events  {}", events.len()));
    for event in events.iter().take(6) {
        let line = page.line(trail::line(model, event));
        line.target = Some(Target::Go(Place::Event(event.id.clone())));
    }
    if events.len() > 6 {
        let line = page.line(vec![(Role::Accent, format!("all {} in Trail", events.len()))]);
        line.target = Some(Target::Filter(super::Pane::Trail, format!("resource:{}", resource.id.last())));
    }
}

/// A value that may not have been read: what it is, or why it is not known.
pub fn read_field<T>(page: &mut Page, label: &str, read: &Read<T>, show: impl Fn(&T) -> (Role, String)) {
    match (read.known(), read.last()) {
        (Ok(value), _) => {
            let (role, text) = show(value);
            page.field(label, role, text);
        }
        (Err(Unknown::Failed(error)), Some(value)) => {
            let (_, text) = show(value);
            page.field(label, Role::Unknown, format!("{text} (stale: {error})"));
        }
        (Err(unknown), _) => page.field(label, Role::Unknown, unknown.to_string()),
    }
}

/// A field that leads to a resource.
pub fn link_field(model: &Model, page: &mut Page, label: &str, kind: Kind, id: Option<&ResourceId>, none: &str) {
    match id {
        Some(id) => {
            let resource = ResourceRef::new(kind, id);
            let name = model.name_of(&resource);
            page.field_to(label, Role::Accent, name, Some(Target::Go(Place::Resource(resource))));
        }
        None => page.field(label, Role::Dim, none),
    }
}

/// A moment, with how long ago or how far ahead it is.
pub fn when(model: &Model, at: crate::base::Timestamp) -> String {
    let secs = model.now.secs_since(at);
    match secs {
        0..60 => format!("{} (just now)", at.minute()),
        60.. => format!("{} ({} ago)", at.minute(), span(secs)),
        _ => format!("{} (in {})", at.minute(), span(-secs)),
    }
}
