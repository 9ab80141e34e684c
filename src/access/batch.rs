//! `access-eval`: one case as JSON in, one verdict as JSON out. Everything that an evaluation needs stands
//! in the case; nothing is read from an inventory.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::decision::{Answer, Decision, Layer};
use super::identity::{Boundary, Identity};
use super::parse::strict;
use super::policy::Policy;
use super::principal::{Caller, PrincipalEntry};
use super::request::{Guards, Level, Request, Resource, Rules};
use super::scenario::{ContextValue, Facts, Scenario};
use crate::base::text::safe;
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::kms::Grant;

/// An account that is nobody's: who may, though of it, everybody may.
pub const ANYONE: &str = "000000000000";

/// The longest line that is read.
pub const MAX_LINE: usize = 8 << 20;

/// Evaluates one line. Never fails: what is wrong with a case is said in its verdict.
pub fn evaluate_line(line: &[u8]) -> String {
    let judged = (|| {
        if line.len() > MAX_LINE {
            let why =
                format!("the line is longer than {MAX_LINE} bytes, the most that a case may have: it was not read");
            return Err((Value::Null, why));
        }
        let text = std::str::from_utf8(line)
            .map_err(|error| (Value::Null, format!("the case is not UTF-8 from byte {}", error.valid_up_to())))?;
        let case = strict(text).map_err(|error| (Value::Null, format!("the case is not JSON: {error}")))?;
        let id = case.get("id").filter(|id| id.is_string() || id.is_number()).cloned().unwrap_or(Value::Null);
        judge(&case).map(|answer| verdict(&id, &answer)).map_err(|why| (id, why))
    })();
    let line = judged.unwrap_or_else(|(id, why)| json!({"id": id, "decision": "Error", "error": safe(&why)}));
    line.to_string()
}

/// Evaluates one case.
pub fn judge(case: &Value) -> Result<Answer, String> {
    let case = case.as_object().ok_or("a case is a JSON object")?;
    const KNOWN: &[&str] = &[
        "id",
        "identityPolicies",
        "resourcePolicy",
        "sessionPolicy",
        "permissionBoundary",
        "endpointPolicies",
        "scps",
        "rcps",
        "grants",
        "request",
        "unknownContext",
    ];
    if let Some(other) = case.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(format!("'{other}' is no part of a case; there are {}", KNOWN.join(", ")));
    }
    let request = case.get("request").and_then(Value::as_object).ok_or("it has no request")?;
    let word = |name: &str| {
        request.get(name).and_then(Value::as_str).ok_or_else(|| format!("/request/{name} is missing or no text"))
    };
    let action = word("action")?;
    if !action.contains(':') || action.contains(['*', '?']) {
        return Err(format!("/request/action '{action}' is not service:Action"));
    }
    let arn: Arn = word("resource")?.parse().map_err(|error| format!("/request/resource: {error}"))?;
    let caller = match word("principal")? {
        "*" => Caller::parse(&format!("arn:{}:iam::{ANYONE}:root", arn.partition)),
        text => Caller::parse(text),
    }
    .map_err(|error| format!("/request/principal: {error}"))?;

    let identity = identity(case, caller)?;
    let guards = Guards {
        scps: Some(levels(case, "scps")?),
        rcps: Some(levels(case, "rcps")?),
        endpoint: Some(policies(case, "endpointPolicies")?),
        session: Some(policy(case, "sessionPolicy")?.into_iter().collect()),
    };
    let resource = Resource {
        owner: match request.get("resourceAccountId") {
            None | Some(Value::Null) => arn.account.clone(),
            Some(id) => id.as_str().ok_or("/request/resourceAccountId is no text")?.to_owned(),
        },
        rules: policy(case, "resourcePolicy")?.map_or(Rules::None, Rules::Known),
        grants: Ok(grants(case)?),
        // What a case does not say of the request is absent.
        facts: Facts::none(),
        ..Resource::plain(arn)
    };
    let scenario = scenario(case, request)?;
    let scenario = if identity.caller.account() == Some(ANYONE) { anybody(scenario) } else { scenario };
    Ok(Request { identity: &identity, action, resource: &resource, scenario: &scenario, guards: &guards }.answer())
}

/// What follows from a caller is not known of everybody.
pub(super) fn anybody(scenario: Scenario) -> Scenario {
    ["aws:PrincipalArn", "aws:PrincipalAccount", "kms:CallerAccount", "aws:PrincipalType", "aws:username", "aws:userid"]
        .into_iter()
        .fold(scenario, |scenario, key| scenario.unless(key, ContextValue::Unknown))
}

