//! CUS-INV-03 and 04: to whom models are given, by their own policies and by resource shares.

use crate::access::Policy;
use crate::inventory::feeders::Share;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::outsiders;
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_03: Control = Control {
    id: "CUS-INV-03",
    title: "Model resource policy grants nothing outside the organisation",
    severity: Severity::Critical,
    area: Area::Invocation,
    what: "custom models that we own",
    lists: &[SourceId::MODELS],
    tables: &[],
    details: &[SourceId::MODEL_POLICIES],
    logic: "No Allow of a model's resource policy may name everybody (\"*\", or NotPrincipal) unless a condition ties it \
            to our organization (aws:PrincipalOrgID, aws:PrincipalOrgPaths) or to accounts (aws:PrincipalAccount, \
            aws:SourceAccount), and none may name an account, in Principal or in such a condition, that is neither \
            ours nor trusted. An organization other than ours is outside; when ours is not known, so is the verdict. \
            A model without a policy passes. Access Analyzer does not look at these policies.",
    reasons: outsiders::REASONS,
    remediation: "Remove the statement, or delete the policy.",
    cli: "aws bedrock delete-resource-policy --resource-arn MODEL",
    compliance: &[
        (NIST, &["AC-3", "AC-21"]),
        (FEDRAMP, &["AC-3", "AC-21"]),
        (PCI, &["7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["32", "44"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0044", "AML.T0048.004"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: model_policies,
};

fn model_policies(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for model in judge.context.inventory.models.values().filter(|model| model.owned) {
        let subject = judge.on_item(Kind::Model, model);
        let document = match model.policy.known() {
            Ok(document) => document,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("bedrock:GetResourcePolicy", unknown)));
                continue;
            }
        };
        let Some(document) = document else {
            verdicts.push(subject.shows("resourcePolicy", "none").pass("has no resource policy"));
            continue;
        };
        let policy = match Policy::parse(document) {
            Ok(policy) => policy,
            Err(error) => {
                verdicts.push(subject.malformed("resource policy", None, error));
                continue;
            }
        };
        verdicts.extend(outsiders::judge_policy(judge.context, &policy, subject, "resource policy", "have the model"));
    }
    verdicts
}

pub(in crate::posture) const INV_04: Control = Control {
    id: "CUS-INV-04",
    title: "RAM shares of custom models stay inside approved accounts",
    severity: Severity::High,
    area: Area::Invocation,
    what: "resource shares of custom models",
    lists: &[SourceId::RAM_RESOURCES],
    tables: &[],
    details: &[SourceId::RAM, SourceId::RAM_PRINCIPALS],
    logic: "Each active resource share that holds custom models of this account must not allow principals outside the \
            organization, and may be for trusted accounts only. Whoever a model is shared with can copy it, and the \
            copy stays when the share ends. A share for a whole organization or unit is a warning: who is in it \
            changes without you.",
    reasons: &["external-principal", "unapproved-account", "external-allowed", "whole-organization"],
    remediation: "Take the principal out of the share. Copies that were made remain: look for them with the receiver.",
    cli: "aws ram disassociate-resource-share --resource-share-arn SHARE --principals ACCOUNT",
    compliance: &[
        (NIST, &["AC-21", "AC-3"]),
        (FEDRAMP, &["AC-21", "AC-3"]),
        (PCI, &["7.2.1"]),
        (HIPAA, &["164.308(b)"]),
        (GDPR, &["28", "44"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0048.004"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: shares,
};

fn shares(judge: &Judge<'_>) -> Vec<Verdict> {
    judge.context.inventory.shares.values().flat_map(|share| of_share(judge, share)).collect()
}

fn of_share(judge: &Judge<'_>, share: &Share) -> Vec<Verdict> {
    let subject = judge
        .on(ResourceRef::new(Kind::Share, &share.arn))
        .related(share.models.iter().map(|model| ResourceRef::new(Kind::Model, model)));
    let (detail, principals) = match (share.detail.known(), share.principals.known()) {
        (Ok(detail), Ok(principals)) => (detail, principals),
        (Err(unknown), _) => return vec![subject.unread(unread("ram:GetResourceShares", unknown))],
        (_, Err(unknown)) => return vec![subject.unread(unread("ram:ListPrincipals", unknown))],
    };
    let name = &detail.name;
    if matches!(detail.status.as_str(), "DELETED" | "DELETING" | "FAILED") {
        return vec![subject.not_applicable(format!("share {name} is {}: it shares nothing", detail.status))];
    }
    let models = listed(share.models.iter().map(|id| judge.context.name_of(&ResourceRef::new(Kind::Model, id))));
    let mut problems = Vec::new();
    for principal in principals {
        let id = &principal.id;
        // Only an organization and its units have ARNs without an account that could be trusted.
        let arn = id.arn();
        let group =
            arn.as_ref().is_some_and(|arn| arn.service == "organizations" && !arn.resource.starts_with("account/"));
        let account = match &arn {
            Some(arn) if arn.service == "organizations" => id.last(),
            Some(arn) => arn.account.as_str(),
            None => id.as_str(),
        };
        if principal.external && !judge.context.trusts(account) {
            let why = format!("share {name} gives {models} to {id}, outside the organization");
            problems.push(Problem::fail("external-principal", why).shows("principal", id));
        } else if group {
            let why = format!("share {name} gives {models} to everybody in {}", id.last());
            problems.push(Problem::warn("whole-organization", why).graded(Severity::Medium).shows("principal", id));
        } else if !judge.context.trusts(account) {
            let why = format!("share {name} gives {models} to account {account}, which is not trusted");
            problems.push(Problem::fail("unapproved-account", why).shows("principal", id));
        }
    }
    if detail.external_allowed {
        let why = format!("share {name} may be given to principals outside the organization");
        problems.push(Problem::warn("external-allowed", why).graded(Severity::Medium));
    }
    let draft = subject
        .shows("allowExternalPrincipals", detail.external_allowed)
        .shows("status", &detail.status)
        .shows("principals", principals.len())
        .shows("models", &models);
    draft.conclude(problems, "is for trusted accounts only")
}
