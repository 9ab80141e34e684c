//! One call on the SDK's orchestrator: the request of each protocol, and its answer.

use std::fmt::{Debug, Write as _};

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::user_agent::{ApiMetadata, AwsUserAgent, UserAgentInterceptor};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::os_shim_internal::Env;
use aws_types::region::{Region, SigningRegion};
use serde::Deserialize;
use serde_json::Value;

use super::error::AwsError;
use super::service::Dialect;
use super::{Client, Failure, Rest, Service};

const EC2_VERSION: &str = "2016-11-15";

/// A request, ready to be signed.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    method: &'static str,
    /// Path and query, encoded.
    uri: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Prepared {
    /// EC2's Query: everything in a form.
    pub(super) fn query(action: &str, parameters: &[(String, String)]) -> Self {
        let mut body = format!("Action={action}&Version={EC2_VERSION}");
        for (name, value) in parameters {
            body.push('&');
            pair(&mut body, name, value);
        }
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Self { method: "POST", uri: "/".to_owned(), headers, body }
    }

    /// awsJson: the operation in `X-Amz-Target`.
    pub(super) fn aws_json(service: Service, operation: &str, body: &Value) -> Self {
        let (version, target) = match service.facts().dialect {
            Dialect::AwsJson(version, target) => (version, target),
            Dialect::Query | Dialect::Rest => ("1.1", service.id()),
        };
        let headers = vec![
            ("content-type", format!("application/x-amz-json-{version}")),
            ("x-amz-target", format!("{target}.{operation}")),
        ];
        Self { method: "POST", uri: "/".to_owned(), headers, body: body.to_string() }
    }

    /// REST: GET without a body, POST with one.
    pub(super) fn rest(request: &Rest) -> Self {
        let mut uri = request.path.clone();
        for (at, (name, value)) in request.query.iter().enumerate() {
            uri.push(if at == 0 { '?' } else { '&' });
            pair(&mut uri, name, value);
        }
        let mut headers = request.headers.clone();
        let (method, body) = match &request.body {
            None => ("GET", String::new()),
            Some(body) => {
                headers.push(("content-type", "application/json".to_owned()));
                ("POST", body.to_string())
            }
        };
        Self { method, uri, headers, body }
    }
}

/// Sends one request and reads the answer.
pub(super) async fn send<T>(
    client: &Client,
    operation: &'static str,
    request: Prepared,
    read: fn(&HttpResponse) -> Result<T, OrchestratorError<AwsError>>,
) -> Result<T, Failure>
where
    T: Debug + Send + Sync + 'static,
{
    let sdk = &client.sdk;
    let (Some(credentials), Some(http)) = (sdk.credentials_provider(), sdk.http_client()) else {
        return Err(SdkError::construction_failure("the session has no credentials or HTTP client"));
    };
    let facts = client.service.facts();
    let mut layer = Layer::new("small");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningRegion::from(Region::new(client.region.clone())));
    layer.store_put(SigningName::from_static(facts.signing));
    layer.store_put(SigV4OperationSigningConfig {
        signing_options: SigningOptions::default(),
        ..SigV4OperationSigningConfig::default()
    });
    let api = ApiMetadata::new(facts.signing, env!("CARGO_PKG_VERSION"));
    let mut agent = AwsUserAgent::new_from_environment(Env::real(), api);
    if let Some(name) = sdk.app_name() {
        agent.set_app_name(name.clone());
    }
    layer.store_put(agent);
    layer.store_put(client.retries.clone());
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("small")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)))
        .with_identity_cache(Some(sdk.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build())))
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(client.guard.interceptor());
    components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    let operation = Operation::builder()
        .service_name(facts.id)
        .operation_name(operation)
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&client.url)
        .http_client(http)
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .standard_retry(&sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
        .retry_classifier(TransientErrorClassifier::<AwsError>::new())
        .retry_classifier(aws_runtime::retries::classifiers::AwsErrorCodeClassifier::<AwsError>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .timeout_config(sdk.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
        .runtime_plugin(StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components))
        .serializer(move |request: Prepared| {
            let mut made = HttpRequest::new(SdkBody::from(request.body));
            made.set_method(request.method)?;
            made.set_uri(request.uri)?;
            for (name, value) in request.headers {
                made.headers_mut().try_insert(name, value)?;
            }
            Ok(made)
        })
        .deserializer::<T, AwsError>(read)
        .build();
    operation.invoke(request).await
}

fn pair(to: &mut String, name: &str, value: &str) {
    encode(to, name);
    to.push('=');
    encode(to, value);
}

/// Percent-encoding as in RFC 3986: all but the unreserved characters.
pub(super) fn encode(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            to.push(char::from(byte));
        } else {
            // A write to a String cannot fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

/// An XML answer.
pub(super) fn xml<T: for<'de> Deserialize<'de>>(response: &HttpResponse) -> Result<T, OrchestratorError<AwsError>> {
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(AwsError::of_xml(response)));
    }
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    quick_xml::de::from_str(&body).map_err(OrchestratorError::other)
}

/// A JSON answer.
pub(super) fn json<T: for<'de> Deserialize<'de>>(response: &HttpResponse) -> Result<T, OrchestratorError<AwsError>> {
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(AwsError::of_json(response)));
    }
    let body = response.body().bytes().unwrap_or_default();
    // An operation without output may answer with no body at all.
    let body = if body.is_empty() { b"{}" } else { body };
    let mut answer: Value = serde_json::from_slice(body).map_err(OrchestratorError::other)?;
    drop_nulls(&mut answer);
    serde_json::from_value(answer).map_err(OrchestratorError::other)
}

/// Some services write `null` for a member that is not there (the protocols let them), and serde takes
/// that for a value of the wrong sort.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
