//! A session: one set of credentials in one region, verified, with a guarded client for each service.
//!
//! Immutable: another profile, region or account is another session with another generation. What
//! is read with it carries that generation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};

use super::config::{self, NoConfig, Options, Surroundings};
use super::credentials::Expiry;
use super::ec2;
use super::error::classify;
use super::guard::{Guard, guarded};
use super::small::{self, Clients};
use crate::base::text::safe;
use crate::base::{Arn, Clock, Generation, ResourceId, Text, Timestamp};
use crate::inventory::{CallStats, ErrorKind, Mode, Read, ReadError, SessionInfo};

const CALLER: &str = "sts:GetCallerIdentity";
const ALIASES: &str = "iam:ListAccountAliases";

/// How long the account alias may keep the screen waiting: IAM has no endpoint in most private networks.
const ALIAS_PATIENCE: Duration = Duration::from_secs(4);

/// How long STS may take to say who we are, each time it is asked.
const CALLER_PATIENCE: Duration = Duration::from_secs(5);
const CALLER_ATTEMPTS: u32 = 3;

/// Who we are and where, and the clients to ask with. Clones are the same session.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    info: SessionInfo,
    alias: Read<Option<Text>>,
    clock: Clock,
    guard: Guard,
    expiry: Expiry,
    s3_config: aws_sdk_s3::Config,
    s3_elsewhere: Mutex<BTreeMap<String, aws_sdk_s3::Client>>,
    bedrock: aws_sdk_bedrock::Client,
    cloudtrail: aws_sdk_cloudtrail::Client,
    ec2: ec2::Client,
    events: aws_sdk_eventbridge::Client,
    iam: aws_sdk_iam::Client,
    kms: aws_sdk_kms::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    s3: aws_sdk_s3::Client,
    small: Clients,
    collections: Vec<String>,
    sts: aws_sdk_sts::Client,
}

impl Session {
    /// Loads the configuration, finds credentials and asks STS whose they are.
    ///
    /// May take as long as the credential chain: a process, an SSO token, the network. The error
    /// says what to do ([`ErrorKind::advice`]).
    pub async fn connect(options: &Options, generation: Generation, clock: Clock) -> Result<Self, ReadError> {
        Self::connect_in(options, generation, clock, &Surroundings::process()).await
    }

    pub(super) async fn connect_in(
        options: &Options,
        generation: Generation,
        clock: Clock,
        around: &Surroundings,
    ) -> Result<Self, ReadError> {
        let loaded = config::load(options, around).await.map_err(|NoConfig { kind, why }| ReadError {
            operation: CALLER.to_owned(),
            kind,
            message: Text::new(why),
            at: clock.now(),
        })?;
        let guard = options.write.as_ref().map_or_else(Guard::read_only, Guard::with_writes);
        let guard = if options.content { guard.and_content() } else { guard };
        let guard = if options.opinion { guard.and_opinion() } else { guard };
        let sdk = &loaded.sdk;
        let (sts, iam) = (guarded!(aws_sdk_sts, sdk, guard), guarded!(aws_sdk_iam, sdk, guard));
        let (caller, alias) = tokio::join!(caller(&sts, &clock), alias(&iam, &clock));
        let Caller { account, arn, partition } = caller?;
        let known_alias = alias.known().ok().cloned().flatten();
        let s3_config = s3_config(sdk, &guard);
        let small = Clients::new(sdk, &guard, &loaded.region, account.as_str(), &clock);
        let info = SessionInfo {
            generation,
            account,
            alias: known_alias,
            principal: arn,
            partition,
            region: Text::new(&loaded.region),
            mode: if guard.writes() { Mode::Write } else { Mode::ReadOnly },
            profile: loaded.profile.map(Text::new),
            endpoint: Some(config::endpoints(sdk).join(", ")).filter(|urls| !urls.is_empty()).map(Text::new),
            expires: loaded.expiry.at(),
        };
        Ok(Self(Arc::new(Inner {
            info,
            alias,
            ec2: ec2::Client::new(small.of(small::Service::Ec2).clone()),
            bedrock: guarded!(aws_sdk_bedrock, sdk, guard),
            cloudtrail: guarded!(aws_sdk_cloudtrail, sdk, guard),
            events: guarded!(aws_sdk_eventbridge, sdk, guard),
            kms: guarded!(aws_sdk_kms, sdk, guard),
            logs: guarded!(aws_sdk_cloudwatchlogs, sdk, guard),
            s3: aws_sdk_s3::Client::from_conf(s3_config.clone()),
            s3_config,
            s3_elsewhere: Mutex::default(),
            iam,
            small,
            collections: options.collections.clone(),
            sts,
            clock,
            guard,
            expiry: loaded.expiry,
        })))
    }

    /// The facts, as they were when the session began.
    pub fn info(&self) -> &SessionInfo {
        &self.0.info
    }

    /// The account alias, or why it could not be read.
    pub fn alias(&self) -> &Read<Option<Text>> {
        &self.0.alias
    }

    /// Whether the session was made with a `WriteToken`.
    pub fn can_write(&self) -> bool {
        self.0.guard.writes()
    }

