//! Making an approved plan: remember, re-read, compare, write, read back, remember. Knows no AWS:
//! it drives an [`Executor`].

use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::change::{Change, Spot};
use super::diff;
use super::error::{Aftermath, FixError};
use super::journal::{Body, EntryKind, FixRecord, Held, JournalEntry, KeyState, Recorder};
use super::plan::{Plan, Precondition, grant_digest};
use super::statement::same_policy;
use crate::base::{Clock, ResourceId, Text, digest};
use crate::inventory::kms::Grant;
use crate::inventory::{Document, SessionInfo};

/// What is there now, read just for this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeySnapshot {
    /// `GetKeyPolicy`, as it came.
    pub policy: Document,
    /// `ListGrants`, every page.
    pub grants: Vec<Grant>,
}

/// What a call answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Executed {
    /// `GrantId` of a `CreateGrant`.
    pub grant_id: Option<ResourceId>,
}

/// Who makes the calls: the write half of the AWS room, a rehearsal on a copy, a test.
pub trait Executor: Send + Sync {
    /// Reads a key's policy and grants, or a bucket's setting, from AWS now, past any cache.
    fn reread<'a>(&'a self, spot: &'a Spot) -> BoxFuture<'a, Result<Held, FixError>>;

    /// Makes one call. An error of AWS is a [`FixError::Call`].
    fn execute<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Executed, FixError>>;

    /// Whether nothing leaves the machine.
    fn rehearses(&self) -> bool {
        false
    }

    /// Waits before the `attempt`-th look (from 1) at what was written: KMS takes up to some minutes
    /// to show a change everywhere. `None`: look no more.
    fn settle(&self, attempt: u32) -> Option<BoxFuture<'_, ()>> {
        (attempt <= 5).then(|| {
            let wait: BoxFuture<'_, ()> = Box::pin(tokio::time::sleep(Duration::from_millis(150 << attempt)));
            wait
        })
    }
}

/// A plan whose preview was shown and which a person confirmed. Only
/// [`super::preview::Preview::approve`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved(Plan);

