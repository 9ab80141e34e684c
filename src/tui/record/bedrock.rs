//! Amazon Bedrock (API Reference, 2023-04-20): camelCase.

use serde_json::{Value, json};

use super::{Record, maybe_time, policy, time};
use crate::base::ResourceId;
use crate::inventory::bedrock::{
    BatchJob, CopyJob, CustomModel, CustomizationJob, Deployment, EvaluationJob, FoundationModel, ImportJob,
    ImportedModel, LoggingConfiguration, Phase, S3Uri, Throughput, VpcConfig,
};
use crate::inventory::guardrails::Guardrail;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// Writes what is of Bedrock. Returns whether it was.
pub(super) fn write(inventory: &Inventory, of: &ResourceRef, record: &mut Record) -> bool {
    let id = &of.id;
    match of.kind {
        Kind::Job => inventory.jobs.get(id).map(|held| job(held, record)),
        Kind::ImportJob => inventory.import_jobs.get(id).map(|held| import_job(held, record)),
        Kind::CopyJob => inventory.copy_jobs.get(id).map(|held| copy_job(held, record)),
        Kind::EvaluationJob => inventory.evaluation_jobs.get(id).map(|held| evaluation_job(held, record)),
        Kind::BatchJob => inventory.batch_jobs.get(id).map(|held| batch_job(held, record)),
        Kind::Model => inventory.models.get(id).map(|held| model(held, record)),
        Kind::ImportedModel => inventory.imported_models.get(id).map(|held| imported_model(held, record)),
        Kind::FoundationModel => inventory.foundation_models.get(id).map(|held| foundation_model(held, record)),
        Kind::Deployment => inventory.deployments.get(id).map(|held| deployment(held, record)),
        Kind::Throughput => inventory.throughputs.get(id).map(|held| throughput(held, record)),
        Kind::Guardrail => inventory.guardrails.get(id).map(|held| guardrail(held, record)),
        Kind::EnforcedGuardrail => inventory.enforced_guardrails.get(id).map(|held| {
            record.call(
                "ListEnforcedGuardrailsConfiguration",
                json!({ "configId": held.id, "guardrailArn": held.guardrail, "guardrailVersion": held.version }),
            );
        }),
        Kind::Logging => {
            record.read("GetModelInvocationLoggingConfiguration", &inventory.logging, |held| {
                held.as_ref().map_or_else(|| json!({}), logging)
            });
            Some(())
        }
        _ => None,
    }
    .is_some()
}

fn data(uri: &S3Uri) -> Value {
    json!({ "s3Uri": uri.to_string() })
}

fn maybe_data(uri: Option<&S3Uri>) -> Value {
    uri.map_or(Value::Null, data)
}

fn source(uri: Option<&S3Uri>) -> Value {
    uri.map_or(Value::Null, |uri| json!({ "s3DataSource": data(uri) }))
}

fn vpc(config: Option<&VpcConfig>) -> Value {
    config.map_or(Value::Null, |vpc| json!({ "subnetIds": vpc.subnets, "securityGroupIds": vpc.security_groups }))
}

fn phase(phase: Option<&Phase>) -> Value {
    phase.map_or(Value::Null, |phase| {
        json!({
            "status": phase.status.word(),
            "creationTime": maybe_time(phase.started),
            "lastModifiedTime": maybe_time(phase.changed),
        })
    })
}

