//! Following CloudTrail's event history: the last day first, then what is new, each event once.
//!
//! Events do not arrive in the order of their times (CloudTrail delivers within some minutes), so
//! each look goes back over what was seen, and now and then further back.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::reader::{Heard, Reader};
use crate::aws::read::cloudtrail::{Lookup, lookup};
use crate::base::{Text, Timestamp};
use crate::inventory::{ErrorKind, ReadError, SourceId, SourceReport};

/// How far back the first look goes.
const FIRST_SECS: i64 = 24 * 3600;
/// Pages a look, of 50 events.
const PAGES: usize = 20;
/// How far each look goes back over what was seen.
const OVERLAP_SECS: i64 = 5 * 60;
/// How far every [`DEEP`]th look goes back, without stopping at what was seen.
const DEEP_SECS: i64 = 20 * 60;
const DEEP: u32 = 20;
/// How many event ids are remembered.
const REMEMBERED: usize = 50_000;
/// The longest that a page may take, its turn included.
const PAGE: Duration = Duration::from_secs(90);

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Follow {
    seen: Seen,
    newest: Option<Timestamp>,
    looks: u32,
    /// A stretch of time that was not read, and until when it matters.
    gap: Option<(Timestamp, ReadError)>,
}

impl Follow {
    /// One look: sends what is new, page by page.
    pub(super) async fn look(&mut self, reader: &Reader) -> SourceReport {
        let now = reader.now();
        let deep = self.looks.is_multiple_of(DEEP);
        self.looks = self.looks.wrapping_add(1);
        let since = match self.newest {
            None => now.plus_secs(-FIRST_SECS),
            Some(newest) => newest.plus_secs(if deep { -DEEP_SECS } else { -OVERLAP_SECS }),
        };
        let wanted = Lookup { since: Some(since), ..Lookup::default() };
        let (mut token, mut newest, mut oldest, mut malformed) = (None, self.newest, now, 0);
        let mut failures = Vec::new();
        for page in 0.. {
            if page == PAGES {
                self.gap = Some((now.plus_secs(FIRST_SECS), gap(since, oldest, now)));
                break;
            }
            let answer = match reader.gate.call(SourceId::EVENTS, PAGE, lookup(&reader.session, &wanted, token)).await {
                Ok(answer) => answer,
                Err(error) => {
                    failures.push(error);
                    break;
                }
            };
            malformed += answer.malformed;
            let mut fresh = answer.events;
            newest = newest.max(fresh.iter().map(|event| event.at).max());
            oldest = fresh.iter().map(|event| event.at).min().map_or(oldest, |at| at.min(oldest));
            fresh.retain(|event| self.seen.is_new(&event.id));
            let nothing_new = fresh.is_empty();
            fresh.retain(|event| !event.is_ours());
            if !fresh.is_empty() {
                reader.tell(Heard::Events(fresh)).await;
            }
            token = answer.next;
            if token.is_none() || (nothing_new && self.newest.is_some() && !deep) {
                break;
            }
        }
        // why: after a failure the next look begins where this one did, or what lay behind is lost.
        if failures.is_empty() {
            self.newest = newest;
        }
        if malformed > 0 {
            failures.push(ReadError {
                operation: SourceId::EVENTS.name().to_owned(),
                kind: ErrorKind::Malformed,
                message: Text::new(format!("{malformed} records could not be understood and are not shown")),
                at: now,
            });
        }
        self.gap.take_if(|(until, _)| *until < now);
        failures.extend(self.gap.iter().map(|(_, error)| error.clone()));
        SourceReport::sum(SourceId::EVENTS, reader.now(), self.seen.len(), &failures)
    }
}

fn gap(since: Timestamp, oldest: Timestamp, at: Timestamp) -> ReadError {
    ReadError {
        operation: SourceId::EVENTS.name().to_owned(),
        kind: ErrorKind::Truncated,
        message: Text::new(format!(
            "more than {} events: those from {} to {} were not read",
            PAGES * 50,
            since.minute(),
            oldest.minute()
        )),
        at,
    }
}

/// Ids of events or invocations, the latest [`REMEMBERED`].
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<Text>, VecDeque<Text>);

impl Seen {
    /// Whether the id was not seen before. Events without an id are always new.
    pub(super) fn is_new(&mut self, id: &Text) -> bool {
        if id.is_empty() {
            return true;
        }
        if !self.0.insert(id.clone()) {
            return false;
        }
        self.1.push_back(id.clone());
        if self.1.len() > REMEMBERED
            && let Some(oldest) = self.1.pop_front()
        {
            self.0.remove(&oldest);
        }
        true
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&"e-1".into()) && !seen.is_new(&"e-1".into()) && seen.is_new(&"e-2".into()));
        assert!(seen.is_new(&"".into()) && seen.is_new(&"".into()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen = Seen::default();
        for n in 0..=REMEMBERED {
            assert!(seen.is_new(&Text::new(format!("e-{n}"))));
        }
        assert_eq!((seen.0.len(), seen.1.len()), (REMEMBERED, REMEMBERED));
        assert!(seen.is_new(&"e-0".into()));
    }

    #[test]
    fn a_gap_says_what_was_not_read() {
        let at = |secs| Timestamp::from_secs(secs);
        assert_eq!(
            gap(at(0), at(3600), at(7200)).message.as_str(),
            "more than 1000 events: those from 1970-01-01 00:00 to 1970-01-01 01:00 were not read"
        );
    }
}
