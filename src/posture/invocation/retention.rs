//! CUS-INV-09: whether model providers may see what the account sends.

use super::{PRESENCE, customization};
use crate::inventory::{ErrorKind, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_09: Control = Control {
    id: "CUS-INV-09",
    title: "Account data-retention mode is not provider sharing",
    severity: Severity::High,
    area: Area::Invocation,
    what: "customization resources",
    lists: &[],
    tables: &[],
    details: &[SourceId::DATA_RETENTION],
    logic: "The data-retention mode of the account in this Region (GetAccountDataRetention) must not be \
            provider_data_share: then prompts and answers go to the provider of the model. none is right; default and \
            inherit leave it to AWS and are a low warning. What another mode means is not known. Judged where \
            customization resources are.",
    reasons: &["provider-sharing", "mode-left-to-aws"],
    remediation: "Set the mode to none. Models that require retention cannot be used then.",
    cli: "aws bedrock put-account-data-retention --mode none",
    compliance: &[
        (NIST, &["SA-9", "PT-2", "AC-21"]),
        (FEDRAMP, &["SA-9"]),
        (HIPAA, &["164.308(b)"]),
        (GDPR, &["28", "44"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0057"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: retention,
};

fn retention(judge: &Judge<'_>) -> Vec<Verdict> {
    let here = customization(judge);
    if here.is_empty() {
        let unlisted = judge.any_gap(PRESENCE);
        return unlisted.map(|why| judge.on_region().unread(why)).into_iter().collect();
    }
    let region = judge.context.region;
    let subject = judge.on_region().related([ResourceRef::new(Kind::Setting, "data-retention")]);
    let read = &judge.context.inventory.settings.data_retention;
    if read.error().is_some_and(|error| error.kind == ErrorKind::Unsupported) {
        return vec![subject.not_applicable(format!("Bedrock in {region} has no data-retention mode"))];
    }
    let retention = match read.known() {
        Ok(retention) => retention,
        Err(unknown) => return vec![subject.unread(unread("bedrock:GetAccountDataRetention", unknown))],
    };
    let draft = subject.shows("mode", &retention.mode).shows_some("updatedAt", retention.updated);
    let problem = match retention.mode.as_str() {
        "none" => None,
        "provider_data_share" => {
            let why = format!("what is sent to Bedrock in {region} is shared with the providers of the models");
            Some(Problem::fail("provider-sharing", why))
        }
        mode @ ("default" | "inherit") => {
            let why = format!("the data-retention mode in {region} is {mode}: what is kept is left to AWS");
            Some(if judge.context.expect.require_no_retention {
                Problem::fail("mode-left-to-aws", why)
            } else {
                Problem::warn("mode-left-to-aws", why).graded(Severity::Low)
            })
        }
        // why no finding: the list of modes is open.
        other => return vec![draft.undecided("unknown-mode", format!("what the mode '{other}' means is not known"))],
    };
    draft.conclude(
        problem.into_iter().collect(),
        format!("nothing that is sent to Bedrock in {region} is kept or shared"),
    )
}
