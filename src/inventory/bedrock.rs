//! Amazon Bedrock: jobs, models, where they are served, guardrails, invocation logging.
//!
//! Shapes follow the Amazon Bedrock API Reference (2023-04-20); the names are the API's.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Tags;
use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// Where a job stands (`ModelCustomizationJobStatus` and its kin).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum JobStatus {
    /// Running.
    InProgress,
    /// Done.
    Completed,
    /// Failed; the detail says why.
    Failed,
    /// Being stopped.
    Stopping,
    /// Stopped by somebody.
    Stopped,
    /// Anything newer than this program.
    Other(Text),
}

impl JobStatus {
    /// From the API's word.
    pub fn new(word: &str) -> Self {
        match word {
            "InProgress" | "IN_PROGRESS" => Self::InProgress,
            "Completed" | "COMPLETED" => Self::Completed,
            "Failed" | "FAILED" => Self::Failed,
            "Stopping" | "STOPPING" => Self::Stopping,
            "Stopped" | "STOPPED" => Self::Stopped,
            other => Self::Other(Text::new(other)),
        }
    }

    /// The API's word.
    pub fn word(&self) -> &str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Other(word) => word.as_str(),
        }
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::InProgress | Self::Stopping)
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct S3Uri {
    /// The bucket's name.
    pub bucket: ResourceId,
    /// The key or prefix, without a leading slash; may be empty.
    pub prefix: Text,
}

impl S3Uri {
    /// From `s3://…`; `None` if it is none.
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        (!bucket.is_empty()).then(|| Self { bucket: bucket.into(), prefix: prefix.into() })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("s3://{}/{}", self.bucket, self.prefix))
    }
}

/// The network of a job in a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VpcConfig {
    /// Subnet ids.
    pub subnets: Vec<ResourceId>,
    /// Security group ids.
    pub security_groups: Vec<ResourceId>,
}

/// One phase of a customization job (`statusDetails`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Where it stands (`NotStarted` comes as [`JobStatus::Other`]).
    pub status: JobStatus,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When its status last changed.
    pub changed: Option<Timestamp>,
}

/// `statusDetails` of a customization job, in the order they run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phases {
    /// Validation of the input.
    pub validation: Option<Phase>,
    /// Processing of the data.
    pub data_processing: Option<Phase>,
    /// Training.
    pub training: Option<Phase>,
}

/// A model customization job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomizationJob {
    /// ARN.
    pub arn: ResourceId,
    /// `jobName`.
    pub name: Text,
    /// Where it stands.
    pub status: JobStatus,
    /// ARN of the base model.
    pub base_model: ResourceId,
    /// `FINE_TUNING`, `CONTINUED_PRE_TRAINING`, `DISTILLATION`, …
    pub customization: Text,
    /// ARN of the model it made, once it did.
    pub output_model: Option<ResourceId>,
    /// `customModelName`: the model it makes.
    pub output_model_name: Text,
    /// `creationTime`.
    pub created: Timestamp,
    /// `lastModifiedTime`.
    pub modified: Option<Timestamp>,
    /// `endTime`.
    pub ended: Option<Timestamp>,
    /// `GetModelCustomizationJob`.
    pub detail: Read<JobDetail>,
    /// Its tags.
    pub tags: Read<Tags>,
}

/// What only `GetModelCustomizationJob` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDetail {
    /// ARN of the service role.
    pub role: ResourceId,
    /// `outputModelKmsKeyArn`; none means a key that AWS owns.
    pub kms_key: Option<ResourceId>,
    /// `vpcConfig`; none means Bedrock's own network.
    pub vpc: Option<VpcConfig>,
    /// `trainingDataConfig.s3Uri`, and the invocation logs a distillation reads.
    pub training: Vec<S3Uri>,
    /// `validationDataConfig.validators[].s3Uri`.
    pub validation: Vec<S3Uri>,
    /// `outputDataConfig.s3Uri`.
    pub output: Option<S3Uri>,
    /// `failureMessage`.
    pub failure: Option<Text>,
    /// `statusDetails`.
    pub phases: Phases,
    /// `hyperParameters`.
    pub hyper_parameters: BTreeMap<Text, Text>,
    /// `trainingMetrics.trainingLoss`.
    pub training_loss: Option<f32>,
    /// `validationMetrics[].validationLoss`.
    pub validation_losses: Vec<f32>,
    /// `trainingDataConfig.invocationLogsConfig`: a distillation that learns from logged prompts.
    #[serde(default)]
    pub invocation_logs: Option<InvocationLogs>,
    /// ARN of the Lambda function that grades a reinforcement fine-tuning.
    #[serde(default)]
    pub grader: Option<ResourceId>,
}

