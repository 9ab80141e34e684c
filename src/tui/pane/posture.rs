//! Posture: scores by area, what changed and what expires, what happens now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::judged::{AREAS, Came, area_of};
use super::super::keymap::Action;
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::{Draw, Span};
use super::{changes, trail};
use crate::base::time::span;
use crate::posture::{Area, CONTROLS};

fn put(draw: &Draw<'_>, buffer: &mut Buffer, inside: Rect, lines: &[Vec<Span>]) {
    for (row, line) in lines.iter().take(usize::from(inside.height)).enumerate() {
        let here = Rect { x: inside.x + 1, y: inside.y + row as u16, width: inside.width.saturating_sub(2), height: 1 };
        draw.spans(buffer, here, line);
    }
}

/// Scores by area, with what moved.
pub fn scores(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let mut title = vec![(Role::Title, "Posture".to_owned())];
    if let Some(total) = model.judged.total() {
        // why dim: while most is unread it says how little was read, not how bad it is.
        let early = model.busy && !model.judged.is_whole();
        title.push((if early { Role::Dim } else { score_role(total) }, format!("  {total}")));
        let (seen, all) = model.inventory.coverage.ratio(model.now);
        let so_far = if early { format!(" so far, {seen} of {all} read") } else { " of 100".into() };
        title.push((Role::Dim, so_far));
    }
    title.extend(moved(model, None));
    let narrow = area.width < 60;
    let foot = if narrow { "? = unknown: never a pass" } else { "? = could not look: never counted as pass" };
    let inside = draw.frame(buffer, area, &title, &[(Role::Dim, foot.to_owned())]);
    // Beside the bar: the name, the score, what moved, the counts.
    let most = model.judged.areas.iter().flat_map(|area| area.counts).max().unwrap_or(0);
    let digits = most.to_string().len().max(3);
    let beside = if narrow { 11 + 5 + 12 + 3 * (digits - 3) } else { 11 + 5 + 3 + 32 + 4 * (digits - 3) };
    let bar = usize::from(inside.width.saturating_sub(2)).saturating_sub(beside).clamp(2, 20);
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
            // An area that nothing judges yet is neither good nor unknown: it says so.
            if CONTROLS.iter().all(|control| control.area != *area) {
                line.push((Role::Dim, if narrow { "no rule" } else { "no control judges this yet" }.into()));
                return line;
            }
            if !narrow {
                let spans = moved(model, Some(*area));
                let used: usize = spans.iter().map(|(_, text)| text.chars().count()).sum();
                line.extend(spans.into_iter().take(if used > 3 { 1 } else { 2 }));
                line.push((Role::Text, " ".repeat(3usize.saturating_sub(used.min(3)))));
            }
            for (at, (count, word, role)) in [
                (counts[0], "pass", Role::Ok),
                (counts[1], "fail", Role::High),
                (counts[2], "warn", Role::Medium),
                (counts[3], "?", Role::Unknown),
            ]
            .into_iter()
            .enumerate()
            {
                // why no passes: where room is short, what passes is what one can do without.
                if narrow && at == 0 {
                    continue;
                }
                let word = if narrow { word[..1].to_owned() } else { format!(" {word}") };
                let text = format!("{count:>digits$}{word}");
                // why blank: nine rows of zeros hide the numbers that matter.
                line.push(if count == 0 { (Role::Dim, " ".repeat(text.len())) } else { (role, text) });
            }
            line
        })
        .collect();
    put(draw, buffer, inside, &lines);
}

