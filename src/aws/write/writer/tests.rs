//! What the writes send.

use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{Answer, Server, session, write_session};

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/91b5";

async fn writer(answer: Answer) -> (Server, Writer) {
    let server = Server::aws(move |_| Some(answer.clone())).await;
    let (session, token) = write_session(&server).await;
    let writer = Writer::new(&session, token).unwrap();
    (server, writer)
}

fn sent(server: &Server) -> (String, Value) {
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    let target = seen[0].0.lines().find_map(|line| line.strip_prefix("x-amz-target: ")).unwrap().to_owned();
    (target, serde_json::from_str(seen[0].body()).unwrap())
}

fn spec(name: &str) -> GrantSpec {
    GrantSpec {
        name: name.into(),
        grantee: "arn:aws:iam::123456789012:role/Tuner".into(),
        retiring: None,
        operations: vec!["Decrypt".into(), "DescribeKey".into()],
        context_equals: BTreeMap::from([("aws:bedrock:arn".into(), "job".into())]),
        context_subset: BTreeMap::new(),
        source_arn: None,
    }
}

#[tokio::test]
async fn a_service_is_named_as_one_and_a_source_is_kept() {
    let (server, writer) = writer(Answer::json(200, r#"{"GrantId":"g-1","GrantToken":"t"}"#)).await;
    let spec = GrantSpec {
        grantee: "bedrock.amazonaws.com".into(),
        retiring: Some("bedrock.amazonaws.com".into()),
        context_equals: BTreeMap::new(),
        source_arn: Some("arn:aws:bedrock:us-east-1:1:model-customization-job/j".into()),
        ..spec("n")
    };
    writer.create_grant(&KEY.into(), &spec).await.unwrap();
    let expected = json!({
        "KeyId": KEY, "Name": "n", "GranteeServicePrincipal": "bedrock.amazonaws.com",
        "RetiringServicePrincipal": "bedrock.amazonaws.com", "Operations": ["Decrypt", "DescribeKey"],
        "Constraints": {"SourceArn": "arn:aws:bedrock:us-east-1:1:model-customization-job/j"},
    });
    assert_eq!(sent(&server).1, expected);
}

#[tokio::test]
async fn put_key_policy_sends_the_bytes_and_keeps_the_lockout_check_on() {
    let (server, writer) = writer(Answer::json(200, "{}")).await;
    let policy = Document::new("{ \"Version\":\"2012-10-17\",\n\t\"Statement\":[] }");
    writer.put_key_policy(&KEY.into(), &policy).await.unwrap();
    let (target, body) = sent(&server);
    assert_eq!(target, "TrentService.PutKeyPolicy");
    assert_eq!(body, json!({"KeyId": KEY, "PolicyName": "default", "Policy": policy.raw()}));
}

#[tokio::test]
async fn create_grant_has_a_name() {
    let (server, writer) = writer(Answer::json(200, r#"{"GrantId":"g-1","GrantToken":"t"}"#)).await;
    assert_eq!(writer.create_grant(&KEY.into(), &spec("bedwatch-1")).await.unwrap(), "g-1");
    let (target, body) = sent(&server);
    assert_eq!(target, "TrentService.CreateGrant");
    let expected = json!({
        "KeyId": KEY, "Name": "bedwatch-1", "GranteePrincipal": "arn:aws:iam::123456789012:role/Tuner",
        "Operations": ["Decrypt", "DescribeKey"],
        "Constraints": {"EncryptionContextEquals": {"aws:bedrock:arn": "job"}},
    });
    assert_eq!(body, expected);

    let error = writer.create_grant(&KEY.into(), &spec("")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn revoke_grant_names_key_and_grant() {
    let (server, writer) = writer(Answer::json(200, "{}")).await;
    writer.revoke_grant(&KEY.into(), &"g-1".into()).await.unwrap();
    assert_eq!(sent(&server), ("TrentService.RevokeGrant".to_owned(), json!({"KeyId": KEY, "GrantId": "g-1"})));
}

#[tokio::test]
async fn a_denied_write_says_which() {
    let denied = r#"{"__type":"AccessDeniedException","message":"User is not authorized"}"#;
    let (_server, writer) = writer(Answer::json(400, denied)).await;
    let error = writer.put_key_policy(&KEY.into(), &Document::new("{}")).await.unwrap_err();
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Denied, "kms:PutKeyPolicy"));
}

#[tokio::test]
async fn the_policy_and_every_page_of_grants_are_read_now() {
    let server = Server::aws(|request| {
        let body = match () {
            () if request.has("TrentService.GetKeyPolicy") => r#"{"Policy":"{ }","PolicyName":"default"}"#,
            () if request.body().contains("more") => {
                r#"{"Grants":[{"GrantId":"g-2","Name":"","GranteePrincipal":"p"}]}"#
            }
            () => {
                r#"{"Truncated":true,"NextMarker":"more","Grants":[{"GrantId":"g-1","Name":"n","GranteePrincipal":"p",
                "RetiringPrincipal":"r","IssuingAccount":"i","Operations":["Decrypt"],"CreationDate":1790000000,
                "Constraints":{"EncryptionContextSubset":{"k":"v"}}}]}"#
            }
        };
        Some(Answer::json(200, body))
    })
    .await;
    let (session, token) = write_session(&server).await;
    let writer = Writer::new(&session, token).unwrap();
    assert_eq!(writer.key_policy(&KEY.into()).await.unwrap().raw(), "{ }");
    let grants = writer.grants(&KEY.into()).await.unwrap();
    assert_eq!(grants.len(), 2);
    let first = Grant {
        id: "g-1".into(),
        name: Some("n".into()),
        grantee: "p".into(),
        retiring: Some("r".into()),
        issuer: Some("i".into()),
        operations: vec!["Decrypt".into()],
        context_equals: BTreeMap::new(),
        context_subset: BTreeMap::from([("k".into(), "v".into())]),
        source_arn: None,
        created: Some(crate::base::Timestamp::from_secs(1_790_000_000)),
    };
    assert_eq!((&grants[0], &grants[1].name), (&first, &None));
}

#[tokio::test]
async fn a_read_only_session_has_no_writer() {
    let server = Server::aws(|_| None).await;
    let session = session(&server).await;
    let error = Writer::new(&session, WriteToken::for_tests()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_fix_drives_it() {
    let server = Server::aws(|request| {
        let body = match () {
            () if request.has("GetKeyPolicy") => r#"{"Policy":"{}"}"#,
            () if request.has("ListGrants") => r#"{"Grants":[]}"#,
            () if request.has("CreateGrant") => r#"{"GrantId":"g-9"}"#,
            () if request.has("PutKeyPolicy") => "{}",
            () => return Some(Answer::json(400, r#"{"__type":"NotFoundException","message":"no such grant"}"#)),
        };
        Some(Answer::json(200, body))
    })
    .await;
    let (session, token) = write_session(&server).await;
    let writer = Writer::new(&session, token).unwrap();
    let executor: &dyn Executor = &writer;
    let key: ResourceId = KEY.into();
    let held = executor.reread(&Spot::Key(key.clone())).await.unwrap();
    let state = KeySnapshot { policy: Document::new("{}"), grants: Vec::new() };
    assert_eq!(held, Held::Key(KeyState { key: key.clone(), state }));
    let put = Change::PutKeyPolicy { key: key.clone(), policy: Document::new("{}") };
    assert_eq!(executor.execute(&put).await.unwrap(), Executed::default());
    let create = Change::CreateGrant { key: key.clone(), grant: spec("n") };
    assert_eq!(executor.execute(&create).await.unwrap().grant_id, Some("g-9".into()));
    let revoke = Change::RevokeGrant { key, grant: "g-1".into() };
    let Err(FixError::Call(error)) = executor.execute(&revoke).await else { panic!("revoked what is not there") };
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::NotFound, "kms:RevokeGrant"));
    assert!(!executor.rehearses());
}

#[tokio::test]
async fn a_key_is_written_in_its_own_region() {
    let (server, writer) = writer(Answer::json(200, "{}")).await;
    let key: ResourceId = "arn:aws:kms:eu-west-1:123456789012:key/mrk-1".into();
    writer.put_key_policy(&key, &Document::new("{}")).await.unwrap();
    assert!(server.seen()[0].has("/eu-west-1/kms/"));
}

#[tokio::test]
async fn a_setting_of_a_bucket_names_the_owner_and_nothing_else() {
    let bucket = BucketAt { name: "orion-train".into(), region: "us-east-1".into(), owner: "123456789012".into() };
    for (setting, query, body) in [
        (Setting::CLOSED, "?publicAccessBlock", "<RestrictPublicBuckets>true</RestrictPublicBuckets>"),
        (Setting::Versioning(true), "?versioning", "<Status>Enabled</Status>"),
        (Setting::Versioning(false), "?versioning", "<Status>Suspended</Status>"),
    ] {
        let (server, writer) = writer(Answer::xml(200, "")).await;
        writer.put_setting(&bucket, &setting).await.unwrap();
        let seen = server.seen();
        assert_eq!(seen.len(), 1);
        let request = &seen[0].0;
        assert!(request.starts_with("PUT ") && request.lines().next().unwrap().contains(query), "{request}");
        assert!(request.contains("x-amz-expected-bucket-owner: 123456789012"), "{request}");
        assert!(request.contains(body) && !request.to_lowercase().contains("mfadelete"), "{request}");
    }
}

#[tokio::test]
async fn a_setting_is_read_now_and_a_denied_write_says_which() {
    let on = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    let denied = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let server = Server::aws(move |request| {
        Some(if request.has("PUT /") { Answer::xml(403, denied) } else { Answer::xml(200, on) })
    })
    .await;
    let (session, token) = write_session(&server).await;
    let writer = Writer::new(&session, token).unwrap();
    let bucket = BucketAt { name: "orion-train".into(), region: "us-east-1".into(), owner: "123456789012".into() };
    let held = writer.reread(&Spot::Setting(bucket.clone(), Which::PublicAccess)).await.unwrap();
    let Held::Setting(SettingState { setting: Setting::PublicAccess(block), .. }) = held else { panic!("{held:?}") };
    assert!(block.block_acls && !block.restrict_buckets);
    let change = Change::PutSetting { bucket, setting: Setting::CLOSED };
    let FixError::Call(error) = writer.execute(&change).await.unwrap_err() else { panic!() };
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Denied, "s3:PutPublicAccessBlock"));
}
