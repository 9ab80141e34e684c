//! The command line: one file a subcommand; parse, call, print. Results go to stdout, everything
//! else to stderr.

mod access;
mod access_eval;
mod access_how;
mod access_propose;
mod artifact;
mod case;
mod console;
mod data;
mod fix;
mod generate;
mod live;
mod logging;
mod near;
mod output;
mod policy;
mod scan;
mod screenshots;
mod settings;
mod why;
mod write;

use std::fmt;
use std::io::{self, Write as _};
use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::inventory::{ErrorKind, ReadError};

/// Guards Amazon Bedrock model customization: how custom models are made, stored, encrypted,
/// reached and used.
///
/// Without a command it opens the console on the default AWS profile. `--demo` opens it on a bundled
/// case: no credentials, no network.
#[derive(Debug, Parser)]
#[command(name = "bedwatch", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 clean, 1 failure, 2 usage or credentials, 3 findings at or above --fail-on, \
    4 incomplete (something could not be read, so its verdicts are UNKNOWN).")]
pub struct Cli {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    console: ConsoleOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Which account and region, and how to get there.
#[derive(Debug, Clone, Args)]
struct Target {
    /// Profile of the AWS configuration files; `scan` takes several, separated by commas
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// Region; default: the profile's. `scan` takes several, separated by commas
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// A context of the configuration file: its profile, region, endpoint and what is expected there
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Send every AWS request here instead (a test server, a VPC endpoint)
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    endpoint_url: Option<String>,
    #[arg(skip)]
    settings: settings::Settings,
}

impl Target {
    /// One target for each profile and region named; several are separated by commas.
    fn each(&self) -> Vec<Self> {
        let parts = |list: &Option<String>| match list {
            Some(list) => list.split(',').map(|part| Some(part.trim().to_owned())).collect(),
            None => vec![None],
        };
        let regions: Vec<Option<String>> = parts(&self.region);
        let of_profile = |profile: Option<String>| {
            let one = move |region: &Option<String>| Self {
                profile: profile.clone(),
                region: region.clone(),
                ..self.clone()
            };
            regions.iter().map(one).collect::<Vec<_>>()
        };
        parts(&self.profile).into_iter().flat_map(of_profile).collect()
    }
}

/// How the console looks and what it may do.
#[derive(Debug, Clone, Args)]
struct ConsoleOptions {
    /// Open the bundled case: no credentials, no network, read-only
    #[arg(long, conflicts_with_all = ["case", "write"])]
    demo: bool,
    /// Open a saved case: no network, read-only
    #[arg(long, value_name = "FILE", conflicts_with = "write")]
    case: Option<PathBuf>,
    #[command(flatten)]
    write: write::WriteFlag,
    /// Colour theme; `bedwatch --theme ?` lists them
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long)]
    ascii: bool,
    /// Do not use synchronized output (DEC 2026)
    #[arg(long)]
    no_sync: bool,
}

impl ConsoleOptions {
    /// Options that promise no network, or ask for the right to write, are the console's. Dropping them silently
    /// before a command would let it go to the live account against what was said.
    fn refuse_before_a_command(&self) -> Result<(), Trouble> {
        let wrong = [
            (self.demo, "--demo opens the console; no command reads the bundled case"),
            (self.case.is_some(), "--case opens the console; a saved case is scanned with `scan --offline FILE`"),
            (
                self.write.token().is_some(),
                "--write before a command opens nothing; it belongs behind `fix apply` and `fix undo`",
            ),
        ];
        match wrong.into_iter().find(|(given, _)| *given) {
            Some((_, why)) => Err(Trouble::new(Exit::Usage, format_args!("{why}"))),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the account once and report what is wrong, for CI
    Scan(scan::ScanArgs),
    /// Who can use this key, model, bucket or role: a matrix, with reasons
    Access(access::AccessArgs),
    /// One decision: every layer, the deciding statement
    Why(why::WhyArgs),
    /// Evaluate cases from standard input
    AccessEval(access_eval::EvalArgs),
    /// Look into training data: secrets, personal data, planted instructions, repetition, format
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Look into model artefacts: safetensors structure, pickles, code, chat templates
    #[command(subcommand)]
    Artifact(artifact::ArtifactCommand),
    /// Plan fixes, apply them, take them back
    #[command(subcommand)]
    Fix(fix::FixCommand),
    /// Look at case files
    #[command(subcommand)]
    Case(case::CaseCommand),
    /// Print the IAM policy that bedwatch needs
    Policy(policy::PolicyArgs),
    /// Draw the pictures of the documentation from the demo
    #[command(hide = true)]
    Screenshots(screenshots::ScreenshotsArgs),
    /// Print a completion script
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// How the process ends (DESIGN §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Clean,
    /// Something failed.
    Failure,
    /// Wrong usage, or no usable credentials.
    Usage,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Something could not be read.
    Incomplete,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::Findings => 3,
            Exit::Incomplete => 4,
        })
    }
}

