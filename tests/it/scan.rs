//! `bedwatch scan` against the bed: verdicts, coverage, exit codes.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::pty::{bed_env, clean_env};

/// Runs the binary with an environment of its own.
pub fn bedwatch(args: &[&str], env: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedwatch"));
    command.env_clear().envs(clean_env(home.path())).envs(env.iter().copied()).args(args).current_dir(home.path());
    command.output().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
}

fn scan(bed: &Bed, args: &[&str]) -> Output {
    let mut all = vec!["scan", "--endpoint-url", &bed.url];
    all.extend(args);
    bedwatch(&all, &bed_env("ONCALLREADONLY"))
}

fn scan_json(bed: &Bed, args: &[&str]) -> (Value, Output) {
    let mut all = vec!["-M", "json"];
    all.extend(args);
    let output = scan(bed, &all);
    let document = serde_json::from_str(&out(&output)).unwrap_or_else(|e| panic!("{e}: {}", err(&output)));
    (document, output)
}

/// One verdict as the manifest would write it.
struct Row {
    control: String,
    /// `orion-chat`, or `orion-chat x OrionTuner` for a key and a role.
    resource: String,
    status: String,
    code: String,
}

fn verdicts(document: &Value) -> Vec<Row> {
    let text = |row: &Value, pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = document["verdicts"].as_array().unwrap().iter();
    rows.map(|row| {
        let mut resource = text(row, "/resource/name");
        if text(row, "/control") == "CUS-KMS-06" {
            let related = row["related"].as_array().unwrap();
            if let Some(role) = related.iter().find(|related| related["type"] == "role") {
                resource = format!("{resource} x {}", text(role, "/arn").rsplit('/').next().unwrap_or_default());
            }
        }
        Row { control: text(row, "/control"), resource, status: text(row, "/status"), code: text(row, "/code") }
    })
    .collect()
}

#[test]
fn the_planted_flaws_are_found_and_nothing_else_is() {
    let bed = Bed::orion();
    for region in ["us-east-1", "eu-west-1"] {
        let manifest = Bed::manifest(region);
        let (document, output) = scan_json(&bed, &["--region", region]);
        assert_eq!(output.status.code(), Some(3), "{}", err(&output));
        let found = verdicts(&document);
        let mut wrong = Vec::new();
        for planted in &manifest.expected {
            let explains = |row: &&Row| {
                row.control == planted.control && row.resource == planted.resource && row.status == planted.status
            };
            let is_finding = matches!(planted.status.as_str(), "FAIL" | "WARN");
            if !found.iter().filter(explains).any(|row| !is_finding || planted.codes.contains(&row.code)) {
                wrong.push(format!("missing: {planted:?}"));
            }
        }
        let controls: std::collections::BTreeSet<_> = manifest.expected.iter().map(|row| &row.control).collect();
        for row in found.iter().filter(|row| controls.contains(&row.control)) {
            let about = |control: &str, resource: &str| row.control == control && row.resource == resource;
            let expected = manifest.expected.iter().any(|planted| {
                about(&planted.control, &planted.resource)
                    && row.status == planted.status
                    && (planted.codes.is_empty() || planted.codes.contains(&row.code))
            });
            let open = manifest.undecided.iter().any(|(control, resource)| about(control, resource));
            // Nothing to judge is no claim; where something should have been said, it is missing above.
            let empty = row.status == "NA";
            if !expected && !open && !empty {
                wrong.push(format!("unexpected: {} {} {} {}", row.control, row.resource, row.status, row.code));
            }
        }
        assert!(wrong.is_empty(), "{region}: {wrong:#?}");
    }
    assert_eq!(bed.mutating(), 0, "a scan sends no mutating request");
}

#[test]
fn every_source_is_complete_and_the_formats_agree() {
    let bed = Bed::orion();
    let (document, _) = scan_json(&bed, &[]);
    for line in document["coverage"].as_array().unwrap() {
        let source = bedwatch::inventory::SourceId::named(line["source"].as_str().unwrap()).unwrap();
        assert_eq!(
            line["state"],
            if source.is_deep() || source.is_opinion() { "not_asked" } else { "complete" },
            "{line}"
        );
    }
    assert_eq!(document["schema"], "bedwatch.scan/1");
    assert_eq!(document["session"]["account"], "123456789012");
    let table = out(&scan(&bed, &["-M", "table"]));
    for row in document["verdicts"].as_array().unwrap() {
        if row["status"] == "FAIL" {
            let control = row["control"].as_str().unwrap();
            assert!(table.contains(control), "the table lacks {control}:\n{table}");
        }
    }
    let wide: Vec<_> = table.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "over 80 columns: {wide:#?}");
    let both = out(&scan(&bed, &["-M", "json,table"]));
    assert!(both.contains("\"bedwatch.scan/1\"") && both.contains("coverage "), "{both}");
}

