//! Amazon CloudWatch: alarms, and the sums of the few metrics of Amazon Bedrock that rules look at.
//!
//! Shapes follow the Amazon CloudWatch API Reference (2010-08-01).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::update::item;
use crate::base::{ResourceId, Text};

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    pub state: Text,
    /// `ActionsEnabled`.
    pub enabled: bool,
    /// `AlarmActions`: ARNs of topics and the like.
    pub actions: Vec<ResourceId>,
    /// The metrics it watches: one, several for a metric-math alarm, none for a composite one.
    pub metrics: Vec<AlarmMetric>,
    /// `AlarmRule` of a composite alarm.
    pub rule: Option<Text>,
}

item!(Alarm { arn } named |alarm| alarm.name.as_str());

impl Alarm {
    /// Whether somebody is told when it goes off.
    pub fn tells(&self) -> bool {
        self.enabled && !self.actions.is_empty()
    }

    /// Whether it watches this metric, whatever the dimensions.
    pub fn watches(&self, namespace: &str, name: &str) -> bool {
        self.metrics.iter().any(|metric| metric.namespace.as_str() == namespace && metric.name.as_str() == name)
    }
}

/// A metric that an alarm watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmMetric {
    /// `AWS/Bedrock`, …
    pub namespace: Text,
    /// `MetricName`.
    pub name: Text,
    /// Dimensions.
    pub dimensions: BTreeMap<Text, Text>,
}

/// How often something happened, by a metric (`GetMetricData`, statistic Sum).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// `namespace name`, and ` dimension=value` where it has one: [`Metric::id_of`].
    pub id: ResourceId,
    /// `AWS/Bedrock`.
    pub namespace: Text,
    /// `MetricName`.
    pub name: Text,
    /// Dimensions.
    pub dimensions: BTreeMap<Text, Text>,
    /// The sum over the last 24 hours. A metric that does not exist sums up to nothing.
    pub day: f64,
    /// The sum over the last 30 days.
    pub month: f64,
}

item!(Metric { id } named |metric| metric.name.as_str());

impl Metric {
    /// The id of a metric of Amazon Bedrock, for the whole region or for one model.
    pub fn id_of(name: &str, model: Option<&ResourceId>) -> ResourceId {
        match model {
            None => ResourceId::new(format!("AWS/Bedrock {name}")),
            Some(model) => ResourceId::new(format!("AWS/Bedrock {name} ModelId={model}")),
        }
    }
}
