//! What was found, where, and how it is shown. A [`Hit`] holds a mask and a digest, never the value.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::rules::{Class, Rule, Severity};
use crate::base::Text;

/// Where a hit lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct Place {
    /// The file, or the member of an archive (`model.pt!data.pkl`).
    pub uri: Text,
    /// Line from 1; none in what has no lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Byte in the line from 1, or in the file from 0 where there is no line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Which field of the record (`messages[1].content`), tensor or key.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub field: Text,
}

/// One hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// What was looked for.
    #[serde(serialize_with = "rule_id")]
    pub rule: &'static Rule,
    /// Where.
    pub place: Place,
    /// What a person may see of it: a mask, made of what is public.
    pub shown: Text,
    /// Tells equal values from different ones; empty where there is nothing to tell.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub digest: Text,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives the field by reference")]
fn rule_id<S: Serializer>(rule: &&'static Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id)
}

/// Hits of one or many files: exact counts, and the first of each rule in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    counts: BTreeMap<&'static str, (&'static Rule, u64)>,
    hits: Vec<Hit>,
    kept: BTreeMap<&'static str, usize>,
    keep: usize,
}

/// How many hits of one rule are kept in full unless told otherwise.
pub const KEEP: usize = 100;

impl Default for Findings {
    fn default() -> Self {
        Self::keeping(KEEP)
    }
}

impl Findings {
    /// Keeps at most `keep` hits a rule; all are counted.
    pub fn keeping(keep: usize) -> Self {
        Self { counts: BTreeMap::new(), hits: Vec::new(), kept: BTreeMap::new(), keep }
    }

    /// Counts a hit; `make` is called only if it is to be kept.
    pub fn add(&mut self, rule: &'static Rule, make: impl FnOnce() -> Hit) {
        self.count(rule, 1);
        self.list(rule, make);
    }

    /// Lists a hit that is counted elsewhere.
    pub fn list(&mut self, rule: &'static Rule, make: impl FnOnce() -> Hit) {
        let kept = self.kept.entry(rule.id).or_default();
        if *kept < self.keep {
            *kept += 1;
            self.hits.push(make());
        }
    }

    /// Counts hits that are not listed one by one.
    pub fn count(&mut self, rule: &'static Rule, more: u64) {
        let entry = self.counts.entry(rule.id).or_insert((rule, 0));
        entry.1 = entry.1.saturating_add(more);
    }

    /// The hits that were kept, in the order they were found.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// Every rule that was hit and how often, worst first.
    pub fn counts(&self) -> Vec<(&'static Rule, u64)> {
        let mut counts: Vec<_> = self.counts.values().copied().collect();
        counts.sort_by_key(|(rule, _)| (rule.severity, rule.class, rule.id));
        counts
    }

    /// How often a rule was hit.
    pub fn of(&self, rule: &Rule) -> u64 {
        self.counts.get(rule.id).map_or(0, |(_, count)| *count)
    }

    /// How often rules of a class were hit.
    pub fn of_class(&self, class: Class) -> u64 {
        self.counts.values().filter(|(rule, _)| rule.class == class).map(|(_, count)| count).sum()
    }

    /// The worst severity; none if nothing was found.
    pub fn worst(&self) -> Option<Severity> {
        self.counts.values().map(|(rule, _)| rule.severity).min()
    }

    /// Whether some hits were counted but not kept.
    pub fn is_cut(&self) -> bool {
        self.counts.values().map(|(_, count)| count).sum::<u64>() > self.hits.len() as u64
    }

    /// Takes those of another file in.
    pub fn absorb(&mut self, other: Self) {
        for (rule, count) in other.counts.values() {
            self.count(rule, *count);
        }
        for hit in other.hits {
            let kept = self.kept.entry(hit.rule.id).or_default();
            if *kept < self.keep {
                *kept += 1;
                self.hits.push(hit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::rules;

    #[test]
    fn counts_are_exact_although_few_are_kept() {
        let mut findings = Findings::keeping(2);
        for line in 1..=5 {
            findings.add(&rules::EMAIL, || Hit {
                rule: &rules::EMAIL,
                place: Place { line: Some(line), ..Place::default() },
                shown: "…".into(),
                digest: Text::default(),
            });
        }
        findings.count(&rules::CARD, 3);
        assert_eq!((findings.of(&rules::EMAIL), findings.hits().len(), findings.is_cut()), (5, 2, true));
        assert_eq!(findings.of_class(Class::Pii), 8);
        assert_eq!(findings.worst(), Some(Severity::High));
        let mut all = Findings::keeping(3);
        all.absorb(findings.clone());
        all.absorb(findings);
        assert_eq!((all.of(&rules::EMAIL), all.hits().len()), (10, 3));
    }
}
