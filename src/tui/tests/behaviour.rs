//! What keys and messages do, as tables and as laws.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::style::Modifier;

use super::fixture::{envelope, events, full, full_in, key_arn, now, options, session, updates};
use crate::base::Generation;
use crate::case::{Seen, Sighting};
use crate::inventory::objects::{Content, Listing, Purpose, named};
use crate::inventory::{Items, Kind, Mode, Read, ResourceRef, SourceId, SourceReport, Update};
use crate::source::{Command, Depth, Envelope, Memory, Message as FromSource};
use crate::tui::driver::Driver;
use crate::tui::judged::Came;
use crate::tui::keymap::{ACTIONS, Action, Keymap};
use crate::tui::list::Subject;
use crate::tui::message::{Effect, Message};
use crate::tui::model::{Overlay, Place};
use crate::tui::pane::{self, Pane};
use crate::tui::theme::{Role, Theme};
use crate::tui::update::refusal;

fn place(driver: &Driver) -> Option<Place> {
    driver.model.stack.last().map(|spot| spot.place.clone())
}

#[test]
fn keys_lead_somewhere() {
    let key = |name| ResourceRef::new(Kind::Key, key_arn(name));
    for (keys, pane, at) in [
        ("5", Pane::Keys, None),
        ("tab tab", Pane::Jobs, None),
        ("shift-tab", Pane::Sources, None),
        ("5 j j enter", Pane::Keys, Some(Place::Resource(key("orion-chat")))),
        ("5 j j L", Pane::Keys, Some(Place::Lineage(key("orion-chat")))),
        ("5 j j o", Pane::Keys, Some(Place::Raw(key("orion-chat")))),
        ("5 j j o esc", Pane::Keys, None),
        ("5 j j o esc [", Pane::Keys, Some(Place::Raw(key("orion-chat")))),
        ("5 enter 8 [ [", Pane::Keys, None),
        ("5 enter 8 [ [ ]", Pane::Keys, Some(Place::Resource(key("orion-law")))),
        ("i", Pane::Posture, Some(Place::Identity)),
        ("!", Pane::Posture, Some(Place::Errors)),
        ("5 j j e", Pane::Trail, None),
        ("5 j j e esc", Pane::Keys, None),
        ("5 j j enter e esc", Pane::Keys, Some(Place::Resource(key("orion-chat")))),
        ("5 j j e enter esc esc", Pane::Keys, None),
        (": j o u r n a l enter", Pane::Journal, None),
        (": r o l e s enter", Pane::Roles, None),
        (": g u a r d r a i l s enter tab", Pane::Posture, None),
        ("8 t", Pane::Trail, Some(Place::Resource(key("orion-chat")))),
        (": k e y s enter", Pane::Keys, None),
        ("G j j j g k", Pane::Posture, None),
    ] {
        let mut driver = full(100, 30);
        driver.keys(keys);
        assert_eq!((driver.model.pane, place(&driver)), (pane, at), "{keys}");
    }
}

#[test]
fn invocations_are_filtered_sorted_and_followed() {
    let first = |keys: &str| {
        let mut driver = full(120, 40);
        driver.keys(keys);
        let Some(Subject::Invocation(id)) = driver.model.list().subjects.first().cloned() else { panic!("{keys}") };
        let invocation = driver.model.invoked.get(&id).unwrap().clone();
        (driver.model.list().subjects.len(), invocation.who.to_string(), invocation.input_tokens)
    };
    assert_eq!(first("9"), (23, "App".into(), Some(180)), "newest first");
    assert_eq!(first("9 / d e n i e d enter"), (1, "ci-runner".into(), Some(0)));
    assert_eq!(first("9 / o r i o n - c h a t - p t enter"), (1, "App".into(), Some(512)), "by the model's name");
    assert_eq!(first("9 s s s s s").2, Some(91_000), "most tokens first");
    let mut driver = full(120, 40);
    driver.keys("9 enter j j");
    assert_eq!(driver.model.resource().map(|resource| resource.kind), Some(Kind::Deployment));
    driver.keys("enter");
    assert!(driver.screen().contains("orion-chat-od"));
    assert!(!driver.screen().contains("PROMPT") && !driver.screen().contains("ANSWER"));
}

