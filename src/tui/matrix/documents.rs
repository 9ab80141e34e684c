//! The documents that statements stand in, and how they are shown with the deciding lines marked.

use std::ops::Range;

use crate::access::{self, Deciding, Identity, Layer, Policy, Target};
use crate::base::text::safe_lines;
use crate::inventory::{Document, Inventory};

/// A document with what decides in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it is: `key policy of orion-chat`.
    pub title: String,
    /// Its lines, safe to draw.
    pub lines: Vec<String>,
    /// The lines of the deciding statements.
    pub marked: Vec<Range<usize>>,
}

/// Lines around a statement that are shown of a long document.
const AROUND: usize = 3;
/// A document up to this long is shown whole.
const WHOLE: usize = 40;

impl Shown {
    /// A document with these statements marked (`/Statement/1`).
    pub fn of(title: String, document: &Document, pointers: &[&str]) -> Self {
        // why: a document on one line cannot be read; what has lines is shown as its writer laid it out.
        let laid = if document.raw().trim().contains('\n') {
            document.clone()
        } else {
            document.json().map_or_else(|_| document.clone(), |json| Document::pretty(&json))
        };
        let line_of = |byte: usize| laid.raw().get(..byte).map_or(0, |head| head.matches('\n').count());
        let statements = Policy::parse(&laid).map(|policy| policy.statements).unwrap_or_default();
        let mut marked: Vec<Range<usize>> = statements
            .iter()
            .filter(|statement| pointers.contains(&statement.pointer().as_str()) && !statement.span.is_empty())
            .map(|statement| line_of(statement.span.start)..line_of(statement.span.end.saturating_sub(1)) + 1)
            .collect();
        marked.dedup();
        Self { title, lines: safe_lines(laid.raw()).lines().map(str::to_owned).collect(), marked }
    }

    /// The parts that are shown, in order: `Ok` lines, `Err` how many are left out.
    pub fn parts(&self) -> Vec<Result<Range<usize>, usize>> {
        let count = self.lines.len();
        if count <= WHOLE || self.marked.is_empty() {
            return vec![Ok(0..count.min(WHOLE))]
                .into_iter()
                .chain((count > WHOLE).then(|| Err(count - WHOLE)))
                .collect();
        }
        let mut parts: Vec<Result<Range<usize>, usize>> = Vec::new();
        let mut at = 0;
        for marked in &self.marked {
            let (from, to) = (marked.start.saturating_sub(AROUND).max(at), (marked.end + AROUND).min(count));
            if from > at {
                parts.push(Err(from - at));
            }
            if to > from {
                parts.push(Ok(from..to));
            }
            at = at.max(to);
        }
        if at < count {
            parts.push(Err(count - at));
        }
        parts
    }
}

/// The documents of these statements, each once.
pub fn shown(inventory: &Inventory, target: &Target, identity: Option<&Identity>, by: &[Deciding]) -> Vec<Shown> {
    let mut layers: Vec<&Layer> = by.iter().map(|one| &one.layer).collect();
    layers.dedup();
    let mut found: Vec<Shown> = Vec::new();
    for layer in layers {
        let pointers: Vec<&str> =
            by.iter().filter(|one| one.layer == *layer).filter_map(|one| one.pointer.as_deref()).collect();
        if let Some((title, document)) = access::documents(inventory, target, identity, layer).into_iter().next()
            && !found.iter().any(|shown| shown.title == title)
        {
            found.push(Shown::of(title, document, &pointers));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow"},{"Sid":"B","Effect":"Deny"}]}"#;

    #[test]
    fn the_statement_is_marked_however_the_document_is_laid_out() {
        let spread = TWO.replace("},{", "},\n{");
        for raw in [TWO, &spread] {
            let shown = Shown::of("x".into(), &Document::new(raw), &["/Statement/1"]);
            let marked: String = shown.lines[shown.marked[0].clone()].concat();
            assert!(marked.contains("\"B\"") && !marked.contains("\"A\""), "{marked}");
        }
        let none = Shown::of("x".into(), &Document::new("not JSON\u{1b}[2J"), &["/Statement/0"]);
        assert!(none.marked.is_empty() && !none.lines[0].contains('\u{1b}'));
    }

    #[test]
    fn a_long_document_is_cut_to_what_decides() {
        let statement = |n: usize| serde_json::json!({"Sid": format!("S{n}"), "Effect": "Allow", "Action": ["a", "b"]});
        let json = serde_json::json!({"Statement": (0..30).map(statement).collect::<Vec<_>>()});
        let shown = Shown::of("x".into(), &Document::pretty(&json), &["/Statement/3", "/Statement/20"]);
        let (mut lines, mut hidden) = (0, 0);
        for part in shown.parts() {
            match part {
                Ok(range) => lines += range.len(),
                Err(count) => hidden += count,
            }
        }
        assert_eq!(lines + hidden, shown.lines.len());
        assert!(lines < 40, "{lines}");
        let whole: Vec<usize> = shown.parts().into_iter().filter_map(Result::ok).flatten().collect();
        assert!(shown.marked.iter().flat_map(Clone::clone).all(|line| whole.contains(&line)));
    }
}
