//! Tables for the controls of data: pass, every way to fail, unknown, not applicable.

use serde_json::{Value, json};

use super::{Use, buckets};
use crate::base::{ResourceId, Timestamp};
use crate::inventory::bedrock::{ImportJob, ImportJobDetail, InvocationLogs, JobDetail, JobStatus, S3Uri};
use crate::inventory::guardrails::{EnforcedGuardrail, Guarding, GuardrailDetail, GuardrailVersion, SensitiveFilter};
use crate::inventory::macie::{ClassificationJob, MacieSession, SensitiveDetail, SensitiveFinding};
use crate::inventory::s3::{Encryption, LifecycleRule, Versioning};
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{self, Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[
    keys_of_buckets,
    strangers,
    transport,
    versions,
    whose_buckets,
    macie_looks,
    malware_plans,
    logs_that_are_learned_from,
];

type Spoil = Box<dyn FnOnce(&mut Inventory)>;

fn on(name: &'static str, change: impl FnOnce(&mut crate::inventory::s3::Bucket) + 'static) -> Spoil {
    Box::new(move |i| change(bucket(i, name)))
}

fn uri(text: &str) -> S3Uri {
    S3Uri::parse(text).unwrap()
}

const IMPORT: &str = "arn:aws:bedrock:us-east-1:123456789012:model-import-job/imp1";

fn import_from(i: &mut Inventory, source: &str) {
    let detail = ImportJobDetail {
        role: "arn:aws:iam::123456789012:role/Importer".into(),
        data: Some(uri(source)),
        kms_key: None,
        vpc: None,
        failure: None,
    };
    let job = ImportJob {
        arn: IMPORT.into(),
        name: "imp1".into(),
        status: JobStatus::Completed,
        imported_model: None,
        imported_model_name: "m".into(),
        created: now(),
        ended: None,
        detail: got(detail),
        tags: Read::NotAsked,
    };
    i.import_jobs.insert(IMPORT.into(), job);
}

#[test]
fn every_use_of_a_bucket_is_found_once() {
    let mut inventory = healthy();
    no_import(&mut inventory);
    let change: &mut JobDetail = detail(&mut inventory);
    change.validation = vec![uri("s3://train/val/"), uri("s3://val/x")];
    change.output = Some(uri("s3://out/o"));
    import_from(&mut inventory, "s3://models/m/");
    log_settings(&mut inventory).cloud_watch.as_mut().unwrap().large_data = Some(uri("s3://large/big"));
    let found = with_context(&inventory, |context| {
        let found = buckets(context).into_values();
        found
            .map(|used| (used.name.to_string(), used.words(), used.users.len(), used.service_roles.len()))
            .collect::<Vec<_>>()
    });
    let expected = [
        ("large", "invocation-log", 1, 0),
        ("logs", "invocation-log", 1, 0),
        ("models", "import", 1, 1),
        ("out", "output", 1, 1),
        ("train", "train, validation", 1, 1),
        ("val", "validation", 1, 1),
    ];
    let expected = expected.map(|(name, words, users, roles)| (name.to_owned(), words.to_owned(), users, roles));
    assert_eq!(found, expected);
    assert_eq!(Use::ALL.len(), 5);
    // A bucket that lineage names and nobody read is unknown to every control on it.
    for control in ["CUS-DAT-01", "CUS-DAT-03", "CUS-DAT-04", "CUS-DAT-06"] {
        let said = says(&inventory, control);
        let large: Vec<_> = said.iter().filter(|(name, ..)| name == "large").collect();
        assert_eq!(large, [&("large".to_owned(), Unknown, "unread")], "{control}");
    }
}

#[test]
fn keys_of_buckets() {
    let c = "CUS-DAT-01";
    let both = |code: &'static str, status: Status| [("logs", Pass, "ok"), ("train", status, code)];
    let with = |algorithm: &str, key: Option<&str>| {
        let encryption =
            Encryption { algorithm: algorithm.into(), kms_key: key.map(ResourceId::new), bucket_key: false };
        on(TRAIN, move |b| b.encryption = got(encryption))
    };
    expect(c, "a customer key", |_| {}, &both("ok", Pass));
    expect(c, "twice encrypted", with("aws:kms:dsse", Some(KEY)), &both("ok", Pass));
    expect(c, "SSE-S3", with("AES256", None), &both("no-kms", Fail));
    expect(c, "nothing configured", with("none", None), &both("no-kms", Fail));
    expect(c, "no key named", with("aws:kms", None), &both("aws-managed-key", Fail));
    for alias in ["alias/aws/s3", "arn:aws:kms:us-east-1:123456789012:alias/aws/s3"] {
        expect(c, alias, with("aws:kms", Some(alias)), &both("aws-managed-key", Fail));
    }
    let all = [("logs", Fail, "aws-managed-key"), ("train", Fail, "aws-managed-key")];
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), &all);
    expect(c, "a key nobody knows", with("aws:kms", Some("alias/other")), &both("unread", Unknown));
    expect(c, "unread", on(TRAIN, |b| b.encryption = Read::NotAsked), &both("unread", Unknown));
    let place = |bucket: crate::inventory::s3::Bucket| {
        move |i: &mut Inventory| {
            i.buckets.insert(TRAIN.into(), bucket);
        }
    };
    expect(c, "of others", place(foreign_bucket(TRAIN)), &both("foreign-bucket", Unknown));
    expect(c, "gone", place(gone_bucket(TRAIN)), &both("not-applicable", NotApplicable));
    let used = |i: &mut Inventory| {
        no_import(i);
        detail(i).output = Some(uri("s3://train/out"));
    };
    expect(c, "one finding for two uses", used, &both("ok", Pass));
    let mut inventory = healthy();
    used(&mut inventory);
    let verdict = verdicts(&inventory, c).remove(1);
    assert_eq!(verdict.evidence[0].value.as_str(), "train, output");
}

