//! When each source is read: its interval, what it waits for, pauses and backing off.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::order::after;
use crate::inventory::SourceId;

/// The most a source's interval is stretched when AWS throttles it: two to this power.
const MOST_BACKOFF: u32 = 4;
/// A source rests at least this many times as long as its reading took.
const REST: u32 = 4;

#[derive(Debug, Clone, Default)]
struct Slot {
    due: Option<Instant>,
    running: bool,
    done: Option<Instant>,
    forced: bool,
    throttles: u32,
}

/// The plan of all sources that this version reads.
#[derive(Debug)]
pub(super) struct Schedule {
    slots: BTreeMap<SourceId, Slot>,
    paused: bool,
    once: bool,
}

/// How a read of a source went, as far as it matters for the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Went {
    pub(super) throttled: bool,
    pub(super) took: Duration,
}

impl Schedule {
    /// Everything is due at once, except what the caller leaves out.
    pub(super) fn new(now: Instant, without: &[SourceId]) -> Self {
        let read = SourceId::all().filter(|source| source.is_read() && !without.contains(source));
        let slot = Slot { due: Some(now), ..Slot::default() };
        Self { slots: read.map(|source| (source, slot.clone())).collect(), paused: false, once: false }
    }

    /// With what lies in objects and logs.
    #[must_use]
    pub(super) fn and_deep(mut self, now: Instant) -> Self {
        let slot = Slot { due: Some(now), ..Slot::default() };
        self.slots.extend(SourceId::all().filter(|source| source.is_deep()).map(|source| (source, slot.clone())));
        self
    }

    /// One round only: nothing falls due again by itself.
    #[must_use]
    pub(super) fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// Stops what comes by itself; what is asked for still runs.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Makes sources due now. Forced ones are read whole, and in a pause too.
    pub(super) fn ask(&mut self, sources: impl IntoIterator<Item = SourceId>, now: Instant, forced: bool) {
        for source in sources {
            if let Some(slot) = self.slots.get_mut(&source) {
                slot.due = Some(slot.due.map_or(now, |due| due.min(now)));
                slot.forced |= forced;
            }
        }
    }

    /// Makes everything due now but what lies in objects and logs.
    pub(super) fn ask_all(&mut self, now: Instant) {
        let all: Vec<_> = self.slots.keys().copied().filter(|source| !source.is_deep()).collect();
        self.ask(all, now, true);
    }

    /// Takes the sources that may start now; each with whether it was forced.
    pub(super) fn start(&mut self, now: Instant) -> Vec<(SourceId, bool)> {
        let ready: Vec<_> = self.slots.keys().copied().filter(|source| self.is_ready(*source, now)).collect();
        ready
            .into_iter()
            .filter_map(|source| {
                let slot = self.slots.get_mut(&source)?;
                (slot.due, slot.running) = (None, true);
                Some((source, std::mem::take(&mut slot.forced)))
            })
            .collect()
    }

    /// A source has been read.
    pub(super) fn done(&mut self, source: SourceId, now: Instant, went: Went) {
        let once = self.once;
        let Some(slot) = self.slots.get_mut(&source) else { return };
        slot.running = false;
        slot.done = Some(now);
        slot.throttles = if went.throttled { (slot.throttles + 1).min(MOST_BACKOFF) } else { 0 };
        // why: who asked while it ran wants an answer of after the asking. Content is looked into when somebody asks.
        if slot.due.is_none() && !once && !source.is_deep() {
            let every = Duration::from_secs(u64::from(source.source().every.max(1)));
            let rest = (every * (1 << slot.throttles)).max(went.took * REST);
            slot.due = Some(now + rest.mul_f64(jitter()));
        }
    }

    /// A source was read before the schedule began.
    pub(super) fn had(&mut self, source: SourceId, now: Instant) {
        if let Some(slot) = self.slots.get_mut(&source) {
            slot.due = None;
        }
        self.done(source, now, Went::default());
    }

    /// Whether a source was read and falls due later.
    pub(super) fn rests(&self, source: SourceId, now: Instant) -> bool {
        let rests = |slot: &Slot| !slot.running && slot.due.is_some_and(|due| due > now);
        !self.paused && self.slots.get(&source).is_some_and(rests)
    }

    /// Whether anything runs.
    pub(super) fn is_busy(&self) -> bool {
        self.slots.values().any(|slot| slot.running)
    }

    /// Whether nothing runs and nothing is due: the round is over.
    pub(super) fn is_over(&self) -> bool {
        self.slots.values().all(|slot| !slot.running && slot.due.is_none())
    }

    /// When something falls due next. What is due already is not told: it waits for another source to
    /// end, and whoever slept until a moment of the past would not sleep at all.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let waiting = self.slots.values().filter(|slot| !slot.running && (!self.paused || slot.forced));
        waiting.filter_map(|slot| slot.due).filter(|due| *due > now).min()
    }

    fn is_due(&self, slot: &Slot, now: Instant) -> bool {
        slot.due.is_some_and(|due| due <= now) && (!self.paused || slot.forced)
    }

    fn is_ready(&self, source: SourceId, now: Instant) -> bool {
        let Some(slot) = self.slots.get(&source) else { return false };
        let due = slot.due.unwrap_or(now);
        !slot.running && self.is_due(slot, now) && after(source).iter().all(|needed| !self.blocks(*needed, due, now))
    }

    /// Whether a source that fell due at `since` still has to wait for `needed`. One read after that
    /// moment is enough: a quick source that is always due must not starve a slow one.
    fn blocks(&self, needed: SourceId, since: Instant, now: Instant) -> bool {
        let Some(slot) = self.slots.get(&needed) else { return false };
        let read_since = slot.done.is_some_and(|done| done >= since);
        (slot.running || self.is_due(slot, now)) && !read_since
    }
}

