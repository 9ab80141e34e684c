//! The network drawn, lineage folded, filters by field, and keys that say why they do nothing.

use super::fixture::{envelope, error, full, full_in, now, session};
use crate::inventory::bedrock::VpcConfig;
use crate::inventory::{Items, Kind, Mode, Read, ResourceRef, SourceId, SourceReport, Update, ec2};
use crate::posture::{Assessment, Evidence, Severity, Status, Verdict};
use crate::source::Message;
use crate::tui::driver::Driver;
use crate::tui::judged::Question;
use crate::tui::model::Place;
use crate::tui::pane::Pane;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

/// Verdicts on the network of the fixture's jobs.
fn judge(question: &Question<'_>) -> Assessment {
    let mut assessment = super::fixture::judge(question);
    if assessment.verdicts.is_empty() {
        return assessment;
    }
    let verdict = |control: &'static str, severity, code, reason: &str, kind, id: &str| Verdict {
        id: format!("{control}/{id}/{code}"),
        control,
        title: "of the network",
        severity,
        status: Status::Fail,
        code,
        reason: reason.into(),
        resource: ResourceRef::new(kind, id),
        name: id.into(),
        related: Vec::new(),
        evidence: Vec::new(),
        sources: vec![SourceId::SUBNETS],
        fixes: &[],
        muted: None,
        stale: None,
    };
    let reason = "subnet reaches the internet by 0.0.0.0/0 → nat-01";
    for subnet in ["subnet-0a1b", "subnet-0a2c"] {
        let mut out = verdict("CUS-NET-02", Severity::High, "internet-route", reason, Kind::Subnet, subnet);
        out.evidence = vec![Evidence { label: "route".into(), value: "0.0.0.0/0 → nat-01".into(), pointer: None }];
        assessment.verdicts.push(out);
    }
    let reason = "VPC ml has no endpoint for S3";
    assessment.verdicts.push(verdict("CUS-NET-03", Severity::High, "no-endpoint", reason, Kind::Vpc, "vpc-cf2e"));
    let reason = "VPC ml has no endpoint for bedrock";
    assessment.verdicts.push(verdict("CUS-NET-09", Severity::Medium, "missing", reason, Kind::Vpc, "vpc-cf2e"));
    let reason = "sends anything anywhere";
    assessment.verdicts.push(verdict("CUS-NET-06", Severity::Medium, "open", reason, Kind::SecurityGroup, "sg-0c2d"));
    let mut unknown = verdict("CUS-NET-07", Severity::Low, "unread", "not read", Kind::Vpc, "vpc-cf2e");
    unknown.status = Status::Unknown;
    assessment.verdicts.push(unknown);
    assessment
}

fn read<T>(value: T) -> Read<T> {
    Read::got(value, now())
}

/// The fixture with two subnets, an endpoint, a security group, and what is wrong with them.
fn network((width, height): (u16, u16)) -> Driver {
    let mut driver = full(width, height);
    driver.model.options.judge = judge;
    let mut jobs: Vec<_> = driver.model.inventory.jobs.values().cloned().collect();
    for job in &mut jobs {
        let Ok(mut detail) = job.detail.known().cloned() else { continue };
        detail.vpc = (job.name != "orion-law").then(|| VpcConfig {
            subnets: vec!["subnet-0a1b".into(), "subnet-0a2c".into()],
            security_groups: vec!["sg-0c2d".into()],
        });
        job.detail = read(detail);
    }
    let mut subnets: Vec<_> = driver.model.inventory.subnets.values().cloned().collect();
    subnets.push(ec2::Subnet {
        id: "subnet-0a2c".into(),
        name: "ml-b".into(),
        zone: "us-east-1b".into(),
        cidr: "10.0.2.0/24".into(),
        ..subnets[0].clone()
    });
    let mut tables: Vec<_> = driver.model.inventory.route_tables.values().cloned().collect();
    let route = |destination: &str, target: &str, state: &str| ec2::Route {
        destination: destination.into(),
        target: target.into(),
        state: state.into(),
    };
    tables[0].routes.insert(0, route("10.0.0.0/16", "local", "active"));
    tables[0].routes.push(route("10.9.0.0/16", "tgw-1", "active"));
    tables[0].routes.push(route("10.8.0.0/16", "pcx-1", "blackhole"));
    let endpoint = ec2::Endpoint {
        id: "vpce-7".into(),
        name: "".into(),
        vpc: "vpc-cf2e".into(),
        service: "com.amazonaws.us-east-1.bedrock-runtime".into(),
        kind: "Interface".into(),
        state: "available".into(),
        policy: None,
        private_dns: true,
        route_tables: Vec::new(),
        subnets: vec!["subnet-0a1b".into()],
        security_groups: vec!["sg-0c2d".into()],
    };
    let rule = |protocol: &str, ports, peer: &str| ec2::Permission {
        protocol: protocol.into(),
        ports,
        peers: vec![peer.into()],
    };
    let group = ec2::SecurityGroup {
        id: "sg-0c2d".into(),
        name: "tuner".into(),
        vpc: "vpc-cf2e".into(),
        ingress: vec![rule("tcp", Some((443, 443)), "sg-0c2d")],
        egress: vec![rule("-1", None, "0.0.0.0/0")],
    };
    let updates = [
        Update::Listed(Items::Job(jobs)),
        Update::Listed(Items::Subnet(subnets)),
        Update::Listed(Items::RouteTable(tables)),
        Update::Listed(Items::Endpoint(vec![endpoint])),
        Update::Listed(Items::SecurityGroup(vec![group])),
    ];
    driver.receive(updates.map(|update| envelope(Message::Update(Box::new(update)))));
    driver
}