#[test]
fn strangers() {
    let c = "CUS-DAT-03";
    let both = |code: &'static str| [("logs", Pass, "ok"), ("train", Fail, code)];
    expect(c, "closed", |_| {}, &[("logs", Pass, "ok"), ("train", Pass, "ok")]);
    expect(c, "public", on(TRAIN, |b| b.policy_public = got(true)), &both("public-policy"));
    expect(c, "ACLs never switched off", on(TRAIN, |b| b.ownership = got(None)), &both("acls-on"));
    expect(c, "ACLs on", on(TRAIN, |b| b.ownership = got(Some("ObjectWriter".into()))), &both("acls-on"));
    let open = |i: &mut Inventory| bucket(i, TRAIN).public_access.known_mut().unwrap().block_policy = false;
    expect(c, "one switch off", open, &both("block-off"));
    let above = |i: &mut Inventory| {
        open(i);
        i.settings.public_access.known_mut().unwrap().block_policy = true;
    };
    expect(c, "the account has that switch on", above, &[("logs", Pass, "ok"), ("train", Pass, "ok")]);
    let two = |i: &mut Inventory| {
        open(i);
        i.settings.public_access.known_mut().unwrap().block_acls = true;
    };
    expect(c, "the account has another on", two, &both("block-off"));
    let unread = [("logs", Pass, "ok"), ("train", Unknown, "unread")];
    for spoil in [
        on(TRAIN, |b| b.public_access = Read::NotAsked),
        on(TRAIN, |b| b.policy_public = unread_of("s3:GetBucketPolicyStatus")),
        on(TRAIN, |b| b.ownership = Read::NotAsked),
    ] {
        expect(c, "half read", spoil, &unread);
    }
    let hole = on(TRAIN, |b| {
        b.public_access = Read::NotAsked;
        b.policy_public = got(true);
    });
    let beside = [("logs", Pass, "ok"), (TRAIN, Fail, "public-policy"), (TRAIN, Unknown, "unread")];
    expect(c, "a hole beside what was not read", hole, &beside);
    for (restrict, severity) in [(true, Severity::High), (false, Severity::Critical)] {
        let mut inventory = healthy();
        bucket(&mut inventory, TRAIN).policy_public = got(true);
        bucket(&mut inventory, TRAIN).public_access.known_mut().unwrap().restrict_buckets = restrict;
        let found = verdicts(&inventory, c).into_iter().find(|v| v.code == "public-policy").unwrap();
        assert_eq!((found.severity, found.fixes), (severity, &["FIX-07"][..]));
    }
}

