//! The tables against the plain evaluator, cell by cell.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::decision::Layer;
use super::super::identity::{Boundary, Identity};
use super::super::policy::Policy;
use super::super::principal::Caller;
use super::super::request::{Guards, Level, Resource, Rules};
use super::super::scenario::{ContextValue, Facts, Scenario};
use super::{Moved, Survey, Verdict};
use crate::access::{Bounds, Shift};
use crate::base::{ResourceId, Text};
use crate::inventory::kms::Grant;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k1";
const CALLERS: &[&str] = &[
    "arn:aws:iam::111122223333:role/p/R",
    "arn:aws:iam::111122223333:role/S",
    "arn:aws:sts::111122223333:assumed-role/R/s1",
    "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/Linked",
    "arn:aws:iam::111122223333:user/zoe",
    "arn:aws:iam::111122223333:user/max",
    "arn:aws:sts::111122223333:federated-user/fred",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::444455556666:role/Q",
    "arn:aws:iam::444455556666:root",
    "bedrock.amazonaws.com",
];

fn pick<T: Clone + std::fmt::Debug + 'static>(from: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(from.to_vec())
}

fn words(from: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => pick(from).prop_map(Value::from),
        1 => prop::collection::vec(pick(from), 1..3).prop_map(Value::from),
    ]
}

/// Conditions of every sort: on what is unknown, on what follows from the caller, the resource, the action, and with
/// variables; some broken.
fn condition() -> impl Strategy<Value = Value> {
    pick(&[
        json!({"StringEquals": {"kms:ViaService": "a"}}),
        json!({"StringNotEquals": {"kms:ViaService": "a"}}),
        json!({"StringNotEqualsIfExists": {"kms:ViaService": ["a", "b"]}}),
        json!({"Null": {"kms:ViaService": "true"}}),
        json!({"Null": {"kms:ViaService": ["true", "false"]}}),
        json!({"StringEquals": {"kms:CallerAccount": "111122223333"}}),
        json!({"StringEquals": {"aws:PrincipalTag/team": "ml"}}),
        json!({"StringNotEquals": {"aws:PrincipalTag/team": "ml"}}),
        json!({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}),
        json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/z*"}}),
        json!({"StringEquals": {"aws:username": "${aws:PrincipalTag/team}"}}),
        json!({"StringEquals": {"kms:ViaService": "${aws:username, 'b'}"}}),
        json!({"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "false"}}),
        json!({"StringEquals": {"aws:ResourceTag/env": "prod"}}),
        json!({"StringEquals": {"aws:PrincipalTag/env": "${aws:ResourceTag/env}"}}),
        json!({"StringEquals": {"aws:ResourceAccount": "111122223333"}}),
        json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}),
        json!({"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}}),
        json!({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}),
        json!({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["x", "y"]}}),
        json!({"ForAnyValue:StringEqualsIfExists": {"kms:EncryptionContextKeys": "x"}}),
        json!({"StringEquals": {"kms:EncryptionContext:app": "one"}}),
        json!({"StringEquals": {"the session's name": "s1"}}),
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"kms:ViaService": "b"}}),
        json!({"Broken": {"kms:ViaService": "a"}}),
    ])
}