/// Goes to the line of the open page that contains some text.
fn go_to(driver: &mut Driver, text: &str) {
    driver.keys("g");
    for _ in 0..60 {
        let screen = driver.screen();
        if screen.lines().any(|line| line.contains('▸') && line.starts_with("│▸") && line.contains(text)) {
            return;
        }
        driver.keys("j");
    }
    panic!("no line says {text}: {}", driver.screen());
}

#[test]
fn the_network_is_drawn_at_every_size() {
    for size in SIZES {
        let mut driver = network(size);
        driver.keys("7");
        insta::assert_snapshot!(format!("network_list_{}x{}", size.0, size.1), driver.screen());
        driver.keys("enter");
        insta::assert_snapshot!(format!("network_page_{}x{}", size.0, size.1), driver.screen());
    }
    let mut driver = network((80, 24));
    driver.model.ascii = true;
    driver.keys("7 enter");
    let screen = driver.screen();
    assert!(screen.is_ascii() && screen.contains("0.0.0.0/0 ==> INTERNET"), "{screen}");
}

#[test]
fn marks_are_never_cut_and_lead_to_their_findings() {
    for size in [(80, 24), (40, 10), (56, 14)] {
        let mut driver = network(size);
        driver.keys("7 enter");
        go_to(&mut driver, "INTERNET");
        let screen = driver.screen();
        let line = screen.lines().find(|line| line.contains("INTERNET")).unwrap();
        assert!(line.contains("▲ HIGH"), "{screen}");
        driver.keys("enter");
        let place = driver.model.stack.last().map(|spot| spot.place.clone());
        assert!(matches!(&place, Some(Place::Finding(id)) if id.starts_with("CUS-NET-02/")), "{place:?}");
        driver.keys("esc");
        go_to(&mut driver, "s3: no endpoint");
        driver.keys("enter");
        let place = driver.model.stack.last().map(|spot| spot.place.clone());
        assert!(matches!(&place, Some(Place::Finding(id)) if id.starts_with("CUS-NET-03/")), "{place:?}");
    }
}

#[test]
fn what_is_drawn_is_what_is_under_the_cursor() {
    let mut driver = network((120, 40));
    driver.keys("7 /");
    driver.text("kind:job orion-law");
    driver.keys("enter");
    assert!(driver.screen().contains("Bedrock's own network"), "{}", driver.screen());
    for (filter, drawn) in [
        ("kind:subnet ml-b", "both follow"),
        ("kind:vpc", "both follow it"),
        ("kind:endpoint", "bedrock: no endpoint"),
        ("kind:route", "10.9.0.0/16 ══▶ tgw-1"),
        ("kind:security", "everything out to 0.0.0.0/0"),
    ] {
        driver.keys("esc esc /");
        driver.text(filter);
        driver.keys("enter");
        assert_eq!(driver.model.list().subjects.len(), 1, "{filter}");
        let screen = driver.screen();
        // One subnet by itself is not both.
        let drawn = if filter.contains("ml-b") { "INTERNET" } else { drawn };
        assert!(screen.contains(drawn), "{filter}: {screen}");
        driver.keys("enter");
        assert!(driver.screen().contains("Network"), "{}", driver.screen());
    }
}

