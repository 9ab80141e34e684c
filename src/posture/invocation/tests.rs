//! Tables for the controls of invocation: pass, every way to fail, unknown, not applicable.

mod capacity;
mod received;

use serde_json::json;

use crate::inventory::bedrock::{CopyJob, JobStatus};
use crate::inventory::settings::DataRetention;
use crate::inventory::{ErrorKind, Inventory, Read, ReadError, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[
    capacity::throughput,
    capacity::what_is_deployed,
    capacity::evaluations_and_base_models,
    received::model_policies,
    received::shares,
    received::strangers,
    tags,
    regions,
    retention,
];

fn copy(i: &mut Inventory, source: &str, account: &str, status: JobStatus) {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:model-copy-job/copy1";
    let job = CopyJob {
        arn: arn.into(),
        status,
        source_model: source.into(),
        source_account: account.into(),
        target_model: "arn:aws:bedrock:us-east-1:123456789012:custom-model/m/copied".into(),
        target_name: "copied".into(),
        target_key: Some(KEY.into()),
        created: now(),
        failure: None,
    };
    i.copy_jobs.insert(arn.into(), job);
}

/// Nothing of customization.
fn bare(i: &mut Inventory) {
    i.jobs.clear();
    i.models.clear();
    i.imported_models.clear();
    i.import_jobs.clear();
    i.copy_jobs.clear();
    i.deployments.clear();
    i.throughputs.clear();
}

#[test]
fn tags() {
    let c = "CUS-INV-06";
    let right: &[_] = &[("dep1", Pass, "ok"), ("job1", Pass, "ok"), ("model1", Pass, "ok"), ("pt1", Pass, "ok")];
    expect(c, "all", |_| {}, right);
    let of_model = |all: &'static [(&'static str, &'static str)]| {
        move |i: &mut Inventory| {
            let tags = all.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            i.models.get_mut(MODEL).unwrap().tags = got(tags);
        }
    };
    let missing: &[_] = &[right[0], right[1], ("model1", Fail, "missing-tags"), right[3]];
    expect(c, "none", of_model(&[]), missing);
    expect(c, "one lacks", of_model(&[("owner", "ml"), ("environment", "prod")]), missing);
    let empty = of_model(&[("owner", "ml"), ("environment", "prod"), ("data-classification", " ")]);
    expect(c, "an empty one says nothing", empty, missing);
    for other in [
        &[("Owner", "ml"), ("Env", "prod"), ("DataClassification", "x")],
        &[("orion:owner", "ml"), ("orion/environment", "prod"), ("data_classification", "x")],
        &[("OWNER", "ml"), ("Environment", "prod"), ("classification", "x")],
    ] {
        expect(c, "written otherwise", of_model(other), right);
    }
    let near = of_model(&[("co-owners", "ml"), ("environment", "prod"), ("data-classification", "x")]);
    expect(c, "another key", near, missing);
    let not_read = |i: &mut Inventory| i.jobs.get_mut(JOB).unwrap().tags = Read::NotAsked;
    expect(c, "not read", not_read, &[right[0], ("job1", Unknown, "unread"), right[2], right[3]]);
    expect(c, "nothing", bare, &[("us-east-1", NotApplicable, "not-applicable")]);
    let mut inventory = healthy();
    of_model(&[("owner", "ml")])(&mut inventory);
    let verdict = verdicts(&inventory, c).into_iter().find(|verdict| verdict.status == Fail).unwrap();
    assert_eq!(verdict.reason.as_str(), "model model1 has no tag for data-classification, environment");
}

