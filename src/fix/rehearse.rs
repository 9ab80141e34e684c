//! A fix rehearsed on a copy of the inventory: the demo. Nothing leaves the machine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};

use super::apply::{Executed, Executor};
use super::change::{Change, Spot};
use super::error::FixError;
use super::journal::Held;
use super::target;
use crate::base::Clock;
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

    fn look(&self, spot: &Spot) -> Result<Held, FixError> {
        target::look(&self.lock(), spot)
    }

    fn make(&self, change: &Change) -> Result<Executed, FixError> {
        change.apply_to(&mut self.lock(), self.clock.now())?;
        let grant_id = match change {
            Change::CreateGrant { grant, .. } => {
                let held = self.look(&change.spot())?;
                let grants = held.key().map(|held| held.state.grants.as_slice()).unwrap_or_default();
                grants.iter().find(|held| grant.made(held)).map(|held| held.id.clone())
            }
            _ => None,
        };
        Ok(Executed { grant_id })
    }
}

impl Executor for Rehearsal {
    fn reread<'a>(&'a self, spot: &'a Spot) -> BoxFuture<'a, Result<Held, FixError>> {
        ready(self.look(spot)).boxed()
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
