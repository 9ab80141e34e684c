//! CUS-INV-01, 02 and 07: throughput, deployments, and what they serve.

use crate::inventory::bedrock::{DeploymentDetail, JobStatus, Throughput};
use crate::inventory::cloudwatch::Metric;
use crate::inventory::{Inventory, Read, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

const DAY: i64 = 86_400;
const OTHER: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model/m/other";

#[test]
pub fn throughput() {
    let c = "CUS-INV-01";
    let set = |change: fn(&mut Throughput)| move |i: &mut Inventory| change(i.throughputs.get_mut(THROUGHPUT).unwrap());
    let invoked = |month: f64| {
        move |i: &mut Inventory| {
            i.metrics.get_mut(&Metric::id_of("Invocations", Some(&THROUGHPUT.into()))).unwrap().month = month;
        }
    };
    expect(c, "in use", |_| {}, &[("pt1", Pass, "ok")]);
    expect(c, "failed", set(|t| t.status = "Failed".into()), &[("pt1", Fail, "not-in-service")]);
    expect(c, "being made", set(|t| t.status = "Creating".into()), &[("pt1", Warn, "not-in-service")]);
    expect(c, "drifted", set(|t| t.desired_model = Some(OTHER.into())), &[("pt1", Warn, "drift")]);
    let moving = set(|t| (t.desired_model, t.status) = (Some(OTHER.into()), "Updating".into()));
    expect(c, "on the way", moving, &[("pt1", Warn, "not-in-service")]);
    expect(c, "an older case", set(|t| t.desired_model = None), &[("pt1", Pass, "ok")]);
    let missing = set(|t| (t.model, t.desired_model) = (OTHER.into(), None));
    expect(c, "of a model that is gone", missing, &[("pt1", Fail, "model-missing")]);
    let foreign = set(|t| (t.model, t.desired_model) = (SHARED_MODEL.into(), None));
    expect(c, "of another account", foreign, &[("pt1", Fail, "foreign-model")]);
    let base = set(|t| {
        t.model = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1".into();
        t.desired_model = None;
    });
    expect(c, "of a base model", base, &[("pt1", Pass, "ok")]);
    expect(c, "idle", invoked(0.0), &[("pt1", Fail, "idle")]);
    expect(
        c,
        "young, and not used yet",
        |i| {
            invoked(0.0)(i);
            set(|t| t.created = now().plus_secs(-2 * DAY))(i);
        },
        &[("pt1", Pass, "ok")],
    );
    expect(c, "not counted", |i| i.metrics.clear(), &[("pt1", Unknown, "not-counted")]);
    let ends = |days: i64| {
        move |i: &mut Inventory| {
            i.throughputs.get_mut(THROUGHPUT).unwrap().commitment_ends = Some(now().plus_secs(days * DAY));
        }
    };
    expect(c, "ends soon", ends(9), &[("pt1", Warn, "commitment-ends")]);
    expect(c, "ends later", ends(90), &[("pt1", Pass, "ok")]);
    expect(c, "has ended", ends(-9), &[("pt1", Pass, "ok")]);
    let mut inventory = healthy();
    ends(9)(&mut inventory);
    assert_eq!(verdicts(&inventory, c)[0].severity, Severity::Low);
    let lost = |i: &mut Inventory| {
        i.models.clear();
        deny(i, SourceId::MODELS);
    };
    expect(c, "not listed is not gone", lost, &[("pt1", Unknown, "unread")]);
    expect(c, "none", |i| i.throughputs.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
pub fn what_is_deployed() {
    let c = "CUS-INV-02";
    let keyless = |i: &mut Inventory| {
        i.models.get_mut(MODEL).and_then(|model| model.detail.known_mut()).unwrap().kms_key = None;
    };
    let moving = |to: &'static str| {
        move |i: &mut Inventory| {
            let detail = DeploymentDetail {
                updating_to: Some(to.into()),
                update_status: Some("Updating".into()),
                failure: None,
            };
            i.deployments.get_mut(DEPLOYMENT).unwrap().detail = got(detail);
        }
    };
    let status = |status: &'static str| {
        move |i: &mut Inventory| i.deployments.get_mut(DEPLOYMENT).unwrap().status = status.into()
    };
    expect(c, "right", |_| {}, &[("dep1", Pass, "ok")]);
    expect(c, "a model without a key", keyless, &[("dep1", Fail, "model-not-compliant")]);
    expect(c, "no logging", |i| i.logging = got(None), &[("dep1", Fail, "region-not-compliant")]);
    let both: &[_] = &[("dep1", Fail, "model-not-compliant"), ("dep1", Fail, "region-not-compliant")];
    expect(
        c,
        "both",
        |i| {
            keyless(i);
            i.logging = got(None);
        },
        both,
    );
    let gone = |i: &mut Inventory| i.deployments.get_mut(DEPLOYMENT).unwrap().model = OTHER.into();
    expect(c, "of a model that is gone", gone, &[("dep1", Fail, "model-missing")]);
    expect(
        c,
        "of one that is only shared",
        |i| {
            i.deployments.get_mut(DEPLOYMENT).unwrap().model = SHARED_MODEL.into();
        },
        &[("dep1", Fail, "model-missing")],
    );
    expect(
        c,
        "moved to a model without a key",
        |i| {
            let mut next = model(OTHER);
            next.detail.known_mut().unwrap().kms_key = None;
            i.models.insert(OTHER.into(), next);
            moving(OTHER)(i);
        },
        &[("dep1", Fail, "model-not-compliant")],
    );
    expect(c, "moved to itself", moving(MODEL), &[("dep1", Pass, "ok")]);
    let being_made = |i: &mut Inventory| {
        keyless(i);
        status("Creating")(i);
    };
    expect(c, "being made", being_made, &[("dep1", Fail, "model-not-compliant")]);
    expect(c, "failed", status("Failed"), &[("us-east-1", NotApplicable, "not-applicable")]);
    let not_read = |i: &mut Inventory| i.deployments.get_mut(DEPLOYMENT).unwrap().detail = Read::NotAsked;
    expect(c, "not read", not_read, &[("dep1", Unknown, "unread")]);
    let key = |i: &mut Inventory| i.keys.get_mut(KEY).unwrap().metadata = Read::NotAsked;
    expect(c, "what another control does not know", key, &[("dep1", Unknown, "unread")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::MODELS);
    expect(
        c,
        "not listed is not gone",
        lost,
        &[("dep1", Unknown, "unread"), ("us-east-1", Unknown, "list-incomplete")],
    );
    expect(c, "none", |i| i.deployments.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
pub fn evaluations_and_base_models() {
    let c = "CUS-INV-07";
    let titan = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1";
    let evaluated = |change: fn(&mut crate::inventory::bedrock::EvaluationJob)| {
        move |i: &mut Inventory| change(i.evaluation_jobs.get_mut(EVALUATION).unwrap())
    };
    let base = |change: fn(&mut crate::inventory::bedrock::FoundationModel)| {
        move |i: &mut Inventory| change(i.foundation_models.get_mut(titan).unwrap())
    };
    let not: &[_] = &[("model1", Fail, "not-evaluated")];
    let pass: &[_] = &[("model1", Pass, "ok")];
    expect(c, "evaluated", |_| {}, pass);
    expect(c, "by what serves it", evaluated(|job| job.models = vec![THROUGHPUT.into()]), pass);
    expect(c, "by its deployment", evaluated(|job| job.models = vec![DEPLOYMENT.into()]), pass);
    expect(c, "never", |i| i.evaluation_jobs.clear(), not);
    expect(c, "another model", evaluated(|job| job.models = vec![OTHER.into()]), not);
    expect(c, "not yet", evaluated(|job| job.status = JobStatus::InProgress), not);
    expect(c, "in vain", evaluated(|job| job.status = JobStatus::Failed), not);
    expect(c, "before it was made", evaluated(|job| job.created = now().plus_secs(-DAY)), not);
    expect(
        c,
        "a base model of before",
        base(|model| model.lifecycle = "LEGACY".into()),
        &[("model1", Fail, "base-legacy")],
    );
    let ends = |i: &mut Inventory, days: i64| {
        i.foundation_models.get_mut(titan).unwrap().ends = Some(now().plus_secs(days * DAY));
    };
    expect(c, "that ends soon", |i| ends(i, 89), &[("model1", Fail, "base-ends-soon")]);
    expect(c, "that has ended", |i| ends(i, -1), &[("model1", Fail, "base-ends-soon")]);
    expect(c, "that lasts", |i| ends(i, 91), pass);
    expect(c, "not listed any more", |i| i.foundation_models.clear(), &[("model1", Warn, "base-not-listed")]);
    let variant = |i: &mut Inventory| i.models.get_mut(MODEL).unwrap().base_model = format!("{titan}:128k").into();
    expect(c, "named with a variant", variant, pass);
    expect(c, "made without one", |i| i.models.get_mut(MODEL).unwrap().base_model = "".into(), pass);
    let both: &[_] = &[("model1", Fail, "base-legacy"), ("model1", Fail, "not-evaluated")];
    expect(
        c,
        "both",
        |i| {
            i.evaluation_jobs.clear();
            base(|model| model.lifecycle = "LEGACY".into())(i);
        },
        both,
    );
    let unserved = |i: &mut Inventory| {
        i.deployments.clear();
        i.throughputs.clear();
        i.evaluation_jobs.clear();
    };
    expect(c, "not served", unserved, &[("us-east-1", NotApplicable, "not-applicable")]);
    let failed = |i: &mut Inventory| {
        i.deployments.get_mut(DEPLOYMENT).unwrap().status = "Failed".into();
        i.throughputs.get_mut(THROUGHPUT).unwrap().status = "Failed".into();
    };
    expect(c, "by what has failed", failed, &[("us-east-1", NotApplicable, "not-applicable")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::EVALUATION_JOBS);
    expect(c, "not listed is not never", lost, &[("model1", Unknown, "unread")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::FOUNDATION_MODELS);
    expect(c, "base models not listed", lost, &[("model1", Unknown, "unread")]);
}
