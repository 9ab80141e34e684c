//! Small clients: services of which a few reads are needed and whose SDK would cost more than the rest
//! of the program (EC2 alone: 1.2 million generated lines).
//!
//! They run on the SDK's own orchestrator, so that signing, retries, timeouts, proxies, the guard and
//! its counts apply as for any other service. They speak EC2's Query protocol, awsJson 1.0 and 1.1,
//! restJson1, and restXml as far as S3 Control needs it. Answers are read by serde into structs of the
//! few members that are used; one that lacks what the API promises is malformed, never empty.

mod call;
pub mod error;
mod hosts;
pub mod page;
pub mod service;
pub mod when;

use std::fmt::Debug;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde::Deserialize;
use serde_json::Value;

use super::config::{endpoint, retry_partition};
use super::error::classify;
use super::guard::Guard;
use super::operations::service_operation;
use crate::base::{Clock, Text};
use crate::inventory::{ErrorKind, ReadError};
use call::{Prepared, json, xml};
use error::AwsError;
use page::Page;
pub use service::Service;

/// A failure as the orchestrator returns it.
pub(super) type Failure = SdkError<AwsError, HttpResponse>;

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: SdkConfig,
    guard: Guard,
    retries: RetryPartition,
    service: Service,
    url: String,
    region: String,
    clock: Clock,
}

/// A client for each small service.
#[derive(Debug, Clone)]
pub(super) struct Clients(Vec<Client>);

impl Clients {
    /// Clients in a region of an account.
    pub(super) fn new(sdk: &SdkConfig, guard: &Guard, region: &str, account: &str, clock: &Clock) -> Self {
        let client = |service: &Service| Client::new(sdk, guard, region, account, *service, clock.clone());
        Self(Service::ALL.iter().map(client).collect())
    }

    /// The client of a service.
    pub(super) fn of(&self, service: Service) -> &Client {
        // One for each of `Service::ALL`, in the order of the variants.
        &self.0[service as usize]
    }
}

/// A REST request: what goes into the path, the query and the body.
#[derive(Debug, Clone, Default)]
pub struct Rest {
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Rest {
    /// A GET of a path. Labels in it go through [`label`].
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// A POST of a JSON document.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { path: path.into(), body: Some(body), ..Self::default() }
    }

    /// With a query parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// A value as one segment of a path.
pub fn label(value: impl AsRef<str>) -> String {
    let mut encoded = String::new();
    call::encode(&mut encoded, value.as_ref());
    encoded
}

impl Client {
    pub(super) fn new(
        sdk: &SdkConfig,
        guard: &Guard,
        region: &str,
        account: &str,
        service: Service,
        clock: Clock,
    ) -> Self {
        let (fips, dual_stack) = (sdk.use_fips().unwrap_or(false), sdk.use_dual_stack().unwrap_or(false));
        let place = service.place(region, account, fips, dual_stack);
        let url = endpoint(sdk, service.id()).unwrap_or_else(|| format!("https://{}", place.host));
        let retries = retry_partition(service.id());
        Self { sdk: sdk.clone(), guard: guard.clone(), retries, service, url, region: place.region, clock }
    }

    /// Where it sends.
    #[cfg(test)]
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// One call of the Query protocol.
    pub(super) async fn query<T>(&self, action: &'static str, parameters: Vec<(String, String)>) -> Result<T, ReadError>
    where
        T: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static,
    {
        let answer = call::send(self, action, Prepared::query(action, &parameters), xml::<T>).await;
        answer.map_err(|error| self.failed(action, &error))
    }

    /// One call of awsJson: the operation is named in a header.
    pub(super) async fn json<T>(&self, operation: &'static str, body: Value) -> Result<T, ReadError>
    where
        T: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static,
    {
        self.try_json(operation, body).await.map_err(|error| self.failed(operation, &error))
    }

    /// As [`Client::json`], for callers to whom a code is an answer.
    pub(super) async fn try_json<T>(&self, operation: &'static str, body: Value) -> Result<T, Failure>
    where
        T: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static,
    {
        call::send(self, operation, Prepared::aws_json(self.service, operation, &body), json::<T>).await
    }

    /// One call of restJson1.
    pub(super) async fn rest<T>(&self, operation: &'static str, request: Rest) -> Result<T, ReadError>
    where
        T: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static,
    {
        self.try_rest(operation, request).await.map_err(|error| self.failed(operation, &error))
    }

    /// As [`Client::rest`], for callers to whom a code is an answer.
    pub(super) async fn try_rest<T>(&self, operation: &'static str, request: Rest) -> Result<T, Failure>
    where
        T: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static,
    {
        call::send(self, operation, Prepared::rest(&request), json::<T>).await
    }

    /// One call of restXml.
    pub(super) async fn try_rest_xml<T>(&self, operation: &'static str, request: Rest) -> Result<T, Failure>
    where
        T: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static,
    {
        call::send(self, operation, Prepared::rest(&request), xml::<T>).await
    }

    /// Every item of every page of awsJson.
    pub(super) async fn json_pages<P: Page>(
        &self,
        operation: &'static str,
        body: Value,
    ) -> Result<Vec<P::Item>, ReadError> {
        let ask = |token: Option<String>| {
            let mut body = body.clone();
            if let (Some(token), Some(members)) = (token, body.as_object_mut()) {
                members.insert(P::TOKEN.to_owned(), Value::String(token));
            }
            Prepared::aws_json(self.service, operation, &body)
        };
        self.pages::<P>(operation, ask).await
    }

    /// Every item of every page of restJson1; the token goes where the other parameters are.
    pub(super) async fn rest_pages<P: Page>(
        &self,
        operation: &'static str,
        request: Rest,
    ) -> Result<Vec<P::Item>, ReadError> {
        let ask = |token: Option<String>| {
            let mut request = request.clone();
            if let Some(token) = token {
                match request.body.as_mut().and_then(Value::as_object_mut) {
                    Some(members) => {
                        members.insert(P::TOKEN.to_owned(), Value::String(token));
                    }
                    None => request.query.push((P::TOKEN, token)),
                }
            }
            Prepared::rest(&request)
        };
        self.pages::<P>(operation, ask).await
    }

    async fn pages<P: Page>(
        &self,
        operation: &'static str,
        ask: impl Fn(Option<String>) -> Prepared,
    ) -> Result<Vec<P::Item>, ReadError> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let answer = call::send(self, operation, ask(token.clone()), json::<P>).await;
            let (page, next) = answer.map_err(|error| self.failed(operation, &error))?.into_items();
            items.extend(page);
            match next.filter(|next| !next.is_empty()) {
                None => return Ok(items),
                // The server repeats itself: going on would never end, stopping would be a shorter list.
                next if next == token => {
                    return Err(self.malformed(operation, "the answer has no new token: the same page came twice"));
                }
                next => token = next,
            }
        }
    }

    /// Why a call failed.
    pub(super) fn failed(&self, operation: &str, error: &Failure) -> ReadError {
        classify(&service_operation(self.service.id(), operation), error, self.clock.now())
    }

    /// An answer that is not what the API promises.
    pub(super) fn malformed(&self, operation: &str, what: &str) -> ReadError {
        ReadError {
            operation: service_operation(self.service.id(), operation),
            kind: ErrorKind::Malformed,
            message: Text::new(what),
            at: self.clock.now(),
        }
    }
}

#[cfg(test)]
mod tests;
