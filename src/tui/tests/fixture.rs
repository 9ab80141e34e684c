//! A small account, the same in every run: six keys, five jobs, three models, findings, events.

use crate::base::{Clock, Generation, ResourceId, Timestamp};
use crate::inventory::bedrock::*;
use crate::inventory::kms::*;
use crate::inventory::s3::{Bucket, Encryption, PublicAccessBlock, Versioning};
use crate::inventory::settings::Setting;
use crate::inventory::{
    Document, ErrorKind, Items, Kind, Mode, Read, ReadError, ResourceRef, SessionInfo, SourceId, SourceReport, Update,
    ec2, iam, testing,
};
use crate::posture::{Assessment, Evidence, Severity, Status, Verdict};
use crate::source::{CallStats, Envelope, Message};
use crate::tui::driver::Driver;
use crate::tui::judged::Question;
use crate::tui::model::Options;
use crate::tui::theme::Level;

pub use super::happened::{events, invocations};

pub const ACCOUNT: &str = "123456789012";

pub fn now() -> Timestamp {
    "2026-11-21T08:41:11Z".parse().unwrap()
}

pub fn options(mode: Mode) -> Options {
    let mut options = Options::new(Clock::manual(now()), mode);
    options.folder = None;
    options.level = Level::True;
    options.judge = judge;
    options
}

pub fn arn(service: &str, rest: &str) -> ResourceId {
    format!("arn:aws:{service}:us-east-1:{ACCOUNT}:{rest}").into()
}

pub fn key_arn(name: &str) -> ResourceId {
    arn("kms", &format!("key/{name}-91b5-4c1e-8a77-1e7e00000000"))
}

pub fn job_arn(name: &str) -> ResourceId {
    arn("bedrock", &format!("model-customization-job/{name}"))
}

pub fn model_arn(name: &str) -> ResourceId {
    arn("bedrock", &format!("custom-model/{name}/abc"))
}

pub fn role_arn(name: &str) -> ResourceId {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}").into()
}

fn base_arn() -> ResourceId {
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku".into()
}

fn got<T>(value: T) -> Read<T> {
    Read::got(value, now().plus_secs(-4))
}

pub fn session(mode: Mode) -> SessionInfo {
    SessionInfo {
        principal: format!("arn:aws:sts::{ACCOUNT}:assumed-role/oncall-readonly/ada").as_str().into(),
        mode,
        profile: Some("orion".into()),
        expires: Some(now().plus_secs(47 * 60)),
        ..testing::session()
    }
}

fn key(name: &str, state: KeyState, rotation: bool, grants: Vec<Grant>) -> Key {
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Admins", "Effect": "Allow", "Principal": {"AWS": [role_arn("KeyAdmins").as_str(), role_arn("oncall-readonly").as_str()]}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "Everyone", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
    ]});
    Key {
        arn: key_arn(name),
        aliases: vec![name.into()],
        metadata: got(KeyMetadata {
            deletion: (state == KeyState::PendingDeletion).then(|| now().plus_secs(6 * 86_400 + 60)),
            state,
            description: "for Orion's models".into(),
            created: Some(now().plus_secs(-41 * 86_400)),
            ..testing::key_metadata()
        }),
        policy: got(Document::pretty(&policy)),
        grants: got(grants),
        rotation: got(Rotation { enabled: rotation, period_days: Some(365), next: None }),
    }
}

fn grant(grantee: &str, operations: &[&str], minutes: i64) -> Grant {
    Grant {
        id: "3f9a5c1e".into(),
        name: None,
        grantee: grantee.into(),
        retiring: None,
        issuer: None,
        operations: operations.iter().map(|op| (*op).into()).collect(),
        context_equals: std::collections::BTreeMap::new(),
        context_subset: std::collections::BTreeMap::new(),
        source_arn: None,
        created: Some(now().plus_secs(-minutes * 60)),
    }
}

