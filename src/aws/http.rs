//! The HTTP client: one pool and one TLS configuration for all services and the credential chain.
//! It knows proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) and `AWS_CA_BUNDLE`, which the Rust SDK
//! itself does not read.

use aws_config::profile::ProfileSet;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

use super::certificates::roots;
use super::config::NoConfig;
use crate::base::text::safe;
use crate::inventory::ErrorKind;

/// A client that trusts these roots and goes through these proxies.
pub(super) fn client(trust: TlsContext, proxies: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder();
        connector.set_connector_settings(settings.cloned());
        connector.set_proxy_config(Some(proxies.clone()));
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(trust.clone()).build()
    })
}

/// The machine's roots and those of `AWS_CA_BUNDLE` or the profile's `ca_bundle`.
pub(super) async fn trust(env: &Env, fs: &Fs, profiles: &ProfileSet) -> Result<TlsContext, NoConfig> {
    let mut store = TrustStore::default();
    let path = env.get("AWS_CA_BUNDLE").ok().filter(|path| !path.is_empty());
    if let Some(path) = path.or_else(|| profiles.get("ca_bundle").map(str::to_owned)) {
        let broken = |why: &str| {
            let why = format!("the CA bundle '{}' (AWS_CA_BUNDLE or `ca_bundle`) {why}", safe(&path));
            NoConfig::new(ErrorKind::Network, why)
        };
        let pem = fs.read_to_end(&path).await.map_err(|error| broken(&format!("cannot be read: {error}")))?;
        let (good, bad) = roots(&pem);
        if good.is_empty() {
            return Err(broken(&format!("holds no usable certificate ({bad} unusable): it must be in PEM form")));
        }
        if bad > 0 {
            tracing::warn!(bad, good = good.len(), "some certificates of the CA bundle are unusable");
        }
        for certificate in good {
            store.add_pem_certificate(certificate);
        }
    }
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| NoConfig::new(ErrorKind::Network, format!("TLS cannot be set up: {error}")))
}

#[cfg(test)]
mod tests;
