//! CUS-LOG-03: whether the invocation log arrives.

use super::configuration;
use crate::inventory::SourceId;
use crate::inventory::bedrock::LoggingConfiguration;
use crate::inventory::cloudwatch::{Alarm, Metric};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_03: Control = Control {
    id: "CUS-LOG-03",
    title: "Delivery of the invocation log succeeds, and a failure alarms",
    severity: Severity::High,
    area: Area::Logging,
    what: "destinations of invocation logging",
    lists: &[],
    tables: &[SourceId::METRICS, SourceId::ALARMS],
    details: &[SourceId::LOGGING],
    logic: "For each destination of invocation logging (CloudWatch Logs, S3, the bucket of large data) no delivery may \
            have failed in the last 24 hours, by Amazon Bedrock's own metrics. If models were invoked in that time, \
            CloudWatch Logs and S3 must each count a success. Each failure metric must have an alarm whose actions are \
            on and not empty; without one it is medium.",
    reasons: &["delivery-failing", "not-delivered", "no-alarm"],
    remediation: "Mend the role or the bucket policy that delivery rests on, and set an alarm on each failure metric.",
    cli: "aws cloudwatch put-metric-alarm --namespace AWS/Bedrock --metric-name ModelInvocationLogsS3DeliveryFailure --alarm-name NAME --statistic Sum --period 300 --evaluation-periods 1 --threshold 0 --comparison-operator GreaterThanThreshold --alarm-actions TOPIC",
    compliance: &[
        (NIST, &["AU-5", "SI-4"]),
        (FEDRAMP, &["AU-5", "SI-4"]),
        (PCI, &["10.7.2"]),
        (HIPAA, &["164.312(b)"]),
        (OWASP, &["LLM10"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: delivery,
};

const NAMESPACE: &str = "AWS/Bedrock";

/// A destination: what a person calls it, its metrics, and whether each invocation is delivered there.
struct Destination {
    name: &'static str,
    success: &'static str,
    failure: &'static str,
    always: bool,
}

const LOGS: Destination = Destination {
    name: "CloudWatch Logs",
    success: "ModelInvocationLogsCloudWatchDeliverySuccess",
    failure: "ModelInvocationLogsCloudWatchDeliveryFailure",
    always: true,
};
const S3: Destination = Destination {
    name: "S3",
    success: "ModelInvocationLogsS3DeliverySuccess",
    failure: "ModelInvocationLogsS3DeliveryFailure",
    always: true,
};
const LARGE: Destination = Destination {
    name: "the bucket of large data",
    success: "ModelInvocationLargeDataS3DeliverySuccess",
    failure: "ModelInvocationLargeDataS3DeliveryFailure",
    always: false,
};

fn destinations(set: &LoggingConfiguration) -> Vec<Destination> {
    let large = set.cloud_watch.as_ref().is_some_and(|target| target.large_data.is_some());
    let all = [(set.cloud_watch.is_some(), LOGS), (set.s3.is_some(), S3), (large, LARGE)];
    all.into_iter().filter_map(|(set, destination)| set.then_some(destination)).collect()
}

fn delivery(judge: &Judge<'_>) -> Vec<Verdict> {
    let set = match configuration(judge) {
        Ok(Some(set)) => set,
        Ok(None) => return Vec::new(),
        Err(why) => return vec![judge.on_region().unread(why)],
    };
    let destinations = destinations(set);
    if destinations.is_empty() {
        return Vec::new();
    }
    let (inventory, region) = (judge.context.inventory, judge.context.region);
    let day = |name: &str| inventory.metrics.get(&Metric::id_of(name, None)).map(|metric| metric.day);
    let invocations = day("Invocations");
    let mut draft = judge.on_region().shows("Invocations", count(invocations));
    let mut problems = Vec::new();
    let mut uncounted: Vec<&str> = Vec::new();
    for one in &destinations {
        let (success, failure) = (day(one.success), day(one.failure));
        draft = draft.shows(one.success, count(success)).shows(one.failure, count(failure));
        match (success, failure, invocations) {
            (_, Some(failed), _) if failed > 0.0 => problems.push(Problem::fail(
                "delivery-failing",
                format!("{failed} deliveries of the invocation log to {} in {region} failed in 24 hours", one.name),
            )),
            (Some(arrived), Some(_), Some(asked)) if one.always && asked > 0.0 && arrived <= 0.0 => {
                problems.push(Problem::fail(
                    "not-delivered",
                    format!("{asked} invocations in {region} in 24 hours, and none was delivered to {}", one.name),
                ));
            }
            (Some(_), Some(_), Some(_)) => {}
            _ => uncounted.push(one.name),
        }
    }
    let alarms: Vec<&Alarm> = inventory.alarms.values().collect();
    let silent: Vec<&str> = destinations
        .iter()
        .map(|one| one.failure)
        .filter(|metric| !alarms.iter().any(|alarm| alarm.watches(NAMESPACE, metric) && alarm.tells()))
        .collect();
    let heard = alarms
        .iter()
        .filter(|alarm| alarm.tells() && destinations.iter().any(|one| alarm.watches(NAMESPACE, one.failure)));
    let heard: Vec<_> = heard.map(|alarm| &alarm.name).collect();
    let draft = draft.shows("alarms", if heard.is_empty() { "none".to_owned() } else { listed(heard) });
    // What is missing from a list that is not whole is not known to be missing.
    if !silent.is_empty() && judge.gap(SourceId::ALARMS).is_none() {
        let why =
            format!("nobody is told in {region} when the invocation log is lost: no alarm on {}", listed(&silent));
        problems.push(Problem::fail("no-alarm", why).graded(Severity::Medium));
    }
    let uncounted = (!uncounted.is_empty()).then(|| {
        let gap = judge.any_gap(&[SourceId::METRICS]);
        (
            "unread",
            gap.map_or_else(|| format!("deliveries to {} were not counted", listed(&uncounted)), |gap| gap.to_string()),
        )
    });
    draft.conclude_open(problems, uncounted, format!("the invocation log of {region} is delivered"))
}

fn count(sum: Option<f64>) -> String {
    sum.map_or_else(|| "not known".to_owned(), |sum| format!("{sum} in 24 h"))
}
