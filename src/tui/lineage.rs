//! Lineage as a tree, both ways: what leads here, and what came of it.

use std::collections::BTreeSet;

use super::model::{Model, Place};
use super::page::{Page, Target};
use super::theme::Role;
use crate::inventory::{Link, ResourceRef};

/// The page of a resource's lineage.
pub fn page(model: &Model, of: &ResourceRef, width: usize) -> Page {
    let mut page = Page::new(format!("lineage of {}", model.name_of(of)), width);
    if model.lineage.up(of).is_empty() && model.lineage.down(of).is_empty() {
        page.text(Role::Dim, "Nothing that was read leads to this or comes of it.");
        return page;
    }
    page.head("Leads here");
    if model.lineage.up(of).is_empty() {
        page.text(Role::Dim, "  nothing");
    }
    branch(model, of, true, "", &mut BTreeSet::from([of.clone()]), &mut page);
    page.gap();
    page.line(vec![(Role::Title, format!("{} {}", of.kind.word(), model.name_of(of)))]).target =
        Some(Target::Go(Place::Resource(of.clone())));
    page.head("Comes of it");
    if model.lineage.down(of).is_empty() {
        page.text(Role::Dim, "  nothing");
    }
    branch(model, of, false, "", &mut BTreeSet::from([of.clone()]), &mut page);
    page
}

fn branch(model: &Model, of: &ResourceRef, up: bool, indent: &str, seen: &mut BTreeSet<ResourceRef>, page: &mut Page) {
    let next: &[(Link, ResourceRef)] = if up { model.lineage.up(of) } else { model.lineage.down(of) };
    // why both: an account can have thousands of jobs on one key, and a tree that long is no picture.
    if indent.chars().count() > 24 || page.lines.len() > 2000 {
        return;
    }
    for (at, (link, other)) in next.iter().enumerate() {
        let last = at + 1 == next.len();
        let known = !seen.insert(other.clone());
        let worst = model.judged.worst(&model.assessment, &other.id);
        let mut spans = vec![(Role::Dim, format!("{indent}{}─ ", if last { "└" } else { "├" }))];
        if !up {
            spans.push((Role::Dim, format!("{} ", link.verb())));
        }
        spans.push((Role::Text, format!("{} ", other.kind.word())));
        spans.push((Role::Accent, model.name_of(other)));
        if up {
            spans.push((Role::Dim, format!(" {} it", link.verb())));
        }
        if let Some(severity) = worst {
            spans.push((severity.into(), format!("  {}", severity.word())));
        }
        if !model.inventory.holds(other) && other.kind != crate::inventory::Kind::Data {
            spans.push((Role::Unknown, "  not read".into()));
        }
        if known {
            spans.push((Role::Dim, "  (above)".into()));
        }
        let line = page.line(spans);
        line.target = Some(Target::Go(Place::Resource(other.clone())));
        line.copy = Some(other.id.to_string());
        if !known {
            branch(model, other, up, &format!("{indent}{}  ", if last { " " } else { "│" }), seen, page);
        }
    }
}
