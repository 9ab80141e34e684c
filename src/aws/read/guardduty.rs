//! Amazon GuardDuty: detectors, findings that bear on customization, malware protection plans.

use serde::Deserialize;
use serde_json::json;

use crate::aws::Session;
use crate::aws::small::page::page;
use crate::aws::small::when::{When, time};
use crate::aws::small::{Rest, Service, label};
use crate::base::{ResourceId, Text};
use crate::inventory::guardduty::{Detector, DetectorDetail, MalwarePlan, MalwarePlanDetail, Threat, ThreatDetail};
use crate::inventory::{Read, ReadError};

/// The types of findings that bear on customization: on invocations and their log, and on the data
/// (Amazon GuardDuty User Guide, finding types).
const TYPES: &[&str] = &[
    "DefenseEvasion:IAMUser/BedrockLoggingDisabled",
    "Impact:IAMUser/AnomalousModelInvocation",
    "Impact:IAMUser/CostHarvesting",
    "Impact:IAMUser/PromptInjection.Direct",
    "Object:S3/MaliciousFile",
    "Exfiltration:S3/AnomalousBehavior",
    "Exfiltration:S3/MaliciousIPCaller",
    "Exfiltration:S3/ObjectRead.Unusual",
    "Policy:S3/AccountBlockPublicAccessDisabled",
    "Policy:S3/BucketAnonymousAccessGranted",
    "Policy:S3/BucketBlockPublicAccessDisabled",
    "Policy:S3/BucketPublicAccessGranted",
];
/// The most ids that one `GetFindings` takes.
const BATCH: usize = 50;

