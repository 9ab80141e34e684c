//! `bedwatch fix` against the bed: plan, apply, journal, undo, and everything that must not be sent.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Output;

use bedwatch::base::{Generation, Timestamp};
use bedwatch::fix::{Context, Plan, Setting};
use bedwatch::inventory::s3::{Bucket, PublicAccessBlock, Versioning};
use bedwatch::inventory::{Inventory, Mode, Read, SessionInfo};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::pty::{Console, Start, bed_env};
use crate::scan::{bedwatch, err, out};

const WANTED: &str = "OrionTuner customizes with key orion-chat";

fn fix(bed: &Bed, args: &[&str]) -> Output {
    let all = [&["fix", "--endpoint-url", &bed.url], args].concat();
    bedwatch(&all, &bed_env("ONCALLWRITE"))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("it was ended by a signal: {}", err(output)))
}

/// The fixable findings.
fn list(bed: &Bed) -> Value {
    let output = fix(bed, &["list", "-M", "json"]);
    let document: Value = serde_json::from_str(&out(&output)).unwrap_or_else(|e| panic!("{e}: {}", err(&output)));
    let unknown = document["unknown"].as_u64().unwrap();
    assert_eq!(code(&output), if unknown > 0 { 4 } else { 0 }, "{}", err(&output));
    document
}

/// The id of the finding that the tests fix, if it is open.
fn finding(bed: &Bed) -> Option<String> {
    let document = list(bed);
    let fixes = document["fixes"].as_array().unwrap();
    let wanted = fixes.iter().find(|fix| fix["reason"].as_str().unwrap().starts_with(WANTED))?;
    assert_eq!(wanted["ways"].as_array().unwrap().len(), 2, "a statement, or a grant");
    assert_eq!(wanted["ways"][0]["fix"], "FIX-03");
    assert_eq!(wanted["ways"][0]["operations"], json!(["kms:PutKeyPolicy"]));
    Some(wanted["finding"].as_str().unwrap().to_owned())
}

