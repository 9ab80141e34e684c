//! Guardrails: what each filters, where it is enforced or demanded, and how much of the calls that says.

use serde_json::Value;

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::{Model, Place};
use super::super::names::short;
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::resource::{link_field, read_field, when};
use super::{age, findings, standing};
use crate::base::Text;
use crate::inventory::guardrails::{EnforcedGuardrail, Guardrail, GuardrailDetail};
use crate::inventory::{Kind, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("GUARDRAIL", 16, 3, 0).at_least(11),
    text("STATUS", 8, 0, 3),
    text("VERSION", 7, 0, 4),
    text("FILTERS", 20, 3, 2),
    text("APPLIES TO", 14, 1, 0),
    number("AGE", 4, 4),
    text("!", 9, 0, 1),
];

/// All guardrails, those that are enforced first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let mut all: Vec<_> = model.inventory.guardrails.values().collect();
    all.sort_by_key(|guardrail| (!is_enforced(model, guardrail), guardrail.name.clone()));
    all.into_iter().map(|guardrail| Subject::Resource(ResourceRef::new(Kind::Guardrail, &guardrail.arn))).collect()
}

fn is_enforced(model: &Model, guardrail: &Guardrail) -> bool {
    model.inventory.enforced_guardrails.values().any(|config| names(guardrail, config.guardrail.as_str()))
}

/// Whether a text is the ARN or the short id of a guardrail, with or without its version.
fn names(guardrail: &Guardrail, text: &str) -> bool {
    let is =
        |id: &str| !id.is_empty() && (text == id || text.strip_prefix(id).is_some_and(|rest| rest.starts_with(':')));
    is(guardrail.arn.as_str()) || is(guardrail.short_id.as_str())
}

/// The models that an enforcement covers, in words; and whether those are all.
fn covered(config: &EnforcedGuardrail) -> (bool, String) {
    let every =
        config.included.is_empty() || config.included.iter().any(|model| model.as_str().eq_ignore_ascii_case("all"));
    let names = |models: &[Text]| {
        let names: Vec<String> = models.iter().map(|model| short(&model.as_str().into()).to_owned()).collect();
        names.join(", ")
    };
    match (every, config.excluded.is_empty()) {
        (true, true) => (true, "every model".to_owned()),
        (true, false) => (false, format!("every model but {}", names(&config.excluded))),
        (false, true) => (false, format!("only {}", names(&config.included))),
        (false, false) => (false, format!("only {}, but not {}", names(&config.included), names(&config.excluded))),
    }
}

/// The same over all its enforcements, in a cell.
fn applies_to(model: &Model, guardrail: &Guardrail) -> Cell {
    let configs = model.inventory.enforced_guardrails.values();
    let mut all =
        configs.filter(|config| names(guardrail, config.guardrail.as_str())).map(|config| (covered(config), config));
    let Some(((every, _), first)) = all.clone().find(|((every, _), _)| *every).or_else(|| all.next()) else {
        return Cell::of("if named", Role::Medium);
    };
    if every {
        return Cell::of("every call", Role::Ok);
    }
    let limited = first.included.iter().filter(|model| !model.as_str().eq_ignore_ascii_case("all")).count();
    let text = match (limited, first.excluded.len()) {
        (0, 1) => "all but 1 model".to_owned(),
        (0, out) => format!("all but {out} models"),
        (1, 0) => "1 model only".to_owned(),
        (some, 0) => format!("{some} models only"),
        (some, out) => format!("{some} models, {out} out"),
    };
    Cell::of(text, Role::Medium)
}

/// What it filters, in words.
fn filters(detail: &GuardrailDetail) -> String {
    let mut words = Vec::new();
    let mut count = |n: usize, one: &str, many: &str| {
        if n > 0 {
            words.push(if n == 1 { format!("1 {one}") } else { format!("{n} {many}") });
        }
    };
    count(detail.filters.len(), "content filter", "content filters");
    count(detail.topics.len(), "topic", "topics");
    count(detail.pii.len(), "PII type", "PII types");
    count(detail.words as usize, "word list", "words or lists");
    if detail.grounding {
        words.push("grounding".into());
    }
    if words.is_empty() { "nothing".into() } else { words.join(", ") }
}

