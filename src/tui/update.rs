//! What a message does to the model. No input or output, no waiting: what takes either is an
//! [`Effect`] for somebody else.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::judged::Question;
use super::keymap::{Action, Context, Key};
use super::list;
use super::message::{Effect, Message};
use super::model::{Model, Overlay, Place};
use super::page::Target;
use super::palette::Palette;
use super::pane::Pane;
use super::{fixing, input::Line, matrix, navigate, refusal::elsewhere, typing, weighing};
use crate::base::text::safe;
use crate::inventory::{Inventory, Lineage};
use crate::posture::Assessment;
use crate::source::{Command, Envelope, Message as FromSource};

pub use super::refusal::refusal;

/// Takes one message.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    model.now = model.options.clock.now();
    match message {
        Message::Key(key) if key.kind != KeyEventKind::Release => press(model, key),
        Message::Key(_) => Vec::new(),
        Message::Paste(text) => {
            match &mut model.overlay {
                Some(Overlay::Palette(palette)) => {
                    palette.line.paste(&text);
                    palette.search();
                }
                Some(Overlay::Filter(line, _)) => {
                    line.paste(&text);
                    let text = line.text();
                    matrix::set_filter(model, text);
                }
                Some(Overlay::Fix(dialog)) => dialog.paste(&text),
                Some(Overlay::WhatIf(what_if)) => matrix::paste(what_if, &text),
                _ => return Vec::new(),
            }
            model.dirty = true;
            Vec::new()
        }
        Message::Resize(width, height) => {
            model.size = (width, height);
            model.dirty = true;
            Vec::new()
        }
        Message::Source(envelope) => {
            receive(model, envelope);
            Vec::new()
        }
        Message::SourceGone => {
            model.gone = true;
            model.busy = false;
            model.dirty = true;
            Vec::new()
        }
        Message::Tick => tick(model),
        Message::Rested => {
            model.moving = false;
            preview(model);
            Vec::new()
        }
        Message::Panicked(what) | Message::Failed(what) => {
            model.fail(&what);
            Vec::new()
        }
        Message::Applied(result) => {
            model.journal.asked = false;
            fixing::applied(model, *result)
        }
        Message::Weighed(weighed) => {
            weighing::take(model, *weighed);
            Vec::new()
        }
        Message::WeighingBroke(id, why) => {
            weighing::broke(model, id, &why);
            Vec::new()
        }
        Message::Answered(reply) => {
            matrix::answered(model, *reply);
            Vec::new()
        }
        Message::Journal(entries) => {
            model.journal.take(entries.clone());
            model.revision += 1;
            model.dirty = true;
            if std::mem::take(&mut model.journal.for_undo) {
                fixing::undo_list(model, entries);
            }
            Vec::new()
        }
        Message::Notice(text) => {
            model.tell(safe(&text).into_owned());
            Vec::new()
        }
        Message::Theme(Ok(theme)) => {
            if theme != model.theme {
                model.theme = theme;
                model.dirty = true;
            }
            Vec::new()
        }
        Message::Theme(Err(why)) => {
            if model.problems.last().is_none_or(|last| last.text != why) {
                model.fail(&why);
            }
            Vec::new()
        }
    }
}

/// Brings up to date what is derived, once after everything that waited was taken. Returns what the
/// source should know about where we look.
pub fn settle(model: &mut Model) -> Vec<Effect> {
    let weighing = weighing::ask(model);
    list::sync(model);
    if !model.moving {
        preview(model);
    }
    super::become_role::settle(model);
    let mut effects = matrix::settle(model);
    effects.extend(weighing);
    super::held::settle(model);
    model.pointed = model.pointing();
    // why not at once: the first round of reading is what one waits for.
    let wanted = model.pane == Pane::Journal || (!model.busy && model.session.is_some());
    if wanted && !model.journal.asked {
        model.journal.asked = true;
        effects.push(Effect::ReadJournal);
    }
    let look = model.resource();
    if model.asked != look {
        model.asked.clone_from(&look);
        effects.extend(look.map(|resource| Effect::Source(Command::Focus(resource))));
    }
    effects
}

