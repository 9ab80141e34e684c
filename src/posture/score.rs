//! One number for an area and for the whole.

use std::collections::BTreeMap;

use super::catalogue;
use super::verdict::{Area, Assessment, Severity, Status};

/// The rule, for help and reports.
pub const RULE: &str = "Each control weighs 10 (critical), 5 (high), 2 (medium) or 1 (low). It earns the share of its \
verdicts that pass; a warning counts half, a failure and an unknown nothing. Controls with nothing to judge are left \
out. The score is what was earned of the weight, in percent, rounded down.";

/// What was earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// In thousandths of a weight.
    pub earned: u64,
    /// In thousandths of a weight.
    pub possible: u64,
    /// Verdicts that could not be reached.
    pub unknown: usize,
}

impl Score {
    /// 0 to 100; none when there was nothing to judge.
    pub fn percent(self) -> Option<u8> {
        (self.possible > 0).then(|| u8::try_from(self.earned * 100 / self.possible).unwrap_or(100))
    }
}

/// The score of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AreaScore {
    /// Which.
    pub area: Area,
    /// How much.
    pub score: Score,
}

/// How many verdicts of one control there are, by what they count.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    pass: u64,
    warn: u64,
    fail: u64,
    unknown: u64,
}

/// The score by [`RULE`]: of each area that has controls, and of all.
pub fn score(assessment: &Assessment) -> (Vec<AreaScore>, Score) {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for verdict in &assessment.verdicts {
        let tally = tallies.entry(verdict.control).or_default();
        match verdict.status {
            Status::Pass => tally.pass += 1,
            Status::Warn => tally.warn += 1,
            Status::Fail => tally.fail += 1,
            Status::Unknown => tally.unknown += 1,
            Status::NotApplicable | Status::Muted => {}
        }
    }
    let mut areas: Vec<AreaScore> = Vec::new();
    let mut total = Score::default();
    for area in Area::ALL {
        let mut sum = Score::default();
        let mut controls = catalogue::CONTROLS.iter().filter(|control| control.area == area).peekable();
        let any = controls.peek().is_some();
        for control in controls {
            let Tally { pass, warn, fail, unknown } = tallies.get(control.id).copied().unwrap_or_default();
            let judged = pass + warn + fail + unknown;
            if let Some(share) = (pass * 1000 + warn * 500).checked_div(judged) {
                sum.earned += share * weight(control.severity);
                sum.possible += 1000 * weight(control.severity);
                sum.unknown += usize::try_from(unknown).unwrap_or(usize::MAX);
            }
        }
        if any {
            areas.push(AreaScore { area, score: sum });
        }
        total.earned += sum.earned;
        total.possible += sum.possible;
        total.unknown += sum.unknown;
    }
    (areas, total)
}

fn weight(severity: Severity) -> u64 {
    match severity {
        Severity::Critical => 10,
        Severity::High => 5,
        Severity::Medium => 2,
        Severity::Low => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Kind, ResourceRef};
    use crate::posture::Verdict;

    fn verdict(id: &'static str, status: Status) -> Verdict {
        let control = catalogue::control(id).unwrap();
        Verdict {
            id: format!("{id}/x"),
            control: control.id,
            title: control.title,
            severity: control.severity,
            status,
            code: "x",
            reason: "x".into(),
            resource: ResourceRef::new(Kind::Key, "x"),
            name: "x".into(),
            related: Vec::new(),
            evidence: Vec::new(),
            sources: Vec::new(),
            fixes: &[],
            muted: None,
            stale: None,
        }
    }

    #[test]
    fn the_rule_is_what_is_computed() {
        use Status::{Fail, NotApplicable, Pass, Unknown, Warn};
        for (verdicts, percent) in [
            (vec![], None),
            (vec![("CUS-KMS-01", NotApplicable)], None),
            (vec![("CUS-KMS-01", Pass)], Some(100)),
            (vec![("CUS-KMS-01", Unknown)], Some(0)),
            (vec![("CUS-KMS-01", Pass), ("CUS-KMS-01", Unknown)], Some(50)),
            (vec![("CUS-KMS-01", Warn)], Some(50)),
            // 10 of 10 critical, 0 of 2 medium.
            (vec![("CUS-KMS-03", Pass), ("CUS-DET-01", Fail)], Some(83)),
        ] {
            let verdicts = verdicts.into_iter().map(|(id, status)| verdict(id, status)).collect();
            assert_eq!(score(&Assessment { verdicts }).1.percent(), percent);
        }
    }

    #[test]
    fn areas_stand_alone() {
        let verdicts = vec![verdict("CUS-KMS-01", Status::Fail), verdict("CUS-LOG-01", Status::Pass)];
        let (areas, _) = score(&Assessment { verdicts });
        let of = |area| areas.iter().find(|one| one.area == area).and_then(|one| one.score.percent());
        assert_eq!((of(Area::Encryption), of(Area::Logging), of(Area::Network)), (Some(0), Some(100), None));
    }
}
