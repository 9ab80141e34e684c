//! Bedrock models: custom, imported, foundation; where they are served; resource policies; tags;
//! the invocation-logging configuration.

use aws_sdk_bedrock::operation::get_custom_model::GetCustomModelOutput;
use aws_sdk_bedrock::operation::get_custom_model_deployment::GetCustomModelDeploymentOutput;
use aws_sdk_bedrock::operation::get_imported_model::GetImportedModelOutput;
use aws_sdk_bedrock::types::{
    CommitmentDuration, CustomModelDeploymentSummary, CustomModelSummary, CustomizationType, FoundationModelLifecycle,
    FoundationModelSummary, ImportedModelSummary, LoggingConfig, ModelStatus, ProvisionedModelSummary, S3Config,
    TrainingMetrics,
};

use super::bedrock_jobs::model_data;
use super::{PAGE, all, failed, has_code, id, maybe_time, tags, text, time};
use crate::aws::Session;
use crate::base::ResourceId;
use crate::inventory::bedrock::{
    CloudWatchLogging, CustomModel, Deployment, DeploymentDetail, FoundationModel, ImportedModel, ImportedModelDetail,
    LoggingConfiguration, ModelDetail, S3Uri, Throughput,
};
use crate::inventory::settings::DataRetention;
use crate::inventory::{Document, Read, ReadError, SourceId, Tags};

/// `ListCustomModels` of those we own (`owned`), or of those others shared with us.
pub async fn custom_models(session: &Session, owned: bool) -> Result<Vec<CustomModel>, ReadError> {
    let pages = session.bedrock().list_custom_models().is_owned(owned).into_paginator().page_size(PAGE).items().send();
    let us = session.info().account.clone();
    all(session, SourceId::MODELS, pages, |model| custom_model(&model, owned, us.as_str())).await
}

/// `GetCustomModel`.
pub async fn custom_model_detail(session: &Session, arn: &ResourceId) -> Result<ModelDetail, ReadError> {
    let answer = session.bedrock().get_custom_model().model_identifier(arn.as_str()).send().await;
    answer.map(|model| model_detail(&model)).map_err(|error| failed(session, SourceId::MODEL_DETAILS, &error))
}

/// `ListImportedModels`.
pub async fn imported_models(session: &Session) -> Result<Vec<ImportedModel>, ReadError> {
    let pages = session.bedrock().list_imported_models().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::IMPORTED_MODELS, pages, |model| imported_model(&model)).await
}

/// `GetImportedModel`.
pub async fn imported_model_detail(session: &Session, arn: &ResourceId) -> Result<ImportedModelDetail, ReadError> {
    let answer = session.bedrock().get_imported_model().model_identifier(arn.as_str()).send().await;
    answer
        .map(|model| imported_detail(&model))
        .map_err(|error| failed(session, SourceId::IMPORTED_MODEL_DETAILS, &error))
}

/// `ListFoundationModels`; one answer holds them all.
pub async fn foundation_models(session: &Session) -> Result<Vec<FoundationModel>, ReadError> {
    let answer = session.bedrock().list_foundation_models().send().await;
    answer
        .map(|answer| answer.model_summaries().iter().map(foundation_model).collect())
        .map_err(|error| failed(session, SourceId::FOUNDATION_MODELS, &error))
}

/// `ListCustomModelDeployments`.
pub async fn deployments(session: &Session) -> Result<Vec<Deployment>, ReadError> {
    let pages = session.bedrock().list_custom_model_deployments().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::DEPLOYMENTS, pages, |deployment| deployed(&deployment)).await
}

/// `GetCustomModelDeployment`.
pub async fn deployment_detail(session: &Session, arn: &ResourceId) -> Result<DeploymentDetail, ReadError> {
    let answer =
        session.bedrock().get_custom_model_deployment().custom_model_deployment_identifier(arn.as_str()).send().await;
    answer
        .map(|deployment| deployed_detail(&deployment))
        .map_err(|error| failed(session, SourceId::DEPLOYMENT_DETAILS, &error))
}

/// `GetAccountDataRetention`.
pub async fn data_retention(session: &Session) -> Result<DataRetention, ReadError> {
    let answer = session.bedrock().get_account_data_retention().send().await;
    answer
        .map(|answer| DataRetention { mode: answer.mode().as_str().into(), updated: maybe_time(answer.updated_at()) })
        .map_err(|error| failed(session, SourceId::DATA_RETENTION, &error))
}

/// `ListProvisionedModelThroughputs`.
pub async fn throughputs(session: &Session) -> Result<Vec<Throughput>, ReadError> {
    let pages = session.bedrock().list_provisioned_model_throughputs().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::THROUGHPUTS, pages, |model| throughput(&model)).await
}

