//! From the bytes of a document to a [`Policy`]. Every input gives a policy or an error with a place;
//! none panics, none takes more than linear time (the depth is limited by `serde_json`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::condition::{Condition, Operator, SetOperator};
use super::pattern;
use super::policy::{Actions, BadPolicy, Effect, Policy, Resources, Statement, Version};
use super::principal::{PrincipalEntry, Principals};
use crate::base::Text;
use crate::base::text::safe;
use crate::inventory::Document;

/// JSON in which no object has the same key twice. why: `serde_json` keeps the last one in silence, and a
/// hidden first `Condition` would change what a policy means.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let Strict(value) = map.next_value()?;
            // why entry: hashing is half the work of reading a case, and once is enough.
            match object.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(held) => {
                    let key: String = safe(held.key()).chars().take(60).collect();
                    return Err(A::Error::custom(format!("the key '{key}' stands twice in one object")));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

/// JSON without a key that stands twice.
pub(super) fn strict(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value)
}

/// What is wrong, without the place: that is told beside it.
fn without_place(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    words.strip_suffix(&place).unwrap_or(&words).to_owned()
}

impl Policy {
    /// Parses a document. A statement that cannot be read is kept with [`Statement::malformed`]; only a
    /// document that is no policy at all is an error.
    pub fn parse(document: &Document) -> Result<Self, BadPolicy> {
        let raw = document.raw();
        if raw.len() > Self::MAX_BYTES {
            return Err(BadPolicy::TooLong { bytes: raw.len(), limit: Self::MAX_BYTES });
        }
        let json = strict(raw).map_err(|error| BadPolicy::Json {
            line: error.line(),
            column: error.column(),
            why: safe(&without_place(&error)).into_owned(),
        })?;
        let mut policy = Self::from_json(&json)?;
        for (statement, span) in policy.statements.iter_mut().zip(super::span::statements(raw)) {
            statement.span = span;
        }
        Ok(policy)
    }

    /// The same from JSON that is already parsed.
    pub fn from_json(json: &Value) -> Result<Self, BadPolicy> {
        let shape = |pointer: &str, why| BadPolicy::Shape { pointer: pointer.to_owned(), why };
        let top = json.as_object().ok_or_else(|| shape("/", "a policy is a JSON object"))?;
        let version = match top.get("Version") {
            None => Version::V2008,
            Some(Value::String(word)) if word == "2008-10-17" => Version::V2008,
            Some(Value::String(word)) if word == "2012-10-17" => Version::V2012,
            Some(_) => return Err(shape("/Version", "Version is neither 2012-10-17 nor 2008-10-17")),
        };
        let statements = match top.get("Statement") {
            None => return Err(shape("/", "it has no Statement")),
            Some(one @ Value::Object(_)) => vec![statement(one, 0, false)],
            Some(Value::Array(many)) => many.iter().enumerate().map(|(n, item)| statement(item, n, true)).collect(),
            Some(_) => return Err(shape("/Statement", "Statement is neither an object nor an array")),
        };
        Ok(Self { version, statements })
    }
}

/// The elements of a statement, found in one pass. why: looking each up by its name would hash eleven names for each of
/// thousands of statements.
#[derive(Default)]
struct Elements<'a> {
    sid: Option<&'a Value>,
    effect: Option<&'a Value>,
    action: Option<&'a Value>,
    not_action: Option<&'a Value>,
    resource: Option<&'a Value>,
    not_resource: Option<&'a Value>,
    principal: Option<&'a Value>,
    not_principal: Option<&'a Value>,
    condition: Option<&'a Value>,
    /// The first that is none.
    other: Option<&'a str>,
}

impl<'a> Elements<'a> {
    fn of(object: &'a Map<String, Value>) -> Self {
        let mut found = Self::default();
        for (key, value) in object {
            let place = match key.as_str() {
                "Sid" => &mut found.sid,
                "Effect" => &mut found.effect,
                "Action" => &mut found.action,
                "NotAction" => &mut found.not_action,
                "Resource" => &mut found.resource,
                "NotResource" => &mut found.not_resource,
                "Principal" => &mut found.principal,
                "NotPrincipal" => &mut found.not_principal,
                "Condition" => &mut found.condition,
                other => {
                    found.other.get_or_insert(other);
                    continue;
                }
            };
            *place = Some(value);
        }
        found
    }
}

