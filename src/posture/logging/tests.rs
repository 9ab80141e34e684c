//! Tables for the controls of logging: pass, every way to fail, unknown, not applicable.

mod trails;

use serde_json::{Value, json};

use crate::inventory::bedrock::{LoggingConfiguration, S3Uri};
use crate::inventory::cloudwatch::Metric;
use crate::inventory::kms::KeyState;
use crate::inventory::s3::Versioning;
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[
    invocation_logging,
    modalities,
    deliveries,
    keys_of_groups,
    buckets_of_the_log,
    role_of_the_log,
    retention,
    masking,
    trails::management_events,
    trails::data_events_of_bedrock,
    trails::data_events_of_buckets,
    trails::trails_that_can_be_trusted,
];

const REGION_NA: (&str, crate::posture::Status, &str) = ("us-east-1", NotApplicable, "not-applicable");

fn uri(text: &str) -> S3Uri {
    S3Uri::parse(text).unwrap()
}

fn set(change: fn(&mut LoggingConfiguration)) -> impl FnOnce(&mut Inventory) {
    move |i| change(log_settings(i))
}

#[test]
fn invocation_logging() {
    let c = "CUS-LOG-01";
    expect(c, "to S3", |_| {}, &[("us-east-1", Pass, "ok")]);
    expect(c, "off", |i| i.logging = got(None), &[("us-east-1", Fail, "logging-off")]);
    let nowhere = set(|l| {
        l.s3 = None;
        l.cloud_watch = None;
    });
    expect(c, "nowhere to", nowhere, &[("us-east-1", Fail, "logging-off")]);
    expect(c, "of nothing", set(|l| l.text = false), &[("us-east-1", Fail, "logging-off")]);
    expect(c, "denied", |i| deny(i, SourceId::LOGGING), &[("us-east-1", Unknown, "unread")]);
    let bare = |i: &mut Inventory| {
        i.logging = got(None);
        i.models.clear();
        i.imported_models.clear();
        i.deployments.clear();
        i.throughputs.clear();
    };
    expect(c, "off, and nothing is served", bare, &[REGION_NA]);
    let blind = |i: &mut Inventory| {
        bare(i);
        deny(i, SourceId::DEPLOYMENTS);
    };
    expect(c, "off, and who knows what is served", blind, &[("us-east-1", Unknown, "unread")]);
    expect(c, "on, whatever is served", |i| deny(i, SourceId::MODELS), &[("us-east-1", Pass, "ok")]);
}

#[test]
fn modalities() {
    let c = "CUS-LOG-02";
    let one = |status, code: &'static str| [("us-east-1", status, code)];
    let base = |i: &mut Inventory, takes: &str, gives: &str| {
        let model = i.foundation_models.values_mut().next().unwrap();
        (model.inputs, model.outputs) = (vec!["TEXT".into(), takes.into()], vec![gives.into()]);
    };
    expect(c, "text", |_| {}, &one(Pass, "ok"));
    expect(c, "off is another control's", |i| i.logging = got(None), &[REGION_NA]);
    expect(c, "nothing", set(|l| l.text = false), &one(Fail, "nothing-delivered"));
    let images = set(|l| {
        l.text = false;
        l.images = true;
    });
    expect(c, "no text", images, &one(Fail, "text-off"));
    for (takes, gives) in
        [("IMAGE", "TEXT"), ("TEXT", "EMBEDDING"), ("VIDEO", "TEXT"), ("SPEECH", "TEXT"), ("AUDIO", "TEXT")]
    {
        expect(c, &format!("{takes} {gives}"), |i| base(i, takes, gives), &one(Fail, "modality-off"));
    }
    let on = |i: &mut Inventory| {
        base(i, "IMAGE", "TEXT");
        log_settings(i).images = true;
    };
    expect(c, "images, and they are on", on, &one(Pass, "ok"));
    let idle = |i: &mut Inventory| {
        base(i, "IMAGE", "TEXT");
        i.deployments.clear();
        i.throughputs.clear();
    };
    expect(c, "images, and nobody serves them", idle, &one(Pass, "ok"));
    let of_base = |i: &mut Inventory| {
        idle(i);
        let arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/p1";
        let base = i.foundation_models.keys().next().unwrap().to_string();
        i.throughputs.insert(arn.into(), throughput(arn, &base));
    };
    expect(c, "images of a base model with throughput", of_base, &one(Fail, "modality-off"));
    expect(c, "only to a log group", set(|l| l.s3 = None), &one(Fail, "large-bodies-lost"));
    let large = set(|l| {
        l.s3 = None;
        l.cloud_watch.as_mut().unwrap().large_data = Some(uri("s3://logs/large"));
    });
    expect(c, "large ones elsewhere", large, &one(Pass, "ok"));
    expect(c, "only to S3", set(|l| l.cloud_watch = None), &one(Pass, "ok"));
    expect(c, "a base model that is gone", |i| i.foundation_models.clear(), &one(Unknown, "modality-unknown"));
    let all = |i: &mut Inventory| {
        i.foundation_models.clear();
        let set = log_settings(i);
        (set.images, set.embeddings, set.video, set.audio) = (true, true, true, true);
    };
    expect(c, "whatever it takes", all, &one(Pass, "ok"));
}

