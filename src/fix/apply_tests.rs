//! Applying against an executor with faults: drift, denied and lost writes, a journal that fails.

use std::collections::VecDeque;
use std::sync::Mutex;

use futures::FutureExt as _;
use futures::executor::block_on;
use futures::future::ready;
use serde_json::json;

use super::*;
use crate::fix::preview::preview_with;
use crate::fix::propose::propose;
use crate::fix::sample::{self, FOREIGN, KEY, TUNER, admins, at, context, finding, inventory};
use crate::fix::{DiffKind, GrantSpec, Rehearsal, unfinished};
use crate::inventory::{ErrorKind, Inventory, Mode, ReadError};
use crate::posture::Assessment;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// The n-th call (from 0) is denied and not made.
    Denied(usize),
    /// The n-th call is made, but its answer is lost.
    Lost(usize),
    /// The n-th call is denied, and reading fails from then on.
    Dark(usize),
    /// Calls succeed and change nothing.
    DoesNotStick,
    /// What is written shows up only at the third look.
    Late,
    /// Somebody changes the policy between preview and apply.
    Drift,
    /// Nothing.
    None,
}

struct Fake {
    rehearsal: Rehearsal,
    fault: Fault,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<String>,
    waits: u32,
    dark: bool,
    held_back: VecDeque<Change>,
}

impl Fake {
    fn new(inventory: &Inventory, fault: Fault) -> Self {
        let rehearsal = Rehearsal::new(inventory.clone(), Clock::manual(at(1000)));
        if fault == Fault::Drift {
            let policy = sample::policy(&[admins(), sample::allow("Since", json!({"AWS": TUNER}), json!("kms:Sign"))]);
            block_on(rehearsal.execute(&Change::PutKeyPolicy { key: KEY.into(), policy })).unwrap();
        }
        Self { rehearsal, fault, state: Mutex::default() }
    }

    fn denied() -> FixError {
        FixError::Call(ReadError {
            operation: "kms:PutKeyPolicy".into(),
            kind: ErrorKind::Denied,
            message: "no".into(),
            at: at(1000),
        })
    }

    fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }
}

impl Executor for Fake {
    fn reread<'a>(&'a self, spot: &'a Spot) -> BoxFuture<'a, Result<Held, FixError>> {
        if self.state.lock().unwrap().dark { ready(Err(Self::denied())).boxed() } else { self.rehearsal.reread(spot) }
    }

    fn execute<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Executed, FixError>> {
        let mut state = self.state.lock().unwrap();
        let n = state.calls.len();
        state.calls.push(change.operation().to_owned());
        match self.fault {
            Fault::Denied(at) if at == n => ready(Err(Self::denied())).boxed(),
            Fault::Dark(at) if at == n => {
                state.dark = true;
                ready(Err(Self::denied())).boxed()
            }
            Fault::Lost(at) if at == n => {
                self.rehearsal.execute(change).now_or_never().unwrap().unwrap();
                let error = ReadError {
                    operation: change.operation().into(),
                    kind: ErrorKind::Network,
                    message: "connection closed".into(),
                    at: at_now(),
                };
                ready(Err(FixError::Call(error))).boxed()
            }
            Fault::DoesNotStick => ready(Ok(Executed { grant_id: Some("g-new".into()) })).boxed(),
            Fault::Late => {
                state.held_back.push_back(change.clone());
                ready(Ok(Executed::default())).boxed()
            }
            _ => self.rehearsal.execute(change),
        }
    }

    fn settle(&self, attempt: u32) -> Option<BoxFuture<'_, ()>> {
        let mut state = self.state.lock().unwrap();
        state.waits += 1;
        if state.waits == 2 {
            for change in state.held_back.drain(..) {
                self.rehearsal.execute(&change).now_or_never().unwrap().unwrap();
            }
        }
        (attempt <= 3).then(|| ready(()).boxed())
    }
}

fn at_now() -> crate::base::Timestamp {
    at(1000)
}

/// A journal in memory that fails at the n-th entry.
struct Pages {
    entries: Mutex<Vec<JournalEntry>>,
    fails_at: Option<usize>,
}

impl Pages {
    fn new() -> Self {
        Self { entries: Mutex::default(), fails_at: None }
    }

