//! A session, an inventory with something of everything in it, and events: for tests.

use std::collections::BTreeMap;

use crate::activity::{Event, Invocation};
use crate::base::{Generation, ResourceId, Text, Timestamp};
use crate::inventory::bedrock as b;
use crate::inventory::{
    Document, ErrorKind, Inventory, Items, Read, ReadError, SessionInfo, SourceId, SourceReport, Update, ec2, events,
    iam, kms, logs, s3, testing, trail,
};

pub(super) fn session() -> SessionInfo {
    SessionInfo { generation: Generation(3), expires: Some(at(9000)), ..testing::session() }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn got<T>(value: T) -> Read<T> {
    Read::got(value, at(50))
}

fn denied(operation: &str) -> ReadError {
    ReadError { operation: operation.into(), kind: ErrorKind::Denied, message: "no\u{202e}".into(), at: at(60) }
}

fn tags() -> Read<BTreeMap<Text, Text>> {
    got(BTreeMap::from([("team".into(), "orion\u{1b}[31m".into())]))
}

pub(super) fn event(id: &str, secs: i64) -> Event {
    Event::from_record(serde_json::json!({
        "eventID": id, "eventTime": at(secs).to_string(), "eventSource": "kms.amazonaws.com", "eventName": "Decrypt",
        "userIdentity": {"arn": "arn:aws:iam::123456789012:user/zoe"}, "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"keyId": "91b5", "odd": "\u{202e}x"}
    }))
    .unwrap()
}

pub(super) fn invocation(id: &str, secs: i64) -> Invocation {
    let record = serde_json::json!({
        "schemaType": "ModelInvocationLog", "timestamp": at(secs).to_string(), "requestId": id, "operation": "Converse",
        "modelId": "m\u{202e}", "input": {"inputTokenCount": 7, "inputBodyJson": {"text": "SECRET"}}
    });
    Invocation::parse(&record.to_string(), &"/aws/bedrock".into()).unwrap()
}

pub(super) fn inventory() -> Inventory {
    let arn = |rest: &str| ResourceId::new(format!("arn:aws:bedrock:us-east-1:123456789012:{rest}"));
    let role = ResourceId::new("arn:aws:iam::123456789012:role/ml/Tuner");
    let key = ResourceId::new("arn:aws:kms:us-east-1:123456789012:key/91b5");
    let policy = Document::new("{ \"Version\":\"2012-10-17\",\n\t\"Statement\":[] }");
    let uri = || b::S3Uri::parse("s3://orion-train/chat/a.jsonl");
    let phase = |status| Some(b::Phase { status, started: Some(at(1)), changed: None });
    let job = b::CustomizationJob {
        arn: arn("model-customization-job/x/1"),
        name: "orion-chat-2".into(),
        status: b::JobStatus::Other("Queued".into()),
        base_model: "arn:aws:bedrock:us-east-1::foundation-model/m".into(),
        customization: "FINE_TUNING".into(),
        output_model: Some(arn("custom-model/m/1")),
        output_model_name: "orion".into(),
        created: at(1),
        modified: None,
        ended: Some(at(2)),
        detail: got(b::JobDetail {
            role: role.clone(),
            kms_key: Some(key.clone()),
            vpc: Some(b::VpcConfig { subnets: vec!["subnet-1".into()], security_groups: vec!["sg-1".into()] }),
            training: uri().into_iter().collect(),
            validation: Vec::new(),
            output: uri(),
            failure: Some("denied".into()),
            phases: b::Phases { validation: phase(b::JobStatus::Completed), data_processing: None, training: None },
            hyper_parameters: BTreeMap::from([("epochs".into(), "2".into())]),
            training_loss: Some(0.1),
            validation_losses: vec![0.25, 1.5],
            invocation_logs: None,
            grader: None,
        }),
        tags: tags(),
    };
    let mut held = kms::Key::bare(key.clone());
    held.aliases = vec!["orion-chat".into()];
    held.metadata = got(kms::KeyMetadata {
        state: kms::KeyState::PendingDeletion,
        deletion: Some(at(99)),
        ..testing::key_metadata()
    });
    held.policy = got(policy.clone());
    held.grants = got(vec![kms::Grant {
        id: "3f9a".into(),
        name: None,
        grantee: "bedrock.amazonaws.com".into(),
        retiring: None,
        issuer: None,
        operations: vec!["Decrypt".into()],
        context_equals: BTreeMap::from([("a".into(), "b".into())]),
        context_subset: BTreeMap::new(),
        source_arn: None,
        created: Some(at(4)),
    }]);
    let rotation = kms::Rotation { enabled: true, period_days: Some(365), next: None };
    held.rotation = got(rotation).newer(Read::failed(denied("kms:GetKeyRotationStatus")));
    let mut bucket = s3::Bucket::bare("orion-train");
    bucket.owned = got(true);
    bucket.policy = got(None);
    bucket.encryption =
        got(s3::Encryption { algorithm: "aws:kms".into(), kms_key: Some(key.clone()), bucket_key: true });
    bucket.lock = Read::failed(denied("s3:GetObjectLockConfiguration"));
    let updates = vec![
        Update::Listed(Items::Job(vec![job])),
        Update::Read(Items::Model(vec![b::CustomModel {
            arn: arn("custom-model/m/1"),
            name: "orion".into(),
            base_model: "m".into(),
            base_model_name: "M".into(),
            customization: "FINE_TUNING".into(),
            owner: "123456789012".into(),
            owned: true,
            status: "Active".into(),
            created: at(3),
            detail: Read::failed(denied("bedrock:GetCustomModel")),
            policy: got(Some(policy.clone())),
            tags: Read::NotAsked,
        }])),
        Update::Read(Items::Throughput(vec![b::Throughput {
            arn: arn("provisioned-model/p"),
            name: "pt".into(),
            model: arn("custom-model/m/1"),
            status: "InService".into(),
            units: 2,
            commitment: None,
            commitment_ends: Some(at(7)),
            created: at(3),
            desired_model: None,
            desired_units: None,
            tags: Read::NotAsked,
        }])),
        Update::Read(Items::Guardrail(vec![crate::inventory::guardrails::Guardrail {
            arn: arn("guardrail/g"),
            short_id: "g".into(),
            name: "G".into(),
            status: "READY".into(),
            version: "1".into(),
            updated: at(5),
            detail: got(crate::inventory::guardrails::GuardrailDetail {
                filters: BTreeMap::from([("HATE".into(), ("HIGH".into(), "LOW".into()))]),
                ..crate::inventory::guardrails::GuardrailDetail::default()
            }),
        }])),
        Update::Read(Items::Key(vec![held])),
        Update::Read(Items::Bucket(vec![bucket])),
        Update::Read(Items::Role(vec![iam::Role {
            trust: policy.clone(),
            inline: vec![iam::InlinePolicy { name: "p".into(), document: policy.clone() }],
            attached: vec!["arn:aws:iam::aws:policy/X".into()],
            ..testing::role(role)
        }])),
        Update::Read(Items::Vpc(vec![ec2::Vpc {
            id: "vpc-1".into(),
            name: Text::default(),
            cidr: "10.0.0.0/16".into(),
            dns_support: got(true),
            dns_hostnames: Read::NotAsked,
            dhcp_options: None,
        }])),
        Update::Read(Items::SecurityGroup(vec![ec2::SecurityGroup {
            id: "sg-1".into(),
            name: "sg".into(),
            vpc: "vpc-1".into(),
            ingress: Vec::new(),
            egress: vec![ec2::Permission { protocol: "-1".into(), ports: Some((0, 443)), peers: vec!["x".into()] }],
        }])),
        Update::Read(Items::Trail(vec![trail::Trail {
            arn: "arn:aws:cloudtrail:us-east-1:123456789012:trail/t".into(),
            name: "t".into(),
            home_region: "us-east-1".into(),
            bucket: None,
            kms_key: None,
            log_group: None,
            multi_region: true,
            organization: false,
            validation: true,
            status: got(trail::TrailStatus { logging: true, delivered: Some(at(8)), error: None }),
            selectors: got(vec![trail::Selector {
                name: "m".into(),
                fields: vec!["x".into()],
                conditions: Vec::new(),
            }]),
        }])),
        Update::Read(Items::LogGroup(vec![logs::LogGroup {
            name: "/aws/bedrock".into(),
            arn: "a".into(),
            retention_days: Some(30),
            kms_key: None,
            bytes: i64::MAX,
            created: at(1),
            filters: got(Vec::new()),
            deletion_protection: false,
            protection_status: None,
            inherited: Vec::new(),
            protection: Read::NotAsked,
            subscriptions: Read::NotAsked,
        }])),
        Update::Read(Items::Rule(vec![events::Rule {
            arn: "r".into(),
            name: "r".into(),
            enabled: true,
            pattern: Some(policy),
            targets: got(vec![events::Target { id: "1".into(), arn: "sns".into(), dead_letter: None }]),
        }])),
        Update::Logging(got(Some(b::LoggingConfiguration {
            cloud_watch: None,
            s3: uri(),
            text: true,
            images: false,
            embeddings: true,
            video: false,
            audio: false,
        }))),
        Update::Source(SourceReport::sum(SourceId::JOBS, at(50), 1, &[])),
        Update::Source(SourceReport::sum(SourceId::KEYS, at(50), 1, &[denied("kms:DescribeKey")])),
    ];
    let mut inventory = Inventory::default();
    for update in updates {
        inventory.apply(update);
    }
    inventory
}

#[test]
fn an_inventory_survives_json() {
    let full = inventory();
    let json = serde_json::to_string(&full).unwrap();
    assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), full);
    // What a later version adds, and what an older one did not know, is no error.
    assert_eq!(serde_json::from_str::<Inventory>("{}").unwrap(), Inventory::default());
    assert_eq!(full.references().count(), 12);
    // The policy's own bytes are kept: an undo must be exact.
    let key = &serde_json::from_str::<Inventory>(&json).unwrap().keys["arn:aws:kms:us-east-1:123456789012:key/91b5"];
    assert!(key.policy.known().unwrap().raw().contains("\n\t"));
}
