//! What an organization imposes: from the inventory to the answer.

use serde_json::{Value, json};

use super::*;
use crate::access::request::Guards;
use crate::access::{Decision, Identity, KeyAccess, Scenario, decide, who};
use crate::base::Timestamp;
use crate::inventory::kms::Key;
use crate::inventory::{Document, ErrorKind, ReadError, SourceReport};

const HOME: &str = "111122223333";
const MANAGEMENT: &str = "999988887777";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k1";
const ROLE: &str = "arn:aws:iam::111122223333:role/Tuner";

fn at() -> Timestamp {
    Timestamp::from_secs(1)
}

fn denied<T>(operation: &str) -> Read<T> {
    let error = ReadError { operation: operation.into(), kind: ErrorKind::Denied, message: "no".into(), at: at() };
    Read::Failed { error, last: None }
}

fn document(statements: Value) -> Document {
    Document::pretty(&json!({"Version": "2012-10-17", "Statement": statements}))
}

/// An account with a role and a key that lets it decrypt, in no organization.
fn account() -> Inventory {
    let mut inventory = Inventory::default();
    let role = crate::inventory::testing::role(ROLE);
    inventory.roles.insert(role.arn.clone(), role);
    inventory.coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at(), 1, &[]));
    let mut key = Key::bare(KEY);
    key.policy = Read::got(
        document(json!([{"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": [ROLE, "444455556666", MANAGEMENT]},
            "Action": "kms:Decrypt", "Resource": "*"}])),
        at(),
    );
    key.grants = Read::got(Vec::new(), at());
    inventory.keys.insert(key.arn.clone(), key);
    inventory.settings.organization = Read::got(None, at());
    inventory
}

fn policy(id: &str, kind: &str, targets: &[&str], statements: Value) -> OrganizationPolicy {
    OrganizationPolicy {
        id: id.into(),
        name: id.trim_start_matches("p-").into(),
        kind: kind.into(),
        aws_managed: false,
        targets: targets.iter().map(ResourceId::new).collect(),
        document: Read::got(document(statements), at()),
    }
}

const SCP: &str = "SERVICE_CONTROL_POLICY";
const RCP: &str = "RESOURCE_CONTROL_POLICY";
const PATH: &[&str] = &["r-1", "ou-ml", HOME];

/// The same in an organization, with these policies beside the ones that AWS puts everywhere.
fn member(more: Vec<OrganizationPolicy>) -> Inventory {
    let mut inventory = account();
    let organization = Organization {
        id: "o-1".into(),
        arn: "arn:aws:organizations::999988887777:organization/o-1".into(),
        management_account: MANAGEMENT.into(),
        features: "ALL".into(),
    };
    inventory.settings.organization = Read::got(Some(organization), at());
    inventory.settings.organization_path = Read::got(PATH.iter().map(ResourceId::new).collect(), at());
    let all = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let everywhere = [policy("p-FullAWSAccess", SCP, PATH, all.clone()), policy("p-RCPFullAWSAccess", RCP, PATH, all)];
    for policy in everywhere.into_iter().chain(more) {
        inventory.organization_policies.insert(policy.id.clone(), policy);
    }
    inventory.coverage.record(SourceReport::sum(SourceId::ORGANIZATION_POLICIES, at(), 1, &[]));
    inventory
}

fn ask(inventory: &Inventory, caller: &str, action: &str) -> crate::access::Answer {
    let access = KeyAccess::of(&inventory.keys[KEY]).unwrap();
    let identity = Identity::of(inventory, &Caller::parse(caller).unwrap());
    decide(&access, &identity, action, &Scenario::open())
}

