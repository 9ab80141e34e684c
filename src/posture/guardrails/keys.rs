//! CUS-GRD-07: which key a guardrail has, and whether that key can be used for it.

use crate::access::{Policy, Statement};
use crate::base::Text;
use crate::inventory::kms::Key;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, PCI};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const GRD_07: Control = Control {
    id: "CUS-GRD-07",
    title: "Guardrail encrypted with a customer managed key",
    severity: Severity::Medium,
    area: Area::Guardrails,
    what: "guardrails",
    lists: &[SourceId::GUARDRAILS],
    tables: &[],
    details: &[SourceId::GUARDRAIL_DETAILS, SourceId::KEYS, SourceId::KEY_POLICIES],
    logic: "Each guardrail must name a KMS key that the customer manages. Its key policy must let somebody, directly or \
            by leaving it to IAM, do what those who make guardrails need (CreateGrant, DescribeKey, GenerateDataKey, \
            Decrypt), and what those who use them need (Decrypt). Whether single roles have these rights is not judged \
            here.",
    reasons: &["no-cmk", "aws-managed-key", "creators-lack-rights", "users-lack-decrypt"],
    remediation: "Update the guardrail with a customer managed key (write it back whole: an update replaces every \
                  policy that it does not repeat), and put the statements for creators and users into the key policy.",
    cli: "aws bedrock update-guardrail --guardrail-identifier ID --kms-key-id KEY --cli-input-json file://GUARDRAIL.json",
    compliance: &[
        (NIST, &["SC-28(1)", "SC-12"]),
        (FEDRAMP, &["SC-28(1)", "SC-12"]),
        (PCI, &["3.5.1"]),
        (GDPR, &["32"]),
        (ATLAS, &["AML.M0012"]),
    ],
    fixes: &[],
    evaluate: guardrail_keys,
};

/// What whoever makes or changes a guardrail needs (Amazon Bedrock User Guide, PermissionsForGuardrailsCreators).
const CREATORS: &[&str] = &["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey"];
/// What they and whoever uses it need.
const USERS: &str = "kms:Decrypt";

fn guardrail_keys(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let mut verdicts = Vec::new();
    for guardrail in context.inventory.guardrails.values() {
        let subject = judge.on(ResourceRef::new(Kind::Guardrail, &guardrail.arn));
        let name = &guardrail.name;
        let detail = match guardrail.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("bedrock:GetGuardrail", unknown)));
                continue;
            }
        };
        let Some(named) = &detail.kms_key else {
            let draft = subject.shows("kmsKeyArn", "none");
            verdicts.push(
                draft
                    .fail("no-cmk", format!("guardrail {name} has no KMS key: it is encrypted with one that AWS owns")),
            );
            continue;
        };
        let key = context.key(named);
        let subject = subject.related([ResourceRef::new(Kind::Key, key.map_or(named, |key| &key.arn))]);
        let Some(key) = key else {
            let why = judge
                .gap(SourceId::KEYS)
                .map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
            verdicts.push(subject.unread(format!("key {named}: {why}")));
            continue;
        };
        let metadata = match key.metadata.known() {
            Ok(metadata) => metadata,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("kms:DescribeKey", unknown)));
                continue;
            }
        };
        let label = key.label();
        if metadata.manager.as_str() != "CUSTOMER" {
            let draft = subject.shows("kmsKeyArn", named).shows("KeyManager", &metadata.manager);
            verdicts.push(
                draft.fail("aws-managed-key", format!("guardrail {name} is encrypted with {label}, which AWS manages")),
            );
            continue;
        }
        let lacking = match lacking(key) {
            Ok(lacking) => lacking,
            Err(Lack::Unread(why)) => {
                verdicts.push(subject.unread(why));
                continue;
            }
            Err(Lack::Malformed(why, pointer)) => {
                verdicts.push(subject.malformed(&format!("policy of key {label}"), pointer, why));
                continue;
            }
        };
        let draft = subject
            .shows("kmsKeyArn", named)
            .shows("KeyManager", &metadata.manager)
            .shows("KeyState", &metadata.state)
            .shows("alias", label);
        let mut problems = Vec::new();
        if lacking.contains(&USERS) {
            let why = format!("the policy of key {label} lets nobody decrypt: calls with guardrail {name} are refused");
            problems.push(Problem::fail("users-lack-decrypt", why));
        }
        let creators: Vec<&str> = lacking.into_iter().filter(|action| *action != USERS).collect();
        if !creators.is_empty() {
            let why = format!(
                "the policy of key {label} lets nobody do {}: guardrail {name} cannot be changed",
                listed(creators)
            );
            problems.push(Problem::fail("creators-lack-rights", why));
        }
        verdicts.extend(draft.conclude(problems, format!("encrypted with the customer managed key {label}")));
    }
    verdicts
}

enum Lack {
    Unread(String),
    Malformed(String, Option<Text>),
}

/// What no statement of the key policy lets anybody do.
fn lacking(key: &Key) -> Result<Vec<&'static str>, Lack> {
    let document = key.policy.known().map_err(|unknown| Lack::Unread(unread("kms:GetKeyPolicy", unknown)))?;
    let policy = Policy::parse(document).map_err(|error| Lack::Malformed(error.to_string(), None))?;
    let allowed = |action: &str| {
        let covers = |statement: &&Statement| statement.actions.as_ref().is_some_and(|actions| actions.cover(action));
        policy.statements.iter().filter(|statement| statement.allows()).any(|statement| covers(&statement))
    };
    let lacking: Vec<&str> = CREATORS.iter().copied().chain([USERS]).filter(|action| !allowed(action)).collect();
    match policy.malformed().next() {
        Some((statement, why)) if !lacking.is_empty() => {
            Err(Lack::Malformed(why.to_owned(), Some(statement.pointer())))
        }
        _ => Ok(lacking),
    }
}
