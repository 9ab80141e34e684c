//! What exists in one session, as plain data: no SDK type, serializable, comparable.
//!
//! Nothing enters but through [`Inventory::apply`]. A value that could not be read is a
//! [`Read::Failed`], never an absence, so that no rule can mistake "could not look" for "is fine".

pub mod analyzer;
pub mod bedrock;
pub mod calls;
pub mod changes;
pub mod cloudwatch;
pub mod conversation;
pub mod coverage;
pub mod document;
pub mod ec2;
pub mod events;
pub mod feeders;
pub mod guardduty;
pub mod guardrails;
pub mod iam;
pub mod invocation_logging;
pub mod kms;
pub mod lineage;
mod link;
pub mod logs;
pub mod macie;
pub mod objects;
pub mod opinion;
pub mod organization;
pub mod read;
pub mod reference;
pub mod s3;
pub mod session;
pub mod settings;
mod table;
#[cfg(test)]
pub mod testing;
pub mod trail;
pub mod update;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use calls::CallStats;
pub use coverage::{Coverage, SourceId, SourceReport, SourceState};
pub use document::Document;
pub use lineage::{Edge, Lineage, Link};
pub use read::{ErrorKind, Read, ReadError};
pub use reference::{Kind, ResourceRef};
pub use session::{Mode, SessionInfo};
pub use settings::{Setting, Settings};
pub use table::Table;
pub use update::{Item, Update};

/// Tags as AWS gives them: key to value, both from outside.
pub type Tags = BTreeMap<crate::base::Text, crate::base::Text>;

/// An inventory as it was before reads began to fail: of the past, and only to be shown as that.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// With every value that was read last, whether or not it can be read now.
    pub inventory: Inventory,
    /// When the values that cannot be read now were read: the oldest of each resource.
    pub at: BTreeMap<ResourceRef, crate::base::Timestamp>,
}