#[test]
fn transport() {
    let c = "CUS-DAT-04";
    let both = |status, code: &'static str| [("logs", Pass, "ok"), ("train", status, code)];
    let says = |statements: Value| on(TRAIN, move |b| b.policy = got(Some(policy(statements))));
    let deny = |action: Value, resource: Value, principal: Value, condition: Value| json!([{"Effect": "Deny", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition}]);
    let both_arns = || json!(["arn:aws:s3:::train", "arn:aws:s3:::train/*"]);
    let plain = || json!({"Bool": {"aws:SecureTransport": "false"}});
    expect(c, "denied", |_| {}, &both(Pass, "ok"));
    expect(c, "no policy", on(TRAIN, |b| b.policy = got(None)), &both(Fail, "no-tls-deny"));
    for (what, statements) in [
        ("everything", deny(json!("*"), json!("*"), json!({"AWS": "*"}), plain())),
        (
            "if it exists",
            deny(json!("s3:*"), both_arns(), json!("*"), json!({"BoolIfExists": {"aws:SecureTransport": "false"}})),
        ),
        (
            "as text",
            deny(json!("s3:*"), both_arns(), json!("*"), json!({"StringEquals": {"aws:securetransport": "false"}})),
        ),
        (
            "two halves",
            json!([
                deny(json!("s3:*"), json!("arn:aws:s3:::train"), json!("*"), plain())[0],
                deny(json!("s3:*"), json!("arn:aws:s3:::train/*"), json!("*"), plain())[0],
            ]),
        ),
    ] {
        expect(c, what, says(statements), &both(Pass, "ok"));
    }
    for (what, statements) in [
        ("objects only", deny(json!("s3:*"), json!("arn:aws:s3:::train/*"), json!("*"), plain())),
        ("the bucket only", deny(json!("s3:*"), json!("arn:aws:s3:::train"), json!("*"), plain())),
        ("one action", deny(json!("s3:GetObject"), both_arns(), json!("*"), plain())),
        (
            "one prefix",
            deny(json!("s3:*"), json!(["arn:aws:s3:::train", "arn:aws:s3:::train/a/*"]), json!("*"), plain()),
        ),
    ] {
        expect(c, what, says(statements), &both(Fail, "partial-tls-deny"));
    }
    let narrow = json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}});
    let spares = json!({"Bool": {"aws:SecureTransport": "false"}, "ArnNotEquals": {"aws:PrincipalArn": TUNER}});
    for (what, statements) in [
        (
            "the wrong way round",
            deny(json!("s3:*"), both_arns(), json!("*"), json!({"Bool": {"aws:SecureTransport": "true"}})),
        ),
        ("from one VPC", deny(json!("s3:*"), both_arns(), json!("*"), narrow)),
        ("sparing one", deny(json!("s3:*"), both_arns(), json!("*"), spares)),
        ("for one role", deny(json!("s3:*"), both_arns(), json!({"AWS": TUNER}), plain())),
        ("another bucket", deny(json!("s3:*"), json!("arn:aws:s3:::other*"), json!("*"), plain())),
        (
            "an Allow",
            json!([{"Effect": "Allow", "Principal": {"AWS": TUNER}, "Action": "s3:*", "Resource": both_arns(), "Condition": plain()}]),
        ),
    ] {
        expect(c, what, says(statements), &both(Fail, "no-tls-deny"));
    }
    let spared = json!([{"Effect": "Deny", "NotPrincipal": {"AWS": TUNER}, "Action": "s3:*", "Resource": both_arns(), "Condition": plain()}]);
    expect(c, "all but one principal", says(spared), &both(Fail, "no-tls-deny"));
    expect(c, "malformed", says(json!([7])), &both(Unknown, "malformed"));
    expect(c, "no JSON", on(TRAIN, |b| b.policy = got(Some(Document::new("{")))), &both(Unknown, "malformed"));
    expect(c, "unread", on(TRAIN, |b| b.policy = Read::NotAsked), &both(Unknown, "unread"));
    let pointed = verdicts(&healthy(), c).remove(1);
    assert!(pointed.evidence.iter().any(|one| one.pointer.as_deref() == Some("/Statement/0")), "{pointed:?}");
}

