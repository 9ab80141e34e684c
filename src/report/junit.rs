//! JUnit XML, in the shape that Surefire made common: a suite a session and area, a case a verdict.
//! A Fail is a failure, an Unknown an error (it is not known to be well), Muted and not applicable are
//! skipped. A Warn passes, as it does for the exit code, and says so in the case's output.

use std::io;

use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::{Writer, writer::ElementWriter};

use super::{Report, Scan, evidence_line};
use crate::posture::{Area, Status, Verdict, control};

/// Writes it.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all: Vec<_> = report.verdicts().map(|(_, verdict)| verdict).collect();
    sums(xml.create_element("testsuites").with_attribute(("name", "bedwatch")), &all).write_inner_content(|xml| {
        for scan in &report.scans {
            for area in Area::ALL {
                suite(scan, area, xml)?;
            }
        }
        Ok(())
    })?;
    drop(xml);
    writeln!(out)
}

fn suite<W: io::Write>(scan: &Scan<'_>, area: Area, xml: &mut Writer<W>) -> io::Result<()> {
    let here = |verdict: &&Verdict| control(verdict.control).is_some_and(|control| control.area == area);
    let verdicts: Vec<_> = scan.assessment.verdicts.iter().filter(here).collect();
    if verdicts.is_empty() {
        return Ok(());
    }
    let name = clean(&format!("{} {} {}", scan.session.account, scan.session.region, area.word()));
    let element = xml.create_element("testsuite").with_attribute(("name", name.as_str()));
    // Surefire's timestamp has no zone.
    let at = scan.at.to_string();
    let element = element.with_attribute(("timestamp", at.trim_end_matches('Z')));
    sums(element, &verdicts).write_inner_content(|xml| {
        for verdict in &verdicts {
            case(verdict, xml)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn sums<'w, W: io::Write>(element: ElementWriter<'w, W>, verdicts: &[&Verdict]) -> ElementWriter<'w, W> {
    let count = |is: fn(Status) -> bool| verdicts.iter().filter(|verdict| is(verdict.status)).count().to_string();
    element
        .with_attribute(("tests", count(|_| true).as_str()))
        .with_attribute(("failures", count(|status| status == Status::Fail).as_str()))
        .with_attribute(("errors", count(|status| status == Status::Unknown).as_str()))
        .with_attribute(("skipped", count(is_skipped).as_str()))
        .with_attribute(("time", "0"))
}

fn is_skipped(status: Status) -> bool {
    matches!(status, Status::NotApplicable | Status::Muted)
}

fn case<W: io::Write>(verdict: &Verdict, xml: &mut Writer<W>) -> io::Result<()> {
    let name = clean(&format!("{} [{} {}]", verdict.title, verdict.resource.kind.word(), verdict.name));
    let reason = clean(verdict.reason.as_str());
    let element = xml
        .create_element("testcase")
        .with_attribute(("classname", verdict.control))
        .with_attribute(("name", name.as_str()))
        .with_attribute(("time", "0"));
    let outcome = match verdict.status {
        Status::Fail => Some(("failure", verdict.severity.word())),
        Status::Unknown => Some(("error", "UNKNOWN")),
        status if is_skipped(status) => Some(("skipped", "")),
        _ => None,
    };
    match outcome {
        None if verdict.status == Status::Warn => element.write_inner_content(|xml| {
            let said = format!("WARN {}: {reason}", verdict.severity.word());
            xml.create_element("system-out").write_text_content(BytesText::new(&said))?;
            Ok(())
        })?,
        None => element.write_empty()?,
        Some((tag, kind)) => element.write_inner_content(|xml| {
            let mut inner = xml.create_element(tag).with_attribute(("message", reason.as_str()));
            if tag == "skipped" {
                inner.write_empty()?;
            } else {
                inner = inner.with_attribute(("type", kind));
                let body = clean(&format!("{}\n{}\n{}", verdict.resource.id, verdict.code, evidence_line(verdict)));
                inner.write_text_content(BytesText::new(&body))?;
            }
            Ok(())
        })?,
    };
    Ok(())
}

/// XML 1.0 has no way to write most control characters, not even as references.
fn clean(text: &str) -> String {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}
