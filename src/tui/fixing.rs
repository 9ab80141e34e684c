//! The fix dialog: from a finding to a confirmed change. It shows, it never acts: applying is an
//! [`Effect`] that takes what only a confirmed preview can give.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::TextArea;

use super::input::Line;
use super::keymap::{Action, Context as KeyContext};
use super::matrix::WhatIf;
use super::message::Effect;
use super::model::{Model, Overlay};
use super::{layout, navigate, update};
use crate::base::ResourceId;
use crate::fix::{self, Applied, Confirm, Context, DiffLine, FixError, JournalEntry, Plan, Preview, preview_with};
use crate::inventory::{Document, Lineage};
use crate::source::Command;

/// The tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// What, on what, as whom, with what consequences.
    Summary,
    /// The policy or the grants before and after.
    Diff,
    /// Who gains and who loses.
    Access,
    /// Findings that close and open.
    Findings,
    /// The calls.
    Calls,
    /// What takes it back.
    Undo,
}

impl Tab {
    /// All, in order.
    pub const ALL: [Self; 6] = [Self::Summary, Self::Diff, Self::Access, Self::Findings, Self::Calls, Self::Undo];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Diff => "Diff",
            Self::Access => "Access",
            Self::Findings => "Findings",
            Self::Calls => "Calls",
            Self::Undo => "Undo",
        }
    }

    fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// What the dialog is doing.
#[derive(Debug)]
pub enum Stage {
    /// It is being read.
    Reading,
    /// The name is being typed.
    Confirming(Line),
    /// The policy is being edited; what is wrong with it now.
    Editing(Box<TextArea<'static>>, Option<String>),
    /// It is being made.
    Applying,
    /// It was made, or not.
    Done(Outcome),
}

/// How applying ended.
#[derive(Debug)]
pub struct Outcome {
    /// What to say.
    pub words: String,
    /// Whether a person must do something about it.
    pub bad: bool,
    /// What differs from what was expected, if that is what is wrong.
    pub diff: Vec<DiffLine>,
}

impl Outcome {
    fn of(result: &Result<Applied, FixError>) -> Self {
        match result {
            Ok(applied) => {
                let warning = applied.warning.as_ref().map(|warning| format!(" {warning}")).unwrap_or_default();
                Self { words: format!("{}{warning}", applied.words), bad: applied.warning.is_some(), diff: Vec::new() }
            }
            Err(error) => Self { words: error.to_string(), bad: true, diff: error.diff().to_vec() },
        }
    }
}

/// The dialog.
#[derive(Debug)]
pub struct Dialog {
    /// The ways to fix it.
    pub plans: Vec<Plan>,
    /// Which of them is shown.
    pub at: usize,
    /// Its consequences, or why they cannot be shown.
    pub preview: Result<Box<Preview>, FixError>,
    /// The tab.
    pub tab: Tab,
    /// The first line of the tab that is shown.
    pub scroll: usize,
    /// What it is doing.
    pub stage: Stage,
    /// Why there is no other way, where one was looked for.
    pub note: Option<FixError>,
    /// What to go back to, if nothing is applied.
    pub from: Option<Box<WhatIf>>,
    /// Whether the summary of this plan was seen to its end.
    pub read: bool,
}

impl Dialog {
    /// Takes pasted text into what is being typed.
    pub fn paste(&mut self, text: &str) {
        // why not the name: what is confirmed is typed, so that it is read.
        if let Stage::Editing(editor, wrong) = &mut self.stage {
            editor.insert_str(crate::base::text::safe_lines(text));
            *wrong = problem(editor);
        }
    }

