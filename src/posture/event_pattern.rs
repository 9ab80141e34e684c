//! Whether an EventBridge event pattern matches an event (Amazon EventBridge User Guide, event patterns:
//! exact, prefix, suffix, equals-ignore-case, anything-but, exists, numeric, wildcard, `$or`).

use serde_json::{Map, Value};

use crate::access::pattern;
use crate::base::text::safe;

/// What a pattern says of an event, or why that cannot be told.
pub type Told = Result<bool, NoMatcher>;

/// A pattern that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMatcher {
    /// Not a pattern at all.
    #[error("event pattern at {0}: not a pattern")]
    Malformed(String),
    /// An operator that this version does not know.
    #[error("event pattern at {0}: the operator '{1}' is not known")]
    Operator(String, String),
}

/// Whether `event` matches `pattern`. Undecided only where the unknown part could change the answer.
pub fn matches(pattern: &Value, event: &Value) -> Told {
    let fields = pattern.as_object().ok_or_else(|| NoMatcher::Malformed("/".into()))?;
    object(fields, Some(event), "")
}

/// Whether the pattern's field at the top (`source`, `detail-type`) admits a value; a field that the
/// pattern does not name admits all.
pub fn admits(pattern: &Value, field: &str, value: &str) -> Told {
    match pattern.get(field) {
        None => Ok(true),
        Some(Value::Array(any)) => array(any, Some(&Value::from(value)), &format!("/{field}")),
        Some(_) => Err(NoMatcher::Malformed(format!("/{field}"))),
    }
}

/// All fields must match: a no outweighs what cannot be told.
fn object(fields: &Map<String, Value>, event: Option<&Value>, at: &str) -> Told {
    all_of(fields.iter().map(|(name, wanted)| {
        let here = format!("{at}/{}", safe(name));
        match wanted {
            Value::Array(choices) if name == "$or" => any_of(choices.iter().enumerate().map(|(n, choice)| {
                let place = format!("{here}/{n}");
                let fields = choice.as_object().ok_or_else(|| NoMatcher::Malformed(place.clone()))?;
                object(fields, event, &place)
            })),
            Value::Array(choices) => array(choices, event.and_then(|event| event.get(name)), &here),
            Value::Object(inner) => object(inner, event.and_then(|event| event.get(name)), &here),
            _ => Err(NoMatcher::Malformed(here)),
        }
    }))
}

/// One of the choices must match; an array in the event matches when one of its items does.
fn array(choices: &[Value], actual: Option<&Value>, at: &str) -> Told {
    any_of(choices.iter().map(|choice| match actual {
        Some(Value::Array(items)) if !is_exists(choice) => any_of(items.iter().map(|item| one(choice, Some(item), at))),
        actual => one(choice, actual, at),
    }))
}

fn is_exists(choice: &Value) -> bool {
    choice.get("exists").is_some()
}

fn one(choice: &Value, actual: Option<&Value>, at: &str) -> Told {
    let Value::Object(operator) = choice else {
        return if choice.is_array() { Err(NoMatcher::Malformed(at.to_owned())) } else { Ok(actual == Some(choice)) };
    };
    let malformed = || NoMatcher::Malformed(at.to_owned());
    let mut entries = operator.iter();
    let (Some((name, wanted)), None) = (entries.next(), entries.next()) else { return Err(malformed()) };
    let text = actual.and_then(Value::as_str);
    match name.as_str() {
        // A leaf: an object under the name is not a value.
        "exists" => Ok(wanted.as_bool().ok_or_else(malformed)? == actual.is_some_and(|value| !value.is_object())),
        "anything-but" => match actual {
            None => Ok(false),
            Some(actual) => anything_but(wanted, actual, at),
        },
        "numeric" => {
            numeric(wanted.as_array().ok_or_else(malformed)?, actual.and_then(Value::as_f64)).ok_or_else(malformed)
        }
        _ => string(name, wanted, text, at),
    }
}

