//! CUS-GRD-01: whether there is a guardrail where custom models are served.

use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const GRD_01: Control = Control {
    id: "CUS-GRD-01",
    title: "A ready, versioned guardrail exists in each serving region",
    severity: Severity::High,
    area: Area::Guardrails,
    what: "deployments, throughput or imported models",
    lists: &[SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS, SourceId::IMPORTED_MODELS],
    tables: &[SourceId::GUARDRAILS, SourceId::ENFORCED_GUARDRAILS],
    details: &[],
    logic: "A region that serves a custom or imported model must have a guardrail that is READY and has a numbered \
            version that is, or one that is enforced from outside the account. A draft alone is a warning: whoever may \
            edit it changes what callers get.",
    reasons: &["no-guardrail", "not-ready", "draft-only"],
    remediation: "Create a guardrail, and a version of it.",
    cli: "aws bedrock create-guardrail --name NAME … && aws bedrock create-guardrail-version --guardrail-identifier ID",
    compliance: &[
        (NIST, &["SI-10", "SC-7"]),
        (FEDRAMP, &["SI-10", "SC-7"]),
        (PCI, &["6.2.4"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.M0020"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: exists,
};

const READY: &str = "READY";

fn exists(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let deployments = inventory.deployments.keys().map(|id| ResourceRef::new(Kind::Deployment, id));
    let throughputs = inventory.throughputs.keys().map(|id| ResourceRef::new(Kind::Throughput, id));
    let imported = inventory.imported_models.keys().map(|id| ResourceRef::new(Kind::ImportedModel, id));
    let served: Vec<ResourceRef> = deployments.chain(throughputs).chain(imported).collect();
    if served.is_empty() {
        return Vec::new();
    }
    let region = judge.context.region;
    let count = served.len();
    let foreign = inventory
        .enforced_guardrails
        .values()
        .find(|config| config.guardrail.arn().is_some_and(|arn| arn.account != judge.context.account));
    let versions = inventory.guardrail_versions.values().filter(|version| version.status.as_str() == READY);
    let numbered: Vec<String> = versions
        .filter_map(|version| {
            let guardrail = inventory.guardrails.get(&version.guardrail)?;
            (guardrail.status.as_str() == READY).then(|| format!("{} version {}", guardrail.name, version.version))
        })
        .collect();
    let all = inventory.guardrails.values().map(|guardrail| format!("{} {}", guardrail.name, guardrail.status));
    let all = if inventory.guardrails.is_empty() { "none".to_owned() } else { listed(all) };
    let draft = judge
        .on_region()
        .related(served)
        .shows("guardrails", &all)
        .shows("served", count)
        .shows_some("versions", (!numbered.is_empty()).then(|| listed(&numbered)))
        .shows_some("enforcedFromOutside", foreign.map(|config| &config.guardrail));
    if let Some(config) = foreign {
        return vec![draft.pass(format!("guardrail {} is enforced from outside the account", config.guardrail.last()))];
    }
    if !numbered.is_empty() {
        return vec![draft.pass(format!("guardrail {} is ready", listed(numbered)))];
    }
    if inventory.guardrails.is_empty() {
        return vec![match judge.gap(SourceId::GUARDRAILS) {
            Some(why) => draft.undecided("unread", why),
            None => draft.fail("no-guardrail", format!("{region} serves custom models and has no guardrail")),
        }];
    }
    let ready = inventory.guardrails.values().any(|guardrail| guardrail.status.as_str() == READY);
    vec![if ready {
        draft.warn(
            "draft-only",
            format!("no guardrail in {region} has a version that is ready: a draft changes under its callers ({all})"),
        )
    } else {
        draft.fail("not-ready", format!("no guardrail in {region} is ready: {all}"))
    }]
}
