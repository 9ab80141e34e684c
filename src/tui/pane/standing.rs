//! How a resource stands: by its own findings, and by those of what it needs (its key, its role, its data, its
//! network), which a list must not pass over in silence.

use super::super::list::Cell;
use super::super::model::Model;
use super::super::theme::Role;
use crate::inventory::{Kind, ResourceRef};
use crate::posture::{Severity, Verdict};

/// A severity in four letters at most.
pub fn brief(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRIT",
        Severity::High => "HIGH",
        Severity::Medium => "MED",
        Severity::Low => "LOW",
    }
}

/// A kind where room is short.
pub fn short_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ImportJob => "import",
        Kind::RouteTable => "routes",
        Kind::Endpoint => "endpt",
        Kind::SecurityGroup => "group",
        kind => kind.word(),
    }
}

/// Findings of what a resource needs, worst first, the nearest of equals first.
pub fn through<'a>(model: &'a Model, of: &ResourceRef) -> Vec<&'a Verdict> {
    let mut all: Vec<&Verdict> = Vec::new();
    for needed in model.lineage.all_needs(of) {
        let held = model.judged.own(&model.assessment, &needed.id);
        all.extend(held.filter(|verdict| verdict.resource == needed));
    }
    all.sort_by_key(|verdict| verdict.severity);
    all
}

/// The worst of them, the nearest of equals.
fn worst_through<'a>(model: &'a Model, of: &ResourceRef) -> Option<&'a Verdict> {
    let needed = model.lineage.all_needs(of);
    let worst = |needed: &ResourceRef| {
        model.judged.own(&model.assessment, &needed.id).find(|verdict| verdict.resource == *needed)
    };
    needed.iter().filter_map(worst).min_by_key(|verdict| verdict.severity)
}

/// What sort of thing it is, in a word of four letters.
fn sort(kind: Kind) -> &'static str {
    match kind {
        Kind::Key => "key",
        Kind::Role | Kind::Policy => "role",
        Kind::Bucket | Kind::Data => "data",
        Kind::Vpc | Kind::Subnet | Kind::RouteTable | Kind::Endpoint | Kind::SecurityGroup => "net",
        Kind::Model | Kind::ImportedModel | Kind::FoundationModel => "base",
        Kind::Job | Kind::ImportJob | Kind::CopyJob | Kind::EvaluationJob | Kind::BatchJob => "job",
        _ => "more",
    }
}

/// The worst finding about a resource itself, in capitals, as a cell.
pub fn own(model: &Model, of: &ResourceRef) -> Cell {
    match model.judged.worst(&model.assessment, &of.id) {
        Some(severity) => Cell::of(brief(severity), severity.into()).by(severity as i64 * 2),
        None if model.judged.is_in_doubt(&of.id) => Cell::of("?", Role::Unknown).by(18),
        None => Cell::of("-", Role::Dim).by(19),
    }
}

/// The same, unless something it needs is worse off: then that, in small letters and with what it is:
/// `crit key`.
pub fn whole(model: &Model, of: &ResourceRef) -> Cell {
    let own = own(model, of);
    match worst_through(model, of) {
        Some(verdict) if own.order.is_none_or(|order| verdict.severity as i64 * 2 < order) => {
            let text = format!("{} {}", brief(verdict.severity).to_lowercase(), sort(verdict.resource.kind));
            Cell::of(text, verdict.severity.into()).by(verdict.severity as i64 * 2 + 1)
        }
        _ => own,
    }
}