#[test]
fn a_source_that_is_denied_or_throttled_makes_unknowns_and_no_pass() {
    let bed = Bed::orion();
    let cases = [
        ("kms", "GetKeyPolicy", "CUS-KMS-07"),
        ("kms", "DescribeKey", "CUS-KMS-03"),
        ("kms", "GetKeyRotationStatus", "CUS-KMS-04"),
        ("kms", "ListGrants", "CUS-KMS-06"),
        ("iam", "GetAccountAuthorizationDetails", "CUS-IAM-01"),
        ("iam", "GetAccountAuthorizationDetails", "CUS-IAM-02"),
        ("ec2", "DescribeRouteTables", "CUS-NET-02"),
        ("bedrock", "GetModelCustomizationJob", "CUS-NET-01"),
        ("bedrock", "ListCustomModels", "CUS-KMS-01"),
        ("bedrock", "ListModelCustomizationJobs", "CUS-KMS-02"),
        ("bedrock", "GetModelInvocationLoggingConfiguration", "CUS-LOG-01"),
        ("events", "ListRules", "CUS-DET-01"),
    ];
    for (service, operation, control) in cases {
        bed.fault(&json!({"kind": "access_denied", "service": service, "operation": operation}));
        let (document, output) = scan_json(&bed, &["-c", control]);
        bed.heal();
        let statuses: Vec<_> = verdicts(&document).into_iter().map(|row| (row.resource, row.status)).collect();
        assert!(!statuses.is_empty(), "{control} said nothing with {operation} denied");
        assert!(
            statuses.iter().all(|(_, status)| status != "PASS"),
            "{control} passes although {operation} is denied: {statuses:?}"
        );
        assert!(statuses.iter().any(|(_, status)| status == "UNKNOWN"), "{control}, {operation}: {statuses:?}");
        let source = document["coverage"]
            .as_array()
            .unwrap()
            .iter()
            .find(|line| line["source"].as_str().unwrap().ends_with(&format!(":{operation}")))
            .unwrap()
            .clone();
        assert!(matches!(source["state"].as_str(), Some("denied" | "partial")), "{source}");
        assert!(source["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{source}");
        // Unknown without a finding ends with 4; with a finding elsewhere in the same control, with 3.
        assert!(matches!(output.status.code(), Some(3 | 4)), "{:?}", output.status);
    }
    bed.fault(&json!({"kind": "throttle", "service": "kms", "operation": "GetKeyPolicy"}));
    // Fewer attempts: what is tested is what is said after the last one.
    let env = [bed_env("ONCALLREADONLY"), vec![("AWS_MAX_ATTEMPTS", "1"), ("AWS_RETRY_MODE", "standard")]].concat();
    let output = bedwatch(&["scan", "--endpoint-url", &bed.url, "-M", "json", "-c", "CUS-KMS-07"], &env);
    bed.heal();
    let document: Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(verdicts(&document).iter().all(|row| row.status == "UNKNOWN"), "{document}");
}

#[test]
fn controls_and_frameworks_are_listed_without_asking_anybody() {
    let list = |args: &[&str]| bedwatch(&[&["scan"], args].concat(), &[]);
    let table = list(&["--list-controls"]);
    assert_eq!(table.status.code(), Some(0), "{}", err(&table));
    assert!(out(&table).contains("CUS-KMS-01  HIGH      Encryption  Custom model encrypted"), "{}", out(&table));
    let json: Value =
        serde_json::from_str(&out(&list(&["--list-controls", "--compliance", "gdpr", "-M", "json"]))).unwrap();
    let count = json["controls"].as_array().unwrap().len();
    assert!(count > 10 && count < bedwatch::posture::CONTROLS.len(), "{count}");
    let one = out(&list(&["--list-controls", "-c", "cus-dat-09"]));
    assert!(one.contains("reads") && one.contains("s3:GetObject") && !one.contains("CUS-KMS-01"), "{one}");
    assert!(out(&list(&["--list-compliance"])).contains("fedramp-moderate"));
    for (args, words) in [
        (&["--list-controls", "-c", "CUS-KSM-01"][..], "did you mean CUS-KMS-01?"),
        (&["--list-controls", "-M", "csv"], "-M json"),
        (&["--compliance", "gpdr"], "did you mean gdpr?"),
        (&["--list-controls", "-c", "CUS-KMS-01", "-e", "CUS-KMS-01"], "no control is left"),
    ] {
        let output = list(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(err(&output).contains(words), "{args:?}: {}", err(&output));
    }
}

#[test]
fn exit_codes() {
    let bed = Bed::orion();
    let code = |args: &[&str]| scan(&bed, args).status.code();
    assert_eq!(code(&["-c", "CUS-LOG-01"]), Some(0), "logging is on in us-east-1");
    assert_eq!(code(&["-c", "CUS-KMS-07"]), Some(3), "a critical finding");
    assert_eq!(code(&["-c", "CUS-KMS-04", "--fail-on", "high"]), Some(0), "rotation is medium");
    assert_eq!(code(&["-c", "CUS-XXX-99"]), Some(2), "no such control");
    assert_eq!(code(&["-M", "yaml"]), Some(2), "no such format");
    bed.fault(
        &json!({"kind": "access_denied", "service": "bedrock", "operation": "GetModelInvocationLoggingConfiguration"}),
    );
    assert_eq!(code(&["-c", "CUS-LOG-01"]), Some(4), "could not look");
}

#[test]
fn reports_go_to_a_folder_under_a_name_of_their_own() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let output = scan(&bed, &["-M", "json,table", "-o", folder.path().to_str().unwrap()]);
    assert!(out(&output).is_empty(), "{}", out(&output));
    let json = std::fs::read_to_string(folder.path().join("bedwatch-123456789012-us-east-1.json")).unwrap();
    assert!(serde_json::from_str::<Value>(&json).is_ok());
    assert!(folder.path().join("bedwatch-123456789012-us-east-1.txt").exists());
}

#[test]
fn options_of_the_console_are_refused_before_a_command_and_nothing_is_asked() {
    let bed = Bed::orion();
    let calls = || bed.control("GET", "calls", &json!({}))["total"].as_u64().expect("a count");
    let before = calls();
    for (args, words) in [
        (&["--demo", "scan"][..], "--demo opens the console"),
        (&["--case", "x.case", "scan"], "scan --offline FILE"),
        (&["--write", "fix", "list"], "fix apply"),
    ] {
        let all = [args, &["--endpoint-url", &bed.url]].concat();
        let output = bedwatch(&all, &bed_env("ONCALLWRITE"));
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(err(&output).contains(words), "{args:?}: {}", err(&output));
    }
    assert_eq!(calls(), before, "something was asked");
}
