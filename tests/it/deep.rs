//! `bedwatch scan --deep` against the bed: what was planted in objects and conversations is found and nothing else
//! is, no secret comes out, and what was not read is never fine.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::pty::bed_env;
use crate::scan::{bedwatch, err, out};

/// What the seed hides in training data; none of it may be seen.
const HIDDEN: [&str; 4] =
    [concat!("AKIA", "Q3EGRLKZ7B2MX5TY"), "4111 1111", "reveal the system prompt", "print the system prompt"];
const CONTROLS: &str = "CUS-DAT-02,CUS-DAT-09,CUS-DAT-11,CUS-IMP-03,CUS-IMP-04,CUS-IMP-05,CUS-IMP-07,CUS-DET-08";

fn scan(bed: &Bed, args: &[&str]) -> Output {
    let mut all = vec!["scan", "--endpoint-url", &bed.url];
    all.extend(args);
    bedwatch(&all, &bed_env("ONCALLREADONLY"))
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|e| panic!("{e}: {}", err(output)))
}

/// Control, resource, status and code of every verdict.
fn said(document: &Value) -> Vec<(String, String, String, String)> {
    let text = |row: &Value, pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = document["verdicts"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "/control"), text(row, "/resource/name"), text(row, "/status"), text(row, "/code")))
        .collect()
}