fn statement(principals: bool) -> impl Strategy<Value = Value> {
    let actions = words(&[
        "kms:*",
        "*",
        "kms:Decrypt",
        "KMS:decrypt",
        "kms:D*",
        "kms:Encrypt",
        "kms:CreateGrant",
        "s3:*",
        "kms:??crypt",
        "kms:PutKeyPolicy",
        "kms:RetireGrant",
        "Decrypt",
    ]);
    let resources = words(&[
        "*",
        "*",
        KEY,
        "arn:aws:kms:us-east-1:111122223333:key/k2",
        "arn:aws:kms:*:111122223333:key/*",
        "arn:aws:kms:*:*:key/k?",
        "arn:aws:kms:us-east-1:111122223333:key/${aws:username}",
        "arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/team}",
        "arn:aws:kms:us-east-1:111122223333:key/${aws:SourceIp}",
        "arn:aws:s3:::k1/x",
        "arn:aws:s3:::k1*",
        "key/k1",
    ]);
    let principal = pick(&[
        json!("*"),
        json!({"AWS": "*"}),
        json!({"AWS": "111122223333"}),
        json!({"AWS": "arn:aws:iam::111122223333:root"}),
        json!({"AWS": "arn:aws:iam::111122223333:role/p/R"}),
        json!({"AWS": "arn:aws:iam::111122223333:role/other/R"}),
        json!({"AWS": ["arn:aws:sts::111122223333:assumed-role/R/s1", "arn:aws:iam::111122223333:user/zoe"]}),
        json!({"AWS": ["arn:aws:iam::111122223333:role/p/R", "arn:aws:iam::111122223333:root"]}),
        json!({"AWS": "arn:aws:sts::111122223333:federated-user/fred"}),
        json!({"AWS": ["arn:aws:iam::111122223333:user/zoe", "arn:aws:iam::111122223333:user/fred"]}),
        json!({"AWS": ["444455556666", "AROAEXAMPLEID1234567"]}),
        json!({"Service": "bedrock.amazonaws.com"}),
        json!({"AWS": "zoe"}),
    ]);
    (
        pick(&["Allow", "Allow", "Deny"]),
        (pick(&["Action", "Action", "Action", "NotAction"]), actions),
        (pick(&["Resource", "Resource", "Resource", "NotResource", "None"]), resources),
        (pick(&["Principal", "Principal", "Principal", "NotPrincipal"]), principal),
        prop::option::weighted(0.5, condition()),
    )
        .prop_map(move |(effect, (action, actions), (resource, resources), (who, principal), condition)| {
            let mut one = json!({"Effect": effect, action: actions});
            if resource != "None" {
                one[resource] = resources;
            }
            if principals {
                one[who] = principal;
            }
            if let Some(condition) = condition {
                one["Condition"] = condition;
            }
            one
        })
}

fn policy(principals: bool) -> impl Strategy<Value = Policy> {
    let version = pick(&["2012-10-17", "2012-10-17", "2008-10-17"]);
    (version, prop::collection::vec(statement(principals), 0..4)).prop_map(|(version, statements)| {
        Policy::from_json(&json!({"Version": version, "Statement": statements})).unwrap()
    })
}

/// What binds the accounts of an inventory: nothing, levels of an organization, what was not read.
fn bounds() -> impl Strategy<Value = Arc<Bounds>> {
    let levels = |layer: fn(Text) -> Layer| {
        let level = (prop::collection::vec(policy(false), 0..3), prop::bool::weighted(0.2));
        prop::collection::vec(level, 0..3).prop_map(move |levels| {
            let level = |(policies, unread): (Vec<Policy>, bool)| Level {
                name: Text::new("r"),
                policies: policies.into_iter().map(|policy| (layer(Text::new("r")), policy)).collect(),
                unread,
            };
            levels.into_iter().map(level).collect::<Vec<_>>()
        })
    };
    let unseen = || prop::option::weighted(0.2, Just(Text::new("denied")));
    let accounts = || pick(&["111122223333", "111122223333", "444455556666", "999988887777"]);
    let made = (accounts(), accounts(), levels(Layer::Scp), levels(Layer::Rcp), unseen(), unseen());
    prop_oneof![
        2 => Just(Arc::new(Bounds::none())),
        1 => Just(Arc::new(Bounds::default())),
        4 => made.prop_map(|(home, management, scps, rcps, no_scps, no_rcps)| {
            Arc::new(Bounds::made(home, management, [scps, rcps], [no_scps, no_rcps]))
        }),
    ]
}

