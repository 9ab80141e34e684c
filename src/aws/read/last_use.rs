//! IAM: long-term API keys of Bedrock, and when principals last used it.

use std::time::Duration;

use aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput;
use aws_sdk_iam::types::{
    AccessAdvisorUsageGranularityType, JobStatusType, ServiceLastAccessed, ServiceSpecificCredentialMetadata,
    StatusType,
};

use super::{PAGE, failed, malformed, maybe_time, time};
use crate::aws::Session;
use crate::base::{ResourceId, Text};
use crate::inventory::iam::{ApiKey, LastAccessed};
use crate::inventory::{ReadError, SourceId};

/// The service that API keys of Bedrock are for, and its namespace in reports.
const SERVICE: &str = "bedrock.amazonaws.com";
const NAMESPACE: &str = "bedrock";
/// A report takes seconds (IAM User Guide, last accessed information); asked for so often, so far apart.
const ASKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// `ListServiceSpecificCredentials` of all users.
pub async fn api_keys(session: &Session) -> Result<Vec<ApiKey>, ReadError> {
    let (mut keys, mut marker) = (Vec::new(), None::<String>);
    loop {
        let call = session.iam().list_service_specific_credentials().all_users(true).service_name(SERVICE);
        let answer = call.max_items(PAGE).set_marker(marker.clone()).send().await;
        let answer = answer.map_err(|error| failed(session, SourceId::API_KEYS, &error))?;
        keys.extend(
            answer.service_specific_credentials().iter().filter(|key| key.service_name() == SERVICE).map(api_key),
        );
        match answer.marker.filter(|next| answer.is_truncated && !next.is_empty()) {
            None => return Ok(keys),
            next if next == marker => {
                return Err(malformed(session, SourceId::API_KEYS, "new marker: the same page came twice"));
            }
            next => marker = next,
        }
    }
}

fn api_key(key: &ServiceSpecificCredentialMetadata) -> ApiKey {
    ApiKey {
        id: key.service_specific_credential_id().into(),
        user: key.user_name().into(),
        active: *key.status() == StatusType::Active,
        created: time(key.create_date()),
        expires: maybe_time(key.expiration_date()),
    }
}

/// `GenerateServiceLastAccessedDetails`: the id of the report. It changes nothing in the account.
pub async fn report(session: &Session, principal: &ResourceId) -> Result<Text, ReadError> {
    let call = session.iam().generate_service_last_accessed_details().arn(principal.as_str());
    let answer = call.granularity(AccessAdvisorUsageGranularityType::ActionLevel).send().await;
    let answer = answer.map_err(|error| failed(session, SourceId::LAST_USE_REPORTS, &error))?;
    answer.job_id().map(Text::new).ok_or_else(|| malformed(session, SourceId::LAST_USE_REPORTS, "JobId"))
}

