//! One value that had to be read from AWS: got, failed, or not asked for yet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Text, Timestamp};

/// A value behind one API call. Rules use [`Read::known`], screens may use [`Read::last`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Read<T> {
    /// Nobody asked yet.
    #[default]
    NotAsked,
    /// Read. An absence that AWS reports as an error (no bucket policy) is `Got(None)` in an
    /// `Option`, not a failure.
    Got {
        /// What AWS said.
        value: T,
        /// When.
        at: Timestamp,
    },
    /// The last attempt failed.
    Failed {
        /// Why.
        error: ReadError,
        /// What an earlier attempt got, and when: to be shown as stale, never to pass.
        #[serde(skip_serializing_if = "Option::is_none")]
        last: Option<(T, Timestamp)>,
    },
}

/// Why a read failed, in words a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadError {
    /// `service:Operation`, as the guard and the coverage name it.
    pub operation: String,
    /// What sort of failure.
    pub kind: ErrorKind,
    /// What AWS said, or what happened to the connection.
    pub message: Text,
    /// When.
    pub at: Timestamp,
}

/// Sorts of failure. Each tells the user something else to do ([`ErrorKind::advice`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// No credentials anywhere in the chain.
    NoCredentials,
    /// The credentials have expired.
    Expired,
    /// AWS refused: a permission is missing or denied.
    Denied,
    /// Too many requests, retries used up.
    Throttled,
    /// No answer: DNS, connect, TLS, timeout, connection closed.
    Network,
    /// The service or operation does not exist in this region.
    Unsupported,
    /// The resource is not there (any more).
    NotFound,
    /// The answer could not be understood.
    Malformed,
    /// AWS rejected the request or failed itself.
    Service,
    /// bedwatch's own read-only guard refused; nothing was sent.
    Refused,
    /// There is more than bedwatch reads at once.
    Truncated,
    /// This version of bedwatch does not ask.
    NotAsked,
}

impl ErrorKind {
    /// One word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoCredentials => "no credentials",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Network => "network",
            Self::Unsupported => "not in region",
            Self::NotFound => "not found",
            Self::Malformed => "malformed",
            Self::Service => "service error",
            Self::Refused => "refused",
            Self::Truncated => "not all",
            Self::NotAsked => "not asked",
        }
    }

    /// What to do about it on the command line, where there is no key to press.
    pub fn advice_once(self) -> &'static str {
        match self {
            Self::Expired => "log in again (aws sso login --profile …), then run it again",
            Self::Throttled => "run it again later, or from fewer places at once",
            Self::Network => {
                "check the network, the proxy variables, AWS_CA_BUNDLE and the endpoint, then run it again"
            }
            Self::NotFound => "run it again: it may have been deleted since it was listed",
            Self::Service => "run it again; if it stays, look at the AWS Health Dashboard",
            other => other.advice(),
        }
    }

    /// What to do about it in the console.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoCredentials => {
                "log in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID, or try `bedwatch --demo`"
            }
            Self::Expired => "log in again (aws sso login --profile …), then press r",
            Self::Denied => "add the permission (`bedwatch policy` prints all that it needs)",
            Self::Throttled => "nothing: it is tried again with the next refresh",
            Self::Network => "check the network, the proxy variables, AWS_CA_BUNDLE and the endpoint, then press r",
            Self::Unsupported => "choose a region that has it with --region",
            Self::NotFound => "press r: it may have been deleted since it was listed",
            Self::Malformed => "report it with the operation and this message",
            Self::Service => "press r; if it stays, look at the AWS Health Dashboard",
            Self::Refused => "start with --write if you mean to change things",
            Self::Truncated => "nothing: the newest are here; look for older ones in CloudTrail itself",
            Self::NotAsked => "nothing: a later version reads it",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.operation, self.kind.word(), self.message)
    }
}

impl std::error::Error for ReadError {}

impl<T> Read<T> {
    /// Read at `at`.
    pub fn got(value: T, at: Timestamp) -> Self {
        Self::Got { value, at }
    }

    /// Failed, with nothing read before.
    pub fn failed(error: ReadError) -> Self {
        Self::Failed { error, last: None }
    }

    /// From a result at a time.
    pub fn of(result: Result<T, ReadError>, at: Timestamp) -> Self {
        match result {
            Ok(value) => Self::got(value, at),
            Err(error) => Self::failed(error),
        }
    }

