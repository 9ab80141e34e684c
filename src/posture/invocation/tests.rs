//! Tables for the controls of invocation: pass, every way to fail, unknown, not applicable.

mod capacity;
mod received;

use serde_json::json;

use crate::inventory::bedrock::{CopyJob, JobStatus};
use crate::inventory::organization::OrganizationPolicy;
use crate::inventory::settings::DataRetention;
use crate::inventory::{ErrorKind, Inventory, Read, ReadError, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;
use crate::posture::{Severity, Status};

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
    let right = ["dep1", "import1", "imported1", "job1", "model1", "pt1"].map(|name| (name, Pass, "ok"));
    let but = |name, status, code| right.map(|one| if one.0 == name { (name, status, code) } else { one });
    expect(c, "all", |_| {}, &right);
    let of_model = |all: &'static [(&'static str, &'static str)]| {
        move |i: &mut Inventory| {
            let tags = all.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            i.models.get_mut(MODEL).unwrap().tags = got(tags);
        }
    };
    let missing = &but("model1", Fail, "missing-tags");
    expect(c, "none", of_model(&[]), missing);
    expect(c, "one lacks", of_model(&[("owner", "ml"), ("environment", "prod")]), missing);
    let empty = of_model(&[("owner", "ml"), ("environment", "prod"), ("data-classification", " ")]);
    expect(c, "an empty one says nothing", empty, missing);
    for other in [
        &[("Owner", "ml"), ("Env", "prod"), ("DataClassification", "x")],
        &[("orion:owner", "ml"), ("orion/environment", "prod"), ("data_classification", "x")],
        &[("OWNER", "ml"), ("Environment", "prod"), ("classification", "x")],
    ] {
        expect(c, "written otherwise", of_model(other), &right);
    }
    let near = of_model(&[("co-owners", "ml"), ("environment", "prod"), ("data-classification", "x")]);
    expect(c, "another key", near, missing);
    let not_read = |i: &mut Inventory| i.jobs.get_mut(JOB).unwrap().tags = Read::NotAsked;
    expect(c, "not read", not_read, &but("job1", Unknown, "unread"));
    let bare_import = |i: &mut Inventory| i.imported_models.get_mut(IMPORTED).unwrap().tags = got([].into());
    expect(c, "an imported model without", bare_import, &but("imported1", Fail, "missing-tags"));
    let bare_job = |i: &mut Inventory| i.import_jobs.get_mut(IMPORT_JOB).unwrap().tags = Read::NotAsked;
    expect(c, "an import job's not read", bare_job, &but("import1", Unknown, "unread"));
    expect(c, "nothing", bare, &[("us-east-1", NotApplicable, "not-applicable")]);
    let mut inventory = healthy();
    of_model(&[("owner", "ml")])(&mut inventory);
    let verdict = verdicts(&inventory, c).into_iter().find(|verdict| verdict.status == Fail).unwrap();
    assert_eq!(verdict.reason.as_str(), "model model1 has no tag for data-classification, environment");
}

/// Another statement for the policy that limits regions.
fn scp(statement: serde_json::Value) -> impl FnOnce(&mut Inventory) {
    move |i| i.organization_policies.get_mut("p-regions").unwrap().document = got(policy(json!([statement])))
}

