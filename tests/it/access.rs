//! `bedwatch access`, `why` and `access-eval`: against the bed, from a case, from standard input.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bed::Bed;
use crate::pty::{bed_env, clean_env};
use crate::scan::{bedwatch, err, out};

fn live(bed: &Bed, args: &[&str]) -> std::process::Output {
    let mut all = vec!["--endpoint-url", &bed.url];
    all.extend(args);
    bedwatch(&all, &bed_env("ONCALLREADONLY"))
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|e| panic!("{e}: {} {}", out(output), err(output)))
}

fn decision<'a>(document: &'a Value, name: &str, action: &str) -> &'a Value {
    let row = document["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["principal"].as_str().is_some_and(|arn| arn.rsplit(['/', ':']).next() == Some(name)));
    &row.unwrap_or_else(|| panic!("no row for {name}: {document:#}"))["access"][action]
}

#[test]
fn who_can_use_a_key_live_and_from_a_case() {
    let bed = Bed::orion();
    let seen = live(&bed, &["access", "orion-chat", "-M", "json"]);
    assert_eq!(seen.status.code(), Some(4), "the partner's role cannot be seen: {}", err(&seen));
    let document = json(&seen);
    for (name, action, expected) in [
        ("ci-runner", "kms:Decrypt", "Allowed"),
        ("App", "kms:Decrypt", "Conditional"),
        ("KeyAdmins", "kms:PutKeyPolicy", "Allowed"),
        ("model-sync", "kms:Decrypt", "Uncertain"),
        ("model-sync", "kms:PutKeyPolicy", "ImplicitlyDenied"),
        ("bedrock.amazonaws.com", "kms:Decrypt", "Allowed"),
    ] {
        assert_eq!(decision(&document, name, action)["decision"], expected, "{name} {action}");
    }
    let when = &decision(&document, "App", "kms:Decrypt")["conditions"];
    assert_eq!(when, "kms:ViaService StringEquals bedrock.us-east-1.amazonaws.com");
    assert_eq!(document["rows"][0]["foreign"], true, "the stranger stands first");
    assert!(document["obtain"].as_array().unwrap().iter().any(|way| way["action"] == "kms:PutKeyPolicy"));

    let through =
        json(&live(&bed, &["access", "orion-chat", "-M", "json", "--via", "bedrock.us-east-1.amazonaws.com"]));
    assert_eq!(decision(&through, "App", "kms:Decrypt")["decision"], "Allowed");

    assert!(document["remarks"].is_array(), "{document:#}");

    let table = out(&live(&bed, &["access", "alias/orion-chat"]));
    let wide: Vec<_> = table.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "over 80 columns: {wide:#?}");
    assert!(table.contains("model-sync") && table.contains("Who can obtain access:"), "{table}");

    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("a.bedcase");
    let case = case.to_str().unwrap();
    let recorded = live(&bed, &["case", "record", case]);
    assert!(recorded.status.success(), "{}", err(&recorded));
    let offline = json(&bedwatch(&["access", "orion-chat", "-M", "json", "--offline", case], &[]));
    assert_eq!(offline["rows"], document["rows"]);
    assert_eq!(bed.mutating(), 0, "asking who can changes nothing");

    let why = out(&bedwatch(&["why", "ci-runner", "kms:Decrypt", "orion-chat", "--offline", case], &[]));
    assert!(why.contains("Allowed: by key policy /Statement/4 \"Legacy\""), "{why}");
    assert!(why.contains("\"Sid\": \"Legacy\""), "the statement itself is shown: {why}");
    let nobody = bedwatch(&["why", "nobody", "kms:Decrypt", "orion-chat", "--offline", case], &[]);
    assert_eq!(nobody.status.code(), Some(2), "{}", err(&nobody));
    let nothing = bedwatch(&["access", "no-such-thing", "--offline", case], &[]);
    assert_eq!(nothing.status.code(), Some(2), "{}", err(&nothing));
    assert!(err(&nothing).contains("give its ARN"), "{}", err(&nothing));
}

