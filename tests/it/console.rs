//! The console itself, in a pseudo-terminal: the demo, the bed, fixes, and the way out.

use std::time::Duration;

use serde_json::json;

use crate::bed::Bed;
use crate::pty::{Console, Start, bed_env};

const CTRL_C: &str = "\x03";
const CTRL_Y: &str = "\x19";
const ESC: &str = "\x1b";

fn demo(columns: u16, rows: u16) -> Console {
    Console::start(&Start { columns, rows, ..Start::default() })
}

fn live(bed: &Bed, key: &'static str, args: &[&str]) -> Console {
    let mut all = vec!["--endpoint-url", bed.url.as_str()];
    all.extend(args);
    Console::start(&Start { args: &all, env: &bed_env(key), ..Start::default() })
}

/// Opens the findings and filters: the cursor is on the first that is left.
fn open_finding(console: &mut Console, filter: &str) {
    console.send("2");
    console.wait_for("[2 Findings]");
    console.wait_for("FIX-03");
    console.send("/");
    console.send(filter);
    console.send("\r");
    console.wait_for(&format!("/{filter}"));
    console.wait_for("1 of ");
}

#[test]
fn the_demo_opens_and_every_pane_has_something_to_say() {
    let mut console = demo(120, 40);
    console.wait_for("DEMO");
    for (key, title, content) in [
        ("1", "Posture", "Encryption"),
        ("2", "Findings", "CUS-"),
        ("3", "Jobs", "orion-"),
        ("4", "Models", "orion-"),
        ("5", "Keys", "orion-chat"),
        ("6", "Data", "orion-train"),
        ("7", "Network", "orion-iso-a"),
        ("8", "Trail", "Decrypt"),
        ("9", "Invocations", "nvocation"),
        ("0", "Sources", "kms:ListAliases"),
    ] {
        console.send(key);
        console.wait_for(title);
        console.wait_for(content);
    }
    console.send("q");
    assert!(console.wait_exit().success());
    console.is_given_back().unwrap();
}

#[test]
fn the_demo_fits_80_by_24_and_survives_20_by_5() {
    let mut console = demo(80, 24);
    console.wait_for("DEMO");
    console.send("5");
    console.wait_for("orion-chat");
    console.resize(20, 5);
    console.wait_for("small");
    console.resize(80, 24);
    console.wait_for("orion-chat");
    console.send("?");
    console.wait_for("Leave the console");
    console.send(ESC);
    console.wait_gone("Leave the console");
    console.send("q");
    assert!(console.wait_exit().success());
}

#[test]
fn a_fix_in_the_demo_is_previewed_and_rehearsed() {
    let mut console = demo(120, 40);
    console.wait_for("DEMO");
    open_finding(&mut console, "OrionTuner customizes");
    console.send("f");
    console.wait_for("Summary");
    console.wait_for("lockout");
    console.wait_for("rehearses it on the copy");
    // What it does has to be read to its end first.
    console.send("G");
    console.send("A");
    console.wait_for("Type the key name");
    console.send("orion-chat");
    console.wait_for("ctrl-y applies");
    console.send(CTRL_Y);
    console.wait_for("rehearsed on the copy");
    console.send(ESC);
    console.wait_gone("any key closes");
    wait_finding(&console, false);
    console.send("q");
    assert!(console.wait_exit().success());
}

#[test]
fn a_live_account_moves_while_one_watches() {
    let bed = Bed::orion();
    let mut console = live(&bed, "ONCALLREADONLY", &[]);
    console.wait_for("READ-ONLY");
    console.wait_for("orion-prod");
    console.send("3");
    console.wait_for("InProgress");
    let running = "orion-chat-3";
    bed.control("POST", "bedrock/job", &json!({"job": running, "status": "Completed"}));
    console.wait_until("a job that was running is done", |screen| {
        screen.lines().any(|line| line.contains(running) && line.contains("Completed"))
    });
    console.send("8");
    let arrives = json!([{"eventSource": "kms.amazonaws.com", "eventName": "ScheduleKeyDeletion",
        "userIdentity": {"type": "IAMUser", "userName": "mallory"}}]);
    bed.control("POST", "events", &arrives);
    console.wait_for("mallory");
    console.send("q");
    assert!(console.wait_exit().success());
    assert_eq!(bed.mutating(), 0);
}

#[test]
fn read_only_explains_and_sends_nothing() {
    let bed = Bed::orion();
    let mut console = live(&bed, "ONCALLREADONLY", &[]);
    console.wait_for("READ-ONLY");
    open_finding(&mut console, "OrionTuner customizes");
    console.send("f");
    console.wait_for("Summary");
    console.wait_for("--write");
    console.send("A");
    console.send("orion-chat");
    console.send("\r");
    console.send(CTRL_Y);
    std::thread::sleep(Duration::from_millis(500));
    console.send(CTRL_C);
    let _ = console.wait_exit();
    assert_eq!(bed.mutating(), 0, "a read-only console sends no mutating request");
}

