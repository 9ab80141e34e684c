//! Following CloudTrail's event history: what is newest first, then what is new, each event once.
//!
//! Events do not arrive in the order of their times (CloudTrail delivers within some minutes), so
//! each look goes back over what was seen, and now and then further back. Where the newest pages do not
//! hold the whole day, the rest is looked through by attribute ([`super::backfill`]), and the report says
//! since when what is known.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::backfill::{Backfill, State};
use super::history::changes;
use super::reader::{Heard, Reader, TRIES};
use crate::activity::jacking::is_change;
use crate::aws::read::cloudtrail::{EventPage, Lookup, lookup};
use crate::base::{Text, Timestamp};
use crate::inventory::settings::Setting;
use crate::inventory::{ErrorKind, Read, ReadError, SourceId, SourceReport, Update};

/// How far back the first look goes.
const FIRST_SECS: i64 = 24 * 3600;
/// Pages of the newest events, 50 each, that the first look takes before it goes by attribute.
const FIRST_PAGES: usize = 10;
/// Pages of the newest events that a later look takes.
const PAGES: usize = 20;
/// Pages by attribute that a later look takes: some seconds of the two calls a second that the whole
/// account has, so that others get their turn between two looks.
const FILLING: usize = 12;
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
    malformed: usize,
    /// Whether somebody changed customization.
    changed: bool,
    /// Whether it is known who did so before.
    looked_back: bool,
    /// Stretches of time that were not read whole.
    backfill: Backfill,
}

/// What a page had.
struct Page {
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
    nothing_new: bool,
    next: Option<String>,
}

impl Follow {
    /// One look: sends what is new, page by page.
    pub(super) async fn look(&mut self, reader: &Reader) -> SourceReport {
        let now = reader.now();
        let begin = now.plus_secs(-FIRST_SECS);
        let first = self.newest.is_none();
        self.malformed = 0;
        let mut failures: Vec<ReadError> = self.newest_pages(reader, now).await.err().into_iter().collect();
        self.backfill.forget(begin);
        let pages = if first { self.backfill.first_pages().saturating_sub(1) } else { FILLING };
        if failures.is_empty() {
            failures.extend(self.fill(reader, pages).await.err());
        }
        if failures.is_empty() {
            self.look_back(reader, begin).await;
        }
        if self.malformed > 0 {
            let message = format!("{} records could not be understood and are not shown", self.malformed);
            failures.push(error(ErrorKind::Malformed, message, now));
        }
        let state = self.backfill.state(begin);
        failures.extend(state.map(|state| error(ErrorKind::Truncated, behind(&state), now)));
        let looked = state.map(|state| state.looked);
        SourceReport { looked, ..SourceReport::sum(SourceId::EVENTS, reader.now(), self.seen.len(), &failures) }
    }

    /// Where somebody changed customization: who did so before, if that was not looked up yet.
    async fn look_back(&mut self, reader: &Reader, begin: Timestamp) {
        if !self.changed || self.looked_back {
            return;
        }
        let history = changes(reader, begin).await;
        self.looked_back = history.is_ok();
        let read = history.map_or_else(Read::failed, |history| Read::got(history, reader.now()));
        reader.tell(Heard::Update(Update::Setting(Setting::Changes(read)))).await;
    }

    /// The newest events, down to those that were seen; what remains goes to the backfill.
    async fn newest_pages(&mut self, reader: &Reader, now: Timestamp) -> Result<(), ReadError> {
        let deep = self.looks.is_multiple_of(DEEP);
        self.looks = self.looks.wrapping_add(1);
        let (since, pages) = match self.newest {
            None => (now.plus_secs(-FIRST_SECS), FIRST_PAGES),
            Some(newest) => (newest.plus_secs(if deep { -DEEP_SECS } else { -OVERLAP_SECS }), PAGES),
        };
        let wanted = Lookup { since: Some(since), ..Lookup::default() };
        let (mut token, mut newest, mut oldest) = (None, self.newest, now);
        for page in 0.. {
            if page == pages {
                self.backfill.add(since, oldest);
                break;
            }
            // why no more on an error: the next look begins where this one did, or what lay behind is lost.
            let page = self.page(reader, &wanted, token).await?;
            newest = newest.max(page.newest);
            oldest = page.oldest.map_or(oldest, |at| at.min(oldest));
            token = page.next;
            if token.is_none() || (page.nothing_new && self.newest.is_some() && !deep) {
                break;
            }
        }
        self.newest = newest;
        Ok(())
    }

