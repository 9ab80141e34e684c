//! Fixes: propose → preview → confirm → apply → verify → undo. Knows no AWS: what must be read or
//! written goes through an [`Executor`], what must be remembered through a [`Recorder`].
//!
//! The types lead from one step to the next, so that none can be left out: a finding makes
//! [`Plan`]s, a plan makes a [`Preview`], only a preview that was confirmed makes an [`Approved`],
//! and only that can be applied.

pub mod apply;
pub mod change;
pub mod diff;
pub mod effects;
pub mod error;
pub mod file;
mod for_role;
pub mod journal;
mod merge;
pub mod plan;
pub mod preview;
pub mod propose;
pub mod rehearse;
pub mod setting;
pub mod statement;
mod summary;
mod target;
pub mod undo;

#[cfg(test)]
mod sample;

pub use apply::{Applied, Approved, Executed, Executor, KeySnapshot, apply, check};
pub use change::{Change, GrantSpec, Spot};
pub use effects::{AccessChange, Lockout};
pub use error::{Aftermath, DiffKind, DiffLine, FixError};
pub use journal::{
    Body, EntryKind, FixRecord, Held, JournalEntry, KeyState, Recorder, SettingState, undoable, unfinished,
};
pub use plan::{Confirm, Context, Plan, Precondition};
pub use preview::{FindingChange, Preview, preview, preview_with};
pub use propose::propose;
pub use rehearse::Rehearsal;
pub use setting::{BucketAt, Setting, Which};
pub use undo::undo;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The parameter of `PutKeyPolicy` that switches KMS's lockout check off is never named.
    #[test]
    fn nothing_can_switch_the_lockout_check_off() {
        let needle = ["bypass", "policylockout", "safetycheck"].concat();
        let mut read = 0;
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap().to_ascii_lowercase().replace('_', "");
                    assert!(!text.contains(&needle), "{}", path.display());
                    read += 1;
                }
            }
        }
        assert!(read > 20, "the sources were not found");
    }
}
