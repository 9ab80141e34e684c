//! `data scan`: training and validation data of this machine or of a bucket, looked into line by line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Exit, Target, Trouble, live, output, runtime};
use crate::aws::read::comprehend::{contains, detect};
use crate::aws::read::objects::{Address, S3Folder};
use crate::base::Clock;
use crate::content::artefact::Folder as _;
use crate::content::bytes::Stream;
use crate::content::data::{Options, Report, Scanner};
use crate::content::opinion::{self, Samples};
use crate::content::{Findings, Masks, Severity};
use crate::inventory::ReadError;
use crate::report::{Content, ContentFormat};

/// What to do with training data.
#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Find secrets, personal data, planted instructions, invisible characters, triggers, duplicates, format errors
    Scan(DataScanArgs),
}

/// What to scan and how to say it.
#[derive(Debug, Args)]
pub(super) struct DataScanArgs {
    /// Files, folders, s3://BUCKET/PREFIX (reads the objects); `-` for standard input
    #[arg(required = true, value_name = "URI")]
    uris: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
    /// Key of the digests, so that runs can be compared; without it digests of guessable values are of this run only
    #[arg(long, value_name = "FILE")]
    digest_key: Option<PathBuf>,
    /// Hits of one rule that are listed one by one; all are counted
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    keep: usize,
    /// A longer line, in bytes, is no record; it is searched in parts
    #[arg(long, default_value_t = 4 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(4096..=256 << 20))]
    max_line: u64,
    /// Stop reading a file after so many bytes, unpacked
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// Ask Amazon Comprehend for a second opinion on personal data: text is sent to it, in the session's account and
    /// region, at its price, which is told before
    #[arg(long)]
    comprehend: bool,
    /// Send at most so many bytes of text; 100 bytes are about a unit
    #[arg(long, value_name = "BYTES", default_value_t = opinion::BYTES, requires = "comprehend")]
    comprehend_bytes: u64,
}

/// Formats, place and what counts as failure: the same for data and artefacts.
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Output formats
    #[arg(short = 'M', long = "output-formats", value_enum, value_delimiter = ',', default_value = "table")]
    formats: Vec<ContentFormat>,
    /// Write the reports into this folder; `-` for standard output
    #[arg(short = 'o', long = "output-directory", value_name = "DIR", default_value = "-")]
    directory: PathBuf,
    /// Exit with 3 if something found is at least this bad
    #[arg(long, value_enum, default_value = "low", value_name = "SEVERITY")]
    fail_on: Severity,
}

impl OutputArgs {
    /// Writes a report in every format asked for.
    pub(super) fn write(&self, content: Content<'_>, name: &str) -> Result<(), Trouble> {
        let write = |format: ContentFormat, out: &mut dyn io::Write| content.write(format, out);
        output::write(&self.directory, name, &self.formats, ContentFormat::extension, write)
    }

    /// How to end, by what was found and whether all was seen.
    pub(super) fn exit<'a>(&self, mut findings: impl Iterator<Item = &'a Findings>, complete: bool) -> Exit {
        if findings.any(|findings| findings.worst().is_some_and(|found| found <= self.fail_on)) {
            Exit::Findings
        } else if complete {
            Exit::Clean
        } else {
            Exit::Incomplete
        }
    }
}

/// Where something lies: here, or in a bucket.
pub(super) enum Source {
    /// A path, or `-`.
    Local(String),
    /// Objects, listed already.
    Bucket(S3Folder),
}

/// What may be asked, and the runtime that carries it: there is none if nothing lies in a bucket.
pub(super) struct Sources {
    /// In the order of the command line.
    pub list: Vec<Source>,
    // why kept: sources of buckets ask through it until they are dropped.
    _runtime: Option<tokio::runtime::Runtime>,
}

/// Finds out where each address leads. A session is made only if one of them is `s3://`: naming it is the consent to
/// read content.
pub(super) fn sources(target: &Target, uris: &[String]) -> Result<Sources, Trouble> {
    if uris.iter().all(|uri| !uri.contains("://")) {
        return Ok(Sources { list: uris.iter().cloned().map(Source::Local).collect(), _runtime: None });
    }
    let runtime = runtime()?;
    let list = runtime.block_on(async {
        let mut session = None;
        let mut list = Vec::new();
        for uri in uris {
            if !uri.contains("://") {
                list.push(Source::Local(uri.clone()));
                continue;
            }
            let address = Address::parse(uri).ok_or_else(|| {
                Trouble::new(
                    Exit::Usage,
                    format_args!("'{uri}' is no address that can be read\n  to do: give a path, or s3://BUCKET/KEY"),
                )
            })?;
            let session = match &session {
                Some(session) => session,
                None => session.insert(live::connect_for_content(target, false, &Clock::System).await?),
            };
            let folder = S3Folder::list(session, address).await?;
            if folder.is_empty() {
                return Err(Trouble::new(
                    Exit::Failure,
                    format_args!("nothing lies at {uri}\n  to do: check bucket and prefix with 'aws s3 ls {uri}'"),
                ));
            }
            list.push(Source::Bucket(folder));
        }
        Ok(list)
    })?;
    Ok(Sources { list, _runtime: Some(runtime) })
}

