//! Editing statements: order kept, errors placed, limits held.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const STATEMENT: &str = r#"{"Sid":"A","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}"#;

fn doc(text: &str) -> Document {
    Document::new(text)
}

fn with(statements: &str) -> Document {
    doc(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#))
}

fn new(sid: &str) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:Decrypt", "Resource": "*"})
}

#[test]
fn a_single_statement_becomes_a_list_and_the_rest_stays() {
    let before = doc(&format!(r#"{{"Id":"x","Statement":{STATEMENT},"Version":"2012-10-17"}}"#));
    let mut policy = Policy::read(&before).unwrap();
    assert_eq!(policy.put(new("B")), Put::Added);
    let after = policy.write().unwrap();
    let expected = format!(r#"{{"Id":"x","Statement":[{STATEMENT},{}],"Version":"2012-10-17"}}"#, new("B"));
    assert_eq!(after.raw(), expected);
}

#[test]
fn a_statement_is_replaced_where_it_stands_and_removed() {
    let mut policy = Policy::read(&with(&format!("{STATEMENT},{},{}", new("B"), new("C")))).unwrap();
    let mut other = new("B");
    other["Action"] = json!("kms:Encrypt");
    assert_eq!(policy.put(other.clone()), Put::Replaced);
    assert_eq!(policy.statements()[1], other);
    assert_eq!(policy.free_sid("B"), "B2");
    assert_eq!(policy.remove(0).unwrap()["Sid"], "A");
    assert_eq!(policy.position("C"), Some(1));
    assert!(matches!(policy.remove(2), Err(FixError::Gone(_))));
    policy.replace(0, new("Z")).unwrap();
    assert!(policy.replace(9, new("Z")).is_err());
    assert_eq!(policy.statements().len(), 2);
}

#[test]
fn the_layout_stays() {
    let many = Document::pretty(&with(STATEMENT).json().unwrap());
    assert_eq!(Policy::read(&many).unwrap().write().unwrap(), many);
    let one = with(STATEMENT);
    assert_eq!(Policy::read(&one).unwrap().write().unwrap(), one);
}

#[test]
fn what_kms_would_refuse_or_ignore_is_refused_with_the_reason() {
    let statement = |change: fn(&mut Value)| {
        let mut value = new("S");
        change(&mut value);
        with(&value.to_string())
    };
    let drop = |key: &'static str| {
        let mut value = new("S");
        value.as_object_mut().unwrap().shift_remove(key);
        with(&value.to_string())
    };
    for (document, why) in [
        (doc("{\n  \"Version\": oops}"), "line 2, column 14"),
        (doc("[]"), "no JSON object"),
        (doc("{}"), "no 'Statement'"),
        (doc(r#"{"Version":"2012-10-17","Statement":3}"#), "neither a list"),
        (doc(r#"{"Statement":[]}"#), "no 'Version'"),
        (doc(r#"{"Version":"2025-01-01","Statement":[]}"#), "2025-01-01"),
        (with(""), "no statement"),
        (with("7"), "no object"),
        (with(&format!("{STATEMENT},{STATEMENT}")), "'A' is there twice"),
        (with(r#"{"Sid":"S","Sid":"T"}"#), "the key \"Sid\" is there twice"),
        (statement(|v| v["Effect"] = json!("allow")), "'Effect'"),
        (drop("Principal"), "no 'Principal'"),
        (drop("Action"), "no 'Action'"),
        (drop("Resource"), "no 'Resource'"),
        (statement(|v| v["NotAction"] = json!("kms:*")), "both 'Action' and 'NotAction'"),
        (statement(|v| v["Actions"] = json!("kms:*")), "unknown element 'Actions'"),
        (statement(|v| v["Principal"] = json!("x")), "neither"),
        (statement(|v| v["Principal"] = json!({"Role": "x"})), "unknown kind"),
        (statement(|v| v["Principal"] = json!({"AWS": []})), "empty"),
        (statement(|v| v["Principal"] = json!({"AWS": "arn:aws:iam::1:role/*"})), "wildcard"),
        (statement(|v| v["Principal"] = json!({"AWS": "arn:aws:iam::1:group/g"})), "group"),
        (statement(|v| v["Sid"] = json!("日")), "U+65E5"),
        (statement(|v| v["Sid"] = json!("x".repeat(33_000))), "KMS takes 32768"),
    ] {
        let error = validate(&document).unwrap_err().to_string();
        assert!(error.contains(why), "{error} should say {why}");
    }
    assert_eq!(validate(&with(STATEMENT)), Ok(()));
    let exactly = |length: usize| {
        let empty = statement(|v| v["Sid"] = json!("")).raw().len();
        let mut value = new("S");
        value["Sid"] = json!("x".repeat(length - empty));
        with(&value.to_string())
    };
    assert_eq!(validate(&exactly(32_768)), Ok(()));
    assert!(matches!(validate(&exactly(32_769)), Err(FixError::TooLarge { bytes: 32_769, .. })));
}

#[test]
fn principals_are_taken_out() {
    let statement =
        |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"});
    let foreign = |name: &str| name == "*" || name.contains("444455556666");
    let rest = |principal: Value| without_principals(&statement(principal), foreign).map(|s| s["Principal"].clone());
    assert_eq!(rest(json!("*")), None);
    assert_eq!(rest(json!({"AWS": "*"})), None);
    assert_eq!(rest(json!({"AWS": ["444455556666", "123456789012"]})), Some(json!({"AWS": ["123456789012"]})));
    assert_eq!(
        rest(json!({"AWS": "444455556666", "Service": "x.amazonaws.com"})),
        Some(json!({"Service": "x.amazonaws.com"}))
    );
}

#[test]
fn what_kms_rewrites_is_the_same_policy() {
    let written = json!({"Version": "2012-10-17", "Statement": {"Sid": "A", "Effect": "Allow",
        "Principal": {"AWS": ["123456789012", "arn:aws:iam::1:role/r"]}, "Action": ["kms:Decrypt"], "Resource": "*"}});
    let read = json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam::1:role/r", "arn:aws:iam::123456789012:root"]},
        "Action": "kms:Decrypt", "Resource": "*"}]});
    let mut other = read.clone();
    other["Statement"][0]["Action"] = json!("kms:Encrypt");
    let doc = |value: &Value| Document::pretty(value);
    assert!(same_policy(&doc(&written), &doc(&read)));
    assert!(!same_policy(&doc(&written), &doc(&other)));
}

#[test]
fn ids_of_deleted_principals_are_found() {
    let mut value = new("S");
    value["Principal"] = json!({"AWS": ["AROAEXAMPLEEXAMPLE123", "arn:aws:iam::1:role/AROA"]});
    assert_eq!(orphans(&with(&value.to_string())), ["AROAEXAMPLEEXAMPLE123"]);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = validate(&doc(&text));
        let _ = orphans(&doc(&text));
    }

    #[test]
    fn adding_and_removing_leaves_the_policy_as_it_was(sids in proptest::collection::btree_set("[a-z]{1,6}", 1..6)) {
        let statements: Vec<_> = sids.iter().map(|sid| new(sid).to_string()).collect();
        let before = with(&statements.join(","));
        let mut policy = Policy::read(&before).unwrap();
        prop_assert_eq!(policy.put(new("BedwatchCustomize")), Put::Added);
        prop_assert!(policy.write().is_ok());
        policy.remove(statements.len()).unwrap();
        prop_assert_eq!(policy.write().unwrap(), before);
    }
}
