//! Small clients on the loopback: each protocol as it goes over the wire.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::page::page;
use super::*;
use crate::aws::Options;
use crate::aws::testing::{Answer, PROFILES, Server, connect, options, session};

page!(
    /// A page of policies.
    Policies { "Policies": Value }, "NextToken"
);
page!(
    /// A page of findings.
    Findings { "findings": Value }, "nextToken"
);

#[tokio::test]
async fn aws_json_names_the_operation_in_a_header_and_is_tried_again() {
    let tries = AtomicUsize::new(0);
    let server = Server::aws(move |request| {
        Some(match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::json(503, r#"{"__type":"com.amazonaws#ServiceException","Message":"down"}"#),
            _ if request.has(r#""NextToken":"two""#) => Answer::json(200, r#"{"Policies":[{"Id":"p-2"}]}"#),
            _ => Answer::json(200, r#"{"Policies":[{"Id":"p-1"}],"NextToken":"two"}"#),
        })
    })
    .await;
    let options = Options { profile: Some("patient".to_owned()), ..options(&server) };
    let session = connect(&options, PROFILES).await.unwrap();
    let client = session.small(Service::Organizations);
    let found = client.json_pages::<Policies>("ListPoliciesForTarget", json!({"TargetId": "1"})).await.unwrap();
    assert_eq!(found, [json!({"Id": "p-1"}), json!({"Id": "p-2"})]);
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].0.starts_with("POST / HTTP/1.1"), "{}", seen[0].0);
    for part in [
        "x-amz-target: AWSOrganizationsV20161128.ListPoliciesForTarget",
        "content-type: application/x-amz-json-1.1",
        "/us-east-1/organizations/aws4_request",
    ] {
        assert!(seen[0].has(part), "{part} is not in {}", seen[0].0);
    }
    assert_eq!((seen[1].body(), seen[2].body()), (r#"{"TargetId":"1"}"#, r#"{"TargetId":"1","NextToken":"two"}"#));
}

#[tokio::test]
async fn rest_json_puts_everything_in_its_place() {
    let server = Server::aws(|request| {
        Some(if request.has("nextToken=b%2Fc%3D") || request.has(r#""nextToken":"b/c=""#) {
            Answer::json(200, r#"{"findings":[2]}"#)
        } else {
            Answer::json(200, r#"{"findings":[1],"nextToken":"b/c="}"#)
        })
    })
    .await;
    let session = session(&server).await;
    let client = session.small(Service::AccessAnalyzer);
    let get = Rest::get(format!("/findingv2/{}", label("arn:x/1"))).with("analyzerArn", "arn:aws:a b");
    assert_eq!(client.rest_pages::<Findings>("GetFindingV2", get).await.unwrap(), [json!(1), json!(2)]);
    let post = Rest::post("/findingv2", json!({"maxResults": 100}));
    assert_eq!(client.rest_pages::<Findings>("ListFindingsV2", post).await.unwrap(), [json!(1), json!(2)]);
    let lines: Vec<_> = server.seen().iter().map(|request| request.0.lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        lines,
        [
            "GET /findingv2/arn%3Ax%2F1?analyzerArn=arn%3Aaws%3Aa%20b HTTP/1.1",
            "GET /findingv2/arn%3Ax%2F1?analyzerArn=arn%3Aaws%3Aa%20b&nextToken=b%2Fc%3D HTTP/1.1",
            "POST /findingv2 HTTP/1.1",
            "POST /findingv2 HTTP/1.1",
        ]
    );
    assert_eq!(server.seen()[3].body(), r#"{"maxResults":100,"nextToken":"b/c="}"#);
    assert!(server.seen()[0].has("/us-east-1/access-analyzer/aws4_request"));
}

#[tokio::test]
async fn a_page_that_comes_twice_or_lacks_its_list_is_an_error() {
    for (body, calls) in [(r#"{"findings":[],"nextToken":"x"}"#, 2), (r#"{"nextToken":"x"}"#, 1), ("[", 1)] {
        let server = Server::aws(move |_| Some(Answer::json(200, body))).await;
        let session = session(&server).await;
        let client = session.small(Service::AccessAnalyzer);
        let asked = client.rest_pages::<Findings>("ListFindingsV2", Rest::post("/findingv2", json!({})));
        let error = asked.await.unwrap_err();
        let named = "access-analyzer:ListFindingsV2";
        assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Malformed, named), "{body}");
        assert_eq!(server.seen().len(), calls, "{body}");
    }
}

#[tokio::test]
async fn null_is_absent() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Given {
        #[serde(default)]
        names: Vec<String>,
        one: Option<i32>,
        inner: Value,
    }
    let body = r#"{"names":null,"one":null,"inner":[{"a":null,"b":1}]}"#;
    let server = Server::aws(move |_| Some(Answer::json(200, body))).await;
    let session = session(&server).await;
    let client = session.small(Service::GuardDuty);
    let given: Given = client.rest("GetDetector", Rest::get("/detector/x")).await.unwrap();
    assert_eq!(given, Given { names: Vec::new(), one: None, inner: json!([{"b": 1}]) });
}

#[tokio::test]
async fn what_is_not_listed_is_refused_and_nothing_is_sent() {
    let server = Server::aws(|_| Some(Answer::json(200, "{}"))).await;
    let session = session(&server).await;
    let before = server.connections();
    for (service, operation) in [
        (Service::GuardDuty, "DeleteDetector"),
        (Service::Organizations, "LeaveOrganization"),
        (Service::Lambda, "Invoke"),
        (Service::Macie, "DisableMacie"),
        (Service::SageMaker, "StopTrainingJob"),
        (Service::S3Control, "PutPublicAccessBlock"),
    ] {
        let client = session.small(service);
        let rest = client.rest::<Value>(operation, Rest::get("/x")).await.unwrap_err();
        let json = client.json::<Value>(operation, json!({})).await.unwrap_err();
        assert_eq!((rest.kind, json.kind), (ErrorKind::Refused, ErrorKind::Refused), "{operation}");
        assert!(json.operation.ends_with(&format!(":{operation}")), "{json}");
    }
    assert_eq!((server.connections(), server.seen().len()), (before, 0));
}

#[tokio::test]
async fn errors_keep_their_meaning_in_every_protocol() {
    for (answer, kind) in [
        (Answer::json(403, r#"{"__type":"AccessDeniedException","Message":"no"}"#), ErrorKind::Denied),
        (Answer::json(400, r#"{"__type":"x#ThrottlingException","message":"slow"}"#), ErrorKind::Throttled),
        (Answer::json(400, r#"{"__type":"ExpiredTokenException","message":"old"}"#), ErrorKind::Expired),
        (Answer::json(500, "{"), ErrorKind::Service),
        (Answer(200, "text/html", "<html>Sign in</html>".to_owned()), ErrorKind::Malformed),
    ] {
        let shown = format!("{answer:?}");
        let server = Server::aws(move |_| Some(answer.clone())).await;
        let session = session(&server).await;
        let error = session.small(Service::CloudWatch).json::<Value>("DescribeAlarms", json!({})).await.unwrap_err();
        assert_eq!((error.kind, error.operation.as_str()), (kind, "cloudwatch:DescribeAlarms"), "{shown}");
    }
}
