//! What was wrong before a source began to fail stays a finding, of then. What was right does not stay
//! right: unknown is never pass.

use std::collections::BTreeSet;

use super::assess::run;
use super::catalogue::CONTROLS;
use super::control::{Context, Control};
use super::permissions::Shared;
use super::verdict::{Evidence, Status, Verdict};
use crate::base::{Text, Timestamp};
use crate::inventory::{Kind, Lineage, Recalled, ResourceRef};

/// Puts findings of before a failure in the place of what is unknown now, each with its time.
pub(super) fn stale_findings(context: &Context<'_>, verdicts: &mut Vec<Verdict>) {
    let unknown = |v: &&Verdict| v.status == Status::Unknown;
    let controls: BTreeSet<&str> = verdicts.iter().filter(unknown).map(|verdict| verdict.control).collect();
    if controls.is_empty() {
        return;
    }
    let Some(recalled) = context.inventory.recalled() else { return };
    let lineage = Lineage::of(&recalled.inventory);
    let then = Context { inventory: &recalled.inventory, lineage: &lineage, ..*context };
    let shared = Shared::of(&then);
    let mut kept = Vec::with_capacity(verdicts.len());
    let mut rest = std::mem::take(verdicts).into_iter().peekable();
    // One control after another, as they were judged.
    while let Some(control) = rest.peek().map(|verdict| verdict.control) {
        let mut now: Vec<Verdict> = Vec::new();
        while let Some(verdict) = rest.next_if(|verdict| verdict.control == control) {
            now.push(verdict);
        }
        if controls.contains(control)
            && let Some(control) = CONTROLS.iter().find(|held| held.id == control)
        {
            now = merged(now, run(control, &then, &shared), &recalled, context);
            of_old_tables(&mut now, control, context);
        }
        kept.extend(now);
    }
    *verdicts = kept;
}

/// What one control says now, and what it said before.
fn merged(now: Vec<Verdict>, before: Vec<Verdict>, recalled: &Recalled, context: &Context<'_>) -> Vec<Verdict> {
    let (unknown, mut all): (Vec<_>, Vec<_>) = now.into_iter().partition(|v| v.status == Status::Unknown);
    let decided: BTreeSet<ResourceRef> = all.iter().map(|verdict| verdict.resource.clone()).collect();
    let mut found = Vec::new();
    for verdict in before.iter().filter(|verdict| verdict.status.is_finding()) {
        let own = unknown.iter().find(|held| is_about(held, verdict));
        let whole = || unknown.iter().find(|held| is_whole(held)).filter(|_| !decided.contains(&verdict.resource));
        if let Some(in_doubt) = own.or_else(whole)
            && let Some(at) = as_of(verdict, recalled, context)
        {
            found.push(stale(verdict.clone(), &in_doubt.reason, at));
        }
    }
    let answered = |held: &Verdict| {
        let mut then = before.iter().filter(|verdict| is_about(held, verdict)).peekable();
        then.peek().is_some() && then.all(|verdict| found.iter().any(|found| found.id == verdict.id))
    };
    let open: Vec<_> = unknown.into_iter().filter(|held| !answered(held)).collect();
    all.extend(open);
    all.extend(found);
    all.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| a.resource.cmp(&b.resource)));
    all
}

/// What stands in a list that cannot be read now is of the time when it could.
fn of_old_tables(verdicts: &mut [Verdict], control: &Control, context: &Context<'_>) {
    let coverage = &context.inventory.coverage;
    let behind = |source: &&_| coverage.report(**source).is_some_and(|report| report.complete_at.is_some());
    let Some(source) = control.tables.iter().find(behind) else { return };
    let (Some(report), Err(gap)) = (coverage.report(*source), coverage.complete(*source)) else { return };
    let (Some(at), why) = (report.complete_at, Text::new(gap.to_string())) else { return };
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.status.is_finding() && verdict.stale.is_none()) {
        *verdict = stale(verdict.clone(), &why, at);
    }
}