    fn kinds(&self) -> Vec<EntryKind> {
        self.entries.lock().unwrap().iter().map(|entry| entry.kind).collect()
    }

    fn last(&self) -> FixRecord {
        self.entries.lock().unwrap().last().unwrap().fix().unwrap().clone()
    }
}

impl Recorder for Pages {
    fn record(&self, entry: &JournalEntry) -> Result<u64, FixError> {
        let mut entries = self.entries.lock().unwrap();
        if self.fails_at.is_some_and(|n| entries.len() >= n) {
            return Err(FixError::Journal("disk full".into()));
        }
        entries.push(entry.clone());
        Ok(entries.len() as u64)
    }
}

fn approve(plan: &Plan, inventory: &Inventory) -> Approved {
    preview_with(plan, inventory, &context(), &|_| Assessment::default()).unwrap().approve("orion-chat").unwrap()
}

fn statement_plan(inventory: &Inventory) -> Approved {
    let plans = propose(&finding("CUS-KMS-06", "missing-right", &[]), inventory, &context()).unwrap();
    approve(&plans[0], inventory)
}

/// A policy, a grant, a revocation: three calls.
fn long_plan(inventory: &Inventory) -> Approved {
    let key: ResourceId = KEY.into();
    let plans = propose(&finding("CUS-KMS-06", "missing-right", &[]), inventory, &context()).unwrap();
    let mut plan = plans[0].clone();
    plan.changes
        .push(Change::CreateGrant { key: key.clone(), grant: GrantSpec::new(&key, TUNER.into(), &["Decrypt"]) });
    let foreign = &inventory.keys[KEY].grants.known().unwrap()[1];
    plan.before.push(Precondition::grant(&key, foreign));
    plan.changes.push(Change::RevokeGrant { key, grant: foreign.id.clone() });
    approve(&plan, inventory)
}

fn with_foreign_grant() -> Inventory {
    let mut inventory = inventory(&[admins()]);
    let grants = inventory.keys.get_mut(KEY).unwrap().grants.known_mut().unwrap();
    grants.push(sample::grant("g-foreign", FOREIGN));
    inventory
}

fn run(approved: &Approved, fake: &Fake, pages: &Pages) -> Result<Applied, FixError> {
    block_on(apply(approved, fake, pages, &context().session, &Clock::manual(at(1000))))
}

use EntryKind::{Done, Failed, Intended, Refused, Unconfirmed};

#[test]
fn a_plan_is_made_read_back_and_remembered() {
    let before = with_foreign_grant();
    let (fake, pages) = (Fake::new(&before, Fault::None), Pages::new());
    let applied = run(&long_plan(&before), &fake, &pages).unwrap();
    assert_eq!(fake.calls(), ["kms:PutKeyPolicy", "kms:CreateGrant", "kms:RevokeGrant"]);
    assert_eq!(pages.kinds(), [Intended, Done]);
    let record = pages.last();
    assert_eq!((record.made, record.undo.len(), record.after.len()), (3, 3, 1));
    assert_eq!(record.before[0].key().unwrap().state.policy, *before.keys[KEY].policy.known().unwrap());
    // Undone in the other order; the new grant by its own id; the revoked one is made again.
    let operations: Vec<_> = applied.undo.iter().map(Change::operation).collect();
    assert_eq!(operations, ["kms:CreateGrant", "kms:RevokeGrant", "kms:PutKeyPolicy"]);
    let now = fake.rehearsal.inventory();
    let held = now.keys[KEY].grants.known().unwrap();
    assert!(matches!(&applied.undo[1], Change::RevokeGrant { grant, .. } if held.iter().any(|g| g.id == *grant)));
    assert!(applied.words.as_str().contains("made and read back on orion-chat") && applied.warning.is_none());
}

#[test]
fn drift_is_refused_with_the_difference_and_nothing_is_written() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::Drift), Pages::new());
    let Err(FixError::Drift { what, diff }) = run(&statement_plan(&before), &fake, &pages) else { panic!() };
    assert_eq!(what, "the policy of key orion-chat");
    assert!(diff.iter().any(|line| line.kind == DiffKind::Added && line.text.contains("Since")));
    assert_eq!((fake.calls().len(), pages.kinds()), (0, vec![Intended, Refused]));
    assert!(pages.last().error.unwrap().as_str().contains("has changed"));
}

