//! A table for people: findings worst first, then what could not be judged, then the sums.
//! Fits 80 columns; a long reason goes on under its row, never off the edge.

use std::io;

use unicode_width::UnicodeWidthStr as _;

use super::{Report, Scan};
use crate::base::text::shorten_middle;
use crate::inventory::{SourceId, SourceState};
use crate::posture::{Framework, Status, Verdict, compliance, score};

const WIDTH: usize = 80;
/// Columns before the reason: severity, control, resource.
const INDENT: usize = 2;

/// Writes it.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for (at, scan) in report.scans.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        session(scan, out)?;
        if let Some(framework) = report.framework {
            requirements(scan, framework, out)?;
        }
    }
    for failure in &report.failures {
        writeln!(out, "\nNOT SCANNED {}", failure.place())?;
        for line in wrap(failure.error.as_str(), WIDTH - INDENT) {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
    }
    Ok(())
}

fn session(scan: &Scan<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let session = scan.session;
    let head = format!(
        "{}  account {} ({})  {}  {}Z",
        session.mode.badge(),
        session.account_name(),
        session.account,
        session.region,
        scan.at.minute()
    );
    for line in wrap(&head, WIDTH).into_iter().chain(wrap(&format!("as {}", session.principal), WIDTH)) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    let findings = scan.assessment.findings();
    if findings.is_empty() {
        writeln!(out, "No findings.")?;
    }
    for verdict in &findings {
        row(verdict, out)?;
    }
    let unknown: Vec<_> = scan.assessment.verdicts.iter().filter(|v| v.status == Status::Unknown).collect();
    if !unknown.is_empty() {
        writeln!(out)?;
        writeln!(out, "Not known (never counted as a pass):")?;
        for verdict in unknown {
            row(verdict, out)?;
        }
    }
    writeln!(out)?;
    let told = scan.by_status().into_iter().filter(|(status, count)| *status != Status::Muted || *count > 0);
    let sums: Vec<_> = told.map(|(status, count)| format!("{count} {}", status.word())).collect();
    let score = score::score(scan.whole).1.percent().map_or("-".into(), |score| score.to_string());
    writeln!(out, "{}   score {score}", sums.join("  "))?;
    for (what, mutes) in [("expired mute", &scan.mutes.expired), ("mute without use", &scan.mutes.unmatched)] {
        for mute in mutes {
            for line in wrap(&format!("{what}: {mute}"), WIDTH) {
                writeln!(out, "{line}")?;
            }
        }
    }
    coverage(scan, out)
}

fn requirements(scan: &Scan<'_>, framework: &Framework, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "\n{}", framework.name)?;
    for line in wrap(framework.limits, WIDTH - INDENT) {
        writeln!(out, "{:INDENT$}{line}", "")?;
    }
    for requirement in compliance::requirements(framework, scan.whole) {
        let mut lines = wrap(&requirement.controls.join(" "), WIDTH - 30).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(out, "{:<9}{:<21}{first}", requirement.status.word(), requirement.id)?;
        for line in lines {
            writeln!(out, "{:30}{line}", "")?;
        }
    }
    Ok(())
}

fn row(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let resource = format!("{} {}", verdict.resource.kind.word(), verdict.name);
    let mark = if verdict.status == Status::Fail { verdict.severity.word() } else { verdict.status.word() };
    writeln!(out, "{mark:<9}{:<12}{}", verdict.control, shorten_middle(&resource, WIDTH - 21))?;
    for line in wrap(verdict.reason.as_str(), WIDTH - INDENT) {
        writeln!(out, "{:INDENT$}{line}", "")?;
    }
    Ok(())
}

fn coverage(scan: &Scan<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let (complete, all) = scan.coverage().ratio(scan.at);
    writeln!(out, "coverage {complete}/{all} sources, {} calls", scan.calls.iter().map(|c| c.calls).sum::<u64>())?;
    let gaps = SourceId::all().filter(|source| {
        scan.coverage().expects(*source) && scan.coverage().state(*source, scan.at) != SourceState::Complete
    });
    for source in gaps {
        let state = scan.coverage().state(source, scan.at);
        writeln!(out, "  {:<10}{}", state.word(), source.name())?;
        if let Some(error) = scan.coverage().report(source).and_then(|report| report.error.as_ref()) {
            for line in wrap(&format!("{error}. {}", error.kind.advice_once()), WIDTH - 12) {
                writeln!(out, "{:12}{line}", "")?;
            }
        }
    }
    Ok(())
}

/// Breaks at spaces (runs of them become one); a word longer than a line is broken where the line ends.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        if used > 0 && used + 1 + word.width() > width {
            lines.push(String::new());
            used = 0;
        }
        while word.width() > width {
            let rest = split_off(&mut word, width);
            lines.last_mut().unwrap_or(&mut String::new()).push_str(&word);
            lines.push(String::new());
            word = rest;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            used += word.width();
            line.push_str(&word);
        }
    }
    lines
}

/// Cuts `word` after `width` cells and returns the rest.
fn split_off(word: &mut String, width: usize) -> String {
    use unicode_width::UnicodeWidthChar as _;
    let mut cells = 0;
    let cut = word.char_indices().find(|(_, c)| {
        cells += c.width().unwrap_or(0);
        cells > width
    });
    match cut {
        // why max: a first character wider than the line must still be taken, or this never ends.
        Some((at, c)) => word.split_off(at.max(if at == 0 { c.len_utf8() } else { at })),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a 1234567890 b", 5), ["a", "12345", "67890", "b"]);
        assert_eq!(wrap("", 5), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_is_lost(text in "[ -~]{0,300}", width in 1usize..90) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let squeeze = |s: &str| s.split_whitespace().collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }
    }
}
