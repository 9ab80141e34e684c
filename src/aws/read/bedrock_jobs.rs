//! Bedrock jobs: customization, import, copy, evaluation, batch inference.

use aws_sdk_bedrock::operation::get_evaluation_job::GetEvaluationJobOutput;
use aws_sdk_bedrock::operation::get_model_customization_job::GetModelCustomizationJobOutput;
use aws_sdk_bedrock::operation::get_model_import_job::GetModelImportJobOutput;
use aws_sdk_bedrock::types::{
    CustomizationConfig, EvaluationModelConfigSummary, EvaluationSummary, GraderConfig, InvocationLogSource,
    InvocationLogsConfig, JobStatusDetails, ModelCopyJobSummary, ModelCustomizationJobSummary, ModelDataSource,
    ModelImportJobSummary, ModelInvocationJobInputDataConfig, ModelInvocationJobOutputDataConfig,
    ModelInvocationJobSummary, StatusDetails, TrainingDataConfig, VpcConfig as SdkVpcConfig,
};
use aws_smithy_types::DateTime;

use super::kms::KeyNames;
use super::{PAGE, all, failed, id, ids, maybe_time, text, time};
use crate::aws::Session;
use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::{
    BatchJob, CopyJob, CustomizationJob, EvaluationJob, EvaluationJobDetail, ImportJob, ImportJobDetail,
    InvocationLogs, JobDetail, JobStatus, Phase, Phases, S3Uri, VpcConfig,
};
use crate::inventory::{Read, ReadError, SourceId};

/// `ListModelCustomizationJobs`.
pub async fn customization_jobs(session: &Session) -> Result<Vec<CustomizationJob>, ReadError> {
    let pages = session.bedrock().list_model_customization_jobs().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::JOBS, pages, |job| customization_job(&job)).await
}

/// `GetModelCustomizationJob`.
pub async fn customization_job_detail(session: &Session, arn: &ResourceId) -> Result<JobDetail, ReadError> {
    let answer = session.bedrock().get_model_customization_job().job_identifier(arn.as_str()).send().await;
    answer.map(|job| job_detail(&job)).map_err(|error| failed(session, SourceId::JOB_DETAILS, &error))
}

/// `ListModelImportJobs`.
pub async fn import_jobs(session: &Session) -> Result<Vec<ImportJob>, ReadError> {
    let pages = session.bedrock().list_model_import_jobs().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::IMPORT_JOBS, pages, |job| import_job(&job)).await
}

/// `GetModelImportJob`.
pub async fn import_job_detail(session: &Session, arn: &ResourceId) -> Result<ImportJobDetail, ReadError> {
    let answer = session.bedrock().get_model_import_job().job_identifier(arn.as_str()).send().await;
    answer.map(|job| import_detail(&job)).map_err(|error| failed(session, SourceId::IMPORT_JOB_DETAILS, &error))
}

/// `ListModelCopyJobs`, in the region they copy to.
pub async fn copy_jobs(session: &Session) -> Result<Vec<CopyJob>, ReadError> {
    let pages = session.bedrock().list_model_copy_jobs().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::COPY_JOBS, pages, |job| copy_job(&job)).await
}

/// `ListEvaluationJobs`.
pub async fn evaluation_jobs(session: &Session) -> Result<Vec<EvaluationJob>, ReadError> {
    let pages = session.bedrock().list_evaluation_jobs().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::EVALUATION_JOBS, pages, |job| evaluation_job(&job)).await
}

/// `GetEvaluationJob`.
pub async fn evaluation_job_detail(
    session: &Session,
    keys: &KeyNames,
    arn: &ResourceId,
) -> Result<EvaluationJobDetail, ReadError> {
    let answer = session.bedrock().get_evaluation_job().job_identifier(arn.as_str()).send().await;
    answer
        .map(|job| evaluation_detail(&job, keys))
        .map_err(|error| failed(session, SourceId::EVALUATION_JOB_DETAILS, &error))
}

/// `ListModelInvocationJobs`: batch inference.
pub async fn batch_jobs(session: &Session, keys: &KeyNames) -> Result<Vec<BatchJob>, ReadError> {
    let pages = session.bedrock().list_model_invocation_jobs().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::BATCH_JOBS, pages, |job| batch_job(&job, keys)).await
}

