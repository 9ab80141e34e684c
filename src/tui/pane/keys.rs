//! Keys: state, rotation, grants, policy, and who used them for what.

use std::collections::BTreeMap;

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::log::hourly;
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::resource::{policies, read_field, when};
use super::{Pane, key_use_since, since, spark_since, standing};
use crate::activity::Outcome;
use crate::base::time::span;
use crate::base::{ResourceId, Timestamp};
use crate::inventory::kms::{Grant, Key, KeyState};
use crate::inventory::{Kind, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("KEY", 13, 3, 0).at_least(11),
    text("STATE", 10, 0, 0),
    text("ROT", 3, 0, 3),
    text("USED BY", 10, 3, 2),
    text("24H", 8, 0, 1),
    number("DENIED", 6, 4),
    number("GRANTS", 6, 5),
    text("!", 4, 0, 1),
];

/// All keys, the worst first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let mut all: Vec<_> = model
        .inventory
        .keys
        .values()
        .map(|key| {
            let of = ResourceRef::new(Kind::Key, &key.arn);
            let worst = model.judged.worst(&model.assessment, &key.arn).map_or(9, |severity| severity as u8);
            ((worst, key.label().to_owned()), of)
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, key)| Subject::Resource(key)).collect()
}

fn state(model: &Model, key: &Key) -> (Role, String) {
    let Some(metadata) = key.metadata.last() else { return (Role::Unknown, "?".into()) };
    match (&metadata.state, metadata.deletion) {
        (KeyState::PendingDeletion, Some(at)) => {
            (Role::Critical, format!("DELETES {}", span(at.secs_since(model.now).max(0))))
        }
        (KeyState::Enabled, _) => (Role::Ok, "enabled".into()),
        (KeyState::Disabled, _) => (Role::High, "DISABLED".into()),
        // In ten letters: it waits for its key material; its custom key store cannot be reached.
        (KeyState::PendingImport, _) => (Role::High, "IMPORT DUE".into()),
        (KeyState::Unavailable, _) => (Role::High, "STORE DOWN".into()),
        (other, _) => (Role::High, other.to_string()),
    }
}