fn job(name: &str, status: JobStatus, hours: i64, key: Option<&str>) -> CustomizationJob {
    let failed = status == JobStatus::Failed;
    let done = status == JobStatus::Completed;
    let created = now().plus_secs(-hours * 3600);
    let phase = |status: &JobStatus, from: i64, to: i64| {
        Some(Phase {
            status: status.clone(),
            started: Some(created.plus_secs(from * 60)),
            changed: Some(created.plus_secs(to * 60)),
        })
    };
    CustomizationJob {
        arn: job_arn(name),
        name: name.into(),
        status: status.clone(),
        base_model: base_arn(),
        customization: "FINE_TUNING".into(),
        output_model: done.then(|| model_arn(name)),
        output_model_name: name.into(),
        created,
        modified: None,
        ended: (failed || done).then(|| created.plus_secs(50 * 60)),
        detail: got(JobDetail {
            role: role_arn("OrionTuner"),
            kms_key: key.map(key_arn),
            vpc: Some(VpcConfig { subnets: vec!["subnet-0a1b".into()], security_groups: vec!["sg-0c2d".into()] }),
            training: vec![S3Uri::parse("s3://orion-train/chat").unwrap()],
            validation: Vec::new(),
            output: S3Uri::parse("s3://orion-out/chat"),
            failure: failed.then(|| "AccessDenied: the role may not kms:CreateGrant on the key".into()),
            phases: Phases {
                validation: phase(&JobStatus::Completed, 0, 3),
                data_processing: phase(&JobStatus::Completed, 3, 9),
                training: phase(&status, 9, 50),
            },
            hyper_parameters: [("epochCount".into(), "3".into())].into(),
            training_loss: done.then_some(0.612),
            validation_losses: Vec::new(),
            invocation_logs: None,
            grader: None,
        }),
        tags: Read::NotAsked,
    }
}

fn model(name: &str, key: Option<&str>, owned: bool) -> CustomModel {
    CustomModel {
        arn: model_arn(name),
        name: name.into(),
        base_model: base_arn(),
        base_model_name: "Claude 3 Haiku".into(),
        customization: "FINE_TUNING".into(),
        owner: ACCOUNT.into(),
        owned,
        status: "Active".into(),
        created: now().plus_secs(-30 * 86_400),
        detail: got(ModelDetail {
            job: Some(job_arn(name)),
            kms_key: key.map(key_arn),
            training: None,
            output: None,
            training_loss: Some(0.6),
        }),
        policy: got(None),
        tags: Read::NotAsked,
    }
}

fn bucket(name: &str, key: Option<&str>, versioned: bool) -> Bucket {
    Bucket {
        owned: got(true),
        region: got("us-east-1".into()),
        encryption: got(Encryption {
            algorithm: if key.is_some() { "aws:kms" } else { "AES256" }.into(),
            kms_key: key.map(key_arn),
            bucket_key: key.is_some(),
        }),
        versioning: got(Versioning { enabled: versioned, mfa_delete: false }),
        public_access: got(PublicAccessBlock {
            block_acls: true,
            ignore_acls: true,
            block_policy: true,
            restrict_buckets: versioned,
        }),
        policy: got(None),
        policy_public: got(false),
        logging: got(None),
        ..Bucket::bare(name)
    }
}

fn role(name: &str) -> iam::Role {
    iam::Role {
        trust: Document::new(
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
        ),
        created: now().plus_secs(-90 * 86_400),
        ..testing::role(role_arn(name))
    }
}

