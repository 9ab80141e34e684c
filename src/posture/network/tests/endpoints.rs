//! CUS-NET-03, 04 and 09: endpoints and their policies.

use serde_json::{Value, json};

use crate::inventory::bedrock::{ImportJob, ImportJobDetail, JobStatus, S3Uri, VpcConfig};
use crate::inventory::ec2::{Endpoint, RouteTable, Subnet};
use crate::inventory::{Document, Inventory, Read, SourceId};
use crate::posture::Severity;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

fn endpoint<'a>(i: &'a mut Inventory, id: &str) -> &'a mut Endpoint {
    i.endpoints.get_mut(id).unwrap()
}

/// A second subnet of the job, with a table of its own or the main one.
fn second_subnet(i: &mut Inventory, own_table: bool) {
    let subnet = Subnet {
        id: "subnet-2".into(),
        name: "".into(),
        vpc: VPC.into(),
        zone: "us-east-1b".into(),
        cidr: "10.0.2.0/24".into(),
        public_ip: false,
    };
    i.subnets.insert("subnet-2".into(), subnet);
    detail(i).vpc.as_mut().unwrap().subnets.push("subnet-2".into());
    if own_table {
        let table = RouteTable {
            id: "rtb-2".into(),
            name: "".into(),
            vpc: VPC.into(),
            main: false,
            subnets: vec!["subnet-2".into()],
            routes: vec![route("10.0.0.0/16", "local")],
        };
        i.route_tables.insert("rtb-2".into(), table);
    }
}

fn interface(i: &mut Inventory, private_dns: bool) {
    let gateway = endpoint(i, S3_ENDPOINT).clone();
    let one = Endpoint { id: "vpce-9".into(), kind: "Interface".into(), private_dns, route_tables: vec![], ..gateway };
    i.endpoints.insert("vpce-9".into(), one);
}

/// An import job in the VPC.
pub fn import(i: &mut Inventory, bucket: &str) {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:model-import-job/import1";
    let job = ImportJob {
        arn: arn.into(),
        name: "import1".into(),
        status: JobStatus::Completed,
        imported_model: None,
        imported_model_name: "x".into(),
        created: now(),
        ended: None,
        detail: got(ImportJobDetail {
            role: TUNER.into(),
            data: S3Uri::parse(&format!("s3://{bucket}/weights/")),
            kms_key: None,
            vpc: Some(VpcConfig { subnets: vec![SUBNET.into()], security_groups: vec![GROUP.into()] }),
            failure: None,
        }),
        tags: Read::NotAsked,
    };
    i.import_jobs.insert(arn.into(), job);
}

