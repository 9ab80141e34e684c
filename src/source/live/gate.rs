//! How many calls run at once: eight a service, sixteen in all; a pause for a service that throttles, longer each
//! time; and an end of trying where a service does nothing but throttle, or there is no network.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::base::{Clock, Text};
use crate::inventory::{ErrorKind, ReadError, SourceId};

/// Calls of one service at once.
pub(super) const PER_SERVICE: usize = 8;
/// Calls at once.
const OVERALL: usize = 16;
/// The longest that a throttled service is left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// After so many calls in a row without a network, those that were waiting behind them are not tried.
const UNREACHED: usize = PER_SERVICE / 2;

/// The first pause of a service that throttles; each round after it makes it twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// After so many rounds in a row in which a source was only throttled, its calls are not tried until the pause is
/// over: what is left of two thousand jobs must not wait a quarter of a minute for every eight of them.
const REFUSED: u32 = 6;

/// Lets calls through. Clones are the same gate. First come, first served: what is asked for first
/// (the cheap lists) is read first.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    overall: Arc<Semaphore>,
    services: Arc<Mutex<BTreeMap<&'static str, Arc<Service>>>>,
    clock: Clock,
    first_pause: Duration,
}

#[derive(Debug)]
struct Service {
    permits: Semaphore,
    pause: Mutex<Pause>,
}

#[derive(Debug, Default)]
struct Pause {
    /// Rounds of throttling in a row: calls that ran at once are one.
    throttles: u32,
    until: Option<Instant>,
    /// When the last round was noticed; what began before is of that round.
    since: Option<Instant>,
    /// The same of each source that was throttled last, with the error.
    refused: BTreeMap<SourceId, (u32, Instant, ReadError)>,
    /// Calls in a row that found no network, and the last of them.
    unreached: usize,
    last: Option<(Instant, ReadError)>,
}

impl Gate {
    pub(super) fn new(clock: Clock) -> Self {
        Self { overall: Arc::new(Semaphore::new(OVERALL)), services: Arc::default(), clock, first_pause: FIRST_PAUSE }
    }

    /// Runs a call of a source when there is room, and gives up on it after `limit`: whatever hangs,
    /// the read ends and says so.
    pub(super) async fn call<T>(
        &self,
        source: SourceId,
        limit: Duration,
        call: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        let service = self.service(source);
        let came = Instant::now();
        let _service: Option<SemaphorePermit<'_>> = service.permits.acquire().await.ok();
        let not_tried = |error: ReadError| {
            let message = Text::new(format!("not tried, as the calls before it failed: {}", error.message));
            Err(ReadError { operation: source.name().to_owned(), message, ..error })
        };
        while let Some(until) = service.paused() {
            if let Some(error) = service.refused(source) {
                return not_tried(error);
            }
            tokio::time::sleep_until(until).await;
        }
        let _overall: Option<SemaphorePermit<'_>> = self.overall.acquire().await.ok();
        if let Some(error) = service.unreached_since(came) {
            return not_tried(error);
        }
        let began = Instant::now();
        let result = tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            Err(ReadError {
                operation: source.name().to_owned(),
                kind: ErrorKind::Network,
                message: Text::new(format!("no answer within {} seconds", limit.as_secs())),
                at: self.clock.now(),
            })
        });
        service.learn(source, result.as_ref().err(), began, self.first_pause);
        result
    }

    fn service(&self, source: SourceId) -> Arc<Service> {
        let name = source.name().split(':').next().unwrap_or_default();
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Service { permits: Semaphore::new(PER_SERVICE), pause: Mutex::default() });
        services.entry(name).or_insert_with(new).clone()
    }
}

