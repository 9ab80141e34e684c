//! Coverage: for each source of the inventory, how far we have seen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::read::{ErrorKind, ReadError};
use crate::base::Timestamp;

/// One API operation that fills the inventory. Declared once in [`SOURCES`].
#[derive(Debug)]
pub struct Source {
    /// `service:Operation`.
    pub name: &'static str,
    /// The IAM actions it needs, where they differ from the name.
    pub actions: &'static [&'static str],
    /// What it tells us.
    pub what: &'static str,
    /// In which wave it is read: 0 identity, 1 cheap lists, 2 details, 3 background, 4 only in a deep look,
    /// 5 only where a second opinion is asked for.
    pub wave: u8,
    /// Seconds between reads while the console runs.
    pub every: u32,
}

macro_rules! sources {
    ($($id:ident = $name:literal, $wave:literal, $every:literal, $what:literal $(, [$($action:literal),+])?;)*) => {
        /// Every source, in reading order.
        pub static SOURCES: &[Source] = &[
            $(Source {
                name: $name,
                actions: { const ACTIONS: &[&str] = &[$($($action),+)?]; ACTIONS },
                what: $what,
                wave: $wave,
                every: $every,
            },)*
        ];

        impl SourceId {
            sources!(@ids 0usize; $($id = $name;)*);
        }
    };
    (@ids $n:expr; $id:ident = $name:literal; $($rest:tt)*) => {
        #[doc = concat!("`", $name, "`")]
        pub const $id: Self = Self($n);
        sources!(@ids $n + 1usize; $($rest)*);
    };
    (@ids $n:expr;) => {};
}

/// Which source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

