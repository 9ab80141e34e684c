//! What a control says of one resource.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::base::Severity;
use crate::base::{Text, Timestamp};
use crate::inventory::{ResourceRef, SourceId};

/// The outcome of a control on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Wrong, with complete evidence.
    Fail,
    /// Works but weak, or a judgement is needed.
    Warn,
    /// Could not look. Never counted as a pass.
    Unknown,
    /// Right, with complete evidence.
    Pass,
    /// Nothing to judge.
    #[serde(rename = "NA")]
    NotApplicable,
    /// A finding that someone has accepted.
    Muted,
}

impl Status {
    /// All, in the order people look for them.
    pub const ALL: [Self; 6] = [Self::Fail, Self::Warn, Self::Unknown, Self::Pass, Self::NotApplicable, Self::Muted];

    /// `FAIL`, `WARN`, `UNKNOWN`, `PASS`, `NA`, `MUTED`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "FAIL",
            Self::Warn => "WARN",
            Self::Unknown => "UNKNOWN",
            Self::Pass => "PASS",
            Self::NotApplicable => "NA",
            Self::Muted => "MUTED",
        }
    }

    /// A Fail or a Warn.
    pub fn is_finding(self) -> bool {
        matches!(self, Self::Fail | Self::Warn)
    }
}

/// The areas of the catalogue, by the middle of a control's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// `KMS`
    Encryption,
    /// `IAM`
    Identity,
    /// `NET`
    Network,
    /// `DAT`
    Data,
    /// `LOG`
    Logging,
    /// `DET`
    Detection,
    /// `GRD`
    Guardrails,
    /// `IMP`
    Import,
    /// `INV`
    Invocation,
}

impl Area {
    /// Every area, in the catalogue's order.
    pub const ALL: [Self; 9] = [
        Self::Encryption,
        Self::Identity,
        Self::Network,
        Self::Data,
        Self::Logging,
        Self::Detection,
        Self::Guardrails,
        Self::Import,
        Self::Invocation,
    ];

    /// The middle of a control's id.
    pub fn code(self) -> &'static str {
        match self {
            Self::Encryption => "KMS",
            Self::Identity => "IAM",
            Self::Network => "NET",
            Self::Data => "DAT",
            Self::Logging => "LOG",
            Self::Detection => "DET",
            Self::Guardrails => "GRD",
            Self::Import => "IMP",
            Self::Invocation => "INV",
        }
    }

    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Encryption => "Encryption",
            Self::Identity => "Identity",
            Self::Network => "Network",
            Self::Data => "Data",
            Self::Logging => "Logging",
            Self::Detection => "Detection",
            Self::Guardrails => "Guardrails",
            Self::Import => "Import",
            Self::Invocation => "Invocation",
        }
    }
}

/// A fact behind a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is (`keyState`, `statement`, …).
    pub label: Text,
    /// What it says; safe to draw.
    pub value: Text,
    /// JSON pointer into the resource's policy document, if that is where it stands (`/Statement/2`).
    pub pointer: Option<Text>,
}

impl Evidence {
    /// A fact that stands in no document.
    pub fn new(label: &str, value: impl fmt::Display) -> Self {
        Self { label: label.into(), value: Text::of(value), pointer: None }
    }
}

/// What one control says of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Stable over runs: control, resource and, where one resource has several, what tells them apart.
    pub id: String,
    /// `CUS-KMS-01`, …
    pub control: &'static str,
    /// Title of the control.
    pub title: &'static str,
    /// How bad, if it is a finding; a sub-reason may differ from the control's own.
    pub severity: Severity,
    /// The outcome.
    pub status: Status,
    /// Sub-reason, machine readable (`rotation-off`); `ok` for a pass.
    pub code: &'static str,
    /// One sentence for a person: what is wrong here, with names.
    pub reason: Text,
    /// The resource it is about.
    pub resource: ResourceRef,
    /// What a person calls that.
    pub name: Text,
    /// Other resources it concerns (the role that lacks a right on this key).
    pub related: Vec<ResourceRef>,
    /// The facts.
    pub evidence: Vec<Evidence>,
    /// What had to be read.
    pub sources: Vec<SourceId>,
    /// Fixes of the catalogue that help (`FIX-03`).
    pub fixes: &'static [&'static str],
    /// Who accepted it, if someone has; then the status is [`Status::Muted`].
    // why boxed: there are tens of thousands of verdicts, and few are muted.
    pub muted: Option<Box<Muted>>,
    /// Only of a Fail or a Warn: it was so then, and cannot be read now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<Timestamp>,
}

impl Verdict {
    /// The code of what takes a deep look, where none was asked for.
    pub const NEEDS_DEEP: &'static str = "needs-deep";

    /// Whether nobody looked: what was found here before is neither open nor closed.
    pub fn is_blind(&self) -> bool {
        self.status == Status::Unknown || self.code == Self::NEEDS_DEEP
    }
}

/// An accepted finding: what it was, why, by whom, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Muted {
    /// The status without the mute.
    pub was: Status,
    /// Why.
    pub description: Option<Text>,
    /// Who answers for it.
    pub owner: Option<Text>,
    /// Where it was decided.
    pub ticket: Option<Text>,
    /// When it counts again.
    pub expires: Option<Timestamp>,
}

/// Everything the controls said at one time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assessment {
    /// All verdicts, in the catalogue's order, then by resource.
    pub verdicts: Vec<Verdict>,
}

impl Assessment {
    /// The findings, worst first, Fail before Warn, then by control and name.
    pub fn findings(&self) -> Vec<&Verdict> {
        let mut found: Vec<_> = self.verdicts.iter().filter(|verdict| verdict.status.is_finding()).collect();
        found.sort_by_key(|v| (v.severity, v.status, v.control, v.name.clone(), v.id.clone()));
        found
    }

    /// How many open failures of each severity, worst first: the header's counts.
    pub fn open(&self) -> [(Severity, usize); 4] {
        Severity::ALL.map(|severity| {
            let fails = |v: &&Verdict| v.status == Status::Fail && v.severity == severity;
            (severity, self.verdicts.iter().filter(fails).count())
        })
    }

    /// How many verdicts have this status.
    pub fn count(&self, status: Status) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.status == status).count()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
