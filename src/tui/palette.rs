//! `:`: panes, actions and resources by any letters of their names.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::input::Line;
use super::keymap::{ACTIONS, Action, Context};
use super::model::{Model, Place};

/// What a line of the palette does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// An action of the table.
    Do(Action),
    /// Opens a place.
    Go(Place),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it does.
    pub choice: Choice,
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
}

impl Hit {
    /// What it is, with what follows region and account in an ARN: the rest is the same in all of them, and would
    /// fill the line.
    pub fn brief(&self) -> String {
        let Some(at) = self.what.find("arn:") else { return self.what.clone() };
        let (before, id) = self.what.split_at(at);
        format!("{before}{}", id.splitn(6, ':').nth(5).unwrap_or(id))
    }
}

/// The palette while it is open.
#[derive(Debug)]
pub struct Palette {
    /// What was typed.
    pub line: Line,
    /// What matches, best first.
    pub hits: Vec<Hit>,
    /// Which of them is chosen.
    pub cursor: usize,
    all: Vec<Hit>,
}

impl Palette {
    /// Everything there is to choose.
    pub fn open(model: &Model) -> Self {
        let mut all: Vec<Hit> = ACTIONS
            .iter()
            .filter(|entry| matches!(entry.context, Context::Everywhere | Context::List))
            .filter(|entry| !matches!(entry.action, Action::Palette | Action::Up | Action::Down | Action::Open))
            .map(|entry| {
                let key = model.keymap.hint(entry.action);
                let what = format!("{key:<9} {}", entry.help);
                Hit { choice: Choice::Do(entry.action), name: entry.name.to_owned(), what }
            })
            .collect();
        for reference in model.inventory.references() {
            let name = model.name_of(&reference);
            let what = format!("{} {}", reference.kind.word(), reference.id);
            all.push(Hit { choice: Choice::Go(Place::Resource(reference)), name, what });
        }
        all.push(Hit {
            choice: Choice::Do(Action::WhoCan),
            name: "access".to_owned(),
            what: "who can use what is under the cursor, by which statement".to_owned(),
        });
        for reference in model.inventory.references() {
            let Ok(of) = super::matrix::askable(&model.inventory, &reference) else { continue };
            let name = format!("access {}", model.name_of(&reference));
            let what = format!("who can use {} {}", reference.kind.word(), reference.id);
            all.push(Hit { choice: Choice::Go(Place::Access(of)), name, what });
        }
        let mut palette = Self { line: Line::default(), hits: Vec::new(), cursor: 0, all };
        palette.search();
        palette
    }

    /// Matches again after the line changed.
    pub fn search(&mut self) {
        let typed = self.line.text();
        self.cursor = 0;
        if typed.trim().is_empty() {
            let plain = self.all.iter().filter(|hit| !matches!(hit.choice, Choice::Go(Place::Access(_))));
            self.hits = plain.take(200).cloned().collect();
            return;
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(&typed, CaseMatching::Smart, Normalization::Smart);
        let mut scored: Vec<(u32, usize)> = Vec::new();
        let mut letters = Vec::new();
        // why only then: every key, model, bucket and role has one, and each stands in the list already.
        let access = typed.trim_start().starts_with("access");
        for (at, hit) in self.all.iter().enumerate() {
            if matches!(hit.choice, Choice::Go(Place::Access(_))) && !access {
                continue;
            }
            // why the name counts double: `keys` should find the pane before every ARN with a "key" in it.
            let name = pattern.score(Utf32Str::new(&hit.name, &mut letters), &mut matcher);
            let both = format!("{} {}", hit.name, hit.what);
            let all = pattern.score(Utf32Str::new(&both, &mut letters), &mut matcher);
            let exact = u32::from(hit.name == typed.trim()) * 1000;
            if let Some(score) = name.map(|score| score * 2 + exact).max(all) {
                scored.push((score, at));
            }
        }
        scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        self.hits = scored.into_iter().take(200).map(|(_, at)| self.all[at].clone()).collect();
    }

    /// Moves the choice.
    pub fn step(&mut self, down: bool) {
        let last = self.hits.len().saturating_sub(1);
        self.cursor = if down { (self.cursor + 1).min(last) } else { self.cursor.saturating_sub(1) };
    }

    /// What is chosen.
    pub fn chosen(&self) -> Option<Choice> {
        self.hits.get(self.cursor).map(|hit| hit.choice.clone())
    }
}
