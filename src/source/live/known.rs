//! What the engine knows besides the inventory, so that a source can ask: names of keys, regions of
//! buckets, and all that lineage reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::aws::read::kms::{Alias, KeyNames};
use crate::aws::read::s3::OwnedBucket;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::kms::Key;
use crate::inventory::s3::Bucket;
use crate::inventory::{Inventory, Kind, Lineage, Read, ReadError, SessionInfo};

/// Buckets and their regions, where known.
pub(super) type Places = BTreeMap<ResourceId, Option<Text>>;

/// Names and reach.
#[derive(Debug, Clone)]
pub(super) struct Known {
    info: SessionInfo,
    pub(super) keys: Arc<KeyNames>,
    aliases: BTreeMap<ResourceId, Vec<Text>>,
    owned: Read<Places>,
    pub(super) places: Arc<Places>,
    pub(super) log_groups: BTreeSet<ResourceId>,
    pub(super) base_models: BTreeSet<ResourceId>,
    pub(super) subnets: BTreeSet<ResourceId>,
    pub(super) security_groups: BTreeSet<ResourceId>,
    pub(super) reached_keys: BTreeSet<ResourceId>,
    pub(super) reached_buckets: BTreeSet<ResourceId>,
}

impl Known {
    pub(super) fn new(info: &SessionInfo) -> Self {
        Self {
            keys: Arc::new(KeyNames::new(info, &[])),
            info: info.clone(),
            aliases: BTreeMap::new(),
            owned: Read::NotAsked,
            places: Arc::default(),
            log_groups: BTreeSet::new(),
            base_models: BTreeSet::new(),
            subnets: BTreeSet::new(),
            security_groups: BTreeSet::new(),
            reached_keys: BTreeSet::new(),
            reached_buckets: BTreeSet::new(),
        }
    }

    /// `ListAliases` answered.
    pub(super) fn named(&mut self, aliases: &[Alias]) {
        self.keys = Arc::new(KeyNames::new(&self.info, aliases));
        self.aliases.clear();
        for alias in aliases {
            self.aliases.entry(alias.key.clone()).or_default().push(alias.name.clone());
        }
    }

    /// `ListBuckets` answered, or failed.
    pub(super) fn owns(&mut self, buckets: Result<&[OwnedBucket], ReadError>, at: Timestamp) {
        let places = |all: &[OwnedBucket]| all.iter().map(|one| (one.name.clone(), one.region.clone())).collect();
        self.owned = std::mem::take(&mut self.owned).newer(Read::of(buckets.map(places), at));
    }

    /// Follows lineage anew.
    pub(super) fn follow(&mut self, inventory: &Inventory) {
        let lineage = Lineage::of(inventory);
        self.subnets = lineage.reached(Kind::Subnet);
        self.security_groups = lineage.reached(Kind::SecurityGroup);
        self.reached_buckets = lineage.reached(Kind::Bucket);
        self.log_groups = lineage.reached(Kind::LogGroup);
        self.base_models = lineage.reached(Kind::FoundationModel);
        self.base_models.extend(inventory.models.values().map(|model| model.base_model.clone()));
        self.reached_keys = lineage.reached(Kind::Key);
        let logging = inventory.logging.last().and_then(Option::as_ref);
        if let Some(large) = logging.and_then(|logging| logging.cloud_watch.as_ref()?.large_data.as_ref()) {
            self.reached_buckets.insert(large.bucket.clone());
        }
        // why: who can change a trail's files can hide what happened.
        self.reached_buckets.extend(inventory.trails.values().filter_map(|trail| trail.bucket.clone()));
        // why: a trail that also writes to a group tells by its metric filters who is alerted.
        let by_arn =
            |arn: &ResourceId| arn.as_str().split(":log-group:").nth(1).map(|name| name.trim_end_matches(":*").into());
        self.log_groups.extend(inventory.trails.values().filter_map(|trail| by_arn(trail.log_group.as_ref()?)));
        let buckets = inventory.buckets.values().filter(|bucket| self.reached_buckets.contains(&bucket.name));
        self.reached_keys.extend(buckets.filter_map(|bucket| bucket.encryption.last()?.kms_key.clone()));
        self.places =
            Arc::new(self.reached_buckets.iter().map(|name| (name.clone(), self.region_of(inventory, name))).collect());
    }

    fn region_of(&self, inventory: &Inventory, name: &ResourceId) -> Option<Text> {
        let listed = self.owned.last().and_then(|owned| owned.get(name).cloned().flatten());
        listed.or_else(|| inventory.buckets.get(name)?.region.last().cloned())
    }

    /// Every key that lineage reaches, with its aliases.
    pub(super) fn keys(&self) -> Vec<Key> {
        let aliases = |arn: &ResourceId| self.aliases.get(arn).cloned().unwrap_or_default();
        self.reached_keys.iter().map(|arn| Key { aliases: aliases(arn), ..Key::bare(arn) }).collect()
    }

    /// Every bucket that lineage reaches, and whether it is ours.
    pub(super) fn buckets(&self) -> Vec<Bucket> {
        let owned = |name: &ResourceId| match &self.owned {
            Read::Got { value, at } => Read::got(value.contains_key(name), *at),
            Read::Failed { error, .. } => Read::failed(error.clone()),
            Read::NotAsked => Read::NotAsked,
        };
        self.reached_buckets.iter().map(|name| Bucket { owned: owned(name), ..Bucket::bare(name) }).collect()
    }
}
