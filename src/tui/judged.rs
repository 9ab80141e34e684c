//! The assessment as the console needs it: in order, by resource, by area, and what changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::activity::Watch;
use crate::base::{ResourceId, Timestamp};
use crate::case::{Seen, Sighting};
use crate::inventory::{Inventory, Kind, Lineage, SessionInfo};
use crate::posture::{self, Area, Assessment, Expectations, Severity, Status, Verdict, score};
use crate::source::Memory;

/// Indexes over an [`Assessment`].
#[derive(Debug, Default)]
pub struct Judged {
    /// Findings, worst first, as places in the assessment.
    pub findings: Vec<usize>,
    by_id: HashMap<String, usize>,
    by_resource: BTreeMap<ResourceId, Vec<usize>>,
    /// What could not be judged, as places in the assessment.
    pub unknown: Vec<usize>,
    in_doubt: BTreeSet<ResourceId>,
    /// Counts of each area.
    pub areas: Vec<AreaScore>,
    total: Option<u8>,
    last_look: Option<Timestamp>,
    since: BTreeMap<String, Timestamp>,
    closed: BTreeSet<String>,
    /// What came and went since the last look, newest first.
    pub changes: Vec<Change>,
    /// Since when the oldest finding that cannot be read now was read last.
    pub stale: Option<Timestamp>,
    before: Option<BTreeMap<String, String>>,
    whole: bool,
}

/// How one area stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaScore {
    /// Which.
    pub area: Area,
    /// Passes, failures, warnings, unknowns.
    pub counts: [usize; 4],
    /// Of a hundred; none while nothing is known.
    pub score: Option<u8>,
}

/// Which way a finding went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was never there before.
    New,
    /// It had gone, and is back.
    Back,
    /// It has gone.
    Gone,
}

/// A finding that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Since when, if it happened while we looked; else since the last look.
    pub at: Option<Timestamp>,
    /// What happened.
    pub came: Came,
    /// The verdict's id.
    pub id: String,
    /// What it says.
    pub text: String,
}

/// The areas in the order of the screen.
pub const AREAS: [(Area, &str, &str); 9] = [
    (Area::Encryption, "KMS", "Encryption"),
    (Area::Identity, "IAM", "Identity"),
    (Area::Network, "NET", "Network"),
    (Area::Data, "DAT", "Data"),
    (Area::Logging, "LOG", "Logging"),
    (Area::Detection, "DET", "Detection"),
    (Area::Guardrails, "GRD", "Guardrails"),
    (Area::Import, "IMP", "Import"),
    (Area::Invocation, "INV", "Invocation"),
];

/// The area of a control, by the middle of its id.
pub fn area_of(control: &str) -> Option<Area> {
    let middle = control.split('-').nth(1)?;
    AREAS.iter().find(|(_, code, _)| *code == middle).map(|(area, _, _)| *area)
}

impl Judged {
    /// Takes what the case remembers: what was open then is compared with what is open now.
    pub fn remember(&mut self, memory: &Memory) {
        self.last_look = memory.last_look;
        let open = || memory.sightings.iter().filter(|sighting| sighting.status != Seen::Closed);
        for sighting in open() {
            self.since.insert(sighting.verdict.clone(), sighting.first_seen);
        }
        let closed = memory.sightings.iter().filter(|sighting| sighting.status == Seen::Closed);
        self.closed.extend(closed.map(|sighting| sighting.verdict.clone()));
        if memory.last_look.is_some() && !self.whole {
            self.before = Some(open().map(|sighting| (sighting.verdict.clone(), remembered(sighting))).collect());
        }
    }

    /// Takes a new assessment. `whole` says that the first round of reading is over: only then does
    /// a finding that is not there count as closed.
    pub fn take(&mut self, assessment: &Assessment, now: Timestamp, whole: bool) {
        let verdicts = &assessment.verdicts;
        let mut findings: Vec<usize> = (0..verdicts.len()).filter(|at| verdicts[*at].status.is_finding()).collect();
        findings.sort_by(|a, b| {
            let key = |at: usize| {
                let v = &verdicts[at];
                (v.severity, v.status, v.control, &v.name, &v.id)
            };
            key(*a).cmp(&key(*b))
        });
        self.by_id = verdicts.iter().enumerate().map(|(at, verdict)| (verdict.id.clone(), at)).collect();
        self.by_resource.clear();
        for at in &findings {
            let verdict = &verdicts[*at];
            self.by_resource.entry(verdict.resource.id.clone()).or_default().push(*at);
            for related in &verdict.related {
                let of = self.by_resource.entry(related.id.clone()).or_default();
                if !of.contains(at) {
                    of.push(*at);
                }
            }
        }
        self.unknown = (0..verdicts.len()).filter(|at| verdicts[*at].status == Status::Unknown).collect();
        self.unknown.sort_by_key(|at| (verdicts[*at].severity, verdicts[*at].control));
        self.in_doubt = self.unknown.iter().map(|at| verdicts[*at].resource.id.clone()).collect();
        let (scores, total) = score(assessment);
        self.total = total.percent();
        self.areas = AREAS
            .iter()
            .map(|(area, _, _)| {
                let of = || verdicts.iter().filter(|verdict| area_of(verdict.control) == Some(*area));
                let count = |status| of().filter(|verdict| verdict.status == status).count();
                let counts = [Status::Pass, Status::Fail, Status::Warn, Status::Unknown].map(count);
                let score = scores.iter().find(|held| held.area == *area).and_then(|held| held.score.percent());
                AreaScore { area: *area, counts, score }
            })
            .collect();
        self.stale = findings.iter().filter_map(|at| verdicts[*at].stale).min();
        self.findings = findings;
        if whole {
            self.compare(assessment, now);
        }
    }

