//! What if the policy were another, or a grant were not there: who would gain and who would lose. A policy is
//! edited and grants are switched off on a copy; nothing of it is written from here. An edited key policy can be handed
//! to the fix dialog, which has its own gates.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent};
use tui_textarea::{CursorMove, TextArea};

use super::ask::{Asked, Part, Question, Reply, target};
use super::board::CellOf;
use crate::access::remarks::remarks;
use crate::access::who::{Difference, diff, who_of};
use crate::access::{Layer, Matrix, People, Policy, Scenario, Target, catalogue};
use crate::base::{ResourceId, Text};
use crate::fix;
use crate::inventory::kms::Grant;
use crate::inventory::{Document, Inventory, Kind, Read, ResourceRef};
use crate::tui::fixing;
use crate::tui::keymap::{Action, Context};
use crate::tui::message::Effect;
use crate::tui::model::{Model, Overlay};

/// A state of things to try.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What is edited: the resource itself, or the key that a model is under.
    pub holder: ResourceRef,
    /// Its policy, if that is another.
    pub policy: Option<Document>,
    /// Grants that are taken away.
    pub without: BTreeSet<ResourceId>,
}

/// What it would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Who gains and who loses, gains of everybody and of other accounts first.
    pub changes: Vec<Difference>,
    /// Why there may be more.
    pub gaps: Vec<Text>,
    /// What is to be said against the policy that was not to be said before.
    pub remarks: Vec<Text>,
    /// How many principals and actions were compared.
    pub compared: (usize, usize),
}

/// The part that takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The policy.
    Policy,
    /// The grants.
    Grants,
    /// What would change.
    Changes,
}

/// What if.
#[derive(Debug)]
pub struct WhatIf {
    /// Whose matrix.
    pub of: ResourceRef,
    /// What is edited.
    pub holder: ResourceRef,
    /// What that is: `key policy of orion-chat`.
    pub what: String,
    /// The policy being edited; none where there is no policy to edit.
    pub editor: Option<Box<TextArea<'static>>>,
    /// What is wrong with it now.
    pub wrong: Option<String>,
    /// The grants there are.
    pub grants: Vec<Grant>,
    /// Those taken away.
    pub without: BTreeSet<ResourceId>,
    /// What takes the keys.
    pub focus: Focus,
    /// The grant under the cursor.
    pub cursor: usize,
    /// The first change shown.
    pub scroll: usize,
    /// What would change, once answered.
    pub outcome: Option<Result<Box<Outcome>, String>>,
    original: String,
    asking: Option<(u64, Stamp)>,
    answered: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq)]
struct Stamp(Option<String>, BTreeSet<ResourceId>, u64);

/// Opens it for a resource, or says why there is nothing to try.
///
/// With a cell the cursor stands on the statement that decides it.
pub fn open(model: &mut Model, of: &ResourceRef, cell: Option<&CellOf>) {
    let explanation = cell.and_then(|cell| model.matrices.get(of)?.explanation(cell)?.as_ref().ok());
    let decides = explanation.and_then(|explanation| {
        let mut by = explanation.answer.decision.by().iter();
        by.find(|by| matches!(by.layer, Layer::KeyPolicy | Layer::ResourcePolicy))?.pointer.clone()
    });
    match editable(&model.inventory, of) {
        Ok(mut what_if) => {
            what_if.point_at(decides.as_deref());
            model.overlay = Some(Overlay::WhatIf(Box::new(what_if)));
        }
        Err(why) => model.tell(format!("what if: {why}")),
    }
}

/// A policy to begin with, where there is none.
const EMPTY: &str = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}";

