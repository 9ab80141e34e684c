//! Tables for the controls of detection: pass, every way to fail, unknown, not applicable.

mod calls;
mod watchers;

use serde_json::{Value, json};

use crate::inventory::{Document, Inventory, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[
    rules_about_jobs,
    calls::arrivals_and_tampering,
    calls::keys_and_buckets,
    watchers::detectors_of_guardduty,
    watchers::threats_of_guardduty,
    watchers::alarms_on_interventions,
    watchers::signs_of_jacking,
    watchers::findings_of_access_analyzer,
];

fn only(inventory: &mut Inventory, pattern: &Value) {
    inventory.rules.clear();
    inventory.rules.insert(RULE.into(), rule(RULE, pattern, true));
}

#[test]
fn rules_about_jobs() {
    let c = "CUS-DET-01";
    let region = "us-east-1";
    expect(c, "one good rule", |_| {}, &[(region, Pass, "ok")]);
    expect(c, "no rule", |i| i.rules.clear(), &[(region, Fail, "no-rule")]);
    expect(
        c,
        "a rule about something else",
        |i| only(i, &json!({"source": ["aws.ec2"]})),
        &[(region, Fail, "no-rule")],
    );
    expect(
        c,
        "another event of Bedrock",
        |i| only(i, &json!({"source": ["aws.bedrock"], "detail-type": ["Batch Inference Job State Change"]})),
        &[(region, Fail, "no-rule")],
    );
    expect(c, "disabled", |i| i.rules.get_mut(RULE).unwrap().enabled = false, &[(region, Fail, "no-rule")]);
    expect(c, "a schedule", |i| i.rules.get_mut(RULE).unwrap().pattern = None, &[(region, Fail, "no-rule")]);
    expect(c, "no target", |i| i.rules.get_mut(RULE).unwrap().targets = got(vec![]), &[(region, Fail, "no-target")]);
    expect(
        c,
        "no queue",
        |i| {
            i.rules.insert(RULE.into(), rule(RULE, &pattern(), false));
        },
        &[(region, Warn, "no-dead-letter")],
    );
    let failed = json!({"source": ["aws.bedrock"], "detail": {"jobStatus": ["Failed"]}});
    expect(c, "half of it", |i| only(i, &failed), &[(region, Fail, "misses-status")]);
    expect(
        c,
        "two halves",
        |i| {
            only(i, &failed);
            let done =
                json!({"source": [{"prefix": "aws.bed"}], "detail": {"jobStatus": [{"anything-but": "Failed"}]}});
            i.rules.insert("arn:b".into(), rule("arn:b", &done, true));
        },
        &[(region, Pass, "ok")],
    );
    for dead in [
        json!({"source": ["aws.bedrock"], "detail-type": ["Bedrock Model Customization Job State Change"]}),
        json!({"source": ["aws.bedrock"], "detail-type": ["Model Customization Job State Change"], "detail": {"status": ["COMPLETED"]}}),
        json!({"source": ["aws.bedrock"], "detail": {"status": ["Failed"]}}),
        json!({"source": ["aws.bedrock"], "detail-type": ["Model Customization Job State Change"], "detail": {"jobStatus": ["FAILED"]}}),
    ] {
        expect(c, &dead.to_string(), |i| only(i, &dead), &[(region, Fail, "dead-rule")]);
        expect(
            c,
            "dead beside good",
            |i| {
                i.rules.insert("arn:x/dead".into(), rule("arn:x/dead", &dead, true));
            },
            &[(region, Pass, "ok"), (region, Fail, "dead-rule")],
        );
    }
    let open = json!({"source": ["aws.bedrock"], "detail": {"jobName": [{"cidr": "10.0.0.0/8"}]}});
    expect(
        c,
        "an operator nobody knows",
        |i| only(i, &open),
        &[("jobs", Unknown, "uncertain"), (region, Unknown, "uncertain")],
    );
    expect(
        c,
        "unknown beside good",
        |i| {
            i.rules.insert("arn:x/odd".into(), rule("arn:x/odd", &open, true));
        },
        &[("odd", Unknown, "uncertain"), (region, Pass, "ok")],
    );
    expect(
        c,
        "no JSON",
        |i| i.rules.get_mut(RULE).unwrap().pattern = Some(Document::new("{")),
        &[("jobs", Unknown, "malformed"), (region, Unknown, "uncertain")],
    );
    let idle = |i: &mut Inventory| {
        i.jobs.clear();
        i.models.clear();
    };
    expect(
        c,
        "idle",
        |i| {
            idle(i);
            i.rules.clear();
        },
        &[(region, NotApplicable, "not-applicable")],
    );
    expect(
        c,
        "idle, as far as we see",
        |i| {
            idle(i);
            i.rules.clear();
            deny(i, SourceId::JOBS);
        },
        &[(region, Unknown, "unread")],
    );
}
