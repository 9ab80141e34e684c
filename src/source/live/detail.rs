//! Reads of one resource each: which of them a source owes, and how an answer enters the inventory.
//!
//! An answer is put into the resource as it is when the answer arrives, not as it was when the
//! question was asked: a list that came in between is not undone.

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::aws::Session;
use crate::base::{ResourceId, Timestamp};
use crate::inventory::analyzer::AnalyzerFinding;
use crate::inventory::bedrock::{
    CustomModel, CustomizationJob, Deployment, EvaluationJob, ImportJob, ImportedModel, Throughput,
};
use crate::inventory::ec2::Vpc;
use crate::inventory::events::Rule;
use crate::inventory::feeders::{CollectionPolicy, Function, Share, TrainingJob};
use crate::inventory::guardduty::{Detector, MalwarePlan};
use crate::inventory::guardrails::{Guardrail, GuardrailVersion};
use crate::inventory::iam::LastUse;
use crate::inventory::kms::Key;
use crate::inventory::logs::LogGroup;
use crate::inventory::organization::OrganizationPolicy;
use crate::inventory::s3::Bucket;
use crate::inventory::trail::{EventDataStore, Trail};
use crate::inventory::{Inventory, Item, Items, Kind, Read, ReadError, ResourceRef, Table, Update};

/// Puts an answer into the inventory of the moment. `None` when the resource is gone.
pub(super) type Apply = Box<dyn FnOnce(&Inventory) -> Option<Update> + Send>;

/// What a read brought.
pub(super) struct Answer {
    pub(super) apply: Apply,
    pub(super) error: Option<ReadError>,
}

/// One read that is to be made.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) of: ResourceRef,
    pub(super) run: Arc<dyn Fn(Session) -> BoxFuture<'static, Result<Found, ReadError>> + Send + Sync>,
    failed: Arc<dyn Fn(ReadError) -> Apply + Send + Sync>,
}

/// A value on its way in.
pub(super) struct Found(Apply);

impl Task {
    pub(super) fn answer(&self, result: Result<Found, ReadError>) -> Answer {
        match result {
            Ok(Found(apply)) => Answer { apply, error: None },
            Err(error) => Answer { apply: (self.failed)(error.clone()), error: Some(error) },
        }
    }
}

/// Which resources to read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick<'a> {
    /// Those never read, those that failed, those read longer than this many seconds ago.
    Older(Timestamp, i64),
    /// Every one.
    All,
    /// This one.
    One(&'a ResourceRef),
    /// What was never read of this one.
    Unread(&'a ResourceRef),
    /// What was never read of any.
    New,
}

/// What a source owes: reads to make, and how many resources need none.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) tasks: Vec<Task>,
    pub(super) known: usize,
}

/// One [`Read`] of one kind of resource.
pub(super) struct Part<T, V> {
    pub(super) kind: Kind,
    pub(super) table: fn(&Inventory) -> &Table<T>,
    pub(super) get: fn(&T) -> &Read<V>,
    pub(super) put: fn(&mut T, Read<V>),
    pub(super) items: fn(Vec<T>) -> Items,
}

impl<T, V> Clone for Part<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Part<T, V> {}

/// `part!(Job, jobs.detail)`.
macro_rules! part {
    ($kind:ident, $table:ident . $part:ident) => {
        $crate::source::live::detail::Part {
            kind: $crate::inventory::Kind::$kind,
            table: |inventory| &inventory.$table,
            get: |item| &item.$part,
            put: |item, read| item.$part = read,
            items: $crate::inventory::Items::$kind,
        }
    };
}
pub(super) use part;

impl Batch {
    /// Adds the reads of one part that `pick` asks for, of those resources that `owed` names.
    pub(super) fn add<T, V, F, R>(
        &mut self,
        inventory: &Inventory,
        pick: Pick<'_>,
        part: Part<T, V>,
        owed: fn(&T) -> Owed,
        read: F,
    ) where
        T: Bare + Send + Sync + 'static,
        V: Send + 'static,
        F: Fn(Session, T) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<V, ReadError>> + Send + 'static,
    {
        for item in (part.table)(inventory).values() {
            let owed = owed(item);
            let wanted = match (pick, (part.get)(item)) {
                (_, _) if owed == Owed::Never => continue,
                (Pick::One(one), _) | (Pick::Unread(one), Read::NotAsked)
                    if one.kind == part.kind && one.id == *item.id() =>
                {
                    true
                }
                (Pick::One(_) | Pick::Unread(_), _) => continue,
                (Pick::New, read) => matches!(read, Read::NotAsked),
                (Pick::Older(now, secs), Read::Got { at, .. }) => owed == Owed::Again && now.secs_since(*at) >= secs,
                (Pick::Older(..) | Pick::All, _) => true,
            };
            if wanted {
                self.tasks.push(task(item, part, read.clone()));
            } else {
                self.known += 1;
            }
        }
    }
}

/// Whether a part has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// It can change: again and again.
    Again,
    /// It cannot change any more: once.
    Once,
    /// Not of this resource.
    Never,
}

fn task<T, V, F, R>(item: &T, part: Part<T, V>, read: F) -> Task
where
    T: Bare + Send + Sync + 'static,
    V: Send + 'static,
    F: Fn(Session, T) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<V, ReadError>> + Send + 'static,
{
    let id = item.id().clone();
    let asked = item.bare();
    let apply = move |id: ResourceId, read: Read<V>| -> Apply {
        Box::new(move |inventory: &Inventory| {
            let mut item = (part.table)(inventory).get(&id)?.bare();
            (part.put)(&mut item, read);
            Some(Update::Read((part.items)(vec![item])))
        })
    };
    Task {
        of: ResourceRef::new(part.kind, &id),
        run: {
            let id = id.clone();
            Arc::new(move |session| {
                let (id, clock) = (id.clone(), session.clock().clone());
                let answer = read(session, asked.bare());
                Box::pin(async move {
                    let value = answer.await?;
                    Ok(Found(apply(id, Read::got(value, clock.now()))))
                })
            })
        },
        failed: Arc::new(move |error| apply(id.clone(), Read::failed(error))),
    }
}