/// Operators on text. `prefix` and `suffix` may hold `{"equals-ignore-case": …}`.
fn string(name: &str, wanted: &Value, text: Option<&str>, at: &str) -> Told {
    let malformed = || NoMatcher::Malformed(at.to_owned());
    let (wanted, fold) = match wanted.get("equals-ignore-case") {
        Some(inner) if matches!(name, "prefix" | "suffix") => (inner, true),
        _ => (wanted, name == "equals-ignore-case"),
    };
    let known = ["prefix", "suffix", "equals-ignore-case", "wildcard"];
    if !known.contains(&name) {
        return Err(NoMatcher::Operator(at.to_owned(), safe(name).chars().take(40).collect()));
    }
    let wanted = wanted.as_str().ok_or_else(malformed)?;
    let Some(text) = text else { return Ok(false) };
    let (text, wanted) =
        if fold { (text.to_lowercase(), wanted.to_lowercase()) } else { (text.to_owned(), wanted.to_owned()) };
    Ok(match name {
        "prefix" => text.starts_with(&wanted),
        "suffix" => text.ends_with(&wanted),
        "wildcard" => wildcard(&wanted, &text),
        _ => text == wanted,
    })
}

/// `*` for any run; `\*` and `\\` are literal; `?` is a letter like any other.
pub(super) fn wildcard(wanted: &str, text: &str) -> bool {
    // why the placeholders: the policy matcher gives `?` a meaning, and knows no escapes.
    let (mut pattern_text, mut chars) = (String::new(), wanted.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('*') => pattern_text.push('\u{1}'),
                Some(other) => pattern_text.push(other),
                None => pattern_text.push('\\'),
            },
            '?' => pattern_text.push('\u{2}'),
            c => pattern_text.push(c),
        }
    }
    let text: String = text
        .chars()
        .map(|c| match c {
            '*' => '\u{1}',
            '?' => '\u{2}',
            c => c,
        })
        .collect();
    pattern::matches(&pattern_text, &text)
}

fn anything_but(wanted: &Value, actual: &Value, at: &str) -> Told {
    match wanted {
        Value::Array(values) => Ok(!values.contains(actual)),
        Value::Object(inner) => {
            let mut entries = inner.iter();
            let (Some((name, wanted)), None) = (entries.next(), entries.next()) else {
                return Err(NoMatcher::Malformed(at.to_owned()));
            };
            let wanted: Vec<&Value> = match wanted {
                Value::Array(many) => many.iter().collect(),
                one => vec![one],
            };
            any_of(wanted.into_iter().map(|wanted| string(name, wanted, actual.as_str(), at))).map(|hit| !hit)
        }
        single => Ok(single != actual),
    }
}

/// `[">", 0, "<=", 5]`.
fn numeric(pairs: &[Value], actual: Option<f64>) -> Option<bool> {
    let mut holds = !pairs.is_empty();
    for pair in pairs.chunks(2) {
        let [operator, bound] = pair else { return None };
        let bound = bound.as_f64()?;
        let order = actual.and_then(|actual| actual.partial_cmp(&bound));
        holds &= match operator.as_str()? {
            "=" => order.is_some_and(std::cmp::Ordering::is_eq),
            "<" => order.is_some_and(std::cmp::Ordering::is_lt),
            "<=" => order.is_some_and(std::cmp::Ordering::is_le),
            ">" => order.is_some_and(std::cmp::Ordering::is_gt),
            ">=" => order.is_some_and(std::cmp::Ordering::is_ge),
            _ => return None,
        };
    }
    Some(holds)
}

/// All must hold: a no outweighs what cannot be told.
pub(super) fn all_of<E>(parts: impl Iterator<Item = Result<bool, E>>) -> Result<bool, E> {
    let mut open = Ok(true);
    for part in parts {
        match part {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(error) => open = open.and(Err(error)),
        }
    }
    open
}

