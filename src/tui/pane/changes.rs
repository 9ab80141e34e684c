//! What moved since the last look, what will end by itself, and what was not seen, with the permission that is
//! missing: in short beside the scores, in full as a page.

use super::super::judged::{Came, Change};
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::super::view::Span;
use crate::base::time::span;
use crate::inventory::kms::KeyState;
use crate::inventory::{ErrorKind, Kind, Link, ResourceRef, SourceId, SourceState};
use crate::posture::score::RULE;

/// Something that ends by itself.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Seconds until then; less than nothing if it has.
    pub left: i64,
    /// What, in a line.
    pub line: Vec<Span>,
    /// Where that leads.
    pub place: Place,
}

/// What ends by itself, the soonest first.
pub fn expiring(model: &Model) -> Vec<Ending> {
    let mut all = keys(model);
    let month = |left: &i64| *left < 30 * 86_400;
    for served in model.inventory.throughputs.values() {
        if let Some(left) = served.commitment_ends.map(|at| at.secs_since(model.now)).filter(month) {
            let text =
                if left < 0 { "commitment has ended".into() } else { format!("commitment ends in {}", span(left)) };
            let line = vec![(Role::Medium, format!("{} ", served.name)), (Role::Text, text)];
            let place = Place::Resource(ResourceRef::new(Kind::Throughput, &served.arn));
            all.push(Ending { left, line, place });
        }
    }
    if let Some(left) = model.session.as_ref().and_then(|session| session.expires).map(|at| at.secs_since(model.now))
        && left < 4 * 3600
    {
        let text = if left <= 0 {
            "have expired: log in again, then press r".into()
        } else {
            format!("expire in {}", span(left))
        };
        let role = if left < 3600 { Role::High } else { Role::Medium };
        let line = vec![(role, "your credentials ".into()), (Role::Text, text)];
        all.push(Ending { left, line, place: Place::Identity });
    }
    for key in model.inventory.api_keys.values().filter(|key| key.active) {
        if let Some(left) = key.expires.map(|at| at.secs_since(model.now)).filter(month).filter(|left| *left > 0) {
            let line = vec![
                (Role::Medium, format!("API key of {} ", key.user)),
                (Role::Text, format!("ends in {}", span(left))),
            ];
            let place = Place::Resource(ResourceRef::new(Kind::ApiKey, &key.id));
            all.push(Ending { left, line, place });
        }
    }
    for base in model.inventory.foundation_models.values().filter(|base| base.lifecycle.as_str() == "LEGACY") {
        let of = ResourceRef::new(Kind::FoundationModel, &base.arn);
        let made = model.lineage.all_needed_by(&of).into_iter().filter(|of| of.kind == Kind::Model).count();
        if made > 0 {
            // why last without a date: AWS says LEGACY, and not always until when.
            let left = base.ends.map_or(i64::MAX, |at| at.secs_since(model.now));
            let until = base.ends.map(|_| format!(", gone in {}", span(left.max(0)))).unwrap_or_default();
            let text = format!("is LEGACY{until}, models made of it: {made}");
            let line = vec![(Role::Medium, format!("{} ", base.name)), (Role::Text, text)];
            all.push(Ending { left, line, place: Place::Resource(of) });
        }
    }
    for verdict in model.judged.accepted(&model.assessment) {
        let ends = verdict.muted.as_ref().and_then(|muted| muted.expires);
        if let Some(left) = ends.map(|at| at.secs_since(model.now)).filter(month) {
            let line = vec![
                (Role::Medium, format!("mute of {} ", verdict.control)),
                (Role::Text, format!("on {} ends in {}", verdict.name, span(left.max(0)))),
            ];
            all.push(Ending { left, line, place: Place::Finding(verdict.id.clone()) });
        }
    }
    all.sort_by_key(|ending| ending.left);
    all
}

fn keys(model: &Model) -> Vec<Ending> {
    let mut all = Vec::new();
    for key in model.inventory.keys.values() {
        let Some(metadata) = key.metadata.last() else { continue };
        let of = ResourceRef::new(Kind::Key, &key.arn);
        if let (KeyState::PendingDeletion, Some(at)) = (&metadata.state, metadata.deletion) {
            let live = model.lineage.up(&of).iter().filter(|(link, by)| {
                *link == Link::EncryptedWith && matches!(by.kind, Kind::Model | Kind::ImportedModel)
            });
            let left = at.secs_since(model.now);
            let live = live.count();
            let models = if live == 1 { "1 model".to_owned() } else { format!("{live} models") };
            let text = format!("is deleted in {} with {models}", span(left));
            let line = vec![(Role::Critical, format!("key {} ", key.label())), (Role::Text, text)];
            all.push(Ending { left, line, place: Place::Resource(of.clone()) });
        }
        if let Some(at) = metadata.valid_to {
            let left = at.secs_since(model.now);
            let text = format!("material expires in {}", span(left));
            let line = vec![(Role::High, format!("key {} ", key.label())), (Role::Text, text)];
            all.push(Ending { left, line, place: Place::Resource(of) });
        }
    }
    all
}

/// A source that was not read whole.
pub struct Gap {
    /// Which.
    pub source: SourceId,
    /// Why, in a word.
    pub why: String,
    /// Whether a permission is what is missing.
    pub denied: bool,
}

