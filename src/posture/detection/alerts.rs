//! Who is told of an API call: by a rule of EventBridge with a target, or by a metric filter on a trail's log
//! group with an alarm that acts. Both need a trail that records the call.
//!
//! A call is tried as the record that CloudTrail would write of it; patterns are judged, never searched for words.

use serde_json::{Value, json};

use crate::base::ResourceId;
use crate::inventory::cloudwatch::Alarm;
use crate::inventory::trail::{Selector, Trail};
use crate::inventory::{Inventory, SourceId};
use crate::posture::control::Context;
use crate::posture::event_pattern;
use crate::posture::filter_pattern::FilterPattern;
use crate::posture::judge::{listed, unread};

/// Sources that are only right as a whole.
pub(super) const TABLES: &[SourceId] = &[SourceId::TRAILS, SourceId::RULES, SourceId::LOG_GROUPS, SourceId::ALARMS];
/// Sources that are read one by one.
pub(super) const DETAILS: &[SourceId] =
    &[SourceId::TRAIL_STATUS, SourceId::TRAIL_SELECTORS, SourceId::RULE_TARGETS, SourceId::LOG_FILTERS];

/// A call to hear of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// `bedrock`, `kms`, `s3`.
    pub service: &'a str,
    /// `eventName`.
    pub name: &'a str,
    /// A request parameter and its value, where a pattern could ask for one resource.
    pub about: Option<(&'a str, &'a ResourceId)>,
}

/// What becomes of a call.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// By which ways somebody is told.
    pub told: Vec<String>,
    /// Ways that match, and tell nobody: with why.
    pub mute: Vec<String>,
    /// Ways that could not be judged: with why.
    pub doubts: Vec<String>,
    /// Ways that would tell somebody, if a trail recorded the call.
    pub unfed: Vec<String>,
}

/// Every way that somebody could be told by.
pub(super) struct Alerts<'a> {
    ways: Vec<Way<'a>>,
    /// Trails that log here, with their selectors.
    trails: Vec<(&'a Trail, &'a [Selector])>,
    /// Trails of which that is not known.
    doubts: Vec<String>,
}

struct Way<'a> {
    name: String,
    what: What<'a>,
    /// What happens to a match: who is told, why nobody, or why that is not known.
    end: End,
    /// Whether its pattern asks for single resources.
    specific: bool,
}

enum What<'a> {
    Rule(Value),
    Filter(FilterPattern, &'a ResourceId),
    /// Cannot be judged.
    Odd(String),
}

enum End {
    Told(String),
    Mute(String),
    Unread(String),
}

impl<'a> Alerts<'a> {
    /// Of this region.
    pub fn of(context: &Context<'a>) -> Self {
        let inventory = context.inventory;
        let (mut trails, mut doubts) = (Vec::new(), Vec::new());
        for trail in inventory.trails.values() {
            if !trail.multi_region && trail.home_region.as_str() != context.region {
                continue;
            }
            match (trail.status.known(), trail.selectors.known()) {
                (Ok(status), _) if !status.logging => {}
                (Ok(_), Ok(selectors)) => trails.push((trail, selectors.as_slice())),
                (Err(unknown), _) => {
                    doubts.push(format!("trail {}: {}", trail.name, unread("cloudtrail:GetTrailStatus", unknown)));
                }
                (_, Err(unknown)) => {
                    doubts.push(format!("trail {}: {}", trail.name, unread("cloudtrail:GetEventSelectors", unknown)));
                }
            }
        }
        let mut ways: Vec<Way<'a>> = rules(inventory).collect();
        ways.extend(filters(inventory));
        Self { ways, trails, doubts }
    }

    /// Whether any pattern asks for single resources: then each has to be tried.
    pub fn ask_for_resources(&self) -> bool {
        self.ways.iter().any(|way| way.specific)
    }

