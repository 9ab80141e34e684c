//! What trails and event data stores record, asked event by event: a selector is not read for words, it is
//! shown the event that matters.

use crate::base::Text;
use crate::inventory::Inventory;
use crate::inventory::trail::{Selector, Trail, TrailStatus};
use crate::posture::judge::unread;

/// An event as selectors see it: fields and their values. A field that is not in it is not known.
pub(super) type Event<'a> = [(&'a str, &'a str)];

/// Whether a selector records an event. A condition on a field that the event does not tell may leave it out,
/// so it counts as no.
pub(super) fn records(selector: &Selector, event: &Event<'_>) -> bool {
    !selector.conditions.is_empty()
        && selector.conditions.iter().all(|condition| event.iter().any(|(field, _)| condition.field.as_str() == *field))
        && event.iter().all(|(field, value)| selector.admits(field, value))
}

/// Whether one of these selectors records an event.
pub(super) fn any_records<'a>(selectors: impl IntoIterator<Item = &'a Selector>, event: &Event<'_>) -> bool {
    selectors.into_iter().any(|selector| records(selector, event))
}

/// A trail that could be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recorder<'a> {
    /// The trail.
    pub trail: &'a Trail,
    /// Whether it logs.
    pub status: &'a TrailStatus,
    /// What.
    pub selectors: &'a [Selector],
}

impl Recorder<'_> {
    /// Whether it logs, and delivers what it logs.
    pub fn works(&self) -> bool {
        self.status.logging && self.status.error.is_none()
    }

    /// Whether it sees what happens in this region.
    pub fn covers(&self, region: &str) -> bool {
        self.trail.multi_region || self.trail.home_region.as_str() == region
    }
}

/// The trails that could be read, and why the others could not.
pub(super) fn trails(inventory: &Inventory) -> (Vec<Recorder<'_>>, Vec<String>) {
    let (mut read, mut open) = (Vec::new(), Vec::new());
    for trail in inventory.trails.values() {
        match (trail.status.known(), trail.selectors.known()) {
            (Ok(status), Ok(selectors)) if !selectors.iter().any(is_old) => {
                read.push(Recorder { trail, status, selectors });
            }
            (Ok(_), Ok(_)) => open.push(format!("trail {}: {OLD}", trail.name)),
            (Err(unknown), _) => open.push(unread("cloudtrail:GetTrailStatus", unknown)),
            (_, Err(unknown)) => open.push(unread("cloudtrail:GetEventSelectors", unknown)),
        }
    }
    (read, open)
}

const OLD: &str = "what it records was saved by an older version, in words only; read it again";

/// A selector of an older case holds words and no conditions.
fn is_old(selector: &Selector) -> bool {
    selector.conditions.is_empty() && !selector.fields.is_empty()
}

/// An event data store that takes events of this region.
#[derive(Debug, Clone, Copy)]
pub(super) struct Store<'a> {
    /// Its name.
    pub name: &'a Text,
    /// What it records.
    pub selectors: &'a [Selector],
}

/// The event data stores that take events, and why those that may are not known.
pub(super) fn stores(inventory: &Inventory) -> (Vec<Store<'_>>, Vec<String>) {
    let (mut read, mut open) = (Vec::new(), Vec::new());
    for store in inventory.event_data_stores.values() {
        match store.detail.known() {
            Ok(detail) if detail.status.as_str() == "ENABLED" => {
                read.push(Store { name: &store.name, selectors: &detail.selectors });
            }
            Ok(_) => {}
            Err(unknown) => open.push(unread("cloudtrail:GetEventDataStore", unknown)),
        }
    }
    (read, open)
}