#[test]
fn what_was_not_read_is_said_in_the_drawing() {
    let mut driver = network((80, 24));
    let failures = vec![error("ec2:DescribeRouteTables")];
    let report = SourceReport::sum(SourceId::ROUTE_TABLES, now(), 0, &failures);
    driver.receive([
        envelope(Message::Update(Box::new(Update::Listed(Items::RouteTable(Vec::new()))))),
        envelope(Message::Update(Box::new(Update::Source(report)))),
    ]);
    driver.keys("7 enter G");
    let screen = driver.screen();
    assert!(screen.contains("? no route table of it was read"), "{screen}");
    assert!(screen.contains("? ec2:DescribeRouteTables denied"), "{screen}");
}

#[test]
fn branches_of_lineage_fold_and_enter_goes_there() {
    let mut driver = full(100, 30);
    driver.keys("5 j j L");
    go_to(&mut driver, "encrypts job orion-chat ");
    driver.keys("space");
    let screen = driver.screen();
    assert!(screen.contains("├─ ▸ encrypts job orion-chat  + 3"), "{screen}");
    assert!(!screen.contains("is served by"), "{screen}");
    driver.keys("space");
    assert!(driver.screen().contains("is served by"));
    driver.keys("h");
    assert!(!driver.screen().contains("makes model"), "{}", driver.screen());
    driver.keys("l");
    assert!(driver.screen().contains("makes model"));
    go_to(&mut driver, "makes model orion-chat");
    driver.keys("enter");
    let place = driver.model.stack.last().map(|spot| spot.place.clone());
    assert!(matches!(&place, Some(Place::Resource(of)) if of.kind == Kind::Model), "{place:?}");
}

#[test]
fn every_list_is_filtered_by_fields() {
    for (pane, filter, count) in [
        ("2", "sev:critical", 2),
        ("2", "severity:CRITICAL", 2),
        ("2", "sev:critical,high", 4),
        ("2", "-sev:critical", 5),
        ("2", "status:unknown", 1),
        ("2", "status:fail", 6),
        ("2", "area:kms", 4),
        ("2", "area:Encryption -sev:critical", 2),
        ("2", "control:kms-05", 1),
        ("2", "kind:role", 1),
        ("2", "where:orion-chat", 2),
        ("2", "fix:FIX-01 code:example", 4),
        ("2", "sev:", 7),
        ("2", "-everyone", 6),
        ("2", "color:red", 0),
        ("5", "sev:critical", 2),
        ("5", "status:fail state:enabled", 2),
        ("5", "control:kms-08", 1),
        ("3", "status:failed", 1),
        ("3", "kind:import", 1),
        ("9", "who:ci-runner", 1),
        ("9", "result:denied", 1),
        ("0", "state:denied", 2),
    ] {
        let mut driver = full(100, 30);
        driver.keys(pane);
        driver.keys("/");
        driver.text(filter);
        driver.keys("enter");
        assert_eq!(driver.model.list().subjects.len(), count, "{pane} {filter}");
    }
    let mut driver = full(100, 30);
    driver.keys("2 /");
    driver.text("color:red");
    driver.keys("enter");
    let screen = driver.screen();
    assert!(screen.contains("There is no field 'color:' here") && screen.contains("control"), "{screen}");
}

#[test]
fn a_key_that_does_nothing_says_why() {
    for (keys, why) in [
        ("7 =", "= only this: only in Trail and in an event"),
        ("5 E", "E what if: only in the access matrix"),
        ("5 T", "T is no key here; ? shows the keys"),
        ("5 f3", "f3 is no key here"),
        ("5 A", "A apply…: only in the fix dialog"),
        ("3 h", "h fold: only in details and trees"),
        ("i enter", "leads nowhere"),
    ] {
        let mut driver = full(100, 30);
        driver.keys(keys);
        let said = driver.model.notice.clone().map(|notice| notice.text).unwrap_or_default();
        assert!(said.contains(why), "{keys}: {said}");
    }
}

#[test]
fn an_overlay_shows_its_own_keys() {
    let mut driver = full(80, 24);
    driver.keys("5 ?");
    let screen = driver.screen();
    assert!(screen.contains("Help: every key"), "{screen}");
    assert!(screen.lines().last().unwrap().contains("any other key closes"), "{screen}");
    driver.keys("x :");
    let screen = driver.screen();
    assert!(screen.lines().last().unwrap().contains("Enter do it"), "{screen}");
}