/// Judges an inventory as this session does.
pub(super) fn assess(model: &Model, inventory: &Inventory, lineage: &Lineage) -> Assessment {
    (model.options.judge)(&Question {
        inventory,
        lineage,
        session: model.session.as_ref(),
        expect: &model.options.expect,
        activity: &model.watch,
        now: model.now,
    })
}

fn receive(model: &mut Model, envelope: Envelope) {
    if let FromSource::Session(session) = &envelope.message
        && session.generation >= model.generation
    {
        if session.generation != model.generation {
            // why all of it: nothing of another account may stay on screen under the new name.
            model.inventory = Arc::default();
            model.matrices.forget();
            if matches!(model.overlay, Some(Overlay::WhatIf(_))) {
                model.overlay = None;
            }
            model.log = super::log::Log::default();
            model.watch = Arc::default();
            model.scales.forget();
            model.lineage = Lineage::default();
            model.names = super::names::Names::default();
            model.assessment = Assessment::default();
            model.invoked = super::invoked::Invoked::default();
            model.calls.clear();
            model.stack.clear();
            model.back.clear();
            model.forward.clear();
            model.ways.clear();
            model.judged = super::judged::Judged::default();
            model.revision += 1;
            model.journal = super::journaled::Journaled::default();
        }
        let marked = |name: &str| model.production.iter().any(|account| account == name);
        // why or: what was marked at the start stays so; a switch to another account may add its own mark.
        model.options.production |=
            marked(session.account.as_str()) || session.alias.as_ref().is_some_and(|alias| marked(alias.as_str()));
        model.generation = session.generation;
        model.session = Some(session.clone());
        model.refused = None;
        model.stale = true;
        model.dirty = true;
        return;
    }
    if envelope.generation != model.generation && model.session.is_some() {
        return;
    }
    match envelope.message {
        FromSource::Session(_) => {}
        FromSource::NoSession(error) => {
            model.fail(&format!("no session: {error}; {}", error.kind.advice()));
            model.refused = Some(error);
            model.busy = false;
        }
        FromSource::Update(update) => {
            let error = match update.as_ref() {
                crate::inventory::Update::Source(report) => report.error.clone(),
                _ => None,
            };
            if Arc::make_mut(&mut model.inventory).apply(*update) {
                model.stale = true;
                let told = |error: &crate::inventory::ReadError| {
                    let start = format!("{} {}", error.operation, error.kind.word());
                    model.problems.iter().rev().take(60).any(|problem| problem.text.starts_with(&start))
                };
                if let Some(error) = error.filter(|error| !told(error)) {
                    let text = format!("{error}; {}", error.kind.advice());
                    model.problems.push(super::model::Problem { at: model.now, text });
                }
            }
            model.dirty |= model.age() != model.shown_age;
        }
        FromSource::Remembered(memory) => {
            model.judged.remember(&memory);
            model.dirty = true;
        }
        FromSource::Trouble(trouble) => model.fail(trouble.as_str()),
        FromSource::Events(events) => {
            // What is suspect among them is a finding.
            model.stale |= Arc::make_mut(&mut model.watch).take(&events);
            if model.log.take(events) {
                model.dirty = true;
            }
        }
        FromSource::Invocations(invocations) => {
            if model.invoked.take(invocations) {
                model.dirty = true;
            }
        }
        FromSource::Calls(calls) => {
            for stats in calls {
                model.calls.insert(stats.operation.clone(), stats);
            }
            let open = model.stack.iter().any(|spot| matches!(spot.place, Place::Source(_)));
            if model.pane == Pane::Sources || open {
                model.revision += 1;
                model.dirty = true;
            }
        }
        FromSource::Busy(busy) => {
            model.dirty |= model.busy != busy;
            model.stale |= model.busy && !busy;
            model.busy = busy;
        }
    }
}

/// Shows what the cursor rests on, in the box beside the list. Not at every step: a box costs far more
/// bytes than the two lines that a step of the cursor changes, and who holds `j` reads neither.
fn preview(model: &mut Model) {
    let selected = model.list().selected();
    if model.previewed != selected {
        model.previewed = selected;
        model.dirty = true;
    }
}

