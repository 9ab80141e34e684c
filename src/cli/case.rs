//! `case`: look at case files, check them, export them, record one.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;

use super::{Exit, Target, Trouble, live, runtime};
use crate::activity::{Event, Invocation, Watch};
use crate::base::{Clock, Generation, Timestamp};
use crate::case::{Case, CaseError, Snapshot, Step};
use crate::fix::{DiffKind, Held, diff};
use crate::inventory::{Inventory, Lineage, Update};
use crate::posture::{Context, assess};
use crate::source::Depth;
use crate::source::{Command, Envelope, Message, live as source};

/// What to do with a case.
#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Say what a case holds
    Info {
        /// The case file
        file: PathBuf,
    },
    /// Check the hash chain of its journal
    Verify {
        /// The case file
        file: PathBuf,
    },
    /// Print what was done: who, when, on what, before and after
    Journal {
        /// The case file
        file: PathBuf,
    },
    /// Print it as one JSON document
    Export {
        /// The case file
        file: PathBuf,
    },
    /// Read the account once, then go on watching, and save all of it as a new case
    Record {
        /// The case file to make
        file: PathBuf,
        /// Seconds to go on watching for
        #[arg(long = "for", value_name = "SECONDS", default_value_t = 0)]
        seconds: u64,
        /// Look into content too, as `scan --deep` does: what is found is saved by masks and digests
        #[arg(long)]
        deep: bool,
        /// Read at most so many bytes of objects
        #[arg(long, value_name = "BYTES", default_value_t = Depth::BYTES, requires = "deep")]
        deep_bytes: u64,
    },
}

/// Runs it.
pub(super) fn run(target: &Target, command: &CaseCommand) -> Result<Exit, Trouble> {
    match command {
        CaseCommand::Info { file } => info(file)?,
        CaseCommand::Verify { file } => verify(file)?,
        CaseCommand::Journal { file } => journal(file)?,
        CaseCommand::Export { file } => {
            let json = open(file)?.export().and_then(|export| export.to_json()).map_err(|error| about(file, &error))?;
            writeln!(io::stdout(), "{json}")?;
        }
        CaseCommand::Record { file, seconds, deep, deep_bytes } => {
            let depth = deep.then_some(Depth { bytes: *deep_bytes, opinion: None });
            runtime()?.block_on(record(target, file, Duration::from_secs(*seconds), depth))?;
        }
    }
    Ok(Exit::Clean)
}

/// Opens a case; the error names the file.
pub(super) fn open(path: &Path) -> Result<Case, Trouble> {
    Case::open(path).map_err(|error| about(path, &error))
}

/// The newest inventory of a case.
pub(super) fn latest(case: &Case, path: &Path) -> Result<Snapshot, Trouble> {
    case.newest()
        .map_err(|error| about(path, &error))?
        .ok_or_else(|| Trouble::new(Exit::Failure, format_args!("{}: the case holds no inventory yet", path.display())))
}

/// A case's error with its file, unless it names that already.
pub(super) fn about(path: &Path, error: &CaseError) -> Trouble {
    let text = error.to_string();
    let name = path.display().to_string();
    if text.contains(&name) {
        Trouble::new(Exit::Failure, text)
    } else {
        Trouble::new(Exit::Failure, format_args!("{name}: {text}"))
    }
}

fn info(file: &Path) -> Result<(), Trouble> {
    let case = open(file)?;
    let failed = |error| about(file, &error);
    let mut out = io::stdout().lock();
    if let Some(session) = case.session().map_err(failed)? {
        writeln!(out, "account    {} ({})", session.account_name(), session.account)?;
        writeln!(out, "region     {}", session.region)?;
        writeln!(out, "read as    {}", session.principal)?;
    }
    let snapshots = case.snapshots().map_err(failed)?;
    match (snapshots.iter().min(), snapshots.iter().max()) {
        (Some(first), Some(last)) => writeln!(out, "inventories {} from {first} to {last}", snapshots.len())?,
        _ => writeln!(out, "inventories none")?,
    }
    writeln!(out, "events     {}", case.events(usize::MAX).map_err(failed)?.len())?;
    writeln!(out, "invocations {}", case.invocations(usize::MAX).map_err(failed)?.len())?;
    let sightings = case.sightings().map_err(failed)?;
    let open = sightings.iter().filter(|sighting| sighting.closed_at.is_none()).count();
    writeln!(out, "findings   {open} open, {} closed", sightings.len() - open)?;
    let head = case.head().map_err(failed)?;
    writeln!(out, "journal    {} entries, newest hash {}", head.entries, head.hash)?;
    Ok(())
}

fn verify(file: &Path) -> Result<(), Trouble> {
    let case = open(file)?;
    case.verify().map_err(|error| about(file, &error))?;
    let head = case.head().map_err(|error| about(file, &error))?;
    writeln!(io::stdout(), "{}: the journal's {} entries are unbroken", file.display(), head.entries)?;
    Ok(())
}