#[test]
fn deliveries() {
    let c = "CUS-LOG-03";
    let one = |status, code: &'static str| [("us-east-1", status, code)];
    fn day(i: &mut Inventory, name: &str, sum: f64) {
        i.metrics.get_mut(&Metric::id_of(name, None)).unwrap().day = sum;
    }
    expect(c, "delivered", |_| {}, &one(Pass, "ok"));
    expect(c, "off is another control's", |i| i.logging = got(None), &[REGION_NA]);
    for to in ["LogsCloudWatch", "LogsS3"] {
        let failure = format!("ModelInvocation{to}DeliveryFailure");
        expect(c, &failure, |i| day(i, &failure, 2.0), &one(Fail, "delivery-failing"));
        let success = format!("ModelInvocation{to}DeliverySuccess");
        expect(c, &success, |i| day(i, &success, 0.0), &one(Fail, "not-delivered"));
        let quiet = |i: &mut Inventory| {
            day(i, &success, 0.0);
            day(i, "Invocations", 0.0);
        };
        expect(c, "nobody asked anything", quiet, &one(Pass, "ok"));
    }
    let large = "ModelInvocationLargeDataS3DeliveryFailure";
    expect(c, "of a destination that is not set", |i| day(i, large, 3.0), &one(Pass, "ok"));
    let with_large = |i: &mut Inventory| {
        log_settings(i).cloud_watch.as_mut().unwrap().large_data = Some(uri("s3://logs/large"));
    };
    let large_fails = |i: &mut Inventory| {
        with_large(i);
        day(i, large, 3.0);
    };
    expect(c, "large bodies", large_fails, &one(Fail, "delivery-failing"));
    let no_large = |i: &mut Inventory| {
        with_large(i);
        day(i, "ModelInvocationLargeDataS3DeliverySuccess", 0.0);
    };
    expect(c, "no large bodies came", no_large, &one(Pass, "ok"));
    expect(c, "no alarm", |i| i.alarms.clear(), &one(Fail, "no-alarm"));
    let silent = |i: &mut Inventory| i.alarms.values_mut().for_each(|alarm| alarm.actions.clear());
    expect(c, "alarms that tell nobody", silent, &one(Fail, "no-alarm"));
    let off = |i: &mut Inventory| i.alarms.values_mut().for_each(|alarm| alarm.enabled = false);
    expect(c, "alarms that are off", off, &one(Fail, "no-alarm"));
    expect(c, "not counted", |i| i.metrics.clear(), &one(Unknown, "unread"));
    let worse = |i: &mut Inventory| {
        day(i, "ModelInvocationLogsS3DeliveryFailure", 1.0);
        i.alarms.clear();
    };
    expect(c, "fails, unheard", worse, &[("us-east-1", Fail, "delivery-failing"), ("us-east-1", Fail, "no-alarm")]);
    let mut inventory = healthy();
    inventory.alarms.clear();
    assert_eq!(verdicts(&inventory, c)[0].severity, Severity::Medium);
}