sources! {
    CALLER = "sts:GetCallerIdentity", 0, 300, "who we are";
    ACCOUNT_ALIAS = "iam:ListAccountAliases", 0, 3600, "what the account is called";
    JOBS = "bedrock:ListModelCustomizationJobs", 1, 15, "customization jobs";
    MODELS = "bedrock:ListCustomModels", 1, 30, "custom models, owned and received";
    IMPORTED_MODELS = "bedrock:ListImportedModels", 1, 60, "imported models";
    IMPORT_JOBS = "bedrock:ListModelImportJobs", 1, 60, "import jobs";
    COPY_JOBS = "bedrock:ListModelCopyJobs", 1, 60, "copy jobs";
    EVALUATION_JOBS = "bedrock:ListEvaluationJobs", 1, 120, "evaluation jobs";
    BATCH_JOBS = "bedrock:ListModelInvocationJobs", 1, 120, "batch inference jobs";
    DEPLOYMENTS = "bedrock:ListCustomModelDeployments", 1, 60, "on-demand deployments";
    THROUGHPUTS = "bedrock:ListProvisionedModelThroughputs", 1, 60, "provisioned throughput";
    GUARDRAILS = "bedrock:ListGuardrails", 1, 120, "guardrails";
    ENFORCED_GUARDRAILS = "bedrock:ListEnforcedGuardrailsConfiguration", 1, 120, "guardrails enforced for the account";
    LOGGING = "bedrock:GetModelInvocationLoggingConfiguration", 1, 30, "invocation logging";
    FOUNDATION_MODELS = "bedrock:ListFoundationModels", 1, 3600, "base models and their lifecycle";
    ALIASES = "kms:ListAliases", 1, 300, "aliases of keys";
    JOB_DETAILS = "bedrock:GetModelCustomizationJob", 2, 15, "role, key, network, data and phases of jobs";
    MODEL_DETAILS = "bedrock:GetCustomModel", 2, 60, "key, job and metrics of models";
    IMPORTED_MODEL_DETAILS = "bedrock:GetImportedModel", 2, 300, "key and origin of imported models";
    IMPORT_JOB_DETAILS = "bedrock:GetModelImportJob", 2, 300, "role, key and data of import jobs";
    EVALUATION_JOB_DETAILS = "bedrock:GetEvaluationJob", 2, 300, "role, key and output of evaluation jobs";
    GUARDRAIL_DETAILS = "bedrock:GetGuardrail", 2, 300, "policies and key of guardrails";
    MODEL_POLICIES = "bedrock:GetResourcePolicy", 2, 300, "resource policies of models";
    TAGS = "bedrock:ListTagsForResource", 2, 300, "tags of jobs and models";
    KEYS = "kms:DescribeKey", 2, 60, "state, manager and spec of keys";
    KEY_POLICIES = "kms:GetKeyPolicy", 2, 60, "key policies";
    GRANTS = "kms:ListGrants", 2, 60, "grants on keys";
    ROTATION = "kms:GetKeyRotationStatus", 2, 300, "rotation of keys";
    AUTHORIZATION = "iam:GetAccountAuthorizationDetails", 2, 300, "roles, users, groups and policies";
    VPCS = "ec2:DescribeVpcs", 2, 300, "VPCs";
    VPC_ATTRIBUTES = "ec2:DescribeVpcAttribute", 2, 300, "DNS attributes of VPCs";
    SUBNETS = "ec2:DescribeSubnets", 2, 300, "subnets";
    ROUTE_TABLES = "ec2:DescribeRouteTables", 2, 120, "route tables";
    ENDPOINTS = "ec2:DescribeVpcEndpoints", 2, 300, "VPC endpoints and their policies";
    SECURITY_GROUPS = "ec2:DescribeSecurityGroups", 2, 300, "security groups";
    BUCKETS = "s3:ListBuckets", 2, 300, "buckets of the account", ["s3:ListAllMyBuckets"];
    BUCKET_LOCATION = "s3:GetBucketLocation", 2, 3600, "regions of buckets";
    BUCKET_ENCRYPTION = "s3:GetBucketEncryption", 2, 300, "default encryption of buckets", ["s3:GetEncryptionConfiguration"];
    BUCKET_VERSIONING = "s3:GetBucketVersioning", 2, 300, "versioning of buckets";
    BUCKET_PUBLIC_ACCESS = "s3:GetPublicAccessBlock", 2, 300, "public access blocks", ["s3:GetBucketPublicAccessBlock"];
    BUCKET_POLICY = "s3:GetBucketPolicy", 2, 300, "bucket policies";
    BUCKET_POLICY_STATUS = "s3:GetBucketPolicyStatus", 2, 300, "whether bucket policies are public";
    BUCKET_ACL = "s3:GetBucketAcl", 3, 300, "access control lists of buckets";
    BUCKET_OWNERSHIP = "s3:GetBucketOwnershipControls", 3, 300, "object ownership of buckets";
    BUCKET_LOGGING = "s3:GetBucketLogging", 3, 300, "server access logging of buckets";
    BUCKET_LOCK = "s3:GetObjectLockConfiguration", 3, 300, "object lock of buckets", ["s3:GetBucketObjectLockConfiguration"];
    BUCKET_LIFECYCLE = "s3:GetBucketLifecycleConfiguration", 3, 300, "lifecycle rules of buckets", ["s3:GetLifecycleConfiguration"];
    BUCKET_REPLICATION = "s3:GetBucketReplication", 3, 300, "replication of buckets", ["s3:GetReplicationConfiguration"];
    TRAILS = "cloudtrail:DescribeTrails", 2, 300, "trails";
    TRAIL_STATUS = "cloudtrail:GetTrailStatus", 2, 120, "whether trails log";
    TRAIL_SELECTORS = "cloudtrail:GetEventSelectors", 2, 300, "what trails record";
    EVENT_DATA_STORES = "cloudtrail:ListEventDataStores", 3, 300, "CloudTrail Lake stores";
    EVENTS = "cloudtrail:LookupEvents", 2, 15, "recent management events";
    LOG_GROUPS = "logs:DescribeLogGroups", 2, 300, "log groups";
    LOG_FILTERS = "logs:DescribeMetricFilters", 3, 300, "metric filters of log groups";
    LOG_EVENTS = "logs:FilterLogEvents", 3, 30, "model invocations, without prompts and completions";
    RULES = "events:ListRules", 2, 120, "EventBridge rules";
    RULE_TARGETS = "events:ListTargetsByRule", 2, 120, "targets of rules";
    DEPLOYMENT_DETAILS = "bedrock:GetCustomModelDeployment", 2, 120, "what deployments are being moved to";
    DATA_RETENTION = "bedrock:GetAccountDataRetention", 2, 600, "whether providers may see what is sent";
    API_KEYS = "iam:ListServiceSpecificCredentials", 2, 600, "long-term API keys of Bedrock";
    LAST_USE_REPORTS = "iam:GenerateServiceLastAccessedDetails", 3, 3600, "reports of last use, asked for";
    LAST_USES = "iam:GetServiceLastAccessedDetails", 3, 3600, "when principals last used Bedrock";
    ACCOUNT_PUBLIC_ACCESS = "s3control:GetPublicAccessBlock", 3, 600, "public access block of the account", ["s3:GetAccountPublicAccessBlock"];
    FLOW_LOGS = "ec2:DescribeFlowLogs", 3, 600, "flow logs of VPCs and subnets";
    DHCP_OPTIONS = "ec2:DescribeDhcpOptions", 3, 600, "name servers of VPCs";
    PREFIX_LISTS = "ec2:DescribeManagedPrefixLists", 3, 3600, "what prefix lists stand for";
    VPC_BLOCK = "ec2:DescribeVpcBlockPublicAccessOptions", 3, 600, "public access block of the region's VPCs";
    STORE_DETAILS = "cloudtrail:GetEventDataStore", 3, 600, "what CloudTrail Lake stores record";
    CHANNELS = "cloudtrail:ListChannels", 3, 600, "channels that services made for themselves";
    LOG_PROTECTION = "logs:GetDataProtectionPolicy", 3, 600, "masking of log groups";
    LOG_SUBSCRIPTIONS = "logs:DescribeSubscriptionFilters", 3, 600, "who else gets log events";
    LOG_ACCOUNT_POLICIES = "logs:DescribeAccountPolicies", 3, 600, "masking of all log groups";
    ALARMS = "cloudwatch:DescribeAlarms", 3, 300, "alarms";
    METRICS = "cloudwatch:GetMetricData", 3, 900, "invocations and log deliveries, counted";
    ORGANIZATIONS = "organizations:DescribeOrganization", 3, 3600, "the organization";
    ORGANIZATION_PATH = "organizations:ListParents", 3, 3600, "where in the organization the account stands";
    ORGANIZATION_POLICIES = "organizations:ListPoliciesForTarget", 3, 900, "service and resource control policies";
    ORGANIZATION_DOCUMENTS = "organizations:DescribePolicy", 3, 900, "what these policies say";
    BEDROCK_POLICY = "organizations:DescribeEffectivePolicy", 3, 900, "the organization's Bedrock policy";
    ACCESS_ANALYZER = "access-analyzer:ListAnalyzers", 3, 600, "Access Analyzer";
    ANALYZER_FINDINGS = "access-analyzer:ListFindingsV2", 3, 600, "external access that was found", ["access-analyzer:ListFindings"];
    ANALYZER_DETAILS = "access-analyzer:GetFindingV2", 3, 600, "who has it", ["access-analyzer:GetFinding"];
    GUARDDUTY = "guardduty:ListDetectors", 3, 600, "GuardDuty";
    DETECTORS = "guardduty:GetDetector", 3, 600, "features of detectors";
    THREATS = "guardduty:ListFindings", 3, 300, "findings of GuardDuty that bear on customization";
    THREAT_DETAILS = "guardduty:GetFindings", 3, 300, "what they are about";
    MALWARE_PLANS = "guardduty:ListMalwareProtectionPlans", 3, 600, "malware protection plans";
    MALWARE_PLAN_DETAILS = "guardduty:GetMalwareProtectionPlan", 3, 600, "buckets that they protect";
    MACIE = "macie2:GetMacieSession", 3, 600, "Macie";
    MACIE_DISCOVERY = "macie2:GetAutomatedDiscoveryConfiguration", 3, 600, "automated discovery of sensitive data";
    MACIE_BUCKETS = "macie2:DescribeBuckets", 3, 600, "what Macie knows of buckets";
    CLASSIFICATION_JOBS = "macie2:ListClassificationJobs", 3, 600, "sensitive-data discovery jobs";
    SENSITIVE_FINDINGS = "macie2:ListFindings", 3, 600, "sensitive data that Macie found";
    SENSITIVE_DETAILS = "macie2:GetFindings", 3, 600, "what and where it is";
    RAM_RESOURCES = "ram:ListResources", 3, 600, "custom models that are shared";
    RAM = "ram:GetResourceShares", 3, 600, "resource shares";
    RAM_PRINCIPALS = "ram:ListPrincipals", 3, 600, "who they are shared with";
    SAGEMAKER = "sagemaker:ListTrainingJobs", 3, 900, "SageMaker training jobs";
    TRAINING_DETAILS = "sagemaker:DescribeTrainingJob", 3, 900, "network, keys and output of those that fed an import";
    FUNCTIONS = "lambda:GetFunctionConfiguration", 3, 600, "role and network of functions that grade";
    FUNCTION_POLICIES = "lambda:GetPolicy", 3, 600, "who may call functions that grade";
    COLLECTION_POLICIES = "aoss:ListSecurityPolicies", 3, 900, "security policies of OpenSearch Serverless collections";
    COLLECTION_DOCUMENTS = "aoss:GetSecurityPolicy", 3, 900, "what these policies say";
    OBJECTS = "s3:ListObjectsV2", 4, 3600, "objects that jobs and imports name", ["s3:ListBucket"];
    HEADS = "s3:HeadObject", 4, 3600, "keys, times and checksums of these objects", ["s3:GetObject"];
    OBJECT_TAGS = "s3:GetObjectTagging", 4, 3600, "what malware scans tagged these objects with";
    CONTENT = "s3:GetObject", 4, 3600, "what these objects hold";
    CONVERSATIONS = "logs:GetLogEvents", 4, 3600, "what logged prompts and completions hold";
    CONTAINS_PII = "comprehend:ContainsPiiEntities", 5, 3600, "whether training data holds personal data, a second opinion";
    DETECT_PII = "comprehend:DetectPiiEntities", 5, 3600, "where it holds it, a second opinion";
}

