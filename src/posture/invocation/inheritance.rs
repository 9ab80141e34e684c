//! CUS-INV-05: from whom models came that this account did not make.

use crate::base::{ResourceId, Text};
use crate::inventory::bedrock::JobStatus;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Subject};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_05: Control = Control {
    id: "CUS-INV-05",
    title: "Models received from other accounts are trusted",
    severity: Severity::High,
    area: Area::Invocation,
    what: "models received or copied from other accounts",
    lists: &[SourceId::COPY_JOBS],
    // why a table: the owner stands in the list itself, so nothing else would say that it is old.
    tables: &[SourceId::MODELS],
    details: &[],
    logic: "The owner of each model that another account shares with this one, and the source account of each model \
            that was copied in, must be a trusted account: what a stranger trained may be made to misbehave. Copy jobs \
            that failed brought nothing and are left out.",
    reasons: &["untrusted-owner", "untrusted-source"],
    remediation: "Find out who gave the model and why; do not serve it until that is known.",
    cli: "aws bedrock list-custom-models --no-is-owned",
    compliance: &[
        (NIST, &["SR-3", "SR-11", "SA-9"]),
        (FEDRAMP, &["SR-3", "SR-11", "SA-9"]),
        (PCI, &["6.3.2"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0010.003", "AML.T0058"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: received,
};

fn received(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut verdicts = Vec::new();
    for model in inventory.models.values().filter(|model| !model.owned) {
        let subject = judge.on_item(Kind::Model, model);
        let what = format!("model {} belongs to account", model.name);
        verdicts.push(trusted(judge, subject, &model.owner, "ownerAccountId", ("untrusted-owner", &what)));
    }
    for job in inventory.copy_jobs.values().filter(|job| job.status != JobStatus::Failed) {
        let source = origin(&job.source_account, &job.source_model);
        if source.as_str() == judge.context.account {
            continue;
        }
        let subject = judge
            .on(ResourceRef::new(Kind::CopyJob, &job.arn))
            .related([ResourceRef::new(Kind::Model, &job.target_model)]);
        let what = format!("model {} was copied from account", job.target_name);
        verdicts.push(trusted(judge, subject, &source, "sourceAccountId", ("untrusted-source", &what)));
    }
    verdicts
}

/// The account a copy came from: as the API says, else of the source's ARN.
fn origin(named: &Text, source: &ResourceId) -> Text {
    if named.is_empty() { source.arn().map(|arn| Text::new(arn.account)).unwrap_or_default() } else { named.clone() }
}

fn trusted(
    judge: &Judge<'_>,
    subject: Subject<'_>,
    account: &Text,
    label: &'static str,
    (code, what): (&'static str, &str),
) -> Verdict {
    if account.is_empty() {
        return subject.undecided("owner-unknown", format!("{what} that is not named"));
    }
    let draft = subject.shows(label, account);
    if judge.context.trusts(account.as_str()) {
        draft.pass(format!("from account {account}, which is trusted"))
    } else {
        draft.fail(code, format!("{what} {account}, which is not trusted"))
    }
}
