//! CloudWatch Logs: groups, their metric filters, and the invocations that Bedrock logs. Prompts and
//! completions pass through here and are dropped: see [`Invocation`].

use aws_sdk_cloudwatchlogs::types::{
    DataProtectionStatus, LogGroup as SdkLogGroup, MetricFilter as SdkMetricFilter, PolicyType, SubscriptionFilter,
};

use super::{all, failed, has_code, id, malformed, text};
use crate::activity::Invocation;
use crate::activity::invocation::NotAnInvocation;
use crate::aws::Session;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::logs::{LogGroup, MetricFilter, Subscription};
use crate::inventory::{Document, Read, ReadError, SourceId};

/// The most that one page holds (CloudWatch Logs API Reference).
const PAGE: i32 = 50;
/// The stream into which Bedrock writes its invocation log (Amazon Bedrock User Guide, model
/// invocation logging).
const STREAM: &str = "aws/bedrock/modelinvocations";

/// `DescribeLogGroups`.
pub async fn log_groups(session: &Session) -> Result<Vec<LogGroup>, ReadError> {
    let pages = session.logs().describe_log_groups().into_paginator().page_size(PAGE).items().send();
    Ok(all(session, SourceId::LOG_GROUPS, pages, |group| log_group(&group)).await?.into_iter().flatten().collect())
}

/// `DescribeMetricFilters` of one group.
pub async fn metric_filters(session: &Session, group: &ResourceId) -> Result<Vec<MetricFilter>, ReadError> {
    let call = session.logs().describe_metric_filters().log_group_name(group.as_str());
    let pages = call.into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::LOG_FILTERS, pages, |filter| metric_filter(&filter)).await
}

/// `DescribeSubscriptionFilters` of one group.
pub async fn subscriptions(session: &Session, group: &ResourceId) -> Result<Vec<Subscription>, ReadError> {
    let call = session.logs().describe_subscription_filters().log_group_name(group.as_str());
    let pages = call.into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::LOG_SUBSCRIPTIONS, pages, |filter| subscription(&filter)).await
}

/// `GetDataProtectionPolicy` of one group; `None` when it has none.
pub async fn protection(session: &Session, group: &ResourceId) -> Result<Option<Document>, ReadError> {
    match session.logs().get_data_protection_policy().log_group_identifier(group.as_str()).send().await {
        Ok(answer) => Ok(answer.policy_document.filter(|policy| !policy.is_empty()).map(Document::new)),
        Err(error) if has_code(&error, &["ResourceNotFoundException"]) => Ok(None),
        Err(error) => Err(failed(session, SourceId::LOG_PROTECTION, &error)),
    }
}

/// `DescribeAccountPolicies`: data protection for all groups of the account.
pub async fn account_protection(session: &Session) -> Result<Vec<Document>, ReadError> {
    let (mut policies, mut token) = (Vec::new(), None::<String>);
    loop {
        let call = session.logs().describe_account_policies().policy_type(PolicyType::DataProtectionPolicy);
        let answer = call.set_next_token(token.clone()).send().await;
        let answer = answer.map_err(|error| failed(session, SourceId::LOG_ACCOUNT_POLICIES, &error))?;
        policies
            .extend(answer.account_policies().iter().filter_map(|policy| policy.policy_document()).map(Document::new));
        match answer.next_token.filter(|next| !next.is_empty()) {
            None => return Ok(policies),
            next if next == token => {
                return Err(malformed(session, SourceId::LOG_ACCOUNT_POLICIES, "new token: the same page came twice"));
            }
            next => token = next,
        }
    }
}

/// One page of the invocation log.
#[derive(Debug, Clone, Default)]
pub struct InvocationPage {
    /// The invocations that could be understood, newest first.
    pub invocations: Vec<Invocation>,
    /// Records that could not.
    pub malformed: usize,
    /// Where the next page begins; none after the last. A page may be empty and have a next one.
    pub next: Option<String>,
}

/// One page of `FilterLogEvents`, the latest first: 10,000 records or a megabyte at most.
pub async fn invocations(
    session: &Session,
    group: &ResourceId,
    since: Timestamp,
    page: Option<String>,
) -> Result<InvocationPage, ReadError> {
    let answer = session
        .logs()
        .filter_log_events()
        .log_group_name(group.as_str())
        .log_stream_name_prefix(STREAM)
        .start_time(since.millis())
        .start_from_head(false)
        .set_next_token(page)
        .send()
        .await
        .map_err(|error| failed(session, SourceId::LOG_EVENTS, &error))?;
    let (invocations, malformed) = parse(answer.events().iter().filter_map(|event| event.message()), group);
    Ok(InvocationPage { invocations, malformed, next: answer.next_token.filter(|token| !token.is_empty()) })
}

/// Invocations, newest first, and how many records were broken. What else lies in the group is neither.
fn parse<'a>(messages: impl Iterator<Item = &'a str>, group: &ResourceId) -> (Vec<Invocation>, usize) {
    let (mut invocations, mut malformed) = (Vec::new(), 0);
    for message in messages {
        match Invocation::parse(message, group) {
            Ok(invocation) => invocations.push(invocation),
            Err(NotAnInvocation::Other) => {}
            Err(NotAnInvocation::Json(_) | NotAnInvocation::Field(_)) => malformed += 1,
        }
    }
    invocations.sort_by_key(|invocation| std::cmp::Reverse(invocation.at));
    (invocations, malformed)
}

