//! The journal as the console holds it: read when somebody looks, and again after every fix.

use crate::fix::JournalEntry;
use crate::fix::journal::Held;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// The entries, and how we came by them.
#[derive(Debug, Default)]
pub struct Journaled {
    /// Oldest first: the place in the list is the number of the entry less one.
    pub entries: Vec<JournalEntry>,
    /// Whether it was read at least once.
    pub read: bool,
    /// Why it could not be read the last time.
    pub error: Option<String>,
    /// Whether it was asked for since anything may have changed it.
    pub asked: bool,
    /// Whether the undo list waits for it.
    pub for_undo: bool,
}

impl Journaled {
    /// Takes what was read.
    pub fn take(&mut self, entries: Result<Vec<JournalEntry>, String>) {
        match entries {
            Ok(entries) => {
                self.entries = entries;
                self.read = true;
                self.error = None;
            }
            Err(why) => self.error = Some(why),
        }
    }

    /// By number, from 1.
    pub fn get(&self, number: usize) -> Option<&JournalEntry> {
        self.entries.get(number.checked_sub(1)?)
    }

    /// Keys whose policy is not any more what the last fix left: somebody changed it since, past bedwatch.
    pub fn drifted(&self, inventory: &Inventory) -> Vec<(usize, ResourceRef)> {
        let mut seen = Vec::new();
        let mut drifted = Vec::new();
        for (at, entry) in self.entries.iter().enumerate().rev() {
            let Some(record) = entry.fix() else { continue };
            for after in record.after.iter().filter_map(Held::key) {
                if seen.contains(&&after.key) {
                    continue;
                }
                seen.push(&after.key);
                let now = inventory.keys.get(&after.key).and_then(|key| key.policy.known().ok());
                if now.is_some_and(|policy| !policy.same_json(&after.state.policy)) {
                    drifted.push((at + 1, ResourceRef::new(Kind::Key, &after.key)));
                }
            }
        }
        drifted
    }
}
