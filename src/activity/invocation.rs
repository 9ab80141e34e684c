//! One model invocation, from Bedrock's invocation log. What was asked and what was answered are
//! dropped while the record is parsed: this type has no place for them, so nothing above it can
//! store, show or export them. Request metadata, which callers fill as they like, goes the same way.

use serde::{Deserialize, Serialize};

use crate::base::{Arn, ResourceId, Text, Timestamp};

/// A call of a model (`ModelInvocationLog` 1.0, Amazon Bedrock User Guide, model invocation logging),
/// without prompt and completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// `requestId`; the `requestID` of the CloudTrail event of the same call.
    pub id: Text,
    /// `timestamp`: when it was asked.
    pub at: Timestamp,
    /// `operation`: `Converse`, `InvokeModel`, …
    pub operation: Text,
    /// `modelId` as the caller gave it: an ARN, or the id of a base model or inference profile.
    pub model: ResourceId,
    /// Who: the role or user name.
    pub who: Text,
    /// `identity.arn`; older records have none.
    pub principal: Option<ResourceId>,
    /// `inputTokenCount`; not what came from a cache.
    pub input_tokens: Option<u64>,
    /// `outputTokenCount`.
    pub output_tokens: Option<u64>,
    /// `errorCode`, if the call failed.
    pub error: Option<Text>,
    /// The log group it was read from.
    pub log_group: ResourceId,
}

/// Why a log event is no invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInvocation {
    /// Something else that lies in the same group: Bedrock's own permission check, another log.
    #[error("log event is no model invocation")]
    Other,
    /// Broken JSON, or a field of a wrong type. Says where, never what: the line holds the prompt.
    #[error("model invocation record cannot be read at column {0}")]
    Json(usize),
    /// A required field is missing or has no usable value.
    #[error("model invocation record has no usable '{0}'")]
    Field(&'static str),
}

// Everything else in a record, the bodies first of all, is skipped by the parser and never held.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    schema_type: Option<String>,
    timestamp: Option<String>,
    request_id: Option<String>,
    operation: Option<String>,
    model_id: Option<String>,
    identity: Option<Identity>,
    error_code: Option<String>,
    input: Option<Input>,
    output: Option<Output>,
}

#[derive(Deserialize)]
struct Identity {
    arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    input_token_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    output_token_count: Option<u64>,
}

impl Invocation {
    /// From the message of one log event of `group`.
    pub fn parse(message: &str, group: &ResourceId) -> Result<Self, NotAnInvocation> {
        // why: "Permissions are correctly set for Amazon Bedrock logs." is the first line of such a group.
        if !message.trim_start().starts_with('{') {
            return Err(NotAnInvocation::Other);
        }
        let record: Record = serde_json::from_str(message).map_err(|error| NotAnInvocation::Json(error.column()))?;
        if record.schema_type.as_deref() != Some("ModelInvocationLog") {
            return Err(NotAnInvocation::Other);
        }
        let given = |value: Option<String>, name| value.filter(|v| !v.is_empty()).ok_or(NotAnInvocation::Field(name));
        let at = record.timestamp.and_then(|time| time.parse().ok()).ok_or(NotAnInvocation::Field("timestamp"))?;
        let principal = record.identity.and_then(|identity| identity.arn).filter(|arn| !arn.is_empty());
        Ok(Self {
            id: Text::new(given(record.request_id, "requestId")?),
            at,
            operation: Text::new(given(record.operation, "operation")?),
            model: ResourceId::new(given(record.model_id, "modelId")?),
            who: Text::new(principal.as_deref().map_or_else(|| "?".to_owned(), name_of)),
            principal: principal.map(ResourceId::new),
            input_tokens: record.input.and_then(|input| input.input_token_count),
            output_tokens: record.output.and_then(|output| output.output_token_count),
            error: record.error_code.filter(|code| !code.is_empty()).map(Text::new),
            log_group: group.clone(),
        })
    }