/// A resource with none of its parts: merged into the inventory, it changes none of them.
pub(super) trait Bare: Item + Clone {
    fn bare(&self) -> Self;
}

macro_rules! bare {
    ($($type:ty { $($part:ident),* })*) => {
        $(impl Bare for $type {
            fn bare(&self) -> Self {
                Self { $($part: Read::NotAsked,)* ..self.clone() }
            }
        })*
    };
}

bare! {
    CustomizationJob { detail, tags }
    ImportJob { detail, tags }
    EvaluationJob { detail }
    CustomModel { detail, policy, tags }
    ImportedModel { detail, tags }
    Guardrail { detail }
    Key { metadata, policy, grants, rotation }
    Vpc { dns_support, dns_hostnames }
    Trail { status, selectors }
    LogGroup { filters, protection, subscriptions }
    Rule { targets }
    Deployment { detail, tags }
    Throughput { tags }
    EventDataStore { detail }
    GuardrailVersion { detail }
    LastUse { report, detail }
    OrganizationPolicy { document }
    AnalyzerFinding { detail }
    Detector { detail }
    MalwarePlan { detail }
    TrainingJob { detail }
    Function { policy, configuration }
    Share { detail, principals }
    CollectionPolicy { document }
}

// why apart: a bucket's name is all that it is.
impl Bare for Bucket {
    fn bare(&self) -> Self {
        Self::bare(self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ErrorKind;
    use crate::inventory::kms::Rotation;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/91b5";

    fn inventory(rotation: Read<Rotation>) -> Inventory {
        let mut inventory = Inventory::default();
        let key = Key { rotation, aliases: vec!["orion".into()], ..Key::bare(KEY) };
        inventory.apply(Update::Listed(Items::Key(vec![key])));
        inventory
    }

    fn batch(inventory: &Inventory, pick: Pick<'_>, owed: fn(&Key) -> Owed) -> Batch {
        let mut batch = Batch::default();
        batch.add(inventory, pick, part!(Key, keys.rotation), owed, |_, _| async {
            Ok(Rotation { enabled: true, period_days: None, next: None })
        });
        batch
    }

    fn error() -> ReadError {
        ReadError {
            operation: "kms:GetKeyRotationStatus".into(),
            kind: ErrorKind::Denied,
            message: "no".into(),
            at: Timestamp::from_secs(50),
        }
    }

    #[test]
    fn what_is_owed() {
        let off = Rotation { enabled: false, period_days: None, next: None };
        let at = |secs| Timestamp::from_secs(secs);
        let got = || Read::got(off.clone(), at(100));
        let other = ResourceRef::new(Kind::Key, "arn:aws:kms:us-east-1:123456789012:key/other");
        for (what, read, pick, owed, tasks, known) in [
            ("never read", Read::NotAsked, Pick::Older(at(101), 60), Owed::Again, 1, 0),
            ("failed", Read::failed(error()), Pick::Older(at(101), 60), Owed::Once, 1, 0),
            ("fresh", got(), Pick::Older(at(101), 60), Owed::Again, 0, 1),
            ("old", got(), Pick::Older(at(160), 60), Owed::Again, 1, 0),
            ("settled", got(), Pick::Older(at(9999), 60), Owed::Once, 0, 1),
            ("settled, but all", got(), Pick::All, Owed::Once, 1, 0),
            ("of another kind of key", got(), Pick::All, Owed::Never, 0, 0),
            ("another", got(), Pick::One(&other), Owed::Again, 0, 0),
            ("new", Read::NotAsked, Pick::New, Owed::Again, 1, 0),
            ("failed, and no longer new", Read::failed(error()), Pick::New, Owed::Again, 0, 1),
        ] {
            let owed = match owed {
                Owed::Again => |_: &Key| Owed::Again,
                Owed::Once => |_: &Key| Owed::Once,
                Owed::Never => |_: &Key| Owed::Never,
            };
            let batch = batch(&inventory(read), pick, owed);
            assert_eq!((batch.tasks.len(), batch.known), (tasks, known), "{what}");
        }
    }

    #[test]
    fn an_answer_enters_what_is_there_when_it_comes() {
        let mut inventory = inventory(Read::NotAsked);
        let task = batch(&inventory, Pick::All, |_| Owed::Again).tasks.remove(0);
        let renamed = Key { aliases: vec!["renamed".into()], ..Key::bare(KEY) };
        inventory.apply(Update::Listed(Items::Key(vec![renamed])));
        let answer = task.answer(Err(error()));
        let update = (answer.apply)(&inventory).unwrap();
        inventory.apply(update);
        let key = &inventory.keys[KEY];
        assert_eq!((key.label(), key.rotation.error()), ("renamed", Some(&error())));
        assert_eq!(key.metadata, Read::NotAsked);
    }

    #[test]
    fn an_answer_for_what_is_gone_is_dropped() {
        let before = inventory(Read::NotAsked);
        let answer = batch(&before, Pick::All, |_| Owed::Again).tasks.remove(0).answer(Err(error()));
        assert_eq!((answer.apply)(&Inventory::default()), None);
    }
}
