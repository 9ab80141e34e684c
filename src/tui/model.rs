//! The state of the console. Only `update` changes it; `view` reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::config::Config;
use super::fixing::{Dialog, UndoList};
use super::input::Line;
use super::invoked::Invoked;
use super::journaled::Journaled;
use super::judged::{Judge, Judged};
use super::keymap::Keymap;
use super::list::{ListState, Subject};
use super::log::Log;
use super::matrix::{CellOf, Matrices, WhatIf};
use super::names::Names;
use super::palette::Palette;
use super::pane::Pane;
use super::theme::{Level, Theme};
use crate::base::text::safe;
use crate::base::{Clock, Generation, Text, Timestamp};
use crate::inventory::{Inventory, Lineage, Mode, ReadError, ResourceRef, SessionInfo, SourceId};
use crate::posture::Assessment;
use crate::posture::Expectations;
use crate::source::CallStats;

/// How the console is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// What tells the time.
    pub clock: Clock,
    /// What may be done, until the session says it.
    pub mode: Mode,
    /// A theme by name, before the configuration's.
    pub theme: Option<String>,
    /// Letters instead of marks.
    pub ascii: bool,
    /// No synchronized output.
    pub no_sync: bool,
    /// How many colours there are.
    pub level: Level,
    /// The folder of the configuration.
    pub folder: Option<PathBuf>,
    /// Whether the context is marked as production.
    pub production: bool,
    /// What is expected of the account.
    pub expect: Expectations,
    /// Whether judging may rest while much arrives: at a terminal; not where tests look at every step.
    pub patient: bool,
    /// What judges the inventory.
    pub judge: Judge,
}

impl Options {
    /// For this terminal: colours from the environment, configuration from its usual folder.
    pub fn new(clock: Clock, mode: Mode) -> Self {
        Self {
            clock,
            mode,
            theme: None,
            ascii: false,
            no_sync: false,
            level: Level::detect(|name| std::env::var(name).ok()),
            folder: super::config::folder(),
            production: false,
            expect: Expectations::default(),
            patient: false,
            judge: super::judged::judge,
        }
    }
}

/// Something open on top of a pane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A resource.
    Resource(ResourceRef),
    /// A finding, by its verdict's id.
    Finding(String),
    /// An event, by its id.
    Event(Text),
    /// An invocation, by its request id.
    Invocation(Text),
    /// A source of the inventory.
    Source(SourceId),
    /// An entry of the journal, by its number.
    Journal(usize),
    /// A resource as JSON.
    Raw(ResourceRef),
    /// The lineage of a resource, both ways.
    Lineage(ResourceRef),
    /// The network around a resource, drawn.
    Network(ResourceRef),
    /// A framework, by its id.
    Framework(&'static str),
    /// Who can do what on a resource.
    Access(ResourceRef),
    /// Why one of them can, or cannot.
    Cell(CellOf),
    /// What changed, what expires, what was not seen.
    Changes,
    /// What went wrong in this session.
    Errors,
    /// Who and where.
    Identity,
}

/// A place and how it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Where.
    pub place: Place,
    /// The line under the cursor.
    pub cursor: usize,
    /// The first line shown.
    pub scroll: usize,
    /// What is folded, by its path.
    pub folded: BTreeSet<String>,
}

impl Spot {
    /// A place seen from its top.
    pub fn new(place: Place) -> Self {
        Self { place, cursor: 0, scroll: 0, folded: BTreeSet::new() }
    }
}

/// A pane and what is open on it: one step of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The pane.
    pub pane: Pane,
    /// What is open on it, outermost first.
    pub stack: Vec<Spot>,
}

/// A way that a key led to a filtered list, for Esc to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where it began.
    pub from: Visit,
    /// The pane it led to.
    pub pane: Pane,
    /// The filter it set there.
    pub set: String,
    /// The filter that was there before.
    pub held: String,
}

/// What lies over the panes and takes the keys.
#[derive(Debug)]
pub enum Overlay {
    /// The keys; the first line shown.
    Help(usize),
    /// The palette.
    Palette(Palette),
    /// The filter of the list, being typed; and what it was before.
    Filter(Line, String),
    /// The fix dialog.
    Fix(Box<Dialog>),
    /// A policy or grants tried otherwise.
    WhatIf(Box<WhatIf>),
    /// What can be taken back.
    Undo(UndoList),
    /// Whether to look into content.
    Deep,
}

/// A sentence in the last line, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// When.
    pub at: Timestamp,
    /// What happened, to what, what to do.
    pub text: String,
}

