//! Time: RFC 3339 in, ages a person reads out, and a clock that tests and the demo drive.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// A moment in UTC, in whole milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Why a string is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an RFC 3339 time such as 2026-11-21T08:41:07Z")]
pub struct NotATime(String);

impl Timestamp {
    /// From milliseconds since 1970. Out of jiff's range (years -9999 to 9999) is clamped.
    pub fn from_millis(millis: i64) -> Self {
        // why whole seconds: jiff refuses the fractions of its last one.
        let (low, high) = (jiff::Timestamp::MIN.as_second() * 1000, jiff::Timestamp::MAX.as_second() * 1000);
        Self(millis.clamp(low, high))
    }

    /// From seconds since 1970.
    pub fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This moment plus `seconds` (may be negative).
    #[must_use]
    pub fn plus_secs(self, seconds: i64) -> Self {
        Self::from_millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Seconds from `earlier` to this; negative if this is before it.
    pub fn secs_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1000)
    }

    /// `08:41:07`, UTC.
    pub fn clock(self) -> String {
        self.jiff().strftime("%H:%M:%S").to_string()
    }

    /// `2026-11-21 08:41`, UTC.
    pub fn minute(self) -> String {
        self.jiff().strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn jiff(self) -> jiff::Timestamp {
        // The constructors keep the value in range.
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// A span in one or two letters and a number, as k9s writes it: `4s`, `11m`, `3h`, `2d`, `14mo`.
/// Negative spans (an expiry ahead of us is counted the other way) print their size.
pub fn span(secs: i64) -> String {
    let secs = secs.unsigned_abs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m", secs / 60),
        3600..86_400 => format!("{}h", secs / 3600),
        86_400..5_184_000 => format!("{}d", secs / 86_400),
        _ => format!("{}mo", secs / 2_592_000),
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.jiff().to_string())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let parsed: jiff::Timestamp =
            text.trim().parse().map_err(|_| NotATime(super::text::safe(text).chars().take(60).collect()))?;
        Ok(Self(parsed.as_millisecond()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

/// What tells the time. Cloned clocks agree.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's time.
    System,
    /// Starts at a moment and runs on at the machine's pace: a case or the demo replayed.
    Replay {
        /// The moment it started at.
        from: Timestamp,
        /// When it was started, on the machine's monotonic clock.
        started: Instant,
    },
    /// Stands still until moved: tests.
    Manual(Arc<AtomicI64>),
    /// Not known yet: a saved case tells its time once it is open. Until then it is the epoch.
    Later(Arc<OnceLock<Clock>>),
}

impl Clock {
    /// A clock that starts at `from` now and runs on.
    pub fn replay(from: Timestamp) -> Self {
        Self::Replay { from, started: Instant::now() }
    }

    /// A clock that stands at `at` until [`Clock::advance`].
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    /// A clock that another one takes the place of, with [`Clock::becomes`].
    pub fn later() -> Self {
        Self::Later(Arc::default())
    }

    /// Sets a clock that was made with [`Clock::later`], and all its clones. Once; the others stay as they are.
    pub fn becomes(&self, clock: Self) {
        if let Self::Later(cell) = self {
            let _ = cell.set(clock);
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Replay { from, started } => {
                let ran = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(from.0.saturating_add(ran))
            }
            Self::Manual(at) => Timestamp::from_millis(at.load(Ordering::Relaxed)),
            Self::Later(cell) => cell.get().map_or(Timestamp::from_secs(0), Self::now),
        }
    }

    /// Moves a manual clock on; the others move by themselves.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_read_like_k9s() {
        for (secs, text) in
            [(0, "0s"), (59, "59s"), (61, "1m"), (7200, "2h"), (90_000, "1d"), (5_184_000, "2mo"), (-120, "2m")]
        {
            assert_eq!(span(secs), text);
        }
    }

    #[test]
    fn times_of_other_zones_are_the_same_moment() {
        let utc: Timestamp = "2026-11-21T08:41:07Z".parse().unwrap();
        assert_eq!("2026-11-21T10:41:07+02:00".parse::<Timestamp>().unwrap(), utc);
        assert_eq!((utc.clock(), utc.minute()), ("08:41:07".into(), "2026-11-21 08:41".into()));
        assert!("2026-11-21 08:41".parse::<Timestamp>().unwrap_err().to_string().contains("RFC 3339"));
    }

    #[test]
    fn a_manual_clock_moves_when_told() {
        let clock = Clock::manual(Timestamp::from_secs(100));
        let same = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!(same.now(), Timestamp::from_secs(105));
    }

    #[test]
    fn a_clock_of_later_becomes_another_once() {
        let clock = Clock::later();
        let same = clock.clone();
        assert_eq!(same.now(), Timestamp::from_secs(0));
        clock.becomes(Clock::manual(Timestamp::from_secs(7)));
        clock.becomes(Clock::manual(Timestamp::from_secs(8)));
        assert_eq!(same.now(), Timestamp::from_secs(7));
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(millis in any::<i64>()) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }
}