#[test]
fn an_organization_takes_away_what_it_is_seen_to() {
    let deny = |more: Value| {
        let mut one = json!({"Sid": "NoKeys", "Effect": "Deny", "Action": "kms:*", "Resource": "*"});
        for (name, value) in more.as_object().unwrap() {
            one[name] = value.clone();
        }
        json!([one])
    };
    let outsiders = json!({"Principal": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}});
    let elsewhere = json!({"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}});
    let far = json!({"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}});
    let mut none_on_unit = member(Vec::new());
    none_on_unit.organization_policies.get_mut("p-FullAWSAccess").unwrap().targets = vec!["r-1".into(), HOME.into()];
    let only = |actions: &str| {
        let mut inventory = member(vec![policy(
            "p-few",
            SCP,
            &["ou-ml"],
            json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]),
        )]);
        inventory.organization_policies.get_mut("p-FullAWSAccess").unwrap().targets = vec!["r-1".into(), HOME.into()];
        inventory
    };
    for (what, inventory, expected) in vec![
        ("in none", account(), "allowed by key policy /Statement/0 \"Use\""),
        ("nothing but what AWS puts there", member(Vec::new()), "allowed by key policy /Statement/0 \"Use\""),
        (
            "a Deny on the unit",
            member(vec![policy("p-keys", SCP, &["ou-ml"], deny(json!({})))]),
            "denied by service control policy keys of ou-ml /Statement/0 \"NoKeys\"",
        ),
        (
            "a Deny on resources",
            member(vec![policy("p-keys", RCP, &["r-1"], deny(json!({"Principal": "*"})))]),
            "denied by resource control policy keys of r-1 /Statement/0 \"NoKeys\"",
        ),
        (
            "a perimeter that the role is inside of",
            member(vec![policy("p-edge", RCP, &["r-1"], deny(outsiders))]),
            "allowed by key policy /Statement/0 \"Use\"",
        ),
        (
            "regions: here",
            member(vec![policy("p-region", SCP, &["r-1"], deny(elsewhere))]),
            "allowed by key policy /Statement/0 \"Use\"",
        ),
        (
            "regions: not here",
            member(vec![policy("p-region", SCP, &["r-1"], deny(far))]),
            "denied by service control policy region of r-1 /Statement/0 \"NoKeys\"",
        ),
        ("a level that allows it", only("kms:*"), "allowed by key policy /Statement/0 \"Use\""),
        (
            "a level that does not allow it",
            only("s3:*"),
            "not allowed: a service control policy level does not allow kms:Decrypt",
        ),
        (
            "a level without any",
            none_on_unit,
            "uncertain: allowed by key policy /Statement/0 \"Use\", unless a service control policy denies it: no \
             service control policy was seen on ou-ml",
        ),
    ] {
        assert_eq!(ask(&inventory, ROLE, "kms:Decrypt").decision.words().as_str(), expected, "{what}");
    }
}

#[test]
// why: a table of whole inventories, once.
#[allow(clippy::large_stack_arrays)]
fn what_cannot_be_read_of_it_settles_nothing_that_it_could_take_away() {
    let blind = |spoil: &dyn Fn(&mut Inventory)| {
        let mut inventory =
            member(vec![policy("p-x", SCP, &["r-1"], json!([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]))]);
        spoil(&mut inventory);
        inventory
    };
    for (what, inventory, why) in [
        (
            "organization",
            blind(&|i| i.settings.organization = denied("organizations:DescribeOrganization")),
            "DescribeOrganization denied",
        ),
        ("not read yet", blind(&|i| i.settings.organization = Read::NotAsked), "the organization: not read yet"),
        ("path", blind(&|i| i.settings.organization_path = denied("organizations:ListParents")), "ListParents denied"),
        (
            "policies",
            blind(&|i| {
                i.coverage = {
                    let mut coverage = crate::inventory::Coverage::default();
                    coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at(), 1, &[]));
                    coverage
                }
            }),
            "organizations:ListPoliciesForTarget not read yet",
        ),
        (
            "document",
            blind(&|i| {
                i.organization_policies.get_mut("p-x").unwrap().document = denied("organizations:DescribePolicy");
            }),
            "x of r-1: organizations:DescribePolicy denied",
        ),
        (
            "no JSON",
            blind(&|i| i.organization_policies.get_mut("p-x").unwrap().document = Read::got(Document::new("{"), at())),
            "x of r-1: ",
        ),
    ] {
        let answer = ask(&inventory, ROLE, "kms:Decrypt");
        let words = answer.decision.words();
        assert!(matches!(answer.decision, Decision::Uncertain { .. }), "{what}: {words}");
        assert!(words.as_str().contains("unless a service") && words.as_str().contains(why), "{what}: {words}");
        assert!(answer.of_what_was_read().is_allowed(), "{what}");
        // It only takes away: what nothing allows stays denied.
        assert!(ask(&inventory, ROLE, "kms:Encrypt").decision.is_denied(), "{what}");
        assert!(Bounds::of(&inventory).gap().is_some(), "{what}");
    }
    // The management account is spared, whatever else was read; another account is its own.
    let path = blind(&|i| i.settings.organization_path = denied("organizations:ListParents"));
    let boss = format!("arn:aws:iam::{MANAGEMENT}:root");
    assert!(ask(&path, &boss, "kms:Decrypt").of_what_was_read().is_allowed());
    let stranger = "arn:aws:iam::444455556666:root";
    for inventory in [account(), member(Vec::new())] {
        let words = ask(&inventory, stranger, "kms:Decrypt").decision.words();
        assert!(words.as_str().ends_with("those of account 444455556666 are not visible"), "{words}");
        assert_eq!(Bounds::of(&inventory).gap(), None);
    }
    assert!(ask(&member(Vec::new()), &boss, "kms:Decrypt").decision.is_allowed());
}

