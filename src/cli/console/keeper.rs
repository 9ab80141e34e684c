//! Stands between the source and the console: passes everything on, and keeps what must outlive
//! the session in its case. Knows no screen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::activity::Watch;
use crate::base::{Text, Timestamp};
use crate::case::{Case, CaseError, place};
use crate::inventory::{Inventory, Lineage, Mode, SessionInfo};
use crate::posture::{Context, Expectations, assess};
use crate::source::{Envelope, Memory, Message};

/// Seconds between two saved inventories.
const SAVE_EVERY: i64 = 300;
/// Saved inventories that are kept in the case of a session.
const KEPT: usize = 48;

/// What the keeper knows, for who carries effects out.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The verified session.
    pub session: Option<SessionInfo>,
    /// Its case.
    pub case: Option<Arc<Case>>,
    /// The inventory, as it came in.
    pub inventory: Inventory,
}

/// Shared knowledge.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Known>>);

impl Shared {
    /// Looks. Never held over an await.
    pub fn lock(&self) -> MutexGuard<'_, Known> {
        // why: every change of it is one assignment, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keeper.
#[derive(Debug)]
pub(super) struct Keeper {
    shared: Shared,
    saved: Option<Timestamp>,
    activity: Watch,
    expect: Expectations,
}

impl Keeper {
    /// A live session gets its own case, in its usual place; who replays a case puts that into [`Known`].
    pub fn new(expect: Expectations) -> Self {
        Self { shared: Shared::default(), saved: None, activity: Watch::default(), expect }
    }

    /// What it knows.
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Runs until the source or the console has gone.
    pub async fn run(mut self, mut from: mpsc::Receiver<Envelope>, to: mpsc::Sender<Envelope>) {
        while let Some(envelope) = from.recv().await {
            let extra = self.take(&envelope);
            let (generation, at) = (envelope.generation, envelope.at);
            if to.send(envelope).await.is_err() {
                break;
            }
            for message in extra {
                if to.send(Envelope { generation, at, message }).await.is_err() {
                    break;
                }
            }
        }
    }

    /// Takes note of a message; returns what the console should hear besides.
    fn take(&mut self, envelope: &Envelope) -> Vec<Message> {
        match &envelope.message {
            Message::Session(session) => {
                self.shared.lock().session = Some(session.clone());
                self.activity = Watch::default();
                self.open(session).unwrap_or_else(|error| vec![trouble("the journal cannot be opened", &error)])
            }
            Message::Update(update) => {
                self.shared.lock().inventory.apply((**update).clone());
                Vec::new()
            }
            Message::Events(events) => {
                self.activity.take(events);
                match self.live_case().map(|case| case.add_events(events)) {
                    Some(Err(error)) => vec![trouble("events are not kept", &error)],
                    _ => Vec::new(),
                }
            }
            Message::Invocations(invocations) => match self.live_case().map(|case| case.add_invocations(invocations)) {
                Some(Err(error)) => vec![trouble("invocations are not kept", &error)],
                _ => Vec::new(),
            },
            Message::Busy(false) => self.save(envelope.at),
            _ => Vec::new(),
        }
    }

    fn open(&mut self, session: &SessionInfo) -> Result<Vec<Message>, CaseError> {
        let case = match (session.mode, self.shared.lock().case.clone()) {
            (Mode::ReadOnly | Mode::Write, _) => {
                let case = Case::open_or_create(place::default_path(session)?)?;
                case.belongs_to(session)?;
                Arc::new(case)
            }
            (_, Some(case)) => case,
            (_, None) => return Ok(Vec::new()),
        };
        self.shared.lock().case = Some(Arc::clone(&case));
        Ok(vec![Message::Remembered(memory(&case)?)])
    }

    /// The case of a live session. Those of replays are not written to.
    fn live_case(&self) -> Option<Arc<Case>> {
        let known = self.shared.lock();
        let live = matches!(known.session.as_ref()?.mode, Mode::ReadOnly | Mode::Write);
        known.case.clone().filter(|_| live)
    }

    fn save(&mut self, at: Timestamp) -> Vec<Message> {
        let Some(case) = self.live_case() else { return Vec::new() };
        let (session, inventory) = {
            let known = self.shared.lock();
            let Some(session) = known.session.clone() else { return Vec::new() };
            (session, known.inventory.clone())
        };
        let lineage = Lineage::of(&inventory);
        let context = Context::of(&inventory, &lineage, &session, at, &self.expect);
        let assessment = assess(&context.with_activity(&self.activity));
        let due = self.saved.is_none_or(|saved| at.secs_since(saved) >= SAVE_EVERY);
        let keep = || -> Result<(), CaseError> {
            case.look(&assessment, at)?;
            if due {
                case.save(&session, &inventory, at)?;
                case.thin(KEPT)?;
            }
            Ok(())
        };
        match keep() {
            Ok(()) => {
                self.saved = if due { Some(at) } else { self.saved };
                Vec::new()
            }
            Err(error) => vec![trouble("what was seen is not kept", &error)],
        }
    }
}

/// What a case remembers. A case that was never looked at remembers nothing, whenever it was saved.
pub(super) fn memory(case: &Case) -> Result<Memory, CaseError> {
    let sightings = case.sightings()?;
    let last_look = sightings.iter().map(|sighting| sighting.last_seen).max();
    Ok(Memory { last_look, sightings })
}

fn trouble(what: &str, error: &CaseError) -> Message {
    Message::Trouble(Text::new(format!("{what}: {error}")))
}
