//! CloudTrail: trails, what they record, Lake stores, and recent management events.

use aws_sdk_cloudtrail::config::Region;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, EventDataStoreStatus, EventSelector, LookupAttribute,
    LookupAttributeKey, ReadWriteType, Trail as SdkTrail,
};
use aws_smithy_types::DateTime;

use super::{failed, id, maybe_time, text};
use crate::activity::Event;
use crate::aws::Session;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::trail::{Channel, Condition, EventDataStore, Selector, StoreDetail, Trail, TrailStatus};
use crate::inventory::{Read, ReadError, SourceId};

/// `DescribeTrails`, with the shadows of trails that live in other regions.
pub async fn trails(session: &Session) -> Result<Vec<Trail>, ReadError> {
    let answer = session.cloudtrail().describe_trails().include_shadow_trails(true).send().await;
    answer
        .map(|answer| answer.trail_list().iter().filter_map(trail).collect())
        .map_err(|error| failed(session, SourceId::TRAILS, &error))
}

/// `GetTrailStatus`, asked in the trail's home region.
pub async fn trail_status(session: &Session, trail: &Trail) -> Result<TrailStatus, ReadError> {
    let answer = client(session, trail).get_trail_status().name(trail.arn.as_str()).send().await;
    answer
        .map(|status| TrailStatus {
            logging: status.is_logging().unwrap_or(false),
            delivered: maybe_time(status.latest_delivery_time()),
            error: status.latest_delivery_error().filter(|error| !error.is_empty()).map(Text::new),
        })
        .map_err(|error| failed(session, SourceId::TRAIL_STATUS, &error))
}

/// `GetEventSelectors`, asked in the trail's home region.
pub async fn trail_selectors(session: &Session, trail: &Trail) -> Result<Vec<Selector>, ReadError> {
    let answer = client(session, trail).get_event_selectors().trail_name(trail.arn.as_str()).send().await;
    answer.map(|answer| selectors(&answer)).map_err(|error| failed(session, SourceId::TRAIL_SELECTORS, &error))
}

/// `ListEventDataStores`.
pub async fn event_data_stores(session: &Session) -> Result<Vec<EventDataStore>, ReadError> {
    let mut pages = session.cloudtrail().list_event_data_stores().into_paginator().page_size(1000).send();
    let mut stores = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(session, SourceId::EVENT_DATA_STORES, &error))?;
        stores.extend(page.event_data_stores().iter().filter_map(|store| {
            let arn = id(store.event_data_store_arn())?;
            Some(EventDataStore { arn, name: text(store.name()), detail: Read::NotAsked })
        }));
    }
    Ok(stores)
}

/// `GetEventDataStore`.
pub async fn store_detail(session: &Session, arn: &ResourceId) -> Result<StoreDetail, ReadError> {
    let answer = session.cloudtrail().get_event_data_store().event_data_store(arn.as_str()).send().await;
    answer
        .map(|store| StoreDetail {
            status: text(store.status().map(EventDataStoreStatus::as_str)),
            selectors: store.advanced_event_selectors().iter().map(advanced).collect(),
            multi_region: store.multi_region_enabled().unwrap_or(false),
            organization: store.organization_enabled().unwrap_or(false),
            kms_key: id(store.kms_key_id()),
            retention_days: store.retention_period(),
        })
        .map_err(|error| failed(session, SourceId::STORE_DETAILS, &error))
}

/// `ListChannels`.
pub async fn channels(session: &Session) -> Result<Vec<Channel>, ReadError> {
    let mut pages = session.cloudtrail().list_channels().into_paginator().page_size(1000).send();
    let mut channels = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(session, SourceId::CHANNELS, &error))?;
        let found = page.channels().iter();
        channels.extend(found.filter_map(|one| Some(Channel { arn: id(one.channel_arn())?, name: text(one.name()) })));
    }
    Ok(channels)
}

/// What to look up. `LookupEvents` takes at most one attribute.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
    /// One attribute that must be equal.
    pub attribute: Option<Attribute>,
}

/// An attribute of [`Lookup`].
#[derive(Debug, Clone)]
pub enum Attribute {
    /// `ResourceName`: as the record names it (a key's ARN, a job's name).
    Resource(String),
    /// `EventSource`: `kms.amazonaws.com`.
    Source(String),
    /// `EventName`.
    Name(String),
    /// `Username`.
    User(String),
    /// `ReadOnly`: calls that only read, or those that change something.
    ReadOnly(bool),
}