#[test]
fn regions() {
    let c = "CUS-INV-08";
    let here = "us-east-1";
    let nothing: &[_] = &[(here, NotApplicable, "not-applicable")];
    let scp = |statement: serde_json::Value| {
        move |i: &mut Inventory| {
            i.organization_policies.get_mut("p-regions").unwrap().document = got(policy(json!([statement])));
        }
    };
    let deny = |regions: serde_json::Value| {
        scp(json!({"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}}))
    };
    expect(c, "in its region", |_| {}, &[(here, Pass, "ok")]);
    expect(c, "one of several", deny(json!(["eu-west-1", "us-east-1"])), &[(here, Pass, "ok")]);
    expect(c, "elsewhere only", deny(json!(["eu-west-1"])), &[(here, Fail, "region-denied")]);
    let free = &[(here, Warn, "region-not-limited")];
    expect(c, "no limit", |i| _ = i.organization_policies.remove("p-regions"), free);
    let storage = scp(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}));
    expect(c, "a limit for another service", storage, free);
    expect(c, "no organization", |i| i.settings.organization = got(None), free);
    let management = |i: &mut Inventory| {
        i.settings.organization.known_mut().unwrap().as_mut().unwrap().management_account = ACCOUNT.into();
    };
    expect(c, "the management account is not bound", management, free);
    let resource_policy = |i: &mut Inventory| {
        i.organization_policies.get_mut("p-regions").unwrap().kind = "RESOURCE_CONTROL_POLICY".into();
    };
    expect(c, "an RCP does not reach Bedrock", resource_policy, free);
    let allow_list = |i: &mut Inventory| {
        let only = json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]);
        i.organization_policies.remove("p-regions");
        i.organization_policies.get_mut("p-FullAWSAccess").unwrap().document = got(policy(only));
    };
    expect(c, "by an Allow", allow_list, &[(here, Pass, "ok")]);
    let tagged = scp(json!({"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1", "aws:PrincipalTag/team": "ml"}}}));
    expect(c, "by what is not known", tagged, &[(here, Unknown, "conditional")]);
    let from = |region: &str, account: &str| {
        let source = format!("arn:aws:bedrock:{region}:{account}:custom-model/m/x");
        let account = account.to_owned();
        move |i: &mut Inventory| copy(i, &source, &account, JobStatus::Completed)
    };
    let source = &[("eu-west-1", Fail, "source-region-denied"), (here, Pass, "ok")];
    expect(c, "copied from where it is denied", from("eu-west-1", ACCOUNT), source);
    expect(c, "copied from here", from("us-east-1", ACCOUNT), &[(here, Pass, "ok")]);
    expect(c, "of another account", from("eu-west-1", "777777777777"), &[(here, Pass, "ok")]);
    expect(
        c,
        "copied from where it is allowed",
        |i| {
            from("eu-west-1", ACCOUNT)(i);
            deny(json!(["eu-west-1", "us-east-1"]))(i);
        },
        &[("eu-west-1", Pass, "ok"), (here, Pass, "ok")],
    );
    expect(
        c,
        "copied, and no limit",
        |i| {
            from("eu-west-1", ACCOUNT)(i);
            i.organization_policies.remove("p-regions");
        },
        &[("eu-west-1", Warn, "region-not-limited"), (here, Warn, "region-not-limited")],
    );
    let broken = |i: &mut Inventory| {
        i.organization_policies.get_mut("p-regions").unwrap().document = got(crate::inventory::Document::new("{"));
    };
    expect(c, "no JSON", broken, &[(here, Unknown, "unread")]);
    let unread = |i: &mut Inventory| {
        i.organization_policies.get_mut("p-regions").unwrap().document = Read::NotAsked;
    };
    expect(c, "not read", unread, &[(here, Unknown, "unread")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::ORGANIZATION_POLICIES);
    expect(c, "not listed is not without limit", lost, &[(here, Unknown, "unread")]);
    expect(c, "nothing here", bare, nothing);
    let blind = |i: &mut Inventory| {
        bare(i);
        deny_from_the_start(i, SourceId::MODELS);
    };
    expect(c, "who knows what is here", blind, &[(here, Unknown, "unread")]);
}

#[test]
fn retention() {
    let c = "CUS-INV-09";
    let mode = |mode: &'static str| {
        move |i: &mut Inventory| {
            i.settings.data_retention = got(DataRetention { mode: mode.into(), updated: Some(now()) });
        }
    };
    expect(c, "none", |_| {}, &[("us-east-1", Pass, "ok")]);
    expect(c, "shared", mode("provider_data_share"), &[("us-east-1", Fail, "provider-sharing")]);
    expect(c, "default", mode("default"), &[("us-east-1", Warn, "mode-left-to-aws")]);
    expect(c, "inherit", mode("inherit"), &[("us-east-1", Warn, "mode-left-to-aws")]);
    expect(c, "newer than this program", mode("aws_review"), &[("us-east-1", Unknown, "unknown-mode")]);
    expect(c, "not read", |i| i.settings.data_retention = Read::NotAsked, &[("us-east-1", Unknown, "unread")]);
    let unsupported = |i: &mut Inventory| {
        let error = ReadError { kind: ErrorKind::Unsupported, ..error("bedrock:GetAccountDataRetention") };
        i.settings.data_retention = Read::failed(error);
    };
    expect(c, "not in this region", unsupported, &[("us-east-1", NotApplicable, "not-applicable")]);
    expect(c, "nothing here", bare, &[("us-east-1", NotApplicable, "not-applicable")]);
    let blind = |i: &mut Inventory| {
        bare(i);
        deny_from_the_start(i, SourceId::DEPLOYMENTS);
    };
    expect(c, "who knows what is here", blind, &[("us-east-1", Unknown, "unread")]);
    let mut inventory = healthy();
    mode("default")(&mut inventory);
    assert_eq!(verdicts(&inventory, c)[0].severity, Severity::Low);
}
