//! What `scan` is asked: which controls, which verdicts, which formats.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::near::hint;
use super::super::write::PushFlag;
use super::depth::DepthArgs;
use crate::inventory::SourceId;
use crate::posture::{CONTROLS, Control, Framework, Severity, Status, Verdict, compliance, framework};
use crate::report::Format;

/// What to judge and how to say it.
#[derive(Debug, Args)]
pub(in crate::cli) struct ScanArgs {
    /// Output formats
    #[arg(short = 'M', long = "output-formats", value_enum, value_delimiter = ',', default_value = "table")]
    pub(super) formats: Vec<Format>,
    /// Write the reports into this folder; `-` for standard output
    #[arg(short = 'o', long = "output-directory", value_name = "DIR", default_value = "-")]
    pub(super) output: PathBuf,
    /// Judge these controls only
    #[arg(short = 'c', long = "controls", value_name = "ID", value_delimiter = ',', value_parser = control)]
    controls: Vec<&'static str>,
    /// Do not judge these controls
    #[arg(short = 'e', long = "excluded-controls", value_name = "ID", value_delimiter = ',', value_parser = control)]
    excluded: Vec<&'static str>,
    /// Report findings of these severities only; an UNKNOWN is never left out
    #[arg(short = 's', long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    severity: Vec<Severity>,
    /// Show these verdicts only; the exit code is of all
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATUS")]
    status: Vec<StatusArg>,
    /// Judge the controls of a framework only, and report its requirements
    #[arg(long, value_name = "ID", value_parser = framework_arg)]
    pub(super) compliance: Option<&'static Framework>,
    /// Findings that are accepted: a mutelist in Prowler's form (YAML)
    #[arg(short = 'w', long = "mutelist-file", value_name = "FILE")]
    pub(super) mutes: Option<PathBuf>,
    /// Exit with 3 if a failure is at least this bad; warnings never count
    #[arg(long, value_enum, default_value = "low", value_name = "SEVERITY")]
    fail_on: Severity,
    #[command(flatten)]
    pub(super) depth: DepthArgs,
    /// Compare data and weights with the earlier looks that this case holds, and keep this one in it; the file is made
    /// if it is not there. For one account and region
    #[arg(long, value_name = "CASE", requires = "deep")]
    pub(super) history: Option<PathBuf>,
    /// Send the findings to AWS Security Hub of each account and region as well; takes --write
    #[arg(long, requires = "write", conflicts_with = "offline")]
    pub(super) push_security_hub: bool,
    #[command(flatten)]
    pub(super) write: PushFlag,
    /// List the controls (with -c, -e, -s and --compliance: those) and stop; `-M json` for programs
    #[arg(long, conflicts_with_all = ["list_compliance", "offline", "deep", "push_security_hub"])]
    pub(super) list_controls: bool,
    /// List the frameworks that --compliance takes, and stop
    #[arg(long, conflicts_with_all = ["offline", "deep", "push_security_hub"])]
    pub(super) list_compliance: bool,
    /// Judge a saved case instead of a live account
    #[arg(long, value_name = "CASE")]
    pub(super) offline: Option<PathBuf>,
}

impl ScanArgs {
    /// From how bad on a failure counts.
    pub(super) fn fail_on(&self) -> Severity {
        self.fail_on
    }

    /// Whether a verdict is of what was asked. The severity filter never hides an Unknown: that would
    /// make a gap look like a clean account.
    pub(super) fn wants(&self, verdict: &Verdict) -> bool {
        self.judges(verdict.control) && (verdict.status == Status::Unknown || self.is_severe(verdict.severity))
    }

    /// The controls that are asked for, by what is declared of them.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &'static Control> + use<'_> {
        self.judged().filter(|control| self.is_severe(control.severity))
    }

    /// The sources that are slow to read and that no control that is judged needs: CloudTrail grants two pages a second.
    pub(super) fn left_out(&self) -> Vec<SourceId> {
        let needed = |source: &SourceId| self.judged().any(|control| control.needs().any(|one| one == *source));
        [SourceId::EVENTS].into_iter().filter(|source| !needed(source)).collect()
    }

    fn judged(&self) -> impl Iterator<Item = &'static Control> + use<'_> {
        CONTROLS.iter().filter(|control| self.judges(control.id))
    }

    /// Whether a control was asked for.
    pub(super) fn judges(&self, id: &str) -> bool {
        let named = self.controls.is_empty() || self.controls.contains(&id);
        let mapped = self.compliance.is_none_or(|framework| framework.controls().any(|control| control.id == id));
        named && mapped && !self.excluded.contains(&id)
    }

    fn is_severe(&self, severity: Severity) -> bool {
        self.severity.is_empty() || self.severity.contains(&severity)
    }

    /// Whether controls were named one by one.
    pub(super) fn names_controls(&self) -> bool {
        !self.controls.is_empty()
    }

    /// Whether some verdicts of a control may be left out.
    pub(super) fn is_filtered(&self) -> bool {
        !self.severity.is_empty() || !self.status.is_empty()
    }

    /// Whether a verdict is to be shown.
    pub(super) fn shows(&self, verdict: &Verdict) -> bool {
        self.status.is_empty() || self.status.iter().any(|status| Status::from(*status) == verdict.status)
    }
}

/// [`Status`] as the command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum StatusArg {
    Fail,
    Warn,
    Unknown,
    Pass,
    Na,
    Muted,
}

impl From<StatusArg> for Status {
    fn from(arg: StatusArg) -> Self {
        match arg {
            StatusArg::Fail => Self::Fail,
            StatusArg::Warn => Self::Warn,
            StatusArg::Unknown => Self::Unknown,
            StatusArg::Pass => Self::Pass,
            StatusArg::Na => Self::NotApplicable,
            StatusArg::Muted => Self::Muted,
        }
    }
}

/// An id of the catalogue, in any case.
fn control(text: &str) -> Result<&'static str, String> {
    let ids = || CONTROLS.iter().map(|control| control.id);
    let known = ids().find(|id| id.eq_ignore_ascii_case(text));
    known.ok_or_else(|| {
        format!("there is no such control{}\n  to do: `bedwatch scan --list-controls` lists all", hint(text, ids()))
    })
}

fn framework_arg(text: &str) -> Result<&'static Framework, String> {
    framework(text).ok_or_else(|| {
        let ids = || compliance::FRAMEWORKS.iter().map(|framework| framework.id);
        let all: Vec<_> = ids().collect();
        format!("there is no such framework{}\n  there are {}", hint(text, ids()), all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_before_anything_is_read() {
        assert_eq!(control("cus-kms-01"), Ok("CUS-KMS-01"));
        assert!(control("CUS-KSM-01").unwrap_err().contains("did you mean CUS-KMS-01?"));
        assert!(control("nothing").unwrap_err().contains("--list-controls"));
        assert_eq!(framework_arg("GDPR").map(|framework| framework.id), Ok("gdpr"));
        assert!(framework_arg("iso").unwrap_err().contains("nist-800-53"));
        assert!(framework_arg("gpdr").unwrap_err().contains("did you mean gdpr?"));
    }
}
