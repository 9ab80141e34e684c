//! Scans in the formats that people and programs read, one file a format. Pure: a [`Report`] in,
//! bytes out; results only, no progress and no colour. What came from outside is defended again
//! here, by the rules of each format (CSV formulas, HTML, Markdown, XML).

mod asff;
pub mod catalogue;
mod content;
mod csv;
mod html;
mod json;
mod junit;
mod markdown;
mod ocsf;
pub mod sarif;
mod sarif_scan;
mod table;
#[cfg(test)]
mod tests;

pub use content::{Content, ContentFormat};

use std::collections::BTreeMap;
use std::io;

use crate::base::{Text, Timestamp};
use crate::inventory::{CallStats, Coverage, Inventory, Lineage, SessionInfo};
use crate::posture::{Assessment, Control, Framework, MuteReport, Status, Verdict, control};

/// Everything one run tells: a scan of each session, and the sessions that could not be scanned.
#[derive(Debug, Default)]
pub struct Report<'a> {
    /// One a session, in the order asked for.
    pub scans: Vec<Scan<'a>>,
    /// Accounts and regions of which nothing could be read.
    pub failures: Vec<Failure>,
    /// The framework asked about, if one was.
    pub framework: Option<&'static Framework>,
}

impl Report<'_> {
    /// Every verdict with the scan it is of.
    fn verdicts(&self) -> impl Iterator<Item = (&Scan<'_>, &Verdict)> {
        self.scans.iter().flat_map(|scan| scan.assessment.verdicts.iter().map(move |verdict| (scan, verdict)))
    }
}

/// A session that could not be opened.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Failure {
    /// The profile, if one was named.
    pub profile: Option<Text>,
    /// The region, if one was named.
    pub region: Option<Text>,
    /// What happened and what to do.
    pub error: Text,
}

impl Failure {
    /// Which session it was: the profile and the region, as far as they were named.
    pub fn place(&self) -> String {
        [&self.profile, &self.region].into_iter().flatten().map(Text::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// One session, judged.
#[derive(Debug)]
pub struct Scan<'a> {
    /// Whose account, which region.
    pub session: &'a SessionInfo,
    /// When it was judged.
    pub at: Timestamp,
    /// What the controls said, already filtered to what is to be shown.
    pub assessment: &'a Assessment,
    /// All that the controls said which were asked for: scores and requirements are of this.
    pub whole: &'a Assessment,
    /// What was seen, and what was not.
    pub inventory: &'a Inventory,
    /// How it hangs together.
    pub lineage: &'a Lineage,
    /// What it cost.
    pub calls: &'a [CallStats],
    /// When each verdict's finding was seen first, by verdict id.
    pub first_seen: &'a BTreeMap<String, Timestamp>,
    /// Mutes that have expired or muted nothing.
    pub mutes: &'a MuteReport,
}

impl Scan<'_> {
    /// Verdicts of each status, in the order people look for them.
    pub fn by_status(&self) -> [(Status, usize); Status::ALL.len()] {
        Status::ALL.map(|status| (status, self.assessment.count(status)))
    }

    /// What was read, when, and what could not be.
    pub fn coverage(&self) -> &Coverage {
        &self.inventory.coverage
    }

    /// An id of a finding that no other account or region has. Stable over runs.
    fn uid(&self, verdict: &Verdict) -> String {
        format!("bedwatch/{}/{}/{}", self.session.account, self.session.region, verdict.id)
    }

    /// As AWS Security Hub takes them: what was found, and, archived, what was found before and is gone.
    pub fn security_hub(&self, resolved: &[Resolved]) -> Vec<serde_json::Value> {
        [asff::of_scan(self), asff::archived(self, resolved)].concat()
    }

    /// When a finding was seen first; now, if never before.
    fn since(&self, verdict: &Verdict) -> Timestamp {
        self.first_seen.get(&verdict.id).copied().unwrap_or(self.at)
    }
}

/// A finding of an earlier look that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Id of its verdict.
    pub verdict: String,
    /// Its control.
    pub control: Text,
    /// What its resource was called.
    pub name: Text,
    /// When it was first seen.
    pub first_seen: Timestamp,
}

/// The control behind a verdict. Verdicts are only made by controls of the catalogue.
fn control_of(verdict: &Verdict) -> Option<&'static Control> {
    control(verdict.control)
}

/// The evidence in one line: `KeyState=Disabled, alias=orion-chat`.
fn evidence_line(verdict: &Verdict) -> String {
    let facts = verdict.evidence.iter().map(|fact| match &fact.pointer {
        Some(pointer) => format!("{}={} (at {pointer})", fact.label, fact.value),
        None => format!("{}={}", fact.label, fact.value),
    });
    facts.collect::<Vec<_>>().join(", ")
}

/// Cuts at a character boundary so that the result has at most `limit` characters, the last an ellipsis if any was lost.
fn clip(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

macro_rules! formats {
    ($($variant:ident = $name:literal, $extension:literal, $module:ident, $what:literal;)*) => {
        /// An output format. Declared once; the command line, its help and the docs derive from it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub enum Format {
            $(#[doc = $what] #[value(name = $name)] $variant,)*
        }

        impl Format {
            /// Ending of a file in this format.
            pub fn extension(self) -> &'static str {
                match self {
                    $(Self::$variant => $extension,)*
                }
            }

            /// Writes a report.
            pub fn write(self, report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
                match self {
                    $(Self::$variant => $module::write(report, out),)*
                }
            }
        }
    };
}

formats! {
    Table = "table", "txt", table, "A table for people, 80 columns wide";
    Json = "json", "json", json, "JSON, schema bedwatch.scan/1";
    Ocsf = "ocsf", "ocsf.json", ocsf, "OCSF 1.5 compliance findings (class 2003), a JSON array";
    OcsfDetection = "ocsf-detection", "ocsf-detection.json", ocsf_detection, "OCSF 1.5 detection findings (class 2004), for readers that take only those";
    Asff = "asff", "asff.json", asff, "AWS Security Finding Format 2018-10-08, a JSON array for BatchImportFindings";
    Sarif = "sarif", "sarif", sarif_scan, "SARIF 2.1.0, findings only, for code hosts";
    Junit = "junit", "junit.xml", junit, "JUnit XML for CI";
    Csv = "csv", "csv", csv, "CSV with Prowler's header names, separated by semicolons";
    Html = "html", "html", html, "One self-contained HTML page";
    Markdown = "markdown", "md", markdown, "Markdown, for a ticket or a CI summary";
}

/// The same file as [`ocsf`], other class.
mod ocsf_detection {
    pub(super) use super::ocsf::write_detections as write;
}
