//! Questions that are asked of many keys, and are the same: an account made by templates holds thousands of keys under
//! a handful of policies, and what one of them gives a role the others give it too, by the same statements.
//!
//! An answer is kept for another key only where everything that it rests on is compared: the policy itself, where the
//! key lies, what conditions can ask about it, its state ([`Likeness`]); that no grant on it is for the caller; and that
//! every pattern means both keys or neither ([`super::apart`]). What cannot be compared so, and what was not read, is
//! asked of each key by itself. Nothing here decides: [`decide`] and [`identity_decides`] do.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use super::apart::{Apart, Marks, Sort};
use super::decision::Answer;
use super::grants;
use super::identity::Identity;
use super::plain::{KeyAccess, OWN_FACT, decide, identity_decides};
use super::policy::{BadPolicy, Policy};
use super::scenario::Scenario;
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::Document;
use crate::inventory::kms::{Key, KeyMetadata, KeyState};

/// An action, and how the request is made.
pub type Question = (&'static str, Scenario);

/// The most answers that are kept for one caller: each costs memory, and a policy that tells more keys than that apart
/// has hardly two that are alike.
const KEPT: usize = 64;

/// All of a key that answers rest on but its id, its aliases and its grants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Likeness<'a> {
    sort: Sort<'a>,
    policy: Same,
    spec: &'a str,
    usage: &'a str,
    origin: &'a str,
    manager: &'a str,
    multi_region: bool,
    state: &'a KeyState,
}

/// A policy, by where it is: whoever parses equal texts once has the same one for all of them.
#[derive(Debug, Clone)]
struct Same(Arc<Policy>);

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Same {}

impl Hash for Same {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl<'a> Likeness<'a> {
    /// Of a key whose policy, grants and state were read. None of another: why that is, is its own.
    fn of(key: &'a Key, policy: &Result<Arc<Policy>, Text>) -> Option<Self> {
        let (sort, _) = Sort::of(&key.arn).filter(|(sort, _)| sort.is_keys())?;
        let KeyMetadata { state, manager, origin, spec, usage, multi_region, .. } = key.metadata.known().ok()?;
        key.grants.known().ok()?;
        let policy = Same(Arc::clone(policy.as_ref().ok()?));
        Some(Self { sort, policy, spec, usage, origin, manager, multi_region: *multi_region, state })
    }
}

/// A key that is asked about.
#[derive(Debug)]
pub struct OneKey<'a> {
    key: &'a Key,
    arn: Arn,
    policy: Result<Arc<Policy>, Text>,
    likeness: Option<Likeness<'a>>,
    /// why late: few keys are really asked.
    access: OnceCell<Box<KeyAccess>>,
}

impl<'a> OneKey<'a> {
    /// By who parses policies: equal texts once, if keys are to be alike. `None` when its id is no key ARN.
    pub fn of(key: &'a Key, parse: impl FnOnce(&Document) -> Result<Arc<Policy>, BadPolicy>) -> Option<Self> {
        let (arn, policy) = (key.arn.arn()?, KeyAccess::policy_of(key, parse));
        let likeness = Likeness::of(key, &policy);
        Some(Self { key, arn, policy, likeness, access: OnceCell::new() })
    }

    /// The key.
    pub fn key(&self) -> &'a Key {
        self.key
    }

    /// What makes it like others; none when it is like no other.
    pub fn likeness(&self) -> Option<&Likeness<'a>> {
        self.likeness.as_ref()
    }

    fn access(&self) -> &KeyAccess {
        self.access.get_or_init(|| Box::new(KeyAccess::at(self.arn.clone(), self.key, self.policy.clone())))
    }
}

fn of_identity(identity: &Identity) -> impl Iterator<Item = &Policy> {
    let boundary = identity.boundary.iter().filter_map(|boundary| boundary.policy.as_deref().ok());
    let above = identity.bounds.own_scps().iter().chain(identity.bounds.own_rcps());
    let above = above.flat_map(|level| level.policies.iter().map(|(_, policy)| policy));
    identity.policies.iter().map(|(_, policy)| &**policy).chain(boundary).chain(above)
}

/// Answers to the same questions by the marks of what they are about.
#[derive(Debug)]
struct Known<T> {
    apart: Option<Apart>,
    found: Vec<(Marks, Rc<T>)>,
}