#[test]
pub fn ways_to_s3() {
    let c = "CUS-NET-03";
    expect(c, "covered", |_| {}, &[("vpc-1", Pass, "ok")]);
    expect(c, "no endpoint", |i| i.endpoints.clear(), &[("vpc-1", Fail, "no-endpoint")]);
    let elsewhere = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).vpc = "vpc-2".into();
    expect(c, "in another VPC", elsewhere, &[("vpc-1", Fail, "no-endpoint")]);
    let abroad = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).service = "com.amazonaws.us-east-2.s3".into();
    expect(c, "of another region", abroad, &[("vpc-1", Fail, "no-endpoint")]);
    let outpost = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).service = "com.amazonaws.us-east-1.s3-outposts".into();
    expect(c, "of another service", outpost, &[("vpc-1", Fail, "no-endpoint")]);
    let china = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).service = "cn.com.amazonaws.us-east-1.s3".into();
    expect(c, "as China writes it", china, &[("vpc-1", Pass, "ok")]);
    let pending = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).state = "pendingAcceptance".into();
    expect(c, "not there yet", pending, &[("vpc-1", Fail, "not-available")]);
    let upper = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).state = "Available".into();
    expect(c, "as the reference writes it", upper, &[("vpc-1", Pass, "ok")]);
    // The routes of all subnets of all jobs count, each by the table that it follows.
    expect(c, "a subnet by the main table", |i| second_subnet(i, false), &[("vpc-1", Pass, "ok")]);
    expect(c, "a subnet by another table", |i| second_subnet(i, true), &[("vpc-1", Fail, "route-table-missing")]);
    expect(
        c,
        "both tables entered, in two endpoints",
        |i| {
            second_subnet(i, true);
            let more = Endpoint {
                id: "vpce-8".into(),
                route_tables: vec!["rtb-2".into()],
                ..endpoint(i, S3_ENDPOINT).clone()
            };
            i.endpoints.insert("vpce-8".into(), more);
        },
        &[("vpc-1", Pass, "ok")],
    );
    expect(
        c,
        "the subnet of an import job counts",
        |i| {
            second_subnet(i, true);
            detail(i).vpc.as_mut().unwrap().subnets.pop();
            import(i, "train");
            let job = i.import_jobs.values_mut().next().unwrap().detail.known_mut().unwrap();
            job.vpc.as_mut().unwrap().subnets = vec!["subnet-2".into()];
        },
        &[("vpc-1", Fail, "route-table-missing")],
    );
    expect(
        c,
        "a table nobody uses may lack it",
        |i| {
            second_subnet(i, true);
            detail(i).vpc.as_mut().unwrap().subnets.pop();
        },
        &[("vpc-1", Pass, "ok")],
    );
    let only_interface = |dns: bool| {
        move |i: &mut Inventory| {
            interface(i, dns);
            i.endpoints.remove(S3_ENDPOINT);
        }
    };
    expect(c, "an interface endpoint", only_interface(true), &[("vpc-1", Pass, "ok")]);
    expect(c, "without private DNS", only_interface(false), &[("vpc-1", Fail, "private-dns-off")]);
    expect(
        c,
        "both kinds, and the gateway lacks a table",
        |i| {
            second_subnet(i, true);
            interface(i, true);
        },
        &[("vpc-1", Unknown, "private-dns-scope")],
    );
    expect(c, "no route table", |i| i.route_tables.clear(), &[("vpc-1", Unknown, "unread")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::ENDPOINTS);
    expect(c, "not listed is not missing", lost, &[("vpc-1", Unknown, "unread")]);
    expect(c, "the subnet is gone", |i| i.subnets.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
    expect(c, "no VPC", no_vpc, &[("us-east-1", NotApplicable, "not-applicable")]);
    let reason = |spoil: &dyn Fn(&mut Inventory)| {
        let mut inventory = healthy();
        spoil(&mut inventory);
        verdicts(&inventory, c)[0].reason.to_string()
    };
    assert!(reason(&|i| i.endpoints.clear()).contains("cannot read their data"));
    let leaks = |i: &mut Inventory| {
        i.endpoints.clear();
        i.route_tables.get_mut(TABLE).unwrap().routes.push(route("0.0.0.0/0", "nat-1"));
    };
    assert!(reason(&leaks).contains("leaves the VPC by another way"));
}

fn s3_policy(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |i| endpoint(i, S3_ENDPOINT).policy = Some(policy(statements))
}

fn allow(actions: Value, resources: Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resources})
}

