//! What a verdict says, whatever resource it is said of: resources that are alike get the same.

use std::collections::BTreeSet;
use std::fmt;
use std::iter::repeat_n;

use super::judge::Problem;
use super::verdict::{Evidence, Severity, Status};
use crate::base::Text;

/// A verdict without its subject.
#[derive(Debug, Clone)]
pub(super) struct Conclusion {
    /// What tells it apart from others on the resource; none where there is but one.
    pub part: Option<&'static str>,
    /// The outcome.
    pub status: Status,
    /// Sub-reason.
    pub code: &'static str,
    /// If it differs from the control's.
    pub severity: Option<Severity>,
    /// One sentence.
    pub reason: Text,
    /// The facts.
    pub evidence: Vec<Evidence>,
}

impl Conclusion {
    /// Right.
    pub fn pass(reason: impl fmt::Display, evidence: Vec<Evidence>) -> Self {
        let (status, reason) = (Status::Pass, Text::of(reason));
        Self { part: None, status, code: "ok", severity: None, reason, evidence }
    }

    /// Not decided; the facts stay.
    pub fn undecided(code: &'static str, why: impl fmt::Display, facts: Vec<Evidence>) -> Self {
        let reason = Text::of(why);
        let mut evidence = Vec::with_capacity(facts.len() + 1);
        evidence.push(Evidence { label: "error".into(), value: reason.clone(), pointer: None });
        evidence.extend(facts);
        Self { part: None, status: Status::Unknown, code, severity: None, reason, evidence }
    }

    /// A document could not be read.
    pub fn malformed(what: &str, pointer: Option<Text>, why: impl fmt::Display) -> Self {
        let value = Text::of(why);
        let reason = Text::new(format!("{what}: {value}"));
        let evidence = vec![Evidence { label: "error".into(), value, pointer }];
        Self { part: None, status: Status::Unknown, code: "malformed", severity: None, reason, evidence }
    }

    /// A pass when nothing is wrong, else one for each sub-reason, told apart by it.
    pub fn of(facts: Vec<Evidence>, problems: Vec<Problem>, right: impl fmt::Display) -> Vec<Self> {
        if problems.is_empty() {
            return vec![Self::pass(right, facts)];
        }
        let mut merged: Vec<(Problem, Vec<String>)> = Vec::new();
        for mut problem in problems {
            let reason = std::mem::take(&mut problem.reason);
            match merged.iter_mut().find(|(held, _)| held.code == problem.code) {
                Some((held, reasons)) => {
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                    held.evidence.extend(problem.evidence);
                }
                None => merged.push((problem, vec![reason])),
            }
        }
        let count = merged.len();
        let each = merged.into_iter().zip(repeat_n(facts, count)).map(|((problem, reasons), facts)| {
            let Problem { status, code, severity, mut evidence, .. } = problem;
            evidence.extend(facts);
            let reason = Text::new(sentences(&reasons));
            Self { part: Some(code), status, code, severity, reason, evidence: each_once(evidence) }
        });
        each.collect()
    }

    /// The same, when something was left open besides: what is wrong stays wrong, and that there may be more is
    /// told beside it. Without that, a finding that can no longer be seen would look like one that was mended.
    pub fn open(
        facts: Vec<Evidence>,
        problems: Vec<Problem>,
        open: Option<(&'static str, impl fmt::Display)>,
        right: impl fmt::Display,
    ) -> Vec<Self> {
        let Some((code, why)) = open else { return Self::of(facts, problems, right) };
        if problems.is_empty() {
            return vec![Self::undecided(code, why, facts)];
        }
        let more = Self::undecided(code, format_args!("there may be more: {why}"), facts.clone());
        let mut all = Self::of(facts, problems, right);
        all.push(Self { part: Some(code), ..more });
        all
    }
}

/// Facts in their order, each once.
fn each_once(mut facts: Vec<Evidence>) -> Vec<Evidence> {
    /// why a bound: comparing each with each is quadratic, and a policy may hold thousands of statements.
    const FEW: usize = 16;
    if facts.len() > FEW {
        let mut seen = BTreeSet::new();
        return facts.iter().filter(|one| seen.insert(*one)).cloned().collect();
    }
    let mut kept = 0;
    for at in 0..facts.len() {
        if !facts[..kept].contains(&facts[at]) {
            facts.swap(kept, at);
            kept += 1;
        }
    }
    facts.truncate(kept);
    facts
}

/// Reasons as one: `a; b; and 3 more like these`. Evidence has them all.
fn sentences(reasons: &[String]) -> String {
    const SHOWN: usize = 8;
    match reasons.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{}; and {more} more like these", reasons[..SHOWN].join("; ")),
        _ => reasons.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_in_their_order_each_once() {
        let facts = |labels: &[usize]| -> Vec<Evidence> {
            let fact = |label: &usize| Evidence { label: label.to_string().into(), value: "v".into(), pointer: None };
            labels.iter().map(fact).collect()
        };
        assert_eq!(each_once(facts(&[3, 1, 3, 2, 1, 4])), facts(&[3, 1, 2, 4]));
        assert_eq!(each_once(Vec::new()), []);
        // Few and many are told the same way.
        let many: Vec<usize> = (0..40).map(|n| n * 7 % 11).collect();
        let few: Vec<usize> = many.iter().copied().take(11).collect();
        assert_eq!(each_once(facts(&many)), facts(&few));
    }
}
