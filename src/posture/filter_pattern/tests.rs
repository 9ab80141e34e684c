//! What patterns mean, and what is none.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn record() -> Value {
    json!({
        "eventName": "DeleteGuardrail", "eventSource": "bedrock.amazonaws.com", "readOnly": false, "count": 3,
        "requestParameters": {"keyId": null, "tags": ["a", "b"], "a.b": "dotted"}, "resources": [{"ARN": "arn:x"}],
        "userIdentity": {"type": "AssumedRole"}, "phrase": "say \"hello\" now",
    })
}

fn says(pattern: &str) -> Told {
    FilterPattern::parse(pattern)?.matches(&record())
}

#[test]
fn records_and_patterns() {
    let open = |what| Err(NoFilter::Open(what));
    for (pattern, expected) in [
        ("", Ok(true)),
        (r#"{ $.eventName = "DeleteGuardrail" }"#, Ok(true)),
        (r"{$.eventName=DeleteGuardrail}", Ok(true)),
        (r#"{ $.eventName = "Delete*" }"#, Ok(true)),
        (r#"{ $.eventName = "delete*" }"#, Ok(false)),
        (r#"{ $.eventName != "Delete*" }"#, Ok(false)),
        (r"{ ($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=Other)) }", Ok(false)),
        (
            r#"{ ($.eventSource = "bedrock.amazonaws.com") && (($.eventName = "X") || ($.eventName = "DeleteGuardrail")) }"#,
            Ok(true),
        ),
        // && binds closer.
        (r#"{ $.eventName = "DeleteGuardrail" || $.eventName = "X" && $.count = 9 }"#, Ok(true)),
        (r#"{ ($.eventName = "DeleteGuardrail" || $.eventName = "X") && $.count = 9 }"#, Ok(false)),
        ("{ $.count >= 3 && $.count < 4 && $.count != 5 && $.count = 3.0 }", Ok(true)),
        (r#"{ $.count > "2" }"#, Ok(false)),
        ("{ $.readOnly IS FALSE }", Ok(true)),
        ("{ $.readOnly is true }", Ok(false)),
        ("{ $.requestParameters.keyId IS NULL }", Ok(true)),
        ("{ $.requestParameters.keyId = null }", Ok(false)),
        ("{ $.userIdentity.invokedBy NOT EXISTS }", Ok(true)),
        ("{ $.userIdentity.type NOT EXISTS }", Ok(false)),
        ("{ $.userIdentity.type EXISTS }", Ok(true)),
        (r#"{ $.resources[0].ARN = "arn:*" }"#, Ok(true)),
        (r#"{ $.resources[1].ARN = "arn:*" }"#, Ok(false)),
        (r#"{ $.requestParameters.tags[*] = "b" }"#, Ok(true)),
        (r#"{ $.requestParameters['a.b'] = "dotted" }"#, Ok(true)),
        (r#"{ $.requestParameters.["a.b"] = "dotted" }"#, Ok(true)),
        (r#"{ $.phrase = "say \"hello\" now" }"#, Ok(true)),
        ("{ $.eventName = %^Delete(Guardrail|CustomModel)$% }", Ok(true)),
        ("{ $.eventName != %Put% }", Ok(true)),
        // What AWS does not say matters only where it could change the answer.
        (r#"{ $.errorCode != "AccessDenied" }"#, open("what '!=' says of a field that is not there")),
        (r#"{ $.errorCode != "AccessDenied" && $.eventName = "X" }"#, Ok(false)),
        (r#"{ $.errorCode != "AccessDenied" || $.eventName = "DeleteGuardrail" }"#, Ok(true)),
        (r"{ $.requestParameters.tags[*] != a }", open("what a test of every item says")),
        ("{ $.eventName = %[% }", open("what a regular expression finds")),
        ("DeleteGuardrail", Ok(true)),
        (r#""DeleteGuardrail" AssumedRole"#, Ok(true)),
        ("DeleteGuardrail -AssumedRole", Ok(false)),
        ("?PutKeyPolicy ?DeleteGuardrail", Ok(true)),
        ("?PutKeyPolicy ?DisableKey", Ok(false)),
        ("AssumedRole ?PutKeyPolicy", Ok(true)),
        ("%Delete[A-Z]%", Ok(true)),
        ("[ip, user, time]", open("what columns are of a JSON record")),
    ] {
        assert_eq!(says(pattern), expected, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_says_where() {
    for (pattern, place) in [
        ("{", 2),
        ("{ $.a = 1", 10),
        ("{ $.a = 1 } x", 13),
        ("{ $.a 1 }", 7),
        ("{ $. = 1 }", 5),
        ("{ $.a = }", 9),
        ("{ ($.a = 1 }", 12),
        ("{ a = 1 }", 3),
        ("{ $.a[x] = 1 }", 7),
        (r#"{ $.a = "x }"#, 13),
        ("{ $.a IS MAYBE }", 15),
        ("a -", 4),
    ] {
        match FilterPattern::parse(pattern) {
            Err(NoFilter::Malformed { at, .. }) => assert_eq!(at, place, "{pattern}"),
            other => panic!("{pattern}: {other:?}"),
        }
    }
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(matches!(FilterPattern::parse(&deep), Err(NoFilter::Open(_))));
}

/// A small expression, as a pattern and as what it means for a record of three fields.
#[derive(Debug, Clone)]
enum Small {
    Is(usize, usize),
    Not(usize, usize),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl Small {
    fn print(&self) -> String {
        match self {
            Self::Is(field, value) => format!("$.f{field} = \"v{value}\""),
            Self::Not(field, value) => format!("$.f{field} != v{value}"),
            Self::And(a, b) => format!("({}) && ({})", a.print(), b.print()),
            Self::Or(a, b) => format!("({}) || ({})", a.print(), b.print()),
        }
    }

    fn holds(&self, values: &[usize; 3]) -> bool {
        match self {
            Self::Is(field, value) => values[*field] == *value,
            Self::Not(field, value) => values[*field] != *value,
            Self::And(a, b) => a.holds(values) && b.holds(values),
            Self::Or(a, b) => a.holds(values) || b.holds(values),
        }
    }
}

fn small() -> impl Strategy<Value = Small> {
    let leaf = (0..3usize, 0..2usize, any::<bool>())
        .prop_map(|(field, value, is)| if is { Small::Is(field, value) } else { Small::Not(field, value) });
    leaf.prop_recursive(5, 32, 2, |inner| {
        (inner.clone(), inner, any::<bool>()).prop_map(|(a, b, and)| {
            let (a, b) = (Box::new(a), Box::new(b));
            if and { Small::And(a, b) } else { Small::Or(a, b) }
        })
    })
}

proptest! {
    #[test]
    fn a_pattern_means_what_it_says(expression in small(), values in proptest::array::uniform3(0..2usize)) {
        let record = json!({"f0": format!("v{}", values[0]), "f1": format!("v{}", values[1]), "f2": format!("v{}", values[2])});
        let pattern = format!("{{ {} }}", expression.print());
        prop_assert_eq!(FilterPattern::parse(&pattern).unwrap().matches(&record), Ok(expression.holds(&values)));
    }

    #[test]
    fn no_pattern_panics(pattern in r#"[{}$.a\[\]"'%()&|=!<>*?\- \\0-9INOTULEXS]{0,60}"#) {
        let _ = FilterPattern::parse(&pattern).map(|parsed| parsed.matches(&record()));
    }
}

#[test]
fn what_a_field_leaves_open() {
    for (pattern, open) in [
        (r#"{ $.operation = "InvokeModel" }"#, false),
        (r#"{ ($.operation = "InvokeModel") && ($.a.b = "*x*") }"#, false),
        (r#"{ ($.operation = "InvokeModel") || ($.a.b = "*x*") }"#, true),
        (r#"{ ($.operation = "*") && ($.a.b = "*x*") }"#, true),
        (r#"{ ($.operation != "InvokeModel") && ($.a.b = "*x*") }"#, true),
        (r#"{ $.a.operation = "InvokeModel" }"#, true),
        ("\"InvokeModel\"", true),
    ] {
        assert_eq!(FilterPattern::parse(pattern).unwrap().is_open_to("operation", "Converse"), open, "{pattern}");
    }
}
