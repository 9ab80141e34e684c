//! `scan`: read once, judge, report, exit code. Headless, read-only. One run may cover several
//! regions and profiles; one that cannot be read does not cost the others.

mod args;
mod depth;
mod history;
mod list;
mod progress;
mod push;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use super::{Exit, Target, Trouble, live, output, runtime};
use crate::activity::Watch;
use crate::base::{Clock, Text, Timestamp};
use crate::case::Case;
use crate::case::store::EVENTS_KEPT;
use crate::content::opinion;
use crate::inventory::{CallStats, Inventory, Lineage, ReadError, SessionInfo, SourceId};
use crate::posture::mutes::Place;
use crate::posture::{Assessment, Baseline, Context, Expectations, MuteReport, Mutes, Severity, Status, assess};
use crate::report::{Failure, Format, Report, Scan};
use crate::source::Depth;
use crate::source::{Envelope, Message};
use progress::Progress;

pub(super) use args::ScanArgs;

/// What was read, live or from a case.
struct Seen {
    /// Where it was read; none of a case.
    target: Option<Target>,
    session: SessionInfo,
    inventory: Inventory,
    activity: Watch,
    calls: Vec<CallStats>,
    at: Timestamp,
    first_seen: BTreeMap<String, Timestamp>,
    /// What earlier deep looks saw.
    baseline: Baseline,
}

/// The same, judged.
struct Judged {
    seen: Seen,
    lineage: Lineage,
    /// All of the controls that were asked for.
    whole: Assessment,
    /// What is to be shown of it, if not all.
    shown: Option<Assessment>,
    mutes: MuteReport,
}

/// Runs it.
pub(super) fn run(target: &Target, args: &ScanArgs) -> Result<Exit, Trouble> {
    if args.list_controls || args.list_compliance {
        return list::run(args);
    }
    let mutes = args.mutes.as_deref().map(read_mutes).transpose()?.unwrap_or_default();
    let (seen, mut failed) = match &args.offline {
        Some(path) => (vec![offline(path)?], Vec::new()),
        None => {
            let targets = target.each();
            let kept = args.history.as_deref().map(|path| history::Kept::open(path, targets.len())).transpose()?;
            let (mut seen, failed) = runtime()?.block_on(read_all(&targets, args.depth.depth(), &args.left_out()));
            if let Some(kept) = kept {
                seen.iter_mut().try_for_each(|one| kept.meet(one))?;
            }
            (seen, failed)
        }
    };
    if seen.is_empty()
        && let Some((_, error)) = failed.pop()
    {
        return Err(error.into());
    }
    let failures: Vec<Failure> = failed.into_iter().map(|(failure, _)| failure).collect();
    let judged: Vec<Judged> = seen.into_iter().map(|seen| judge(seen, args, &mutes, &target.settings.expect)).collect();
    // The exit code is of everything that was asked for; `--status` only picks what is shown.
    let asked = judged.iter().flat_map(|one| &one.whole.verdicts).filter(|verdict| args.wants(verdict));
    let exit = exit(asked, !failures.is_empty(), args.fail_on());
    // why before the reports: they may be piped to something that ends first.
    let pushed = if args.push_security_hub { push::all(&judged, args)? } else { true };
    let report = Report { scans: judged.iter().map(Judged::scan).collect(), failures, framework: args.compliance };
    write(&report, args)?;
    Ok(if pushed { exit } else { Exit::Failure })
}

fn judge(seen: Seen, args: &ScanArgs, mutes: &Mutes, expect: &Expectations) -> Judged {
    let lineage = Lineage::of(&seen.inventory);
    let context = Context::of(&seen.inventory, &lineage, &seen.session, seen.at, expect);
    let mut assessment = assess(&context.with_activity(&seen.activity).with_baseline(&seen.baseline));
    let place = Place { account: seen.session.account.as_str(), region: seen.session.region.as_str(), now: seen.at };
    // why before the choice: a mute of what is not shown is none without use.
    let mutes = mutes.apply(&mut assessment, &seen.inventory, &place);
    assessment.verdicts.retain(|verdict| args.judges(verdict.control));
    let shown = args.is_filtered().then(|| {
        let shown = assessment.verdicts.iter().filter(|verdict| args.wants(verdict) && args.shows(verdict));
        Assessment { verdicts: shown.cloned().collect() }
    });
    Judged { seen, lineage, whole: assessment, shown, mutes }
}

impl Judged {
    fn scan(&self) -> Scan<'_> {
        Scan {
            session: &self.seen.session,
            at: self.seen.at,
            assessment: self.shown.as_ref().unwrap_or(&self.whole),
            whole: &self.whole,
            inventory: &self.seen.inventory,
            lineage: &self.lineage,
            calls: &self.seen.calls,
            first_seen: &self.seen.first_seen,
            mutes: &self.mutes,
        }
    }
}

