//! `scan`: read once, judge, report, exit code. Headless, read-only.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Exit, Target, Trouble, live, runtime};
use crate::base::{Clock, Timestamp};
use crate::case::Case;
use crate::inventory::{CallStats, Inventory, Lineage, SessionInfo};
use crate::posture::{Assessment, CONTROLS, Context, Severity, Status, assess};
use crate::report::{Format, Scan};
use crate::source::{Envelope, Message};

/// What to judge and how to say it.
#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    /// Output formats
    #[arg(short = 'M', long = "output-formats", value_enum, value_delimiter = ',', default_value = "table")]
    formats: Vec<Format>,
    /// Write the reports into this folder; `-` for standard output
    #[arg(short = 'o', long = "output-directory", value_name = "DIR", default_value = "-")]
    output: PathBuf,
    /// Judge these controls only
    #[arg(short = 'c', long = "controls", value_name = "ID", value_delimiter = ',', value_parser = control)]
    controls: Vec<&'static str>,
    /// Report findings of these severities only
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    severity: Vec<SeverityArg>,
    /// Exit with 3 if a failure is at least this bad; warnings never count
    #[arg(long, value_enum, default_value = "low", value_name = "SEVERITY")]
    fail_on: SeverityArg,
    /// Judge a saved case instead of a live account
    #[arg(long, value_name = "CASE")]
    offline: Option<PathBuf>,
}

/// [`Severity`] as the command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SeverityArg {
    Critical,
    High,
    Medium,
    Low,
}

impl From<SeverityArg> for Severity {
    fn from(arg: SeverityArg) -> Self {
        match arg {
            SeverityArg::Critical => Self::Critical,
            SeverityArg::High => Self::High,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::Low => Self::Low,
        }
    }
}

/// An id of the catalogue, in any case.
fn control(text: &str) -> Result<&'static str, String> {
    let known = CONTROLS.iter().map(|control| control.id).find(|id| id.eq_ignore_ascii_case(text));
    known.ok_or_else(|| {
        let all: Vec<_> = CONTROLS.iter().map(|control| control.id).collect();
        format!("there is no such control; this version has {}", all.join(", "))
    })
}

/// What was read, live or from a case.
struct Seen {
    session: SessionInfo,
    inventory: Inventory,
    calls: Vec<CallStats>,
    at: Timestamp,
    first_seen: BTreeMap<String, Timestamp>,
}

/// Runs it.
pub(super) fn run(target: &Target, args: &ScanArgs) -> Result<Exit, Trouble> {
    let seen = match &args.offline {
        Some(path) => offline(path)?,
        None => runtime()?.block_on(read(target))?,
    };
    let lineage = Lineage::of(&seen.inventory);
    let assessment = assess(&Context::of(&seen.inventory, &lineage, &seen.session, seen.at, &BTreeSet::new()));
    let assessment = chosen(assessment, args);
    let scan = Scan {
        session: &seen.session,
        at: seen.at,
        assessment: &assessment,
        coverage: &seen.inventory.coverage,
        calls: &seen.calls,
        first_seen: &seen.first_seen,
    };
    write(&scan, args)?;
    Ok(exit(&assessment, args.fail_on.into()))
}

async fn read(target: &Target) -> Result<Seen, Trouble> {
    let clock = Clock::System;
    let session = live::connect(target, None, &clock).await?;
    let mut inventory = Inventory::default();
    let mut progress = Progress::new();
    crate::source::live::read_once(&session, &[], |envelope: Envelope| {
        if let Message::Update(update) = envelope.message {
            progress.tell(&inventory);
            inventory.apply(*update);
        }
    })
    .await;
    progress.end();
    Ok(Seen {
        session: session.info().clone(),
        inventory,
        calls: session.calls(),
        at: clock.now(),
        first_seen: BTreeMap::new(),
    })
}

fn offline(path: &std::path::Path) -> Result<Seen, Trouble> {
    let case = super::case::open(path)?;
    let saved = super::case::latest(&case, path)?;
    Ok(Seen {
        at: saved.at,
        first_seen: first_seen(&case),
        session: saved.session,
        inventory: saved.inventory,
        calls: Vec::new(),
    })
}

fn first_seen(case: &Case) -> BTreeMap<String, Timestamp> {
    case.sightings().unwrap_or_default().into_iter().map(|sighting| (sighting.verdict, sighting.first_seen)).collect()
}

/// Only what was asked for. The severity filter never hides an Unknown: that would make a gap look
/// like a clean account.
fn chosen(mut assessment: Assessment, args: &ScanArgs) -> Assessment {
    let severities: Vec<Severity> = args.severity.iter().copied().map(Severity::from).collect();
    assessment.verdicts.retain(|verdict| {
        let control = args.controls.is_empty() || args.controls.contains(&verdict.control);
        let severity =
            severities.is_empty() || severities.contains(&verdict.severity) || verdict.status == Status::Unknown;
        control && severity
    });
    assessment
}

fn exit(assessment: &Assessment, fail_on: Severity) -> Exit {
    let failed = |v: &crate::posture::Verdict| v.status == Status::Fail && v.severity <= fail_on;
    if assessment.verdicts.iter().any(failed) {
        Exit::Findings
    } else if assessment.count(Status::Unknown) > 0 {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

fn write(scan: &Scan<'_>, args: &ScanArgs) -> Result<(), Trouble> {
    if args.output.as_os_str() == "-" {
        let mut out = io::BufWriter::new(io::stdout().lock());
        for format in &args.formats {
            format.write(scan, &mut out)?;
        }
        return Ok(out.flush()?);
    }
    let folder = &args.output;
    let failed = |what: &str, path: &std::path::Path, error: io::Error| {
        Trouble::new(Exit::Failure, format_args!("cannot {what} {}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, error))?;
    for format in &args.formats {
        let name = format!("bedwatch-{}-{}.{}", scan.session.account, scan.session.region, format.extension());
        let path = folder.join(name);
        let file = std::fs::File::create(&path).map_err(|error| failed("write", &path, error))?;
        let mut out = io::BufWriter::new(file);
        format.write(scan, &mut out).and_then(|()| out.flush()).map_err(|error| failed("write", &path, error))?;
        // Nobody may be listening; the report is written all the same.
        let _ = writeln!(io::stderr(), "wrote {}", path.display());
    }
    Ok(())
}

/// How far reading is: one line on stderr, drawn over, only when that is a terminal.
struct Progress {
    shown: bool,
}

impl Progress {
    fn new() -> Self {
        Self { shown: io::stderr().is_terminal() }
    }

    fn tell(&mut self, inventory: &Inventory) {
        if self.shown {
            let now = Clock::System.now();
            let (complete, all) = inventory.coverage.ratio(now);
            let width = 24;
            let bar = "#".repeat(complete * width / all.max(1));
            self.shown = write!(io::stderr(), "\r[{bar:<width$}] {complete}/{all} sources").is_ok();
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_checked_before_anything_is_read() {
        assert_eq!(control("cus-kms-01"), Ok("CUS-KMS-01"));
        assert!(control("CUS-KMS-99").unwrap_err().contains("CUS-KMS-01"));
    }
}
