//! The command line: one file a subcommand; parse, call, print. Results go to stdout, everything
//! else to stderr.

mod access;
mod access_eval;
mod case;
mod console;
mod generate;
mod live;
mod logging;
mod policy;
mod scan;
mod screenshots;
mod why;

use std::fmt;
use std::io;
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
    /// Profile of the AWS configuration files
    #[arg(long, global = true, env = "AWS_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// Region; default: the profile's
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Send every AWS request here instead (a test server, a VPC endpoint)
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    endpoint_url: Option<String>,
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
    /// Allow fixes to be applied. Without it no mutating request can leave the process
    #[arg(long)]
    write: bool,
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
        Self::new(exit, format_args!("{error}\n  to do: {}", error.kind.advice()))
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
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(trouble) => {
            use io::Write as _;
            // stderr may be closed as well; there is nobody left to tell.
            let _ = writeln!(io::stderr(), "bedwatch: {}", trouble.sentence);
            trouble.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Trouble> {
    match cli.command {
        None => console::run(&cli.target, cli.console),
        Some(Command::Scan(args)) => scan::run(&cli.target, &args),
        Some(Command::Access(args)) => access::run(&cli.target, &args),
        Some(Command::Why(args)) => why::run(&cli.target, &args),
        Some(Command::AccessEval(args)) => access_eval::run(&args),
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