/// A factor of 0.9 to 1.1, so that many consoles on one account do not fall into step.
fn jitter() -> f64 {
    // Every RandomState has keys of its own.
    0.9 + (RandomState::new().build_hasher().finish() % 1000) as f64 / 5000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    type S = SourceId;

    fn sources(started: Vec<(S, bool)>) -> Vec<S> {
        started.into_iter().map(|(source, _)| source).collect()
    }

    #[test]
    fn a_round_goes_in_order_and_reaches_everything() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin, &[]).and_deep(begin).once();
        let mut order = Vec::new();
        for step in 1..20 {
            let now = begin + Duration::from_millis(step);
            for (source, _) in schedule.start(now) {
                order.push(source);
                schedule.done(source, now, Went::default());
            }
        }
        assert!(schedule.is_over() && !schedule.is_busy());
        let at = |source| order.iter().position(|s| *s == source).unwrap();
        assert!(at(S::JOBS) < at(S::JOB_DETAILS) && at(S::JOB_DETAILS) < at(S::BUCKET_LOCATION));
        assert!(at(S::BUCKET_ENCRYPTION) < at(S::KEY_POLICIES) && at(S::KEY_POLICIES) < at(S::BUCKET_ACL));
        assert!(at(S::IMPORT_JOB_DETAILS) < at(S::OBJECTS) && at(S::OBJECTS) < at(S::CONTENT));
        assert_eq!(order.len(), S::all().filter(|source| source.is_read() || source.is_deep()).count());
        let usual = Schedule::new(begin, &[]);
        assert!(usual.slots.keys().all(|source| !source.is_deep()), "content is read only when it is asked for");
    }

    #[test]
    fn a_source_that_is_always_due_starves_nobody() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin, &[]);
        let started = sources(schedule.start(begin));
        assert!(started.contains(&S::JOBS) && !started.contains(&S::JOB_DETAILS));
        let later = begin + Duration::from_secs(1);
        schedule.ask([S::JOBS], later, false);
        schedule.done(S::JOBS, later, Went::default());
        let started = sources(schedule.start(later));
        assert!(started.contains(&S::JOBS) && started.contains(&S::JOB_DETAILS));
    }

    #[test]
    fn a_pause_stops_all_but_what_is_asked_for() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin, &[]);
        schedule.pause(true);
        assert!(schedule.start(begin).is_empty() && schedule.next(begin).is_none());
        schedule.ask([S::LOGGING], begin, true);
        assert_eq!(schedule.start(begin), [(S::LOGGING, true)]);
        schedule.done(S::LOGGING, begin, Went::default());
        schedule.ask_all(begin);
        assert!(sources(schedule.start(begin)).contains(&S::JOBS));
    }

    #[test]
    fn throttles_and_long_reads_stretch_the_interval() {
        let begin = Instant::now();
        let due = |went: Went, times: usize| {
            let mut schedule = Schedule::new(begin, &[]);
            for _ in 0..times {
                schedule.ask([S::JOBS], begin, false);
                schedule.start(begin);
                schedule.done(S::JOBS, begin, went);
            }
            (schedule.slots[&S::JOBS].due.unwrap() - begin).as_secs_f64() / f64::from(S::JOBS.source().every)
        };
        let about = |factor: f64, wanted: f64| (0.89..1.11).contains(&(factor / wanted));
        assert!(about(due(Went::default(), 3), 1.0));
        let throttled = Went { throttled: true, ..Went::default() };
        assert!(about(due(throttled, 1), 2.0) && about(due(throttled, 2), 4.0) && about(due(throttled, 9), 16.0));
        let slow = Went { took: Duration::from_mins(1), ..Went::default() };
        assert!(about(due(slow, 1), 240.0 / f64::from(S::JOBS.source().every)));
    }

    #[test]
    fn who_asks_while_it_runs_gets_another_read() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin, &[]);
        schedule.start(begin);
        schedule.ask([S::JOBS], begin + Duration::from_secs(1), true);
        schedule.done(S::JOBS, begin + Duration::from_secs(2), Went::default());
        assert!(schedule.start(begin + Duration::from_secs(2)).contains(&(S::JOBS, true)));
    }

    #[test]
    fn what_was_read_rests_until_it_falls_due() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin, &[]);
        assert!(!schedule.rests(S::JOBS, begin), "it is due");
        schedule.start(begin);
        assert!(!schedule.rests(S::JOBS, begin), "it is being read");
        schedule.done(S::JOBS, begin, Went::default());
        assert!(schedule.rests(S::JOBS, begin));
        schedule.pause(true);
        assert!(!schedule.rests(S::JOBS, begin), "a pause is a pause");
    }

    #[test]
    fn what_is_left_out_blocks_nobody() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin, &[S::EVENTS, S::JOBS]);
        assert!(sources(schedule.start(begin)).contains(&S::JOB_DETAILS));
    }
}
