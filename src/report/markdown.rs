//! Markdown for a ticket or a CI summary: sums, findings worst first, what is not known, coverage.

use std::fmt::Write as _;
use std::io;

use super::{Report, Scan, control_of, evidence_line};
use crate::inventory::{SourceId, SourceState};
use crate::posture::{Status, Verdict, compliance, score};

/// Writes it.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = String::from("# bedwatch: model customization\n");
    for failure in &report.failures {
        let place = plain(&failure.place());
        let _ = writeln!(text, "\n> **Not scanned:** {place}: {}", plain(failure.error.as_str()));
    }
    for scan in &report.scans {
        section(scan, &mut text);
        if let Some(framework) = report.framework {
            requirements(scan, framework, &mut text);
        }
    }
    out.write_all(text.as_bytes())
}

fn section(scan: &Scan<'_>, text: &mut String) {
    let session = scan.session;
    let score = score(scan.whole).1.percent().map_or("-".into(), |percent| percent.to_string());
    let _ = writeln!(
        text,
        "\n## {} ({}) · {}\n\nJudged {}Z as `{}`. Score **{score}** of 100.\n",
        plain(session.account_name()),
        plain(session.account.as_str()),
        plain(session.region.as_str()),
        scan.at.minute(),
        code(session.principal.as_str()),
    );
    let sums = scan.by_status();
    let _ = writeln!(text, "|{}", sums.iter().fold(String::new(), |row, (status, _)| row + " " + status.word() + " |"));
    let _ = writeln!(text, "|{}", "---:|".repeat(sums.len()));
    let _ = writeln!(text, "|{}", sums.iter().fold(String::new(), |row, (_, n)| format!("{row} {n} |")));
    table("Findings", &scan.assessment.findings(), text);
    let unknown: Vec<_> = scan.assessment.verdicts.iter().filter(|v| v.status == Status::Unknown).collect();
    table("Not known (never counted as a pass)", &unknown, text);
    details(scan, text);
    gaps(scan, text);
}

fn table(title: &str, verdicts: &[&Verdict], text: &mut String) {
    if verdicts.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n### {title}: {}\n", verdicts.len());
    text.push_str("| severity | status | control | resource | why | fix |\n|---|---|---|---|---|---|\n");
    for verdict in verdicts {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} {} | {} | {} |",
            verdict.severity.word().to_lowercase(),
            verdict.status.word(),
            verdict.control,
            verdict.resource.kind.word(),
            plain(verdict.name.as_str()),
            plain(verdict.reason.as_str()),
            verdict.fixes.join(" "),
        );
    }
}

/// What to do, once a control.
fn details(scan: &Scan<'_>, text: &mut String) {
    let findings = scan.assessment.findings();
    let mut told: Vec<&str> = Vec::new();
    for verdict in &findings {
        let Some(control) = control_of(verdict).filter(|control| !told.contains(&control.id)) else { continue };
        told.push(control.id);
        let _ = writeln!(text, "\n<details><summary>{}: {}</summary>\n", control.id, html_escaped(control.title));
        let _ = writeln!(
            text,
            "{}\n\n**What to do.** {}\n\n```sh\n{}\n```\n",
            control.logic, control.remediation, control.cli
        );
        for verdict in findings.iter().filter(|other| other.control == control.id) {
            let _ = writeln!(text, "- `{}`: {}", code(verdict.resource.id.as_str()), plain(&evidence_line(verdict)));
        }
        text.push_str("\n</details>\n");
    }
}

fn gaps(scan: &Scan<'_>, text: &mut String) {
    let (complete, all) = scan.coverage().ratio(scan.at);
    let _ = writeln!(text, "\n### Coverage: {complete} of {all} sources\n");
    let state = |source: &SourceId| scan.coverage().state(*source, scan.at);
    let gap = |source: &SourceId| scan.coverage().expects(*source) && state(source) != SourceState::Complete;
    for source in SourceId::all().filter(gap) {
        let error = scan.coverage().report(source).and_then(|report| report.error.as_ref());
        let why = error.map(|error| format!(": {error}. {}", error.kind.advice_once())).unwrap_or_default();
        let _ = writeln!(text, "- **{}** {}{}", state(&source).word(), source.name(), plain(&why));
    }
}

fn requirements(scan: &Scan<'_>, framework: &compliance::Framework, text: &mut String) {
    let _ = writeln!(
        text,
        "\n### {}\n\n{}\n\n| requirement | status | controls |\n|---|---|---|",
        framework.name, framework.limits
    );
    for requirement in compliance::requirements(framework, scan.whole) {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            plain(requirement.id),
            requirement.status.word(),
            requirement.controls.join(" ")
        );
    }
}

/// Text that Markdown and the HTML inside it leave alone, on one line.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => safe.extend(['\\', c]),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // why: an at sign or a bare address would notify people or link out of a ticket.
            '@' => safe.push_str("&#64;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe.replace("://", ":&#47;&#47;")
}

/// Text between single backticks.
fn code(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '`' {
                '\''
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_cannot_break_out() {
        assert_eq!(
            plain("a|b\n<img src=x> [x](http://e) @all"),
            "a\\|b &lt;img src=x&gt; \\[x\\](http:&#47;&#47;e) &#64;all"
        );
        assert_eq!(code("a`b"), "a'b");
    }
}
