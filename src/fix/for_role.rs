//! What single statements of a key policy give to whom: reading it, and giving or taking it for one
//! role without touching what others have.

use serde_json::{Value, json};

use super::error::FixError;
use super::statement::{Policy, strings, without_principals};
use crate::base::{Arn, ResourceId};

/// The account of an ARN, or twelve digits; none for `*`, services and unique ids.
pub(super) fn account_of(principal: &str) -> Option<String> {
    if principal.len() == 12 && principal.bytes().all(|b| b.is_ascii_digit()) {
        return Some(principal.to_owned());
    }
    principal.parse::<Arn>().ok().map(|arn| arn.account).filter(|account| !account.is_empty())
}

pub(super) fn aws_principals(statement: &Value) -> Vec<&str> {
    match statement.get("Principal") {
        Some(Value::String(any)) => vec![any],
        Some(principal) => principal.get("AWS").map(strings).unwrap_or_default(),
        None => Vec::new(),
    }
}

fn same_role(written: &str, role: &ResourceId) -> bool {
    role == written
}

/// Puts a statement for a role: replaces its own, joins one that says the same for others, or adds one.
pub(super) fn put_for_role(policy: &mut Policy, sid: &str, role: &ResourceId, actions: &[&str], condition: &Value) {
    let held = policy.position(sid).and_then(|index| policy.statements().get(index).cloned().map(|s| (index, s)));
    let fresh = |sid: &str| {
        json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": role.as_str()}, "Action": actions,
            "Resource": "*", "Condition": condition})
    };
    let Some((index, mut held)) = held else {
        policy.put(fresh(sid));
        return;
    };
    let others: Vec<&str> = aws_principals(&held).into_iter().filter(|name| !same_role(name, role)).collect();
    if others.is_empty() {
        policy.put(fresh(sid));
        return;
    }
    let same = held.get("Action").map(strings).unwrap_or_default() == actions
        && held.get("Condition") == Some(condition)
        && held.get("Effect").and_then(Value::as_str) == Some("Allow");
    if same {
        let mut all: Vec<&str> = others;
        all.push(role.as_str());
        let all = json!({"AWS": all});
        if let Some(principal) = held.get_mut("Principal") {
            *principal = all;
        }
        // The place was just looked up.
        let _ = policy.replace(index, held);
    } else {
        let sid = policy.free_sid(sid);
        policy.put(fresh(&sid));
    }
}

/// Takes `excess` from a role in one statement, and leaves all others what they have there.
pub(super) fn take_from_role(
    policy: &mut Policy,
    index: usize,
    role: &ResourceId,
    needed: &[&str],
    excess: &[&str],
) -> Result<(), FixError> {
    let Some(statement) = policy.statements().get(index).cloned() else { return Ok(()) };
    let names = aws_principals(&statement);
    if !names.iter().any(|name| same_role(name, role)) {
        return Err(FixError::Unsupported(format!(
            "statement {index} of the key policy gives {} its rights without naming it: edit the policy by hand",
            role.last()
        )));
    }
    let alone =
        names.len() == 1 && statement.get("Principal").and_then(|p| p.as_object()).is_some_and(|p| p.len() == 1);
    let listed = statement.get("Action").map(strings).unwrap_or_default();
    let wild = listed.is_empty() || listed.iter().any(|action| action.contains(['*', '?']));
    let kept: Vec<&str> = if wild {
        needed.to_vec()
    } else {
        listed.into_iter().filter(|action| !excess.iter().any(|e| e.eq_ignore_ascii_case(action))).collect()
    };
    let own = (!kept.is_empty()).then(|| {
        let mut own = statement.clone();
        if let Some(map) = own.as_object_mut() {
            // In place when it is there, so that the order of the author stays.
            map.shift_remove("NotAction");
            map.insert("Action".to_owned(), json!(kept));
        }
        own
    });
    if alone {
        return match own {
            Some(own) => policy.replace(index, own),
            None => policy.remove(index).map(drop),
        };
    }
    if let Some(rest) = without_principals(&statement, |name| same_role(name, role)) {
        policy.replace(index, rest)?;
    }
    if let Some(mut own) = own {
        let sid = policy.free_sid("BedwatchNarrowed");
        if let Some(map) = own.as_object_mut() {
            map.insert("Principal".to_owned(), json!({"AWS": role.as_str()}));
            map.insert("Sid".to_owned(), Value::String(sid));
        }
        policy.put(own);
    }
    Ok(())
}

/// Whether statements that name the role still list all that it needs.
pub(super) fn keeps(policy: &Policy, role: &ResourceId, needed: &[&str]) -> bool {
    needed.iter().all(|action| {
        policy.statements().iter().any(|statement| {
            statement.get("Effect").and_then(Value::as_str) == Some("Allow")
                && aws_principals(statement).iter().any(|name| same_role(name, role))
                && statement
                    .get("Action")
                    .map(strings)
                    .unwrap_or_default()
                    .iter()
                    .any(|a| a.eq_ignore_ascii_case(action))
        })
    })
}
