//! Configurations that work and those that say what is wrong.

use aws_config::retry::RetryMode;

use super::*;
use crate::aws::testing::{PROFILES, around};

async fn loaded(options: &Options, profiles: &str) -> Result<Loaded, NoConfig> {
    load(options, &around(profiles)).await
}

fn region(code: &str) -> Options {
    Options { region: Some(code.to_owned()), ..Options::default() }
}

#[tokio::test]
async fn retries_timeouts_and_endpoints() {
    let options = Options { fips: Some(true), dual_stack: Some(true), ..region("us-east-2") };
    let Loaded { sdk, region: code, profile, .. } = loaded(&options, "[profile x]\n").await.unwrap();
    let retry = sdk.retry_config().unwrap();
    assert_eq!((retry.mode(), retry.max_attempts()), (RetryMode::Standard, 5));
    let timeouts = sdk.timeout_config().unwrap();
    assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(3)));
    assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(45)));
    assert_eq!((sdk.use_fips(), sdk.use_dual_stack()), (Some(true), Some(true)));
    assert_eq!((code.as_str(), profile, endpoint(&sdk, "KMS")), ("us-east-2", None, None));
}

#[tokio::test]
async fn attempts_region_and_endpoints_come_from_the_profile() {
    let profiles = "[profile lab]\nregion = eu-central-1\nmax_attempts = 7\nretry_mode = standard\nuse_fips_endpoint = true\n\
         endpoint_url = http://127.0.0.1:4566\nservices = lab\n[services lab]\nkms =\n  endpoint_url = http://127.0.0.1:4599\n";
    let options = Options { profile: Some("lab".to_owned()), ..Options::default() };
    let loaded_sdk = loaded(&options, profiles).await.unwrap();
    let sdk = &loaded_sdk.sdk;
    assert_eq!(sdk.retry_config().unwrap().max_attempts(), 7);
    assert_eq!((sdk.use_fips(), loaded_sdk.region.as_str()), (Some(true), "eu-central-1"));
    assert_eq!(endpoint(sdk, "KMS").as_deref(), Some("http://127.0.0.1:4599"));
    assert_eq!(endpoint(sdk, "EC2").as_deref(), Some("http://127.0.0.1:4566"));
    assert_eq!(endpoints(sdk), ["http://127.0.0.1:4566", "http://127.0.0.1:4599"]);
    assert_eq!(loaded_sdk.profile.as_deref(), Some("lab"));
    assert_eq!(sdk.retry_config().unwrap().mode(), RetryMode::Standard);
    let adaptive = profiles.replace("standard", "adaptive").replace("max_attempts = 7\n", "");
    let retry = loaded(&options, &adaptive).await.unwrap().sdk.retry_config().unwrap().clone();
    assert_eq!((retry.mode(), retry.max_attempts()), (RetryMode::Adaptive, 5));
    let broken = profiles.replace("http://127.0.0.1:4599", "127.0.0.1:4599");
    assert!(loaded(&options, &broken).await.unwrap_err().why.contains("'127.0.0.1:4599' is not a URL"));
    // The option wins over both.
    let options = Options { endpoint_url: Some("http://127.0.0.1:1".to_owned()), ..options };
    let loaded = loaded(&options, profiles).await.unwrap();
    assert_eq!(endpoint(&loaded.sdk, "KMS").as_deref(), Some("http://127.0.0.1:1"));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let profile = |name: &str| Options { profile: Some(name.to_owned()), ..region("us-east-1") };
    let endpoint = |url: &str| Options { endpoint_url: Some(url.to_owned()), ..region("us-east-1") };
    for (options, profiles, kind, text) in [
        (
            profile("prod"),
            PROFILES,
            ErrorKind::NoCredentials,
            "there is no profile 'prod' in the AWS configuration; it has: default, patient",
        ),
        (
            profile("prod"),
            "",
            ErrorKind::NoCredentials,
            "there is no profile 'prod' in the AWS configuration; it has none",
        ),
        (region("us-east-1.evil.example/"), PROFILES, ErrorKind::Unsupported, "is not a region's code"),
        (region("US EAST"), PROFILES, ErrorKind::Unsupported, "is not a region's code"),
        (endpoint("127.0.0.1:4566"), PROFILES, ErrorKind::Network, "is not a URL"),
        (endpoint("ftp://x"), PROFILES, ErrorKind::Network, "is not a URL"),
        (region("us-east-1"), "[default\n", ErrorKind::NoCredentials, "configuration is broken"),
    ] {
        let error = loaded(&options, profiles).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.why.contains(text), "{error:?}");
    }
}

#[tokio::test]
async fn a_profile_of_the_environment_must_exist_too() {
    let mut around = around(PROFILES);
    around.env = Env::from_slice(&[("AWS_PROFILE", "old")]);
    let error = load(&region("us-east-1"), &around).await.unwrap_err();
    assert!(error.why.contains("no profile 'old'"), "{error:?}");
}

#[test]
fn no_region_says_what_to_set() {
    let error = checked_region(&SdkConfig::builder().build()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.why.contains("--region") && error.why.contains("AWS_REGION"));
}
