//! What can be judged: the controls and the frameworks that they bear on, as a table or as JSON. Asks nobody.

use std::io;

use serde_json::{Value, json};

use super::table::wrap;
use crate::inventory::SourceId;
use crate::posture::compliance::FRAMEWORKS;
use crate::posture::{Control, Framework};

const WIDTH: usize = 80;
/// Columns before the title.
const INDENT: usize = 34;

/// What a control needs of a deep look, in a word.
fn deep(control: &Control) -> &'static str {
    match (control.is_deep(), control.needs().any(SourceId::is_deep)) {
        (true, _) => "always",
        (false, true) => "for more",
        (false, false) => "never",
    }
}

/// One row a control; with `detailed` all that the catalogue says of each.
pub fn controls(controls: &[&Control], detailed: bool, out: &mut dyn io::Write) -> io::Result<()> {
    if !detailed {
        writeln!(out, "{:<12}{:<10}{:<12}TITLE", "ID", "SEVERITY", "AREA")?;
    }
    for control in controls {
        let mark = match deep(control) {
            "always" => " (--deep only)",
            "for more" => " (more with --deep)",
            _ => "",
        };
        let title = format!("{}{mark}", control.title);
        let mut lines = wrap(&title, WIDTH - INDENT).into_iter();
        let head = format!("{:<12}{:<10}{:<12}", control.id, control.severity.word(), control.area.word());
        writeln!(out, "{head}{}", lines.next().unwrap_or_default())?;
        for line in lines {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
        if detailed {
            details(control, out)?;
        }
    }
    let needs_deep = controls.iter().filter(|control| control.is_deep()).count();
    let s = if controls.len() == 1 { "" } else { "s" };
    writeln!(out, "\n{} control{s}, {needs_deep} only with --deep", controls.len())?;
    if !detailed {
        writeln!(out, "One in full: --list-controls -c ID; all in full: --list-controls -M json")?;
    }
    Ok(())
}

fn details(control: &Control, out: &mut dyn io::Write) -> io::Result<()> {
    let list = |sources: &[SourceId]| sources.iter().map(|source| source.name()).collect::<Vec<_>>().join(", ");
    let sources = [control.lists, control.tables, control.details].concat();
    let compliance: Vec<String> =
        control.compliance.iter().map(|(framework, ids)| format!("{framework} {}", ids.join(" "))).collect();
    for (label, text) in [
        ("decides", control.logic.to_owned()),
        ("finds", control.reasons.join(", ")),
        ("reads", list(&sources)),
        ("bears on", compliance.join("; ")),
        ("to do", control.remediation.to_owned()),
        ("with", control.cli.to_owned()),
        ("fixes", if control.fixes.is_empty() { "none".to_owned() } else { control.fixes.join(", ") }),
    ] {
        for (at, line) in wrap(&text, WIDTH - 12).iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            writeln!(out, "  {label:<10}{line}")?;
        }
    }
    writeln!(out)
}

/// The same as JSON: `bedwatch.controls/1`.
pub fn controls_json(controls: &[&Control], out: &mut dyn io::Write) -> io::Result<()> {
    let names = |sources: &[SourceId]| sources.iter().map(|source| source.name()).collect::<Vec<_>>();
    let one = |control: &&Control| -> Value {
        let compliance: serde_json::Map<String, Value> =
            control.compliance.iter().map(|(framework, ids)| ((*framework).to_owned(), json!(ids))).collect();
        json!({
            "id": control.id,
            "severity": control.severity.word(),
            "area": control.area.word(),
            "title": control.title,
            "judges": control.what,
            "deep": deep(control),
            "sources": names(&[control.lists, control.tables, control.details].concat()),
            "reasons": control.reasons,
            "logic": control.logic,
            "remediation": control.remediation,
            "cli": control.cli,
            "fixes": control.fixes,
            "compliance": compliance,
        })
    };
    let all: Vec<Value> = controls.iter().map(one).collect();
    pretty(&json!({"schema": "bedwatch.controls/1", "controls": all}), out)
}

/// Every framework: its id, how many controls bear on it, and what it cannot attest.
pub fn frameworks(out: &mut dyn io::Write) -> io::Result<()> {
    for framework in FRAMEWORKS {
        writeln!(out, "{:<18}{:>3} controls  {}", framework.id, framework.controls().count(), framework.name)?;
        for line in wrap(framework.limits, WIDTH - 4) {
            writeln!(out, "    {line}")?;
        }
    }
    writeln!(out, "\nOne of them: --compliance ID; its controls: --list-controls --compliance ID")
}

/// The same as JSON: `bedwatch.compliance/1`.
pub fn frameworks_json(out: &mut dyn io::Write) -> io::Result<()> {
    let one = |framework: &Framework| {
        let controls: Vec<&str> = framework.controls().map(|control| control.id).collect();
        json!({"id": framework.id, "name": framework.name, "limits": framework.limits, "controls": controls})
    };
    let all: Vec<Value> = FRAMEWORKS.iter().map(one).collect();
    pretty(&json!({"schema": "bedwatch.compliance/1", "frameworks": all}), out)
}

fn pretty(document: &Value, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document).map_err(io::Error::from)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posture::CONTROLS;
    use unicode_width::UnicodeWidthStr as _;

    fn written(write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tables_name_everything_and_fit() {
        let all: Vec<&Control> = CONTROLS.iter().collect();
        for detailed in [false, true] {
            let table = written(|out| controls(&all, detailed, out));
            let wide: Vec<_> = table.lines().filter(|line| line.width() > WIDTH).collect();
            assert!(wide.is_empty(), "{wide:#?}");
            assert!(CONTROLS.iter().all(|control| table.contains(control.id)), "{table}");
            assert!(table.contains("CUS-DAT-09") && table.contains("--deep only"), "{table}");
        }
        let table = written(frameworks);
        assert!(FRAMEWORKS.iter().all(|framework| table.contains(framework.id) && table.contains(framework.name)));
        assert!(table.lines().all(|line| line.width() <= WIDTH), "{table}");
    }

    #[test]
    fn json_says_the_same() {
        let all: Vec<&Control> = CONTROLS.iter().collect();
        let document: Value = serde_json::from_str(&written(|out| controls_json(&all, out))).unwrap();
        let listed = document["controls"].as_array().unwrap();
        assert_eq!(listed.len(), CONTROLS.len());
        for (row, control) in listed.iter().zip(CONTROLS) {
            assert_eq!(row["id"], control.id);
            assert_eq!(row["deep"] == "always", control.is_deep());
            assert_eq!(row["sources"].as_array().unwrap().len(), control.needs().count());
            assert!(row["compliance"].as_object().unwrap().len() == control.compliance.len());
        }
        let document: Value = serde_json::from_str(&written(frameworks_json)).unwrap();
        assert_eq!(document["frameworks"].as_array().unwrap().len(), FRAMEWORKS.len());
    }
}
