//! Amazon CloudWatch: alarms, and sums of the metrics of Amazon Bedrock that rules look at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::Session;
use crate::aws::small::Service;
use crate::aws::small::page::Page;
use crate::base::{ResourceId, Text};
use crate::inventory::ReadError;
use crate::inventory::cloudwatch::{Alarm, AlarmMetric, Metric};

const NAMESPACE: &str = "AWS/Bedrock";
/// Deliveries of the invocation log (Amazon Bedrock User Guide, model invocation logging metrics).
const DELIVERIES: &[&str] = &[
    "ModelInvocationLogsCloudWatchDeliverySuccess",
    "ModelInvocationLogsCloudWatchDeliveryFailure",
    "ModelInvocationLogsS3DeliverySuccess",
    "ModelInvocationLogsS3DeliveryFailure",
    "ModelInvocationLargeDataS3DeliverySuccess",
    "ModelInvocationLargeDataS3DeliveryFailure",
];
const INVOCATIONS: &str = "Invocations";
/// The most queries of one `GetMetricData`.
const BATCH: usize = 500;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const MONTH: i64 = 30 * DAY;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAlarm {
    alarm_arn: String,
    #[serde(default)]
    alarm_name: String,
    #[serde(default)]
    state_value: String,
    #[serde(default)]
    actions_enabled: bool,
    #[serde(default)]
    alarm_actions: Vec<String>,
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    #[serde(default)]
    metrics: Vec<RawQuery>,
    alarm_rule: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawQuery {
    metric_stat: Option<RawStat>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStat {
    metric: RawMetric,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMetric {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

/// `DescribeAlarms`: two lists, of which either may be missing when it is empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarms {
    #[serde(default)]
    metric_alarms: Vec<RawAlarm>,
    #[serde(default)]
    composite_alarms: Vec<RawAlarm>,
    next_token: Option<String>,
}

impl Page for Alarms {
    type Item = RawAlarm;
    const TOKEN: &'static str = "NextToken";

    fn into_items(self) -> (Vec<RawAlarm>, Option<String>) {
        (self.metric_alarms.into_iter().chain(self.composite_alarms).collect(), self.next_token)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    metric_data_results: Vec<Series>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Series {
    id: String,
    #[serde(default)]
    values: Vec<f64>,
    status_code: Option<String>,
}

impl Page for Data {
    type Item = Series;
    const TOKEN: &'static str = "NextToken";

    fn into_items(self) -> (Vec<Series>, Option<String>) {
        (self.metric_data_results, self.next_token)
    }
}

/// `DescribeAlarms`, of metrics and composite ones.
pub async fn alarms(session: &Session) -> Result<Vec<Alarm>, ReadError> {
    let body = json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100});
    let found = session.small(Service::CloudWatch).json_pages::<Alarms>("DescribeAlarms", body).await?;
    Ok(found.into_iter().map(alarm).collect())
}

fn alarm(raw: RawAlarm) -> Alarm {
    let own = raw.metric_name.map(|name| AlarmMetric {
        namespace: raw.namespace.unwrap_or_default().into(),
        name: name.into(),
        dimensions: dimensions(&raw.dimensions),
    });
    let queried = raw.metrics.into_iter().filter_map(|query| query.metric_stat).map(|stat| AlarmMetric {
        namespace: stat.metric.namespace.into(),
        name: stat.metric.metric_name.into(),
        dimensions: dimensions(&stat.metric.dimensions),
    });
    Alarm {
        arn: raw.alarm_arn.into(),
        name: raw.alarm_name.into(),
        state: raw.state_value.into(),
        enabled: raw.actions_enabled,
        actions: raw.alarm_actions.into_iter().map(ResourceId::new).collect(),
        metrics: own.into_iter().chain(queried).collect(),
        rule: raw.alarm_rule.map(Text::new),
    }
}

fn dimensions(all: &[Dimension]) -> BTreeMap<Text, Text> {
    all.iter().map(|one| (Text::new(&one.name), Text::new(&one.value))).collect()
}

/// `GetMetricData`: deliveries of the invocation log, and invocations: all, and of each of `models`.
pub async fn metrics(session: &Session, models: &[ResourceId]) -> Result<Vec<Metric>, ReadError> {
    let metric = |name: &str, model: Option<&ResourceId>| Metric {
        id: Metric::id_of(name, model),
        namespace: NAMESPACE.into(),
        name: name.into(),
        dimensions: model.map(|model| (Text::new("ModelId"), Text::new(model.as_str()))).into_iter().collect(),
        day: 0.0,
        month: 0.0,
    };
    let mut metrics: Vec<Metric> = DELIVERIES.iter().chain([&INVOCATIONS]).map(|name| metric(name, None)).collect();
    metrics.extend(models.iter().map(|model| metric(INVOCATIONS, Some(model))));
    for batch in metrics.chunks_mut(BATCH) {
        let (day, month) = (sums(session, batch, DAY, HOUR).await?, sums(session, batch, MONTH, DAY).await?);
        for ((metric, day), month) in batch.iter_mut().zip(day).zip(month) {
            (metric.day, metric.month) = (day, month);
        }
    }
    Ok(metrics)
}

/// The sums of metrics over the last `span` seconds.
async fn sums(session: &Session, metrics: &[Metric], span: i64, period: i64) -> Result<Vec<f64>, ReadError> {
    const OPERATION: &str = "GetMetricData";
    let client = session.small(Service::CloudWatch);
    let until = session.clock().now().millis() / 1000;
    let queries: Vec<Value> = metrics.iter().enumerate().map(|(at, metric)| query(at, metric, period)).collect();
    let body = json!({"MetricDataQueries": queries, "StartTime": until - span, "EndTime": until});
    let mut sums = vec![0.0; metrics.len()];
    for series in client.json_pages::<Data>(OPERATION, body).await? {
        let sum = series.id.strip_prefix('m').and_then(|at| sums.get_mut(at.parse::<usize>().ok()?));
        let Some(sum) = sum else {
            return Err(client.malformed(OPERATION, "the answer has a series that nobody asked for"));
        };
        if matches!(series.status_code.as_deref(), Some("InternalError" | "Forbidden")) {
            return Err(client.malformed(OPERATION, "CloudWatch could not count one of the metrics"));
        }
        *sum += series.values.iter().sum::<f64>();
    }
    Ok(sums)
}

fn query(at: usize, metric: &Metric, period: i64) -> Value {
    let dimensions: Vec<Value> =
        metric.dimensions.iter().map(|(name, value)| json!({"Name": name.as_str(), "Value": value.as_str()})).collect();
    let named = json!({"Namespace": NAMESPACE, "MetricName": metric.name.as_str(), "Dimensions": dimensions});
    json!({"Id": format!("m{at}"), "MetricStat": {"Metric": named, "Period": period, "Stat": "Sum"}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, Server, session};
    use crate::inventory::ErrorKind;

    #[tokio::test]
    async fn alarms_of_every_kind() {
        let server = Server::aws(|request| {
            Some(Answer::json(
                200,
                if request.has("\"NextToken\"") {
                    r#"{"CompositeAlarms":[{"AlarmArn":"arn:c","AlarmName":"all","ActionsEnabled":false,"AlarmRule":"ALARM(x)"}]}"#
                } else {
                    r#"{"MetricAlarms":[
                        {"AlarmArn":"arn:a","AlarmName":"fails","ActionsEnabled":true,"AlarmActions":["arn:sns"],"StateValue":"OK","Namespace":"AWS/Bedrock","MetricName":"ModelInvocationLogsS3DeliveryFailure","Dimensions":[]},
                        {"AlarmArn":"arn:b","AlarmName":"math","ActionsEnabled":true,"AlarmActions":[],"Metrics":[{"Id":"e","Expression":"m1*2"},{"Id":"m1","MetricStat":{"Metric":{"Namespace":"Orion","MetricName":"Attacks","Dimensions":[{"Name":"a","Value":"b"}]},"Period":60,"Stat":"Sum"}}]}],
                      "CompositeAlarms":[],"NextToken":"2"}"#
                },
            ))
        })
        .await;
        let found = alarms(&session(&server).await).await.unwrap();
        assert!(found[0].tells() && found[0].watches("AWS/Bedrock", "ModelInvocationLogsS3DeliveryFailure"));
        assert!(!found[1].tells() && found[1].watches("Orion", "Attacks") && found[1].metrics[0].dimensions.len() == 1);
        assert_eq!((found[2].rule.as_ref().map(Text::as_str), found.len()), (Some("ALARM(x)"), 3));
        let seen = server.seen();
        assert!(seen[0].has("GraniteServiceVersion20100801.DescribeAlarms") && seen[0].has("/monitoring/aws4_request"));
    }

    #[tokio::test]
    async fn metrics_are_summed_over_pages() {
        let server = Server::aws(|request| {
            Some(Answer::json(
                200,
                match (request.has("\"NextToken\":\"2\""), request.has("\"Period\":3600")) {
                    (true, true) => r#"{"MetricDataResults":[{"Id":"m7","Values":[4.0],"StatusCode":"Complete"}]}"#,
                    (false, true) => {
                        r#"{"MetricDataResults":[{"Id":"m7","Values":[1,2],"StatusCode":"PartialData"},{"Id":"m1","Values":[],"StatusCode":"Complete"}],"NextToken":"2"}"#
                    }
                    _ => r#"{"MetricDataResults":[{"Id":"m7","Values":[70.0]},{"Id":"m1","Values":[3.0]}]}"#,
                },
            ))
        })
        .await;
        let session = session(&server).await;
        let model = ResourceId::new("arn:aws:bedrock:us-east-1:1:provisioned-model/x");
        let found = metrics(&session, std::slice::from_ref(&model)).await.unwrap();
        let of = |name: &str, model: Option<&ResourceId>| {
            let id = Metric::id_of(name, model);
            found.iter().find(|metric| metric.id == id).map(|metric| (metric.day, metric.month)).unwrap()
        };
        assert_eq!(of("Invocations", Some(&model)), (7.0, 70.0));
        assert_eq!(of("ModelInvocationLogsCloudWatchDeliveryFailure", None), (0.0, 3.0));
        assert_eq!(of("Invocations", None), (0.0, 0.0));
        let until = session.clock().now().millis() / 1000;
        assert!(server.seen()[0].has(&format!("\"StartTime\":{},\"EndTime\":{until}", until - 86_400)));
    }

    #[tokio::test]
    async fn a_metric_that_could_not_be_counted_is_an_error() {
        let body = r#"{"MetricDataResults":[{"Id":"m0","Values":[],"StatusCode":"InternalError"}]}"#;
        let server = Server::aws(move |_| Some(Answer::json(200, body))).await;
        let error = metrics(&session(&server).await, &[]).await.unwrap_err();
        assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Malformed, "cloudwatch:GetMetricData"));
    }
}
