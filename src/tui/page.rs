//! Pages: what opens from a list. Lines of spans with, where there is one, something to follow; the
//! page of a place is built from the model whenever it is drawn or walked.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthChar as _;
use unicode_width::UnicodeWidthStr as _;

use super::layout::{self, Strip};
use super::list::Subject;
use super::model::{Model, Place, Spot};
use super::pane::Pane;
use super::theme::Role;
use super::{lineage, matrix, pane, tree};

/// What Enter does on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Opens something.
    Go(Place),
    /// Folds or unfolds what has this path.
    Fold(String),
    /// Opens the fix dialog for the finding with this id.
    Fix(String),
    /// Shows what this filter leaves of a pane's list.
    Filter(Pane, String),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageLine {
    /// Its text, in pieces.
    pub spans: Vec<(Role, String)>,
    /// What Enter does.
    pub target: Option<Target>,
    /// What copying takes, where that is not the text.
    pub copy: Option<String>,
    /// A field and its value, to filter events by.
    pub field: Option<(String, String)>,
    /// What the key that folds folds here, where Enter does something else.
    pub fold: Option<String>,
}

impl PageLine {
    /// The text.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// What it is about, for the frame.
    pub title: String,
    /// A word of state beside the title.
    pub state: Option<(Role, String)>,
    /// Its lines.
    pub lines: Vec<PageLine>,
    width: usize,
}

/// How wide labels are.
const LABEL: usize = 12;

impl Page {
    /// An empty page of a width.
    pub fn new(title: impl Into<String>, width: usize) -> Self {
        Self { title: title.into(), state: None, lines: Vec::new(), width: width.max(16) }
    }

    /// How many cells a line has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A line of spans.
    pub fn line(&mut self, spans: Vec<(Role, String)>) -> &mut PageLine {
        self.lines.push(PageLine { spans, ..PageLine::default() });
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    /// An empty line, unless there is one.
    pub fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.spans.is_empty()) {
            self.lines.push(PageLine::default());
        }
    }

    /// A headline.
    pub fn head(&mut self, text: impl Into<String>) {
        self.gap();
        self.line(vec![(Role::Title, text.into())]);
    }

    /// Running text, wrapped.
    pub fn text(&mut self, role: Role, text: &str) {
        for line in wrap(text, self.width) {
            self.line(vec![(role, line)]);
        }
    }

    /// A label and a value, wrapped beside the label.
    pub fn field(&mut self, label: &str, role: Role, value: impl AsRef<str>) {
        self.field_to(label, role, value, None);
    }

    /// The same with something to follow.
    pub fn field_to(&mut self, label: &str, role: Role, value: impl AsRef<str>, target: Option<Target>) {
        let value = value.as_ref();
        // why: a label that fills its column would run into the value.
        let column = LABEL.max(label.width() + 1);
        for (row, part) in wrap(value, self.width.saturating_sub(column)).into_iter().enumerate() {
            let label = if row == 0 { label } else { "" };
            let fill = " ".repeat(column - label.width());
            let line = self.line(vec![(Role::Dim, format!("{label}{fill}")), (role, part)]);
            line.copy = Some(value.to_owned());
            if row == 0 {
                line.target.clone_from(&target);
            }
        }
    }

    /// Lines of code as they are; those in `marked` stand out.
    pub fn code(&mut self, text: &str, marked: &std::ops::Range<usize>) {
        for (row, line) in text.lines().enumerate() {
            let (role, bar) = if marked.contains(&row) { (Role::Match, "▸ ") } else { (Role::Dim, "  ") };
            for part in hard_wrap(line, self.width.saturating_sub(2)) {
                let spans = vec![(if bar == "▸ " { Role::High } else { Role::Dim }, bar.to_owned()), (role, part)];
                self.line(spans).copy = Some(line.trim().to_owned());
            }
        }
    }
}

/// Breaks text at words, and where a word is longer than a line within it. All lines keep the indent
/// of the first, as long as it leaves room.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let rest = text.trim_start_matches(' ');
    let indent = text.len() - rest.len();
    if indent > 0 && indent + 8 <= width && !rest.is_empty() {
        let indent = " ".repeat(indent);
        return wrap(rest, width - indent.len()).into_iter().map(|line| format!("{indent}{line}")).collect();
    }
    let width = width.max(4);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if word.width() > width {
            let mut parts = hard_wrap(word, width);
            let last = parts.pop().unwrap_or_default();
            lines.append(&mut parts);
            line = last;
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

pub(super) fn hard_wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(4);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for c in text.chars() {
        let cells = c.width().unwrap_or(0);
        if used + cells > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        line.push(c);
        used += cells;
    }
    lines.push(line);
    lines
}