#[test]
fn an_invocation_leads_to_its_event_in_the_trail() {
    let mut driver = full(120, 40);
    let mut event = events().remove(0);
    event.id = "same-call".into();
    event.record["requestID"] = driver.model.invoked.list()[0].id.as_str().into();
    driver.receive([envelope(FromSource::Events(vec![event]))]);
    driver.keys("9 enter G enter");
    assert_eq!(place(&driver), Some(Place::Event("same-call".into())));
}

#[test]
fn invocations_of_another_session_are_dropped() {
    let mut driver = full(120, 40);
    let mut other = session(Mode::ReadOnly);
    other.generation = Generation(2);
    driver.receive([envelope(FromSource::Session(other))]);
    driver.receive([envelope(FromSource::Invocations(super::fixture::invocations()))]);
    driver.keys("9");
    assert!(driver.model.invoked.list().is_empty() && driver.model.list().subjects.is_empty());
}

#[test]
fn effects_are_asked_for_and_nothing_else() {
    for (keys, effect) in [
        ("r", Effect::Source(Command::Refresh)),
        ("p", Effect::Source(Command::Pause(true))),
        ("p p", Effect::Source(Command::Pause(false))),
        ("q", Effect::Quit),
        ("ctrl-c", Effect::Quit),
        ("3 / x ctrl-c", Effect::Quit),
        ("ctrl-z", Effect::Suspend),
        ("ctrl-l", Effect::Redraw),
        ("u", Effect::ReadJournal),
        ("5 j j Y", Effect::Copy(key_arn("orion-chat").to_string())),
        ("5 j j", Effect::Source(Command::Focus(ResourceRef::new(Kind::Key, key_arn("orion-chat"))))),
    ] {
        let mut driver = full(100, 30);
        driver.effects.clear();
        driver.keys(keys);
        assert!(driver.effects.contains(&effect), "{keys}: {:?}", driver.effects);
    }
}

#[test]
fn content_is_looked_into_only_after_a_yes() {
    let look = Effect::Source(Command::Deep(Depth::default()));
    for (keys, asks) in [("y", true), ("n", false), ("enter", false), ("esc", false), ("Y", false)] {
        let mut driver = full(100, 30);
        driver.keys(":");
        driver.text("deep");
        driver.keys("enter");
        assert!(matches!(driver.model.overlay, Some(Overlay::Deep)) && !driver.effects.contains(&look));
        driver.keys(keys);
        assert!(driver.model.overlay.is_none());
        assert_eq!(driver.effects.contains(&look), asks, "{keys}");
    }
    for (mode, before, why) in
        [(Mode::Case, "", "a saved case"), (Mode::Demo, "", "a saved case"), (Mode::ReadOnly, "p", "p goes on")]
    {
        let mut driver = full_in(mode, 100, 30);
        driver.keys(before);
        driver.keys(":");
        driver.text("deep");
        driver.keys("enter");
        let told = &driver.model.notice.as_ref().unwrap().text;
        assert!(told.contains(why) && driver.model.overlay.is_none(), "{told}");
    }
}

#[test]
fn a_bucket_tells_how_much_of_it_was_looked_into() {
    let mut driver = full(120, 40);
    driver.keys("6");
    driver.text("/orion-train");
    driver.keys("enter enter");
    assert!(driver.screen().contains(":deep does, and shows masks only"), "{}", driver.screen());
    let mut data = named(&driver.model.inventory).into_iter().find(|data| data.is_for(Purpose::Training)).unwrap();
    let listing = Listing { objects: 2, bytes: 12_345, ..Listing::default() };
    let content = Content { objects: 1, records: 1204, unread_objects: 1, ..Content::default() };
    (data.listing, data.content) = (Read::got(listing, now()), Read::got(content, now()));
    let report = SourceReport::sum(SourceId::CONTENT, now(), 1, &[]);
    driver.receive(
        [Update::Listed(Items::Data(vec![data])), Update::Source(report)]
            .map(|update| envelope(FromSource::Update(Box::new(update)))),
    );
    let screen = driver.screen();
    let told = "2 objects, 12 KB; looked into one object, 1,204 records; one object could not be read whole";
    assert!(screen.contains(told) && !screen.contains(":deep does"), "{screen}");
}