/// The invocation logs that a distillation reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationLogs {
    /// Where they lie.
    pub source: Option<S3Uri>,
    /// `usePromptResponse`: the logged answers are learned from too.
    pub use_responses: bool,
    /// Whether `requestMetadataFilters` narrow what is read.
    pub filtered: bool,
}

item!(CustomizationJob { arn, detail, tags } named |job| job.name.as_str());

/// A model import job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportJob {
    /// ARN.
    pub arn: ResourceId,
    /// `jobName`.
    pub name: Text,
    /// Where it stands.
    pub status: JobStatus,
    /// ARN of the model it made.
    pub imported_model: Option<ResourceId>,
    /// Name of the model it makes.
    pub imported_model_name: Text,
    /// `creationTime`.
    pub created: Timestamp,
    /// `endTime`.
    pub ended: Option<Timestamp>,
    /// `GetModelImportJob`.
    pub detail: Read<ImportJobDetail>,
    /// Its tags.
    #[serde(default)]
    pub tags: Read<Tags>,
}

/// What only `GetModelImportJob` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportJobDetail {
    /// ARN of the service role.
    pub role: ResourceId,
    /// `modelDataSource.s3DataSource.s3Uri`.
    pub data: Option<S3Uri>,
    /// `importedModelKmsKeyArn`.
    pub kms_key: Option<ResourceId>,
    /// `vpcConfig`.
    pub vpc: Option<VpcConfig>,
    /// `failureMessage`.
    pub failure: Option<Text>,
}

item!(ImportJob { arn, detail, tags } named |job| job.name.as_str());

/// A model copy job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CopyJob {
    /// ARN.
    pub arn: ResourceId,
    /// Where it stands.
    pub status: JobStatus,
    /// ARN of the model that is copied.
    pub source_model: ResourceId,
    /// The account it comes from.
    pub source_account: Text,
    /// ARN of the copy.
    pub target_model: ResourceId,
    /// Name of the copy.
    pub target_name: Text,
    /// `targetModelKmsKeyArn`.
    pub target_key: Option<ResourceId>,
    /// `creationTime`.
    pub created: Timestamp,
    /// `failureMessage`.
    pub failure: Option<Text>,
}

item!(CopyJob { arn } named |job| format!("→ {}", job.target_name));

/// An evaluation job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationJob {
    /// ARN.
    pub arn: ResourceId,
    /// `jobName`.
    pub name: Text,
    /// Where it stands.
    pub status: JobStatus,
    /// `modelIdentifiers`.
    pub models: Vec<ResourceId>,
    /// `creationTime`.
    pub created: Timestamp,
    /// `GetEvaluationJob`.
    pub detail: Read<EvaluationJobDetail>,
}

/// What only `GetEvaluationJob` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationJobDetail {
    /// ARN of the service role.
    pub role: ResourceId,
    /// `customerEncryptionKeyId`.
    pub kms_key: Option<ResourceId>,
    /// `outputDataConfig.s3Uri`.
    pub output: Option<S3Uri>,
}

item!(EvaluationJob { arn, detail } named |job| job.name.as_str());

/// A batch inference job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchJob {
    /// ARN.
    pub arn: ResourceId,
    /// `jobName`.
    pub name: Text,
    /// Where it stands (`Submitted`, `Validating` and the like come as [`JobStatus::Other`]).
    pub status: JobStatus,
    /// `modelId`.
    pub model: ResourceId,
    /// ARN of the service role.
    pub role: ResourceId,
    /// Input prefix.
    pub input: Option<S3Uri>,
    /// Output prefix.
    pub output: Option<S3Uri>,
    /// `s3EncryptionKeyId` of the output.
    pub output_key: Option<ResourceId>,
    /// `submitTime`.
    pub created: Timestamp,
}

item!(BatchJob { arn } named |job| job.name.as_str());

/// A custom model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomModel {
    /// ARN.
    pub arn: ResourceId,
    /// `modelName`.
    pub name: Text,
    /// ARN of the base model.
    pub base_model: ResourceId,
    /// Name of the base model.
    pub base_model_name: Text,
    /// `FINE_TUNING`, …; `IMPORTED` for one made by `CreateCustomModel`.
    pub customization: Text,
    /// The account that owns it.
    pub owner: Text,
    /// Whether that is ours; else it was shared with us.
    pub owned: bool,
    /// `Active`, `Creating`, `Failed`.
    pub status: Text,
    /// `creationTime`.
    pub created: Timestamp,
    /// `GetCustomModel`.
    pub detail: Read<ModelDetail>,
    /// `GetResourcePolicy`; `None` when it has none.
    pub policy: Read<Option<Document>>,
    /// Its tags.
    pub tags: Read<Tags>,
}

