//! Tables for API keys, unused rights, service roles and graders: pass, every way to fail, unknown, not applicable.

use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::inventory::bedrock::{CloudWatchLogging, JobStatus, VpcConfig};
use crate::inventory::feeders::FunctionConfiguration;
use crate::inventory::iam::{ApiKey, InlinePolicy, LastAccessed, LastUse, ManagedPolicy};
use crate::inventory::organization::OrganizationPolicy;
use crate::inventory::{Document, Inventory, Read, Tags};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[long_term_keys, rights_that_rest, purposes_of_roles, functions_that_grade];

const NOTHING: &[(&str, crate::posture::Status, &str)] = &[("us-east-1", NotApplicable, "not-applicable")];
const DAY: i64 = 86_400;

fn rights_of_ci(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |i| {
        i.users.get_mut(CI).unwrap().inline = vec![InlinePolicy { name: "own".into(), document: policy(statements) }];
    }
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

#[test]
fn long_term_keys() {
    let c = "CUS-IAM-09";
    let key = |change: fn(&mut ApiKey)| move |i: &mut Inventory| change(i.api_keys.get_mut(API_KEY).unwrap());
    let fine: &[_] = &[(API_KEY, Pass, "ok")];
    let fails = |code: &'static str| [(API_KEY, Fail, code)];
    expect(c, "thirty days", |_| {}, fine);
    expect(c, "no end", key(|key| key.expires = None), &fails("never-expires"));
    let lives: [(fn(&mut ApiKey), _); 4] = [
        (|key| key.expires = Some(key.created.plus_secs(90 * DAY + 60)), None),
        (|key| key.expires = Some(key.created.plus_secs(91 * DAY)), Some("expires-late")),
        (|key| key.expires = Some(key.created.plus_secs(3649 * DAY)), Some("expires-late")),
        (|key| key.expires = Some(key.created.plus_secs(36_600 * DAY)), Some("never-expires")),
    ];
    for (change, code) in lives {
        expect(c, "a life", key(change), &code.map_or([(API_KEY, Pass, "ok")], fails));
    }
    let inactive = key(|key| {
        key.active = false;
        key.expires = None;
    });
    expect(c, "inactive", inactive, fine);
    let expired = key(|key| {
        key.created = now().plus_secs(-400 * DAY);
        key.expires = Some(now().plus_secs(-1));
    });
    expect(c, "expired", expired, fine);
    let bearer = || allow("bedrock:CallWithBearerToken", "*");
    let both = |statement: Value| rights_of_ci(json!([bearer(), statement]));
    let privileged = fails("privileged-user");
    for (action, resource) in [
        ("bedrock:CreateModelCustomizationJob", "*"),
        ("bedrock:CreateModelImportJob", "*"),
        ("bedrock:DeleteCustomModel", "arn:aws:bedrock:us-east-1:123456789012:custom-model/m/model1"),
        ("bedrock:UpdateGuardrail", "arn:aws:bedrock:us-east-1:123456789012:guardrail/g1"),
        ("bedrock:Put*", "*"),
        ("*", "*"),
    ] {
        expect(c, action, both(allow(action, resource)), &privileged);
    }
    for (action, resource) in [
        ("bedrock:Get*", "*"),
        ("bedrock:InvokeModel", "*"),
        // Bedrock authorises an import on everything or nothing.
        ("bedrock:CreateModelImportJob", "arn:aws:bedrock:us-east-1:123456789012:custom-model/x"),
        ("bedrock:DeleteCustomModel", "arn:aws:bedrock:eu-west-1:123456789012:custom-model/x"),
    ] {
        expect(c, action, both(allow(action, resource)), fine);
    }
    let lame = rights_of_ci(json!([allow("bedrock:DeleteCustomModel", "*")]));
    expect(c, "may not use a key at all", lame, fine);
    let refused = json!([allow("bedrock:*", "*"), {"Effect": "Deny", "Action": "bedrock:CallWithBearerToken",
        "Resource": "*", "Condition": {"StringEquals": {"bedrock:BearerTokenType": "LONG_TERM"}}}]);
    expect(c, "may use short-term keys only", rights_of_ci(refused), fine);
    let attached = |i: &mut Inventory| {
        i.users.get_mut(CI).unwrap().attached.push("arn:aws:iam::aws:policy/Unseen".into());
    };
    expect(c, "a policy that is not there", attached, &[(API_KEY, Unknown, "uncertain")]);
    expect(
        c,
        "a policy that is not there, and no end",
        |i| {
            attached(i);
            key(|key| key.expires = None)(i);
        },
        &[(API_KEY, Fail, "never-expires"), (API_KEY, Unknown, "uncertain")],
    );
    expect(
        c,
        "a boundary",
        |i| {
            both(allow("bedrock:*", "*"))(i);
            let arn = "arn:aws:iam::123456789012:policy/Bound";
            let document = policy(json!([allow("bedrock:Invoke*", "*"), allow("bedrock:CallWithBearerToken", "*")]));
            i.policies.insert(
                arn.into(),
                ManagedPolicy { arn: arn.into(), name: "Bound".into(), version: "v1".into(), document },
            );
            i.users.get_mut(CI).unwrap().boundary = Some(arn.into());
        },
        fine,
    );
    expect(c, "a user that is not there", |i| i.users.clear(), &[(API_KEY, Unknown, "uncertain")]);
    expect(c, "none", |i| i.api_keys.clear(), NOTHING);
    let mut inventory = healthy();
    key(|key| key.expires = None)(&mut inventory);
    let deny = json!([{"Effect": "Deny", "Action": "bedrock:CallWithBearerToken", "Resource": "*"}]);
    let scp = OrganizationPolicy {
        id: "p-1".into(),
        name: "NoKeys".into(),
        kind: "SERVICE_CONTROL_POLICY".into(),
        aws_managed: false,
        targets: Vec::new(),
        document: got(policy(deny)),
    };
    inventory.organization_policies.clear();
    inventory.organization_policies.insert("p-1".into(), scp);
    let verdict = verdicts(&inventory, c).remove(0);
    assert_eq!(verdict.severity, Severity::Critical);
    let shown = verdict.evidence.iter().find(|fact| fact.label == "serviceControlPolicy").unwrap();
    assert_eq!(shown.value.as_str(), "NoKeys denies CallWithBearerToken of bedrock");
}

#[test]
fn rights_that_rest() {
    let c = "CUS-IAM-10";
    let says = |app, ci| -> [(&'static str, crate::posture::Status, &'static str); 2] {
        let (app, ci): ((_, _), (_, _)) = (app, ci);
        [("App", app.0, app.1), ("ci", ci.0, ci.1)]
    };
    let fine = (Pass, "ok");
    let old = Timestamp::from_secs(1_600_000_000);
    // Both exist for long, and App has used Bedrock so.
    let used = |at: Option<Timestamp>, actions: &'static [(&'static str, Option<i64>)]| {
        move |i: &mut Inventory| {
            i.roles.get_mut(APP).unwrap().created = old;
            i.users.get_mut(CI).unwrap().created = old;
            let actions =
                actions.iter().map(|(name, at)| ((*name).into(), at.map(|days| now().plus_secs(-days * DAY))));
            let detail = LastAccessed { at, region: None, actions: actions.collect() };
            i.last_uses.get_mut(APP).unwrap().detail = got(detail);
        }
    };
    let ago = |days: i64| Some(now().plus_secs(-days * DAY));
    expect(c, "new", |_| {}, &says(fine, fine));
    expect(c, "lately", used(ago(90), &[]), &says(fine, fine));
    expect(c, "long ago", used(ago(91), &[]), &says((Fail, "bedrock-unused"), fine));
    expect(c, "never", used(None, &[]), &says((Fail, "bedrock-unused"), fine));
    expect(
        c,
        "never, but new",
        |i| {
            used(None, &[])(i);
            i.roles.get_mut(APP).unwrap().created = now().plus_secs(-DAY);
        },
        &says(fine, fine),
    );
    let tuner = |days: &'static [(&'static str, Option<i64>)]| {
        move |i: &mut Inventory| {
            let rights = json!([allow("bedrock:CreateModelCustomizationJob", "*"), allow("bedrock:InvokeModel", "*")]);
            i.roles.insert(APP.into(), role(APP, json!([]), rights));
            used(ago(1), days)(i);
        }
    };
    let rests = says((Fail, "customization-unused"), fine);
    expect(c, "never customized", tuner(&[("CreateModelCustomizationJob", None)]), &rests);
    expect(c, "customized long ago", tuner(&[("CreateModelCustomizationJob", Some(200))]), &rests);
    expect(c, "customized lately", tuner(&[("CreateModelCustomizationJob", Some(3))]), &says(fine, fine));
    expect(c, "another right is tracked", tuner(&[("DeleteCustomModel", None)]), &says(fine, fine));
    expect(c, "nothing is tracked", tuner(&[]), &says(fine, fine));
    let harmless = |i: &mut Inventory| {
        used(None, &[])(i);
        i.roles.get_mut(APP).unwrap().inline.clear();
    };
    expect(c, "no rights over models", harmless, &[("ci", Pass, "ok")]);
    expect(
        c,
        "rights over base models",
        |i| {
            used(None, &[])(i);
            let base = "arn:aws:bedrock:us-east-1::foundation-model/*";
            i.roles.get_mut(APP).unwrap().inline = vec![InlinePolicy {
                name: "own".into(),
                document: policy(json!([allow("bedrock:InvokeModel", base)])),
            }];
        },
        &[("ci", Pass, "ok")],
    );
    expect(
        c,
        "rights that are not known",
        |i| {
            harmless(i);
            i.roles.get_mut(APP).unwrap().attached.push("arn:aws:iam::aws:policy/Unseen".into());
        },
        &says((Unknown, "uncertain"), fine),
    );
    let unread = says((Unknown, "unread"), fine);
    expect(c, "not read", |i| i.last_uses.get_mut(APP).unwrap().detail = Read::NotAsked, &unread);
    expect(c, "no report", |i| i.last_uses.get_mut(APP).unwrap().report = Read::NotAsked, &unread);
    expect(
        c,
        "gone",
        |i| {
            i.roles.remove(APP);
        },
        &[("ci", Pass, "ok")],
    );
    expect(
        c,
        "nothing is customized",
        |i| {
            i.jobs.clear();
            i.import_jobs.clear();
            i.models.clear();
            i.imported_models.clear();
        },
        NOTHING,
    );
    let mut inventory = healthy();
    for at in 0..LastUse::MOST {
        let arn = format!("arn:aws:iam::123456789012:role/r{at}");
        inventory.last_uses.insert(arn.as_str().into(), last_use(&arn));
    }
    assert!(super::super::fixtures::says(&inventory, c).contains(&("us-east-1".to_owned(), Unknown, "truncated")));
}

