//! CUS-NET-06, 07 and 08: security groups, DNS, flow logs.

use crate::inventory::ec2::{FlowLog, Permission, PrefixList, Subnet};
use crate::inventory::{Inventory, Read, SourceId};
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use crate::posture::fixtures::*;

fn rule(protocol: &str, ports: Option<(i32, i32)>, peer: &str) -> Permission {
    Permission { protocol: protocol.into(), ports, peers: vec![peer.into()] }
}

#[test]
pub fn security_groups() {
    let c = "CUS-NET-06";
    let lists = |i: &mut Inventory| {
        for (id, name, owner) in [
            ("pl-own", "office", ACCOUNT),
            ("pl-dynamo", "com.amazonaws.us-east-1.dynamodb", "AWS"),
            ("pl-fake", "com.amazonaws.us-east-1.s3", ACCOUNT),
            ("pl-abroad", "com.amazonaws.eu-west-1.s3", "AWS"),
        ] {
            i.prefix_lists.insert(id.into(), PrefixList { id: id.into(), name: name.into(), owner: owner.into() });
        }
    };
    expect(c, "to S3 and endpoints", |_| {}, &[("sg-1", Pass, "ok")]);
    for (protocol, ports, peer, status, code) in [
        ("-1", None, "0.0.0.0/0", Fail, "open-egress"),
        ("-1", None, "::/0", Fail, "open-egress"),
        ("tcp", Some((443, 443)), "0.0.0.0/0", Fail, "open-egress"),
        ("tcp", Some((0, 65535)), "::/0", Fail, "open-egress"),
        ("udp", Some((443, 443)), "0.0.0.0/0", Fail, "open-egress"),
        ("-1", None, "128.0.0.0/1", Fail, "open-egress"),
        ("tcp", Some((80, 80)), "0.0.0.0/0", Warn, "public-egress"),
        ("icmp", Some((-1, -1)), "0.0.0.0/0", Warn, "public-egress"),
        ("tcp", Some((443, 443)), "52.0.0.0/8", Warn, "public-egress"),
        ("-1", None, "10.0.0.0/8", Pass, "ok"),
        ("-1", None, "fd00::/8", Pass, "ok"),
        ("-1", None, "sg-2", Pass, "ok"),
        ("tcp", Some((443, 443)), "pl-own", Warn, "other-prefix-list"),
        ("tcp", Some((443, 443)), "pl-dynamo", Warn, "other-prefix-list"),
        ("tcp", Some((443, 443)), "pl-fake", Warn, "other-prefix-list"),
        ("tcp", Some((443, 443)), "pl-abroad", Warn, "other-prefix-list"),
        ("tcp", Some((443, 443)), "pl-gone", Warn, "other-prefix-list"),
    ] {
        let what = format!("{protocol} {ports:?} → {peer}");
        let add = |i: &mut Inventory| {
            lists(i);
            i.security_groups.get_mut(GROUP).unwrap().egress.push(rule(protocol, ports, peer));
        };
        expect(c, &what, add, &[("sg-1", status, code)]);
    }
    for (peer, status, code) in [
        ("0.0.0.0/0", Fail, "public-ingress"),
        ("8.8.8.8/32", Fail, "public-ingress"),
        ("::/0", Fail, "public-ingress"),
        ("10.0.0.0/16", Pass, "ok"),
        ("sg-1", Pass, "ok"),
        ("pl-own", Pass, "ok"),
    ] {
        let add = |i: &mut Inventory| {
            i.security_groups.get_mut(GROUP).unwrap().ingress.push(rule("tcp", Some((22, 22)), peer));
        };
        expect(c, &format!("← {peer}"), add, &[("sg-1", status, code)]);
    }
    expect(c, "gone", |i| _ = i.security_groups.remove(GROUP), &[("sg-1", NotApplicable, "not-applicable")]);
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::PREFIX_LISTS);
    expect(c, "a list that was not read is not another", lost, &[("sg-1", Unknown, "unread")]);
    expect(c, "no VPC", no_vpc, &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
pub fn names() {
    let c = "CUS-NET-07";
    let vpc =
        |change: fn(&mut crate::inventory::ec2::Vpc)| move |i: &mut Inventory| change(i.vpcs.get_mut(VPC).unwrap());
    let servers = |all: &'static [&'static str]| {
        move |i: &mut Inventory| {
            i.dhcp_options.get_mut("dopt-1").unwrap().name_servers = all.iter().map(|one| (*one).into()).collect();
        }
    };
    expect(c, "on", |_| {}, &[("vpc-1", Pass, "ok")]);
    expect(c, "no DNS", vpc(|v| v.dns_support = got(false)), &[("vpc-1", Fail, "dns-support-off")]);
    expect(c, "no names", vpc(|v| v.dns_hostnames = got(false)), &[("vpc-1", Fail, "dns-hostnames-off")]);
    expect(c, "servers of one's own", servers(&["10.0.0.9"]), &[("vpc-1", Warn, "custom-dns")]);
    expect(c, "both", servers(&["10.0.0.9", "AmazonProvidedDNS"]), &[("vpc-1", Pass, "ok")]);
    expect(c, "no servers", servers(&[]), &[("vpc-1", Warn, "custom-dns")]);
    expect(c, "no options", vpc(|v| v.dhcp_options = Some("default".into())), &[("vpc-1", Warn, "custom-dns")]);
    expect(c, "options unheard of", |i| i.dhcp_options.clear(), &[("vpc-1", Unknown, "dhcp-options-missing")]);
    expect(c, "not read", vpc(|v| v.dns_hostnames = Read::NotAsked), &[("vpc-1", Unknown, "unread")]);
    expect(c, "not in the inventory", |i| i.vpcs.clear(), &[("vpc-1", Unknown, "unread")]);
    expect(c, "no jobs", no_jobs, &[("us-east-1", NotApplicable, "not-applicable")]);
}