fn job(job: &CustomizationJob, record: &mut Record) {
    let listed = json!({
        "jobArn": job.arn,
        "jobName": job.name,
        "status": job.status.word(),
        "baseModelArn": job.base_model,
        "customizationType": job.customization,
        "outputModelName": job.output_model_name,
        "outputModelArn": job.output_model,
        "creationTime": time(job.created),
        "lastModifiedTime": maybe_time(job.modified),
        "endTime": maybe_time(job.ended),
    });
    record.detailed("ListModelCustomizationJobs", "GetModelCustomizationJob", listed, &job.detail, |detail| {
        let validators: Vec<Value> = detail.validation.iter().map(data).collect();
        let losses: Vec<Value> = detail.validation_losses.iter().map(|loss| json!({ "validationLoss": loss })).collect();
        json!({
            "roleArn": detail.role,
            "failureMessage": detail.failure,
            "hyperParameters": detail.hyper_parameters,
            "trainingDataConfig": maybe_data(detail.training.first()),
            "validationDataConfig": if validators.is_empty() { Value::Null } else { json!({ "validators": validators }) },
            "outputDataConfig": maybe_data(detail.output.as_ref()),
            "outputModelKmsKeyArn": detail.kms_key,
            "vpcConfig": vpc(detail.vpc.as_ref()),
            "trainingMetrics": detail.training_loss.map(|loss| json!({ "trainingLoss": loss })),
            "validationMetrics": if losses.is_empty() { Value::Null } else { losses.into() },
            "statusDetails": {
                "validationDetails": phase(detail.phases.validation.as_ref()),
                "dataProcessingDetails": phase(detail.phases.data_processing.as_ref()),
                "trainingDetails": phase(detail.phases.training.as_ref()),
            },
        })
    });
    record.tags("ListTagsForResource", &job.tags);
}

fn import_job(job: &ImportJob, record: &mut Record) {
    let listed = json!({
        "jobArn": job.arn,
        "jobName": job.name,
        "status": job.status.word(),
        "importedModelArn": job.imported_model,
        "importedModelName": job.imported_model_name,
        "creationTime": time(job.created),
        "endTime": maybe_time(job.ended),
    });
    record.detailed("ListModelImportJobs", "GetModelImportJob", listed, &job.detail, |detail| {
        json!({
            "roleArn": detail.role,
            "modelDataSource": source(detail.data.as_ref()),
            "importedModelKmsKeyArn": detail.kms_key,
            "vpcConfig": vpc(detail.vpc.as_ref()),
            "failureMessage": detail.failure,
        })
    });
}

fn copy_job(job: &CopyJob, record: &mut Record) {
    record.call(
        "GetModelCopyJob",
        json!({
            "jobArn": job.arn,
            "status": job.status.word(),
            "creationTime": time(job.created),
            "sourceAccountId": job.source_account,
            "sourceModelArn": job.source_model,
            "targetModelArn": job.target_model,
            "targetModelName": job.target_name,
            "targetModelKmsKeyArn": job.target_key,
            "failureMessage": job.failure,
        }),
    );
}

fn evaluation_job(job: &EvaluationJob, record: &mut Record) {
    let listed = json!({
        "jobArn": job.arn,
        "jobName": job.name,
        "status": job.status.word(),
        "modelIdentifiers": job.models,
        "creationTime": time(job.created),
    });
    record.detailed("ListEvaluationJobs", "GetEvaluationJob", listed, &job.detail, |detail| {
        json!({
            "roleArn": detail.role,
            "customerEncryptionKeyId": detail.kms_key,
            "outputDataConfig": maybe_data(detail.output.as_ref()),
        })
    });
}

fn batch_job(job: &BatchJob, record: &mut Record) {
    let input = job.input.as_ref().map(|uri| json!({ "s3InputDataConfig": data(uri) }));
    let output = job
        .output
        .as_ref()
        .map(|uri| json!({ "s3OutputDataConfig": { "s3Uri": uri.to_string(), "s3EncryptionKeyId": job.output_key } }));
    record.call(
        "ListModelInvocationJobs",
        json!({
            "jobArn": job.arn,
            "jobName": job.name,
            "status": job.status.word(),
            "modelId": job.model,
            "roleArn": job.role,
            "submitTime": time(job.created),
            "inputDataConfig": input,
            "outputDataConfig": output,
        }),
    );
}

fn model(model: &CustomModel, record: &mut Record) {
    let listed = json!({
        "modelArn": model.arn,
        "modelName": model.name,
        "baseModelArn": some(&model.base_model),
        "baseModelName": model.base_model_name,
        "customizationType": model.customization,
        "ownerAccountId": model.owner,
        "modelStatus": model.status,
        "creationTime": time(model.created),
    });
    record.detailed("ListCustomModels", "GetCustomModel", listed, &model.detail, |detail| {
        json!({
            "jobArn": detail.job,
            "modelKmsKeyArn": detail.kms_key,
            "trainingDataConfig": maybe_data(detail.training.as_ref()),
            "outputDataConfig": maybe_data(detail.output.as_ref()),
            "trainingMetrics": detail.training_loss.map(|loss| json!({ "trainingLoss": loss })),
        })
    });
    record.read("GetResourcePolicy", &model.policy, |held| {
        held.as_ref().map_or_else(|| json!({}), |held| json!({ "resourcePolicy": policy(held) }))
    });
    record.tags("ListTagsForResource", &model.tags);
}

