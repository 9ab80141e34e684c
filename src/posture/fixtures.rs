//! A small healthy account for tests, and ways to spoil it. Every control passes on it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::assess;
use super::catalogue;
use super::control::Context;
use super::verdict::{Status, Verdict};
use crate::base::{ResourceId, Timestamp};
use crate::inventory::bedrock::{
    CustomModel, CustomizationJob, Deployment, JobDetail, JobStatus, LoggingConfiguration, ModelDetail, Phases, S3Uri,
    VpcConfig,
};
use crate::inventory::ec2::{Route, RouteTable, SecurityGroup, Subnet};
use crate::inventory::events::{Rule, Target};
use crate::inventory::iam::{InlinePolicy, Role};
use crate::inventory::kms::{Key, KeyMetadata, Rotation};
use crate::inventory::s3::{Bucket, Encryption};
use crate::inventory::{Document, ErrorKind, Inventory, Lineage, Read, ReadError, SourceId, SourceReport, testing};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "us-east-1";
pub const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k1";
pub const JOB: &str = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/m/job1";
pub const MODEL: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model/m/model1";
pub const DEPLOYMENT: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/dep1";
pub const TUNER: &str = "arn:aws:iam::123456789012:role/Tuner";
pub const APP: &str = "arn:aws:iam::123456789012:role/App";
pub const SUBNET: &str = "subnet-1";
pub const TABLE: &str = "rtb-1";
pub const GROUP: &str = "sg-1";
pub const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/jobs";

pub fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

pub fn got<T>(value: T) -> Read<T> {
    Read::got(value, now())
}

pub fn error(operation: &str) -> ReadError {
    ReadError { operation: operation.into(), kind: ErrorKind::Denied, message: "not authorized".into(), at: now() }
}

pub fn policy(statements: Value) -> Document {
    Document::pretty(&json!({"Version": "2012-10-17", "Statement": statements}))
}

