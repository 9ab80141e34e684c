//! Editing a key policy: a statement is added, replaced or removed; the order of keys, the author's
//! layout (one line or many) and everything else stay.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::error::FixError;
use crate::base::text::safe;
use crate::inventory::Document;
use crate::inventory::document::MalformedDocument;

/// A key policy that is being edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    root: Map<String, Value>,
    compact: bool,
}

impl Policy {
    /// Reads a document. A single `Statement` object becomes a list of one.
    pub fn read(document: &Document) -> Result<Self, FixError> {
        let Value::Object(mut root) = parse(document)? else {
            return Err(FixError::Policy("it is no JSON object".to_owned()));
        };
        match root.get_mut("Statement") {
            Some(Value::Array(_)) => {}
            Some(single @ Value::Object(_)) => {
                let only = single.take();
                *single = Value::Array(vec![only]);
            }
            Some(_) => return Err(FixError::Policy("'Statement' is neither a list nor an object".to_owned())),
            None => return Err(FixError::Policy("it has no 'Statement'".to_owned())),
        }
        Ok(Self { root, compact: !document.raw().trim().contains('\n') })
    }

    /// The statements.
    pub fn statements(&self) -> &[Value] {
        match self.root.get("Statement") {
            Some(Value::Array(statements)) => statements,
            _ => &[],
        }
    }

    /// What stands beside the statements: `Version`, `Id`.
    pub(super) fn around(&self) -> Map<String, Value> {
        self.root.iter().filter(|(name, _)| *name != "Statement").map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    /// Sets or removes what stands beside the statements.
    pub(super) fn set_around(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => drop(self.root.insert(name.to_owned(), value)),
            None => drop(self.root.shift_remove(name)),
        }
    }

    /// Puts a statement before the one at a place, or at the end.
    pub(super) fn insert(&mut self, index: usize, statement: Value) {
        if let Some(statements) = self.statements_mut() {
            statements.insert(index.min(statements.len()), statement);
        }
    }

    fn statements_mut(&mut self) -> Option<&mut Vec<Value>> {
        self.root.get_mut("Statement").and_then(Value::as_array_mut)
    }

    /// Where the statement with this Sid stands.
    pub fn position(&self, sid: &str) -> Option<usize> {
        self.statements().iter().position(|statement| statement.get("Sid").and_then(Value::as_str) == Some(sid))
    }

    /// A Sid that is not taken: `wanted`, else `wanted2`, `wanted3`, …
    pub fn free_sid(&self, wanted: &str) -> String {
        if self.position(wanted).is_none() {
            return wanted.to_owned();
        }
        // One of these is free: there are more of them than statements.
        (2..=self.statements().len() + 2)
            .map(|n| format!("{wanted}{n}"))
            .find(|sid| self.position(sid).is_none())
            .unwrap_or_default()
    }

    /// Replaces the statement of the same Sid where it stands, or adds it at the end.
    pub fn put(&mut self, statement: Value) -> Put {
        let held = statement.get("Sid").and_then(Value::as_str).and_then(|sid| self.position(sid));
        let Some(statements) = self.statements_mut() else { return Put::Added };
        if let Some(place) = held.and_then(|index| statements.get_mut(index)) {
            *place = statement;
            return Put::Replaced;
        }
        statements.push(statement);
        Put::Added
    }

    /// Replaces the statement at a place.
    pub fn replace(&mut self, index: usize, statement: Value) -> Result<(), FixError> {
        let place =
            self.statements_mut().and_then(|statements| statements.get_mut(index)).ok_or_else(|| no_such(index))?;
        *place = statement;
        Ok(())
    }

    /// Removes the statement at a place.
    pub fn remove(&mut self, index: usize) -> Result<Value, FixError> {
        match self.statements_mut() {
            Some(statements) if index < statements.len() => Ok(statements.remove(index)),
            _ => Err(no_such(index)),
        }
    }

    /// The document, laid out as it was read, checked as [`validate`] does.
    pub fn write(&self) -> Result<Document, FixError> {
        let json = Value::Object(self.root.clone());
        let document = if self.compact { Document::new(json.to_string()) } else { Document::pretty(&json) };
        validate(&document)?;
        Ok(document)
    }
}

/// What [`Policy::put`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// There was none of that Sid.
    Added,
    /// There was one, and it was replaced.
    Replaced,
}

