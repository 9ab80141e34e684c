//! The fields a list can be filtered by: its columns by their titles, and what is the same in every list.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::filter::Filter;
use super::super::judged::area_of;
use super::super::list::{Cell, Subject};
use super::super::model::Model;
use super::{Pane, columns, trail};
use crate::posture::Verdict;

/// Fields of whatever has findings.
const JUDGED: &[&str] = &["sev", "status", "area", "control", "kind", "id", "fix", "code"];

/// Whether a list has a field.
pub fn has(pane: Pane, field: &str) -> bool {
    match pane {
        Pane::Trail => trail::FIELDS.contains(&field) || field.starts_with('/'),
        pane => field == "severity" || names(pane).iter().any(|name| name == field),
    }
}

/// Its fields, as they are typed.
pub fn names(pane: Pane) -> Vec<String> {
    if pane == Pane::Trail {
        return trail::FIELDS.iter().map(|field| (*field).to_owned()).collect();
    }
    let mut names: Vec<String> = columns(pane).iter().map(|column| column.name().replace(' ', "-")).collect();
    let common: &[&str] = match pane {
        Pane::Sources | Pane::Journal | Pane::Invocations | Pane::Compliance => &["id"],
        _ => JUDGED,
    };
    names.extend(
        common
            .iter()
            .filter(|field| !names.iter().any(|name| name == **field))
            .map(|f| (*f).to_owned())
            .collect::<Vec<_>>(),
    );
    names
}

/// Whether a row is shown.
pub fn accepts(model: &Model, pane: Pane, filter: &Filter, subject: &Subject, row: &[Cell]) -> bool {
    match subject {
        Subject::Event(id) if pane == Pane::Trail => {
            model.log.event(id).is_some_and(|event| filter.accepts(|field| trail::texts(model, event, field)))
        }
        _ => filter.accepts(|field| match field {
            None => vec![row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ").into()],
            Some(field) => {
                let field = if field == "severity" { "sev" } else { field };
                let at = columns(pane).iter().position(|column| column.name().replace(' ', "-") == field);
                let cell = at.and_then(|at| row.get(at)).map(|cell| Cow::Owned(cell.text.clone()));
                cell.into_iter().chain(about(model, subject, field)).collect()
            }
        }),
    }
}

/// What a field says of a row besides its columns: of a finding itself, of a resource by its findings.
fn about<'a>(model: &'a Model, subject: &Subject, field: &str) -> Vec<Cow<'a, str>> {
    match subject {
        Subject::Finding(id) => match model.judged.verdict(&model.assessment, id) {
            Some(verdict) => of_verdict(verdict, field, false),
            None => Vec::new(),
        },
        Subject::Resource(of) => match field {
            "kind" => vec![of.kind.word().into()],
            "id" => vec![of.id.to_string().into()],
            field => {
                let own = model.judged.own(&model.assessment, &of.id).filter(|verdict| verdict.resource == *of);
                let found: BTreeSet<Cow<'a, str>> = own.flat_map(|verdict| of_verdict(verdict, field, true)).collect();
                let doubt = field == "status" && model.judged.is_in_doubt(&of.id);
                found.into_iter().chain(doubt.then_some("UNKNOWN".into())).collect()
            }
        },
        Subject::Event(id) | Subject::Invocation(id) if field == "id" => vec![id.to_string().into()],
        Subject::Source(id) if field == "id" => vec![id.name().into()],
        Subject::Journal(number) if field == "id" => vec![number.to_string().into()],
        Subject::Framework(id) if field == "id" => vec![(*id).into()],
        _ => Vec::new(),
    }
}

fn of_verdict<'a>(verdict: &'a Verdict, field: &str, severity: bool) -> Vec<Cow<'a, str>> {
    match field {
        // why not of a finding: its column says UNKNOWN instead where nothing is known.
        "sev" if severity => vec![verdict.severity.word().into()],
        "status" => vec![verdict.status.word().into()],
        "area" => area_of(verdict.control).map_or_else(Vec::new, |area| vec![area.word().into(), area.code().into()]),
        "control" => vec![verdict.control.into()],
        "kind" => vec![verdict.resource.kind.word().into()],
        "id" => vec![verdict.resource.id.to_string().into(), verdict.id.as_str().into()],
        "fix" => verdict.fixes.iter().map(|fix| Cow::Borrowed(*fix)).collect(),
        "code" => vec![verdict.code.into()],
        _ => Vec::new(),
    }
}

/// What to say about a filter that names a field which the list does not have.
pub fn stranger(pane: Pane, typed: &str) -> Option<String> {
    let field = super::super::filter::stranger(typed, |field| has(pane, field))?;
    Some(format!("There is no field '{field}:' here; fields are {}.", names(pane).join(", ")))
}
