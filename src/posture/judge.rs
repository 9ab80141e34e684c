//! How a control says something: a subject, at least one fact, then a status. The types make it
//! impossible to pass or fail without evidence, or to forget the sources.

use std::fmt::{self, Write as _};
use std::iter::repeat_n;
use std::sync::Arc;

use super::conclusion::Conclusion;
use super::control::{Context, Control};
use super::permissions::{Permissions, Shared};
use super::tables::Tables;
use super::verdict::{Evidence, Severity, Status, Verdict};
use crate::access::{BadPolicy, Policy};
use crate::base::Text;
use crate::base::text::safe;
use crate::inventory::{Document, Item, Kind, ResourceRef, SourceId};

/// A control at work.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The control.
    pub control: &'static Control,
    /// What it looks at.
    pub context: &'a Context<'a>,
    /// What all controls have worked out of it.
    pub(super) shared: &'a Shared<'a>,
    /// [`Control::sources`]. why kept: each verdict holds them.
    pub(super) sources: &'a [SourceId],
}

impl<'a> Judge<'a> {
    /// Begins a verdict on a resource.
    pub fn on(&self, resource: ResourceRef) -> Subject<'a> {
        let name = Text::new(self.context.name_of(&resource));
        Subject { judge: *self, resource, name, aux: None, related: Vec::new() }
    }

    /// The same on what the inventory holds. why beside it: it need not be looked for to be named.
    pub fn on_item(&self, kind: Kind, item: &impl Item) -> Subject<'a> {
        let (resource, name) = (ResourceRef::new(kind, item.id()), item.name());
        let name = if name.is_empty() { Text::new(resource.id.last()) } else { Text::new(name) };
        Subject { judge: *self, resource, name, aux: None, related: Vec::new() }
    }

    /// Begins a verdict on the region.
    pub fn on_region(&self) -> Subject<'a> {
        self.on(self.context.region_ref())
    }

    /// What several controls look at.
    pub(super) fn tables(&self) -> &'a Tables<'a> {
        self.shared.tables()
    }

    /// What principals are allowed by their own policies; read once for all controls.
    pub(super) fn permissions(&self) -> &'a Permissions {
        self.shared.permissions(self.context.inventory)
    }

    /// A policy, parsed once for all controls.
    pub(super) fn policy(&self, document: &Document) -> Result<Arc<Policy>, BadPolicy> {
        self.shared.policy(document)
    }

    /// The gap of a source, in words, if it was not seen whole.
    pub fn gap(&self, source: SourceId) -> Option<Text> {
        self.context.inventory.coverage.complete(source).err().map(Text::of)
    }

    /// Whether objects and logs were looked into. If not, that is no gap: nobody asked.
    pub fn is_deep(&self) -> bool {
        self.context.inventory.coverage.is_deep()
    }

    /// The first gap among sources.
    pub fn any_gap(&self, sources: &[SourceId]) -> Option<Text> {
        sources.iter().find_map(|source| self.gap(*source))
    }
}

/// A resource about to be judged.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    judge: Judge<'a>,
    resource: ResourceRef,
    name: Text,
    aux: Option<String>,
    related: Vec<ResourceRef>,
}