fn used_by(model: &Model, of: &ResourceRef) -> String {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for (_, user) in model.lineage.up(of) {
        *counts.entry(user.kind).or_default() += 1;
    }
    let words = counts.into_iter().map(|(kind, n)| {
        let word = kind.word();
        if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let key = model.inventory.keys.get(&of.id)?;
    let (role, word) = state(model, key);
    let rotation = match key.rotation.last() {
        Some(rotation) if rotation.enabled => Cell::of("yes", Role::Ok),
        Some(_) => Cell::of("no", Role::Medium),
        None => Cell::of("?", Role::Unknown),
    };
    let hours = hourly(model.log.of(&of.id), model.now, 24);
    let pairs: Vec<u32> = hours.chunks(3).map(|three| three.iter().map(|(all, _)| all).sum()).collect();
    let calls: u32 = pairs.iter().sum();
    let denied: u32 = hours.iter().map(|(_, denied)| denied).sum();
    let grants = key.grants.last().map_or_else(
        || Cell::of("?", Role::Unknown),
        |grants| Cell::new(grants.len().to_string()).by(i64::try_from(grants.len()).unwrap_or(i64::MAX)),
    );
    let used = used_by(model, of);
    Some(vec![
        Cell::new(key.label()),
        Cell::of(word, role),
        rotation,
        if used.is_empty() { Cell::of("nothing", Role::Dim) } else { Cell::new(used) },
        Cell::of(spark_since(&pairs, model, 3 * 3600), Role::Accent).by(-i64::from(calls)),
        if denied > 0 {
            Cell::of(denied.to_string(), Role::High).by(i64::from(denied))
        } else {
            Cell::of("-", Role::Dim).by(0)
        },
        grants,
        standing::own(model, of),
    ])
}

/// What is particular to a key.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(key) = model.inventory.keys.get(&of.id) else { return };
    let (role, word) = state(model, key);
    page.state = Some((role, word));
    page.field("id", Role::Dim, key.arn.as_str());
    if key.aliases.len() > 1 {
        page.field("aliases", Role::Text, key.aliases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    }
    read_field(page, "kind", &key.metadata, |metadata| {
        let region = if metadata.multi_region { ", multi-Region" } else { "" };
        (Role::Text, format!("{}, {}, material {}{region}", metadata.manager, metadata.spec, metadata.origin))
    });
    if let Some(metadata) = key.metadata.last() {
        if !metadata.description.is_empty() {
            page.field("description", Role::Text, metadata.description.as_str());
        }
        if let Some(at) = metadata.deletion {
            page.field("deletion", Role::Critical, when(model, at));
        }
        if let Some(at) = metadata.valid_to {
            page.field("expires", Role::High, when(model, at));
        }
        if let Some(at) = metadata.created {
            page.field("created", Role::Dim, when(model, at));
        }
    }
    read_field(page, "rotation", &key.rotation, |rotation| {
        let every = rotation.period_days.map(|days| format!(", every {days} d")).unwrap_or_default();
        let next = rotation.next.map(|at| format!(", next {}", at.minute())).unwrap_or_default();
        if rotation.enabled { (Role::Ok, format!("on{every}{next}")) } else { (Role::Medium, "off".into()) }
    });
    let used = used_by(model, of);
    page.field("used by", Role::Text, if used.is_empty() { "nothing in lineage" } else { &used });
}

/// What comes after the findings: use, grants, the policy.
pub fn more(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(key) = model.inventory.keys.get(&of.id) else { return };
    usage(model, of, page);
    grants(model, key, page);
    match key.policy.error() {
        Some(error) => page.field("policy", Role::Unknown, error.to_string()),
        None => policies(model, of, page),
    }
}

struct Use {
    hours: Vec<u32>,
    calls: u32,
    denied: u32,
    vias: Vec<String>,
    first: Timestamp,
}

/// Use by operation and by principal, from the events that were read.
fn usage(model: &Model, of: &ResourceRef, page: &mut Page) {
    let events = model.log.of(&of.id);
    page.head(match key_use_since(model) {
        Some(at) => format!("Use since {}", since(model, at)),
        None => "Use, 24 h".to_owned(),
    });
    if events.is_empty() {
        page.text(
            Role::Dim,
            "no event names this key in what was read; Bedrock's own use shows only if the trail records KMS events",
        );
        return;
    }
    let day: Vec<_> = events.iter().filter(|event| model.now.secs_since(event.at) < 86_400).cloned().collect();
    let mut by_operation: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut by_principal: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for event in &day {
        by_operation.entry(event.name.as_str()).or_default().push(event.clone());
        by_principal.entry(event.who.as_str()).or_default().push(event.clone());
    }
    let sum = |events: &Vec<std::sync::Arc<crate::activity::Event>>| {
        let hours = hourly(events, model.now, 24);
        let mut vias: Vec<String> = events
            .iter()
            .map(|event| event.via.as_ref().map_or_else(|| "DIRECT".into(), ToString::to_string))
            .collect();
        vias.sort();
        vias.dedup();
        Use {
            calls: events.len() as u32,
            denied: events.iter().filter(|event| matches!(event.outcome, Outcome::Denied(_))).count() as u32,
            hours: hours.chunks(2).map(|pair| pair.iter().map(|(all, _)| all).sum()).collect(),
            vias,
            first: events.iter().map(|event| event.at).min().unwrap_or(model.now),
        }
    };
    let key = of.id.last();
    let rows = |page: &mut Page, all: BTreeMap<&str, Vec<_>>, field: &str| {
        let mut rows: Vec<_> = all.iter().map(|(name, events)| (*name, sum(events))).collect();
        // why denials first: who is refused is what one looks for.
        rows.sort_by_key(|(name, usage)| (std::cmp::Reverse(usage.denied > 0), std::cmp::Reverse(usage.calls), *name));
        for (name, usage) in rows.iter().take(10) {
            let name_cell = super::super::fit::align(name, 18, false);
            let mut spans = vec![
                (Role::Text, format!("{name_cell} ")),
                (Role::Accent, spark_since(&usage.hours, model, 2 * 3600)),
                (Role::Text, format!(" {:>5}", usage.calls)),
                if usage.denied > 0 {
                    (Role::High, format!(" ✗{:<4}", usage.denied))
                } else {
                    (Role::Dim, "      ".into())
                },
            ];
            if field == "who" {
                let direct = usage.vias.iter().any(|via| via == "DIRECT");
                spans.push((if direct { Role::Medium } else { Role::Dim }, format!(" {}", usage.vias.join(","))));
                spans.push((Role::Dim, format!("  since {}", usage.first.clock())));
            }
            page.line(spans).target = Some(Target::Filter(Pane::Trail, format!("resource:{key} {field}:{name}")));
        }
    };
    rows(page, by_operation, "what");
    page.head("By principal");
    rows(page, by_principal, "who");
    let denied: Vec<_> = day.iter().filter(|event| matches!(event.outcome, Outcome::Denied(_))).collect();
    if !denied.is_empty() {
        page.head(format!("Denied  {}", denied.len()));
        for event in denied.iter().take(5) {
            page.line(super::trail::line(model, event)).target = Some(Target::Go(Place::Event(event.id.clone())));
        }
    }
}

fn grants(model: &Model, key: &Key, page: &mut Page) {
    match (key.grants.last(), key.grants.error()) {
        (Some(grants), error) => {
            page.head(format!("Grants  {}", grants.len()));
            if let Some(error) = error {
                page.text(Role::Unknown, &format!("stale: {error}"));
            }
            let account = key.arn.arn().map(|arn| arn.account).unwrap_or_default();
            for grant in grants.iter().take(30) {
                grant_lines(model, grant, &account, page);
            }
            if grants.len() > 30 {
                page.text(Role::Dim, &format!("and {} more: o shows all", grants.len() - 30));
            }
        }
        (None, Some(error)) => page.field("grants", Role::Unknown, error.to_string()),
        (None, None) => page.field("grants", Role::Unknown, "not read yet"),
    }
}

fn grant_lines(model: &Model, grant: &Grant, account: &str, page: &mut Page) {
    let foreign = grant.grantee.arn().is_some_and(|arn| !arn.account.is_empty() && arn.account != account);
    let who = grantee(&grant.grantee);
    let age = grant.created.map(|at| format!("  {} ago", span(model.now.secs_since(at)))).unwrap_or_default();
    let mut spans = vec![(if foreign { Role::High } else { Role::Text }, who)];
    if foreign {
        spans.push((Role::High, "  ANOTHER ACCOUNT".into()));
    }
    spans.push((Role::Dim, age));
    let line = page.line(spans);
    line.copy = Some(grant.id.to_string());
    let operations = grant.operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let held = grant
        .context_equals
        .iter()
        .chain(&grant.context_subset)
        .map(|(k, v)| format!("{k}={v}"))
        .collect::<Vec<_>>()
        .join(" ");
    page.text(Role::Dim, &format!("  may {operations}"));
    let (role, words) = if held.is_empty() {
        (Role::Medium, "  for any encryption context".to_owned())
    } else {
        (Role::Dim, format!("  only for {held}"))
    };
    page.text(role, &words);
}

fn grantee(id: &ResourceId) -> String {
    match id.arn() {
        Some(arn) => format!("{} {}", arn.account, arn.resource),
        None => id.to_string(),
    }
}