#[test]
fn other_spacing_is_no_drift() {
    let before = inventory(&[admins()]);
    let approved = statement_plan(&before);
    let mut now = before.clone();
    let compact = now.keys[KEY].policy.known().unwrap().json().unwrap().to_string();
    *now.keys.get_mut(KEY).unwrap().policy.known_mut().unwrap() = Document::new(compact.clone());
    let (fake, pages) = (Fake::new(&now, Fault::None), Pages::new());
    let applied = run(&approved, &fake, &pages).unwrap();
    // The undo is exact: the bytes that were there, not those of the preview.
    assert_eq!(applied.undo, [Change::PutKeyPolicy { key: KEY.into(), policy: Document::new(compact) }]);
}

#[test]
fn a_journal_that_fails_stops_everything_before_it_begins() {
    let before = inventory(&[admins()]);
    let (fake, mut pages) = (Fake::new(&before, Fault::None), Pages::new());
    pages.fails_at = Some(0);
    let error = run(&statement_plan(&before), &fake, &pages).unwrap_err();
    assert!(error.to_string().contains("disk full") && error.to_string().contains("nothing was written"), "{error}");
    assert!(fake.calls().is_empty());
}

#[test]
fn a_journal_that_fails_at_the_end_is_a_warning_and_leaves_an_open_intent() {
    let before = inventory(&[admins()]);
    let (fake, mut pages) = (Fake::new(&before, Fault::None), Pages::new());
    pages.fails_at = Some(1);
    let applied = run(&statement_plan(&before), &fake, &pages).unwrap();
    assert!(applied.warning.unwrap().as_str().contains("the change IS made"));
    let entries = pages.entries.lock().unwrap();
    assert_eq!(unfinished(entries.iter()).len(), 1);
}

#[test]
fn a_crash_between_intent_and_end_shows_in_the_journal() {
    struct Crashes;
    impl Executor for Crashes {
        fn reread<'a>(&'a self, _: &'a Spot) -> BoxFuture<'a, Result<Held, FixError>> {
            futures::future::pending().boxed()
        }
        fn execute<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Result<Executed, FixError>> {
            futures::future::pending().boxed()
        }
    }
    let before = inventory(&[admins()]);
    let (approved, pages, clock) = (statement_plan(&before), Pages::new(), Clock::manual(at(1000)));
    let session = context().session;
    let dropped = apply(&approved, &Crashes, &pages, &session, &clock).now_or_never();
    assert!(dropped.is_none());
    let fake = Fake::new(&before, Fault::None);
    block_on(apply(&approved, &fake, &pages, &session, &Clock::manual(at(2000)))).unwrap();
    let entries = pages.entries.lock().unwrap();
    let open = unfinished(entries.iter());
    assert_eq!((entries.len(), open.len()), (3, 1));
    assert_eq!((open[0].kind, open[0].at), (Intended, at(1000)));
}

#[test]
fn a_denied_write_is_told_as_it_is() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::Denied(0)), Pages::new());
    let error = run(&statement_plan(&before), &fake, &pages).unwrap_err();
    assert_eq!(error, Fake::denied());
    assert_eq!(pages.kinds(), [Intended, Failed]);
    assert_eq!((pages.last().made, pages.last().undo.len()), (0, 0));
}

#[test]
fn a_failure_in_the_middle_says_what_was_done_and_what_not() {
    let before = with_foreign_grant();
    let (fake, pages) = (Fake::new(&before, Fault::Denied(1)), Pages::new());
    let error = run(&long_plan(&before), &fake, &pages).unwrap_err();
    let FixError::Partial { done, failed, state, not_tried, undo, .. } = &error else { panic!("{error}") };
    assert!(done[0].starts_with("kms:PutKeyPolicy") && failed.starts_with("kms:CreateGrant"), "{error}");
    assert!(not_tried[0].starts_with("kms:RevokeGrant g-foreign"));
    assert_eq!((*state, undo.len()), (Aftermath::NotMade, 1));
    let record = pages.last();
    assert_eq!((pages.kinds(), record.made), (vec![Intended, Failed], 1));
    assert_eq!(record.undo, *undo);
    assert_eq!(fake.calls().len(), 2);
}

