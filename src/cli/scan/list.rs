//! `--list-controls` and `--list-compliance`: what can be judged. Asks nobody.

use std::io;

use super::super::{Exit, Trouble, output};
use super::args::ScanArgs;
use crate::report::{Format, catalogue};

/// Lists and ends.
pub(super) fn run(args: &ScanArgs) -> Result<Exit, Trouble> {
    if args.formats.iter().any(|format| !matches!(format, Format::Table | Format::Json)) {
        return Err(Trouble::new(Exit::Usage, "lists are written as table or json\n  to do: -M table, -M json"));
    }
    let controls: Vec<_> = args.chosen().collect();
    if args.list_controls && controls.is_empty() {
        return Err(Trouble::new(Exit::Usage, "no control is left by these filters\n  to do: leave some of them out"));
    }
    let name = if args.list_controls { "bedwatch-controls" } else { "bedwatch-compliance" };
    let write = |format: Format, out: &mut dyn io::Write| match (format, args.list_controls) {
        (Format::Json, true) => catalogue::controls_json(&controls, out),
        (_, true) => catalogue::controls(&controls, args.names_controls(), out),
        (Format::Json, false) => catalogue::frameworks_json(out),
        (_, false) => catalogue::frameworks(out),
    };
    output::write(&args.output, name, &args.formats, Format::extension, write)?;
    Ok(Exit::Clean)
}