#[test]
fn the_next_look_tells_what_came_back_and_went() {
    let driver = full(100, 30);
    let open: Vec<String> =
        driver.model.judged.findings.iter().map(|at| driver.model.assessment.verdicts[*at].id.clone()).collect();
    assert_eq!(open.len(), 6);
    let sighting = |id: &str, status| Sighting {
        verdict: id.into(),
        control: "CUS-KMS-04".into(),
        name: "old".into(),
        status,
        first_seen: now().plus_secs(-3 * 86_400),
        last_seen: now().plus_secs(-9 * 3600),
        closed_at: None,
        reopened: 0,
    };
    // Of the six, one is new, one had been closed and is back; a seventh of then is gone.
    let mut sightings: Vec<Sighting> = open[2..].iter().map(|id| sighting(id, Seen::Open)).collect();
    sightings.push(sighting(&open[1], Seen::Closed));
    sightings.push(sighting("CUS-X/1", Seen::Open));
    let memory = Memory { last_look: Some(now().plus_secs(-9 * 3600)), sightings };
    let mut driver = Driver::new(options(Mode::ReadOnly), 120, 40);
    let all = [FromSource::Session(session(Mode::ReadOnly)), FromSource::Remembered(memory)]
        .into_iter()
        .chain(updates().into_iter().map(|update| FromSource::Update(Box::new(update))))
        .chain([FromSource::Busy(false)]);
    driver.receive(all.map(envelope));
    let mut changes: Vec<(&str, Came)> =
        driver.model.judged.changes.iter().map(|change| (change.id.as_str(), change.came)).collect();
    changes.sort_by_key(|(id, _)| *id);
    let mut expected = vec![(open[0].as_str(), Came::New), (open[1].as_str(), Came::Back), ("CUS-X/1", Came::Gone)];
    expected.sort_by_key(|(id, _)| *id);
    assert_eq!(changes, expected);
    assert!(driver.screen().contains("since your last look, 9h ago"));
    assert_eq!(driver.model.judged.since(&open[3]), Some(now().plus_secs(-3 * 86_400)));
}

#[test]
fn the_selection_is_a_resource_and_survives_what_comes_and_goes() {
    let mut driver = full(100, 30);
    driver.keys("5 j j");
    let chosen = Some(Subject::Resource(ResourceRef::new(Kind::Key, key_arn("orion-chat"))));
    assert_eq!(driver.model.list().selected(), chosen);
    let left: Vec<_> = driver.model.inventory.keys.values().filter(|key| key.label() != "orion-law").cloned().collect();
    driver.receive([envelope(FromSource::Update(Box::new(Update::Listed(Items::Key(left)))))]);
    assert_eq!(driver.model.list().selected(), chosen);
    assert_eq!(driver.model.list().cursor, 1);
    driver.keys("s");
    assert_eq!(driver.model.list().selected(), chosen);
    driver.keys("/ c h a t enter");
    assert_eq!((driver.model.list().selected(), driver.model.list().subjects.len()), (chosen.clone(), 1));
    driver.keys("esc");
    assert_eq!(driver.model.list().selected(), chosen);
}

#[test]
fn the_top_of_the_trail_follows_what_is_new() {
    let mut driver = Driver::new(options(Mode::ReadOnly), 100, 30);
    let mut all = events();
    all.sort_by_key(|event| event.at);
    let newest = all.pop().unwrap();
    driver.receive([envelope(FromSource::Session(session(Mode::ReadOnly))), envelope(FromSource::Events(all.clone()))]);
    driver.keys("8");
    assert_ne!(driver.model.list().selected(), Some(Subject::Event(newest.id.clone())));
    driver.receive([envelope(FromSource::Events(vec![newest.clone()]))]);
    assert_eq!(driver.model.list().selected(), Some(Subject::Event(newest.id.clone())));
    driver.receive([envelope(FromSource::Events(vec![newest]))]);
    assert_eq!(driver.model.log.all().len(), all.len() + 1, "an event counts once");
}