pub fn updates() -> Vec<Update> {
    let at = now().plus_secs(-4);
    let foreign = grant("arn:aws:iam::444455556666:role/Partner", &["Decrypt", "CreateGrant"], 4);
    let mut updates = vec![
        Update::Read(Items::Key(vec![
            key("orion-std", KeyState::Enabled, true, vec![grant("bedrock.amazonaws.com", &["Decrypt"], 600)]),
            key("orion-chat", KeyState::Enabled, false, vec![foreign]),
            key("orion-shared", KeyState::Enabled, true, Vec::new()),
            key("orion-law", KeyState::PendingDeletion, false, Vec::new()),
            key("orion-research", KeyState::Enabled, true, Vec::new()),
        ])),
        Update::Listed(Items::Job(vec![
            job("orion-chat-2", JobStatus::Failed, 1, Some("orion-chat")),
            job("orion-chat", JobStatus::Completed, 720, Some("orion-chat")),
            job("orion-law", JobStatus::Completed, 800, Some("orion-law")),
            job("orion-next", JobStatus::InProgress, 2, None),
        ])),
        Update::Listed(Items::ImportJob(vec![ImportJob {
            arn: arn("bedrock", "model-import-job/eyes"),
            name: "orion-eyes".into(),
            status: JobStatus::Completed,
            imported_model: Some(arn("bedrock", "imported-model/eyes")),
            imported_model_name: "orion-eyes".into(),
            created: now().plus_secs(-9 * 3600),
            tags: Read::NotAsked,
            ended: Some(now().plus_secs(-8 * 3600)),
            detail: Read::failed(error("bedrock:GetModelImportJob")),
        }])),
        Update::Listed(Items::Model(vec![
            model("orion-chat", Some("orion-chat"), true),
            model("orion-law", Some("orion-law"), true),
        ])),
        Update::Listed(Items::Deployment(vec![Deployment {
            arn: arn("bedrock", "custom-model-deployment/d1"),
            name: "orion-chat-od".into(),
            model: model_arn("orion-chat"),
            status: "Active".into(),
            created: now().plus_secs(-86_400),
            detail: Read::NotAsked,
            tags: Read::NotAsked,
        }])),
        Update::Listed(Items::Throughput(vec![Throughput {
            arn: arn("bedrock", "provisioned-model/p1"),
            name: "orion-chat-pt".into(),
            model: model_arn("orion-chat"),
            status: "InService".into(),
            units: 2,
            commitment: Some("OneMonth".into()),
            commitment_ends: Some(now().plus_secs(9 * 86_400 + 60)),
            created: now().plus_secs(-21 * 86_400),
            desired_model: None,
            desired_units: None,
            tags: Read::NotAsked,
        }])),
        Update::Listed(Items::FoundationModel(vec![FoundationModel {
            arn: base_arn(),
            name: "Claude 3 Haiku".into(),
            provider: "Anthropic".into(),
            lifecycle: "ACTIVE".into(),
            customizations: vec!["FINE_TUNING".into()],
            legacy_from: None,
            ends: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }])),
        Update::Read(Items::Bucket(vec![
            bucket("orion-train", Some("orion-std"), false),
            bucket("orion-out", None, true),
        ])),
        Update::Read(Items::Role(vec![role("OrionTuner"), role("KeyAdmins"), role("oncall-readonly"), role("App")])),
        Update::Listed(Items::Vpc(vec![ec2::Vpc {
            id: "vpc-cf2e".into(),
            name: "ml".into(),
            cidr: "10.0.0.0/16".into(),
            dns_support: got(true),
            dns_hostnames: got(true),
            dhcp_options: None,
        }])),
        Update::Listed(Items::Subnet(vec![ec2::Subnet {
            id: "subnet-0a1b".into(),
            name: "ml-a".into(),
            vpc: "vpc-cf2e".into(),
            zone: "us-east-1a".into(),
            cidr: "10.0.1.0/24".into(),
            public_ip: false,
        }])),
        Update::Listed(Items::RouteTable(vec![ec2::RouteTable {
            id: "rtb-77".into(),
            name: "ml-main".into(),
            vpc: "vpc-cf2e".into(),
            main: true,
            subnets: Vec::new(),
            routes: vec![ec2::Route {
                destination: "0.0.0.0/0".into(),
                target: "nat-01".into(),
                state: "active".into(),
            }],
        }])),
        Update::Setting(Setting::Organization(got(None))),
        Update::Logging(got(Some(LoggingConfiguration {
            cloud_watch: Some(CloudWatchLogging {
                log_group: "/aws/bedrock/invocations".into(),
                role: role_arn("BedrockLogs"),
                large_data: None,
            }),
            s3: None,
            text: true,
            images: false,
            embeddings: false,
            video: false,
            audio: false,
        }))),
    ];
    for source in SourceId::all().filter(|source| source.is_read()) {
        let failures: Vec<ReadError> = match source {
            SourceId::IMPORT_JOB_DETAILS | SourceId::BUCKET_REPLICATION => vec![error(source.name())],
            _ => Vec::new(),
        };
        updates.push(Update::Source(SourceReport::sum(source, at, if failures.is_empty() { 3 } else { 0 }, &failures)));
    }
    updates
}