/// `GetResourcePolicy` of a model; `None` when it has none.
pub async fn resource_policy(session: &Session, arn: &ResourceId) -> Result<Option<Document>, ReadError> {
    match session.bedrock().get_resource_policy().resource_arn(arn.as_str()).send().await {
        Ok(answer) => Ok(answer.resource_policy.filter(|policy| !policy.is_empty()).map(Document::new)),
        Err(error) if has_code(&error, &["ResourceNotFoundException"]) => Ok(None),
        Err(error) => Err(failed(session, SourceId::MODEL_POLICIES, &error)),
    }
}

/// `ListTagsForResource`.
pub async fn resource_tags(session: &Session, arn: &ResourceId) -> Result<Tags, ReadError> {
    let answer = session.bedrock().list_tags_for_resource().resource_arn(arn.as_str()).send().await;
    answer
        .map(|answer| tags(answer.tags().iter().map(|tag| (tag.key(), tag.value()))))
        .map_err(|error| failed(session, SourceId::TAGS, &error))
}

/// `GetModelInvocationLoggingConfiguration`; `None` when logging is off.
pub async fn logging(session: &Session) -> Result<Option<LoggingConfiguration>, ReadError> {
    let answer = session.bedrock().get_model_invocation_logging_configuration().send().await;
    answer
        .map(|answer| answer.logging_config().and_then(logging_configuration))
        .map_err(|error| failed(session, SourceId::LOGGING, &error))
}

fn custom_model(model: &CustomModelSummary, owned: bool, us: &str) -> CustomModel {
    let arn = ResourceId::new(model.model_arn());
    // why the fallbacks: an owned model's ARN is in our account; a received one may be too (a share
    // shows under the receiver's ARN), so only the API can name its owner.
    let owner = match model.owner_account_id().filter(|owner| !owner.is_empty()) {
        Some(owner) => owner.into(),
        None if owned => us.into(),
        None => arn.arn().map(|arn| arn.account.into()).unwrap_or_default(),
    };
    CustomModel {
        name: model.model_name().into(),
        base_model: model.base_model_arn().into(),
        base_model_name: model.base_model_name().into(),
        customization: text(model.customization_type().map(CustomizationType::as_str)),
        owner,
        owned,
        status: text(model.model_status().map(ModelStatus::as_str)),
        created: time(model.creation_time()),
        detail: Read::NotAsked,
        policy: Read::NotAsked,
        tags: Read::NotAsked,
        arn,
    }
}

fn model_detail(model: &GetCustomModelOutput) -> ModelDetail {
    ModelDetail {
        job: id(model.job_arn()),
        kms_key: id(model.model_kms_key_arn()),
        training: model.training_data_config().and_then(|config| S3Uri::parse(config.s3_uri()?)),
        output: model.output_data_config().and_then(|config| S3Uri::parse(config.s3_uri())),
        training_loss: model.training_metrics().and_then(TrainingMetrics::training_loss),
    }
}

fn imported_model(model: &ImportedModelSummary) -> ImportedModel {
    ImportedModel {
        arn: model.model_arn().into(),
        name: model.model_name().into(),
        architecture: text(model.model_architecture()),
        created: time(model.creation_time()),
        detail: Read::NotAsked,
        tags: Read::NotAsked,
    }
}

fn imported_detail(model: &GetImportedModelOutput) -> ImportedModelDetail {
    ImportedModelDetail {
        job: id(model.job_arn()),
        kms_key: id(model.model_kms_key_arn()),
        data: model.model_data_source().and_then(model_data),
    }
}

fn foundation_model(model: &FoundationModelSummary) -> FoundationModel {
    FoundationModel {
        arn: model.model_arn().into(),
        name: text(model.model_name()),
        provider: text(model.provider_name()),
        lifecycle: text(model.model_lifecycle().map(|lifecycle| lifecycle.status().as_str())),
        customizations: model.customizations_supported().iter().map(|kind| kind.as_str().into()).collect(),
        legacy_from: maybe_time(model.model_lifecycle().and_then(FoundationModelLifecycle::legacy_time)),
        ends: maybe_time(model.model_lifecycle().and_then(FoundationModelLifecycle::end_of_life_time)),
        inputs: model.input_modalities().iter().map(|kind| kind.as_str().into()).collect(),
        outputs: model.output_modalities().iter().map(|kind| kind.as_str().into()).collect(),
    }
}

fn deployed(deployment: &CustomModelDeploymentSummary) -> Deployment {
    Deployment {
        arn: deployment.custom_model_deployment_arn().into(),
        name: deployment.custom_model_deployment_name().into(),
        model: deployment.model_arn().into(),
        status: deployment.status().as_str().into(),
        created: time(deployment.created_at()),
        detail: Read::NotAsked,
        tags: Read::NotAsked,
    }
}

