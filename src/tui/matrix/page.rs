//! The page of a cell: the explanation as lines that can be scrolled, copied and followed.

use super::board::CellOf;
use super::explain::{Explanation, Said};
use super::label::Mark;
use super::uses::{self, Use};
use crate::access::plain::UNSEEN;
use crate::access::{Decision, Path, Who};
use crate::base::Text;
use crate::base::time::span;
use crate::inventory::{Kind, ResourceRef};
use crate::tui::model::{Model, Place};
use crate::tui::page::{Page, Target, wrap};
use crate::tui::pane::Pane;
use crate::tui::theme::Role;

/// How wide the names of layers are.
const LAYER: usize = 19;

/// The page.
pub fn page(model: &Model, cell: &CellOf, width: usize) -> Page {
    let mut page = Page::new(format!("{} {}", cell.who.last(), bare(&cell.action)), width);
    let Some(board) = model.matrices.get(&cell.of) else {
        page.text(Role::Dim, "The matrix that this belongs to is closed: Esc goes back.");
        return page;
    };
    match board.explanation(cell) {
        Some(Ok(explanation)) => told(model, cell, explanation, &mut page),
        Some(Err(why)) => page.text(Role::Unknown, &format!("This cannot be explained: {why}.")),
        None if board.known().is_some_and(|seen| !seen.entries.iter().any(|entry| entry.id == cell.who)) => {
            page.text(Role::Dim, &format!("{} stands in no row any more.", cell.who));
        }
        None => page.text(Role::Dim, "Asking every layer…"),
    }
    page
}

fn told(model: &Model, cell: &CellOf, explanation: &Explanation, page: &mut Page) {
    let board = model.matrices.get(&cell.of);
    let entry = board.and_then(|board| board.known()?.entries.iter().find(|entry| entry.id == cell.who));
    let unexpected = entry.and_then(|entry| entry.unexpected.as_ref());
    let answer = &explanation.answer;
    let mark = Mark::of(&answer.decision);
    let sign = mark.sign(model.ascii);
    page.title = format!("{} {}", entry.map_or(cell.who.last(), |entry| entry.name.as_str()), bare(&cell.action));
    page.state = Some((mark.role(unexpected.is_some()), format!("{sign} {}", mark.word())));

    page.field("verdict", mark.role(unexpected.is_some()), verdict(&answer.decision));
    if let Decision::Conditional { conditions, .. } = &answer.decision {
        for (at, condition) in conditions.iter().enumerate() {
            page.field(if at == 0 { "if" } else { "and" }, Role::Text, condition.as_str());
        }
    }
    let who = super::held(model, &cell.who).map(|of| Target::Go(Place::Resource(of)));
    page.field_to("who", Role::Text, cell.who.as_str(), who);
    if let Some(reason) = unexpected {
        page.field("unexpected", Role::High, format!("{}: {}", reason.short, reason.why));
    }
    let on = cell.on.as_ref().map_or_else(|| cell.of.clone(), |id| ResourceRef::new(Kind::Role, id));
    page.field("action", Role::Text, &cell.action);
    let words = format!("{} {}", on.kind.word(), model.name_of(&on));
    page.field_to("on", Role::Text, words, Some(Target::Go(Place::Resource(on))));
    for path in &answer.paths {
        let words = match (path, &explanation.who) {
            // Nobody in particular: the other side is whoever's account it is.
            (Path::CrossAccount, Who::Anyone | Who::Account(_)) => {
                "across accounts: this side lets it in; its own account must let it too, which cannot be seen"
            }
            _ => way(*path),
        };
        page.field("path", Role::Text, words);
    }
    if let Some(way) = board.and_then(|board| {
        let ways = board.ways.as_ref()?.iter();
        ways.clone().find(|way| way.id == cell.who && way.action == cell.action && cell.on.as_ref() == Some(&way.on))
    }) {
        page.field("leads to", Role::Text, &way.path);
    }
    used(model, cell, entry.map(|entry| entry.key.as_str()), page);

    page.head("Layer by layer");
    for said in &explanation.said {
        layer(model, said, page);
    }
    for shown in &explanation.documents {
        let sids = if shown.marked.is_empty() { "" } else { "   the lines that decide are marked" };
        page.head(&shown.title);
        if let Some(line) = page.lines.last_mut() {
            line.spans.push((Role::Dim, sids.to_owned()));
        }
        for part in shown.parts() {
            match part {
                Err(count) => {
                    page.text(Role::Dim, &format!("  … {count} {}", if count == 1 { "line" } else { "lines" }));
                }
                Ok(range) => {
                    for row in range {
                        let marked = if shown.marked.iter().any(|marked| marked.contains(&row)) { 0..1 } else { 0..0 };
                        page.code(&shown.lines[row], &marked);
                    }
                }
            }
        }
    }
    // What was not looked at, and the state of a key, are layers of their own above.
    let known = |caveat: &&Text| **caveat == UNSEEN || explanation.said.iter().any(|said| **caveat == *said.words);
    let beside: Vec<&Text> = answer.caveats.iter().filter(|caveat| !known(caveat)).collect();
    if !beside.is_empty() {
        page.head("Beside it");
        for caveat in beside {
            page.text(Role::Dim, caveat);
        }
    }
}

