//! Tests: every list reads all of its pages, and one that breaks off is an error.

use std::future::Future;

use super::kms::KeyNames;
use super::{bedrock_jobs, bedrock_models, cloudtrail, events, guardrails, iam, kms, logs, s3};
use crate::aws::Session;
use crate::aws::testing::{Answer, Request, Server, session};
use crate::inventory::{ErrorKind, ReadError};

/// The page that a request asks for, from 1.
fn page(request: &Request) -> usize {
    (2..=3).rev().find(|page| request.has(&format!("PAGE-{page}"))).unwrap_or(1)
}

/// A JSON answer: one item under `list`, and the next page's token under `token`. `N` in the item
/// becomes the page's number.
fn json(request: &Request, list: &str, token: &str, item: &str) -> Answer {
    let page = page(request);
    let next = if page < 3 { format!(",\"{token}\":\"PAGE-{}\",\"Truncated\":true", page + 1) } else { String::new() };
    Answer::json(200, &format!("{{\"{list}\":[{}]{next}}}", item.replace('#', &page.to_string())))
}

/// How many items a list of three pages has; and what comes of it when its second page fails.
async fn three<T, R>(list: &'static str, token: &'static str, item: &'static str, read: impl Fn(Session) -> R)
where
    R: Future<Output = Result<Vec<T>, ReadError>>,
{
    let server = Server::aws(move |request| Some(json(request, list, token, item))).await;
    let found = read(session(&server).await).await.unwrap_or_else(|error| panic!("{list}: {error}"));
    assert_eq!((found.len(), server.seen().len()), (3, 3), "{list}");
    let broken = Server::aws(move |request| (page(request) == 1).then(|| json(request, list, token, item))).await;
    let error = read(session(&broken).await).await.err().unwrap_or_else(|| panic!("{list} is shorter, and fine"));
    assert_eq!(error.kind, ErrorKind::Network, "{list}: {error}");
}

macro_rules! three {
    ($list:literal, $token:literal, $item:expr, |$session:ident| $read:expr) => {
        three($list, $token, $item, |$session| async move { $read.await }).await
    };
}

const TIME: &str = "2026-11-21T08:41:07Z";

#[tokio::test]
async fn jobs() {
    const JOB: &str = r#"{"jobArn":"arn:job/#","jobName":"j","status":"Completed","creationTime":"2026-11-21T08:41:07Z",
        "baseModelArn":"b","targetModelArn":"t","sourceAccountId":"1","sourceModelArn":"s","jobType":"Automated",
        "evaluationTaskTypes":["Generation"],"modelId":"m","roleArn":"r","submitTime":"2026-11-21T08:41:07Z",
        "inputDataConfig":{"s3InputDataConfig":{"s3Uri":"s3://b/i"}},
        "outputDataConfig":{"s3OutputDataConfig":{"s3Uri":"s3://b/o"}}}"#;
    assert!(JOB.contains(TIME));
    three!("modelCustomizationJobSummaries", "nextToken", JOB, |s| bedrock_jobs::customization_jobs(&s));
    three!("modelImportJobSummaries", "nextToken", JOB, |s| bedrock_jobs::import_jobs(&s));
    three!("modelCopyJobSummaries", "nextToken", JOB, |s| bedrock_jobs::copy_jobs(&s));
    three!("jobSummaries", "nextToken", JOB, |s| bedrock_jobs::evaluation_jobs(&s));
    three!("invocationJobSummaries", "nextToken", JOB, |s| bedrock_jobs::batch_jobs(&s, &KeyNames::default()));
}