fn tick(model: &mut Model) -> Vec<Effect> {
    if model.busy && !model.paused && !model.gone {
        model.spin = model.spin.wrapping_add(1);
        model.dirty = true;
    }
    let age = model.age();
    if age != model.shown_age {
        model.shown_age = age;
        model.dirty = true;
    }
    vec![Effect::ReadTheme]
}

fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if model.notice.take().is_some() {
        model.dirty = true;
    }
    if Key::from(key) == Key::from(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)) {
        return vec![Effect::Quit];
    }
    match &mut model.overlay {
        Some(Overlay::Help(_)) => return typing::help(model, key),
        Some(Overlay::Palette(_)) => return typing::palette(model, key),
        Some(Overlay::Filter(..)) => return typing::filter(model, key),
        Some(Overlay::Fix(_)) => return fixing::press(model, key),
        Some(Overlay::WhatIf(_)) => return matrix::press(model, key),
        Some(Overlay::Undo(_)) => return fixing::press_undo(model, key),
        Some(Overlay::Deep) => return super::deep::press(model, key),
        None => {}
    }
    let contexts: &[Context] = match model.stack.last().map(|spot| &spot.place) {
        Some(Place::Event(_)) => &[Context::Trail, Context::Page, Context::Everywhere],
        Some(Place::Access(_)) => &[Context::Matrix, Context::List, Context::Everywhere],
        Some(Place::Cell(_)) => &[Context::Matrix, Context::Page, Context::Everywhere],
        Some(_) => &[Context::Page, Context::Everywhere],
        None if model.pane == Pane::Trail => &[Context::Trail, Context::List, Context::Everywhere],
        None => &[Context::List, Context::Everywhere],
    };
    match model.keymap.action(key.into(), contexts) {
        Some(action) => {
            model.moving = model.stack.is_empty()
                && matches!(action, Action::Down | Action::Up | Action::HalfDown | Action::HalfUp);
            perform(model, action)
        }
        None => {
            let why = elsewhere(model, key.into(), contexts);
            model.tell(why);
            Vec::new()
        }
    }
}

/// Does what an action says.
pub fn perform(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(effects) = matrix::perform(model, action) {
        model.dirty = true;
        return effects;
    }
    if let Some(why) = refusal(model, action) {
        model.tell(format!("{}: {why}", action.entry().short));
        return Vec::new();
    }
    model.dirty = true;
    match action {
        Action::Quit => return if model.stack.is_empty() { vec![Effect::Quit] } else { navigate::back(model) },
        Action::Stop => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Help => model.overlay = Some(Overlay::Help(0)),
        Action::Palette => model.overlay = Some(Overlay::Palette(Palette::open(model))),
        Action::Filter => {
            let text = model.list().filter.clone();
            model.overlay = Some(Overlay::Filter(Line::new(&text), text));
        }
        Action::Down => navigate::step(model, 1),
        Action::Up => navigate::step(model, -1),
        Action::HalfDown => navigate::step(model, navigate::half_page(model)),
        Action::HalfUp => navigate::step(model, -navigate::half_page(model)),
        Action::Top => navigate::step(model, isize::MIN / 2),
        Action::Bottom => navigate::step(model, isize::MAX / 2),
        Action::Open => return open(model),
        Action::Back => return navigate::back(model),
        Action::HistoryBack => navigate::history(model, false),
        Action::HistoryForward => navigate::history(model, true),
        Action::NextPane => navigate::show(model, model.pane.step(true)),
        Action::PreviousPane => navigate::show(model, model.pane.step(false)),
        Action::Next => navigate::next(model, true),
        Action::Previous => navigate::next(model, false),
        Action::Sort => navigate::sort(model),
        Action::Reverse => {
            let list = model.list_mut();
            list.sort = list.sort.map_or(Some((0, true)), |(column, backwards)| Some((column, !backwards)));
        }
        Action::Mark => {
            if let Some(subject) = model.subject() {
                let list = model.list_mut();
                if !list.marked.remove(&subject) {
                    list.marked.insert(subject);
                }
                navigate::step(model, 1);
            }
        }
        Action::Fix => fixing::open(model),
        Action::Events => navigate::events(model),
        Action::WhoCan => matrix::open(model),
        Action::Lineage => {
            if let Some(resource) = model.resource() {
                navigate::go(model, Place::Lineage(resource));
            }
        }
        Action::Raw => navigate::raw(model),
        Action::Copy | Action::CopyId => return copy(model, action == Action::CopyId),
        Action::Export => match super::export::of(model) {
            Some(export) => return vec![Effect::Export(export)],
            None => model.tell("export: there is nothing here to write"),
        },
        Action::Refresh => {
            model.busy = true;
            model.journal.asked = false;
            model.tell("reading everything again");
            return vec![Effect::Source(Command::Refresh), Effect::ReadTheme];
        }
        Action::Pause => {
            model.paused = !model.paused;
            model.tell(if model.paused { "paused: nothing is read until p is pressed again" } else { "reading again" });
            return vec![Effect::Source(Command::Pause(model.paused))];
        }
        Action::Deep => model.overlay = Some(Overlay::Deep),
        Action::Undo => {
            model.journal.for_undo = true;
            return vec![Effect::ReadJournal];
        }
        Action::Errors => navigate::go(model, Place::Errors),
        Action::Identity => navigate::go(model, Place::Identity),
        Action::Changes => navigate::go(model, Place::Changes),
        Action::Only | Action::Except => navigate::pivot(model, action == Action::Except),
        Action::GoTo => {
            if let Some(resource) = model.resource() {
                navigate::go(model, Place::Resource(resource));
            }
        }
        Action::FoldAll | Action::UnfoldAll => navigate::fold_all(model, action == Action::FoldAll),
        Action::Toggle => return toggle(model),
        Action::FixNextTab
        | Action::FixPreviousTab
        | Action::FixNextPlan
        | Action::FixPreviousPlan
        | Action::FixEdit
        | Action::FixConfirm => {}
        Action::MatrixLeft | Action::MatrixRight | Action::MatrixTab | Action::MatrixBackTab | Action::WhatIf => {}
        Action::WhatIfNext | Action::WhatIfPrevious | Action::WhatIfToggle | Action::WhatIfFix => {}
        pane => {
            if let Some(pane) = Pane::of(pane) {
                navigate::show(model, pane);
            }
        }
    }
    Vec::new()
}