/// Runs it.
pub(super) fn run(target: &Target, command: &DataCommand) -> Result<Exit, Trouble> {
    let DataCommand::Scan(args) = command;
    let mut report = scan(target, args)?;
    if args.comprehend {
        second_opinion(target, args, &mut report)?;
    }
    args.output.write(Content::Data(&report), "bedwatch-data")?;
    Ok(args.output.exit(std::iter::once(&report.findings), report.is_complete()))
}

/// Sends the texts that were kept, after telling what that costs.
fn second_opinion(target: &Target, args: &DataScanArgs, report: &mut Report) -> Result<(), Trouble> {
    let Some(samples) = report.samples.take() else { return Ok(()) };
    let (bytes, price) = (samples.bytes(), samples.cost());
    // stderr may be closed; the option was given all the same.
    let _ = writeln!(io::stderr(), "bedwatch: sending {bytes} bytes of text to Amazon Comprehend, for at most {price}");
    let masks = masks(args)?;
    let opinion = runtime()?.block_on(async {
        let session = live::connect_for_content(target, true, &Clock::System).await?;
        let whether = |text: String| contains(&session, text);
        let places = |text: String| detect(&session, text);
        Ok::<_, ReadError>(opinion::ask(samples, &masks, whether, places).await)
    })?;
    let counts: BTreeMap<&str, u64> =
        report.findings.counts().into_iter().map(|(rule, count)| (rule.id, count)).collect();
    let opinion = report.opinion.insert(opinion);
    opinion::compare(opinion, |rule| counts.get(rule).copied().unwrap_or_default());
    Ok(())
}

fn masks(args: &DataScanArgs) -> Result<Masks, Trouble> {
    let Some(path) = &args.digest_key else { return Ok(Masks::random()) };
    let key = std::fs::read(path).map_err(|error| {
        Trouble::new(Exit::Usage, format_args!("cannot read the digest key {}: {error}", path.display()))
    })?;
    if key.trim_ascii().len() < 16 {
        let why = format_args!("the digest key {} has fewer than 16 bytes: anybody could guess it", path.display());
        return Err(Trouble::new(Exit::Usage, why));
    }
    Ok(Masks::keyed(key.trim_ascii()))
}

fn scan(target: &Target, args: &DataScanArgs) -> Result<Report, Trouble> {
    let options = Options {
        max_line: usize::try_from(args.max_line).unwrap_or(usize::MAX),
        keep: args.keep,
        max_bytes: args.max_bytes.unwrap_or(u64::MAX),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let samples = args.comprehend.then(|| Samples::up_to(args.comprehend_bytes));
    let mut scanner = Scanner::new(options, masks(args)?).sampling(samples);
    let sources = sources(target, &args.uris)?;
    let mut progress = Progress { loud: io::stderr().is_terminal(), told: false };
    let mut found = 0;
    for source in &sources.list {
        match source {
            Source::Local(uri) => found += local(uri, &mut scanner, &mut progress),
            Source::Bucket(folder) => {
                for (uri, object) in folder.sources() {
                    found += 1;
                    scanner.file(&uri, Stream::new(&object), &mut |bytes| progress.tell(&uri, bytes));
                }
                if folder.is_cut() {
                    scanner.unreadable(&folder.uri(), "there are more objects than are looked at");
                }
            }
        }
    }
    progress.end();
    let report = scanner.finish();
    if found == 0 {
        let why = report
            .files
            .first()
            .and_then(|file| file.stopped.clone())
            .map_or("there is no file".into(), |why| why.to_string());
        return Err(Trouble::new(
            Exit::Failure,
            format_args!(
                "nothing to scan in {}: {why}\n  to do: give files or folders that hold data",
                args.uris.join(", ")
            ),
        ));
    }
    Ok(report)
}

/// Scans what lies at a path of this machine; how many files were found.
fn local(uri: &str, scanner: &mut Scanner, progress: &mut Progress) -> usize {
    if uri == "-" {
        scanner.file("-", io::stdin().lock(), &mut |bytes| progress.tell("-", bytes));
        return 1;
    }
    let mut files = Vec::new();
    if let Err(error) = files_below(Path::new(uri), 0, &mut files) {
        scanner.unreadable(uri, &error.to_string());
    }
    for path in &files {
        let name = path.to_string_lossy();
        match File::open(path) {
            Ok(file) => scanner.file(&name, file, &mut |bytes| progress.tell(&name, bytes)),
            Err(error) => scanner.unreadable(&name, &error.to_string()),
        }
    }
    files.len()
}

/// Regular files below a path, sorted. Links inside a folder are not followed: they may lead anywhere.
fn files_below(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<_> = std::fs::read_dir(path)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < 32 {
            files_below(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// How far the scan is: one line on stderr, drawn over, only when that is a terminal.
struct Progress {
    loud: bool,
    told: bool,
}

impl Progress {
    fn tell(&mut self, uri: &str, bytes: u64) {
        if self.loud {
            let uri = crate::base::text::safe(uri);
            self.told = write!(io::stderr(), "\r\x1b[K{uri}: {} MB", bytes / 1_000_000).is_ok();
        }
    }

    fn end(&self) {
        if self.told {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