    /// The value, if the latest attempt got it. This is the only way for a rule to look.
    pub fn known(&self) -> Result<&T, Unknown<'_>> {
        match self {
            Self::Got { value, .. } => Ok(value),
            Self::Failed { error, .. } => Err(Unknown::Failed(error)),
            Self::NotAsked => Err(Unknown::NotAsked),
        }
    }

    /// The last value there was, stale or not. For screens.
    pub fn last(&self) -> Option<&T> {
        match self {
            Self::Got { value, .. } => Some(value),
            Self::Failed { last, .. } => last.as_ref().map(|(value, _)| value),
            Self::NotAsked => None,
        }
    }

    /// Mutable access to a value that is known: for previews on a copy of the inventory.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Got { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Why the latest attempt failed.
    pub fn error(&self) -> Option<&ReadError> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// When the value was read.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Got { at, .. } => Some(*at),
            Self::Failed { last, .. } => last.as_ref().map(|(_, at)| *at),
            Self::NotAsked => None,
        }
    }

    /// Whether this is a value of before a failure.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Failed { last: Some(_), .. })
    }

    /// Puts a value of before a failure back, as it was then. Returns when it was read.
    pub fn recall(&mut self) -> Option<Timestamp> {
        let Self::Failed { last, .. } = self else { return None };
        let (value, at) = last.take()?;
        *self = Self::got(value, at);
        Some(at)
    }

    /// What was read can no longer be vouched for: as if reading it again had failed.
    pub fn lose(&mut self, error: &ReadError) {
        if let Self::Got { .. } = self {
            *self = std::mem::take(self).newer(Self::failed(error.clone()));
        }
    }

    /// What is known after `newer` came in: an unasked value changes nothing, a failure keeps the
    /// last value beside it, so that a dead network leaves a readable screen.
    #[must_use]
    pub fn newer(self, newer: Self) -> Self {
        match newer {
            Self::NotAsked => self,
            Self::Failed { error, last: None } => {
                let last = match self {
                    Self::Got { value, at } => Some((value, at)),
                    Self::Failed { last, .. } => last,
                    Self::NotAsked => None,
                };
                Self::Failed { error, last }
            }
            newer => newer,
        }
    }
}

/// Why [`Read::known`] has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown<'a> {
    /// Nobody asked yet.
    NotAsked,
    /// The attempt failed.
    Failed(&'a ReadError),
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("not read yet"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> ReadError {
        ReadError {
            operation: "kms:GetKeyPolicy".into(),
            kind: ErrorKind::Denied,
            message: "no".into(),
            at: Timestamp::from_secs(9),
        }
    }

    #[test]
    fn a_failure_hides_the_value_from_rules_and_keeps_it_for_screens() {
        let read = Read::got(7, Timestamp::from_secs(1)).newer(Read::failed(denied()));
        assert!(read.known().is_err());
        assert_eq!((read.last(), read.at()), (Some(&7), Some(Timestamp::from_secs(1))));
        let again = read.newer(Read::NotAsked).newer(Read::failed(denied()));
        assert_eq!(again.last(), Some(&7));
        assert_eq!(again.newer(Read::got(8, Timestamp::from_secs(10))).known(), Ok(&8));
    }

    #[test]
    fn the_command_line_names_no_key() {
        use ErrorKind as K;
        for kind in [
            K::NoCredentials,
            K::Expired,
            K::Denied,
            K::Throttled,
            K::Network,
            K::Unsupported,
            K::NotFound,
            K::Malformed,
            K::Service,
            K::Refused,
            K::Truncated,
            K::NotAsked,
        ] {
            let advice = kind.advice_once();
            assert!(!advice.contains("press") && !advice.contains("refresh"), "{kind:?}: {advice}");
        }
    }

    #[test]
    fn what_was_lost_can_be_recalled_with_its_time() {
        let at = Timestamp::from_secs(1);
        for (before, stale, recalled) in [
            (Read::NotAsked, false, None),
            (Read::failed(denied()), false, None),
            (Read::got(7, at), true, Some(at)),
            (Read::got(7, at).newer(Read::failed(denied())), true, Some(at)),
        ] {
            let mut read = before.clone();
            read.lose(&denied());
            assert_eq!((read.is_stale(), read.known().is_ok()), (stale, false), "{before:?}");
            assert_eq!(read.recall(), recalled, "{before:?}");
            assert_eq!(read.known().ok(), recalled.map(|_| &7), "{before:?}");
        }
    }
}