/// The whole way: finding → fix → typed name → written → closed → journal → undo → reopened.
fn fix_and_undo(pick: &str, way: &str) {
    let bed = Bed::orion();
    let mut console = live(&bed, "ONCALLWRITE", &["--write"]);
    console.wait_for("WRITE");
    open_finding(&mut console, "OrionTuner customizes");
    console.send("f");
    console.wait_for("Summary");
    console.send(pick);
    console.wait_for(way);
    assert_eq!(bed.mutating(), 0, "nothing is written before it is confirmed");
    confirm(&mut console, &bed, 0);
    console.wait_for("made and read back");
    assert_eq!(bed.mutating(), 1);
    console.send(ESC);
    console.wait_gone("any key closes");
    wait_finding(&console, false);
    console.send("u");
    console.wait_for("Undo  1");
    console.send("\r");
    console.wait_for("undo: ");
    confirm(&mut console, &bed, 1);
    console.wait_for("undone and read back");
    console.send(ESC);
    console.wait_gone("any key closes");
    wait_finding(&console, true);
    console.send("q");
    assert!(console.wait_exit().success());
    assert_eq!(bed.mutating(), 2);
}

/// Types the name and applies; proves on the way that Enter does not.
fn confirm(console: &mut Console, bed: &Bed, before: u64) {
    console.send("A");
    console.wait_for("Type the key name");
    console.send("\r");
    console.send("orion-chat");
    console.wait_for("ctrl-y applies");
    console.send("\r");
    console.wait_for("Enter never applies");
    assert_eq!(bed.mutating(), before, "Enter never confirms");
    console.send(CTRL_Y);
}

/// Waits until the finding about OrionTuner is in the list, or is not.
fn wait_finding(console: &Console, there: bool) {
    console.wait_until(&format!("the finding: {there}"), |screen| {
        screen.contains("Findings")
            && screen.lines().any(|line| line.contains("FAIL") && line.contains("OrionTuner customizes")) == there
    });
}

#[test]
fn a_key_policy_is_fixed_and_the_fix_undone() {
    fix_and_undo("", "1/2");
}

#[test]
fn a_grant_is_made_and_revoked() {
    fix_and_undo("]", "2/2");
}

#[test]
fn content_is_looked_into_when_somebody_says_so() {
    let bed = Bed::start(&["--seed", "orion"]);
    let mut console = live(&bed, "ONCALLREADONLY", &[]);
    console.send("2");
    console.wait_for("CUS-KMS-");
    let reads = || bed.control("GET", "calls", &json!({}))["operations"]["s3:GetObject"].as_u64().unwrap_or(0);
    console.send(":deep\r");
    console.wait_for("Look into content?");
    assert_eq!(reads(), 0, "nothing is read before a yes");
    console.send("y");
    console.wait_gone("Look into content?");
    console.send("/DAT-09\r");
    console.wait_for("AWS access key");
    assert!(reads() > 0);
    console.send("q");
    assert!(console.wait_exit().success());
    console.is_given_back().unwrap();
    assert_eq!(bed.mutating(), 0);
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    for (what, end) in [("q", "q"), ("ctrl-c", CTRL_C)] {
        let mut console = demo(80, 24);
        console.wait_for("DEMO");
        console.send(end);
        console.wait_exit();
        console.is_given_back().unwrap_or_else(|left| panic!("after {what}: {left}"));
    }
    for signal in ["TERM", "HUP", "INT"] {
        let mut console = demo(80, 24);
        console.wait_for("DEMO");
        console.signal(signal);
        console.wait_exit();
        console.is_given_back().unwrap_or_else(|left| panic!("after SIG{signal}: {left}"));
    }
}

#[test]
fn the_terminal_is_given_back_on_stop_and_taken_again() {
    // Under a shell with job control, as a person has it: only that can take a stopped job back.
    let shell = ["--norc", "--noediting", "-i"];
    let mut console =
        Console::start(&Start { program: "bash", args: &shell, columns: 80, rows: 24, ..Start::default() });
    console.send(&format!("'{}' --demo\n", env!("CARGO_BIN_EXE_bedwatch")));
    console.wait_for("Posture");
    console.wait_for("cov ");
    console.send("\x1a");
    console.wait_for("Stopped");
    console.is_given_back().unwrap();
    console.send("fg\n");
    console.wait_for("cov ");
    console.send("5");
    console.wait_for("orion-chat");
    console.send("q");
    console.wait_gone("cov ");
    console.is_given_back().unwrap();
    console.send("exit\n");
    assert!(console.wait_exit().success());
}

#[test]
fn a_dead_network_leaves_a_usable_console() {
    let bed = Bed::orion();
    let mut console = live(&bed, "ONCALLREADONLY", &[]);
    console.wait_for("READ-ONLY");
    console.send("5");
    console.wait_for("orion-chat");
    drop(bed);
    console.send("r");
    console.wait_for("orion-chat");
    console.send("0");
    console.wait_for("network");
    console.send("q");
    assert!(console.wait_exit().success(), "quit works on a dead network");
}

#[test]
fn an_unreachable_endpoint_is_a_screen_not_an_end() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let mut console =
        Console::start(&Start { args: &["--endpoint-url", &url], env: &bed_env("testing"), ..Start::default() });
    console.wait_for("sts:GetCallerIdentity");
    console.send("q");
    assert!(console.wait_exit().success());
    console.is_given_back().unwrap();
}

#[test]
fn a_wrong_config_file_is_named_and_does_no_harm() {
    let mut console = Console::start(&Start { args: &["--demo", "--theme", "no-such-theme"], ..Start::default() });
    console.wait_for("no-such-theme");
    console.send("q");
    let _ = console.wait_exit();
    console.is_given_back().unwrap();
}