    /// Who is told of a call.
    pub fn hear(&self, context: &Context<'_>, call: Call<'_>) -> Heard {
        let mut heard = Heard::default();
        let host = format!("{}.amazonaws.com", call.service);
        let recording: Vec<&Trail> = self
            .trails
            .iter()
            .filter(|(_, selectors)| selectors.iter().any(|selector| records(selector, &host, call.name)))
            .map(|(trail, _)| *trail)
            .collect();
        // why the first form alone is not enough: a caller may name a key by its id, too.
        let records: Vec<Value> = forms(call).into_iter().map(|value| record(context, call, value)).collect();
        let events: Vec<Value> = records.iter().map(|record| event(context, call, record)).collect();
        for way in &self.ways {
            let (matches, fed) = match &way.what {
                What::Odd(why) => {
                    heard.doubts.push(format!("{}: {why}", way.name));
                    continue;
                }
                What::Rule(pattern) => {
                    let told = event_pattern::all_of(events.iter().map(|event| event_pattern::matches(pattern, event)));
                    (told.map_err(|error| error.to_string()), !recording.is_empty())
                }
                What::Filter(pattern, group) => {
                    let told = event_pattern::all_of(records.iter().map(|record| pattern.matches(record)));
                    let fed = recording.iter().any(|trail| group_of(trail).is_some_and(|name| name == group.as_str()));
                    (told.map_err(|error| error.to_string()), fed)
                }
            };
            match (matches, &way.end) {
                (Ok(false), _) => {}
                (Err(why), _) => heard.doubts.push(format!("{}: {why}", way.name)),
                (Ok(true), End::Mute(why)) => heard.mute.push(format!("{} {why}", way.name)),
                (Ok(true), End::Unread(why)) => heard.doubts.push(format!("{}: {why}", way.name)),
                (Ok(true), End::Told(whom)) if fed => heard.told.push(format!("{} → {whom}", way.name)),
                (Ok(true), End::Told(_)) => heard.unfed.push(way.name.clone()),
            }
        }
        if heard.told.is_empty() && !heard.unfed.is_empty() {
            heard.doubts.extend(self.doubts.iter().cloned());
        }
        heard
    }
}

/// Rules that could be about calls.
fn rules(inventory: &Inventory) -> impl Iterator<Item = Way<'_>> {
    let enabled = inventory.rules.values().filter(|rule| rule.enabled);
    enabled.filter_map(|rule| {
        let document = rule.pattern.as_ref()?;
        let what = match document.json() {
            Ok(pattern) => What::Rule(pattern),
            Err(error) => What::Odd(error.to_string()),
        };
        let end = match rule.targets.known() {
            Ok(targets) if targets.is_empty() => End::Mute("has no target".to_owned()),
            Ok(targets) => End::Told(listed(targets.iter().map(|target| target.arn.last()))),
            Err(unknown) => End::Unread(unread("events:ListTargetsByRule", unknown)),
        };
        Some(Way { name: format!("rule {}", rule.name), what, end, specific: is_specific(document.raw()) })
    })
}

/// Metric filters of the log groups that trails write to.
fn filters(inventory: &Inventory) -> Vec<Way<'_>> {
    let mut ways = Vec::new();
    let mut groups: Vec<&str> = inventory.trails.values().filter_map(group_of).collect();
    groups.sort_unstable();
    groups.dedup();
    for name in groups {
        let Some(group) = inventory.log_groups.get(name) else { continue };
        let filters = match group.filters.known() {
            Ok(filters) => filters,
            Err(unknown) => {
                let why = unread("logs:DescribeMetricFilters", unknown);
                let name = format!("log group {}", group.name);
                ways.push(Way { name, what: What::Odd(why), end: End::Mute(String::new()), specific: false });
                continue;
            }
        };
        for filter in filters {
            let pattern = filter.pattern.as_str();
            let what = match FilterPattern::parse(pattern) {
                Ok(parsed) => What::Filter(parsed, &group.name),
                Err(error) => What::Odd(error.to_string()),
            };
            let watching = filter.metrics.iter().flat_map(|(namespace, metric)| {
                let watches = move |alarm: &&Alarm| alarm.watches(namespace.as_str(), metric.as_str());
                inventory.alarms.values().filter(watches)
            });
            let (telling, silent): (Vec<&Alarm>, Vec<&Alarm>) = watching.partition(|alarm| tells(inventory, alarm));
            let end = if !telling.is_empty() {
                End::Told(format!("alarm {}", listed(telling.iter().map(|alarm| &alarm.name))))
            } else if silent.is_empty() {
                End::Mute("is watched by no alarm".to_owned())
            } else {
                End::Mute(format!(
                    "is watched by alarm {}, which acts on nothing",
                    listed(silent.iter().map(|a| &a.name))
                ))
            };
            ways.push(Way { name: format!("filter {}", filter.name), what, end, specific: is_specific(pattern) });
        }
    }
    ways
}

