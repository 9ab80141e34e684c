//! Bedrock guardrails, and those that are enforced for the whole account.

use aws_sdk_bedrock::operation::get_guardrail::GetGuardrailOutput;
use aws_sdk_bedrock::types::{
    AccountEnforcedGuardrailOutputConfiguration, GuardrailContentPolicy, GuardrailSensitiveInformationPolicy,
    GuardrailSummary, GuardrailTopicPolicy,
};

use super::{PAGE, all, failed, id, text, time};
use crate::aws::Session;
use crate::base::{ResourceId, Text};
use crate::inventory::guardrails::{EnforcedGuardrail, Guardrail, GuardrailDetail};
use crate::inventory::{Read, ReadError, SourceId};

/// `ListGuardrails`: the draft of each.
pub async fn guardrails(session: &Session) -> Result<Vec<Guardrail>, ReadError> {
    let pages = session.bedrock().list_guardrails().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::GUARDRAILS, pages, |guardrail| listed(&guardrail)).await
}

/// `GetGuardrail` of the draft.
pub async fn guardrail_detail(session: &Session, arn: &ResourceId) -> Result<GuardrailDetail, ReadError> {
    let answer = session.bedrock().get_guardrail().guardrail_identifier(arn.as_str()).send().await;
    answer.map(|guardrail| detail(&guardrail)).map_err(|error| failed(session, SourceId::GUARDRAIL_DETAILS, &error))
}

/// `ListEnforcedGuardrailsConfiguration`.
pub async fn enforced_guardrails(session: &Session) -> Result<Vec<EnforcedGuardrail>, ReadError> {
    let pages = session.bedrock().list_enforced_guardrails_configuration().into_paginator().items().send();
    all(session, SourceId::ENFORCED_GUARDRAILS, pages, |config| enforced(&config)).await
}

fn listed(guardrail: &GuardrailSummary) -> Guardrail {
    Guardrail {
        arn: guardrail.arn().into(),
        short_id: guardrail.id().into(),
        name: guardrail.name().into(),
        status: guardrail.status().as_str().into(),
        version: guardrail.version().into(),
        updated: time(guardrail.updated_at()),
        detail: Read::NotAsked,
    }
}

fn detail(guardrail: &GetGuardrailOutput) -> GuardrailDetail {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let sensitive = guardrail.sensitive_information_policy();
    let entities = sensitive.map(GuardrailSensitiveInformationPolicy::pii_entities).unwrap_or_default();
    let regexes = sensitive.map(GuardrailSensitiveInformationPolicy::regexes).unwrap_or_default();
    let words = guardrail.word_policy();
    GuardrailDetail {
        kms_key: id(guardrail.kms_key_arn()),
        filters: guardrail
            .content_policy()
            .map(GuardrailContentPolicy::filters)
            .unwrap_or_default()
            .iter()
            .map(|filter| {
                let strengths = (filter.input_strength().as_str().into(), filter.output_strength().as_str().into());
                (filter.r#type().as_str().into(), strengths)
            })
            .collect(),
        topics: guardrail
            .topic_policy()
            .map(GuardrailTopicPolicy::topics)
            .unwrap_or_default()
            .iter()
            .map(|topic| topic.name().into())
            .collect(),
        pii: entities
            .iter()
            .map(|entity| (Text::new(entity.r#type().as_str()), Text::new(entity.action().as_str())))
            .chain(
                regexes
                    .iter()
                    .map(|regex| (Text::new(format!("regex {}", regex.name())), Text::new(regex.action().as_str()))),
            )
            .collect(),
        words: count(words.map_or(0, |policy| policy.words().len() + policy.managed_word_lists().len())),
        grounding: guardrail
            .contextual_grounding_policy()
            .is_some_and(|policy| policy.filters().iter().any(|filter| filter.enabled().unwrap_or(true))),
    }
}

fn enforced(config: &AccountEnforcedGuardrailOutputConfiguration) -> EnforcedGuardrail {
    let guardrail = id(config.guardrail_arn()).or_else(|| id(config.guardrail_id())).unwrap_or_else(|| "".into());
    EnforcedGuardrail {
        id: id(config.config_id()).unwrap_or_else(|| guardrail.clone()),
        guardrail,
        version: text(config.guardrail_version()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_bedrock::types::{
        GuardrailContentFilter, GuardrailContentFilterType, GuardrailContextualGroundingFilter,
        GuardrailContextualGroundingFilterType, GuardrailContextualGroundingPolicy, GuardrailFilterStrength,
        GuardrailPiiEntity, GuardrailPiiEntityType, GuardrailSensitiveInformationAction, GuardrailStatus,
    };
    use aws_smithy_types::DateTime;

    #[test]
    fn a_guardrail_in_full() {
        let guardrail = GetGuardrailOutput::builder()
            .name("orion")
            .guardrail_id("gr1")
            .guardrail_arn("arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1")
            .version("DRAFT")
            .status(GuardrailStatus::Ready)
            .created_at(DateTime::from_secs(1))
            .updated_at(DateTime::from_secs(2))
            .blocked_input_messaging("no")
            .blocked_outputs_messaging("no")
            .kms_key_arn("arn:aws:kms:us-east-1:123456789012:key/91b5")
            .content_policy(
                GuardrailContentPolicy::builder()
                    .filters(
                        GuardrailContentFilter::builder()
                            .r#type(GuardrailContentFilterType::PromptAttack)
                            .input_strength(GuardrailFilterStrength::High)
                            .output_strength(GuardrailFilterStrength::None)
                            .build()
                            .unwrap(),
                    )
                    .build(),
            )
            .sensitive_information_policy(
                GuardrailSensitiveInformationPolicy::builder()
                    .pii_entities(
                        GuardrailPiiEntity::builder()
                            .r#type(GuardrailPiiEntityType::Email)
                            .action(GuardrailSensitiveInformationAction::Anonymize)
                            .build()
                            .unwrap(),
                    )
                    .build(),
            )
            .contextual_grounding_policy(
                GuardrailContextualGroundingPolicy::builder()
                    .filters(
                        GuardrailContextualGroundingFilter::builder()
                            .r#type(GuardrailContextualGroundingFilterType::Grounding)
                            .threshold(0.7)
                            .enabled(false)
                            .build()
                            .unwrap(),
                    )
                    .build()
                    .unwrap(),
            )
            .build()
            .unwrap();
        let detail = detail(&guardrail);
        assert_eq!(detail.filters.get(&Text::new("PROMPT_ATTACK")), Some(&("HIGH".into(), "NONE".into())));
        assert_eq!(detail.pii.get(&Text::new("EMAIL")), Some(&"ANONYMIZE".into()));
        assert_eq!((detail.words, detail.grounding, detail.topics.len()), (0, false, 0));
        assert!(detail.kms_key.is_some());
    }
}
