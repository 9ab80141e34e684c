//! What a running read holds: the session, the gate, and the way back to the engine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::detail::{Apply, Batch, Task};
use super::gate::{Gate, PER_SERVICE};
use crate::activity::{Event, Invocation};
use crate::aws::Session;
use crate::aws::read::kms::Alias;
use crate::aws::read::s3::OwnedBucket;
use crate::base::Timestamp;
use crate::inventory::{ErrorKind, ReadError, ResourceRef, SourceId, SourceReport, Update};

/// The longest that one read of one resource may take, retries included.
const ONE: Duration = Duration::from_mins(1);
/// How often a throttled read is tried again, after the SDK's own retries.
pub(super) const TRIES: u32 = 3;
/// After so many reads in a row that found no network or no valid credentials, the others of the
/// source are not tried: a dead network must not take a minute for each of two thousand jobs.
const ENOUGH: usize = PER_SERVICE;
/// How many looks of the user are remembered.
const LOOKS: usize = 64;

/// What a read has to say to the engine.
pub(super) enum Heard {
    /// A change.
    Update(Update),
    /// An answer to put into what is there now.
    Apply(Apply),
    /// New events, newest first.
    Events(Vec<Event>),
    /// New invocations, newest first.
    Invocations(Vec<Invocation>),
    /// All aliases.
    Aliases(Vec<Alias>),
    /// All buckets of the account.
    Buckets(Result<Vec<OwnedBucket>, ReadError>),
    /// The session is no longer what the header says.
    Lost(ReadError),
}

/// Clones are the same reader.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) session: Session,
    pub(super) gate: Gate,
    pub(super) heard: mpsc::Sender<Heard>,
    pub(super) focus: Focus,
}

impl Reader {
    pub(super) fn now(&self) -> Timestamp {
        self.session.clock().now()
    }

    /// Tells the engine. When it is gone, nobody needs to know.
    pub(super) async fn tell(&self, heard: Heard) {
        let _ = self.heard.send(heard).await;
    }

    /// The report of a source that is one read.
    pub(super) fn report(&self, source: SourceId, read: Result<usize, ReadError>) -> SourceReport {
        match read {
            Ok(count) => SourceReport::sum(source, self.now(), count, &[]),
            Err(error) => SourceReport::sum(source, self.now(), 0, &[error]),
        }
    }

    /// Makes all reads of a batch, what the user looks at first, and sums up.
    pub(super) async fn details(self, source: SourceId, batch: Batch) -> SourceReport {
        let known = batch.known;
        let queue = Mutex::new(VecDeque::from(batch.tasks));
        let next = || {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let looked_at = self.focus.first_of(&queue);
            queue.remove(looked_at)
        };
        let hopeless = Mutex::new(Hopeless::default());
        let worker = || async {
            let (mut worked, mut failures) = (0, Vec::new());
            while let Some(task) = next() {
                let given_up = hopeless.lock().unwrap_or_else(PoisonError::into_inner).verdict();
                let error = match given_up {
                    Some(error) => self.give_up(&task, error).await,
                    None => self.one(source, &task).await,
                };
                hopeless.lock().unwrap_or_else(PoisonError::into_inner).learn(error.as_ref());
                match error {
                    None => worked += 1,
                    Some(error) => failures.push(error),
                }
            }
            (worked, failures)
        };
        let (mut worked, mut failures) = (known, Vec::new());
        for (done, failed) in futures::future::join_all((0..PER_SERVICE).map(|_| worker())).await {
            worked += done;
            failures.extend(failed);
        }
        SourceReport::sum(source, self.now(), worked, &failures)
    }

    /// A read that is not made, because those before it found nothing to read from.
    async fn give_up(&self, task: &Task, error: ReadError) -> Option<ReadError> {
        let answer = task.answer(Err(error));
        self.tell(Heard::Apply(answer.apply)).await;
        answer.error
    }

    /// One read, told to the engine; the error if it failed.
    pub(super) async fn one(&self, source: SourceId, task: &Task) -> Option<ReadError> {
        let mut tries = 0;
        let result = loop {
            tries += 1;
            let result = self.gate.call(source, ONE, (task.run)(self.session.clone())).await;
            match &result {
                // why: the gate now pauses the service, so the next try comes when AWS has room.
                Err(error) if error.kind == ErrorKind::Throttled && tries < TRIES => {}
                _ => break result,
            }
        };
        let answer = task.answer(result);
        self.tell(Heard::Apply(answer.apply)).await;
        answer.error
    }
}

/// Whether it makes sense to go on.
#[derive(Debug, Default)]
struct Hopeless {
    in_a_row: usize,
    last: Option<ReadError>,
}

impl Hopeless {
    fn learn(&mut self, error: Option<&ReadError>) {
        match error {
            Some(error) if matches!(error.kind, ErrorKind::Network | ErrorKind::Expired | ErrorKind::NoCredentials) => {
                self.in_a_row += 1;
                self.last = Some(error.clone());
            }
            _ => *self = Self::default(),
        }
    }

    fn verdict(&self) -> Option<ReadError> {
        self.last.clone().filter(|_| self.in_a_row >= ENOUGH)
    }
}

/// What the user looked at, the latest first. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Focus(Arc<Mutex<VecDeque<ResourceRef>>>);

impl Focus {
    pub(super) fn look(&self, at: ResourceRef) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.retain(|look| *look != at);
        looks.push_front(at);
        looks.truncate(LOOKS);
    }

    /// The place in the queue of what the user looked at last; the front if of none of it.
    fn first_of(&self, queue: &VecDeque<Task>) -> usize {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.iter().find_map(|look| queue.iter().position(|task| task.of == *look)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind) -> ReadError {
        ReadError { operation: "kms:DescribeKey".into(), kind, message: "".into(), at: Timestamp::from_secs(1) }
    }

    #[test]
    fn giving_up_takes_many_failures_in_a_row_of_the_right_sort() {
        for (kind, gives_up) in [
            (ErrorKind::Network, true),
            (ErrorKind::Expired, true),
            (ErrorKind::Denied, false),
            (ErrorKind::Throttled, false),
        ] {
            let mut hopeless = Hopeless::default();
            for _ in 1..ENOUGH {
                hopeless.learn(Some(&error(kind)));
                assert_eq!(hopeless.verdict(), None);
            }
            hopeless.learn(Some(&error(kind)));
            assert_eq!(hopeless.verdict().is_some(), gives_up, "{kind:?}");
            hopeless.learn(None);
            assert_eq!(hopeless.verdict(), None);
        }
    }

    #[test]
    fn the_latest_look_is_first_and_looks_are_bounded() {
        let focus = Focus::default();
        for n in 0..=LOOKS {
            focus.look(ResourceRef::new(crate::inventory::Kind::Key, format!("key-{n}")));
        }
        focus.look(ResourceRef::new(crate::inventory::Kind::Key, "key-7"));
        let looks = focus.0.lock().unwrap();
        assert_eq!((looks.len(), looks[0].id.as_str(), looks[1].id.as_str()), (LOOKS, "key-7", "key-64"));
    }
}