/// What came (▲) and went (✓) since the last look, in an area or in all.
fn moved(model: &Model, area: Option<Area>) -> Vec<Span> {
    let of = || model.judged.changes.iter().filter(|change| area.is_none() || area_of(&change.id) == area);
    let gone = of().filter(|change| change.came == Came::Gone).count();
    let came = of().count() - gone;
    let all = area.is_none();
    let mut spans = Vec::new();
    for (count, mark, role) in [(came, "▲", Role::High), (gone, "✓", Role::Ok)] {
        if count > 0 {
            spans.push((role, format!("{}{mark}{count}", if all { "  " } else { "" })));
        }
    }
    spans
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
        Some(at) if area.width < 50 => format!("since {} ago", span(model.now.secs_since(at))),
        Some(at) => format!("since your last look, {} ago", span(model.now.secs_since(at))),
        None => "while you look".to_owned(),
    };
    let title = vec![(Role::Title, "Changed ".to_owned()), (Role::Dim, since)];
    let foot = format!("{} shows all of it", model.keymap.hint(Action::Changes));
    let inside = draw.frame(buffer, area, &title, &[(Role::Dim, foot)]);
    let mut lines: Vec<Vec<Span>> = Vec::new();
    let expiring: Vec<_> = super::super::held::endings(model).into_iter().map(|ending| ending.line).collect();
    let gaps = changes::gaps(model);
    let drift: Vec<_> = changes::drift(model).into_iter().map(|(_, line)| line).collect();
    let room = usize::from(inside.height);
    let rows = |lines: usize| lines.min(3) + usize::from(lines > 0);
    let rest = rows(drift.len()) + rows(expiring.len()) + rows(gaps.len());
    let for_changes = room.saturating_sub(rest).max(1);
    // Several findings of one control on one resource are one line: told apart they could not be here.
    let mut told: Vec<(Came, &str)> = Vec::new();
    for change in &model.judged.changes {
        if told.len() == for_changes {
            break;
        }
        if told.contains(&(change.came, change.text.as_str())) {
            continue;
        }
        told.push((change.came, change.text.as_str()));
        let (role, word, ago) = changes::moved(model, change);
        // why before the text: behind it, it would be cut.
        lines.push(vec![(role, word.into()), (Role::Dim, format!("{ago:<4} ")), (Role::Text, change.text.clone())]);
    }
    if model.judged.changes.is_empty() {
        lines.push(vec![(
            Role::Dim,
            if model.busy { "the first round of reading is under way" } else { "nothing" }.into(),
        )]);
    }
    if !drift.is_empty() {
        lines.push(vec![(Role::Title, "Drift".into()), (Role::Dim, "  :journal".into())]);
        lines.extend(drift.into_iter().take(3));
    }
    if !expiring.is_empty() {
        lines.push(vec![(Role::Title, "Expiring".into())]);
        lines.extend(expiring.into_iter().take(3));
    }
    if !gaps.is_empty() {
        let denied = gaps.iter().filter(|gap| gap.denied).count();
        let about = match (denied, gaps.len()) {
            (0, 1..=3) => String::new(),
            (0, all) => format!("  {all} sources, 0 shows them"),
            (1, 1..=3) => "  missing permission:".to_owned(),
            (_, 1..=3) => "  missing permissions:".to_owned(),
            (denied, all) => format!("  {all} sources, {denied} for lack of a permission"),
        };
        lines.push(vec![(Role::Title, "Not seen".into()), (Role::Dim, about)]);
        lines.extend(gaps.iter().take(3).map(|gap| {
            let what = if gap.denied { gap.source.actions().join(" ") } else { gap.source.name().to_owned() };
            vec![(Role::Unknown, format!("{:<10} ", gap.why)), (Role::Text, what)]
        }));
    }
    put(draw, buffer, inside, &lines);
}

/// The newest events.
pub fn live(draw: &Draw<'_>, buffer: &mut Buffer, area: Rect) {
    let model = draw.model;
    let title = vec![
        (Role::Title, "Live".to_owned()),
        (Role::Dim, format!("  {} events, {} shows all", model.log.all().len(), model.keymap.hint(Action::Trail))),
    ];
    let inside = draw.frame(buffer, area, &title, &[]);
    let mut lines: Vec<Vec<Span>> =
        model.log.all().iter().take(usize::from(inside.height)).map(|event| trail::line(model, event)).collect();
    if lines.is_empty() {
        lines.push(vec![(Role::Dim, "no events yet".into())]);
    }
    put(draw, buffer, inside, &lines);
}
