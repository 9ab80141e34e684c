//! What happened, held for the console: newest first, each event once, found by id and by resource.

use std::collections::HashMap;
use std::sync::Arc;

use crate::activity::{Event, Outcome};
use crate::base::{ResourceId, Text, Timestamp};

/// How many events are held; older ones go.
pub const MOST: usize = 20_000;

/// The events.
#[derive(Debug, Default)]
pub struct Log {
    order: Vec<Arc<Event>>,
    by_id: HashMap<Text, Arc<Event>>,
    by_name: HashMap<String, Vec<Arc<Event>>>,
    /// Counts changes.
    pub revision: u64,
}

impl Log {
    /// Takes new events. Returns whether there were any.
    pub fn take(&mut self, events: Vec<Event>) -> bool {
        let held = self.by_id.len();
        for event in events {
            let event = Arc::new(event);
            if self.by_id.insert(event.id.clone(), event.clone()).is_none() {
                self.order.push(event);
            }
        }
        if self.by_id.len() == held {
            return false;
        }
        self.order.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        for gone in self.order.drain(self.order.len().min(MOST)..) {
            self.by_id.remove(&gone.id);
        }
        self.by_name.clear();
        for event in &self.order {
            let mut names: Vec<_> = event.resources.iter().map(ResourceId::last).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                self.by_name.entry(name.to_owned()).or_default().push(event.clone());
            }
        }
        self.revision += 1;
        true
    }

    /// All, newest first.
    pub fn all(&self) -> &[Arc<Event>] {
        &self.order
    }

    /// By id.
    pub fn event(&self, id: &Text) -> Option<&Arc<Event>> {
        self.by_id.get(id)
    }

    /// Those that name this resource, newest first.
    pub fn of(&self, id: &ResourceId) -> &[Arc<Event>] {
        self.by_name.get(id.last()).map_or(&[], Vec::as_slice)
    }
}

/// Calls and denials an hour, oldest first, over the `hours` before `now`.
pub fn hourly<'a>(events: impl IntoIterator<Item = &'a Arc<Event>>, now: Timestamp, hours: usize) -> Vec<(u32, u32)> {
    buckets(events, now, hours, 3600)
}

/// Calls and denials in `count` spans of `secs` before `now`, oldest first.
pub fn buckets<'a>(
    events: impl IntoIterator<Item = &'a Arc<Event>>,
    now: Timestamp,
    count: usize,
    secs: i64,
) -> Vec<(u32, u32)> {
    let mut counts = vec![(0, 0); count];
    for event in events {
        let back = usize::try_from(now.secs_since(event.at).max(0) / secs.max(1)).unwrap_or(usize::MAX);
        if let Some(place) = count.checked_sub(back.saturating_add(1)) {
            counts[place].0 += 1;
            counts[place].1 += u32::from(matches!(event.outcome, Outcome::Denied(_)));
        }
    }
    counts
}
