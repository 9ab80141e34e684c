//! From what the person asked for to the SDK's configuration: profile, region, endpoint, retries,
//! timeouts, and who may use which HTTP client.

use std::time::{Duration, SystemTime};

use aws_config::profile::{ProfileSet, load as load_profiles};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::retries::{ClientRateLimiter, RetryPartition};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;

use super::credentials::{self, Expiry};
use super::guard::GuardedHttpClient;
use super::http;
use super::proxies::Proxies;
use super::small::Service;
use super::write::WriteToken;
use crate::base::text::safe;
use crate::inventory::ErrorKind;

/// What a session is asked for. Everything that is left out comes from where the AWS CLI takes it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--profile`. A profile that is named goes before credentials in the environment.
    pub profile: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `--endpoint-url`: all services, instead of AWS.
    pub endpoint_url: Option<String>,
    /// FIPS endpoints.
    pub fips: Option<bool>,
    /// Dual-stack endpoints.
    pub dual_stack: Option<bool>,
    /// Makes a session that can write.
    pub write: Option<WriteToken>,
    /// Names of the OpenSearch Serverless collections that hold prompts or training data.
    pub collections: Vec<String>,
    /// Makes a session that can read what lies in buckets: asked for by name (`data scan s3://…`), never implied.
    pub content: bool,
    /// Makes a session that can send text of objects to Amazon Comprehend: asked for by name (`--comprehend`).
    pub opinion: bool,
}

/// Attempts a call, where nobody says otherwise.
///
/// why standard and not adaptive retry: adaptive lowers one rate for the whole service at every throttle, soon
/// to half a call a second, whatever AWS would grant. With 30 % of all requests throttled at random, a scan of the
/// test bed's account (192 calls) took 152 s with it, 204 s with five attempts, and 11 s with standard retry, as
/// long as without any throttle. The pace is kept by who calls: so many calls at once, a pause for a service
/// that still throttles after its retries (`source::live::gate`), a turn where the rate is fixed (`aws::pace`).
const ATTEMPTS: u32 = 5;

/// The services by the ids that endpoint overrides go by.
const SERVICES: &[&str] = &["Bedrock", "CloudTrail", "CloudWatch Logs", "EventBridge", "IAM", "KMS", "S3", "STS"];

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoConfig {
    pub kind: ErrorKind,
    pub why: String,
}

impl NoConfig {
    pub(super) fn new(kind: ErrorKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

/// What the process provides: its environment and files. Tests bring their own.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub env: Env,
    pub fs: Fs,
    pub files: EnvConfigFiles,
    pub proxies: ProxyConfig,
    /// Whether `env` is that of the process; the loader takes either that or none.
    pub process: bool,
}

impl Surroundings {
    /// The real ones.
    pub(super) fn process() -> Self {
        Self {
            env: Env::real(),
            fs: Fs::real(),
            files: EnvConfigFiles::default(),
            proxies: ProxyConfig::from_env(),
            process: true,
        }
    }
}

/// A configuration, ready to build clients from.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    /// With the guarded HTTP client.
    pub sdk: SdkConfig,
    /// The region's code.
    pub region: String,
    /// The profile in use, if one was named.
    pub profile: Option<String>,
    /// When the credentials in use expire.
    pub expiry: Expiry,
}