/// What was not seen.
pub fn gaps(model: &Model) -> Vec<Gap> {
    let coverage = &model.inventory.coverage;
    let all = SourceId::all().filter(|source| coverage.expects(*source)).filter_map(|source| {
        let report = coverage.report(source)?;
        let state = coverage.state(source, model.now);
        if matches!(state, SourceState::Complete | SourceState::NotAsked) {
            return None;
        }
        let kind = report.error.as_ref().map(|error| error.kind);
        let why = kind.map_or_else(|| state.word().to_owned(), |kind| kind.word().to_owned());
        Some(Gap { source, why, denied: kind == Some(ErrorKind::Denied) })
    });
    let mut all: Vec<Gap> = all.collect();
    all.sort_by_key(|gap| !gap.denied);
    all
}

/// The line of an IAM policy that lets a source be read.
pub fn grant(source: SourceId) -> String {
    let actions: Vec<String> = source.actions().iter().map(|action| format!("\"{action}\"")).collect();
    format!(r#"{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}"#, actions.join(", "))
}

/// Which way it went, and when: to the minute if we looked on, else since the last look.
pub fn moved(model: &Model, change: &Change) -> (Role, &'static str, String) {
    let ago = match (change.at, model.judged.last_look()) {
        (Some(at), _) => span(model.now.secs_since(at).max(0)),
        (None, Some(last)) => format!("≤{}", span(model.now.secs_since(last).max(0))),
        (None, None) => String::new(),
    };
    let (role, word) = match change.came {
        Came::New => (Role::High, "▲ NEW    "),
        Came::Back => (Role::High, "↺ BACK   "),
        Came::Gone => (Role::Ok, "✓ CLOSED "),
    };
    (role, word, ago)
}

/// What somebody changed since a fix that was made from here, past bedwatch.
pub fn drift(model: &Model) -> Vec<(ResourceRef, Vec<Span>)> {
    let all = model.journal.drifted(&model.inventory).into_iter();
    all.map(|(number, key)| {
        let text = format!("policy changed since entry {number} wrote it");
        let line = vec![(Role::High, format!("key {} ", model.name_of(&key))), (Role::Text, text)];
        (key, line)
    })
    .collect()
}

/// All of it.
pub fn page(model: &Model, width: usize) -> Page {
    let mut page = Page::new("what changed, ends, and was not seen", width);
    let judged = &model.judged;
    let since = judged.last_look().map_or_else(
        || "while you look".to_owned(),
        |at| format!("since your last look, {} ago", span(model.now.secs_since(at).max(0))),
    );
    let count = |came: &[Came]| judged.changes.iter().filter(|change| came.contains(&change.came)).count();
    let told =
        format!("{} new, {} back, {} closed {since}", count(&[Came::New]), count(&[Came::Back]), count(&[Came::Gone]));
    page.line(vec![(Role::Title, "Changed  ".into()), (Role::Dim, told)]);
    for change in &judged.changes {
        let (role, word, ago) = moved(model, change);
        let open = match (change.came, judged.since(&change.id)) {
            (Came::Back | Came::New, Some(at)) => format!("  open {}", span(model.now.secs_since(at).max(0))),
            _ => String::new(),
        };
        let spans = vec![
            (role, word.to_owned()),
            (Role::Dim, format!("{ago:<6} ")),
            (Role::Text, change.text.clone()),
            (Role::Dim, open),
        ];
        let line = page.line(spans);
        line.copy = Some(change.text.clone());
        line.target = (change.came != Came::Gone).then(|| Target::Go(Place::Finding(change.id.clone())));
    }
    if judged.changes.is_empty() {
        page.text(Role::Dim, if model.busy { "the first round of reading is under way" } else { "nothing" });
    }
    let drift = drift(model);
    if !drift.is_empty() {
        page.head("Drift");
        for (key, spans) in drift {
            page.line(spans).target = Some(Target::Go(Place::Resource(key)));
        }
    }
    page.head("Expiring");
    let endings = super::super::held::endings(model);
    if endings.is_empty() {
        page.text(Role::Dim, "nothing that was read ends by itself soon");
    }
    for ending in endings {
        page.line(ending.line).target = Some(Target::Go(ending.place));
    }
    not_seen(model, &mut page);
    page.head("The score");
    page.text(Role::Dim, RULE);
    page
}

fn not_seen(model: &Model, page: &mut Page) {
    let (seen, all) = model.inventory.coverage.ratio(model.now);
    page.gap();
    page.line(vec![
        (Role::Title, "Not seen  ".into()),
        (Role::Dim, format!("{seen} of {all} sources were read whole")),
    ]);
    let gaps = gaps(model);
    if gaps.is_empty() {
        page.text(Role::Dim, "nothing: all that was asked for was read");
    }
    for gap in &gaps {
        let controls: Vec<&str> = model.judged.needing(gap.source).collect();
        let waits = match controls.as_slice() {
            [] => String::new(),
            [one] => format!("  {one} needs it"),
            [one, rest @ ..] => format!("  {one} and {} more controls need it", rest.len()),
        };
        let spans = vec![
            (Role::Unknown, format!("{:<10} ", gap.why)),
            (Role::Text, gap.source.name().to_owned()),
            (Role::Dim, waits),
        ];
        page.line(spans).target = Some(Target::Go(Place::Source(gap.source)));
        if gap.denied {
            page.field("  grant it", Role::Text, grant(gap.source));
        }
    }
    if gaps.iter().any(|gap| gap.denied) {
        page.text(Role::Dim, "`bedwatch policy` prints the whole read-only policy; y copies a line.");
    }
}
