//! Taking a fix back: a plan made from the journal, which then goes the same way as any other
//! (preview, lockout check, confirmation, re-read, journal).

use super::apply::KeySnapshot;
use super::change::{Change, Spot};
use super::error::FixError;
use super::journal::{FixRecord, Held, JournalEntry};
use super::plan::{Context, Plan, Precondition};
use super::{merge, statement, target};
use crate::base::Text;
use crate::inventory::kms::Key;
use crate::inventory::{Document, Inventory, Kind, Mode};

/// How a fix can be taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Ways {
    /// All as it was before. Refused by its preview if the policy has changed since.
    pub whole: Plan,
    /// If the policy has changed since: only what the fix itself put in, or why that cannot be.
    pub own: Option<Result<Plan, FixError>>,
}

/// The plan that takes back what an entry says was done, wholly.
pub fn undo(entry: &JournalEntry, inventory: &Inventory, context: &Context) -> Result<Plan, FixError> {
    ways(entry, inventory, context).map(|ways| ways.whole)
}

/// The plans that take back what an entry says was done.
pub fn ways(entry: &JournalEntry, inventory: &Inventory, context: &Context) -> Result<Ways, FixError> {
    let record = takeable(entry, context)?;
    let target = &record.plan.target;
    if target.kind == Kind::Bucket {
        return Ok(Ways { whole: settings(record, inventory, context)?, own: None });
    }
    let key = inventory
        .keys
        .get(&target.id)
        .ok_or_else(|| FixError::Gone(format!("key {} is not in the inventory: press r", target.id)))?;
    // why what was read back then, and not what is there now: an edit that somebody made since must
    // be seen as a difference, not be overwritten.
    let then = record.after.iter().filter_map(Held::key).find(|held| held.key == target.id);
    let then = match then {
        Some(then) => then.state.clone(),
        None => match target::look(inventory, &Spot::Key(target.id.clone()))? {
            Held::Key(held) => held.state,
            Held::Setting(_) => return Err(FixError::Gone(format!("key {} was not read", target.id))),
        },
    };
    let bench = Bench { record, key, context, then: &then };
    let whole = bench.plan(format!("undo: {}", record.plan.title), record.undo.clone(), &then.policy)?;
    Ok(Ways { whole, own: bench.own()? })
}

/// The plan that sets the settings of a bucket back.
fn settings(record: &FixRecord, inventory: &Inventory, context: &Context) -> Result<Plan, FixError> {
    let id = &record.plan.target.id;
    let bucket = inventory
        .buckets
        .get(id)
        .ok_or_else(|| FixError::Gone(format!("bucket {id} is not in the inventory: press r")))?;
    let [Change::PutSetting { setting, .. }] = record.undo.as_slice() else {
        return Err(FixError::Unsupported("this run set more than one setting: undo it by hand".to_owned()));
    };
    let title = format!("undo: {}", record.plan.title);
    let plan = Plan::for_setting(&record.plan.fix, title, bucket, setting.clone(), None, context)?;
    let then = record.after.iter().find_map(|held| match held {
        Held::Setting(held) => Some(Precondition::Setting { bucket: held.bucket.clone(), seen: held.setting.clone() }),
        Held::Key(_) => None,
    });
    // What was read back then, as above.
    let before = then.map_or_else(|| plan.before.clone(), |then| vec![then]);
    Ok(Plan { before, undoes: Some(record.run.clone()), ..plan })
}

/// The record of an entry that can be taken back in this session.
fn takeable<'a>(entry: &'a JournalEntry, context: &Context) -> Result<&'a FixRecord, FixError> {
    let cannot = |why: &str| Err(FixError::Unsupported(why.to_owned()));
    let Some(record) = entry.fix() else {
        return cannot("this journal entry changed nothing, there is nothing to undo");
    };
    if record.undo.is_empty() {
        return cannot("this run made no change, there is nothing to undo");
    }
    let session = &context.session;
    if (&entry.account, &entry.region) != (&session.account, &session.region) {
        return Err(FixError::Unsupported(format!(
            "this was done in {} {}: switch there to undo it",
            entry.account, entry.region
        )));
    }
    if record.rehearsed != matches!(session.mode, Mode::Demo | Mode::Case) {
        return cannot("a rehearsal and a live session cannot undo each other");
    }
    Ok(record)
}

/// A run on the bench.
struct Bench<'a> {
    record: &'a FixRecord,
    key: &'a Key,
    context: &'a Context,
    then: &'a KeySnapshot,
}

impl Bench<'_> {
    /// The plan of these changes, to be made on this policy and on the grants of then.
    fn plan(&self, title: String, changes: Vec<Change>, seen: &Document) -> Result<Plan, FixError> {
        let mut before = Vec::new();
        let mut caveats = Vec::new();
        for change in &changes {
            match change {
                Change::PutKeyPolicy { key, policy } => {
                    before.push(Precondition::policy(key, seen));
                    caveats.extend(statement::orphans(policy).into_iter().map(|id| {
                        Text::new(format!(
                            "the prior policy names {id}, a principal that was deleted: KMS will refuse it"
                        ))
                    }));
                }
                Change::RevokeGrant { key, grant } => match self.then.grants.iter().find(|held| held.id == *grant) {
                    Some(held) => before.push(Precondition::grant(key, held)),
                    None => {
                        return Err(FixError::Gone(format!("grant {grant} is not there any more: nothing to undo")));
                    }
                },
                Change::CreateGrant { .. } => {
                    before.push(Precondition::policy(&self.key.arn, seen));
                    caveats.push(Text::new("the grant is made again with the same fields; its id will be another"));
                }
                Change::PutSetting { bucket, .. } => {
                    return Err(FixError::Unsupported(format!("bucket {} is no part of this key", bucket.name)));
                }
            }
        }
        before.dedup();
        let plan = Plan::draft(&self.record.plan.fix, title, self.key, changes, None, self.context);
        Ok(Plan { before, caveats, undoes: Some(self.record.run.clone()), ..plan })
    }

    /// If the policy is not as the run left it: the plan that takes out only what the run put in.
    fn own(&self) -> Result<Option<Result<Plan, FixError>>, FixError> {
        let prior = self.record.undo.iter().find_map(|change| match change {
            Change::PutKeyPolicy { policy, .. } => Some(policy),
            _ => None,
        });
        // What was read back, else what was written: after a failure nobody read.
        let left = if self.record.after.is_empty() { self.record.plan.policy() } else { Some(&self.then.policy) };
        let (Some(prior), Some(left), Ok(now)) = (prior, left, self.key.policy.known()) else { return Ok(None) };
        if statement::same_policy(left, now) {
            return Ok(None);
        }
        let taken = match merge::take_out(prior, left, now) {
            Ok(taken) => taken,
            Err(error) => return Ok(Some(Err(error))),
        };
        let changes = self.record.undo.iter().map(|change| match change {
            Change::PutKeyPolicy { key, .. } => Change::PutKeyPolicy { key: key.clone(), policy: taken.policy.clone() },
            other => other.clone(),
        });
        let title = format!("undo only our own statements: {}", self.record.plan.title);
        let mut plan = self.plan(title, changes.collect(), now)?;
        plan.caveats.push("the policy was changed since; what others did to it stays".into());
        if !taken.gone.is_empty() {
            plan.caveats.push(Text::new(format!("gone already: {}", taken.gone.join(", "))));
        }
        Ok(Some(Ok(plan)))
    }
}
