//! Roles: what customization runs as. Whom each trusts, what it may do, and who can become it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::become_role;
use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::{Model, Place};
use super::super::names::short;
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::resource::when;
use super::standing;
use crate::base::ResourceId;
use crate::base::time::span;
use crate::inventory::{Document, Kind, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("ROLE", 16, 3, 0).at_least(14),
    text("USED BY", 12, 2, 2),
    text("TRUSTS", 18, 3, 0).at_least(15),
    number("POLICIES", 8, 4),
    text("LAST USED", 9, 0, 3),
    text("!", 4, 0, 1),
];

/// The roles that lineage reaches, the worst first; also those that were not read.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let mut all: Vec<_> = model
        .lineage
        .reached(Kind::Role)
        .into_iter()
        .map(|id| {
            let worst = model.judged.worst(&model.assessment, &id).map_or(9, |severity| severity as u8);
            (worst, ResourceRef::new(Kind::Role, id))
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, role)| Subject::Resource(role)).collect()
}

fn used_by(model: &Model, of: &ResourceRef) -> String {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for (_, user) in model.lineage.up(of) {
        *counts.entry(user.kind).or_default() += 1;
    }
    let words = counts.into_iter().map(|(kind, n)| match (n, kind) {
        (1, Kind::Logging) => kind.word().to_owned(),
        (1, kind) => format!("1 {}", kind.word()),
        (n, kind) => format!("{n} {}s", kind.word()),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Whom a trust policy lets in, as it names them, short.
fn trusted(trust: &Document) -> Option<Vec<String>> {
    let json = trust.json().ok()?;
    let statements = match json.get("Statement")? {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let mut found = BTreeSet::new();
    for statement in statements {
        if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
            continue;
        }
        if statement.get("NotPrincipal").is_some() {
            found.insert("all but some".to_owned());
        }
        match statement.get("Principal") {
            Some(Value::String(text)) => {
                found.insert(crate::base::text::safe(text).into_owned());
            }
            Some(Value::Object(map)) => {
                for value in map.values() {
                    let all = match value {
                        Value::Array(list) => list.iter().collect(),
                        one => vec![one],
                    };
                    found.extend(all.into_iter().filter_map(Value::as_str).map(principal));
                }
            }
            _ => {}
        }
    }
    Some(found.into_iter().collect())
}

/// `bedrock.amazonaws.com` → `bedrock`, `arn:aws:iam::1:role/R` → `1 R`.
fn principal(text: &str) -> String {
    let id = ResourceId::new(text);
    if let Some(service) = id.as_str().strip_suffix(".amazonaws.com") {
        return service.to_owned();
    }
    match id.arn() {
        Some(arn) => format!("{} {}", arn.account, short(&id)),
        None => id.to_string(),
    }
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let used = used_by(model, of);
    let Some(role) = model.inventory.roles.get(&of.id) else {
        let unknown = || Cell::of("?", Role::Unknown);
        return Some(vec![
            Cell::new(short(&of.id)),
            Cell::new(used),
            Cell::of("not read", Role::Unknown),
            unknown(),
            unknown(),
            standing::own(model, of),
        ]);
    };
    let policies = role.inline.len() + role.attached.len();
    let trusts = match trusted(&role.trust) {
        Some(all) if all.is_empty() => Cell::of("nobody", Role::Dim),
        Some(all) => {
            let open = all.iter().any(|one| one == "*" || one == "all but some");
            Cell::of(all.join(", "), if open { Role::Critical } else { Role::Text })
        }
        None => Cell::of("?", Role::Unknown),
    };
    Some(vec![
        Cell::new(role.name.as_str()),
        if used.is_empty() { Cell::of("-", Role::Dim) } else { Cell::new(used) },
        trusts,
        Cell::new(policies.to_string()).by(i64::try_from(policies).unwrap_or(i64::MAX)),
        match role.last_used {
            Some(at) => {
                let secs = model.now.secs_since(at).max(0);
                Cell::new(format!("{} ago", if secs < 60 { "<1m".into() } else { span(secs) })).by(secs)
            }
            None => Cell::of("never", Role::Dim).by(i64::MAX),
        },
        standing::own(model, of),
    ])
}

/// What is particular to a role.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(role) = model.inventory.roles.get(&of.id) else { return };
    let used = used_by(model, of);
    page.field("used by", Role::Text, if used.is_empty() { "nothing in lineage" } else { &used });
    match trusted(&role.trust) {
        Some(all) => page.field("trusts", Role::Text, if all.is_empty() { "nobody".into() } else { all.join(", ") }),
        None => page.field("trusts", Role::Unknown, "the trust policy is not valid JSON"),
    }
    match role.last_used {
        Some(at) => page.field("last used", Role::Text, when(model, at)),
        None => page.field("last used", Role::Dim, "AWS knows of no use"),
    }
    page.field("created", Role::Dim, when(model, role.created));
    for (at, id) in role.attached.iter().enumerate() {
        let target = Target::Go(Place::Resource(ResourceRef::new(Kind::Policy, id)));
        page.field_to(if at == 0 { "attached" } else { "" }, Role::Accent, short(id), Some(target));
    }
    if let Some(boundary) = &role.boundary {
        let target = Target::Go(Place::Resource(ResourceRef::new(Kind::Policy, boundary)));
        page.field_to("boundary", Role::Accent, short(boundary), Some(target));
    }
    page.field("id", Role::Dim, of.id.as_str());
    who_becomes(model, of, page);
}

/// Who can become it, if that was worked out: for the role that is open, not for every one the cursor passes.
fn who_becomes(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(found) = become_role::of(model, of) else { return };
    page.head(format!("Who can become it  {}", found.routes.len()));
    if found.routes.is_empty() {
        page.text(Role::Dim, "nobody that was seen");
    }
    for route in found.routes.iter().take(30) {
        let through = match &route.through[..] {
            [] => String::new(),
            roles => format!("  through {}", roles.iter().map(short).collect::<Vec<_>>().join(", ")),
        };
        let role = match (route.answer.decision.is_allowed(), route.who.is_synthetic()) {
            (_, true) => Role::High,
            (true, false) => Role::Text,
            (false, false) => Role::Medium,
        };
        let line = page.line(vec![
            (role, route.who.name().to_string()),
            (Role::Dim, format!("  {}{through}", route.answer.decision.word())),
        ]);
        line.copy = Some(route.who.id().to_string());
        let id = route.who.id();
        line.target = model.names.find(&id).map(|resource| Target::Go(Place::Resource(resource.clone())));
    }
    if found.routes.len() > 30 {
        page.text(Role::Dim, &format!("and {} more", found.routes.len() - 30));
    }
    for gap in &found.gaps {
        page.text(Role::Unknown, &format!("not complete: {gap}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_in_words() {
        for (policy, words) in [
            (r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"}}]}"#, "bedrock"),
            (r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#, "*"),
            (
                r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::444455556666:role/a/R","111122223333"]}}]}"#,
                "111122223333, 444455556666 R",
            ),
            (r#"{"Statement":[{"Effect":"Deny","Principal":"*"}]}"#, ""),
            (r#"{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"1"}}]}"#, "all but some"),
        ] {
            assert_eq!(trusted(&Document::new(policy)).unwrap().join(", "), words);
        }
        assert_eq!(trusted(&Document::new("{")), None);
    }
}
