//! What a service answered instead of a result, in any of the protocols.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;

/// A code and a message.
#[derive(Debug)]
pub struct AwsError(ErrorMetadata);

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AwsError {}

impl ProvideErrorMetadata for AwsError {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl AwsError {
    fn new(code: &str, message: &str) -> Self {
        let mut metadata = ErrorMetadata::builder();
        if !code.is_empty() {
            metadata = metadata.code(code);
        }
        if !message.is_empty() {
            metadata = metadata.message(message);
        }
        Self(metadata.build())
    }

    /// From the JSON protocols: the code in a header, or as `__type` or `code` in the body.
    pub(super) fn of_json(response: &HttpResponse) -> Self {
        let said: JsonError = serde_json::from_slice(response.body().bytes().unwrap_or_default()).unwrap_or_default();
        let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
        let code = header.or(said.kind).or(said.code).unwrap_or_default();
        // why cut: `com.amazon.x#Code` in the body, `Code:http://…` in the header (AWS restJson1 and
        // awsJson protocol specifications).
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        Self::new(code, &said.message.or(said.capital).unwrap_or_default())
    }

    /// From XML: `<Response><Errors><Error>` of EC2, `<ErrorResponse><Error>` and `<Error>` of others.
    pub(super) fn of_xml(response: &HttpResponse) -> Self {
        let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
        let said: XmlError = quick_xml::de::from_str(&body).unwrap_or_default();
        let inner = said.errors.and_then(|errors| errors.error.into_iter().next()).or(said.error);
        match inner {
            Some(inner) => Self::new(&inner.code, &inner.message),
            None => Self::new(&said.code, &said.message),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct JsonError {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
    #[serde(rename = "Message")]
    capital: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct XmlError {
    errors: Option<XmlErrors>,
    error: Option<XmlInner>,
    code: String,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct XmlErrors {
    error: Vec<XmlInner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct XmlInner {
    code: String,
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn response(header: Option<&'static str>, body: &'static str) -> HttpResponse {
        let mut response = HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body));
        if let Some(header) = header {
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        response
    }

    #[test]
    fn codes_are_found_wherever_they_are() {
        for (header, body, code, message) in [
            (None, r#"{"__type":"com.amazonaws.x#AccessDenied","Message":"no"}"#, "AccessDenied", "no"),
            (Some("ThrottlingException:http://x/"), r#"{"message":"slow"}"#, "ThrottlingException", "slow"),
            (None, r#"{"code":"ValidationException"}"#, "ValidationException", ""),
            (None, "<html>", "", ""),
        ] {
            let error = AwsError::of_json(&response(header, body));
            assert_eq!((error.code().unwrap_or(""), error.message().unwrap_or("")), (code, message), "{body}");
        }
        for (body, code) in [
            ("<Response><Errors><Error><Code>A</Code><Message>m</Message></Error></Errors></Response>", "A"),
            ("<ErrorResponse><Error><Code>B</Code><Message>m</Message></Error></ErrorResponse>", "B"),
            ("<Error><Code>C</Code><Message>m</Message></Error>", "C"),
            ("<html", ""),
        ] {
            assert_eq!(AwsError::of_xml(&response(None, body)).code().unwrap_or(""), code, "{body}");
        }
    }
}
