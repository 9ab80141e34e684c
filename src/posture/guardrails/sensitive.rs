//! CUS-GRD-05: whether guardrails in force keep back what a model may have learned by heart.

use std::collections::{BTreeMap, BTreeSet};

use crate::content::rules::{self, Rule};
use crate::inventory::guardrails::GuardrailDetail;
use crate::inventory::objects::{Dataset, Purpose};
use crate::inventory::{Kind, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::IN_FORCE;
use super::filters::each;

pub(in crate::posture) const GRD_05: Control = Control {
    id: "CUS-GRD-05",
    title: "Sensitive information is kept out of the answers of a model that can replay its training data",
    severity: Severity::High,
    area: Area::Guardrails,
    what: "guardrails in force",
    lists: IN_FORCE,
    tables: &[],
    details: &[SourceId::GUARDRAIL_DETAILS],
    logic: "Each guardrail in force must block or mask, in answers, at least access keys of AWS, passwords, US social \
            security numbers, card numbers, e-mail addresses, telephone numbers and names. A filter that looks at prompts \
            alone, or only detects, does not count. What Macie has found in the buckets of the lineage, and a deep look \
            in training data, as far as that was read, must be covered too.",
    reasons: &["missing-entities", "not-on-answers", "dataset-not-covered"],
    remediation: "Read the guardrail, add the entities with an action on outputs, write it back whole, and make a new \
                  version: an update replaces every policy that it does not repeat.",
    cli: "aws bedrock update-guardrail --guardrail-identifier ID --cli-input-json file://GUARDRAIL.json",
    compliance: &[
        (NIST, &["AC-21", "SI-15"]),
        (FEDRAMP, &["AC-21"]),
        (PCI, &["3.4.1"]),
        (HIPAA, &["164.514"]),
        (GDPR, &["5(1)(c)", "25"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0057", "AML.T0024.000", "AML.M0002"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: sensitive,
};

/// What every guardrail must keep back.
pub(in crate::posture) const REQUIRED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "PASSWORD",
    "US_SOCIAL_SECURITY_NUMBER",
    "CREDIT_DEBIT_CARD_NUMBER",
    "EMAIL",
    "PHONE",
    "NAME",
];

/// Macie's word for a kind of data, and the entity of a guardrail that is the same (Amazon Macie User Guide, managed
/// data identifiers; Amazon Bedrock API Reference, GuardrailPiiEntity).
const SAME: &[(&str, &str)] = &[
    ("ADDRESS", "ADDRESS"),
    ("AWS_CREDENTIALS", "AWS_SECRET_KEY"),
    ("BANK_ACCOUNT_NUMBER", "US_BANK_ACCOUNT_NUMBER"),
    ("CANADA_HEALTH_NUMBER", "CA_HEALTH_NUMBER"),
    ("CANADA_SOCIAL_INSURANCE_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER"),
    ("CREDIT_CARD_EXPIRATION", "CREDIT_DEBIT_CARD_EXPIRY"),
    ("CREDIT_CARD_NUMBER", "CREDIT_DEBIT_CARD_NUMBER"),
    ("CREDIT_CARD_NUMBER_(NO_KEYWORD)", "CREDIT_DEBIT_CARD_NUMBER"),
    ("CREDIT_CARD_SECURITY_CODE", "CREDIT_DEBIT_CARD_CVV"),
    ("EMAIL_ADDRESS", "EMAIL"),
    ("NAME", "NAME"),
    ("PHONE_NUMBER", "PHONE"),
    ("UK_NATIONAL_INSURANCE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER"),
    ("UK_NHS_NUMBER", "UK_NATIONAL_HEALTH_SERVICE_NUMBER"),
    ("USA_DRIVING_LICENSE", "DRIVER_ID"),
    ("USA_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER"),
    ("USA_PASSPORT_NUMBER", "US_PASSPORT_NUMBER"),
    ("USA_SOCIAL_SECURITY_NUMBER", "US_SOCIAL_SECURITY_NUMBER"),
    ("VEHICLE_IDENTIFICATION_NUMBER", "VEHICLE_IDENTIFICATION_NUMBER"),
];

/// The same for rules of bedwatch's own look into training data.
const OURS: &[(&Rule, &str)] = &[
    (&rules::CARD, "CREDIT_DEBIT_CARD_NUMBER"),
    (&rules::EMAIL, "EMAIL"),
    (&rules::IBAN, "INTERNATIONAL_BANK_ACCOUNT_NUMBER"),
    (&rules::PHONE, "PHONE"),
    (&rules::NINO, "UK_NATIONAL_INSURANCE_NUMBER"),
    (&rules::SSN, "US_SOCIAL_SECURITY_NUMBER"),
];

fn sensitive(judge: &Judge<'_>) -> Vec<Verdict> {
    let found = in_datasets(judge.context);
    each(judge, |one, detail, draft| {
        let label = one.label();
        let (kept, seen) = sides(detail);
        let lacking = REQUIRED.iter().copied().filter(|entity| !kept.contains(entity));
        let (missing, idle): (Vec<&str>, Vec<&str>) = lacking.partition(|entity| !seen.contains(entity));
        let beyond = found.keys().copied().filter(|entity| !REQUIRED.contains(entity) && !kept.contains(entity));
        let beyond: Vec<&str> = beyond.collect();
        let mut problems = Vec::new();
        if !missing.is_empty() {
            let why = format!("guardrail {label} has no filter of {}", listed(&missing));
            problems.push(Problem::fail("missing-entities", why));
        }
        if !idle.is_empty() {
            let why = format!("guardrail {label} lets {} through in answers", listed(&idle));
            problems.push(Problem::fail("not-on-answers", why));
        }
        if !beyond.is_empty() {
            let where_ = listed(beyond.iter().flat_map(|entity| &found[entity]).collect::<BTreeSet<_>>());
            let why = format!("{} was found in {where_}, and guardrail {label} does not keep it back", listed(&beyond));
            problems.push(Problem::fail("dataset-not-covered", why));
        }
        let draft = draft
            .shows("onAnswers", if kept.is_empty() { "none".to_owned() } else { listed(&kept) })
            .shows("inDatasets", if found.is_empty() { "nothing known".to_owned() } else { listed(found.keys()) });
        draft.conclude(problems, "sensitive information is kept out of answers")
    })
}

/// The entities that are kept out of answers, and those that have a filter at all.
fn sides(detail: &GuardrailDetail) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let acting = detail
        .sensitive
        .iter()
        .filter(|filter| filter.output.enabled && matches!(filter.output.action.as_str(), "BLOCK" | "ANONYMIZE"));
    let kept = acting.map(|filter| filter.kind.as_str()).collect();
    (kept, detail.sensitive.iter().map(|filter| filter.kind.as_str()).collect())
}

/// What Macie found in buckets of the lineage, and a deep look in what is learned from, in the words of guardrails, with
/// the places.
fn in_datasets(context: &Context<'_>) -> BTreeMap<&'static str, BTreeSet<String>> {
    let buckets = context.lineage.reached(Kind::Bucket);
    let mut found: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for finding in context.inventory.sensitive_findings.values() {
        let Ok(detail) = finding.detail.known() else { continue };
        if !buckets.contains(&detail.bucket) {
            continue;
        }
        for (kind, _) in &detail.detections {
            let entity = SAME.iter().find(|(macie, _)| *macie == kind.as_str()).map(|(_, entity)| *entity);
            if let Some(entity) = entity {
                found.entry(entity).or_default().insert(format!("{} (by Macie)", detail.bucket));
            }
        }
    }
    let learned =
        |data: &&Dataset| [Purpose::Training, Purpose::Prompts, Purpose::Validation].iter().any(|p| data.is_for(*p));
    for data in context.inventory.data.values().filter(learned) {
        let Ok(content) = data.content.known() else { continue };
        for (rule, entity) in OURS.iter().filter(|(rule, _)| content.rules.contains_key(&rule.id.into())) {
            found.entry(entity).or_default().insert(format!("{} (by {})", data.uri, rule.id));
        }
    }
    found
}
