//! DET-02, 03 and 04: who is told of calls.

use serde_json::json;

use crate::inventory::bedrock::S3Uri;
use crate::inventory::trail::Condition;
use crate::inventory::{Document, Inventory, Read};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
use crate::posture::fixtures::detection::*;
use crate::posture::fixtures::*;

const HERE: &str = "us-east-1";

/// Only one rule, for these calls; no filter.
fn only_rule(pattern: serde_json::Value) -> impl FnOnce(&mut Inventory) {
    move |i| {
        i.log_groups.get_mut(TRAIL_GROUP).unwrap().filters = got(vec![]);
        i.rules.insert(CALLS.into(), rule(CALLS, &pattern, true));
    }
}

/// Only one filter; no rule.
fn only_filter(pattern: &'static str) -> impl FnOnce(&mut Inventory) {
    move |i| {
        i.rules.remove(&id(CALLS));
        i.log_groups.get_mut(TRAIL_GROUP).unwrap().filters = got(vec![filter(pattern)]);
    }
}

/// The trail that writes to the log group, once there is no other: another would record what it leaves out.
fn trail(i: &mut Inventory) -> &mut crate::inventory::trail::Trail {
    i.trails.retain(|arn, _| arn.as_str() == TRAIL);
    i.trails.get_mut(TRAIL).unwrap()
}

