//! A fix rehearsed on a copy of the inventory: the demo. Nothing leaves the machine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};

use super::apply::{Executed, Executor, KeySnapshot};
use super::change::Change;
use super::error::FixError;
use crate::base::{Clock, ResourceId};
use crate::inventory::Inventory;

/// An inventory in memory that changes as AWS would.
#[derive(Debug)]
pub struct Rehearsal {
    inventory: Mutex<Inventory>,
    clock: Clock,
}

impl Rehearsal {
    /// On this copy.
    pub fn new(inventory: Inventory, clock: Clock) -> Self {
        Self { inventory: Mutex::new(inventory), clock }
    }

    /// The copy as it is now.
    pub fn inventory(&self) -> Inventory {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inventory> {
        // why: a change is put in whole or not at all, so a panic elsewhere leaves nothing half done.
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, key: &ResourceId) -> Result<KeySnapshot, FixError> {
        let inventory = self.lock();
        let held = inventory.keys.get(key).ok_or_else(|| FixError::Gone(format!("key {key} is not in the case")))?;
        let name = held.label();
        let policy = held.policy.known().map_err(|why| FixError::not_known(format!("policy of key {name}"), &why))?;
        let grants = held.grants.known().map_err(|why| FixError::not_known(format!("grants of key {name}"), &why))?;
        Ok(KeySnapshot { policy: policy.clone(), grants: grants.clone() })
    }

    fn make(&self, change: &Change) -> Result<Executed, FixError> {
        change.apply_to(&mut self.lock(), self.clock.now())?;
        let grant_id = match change {
            Change::CreateGrant { key, grant } => {
                self.look(key)?.grants.iter().find(|held| grant.made(held)).map(|held| held.id.clone())
            }
            _ => None,
        };
        Ok(Executed { grant_id })
    }
}

impl Executor for Rehearsal {
    fn reread<'a>(&'a self, key: &'a ResourceId) -> BoxFuture<'a, Result<KeySnapshot, FixError>> {
        ready(self.look(key)).boxed()
    }

    fn execute<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Executed, FixError>> {
        ready(self.make(change)).boxed()
    }

    fn rehearses(&self) -> bool {
        true
    }

    fn settle(&self, _: u32) -> Option<BoxFuture<'_, ()>> {
        None
    }
}