/// The console.
#[derive(Debug)]
pub struct Model {
    /// How it was started.
    pub options: Options,
    /// Which key does what.
    pub keymap: Keymap,
    /// How things look.
    pub theme: Theme,
    /// Letters instead of marks.
    pub ascii: bool,
    /// How the clipboard is reached, if configured.
    pub clipboard: Option<String>,
    /// The time, as of the last message.
    pub now: Timestamp,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Which session is on screen; others' messages are dropped.
    pub generation: Generation,
    /// That session, once verified.
    pub session: Option<SessionInfo>,
    /// Why there is none.
    pub refused: Option<ReadError>,
    /// What exists. Shared with the questions that are being answered about it.
    pub inventory: Arc<Inventory>,
    /// How it hangs together.
    pub lineage: Lineage,
    /// What is right and wrong with it.
    pub assessment: Assessment,
    /// The assessment, indexed.
    pub judged: Judged,
    /// Who can do what, where somebody looked.
    pub matrices: Matrices,
    /// What its resources are called.
    pub names: Names,
    /// Who can become the role that is open.
    pub becomes: Option<super::become_role::Held>,
    /// What was done from here.
    pub journal: Journaled,
    /// What happened.
    pub log: Log,
    /// What of it could be suspect.
    pub watch: Arc<crate::activity::Watch>,
    /// Which models were called.
    pub invoked: Invoked,
    /// What the API calls cost.
    pub calls: BTreeMap<String, CallStats>,
    /// Whether a round of reading is under way.
    pub busy: bool,
    /// Whether reading is paused.
    pub paused: bool,
    /// Whether the source has gone.
    pub gone: bool,
    /// Counts changes of what lists show.
    pub revision: u64,
    /// The pane.
    pub pane: Pane,
    /// The list of each pane.
    pub lists: BTreeMap<Pane, ListState>,
    /// What is open on the pane, outermost first.
    pub stack: Vec<Spot>,
    /// Where we were.
    pub back: Vec<Visit>,
    /// Where we were before going back.
    pub forward: Vec<Visit>,
    /// How we came to a filtered list, the last way last.
    pub ways: Vec<Way>,
    /// Accounts that the configuration marks as production.
    pub(super) production: Vec<String>,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// A sentence in the last line.
    pub notice: Option<Notice>,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// What the box beside the list shows: what the cursor last rested on.
    pub previewed: Option<Subject>,
    /// Whether the cursor is being moved.
    pub moving: bool,
    /// Step of the spinner.
    pub spin: usize,
    /// Whether the screen must be drawn.
    pub dirty: bool,
    /// Whether the assessment is older than the inventory.
    pub(super) stale: bool,
    /// Where judging stands.
    pub(super) scales: super::weighing::Scales,
    /// What views need and must not work out anew.
    pub(super) held: super::held::Held,
    /// What the clock made visible last time it was drawn.
    pub(super) shown_age: String,
    pub(super) asked: Option<ResourceRef>,
    pub(super) pointed: Option<Subject>,
}

impl Model {
    /// A console that knows nothing yet.
    pub fn new(options: Options) -> Self {
        let config = options.folder.as_deref().map(Config::load).unwrap_or_default();
        Self::with_config(options, config)
    }

    /// The same with a configuration at hand.
    pub fn with_config(options: Options, config: Config) -> Self {
        let wanted = options.theme.clone().or(config.theme.clone());
        let theme = wanted.as_deref().map(|name| super::config::theme(options.folder.as_deref(), name, options.level));
        let (theme, bad_theme) = match theme {
            None => (Theme::fallback(options.level), None),
            Some(Ok(theme)) => (theme, None),
            Some(Err(why)) => (Theme::fallback(options.level), Some(why)),
        };
        let now = options.clock.now();
        let mut model = Self {
            keymap: config.keymap,
            theme,
            ascii: options.ascii || config.ascii,
            clipboard: config.clipboard,
            now,
            size: (80, 24),
            generation: Generation::default(),
            session: None,
            refused: None,
            inventory: Arc::default(),
            lineage: Lineage::default(),
            assessment: Assessment::default(),
            judged: Judged::default(),
            matrices: Matrices::default(),
            names: Names::default(),
            becomes: None,
            journal: Journaled::default(),
            log: Log::default(),
            watch: Arc::default(),
            invoked: Invoked::default(),
            calls: BTreeMap::new(),
            busy: true,
            paused: false,
            gone: false,
            revision: 1,
            pane: Pane::Posture,
            lists: Pane::ALL.iter().map(|pane| (*pane, ListState::default())).collect(),
            stack: Vec::new(),
            back: Vec::new(),
            forward: Vec::new(),
            ways: Vec::new(),
            production: config.production,
            overlay: None,
            notice: None,
            problems: Vec::new(),
            previewed: None,
            moving: false,
            spin: 0,
            dirty: true,
            stale: false,
            scales: super::weighing::Scales::default(),
            held: super::held::Held::default(),
            shown_age: String::new(),
            asked: None,
            pointed: None,
            options,
        };
        model.options.no_sync |= config.no_sync;
        for problem in config.problems.into_iter().chain(bad_theme) {
            model.fail(&problem);
        }
        model
    }

