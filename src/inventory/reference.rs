//! How one room points another at a resource.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::ResourceId;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $word:literal;)*) => {
        /// Kinds of resource.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What the interface and the exports call it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// The account itself; id = twelve digits.
    Account = "account";
    /// One region of the account; id = the region's code.
    Region = "region";
    /// A model customization job.
    Job = "job";
    /// A model import job.
    ImportJob = "import job";
    /// A model copy job.
    CopyJob = "copy job";
    /// A model evaluation job.
    EvaluationJob = "evaluation job";
    /// A batch inference job.
    BatchJob = "batch job";
    /// A custom model.
    Model = "model";
    /// An imported model.
    ImportedModel = "imported model";
    /// A foundation model.
    FoundationModel = "base model";
    /// A custom-model deployment.
    Deployment = "deployment";
    /// Provisioned throughput.
    Throughput = "throughput";
    /// A guardrail.
    Guardrail = "guardrail";
    /// An enforced guardrail configuration.
    EnforcedGuardrail = "enforced guardrail";
    /// The invocation-logging configuration of the region; its id is `invocation-logging`.
    Logging = "invocation logging";
    /// A KMS key.
    Key = "key";
    /// An S3 bucket.
    Bucket = "bucket";
    /// Data under a prefix; id = `s3://bucket/prefix`.
    Data = "data";
    /// An IAM role.
    Role = "role";
    /// An IAM user.
    User = "user";
    /// An IAM group.
    Group = "group";
    /// An IAM managed policy.
    Policy = "policy";
    /// A VPC.
    Vpc = "vpc";
    /// A subnet.
    Subnet = "subnet";
    /// A route table.
    RouteTable = "route table";
    /// A VPC endpoint.
    Endpoint = "endpoint";
    /// A security group.
    SecurityGroup = "security group";
    /// A CloudTrail trail.
    Trail = "trail";
    /// A CloudTrail Lake event data store.
    EventDataStore = "event data store";
    /// A CloudWatch Logs group.
    LogGroup = "log group";
    /// An EventBridge rule.
    Rule = "rule";
    /// A numbered version of a guardrail; id = `ARN:version`.
    GuardrailVersion = "guardrail version";
    /// DHCP options of a VPC.
    DhcpOptions = "DHCP options";
    /// A flow log.
    FlowLog = "flow log";
    /// A managed prefix list.
    PrefixList = "prefix list";
    /// A CloudTrail channel.
    Channel = "channel";
    /// A long-term API key of Amazon Bedrock.
    ApiKey = "API key";
    /// A principal's last use of Amazon Bedrock; id = the principal's ARN.
    LastUse = "last use";
    /// A service or resource control policy.
    OrganizationPolicy = "organization policy";
    /// An analyzer of IAM Access Analyzer.
    Analyzer = "analyzer";
    /// A finding of IAM Access Analyzer.
    AnalyzerFinding = "analyzer finding";
    /// A GuardDuty detector.
    Detector = "detector";
    /// A GuardDuty finding.
    Threat = "threat";
    /// A malware protection plan.
    MalwarePlan = "malware protection plan";
    /// A bucket as Macie sees it.
    MacieBucket = "bucket in Macie";
    /// A sensitive-data discovery job of Macie.
    ClassificationJob = "discovery job";
    /// A finding of Macie.
    SensitiveFinding = "sensitive data";
    /// A CloudWatch alarm.
    Alarm = "alarm";
    /// A CloudWatch metric.
    Metric = "metric";
    /// A SageMaker training job.
    TrainingJob = "training job";
    /// A Lambda function.
    Function = "function";
    /// A resource share.
    Share = "resource share";
    /// A security policy of OpenSearch Serverless.
    CollectionPolicy = "collection policy";
    /// A setting of the account or region; id = one of `Settings::IDS`.
    Setting = "setting";
}

/// A kind and an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceRef {
    /// What it is.
    pub kind: Kind,
    /// Which.
    pub id: ResourceId,
}

impl ResourceRef {
    /// A reference.
    pub fn new(kind: Kind, id: impl Into<ResourceId>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl From<&ResourceId> for ResourceId {
    fn from(id: &ResourceId) -> Self {
        id.clone()
    }
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.id)
    }
}
