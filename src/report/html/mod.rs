//! One self-contained page: nothing is loaded from anywhere, and its content policy allows only its own
//! script. Everything from outside goes through [`escaped`].

mod lineage;

use std::fmt::Write as _;
use std::io;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::{Report, Scan, control_of};
use crate::inventory::{SourceId, SourceState};
use crate::posture::{Area, Severity, Status, Verdict, compliance, score};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Rows that are there before anything runs. A browser needs about 0.2 ms to build one.
const AT_ONCE: usize = 200;
/// Rows that are built between two frames.
const BLOCK: usize = 100;

/// Writes it.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{hash}'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>bedwatch: model customization</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>bedwatch <span class=\"dim\">model customization</span></h1>\n"
    )?;
    for failure in &report.failures {
        let place = escaped(&failure.place());
        writeln!(out, "<p class=\"UNKNOWN\"><b>Not scanned: {place}</b> {}</p>", escaped(failure.error.as_str()))?;
    }
    for scan in &report.scans {
        out.write_all(summary(scan).as_bytes())?;
        if let Some(framework) = report.framework {
            out.write_all(requirements(scan, framework).as_bytes())?;
        }
        out.write_all(lineage::drawing(scan).as_bytes())?;
    }
    let mut verdicts: Vec<_> = report.verdicts().filter(|(_, v)| v.status != Status::NotApplicable).collect();
    verdicts.sort_by_key(|(_, v)| (rank(v.status), v.severity));
    out.write_all(filters(report, verdicts.len()).as_bytes())?;
    let (first, rest) = verdicts.split_at(verdicts.len().min(AT_ONCE));
    for (scan, verdict) in first {
        out.write_all(row(scan, verdict).as_bytes())?;
    }
    for block in rest.chunks(BLOCK) {
        // Text to the browser: it runs nothing of this type, and our script makes rows of it. No row holds `</script`,
        // because what comes from outside is escaped and our own markup has none.
        writeln!(out, "<script type=\"text/plain\" class=\"rows\">")?;
        for (scan, verdict) in block {
            out.write_all(row(scan, verdict).as_bytes())?;
        }
        writeln!(out, "</script>")?;
    }
    if !rest.is_empty() {
        writeln!(out, "<noscript><p>{} more need the page's script.</p></noscript>", rest.len())?;
    }
    for scan in &report.scans {
        out.write_all(coverage(scan).as_bytes())?;
    }
    writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// What must be acted on stands first.
fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Warn => 1,
        Status::Unknown => 2,
        Status::Muted => 3,
        Status::Pass => 4,
        Status::NotApplicable => 5,
    }
}

fn summary(scan: &Scan<'_>) -> String {
    let session = scan.session;
    let mut text = format!(
        "<h2>{} <span class=\"dim\">{} · {}</span></h2>\n<p class=\"dim\">Judged {}Z as <code>{}</code></p>\n",
        escaped(session.account_name()),
        escaped(session.account.as_str()),
        escaped(session.region.as_str()),
        scan.at.minute(),
        escaped(session.principal.as_str()),
    );
    let (areas, total) = score(scan.whole);
    let percent = total.percent().map_or("-".into(), |percent| percent.to_string());
    let _ = write!(text, "<p title=\"{}\">Score <b>{percent}</b> of 100", escaped(score::RULE));
    for (status, count) in scan.by_status() {
        let _ = write!(text, " · <span class=\"{}\">{count} {}</span>", status.word(), status.word().to_lowercase());
    }
    text.push_str("</p>\n<div class=\"areas\">\n");
    for area in areas {
        let in_area = |verdict: &&Verdict| control_of(verdict).is_some_and(|control| control.area == area.area);
        let open = scan.assessment.findings().into_iter().filter(in_area).count();
        let percent = area.score.percent();
        let _ = writeln!(
            text,
            "<span>{}</span><meter min=\"0\" max=\"100\" low=\"50\" high=\"80\" optimum=\"100\" value=\"{}\"></meter>\
             <span>{}</span><span class=\"dim\">{open} open{}</span>",
            area.area.word(),
            percent.unwrap_or(0),
            percent.map_or("-".into(), |percent| percent.to_string()),
            if area.score.unknown > 0 { format!(", {} not known", area.score.unknown) } else { String::new() },
        );
    }
    text.push_str("</div>\n");
    text
}

fn filters(report: &Report<'_>, all: usize) -> String {
    let mut text = format!(
        "<h2>Verdicts <span class=\"dim\" id=\"shown\" data-all=\"{all}\"></span></h2>\n<div class=\"filters\">"
    );
    text.push_str("<input id=\"text\" type=\"search\" placeholder=\"filter\" aria-label=\"filter by words\">");
    pick("status", Status::ALL.iter().filter(|s| **s != Status::NotApplicable).map(|s| s.word()), &mut text);
    pick("severity", Severity::ALL.iter().map(|severity| severity.word()), &mut text);
    pick("area", Area::ALL.iter().map(|area| area.word()), &mut text);
    let mut places: Vec<_> = report.scans.iter().map(place).collect();
    places.sort_unstable();
    if places.len() > 1 {
        pick("place", places.iter().map(String::as_str), &mut text);
    }
    text.push_str("</div>\n");
    text
}

