//! Keeps bedwatch below request rates that AWS fixes for a whole account.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The operation whose rate is fixed: two a second in one account and region, for everybody in it
/// (CloudTrail API Reference, LookupEvents).
pub const PACED: &str = "cloudtrail:LookupEvents";

/// Hands out turns, one an interval. Clones share them.
#[derive(Debug, Clone)]
pub struct Pace {
    every: Duration,
    next: Arc<Mutex<Option<Instant>>>,
}

impl Pace {
    /// One turn every `every`.
    pub fn new(every: Duration) -> Self {
        Self { every, next: Arc::default() }
    }

    /// For [`PACED`]: 1.8 a second, so that a person in the AWS console still gets a turn.
    pub fn lookup_events() -> Self {
        Self::new(Duration::from_millis(550))
    }

    /// Waits for the next turn. A turn that is given up is lost, not handed on.
    pub async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.every);
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_apart_and_the_first_is_at_once() {
        let pace = Pace::new(Duration::from_millis(30));
        let began = Instant::now();
        pace.turn().await;
        let other = pace.clone();
        tokio::join!(pace.turn(), other.turn());
        assert!(began.elapsed() >= Duration::from_millis(60));
    }
}