#[test]
fn versions() {
    let c = "CUS-DAT-05";
    expect(c, "kept; the log is not judged here", |_| {}, &[("train", Pass, "ok")]);
    let off = on(TRAIN, |b| b.versioning = got(Versioning { enabled: false, mfa_delete: false }));
    expect(c, "off", off, &[("train", Fail, "versioning-off")]);
    let rule = |prefix: &str, days, enabled| {
        let (line, prefix) = ("old: expires".into(), prefix.into());
        let rule = LifecycleRule { line, enabled, prefix, noncurrent_days: Some(days), expires_days: None };
        on(TRAIN, move |b| b.lifecycle = got(vec![rule]))
    };
    for (what, spoil, status, code) in [
        ("a week", rule("", 7, true), Warn, "old-versions-expire"),
        ("a week, of the data", rule("a", 7, true), Warn, "old-versions-expire"),
        ("a week, of other data", rule("tmp/", 7, true), Pass, "ok"),
        ("a week, not in force", rule("", 7, false), Pass, "ok"),
        ("a month", rule("", 30, true), Pass, "ok"),
    ] {
        expect(c, what, spoil, &[("train", status, code)]);
    }
    expect(c, "unread", on(TRAIN, |b| b.lifecycle = Read::NotAsked), &[("train", Unknown, "unread")]);
    expect(c, "lock unread is only evidence", on(TRAIN, |b| b.lock = Read::NotAsked), &[("train", Pass, "ok")]);
    let import = |i: &mut Inventory| {
        import_from(i, "s3://models/m/");
        let mut models = closed_bucket("models");
        models.versioning = got(Versioning { enabled: false, mfa_delete: true });
        i.buckets.insert("models".into(), models);
    };
    expect(c, "models to import", import, &[("models", Fail, "versioning-off"), ("train", Pass, "ok")]);
}

#[test]
fn whose_buckets() {
    let c = "CUS-DAT-06";
    let both = |status, code: &'static str| [("logs", Pass, "ok"), ("train", status, code)];
    let place = |bucket: crate::inventory::s3::Bucket| {
        move |i: &mut Inventory| {
            i.buckets.insert(TRAIN.into(), bucket);
        }
    };
    expect(c, "ours", |_| {}, &both(Pass, "ok"));
    expect(c, "nobody's", place(gone_bucket(TRAIN)), &both(Fail, "dangling"));
    expect(c, "of others", place(foreign_bucket(TRAIN)), &both(Fail, "foreign"));
    expect(c, "far away", on(TRAIN, |b| b.region = got("eu-west-1".into())), &both(Warn, "other-region"));
    expect(c, "place unread", on(TRAIN, |b| b.region = Read::NotAsked), &both(Unknown, "unread"));
    expect(c, "owner unread", on(TRAIN, |b| b.owned = unread_of("s3:ListBuckets")), &both(Unknown, "unread"));
    let lost = |i: &mut Inventory| {
        i.buckets.remove(TRAIN);
    };
    expect(c, "not in the inventory", lost, &both(Unknown, "unread"));
    let mut inventory = healthy();
    inventory.buckets.insert(TRAIN.into(), gone_bucket(TRAIN));
    let verdict = verdicts(&inventory, c).remove(1);
    assert!(verdict.related.iter().any(|one| one.id.as_str() == TUNER), "the role that still trusts the name");
}

