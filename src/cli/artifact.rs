//! `artifact check`: model artefacts of this machine or of a bucket, looked into without loading them.

use std::path::Path;

use clap::{Args, Subcommand};

use super::data::{OutputArgs, Source, sources};
use super::{Exit, Target, Trouble};
use crate::content::artefact::{Folder as _, LocalFolder, Report, check};
use crate::report::Content;

/// What to do with model artefacts.
#[derive(Debug, Subcommand)]
pub(super) enum ArtifactCommand {
    /// Verify safetensors, list what pickles would run, find code, check what import needs
    Check(ArtifactArgs),
}

/// What to check and how to say it.
#[derive(Debug, Args)]
pub(super) struct ArtifactArgs {
    /// Folders, single files, s3://BUCKET/PREFIX (reads headers and small files by range)
    #[arg(required = true, value_name = "URI")]
    uris: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs it.
pub(super) fn run(target: &Target, command: &ArtifactCommand) -> Result<Exit, Trouble> {
    let ArtifactCommand::Check(args) = command;
    let sources = sources(target, &args.uris)?;
    let reports = sources.list.iter().map(one).collect::<Result<Vec<Report>, Trouble>>()?;
    args.output.write(Content::Artefacts(&reports), "bedwatch-artifact")?;
    let complete = reports.iter().all(Report::is_complete);
    Ok(args.output.exit(reports.iter().map(|report| &report.findings), complete))
}

fn one(source: &Source) -> Result<Report, Trouble> {
    let failed = |uri: &str, error: std::io::Error| {
        let to_do = "give a folder or a file that can be read";
        Trouble::new(Exit::Failure, format_args!("cannot look into {uri}: {error}\n  to do: {to_do}"))
    };
    match source {
        Source::Local(uri) => {
            let path = Path::new(uri);
            let folder = LocalFolder::new(path).map_err(|error| failed(uri, error))?;
            check(&folder, !path.is_dir()).map_err(|error| failed(uri, error))
        }
        Source::Bucket(folder) => check(folder, folder.is_single()).map_err(|error| failed(&folder.uri(), error)),
    }
}
