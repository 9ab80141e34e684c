//! What stands beside Amazon Bedrock and feeds, grades or shares its models: SageMaker training
//! jobs, Lambda functions that grade, resource shares, OpenSearch Serverless policies.

use serde::{Deserialize, Serialize};

use super::bedrock::{S3Uri, VpcConfig};
use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text, Timestamp};

/// A completed SageMaker training job that may have made what was imported: [`TrainingDetail::fed`] says whether it
/// did (Amazon SageMaker API Reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingJob {
    /// ARN.
    pub arn: ResourceId,
    /// Its name.
    pub name: Text,
    /// `InProgress`, `Completed`, …
    pub status: Text,
    /// `CreationTime`.
    pub created: Timestamp,
    /// `DescribeTrainingJob`.
    pub detail: Read<TrainingDetail>,
}

item!(TrainingJob { arn, detail } named |job| job.name.as_str());

/// What only `DescribeTrainingJob` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrainingDetail {
    /// ARN of the role.
    pub role: Option<ResourceId>,
    /// `OutputDataConfig.S3OutputPath`.
    pub output: Option<S3Uri>,
    /// `ModelArtifacts.S3ModelArtifacts`.
    pub artifacts: Option<S3Uri>,
    /// `EnableNetworkIsolation`.
    pub isolated: bool,
    /// `EnableInterContainerTrafficEncryption`.
    pub traffic_encrypted: bool,
    /// `VpcConfig`.
    pub vpc: Option<VpcConfig>,
    /// `OutputDataConfig.KmsKeyId`.
    pub output_key: Option<ResourceId>,
    /// `ResourceConfig.VolumeKmsKeyId`.
    pub volume_key: Option<ResourceId>,
}

impl TrainingDetail {
    /// Whether what was imported from `data` came out of this job: its artifacts lie under that
    /// prefix, or that prefix under its output.
    pub fn fed(&self, data: &S3Uri) -> bool {
        let inside = |outer: &S3Uri, inner: &S3Uri| {
            let prefix = outer.prefix.as_str().trim_end_matches('/');
            outer.bucket == inner.bucket
                && inner
                    .prefix
                    .as_str()
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && !prefix.is_empty()
        };
        self.artifacts.as_ref().is_some_and(|made| inside(data, made) || inside(made, data))
            || self.output.as_ref().is_some_and(|output| inside(output, data) || inside(data, output))
    }
}

/// A Lambda function that grades a reinforcement fine-tuning (AWS Lambda API Reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// ARN, as the job names it.
    pub arn: ResourceId,
    /// `GetPolicy`; `None` when it has none.
    pub policy: Read<Option<Document>>,
    /// `GetFunctionConfiguration`; `None` when the function is gone.
    pub configuration: Read<Option<FunctionConfiguration>>,
}

item!(Function { arn, policy, configuration } named |function| function.arn.last());

/// What only `GetFunctionConfiguration` tells. Never its environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionConfiguration {
    /// ARN of the execution role.
    pub role: ResourceId,
    /// Its network; none means Lambda's own, with the internet behind it.
    pub vpc: Option<VpcConfig>,
    /// `KMSKeyArn`.
    pub kms_key: Option<ResourceId>,
}

/// A resource share of AWS RAM that shares custom models (AWS RAM API Reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// ARN.
    pub arn: ResourceId,
    /// ARNs of the models that it shares.
    pub models: Vec<ResourceId>,
    /// `GetResourceShares`.
    pub detail: Read<ShareDetail>,
    /// `ListPrincipals`.
    pub principals: Read<Vec<SharePrincipal>>,
}

item!(Share { arn, detail, principals } named |share| {
    share.detail.last().map_or_else(String::new, |detail| detail.name.to_string())
});

/// What only `GetResourceShares` tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareDetail {
    /// Its name.
    pub name: Text,
    /// `ACTIVE`, …
    pub status: Text,
    /// `allowExternalPrincipals`.
    pub external_allowed: bool,
}

/// Who a share is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharePrincipal {
    /// An account, or the ARN of an organization, unit, role or user.
    pub id: ResourceId,
    /// Whether it is outside the organization.
    pub external: bool,
}

/// A security policy of OpenSearch Serverless for a collection that the configuration names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionPolicy {
    /// `encryption/name` or `network/name`.
    pub id: ResourceId,
    /// `encryption`, `network`.
    pub kind: Text,
    /// Its name.
    pub name: Text,
    /// `GetSecurityPolicy`.
    pub document: Read<Document>,
}

item!(CollectionPolicy { id, document } named |policy| policy.name.as_str());
