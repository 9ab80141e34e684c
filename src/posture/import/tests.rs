//! Tables for the controls of import: pass, every way to fail, unknown, not applicable.

use serde_json::{Value, json};

use crate::inventory::bedrock::{JobStatus, S3Uri};
use crate::inventory::feeders::TrainingDetail;
use crate::inventory::s3::Bucket;
use crate::inventory::{Document, Inventory, Read};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

type Spoil = fn(&mut TrainingDetail);

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[keys_of_imports, networks_of_imports, roles_of_imports, what_trained_the_weights];

const NOTHING: &[(&str, crate::posture::Status, &str)] = &[("us-east-1", NotApplicable, "not-applicable")];

#[test]
fn keys_of_imports() {
    let c = "CUS-IMP-01";
    let imported = |i: &mut Inventory, key: Option<&str>| {
        let detail = i.imported_models.get_mut(IMPORTED).and_then(|model| model.detail.known_mut());
        detail.unwrap().kms_key = key.map(id);
    };
    expect(c, "a key", |_| {}, &[("imported1", Pass, "ok")]);
    expect(c, "none", |i| imported(i, None), &[("imported1", Fail, "no-cmk")]);
    expect(c, "AWS's key", |i| metadata(i).manager = "AWS".into(), &[("imported1", Fail, "aws-managed-key")]);
    expect(c, "no such key", |i| imported(i, Some("alias/x")), &[("imported1", Unknown, "unread")]);
    expect(
        c,
        "not read",
        |i| i.imported_models.get_mut(IMPORTED).unwrap().detail = Read::NotAsked,
        &[("imported1", Unknown, "unread")],
    );
    let running = |i: &mut Inventory| i.import_jobs.get_mut(IMPORT_JOB).unwrap().status = JobStatus::InProgress;
    expect(c, "a job that runs", running, &[("import1", Pass, "ok"), ("imported1", Pass, "ok")]);
    expect(
        c,
        "a job that runs without",
        |i| {
            running(i);
            import_detail(i).kms_key = None;
        },
        &[("import1", Fail, "no-cmk"), ("imported1", Pass, "ok")],
    );
    expect(
        c,
        "a job that was not read",
        |i| {
            running(i);
            i.import_jobs.get_mut(IMPORT_JOB).unwrap().detail = Read::NotAsked;
        },
        &[("import1", Unknown, "unread"), ("imported1", Pass, "ok")],
    );
    expect(c, "a job that ended without", |i| import_detail(i).kms_key = None, &[("imported1", Pass, "ok")]);
    let custom = |i: &mut Inventory| {
        i.imported_models.clear();
        i.models.get_mut(MODEL).unwrap().customization = "IMPORTED".into();
    };
    expect(c, "a custom model of weights", custom, &[("model1", Pass, "ok")]);
    expect(
        c,
        "a custom model of weights without",
        |i| {
            custom(i);
            i.models.get_mut(MODEL).and_then(|model| model.detail.known_mut()).unwrap().kms_key = None;
        },
        &[("model1", Fail, "no-cmk")],
    );
    expect(
        c,
        "one that is shared with us",
        |i| {
            custom(i);
            i.models.get_mut(MODEL).unwrap().owned = false;
        },
        NOTHING,
    );
    expect(c, "nothing imported", |i| i.imported_models.clear(), NOTHING);
}

fn importer_may(rights: Value) -> impl FnOnce(&mut Inventory) {
    move |i| {
        i.roles.insert(IMPORTER.into(), role(IMPORTER, trust_for("model-import-job"), rights));
    }
}

/// The healthy rights and one more statement.
fn rights_and(statement: Value) -> Value {
    let mut all = import_rights();
    all.as_array_mut().unwrap().push(statement);
    all
}

/// The healthy rights with one statement changed.
fn rights_but(at: usize, change: impl FnOnce(&mut Value)) -> Value {
    let mut all = import_rights();
    change(&mut all[at]);
    all
}