/// Reads every target, one after another: they share the bastion's line and the account's rate limits.
async fn read_all(
    targets: &[Target],
    deep: Option<Depth>,
    without: &[SourceId],
) -> (Vec<Seen>, Vec<(Failure, ReadError)>) {
    if let Some(bytes) = deep.and_then(|depth| depth.opinion) {
        // why before anything is read: who sees that it costs too much can still end it.
        let each = if targets.len() > 1 { format!(" (for each of {} sessions)", targets.len()) } else { String::new() };
        let _ = writeln!(io::stderr(), "bedwatch: {}{each}", opinion::announced(bytes));
    }
    let (mut seen, mut failed) = (Vec::new(), Vec::new());
    for target in targets {
        match read(target, deep, without).await {
            Ok(one) => seen.push(one),
            Err(error) => {
                let text = |text: &String| Text::new(text);
                let (profile, region) = (target.profile.as_ref().map(text), target.region.as_ref().map(text));
                let told = Text::new(format!("{error}. {}", error.kind.advice_once()));
                let failure = Failure { profile, region, error: told };
                if targets.len() > 1 {
                    let _ = writeln!(io::stderr(), "bedwatch: not scanned {}: {}", failure.place(), failure.error);
                }
                failed.push((failure, error));
            }
        }
    }
    (seen, failed)
}

/// Reads everything once, except `without`; with `deep`, so far into what lies in objects too.
async fn read(target: &Target, deep: Option<Depth>, without: &[SourceId]) -> Result<Seen, ReadError> {
    let clock = Clock::System;
    let session = match deep {
        Some(depth) => live::connect_for_content(target, depth.opinion.is_some(), &clock).await?,
        None => live::connect(target, None, &clock).await?,
    };
    let (mut inventory, mut activity) = (Inventory::default(), Watch::default());
    let mut progress = Progress::of(session.info());
    let sink = |envelope: Envelope| match envelope.message {
        Message::Update(update) => {
            progress.looked_into(&update);
            inventory.apply(*update);
            progress.tell(&inventory);
        }
        Message::Events(events) => {
            activity.take(&events);
        }
        _ => {}
    };
    match deep {
        Some(depth) => crate::source::live::read_deep(&session, depth, without, sink).await,
        None => crate::source::live::read_once(&session, without, sink).await,
    }
    progress.end();
    Ok(Seen {
        target: Some(target.clone()),
        session: session.info().clone(),
        inventory,
        activity,
        calls: session.calls(),
        at: clock.now(),
        first_seen: BTreeMap::new(),
        baseline: Baseline::default(),
    })
}

fn offline(path: &Path) -> Result<Seen, Trouble> {
    let case = super::case::open(path)?;
    let saved = super::case::latest(&case, path)?;
    let mut activity = Watch::default();
    // A case from which no events can be read still says what it holds otherwise: its coverage tells the rest.
    activity.take(&case.events(EVENTS_KEPT).unwrap_or_default());
    Ok(Seen {
        target: None,
        at: saved.at,
        first_seen: first_seen(&case),
        baseline: case.baseline().map_err(|error| Trouble::new(Exit::Failure, error))?,
        activity,
        session: saved.session,
        inventory: saved.inventory,
        calls: Vec::new(),
    })
}

fn first_seen(case: &Case) -> BTreeMap<String, Timestamp> {
    case.sightings().unwrap_or_default().into_iter().map(|sighting| (sighting.verdict, sighting.first_seen)).collect()
}

fn read_mutes(path: &Path) -> Result<Mutes, Trouble> {
    let wrong =
        |why: &dyn std::fmt::Display| Trouble::new(Exit::Usage, format_args!("mutes of {}: {why}", path.display()));
    let yaml = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    Mutes::parse(&yaml).map_err(|error| wrong(&error))
}

/// Findings weigh more than gaps: a pipeline that stops on 3 must stop even when something else was denied.
fn exit<'a>(
    verdicts: impl Iterator<Item = &'a crate::posture::Verdict>,
    sessions_failed: bool,
    fail_on: Severity,
) -> Exit {
    let mut incomplete = sessions_failed;
    for verdict in verdicts {
        if verdict.status == Status::Fail && verdict.severity <= fail_on {
            return Exit::Findings;
        }
        incomplete |= verdict.status == Status::Unknown;
    }
    if incomplete { Exit::Incomplete } else { Exit::Clean }
}

fn write(report: &Report<'_>, args: &ScanArgs) -> Result<(), Trouble> {
    let name = match report.scans.as_slice() {
        [scan] => format!("bedwatch-{}-{}", scan.session.account, scan.session.region),
        scans => format!("bedwatch-{}-sessions", scans.len()),
    };
    let write = |format: Format, out: &mut dyn io::Write| format.write(report, out);
    output::write(&args.output, &name, &args.formats, Format::extension, write)
}