    /// The same invocation at another time: for a story that is told again.
    #[must_use]
    pub fn moved_to(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// Whether the call was refused for want of a right.
    pub fn is_denied(&self) -> bool {
        self.error.as_ref().is_some_and(|code| code.as_str().starts_with("AccessDenied"))
    }
}

/// The role behind a session, else the last part; what is no proper ARN whole.
fn name_of(arn: &str) -> String {
    match arn.parse::<Arn>() {
        Ok(arn) => arn.assumed_role().map_or_else(|| arn.name().to_owned(), |(role, _)| role.to_owned()),
        Err(_) => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn record() -> Value {
        json!({
            "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-11-21T08:41:07Z",
            "accountId": "123456789012", "region": "us-east-1", "requestId": "r-1", "operation": "Converse",
            "modelId": "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/d1",
            "identity": {"arn": "arn:aws:sts::123456789012:assumed-role/App/s1"},
            "requestMetadata": {"ticket": "SECRET-METADATA"},
            "input": {"inputContentType": "application/json", "inputTokenCount": 812, "cacheReadInputTokenCount": 3,
                "inputBodyJson": {"messages": [{"content": [{"text": "SECRET-PROMPT"}]}]}},
            "output": {"outputTokenCount": 64, "outputBodyJson": [{"chunk": "SECRET-ANSWER"}, "[DONE]"]},
        })
    }

    fn parse(record: &Value) -> Result<Invocation, NotAnInvocation> {
        Invocation::parse(&record.to_string(), &"/aws/bedrock/invocations".into())
    }

    #[test]
    fn a_record_without_its_bodies() {
        let read = parse(&record()).unwrap();
        assert_eq!(
            read,
            Invocation {
                id: "r-1".into(),
                at: "2026-11-21T08:41:07Z".parse().unwrap(),
                operation: "Converse".into(),
                model: "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/d1".into(),
                who: "App".into(),
                principal: Some("arn:aws:sts::123456789012:assumed-role/App/s1".into()),
                input_tokens: Some(812),
                output_tokens: Some(64),
                error: None,
                log_group: "/aws/bedrock/invocations".into(),
            }
        );
        let kept = format!("{read:?}{}", serde_json::to_string(&read).unwrap());
        assert!(!kept.contains("SECRET"), "{kept}");
        assert_eq!(serde_json::from_value::<Invocation>(serde_json::to_value(&read).unwrap()).unwrap(), read);
    }

    #[test]
    fn what_records_leave_out_and_how_callers_are_called() {
        let mut bare = record();
        for field in ["identity", "input", "output", "requestMetadata"] {
            bare.as_object_mut().unwrap().remove(field);
        }
        let read = parse(&bare).unwrap();
        assert_eq!((read.who.as_str(), read.principal, read.input_tokens, read.output_tokens), ("?", None, None, None));
        for (arn, who) in [
            ("arn:aws:iam::123456789012:user/team/zoe", "zoe"),
            ("arn:aws:iam::123456789012:root", "root"),
            ("arn:aws:sts::123456789012:assumed-role/App/a/b", "App"),
            ("zoe", "zoe"),
            ("", "?"),
        ] {
            let mut with = record();
            with["identity"]["arn"] = arn.into();
            assert_eq!(parse(&with).unwrap().who.as_str(), who);
        }
    }

    #[test]
    fn failed_calls() {
        for (code, denied) in [("AccessDeniedException", true), ("ThrottlingException", false)] {
            let mut failed = record();
            failed["errorCode"] = code.into();
            let read = parse(&failed).unwrap();
            assert_eq!((read.error.as_ref().map(Text::as_str), read.is_denied()), (Some(code), denied));
        }
        assert!(!parse(&record()).unwrap().is_denied());
    }

    #[test]
    fn hostile_text_becomes_visible() {
        let mut hostile = record();
        hostile["requestId"] = "r\u{1b}[2J".into();
        hostile["operation"] = "Con\nverse\u{202e}".into();
        hostile["modelId"] = "m\u{7}".into();
        hostile["identity"]["arn"] = "arn:aws:sts::123456789012:assumed-role/A\u{1b}pp/s".into();
        hostile["errorCode"] = "x\u{200b}".into();
        let read = parse(&hostile).unwrap();
        assert_eq!(
            [read.id.as_str(), read.operation.as_str(), read.model.as_str(), read.who.as_str()],
            ["r␛[2J", "Con␊verse⟨U+202E⟩", "m␇", "arn:aws:sts::123456789012:assumed-role/A␛pp/s"]
        );
        assert_eq!(read.error.unwrap().as_str(), "x⟨U+200B⟩");
    }

    #[test]
    fn what_is_none_says_why_and_never_what_it_held() {
        let with = |field: &str, value: Value| {
            let mut record = record();
            record[field] = value;
            record.to_string()
        };
        for (message, why) in [
            (String::new(), NotAnInvocation::Other),
            ("Permissions are correctly set for Amazon Bedrock logs.".into(), NotAnInvocation::Other),
            ("{}".into(), NotAnInvocation::Other),
            (with("schemaType", "GuardrailLog".into()), NotAnInvocation::Other),
            (with("timestamp", "yesterday".into()), NotAnInvocation::Field("timestamp")),
            (with("requestId", Value::Null), NotAnInvocation::Field("requestId")),
            (with("requestId", "".into()), NotAnInvocation::Field("requestId")),
            (with("operation", Value::Null), NotAnInvocation::Field("operation")),
            (with("modelId", "".into()), NotAnInvocation::Field("modelId")),
        ] {
            assert_eq!(Invocation::parse(&message, &"g".into()).unwrap_err(), why, "{message}");
        }
        let cut = &record().to_string()[..300];
        for message in [cut, &with("requestId", json!(["SECRET"])), &with("input", json!({"inputTokenCount": -1}))] {
            let error = Invocation::parse(message, &"g".into()).unwrap_err();
            assert!(matches!(error, NotAnInvocation::Json(_)), "{message}: {error}");
            assert!(!error.to_string().contains("SECRET"));
        }
    }
}
