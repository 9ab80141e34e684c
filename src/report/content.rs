//! Scans of training data and checks of model artefacts: table, JSON, SARIF. Everything shown is a mask already.

use std::io;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::sarif::{self, Finding, Location, Rule, Run};
use super::table::wrap;
use crate::base::figures::{bytes, grouped};
use crate::base::text::shorten_middle;
use crate::content::artefact;
use crate::content::data;
use crate::content::opinion;
use crate::content::{Findings, Hit};
use crate::inventory::opinion::Opinion;

const WIDTH: usize = 80;
/// Hits of one rule that the table lists.
const LISTED: usize = 10;

/// An output format of content reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ContentFormat {
    /// A table for people, 80 columns wide
    Table,
    /// JSON, schema bedwatch.data/1 or bedwatch.artifact/1
    Json,
    /// SARIF 2.1.0
    Sarif,
}

impl ContentFormat {
    /// Ending of a file in this format.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Json => "json",
            Self::Sarif => "sarif",
        }
    }
}

/// A report of content.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Training data.
    Data(&'a data::Report),
    /// Folders of model artefacts.
    Artefacts(&'a [artefact::Report]),
}

impl Content<'_> {
    /// Writes it.
    pub fn write(self, format: ContentFormat, out: &mut dyn io::Write) -> io::Result<()> {
        match (format, self) {
            (ContentFormat::Table, Self::Data(report)) => data_table(report, out),
            (ContentFormat::Table, Self::Artefacts(reports)) => {
                reports.iter().try_for_each(|report| artefact_table(report, out))
            }
            (ContentFormat::Json, content) => {
                serde_json::to_writer_pretty(&mut *out, &content.document()).map_err(io::Error::from)?;
                writeln!(out)
            }
            (ContentFormat::Sarif, content) => content.sarif(out),
        }
    }

    fn document(self) -> Value {
        match self {
            Self::Data(report) => json!({
                "schema": "bedwatch.data/1",
                "complete": report.is_complete(),
                "digests_comparable": report.comparable,
                "summary": summary(&report.findings),
                "repetition": report.repetition,
                "files": report.files,
                "hits": report.findings.hits().iter().map(hit).collect::<Vec<_>>(),
                "hits_cut": report.findings.is_cut(),
                "second_opinion": report.opinion,
            }),
            Self::Artefacts(reports) => json!({
                "schema": "bedwatch.artifact/1",
                "complete": reports.iter().all(artefact::Report::is_complete),
                "folders": reports.iter().map(|report| json!({
                    "uri": report.uri,
                    "complete": report.is_complete(),
                    "summary": summary(&report.findings),
                    "files": report.files,
                    "hits": report.findings.hits().iter().map(hit).collect::<Vec<_>>(),
                    "hits_cut": report.findings.is_cut(),
                })).collect::<Vec<_>>(),
            }),
        }
    }

    fn sarif(self, out: &mut dyn io::Write) -> io::Result<()> {
        let findings: Vec<&Findings> = match self {
            Self::Data(report) => vec![&report.findings],
            Self::Artefacts(reports) => reports.iter().map(|report| &report.findings).collect(),
        };
        let mut run = Run { gaps: self.gaps(), ..Run::default() };
        for (rule, _) in findings.iter().flat_map(|findings| findings.counts()) {
            if run.rules.iter().all(|known| known.id != rule.id) {
                let tags = vec!["security", rule.class.word(), rule.control];
                run.rules.push(Rule {
                    id: rule.id,
                    title: rule.title,
                    help: rule.advice,
                    severity: rule.severity,
                    tags,
                });
            }
        }
        let hits = findings.iter().flat_map(|findings| findings.hits());
        run.results = hits
            .map(|hit| Finding {
                rule: hit.rule.id,
                message: format!("{}: {}", hit.rule.title, hit.shown),
                location: Location {
                    uri: hit.place.uri.as_str(),
                    line: hit.place.line,
                    byte: hit.place.column.filter(|_| hit.place.line.is_none()),
                    name: hit.place.field.as_str(),
                },
                key: if hit.digest.as_str().starts_with("sha256:") { hit.digest.as_str() } else { hit.shown.as_str() },
                severity: None,
            })
            .collect();
        sarif::write(&[run], out)
    }

    /// What was not looked at.
    fn gaps(self) -> Vec<String> {
        match self {
            Self::Data(report) => {
                let stopped =
                    report.files.iter().filter_map(|file| Some(format!("{}: {}", file.uri, file.stopped.as_ref()?)));
                let opinion = report.opinion.iter().flat_map(|opinion| {
                    let failed = opinion.error.as_ref().map(ToString::to_string);
                    let left = format!("{} texts were not sent to Amazon Comprehend", opinion.left_over);
                    failed.into_iter().chain((opinion.left_over > 0).then_some(left))
                });
                stopped
                    .chain(opinion)
                    .chain(
                        report.cut.then(|| "a text held more than could be told apart: counts are too low".to_owned()),
                    )
                    .collect()
            }
            Self::Artefacts(reports) => reports
                .iter()
                .flat_map(|report| {
                    let failed =
                        report.files.iter().filter_map(|file| Some(format!("{}: {}", file.path, file.error.as_ref()?)));
                    failed
                        .chain(report.cut.then(|| format!("{}: there are more files than were looked at", report.uri)))
                })
                .collect(),
        }
    }
}

