//! When each finding was first and last seen, and what is new, closed or back since the last look.

use std::collections::BTreeMap;

use rusqlite::TransactionBehavior;
use serde::{Deserialize, Serialize};

use super::error::CaseError;
use super::file::Case;
use crate::base::{Text, Timestamp};
use crate::inventory::Kind;
use crate::posture::Assessment;

/// The history of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Id of the verdict.
    pub verdict: String,
    /// `CUS-KMS-01`, …
    pub control: Text,
    /// What the resource was called.
    pub name: Text,
    /// What was said last.
    pub status: Seen,
    /// When it was found, the first time or since it came back: its age counts from here.
    pub first_seen: Timestamp,
    /// When it was last found.
    pub last_seen: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// How often it came back.
    pub reopened: u32,
}

/// Whether a finding is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// It is.
    Open,
    /// It is not any more.
    Closed,
    /// Nobody could look, so it is as open as it was.
    Unknown,
}

impl Seen {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::Unknown].into_iter().find(|seen| seen.word() == word)
    }
}

/// What changed since the last look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Findings that were never there before.
    pub new: Vec<Sighting>,
    /// Findings that are gone.
    pub closed: Vec<Sighting>,
    /// Findings that had gone and are back.
    pub reopened: Vec<Sighting>,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.closed.is_empty() && self.reopened.is_empty()
    }
}

impl Case {
    /// Takes an assessment in and returns what it changes. A Pass or a Not-applicable closes a
    /// finding; so does its absence, unless its control says that it could not look there.
    pub fn look(&self, assessment: &Assessment, at: Timestamp) -> Result<Changes, CaseError> {
        let held: BTreeMap<_, _> = self.sightings()?.into_iter().map(|held| (held.verdict.clone(), held)).collect();
        let mut changes = Changes::default();
        let mut write = Vec::new();
        let mut judged = std::collections::BTreeSet::new();
        for verdict in &assessment.verdicts {
            judged.insert(verdict.id.as_str());
            let before = held.get(&verdict.id);
            if verdict.status.is_finding() {
                let fresh = Sighting {
                    verdict: verdict.id.clone(),
                    control: verdict.control.into(),
                    name: verdict.name.clone(),
                    status: Seen::Open,
                    first_seen: at,
                    last_seen: at,
                    closed_at: None,
                    reopened: 0,
                };
                let now = match before {
                    None => {
                        changes.new.push(fresh.clone());
                        fresh
                    }
                    Some(before) if before.status == Seen::Closed => {
                        let back = Sighting { reopened: before.reopened + 1, ..fresh };
                        changes.reopened.push(back.clone());
                        back
                    }
                    Some(before) => Sighting { first_seen: before.first_seen, reopened: before.reopened, ..fresh },
                };
                write.push(now);
            } else if let Some(before) = before.filter(|before| before.status != Seen::Closed) {
                if verdict.is_blind() {
                    write.push(Sighting { status: Seen::Unknown, ..before.clone() });
                } else {
                    close(before, at, &mut changes, &mut write);
                }
            }
        }
        for before in held.values().filter(|held| held.status != Seen::Closed) {
            if judged.contains(before.verdict.as_str()) {
                continue;
            }
            let blind = assessment.verdicts.iter().any(|v| {
                v.is_blind()
                    && before.control == *v.control
                    && (v.name == before.name || v.resource.kind == Kind::Region)
            });
            if blind {
                write.push(Sighting { status: Seen::Unknown, ..before.clone() });
            } else {
                close(before, at, &mut changes, &mut write);
            }
        }
        self.write_sightings(&write)?;
        Ok(changes)
    }