fn sensitive(i: &mut Inventory, kind: &str, of: &str) {
    let detail = SensitiveDetail {
        kind: kind.into(),
        severity: "High".into(),
        bucket: of.into(),
        object: "a.jsonl".into(),
        detections: vec![("EMAIL_ADDRESS".into(), 12)],
        updated: None,
    };
    i.sensitive_findings.insert("f1".into(), SensitiveFinding { id: "f1".into(), detail: got(detail) });
}

#[test]
fn macie_looks() {
    let c = "CUS-DAT-08";
    let one = |status, code: &'static str| [("train", status, code)];
    expect(c, "looked before, found nothing", |_| {}, &one(Pass, "ok"));
    for status in [MacieSession::OFF, "PAUSED"] {
        let off = |i: &mut Inventory| i.settings.macie = got(MacieSession { status: status.into(), updated: None });
        expect(c, status, off, &one(Fail, "macie-off"));
    }
    expect(c, "not asked yet", |i| i.settings.macie = Read::NotAsked, &one(Unknown, "unread"));
    expect(c, "not in its inventory", |i| i.macie_buckets.clear(), &one(Fail, "not-monitored"));
    expect(c, "left out", |i| macie_row(i).monitored = false, &one(Fail, "not-monitored"));
    expect(c, "refused", |i| macie_row(i).error = Some("ACCESS_DENIED".into()), &one(Fail, "macie-error"));
    expect(c, "nothing to read", |i| macie_row(i).classifiable = Some(0), &one(Fail, "nothing-classifiable"));
    expect(c, "could not score", |i| macie_row(i).sensitivity = Some(-1), &one(Fail, "macie-error"));
    expect(c, "many odd files", |i| macie_row(i).unparsable = Some(2), &one(Warn, "unparsable-files"));
    expect(c, "a few odd files", |i| macie_row(i).unparsable = Some(1), &one(Pass, "ok"));
    expect(c, "never looked", |i| macie_row(i).last_discovery = None, &one(Fail, "never-inspected"));
    let late = |i: &mut Inventory| macie_row(i).last_discovery = Some(Timestamp::from_secs(101));
    expect(c, "looked afterwards", late, &one(Warn, "inspected-after-training"));
    let standing = |created: i64, status: &'static str| {
        move |i: &mut Inventory| {
            late(i);
            let job = ClassificationJob {
                id: "j".into(),
                name: "nightly".into(),
                kind: "SCHEDULED".into(),
                status: status.into(),
                buckets: vec![TRAIN.into()],
                created: Timestamp::from_secs(created),
            };
            i.classification_jobs.insert("j".into(), job);
        }
    };
    expect(c, "looks every night since before", standing(60, "IDLE"), &one(Pass, "ok"));
    expect(c, "looks every night since", standing(200, "IDLE"), &one(Warn, "inspected-after-training"));
    expect(c, "would have looked", standing(60, "CANCELLED"), &one(Warn, "inspected-after-training"));
    expect(c, "sensitive by score", |i| macie_row(i).sensitivity = Some(51), &one(Fail, "sensitive-data"));
    expect(c, "not analyzed yet", |i| macie_row(i).sensitivity = Some(50), &one(Pass, "ok"));
    let kind = "SensitiveData:S3Object/Personal";
    expect(c, "found", |i| sensitive(i, kind, TRAIN), &one(Fail, "sensitive-data"));
    expect(c, "found elsewhere", |i| sensitive(i, kind, "other"), &one(Pass, "ok"));
    expect(c, "another sort of finding", |i| sensitive(i, "Policy:IAMUser/S3BucketPublic", TRAIN), &one(Pass, "ok"));
    let unread = |i: &mut Inventory| {
        sensitive(i, kind, TRAIN);
        i.sensitive_findings.values_mut().for_each(|finding| finding.detail = Read::NotAsked);
    };
    expect(c, "found, but not read", unread, &one(Unknown, "unread"));
    let far = |i: &mut Inventory| bucket(i, TRAIN).region = got("eu-west-1".into());
    expect(c, "in a region of its own", far, &one(Unknown, "unread"));
    let gone = |i: &mut Inventory| {
        i.buckets.insert(TRAIN.into(), gone_bucket(TRAIN));
    };
    expect(c, "gone", gone, &one(NotApplicable, "not-applicable"));
}

