//! DET-05, 06, 07, 09 and 10: what watchers cover and what they have found.

use crate::activity::Event;
use crate::inventory::changes::ChangeHistory;
use crate::inventory::guardduty::ThreatDetail;
use crate::inventory::{Inventory, Read};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::detection::*;
use crate::posture::fixtures::guardrails::{CONFIG, GUARDRAIL};
use crate::posture::fixtures::*;

const HERE: &str = "us-east-1";

#[test]
pub fn detectors_of_guardduty() {
    let c = "CUS-DET-05";
    let features = |i: &mut Inventory, name: &str, state: Option<&str>| {
        let detail = i.detectors.get_mut(DETECTOR).unwrap().detail.known_mut().unwrap();
        match state {
            Some(state) => detail.features.insert(name.into(), state.into()),
            None => detail.features.remove(&crate::base::Text::new(name)),
        };
    };
    expect(c, "all on", |_| {}, &[(HERE, Pass, "ok")]);
    expect(c, "no detector", |i| i.detectors.clear(), &[(HERE, Fail, "no-detector")]);
    expect(
        c,
        "off",
        |i| i.detectors.get_mut(DETECTOR).unwrap().detail.known_mut().unwrap().status = "DISABLED".into(),
        &[(HERE, Fail, "detector-off")],
    );
    expect(c, "S3 off", |i| features(i, "S3_DATA_EVENTS", Some("DISABLED")), &[(HERE, Fail, "s3-protection-off")]);
    expect(c, "S3 not listed", |i| features(i, "S3_DATA_EVENTS", None), &[(HERE, Fail, "s3-protection-off")]);
    expect(c, "AI off", |i| features(i, "AI_PROTECTION", Some("DISABLED")), &[(HERE, Fail, "ai-protection-off")]);
    expect(c, "AI not listed", |i| features(i, "AI_PROTECTION", None), &[(HERE, Warn, "ai-protection-missing")]);
    expect(
        c,
        "AI by its channel",
        |i| {
            features(i, "AI_PROTECTION", None);
            i.channels.values_mut().for_each(|channel| channel.name = "aws-service-channel/guardduty/ai".into());
        },
        &[(HERE, Pass, "ok")],
    );
    expect(
        c,
        "both off",
        |i| {
            features(i, "AI_PROTECTION", Some("DISABLED"));
            features(i, "S3_DATA_EVENTS", None);
        },
        &[(HERE, Fail, "ai-protection-off"), (HERE, Fail, "s3-protection-off")],
    );
    expect(
        c,
        "not read",
        |i| i.detectors.get_mut(DETECTOR).unwrap().detail = Read::NotAsked,
        &[(HERE, Unknown, "unread")],
    );
    expect(c, "nothing customized", nothing_customized, &[(HERE, NotApplicable, "not-applicable")]);
}

