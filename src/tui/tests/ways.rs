//! Ways through the console: from a row to its reasons, to events, and back; what is written down on the way.

use super::fixture::{envelope, events, full, key_arn, now, options, session};
use crate::inventory::Mode;
use crate::source::Message as FromSource;
use crate::tui::driver::Driver;
use crate::tui::message::{Effect, Message};
use crate::tui::pane::Pane;

#[test]
fn esc_goes_back_the_way_one_came() {
    let mut driver = full(100, 30);
    driver.keys("8 / d e n i e d enter");
    driver.keys("5 j j e");
    assert_eq!(driver.model.list().filter, format!("resource:{}", key_arn("orion-chat").last()));
    assert!(driver.screen().contains("Esc: back to Keys"), "{}", driver.screen());
    // What is typed over it goes first.
    driver.keys("/");
    driver.text(" ok");
    driver.keys("enter esc");
    assert_eq!(driver.model.list().filter, format!("resource:{}", key_arn("orion-chat").last()));
    driver.keys("=");
    assert!(driver.model.list().filter.contains("who:"));
    driver.keys("esc");
    assert_eq!(driver.model.list().filter, format!("resource:{}", key_arn("orion-chat").last()));
    driver.keys("esc");
    assert_eq!((driver.model.pane, driver.model.stack.len()), (Pane::Keys, 0));
    driver.keys("8");
    assert_eq!(driver.model.list().filter, "denied", "the filter of before is there again");
    driver.keys("esc");
    assert_eq!((driver.model.pane, driver.model.list().filter.as_str()), (Pane::Trail, ""));
}

#[test]
fn what_a_model_needs_shows_in_its_row() {
    let mut driver = full(80, 24);
    driver.keys("4");
    let screen = driver.screen();
    let row = |name: &str| screen.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(row("orion-law ").contains("crit key"), "{screen}");
    assert!(row("orion-chat ").contains("high "), "{screen}");
    driver.keys("/ o r i o n - l a w enter enter");
    let screen = driver.screen();
    assert!(screen.contains("Findings of what it needs") && screen.contains("key orion-law: "), "{screen}");
}

#[test]
fn lineage_reads_as_sentences_from_both_ends() {
    let lineage = |keys: &str| {
        let mut driver = full(120, 40);
        driver.keys(keys);
        driver.screen()
    };
    let key = lineage("5 j j L");
    assert!(key.contains("key orion-chat") && key.contains("encrypts model orion-chat"), "{key}");
    assert!(!key.contains("is encrypted with key orion-chat"), "{key}");
    let model = lineage("4 / o r i o n - c h a t enter L");
    assert!(
        model.contains("is encrypted with key orion-chat") && model.contains("is made by job orion-chat"),
        "{model}"
    );
    assert!(model.contains("is served by deployment orion-chat-od"), "{model}");
}

