//! The invocation-logging configuration of Amazon Bedrock, one a region.

use serde::{Deserialize, Serialize};

use super::bedrock::S3Uri;
use crate::base::ResourceId;

/// Where prompts and completions are logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggingConfiguration {
    /// The log group and the role that writes to it.
    pub cloud_watch: Option<CloudWatchLogging>,
    /// The bucket and prefix.
    pub s3: Option<S3Uri>,
    /// Whether text is delivered.
    pub text: bool,
    /// Whether images are delivered.
    pub images: bool,
    /// Whether embeddings are delivered.
    pub embeddings: bool,
    /// Whether video is delivered.
    #[serde(default)]
    pub video: bool,
    /// Whether audio is delivered.
    #[serde(default)]
    pub audio: bool,
}

/// `cloudWatchConfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudWatchLogging {
    /// Name of the log group.
    pub log_group: ResourceId,
    /// ARN of the role.
    pub role: ResourceId,
    /// Where bodies over 100 KB go.
    pub large_data: Option<S3Uri>,
}