#[test]
fn what_another_session_says_is_dropped() {
    let mut driver = full(100, 30);
    let keys = driver.model.inventory.keys.len();
    let none = FromSource::Update(Box::new(Update::Listed(Items::Key(Vec::new()))));
    driver.receive([Envelope { generation: Generation(0), at: now(), message: none }]);
    assert_eq!(driver.model.inventory.keys.len(), keys);
    let mut next = session(Mode::Write);
    (next.generation, next.account) = (Generation(2), "999900001111".into());
    driver.receive([Envelope { generation: Generation(2), at: now(), message: FromSource::Session(next) }]);
    assert!(driver.model.inventory.keys.is_empty() && driver.model.log.all().is_empty());
    assert!(!driver.screen().contains("orion-chat"), "nothing of the old account stays");
}

#[test]
fn trail_filters_and_pivots() {
    for (filter, count) in [
        ("who:ci-runner", 26),
        ("-who:ci-runner", 31),
        ("denied", 25),
        ("via:bedrock what:Decrypt", 30),
        ("resource:orion-chat result:ok", 32),
        ("/userIdentity/type:assumedrole CreateGrant", 1),
        ("who:\"nobody at all\"", 0),
    ] {
        let mut driver = full(100, 30);
        driver.keys("8 /");
        driver.text(filter);
        driver.keys("enter");
        assert_eq!(driver.model.list().subjects.len(), count, "{filter}");
    }
    let mut driver = full(100, 30);
    driver.keys("8 =");
    assert_eq!((driver.model.list().filter.as_str(), driver.model.list().subjects.len()), ("who:ci-runner", 26));
    driver.keys("enter G k k k =");
    assert!(driver.model.list().filter.starts_with("who:ci-runner /"), "{}", driver.model.list().filter);
}

#[test]
fn disabled_actions_say_why() {
    let mut driver = Driver::new(options(Mode::Case), 100, 30);
    for (key, why) in
        [("f", "nothing to fix"), ("e", "no resource"), ("r", "a case does not change"), ("[", "no earlier")]
    {
        driver.keys(key);
        let notice = driver.model.notice.clone().unwrap();
        assert!(notice.text.contains(why), "{key}: {}", notice.text);
    }
    for entry in ACTIONS {
        // Every answer must be one that can be given anywhere.
        let _ = refusal(&driver.model, entry.action);
    }
}

#[test]
fn help_and_palette_know_every_action() {
    let driver = full(100, 30);
    let help: String =
        crate::tui::help::lines(&driver.model).into_iter().flatten().map(|(_, text)| text + "\n").collect();
    for entry in ACTIONS {
        assert!(help.contains(entry.help), "{} is not in the help", entry.name);
        assert!(help.contains(&Keymap::default().hint(entry.action)), "{}", entry.name);
    }
    for pane in Pane::ALL {
        assert_eq!(ACTIONS.iter().filter(|entry| Pane::of(entry.action) == Some(*pane)).count(), 1);
    }
}

#[test]
fn the_cursor_shows_without_colour_and_severity_has_a_word() {
    let mut driver = full(80, 24);
    driver.model.theme = Theme::fallback(crate::tui::theme::Level::None);
    driver.keys("2 j");
    let buffer = driver.frame();
    let row = |y: u16| -> String { (0..80).map(|x| buffer[(x, y)].symbol().to_owned()).collect() };
    let reversed: Vec<u16> =
        (2..23).filter(|y| (1..79).all(|x| buffer[(x, *y)].modifier.contains(Modifier::REVERSED))).collect();
    assert_eq!(reversed, [5]);
    assert!(row(5).contains('▸') && row(5).contains("CRITICAL"));
    driver.model.theme = Theme::fallback(crate::tui::theme::Level::True);
    let (buffer, style) = (driver.frame(), driver.model.theme.style(Role::Critical));
    assert_eq!((Some(buffer[(2, 4)].fg), buffer[(2, 4)].symbol()), (style.fg, "C"));
}

