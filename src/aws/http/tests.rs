//! The CA bundle.

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::section::EnvConfigSections;

use super::*;
use crate::aws::certificates::tests::ROOT;

async fn trusting(bundle: &str, contents: Option<&str>) -> Result<TlsContext, NoConfig> {
    let files: Vec<(&str, &str)> = contents.map(|contents| ("/ca.pem", contents)).into_iter().collect();
    let (env, fs) = (Env::from_slice(&[("AWS_CA_BUNDLE", bundle)]), Fs::from_slice(&files));
    trust(&env, &fs, &ProfileSet::default()).await
}

#[tokio::test]
async fn a_bundle_that_cannot_be_used_says_so() {
    for (contents, text) in [
        (None, "cannot be read"),
        (Some(""), "no usable certificate"),
        (Some("not a certificate"), "no usable certificate (0 unusable)"),
        (Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "no usable certificate (1 unusable)"),
    ] {
        let error = trusting("/ca.pem", contents).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network);
        assert!(error.why.contains(text) && error.why.contains("AWS_CA_BUNDLE"), "{error:?}");
    }
}

#[tokio::test]
async fn a_good_bundle_is_trusted_and_none_is_fine() {
    trusting("/ca.pem", Some(ROOT)).await.unwrap();
    trusting("", None).await.unwrap();
    let nothing = EnvConfigSections::default();
    trust(&Env::from_slice(&[]), &Fs::from_slice(&[]), &nothing).await.unwrap();
}
