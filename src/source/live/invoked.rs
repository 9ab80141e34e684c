//! Following Bedrock's invocation log: the last day first, then what is new, each invocation once.
//!
//! A record comes after its answer is complete, so each look goes back over what was seen. Where
//! invocations are not logged to CloudWatch Logs there is nothing to read, and the report says so.

use std::time::Duration;

use super::follow::Seen;
use super::reader::{Heard, Reader};
use crate::aws::read::logs::invocations;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::{ErrorKind, Inventory, ReadError, SourceId, SourceReport};

/// How far back the first look goes.
const FIRST_SECS: i64 = 24 * 3600;
/// Pages a look; a page is a megabyte at most, and most of it bodies that are thrown away.
const PAGES: usize = 10;
/// Invocations a look: more are kept nowhere.
const MOST: usize = 5_000;
/// How far each look goes back over what was seen: as long as an answer may take.
const OVERLAP_SECS: i64 = 10 * 60;
/// The longest that a page may take.
const PAGE: Duration = Duration::from_mins(1);

/// The log group, where there is one; else why that is not known: the error of asking, if it was asked.
pub(super) type Place = Result<Option<ResourceId>, Option<ReadError>>;

/// Where invocations are logged, as far as the inventory knows. A group that was known once is better
/// than none: the log itself tells whether it is still there. That there was none is not.
pub(super) fn place(inventory: &Inventory) -> Place {
    let logging = &inventory.logging;
    let group = logging.last().and_then(|to| Some(to.as_ref()?.cloud_watch.as_ref()?.log_group.clone()));
    match (group, logging.known()) {
        (Some(group), _) => Ok(Some(group)),
        (None, Ok(_)) => Ok(None),
        (None, Err(_)) => Err(logging.error().cloned()),
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Invoked {
    seen: Seen,
    group: Option<ResourceId>,
    newest: Option<Timestamp>,
    /// A stretch of time that was not read, and until when it matters.
    gap: Option<(Timestamp, ReadError)>,
}

impl Invoked {
    /// One look: sends what is new, page by page.
    pub(super) async fn look(&mut self, reader: &Reader, place: Place) -> SourceReport {
        let now = reader.now();
        let group = match place {
            Ok(Some(group)) => group,
            Ok(None) => return reader.report(SourceId::LOG_EVENTS, Ok(0)),
            Err(error) => return reader.report(SourceId::LOG_EVENTS, Err(unknown_place(error, now))),
        };
        if self.group.as_ref() != Some(&group) {
            *self = Self { group: Some(group.clone()), ..Self::default() };
        }
        let since = self.newest.map_or(now.plus_secs(-FIRST_SECS), |newest| newest.plus_secs(-OVERLAP_SECS));
        let (mut token, mut newest, mut oldest) = (None, self.newest, now);
        let (mut malformed, mut found) = (0, 0);
        let mut failures = Vec::new();
        for page in 0.. {
            if page == PAGES || found >= MOST {
                self.gap = Some((now.plus_secs(FIRST_SECS), gap(found, since, oldest, now)));
                break;
            }
            // why boxed: an SDK call is many kilobytes.
            let call = Box::pin(invocations(&reader.session, &group, since, token));
            let answer = match reader.gate.call(SourceId::LOG_EVENTS, PAGE, call).await {
                Ok(answer) => answer,
                Err(error) => {
                    failures.push(error);
                    break;
                }
            };
            malformed += answer.malformed;
            let mut fresh = answer.invocations;
            let held = fresh.len();
            found += held;
            newest = newest.max(fresh.first().map(|invocation| invocation.at));
            oldest = fresh.last().map_or(oldest, |invocation| invocation.at.min(oldest));
            fresh.retain(|invocation| self.seen.is_new(&invocation.id));
            // why not an empty page: CloudWatch Logs answers with one where it found nothing yet.
            let nothing_new = held > 0 && fresh.is_empty();
            if !fresh.is_empty() {
                reader.tell(Heard::Invocations(fresh)).await;
            }
            token = answer.next;
            if token.is_none() || (nothing_new && self.newest.is_some()) {
                break;
            }
        }
        // why: after a failure the next look begins where this one did, or what lay behind is lost.
        if failures.is_empty() {
            self.newest = newest;
        }
        if malformed > 0 {
            let message = format!("{malformed} records of {group} could not be understood and are not shown");
            failures.push(error(ErrorKind::Malformed, message, now));
        }
        self.gap.take_if(|(until, _)| *until < now);
        failures.extend(self.gap.iter().map(|(_, error)| error.clone()));
        SourceReport::sum(SourceId::LOG_EVENTS, reader.now(), self.seen.len(), &failures)
    }
}

fn error(kind: ErrorKind, message: String, at: Timestamp) -> ReadError {
    ReadError { operation: SourceId::LOG_EVENTS.name().to_owned(), kind, message: Text::new(message), at }
}

/// The kind of the failure stays: who may not ask where the log is has to be given that right.
fn unknown_place(why: Option<ReadError>, at: Timestamp) -> ReadError {
    match why {
        Some(why) => error(why.kind, format!("it is not known where invocations are logged: {why}"), at),
        None => error(ErrorKind::NotAsked, "where invocations are logged has not been read yet".to_owned(), at),
    }
}

fn gap(found: usize, since: Timestamp, oldest: Timestamp, at: Timestamp) -> ReadError {
    let message = format!(
        "more than the {found} invocations that one look reads: those between {} and {} were not read",
        since.minute(),
        oldest.minute()
    );
    error(ErrorKind::NotAsked, message, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::bedrock::{CloudWatchLogging, LoggingConfiguration};
    use crate::inventory::{Read, Update};

    fn logged(cloud_watch: bool) -> LoggingConfiguration {
        let cloud_watch = cloud_watch.then(|| CloudWatchLogging {
            log_group: "/aws/bedrock/invocations".into(),
            role: "r".into(),
            large_data: None,
        });
        LoggingConfiguration {
            cloud_watch,
            s3: None,
            text: true,
            images: false,
            embeddings: false,
            video: false,
            audio: false,
        }
    }

    #[test]
    fn the_place_of_the_log() {
        let at = Timestamp::from_secs(1);
        let denied = error(ErrorKind::Denied, "no".into(), at);
        let group = || Ok(Some("/aws/bedrock/invocations".into()));
        for (logging, wanted) in [
            (Read::NotAsked, Err(None)),
            (Read::got(None, at), Ok(None)),
            (Read::got(Some(logged(false)), at), Ok(None)),
            (Read::got(Some(logged(true)), at), group()),
            (Read::failed(denied.clone()), Err(Some(denied.clone()))),
            (Read::got(Some(logged(true)), at).newer(Read::failed(denied.clone())), group()),
            (Read::got(None, at).newer(Read::failed(denied.clone())), Err(Some(denied.clone()))),
        ] {
            let mut inventory = Inventory::default();
            inventory.apply(Update::Logging(logging.clone()));
            assert_eq!(place(&inventory), wanted, "{logging:?}");
        }
    }

    #[test]
    fn what_was_not_read_says_why() {
        let at = Timestamp::from_secs(0);
        let denied = unknown_place(Some(error(ErrorKind::Denied, "no".into(), at)), at);
        assert_eq!(denied.kind, ErrorKind::Denied);
        assert!(denied.message.as_str().contains("not known where invocations are logged"));
        assert_eq!(unknown_place(None, at).kind, ErrorKind::NotAsked);
        let gap = gap(5000, at, at.plus_secs(3600), at);
        assert!(gap.message.as_str().ends_with("between 1970-01-01 00:00 and 1970-01-01 01:00 were not read"));
    }
}
