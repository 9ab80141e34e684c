//! Taking out of a policy what one change put in, and nothing else: a three-way merge of statements.
//! What others have done to the policy since stays; where they changed ours too, it is refused.

use serde_json::Value;

use super::error::FixError;
use super::statement::{Policy, canonical};
use crate::base::text::safe;
use crate::inventory::Document;

/// A policy without what one change put in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TakenOut {
    /// The policy.
    pub policy: Document,
    /// What was ours and had gone already.
    pub gone: Vec<String>,
}

/// What a change did to one statement.
#[derive(Debug)]
enum Edit<'a> {
    /// It put this in.
    Added(&'a Value),
    /// It took this out; where that stood.
    Removed(&'a Value, usize),
    /// It put the second in the place of the first.
    Replaced(&'a Value, &'a Value),
}

/// `before` → `left` is what the change did; `now` is what is there. Statements are the same if they
/// are after what KMS may rewrite, wherever they stand.
pub(super) fn take_out(before: &Document, left: &Document, now: &Document) -> Result<TakenOut, FixError> {
    let (before, left, mut policy) = (Policy::read(before)?, Policy::read(left)?, Policy::read(now)?);
    let mut gone = Vec::new();
    let mut taken = 0;
    for edit in edits(&before, &left) {
        let done = match edit {
            Edit::Added(ours) => remove(&mut policy, ours),
            Edit::Removed(was, at) => restore(&mut policy, was, at, &before, &left),
            Edit::Replaced(was, ours) => replace(&mut policy, was, ours),
        }?;
        match done {
            Some(name) => gone.push(name),
            None => taken += 1,
        }
    }
    taken += around(&before, &left, &mut policy)?;
    if taken == 0 {
        return Err(FixError::Gone("what this fix put in is not in the policy any more: nothing to undo".to_owned()));
    }
    Ok(TakenOut { policy: policy.write()?, gone })
}

/// What a change did: statements are paired by Sid, those without one by their place.
fn edits<'a>(before: &'a Policy, left: &'a Policy) -> Vec<Edit<'a>> {
    let (old, new) = (before.statements(), left.statements());
    let (removed, mut added) = (others(old, new), others(new, old));
    let mut edits = Vec::new();
    for (at, was) in removed {
        let same_place = |index: usize, ours: &Value| sid(ours).is_none() && index == at && old.len() == new.len();
        let pair = added.iter().position(|(index, ours)| match sid(was) {
            Some(name) => sid(ours) == Some(name),
            None => same_place(*index, ours),
        });
        edits.push(match pair {
            Some(pair) => Edit::Replaced(was, added.remove(pair).1),
            None => Edit::Removed(was, at),
        });
    }
    edits.extend(added.into_iter().map(|(_, ours)| Edit::Added(ours)));
    edits
}

/// Statements of the one list that the other does not have, with their places. What stands twice
/// counts twice.
fn others<'a>(these: &'a [Value], those: &[Value]) -> Vec<(usize, &'a Value)> {
    let mut those: Vec<Value> = those.iter().map(canonical).collect();
    let mut is_there = |statement: &Value| {
        let place = those.iter().position(|held| *held == canonical(statement));
        place.map(|place| those.swap_remove(place)).is_some()
    };
    these.iter().enumerate().filter(|(_, statement)| !is_there(statement)).collect()
}

fn sid(statement: &Value) -> Option<&str> {
    statement.get("Sid").and_then(Value::as_str)
}

fn name(statement: &Value) -> String {
    sid(statement).map_or_else(|| "a statement without a Sid".to_owned(), |sid| format!("\"{}\"", safe(sid)))
}

fn place(policy: &Policy, statement: &Value) -> Option<usize> {
    let wanted = canonical(statement);
    policy.statements().iter().position(|held| canonical(held) == wanted)
}

fn count(policy: &Policy, statement: &Value) -> usize {
    let wanted = canonical(statement);
    policy.statements().iter().filter(|held| canonical(held) == wanted).count()
}

fn changed(statement: &Value, how: &str) -> FixError {
    FixError::Unsupported(format!(
        "our own statement cannot be taken out alone: {} {how}; edit the policy by hand",
        name(statement)
    ))
}

/// Removes what was added. Returns its name if it had gone already.
fn remove(policy: &mut Policy, ours: &Value) -> Result<Option<String>, FixError> {
    if let Some(at) = place(policy, ours) {
        return policy.remove(at).map(|_| None);
    }
    match sid(ours) {
        Some(sid) if policy.position(sid).is_none() => Ok(Some(name(ours))),
        Some(_) => Err(changed(ours, "was changed since")),
        None => Err(changed(ours, "was changed or removed since")),
    }
}

/// Puts back what stood in the place of ours.
fn replace(policy: &mut Policy, was: &Value, ours: &Value) -> Result<Option<String>, FixError> {
    match place(policy, ours) {
        Some(at) => policy.replace(at, was.clone()).map(|()| None),
        None if place(policy, was).is_some() => Ok(Some(name(ours))),
        None => Err(changed(ours, "was changed or removed since")),
    }
}

/// Puts back what was taken out: behind the statement that it stood behind, if that is still there.
fn restore(
    policy: &mut Policy,
    was: &Value,
    at: usize,
    before: &Policy,
    left: &Policy,
) -> Result<Option<String>, FixError> {
    if count(policy, was) > count(left, was) {
        return Ok(Some(name(was)));
    }
    if sid(was).is_some_and(|sid| policy.position(sid).is_some()) {
        return Err(changed(was, "was removed by this fix, and another statement has its Sid now"));
    }
    let earlier = before.statements().get(..at).unwrap_or_default();
    let behind = earlier.iter().rev().find_map(|statement| place(policy, statement));
    policy.insert(behind.map_or(0, |index| index + 1), was.clone());
    Ok(None)
}

/// `Version` and `Id`: as before the change, where it changed them and nobody did since.
fn around(before: &Policy, left: &Policy, policy: &mut Policy) -> Result<usize, FixError> {
    let (old, ours, now) = (before.around(), left.around(), policy.around());
    let mut taken = 0;
    for name in old.keys().chain(ours.keys().filter(|name| !old.contains_key(*name))) {
        let (old, ours, now) = (old.get(name), ours.get(name), now.get(name));
        if old == ours || old == now {
            continue;
        }
        if now != ours {
            return Err(FixError::Unsupported(format!(
                "'{}' of the policy was changed by this fix and again since; edit the policy by hand",
                safe(name)
            )));
        }
        policy.set_around(name, old.cloned());
        taken += 1;
    }
    Ok(taken)
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
