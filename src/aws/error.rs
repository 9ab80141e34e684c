//! SDK errors in the house's words: what sort of failure, and one sentence that says what and where.
//!
//! The codes are those of the services' API references; they do not agree on spelling. No message
//! of this file carries a credential: signature errors, which quote the session token, are replaced.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::guard::{Refused, Unreached, causes};
use crate::base::{Text, Timestamp};
use crate::inventory::{ErrorKind, ReadError};

/// The longest message kept. EC2 puts kilobytes of encoded policy into a denial.
const LIMIT: usize = 300;

/// Turns any service's error into a [`ReadError`] of `operation` (`kms:GetKeyPolicy`).
pub fn classify<E>(operation: &str, error: &SdkError<E, HttpResponse>, at: Timestamp) -> ReadError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let (kind, message) = match error {
        SdkError::ServiceError(service) => {
            let answer = Answer {
                operation,
                status: service.raw().status().as_u16(),
                page: is_page(service.raw()),
                code: service.err().code().unwrap_or_default(),
                message: service.err().message().unwrap_or_default(),
            };
            answer.classify(service.err())
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            (ErrorKind::Malformed, format!("the answer ({status}) could not be understood: {}", last_cause(error)))
        }
        other => unsent(other),
    };
    ReadError { operation: operation.to_owned(), kind, message: one_line(&message), at }
}

/// The service's error code, for callers to whom a code is an answer (`NoSuchBucketPolicy`).
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// An error answer of a service.
struct Answer<'a> {
    operation: &'a str,
    status: u16,
    /// A web page, so not from AWS.
    page: bool,
    code: &'a str,
    message: &'a str,
}

impl Answer<'_> {
    fn classify(&self, error: &(dyn Error + 'static)) -> (ErrorKind, String) {
        let Self { status, code, message, .. } = *self;
        let said = || match (code, message) {
            ("", "") => format!("AWS answered {status}"),
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        let bare = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
        if self.page && code.is_empty() {
            let text = format!("a web page came ({status}) instead of an answer from AWS: a proxy is in the way");
            return (ErrorKind::Network, text);
        }
        if (200..300).contains(&status) {
            return (ErrorKind::Malformed, format!("the answer could not be understood: {}", last_cause(error)));
        }
        let kind = match bare {
            "SignatureDoesNotMatch" | "IncompleteSignature" | "InvalidSignatureException" => {
                return (ErrorKind::Service, self.signature());
            }
            "RequestTimeTooSkewed" | "RequestInTheFuture" | "NotYetValid" => {
                return (ErrorKind::Service, SKEW.to_owned());
            }
            "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" | "AuthFailure" => {
                return self.unknown_client(bare);
            }
            _ if is_expired(bare) => ErrorKind::Expired,
            _ if is_throttle(bare) => ErrorKind::Throttled,
            _ if is_unsupported(bare, message) => ErrorKind::Unsupported,
            _ if is_denied(bare) => ErrorKind::Denied,
            _ if is_absent(bare) => ErrorKind::NotFound,
            "" => match status {
                403 | 401 => ErrorKind::Denied,
                404 => ErrorKind::NotFound,
                407 => ErrorKind::Network,
                429 | 503 => ErrorKind::Throttled,
                501 => ErrorKind::Unsupported,
                _ => ErrorKind::Service,
            },
            _ if status == 429 => ErrorKind::Throttled,
            _ if status == 501 => ErrorKind::Unsupported,
            _ => ErrorKind::Service,
        };
        let said = said();
        match kind {
            ErrorKind::Network => (kind, format!("a proxy wants to be logged in to ({status}): {said}")),
            kind => (kind, said),
        }
    }

    fn signature(&self) -> String {
        // why: the message quotes the canonical request, and with it the session token.
        if self.message.contains("not yet current") || self.message.contains("expired") {
            return SKEW.to_owned();
        }
        format!("{}: AWS did not accept the signature: the secret key does not belong to the key id", self.code)
    }

    fn unknown_client(&self, code: &str) -> (ErrorKind, String) {
        if self.operation == "sts:GetCallerIdentity" {
            let text =
                format!("{code}: AWS does not know these credentials, or the account has not enabled the region");
            return (ErrorKind::NoCredentials, text);
        }
        // STS accepted the same credentials when the session began.
        let text =
            format!("{code}: the service does not take these credentials here: the region is not enabled, or lacks it");
        (ErrorKind::Unsupported, text)
    }
}

const SKEW: &str = "AWS refused the time of the request: this machine's clock is wrong";

fn is_expired(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" | "InvalidToken"
    )
}

fn is_throttle(code: &str) -> bool {
    code.contains("Throttl")
        || matches!(
            code,
            "TooManyRequestsException"
                | "TooManyRequests"
                | "RequestLimitExceeded"
                | "SlowDown"
                | "BandwidthLimitExceeded"
                | "PriorRequestNotComplete"
        )
}

fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "AccessDeniedFault"
            | "AllAccessDisabled"
            | "AuthorizationError"
            | "Forbidden"
            | "ForbiddenException"
            | "NotAuthorized"
            | "OptInRequired"
            | "UnauthorizedAccess"
            | "UnauthorizedException"
            | "UnauthorizedOperation"
    )
}

