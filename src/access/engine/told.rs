//! What is told of people, by condition key: to look a key up in ten thousand people one after the other is slower than
//! to turn their facts round once.

use std::collections::HashMap;

use super::super::identity::Identity;
use super::super::scenario::{ContextValue, Facts};

/// What the request does not carry.
static ABSENT: ContextValue = ContextValue::Absent;

/// What is told of everybody.
pub(super) struct Told<'a> {
    /// Whoever has a value for a key, in order.
    of_key: HashMap<&'a str, Vec<(u32, &'a ContextValue)>>,
    /// Facts of which something is told whole, one of each kind: what is not among them is absent.
    whole: Vec<&'a Facts>,
    /// Which of them, for each person.
    whole_of: Vec<u32>,
}

impl<'a> Told<'a> {
    pub(super) fn of(identities: &'a [Identity]) -> Self {
        let mut told = Self { of_key: HashMap::new(), whole: Vec::new(), whole_of: Vec::new() };
        told.whole_of.reserve(identities.len());
        for (person, identity) in identities.iter().enumerate() {
            let facts = &identity.facts;
            for (key, value) in facts.values() {
                told.of_key.entry(key).or_default().push((person as u32, value));
            }
            let known = told.whole.iter().rposition(|one| one.is_as_whole_as(facts));
            let at = known.unwrap_or_else(|| {
                told.whole.push(facts);
                told.whole.len() - 1
            });
            told.whole_of.push(at as u32);
        }
        told
    }

    /// What is told of one key, person by person.
    pub(super) fn each(&self, key: &str) -> impl Iterator<Item = Option<&'a ContextValue>> {
        let absent: Vec<bool> = self.whole.iter().map(|facts| facts.rules_out(key)).collect();
        let mut next = self.of_key.get(key).into_iter().flatten().peekable();
        self.whole_of.iter().enumerate().map(move |(person, whole)| {
            let own = next.next_if(|(of, _)| *of as usize == person).map(|(_, value)| *value);
            own.or_else(|| absent[*whole as usize].then_some(&ABSENT))
        })
    }
}
