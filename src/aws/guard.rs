//! The guard: nothing but listed operations leaves the process. Three layers, each fails closed.
//!
//! 1. [`Guard`] is an interceptor that cannot be switched off. It looks at an operation before it
//!    is serialized, before its endpoint is chosen and before credentials are looked up.
//! 2. It stamps each request just before it is sent.
//! 3. [`GuardedHttpClient`] refuses requests without the stamp, so that a client built without the
//!    interceptor cannot reach the network either.
//!
//! It is a safety net inside the process, not an authorization boundary: a read-only role is.

use std::error::Error;
use std::fmt;
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::call_stats::CallLog;
use super::operations::{CONTENT, OPINION, Operation, READS, WRITES, listed, service_operation};
use super::pace::{PACED, Pace};
use super::proxies::Proxies;
use super::write::WriteToken;

/// Why a call was not sent. Found again in an SDK error with [`Refused::within`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// `service:Operation`, or the method and host of a request that nobody approved.
    pub operation: String,
}

impl Refused {
    /// The refusal behind an error, if there is one.
    pub fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        causes(error).find_map(|cause| cause.downcast_ref())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the read-only guard does not allow {}; nothing was sent", self.operation)
    }
}

impl Error for Refused {}

/// Where a request went that got no answer.
#[derive(Debug)]
pub struct Unreached {
    /// The host of the endpoint, with its port where that is not the usual one of HTTPS.
    pub host: String,
    /// The proxy that the environment names for it.
    pub proxy: Option<String>,
    source: BoxError,
}

impl Unreached {
    /// A failure to reach a host.
    pub(super) fn new(host: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self { host: host.into(), proxy: None, source: source.into() }
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from {}", self.host)
    }
}

impl Error for Unreached {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// An error and what caused it, outermost first.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The stamp on a request that may be sent.
#[derive(Debug, Clone)]
struct Approved {
    operation: String,
}

/// Kept with a call from approval to its end.
#[derive(Debug)]
struct Call {
    operation: String,
    began: Instant,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

/// The interceptor of one session.
#[derive(Debug, Clone)]
pub struct Guard {
    /// None in a read-only session: it has no list of writes that a mistake could consult.
    writes: Option<&'static [Operation]>,
    /// Whether objects may be read.
    content: bool,
    /// Whether text may be sent for a second opinion.
    opinion: bool,
    log: CallLog,
}

impl Guard {
    /// Lets reads through.
    pub fn read_only() -> Self {
        Self { writes: None, content: false, opinion: false, log: CallLog::default() }
    }

    /// Lets reads and the writes of `operations::WRITES` through.
    pub fn with_writes(_token: &WriteToken) -> Self {
        Self { writes: Some(WRITES), content: false, opinion: false, log: CallLog::default() }
    }

    /// Lets the reads of `operations::CONTENT` through as well.
    #[must_use]
    pub fn and_content(self) -> Self {
        Self { content: true, ..self }
    }

    /// Lets the questions of `operations::OPINION` through as well.
    #[must_use]
    pub fn and_opinion(self) -> Self {
        Self { opinion: true, ..self }
    }

    /// Whether this guard knows any write.
    pub fn writes(&self) -> bool {
        self.writes.is_some()
    }

    /// For `push_interceptor` of a client's configuration. `disable_interceptor` has no effect on it.
    /// why not `.interceptor(…)` of the builders: it wraps this one in another that can be disabled.
    pub fn interceptor(&self) -> SharedInterceptor {
        SharedInterceptor::permanent(self.clone())
    }

    /// What was counted.
    pub fn log(&self) -> &CallLog {
        &self.log
    }

