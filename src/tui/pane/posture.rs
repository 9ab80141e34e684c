//! Posture: scores by area, what changed and what expires, what happens now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::judged::{AREAS, Came};
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::{Draw, Span};
use super::trail;
use crate::base::time::span;
use crate::inventory::kms::KeyState;
use crate::inventory::{Kind, Link, ResourceRef, SourceId, SourceState};

fn put(draw: &Draw<'_>, buffer: &mut Buffer, inside: Rect, lines: &[Vec<Span>]) {
    for (row, line) in lines.iter().take(usize::from(inside.height)).enumerate() {
        let here = Rect { x: inside.x + 1, y: inside.y + row as u16, width: inside.width.saturating_sub(2), height: 1 };
        draw.spans(buffer, here, line);
    }
}

/// Scores by area.
pub fn scores(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let mut title = vec![(Role::Title, "Posture".to_owned())];
    if let Some(total) = model.judged.total() {
        title.push((score_role(total), format!("  {total}")));
        title.push((Role::Dim, " of 100".into()));
    }
    let foot = vec![(Role::Dim, "? = could not look: never counted as pass".to_owned())];
    let inside = draw.frame(buffer, area, &title, &foot);
    let narrow = inside.width < 60;
    let bar = usize::from(inside.width.saturating_sub(if narrow { 38 } else { 48 })).clamp(6, 20);
    let lines: Vec<Vec<Span>> = AREAS
        .iter()
        .map(|(area, _, name)| {
            let held = model.judged.areas.iter().find(|held| held.area == *area);
            let (score, counts) = held.map_or((None, [0; 4]), |held| (held.score, held.counts));
            let full = score.map_or(0, |score| usize::from(score) * bar / 100);
            let (role, number) =
                score.map_or((Role::Dim, "  -".to_owned()), |score| (score_role(score), format!("{score:>3}")));
            let mut line = vec![
                (Role::Text, format!("{name:<11}")),
                (role, "█".repeat(full)),
                (Role::Dim, "░".repeat(bar - full)),
                (role, format!(" {number} ")),
            ];
            for (count, word, role) in [
                (counts[0], "pass", Role::Ok),
                (counts[1], "fail", Role::High),
                (counts[2], "warn", Role::Medium),
                (counts[3], "?", Role::Unknown),
            ] {
                let text = if narrow && word != "?" {
                    format!(" {count}{}", &word[..1])
                } else {
                    format!("{count:>3} {word}")
                };
                // why blank: nine rows of zeros hide the numbers that matter.
                line.push(if count == 0 { (Role::Dim, " ".repeat(text.len())) } else { (role, text) });
            }
            line
        })
        .collect();
    put(draw, buffer, inside, &lines);
}

fn score_role(score: u8) -> Role {
    match score {
        80.. => Role::Ok,
        50..80 => Role::Medium,
        _ => Role::High,
    }
}

/// What came and went, what expires, what was not seen.
pub fn changes(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let since = match model.judged.last_look() {
        Some(at) => format!("since your last look, {} ago", span(model.now.secs_since(at))),
        None => "while you look".to_owned(),
    };
    let title = vec![(Role::Title, "Changed ".to_owned()), (Role::Dim, since)];
    let inside = draw.frame(buffer, area, &title, &[]);
    let mut lines: Vec<Vec<Span>> = Vec::new();
    let expiring = expiring(model);
    let gaps = gaps(model);
    let room = usize::from(inside.height);
    let rest =
        expiring.len().min(3) + usize::from(!expiring.is_empty()) + gaps.len().min(3) + usize::from(!gaps.is_empty());
    let for_changes = room.saturating_sub(rest).max(1);
    for change in model.judged.changes.iter().take(for_changes) {
        let (role, word) = match change.came {
            Came::New => (Role::High, "▲ NEW    "),
            Came::Back => (Role::High, "↺ BACK   "),
            Came::Gone => (Role::Ok, "✓ CLOSED "),
        };
        let ago = change.at.map(|at| format!("  {}", span(model.now.secs_since(at)))).unwrap_or_default();
        lines.push(vec![(role, word.into()), (Role::Text, change.text.clone()), (Role::Dim, ago)]);
    }
    if model.judged.changes.is_empty() {
        lines.push(vec![(
            Role::Dim,
            if model.busy { "the first round of reading is under way" } else { "nothing" }.into(),
        )]);
    }
    if !expiring.is_empty() {
        lines.push(vec![(Role::Title, "Expiring".into())]);
        lines.extend(expiring.into_iter().take(3));
    }
    if !gaps.is_empty() {
        let more = if gaps.len() > 3 { format!("  {} in all, 0 shows them", gaps.len()) } else { String::new() };
        lines.push(vec![(Role::Title, "Not seen".into()), (Role::Dim, more)]);
        lines.extend(gaps.into_iter().take(3));
    }
    put(draw, buffer, inside, &lines);
}