/// Plans a way to fix it, into a file of this folder.
fn plan(bed: &Bed, folder: &Path, way: &str) -> PathBuf {
    let id = finding(bed).expect("the finding is open");
    let output = fix(bed, &["plan", &id, "--way", way]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let path = folder.join("plan.json");
    std::fs::write(&path, &output.stdout).unwrap();
    path
}

/// A call of KMS as somebody else makes it, past bedwatch.
fn kms(bed: &Bed, operation: &str, body: &Value) -> Value {
    let address = bed.url.strip_prefix("http://").unwrap();
    let body = body.to_string();
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "POST / HTTP/1.1\r\nhost: {address}\r\nx-amz-target: TrentService.{operation}\r\n\
         content-type: application/x-amz-json-1.1\r\nconnection: close\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=ONCALLWRITE/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.lines().next().unwrap().contains("200"), "{operation}: {answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or(Value::Null)
}

fn policy(bed: &Bed, key: &str) -> Value {
    let answer = kms(bed, "GetKeyPolicy", &json!({"KeyId": key, "PolicyName": "default"}));
    serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap()
}

fn sids(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().filter_map(|statement| statement["Sid"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_plan_is_applied_journaled_and_undone() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&bed, folder.path(), "1");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&plan).unwrap()).unwrap();
    assert_eq!(document["schema"], "bedwatch.plan/1");
    assert_eq!(document["session"]["account"], "123456789012");
    assert_eq!(document["consequences"]["gains"][0]["name"], "OrionTuner");
    assert_eq!(document["consequences"]["lockout"]["safe"], true);
    let key = document["plan"]["target"]["id"].as_str().unwrap().to_owned();
    let before = policy(&bed, &key);

    // Nothing of this may reach AWS.
    let (file, case) = (plan.display().to_string(), folder.path().join("fix.case").display().to_string());
    let apply = |more: &[&str]| fix(&bed, &[&["apply", file.as_str(), "--case", case.as_str()], more].concat());
    for (args, why) in [
        (&[][..], "read-only; start with --write"),
        (&["--confirm", "orion-chat"], "read-only; start with --write"),
        (&["--write"], "--confirm 'orion-chat'"),
        (&["--write", "--confirm", "orion-cha"], "not confirmed"),
        (&["--write", "--confirm", ""], "not confirmed"),
    ] {
        let output = apply(args);
        assert_eq!(code(&output), 2, "{args:?}: {}", err(&output));
        assert!(err(&output).contains(why), "{args:?}: {}", err(&output));
        assert!(err(&output).contains("lockout"), "the consequences are shown: {}", err(&output));
    }
    assert_eq!(bed.mutating(), 0, "without --write and a confirmation nothing is sent");

    let output = apply(&["--write", "--confirm", "orion-chat"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    for said in ["made and read back on orion-chat", ": closed", "entry 2 of", "fix undo 2 --write --case"] {
        assert!(out(&output).contains(said), "{said}: {}", out(&output));
    }
    assert_eq!(bed.mutating(), 1);
    assert_eq!(finding(&bed), None, "the account agrees");
    assert!(sids(&policy(&bed, &key)).contains(&"BedwatchCustomize".to_owned()));

    // The same plan does not fit what is there now.
    let output = apply(&["--write", "--confirm", "orion-chat"]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(err(&output).contains("has changed since") && err(&output).contains("BedwatchCustomize"));
    assert_eq!(bed.mutating(), 1);

    let journal = bedwatch(&["case", "journal", &case], &[]);
    let text = out(&journal);
    assert!(text.contains("intended") && text.contains("done") && text.contains("+ ") && text.contains("Bedwatch"));
    assert!(bedwatch(&["case", "verify", &case], &[]).status.success());

    let undo = |more: &[&str]| fix(&bed, &[&["undo", "2", "--case", case.as_str()], more].concat());
    let output = undo(&["--confirm", "orion-chat"]);
    assert_eq!((code(&output), bed.mutating()), (2, 1), "{}", err(&output));
    let output = undo(&["--own", "--write", "--confirm", "orion-chat"]);
    assert_eq!((code(&output), bed.mutating()), (2, 1), "{}", err(&output));
    assert!(err(&output).contains("leave --own out"), "{}", err(&output));
    let output = undo(&["--write", "--confirm", "orion-chat"]);
    assert_eq!((code(&output), bed.mutating()), (0, 2), "{}", err(&output));
    assert_eq!(policy(&bed, &key), before, "as it was");
    assert!(finding(&bed).is_some());
    let output = undo(&["--write", "--confirm", "orion-chat"]);
    assert_eq!((code(&output), bed.mutating()), (1, 2), "{}", err(&output));
    assert!(err(&output).contains("taken back already"), "{}", err(&output));
}

#[test]
fn an_undo_leaves_what_others_did_since() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&bed, folder.path(), "1");
    let (file, case) = (plan.display().to_string(), folder.path().join("own.case").display().to_string());
    let output = fix(&bed, &["apply", &file, "--case", &case, "--write", "--confirm", "orion-chat"]);
    assert_eq!(code(&output), 0, "{}", err(&output));

    let document: Value = serde_json::from_str(&std::fs::read_to_string(&plan).unwrap()).unwrap();
    let key = document["plan"]["target"]["id"].as_str().unwrap();
    let mut theirs = policy(&bed, key);
    theirs["Statement"].as_array_mut().unwrap().insert(
        0,
        json!({"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/KeyAdmins"},
            "Action": "kms:DescribeKey", "Resource": "*"}),
    );
    kms(&bed, "PutKeyPolicy", &json!({"KeyId": key, "PolicyName": "default", "Policy": theirs.to_string()}));
    let sent = bed.mutating();

    let undo = |more: &[&str]| {
        fix(&bed, &[&["undo", "2", "--case", case.as_str(), "--write", "--confirm", "orion-chat"], more].concat())
    };
    let output = undo(&[]);
    assert_eq!((code(&output), bed.mutating()), (1, sent), "{}", err(&output));
    assert!(err(&output).contains("\"Theirs\"") && err(&output).contains("--own"), "{}", err(&output));
    let output = undo(&["--own"]);
    assert_eq!((code(&output), bed.mutating()), (0, sent + 1), "{}", err(&output));
    let now = sids(&policy(&bed, key));
    assert!(now.contains(&"Theirs".to_owned()) && !now.contains(&"BedwatchCustomize".to_owned()), "{now:?}");
}

#[test]
fn a_grant_is_planned_and_typed_for_at_a_prompt() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&bed, folder.path(), "2").display().to_string();
    let case = folder.path().join("grant.case").display().to_string();
    let args = ["fix", "apply", &plan, "--write", "--case", &case, "--endpoint-url", &bed.url];
    let start = || Console::start(&Start { args: &args, env: &bed_env("ONCALLWRITE"), ..Start::default() });

    let mut console = start();
    console.wait_for("Type the key name to apply: orion-chat");
    console.send("\n");
    assert_eq!(console.wait_exit().exit_code(), 2);
    console.wait_for("not confirmed");
    assert_eq!(bed.mutating(), 0, "Enter confirms nothing");

    let mut console = start();
    console.wait_for("Type the key name to apply: orion-chat");
    console.send("orion-chat\n");
    console.wait_for("made and read back");
    assert!(console.wait_exit().success());
    assert_eq!(bed.mutating(), 1);
    assert_eq!(finding(&bed), None);
}