    /// Whether what was typed confirms the plan.
    pub fn is_confirmed(&self) -> bool {
        match (&self.stage, &self.preview) {
            (Stage::Confirming(line), Ok(preview)) => preview.confirm().accepts(&line.text()),
            _ => false,
        }
    }
}

fn context(model: &Model) -> Option<Context> {
    Some(Context {
        session: model.session.clone()?,
        production: model.options.production,
        expect: model.options.expect.clone(),
        now: model.now,
    })
}

/// Opens the dialog for the finding that a key press is about.
pub fn open(model: &mut Model) {
    let verdicts: Vec<_> = navigate::findings(model).into_iter().cloned().collect();
    let Some(context) = context(model) else {
        model.tell("fix: there is no session");
        return;
    };
    // why all: a resource may have several findings, and the worst is not always one that can be fixed here.
    let mut tried = verdicts.iter().map(|verdict| fix::propose(verdict, &model.inventory, &context));
    let Some(first) = tried.next() else { return };
    let proposed = match first {
        Ok(plans) if !plans.is_empty() => Ok(plans),
        first => tried.find(|proposed| proposed.as_ref().is_ok_and(|plans| !plans.is_empty())).unwrap_or(first),
    };
    match proposed {
        Ok(plans) if plans.is_empty() => model.tell("fix: nothing has to be changed for this any more; press r"),
        Ok(plans) => show(model, plans, None),
        Err(error) => model.tell(format!("fix: {error}")),
    }
}

/// Opens the dialog for a key policy that somebody wrote in "what if". Esc goes back to it.
pub fn open_written(model: &mut Model, key: &ResourceId, policy: Document) {
    let Some(context) = context(model) else {
        model.tell("fix: there is no session");
        return;
    };
    let Some(held) = model.inventory.keys.get(key) else {
        model.tell(format!("fix: key {key} is not in the inventory any more"));
        return;
    };
    let title = format!("put the edited policy on {}", held.label());
    match Plan::for_policy("FIX-03", title, held, policy, None, &context) {
        Ok(plan) => {
            let from = match model.overlay.take() {
                Some(Overlay::WhatIf(what_if)) => Some(what_if),
                _ => None,
            };
            show(model, vec![plan], None);
            if let Some(Overlay::Fix(dialog)) = &mut model.overlay {
                (dialog.from, dialog.tab) = (from, Tab::Diff);
            }
        }
        Err(error) => model.tell(format!("fix: {error}")),
    }
}

fn show(model: &mut Model, plans: Vec<Plan>, note: Option<FixError>) {
    let preview = consequences(model, &plans[0]);
    let dialog = Dialog {
        plans,
        at: 0,
        preview,
        tab: Tab::Summary,
        scroll: 0,
        stage: Stage::Reading,
        note,
        from: None,
        read: false,
    };
    model.overlay = Some(Overlay::Fix(Box::new(dialog)));
    model.dirty = true;
}

/// The preview of a plan, with the findings of this session's judge.
fn consequences(model: &Model, plan: &Plan) -> Result<Box<Preview>, FixError> {
    let context = context(model).ok_or_else(|| FixError::Unsupported("there is no session".to_owned()))?;
    let judge = |inventory: &_| update::assess(model, inventory, &Lineage::of(inventory));
    preview_with(plan, &model.inventory, &context, &judge).map(Box::new)
}

/// A key while the dialog is open.
pub fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    model.dirty = true;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let Some(Overlay::Fix(dialog)) = &mut model.overlay else { return Vec::new() };
    match &mut dialog.stage {
        Stage::Applying => {
            model.tell("it is being made: the answer comes here");
            Vec::new()
        }
        Stage::Done(..) => {
            if !scroll(model, key) {
                model.overlay = None;
            }
            Vec::new()
        }
        Stage::Editing(editor, wrong) => {
            match key.code {
                KeyCode::Esc => dialog.stage = Stage::Reading,
                KeyCode::Char('s') if control => return take_edit(model),
                _ => {
                    if editor.input(key) {
                        *wrong = problem(editor);
                    }
                }
            }
            Vec::new()
        }
        Stage::Confirming(line) => match key.code {
            KeyCode::Esc => {
                dialog.stage = Stage::Reading;
                Vec::new()
            }
            KeyCode::Enter => {
                model.tell("Enter never applies: when the text is right, press ctrl-y");
                Vec::new()
            }
            KeyCode::Char('y') if control => apply(model),
            KeyCode::Char('y') if dialog.preview.as_ref().is_ok_and(|preview| *preview.confirm() == Confirm::Yes) => {
                line.press(key);
                apply(model)
            }
            _ => {
                line.press(key);
                Vec::new()
            }
        },
        Stage::Reading => read(model, key),
    }
}

