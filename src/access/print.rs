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
                let block = blocks.entry(operator(condition)).or_insert_with(|| json!({}));
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
            held.push(entry.written().into());
        }
    }
    Value::Object(kinds)
}