    /// When the credentials in use now expire; they may have been renewed since the session began.
    pub fn expires(&self) -> Option<Timestamp> {
        self.0.expiry.at()
    }

    /// Asks STS again who we are. An error tells that the credentials no longer work.
    pub async fn verify(&self) -> Result<ResourceId, ReadError> {
        caller(&self.0.sts, &self.0.clock).await.map(|caller| caller.arn)
    }

    /// What the calls cost so far, by operation.
    pub fn calls(&self) -> Vec<CallStats> {
        self.0.guard.log().lines()
    }

    /// What tells the time of reads.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Amazon Bedrock.
    pub fn bedrock(&self) -> &aws_sdk_bedrock::Client {
        &self.0.bedrock
    }

    /// AWS CloudTrail. `LookupEvents` waits for its turn (`aws::pace`).
    pub fn cloudtrail(&self) -> &aws_sdk_cloudtrail::Client {
        &self.0.cloudtrail
    }

    /// Amazon EC2.
    pub fn ec2(&self) -> &ec2::Client {
        &self.0.ec2
    }

    /// The OpenSearch Serverless collections that the configuration names.
    pub fn collections(&self) -> &[String] {
        &self.0.collections
    }

    /// One of the services that have no SDK here.
    pub(super) fn small(&self, service: small::Service) -> &small::Client {
        self.0.small.of(service)
    }

    /// Amazon EventBridge.
    pub fn events(&self) -> &aws_sdk_eventbridge::Client {
        &self.0.events
    }

    /// AWS IAM.
    pub fn iam(&self) -> &aws_sdk_iam::Client {
        &self.0.iam
    }

    /// AWS KMS.
    pub fn kms(&self) -> &aws_sdk_kms::Client {
        &self.0.kms
    }

    /// Amazon CloudWatch Logs.
    pub fn logs(&self) -> &aws_sdk_cloudwatchlogs::Client {
        &self.0.logs
    }

    /// Amazon S3 in the session's region.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        &self.0.s3
    }

    /// Amazon S3 in the region of a bucket: S3 answers for a bucket only there.
    pub fn s3_in(&self, region: &str) -> aws_sdk_s3::Client {
        if self.0.info.region.as_str() == region {
            return self.0.s3.clone();
        }
        let mut clients = self.0.s3_elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        let made = clients.entry(region.to_owned()).or_insert_with(|| {
            let config = self.0.s3_config.to_builder().region(Region::new(region.to_owned()));
            aws_sdk_s3::Client::from_conf(config.build())
        });
        made.clone()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.0.info).finish()
    }
}

fn s3_config(sdk: &SdkConfig, guard: &Guard) -> aws_sdk_s3::Config {
    let mut builder = aws_sdk_s3::config::Builder::from(sdk);
    builder.push_interceptor(guard.interceptor());
    builder.set_retry_partition(Some(config::retry_partition("aws_sdk_s3")));
    // why: `bucket.127.0.0.1` and `bucket.minio.local` do not resolve.
    builder.force_path_style(config::endpoint(sdk, "S3").is_some()).build()
}

struct Caller {
    account: Text,
    arn: ResourceId,
    partition: Text,
}

async fn caller(sts: &aws_sdk_sts::Client, clock: &Clock) -> Result<Caller, ReadError> {
    // why: the first question of all; a person waits for it before a screen that shows nothing yet.
    let attempts = sts.config().retry_config().map_or(CALLER_ATTEMPTS, RetryConfig::max_attempts).min(CALLER_ATTEMPTS);
    let hurried = aws_sdk_sts::Config::builder()
        .timeout_config(TimeoutConfig::builder().read_timeout(CALLER_PATIENCE).build())
        .retry_config(RetryConfig::standard().with_max_attempts(attempts));
    let asked = sts.get_caller_identity().customize().config_override(hurried).send();
    let answer = asked.await.map_err(|error| classify(CALLER, &error, clock.now()))?;
    let arn = answer.arn().unwrap_or_default();
    match (answer.account(), arn.parse::<Arn>()) {
        (Some(account), Ok(parsed)) => Ok(Caller {
            account: Text::new(account),
            arn: ResourceId::new(arn),
            partition: Text::new(&parsed.partition),
        }),
        _ => Err(ReadError {
            operation: CALLER.to_owned(),
            kind: ErrorKind::Malformed,
            message: Text::new(format!("STS did not say who we are; it said '{}'", safe(arn))),
            at: clock.now(),
        }),
    }
}

async fn alias(iam: &aws_sdk_iam::Client, clock: &Clock) -> Read<Option<Text>> {
    let asked = iam.list_account_aliases().send();
    let result = match tokio::time::timeout(ALIAS_PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer.account_aliases().first().map(Text::new)),
        Ok(Err(error)) => Err(classify(ALIASES, &error, clock.now())),
        Err(_) => Err(ReadError {
            operation: ALIASES.to_owned(),
            kind: ErrorKind::Network,
            message: Text::new(format!("IAM did not answer within {} seconds", ALIAS_PATIENCE.as_secs())),
            at: clock.now(),
        }),
    };
    Read::of(result, clock.now())
}

#[cfg(test)]
mod tests;