/// One sentence for stderr, and how to end.
#[derive(Debug)]
struct Trouble {
    exit: Exit,
    sentence: String,
}

impl Trouble {
    fn new(exit: Exit, sentence: impl fmt::Display) -> Self {
        // Errors quote file names, profiles and server answers: outside text.
        Self { exit, sentence: crate::base::text::safe_lines(&sentence.to_string()).into_owned() }
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        let exit = match error.kind {
            ErrorKind::NoCredentials | ErrorKind::Expired | ErrorKind::Denied => Exit::Usage,
            // No region, or none of that name: the session could not be begun.
            ErrorKind::Unsupported => Exit::Usage,
            _ => Exit::Failure,
        };
        Self::new(exit, format_args!("{error}\n  to do: {}", error.kind.advice_once()))
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => {
                Self::new(Exit::Failure, "the reader of standard output closed it before everything was written")
            }
            _ => Self::new(Exit::Failure, error),
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let _log = logging::start();
    let exit = caught(|| {
        run(cli).unwrap_or_else(|trouble| {
            tell(&trouble.sentence);
            trouble.exit
        })
    });
    exit.into()
}

/// Runs, and makes a failure with a last sentence out of a panic. The panic hook has given the
/// terminal back and told what happened by then.
pub fn caught(run: impl FnOnce() -> Exit) -> Exit {
    // why safe to go on: nothing is done after a panic but to end.
    panic::catch_unwind(panic::AssertUnwindSafe(run)).unwrap_or_else(|_| {
        tell(
            "it broke off because of a defect of its own, which the lines above name; what it had begun to change, \
             if anything, is in the journal (`bedwatch case journal FILE`); please report it with those lines",
        );
        Exit::Failure
    })
}

fn tell(sentence: &str) {
    // stderr may be closed as well; there is nobody left to tell.
    let _ = writeln!(io::stderr(), "bedwatch: {sentence}");
}

fn run(mut cli: Cli) -> Result<Exit, Trouble> {
    cli.target.settings = settings::Settings::load(&mut cli.target)?;
    if cli.command.is_some() {
        cli.console.refuse_before_a_command()?;
    }
    match cli.command {
        None => console::run(&cli.target, cli.console),
        Some(Command::Scan(args)) => scan::run(&cli.target, &args),
        Some(Command::Access(args)) => access::run(&cli.target, &args),
        Some(Command::Why(args)) => why::run(&cli.target, &args),
        Some(Command::AccessEval(args)) => access_eval::run(&args),
        Some(Command::Data(command)) => data::run(&cli.target, &command),
        Some(Command::Artifact(command)) => artifact::run(&cli.target, &command),
        Some(Command::Fix(command)) => fix::run(&cli.target, &command),
        Some(Command::Case(command)) => case::run(&cli.target, &command),
        Some(Command::Policy(args)) => policy::run(&args),
        Some(Command::Screenshots(args)) => screenshots::run(&args),
        Some(Command::Completions { shell }) => generate::completions(shell),
        Some(Command::Man) => generate::man(),
    }
}

/// An endpoint is a URL with a host and without a path of its own.
fn endpoint(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', ' ', '@']) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("an endpoint is http://HOST[:PORT] or https://HOST[:PORT]".into()),
    }
}

/// A runtime with as many workers as the machine has cores, at most four: the work is waiting.
fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, 4))
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(Exit::Failure, format_args!("the async runtime could not start: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn endpoints() {
        for good in ["http://127.0.0.1:5566", "https://vpce-1.kms.us-east-1.vpce.amazonaws.com/"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in ["", "localhost:5566", "ftp://x", "http://", "http://user@host", "http://host/path"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_demo_and_a_case_cannot_write() {
        assert!(Cli::try_parse_from(["bedwatch", "--demo", "--write"]).is_err());
        assert!(Cli::try_parse_from(["bedwatch", "--case", "x", "--write"]).is_err());
        assert!(Cli::try_parse_from(["bedwatch", "scan", "--write"]).is_err());
    }
}
