//! Lineage as a tree, both ways: what a resource was made from and leans on, and what would suffer with it.
//! Every line reads as a sentence that begins with the line it hangs on.

use std::collections::BTreeSet;

use super::model::{Model, Place};
use super::page::{Page, Target};
use super::theme::Role;
use crate::inventory::{Kind, ResourceRef};

/// The page of a resource's lineage.
pub fn page(model: &Model, of: &ResourceRef, width: usize) -> Page {
    let mut page = Page::new(format!("lineage of {}", model.name_of(of)), width);
    if model.lineage.up(of).is_empty() && model.lineage.down(of).is_empty() {
        page.text(Role::Dim, "Nothing that was read leads to this or comes of it.");
        return page;
    }
    for (head, needs) in [("Needs", true), ("Needed by", false)] {
        page.head(head);
        subject(model, of, &mut page);
        let before = page.lines.len();
        branch(model, of, needs, "", &mut BTreeSet::from([of.clone()]), &mut page);
        if page.lines.len() == before {
            page.text(
                Role::Dim,
                if needs { "└─ needs nothing that was read" } else { "└─ nothing that was read needs it" },
            );
        }
    }
    page
}

fn subject(model: &Model, of: &ResourceRef, page: &mut Page) {
    let mut spans = vec![(Role::Text, format!("{} ", of.kind.word())), (Role::Title, model.name_of(of))];
    if let Some(severity) = model.judged.worst(&model.assessment, &of.id) {
        spans.push((severity.into(), format!("  {}", severity.word())));
    }
    page.line(spans).target = Some(Target::Go(Place::Resource(of.clone())));
}

fn branch(
    model: &Model,
    of: &ResourceRef,
    needs: bool,
    indent: &str,
    seen: &mut BTreeSet<ResourceRef>,
    page: &mut Page,
) {
    // why both: an account can have thousands of jobs on one key, and a tree that long is no picture.
    if indent.chars().count() > 24 || page.lines.len() > 2000 {
        return;
    }
    let next: Vec<_> = if needs { model.lineage.needs(of).collect() } else { model.lineage.needed_by(of).collect() };
    for (at, (sentence, other)) in next.iter().enumerate() {
        let last = at + 1 == next.len();
        let known = !seen.insert((*other).clone());
        let worst = model.judged.worst(&model.assessment, &other.id);
        let mut spans = vec![
            (Role::Dim, format!("{indent}{}─ {sentence} ", if last { "└" } else { "├" })),
            (Role::Text, format!("{} ", other.kind.word())),
            (Role::Accent, model.name_of(other)),
        ];
        if let Some(severity) = worst {
            spans.push((severity.into(), format!("  {}", severity.word())));
        }
        if !model.inventory.holds(other) && !matches!(other.kind, Kind::Data | Kind::Logging) {
            spans.push((Role::Unknown, "  not read".into()));
        }
        if known {
            spans.push((Role::Dim, "  (above)".into()));
        }
        let line = page.line(spans);
        line.target = Some(Target::Go(Place::Resource((*other).clone())));
        line.copy = Some(other.id.to_string());
        if !known {
            branch(model, other, needs, &format!("{indent}{}  ", if last { " " } else { "│" }), seen, page);
        }
    }
}
