//! `fix apply` and `fix undo`: read again, show, have it confirmed, make it, read it back, and keep a
//! journal of it all.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::write::WriteFlag;
use super::super::{Exit, Target, Trouble, case as cases, live};
use super::{Seen, judge, show, trouble};
use crate::aws::{Session, WriteToken, Writer};
use crate::base::Clock;
use crate::base::text::safe_lines;
use crate::case::{Case, Entry, place};
use crate::fix::{self, Applied, FixError, JournalEntry, Plan, Preview};
use crate::inventory::SessionInfo;

/// A plan is some kilobytes: a policy has at most 32, and stands in it a few times.
const LARGEST_PLAN: u64 = 4 << 20;

/// What both need.
#[derive(Debug, Args)]
struct Making {
    #[command(flatten)]
    write: WriteFlag,
    /// Confirm with this text, for scripts: the name that would have to be typed
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Keep the journal in this case; default: the case of the account and region
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,
}

/// Which plan.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// A file that `fix plan` wrote; `-` for standard input
    plan: PathBuf,
    #[command(flatten)]
    making: Making,
}

/// Which entry.
#[derive(Debug, Args)]
pub(in crate::cli) struct UndoArgs {
    /// Number of an entry, as `bedwatch case journal` prints it
    entry: u64,
    /// Take out only our own statements, where others have changed the policy since
    #[arg(long)]
    own: bool,
    #[command(flatten)]
    making: Making,
}

/// `fix apply`.
pub(super) async fn apply(target: &Target, args: &ApplyArgs) -> Result<Exit, Trouble> {
    let plan = plan_of(&args.plan)?;
    let bench = Bench::new(target, &args.making).await?;
    bench.make(&plan).await
}

/// `fix undo`.
pub(super) async fn undo(target: &Target, args: &UndoArgs) -> Result<Exit, Trouble> {
    // why before anything is read: a journal that is not there, or broken, needs no account.
    let early = args.making.case.as_deref().map(cases::open).transpose()?;
    let bench = Bench::new(target, &args.making).await?;
    let case = match early {
        Some(case) => case,
        None => bench.case()?,
    };
    let entry = entry_of(&case, args.entry)?;
    drop(case);
    let ways = fix::undo::ways(&entry, &bench.seen.inventory, &bench.seen.context).map_err(trouble)?;
    if args.own {
        let own = ways.own.ok_or_else(|| {
            Trouble::new(Exit::Usage, "nobody has changed the policy since: leave --own out, and all is as it was")
        })?;
        return bench.make(&own.map_err(trouble)?).await;
    }
    match (bench.preview(&ways.whole), ways.own) {
        (Err(drift @ FixError::Drift { .. }), Some(own)) => {
            let mut refused = trouble(drift);
            refused.sentence += "\n  ";
            refused.sentence += &match own {
                Ok(_) => "to do: --own takes out only our own statements and leaves the rest".into(),
                Err(why) => safe_lines(&why.to_string()).into_owned(),
            };
            Err(refused)
        }
        _ => bench.make(&ways.whole).await,
    }
}

/// Reads the plan of a file.
fn plan_of(path: &Path) -> Result<Plan, Trouble> {
    let failed = |error: io::Error| Trouble::new(Exit::Failure, format_args!("{}: {error}", path.display()));
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().take(LARGEST_PLAN + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).map_err(failed)?.take(LARGEST_PLAN + 1).read_to_string(&mut text)
    };
    let bytes = read.map_err(failed)?;
    if bytes as u64 > LARGEST_PLAN {
        return Err(Trouble::new(Exit::Failure, format_args!("{}: too long to be a plan", path.display())));
    }
    fix::file::parse(&text).map_err(|error| Trouble::new(Exit::Failure, format_args!("{}: {error}", path.display())))
}

/// The entry of a run that can be taken back, by the number of any of its entries.
fn entry_of(case: &Case, number: u64) -> Result<JournalEntry, Trouble> {
    let failed = |error| Trouble::new(Exit::Failure, format_args!("the journal: {error}"));
    case.verify().map_err(failed)?;
    let entries = case.entries().map_err(failed)?;
    let no = |why: &str| Trouble::new(Exit::Failure, format_args!("entry {number}: {why}"));
    let named = entries.iter().find(|held| held.seq == number).ok_or_else(|| no("there is none of that number"))?;
    let record = named.entry.fix().ok_or_else(|| no("it changed nothing, there is nothing to undo"))?;
    let open = fix::undoable(entries.iter().map(|held| &held.entry));
    let run = |entry: &&JournalEntry| entry.fix().is_some_and(|held| held.run == record.run);
    let found = open.into_iter().find(run).cloned();
    found.ok_or_else(|| no("it made no change, or it was taken back already"))
}