/// An action without its service.
fn bare(action: &str) -> &str {
    action.split_once(':').map_or(action, |(_, name)| name)
}

fn verdict(decision: &Decision) -> String {
    match decision {
        // The conditions stand in lines of their own.
        Decision::Conditional { by, .. } => {
            let by = by.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
            format!("allowed by {by}, under conditions")
        }
        other => other.words().to_string(),
    }
}

/// What a path means.
fn way(path: Path) -> &'static str {
    match path {
        Path::Direct => "direct: a statement names it, or everybody; its own policies are not asked",
        Path::RoleOfSession => "a statement names the role: its sessions may, as far as boundary and session let them",
        Path::UserOfFederated => {
            "a statement names the user who federated it: it may, as far as the session policy lets it"
        }
        Path::RootDelegated => "the resource leaves it to the account, and a policy of its own allows it",
        Path::CrossAccount => "across accounts: both sides must allow",
        Path::Identity => "by its own policies alone",
        Path::Grant => "by a grant: neither the key policy nor its own policies are asked to allow",
        Path::ServicePrincipal => "a statement or grant names the service",
    }
}

/// When it was seen to do so.
fn used(model: &Model, cell: &CellOf, key: Option<&str>, page: &mut Page) {
    let Some(key) = key.filter(|_| cell.on.is_none()) else { return };
    let used = Use::of_action(model, &cell.of, key, &cell.action);
    let ago = |at| span(model.now.secs_since(at).max(0));
    let of = uses::names(model, &cell.of).into_iter().next().unwrap_or_else(|| cell.of.id.clone());
    let name = bare(&cell.action);
    let who = key.rsplit('/').next().unwrap_or(key).trim_end_matches(".amazonaws.com");
    let events = Some(Target::Filter(Pane::Trail, format!("resource:{} who:{who} what:{name}", of.last())));
    match used.at {
        Some(at) => {
            let how = match &used.via {
                Some(via) => format!("through {via}"),
                None => format!("itself, from {}", used.from),
            };
            let words = format!("{} ago {how}; {} times in what was read", ago(at), used.times);
            page.field_to("last used", Role::Text, words, events.clone());
        }
        None => page.field("last used", Role::Dim, "no use of it in the events that were read"),
    }
    if let Some(at) = used.denied_at {
        let words = format!("{} ago; {} times in what was read", ago(at), used.denied);
        page.field_to("refused", Role::High, words, events);
    }
}

fn layer(model: &Model, said: &Said, page: &mut Page) {
    let (sign, role) = match said.mark {
        Some(mark) => (mark.sign(model.ascii), mark.role(false)),
        None => ("–", Role::Dim),
    };
    let width = crate::tui::layout::page_size(model.size).0;
    let long = said.layer.chars().count() > LAYER;
    if long {
        page.line(vec![(Role::Dim, said.layer.clone())]);
    }
    let text = if said.mark.is_some() { Role::Text } else { Role::Dim };
    for (row, part) in wrap(&said.words, width.saturating_sub(LAYER + 3)).into_iter().enumerate() {
        let name = if row == 0 && !long { said.layer.as_str() } else { "" };
        let sign = if row == 0 { sign } else { " " };
        page.line(vec![(Role::Dim, format!("{name:<LAYER$} ")), (role, sign.to_owned()), (text, format!(" {part}"))])
            .copy = Some(format!("{}: {}", said.layer, said.words));
    }
}

/// What the cells of synthetic rows stand for.
pub fn synthetic(who: &Who) -> Option<&'static str> {
    match who {
        Who::Anyone => Some("everybody, in any account"),
        Who::Account(_) => Some("whoever that account lets in; its principals cannot be seen"),
        Who::Unseen(_) => Some("principals that were not read"),
        Who::Caller(_) => None,
    }
}
