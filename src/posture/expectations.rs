//! What an organization expects of its account, where the catalogue leaves it open: accounts it trusts, regions it
//! approves, how many people may do what, which tags it wants. From the configuration's `[expect]`.

use std::collections::BTreeSet;

use serde::Deserialize;

/// Expectations, with the catalogue's own numbers where nobody says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectations {
    /// Other accounts, twelve digits each, that may use keys, models and data, and whose models may be used.
    pub trusted_accounts: BTreeSet<String>,
    /// Regions where models may be customized; none: every region.
    pub approved_regions: BTreeSet<String>,
    /// How many principals may create, import, copy, share or delete models. why eight: a team and its pipeline, two
    /// break-glass roles; the catalogue leaves the number open.
    pub max_model_admins: usize,
    /// How many principals may write one bucket of training data. why five: a pipeline, its successor, two
    /// break-glass roles and one that labels; the catalogue leaves the number open.
    pub max_dataset_writers: usize,
    /// Tags that models, jobs and what serves them carry.
    pub required_tags: BTreeSet<String>,
    /// Names of provisioned throughput that was ordered; none: every name.
    pub approved_throughputs: BTreeSet<String>,
    /// After so many days without use, a right is unused.
    pub unused_days: u32,
    /// The longest life of a Bedrock API key, in days.
    pub api_key_days: u32,
    /// The shortest retention of invocation logs, in days. why a year: what PCI DSS 10.5.1 asks for, and the others do
    /// not exceed.
    pub log_retention_days: u32,
    /// Whether Bedrock must keep nothing: the data-retention mode has to be `none`.
    pub require_no_retention: bool,
}

impl Default for Expectations {
    fn default() -> Self {
        let tags = ["owner", "data-classification", "environment"];
        Self {
            trusted_accounts: BTreeSet::new(),
            approved_regions: BTreeSet::new(),
            max_model_admins: 8,
            max_dataset_writers: 5,
            required_tags: tags.map(str::to_owned).into(),
            approved_throughputs: BTreeSet::new(),
            unused_days: 90,
            api_key_days: 90,
            log_retention_days: 365,
            require_no_retention: false,
        }
    }
}
