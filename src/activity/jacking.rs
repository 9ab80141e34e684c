//! Whether calls look like stolen credentials at work on models: many kinds of the calls that LLM-jacking is made
//! of, bursts of refusals, changes by whom or from where none ever came. A pure rule over events.
//!
//! [`Watch`] keeps of each event only what the rule needs, so that a day of a busy account stays small.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use serde_json::Value;

use super::event::{Event, Outcome};
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::changes::{ChangeHistory, Maker};

/// The calls that Prowler's `cloudtrail_threat_detection_llm_jacking` looks for.
const KNOWN: &[&str] = &[
    "PutUseCaseForModelAccess",
    "PutFoundationModelEntitlement",
    "PutModelInvocationLoggingConfiguration",
    "CreateFoundationModelAgreement",
    "InvokeModel",
    "InvokeModelWithResponseStream",
    "GetUseCaseForModelAccess",
    "GetModelInvocationLoggingConfiguration",
    "GetFoundationModelAvailability",
    "ListFoundationModelAgreementOffers",
    "ListFoundationModels",
    "ListProvisionedModelThroughputs",
    "SearchAgreements",
    "AcceptAgreementRequest",
];
/// The same in use of custom models, which it leaves out.
const MORE: &[&str] = &[
    "Converse",
    "CreateModelCustomizationJob",
    "CreateModelCopyJob",
    "CreateCustomModelDeployment",
    "CreateProvisionedModelThroughput",
    "DeleteModelInvocationLoggingConfiguration",
];
/// So many of [`KNOWN`] are more than 0.4 of them: Prowler's threshold.
const KNOWN_SUSPECT: usize = 6;
/// The same of both lists together.
const ALL_SUSPECT: usize = 9;
/// Calls that change what is customized, served or logged.
pub const CHANGES: &[&str] = &[
    "CreateModelCustomizationJob",
    "CreateModelImportJob",
    "CreateCustomModel",
    "CreateModelCopyJob",
    "CreateCustomModelDeployment",
    "CreateProvisionedModelThroughput",
    "PutModelInvocationLoggingConfiguration",
    "DeleteModelInvocationLoggingConfiguration",
    "PutUseCaseForModelAccess",
    "PutFoundationModelEntitlement",
    "CreateFoundationModelAgreement",
];
/// What is looked at.
const WINDOW_SECS: i64 = 24 * 3600;
/// How much history before the window it takes to call something new.
const HISTORY_SECS: i64 = 7 * 24 * 3600;
/// So many refusals …
const DENIALS: usize = 10;
/// … in so many seconds are a burst.
const BURST_SECS: i64 = 600;
/// Calls that are kept; older ones go. why: a day of one principal's invocations must not fill the memory.
const KEPT: usize = 50_000;

/// What was seen of the calls that matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watch {
    calls: Vec<Call>,
    ids: HashSet<Text>,
    since: Option<Timestamp>,
    /// Before this, calls were let go.
    floor: Option<Timestamp>,
    looked_at: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Call {
    id: Text,
    at: Timestamp,
    name: Text,
    who: Text,
    principal: Option<ResourceId>,
    from: Text,
    denied: bool,
    /// Whether it went through.
    worked: bool,
    /// Whether it came from a public address, not through a VPC endpoint.
    public: bool,
}

/// What is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Many of the calls that LLM-jacking is made of.
    ManyKinds,
    /// Many refusals in a short time.
    Denials,
    /// A change by a principal that never made one.
    NewPrincipal,
    /// A change from a public address that its principal never used.
    NewAddress,
    /// A change, and too little history to tell whether it is the first.
    PerhapsNew,
}

/// A sign, and the calls behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spotted {
    /// What.
    pub sign: Sign,
    /// Name of the principal.
    pub who: Text,
    /// Its ARN.
    pub principal: Option<ResourceId>,
    /// Names of the calls.
    pub calls: BTreeSet<Text>,
    /// Addresses.
    pub from: BTreeSet<Text>,
    /// How many calls.
    pub count: usize,
    /// The first of them.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

