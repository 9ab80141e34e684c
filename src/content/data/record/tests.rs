//! Formats of the documentation, and what is wrong with others.

use super::*;

fn judged(line: &str) -> (Shape, Vec<(&'static str, &'static str)>) {
    let record = read(line).unwrap();
    (record.shape, record.problems.iter().map(|problem| (problem.rule.id, problem.what)).collect())
}

#[test]
fn the_formats_of_the_documentation_are_known() {
    for (line, shape) in [
        (r#"{"prompt":"p","completion":"c"}"#, Shape::PromptCompletion),
        (r#"{"input":"continued pre-training"}"#, Shape::Input),
        (
            r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"q"}]},{"role":"assistant","content":[{"text":"a"}]}]}"#,
            Shape::Conversation,
        ),
        (
            r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"distil"},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k"}}}}]}]}"#,
            Shape::Conversation,
        ),
        (
            r#"{"system":"s","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}"#,
            Shape::Chat,
        ),
        (
            r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"reference_answer":{"x":"4"},"id":"1"}"#,
            Shape::Reinforcement,
        ),
        (
            r#"{"schemaVersion":"bedrock-conversation-2024","messages":[{"role":"user","content":[{"text":"q"}]},{"role":"assistant","candidates":[{"content":[{"text":"a"}],"preferenceLabel":"preferred"}]}]}"#,
            Shape::Preference,
        ),
        (r#"{"prompt":"p","chosen":"c","rejected":"r"}"#, Shape::Preference),
        (r#"{"image-ref":"s3://b/i.png","caption":"c"}"#, Shape::ImageCaption),
        (r#"{"schemaType":"ModelInvocationLog","input":{"inputBodyJson":{"x":"y"}}}"#, Shape::InvocationLog),
    ] {
        assert_eq!(judged(line), (shape, vec![]), "{line}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    for (line, rule, what) in [
        (r#"{"prompt":"p"}"#, "schema-field-missing", "completion"),
        (r#"{"prompt":1,"completion":"c"}"#, "schema-field-type", "string"),
        (r#"{"prompt":" ","completion":"c"}"#, "schema-field-empty", "empty"),
        (r#"{"prompt":"p","prompt":"q","completion":"c"}"#, "schema-field-twice", "twice"),
        (r#"{"a":1}"#, "schema-unknown-shape", "none"),
        (r#"{"messages":{}}"#, "schema-field-type", "array"),
        (r#"{"messages":[{"role":"assistant","content":"a"}]}"#, "schema-role-order", "first"),
        (
            r#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}"#,
            "schema-role-order",
            "follow",
        ),
        (r#"{"messages":[{"role":"king","content":"a"}]}"#, "schema-role-order", "role is not"),
        (r#"{"messages":[{"content":"a"}]}"#, "schema-field-missing", "role"),
        (r#"{"messages":[{"role":"user","content":[{"text":"q"}]}]}"#, "schema-field-missing", "schema version"),
        (
            r#"{"schemaVersion":"bedrock-conversion-2024","messages":[{"role":"user","content":[{"text":"q"}]}]}"#,
            "schema-field-type",
            "bedrock-conversation-2024",
        ),
        (r#"{"prompt":"p","chosen":"c"}"#, "schema-field-missing", "rejected"),
    ] {
        let (_, problems) = judged(line);
        assert!(problems.iter().any(|p| p.0 == rule && p.1.contains(what)), "{line}: {problems:?}");
    }
}

#[test]
fn every_text_has_its_field_and_part() {
    let line = r#"{"messages":[{"content":[{"text":"q"}],"role":"user"},{"role":"assistant","content":"a"}],"note":{"deep":["x"]}}"#;
    let record = read(line).unwrap();
    let seen: Vec<_> = record.texts.iter().map(|t| (t.piece.raw, t.field.to_string(), t.part)).collect();
    assert_eq!(
        seen,
        [
            ("q", "messages[0].content[0].text".into(), Part::Ask),
            ("a", "messages[1].content".into(), Part::Answer),
            ("note", "name of a field".into(), Part::Other),
            ("deep", "another field".into(), Part::Other),
            ("x", "another field".into(), Part::Other),
        ]
    );
}