    fn check(&self, config: &ConfigBag) -> Result<String, Refused> {
        let Some(metadata) = config.load::<Metadata>() else {
            return Err(Refused { operation: "a call without a name".into() });
        };
        let (service, name) = (metadata.service(), metadata.name());
        let operation = service_operation(service, name);
        let content = self.content && listed(CONTENT, service, name);
        let written = self.writes.is_some_and(|writes| listed(writes, service, name));
        let opinion = self.opinion && listed(OPINION, service, name);
        let allowed = listed(READS, service, name) || content || opinion || written;
        if allowed { Ok(operation) } else { Err(Refused { operation }) }
    }
}

/// A client of a service with the guard in it: `guarded!(aws_sdk_kms, &sdk, guard)`.
macro_rules! guarded {
    ($service:ident, $sdk:expr, $guard:expr) => {{
        let mut config = $service::config::Builder::from($sdk);
        config.push_interceptor($guard.interceptor());
        config.set_retry_partition(Some($crate::aws::config::retry_partition(stringify!($service))));
        $service::Client::from_conf(config.build())
    }};
}
pub(super) use guarded;

impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "Guard"
    }

    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match self.check(config) {
            Ok(operation) => {
                self.log.sent(&operation);
                config.interceptor_state().store_put(Call { operation, began: Instant::now() });
                Ok(())
            }
            Err(refused) => {
                self.log.refused(&refused.operation);
                Err(refused.into())
            }
        }
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = self.check(config)?;
        context.request_mut().add_extension(Approved { operation });
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Call>() {
            self.log.attempt(&call.operation);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let throttled = context.response().is_some_and(is_throttled);
        if let (Some(call), true) = (config.load::<Call>(), throttled) {
            self.log.throttled(&call.operation);
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Call>() {
            let failed = !matches!(context.output_or_error(), Some(Ok(_)));
            self.log.ended(&call.operation, call.began.elapsed(), failed);
        }
        Ok(())
    }
}

/// Whether an answer says "slow down". The services do not agree on one code.
fn is_throttled(response: &HttpResponse) -> bool {
    const CODES: &[&str] = &["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown"];
    if response.status().is_success() {
        return false;
    }
    let header = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let body = response.body().bytes().unwrap_or_default();
    let body = String::from_utf8_lossy(body.get(..1024).unwrap_or(body));
    response.status().as_u16() == 429 || CODES.iter().any(|code| header.contains(code) || body.contains(code))
}

/// The HTTP client of the services: no stamp, no socket. Credential providers send requests of
/// their own and get the client inside it instead.
#[derive(Debug, Clone)]
pub struct GuardedHttpClient {
    inner: SharedHttpClient,
    pace: Pace,
    proxies: Proxies,
}

impl GuardedHttpClient {
    /// Guards a client.
    pub fn new(inner: SharedHttpClient) -> Self {
        Self { inner, pace: Pace::lookup_events(), proxies: Proxies::default() }
    }

    /// Names the proxies in errors.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }
}

impl HttpClient for GuardedHttpClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(GuardedConnector { inner, pace: self.pace.clone(), proxies: self.proxies.clone() })
    }
}

#[derive(Debug)]
struct GuardedConnector {
    inner: SharedHttpConnector,
    pace: Pace,
    proxies: Proxies,
}

impl HttpConnector for GuardedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // why: an HttpRequest does not show its extensions; the http 1.x form does. Both conversions
        // move the body, nothing is copied.
        let unnamed = format!("a {} request that no operation made", request.method());
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return failed(ConnectorError::user(error.into())),
        };
        let Some(approved) = request.extensions().get::<Approved>().cloned() else {
            let host = request.uri().host().unwrap_or_default();
            return failed(ConnectorError::user(Refused { operation: format!("{unnamed}, to {host}") }.into()));
        };
        let uri = request.uri();
        let host = place(uri.scheme_str(), uri.host().unwrap_or_default(), uri.port_u16());
        let proxy = self.proxies.of(uri.scheme_str(), uri.host().unwrap_or_default());
        let request = match HttpRequest::try_from(request) {
            Ok(request) => request,
            Err(error) => return failed(ConnectorError::user(error.into())),
        };
        let (inner, pace) = (self.inner.clone(), self.pace.clone());
        HttpConnectorFuture::new(async move {
            if approved.operation == PACED {
                pace.turn().await;
            }
            inner.call(request).await.map_err(|error| at_host(host, proxy, error))
        })
    }
}

/// The host a request goes to, and the port unless it is 443.
fn place(scheme: Option<&str>, host: &str, port: Option<u16>) -> String {
    match port.unwrap_or(if scheme == Some("http") { 80 } else { 443 }) {
        443 => host.to_owned(),
        port => format!("{host}:{port}"),
    }
}

fn failed(error: ConnectorError) -> HttpConnectorFuture {
    HttpConnectorFuture::ready(Err(error))
}

/// Names the host in a connector's error; what the retry classifiers look at stays.
fn at_host(host: String, proxy: Option<String>, error: ConnectorError) -> ConnectorError {
    let connection = error.connection_metadata().cloned();
    let (timeout, io, user, kind) = (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let source: BoxError = Unreached { proxy, ..Unreached::new(host, error.into_source()) }.into();
    let rebuilt = match () {
        () if timeout => ConnectorError::timeout(source),
        () if io => ConnectorError::io(source),
        () if user => ConnectorError::user(source),
        () => ConnectorError::other(source, kind),
    };
    match connection {
        Some(connection) => rebuilt.with_connection(connection),
        None => rebuilt,
    }
}

#[cfg(test)]
mod tests;
