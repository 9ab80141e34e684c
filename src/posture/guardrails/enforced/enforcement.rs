//! Guardrails that are enforced, by the account or by its organization, and which models they cover.

use serde_json::Value;

use crate::base::{ResourceId, Text};
use crate::inventory::Document;
use crate::posture::control::Context;

use super::Served;
use crate::posture::guardrails::{Why, guardrail, of};

/// One enforcement.
pub(super) struct Enforcement {
    organization: bool,
    guardrail: ResourceId,
    version: Text,
    /// Names of models, or `ALL`; none means all.
    included: Vec<String>,
    excluded: Vec<String>,
    /// Whether system prompts or messages are guarded only where callers say so.
    pub selective: bool,
    /// Whether only tagged input is guarded (deprecated).
    pub honors_tags: bool,
    /// Whether its guardrail has an automated-reasoning policy.
    pub reasoning: Result<bool, String>,
}

/// Whether an enforcement is for a model.
pub(super) enum Reach {
    Covers,
    Leaves,
    Unsure(String),
}

impl Reach {
    pub fn words(&self) -> &str {
        match self {
            Self::Covers => "covers it",
            Self::Leaves => "leaves it out",
            Self::Unsure(why) => why,
        }
    }
}

/// Those of the account.
pub(super) fn of_account(context: &Context<'_>) -> Vec<Enforcement> {
    let words = |names: &[Text]| names.iter().map(Text::to_string).collect();
    let is = |word: &Option<Text>, wanted: &str| {
        word.as_ref().is_some_and(|word| word.as_str().eq_ignore_ascii_case(wanted))
    };
    let all = context.inventory.enforced_guardrails.values();
    all.map(|config| {
        let held =
            guardrail(context, &config.guardrail).map_or_else(|| config.guardrail.clone(), |held| held.arn.clone());
        let detail = of(context, held.clone(), config.version.clone(), Why::Enforced).detail;
        let foreign = held.arn().is_some_and(|arn| arn.account != context.account);
        Enforcement {
            organization: config.owner.as_ref().is_some_and(|owner| owner.as_str() != "ACCOUNT"),
            guardrail: held,
            version: config.version.clone(),
            included: words(&config.included),
            excluded: words(&config.excluded),
            selective: is(&config.system, "SELECTIVE") || is(&config.messages, "SELECTIVE"),
            honors_tags: is(&config.input_tags, "HONOR"),
            // why false abroad: it can never be read from here, and its owner is told when it is put up.
            reasoning: if foreign { Ok(false) } else { detail.map(|detail| !detail.reasoning.is_empty()) },
        }
    })
    .collect()
}

/// Those of the organization's effective policy for this region (AWS Organizations User Guide, Amazon Bedrock policy
/// syntax). The effective policy has plain values; `@@assign` of a single policy is read as well.
pub(super) fn of_organization(context: &Context<'_>, document: &Document) -> Result<Vec<Enforcement>, String> {
    let policy = document.json().map_err(|error| error.to_string())?;
    let Some(regions) = policy.pointer("/bedrock/guardrail_inference") else { return Ok(Vec::new()) };
    let Some(configs) = regions.get(context.region) else { return Ok(Vec::new()) };
    let configs = configs.as_object().ok_or("guardrail_inference of the region is no object")?;
    configs.iter().filter(|(name, _)| !name.starts_with("@@")).map(|(_, config)| of_config(context, config)).collect()
}

