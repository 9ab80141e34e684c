//! The fix dialog at every size: nothing is cut, nothing is applied by accident, and what went wrong
//! is shown whole.

use super::fixture::{full_in, key_arn, session};
use crate::base::Clock;
use crate::fix::{self, Body, EntryKind, FixError, FixRecord, JournalEntry};
use crate::inventory::s3::Versioning;
use crate::inventory::{Document, Items, Mode, Read, Update};
use crate::source::Message as FromSource;
use crate::tui::driver::Driver;
use crate::tui::{Effect, Message};

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 20), (40, 14)];

/// A dialog for the open policy of `orion-shared`.
fn dialog(mode: Mode, (width, height): (u16, u16)) -> Driver {
    let mut driver = full_in(mode, width, height);
    driver.keys("2 j f");
    driver
}

/// Fails if a line inside the frame was cut: [`crate::tui::view::Draw`] ends those with `…`.
fn whole(driver: &mut Driver, what: &str) {
    let screen = driver.screen();
    for line in screen.lines().filter(|line| line.starts_with('│')) {
        let inside = line.trim_matches('│').trim_end();
        assert!(!inside.ends_with('…') || inside.ends_with("reads back…"), "{what}: {line}\n{screen}");
    }
}

#[test]
fn no_line_of_any_tab_is_cut() {
    for mode in [Mode::Write, Mode::ReadOnly, Mode::Demo, Mode::Case] {
        for size in SIZES {
            let mut driver = dialog(mode, size);
            for tab in 1..=6 {
                whole(&mut driver, &format!("{mode:?} {size:?} tab {tab}"));
                driver.keys("G");
                whole(&mut driver, &format!("{mode:?} {size:?} tab {tab}, its end"));
                driver.keys("tab");
            }
            driver.keys("A");
            driver.text("orion-shared");
            whole(&mut driver, &format!("{mode:?} {size:?} confirming"));
        }
    }
}

#[test]
fn tabs_at_80_columns() {
    let mut driver = dialog(Mode::Demo, (80, 24));
    for tab in ["summary", "diff", "access", "findings", "calls", "undo"] {
        insta::assert_snapshot!(format!("fix_{tab}_80x24"), driver.screen());
        driver.keys("tab");
    }
    driver.keys("A");
    driver.text("orion-sha");
    insta::assert_snapshot!("fix_confirm_80x24", driver.screen());
    let mut driver = dialog(Mode::Demo, (40, 14));
    insta::assert_snapshot!("fix_summary_40x14", driver.screen());
    driver.keys("tab tab G");
    insta::assert_snapshot!("fix_access_end_40x14", driver.screen());
}

#[test]
fn what_is_typed_stays_in_sight() {
    let mut driver = dialog(Mode::Write, (40, 14));
    driver.keys("G A");
    driver.text(&format!("{}the end", "x".repeat(60)));
    assert!(driver.screen().contains("xxthe end"), "{}", driver.screen());
}

#[test]
fn a_refused_fix_is_told_whole_with_what_differs() {
    for size in SIZES {
        let mut driver = dialog(Mode::Write, size);
        driver.keys("G A");
        driver.text("orion-shared");
        driver.keys("ctrl-y");
        assert!(matches!(driver.effects.last(), Some(Effect::Apply(_))));
        let (then, now) = (Document::new(r#"{"a":1}"#), Document::new(r#"{"a":2}"#));
        let diff = fix::diff::policies(&then, &now);
        let error = FixError::Drift { what: "the policy of key orion-shared".into(), diff };
        driver.send(Message::Applied(Box::new(Err(error))));
        whole(&mut driver, &format!("{size:?}"));
        let screen = driver.screen();
        assert!(screen.contains("key closes"), "{screen}");
        if !screen.contains("+   \"a\": 2") {
            driver.keys("G");
        }
        assert!(driver.screen().contains("+   \"a\": 2"), "{}", driver.screen());
        driver.keys("x");
        assert!(driver.model.overlay.is_none());
    }
}

/// The journal entry of a fix that put this policy on `orion-shared`.
fn made(driver: &Driver, policy: Document) -> JournalEntry {
    let key = &driver.model.inventory.keys[key_arn("orion-shared").as_str()];
    let context = fix::Context {
        session: session(Mode::Write),
        production: false,
        expect: crate::posture::Expectations::default(),
        now: driver.model.now,
    };
    let prior = key.policy.known().unwrap().clone();
    let plan = fix::Plan::for_policy("FIX-03", "let OrionTuner use it", key, policy.clone(), None, &context).unwrap();
    let state = |policy| {
        let state = fix::KeySnapshot { policy, grants: key.grants.known().unwrap().clone() };
        fix::Held::Key(fix::KeyState { key: key.arn.clone(), state })
    };
    let record = FixRecord {
        run: "r1".into(),
        plan,
        rehearsed: false,
        before: vec![state(prior.clone())],
        after: vec![state(policy)],
        made: 1,
        undo: vec![fix::Change::PutKeyPolicy { key: key.arn.clone(), policy: prior }],
        error: None,
    };
    let at = Clock::manual(driver.model.now.plus_secs(-240)).now();
    JournalEntry::new(EntryKind::Done, &session(Mode::Write), at, Body::Fix(Box::new(record)))
}

/// The policy of `orion-shared` with more statements.
fn with(driver: &Driver, sids: &[(&str, &str)]) -> Document {
    let held = driver.model.inventory.keys[key_arn("orion-shared").as_str()].policy.known().unwrap().json().unwrap();
    let mut statements = held["Statement"].as_array().unwrap().clone();
    for (sid, action) in sids {
        statements.push(serde_json::json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*",
            "Principal": {"AWS": super::fixture::role_arn("OrionTuner").as_str()}}));
    }
    Document::pretty(&serde_json::json!({"Version": "2012-10-17", "Statement": statements}))
}

