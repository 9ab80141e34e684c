//! CUS-DET-07: whether somebody is told when a guardrail steps in.

use crate::base::Text;
use crate::inventory::SourceId;
use crate::inventory::cloudwatch::{Alarm, AlarmMetric};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::guardrails::{InForce, in_force};
use crate::posture::judge::{Judge, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::alerts::tells;

pub(in crate::posture) const DET_07: Control = Control {
    id: "CUS-DET-07",
    title: "Alarm on interventions of guardrails",
    severity: Severity::Medium,
    area: Area::Detection,
    what: "guardrails in force",
    lists: &[SourceId::GUARDRAILS, SourceId::ENFORCED_GUARDRAILS],
    tables: &[SourceId::ALARMS],
    details: &[],
    logic: "For each guardrail in force (those enforced for the account; else the newest version of each) an alarm must \
            watch the metric InvocationsIntervened of AWS/Bedrock/Guardrails, with no dimension that leaves this \
            guardrail or version out, and it, or a composite alarm over it, must act.",
    reasons: &["no-alarm", "tells-nobody"],
    remediation: "Put an alarm on InvocationsIntervened that tells somebody.",
    cli: "aws cloudwatch put-metric-alarm --alarm-name NAME --namespace AWS/Bedrock/Guardrails --metric-name InvocationsIntervened --alarm-actions TOPIC …",
    compliance: &[
        (NIST, &["SI-4(5)"]),
        (FEDRAMP, &["SI-4(5)"]),
        (PCI, &["10.4.1"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.T0054", "AML.M0020"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: interventions,
};

const NAMESPACE: &str = "AWS/Bedrock/Guardrails";
const METRIC: &str = "InvocationsIntervened";

fn interventions(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let watching: Vec<&Alarm> = inventory.alarms.values().filter(|alarm| alarm.watches(NAMESPACE, METRIC)).collect();
    let (telling, silent): (Vec<&Alarm>, Vec<&Alarm>) = watching.into_iter().partition(|alarm| tells(inventory, alarm));
    in_force(judge.context)
        .into_iter()
        .map(|one| {
            let on = |alarms: &[&Alarm]| -> Vec<Text> {
                alarms.iter().filter(|alarm| covers(alarm, &one)).map(|alarm| alarm.name.clone()).collect()
            };
            let (loud, quiet) = (on(&telling), on(&silent));
            let draft = judge
                .on(one.reference())
                .shows("guardrail", one.label())
                .shows("inForce", one.how())
                .shows("alarms", if loud.is_empty() { "none".to_owned() } else { listed(&loud) });
            if !loud.is_empty() {
                draft.pass(format!("alarm {} tells of interventions", listed(&loud)))
            } else if let Some(why) = judge.gap(SourceId::ALARMS) {
                // What is missing from a list that is not whole is not known to be missing.
                draft.undecided("unread", why)
            } else if quiet.is_empty() {
                draft.fail("no-alarm", format!("no alarm watches interventions of guardrail {}", one.label()))
            } else {
                let why = format!("alarm {} watches guardrail {}, but acts on nothing", listed(&quiet), one.label());
                draft.fail("tells-nobody", why)
            }
        })
        .collect()
}

/// Whether interventions of this guardrail are among what an alarm counts.
fn covers(alarm: &Alarm, one: &InForce<'_>) -> bool {
    let of_it = |metric: &AlarmMetric| {
        metric.namespace.as_str() == NAMESPACE
            && metric.name.as_str() == METRIC
            && metric.dimensions.iter().all(|(name, value)| match name.as_str() {
                "GuardrailArn" => value.as_str() == one.guardrail.as_str(),
                "GuardrailVersion" => value.as_str() == one.version.as_str(),
                // Operation, content source and policy type leave no guardrail out.
                _ => true,
            })
    };
    alarm.metrics.iter().any(of_it)
}