#[test]
fn purposes_of_roles() {
    let c = "CUS-IAM-11";
    let of = |tuner: &[(crate::posture::Status, &'static str)]| {
        let mut all: Vec<_> = ["Batcher", "Evaluator", "Importer", "Logger"].map(|name| (name, Pass, "ok")).into();
        all.extend(tuner.iter().map(|(status, code)| ("Tuner", *status, *code)));
        all
    };
    // Where the log is written by another role, or a role has other work as well.
    let without = |name: &str, mut all: Vec<(&'static str, crate::posture::Status, &'static str)>| {
        all.retain(|(role, ..)| *role != name);
        all
    };
    expect(c, "one each", |_| {}, &of(&[(Pass, "ok")]));
    let shared = |i: &mut Inventory| import_detail(i).role = TUNER.into();
    expect(c, "customizes and imports", shared, &without("Importer", of(&[(Fail, "shared-role")])));
    let logs = |role: &str| {
        let role = id(role);
        move |i: &mut Inventory| {
            let logging = i.logging.known_mut().and_then(Option::as_mut).unwrap();
            logging.cloud_watch = Some(CloudWatchLogging { log_group: "prompts".into(), role, large_data: None });
        }
    };
    expect(c, "customizes and logs", logs(TUNER), &without("Logger", of(&[(Fail, "shared-role")])));
    let tagged = |jobs: &'static [(&'static str, &'static str, &'static str)]| {
        move |i: &mut Inventory| {
            i.jobs.clear();
            for (at, (name, tag, class)) in jobs.iter().enumerate() {
                let arn = format!("arn:aws:bedrock:us-east-1:123456789012:model-customization-job/m/{name}");
                let mut one = job(&arn, name, JobStatus::Completed, i64::try_from(at).unwrap());
                one.tags = got(Tags::from([((*tag).into(), (*class).into())]));
                i.jobs.insert(arn.into(), one);
            }
        }
    };
    let mixed = of(&[(Fail, "mixed-classification")]);
    let one = of(&[(Pass, "ok")]);
    for (jobs, expected) in [
        (&[("a", "data-classification", "secret"), ("b", "DataClassification", "public")][..], &mixed),
        (&[("a", "data-classification", "Secret"), ("b", "data_classification", "secret ")][..], &one),
        (&[("a", "data-classification", "secret"), ("b", "team", "public")][..], &one),
        (&[("a", "data-classification", "secret"), ("b", "data-classification", "")][..], &one),
    ] {
        expect(c, "classes", tagged(jobs), expected);
    }
    let gone = |i: &mut Inventory| {
        i.roles.remove(TUNER);
    };
    expect(c, "gone, and the newest job's", gone, &of(&[(Warn, "dangling-role")]));
    expect(
        c,
        "gone, and an old job's",
        |i| {
            gone(i);
            let arn = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/m/job2";
            let mut newer = job(arn, "m2", JobStatus::Completed, 200);
            newer.tags = got(Tags::new());
            newer.detail.known_mut().unwrap().role = APP.into();
            i.jobs.insert(arn.into(), newer);
        },
        &[
            ("App", Pass, "ok"),
            ("Batcher", Pass, "ok"),
            ("Evaluator", Pass, "ok"),
            ("Importer", Pass, "ok"),
            ("Logger", Pass, "ok"),
            ("Tuner", NotApplicable, "not-applicable"),
        ],
    );
    let nobody = "arn:aws:iam::123456789012:role/Nobody";
    let dangling = [&of(&[(Pass, "ok")])[..3], &[("Nobody", Warn, "dangling-role"), ("Tuner", Pass, "ok")]].concat();
    expect(c, "logging as nobody", logs(nobody), &dangling);
    expect(c, "nothing runs", |i| *i = empty(), NOTHING);
}

