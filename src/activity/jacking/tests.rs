//! What looks like stolen credentials, and what does not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

/// One call: hours before now, name, who, address, error.
fn call(hours: i64, name: &str, who: &str, from: &str, error: Option<&str>) -> Event {
    let source = if name.contains("Agreement") && !name.contains("Foundation") { "aws-marketplace" } else { "bedrock" };
    let at = Timestamp::from_secs(NOW - hours * 3600);
    let mut record = json!({
        "eventID": format!("{hours}-{name}-{who}-{from}"), "eventTime": at.to_string(),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "sourceIPAddress": from,
        "userIdentity": {"arn": format!("arn:aws:iam::123456789012:role/{who}"), "userName": who},
    });
    if let Some(error) = error {
        record["errorCode"] = error.into();
    }
    Event::from_record(record).unwrap()
}

fn signs(events: &[Event]) -> Vec<(Sign, String)> {
    let mut watch = Watch::default();
    watch.take(events);
    let found = watch.spotted(Timestamp::from_secs(NOW), None);
    found.into_iter().map(|one| (one.sign, one.who.to_string())).collect()
}

const OUTSIDE: &str = "198.51.100.7";

#[test]
fn many_kinds_of_calls() {
    let spree = |names: &[&str], hours| -> Vec<Event> {
        names.iter().map(|name| call(hours, name, "thief", "10.0.0.1", Some("ValidationException"))).collect()
    };
    assert!(signs(&spree(&KNOWN[..5], 1)).is_empty());
    assert_eq!(signs(&spree(&KNOWN[..6], 1)), [(Sign::ManyKinds, "thief".to_owned())]);
    assert_eq!(signs(&spree(&KNOWN[8..], 1)), [(Sign::ManyKinds, "thief".to_owned())]);
    assert!(signs(&spree(&KNOWN[..6], 25)).is_empty(), "yesterday's");
    let both = [&KNOWN[4..7], MORE].concat();
    assert!(signs(&spree(&both[..8], 1)).is_empty());
    assert_eq!(signs(&spree(&both, 1)), [(Sign::ManyKinds, "thief".to_owned())]);
    // Two streams are one kind.
    let twice = [&KNOWN[4..7], &MORE[..5], &["ConverseStream"][..]].concat();
    assert!(signs(&spree(&twice, 1)).is_empty());
    // Three people are no thief.
    let shared: Vec<Event> = KNOWN[..6]
        .iter()
        .zip(["a", "b", "c"].into_iter().cycle())
        .map(|(name, who)| call(1, name, who, "10.0.0.1", Some("x")))
        .collect();
    assert!(signs(&shared).is_empty());
}

#[test]
fn bursts_of_refusals() {
    let refused = |count: i64, apart: i64| -> Vec<Event> {
        let one = |n| {
            call(1, "GetCustomModel", "probe", OUTSIDE, Some("AccessDeniedException"))
                .moved_to(Timestamp::from_secs(NOW - 7000 + n * apart))
        };
        (0..count).map(|n| Event { id: format!("e{n}").into(), ..one(n) }).collect()
    };
    assert!(signs(&refused(9, 1)).is_empty());
    assert_eq!(signs(&refused(10, 60)), [(Sign::Denials, "probe".to_owned())]);
    assert!(signs(&refused(30, 70)).is_empty(), "spread out");
    let mut watch = Watch::default();
    watch.take(&refused(12, 60));
    let burst = watch.spotted(Timestamp::from_secs(NOW), None).remove(0);
    assert_eq!((burst.count, burst.last.secs_since(burst.first)), (11, 600));
}

#[test]
fn what_was_never_seen_before() {
    let train = |hours, who, from| call(hours, "CreateModelCustomizationJob", who, from, None);
    let old = call(9 * 24, "ListFoundationModels", "somebody", "10.0.0.1", None);
    let short = call(30, "ListFoundationModels", "somebody", "10.0.0.1", None);
    for (what, events, expected) in [
        ("a week of history", vec![old.clone(), train(1, "new", "10.0.0.9")], Some(Sign::NewPrincipal)),
        ("a day of history", vec![short.clone(), train(1, "new", "10.0.0.9")], Some(Sign::PerhapsNew)),
        ("done before", vec![old.clone(), train(100, "old", "10.0.0.9"), train(1, "old", "10.0.0.8")], None),
        ("done before, lately", vec![short, train(26, "old", "10.0.0.9"), train(1, "old", "10.0.0.9")], None),
        (
            "from outside, first",
            vec![old.clone(), train(100, "old", "10.0.0.9"), train(1, "old", OUTSIDE)],
            Some(Sign::NewAddress),
        ),
        ("from outside, again", vec![old.clone(), train(100, "old", OUTSIDE), train(1, "old", OUTSIDE)], None),
        ("by a service", vec![old.clone(), train(100, "old", OUTSIDE), train(1, "old", "bedrock.amazonaws.com")], None),
        (
            "refused",
            vec![old.clone(), call(1, "CreateModelCustomizationJob", "new", OUTSIDE, Some("AccessDenied"))],
            None,
        ),
        ("no change", vec![old, call(1, "InvokeModel", "new", OUTSIDE, None)], None),
    ] {
        let found: Vec<Sign> = signs(&events).into_iter().map(|(sign, _)| sign).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{what}");
    }
}