/// A plan for a setting of a bucket of the seed, as `fix plan` would write it.
fn setting_plan(name: &str, setting: Setting) -> String {
    let at = Timestamp::from_secs(1_790_000_000);
    let mut bucket = Bucket::bare(name);
    (bucket.owned, bucket.region) = (Read::got(true, at), Read::got("us-east-1".into(), at));
    bucket.public_access = Read::got(PublicAccessBlock::default(), at);
    bucket.versioning = Read::got(Versioning { enabled: false, mfa_delete: false }, at);
    (bucket.policy_public, bucket.acl) = (Read::got(false, at), Read::got(Vec::new(), at));
    let session = SessionInfo {
        generation: Generation(1),
        account: "123456789012".into(),
        alias: None,
        principal: "arn:aws:iam::123456789012:role/Reviewer".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        mode: Mode::ReadOnly,
        profile: None,
        endpoint: None,
        expires: None,
    };
    let context = Context { session, production: false, expect: bedwatch::posture::Expectations::default(), now: at };
    let plan = Plan::for_setting("FIX-07", "set it", &bucket, setting, None, &context).unwrap();
    let mut inventory = Inventory::default();
    inventory.buckets.insert(bucket.name.clone(), bucket);
    let preview = bedwatch::fix::preview(&plan, &inventory, &context).unwrap();
    bedwatch::fix::file::to_json(&preview, &context.session, at).to_string()
}

#[test]
fn settings_of_buckets_are_made_and_taken_back() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    // Versions that are not kept any more are missed: that wants the name.
    for (name, setting, said, back, typed) in [
        ("orion-imports", Setting::CLOSED, "blocks all public access", "blocks no public access", "y"),
        ("orion-val", Setting::Versioning(true), "switches versioning on", "suspends versioning", "orion-val"),
    ] {
        let (file, case) = (folder.path().join(format!("{name}.json")), folder.path().join(format!("{name}.case")));
        std::fs::write(&file, setting_plan(name, setting)).unwrap();
        let (file, case) = (file.display().to_string(), case.display().to_string());
        let sent = bed.mutating();
        let output = fix(&bed, &["apply", &file, "--case", &case, "--confirm", "y"]);
        assert_eq!((code(&output), bed.mutating()), (2, sent), "{}", err(&output));
        let output = fix(&bed, &["apply", &file, "--case", &case, "--confirm", "y", "--write"]);
        assert_eq!((code(&output), bed.mutating()), (0, sent + 1), "{}", err(&output));
        assert!(err(&output).contains(said) && out(&output).contains("made and read back"), "{}", err(&output));
        // It is so now: the same plan does not fit any more.
        let output = fix(&bed, &["apply", &file, "--case", &case, "--confirm", "y", "--write"]);
        assert_eq!((code(&output), bed.mutating()), (1, sent + 1), "{}", err(&output));
        assert!(err(&output).contains("has changed since"), "{}", err(&output));
        let output = fix(&bed, &["undo", "2", "--case", &case, "--confirm", typed, "--write"]);
        assert_eq!((code(&output), bed.mutating()), (0, sent + 2), "{}", err(&output));
        assert!(err(&output).contains(back), "{}", err(&output));
        let journal = out(&bedwatch(&["case", "journal", &case], &[]));
        assert!(journal.contains(said) && journal.contains(back), "{journal}");
        // And as it was before: the plan fits again.
        let output = fix(&bed, &["apply", &file, "--case", &case]);
        assert!(err(&output).contains("read-only; start with --write"), "{}", err(&output));
    }
}

#[test]
fn what_cannot_be_planned_says_so_and_ends_with_the_right_code() {
    let bed = Bed::orion();
    let folder = tempfile::tempdir().unwrap();
    for (args, wanted, why) in [
        (&["plan", "CUS-NO-99"][..], 2, "no open finding has the id"),
        (&["plan", "CUS-KMS-06"], 2, "begins several ids"),
        (&["plan", "CUS-KMS-01"], 2, "begins several ids"),
        (&["apply", "no-such-file.json"], 1, "no-such-file.json"),
        (&["undo", "1", "--case", "no.case"], 1, "no.case"),
    ] {
        let output = fix(&bed, args);
        assert_eq!(code(&output), wanted, "{args:?}: {}", err(&output));
        assert!(err(&output).contains(why), "{args:?}: {}", err(&output));
        assert!(out(&output).is_empty(), "stdout carries results only: {}", out(&output));
    }
    let several = fix(&bed, &["plan", "CUS-KMS-01"]);
    let id = err(&several).lines().nth(1).expect("the ids").trim().to_owned();
    let output = fix(&bed, &["plan", &id]);
    assert!(code(&output) == 1 && err(&output).contains("by hand"), "{id}: {}", err(&output));
    let odd = folder.path().join("odd.json");
    std::fs::write(&odd, "{\"schema\":\"bedwatch.plan/7\"}").unwrap();
    let output = fix(&bed, &["apply", &odd.display().to_string()]);
    assert!(code(&output) == 1 && err(&output).contains("bedwatch.plan/7"), "{}", err(&output));
    // No credentials at all: told before anything else is tried.
    let output = bedwatch(&["fix", "list", "--endpoint-url", &bed.url, "--region", "us-east-1"], &[]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert_eq!(bed.mutating(), 0);
}
