//! AWS Security Hub: findings in ASFF, a hundred a call. The service takes the same finding again by its id, so a
//! push that was cut off is simply made again.

use std::fmt::Debug;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Writer;
use crate::aws::small::{Rest, Service};
use crate::base::Text;
use crate::inventory::ReadError;

/// Findings a call, and bytes a finding (Security Hub API Reference, BatchImportFindings).
const BATCH: usize = 100;
const LARGEST: usize = 240_000;
/// Bytes a call: the service refuses more (AWS Security Hub user guide, quotas).
const CALL: usize = 6_000_000;

/// What became of findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// How many were taken.
    pub taken: usize,
    /// Ids of those that were not, and why.
    pub refused: Vec<(Text, Text)>,
    /// The call that failed; the findings of it and of those after were not sent.
    pub error: Option<ReadError>,
    /// How many were not sent because of it.
    pub unsent: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    success_count: usize,
    #[serde(default)]
    failed_findings: Vec<Failed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    error_code: String,
    error_message: String,
}

impl Writer {
    /// `BatchImportFindings` of all of them, in batches. One that is too large is not sent, which is told.
    pub async fn import_findings(&self, findings: &[Value]) -> Imported {
        let mut imported = Imported::default();
        let (mut batches, mut size): (Vec<Vec<&Value>>, usize) = (Vec::new(), CALL);
        for finding in findings {
            let bytes = finding.to_string().len();
            if bytes > LARGEST {
                let why = format!("it has {bytes} bytes, and Security Hub takes {LARGEST}");
                imported.refused.push((id(finding), Text::new(why)));
                continue;
            }
            match batches.last_mut().filter(|batch| batch.len() < BATCH && size + bytes < CALL) {
                Some(batch) => {
                    batch.push(finding);
                    size += bytes;
                }
                None => {
                    batches.push(vec![finding]);
                    size = bytes;
                }
            }
        }
        let client = self.session().small(Service::SecurityHub);
        for (at, batch) in batches.iter().enumerate() {
            let request = Rest::post("/findings/import", json!({"Findings": batch}));
            match client.rest::<Answer>("BatchImportFindings", request).await {
                Ok(answer) => {
                    imported.taken += answer.success_count;
                    let refused = answer.failed_findings.into_iter();
                    imported.refused.extend(refused.map(|one| {
                        (Text::new(one.id), Text::new(format!("{}: {}", one.error_code, one.error_message)))
                    }));
                }
                Err(error) => {
                    imported.error = Some(error);
                    imported.unsent = batches[at..].iter().map(Vec::len).sum();
                    break;
                }
            }
        }
        imported
    }
}

fn id(finding: &Value) -> Text {
    Text::new(finding["Id"].as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer as Reply, Server, session, write_session};
    use crate::aws::write::WriteToken;

    fn findings(count: usize) -> Vec<Value> {
        (0..count).map(|n| json!({"Id": format!("f-{n}"), "Title": "t"})).collect()
    }

    #[tokio::test]
    async fn a_hundred_a_call_and_each_refusal_is_told() {
        let server = Server::aws(|request| {
            let sent = request.body().matches("\"Id\"").count();
            let failed = r#"[{"Id":"f-7","ErrorCode":"InvalidInput","ErrorMessage":"no"}]"#;
            let (failed, count) = if request.has("\"f-7\"") { (failed, 1) } else { ("[]", 0) };
            Some(Reply::json(
                200,
                &format!(r#"{{"FailedCount":{count},"SuccessCount":{},"FailedFindings":{failed}}}"#, sent - count),
            ))
        })
        .await;
        let (session, token) = write_session(&server).await;
        let writer = Writer::new(&session, token).unwrap();
        let mut all = findings(230);
        all.push(json!({"Id": "big", "Description": "x".repeat(LARGEST)}));
        let imported = writer.import_findings(&all).await;
        assert_eq!((imported.taken, imported.unsent, imported.error), (229, 0, None));
        let refused: Vec<_> = imported.refused.iter().map(|(id, why)| (id.as_str(), why.as_str())).collect();
        assert_eq!(refused[1], ("f-7", "InvalidInput: no"));
        assert!(refused[0].0 == "big" && refused[0].1.contains("240000"), "{refused:?}");
        let seen = server.seen();
        let sizes: Vec<_> = seen.iter().map(|request| request.body().matches("\"Id\"").count()).collect();
        assert_eq!(sizes, [100, 100, 30]);
        assert!(seen.iter().all(|r| r.has("POST /findings/import ") && r.has("/us-east-1/securityhub/aws4_request")));
    }

    #[tokio::test]
    async fn what_fails_ends_the_push_and_says_how_much_is_left() {
        let server = Server::aws(|request| {
            let refused = request.has("\"f-150\"");
            let denied = Reply::json(403, r#"{"__type":"AccessDeniedException","Message":"no"}"#);
            Some(if refused { denied } else { Reply::json(200, r#"{"FailedCount":0,"SuccessCount":100}"#) })
        })
        .await;
        let (session, token) = write_session(&server).await;
        let writer = Writer::new(&session, token).unwrap();
        let imported = writer.import_findings(&findings(250)).await;
        assert_eq!((imported.taken, imported.unsent), (100, 150));
        let error = imported.error.unwrap();
        assert_eq!(error.operation, "securityhub:BatchImportFindings");
    }

    #[tokio::test]
    async fn a_session_without_a_token_sends_nothing() {
        let server = Server::aws(|_| Some(Reply::json(200, "{}"))).await;
        let plain = session(&server).await;
        assert!(Writer::new(&plain, WriteToken::for_tests()).is_err());
        let request = Rest::post("/findings/import", json!({"Findings": []}));
        let client = plain.small(Service::SecurityHub);
        let error = client.rest::<Value>("BatchImportFindings", request).await.unwrap_err();
        assert_eq!(error.kind, crate::inventory::ErrorKind::Refused);
        assert!(server.seen().is_empty());
    }
}
