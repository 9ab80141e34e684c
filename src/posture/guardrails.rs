//! Guardrails: whether there are any, whether calls of custom models can go past them, and what they stop.

#[cfg(test)]
pub(super) mod condition_tests;
mod conditions;
mod enforced;
mod exists;
mod filters;
mod keys;
mod sensitive;
#[cfg(test)]
pub(super) mod tests;

use super::control::Context;
use super::judge::unread;
use crate::base::{ResourceId, Text};
use crate::inventory::guardrails::{Guardrail, GuardrailDetail, GuardrailVersion};
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) use conditions::GRD_03;
pub(super) use enforced::GRD_02;
pub(super) use exists::GRD_01;
pub(super) use filters::{GRD_04, GRD_06};
pub(super) use keys::GRD_07;
pub(super) use sensitive::GRD_05;
#[cfg(test)]
pub(super) use sensitive::REQUIRED;

/// What says which guardrails are in force.
const IN_FORCE: &[SourceId] = &[SourceId::GUARDRAILS, SourceId::ENFORCED_GUARDRAILS];

/// A version of a guardrail that stands between callers and models.
#[derive(Debug)]
pub(super) struct InForce<'a> {
    /// ARN of the guardrail; its id where nothing else is known.
    pub guardrail: ResourceId,
    /// A number, or `DRAFT`.
    pub version: Text,
    /// The guardrail, if it is ours.
    held: Option<&'a Guardrail>,
    why: Why,
    /// Whether another version of it is in force too.
    twin: bool,
    /// What it does, or why that is not known.
    pub detail: Result<&'a GuardrailDetail, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Enforced,
    Newest,
    Draft,
}

impl InForce<'_> {
    /// What a verdict on it is about: the guardrail, or its version where two of them are in force.
    pub fn reference(&self) -> ResourceRef {
        if self.twin {
            let id = GuardrailVersion::id_of(&self.guardrail, self.version.as_str());
            return ResourceRef::new(Kind::GuardrailVersion, id);
        }
        ResourceRef::new(Kind::Guardrail, &self.guardrail)
    }

    /// What a person calls it.
    pub fn label(&self) -> String {
        let name = self.held.map_or_else(|| self.guardrail.last(), |held| held.name.as_str());
        match self.why {
            Why::Draft => format!("{name} (draft)"),
            _ => format!("{name} version {}", self.version),
        }
    }

    /// Why it counts.
    pub fn how(&self) -> &'static str {
        match self.why {
            Why::Enforced => "enforced for the account",
            Why::Newest => "the newest version; none is enforced",
            Why::Draft => "the draft; it has no version, and none is enforced",
        }
    }
}

/// The guardrails in force: those that are enforced for the account; where none is, the newest version of each, or its
/// draft. why the newest: which version callers name is theirs to choose, and the newest is what its owner means.
pub(super) fn in_force<'a>(context: &Context<'a>) -> Vec<InForce<'a>> {
    let inventory = context.inventory;
    let mut enforced: Vec<(ResourceId, &Text)> = inventory
        .enforced_guardrails
        .values()
        .map(|config| {
            let held = guardrail(context, &config.guardrail);
            (held.map_or_else(|| config.guardrail.clone(), |held| held.arn.clone()), &config.version)
        })
        .collect();
    enforced.sort();
    enforced.dedup();
    if !enforced.is_empty() {
        let twin = |id: &ResourceId| enforced.iter().filter(|(other, _)| other == id).count() > 1;
        let one = |(id, version): &(ResourceId, &Text)| InForce {
            twin: twin(id),
            ..of(context, id.clone(), (*version).clone(), Why::Enforced)
        };
        return enforced.iter().map(one).collect();
    }
    let newest = |guardrail: &Guardrail| {
        let versions = inventory.guardrail_versions.values().filter(|version| version.guardrail == guardrail.arn);
        versions.filter_map(|version| version.version.as_str().parse::<u64>().ok()).max()
    };
    let all = inventory.guardrails.values();
    all.map(|guardrail| match newest(guardrail) {
        Some(number) => of(context, guardrail.arn.clone(), Text::new(number.to_string()), Why::Newest),
        None => of(context, guardrail.arn.clone(), Text::new("DRAFT"), Why::Draft),
    })
    .collect()
}

/// A guardrail by its ARN or its short id.
fn guardrail<'a>(context: &Context<'a>, named: &ResourceId) -> Option<&'a Guardrail> {
    let all = &context.inventory.guardrails;
    all.get(named).or_else(|| all.values().find(|guardrail| guardrail.short_id.as_str() == named.as_str()))
}

fn of<'a>(context: &Context<'a>, id: ResourceId, version: Text, why: Why) -> InForce<'a> {
    let inventory = context.inventory;
    let held = inventory.guardrails.get(&id);
    let draft = version.as_str() == "DRAFT";
    let read = if draft {
        held.map(|guardrail| &guardrail.detail)
    } else {
        let version = inventory.guardrail_versions.get(&GuardrailVersion::id_of(&id, version.as_str()));
        version.map(|version| &version.detail)
    };
    let account = id.arn().map(|arn| arn.account).filter(|account| account.as_str() != context.account);
    let detail = match (read, account) {
        (Some(read), _) => read.known().map_err(|unknown| unread("bedrock:GetGuardrail", unknown)),
        (None, Some(account)) => Err(format!(
            "guardrail {} belongs to account {}: it cannot be read from here",
            id.last(),
            Text::new(account)
        )),
        (None, None) => Err(match inventory.coverage.complete(SourceId::GUARDRAILS) {
            Err(gap) => gap.to_string(),
            Ok(()) => format!("version {version} of guardrail {} is not in the inventory", id.last()),
        }),
    };
    InForce { guardrail: id, version, held, why: if draft { Why::Draft } else { why }, twin: false, detail }
}