    /// Says that the screen shows the model as it is now.
    pub fn drawn(&mut self) {
        self.shown_age = self.age();
        self.dirty = false;
    }

    /// Notes something that went wrong, and says it in the last line.
    pub fn fail(&mut self, text: &str) {
        let text = safe(text).into_owned();
        self.notice = Some(Notice { text: text.clone(), bad: true });
        self.problems.push(Problem { at: self.now, text });
        // why a bound: a source that fails for days must not fill the memory.
        if self.problems.len() > 500 {
            self.problems.drain(..100);
        }
        self.dirty = true;
    }

    /// Says something in the last line.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: false });
        self.dirty = true;
    }

    /// What may be done here.
    pub fn mode(&self) -> Mode {
        self.session.as_ref().map_or(self.options.mode, |session| session.mode)
    }

    /// The list of the pane.
    pub fn list(&self) -> &ListState {
        // Every pane has one from the start.
        static NONE: std::sync::OnceLock<ListState> = std::sync::OnceLock::new();
        self.lists.get(&self.pane).unwrap_or_else(|| NONE.get_or_init(ListState::default))
    }

    /// The same, to change.
    pub fn list_mut(&mut self) -> &mut ListState {
        self.lists.entry(self.pane).or_default()
    }

    /// What a key press is about: what is open, else what is under the cursor. As of the last time
    /// everything was settled.
    pub fn subject(&self) -> Option<Subject> {
        self.pointed.clone()
    }

    /// The same, found anew: this builds the page that is open.
    pub(super) fn pointing(&self) -> Option<Subject> {
        match self.stack.last() {
            Some(spot) => super::page::under_cursor(self, spot).or_else(|| match &spot.place {
                Place::Resource(resource)
                | Place::Raw(resource)
                | Place::Lineage(resource)
                | Place::Network(resource) => Some(Subject::Resource(resource.clone())),
                Place::Framework(id) => Some(Subject::Framework(id)),
                Place::Finding(id) => Some(Subject::Finding(id.clone())),
                Place::Event(id) => Some(Subject::Event(id.clone())),
                Place::Invocation(id) => Some(Subject::Invocation(id.clone())),
                Place::Source(id) => Some(Subject::Source(*id)),
                Place::Access(of) => Some(super::matrix::subject(self, of)),
                Place::Cell(cell) => Some(Subject::Resource(cell.of.clone())),
                Place::Journal(number) => Some(Subject::Journal(*number)),
                Place::Changes | Place::Errors | Place::Identity => None,
            }),
            None => self.list().selected(),
        }
    }

    /// The resource that a key press is about.
    pub fn resource(&self) -> Option<ResourceRef> {
        match self.subject()? {
            Subject::Resource(resource) => Some(resource),
            Subject::Finding(id) => self.judged.verdict(&self.assessment, &id).map(|verdict| verdict.resource.clone()),
            Subject::Event(id) => {
                let event = self.log.event(&id)?;
                event.resources.iter().find_map(|id| self.resource_named(id))
            }
            Subject::Invocation(id) => super::pane::invocations::invoked(self, &self.invoked.get(&id)?.model),
            Subject::Journal(number) => Some(self.journal.get(number)?.fix()?.plan.target.clone()),
            Subject::Source(_) | Subject::Framework(_) => None,
        }
    }

    /// The resource of the inventory that an event or a policy names by ARN, id or name.
    pub fn resource_named(&self, id: &crate::base::ResourceId) -> Option<ResourceRef> {
        self.names.find(id).cloned()
    }

    /// What a person calls a resource.
    pub fn name_of(&self, reference: &ResourceRef) -> String {
        match reference.kind {
            // why whole: the last part of a prefix says nothing without its bucket.
            crate::inventory::Kind::Data => reference.id.to_string(),
            _ => self.inventory.name_of(reference),
        }
    }

    /// Age of the newest reading as the header shows it: coarse, so that it costs few bytes.
    pub fn age(&self) -> String {
        let Some(newest) = self.inventory.coverage.newest() else { return "-".into() };
        match self.now.secs_since(newest).max(0) {
            0..5 => "now".into(),
            secs @ 5..60 => format!("{}s", secs / 5 * 5),
            secs => crate::base::time::span(secs),
        }
    }
}