    /// The history of every finding, by id.
    pub fn sightings(&self) -> Result<Vec<Sighting>, CaseError> {
        let connection = self.lock();
        let mut query = connection.prepare(
            "SELECT verdict, control, name, status, first_seen, last_seen, closed_at, reopened
             FROM sightings ORDER BY verdict",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Sighting {
                verdict: row.get(0)?,
                control: row.get::<_, String>(1)?.into(),
                name: row.get::<_, String>(2)?.into(),
                status: Seen::from_word(&row.get::<_, String>(3)?).unwrap_or(Seen::Unknown),
                first_seen: Timestamp::from_millis(row.get(4)?),
                last_seen: Timestamp::from_millis(row.get(5)?),
                closed_at: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
                reopened: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What changed after a moment, newest first: the `Changed since your last look` of the console.
    pub fn changed_since(&self, moment: Timestamp) -> Result<Changes, CaseError> {
        let mut changes = Changes::default();
        for held in self.sightings()? {
            match held.closed_at {
                Some(closed) if held.status == Seen::Closed && closed > moment => changes.closed.push(held),
                None if held.first_seen > moment && held.reopened == 0 => changes.new.push(held),
                None if held.first_seen > moment => changes.reopened.push(held),
                _ => {}
            }
        }
        changes.new.sort_by_key(|held| std::cmp::Reverse(held.first_seen));
        changes.reopened.sort_by_key(|held| std::cmp::Reverse(held.first_seen));
        changes.closed.sort_by_key(|held| std::cmp::Reverse(held.closed_at));
        Ok(changes)
    }

    pub(super) fn write_sightings(&self, sightings: &[Sighting]) -> Result<(), CaseError> {
        let mut connection = self.lock();
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for s in sightings {
            step.execute(
                "INSERT OR REPLACE INTO sightings
                 (verdict, control, name, status, first_seen, last_seen, closed_at, reopened)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    &s.verdict,
                    s.control.as_str(),
                    s.name.as_str(),
                    s.status.word(),
                    s.first_seen.millis(),
                    s.last_seen.millis(),
                    s.closed_at.map(Timestamp::millis),
                    s.reopened,
                ),
            )?;
        }
        step.commit()?;
        Ok(())
    }
}

fn close(before: &Sighting, at: Timestamp, changes: &mut Changes, write: &mut Vec<Sighting>) {
    let closed = Sighting { status: Seen::Closed, closed_at: Some(at), ..before.clone() };
    changes.closed.push(closed.clone());
    write.push(closed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ResourceRef;
    use crate::posture::{Severity, Status, Verdict};

    fn assessment(statuses: &[(&str, Status)]) -> Assessment {
        let verdicts = statuses.iter().map(|(id, status)| Verdict {
            id: (*id).to_owned(),
            control: "CUS-KMS-06",
            title: "t",
            severity: Severity::High,
            status: *status,
            code: "c",
            reason: "r".into(),
            resource: ResourceRef::new(Kind::Key, *id),
            name: (*id).into(),
            related: Vec::new(),
            evidence: Vec::new(),
            sources: Vec::new(),
            fixes: &[],
            muted: None,
            stale: None,
        });
        Assessment { verdicts: verdicts.collect() }
    }

    fn ids(sightings: &[Sighting]) -> Vec<&str> {
        sightings.iter().map(|held| held.verdict.as_str()).collect()
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn new_closed_back_and_unknown() {
        use Status::{Fail, Pass, Unknown, Warn};
        let case = Case::in_memory().unwrap();
        let changes = case.look(&assessment(&[("a", Fail), ("b", Warn), ("c", Pass)]), at(10)).unwrap();
        assert_eq!((ids(&changes.new), changes.closed.len()), (vec!["a", "b"], 0));
        // Not looked at is not closed; a Pass closes; what is gone closes.
        let changes = case.look(&assessment(&[("a", Unknown), ("b", Pass)]), at(20)).unwrap();
        assert_eq!((ids(&changes.closed), changes.new.len()), (vec!["b"], 0));
        let held = case.sightings().unwrap();
        assert_eq!((held[0].status, held[0].first_seen, held[0].last_seen), (Seen::Unknown, at(10), at(10)));
        let changes = case.look(&assessment(&[("a", Fail), ("b", Fail)]), at(30)).unwrap();
        assert_eq!((ids(&changes.reopened), ids(&changes.new)), (vec!["b"], vec![]));
        let held = case.sightings().unwrap();
        assert_eq!((held[0].first_seen, held[0].last_seen), (at(10), at(30)), "its age goes on");
        assert_eq!((held[1].first_seen, held[1].closed_at, held[1].reopened), (at(30), None, 1));
        // A verdict that is missing while its control could not see everything says nothing.
        let mut blind = assessment(&[("b", Fail), ("list", Unknown)]);
        blind.verdicts[1].resource = ResourceRef::new(Kind::Region, "us-east-1");
        assert!(case.look(&blind, at(40)).unwrap().is_empty());
        assert_eq!(ids(&case.look(&assessment(&[("b", Fail)]), at(50)).unwrap().closed), ["a"]);

        let since = case.changed_since(at(25)).unwrap();
        assert_eq!((ids(&since.reopened), ids(&since.closed), ids(&since.new)), (vec!["b"], vec!["a"], vec![]));
        assert!(case.changed_since(at(50)).unwrap().is_empty());
    }
}