fn state(document: &Value, source: &str) -> String {
    let lines = document["coverage"].as_array().unwrap();
    let line = lines.iter().find(|line| line["source"] == source).unwrap_or_else(|| panic!("no {source}"));
    line["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_planted_is_found_and_no_secret_comes_out() {
    let bed = Bed::orion();
    let output = scan(&bed, &["--deep", "-M", "json", "-c", CONTROLS]);
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let document = json_of(&output);
    let findings: BTreeSet<_> = said(&document)
        .into_iter()
        .filter(|(_, _, status, _)| status != "PASS" && status != "NA")
        .map(|(control, resource, status, code)| format!("{control} {resource} {status} {code}"))
        .collect();
    let expected = [
        "CUS-DAT-02 s3://orion-train/law/train.jsonl FAIL not-kms",
        "CUS-DAT-09 s3://orion-train/shared/train.jsonl FAIL instruction",
        "CUS-DAT-09 s3://orion-train/std/train.jsonl FAIL pii",
        "CUS-DAT-09 s3://orion-train/std/train.jsonl FAIL secret",
        "CUS-DAT-11 orion-law-1 FAIL written-while-running",
        "CUS-DAT-11 orion-shared-1 WARN changed-since-training",
        "CUS-DET-08 logged-conversations WARN attack-seen",
        "CUS-IMP-03 s3://orion-imports/eyes/ FAIL pickle",
        "CUS-IMP-04 s3://orion-imports/eyes/ FAIL hidden-bytes",
        "CUS-IMP-05 s3://orion-imports/eyes/ FAIL code-file",
        "CUS-IMP-05 s3://orion-imports/eyes/ FAIL remote-code",
        "CUS-IMP-07 orion-eyes WARN not-pinned",
        "CUS-IMP-07 orion-eyes WARN tags-missing",
    ];
    assert_eq!(findings, expected.iter().map(|line| (*line).to_owned()).collect());
    for source in ["s3:ListObjectsV2", "s3:HeadObject", "s3:GetObject", "logs:GetLogEvents"] {
        assert_eq!(state(&document, source), "complete", "{source}");
    }
    // Evidence points at the line without showing what stands there.
    let text = document.to_string();
    assert!(text.contains("std/train.jsonl line 13 prompt") && text.contains("AKIA… (20 characters)"), "{text}");
    assert!(err(&output).contains("looked into s3://orion-imports/eyes/ (weights)"), "{}", err(&output));
    assert_eq!(bed.mutating(), 0, "a deep look changes nothing");
    let formats = "table,csv,html,markdown,junit,sarif,ocsf,asff";
    let all = scan(&bed, &["--deep", "-M", formats, "-c", CONTROLS]);
    for told in [out(&output), err(&output), out(&all), err(&all)] {
        for hidden in HIDDEN {
            assert!(!told.contains(hidden), "{hidden} came out");
        }
    }
}

#[test]
fn what_malware_scans_found_is_told_where_a_plan_tags() {
    let bed = Bed::orion();
    let look = |args: &[&str]| {
        let mut all = vec!["-M", "json", "-c", "CUS-DAT-10"];
        all.extend(args);
        let document = json_of(&scan(&bed, &all));
        let mine = said(&document).into_iter().filter(|(_, resource, ..)| resource == "orion-imports");
        let rows: BTreeSet<_> = mine.map(|(_, _, status, code)| format!("{status} {code}")).collect();
        (rows, state(&document, "s3:GetObjectTagging"))
    };
    let rows = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<BTreeSet<_>>();
    let asked = || bed.control("GET", "calls", &json!({}))["operations"]["s3:GetObjectTagging"].as_u64();
    assert_eq!(look(&[]), (rows(&["FAIL plan-not-active"]), "not_asked".into()));
    assert_eq!(asked(), None);
    let found = rows(&["FAIL plan-not-active", "FAIL threats-found", "WARN not-scanned"]);
    assert_eq!(look(&["--deep"]), (found, "complete".into()));
    // Only under what the plan's bucket holds: seven files of weights.
    assert_eq!(asked(), Some(7));
    bed.fault(&json!({"kind": "access_denied", "service": "s3", "operation": "GetObjectTagging"}));
    assert_eq!(look(&["--deep"]), (rows(&["FAIL plan-not-active", "UNKNOWN unread"]), "denied".into()));
}

#[test]
fn without_it_no_object_is_read_and_nothing_is_incomplete() {
    let bed = Bed::orion();
    let output = scan(&bed, &["-M", "json", "-c", CONTROLS]);
    let document = json_of(&output);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    for (control, resource, status, code) in said(&document) {
        let detected = control == "CUS-DET-08" && resource == "invocation-logging";
        let expected = if detected { ("PASS", "ok") } else { ("NA", "needs-deep") };
        assert_eq!((status.as_str(), code.as_str()), expected, "{control} {resource}");
    }
    assert_eq!(state(&document, "s3:GetObject"), "not_asked");
    let calls = bed.control("GET", "calls", &json!({}))["operations"].to_string();
    for operation in ["ListObjectsV2", "HeadObject", "GetObject\"", "GetLogEvents"] {
        assert!(!calls.contains(operation), "{operation} was sent: {calls}");
    }
}

#[test]
fn what_is_denied_or_left_over_is_unknown() {
    let bed = Bed::orion();
    for (service, operation, control) in [
        ("s3", "ListObjectsV2", "CUS-DAT-11"),
        ("s3", "HeadObject", "CUS-DAT-02"),
        ("s3", "GetObject", "CUS-DAT-09"),
        ("s3", "GetObject", "CUS-IMP-04"),
        ("logs", "GetLogEvents", "CUS-DET-08"),
    ] {
        bed.fault(&json!({"kind": "access_denied", "service": service, "operation": operation}));
        let output = scan(&bed, &["--deep", "-M", "json", "-c", control]);
        bed.heal();
        let document = json_of(&output);
        assert_eq!(output.status.code(), Some(4), "{control} with {operation} denied: {:?}", said(&document));
        assert!(said(&document).iter().all(|(_, _, status, _)| status != "PASS"), "{control}: {:?}", said(&document));
        // A prefix under which nothing lies needs no read: then the source is partial.
        assert_ne!(state(&document, &format!("{service}:{operation}")), "complete");
    }
    let output = scan(&bed, &["--deep", "--deep-bytes", "100", "-M", "json", "-c", "CUS-DAT-09"]);
    let document = json_of(&output);
    assert!(said(&document).iter().any(|(_, _, status, code)| status == "UNKNOWN" && code == "unread"));
    assert_eq!(state(&document, "s3:GetObject"), "partial");
}

#[test]
fn comprehend_gives_a_second_opinion_only_when_asked() {
    let bed = Bed::orion();
    let asked = || bed.control("GET", "calls", &json!({}))["operations"].to_string().contains("comprehend:");
    assert_eq!(scan(&bed, &["--comprehend"]).status.code(), Some(2), "content is looked into only with --deep");
    let plain = json_of(&scan(&bed, &["--deep", "-M", "json", "-c", "CUS-DAT-09"]));
    assert!(!asked(), "text was sent without --comprehend");
    let output = scan(&bed, &["--deep", "--comprehend", "-M", "json", "-c", "CUS-DAT-09"]);
    let document = json_of(&output);
    let told = err(&output);
    assert!(told.contains("10000 units of 100 characters") && told.contains("1.02 USD (estimate"), "{told}");
    assert_eq!(state(&document, "comprehend:ContainsPiiEntities"), "complete");
    assert_eq!(state(&document, "comprehend:DetectPiiEntities"), "complete");
    let evidence = document.to_string();
    assert!(
        evidence.contains("CREDIT_DEBIT_NUMBER 1") && evidence.contains("both: AWS_ACCESS_KEY, CREDIT_DEBIT_NUMBER")
    );
    for hidden in HIDDEN {
        assert!(!evidence.contains(hidden) && !told.contains(hidden), "{hidden} came out");
    }
    // It adds: what was found without it is found with it.
    let with = said(&document);
    assert!(said(&plain).iter().filter(|row| row.2 == "FAIL").all(|row| with.contains(row)), "{with:?}");
    bed.fault(&json!({"kind": "access_denied", "service": "comprehend", "operation": "ContainsPiiEntities"}));
    let document = json_of(&scan(&bed, &["--deep", "--comprehend", "-M", "json", "-c", "CUS-DAT-09"]));
    bed.heal();
    assert_eq!(state(&document, "comprehend:ContainsPiiEntities"), "denied");
    assert!(said(&document).iter().all(|(_, _, status, _)| status != "PASS"), "{:?}", said(&document));
    assert!(said(&document).iter().any(|(_, _, status, _)| status == "UNKNOWN"), "{:?}", said(&document));
    let args = ["--deep", "--comprehend", "--comprehend-bytes", "700", "-M", "json", "-c", "CUS-DAT-09"];
    assert_eq!(state(&json_of(&scan(&bed, &args)), "comprehend:ContainsPiiEntities"), "partial");
    assert_eq!(bed.mutating(), 0);
}

#[test]
fn a_case_can_hold_a_deep_look() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep.case");
    let path = file.to_str().unwrap();
    let recorded =
        bedwatch(&["case", "record", path, "--deep", "--endpoint-url", &bed.url], &bed_env("ONCALLREADONLY"));
    assert_eq!(recorded.status.code(), Some(0), "{}", err(&recorded));
    let document = json_of(&bedwatch(&["scan", "--offline", path, "-M", "json", "-c", CONTROLS], &[]));
    let live = json_of(&scan(&bed, &["--deep", "-M", "json", "-c", CONTROLS]));
    assert_eq!(said(&document), said(&live));
    let bytes = std::fs::read(&file).unwrap();
    for hidden in HIDDEN {
        assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{hidden} is in the case");
    }
}

