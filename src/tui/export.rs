//! `w`: what is on screen as a file. Lists become CSV, records JSON, pages text. Nothing is written here: the
//! runtime does that.

use super::list::Subject;
use super::model::{Model, Place};
use super::{pane, record};
use crate::base::Timestamp;
use crate::base::text::{safe, safe_lines};

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name, without a folder.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// What that is, in words.
    pub what: String,
}

/// What is on screen: the marked rows of a list, else all that the filter left; what is open.
pub fn of(model: &Model) -> Option<Export> {
    let Some(spot) = model.stack.last() else { return list(model) };
    let page = super::held::page(model, spot);
    let (text, extension) = match &spot.place {
        Place::Raw(resource) => (format!("{:#}\n", record::of(model, resource)?), "json"),
        Place::Event(id) => (format!("{:#}\n", model.log.event(id)?.record), "json"),
        _ => (page.lines.iter().map(|line| line.text() + "\n").collect(), "txt"),
    };
    let text = safe_lines(&text).into_owned();
    Some(Export { name: name(&page.title, model.now, extension), text, what: safe(&page.title).into_owned() })
}

fn list(model: &Model) -> Option<Export> {
    let list = model.list();
    let columns = pane::columns(model.pane);
    let marked = !list.marked.is_empty();
    let rows: Vec<&Subject> = list.subjects.iter().filter(|subject| !marked || list.marked.contains(subject)).collect();
    if rows.is_empty() {
        return None;
    }
    let head = columns.iter().map(|column| if column.title.is_empty() { "STATUS" } else { column.title });
    let mut text = row(head.chain(["ID", "REASON"]));
    for subject in &rows {
        let cells = pane::cells(model, model.pane, subject);
        let (id, reason) = match subject {
            Subject::Resource(resource) => (resource.id.to_string(), String::new()),
            Subject::Finding(id) => {
                let verdict = model.judged.verdict(&model.assessment, id);
                (id.clone(), verdict.map(|verdict| verdict.reason.to_string()).unwrap_or_default())
            }
            Subject::Event(id) | Subject::Invocation(id) => (id.to_string(), String::new()),
            Subject::Source(id) => (id.name().to_owned(), String::new()),
            Subject::Journal(number) => (number.to_string(), String::new()),
            Subject::Framework(id) => ((*id).to_owned(), String::new()),
        };
        let texts = cells.iter().map(|cell| cell.text.as_str());
        text.push_str(&row(texts.chain([id.as_str(), reason.as_str()])));
    }
    let title = model.pane.title();
    let what = format!("{} {}{}", rows.len(), if marked { "marked lines of " } else { "lines of " }, title);
    Some(Export { name: name(title, model.now, "csv"), text, what })
}

/// A line of CSV (RFC 4180).
fn row<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    fields.map(field).collect::<Vec<_>>().join(",") + "\r\n"
}

/// One field. why the quote: a spreadsheet takes what begins like this as a formula, and names come from outside.
fn field(text: &str) -> String {
    let text = safe(if text == "-" { "" } else { text });
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', ' ', '\n']) {
        return text.into_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// `bedwatch-findings-20261121T084111Z.csv`.
fn name(what: &str, at: Timestamp, extension: &str) -> String {
    let plain: String = what.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let words: String = words.join("-").chars().take(60).collect();
    let stamp: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    format!("bedwatch-{words}-{stamp}Z.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_quotes_are_defused() {
        for (text, csv) in [
            ("plain", "plain"),
            ("-", ""),
            ("two words", "\"two words\""),
            ("say \"x\", y", "\"say \"\"x\"\", y\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("esc\u{1b}[2J", "esc␛[2J"),
        ] {
            assert_eq!(field(text), csv);
        }
    }

    #[test]
    fn names_are_plain() {
        let at: Timestamp = "2026-11-21T08:41:11Z".parse().unwrap();
        assert_eq!(name("../Etc pass/wd", at, "csv"), "bedwatch-etc-pass-wd-20261121T084111Z.csv");
    }
}
