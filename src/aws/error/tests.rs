//! Real SDK errors from a loopback server, and those of the network made by hand.

use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::*;
use crate::aws::testing::{Answer, Server, connect, now, options, session};

type Failure = SdkError<DescribeKeyError, HttpResponse>;

/// How `DescribeKey` fails with this answer.
async fn describe_key(answer: Option<Answer>) -> ReadError {
    let server = Server::aws(move |_| answer.clone()).await;
    let session = session(&server).await;
    let error = session.kms().describe_key().key_id("k").send().await.unwrap_err();
    classify("kms:DescribeKey", &error, now())
}

#[tokio::test]
async fn answers_of_a_json_service() {
    let html = |status| Answer(status, "text/html; charset=utf-8", "<html>Sign in</html>".to_owned());
    let long = format!(r#"{{"__type":"AccessDeniedException","message":"{}"}}"#, "x".repeat(5000));
    let token = r#"{"__type":"InvalidSignatureException","message":"The Canonical String was x-amz-security-token:SECRETTOKEN"}"#;
    for (answer, kind, text) in [
        (
            Answer::json(400, r#"{"__type":"ExpiredTokenException","message":"The security token is expired"}"#),
            ErrorKind::Expired,
            "is expired",
        ),
        (Answer::json(403, r#"{"__type":"com.amazon#ExpiredToken","Message":"old"}"#), ErrorKind::Expired, "old"),
        (
            Answer::json(400, r#"{"__type":"AccessDeniedException","message":"User: x is not authorized"}"#),
            ErrorKind::Denied,
            "not authorized",
        ),
        (Answer::json(400, &long), ErrorKind::Denied, "…"),
        (Answer::json(403, ""), ErrorKind::Denied, "403"),
        (
            Answer::json(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
            ErrorKind::Throttled,
            "Rate exceeded",
        ),
        (Answer::json(429, ""), ErrorKind::Throttled, "429"),
        (
            Answer::json(400, r#"{"__type":"NotFoundException","message":"Key 'k' does not exist"}"#),
            ErrorKind::NotFound,
            "does not exist",
        ),
        (Answer::json(404, ""), ErrorKind::NotFound, "404"),
        (Answer::json(400, r#"{"__type":"UnknownOperationException"}"#), ErrorKind::Unsupported, "UnknownOperation"),
        (
            Answer::json(400, r#"{"__type":"ValidationException","message":"Unknown operation ListEnforced"}"#),
            ErrorKind::Unsupported,
            "Unknown operation",
        ),
        (
            Answer::json(
                403,
                r#"{"__type":"AccessDeniedException","message":"This API is not supported in this region."}"#,
            ),
            ErrorKind::Unsupported,
            "region",
        ),
        (Answer::json(501, ""), ErrorKind::Unsupported, "501"),
        (
            Answer::json(400, r#"{"__type":"UnrecognizedClientException","message":"invalid"}"#),
            ErrorKind::Unsupported,
            "region",
        ),
        (
            Answer::json(400, r#"{"__type":"KMSInternalException","message":"try later"}"#),
            ErrorKind::Service,
            "try later",
        ),
        (Answer::json(500, ""), ErrorKind::Service, "500"),
        (
            Answer::json(400, r#"{"__type":"InvalidSignatureException","message":"Signature expired: 20261121"}"#),
            ErrorKind::Service,
            "clock",
        ),
        (Answer::json(400, token), ErrorKind::Service, "does not belong to the key id"),
        (Answer::json(200, r#"{"KeyMetadata": nonsense"#), ErrorKind::Malformed, "could not be understood"),
        (Answer::json(200, r#"{"KeyMetadata": 7}"#), ErrorKind::Malformed, "could not be understood"),
        (html(403), ErrorKind::Network, "proxy"),
        (html(407), ErrorKind::Network, "proxy"),
        (html(200), ErrorKind::Network, "proxy"),
        (
            Answer::json(400, "{\"__type\":\"AccessDeniedException\",\"message\":\"a\\u001b[31m\\u202eb\\nc\"}"),
            ErrorKind::Denied,
            "a␛[31m⟨U+202E⟩b c",
        ),
    ] {
        let error = describe_key(Some(answer.clone())).await;
        assert_eq!(error.kind, kind, "{answer:?} {error}");
        assert!(error.message.as_str().contains(text), "{answer:?} {error}");
        assert!(!error.message.as_str().contains("SECRETTOKEN") && error.message.as_str().chars().count() < 400);
        assert_eq!((error.operation.as_str(), error.at), ("kms:DescribeKey", now()));
    }
}

#[tokio::test]
async fn answers_of_an_xml_service() {
    for (answer, kind, code_is) in [
        (
            Answer::xml(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
            ErrorKind::Denied,
            "AccessDenied",
        ),
        (
            Answer::xml(404, "<Error><Code>NoSuchBucketPolicy</Code><Message>none</Message></Error>"),
            ErrorKind::NotFound,
            "NoSuchBucketPolicy",
        ),
        (
            Answer::xml(503, "<Error><Code>SlowDown</Code><Message>slow</Message></Error>"),
            ErrorKind::Throttled,
            "SlowDown",
        ),
        (
            Answer::xml(403, "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>"),
            ErrorKind::Service,
            "RequestTimeTooSkewed",
        ),
        (
            Answer::xml(400, "<Error><Code>ExpiredToken</Code><Message>m</Message></Error>"),
            ErrorKind::Expired,
            "ExpiredToken",
        ),
        (
            Answer::xml(501, "<Error><Code>NotImplemented</Code><Message>m</Message></Error>"),
            ErrorKind::Unsupported,
            "NotImplemented",
        ),
        (Answer::xml(500, "<Error><Code>Inte"), ErrorKind::Service, "Inte"),
    ] {
        let shown = format!("{answer:?}");
        let server = Server::aws(move |_| Some(answer.clone())).await;
        let session = session(&server).await;
        let error = session.s3().get_bucket_policy().bucket("b").send().await.unwrap_err();
        assert_eq!(classify("s3:GetBucketPolicy", &error, now()).kind, kind, "{shown}");
        assert_eq!(code(&error).unwrap_or_default(), code_is, "{shown}");
    }
}

#[tokio::test]
async fn no_answer() {
    let error = describe_key(None).await;
    assert_eq!(error.kind, ErrorKind::Network, "{error}");
    assert!(error.message.as_str().contains("127.0.0.1"), "{error}");

    let server = Server::aws(|_| None).await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let place = closed.trim_start_matches("http://").to_owned();
    let mut options = options(&server);
    options.endpoint_url = Some(closed);
    let error = connect(&options, crate::aws::testing::PROFILES).await.unwrap_err();
    let said = (error.kind, error.message.to_string());
    assert_eq!(said, (ErrorKind::Network, format!("{place} refused the connection")));

    // TLS with a server that speaks none.
    options.endpoint_url = Some(server.url.replace("http:", "https:"));
    let error = connect(&options, crate::aws::testing::PROFILES).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Network, "{error}");
    assert!(error.message.as_str().contains("127.0.0.1"), "{error}");
}

#[test]
fn failures_of_the_network_say_where() {
    let unreached = |host: &str, why: &str| Unreached::new(host, why.to_owned()).into();
    let dns = "dns error: failed to lookup address information: Name or service not known";
    for (error, text) in [
        (
            ConnectorError::io(unreached("kms.eu-nowhere-9.amazonaws.com", dns)),
            "'kms.eu-nowhere-9.amazonaws.com' has no address: the region may not exist or may lack the service, or DNS is down",
        ),
        (
            ConnectorError::io(unreached("minio.local:9000", dns)),
            "'minio.local' has no address: its name is wrong, or DNS is down",
        ),
        (
            ConnectorError::timeout(unreached("kms.us-east-1.amazonaws.com", "HTTP connect timeout occurred after 3s")),
            "kms.us-east-1.amazonaws.com did not accept the connection in time",
        ),
        (
            ConnectorError::timeout(unreached("kms.us-east-1.amazonaws.com", "HTTP read timeout occurred after 20s")),
            "kms.us-east-1.amazonaws.com took the connection but did not answer in time",
        ),
        (
            ConnectorError::io(unreached("h", "invalid peer certificate: UnknownIssuer")),
            "the certificate of h is not trusted: invalid peer certificate: UnknownIssuer",
        ),
        (
            ConnectorError::io(unreached("h", "Network is unreachable (os error 101)")),
            "h cannot be reached from this network",
        ),
        (
            ConnectorError::io(unreached("h", "connection closed before message completed")),
            "no answer from h: connection closed before message completed",
        ),
    ] {
        let error = classify("kms:DescribeKey", &Failure::dispatch_failure(error), now());
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Network, text));
    }
    let mut behind = Unreached::new("h", "Connection refused".to_owned());
    behind.proxy = Some("proxy.local:3128".into());
    let behind = Failure::dispatch_failure(ConnectorError::io(behind.into()));
    assert_eq!(
        classify("kms:DescribeKey", &behind, now()).message.as_str(),
        "h refused the connection (by way of the proxy proxy.local:3128, as the environment says)"
    );
    let slow = classify("kms:DescribeKey", &Failure::timeout_error("operation timeout occurred after 90s"), now());
    assert_eq!(
        (slow.kind, slow.message.as_str()),
        (ErrorKind::Network, "AWS did not answer in time, nor when it was asked again")
    );
    let built = classify("kms:DescribeKey", &Failure::construction_failure("key id is missing"), now());
    assert_eq!(
        (built.kind, built.message.as_str()),
        (ErrorKind::Service, "the request could not be made: key id is missing")
    );
}

#[test]
fn failures_of_the_credential_chain() {
    for (error, kind) in [
        (CredentialsError::not_loaded_no_source(), ErrorKind::NoCredentials),
        (CredentialsError::invalid_configuration("profile loops"), ErrorKind::NoCredentials),
        (CredentialsError::provider_timed_out(std::time::Duration::from_secs(5)), ErrorKind::Network),
        (CredentialsError::provider_error("the SSO token has expired"), ErrorKind::Expired),
        (CredentialsError::provider_error("AccessDenied: may not assume the role"), ErrorKind::Denied),
        (CredentialsError::provider_error("exit code 1"), ErrorKind::NoCredentials),
    ] {
        let shown = error.to_string();
        let failure = Failure::dispatch_failure(ConnectorError::other(error.into(), None));
        assert_eq!(classify("sts:GetCallerIdentity", &failure, now()).kind, kind, "{shown}");
    }
}

#[tokio::test]
async fn a_refusal_says_that_nothing_was_sent() {
    let server = Server::aws(|_| None).await;
    let error = session(&server).await.kms().put_key_policy().key_id("k").policy("{}").send().await.unwrap_err();
    let error = classify("kms:PutKeyPolicy", &error, now());
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.message.as_str(), "the read-only guard does not allow kms:PutKeyPolicy; nothing was sent");
}