pub fn error(operation: &str) -> ReadError {
    ReadError {
        operation: operation.into(),
        kind: ErrorKind::Denied,
        message: format!("User oncall-readonly is not authorized to perform {operation}").into(),
        at: now(),
    }
}

fn verdict(
    n: usize,
    control: &'static str,
    severity: Severity,
    title: &'static str,
    reason: &str,
    of: (Kind, ResourceId, &str),
) -> Verdict {
    let pointer = (of.0 == Kind::Key).then(|| "/Statement/1".into());
    Verdict {
        id: format!("{control}/{n}"),
        control,
        title,
        severity,
        status: Status::Fail,
        code: "example",
        reason: reason.into(),
        resource: ResourceRef::new(of.0, of.1),
        name: of.2.into(),
        related: Vec::new(),
        evidence: vec![Evidence { label: "statement".into(), value: "Everyone may kms:*".into(), pointer }],
        sources: vec![SourceId::KEY_POLICIES],
        fixes: if of.0 == Kind::Key { &["FIX-01"] } else { &[] },
        muted: None,
        stale: None,
    }
}

/// Verdicts over what is there.
pub fn judge(question: &Question<'_>) -> Assessment {
    if question.inventory.keys.is_empty() {
        return Assessment::default();
    }
    let key = |name: &'static str| (Kind::Key, key_arn(name), name);
    let mut verdicts = vec![
        verdict(
            1,
            "CUS-KMS-07",
            Severity::Critical,
            "Key policy open to everyone",
            "Key policy allows kms:* to everyone, with no condition",
            key("orion-shared"),
        ),
        verdict(
            2,
            "CUS-KMS-02",
            Severity::Critical,
            "Key of a served model goes away",
            "Key of a served model is pending deletion",
            key("orion-law"),
        ),
        verdict(
            3,
            "CUS-KMS-08",
            Severity::High,
            "Grants stay in the account",
            "Grant to account 444455556666 may create grants",
            key("orion-chat"),
        ),
        verdict(
            4,
            "CUS-IAM-02",
            Severity::High,
            "Trust names the account",
            "Anyone in Bedrock may assume the role: no aws:SourceAccount",
            (Kind::Role, role_arn("OrionTuner"), "OrionTuner"),
        ),
        verdict(
            5,
            "CUS-DAT-03",
            Severity::Medium,
            "Training data is versioned",
            "Versioning is off: poisoned data cannot be told from the original",
            (Kind::Bucket, "orion-train".into(), "orion-train"),
        ),
        verdict(6, "CUS-KMS-05", Severity::Medium, "Keys rotate", "Rotation is off", key("orion-chat")),
    ];
    verdicts[2].related = vec![ResourceRef::new(Kind::Job, job_arn("orion-chat-2"))];
    for n in 0..14 {
        let control =
            ["CUS-KMS-03", "CUS-LOG-01", "CUS-DET-02", "CUS-GRD-01", "CUS-INV-01", "CUS-NET-04", "CUS-IMP-01"][n % 7];
        let mut pass =
            verdict(100 + n, control, Severity::Medium, "x", "fine", (Kind::Account, ACCOUNT.into(), ACCOUNT));
        pass.status = if n == 6 { Status::Unknown } else { Status::Pass };
        verdicts.push(pass);
    }
    Assessment { verdicts }
}

pub fn envelope(message: Message) -> Envelope {
    Envelope { generation: Generation(1), at: now(), message }
}

/// A console of this size that knows the whole account.
pub fn full(width: u16, height: u16) -> Driver {
    full_in(Mode::ReadOnly, width, height)
}

pub fn full_in(mode: Mode, width: u16, height: u16) -> Driver {
    let mut driver = Driver::new(options(mode), width, height);
    let stats = CallStats {
        operation: "kms:GetKeyPolicy".into(),
        calls: 6,
        attempts: 7,
        throttles: 1,
        total_ms: 240,
        ..CallStats::default()
    };
    let messages = std::iter::once(Message::Session(session(mode)))
        .chain(updates().into_iter().map(|update| Message::Update(Box::new(update))))
        .chain([
            Message::Events(events()),
            Message::Invocations(invocations()),
            Message::Calls(vec![stats]),
            Message::Busy(false),
        ]);
    driver.receive(messages.map(envelope));
    driver.model.notice = None;
    driver
}
