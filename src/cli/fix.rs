//! `fix`: what can be fixed, a plan as a file, and (with `--write`) making it and taking it back.
//! Thin: what a fix is, and what must be true before it is made, is decided in the room of fixes.

mod make;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::{AccessFormat, lines};
use super::settings::Settings;
use super::{Exit, Target, Trouble, live, runtime};
use crate::aws::Session;
use crate::base::text::safe_lines;
use crate::base::{Clock, Timestamp};
use crate::fix::{self, Context, DiffKind, FixError, Plan, Preview};
use crate::inventory::{Inventory, Lineage, Mode, SessionInfo, SourceId};
use crate::posture::{self, Assessment, Status, Verdict, assess};
use crate::source::{Envelope, Message};

/// What to do about findings.
#[derive(Debug, Subcommand)]
pub(super) enum FixCommand {
    /// List the findings that can be fixed, and the ways to fix them
    List(ListArgs),
    /// Write a plan as JSON: the difference, who gains and loses access, the calls, the undo
    Plan(PlanArgs),
    /// Make a plan; without --write only show what it would do now
    Apply(make::ApplyArgs),
    /// Take back what an entry of the journal says was done; without --write only show it
    Undo(make::UndoArgs),
}

/// How to list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Output formats
    #[arg(short = 'M', long = "output-formats", value_enum, value_delimiter = ',', default_value = "table")]
    formats: Vec<AccessFormat>,
    /// Look at a saved case instead of a live account
    #[arg(long, value_name = "CASE")]
    offline: Option<PathBuf>,
}

/// What to plan.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// A finding: its id as `fix list` prints it, or as much of it as tells it from the others
    finding: String,
    /// Which of the ways to fix it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    way: u16,
    /// Look at a saved case instead of a live account
    #[arg(long, value_name = "CASE")]
    offline: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(target: &Target, command: &FixCommand) -> Result<Exit, Trouble> {
    match command {
        FixCommand::List(args) => list(&Seen::of(target, args.offline.as_deref())?, &args.formats),
        FixCommand::Plan(args) => plan(&Seen::of(target, args.offline.as_deref())?, args),
        FixCommand::Apply(args) => runtime()?.block_on(make::apply(target, args)),
        FixCommand::Undo(args) => runtime()?.block_on(make::undo(target, args)),
    }
}

/// What was read, and what is wrong with it.
struct Seen {
    context: Context,
    inventory: Inventory,
    assessment: Assessment,
}

impl Seen {
    fn of(target: &Target, offline: Option<&Path>) -> Result<Self, Trouble> {
        if let Some(path) = offline {
            let case = super::case::open(path)?;
            let saved = super::case::latest(&case, path)?;
            let session = SessionInfo { mode: Mode::Case, ..saved.session };
            return Ok(Self::judged(session, saved.inventory, saved.at, &target.settings));
        }
        runtime()?.block_on(async {
            let clock = Clock::System;
            let session = live::connect(target, None, &clock).await?;
            Ok(Self::read(&session, &target.settings).await)
        })
    }

    /// Reads all but what happened: that is slow, and no fix depends on it.
    async fn read(session: &Session, settings: &Settings) -> Self {
        const NOT: &[SourceId] = &[SourceId::EVENTS, SourceId::LOG_EVENTS];
        let mut inventory = Inventory::default();
        crate::source::live::read_once(session, NOT, |envelope: Envelope| {
            if let Message::Update(update) = envelope.message {
                inventory.apply(*update);
            }
        })
        .await;
        Self::judged(session.info().clone(), inventory, session.clock().now(), settings)
    }

    fn judged(session: SessionInfo, inventory: Inventory, now: Timestamp, settings: &Settings) -> Self {
        let Settings { expect, production } = settings.clone();
        let context = Context { session, production, expect, now };
        let assessment = judge(&inventory, &context);
        Self { context, inventory, assessment }
    }

    /// The finding that a text names: its id, or a part that begins only one.
    fn finding(&self, text: &str) -> Result<&Verdict, Trouble> {
        let all = self.assessment.findings();
        if let Some(exact) = all.iter().find(|verdict| verdict.id == text) {
            return Ok(exact);
        }
        let begins: Vec<_> = all.iter().filter(|verdict| verdict.id.starts_with(text)).collect();
        match begins.as_slice() {
            [one] => Ok(one),
            [] => Err(Trouble::new(
                Exit::Usage,
                format_args!("no open finding has the id '{text}': `bedwatch fix list` prints those that can be fixed"),
            )),
            several => {
                let ids: Vec<_> = several.iter().map(|verdict| verdict.id.as_str()).collect();
                Err(Trouble::new(Exit::Usage, format_args!("'{text}' begins several ids:\n  {}", ids.join("\n  "))))
            }
        }
    }
}

fn judge(inventory: &Inventory, context: &Context) -> Assessment {
    let lineage = Lineage::of(inventory);
    assess(&posture::Context::of(inventory, &lineage, &context.session, context.now, &context.expect))
}