fn statement(json: &Value, index: usize, in_array: bool) -> Statement {
    let mut parsed = Statement {
        index,
        in_array,
        sid: Text::default(),
        effect: Effect::Deny,
        actions: None,
        resources: None,
        principals: None,
        conditions: Vec::new(),
        span: 0..0,
        malformed: None,
    };
    let Some(object) = json.as_object() else {
        parsed.malformed = Some("it is not an object".to_owned());
        return parsed;
    };
    let elements = Elements::of(object);
    parsed.sid = elements.sid.and_then(Value::as_str).map(Text::new).unwrap_or_default();
    let mut wrong: Vec<String> = Vec::new();
    match elements.effect.and_then(Value::as_str) {
        Some("Allow") => parsed.effect = Effect::Allow,
        Some("Deny") => {}
        _ => wrong.push("Effect is neither Allow nor Deny".to_owned()),
    }
    if let Some(key) = elements.other {
        wrong.push(format!("'{}' is no element of a statement", clip(key)));
    }
    if elements.sid.is_some_and(|sid| !sid.is_string()) {
        wrong.push("Sid is not a string".to_owned());
    }
    let mut keep = |part: Result<(), String>| wrong.extend(part.err());
    keep(pair(elements.action, elements.not_action, ["Action", "NotAction"]).map(|found| {
        parsed.actions = found.map(|(negated, patterns)| Actions { negated, patterns });
    }));
    keep(pair(elements.resource, elements.not_resource, ["Resource", "NotResource"]).map(|found| {
        parsed.resources = found.map(|(negated, patterns)| Resources { negated, patterns });
    }));
    if let Some(bad) = parsed.resources.iter().flat_map(|r| &r.patterns).find(|pattern| !pattern::is_resource(pattern))
    {
        keep(Err(format!("'{}' is neither * nor an ARN", clip(bad))));
    }
    if let Some(bad) = parsed.actions.iter().flat_map(|a| &a.patterns).find(|a| *a != "*" && !a.contains(':')) {
        keep(Err(format!("'{}' is neither * nor service:Action", clip(bad))));
    }
    keep(principals(elements.principal, elements.not_principal).map(|found| parsed.principals = found));
    keep(conditions(elements.condition).map(|found| parsed.conditions = found));
    parsed.malformed = (!wrong.is_empty()).then(|| wrong.join("; "));
    parsed
}

fn clip(text: &str) -> String {
    safe(text).chars().take(80).collect()
}

/// `X` or `NotX`, as strings.
fn pair(
    plain: Option<&Value>,
    negated: Option<&Value>,
    [name, not]: [&str; 2],
) -> Result<Option<(bool, Vec<String>)>, String> {
    let (negated, name, json) = match (plain, negated) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(format!("it has both {name} and {not}")),
        (Some(plain), None) => (false, name, plain),
        (None, Some(negated)) => (true, not, negated),
    };
    Ok(Some((negated, strings(json).ok_or_else(|| format!("{name} is not text"))?)))
}

/// A string, or an array of strings.
fn strings(json: &Value) -> Option<Vec<String>> {
    match json {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn principals(plain: Option<&Value>, not: Option<&Value>) -> Result<Option<Principals>, String> {
    let (negated, json) = match (plain, not) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err("it has both Principal and NotPrincipal".to_owned()),
        (Some(json), None) => (false, json),
        (None, Some(json)) => (true, json),
    };
    let entries = match json {
        Value::String(all) if all == "*" => vec![PrincipalEntry::Everyone],
        Value::Object(kinds) => {
            let mut entries = Vec::new();
            for (kind, values) in kinds {
                let values = strings(values).ok_or_else(|| format!("Principal {} is not text", clip(kind)))?;
                for value in values {
                    entries.push(PrincipalEntry::new(kind, &value).ok_or_else(|| {
                        format!("Principal {} '{}' is not one that AWS knows", clip(kind), clip(&value))
                    })?);
                }
            }
            entries
        }
        _ => return Err("Principal is neither * nor an object".to_owned()),
    };
    Ok(Some(Principals { negated, entries }))
}

fn conditions(json: Option<&Value>) -> Result<Vec<Condition>, String> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let blocks = json.as_object().ok_or("Condition is not an object")?;
    let mut found = Vec::new();
    for (name, keys) in blocks {
        let (set, base) = match name.split_once(':') {
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAllValues") => (Some(SetOperator::ForAllValues), rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAnyValue") => (Some(SetOperator::ForAnyValue), rest),
            _ => (None, name.as_str()),
        };
        let (base, if_exists) = match base.len().checked_sub("IfExists".len()).and_then(|at| base.split_at_checked(at))
        {
            Some((front, end)) if end.eq_ignore_ascii_case("IfExists") => (front, true),
            _ => (base, false),
        };
        let operator =
            Operator::named(base).ok_or_else(|| format!("condition operator '{}' is not known", clip(name)))?;
        if operator == Operator::Null && if_exists {
            return Err("condition operator Null does not take IfExists".to_owned());
        }
        let keys = keys.as_object().ok_or_else(|| format!("Condition {} is not an object", clip(name)))?;
        for (key, values) in keys {
            let values = scalars(values).ok_or_else(|| format!("the values of {} are not text", clip(key)))?;
            if let Some(bad) = values.iter().find(|value| !operator.takes(value)) {
                return Err(format!("'{}' is no value for {}", clip(bad), operator.word()));
            }
            found.push(Condition { set, operator, if_exists, key: key.clone(), values });
        }
    }
    Ok(found)
}

