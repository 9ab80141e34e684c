//! What happened in the small account: events and invocations.

use super::fixture::*;
use crate::activity::{Event, Invocation};

pub fn events() -> Vec<Event> {
    let one = |n: i64, ago: i64, who: &str, name: &str, denied: bool, via: Option<&str>| {
        let mut record = serde_json::json!({
            "eventVersion": "1.11", "eventID": format!("e-{n:03}"), "eventTime": now().plus_secs(-ago).to_string(),
            "eventSource": "kms.amazonaws.com", "eventName": name, "sourceIPAddress": via.map_or("198.51.100.7", |_| "bedrock.amazonaws.com"),
            "readOnly": true,
            "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{who}/s1"),
                "sessionContext": {"sessionIssuer": {"arn": role_arn(who).as_str(), "userName": who}}},
            "requestParameters": {"encryptionContext": {"aws:bedrock:arn": "x\u{1b}[31m"}},
            "resources": [{"ARN": key_arn("orion-chat").as_str(), "type": "AWS::KMS::Key"}],
        });
        if denied {
            record["errorCode"] = "AccessDenied".into();
            record["errorMessage"] = "no identity-based policy allows kms:Decrypt".into();
        }
        if let Some(via) = via {
            record["userIdentity"]["invokedBy"] = via.into();
        }
        Event::from_record(record).unwrap()
    };
    let mut events: Vec<Event> = (0..25).map(|n| one(n, 4 + n * 13, "ci-runner", "Decrypt", true, None)).collect();
    events.extend((25..55).map(|n| one(n, 300 + n * 1500, "App", "Decrypt", false, Some("bedrock.amazonaws.com"))));
    events.push(one(60, 260, "ci-runner", "CreateGrant", false, None));
    events.push(one(61, 8000, "OrionTuner", "GenerateDataKey", false, Some("bedrock.amazonaws.com")));
    events
}

pub fn invocations() -> Vec<Invocation> {
    let one = |n: i64, ago: i64, who: &str, of: &str, tokens: (u64, u64), error: Option<&str>| {
        let record = serde_json::json!({
            "schemaType": "ModelInvocationLog", "timestamp": now().plus_secs(-ago).to_string(),
            "requestId": format!("7b1f0c52-{n:04}-4e5b-9d7a-5c0e1f2a3b4c"), "operation": "Converse", "modelId": of,
            "identity": {"arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{who}/s1")}, "errorCode": error,
            "input": {"inputTokenCount": tokens.0, "inputBodyJson": "PROMPT\u{1b}[31m"},
            "output": {"outputTokenCount": error.is_none().then_some(tokens.1), "outputBodyJson": ["ANSWER"]},
        });
        Invocation::parse(&record.to_string(), &"/aws/bedrock/invocations".into()).unwrap()
    };
    let (deployed, provisioned) =
        (arn("bedrock", "custom-model-deployment/d1"), arn("bedrock", "provisioned-model/p1"));
    let (deployed, provisioned) = (deployed.as_str(), provisioned.as_str());
    let base = "us.anthropic.claude-3-haiku-20240307-v1:0";
    let mut all: Vec<_> = (0..20i64)
        .map(|n| one(n, 7 + n * 211, "App", deployed, (180 + n as u64 * 31, 40 + n as u64 * 7), None))
        .collect();
    all.push(one(30, 100, "ci-runner", deployed, (0, 0), Some("AccessDeniedException")));
    all.push(one(31, 400, "App\u{202e}", base, (91_000, 2_000), None));
    all.push(one(32, 90_000, "App", provisioned, (512, 64), Some("ThrottlingException")));
    all
}
