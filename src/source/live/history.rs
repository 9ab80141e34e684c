//! Who changed customization before the day that is followed: CloudTrail keeps 90 days, and these calls are so few that
//! each of them can be looked up by name. Only what tells a first change from another is kept, not the events.

use super::follow::fetch;
use super::reader::Reader;
use crate::activity::jacking::{CHANGES, makers};
use crate::aws::read::cloudtrail::{Attribute, Lookup};
use crate::base::Timestamp;
use crate::inventory::ReadError;
use crate::inventory::changes::ChangeHistory;

/// How far back CloudTrail's event history goes (CloudTrail User Guide, "Working with CloudTrail event history").
const KEPT_SECS: i64 = 90 * 24 * 3600;
/// Pages of one call, 50 events each: where a call is as frequent, it is nothing that is seen for the first time.
const PAGES: usize = 4;

/// Looks up every change before `until`.
pub(super) async fn changes(reader: &Reader, until: Timestamp) -> Result<ChangeHistory, ReadError> {
    let mut since = until.plus_secs(-KEPT_SECS);
    let mut events = Vec::new();
    for name in CHANGES {
        let wanted = Lookup {
            since: Some(until.plus_secs(-KEPT_SECS)),
            until: Some(until),
            attribute: Some(Attribute::Name((*name).to_owned())),
        };
        let mut token = None;
        for page in 1.. {
            let found = fetch(reader, &wanted, token).await?;
            let oldest = found.events.iter().map(|event| event.at).min();
            events.extend(found.events);
            token = found.next;
            if token.is_none() {
                break;
            }
            if page == PAGES {
                // Before the oldest of these there are more.
                since = oldest.map_or(until, |oldest| since.max(oldest.plus_secs(1)));
                break;
            }
        }
    }
    Ok(ChangeHistory { since, until, makers: makers(&events) })
}