fn read(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let action = model.keymap.action(key.into(), &[KeyContext::Fix, KeyContext::Everywhere]);
    if scroll(model, key) {
        return Vec::new();
    }
    note_read(model);
    let Some(Overlay::Fix(dialog)) = &mut model.overlay else { return Vec::new() };
    match action {
        Some(Action::FixNextTab) => (dialog.tab, dialog.scroll) = (dialog.tab.step(1), 0),
        Some(Action::FixPreviousTab) => (dialog.tab, dialog.scroll) = (dialog.tab.step(Tab::ALL.len() - 1), 0),
        Some(Action::FixNextPlan) => turn(model, true),
        Some(Action::FixPreviousPlan) => turn(model, false),
        Some(Action::FixEdit) => edit(model),
        Some(Action::FixConfirm) => confirm(model),
        Some(Action::Back | Action::Quit) => {
            let from = dialog.from.take();
            model.overlay = from.map(Overlay::WhatIf);
        }
        _ => {}
    }
    Vec::new()
}

/// Moves the text, if that is what the key means and there is more of it than fits.
fn scroll(model: &mut Model, key: KeyEvent) -> bool {
    let half = layout::page_size(model.size).1 / 2;
    let last = super::fixing_view::overflow(model);
    let action = model.keymap.action(key.into(), &[KeyContext::Fix, KeyContext::Everywhere]);
    let Some(Overlay::Fix(dialog)) = &mut model.overlay else { return false };
    dialog.scroll = match action {
        _ if last == 0 => return false,
        Some(Action::Down) => dialog.scroll + 1,
        Some(Action::Up) => dialog.scroll.saturating_sub(1),
        Some(Action::HalfDown) => dialog.scroll + half,
        Some(Action::HalfUp) => dialog.scroll.saturating_sub(half),
        Some(Action::Top) => 0,
        Some(Action::Bottom) => last,
        _ => return false,
    }
    .min(last);
    note_read(model);
    true
}

fn turn(model: &mut Model, forward: bool) {
    let Some(Overlay::Fix(dialog)) = &model.overlay else { return };
    let count = dialog.plans.len();
    let at = (dialog.at + if forward { 1 } else { count.saturating_sub(1) }) % count.max(1);
    if count < 2 {
        model.tell("there is one way to fix this");
        return;
    }
    let preview = consequences(model, &dialog.plans[at]);
    if let Some(Overlay::Fix(dialog)) = &mut model.overlay {
        (dialog.at, dialog.preview, dialog.scroll, dialog.read) = (at, preview, 0, false);
    }
}

fn edit(model: &mut Model) {
    let Some(Overlay::Fix(dialog)) = &mut model.overlay else { return };
    match dialog.plans[dialog.at].policy() {
        Some(policy) => {
            let mut editor = TextArea::new(policy.shown().lines().map(str::to_owned).collect());
            editor.set_cursor_line_style(ratatui::style::Style::new());
            let wrong = problem(&editor);
            dialog.stage = Stage::Editing(Box::new(editor), wrong);
        }
        None => model.tell("edit: this changes grants, and no policy"),
    }
}

fn text_of(editor: &TextArea<'_>) -> Document {
    Document::new(editor.lines().join("\n"))
}

fn problem(editor: &TextArea<'_>) -> Option<String> {
    fix::statement::validate(&text_of(editor)).err().map(|error| error.to_string())
}

/// Takes the edited policy: previews it anew, if it is one.
fn take_edit(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Fix(dialog)) = &model.overlay else { return Vec::new() };
    let Stage::Editing(editor, _) = &dialog.stage else { return Vec::new() };
    match dialog.plans[dialog.at].edited(text_of(editor)) {
        Ok(plan) => {
            let preview = consequences(model, &plan);
            if let Some(Overlay::Fix(dialog)) = &mut model.overlay {
                let at = dialog.at;
                dialog.plans[at] = plan;
                (dialog.preview, dialog.tab, dialog.scroll, dialog.stage) = (preview, Tab::Diff, 0, Stage::Reading);
                dialog.read = false;
            }
        }
        Err(error) => model.tell(format!("not taken: {error}")),
    }
    Vec::new()
}

/// Notes that the end of the summary is on screen. What was seen stays seen, whatever the size becomes.
fn note_read(model: &mut Model) {
    let last = super::fixing_view::overflow(model);
    if let Some(Overlay::Fix(dialog)) = &mut model.overlay
        && dialog.tab == Tab::Summary
        && matches!(dialog.stage, Stage::Reading)
    {
        dialog.read |= dialog.scroll >= last;
    }
}