impl Service {
    fn paused(&self) -> Option<Instant> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.until.filter(|until| *until > Instant::now())
    }

    /// Why a call that came at `came` need not be tried: enough of those before it have failed since.
    fn unreached_since(&self, came: Instant) -> Option<ReadError> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, error) = pause.last.as_ref()?;
        (pause.unreached >= UNREACHED && *at > came).then(|| error.clone())
    }

    /// Why a call of this source is not worth the pause: it has only been throttled.
    fn refused(&self, source: SourceId) -> Option<ReadError> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        let (rounds, _, error) = pause.refused.get(&source)?;
        (*rounds >= REFUSED).then(|| error.clone())
    }

    /// A throttled call pauses the service, twice as long each time; an answer ends that. `began`: when the call was
    /// sent, so that calls that were throttled together count once.
    fn learn(&self, source: SourceId, error: Option<&ReadError>, began: Instant, first: Duration) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error.filter(|error| error.kind == ErrorKind::Network) {
            pause.unreached += 1;
            pause.last = Some((Instant::now(), error.clone()));
        } else {
            (pause.unreached, pause.last) = (0, None);
        }
        match error {
            Some(error) if error.kind == ErrorKind::Throttled => {
                let now = Instant::now();
                let (rounds, noticed, last) = pause.refused.entry(source).or_insert((0, began, error.clone()));
                if began >= *noticed {
                    (*rounds, *noticed, *last) = (rounds.saturating_add(1), now, error.clone());
                }
                if pause.since.is_none_or(|since| began >= since) {
                    let wait = first * 2u32.saturating_pow(pause.throttles.min(8));
                    (pause.since, pause.until) = (Some(now), Some(now + wait.min(LONGEST_PAUSE)));
                    pause.throttles = pause.throttles.saturating_add(1);
                }
            }
            None => {
                pause.throttles = 0;
                pause.refused.remove(&source);
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn throttled() -> ReadError {
        ReadError {
            operation: "kms:ListGrants".into(),
            kind: ErrorKind::Throttled,
            message: "slow down".into(),
            at: Timestamp::from_secs(1),
        }
    }

    #[tokio::test]
    async fn a_call_that_hangs_ends_and_says_so() {
        let gate = Gate::new(Clock::System);
        let hung = gate.call(SourceId::GRANTS, Duration::from_millis(20), std::future::pending::<Result<(), _>>());
        let error = hung.await.unwrap_err();
        assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Network, "kms:ListGrants"));
    }

    #[tokio::test]
    async fn no_more_than_eight_of_a_service_run_at_once() {
        let gate = Gate::new(Clock::System);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let calls = (0..40).map(|_| {
            gate.call(SourceId::GRANTS, Duration::from_secs(9), async {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        });
        futures::future::join_all(calls).await;
        assert_eq!(most.load(Ordering::SeqCst), PER_SERVICE);
    }

    #[tokio::test]
    async fn who_waits_behind_a_dead_network_does_not_wait_for_ever() {
        let gate = Gate::new(Clock::System);
        let calls = (0..100)
            .map(|_| gate.call(SourceId::GRANTS, Duration::from_millis(50), std::future::pending::<Result<(), _>>()));
        let began = Instant::now();
        let results = futures::future::join_all(calls).await;
        assert!(results.iter().all(Result::is_err));
        // A hundred calls one after another in eights would take 650 ms.
        let tried = results.iter().filter(|r| r.as_ref().is_err_and(|e| e.message.as_str().starts_with("no answer")));
        assert!(tried.count() <= 2 * PER_SERVICE, "{:?}", began.elapsed());
        gate.call(SourceId::GRANTS, Duration::from_secs(1), async { Ok(()) }).await.unwrap();
    }

    #[tokio::test]
    async fn calls_that_were_throttled_together_are_one_round_and_after_six_the_rest_is_not_tried() {
        let gate = Gate { first_pause: Duration::from_millis(20), ..Gate::new(Clock::System) };
        let (began, sent) = (Instant::now(), AtomicUsize::new(0));
        let calls = (0..1000).map(|_| {
            gate.call(SourceId::GRANTS, Duration::from_secs(9), async {
                sent.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                Err::<(), _>(throttled())
            })
        });
        let results = futures::future::join_all(calls).await;
        assert!(results.iter().all(|result| result.as_ref().is_err_and(|e| e.kind == ErrorKind::Throttled)));
        assert_eq!(sent.load(Ordering::SeqCst), PER_SERVICE * REFUSED as usize);
        // Five pauses, each twice as long as the one before.
        assert!(began.elapsed() >= Duration::from_millis(20 * 31), "{:?}", began.elapsed());
        // Another source of the service waits for its turn and is tried; so is this one when the pause is over.
        gate.call(SourceId::KEYS, Duration::from_secs(9), async { Ok(()) }).await.unwrap();
        gate.call(SourceId::GRANTS, Duration::from_secs(9), async { Ok(()) }).await.unwrap();
        assert!(gate.service(SourceId::GRANTS).refused(SourceId::GRANTS).is_none());
    }

    #[tokio::test]
    async fn a_throttled_service_is_left_alone_and_others_go_on() {
        let gate = Gate::new(Clock::System);
        let second = Duration::from_secs(1);
        let began = Instant::now();
        let _ = gate.call(SourceId::GRANTS, second, async { Err::<(), _>(throttled()) }).await;
        gate.call(SourceId::BUCKETS, second, async { Ok(()) }).await.unwrap();
        assert!(gate.service(SourceId::BUCKETS).paused().is_none());
        assert!(gate.service(SourceId::KEYS).paused().is_some());
        gate.call(SourceId::KEYS, second, async { Ok(()) }).await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(500));
    }
}