/// What only `GetCustomModel` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDetail {
    /// ARN of the job that made it.
    pub job: Option<ResourceId>,
    /// `modelKmsKeyArn`; none means a key that AWS owns.
    pub kms_key: Option<ResourceId>,
    /// `trainingDataConfig.s3Uri`.
    pub training: Option<S3Uri>,
    /// `outputDataConfig.s3Uri`.
    pub output: Option<S3Uri>,
    /// `trainingMetrics.trainingLoss`.
    pub training_loss: Option<f32>,
}

item!(CustomModel { arn, detail, policy, tags } named |model| model.name.as_str());

/// An imported model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedModel {
    /// ARN.
    pub arn: ResourceId,
    /// `modelName`.
    pub name: Text,
    /// `modelArchitecture`.
    pub architecture: Text,
    /// `creationTime`.
    pub created: Timestamp,
    /// `GetImportedModel`.
    pub detail: Read<ImportedModelDetail>,
    /// Its tags.
    pub tags: Read<Tags>,
}

/// What only `GetImportedModel` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedModelDetail {
    /// ARN of the import job.
    pub job: Option<ResourceId>,
    /// `modelKmsKeyArn`.
    pub kms_key: Option<ResourceId>,
    /// `modelDataSource.s3DataSource.s3Uri`.
    pub data: Option<S3Uri>,
}

item!(ImportedModel { arn, detail, tags } named |model| model.name.as_str());

/// A base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundationModel {
    /// ARN.
    pub arn: ResourceId,
    /// `modelName`.
    pub name: Text,
    /// `providerName`.
    pub provider: Text,
    /// `ACTIVE` or `LEGACY`.
    pub lifecycle: Text,
    /// `customizationsSupported`.
    pub customizations: Vec<Text>,
    /// `modelLifecycle.legacyTime`.
    #[serde(default)]
    pub legacy_from: Option<Timestamp>,
    /// `modelLifecycle.endOfLifeTime`.
    #[serde(default)]
    pub ends: Option<Timestamp>,
    /// `inputModalities`: `TEXT`, `IMAGE`, …
    #[serde(default)]
    pub inputs: Vec<Text>,
    /// `outputModalities`: `TEXT`, `IMAGE`, `EMBEDDING`, …
    #[serde(default)]
    pub outputs: Vec<Text>,
}

item!(FoundationModel { arn } named |model| model.name.as_str());

/// An on-demand deployment of a custom model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// ARN.
    pub arn: ResourceId,
    /// `customModelDeploymentName`.
    pub name: Text,
    /// ARN of the custom model.
    pub model: ResourceId,
    /// `Creating`, `Active`, `Failed`.
    pub status: Text,
    /// `createdAt`.
    pub created: Timestamp,
    /// `GetCustomModelDeployment`.
    #[serde(default)]
    pub detail: Read<DeploymentDetail>,
    /// Its tags.
    #[serde(default)]
    pub tags: Read<Tags>,
}

/// What only `GetCustomModelDeployment` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeploymentDetail {
    /// `updateDetails.modelArn`: the model that it is being moved to.
    pub updating_to: Option<ResourceId>,
    /// `updateDetails.updateStatus`: `Updating`, `UpdateCompleted`, `UpdateFailed`.
    pub update_status: Option<Text>,
    /// `failureMessage`.
    pub failure: Option<Text>,
}

item!(Deployment { arn, detail, tags } named |deployment| deployment.name.as_str());

/// Provisioned throughput.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// ARN.
    pub arn: ResourceId,
    /// `provisionedModelName`.
    pub name: Text,
    /// ARN of the model that is served.
    pub model: ResourceId,
    /// `Creating`, `InService`, `Updating`, `Failed`.
    pub status: Text,
    /// Model units.
    pub units: i32,
    /// `OneMonth`, `SixMonths`; none when billed by the hour.
    pub commitment: Option<Text>,
    /// `commitmentExpirationTime`.
    pub commitment_ends: Option<Timestamp>,
    /// `creationTime`.
    pub created: Timestamp,
    /// `desiredModelArn`: what it is asked to serve; other than `model` while it changes, or when it drifted.
    #[serde(default)]
    pub desired_model: Option<ResourceId>,
    /// `desiredModelUnits`.
    #[serde(default)]
    pub desired_units: Option<i32>,
    /// Its tags.
    #[serde(default)]
    pub tags: Read<Tags>,
}

item!(Throughput { arn, tags } named |throughput| throughput.name.as_str());

pub use super::invocation_logging::{CloudWatchLogging, LoggingConfiguration};