#[tokio::test]
async fn models_and_guardrails() {
    const MODEL: &str = r#"{"modelArn":"arn:model/#","modelName":"m","creationTime":"2026-11-21T08:41:07Z",
        "baseModelArn":"b","baseModelName":"B"}"#;
    three!("modelSummaries", "nextToken", MODEL, |s| bedrock_models::custom_models(&s, true));
    three!("modelSummaries", "nextToken", MODEL, |s| bedrock_models::custom_models(&s, false));
    three!("modelSummaries", "nextToken", MODEL, |s| bedrock_models::imported_models(&s));
    const SERVED: &str = r#"{"customModelDeploymentArn":"arn:d/#","customModelDeploymentName":"d","modelArn":"m",
        "createdAt":"2026-11-21T08:41:07Z","status":"Active","provisionedModelName":"p","provisionedModelArn":"arn:p/#",
        "desiredModelArn":"m","foundationModelArn":"f","modelUnits":1,"desiredModelUnits":1,
        "creationTime":"2026-11-21T08:41:07Z","lastModifiedTime":"2026-11-21T08:41:07Z"}"#;
    three!("modelDeploymentSummaries", "nextToken", SERVED, |s| bedrock_models::deployments(&s));
    three!("provisionedModelSummaries", "nextToken", SERVED, |s| bedrock_models::throughputs(&s));
    const GUARDRAIL: &str = r#"{"id":"g#","arn":"arn:g/#","status":"READY","name":"g","version":"DRAFT",
        "createdAt":"2026-11-21T08:41:07Z","updatedAt":"2026-11-21T08:41:07Z"}"#;
    three!("guardrails", "nextToken", GUARDRAIL, |s| guardrails::guardrails(&s));
    const ENFORCED: &str = r#"{"configId":"c#","guardrailArn":"arn:g/#","guardrailVersion":"1"}"#;
    three!("guardrailsConfig", "nextToken", ENFORCED, |s| guardrails::enforced_guardrails(&s));
}