fn no_such(index: usize) -> FixError {
    FixError::Gone(format!("the policy has no statement {index} any more: press r"))
}

/// Whether KMS would take this document and heed all of it (AWS KMS Developer Guide, "Key policies";
/// API Reference, PutKeyPolicy). Principals that do not exist are only known to KMS.
pub fn validate(document: &Document) -> Result<(), FixError> {
    let bad = |why: String| Err(FixError::Policy(why));
    let policy = Policy::read(document)?;
    let (bytes, limit) = (document.raw().len(), Document::KEY_POLICY_LIMIT);
    if bytes > limit {
        return Err(FixError::TooLarge { bytes, limit });
    }
    if let Some(c) = document.raw().chars().find(|c| !matches!(c, '\t' | '\n' | '\r' | '\x20'..='\u{ff}')) {
        return bad(format!("it holds U+{:04X}, which KMS does not take: write it as \\u{:04x}", c as u32, c as u32));
    }
    match policy.root.get("Version").and_then(Value::as_str) {
        Some("2012-10-17" | "2008-10-17") => {}
        Some(other) => return bad(format!("'Version' is '{}', not '2012-10-17'", safe(other))),
        None => return bad("it has no 'Version': write \"Version\": \"2012-10-17\"".to_owned()),
    }
    if policy.statements().is_empty() {
        return bad("it has no statement: nobody could use or manage the key".to_owned());
    }
    let mut sids = BTreeSet::new();
    for (index, statement) in policy.statements().iter().enumerate() {
        let Value::Object(statement) = statement else { return bad(format!("statement {index} is no object")) };
        let sid = statement.get("Sid").and_then(Value::as_str);
        let which = sid.map_or_else(|| format!("statement {index}"), |sid| format!("statement '{}'", safe(sid)));
        if let Some(sid) = sid
            && !sids.insert(sid)
        {
            return bad(format!("the Sid '{}' is there twice", safe(sid)));
        }
        if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
            return bad(format!("{which}: 'Effect' must be \"Allow\" or \"Deny\""));
        }
        // why refused although KMS takes it: such a statement has no effect, which nobody means.
        for (one, other) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")] {
            match (statement.contains_key(one), statement.contains_key(other)) {
                (false, false) => return bad(format!("{which} has no '{one}', so it would have no effect")),
                (true, true) => return bad(format!("{which} has both '{one}' and '{other}'")),
                _ => {}
            }
        }
        const KNOWN: &[&str] = &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        if let Some(unknown) = statement.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return bad(format!("{which} has an unknown element '{}'", safe(unknown)));
        }
        for part in ["Principal", "NotPrincipal"] {
            if let Some(wrong) = statement.get(part).and_then(wrong_principal) {
                return bad(format!("{which}: {wrong}"));
            }
        }
    }
    Ok(())
}

fn wrong_principal(principal: &Value) -> Option<String> {
    match principal {
        Value::String(any) if any == "*" => None,
        Value::Object(kinds) if !kinds.is_empty() => kinds.iter().find_map(|(kind, value)| {
            if !matches!(kind.as_str(), "AWS" | "Service" | "Federated" | "CanonicalUser") {
                return Some(format!("unknown kind of principal '{}'", safe(kind)));
            }
            let names = strings(value);
            if names.is_empty() {
                return Some(format!("the list of '{kind}' principals is empty"));
            }
            names.into_iter().find_map(|name| match name {
                "*" => None,
                name if name.contains(['*', '?']) => {
                    Some(format!("'{}': a wildcard may only stand alone as a principal", safe(name)))
                }
                name if name.contains(":group/") => Some(format!("'{}': a group is no principal", safe(name))),
                _ => None,
            })
        }),
        _ => Some("'Principal' is neither \"*\" nor an object of principals".to_owned()),
    }
}