fn list(seen: &Seen, formats: &[AccessFormat]) -> Result<Exit, Trouble> {
    let findings = seen.assessment.findings();
    let ways = |verdict: &Verdict| fix::propose(verdict, &seen.inventory, &seen.context).unwrap_or_default();
    let fixable: Vec<(&Verdict, Vec<Plan>)> =
        findings.iter().map(|verdict| (*verdict, ways(verdict))).filter(|(_, plans)| !plans.is_empty()).collect();
    let unknown = seen.assessment.count(Status::Unknown);
    let mut out = io::BufWriter::new(io::stdout().lock());
    for format in formats {
        match format {
            AccessFormat::Table => table(&fixable, &mut out)?,
            AccessFormat::Json => {
                let session = &seen.context.session;
                let document = json!({
                    "schema": "bedwatch.fixes/1",
                    "session": {"account": session.account, "region": session.region, "principal": session.principal},
                    "fixes": fixable.iter().map(|(verdict, plans)| row(verdict, plans)).collect::<Vec<_>>(),
                    "other_findings": findings.len() - fixable.len(),
                    "unknown": unknown,
                });
                writeln!(out, "{document:#}")?;
            }
        }
    }
    out.flush()?;
    let mut notes = io::stderr().lock();
    let others = findings.len() - fixable.len();
    if others > 0 {
        writeln!(notes, "{others} more findings have no fix here: `bedwatch scan` says what to do by hand")?;
    }
    if unknown > 0 {
        writeln!(notes, "{unknown} verdicts are UNKNOWN: there may be more to fix")?;
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Clean)
}

fn table(fixable: &[(&Verdict, Vec<Plan>)], out: &mut dyn Write) -> io::Result<()> {
    if fixable.is_empty() {
        writeln!(out, "nothing that can be fixed from here")?;
    }
    for (verdict, plans) in fixable {
        // The id is what `fix plan` takes: never cut, never wrapped.
        writeln!(out, "{}", safe_lines(&verdict.id))?;
        let fixes: BTreeSet<&str> = plans.iter().map(|plan| plan.fix.as_str()).collect();
        let fixes: Vec<&str> = fixes.into_iter().collect();
        let on = format!("{} {}", verdict.resource.kind.word(), verdict.name);
        let what = format!("{}  {}  {on}: {}", verdict.severity.word(), fixes.join(" "), verdict.reason);
        lines(out, "  ", &what)?;
        for (at, plan) in plans.iter().enumerate() {
            lines(out, "    ", &format!("{}  {}", at + 1, plan.title))?;
        }
    }
    Ok(())
}

fn row(verdict: &Verdict, plans: &[Plan]) -> Value {
    let ways = plans.iter().enumerate().map(|(at, plan)| {
        json!({
            "way": at + 1, "plan": plan.id, "fix": plan.fix, "title": plan.title, "caveats": plan.caveats,
            "operations": plan.changes.iter().map(fix::Change::operation).collect::<Vec<_>>(),
        })
    });
    json!({
        "finding": verdict.id, "control": verdict.control, "severity": verdict.severity.word(),
        "status": verdict.status.word(), "code": verdict.code, "reason": verdict.reason,
        "resource": verdict.resource.id, "name": verdict.name, "ways": ways.collect::<Vec<_>>(),
    })
}

fn plan(seen: &Seen, args: &PlanArgs) -> Result<Exit, Trouble> {
    let verdict = seen.finding(&args.finding)?;
    let plans = fix::propose(verdict, &seen.inventory, &seen.context)
        .map_err(|error| Trouble::new(Exit::Failure, format_args!("{}: {error}", verdict.id)))?;
    let way = usize::from(args.way);
    let Some(plan) = plans.get(way - 1) else {
        let count = plans.len();
        return Err(Trouble::new(Exit::Usage, format_args!("there are {count} ways to fix it, and no way {way}")));
    };
    let preview = fix::preview(plan, &seen.inventory, &seen.context).map_err(trouble)?;
    let document = fix::file::to_json(&preview, &seen.context.session, seen.context.now);
    writeln!(io::stdout(), "{document:#}")?;
    let mut notes = io::stderr().lock();
    show(&preview, &mut notes)?;
    for (at, other) in plans.iter().enumerate().filter(|(at, _)| at + 1 != way) {
        lines(&mut notes, "", &format!("another way: --way {}  {}", at + 1, other.title))?;
    }
    // What could not be looked at may gain or lose access too.
    Ok(if preview.incomplete.is_some() { Exit::Incomplete } else { Exit::Clean })
}

/// The consequences, for people.
fn show(preview: &Preview, out: &mut dyn Write) -> io::Result<()> {
    let plan = preview.plan();
    lines(out, "", &format!("{}  {}", plan.fix, plan.title))?;
    for (label, value) in &preview.summary {
        for (row, line) in value.lines().enumerate() {
            lines(out, "", &format!("  {:<8} {line}", if row == 0 { label } else { "" }))?;
        }
    }
    Ok(())
}

/// An error of a fix, with what differs.
fn trouble(error: FixError) -> Trouble {
    if let FixError::Call(call) = error {
        return call.into();
    }
    let exit = if matches!(error, FixError::NotConfirmed(_)) { Exit::Usage } else { Exit::Failure };
    let changed = error.diff().iter().filter(|line| line.kind != DiffKind::Same);
    let changed = changed.map(|line| {
        let mark = if line.kind == DiffKind::Added { '+' } else { '-' };
        format!("\n  {mark} {}", line.text)
    });
    let sentence = std::iter::once(error.to_string()).chain(changed).collect::<String>();
    Trouble::new(exit, sentence)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::Cli;

    #[test]
    fn only_what_changes_something_takes_the_flag() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["bedwatch", "fix"], args].concat());
        for good in [
            &["apply", "plan.json", "--write", "--confirm", "orion-chat"][..],
            &["undo", "2", "--own", "--write", "--case", "x.case"],
            &["plan", "CUS-KMS-06/a", "--way", "2"],
            &["list", "-M", "json"],
        ] {
            assert!(parse(good).is_ok(), "{good:?}");
        }
        for bad in [
            &["list", "--write"][..],
            &["plan", "x", "--write"],
            &["plan", "x", "--way", "0"],
            &["undo", "first"],
            &["apply"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