#[tokio::test]
async fn what_surrounds_them() {
    const ALIAS: &str = r#"{"AliasName":"alias/a#","TargetKeyId":"k#"}"#;
    three!("Aliases", "NextMarker", ALIAS, |s| kms::aliases(&s));
    three!("Grants", "NextMarker", r#"{"GrantId":"g#","GranteePrincipal":"arn:x"}"#, |s| kms::grants(&s, &"k".into()));
    three!("logGroups", "nextToken", r#"{"logGroupName":"g#","creationTime":1}"#, |s| logs::log_groups(&s));
    three!("metricFilters", "nextToken", r#"{"filterName":"f#","filterPattern":""}"#, |s| logs::metric_filters(
        &s,
        &"g".into()
    ));
    three!("EventDataStores", "NextToken", r#"{"EventDataStoreArn":"arn:s/#"}"#, |s| cloudtrail::event_data_stores(&s));
    three!("Rules", "NextToken", r#"{"Name":"r#","Arn":"arn:rule/#","State":"ENABLED"}"#, |s| events::rules(&s));
    let rule = crate::inventory::events::Rule {
        arn: "arn:rule/r".into(),
        name: "r".into(),
        enabled: true,
        pattern: None,
        targets: crate::inventory::Read::NotAsked,
    };
    let rule = &rule;
    three!("Targets", "NextToken", r#"{"Id":"t#","Arn":"arn:t"}"#, |s| events::targets(&s, rule));
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_an_error() {
    let rules = r#"{"Rules":[{"Name":"r","Arn":"arn:rule/r"}],"NextToken":"same"}"#;
    let server = Server::aws(move |_| Some(Answer::json(200, rules))).await;
    let error = events::rules(&session(&server).await).await.unwrap_err();
    assert_eq!((error.kind, server.seen().len()), (ErrorKind::Malformed, 2));
}

#[tokio::test]
async fn iam_in_one_pass() {
    let server = Server::aws(|request| {
        let page = page(request);
        let next = if page < 3 {
            format!("<IsTruncated>true</IsTruncated><Marker>PAGE-{}</Marker>", page + 1)
        } else {
            "<IsTruncated>false</IsTruncated>".to_owned()
        };
        let policy = |arn: &str| format!("<member><PolicyName>P</PolicyName><Arn>{arn}</Arn></member>");
        let policies = match page {
            // AWS's own come before the role that uses one of them.
            1 => policy("arn:aws:iam::aws:policy/Used") + &policy("arn:aws:iam::aws:policy/Unused"),
            2 => policy("arn:aws:iam::123456789012:policy/Ours"),
            _ => String::new(),
        };
        let roles = format!(
            "<member><RoleName>R{page}</RoleName><Arn>arn:aws:iam::123456789012:role/R{page}</Arn>\
             <AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument><AttachedManagedPolicies><member>\
             <PolicyArn>arn:aws:iam::aws:policy/Used</PolicyArn></member></AttachedManagedPolicies></member>"
        );
        Some(Answer::xml(
            200,
            &format!(
                "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
                 <GetAccountAuthorizationDetailsResult><RoleDetailList>{roles}</RoleDetailList>\
                 <Policies>{policies}</Policies>{next}</GetAccountAuthorizationDetailsResult>\
                 </GetAccountAuthorizationDetailsResponse>"
            ),
        ))
    })
    .await;
    let found = iam::authorization(&session(&server).await).await.unwrap();
    assert_eq!((found.roles.len(), server.seen().len()), (3, 3));
    let policies: Vec<_> = found.policies.iter().map(|policy| policy.arn.last()).collect();
    assert_eq!(policies, ["Used", "Ours"]);
    assert_eq!(found.roles[0].trust.raw(), "{}");
}

#[tokio::test]
async fn buckets_with_their_regions() {
    let server = Server::aws(|request| {
        let page = page(request);
        let next = if page < 3 {
            format!("<ContinuationToken>PAGE-{}</ContinuationToken>", page + 1)
        } else {
            String::new()
        };
        Some(Answer::xml(
            200,
            &format!(
                "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Buckets><Bucket>\
                 <Name>b{page}</Name><BucketRegion>eu-west-1</BucketRegion></Bucket></Buckets>{next}</ListAllMyBucketsResult>"
            ),
        ))
    })
    .await;
    let found = s3::buckets(&session(&server).await).await.unwrap();
    assert_eq!(found.iter().map(|bucket| bucket.name.as_str()).collect::<Vec<_>>(), ["b1", "b2", "b3"]);
    assert!(found.iter().all(|bucket| bucket.region.as_ref().is_some_and(|region| *region == "eu-west-1")));
}

#[tokio::test]
async fn events_page_by_page() {
    const RECORD: &str = r##"{\"eventID\":\"#\",\"eventTime\":\"2026-11-21T08:41:07Z\",\"eventName\":\"Decrypt\",\"eventSource\":\"kms.amazonaws.com\"}"##;
    let server = Server::aws(|request| {
        Some(json(
            request,
            "Events",
            "NextToken",
            &format!(r#"{{"CloudTrailEvent":"{RECORD}"}},{{"CloudTrailEvent":"{{"}}"#),
        ))
    })
    .await;
    let session = session(&server).await;
    let wanted = cloudtrail::Lookup::default();
    let first = cloudtrail::lookup(&session, &wanted, None).await.unwrap();
    assert_eq!((first.events.len(), first.malformed, first.next.as_deref()), (1, 1, Some("PAGE-2")));
    let last = cloudtrail::lookup(&session, &wanted, Some("PAGE-3".into())).await.unwrap();
    assert_eq!((last.events[0].id.as_str(), last.next), ("3", None));
}

#[tokio::test]
async fn invocations_page_by_page_the_latest_first() {
    const RECORD: &str = r##"{\"schemaType\":\"ModelInvocationLog\",\"timestamp\":\"2026-11-21T08:41:07Z\",\"requestId\":\"#\",\"operation\":\"Converse\",\"modelId\":\"m\"}"##;
    let server = Server::aws(|request| {
        Some(json(request, "events", "nextToken", &format!(r#"{{"message":"{RECORD}"}},{{"message":"{{"}}"#)))
    })
    .await;
    let session = session(&server).await;
    let (group, since) = ("/aws/bedrock/invocations".into(), crate::base::Timestamp::from_secs(1_795_250_467));
    let first = logs::invocations(&session, &group, since, None).await.unwrap();
    assert_eq!((first.invocations.len(), first.malformed, first.next.as_deref()), (1, 1, Some("PAGE-2")));
    let last = logs::invocations(&session, &group, since, Some("PAGE-3".into())).await.unwrap();
    assert_eq!((last.invocations[0].id.as_str(), last.next), ("3", None));
    assert_eq!(last.invocations[0].log_group, group);
    let asked = &server.seen()[0];
    for part in [r#""startFromHead":false"#, r#""startTime":1795250467000"#, "aws/bedrock/modelinvocations"] {
        assert!(asked.has(part), "{part}");
    }
}

#[tokio::test]
async fn absences_are_values() {
    let server = Server::aws(|request| {
        let (status, code) = match () {
            () if request.has("?encryption") => (404, "ServerSideEncryptionConfigurationNotFoundError"),
            () if request.has("?publicAccessBlock") => (404, "NoSuchPublicAccessBlockConfiguration"),
            () if request.has("?policy") => (404, "NoSuchBucketPolicy"),
            () if request.has("?ownershipControls") => (404, "OwnershipControlsNotFoundError"),
            () if request.has("?object-lock") => (404, "ObjectLockConfigurationNotFoundError"),
            () if request.has("?lifecycle") => (404, "NoSuchLifecycleConfiguration"),
            () if request.has("?replication") => (404, "ReplicationConfigurationNotFoundError"),
            () => (403, "AccessDenied"),
        };
        Some(Answer::xml(status, &format!("<Error><Code>{code}</Code><Message>no</Message></Error>")))
    })
    .await;
    let session = session(&server).await;
    let bucket = s3::Place { name: "orion-train".into(), region: None };
    assert_eq!(s3::encryption(&session, &KeyNames::default(), &bucket).await.unwrap().algorithm.as_str(), "none");
    assert!(!s3::public_access(&session, &bucket).await.unwrap().block_policy);
    assert_eq!(s3::policy(&session, &bucket).await.unwrap(), None);
    assert!(!s3::policy_public(&session, &bucket).await.unwrap());
    assert_eq!(s3::ownership(&session, &bucket).await.unwrap(), None);
    assert_eq!(s3::lock(&session, &bucket).await.unwrap(), None);
    assert!(s3::lifecycle(&session, &bucket).await.unwrap().is_empty());
    assert!(s3::replication(&session, &bucket).await.unwrap().is_empty());
    for error in [
        s3::versioning(&session, &bucket).await.unwrap_err(),
        s3::acl(&session, &bucket).await.unwrap_err(),
        s3::logging(&session, &bucket).await.unwrap_err(),
        s3::location(&session, &bucket).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Denied, "{error}");
    }
    let owner = "x-amz-expected-bucket-owner: 123456789012";
    assert!(server.seen().iter().all(|request| request.0.to_ascii_lowercase().contains(owner)));
}

#[tokio::test]
async fn a_model_without_a_policy_and_a_key_that_cannot_rotate() {
    let server = Server::aws(|request| {
        let code =
            if request.has("TrentService") { "UnsupportedOperationException" } else { "ResourceNotFoundException" };
        Some(Answer::json(400, &format!(r#"{{"__type":"{code}","message":"no"}}"#)))
    })
    .await;
    let session = session(&server).await;
    let arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model/x/y".into();
    assert_eq!(bedrock_models::resource_policy(&session, &arn).await.unwrap(), None);
    let key = "arn:aws:kms:us-east-1:123456789012:key/91b5".into();
    assert!(!kms::rotation(&session, &key).await.unwrap().enabled);
    assert_eq!(bedrock_models::custom_model_detail(&session, &arn).await.unwrap_err().kind, ErrorKind::NotFound);
}