#[test]
pub fn threats_of_guardduty() {
    let c = "CUS-DET-06";
    let set = |kind: &'static str, buckets: &'static [&'static str], who: Option<&'static str>| {
        move |i: &mut Inventory| {
            i.threats.insert(THREAT.into(), threat(kind, buckets, who));
        }
    };
    expect(c, "one about another bucket", |_| {}, &[(HERE, Pass, "ok")]);
    expect(c, "none", |i| i.threats.clear(), &[(HERE, Pass, "ok")]);
    expect(
        c,
        "the use of Bedrock, by whomever",
        set("Impact:IAMUser/CostHarvesting", &[], Some("stranger")),
        &[(HERE, Fail, "touches-bedrock")],
    );
    expect(
        c,
        "the use of Bedrock, by a role of ours",
        set("Impact:IAMUser/AnomalousModelInvocation", &[], Some("App")),
        &[("App", Fail, "touches-bedrock")],
    );
    expect(
        c,
        "a job's bucket",
        set("Object:S3/MaliciousFile", &["other", "train"], None),
        &[("train", Fail, "touches-bucket")],
    );
    expect(
        c,
        "every bucket",
        set("Policy:S3/AccountBlockPublicAccessDisabled", &[], Some("admin")),
        &[(HERE, Fail, "touches-bucket")],
    );
    expect(
        c,
        "a job's role elsewhere",
        set("Exfiltration:S3/MaliciousIPCaller", &["other"], Some("Tuner")),
        &[("Tuner", Fail, "touches-role")],
    );
    expect(
        c,
        "another role elsewhere",
        set("Exfiltration:S3/MaliciousIPCaller", &["other"], Some("x")),
        &[(HERE, Pass, "ok")],
    );
    expect(c, "not read", |i| i.threats.get_mut(THREAT).unwrap().detail = Read::NotAsked, &[(HERE, Unknown, "unread")]);
    expect(c, "GuardDuty off", |i| i.detectors.clear(), &[(HERE, NotApplicable, "not-applicable")]);
    for (severity, graded) in
        [(9.5, Severity::Critical), (7.0, Severity::High), (4.0, Severity::Medium), (3.9, Severity::Low)]
    {
        let mut i = healthy();
        set("Object:S3/MaliciousFile", &["train"], None)(&mut i);
        let detail: &mut ThreatDetail = i.threats.get_mut(THREAT).unwrap().detail.known_mut().unwrap();
        detail.severity = severity;
        assert_eq!(verdicts(&i, c)[0].severity, graded);
    }
}

#[test]
pub fn alarms_on_interventions() {
    let c = "CUS-DET-07";
    let dimension = |i: &mut Inventory, name: &str, value: &str| {
        i.alarms.get_mut(GUARD_ALARM).unwrap().metrics[0].dimensions.insert(name.into(), value.into());
    };
    expect(c, "for all guardrails", |_| {}, &[("gr1", Pass, "ok")]);
    expect(
        c,
        "for this one",
        |i| {
            dimension(i, "GuardrailArn", GUARDRAIL);
            dimension(i, "GuardrailVersion", "2");
        },
        &[("gr1", Pass, "ok")],
    );
    expect(c, "for another version", |i| dimension(i, "GuardrailVersion", "1"), &[("gr1", Fail, "no-alarm")]);
    expect(c, "for another guardrail", |i| dimension(i, "GuardrailArn", "arn:x"), &[("gr1", Fail, "no-alarm")]);
    expect(c, "for one policy", |i| dimension(i, "GuardrailPolicyType", "ContentPolicy"), &[("gr1", Pass, "ok")]);
    expect(c, "none", |i| i.alarms.clear(), &[("gr1", Fail, "no-alarm")]);
    expect(
        c,
        "one that acts on nothing",
        |i| i.alarms.get_mut(GUARD_ALARM).unwrap().enabled = false,
        &[("gr1", Fail, "tells-nobody")],
    );
    expect(
        c,
        "no guardrail",
        |i| {
            i.guardrails.clear();
            i.guardrail_versions.clear();
            i.enforced_guardrails.clear();
        },
        &[(HERE, NotApplicable, "not-applicable")],
    );
    expect(
        c,
        "none enforced: the newest",
        |i| {
            i.enforced_guardrails.remove(&id(CONFIG));
        },
        &[("gr1", Pass, "ok")],
    );
    expect(
        c,
        "a draft alone",
        |i| {
            i.enforced_guardrails.clear();
            i.guardrail_versions.clear();
            dimension(i, "GuardrailVersion", "2");
        },
        &[("gr1", Fail, "no-alarm")],
    );
}

#[test]
pub fn signs_of_jacking() {
    let c = "CUS-DET-09";
    let said = |events: &[Event]| -> Vec<(String, crate::posture::Status, &'static str)> {
        let watch = watched(events);
        let all = verdicts_after(&healthy(), Some(&watch), c);
        assert!(all.iter().all(|v| !v.evidence.is_empty() && !v.reason.is_empty()));
        all.into_iter().map(|v| (v.resource.id.last().to_owned(), v.status, v.code)).collect()
    };
    let one = |id: &str, status, code| vec![(id.to_owned(), status, code)];
    expect(c, "an ordinary day", |_| {}, &[(HERE, Pass, "ok")]);
    assert_eq!(said(&[]), one(HERE, Pass, "ok"), "nothing happened at all");
    let kinds = [
        "PutUseCaseForModelAccess",
        "GetUseCaseForModelAccess",
        "ListFoundationModels",
        "InvokeModel",
        "GetFoundationModelAvailability",
        "ListProvisionedModelThroughputs",
    ];
    let spree: Vec<Event> = kinds.iter().map(|name| event(2, name, "App", "10.0.0.6", Some("x"))).collect();
    assert_eq!(said(&spree), one("App", Fail, "many-kinds-of-calls"));
    let refused: Vec<Event> = (0..10)
        .map(|n| Event {
            id: format!("e{n}").into(),
            ..event(2, "GetCustomModel", "App", "10.0.0.6", Some("AccessDenied"))
        })
        .collect();
    assert_eq!(said(&refused), one("App", Fail, "denial-burst"));
    let old = event(240, "ListFoundationModels", "App", "10.0.0.6", None);
    let train = |hours, from| event(hours, "CreateModelCustomizationJob", "New", from, None);
    assert_eq!(said(&[old.clone(), train(2, "10.0.0.9")]), one("New", Warn, "first-seen-principal"));
    assert_eq!(said(&[old, train(100, "10.0.0.9"), train(2, "198.51.100.7")]), one("New", Warn, "first-seen-address"));
    assert_eq!(said(&[train(2, "10.0.0.9")]), one("New", Unknown, "history-too-short"));
    let mut foreign = train(2, "10.0.0.9");
    foreign.principal = Some("arn:aws:iam::999999999999:role/New".into());
    assert_eq!(said(&[foreign]), one(HERE, Unknown, "history-too-short"));
    // With 90 days of changes looked up, the same is new, or it is not.
    let looked_up = |events: &[Event]| {
        let mut inventory = healthy();
        let (since, until) = (now().plus_secs(-90 * 86_400), now().plus_secs(-86_400));
        inventory.settings.changes =
            got(ChangeHistory { since, until, makers: crate::activity::jacking::makers(events) });
        let said = verdicts_after(&inventory, Some(&watched(&[train(2, "10.0.0.9")])), c);
        said.into_iter().map(|v| (v.resource.id.last().to_owned(), v.status, v.code)).collect::<Vec<_>>()
    };
    assert_eq!(looked_up(&[]), one("New", Warn, "first-seen-principal"));
    assert_eq!(looked_up(&[train(900, "10.0.0.9")]), one(HERE, Pass, "ok"));
    let mut refused = healthy();
    refused.settings.changes = Read::failed(error("cloudtrail:LookupEvents"));
    let why = verdicts_after(&refused, Some(&watched(&[train(2, "10.0.0.9")])), c).remove(0);
    assert!(why.status == Unknown && why.reason.as_str().contains("cloudtrail:LookupEvents denied"), "{}", why.reason);
    // Nobody read the history.
    let unread = verdicts_after(&healthy(), None, c);
    assert_eq!((unread.len(), unread[0].status, unread[0].reason.as_str()), (1, Unknown, "event history not read yet"));
    // An idle region has nothing to steal, but who tries is told.
    let mut quiet = healthy();
    nothing_customized(&mut quiet);
    assert_eq!(verdicts_after(&quiet, Some(&routine()), c)[0].status, NotApplicable);
    assert_eq!(verdicts_after(&quiet, None, c)[0].status, NotApplicable);
    assert_eq!(verdicts_after(&quiet, Some(&watched(&spree)), c)[0].status, Fail);
}

#[test]
pub fn findings_of_access_analyzer() {
    let c = "CUS-DET-10";
    let set = |kind: &'static str, resource: &'static str, account: &'static str| {
        move |i: &mut Inventory| {
            i.analyzer_findings.insert(FINDING.into(), finding(kind, resource, account));
        }
    };
    let outside = |name, code| [(name, Fail, code)];
    expect(c, "a trusted account", |_| {}, &[("Tuner", Pass, "ok")]);
    expect(c, "no finding", |i| i.analyzer_findings.clear(), &[(HERE, Pass, "ok")]);
    expect(
        c,
        "a role, by a stranger",
        set("AWS::IAM::Role", TUNER, "444455556666"),
        &outside("Tuner", "external-access"),
    );
    expect(
        c,
        "by a stranger's role",
        set("AWS::IAM::Role", TUNER, "arn:aws:iam::444455556666:role/x"),
        &outside("Tuner", "external-access"),
    );
    expect(
        c,
        "by a trusted role",
        set("AWS::IAM::Role", TUNER, "arn:aws:iam::777777777777:role/x"),
        &[("Tuner", Pass, "ok")],
    );
    expect(
        c,
        "a bucket, by everybody",
        set("AWS::S3::Bucket", "arn:aws:s3:::train", "*"),
        &outside("train", "public-access"),
    );
    expect(c, "a key", set("AWS::KMS::Key", KEY, "444455556666"), &outside("k1", "external-access"));
    expect(c, "a bucket of others", set("AWS::S3::Bucket", "arn:aws:s3:::payroll", "*"), &[(HERE, Pass, "ok")]);
    expect(c, "no kind we know", set("AWS::SQS::Queue", "arn:aws:sqs:us-east-1:1:q", "*"), &[(HERE, Pass, "ok")]);
    expect(c, "no analyzer", |i| i.analyzers.clear(), &[("Tuner", Pass, "ok"), (HERE, Fail, "no-analyzer")]);
    expect(
        c,
        "one for unused access",
        |i| i.analyzers.get_mut(ANALYZER).unwrap().kind = "ACCOUNT_UNUSED_ACCESS".into(),
        &[("Tuner", Pass, "ok"), (HERE, Fail, "no-analyzer")],
    );
    expect(
        c,
        "not read",
        |i| i.analyzer_findings.get_mut(FINDING).unwrap().detail = Read::NotAsked,
        &[("Tuner", Unknown, "unread")],
    );
    expect(c, "nothing customized", nothing_customized, &[(HERE, NotApplicable, "not-applicable")]);
    let mut public = healthy();
    set("AWS::S3::Bucket", "arn:aws:s3:::train", "*")(&mut public);
    let said = verdicts(&public, c).remove(0);
    assert_eq!((said.severity, said.id.as_str()), (Severity::Critical, "CUS-DET-10/train/f1"));
    assert_eq!((said.evidence[0].label.as_str(), said.evidence[0].value.as_str()), ("id", FINDING));
}
