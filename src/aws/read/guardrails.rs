//! Bedrock guardrails, and those that are enforced for the whole account.

use aws_sdk_bedrock::operation::get_guardrail::GetGuardrailOutput;
use aws_sdk_bedrock::types::{
    AccountEnforcedGuardrailOutputConfiguration, ConfigurationOwner, GuardrailAutomatedReasoningPolicy,
    GuardrailContentFilter, GuardrailContentFilterAction, GuardrailContentPolicy, GuardrailSensitiveInformationAction,
    GuardrailSensitiveInformationPolicy, GuardrailSummary, GuardrailTopicPolicy, InputTags, ModelEnforcement,
    SelectiveContentGuarding, SelectiveGuardingMode,
};

use super::{PAGE, all, failed, id, text, time};
use crate::aws::Session;
use crate::base::{ResourceId, Text};
use crate::inventory::guardrails::{
    ContentFilter, EnforcedGuardrail, Guarding, Guardrail, GuardrailDetail, GuardrailVersion, SensitiveFilter,
};
use crate::inventory::{Read, ReadError, SourceId};

/// `ListGuardrails`: the draft of each.
pub async fn guardrails(session: &Session) -> Result<Vec<Guardrail>, ReadError> {
    let pages = session.bedrock().list_guardrails().into_paginator().page_size(PAGE).items().send();
    all(session, SourceId::GUARDRAILS, pages, |guardrail| listed(&guardrail)).await
}

/// `ListGuardrails` of one guardrail: its numbered versions, without the draft.
pub async fn guardrail_versions(session: &Session, guardrail: &ResourceId) -> Result<Vec<GuardrailVersion>, ReadError> {
    let call = session.bedrock().list_guardrails().guardrail_identifier(guardrail.as_str());
    let pages = call.into_paginator().page_size(PAGE).items().send();
    let versions = all(session, SourceId::GUARDRAILS, pages, |version| numbered(&version)).await?;
    Ok(versions.into_iter().flatten().collect())
}

/// `GetGuardrail` of a numbered version.
pub async fn version_detail(session: &Session, version: &GuardrailVersion) -> Result<GuardrailDetail, ReadError> {
    let call = session.bedrock().get_guardrail().guardrail_identifier(version.guardrail.as_str());
    let answer = call.guardrail_version(version.version.as_str()).send().await;
    answer.map(|guardrail| detail(&guardrail)).map_err(|error| failed(session, SourceId::GUARDRAIL_DETAILS, &error))
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

fn numbered(version: &GuardrailSummary) -> Option<GuardrailVersion> {
    // The draft is in the list too.
    version.version().parse::<u32>().ok()?;
    let guardrail = ResourceId::new(version.arn());
    Some(GuardrailVersion {
        id: GuardrailVersion::id_of(&guardrail, version.version()),
        guardrail,
        version: version.version().into(),
        status: version.status().as_str().into(),
        created: time(version.created_at()),
        detail: Read::NotAsked,
    })
}

fn content_filter(filter: &GuardrailContentFilter) -> ContentFilter {
    // why BLOCK and true: what a filter that names neither does (Amazon Bedrock API Reference,
    // GuardrailContentFilter: both were added later, and filters of before go on blocking).
    let side = |action: Option<&GuardrailContentFilterAction>, enabled: Option<bool>| Guarding {
        enabled: enabled.unwrap_or(true),
        action: action.map_or("BLOCK", GuardrailContentFilterAction::as_str).into(),
    };
    ContentFilter {
        kind: filter.r#type().as_str().into(),
        input: side(filter.input_action(), filter.input_enabled()),
        output: side(filter.output_action(), filter.output_enabled()),
        input_strength: filter.input_strength().as_str().into(),
        output_strength: filter.output_strength().as_str().into(),
    }
}

/// One side of a filter of sensitive information; without an action of its own it has the common one.
fn sensitive_side(
    own: Option<&GuardrailSensitiveInformationAction>,
    common: &GuardrailSensitiveInformationAction,
    enabled: Option<bool>,
) -> Guarding {
    Guarding { enabled: enabled.unwrap_or(true), action: own.unwrap_or(common).as_str().into() }
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
        content: guardrail
            .content_policy()
            .map(GuardrailContentPolicy::filters)
            .unwrap_or_default()
            .iter()
            .map(content_filter)
            .collect(),
        tier: guardrail.content_policy().and_then(|policy| policy.tier()).map(|tier| tier.tier_name().as_str().into()),
        sensitive: entities
            .iter()
            .map(|entity| SensitiveFilter {
                kind: entity.r#type().as_str().into(),
                input: sensitive_side(entity.input_action(), entity.action(), entity.input_enabled()),
                output: sensitive_side(entity.output_action(), entity.action(), entity.output_enabled()),
            })
            .chain(regexes.iter().map(|regex| SensitiveFilter {
                kind: Text::new(format!("regex {}", regex.name())),
                input: sensitive_side(regex.input_action(), regex.action(), regex.input_enabled()),
                output: sensitive_side(regex.output_action(), regex.action(), regex.output_enabled()),
            }))
            .collect(),
        reasoning: guardrail
            .automated_reasoning_policy()
            .map(GuardrailAutomatedReasoningPolicy::policies)
            .unwrap_or_default()
            .iter()
            .map(ResourceId::new)
            .collect(),
    }
}

