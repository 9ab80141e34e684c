//! SARIF 2.1.0 (OASIS): one run of one tool, from rules and results in a shape that everything found can be put in.
//! Columns are left out where they are bytes: SARIF counts characters.

use std::io;

use serde_json::{Value, json};

use crate::base::Severity;
use crate::base::digest::sha256;

/// SARIF's word, and the `security-severity` (0.0 to 10.0) that code hosts sort by.
fn level(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("error", "9.5"),
        Severity::High => ("error", "8.0"),
        Severity::Medium => ("warning", "5.5"),
        Severity::Low => ("note", "3.0"),
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is.
    pub title: &'a str,
    /// What to do.
    pub help: &'a str,
    /// How bad.
    pub severity: Severity,
    /// Its class, its control.
    pub tags: Vec<&'a str>,
}

/// Where a result lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location<'a> {
    /// A path or URI; a member of an archive behind `!`.
    pub uri: &'a str,
    /// Line from 1.
    pub line: Option<u64>,
    /// Byte of the file from 0.
    pub byte: Option<u64>,
    /// A name inside the file: a field, a tensor, a policy statement.
    pub name: &'a str,
}

/// A result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Id of its rule.
    pub rule: &'a str,
    /// What is wrong here.
    pub message: String,
    /// Where.
    pub location: Location<'a>,
    /// What tells it from others of the same rule in the same place, over runs.
    pub key: &'a str,
    /// How bad it is here, if not as its rule says.
    pub severity: Option<Severity>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Run<'a> {
    /// Rules that have results; their order is that of the document.
    pub rules: Vec<Rule<'a>>,
    /// Results.
    pub results: Vec<Finding<'a>>,
    /// What could not be looked at. If there is any, the run did not succeed.
    pub gaps: Vec<String>,
}

/// Writes a document of these runs, indented, with a line end.
pub fn write(runs: &[Run<'_>], out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(runs)).map_err(io::Error::from)?;
    writeln!(out)
}

/// The document of these runs.
pub fn document(runs: &[Run<'_>]) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": runs.iter().map(Run::document).collect::<Vec<_>>(),
    })
}

impl Run<'_> {
    fn document(&self) -> Value {
        json!({
            "tool": {"driver": {
                "name": "bedwatch",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": self.gaps.is_empty(),
                "toolExecutionNotifications": self.gaps.iter()
                    .map(|gap| json!({"level": "error", "message": {"text": gap}})).collect::<Vec<_>>(),
            }],
            "results": self.results.iter().map(|result| self.result(result)).collect::<Vec<_>>(),
        })
    }

    fn result(&self, found: &Finding<'_>) -> Value {
        let index = self.rules.iter().position(|rule| rule.id == found.rule);
        let of_rule = index.and_then(|index| self.rules.get(index)).map_or(Severity::Medium, |rule| rule.severity);
        let severity = found.severity.unwrap_or(of_rule);
        let mut result = json!({
            "ruleId": found.rule,
            "level": level(severity).0,
            "message": {"text": found.message},
            "locations": [location(&found.location)],
            // why not the line: a line added above must not make an old finding a new one.
            "partialFingerprints": {"bedwatch/v1": sha256(format!(
                "{}\0{}\0{}\0{}", found.rule, found.location.uri, found.location.name, found.key
            ))},
        });
        if let Some(index) = index {
            result["ruleIndex"] = json!(index);
        }
        result
    }
}

fn rule(rule: &Rule<'_>) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.title},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": level(rule.severity).0},
        "properties": {"tags": rule.tags, "security-severity": level(rule.severity).1},
    })
}

fn location(place: &Location<'_>) -> Value {
    let (file, member) = place.uri.split_once('!').map_or((place.uri, None), |(file, member)| (file, Some(member)));
    let mut physical = json!({"artifactLocation": {"uri": uri(file)}});
    if let Some(line) = place.line.filter(|line| *line > 0) {
        physical["region"] = json!({"startLine": line});
    } else if let Some(byte) = place.byte.filter(|_| member.is_none()) {
        physical["region"] = json!({"byteOffset": byte, "byteLength": 0});
    }
    let mut location = json!({"physicalLocation": physical});
    let names: Vec<Value> = member
        .map(|member| json!({"name": member, "kind": "member"}))
        .into_iter()
        .chain((!place.name.is_empty()).then(|| json!({"name": place.name, "kind": "element"})))
        .collect();
    if !names.is_empty() {
        location["logicalLocations"] = json!(names);
    }
    location
}

/// A path as a URI reference (RFC 3986): what may not stand there is percent-encoded.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let relative = path.strip_prefix("./").unwrap_or(path);
    let (scheme, rest) = match relative.split_once("://") {
        Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) && !scheme.is_empty() => {
            relative.split_at(scheme.len() + 3)
        }
        _ if relative.starts_with('/') => ("file://", relative),
        _ => ("", relative),
    };
    rest.bytes().fold(scheme.to_owned(), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            _ => {
                // A write to a String cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
        uri
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, wanted) in [
            ("./a b/c.jsonl", "a%20b/c.jsonl"),
            ("/data/x.jsonl", "file:///data/x.jsonl"),
            ("s3://bucket/pre fix/k", "s3://bucket/pre%20fix/k"),
            ("c:d", "c%3Ad"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(uri(path), wanted);
        }
    }

    #[test]
    fn a_run_has_what_the_schema_requires() {
        let run = Run {
            rules: vec![Rule { id: "r", title: "t", help: "h", severity: Severity::High, tags: vec!["secret"] }],
            results: vec![
                Finding {
                    rule: "r",
                    message: "m".into(),
                    location: Location { uri: "f.jsonl", line: Some(3), byte: None, name: "prompt" },
                    key: "k",
                    severity: None,
                },
                Finding {
                    rule: "r",
                    message: "m".into(),
                    location: Location { uri: "m.pt!data.pkl", line: None, byte: Some(7), name: "" },
                    key: "k",
                    severity: None,
                },
            ],
            gaps: vec!["x was not read".into()],
        };
        let document = document(&[run]);
        let at = |pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(at("/version"), "2.1.0");
        assert_eq!(at("/runs/0/results/0/locations/0/physicalLocation/region/startLine"), 3);
        assert_eq!(at("/runs/0/results/0/level"), "error");
        assert_eq!(at("/runs/0/results/0/ruleIndex"), 0);
        assert_eq!(at("/runs/0/results/1/locations/0/physicalLocation/artifactLocation/uri"), "m.pt");
        assert_eq!(at("/runs/0/results/1/locations/0/logicalLocations/0/name"), "data.pkl");
        assert_eq!(at("/runs/0/invocations/0/executionSuccessful"), false);
        assert_ne!(at("/runs/0/results/0/partialFingerprints"), at("/runs/0/results/1/partialFingerprints"));
    }
}
