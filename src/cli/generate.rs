//! `completions` and `man`: derived from the command line itself.

use std::io;

use clap::CommandFactory as _;

use super::{Cli, Exit, Trouble};

/// Prints a completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bedwatch", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(Exit::Clean)
}

/// Prints the manual page.
pub(super) fn man() -> Result<Exit, Trouble> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    io::Write::write_all(&mut io::stdout(), &page)?;
    Ok(Exit::Clean)
}