#[test]
fn malware_plans() {
    let c = "CUS-DAT-10";
    let one = |status, code: &'static str| [("train", status, code)];
    expect(c, "scanned", |_| {}, &one(Pass, "ok"));
    expect(c, "no plan", |i| i.malware_plans.clear(), &one(Fail, "no-plan"));
    expect(c, "of another bucket", |i| malware_plan(i).bucket = Some("other".into()), &one(Fail, "no-plan"));
    let broken = |i: &mut Inventory| {
        malware_plan(i).status = "WARNING".into();
        malware_plan(i).reasons = vec!["INSUFFICIENT_TEST_OBJECT_PERMISSIONS: m".into()];
    };
    expect(c, "does not work", broken, &one(Fail, "plan-not-active"));
    expect(c, "other prefixes", |i| malware_plan(i).prefixes = vec!["in/".into()], &one(Fail, "prefix-not-covered"));
    let covered = |i: &mut Inventory| {
        training_only(i);
        malware_plan(i).prefixes = vec!["a".into(), "in/".into()];
    };
    expect(c, "that prefix", covered, &one(Pass, "ok"));
    let not_all = |i: &mut Inventory| malware_plan(i).prefixes = vec!["a".into(), "logged/".into()];
    expect(c, "a prefix too few", not_all, &one(Fail, "prefix-not-covered"));
    expect(c, "no tags", |i| malware_plan(i).tagging = false, &one(Fail, "tagging-off"));
    let blind = |i: &mut Inventory| deny(i, SourceId::MALWARE_PLAN_DETAILS);
    expect(c, "the plan unread", blind, &one(Unknown, "unread"));
    let tagged = |status: &'static str| {
        move |i: &mut Inventory| {
            for data in i.data.values_mut() {
                data.scans.known_mut().unwrap().take("b.jsonl", status.into());
            }
        }
    };
    expect(c, "clean", tagged("NO_THREATS_FOUND"), &one(Pass, "ok"));
    expect(c, "malware", tagged("THREATS_FOUND"), &one(Fail, "threats-found"));
    expect(c, "older than the plan", tagged(""), &one(Warn, "not-scanned"));
    expect(c, "too large to scan", tagged("UNSUPPORTED"), &one(Warn, "not-scanned"));
    let mut many = healthy();
    for data in many.data.values_mut() {
        let scans = data.scans.known_mut().unwrap();
        (0..30).for_each(|n| scans.take(&format!("old{n}.jsonl"), "".into()));
        scans.take("bad.jsonl", "THREATS_FOUND".into());
    }
    let found = verdicts(&many, c).into_iter().find(|verdict| verdict.code == "threats-found").unwrap();
    assert!(found.reason.as_str().contains("malware in bad.jsonl under"), "{}", found.reason);
    let some_unread = |i: &mut Inventory| {
        let error = error("s3:GetObjectTagging");
        i.data.values_mut().for_each(|data| data.scans.known_mut().unwrap().error = Some(error.clone()));
    };
    expect(c, "some tags unread", some_unread, &one(Unknown, "unread"));
    let import = |i: &mut Inventory| {
        import_from(i, "s3://models/m/");
        i.buckets.insert("models".into(), closed_bucket("models"));
    };
    expect(c, "models to import", import, &[("models", Fail, "no-plan"), ("train", Pass, "ok")]);
    let mut inventory = healthy();
    malware_plan(&mut inventory).tagging = false;
    assert_eq!(verdicts(&inventory, c)[0].severity, Severity::Low);
}

