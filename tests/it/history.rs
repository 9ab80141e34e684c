//! The event history of a busy account: what matters is found behind what consoles read.

use bedwatch::base::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::pty::{Console, Start, bed_env};

fn record(now: Timestamp, secs_ago: i64, name: &str, reads: bool, user: &str) -> Value {
    json!({
        "eventSource": "kms.amazonaws.com", "eventName": name, "readOnly": reads,
        "eventTime": now.plus_secs(-secs_ago).to_string(),
        "userIdentity": {"type": "IAMUser", "userName": user},
    })
}

#[test]
fn a_change_behind_a_thousand_reads_is_found_and_what_is_not_known_is_said() {
    let bed = Bed::orion();
    let now = Clock::System.now();
    // Three thousand reads of a scanner within the last hours; behind them, a change of a key policy.
    let reads = (0..3000).map(|n| record(now, 60 + n * 4, "ListKeys", true, "scanner"));
    let mut events: Vec<Value> = reads.collect();
    events.push(record(now, 20 * 3600, "PutKeyPolicy", false, "night-owl"));
    bed.control("POST", "events", &json!(events));
    let args = ["--endpoint-url", bed.url.as_str()];
    let mut console = Console::start(&Start { args: &args, env: &bed_env("ONCALLREADONLY"), ..Start::default() });
    console.wait_for("orion-prod");
    console.send("8");
    console.wait_for("[8 Trail]");
    console.wait_for("scanner");
    console.send("/night-owl\r");
    console.wait_until("the change of twenty hours ago", |screen| {
        screen.lines().any(|line| line.contains("night-owl") && line.contains("PutKeyPolicy"))
    });
    // The histogram says since when everything is known.
    console.wait_until("since when", |screen| screen.contains("Over time") && screen.contains("  since "));
    console.send("0");
    console.wait_until("the source is partial", |screen| {
        screen.lines().any(|line| line.contains("LookupEvents") && line.contains("partial"))
    });
    console.send("\x03");
    assert!(console.wait_exit().success());
}
