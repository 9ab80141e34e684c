//! Each layer of the guard, alone.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::disable_interceptor;

use super::*;
use crate::aws::testing::{Answer, Server, sdk, session, write_session};

fn refused<'a>(error: &'a (dyn Error + 'static)) -> &'a str {
    Refused::within(error).map_or("not refused", |refused| refused.operation.as_str())
}

async fn json_server() -> Server {
    Server::start(|_| Some(Answer::json(200, "{}"))).await
}

#[tokio::test]
async fn a_write_is_refused_before_a_connection_and_before_credentials() {
    let server = json_server().await;
    let (sdk, credentials) = sdk(&server);
    let guard = Guard::read_only();
    let kms = guarded!(aws_sdk_kms, &sdk, guard);
    let error = kms.put_key_policy().key_id("k").policy("{}").send().await.unwrap_err();
    assert_eq!(refused(&error), "kms:PutKeyPolicy");
    assert_eq!((server.connections(), credentials.0.load(Ordering::SeqCst)), (0, 0));
    let lines = guard.log().lines();
    assert_eq!((lines.len(), lines[0].refused, lines[0].calls, lines[0].attempts), (1, 1, 0, 0));

    kms.get_key_policy().key_id("k").send().await.unwrap();
    assert_eq!((server.connections(), credentials.0.load(Ordering::SeqCst)), (1, 1));
    let line = &guard.log().lines()[0];
    assert_eq!((line.operation.as_str(), line.calls, line.attempts, line.errors), ("kms:GetKeyPolicy", 1, 1, 0));
}

#[tokio::test]
async fn a_client_without_the_guard_is_stopped_at_the_connector() {
    let server = json_server().await;
    let (sdk, _) = sdk(&server);
    let kms = aws_sdk_kms::Client::new(&sdk);
    let error = kms.get_key_policy().key_id("k").send().await.unwrap_err();
    assert!(refused(&error).starts_with("a POST request that no operation made, to 127.0.0.1"), "{error:?}");
    assert_eq!(server.connections(), 0);
}

/// Asks the SDK to switch the guard off.
#[derive(Debug)]
struct SwitchOff;

impl Intercept for SwitchOff {
    fn name(&self) -> &'static str {
        "SwitchOff"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(disable_interceptor::<Guard>("a test wants it"));
        Ok(())
    }
}

