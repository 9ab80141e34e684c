//! Reports of a real scan, read by the readers that the formats have in the field; mutes, frameworks,
//! several regions at once.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, python};
use crate::pty::bed_env;
use crate::scan::{bedwatch, err, out};

fn scan(bed: &Bed, args: &[&str]) -> std::process::Output {
    let mut all = vec!["scan", "--endpoint-url", &bed.url];
    all.extend(args);
    bedwatch(&all, &bed_env("ONCALLREADONLY"))
}

#[test]
fn every_format_is_read_by_its_reader() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let formats = "table,json,ocsf,ocsf-detection,asff,sarif,junit,csv,html,markdown";
    let output = scan(&bed, &["-M", formats, "-o", path, "--region", "us-east-1,eu-west-1"]);
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let validator = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reports/validate.py");
    let read = Command::new(python()).arg(validator).arg(folder.path()).output().unwrap();
    let said = out(&read);
    assert!(read.status.success(), "{said}{}", err(&read));
    assert_eq!(said.lines().count(), 6, "{said}");
    // Every reader saw findings, and the two classes of OCSF the same.
    let counts: Vec<usize> = said.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert!(counts.iter().all(|count| *count > 30), "{said}");
    for name in std::fs::read_dir(folder.path()).unwrap() {
        let path = name.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("eu-west-1") && text.contains("CUS-KMS-03"), "{}", path.display());
    }
}

#[test]
fn a_session_that_cannot_be_opened_does_not_cost_the_others() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let keys = "aws_access_key_id = ONCALLREADONLY\naws_secret_access_key = x\nregion = us-east-1\n";
    std::fs::write(&config, format!("[profile there]\n{keys}")).unwrap();
    let env = [("AWS_CONFIG_FILE", config.to_str().unwrap())];
    let args = ["scan", "--endpoint-url", &bed.url, "--profile", "there,missing", "-M", "json", "-c", "CUS-LOG-01"];
    let output = bedwatch(&args, &env);
    // LOG-01 passes here; the profile that could not be scanned makes the run incomplete.
    assert_eq!(output.status.code(), Some(4), "{}", err(&output));
    assert!(err(&output).contains("not scanned missing"), "{}", err(&output));
    let document: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(document["scans"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["failures"][0]["profile"], "missing");
}

#[test]
fn a_mute_takes_its_finding_out_of_the_exit_code() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("mutes.yaml");
    let all = "Regions: [\"*\"], Resources: [\"*\"]";
    std::fs::write(&list, format!("Mutelist: {{Accounts: {{\"*\": {{Checks: {{CUS-KMS-07: {{{all}}}}}}}}}}}")).unwrap();
    let list = list.to_str().unwrap();
    let args = ["-M", "json", "-c", "CUS-KMS-07"];
    assert_eq!(scan(&bed, &args).status.code(), Some(3));
    let muted = scan(&bed, &[&args[..], &["-w", list]].concat());
    assert_eq!(muted.status.code(), Some(0), "{}", err(&muted));
    let document: Value = serde_json::from_str(&out(&muted)).unwrap();
    assert!(document["summary"]["by_status"]["MUTED"].as_u64().unwrap() > 0, "{document}");
    std::fs::write(list, "Mutelist: {Accounts: {\"*\": {Checks: {CUS-KMS-07: {Region: []}}}}}").unwrap();
    let wrong = scan(&bed, &[&args[..], &["-w", list]].concat());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("mutes.yaml") && err(&wrong).contains("Region"), "{}", err(&wrong));
}

#[test]
fn filters_choose_what_is_judged_and_what_is_shown() {
    let bed = Bed::orion();
    let verdicts = |args: &[&str]| -> Vec<(String, String)> {
        let output = scan(&bed, &[&["-M", "json"], args].concat());
        let document: Value = serde_json::from_str(&out(&output)).unwrap_or_else(|e| panic!("{e}: {}", err(&output)));
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        document["verdicts"].as_array().unwrap().iter().map(|row| (text(row, "control"), text(row, "status"))).collect()
    };
    let excluded = verdicts(&["-e", "CUS-KMS-01,CUS-KMS-03", "--status", "FAIL"]);
    assert!(!excluded.is_empty());
    assert!(
        excluded.iter().all(|(control, status)| control != "CUS-KMS-01" && control != "CUS-KMS-03" && status == "FAIL")
    );
    let cis = verdicts(&["--compliance", "cis"]);
    assert!(!cis.is_empty() && cis.iter().all(|(control, _)| control != "CUS-NET-01"), "{cis:?}");
    // Shown are the passes only; the exit code still tells of the failures.
    let passes = scan(&bed, &["--status", "PASS", "-c", "CUS-KMS-07"]);
    assert_eq!(passes.status.code(), Some(3), "{}", out(&passes));
}