impl Watch {
    /// Takes events, in any order, each once. Returns whether any of them matters.
    pub fn take<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>) -> bool {
        let held = self.calls.len();
        for event in events {
            self.since = Some(self.since.map_or(event.at, |since| since.min(event.at))).max(self.floor);
            self.looked_at += 1;
            if event.is_ours() || !matters(event) {
                continue;
            }
            if event.id.is_empty() || self.ids.insert(event.id.clone()) {
                self.calls.push(Call::of(event));
            }
        }
        let new = self.calls.len() > held;
        if self.calls.len() > KEPT {
            self.calls.sort_by_key(|call| std::cmp::Reverse(call.at));
            for gone in self.calls.drain(KEPT / 2..) {
                self.ids.remove(&gone.id);
                self.floor = self.floor.max(Some(gone.at));
            }
            // Before the oldest that is kept, nothing is known any more.
            self.since = self.since.max(self.floor);
        }
        new
    }

    /// How many events were looked at.
    pub fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// The oldest event that was seen.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// What is suspect in the 24 hours before `now`, by principal, then by sign. `history`: who made changes before the
    /// events that were taken here, where that was looked up.
    pub fn spotted(&self, now: Timestamp, history: Option<&ChangeHistory>) -> Vec<Spotted> {
        let begin = now.plus_secs(-WINDOW_SECS);
        let mut principals: BTreeMap<(&str, &Text), Vec<&Call>> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.at <= now) {
            let arn = call.principal.as_ref().map_or("", ResourceId::as_str);
            principals.entry((arn, &call.who)).or_default().push(call);
        }
        // why not with a history that ends before the calls that were kept: of the time between nothing is known.
        let history = history.filter(|held| self.floor.is_none_or(|floor| floor <= held.until));
        let since = self.since.into_iter().chain(history.map(|held| held.since)).min();
        let long = since.is_some_and(|since| begin.secs_since(since) >= HISTORY_SECS);
        let mut makers: BTreeMap<(&str, &Text), &Maker> = BTreeMap::new();
        for maker in history.iter().flat_map(|held| &held.makers) {
            makers.insert((maker.principal.as_ref().map_or("", ResourceId::as_str), &maker.who), maker);
        }
        let mut found = Vec::new();
        for (who, calls) in &mut principals {
            calls.sort_by_key(|call| call.at);
            let (before, lately): (Vec<&Call>, Vec<&Call>) = calls.iter().copied().partition(|call| call.at < begin);
            found.extend(many_kinds(&lately));
            found.extend(denials(&lately));
            found.extend(first_seen(&before, &lately, makers.get(who).copied(), long));
        }
        found
    }
}

/// Whether an event is a change to customization that went through, made by somebody else than bedwatch.
pub fn is_change(event: &Event) -> bool {
    !event.is_ours() && matters(event) && Call::of(event).is_change()
}

/// Who made the changes among these events, each once.
pub fn makers<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Maker> {
    let mut found: BTreeMap<(Option<&ResourceId>, &Text), BTreeSet<Text>> = BTreeMap::new();
    for event in events.into_iter().filter(|event| is_change(event)) {
        found.entry((event.principal.as_ref(), &event.who)).or_default().insert(event.from.clone());
    }
    let maker = |((principal, who), from): ((Option<&ResourceId>, &Text), _)| Maker {
        who: who.clone(),
        principal: principal.cloned(),
        from,
    };
    found.into_iter().map(maker).collect()
}

fn matters(event: &Event) -> bool {
    let name = event.name.as_str();
    let bedrock = event.source.as_str().starts_with("bedrock");
    let named = KNOWN.contains(&name) || MORE.contains(&name) || CHANGES.contains(&name);
    let agreements = event.source.as_str().contains("marketplace");
    let denied = matches!(event.outcome, Outcome::Denied(_));
    (bedrock && (named || denied || name == "ConverseStream")) || (agreements && KNOWN.contains(&name))
}

