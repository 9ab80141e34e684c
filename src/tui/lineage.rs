//! Lineage as a tree, both ways: what a resource was made from and leans on, and what would suffer with it.
//! Every line reads as a sentence that begins with the line it hangs on. Branches fold; a folded one says how many
//! lines it hides and how bad the worst of them is.

use std::collections::BTreeSet;

use super::model::{Model, Place};
use super::page::{Page, PageLine, Target};
use super::theme::Role;
use crate::inventory::{Kind, ResourceRef};
use crate::posture::Severity;

/// why a bound: an account can have thousands of jobs on one key, and a tree that long is no picture.
const LINES: usize = 2000;
/// The deepest level that is drawn.
const DEEP: usize = 8;

/// The page of a resource's lineage.
pub fn page(model: &Model, of: &ResourceRef, folded: &BTreeSet<String>, width: usize) -> Page {
    let mut page = Page::new(format!("lineage of {}", model.name_of(of)), width);
    if model.lineage.up(of).is_empty() && model.lineage.down(of).is_empty() {
        page.text(Role::Dim, "Nothing that was read leads to this or comes of it.");
        return page;
    }
    for (head, path, needs) in [("Needs", "/needs", true), ("Needed by", "/by", false)] {
        let mut tree = Tree { model, needs, folded, seen: BTreeSet::from([of.clone()]), lines: Vec::new() };
        tree.branch(of, "", path, 0);
        let (lines, count) = (tree.lines, tree.seen.len() - 1);
        page.gap();
        let mark = if folded.contains(path) { "▸ " } else { "" };
        let line = page.line(vec![(Role::Title, format!("{mark}{head}")), (Role::Dim, format!("  {count}"))]);
        line.fold = (count > 0).then(|| path.to_owned());
        line.target = line.fold.clone().map(Target::Fold);
        subject(model, of, &mut page);
        if lines.is_empty() {
            let none =
                if needs { "└─ needs nothing that was read" } else { "└─ nothing that was read needs it" };
            page.text(Role::Dim, none);
        } else if !folded.contains(path) {
            page.lines.extend(lines);
        }
    }
    if page.lines.len() > LINES {
        page.text(Role::Dim, "and more, which is not drawn");
    }
    page
}

/// The paths of everything that folds below the first level.
pub fn foldable(model: &Model, of: &ResourceRef) -> BTreeSet<String> {
    let page = page(model, of, &BTreeSet::new(), 400);
    page.lines.into_iter().filter_map(|line| line.fold).filter(|path| path.matches('/').count() > 1).collect()
}

fn subject(model: &Model, of: &ResourceRef, page: &mut Page) {
    let mut spans = vec![(Role::Text, format!("{} ", of.kind.word())), (Role::Title, model.name_of(of))];
    if let Some(severity) = model.judged.worst(&model.assessment, &of.id) {
        spans.push((severity.into(), format!("  {}", severity.word())));
    } else if model.judged.is_in_doubt(&of.id) {
        spans.push((Role::Unknown, "  ?".into()));
    }
    page.line(spans).target = Some(Target::Go(Place::Resource(of.clone())));
}

/// One direction, drawn.
struct Tree<'a> {
    model: &'a Model,
    needs: bool,
    folded: &'a BTreeSet<String>,
    seen: BTreeSet<ResourceRef>,
    lines: Vec<PageLine>,
}

impl Tree<'_> {
    fn branch(&mut self, of: &ResourceRef, indent: &str, path: &str, depth: usize) {
        if depth > DEEP || self.lines.len() > LINES {
            return;
        }
        let model = self.model;
        let next: Vec<_> =
            if self.needs { model.lineage.needs(of).collect() } else { model.lineage.needed_by(of).collect() };
        for (at, (sentence, other)) in next.iter().enumerate() {
            let last = at + 1 == next.len();
            let known = !self.seen.insert((*other).clone());
            // why the id: what is folded stays folded when something is added before it.
            let path = format!("{path}/{}", other.id.as_str().replace('/', "~"));
            let here = self.lines.len();
            self.lines.push(PageLine::default());
            if !known {
                self.branch(other, &format!("{indent}{}", if last { "   " } else { "│  " }), &path, depth + 1);
            }
            let below = self.lines.len() - here - 1;
            let is_folded = below > 0 && self.folded.contains(&path);
            let mut spans = vec![
                (Role::Dim, format!("{indent}{}─ ", if last { "└" } else { "├" })),
                (Role::Accent, if is_folded { "▸ ".into() } else { String::new() }),
                (Role::Dim, format!("{sentence} ")),
                (Role::Text, format!("{} ", other.kind.word())),
                (Role::Accent, model.name_of(other)),
            ];
            spans.retain(|(_, text)| !text.is_empty());
            if let Some(severity) = model.judged.worst(&model.assessment, &other.id) {
                spans.push((severity.into(), format!("  {}", severity.word())));
            } else if model.judged.is_in_doubt(&other.id) {
                spans.push((Role::Unknown, "  ?".into()));
            }
            if !model.inventory.holds(other) && !matches!(other.kind, Kind::Data | Kind::Logging) {
                spans.push((Role::Unknown, "  not read".into()));
            }
            if known {
                spans.push((Role::Dim, "  (above)".into()));
            }
            if is_folded {
                let (hidden, worst) = self.beyond(other);
                spans.push((Role::Dim, format!("  + {hidden}")));
                if let Some(severity) = worst {
                    spans.push((severity.into(), format!(", worst {}", severity.word())));
                }
                self.lines.truncate(here + 1);
            }
            let line = &mut self.lines[here];
            line.spans = spans;
            line.target = Some(Target::Go(Place::Resource((*other).clone())));
            line.copy = Some(other.id.to_string());
            line.fold = (below > 0).then_some(path);
        }
    }

    /// How many resources lie beyond this one, and the worst finding on any of them.
    fn beyond(&self, of: &ResourceRef) -> (usize, Option<Severity>) {
        let lineage = &self.model.lineage;
        let all = if self.needs { lineage.all_needs(of) } else { lineage.all_needed_by(of) };
        let worst = all.iter().filter_map(|of| self.model.judged.worst(&self.model.assessment, &of.id)).min();
        (all.len(), worst)
    }
}
