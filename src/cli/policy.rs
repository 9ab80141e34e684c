//! `policy`: the IAM policy that bedwatch needs, derived from the operations it may send.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, Trouble};
use crate::aws::operations::{WRITES, service_operation};
use crate::inventory::SourceId;

/// Which policy.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// Print what fixes and `scan --push-security-hub` need besides the read-only policy
    #[arg(long)]
    write: bool,
    /// Print what `scan --deep`, and `data scan` and `artifact check` of s3:// addresses, need besides the read-only policy
    #[arg(long, conflicts_with = "write")]
    content: bool,
}

/// Runs it.
pub(super) fn run(args: &PolicyArgs) -> Result<Exit, Trouble> {
    let policy = match args {
        PolicyArgs { write: true, .. } => write_policy(),
        PolicyArgs { content: true, .. } => content_policy(),
        _ => read_policy(),
    };
    // Printing a Value cannot fail but by the stream.
    let text = serde_json::to_string_pretty(&policy).map_err(io::Error::from)?;
    writeln!(io::stdout(), "{text}")?;
    Ok(Exit::Clean)
}

fn read_policy() -> Value {
    let actions: Vec<String> =
        SourceId::all().filter(|source| source.is_read()).flat_map(SourceId::actions).map(str::to_owned).collect();
    document("Read", &actions)
}

fn write_policy() -> Value {
    document(
        "Fix",
        &WRITES.iter().map(|(service, operation)| action(&service_operation(service, operation))).collect::<Vec<_>>(),
    )
}

/// What the sources of a deep look take, which are the operations of `operations::CONTENT`. S3 decrypts on the
/// caller's behalf.
fn content_policy() -> Value {
    let mut actions: Vec<&str> =
        SourceId::all().filter(|source| source.is_deep()).flat_map(SourceId::actions).collect();
    actions.sort_unstable();
    actions.dedup();
    // Only for --comprehend; without it these are never sent.
    let opinion: Vec<&str> = SourceId::all().filter(|source| source.is_opinion()).flat_map(SourceId::actions).collect();
    let of = |service: &str| -> Vec<&str> { actions.iter().copied().filter(|a| a.starts_with(service)).collect() };
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "BedwatchContent", "Effect": "Allow", "Action": of("s3:"),
            "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"]},
        {"Sid": "BedwatchContentLog", "Effect": "Allow", "Action": of("logs:"),
            "Resource": "arn:aws:logs:REGION:ACCOUNT:log-group:GROUP:*"},
        {"Sid": "BedwatchSecondOpinion", "Effect": "Allow", "Action": opinion, "Resource": "*"},
        {"Sid": "BedwatchContentKey", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*",
            "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}},
    ]})
}

/// The IAM action of an operation, where it has another name (Service Authorization Reference, Amazon S3).
fn action(operation: &str) -> String {
    match operation {
        "s3:PutPublicAccessBlock" => "s3:PutBucketPublicAccessBlock",
        same => same,
    }
    .to_owned()
}

/// One statement a service, so that the document reads as the services do.
fn document(verb: &str, actions: &[String]) -> Value {
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for action in actions {
        let service = action.split(':').next().unwrap_or_default();
        services.entry(service).or_default().push(action);
    }
    let statements: Vec<_> = services
        .into_iter()
        .map(|(service, mut actions)| {
            actions.sort_unstable();
            actions.dedup();
            json!({"Sid": format!("Bedwatch{verb}{}", capital(service)), "Effect": "Allow", "Action": actions, "Resource": "*"})
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_every_source_that_is_read_and_no_other() {
        let (text, content) = (read_policy().to_string(), content_policy().to_string());
        for source in SourceId::all() {
            for action in source.actions() {
                let action = format!("\"{action}\"");
                assert_eq!(text.contains(&action), source.is_read(), "{action}");
                assert_eq!(content.contains(&action), source.is_deep() || source.is_opinion(), "{action}");
            }
        }
        assert!(!text.contains('*') || text.matches("\"*\"").count() == text.matches('*').count());
        for action in [
            "kms:CreateGrant",
            "kms:PutKeyPolicy",
            "kms:RevokeGrant",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "securityhub:BatchImportFindings",
        ] {
            assert!(write_policy().to_string().contains(action));
            assert!(!text.contains(action));
        }
        for action in ["s3:GetObject\"", "s3:ListBucket\"", "kms:Decrypt"] {
            assert!(content_policy().to_string().contains(action) && !text.contains(action), "{action}");
        }
    }
}