/// A scalar or an array of scalars; booleans and numbers as AWS reads them.
fn scalars(json: &Value) -> Option<Vec<String>> {
    let one = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        _ => None,
    };
    match json {
        Value::Array(many) => many.iter().map(one).collect(),
        single => one(single).map(|value| vec![value]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(raw: &str) -> Result<Policy, BadPolicy> {
        Policy::parse(&Document::new(raw))
    }

    #[test]
    fn one_or_many_everywhere() {
        let policy = parse(
            r#"{"Version":"2012-10-17","Statement":{"Sid":"A\u001b[2J","Effect":"Allow","Principal":{"AWS":"111122223333","Service":["s3.amazonaws.com"]},
            "Action":"kms:*","Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":true},"ForAnyValue:StringLikeIfExists":{"kms:X":["a","b"]}}}}"#,
        )
        .unwrap();
        let one = &policy.statements[0];
        assert_eq!((one.malformed.as_deref(), one.pointer().as_str(), one.sid.as_str()), (None, "/Statement", "A␛[2J"));
        assert_eq!(one.principals.as_ref().unwrap().entries.len(), 2);
        assert_eq!(one.conditions[0].values, ["true"]);
        let like = &one.conditions[1];
        assert_eq!(
            (like.set, like.operator, like.if_exists),
            (Some(SetOperator::ForAnyValue), Operator::StringLike, true)
        );
    }

    #[test]
    fn a_broken_statement_stays_visible_with_its_reason() {
        for (statement, why) in [
            ("7", "not an object"),
            (r#"{"Effect":"allow"}"#, "neither Allow nor Deny"),
            (r#"{"Effect":"Allow","Actions":"kms:*"}"#, "'Actions' is no element"),
            (r#"{"Effect":"Allow","Action":7}"#, "Action is not text"),
            (r#"{"Effect":"Allow","Action":"a:b","NotAction":"c:d"}"#, "both Action and NotAction"),
            (r#"{"Effect":"Allow","Action":"Decrypt"}"#, "neither * nor service:Action"),
            (r#"{"Effect":"Allow","Resource":"key/1"}"#, "neither * nor an ARN"),
            (r#"{"Effect":"Allow","Principal":"arn:aws:iam::1:root"}"#, "neither * nor an object"),
            (r#"{"Effect":"Allow","Principal":{"Aws":"*"}}"#, "not one that AWS knows"),
            (r#"{"Effect":"Allow","Condition":{"StringIsh":{"a":"b"}}}"#, "'StringIsh' is not known"),
            (r#"{"Effect":"Allow","Condition":{"NumericLessThan":{"a":"many"}}}"#, "no value for NumericLessThan"),
            (r#"{"Effect":"Allow","Condition":{"NullIfExists":{"a":"true"}}}"#, "does not take IfExists"),
        ] {
            let policy = parse(&format!(r#"{{"Statement":[{{"Effect":"Allow"}},{statement}]}}"#)).unwrap();
            let broken = &policy.statements[1];
            let said = broken.malformed.clone().unwrap_or_default();
            assert!(said.contains(why), "{statement}: {said}");
            assert_eq!(broken.pointer(), "/Statement/1");
        }
    }

    #[test]
    fn what_is_no_policy_says_where() {
        for (raw, why) in [
            ("{", "line 1, column 1"),
            ("[]", "at /: a policy is a JSON object"),
            ("{}", "no Statement"),
            (r#"{"Statement":3}"#, "at /Statement"),
            (r#"{"Version":"2013","Statement":[]}"#, "at /Version"),
            (r#"{"Statement":[{"Effect":"Deny","Effect":"Allow"}]}"#, "'Effect' stands twice"),
        ] {
            let error = parse(raw).unwrap_err().to_string();
            assert!(error.contains(why), "{raw}: {error}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let long = format!(r#"{{"Statement":[{{"Sid":"{}"}}]}}"#, "x".repeat(5_000_000));
        assert!(parse(&long).unwrap_err().to_string().contains(&format!("{} bytes", long.len())));
        let deep = format!(r#"{{"Statement":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(&deep).unwrap_err().to_string().contains("recursion limit"));
    }

    fn json() -> impl Strategy<Value = Value> {
        let words = prop::sample::select(vec![
            "Version",
            "Statement",
            "Effect",
            "Allow",
            "Deny",
            "Action",
            "NotAction",
            "Principal",
            "NotPrincipal",
            "Resource",
            "Condition",
            "AWS",
            "StringEquals",
            "ForAllValues:StringLikeIfExists",
            "*",
            "kms:*",
            "2012-10-17",
            "IfExists",
            "é",
            "ArnLike",
            "arn:aws:iam::1:role/x",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            words.clone().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((words.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_panics(json in json(), raw in any::<String>()) {
            let _ = Policy::parse(&Document::new(json.to_string()));
            let wrapped = serde_json::json!({"Statement": [json]});
            prop_assert_eq!(parse(&wrapped.to_string()).unwrap().statements.len(), 1);
            let _ = parse(&raw);
        }
    }
}
