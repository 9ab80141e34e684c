//! The console: where its data comes from (live, a case, the demo), who carries its effects out.

mod keeper;
mod runner;

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::settings::Settings;
use super::{ConsoleOptions, Exit, Target, Trouble, case, live, runtime};
use crate::aws::Options;
use crate::base::{Clock, Generation, Timestamp};
use crate::case::{Case, Export};
use crate::inventory::{Mode, SessionInfo};
use crate::source::{Command, Envelope, Message, Replay, live as source, replay};
use crate::tui;
use keeper::Keeper;
use runner::{Hands, Runner};

/// The demo: a case recorded from the test bed's seed account.
const DEMO: &str = include_str!("console/demo.json");

/// Envelopes on their way. A burst waits here, it is not lost.
const ENVELOPES: usize = 4096;

/// Runs it.
pub(super) fn run(target: &Target, options: ConsoleOptions) -> Result<Exit, Trouble> {
    if options.theme.as_deref() == Some("?") {
        let mut out = io::stdout().lock();
        for (name, _) in tui::theme::BUILT_IN {
            writeln!(out, "{name}")?;
        }
        return Ok(Exit::Clean);
    }
    let runtime = runtime()?;
    let run = runtime.block_on(
        AssertUnwindSafe(async {
            match (options.demo, &options.case) {
                (true, _) => demo(&options).await,
                (false, Some(path)) => saved(path, &options).await,
                (false, None) => account(target, &options).await,
            }
        })
        .catch_unwind(),
    );
    // why not a plain drop: a read that hangs in the system must not hold up the way out, nor that of a panic.
    runtime.shutdown_background();
    run.unwrap_or_else(|panic| resume_unwind(panic))?;
    Ok(Exit::Clean)
}

/// What every kind of console needs.
struct Stage {
    clock: Clock,
    mode: Mode,
    keeper: Keeper,
    hands: Hands,
    commands: mpsc::Sender<Command>,
    envelopes: mpsc::Receiver<Envelope>,
}

async fn show(stage: Stage, options: &ConsoleOptions, settings: &Settings) -> Result<(), Trouble> {
    let mut look = tui::Options::new(stage.clock.clone(), stage.mode);
    look.theme.clone_from(&options.theme);
    look.ascii = options.ascii;
    look.no_sync = options.no_sync;
    look.patient = true;
    look.expect = settings.expect.clone();
    look.production = settings.production;
    let (to_console, from_keeper) = mpsc::channel(ENVELOPES);
    let shared = stage.keeper.shared();
    tokio::spawn(stage.keeper.run(stage.envelopes, to_console));
    let runner = Runner::new(stage.hands, shared, stage.clock, stage.commands);
    tui::run(look, from_keeper, runner).await.map_err(|error| {
        let exit = if matches!(error, tui::Error::Terminal(_)) { Exit::Usage } else { Exit::Failure };
        Trouble::new(exit, error)
    })
}

async fn account(target: &Target, options: &ConsoleOptions) -> Result<(), Trouble> {
    let token = options.write.token();
    let mode = if token.is_some() { Mode::Write } else { Mode::ReadOnly };
    let clock = Clock::System;
    let aws: Options = live::options(target, token.clone());
    let (sender, envelopes) = mpsc::channel(ENVELOPES);
    let (commands, orders) = mpsc::channel(64);
    tokio::spawn(source::run(aws.clone(), Generation(1), clock.clone(), sender, orders));
    let hands = match token {
        Some(token) => Hands::Live { options: aws, token },
        None => Hands::None,
    };
    let keeper = Keeper::new(target.settings.expect.clone());
    show(Stage { clock, mode, keeper, hands, commands, envelopes }, options, &target.settings).await
}

async fn saved(path: &Path, options: &ConsoleOptions) -> Result<(), Trouble> {
    // why before the screen: a name that was mistyped is told at once.
    if !path.is_file() {
        case::open(path)?;
    }
    let path = path.to_owned();
    replayed(move || opened(&path), Mode::Case, Hands::None, options).await
}