/// Whether somebody is told when an alarm goes off: by its own actions, or by those of a composite alarm that
/// follows it.
pub(super) fn tells(inventory: &Inventory, alarm: &Alarm) -> bool {
    let follows = |other: &&Alarm| {
        let names = |rule: &str| {
            let mut quoted = rule.split(['"', '(', ')', '\'', ' ']);
            quoted.any(|word| word == alarm.name.as_str() || word == alarm.arn.as_str())
        };
        other.tells() && other.rule.as_ref().is_some_and(|rule| names(rule.as_str()))
    };
    alarm.tells() || inventory.alarms.values().filter(|other| other.rule.is_some()).any(|other| follows(&other))
}

/// The name of the log group that a trail also writes to.
fn group_of(trail: &Trail) -> Option<&str> {
    let arn = trail.log_group.as_ref()?.as_str();
    arn.split_once(":log-group:").map(|(_, name)| name.trim_end_matches(":*"))
}

/// Whether a selector lets a call through that changes something.
fn records(selector: &Selector, host: &str, name: &str) -> bool {
    // why: selectors of an older case hold words only, which must not count as recorded.
    (selector.fields.is_empty() || !selector.conditions.is_empty())
        && [("eventCategory", "Management"), ("readOnly", "false"), ("eventSource", host), ("eventName", name)]
            .iter()
            .all(|(field, value)| selector.admits(field, value))
}

fn is_specific(pattern: &str) -> bool {
    pattern.contains("requestParameters") || pattern.contains("resources")
}

/// The forms in which a caller may name what a call is about.
fn forms(call: Call<'_>) -> Vec<Option<&str>> {
    let Some((_, id)) = call.about else { return vec![None] };
    let (whole, last) = (id.as_str(), id.last());
    if whole == last { vec![Some(whole)] } else { vec![Some(whole), Some(last)] }
}

/// What CloudTrail writes of a call (CloudTrail User Guide, record contents).
fn record(context: &Context<'_>, call: Call<'_>, value: Option<&str>) -> Value {
    let Context { account, region, partition, .. } = context;
    let mut parameters = serde_json::Map::new();
    if let (Some((name, _)), Some(value)) = (call.about, value) {
        parameters.insert(name.to_owned(), Value::from(value));
    }
    let resources: Vec<Value> = call.about.iter().map(|(_, id)| json!({"ARN": id, "accountId": account})).collect();
    json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:someone", "accountId": account,
            "arn": format!("arn:{partition}:sts::{account}:assumed-role/someone/someone"),
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLE", "accountId": account, "userName": "someone",
                    "arn": format!("arn:{partition}:iam::{account}:role/someone"),
                },
                "attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": "2026-01-01T00:00:00Z", "eventSource": format!("{}.amazonaws.com", call.service),
        "eventName": call.name, "awsRegion": region, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2",
        "requestParameters": parameters, "responseElements": null,
        "requestID": "11111111-1111-1111-1111-111111111111", "eventID": "22222222-2222-2222-2222-222222222222",
        "readOnly": false, "resources": resources, "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": account, "eventCategory": "Management",
    })
}

/// How EventBridge delivers it (Amazon EventBridge User Guide, AWS service events via CloudTrail).
fn event(context: &Context<'_>, call: Call<'_>, record: &Value) -> Value {
    json!({
        "version": "0", "id": "33333333-3333-3333-3333-333333333333", "detail-type": "AWS API Call via CloudTrail",
        "source": format!("aws.{}", call.service), "account": context.account, "time": "2026-01-01T00:00:00Z",
        "region": context.region, "resources": [], "detail": record,
    })
}
