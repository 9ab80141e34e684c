//! CSV with the header names of Prowler where the concepts match, so that what reads Prowler's files
//! reads these. Separated by semicolons, as Prowler's are; quoted by RFC 4180.

use std::io;

use super::{Report, Scan, control_of, evidence_line};
use crate::posture::{Status, Verdict};

/// A column: its name, and how its cell is made.
type Column = (&'static str, fn(&Scan<'_>, &Verdict) -> String);

const COLUMNS: &[Column] = &[
    ("TIMESTAMP", |scan, _| scan.at.to_string()),
    ("ACCOUNT_UID", |scan, _| scan.session.account.to_string()),
    ("ACCOUNT_NAME", |scan, _| scan.session.account_name().to_owned()),
    ("FINDING_UID", |scan, verdict| scan.uid(verdict)),
    ("PROVIDER", |_, _| "aws".into()),
    ("CHECK_ID", |_, verdict| verdict.control.into()),
    ("CHECK_TITLE", |_, verdict| verdict.title.into()),
    ("STATUS", |_, verdict| verdict.status.word().into()),
    ("STATUS_EXTENDED", |_, verdict| verdict.reason.to_string()),
    ("MUTED", |_, verdict| if verdict.status == Status::Muted { "True" } else { "False" }.into()),
    ("SERVICE_NAME", |_, _| "bedrock".into()),
    ("SUBSERVICE_NAME", |_, verdict| control_of(verdict).map_or("", |control| control.area.word()).to_lowercase()),
    ("SEVERITY", |_, verdict| verdict.severity.word().to_lowercase()),
    ("RESOURCE_TYPE", |_, verdict| verdict.resource.kind.word().into()),
    ("RESOURCE_UID", |_, verdict| verdict.resource.id.to_string()),
    ("RESOURCE_NAME", |_, verdict| verdict.name.to_string()),
    ("RESOURCE_DETAILS", |_, verdict| evidence_line(verdict)),
    ("PARTITION", |scan, _| scan.session.partition.to_string()),
    ("REGION", |scan, _| scan.session.region.to_string()),
    ("DESCRIPTION", |_, verdict| control_of(verdict).map_or("", |control| control.logic).into()),
    ("REMEDIATION_RECOMMENDATION_TEXT", |_, verdict| control_of(verdict).map_or("", |c| c.remediation).into()),
    ("REMEDIATION_CODE_CLI", |_, verdict| control_of(verdict).map_or("", |control| control.cli).into()),
    ("COMPLIANCE", |_, verdict| compliance(verdict)),
    ("CATEGORIES", |_, _| "gen-ai".into()),
    ("RELATED_TO", |_, verdict| {
        verdict.related.iter().map(|other| other.id.to_string()).collect::<Vec<_>>().join(" | ")
    }),
    // Ours, at the end, where a reader by position does not stumble.
    ("SUB_REASON", |_, verdict| verdict.code.into()),
    ("FIXES", |_, verdict| verdict.fixes.join(" | ")),
    ("FIRST_SEEN", |scan, verdict| scan.first_seen.get(&verdict.id).map(ToString::to_string).unwrap_or_default()),
];

/// Writes it: the header once, then a line a verdict.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    line(out, COLUMNS.iter().map(|(name, _)| (*name).to_owned()))?;
    for (scan, verdict) in report.verdicts() {
        line(out, COLUMNS.iter().map(|(_, cell)| cell(scan, verdict)))?;
    }
    Ok(())
}

/// `NIST 800-53 r5: SC-12, SC-13 | HIPAA: …`, as Prowler joins them.
fn compliance(verdict: &Verdict) -> String {
    let Some(control) = control_of(verdict) else { return String::new() };
    let lines = control.compliance.iter().map(|(framework, ids)| format!("{framework}: {}", ids.join(", ")));
    lines.collect::<Vec<_>>().join(" | ")
}

fn line(out: &mut dyn io::Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<_> = cells.map(|cell| quoted(&disarmed(&cell))).collect();
    write!(out, "{}\r\n", cells.join(";"))
}

/// A spreadsheet runs a cell that begins like a formula; an apostrophe makes it text (OWASP, CSV injection).
fn disarmed(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains([';', '"', '\r', '\n', ',', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_separators_are_quoted() {
        for (cell, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1;2", "\"'-1;2\""),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(quoted(&disarmed(cell)), written);
        }
    }
}