/// The limit to these regions.
fn limit(regions: serde_json::Value) -> impl FnOnce(&mut Inventory) {
    scp(json!({"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}}))
}

/// Expects of an account that copied nothing and is limited to its own region, unless the case says otherwise.
fn limited(what: &str, spoil: impl FnOnce(&mut Inventory), expected: &[(&str, Status, &str)]) {
    let alone = |i: &mut Inventory| {
        i.copy_jobs.clear();
        limit(json!("us-east-1"))(i);
        spoil(i);
    };
    expect("CUS-INV-08", what, alone, expected);
}

#[test]
fn regions() {
    let c = "CUS-INV-08";
    let here = "us-east-1";
    let nothing: &[_] = &[(here, NotApplicable, "not-applicable")];
    let both = [("eu-west-1", Pass, "ok"), (here, Pass, "ok")];
    expect(c, "the healthy account, and the region of a copy's source", |_| {}, &both);
    limited("in its region", |_| {}, &[(here, Pass, "ok")]);
    limited("one of several", limit(json!(["eu-west-1", "us-east-1"])), &[(here, Pass, "ok")]);
    limited("elsewhere only", limit(json!(["eu-west-1"])), &[(here, Fail, "region-denied")]);
    let free = &[(here, Warn, "region-not-limited")];
    limited("no limit", |i| _ = i.organization_policies.remove("p-regions"), free);
    let storage = scp(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}));
    limited("a limit for another service", storage, free);
    limited("no organization", |i| i.settings.organization = got(None), free);
    let management = |i: &mut Inventory| {
        i.settings.organization.known_mut().unwrap().as_mut().unwrap().management_account = ACCOUNT.into();
    };
    limited("the management account is not bound", management, free);
    let resource_policy = |i: &mut Inventory| {
        i.organization_policies.get_mut("p-regions").unwrap().kind = "RESOURCE_CONTROL_POLICY".into();
    };
    limited("an RCP does not reach Bedrock", resource_policy, free);
    let allow_list = |i: &mut Inventory| {
        let only = json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]);
        i.organization_policies.remove("p-regions");
        i.organization_policies.get_mut("p-FullAWSAccess").unwrap().document = got(policy(only));
    };
    limited("by an Allow", allow_list, &[(here, Pass, "ok")]);
    let tagged = scp(json!({"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1", "aws:PrincipalTag/team": "ml"}}}));
    limited("by what is not known", tagged, &[(here, Unknown, "conditional")]);
    let from = |region: &str, account: &str| {
        let source = format!("arn:aws:bedrock:{region}:{account}:custom-model/m/x");
        let account = account.to_owned();
        move |i: &mut Inventory| copy(i, &source, &account, JobStatus::Completed)
    };
    let source = &[("eu-west-1", Fail, "source-region-denied"), (here, Pass, "ok")];
    limited("copied from where it is denied", from("eu-west-1", ACCOUNT), source);
    limited("copied from here", from("us-east-1", ACCOUNT), &[(here, Pass, "ok")]);
    limited("of another account", from("eu-west-1", "777777777777"), &[(here, Pass, "ok")]);
    limited(
        "copied from where it is allowed",
        |i| {
            from("eu-west-1", ACCOUNT)(i);
            limit(json!(["eu-west-1", "us-east-1"]))(i);
        },
        &[("eu-west-1", Pass, "ok"), (here, Pass, "ok")],
    );
    limited(
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
    limited("no JSON", broken, &[(here, Unknown, "unread")]);
    let unread = |i: &mut Inventory| {
        i.organization_policies.get_mut("p-regions").unwrap().document = Read::NotAsked;
    };
    limited("not read", unread, &[(here, Unknown, "unread")]);
    let bare_level = |i: &mut Inventory| {
        i.organization_policies.values_mut().for_each(|held| held.targets.retain(|on| on.as_str() != "ou-1"));
    };
    limited("a unit without any policy was not seen whole", bare_level, &[(here, Unknown, "unread")]);
    let elsewhere = |i: &mut Inventory| {
        let broken = crate::inventory::Document::new("{");
        let held = i.organization_policies["p-regions"].clone();
        let held = OrganizationPolicy { id: "p-x".into(), targets: vec!["ou-x".into()], document: got(broken), ..held };
        i.organization_policies.insert("p-x".into(), held);
    };
    limited("a policy on another unit does not matter", elsewhere, &[(here, Pass, "ok")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::ORGANIZATION_POLICIES);
    limited("not listed is not without limit", lost, &[(here, Unknown, "unread")]);
    limited("nothing here", bare, nothing);
    let blind = |i: &mut Inventory| {
        bare(i);
        deny_from_the_start(i, SourceId::MODELS);
    };
    limited("who knows what is here", blind, &[(here, Unknown, "unread")]);
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
