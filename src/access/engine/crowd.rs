//! Everybody who is asked about, put together by what tells them apart.
//!
//! A *class* is what a policy's `Principal` can see of somebody it does not name: account, kind, boundary. A *set* is
//! a list of own policies. A *profile* is both with the boundary: within a profile people differ only where a policy
//! names them or looks up something of theirs.
//!
//! A *variant* is a document with the values that it looks up in somebody: `${aws:PrincipalTag/team}` makes a document
//! of forty teams forty documents. A *kin* is a set of variants, and a *group* is a profile with its kin: on resources of
//! one owner, all of a group are one, but for those whom a policy names.

use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use super::super::bounds::Bounds;
use super::super::identity::Identity;
use super::super::organization::scps_bind;
use super::super::policy::Policy;
use super::super::principal::Caller;
use super::super::request::takes_session;
use super::memory::{Map, Values};
use super::rules::name_of;

/// What a `Principal` can see of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Class<'a> {
    account: Option<&'a str>,
    partition: Option<&'a str>,
    service: Option<&'a str>,
    kind: u8,
    bounded: bool,
    in_session: bool,
    /// Service control policies bind it.
    pub(super) bound: bool,
    /// Whose organization it is told by: the place of its bounds.
    pub(super) bounds: usize,
    pub(super) takes_session: bool,
}

impl<'a> Class<'a> {
    fn of(identity: &'a Identity) -> Self {
        let caller = &identity.caller;
        let (kind, service, in_session) = match caller {
            Caller::Role { session, .. } => (0, None, session.is_some()),
            Caller::User(_) => (if caller.is_federated() { 2 } else { 1 }, None, false),
            Caller::Root(_) => (3, None, false),
            Caller::Service(name) => (4, Some(name.as_str()), false),
        };
        Self {
            account: caller.account(),
            partition: caller.arn().map(|arn| arn.partition.as_str()),
            service,
            kind,
            bounded: identity.boundary.is_some(),
            in_session,
            bound: scps_bind(caller),
            bounds: place(&identity.bounds),
            takes_session: takes_session(caller),
        }
    }

    pub(super) fn is_service(&self) -> bool {
        self.service.is_some()
    }

    pub(super) fn is_root(&self) -> bool {
        self.kind == 3
    }
}

/// Where bounds are held: people of one inventory share them.
pub(super) fn place(bounds: &Arc<Bounds>) -> usize {
    Arc::as_ptr(bounds) as usize
}

/// A list of own policies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Set {
    /// Numbers of documents.
    pub(super) docs: Vec<u32>,
    /// Something of it could not be read.
    pub(super) gaps: bool,
}

/// A permissions boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fence {
    None,
    /// Not known.
    Blind,
    /// The number of its document.
    Doc(u32),
}

/// What people are told apart by before anything is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Profile {
    pub(super) class: u32,
    pub(super) set: u32,
    pub(super) fence: Fence,
}

/// Everybody.
pub(super) struct Crowd<'a> {
    pub(super) identities: &'a [Identity],
    /// Each document once.
    pub(super) docs: Vec<&'a Policy>,
    pub(super) classes: Vec<Class<'a>>,
    /// One of each class.
    pub(super) first: Vec<u32>,
    pub(super) sets: Vec<Set>,
    pub(super) profiles: Vec<Profile>,
    /// The profile of each.
    pub(super) profile_of: Vec<u32>,
    /// The last of an account's name.
    by_name: Map<&'a str, Map<&'a str, u32>>,
    /// For each, the one before of the same name.
    namesake: Vec<Option<u32>>,
}

/// A number for each thing, by value.
fn number<T: Clone + Eq + std::hash::Hash>(all: &mut Vec<T>, known: &mut Map<T, u32>, one: T) -> u32 {
    if let Some(at) = known.get(&one) {
        return *at;
    }
    let at = all.len() as u32;
    known.insert(one.clone(), at);
    all.push(one);
    at
}