/// A saved case: what is replayed, the case, and the time of it.
fn opened(path: &Path) -> Result<Opened, Trouble> {
    let case = case::open(path)?;
    let snapshot = case::latest(&case, path)?;
    let events = case.events(usize::MAX).map_err(|error| case::about(path, &error))?;
    let invocations = case.invocations(usize::MAX).map_err(|error| case::about(path, &error))?;
    let mut session = snapshot.session;
    session.mode = Mode::Case;
    let inventory = snapshot.inventory;
    let replay = Replay { session, inventory, events, invocations, script: Vec::new(), calls: Vec::new() };
    Ok(Opened { replay, case, clock: Clock::manual(snapshot.at) })
}

async fn demo(options: &ConsoleOptions) -> Result<(), Trouble> {
    let open = || {
        let (replay, case, saved_at) = bundled()?;
        Ok(Opened { replay, case, clock: Clock::replay(saved_at) })
    };
    replayed(open, Mode::Demo, Hands::Rehearsal, options).await
}

/// The bundled demo: what is replayed, its case, and when it was saved.
fn bundled() -> Result<(Replay, Case, Timestamp), Trouble> {
    let broken = |error| Trouble::new(Exit::Failure, format_args!("the bundled demo is broken: {error}"));
    let export = Export::parse(DEMO).map_err(broken)?;
    let case = Case::from_export(&export).map_err(broken)?;
    let session = SessionInfo { mode: Mode::Demo, endpoint: None, ..export.session };
    let replay = Replay {
        session,
        inventory: export.inventory,
        events: export.events,
        invocations: export.invocations,
        script: export.story,
        calls: Vec::new(),
    };
    Ok((replay, case, export.saved_at))
}

/// The demo as it stands half a minute in, for pictures.
pub(super) struct Exhibit {
    /// Everything that was sent until then.
    pub envelopes: Vec<Envelope>,
    /// When that is.
    pub at: Timestamp,
}

/// Makes it.
pub(super) fn exhibit() -> Result<Exhibit, Trouble> {
    const WATCHED_SECS: i64 = 30;
    let (replay, case, saved_at) = bundled()?;
    let at = saved_at.plus_secs(WATCHED_SECS);
    let memory = keeper::memory(&case).map_err(|error| Trouble::new(Exit::Failure, error))?;
    let mut messages = replay.opening();
    messages.insert(1, Message::Remembered(memory));
    for step in
        replay.script.iter().filter(|step| i64::try_from(step.after_ms).is_ok_and(|ms| ms < WATCHED_SECS * 1000))
    {
        messages.extend(step.updates.iter().cloned().map(|update| Message::Update(Box::new(update))));
        messages.push(Message::Events(step.events.clone()));
    }
    let generation = replay.session.generation;
    let envelopes = messages.into_iter().map(|message| Envelope { generation, at, message }).collect();
    Ok(Exhibit { envelopes, at })
}

/// What was opened to be replayed.
struct Opened {
    replay: Replay,
    case: Case,
    clock: Clock,
}

/// A console without a network. What it shows is opened behind its first frame; if that fails, the
/// console ends with the reason.
async fn replayed(
    open: impl FnOnce() -> Result<Opened, Trouble> + Send + 'static,
    mode: Mode,
    hands: Hands,
    options: &ConsoleOptions,
) -> Result<(), Trouble> {
    let (sender, envelopes) = mpsc::channel(ENVELOPES);
    let (commands, orders) = mpsc::channel(64);
    let (clock, keeper) = (Clock::later(), Keeper::new(crate::posture::Expectations::default()));
    let (shared, later) = (keeper.shared(), clock.clone());
    let opening = async move {
        let opened = tokio::task::spawn_blocking(open).await;
        let Opened { replay, case, clock } = opened.map_err(|error| {
            Trouble::new(Exit::Failure, format_args!("opening broke off inside bedwatch: {error}; please report it"))
        })??;
        later.becomes(clock.clone());
        shared.lock().case = Some(Arc::new(case));
        replay::run(replay, clock, sender, orders).await;
        Ok(())
    };
    let settings = Settings::default();
    let shown = show(Stage { clock, mode, keeper, hands, commands, envelopes }, options, &settings);
    let opening = tokio::spawn(opening);
    tokio::select! {
        shown = shown => shown,
        // Dropping the console gives the terminal back.
        Ok(Err(trouble)) = opening => Err(trouble),
    }
}