/// Loads the configuration. Reads files, and asks the instance metadata service for a region when
/// nothing else names one; looks up no credentials.
pub(super) async fn load(options: &Options, around: &Surroundings) -> Result<Loaded, NoConfig> {
    let profiles =
        load_profiles(&around.fs, &around.env, &around.files, options.profile.clone().map(Into::into)).await.map_err(
            |error| NoConfig::new(ErrorKind::NoCredentials, format!("the AWS configuration is broken: {error}")),
        )?;
    let named = options.profile.clone().or_else(|| around.env.get("AWS_PROFILE").ok());
    let named = named.filter(|named| !named.is_empty());
    if let Some(named) = named.as_deref().filter(|named| profiles.get_profile(named).is_none()) {
        let mut known: Vec<_> = profiles.profiles().map(|name| safe(name).into_owned()).collect();
        known.sort();
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
        let why = format!("there is no profile '{}' in the AWS configuration; {known}", safe(named));
        return Err(NoConfig::new(ErrorKind::NoCredentials, why));
    }
    let raw = http::client(http::trust(&around.env, &around.fs, &profiles).await?, around.proxies.clone());

    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(raw.clone())
        .timeout_config(timeouts())
        .identity_cache(IdentityCache::lazy().load_timeout(Duration::from_secs(30)).build());
    if !around.process {
        loader = loader.empty_test_environment().profile_files(around.files.clone());
    }
    if let Ok(name) = AppName::new(concat!("bedwatch-", env!("CARGO_PKG_VERSION"))) {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(fips) = options.fips {
        loader = loader.use_fips(fips);
    }
    if let Some(dual_stack) = options.dual_stack {
        loader = loader.use_dual_stack(dual_stack);
    }
    let sdk = loader.load().await;
    let region = checked_region(&sdk)?;
    for url in endpoints(&sdk) {
        check_endpoint(&url)?;
    }
    finish(options, around, sdk, raw, &profiles, region, named)
}

fn finish(
    options: &Options,
    around: &Surroundings,
    sdk: SdkConfig,
    raw: SharedHttpClient,
    profiles: &ProfileSet,
    region: String,
    profile: Option<String>,
) -> Result<Loaded, NoConfig> {
    let chain = match &options.profile {
        Some(profile) => credentials::of_profile(profile, &sdk, &raw, &around.files),
        None => sdk
            .credentials_provider()
            .ok_or_else(|| NoConfig::new(ErrorKind::NoCredentials, "the SDK has no credential chain"))?,
    };
    let expiry = Expiry::default();
    let chain = SharedCredentialsProvider::new(credentials::Watched::new(chain, expiry.clone()));
    let asked = |env: &str, key: &str| around.env.get(env).is_ok() || profiles.get(key).is_some();
    let mut retry = sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    if !asked("AWS_MAX_ATTEMPTS", "max_attempts") {
        retry = retry.with_max_attempts(ATTEMPTS);
    }
    if !asked("AWS_RETRY_MODE", "retry_mode") {
        retry = RetryConfig::standard().with_max_attempts(retry.max_attempts());
    }
    let mut builder = sdk.into_builder();
    // why here: the chain sends requests of its own, without a stamp, so it was loaded with the raw client.
    builder
        .set_http_client(Some(SharedHttpClient::new(GuardedHttpClient::new(raw).behind(Proxies::of_env(&around.env)))));
    builder.set_credentials_provider(Some(chain));
    builder.set_retry_config(Some(retry));
    Ok(Loaded { sdk: builder.build(), region, profile, expiry })
}

/// Retry tokens, and the rate limit if adaptive retry is asked for, of one service in one session.
/// why: the SDK's own are shared by the whole process; one throttled account would slow the next.
pub(super) fn retry_partition(service: &'static str) -> RetryPartition {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    RetryPartition::custom(service).client_rate_limiter(ClientRateLimiter::new(now.as_secs_f64())).build()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_secs(15))
        .operation_timeout(Duration::from_secs(45))
        .build()
}

fn checked_region(sdk: &SdkConfig) -> Result<String, NoConfig> {
    let Some(region) = sdk.region() else {
        let why = "no region is set: give --region, or set AWS_REGION, or `region` in the profile";
        return Err(NoConfig::new(ErrorKind::Unsupported, why));
    };
    // The code becomes part of host names.
    let code = region.as_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if code.is_empty() || code.len() > 32 || !code.chars().all(plain) {
        let why = format!("'{}' is not a region's code, such as us-east-1", safe(code));
        return Err(NoConfig::new(ErrorKind::Unsupported, why));
    }
    Ok(code.to_owned())
}

fn check_endpoint(url: &str) -> Result<(), NoConfig> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)) {
        return Ok(());
    }
    let why = format!("the endpoint '{}' is not a URL such as http://127.0.0.1:4566", safe(url));
    Err(NoConfig::new(ErrorKind::Network, why))
}

/// Every endpoint override in force, for whichever service.
pub(super) fn endpoints(sdk: &SdkConfig) -> Vec<String> {
    let small = Service::ALL.iter().map(|service| service.id());
    let mut found: Vec<String> =
        SERVICES.iter().copied().chain(small).filter_map(|service| endpoint(sdk, service)).collect();
    found.sort();
    found.dedup();
    found
}

/// The endpoint override for a service, as the generated clients resolve it: the option, then
/// `AWS_ENDPOINT_URL_<SERVICE>` and the profile's `services`, then `AWS_ENDPOINT_URL`.
pub(super) fn endpoint(sdk: &SdkConfig, service: &str) -> Option<String> {
    let general = || sdk.endpoint_url().map(str::to_owned);
    if sdk.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    key.ok().and_then(|key| sdk.service_config()?.load_config(key)).or_else(general)
}

#[cfg(test)]
mod tests;