impl Approved {
    pub(super) fn new(plan: Plan) -> Self {
        Self(plan)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// A plan that was made and read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What the entries of the journal have in common.
    pub run: String,
    /// Whether it was only rehearsed on a copy.
    pub rehearsed: bool,
    /// What was read back, for the inventory.
    pub after: Vec<Held>,
    /// Changes that take it back.
    pub undo: Vec<Change>,
    /// One sentence for the screen.
    pub words: Text,
    /// What went wrong without undoing the change: the journal's last entry could not be written.
    pub warning: Option<Text>,
}

/// Makes an approved plan. Before anything is written, the intent is on disk and the state is
/// re-read and compared; after it, every change is read back. Whatever happens is in the journal.
pub async fn apply(
    approved: &Approved,
    executor: &dyn Executor,
    recorder: &dyn Recorder,
    session: &SessionInfo,
    clock: &Clock,
) -> Result<Applied, FixError> {
    let plan = approved.plan();
    let mut run = Run {
        recorder,
        session,
        clock,
        record: FixRecord {
            run: run_id(plan, session, clock),
            plan: plan.clone(),
            rehearsed: executor.rehearses(),
            before: Vec::new(),
            after: Vec::new(),
            made: 0,
            undo: Vec::new(),
            error: None,
        },
    };
    run.write(EntryKind::Intended)?;
    match check(plan, executor).await {
        Ok(before) => run.record.before = before,
        Err(error) => return Err(run.end(EntryKind::Refused, error)),
    }
    for (index, change) in plan.changes.iter().enumerate() {
        match executor.execute(change).await {
            Ok(executed) => run.made(change, executed.grant_id),
            Err(error) => {
                let error = run.stopped(index, change, error, executor).await;
                return Err(run.end(EntryKind::Failed, error));
            }
        }
    }
    match read_back(&run, executor).await {
        Ok(after) => run.record.after = after,
        Err(error) => return Err(run.end(EntryKind::Unconfirmed, error)),
    }
    let warning = run.write(EntryKind::Done).err().map(|error| {
        Text::new(format!("the change IS made, but its last journal entry could not be written ({error})"))
    });
    let target = &plan.target_name;
    let words = if run.record.rehearsed {
        format!("{}: rehearsed on the copy of {target}; nothing was sent", plan.fix)
    } else {
        let done = if plan.undoes.is_some() { "undone" } else { "made" };
        format!("{}: {done} and read back on {target}", plan.fix)
    };
    let FixRecord { run, rehearsed, after, undo, .. } = run.record;
    Ok(Applied { run, rehearsed, after, undo, words: words.into(), warning })
}

/// Re-reads what a plan is made on and compares it with what its preview saw. Nothing is written.
/// Returns it as it is now.
pub async fn check(plan: &Plan, executor: &dyn Executor) -> Result<Vec<Held>, FixError> {
    let mut now = Vec::new();
    for spot in plan.spots() {
        now.push(executor.reread(&spot).await?);
    }
    compare(plan, &now)?;
    Ok(now)
}

/// Whether the plan's preconditions hold in these states.
pub(super) fn compare(plan: &Plan, now: &[Held]) -> Result<(), FixError> {
    for precondition in &plan.before {
        let spot = precondition.spot();
        match now.iter().find(|held| held.is_of(&spot)) {
            Some(held) => holds(precondition, held, &plan.target_name)?,
            None => return Err(FixError::Gone(format!("{} was not read", spot.id()))),
        }
    }
    Ok(())
}

fn holds(precondition: &Precondition, now: &Held, name: &Text) -> Result<(), FixError> {
    match (precondition, now) {
        (Precondition::Policy { sha256, seen, .. }, Held::Key(KeyState { state: now, .. })) => {
            if digest::sha256(now.policy.raw()) == *sha256 || now.policy.same_json(seen) {
                return Ok(());
            }
            Err(FixError::Drift { what: format!("the policy of key {name}"), diff: diff::policies(seen, &now.policy) })
        }
        (Precondition::Grant { sha256, seen, .. }, Held::Key(KeyState { state: now, .. })) => {
            let held = now.grants.iter().find(|grant| grant.id == seen.id);
            match held {
                Some(held) if grant_digest(held) == *sha256 => Ok(()),
                held => Err(FixError::Drift {
                    what: format!("grant {} on key {name}", seen.id),
                    diff: diff::lines(&json_lines(Some(seen)), &json_lines(held)),
                }),
            }
        }
        (Precondition::Setting { seen, .. }, Held::Setting(now)) if now.setting == *seen => Ok(()),
        (Precondition::Setting { seen, .. }, Held::Setting(now)) => Err(FixError::Drift {
            what: format!("bucket {name}"),
            diff: diff::lines(&json_lines(Some(seen)), &json_lines(Some(&now.setting))),
        }),
        _ => Err(FixError::Gone(format!("{} was not read", precondition.spot().id()))),
    }
}

/// A thing as lines of JSON; nothing if it is not there.
pub(super) fn json_lines(value: Option<&impl Serialize>) -> String {
    value.and_then(|value| serde_json::to_string_pretty(value).ok()).unwrap_or_default()
}

/// One run through a plan, and what is remembered of it.
struct Run<'a> {
    recorder: &'a dyn Recorder,
    session: &'a SessionInfo,
    clock: &'a Clock,
    record: FixRecord,
}

impl Run<'_> {
    fn write(&self, kind: EntryKind) -> Result<u64, FixError> {
        let body = Body::Fix(Box::new(self.record.clone()));
        self.recorder.record(&JournalEntry::new(kind, self.session, self.clock.now(), body))
    }

    /// Writes the last entry of a run that did not succeed; returns the error to show.
    fn end(&mut self, kind: EntryKind, error: FixError) -> FixError {
        self.record.error = Some(error.text());
        // why its failure is dropped: what happened to the key matters more than the journal's error,
        // and the entry of the intent stays behind as unfinished.
        let _ = self.write(kind);
        error
    }

    /// Notes a change that was made, and what takes it back (the last one first).
    fn made(&mut self, change: &Change, grant_id: Option<ResourceId>) {
        self.record.made += 1;
        if let Some(undo) = inverse(change, &self.record.before, grant_id) {
            self.record.undo.insert(0, undo);
        }
    }

    /// After a failed call: looks whether it was made all the same (an answer can be lost), and says
    /// what was done and what was not.
    async fn stopped(&mut self, index: usize, change: &Change, error: FixError, executor: &dyn Executor) -> FixError {
        let refused = matches!(&error, FixError::Call(call) if call.kind == crate::inventory::ErrorKind::Refused);
        let spot = change.spot();
        let state = match executor.reread(&spot).await {
            _ if refused => Aftermath::NotMade,
            Ok(now) if is_made(change, &now) => Aftermath::Made,
            Ok(_) => Aftermath::NotMade,
            Err(_) => Aftermath::NotKnown,
        };
        let changes = &self.record.plan.changes;
        let words = |changes: &[Change]| changes.iter().map(Change::words).collect::<Vec<_>>();
        let done = words(changes.get(..index).unwrap_or_default());
        let not_tried = words(changes.get(index + 1..).unwrap_or_default());
        if state == Aftermath::NotMade && done.is_empty() && not_tried.is_empty() {
            return error;
        }
        if state == Aftermath::Made {
            let id = executor.reread(&spot).await.ok().and_then(|now| grant_of(change, &now));
            self.made(change, id);
        }
        let undo = self.record.undo.clone();
        FixError::Partial { done, failed: change.words(), why: error.to_string(), state, not_tried, undo }
    }
}

