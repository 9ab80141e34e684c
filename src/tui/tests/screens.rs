//! Every pane at three sizes, and what is empty, refused or still being read.

use super::fixture::{envelope, error, full, full_in, options, session};
use crate::inventory::{Mode, SourceId, SourceReport, Update};
use crate::source::Message;
use crate::tui::driver::Driver;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

fn shot(name: &str, keys: &str) {
    for (width, height) in SIZES {
        let mut driver = full(width, height);
        driver.keys(keys);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), driver.screen());
    }
}

#[test]
fn panes() {
    for (name, key) in [
        ("posture", "1"),
        ("findings", "2"),
        ("jobs", "3"),
        ("models", "4"),
        ("keys", "5"),
        ("data", "6"),
        ("network", "7"),
        ("trail", "8"),
        ("invocations", "9"),
        ("sources", "0"),
        ("roles", ": r o l e s enter"),
        ("guardrails", ": g u a r d r a i l s enter"),
        ("journal", ": j o u r n a l enter"),
    ] {
        shot(name, key);
    }
}

#[test]
fn details() {
    for (name, keys) in [
        ("finding", "2 j enter"),
        ("job", "3 enter"),
        ("key", "5 j j enter"),
        ("model", "4 enter"),
        ("bucket", "6 j enter"),
        ("event", "8 enter"),
        ("invocation", "9 enter"),
        ("source", "0 enter"),
        ("lineage", "5 j j L"),
        ("raw", "3 o"),
        ("role", ": r o l e s enter enter"),
        ("job_failed", "3 / c h a t - 2 enter enter"),
        ("raw_key", "5 j j o"),
        ("identity", "i"),
        ("help", "?"),
        ("palette", ": k e y"),
        ("filter", "2 / k e y"),
    ] {
        shot(name, keys);
    }
}

#[test]
fn before_anything_is_known() {
    let mut driver = Driver::new(options(Mode::ReadOnly), 80, 24);
    insta::assert_snapshot!("first_frame", driver.screen());
    driver.receive([envelope(Message::NoSession(error("sts:GetCallerIdentity")))]);
    insta::assert_snapshot!("no_session", driver.screen());
}

#[test]
fn what_a_deep_look_means_is_told_before() {
    for (width, height) in SIZES {
        let mut driver = full(width, height);
        driver.keys("6 :");
        driver.text("deep");
        driver.keys("enter");
        insta::assert_snapshot!(format!("deep_{width}x{height}"), driver.screen());
    }
}

#[test]
fn refused_and_empty_lists_say_so() {
    let mut driver = Driver::new(options(Mode::ReadOnly), 80, 24);
    let source = |id: SourceId, failed: bool| {
        let failures = if failed { vec![error(id.name())] } else { Vec::new() };
        envelope(Message::Update(Box::new(Update::Source(SourceReport::sum(id, super::fixture::now(), 0, &failures)))))
    };
    driver.receive([
        envelope(Message::Session(session(Mode::ReadOnly))),
        source(SourceId::JOBS, true),
        source(SourceId::MODELS, false),
    ]);
    driver.keys("3");
    insta::assert_snapshot!("jobs_denied", driver.screen());
    driver.keys("4");
    insta::assert_snapshot!("models_empty", driver.screen());
}

#[test]
fn other_modes_and_letters() {
    let mut driver = full_in(Mode::Write, 80, 24);
    driver.model.ascii = true;
    insta::assert_snapshot!("posture_ascii_write", driver.screen());
    assert!(driver.screen().is_ascii());
    let mut driver = full_in(Mode::Demo, 20, 5);
    insta::assert_snapshot!("too_small", driver.screen());
}