// why the deprecated field: configurations made with it are still in force.
#[allow(deprecated)]
fn enforced(config: &AccountEnforcedGuardrailOutputConfiguration) -> EnforcedGuardrail {
    let guardrail = id(config.guardrail_arn()).or_else(|| id(config.guardrail_id())).unwrap_or_else(|| "".into());
    EnforcedGuardrail {
        id: id(config.config_id()).unwrap_or_else(|| guardrail.clone()),
        guardrail,
        version: text(config.guardrail_version()),
        included: texts(config.model_enforcement().map(ModelEnforcement::included_models)),
        excluded: texts(config.model_enforcement().map(ModelEnforcement::excluded_models)),
        system: mode(config.selective_content_guarding().and_then(SelectiveContentGuarding::system)),
        messages: mode(config.selective_content_guarding().and_then(SelectiveContentGuarding::messages)),
        input_tags: config.input_tags().map(InputTags::as_str).map(Text::new),
        owner: config.owner().map(ConfigurationOwner::as_str).map(Text::new),
    }
}

fn texts(all: Option<&[String]>) -> Vec<Text> {
    all.unwrap_or_default().iter().map(Text::new).collect()
}

fn mode(mode: Option<&SelectiveGuardingMode>) -> Option<Text> {
    mode.map(SelectiveGuardingMode::as_str).map(Text::new)
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
                            .input_enabled(false)
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
        let attack = &detail.content[0];
        assert_eq!(
            (attack.kind.as_str(), attack.input.acts(), attack.input.action.as_str()),
            ("PROMPT_ATTACK", true, "BLOCK")
        );
        let email = &detail.sensitive[0];
        assert_eq!((email.output.action.as_str(), email.input.enabled), ("ANONYMIZE", false));
    }

    #[test]
    fn a_version_is_a_number() {
        let summary = |version: &str| {
            let built = GuardrailSummary::builder().id("g").arn("arn:g").status(GuardrailStatus::Ready).name("g");
            let at = DateTime::from_secs(1);
            built.version(version).created_at(at).updated_at(at).build().unwrap()
        };
        assert_eq!(numbered(&summary("DRAFT")), None);
        assert_eq!(numbered(&summary("2")).unwrap().id.as_str(), "arn:g:2");
    }

    #[test]
    #[allow(deprecated)]
    fn an_enforcement_says_for_which_models() {
        let config = AccountEnforcedGuardrailOutputConfiguration::builder()
            .config_id("c")
            .guardrail_arn("arn:g")
            .guardrail_version("3")
            .model_enforcement(
                ModelEnforcement::builder()
                    .set_included_models(Some(vec!["ALL".into()]))
                    .set_excluded_models(Some(vec!["arn:m".into()]))
                    .build()
                    .unwrap(),
            )
            .selective_content_guarding(
                SelectiveContentGuarding::builder().system(SelectiveGuardingMode::Selective).build(),
            )
            .input_tags(InputTags::Honor)
            .build();
        let read = enforced(&config);
        assert_eq!((read.included, read.excluded), (vec!["ALL".into()], vec!["arn:m".into()]));
        assert_eq!(
            (read.system, read.messages, read.input_tags),
            (Some("SELECTIVE".into()), None, Some("HONOR".into()))
        );
    }
}
