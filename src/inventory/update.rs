//! How the inventory changes: whole lists replace, single reads merge.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::bedrock::LoggingConfiguration;
use super::coverage::SourceReport;
use super::read::{Read, ReadError};
use super::settings::Setting;
use super::{Items, Table};
use crate::base::{ResourceId, Timestamp};

/// One change to the inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Update {
    /// All there is of one kind: what is not in it is gone. Details already read stay.
    Listed(Items),
    /// Some resources, wholly or in part: they are added or merged; nothing goes.
    Read(Items),
    /// The invocation-logging configuration.
    Logging(Read<Option<LoggingConfiguration>>),
    /// What an account or region has one of.
    Setting(Setting),
    /// How reading one source went.
    Source(SourceReport),
    /// The session is over: nothing of what was read can be vouched for until it is read again.
    Lost(ReadError),
}

/// What every resource of the inventory can do.
pub trait Item {
    /// What it is stored under.
    fn id(&self) -> &ResourceId;
    /// What a person calls it; empty when it has no name but its id.
    fn name(&self) -> Cow<'_, str>;
    /// Takes what is newer, and keeps each part that the newer one did not ask for.
    fn absorb(&mut self, newer: Self);
    /// Whether a part of it is of before a failure.
    fn is_stale(&self) -> bool;
    /// [`Read::recall`] of every part; the oldest of their times.
    fn recall(&mut self) -> Option<Timestamp>;
    /// [`Read::lose`] of every part.
    fn lose(&mut self, error: &ReadError);
}

/// `item! { Key { arn, metadata, policy } named |key| … }` implements [`Item`]: the first field is
/// the id, the listed ones are [`Read`]s, all others are taken from the newer value.
macro_rules! item {
    ($type:ty { $id:ident $(, $read:ident)* $(,)? } named |$this:ident| $name:expr) => {
        impl $crate::inventory::update::Item for $type {
            fn id(&self) -> &$crate::base::ResourceId {
                &self.$id
            }

            fn name(&self) -> std::borrow::Cow<'_, str> {
                let $this = self;
                $name.into()
            }

            fn absorb(&mut self, newer: Self) {
                let Self { $($read,)* .. } = std::mem::replace(self, newer);
                $(self.$read = $read.newer(std::mem::take(&mut self.$read));)*
            }

            fn is_stale(&self) -> bool {
                false $(|| self.$read.is_stale())*
            }

            fn recall(&mut self) -> Option<$crate::base::Timestamp> {
                let times: &[Option<$crate::base::Timestamp>] = &[$(self.$read.recall()),*];
                times.iter().flatten().min().copied()
            }

            fn lose(&mut self, error: &$crate::inventory::ReadError) {
                let _ = error;
                $(self.$read.lose(error);)*
            }
        }
    };
}
pub(crate) use item;

pub(super) fn merge<T: Item + Clone + PartialEq>(table: &mut Table<T>, items: Vec<T>) -> bool {
    let mut changed = false;
    for item in items {
        if let Some(held) = table.get_mut(item.id()) {
            let before = held.clone();
            held.absorb(item);
            changed |= *held != before;
        } else {
            table.insert(item.id().clone(), item);
            changed = true;
        }
    }
    changed
}

pub(super) fn replace<T: Item + Clone + PartialEq>(table: &mut Table<T>, items: Vec<T>) -> bool {
    let held = table.len();
    let kept: std::collections::BTreeSet<_> = items.iter().map(|item| item.id().clone()).collect();
    table.retain(|id, _| kept.contains(id));
    let gone = table.len() != held;
    merge(table, items) || gone
}