/// One page of what lies in the invocation log, bodies and all: it is looked into and dropped.
#[derive(Clone, Default)]
pub struct RecordPage {
    /// The records, oldest of the page first.
    pub records: Vec<String>,
    /// Where the page of before begins; none at the beginning.
    pub before: Option<String>,
}

/// One page of `GetLogEvents`, the latest first. Only a session made for content can send it. A stream that is not
/// there yet holds nothing.
pub async fn records(
    session: &Session,
    group: &ResourceId,
    since: Timestamp,
    page: Option<String>,
) -> Result<RecordPage, ReadError> {
    let call = session
        .logs()
        .get_log_events()
        .log_group_name(group.as_str())
        .log_stream_name(STREAM)
        .start_time(since.millis())
        .start_from_head(false)
        .set_next_token(page.clone());
    match call.send().await {
        Ok(answer) => {
            // why the comparison: at its beginning the log gives the token that it was asked with.
            let before = answer.next_backward_token.filter(|token| Some(token) != page.as_ref());
            let records = answer.events.unwrap_or_default().into_iter().filter_map(|event| event.message);
            Ok(RecordPage { records: records.collect(), before })
        }
        Err(error) if has_code(&error, &["ResourceNotFoundException"]) => Ok(RecordPage::default()),
        Err(error) => Err(failed(session, SourceId::CONVERSATIONS, &error)),
    }
}

fn log_group(group: &SdkLogGroup) -> Option<LogGroup> {
    // why: `arn` ends in `:*`, `logGroupArn` does not; policies name both, the inventory the plain one.
    let arn = group.log_group_arn().or_else(|| group.arn().map(|arn| arn.trim_end_matches(":*")));
    Some(LogGroup {
        name: id(group.log_group_name())?,
        arn: arn.unwrap_or_default().into(),
        retention_days: group.retention_in_days(),
        kms_key: id(group.kms_key_id()),
        bytes: group.stored_bytes().unwrap_or(0),
        created: Timestamp::from_millis(group.creation_time().unwrap_or(0)),
        filters: Read::NotAsked,
        deletion_protection: group.deletion_protection_enabled().unwrap_or(false),
        protection_status: group.data_protection_status().map(DataProtectionStatus::as_str).map(Text::new),
        inherited: group.inherited_properties().iter().map(|property| property.as_str().into()).collect(),
        protection: Read::NotAsked,
        subscriptions: Read::NotAsked,
    })
}

fn metric_filter(filter: &SdkMetricFilter) -> MetricFilter {
    let metrics = filter.metric_transformations().iter();
    MetricFilter {
        name: text(filter.filter_name()),
        pattern: text(filter.filter_pattern()),
        metrics: metrics.map(|to| (to.metric_namespace().into(), to.metric_name().into())).collect(),
    }
}

fn subscription(filter: &SubscriptionFilter) -> Subscription {
    Subscription {
        name: text(filter.filter_name()),
        pattern: text(filter.filter_pattern()),
        destination: filter.destination_arn().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudwatchlogs::types::MetricTransformation;

    #[test]
    fn a_group_and_its_filter() {
        let group = SdkLogGroup::builder()
            .log_group_name("/aws/bedrock/invocations")
            .arn("arn:aws:logs:us-east-1:123456789012:log-group:/aws/bedrock/invocations:*")
            .kms_key_id("arn:aws:kms:us-east-1:123456789012:key/91b5")
            .creation_time(1_795_250_467_123)
            .build();
        let group = log_group(&group).unwrap();
        assert_eq!(group.arn.as_str(), "arn:aws:logs:us-east-1:123456789012:log-group:/aws/bedrock/invocations");
        assert_eq!((group.retention_days, group.created.millis()), (None, 1_795_250_467_123));
        let to = MetricTransformation::builder().metric_namespace("Orion").metric_name("Kms").metric_value("1").build();
        let filter = SdkMetricFilter::builder().filter_name("kms").filter_pattern("{ $.x = 1 }\n");
        let filter = metric_filter(&filter.metric_transformations(to.unwrap()).build());
        assert_eq!((filter.to_string().as_str(), filter.metrics.len()), ("kms: { $.x = 1 }␊", 1));
    }

    #[test]
    fn broken_records_are_counted_and_other_lines_are_not() {
        let record = |id: &str, minute: u8| {
            format!(
                r#"{{"schemaType":"ModelInvocationLog","timestamp":"2026-11-21T08:{minute:02}:00Z","requestId":"{id}",
                "operation":"Converse","modelId":"m"}}"#
            )
        };
        let lines = [record("a", 1), "Permissions are correctly set".into(), "{".into(), record("b", 2), record("", 3)];
        let (read, malformed) = parse(lines.iter().map(String::as_str), &"g".into());
        assert_eq!(read.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(malformed, 2);
    }
}
