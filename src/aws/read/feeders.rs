//! What stands beside Bedrock: SageMaker training jobs, Lambda graders, RAM shares, OpenSearch
//! Serverless policies, and the account's public access block.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::Session;
use crate::aws::small::page::page;
use crate::aws::small::when::{When, time_or_zero};
use crate::aws::small::{Failure, Rest, Service, label};
use crate::base::ResourceId;
use crate::inventory::bedrock::{S3Uri, VpcConfig};
use crate::inventory::feeders::{
    CollectionPolicy, Function, FunctionConfiguration, Share, ShareDetail, SharePrincipal, TrainingDetail, TrainingJob,
};
use crate::inventory::s3::PublicAccessBlock;
use crate::inventory::{Document, Read, ReadError};

/// Completed jobs, newest first, of which each might have written under an imported prefix whatever
/// it is called: so many are looked at besides those whose name the prefix holds.
const NEWEST: usize = 50;

fn has_code(error: &Failure, code: &str) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}

// SageMaker.

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JobSummary {
    training_job_arn: String,
    training_job_name: String,
    #[serde(default)]
    training_job_status: String,
    creation_time: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeTrainingJob {
    training_job_arn: String,
    role_arn: Option<String>,
    #[serde(default)]
    output_data_config: RawOutput,
    model_artifacts: Option<RawArtifacts>,
    #[serde(default)]
    resource_config: RawResources,
    vpc_config: Option<RawVpc>,
    #[serde(default)]
    enable_network_isolation: bool,
    #[serde(default)]
    enable_inter_container_traffic_encryption: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawOutput {
    #[serde(rename = "S3OutputPath")]
    path: Option<String>,
    kms_key_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawArtifacts {
    #[serde(rename = "S3ModelArtifacts")]
    path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawResources {
    volume_kms_key_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawVpc {
    // SageMaker calls them `Subnets`, Lambda `SubnetIds`.
    #[serde(alias = "SubnetIds")]
    subnets: Vec<String>,
    security_group_ids: Vec<String>,
}

impl RawVpc {
    fn into_config(self) -> Option<VpcConfig> {
        let ids = |all: Vec<String>| all.into_iter().map(ResourceId::new).collect::<Vec<_>>();
        (!self.subnets.is_empty())
            .then(|| VpcConfig { subnets: ids(self.subnets), security_groups: ids(self.security_group_ids) })
    }
}

page!(
    /// `ListTrainingJobs`.
    TrainingJobs { "TrainingJobSummaries": JobSummary }, "NextToken"
);

/// `ListTrainingJobs`: completed ones that may have made what was imported from `data`. Nothing
/// imported, nothing asked.
pub async fn training_jobs(session: &Session, data: &[S3Uri]) -> Result<Vec<TrainingJob>, ReadError> {
    if data.is_empty() {
        return Ok(Vec::new());
    }
    let body = json!({
        "StatusEquals": "Completed", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100,
    });
    let listed = session.small(Service::SageMaker).json_pages::<TrainingJobs>("ListTrainingJobs", body).await?;
    let named = |name: &str| data.iter().any(|uri| uri.prefix.as_str().split('/').any(|part| part == name));
    let likely = listed.into_iter().enumerate().filter(|(at, job)| *at < NEWEST || named(&job.training_job_name));
    Ok(likely
        .map(|(_, job)| TrainingJob {
            arn: job.training_job_arn.into(),
            name: job.training_job_name.into(),
            status: job.training_job_status.into(),
            created: time_or_zero(job.creation_time),
            detail: Read::NotAsked,
        })
        .collect())
}

/// `DescribeTrainingJob`.
pub async fn training_job(session: &Session, name: &str) -> Result<TrainingDetail, ReadError> {
    const OPERATION: &str = "DescribeTrainingJob";
    let client = session.small(Service::SageMaker);
    let raw: DescribeTrainingJob = client.json(OPERATION, json!({"TrainingJobName": name})).await?;
    if raw.training_job_arn.is_empty() {
        return Err(client.malformed(OPERATION, "the answer has no TrainingJobArn"));
    }
    let uri = |uri: Option<String>| uri.as_deref().and_then(S3Uri::parse);
    let id = |id: Option<String>| id.filter(|id| !id.is_empty()).map(ResourceId::new);
    Ok(TrainingDetail {
        role: id(raw.role_arn),
        output: uri(raw.output_data_config.path),
        artifacts: uri(raw.model_artifacts.and_then(|made| made.path)),
        isolated: raw.enable_network_isolation,
        traffic_encrypted: raw.enable_inter_container_traffic_encryption,
        vpc: raw.vpc_config.and_then(RawVpc::into_config),
        output_key: id(raw.output_data_config.kms_key_id),
        volume_key: id(raw.resource_config.volume_kms_key_id),
    })
}

// Lambda.

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetFunctionConfiguration {
    role: String,
    vpc_config: Option<RawVpc>,
    #[serde(rename = "KMSKeyArn")]
    kms_key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetPolicy {
    policy: String,
}

/// `GetFunctionConfiguration`; `None` when the function is gone. Its environment is not read.
pub async fn function(session: &Session, arn: &ResourceId) -> Result<Option<FunctionConfiguration>, ReadError> {
    const OPERATION: &str = "GetFunctionConfiguration";
    let client = session.small(Service::Lambda);
    let request = Rest::get(format!("/2015-03-31/functions/{}/configuration", label(arn.as_str())));
    match client.try_rest::<GetFunctionConfiguration>(OPERATION, request).await {
        Ok(raw) => Ok(Some(FunctionConfiguration {
            role: raw.role.into(),
            vpc: raw.vpc_config.and_then(RawVpc::into_config),
            kms_key: raw.kms_key.filter(|key| !key.is_empty()).map(ResourceId::new),
        })),
        Err(error) if has_code(&error, "ResourceNotFoundException") => Ok(None),
        Err(error) => Err(client.failed(OPERATION, &error)),
    }
}

/// `GetPolicy`; `None` when the function has none.
pub async fn function_policy(session: &Session, function: &Function) -> Result<Option<Document>, ReadError> {
    let client = session.small(Service::Lambda);
    let request = Rest::get(format!("/2015-03-31/functions/{}/policy", label(function.arn.as_str())));
    match client.try_rest::<GetPolicy>("GetPolicy", request).await {
        Ok(raw) => Ok(Some(Document::new(raw.policy))),
        Err(error) if has_code(&error, "ResourceNotFoundException") => Ok(None),
        Err(error) => Err(client.failed("GetPolicy", &error)),
    }
}

// RAM.

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SharedResource {
    arn: String,
    resource_share_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawShare {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    // why no default: what is not said must not count as closed.
    allow_external_principals: bool,
}

#[derive(Debug, Deserialize)]
struct RawPrincipal {
    id: String,
    external: bool,
}

page!(
    /// `ListResources`.
    Resources { "resources": SharedResource }, "nextToken"
);
page!(
    /// `GetResourceShares`.
    Shares { "resourceShares": RawShare }, "nextToken"
);
page!(
    /// `ListPrincipals`.
    Principals { "principals": RawPrincipal }, "nextToken"
);

/// `ListResources`: the shares of our custom models.
pub async fn shares(session: &Session) -> Result<Vec<Share>, ReadError> {
    let body = json!({"resourceOwner": "SELF", "resourceType": "bedrock:CustomModel", "maxResults": 500});
    let client = session.small(Service::Ram);
    let resources = client.rest_pages::<Resources>("ListResources", Rest::post("/listresources", body)).await?;
    let mut shares: Vec<Share> = Vec::new();
    for resource in resources {
        let (share, model) = (ResourceId::new(resource.resource_share_arn), ResourceId::new(resource.arn));
        match shares.iter_mut().find(|held| held.arn == share) {
            Some(held) => held.models.push(model),
            None => shares.push(Share {
                arn: share,
                models: vec![model],
                detail: Read::NotAsked,
                principals: Read::NotAsked,
            }),
        }
    }
    Ok(shares)
}

/// `GetResourceShares` of one share.
pub async fn share(session: &Session, arn: &ResourceId) -> Result<ShareDetail, ReadError> {
    const OPERATION: &str = "GetResourceShares";
    let client = session.small(Service::Ram);
    let body = json!({"resourceOwner": "SELF", "resourceShareArns": [arn.as_str()]});
    let found = client.rest_pages::<Shares>(OPERATION, Rest::post("/getresourceshares", body)).await?;
    let found =
        found.into_iter().next().ok_or_else(|| client.malformed(OPERATION, "the share is not in the answer"))?;
    Ok(ShareDetail {
        name: found.name.into(),
        status: found.status.into(),
        external_allowed: found.allow_external_principals,
    })
}

/// `ListPrincipals` of one share.
pub async fn share_principals(session: &Session, arn: &ResourceId) -> Result<Vec<SharePrincipal>, ReadError> {
    let body = json!({"resourceOwner": "SELF", "resourceShareArns": [arn.as_str()], "maxResults": 500});
    let client = session.small(Service::Ram);
    let found = client.rest_pages::<Principals>("ListPrincipals", Rest::post("/listprincipals", body)).await?;
    Ok(found.into_iter().map(|one| SharePrincipal { id: one.id.into(), external: one.external }).collect())
}

// OpenSearch Serverless.

#[derive(Debug, Deserialize)]
struct PolicySummary {
    r#type: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetSecurityPolicy {
    security_policy_detail: PolicyDetail,
}

#[derive(Debug, Deserialize)]
struct PolicyDetail {
    policy: Value,
}

page!(
    /// `ListSecurityPolicies`.
    SecurityPolicies { "securityPolicySummaries": PolicySummary }, "nextToken"
);

/// `ListSecurityPolicies` that bear on these collections. No collection, no question.
pub async fn collection_policies(session: &Session, names: &[String]) -> Result<Vec<CollectionPolicy>, ReadError> {
    let client = session.small(Service::OpenSearchServerless);
    let resources: Vec<_> = names.iter().map(|name| format!("collection/{name}")).collect();
    let mut found = Vec::new();
    if resources.is_empty() {
        return Ok(found);
    }
    for kind in ["encryption", "network"] {
        let body = json!({"type": kind, "resource": resources, "maxResults": 100});
        let page = client.json_pages::<SecurityPolicies>("ListSecurityPolicies", body).await?;
        found.extend(page.into_iter().map(|one| CollectionPolicy {
            id: format!("{}/{}", one.r#type, one.name).into(),
            kind: one.r#type.into(),
            name: one.name.into(),
            document: Read::NotAsked,
        }));
    }
    Ok(found)
}

/// `GetSecurityPolicy`.
pub async fn collection_policy(session: &Session, policy: &CollectionPolicy) -> Result<Document, ReadError> {
    let body = json!({"type": policy.kind.as_str(), "name": policy.name.as_str()});
    let client = session.small(Service::OpenSearchServerless);
    let answer: GetSecurityPolicy = client.json("GetSecurityPolicy", body).await?;
    Ok(Document::pretty(&answer.security_policy_detail.policy))
}

// S3 Control.

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AccountBlock {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

/// `GetPublicAccessBlock` of the account; all off where it has none.
pub async fn account_public_access(session: &Session) -> Result<PublicAccessBlock, ReadError> {
    const OPERATION: &str = "GetPublicAccessBlock";
    let client = session.small(Service::S3Control);
    let request = Rest::get("/v20180820/configuration/publicAccessBlock");
    let request = request.header("x-amz-account-id", session.info().account.as_str());
    match client.try_rest_xml::<AccountBlock>(OPERATION, request).await {
        Ok(raw) => Ok(PublicAccessBlock {
            block_acls: raw.block_public_acls,
            ignore_acls: raw.ignore_public_acls,
            block_policy: raw.block_public_policy,
            restrict_buckets: raw.restrict_public_buckets,
        }),
        Err(error) if has_code(&error, "NoSuchPublicAccessBlockConfiguration") => Ok(PublicAccessBlock::default()),
        Err(error) => Err(client.failed(OPERATION, &error)),
    }
}

#[cfg(test)]
mod tests;