fn deployed_detail(deployment: &GetCustomModelDeploymentOutput) -> DeploymentDetail {
    let update = deployment.update_details();
    DeploymentDetail {
        updating_to: id(update.map(aws_sdk_bedrock::types::CustomModelDeploymentUpdateDetails::model_arn)),
        update_status: update.map(|update| update.update_status().as_str().into()),
        failure: deployment.failure_message().filter(|why| !why.is_empty()).map(Into::into),
    }
}

fn throughput(model: &ProvisionedModelSummary) -> Throughput {
    Throughput {
        arn: model.provisioned_model_arn().into(),
        name: model.provisioned_model_name().into(),
        model: model.model_arn().into(),
        status: model.status().as_str().into(),
        units: model.model_units(),
        commitment: model.commitment_duration().map(CommitmentDuration::as_str).map(Into::into),
        commitment_ends: maybe_time(model.commitment_expiration_time()),
        created: time(model.creation_time()),
        desired_model: id(Some(model.desired_model_arn())),
        desired_units: Some(model.desired_model_units()),
        tags: Read::NotAsked,
    }
}

/// `None` for a configuration that delivers nowhere.
fn logging_configuration(config: &LoggingConfig) -> Option<LoggingConfiguration> {
    let bucket = |config: &S3Config| {
        (!config.bucket_name().is_empty()).then(|| S3Uri {
            bucket: config.bucket_name().into(),
            prefix: config.key_prefix().unwrap_or_default().into(),
        })
    };
    let cloud_watch = config.cloud_watch_config().filter(|target| !target.log_group_name().is_empty());
    let cloud_watch = cloud_watch.map(|target| CloudWatchLogging {
        log_group: target.log_group_name().into(),
        role: target.role_arn().into(),
        large_data: target.large_data_delivery_s3_config().and_then(bucket),
    });
    let s3 = config.s3_config().and_then(bucket);
    if cloud_watch.is_none() && s3.is_none() {
        return None;
    }
    Some(LoggingConfiguration {
        cloud_watch,
        s3,
        // why true: delivery is on unless switched off (LoggingConfig,
        // Amazon Bedrock API Reference, says nothing; the console and the CLI behave so).
        text: config.text_data_delivery_enabled().unwrap_or(true),
        images: config.image_data_delivery_enabled().unwrap_or(true),
        embeddings: config.embedding_data_delivery_enabled().unwrap_or(true),
        video: config.video_data_delivery_enabled().unwrap_or(true),
        audio: config.audio_data_delivery_enabled().unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_bedrock::types::CloudWatchConfig;
    use aws_smithy_types::DateTime;

    const MODEL: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0/x1";

    fn summary() -> aws_sdk_bedrock::types::builders::CustomModelSummaryBuilder {
        CustomModelSummary::builder()
            .model_arn(MODEL)
            .model_name("orion\u{200b}")
            .creation_time(DateTime::from_secs(7))
            .base_model_arn("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0")
            .base_model_name("Nova Lite")
    }

    #[test]
    fn received_models_keep_their_owner() {
        let ours = custom_model(&summary().build().unwrap(), true, "123456789012");
        assert_eq!((ours.owned, ours.owner.as_str(), ours.name.as_str()), (true, "123456789012", "orion⟨U+200B⟩"));
        let theirs = summary().owner_account_id("999988887777").model_status(ModelStatus::Active).build().unwrap();
        let theirs = custom_model(&theirs, false, "123456789012");
        assert_eq!((theirs.owned, theirs.owner.as_str(), theirs.status.as_str()), (false, "999988887777", "Active"));
    }

    #[test]
    fn logging_that_delivers_nowhere_is_off() {
        assert_eq!(logging_configuration(&LoggingConfig::builder().text_data_delivery_enabled(true).build()), None);
        let on = LoggingConfig::builder()
            .cloud_watch_config(
                CloudWatchConfig::builder()
                    .log_group_name("/aws/bedrock/invocations")
                    .role_arn("arn:aws:iam::123456789012:role/Logs")
                    .large_data_delivery_s3_config(S3Config::builder().bucket_name("big").build().unwrap())
                    .build()
                    .unwrap(),
            )
            .s3_config(S3Config::builder().bucket_name("logs").key_prefix("inv").build().unwrap())
            .text_data_delivery_enabled(false)
            .image_data_delivery_enabled(true)
            .build();
        let on = logging_configuration(&on).unwrap();
        assert_eq!((on.text, on.images), (false, true));
        assert_eq!(on.s3.unwrap().to_string(), "s3://logs/inv");
        assert_eq!(on.cloud_watch.unwrap().large_data.unwrap().bucket.as_str(), "big");
    }
}