#[test]
pub fn flow_logs() {
    let c = "CUS-NET-08";
    let log = |change: fn(&mut FlowLog)| move |i: &mut Inventory| change(i.flow_logs.get_mut("fl-1").unwrap());
    let another = |i: &mut Inventory, change: fn(&mut FlowLog)| {
        let mut one = FlowLog { id: "fl-2".into(), ..i.flow_logs["fl-1"].clone() };
        change(&mut one);
        i.flow_logs.insert("fl-2".into(), one);
    };
    let second = |i: &mut Inventory| {
        let one = Subnet { id: "subnet-2".into(), ..i.subnets[SUBNET].clone() };
        i.subnets.insert("subnet-2".into(), one);
        detail(i).vpc.as_mut().unwrap().subnets.push("subnet-2".into());
    };
    expect(c, "on the VPC", |_| {}, &[("vpc-1", Pass, "ok")]);
    expect(c, "none", |i| i.flow_logs.clear(), &[("vpc-1", Fail, "no-flow-log")]);
    expect(c, "on another", log(|l| l.resource = "vpc-2".into()), &[("vpc-1", Fail, "no-flow-log")]);
    expect(c, "off", log(|l| l.status = "INACTIVE".into()), &[("vpc-1", Fail, "not-active")]);
    expect(c, "undelivered", log(|l| l.delivery = "FAILED".into()), &[("vpc-1", Fail, "delivery-failed")]);
    expect(c, "not yet delivered", log(|l| l.delivery = "".into()), &[("vpc-1", Pass, "ok")]);
    expect(c, "half", log(|l| l.traffic = "REJECT".into()), &[("vpc-1", Fail, "partial-traffic")]);
    expect(
        c,
        "two halves",
        |i| {
            another(i, |l| l.traffic = "ACCEPT".into());
            log(|l| l.traffic = "REJECT".into())(i);
        },
        &[("vpc-1", Pass, "ok")],
    );
    expect(
        c,
        "one that works is enough",
        |i| {
            another(i, |l| l.delivery = "FAILED".into());
        },
        &[("vpc-1", Pass, "ok")],
    );
    expect(c, "on the subnet", log(|l| l.resource = SUBNET.into()), &[("vpc-1", Pass, "ok")]);
    expect(
        c,
        "on one subnet of two",
        |i| {
            second(i);
            log(|l| l.resource = SUBNET.into())(i);
        },
        &[("vpc-1", Fail, "no-flow-log")],
    );
    expect(
        c,
        "each subnet lacks something else",
        |i| {
            second(i);
            log(|l| l.resource = SUBNET.into())(i);
            another(i, |l| (l.resource, l.traffic) = ("subnet-2".into(), "ACCEPT".into()));
            log(|l| l.status = "INACTIVE".into())(i);
        },
        &[("vpc-1", Fail, "not-active"), ("vpc-1", Fail, "partial-traffic")],
    );
    let lost = |i: &mut Inventory| deny_from_the_start(i, SourceId::FLOW_LOGS);
    expect(c, "not listed is not missing", lost, &[("vpc-1", Unknown, "unread")]);
    expect(c, "no VPC", no_vpc, &[("us-east-1", NotApplicable, "not-applicable")]);
}