fn summary(findings: &Findings) -> Value {
    let rows = findings.counts().into_iter().map(|(rule, count)| {
        json!({
            "rule": rule.id, "class": rule.class, "severity": rule.severity, "title": rule.title,
            "advice": rule.advice, "control": rule.control, "count": count,
        })
    });
    rows.collect()
}

fn hit(hit: &Hit) -> Value {
    let mut value = json!(hit);
    value["severity"] = json!(hit.rule.severity);
    value["class"] = json!(hit.rule.class);
    value
}

fn data_table(report: &data::Report, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{} files, {} records, {}", report.files.len(), grouped(report.records()), bytes(report.bytes()))?;
    for file in &report.files {
        let shapes: Vec<String> =
            file.shapes.iter().map(|(shape, count)| format!("{} {}", grouped(*count), shape.word())).collect();
        writeln!(out, "  {}", shorten_middle(file.uri.as_str(), WIDTH - 2))?;
        for line in wrap(&format!("{}: {}", bytes(file.bytes), shapes.join(", ")), WIDTH - 4) {
            writeln!(out, "    {line}")?;
        }
    }
    listed(&report.findings, out)?;
    let repetition = report.repetition;
    for (count, what) in [
        (repetition.records, "records stand there again"),
        (repetition.conflicts, "questions have another answer elsewhere"),
    ] {
        if count.approximate {
            writeln!(out, "about {} {what} (estimated from a sample)", grouped(count.count))?;
        }
    }
    if repetition.triggers.approximate {
        writeln!(out, "rare phrases were dropped from the search for triggers: the data is large")?;
    }
    if let Some(opinion) = &report.opinion {
        second(opinion, out)?;
    }
    unseen(Content::Data(report), out)
}