#[test]
fn who_it_binds() {
    let mut own =
        member(vec![policy("p-x", SCP, &["r-1"], json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]))]);
    assert!(ask(&own, ROLE, "kms:Decrypt").decision.is_denied());
    if let Read::Got { value: Some(held), .. } = &mut own.settings.organization {
        held.management_account = HOME.into();
    }
    assert!(ask(&own, ROLE, "kms:Decrypt").decision.is_allowed(), "the management account");
    if let Read::Got { value: Some(held), .. } = &mut own.settings.organization {
        held.management_account = MANAGEMENT.into();
        held.features = "CONSOLIDATED_BILLING".into();
    }
    assert!(ask(&own, ROLE, "kms:Decrypt").decision.is_allowed(), "an organization that only pays");
    // Anyone is in some account that nothing binds.
    let anyone = Identity::of(&member(Vec::new()), &Caller::parse("arn:aws:iam::000000000000:root").unwrap());
    assert_eq!(anyone.bounds.scps(&anyone.caller).unseen, None);
}

#[test]
fn the_table_says_it_once_and_the_statement_can_be_shown() {
    let deny = json!([{"Sid": "NoKeys", "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}]);
    let inventory = member(vec![policy("p-keys", SCP, &["ou-ml"], deny)]);
    let layer = ask(&inventory, ROLE, "kms:Decrypt").decision.by()[0].layer.clone();
    let target = crate::access::Target::One(Box::new(KeyAccess::of(&inventory.keys[KEY]).unwrap().resource()));
    let shown = crate::access::documents(&inventory, &target, None, &layer);
    assert_eq!(shown.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["keys of ou-ml"]);
    let actions = ["kms:Decrypt".to_owned()];
    let matrix = who::who_can(&inventory, &target, &actions, &Scenario::open());
    assert!(matrix.gaps.iter().all(|gap| !gap.as_str().contains("control")), "{:?}", matrix.gaps);
    let mut blind = inventory.clone();
    blind.settings.organization_path = denied("organizations:ListParents");
    let matrix = who::who_can(&blind, &target, &actions, &Scenario::open());
    let told: Vec<_> = matrix.gaps.iter().filter(|gap| gap.as_str().starts_with("service and resource")).collect();
    assert_eq!(told.len(), 1, "{:?}", matrix.gaps);
    let guards = Guards::default();
    let role = Identity::of(&blind, &Caller::parse(ROLE).unwrap());
    assert_eq!(who::answer(&target, &role, "kms:Decrypt", &Scenario::open(), &guards).decision.word(), "Uncertain");
}
