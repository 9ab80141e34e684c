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

/// The same for a scan, which applies nothing: it only allows that findings are sent.
#[derive(Debug, Clone, Args)]
pub(super) struct PushFlag {
    /// Allow --push-security-hub to send. Without it no mutating request can leave the process
    #[arg(long, requires = "push_security_hub")]
    write: bool,
}

impl PushFlag {
    /// The permission, if the flag was given.
    pub(super) fn token(&self) -> Option<WriteToken> {
        minted(self.write)
    }
}

impl WriteFlag {
    /// The permission, if the flag was given.
    pub(super) fn token(&self) -> Option<WriteToken> {
        minted(self.write)
    }
}

fn minted(write: bool) -> Option<WriteToken> {
    WriteToken::from_command_line(write)
}