/// Some have a common policy, some their own; tags, boundaries, gaps. Most are of one organization.
fn people() -> impl Strategy<Value = Vec<Identity>> {
    let shared = prop::collection::vec(policy(false).prop_map(Arc::new), 3);
    let one = (
        pick(CALLERS),
        prop::collection::vec(0..3_usize, 0..3),
        prop::option::weighted(0.3, policy(false)),
        prop::option::weighted(0.25, prop_oneof![3 => (0..3_usize).prop_map(Some), 1 => Just(None)]),
        prop::option::weighted(0.5, pick(&["ml", "k1", "k2"])),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    (shared, bounds(), bounds(), prop::collection::vec(one, 1..14)).prop_map(|(shared, bounds, others, all)| {
        let mut identities = Vec::new();
        for (caller, held, own, boundary, tag, gap, other) in all {
            let caller = Caller::parse(caller).unwrap();
            let layer = || Layer::Identity(Text::new("p"));
            let mut facts = Facts::none();
            if let Some(tag) = tag {
                facts.set("aws:PrincipalTag/team", ContextValue::one(tag));
            }
            let none = matches!(caller, Caller::Service(_) | Caller::Root(_));
            let mut policies: Vec<(Layer, Arc<Policy>)> =
                held.iter().map(|at| (layer(), Arc::clone(&shared[*at]))).collect();
            policies.extend(own.map(|own| (layer(), Arc::new(own))));
            let boundary = boundary.map(|held| Boundary {
                arn: ResourceId::new("arn:aws:iam::111122223333:policy/b"),
                policy: held.map(|at| Arc::clone(&shared[at])).ok_or_else(|| Text::new("not read")),
            });
            identities.push(Identity {
                policies: if none { Vec::new() } else { policies },
                boundary: boundary.filter(|_| !none),
                facts,
                gaps: if gap && !none { vec![Text::new("a policy was not read")] } else { Vec::new() },
                caller,
                bounds: Arc::clone(if other { &others } else { &bounds }),
            });
        }
        identities
    })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let grantee = pick(&[
        "arn:aws:iam::111122223333:role/p/R",
        "arn:aws:sts::111122223333:assumed-role/R/s1",
        "arn:aws:iam::111122223333:user/zoe",
        "arn:aws:iam::111122223333:root",
        "444455556666",
        "bedrock.amazonaws.com",
        "nonsense",
    ]);
    let operations = pick(&[vec!["Decrypt"], vec!["Decrypt", "CreateGrant"], vec!["RetireGrant", "DescribeKey"]]);
    let constraint = prop::option::weighted(0.3, pick(&["one", "two"]));
    prop::collection::vec((grantee, operations, constraint), 0..3).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(at, (grantee, operations, constraint))| Grant {
                id: ResourceId::new(at.to_string()),
                name: None,
                grantee: ResourceId::new(grantee),
                retiring: (at == 1).then(|| ResourceId::new("arn:aws:iam::111122223333:user/max")),
                issuer: (at == 0).then(|| ResourceId::new("111122223333")),
                source_arn: None,
                operations: operations.into_iter().map(Text::new).collect(),
                context_equals: constraint.map(|value| (Text::new("app"), Text::new(value))).into_iter().collect(),
                context_subset: std::collections::BTreeMap::new(),
                created: None,
            })
            .collect()
    })
}

fn resource() -> impl Strategy<Value = Resource> {
    let rules = prop_oneof![8 => policy(true).prop_map(Rules::Known), 1 => Just(Rules::Unknown(Text::new("not read"))), 1 => Just(Rules::None)];
    let arn = pick(&[
        KEY,
        KEY,
        KEY,
        "arn:aws:kms:us-east-1:111122223333:key/k2",
        "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/k1",
        "arn:aws:iam::111122223333:role/T",
        "arn:aws:s3:::k1",
    ]);
    let tag = prop::option::of(pick(&["prod", "ml"]));
    (arn, rules, prop::option::weighted(0.9, grants()), tag, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(arn, rules, grants, tag, spec, managed)| {
            let mut facts = Facts::none();
            if let Some(tag) = tag {
                facts.set("aws:ResourceTag/env", ContextValue::one(tag));
            }
            if spec {
                facts.set("kms:KeySpec", ContextValue::one("SYMMETRIC_DEFAULT"));
            }
            let mut resource = Resource::plain(arn.parse().unwrap());
            resource.open = arn.starts_with("arn:aws:s3") && spec;
            Resource { rules, grants: grants.ok_or_else(|| Text::new("not read")), facts, managed, ..resource }
        },
    )
}

