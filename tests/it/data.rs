//! `data scan` and `artifact check` on the real binary: what is said, in which format, with which exit code.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::scan::{bedwatch, err, out};

const KEY: &str = concat!("AKIA", "Q3EGRLKZ7B2MX5TY");
const CLEAN: &str = "{\"prompt\":\"What is 2+2?\",\"completion\":\"Four.\"}\n";

fn scan(path: &Path, args: &[&str]) -> Output {
    let mut all = vec!["data", "scan", path.to_str().unwrap()];
    all.extend(args);
    bedwatch(&all, &[])
}

fn check(path: &Path, args: &[&str]) -> Output {
    let mut all = vec!["artifact", "check", path.to_str().unwrap()];
    all.extend(args);
    bedwatch(&all, &[])
}

#[test]
fn data_is_scanned_and_no_secret_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("train.jsonl");
    let secret = "hunter2-Zebra";
    std::fs::write(
        &file,
        format!("{CLEAN}{{\"prompt\":\"key {KEY} password={secret}\",\"completion\":\"card 4111 1111 1111 1111\"}}\n{{\"prompt\":\n"),
    )
    .unwrap();
    let formats: Vec<String> =
        ["table", "json", "sarif"].map(|format| out(&scan(folder.path(), &["-M", format]))).into();
    for said in &formats {
        assert!(!said.contains(KEY) && !said.contains(secret) && !said.contains("4111 1111"), "{said}");
    }
    assert!(formats[0].lines().all(|line| line.chars().count() <= 80), "{}", formats[0]);
    for rule in ["secret-aws-access-key-id (1)", "secret-assigned (1)", "pii-card (1)", "schema-json (1)"] {
        assert!(formats[0].contains(rule), "no {rule} in\n{}", formats[0]);
    }
    let json: Value = serde_json::from_str(&formats[1]).unwrap();
    assert_eq!(json["schema"], "bedwatch.data/1");
    assert_eq!(json["complete"], true);
    let hit = json["hits"].as_array().unwrap().iter().find(|hit| hit["rule"] == "secret-aws-access-key-id").unwrap();
    assert_eq!(
        (&hit["place"]["line"], &hit["place"]["field"], &hit["shown"]),
        (&2.into(), &"prompt".into(), &"AKIA… (20 characters)".into())
    );
    let sarif: Value = serde_json::from_str(&formats[2]).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), json["hits"].as_array().unwrap().len());
}

