//! Taking a fix back: a plan made from the journal, which then goes the same way as any other
//! (preview, lockout check, confirmation, re-read, journal).

use super::apply::KeySnapshot;
use super::change::Change;
use super::error::FixError;
use super::journal::JournalEntry;
use super::plan::{Context, Plan, Precondition};
use super::statement;
use crate::base::Text;
use crate::inventory::{Inventory, Mode};

/// The plan that takes back what an entry says was done.
pub fn undo(entry: &JournalEntry, inventory: &Inventory, context: &Context) -> Result<Plan, FixError> {
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
    let target = &record.plan.target.id;
    let key = inventory
        .keys
        .get(target)
        .ok_or_else(|| FixError::Gone(format!("key {target} is not in the inventory: press r")))?;
    let known = || -> Result<KeySnapshot, FixError> {
        let name = key.label();
        let policy = key.policy.known().map_err(|why| FixError::not_known(format!("policy of key {name}"), &why))?;
        let grants = key.grants.known().map_err(|why| FixError::not_known(format!("grants of key {name}"), &why))?;
        Ok(KeySnapshot { policy: policy.clone(), grants: grants.clone() })
    };
    // why what was read back then, and not what is there now: an edit that somebody made since must
    // be seen as a difference, not be overwritten.
    let then = record.after.iter().find(|held| held.key == *target).map(|held| held.state.clone());
    let then = match then {
        Some(then) => then,
        None => known()?,
    };
    let mut before = Vec::new();
    let mut caveats = Vec::new();
    for change in &record.undo {
        match change {
            Change::PutKeyPolicy { key, policy } => {
                before.push(Precondition::policy(key, &then.policy));
                caveats.extend(statement::orphans(policy).into_iter().map(|id| {
                    Text::new(format!("the prior policy names {id}, a principal that was deleted: KMS will refuse it"))
                }));
            }
            Change::RevokeGrant { key, grant } => match then.grants.iter().find(|held| held.id == *grant) {
                Some(held) => before.push(Precondition::grant(key, held)),
                None => return Err(FixError::Gone(format!("grant {grant} is not there any more: nothing to undo"))),
            },
            Change::CreateGrant { .. } => {
                before.push(Precondition::policy(&key.arn, &then.policy));
                caveats.push(Text::new("the grant is made again with the same fields; its id will be another"));
            }
        }
    }
    before.dedup();
    let title = format!("undo: {}", record.plan.title);
    let plan = Plan::draft(&record.plan.fix, title, key, record.undo.clone(), None, context);
    Ok(Plan { before, caveats, undoes: Some(record.run.clone()), ..plan })
}