impl Call {
    fn of(event: &Event) -> Self {
        // A service's name is no address.
        let address = event.from.as_str().parse::<IpAddr>().ok();
        let endpoint = event.record.pointer("/vpcEndpointId").is_some_and(Value::is_string);
        Self {
            id: event.id.clone(),
            at: event.at,
            // The stream is the same call.
            name: if event.name.as_str() == "ConverseStream" { Text::new("Converse") } else { event.name.clone() },
            who: event.who.clone(),
            principal: event.principal.clone(),
            from: event.from.clone(),
            denied: matches!(event.outcome, Outcome::Denied(_)),
            worked: event.outcome == Outcome::Ok,
            public: !endpoint && address.is_some_and(is_public),
        }
    }

    fn is_change(&self) -> bool {
        self.worked && CHANGES.contains(&self.name.as_str())
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // 100.64/10 is shared by carriers and by VPCs (RFC 6598).
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared)
        }
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
    }
}

fn spotted(sign: Sign, calls: &[&Call]) -> Option<Spotted> {
    let (first, last) = (calls.first()?, calls.last()?);
    Some(Spotted {
        sign,
        who: first.who.clone(),
        principal: first.principal.clone(),
        calls: calls.iter().map(|call| call.name.clone()).collect(),
        from: calls.iter().map(|call| call.from.clone()).collect(),
        count: calls.len(),
        first: first.at,
        last: last.at,
    })
}

fn many_kinds(lately: &[&Call]) -> Option<Spotted> {
    let of = |lists: &[&[&str]]| -> Vec<&Call> {
        let listed = |call: &&&Call| lists.iter().any(|list| list.contains(&call.name.as_str()));
        lately.iter().filter(listed).copied().collect()
    };
    let kinds = |calls: &[&Call]| calls.iter().map(|call| &call.name).collect::<BTreeSet<_>>().len();
    let (known, all) = (of(&[KNOWN]), of(&[KNOWN, MORE]));
    let suspect = kinds(&known) >= KNOWN_SUSPECT || kinds(&all) >= ALL_SUSPECT;
    suspect.then(|| spotted(Sign::ManyKinds, &all)).flatten()
}

/// The first stretch with a burst, as far as it goes on.
fn denials(lately: &[&Call]) -> Option<Spotted> {
    let denied: Vec<&Call> = lately.iter().filter(|call| call.denied).copied().collect();
    let begins = denied.windows(DENIALS).position(|burst| match burst {
        [first, .., last] => last.at.secs_since(first.at) <= BURST_SECS,
        _ => false,
    })?;
    let burst = denied.get(begins..)?;
    let end = burst.first()?.at.plus_secs(BURST_SECS);
    let within: Vec<&Call> = burst.iter().take_while(|call| call.at <= end).copied().collect();
    spotted(Sign::Denials, &within)
}

fn first_seen(before: &[&Call], lately: &[&Call], maker: Option<&Maker>, long: bool) -> Option<Spotted> {
    let changes: Vec<&Call> = lately.iter().filter(|call| call.is_change()).copied().collect();
    if maker.is_none() && !before.iter().any(|call| call.is_change()) {
        let sign = if long { Sign::NewPrincipal } else { Sign::PerhapsNew };
        return spotted(sign, &changes);
    }
    let used: BTreeSet<&Text> =
        before.iter().map(|call| &call.from).chain(maker.iter().flat_map(|maker| &maker.from)).collect();
    let new: Vec<&Call> = changes.into_iter().filter(|call| call.public && !used.contains(&call.from)).collect();
    spotted(if long { Sign::NewAddress } else { Sign::PerhapsNew }, &new)
}

#[cfg(test)]
mod tests;
