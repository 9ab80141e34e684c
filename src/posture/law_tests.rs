//! The law over the whole catalogue: unknown is never pass, and every control can say all it should.

use std::collections::BTreeSet;

use serde_json::json;

use super::fixtures::{self, deny, deny_from_the_start, empty, healthy, with_context};
use super::*;
use crate::inventory::kms::KeyState;
use crate::inventory::{Inventory, Kind, SourceId};

#[test]
fn the_catalogue_is_sound() {
    let ids: BTreeSet<_> = CONTROLS.iter().map(|control| control.id).collect();
    assert_eq!(ids.len(), CONTROLS.len(), "an id stands twice");
    for control in CONTROLS {
        let id = control.id;
        assert!(id.contains(control.area.code()), "{id} is not of area {:?}", control.area);
        assert!(control.needs.iter().all(|source| source.is_read()), "{id} needs what is never read");
        for part in control.lists.iter().chain(control.tables) {
            assert!(control.needs.contains(part), "{id} does not need {part}");
        }
        for text in [control.title, control.what, control.logic, control.remediation, control.cli] {
            assert!(!text.is_empty() && !text.contains("  "), "{id}: '{text}'");
        }
        assert!(control.cli.starts_with("aws "), "{id}");
        assert!(control.compliance.iter().all(|(framework, ids)| !framework.is_empty() && !ids.is_empty()), "{id}");
        assert!(control.compliance.iter().any(|(framework, _)| *framework == catalogue::framework::NIST), "{id}");
    }
}

#[test]
fn a_healthy_account_passes_everything() {
    let assessment = with_context(&healthy(), assess);
    for control in CONTROLS {
        let mine: Vec<_> = assessment.verdicts.iter().filter(|v| v.control == control.id).collect();
        assert!(!mine.is_empty(), "{} says nothing", control.id);
        for verdict in mine {
            assert_eq!(verdict.status, Status::Pass, "{}: {}", verdict.id, verdict.reason);
        }
    }
    assert_eq!(score(&assessment).1.percent(), Some(100));
}

#[test]
fn an_empty_account_has_nothing_to_judge() {
    let assessment = with_context(&empty(), assess);
    for control in CONTROLS {
        let mine: Vec<_> = assessment
            .verdicts
            .iter()
            .filter(|v| v.control == control.id)
            .map(|v| (v.status, v.resource.kind))
            .collect();
        assert_eq!(mine, [(Status::NotApplicable, Kind::Region)], "{}", control.id);
    }
    assert_eq!(score(&assessment).1.percent(), None);
}

#[test]
fn a_denied_source_makes_unknown_and_names_itself() {
    for control in CONTROLS {
        for source in control.needs {
            for (how, spoil) in
                [("later", deny as fn(&mut _, _)), ("from the start", deny_from_the_start as fn(&mut _, _))]
            {
                let mut inventory = healthy();
                spoil(&mut inventory, *source);
                let verdicts = fixtures::verdicts(&inventory, control.id);
                let what = format!("{} without {source}, denied {how}", control.id);
                let mut unknown = verdicts.iter().filter(|v| v.status == Status::Unknown).peekable();
                assert!(unknown.peek().is_some(), "{what}: no Unknown");
                assert!(
                    unknown.any(|v| v.reason.as_str().contains(&format!("{source} denied"))),
                    "{what}: nobody says why: {:?}",
                    verdicts.iter().map(|v| v.reason.as_str()).collect::<Vec<_>>()
                );
                for verdict in &verdicts {
                    // A list that failed leaves what is known; all else must not pass.
                    if !control.lists.contains(source) {
                        assert_ne!(verdict.status, Status::Pass, "{what}: {}", verdict.reason);
                    }
                    let region_na = verdict.status == Status::NotApplicable && verdict.resource.kind == Kind::Region;
                    assert!(!region_na, "{what}: 'nothing to judge' is not known");
                }
            }
        }
    }
}

#[test]
fn nothing_read_yet_is_all_unknown() {
    let assessment = with_context(&crate::inventory::Inventory::default(), assess);
    for verdict in &assessment.verdicts {
        assert_eq!(verdict.status, Status::Unknown, "{}", verdict.id);
        assert!(verdict.reason.as_str().contains("not read yet"), "{}", verdict.reason);
    }
    assert_eq!(assessment.verdicts.iter().map(|v| v.control).collect::<BTreeSet<_>>().len(), CONTROLS.len());
}

#[test]
fn what_cannot_be_asked_about_is_no_gap() {
    // No jobs, so nobody asks for details of jobs: that is nothing to judge, not unknown.
    let mut inventory = crate::inventory::Inventory { logging: fixtures::got(None), ..Default::default() };
    for source in SourceId::all().filter(|source| source.source().wave < 2) {
        inventory.coverage.record(crate::inventory::SourceReport::sum(source, fixtures::now(), 0, &[]));
    }
    for id in ["CUS-KMS-01", "CUS-KMS-02", "CUS-KMS-03", "CUS-KMS-04", "CUS-KMS-07", "CUS-NET-02", "CUS-NET-01"] {
        assert_eq!(
            fixtures::says(&inventory, id),
            [("us-east-1".to_owned(), Status::NotApplicable, "not-applicable")],
            "{id}"
        );
    }
}