/// The key policy: one for administrators, one for the tuner, one for the application.
pub fn key_policy() -> Value {
    let via = json!({"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}});
    json!([
        {"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["kms:Put*", "kms:Get*"], "Resource": "*"},
        {"Sid": "Tune", "Effect": "Allow", "Principal": {"AWS": TUNER}, "Resource": "*", "Condition": via.clone(),
            "Action": ["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"]},
        {"Sid": "Invoke", "Effect": "Allow", "Principal": {"AWS": APP}, "Resource": "*", "Condition": via,
            "Action": "kms:Decrypt"},
    ])
}

pub fn trust() -> Value {
    json!([{"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/*"}}}])
}

pub fn pattern() -> Value {
    json!({"source": ["aws.bedrock"], "detail-type": ["Model Customization Job State Change"],
        "detail": {"jobStatus": ["Completed", "Failed", "Stopped"]}})
}

pub fn role(arn: &str, trust: Value, inline: Value) -> Role {
    Role {
        trust: policy(trust),
        inline: vec![InlinePolicy { name: "own".into(), document: policy(inline) }],
        created: now(),
        ..testing::role(arn)
    }
}

pub fn job(arn: &str, model: &str, status: JobStatus, created: i64) -> CustomizationJob {
    CustomizationJob {
        arn: arn.into(),
        name: arn.rsplit('/').next().unwrap_or_default().into(),
        status,
        base_model: "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1".into(),
        customization: "FINE_TUNING".into(),
        output_model: None,
        output_model_name: model.into(),
        created: Timestamp::from_secs(created),
        modified: None,
        ended: None,
        detail: got(JobDetail {
            role: TUNER.into(),
            kms_key: Some(KEY.into()),
            vpc: Some(VpcConfig { subnets: vec![SUBNET.into()], security_groups: vec![GROUP.into()] }),
            training: S3Uri::parse("s3://train/a.jsonl").into_iter().collect(),
            validation: Vec::new(),
            output: None,
            failure: None,
            phases: Phases::default(),
            hyper_parameters: BTreeMap::default(),
            training_loss: None,
            validation_losses: Vec::new(),
            invocation_logs: None,
            grader: None,
        }),
        tags: Read::NotAsked,
    }
}

pub fn model(arn: &str) -> CustomModel {
    CustomModel {
        arn: arn.into(),
        name: arn.rsplit('/').next().unwrap_or_default().into(),
        base_model: "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1".into(),
        base_model_name: "Titan".into(),
        customization: "FINE_TUNING".into(),
        owner: ACCOUNT.into(),
        owned: true,
        status: "Active".into(),
        created: now(),
        detail: got(ModelDetail {
            job: Some(JOB.into()),
            kms_key: Some(KEY.into()),
            training: None,
            output: None,
            training_loss: None,
        }),
        policy: got(None),
        tags: Read::NotAsked,
    }
}

pub fn key(arn: &str) -> Key {
    Key {
        aliases: vec!["tuning".into()],
        metadata: got(testing::key_metadata()),
        policy: got(policy(key_policy())),
        grants: got(Vec::new()),
        rotation: got(Rotation { enabled: true, period_days: Some(365), next: None }),
        ..Key::bare(arn)
    }
}

pub fn rule(arn: &str, pattern: &Value, dead_letter: bool) -> Rule {
    Rule {
        arn: arn.into(),
        name: arn.rsplit('/').next().unwrap_or_default().into(),
        enabled: true,
        pattern: Some(Document::pretty(pattern)),
        targets: got(vec![Target {
            id: "1".into(),
            arn: "arn:aws:sns:us-east-1:123456789012:alerts".into(),
            dead_letter: dead_letter.then(|| "arn:aws:sqs:us-east-1:123456789012:lost".into()),
        }]),
    }
}

pub fn route(destination: &str, target: &str) -> Route {
    Route { destination: destination.into(), target: target.into(), state: "active".into() }
}

/// Every source read, nothing there.
pub fn empty() -> Inventory {
    let mut inventory = Inventory { logging: got(None), ..Inventory::default() };
    for source in SourceId::all().filter(|source| source.is_read()) {
        inventory.coverage.record(SourceReport::sum(source, now(), 1, &[]));
    }
    inventory
}

/// One job that made one model with one key, deployed and invoked by one application.
pub fn healthy() -> Inventory {
    let mut inventory = empty();
    inventory.jobs.insert(JOB.into(), job(JOB, "m1", JobStatus::Completed, 100));
    inventory.models.insert(MODEL.into(), model(MODEL));
    inventory.keys.insert(KEY.into(), key(KEY));
    inventory.deployments.insert(
        DEPLOYMENT.into(),
        Deployment {
            arn: DEPLOYMENT.into(),
            name: "live".into(),
            model: MODEL.into(),
            status: "Active".into(),
            created: now(),
            detail: Read::NotAsked,
            tags: Read::NotAsked,
        },
    );
    inventory.roles.insert(TUNER.into(), role(TUNER, trust(), json!([])));
    let invoke = json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": DEPLOYMENT}]);
    inventory.roles.insert(APP.into(), role(APP, json!([]), invoke));
    inventory.subnets.insert(
        SUBNET.into(),
        Subnet {
            id: SUBNET.into(),
            name: "iso".into(),
            vpc: "vpc-1".into(),
            zone: "us-east-1a".into(),
            cidr: "10.0.1.0/24".into(),
            public_ip: false,
        },
    );
    inventory.route_tables.insert(
        TABLE.into(),
        RouteTable {
            id: TABLE.into(),
            name: "".into(),
            vpc: "vpc-1".into(),
            main: true,
            subnets: Vec::new(),
            routes: vec![route("10.0.0.0/16", "local"), route("pl-63a5400a", "vpce-1")],
        },
    );
    inventory.security_groups.insert(
        GROUP.into(),
        SecurityGroup {
            id: GROUP.into(),
            name: "tuner".into(),
            vpc: "vpc-1".into(),
            ingress: Vec::new(),
            egress: Vec::new(),
        },
    );
    let mut bucket = Bucket::bare("train");
    bucket.encryption = got(Encryption { algorithm: "aws:kms".into(), kms_key: Some(KEY.into()), bucket_key: true });
    inventory.buckets.insert("train".into(), bucket);
    inventory.logging = got(Some(LoggingConfiguration {
        cloud_watch: None,
        s3: S3Uri::parse("s3://logs/x"),
        text: true,
        images: false,
        embeddings: false,
        video: false,
        audio: false,
    }));
    inventory.rules.insert(RULE.into(), rule(RULE, &pattern(), true));
    inventory
}

/// Denies a source: its report, and every value that it reads.
pub fn deny(inventory: &mut Inventory, source: SourceId) {
    inventory.coverage.record(SourceReport::sum(source, now(), 0, &[error(source.name())]));
    macro_rules! fail {
        ($table:ident.$field:ident) => {
            for item in inventory.$table.values_mut() {
                let value = std::mem::take(&mut item.$field);
                item.$field = value.newer(Read::failed(error(source.name())));
            }
        };
    }
    match source {
        SourceId::JOB_DETAILS => fail!(jobs.detail),
        SourceId::MODEL_DETAILS => fail!(models.detail),
        SourceId::IMPORTED_MODEL_DETAILS => fail!(imported_models.detail),
        SourceId::KEYS => fail!(keys.metadata),
        SourceId::KEY_POLICIES => fail!(keys.policy),
        SourceId::GRANTS => fail!(keys.grants),
        SourceId::ROTATION => fail!(keys.rotation),
        SourceId::BUCKET_ENCRYPTION => fail!(buckets.encryption),
        SourceId::RULE_TARGETS => fail!(rules.targets),
        SourceId::LOGGING => inventory.logging = Read::failed(error(source.name())),
        _ => {}
    }
}

/// The same when the source never answered: nothing of it was ever seen.
pub fn deny_from_the_start(inventory: &mut Inventory, source: SourceId) {
    deny(inventory, source);
    match source {
        SourceId::JOBS => inventory.jobs.clear(),
        SourceId::MODELS => inventory.models.clear(),
        SourceId::DEPLOYMENTS => inventory.deployments.clear(),
        SourceId::THROUGHPUTS => inventory.throughputs.clear(),
        SourceId::AUTHORIZATION => inventory.roles.clear(),
        SourceId::SUBNETS => inventory.subnets.clear(),
        SourceId::ROUTE_TABLES => inventory.route_tables.clear(),
        SourceId::SECURITY_GROUPS => inventory.security_groups.clear(),
        SourceId::RULES => inventory.rules.clear(),
        _ => {}
    }
}

/// Runs something with a context of this inventory.
pub fn with_context<T>(inventory: &Inventory, run: impl FnOnce(&Context<'_>) -> T) -> T {
    let lineage = Lineage::of(inventory);
    let trusted = BTreeSet::from(["777777777777".to_owned()]);
    run(&Context {
        inventory,
        lineage: &lineage,
        account: ACCOUNT,
        region: REGION,
        partition: "aws",
        now: now(),
        trusted_accounts: &trusted,
    })
}

/// What one control says.
pub fn verdicts(inventory: &Inventory, control: &str) -> Vec<Verdict> {
    let control = catalogue::control(control).unwrap();
    with_context(inventory, |context| assess::run(control, context))
}

/// What one control says, as `(last part of the resource, status, code)`.
pub fn says(inventory: &Inventory, control: &str) -> Vec<(String, Status, &'static str)> {
    verdicts(inventory, control).into_iter().map(|v| (v.resource.id.last().to_owned(), v.status, v.code)).collect()
}

/// Spoils a healthy inventory, and expects exactly these findings of a control.
pub fn expect(control: &str, what: &str, spoil: impl FnOnce(&mut Inventory), expected: &[(&str, Status, &str)]) {
    let mut inventory = healthy();
    spoil(&mut inventory);
    let all = verdicts(&inventory, control);
    let said: Vec<_> = all.iter().map(|v| (v.resource.id.last(), v.status, v.code)).collect();
    assert_eq!(said, expected, "{control}: {what}: {:?}", all.iter().map(|v| v.reason.as_str()).collect::<Vec<_>>());
    for verdict in all.iter().filter(|verdict| verdict.status != Status::NotApplicable) {
        assert!(!verdict.evidence.is_empty(), "{control}: {what}: no evidence");
        assert!(!verdict.reason.is_empty() && !verdict.sources.is_empty(), "{control}: {what}");
    }
}

pub fn detail(inventory: &mut Inventory) -> &mut JobDetail {
    inventory.jobs.get_mut(JOB).and_then(|job| job.detail.known_mut()).unwrap()
}

pub fn metadata(inventory: &mut Inventory) -> &mut KeyMetadata {
    inventory.keys.get_mut(KEY).and_then(|key| key.metadata.known_mut()).unwrap()
}

pub fn set_key_policy(inventory: &mut Inventory, statements: Value) {
    inventory.keys.get_mut(KEY).unwrap().policy = got(policy(statements));
}

/// The healthy key policy and one more statement.
pub fn key_policy_and(statement: Value) -> Value {
    let mut all = key_policy();
    all.as_array_mut().unwrap().push(statement);
    all
}

pub fn id(text: &str) -> ResourceId {
    text.into()
}