/// One must hold: a yes outweighs what cannot be told.
pub(super) fn any_of<E>(parts: impl Iterator<Item = Result<bool, E>>) -> Result<bool, E> {
    let mut open = Ok(false);
    for part in parts {
        match part {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => open = open.and(Err(error)),
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn event() -> Value {
        json!({"source": "aws.bedrock", "detail-type": "Model Customization Job State Change",
            "resources": ["arn:a", "arn:b"], "detail": {"jobStatus": "Failed", "count": 3, "empty": null, "in": {"x": 1}}})
    }

    #[test]
    fn the_operators() {
        for (pattern, expected) in [
            (json!({}), Some(true)),
            (json!({"source": ["aws.bedrock", "aws.s3"]}), Some(true)),
            (json!({"source": ["aws.s3"]}), Some(false)),
            (json!({"source": []}), Some(false)),
            (json!({"resources": ["arn:b"]}), Some(true)),
            (json!({"detail": {"jobStatus": ["Failed"]}}), Some(true)),
            (json!({"detail": {"status": ["Failed"]}}), Some(false)),
            (json!({"detail": {"count": [3]}}), Some(true)),
            (json!({"detail": {"empty": [null]}}), Some(true)),
            (json!({"source": [{"prefix": "aws."}]}), Some(true)),
            (json!({"source": [{"prefix": {"equals-ignore-case": "AWS."}}]}), Some(true)),
            (json!({"detail-type": [{"suffix": "State Change"}]}), Some(true)),
            (json!({"detail-type": [{"suffix": "state change"}]}), Some(false)),
            (json!({"detail-type": [{"equals-ignore-case": "model customization job state change"}]}), Some(true)),
            (json!({"detail-type": [{"wildcard": "Model*Job*"}]}), Some(true)),
            (json!({"detail-type": [{"wildcard": "Model?Customization*"}]}), Some(false)),
            (json!({"detail-type": [{"wildcard": "Model\\*"}]}), Some(false)),
            (json!({"detail": {"jobStatus": [{"anything-but": "Completed"}]}}), Some(true)),
            (json!({"detail": {"jobStatus": [{"anything-but": ["Completed", "Failed"]}]}}), Some(false)),
            (json!({"detail": {"jobStatus": [{"anything-but": {"prefix": "Fa"}}]}}), Some(false)),
            (json!({"detail": {"jobStatus": [{"anything-but": {"suffix": ["x", "y"]}}]}}), Some(true)),
            (json!({"detail": {"nothing": [{"anything-but": "x"}]}}), Some(false)),
            (json!({"detail": {"jobStatus": [{"exists": true}], "nothing": [{"exists": false}]}}), Some(true)),
            (json!({"detail": {"jobStatus": [{"exists": false}]}}), Some(false)),
            (json!({"detail": {"in": [{"exists": true}]}}), Some(false)),
            (json!({"resources": [{"exists": true}]}), Some(true)),
            (json!({"detail": {"count": [{"numeric": [">", 0, "<=", 3]}]}}), Some(true)),
            (json!({"detail": {"count": [{"numeric": ["<", 3]}]}}), Some(false)),
            (json!({"detail": {"jobStatus": [{"numeric": ["=", 3]}]}}), Some(false)),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"count": [3]}}]}), Some(true)),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"count": [4]}}]}), Some(false)),
            // What is not known only matters where it could change the answer.
            (json!({"source": [{"cidr": "10.0.0.0/8"}]}), None),
            (json!({"source": [{"cidr": "10.0.0.0/8"}, "aws.bedrock"]}), Some(true)),
            (json!({"source": [{"cidr": "10.0.0.0/8"}], "detail-type": ["x"]}), Some(false)),
            (json!({"detail": {"jobStatus": [{"anything-but": {"odd": "x"}}]}}), None),
            (json!({"source": "aws.bedrock"}), None),
            (json!([]), None),
            (json!({"detail": {"count": [{"numeric": ["~", 3]}]}}), None),
            (json!({"source": [{"prefix": "a", "suffix": "b"}]}), None),
        ] {
            assert_eq!(matches(&pattern, &event()).ok(), expected, "{pattern}");
        }
    }

    #[test]
    fn a_field_admits() {
        let pattern = json!({"source": [{"prefix": "aws."}]});
        assert_eq!(admits(&pattern, "source", "aws.bedrock"), Ok(true));
        assert_eq!(admits(&pattern, "detail-type", "anything"), Ok(true));
        assert_eq!(admits(&pattern, "source", "custom"), Ok(false));
    }

    fn tree() -> impl Strategy<Value = Value> {
        let words =
            ["source", "detail", "$or", "prefix", "anything-but", "numeric", "exists", "wildcard", "aws.bedrock", ">"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::sample::select(words.to_vec()).prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((prop::sample::select(words.to_vec()), inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in tree()) {
            let _ = matches(&pattern, &event());
            let _ = admits(&pattern, "source", "aws.bedrock");
        }
    }
}