impl SourceId {
    /// Every source.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SOURCES.len()).map(Self)
    }

    /// What it is.
    pub fn source(self) -> &'static Source {
        &SOURCES[self.0]
    }

    /// `service:Operation`.
    pub fn name(self) -> &'static str {
        self.source().name
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        SOURCES.iter().position(|source| source.name == name).map(Self)
    }

    /// Whether every look reads it. Those of wave 9 wait for a later version.
    pub fn is_read(self) -> bool {
        self.source().wave < 4
    }

    /// Whether only a deep look reads it (`scan --deep`): it tells what lies in objects and logs.
    pub fn is_deep(self) -> bool {
        self.source().wave == 4
    }

    /// Whether it is only read where a second opinion is asked for (`--comprehend`): text is sent to another service.
    pub fn is_opinion(self) -> bool {
        self.source().wave == 5
    }

    /// The IAM actions it takes.
    pub fn actions(self) -> Vec<&'static str> {
        match self.source().actions {
            [] => vec![self.name()],
            actions => actions.to_vec(),
        }
    }
}

impl fmt::Debug for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for SourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom(format!("'{name}' is no source of this version")))
    }
}

/// How far a source was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// Everything.
    Complete,
    /// Some reads of it failed.
    Partial,
    /// AWS refused all of it.
    Denied,
    /// All of it failed otherwise.
    Failed,
    /// Complete once, but not within three intervals.
    Stale,
}