#[derive(Debug, Deserialize)]
struct GetDetector {
    status: String,
    #[serde(default)]
    features: Vec<Feature>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    name: String,
    #[serde(default)]
    status: String,
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
    title: String,
    #[serde(default)]
    severity: f64,
    #[serde(default)]
    resource: RawResource,
    #[serde(default)]
    service: RawService,
    created_at: Option<When>,
    updated_at: Option<When>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawResource {
    s3_bucket_details: Vec<RawBucket>,
    access_key_details: RawAccessKey,
}

#[derive(Debug, Deserialize)]
struct RawBucket {
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawAccessKey {
    user_name: Option<String>,
    user_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawService {
    count: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanSummary {
    malware_protection_plan_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetMalwareProtectionPlan {
    role: Option<String>,
    #[serde(default)]
    protected_resource: Protected,
    #[serde(default)]
    actions: Actions,
    status: String,
    #[serde(default)]
    status_reasons: Vec<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Protected {
    s3_bucket: Option<ProtectedBucket>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProtectedBucket {
    bucket_name: Option<String>,
    object_prefixes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Actions {
    tagging: Tagging,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tagging {
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    code: String,
    message: String,
}

page!(
    /// `ListDetectors`.
    Detectors { "detectorIds": String }, "nextToken"
);
page!(
    /// `ListFindings`.
    FindingIds { "findingIds": String }, "nextToken"
);
page!(
    /// `ListMalwareProtectionPlans`.
    Plans { "malwareProtectionPlans": PlanSummary }, "nextToken"
);

/// `ListDetectors`; none when GuardDuty is off.
pub async fn detectors(session: &Session) -> Result<Vec<Detector>, ReadError> {
    let found = session.small(Service::GuardDuty).rest_pages::<Detectors>("ListDetectors", Rest::get("/detector"));
    Ok(found.await?.into_iter().map(|id| Detector { id: id.into(), detail: Read::NotAsked }).collect())
}

/// `GetDetector`.
pub async fn detector(session: &Session, id: &ResourceId) -> Result<DetectorDetail, ReadError> {
    let request = Rest::get(format!("/detector/{}", label(id.as_str())));
    let answer: GetDetector = session.small(Service::GuardDuty).rest("GetDetector", request).await?;
    Ok(DetectorDetail {
        status: answer.status.into(),
        features: answer.features.iter().map(|one| (Text::new(&one.name), Text::new(&one.status))).collect(),
    })
}

/// `ListFindings` of these detectors: what is not archived, of the types that bear on customization.
pub async fn threats(session: &Session, detectors: &[ResourceId]) -> Result<Vec<Threat>, ReadError> {
    let client = session.small(Service::GuardDuty);
    let mut found = Vec::new();
    for detector in detectors {
        let criterion = json!({"type": {"equals": TYPES}, "service.archived": {"equals": ["false"]}});
        let body = json!({"findingCriteria": {"criterion": criterion}, "maxResults": BATCH});
        let request = Rest::post(format!("/detector/{}/findings", label(detector.as_str())), body);
        let ids = client.rest_pages::<FindingIds>("ListFindings", request).await?;
        let threat = |id: String| Threat { id: id.into(), detector: detector.clone(), detail: Read::NotAsked };
        found.extend(ids.into_iter().map(threat));
    }
    Ok(found)
}

/// `GetFindings` of one detector: those of `ids` that still exist, [`BATCH`] a call.
pub async fn threat_details(
    session: &Session,
    detector: &ResourceId,
    ids: &[ResourceId],
) -> Result<Vec<(ResourceId, ThreatDetail)>, ReadError> {
    let client = session.small(Service::GuardDuty);
    let mut found = Vec::new();
    for ids in ids.chunks(BATCH) {
        let ids: Vec<_> = ids.iter().map(ResourceId::as_str).collect();
        let path = format!("/detector/{}/findings/get", label(detector.as_str()));
        let answer: GetFindings = client.rest("GetFindings", Rest::post(path, json!({"findingIds": ids}))).await?;
        found.extend(answer.findings.into_iter().map(|raw| (ResourceId::new(&raw.id), threat_detail(raw))));
    }
    Ok(found)
}

fn threat_detail(raw: RawFinding) -> ThreatDetail {
    let key = raw.resource.access_key_details;
    ThreatDetail {
        kind: raw.r#type.into(),
        title: raw.title.into(),
        severity: raw.severity,
        buckets: raw.resource.s3_bucket_details.into_iter().filter_map(|one| one.name).map(Into::into).collect(),
        principal: key.user_name.map(Text::new),
        principal_type: key.user_type.map(Text::new),
        count: raw.service.count,
        created: time(raw.created_at),
        updated: time(raw.updated_at),
    }
}

/// `ListMalwareProtectionPlans`.
pub async fn malware_plans(session: &Session) -> Result<Vec<MalwarePlan>, ReadError> {
    const OPERATION: &str = "ListMalwareProtectionPlans";
    let client = session.small(Service::GuardDuty);
    let found = client.rest_pages::<Plans>(OPERATION, Rest::get("/malware-protection-plan")).await?;
    let plan = |raw: PlanSummary| MalwarePlan { id: raw.malware_protection_plan_id.into(), detail: Read::NotAsked };
    Ok(found.into_iter().map(plan).collect())
}

/// `GetMalwareProtectionPlan`.
pub async fn malware_plan(session: &Session, id: &ResourceId) -> Result<MalwarePlanDetail, ReadError> {
    let request = Rest::get(format!("/malware-protection-plan/{}", label(id.as_str())));
    let client = session.small(Service::GuardDuty);
    let answer: GetMalwareProtectionPlan = client.rest("GetMalwareProtectionPlan", request).await?;
    let bucket = answer.protected_resource.s3_bucket.unwrap_or_default();
    Ok(MalwarePlanDetail {
        bucket: bucket.bucket_name.map(ResourceId::new),
        prefixes: bucket.object_prefixes.iter().map(Text::new).collect(),
        role: answer.role.map(ResourceId::new),
        status: answer.status.into(),
        reasons: answer.status_reasons.iter().map(|why| Text::new(format!("{}: {}", why.code, why.message))).collect(),
        tagging: answer.actions.tagging.status == "ENABLED",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, Server, session};

    #[tokio::test]
    async fn a_detector_and_what_it_found() {
        let server = Server::aws(|request| {
            let body = match () {
                () if request.has("GET /detector HTTP") => r#"{"detectorIds":["d1"]}"#,
                () if request.has("GET /detector/d1 ") => {
                    r#"{"status":"ENABLED","serviceRole":"r","features":[{"name":"S3_DATA_EVENTS","status":"ENABLED","updatedAt":1795250467},{"name":"AI_PROTECTION","status":"DISABLED"}]}"#
                }
                () if request.has("/findings/get ") => {
                    r#"{"findings":[{"id":"t1","type":"Object:S3/MaliciousFile","severity":8.0,"title":"Malware\u001b","createdAt":"2026-11-20T08:41:07.000Z","updatedAt":"2026-11-21T08:41:07.000Z","resource":{"resourceType":"S3Object","s3BucketDetails":[{"name":"train"}],"accessKeyDetails":{"userName":"Tuner","userType":"AssumedRole"}},"service":{"count":2,"archived":false}}]}"#
                }
                () if request.has("POST /detector/d1/findings ") => r#"{"findingIds":["t1","t2"],"nextToken":""}"#,
                () if request.has("GET /malware-protection-plan HTTP") => {
                    r#"{"malwareProtectionPlans":[{"malwareProtectionPlanId":"p1"}]}"#
                }
                () => {
                    r#"{"arn":"a","role":"arn:r","protectedResource":{"s3Bucket":{"bucketName":"train","objectPrefixes":["in/"]}},"actions":{"tagging":{"status":"ENABLED"}},"status":"WARNING","statusReasons":[{"code":"INSUFFICIENT_TEST_OBJECT_PERMISSIONS","message":"m"}]}"#
                }
            };
            Some(Answer::json(200, body))
        })
        .await;
        let session = session(&server).await;
        let detectors = detectors(&session).await.unwrap();
        let detail = detector(&session, &detectors[0].id).await.unwrap();
        assert!(detail.has("S3_DATA_EVENTS") && !detail.has("AI_PROTECTION"));
        let threats = threats(&session, &["d1".into()]).await.unwrap();
        assert_eq!(threats.len(), 2);
        let asked = server.seen().last().unwrap().clone();
        assert!(asked.has(r#""service.archived":{"equals":["false"]}"#) && asked.has("Impact:IAMUser/CostHarvesting"));
        let ids: Vec<_> = threats.iter().map(|threat| threat.id.clone()).collect();
        let details = threat_details(&session, &"d1".into(), &ids).await.unwrap();
        let (id, found) = &details[0];
        assert_eq!((id.as_str(), found.title.as_str(), found.buckets.len()), ("t1", "Malware␛", 1));
        assert_eq!((found.principal.as_ref().map(Text::as_str), found.count), (Some("Tuner"), 2));
        let plan = malware_plan(&session, &malware_plans(&session).await.unwrap()[0].id).await.unwrap();
        assert_eq!((plan.status.as_str(), plan.tagging, plan.prefixes.len()), ("WARNING", true, 1));
    }

    #[tokio::test]
    async fn off_is_data() {
        let server = Server::aws(|_| Some(Answer::json(200, r#"{"detectorIds":[]}"#))).await;
        assert_eq!(detectors(&session(&server).await).await, Ok(Vec::new()));
    }
}