#[test]
fn a_lost_answer_is_looked_up() {
    let before = with_foreign_grant();
    let (fake, pages) = (Fake::new(&before, Fault::Lost(1)), Pages::new());
    let error = run(&long_plan(&before), &fake, &pages).unwrap_err();
    let FixError::Partial { state, undo, .. } = &error else { panic!("{error}") };
    assert_eq!(*state, Aftermath::Made);
    assert!(error.to_string().contains("WAS made"), "{error}");
    assert_eq!(undo.iter().map(Change::operation).collect::<Vec<_>>(), ["kms:RevokeGrant", "kms:PutKeyPolicy"]);
    assert_eq!(pages.last().made, 2);
    let (fake, pages) = (Fake::new(&before, Fault::Dark(0)), Pages::new());
    let error = run(&long_plan(&before), &fake, &pages).unwrap_err();
    assert!(error.to_string().contains("is not known"), "{error}");
    assert_eq!(pages.kinds(), [Intended, Failed]);
}

#[test]
fn a_write_that_does_not_stick_is_not_done() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::DoesNotStick), Pages::new());
    let Err(FixError::NotConfirmedByRead { diff, .. }) = run(&statement_plan(&before), &fake, &pages) else { panic!() };
    assert!(diff.iter().any(|line| line.kind == DiffKind::Removed && line.text.contains("Bedwatch")));
    assert_eq!(pages.kinds(), [Intended, Unconfirmed]);
    assert_eq!(fake.state.lock().unwrap().waits, 4);
    assert_eq!(pages.last().undo.len(), 1, "it may still come true, so it can be undone");
}

#[test]
fn a_write_that_shows_late_is_waited_for() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::Late), Pages::new());
    run(&statement_plan(&before), &fake, &pages).unwrap();
    assert_eq!((pages.kinds(), fake.state.lock().unwrap().waits), (vec![Intended, Done], 2));
}

#[test]
fn what_is_undone_is_as_it_was() {
    let before = with_foreign_grant();
    let (fake, pages) = (Fake::new(&before, Fault::None), Pages::new());
    run(&statement_plan(&before), &fake, &pages).unwrap();
    let entry = pages.entries.lock().unwrap().last().unwrap().clone();
    let now = fake.rehearsal.inventory();
    let plan = crate::fix::undo(&entry, &now, &context()).unwrap();
    assert_eq!(plan.title.as_str(), "undo: let OrionTuner use orion-chat to invoke its models");
    let undone = run(&approve(&plan, &now), &fake, &pages).unwrap();
    assert!(undone.words.as_str().ends_with(": undone and read back on orion-chat"), "{}", undone.words);
    assert_eq!(fake.rehearsal.inventory().keys[KEY].policy.known(), before.keys[KEY].policy.known());
    let entries = pages.entries.lock().unwrap();
    // The run is undone; what undid it can be undone in turn.
    let left = crate::fix::undoable(entries.iter());
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].fix().unwrap().plan.undoes.as_ref(), Some(&entry.fix().unwrap().run));
}

#[test]
fn an_undo_does_not_overwrite_what_was_done_since() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::None), Pages::new());
    run(&statement_plan(&before), &fake, &pages).unwrap();
    let entry = pages.entries.lock().unwrap().last().unwrap().clone();
    let since = inventory(&[admins(), sample::allow("Since", json!({"AWS": TUNER}), json!("kms:Sign"))]);
    let plan = crate::fix::undo(&entry, &since, &context()).unwrap();
    let error = preview_with(&plan, &since, &context(), &|_| Assessment::default()).unwrap_err();
    assert!(matches!(error, FixError::Drift { .. }), "{error}");
}