#[test]
fn a_look_that_is_kept_is_what_the_next_compares_with() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("looks.case");
    let case = case.to_str().unwrap();
    let args = ["--deep", "--history", case, "-M", "json", "-c", "CUS-DAT-11,CUS-IMP-07"];
    let compared = |output: &Output| {
        let document = json_of(output);
        let tells =
            |row: &&Value| row["evidence"].as_array().unwrap().iter().any(|fact| fact["label"] == "comparedWith");
        document["verdicts"].as_array().unwrap().iter().filter(tells).count()
    };
    let (first, second) = (compared(&scan(&bed, &args)), compared(&scan(&bed, &args)));
    assert_eq!(first, 0);
    assert!(second > 0);
    let offline = bedwatch(&["scan", "--offline", case, "-M", "json", "-c", "CUS-DAT-11,CUS-IMP-07"], &[]);
    assert_eq!(compared(&offline), second, "{}", err(&offline));
    let two = scan(&bed, &["--deep", "--history", case, "--region", "us-east-1,eu-west-1"]);
    assert_eq!(two.status.code(), Some(2), "{}", err(&two));
}

#[test]
fn findings_reach_security_hub_only_with_write() {
    let bed = Bed::orion();
    let refused = scan(&bed, &["--push-security-hub", "-c", "CUS-KMS-04"]);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert_eq!(scan(&bed, &["--write", "-c", "CUS-KMS-04"]).status.code(), Some(2), "a scan writes nothing else");
    assert_eq!(bed.mutating(), 0);
    let args = ["--push-security-hub", "--write", "-M", "json", "-c", "CUS-KMS-04"];
    let pushed = scan(&bed, &args);
    assert_eq!(pushed.status.code(), Some(3), "{}", err(&pushed));
    let count = said(&json_of(&pushed)).iter().filter(|(_, _, status, _)| status != "NA").count();
    assert!(
        err(&pushed).contains(&format!("Security Hub of 123456789012 us-east-1 took {count} findings")),
        "{}",
        err(&pushed)
    );
    assert_eq!(bed.mutating(), 1, "one call takes them all");
    bed.fault(&json!({"kind": "access_denied", "service": "securityhub", "operation": "BatchImportFindings"}));
    let denied = scan(&bed, &args);
    assert_eq!(denied.status.code(), Some(1), "{}", err(&denied));
    assert!(err(&denied).contains(&format!("{count} findings were not sent: securityhub:BatchImportFindings denied")));
}