impl Subject<'_> {
    /// Tells verdicts on one resource apart by another that it concerns.
    #[must_use]
    pub fn beside(mut self, other: ResourceRef) -> Self {
        self.aux = Some(other.id.last().to_owned());
        self.related.push(other);
        self
    }

    /// Tells verdicts on one resource apart by a word.
    #[must_use]
    pub fn part(mut self, word: &str) -> Self {
        self.aux = Some(word.to_owned());
        self
    }

    /// Other resources it concerns.
    #[must_use]
    pub fn related(mut self, others: impl IntoIterator<Item = ResourceRef>) -> Self {
        self.related.extend(others);
        self
    }

    /// Takes a deep look, and none was asked for.
    #[must_use]
    pub fn needs_deep(self) -> Verdict {
        let why = "needs --deep, which reads what lies in objects and logs: not asked for in this look";
        self.verdict(Status::NotApplicable, Verdict::NEEDS_DEEP, why.into(), Vec::new())
    }

    fn verdict(self, status: Status, code: &'static str, reason: Text, evidence: Vec<Evidence>) -> Verdict {
        let Self { judge: Judge { control, sources, .. }, resource, name, aux, related } = self;
        let tail = aux.as_deref().map(safe);
        let tail = tail.as_ref().map_or(["", ""], |tail| ["/", tail]);
        Verdict {
            id: [control.id, "/", resource.id.last(), tail[0], tail[1]].concat(),
            control: control.id,
            title: control.title,
            severity: control.severity,
            status,
            code,
            reason,
            resource,
            name,
            related,
            evidence,
            sources: sources.to_vec(),
            fixes: control.fixes,
            muted: None,
            stale: None,
        }
    }

    /// What a person calls it.
    pub fn name(&self) -> &Text {
        &self.name
    }

    /// Says all of this of it.
    #[must_use]
    pub(super) fn concludes(self, all: Vec<Conclusion>) -> Vec<Verdict> {
        let count = all.len();
        let each = all.into_iter().zip(repeat_n(self, count)).map(|(one, subject)| {
            let Conclusion { part, status, code, severity, reason, evidence } = one;
            let subject = if let Some(part) = part { subject.part(part) } else { subject };
            let severity = severity.unwrap_or(subject.judge.control.severity);
            Verdict { severity, ..subject.verdict(status, code, reason, evidence) }
        });
        each.collect()
    }

    /// A fact. Only with one can it pass or fail.
    pub fn shows(self, label: &'static str, value: impl fmt::Display) -> Draft<Self> {
        Draft { subject: self, evidence: Vec::new() }.shows(label, value)
    }

    /// Could not look: a failed read, a gap in coverage. The text names the operation and the error.
    #[must_use]
    pub fn unread(self, why: impl fmt::Display) -> Verdict {
        self.unknown("unread", why)
    }

    /// Could look, but not decide.
    #[must_use]
    pub fn undecided(self, code: &'static str, why: impl fmt::Display) -> Verdict {
        self.unknown(code, why)
    }

    /// Could not read this document.
    #[must_use]
    pub fn malformed(self, what: &str, pointer: Option<Text>, why: impl fmt::Display) -> Verdict {
        let Conclusion { status, code, reason, evidence, .. } = Conclusion::malformed(what, pointer, why);
        self.verdict(status, code, reason, evidence)
    }

    fn unknown(self, code: &'static str, why: impl fmt::Display) -> Verdict {
        let why = Text::of(why);
        let evidence = vec![Evidence { label: "error".into(), value: why.clone(), pointer: None }];
        self.verdict(Status::Unknown, code, why, evidence)
    }

    /// Nothing to judge here.
    #[must_use]
    pub fn not_applicable(self, why: impl fmt::Display) -> Verdict {
        self.verdict(Status::NotApplicable, "not-applicable", Text::of(why), Vec::new())
    }
}

/// A subject with its facts.
#[derive(Debug, Clone)]
pub struct Draft<S> {
    subject: S,
    evidence: Vec<Evidence>,
}

/// One thing that is wrong. A resource may have several.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Fail or Warn.
    pub status: Status,
    /// Sub-reason.
    pub code: &'static str,
    /// If it differs from the control's.
    pub severity: Option<Severity>,
    /// One sentence.
    pub reason: String,
    /// Its own facts.
    pub evidence: Vec<Evidence>,
}

impl Problem {
    /// A failure.
    pub fn fail(code: &'static str, reason: impl Into<String>) -> Self {
        Self { status: Status::Fail, code, severity: None, reason: reason.into(), evidence: Vec::new() }
    }

    /// A weakness.
    pub fn warn(code: &'static str, reason: impl Into<String>) -> Self {
        Self { status: Status::Warn, ..Self::fail(code, reason) }
    }

    /// Graded otherwise than the control.
    #[must_use]
    pub fn graded(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// A fact of it.
    #[must_use]
    pub fn shows(mut self, label: &'static str, value: impl fmt::Display) -> Self {
        self.evidence.push(Evidence { label: label.into(), value: Text::of(value), pointer: None });
        self
    }

    /// A fact of it that stands in the policy.
    #[must_use]
    pub fn points(mut self, label: &'static str, value: impl fmt::Display, pointer: Text) -> Self {
        self.evidence.push(Evidence { label: label.into(), value: Text::of(value), pointer: Some(pointer) });
        self
    }
}

impl Draft<Subject<'_>> {
    /// One more fact.
    #[must_use]
    pub fn shows(mut self, label: &'static str, value: impl fmt::Display) -> Self {
        self.evidence.push(Evidence { label: label.into(), value: Text::of(value), pointer: None });
        self
    }