fn guards() -> impl Strategy<Value = Guards> {
    let level = |policies: Vec<Policy>| Level {
        name: Text::new("r"),
        policies: policies.into_iter().map(|policy| (Layer::Scp(Text::new("r")), policy)).collect(),
        unread: false,
    };
    let layer = |principals| prop::option::weighted(0.3, prop::collection::vec(policy(principals), 1..3));
    (layer(false), layer(false), layer(true), layer(true), any::<bool>()).prop_map(
        move |(session, scp, rcp, endpoint, twice)| {
            let levels = |held: Vec<Policy>| {
                if twice { held.into_iter().map(|one| level(vec![one])).collect() } else { vec![level(held)] }
            };
            Guards { session, scps: scp.map(levels), rcps: rcp.map(levels), endpoint }
        },
    )
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let open = Scenario::open();
    pick(&[
        open.clone(),
        open.clone(),
        Scenario::direct(),
        Scenario::through("a"),
        open.clone().closed(),
        open.clone().with("aws:SourceIp", ContextValue::one("k1")),
        open.with("kms:EncryptionContext:app", ContextValue::one("one")).closed(),
    ])
}

fn actions() -> Vec<String> {
    let some = ["kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:RetireGrant"];
    let others = ["kms:DescribeKey", "bedrock:InvokeModel", "sts:AssumeRole", "s3:GetObject", "iam:PassRole"];
    some.iter().chain(&others).map(ToString::to_string).collect()
}

/// `own`: whether the survey itself made the grid, not one of its threads.
fn same(
    survey: &Survey<'_>,
    grid: &super::Grid,
    own: bool,
    resource: &Resource,
    identities: &[Identity],
    actions: &[String],
) {
    for (person, identity) in identities.iter().enumerate() {
        for (column, action) in actions.iter().enumerate() {
            let plain = survey.explain(person, column, resource);
            if own {
                assert_eq!(survey.answer(person, column, resource, grid), plain);
            }
            let plain = plain.decision;
            let (fast, caller) = (grid.verdict(person, column), &identity.caller);
            assert_eq!(fast, Verdict::of(&plain), "{caller:?} {action} on {}: {}", resource.arn, plain.words());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_cell_is_what_the_plain_evaluator_says(
        identities in people(), resources in prop::collection::vec(resource(), 1..4),
        scenario in scenario(), guards in guards(),
    ) {
        let actions = actions();
        let mut survey = Survey::of(&identities, &actions, &scenario, &guards);
        let grids = survey.grids(&resources);
        for (resource, grid) in resources.iter().zip(&grids) {
            same(&survey, grid, false, resource, &identities, &actions);
        }
        // The same again from what is remembered, in another order.
        for resource in resources.iter().rev() {
            let grid = survey.grid(resource);
            same(&survey, &grid, true, resource, &identities, &actions);
        }
    }

    #[test]
    fn moves_are_what_the_answers_differ_in(
        identities in people(), before in resource(), after in policy(true), keep in any::<bool>(), scenario in scenario(),
    ) {
        let (actions, guards) = (actions(), Guards::default());
        let mut after = Resource { rules: Rules::Known(after), ..before.clone() };
        if let (true, Rules::Known(old), Rules::Known(new)) = (keep, &before.rules, &mut after.rules) {
            // One statement more.
            new.statements.truncate(1);
            new.statements.splice(0..0, old.statements.iter().cloned());
            new.version = old.version;
        }
        let mut survey = Survey::of(&identities, &actions, &scenario, &guards);
        let found = survey.moves(&before, &after);
        let mut expected = Vec::new();
        for person in 0..identities.len() {
            for column in 0..actions.len() {
                let (then, now) = (survey.explain(person, column, &before), survey.explain(person, column, &after));
                expected.extend(Shift::between(&then, &now).map(|shift| Moved { person, column, shift }));
            }
        }
        prop_assert_eq!(found, expected);
    }
}