fn customization_job(job: &ModelCustomizationJobSummary) -> CustomizationJob {
    CustomizationJob {
        arn: job.job_arn().into(),
        name: job.job_name().into(),
        status: JobStatus::new(job.status().as_str()),
        base_model: job.base_model_arn().into(),
        customization: text(job.customization_type().map(aws_sdk_bedrock::types::CustomizationType::as_str)),
        output_model: id(job.custom_model_arn()),
        output_model_name: text(job.custom_model_name()),
        created: time(job.creation_time()),
        modified: maybe_time(job.last_modified_time()),
        ended: maybe_time(job.end_time()),
        detail: Read::NotAsked,
        tags: Read::NotAsked,
    }
}

fn job_detail(job: &GetModelCustomizationJobOutput) -> JobDetail {
    JobDetail {
        role: job.role_arn().into(),
        kms_key: id(job.output_model_kms_key_arn()),
        vpc: job.vpc_config().map(vpc),
        training: job.training_data_config().map(training).unwrap_or_default(),
        validation: job
            .validation_data_config()
            .map(|config| config.validators().iter().filter_map(|data| S3Uri::parse(data.s3_uri())).collect())
            .unwrap_or_default(),
        output: job.output_data_config().and_then(|config| S3Uri::parse(config.s3_uri())),
        failure: job.failure_message().filter(|why| !why.is_empty()).map(Text::new),
        phases: job.status_details().map(phases).unwrap_or_default(),
        hyper_parameters: job
            .hyper_parameters()
            .map(|all| all.iter().map(|(name, value)| (Text::new(name), Text::new(value))).collect())
            .unwrap_or_default(),
        training_loss: job.training_metrics().and_then(aws_sdk_bedrock::types::TrainingMetrics::training_loss),
        validation_losses: job
            .validation_metrics()
            .iter()
            .filter_map(aws_sdk_bedrock::types::ValidatorMetric::validation_loss)
            .collect(),
        invocation_logs: job
            .training_data_config()
            .and_then(TrainingDataConfig::invocation_logs_config)
            .map(invocation_logs),
        grader: match job.customization_config() {
            Some(CustomizationConfig::RftConfig(config)) => match config.grader_config() {
                Some(GraderConfig::LambdaGrader(grader)) => id(Some(grader.lambda_arn())),
                _ => None,
            },
            _ => None,
        },
    }
}

/// The training data, and the invocation logs a distillation reads prompts from.
fn training(config: &TrainingDataConfig) -> Vec<S3Uri> {
    let logs = config.invocation_logs_config().and_then(log_source);
    config.s3_uri().and_then(S3Uri::parse).into_iter().chain(logs).collect()
}

fn log_source(logs: &InvocationLogsConfig) -> Option<S3Uri> {
    match logs.invocation_log_source() {
        Some(InvocationLogSource::S3Uri(uri)) => S3Uri::parse(uri),
        _ => None,
    }
}

fn invocation_logs(logs: &InvocationLogsConfig) -> InvocationLogs {
    InvocationLogs {
        source: log_source(logs),
        use_responses: logs.use_prompt_response(),
        filtered: logs.request_metadata_filters().is_some(),
    }
}

pub(super) fn vpc(config: &SdkVpcConfig) -> VpcConfig {
    VpcConfig { subnets: ids(config.subnet_ids()), security_groups: ids(config.security_group_ids()) }
}

pub(super) fn model_data(source: &ModelDataSource) -> Option<S3Uri> {
    match source {
        ModelDataSource::S3DataSource(source) => S3Uri::parse(source.s3_uri()),
        _ => None,
    }
}

fn phases(details: &StatusDetails) -> Phases {
    let phase = |status: Option<&JobStatusDetails>, started: Option<&DateTime>, changed: Option<&DateTime>| {
        status.map(|status| Phase {
            status: JobStatus::new(status.as_str()),
            started: maybe_time(started),
            changed: maybe_time(changed),
        })
    };
    Phases {
        validation: details
            .validation_details()
            .and_then(|part| phase(part.status(), part.creation_time(), part.last_modified_time())),
        data_processing: details
            .data_processing_details()
            .and_then(|part| phase(part.status(), part.creation_time(), part.last_modified_time())),
        training: details
            .training_details()
            .and_then(|part| phase(part.status(), part.creation_time(), part.last_modified_time())),
    }
}