/// One page of `LookupEvents`, newest first.
#[derive(Debug, Clone, Default)]
pub struct EventPage {
    /// The events that could be understood.
    pub events: Vec<Event>,
    /// Records that could not.
    pub malformed: usize,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// One page of `LookupEvents`: 50 events at most. The session paces it to AWS's two calls a second.
pub async fn lookup(session: &Session, wanted: &Lookup, page: Option<String>) -> Result<EventPage, ReadError> {
    let at = |time: Timestamp| DateTime::from_millis(time.millis());
    let answer = session
        .cloudtrail()
        .lookup_events()
        .max_results(50)
        .set_start_time(wanted.since.map(at))
        .set_end_time(wanted.until.map(at))
        .set_lookup_attributes(wanted.attribute.as_ref().and_then(lookup_attribute).map(|only| vec![only]))
        .set_next_token(page)
        .send()
        .await
        .map_err(|error| failed(session, SourceId::EVENTS, &error))?;
    let records = answer.events().iter().map(|event| event.cloud_trail_event().unwrap_or_default());
    let (events, malformed) = parse(records);
    Ok(EventPage { events, malformed, next: answer.next_token.filter(|token| !token.is_empty()) })
}

fn lookup_attribute(attribute: &Attribute) -> Option<LookupAttribute> {
    let (key, value) = match attribute {
        Attribute::Resource(value) => (LookupAttributeKey::ResourceName, value.as_str()),
        Attribute::Source(value) => (LookupAttributeKey::EventSource, value.as_str()),
        Attribute::Name(value) => (LookupAttributeKey::EventName, value.as_str()),
        Attribute::User(value) => (LookupAttributeKey::Username, value.as_str()),
        Attribute::ReadOnly(true) => (LookupAttributeKey::ReadOnly, "true"),
        Attribute::ReadOnly(false) => (LookupAttributeKey::ReadOnly, "false"),
    };
    LookupAttribute::builder().attribute_key(key).attribute_value(value).build().ok()
}

/// Events, and how many records were none. One broken record must not hide the others.
fn parse<'a>(records: impl Iterator<Item = &'a str>) -> (Vec<Event>, usize) {
    let (mut events, mut malformed) = (Vec::new(), 0);
    for record in records {
        match Event::parse(record) {
            Ok(event) => events.push(event),
            Err(_) => malformed += 1,
        }
    }
    (events, malformed)
}

/// The client of the trail's home region.
fn client(session: &Session, trail: &Trail) -> aws_sdk_cloudtrail::Client {
    let client = session.cloudtrail();
    if trail.home_region.is_empty() || trail.home_region == session.info().region {
        return client.clone();
    }
    let region = Region::new(trail.home_region.as_str().to_owned());
    aws_sdk_cloudtrail::Client::from_conf(client.config().to_builder().region(region).build())
}

fn trail(trail: &SdkTrail) -> Option<Trail> {
    Some(Trail {
        arn: id(trail.trail_arn())?,
        name: text(trail.name()),
        home_region: text(trail.home_region()),
        bucket: id(trail.s3_bucket_name()),
        kms_key: id(trail.kms_key_id()),
        log_group: id(trail.cloud_watch_logs_log_group_arn()),
        multi_region: trail.is_multi_region_trail().unwrap_or(false),
        organization: trail.is_organization_trail().unwrap_or(false),
        validation: trail.log_file_validation_enabled().unwrap_or(false),
        status: Read::NotAsked,
        selectors: Read::NotAsked,
    })
}

fn selectors(answer: &GetEventSelectorsOutput) -> Vec<Selector> {
    let classic = answer.event_selectors().iter().flat_map(classic);
    let advanced = answer.advanced_event_selectors().iter().map(advanced);
    classic.chain(advanced).collect()
}