/// A string, or a list of strings, as a list.
pub fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Removes from a string or list all that `gone` says; `None` when nothing is left.
pub fn without(value: &Value, gone: impl Fn(&str) -> bool) -> Option<Value> {
    match value {
        Value::String(one) => (!gone(one)).then(|| value.clone()),
        Value::Array(many) => {
            let kept: Vec<Value> = many.iter().filter(|v| !v.as_str().is_some_and(&gone)).cloned().collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => Some(value.clone()),
    }
}

/// The statement without these `AWS` principals; `None` when it has no principal left. A statement
/// for everyone (`"Principal": "*"`) loses it when `gone("*")`.
pub fn without_principals(statement: &Value, gone: impl Fn(&str) -> bool) -> Option<Value> {
    let mut statement = statement.clone();
    let principal = statement.get_mut("Principal")?;
    match principal {
        Value::String(any) if gone(any) => return None,
        Value::Object(kinds) => {
            if let Some(aws) = kinds.get("AWS") {
                match without(aws, &gone) {
                    Some(kept) => {
                        kinds.insert("AWS".to_owned(), kept);
                    }
                    None => {
                        kinds.shift_remove("AWS");
                    }
                }
            }
            if kinds.is_empty() {
                return None;
            }
        }
        _ => {}
    }
    Some(statement)
}

/// Unique ids (`AIDA…`, `AROA…`) that stand for principals which were deleted: KMS refuses a policy
/// that names one when it is written (IAM User Guide, "Unique identifiers").
pub fn orphans(document: &Document) -> Vec<String> {
    let Ok(policy) = Policy::read(document) else { return Vec::new() };
    let mut found = BTreeSet::new();
    for statement in policy.statements() {
        for part in ["Principal", "NotPrincipal"] {
            let aws = statement.get(part).and_then(|principal| principal.get("AWS"));
            for name in aws.map(strings).unwrap_or_default() {
                let id = name.len() >= 16 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
                if id && ["AIDA", "AROA"].iter().any(|prefix| name.starts_with(prefix)) {
                    found.insert(name.to_owned());
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Whether two policies mean the same after what KMS may rewrite: spacing, one value or a list of
/// one, twelve digits or the ARN of the account's root, the order within a list.
pub fn same_policy(a: &Document, b: &Document) -> bool {
    if a.same_json(b) {
        return true;
    }
    match (Policy::read(a), Policy::read(b)) {
        (Ok(a), Ok(b)) => {
            let plain = |policy: &Policy| {
                let mut root = policy.root.clone();
                let statements = policy.statements().iter().map(canonical).collect();
                root.insert("Statement".to_owned(), Value::Array(statements));
                Value::Object(root)
            };
            plain(&a) == plain(&b)
        }
        _ => false,
    }
}

/// A statement after what KMS may rewrite, for comparing.
pub(super) fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    let value = match (key.as_str(), value) {
                        ("AWS", value) => {
                            let accounts = strings(value).into_iter().map(root_account).map(Value::from).collect();
                            canonical(&Value::Array(accounts))
                        }
                        ("Sid" | "Effect", value) => value.clone(),
                        (_, value @ Value::String(_)) => Value::Array(vec![value.clone()]),
                        (_, value) => canonical(value),
                    };
                    (key.clone(), value)
                })
                .collect(),
        ),
        Value::Array(many) => {
            let mut many: Vec<Value> = many.iter().map(canonical).collect();
            many.sort_by_key(Value::to_string);
            many.dedup();
            Value::Array(many)
        }
        other => other.clone(),
    }
}

/// `arn:aws:iam::123456789012:root` → `123456789012`; anything else as it is.
fn root_account(principal: &str) -> String {
    let account = principal.strip_suffix(":root").and_then(|rest| rest.rsplit(':').next());
    account.unwrap_or(principal).to_owned()
}

/// Parses a document; a key that stands twice in one object is an error, because readers differ in
/// which of the two they heed.
pub fn parse(document: &Document) -> Result<Value, FixError> {
    serde_json::from_str::<Strict>(document.raw()).map(|strict| strict.0).map_err(|error| {
        let text = error.to_string();
        let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
        FixError::Json(MalformedDocument { line: error.line(), column: error.column(), why: safe(why).into_owned() })
    })
}

/// A JSON value in which no object has the same key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strict, A::Error> {
                let mut items = Vec::new();
                while let Some(Strict(item)) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Strict(items.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Strict, A::Error> {
                let mut map = Map::new();
                while let Some(key) = access.next_key::<String>()? {
                    if map.contains_key(&key) {
                        return Err(de::Error::custom(format!("the key \"{key}\" is there twice")));
                    }
                    let Strict(value) = access.next_value()?;
                    map.insert(key, value);
                }
                Ok(Strict(map.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