fn identity(case: &Map<String, Value>, caller: Caller) -> Result<Identity, String> {
    let mut policies = Vec::new();
    if let Some(held) = case.get("identityPolicies") {
        for (at, one) in list(held, "identityPolicies")?.iter().enumerate() {
            let policy = document(one, &format!("identityPolicies/{at}"))?;
            policies.push((Layer::Identity(Text::new(at.to_string())), Arc::new(policy)));
        }
    }
    let boundary = policy(case, "permissionBoundary")?
        .map(|policy| Boundary { arn: ResourceId::new("permissionBoundary"), policy: Ok(Arc::new(policy)) });
    Ok(Identity { caller, policies, boundary, facts: Facts::none(), gaps: Vec::new(), bounds: Arc::default() })
}

fn list<'a>(json: &'a Value, name: &str) -> Result<&'a Vec<Value>, String> {
    json.as_array().ok_or_else(|| format!("/{name} is not an array"))
}

fn document(json: &Value, place: &str) -> Result<Policy, String> {
    // A document may stand in quotes, as AWS prints it.
    let policy = match json {
        Value::String(text) => Policy::parse(&crate::inventory::Document::new(text)),
        json => Policy::from_json(json),
    };
    policy.map_err(|error| format!("/{place}: {error}"))
}

fn policy(case: &Map<String, Value>, name: &str) -> Result<Option<Policy>, String> {
    case.get(name).filter(|json| !json.is_null()).map(|json| document(json, name)).transpose()
}

fn policies(case: &Map<String, Value>, name: &str) -> Result<Vec<Policy>, String> {
    let Some(held) = case.get(name).filter(|json| !json.is_null()) else { return Ok(Vec::new()) };
    list(held, name)?.iter().enumerate().map(|(at, one)| document(one, &format!("{name}/{at}"))).collect()
}

fn levels(case: &Map<String, Value>, name: &str) -> Result<Vec<Level>, String> {
    let Some(held) = case.get(name).filter(|json| !json.is_null()) else { return Ok(Vec::new()) };
    let level = |(at, one): (usize, &Value)| {
        let place = format!("{name}/{at}");
        let object = one.as_object().ok_or_else(|| format!("/{place} is not an object"))?;
        let on = object.get("orgIdentifier").and_then(Value::as_str).unwrap_or_default();
        let held = object.get("policies").ok_or_else(|| format!("/{place} has no policies"))?;
        let policies = list(held, &format!("{place}/policies"))?;
        let layer = if name == "scps" { Layer::Scp(Text::new(on)) } else { Layer::Rcp(Text::new(on)) };
        let parsed = policies
            .iter()
            .enumerate()
            .map(|(n, one)| Ok((layer.clone(), document(one, &format!("{place}/policies/{n}"))?)));
        Ok(Level { name: Text::new(on), policies: parsed.collect::<Result<_, String>>()?, unread: false })
    };
    list(held, name)?.iter().enumerate().map(level).collect()
}

fn grants(case: &Map<String, Value>) -> Result<Vec<Grant>, String> {
    let Some(held) = case.get("grants").filter(|json| !json.is_null()) else { return Ok(Vec::new()) };
    let grant = |(at, one): (usize, &Value)| {
        let wrong = |what: &str| format!("/grants/{at}: {what}");
        let object = one.as_object().ok_or_else(|| wrong("it is not an object"))?;
        let grantee = object
            .get("granteePrincipal")
            .or_else(|| object.get("granteeServicePrincipal"))
            .and_then(Value::as_str)
            .ok_or_else(|| wrong("it has no granteePrincipal"))?;
        let known = grantee.ends_with(".amazonaws.com") || PrincipalEntry::new("AWS", grantee).is_some();
        if !known || grantee == "*" {
            return Err(wrong("granteePrincipal is no role, session, user, account or service"));
        }
        let operations =
            object.get("operations").and_then(Value::as_array).ok_or_else(|| wrong("it has no operations"))?;
        let operations = operations.iter().map(|op| op.as_str().map(Text::new)).collect::<Option<Vec<_>>>();
        let pairs = |name: &str| match object.get(name) {
            None | Some(Value::Null) => Ok(std::collections::BTreeMap::new()),
            Some(json) => json
                .as_object()
                .and_then(|o| o.iter().map(|(k, v)| Some((Text::new(k), Text::new(v.as_str()?)))).collect())
                .ok_or_else(|| wrong(&format!("{name} is no object of texts"))),
        };
        let named = |name: &str| object.get(name).and_then(Value::as_str).map(ResourceId::new);
        Ok(Grant {
            id: named("grantId").unwrap_or_else(|| ResourceId::new(at.to_string())),
            name: None,
            grantee: ResourceId::new(grantee),
            retiring: named("retiringPrincipal").or_else(|| named("retiringServicePrincipal")),
            issuer: named("issuingAccount"),
            source_arn: named("sourceArn"),
            operations: operations.ok_or_else(|| wrong("an operation is no text"))?,
            context_equals: pairs("encryptionContextEquals")?,
            context_subset: pairs("encryptionContextSubset")?,
            created: None,
        })
    };
    list(held, "grants")?.iter().enumerate().map(grant).collect()
}

