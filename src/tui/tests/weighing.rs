//! Judging goes on beside the console.

use super::fixture::{envelope, full, session, updates};
use crate::base::Generation;
use crate::inventory::{Mode, Update};
use crate::source::{Envelope, Message as FromSource};
use crate::tui::driver::Driver;
use crate::tui::message::{Effect, Message};
use crate::tui::pane::Pane;
use crate::tui::update::{settle, update};

/// What the console asks for when everything changes, without an answer to it.
fn change(driver: &mut Driver) -> Vec<Effect> {
    let lost = Update::Lost(super::fixture::error("kms:ListKeys"));
    update(&mut driver.model, Message::Source(envelope(FromSource::Update(Box::new(lost)))));
    settle(&mut driver.model)
}

fn weighing(effects: Vec<Effect>) -> Box<crate::tui::weighing::Weighing> {
    let found = effects.into_iter().find_map(|effect| match effect {
        Effect::Weigh(weighing) => Some(weighing),
        _ => None,
    });
    found.expect("a question")
}

#[test]
fn keys_work_and_one_question_is_open_while_it_judges() {
    let mut driver = full(120, 40);
    let before = driver.model.revision;
    let first = weighing(change(&mut driver));
    driver.keys("2 j");
    assert_eq!(driver.model.pane, Pane::Findings);
    assert_eq!(driver.model.revision, before, "what was judged stays until the answer");
    let more = change_again(&mut driver);
    assert!(!more.iter().any(|effect| matches!(effect, Effect::Weigh(_))), "one at a time");
    update(&mut driver.model, Message::Weighed(Box::new(first.weigh())));
    assert_eq!(driver.model.revision, before + 1);
    weighing(settle(&mut driver.model));
}

#[test]
fn an_answer_for_another_account_is_dropped() {
    let mut driver = full(120, 40);
    let late = weighing(change(&mut driver));
    let mut next = session(Mode::ReadOnly);
    (next.generation, next.account) = (Generation(2), "999900001111".into());
    let message = FromSource::Session(next);
    update(&mut driver.model, Message::Source(Envelope { message, ..envelope_of(Generation(2)) }));
    assert!(driver.model.assessment.verdicts.is_empty(), "nothing of the account before is left");
    update(&mut driver.model, Message::Weighed(Box::new(late.weigh())));
    assert!(driver.model.assessment.verdicts.is_empty());
    weighing(settle(&mut driver.model));
}

fn envelope_of(generation: Generation) -> Envelope {
    Envelope { generation, ..envelope(FromSource::Busy(false)) }
}

#[test]
fn judging_that_breaks_is_said_and_tried_again() {
    let mut driver = full(120, 40);
    let broken = weighing(change(&mut driver));
    update(&mut driver.model, Message::WeighingBroke(broken.id, "a panic".to_owned()));
    let problem = driver.model.problems.last().expect("a problem");
    assert!(problem.text.contains("judging broke (a panic)"), "{}", problem.text);
    weighing(change_again(&mut driver));
}

fn change_again(driver: &mut Driver) -> Vec<Effect> {
    for each in updates() {
        update(&mut driver.model, Message::Source(envelope(FromSource::Update(Box::new(each)))));
    }
    settle(&mut driver.model)
}
