//! One collection of the inventory, by id: a map that is cheap to hand to somebody else.

use std::collections::{BTreeMap, btree_map};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::ResourceId;

/// Resources by id, in the order of their ids. A copy costs nothing until one of the two is changed, which copies
/// this table alone: so an inventory can be judged on another thread while answers still come in.
#[derive(Debug)]
pub struct Table<T>(Arc<BTreeMap<ResourceId, T>>);

impl<T: Clone> Table<T> {
    /// The resources, in the order of their ids.
    pub fn into_values(self) -> btree_map::IntoValues<ResourceId, T> {
        Arc::unwrap_or_clone(self.0).into_values()
    }
}

impl<T> Deref for Table<T> {
    type Target = BTreeMap<ResourceId, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: Clone> DerefMut for Table<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl<T, M: Into<BTreeMap<ResourceId, T>>> From<M> for Table<T> {
    fn from(map: M) -> Self {
        Self(Arc::new(map.into()))
    }
}

impl<T> FromIterator<(ResourceId, T)> for Table<T> {
    fn from_iter<I: IntoIterator<Item = (ResourceId, T)>>(all: I) -> Self {
        Self(Arc::new(all.into_iter().collect()))
    }
}

impl<'a, T> IntoIterator for &'a Table<T> {
    type Item = (&'a ResourceId, &'a T);
    type IntoIter = btree_map::Iter<'a, ResourceId, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_what_it_was() {
        let mut table = Table::from_iter([(ResourceId::from("one"), 1)]);
        let copy = table.clone();
        table.insert("two".into(), 2);
        assert_eq!((copy.len(), table.len()), (1, 2));
        assert_ne!(copy, table);
        assert_eq!(table.into_values().collect::<Vec<_>>(), [1, 2]);
    }
}