/// Principals whose policies have a condition on this guardrail: they must name it, or must not.
fn demanded_by(model: &Model, guardrail: &Guardrail) -> Vec<ResourceRef> {
    let inventory = &model.inventory;
    let of = |kind: Kind, id: &crate::base::ResourceId| ResourceRef::new(kind, id);
    let holders = inventory
        .roles
        .keys()
        .map(|id| of(Kind::Role, id))
        .chain(inventory.policies.keys().map(|id| of(Kind::Policy, id)))
        .collect::<Vec<_>>();
    holders
        .into_iter()
        .filter(|holder| {
            findings::documents(model, holder)
                .iter()
                .any(|(_, document)| document.json().is_ok_and(|json| has_condition(&json, guardrail)))
        })
        .collect()
}

/// Whether a policy has a condition on `bedrock:GuardrailIdentifier` that names this guardrail.
fn has_condition(policy: &Value, guardrail: &Guardrail) -> bool {
    match policy {
        Value::Object(map) => map.iter().any(|(key, value)| {
            let is_key = key.eq_ignore_ascii_case("bedrock:GuardrailIdentifier");
            (is_key && says(value, guardrail)) || has_condition(value, guardrail)
        }),
        Value::Array(list) => list.iter().any(|value| has_condition(value, guardrail)),
        _ => false,
    }
}

fn says(value: &Value, guardrail: &Guardrail) -> bool {
    match value {
        Value::String(text) => names(guardrail, text),
        Value::Array(list) => list.iter().any(|value| says(value, guardrail)),
        _ => false,
    }
}

/// Calls in the trail whose parameters name it.
fn named_in_trail(model: &Model, guardrail: &Guardrail) -> usize {
    let field = "/requestParameters/guardrailIdentifier";
    let calls = model.log.all().iter().filter(|event| event.source.as_str() == "bedrock");
    calls
        .filter(|event| event.record.pointer(field).and_then(Value::as_str).is_some_and(|id| names(guardrail, id)))
        .count()
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let guardrail = model.inventory.guardrails.get(&of.id)?;
    let ready = guardrail.status.as_str() == "READY";
    Some(vec![
        Cell::new(guardrail.name.as_str()),
        Cell::of(guardrail.status.as_str(), if ready { Role::Ok } else { Role::Medium }),
        Cell::of(guardrail.version.as_str(), Role::Dim),
        guardrail.detail.last().map_or_else(|| Cell::of("?", Role::Unknown), |detail| Cell::new(filters(detail))),
        applies_to(model, guardrail),
        age(model, guardrail.updated),
        standing::whole(model, of),
    ])
}

/// What is particular to a guardrail.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(guardrail) = model.inventory.guardrails.get(&of.id) else { return };
    page.state = Some((Role::Dim, guardrail.status.to_string()));
    page.field("version", Role::Text, guardrail.version.as_str());
    page.field("updated", Role::Dim, when(model, guardrail.updated));
    match guardrail.detail.last() {
        Some(detail) => {
            link_field(model, page, "key", Kind::Key, detail.kms_key.as_ref(), "a key that AWS owns");
            page.head("Filters");
            for (kind, (input, output)) in &detail.filters {
                page.field(kind.as_str(), Role::Text, format!("input {input}, output {output}"));
            }
            if !detail.topics.is_empty() {
                page.field("topics", Role::Text, detail.topics.iter().map(Text::as_str).collect::<Vec<_>>().join(", "));
            }
            for (entity, action) in &detail.pii {
                page.field(entity.as_str(), Role::Text, action.as_str());
            }
            page.field("words", Role::Text, detail.words.to_string());
            page.field("grounding", Role::Text, if detail.grounding { "on" } else { "off" });
        }
        None => read_field(page, "filters", &guardrail.detail, |_| (Role::Text, String::new())),
    }
    applies(model, guardrail, page);
    page.field("id", Role::Dim, of.id.as_str());
}

