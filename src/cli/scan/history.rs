//! The case that `scan --history` compares with and keeps its look in.

use std::path::Path;

use super::super::Trouble;
use super::{Exit, Seen};
use crate::case::{Case, CaseError};

/// Inventories that are kept beside what deep looks saw.
const KEPT: usize = 20;

/// The case, open before anything is read: a scan of hours must not end at a file that cannot be written.
pub(super) struct Kept(Case);

impl Kept {
    /// Opens it, or begins one; `targets`: how many accounts and regions are to be scanned.
    pub(super) fn open(path: &Path, targets: usize) -> Result<Self, Trouble> {
        if targets != 1 {
            let why = format!("--history keeps the looks of one account and region, and {targets} are to be scanned");
            return Err(Trouble::new(Exit::Usage, format_args!("{why}: scan them one by one, each with its own case")));
        }
        Case::open_or_create(path).map(Self).map_err(failed)
    }

    /// Gives a look what earlier ones saw; then takes what it saw itself.
    pub(super) fn meet(&self, seen: &mut Seen) -> Result<(), Trouble> {
        let Self(case) = self;
        case.belongs_to(&seen.session).map_err(failed)?;
        seen.baseline = case.baseline().map_err(failed)?;
        let mut with_this = seen.baseline.clone();
        with_this.take(&seen.inventory);
        case.set_baseline(&with_this).map_err(failed)?;
        case.save(&seen.session, &seen.inventory, seen.at).map_err(failed)?;
        case.thin(KEPT).map_err(failed)?;
        Ok(())
    }
}

fn failed(error: CaseError) -> Trouble {
    Trouble::new(Exit::Failure, error)
}