fn expiring(model: &Model) -> Vec<Vec<Span>> {
    let mut all: Vec<(i64, Vec<Span>)> = Vec::new();
    for key in model.inventory.keys.values() {
        let Some(metadata) = key.metadata.last() else { continue };
        let of = ResourceRef::new(Kind::Key, &key.arn);
        if let (KeyState::PendingDeletion, Some(at)) = (&metadata.state, metadata.deletion) {
            let live = model.lineage.up(&of).iter().filter(|(link, by)| {
                *link == Link::EncryptedWith && matches!(by.kind, Kind::Model | Kind::ImportedModel)
            });
            let left = at.secs_since(model.now);
            let text = format!("is deleted in {}, live models on it: {}", span(left), live.count());
            all.push((left, vec![(Role::Critical, format!("key {} ", key.label())), (Role::Text, text)]));
        }
        if let Some(at) = metadata.valid_to {
            let left = at.secs_since(model.now);
            all.push((
                left,
                vec![
                    (Role::High, format!("key {} ", key.label())),
                    (Role::Text, format!("material expires in {}", span(left))),
                ],
            ));
        }
    }
    for served in model.inventory.throughputs.values() {
        if let Some(left) = served.commitment_ends.map(|at| at.secs_since(model.now)).filter(|left| *left < 30 * 86_400)
        {
            let text =
                if left < 0 { "commitment has ended".into() } else { format!("commitment ends in {}", span(left)) };
            all.push((left, vec![(Role::Medium, format!("{} ", served.name)), (Role::Text, text)]));
        }
    }
    if let Some(left) = model.session.as_ref().and_then(|session| session.expires).map(|at| at.secs_since(model.now))
        && left < 3600
    {
        let text = if left <= 0 {
            "have expired: log in again, then press r".into()
        } else {
            format!("expire in {}", span(left))
        };
        all.push((left, vec![(Role::High, "your credentials ".into()), (Role::Text, text)]));
    }
    all.sort_by_key(|(left, _)| *left);
    all.into_iter().map(|(_, line)| line).collect()
}

fn gaps(model: &Model) -> Vec<Vec<Span>> {
    let coverage = &model.inventory.coverage;
    SourceId::all()
        .filter(|source| source.is_read())
        .filter_map(|source| {
            let report = coverage.report(source)?;
            let state = coverage.state(source, model.now);
            if matches!(state, SourceState::Complete | SourceState::NotAsked) {
                return None;
            }
            let why =
                report.error.as_ref().map_or_else(|| state.word().to_owned(), |error| error.kind.word().to_owned());
            Some(vec![(Role::Unknown, format!("{why:<10} ")), (Role::Text, source.name().to_owned())])
        })
        .collect()
}

/// The newest events.
pub fn live(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let title =
        vec![(Role::Title, "Live".to_owned()), (Role::Dim, format!("  {} events, 8 shows all", model.log.all().len()))];
    let inside = draw.frame(buffer, area, &title, &[]);
    let mut lines: Vec<Vec<Span>> =
        model.log.all().iter().take(usize::from(inside.height)).map(|event| trail::line(event)).collect();
    if lines.is_empty() {
        lines.push(vec![(Role::Dim, "no events yet".into())]);
    }
    put(draw, buffer, inside, &lines);
}