/// The second opinion: kinds by object, the first hits, and how it stands to ours.
fn second(opinion: &Opinion, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out)?;
    let asked = format!(
        "Amazon Comprehend, on {} of text (for about {}): {}",
        bytes(opinion.bytes),
        opinion::spent(opinion),
        opinion.counted()
    );
    for line in wrap(&asked, WIDTH) {
        writeln!(out, "{line}")?;
    }
    for (object, kinds) in &opinion.objects {
        let kinds = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ");
        for line in wrap(&format!("{}: {kinds}", shorten_middle(object.as_str(), 44)), WIDTH - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    for hit in opinion.hits.iter().take(LISTED) {
        for line in wrap(&format!("{}: {} {} {}", hit.place(), hit.rule, hit.shown, hit.digest), WIDTH - 4) {
            writeln!(out, "    {line}")?;
        }
    }
    if opinion.hits.len() > LISTED {
        writeln!(out, "    and more")?;
    }
    for line in wrap(&opinion.compared(), WIDTH - 2) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn artefact_table(report: &artefact::Report, out: &mut dyn io::Write) -> io::Result<()> {
    let size = report.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
    writeln!(out, "{}", shorten_middle(report.uri.as_str(), WIDTH))?;
    writeln!(out, "{} files, {}", report.files.len(), bytes(size))?;
    for file in report.files.iter().take(200) {
        writeln!(
            out,
            "  {:<14}{:>9}  {}",
            file.kind.word(),
            bytes(file.bytes),
            shorten_middle(file.path.as_str(), WIDTH - 27)
        )?;
    }
    if report.files.len() > 200 {
        writeln!(out, "  and {} more", report.files.len() - 200)?;
    }
    listed(&report.findings, out)?;
    unseen(Content::Artefacts(std::slice::from_ref(report)), out)
}

fn listed(findings: &Findings, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out)?;
    let counts = findings.counts();
    if counts.is_empty() {
        writeln!(out, "Nothing found.")?;
    }
    for (rule, count) in counts {
        writeln!(out, "{:<9}{} ({})", rule.severity.word(), rule.id, grouped(count))?;
        for line in wrap(&format!("{}. {}", rule.title, rule.advice), WIDTH - 2) {
            writeln!(out, "  {line}")?;
        }
        let hits: Vec<&Hit> = findings.hits().iter().filter(|hit| hit.rule == rule).collect();
        for hit in hits.iter().take(LISTED) {
            row(hit, out)?;
        }
        if count > hits.len().min(LISTED) as u64 {
            writeln!(out, "    and {} more", grouped(count - hits.len().min(LISTED) as u64))?;
        }
    }
    Ok(())
}

fn row(hit: &Hit, out: &mut dyn io::Write) -> io::Result<()> {
    let place = &hit.place;
    let at = match (place.line, place.column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        (None, Some(byte)) => format!(" byte {byte}"),
        (None, None) => String::new(),
    };
    let field = if place.field.is_empty() { String::new() } else { format!("  {}", place.field) };
    let room = (WIDTH - 4).saturating_sub(at.width());
    let uri = shorten_middle(place.uri.as_str(), room.min(44)).into_owned();
    let first = format!("{uri}{at}{}", shorten_middle(&field, (WIDTH - 4).saturating_sub(uri.width() + at.width())));
    writeln!(out, "    {first}")?;
    for line in wrap(format!("{}  {}", hit.shown, hit.digest).trim(), WIDTH - 6) {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

fn unseen(content: Content<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let gaps = content.gaps();
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "Not looked at (never counted as clean):")?;
    for gap in gaps {
        for line in wrap(&gap, WIDTH - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::content::Masks;

    fn report() -> data::Report {
        let mut scanner = data::Scanner::new(data::Options::default(), Masks::keyed(b"test"));
        let mut text = String::new();
        for n in 0..12 {
            writeln!(text, "{{\"prompt\":\"write to user{n}@corp.io\",\"completion\":\"no {n}\"}}").unwrap();
        }
        text += "{\"prompt\":\"broken";
        scanner.file("train/a.jsonl", text.as_bytes(), &mut |_| {});
        scanner.unreadable("train/b.jsonl", "permission denied");
        scanner.finish()
    }

    fn written(format: ContentFormat) -> String {
        let mut out = Vec::new();
        Content::Data(&report()).write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_fits_and_says_what_was_not_seen() {
        let table = written(ContentFormat::Table);
        assert!(table.lines().all(|line| line.width() <= WIDTH), "{table}");
        for said in [
            "2 files, 13 records",
            "pii-email (12)",
            "and 2 more",
            "train/a.jsonl:1:21",
            "schema-json (1)",
            "permission denied",
            "never counted as clean",
        ] {
            assert!(table.contains(said), "no '{said}' in\n{table}");
        }
        assert!(!table.contains("corp.io"));
    }

    #[test]
    fn json_and_sarif_agree_on_the_hits() {
        let json: Value = serde_json::from_str(&written(ContentFormat::Json)).unwrap();
        let sarif: Value = serde_json::from_str(&written(ContentFormat::Sarif)).unwrap();
        assert_eq!(json["schema"], "bedwatch.data/1");
        assert_eq!(json["complete"], false);
        let hits = json["hits"].as_array().unwrap();
        assert_eq!(hits.len(), sarif["runs"][0]["results"].as_array().unwrap().len());
        assert_eq!(hits[0]["rule"], "pii-email");
        assert_eq!(hits[0]["place"]["line"], 1);
        assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
        assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
    }
}