impl<T> Known<T> {
    fn new(apart: Option<Apart>) -> Self {
        Self { apart, found: Vec::new() }
    }

    /// What is known of a resource, or is told now.
    fn of(&mut self, resource: &str, tell: impl FnOnce() -> T) -> Rc<T> {
        let Some(apart) = &self.apart else { return Rc::new(tell()) };
        let marks = apart.marks(resource);
        if let Some((_, told)) = self.found.iter().find(|(held, _)| *held == marks) {
            return Rc::clone(told);
        }
        let told = Rc::new(tell());
        if self.found.len() < KEPT {
            self.found.push((marks, Rc::clone(&told)));
        }
        told
    }
}

/// What is made of the answers to some questions. why no closure: it must rest on the answers alone.
pub type Telling<T> = fn(Vec<Answer>) -> T;

/// What comes of questions about keys of one likeness, by caller.
pub struct OfKeys<'a, T> {
    likeness: Option<&'a Likeness<'a>>,
    questions: &'a [Question],
    tell: Telling<T>,
    known: HashMap<*const Identity, Known<T>>,
}

impl<'a, T> OfKeys<'a, T> {
    /// Nothing is asked yet. Keys of another likeness, or without one, are asked each by itself.
    pub fn new(likeness: Option<&'a Likeness<'a>>, questions: &'a [Question], tell: Telling<T>) -> Self {
        Self { likeness, questions, tell, known: HashMap::new() }
    }

    /// What comes of them for a caller and a key.
    pub fn of(&mut self, one: &OneKey<'_>, identity: &'a Identity) -> Rc<T> {
        let alike = self.likeness.filter(|held| one.likeness() == Some(*held));
        let grants = one.key.grants.known().map_or(&[][..], Vec::as_slice);
        let granted = || self.questions.iter().any(|(action, _)| grants::are_for(grants, action, &identity.caller));
        let Some((likeness, (_, resource))) = alike.filter(|_| !granted()).zip(Sort::of(&one.key.arn)) else {
            return Rc::new(self.once(one, identity));
        };
        let questions = self.questions;
        let known = self.known.entry(identity).or_insert_with(|| {
            let policies = std::iter::once(&*likeness.policy.0).chain(of_identity(identity));
            Known::new(Apart::of(likeness.sort, &actions(questions), Some(OWN_FACT), policies))
        });
        known.of(resource, || ask_key(one, identity, questions, self.tell))
    }

    /// The same, and nothing is kept.
    pub fn once(&self, one: &OneKey<'_>, identity: &Identity) -> T {
        ask_key(one, identity, self.questions, self.tell)
    }
}

fn ask_key<T>(one: &OneKey<'_>, identity: &Identity, questions: &[Question], tell: Telling<T>) -> T {
    let answers = questions.iter().map(|(action, scenario)| decide(one.access(), identity, action, scenario));
    tell(answers.collect())
}

/// What comes of questions about what only the policies of callers decide, by caller and sort of resource.
pub struct OfIdentities<'a, T> {
    questions: &'a [Question],
    tell: Telling<T>,
    known: HashMap<(*const Identity, Sort<'a>), Known<T>>,
}

impl<'a, T> OfIdentities<'a, T> {
    /// Nothing is asked yet.
    pub fn new(questions: &'a [Question], tell: Telling<T>) -> Self {
        Self { questions, tell, known: HashMap::new() }
    }

    /// What comes of them for a caller and a resource. `None` when its id is no ARN.
    pub fn of(&mut self, resource: &'a ResourceId, identity: &'a Identity) -> Option<Rc<T>> {
        let (questions, tell) = (self.questions, self.tell);
        let arn = resource.arn()?;
        let ask = || {
            let answers = questions.iter().map(|(action, scenario)| identity_decides(identity, action, &arn, scenario));
            tell(answers.collect())
        };
        let Some((sort, part)) = Sort::of(resource) else { return Some(Rc::new(ask())) };
        let known = self.known.entry((std::ptr::from_ref(identity), sort)).or_insert_with(|| {
            // Nothing follows from such a resource but its place.
            Known::new(Apart::of(sort, &actions(questions), None, of_identity(identity)))
        });
        Some(known.of(part, ask))
    }
}

fn actions(questions: &[Question]) -> Vec<&'static str> {
    questions.iter().map(|(action, _)| *action).collect()
}
