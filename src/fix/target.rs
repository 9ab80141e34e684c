//! What a plan changes, found in the inventory: whether it may be, how grave that is, who gains.

use super::apply::KeySnapshot;
use super::change::{Change, Spot};
use super::effects::{self, AccessChanges};
use super::error::FixError;
use super::journal::{Held, KeyState, SettingState};
use super::plan::{Context, Plan, own};
use super::setting::{BucketAt, Setting, Which};
use crate::base::{Text, Timestamp};
use crate::inventory::kms::Key;
use crate::inventory::s3::Bucket;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// What a plan changes, in the inventory.
pub(super) enum Target<'a> {
    /// A key.
    Key(&'a Key),
    /// A bucket.
    Bucket(&'a Bucket),
}

impl<'a> Target<'a> {
    /// The key or bucket of a plan, if it may be changed from here.
    pub fn of(target: &ResourceRef, inventory: &'a Inventory, context: &Context) -> Result<Self, FixError> {
        let id = &target.id;
        let gone = || FixError::Gone(format!("{} {id} is not in the inventory: press r", target.kind.word()));
        match target.kind {
            Kind::Key => {
                let key = inventory.keys.get(id).ok_or_else(gone)?;
                own(key, context)?;
                Ok(Self::Key(key))
            }
            Kind::Bucket => {
                let bucket = inventory.buckets.get(id).ok_or_else(gone)?;
                BucketAt::own(bucket, &context.session.account)?;
                Ok(Self::Bucket(bucket))
            }
            other => Err(FixError::Unsupported(format!("this version cannot change a {}", other.word()))),
        }
    }

    /// What a person calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Key(key) => key.label(),
            Self::Bucket(bucket) => bucket.name.as_str(),
        }
    }

    /// When its part of the inventory was read.
    pub fn read(&self, plan: &Plan) -> Option<Timestamp> {
        match self {
            Self::Key(key) => key.policy.at(),
            Self::Bucket(bucket) => plan.changes.iter().find_map(|change| match change.spot() {
                Spot::Setting(_, Which::PublicAccess) => bucket.public_access.at(),
                Spot::Setting(_, Which::Versioning) => bucket.versioning.at(),
                Spot::Key(_) => None,
            }),
        }
    }

    /// Whether a name must be typed: for every policy and grant, and for what takes access away.
    pub fn is_grave(&self, plan: &Plan) -> bool {
        match self {
            Self::Key(_) => true,
            Self::Bucket(bucket) => settings(plan).any(|setting| setting.is_grave(bucket)),
        }
    }

    /// Whether a change is one of this very thing, whatever a file says.
    pub fn is_of(&self, change: &Change, context: &Context) -> Result<(), FixError> {
        let is = match (self, change) {
            (Self::Bucket(held), Change::PutSetting { bucket, .. }) => {
                *bucket == BucketAt::own(held, &context.session.account)?
            }
            (Self::Bucket(_), _) | (_, Change::PutSetting { .. }) => false,
            (Self::Key(key), change) => *change.target() == key.arn,
        };
        if is {
            return Ok(());
        }
        Err(FixError::Unsupported(format!("the plan changes {} besides its target", change.target())))
    }

    /// Who gains and who loses by a plan.
    pub fn access(&self, plan: &Plan, before: &Inventory, after: &Inventory) -> AccessChanges {
        let bucket = match self {
            Self::Key(key) => {
                let mut changes = effects::access_changes(before, after, &key.arn);
                for change in &mut changes.gains {
                    change.how = without_provisional_ids(plan, &change.how);
                }
                return changes;
            }
            Self::Bucket(bucket) => bucket,
        };
        settings(plan).map(|setting| setting.effects(bucket)).fold(AccessChanges::default(), |mut all, one| {
            all.gains.extend(one.gains);
            all.loses.extend(one.loses);
            all.incomplete = all.incomplete.or(one.incomplete);
            all
        })
    }
}

fn settings(plan: &Plan) -> impl Iterator<Item = &Setting> {
    plan.changes.iter().filter_map(|change| match change {
        Change::PutSetting { setting, .. } => Some(setting),
        _ => None,
    })
}

/// What an inventory knows of a spot.
pub(super) fn look(inventory: &Inventory, spot: &Spot) -> Result<Held, FixError> {
    match spot {
        Spot::Key(id) => {
            let key = inventory.keys.get(id);
            let key = key.ok_or_else(|| FixError::Gone(format!("key {id} is not in the inventory: press r")))?;
            let unknown = |what: &str, why: &dyn std::fmt::Display| {
                FixError::not_known(format!("{what} of key {}", key.label()), &why.to_string())
            };
            let policy = key.policy.known().map_err(|why| unknown("policy", &why))?.clone();
            let grants = key.grants.known().map_err(|why| unknown("grants", &why))?.clone();
            Ok(Held::Key(KeyState { key: key.arn.clone(), state: KeySnapshot { policy, grants } }))
        }
        Spot::Setting(bucket, which) => {
            let setting = Setting::of(bucket.find(inventory)?, *which)?;
            Ok(Held::Setting(SettingState { bucket: bucket.clone(), setting }))
        }
    }
}

/// Nobody knows the id of a grant before the call: what the evaluator says of it is said of "the new grant".
fn without_provisional_ids(plan: &Plan, how: &Text) -> Text {
    plan.changes.iter().fold(how.clone(), |how, change| match change {
        Change::CreateGrant { key, grant } => {
            let id = format!("grant {}", grant.provisional_id(key));
            Text::new(how.as_str().replace(&id, "the new grant"))
        }
        _ => how,
    })
}