/// A classic selector in the words of the advanced ones: management events, and each kind of data
/// resource, are selectors of their own.
fn classic(found: &EventSelector) -> Vec<Selector> {
    let read_only = match found.read_write_type() {
        Some(ReadWriteType::ReadOnly) => condition("readOnly", "equals", &["true".to_owned()]),
        Some(ReadWriteType::WriteOnly) => condition("readOnly", "equals", &["false".to_owned()]),
        _ => None,
    };
    let category = |name: &str| condition("eventCategory", "equals", &[name.to_owned()]);
    let mut selectors = Vec::new();
    // why true: IncludeManagementEvents defaults to true (CloudTrail API Reference, EventSelector).
    if found.include_management_events().unwrap_or(true) {
        let without = condition("eventSource", "notEquals", found.exclude_management_event_sources());
        selectors.push(selector("management events".into(), [category("Management"), read_only.clone(), without]));
    }
    for resource in found.data_resources() {
        let kind = condition("resources.type", "equals", &[resource.r#type().unwrap_or("?").to_owned()]);
        let which = condition("resources.ARN", "startsWith", resource.values());
        selectors.push(selector("data events".into(), [category("Data"), read_only.clone(), kind, which]));
    }
    selectors
}

fn advanced(found: &AdvancedEventSelector) -> Selector {
    selector(text(found.name()), found.field_selectors().iter().flat_map(conditions))
}

fn selector(name: Text, conditions: impl IntoIterator<Item = Option<Condition>>) -> Selector {
    let conditions: Vec<_> = conditions.into_iter().flatten().collect();
    Selector { name, fields: conditions.iter().map(words).collect(), conditions }
}

fn conditions(field: &AdvancedFieldSelector) -> [Option<Condition>; 6] {
    [
        ("equals", field.equals()),
        ("startsWith", field.starts_with()),
        ("endsWith", field.ends_with()),
        ("notEquals", field.not_equals()),
        ("notStartsWith", field.not_starts_with()),
        ("notEndsWith", field.not_ends_with()),
    ]
    .map(|(operator, values)| condition(field.field(), operator, values))
}

fn condition(field: &str, operator: &str, values: &[String]) -> Option<Condition> {
    let values: Vec<_> = values.iter().map(Text::new).collect();
    (!values.is_empty()).then(|| Condition { field: field.into(), operator: operator.into(), values })
}

/// `field operator a, b`; several values of one condition are alternatives.
fn words(condition: &Condition) -> Text {
    let values: Vec<_> = condition.values.iter().map(Text::as_str).collect();
    Text::new(format!("{} {} {}", condition.field, condition.operator, values.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudtrail::types::DataResource;

    #[test]
    fn both_kinds_of_selector_read_alike() {
        let classic = EventSelector::builder()
            .read_write_type(ReadWriteType::WriteOnly)
            .include_management_events(true)
            .exclude_management_event_sources("kms.amazonaws.com")
            .data_resources(DataResource::builder().r#type("AWS::S3::Object").values("arn:aws:s3:::orion/").build())
            .build();
        let field = |name: &str| AdvancedFieldSelector::builder().field(name);
        let advanced = AdvancedEventSelector::builder()
            .name("bedrock\x1b")
            .field_selectors(field("eventCategory").equals("Data").build().unwrap())
            .field_selectors(
                field("resources.type")
                    .equals("AWS::Bedrock::Model")
                    .equals("AWS::Bedrock::Guardrail")
                    .build()
                    .unwrap(),
            )
            .field_selectors(field("resources.ARN").not_starts_with("arn:aws:s3:::tmp").build().unwrap())
            .build()
            .unwrap();
        let answer =
            GetEventSelectorsOutput::builder().event_selectors(classic).advanced_event_selectors(advanced).build();
        let found = selectors(&answer);
        assert!(found[0].admits("readOnly", "false") && !found[0].admits("readOnly", "true"));
        assert!(!found[0].admits("eventSource", "kms.amazonaws.com") && found[0].admits("eventSource", "bedrock"));
        assert!(
            found[1].admits("resources.ARN", "arn:aws:s3:::orion/x") && !found[2].admits("eventCategory", "Management")
        );
        let read: Vec<_> = found
            .into_iter()
            .map(|selector| {
                let fields: Vec<_> = selector.fields.iter().map(Text::to_string).collect();
                format!("{}: {}", selector.name, fields.join("; "))
            })
            .collect();
        assert_eq!(
            read,
            [
                "management events: eventCategory equals Management; readOnly equals false; eventSource notEquals kms.amazonaws.com",
                "data events: eventCategory equals Data; readOnly equals false; resources.type equals AWS::S3::Object; resources.ARN startsWith arn:aws:s3:::orion/",
                "bedrock␛: eventCategory equals Data; resources.type equals AWS::Bedrock::Model, AWS::Bedrock::Guardrail; resources.ARN notStartsWith arn:aws:s3:::tmp",
            ]
        );
    }

    #[test]
    fn broken_records_are_counted_and_do_not_hide_others() {
        let good = r#"{"eventID":"1","eventTime":"2026-11-21T08:41:07Z","eventName":"Decrypt","eventSource":"kms.amazonaws.com"}"#;
        let (events, malformed) = parse(["{", good, "", "null"].into_iter());
        assert_eq!((events.len(), malformed), (1, 3));
    }

    #[test]
    fn a_trail_without_an_arn_is_none() {
        assert_eq!(trail(&SdkTrail::builder().name("x").build()), None);
        let full = SdkTrail::builder().trail_arn("arn:aws:cloudtrail:us-east-1:1:trail/x").kms_key_id("").build();
        assert_eq!(trail(&full).unwrap().kms_key, None);
    }
}
