//! Amazon Macie: the session, buckets that lineage reaches, discovery jobs, findings.
//!
//! Where Macie is off, every call answers "Macie is not enabled" as a denial. That is data here; a
//! denial of the caller is not.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;
use serde_json::json;

use crate::aws::Session;
use crate::aws::small::page::page;
use crate::aws::small::when::{When, time, time_or_zero};
use crate::aws::small::{Failure, Rest, Service};
use crate::base::{ResourceId, Text};
use crate::inventory::macie::{ClassificationJob, MacieBucket, MacieSession, SensitiveDetail, SensitiveFinding};
use crate::inventory::{ErrorKind, Read, ReadError};

/// The most values that one criterion takes, and the most ids that one `GetFindings` takes.
const BATCH: usize = 50;
/// What Macie says where it is off (Amazon Macie API: 403, AccessDeniedException).
const OFF: &str = "Macie is not enabled";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetMacieSession {
    status: String,
    updated_at: Option<When>,
}

#[derive(Debug, Deserialize)]
struct Discovery {
    status: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBucket {
    bucket_name: String,
    #[serde(default)]
    automated_discovery_monitoring_status: String,
    #[serde(default)]
    job_details: RawJobs,
    last_automated_discovery_time: Option<When>,
    error_code: Option<String>,
    classifiable_object_count: Option<i64>,
    unclassifiable_object_count: Option<RawUnclassifiable>,
    sensitivity_score: Option<i32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawJobs {
    is_defined_in_job: String,
    is_monitored_by_job: String,
    last_job_run_time: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawUnclassifiable {
    file_type: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawJob {
    job_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    job_type: String,
    #[serde(default)]
    job_status: String,
    created_at: Option<When>,
    #[serde(default)]
    bucket_definitions: Option<Vec<RawDefinition>>,
}

#[derive(Debug, Deserialize)]
struct RawDefinition {
    #[serde(default)]
    buckets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct GetFindings {
    findings: Vec<RawFinding>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFinding {
    id: String,
    r#type: String,
    #[serde(default)]
    severity: RawSeverity,
    #[serde(default)]
    resources_affected: RawAffected,
    #[serde(default)]
    classification_details: RawClassification,
    updated_at: Option<When>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawSeverity {
    description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawAffected {
    s3_bucket: RawName,
    s3_object: RawKey,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawName {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawKey {
    key: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawClassification {
    result: RawResult,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawResult {
    sensitive_data: Vec<RawSensitive>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawSensitive {
    detections: Vec<RawDetection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawDetection {
    r#type: String,
    count: i64,
}

page!(
    /// `DescribeBuckets`.
    Buckets { "buckets": RawBucket }, "nextToken"
);
page!(
    /// `ListClassificationJobs`.
    Jobs { "items": RawJob }, "nextToken"
);
page!(
    /// `ListFindings`.
    FindingIds { "findingIds": String }, "nextToken"
);

fn is_off(error: &Failure) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::message).is_some_and(|said| said.contains(OFF))
}

/// An empty list where Macie is off.
fn or_off<T>(result: Result<Vec<T>, ReadError>) -> Result<Vec<T>, ReadError> {
    match result {
        Err(error) if error.kind == ErrorKind::Denied && error.message.as_str().contains(OFF) => Ok(Vec::new()),
        other => other,
    }
}

/// `GetMacieSession`.
pub async fn session_status(session: &Session) -> Result<MacieSession, ReadError> {
    let client = session.small(Service::Macie);
    match client.try_rest::<GetMacieSession>("GetMacieSession", Rest::get("/macie")).await {
        Ok(answer) => Ok(MacieSession { status: answer.status.into(), updated: time(answer.updated_at) }),
        Err(error) if is_off(&error) => Ok(MacieSession { status: MacieSession::OFF.into(), updated: None }),
        Err(error) => Err(client.failed("GetMacieSession", &error)),
    }
}

/// `GetAutomatedDiscoveryConfiguration`: its status.
pub async fn discovery(session: &Session) -> Result<Text, ReadError> {
    const OPERATION: &str = "GetAutomatedDiscoveryConfiguration";
    let client = session.small(Service::Macie);
    match client.try_rest::<Discovery>(OPERATION, Rest::get("/automated-discovery/configuration")).await {
        Ok(answer) => Ok(answer.status.into()),
        Err(error) if is_off(&error) => Ok(MacieSession::OFF.into()),
        Err(error) => Err(client.failed(OPERATION, &error)),
    }
}

/// `DescribeBuckets`: those of `names` that Macie has in its inventory of the region.
pub async fn buckets(session: &Session, names: &[ResourceId]) -> Result<Vec<MacieBucket>, ReadError> {
    let client = session.small(Service::Macie);
    let mut found = Vec::new();
    for names in names.chunks(BATCH) {
        let names: Vec<_> = names.iter().map(ResourceId::as_str).collect();
        let body = json!({"criteria": {"bucketName": {"eq": names}}, "maxResults": BATCH});
        let page = client.rest_pages::<Buckets>("DescribeBuckets", Rest::post("/datasources/s3", body)).await;
        found.extend(or_off(page)?.into_iter().map(bucket));
    }
    Ok(found)
}

fn bucket(raw: RawBucket) -> MacieBucket {
    let jobs = raw.job_details;
    MacieBucket {
        name: raw.bucket_name.into(),
        monitored: raw.automated_discovery_monitoring_status == "MONITORED",
        in_job: jobs.is_defined_in_job == "TRUE" || jobs.is_monitored_by_job == "TRUE",
        last_job: time(jobs.last_job_run_time),
        last_discovery: time(raw.last_automated_discovery_time),
        error: raw.error_code.filter(|code| !code.is_empty()).map(Text::new),
        classifiable: raw.classifiable_object_count,
        unparsable: raw.unclassifiable_object_count.and_then(|counts| counts.file_type),
        sensitivity: raw.sensitivity_score,
    }
}

/// `ListClassificationJobs`.
pub async fn jobs(session: &Session) -> Result<Vec<ClassificationJob>, ReadError> {
    let request = Rest::post("/jobs/list", json!({"maxResults": 200}));
    let found = session.small(Service::Macie).rest_pages::<Jobs>("ListClassificationJobs", request).await;
    let job = |raw: RawJob| ClassificationJob {
        id: raw.job_id.into(),
        name: raw.name.into(),
        kind: raw.job_type.into(),
        status: raw.job_status.into(),
        buckets: raw.bucket_definitions.into_iter().flatten().flat_map(|one| one.buckets).map(Into::into).collect(),
        created: time_or_zero(raw.created_at),
    };
    Ok(or_off(found)?.into_iter().map(job).collect())
}

/// `ListFindings` of sensitive data in these buckets, without what was archived.
pub async fn findings(session: &Session, buckets: &[ResourceId]) -> Result<Vec<SensitiveFinding>, ReadError> {
    let client = session.small(Service::Macie);
    let mut found = Vec::new();
    for names in buckets.chunks(BATCH) {
        let names: Vec<_> = names.iter().map(ResourceId::as_str).collect();
        let criterion = json!({
            "resourcesAffected.s3Bucket.name": {"eq": names},
            "category": {"eq": ["CLASSIFICATION"]},
            "archived": {"eq": ["false"]},
        });
        let body = json!({"findingCriteria": {"criterion": criterion}, "maxResults": BATCH});
        let ids = or_off(client.rest_pages::<FindingIds>("ListFindings", Rest::post("/findings", body)).await)?;
        found.extend(ids.into_iter().map(|id| SensitiveFinding { id: id.into(), detail: Read::NotAsked }));
    }
    Ok(found)
}

/// `GetFindings`: those of `ids` that still exist.
pub async fn finding_details(
    session: &Session,
    ids: &[ResourceId],
) -> Result<Vec<(ResourceId, SensitiveDetail)>, ReadError> {
    let client = session.small(Service::Macie);
    let mut found = Vec::new();
    for ids in ids.chunks(BATCH) {
        let ids: Vec<_> = ids.iter().map(ResourceId::as_str).collect();
        let request = Rest::post("/findings/describe", json!({"findingIds": ids}));
        let answer: GetFindings = client.rest("GetFindings", request).await?;
        found.extend(answer.findings.into_iter().map(|raw| (ResourceId::new(&raw.id), sensitive(raw))));
    }
    Ok(found)
}

fn sensitive(raw: RawFinding) -> SensitiveDetail {
    let detections = raw.classification_details.result.sensitive_data.into_iter().flat_map(|one| one.detections);
    SensitiveDetail {
        kind: raw.r#type.into(),
        severity: raw.severity.description.into(),
        bucket: raw.resources_affected.s3_bucket.name.into(),
        object: raw.resources_affected.s3_object.key.into(),
        detections: detections.map(|one| (Text::new(one.r#type), one.count)).collect(),
        updated: time(raw.updated_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, Server, session};

    #[tokio::test]
    async fn off_is_data_and_a_denial_is_not() {
        let off = r#"{"code":"AccessDeniedException","message":"Macie is not enabled."}"#;
        let server = Server::aws(move |_| Some(Answer::json(403, off))).await;
        let asked = session(&server).await;
        assert_eq!(session_status(&asked).await.unwrap().status.as_str(), MacieSession::OFF);
        assert_eq!(discovery(&asked).await.unwrap().as_str(), MacieSession::OFF);
        assert_eq!(buckets(&asked, &["b".into()]).await, Ok(Vec::new()));
        assert_eq!(jobs(&asked).await, Ok(Vec::new()));
        assert_eq!(findings(&asked, &["b".into()]).await, Ok(Vec::new()));
        let denied = r#"{"code":"AccessDeniedException","message":"User: x is not authorized to perform: macie2:GetMacieSession"}"#;
        let server = Server::aws(move |_| Some(Answer::json(403, denied))).await;
        let asked = session(&server).await;
        for error in [
            session_status(&asked).await.err(),
            discovery(&asked).await.err(),
            buckets(&asked, &["b".into()]).await.err(),
            findings(&asked, &["b".into()]).await.err(),
        ] {
            assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Denied));
        }
    }

    #[tokio::test]
    async fn buckets_jobs_and_findings() {
        let server = Server::aws(|request| {
            let body = match () {
                () if request.has("POST /datasources/s3 ") => {
                    r#"{"buckets":[{"bucketName":"train","automatedDiscoveryMonitoringStatus":"MONITORED","jobDetails":{"isDefinedInJob":"FALSE","isMonitoredByJob":"TRUE","lastJobRunTime":"2026-11-21T08:41:07.000Z"},"classifiableObjectCount":3,"unclassifiableObjectCount":{"fileType":1,"storageClass":0,"total":1},"sensitivityScore":91}]}"#
                }
                () if request.has("POST /jobs/list ") => {
                    r#"{"items":[{"jobId":"j1","name":"nightly","jobType":"SCHEDULED","jobStatus":"IDLE","createdAt":"2026-11-21T08:41:07.000Z","bucketDefinitions":[{"accountId":"1","buckets":["train","val"]}]}]}"#
                }
                () if request.has("POST /findings ") => r#"{"findingIds":["f1"]}"#,
                () => {
                    r#"{"findings":[{"id":"f1","type":"SensitiveData:S3Object/Personal","severity":{"description":"High","score":3},"resourcesAffected":{"s3Bucket":{"name":"train"},"s3Object":{"key":"a.jsonl"}},"classificationDetails":{"result":{"sensitiveData":[{"category":"PERSONAL_INFORMATION","detections":[{"type":"EMAIL_ADDRESS","count":12}]}]}},"updatedAt":"2026-11-21T08:41:07.000Z"}]}"#
                }
            };
            Some(Answer::json(200, body))
        })
        .await;
        let session = session(&server).await;
        let bucket = buckets(&session, &["train".into()]).await.unwrap().remove(0);
        assert_eq!(
            (bucket.monitored, bucket.in_job, bucket.unparsable, bucket.sensitivity),
            (true, true, Some(1), Some(91))
        );
        assert!(bucket.last_job.is_some() && bucket.error.is_none());
        assert_eq!(jobs(&session).await.unwrap()[0].buckets, ["train", "val"]);
        let found = findings(&session, &["train".into()]).await.unwrap();
        let (_, detail) = finding_details(&session, &[found[0].id.clone()]).await.unwrap().remove(0);
        assert_eq!((detail.bucket.as_str(), detail.detections), ("train", vec![("EMAIL_ADDRESS".into(), 12)]));
        let none = buckets(&session, &[]).await.unwrap();
        assert!(none.is_empty());
        assert_eq!(server.seen().len(), 4, "no bucket, no question");
    }
}
