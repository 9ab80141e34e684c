//! CUS-GRD-04 and 06: what the content filters of guardrails in force stop.

use crate::inventory::SourceId;
use crate::inventory::guardrails::{ContentFilter, Guarding, GuardrailDetail};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Draft, Judge, Problem, Subject, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{IN_FORCE, InForce, in_force};

pub(in crate::posture) const GRD_04: Control = Control {
    id: "CUS-GRD-04",
    title: "Prompt-attack filter blocks at HIGH",
    severity: Severity::High,
    area: Area::Guardrails,
    what: "guardrails in force",
    lists: IN_FORCE,
    tables: &[],
    details: &[SourceId::GUARDRAIL_DETAILS],
    logic: "Each guardrail in force (those enforced for the account; else the newest version of each) must have the \
            content filter PROMPT_ATTACK on prompts, with strength HIGH, switched on, and with the action BLOCK. The \
            action NONE only detects.",
    reasons: &["no-filter", "weak", "off", "detect-only"],
    remediation: "Read the guardrail, add or strengthen the filter, write it back whole, and make a new version: an \
                  update replaces every policy that it does not repeat.",
    cli: "aws bedrock update-guardrail --guardrail-identifier ID --cli-input-json file://GUARDRAIL.json",
    compliance: &[
        (NIST, &["SI-10"]),
        (FEDRAMP, &["SI-10"]),
        (PCI, &["6.2.4"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.T0051", "AML.T0054", "AML.M0015"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: prompt_attacks,
};

const PROMPT_ATTACK: &str = "PROMPT_ATTACK";

fn prompt_attacks(judge: &Judge<'_>) -> Vec<Verdict> {
    each(judge, |one, detail, draft| {
        let label = one.label();
        let Some(filter) = filter_of(detail, PROMPT_ATTACK) else {
            let why = format!("guardrail {label} has no filter of prompt attacks");
            return draft.conclude(vec![Problem::fail("no-filter", why)], "");
        };
        let draft = shows(draft, "PROMPT_ATTACK", &filter.input, filter.input_strength.as_str(), "input");
        let mut problems = Vec::new();
        if !filter.input.enabled {
            let why = format!("the filter of prompt attacks of guardrail {label} is switched off");
            problems.push(Problem::fail("off", why));
        } else if filter.input.action.as_str() != "BLOCK" {
            let why = format!(
                "guardrail {label} finds prompt attacks and lets them through (action {})",
                filter.input.action
            );
            problems.push(Problem::fail("detect-only", why));
        }
        if filter.input_strength.as_str() != "HIGH" {
            let why = format!("guardrail {label} filters prompt attacks at {}, not HIGH", filter.input_strength);
            problems.push(Problem::fail("weak", why));
        }
        draft.conclude(problems, "blocks prompt attacks at HIGH")
    })
}

pub(in crate::posture) const GRD_06: Control = Control {
    id: "CUS-GRD-06",
    title: "Harmful content is filtered in both directions",
    severity: Severity::Medium,
    area: Area::Guardrails,
    what: "guardrails in force",
    lists: IN_FORCE,
    tables: &[],
    details: &[SourceId::GUARDRAIL_DETAILS],
    logic: "Each guardrail in force must filter HATE, INSULTS, SEXUAL, VIOLENCE and MISCONDUCT in prompts and in answers, \
            at MEDIUM or HIGH, switched on, and block what it finds. Denied topics, words and the tier are shown, not \
            judged.",
    reasons: &["no-filter", "weak", "not-blocking"],
    remediation: "Read the guardrail, add or strengthen the filters, write it back whole, and make a new version: an \
                  update replaces every policy that it does not repeat.",
    cli: "aws bedrock update-guardrail --guardrail-identifier ID --cli-input-json file://GUARDRAIL.json",
    compliance: &[
        (NIST, &["SI-10", "SI-15"]),
        (FEDRAMP, &["SI-10"]),
        (OWASP, &["LLM05", "LLM09"]),
        (ATLAS, &["AML.M0020", "AML.T0048"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: harmful,
};

const HARMFUL: &[&str] = &["HATE", "INSULTS", "SEXUAL", "VIOLENCE", "MISCONDUCT"];

fn harmful(judge: &Judge<'_>) -> Vec<Verdict> {
    each(judge, |one, detail, draft| {
        let label = one.label();
        let (mut missing, mut weak, mut open): (Vec<&str>, Vec<String>, Vec<String>) = Default::default();
        let mut draft = draft;
        for kind in HARMFUL.iter().copied() {
            let Some(filter) = filter_of(detail, kind) else {
                draft = draft.shows(kind, "none");
                missing.push(kind);
                continue;
            };
            let sides = [
                ("prompts", &filter.input, &filter.input_strength),
                ("answers", &filter.output, &filter.output_strength),
            ];
            let words =
                sides.map(|(side, guarding, strength)| format!("{side} {}", words(guarding, strength.as_str())));
            draft = draft.shows(kind, words.join(", "));
            for (side, guarding, strength) in sides {
                if !guarding.enabled || guarding.action.as_str() != "BLOCK" {
                    open.push(format!("{kind} in {side}"));
                } else if !matches!(strength.as_str(), "MEDIUM" | "HIGH") {
                    weak.push(format!("{kind} in {side} at {strength}"));
                }
            }
        }
        let mut problems = Vec::new();
        if !missing.is_empty() {
            problems.push(Problem::fail("no-filter", format!("guardrail {label} does not filter {}", listed(missing))));
        }
        if !weak.is_empty() {
            let why = format!("guardrail {label} filters less than MEDIUM: {}", listed(weak));
            problems.push(Problem::fail("weak", why));
        }
        if !open.is_empty() {
            problems.push(Problem::fail("not-blocking", format!("guardrail {label} does not block {}", listed(open))));
        }
        draft.conclude(problems, "harmful content is blocked in prompts and answers")
    })
}

/// Judges each guardrail in force.
pub(super) fn each<'a>(
    judge: &Judge<'a>,
    decide: impl Fn(&InForce<'a>, &'a GuardrailDetail, Draft<Subject<'a>>) -> Vec<Verdict>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for one in in_force(judge.context) {
        let subject = judge.on(one.reference());
        match &one.detail {
            Err(why) => verdicts.push(subject.unread(why)),
            Ok(detail) => {
                let draft = subject
                    .shows("guardrail", one.label())
                    .shows("inForce", one.how())
                    .shows("topics", if detail.topics.is_empty() { "none".to_owned() } else { listed(&detail.topics) })
                    .shows("words", detail.words)
                    .shows_some("tier", detail.tier.as_ref());
                verdicts.extend(decide(&one, detail, draft));
            }
        }
    }
    verdicts
}

fn filter_of<'a>(detail: &'a GuardrailDetail, kind: &str) -> Option<&'a ContentFilter> {
    detail.content.iter().find(|filter| filter.kind.as_str() == kind)
}

fn words(guarding: &Guarding, strength: &str) -> String {
    if guarding.enabled { format!("{strength} {}", guarding.action) } else { "off".to_owned() }
}

fn shows<'a>(
    draft: Draft<Subject<'a>>,
    label: &'static str,
    guarding: &Guarding,
    strength: &str,
    side: &str,
) -> Draft<Subject<'a>> {
    draft.shows(label, format!("{side} {}", words(guarding, strength)))
}
