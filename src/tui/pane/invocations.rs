//! Invocations: who called which model, with how many tokens; where that is logged; and what it adds
//! up to. What was asked and answered is not here: it is dropped before it reaches the console.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::fit::align;
use super::super::invoked::{Sum, short};
use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::{Model, Place};
use super::super::page::{Page, Target, wrap};
use super::super::theme::Role;
use super::super::view::{Draw, Span};
use super::resource::link_field;
use crate::activity::Invocation;
use crate::base::{ResourceId, Text};
use crate::inventory::{Kind, ResourceRef, SourceId};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("TIME", 8, 0, 0).at_least(5),
    text("WHO", 12, 2, 0).at_least(9),
    text("MODEL", 14, 3, 0).at_least(12),
    text("OPERATION", 11, 1, 3),
    number("IN", 6, 2),
    number("OUT", 6, 2),
    text("RESULT", 6, 1, 1),
];

/// That bodies are not here, in a line.
const NO_BODIES: &str = "Prompts and completions are not read: they are dropped on arrival.";

/// All invocations, newest first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    model.invoked.list().iter().map(|invocation| Subject::Invocation(invocation.id.clone())).collect()
}

fn result(invocation: &Invocation) -> (Role, String) {
    match &invocation.error {
        None => (Role::Text, "ok".into()),
        Some(_) if invocation.is_denied() => (Role::High, "DENIED".into()),
        Some(code) => (Role::Medium, code.to_string()),
    }
}

/// What was invoked, if it was read: a deployment, a throughput, or a model itself.
pub fn invoked(model: &Model, id: &ResourceId) -> Option<ResourceRef> {
    let inventory = &model.inventory;
    let kind = if inventory.deployments.contains_key(id) {
        Kind::Deployment
    } else if inventory.throughputs.contains_key(id) {
        Kind::Throughput
    } else if inventory.imported_models.contains_key(id) {
        Kind::ImportedModel
    } else if inventory.models.contains_key(id) {
        Kind::Model
    } else if inventory.foundation_models.contains_key(id) {
        Kind::FoundationModel
    } else {
        return None;
    };
    Some(ResourceRef::new(kind, id))
}

