//! The same for what trails and event data stores record.

use super::REGION_NA;
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::AccessLogging;
use crate::inventory::trail::{EventDataStore, Selector, StoreDetail, Trail, TrailStatus};
use crate::inventory::{Inventory, Read, SourceId};
use crate::posture::Status::{Fail, Pass, Unknown, Warn};
use crate::posture::fixtures::*;
use crate::posture::logging::recorders::records;

fn only(selectors: &[&[&str]]) -> impl FnOnce(&mut Inventory) {
    let selectors: Vec<Selector> = selectors.iter().map(|conditions| selector(conditions)).collect();
    move |i| the_trail(i).selectors = got(selectors)
}

const MANAGEMENT: &str = "eventCategory equals Management";
const DATA: &str = "eventCategory equals Data";

#[test]
pub(super) fn management_events() {
    let c = "CUS-LOG-09";
    let one = |status, code: &'static str| [("us-east-1", status, code)];
    expect(c, "all of them", |_| {}, &one(Pass, "ok"));
    let nothing = |i: &mut Inventory| {
        permissions::nothing(i);
        i.trails.clear();
    };
    expect(c, "nothing to record", nothing, &[REGION_NA]);
    expect(c, "no trail", |i| i.trails.clear(), &one(Fail, "no-trail"));
    expect(c, "one region", |i| the_trail(i).multi_region = false, &one(Fail, "single-region"));
    let status =
        |change: fn(&mut TrailStatus)| move |i: &mut Inventory| change(the_trail(i).status.known_mut().unwrap());
    expect(c, "stopped", status(|s| s.logging = false), &one(Fail, "not-logging"));
    expect(c, "cannot deliver", status(|s| s.error = Some("AccessDenied".into())), &one(Fail, "delivery-error"));
    for (what, selectors, code) in [
        ("writes only", &[&[MANAGEMENT, "readOnly equals false"][..]][..], "reads-missing"),
        ("reads only", &[&[MANAGEMENT, "readOnly equals true"]], "writes-missing"),
        ("Bedrock left out", &[&[MANAGEMENT, "eventSource notEquals bedrock.amazonaws.com"]], "bedrock-missing"),
        ("only KMS", &[&[MANAGEMENT, "eventSource equals kms.amazonaws.com"]], "bedrock-missing"),
        ("only data", &[&[DATA, "resources.type equals AWS::Bedrock::Model"]], "bedrock-missing"),
        ("one event of many", &[&[MANAGEMENT, "eventName equals InvokeModel"]], "bedrock-missing"),
        ("of one user", &[&[MANAGEMENT, "userIdentity.arn startsWith arn:aws:iam::1:user/zoe"]], "bedrock-missing"),
        ("an operator nobody knows", &[&[MANAGEMENT, "readOnly like *"]], "bedrock-missing"),
        ("nothing at all", &[], "bedrock-missing"),
    ] {
        expect(c, what, only(selectors), &one(Fail, code));
    }
    for (what, selectors) in [
        ("two halves", &[&[MANAGEMENT, "readOnly equals false"][..], &[MANAGEMENT, "readOnly equals true"]][..]),
        ("without KMS", &[&[MANAGEMENT, "eventSource notEquals kms.amazonaws.com|rdsdata.amazonaws.com"]]),
        ("only Bedrock", &[&[MANAGEMENT, "eventSource equals bedrock.amazonaws.com"]]),
    ] {
        expect(c, what, only(selectors), &one(Pass, "ok"));
    }
    let second = |i: &mut Inventory| {
        the_trail(i).selectors = got(vec![selector(&[MANAGEMENT, "readOnly equals false"])]);
        let other =
            trail("arn:aws:cloudtrail:us-east-1:1:trail/other", vec![selector(&[MANAGEMENT, "readOnly equals true"])]);
        i.trails.insert(other.arn.clone(), other);
    };
    expect(c, "two trails together", second, &one(Pass, "ok"));
    let blind = |i: &mut Inventory| {
        second(i);
        the_trail(i).selectors = unread_of("cloudtrail:GetEventSelectors");
    };
    expect(c, "half of it unread", blind, &one(Unknown, "unread"));
    let old = |i: &mut Inventory| {
        the_trail(i).selectors.known_mut().unwrap().iter_mut().for_each(|one| one.conditions.clear());
    };
    expect(c, "a case of an older version", old, &one(Unknown, "unread"));
}

