//! What stands beside Bedrock, on the loopback.

use super::*;
use crate::aws::testing::{Answer, Request, Server, session};
use crate::inventory::ErrorKind;

async fn answering(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Server, Session) {
    let server = Server::aws(move |request| Some(answer(request))).await;
    let session = session(&server).await;
    (server, session)
}

#[tokio::test]
async fn training_jobs_that_may_have_fed_an_import() {
    let (server, session) = answering(|request| {
        if request.has("SageMaker.DescribeTrainingJob") {
            return Answer::json(
                200,
                r#"{"TrainingJobArn":"arn:j","TrainingJobName":"tune-7","RoleArn":"arn:r","CreationTime":1795250467.1,
                "OutputDataConfig":{"S3OutputPath":"s3://out/models/","KmsKeyId":""},"ModelArtifacts":{"S3ModelArtifacts":"s3://out/models/tune-7/output/model/"},
                "ResourceConfig":{"InstanceCount":1,"VolumeKmsKeyId":"arn:k"},"VpcConfig":{"Subnets":["subnet-1"],"SecurityGroupIds":["sg-1"]},
                "EnableNetworkIsolation":true,"EnableInterContainerTrafficEncryption":false}"#,
            );
        }
        let job = |name: &str| {
            format!(r#"{{"TrainingJobArn":"arn:{name}","TrainingJobName":"{name}","TrainingJobStatus":"Completed","CreationTime":1795250467}}"#)
        };
        let jobs: Vec<_> = (0..60).map(|n| job(&format!("other-{n}"))).chain([job("tune-7")]).collect();
        Answer::json(200, &format!(r#"{{"TrainingJobSummaries":[{}]}}"#, jobs.join(",")))
    })
    .await;
    assert_eq!(training_jobs(&session, &[]).await, Ok(Vec::new()));
    assert!(server.seen().is_empty(), "nothing imported, nothing asked");
    let data = S3Uri::parse("s3://out/models/tune-7/output/model/").unwrap();
    let found = training_jobs(&session, std::slice::from_ref(&data)).await.unwrap();
    assert_eq!((found.len(), found.last().unwrap().name.as_str()), (NEWEST + 1, "tune-7"));
    let detail = training_job(&session, "tune-7").await.unwrap();
    assert!(detail.isolated && !detail.traffic_encrypted && detail.output_key.is_none());
    assert_eq!(detail.vpc.as_ref().map(|vpc| vpc.subnets.len()), Some(1));
    for (uri, fed) in [
        ("s3://out/models/tune-7/output/model/", true),
        ("s3://out/models/", true),
        ("s3://out/models/tune-7/output/model/hf/", true),
        ("s3://out/models-old/", false),
        ("s3://out/", false),
        ("s3://elsewhere/models/tune-7/", false),
    ] {
        assert_eq!(detail.fed(&S3Uri::parse(uri).unwrap()), fed, "{uri}");
    }
}

#[tokio::test]
async fn a_grader_its_policy_and_one_that_is_gone() {
    let (server, session) = answering(|request| {
        if request.has("gone") {
            return Answer::json(404, r#"{"Type":"User","Message":"Function not found"}"#);
        }
        Answer::json(
            200,
            if request.has("/policy ") {
                r#"{"Policy":"{\"Statement\":[]}","RevisionId":"1"}"#
            } else {
                r#"{"FunctionName":"grade","Role":"arn:role","VpcConfig":{"SubnetIds":[],"SecurityGroupIds":[],"VpcId":""},"Environment":{"Variables":{"TOKEN":"secret"}}}"#
            },
        )
    })
    .await;
    let arn = ResourceId::new("arn:aws:lambda:us-east-1:1:function:grade");
    let found = function(&session, &arn).await.unwrap().unwrap();
    assert_eq!((found.role.as_str(), found.vpc), ("arn:role", None));
    let grader = Function { arn, policy: Read::NotAsked, configuration: Read::NotAsked };
    let policy = function_policy(&session, &grader).await.unwrap().unwrap();
    assert_eq!(policy.raw(), r#"{"Statement":[]}"#);
    assert!(server.seen()[0].has("GET /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Agrade/"));
    let gone = function(&session, &"gone".into()).await.unwrap_err();
    assert_eq!((gone.kind, gone.operation.as_str()), (ErrorKind::NotFound, "lambda:GetFunctionConfiguration"));
    let gone = r#"{"__type":"ResourceNotFoundException","Message":"Function not found"}"#;
    let (_server, session) = answering(move |_| Answer::json(404, gone)).await;
    assert_eq!(function(&session, &"gone".into()).await, Ok(None));
    assert_eq!(function_policy(&session, &grader).await, Ok(None));
}

#[tokio::test]
async fn shares_and_who_they_are_for() {
    let (server, session) = answering(|request| {
        Answer::json(
            200,
            match () {
                () if request.has("POST /listresources ") && request.has("\"nextToken\"") => {
                    r#"{"resources":[{"arn":"arn:m2","resourceShareArn":"arn:s1","type":"bedrock:CustomModel"}]}"#
                }
                () if request.has("POST /listresources ") => {
                    r#"{"resources":[{"arn":"arn:m1","resourceShareArn":"arn:s1"}],"nextToken":"2"}"#
                }
                () if request.has("POST /getresourceshares ") => {
                    r#"{"resourceShares":[{"resourceShareArn":"arn:s1","name":"partners","allowExternalPrincipals":true,"status":"ACTIVE","creationTime":1795250467}]}"#
                }
                () => r#"{"principals":[{"id":"444455556666","resourceShareArn":"arn:s1","external":true}]}"#,
            },
        )
    })
    .await;
    let found = shares(&session).await.unwrap();
    assert_eq!((found.len(), found[0].models.len()), (1, 2));
    assert!(server.seen()[0].has(r#""resourceType":"bedrock:CustomModel""#));
    let detail = share(&session, &found[0].arn).await.unwrap();
    assert_eq!((detail.name.as_str(), detail.external_allowed), ("partners", true));
    let principals = share_principals(&session, &found[0].arn).await.unwrap();
    assert!(principals[0].external && principals[0].id == "444455556666");
    let (_server, session) = answering(|_| Answer::json(200, r#"{"resourceShares":[]}"#)).await;
    assert_eq!(share(&session, &"arn:s1".into()).await.unwrap_err().kind, ErrorKind::Malformed);
}

#[tokio::test]
async fn policies_of_collections() {
    let (server, session) = answering(|request| {
        Answer::json(
            200,
            match () {
                () if request.has(".GetSecurityPolicy") => {
                    r#"{"securityPolicyDetail":{"type":"network","name":"open","policy":[{"AllowFromPublic":true}]}}"#
                }
                () if request.has(r#""type":"network""#) => {
                    r#"{"securityPolicySummaries":[{"type":"network","name":"open"}]}"#
                }
                () => r#"{"securityPolicySummaries":[]}"#,
            },
        )
    })
    .await;
    assert_eq!(collection_policies(&session, &[]).await, Ok(Vec::new()));
    assert!(server.seen().is_empty());
    let found = collection_policies(&session, &["prompts".to_owned()]).await.unwrap();
    assert_eq!(found[0].id.as_str(), "network/open");
    assert!(collection_policy(&session, &found[0]).await.unwrap().raw().contains("AllowFromPublic"));
    assert!(server.seen()[0].has(r#""resource":["collection/prompts"]"#) && server.seen()[0].has("/aoss/aws4_request"));
}

#[tokio::test]
async fn the_public_access_block_of_the_account() {
    let (server, session) = answering(|_| {
        Answer::xml(
            200,
            "<PublicAccessBlockConfiguration xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"><BlockPublicAcls>true</BlockPublicAcls>\
             <IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>\
             <RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
        )
    })
    .await;
    let block = account_public_access(&session).await.unwrap();
    assert!(block.block_acls && !block.restrict_buckets && !block.all());
    let seen = &server.seen()[0];
    assert!(seen.has("x-amz-account-id: 123456789012") && seen.has("/us-east-1/s3/aws4_request"), "{}", seen.0);
    for (code, block) in [
        ("NoSuchPublicAccessBlockConfiguration", Ok(PublicAccessBlock::default())),
        ("AccessDenied", Err(ErrorKind::Denied)),
    ] {
        let xml = format!("<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>");
        let (_server, session) = answering(move |_| Answer::xml(404, &xml)).await;
        assert_eq!(account_public_access(&session).await.map_err(|error| error.kind), block);
    }
}