fn scenario(case: &Map<String, Value>, request: &Map<String, Value>) -> Result<Scenario, String> {
    let mut scenario = Scenario::open().closed();
    if let Some(context) = request.get("context").filter(|json| !json.is_null()) {
        let context = context.as_object().ok_or("/request/context is not an object")?;
        for (key, value) in context {
            let one = |value: &Value| match value {
                Value::String(text) => Some(text.clone()),
                Value::Bool(value) => Some(value.to_string()),
                Value::Number(value) => Some(value.to_string()),
                _ => None,
            };
            let values: Option<Vec<String>> = match value {
                Value::Array(many) => many.iter().map(one).collect(),
                single => one(single).map(|value| vec![value]),
            };
            let values =
                values.ok_or_else(|| format!("/request/context/{key} is neither a scalar nor a list of them"))?;
            scenario = scenario.with(key, ContextValue::Known(values));
        }
    }
    if let Some(unknown) = case.get("unknownContext").filter(|json| !json.is_null()) {
        for key in list(unknown, "unknownContext")? {
            let key = key.as_str().ok_or("/unknownContext holds something that is no text")?;
            scenario = scenario.with(key, ContextValue::Unknown);
        }
    }
    Ok(scenario)
}

/// The verdict as JSON.
pub fn verdict(id: &Value, answer: &Answer) -> Value {
    let mut line = Map::new();
    line.insert("id".into(), id.clone());
    line.insert("decision".into(), answer.decision.word().into());
    let mut blocked: Vec<&str> = answer.blocked.iter().map(|block| block.layer).collect();
    blocked.dedup();
    if !blocked.is_empty() {
        line.insert("blockedBy".into(), blocked.into());
    }
    if let Some(path) = answer.paths.first() {
        line.insert("path".into(), path.word().into());
    }
    if !answer.malformed.is_empty() {
        line.insert("malformed".into(), json!(answer.malformed));
    }
    let deciding: Vec<Value> = answer.decision.by().iter().map(deciding).collect();
    if !deciding.is_empty() {
        line.insert("deciding".into(), deciding.into());
    }
    match &answer.decision {
        Decision::Conditional { .. } => {
            line.insert("conditions".into(), answer.when.words().as_str().into());
        }
        Decision::Uncertain { why, .. } => {
            let why: Vec<&str> = why.iter().map(Text::as_str).collect();
            line.insert("uncertain".into(), why.join("; ").into());
        }
        _ => {}
    }
    Value::Object(line)
}

/// A deciding statement as JSON.
pub fn deciding(by: &super::decision::Deciding) -> Value {
    let name = match &by.layer {
        Layer::KeyPolicy | Layer::ResourcePolicy => "resource".to_owned(),
        Layer::Identity(name) => format!("identity {name}"),
        Layer::Grant(id) => format!("grant {id}"),
        Layer::Scp(on) => format!("scp {on}"),
        Layer::Rcp(on) => format!("rcp {on}"),
        other => other.kind().to_owned(),
    };
    let mut json = json!({"policy": name});
    if let Some(pointer) = &by.pointer {
        let number = pointer.rsplit('/').next().and_then(|last| last.parse::<usize>().ok()).unwrap_or(0);
        json["statement"] = number.into();
    }
    if !by.sid.is_empty() {
        json["sid"] = by.sid.as_str().into();
    }
    if let Some((from, to)) = by.span {
        json["bytes"] = json!([from, to]);
    }
    json
}
