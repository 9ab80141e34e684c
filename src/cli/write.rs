//! `--write`, and the permission that follows from it. Only here a [`WriteToken`] is minted, and only
//! from a flag that clap has read: nothing else can make a [`WriteFlag`].

use clap::Args;

use crate::aws::WriteToken;

/// Whether the person allows changes.
#[derive(Debug, Clone, Args)]
pub(super) struct WriteFlag {
    /// Allow fixes to be applied. Without it no mutating request can leave the process
    #[arg(long)]
    write: bool,
}

impl WriteFlag {
    /// The permission, if the flag was given.
    pub(super) fn token(&self) -> Option<WriteToken> {
        WriteToken::from_command_line(self.write)
    }
}