/// Declares every collection once: the field, what it holds, what a [`ResourceRef`] to it is called.
macro_rules! inventory {
    ($($(#[doc = $doc:literal])* $field:ident: $item:ty => $variant:ident;)*) => {
        /// What exists in one session.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Inventory {
            $($(#[doc = $doc])* pub $field: Table<$item>,)*
            /// The invocation-logging configuration, one a region; `None` when logging is off.
            pub logging: Read<Option<bedrock::LoggingConfiguration>>,
            /// What an account or region has one of.
            pub settings: Settings,
            /// What was read, when, and what could not be.
            pub coverage: Coverage,
        }

        impl Inventory {
            /// Merges one update in. Returns whether anything a reader could see has changed.
            pub fn apply(&mut self, update: Update) -> bool {
                match update {
                    Update::Listed(items) => match items {
                        $(Items::$variant(items) => update::replace(&mut self.$field, items),)*
                    },
                    Update::Read(items) => match items {
                        $(Items::$variant(items) => update::merge(&mut self.$field, items),)*
                    },
                    Update::Logging(read) => {
                        let newer = self.logging.clone().newer(read);
                        let changed = newer != self.logging;
                        self.logging = newer;
                        changed
                    }
                    Update::Setting(setting) => self.settings.apply(setting),
                    Update::Source(report) => self.coverage.record(report),
                    Update::Lost(error) => {
                        $(self.$field.values_mut().for_each(|item| item.lose(&error));)*
                        self.logging.lose(&error);
                        self.settings.lose(&error);
                        self.coverage.lose(&error)
                    }
                }
            }

            /// What was known before reads began to fail; none if nothing known has failed since.
            pub fn recalled(&self) -> Option<Recalled> {
                let stale = self.coverage.is_behind() || self.logging.is_stale() || self.settings.is_stale()
                    $(|| self.$field.values().any(Item::is_stale))*;
                if !stale {
                    return None;
                }
                let (mut inventory, mut at) = (self.clone(), BTreeMap::new());
                $(for item in inventory.$field.values_mut() {
                    if let Some(time) = item.recall() {
                        at.insert(ResourceRef::new(Kind::$variant, item.id()), time);
                    }
                })*
                if let Some(time) = inventory.logging.recall() {
                    at.insert(ResourceRef::new(Kind::Logging, "invocation-logging"), time);
                }
                for (id, time) in inventory.settings.recall() {
                    at.insert(ResourceRef::new(Kind::Setting, id), time);
                }
                inventory.coverage.recall();
                Some(Recalled { inventory, at })
            }

            /// The inventory as updates: applied to an empty inventory, they make the same again.
            pub fn into_updates(self) -> Vec<Update> {
                let mut updates = vec![
                    $(Update::Listed(Items::$variant(self.$field.into_values().collect())),)*
                    Update::Logging(self.logging),
                ];
                updates.extend(self.settings.into_each().into_iter().map(Update::Setting));
                updates.extend(self.coverage.into_reports().map(Update::Source));
                updates
            }

            /// Whether the inventory holds this resource.
            pub fn holds(&self, reference: &ResourceRef) -> bool {
                match reference.kind {
                    $(Kind::$variant => self.$field.contains_key(&reference.id),)*
                    _ => false,
                }
            }

            /// Everything in the inventory, kind by kind.
            pub fn references(&self) -> impl Iterator<Item = ResourceRef> + '_ {
                std::iter::empty()
                    $(.chain(self.$field.keys().map(|id| ResourceRef::new(Kind::$variant, id.clone()))))*
            }

            /// One resource as JSON, for the raw view and for copies.
            pub fn raw(&self, reference: &ResourceRef) -> Option<serde_json::Value> {
                match reference.kind {
                    $(Kind::$variant => self.$field.get(&reference.id).map(serde_json::to_value)?.ok(),)*
                    Kind::Logging => serde_json::to_value(&self.logging).ok(),
                    Kind::Setting => self.settings.raw(reference.id.as_str()),
                    _ => None,
                }
            }

            /// What a person calls it: an alias, a name; else the last part of its id.
            pub fn name_of(&self, reference: &ResourceRef) -> String {
                let named = match reference.kind {
                    $(Kind::$variant => self.$field.get(&reference.id).map(Item::name),)*
                    _ => None,
                };
                named.filter(|name| !name.is_empty()).map_or_else(|| reference.id.last().to_owned(), Cow::into_owned)
            }
        }

        /// Resources of one kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Items {
            $($(#[doc = $doc])* $variant(Vec<$item>),)*
        }

        impl Items {
            /// Leaves out what these name.
            pub fn leave_out(&mut self, these: &std::collections::BTreeSet<ResourceRef>) {
                match self {
                    $(Self::$variant(items) => {
                        items.retain(|item| !these.contains(&ResourceRef::new(Kind::$variant, item.id())));
                    })*
                }
            }
        }
    };
}

inventory! {
    /// Model customization jobs.
    jobs: bedrock::CustomizationJob => Job;
    /// Model import jobs.
    import_jobs: bedrock::ImportJob => ImportJob;
    /// Model copy jobs, listed in the region they copy to.
    copy_jobs: bedrock::CopyJob => CopyJob;
    /// Model evaluation jobs.
    evaluation_jobs: bedrock::EvaluationJob => EvaluationJob;
    /// Batch inference (model invocation) jobs.
    batch_jobs: bedrock::BatchJob => BatchJob;
    /// Custom models, owned and received.
    models: bedrock::CustomModel => Model;
    /// Imported models.
    imported_models: bedrock::ImportedModel => ImportedModel;
    /// Foundation models that can be customized or that lineage reaches.
    foundation_models: bedrock::FoundationModel => FoundationModel;
    /// On-demand deployments of custom models.
    deployments: bedrock::Deployment => Deployment;
    /// Provisioned model throughput.
    throughputs: bedrock::Throughput => Throughput;
    /// Guardrails.
    guardrails: guardrails::Guardrail => Guardrail;
    /// Account-level enforced guardrail configurations.
    enforced_guardrails: guardrails::EnforcedGuardrail => EnforcedGuardrail;
    /// KMS keys that lineage reaches.
    keys: kms::Key => Key;
    /// S3 buckets that lineage reaches.
    buckets: s3::Bucket => Bucket;
    /// IAM roles.
    roles: iam::Role => Role;
    /// IAM users.
    users: iam::User => User;
    /// IAM groups.
    groups: iam::Group => Group;
    /// IAM managed policies that are attached somewhere.
    policies: iam::ManagedPolicy => Policy;
    /// VPCs.
    vpcs: ec2::Vpc => Vpc;
    /// Subnets.
    subnets: ec2::Subnet => Subnet;
    /// Route tables.
    route_tables: ec2::RouteTable => RouteTable;
    /// VPC endpoints.
    endpoints: ec2::Endpoint => Endpoint;
    /// Security groups.
    security_groups: ec2::SecurityGroup => SecurityGroup;
    /// CloudTrail trails.
    trails: trail::Trail => Trail;
    /// CloudTrail Lake event data stores.
    event_data_stores: trail::EventDataStore => EventDataStore;
    /// CloudWatch Logs groups.
    log_groups: logs::LogGroup => LogGroup;
    /// EventBridge rules of the default bus.
    rules: events::Rule => Rule;
    /// Numbered versions of guardrails.
    guardrail_versions: guardrails::GuardrailVersion => GuardrailVersion;
    /// DHCP options of VPCs.
    dhcp_options: ec2::DhcpOptions => DhcpOptions;
    /// Flow logs of VPCs and subnets that lineage reaches.
    flow_logs: ec2::FlowLog => FlowLog;
    /// Managed prefix lists that routes and security groups name.
    prefix_lists: ec2::PrefixList => PrefixList;
    /// CloudTrail channels, among them those that services made for themselves.
    channels: trail::Channel => Channel;
    /// Long-term API keys of Amazon Bedrock.
    api_keys: iam::ApiKey => ApiKey;
    /// When principals that may use Amazon Bedrock last did.
    last_uses: iam::LastUse => LastUse;
    /// Service and resource control policies on the account's path.
    organization_policies: organization::OrganizationPolicy => OrganizationPolicy;
    /// Analyzers of IAM Access Analyzer.
    analyzers: analyzer::Analyzer => Analyzer;
    /// What they found on resources that lineage reaches.
    analyzer_findings: analyzer::AnalyzerFinding => AnalyzerFinding;
    /// GuardDuty detectors.
    detectors: guardduty::Detector => Detector;
    /// GuardDuty findings that bear on customization.
    threats: guardduty::Threat => Threat;
    /// Malware protection plans.
    malware_plans: guardduty::MalwarePlan => MalwarePlan;
    /// What Macie knows of buckets that lineage reaches.
    macie_buckets: macie::MacieBucket => MacieBucket;
    /// Macie's sensitive-data discovery jobs.
    classification_jobs: macie::ClassificationJob => ClassificationJob;
    /// Sensitive data that Macie found in them.
    sensitive_findings: macie::SensitiveFinding => SensitiveFinding;
    /// CloudWatch alarms.
    alarms: cloudwatch::Alarm => Alarm;
    /// Sums of metrics of Amazon Bedrock.
    metrics: cloudwatch::Metric => Metric;
    /// SageMaker training jobs whose output was imported.
    training_jobs: feeders::TrainingJob => TrainingJob;
    /// Lambda functions that grade reinforcement fine-tuning.
    functions: feeders::Function => Function;
    /// Resource shares of custom models.
    shares: feeders::Share => Share;
    /// Security policies of OpenSearch Serverless collections.
    collection_policies: feeders::CollectionPolicy => CollectionPolicy;
    /// Data under the prefixes that customization names, as a deep look found it.
    data: objects::Dataset => Data;
}
