//! Live AWS as a source: connects, then reads everything again and again, each source at its own pace.
//!
//! Knows no SDK type. Lists come first, then details in the order in which lineage grows, then the
//! background; what the user looks at goes before its siblings. Every read ends, by an answer or by
//! a timeout, and every source reports how it went, so that coverage is exact.

mod backfill;
mod beside;
mod deep;
mod detail;
mod engine;
mod follow;
mod gate;
mod history;
mod invoked;
mod known;
mod lists;
mod order;
mod owes;
mod reader;
mod schedule;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Command, Depth, Envelope, Message};
use crate::aws::{Options, Session};
use crate::base::{Clock, Generation, ResourceId};
use crate::inventory::{ErrorKind, ReadError, SourceId, SourceReport, Update};
use engine::{Engine, Out, Over, Past};
use schedule::Schedule;

/// Runs until told to stop, or until nobody listens.
///
/// Sends [`Message::Session`] once STS has said who we are, or [`Message::NoSession`], and then waits
/// for [`Command::Refresh`] to try again.
pub async fn run(
    options: Options,
    generation: Generation,
    clock: Clock,
    sender: mpsc::Sender<Envelope>,
    commands: mpsc::Receiver<Command>,
) {
    run_to(options, None, generation, clock, sender, commands).await;
}

/// The same, looking into content as well if a depth is given.
pub async fn run_to(
    mut options: Options,
    depth: Option<Depth>,
    generation: Generation,
    clock: Clock,
    sender: mpsc::Sender<Envelope>,
    mut commands: mpsc::Receiver<Command>,
) {
    let mut was: Option<ResourceId> = None;
    let mut wish = Wish { paused: false, depth };
    let mut past = Past::default();
    loop {
        (options.content, options.opinion) =
            (wish.depth.is_some(), wish.depth.is_some_and(|depth| depth.opinion.is_some()));
        let connected = tokio::select! {
            connected = Session::connect(&options, generation, clock.clone()) => connected,
            () = wish.until_stopped(&mut commands) => return,
        };
        let lost = match connected.and_then(|session| same_as(was.as_ref(), session)) {
            Ok(session) => {
                was = Some(session.info().principal.clone());
                let now = Instant::now();
                let mut schedule = Schedule::new(now, &[]);
                if wish.depth.is_some() {
                    schedule = schedule.and_deep(now);
                }
                schedule.pause(wish.paused);
                let mut engine =
                    Engine::new(&session, schedule, Out::Sender(&sender)).with_past(std::mem::take(&mut past));
                if let Some(depth) = wish.depth {
                    engine = engine.with_deep(depth);
                }
                match engine.run(Some(&mut commands)).await {
                    Over::Lost(error) => error,
                    Over::Deep(depth, seen) => {
                        (wish.depth, past) = (Some(depth), seen);
                        continue;
                    }
                    Over::Stopped | Over::Round => return,
                }
            }
            Err(error) => error,
        };
        let mut out = Out::Sender(&sender);
        let report = SourceReport::sum(SourceId::CALLER, clock.now(), 0, std::slice::from_ref(&lost));
        // why: without a session nothing is read any more, so nothing that was read may go on to pass.
        let gone = Update::Lost(lost.clone());
        for message in [
            Message::Update(Box::new(gone)),
            Message::Update(Box::new(Update::Source(report))),
            Message::NoSession(lost),
            Message::Busy(false),
        ] {
            if out.send(Envelope { generation, at: clock.now(), message }).await.is_none() {
                return;
            }
        }
        if !wish.again(&mut commands).await {
            return;
        }
    }
}

/// Reads everything once, except `without`, and returns when all of it was read or has failed.
///
/// [`SourceId::EVENTS`] is the slowest: CloudTrail grants two pages a second. The messages are those
/// that the console gets, the session first.
pub async fn read_once(session: &Session, without: &[SourceId], mut sink: impl FnMut(Envelope) + Send) {
    let schedule = Schedule::new(Instant::now(), without).once();
    Engine::new(session, schedule, Out::Sink(&mut sink)).run(None).await;
}

/// The same, and last what lies in the objects that customization names and in the invocation log. The session must
/// have been made for content, and for a second opinion if one is to be asked for.
pub async fn read_deep(session: &Session, depth: Depth, without: &[SourceId], mut sink: impl FnMut(Envelope) + Send) {
    let now = Instant::now();
    let schedule = Schedule::new(now, without).and_deep(now).once();
    Engine::new(session, schedule, Out::Sink(&mut sink)).with_deep(depth).run(None).await;
}

/// A session of a generation stays one principal's: what was read as another would be shown as this one's.
fn same_as(was: Option<&ResourceId>, session: Session) -> Result<Session, ReadError> {
    let now = &session.info().principal;
    match was {
        Some(was) if !lists::same_principal(was, now) => Err(ReadError {
            operation: SourceId::CALLER.name().to_owned(),
            kind: ErrorKind::Expired,
            message: format!("the credentials belong to {now} now, not to {was}; switch to them, or log in as before")
                .into(),
            at: session.clock().now(),
        }),
        _ => Ok(session),
    }
}

/// What was asked for while nothing could be read.
struct Wish {
    paused: bool,
    depth: Option<Depth>,
}

impl Wish {
    fn note(&mut self, command: &Command) {
        match command {
            Command::Pause(paused) => self.paused = *paused,
            Command::Deep(depth) => self.depth = Some(*depth),
            Command::Refresh | Command::Focus(_) | Command::Reread(_) | Command::Stop => {}
        }
    }

    /// Ends when told to stop. A session reads everything anyway: only what outlasts that is remembered.
    async fn until_stopped(&mut self, commands: &mut mpsc::Receiver<Command>) {
        loop {
            match commands.recv().await {
                None | Some(Command::Stop) => return,
                Some(command) => self.note(&command),
            }
        }
    }

    /// Waits for what takes a session. False: stop.
    async fn again(&mut self, commands: &mut mpsc::Receiver<Command>) -> bool {
        loop {
            match commands.recv().await {
                None | Some(Command::Stop) => return false,
                Some(command) => {
                    self.note(&command);
                    if matches!(command, Command::Refresh | Command::Deep(_)) {
                        return true;
                    }
                }
            }
        }
    }
}