#[test]
fn keys_of_groups() {
    let c = "CUS-LOG-04";
    let one = |status, code: &'static str| [("invocations", status, code)];
    expect(c, "a customer key", |_| {}, &one(Pass, "ok"));
    expect(c, "only to S3", set(|l| l.cloud_watch = None), &[REGION_NA]);
    expect(c, "none", |i| log_group(i).kms_key = None, &one(Fail, "no-cmk"));
    expect(c, "AWS's", |i| metadata(i).manager = "AWS".into(), &one(Fail, "aws-managed-key"));
    expect(c, "dying", |i| metadata(i).state = KeyState::PendingDeletion, &one(Fail, "key-unusable"));
    expect(c, "no such group", |i| i.log_groups.clear(), &one(Fail, "group-missing"));
    expect(c, "a key nobody knows", |i| log_group(i).kms_key = Some("alias/x".into()), &one(Unknown, "unread"));
}

#[test]
fn buckets_of_the_log() {
    let c = "CUS-LOG-05";
    let one = |status, code: &'static str| [("logs", status, code)];
    let delivers =
        |statement: Value| move |i: &mut Inventory| bucket(i, LOGS).policy = got(Some(policy(json!([statement]))));
    let with = |at: &str, value: Value| {
        let mut statement = delivery();
        *statement.pointer_mut(at).unwrap() = value;
        statement
    };
    expect(c, "as AWS writes it", |_| {}, &one(Pass, "ok"));
    expect(c, "only to a group", set(|l| l.s3 = None), &[REGION_NA]);
    let sse = |i: &mut Inventory| bucket(i, LOGS).encryption.known_mut().unwrap().algorithm = "AES256".into();
    expect(c, "SSE-S3", sse, &one(Fail, "bucket-key"));
    expect(c, "ACLs", |i| bucket(i, LOGS).ownership = got(None), &one(Fail, "bucket-exposed"));
    expect(c, "no policy", |i| bucket(i, LOGS).policy = got(None), &one(Fail, "delivery-not-allowed"));
    for (what, at, value, code) in [
        (
            "another prefix",
            "/Resource",
            json!("arn:aws:s3:::logs/y/AWSLogs/123456789012/BedrockModelInvocationLogs/*"),
            "delivery-not-allowed",
        ),
        ("another account", "/Condition/StringEquals/aws:SourceAccount", json!("111122223333"), "delivery-not-allowed"),
        ("denied", "/Effect", json!("Deny"), "delivery-not-allowed"),
        ("anywhere", "/Resource", json!("arn:aws:s3:::logs/*"), "delivery-too-broad"),
        ("any action", "/Action", json!("s3:*"), "delivery-too-broad"),
    ] {
        let expected: &[_] = match what {
            "another account" => &[("logs", Fail, "delivery-not-allowed"), ("logs", Fail, "source-account-missing")],
            _ => &one(Fail, code),
        };
        expect(c, what, delivers(with(at, value)), expected);
    }
    let arn = json!({"ArnLike": {"aws:SourceArn": "arn:aws:bedrock:us-east-1:123456789012:*"}});
    expect(c, "no account", delivers(with("/Condition", arn)), &one(Fail, "source-account-missing"));
    let account = json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}});
    expect(c, "no ARN", delivers(with("/Condition", account.clone())), &one(Fail, "source-arn-missing"));
    let mut vacuous = delivery();
    vacuous["Condition"] = json!({"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": "arn:aws:bedrock:us-east-1:123456789012:*"}});
    expect(c, "an account if there is one", delivers(vacuous), &one(Fail, "source-account-missing"));
    let mut open = delivery();
    open["Condition"]["IpAddress"] = json!({"aws:SourceIp": "10.0.0.0/8"});
    expect(c, "on another condition", delivers(open), &one(Unknown, "unread"));
    expect(c, "malformed", |i| bucket(i, LOGS).policy = got(Some(Document::new("{"))), &one(Unknown, "unread"));
    expect(c, "the key forbids", |i| set_key_policy(i, key_policy()), &one(Fail, "key-not-allowed"));
    let mut loose = delivery_key();
    loose["Condition"] = account;
    expect(c, "the key for anyone's Bedrock", |i| set_key_policy(i, key_policy_and(loose)), &one(Fail, "key-not-tied"));
    let large = |i: &mut Inventory| {
        log_settings(i).cloud_watch.as_mut().unwrap().large_data = Some(uri("s3://logs/large"));
    };
    expect(c, "large bodies beside it", large, &one(Fail, "delivery-not-allowed"));
    let foreign = |i: &mut Inventory| {
        i.buckets.insert(LOGS.into(), foreign_bucket(LOGS));
    };
    expect(c, "of others", foreign, &one(Unknown, "foreign-bucket"));
    let gone = |i: &mut Inventory| {
        i.buckets.insert(LOGS.into(), gone_bucket(LOGS));
    };
    expect(c, "gone", gone, &one(NotApplicable, "not-applicable"));
}