#[test]
fn an_endpoint_that_is_not_awss_own_shows_at_every_width() {
    for width in [40, 60, 80, 99, 100, 101, 120] {
        let mut driver = full(width, 24);
        let mut other = session(Mode::ReadOnly);
        other.endpoint = Some("http://127.0.0.1:5000".into());
        driver.receive([envelope(Message::Session(other))]);
        assert!(driver.screen().lines().next().unwrap().contains("ENDPT"), "{width}: {}", driver.screen());
    }
}

#[test]
fn a_demo_has_no_profile() {
    let mut driver = full_in(Mode::Demo, 100, 30);
    let mut demo = session(Mode::Demo);
    demo.profile = None;
    driver.receive([envelope(Message::Session(demo.clone()))]);
    driver.keys("i");
    assert!(!driver.screen().contains("profile"), "{}", driver.screen());
    demo.mode = Mode::ReadOnly;
    driver.receive([envelope(Message::Session(demo))]);
    assert!(driver.screen().contains("the default one"));
}

#[test]
fn an_empty_trail_counts_nothing() {
    let mut driver = full(80, 24);
    driver.keys("8 / n o b o d y enter");
    let screen = driver.screen();
    assert!(screen.contains("Over time  no events") && !screen.contains("at most"), "{screen}");
}

#[test]
fn what_failed_stands_first_among_the_sources() {
    let mut driver = full(80, 24);
    let mut failure = error("s3:GetBucketAcl");
    failure.kind = crate::inventory::ErrorKind::Throttled;
    let report = SourceReport::sum(SourceId::VPCS, now(), 0, &[failure]);
    driver.receive([envelope(Message::Update(Box::new(Update::Source(report))))]);
    driver.keys("0");
    let states: Vec<String> = driver
        .model
        .list()
        .subjects
        .iter()
        .map(|subject| crate::tui::pane::cells(&driver.model, Pane::Sources, subject)[1].text.clone())
        .collect();
    assert_eq!(states[..4], ["failed", "denied", "denied", "complete"]);
}

#[test]
fn what_changed_is_told_in_full_with_the_permission_that_is_missing() {
    for size in SIZES {
        let mut driver = full(size.0, size.1);
        driver.keys("c");
        insta::assert_snapshot!(format!("changes_{}x{}", size.0, size.1), driver.screen());
    }
    let mut driver = full(120, 40);
    driver.keys("c");
    let screen = driver.screen();
    assert!(screen.contains(r#""Action": ["s3:GetReplicationConfiguration"], "Resource": "*"}"#), "{screen}");
    go_to(&mut driver, "key orion-law");
    driver.keys("enter");
    assert!(driver.screen().contains("PendingDeletion") || driver.screen().contains("DELETES"), "{}", driver.screen());
}

#[test]
fn compliance_says_what_it_is_not() {
    for size in SIZES {
        let mut driver = full(size.0, size.1);
        driver.keys(": c o m p l i a n c e enter");
        insta::assert_snapshot!(format!("compliance_{}x{}", size.0, size.1), driver.screen());
        driver.keys("j enter");
        insta::assert_snapshot!(format!("framework_{}x{}", size.0, size.1), driver.screen());
        assert!(driver.screen().contains("Not an attestation."));
    }
    let mut driver = full(100, 40);
    driver.keys(": c o m p l i a n c e enter / n i s t enter enter");
    go_to(&mut driver, "NOT MET");
    driver.keys("enter");
    assert_eq!(driver.model.pane, Pane::Findings);
    assert!(driver.model.list().filter.starts_with("control:CUS-"), "{}", driver.model.list().filter);
    assert!(!driver.model.list().subjects.is_empty());
    driver.keys("esc");
    assert_eq!(driver.model.pane, Pane::Compliance);
}

#[test]
fn a_long_summary_is_read_before_it_is_applied() {
    let mut driver = full_in(Mode::Write, 40, 14);
    driver.keys("2 j f A");
    let said = driver.model.notice.clone().map(|notice| notice.text).unwrap_or_default();
    assert!(said.contains("first read the summary to its end: G"), "{said}");
    driver.keys("tab A");
    let said = driver.model.notice.clone().map(|notice| notice.text).unwrap_or_default();
    assert!(said.contains("first read the summary"), "the end of another tab is none: {said}");
    driver.keys("G A");
    assert!(driver.screen().contains("> "), "{}", driver.screen());
    // Where all of it is on screen at once, it was read.
    let mut driver = full_in(Mode::Write, 100, 40);
    driver.keys("2 j f A");
    assert!(driver.model.notice.is_none(), "{:?}", driver.model.notice);
}