#[test]
fn networks_of_imports() {
    let c = "CUS-IMP-02";
    let fine: &[_] = &[("import1", Pass, "ok")];
    expect(c, "isolated", |_| {}, fine);
    let none: &[_] = &[("import1", Fail, "no-vpc")];
    expect(c, "no VPC", |i| import_detail(i).vpc = None, none);
    expect(c, "no groups", |i| import_detail(i).vpc.as_mut().unwrap().security_groups.clear(), none);
    expect(c, "no subnets", |i| import_detail(i).vpc.as_mut().unwrap().subnets.clear(), none);
    expect(c, "a subnet that is gone", |i| i.subnets.clear(), &[("import1", Warn, "dangling-subnet")]);
    expect(c, "a group that is gone", |i| i.security_groups.clear(), &[("import1", Warn, "dangling-security-group")]);
    expect(c, "no route table", |i| i.route_tables.clear(), &[("import1", Unknown, "uncertain")]);
    for (destination, target, status, code) in [
        ("0.0.0.0/0", "igw-1", Fail, "internet-route"),
        ("0.0.0.0/0", "nat-1", Fail, "internet-route"),
        ("::/0", "eigw-1", Fail, "internet-route"),
        ("0.0.0.0/0", "tgw-1", Warn, "leaves-vpc"),
        ("10.0.0.0/8", "tgw-1", Pass, "ok"),
    ] {
        let add = |i: &mut Inventory| {
            i.route_tables.get_mut(TABLE).unwrap().routes.push(route(destination, target));
        };
        expect(c, &format!("{destination} → {target}"), add, &[("import1", status, code)]);
    }
    let public: &[_] = &[("import1", Fail, "public-ip-on-launch")];
    expect(c, "public addresses", |i| i.subnets.get_mut(SUBNET).unwrap().public_ip = true, public);
    let stranded: &[_] = &[("import1", Fail, "no-way-to-s3")];
    expect(c, "no S3 endpoint", |i| drop(i.endpoints.remove(S3_ENDPOINT)), stranded);
    let elsewhere = |i: &mut Inventory| i.endpoints.get_mut(S3_ENDPOINT).unwrap().route_tables.clear();
    expect(c, "an S3 endpoint of other route tables", elsewhere, stranded);
    let missing: &[_] = &[("import1", Fail, "eni-rights-missing")];
    expect(c, "no rights", importer_may(json!([])), missing);
    for at in 1..6 {
        let less = rights_but(at, |statement| statement["Effect"] = json!("Deny"));
        // A Deny of what only tags allow strikes those tags.
        expect(c, &format!("without statement {at}"), importer_may(less), missing);
    }
    let wrong = import_rights().to_string().replace("BedrockModelImportJobArn", "BedrockModelCustomizationJobArn");
    let wrong: Value = serde_json::from_str(&wrong).unwrap();
    expect(c, "rights for customization jobs", importer_may(wrong), missing);
    let other = rights_but(3, |s| s["Resource"] = json!("arn:aws:ec2:us-east-1:123456789012:subnet/subnet-9"));
    expect(c, "rights in another subnet", importer_may(other), missing);
    let untagged: &[_] = &[("import1", Warn, "eni-rights-untagged")];
    let all = json!({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"});
    expect(c, "all of EC2", importer_may(rights_and(all)), untagged);
    let any = rights_but(4, |s| s["Condition"] = json!({}));
    expect(c, "deletes any interface", importer_may(any), untagged);
    let sometimes = rights_but(1, |s| s["Condition"] = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}));
    expect(c, "it depends", importer_may(sometimes), &[("import1", Unknown, "uncertain")]);
    expect(
        c,
        "a policy that is not there",
        |i| {
            let role = i.roles.get_mut(IMPORTER).unwrap();
            role.inline.clear();
            role.attached.push("arn:aws:iam::aws:policy/Unseen".into());
        },
        &[("import1", Unknown, "uncertain")],
    );
    expect(
        c,
        "a role that is gone",
        |i| {
            i.roles.remove(IMPORTER);
        },
        fine,
    );
    expect(c, "no role ARN", |i| import_detail(i).role = "nobody".into(), fine);
    expect(
        c,
        "not read",
        |i| i.import_jobs.get_mut(IMPORT_JOB).unwrap().detail = Read::NotAsked,
        &[("import1", Unknown, "unread")],
    );
    expect(c, "no job", |i| i.import_jobs.clear(), NOTHING);
}

fn trusts(change: impl FnOnce(&mut Value)) -> impl FnOnce(&mut Inventory) {
    let mut trust = trust_for("model-import-job");
    change(&mut trust);
    move |i| i.roles.get_mut(IMPORTER).unwrap().trust = policy(trust)
}