    /// More facts, as they are told already.
    #[must_use]
    pub fn facts(mut self, facts: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(facts);
        self
    }

    /// A fact if there is one.
    #[must_use]
    pub fn shows_some(self, label: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.shows(label, value),
            None => self,
        }
    }

    /// A fact that stands in the resource's policy.
    #[must_use]
    pub fn points(mut self, label: &str, value: impl fmt::Display, pointer: Option<Text>) -> Self {
        self.evidence.push(Evidence { label: label.into(), value: Text::of(value), pointer });
        self
    }

    /// Right.
    #[must_use]
    pub fn pass(self, reason: impl fmt::Display) -> Verdict {
        self.subject.verdict(Status::Pass, "ok", Text::of(reason), self.evidence)
    }

    /// Wrong.
    #[must_use]
    pub fn fail(self, code: &'static str, reason: impl fmt::Display) -> Verdict {
        self.subject.verdict(Status::Fail, code, Text::of(reason), self.evidence)
    }

    /// Wrong, but graded otherwise than the control.
    #[must_use]
    pub fn fail_as(self, severity: Severity, code: &'static str, reason: impl fmt::Display) -> Verdict {
        Verdict { severity, ..self.fail(code, reason) }
    }

    /// Works, but weak.
    #[must_use]
    pub fn warn(self, code: &'static str, reason: impl fmt::Display) -> Verdict {
        self.subject.verdict(Status::Warn, code, Text::of(reason), self.evidence)
    }

    /// Could look, but not decide; the facts stay.
    #[must_use]
    pub fn undecided(self, code: &'static str, why: impl fmt::Display) -> Verdict {
        let mut verdict = self.subject.unknown(code, why);
        verdict.evidence.extend(self.evidence);
        verdict
    }

    /// A pass when nothing is wrong, else one verdict for each sub-reason, told apart by it.
    #[must_use]
    pub fn conclude(self, problems: Vec<Problem>, right: impl fmt::Display) -> Vec<Verdict> {
        self.subject.concludes(Conclusion::of(self.evidence, problems, right))
    }

    /// The same, when something was left open besides: what is wrong stays wrong, and that there may be more is
    /// told beside it. Without that, a finding that can no longer be seen would look like one that was mended.
    #[must_use]
    pub fn conclude_open(
        self,
        problems: Vec<Problem>,
        open: Option<(&'static str, impl fmt::Display)>,
        right: impl fmt::Display,
    ) -> Vec<Verdict> {
        self.subject.concludes(Conclusion::open(self.evidence, problems, open, right))
    }
}

/// Names in a sentence: `a, b and 3 more`.
pub(super) fn listed<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    listed_by(names, |out, name| {
        // A write to a String cannot fail.
        let _ = write!(out, "{name}");
    })
}

/// The same; only what is shown is put into words. why: a bucket may serve thousands of jobs.
fn listed_by<T>(names: impl IntoIterator<Item = T>, put: impl Fn(&mut String, T)) -> String {
    const SHOWN: usize = 6;
    let (mut names, mut out) = (names.into_iter(), String::new());
    for (at, name) in names.by_ref().take(SHOWN).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        put(&mut out, name);
    }
    let more = names.count();
    if more > 0 {
        let _ = write!(out, " and {more} more");
    }
    out
}

/// The kind's word and the resource's id, for evidence.
pub(super) fn listed_refs<'a>(context: &Context<'_>, refs: impl IntoIterator<Item = &'a ResourceRef>) -> String {
    listed_by(refs, |out, one| {
        out.push_str(one.kind.word());
        if one.kind != Kind::Logging {
            out.push(' ');
            out.push_str(&context.name_of(one));
        }
    })
}

/// Why a value is not known, with the operation that reads it: a failure names it itself.
pub(super) fn unread(operation: &str, unknown: crate::inventory::read::Unknown<'_>) -> String {
    match unknown {
        crate::inventory::read::Unknown::NotAsked => format!("{operation} not read yet"),
        crate::inventory::read::Unknown::Failed(error) => error.to_string(),
    }
}
