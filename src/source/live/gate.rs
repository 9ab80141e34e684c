//! How many calls run at once: eight a service, sixteen in all; and a pause for a service that throttles.

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

/// Lets calls through. Clones are the same gate. First come, first served: what is asked for first
/// (the cheap lists) is read first.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    overall: Arc<Semaphore>,
    services: Arc<Mutex<BTreeMap<&'static str, Arc<Service>>>>,
    clock: Clock,
}

#[derive(Debug)]
struct Service {
    permits: Semaphore,
    pause: Mutex<Pause>,
}

#[derive(Debug, Default)]
struct Pause {
    throttles: u32,
    until: Option<Instant>,
    /// Calls in a row that found no network, and the last of them.
    unreached: usize,
    last: Option<(Instant, ReadError)>,
}

impl Gate {
    pub(super) fn new(clock: Clock) -> Self {
        Self { overall: Arc::new(Semaphore::new(OVERALL)), services: Arc::default(), clock }
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
        while let Some(until) = service.paused() {
            tokio::time::sleep_until(until).await;
        }
        let _overall: Option<SemaphorePermit<'_>> = self.overall.acquire().await.ok();
        if let Some(error) = service.unreached_since(came) {
            let message = Text::new(format!("not tried, as the calls before it failed: {}", error.message));
            return Err(ReadError { operation: source.name().to_owned(), message, ..error });
        }
        let result = tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            Err(ReadError {
                operation: source.name().to_owned(),
                kind: ErrorKind::Network,
                message: Text::new(format!("no answer within {} seconds", limit.as_secs())),
                at: self.clock.now(),
            })
        });
        service.learn(result.as_ref().err());
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

    /// A throttled call pauses the service, twice as long each time; an answer ends that.
    fn learn(&self, error: Option<&ReadError>) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error.filter(|error| error.kind == ErrorKind::Network) {
            pause.unreached += 1;
            pause.last = Some((Instant::now(), error.clone()));
        } else {
            (pause.unreached, pause.last) = (0, None);
        }
        match error {
            Some(error) if error.kind == ErrorKind::Throttled => {
                let wait = Duration::from_millis(500) * 2u32.saturating_pow(pause.throttles.min(8));
                pause.until = Some(Instant::now() + wait.min(LONGEST_PAUSE));
                pause.throttles = pause.throttles.saturating_add(1);
            }
            None => pause.throttles = 0,
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
