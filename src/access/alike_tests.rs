//! What is kept for keys that are alike is what each of them would have been told.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::alike::{OfIdentities, OfKeys, OneKey, Question};
use super::property_tests::document;
use super::{Answer, BadPolicy, Caller, Identity, KeyAccess, Policy, Scenario, decide, identity_decides};
use crate::base::{ResourceId, Timestamp};
use crate::inventory::iam::{InlinePolicy, ManagedPolicy};
use crate::inventory::kms::{Grant, Key, KeyMetadata, KeyState};
use crate::inventory::organization::{Organization, OrganizationPolicy};
use crate::inventory::{Document, Inventory, Read, SourceId, SourceReport, testing};

const A: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/p/R";
const EDGE: &str = "arn:aws:iam::111122223333:policy/edge";

fn at() -> Timestamp {
    Timestamp::from_secs(1)
}

fn pick<T: Clone + std::fmt::Debug + 'static>(from: Vec<T>) -> impl Strategy<Value = T> {
    prop::sample::select(from)
}

/// Documents of the other properties, with conditions on what follows from a key.
fn about_keys(resource_side: bool) -> impl Strategy<Value = String> {
    let condition = prop::option::weighted(
        0.3,
        pick(vec![
            json!({"StringEquals": {"kms:ResourceAliases": "alias/a"}}),
            json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/*"}}),
            json!({"StringEquals": {"aws:PrincipalTag/team": "${kms:ResourceAliases, 'ml'}"}}),
            json!({"StringNotEquals": {"kms:KeySpec": "RSA_2048"}}),
            json!({"Bool": {"kms:MultiRegion": "true"}}),
            json!({"StringEquals": {"kms:KeyOrigin": "AWS_KMS", "aws:RequestedRegion": "us-east-1"}}),
            json!({"StringEquals": {"aws:ResourceAccount": A, "kms:CallerAccount": A}}),
        ]),
    );
    (document(resource_side), prop::collection::vec(condition, 5)).prop_map(|(mut document, more)| {
        let statements = &mut document["Statement"];
        let all: Vec<&mut Value> = match statements {
            Value::Array(all) => all.iter_mut().collect(),
            one => vec![one],
        };
        for (statement, more) in all.into_iter().zip(more) {
            if let Some(more) = more {
                statement["Condition"] = more;
            }
        }
        document.to_string()
    })
}

fn grants() -> impl Strategy<Value = Option<Vec<Grant>>> {
    let of = |id: &str, grantee: &str, operation: &str| Grant {
        id: id.into(),
        name: None,
        grantee: grantee.into(),
        retiring: None,
        issuer: Some("arn:aws:iam::111122223333:root".into()),
        operations: vec![operation.into(), "DescribeKey".into()],
        context_equals: std::collections::BTreeMap::new(),
        context_subset: std::collections::BTreeMap::new(),
        source_arn: None,
        created: None,
    };
    let service = "bedrock.amazonaws.com";
    pick(vec![
        Some(Vec::new()),
        Some(vec![of("g1", service, "Decrypt")]),
        Some(vec![of("g2", service, "Decrypt"), of("g3", "arn:aws:iam::444455556666:role/Q", "CreateGrant")]),
        Some(vec![of("g4", ROLE, "Decrypt")]),
        Some(vec![of("g5", ROLE, "CreateGrant")]),
        Some(vec![of("g6", A, "Decrypt")]),
        None,
    ])
}

fn metadata() -> impl Strategy<Value = Option<KeyMetadata>> {
    let of = |state: KeyState, manager: &str, spec: &str, multi_region: bool| KeyMetadata {
        state,
        manager: manager.into(),
        origin: "AWS_KMS".into(),
        spec: spec.into(),
        usage: "ENCRYPT_DECRYPT".into(),
        multi_region,
        description: "".into(),
        created: None,
        deletion: None,
        valid_to: None,
    };
    pick(vec![
        Some(of(KeyState::Enabled, "CUSTOMER", "SYMMETRIC_DEFAULT", false)),
        Some(of(KeyState::Enabled, "CUSTOMER", "SYMMETRIC_DEFAULT", false)),
        Some(of(KeyState::Enabled, "CUSTOMER", "SYMMETRIC_DEFAULT", true)),
        Some(of(KeyState::Enabled, "CUSTOMER", "RSA_2048", false)),
        Some(of(KeyState::Disabled, "CUSTOMER", "SYMMETRIC_DEFAULT", false)),
        Some(of(KeyState::Enabled, "AWS", "SYMMETRIC_DEFAULT", false)),
        None,
    ])
}

fn key() -> impl Strategy<Value = (Key, Option<usize>)> {
    let arn = pick(vec![
        "arn:aws:kms:us-east-1:111122223333:key/k1",
        "arn:aws:kms:us-east-1:111122223333:key/k2",
        "arn:aws:kms:us-east-1:111122223333:key/k3",
        "arn:aws:kms:us-east-1:111122223333:key/other",
        "arn:aws:kms:us-east-1:111122223333:key/",
        "arn:aws:kms:eu-west-1:111122223333:key/k1",
        "arn:aws:kms:us-east-1:444455556666:key/k1",
        "arn:aws:kms:us-east-1:111122223333:alias/k1",
    ]);
    let aliases = pick(vec![vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
    let policy = prop::option::weighted(0.95, 0..2_usize);
    (arn, aliases, metadata(), grants(), policy).prop_map(|(arn, aliases, metadata, grants, policy)| {
        let read = |grants| Read::got(grants, at());
        let mut key = Key::bare(arn);
        key.aliases = aliases.into_iter().map(Into::into).collect();
        key.metadata = metadata.map_or(Read::NotAsked, |metadata| Read::got(metadata, at()));
        key.grants = grants.map_or(Read::NotAsked, read);
        (key, policy)
    })
}

/// An account with a role of these policies, in an organization with this one.
fn account(own: &str, edge: Option<&String>, above: Option<&String>) -> Inventory {
    let mut inventory = Inventory::default();
    let mut role = testing::role(ROLE);
    role.inline = vec![InlinePolicy { name: "own".into(), document: Document::new(own) }];
    role.tags.insert("team".into(), "k2".into());
    if let Some(edge) = edge {
        role.boundary = Some(EDGE.into());
        let (arn, document) = (ResourceId::from(EDGE), Document::new(edge));
        let policy = ManagedPolicy { arn: arn.clone(), name: "edge".into(), version: "v1".into(), document };
        inventory.policies.insert(arn, policy);
    }
    inventory.roles.insert(role.arn.clone(), role);
    inventory.coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at(), 1, &[]));
    inventory.settings.organization = Read::got(None, at());
    if let Some(above) = above {
        inventory.coverage.record(SourceReport::sum(SourceId::ORGANIZATION_POLICIES, at(), 1, &[]));
        let organization = Organization {
            id: "o-1".into(),
            arn: "arn:aws:organizations::999988887777:organization/o-1".into(),
            management_account: "999988887777".into(),
            features: "ALL".into(),
        };
        inventory.settings.organization = Read::got(Some(organization), at());
        inventory.settings.organization_path = Read::got(vec!["r-1".into(), A.into()], at());
        for kind in ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] {
            let policy = OrganizationPolicy {
                id: format!("p-{kind}").into(),
                name: kind.into(),
                kind: kind.into(),
                aws_managed: false,
                targets: vec!["r-1".into(), A.into()],
                document: Read::got(Document::new(above), at()),
            };
            inventory.organization_policies.insert(policy.id.clone(), policy);
        }
    }
    inventory
}

fn questions() -> Vec<Question> {
    let bedrock = Scenario::through_bedrock("us-east-1");
    vec![("kms:Decrypt", bedrock), ("kms:CreateGrant", Scenario::direct()), ("kms:RetireGrant", Scenario::open())]
}

/// Equal texts once.
#[derive(Default)]
struct Parsed(HashMap<String, Result<Arc<Policy>, BadPolicy>>);

impl Parsed {
    fn policy(&mut self, document: &Document) -> Result<Arc<Policy>, BadPolicy> {
        let parse = || Policy::parse(document).map(Arc::new);
        self.0.entry(document.raw().to_owned()).or_insert_with(parse).clone()
    }
}

fn all(answers: Vec<Answer>) -> Vec<Answer> {
    answers
}

fn each_for_itself(key: &Key, identity: &Identity, questions: &[Question]) -> Vec<Answer> {
    let access = KeyAccess::of(key).unwrap();
    questions.iter().map(|(action, scenario)| decide(&access, identity, action, scenario)).collect()
}

proptest! {
    #[test]
    fn a_kept_answer_is_the_one_that_would_be_given(
        policies in prop::collection::vec(about_keys(true), 2),
        own in about_keys(false),
        edge in prop::option::weighted(0.3, about_keys(false)),
        above in prop::option::weighted(0.3, about_keys(false)),
        keys in prop::collection::vec(key(), 2..8),
        count in 1..4_usize,
    ) {
        let inventory = account(&own, edge.as_ref(), above.as_ref());
        let callers = [ROLE, "arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:role/Q"];
        let identities = callers.map(|caller| Identity::of(&inventory, &Caller::parse(caller).unwrap()));
        let keys: Vec<Key> = keys.into_iter().map(|(mut key, policy)| {
            if let Some(policy) = policy {
                key.policy = Read::got(Document::new(&policies[policy]), at());
            }
            key
        }).collect();
        let questions = &questions()[..count];
        let mut parsed = Parsed::default();
        let ones: Vec<OneKey<'_>> =
            keys.iter().map(|key| OneKey::of(key, |document| parsed.policy(document)).unwrap()).collect();
        // Of one likeness; the others are asked by the same, and must not be taken for it.
        let mut asked = OfKeys::new(ones[0].likeness(), questions, all);
        for (one, key) in ones.iter().zip(&keys) {
            for identity in &identities {
                let told = asked.of(one, identity);
                prop_assert_eq!(&*told, &each_for_itself(key, identity, questions), "{:?}", key);
            }
        }
    }

    #[test]
    fn what_callers_may_do_by_their_own_policies_too(
        own in about_keys(false),
        edge in prop::option::weighted(0.3, about_keys(false)),
        above in prop::option::weighted(0.3, about_keys(false)),
    ) {
        let inventory = account(&own, edge.as_ref(), above.as_ref());
        let identity = Identity::of(&inventory, &Caller::parse(ROLE).unwrap());
        let questions = questions();
        let mut asked = OfIdentities::new(&questions, all);
        let resources: Vec<ResourceId> = [
            "arn:aws:kms:us-east-1:111122223333:key/k1", "arn:aws:kms:us-east-1:111122223333:key/k2",
            "arn:aws:kms:us-east-1:111122223333:key/k3", "arn:aws:kms:us-east-1:111122223333:key/k4",
            "arn:aws:kms:us-east-1:444455556666:key/k1", "arn:aws:kms:eu-west-1:111122223333:key/k1",
            "arn:aws:s3:::bucket", "arn:aws:kms:us-east-1:111122223333:alias/k1",
        ].map(ResourceId::from).to_vec();
        for resource in &resources {
            let arn = resource.arn().unwrap();
            let itself: Vec<Answer> =
                questions.iter().map(|(action, way)| identity_decides(&identity, action, &arn, way)).collect();
            prop_assert_eq!(&*asked.of(resource, &identity).unwrap(), &itself, "{}", resource);
        }
    }
}

/// Two keys of the same policy and state.
fn two(own: &str, change: impl Fn(&mut Key)) -> bool {
    let text = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": A}, "Action": "kms:*", "Resource": "*"}]});
    let mut keys = ["k1", "k2"].map(|id| {
        let mut key = Key::bare(format!("arn:aws:kms:us-east-1:111122223333:key/{id}"));
        key.policy = Read::got(Document::pretty(&text), at());
        key.grants = Read::got(Vec::new(), at());
        key.metadata = Read::got(KeyMetadata { description: id.into(), ..testing::key_metadata() }, at());
        key.aliases = vec![id.into()];
        key
    });
    change(&mut keys[1]);
    let inventory = account(own, None, None);
    let identity = Identity::of(&inventory, &Caller::parse(ROLE).unwrap());
    let (mut parsed, questions) = (Parsed::default(), questions());
    let ones = [&keys[0], &keys[1]].map(|key| OneKey::of(key, |document| parsed.policy(document)).unwrap());
    let mut asked = OfKeys::new(ones[0].likeness(), &questions[..2], all);
    let [one, other] = [&ones[0], &ones[1]].map(|one| asked.of(one, &identity));
    Rc::ptr_eq(&one, &other)
}

fn allows(resource: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "kms:*", "Resource": [{resource}]}}]}}"#
    )
}

#[test]
fn alike_is_asked_once_and_nothing_else_is() {
    for (resource, once) in [
        (r#""*""#, true),
        (r#""arn:aws:kms:us-east-1:111122223333:key/*""#, true),
        (r#""arn:aws:kms:us-east-1:111122223333:key/k3""#, true),
        (r#""arn:aws:kms:us-east-1:111122223333:key/k1""#, false),
        (r#""arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/team}""#, false),
    ] {
        assert_eq!(two(&allows(resource), |_| {}), once, "{resource}");
    }
    type Change = (&'static str, fn(&mut Key));
    let changes: [Change; 5] = [
        ("state", |key| key.metadata.known_mut().unwrap().state = KeyState::Disabled),
        ("spec", |key| key.metadata.known_mut().unwrap().spec = "RSA_2048".into()),
        ("unread", |key| key.metadata = Read::NotAsked),
        ("grants", |key| key.grants = Read::NotAsked),
        ("policy", |key| key.policy = Read::got(Document::new(r#"{"Statement": []}"#), at())),
    ];
    for (what, change) in changes {
        assert!(!two(&allows(r#""*""#), change), "{what}");
    }
}
