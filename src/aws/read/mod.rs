//! Reads: one file a service. Each function makes the calls of one source (every page of them) and
//! returns plain inventory types; none keeps state, none changes anything in AWS.
//!
//! A list that breaks off in the middle is an error, never a shorter list.

pub mod analyzer;
pub mod bedrock_jobs;
pub mod bedrock_models;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod comprehend;
pub mod events;
pub mod feeders;
pub mod guardduty;
pub mod guardrails;
pub mod iam;
pub mod kms;
pub mod last_use;
pub mod logs;
pub mod macie;
pub mod objects;
pub mod organizations;
pub mod s3;

use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_types::DateTime;

use super::Session;
use super::error::classify;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::{ErrorKind, ReadError, SourceId, Tags};

/// The page size to ask for where the API takes up to a thousand (Bedrock lists, IAM, KMS: their
/// API references name the maximum).
const PAGE: i32 = 1000;

/// Why a call of a source failed.
fn failed<E>(session: &Session, source: SourceId, error: &SdkError<E, HttpResponse>) -> ReadError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    classify(source.name(), error, session.clock().now())
}

/// An answer that lacks what the API promises.
fn malformed(session: &Session, source: SourceId, what: &str) -> ReadError {
    ReadError {
        operation: source.name().to_owned(),
        kind: ErrorKind::Malformed,
        message: Text::new(format!("the answer has no {what}")),
        at: session.clock().now(),
    }
}

/// Every item of every page, mapped.
async fn all<T, U, E>(
    session: &Session,
    source: SourceId,
    mut pages: PaginationStream<Result<T, SdkError<E, HttpResponse>>>,
    map: impl Fn(T) -> U,
) -> Result<Vec<U>, ReadError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(map(item.map_err(|error| failed(session, source, &error))?));
    }
    Ok(items)
}

/// Whether AWS answered with one of these codes.
fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, codes: &[&str]) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| codes.contains(&code))
}

fn time(time: &DateTime) -> Timestamp {
    // why the fallback: years beyond 292 million do not fit milliseconds; no clock of AWS says so.
    Timestamp::from_millis(time.to_millis().unwrap_or_else(|_| time.secs().saturating_mul(1000)))
}

fn maybe_time(at: Option<&DateTime>) -> Option<Timestamp> {
    at.map(time)
}

/// The time, or 1970 where AWS leaves out what its API reference calls required.
fn time_or_zero(at: Option<&DateTime>) -> Timestamp {
    maybe_time(at).unwrap_or(Timestamp::from_millis(0))
}

fn text(outside: Option<impl AsRef<str>>) -> Text {
    outside.map(|outside| Text::new(outside.as_ref())).unwrap_or_default()
}

/// A non-empty id.
fn id(outside: Option<impl AsRef<str>>) -> Option<ResourceId> {
    outside.filter(|id| !id.as_ref().is_empty()).map(ResourceId::new)
}

fn ids(outside: &[String]) -> Vec<ResourceId> {
    outside.iter().map(ResourceId::new).collect()
}

fn tags<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

#[cfg(test)]
mod paging;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_milliseconds() {
        let at = DateTime::from_millis(1_795_250_467_123);
        assert_eq!(time(&at).millis(), 1_795_250_467_123);
        assert_eq!(maybe_time(None), None);
    }

    #[test]
    fn hostile_tags_become_text() {
        let tags = tags([("owner", "\x1b]52;c;cHduZWQ=\x07"), ("\u{202e}env", "prod")]);
        assert_eq!(tags.get(&Text::new("owner")).map(Text::as_str), Some("␛]52;c;cHduZWQ=␇"));
        assert!(tags.contains_key(&Text::new("⟨U+202E⟩env")));
    }

    #[test]
    fn an_empty_id_is_none() {
        assert_eq!(id(Some("")), None);
        assert_eq!(id(Some("key/1")), Some("key/1".into()));
    }
}
