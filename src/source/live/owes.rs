//! What each source of single resources owes: the table of details. Lists are in `lists`.

use std::sync::Arc;

use super::beside;
use super::detail::{Batch, Owed, Pick, part};
use super::known::Known;
use crate::aws::ec2::VpcAttribute;
use crate::aws::read::s3::Place;
use crate::aws::read::{bedrock_jobs, bedrock_models, cloudtrail, events, guardrails, kms, logs, s3};
use crate::inventory::bedrock::{CustomModel, CustomizationJob, ImportJob};
use crate::inventory::s3::Bucket;
use crate::inventory::{Inventory, Kind, SourceId};

type S = SourceId;

/// The reads that `source` owes. `None` for a source that is a list.
pub(super) fn batch(source: S, inventory: &Inventory, known: &Known, pick: Pick<'_>) -> Option<Batch> {
    let mut batch = Batch::default();
    macro_rules! owe {
        ($kind:ident, $table:ident . $part:ident, $owed:expr, $read:expr) => {{
            batch.add(inventory, pick, part!($kind, $table.$part), $owed, $read);
        }};
    }
    // A setting of a bucket, asked in the bucket's region.
    macro_rules! bucket {
        ($part:ident, $read:path) => {{
            let places = known.places.clone();
            owe!(Bucket, buckets.$part, always, move |session, bucket| {
                let place = place(&places, &bucket);
                async move { $read(&session, &place).await }
            });
        }};
    }
    match source {
        S::JOB_DETAILS => owe!(Job, jobs.detail, job_detail, |session, job| async move {
            bedrock_jobs::customization_job_detail(&session, &job.arn).await
        }),
        S::IMPORT_JOB_DETAILS => owe!(ImportJob, import_jobs.detail, import_detail, |session, job| async move {
            bedrock_jobs::import_job_detail(&session, &job.arn).await
        }),
        S::EVALUATION_JOB_DETAILS => {
            let keys = known.keys.clone();
            // why once: role, key and output of an evaluation are set when it is made.
            owe!(EvaluationJob, evaluation_jobs.detail, |_| Owed::Once, move |session, job| {
                let keys = keys.clone();
                async move { bedrock_jobs::evaluation_job_detail(&session, &keys, &job.arn).await }
            });
        }
        S::MODEL_DETAILS => owe!(Model, models.detail, model_detail, |session, model| async move {
            bedrock_models::custom_model_detail(&session, &model.arn).await
        }),
        S::IMPORTED_MODEL_DETAILS => {
            owe!(ImportedModel, imported_models.detail, |_| Owed::Once, |session, model| async move {
                bedrock_models::imported_model_detail(&session, &model.arn).await
            });
        }
        S::GUARDRAIL_DETAILS => owe!(Guardrail, guardrails.detail, always, |session, guardrail| async move {
            guardrails::guardrail_detail(&session, &guardrail.arn).await
        }),
        S::MODEL_POLICIES => owe!(Model, models.policy, owned, |session, model| async move {
            bedrock_models::resource_policy(&session, &model.arn).await
        }),
        S::TAGS => {
            owe!(Model, models.tags, owned, |session, model| async move {
                bedrock_models::resource_tags(&session, &model.arn).await
            });
            owe!(ImportedModel, imported_models.tags, always, |session, model| async move {
                bedrock_models::resource_tags(&session, &model.arn).await
            });
            owe!(Job, jobs.tags, always, |session, job| async move {
                bedrock_models::resource_tags(&session, &job.arn).await
            });
        }
        S::KEYS => {
            owe!(Key, keys.metadata, always, |session, key| async move { kms::metadata(&session, &key.arn).await });
        }
        S::KEY_POLICIES => {
            owe!(Key, keys.policy, always, |session, key| async move { kms::policy(&session, &key.arn).await });
        }
        S::GRANTS => {
            owe!(Key, keys.grants, always, |session, key| async move { kms::grants(&session, &key.arn).await });
        }
        S::ROTATION => {
            owe!(Key, keys.rotation, always, |session, key| async move { kms::rotation(&session, &key.arn).await });
        }
        S::VPC_ATTRIBUTES => {
            owe!(Vpc, vpcs.dns_support, always, |session, vpc| async move {
                session.ec2().vpc_attribute(&vpc.id, VpcAttribute::DnsSupport).await
            });
            owe!(Vpc, vpcs.dns_hostnames, always, |session, vpc| async move {
                session.ec2().vpc_attribute(&vpc.id, VpcAttribute::DnsHostnames).await
            });
        }
        S::BUCKET_LOCATION => bucket!(region, s3::location),
        S::BUCKET_ENCRYPTION => {
            let (places, keys) = (known.places.clone(), known.keys.clone());
            owe!(Bucket, buckets.encryption, always, move |session, bucket| {
                let (place, keys) = (place(&places, &bucket), keys.clone());
                async move { s3::encryption(&session, &keys, &place).await }
            });
        }
        S::BUCKET_VERSIONING => bucket!(versioning, s3::versioning),
        S::BUCKET_PUBLIC_ACCESS => bucket!(public_access, s3::public_access),
        S::BUCKET_POLICY => bucket!(policy, s3::policy),
        S::BUCKET_POLICY_STATUS => bucket!(policy_public, s3::policy_public),
        S::BUCKET_ACL => bucket!(acl, s3::acl),
        S::BUCKET_OWNERSHIP => bucket!(ownership, s3::ownership),
        S::BUCKET_LOGGING => bucket!(logging, s3::logging),
        S::BUCKET_LOCK => bucket!(lock, s3::lock),
        S::BUCKET_LIFECYCLE => bucket!(lifecycle, s3::lifecycle),
        S::BUCKET_REPLICATION => bucket!(replication, s3::replication),
        S::TRAIL_STATUS => owe!(Trail, trails.status, always, |session, trail| async move {
            cloudtrail::trail_status(&session, &trail).await
        }),
        S::TRAIL_SELECTORS => owe!(Trail, trails.selectors, always, |session, trail| async move {
            cloudtrail::trail_selectors(&session, &trail).await
        }),
        S::RULE_TARGETS => {
            owe!(Rule, rules.targets, always, |session, rule| async move { events::targets(&session, &rule).await });
        }
        S::LOG_FILTERS => {
            owe!(LogGroup, log_groups.filters, always, |session, group| async move {
                logs::metric_filters(&session, &group.name).await
            });
            batch.tasks.retain(|task| task.of.kind != Kind::LogGroup || known.log_groups.contains(&task.of.id));
            batch.known = known_filters(inventory, known, &batch);
        }
        other => return beside::batch(other, inventory, known, pick),
    }
    beside::more(source, inventory, pick, &mut batch);
    Some(batch)
}