fn lake(status: &str, selectors: Vec<Selector>) -> impl FnOnce(&mut Inventory) {
    let detail = StoreDetail {
        status: status.into(),
        selectors,
        multi_region: true,
        organization: false,
        kms_key: None,
        retention_days: None,
    };
    let arn = "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/lake";
    let store = EventDataStore { arn: arn.into(), name: "lake".into(), detail: got(detail) };
    move |i| {
        i.event_data_stores.insert(arn.into(), store);
    }
}

#[test]
pub(super) fn data_events_of_bedrock() {
    let c = "CUS-LOG-10";
    let one = |status, code: &'static str| [("us-east-1", status, code)];
    let types = "resources.type equals AWS::Bedrock::Model|AWS::Bedrock::AsyncInvoke|AWS::Bedrock::Guardrail";
    expect(c, "all types", |_| {}, &one(Pass, "ok"));
    expect(c, "management only", only(&[&[MANAGEMENT]]), &one(Fail, "no-data-events"));
    let some = "resources.type equals AWS::Bedrock::Model|AWS::Bedrock::Guardrail";
    expect(c, "two of three", only(&[&[DATA, some]]), &one(Fail, "types-missing"));
    expect(c, "writes only", only(&[&[DATA, types, "readOnly equals false"]]), &one(Fail, "no-data-events"));
    let mine = format!("resources.ARN startsWith {DEPLOYMENT}|arn:aws:bedrock:us-east-1:123456789012:");
    expect(c, "by ARN, of what is there", only(&[&[DATA, types, &mine]]), &one(Pass, "ok"));
    let other = "resources.ARN startsWith arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/other";
    expect(c, "by ARN, of something else", only(&[&[DATA, types, other]]), &one(Fail, "no-data-events"));
    expect(
        c,
        "does not log",
        |i| the_trail(i).status.known_mut().unwrap().logging = false,
        &one(Fail, "no-data-events"),
    );
    let abroad = |i: &mut Inventory| {
        the_trail(i).multi_region = false;
        the_trail(i).home_region = "eu-west-1".into();
    };
    expect(c, "of another region", abroad, &one(Fail, "no-data-events"));
    expect(c, "no trail", |i| i.trails.clear(), &one(Fail, "no-data-events"));
    let instead = |status: &'static str| {
        move |i: &mut Inventory| {
            i.trails.clear();
            lake(status, full_selectors())(i);
        }
    };
    expect(c, "a store instead", instead("ENABLED"), &one(Pass, "ok"));
    expect(c, "a store that takes nothing", instead("STOPPED_INGESTION"), &one(Fail, "no-data-events"));
    let blind = |i: &mut Inventory| {
        instead("ENABLED")(i);
        deny(i, SourceId::STORE_DETAILS);
    };
    expect(c, "a store nobody read", blind, &one(Unknown, "unread"));
    let unlisted = |i: &mut Inventory| {
        i.trails.clear();
        deny(i, SourceId::EVENT_DATA_STORES);
    };
    expect(c, "who knows which stores", unlisted, &one(Unknown, "unread"));
    expect(c, "no need of stores", |i| deny(i, SourceId::EVENT_DATA_STORES), &one(Pass, "ok"));
}

