//! CUS-NET-05: walls around the buckets of jobs.

use serde_json::{Value, json};

use super::endpoints::import;
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::Bucket;
use crate::inventory::{Document, ErrorKind, Inventory, Read, ReadError, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

fn set(statements: Value) -> impl FnOnce(&mut Inventory) {
    move |i| i.buckets.get_mut("train").unwrap().policy = got(Some(policy(statements)))
}

/// The wall with other conditions.
fn under(condition: Value) -> Value {
    let mut wall = wall("train");
    wall["Condition"] = condition;
    wall
}

#[test]
pub fn walls_around_buckets() {
    let c = "CUS-NET-05";
    let pass: &[_] = &[("train", Pass, "ok")];
    let fail = |code| [("train", Fail, code)];
    expect(c, "a wall", |_| {}, pass);
    expect(c, "no policy", |i| i.buckets.get_mut("train").unwrap().policy = got(None), &fail("not-limited"));
    expect(
        c,
        "about other things",
        set(json!([under(json!({"Bool": {"aws:SecureTransport": "false"}}))])),
        &fail("not-limited"),
    );
    let by_vpc = |vpc: &str| set(json!([under(json!({"StringNotEquals": {"aws:SourceVpc": vpc}}))]));
    expect(c, "by VPC", by_vpc(VPC), pass);
    expect(
        c,
        "by no VPC of a job",
        by_vpc("vpc-gone"),
        &[("train", Fail, "job-locked-out"), ("train", Warn, "other-network")],
    );
    let two = json!({"StringNotEquals": {"aws:SourceVpce": [S3_ENDPOINT, "vpce-admin"]}});
    expect(c, "an endpoint of others", set(json!([under(two)])), &[("train", Warn, "other-network")]);
    // Both must hold for the Deny, so either way in is a way in.
    let either = json!({"StringNotEquals": {"aws:SourceVpc": VPC, "aws:SourceVpce": S3_ENDPOINT}});
    expect(c, "by either", set(json!([under(either)])), pass);
    let exists = json!({"StringNotEqualsIfExists": {"aws:SourceVpce": S3_ENDPOINT}});
    expect(c, "IfExists denies without the key too", set(json!([under(exists)])), pass);
    let null = json!({"Null": {"aws:SourceVpc": "true"}});
    expect(c, "from any VPC", set(json!([under(null)])), &fail("any-vpc"));
    let like = json!({"StringNotLike": {"aws:SourceVpc": "vpc-*"}});
    expect(c, "from any that is called so", set(json!([under(like)])), &fail("any-vpc"));
    let only = |action: Value| {
        let mut wall = wall("train");
        wall["Action"] = action;
        set(json!([wall]))
    };
    expect(c, "reads only", only(json!(["s3:GetObject", "s3:ListBucket"])), &fail("partly-limited"));
    expect(c, "more than data", only(json!("s3:*")), pass);
    expect(c, "of no data access", only(json!("s3:DeleteObject")), &fail("ineffective"));
    let admins = json!({"StringNotEquals": {"aws:SourceVpce": S3_ENDPOINT},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/Admin"}, "Bool": {"aws:PrincipalIsAWSService": "false"}});
    expect(c, "but administrators and services", set(json!([under(admins)])), pass);
    let wide = json!({"StringNotEquals": {"aws:SourceVpce": S3_ENDPOINT},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}});
    expect(c, "but every role", set(json!([under(wide)])), &fail("ineffective"));
    let office =
        json!({"StringNotEquals": {"aws:SourceVpce": S3_ENDPOINT}, "NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    expect(c, "but the office", set(json!([under(office)])), &[("train", Warn, "address-exception")]);
    let tagged = json!({"StringNotEquals": {"aws:SourceVpce": S3_ENDPOINT, "aws:PrincipalTag/admin": "yes"}});
    expect(c, "but whoever is tagged", set(json!([under(tagged)])), &[("train", Unknown, "conditional")]);
    let mut other = wall("train");
    other["Resource"] = json!("arn:aws:s3:::other/*");
    expect(c, "around another bucket", set(json!([other])), &fail("ineffective"));
    let mut allow = wall("train");
    allow["Effect"] = json!("Allow");
    expect(c, "an Allow is no wall", set(json!([allow])), &fail("not-limited"));
    expect(
        c,
        "without the endpoint the VPC decides",
        |i| {
            i.endpoints.clear();
            by_vpc("vpc-gone")(i);
        },
        &[("train", Fail, "job-locked-out"), ("train", Warn, "other-network")],
    );

    expect(
        c,
        "each bucket by itself",
        |i| {
            detail(i).output = S3Uri::parse("s3://out/x");
            i.buckets.insert("out".into(), Bucket { policy: got(None), ..Bucket::bare("out") });
            import(i, "weights");
            let walled = Bucket { policy: got(Some(policy(json!([wall("weights")])))), ..Bucket::bare("weights") };
            i.buckets.insert("weights".into(), walled);
        },
        &[("out", Fail, "not-limited"), ("train", Pass, "ok"), ("weights", Pass, "ok")],
    );
    let unread = |i: &mut Inventory| i.buckets.get_mut("train").unwrap().policy = Read::NotAsked;
    expect(c, "not read", unread, &[("train", Unknown, "unread")]);
    expect(c, "not in the inventory", |i| i.buckets.clear(), &[("train", Unknown, "unread")]);
    let failed = |kind: ErrorKind| {
        move |i: &mut Inventory| {
            let error = ReadError { kind, ..error("s3:GetBucketPolicy") };
            let bucket = i.buckets.get_mut("train").unwrap();
            (bucket.owned, bucket.region, bucket.policy) =
                (got(false), Read::failed(error.clone()), Read::failed(error));
        }
    };
    expect(c, "another account's", failed(ErrorKind::Denied), &[("train", Unknown, "unread")]);
    expect(c, "gone", failed(ErrorKind::NotFound), &[("train", NotApplicable, "not-applicable")]);
    let broken = |i: &mut Inventory| i.buckets.get_mut("train").unwrap().policy = got(Some(Document::new("{")));
    expect(c, "no JSON", broken, &[("train", Unknown, "malformed")]);
    let odd = set(
        json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Sounds": {"x": "y"}}}]),
    );
    expect(c, "a statement that cannot be read", odd, &[("train", Unknown, "malformed")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::ENDPOINTS);
    let mut inventory = healthy();
    lost(&mut inventory);
    assert!(
        says(&inventory, c).iter().all(|(_, status, _)| *status == Unknown),
        "which endpoints are the jobs' is open"
    );
    expect(c, "no jobs", no_jobs, &[("us-east-1", NotApplicable, "not-applicable")]);
    expect(c, "jobs without a VPC", no_vpc, &[("train", Warn, "other-network")]);
}
