//! Counts calls, one line an operation. The guard writes it, [`crate::aws::Session::calls`] reads it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::inventory::CallStats;

/// The counts of one session. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct CallLog(Arc<Mutex<BTreeMap<String, CallStats>>>);

impl CallLog {
    /// A call passed the guard.
    pub fn sent(&self, operation: &str) {
        self.count(operation, |stats| stats.calls += 1);
    }

    /// A request goes on the wire.
    pub fn attempt(&self, operation: &str) {
        self.count(operation, |stats| stats.attempts += 1);
    }

    /// An attempt was throttled.
    pub fn throttled(&self, operation: &str) {
        self.count(operation, |stats| stats.throttles += 1);
    }

    /// A call is over.
    pub fn ended(&self, operation: &str, took: Duration, failed: bool) {
        self.count(operation, |stats| {
            stats.total_ms = stats.total_ms.saturating_add(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            stats.errors += u64::from(failed);
        });
    }

    /// The guard refused a call.
    pub fn refused(&self, operation: &str) {
        self.count(operation, |stats| stats.refused += 1);
    }

    /// All lines, by operation.
    pub fn lines(&self) -> Vec<CallStats> {
        self.lock().values().cloned().collect()
    }

    fn count(&self, operation: &str, change: impl FnOnce(&mut CallStats)) {
        let mut lines = self.lock();
        if let Some(line) = lines.get_mut(operation) {
            change(line);
        } else {
            let mut line = CallStats { operation: operation.to_owned(), ..CallStats::default() };
            change(&mut line);
            lines.insert(operation.to_owned(), line);
        }
    }

    /// why: counts stay meaningful after a panic elsewhere; a poisoned lock must not stop calls.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, CallStats>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_survive_a_panic_under_the_lock() {
        let log = CallLog::default();
        log.sent("kms:DescribeKey");
        let held = log.clone();
        let _ = std::thread::spawn(move || {
            let _lines = held.0.lock().unwrap();
            panic!("while holding the counts");
        })
        .join();
        log.ended("kms:DescribeKey", Duration::from_millis(20), true);
        log.refused("kms:PutKeyPolicy");
        let lines = log.lines();
        assert_eq!((lines[0].calls, lines[0].errors, lines[0].total_ms), (1, 1, 20));
        assert_eq!((lines[1].operation.as_str(), lines[1].refused), ("kms:PutKeyPolicy", 1));
    }
}
