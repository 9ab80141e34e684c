//! Invocations, held for the console: newest first, each once, with what they add up to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::activity::Invocation;
use crate::base::{ResourceId, Text};

/// How many invocations are held; older ones go.
pub const MOST: usize = 5_000;

/// What some invocations add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Calls.
    pub calls: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Tokens in, where the log told.
    pub input: u64,
    /// Tokens out, where the log told.
    pub output: u64,
}

impl Sum {
    fn add(&mut self, invocation: &Invocation) {
        self.calls += 1;
        self.failed += u64::from(invocation.error.is_some());
        self.input = self.input.saturating_add(invocation.input_tokens.unwrap_or(0));
        self.output = self.output.saturating_add(invocation.output_tokens.unwrap_or(0));
    }

    /// Tokens in and out.
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// The invocations.
#[derive(Debug, Default)]
pub struct Invoked {
    order: Vec<Arc<Invocation>>,
    by_id: HashMap<Text, Arc<Invocation>>,
    /// All of them.
    pub all: Sum,
    /// By model, as callers name it.
    pub models: BTreeMap<ResourceId, Sum>,
    /// By caller.
    pub callers: BTreeMap<Text, Sum>,
    /// Counts changes.
    pub revision: u64,
}

impl Invoked {
    /// Takes new invocations. Returns whether there were any.
    pub fn take(&mut self, invocations: Vec<Invocation>) -> bool {
        let mut new = false;
        for invocation in invocations {
            if self.by_id.contains_key(&invocation.id) {
                continue;
            }
            let invocation = Arc::new(invocation);
            self.by_id.insert(invocation.id.clone(), invocation.clone());
            self.order.push(invocation);
            new = true;
        }
        if !new {
            return false;
        }
        self.order.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        for gone in self.order.drain(self.order.len().min(MOST)..) {
            self.by_id.remove(&gone.id);
        }
        self.all = Sum::default();
        self.models.clear();
        self.callers.clear();
        for invocation in &self.order {
            self.all.add(invocation);
            self.models.entry(invocation.model.clone()).or_default().add(invocation);
            self.callers.entry(invocation.who.clone()).or_default().add(invocation);
        }
        self.revision += 1;
        true
    }

    /// All, newest first.
    pub fn list(&self) -> &[Arc<Invocation>] {
        &self.order
    }

    /// By id.
    pub fn get(&self, id: &Text) -> Option<&Arc<Invocation>> {
        self.by_id.get(id)
    }
}

/// A count in few cells: `812`, `14k`, `2.3M`.
pub fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{}.{}M", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn one(n: usize, who: &str, model: &str, failed: bool) -> Invocation {
        Invocation {
            id: Text::new(format!("i-{n}")),
            at: Timestamp::from_secs(n as i64),
            operation: "Converse".into(),
            model: model.into(),
            who: who.into(),
            principal: None,
            input_tokens: Some(100),
            output_tokens: (!failed).then_some(10),
            error: failed.then(|| "ThrottlingException".into()),
            log_group: "g".into(),
        }
    }

    #[test]
    fn each_once_newest_first_and_added_up() {
        let mut held = Invoked::default();
        assert!(held.take(vec![one(1, "App", "m", false), one(3, "App", "n", true), one(2, "zoe", "m", false)]));
        assert!(!held.take(vec![one(3, "App", "n", true)]) && !held.take(Vec::new()));
        let ids: Vec<_> = held.list().iter().map(|invocation| invocation.id.as_str()).collect();
        assert_eq!((ids, held.revision), (vec!["i-3", "i-2", "i-1"], 1));
        assert_eq!(held.all, Sum { calls: 3, failed: 1, input: 300, output: 20 });
        assert_eq!(held.models[&ResourceId::from("m")], Sum { calls: 2, failed: 0, input: 200, output: 20 });
        assert_eq!(held.callers[&Text::from("App")], Sum { calls: 2, failed: 1, input: 200, output: 10 });
        assert_eq!(held.get(&"i-2".into()).unwrap().who.as_str(), "zoe");
    }

    #[test]
    fn only_the_newest_are_held() {
        let mut held = Invoked::default();
        held.take((0..MOST + 7).map(|n| one(n, "App", "m", false)).collect());
        assert_eq!((held.list().len(), held.by_id.len(), held.all.calls), (MOST, MOST, MOST as u64));
        assert_eq!(held.list().last().unwrap().id.as_str(), "i-7");
    }

    #[test]
    fn counts_in_few_cells() {
        for (count, text) in [(0, "0"), (9_999, "9999"), (14_900, "14k"), (999_999, "999k"), (2_345_678, "2.3M")] {
            assert_eq!(short(count), text);
        }
    }
}