    /// Some pages of what is missing.
    async fn fill(&mut self, reader: &Reader, pages: usize) -> Result<(), ReadError> {
        for _ in 0..pages {
            let Some(ask) = self.backfill.next() else { break };
            match self.page(reader, &ask.lookup, ask.token.clone()).await {
                Ok(page) => self.backfill.learn(&ask, page.oldest, page.next),
                // why: a place in a list may be too old by now; another begins at its top.
                Err(error) if ask.token.is_some() && error.kind == ErrorKind::Service => self.backfill.restart(&ask),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One page: what is new of it is sent.
    async fn page(&mut self, reader: &Reader, wanted: &Lookup, token: Option<String>) -> Result<Page, ReadError> {
        let EventPage { events: mut fresh, malformed, next } = fetch(reader, wanted, token).await?;
        self.malformed += malformed;
        let (oldest, newest) = (fresh.iter().map(|event| event.at).min(), fresh.iter().map(|event| event.at).max());
        fresh.retain(|event| self.seen.is_new(&event.id));
        let nothing_new = fresh.is_empty();
        fresh.retain(|event| !event.is_ours());
        self.changed |= fresh.iter().any(is_change);
        if !fresh.is_empty() {
            reader.tell(Heard::Events(fresh)).await;
        }
        Ok(Page { oldest, newest, nothing_new, next })
    }
}

/// One page of the event history.
pub(super) async fn fetch(reader: &Reader, wanted: &Lookup, token: Option<String>) -> Result<EventPage, ReadError> {
    let mut tries = 1;
    loop {
        let call = Box::pin(lookup(&reader.session, wanted, token.clone()));
        match reader.gate.call(SourceId::EVENTS, PAGE, call).await {
            // why: the two calls a second are those of the whole account; others use them too.
            Err(error) if error.kind == ErrorKind::Throttled && tries < TRIES => tries += 1,
            result => return result,
        }
    }
}

fn error(kind: ErrorKind, message: String, at: Timestamp) -> ReadError {
    ReadError { operation: SourceId::EVENTS.name().to_owned(), kind, message: Text::new(message), at }
}

/// Since when what is known.
fn behind(state: &State) -> String {
    let further = if state.goes_on { "older ones are being read" } else { "older ones are not read" };
    let looked = state.looked;
    if looked.named == looked.all {
        return format!("there are more events than were read: all are here since {}; {further}", looked.all.minute());
    }
    format!(
        "there are more events than were read: all are here since {}; changes and the use of keys and models since {}; \
         {further}",
        looked.all.minute(),
        looked.named.minute()
    )
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
    use crate::inventory::coverage::Looked;

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
    fn a_gap_says_since_when_what_is_known() {
        let at = |secs| Timestamp::from_secs(secs);
        let state = |all, named, goes_on| State { looked: Looked { all: at(all), named: at(named) }, goes_on };
        for (state, text) in [
            (
                state(7200, 3600, true),
                "all are here since 1970-01-01 02:00; changes and the use of keys and models since 1970-01-01 01:00; \
                 older ones are being read",
            ),
            (state(7200, 7200, false), "all are here since 1970-01-01 02:00; older ones are not read"),
        ] {
            assert_eq!(behind(&state), format!("there are more events than were read: {text}"));
        }
    }
}
