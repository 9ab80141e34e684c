//! The assessment as the console needs it: in order, by resource, by area, and what changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::pane::topology;
use crate::activity::Watch;
use crate::base::{ResourceId, Timestamp};
use crate::case::{Seen, Sighting};
use crate::inventory::{Coverage, Inventory, Kind, Lineage, SessionInfo, SourceId, SourceReport, SourceState};
use crate::posture::{self, Area, Assessment, Expectations, Severity, Status, Verdict, score};
use crate::source::Memory;

/// Indexes over an [`Assessment`].
#[derive(Debug, Default)]
pub struct Judged {
    /// Findings, worst first, as places in the assessment.
    pub findings: Vec<usize>,
    by_id: HashMap<String, usize>,
    by_resource: HashMap<ResourceId, Vec<usize>>,
    own: HashMap<ResourceId, Vec<usize>>,
    network: HashMap<ResourceId, Severity>,
    /// What could not be judged, as places in the assessment.
    pub unknown: Vec<usize>,
    in_doubt: BTreeSet<ResourceId>,
    /// How many failures of each severity are open, the worst severity first.
    pub open: [usize; 4],
    needing: BTreeMap<SourceId, BTreeSet<&'static str>>,
    ending: Vec<usize>,
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

    /// Takes a new assessment of what `coverage` could be read of. `whole` says that the first round of reading is
    /// over: only then does a finding that is not there count as closed.
    pub fn take(&mut self, assessment: &Assessment, coverage: &Coverage, now: Timestamp, whole: bool) {
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
        self.own.clear();
        self.network.clear();
        for at in &findings {
            let verdict = &verdicts[*at];
            self.own.entry(verdict.resource.id.clone()).or_default().push(*at);
            if topology::is_network(verdict) {
                for of in std::iter::once(&verdict.resource).chain(&verdict.related) {
                    // The worst come first.
                    self.network.entry(of.id.clone()).or_insert(verdict.severity);
                }
            }
            self.by_resource.entry(verdict.resource.id.clone()).or_default().push(*at);
            for related in &verdict.related {
                let of = self.by_resource.entry(related.id.clone()).or_default();
                // Findings come one after the other, so one that is there already is the last.
                if of.last() != Some(at) {
                    of.push(*at);
                }
            }
        }
        self.unknown = (0..verdicts.len()).filter(|at| verdicts[*at].status == Status::Unknown).collect();
        self.unknown.sort_by_key(|at| (verdicts[*at].severity, verdicts[*at].control));
        self.in_doubt = self.unknown.iter().map(|at| verdicts[*at].resource.id.clone()).collect();
        let (scores, total) = score(assessment);
        self.total = total.percent();
        let mut counts: BTreeMap<Area, [usize; 4]> = BTreeMap::new();
        for verdict in verdicts {
            let at =
                [Status::Pass, Status::Fail, Status::Warn, Status::Unknown].iter().position(|s| *s == verdict.status);
            if let (Some(area), Some(at)) = (area_of(verdict.control), at) {
                counts.entry(area).or_default()[at] += 1;
            }
        }
        self.areas = AREAS
            .iter()
            .map(|(area, _, _)| {
                let score = scores.iter().find(|held| held.area == *area).and_then(|held| held.score.percent());
                AreaScore { area: *area, counts: counts.get(area).copied().unwrap_or_default(), score }
            })
            .collect();
        self.stale = findings.iter().filter_map(|at| verdicts[*at].stale).min();
        self.findings = findings;
        self.open = assessment.open().map(|(_, count)| count);
        self.ending = (0..verdicts.len()).filter(|at| verdicts[*at].muted.is_some()).collect();
        self.needing.clear();
        let mut told = BTreeSet::new();
        // All verdicts of a control rest on the same sources.
        for verdict in verdicts.iter().filter(|verdict| told.insert(verdict.control)) {
            for source in &verdict.sources {
                self.needing.entry(*source).or_default().insert(verdict.control);
            }
        }
        if whole {
            self.compare(assessment, coverage, now);
        }
    }