#[test]
fn ids_are_readable_unique_and_in_order() {
    let assessment = with_context(&healthy(), assess);
    let ids: Vec<_> = assessment.verdicts.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "CUS-KMS-01/model1",
            "CUS-KMS-02/job1",
            "CUS-KMS-03/k1",
            "CUS-KMS-04/k1",
            "CUS-KMS-06/k1/App",
            "CUS-KMS-06/k1/Tuner",
            "CUS-KMS-07/k1",
            "CUS-IAM-01/Tuner",
            "CUS-IAM-02/Tuner",
            "CUS-NET-01/job1",
            "CUS-NET-02/subnet-1",
            "CUS-LOG-01/us-east-1",
            "CUS-DET-01/us-east-1",
        ]
    );
    let mut inventory = healthy();
    let twin = "arn:aws:bedrock:us-east-1:123456789012:custom-model/other/model1";
    inventory.models.insert(twin.into(), fixtures::model(twin));
    let ids: Vec<_> = with_context(&inventory, assess)
        .verdicts
        .into_iter()
        .filter(|v| v.control == "CUS-KMS-01")
        .map(|v| v.id)
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("CUS-KMS-01/model1~")), "{ids:?}");
}

type Break = (&'static str, fn(&mut Inventory));

/// One way to break each control.
const BREAKS: &[Break] = &[
    ("CUS-KMS-01", |i| fixtures::metadata(i).manager = "AWS".into()),
    ("CUS-KMS-02", |i| fixtures::detail(i).kms_key = None),
    ("CUS-KMS-03", |i| fixtures::metadata(i).state = KeyState::Disabled),
    ("CUS-KMS-04", |i| i.keys.values_mut().for_each(|key| key.rotation.known_mut().unwrap().enabled = false)),
    ("CUS-KMS-06", |i| fixtures::set_key_policy(i, json!([]))),
    ("CUS-KMS-07", |i| {
        let everybody = json!([{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]);
        fixtures::set_key_policy(i, everybody);
    }),
    ("CUS-IAM-01", |i| i.roles.values_mut().for_each(|role| role.trust = fixtures::policy(json!([])))),
    ("CUS-IAM-02", |i| {
        let mut open = fixtures::trust();
        open[0]["Condition"] = json!({});
        i.roles.values_mut().for_each(|role| role.trust = fixtures::policy(open.clone()));
    }),
    ("CUS-NET-01", |i| fixtures::detail(i).vpc = None),
    ("CUS-NET-02", |i| {
        i.route_tables.values_mut().for_each(|table| table.routes.push(fixtures::route("0.0.0.0/0", "nat-1")));
    }),
    ("CUS-LOG-01", |i| i.logging = fixtures::got(None)),
    ("CUS-DET-01", |i| i.rules.clear()),
];

/// Pass, Unknown and "nothing to judge" are tested above for every control; here it must fail.
#[test]
fn every_control_can_fail() {
    for control in CONTROLS {
        let (_, spoil) =
            BREAKS.iter().find(|(id, _)| *id == control.id).unwrap_or_else(|| panic!("no way to break {}", control.id));
        let mut inventory = healthy();
        spoil(&mut inventory);
        let failed =
            fixtures::verdicts(&inventory, control.id).into_iter().filter(|v| v.status == Status::Fail).count();
        assert!(failed > 0, "{} does not fail", control.id);
    }
}

/// Sub-reasons are a contract with reports and tests: each of them has a line in a table.
#[test]
fn every_sub_reason_is_tested() {
    let codes = [
        "no-cmk",
        "aws-managed-key",
        "in-progress-without-cmk",
        "finished-without-cmk",
        "disabled",
        "pending-deletion",
        "pending-import",
        "unavailable",
        "wrong-spec",
        "rotation-off",
        "rotation-period-long",
        "key-state",
        "missing-right",
        "over-granted",
        "public-principal",
        "foreign-account",
        "aws-principal",
        "other-service",
        "bedrock-missing",
        "source-account-missing",
        "source-arn-missing",
        "source-arn-region-wildcard",
        "source-arn-wrong-job-type",
        "source-arn-account-mismatch",
        "no-vpc",
        "dangling-subnet",
        "dangling-security-group",
        "internet-route",
        "public-ip-on-launch",
        "leaves-vpc",
        "logging-off",
        "no-rule",
        "dead-rule",
        "no-target",
        "misses-status",
        "no-dead-letter",
    ];
    let tests = [
        include_str!("encryption/tests.rs"),
        include_str!("identity/tests.rs"),
        include_str!("network/tests.rs"),
        include_str!("logging/tests.rs"),
        include_str!("detection/tests.rs"),
    ]
    .concat();
    for code in codes {
        assert!(tests.contains(&format!("\"{code}\"")), "no test for the sub-reason {code}");
    }
}