fn of_config(context: &Context<'_>, config: &Value) -> Result<Enforcement, String> {
    let text = |pointer: &str| assigned(config.pointer(pointer)).and_then(Value::as_str).map(str::to_owned);
    let names = |pointer: &str| -> Result<Vec<String>, String> {
        match assigned(config.pointer(pointer)) {
            None => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one.clone()]),
            Some(Value::Array(many)) => many
                .iter()
                .map(|name| name.as_str().map(str::to_owned).ok_or_else(|| format!("{pointer} holds what is no name")))
                .collect(),
            Some(_) => Err(format!("{pointer} is no list of names")),
        }
    };
    let identifier = text("/identifier").ok_or("an entry has no identifier")?;
    let (arn, version) = identifier
        .rsplit_once(':')
        .filter(|(arn, version)| arn.contains(":guardrail/") && version.parse::<u64>().is_ok())
        .ok_or_else(|| format!("'{}' is no guardrail with a version", Text::new(&identifier)))?;
    let (guardrail, version) = (ResourceId::new(Text::new(arn).as_str()), Text::new(version));
    let own = guardrail.arn().is_some_and(|arn| arn.account == context.account);
    let reasoning = if own {
        of(context, guardrail.clone(), version.clone(), Why::Enforced).detail.map(|detail| !detail.reasoning.is_empty())
    } else {
        Ok(false)
    };
    let is = |pointer: &str, wanted: &str| text(pointer).is_some_and(|word| word.eq_ignore_ascii_case(wanted));
    Ok(Enforcement {
        organization: true,
        guardrail,
        version,
        included: names("/model_enforcement/included_models")?,
        excluded: names("/model_enforcement/excluded_models")?,
        selective: is("/selective_content_guarding/system", "selective")
            || is("/selective_content_guarding/messages", "selective"),
        honors_tags: is("/input_tags", "honor"),
        reasoning,
    })
}

fn assigned(value: Option<&Value>) -> Option<&Value> {
    value.map(|value| value.get("@@assign").unwrap_or(value))
}

impl Enforcement {
    /// What a person calls it.
    pub fn label(&self) -> String {
        let by = if self.organization { "the organization's" } else { "the account's" };
        format!("{by} guardrail {} version {}", self.guardrail.last(), self.version)
    }

    /// In full.
    pub fn words(&self) -> String {
        let list =
            |names: &[String]| names.iter().map(|name| Text::new(name).to_string()).collect::<Vec<_>>().join(", ");
        let included = if self.included.is_empty() { "ALL".to_owned() } else { list(&self.included) };
        let mode = if self.selective { "SELECTIVE" } else { "COMPREHENSIVE" };
        let tags = if self.honors_tags { ", input tags HONOR" } else { "" };
        let excluded = if self.excluded.is_empty() { "none".to_owned() } else { list(&self.excluded) };
        format!("{} {mode}{tags}, includedModels {included}, excludedModels {excluded}", self.label())
    }

    /// Whether it is for a model.
    pub fn reach(&self, served: &Served<'_>) -> Reach {
        const OPEN: &str = "AWS does not say whether a base model's name stands for what is made of it";
        let is_model = |name: &&String| named(name, &served.model.id);
        let servers = |names: &[String]| {
            served.servers.iter().filter(|server| names.iter().any(|name| named(name, &server.id))).count()
        };
        let is_base = |name: &&String| served.base.is_some_and(|base| named(name, base));
        let all = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("ALL"));
        if all(&self.excluded) || self.excluded.iter().any(|name| is_model(&name)) || servers(&self.excluded) > 0 {
            return Reach::Leaves;
        }
        let included = self.included.is_empty()
            || all(&self.included)
            || self.included.iter().any(|name| is_model(&name))
            || servers(&self.included) == served.servers.len();
        let base_in = self.included.iter().any(|name| is_base(&name));
        let base_out = self.excluded.iter().any(|name| is_base(&name));
        match (included, base_in, base_out) {
            (true, _, false) => Reach::Covers,
            (true, _, true) | (false, true, false) => Reach::Unsure(OPEN.to_owned()),
            (false, _, _) => Reach::Leaves,
        }
    }
}

/// Whether a name of a list is this resource's ARN, or the id at the end of it. The id of a base model may go on
/// with its version and context length.
fn named(name: &str, id: &ResourceId) -> bool {
    let short = id.as_str().rsplit('/').next().unwrap_or_default();
    let begins = |text: &str| text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    !name.is_empty() && (begins(id.as_str()) || begins(short))
}