fn some(id: &ResourceId) -> Option<&ResourceId> {
    Some(id).filter(|id| !id.as_str().is_empty())
}

fn imported_model(model: &ImportedModel, record: &mut Record) {
    let listed = json!({
        "modelArn": model.arn,
        "modelName": model.name,
        "modelArchitecture": model.architecture,
        "creationTime": time(model.created),
    });
    record.detailed("ListImportedModels", "GetImportedModel", listed, &model.detail, |detail| {
        json!({
            "jobArn": detail.job,
            "modelKmsKeyArn": detail.kms_key,
            "modelDataSource": source(detail.data.as_ref()),
        })
    });
    record.tags("ListTagsForResource", &model.tags);
}

fn foundation_model(model: &FoundationModel, record: &mut Record) {
    record.call(
        "ListFoundationModels",
        json!({
            "modelArn": model.arn,
            "modelName": model.name,
            "providerName": model.provider,
            "customizationsSupported": model.customizations,
            "modelLifecycle": { "status": model.lifecycle },
        }),
    );
}

fn deployment(deployment: &Deployment, record: &mut Record) {
    record.call(
        "ListCustomModelDeployments",
        json!({
            "customModelDeploymentArn": deployment.arn,
            "customModelDeploymentName": deployment.name,
            "modelArn": deployment.model,
            "status": deployment.status,
            "createdAt": time(deployment.created),
        }),
    );
}

fn throughput(throughput: &Throughput, record: &mut Record) {
    record.call(
        "ListProvisionedModelThroughputs",
        json!({
            "provisionedModelArn": throughput.arn,
            "provisionedModelName": throughput.name,
            "modelArn": throughput.model,
            "status": throughput.status,
            "modelUnits": throughput.units,
            "commitmentDuration": throughput.commitment,
            "commitmentExpirationTime": maybe_time(throughput.commitment_ends),
            "creationTime": time(throughput.created),
        }),
    );
}

fn guardrail(guardrail: &Guardrail, record: &mut Record) {
    let listed = json!({
        "guardrailArn": guardrail.arn,
        "guardrailId": guardrail.short_id,
        "name": guardrail.name,
        "status": guardrail.status,
        "version": guardrail.version,
        "updatedAt": time(guardrail.updated),
    });
    record.detailed("ListGuardrails", "GetGuardrail", listed, &guardrail.detail, |detail| {
        let filters: Vec<Value> = detail
            .filters
            .iter()
            .map(|(kind, (input, output))| json!({ "type": kind, "inputStrength": input, "outputStrength": output }))
            .collect();
        let topics: Vec<Value> = detail.topics.iter().map(|topic| json!({ "name": topic })).collect();
        let pii: Vec<Value> =
            detail.pii.iter().map(|(entity, action)| json!({ "type": entity, "action": action })).collect();
        json!({
            "kmsKeyArn": detail.kms_key,
            "contentPolicy": { "filters": filters },
            "topicPolicy": { "topics": topics },
            "sensitiveInformationPolicy": { "piiEntities": pii },
            "bedwatch": { "wordsAndLists": detail.words, "contextualGrounding": detail.grounding },
        })
    });
}

fn logging(config: &LoggingConfiguration) -> Value {
    let place = |uri: &S3Uri| json!({ "bucketName": uri.bucket, "keyPrefix": uri.prefix });
    let cloud_watch = config.cloud_watch.as_ref().map(|to| {
        json!({
            "logGroupName": to.log_group,
            "roleArn": to.role,
            "largeDataDeliveryS3Config": to.large_data.as_ref().map(place),
        })
    });
    json!({ "loggingConfig": {
        "cloudWatchConfig": cloud_watch,
        "s3Config": config.s3.as_ref().map(place),
        "textDataDeliveryEnabled": config.text,
        "imageDataDeliveryEnabled": config.images,
        "embeddingDataDeliveryEnabled": config.embeddings,
    }})
}