fn pick<'a>(name: &str, options: impl Iterator<Item = &'a str>, text: &mut String) {
    let _ = write!(text, "<select name=\"{name}\" aria-label=\"{name}\"><option value=\"\">any {name}</option>");
    for option in options {
        let _ = write!(text, "<option>{}</option>", escaped(option));
    }
    text.push_str("</select>");
}

fn place(scan: &Scan<'_>) -> String {
    format!("{} {}", scan.session.account_name(), scan.session.region)
}

fn row(scan: &Scan<'_>, verdict: &Verdict) -> String {
    let status = verdict.status.word();
    let control = control_of(verdict);
    let area = control.map_or("", |control| control.area.word());
    let mut text = format!(
        "<details class=\"v\" data-status=\"{status}\" data-severity=\"{severity}\" data-area=\"{area}\" \
         data-place=\"{place}\"><summary><b class=\"{status}\">{status}</b><span>{severity}</span>\
         <span class=\"mono\">{id}</span><span>{kind} <b>{name}</b></span><span>{reason}</span></summary>\n<div>\n",
        severity = verdict.severity.word(),
        place = escaped(&place(scan)),
        id = verdict.control,
        kind = verdict.resource.kind.word(),
        name = escaped(verdict.name.as_str()),
        reason = escaped(verdict.reason.as_str()),
    );
    let _ = writeln!(
        text,
        "<p><b>{}</b> <span class=\"dim\">{}</span><br><code>{}</code></p>",
        escaped(verdict.title),
        verdict.code,
        escaped(verdict.resource.id.as_str())
    );
    if let Some(muted) = &verdict.muted {
        let parts = [&muted.description, &muted.owner, &muted.ticket];
        let about = parts.into_iter().flatten().map(|part| escaped(part.as_str())).collect::<Vec<_>>().join(" · ");
        let until = muted.expires.map(|end| format!(" until {}Z", end.minute())).unwrap_or_default();
        let _ = writeln!(text, "<p class=\"MUTED\">Accepted{until}: {about}</p>");
    }
    if !verdict.evidence.is_empty() {
        text.push_str("<table>");
        for fact in &verdict.evidence {
            let pointer = fact.pointer.as_deref().map(|at| format!(" <span class=\"dim\">{}</span>", escaped(at)));
            let _ = write!(
                text,
                "<tr><th>{}{}</th><td class=\"mono\">{}</td></tr>",
                escaped(fact.label.as_str()),
                pointer.unwrap_or_default(),
                escaped(fact.value.as_str())
            );
        }
        text.push_str("</table>\n");
    }
    if let Some(control) = control.filter(|_| verdict.status.is_finding()) {
        let _ = writeln!(
            text,
            "<p class=\"dim\">{}</p><p>{}</p><pre>{}</pre>",
            escaped(control.logic),
            escaped(control.remediation),
            escaped(control.cli)
        );
    }
    text.push_str("</div></details>\n");
    text
}

fn requirements(scan: &Scan<'_>, framework: &compliance::Framework) -> String {
    let mut text = format!("<h3>{}</h3>\n<p class=\"dim\">{}</p>\n<table>", framework.name, escaped(framework.limits));
    for requirement in compliance::requirements(framework, scan.whole) {
        let status = requirement.status.word();
        let _ = write!(
            text,
            "<tr><th>{}</th><td class=\"{status}\">{status}</td><td class=\"mono\">{}</td></tr>",
            escaped(requirement.id),
            requirement.controls.join(" ")
        );
    }
    text.push_str("</table>\n");
    text
}

fn coverage(scan: &Scan<'_>) -> String {
    let (complete, all) = scan.coverage().ratio(scan.at);
    let mut text = format!(
        "<h2>Coverage <span class=\"dim\">{}: {complete} of {all} sources</span></h2>\n<table>",
        escaped(&place(scan))
    );
    for source in SourceId::all().filter(|source| scan.coverage().expects(*source)) {
        let state = scan.coverage().state(source, scan.at);
        let error = scan.coverage().report(source).and_then(|report| report.error.as_ref());
        let why = error.map(|error| format!("{error}. {}", error.kind.advice_once())).unwrap_or_default();
        let class = if state == SourceState::Complete { "PASS" } else { "UNKNOWN" };
        let _ = write!(
            text,
            "<tr><td class=\"mono\">{}</td><td class=\"{class}\">{}</td><td>{}</td></tr>",
            source.name(),
            state.word(),
            escaped(&why)
        );
    }
    text.push_str("</table>\n");
    text
}

/// Text for element content and for quoted attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