fn editable(inventory: &Inventory, of: &ResourceRef) -> Result<WhatIf, String> {
    let name = inventory.name_of(of);
    let gone = || format!("{} {name} is not in the inventory (any more)", of.kind.word());
    let begin = |document: Option<&Document>| document.map_or_else(|| EMPTY.to_owned(), Document::shown);
    let key_of = |id: &ResourceId, of: &ResourceRef| {
        let key = inventory.keys.get(id).ok_or_else(|| format!("key {id} is not in the inventory"))?;
        let policy = key.policy.known().map_err(|why| format!("the policy of key {}: {why}", key.label()))?;
        let mut grants = key.grants.known().cloned().unwrap_or_default();
        let owner = key.arn.arn().map(|arn| arn.account).unwrap_or_default();
        // why: who is not of this account is whom one would rather be without.
        grants.sort_by_key(|grant| grant.grantee.arn().is_none_or(|arn| arn.account == owner));
        let holder = ResourceRef::new(Kind::Key, &key.arn);
        Ok(WhatIf::new(of, holder, format!("key policy of {}", key.label()), begin(Some(policy)), grants))
    };
    let own = |what: String, text: String| Ok(WhatIf::new(of, of.clone(), what, text, Vec::new()));
    match of.kind {
        Kind::Key => key_of(&of.id, of),
        Kind::Model | Kind::ImportedModel => {
            let key = match (inventory.models.get(&of.id), inventory.imported_models.get(&of.id)) {
                (Some(model), _) => model.detail.known().map(|detail| detail.kms_key.clone()),
                (None, Some(model)) => model.detail.known().map(|detail| detail.kms_key.clone()),
                (None, None) => return Err(gone()),
            };
            match key.map_err(|why| format!("the key of the model: {why}"))? {
                Some(key) => key_of(&key, of),
                None => Err(format!(
                    "{name} is under a key of AWS: who may use it is decided by the callers' own policies alone"
                )),
            }
        }
        Kind::Bucket => {
            let bucket = inventory.buckets.get(&of.id).ok_or_else(gone)?;
            let policy = bucket.policy.known().map_err(|why| format!("the policy of bucket {name}: {why}"))?;
            own(format!("bucket policy of {name}"), begin(policy.as_ref()))
        }
        Kind::Role => {
            let role = inventory.roles.get(&of.id).ok_or_else(gone)?;
            own(format!("trust policy of {name}"), begin(Some(&role.trust)))
        }
        kind => Err(format!("a {} has no policy of its own: the callers' own policies decide", kind.word())),
    }
}

impl WhatIf {
    fn new(of: &ResourceRef, holder: ResourceRef, what: String, text: String, grants: Vec<Grant>) -> Self {
        let mut editor = TextArea::new(text.lines().map(str::to_owned).collect());
        editor.set_cursor_line_style(ratatui::style::Style::new());
        let original = editor.lines().join("\n");
        Self {
            of: of.clone(),
            holder,
            what,
            editor: Some(Box::new(editor)),
            wrong: None,
            grants,
            without: BTreeSet::new(),
            focus: Focus::Policy,
            cursor: 0,
            scroll: 0,
            outcome: None,
            original,
            asking: None,
            answered: None,
        }
    }

    /// Puts the cursor on a statement (`/Statement/1`).
    fn point_at(&mut self, pointer: Option<&str>) {
        let Some(text) = self.text() else { return };
        let policy = Policy::parse(&Document::new(text.as_str())).ok();
        let statements = policy.into_iter().flat_map(|policy| policy.statements);
        let Some(found) = pointer.and_then(|at| statements.into_iter().find(|one| one.pointer() == at)) else { return };
        // why its end: the text is scrolled until the cursor is seen, and the whole statement is wanted.
        let row = text.get(..found.span.end).map_or(0, |head| head.matches('\n').count());
        if let Some(editor) = &mut self.editor {
            editor.move_cursor(CursorMove::Jump(u16::try_from(row).unwrap_or(u16::MAX), 0));
        }
    }

    fn text(&self) -> Option<String> {
        self.editor.as_ref().map(|editor| editor.lines().join("\n"))
    }

    /// Whether the policy is another than the real one.
    pub fn is_edited(&self) -> bool {
        self.text().is_some_and(|text| text != self.original)
    }

    /// The edited policy, if a fix can write it; else why not.
    pub fn to_write(&self) -> Result<Document, String> {
        if self.holder.kind != Kind::Key {
            return Err(format!("only policies of keys are written from here, and this is the {}", self.what));
        }
        match (self.text().filter(|_| self.is_edited()), &self.wrong) {
            (_, Some(why)) => Err(format!("the policy is not valid: {why}")),
            (None, None) => Err("the policy is not edited: there is nothing to write".to_owned()),
            (Some(text), None) => Ok(Document::new(text)),
        }
    }

    /// Whether what is shown belongs to what is in the editor now.
    pub fn is_current(&self) -> bool {
        let shown = self.answered.as_ref().map(|Stamp(text, without, _)| (text, without));
        self.wrong.is_none() && shown == Some((&self.text().filter(|_| self.is_edited()), &self.without))
    }

    /// Whether this answer is the one that it waits for.
    pub fn waits_for(&self, id: u64) -> bool {
        self.asking.as_ref().is_some_and(|(held, _)| *held == id)
    }