#[test]
fn functions_that_grade() {
    let c = "CUS-IAM-12";
    // The ARN of a function ends in its name.
    let fine: &[_] = &[("grader", Pass, "ok")];
    let fails = |code: &'static str| [("grader", Fail, code)];
    let warns = |code: &'static str| [("grader", Warn, code)];
    let function = |i: &mut Inventory, change: &dyn Fn(&mut FunctionConfiguration)| {
        let configuration = i.functions.get_mut(GRADER).and_then(|one| one.configuration.known_mut());
        change(configuration.and_then(Option::as_mut).unwrap());
    };
    expect(c, "Bedrock alone, isolated", |_| {}, fine);
    let invocable = |principal: Value, condition: Value| {
        let one = json!({"Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": GRADER,
            "Condition": condition});
        move |i: &mut Inventory| i.functions.get_mut(GRADER).unwrap().policy = got(Some(policy(json!([one]))))
    };
    expect(c, "by identity alone", |i| i.functions.get_mut(GRADER).unwrap().policy = got(None), fine);
    let bedrock = || json!({"Service": "bedrock.amazonaws.com"});
    let ours = || json!({"StringEquals": {"AWS:SourceAccount": "123456789012"}});
    for (what, principal, condition, expected) in [
        ("Bedrock for anybody", bedrock(), json!({}), fails("source-account-missing")),
        (
            "Bedrock for an ARN only",
            bedrock(),
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:bedrock:*"}}),
            fails("source-account-missing"),
        ),
        (
            "Bedrock, if it says",
            bedrock(),
            json!({"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}),
            fails("source-account-missing"),
        ),
        ("everybody", json!("*"), json!({}), fails("public-principal")),
        ("everybody in AWS", json!({"AWS": "*"}), json!({}), fails("public-principal")),
        ("everybody of ours", json!("*"), ours(), warns("other-principal")),
        (
            "everybody of an organization",
            json!("*"),
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}),
            warns("other-principal"),
        ),
        ("a foreign account", json!({"AWS": "444455556666"}), json!({}), fails("foreign-account")),
        ("a foreign role", json!({"AWS": "arn:aws:iam::444455556666:role/x"}), json!({}), fails("foreign-account")),
        ("a trusted account", json!({"AWS": "777777777777"}), json!({}), warns("other-principal")),
        ("another service", json!({"Service": "events.amazonaws.com"}), json!({}), warns("other-principal")),
        ("another role", json!({"AWS": APP}), json!({}), warns("other-principal")),
        ("the job's role", json!({"AWS": TUNER}), json!({}), [("grader", Pass, "ok")]),
        ("our account", json!({"AWS": "123456789012"}), json!({}), [("grader", Pass, "ok")]),
        ("a deleted role", json!({"AWS": "AROAEXAMPLEID1234567"}), json!({}), [("grader", Pass, "ok")]),
    ] {
        expect(c, what, invocable(principal, condition), &expected);
    }
    let raw = |raw: &'static str| {
        move |i: &mut Inventory| i.functions.get_mut(GRADER).unwrap().policy = got(Some(Document::new(raw)))
    };
    let look = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"lambda:GetFunction","Resource":"*"}]}"#;
    expect(c, "to look is not to invoke", raw(look), fine);
    let not = r#"{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"444455556666"},"Action":"lambda:*","Resource":"*"}]}"#;
    expect(c, "everybody but", raw(not), &fails("public-principal"));
    expect(c, "no JSON", raw("{,"), &[("grader", Unknown, "malformed")]);
    expect(
        c,
        "a malformed statement",
        raw(r#"{"Statement":[{"Effect":"allow"}]}"#),
        &[("grader", Unknown, "uncertain")],
    );
    expect(c, "no VPC", |i| function(i, &|f| f.vpc = None), &fails("open-network"));
    expect(
        c,
        "a way to the internet",
        |i| i.route_tables.get_mut(TABLE).unwrap().routes.push(route("0.0.0.0/0", "nat-1")),
        &fails("open-network"),
    );
    expect(
        c,
        "a way out of the VPC",
        |i| i.route_tables.get_mut(TABLE).unwrap().routes.push(route("0.0.0.0/0", "tgw-1")),
        &warns("open-network"),
    );
    let elsewhere = VpcConfig { subnets: vec!["subnet-9".into()], security_groups: Vec::new() };
    expect(
        c,
        "subnets that were not read",
        |i| function(i, &|f| f.vpc = Some(elsewhere.clone())),
        &[("grader", Unknown, "uncertain")],
    );
    let may = |statement: Value| {
        move |i: &mut Inventory| {
            i.roles.insert(GRADER_ROLE.into(), role(GRADER_ROLE, json!([]), json!([statement])));
        }
    };
    let reaches = fails("reaches-buckets");
    for (action, resource) in [
        ("s3:PutObject", "arn:aws:s3:::elsewhere/*"),
        ("s3:*", "*"),
        ("*", "*"),
        ("s3:Get*", "arn:aws:s3:::*"),
        ("s3:GetObject", "arn:aws:s3:::train-*/*"),
    ] {
        expect(c, resource, may(allow(action, resource)), &reaches);
    }
    for (action, resource) in [
        ("s3:GetObject", "arn:aws:s3:::train/*"),
        ("s3:GetBucketLocation", "*"),
        ("s3:PutObject", "arn:aws:dynamodb:us-east-1:123456789012:table/x"),
    ] {
        expect(c, resource, may(allow(action, resource)), fine);
    }
    let all_but = json!({"Effect": "Allow", "Action": "s3:PutObject", "NotResource": "arn:aws:s3:::train/*"});
    expect(c, "all but its own", may(all_but), &reaches);
    let unsure: &[_] = &[("grader", Unknown, "uncertain")];
    expect(
        c,
        "a role that is gone",
        |i| {
            i.roles.remove(GRADER_ROLE);
        },
        unsure,
    );
    expect(c, "no role ARN", |i| function(i, &|f| f.role = "nobody".into()), unsure);
    let gone = |i: &mut Inventory| i.functions.get_mut(GRADER).unwrap().configuration = got(None);
    expect(c, "a function that is gone", gone, &[("grader", NotApplicable, "not-applicable")]);
    let unread: &[_] = &[("grader", Unknown, "unread")];
    expect(c, "no such function", |i| i.functions.clear(), unread);
    expect(c, "not read", |i| i.functions.get_mut(GRADER).unwrap().configuration = Read::NotAsked, unread);
    expect(c, "policy not read", |i| i.functions.get_mut(GRADER).unwrap().policy = Read::NotAsked, unread);
    expect(c, "no grader", |i| detail(i).grader = None, NOTHING);
    let mut inventory = healthy();
    may(allow("s3:PutObject", "arn:aws:s3:::elsewhere/*"))(&mut inventory);
    assert_eq!(verdicts(&inventory, c)[0].reason.as_str(), "role Grader of function grader reaches elsewhere");
}