/// A session, what it sees, and what may be done in it.
struct Bench<'a> {
    session: Session,
    token: Option<WriteToken>,
    seen: Seen,
    clock: Clock,
    making: &'a Making,
}

impl<'a> Bench<'a> {
    async fn new(target: &Target, making: &'a Making) -> Result<Self, Trouble> {
        let clock = Clock::System;
        let token = making.write.token();
        let session = live::connect(target, token.clone(), &clock).await?;
        let seen = Seen::read(&session, &target.settings).await;
        Ok(Self { session, token, seen, clock, making })
    }

    fn info(&self) -> &SessionInfo {
        self.session.info()
    }

    fn preview(&self, plan: &Plan) -> Result<Preview, FixError> {
        fix::preview(plan, &self.seen.inventory, &self.seen.context)
    }

    /// Shows a plan, has it confirmed, makes it.
    async fn make(&self, plan: &Plan) -> Result<Exit, Trouble> {
        let preview = self.preview(plan).map_err(trouble)?;
        show(&preview, &mut io::stderr().lock())?;
        let Some(token) = &self.token else {
            return Err(Trouble::new(
                Exit::Usage,
                "nothing was changed: this session is read-only; start with --write",
            ));
        };
        if let Some(refusal) = preview.refusal() {
            return Err(trouble(refusal));
        }
        let approved = preview.approve(&self.confirmation(&preview)?).map_err(trouble)?;
        let case = self.case()?;
        let writer = Writer::new(&self.session, token.clone())?;
        let applied = fix::apply(&approved, &writer, &case, self.info(), &self.clock).await.map_err(trouble)?;
        self.report(plan, &applied, &case)?;
        Ok(Exit::Clean)
    }

    /// What the person typed, here or as an argument.
    fn confirmation(&self, preview: &Preview) -> Result<String, Trouble> {
        if let Some(given) = &self.making.confirm {
            return Ok(given.clone());
        }
        let wanted = preview.confirm().wanted();
        if !io::stdin().is_terminal() {
            return Err(Trouble::new(
                Exit::Usage,
                format_args!("not confirmed, so nothing was changed: add --confirm '{wanted}'"),
            ));
        }
        let mut err = io::stderr().lock();
        write!(err, "{}\n> ", preview.confirm().prompt(preview.plan().target.kind))?;
        err.flush()?;
        let mut typed = String::new();
        io::stdin().lock().read_line(&mut typed)?;
        Ok(typed)
    }

    /// The case that keeps the journal.
    fn case(&self) -> Result<Case, Trouble> {
        let path = match &self.making.case {
            Some(path) => path.clone(),
            None => place::default_path(self.info()).map_err(|error| Trouble::new(Exit::Failure, error))?,
        };
        let failed = |error| cases::about(&path, &error);
        let case = Case::open_or_create(&path).map_err(failed)?;
        case.belongs_to(self.info()).map_err(failed)?;
        Ok(case)
    }

    /// Says what was made, whether the finding is gone, and how to take it back.
    fn report(&self, plan: &Plan, applied: &Applied, case: &Case) -> Result<(), Trouble> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", applied.words)?;
        if let Some(finding) = &plan.finding {
            let mut after = self.seen.inventory.clone();
            for update in
                applied.after.iter().filter_map(|held| held.update(&after, self.clock.now())).collect::<Vec<_>>()
            {
                after.apply(update);
            }
            let assessment = judge(&after, &self.seen.context);
            let open = assessment.findings().iter().any(|verdict| verdict.id == *finding);
            let word = if open { "STILL OPEN" } else { "closed" };
            writeln!(out, "{}: {word}", safe_lines(finding))?;
        }
        let mine = |held: &&Entry| held.entry.fix().is_some_and(|record| record.run == applied.run);
        let number = case.entries().unwrap_or_default().iter().rev().find(mine).map(|held| held.seq);
        if let (Some(number), Some(path)) = (number, case.path()) {
            writeln!(out, "journal: entry {number} of {}", path.display())?;
            let elsewhere = self.making.case.as_ref().map(|path| format!(" --case {}", path.display()));
            writeln!(out, "to undo: bedwatch fix undo {number} --write{}", elsewhere.unwrap_or_default())?;
        }
        if let Some(warning) = &applied.warning {
            writeln!(io::stderr(), "bedwatch: {warning}")?;
        }
        Ok(())
    }
}