    /// Takes the answer.
    pub fn take(&mut self, reply: Reply) {
        let Some((_, stamp)) = self.asking.take() else { return };
        self.outcome = Some(match reply.part {
            Part::WhatIf(outcome) => outcome,
            Part::Broken(why) => Err(why),
            _ => return,
        });
        self.answered = Some(stamp);
        self.scroll = 0;
    }

    fn check(&mut self) {
        self.wrong = self.text().and_then(|text| problem(&self.holder, &Document::new(text)));
    }

    fn step(&mut self, by: isize) {
        match self.focus {
            Focus::Policy => {}
            Focus::Grants => {
                self.cursor = self.cursor.saturating_add_signed(by).min(self.grants.len().saturating_sub(1));
            }
            Focus::Changes => {
                let last = super::what_if_view::lines(self, 200).len().saturating_sub(1);
                self.scroll = self.scroll.saturating_add_signed(by).min(last);
            }
        }
    }

    fn turn(&mut self, forward: bool) {
        let all: &[Focus] = if self.grants.is_empty() {
            &[Focus::Policy, Focus::Changes]
        } else {
            &[Focus::Policy, Focus::Grants, Focus::Changes]
        };
        let at = all.iter().position(|one| *one == self.focus).unwrap_or(0);
        self.focus = all[(at + if forward { 1 } else { all.len() - 1 }) % all.len()];
    }
}

/// What AWS would not take, or would not heed.
fn problem(holder: &ResourceRef, document: &Document) -> Option<String> {
    if holder.kind == Kind::Key {
        return fix::statement::validate(document).err().map(|error| error.to_string());
    }
    match Policy::parse(document) {
        Err(error) => Some(error.to_string()),
        Ok(policy) => policy.malformed().next().map(|(statement, why)| format!("{}: {why}", statement.label())),
    }
}

/// A key while it is open.
pub fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    model.dirty = true;
    let half = (crate::tui::layout::page_size(model.size).1 / 4).max(1).cast_signed();
    let action = model.keymap.action(key.into(), &[Context::WhatIf, Context::Everywhere]);
    let Some(Overlay::WhatIf(what_if)) = &mut model.overlay else { return Vec::new() };
    if key.code == KeyCode::Esc {
        model.overlay = None;
        return Vec::new();
    }
    match (what_if.focus, action) {
        (_, Some(Action::WhatIfFix)) => plan(model),
        (_, Some(Action::WhatIfNext)) => what_if.turn(true),
        (_, Some(Action::WhatIfPrevious)) => what_if.turn(false),
        (Focus::Policy, _) => {
            if let Some(editor) = &mut what_if.editor
                && editor.input(key)
            {
                what_if.check();
            }
        }
        (Focus::Grants, Some(Action::WhatIfToggle)) => {
            if let Some(id) = what_if.grants.get(what_if.cursor).map(|grant| grant.id.clone())
                && !what_if.without.remove(&id)
            {
                what_if.without.insert(id);
            }
        }
        (_, Some(Action::Down)) => what_if.step(1),
        (_, Some(Action::Up)) => what_if.step(-1),
        (_, Some(Action::HalfDown)) => what_if.step(half),
        (_, Some(Action::HalfUp)) => what_if.step(-half),
        (_, Some(Action::Top)) => what_if.step(isize::MIN / 2),
        (_, Some(Action::Bottom)) => what_if.step(isize::MAX / 2),
        (_, Some(Action::Quit)) => model.overlay = None,
        _ => {}
    }
    Vec::new()
}

/// Hands the edited policy to the fix dialog, as the plan that writes exactly it.
fn plan(model: &mut Model) {
    let Some(Overlay::WhatIf(what_if)) = &model.overlay else { return };
    let policy = match what_if.to_write() {
        Ok(policy) => policy,
        Err(why) => return model.tell(format!("fix: {why}")),
    };
    let (key, left) = (what_if.holder.id.clone(), !what_if.without.is_empty());
    fixing::open_written(model, &key, policy);
    if left && matches!(model.overlay, Some(Overlay::Fix(_))) {
        model.tell("the plan writes the policy; the grants that are off here are not a part of it");
    }
}

/// Takes pasted text into the policy.
pub fn paste(what_if: &mut WhatIf, text: &str) {
    if what_if.focus == Focus::Policy
        && let Some(editor) = &mut what_if.editor
    {
        editor.insert_str(crate::base::text::safe_lines(text));
        what_if.check();
    }
}