/// What takes a change back, given the state before it and the id that a grant got.
pub(super) fn inverse(change: &Change, before: &[Held], grant_id: Option<ResourceId>) -> Option<Change> {
    let spot = change.spot();
    let held = before.iter().find(|held| held.is_of(&spot))?;
    if let (Change::PutSetting { bucket, .. }, Held::Setting(was)) = (change, held) {
        return Some(Change::PutSetting { bucket: bucket.clone(), setting: was.setting.clone() });
    }
    let held = &held.key()?.state;
    match change {
        Change::PutKeyPolicy { key, .. } => {
            Some(Change::PutKeyPolicy { key: key.clone(), policy: held.policy.clone() })
        }
        Change::CreateGrant { key, grant } => {
            // A grant that was there before is not ours to take away: the call returned it unchanged.
            let was_there = held.grants.iter().any(|held| grant.made(held));
            grant_id.filter(|_| !was_there).map(|grant| Change::RevokeGrant { key: key.clone(), grant })
        }
        Change::RevokeGrant { key, grant } => {
            let grant = held.grants.iter().find(|held| held.id == *grant)?;
            Some(Change::CreateGrant { key: key.clone(), grant: super::change::GrantSpec::again(key, grant) })
        }
        Change::PutSetting { .. } => None,
    }
}

fn grant_of(change: &Change, now: &Held) -> Option<ResourceId> {
    let Change::CreateGrant { grant, .. } = change else { return None };
    now.key()?.state.grants.iter().find(|held| grant.made(held)).map(|held| held.id.clone())
}

/// Whether what was read shows the change.
fn is_made(change: &Change, now: &Held) -> bool {
    match (change, now) {
        (Change::PutSetting { setting, .. }, Held::Setting(now)) => now.setting == *setting,
        (Change::PutKeyPolicy { policy, .. }, Held::Key(now)) => same_policy(policy, &now.state.policy),
        (Change::CreateGrant { grant, .. }, Held::Key(now)) => now.state.grants.iter().any(|held| grant.made(held)),
        (Change::RevokeGrant { grant, .. }, Held::Key(now)) => now.state.grants.iter().all(|held| held.id != *grant),
        _ => false,
    }
}

/// Looks until every change can be seen, or until the executor has waited long enough.
async fn read_back(run: &Run<'_>, executor: &dyn Executor) -> Result<Vec<Held>, FixError> {
    let plan = &run.record.plan;
    let mut attempt = 0;
    loop {
        let mut now = Vec::new();
        let mut wrong = None;
        for spot in plan.spots() {
            match executor.reread(&spot).await {
                Ok(held) => now.push(held),
                Err(error) => wrong = Some((format!("the change on {}", spot.id()), vec![failure_line(&error)])),
            }
        }
        for change in &plan.changes {
            let spot = change.spot();
            let held = now.iter().find(|held| held.is_of(&spot));
            if let Some(held) = held.filter(|held| !is_made(change, held)) {
                let diff = match (change, held) {
                    (Change::PutKeyPolicy { policy, .. }, Held::Key(now)) => diff::policies(policy, &now.state.policy),
                    (Change::PutSetting { setting, .. }, Held::Setting(now)) => {
                        diff::lines(&json_lines(Some(setting)), &json_lines(Some(&now.setting)))
                    }
                    _ => Vec::new(),
                };
                wrong = Some((change.words(), diff));
            }
        }
        let Some((what, diff)) = wrong else { return Ok(now) };
        attempt += 1;
        match executor.settle(attempt) {
            Some(wait) => wait.await,
            None => return Err(FixError::NotConfirmedByRead { what, diff }),
        }
    }
}

fn failure_line(error: &FixError) -> super::error::DiffLine {
    super::error::DiffLine { kind: super::error::DiffKind::Same, text: error.text().to_string() }
}

/// A run is told from another by what, who and when.
fn run_id(plan: &Plan, session: &SessionInfo, clock: &Clock) -> String {
    let all = digest::sha256(format!("{}\n{}\n{}", plan.id, session.principal, clock.now().millis()));
    all.get(..16).unwrap_or(&all).to_owned()
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
