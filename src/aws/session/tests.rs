//! Sessions with loopback servers.

use super::*;
use crate::aws::testing::{Answer, PROFILES, Server, connect, identity, now, options, session, write_session};

#[tokio::test]
async fn a_session_knows_who_and_where() {
    let server = Server::aws(|_| Some(Answer::json(200, "{}"))).await;
    let session = session(&server).await;
    let expected = SessionInfo {
        generation: Generation(7),
        account: "123456789012".into(),
        alias: Some("orion-prod".into()),
        principal: "arn:aws:sts::123456789012:assumed-role/OnCall/ana".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        mode: Mode::ReadOnly,
        profile: None,
        endpoint: Some(server.url.as_str().into()),
        expires: None,
    };
    assert_eq!(*session.info(), expected);
    assert_eq!(session.alias().at(), Some(now()));
    assert_eq!(session.verify().await.unwrap(), expected.principal);
    assert!(!session.can_write());
    let calls = session.calls();
    let counts: Vec<_> = calls.iter().map(|line| (line.operation.as_str(), line.calls, line.errors)).collect();
    assert_eq!(counts, [("iam:ListAccountAliases", 1, 0), ("sts:GetCallerIdentity", 2, 0)]);
    assert!(!format!("{session:?}").contains("secret"));
}

#[tokio::test]
async fn the_console_can_be_found_in_cloudtrail() {
    let ec2 = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>";
    let server = Server::aws(move |request| {
        Some(if request.has("DescribeVpcs") { Answer::xml(200, ec2) } else { Answer::json(200, "{}") })
    })
    .await;
    let session = session(&server).await;
    session.kms().list_aliases().send().await.unwrap();
    session.ec2().vpcs(&["vpc-1".into()]).await.unwrap();
    let agent = concat!("app/bedwatch-", env!("CARGO_PKG_VERSION"));
    assert_eq!(server.seen().len(), 2);
    assert!(server.all().iter().all(|request| request.has(agent)), "{:?}", server.all());
}

#[tokio::test]
async fn only_a_token_makes_a_write_session() {
    let server = Server::aws(|_| None).await;
    let (session, _token) = write_session(&server).await;
    assert_eq!(session.info().mode, Mode::Write);
    assert!(session.can_write());
}

#[tokio::test]
async fn an_alias_that_may_not_be_read_is_no_failure() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let server = Server::start(move |request| {
        if request.has("ListAccountAliases") { Some(Answer::xml(403, denied)) } else { identity(request) }
    })
    .await;
    let session = session(&server).await;
    assert_eq!(session.info().alias, None);
    assert_eq!(session.alias().error().map(|error| error.kind), Some(ErrorKind::Denied));
    assert_eq!(session.info().account_name(), "123456789012");
}

#[tokio::test]
async fn what_sts_says_ends_or_begins_a_session() {
    let error =
        |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>");
    let nameless = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account><Arn>x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    for (answer, kind) in [
        (Answer::xml(403, &error("ExpiredToken")), ErrorKind::Expired),
        (Answer::xml(403, &error("InvalidClientTokenId")), ErrorKind::NoCredentials),
        (Answer::xml(403, &error("AccessDenied")), ErrorKind::Denied),
        (Answer::xml(400, &error("Throttling")), ErrorKind::Throttled),
        (Answer::xml(200, "<html><body>Welcome"), ErrorKind::Malformed),
        (Answer::xml(200, nameless), ErrorKind::Malformed),
    ] {
        let shown = format!("{answer:?}");
        let server = Server::start(move |_| Some(answer.clone())).await;
        let error = connect(&options(&server), PROFILES).await.unwrap_err();
        assert_eq!((error.kind, error.operation.as_str()), (kind, "sts:GetCallerIdentity"), "{shown} {error}");
    }
}

#[tokio::test]
async fn a_named_profile_may_assume_a_role_with_the_unguarded_client() {
    let server = Server::aws(|request| {
        Some(if request.has("Action=AssumeRole") {
            Answer::xml(
                200,
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                 <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
            )
        } else {
            Answer::json(200, "{}")
        })
    })
    .await;
    let profiles = format!(
        "[profile oncall]\nrole_arn = arn:aws:iam::123456789012:role/OnCall\nsource_profile = base\nregion = eu-west-1\n\
         endpoint_url = {}\n[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = secret\n",
        server.url
    );
    let options = Options { profile: Some("oncall".to_owned()), ..Options::default() };
    let session = connect(&options, &profiles).await.unwrap();
    let info = session.info();
    assert_eq!((info.region.as_str(), info.profile.as_ref().map(Text::as_str)), ("eu-west-1", Some("oncall")));
    assert_eq!(info.expires, Some("2099-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(session.expires(), info.expires);
    session.kms().list_aliases().send().await.unwrap();
    let seen = server.seen();
    assert!(seen[0].has("Action=AssumeRole") && seen[0].has("Credential=AKIDBASE/"), "{seen:?}");
    assert!(seen[1].has("Credential=ASIAROLE/") && seen[1].has("/eu-west-1/kms/"), "{seen:?}");
    // One look-up for all services, and none of it passed the guard.
    assert_eq!(seen.len(), 2);
    assert!(session.calls().iter().all(|line| line.operation != "sts:AssumeRole"));
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_says_so() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform sts:AssumeRole</Message></Error></ErrorResponse>";
    let server = Server::start(move |_| Some(Answer::xml(403, denied))).await;
    let profiles = format!(
        "[profile oncall]\nrole_arn = arn:aws:iam::123456789012:role/OnCall\nsource_profile = base\nregion = eu-west-1\n\
         endpoint_url = {}\n[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = secret\n",
        server.url
    );
    let options = Options { profile: Some("oncall".to_owned()), ..Options::default() };
    let error = connect(&options, &profiles).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
    assert!(error.message.as_str().contains("credentials could not be had"), "{error}");
}

#[tokio::test]
async fn an_sso_profile_without_a_login_says_expired() {
    let profiles = "[profile sso]\nsso_start_url = https://bedwatch-test.invalid/start\nsso_region = us-east-1\n\
         sso_account_id = 123456789012\nsso_role_name = OnCall\nregion = us-east-1\n";
    let options = Options { profile: Some("sso".to_owned()), ..Options::default() };
    let error = connect(&options, profiles).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Expired, "{error}");
}

#[tokio::test]
async fn s3_uses_paths_with_an_endpoint_and_the_region_of_the_bucket() {
    let server = Server::aws(|_| Some(Answer::xml(200, "<VersioningConfiguration/>"))).await;
    let session = session(&server).await;
    session.s3().get_bucket_versioning().bucket("orion-train").send().await.unwrap();
    session.s3_in("eu-west-1").get_bucket_versioning().bucket("orion-train").send().await.unwrap();
    session.s3_in("eu-west-1").get_bucket_versioning().bucket("orion-train").send().await.unwrap();
    let seen = server.seen();
    assert!(seen.iter().all(|request| request.0.starts_with("GET /orion-train")), "{seen:?}");
    let regions: Vec<_> = seen.iter().map(|request| request.has("/eu-west-1/s3/")).collect();
    assert_eq!(regions, [false, true, true]);
}
