//! The terminal is given back after a panic, whoever panics; one of a background task the console survives.
//!
//! No key of the product panics, so this binary starts itself again as the console: see [`child`].

use bedwatch::base::{Clock, Generation};
use bedwatch::cli::{Exit, caught};
use bedwatch::inventory::{Mode, SessionInfo};
use bedwatch::source::{Command, Envelope, Message};
use bedwatch::tui::{self, Effect, EffectRunner, Replies};
use tokio::sync::mpsc;

use crate::pty::{Console, Start};

/// Who panics in the child, and that this process is one.
const WHO: &str = "BEDWATCH_TEST_PANIC";

/// Panics when the console asks to read again, where it was told to.
struct Planted {
    who: String,
    sender: mpsc::Sender<Envelope>,
}

impl EffectRunner for Planted {
    fn run(&mut self, effect: Effect, _replies: &Replies) {
        if effect != Effect::Source(Command::Refresh) {
            return;
        }
        match self.who.as_str() {
            "a task" => drop(tokio::spawn(async { panic!("planted in a task") })),
            "a blocking task" => drop(tokio::task::spawn_blocking(|| panic!("planted in a blocking task"))),
            "a thread" => drop(std::thread::spawn(|| panic!("planted in a thread"))),
            "the judge" => {
                let message = Message::Session(session());
                let envelope = Envelope { generation: Generation(1), at: Clock::System.now(), message };
                self.sender.try_send(envelope).unwrap();
            }
            _ => panic!("planted in the runtime"),
        }
    }
}

fn session() -> SessionInfo {
    SessionInfo {
        generation: Generation(1),
        account: "123456789012".into(),
        alias: None,
        principal: "arn:aws:iam::123456789012:user/x".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        mode: Mode::ReadOnly,
        profile: None,
        endpoint: None,
        expires: None,
    }
}

/// The console of the tests below; nothing when it is not one of them that starts it.
#[test]
fn child() {
    let Ok(who) = std::env::var(WHO) else { return };
    let exit = caught(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (sender, receiver) = mpsc::channel(8);
        let mut options = tui::Options::new(Clock::System, Mode::ReadOnly);
        options.judge = |_| panic!("planted in the judge");
        runtime.block_on(tui::run(options, receiver, Planted { who, sender })).unwrap();
        Exit::Clean
    });
    std::process::exit(match exit {
        Exit::Clean => 0,
        Exit::Failure => 1,
        other => panic!("{other:?}"),
    });
}

fn start(who: &str) -> Console {
    let program = std::env::current_exe().unwrap();
    let console = Console::start(&Start {
        program: program.to_str().unwrap(),
        args: &["--exact", "panics::child", "--nocapture"],
        env: &[(WHO, who)],
        ..Start::default()
    });
    console.wait_for("asking AWS who we are");
    assert!(console.is_alternate() && console.is_raw(), "{who}: the terminal is not taken, so nothing can be shown");
    console
}

#[test]
fn a_panic_of_a_background_task_is_told_and_the_console_lives_on() {
    for who in ["a task", "a blocking task", "a thread"] {
        let mut console = start(who);
        console.send("r");
        console.wait_for(&format!("a background task stopped: planted in {who}"));
        assert!(console.is_alternate() && console.is_raw(), "{who}");
        console.send("?");
        console.wait_for("any other key closes");
        console.send("\x1b");
        console.wait_gone("any other key closes");
        console.send("!");
        console.wait_for(&format!("planted in {who}"));
        console.send("\x03");
        assert!(console.wait_exit().success(), "{who}");
        console.is_given_back().unwrap_or_else(|left| panic!("{who}: {left}"));
    }
}

#[test]
fn a_panic_of_the_console_itself_gives_the_terminal_back_and_is_readable() {
    let mut console = start("the runtime");
    console.send("r");
    let exit = console.wait_exit();
    console.is_given_back().unwrap();
    let screen = console.screen();
    assert!(screen.contains("planted in the runtime"), "{screen}");
    assert!(screen.contains("please report it"), "{screen}");
    assert_eq!(exit.exit_code(), 1);
}

#[test]
fn a_panic_of_what_judges_is_told_and_the_console_lives_on() {
    let mut console = start("the judge");
    console.send("r");
    console.wait_for("judging broke");
    assert!(console.is_alternate() && console.is_raw());
    console.send("!");
    console.wait_for("planted in the judge");
    console.send("\x03");
    assert!(console.wait_exit().success());
    console.is_given_back().unwrap();
}