#[test]
fn role_of_the_log() {
    let c = "CUS-LOG-06";
    let one = |status, code: &'static str| [("Logger", status, code)];
    let logger = |trust: Value, rights: Value| {
        move |i: &mut Inventory| {
            i.roles.insert(LOGGER.into(), role(LOGGER, trust, rights));
        }
    };
    let trusts = |trust: Value| logger(trust, logger_rights());
    let may = |rights: Value| logger(logger_trust(), rights);
    expect(c, "as AWS writes it", |_| {}, &one(Pass, "ok"));
    expect(c, "only to S3", set(|l| l.cloud_watch = None), &[REGION_NA]);
    let gone = |i: &mut Inventory| {
        i.roles.remove(LOGGER);
    };
    expect(c, "gone", gone, &one(Fail, "role-missing"));
    expect(c, "trusts nobody", trusts(json!([])), &one(Fail, "bedrock-missing"));
    for principal in [json!("*"), json!({"AWS": TUNER}), json!({"Service": "lambda.amazonaws.com"})] {
        let mut both = logger_trust();
        let more = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        both.as_array_mut().unwrap().push(more);
        expect(c, &principal.to_string(), trusts(both), &one(Fail, "other-principal"));
    }
    let untied = |condition: Value| {
        let mut trust = logger_trust();
        trust[0]["Condition"] = condition;
        trusts(trust)
    };
    let (account, arn) = (&tie()["StringEquals"], &tie()["ArnLike"]);
    expect(c, "no account", untied(json!({"ArnLike": arn})), &one(Fail, "source-account-missing"));
    expect(c, "no ARN", untied(json!({"StringEquals": account})), &one(Fail, "source-arn-missing"));
    let theirs = json!({"StringEquals": account, "ArnLike": {"aws:SourceArn": "arn:aws:bedrock:us-east-1:*:*"}});
    expect(c, "any account's ARN", untied(theirs), &one(Fail, "source-arn-missing"));
    expect(c, "may nothing", may(json!([])), &one(Fail, "missing-right"));
    let wide = |at: &str, value: Value| {
        let mut rights = logger_rights();
        rights[0][at] = value;
        may(rights)
    };
    expect(c, "any action", wide("Action", json!("logs:*")), &one(Fail, "over-granted"));
    expect(c, "any group", wide("Resource", json!("*")), &one(Fail, "over-granted"));
    let more = json!([logger_rights()[0], {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]);
    expect(c, "something else too", may(more), &one(Fail, "over-granted"));
    let half = wide("Action", json!(["logs:PutLogEvents"]));
    expect(c, "one of two", half, &one(Fail, "missing-right"));
    let mut conditional = logger_rights();
    conditional[0]["Condition"] = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    expect(c, "on a condition", may(conditional), &one(Unknown, "uncertain"));
    expect(c, "malformed trust", trusts(json!([7])), &one(Unknown, "malformed"));
}

#[test]
fn retention() {
    let c = "CUS-LOG-07";
    let both = |group: (crate::posture::Status, &'static str), bucket: (crate::posture::Status, &'static str)| {
        [("invocations", group.0, group.1), ("logs", bucket.0, bucket.1)]
    };
    let ok = (Pass, "ok");
    expect(c, "a year and more", |_| {}, &both(ok, ok));
    expect(c, "a year", |i| log_group(i).retention_days = Some(365), &both(ok, ok));
    expect(c, "a month", |i| log_group(i).retention_days = Some(30), &both((Fail, "retention-short"), ok));
    expect(c, "for ever", |i| log_group(i).retention_days = None, &both((Warn, "retention-forever"), ok));
    let bare = |i: &mut Inventory| log_group(i).deletion_protection = false;
    expect(c, "may be deleted", bare, &both((Fail, "no-deletion-protection"), ok));
    expect(c, "no group", |i| i.log_groups.clear(), &both((NotApplicable, "not-applicable"), ok));
    let versions = |enabled, mfa_delete, locked: bool| {
        move |i: &mut Inventory| {
            let bucket = bucket(i, LOGS);
            bucket.versioning = got(Versioning { enabled, mfa_delete });
            bucket.lock = got(locked.then(|| "GOVERNANCE 1 years".into()));
        }
    };
    expect(c, "no versions", versions(false, false, true), &both(ok, (Fail, "versioning-off")));
    expect(c, "no lock", versions(true, false, false), &both(ok, (Fail, "not-locked")));
    expect(c, "MFA for a lock", versions(true, true, false), &both(ok, ok));
    expect(c, "lock unread", |i| bucket(i, LOGS).lock = Read::NotAsked, &both(ok, (Unknown, "unread")));
    expect(c, "only to a group", set(|l| l.s3 = None), &[("invocations", Pass, "ok")]);
}

#[test]
fn masking() {
    let c = "CUS-LOG-08";
    let one = |status, code: &'static str| [("invocations", status, code)];
    let by = |document: Document| move |i: &mut Inventory| log_group(i).protection = got(Some(document));
    expect(c, "secrets and mail addresses", |_| {}, &one(Pass, "ok"));
    expect(c, "only to S3", set(|l| l.cloud_watch = None), &[REGION_NA]);
    for status in [None, Some("DISABLED"), Some("DELETED")] {
        let off = |i: &mut Inventory| log_group(i).protection_status = status.map(Into::into);
        expect(c, status.unwrap_or("never"), off, &one(Fail, "no-protection"));
    }
    let silent = by(protection(false, &["AwsSecretKey", "EmailAddress"]));
    expect(c, "tells nobody", silent, &one(Fail, "no-audit"));
    expect(c, "persons only", by(protection(true, &["EmailAddress"])), &one(Fail, "identifiers-missing"));
    expect(c, "secrets only", by(protection(true, &["AwsSecretKey"])), &one(Fail, "identifiers-missing"));
    let audit = Document::pretty(&json!({"Statement": [{"DataIdentifier": [], "Operation": {"Audit": {}}}]}));
    expect(c, "only looks", by(audit), &one(Fail, "no-deidentify"));
    let custom = json!({"Statement": [{"DataIdentifier": ["Badge"], "Operation": {"Audit": {}}},
        {"DataIdentifier": ["Badge"], "Operation": {"Deidentify": {}}}]});
    expect(c, "what nobody knows", by(Document::pretty(&custom)), &one(Fail, "identifiers-missing"));
    expect(c, "no JSON", by(Document::new("{")), &one(Unknown, "malformed"));
    expect(
        c,
        "odd",
        by(Document::new("[7]")),
        &[("invocations", Fail, "no-audit"), ("invocations", Fail, "no-deidentify")],
    );
    expect(c, "unread", |i| log_group(i).protection = Read::NotAsked, &one(Unknown, "unread"));
    let inherit = |documents: Vec<Document>| {
        move |i: &mut Inventory| {
            log_group(i).protection_status = None;
            log_group(i).inherited = vec!["ACCOUNT_DATA_PROTECTION".into()];
            i.settings.log_protection = got(documents);
        }
    };
    expect(c, "of the account", inherit(vec![protection(true, &["AwsSecretKey", "Name"])]), &one(Pass, "ok"));
    let none = [("invocations", Fail, "no-audit"), ("invocations", Fail, "no-deidentify")];
    expect(c, "of the account, but empty", inherit(Vec::new()), &none);
    let mut inventory = healthy();
    let unmask = json!([{"Effect": "Allow", "Action": "logs:Unmask", "Resource": "*"}]);
    inventory.roles.insert(APP.into(), role(APP, json!([]), unmask));
    let verdict = verdicts(&inventory, c).remove(0);
    let shown = verdict.evidence.iter().find(|one| one.label.as_str() == "logs:Unmask").unwrap();
    assert_eq!(shown.value.as_str(), "App");
}