/// What it asks of the evaluator now: one question at a time, and the newest text.
pub fn wants(model: &mut Model) -> Vec<Effect> {
    let Some(session) = model.session.clone() else { return Vec::new() };
    let (inventory, trusted) = (model.inventory.clone(), model.options.expect.trusted_accounts.clone());
    let (now, revision, id) = (model.now, model.revision, model.matrices.next_id());
    let Some(Overlay::WhatIf(what_if)) = &mut model.overlay else { return Vec::new() };
    if what_if.asking.is_some() || what_if.wrong.is_some() {
        return Vec::new();
    }
    let policy = what_if.text().filter(|_| what_if.is_edited());
    let stamp = Stamp(policy, what_if.without.clone(), revision);
    if what_if.answered.as_ref() == Some(&stamp) {
        return Vec::new();
    }
    let draft =
        Draft { holder: what_if.holder.clone(), policy: stamp.0.clone().map(Document::new), without: stamp.1.clone() };
    what_if.asking = Some((id, stamp));
    let (of, asked) = (what_if.of.clone(), Asked::WhatIf(Box::new(draft)));
    vec![Effect::Ask(Box::new(Question { id, inventory, session, trusted, of, now, asked }))]
}

/// Compares what is with what would be.
pub fn outcome(question: &Question, draft: &Draft) -> Result<Outcome, String> {
    let before = &*question.inventory;
    let mut after = before.clone();
    let holder = &draft.holder;
    if let Some(policy) = &draft.policy {
        let gone = || format!("{} is not in the inventory any more", before.name_of(holder));
        match holder.kind {
            Kind::Key => {
                let key = after.keys.get_mut(&holder.id).ok_or_else(gone)?;
                key.policy = Read::got(policy.clone(), question.now);
            }
            Kind::Bucket => {
                let bucket = after.buckets.get_mut(&holder.id).ok_or_else(gone)?;
                bucket.policy = Read::got(Some(policy.clone()), question.now);
            }
            Kind::Role => after.roles.get_mut(&holder.id).ok_or_else(gone)?.trust = policy.clone(),
            kind => return Err(format!("a {} has no policy of its own", kind.word())),
        }
    }
    if !draft.without.is_empty()
        && let Some(grants) = after.keys.get_mut(&holder.id).and_then(|key| key.grants.known_mut())
    {
        grants.retain(|grant| !draft.without.contains(&grant.id));
    }
    let mut about = vec![question.of.clone()];
    if question.of != *holder {
        about.push(holder.clone());
    }
    let mut found = Outcome { changes: Vec::new(), gaps: Vec::new(), remarks: Vec::new(), compared: (0, 0) };
    for of in &about {
        let (old, new) = (target(before, &question.session, of)?, target(&after, &question.session, of)?);
        let actions = compared(&old, draft.policy.as_ref());
        if of == holder {
            let said = |inventory: &Inventory, target: &Target| remarks(inventory, target, question.now);
            let held: Vec<Text> = said(before, &old).into_iter().map(|one| one.remark.line()).collect();
            let new = said(&after, &new).into_iter().map(|one| one.remark.line());
            found.remarks.extend(new.filter(|line| !held.contains(line)));
        }
        let ask = |inventory: &Inventory, target: &Target| -> Matrix {
            who_of(inventory, &mut People::of(inventory), target, &actions, &Scenario::open())
        };
        let (old, new) = (ask(before, &old), ask(&after, &new));
        found.changes.extend(diff(&old, &new));
        found.gaps.extend(new.gaps.iter().filter(|gap| !found.gaps.contains(gap)).cloned().collect::<Vec<_>>());
        found.compared = (found.compared.0.max(new.rows.len()), found.compared.1 + actions.len());
    }
    found
        .changes
        .sort_by(|a, b| (a.shift, !a.foreign, &a.who, &a.action).cmp(&(b.shift, !b.foreign, &b.who, &b.action)));
    Ok(found)
}

/// The actions that are compared: all that are asked of a key; else those that matter and those that the policy names.
fn compared(target: &Target, policy: Option<&Document>) -> Vec<String> {
    if target.arn().service == "kms" {
        return catalogue::of_type("kms", "key");
    }
    let mut all: Vec<String> = target.actions().iter().map(|action| (*action).to_owned()).collect();
    let named = policy.and_then(|document| Policy::parse(document).ok()).into_iter().flat_map(|policy| {
        let patterns = policy.statements.into_iter().filter_map(|statement| statement.actions);
        patterns.flat_map(|actions| actions.patterns).collect::<Vec<_>>()
    });
    for action in named.filter(|action| !action.contains(['*', '?', '$']) && action.contains(':')) {
        if !all.iter().any(|held| held.eq_ignore_ascii_case(&action)) {
            all.push(action);
        }
    }
    all
}