#[test]
pub(super) fn data_events_of_buckets() {
    let c = "CUS-LOG-11";
    let one = |status, code: &'static str| [("train", status, code)];
    const S3: &str = "resources.type equals AWS::S3::Object";
    expect(c, "all of S3", |_| {}, &one(Pass, "ok"));
    expect(c, "this bucket", only(&[&[DATA, S3, "resources.ARN startsWith arn:aws:s3:::train/"]]), &one(Pass, "ok"));
    let object = |i: &mut Inventory| {
        training_only(i);
        only(&[&[DATA, S3, "resources.ARN equals arn:aws:s3:::train/a.jsonl"]])(i);
    };
    expect(c, "this object", object, &one(Pass, "ok"));
    for (what, selectors, code) in [
        ("a like name", &[&[DATA, S3, "resources.ARN startsWith arn:aws:s3:::train-2/"][..]][..], "not-recorded"),
        ("another prefix", &[&[DATA, S3, "resources.ARN startsWith arn:aws:s3:::train/tmp/"]], "not-recorded"),
        ("left out", &[&[DATA, S3, "resources.ARN notStartsWith arn:aws:s3:::train/"]], "not-recorded"),
        ("writes", &[&[DATA, S3, "readOnly equals false"]], "reads-missing"),
        ("reads", &[&[DATA, S3, "readOnly equals true"]], "writes-missing"),
        ("deletions", &[&[DATA, S3, "eventName equals DeleteObject"]], "not-recorded"),
        ("Lambda", &[&[DATA, "resources.type equals AWS::Lambda::Function"]], "not-recorded"),
    ] {
        expect(c, what, only(selectors), &one(Fail, code));
    }
    let output = |i: &mut Inventory| {
        training_only(i);
        detail(i).output = S3Uri::parse("s3://train/out");
        only(&[&[DATA, S3, "resources.ARN startsWith arn:aws:s3:::train/a.jsonl|arn:aws:s3:::train/out/"]])(i);
    };
    expect(c, "each prefix", output, &one(Pass, "ok"));
    let access = |to: &'static str| {
        move |i: &mut Inventory| {
            i.trails.clear();
            bucket(i, TRAIN).logging = got(Some(AccessLogging { bucket: to.into(), prefix: "".into() }));
        }
    };
    expect(c, "access logs", access("record"), &one(Warn, "access-log-only"));
    expect(c, "access logs to itself", access(TRAIN), &one(Fail, "not-recorded"));
    let abroad = |i: &mut Inventory| {
        bucket(i, TRAIN).region = got("eu-west-1".into());
        the_trail(i).multi_region = false;
    };
    expect(c, "a bucket where no trail looks", abroad, &one(Fail, "not-recorded"));
    let instead = |i: &mut Inventory| {
        i.trails.clear();
        lake("ENABLED", full_selectors())(i);
    };
    expect(c, "a store instead", instead, &one(Pass, "ok"));
    expect(c, "unread", |i| deny(i, SourceId::TRAIL_SELECTORS), &one(Unknown, "unread"));
    expect(c, "access logs unread", |i| bucket(i, TRAIN).logging = Read::NotAsked, &one(Unknown, "unread"));
    let foreign = |i: &mut Inventory| {
        i.buckets.insert(TRAIN.into(), foreign_bucket(TRAIN));
    };
    expect(c, "of others", foreign, &one(Unknown, "foreign-bucket"));
}

#[test]
pub(super) fn trails_that_can_be_trusted() {
    let c = "CUS-LOG-12";
    let one = |status, code: &'static str| [("main", status, code)];
    let with = |change: fn(&mut Trail)| move |i: &mut Inventory| change(the_trail(i));
    expect(c, "all", |_| {}, &one(Pass, "ok"));
    expect(c, "no trail is another control's", |i| i.trails.clear(), &[REGION_NA]);
    expect(c, "no digests", with(|t| t.validation = false), &one(Fail, "no-validation"));
    expect(c, "no key", with(|t| t.kms_key = None), &one(Fail, "no-key"));
    let without = only(&[&[MANAGEMENT, "eventSource notEquals kms.amazonaws.com"]]);
    expect(c, "KMS left out", without, &one(Fail, "kms-excluded"));
    expect(c, "only data", only(&[&[DATA, "resources.type equals AWS::S3::Object"]]), &one(Pass, "ok"));
    let elsewhere = |i: &mut Inventory| {
        only(&[&[MANAGEMENT, "eventSource notEquals kms.amazonaws.com"]])(i);
        let keys = vec![selector(&[MANAGEMENT, "eventSource equals kms.amazonaws.com"])];
        let other = trail("arn:aws:cloudtrail:us-east-1:1:trail/other", keys);
        i.trails.insert(other.arn.clone(), other);
    };
    expect(c, "KMS in another trail", elsewhere, &[("main", Pass, "ok"), ("other", Pass, "ok")]);
    expect(c, "an open bucket", |i| bucket(i, RECORD).ownership = got(None), &one(Fail, "bucket-exposed"));
    let gone = |i: &mut Inventory| {
        i.buckets.remove(RECORD);
    };
    expect(c, "a bucket nobody read", gone, &one(Unknown, "unread"));
    let foreign = |i: &mut Inventory| {
        i.buckets.insert(RECORD.into(), foreign_bucket(RECORD));
    };
    expect(c, "the bucket of the organization", foreign, &one(Unknown, "unread"));
    expect(c, "selectors unread", with(|t| t.selectors = Read::NotAsked), &one(Unknown, "unread"));
}

#[test]
fn a_selector_records_what_it_is_shown() {
    let event = [("eventCategory", "Management"), ("readOnly", "true")];
    for (conditions, recorded) in [
        (&["eventCategory equals Management"][..], true),
        (&["eventCategory equals Management", "readOnly equals true|false"], true),
        (&["eventCategory equals Management", "readOnly equals false"], false),
        (&["eventCategory equals Management", "eventName notEquals X"], false),
        (&[], false),
    ] {
        assert_eq!(records(&selector(conditions), &event), recorded, "{conditions:?}");
    }
}
