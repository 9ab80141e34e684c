//! The access matrix in the real binary: from a key to the statement that decides, and what if it were not.

use crate::bed::Bed;
use crate::pty::{Console, Start, bed_env};

#[test]
fn from_a_key_to_the_statement_that_decides() {
    let bed = Bed::orion();
    let args = ["--endpoint-url", bed.url.as_str()];
    let mut console = Console::start(&Start { args: &args, env: &bed_env("ONCALLREADONLY"), ..Start::default() });
    console.wait_for("READ-ONLY");
    console.send("5");
    console.wait_for("orion-chat");
    console.send("/orion-chat\r");
    console.wait_for("/orion-chat");
    console.wait_for("a who can");
    console.send("a");
    console.wait_for("orion-chat who can");
    console.wait_for("unexpected");
    console.wait_until("the stranger stands first", |screen| {
        let row = |name: &str| screen.lines().position(|line| line.contains('!') && line.contains(name));
        row("model-sync").zip(row("ci-runner")).is_some_and(|(first, second)| first < second)
    });
    console.send("/ci-runner\r");
    console.wait_for("1 of ");
    console.send("\r");
    console.wait_for("Layer by layer");
    console.wait_until("the deciding Sid is marked", |screen| {
        screen.lines().any(|line| line.contains('▸') && line.contains("\"Sid\": \"Legacy\""))
    });
    console.send("E");
    console.wait_for("nothing is written");
    console.wait_for("Nothing is changed yet");
    console.send("\t ");
    console.wait_for("LOSE");
    console.send("\x1b");
    console.wait_gone("nothing is written");
    console.send("q");
    console.wait_for("orion-chat who can");
    console.send("\x03");
    let _ = console.wait_exit();
    console.is_given_back().unwrap();
    assert_eq!(bed.mutating(), 0, "what if writes nothing");
}