/// The short name of what was invoked. Ids of base models hold colons, so what follows the last slash
/// of an ARN is the name of what is not known here, and an id stays whole.
fn name(model: &Model, id: &ResourceId) -> String {
    match invoked(model, id) {
        Some(resource) => model.name_of(&resource),
        None => id.as_str().rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

/// The custom model that answers behind a deployment or throughput.
fn served(model: &Model, id: &ResourceId) -> Option<ResourceId> {
    let inventory = &model.inventory;
    let deployed = inventory.deployments.get(id).map(|held| held.model.clone());
    deployed.or_else(|| inventory.throughputs.get(id).map(|held| held.model.clone()))
}

fn tokens(count: Option<u64>) -> Cell {
    match count {
        Some(count) => Cell::new(count.to_string()).by(i64::try_from(count).unwrap_or(i64::MAX)),
        None => Cell::of("-", Role::Dim).by(-1),
    }
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Invocation(id) = subject else { return None };
    let invocation = model.invoked.get(id)?;
    let (role, word) = result(invocation);
    let old = model.now.secs_since(invocation.at) >= 86_400;
    let time = if old { invocation.at.minute()[5..10].to_owned() } else { invocation.at.clock() };
    Some(vec![
        Cell::new(time.as_str()).or(time.get(..5).unwrap_or_default()).by(-invocation.at.millis()),
        Cell::new(invocation.who.as_str()),
        Cell::new(name(model, &invocation.model)),
        Cell::new(invocation.operation.as_str()),
        tokens(invocation.input_tokens),
        tokens(invocation.output_tokens),
        Cell::of(word, role),
    ])
}

/// One invocation in full.
pub fn page(model: &Model, id: &Text, width: usize) -> Page {
    let Some(invocation) = model.invoked.get(id) else {
        let mut page = Page::new("invocation", width);
        page.text(Role::Dim, "This invocation is no longer held: only the newest are.");
        return page;
    };
    let mut page = Page::new(format!("{} {}", invocation.operation, name(model, &invocation.model)), width);
    page.state = Some(result(invocation));
    let ago = crate::base::time::span(model.now.secs_since(invocation.at).max(0));
    page.field("time", Role::Text, format!("{} ({ago} ago)", invocation.at));
    page.field("operation", Role::Text, invocation.operation.as_str());
    let resource = invoked(model, &invocation.model);
    let role = if resource.is_some() { Role::Accent } else { Role::Text };
    let target = resource.map(|resource| Target::Go(Place::Resource(resource)));
    page.field_to("invoked", role, invocation.model.as_str(), target);
    if let Some(served) = served(model, &invocation.model) {
        link_field(model, &mut page, "model", Kind::Model, Some(&served), "");
    }
    page.field("tokens in", Role::Text, count(invocation.input_tokens));
    page.field("tokens out", Role::Text, count(invocation.output_tokens));
    if let Some(code) = &invocation.error {
        page.field("error", result(invocation).0, code.as_str());
    }
    let who = invocation.principal.as_ref().map_or("the record does not say", ResourceId::as_str);
    page.field("who", Role::Text, who);
    if let Some(role) = role_of(model, invocation) {
        link_field(model, &mut page, "role", Kind::Role, Some(&role), "");
    }
    page.field("request", Role::Text, invocation.id.as_str());
    let group = ResourceRef::new(Kind::LogGroup, &invocation.log_group);
    let target = model.inventory.holds(&group).then_some(Target::Go(Place::Resource(group)));
    let role = if target.is_some() { Role::Accent } else { Role::Text };
    page.field_to("log group", role, invocation.log_group.as_str(), target);
    page.gap();
    page.text(Role::Dim, NO_BODIES);
    page.head(format!("Among the {} invocations held", model.invoked.all.calls));
    for (what, sum) in [
        (format!("by {}", invocation.who), model.invoked.callers.get(&invocation.who)),
        (format!("of {}", name(model, &invocation.model)), model.invoked.models.get(&invocation.model)),
    ] {
        if let Some(sum) = sum {
            page.text(Role::Text, &format!("{what}: {}", sentence(sum)));
        }
    }
    // why by id: CloudTrail records the same call under the same request id.
    let same = |record: &serde_json::Value| {
        record.get("requestID").and_then(serde_json::Value::as_str) == Some(invocation.id.as_str())
    };
    if let Some(event) = model.log.all().iter().find(|event| same(&event.record)) {
        page.head("The same call in CloudTrail");
        page.line(super::trail::line(model, event)).target = Some(Target::Go(Place::Event(event.id.clone())));
    }
    page
}

fn count(tokens: Option<u64>) -> String {
    tokens.map_or_else(|| "the record does not say".to_owned(), |tokens| tokens.to_string())
}

/// The role behind the caller's session, if it was read.
fn role_of(model: &Model, invocation: &Invocation) -> Option<ResourceId> {
    let session = invocation.principal.as_ref()?.arn()?;
    let (role, _) = session.assumed_role()?;
    let roles = model.inventory.roles.values();
    let is_it = |arn: &ResourceId| arn.arn().is_some_and(|arn| arn.account == session.account);
    roles.filter(|held| held.name.as_str() == role && is_it(&held.arn)).map(|held| held.arn.clone()).next()
}

fn sentence(sum: &Sum) -> String {
    let failed = if sum.failed == 0 { String::new() } else { format!(", {} of them failed", sum.failed) };
    format!("{} calls{failed}, tokens {} in, {} out", sum.calls, sum.input, sum.output)
}

/// Why the list is empty.
pub fn nothing(model: &Model) -> String {
    match model.inventory.logging.last() {
        Some(None) => "Invocation logging is off, so there is nothing to read.".into(),
        Some(Some(to)) if to.cloud_watch.is_none() => {
            "Invocations are logged to S3 only; this version reads them from CloudWatch Logs.".into()
        }
        _ => "No model was invoked in the last 24 hours, as far as the log tells.".into(),
    }
}

/// Where invocations are logged, and what they add up to.
pub fn logging(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let inside = draw.frame(buffer, area, &[(Role::Title, "Invocation logging".into())], &[]);
    let mut lines: Vec<Span> = Vec::new();
    let read = &model.inventory.logging;
    match (read.known(), read.last()) {
        (Ok(None), _) => lines.push((Role::High, "OFF: nobody can tell what was asked of a model, or answered".into())),
        (Ok(Some(to)), _) | (Err(_), Some(Some(to))) => {
            if let Some(group) = &to.cloud_watch {
                lines.push((Role::Ok, format!("to log group {} as {}", group.log_group, group.role.last())));
            }
            if let Some(uri) = &to.s3 {
                lines.push((Role::Ok, format!("to {uri}")));
            }
            let kinds: Vec<&str> = [(to.text, "text"), (to.images, "images"), (to.embeddings, "embeddings")]
                .into_iter()
                .filter_map(|(on, word)| on.then_some(word))
                .collect();
            let kinds = if kinds.is_empty() { "no bodies".to_owned() } else { kinds.join(", ") };
            lines.push((Role::Text, format!("delivers {kinds}")));
            if let Some(error) = read.error() {
                lines.push((Role::Unknown, format!("stale: {error}")));
            }
        }
        (Err(unknown), _) => lines.push((Role::Unknown, unknown.to_string())),
    }
    if let Some(error) = model.inventory.coverage.report(SourceId::LOG_EVENTS).and_then(|report| report.error.as_ref())
    {
        lines.push((Role::Medium, error.to_string()));
    }
    if model.invoked.all.calls > 0 {
        lines.push((Role::Text, format!("held: {}", sentence(&model.invoked.all))));
    }
    lines.push((Role::Dim, NO_BODIES.into()));
    let room = usize::from(inside.width.saturating_sub(2));
    let wrapped =
        lines.into_iter().flat_map(|(role, text)| wrap(&text, room).into_iter().map(move |line| (role, line)));
    for (row, line) in wrapped.take(usize::from(inside.height)).enumerate() {
        let here = Rect { x: inside.x + 1, y: inside.y + row as u16, width: inside.width.saturating_sub(1), height: 1 };
        draw.spans(buffer, here, &[line]);
    }
}

/// Tokens by model and by caller, the most first; served models that nobody calls are there too.
pub fn usage(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let inside = draw.frame(buffer, area, &[(Role::Title, "Tokens".into())], &[]);
    let mut models: BTreeMap<&ResourceId, Sum> = model.invoked.models.iter().map(|(id, sum)| (id, *sum)).collect();
    let inventory = &model.inventory;
    for id in inventory.deployments.keys().chain(inventory.throughputs.keys()).chain(inventory.imported_models.keys()) {
        models.entry(id).or_default();
    }
    let models = models.into_iter().map(|(id, sum)| (name(model, id), sum)).collect();
    let callers = model.invoked.callers.iter().map(|(who, sum)| (who.to_string(), *sum)).collect();
    // Two thirds of the lines for models, the rest for callers; each has a head.
    let rows = inside.height.saturating_sub(2);
    let for_callers = u16::try_from(model.invoked.callers.len()).unwrap_or(rows).min(rows.div_ceil(3));
    let mut y = inside.y;
    for (head, sums, rows) in [("BY MODEL", models, rows - for_callers), ("BY CALLER", callers, for_callers)] {
        let mut sums: Vec<(String, Sum)> = sums;
        if y >= inside.bottom() || rows == 0 {
            continue;
        }
        sums.sort_by(|a, b| (b.1.tokens(), b.1.calls).cmp(&(a.1.tokens(), a.1.calls)).then_with(|| a.0.cmp(&b.0)));
        let names = inside.width.saturating_sub(2 + 3 * 8);
        let line = |name: &str, [calls, input, output]: [&str; 3]| {
            let number = |text| align(text, 8, true);
            format!("{}{}{}{}", align(name, names, false), number(calls), number(input), number(output))
        };
        let mut put = |role: Role, text: String| {
            let here = Rect { x: inside.x + 1, y, width: inside.width.saturating_sub(1), height: 1 };
            draw.spans(buffer, here, &[(role, text)]);
            y += 1;
        };
        put(Role::Dim, line(head, ["CALLS", "IN", "OUT"]));
        for (name, sum) in sums.iter().take(usize::from(rows)) {
            let role = if sum.calls == 0 { Role::Dim } else { Role::Text };
            put(role, line(name, [&short(sum.calls), &short(sum.input), &short(sum.output)]));
        }
    }
}
