//! EventBridge: the rules of the default bus and their targets.
//!
//! The SDK has no paginators for these operations; the tokens are followed here.

use aws_sdk_eventbridge::types::{Rule as SdkRule, RuleState, Target as SdkTarget};

use super::{failed, id, malformed, text};
use crate::aws::Session;
use crate::base::Text;
use crate::inventory::events::{Rule, Target};
use crate::inventory::{Document, Read, ReadError, SourceId};

/// `ListRules` of the default bus.
pub async fn rules(session: &Session) -> Result<Vec<Rule>, ReadError> {
    let (mut rules, mut token) = (Vec::new(), None);
    loop {
        let answer = session.events().list_rules().limit(100).set_next_token(token.clone()).send().await;
        let answer = answer.map_err(|error| failed(session, SourceId::RULES, &error))?;
        rules.extend(answer.rules().iter().filter_map(rule));
        token = match following(answer.next_token, token.as_deref()) {
            Next::Page(next) => Some(next),
            Next::End => return Ok(rules),
            Next::Again => return Err(malformed(session, SourceId::RULES, "new token: the same page came twice")),
        };
    }
}

/// `ListTargetsByRule`.
pub async fn targets(session: &Session, rule: &Rule) -> Result<Vec<Target>, ReadError> {
    let (mut targets, mut token) = (Vec::new(), None);
    loop {
        let call = session.events().list_targets_by_rule().rule(rule.name.as_str()).limit(100);
        let answer = call.set_next_token(token.clone()).send().await;
        let answer = answer.map_err(|error| failed(session, SourceId::RULE_TARGETS, &error))?;
        targets.extend(answer.targets().iter().map(target));
        token = match following(answer.next_token, token.as_deref()) {
            Next::Page(next) => Some(next),
            Next::End => return Ok(targets),
            Next::Again => {
                return Err(malformed(session, SourceId::RULE_TARGETS, "new token: the same page came twice"));
            }
        };
    }
}

/// What follows a page.
#[derive(Debug, PartialEq)]
enum Next {
    Page(String),
    End,
    /// The server repeats itself: going on would never end, stopping would be a shorter list.
    Again,
}

fn following(next: Option<String>, last: Option<&str>) -> Next {
    match next {
        Some(next) if Some(next.as_str()) == last => Next::Again,
        Some(next) if !next.is_empty() => Next::Page(next),
        _ => Next::End,
    }
}

fn rule(rule: &SdkRule) -> Option<Rule> {
    Some(Rule {
        arn: id(rule.arn())?,
        name: text(rule.name()),
        enabled: rule.state().is_some_and(|state| *state != RuleState::Disabled),
        pattern: rule.event_pattern().filter(|pattern| !pattern.is_empty()).map(Document::new),
        targets: Read::NotAsked,
    })
}

fn target(target: &SdkTarget) -> Target {
    Target {
        id: Text::new(target.id()),
        arn: target.arn().into(),
        dead_letter: target.dead_letter_config().and_then(|config| id(config.arn())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eventbridge::types::DeadLetterConfig;

    #[test]
    fn a_rule_with_a_broken_pattern_keeps_it() {
        let built = SdkRule::builder()
            .arn("arn:aws:events:us-east-1:123456789012:rule/bedrock")
            .name("bedrock")
            .state(RuleState::EnabledWithAllCloudtrailManagementEvents)
            .event_pattern("{\"source\":[\"aws.bedrock\"")
            .build();
        let rule = rule(&built).unwrap();
        assert!(rule.enabled);
        assert_eq!(rule.pattern.as_ref().map(Document::raw), Some("{\"source\":[\"aws.bedrock\""));
        assert!(rule.pattern.unwrap().json().is_err());
    }

    #[test]
    fn a_target_with_and_without_a_dead_letter_queue() {
        let plain = SdkTarget::builder().id("1").arn("arn:aws:sns:us-east-1:1:t").build().unwrap();
        assert_eq!(target(&plain).dead_letter, None);
        let queue = DeadLetterConfig::builder().arn("arn:aws:sqs:us-east-1:1:q").build();
        let with = SdkTarget::builder().id("1").arn("a").dead_letter_config(queue).build().unwrap();
        assert_eq!(target(&with).dead_letter, Some("arn:aws:sqs:us-east-1:1:q".into()));
    }

    #[test]
    fn paging_ends() {
        assert_eq!(following(Some("b".into()), Some("a")), Next::Page("b".into()));
        assert_eq!(following(None, Some("a")), Next::End);
        assert_eq!(following(Some(String::new()), None), Next::End);
        assert_eq!(following(Some("a".into()), Some("a")), Next::Again);
    }
}