impl<'a> Crowd<'a> {
    /// Puts them together. Own policies that are not about `matter` are left out.
    pub(super) fn of(identities: &'a [Identity], matter: &mut dyn FnMut(&'a Policy) -> bool) -> Self {
        let mut crowd = Self {
            identities,
            docs: Vec::new(),
            classes: Vec::new(),
            first: Vec::new(),
            sets: Vec::new(),
            profiles: Vec::new(),
            profile_of: Vec::with_capacity(identities.len()),
            by_name: Map::default(),
            namesake: Vec::with_capacity(identities.len()),
        };
        let mut known: Map<*const Policy, (u32, bool)> = Map::default();
        let (mut classes, mut sets, mut profiles) = (Map::default(), Map::default(), Map::default());
        let mut last: Option<(Class<'_>, u32)> = None;
        for (person, identity) in identities.iter().enumerate() {
            let class = Class::of(identity);
            let class = match &last {
                Some((same, at)) if *same == class => *at,
                _ => {
                    let at = number(&mut crowd.classes, &mut classes, class);
                    last = Some((class, at));
                    if crowd.first.len() < crowd.classes.len() {
                        crowd.first.push(person as u32);
                    }
                    at
                }
            };
            let docs = &mut crowd.docs;
            let mut doc = |policy: &'a Arc<Policy>| {
                *known.entry(Arc::as_ptr(policy)).or_insert_with(|| {
                    docs.push(policy);
                    (docs.len() as u32 - 1, matter(policy))
                })
            };
            let held = identity.policies.iter().map(|(_, policy)| doc(policy)).filter(|(_, matters)| *matters);
            let mut held: Vec<u32> = held.map(|(at, _)| at).collect();
            // Documents are alternatives: neither their order nor their number matters.
            held.sort_unstable();
            held.dedup();
            let fence = match identity.boundary.as_ref().map(|boundary| &boundary.policy) {
                None => Fence::None,
                Some(Err(_)) => Fence::Blind,
                Some(Ok(policy)) => Fence::Doc(doc(policy).0),
            };
            let set = number(&mut crowd.sets, &mut sets, Set { docs: held, gaps: !identity.gaps.is_empty() });
            let profile = number(&mut crowd.profiles, &mut profiles, Profile { class, set, fence });
            crowd.profile_of.push(profile);
            let namesake = name_of(&identity.caller).and_then(|(account, name)| {
                // why room for the first: nearly everybody is of one account.
                let room = if crowd.by_name.is_empty() { identities.len() } else { 0 };
                let names = crowd.by_name.entry(account);
                let names = names.or_insert_with(|| Map::with_capacity_and_hasher(room, BuildHasherDefault::default()));
                names.insert(name, person as u32)
            });
            crowd.namesake.push(namesake);
        }
        crowd
    }

    /// Those of a name, the last first.
    pub(super) fn called(&self, account: &str, name: &str) -> impl Iterator<Item = u32> {
        let last = self.by_name.get(account).and_then(|names| names.get(name)).copied();
        std::iter::successors(last, |person| self.namesake[*person as usize])
    }

    pub(super) fn profile(&self, person: usize) -> Profile {
        self.profiles[self.profile_of[person] as usize]
    }
}

/// One of each kind: to see what depends on the action.
pub(super) fn samples(identities: &[Identity]) -> Vec<&Identity> {
    let mut seen = BTreeSet::new();
    identities.iter().filter(|identity| seen.insert(Class::of(identity).kind)).collect()
}

/// A document as it is to somebody.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) doc: u32,
    /// One to whom it is so.
    pub(super) person: u32,
}

/// People on resources of one owner. What documents that write out their resources say is left out: on nearly every
/// resource that is nothing, and on the others those who hold them are looked at alone.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) variants: Vec<Variant>,
    /// Numbers of variants.
    pub(super) kins: Vec<Vec<u32>>,
    pub(super) groups: Vec<Group>,
    /// The group of each.
    pub(super) group_of: Vec<u32>,
    /// Who holds a document that writes out its resources.
    pub(super) holders: Map<u32, Vec<u32>>,
}

/// What of a document tells people apart.
pub(super) struct Traits {
    /// Its number among those that mean something else.
    pub(super) sign: u32,
    /// It writes out its resources.
    pub(super) literal: bool,
    /// What it looks up that not everybody has the same of.
    pub(super) uneven: Vec<Arc<Values>>,
}

/// All for whom everything is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) class: u32,
    pub(super) kin: u32,
    pub(super) gaps: bool,
    /// With the number of a variant.
    pub(super) fence: Fence,
}

impl View {
    /// Tells people apart.
    pub(super) fn of(crowd: &Crowd<'_>, traits: &[Traits]) -> Self {
        let mut view = Self::default();
        let mut variants: Map<(u32, Vec<u32>), u32> = Map::default();
        let (mut kins, mut groups) = (Map::default(), Map::default());
        // why once a profile: most profiles look up nothing.
        let even = |doc: u32| traits[doc as usize].uneven.is_empty();
        let mut of_profile: Vec<Option<u32>> = vec![None; crowd.profiles.len()];
        view.group_of.reserve(crowd.identities.len());
        for person in 0..crowd.identities.len() {
            let profile = crowd.profile(person);
            let set = &crowd.sets[profile.set as usize];
            for doc in set.docs.iter().filter(|doc| traits[**doc as usize].literal) {
                view.holders.entry(*doc).or_default().push(person as u32);
            }
            let known = &mut of_profile[crowd.profile_of[person] as usize];
            if let Some(group) = *known {
                view.group_of.push(group);
                continue;
            }
            let seen = &mut view.variants;
            let mut variant = |doc: u32| {
                let Traits { sign, uneven, .. } = &traits[doc as usize];
                *variants.entry((*sign, uneven.iter().map(|values| values.of[person]).collect())).or_insert_with(|| {
                    seen.push(Variant { doc, person: person as u32 });
                    seen.len() as u32 - 1
                })
            };
            let docs = || set.docs.iter().copied().filter(|doc| !traits[*doc as usize].literal);
            let mut kin: Vec<u32> = docs().map(&mut variant).collect();
            kin.sort_unstable();
            kin.dedup();
            let (fence, fence_even) = match profile.fence {
                Fence::Doc(doc) => (Fence::Doc(variant(doc)), even(doc)),
                other => (other, true),
            };
            let kin = number(&mut view.kins, &mut kins, kin);
            let group = Group { class: profile.class, kin, gaps: set.gaps, fence };
            let group = number(&mut view.groups, &mut groups, group);
            if fence_even && docs().all(even) {
                *known = Some(group);
            }
            view.group_of.push(group);
        }
        view
    }
}