#[tokio::test]
async fn the_guard_cannot_be_switched_off() {
    let server = json_server().await;
    let (sdk, _) = sdk(&server);
    let guard = Guard::read_only();
    let mut config = aws_sdk_kms::config::Builder::from(&sdk);
    config.push_interceptor(guard.interceptor());
    config.push_interceptor(SharedInterceptor::permanent(SwitchOff));
    let kms = aws_sdk_kms::Client::from_conf(config.build());
    // The SDK panics on the attempt in a debug build and ignores it in a release build.
    let sent = tokio::spawn(async move { kms.put_key_policy().key_id("k").policy("{}").send().await });
    if let Ok(answer) = sent.await {
        assert_eq!(refused(&answer.unwrap_err()), "kms:PutKeyPolicy");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn presigning_a_write_is_refused() {
    let server = json_server().await;
    let (sdk, _) = sdk(&server);
    let s3 = guarded!(aws_sdk_s3, &sdk, Guard::read_only());
    let soon = aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_mins(1)).unwrap();
    let error = s3.put_object().bucket("b").key("k").presigned(soon).await.unwrap_err();
    assert_eq!(refused(&error), "s3:PutObject");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn writes_and_secrets_of_every_service_are_refused() {
    let server = Server::aws(|_| Some(Answer::json(200, "{}"))).await;
    let session = session(&server).await;
    let before = server.connections();
    macro_rules! refuses {
        ($($call:expr => $name:literal;)*) => {$(
            assert_eq!(refused(&$call.send().await.unwrap_err()), $name);
        )*};
    }
    let elsewhere = session.s3_in("eu-west-1");
    refuses! {
        session.bedrock().stop_model_customization_job().job_identifier("j") => "bedrock:StopModelCustomizationJob";
        session.bedrock().delete_custom_model().model_identifier("m") => "bedrock:DeleteCustomModel";
        session.cloudtrail().stop_logging().name("t") => "cloudtrail:StopLogging";
        session.logs().delete_log_group().log_group_name("g") => "logs:DeleteLogGroup";
        session.logs().start_query().start_time(0).end_time(1).query_string("q") => "logs:StartQuery";
        session.events().delete_rule().name("r") => "events:DeleteRule";
        session.iam().create_user().user_name("u") => "iam:CreateUser";
        session.kms().put_key_policy().key_id("k").policy("{}") => "kms:PutKeyPolicy";
        session.kms().create_grant().key_id("k").grantee_principal("p") => "kms:CreateGrant";
        session.kms().revoke_grant().key_id("k").grant_id("g") => "kms:RevokeGrant";
        session.kms().decrypt().ciphertext_blob(aws_sdk_kms::primitives::Blob::new("x")) => "kms:Decrypt";
        session.s3().delete_bucket().bucket("b") => "s3:DeleteBucket";
        session.s3().get_object().bucket("b").key("k") => "s3:GetObject";
        elsewhere.delete_bucket().bucket("b") => "s3:DeleteBucket";
    }
    assert_eq!(server.connections(), before);
    let lines = session.calls();
    let total: u64 = lines.iter().map(|line| line.refused).sum();
    assert_eq!(total, 14);
}

#[tokio::test]
async fn a_write_session_adds_three_writes_and_no_more() {
    let server = Server::aws(|_| Some(Answer::json(200, r#"{"GrantId":"g"}"#))).await;
    let (session, _token) = write_session(&server).await;
    let kms = session.kms();
    kms.put_key_policy().key_id("k").policy("{}").send().await.unwrap();
    kms.create_grant().key_id("k").grantee_principal("p").operations("Decrypt".into()).send().await.unwrap();
    kms.revoke_grant().key_id("k").grant_id("g").send().await.unwrap();
    assert_eq!(server.seen().len(), 3);
    for error in [
        refused(&kms.schedule_key_deletion().key_id("k").send().await.unwrap_err()).to_owned(),
        refused(&kms.disable_key().key_id("k").send().await.unwrap_err()).to_owned(),
        refused(&session.iam().create_user().user_name("u").send().await.unwrap_err()).to_owned(),
        refused(&session.s3().delete_bucket().bucket("b").send().await.unwrap_err()).to_owned(),
    ] {
        assert_ne!(error, "not refused");
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn attempts_throttles_and_errors_are_counted() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        Some(match () {
            () if !request.has("DescribeKey") => {
                Answer::json(400, r#"{"__type":"NotFoundException","message":"none"}"#)
            }
            () if tries.fetch_add(1, Ordering::SeqCst) == 0 => {
                Answer::json(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#)
            }
            () => Answer::json(200, "{}"),
        })
    })
    .await;
    let (sdk, _) = sdk(&server);
    let guard = Guard::read_only();
    let kms = guarded!(aws_sdk_kms, &sdk, guard);
    kms.describe_key().key_id("k").send().await.unwrap();
    kms.get_key_policy().key_id("k").send().await.unwrap_err();
    let counts: Vec<_> = guard
        .log()
        .lines()
        .into_iter()
        .map(|line| (line.operation, line.calls, line.attempts, line.errors, line.throttles))
        .collect();
    assert_eq!(counts, [("kms:DescribeKey".to_owned(), 1, 2, 0, 1), ("kms:GetKeyPolicy".to_owned(), 1, 1, 1, 0)]);
}

#[tokio::test]
async fn lookup_events_waits_for_its_turn() {
    let server = Server::aws(|_| Some(Answer::json(200, r#"{"Events":[]}"#))).await;
    let session = session(&server).await;
    let began = std::time::Instant::now();
    for _ in 0..3 {
        session.cloudtrail().lookup_events().send().await.unwrap();
    }
    assert!(began.elapsed() >= Duration::from_secs(1), "two a second is the limit of the account");
}
