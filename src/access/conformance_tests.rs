//! The table of `tests/access/conformance.ndjson`: AWS's documented rules, a case each.

use std::collections::BTreeSet;

use serde_json::Value;

use super::batch::evaluate_line;

const TABLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/conformance.ndjson"));

#[test]
fn every_case_of_the_table_comes_out_as_documented() {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for line in TABLE.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = row["name"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "'{name}' stands twice");
        assert!(!row["document"].as_str().unwrap().is_empty(), "{name} names no document");
        let verdict: Value = serde_json::from_str(&evaluate_line(row["case"].to_string().as_bytes())).unwrap();
        for (field, expected) in row["expect"].as_object().unwrap() {
            if verdict[field] != *expected {
                wrong.push(format!("{name}: {field} is {}, not {expected}\n    {verdict}", verdict[field]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(names.len() >= 120, "only {} cases", names.len());
}
