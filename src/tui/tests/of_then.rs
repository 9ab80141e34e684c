//! What is not of now, or not of the whole day, says so.

use super::fixture::*;
use crate::inventory::coverage::Looked;
use crate::inventory::{Mode, SourceId, SourceReport, Update};
use crate::posture::Assessment;
use crate::source::Message;
use crate::tui::Question;
use crate::tui::driver::Driver;

fn row(screen: &str, name: &str) -> String {
    screen.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned()
}

#[test]
fn a_window_that_was_not_looked_at_is_not_drawn_as_zero() {
    let mut driver = full(120, 40);
    driver.keys("5");
    let before = row(&driver.screen(), "▸orion-law");
    assert!(before.contains("········") && !before.contains('?'), "the whole day is known: {before}");
    let looked = Looked { all: now().plus_secs(-600), named: now().plus_secs(-5 * 3600) };
    let failures = [error(SourceId::EVENTS.name())];
    let report = SourceReport { looked: Some(looked), ..SourceReport::sum(SourceId::EVENTS, now(), 50, &failures) };
    driver.receive([envelope(Message::Update(Box::new(Update::Source(report))))]);
    // Bars of three hours: the last lies wholly in what is known, those before it do not.
    let keys = driver.screen();
    assert!(row(&keys, "▸orion-law").contains("???????·"), "{keys}");
    let since = |at: crate::base::Timestamp| at.clock()[..5].to_owned();
    driver.keys("/");
    driver.text("orion-chat");
    driver.keys("enter enter");
    let page = driver.screen();
    assert!(page.contains(&format!("Use since {}", since(looked.named))), "{page}");
    driver.keys("8");
    let trail = driver.screen();
    let (all, named) = (since(looked.all), since(looked.named));
    assert!(trail.contains(&format!("since {all} (changes and key use since {named})")), "{trail}");
}

fn judged_long_ago(question: &Question<'_>) -> Assessment {
    let mut assessment = judge(question);
    for verdict in assessment.verdicts.iter_mut().filter(|verdict| verdict.status.is_finding()) {
        verdict.stale = Some(now().plus_secs(-300));
    }
    assessment
}

#[test]
fn the_header_and_a_finding_say_that_they_are_of_before() {
    let stale = |judge| {
        let mut options = options(Mode::ReadOnly);
        options.judge = judge;
        let mut driver = Driver::new(options, 120, 40);
        let updates = updates().into_iter().map(|update| Message::Update(Box::new(update)));
        let session = std::iter::once(Message::Session(session(Mode::ReadOnly)));
        driver.receive(session.chain(updates).chain([Message::Busy(false)]).map(envelope));
        driver.keys("2 enter");
        let screen = driver.screen();
        let header = screen.lines().next().unwrap_or_default().contains("STALE 5m");
        (header, screen.contains("CRITICAL, stale"))
    };
    assert_eq!(stale(judge), (false, false));
    assert_eq!(stale(judged_long_ago), (true, true));
}

#[test]
fn a_console_says_what_it_waits_for() {
    for (mode, words) in [
        (Mode::Demo, "opening the demo…"),
        (Mode::Case, "opening the case…"),
        (Mode::ReadOnly, "asking AWS who we are…"),
    ] {
        let screen = Driver::new(options(mode), 80, 24).screen();
        assert!(screen.contains(words), "{screen}");
    }
}
