//! CloudWatch Logs groups.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A log group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Its name.
    pub name: ResourceId,
    /// ARN.
    pub arn: ResourceId,
    /// `retentionInDays`; none means for ever.
    pub retention_days: Option<i32>,
    /// `kmsKeyId`.
    pub kms_key: Option<ResourceId>,
    /// `storedBytes`.
    pub bytes: i64,
    /// `creationTime`.
    pub created: Timestamp,
    /// Metric filters.
    pub filters: Read<Vec<MetricFilter>>,
    /// `deletionProtectionEnabled`.
    #[serde(default)]
    pub deletion_protection: bool,
    /// `dataProtectionStatus`: `ACTIVATED`, `DELETED`, `ARCHIVED`, `DISABLED`; none when it never had one.
    #[serde(default)]
    pub protection_status: Option<Text>,
    /// `inheritedProperties`: `ACCOUNT_DATA_PROTECTION`.
    #[serde(default)]
    pub inherited: Vec<Text>,
    /// `GetDataProtectionPolicy`; `None` when it has none of its own.
    #[serde(default)]
    pub protection: Read<Option<Document>>,
    /// `DescribeSubscriptionFilters`.
    #[serde(default)]
    pub subscriptions: Read<Vec<Subscription>>,
}

item!(LogGroup { name, filters, protection, subscriptions } named |group| group.name.as_str());

/// A metric filter: what it looks for, and which metrics count it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "MetricFilterForm")]
pub struct MetricFilter {
    /// Its name.
    pub name: Text,
    /// Its pattern.
    pub pattern: Text,
    /// Namespace and name of each metric: what an alarm names.
    pub metrics: Vec<(Text, Text)>,
}

impl fmt::Display for MetricFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.pattern)
    }
}

/// A filter as cases hold it; the first version wrote `name: pattern`.
#[derive(Deserialize)]
#[serde(untagged)]
enum MetricFilterForm {
    Line(Text),
    Whole { name: Text, pattern: Text, metrics: Vec<(Text, Text)> },
}

impl From<MetricFilterForm> for MetricFilter {
    fn from(form: MetricFilterForm) -> Self {
        match form {
            MetricFilterForm::Whole { name, pattern, metrics } => Self { name, pattern, metrics },
            MetricFilterForm::Line(line) => {
                let (name, pattern) = line.as_str().split_once(": ").unwrap_or(("", line.as_str()));
                Self { name: name.into(), pattern: pattern.into(), metrics: Vec::new() }
            }
        }
    }
}

/// A subscription filter: who else gets the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its name.
    pub name: Text,
    /// Its pattern; empty means everything.
    pub pattern: Text,
    /// ARN of the function, stream or delivery that gets them.
    pub destination: ResourceId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_of_an_older_case_still_opens() {
        let old: MetricFilter = serde_json::from_str(r#""kms: { $.x = 1 }""#).unwrap();
        assert_eq!((old.name.as_str(), old.pattern.as_str(), old.metrics.len()), ("kms", "{ $.x = 1 }", 0));
        let new = MetricFilter { metrics: vec![("Orion".into(), "Attacks".into())], ..old };
        let json = serde_json::to_string(&new).unwrap();
        assert_eq!(serde_json::from_str::<MetricFilter>(&json).unwrap(), new);
    }
}