/// Whether an unknown verdict is about what another says: the same, or one of its sub-reasons.
fn is_about(unknown: &Verdict, other: &Verdict) -> bool {
    let rest = other.id.strip_prefix(unknown.id.as_str());
    unknown.resource == other.resource && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an unknown verdict leaves everything of its control in doubt.
fn is_whole(unknown: &Verdict) -> bool {
    unknown.resource.kind == Kind::Region
}

/// The oldest reading that it stands on, of those that cannot be made now.
fn as_of(verdict: &Verdict, recalled: &Recalled, context: &Context<'_>) -> Option<Timestamp> {
    let values =
        std::iter::once(&verdict.resource).chain(&verdict.related).filter_map(|of| recalled.at.get(of).copied());
    let report = |source: &_| context.inventory.coverage.report(*source)?.complete_at;
    let sources = verdict.sources.iter().filter_map(report);
    values.chain(sources).min().or_else(|| recalled.at.values().min().copied())
}

fn stale(verdict: Verdict, why: &Text, at: Timestamp) -> Verdict {
    let mut evidence = verdict.evidence;
    let fact = |label: &str, value: Text| Evidence { label: label.into(), value, pointer: None };
    evidence.push(fact("as of", Text::new(at.to_string())));
    evidence.push(fact("unread now", why.clone()));
    let reason = Text::new(format!("as of {}, stale: {}", at.minute(), verdict.reason));
    Verdict { stale: Some(at), reason, evidence, ..verdict }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{deny, deny_from_the_start, healthy, now, policy, with_context};
    use super::super::{Assessment, assess};
    use super::*;
    use crate::inventory::{ErrorKind, Inventory, ReadError, SourceId, Update};

    fn judged(inventory: &Inventory) -> Assessment {
        with_context(inventory, assess)
    }

    fn status(inventory: &Inventory, control: &str) -> Vec<(Status, bool)> {
        let all = judged(inventory).verdicts;
        let mut said: Vec<_> =
            all.iter().filter(|v| v.control == control).map(|v| (v.status, v.stale.is_some())).collect();
        said.sort();
        said.dedup();
        said
    }

    fn rotation_off(inventory: &mut Inventory) {
        inventory.keys.values_mut().for_each(|key| key.rotation.known_mut().unwrap().enabled = false);
    }

    #[test]
    fn a_failure_stays_as_stale_and_a_pass_does_not() {
        use Status::{Fail, Pass, Unknown};
        let control = "CUS-KMS-04";
        type Step = fn(&mut Inventory);
        type Case<'a> = (&'a str, &'a [Step], &'a [(Status, bool)]);
        let denied: Step = |i| deny(i, SourceId::ROTATION);
        let denied_first: Step = |i| deny_from_the_start(i, SourceId::ROTATION);
        let forget: Step = |i| i.keys.values_mut().for_each(|key| key.rotation = crate::inventory::Read::NotAsked);
        let cases: &[Case<'_>] = &[
            ("right", &[], &[(Pass, false)]),
            ("wrong", &[rotation_off], &[(Fail, false)]),
            ("right, then not to be read", &[denied], &[(Unknown, false)]),
            ("wrong, then not to be read", &[rotation_off, denied], &[(Fail, true)]),
            ("wrong, then not to be read twice", &[rotation_off, denied, denied], &[(Fail, true)]),
            ("never to be read", &[forget, denied_first], &[(Unknown, false)]),
        ];
        for (what, steps, expected) in cases {
            let mut inventory = healthy();
            steps.iter().for_each(|step| step(&mut inventory));
            assert_eq!(status(&inventory, control), *expected, "{what}");
        }
    }

    #[test]
    fn a_stale_finding_says_of_when_and_why() {
        let mut inventory = healthy();
        rotation_off(&mut inventory);
        let fresh = judged(&inventory);
        deny(&mut inventory, SourceId::ROTATION);
        let stale = judged(&inventory);
        let ids = |all: &Assessment| -> Vec<String> {
            all.verdicts.iter().filter(|v| v.status == Status::Fail).map(|v| v.id.clone()).collect()
        };
        assert_eq!(ids(&fresh), ids(&stale), "the finding keeps its name, so it is neither closed nor new");
        let finding = stale.verdicts.iter().find(|v| v.status == Status::Fail).unwrap();
        assert!(finding.reason.as_str().starts_with("as of 20") && finding.reason.as_str().contains("does not rotate"));
        let fact = |label: &str| finding.evidence.iter().find(|fact| fact.label.as_str() == label).unwrap();
        assert!(fact("unread now").value.as_str().contains("kms:GetKeyRotationStatus"));
        assert_eq!(fact("as of").value.as_str(), finding.stale.unwrap().to_string());
    }

    #[test]
    fn a_lost_session_leaves_no_pass_and_every_finding() {
        let mut inventory = healthy();
        rotation_off(&mut inventory);
        let before = judged(&inventory);
        let error = ReadError {
            operation: "sts:GetCallerIdentity".into(),
            kind: ErrorKind::Expired,
            message: "the token is expired".into(),
            at: now(),
        };
        assert!(inventory.apply(Update::Lost(error)));
        let after = judged(&inventory);
        let passes: Vec<_> = after.verdicts.iter().filter(|v| v.status == Status::Pass).map(|v| &v.id).collect();
        assert_eq!(passes, Vec::<&String>::new());
        let findings = |all: &Assessment| -> BTreeSet<String> {
            all.verdicts.iter().filter(|v| v.status.is_finding()).map(|v| v.id.clone()).collect()
        };
        assert_eq!(findings(&before), findings(&after));
        assert!(after.verdicts.iter().filter(|v| v.status.is_finding()).all(|v| v.stale.is_some()));
    }

    #[test]
    fn a_finding_in_a_list_that_fails_is_of_before() {
        let mut inventory = healthy();
        inventory.roles.values_mut().for_each(|role| role.trust = policy(serde_json::json!([])));
        assert!(status(&inventory, "CUS-IAM-01").contains(&(Status::Fail, false)));
        deny(&mut inventory, SourceId::AUTHORIZATION);
        assert!(status(&inventory, "CUS-IAM-01").contains(&(Status::Fail, true)));
    }

    #[test]
    fn what_can_still_be_read_is_not_stale() {
        let mut inventory = healthy();
        rotation_off(&mut inventory);
        deny(&mut inventory, SourceId::RULE_TARGETS);
        assert_eq!(status(&inventory, "CUS-KMS-04"), [(Status::Fail, false)]);
    }
}
