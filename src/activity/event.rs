//! One CloudTrail record, reduced to what the console shows, with the record kept whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::text::safe;
use crate::base::{ResourceId, Text, Timestamp};

/// A CloudTrail event (record contents, CloudTrail User Guide, event version 1.0x).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// `eventID`.
    pub id: Text,
    /// `eventTime`.
    pub at: Timestamp,
    /// `eventSource`, without `.amazonaws.com`.
    pub source: Text,
    /// `eventName`.
    pub name: Text,
    /// Who: the role or user name, or the service that called.
    pub who: Text,
    /// The ARN behind it, if the record has one.
    pub principal: Option<ResourceId>,
    /// How it went.
    pub outcome: Outcome,
    /// `sourceIPAddress`.
    pub from: Text,
    /// The AWS service that forwarded the call (`userIdentity.invokedBy`), without `.amazonaws.com`.
    pub via: Option<Text>,
    /// `readOnly`, where the record says so.
    pub read_only: Option<bool>,
    /// ARNs and names of `resources` and of request parameters that name one.
    pub resources: Vec<ResourceId>,
    /// The record itself. Its strings are not safe to draw: screens go through `base::text`.
    pub record: Value,
}

/// How a call went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// No `errorCode`.
    Ok,
    /// `AccessDenied` and its kin.
    Denied(Text),
    /// Any other `errorCode`.
    Error(Text),
}

/// Why a record is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEvent {
    /// Not JSON.
    #[error("CloudTrail record is not JSON: {0}")]
    Json(String),
    /// A required field is missing or of a wrong type.
    #[error("CloudTrail record has no usable '{0}'")]
    Field(&'static str),
}

impl Event {
    /// From the JSON of one record.
    pub fn parse(record: &str) -> Result<Self, NotAnEvent> {
        let record = serde_json::from_str(record).map_err(|error| NotAnEvent::Json(error.to_string()))?;
        Self::from_record(record)
    }

    /// From one record.
    pub fn from_record(record: Value) -> Result<Self, NotAnEvent> {
        let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
        let at = text("/eventTime").and_then(|time| time.parse().ok()).ok_or(NotAnEvent::Field("eventTime"))?;
        let name = text("/eventName").ok_or(NotAnEvent::Field("eventName"))?;
        let source = text("/eventSource").ok_or(NotAnEvent::Field("eventSource"))?;
        let principal = text("/userIdentity/sessionContext/sessionIssuer/arn").or_else(|| text("/userIdentity/arn"));
        let via = text("/userIdentity/invokedBy").map(service);
        let who = text("/userIdentity/sessionContext/sessionIssuer/userName")
            .or_else(|| text("/userIdentity/userName"))
            .or_else(|| principal.map(|arn| arn.rsplit('/').next().unwrap_or(arn)))
            .or_else(|| text("/userIdentity/invokedBy").map(service))
            .or_else(|| text("/userIdentity/accountId"))
            .unwrap_or("?");
        let outcome = match text("/errorCode") {
            None => Outcome::Ok,
            Some(code) if is_denial(code) => Outcome::Denied(code.into()),
            Some(code) => Outcome::Error(code.into()),
        };
        Ok(Self {
            id: text("/eventID").unwrap_or_default().into(),
            at,
            source: service(source).into(),
            name: name.into(),
            who: who.into(),
            principal: principal.map(ResourceId::new),
            outcome,
            from: text("/sourceIPAddress").unwrap_or_default().into(),
            via: via.map(Text::new),
            read_only: record.pointer("/readOnly").and_then(Value::as_bool),
            resources: resources(&record),
            record,
        })
    }

    /// The same event at another time: for a story that is told again.
    #[must_use]
    pub fn moved_to(mut self, at: Timestamp) -> Self {
        self.at = at;
        if let Some(time) = self.record.get_mut("eventTime") {
            *time = Value::String(at.to_string());
        }
        self
    }

    /// Whether a bedwatch made the call, by the name in its user agent. Its reads would drown what
    /// happened, and count as use of the keys it looks at.
    pub fn is_ours(&self) -> bool {
        let agent = self.record.pointer("/userAgent").and_then(Value::as_str);
        agent.is_some_and(|agent| agent.contains("app/bedwatch"))
    }

    /// Whether the event names this resource, by ARN or by the id at the end of it.
    pub fn names(&self, id: &ResourceId) -> bool {
        self.resources.iter().any(|named| named == id || named.last() == id.last())
    }
}

fn service(host: &str) -> &str {
    host.strip_suffix(".amazonaws.com").unwrap_or(host)
}

/// The codes with which services refuse (they do not agree on one).
fn is_denial(code: &str) -> bool {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "UnauthorizedAccess"
            | "AuthorizationError"
    )
}

fn resources(record: &Value) -> Vec<ResourceId> {
    let mut found: Vec<ResourceId> = Vec::new();
    let mut add = |text: &str| {
        let id = ResourceId::new(safe(text));
        if !found.contains(&id) {
            found.push(id);
        }
    };
    for resource in record.pointer("/resources").and_then(Value::as_array).into_iter().flatten() {
        if let Some(arn) = resource.get("ARN").or_else(|| resource.get("ARNPrefix")).and_then(Value::as_str) {
            add(arn);
        }
    }
    // why: many Bedrock and IAM records leave `resources` out, and name things in the parameters.
    const NAMING: &[&str] =
        &["keyId", "jobIdentifier", "modelIdentifier", "modelId", "roleArn", "roleName", "bucketName", "jobName"];
    for part in ["/requestParameters", "/responseElements"] {
        for (key, value) in record.pointer(part).and_then(Value::as_object).into_iter().flatten() {
            if let Some(text) = value.as_str().filter(|text| NAMING.contains(&key.as_str()) || text.starts_with("arn:"))
            {
                add(text);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENIED: &str = r#"{"eventVersion":"1.09","eventID":"e-1","eventTime":"2026-11-21T08:41:07Z",
        "eventSource":"kms.amazonaws.com","eventName":"Decrypt","errorCode":"AccessDenied",
        "sourceIPAddress":"198.51.100.7","readOnly":true,
        "userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/ci-runner/b1",
            "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::123456789012:role/ci-runner","userName":"ci-runner"}}},
        "resources":[{"ARN":"arn:aws:kms:us-east-1:123456789012:key/91b5"}]}"#;

    #[test]
    fn a_denied_call() {
        let event = Event::parse(DENIED).unwrap();
        assert_eq!((event.who.as_str(), event.source.as_str(), event.name.as_str()), ("ci-runner", "kms", "Decrypt"));
        assert_eq!(event.outcome, Outcome::Denied("AccessDenied".into()));
        assert!(event.names(&"arn:aws:kms:us-east-1:123456789012:key/91b5".into()));
        assert!(event.via.is_none());
    }

    #[test]
    fn what_is_no_record_says_so() {
        for (record, why) in [("{", "not JSON"), ("{}", "eventTime"), (r#"{"eventTime":"yesterday"}"#, "eventTime")] {
            assert!(Event::parse(record).unwrap_err().to_string().contains(why));
        }
    }
}
