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

use super::{Command, Envelope, Message};
use crate::aws::{Options, Session};
use crate::base::{Clock, Generation, ResourceId};
use crate::inventory::{ErrorKind, ReadError, SourceId, SourceReport, Update};
use engine::{Engine, Out, Over};
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

/// The same, looking into content as well if a depth is given. The options must then be for content.
pub async fn run_to(
    options: Options,
    depth: Option<Depth>,
    generation: Generation,
    clock: Clock,
    sender: mpsc::Sender<Envelope>,
    mut commands: mpsc::Receiver<Command>,
) {
    let mut was: Option<ResourceId> = None;
    let mut paused = false;
    loop {
        let connected = tokio::select! {
            connected = Session::connect(&options, generation, clock.clone()) => connected,
            () = stopped(&mut commands, &mut paused) => return,
        };
        let lost = match connected.and_then(|session| same_as(was.as_ref(), session)) {
            Ok(session) => {
                was = Some(session.info().principal.clone());
                let now = Instant::now();
                let mut schedule = Schedule::new(now, &[]);
                if depth.is_some() {
                    schedule = schedule.and_deep(now);
                }
                schedule.pause(paused);
                let mut engine = Engine::new(&session, schedule, Out::Sender(&sender));
                if let Some(depth) = depth {
                    engine = engine.with_deep(depth);
                }
                match engine.run(Some(&mut commands)).await {
                    Over::Lost(error) => error,
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
        if !again(&mut commands, &mut paused).await {
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

/// How far a deep look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Bytes of objects that are read at most.
    pub bytes: u64,
    /// Bytes of their text that are sent to Amazon Comprehend at most; none: nothing is sent.
    pub opinion: Option<u64>,
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

/// Ends when told to stop. Wishes of before the session pass, but a pause is remembered.
async fn stopped(commands: &mut mpsc::Receiver<Command>, paused: &mut bool) {
    loop {
        match commands.recv().await {
            None | Some(Command::Stop) => return,
            Some(Command::Pause(pause)) => *paused = pause,
            Some(Command::Refresh | Command::Focus(_) | Command::Reread(_)) => {}
        }
    }
}

/// Waits for a refresh. False: stop.
async fn again(commands: &mut mpsc::Receiver<Command>, paused: &mut bool) -> bool {
    loop {
        match commands.recv().await {
            None | Some(Command::Stop) => return false,
            Some(Command::Refresh) => return true,
            Some(Command::Pause(pause)) => *paused = pause,
            Some(Command::Focus(_) | Command::Reread(_)) => {}
        }
    }
}
