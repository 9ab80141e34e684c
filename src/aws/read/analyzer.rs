//! IAM Access Analyzer: analyzers, and their active findings of access from outside.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use crate::aws::Session;
use crate::aws::small::page::page;
use crate::aws::small::when::{When, time, time_or_zero};
use crate::aws::small::{Rest, Service, label};
use crate::base::{ResourceId, Text};
use crate::inventory::analyzer::{Analyzer, AnalyzerFinding, ExternalAccess};
use crate::inventory::{Read, ReadError};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAnalyzer {
    arn: String,
    #[serde(default)]
    name: String,
    r#type: String,
    status: String,
    last_resource_analyzed_at: Option<When>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFinding {
    id: String,
    #[serde(default)]
    finding_type: String,
    resource: Option<String>,
    #[serde(default)]
    resource_type: String,
    status: String,
    updated_at: Option<When>,
}

/// One of the kinds of details; only that of access from outside is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDetail {
    external_access_details: Option<RawAccess>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawAccess {
    is_public: bool,
    principal: BTreeMap<String, String>,
    action: Vec<String>,
    condition: BTreeMap<String, String>,
}

page!(
    /// `ListAnalyzers`.
    Analyzers { "analyzers": RawAnalyzer }, "nextToken"
);
page!(
    /// `ListFindingsV2`.
    Findings { "findings": RawFinding }, "nextToken"
);
page!(
    /// `GetFindingV2`.
    Details { "findingDetails": RawDetail }, "nextToken"
);

/// `ListAnalyzers`.
pub async fn analyzers(session: &Session) -> Result<Vec<Analyzer>, ReadError> {
    let request = Rest::get("/analyzer").with("maxResults", 100);
    let found = session.small(Service::AccessAnalyzer).rest_pages::<Analyzers>("ListAnalyzers", request).await?;
    Ok(found
        .into_iter()
        .map(|raw| Analyzer {
            arn: raw.arn.into(),
            name: raw.name.into(),
            kind: raw.r#type.into(),
            status: raw.status.into(),
            analyzed: time(raw.last_resource_analyzed_at),
        })
        .collect())
}

/// `ListFindingsV2` of these analyzers: what is active, on these resources.
pub async fn findings(
    session: &Session,
    analyzers: &[ResourceId],
    resources: &BTreeSet<ResourceId>,
) -> Result<Vec<AnalyzerFinding>, ReadError> {
    let client = session.small(Service::AccessAnalyzer);
    let mut found = Vec::new();
    for analyzer in analyzers {
        let body = json!({
            "analyzerArn": analyzer.as_str(),
            "filter": {"status": {"eq": ["ACTIVE"]}},
            "maxResults": 100,
        });
        // why not filtered by resource there: a filter takes 20 values, lineage reaches more.
        let page = client.rest_pages::<Findings>("ListFindingsV2", Rest::post("/findingv2", body)).await?;
        found.extend(page.into_iter().filter_map(|raw| {
            let resource = ResourceId::new(raw.resource.filter(|_| raw.finding_type == "ExternalAccess")?);
            resources.contains(&resource).then(|| AnalyzerFinding {
                id: raw.id.into(),
                analyzer: analyzer.clone(),
                kind: raw.finding_type.into(),
                resource,
                resource_type: raw.resource_type.into(),
                status: raw.status.into(),
                updated: time_or_zero(raw.updated_at),
                detail: Read::NotAsked,
            })
        }));
    }
    Ok(found)
}

/// `GetFindingV2`.
pub async fn finding(session: &Session, finding: &AnalyzerFinding) -> Result<ExternalAccess, ReadError> {
    const OPERATION: &str = "GetFindingV2";
    let client = session.small(Service::AccessAnalyzer);
    let request = Rest::get(format!("/findingv2/{}", label(finding.id.as_str())));
    let details = client.rest_pages::<Details>(OPERATION, request.with("analyzerArn", &finding.analyzer)).await?;
    let access = details.into_iter().find_map(|detail| detail.external_access_details);
    let access = access.ok_or_else(|| client.malformed(OPERATION, "the answer has no externalAccessDetails"))?;
    let texts = |map: BTreeMap<String, String>| map.iter().map(|(k, v)| (Text::new(k), Text::new(v))).collect();
    Ok(ExternalAccess {
        public: access.is_public,
        principal: texts(access.principal),
        actions: access.action.iter().map(Text::new).collect(),
        condition: texts(access.condition),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, Server, session};

    #[tokio::test]
    async fn only_external_access_on_what_lineage_reaches() {
        let server = Server::aws(|request| {
            let body = if request.has("GET /analyzer?") {
                r#"{"analyzers":[{"arn":"arn:a","name":"org","type":"ORGANIZATION","status":"ACTIVE","createdAt":"2026-01-01T00:00:00Z","lastResourceAnalyzedAt":"2026-11-21T08:41:07.123Z"}]}"#
            } else if request.has("POST /findingv2") {
                r#"{"findings":[
                    {"id":"f1","findingType":"ExternalAccess","resource":"arn:aws:s3:::train","resourceType":"AWS::S3::Bucket","status":"ACTIVE","updatedAt":"2026-11-21T08:41:07Z","analyzedAt":"2026-11-21T08:41:07Z","resourceOwnerAccount":"1"},
                    {"id":"f2","findingType":"ExternalAccess","resource":"arn:aws:s3:::other","resourceType":"AWS::S3::Bucket","status":"ACTIVE"},
                    {"id":"f3","findingType":"UnusedIAMRole","resource":"arn:aws:s3:::train","resourceType":"AWS::IAM::Role","status":"ACTIVE"},
                    {"id":"f4","findingType":"ExternalAccess","resourceType":"AWS::S3::Bucket","status":"ACTIVE","error":"ACCESS_DENIED"}]}"#
            } else {
                r#"{"id":"f1","status":"ACTIVE","findingDetails":[{"externalAccessDetails":{"isPublic":false,"principal":{"AWS":"444455556666"},"action":["s3:GetObject"],"condition":{}}}]}"#
            };
            Some(Answer::json(200, body))
        })
        .await;
        let session = session(&server).await;
        let analyzers = analyzers(&session).await.unwrap();
        assert!(analyzers[0].watches_outside() && analyzers[0].analyzed.is_some());
        let wanted = BTreeSet::from([ResourceId::new("arn:aws:s3:::train")]);
        let found = findings(&session, &["arn:a".into()], &wanted).await.unwrap();
        assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["f1"]);
        let access = finding(&session, &found[0]).await.unwrap();
        assert_eq!(access.principal.values().next().map(Text::as_str), Some("444455556666"));
        assert!(server.seen().last().unwrap().has("GET /findingv2/f1?analyzerArn=arn%3Aa "));
    }
}