fn conditioned(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

#[test]
pub fn policies_of_s3_endpoints() {
    let c = "CUS-NET-04";
    let mine = || json!(["arn:aws:s3:::train", "arn:aws:s3:::train/*"]);
    let three = || json!(["s3:GetObject", "s3:ListBucket", "s3:PutObject"]);
    let all = || json!("arn:aws:s3:::*");
    let ours = || json!({"StringEquals": {"aws:ResourceAccount": ACCOUNT}});
    expect(c, "limited and complete", |_| {}, &[("vpce-1", Pass, "ok")]);
    // The example of the AWS documentation, word for word.
    let example = s3_policy(json!([{"Sid": "RestrictAccessToTrainingBucket", "Effect": "Allow", "Principal": "*",
        "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": mine()}]));
    expect(c, "the documentation's example lacks PutObject", example, &[("vpce-1", Fail, "incomplete")]);
    let mut inventory = healthy();
    s3_policy(json!([allow(json!(["s3:GetObject", "s3:ListBucket"]), mine())]))(&mut inventory);
    let verdict = verdicts(&inventory, c).remove(0);
    assert!(verdict.reason.as_str().contains("s3:PutObject on train"), "{}", verdict.reason);
    detail(&mut inventory).output = None;
    assert_eq!(says(&inventory, c), [("vpce-1".to_owned(), Pass, "ok")], "nothing is written: nothing is missing");

    expect(c, "the default", s3_policy(json!([allow(json!("*"), json!("*"))])), &[("vpce-1", Fail, "full-access")]);
    expect(c, "none", |i| endpoint(i, S3_ENDPOINT).policy = None, &[("vpce-1", Fail, "full-access")]);
    expect(c, "all of S3", s3_policy(json!([allow(json!("s3:*"), all())])), &[("vpce-1", Fail, "full-access")]);
    expect(c, "any bucket", s3_policy(json!([allow(three(), all())])), &[("vpce-1", Fail, "any-bucket")]);
    let not = json!([{"Effect": "Allow", "Principal": "*", "Action": three(), "NotResource": "arn:aws:s3:::secret/*"}]);
    expect(c, "all but one", s3_policy(not), &[("vpce-1", Fail, "any-bucket")]);
    let pattern = || json!(["arn:aws:s3:::tra*"]);
    expect(c, "a pattern", s3_policy(json!([allow(three(), pattern())])), &[("vpce-1", Fail, "bucket-pattern")]);
    let tied = |resources| s3_policy(json!([conditioned(allow(three(), resources), ours())]));
    let own_bucket = |i: &mut Inventory| i.buckets.get_mut("train").unwrap().owned = got(true);
    expect(
        c,
        "a pattern within the account",
        |i| {
            own_bucket(i);
            tied(pattern())(i);
        },
        &[("vpce-1", Warn, "other-buckets")],
    );
    expect(
        c,
        "every bucket of the account",
        |i| {
            own_bucket(i);
            tied(all())(i);
        },
        &[("vpce-1", Warn, "other-buckets")],
    );
    let stranger = conditioned(allow(three(), all()), json!({"StringEquals": {"aws:ResourceAccount": "999999999999"}}));
    let both = json!([stranger, allow(three(), mine())]);
    expect(c, "tied to a stranger", s3_policy(both), &[("vpce-1", Fail, "any-bucket")]);
    let organization = |id: &str| {
        let tie = json!({"StringEquals": {"aws:ResourceOrgID": id}});
        s3_policy(json!([conditioned(allow(three(), all()), tie), allow(three(), mine())]))
    };
    expect(c, "tied to our organization", organization("o-orion00000"), &[("vpce-1", Warn, "other-buckets")]);
    expect(c, "tied to another", organization("o-else"), &[("vpce-1", Fail, "any-bucket")]);
    let free = |i: &mut Inventory| {
        organization("o-orion00000")(i);
        i.settings.organization = got(None);
    };
    expect(c, "tied to one, and we are in none", free, &[("vpce-1", Fail, "any-bucket")]);
    let loose = json!({"StringEqualsIfExists": {"aws:ResourceAccount": ACCOUNT}});
    let both = json!([conditioned(allow(three(), all()), loose), allow(three(), mine())]);
    expect(c, "tied only if there", s3_policy(both), &[("vpce-1", Fail, "any-bucket")]);
    let more = json!([allow(three(), mine()), allow(json!("s3:GetObject"), json!("arn:aws:s3:::amazonlinux/*"))]);
    expect(c, "one bucket more", s3_policy(more), &[("vpce-1", Warn, "other-buckets")]);
    let more = json!([allow(json!(["s3:*"]), mine())]);
    expect(c, "every action", s3_policy(more), &[("vpce-1", Warn, "surplus-actions")]);
    let verdict = {
        let mut inventory = healthy();
        s3_policy(json!([allow(json!(["s3:*"]), mine())]))(&mut inventory);
        verdicts(&inventory, c).remove(0)
    };
    assert_eq!((verdict.severity, verdict.evidence[0].pointer.as_deref()), (Severity::Low, Some("/Statement/0")));

    let denied = json!([allow(three(), mine()), {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "*"}]);
    expect(c, "a Deny takes it away", s3_policy(denied), &[("vpce-1", Fail, "incomplete")]);
    let prefix = json!([
        allow(
            json!(["s3:GetObject", "s3:PutObject"]),
            json!(["arn:aws:s3:::train/a.jsonl", "arn:aws:s3:::train/weights/*", "arn:aws:s3:::train/out/*"])
        ),
        allow(json!("s3:ListBucket"), json!("arn:aws:s3:::train"))
    ]);
    expect(c, "just these keys", s3_policy(prefix), &[("vpce-1", Pass, "ok")]);
    let listed = conditioned(
        allow(json!("s3:ListBucket"), json!("arn:aws:s3:::train")),
        json!({"StringLike": {"s3:prefix": ["a.jsonl", "weights/*", "out/*"]}}),
    );
    let by_prefix = json!([allow(json!(["s3:GetObject", "s3:PutObject"]), mine()), listed]);
    expect(c, "listing by prefix", s3_policy(by_prefix), &[("vpce-1", Pass, "ok")]);
    let elsewhere = json!([
        allow(json!(["s3:GetObject", "s3:ListBucket"]), mine()),
        allow(json!("s3:PutObject"), json!("arn:aws:s3:::train/elsewhere/*"))
    ]);
    expect(c, "writing elsewhere", s3_policy(elsewhere), &[("vpce-1", Fail, "incomplete")]);
    let for_roles = |roles: Value| {
        let mut statement = allow(three(), mine());
        statement["Principal"] = json!({"AWS": roles});
        s3_policy(json!([statement]))
    };
    expect(c, "for the jobs' roles", for_roles(json!([TUNER, IMPORTER])), &[("vpce-1", Pass, "ok")]);
    expect(c, "for one of them", for_roles(json!(TUNER)), &[("vpce-1", Fail, "incomplete")]);
    let tuned = |i: &mut Inventory| {
        i.import_jobs.clear();
        for_roles(json!(TUNER))(i);
    };
    expect(c, "for the job's role", tuned, &[("vpce-1", Pass, "ok")]);
    expect(c, "for another role", for_roles(json!(APP)), &[("vpce-1", Fail, "incomplete")]);
    let own = |account: &str| {
        let condition = json!({"StringEquals": {"aws:PrincipalAccount": account}});
        s3_policy(json!([conditioned(allow(three(), mine()), condition)]))
    };
    expect(c, "for the account", own(ACCOUNT), &[("vpce-1", Pass, "ok")]);
    expect(c, "for another account", own("999999999999"), &[("vpce-1", Fail, "incomplete")]);
    let tagged = json!({"StringEquals": {"aws:PrincipalTag/team": "ml"}});
    let by_tag = s3_policy(json!([conditioned(allow(three(), mine()), tagged)]));
    expect(c, "by what is not known", by_tag, &[("vpce-1", Unknown, "conditional")]);
    let import = |i: &mut Inventory| import(i, "weights");
    expect(c, "an import job's data", import, &[("vpce-1", Fail, "incomplete")]);
    let broken = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).policy = Some(Document::new("{"));
    expect(c, "no JSON", broken, &[("vpce-1", Unknown, "malformed")]);
    let odd = json!([allow(three(), mine()), {"Effect": "Perhaps", "Principal": "*", "Action": "*", "Resource": "*"}]);
    let mut inventory = healthy();
    s3_policy(odd)(&mut inventory);
    assert!(says(&inventory, c).iter().all(|(_, status, _)| *status != Pass), "a statement that cannot be read");
    expect(c, "no endpoint", |i| i.endpoints.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
    let gone = |i: &mut Inventory| endpoint(i, S3_ENDPOINT).state = "deleted".into();
    expect(c, "a deleted one", gone, &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
pub fn private_links() {
    let c = "CUS-NET-09";
    let right = [("vpc-1", Pass, "ok"), ("vpc-1", Pass, "ok"), ("vpce-2", Pass, "ok"), ("vpce-3", Pass, "ok")];
    expect(c, "both", |_| {}, &right);
    let without_runtime = [("vpc-1", Pass, "ok"), ("vpc-1", Fail, "no-endpoint"), ("vpce-2", Pass, "ok")];
    expect(c, "no runtime", |i| _ = i.endpoints.remove(RUNTIME_ENDPOINT), &without_runtime);
    let fips = |i: &mut Inventory| {
        endpoint(i, RUNTIME_ENDPOINT).service = "com.amazonaws.us-east-1.bedrock-runtime-fips".into();
    };
    expect(c, "for FIPS", fips, &right);
    let agent = |i: &mut Inventory| {
        endpoint(i, RUNTIME_ENDPOINT).service = "com.amazonaws.us-east-1.bedrock-agent-runtime".into();
    };
    expect(c, "agents are another service", agent, &without_runtime);
    let with = |status, code| [right[0], ("vpc-1", status, code), right[2], right[3]];
    let off = |i: &mut Inventory| endpoint(i, RUNTIME_ENDPOINT).private_dns = false;
    expect(c, "private DNS off", off, &with(Fail, "private-dns-off"));
    let down = |i: &mut Inventory| endpoint(i, RUNTIME_ENDPOINT).state = "failed".into();
    expect(c, "not available", down, &[right[0], ("vpc-1", Fail, "not-available"), right[2]]);
    let say = |id: &'static str, statements: Value| {
        move |i: &mut Inventory| endpoint(i, id).policy = Some(policy(statements))
    };
    let runtime = |status, code| [right[0], right[1], right[2], ("vpce-3", status, code)];
    let default = || json!([allow(json!("*"), json!("*"))]);
    expect(c, "the default policy", say(RUNTIME_ENDPOINT, default()), &runtime(Fail, "full-access"));
    let none = |i: &mut Inventory| endpoint(i, RUNTIME_ENDPOINT).policy = None;
    expect(c, "none", none, &runtime(Fail, "full-access"));
    let control = [right[0], right[1], ("vpce-2", Fail, "full-access"), right[3]];
    expect(c, "the default for jobs", say(BEDROCK_ENDPOINT, default()), &control);
    let organization = json!({"StringEquals": {"aws:PrincipalOrgID": "o-orion00000"}});
    let tied = json!([conditioned(allow(json!("*"), json!("*")), organization)]);
    expect(c, "tied, but any model", say(RUNTIME_ENDPOINT, tied.clone()), &runtime(Warn, "other-models"));
    expect(c, "tied, for jobs", say(BEDROCK_ENDPOINT, tied), &right);
    let stranger = json!({"StringEquals": {"aws:PrincipalAccount": "999999999999"}});
    let strange = json!([conditioned(allow(json!("*"), json!("*")), stranger)]);
    expect(c, "tied to a stranger", say(RUNTIME_ENDPOINT, strange), &runtime(Fail, "full-access"));
    let other = json!({"StringEquals": {"aws:PrincipalOrgID": "o-else"}});
    let other = json!([conditioned(allow(json!("*"), json!("*")), other)]);
    expect(c, "tied to another organization", say(RUNTIME_ENDPOINT, other), &runtime(Fail, "full-access"));
    for (what, resource) in [
        ("base models", "arn:aws:bedrock:us-east-1::foundation-model/*"),
        ("another account", "arn:aws:bedrock:us-east-1:999999999999:provisioned-model/*"),
        ("any account", "arn:aws:bedrock:*:*:provisioned-model/*"),
        ("profiles", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/*"),
        ("anything ours", "arn:aws:bedrock:us-east-1:123456789012:*"),
    ] {
        let statements = json!([allow(json!("bedrock:InvokeModel"), json!(resource))]);
        expect(c, what, say(RUNTIME_ENDPOINT, statements), &runtime(Warn, "other-models"));
    }
    let guardrail = json!([allow(json!("bedrock:ApplyGuardrail"), json!("*"))]);
    expect(c, "what invokes nothing", say(RUNTIME_ENDPOINT, guardrail), &right);
    let nonsense = json!([allow(json!("bedrock:InvokeModel"), json!("provisioned-model"))]);
    expect(c, "no ARN", say(RUNTIME_ENDPOINT, nonsense), &runtime(Unknown, "malformed"));
    let broken = |i: &mut Inventory| endpoint(i, RUNTIME_ENDPOINT).policy = Some(Document::new("[]"));
    expect(c, "no policy", broken, &runtime(Unknown, "malformed"));
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::ENDPOINTS);
    let unseen = [("us-east-1", Unknown, "unread"), ("vpc-1", Unknown, "unread"), ("vpc-1", Unknown, "unread")];
    expect(c, "not listed", lost, &unseen);
    expect(c, "no VPC", no_vpc, &[("us-east-1", NotApplicable, "not-applicable")]);
}