impl SourceState {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAsked => "not asked",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Stale => "stale",
        }
    }
}

/// The outcome of reading one source once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Which.
    pub source: SourceId,
    /// How far.
    pub state: SourceState,
    /// When.
    pub at: Timestamp,
    /// Resources or pages read.
    pub items: u32,
    /// Reads that failed.
    pub failed: u32,
    /// The first failure.
    pub error: Option<ReadError>,
    /// When it was last complete, if it is not now. Kept by [`Coverage::record`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_at: Option<Timestamp>,
    /// How far back activity was looked at, if not over the whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Looked>,
}

/// Since when activity is known. Before that, silence is no sign that nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Everything there is.
    pub all: Timestamp,
    /// Changes, and the use of keys and models; never later than `all`.
    pub named: Timestamp,
}

impl SourceReport {
    /// Sums up reads of one source: how many worked, and the failures.
    pub fn sum(source: SourceId, at: Timestamp, worked: usize, failures: &[ReadError]) -> Self {
        let state = match (worked, failures) {
            (_, []) => SourceState::Complete,
            (0, failures) if failures.iter().all(|error| error.kind == ErrorKind::Denied) => SourceState::Denied,
            (0, _) => SourceState::Failed,
            _ => SourceState::Partial,
        };
        let count = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            source,
            state,
            at,
            items: count(worked),
            failed: count(failures.len()),
            error: failures.first().cloned(),
            complete_at: None,
            looked: None,
        }
    }
}

/// The latest report of each source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Coverage(BTreeMap<SourceId, SourceReport>);

