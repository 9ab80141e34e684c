//! Tables for the controls of the network: pass, every way to fail, unknown, not applicable.

mod buckets;
mod endpoints;
mod surroundings;

use crate::inventory::Read;
use crate::inventory::ec2::RouteTable;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

use super::routes::{Way, is_private, way_out};

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[
    jobs_in_a_vpc,
    ways_out_of_a_subnet,
    private_blocks,
    endpoints::ways_to_s3,
    endpoints::policies_of_s3_endpoints,
    endpoints::private_links,
    buckets::walls_around_buckets,
    surroundings::security_groups,
    surroundings::names,
    surroundings::flow_logs,
];

#[test]
fn jobs_in_a_vpc() {
    let c = "CUS-NET-01";
    expect(c, "a VPC", |_| {}, &[("job1", Pass, "ok")]);
    expect(c, "no VPC", |i| detail(i).vpc = None, &[("job1", Fail, "no-vpc")]);
    expect(c, "no subnets", |i| detail(i).vpc.as_mut().unwrap().subnets.clear(), &[("job1", Fail, "no-vpc")]);
    expect(c, "no groups", |i| detail(i).vpc.as_mut().unwrap().security_groups.clear(), &[("job1", Fail, "no-vpc")]);
    expect(c, "subnet gone", |i| i.subnets.clear(), &[("job1", Warn, "dangling-subnet")]);
    expect(c, "group gone", |i| i.security_groups.clear(), &[("job1", Warn, "dangling-security-group")]);
    let both: &[_] = &[("job1", Warn, "dangling-security-group"), ("job1", Warn, "dangling-subnet")];
    expect(
        c,
        "both gone",
        |i| {
            i.security_groups.clear();
            i.subnets.clear();
        },
        both,
    );
    expect(c, "not read", |i| i.jobs.get_mut(JOB).unwrap().detail = Read::NotAsked, &[("job1", Unknown, "unread")]);
    expect(c, "none", |i| i.jobs.clear(), &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
fn ways_out_of_a_subnet() {
    let c = "CUS-NET-02";
    expect(c, "isolated", |_| {}, &[("subnet-1", Pass, "ok")]);
    for (destination, target, status, code) in [
        ("0.0.0.0/0", "igw-1", Fail, "internet-route"),
        ("0.0.0.0/0", "nat-1", Fail, "internet-route"),
        ("::/0", "eigw-1", Fail, "internet-route"),
        ("::/0", "igw-1", Fail, "internet-route"),
        ("0.0.0.0/0", "cagw-1", Fail, "internet-route"),
        ("64:ff9b::/96", "nat-1", Fail, "internet-route"),
        ("8.8.8.0/24", "nat-1", Fail, "internet-route"),
        ("0.0.0.0/1", "igw-1", Fail, "internet-route"),
        ("pl-1", "igw-1", Fail, "internet-route"),
        ("0.0.0.0/0", "tgw-1", Warn, "leaves-vpc"),
        ("0.0.0.0/0", "vgw-1", Warn, "leaves-vpc"),
        ("0.0.0.0/0", "pcx-1", Warn, "leaves-vpc"),
        ("0.0.0.0/0", "eni-1", Warn, "leaves-vpc"),
        ("0.0.0.0/0", "vpce-1", Warn, "leaves-vpc"),
        ("10.9.0.0/16", "tgw-1", Pass, "ok"),
        ("192.168.0.0/16", "nat-1", Pass, "ok"),
    ] {
        let add = |i: &mut crate::inventory::Inventory| {
            i.route_tables.get_mut(TABLE).unwrap().routes.push(route(destination, target));
        };
        expect(c, &format!("{destination} → {target}"), add, &[("subnet-1", status, code)]);
    }
    expect(
        c,
        "a dead route leads nowhere",
        |i| {
            let mut dead = route("0.0.0.0/0", "nat-1");
            dead.state = "blackhole".into();
            i.route_tables.get_mut(TABLE).unwrap().routes.push(dead);
        },
        &[("subnet-1", Pass, "ok")],
    );
    expect(
        c,
        "public addresses",
        |i| i.subnets.get_mut(SUBNET).unwrap().public_ip = true,
        &[("subnet-1", Fail, "public-ip-on-launch")],
    );
    expect(
        c,
        "its own table goes before the main one",
        |i| {
            i.route_tables.get_mut(TABLE).unwrap().routes.push(route("0.0.0.0/0", "igw-1"));
            let own = RouteTable {
                id: "rtb-2".into(),
                name: "".into(),
                vpc: "vpc-1".into(),
                main: false,
                subnets: vec![SUBNET.into()],
                routes: vec![],
            };
            i.route_tables.insert("rtb-2".into(), own);
        },
        &[("subnet-1", Pass, "ok")],
    );
    expect(c, "gone", |i| i.subnets.clear(), &[("subnet-1", NotApplicable, "not-applicable")]);
    expect(c, "no table", |i| i.route_tables.clear(), &[("subnet-1", Unknown, "unread")]);
    expect(c, "no VPC", |i| detail(i).vpc = None, &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
fn private_blocks() {
    for (block, private) in [
        ("10.0.0.0/8", true),
        ("10.1.2.0/24", true),
        ("172.31.0.0/16", true),
        ("172.32.0.0/16", false),
        ("192.168.1.1/32", true),
        ("100.64.0.0/10", true),
        ("0.0.0.0/0", false),
        ("10.0.0.0/7", false),
        ("fd00::/8", true),
        ("2001:db8::/32", false),
        ("::/0", false),
        ("pl-1", false),
        ("10.0.0.0", false),
        ("10.0.0.0/99", true),
        ("nonsense/8", false),
    ] {
        assert_eq!(is_private(block), private, "{block}");
    }
    assert_eq!(way_out(&route("10.0.0.0/16", "local")), Way::Stays);
}
