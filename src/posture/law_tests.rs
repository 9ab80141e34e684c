//! The law over the whole catalogue: unknown is never pass, and every control can say all it should.

use std::collections::BTreeSet;

use super::fixtures::{self, deny, deny_from_the_start, empty, healthy, with_context};
use super::*;
use crate::inventory::{Kind, SourceId};

#[test]
fn the_catalogue_is_sound() {
    let ids: BTreeSet<_> = CONTROLS.iter().map(|control| control.id).collect();
    assert_eq!(ids.len(), CONTROLS.len(), "an id stands twice");
    for control in CONTROLS {
        let id = control.id;
        assert!(id.contains(control.area.code()), "{id} is not of area {:?}", control.area);
        let needs: Vec<_> = control.needs().collect();
        assert!(needs.iter().all(|source| source.is_read() || source.is_deep()), "{id} needs what is never read");
        assert_eq!(needs.iter().collect::<BTreeSet<_>>().len(), needs.len(), "{id} names a source twice");
        assert!(!needs.is_empty() && !control.reasons.is_empty(), "{id}");
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
        for source in control.needs() {
            for (how, spoil) in
                [("later", deny as fn(&mut _, _)), ("from the start", deny_from_the_start as fn(&mut _, _))]
            {
                let mut inventory = healthy();
                spoil(&mut inventory, source);
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
                    if !control.lists.contains(&source) {
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
fn what_an_account_gives_is_told_though_its_organization_is_not_seen() {
    use serde_json::json;
    let mut inventory = healthy();
    let everything = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let role = inventory.roles.get_mut(fixtures::TUNER).unwrap();
    role.inline[0].document = fixtures::policy(everything);
    let codes = |inventory: &crate::inventory::Inventory, id: &str| -> BTreeSet<&'static str> {
        fixtures::verdicts(inventory, id).iter().filter(|v| v.status.is_finding()).map(|v| v.code).collect()
    };
    let unseen = [SourceId::ORGANIZATIONS, SourceId::ORGANIZATION_PATH, SourceId::ORGANIZATION_POLICIES];
    for source in unseen {
        let mut dark = inventory.clone();
        deny_from_the_start(&mut dark, source);
        for id in ["CUS-IAM-03", "CUS-IAM-04", "CUS-IAM-05", "CUS-IAM-06", "CUS-IAM-07", "CUS-IAM-08", "CUS-NET-10"] {
            let seen = codes(&inventory, id);
            assert!(!seen.is_empty() && codes(&dark, id).is_superset(&seen), "{id} without {source}");
            let says = fixtures::verdicts(&dark, id);
            let told = says.iter().filter(|v| v.status.is_finding());
            let tells = |v: &Verdict| v.evidence.iter().any(|fact| fact.label.as_str() == "notSeen");
            assert!(told.filter(|v| v.resource.kind == Kind::Role).all(tells), "{id} without {source}");
            assert!(control(id).unwrap().sources().any(|held| held == source), "{id} does not name {source}");
        }
    }
    // What a role needs is there only if nothing above takes it away.
    let mut dark = healthy();
    deny_from_the_start(&mut dark, SourceId::ORGANIZATION_POLICIES);
    for id in ["CUS-IAM-03", "CUS-NET-10", "CUS-KMS-06"] {
        let said = fixtures::verdicts(&dark, id);
        let unknown = said.iter().find(|v| v.status == Status::Unknown);
        assert!(unknown.is_some_and(|v| v.reason.as_str().contains("ListPoliciesForTarget")), "{id}: {said:?}");
    }
}

#[test]
fn nothing_read_yet_is_all_unknown() {
    let assessment = with_context(&crate::inventory::Inventory::default(), assess);
    for verdict in &assessment.verdicts {
        if control(verdict.control).is_some_and(Control::is_deep) {
            assert_eq!((verdict.status, verdict.code), (Status::NotApplicable, Verdict::NEEDS_DEEP), "{}", verdict.id);
            continue;
        }
        assert_eq!(verdict.status, Status::Unknown, "{}", verdict.id);
        assert!(verdict.reason.as_str().contains("not read yet"), "{}", verdict.reason);
    }
    assert_eq!(assessment.verdicts.iter().map(|v| v.control).collect::<BTreeSet<_>>().len(), CONTROLS.len());
}

#[test]
fn what_was_not_asked_for_is_no_gap() {
    let deep_sources = |control: &Control| control.needs().any(SourceId::is_deep);
    let inventory = fixtures::shallow(healthy());
    assert!(CONTROLS.iter().any(Control::is_deep) && CONTROLS.iter().any(|c| deep_sources(c) && !c.is_deep()));
    for control in CONTROLS {
        let verdicts = fixtures::verdicts(&inventory, control.id);
        let what = format!("{} without --deep: {verdicts:?}", control.id);
        if control.is_deep() {
            let [verdict] = verdicts.as_slice() else { panic!("{what}") };
            assert_eq!((verdict.status, verdict.resource.kind), (Status::NotApplicable, Kind::Region), "{what}");
            assert!(verdict.reason.as_str().contains("--deep") && verdict.is_blind(), "{what}");
        } else {
            assert!(verdicts.iter().all(|verdict| verdict.status != Status::Unknown), "{what}");
            let judged = |verdict: &&Verdict| verdict.status != Status::NotApplicable;
            assert!(verdicts.iter().any(|verdict| judged(&verdict)), "{what}");
            assert!(deep_sources(control) || verdicts.iter().all(|verdict| !verdict.is_blind()), "{what}");
        }
    }
}

#[test]
fn a_finding_that_takes_a_deep_look_is_not_closed_by_another_look() {
    let mut inventory = healthy();
    fixtures::deep::leak(&mut inventory);
    let found = with_context(&inventory, assess);
    let (mut history, shallow) = (History::of(&found), with_context(&fixtures::shallow(inventory), assess));
    let changes = history.take(&shallow);
    assert!(changes.closed.is_empty(), "{changes:?}");
    assert!(changes.unseen.iter().any(|id| id.starts_with("CUS-DAT-09/")), "{changes:?}");
    assert!(changes.unseen.iter().any(|id| id.starts_with("CUS-DET-08/")), "{changes:?}");
    assert!(!history.take(&with_context(&healthy(), assess)).closed.is_empty());
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
    let order: Vec<_> =
        ids.iter().map(|id| CONTROLS.iter().position(|c| id.starts_with(&format!("{}/", c.id)))).collect();
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{ids:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for id in
        ["CUS-KMS-01/model1", "CUS-KMS-06/k1/App", "CUS-IAM-01/Tuner", "CUS-NET-02/subnet-1", "CUS-LOG-01/us-east-1"]
    {
        assert!(ids.contains(&id), "{id} is not in {ids:?}");
    }
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

/// Every test of every area, to be run once more as one.
const TABLES: &[&[fn()]] = &[
    super::expectation_tests::ALL,
    super::encryption::tests::ALL,
    super::encryption::scope_tests::ALL,
    super::identity::tests::ALL,
    super::identity::service_roles_tests::ALL,
    super::import::tests::ALL,
    super::identity::job_role_tests::ALL,
    super::identity::principal_tests::ALL,
    super::network::tests::ALL,
    super::network::interface_tests::ALL,
    super::data::writer_tests::ALL,
    super::guardrails::condition_tests::ALL,
    super::data::tests::ALL,
    super::logging::tests::ALL,
    super::data::objects::tests::ALL,
    super::data::content::tests::ALL,
    super::data::drift::tests::ALL,
    super::detection::tests::ALL,
    super::invocation::tests::ALL,
    super::guardrails::tests::ALL,
    super::detection::talk::tests::ALL,
    super::import::files::tests::ALL,
    super::import::weights::tests::ALL,
    super::import::code::tests::ALL,
    super::import::provenance::tests::ALL,
];

/// Pass, Unknown and "nothing to judge" are tested above for every control. Here each of its sub-reasons
/// must have been seen as a finding in some fixture, and nothing that it does not declare.
#[test]
fn every_sub_reason_has_a_fixture() {
    let seen = fixtures::recorded(|| TABLES.iter().copied().flatten().for_each(|table| table()));
    for control in CONTROLS {
        let mine: BTreeSet<_> = seen.iter().filter(|(id, ..)| *id == control.id).collect();
        let found: BTreeSet<_> =
            mine.iter().filter(|(_, status, _)| status.is_finding()).map(|(.., code)| *code).collect();
        assert_eq!(found, control.reasons.iter().copied().collect(), "{}: fixtures against declaration", control.id);
        assert!(mine.iter().any(|(_, status, _)| *status == Status::Fail), "{} never fails", control.id);
        assert!(mine.iter().any(|(_, status, _)| *status == Status::Pass), "{} never passes", control.id);
    }
}