/// Puts a policy in the console's inventory, as a read would.
fn read(driver: &mut Driver, policy: Document) {
    let mut key = driver.model.inventory.keys[key_arn("orion-shared").as_str()].clone();
    key.policy = Read::got(policy, driver.model.now);
    let update = Update::Read(Items::Key(vec![key]));
    driver.receive([super::fixture::envelope(FromSource::Update(Box::new(update)))]);
}

#[test]
fn an_undo_offers_our_own_part_where_others_changed_the_policy() {
    for size in SIZES {
        let mut driver = full_in(Mode::Write, size.0, size.1);
        let entry = made(&driver, with(&driver, &[("Ours", "kms:Decrypt")]));
        let since = with(&driver, &[("Ours", "kms:Decrypt"), ("Since", "kms:Sign")]);
        read(&mut driver, since);
        driver.keys("u");
        driver.send(Message::Journal(Ok(vec![entry])));
        // A title may be cut in the list: the chosen one stands below it in full.
        assert!(driver.screen().replace('\n', " ").contains("let OrionTuner use it, on"), "{}", driver.screen());
        driver.keys("enter");
        assert!(driver.screen().contains("has changed since") || size.1 < 20, "{}", driver.screen());
        whole(&mut driver, &format!("drift at {size:?}"));
        driver.keys("A");
        driver.keys("]");
        let screen = driver.screen();
        assert!(screen.contains("2/2") && screen.contains("removes 1 statement"), "{screen}");
        whole(&mut driver, &format!("our own at {size:?}"));
        if size == (80, 24) {
            insta::assert_snapshot!("undo_own_80x24", screen);
        }
        driver.effects.clear();
        driver.keys("G A");
        driver.text("orion-shared");
        driver.keys("ctrl-y");
        let [Effect::Apply(approved)] = driver.effects.as_slice() else { panic!("{:?}", driver.effects) };
        let policy = approved.plan().policy().unwrap().raw();
        assert!(policy.contains("Since") && !policy.contains("Ours"), "{policy}");
    }
}

#[test]
fn an_undo_says_why_our_own_part_cannot_be_taken_out() {
    let mut driver = full_in(Mode::Write, 80, 24);
    let entry = made(&driver, with(&driver, &[("Ours", "kms:Decrypt")]));
    let since = with(&driver, &[("Ours", "kms:*")]);
    read(&mut driver, since);
    driver.keys("u");
    driver.send(Message::Journal(Ok(vec![entry])));
    insta::assert_snapshot!("undo_list_80x24", driver.screen());
    driver.keys("enter");
    insta::assert_snapshot!("undo_refused_80x24", driver.screen());
    driver.effects.clear();
    driver.keys("A");
    assert!(driver.model.notice.as_ref().is_some_and(|notice| notice.text.contains("nothing is applied")));
    driver.text("orion-shared");
    driver.keys("ctrl-y");
    assert!(!driver.effects.iter().any(|effect| matches!(effect, Effect::Apply(_))));
}

/// A low risk: one key is enough, and it is not Enter.
#[test]
fn what_nobody_can_miss_is_confirmed_with_one_key() {
    let mut driver = full_in(Mode::Write, 80, 24);
    let at = driver.model.now;
    let mut bucket = driver.model.inventory.buckets["orion-train"].clone();
    bucket.versioning = Read::got(Versioning { enabled: true, mfa_delete: false }, at);
    let context = fix::Context {
        session: session(Mode::Write),
        production: false,
        expect: crate::posture::Expectations::default(),
        now: at,
    };
    let off = fix::Setting::Versioning(false);
    let plan = fix::Plan::for_setting("FIX-10", "suspend it", &bucket, off.clone(), None, &context).unwrap();
    let fix::Change::PutSetting { bucket, .. } = plan.changes[0].clone() else { panic!() };
    let state = |setting| fix::Held::Setting(fix::SettingState { bucket: bucket.clone(), setting });
    let on = fix::Setting::Versioning(true);
    let record = FixRecord {
        run: "r2".into(),
        plan,
        rehearsed: false,
        before: vec![state(on.clone())],
        after: vec![state(off)],
        made: 1,
        undo: vec![fix::Change::PutSetting { bucket: bucket.clone(), setting: on }],
        error: None,
    };
    let entry = JournalEntry::new(EntryKind::Done, &session(Mode::Write), at, Body::Fix(Box::new(record)));
    driver.keys("u");
    driver.send(Message::Journal(Ok(vec![entry])));
    driver.keys("enter");
    assert!(driver.screen().contains("switches versioning on"), "{}", driver.screen());
    whole(&mut driver, "a setting");
    driver.effects.clear();
    driver.keys("A");
    assert!(driver.screen().contains("Press y to apply"), "{}", driver.screen());
    driver.keys("enter n enter backspace");
    assert!(!driver.effects.iter().any(|effect| matches!(effect, Effect::Apply(_))));
    driver.keys("y");
    assert!(matches!(driver.effects.as_slice(), [Effect::Apply(_)]), "{:?}", driver.effects);
}