#[test]
fn a_session_policy_and_an_endpoint_are_applied_when_they_are_named() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("a.bedcase");
    let case = case.to_str().unwrap();
    assert!(live(&bed, &["case", "record", case]).status.success());
    let ask = |args: &[&str]| bedwatch(&[args, &["--offline", case]].concat(), &[]);
    let asked = |args: &[&str]| json(&ask(&[args, &["-M", "json"]].concat()));
    let session = folder.path().join("session.json");
    let lists = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Lists","Effect":"Allow","Action":"s3:List*","Resource":"*"},
        {"Sid":"NoDescribe","Effect":"Deny","Action":"kms:DescribeKey","Resource":"*"}]}"#;
    std::fs::write(&session, lists).unwrap();
    let session = session.to_str().unwrap();

    // Without: said, not guessed.
    let decrypt = ["why", "ci-runner", "kms:Decrypt", "orion-chat"];
    let open = asked(&decrypt);
    assert_eq!(open["decision"], "Allowed", "{open:#}");
    let notes = open["notes"].to_string();
    assert!(notes.contains("session policies and VPC endpoint policies are not evaluated"), "{notes}");

    // E7: an Allow that names the role is limited by the session policy.
    let limited = asked(&[&decrypt[..], &["--session-policy", session]].concat());
    assert_eq!(limited["decision"], "ImplicitlyDenied", "{limited:#}");
    assert!(limited["blockedBy"].to_string().contains("session"), "{limited:#}");
    let notes = limited["notes"].to_string();
    assert!(
        notes.contains("VPC endpoint policies are not evaluated") && !notes.contains("session policies"),
        "{notes}"
    );
    let text = out(&ask(&["why", "KeyAdmins", "kms:DescribeKey", "orion-chat", "--session-policy", session]));
    assert!(text.contains("ExplicitlyDenied: by session policy /Statement/1 \"NoDescribe\""), "{text}");
    assert!(text.replace(' ', "").contains("\"Action\":\"kms:DescribeKey\""), "its own text is shown: {text}");
    let matrix = asked(&["access", "orion-chat", "--session-policy", session]);
    assert_eq!(decision(&matrix, "ci-runner", "kms:Decrypt")["decision"], "ImplicitlyDenied");

    // E4: what comes through an endpoint is limited by its policy, and tells where it comes from.
    let delete = ["why", "root", "s3:DeleteObject", "arn:aws:s3:::orion-train/x"];
    assert_eq!(asked(&delete)["decision"], "Conditional");
    let through = asked(&[&delete[..], &["--through", "vpce-s3"]].concat());
    assert_eq!(through["decision"], "ImplicitlyDenied", "{through:#}");
    assert!(through["blockedBy"].to_string().contains("endpoint"), "{through:#}");
    let matrix = asked(&["access", "orion-train", "--through", "vpce-s3"]);
    let of_runner = |action: &str| decision(&matrix, "ci-runner", action)["decision"].clone();
    assert_eq!(
        (of_runner("s3:GetObject"), of_runner("s3:DeleteObject")),
        ("Conditional".into(), "ImplicitlyDenied".into())
    );
    assert!(matrix["notes"].to_string().contains("its policy is applied"), "{}", matrix["notes"]);
    for (args, said) in [
        (["--through", "vpce-s3"], "kms:Decrypt does not come through vpce-"),
        (["--through", "vpce-nowhere"], "'vpce-nowhere' is no VPC endpoint that was read"),
        (["--session-policy", "/nowhere.json"], "session policy /nowhere.json"),
    ] {
        let refused = ask(&[&decrypt[..], &args[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
        assert!(err(&refused).contains(said), "{}", err(&refused));
    }
}

#[test]
fn cases_on_standard_input_get_verdicts_in_order() {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bedwatch"))
        .env_clear()
        .envs(clean_env(home.path()))
        .args(["access-eval", "--ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let table = include_str!("../access/conformance.ndjson");
    let rows: Vec<Value> = table.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut input = child.stdin.take().unwrap();
    let cases = rows.iter().map(|row| format!("{}\n", row["case"])).collect::<Vec<_>>().concat();
    let writer = std::thread::spawn(move || input.write_all(cases.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let verdicts = out(&output);
    assert_eq!(verdicts.lines().count(), rows.len());
    for (row, line) in rows.iter().zip(verdicts.lines()) {
        let verdict: Value = serde_json::from_str(line).unwrap();
        assert_eq!(verdict["decision"], row["expect"]["decision"], "{line}");
        assert_eq!(verdict["id"], row["case"]["id"]);
    }
}
