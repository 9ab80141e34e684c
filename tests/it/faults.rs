//! Bad input and a bad network: one clear sentence each, never a panic, a hang or a wrong verdict.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::bed::Bed;
use crate::pty::{bed_env, clean_env};
use crate::scan::{bedwatch, err, out};

/// The one sentence on stderr holds these words.
fn says(output: &std::process::Output, code: i32, words: &[&str]) {
    let text = err(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn no_credentials() {
    let output = bedwatch(&["scan", "--region", "us-east-1"], &[]);
    says(&output, 2, &["no credentials", "aws sso login", "--demo"]);
}

#[test]
fn no_region() {
    let output = bedwatch(&["scan"], &[("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")]);
    says(&output, 2, &["region", "--region"]);
}

#[test]
fn an_unreachable_endpoint() {
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let output = bedwatch(&["scan", "--endpoint-url", &url], &bed_env("testing"));
    says(&output, 1, &["network", "sts:GetCallerIdentity", &format!("127.0.0.1:{port} refused"), "run it again"]);
    assert!(!err(&output).contains("press"), "there is no key to press: {}", err(&output));
}

#[test]
fn an_expired_token() {
    let bed = Bed::start(&["--seed", "none"]);
    bed.fault(&json!({"kind": "expired"}));
    let output = bedwatch(&["scan", "--endpoint-url", &bed.url], &bed_env("testing"));
    says(&output, 2, &["expired", "log in again"]);
}

#[test]
fn a_garbled_answer_is_unknown() {
    let bed = Bed::orion();
    bed.fault(&json!({"kind": "garbled", "service": "kms", "operation": "GetKeyPolicy"}));
    let output =
        bedwatch(&["scan", "--endpoint-url", &bed.url, "-c", "CUS-KMS-07", "-M", "table"], &bed_env("testing"));
    let text = out(&output);
    assert_eq!(output.status.code(), Some(4), "{text}{}", err(&output));
    assert!(text.contains("UNKNOWN") && text.contains("malformed"), "{text}");
}

#[test]
fn a_malformed_and_a_huge_key_policy() {
    let huge = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", vec!["{}"; 1_700_000].join(","));
    assert!(huge.len() > 5_000_000);
    for (policy, words) in [("{\"Statement\": [", "line 1"), (huge.as_str(), "")] {
        let bed = Bed::orion();
        let result = json!({"Policy": policy, "PolicyName": "default"});
        bed.control("POST", "stubs", &json!({"service": "kms", "operation": "GetKeyPolicy", "result": result}));
        let output =
            bedwatch(&["scan", "--endpoint-url", &bed.url, "-c", "CUS-KMS-07", "-M", "json"], &bed_env("testing"));
        let text = out(&output);
        assert!(!err(&output).contains("panicked"), "{}", err(&output));
        assert!(
            !text.contains("\"status\": \"PASS\""),
            "a policy that cannot be read passes: {}",
            &text[..text.len().min(2000)]
        );
        assert!(text.contains("UNKNOWN") && text.contains(words));
    }
}

#[test]
fn a_hostile_tag_is_drawn_as_text() {
    let bed = Bed::orion();
    let output = bedwatch(&["scan", "--endpoint-url", &bed.url, "-M", "json,table"], &bed_env("testing"));
    let text = out(&output);
    assert!(text.chars().all(|c| c == '\n' || !bedwatch::base::text::is_hostile(c)), "raw control characters in it");
}

#[test]
fn a_closed_pipe() {
    let bed = Bed::orion();
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bedwatch"))
        .env_clear()
        .envs(clean_env(home.path()))
        .envs(bed_env("testing"))
        .args(["scan", "--endpoint-url", &bed.url, "-M", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    says(&output, 1, &["closed it before everything was written"]);
}

#[test]
fn no_terminal() {
    let output = bedwatch(&["--demo"], &[]);
    says(&output, 2, &["terminal", "bedwatch scan"]);
}

#[test]
fn files_that_are_no_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.case");
    let path = file.to_str().unwrap();
    says(&bedwatch(&["case", "info", path], &[]), 1, &["x.case", "does not exist"]);
    std::fs::write(&file, "not a database at all, by no means").unwrap();
    says(&bedwatch(&["case", "info", path], &[]), 1, &["x.case", "is no case"]);
}