impl Coverage {
    /// Takes a report. Returns whether the picture changed (the time of it does not count).
    pub fn record(&mut self, mut report: SourceReport) -> bool {
        let look = |r: &SourceReport| {
            (r.state, r.items, r.failed, r.error.as_ref().map(|e| (e.kind, e.message.clone())), r.looked)
        };
        let held = self.0.get(&report.source);
        let changed = held.map(look) != Some(look(&report));
        let complete = |r: &SourceReport| if r.state == SourceState::Complete { Some(r.at) } else { r.complete_at };
        report.complete_at = match report.state {
            SourceState::Complete => None,
            _ => report.complete_at.or_else(|| held.and_then(complete)),
        };
        self.0.insert(report.source, report);
        changed
    }

    /// Every source that saw anything has failed now. Returns whether there is any.
    pub fn lose(&mut self, error: &ReadError) -> bool {
        let seen = |r: &&SourceReport| matches!(r.state, SourceState::Complete | SourceState::Partial);
        let failed = |r: &SourceReport| SourceReport {
            looked: r.looked,
            ..SourceReport::sum(r.source, error.at, 0, std::slice::from_ref(error))
        };
        let lost: Vec<_> = self.0.values().filter(seen).map(failed).collect();
        let any = !lost.is_empty();
        for report in lost {
            self.record(report);
        }
        any
    }

    /// Whether a source that was complete is not any more.
    pub fn is_behind(&self) -> bool {
        self.0.values().any(|report| report.complete_at.is_some())
    }

    /// Takes every source that was complete for complete, as of then.
    pub fn recall(&mut self) {
        for report in self.0.values_mut() {
            if let Some(at) = report.complete_at.take() {
                let looked = report.looked;
                *report = SourceReport { looked, ..SourceReport::sum(report.source, at, report.items as usize, &[]) };
            }
        }
    }

    /// How far back a source of activity was looked at, if not over the whole day.
    pub fn looked(&self, source: SourceId) -> Option<Looked> {
        self.0.get(&source)?.looked
    }

    /// The latest report of a source.
    pub fn report(&self, source: SourceId) -> Option<&SourceReport> {
        self.0.get(&source)
    }

    /// All reports.
    pub fn into_reports(self) -> impl Iterator<Item = SourceReport> {
        self.0.into_values()
    }

    /// The state of a source at `now`: a complete one goes stale after three intervals.
    pub fn state(&self, source: SourceId, now: Timestamp) -> SourceState {
        match self.0.get(&source) {
            None => SourceState::NotAsked,
            Some(report) => {
                let every = i64::from(source.source().every).max(10);
                let old = now.secs_since(report.at) > every * 3 + 30;
                if report.state == SourceState::Complete && old { SourceState::Stale } else { report.state }
            }
        }
    }

    /// Whether the last read of this source saw everything; the reason if not.
    pub fn complete(&self, source: SourceId) -> Result<(), Gap<'_>> {
        match self.0.get(&source) {
            Some(SourceReport { state: SourceState::Complete, .. }) => Ok(()),
            report => Err(Gap { source, report }),
        }
    }

    /// Whether content was asked for. If not, that it was not read is no gap.
    pub fn is_deep(&self) -> bool {
        self.0.keys().any(|source| source.is_deep())
    }

    /// Whether this look was to read a source.
    pub fn expects(&self, source: SourceId) -> bool {
        source.is_read()
            || (source.is_deep() && self.is_deep())
            || (source.is_opinion() && self.0.contains_key(&source))
    }

    /// Complete sources and all that this look was to read: the `17/18` of the header.
    pub fn ratio(&self, now: Timestamp) -> (usize, usize) {
        let read = || SourceId::all().filter(|source| self.expects(*source));
        (read().filter(|source| self.state(*source, now) == SourceState::Complete).count(), read().count())
    }

    /// When anything was read last. An attempt that failed read nothing.
    pub fn newest(&self) -> Option<Timestamp> {
        let read = |report: &SourceReport| match report.state {
            SourceState::Complete | SourceState::Partial => Some(report.at),
            _ => report.complete_at,
        };
        self.0.values().filter_map(read).max()
    }
}

/// A source that was not fully seen.
#[derive(Debug, Clone, Copy)]
pub struct Gap<'a> {
    /// Which.
    pub source: SourceId,
    /// The report, if there was an attempt.
    pub report: Option<&'a SourceReport>,
}

impl fmt::Display for Gap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.report {
            None => write!(f, "{} not read yet", self.source),
            Some(SourceReport { error: Some(error), .. }) => error.fmt(f),
            Some(report) => write!(f, "{} {}", self.source, report.state.word()),
        }
    }
}

#[cfg(test)]
mod tests;