    fn compare(&mut self, assessment: &Assessment, now: Timestamp) {
        let open: BTreeMap<String, String> =
            self.findings.iter().map(|at| &assessment.verdicts[*at]).map(|v| (v.id.clone(), line(v))).collect();
        for id in open.keys() {
            self.since.entry(id.clone()).or_insert(now);
        }
        // What changed before we looked has no time of its own.
        let at = self.whole.then_some(now);
        self.whole = true;
        let Some(before) = self.before.replace(open.clone()) else { return };
        let mut changes: Vec<Change> = Vec::new();
        for (id, text) in open.into_iter().filter(|(id, _)| !before.contains_key(id)) {
            let came = if self.closed.remove(&id) { Came::Back } else { Came::New };
            changes.push(Change { at, came, id, text });
        }
        // why the check: a finding that could not be looked at this time is not closed, but unknown. Its
        // verdict may have another id then: of the control on the resource, or on the whole region.
        let unknown: Vec<&Verdict> = self.unknown.iter().map(|at| &assessment.verdicts[*at]).collect();
        let settled = |id: &str| {
            let of = |v: &&&Verdict| id.strip_prefix(v.control).is_some_and(|rest| rest.starts_with('/'));
            !unknown.iter().filter(of).any(|v| v.resource.kind == Kind::Region || id.starts_with(v.id.as_str()))
        };
        let open = self.before.iter().flatten().map(|(id, _)| id).collect::<BTreeSet<_>>();
        let gone: Vec<_> = before.into_iter().filter(|(id, _)| !open.contains(id) && settled(id)).collect();
        for (id, text) in gone {
            self.closed.insert(id.clone());
            self.since.remove(&id);
            changes.push(Change { at, came: Came::Gone, id, text });
        }
        changes.append(&mut self.changes);
        changes.truncate(200);
        self.changes = changes;
    }

    /// When the last look was.
    pub fn last_look(&self) -> Option<Timestamp> {
        self.last_look
    }

    /// A verdict by id.
    pub fn verdict<'a>(&self, assessment: &'a Assessment, id: &str) -> Option<&'a Verdict> {
        assessment.verdicts.get(*self.by_id.get(id)?)
    }

    /// Findings that concern a resource, worst first.
    pub fn of<'a>(&self, assessment: &'a Assessment, id: &ResourceId) -> Vec<&'a Verdict> {
        let at = self.by_resource.get(id).map_or(&[][..], Vec::as_slice);
        at.iter().filter_map(|at| assessment.verdicts.get(*at)).collect()
    }

    /// Whether something about a resource could not be judged.
    pub fn is_in_doubt(&self, id: &ResourceId) -> bool {
        self.in_doubt.contains(id)
    }

    /// The worst finding about a resource itself.
    pub fn worst(&self, assessment: &Assessment, id: &ResourceId) -> Option<Severity> {
        self.of(assessment, id).into_iter().filter(|v| v.resource.id == *id).map(|v| v.severity).min()
    }

    /// Of a hundred, over all areas.
    pub fn total(&self) -> Option<u8> {
        self.total
    }

    /// Since when a finding is open, as far as anybody knows.
    pub fn since(&self, id: &str) -> Option<Timestamp> {
        self.since.get(id).copied()
    }
}

fn line(verdict: &Verdict) -> String {
    format!("{} {}: {}", verdict.resource.kind.word(), verdict.name, verdict.title)
}

fn remembered(sighting: &Sighting) -> String {
    let title = posture::control(sighting.control.as_str()).map_or(sighting.control.as_str(), |control| control.title);
    format!("{}: {title}", sighting.name)
}

/// What is to be judged.
#[derive(Debug)]
pub struct Question<'a> {
    /// What exists.
    pub inventory: &'a Inventory,
    /// How it hangs together.
    pub lineage: &'a Lineage,
    /// Who and where, once that is known.
    pub session: Option<&'a SessionInfo>,
    /// What is expected of the account.
    pub expect: &'a Expectations,
    /// What was done lately.
    pub activity: &'a Watch,
    /// The time.
    pub now: Timestamp,
}

/// What judges.
pub type Judge = fn(&Question<'_>) -> Assessment;

/// The controls. Before it is known whose account it is, nothing can be judged.
pub fn judge(question: &Question<'_>) -> Assessment {
    let Some(session) = question.session else { return Assessment::default() };
    let Question { inventory, lineage, expect, activity, now, .. } = *question;
    posture::assess(&posture::Context::of(inventory, lineage, session, now, expect).with_activity(activity))
}