#[test]
fn roles_of_imports() {
    let c = "CUS-IMP-06";
    let fails = |code: &'static str| [("Importer", Fail, code)];
    expect(c, "as documented", |_| {}, &[("Importer", Pass, "ok")]);
    for (what, pointer, value, code) in [
        ("no account", "aws:SourceAccount", json!("444455556666"), "source-account-missing"),
        (
            "for customization jobs",
            "aws:SourceArn",
            json!("arn:aws:bedrock:us-east-1:123456789012:model-customization-job/*"),
            "source-arn-wrong-job-type",
        ),
        (
            "in every Region",
            "aws:SourceArn",
            json!("arn:aws:bedrock:*:123456789012:model-import-job/*"),
            "source-arn-region-wildcard",
        ),
        (
            "of another account",
            "aws:SourceArn",
            json!("arn:aws:bedrock:us-east-1:444455556666:model-import-job/*"),
            "source-arn-account-mismatch",
        ),
    ] {
        let operator = if pointer == "aws:SourceAccount" { "StringEquals" } else { "ArnLike" };
        expect(c, what, trusts(|trust| trust[0]["Condition"][operator][pointer] = value), &fails(code));
    }
    expect(
        c,
        "no ARN",
        trusts(|trust| {
            trust[0]["Condition"].as_object_mut().unwrap().remove("ArnLike");
        }),
        &fails("source-arn-missing"),
    );
    let and = |principal: Value| {
        trusts(move |trust| {
            let one = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
            trust.as_array_mut().unwrap().push(one);
        })
    };
    expect(c, "everybody", and(json!("*")), &fails("public-principal"));
    expect(c, "a role", and(json!({"AWS": APP})), &fails("aws-principal"));
    expect(c, "SageMaker", and(json!({"Service": "sagemaker.amazonaws.com"})), &fails("other-service"));
    expect(c, "nobody", trusts(|trust| *trust = json!([])), &fails("bedrock-missing"));
    let reads = |change: fn(&mut Value)| importer_may(rights_but(0, change));
    expect(c, "reads nothing", importer_may(json!([])), &fails("missing-right"));
    expect(c, "cannot list", reads(|s| s["Action"] = json!("s3:GetObject")), &fails("missing-right"));
    expect(
        c,
        "only while a stranger owns it",
        reads(|s| s["Condition"] = json!({"StringEquals": {"aws:ResourceAccount": "444455556666"}})),
        &[("Importer", Fail, "missing-right"), ("Importer", Fail, "resource-account-foreign")],
    );
    expect(
        c,
        "while a stranger owns it too",
        reads(|s| s["Condition"]["StringEquals"]["aws:ResourceAccount"] = json!(["123456789012", "444455556666"])),
        &fails("resource-account-foreign"),
    );
    expect(c, "whoever owns it", reads(|s| s["Condition"] = json!({})), &fails("resource-account-missing"));
    expect(
        c,
        "whoever owns it, where that is not said",
        reads(|s| s["Condition"] = json!({"StringEqualsIfExists": {"aws:PrincipalAccount": "123456789012"}})),
        &fails("resource-account-missing"),
    );
    let owned = |owned: bool| {
        move |i: &mut Inventory| {
            let bucket = i.buckets.get_mut("train").unwrap();
            bucket.owned = got(owned);
            bucket.region = got("us-east-1".into());
        }
    };
    expect(c, "our bucket", owned(true), &[("Importer", Pass, "ok")]);
    expect(
        c,
        "a foreign bucket read as ours",
        owned(false),
        &[("Importer", Fail, "missing-right"), ("Importer", Fail, "resource-account-foreign")],
    );
    expect(
        c,
        "a trusted account's bucket",
        |i| {
            owned(false)(i);
            reads(|s| s["Condition"] = json!({"StringEquals": {"aws:ResourceAccount": "777777777777"}}))(i);
        },
        &[("Importer", Pass, "ok")],
    );
    let more = |action: &str, on: &str| {
        let one = json!({"Effect": "Allow", "Action": action, "Resource": on,
            "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}}});
        importer_may(rights_and(one))
    };
    let wide: &[_] = &[("Importer", Fail, "may-write"), ("Importer", Fail, "other-buckets")];
    expect(c, "all of S3", more("s3:*", "*"), wide);
    expect(c, "may put", more("s3:PutObject", "arn:aws:s3:::train/weights/*"), &fails("may-write"));
    expect(c, "may delete elsewhere", more("s3:Delete*", "arn:aws:s3:::other/*"), &fails("may-write"));
    expect(c, "may change the policy", more("s3:PutBucketPolicy", "arn:aws:s3:::train"), &fails("may-write"));
    expect(c, "reads another bucket", more("s3:GetObject", "arn:aws:s3:::other/*"), &fails("other-buckets"));
    expect(c, "lists every bucket", more("s3:ListBucket", "arn:aws:s3:::*"), &fails("other-buckets"));
    expect(c, "reads what begins alike", more("s3:Get*", "arn:aws:s3:::train*"), &fails("other-buckets"));
    expect(c, "counts versions", more("s3:GetBucketVersioning", "arn:aws:s3:::other"), &[("Importer", Pass, "ok")]);
    let fenced = json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"});
    expect(
        c,
        "what a Deny takes back",
        |i| {
            let mut all =
                rights_and(json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"}));
            all.as_array_mut().unwrap().push(fenced);
            importer_may(all)(i);
        },
        &[("Importer", Pass, "ok")],
    );
    expect(
        c,
        "a policy that is not there",
        |i| i.roles.get_mut(IMPORTER).unwrap().attached.push("arn:aws:iam::aws:policy/Unseen".into()),
        &[("Importer", Unknown, "uncertain")],
    );
    expect(
        c,
        "no JSON",
        |i| i.roles.get_mut(IMPORTER).unwrap().trust = Document::new("{,"),
        &[("Importer", Unknown, "malformed")],
    );
    expect(
        c,
        "gone",
        |i| {
            i.roles.remove(IMPORTER);
        },
        &[("Importer", NotApplicable, "not-applicable")],
    );
    expect(c, "no job", |i| i.import_jobs.clear(), NOTHING);
    let mut inventory = healthy();
    trusts(|trust| {
        trust[0]["Condition"].as_object_mut().unwrap().remove("ArnLike");
    })(&mut inventory);
    let verdict = verdicts(&inventory, c).remove(0);
    assert_eq!(verdict.severity, Severity::Medium);
    assert_eq!(verdict.reason.as_str(), "role Importer: no aws:SourceArn ties Bedrock to import jobs");
    inventory.buckets.insert("train".into(), Bucket::bare("train"));
    assert_eq!(verdicts(&inventory, c).len(), 1);
}

#[test]
fn what_trained_the_weights() {
    let c = "CUS-IMP-08";
    let trained = |change: fn(&mut TrainingDetail)| {
        move |i: &mut Inventory| {
            change(i.training_jobs.get_mut(TRAINING).and_then(|job| job.detail.known_mut()).unwrap());
        }
    };
    expect(c, "isolated", |_| {}, &[("training1", Pass, "ok")]);
    let cases: [(&str, Spoil); 6] = [
        ("no-network-isolation", |detail| detail.isolated = false),
        ("no-vpc", |detail| detail.vpc = None),
        ("traffic-not-encrypted", |detail| detail.traffic_encrypted = false),
        ("output-without-cmk", |detail| detail.output_key = None),
        ("volume-without-cmk", |detail| detail.volume_key = None),
        ("output-without-cmk", |detail| detail.output_key = Some("arn:aws:kms:us-east-1:1:alias/aws/s3".into())),
    ];
    for (code, change) in cases {
        expect(c, code, trained(change), &[("training1", Fail, code)]);
    }
    let elsewhere = trained(|detail| {
        detail.output = S3Uri::parse("s3://other/x");
        detail.artifacts = S3Uri::parse("s3://train/weightsmith/model.tar.gz");
    });
    expect(c, "made something else", elsewhere, NOTHING);
    let unread: &[_] = &[("us-east-1", Unknown, "unread")];
    expect(c, "not read", |i| i.training_jobs.get_mut(TRAINING).unwrap().detail = Read::NotAsked, unread);
    expect(c, "no training", |i| i.training_jobs.clear(), NOTHING);
    expect(
        c,
        "nothing imported",
        |i| {
            i.import_jobs.clear();
            i.imported_models.clear();
        },
        NOTHING,
    );
    expect(
        c,
        "imported by a model alone",
        |i| {
            i.import_jobs.clear();
            trained(|detail| detail.isolated = false)(i);
        },
        &[("training1", Fail, "no-network-isolation")],
    );
}
