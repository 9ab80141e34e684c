//! Mutes: what they match, when they end, what they never touch.

use super::*;
use crate::inventory::SourceId;
use crate::inventory::kms::Rotation;
use crate::posture::assess;
use crate::posture::fixtures::{KEY, deny, got, healthy, with_context};

const NOW: i64 = 1_800_000_000;

fn place() -> Place<'static> {
    Place { account: "123456789012", region: "us-east-1", now: Timestamp::from_secs(NOW) }
}

/// A key without rotation: one finding, CUS-KMS-04 on [`KEY`].
fn rotten() -> Inventory {
    let mut inventory = healthy();
    let off = Rotation { enabled: false, period_days: None, next: None };
    inventory.keys.get_mut(KEY).unwrap().rotation = got(off);
    inventory
}

fn muted(yaml: &str) -> (Status, Option<Muted>, MuteReport) {
    let inventory = rotten();
    let mut assessment = with_context(&inventory, assess);
    let report = Mutes::parse(yaml).unwrap().apply(&mut assessment, &inventory, &place());
    let mut on_key =
        assessment.verdicts.into_iter().filter(|v| v.control == "CUS-KMS-04" && v.resource.id.as_str() == KEY);
    let verdict = on_key.next().unwrap();
    (verdict.status, verdict.muted.map(|muted| *muted), report)
}

fn entry(account: &str, check: &str, rest: &str) -> String {
    let rest = rest.lines().map(|line| format!("          {line}")).collect::<Vec<_>>().join("\n");
    format!("Mutelist:\n  Accounts:\n    \"{account}\":\n      Checks:\n        \"{check}\":\n{rest}\n")
}

const ALL: &str = "Regions: [\"*\"]\nResources: [\"*\"]";

#[test]
fn what_a_mute_matches() {
    for (what, yaml, status) in [
        ("everything", entry("*", "*", ALL), Status::Muted),
        ("its account", entry("123456789012", "CUS-KMS-04", ALL), Status::Muted),
        ("another account", entry("999999999999", "CUS-KMS-04", ALL), Status::Fail),
        ("a glob, any case", entry("*", "cus-kms-*", ALL), Status::Muted),
        ("another area", entry("*", "CUS-IAM-*", ALL), Status::Fail),
        ("another region", entry("*", "*", "Regions: [\"eu-west-1\"]\nResources: [\"*\"]"), Status::Fail),
        ("part of the ARN", entry("*", "*", "Regions: [\"us-east-1\"]\nResources: [\"arn:aws:kms\"]"), Status::Muted),
        ("another resource", entry("*", "*", "Regions: [\"*\"]\nResources: [\"^other$\"]"), Status::Fail),
        ("a tag it has not", entry("*", "*", &format!("{ALL}\nTags: [\"env=dev\"]")), Status::Fail),
        ("an exception", entry("*", "*", &format!("{ALL}\nExceptions:\n  Regions: [\"us-east-1\"]")), Status::Fail),
        (
            "an exception of which only a part matches",
            entry("*", "*", &format!("{ALL}\nExceptions:\n  Regions: [\"us-east-1\"]\n  Resources: [\"^other$\"]")),
            Status::Muted,
        ),
    ] {
        assert_eq!(muted(&yaml).0, status, "{what}");
    }
}

#[test]
fn a_mute_says_who_and_until_when_and_ends() {
    let about = "\nDescription: accepted until the move\nOwner: anna\nTicket: SEC-12\nExpires: ";
    let (status, held, report) = muted(&entry("*", "CUS-KMS-04", &format!("{ALL}{about}2027-01-15")));
    let held = held.unwrap();
    assert_eq!((status, held.was), (Status::Muted, Status::Fail));
    assert_eq!(held.owner.as_ref().map(Text::as_str), Some("anna"));
    assert_eq!(held.expires.unwrap().to_string(), "2027-01-16T00:00:00Z");
    assert_eq!(report, MuteReport::default());
    // NOW is 2027-01-15T08:00:00Z.
    let (status, held, report) = muted(&entry("*", "CUS-KMS-04", &format!("{ALL}{about}2027-01-14")));
    assert_eq!((status, held), (Status::Fail, None));
    assert_eq!(report.expired, ["CUS-KMS-04 in account *, SEC-12, anna"]);
}

#[test]
fn a_mute_that_matches_nothing_is_told() {
    let (_, _, report) = muted(&entry("*", "CUS-IAM-01", ALL));
    assert_eq!(report.unmatched, ["CUS-IAM-01 in account *"]);
    assert_eq!(muted(&entry("999999999999", "CUS-IAM-01", ALL)).2, MuteReport::default(), "not this account's");
}

#[test]
fn what_takes_a_deep_look_is_not_told_unused_by_another() {
    let unmatched = |inventory: &Inventory, check: &str| {
        let mut assessment = with_context(inventory, assess);
        Mutes::parse(&entry("*", check, ALL)).unwrap().apply(&mut assessment, inventory, &place()).unmatched.len()
    };
    let shallow = crate::posture::fixtures::shallow(healthy());
    for (check, in_depth, otherwise) in [
        ("CUS-DAT-09", 1, 0),
        ("cus-imp-03", 1, 0),
        ("CUS-DET-08", 1, 0),
        ("CUS-KMS-04", 1, 1),
        ("CUS-DAT-*", 1, 1),
        ("CUS-NONE-01", 1, 1),
    ] {
        assert_eq!((unmatched(&healthy(), check), unmatched(&shallow, check)), (in_depth, otherwise), "{check}");
    }
}

#[test]
fn unknown_is_never_muted() {
    let mut inventory = healthy();
    deny(&mut inventory, SourceId::ROTATION);
    let mut assessment = with_context(&inventory, assess);
    let before = assessment.count(Status::Unknown);
    Mutes::parse(&entry("*", "*", ALL)).unwrap().apply(&mut assessment, &inventory, &place());
    assert!(before > 0);
    assert_eq!(assessment.count(Status::Unknown), before);
}

#[test]
fn a_wrong_file_says_where() {
    for (yaml, words) in [
        ("Mutelist: [", &[][..]),
        ("{}", &["Mutelist"]),
        (&entry("*", "CUS-KMS-04", &format!("{ALL}\nExpire: 2027-01-01")), &["Expire"]),
        (&entry("*", "CUS-KMS-04", &format!("{ALL}\nExpires: soon")), &["CUS-KMS-04", "soon", "2026-12-31"]),
        (&entry("*", "CUS-KMS-04", "Regions: [\"*\"]\nResources: [\"(\"]"), &["CUS-KMS-04", "Resources", "("]),
    ] {
        let error = Mutes::parse(yaml).unwrap_err().to_string();
        assert!(!error.is_empty() && words.iter().all(|word| error.contains(word)), "{yaml}: {error}");
    }
}

#[test]
fn globs() {
    for (pattern, text, yes) in [
        ("*", "CUS-KMS-04", true),
        ("CUS-*-04", "CUS-KMS-04", true),
        ("CUS-KMS-04", "CUS-KMS-04", true),
        ("CUS-KMS-0", "CUS-KMS-04", false),
        ("*04", "CUS-KMS-04", true),
        ("*KMS*4*", "CUS-KMS-04", true),
        ("*5", "CUS-KMS-04", false),
        ("", "", true),
    ] {
        assert_eq!(glob(pattern, text), yes, "{pattern}");
    }
}
