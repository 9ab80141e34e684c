//! Credentials: the chain for a profile that was named, and when what it gave expires.
//!
//! This file hands credentials on; it does not store, print or log any.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::base::Timestamp;

/// When the credentials that were used last expire. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Expiry(Arc<Mutex<Option<SystemTime>>>);

impl Expiry {
    /// The moment, if they expire at all.
    pub(super) fn at(&self) -> Option<Timestamp> {
        let at = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }

    fn note(&self, at: Option<SystemTime>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// A chain that notes when its credentials expire.
#[derive(Debug)]
pub(super) struct Watched {
    chain: SharedCredentialsProvider,
    expiry: Expiry,
}

impl Watched {
    pub(super) fn new(chain: SharedCredentialsProvider, expiry: Expiry) -> Self {
        Self { chain, expiry }
    }

    async fn credentials(&self) -> provider::Result {
        let credentials = self.chain.provide_credentials().await?;
        self.expiry.note(credentials.expiry());
        Ok(credentials)
    }
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// The chain for a profile that was named: the profile, then container and instance roles.
/// why not the default chain: it prefers keys in the environment to the profile that the person
/// named; the AWS CLI does not.
pub(super) fn of_profile(
    profile: &str,
    sdk: &SdkConfig,
    http: &SharedHttpClient,
    files: &EnvConfigFiles,
) -> SharedCredentialsProvider {
    let mut config = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack())
        .with_http_client(http.clone());
    if let Some(retry) = sdk.retry_config() {
        config = config.with_retry_config(retry.clone());
    }
    if let Some(timeouts) = sdk.timeout_config() {
        config = config.with_timeout_config(timeouts.clone());
    }
    let named =
        ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).profile_files(files.clone());
    let chain = CredentialsProviderChain::first_try("Profile", named.build())
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&config).build())
        .or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(&config).build());
    SharedCredentialsProvider::new(chain)
}