/// The same for the box beside a list: lineage is a key press away.
pub fn preview(model: &Model, place: &Place, width: usize) -> Page {
    match place {
        Place::Resource(resource) => pane::resource(model, resource, width, true),
        other => build(model, other, &BTreeSet::new(), width),
    }
}

/// The page of a place.
pub fn build(model: &Model, place: &Place, folded: &BTreeSet<String>, width: usize) -> Page {
    match place {
        Place::Resource(resource) => pane::resource(model, resource, width, false),
        Place::Finding(id) => pane::findings::page(model, id, width),
        Place::Event(id) => pane::trail::page(model, id, folded, width),
        Place::Invocation(id) => pane::invocations::page(model, id, width),
        Place::Source(id) => pane::sources::page(model, *id, width),
        Place::Journal(number) => pane::journal::page(model, *number, width),
        Place::Lineage(resource) => lineage::page(model, resource, folded, width),
        Place::Network(resource) => pane::topology::page(model, resource, width),
        Place::Framework(id) => pane::compliance::page(model, id, width),
        Place::Access(of) => matrix::title(model, of, width),
        Place::Cell(cell) => matrix::page(model, cell, width),
        Place::Changes => pane::changes::page(model, width),
        Place::Errors => pane::session::errors(model, width),
        Place::Identity => pane::session::identity(model, width),
        Place::Raw(resource) => {
            let name = model.name_of(resource);
            let mut page = Page::new(format!("{name} as JSON"), width);
            match super::record::of(model, resource) {
                Some(json) => tree::draw(&mut page, &json, folded),
                None => page.text(Role::Dim, &format!("{resource} is not in the inventory (any more)")),
            }
            page
        }
    }
}

/// What the box beside the list shows, and in how many cells a line; none where there is no box or nothing to show.
pub fn beside(model: &Model) -> Option<(Place, usize)> {
    let areas = layout::areas(model.size)?;
    let strips = layout::parts(model.pane, areas.body).strips;
    let (_, area) = strips.into_iter().find(|(strip, _)| *strip == Strip::Preview)?;
    let subject = model.previewed.clone()?;
    // why all of them in Network: the drawing is what one is there for.
    let place = match &subject {
        Subject::Resource(of) if model.pane == Pane::Network => Place::Network(of.clone()),
        subject => super::navigate::place_of(subject),
    };
    Some((place, layout::inner(area).0))
}

/// What is under the cursor of a page, if it leads to something.
pub fn under_cursor(model: &Model, spot: &Spot) -> Option<Subject> {
    let page = super::held::page(model, spot);
    match page.lines.get(spot.cursor)?.target.as_ref()? {
        Target::Go(Place::Resource(resource) | Place::Lineage(resource) | Place::Network(resource)) => {
            Some(Subject::Resource(resource.clone()))
        }
        Target::Go(Place::Finding(id)) | Target::Fix(id) => Some(Subject::Finding(id.clone())),
        Target::Go(Place::Event(id)) => Some(Subject::Event(id.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_wraps_at_words() {
        assert_eq!(wrap("the key is used by one model", 12), ["the key is", "used by one", "model"]);
        assert_eq!(wrap("arn:aws:kms:us-east-1", 8), ["arn:aws:", "kms:us-e", "ast-1"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("  may Decrypt CreateGrant", 16), ["  may Decrypt", "  CreateGrant"]);
    }

    #[test]
    fn no_label_runs_into_its_value() {
        for label in ["", "key", "architecture", "dns hostnames", "security group"] {
            let mut page = Page::new("", 30);
            page.field(label, Role::Text, "true and several more words");
            let text = page.lines[0].text();
            assert!(text.starts_with(label) && text[label.len()..].starts_with(' '), "{text}");
            assert!(page.lines.iter().all(|line| line.text().width() <= 30), "{label}");
        }
    }

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_lose_nothing(text in "[a-z日 ]{0,200}", width in 4usize..60) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let squeeze = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }
    }
}