fn journal(file: &Path) -> Result<(), Trouble> {
    let case = open(file)?;
    case.verify().map_err(|error| about(file, &error))?;
    let entries = case.entries().map_err(|error| about(file, &error))?;
    let mut out = io::stdout().lock();
    if entries.is_empty() {
        writeln!(out, "nothing was changed from here yet")?;
    }
    for held in entries {
        let entry = &held.entry;
        writeln!(out, "{:>4}  {}  {}  {}", held.seq, entry.at, entry.kind.word(), entry.who)?;
        let Some(record) = entry.fix() else { continue };
        writeln!(out, "      {}  {}  on {}", record.plan.fix, record.plan.title, record.plan.target_name)?;
        if let Some(error) = &record.error {
            writeln!(out, "      {error}")?;
        }
        for after in &record.after {
            if let Held::Setting(after) = after {
                writeln!(out, "      bucket {}: {}", after.bucket.name, after.setting.words())?;
            }
        }
        for after in record.after.iter().filter_map(Held::key) {
            let before = record.before.iter().filter_map(Held::key).find(|before| before.key == after.key);
            let Some(before) = before else { continue };
            let changed = diff::policies(&before.state.policy, &after.state.policy);
            for line in changed.iter().filter(|line| line.kind != DiffKind::Same) {
                let mark = if line.kind == DiffKind::Added { '+' } else { '-' };
                writeln!(out, "      {mark} {}", line.text)?;
            }
            for grant in after.state.grants.iter().filter(|grant| !before.state.grants.contains(grant)) {
                writeln!(out, "      + grant {} to {}", grant.id, grant.grantee)?;
            }
            for grant in before.state.grants.iter().filter(|grant| !after.state.grants.contains(grant)) {
                writeln!(out, "      - grant {} to {}", grant.id, grant.grantee)?;
            }
        }
    }
    Ok(())
}

async fn record(target: &Target, file: &Path, watch: Duration, depth: Option<Depth>) -> Result<(), Trouble> {
    let clock = Clock::System;
    let case = Case::create(file).map_err(|error| about(file, &error))?;
    let failed = |error| about(file, &error);
    let (sender, mut inbox) = tokio::sync::mpsc::channel(1024);
    let (commands, orders) = tokio::sync::mpsc::channel(8);
    let options = live::options(target, None);
    let reading = tokio::spawn(source::run_to(options, depth, Generation(1), clock.clone(), sender, orders));

    let mut info = None;
    let mut inventory = Inventory::default();
    let (mut events, mut invocations): (Vec<Event>, Vec<Invocation>) = Default::default();
    while let Some(Envelope { message, .. }) = inbox.recv().await {
        match message {
            Message::Update(update) => {
                inventory.apply(*update);
            }
            Message::Events(new) => events.extend(new),
            Message::Invocations(new) => invocations.extend(new),
            Message::Session(session) => info = Some(session),
            Message::NoSession(error) => return Err(error.into()),
            Message::Busy(false) => break,
            _ => {}
        }
    }
    let info = info.ok_or_else(|| Trouble::new(Exit::Failure, "the session ended before anything was read"))?;
    let saved_at = clock.now();
    case.save(&info, &inventory, saved_at).map_err(failed)?;
    let lineage = Lineage::of(&inventory);
    let mut activity = Watch::default();
    activity.take(&events);
    let context = Context::of(&inventory, &lineage, &info, saved_at, &target.settings.expect);
    let assessment = assess(&context.with_activity(&activity));
    case.look(&assessment, saved_at).map_err(failed)?;
    events.retain(|event| !event.is_ours());
    case.add_events(&events).map_err(failed)?;
    case.add_invocations(&invocations).map_err(failed)?;
    let _ = writeln!(io::stderr(), "read once; watching for {} s", watch.as_secs());

    let since = |at: Timestamp| u64::try_from(at.millis() - saved_at.millis()).unwrap_or(0);
    let mut story: Vec<Step> = Vec::new();
    let began = tokio::time::Instant::now();
    while let Ok(Some(Envelope { message, .. })) = tokio::time::timeout_at(began + watch, inbox.recv()).await {
        match message {
            // Reports tell how reading went then; a replay makes its own.
            Message::Update(update) if !matches!(*update, Update::Source(_)) => {
                let after_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                if inventory.apply((*update).clone()) {
                    story.push(Step { after_ms, updates: vec![*update], ..Step::default() });
                }
            }
            // why a step each, at its own time: they come in batches, one a look-up; they happened one by one.
            Message::Events(new) => {
                let new = new.into_iter().filter(|event| !event.is_ours() && event.at > saved_at);
                story.extend(new.map(|event| Step {
                    after_ms: since(event.at),
                    events: vec![event],
                    ..Step::default()
                }));
            }
            Message::Invocations(new) => {
                let new = new.into_iter().filter(|invocation| invocation.at > saved_at);
                story.extend(new.map(|invocation| Step {
                    after_ms: since(invocation.at),
                    invocations: vec![invocation],
                    ..Step::default()
                }));
            }
            _ => {}
        }
    }
    story.sort_by_key(|step| step.after_ms);
    let _ = commands.send(Command::Stop).await;
    drop(inbox);
    let _ = reading.await;
    case.set_story(&story).map_err(failed)?;
    let _ = writeln!(
        io::stderr(),
        "wrote {}: {} events, {} invocations, {} steps",
        file.display(),
        events.len(),
        invocations.len(),
        story.len()
    );
    Ok(())
}
