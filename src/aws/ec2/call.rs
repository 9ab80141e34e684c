//! One call of the EC2 Query protocol on the SDK's orchestrator.

use std::fmt::{self, Write as _};

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
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::os_shim_internal::Env;
use aws_types::region::SigningRegion;
use serde::Deserialize;

use super::Client;
use super::answers::Failure;

const VERSION: &str = "2016-11-15";

/// What EC2 answered instead of a result.
#[derive(Debug)]
pub(super) struct Ec2Error(ErrorMetadata);

impl fmt::Display for Ec2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Ec2Error {}

impl ProvideErrorMetadata for Ec2Error {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// Sends one action and parses the answer.
pub(super) async fn call<T>(
    client: &Client,
    action: &'static str,
    parameters: Vec<(String, String)>,
) -> Result<T, SdkError<Ec2Error, HttpResponse>>
where
    T: for<'de> Deserialize<'de> + fmt::Debug + Send + Sync + 'static,
{
    let sdk = &client.sdk;
    let (Some(region), Some(credentials), Some(http)) = (sdk.region(), sdk.credentials_provider(), sdk.http_client())
    else {
        return Err(SdkError::construction_failure("the session has no region, credentials or HTTP client"));
    };
    let mut layer = Layer::new("ec2");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningRegion::from(region.clone()));
    layer.store_put(SigningName::from_static("ec2"));
    layer.store_put(SigV4OperationSigningConfig {
        signing_options: SigningOptions::default(),
        ..SigV4OperationSigningConfig::default()
    });
    let mut agent = AwsUserAgent::new_from_environment(Env::real(), ApiMetadata::new("ec2", env!("CARGO_PKG_VERSION")));
    if let Some(name) = sdk.app_name() {
        agent.set_app_name(name.clone());
    }
    layer.store_put(agent);
    layer.store_put(client.retries.clone());
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("ec2")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)))
        .with_identity_cache(Some(sdk.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build())))
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(client.guard.interceptor());
    components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    let operation = Operation::builder()
        .service_name("EC2")
        .operation_name(action)
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&client.url)
        .http_client(http)
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .standard_retry(&sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
        .retry_classifier(TransientErrorClassifier::<Ec2Error>::new())
        .retry_classifier(aws_runtime::retries::classifiers::AwsErrorCodeClassifier::<Ec2Error>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .timeout_config(sdk.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
        .runtime_plugin(StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components))
        .serializer(move |parameters: Vec<(String, String)>| {
            let mut request = HttpRequest::new(SdkBody::from(form(action, &parameters)));
            request.set_method("POST")?;
            request.set_uri("/")?;
            request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
            Ok(request)
        })
        .deserializer::<T, Ec2Error>(parse)
        .build();
    operation.invoke(parameters).await
}

fn form(action: &str, parameters: &[(String, String)]) -> String {
    let mut body = format!("Action={action}&Version={VERSION}");
    for (name, value) in parameters {
        body.push('&');
        encode(&mut body, name);
        body.push('=');
        encode(&mut body, value);
    }
    body
}

/// Percent-encoding as in RFC 3986: all but the unreserved characters.
fn encode(body: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            body.push(char::from(byte));
        } else {
            // A write to a String cannot fail.
            let _ = write!(body, "%{byte:02X}");
        }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(response: &HttpResponse) -> Result<T, OrchestratorError<Ec2Error>> {
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        return quick_xml::de::from_str(&body).map_err(OrchestratorError::other);
    }
    let mut metadata = ErrorMetadata::builder();
    let failure = quick_xml::de::from_str::<Failure>(&body).ok();
    if let Some(error) = failure.and_then(|failure| failure.errors.error.into_iter().next()) {
        metadata = metadata.code(error.code).message(error.message);
    }
    Err(OrchestratorError::operation(Ec2Error(metadata.build())))
}