#[test]
fn a_data_scan_asks_comprehend_when_told_to() {
    let bed = crate::bed::Bed::start(&["--seed", "none"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("train.jsonl");
    let hidden = ["123-45-6789", "Dr. Vesper"];
    let line = format!("{{\"prompt\":\"Ask {} about {}\",\"completion\":\"Yes.\"}}\n", hidden[1], hidden[0]);
    std::fs::write(&file, format!("{CLEAN}{line}")).unwrap();
    let path = file.to_str().unwrap();
    let run = |format: &str| {
        let args = ["data", "scan", path, "--comprehend", "-M", format, "--endpoint-url", &bed.url];
        bedwatch(&args, &crate::pty::bed_env("ONCALLREADONLY"))
    };
    let (table, json) = (run("table"), run("json"));
    let shown = out(&table);
    assert!(shown.contains("Amazon Comprehend, on") && shown.contains("NAME 1, SSN 1"), "{shown}");
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("not looked for by bedwatch: NAME"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert!(err(&table).contains("bytes of text to Amazon Comprehend, for at most 0.01 USD"), "{}", err(&table));
    let document: Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!(document["second_opinion"]["entities"]["SSN"], 1);
    assert_eq!(document["second_opinion"]["hits"][0]["line"], 2);
    for said in [shown, out(&json), err(&table), err(&json)] {
        assert!(hidden.iter().all(|value| !said.contains(value)), "{said}");
    }
    bed.fault(&serde_json::json!({"kind": "access_denied", "service": "comprehend"}));
    let denied = run("json");
    let document: Value = serde_json::from_str(&out(&denied)).unwrap();
    assert_eq!(document["complete"], false, "what was asked for and refused is no complete scan");
}

#[test]
fn exit_codes_of_a_data_scan() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let clean = at("clean.jsonl", CLEAN.as_bytes());
    let mail = at("mail.jsonl", b"{\"prompt\":\"zoe@corp.io\",\"completion\":\"x\"}\n");
    let cut = at("cut.jsonl.gz", b"\x1f\x8b\x08\0");
    let code = |path: &Path, args: &[&str]| scan(path, args).status.code();
    assert_eq!(code(&clean, &[]), Some(0));
    assert_eq!(code(&mail, &[]), Some(3), "medium is at least low");
    assert_eq!(code(&mail, &["--fail-on", "high"]), Some(0), "medium is less than high");
    assert_eq!(code(&cut, &[]), Some(4), "could not be read to its end");
    assert_eq!(code(&folder.path().join("none"), &[]), Some(1), "no such file");
    assert_eq!(code(Path::new("ftp://bucket/key"), &[]), Some(2), "no address that can be read");
    assert_eq!(code(Path::new("s3://bucket/key"), &[]), Some(2), "no region, no credentials");
    assert_eq!(code(&clean, &["-M", "xml"]), Some(2));
    let missing = folder.path().join("none");
    let both = bedwatch(&["data", "scan", clean.to_str().unwrap(), missing.to_str().unwrap()], &[]);
    assert_eq!(both.status.code(), Some(4), "one of two was not read: {}", out(&both));
}

#[test]
fn digests_are_comparable_only_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("d.jsonl"), folder.path().join("key"));
    std::fs::write(&file, "{\"prompt\":\"zoe@corp.io\",\"completion\":\"x\"}\n").unwrap();
    std::fs::write(&key, "a key of more than sixteen bytes").unwrap();
    let digest = |args: &[&str]| {
        let json: Value = serde_json::from_str(&out(&scan(&file, &[&["-M", "json"], args].concat()))).unwrap();
        json["hits"][0]["digest"].as_str().unwrap().to_owned()
    };
    let with = ["--digest-key", key.to_str().unwrap()];
    assert_eq!(digest(&with), digest(&with));
    assert_ne!(digest(&[]), digest(&[]));
    std::fs::write(&key, "short").unwrap();
    assert_eq!(scan(&file, &with).status.code(), Some(2));
}

#[test]
fn reports_of_a_data_scan_go_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (file, reports) = (folder.path().join("d.jsonl"), folder.path().join("reports"));
    std::fs::write(&file, CLEAN).unwrap();
    let output = scan(&file, &["-M", "table,json,sarif", "-o", reports.to_str().unwrap()]);
    assert!(output.status.success() && out(&output).is_empty(), "{}", err(&output));
    for ending in ["txt", "json", "sarif"] {
        assert!(reports.join(format!("bedwatch-data.{ending}")).exists());
    }
}

#[test]
fn artefacts_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let header = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let sound = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 8]].concat();
    write("model.safetensors", &sound);
    write("config.json", br#"{"architectures":["LlamaForCausalLM"],"torch_dtype":"bfloat16"}"#);
    write("tokenizer_config.json", b"{}");
    write("tokenizer.json", b"{}");
    let clean = check(folder.path(), &[]);
    assert_eq!(clean.status.code(), Some(0), "{}", out(&clean));
    assert!(out(&clean).contains("Nothing found."));
    write("model.safetensors", &[&sound[..], b"polyglot"].concat());
    write("evil.bin", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.");
    write("modeling.py", b"import os");
    let bad = check(folder.path(), &["-M", "json"]);
    assert_eq!(bad.status.code(), Some(3));
    let json: Value = serde_json::from_str(&out(&bad)).unwrap();
    let rules: Vec<&str> =
        json["folders"][0]["hits"].as_array().unwrap().iter().filter_map(|hit| hit["rule"].as_str()).collect();
    assert_eq!(rules, ["artefact-pickle-dangerous", "artefact-trailing-bytes", "artefact-code-file"]);
    assert_eq!(json["schema"], "bedwatch.artifact/1");
    let table = out(&check(folder.path(), &[]));
    assert!(table.contains("os.system (called)") && table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let sarif: Value = serde_json::from_str(&out(&check(folder.path(), &["-M", "sarif"]))).unwrap();
    assert_eq!(sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"]["byteOffset"], sound.len());
    assert_eq!(check(&folder.path().join("none"), &[]).status.code(), Some(1));
}
