//! Carries out what the console asks for: orders to the source, fixes through the write half or on
//! a copy, the journal. Takes nothing long on the console's own thread.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::keeper::Shared;
use crate::aws::{Options, Session, WriteToken, Writer};
use crate::base::{Clock, Generation};
use crate::case::Case;
use crate::fix::{self, Applied, Approved, Executor, FixError, Rehearsal};
use crate::inventory::SessionInfo;
use crate::source::Command;
use crate::tui::{Effect, EffectRunner, Message, Replies};

/// What may change things here.
#[derive(Debug, Clone)]
pub(super) enum Hands {
    /// Nothing: read-only, or a saved case.
    None,
    /// A copy in memory.
    Rehearsal,
    /// AWS.
    Live {
        /// How to connect.
        options: Options,
        /// That `--write` was given.
        token: WriteToken,
    },
}

/// The runner.
#[derive(Debug)]
pub(super) struct Runner {
    hands: Hands,
    shared: Shared,
    clock: Clock,
    commands: mpsc::Sender<Command>,
}

impl Runner {
    /// With these hands.
    pub fn new(hands: Hands, shared: Shared, clock: Clock, commands: mpsc::Sender<Command>) -> Self {
        Self { hands, shared, clock, commands }
    }

    fn order(&self, command: Command) {
        // why try: a source that is behind with sixty orders needs no sixty-first; the next look repeats it.
        let _ = self.commands.try_send(command);
    }
}

impl EffectRunner for Runner {
    fn run(&mut self, effect: Effect, replies: &Replies) {
        match effect {
            Effect::Source(command) => self.order(command),
            Effect::Apply(approved) => {
                let job = Job { hands: self.hands.clone(), shared: self.shared.clone(), clock: self.clock.clone() };
                let replies = replies.clone();
                tokio::spawn(async move {
                    let result = job.apply(&approved).await;
                    replies.send(Message::Applied(Box::new(result)));
                });
            }
            Effect::ReadJournal => {
                let case = self.shared.lock().case.clone();
                let replies = replies.clone();
                tokio::task::spawn_blocking(move || {
                    let entries = case.map_or_else(|| Ok(Vec::new()), |case| case.entries());
                    let entries = entries.map(|entries| entries.into_iter().map(|entry| entry.entry).collect());
                    replies.send(Message::Journal(entries.map_err(|error| error.to_string())));
                });
            }
            // The runtime carries these out itself.
            Effect::Quit
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Copy(_)
            | Effect::ReadTheme
            | Effect::Export(_)
            | Effect::Ask(_)
            | Effect::Weigh(_) => {}
        }
    }
}

/// One fix on its way.
struct Job {
    hands: Hands,
    shared: Shared,
    clock: Clock,
}

impl Job {
    async fn apply(&self, approved: &Approved) -> Result<Applied, FixError> {
        let (session, case) = self.session()?;
        let applied = match &self.hands {
            Hands::None => {
                return Err(FixError::Unsupported("this session cannot change anything: start with --write".into()));
            }
            Hands::Rehearsal => {
                let copy = Rehearsal::new(self.shared.lock().inventory.clone(), self.clock.clone());
                self.drive(approved, &copy, &case, &session).await?
            }
            Hands::Live { options, token } => {
                let writer = self.writer(options, token, &session).await?;
                self.drive(approved, &writer, &case, &session).await?
            }
        };
        self.note(&applied);
        Ok(applied)
    }

    fn session(&self) -> Result<(SessionInfo, Arc<Case>), FixError> {
        let known = self.shared.lock();
        let session = known.session.clone();
        let case = known.case.clone();
        match (session, case) {
            (Some(session), Some(case)) => Ok((session, case)),
            (None, _) => Err(FixError::Unsupported("there is no verified session: press r".into())),
            (_, None) => {
                Err(FixError::Unsupported("there is no journal to write to, so nothing is changed: see `!`".into()))
            }
        }
    }

    /// A write session of its own, for this one fix; it must be who the console says it is.
    async fn writer(&self, options: &Options, token: &WriteToken, shown: &SessionInfo) -> Result<Writer, FixError> {
        let session = Session::connect(options, Generation(0), self.clock.clone()).await.map_err(FixError::Call)?;
        let now = session.info();
        if now.principal != shown.principal || now.region != shown.region {
            return Err(FixError::Unsupported(format!(
                "the credentials belong to {} in {} now, not to {} in {}: nothing is changed; start again",
                now.principal, now.region, shown.principal, shown.region
            )));
        }
        Writer::new(&session, token.clone()).map_err(FixError::Call)
    }

    async fn drive(
        &self,
        approved: &Approved,
        executor: &dyn Executor,
        case: &Case,
        session: &SessionInfo,
    ) -> Result<Applied, FixError> {
        fix::apply(approved, executor, case, session, &self.clock).await
    }

    /// The shared inventory is what a rehearsal starts from: the next one must build on this one.
    fn note(&self, applied: &Applied) {
        let at = self.clock.now();
        let mut known = self.shared.lock();
        for after in &applied.after {
            if let Some(update) = after.update(&known.inventory, at) {
                known.inventory.apply(update);
            }
        }
    }
}
