//! Whether anybody looks for attacks and leaks in what models are asked and answer.

use serde_json::{Value, json};

use super::super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::filter_pattern::FilterPattern;
use super::super::judge::{Judge, Problem, listed, unread};
use super::super::verdict::{Area, Severity, Verdict};
use crate::inventory::bedrock::LoggingConfiguration;
use crate::inventory::conversation::{ConversationHit, Conversations};
use crate::inventory::logs::MetricFilter;
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(in crate::posture) const DET_08: Control = Control {
    id: "CUS-DET-08",
    title: "Invocation logs are searched for jailbreak and leakage",
    severity: Severity::High,
    area: Area::Detection,
    what: "custom models whose invocations are logged",
    lists: &[SourceId::MODELS, SourceId::IMPORTED_MODELS],
    // why all as tables: there is one log, and one answer to who searches it.
    tables: &[
        SourceId::LOGGING,
        SourceId::LOG_GROUPS,
        SourceId::LOG_FILTERS,
        SourceId::LOG_SUBSCRIPTIONS,
        SourceId::CONVERSATIONS,
    ],
    details: &[],
    logic: "Where custom or imported models are used and invocations are logged, something must search the log: a metric \
            filter that looks at prompts or completions, a subscription that hands them on, or bedwatch's own deep \
            look. Filters that leave out some of the operations (InvokeModel, Converse, and their streams), or name a field \
            that bodies of those do not have, are a warning, and so are logs that go to S3 alone, as who reads them there is not seen. A deep look also runs \
            bedwatch's rules over the last day of invocations of custom models: what leaks in an answer fails, what \
            is attempted in a prompt is a warning.",
    reasons: &["no-detector", "operations-missed", "only-in-s3", "leak-seen", "attack-seen"],
    remediation: "Put a metric filter on the log group with an alarm, or run `bedwatch scan --deep` on a schedule. Look \
                  at each request that was found, who sent it, and whether a guardrail should have stopped it.",
    cli: "aws logs put-metric-filter --log-group-name GROUP --filter-name attacks --filter-pattern PATTERN …",
    compliance: &[
        (NIST, &["AU-6", "SI-4"]),
        (FEDRAMP, &["AU-6", "SI-4"]),
        (PCI, &["10.4.1"]),
        (HIPAA, &["164.308(a)(1)(ii)(D)"]),
        (GDPR, &["33"]),
        (OWASP, &["LLM01", "LLM02"]),
        (ATLAS, &["AML.T0051", "AML.T0054", "AML.T0057"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: talk,
};

/// Id of the setting that holds what a deep look found.
const HEARD: &str = "logged-conversations";

fn talk(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    if inventory.models.is_empty() && inventory.imported_models.is_empty() {
        return Vec::new();
    }
    let subject = || judge.on(ResourceRef::new(Kind::Logging, "invocation-logging"));
    let logging = match inventory.logging.known() {
        Err(unknown) => {
            let why = unread("bedrock:GetModelInvocationLoggingConfiguration", unknown);
            // What a deep look found in the log is out of sight too.
            let heard = judge.is_deep().then(|| judge.on_region().unread(why.clone()));
            return std::iter::once(subject().unread(why)).chain(heard).collect();
        }
        Ok(None) => {
            let why = "invocations are not logged, so there is nothing to search; see CUS-LOG-01";
            return vec![subject().not_applicable(why)];
        }
        Ok(Some(logging)) => logging,
    };
    let mut verdicts = vec![detector(judge, logging)];
    verdicts.extend(heard(judge));
    verdicts
}

/// Whether something searches the log.
fn detector(judge: &Judge<'_>, logging: &LoggingConfiguration) -> Verdict {
    let inventory = judge.context.inventory;
    let subject = judge.on(ResourceRef::new(Kind::Logging, "invocation-logging"));
    let own = judge.is_deep().then(|| inventory.settings.conversations.known());
    let Some(target) = &logging.cloud_watch else {
        let place = logging.s3.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
        let draft = subject.shows("s3Config", &place);
        return match own {
            Some(Ok(looked)) => draft.shows("searched", &looked.place).pass("bedwatch's deep look searched the log"),
            Some(Err(unknown)) => draft.undecided("unread", unread("logs:GetLogEvents", unknown)),
            None => draft
                .warn("only-in-s3", format!("invocations are logged to {place} alone: nobody is seen to search them")),
        };
    };
    let subject = subject.related([ResourceRef::new(Kind::LogGroup, &target.log_group)]);
    let Some(group) = inventory.log_groups.get(&target.log_group) else {
        return match judge.gap(SourceId::LOG_GROUPS) {
            Some(why) => subject.unread(why),
            None => subject
                .shows("logGroupName", &target.log_group)
                .fail("no-detector", format!("log group {} does not exist: nothing can search it", target.log_group)),
        };
    };
    let (filters, subscriptions) = match (group.filters.known(), group.subscriptions.known()) {
        (Ok(filters), Ok(subscriptions)) => (filters, subscriptions),
        (Err(unknown), _) => return subject.unread(unread("logs:DescribeMetricFilters", unknown)),
        (_, Err(unknown)) => return subject.unread(unread("logs:DescribeSubscriptionFilters", unknown)),
    };
    let seeing: Vec<&MetricFilter> =
        filters.iter().filter(|filter| OPERATIONS.iter().any(|operation| searches(filter, operation))).collect();
    let mut draft = subject.shows("logGroupName", &group.name);
    for filter in filters {
        draft = draft.shows("metricFilter", filter);
    }
    for subscription in subscriptions {
        draft = draft.shows("subscriptionFilter", format!("{} → {}", subscription.name, subscription.destination));
    }
    let missed: Vec<&str> =
        OPERATIONS.into_iter().filter(|operation| !seeing.iter().any(|one| searches(one, operation))).collect();
    if missed.is_empty() {
        return draft
            .pass(format!("metric filter {} searches the log", listed(seeing.iter().map(|filter| &filter.name))));
    }
    if !subscriptions.is_empty() {
        return draft.pass(format!("{} gets the log", listed(subscriptions.iter().map(|one| &one.destination))));
    }
    match own {
        Some(Ok(looked)) => draft.shows("searched", &looked.place).pass("bedwatch's deep look searched the log"),
        Some(Err(unknown)) => draft.undecided("unread", unread("logs:GetLogEvents", unknown)),
        None if filters.is_empty() => draft.fail("no-detector", format!("nothing searches {}", group.name)),
        None if !seeing.is_empty() => {
            let names = listed(seeing.iter().map(|filter| &filter.name));
            let why = format!("metric filter {names} never looks at invocations by {}", listed(missed));
            draft.warn("operations-missed", why)
        }
        None => {
            draft.fail("no-detector", format!("no metric filter of {} looks at prompts or completions", group.name))
        }
    }
}

/// What the log calls the ways to invoke a model with text.
const OPERATIONS: [&str; 4] = ["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"];

/// The fields of a record that hold what was asked and answered.
const BODIES: &[&str] = &["inputBodyJson", "outputBodyJson"];

/// Whether a filter searches what was asked or answered in one of these ways. One that counts tokens, models or errors
/// sees no attack, and one field alone is there in some of the ways only: `messages[0].content` is a text in a body of
/// InvokeModel, and a list in one of Converse.
fn searches(filter: &MetricFilter, operation: &str) -> bool {
    let written = filter.pattern.as_str();
    match FilterPattern::parse(written) {
        Ok(pattern) => {
            pattern.is_open_to("operation", operation)
                && records(operation).iter().any(|record| pattern.reads(record, BODIES))
        }
        // why also when it is not understood: that it searches is seen.
        Err(_) => BODIES.iter().any(|field| written.contains(field)),
    }
}

/// What records of an operation look like (Amazon Bedrock User Guide, inference parameters of the models that can be
/// customized or imported, and the Converse API): bodies of InvokeModel are those of the model.
fn records(operation: &str) -> Vec<Value> {
    let record = |input: Value, output: Value| json!({"operation": operation, "input": {"inputBodyJson": input}, "output": {"outputBodyJson": output}});
    let messages = json!({"system": [{"text": "t"}], "messages": [{"role": "user", "content": [{"text": "t"}]}]});
    let message = json!({"output": {"message": {"role": "assistant", "content": [{"text": "t"}]}}});
    if operation.starts_with("Converse") {
        return vec![record(messages, message)];
    }
    let plain = json!({"system": "t", "messages": [{"role": "user", "content": "t"}]});
    let bodies = [
        (json!({"inputText": "t"}), json!({"results": [{"outputText": "t"}]})),
        (
            json!({"prompt": "t"}),
            json!({"generation": "t", "outputs": [{"text": "t"}], "generations": [{"text": "t"}]}),
        ),
        (plain, json!({"content": [{"text": "t"}], "choices": [{"text": "t", "message": {"content": "t"}}]})),
        (messages, message),
    ];
    // A stream is logged as the list of its parts.
    let output = |body: Value| if operation.ends_with("Stream") { json!([body]) } else { body };
    bodies.into_iter().map(|(asked, answered)| record(asked, output(answered))).collect()
}

/// What a deep look heard in the log.
fn heard(judge: &Judge<'_>) -> Vec<Verdict> {
    let conversations = &judge.context.inventory.settings.conversations;
    let subject = judge.on(ResourceRef::new(Kind::Setting, HEARD));
    if !judge.is_deep() {
        return vec![subject.needs_deep()];
    }
    let looked = match conversations.known() {
        Err(unknown) => return vec![subject.unread(unread("logs:GetLogEvents", unknown))],
        Ok(looked) => looked,
    };
    let mut draft = subject
        .related(models(looked))
        .shows("searched", &looked.place)
        .shows_some("since", looked.since)
        .shows("records", looked.records)
        .shows("withoutText", looked.without_text);
    for (id, count) in &looked.counts {
        draft = draft.shows("detection", format!("{id} ×{count}"));
    }
    let problems = [
        problem(looked, true, "leak-seen", "an answer of a custom model leaks"),
        problem(looked, false, "attack-seen", "a custom model was asked what an attacker asks"),
    ];
    let problems: Vec<Problem> = problems.into_iter().flatten().collect();
    let open = judge.gap(SourceId::CONVERSATIONS).map(|why| ("unread", why));
    let right = format!("nothing was found in {} invocations of custom models", looked.records);
    draft.conclude_open(problems, open, right)
}

/// Hits that are only worth knowing (a guardrail that did its work) are no problem.
fn problem(looked: &Conversations, answered: bool, code: &'static str, what: &str) -> Option<Problem> {
    let is_bad = |hit: &&ConversationHit| hit.answered == answered && hit.severity.is_some();
    let hits: Vec<&ConversationHit> = looked.hits.iter().filter(is_bad).collect();
    let first = hits.first()?;
    let reason =
        format!("{what}: {}, request {} of {} at {}", first.title, first.request, first.principal.last(), first.at);
    let worst = hits.iter().filter_map(|hit| hit.severity).min()?;
    let mut problem =
        if answered { Problem::fail(code, reason).graded(worst) } else { Problem::warn(code, reason).graded(worst) };
    for hit in hits.iter().take(8) {
        problem = problem.shows(
            "found",
            format!(
                "{} {}: {} (request {}, {}, {})",
                hit.id, hit.title, hit.shown, hit.request, hit.principal, hit.model
            ),
        );
    }
    Some(problem)
}

fn models(looked: &Conversations) -> std::collections::BTreeSet<ResourceRef> {
    let kind = |id: &crate::base::ResourceId| match id.as_str() {
        arn if arn.contains(":custom-model-deployment/") => Kind::Deployment,
        arn if arn.contains(":provisioned-model/") => Kind::Throughput,
        arn if arn.contains(":imported-model/") => Kind::ImportedModel,
        _ => Kind::Model,
    };
    looked.hits.iter().map(|hit| ResourceRef::new(kind(&hit.model), &hit.model)).collect()
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::base::Timestamp;
    use crate::inventory::bedrock::CloudWatchLogging;
    use crate::inventory::logs::{LogGroup, MetricFilter, Subscription};
    use crate::inventory::{Inventory, Read};
    use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
    use crate::posture::fixtures::deep::hear;
    use crate::posture::fixtures::*;

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[detectors, what_was_heard];

    const C: &str = "CUS-DET-08";
    const L: &str = "invocation-logging";
    const H: &str = "logged-conversations";
    const GROUP_NAME: &str = "/aws/bedrock/invocations";

    /// Logs to a group with these filters.
    fn group(patterns: &[&str]) -> impl Fn(&mut Inventory) {
        let filter =
            |pattern: &&str| MetricFilter { name: "f".into(), pattern: (*pattern).into(), metrics: Vec::new() };
        let filters: Vec<_> = patterns.iter().map(filter).collect();
        move |inventory| {
            let logging = inventory.logging.known_mut().and_then(Option::as_mut).unwrap();
            logging.cloud_watch =
                Some(CloudWatchLogging { log_group: GROUP_NAME.into(), role: TUNER.into(), large_data: None });
            inventory.log_groups.insert(
                GROUP_NAME.into(),
                LogGroup {
                    name: GROUP_NAME.into(),
                    arn: GROUP_NAME.into(),
                    retention_days: None,
                    kms_key: None,
                    bytes: 0,
                    created: Timestamp::from_secs(0),
                    filters: got(filters.clone()),
                    deletion_protection: false,
                    protection_status: None,
                    inherited: Vec::new(),
                    protection: got(None),
                    subscriptions: got(Vec::new()),
                },
            );
        }
    }

    /// The same seen without a deep look.
    fn shallowly(spoil: impl Fn(&mut Inventory)) -> impl Fn(&mut Inventory) {
        move |inventory| {
            spoil(inventory);
            *inventory = shallow(std::mem::take(inventory));
        }
    }

    #[test]
    fn detectors() {
        let na = (H, NotApplicable, "needs-deep");
        for (pattern, status, code) in [
            ("\"Ignore previous instructions\"", Pass, "ok"),
            ("{ $.input.inputBodyJson.messages[0].content[0].text = \"*DAN*\" }", Pass, "ok"),
            ("{ $.input.inputBodyJson.messages[0].content = \"*DAN*\" }", Warn, "operations-missed"),
            ("{ $.output.outputBodyJson.output.message.content[0].text = %AKIA% }", Warn, "operations-missed"),
            ("{ $.input.inputBodyJson.nowhere = \"*DAN*\" }", Fail, "no-detector"),
            ("{ $.input.inputBodyJson.messages[0].content[0].text != \"x\" }", Fail, "no-detector"),
            ("{ $.errorCode = \"AccessDenied*\" }", Fail, "no-detector"),
            ("{ $.input.inputTokenCount > 10000 }", Fail, "no-detector"),
            ("", Fail, "no-detector"),
        ] {
            expect(C, pattern, shallowly(group(&[pattern])), &[(L, status, code), na]);
        }
        let by = |operation: &str| {
            format!(
                "{{ ($.operation = \"{operation}\") && ($.input.inputBodyJson.messages[0].content[0].text = \"*DAN*\") }}"
            )
        };
        let (invoked, conversed) = (by("InvokeModel*"), by("Converse*"));
        let both = [invoked.as_str(), conversed.as_str()];
        expect(C, "without Converse", shallowly(group(&both[..1])), &[(L, Warn, "operations-missed"), na]);
        expect(C, "each by its own", shallowly(group(&both)), &[(L, Pass, "ok"), na]);
        expect(C, "the rest by bedwatch", group(&both[..1]), &[(L, Pass, "ok"), (H, Pass, "ok")]);
        expect(C, "no filter", shallowly(group(&[])), &[(L, Fail, "no-detector"), na]);
        expect(C, "bedwatch itself", group(&[]), &[(L, Pass, "ok"), (H, Pass, "ok")]);
        let handed_on = |i: &mut Inventory| {
            group(&[])(i);
            let subscription = Subscription { name: "s".into(), pattern: "".into(), destination: "arn:f".into() };
            i.log_groups.get_mut(GROUP_NAME).unwrap().subscriptions = got(vec![subscription]);
        };
        expect(C, "a subscription", shallowly(handed_on), &[(L, Pass, "ok"), na]);
        let gone = |i: &mut Inventory| {
            group(&[])(i);
            i.log_groups.remove(GROUP_NAME);
        };
        expect(C, "no such group", gone, &[(L, Fail, "no-detector"), (H, Pass, "ok")]);
        let to_s3 = |i: &mut Inventory| {
            let logging = i.logging.known_mut().and_then(Option::as_mut).unwrap();
            logging.cloud_watch = None;
            logging.s3 = crate::inventory::bedrock::S3Uri::parse("s3://logs/x");
        };
        expect(C, "S3 alone", shallowly(to_s3), &[(L, Warn, "only-in-s3"), na]);
        expect(C, "S3 alone, searched", to_s3, &[(L, Pass, "ok"), (H, Pass, "ok")]);
        expect(C, "off", |i| i.logging = got(None), &[(L, NotApplicable, "not-applicable")]);
        let failed = |i: &mut Inventory| {
            group(&["x"])(i);
            i.log_groups.get_mut(GROUP_NAME).unwrap().filters = Read::failed(error("logs:DescribeMetricFilters"));
        };
        expect(C, "filters unread", failed, &[(L, Unknown, "unread"), (H, Pass, "ok")]);
    }

    #[test]
    fn what_was_heard() {
        let detected = group(&["\"Ignore\""]);
        let hit = |answered| {
            let detected = &detected;
            move |i: &mut Inventory| {
                detected(i);
                hear(i, "D61", answered);
            }
        };
        expect(C, "an attempt", hit(false), &[(L, Pass, "ok"), (H, Warn, "attack-seen")]);
        expect(C, "a leak", hit(true), &[(L, Pass, "ok"), (H, Fail, "leak-seen")]);
        let guarded = |i: &mut Inventory| {
            detected(i);
            hear(i, "D58", true);
            i.settings.conversations.known_mut().unwrap().hits[0].severity = None;
        };
        expect(C, "a guardrail did its work", guarded, &[(L, Pass, "ok"), (H, Pass, "ok")]);
        let denied = |i: &mut Inventory| {
            detected(i);
            deny(i, crate::inventory::SourceId::CONVERSATIONS);
        };
        expect(C, "not read", denied, &[(L, Unknown, "unread"), (H, Unknown, "unread")]);
    }
}