#[test]
fn a_finding_shows_the_statement_it_points_at() {
    let mut driver = full(120, 40);
    driver.keys("2");
    let screen = driver.screen();
    let statement = screen.lines().position(|line| line.contains("/Statement/1")).unwrap();
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[statement + 2].contains(r#"▸   "Sid": "Everyone""#), "{screen}");
    assert!(!screen.contains(r#""Sid": "Admins""#), "only the statement it is about: {screen}");
}

fn extension(name: &str) -> Option<&str> {
    std::path::Path::new(name).extension()?.to_str()
}

#[test]
fn an_export_is_what_is_on_screen() {
    let export = |keys: &str| {
        let mut driver = full(100, 30);
        driver.effects.clear();
        driver.keys(keys);
        driver.effects.iter().find_map(|effect| match effect {
            Effect::Export(export) => Some(export.clone()),
            _ => None,
        })
    };
    let findings = export("2 w").unwrap();
    assert!(
        findings.name.starts_with("bedwatch-findings-2026") && extension(&findings.name) == Some("csv"),
        "{}",
        findings.name
    );
    assert_eq!(findings.text.lines().count(), 1 + 7, "{}", findings.text);
    assert!(findings.text.starts_with("SEV,STATUS,WHAT,WHERE"), "{}", findings.text);
    assert_eq!(export("2 space space w").unwrap().text.lines().count(), 1 + 2, "the marked lines");
    assert_eq!(export("2 / c h a t enter w").unwrap().text.lines().count(), 1 + 2, "what the filter left");
    let raw = export("5 j j o w").unwrap();
    let json: serde_json::Value = serde_json::from_str(&raw.text).unwrap();
    assert_eq!(json["DescribeKey"]["KeyMetadata"]["KeyState"], "Enabled");
    let event = export("8 enter w").unwrap();
    assert!(!event.text.contains('\u{1b}') && extension(&event.name) == Some("json"));
    assert!(export("5 enter w").unwrap().text.contains("rotation"));
    assert_eq!(export("3 / z z z z enter w"), None);
}

#[test]
fn an_account_is_marked_as_production_by_the_configuration() {
    for (accounts, marked) in [(vec!["orion-prod"], true), (vec!["123456789012"], true), (vec!["other"], false)] {
        let production = accounts.into_iter().map(str::to_owned).collect();
        let config = crate::tui::config::Config { production, ..crate::tui::config::Config::default() };
        let mut model = crate::tui::model::Model::with_config(options(Mode::ReadOnly), config);
        crate::tui::update::update(&mut model, Message::Resize(80, 24));
        let mut driver = Driver { model, effects: Vec::new(), answering: true };
        driver.receive([envelope(FromSource::Session(session(Mode::ReadOnly)))]);
        assert_eq!(driver.screen().contains(" PROD "), marked);
        assert_eq!(driver.model.options.production, marked);
    }
}

#[test]
fn an_event_names_what_it_is_on_and_who_made_it() {
    let mut driver = full(120, 40);
    let mut event = events().remove(0);
    event.id = "ours".into();
    event.at = now();
    event.record["userAgent"] = "aws-sdk-rust/1.3 app/bedwatch".into();
    driver.receive([envelope(FromSource::Events(vec![event]))]);
    driver.keys("8");
    let screen = driver.screen();
    let row = screen.lines().find(|line| line.contains("▸")).unwrap();
    assert!(row.contains("orion-chat ") && row.contains("bedwatch"), "{row}");
}

#[test]
fn the_journal_is_read_and_shown() {
    use crate::fix::JournalEntry;
    use crate::fix::journal::{Body, EntryKind};
    let mut driver = full(100, 30);
    assert!(driver.effects.contains(&Effect::ReadJournal));
    driver.effects.clear();
    driver.keys(": j o u r n a l enter");
    assert!(!driver.effects.contains(&Effect::ReadJournal), "once is enough");
    let entry = |n: i64, text: &str| {
        let body = Body::Text(text.into());
        JournalEntry::new(EntryKind::Note, &session(Mode::ReadOnly), now().plus_secs(n), body)
    };
    assert!(driver.screen().contains("Reading the journal"));
    driver.send(Message::Journal(Ok(vec![entry(-60, "first remark"), entry(-5, "second remark")])));
    let screen = driver.screen();
    let lines: Vec<&str> = screen.lines().filter(|line| line.contains("remark")).collect();
    assert!(lines[0].contains("second") && lines[1].contains("first"), "{screen}");
    assert!(driver.model.overlay.is_none(), "it is not the undo list");
    driver.keys("enter");
    assert!(driver.screen().contains("account 123456789012, us-east-1"));
    driver.keys("u");
    driver.send(Message::Journal(Err("locked".into())));
    assert!(driver.model.notice.as_ref().is_some_and(|notice| notice.text.contains("locked")));
}

/// A fix of the journal, as a case file holds it.
fn fixed(key: &str, policy: &str) -> crate::fix::JournalEntry {
    use crate::fix::JournalEntry;
    use crate::fix::journal::{Body, EntryKind};
    let record = serde_json::json!({
        "run": "r-1", "rehearsed": false, "made": 1,
        "plan": {
            "id": "p-1", "fix": "FIX-03", "title": "take the statement out", "target": {"kind": "key", "id": key},
            "target_name": "orion-chat", "confirm": "Yes", "changes": [], "before": [], "finding": null, "caveats": [],
        },
        "after": [{ "key": key, "state": { "policy": policy, "grants": [] } }],
    });
    let body = Body::Fix(Box::new(serde_json::from_value(record).unwrap()));
    JournalEntry::new(EntryKind::Done, &session(Mode::ReadOnly), now().plus_secs(-3600), body)
}

#[test]
fn a_policy_that_changed_since_its_fix_is_drift() {
    let key = key_arn("orion-chat");
    let driver = full(80, 24);
    let now_there = driver.model.inventory.keys[&key].policy.last().unwrap().raw().to_owned();
    for (policy, drifted) in [(now_there.as_str(), false), (r#"{"Statement":[]}"#, true)] {
        let mut driver = full(80, 24);
        driver.send(Message::Journal(Ok(vec![fixed(key.as_str(), policy)])));
        let screen = driver.screen();
        assert_eq!(screen.contains("Drift"), drifted, "{screen}");
        assert_eq!(screen.contains("key orion-chat policy changed"), drifted, "{screen}");
    }
    let mut driver = full(100, 30);
    driver.send(Message::Journal(Ok(vec![fixed(key.as_str(), "{}")])));
    driver.keys(": j o u r n a l enter");
    assert!(driver.screen().contains("take the statement out"), "{}", driver.screen());
    driver.keys("enter");
    assert!(driver.screen().contains("key orion-chat") && driver.screen().contains("FIX-03"), "{}", driver.screen());
}