fn masking_guardrail(i: &mut Inventory, created: i64, acts: bool, enforced: bool) {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/g1";
    let id = GuardrailVersion::id_of(&arn.into(), "1");
    let side = |action: &str| Guarding { enabled: true, action: action.into() };
    let output = side(if acts { "ANONYMIZE" } else { "NONE" });
    let filter = SensitiveFilter { kind: "EMAIL".into(), input: side("NONE"), output };
    let version = GuardrailVersion {
        id: id.clone(),
        guardrail: arn.into(),
        version: "1".into(),
        status: "READY".into(),
        created: Timestamp::from_secs(created),
        detail: got(GuardrailDetail { sensitive: vec![filter], ..GuardrailDetail::default() }),
    };
    i.guardrail_versions.insert(id, version);
    if enforced {
        let config = EnforcedGuardrail {
            id: "c1".into(),
            guardrail: arn.into(),
            version: "1".into(),
            included: Vec::new(),
            excluded: Vec::new(),
            system: None,
            messages: None,
            input_tags: None,
            owner: None,
        };
        i.enforced_guardrails.insert("c1".into(), config);
    }
}

#[test]
fn logs_that_are_learned_from() {
    let c = "CUS-DAT-12";
    let one = |status, code: &'static str| [("job1", status, code)];
    fn logs(i: &mut Inventory) -> &mut InvocationLogs {
        detail(i).invocation_logs.as_mut().unwrap()
    }
    expect(c, "filtered and inspected", |_| {}, &one(Pass, "ok"));
    let none = |i: &mut Inventory| detail(i).invocation_logs = None;
    expect(c, "not from logs", none, &[("us-east-1", NotApplicable, "not-applicable")]);
    expect(c, "everything", |i| logs(i).filtered = false, &one(Fail, "no-filter"));
    expect(c, "not inspected", |i| i.macie_buckets.clear(), &one(Fail, "log-not-inspected"));
    expect(c, "from a bucket nobody read", |i| logs(i).source = Some(uri("s3://x/y")), &one(Unknown, "unread"));
    let foreign = |i: &mut Inventory| {
        i.buckets.insert(TRAIN.into(), foreign_bucket(TRAIN));
    };
    expect(c, "from a bucket of others", foreign, &one(Unknown, "unread"));
    let answers = |i: &mut Inventory| {
        logs(i).use_responses = true;
        no_guardrail(i);
    };
    let guarded = |created, acts, enforced| {
        move |i: &mut Inventory| {
            answers(i);
            masking_guardrail(i, created, acts, enforced);
        }
    };
    expect(c, "answers, no guardrail", answers, &one(Fail, "answers-unmasked"));
    expect(c, "answers, masked", guarded(50, true, true), &one(Pass, "ok"));
    expect(c, "answers, only looked at", guarded(50, false, true), &one(Fail, "answers-unmasked"));
    expect(c, "answers, masked since", guarded(500, true, true), &one(Warn, "masking-not-enforced"));
    expect(c, "answers, masked for who asked", guarded(50, true, false), &one(Warn, "masking-not-enforced"));
    let blind = |i: &mut Inventory| {
        answers(i);
        deny(i, SourceId::ENFORCED_GUARDRAILS);
    };
    expect(c, "answers, and who knows", blind, &one(Unknown, "unread"));
    expect(c, "job unread", |i| deny(i, SourceId::JOB_DETAILS), &one(Unknown, "unread"));
}
