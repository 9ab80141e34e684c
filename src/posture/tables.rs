//! What several controls look at: gathered once for all of them. Judges nothing.

use std::collections::BTreeMap;

use super::control::Context;
use super::data::{self, Used};
use super::encryption::{self, UsedKey};
use super::job_roles::{self, JobRole};
use super::network::{self, Network};
use crate::base::ResourceId;

/// What customization uses, and with whom.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    /// Every key of the lineage once, by its own ARN.
    pub keys: Vec<UsedKey<'a>>,
    /// Every bucket, with what for and by whom.
    pub buckets: BTreeMap<&'a ResourceId, Used<'a>>,
    /// The roles of the jobs whose details were read.
    pub roles: BTreeMap<&'a ResourceId, JobRole>,
    /// Every VPC that a job runs in.
    pub networks: BTreeMap<&'a ResourceId, Network<'a>>,
}

impl<'a> Tables<'a> {
    /// Of an inventory and its lineage.
    pub fn of(context: &Context<'a>) -> Self {
        Self {
            keys: encryption::reached(context),
            buckets: data::buckets(context),
            roles: job_roles::of(context.inventory),
            networks: network::networks(context.inventory),
        }
    }
}