fn import_job(job: &ModelImportJobSummary) -> ImportJob {
    ImportJob {
        arn: job.job_arn().into(),
        name: job.job_name().into(),
        status: JobStatus::new(job.status().as_str()),
        imported_model: id(job.imported_model_arn()),
        imported_model_name: text(job.imported_model_name()),
        created: time(job.creation_time()),
        ended: maybe_time(job.end_time()),
        detail: Read::NotAsked,
        tags: Read::NotAsked,
    }
}

fn import_detail(job: &GetModelImportJobOutput) -> ImportJobDetail {
    ImportJobDetail {
        role: job.role_arn().unwrap_or_default().into(),
        data: job.model_data_source().and_then(model_data),
        kms_key: id(job.imported_model_kms_key_arn()),
        vpc: job.vpc_config().map(vpc),
        failure: job.failure_message().filter(|why| !why.is_empty()).map(Text::new),
    }
}

fn copy_job(job: &ModelCopyJobSummary) -> CopyJob {
    CopyJob {
        arn: job.job_arn().into(),
        status: JobStatus::new(job.status().as_str()),
        source_model: job.source_model_arn().into(),
        source_account: job.source_account_id().into(),
        target_model: job.target_model_arn().into(),
        target_name: text(job.target_model_name()),
        target_key: id(job.target_model_kms_key_arn()),
        created: time(job.creation_time()),
        failure: job.failure_message().filter(|why| !why.is_empty()).map(Text::new),
    }
}

fn evaluation_job(job: &EvaluationSummary) -> EvaluationJob {
    // why both: the flat list is deprecated, and newer jobs fill only the summary.
    #[allow(deprecated)]
    let mut models = ids(job.model_identifiers());
    let summary = job.inference_config_summary().and_then(|summary| summary.model_config_summary());
    for model in summary.map(EvaluationModelConfigSummary::bedrock_model_identifiers).unwrap_or_default() {
        let model = ResourceId::new(model);
        if !models.contains(&model) {
            models.push(model);
        }
    }
    EvaluationJob {
        arn: job.job_arn().into(),
        name: job.job_name().into(),
        status: JobStatus::new(job.status().as_str()),
        models,
        created: time(job.creation_time()),
        detail: Read::NotAsked,
    }
}

fn evaluation_detail(job: &GetEvaluationJobOutput, keys: &KeyNames) -> EvaluationJobDetail {
    EvaluationJobDetail {
        role: job.role_arn().into(),
        kms_key: job.customer_encryption_key_id().and_then(|key| keys.arn(key)),
        output: job.output_data_config().and_then(|config| S3Uri::parse(config.s3_uri())),
    }
}