#[test]
fn a_fix_is_previewed_confirmed_by_name_and_never_by_enter() {
    let mut driver = full_in(Mode::Write, 100, 40);
    driver.keys("2 j f");
    assert!(matches!(driver.model.overlay, Some(Overlay::Fix(_))), "{:?}", driver.model.notice);
    insta::assert_snapshot!("fix_summary_100x40", driver.screen());
    driver.keys("tab");
    insta::assert_snapshot!("fix_diff_100x40", driver.screen());
    driver.keys("tab");
    insta::assert_snapshot!("fix_access_100x40", driver.screen());
    driver.effects.clear();
    driver.keys("enter enter A enter");
    driver.text("orion-share");
    driver.keys("enter ctrl-y");
    assert!(!driver.effects.iter().any(|effect| matches!(effect, Effect::Apply(_))), "half a name confirms nothing");
    driver.text("d");
    driver.keys("enter");
    assert!(!driver.effects.iter().any(|effect| matches!(effect, Effect::Apply(_))), "Enter confirms nothing");
    driver.keys("ctrl-y");
    let applied = driver.effects.iter().filter(|effect| matches!(effect, Effect::Apply(_))).count();
    assert_eq!(applied, 1);
}

#[test]
fn a_policy_is_edited_with_its_errors_at_hand() {
    let mut driver = full_in(Mode::Write, 100, 40);
    driver.keys("2 j f E");
    driver.text("x");
    assert!(driver.screen().contains("not valid JSON at line 1"), "{}", driver.screen());
    driver.keys("ctrl-s");
    assert!(driver.model.notice.as_ref().is_some_and(|notice| notice.text.starts_with("not taken")));
    driver.keys("backspace");
    assert!(driver.screen().contains("valid: ctrl-s takes it"));
    driver.keys("ctrl-s tab");
    assert!(matches!(driver.model.overlay, Some(Overlay::Fix(_))));
    driver.keys("esc");
    assert!(driver.model.overlay.is_none());
}

#[test]
fn where_nothing_can_be_applied_the_dialog_says_so() {
    for (mode, why) in [(Mode::ReadOnly, "start with --write"), (Mode::Case, "saved case")] {
        let mut driver = full_in(mode, 100, 40);
        driver.keys("2 j f");
        assert!(driver.screen().contains(why), "{}", driver.screen());
        driver.keys("A");
        assert!(driver.model.notice.as_ref().is_some_and(|notice| notice.text.contains(why)));
    }
}

#[test]
fn marks_and_sorting() {
    let mut driver = full(100, 30);
    driver.keys("2 j space j space g n");
    assert_eq!(driver.model.list().cursor, 1);
    driver.keys("n");
    assert_eq!(driver.model.list().cursor, 3);
    driver.keys("n N N");
    assert_eq!(driver.model.list().marked.len(), 2);
    for _ in 0..=pane::columns(Pane::Findings).len() {
        driver.keys("s");
    }
    assert_eq!(driver.model.list().sort, None, "the columns go round");
    driver.keys("S");
    assert_eq!(driver.model.list().sort, Some((0, true)));
    assert_eq!(driver.model.keymap.hint(Action::Sort), "s");
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        20 => proptest::sample::select("jkgGnN/:?q[]s yYeaLfowpru!i1234567890=-thlSAExm\"".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        4 => proptest::sample::select(vec![KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Backspace, KeyCode::Home, KeyCode::End, KeyCode::PageDown, KeyCode::PageUp, KeyCode::Left, KeyCode::F(3)]),
        1 => any::<char>().prop_map(KeyCode::Char),
    ];
    (code, proptest::bool::weighted(0.1)).prop_map(|(code, control)| {
        KeyEvent::new(code, if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_breaks_it(
        keys in proptest::collection::vec(any_key(), 1..40),
        sizes in proptest::collection::vec((1u16..200, 1u16..60), 1..6),
        mode in proptest::sample::select(vec![Mode::ReadOnly, Mode::Write, Mode::Demo, Mode::Case]),
    ) {
        let mut driver = full_in(mode, 80, 24);
        for (at, key) in keys.into_iter().enumerate() {
            if at % 7 == 0 {
                let (width, height) = sizes[at / 7 % sizes.len()];
                driver.send(Message::Resize(width, height));
            }
            driver.send(Message::Key(key));
            let _ = driver.frame();
            if at % 5 == 0 {
                driver.send(Message::Rested);
                driver.send(Message::Tick);
            }
        }
    }
}