fn open(model: &mut Model) -> Vec<Effect> {
    let Some(spot) = model.stack.last() else {
        if let Some(subject) = model.list().selected() {
            let place = navigate::opened(model, &subject);
            navigate::go(model, place);
        }
        return Vec::new();
    };
    let page = super::held::page(model, spot);
    let target = page.lines.get(spot.cursor).and_then(|line| line.target.clone());
    match target {
        Some(Target::Go(place)) => navigate::go(model, place),
        Some(Target::Fold(path)) => {
            if let Some(spot) = model.stack.last_mut()
                && !spot.folded.remove(&path)
            {
                spot.folded.insert(path);
            }
        }
        Some(Target::Fix(_)) => fixing::open(model),
        Some(Target::Filter(pane, filter)) => navigate::filtered(model, pane, filter),
        None => model.tell("open: this line leads nowhere; · stands before those that do"),
    }
    Vec::new()
}

/// Folds and unfolds what the cursor is on; where nothing folds, opens it.
fn toggle(model: &mut Model) -> Vec<Effect> {
    let fold = model.stack.last().and_then(|spot| super::held::page(model, spot).lines.get(spot.cursor)?.fold.clone());
    match (fold, model.stack.last_mut()) {
        (Some(path), Some(spot)) => {
            if !spot.folded.remove(&path) {
                spot.folded.insert(path);
            }
            Vec::new()
        }
        _ => open(model),
    }
}

fn copy(model: &mut Model, id: bool) -> Vec<Effect> {
    let text = if id {
        model.resource().map(|resource| resource.id.to_string())
    } else {
        match model.stack.last() {
            Some(spot) => super::held::page(model, spot)
                .lines
                .get(spot.cursor)
                .map(|line| line.copy.clone().unwrap_or_else(|| line.text().trim().to_owned())),
            None => model.list().selected().map(|subject| {
                let cells = super::pane::cells(model, model.pane, &subject);
                cells.into_iter().map(|cell| cell.text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\t")
            }),
        }
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        model.tell("copy: this line is empty");
        return Vec::new();
    };
    vec![Effect::Copy(text)]
}
