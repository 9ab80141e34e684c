//! The access matrix: how it looks in every state and size, and what keys and messages do to it.

use serde_json::json;

use super::fixture::{
    ACCOUNT, arn, envelope, error, events, full, key_arn, model_arn, now, options, role_arn, session,
};
use crate::base::ResourceId;
use crate::inventory::kms::{Grant, Key, KeyMetadata, KeyState};
use crate::inventory::settings::Setting;
use crate::inventory::{Document, Items, Kind, Mode, Read, ResourceRef, SourceId, SourceReport, Update, iam};
use crate::source::Message as FromSource;
use crate::tui::driver::Driver;
use crate::tui::matrix::{CellOf, Reply};
use crate::tui::message::{Effect, Message};
use crate::tui::model::{Overlay, Place};
use crate::tui::theme::{Level, Theme};

#[path = "matrix_answers.rs"]
mod answers;

const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (120, 40)];
const PARTNER: &str = "arn:aws:iam::444455556666:role/Partner";

fn role(name: &str, inline: Option<serde_json::Value>) -> iam::Role {
    iam::Role {
        arn: role_arn(name),
        name: name.into(),
        role_id: "AROAEXAMPLE".into(),
        trust: Document::new(
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"Trust","Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
        ),
        inline: inline
            .map(|statement| iam::InlinePolicy {
                name: format!("{name}Policy").into(),
                document: Document::pretty(&json!({"Version": "2012-10-17", "Statement": [statement]})),
            })
            .into_iter()
            .collect(),
        attached: Vec::new(),
        boundary: None,
        created: now(),
        last_used: None,
        tags: std::collections::BTreeMap::new(),
    }
}

fn roles() -> Vec<iam::Role> {
    let decrypt = json!({"Sid": "Own", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}});
    ["OrionTuner", "KeyAdmins", "oncall-readonly", "ci-runner"]
        .map(|name| role(name, None))
        .into_iter()
        .chain([role("App", Some(decrypt))])
        .collect()
}

/// A key with a policy as people write them, and two grants.
fn sealed(statements: serde_json::Value) -> Key {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let grant = |id: &str, grantee: &str, operations: &[&str]| Grant {
        id: id.into(),
        name: None,
        grantee: grantee.into(),
        retiring: None,
        issuer: None,
        operations: operations.iter().map(|op| (*op).into()).collect(),
        context_equals: std::collections::BTreeMap::new(),
        context_subset: std::collections::BTreeMap::new(),
        source_arn: None,
        created: Some(now()),
    };
    Key {
        aliases: vec!["orion-chat".into()],
        metadata: Read::got(
            KeyMetadata {
                deletion: None,
                state: KeyState::Enabled,
                manager: "CUSTOMER".into(),
                origin: "AWS_KMS".into(),
                spec: "SYMMETRIC_DEFAULT".into(),
                usage: "ENCRYPT_DECRYPT".into(),
                multi_region: false,
                description: "".into(),
                created: None,
                valid_to: None,
            },
            now(),
        ),
        policy: Read::got(Document::pretty(&policy), now()),
        grants: Read::got(
            vec![
                grant("3f9a5c1e", PARTNER, &["Decrypt", "CreateGrant"]),
                grant("77aa", "bedrock.amazonaws.com", &["Decrypt"]),
            ],
            now(),
        ),
        ..Key::bare(key_arn("orion-chat"))
    }
}