#[test]
pub fn arrivals_and_tampering() {
    let every = json!({"source": [{"prefix": "aws."}], "detail-type": ["AWS API Call via CloudTrail"]});
    for c in ["CUS-DET-02", "CUS-DET-03"] {
        expect(c, "half by rule, half by alarm", |_| {}, &[(HERE, Pass, "ok")]);
        expect(c, "a rule for all", only_rule(every.clone()), &[(HERE, Pass, "ok")]);
        expect(c, "a filter for all", only_filter(r#"{ $.eventSource = "bedrock.*" }"#), &[(HERE, Pass, "ok")]);
        expect(c, "words for all", only_filter("\"bedrock.amazonaws.com\""), &[(HERE, Pass, "ok")]);
        expect(c, "nothing", only_filter("{ $.eventName = ConsoleLogin }"), &[(HERE, Fail, "unwatched")]);
        expect(
            c,
            "no filter, half a rule",
            |i| i.log_groups.get_mut(TRAIL_GROUP).unwrap().filters = got(vec![]),
            &[(HERE, Fail, "partly-watched")],
        );
        expect(
            c,
            "a rule that is off",
            |i| i.rules.get_mut(CALLS).unwrap().enabled = false,
            &[(HERE, Fail, "partly-watched")],
        );
        expect(
            c,
            "no target",
            |i| i.rules.get_mut(CALLS).unwrap().targets = got(vec![]),
            &[(HERE, Fail, "tells-nobody")],
        );
        expect(
            c,
            "no alarm",
            |i| {
                i.alarms.clear();
            },
            &[(HERE, Fail, "tells-nobody")],
        );
        expect(
            c,
            "an alarm without action",
            |i| i.alarms.get_mut(ALARM).unwrap().actions.clear(),
            &[(HERE, Fail, "tells-nobody")],
        );
        expect(
            c,
            "an alarm that may not act",
            |i| i.alarms.get_mut(ALARM).unwrap().enabled = false,
            &[(HERE, Fail, "tells-nobody")],
        );
        expect(
            c,
            "told by a composite alarm",
            |i| {
                i.alarms.get_mut(ALARM).unwrap().actions.clear();
                let mut over = alarm("arn:aws:cloudwatch:us-east-1:123456789012:alarm:over", "", "");
                over.metrics.clear();
                over.rule = Some("ALARM(\"calls\") OR ALARM(other)".into());
                i.alarms.insert(over.arn.clone(), over);
            },
            &[(HERE, Pass, "ok")],
        );
        expect(
            c,
            "the trail stands still",
            |i| trail(i).status.known_mut().unwrap().logging = false,
            &[(HERE, Fail, "not-recorded")],
        );
        let still = |i: &mut Inventory| {
            let mut other = i.trails[TRAIL].clone();
            other.arn = "arn:aws:cloudtrail:us-east-1:123456789012:trail/other".into();
            other.log_group = None;
            i.trails.insert(other.arn.clone(), other);
            i.trails.get_mut(TRAIL).unwrap().status.known_mut().unwrap().logging = false;
        };
        expect(c, "another trail records, but not where the filter is", still, &[(HERE, Fail, "not-recorded")]);
        expect(
            c,
            "another trail records, and a rule hears of all",
            |i| {
                still(i);
                only_rule(every.clone())(i);
            },
            &[(HERE, Pass, "ok")],
        );
        expect(
            c,
            "a trail of another region",
            |i| {
                trail(i).multi_region = false;
                trail(i).home_region = "eu-west-1".into();
            },
            &[(HERE, Fail, "not-recorded")],
        );
        expect(
            c,
            "a trail that only records reads",
            |i| {
                let only =
                    Condition { field: "readOnly".into(), operator: "equals".into(), values: vec!["true".into()] };
                trail(i).selectors.known_mut().unwrap()[0].conditions.push(only);
            },
            &[(HERE, Fail, "not-recorded")],
        );
        expect(
            c,
            "a group that no trail writes to",
            |i| {
                only_filter("{ $.eventSource = bedrock* }")(i);
                trail(i).log_group = Some("arn:aws:logs:us-east-1:123456789012:log-group:/gone:*".into());
            },
            &[(HERE, Fail, "unwatched")],
        );
        expect(
            c,
            "the rule's targets not read",
            |i| i.rules.get_mut(CALLS).unwrap().targets = Read::NotAsked,
            &[(HERE, Unknown, "uncertain")],
        );
        expect(
            c,
            "filters not read",
            |i| i.log_groups.get_mut(TRAIL_GROUP).unwrap().filters = Read::NotAsked,
            &[(HERE, Unknown, "uncertain")],
        );
        expect(c, "trail not read", |i| trail(i).status = Read::NotAsked, &[(HERE, Unknown, "uncertain")]);
        expect(c, "a filter nobody reads", only_filter("{ $.eventName = "), &[(HERE, Unknown, "uncertain")]);
        expect(
            c,
            "a filter that AWS does not explain",
            only_filter("{ $.errorCode != x }"),
            &[(HERE, Unknown, "uncertain")],
        );
        expect(
            c,
            "a rule that is no JSON",
            |i| {
                only_rule(json!({}))(i);
                i.rules.get_mut(CALLS).unwrap().pattern = Some(Document::new("{"));
            },
            &[(HERE, Unknown, "uncertain")],
        );
        expect(
            c,
            "old words of a trail",
            |i| trail(i).selectors.known_mut().unwrap().iter_mut().for_each(|one| one.conditions.clear()),
            &[(HERE, Fail, "not-recorded")],
        );
        expect(c, "nothing customized", nothing_customized, &[(HERE, NotApplicable, "not-applicable")]);
    }
    let said = verdicts(
        &{
            let mut i = healthy();
            i.log_groups.get_mut(TRAIL_GROUP).unwrap().filters = got(vec![]);
            i
        },
        "CUS-DET-03",
    );
    assert!(
        said[0].reason.as_str().contains("DeleteCustomModel") && !said[0].reason.as_str().contains("DeleteGuardrail")
    );
}

#[test]
pub fn keys_and_buckets() {
    let c = "CUS-DET-04";
    let both: &[_] = &[(HERE, Pass, "ok"), (HERE, Pass, "ok")];
    expect(c, "half by rule, half by alarm", |_| {}, both);
    expect(
        c,
        "what CIS asks for keys",
        only_filter(
            r"{ ($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }",
        ),
        &[(HERE, Fail, "unwatched"), (HERE, Fail, "partly-watched")],
    );
    expect(
        c,
        "KMS left out of the trail",
        |i| {
            let without = Condition {
                field: "eventSource".into(),
                operator: "notEquals".into(),
                values: vec!["kms.amazonaws.com".into()],
            };
            trail(i).selectors.known_mut().unwrap()[0].conditions.push(without);
        },
        &[(HERE, Pass, "ok"), (HERE, Fail, "not-recorded")],
    );
    let named = only_filter(
        r#"{ ($.eventSource = "kms.amazonaws.com") || (($.eventSource = "s3.*") && (($.requestParameters.bucketName = "train") || ($.requestParameters.bucketName = "logs"))) }"#,
    );
    expect(c, "its buckets by name", named, both);
    expect(
        c,
        "a bucket that nobody named",
        |i| {
            only_filter(
                r#"{ ($.eventSource = "kms.amazonaws.com") || (($.eventSource = "s3.*") && (($.requestParameters.bucketName = "train") || ($.requestParameters.bucketName = "logs"))) }"#,
            )(i);
            detail(i).output = S3Uri::parse("s3://output/x");
        },
        &[(HERE, Fail, "partly-watched"), (HERE, Pass, "ok")],
    );
    expect(
        c,
        "a key by its ARN, that a caller may name by its id",
        only_filter(
            r#"{ ($.eventSource = "s3.*") || ($.requestParameters.keyId = "arn:aws:kms:us-east-1:123456789012:key/k1") }"#,
        ),
        &[(HERE, Pass, "ok"), (HERE, Fail, "unwatched")],
    );
    expect(
        c,
        "a key by what the record says of it",
        only_filter(
            r#"{ ($.eventSource = "s3.*") || ($.resources[0].ARN = "arn:aws:kms:us-east-1:123456789012:key/k1") }"#,
        ),
        both,
    );
    expect(
        c,
        "no target",
        |i| i.rules.get_mut(CALLS).unwrap().targets = got(vec![]),
        &[(HERE, Fail, "tells-nobody"), (HERE, Fail, "tells-nobody")],
    );
    let said = verdicts(
        &{
            let mut i = healthy();
            i.rules.remove(&id(CALLS));
            i
        },
        c,
    );
    let ids: Vec<_> = said.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(ids, ["CUS-DET-04/us-east-1/buckets", "CUS-DET-04/us-east-1/keys"]);
}