/// `GetServiceLastAccessedDetails`: what the report says of Bedrock, once it is there.
pub async fn last_use(session: &Session, report: &Text) -> Result<LastAccessed, ReadError> {
    let source = SourceId::LAST_USES;
    let mut marker = None::<String>;
    let mut asked = 0;
    loop {
        let call = session.iam().get_service_last_accessed_details().job_id(report.as_str()).max_items(PAGE);
        let answer = call.set_marker(marker.clone()).send().await;
        let answer: GetServiceLastAccessedDetailsOutput = answer.map_err(|error| failed(session, source, &error))?;
        match answer.job_status() {
            JobStatusType::Completed => {}
            JobStatusType::InProgress if asked < ASKS => {
                asked += 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            _ => {
                let why = answer.error().map_or("it is not ready", aws_sdk_iam::types::ErrorDetails::message);
                return Err(malformed(session, source, &format!("report: {why}")));
            }
        }
        let services = answer.services_last_accessed();
        if let Some(service) = services.iter().find(|service| service.service_namespace() == NAMESPACE) {
            return Ok(accessed(service));
        }
        match answer.marker.clone().filter(|next| answer.is_truncated && !next.is_empty()) {
            // A principal that may not use the service is not in the report.
            None => return Ok(LastAccessed::default()),
            next if next == marker => return Err(malformed(session, source, "new marker: the same page came twice")),
            next => marker = next,
        }
    }
}

fn accessed(service: &ServiceLastAccessed) -> LastAccessed {
    LastAccessed {
        at: maybe_time(service.last_authenticated()),
        region: service.last_authenticated_region().map(Text::new),
        actions: service
            .tracked_actions_last_accessed()
            .iter()
            .filter_map(|action| Some((Text::new(action.action_name()?), maybe_time(action.last_accessed_time()))))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::aws::testing::{Answer, Server, session};
    use crate::inventory::ErrorKind;

    fn answer(name: &str, body: &str) -> Answer {
        let xmlns = "https://iam.amazonaws.com/doc/2010-05-08/";
        Answer::xml(
            200,
            &format!("<{name}Response xmlns=\"{xmlns}\"><{name}Result>{body}</{name}Result></{name}Response>"),
        )
    }

    #[tokio::test]
    async fn keys_of_every_page() {
        let server = Server::aws(|request| {
            let key = |id: &str, more: &str| {
                format!(
                    "<member><UserName>ci</UserName><Status>Active</Status><ServiceUserName>x</ServiceUserName>\
                     <CreateDate>2026-01-01T00:00:00Z</CreateDate><ServiceSpecificCredentialId>{id}</ServiceSpecificCredentialId>\
                     <ServiceName>bedrock.amazonaws.com</ServiceName>{more}</member>"
                )
            };
            let (keys, next) = if request.has("Marker=two") {
                (key("ACCA2", "<ExpirationDate>2036-01-01T00:00:00Z</ExpirationDate>"), "<IsTruncated>false</IsTruncated>")
            } else {
                (key("ACCA1", ""), "<IsTruncated>true</IsTruncated><Marker>two</Marker>")
            };
            let body = format!("<ServiceSpecificCredentials>{keys}</ServiceSpecificCredentials>{next}");
            Some(answer("ListServiceSpecificCredentials", &body))
        })
        .await;
        let keys = api_keys(&session(&server).await).await.unwrap();
        assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["ACCA1", "ACCA2"]);
        assert!(keys[0].active && keys[0].expires.is_none() && keys[1].expires.is_some());
        assert!(server.seen()[0].has("AllUsers=true"));
    }

    #[tokio::test]
    async fn a_report_is_waited_for() {
        let asks = AtomicUsize::new(0);
        let server = Server::aws(move |request| {
            const DATES: &str = "<JobCreationDate>2026-11-21T08:41:07Z</JobCreationDate><JobCompletionDate>2026-11-21T08:41:07Z</JobCompletionDate>";
            if request.has("Action=GenerateServiceLastAccessedDetails") {
                return Some(answer("GenerateServiceLastAccessedDetails", "<JobId>job-1</JobId>"));
            }
            let (status, services) = match asks.fetch_add(1, Ordering::SeqCst) {
                0 => ("IN_PROGRESS", String::new()),
                1 => (
                    "COMPLETED",
                    "<member><ServiceName>Amazon Bedrock</ServiceName><ServiceNamespace>bedrock</ServiceNamespace>\
                     <LastAuthenticated>2026-11-20T08:41:07Z</LastAuthenticated><LastAuthenticatedRegion>us-east-1</LastAuthenticatedRegion>\
                     <TrackedActionsLastAccessed><member><ActionName>CreateModelCustomizationJob</ActionName></member></TrackedActionsLastAccessed></member>"
                        .to_owned(),
                ),
                2 => ("COMPLETED", String::new()),
                _ => ("FAILED", String::new()),
            };
            let services = format!("<ServicesLastAccessed>{services}</ServicesLastAccessed>");
            let body = format!("<JobStatus>{status}</JobStatus>{DATES}{services}<IsTruncated>false</IsTruncated>");
            Some(answer("GetServiceLastAccessedDetails", &body))
        })
        .await;
        let session = session(&server).await;
        let report = report(&session, &"arn:aws:iam::123456789012:role/App".into()).await.unwrap();
        assert!(server.seen()[0].has("Granularity=ACTION_LEVEL"));
        let used = last_use(&session, &report).await.unwrap();
        assert_eq!((used.at.is_some(), used.actions.len()), (true, 1));
        assert_eq!(last_use(&session, &report).await, Ok(LastAccessed::default()));
        let failed = last_use(&session, &report).await.unwrap_err();
        assert_eq!(
            (failed.kind, failed.operation.as_str()),
            (ErrorKind::Malformed, "iam:GetServiceLastAccessedDetails")
        );
    }
}
