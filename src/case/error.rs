//! What can be wrong with a case file, and what to do about it.

use std::path::PathBuf;

use super::journal::Broken;

/// Why a case could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// There is no such file.
    #[error("case {0} does not exist: give the path of a case, or start without --case to begin one")]
    Missing(PathBuf),
    /// There is one already.
    #[error("case {0} exists already: open it, or choose another path")]
    Exists(PathBuf),
    /// The file is something else.
    #[error("{0} is no case: it is not a SQLite database that bedwatch wrote")]
    NotACase(PathBuf),
    /// A newer bedwatch wrote it.
    #[error("case {path} has format {found}, this bedwatch knows up to {known}: use a newer bedwatch")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file or its folder could not be made or read.
    #[error("case {path}: {source}: check the path and its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite failed.
    #[error("case: {0}: check free space and whether another bedwatch holds the file")]
    Sqlite(#[from] rusqlite::Error),
    /// Something in it cannot be understood.
    #[error("case: {what} cannot be read: {why}: the file is damaged or was edited; `bedwatch case verify` says more")]
    Damaged {
        /// Which part.
        what: String,
        /// What the parser says.
        why: String,
    },
    /// It belongs to another account or region.
    #[error("case belongs to {held}, the session is {asked}: give each account and region its own case")]
    OtherSession {
        /// Account and region of the case.
        held: String,
        /// Account and region of the session.
        asked: String,
    },
    /// The journal's chain is broken.
    #[error("{0}")]
    Journal(#[from] Broken),
    /// There is no folder for it.
    #[error("no place for the case: {0}: name one with --case")]
    NoPlace(String),
    /// The JSON is no exported case.
    #[error("this is no exported case: {0}")]
    NotAnExport(String),
}

impl CaseError {
    pub(super) fn damaged(what: &str, why: impl ToString) -> Self {
        Self::Damaged { what: what.to_owned(), why: crate::base::text::safe(&why.to_string()).into_owned() }
    }
}
