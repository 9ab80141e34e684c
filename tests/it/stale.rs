//! A dead network and expired credentials: what was found stays and is visibly of before; nothing passes.

use serde_json::json;

use crate::bed::Bed;
use crate::pty::{Console, Start, bed_env};

const WRONG: &str = "OrionTuner customizes";

fn with_findings(bed: &Bed) -> Console {
    let args = ["--endpoint-url", bed.url.as_str()];
    let mut console = Console::start(&Start { args: &args, env: &bed_env("ONCALLREADONLY"), ..Start::default() });
    console.wait_for("orion-prod");
    console.send("2");
    console.wait_for("[2 Findings]");
    console.send(&format!("/{WRONG}\r"));
    console.wait_until("the finding, fresh", |screen| {
        screen.lines().any(|line| line.contains("FAIL") && line.contains(WRONG) && !line.contains("stale"))
    });
    assert!(!console.screen().contains("STALE"));
    console
}

/// The finding is there and says of when it is; the header says so too.
fn wait_stale(console: &Console) {
    console.wait_until("the finding, stale", |screen| {
        let header = screen.lines().next().unwrap_or_default();
        let row = |line: &str| line.contains("FAIL") && line.contains("stale:");
        // The box below tells of when it is.
        header.contains("STALE") && header.contains('?') && screen.lines().any(row) && screen.contains("as of 20")
    });
}

#[test]
fn a_dead_network_leaves_stale_findings() {
    let bed = Bed::orion();
    let mut console = with_findings(&bed);
    drop(bed);
    console.send("r");
    wait_stale(&console);
    console.send("q");
    assert!(console.wait_exit().success());
}

#[test]
fn expired_credentials_leave_stale_findings_and_a_refresh_makes_them_fresh() {
    let bed = Bed::orion();
    let mut console = with_findings(&bed);
    bed.fault(&json!({"kind": "expired"}));
    console.send("r");
    wait_stale(&console);
    console.wait_for("expired");
    bed.heal();
    console.send("r");
    console.wait_gone("STALE");
    console.wait_until("the finding, fresh again", |screen| {
        screen.lines().any(|line| line.contains("FAIL") && line.contains(WRONG) && !line.contains("stale"))
    });
    console.send("q");
    assert!(console.wait_exit().success());
}