/// Groups that lineage reaches and that need no read now. The others owe nothing.
fn known_filters(inventory: &Inventory, known: &Known, batch: &Batch) -> usize {
    known
        .log_groups
        .iter()
        .filter(|name| inventory.log_groups.contains_key(*name))
        .count()
        .saturating_sub(batch.tasks.len())
}

fn always<T>(_: &T) -> Owed {
    Owed::Again
}

fn owned(model: &CustomModel) -> Owed {
    if model.owned { Owed::Again } else { Owed::Never }
}

/// A job that has ended does not change; one that changed since it was read is read again.
fn job_detail(job: &CustomizationJob) -> Owed {
    let changed = job.modified.or(job.ended);
    let read_since = job.detail.at().is_some_and(|at| changed.is_some_and(|changed| at > changed));
    if read_since && !job.status.is_running() { Owed::Once } else { Owed::Again }
}

fn import_detail(job: &ImportJob) -> Owed {
    let read_since = job.detail.at().is_some_and(|at| job.ended.is_some_and(|ended| at > ended));
    if read_since && !job.status.is_running() { Owed::Once } else { Owed::Again }
}

fn model_detail(model: &CustomModel) -> Owed {
    if model.status.as_str() == "Active" { Owed::Once } else { Owed::Again }
}

fn place(places: &Arc<super::known::Places>, bucket: &Bucket) -> Place {
    Place { name: bucket.name.clone(), region: places.get(&bucket.name).cloned().flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::inventory::bedrock::JobStatus;
    use crate::inventory::{ErrorKind, Read, ReadError};

    fn job(status: JobStatus, modified: i64, read: Option<i64>) -> CustomizationJob {
        let at = Timestamp::from_secs;
        let error = |secs| ReadError {
            operation: "bedrock:GetModelCustomizationJob".into(),
            kind: ErrorKind::Network,
            message: "".into(),
            at: at(secs),
        };
        let detail = crate::inventory::bedrock::JobDetail {
            role: "r".into(),
            kms_key: None,
            vpc: None,
            training: vec![],
            validation: vec![],
            output: None,
            failure: None,
            phases: crate::inventory::bedrock::Phases::default(),
            hyper_parameters: std::collections::BTreeMap::new(),
            training_loss: None,
            validation_losses: vec![],
            invocation_logs: None,
            grader: None,
        };
        CustomizationJob {
            arn: "j".into(),
            name: "j".into(),
            status,
            base_model: "b".into(),
            customization: "FINE_TUNING".into(),
            output_model: None,
            output_model_name: "m".into(),
            created: at(1),
            modified: Some(at(modified)),
            ended: None,
            detail: read.map_or(Read::failed(error(1)), |secs| Read::got(detail, at(secs))),
            tags: Read::NotAsked,
        }
    }

    #[test]
    fn an_ended_job_is_read_once_after_it_ended() {
        assert_eq!(job_detail(&job(JobStatus::InProgress, 10, Some(20))), Owed::Again);
        assert_eq!(job_detail(&job(JobStatus::Completed, 30, Some(20))), Owed::Again);
        assert_eq!(job_detail(&job(JobStatus::Completed, 10, Some(20))), Owed::Once);
        assert_eq!(job_detail(&job(JobStatus::Completed, 10, None)), Owed::Again);
    }
}
