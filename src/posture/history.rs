//! What changed between assessments: findings that are new, closed, open again, or out of sight.

use std::collections::{BTreeMap, BTreeSet};

use super::verdict::{Assessment, Verdict};
use crate::inventory::{Kind, ResourceRef};

/// What changed, as verdict ids in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Findings never seen before.
    pub new: Vec<String>,
    /// Findings that are gone, and that we looked for.
    pub closed: Vec<String>,
    /// Findings that had been closed.
    pub reopened: Vec<String>,
    /// Findings that can no longer be seen: neither open nor closed.
    pub unseen: Vec<String>,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is open and what was closed so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    open: BTreeMap<String, (&'static str, ResourceRef)>,
    unseen: BTreeSet<String>,
    closed: BTreeSet<String>,
}

impl History {
    /// Begins with an assessment; what it found is open, not new.
    pub fn of(first: &Assessment) -> Self {
        let mut history = Self::default();
        history.take(first);
        history
    }

    /// Takes the next assessment and says what it changed.
    pub fn take(&mut self, next: &Assessment) -> Changes {
        let mut changes = Changes::default();
        let found: BTreeMap<&str, &Verdict> =
            next.verdicts.iter().filter(|v| v.status.is_finding()).map(|v| (v.id.as_str(), v)).collect();
        for (id, verdict) in &found {
            self.unseen.remove(*id);
            if self.open.contains_key(*id) {
                continue;
            }
            if self.closed.remove(*id) {
                changes.reopened.push((*id).to_owned());
            } else {
                changes.new.push((*id).to_owned());
            }
            self.open.insert((*id).to_owned(), (verdict.control, verdict.resource.clone()));
        }
        let gone: Vec<_> = self.open.iter().filter(|(id, _)| !found.contains_key(id.as_str())).collect();
        let (mut closed, mut lost) = (Vec::new(), Vec::new());
        for (id, (control, resource)) in gone {
            let blind = next.verdicts.iter().any(|v| {
                v.is_blind() && v.control == *control && (v.resource == *resource || v.resource.kind == Kind::Region)
            });
            if blind { lost.push(id.clone()) } else { closed.push(id.clone()) }
        }
        for id in lost {
            if self.unseen.insert(id.clone()) {
                changes.unseen.push(id);
            }
        }
        for id in closed {
            self.open.remove(&id);
            self.unseen.remove(&id);
            self.closed.insert(id.clone());
            changes.closed.push(id);
        }
        changes
    }
}

/// What changed from one assessment to another.
pub fn compare(before: &Assessment, after: &Assessment) -> Changes {
    History::of(before).take(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posture::{CONTROLS, Severity, Status};

    fn assessment(verdicts: &[(&str, Status)]) -> Assessment {
        let verdict = |(id, status): &(&str, Status)| Verdict {
            id: (*id).to_owned(),
            control: CONTROLS[0].id,
            title: "",
            severity: Severity::High,
            status: *status,
            code: "x",
            reason: "x".into(),
            resource: match *id {
                "region" => ResourceRef::new(Kind::Region, "us-east-1"),
                id => ResourceRef::new(Kind::Key, id),
            },
            name: "x".into(),
            related: Vec::new(),
            evidence: Vec::new(),
            sources: Vec::new(),
            fixes: &[],
            muted: None,
            stale: None,
        };
        Assessment { verdicts: verdicts.iter().map(verdict).collect() }
    }

    #[test]
    fn a_finding_lives() {
        use Status::{Fail, Pass, Unknown, Warn};
        let mut history = History::of(&assessment(&[("a", Fail)]));
        assert!(history.take(&assessment(&[("a", Fail)])).is_empty());
        assert_eq!(history.take(&assessment(&[("a", Fail), ("b", Warn)])).new, ["b"]);
        assert_eq!(history.take(&assessment(&[("a", Pass), ("b", Warn)])).closed, ["a"]);
        assert_eq!(history.take(&assessment(&[("a", Warn), ("b", Warn)])).reopened, ["a"]);
        // Not being able to look closes nothing, and is told once.
        let dark = assessment(&[("a", Unknown), ("b", Warn)]);
        assert_eq!(history.take(&dark), Changes { unseen: vec!["a".into()], ..Changes::default() });
        assert!(history.take(&dark).is_empty());
        assert!(history.take(&assessment(&[("a", Fail), ("b", Warn)])).is_empty());
        assert_eq!(history.take(&assessment(&[("region", Unknown)])).unseen, ["a", "b"]);
        assert_eq!(history.take(&assessment(&[])).closed, ["a", "b"]);
    }

    #[test]
    fn two_assessments_compare() {
        let changes = compare(&assessment(&[("a", Status::Fail)]), &assessment(&[("b", Status::Fail)]));
        assert_eq!((changes.new, changes.closed), (vec!["b".to_owned()], vec!["a".to_owned()]));
    }
}
