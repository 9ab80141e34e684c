//! A policy back as JSON: the same meaning, in AWS's order of elements.

use serde_json::{Map, Value, json};

use super::policy::{Effect, Policy, Statement, Version};
use super::principal::{PrincipalEntry, Principals};
use super::{Condition, SetOperator};

impl Policy {
    /// As JSON. A malformed statement is printed as far as it was read.
    pub fn to_json(&self) -> Value {
        let mut top = Map::new();
        let version = match self.version {
            Version::V2012 => "2012-10-17",
            Version::V2008 => "2008-10-17",
        };
        top.insert("Version".into(), version.into());
        let lone = self.statements.first().filter(|one| !one.in_array);
        let statements = match lone {
            Some(one) => one.to_json(),
            None => self.statements.iter().map(Statement::to_json).collect(),
        };
        top.insert("Statement".into(), statements);
        Value::Object(top)
    }
}

/// What a statement means, as a text to compare by: without its name and place.
pub(super) fn meaning(statement: &Statement) -> String {
    let mut json = statement.to_json();
    json.as_object_mut().map(|object| object.shift_remove("Sid"));
    json.to_string()
}

impl Statement {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        if !self.sid.is_empty() {
            out.insert("Sid".into(), self.sid.as_str().into());
        }
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        out.insert("Effect".into(), effect.into());
        if let Some(principals) = &self.principals {
            let name = if principals.negated { "NotPrincipal" } else { "Principal" };
            out.insert(name.into(), principals_json(principals));
        }
        if let Some(actions) = &self.actions {
            let name = if actions.negated { "NotAction" } else { "Action" };
            out.insert(name.into(), list(&actions.patterns));
        }
        if let Some(resources) = &self.resources {
            let name = if resources.negated { "NotResource" } else { "Resource" };
            out.insert(name.into(), list(&resources.patterns));
        }
        if !self.conditions.is_empty() {
            let mut blocks = Map::new();
            for condition in &self.conditions {
                let name = operator(condition);
                // why cases: an author may have written one operator twice, in other letters, on one key.
                let mut free = (0_u64..)
                    .map(|n| cased(&name, n))
                    .filter(|name| blocks.get(name).is_none_or(|block| block.get(&condition.key).is_none()));
                let name = free.next().unwrap_or(name);
                let block = blocks.entry(name).or_insert_with(|| json!({}));
                block[&condition.key] = list(&condition.values);
            }
            out.insert("Condition".into(), Value::Object(blocks));
        }
        Value::Object(out)
    }
}

fn operator(condition: &Condition) -> String {
    let set = match condition.set {
        Some(SetOperator::ForAllValues) => "ForAllValues:",
        Some(SetOperator::ForAnyValue) => "ForAnyValue:",
        None => "",
    };
    let exists = if condition.if_exists { "IfExists" } else { "" };
    format!("{set}{}{exists}", condition.operator.word())
}

/// A name with the case of some letters turned, by the bits of a number: operators are read in either case.
fn cased(name: &str, turned: u64) -> String {
    let letter = |(at, c): (usize, char)| match c {
        c if at < 64 && (turned >> at) & 1 == 1 && c.is_ascii_lowercase() => c.to_ascii_uppercase(),
        c if at < 64 && (turned >> at) & 1 == 1 => c.to_ascii_lowercase(),
        c => c,
    };
    name.chars().enumerate().map(letter).collect()
}

fn list(texts: &[String]) -> Value {
    match texts {
        [one] => one.as_str().into(),
        many => many.into(),
    }
}

fn principals_json(principals: &Principals) -> Value {
    if let [PrincipalEntry::Everyone] = principals.entries[..] {
        return "*".into();
    }
    let mut kinds: Map<String, Value> = Map::new();
    for entry in &principals.entries {
        let kind = match entry {
            PrincipalEntry::Service(_) => "Service",
            PrincipalEntry::Federated(_) => "Federated",
            PrincipalEntry::Canonical(_) => "CanonicalUser",
            _ => "AWS",
        };
        let held = kinds.entry(kind).or_insert_with(|| json!([]));
        if let Some(held) = held.as_array_mut() {
            held.push(match entry {
                // Only twelve digits may stand alone.
                PrincipalEntry::Account(id) if id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit()) => {
                    format!("arn:aws:iam::{id}:root").into()
                }
                entry => entry.written().into(),
            });
        }
    }
    Value::Object(kinds)
}
