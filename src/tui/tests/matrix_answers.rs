//! Answers that come late, break, or are of another session.

use super::*;

#[test]
fn answers_that_nobody_waits_for_are_dropped() {
    let mut driver = at_key(80, 24);
    driver.answering = false;
    driver.keys("a");
    let asked: Vec<Effect> = driver.effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).cloned().collect();
    assert_eq!(asked.len(), 1, "one question at a time");
    // What comes in meanwhile does not ask again, but the answer then is not the last.
    driver.receive([read(Items::Role(vec![role("late", None)]))]);
    assert_eq!(driver.effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count(), 1);
    let Effect::Ask(question) = &asked[0] else { panic!() };
    let mut stale = (**question).clone();
    stale.id += 1000;
    driver.answer(&stale);
    assert!(driver.model.matrices.get(&of()).unwrap().known().is_none(), "not the number that was asked");
    driver.answer(question);
    assert!(!names(&driver).contains(&"late".to_owned()));
    let again = driver.effects.iter().rev().find_map(|effect| match effect {
        Effect::Ask(question) => Some(question.clone()),
        _ => None,
    });
    driver.answer(&again.unwrap());
    assert!(names(&driver).contains(&"late".to_owned()));
}

#[test]
fn a_task_that_breaks_is_told_and_another_session_begins_anew() {
    let mut driver = at_key(80, 24);
    driver.answering = false;
    driver.keys("a");
    let Some(Effect::Ask(question)) = driver.effects.last().cloned() else { panic!("nothing was asked") };
    driver.send(Message::Answered(Box::new(Reply::broken(question.id, "it panicked".into()))));
    assert!(driver.screen().contains("cannot be said: it panicked"), "{}", driver.screen());
    let mut next = session(Mode::ReadOnly);
    (next.generation, next.account) = (crate::base::Generation(2), "999900001111".into());
    let message = FromSource::Session(next);
    driver.receive([crate::source::Envelope { generation: crate::base::Generation(2), at: now(), message }]);
    driver.answer(&question);
    assert!(driver.model.matrices.get(&of()).is_none(), "nothing of the old account comes in");
}