fn batch_job(job: &ModelInvocationJobSummary, keys: &KeyNames) -> BatchJob {
    let input = match job.input_data_config() {
        Some(ModelInvocationJobInputDataConfig::S3InputDataConfig(config)) => S3Uri::parse(config.s3_uri()),
        _ => None,
    };
    let (output, output_key) = match job.output_data_config() {
        Some(ModelInvocationJobOutputDataConfig::S3OutputDataConfig(config)) => {
            (S3Uri::parse(config.s3_uri()), config.s3_encryption_key_id().and_then(|key| keys.arn(key)))
        }
        _ => (None, None),
    };
    BatchJob {
        arn: job.job_arn().into(),
        name: job.job_name().into(),
        status: job.status().map_or(JobStatus::Other(Text::new("unknown")), |status| JobStatus::new(status.as_str())),
        model: job.model_id().into(),
        role: job.role_arn().into(),
        input,
        output,
        output_key,
        created: time(job.submit_time()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_bedrock::types::{
        LambdaGraderConfig, ModelCustomizationJobStatus, OutputDataConfig, RftConfig, TrainingDetails, TrainingMetrics,
        ValidationDataConfig, ValidationDetails, Validator, ValidatorMetric,
    };

    const JOB: &str = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-lite-v1:0:256k/ab12";
    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/91b5";

    #[test]
    fn a_customization_job_in_full() {
        let at = |secs| DateTime::from_secs(secs);
        let job = GetModelCustomizationJobOutput::builder()
            .job_arn(JOB)
            .job_name("orion")
            .output_model_name("orion-1")
            .role_arn("arn:aws:iam::123456789012:role/OrionTuner")
            .status(ModelCustomizationJobStatus::InProgress)
            .status_details(
                StatusDetails::builder()
                    .validation_details(
                        ValidationDetails::builder()
                            .status(JobStatusDetails::Completed)
                            .creation_time(at(100))
                            .last_modified_time(at(160))
                            .build(),
                    )
                    .training_details(TrainingDetails::builder().status(JobStatusDetails::NotStarted).build())
                    .build(),
            )
            .creation_time(at(90))
            .base_model_arn("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0:256k")
            .hyper_parameters("epochCount", "2\x1b[2J")
            .training_data_config(
                TrainingDataConfig::builder()
                    .s3_uri("s3://orion-train/chat/train.jsonl")
                    .invocation_logs_config(
                        InvocationLogsConfig::builder()
                            .invocation_log_source(InvocationLogSource::S3Uri("s3://orion-logs/inv/".into()))
                            .build(),
                    )
                    .build(),
            )
            .validation_data_config(
                ValidationDataConfig::builder()
                    .validators(Validator::builder().s3_uri("s3://orion-train/chat/val.jsonl").build().unwrap())
                    .build()
                    .unwrap(),
            )
            .output_data_config(OutputDataConfig::builder().s3_uri("s3://orion-out/").build().unwrap())
            .output_model_kms_key_arn(KEY)
            .customization_config(CustomizationConfig::RftConfig(
                RftConfig::builder()
                    .grader_config(GraderConfig::LambdaGrader(
                        LambdaGraderConfig::builder()
                            .lambda_arn("arn:aws:lambda:us-east-1:123456789012:function:grade")
                            .build()
                            .unwrap(),
                    ))
                    .build(),
            ))
            .training_metrics(TrainingMetrics::builder().training_loss(0.4).build())
            .validation_metrics(ValidatorMetric::builder().validation_loss(0.5).build())
            .vpc_config(SdkVpcConfig::builder().subnet_ids("subnet-1").security_group_ids("sg-1").build().unwrap())
            .build()
            .unwrap();
        let detail = job_detail(&job);
        assert_eq!(detail.role.as_str(), "arn:aws:iam::123456789012:role/OrionTuner");
        assert_eq!(detail.kms_key, Some(KEY.into()));
        assert_eq!(
            detail.training.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["s3://orion-train/chat/train.jsonl", "s3://orion-logs/inv/"]
        );
        assert_eq!(
            detail.invocation_logs,
            Some(InvocationLogs {
                source: S3Uri::parse("s3://orion-logs/inv/"),
                use_responses: false,
                filtered: false
            })
        );
        assert_eq!(detail.grader, Some("arn:aws:lambda:us-east-1:123456789012:function:grade".into()));
        assert_eq!(detail.validation.len(), 1);
        assert_eq!(detail.output, S3Uri::parse("s3://orion-out/"));
        assert_eq!(
            detail.vpc,
            Some(VpcConfig { subnets: vec!["subnet-1".into()], security_groups: vec!["sg-1".into()] })
        );
        let validation = detail.phases.validation.unwrap();
        assert_eq!((validation.status, validation.changed.unwrap().millis()), (JobStatus::Completed, 160_000));
        assert_eq!(detail.phases.data_processing, None);
        assert_eq!(detail.phases.training.unwrap().status, JobStatus::Other("NotStarted".into()));
        assert_eq!(detail.hyper_parameters.get(&Text::new("epochCount")).unwrap().as_str(), "2␛[2J");
        assert_eq!((detail.training_loss, detail.validation_losses), (Some(0.4), vec![0.5]));
        assert_eq!(detail.failure, None);
    }

    #[test]
    fn a_job_that_names_no_key_and_no_network_has_none() {
        let job = GetModelCustomizationJobOutput::builder()
            .job_arn(JOB)
            .job_name("orion")
            .output_model_name("orion-1")
            .role_arn("r")
            .creation_time(DateTime::from_secs(1))
            .base_model_arn("b")
            .output_model_kms_key_arn("")
            .failure_message("Access denied to s3://orion-train\u{202e}")
            .build()
            .unwrap();
        let detail = job_detail(&job);
        assert_eq!((detail.kms_key, detail.vpc), (None, None));
        assert_eq!(detail.failure.unwrap().as_str(), "Access denied to s3://orion-train⟨U+202E⟩");
    }
}