fn statements() -> serde_json::Value {
    json!([
        {"Sid": "AccountDecides", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "Admins", "Effect": "Allow", "Principal": {"AWS": role_arn("KeyAdmins").as_str()},
            "Action": ["kms:Put*", "kms:Describe*"], "Resource": "*"},
        {"Sid": "Tuner", "Effect": "Allow", "Principal": {"AWS": role_arn("OrionTuner").as_str()},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
        {"Sid": "Legacy", "Effect": "Allow", "Principal": {"AWS": role_arn("ci-runner").as_str()}, "Action": "kms:Decrypt", "Resource": "*"},
        {"Sid": "NoDelete", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"},
    ])
}

fn read(items: Items) -> crate::source::Envelope {
    envelope(FromSource::Update(Box::new(Update::Read(items))))
}

/// Keys, with the cursor on `orion-chat`, whose access is as above.
fn at_key(width: u16, height: u16) -> Driver {
    let mut driver = full(width, height);
    driver.receive([
        envelope(FromSource::Update(Box::new(Update::Listed(Items::Role(roles()))))),
        read(Items::Key(vec![sealed(statements())])),
    ]);
    driver.keys("5 /");
    driver.text("orion-chat");
    driver.keys("enter");
    driver
}

fn matrix(width: u16, height: u16) -> Driver {
    let mut driver = at_key(width, height);
    driver.keys("a");
    assert!(matches!(place(&driver), Some(Place::Access(_))), "{:?}", driver.model.notice);
    driver
}

fn place(driver: &Driver) -> Option<Place> {
    driver.model.stack.last().map(|spot| spot.place.clone())
}

fn of() -> ResourceRef {
    ResourceRef::new(Kind::Key, key_arn("orion-chat"))
}

/// Names of the rows, top down.
fn names(driver: &Driver) -> Vec<String> {
    let board = driver.model.matrices.get(&of()).unwrap();
    let entries = &board.known().unwrap().entries;
    board.order.iter().map(|at| entries[*at].name.clone()).collect()
}

fn chosen(driver: &Driver) -> (ResourceId, String) {
    let cell = driver.model.matrices.get(&of()).unwrap().cell().unwrap();
    (cell.who, cell.action)
}

fn only(key: Key, roles: Vec<iam::Role>, failed: bool, width: u16, height: u16) -> Driver {
    let mut driver = Driver::new(options(Mode::ReadOnly), width, height);
    let failures = if failed { vec![error("iam:GetAccountAuthorizationDetails")] } else { Vec::new() };
    let report = SourceReport::sum(SourceId::AUTHORIZATION, now(), usize::from(!failed), &failures);
    driver.receive([
        envelope(FromSource::Session(session(Mode::ReadOnly))),
        read(Items::Key(vec![key])),
        envelope(FromSource::Update(Box::new(Update::Listed(Items::Role(roles))))),
        envelope(FromSource::Update(Box::new(Update::Source(report)))),
        envelope(FromSource::Update(Box::new(Update::Setting(Setting::Organization(Read::got(None, now())))))),
        envelope(FromSource::Busy(false)),
    ]);
    driver.model.notice = None;
    driver.keys("5 a");
    driver
}

#[test]
fn every_state_at_every_size() {
    for (width, height) in SIZES {
        let shot = |name: &str, driver: &mut Driver| {
            insta::assert_snapshot!(format!("access_{name}_{width}x{height}"), driver.screen());
        };
        let mut nobody = sealed(json!([]));
        nobody.grants = Read::got(Vec::new(), now());
        shot("empty", &mut only(nobody, Vec::new(), false, width, height));
        shot("denied", &mut only(sealed(statements()), Vec::new(), true, width, height));
        let one = json!([{"Sid": "One", "Effect": "Allow", "Principal": {"AWS": role_arn("App").as_str()}, "Action": "kms:Decrypt", "Resource": "*"}]);
        let mut key = sealed(one);
        key.grants = Read::got(Vec::new(), now());
        shot("one", &mut only(key, vec![role("App", None)], false, width, height));
        let crowd = (0..200).map(|n| role(&format!("svc-{n:03}"), None)).chain(roles()).collect();
        shot("many", &mut only(sealed(statements()), crowd, false, width, height));
        let mut loading = at_key(width, height);
        loading.answering = false;
        loading.keys("a");
        shot("loading", &mut loading);
        let mut driver = matrix(width, height);
        shot("key", &mut driver);
        driver.keys("tab");
        shot("obtain", &mut driver);
        driver.keys("tab");
        shot("not_seen", &mut driver);
        driver.keys("tab j enter");
        shot("why", &mut driver);
        driver.keys("E");
        shot("what_if", &mut driver);
        driver.keys("tab space");
        shot("what_if_grants", &mut driver);
    }
}

#[test]
fn other_resources_have_one_too() {
    for (name, keys) in [("model", "4 a"), ("bucket", "6 j a"), ("role", "2 / a s s u m e enter a")] {
        let mut driver = full(100, 30);
        driver.keys(keys);
        assert!(matches!(place(&driver), Some(Place::Access(_))), "{name}: {:?}", driver.model.notice);
        insta::assert_snapshot!(format!("access_of_{name}"), driver.screen());
    }
}

#[test]
fn signs_need_no_colour_and_no_more_than_ascii() {
    let mut driver = matrix(80, 24);
    driver.model.ascii = true;
    driver.model.theme = Theme::fallback(Level::None);
    let screen = driver.screen();
    assert!(screen.is_ascii(), "{screen}");
    let row = screen.lines().find(|line| line.contains("ci-runner")).unwrap();
    assert!(row.contains('Y') && row.contains("not in lineage"), "{row}");
    assert!(screen.contains("[?]"), "the cell under the cursor shows without colour: {screen}");
}

#[test]
fn the_unexpected_come_first_and_say_why() {
    let driver = matrix(120, 40);
    assert_eq!(names(&driver)[..2], ["Partner@4444…6666", "ci-runner"]);
    let board = driver.model.matrices.get(&of()).unwrap();
    let why = |name: &str| {
        let entry = board.known().unwrap().entries.iter().find(|entry| entry.name == name).unwrap();
        entry.unexpected.as_ref().map(|reason| reason.short)
    };
    assert_eq!(why("Partner@4444…6666"), Some("other account"));
    assert_eq!(why("ci-runner"), Some("not in lineage"));
    // OrionTuner runs the jobs, App was seen through Bedrock, KeyAdmins may not use it.
    assert_eq!((why("OrionTuner"), why("App"), why("KeyAdmins")), (None, None, None));
}

#[test]
fn the_cursor_keeps_to_principal_and_action() {
    let mut driver = matrix(80, 24);
    driver.keys("j l l");
    let held = (role_arn("ci-runner"), "kms:GenerateDataKey".to_owned());
    assert_eq!(chosen(&driver), held);
    // Another stranger comes, above it.
    let mut open = statements();
    open.as_array_mut()
        .unwrap()
        .push(json!({"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}));
    driver.receive([read(Items::Key(vec![sealed(open)]))]);
    assert_eq!(names(&driver)[0], "* anyone");
    assert_eq!(chosen(&driver), held);
    driver.keys("s");
    assert_eq!(chosen(&driver), held);
    driver.keys("/ r u n enter");
    assert_eq!((names(&driver), chosen(&driver)), (vec!["ci-runner".to_owned()], held.clone()));
    driver.keys("esc");
    assert!(matches!(place(&driver), Some(Place::Access(_))), "Esc clears the filter first");
    assert_eq!(chosen(&driver), held);
    driver.keys("enter");
    let cell = CellOf { of: of(), who: held.0.clone(), action: held.1.clone(), on: None };
    assert_eq!(place(&driver), Some(Place::Cell(cell)));
    driver.keys("esc esc a");
    assert_eq!(chosen(&driver), held, "and when one comes back");
}

#[test]
fn rows_are_sorted_by_risk_name_and_last_use() {
    let mut driver = matrix(80, 24);
    driver.keys("s");
    let mut sorted = names(&driver);
    sorted.sort_by_key(|name| name.to_lowercase());
    assert_eq!(names(&driver), sorted);
    driver.keys("S");
    sorted.reverse();
    assert_eq!(names(&driver), sorted);
    driver.keys("s");
    let newest =
        events().into_iter().filter(|event| event.outcome == crate::activity::Outcome::Ok).max_by_key(|event| event.at);
    assert_eq!(names(&driver)[0], newest.unwrap().who.as_str());
    driver.keys("s");
    assert_eq!(names(&driver)[0], "Partner@4444…6666");
}

#[test]
fn a_filter_takes_reasons_and_their_opposite() {
    let mut driver = matrix(80, 24);
    for (filter, rows) in [("lineage", vec!["ci-runner"]), ("account !arn:aws:iam::123", vec!["Partner@4444…6666"])] {
        driver.keys("/ ctrl-u");
        driver.text(filter);
        driver.keys("enter");
        assert_eq!(names(&driver), rows, "{filter}");
    }
    driver.keys("/ ctrl-u z z z enter");
    assert!(driver.screen().contains("Nobody of"), "{}", driver.screen());
}

#[test]
fn a_cell_explains_itself_layer_by_layer() {
    let mut driver = matrix(120, 40);
    driver.keys("/ c i - r enter enter");
    let screen = driver.screen();
    for words in [
        "allowed by key policy /Statement/3 \"Legacy\"",
        "✓ key policy \"Legacy\"",
        "none of 2 gives it",
        "not in lineage",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    let marked: Vec<&str> = screen.lines().filter(|line| line.contains("▸ ")).collect();
    assert!(marked.iter().any(|line| line.contains("\"Sid\": \"Legacy\"")), "{marked:#?}");
    assert!(!marked.iter().any(|line| line.contains("\"Tuner\"") || line.contains("\"NoDelete\"")), "{marked:#?}");

    driver.keys("E");
    let screen = driver.screen();
    assert!(screen.contains("\"Legacy\""), "the editor opens at the statement: {screen}");

    let mut driver = matrix(120, 70);
    driver.keys("/ A p p enter enter");
    let screen = driver.screen();
    for words in [
        "kms:ViaService StringEquals bedrock.us-east-1",
        "leaves it to the account's own policies",
        "IAM AppPolicy if",
        "policy AppPolicy of App",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    // A Deny: what decides is the Deny.
    let mut driver = matrix(120, 40);
    driver.keys("/ r o o t enter l l l l l l enter");
    let screen = driver.screen();
    assert!(screen.contains("denied by key policy /Statement/4 \"NoDelete\""), "{screen}");
}

#[test]
fn a_boundary_is_told_apart_from_the_identity_policies() {
    let mut tuner = role("OrionTuner", Some(json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"})));
    let id: ResourceId = format!("arn:aws:iam::{ACCOUNT}:policy/Edge").into();
    tuner.boundary = Some(id.clone());
    let edge = iam::ManagedPolicy {
        arn: id,
        name: "Edge".into(),
        version: "v1".into(),
        document: Document::pretty(
            &json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]}),
        ),
    };
    let mut driver = at_key(120, 40);
    driver.receive([read(Items::Role(vec![tuner])), read(Items::Policy(vec![edge]))]);
    driver.keys("a / T u n e r enter enter");
    let screen = driver.screen();
    let line =
        |start: &str| screen.lines().find(|line| line.contains(start)).unwrap_or_else(|| panic!("{start}: {screen}"));
    assert!(line("boundary  ").contains("✓ Edge lets it through"), "{screen}");
    assert!(line("identity policies").contains("✓ IAM OrionTunerPolicy"), "{screen}");
    driver.keys("esc l l enter");
    let screen = driver.screen();
    let line =
        |start: &str| screen.lines().find(|line| line.contains(start)).unwrap_or_else(|| panic!("{start}: {screen}"));
    assert!(line("boundary  ").contains("· nothing in it allows this"), "{screen}");
}

#[test]
fn what_if_shows_who_would_gain_and_writes_nothing() {
    let mut driver = matrix(120, 40);
    driver.effects.clear();
    driver.keys("E");
    assert!(driver.screen().contains("nothing is written") && driver.screen().contains("Nothing is changed yet"));
    // The principal of the first statement becomes everybody.
    driver.keys("down down down down down down down home ctrl-k");
    driver.text("\"AWS\": \"*\"");
    let screen = driver.screen();
    assert!(screen.contains("+ GAIN   * (anyone, in any account)") && screen.contains("valid"), "{screen}");
    let (anyone, first) = (screen.find("* (anyone"), screen.find("+ GAIN"));
    assert!(anyone.zip(first).is_some_and(|(who, gain)| who > gain && who - gain < 12), "strangers first: {screen}");
    assert!(screen.contains("it gives access to everybody"), "what is to be said against it: {screen}");
    driver.text("x");
    let screen = driver.screen();
    assert!(screen.contains("if the last valid policy held") && screen.contains("not valid JSON"), "{screen}");
    driver.keys("esc");
    assert!(driver.model.overlay.is_none());
    assert!(driver.effects.iter().all(|effect| matches!(effect, Effect::Source(_))), "{:?}", driver.effects);
    let held = driver.model.inventory.keys[&key_arn("orion-chat")].policy.known().unwrap().clone();
    assert!(held.raw().contains(ACCOUNT), "the policy that is held is the one that was read");
}

#[test]
fn what_was_tried_goes_to_the_fix_dialog_as_it_is() {
    let mut driver = matrix(120, 40);
    driver.keys("E ctrl-s");
    let told = |driver: &Driver| driver.model.notice.clone().map(|notice| notice.text).unwrap_or_default();
    assert!(told(&driver).contains("not edited"), "{}", told(&driver));
    driver.keys("down down down down down down down home ctrl-k");
    driver.text("\"AWS\": \"x\"y");
    driver.keys("ctrl-s");
    assert!(told(&driver).contains("not valid"), "{}", told(&driver));
    assert!(matches!(driver.model.overlay, Some(Overlay::WhatIf(_))));
    driver.keys("home ctrl-k");
    driver.text("\"AWS\": \"arn:aws:iam::123456789012:role/KeyAdmins\"");
    assert!(driver.screen().contains("fix…"), "{}", driver.screen());
    driver.keys("ctrl-s");
    let Some(Overlay::Fix(dialog)) = &driver.model.overlay else { panic!("{}", driver.screen()) };
    let [plan] = dialog.plans.as_slice() else { panic!("{:?}", dialog.plans) };
    assert_eq!((plan.fix.as_str(), plan.target.clone()), ("FIX-03", of()));
    let written = plan.policy().unwrap().json().unwrap();
    let held = driver.model.inventory.keys[&key_arn("orion-chat")].policy.known().unwrap().json().unwrap();
    assert_eq!(written["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::123456789012:role/KeyAdmins");
    assert_eq!(written["Statement"][1], held["Statement"][1]);
    assert!(dialog.preview.is_ok(), "{:?}", dialog.preview);
    // Nothing is made here: this session only reads. Back is back to the editor, with what was written.
    driver.keys("A");
    assert!(!driver.effects.iter().any(|effect| matches!(effect, Effect::Apply(_))));
    driver.keys("esc");
    let Some(Overlay::WhatIf(what_if)) = &driver.model.overlay else { panic!("{}", driver.screen()) };
    assert!(what_if.is_edited());
    driver.keys("esc");
    assert!(driver.model.overlay.is_none());
}

#[test]
fn a_grant_is_taken_away_and_given_back() {
    let mut driver = matrix(120, 40);
    driver.keys("E tab space");
    let screen = driver.screen();
    assert!(screen.contains("- LOSE   Partner") && screen.contains("(1 off)"), "{screen}");
    assert!(screen.contains("CreateGrant Decrypt"), "{screen}");
    driver.keys("space");
    assert!(driver.screen().contains("Nothing is changed yet"), "{}", driver.screen());
    driver.keys("q");
    assert!(driver.model.overlay.is_none() && matches!(place(&driver), Some(Place::Access(_))));
}

#[test]
fn it_says_where_it_does_not_apply() {
    let mut driver = full(100, 30);
    for (keys, why) in [("3 a", "is run, not used"), ("7 G a", "nobody is let in to a")] {
        driver.keys(keys);
        let notice = driver.model.notice.clone().unwrap();
        assert!(notice.text.contains(why), "{keys}: {}", notice.text);
        assert!(!driver.screen().contains("a who can"));
    }
    driver.keys(":");
    driver.text("access vpc-cf2e");
    driver.keys("enter");
    assert!(driver.model.notice.clone().unwrap().text.contains("nobody is let in"), "{:?}", driver.model.notice);
    driver.keys(":");
    driver.text("access orion-shared");
    driver.keys("enter");
    assert_eq!(place(&driver), Some(Place::Access(ResourceRef::new(Kind::Key, key_arn("orion-shared")))));
}

#[test]
fn what_serves_a_model_is_asked_about_as_the_model() {
    let driver = full(100, 30);
    let ask = |kind, id: ResourceId| crate::tui::matrix::askable(&driver.model.inventory, &ResourceRef::new(kind, id));
    let model = Ok(ResourceRef::new(Kind::Model, model_arn("orion-chat")));
    assert_eq!(ask(Kind::Deployment, arn("bedrock", "custom-model-deployment/d1")), model);
    assert_eq!(ask(Kind::Throughput, arn("bedrock", "provisioned-model/p1")), model);
    assert_eq!(ask(Kind::Data, "s3://orion-train/chat".into()), Ok(ResourceRef::new(Kind::Bucket, "orion-train")));
}

#[test]
fn the_overlay_closes_when_another_session_begins() {
    let mut driver = matrix(100, 30);
    driver.keys("E");
    assert!(matches!(driver.model.overlay, Some(Overlay::WhatIf(_))));
    let mut next = session(Mode::ReadOnly);
    next.generation = crate::base::Generation(2);
    let message = FromSource::Session(next);
    driver.receive([crate::source::Envelope { generation: crate::base::Generation(2), at: now(), message }]);
    assert!(driver.model.overlay.is_none());
}