/// Somebody edits the policy after a fix: the whole undo is refused, our own part can be taken out.
#[test]
fn only_our_own_statement_is_taken_out_of_what_others_changed() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::None), Pages::new());
    run(&statement_plan(&before), &fake, &pages).unwrap();
    let entry = pages.entries.lock().unwrap().last().unwrap().clone();
    assert_eq!(crate::fix::undo::ways(&entry, &fake.rehearsal.inventory(), &context()).unwrap().own, None);
    let ours = crate::fix::statement::Policy::read(fake.rehearsal.inventory().keys[KEY].policy.known().unwrap())
        .unwrap()
        .statements()[1]
        .clone();
    let since = sample::allow("Since", json!({"AWS": TUNER}), json!("kms:Sign"));
    let put = |statements: &[serde_json::Value]| {
        let change = Change::PutKeyPolicy { key: KEY.into(), policy: sample::policy(statements) };
        block_on(fake.rehearsal.execute(&change)).unwrap();
        fake.rehearsal.inventory()
    };
    let now = put(&[since.clone(), ours.clone(), admins()]);
    let ways = crate::fix::undo::ways(&entry, &now, &context()).unwrap();
    let drift = preview_with(&ways.whole, &now, &context(), &|_| Assessment::default()).unwrap_err();
    assert!(matches!(drift, FixError::Drift { .. }), "{drift}");
    let own = ways.own.unwrap().unwrap();
    assert!(own.title.as_str().starts_with("undo only our own statements: let OrionTuner"), "{}", own.title);
    run(&approve(&own, &now), &fake, &pages).unwrap();
    let policy = fake.rehearsal.inventory().keys[KEY].policy.known().unwrap().clone();
    assert!(policy.same_json(&sample::policy(&[since.clone(), admins()])), "{}", policy.raw());
    assert_eq!(crate::fix::undoable(pages.entries.lock().unwrap().iter()).len(), 1, "the first run is taken back");

    // Without our statement the key could be locked: the same check as for any other plan.
    let locked = put(&[since.clone(), ours.clone()]);
    let own = crate::fix::undo::ways(&entry, &locked, &context()).unwrap().own.unwrap().unwrap();
    let preview = preview_with(&own, &locked, &context(), &|_| Assessment::default()).unwrap();
    assert!(!preview.lockout.is_safe());

    let mut changed = ours;
    changed["Action"] = json!("kms:*");
    let now = put(&[since, changed, admins()]);
    let error = crate::fix::undo::ways(&entry, &now, &context()).unwrap().own.unwrap().unwrap_err().to_string();
    assert!(error.contains("\"BedwatchInvoke\" was changed since"), "{error}");
}

#[test]
fn what_cannot_be_undone_says_why() {
    let before = inventory(&[admins()]);
    let (fake, pages) = (Fake::new(&before, Fault::None), Pages::new());
    run(&statement_plan(&before), &fake, &pages).unwrap();
    let entries = pages.entries.lock().unwrap().clone();
    let ask = |entry: &JournalEntry, context: &crate::fix::Context| {
        crate::fix::undo(entry, &before, context).unwrap_err().to_string()
    };
    assert!(ask(&entries[0], &context()).contains("made no change"));
    let mut other = context();
    other.session.region = "eu-west-1".into();
    assert!(ask(&entries[1], &other).contains("switch there"));
    let mut demo = context();
    demo.session.mode = Mode::Demo;
    assert!(ask(&entries[1], &demo).contains("rehearsal"));
    let note = JournalEntry::new(EntryKind::Note, &context().session, at(1), Body::Text("n".into()));
    assert!(ask(&note, &context()).contains("changed nothing"));
}

#[test]
fn a_rehearsal_says_that_it_is_one_and_predicts_what_comes() {
    let before = with_foreign_grant();
    let (rehearsal, pages) = (Rehearsal::new(before.clone(), Clock::manual(at(1000))), Pages::new());
    let approved = long_plan(&before);
    let clock = Clock::manual(at(1000));
    let applied = block_on(apply(&approved, &rehearsal, &pages, &context().session, &clock)).unwrap();
    assert!(applied.rehearsed && applied.words.as_str().contains("rehearsed on the copy"));
    assert!(pages.last().rehearsed);
    let predicted = preview_with(approved.plan(), &before, &context(), &|_| Assessment::default()).unwrap().after;
    assert_eq!(rehearsal.inventory(), predicted);
    // The original stays as it was.
    assert_eq!(before, with_foreign_grant());
}