/// Which calls it covers, as far as anything that is read can tell.
fn applies(model: &Model, guardrail: &Guardrail, page: &mut Page) {
    page.head("Applies to");
    let enforced: Vec<_> = model
        .inventory
        .enforced_guardrails
        .values()
        .filter(|config| names(guardrail, config.guardrail.as_str()))
        .collect();
    if enforced.is_empty() {
        page.text(Role::Medium, "calls that name it: the account does not enforce it here");
    }
    for config in enforced {
        let (every, models) = covered(config);
        page.text(
            if every { Role::Ok } else { Role::Medium },
            &format!("calls in this region to {models}: enforced for the account, version {}", config.version),
        );
        for (what, told) in [("system", &config.system), ("messages", &config.messages)] {
            if told.as_ref().is_some_and(|told| told == "SELECTIVE") {
                page.text(Role::Medium, &format!("of {what} prompts only what the caller marks (SELECTIVE)"));
            }
        }
        if config.input_tags.as_ref().is_some_and(|tags| tags == "HONOR") {
            page.text(Role::Medium, "callers choose what is looked at by input tags (HONOR)");
        }
    }
    for holder in demanded_by(model, guardrail).iter().take(20) {
        let name = format!("{} {}", holder.kind.word(), model.name_of(holder));
        let target = Some(Target::Go(Place::Resource(holder.clone())));
        page.field_to("condition", Role::Accent, format!("bedrock:GuardrailIdentifier in {name}"), target);
    }
    let calls = named_in_trail(model, guardrail);
    let text = if calls == 0 {
        "no call in the trail names it".to_owned()
    } else {
        format!("{calls} calls in the trail name it")
    };
    page.field("seen", Role::Text, text);
    page.text(
        Role::Unknown,
        "Whether the other calls were guarded is not known: what is kept of the invocation log does not say.",
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::inventory::Read;

    fn guardrail() -> Guardrail {
        Guardrail {
            arn: "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1".into(),
            short_id: "gr1".into(),
            name: "chat".into(),
            status: "READY".into(),
            version: "DRAFT".into(),
            updated: crate::base::Timestamp::from_secs(0),
            detail: Read::NotAsked,
        }
    }

    #[test]
    fn a_policy_that_demands_it_is_found() {
        let guardrail = guardrail();
        let policy = |value: Value| json!({ "Statement": [{ "Condition": { "StringEquals": value } }] });
        for (value, found) in [
            (json!({ "bedrock:GuardrailIdentifier": guardrail.arn.as_str() }), true),
            (json!({ "bedrock:guardrailidentifier": ["other", format!("{}:2", guardrail.arn)] }), true),
            (json!({ "bedrock:GuardrailIdentifier": format!("{}0", guardrail.arn) }), false),
            (json!({ "aws:SourceArn": guardrail.arn.as_str() }), false),
        ] {
            assert_eq!(has_condition(&policy(value.clone()), &guardrail), found, "{value}");
        }
    }

    #[test]
    fn an_enforcement_covers_the_models_it_names() {
        let config = |included: &[&str], excluded: &[&str]| EnforcedGuardrail {
            id: "c1".into(),
            guardrail: guardrail().arn,
            version: "1".into(),
            included: included.iter().map(|name| (*name).into()).collect(),
            excluded: excluded.iter().map(|name| (*name).into()).collect(),
            system: None,
            messages: None,
            input_tags: None,
            owner: None,
        };
        let chat = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan:0";
        for (included, excluded, every, words, cell) in [
            (&[][..], &[][..], true, "every model", "every call"),
            (&["ALL"], &[], true, "every model", "every call"),
            (&["ALL"], &[chat], false, "every model but amazon.titan:0", "all but 1 model"),
            (&[chat], &[], false, "only amazon.titan:0", "1 model only"),
            (&[chat, "b"], &["c"], false, "only amazon.titan:0, b, but not c", "2 models, 1 out"),
        ] {
            let config = config(included, excluded);
            assert_eq!(covered(&config), (every, words.to_owned()));
            let mut driver = crate::tui::tests::fixture::full(80, 24);
            std::sync::Arc::make_mut(&mut driver.model.inventory).enforced_guardrails.insert("c1".into(), config);
            assert_eq!(applies_to(&driver.model, &guardrail()).text, cell);
        }
        let driver = crate::tui::tests::fixture::full(80, 24);
        assert_eq!(applies_to(&driver.model, &guardrail()).text, "if named");
    }

    #[test]
    fn filters_in_words() {
        let mut detail = GuardrailDetail { words: 1, grounding: true, ..GuardrailDetail::default() };
        assert_eq!(filters(&detail), "1 word list, grounding");
        detail.topics = vec!["law".into(), "war".into()];
        assert_eq!(filters(&detail), "2 topics, 1 word list, grounding");
        assert_eq!(filters(&GuardrailDetail::default()), "nothing");
    }
}