fn confirm(model: &mut Model) {
    note_read(model);
    let end = model.keymap.hint(Action::Bottom);
    let Some(Overlay::Fix(dialog)) = &mut model.overlay else { return };
    if !dialog.read && dialog.preview.as_ref().is_ok_and(|preview| preview.refusal().is_none()) {
        if dialog.tab != Tab::Summary {
            (dialog.tab, dialog.scroll) = (Tab::Summary, 0);
        }
        model.tell(format!("first read the summary to its end: {end} goes there"));
        return;
    }
    match dialog.preview.as_ref().map(|preview| preview.refusal()) {
        Ok(None) => dialog.stage = Stage::Confirming(Line::default()),
        Ok(Some(why)) => model.tell(format!("not here: {why}")),
        Err(_) => model.tell("without its consequences nothing is applied"),
    }
}

fn apply(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Fix(dialog)) = &mut model.overlay else { return Vec::new() };
    let Stage::Confirming(line) = &dialog.stage else { return Vec::new() };
    let approved = match &dialog.preview {
        Ok(preview) => preview.approve(&line.text()),
        Err(error) => Err(error.clone()),
    };
    match approved {
        Ok(approved) => {
            dialog.stage = Stage::Applying;
            vec![Effect::Apply(Box::new(approved))]
        }
        Err(error) => {
            model.tell(error.to_string());
            Vec::new()
        }
    }
}

/// The answer to [`Effect::Apply`].
pub fn applied(model: &mut Model, result: Result<Applied, FixError>) -> Vec<Effect> {
    model.dirty = true;
    let mut target = None;
    let outcome = Outcome::of(&result);
    let (words, bad) = (outcome.words.clone(), outcome.bad);
    if let Some(Overlay::Fix(dialog)) = &mut model.overlay {
        target = Some(dialog.plans[dialog.at].target.clone());
        (dialog.scroll, dialog.stage) = (0, Stage::Done(outcome));
    }
    if bad {
        model.fail(&words);
    } else {
        model.tell(words);
    }
    if let Ok(applied) = result {
        for held in applied.after {
            if let Some(update) = held.update(&model.inventory, model.now) {
                let inventory = std::sync::Arc::make_mut(&mut model.inventory);
                model.stale |= inventory.apply(update);
            }
        }
    }
    target.map(|target| Effect::Source(Command::Reread(target))).into_iter().collect()
}

/// What can be taken back.
#[derive(Debug)]
pub struct UndoList {
    /// Entries of the journal, newest first.
    pub entries: Vec<JournalEntry>,
    /// The chosen one.
    pub cursor: usize,
}

/// The answer to [`Effect::ReadJournal`].
pub fn undo_list(model: &mut Model, entries: Result<Vec<JournalEntry>, String>) {
    model.dirty = true;
    match entries {
        Ok(entries) => {
            let entries: Vec<JournalEntry> = fix::undoable(&entries).into_iter().cloned().collect();
            if entries.is_empty() {
                model.tell("undo: nothing that was changed from here is left to take back");
            } else {
                model.overlay = Some(Overlay::Undo(UndoList { entries, cursor: 0 }));
            }
        }
        Err(why) => model.fail(&format!("the journal cannot be read: {why}")),
    }
}

/// A key while the list is open.
pub fn press_undo(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    model.dirty = true;
    let action = model.keymap.action(key.into(), &[KeyContext::Everywhere]);
    let Some(Overlay::Undo(list)) = &mut model.overlay else { return Vec::new() };
    match action {
        Some(Action::Down) => list.cursor = (list.cursor + 1).min(list.entries.len().saturating_sub(1)),
        Some(Action::Up) => list.cursor = list.cursor.saturating_sub(1),
        Some(Action::Open) => {
            let entry = list.entries.get(list.cursor).cloned();
            if let (Some(entry), Some(context)) = (entry, context(model)) {
                match fix::undo::ways(&entry, &model.inventory, &context) {
                    Ok(fix::undo::Ways { whole, own: Some(Ok(own)) }) => show(model, vec![whole, own], None),
                    Ok(fix::undo::Ways { whole, own }) => show(model, vec![whole], own.and_then(Result::err)),
                    Err(error) => model.tell(format!("undo: {error}")),
                }
            }
        }
        Some(Action::Back | Action::Quit | Action::Undo) => model.overlay = None,
        _ => {}
    }
    Vec::new()
}