#[test]
fn who_changed_things_before_the_events_that_are_here() {
    let train = |hours, who, from| call(hours, "CreateModelCustomizationJob", who, from, None);
    let ago = |days: i64| Timestamp::from_secs(NOW - days * 86_400);
    let history = |days, events: &[Event]| ChangeHistory { since: ago(days), until: ago(1), makers: makers(events) };
    let refused = call(100, "CreateCustomModel", "old", OUTSIDE, Some("AccessDenied"));
    for (what, history, now, expected) in [
        ("nobody", history(90, &[]), train(1, "new", "10.0.0.9"), Some(Sign::NewPrincipal)),
        ("nobody, in three days", history(3, &[]), train(1, "new", "10.0.0.9"), Some(Sign::PerhapsNew)),
        ("another", history(90, &[train(800, "old", OUTSIDE)]), train(1, "new", OUTSIDE), Some(Sign::NewPrincipal)),
        ("who was refused", history(90, &[refused]), train(1, "old", OUTSIDE), Some(Sign::NewPrincipal)),
        ("the same", history(90, &[train(800, "old", OUTSIDE)]), train(1, "old", OUTSIDE), None),
        ("the same, a month later", history(3, &[train(60, "old", OUTSIDE)]), train(1, "old", OUTSIDE), None),
        (
            "from elsewhere",
            history(90, &[train(800, "old", "203.0.113.9")]),
            train(1, "old", OUTSIDE),
            Some(Sign::NewAddress),
        ),
    ] {
        let mut watch = Watch::default();
        watch.take(&[now]);
        let found: Vec<Sign> =
            watch.spotted(Timestamp::from_secs(NOW), Some(&history)).into_iter().map(|one| one.sign).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{what}");
        // What was let go in between may have been a change.
        watch.floor = Some(Timestamp::from_secs(NOW - 7200));
        watch.since = watch.floor;
        let blind = watch.spotted(Timestamp::from_secs(NOW), Some(&history));
        assert_eq!(blind.first().map(|one| one.sign), Some(Sign::PerhapsNew), "{what}");
    }
}

#[test]
fn through_an_endpoint_is_not_from_outside() {
    let mut inside = call(1, "CreateCustomModel", "x", OUTSIDE, None);
    assert!(Call::of(&inside).public);
    inside.record["vpcEndpointId"] = "vpce-1".into();
    assert!(!Call::of(&inside).public);
    for (address, public) in
        [("10.1.2.3", false), ("100.64.0.1", false), ("fd00::1", false), ("2001:db8::1", true), ("AWS Internal", false)]
    {
        assert_eq!(Call::of(&call(1, "InvokeModel", "x", address, None)).public, public, "{address}");
    }
}

#[test]
fn what_is_ours_and_what_is_elsewhere_does_not_count() {
    let mut ours = call(1, "CreateCustomModel", "x", OUTSIDE, None);
    ours.record["userAgent"] = "aws-sdk-rust app/bedwatch".into();
    let mut other = call(1, "InvokeModel", "x", OUTSIDE, None);
    other.source = "lambda".into();
    let mut watch = Watch::default();
    assert!(!watch.take(&[ours, other]));
    assert_eq!((watch.looked_at(), watch.spotted(Timestamp::from_secs(NOW), None).len()), (2, 0));
    let real = [call(1, "InvokeModel", "x", OUTSIDE, None)];
    assert!(watch.take(&real) && !watch.take(&real), "each counts once");
}

#[test]
fn memory_is_bounded_and_says_since_when() {
    let mut watch = Watch::default();
    let event = call(1, "InvokeModel", "x", OUTSIDE, None);
    let many = (0..=i64::try_from(KEPT).unwrap())
        .map(|n| Event { id: format!("e{n}").into(), at: Timestamp::from_secs(NOW - n), ..event.clone() })
        .collect::<Vec<_>>();
    watch.take(&many);
    assert_eq!(watch.calls.len(), KEPT / 2);
    assert_eq!(watch.since(), Some(Timestamp::from_secs(NOW - i64::try_from(KEPT / 2).unwrap())));
}

proptest! {
    #[test]
    fn order_does_not_matter(picks in proptest::collection::vec((0..60i64, 0..20usize, 0..3usize, any::<bool>()), 0..60), turn in 0..60usize) {
        let names = [KNOWN, MORE].concat();
        let mut events: Vec<Event> = picks.iter().map(|(hours, name, who, denied)| {
            call(*hours, names[*name], ["a", "b", "c"][*who], OUTSIDE, denied.then_some("AccessDenied"))
        }).collect();
        // The same id is the same event: keep one of each.
        let mut seen = BTreeSet::new();
        events.retain(|event| seen.insert(event.id.clone()));
        let mut turned = events.clone();
        if !turned.is_empty() {
            let by = turn % turned.len();
            turned.rotate_left(by);
        }
        prop_assert_eq!(signs(&events), signs(&turned));
    }
}