fn is_absent(code: &str) -> bool {
    code.starts_with("NoSuch") || code.contains("NotFound") || code.ends_with("DoesNotExistException")
}

fn is_unsupported(code: &str, message: &str) -> bool {
    const CODES: &[&str] = &[
        "UnknownOperation",
        "UnknownOperationException",
        "InvalidAction",
        "NotImplemented",
        "UnsupportedRegionException",
    ];
    const PHRASES: &[&str] = &[
        "unknown operation",
        "operation is not recognized",
        "not supported in this region",
        "not supported in the region",
        "not available in this region",
        "not available in the region",
        "is not supported in region",
    ];
    let message = message.to_ascii_lowercase();
    CODES.contains(&code) || PHRASES.iter().any(|phrase| message.contains(phrase))
}

/// Failures before an answer: refused by the guard, no credentials, no connection.
fn unsent<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> (ErrorKind, String) {
    if let Some(refused) = Refused::within(error) {
        return (ErrorKind::Refused, refused.to_string());
    }
    let unreached = causes(error).find_map(|cause| cause.downcast_ref::<Unreached>());
    let (kind, text) = unanswered(error, unreached.map(|unreached| unreached.host.as_str()));
    match unreached.and_then(|unreached| unreached.proxy.as_deref()) {
        Some(proxy) => (kind, format!("{text} (by way of the proxy {proxy}, as the environment says)")),
        None => (kind, text),
    }
}

fn unanswered<E: Error + 'static>(error: &SdkError<E, HttpResponse>, host: Option<&str>) -> (ErrorKind, String) {
    let credentials = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
    if let (None, Some(credentials)) = (host, credentials) {
        return no_credentials(credentials);
    }
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    let all = texts.join(": ").to_ascii_lowercase();
    if host.is_none() && matches!(error, SdkError::ConstructionFailure(_)) {
        return (ErrorKind::Service, format!("the request could not be made: {}", last_cause(error)));
    }
    if host.is_none() && all.contains("identity") {
        return (ErrorKind::NoCredentials, format!("no credentials: {}", last_cause(error)));
    }
    let place = host.unwrap_or("AWS");
    let what = match () {
        () if all.contains("dns error") || all.contains("failed to lookup address") => {
            let place = place.rsplit_once(':').map_or(place, |(name, _)| name);
            let text = if place.contains(".amazonaws.") || place.contains(".api.aws") {
                format!("'{place}' has no address: the region may not exist or may lack the service, or DNS is down")
            } else {
                format!("'{place}' has no address: its name is wrong, or DNS is down")
            };
            return (ErrorKind::Network, text);
        }
        () if matches!(error, SdkError::TimeoutError(_)) => "did not answer in time, nor when it was asked again",
        () if all.contains("connect timeout") => "did not accept the connection in time",
        () if all.contains("timed out") || all.contains("timeout") => "took the connection but did not answer in time",
        () if all.contains("corrupt message") => {
            "speaks no TLS: its endpoint may begin with http:// instead of https://"
        }
        () if all.contains("certificate") => {
            return (ErrorKind::Network, format!("the certificate of {place} is not trusted: {}", last_cause(error)));
        }
        () if all.contains("refused") => "refused the connection",
        () if all.contains("unreachable") => "cannot be reached from this network",
        () => return (ErrorKind::Network, format!("no answer from {place}: {}", last_cause(error))),
    };
    (ErrorKind::Network, format!("{place} {what}"))
}

/// What became of the credential chain. SSO says "expired" in several ways.
fn no_credentials(error: &CredentialsError) -> (ErrorKind, String) {
    // The chain wraps its own errors in one another; only what they say about the cause helps.
    let said = causes(error).filter(|cause| !cause.is::<CredentialsError>()).map(ToString::to_string);
    let why = said.collect::<Vec<_>>().join(": ");
    let low = why.to_ascii_lowercase();
    let kind = match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            return (
                ErrorKind::NoCredentials,
                "no credentials in the environment, the profile or the instance".to_owned(),
            );
        }
        CredentialsError::ProviderTimedOut(_) => {
            return (ErrorKind::Network, "the credential provider did not answer in time".to_owned());
        }
        _ if low.contains("failed to read") && low.contains("sso") => {
            return (ErrorKind::Expired, "nobody is logged in to the SSO of this profile".to_owned());
        }
        _ if low.contains("expired") || low.contains("token not found or invalid") => ErrorKind::Expired,
        _ if low.contains("accessdenied") => ErrorKind::Denied,
        _ if low.contains("dispatch failure") => ErrorKind::Network,
        _ => ErrorKind::NoCredentials,
    };
    (kind, format!("the credentials could not be had: {why}"))
}

fn last_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn is_page<B>(response: &Response<B>) -> bool {
    response.headers().get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

fn one_line(message: &str) -> Text {
    let mut words: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(LIMIT) {
        words.truncate(end);
        words.push('…');
    }
    Text::new(words)
}

#[cfg(test)]
mod tests;