    fn compare(&mut self, assessment: &Assessment, coverage: &Coverage, now: Timestamp) {
        // What changed before we looked has no time of its own.
        let at = self.whole.then_some(now);
        self.whole = true;
        let mut before = self.before.take();
        let mut open: BTreeMap<String, String> = BTreeMap::new();
        let mut changes: Vec<Change> = Vec::new();
        for verdict in self.findings.iter().map(|at| &assessment.verdicts[*at]) {
            if !self.since.contains_key(&verdict.id) {
                self.since.insert(verdict.id.clone(), now);
            }
            // why the words of before: to say it anew of thousands takes its time.
            let held = before.as_mut().and_then(|before| before.remove(&verdict.id));
            let text = held.clone().unwrap_or_else(|| line(verdict));
            if before.is_some() && held.is_none() {
                let came = if self.closed.remove(&verdict.id) { Came::Back } else { Came::New };
                changes.push(Change { at, came, id: verdict.id.clone(), text: text.clone() });
            }
            open.insert(verdict.id.clone(), text);
        }
        let Some(before) = before else {
            self.before = Some(open);
            return;
        };
        // why the check: a finding that could not be looked at this time is not closed, but unknown. Its
        // verdict may have another id then: of the control on the resource, or on the whole region; or none,
        // where the control found other faults in what could still be read.
        let unknown: Vec<&Verdict> = self.unknown.iter().map(|at| &assessment.verdicts[*at]).collect();
        let mut read: BTreeMap<&str, bool> = BTreeMap::new();
        let mut settled = |id: &str| {
            let control = id.split('/').next().unwrap_or_default();
            let of = |v: &&&Verdict| v.control == control;
            let doubted =
                unknown.iter().filter(of).any(|v| v.resource.kind == Kind::Region || id.starts_with(v.id.as_str()));
            if let Some(read) = read.get(control) {
                return *read && !doubted;
            }
            let needs = || posture::control(control).into_iter().flat_map(posture::Control::needs);
            // Of what there was nothing to ask, there is no report.
            let whole = |report: &SourceReport| report.state == SourceState::Complete;
            let all = needs().all(|source| coverage.report(source).is_none_or(whole));
            if let Some(control) = posture::control(control) {
                read.insert(control.id, all);
            }
            all && !doubted
        };
        let (gone, unseen): (Vec<_>, Vec<_>) = before.into_iter().partition(|(id, _)| settled(id));
        for (id, text) in gone {
            self.closed.insert(id.clone());
            self.since.remove(&id);
            changes.push(Change { at, came: Came::Gone, id, text });
        }
        // What nobody could look at is neither closed now nor new when it is seen again.
        open.extend(unseen);
        self.before = Some(open);
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

    /// Findings about a resource itself, worst first. A key that thousands of jobs share concerns all of theirs.
    pub fn own<'a>(&self, assessment: &'a Assessment, id: &ResourceId) -> impl Iterator<Item = &'a Verdict> {
        let at = self.own.get(id).map_or(&[][..], Vec::as_slice);
        at.iter().filter_map(|at| assessment.verdicts.get(*at))
    }

    /// The worst finding of the network that concerns a resource.
    pub fn network(&self, id: &ResourceId) -> Option<Severity> {
        self.network.get(id).copied()
    }

    /// Whether something about a resource could not be judged.
    pub fn is_in_doubt(&self, id: &ResourceId) -> bool {
        self.in_doubt.contains(id)
    }

    /// The worst finding about a resource itself.
    pub fn worst(&self, assessment: &Assessment, id: &ResourceId) -> Option<Severity> {
        self.own(assessment, id).next().map(|verdict| verdict.severity)
    }

    /// The controls that need a source, in the order of their ids.
    pub fn needing(&self, source: SourceId) -> impl Iterator<Item = &'static str> + use<'_> {
        self.needing.get(&source).into_iter().flatten().copied()
    }

    /// Accepted findings, whose acceptance may end.
    pub fn accepted<'a>(&'a self, assessment: &'a Assessment) -> impl Iterator<Item = &'a Verdict> {
        self.ending.iter().filter_map(|at| assessment.verdicts.get(*at))
    }

    /// Whether the first round of reading is over and was judged.
    pub fn is_whole(&self) -> bool {
        self.whole
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

/// What is wrong, where: the title of a control says how it should be, and would read as if it were.
fn line(verdict: &Verdict) -> String {
    format!("{} {}: {}", verdict.resource.kind.word(), verdict.name, super::pane::reason::short(verdict))
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
