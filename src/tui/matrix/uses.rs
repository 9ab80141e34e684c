//! Who was seen to use a resource, when and how: from the events and invocations that were read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::super::model::Model;
use crate::activity::{Event, Outcome};
use crate::base::arn::ArnKind;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::{Kind, ResourceRef};

/// What one principal did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Use {
    /// The last time that it was let.
    pub at: Option<Timestamp>,
    /// What it did then.
    pub what: Text,
    /// Through which service; none if it asked itself.
    pub via: Option<Text>,
    /// From where.
    pub from: Text,
    /// How often it was let.
    pub times: u32,
    /// The last time that it was refused.
    pub denied_at: Option<Timestamp>,
    /// How often it was refused.
    pub denied: u32,
}

/// What everybody did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    by: HashMap<String, Use>,
    /// Who used it through Bedrock, or called the model: the callers of its lineage.
    pub callers: Arc<BTreeSet<String>>,
    stamp: (u64, u64, u64),
}

/// One name for a principal and for the sessions of it, which events name differently: `1234/role/App`.
pub fn key_of(id: &ResourceId) -> String {
    let Some(arn) = id.arn() else { return id.to_string() };
    match arn.kind() {
        ArnKind::AssumedRole => {
            arn.assumed_role().map_or_else(|| id.to_string(), |(role, _)| format!("{}/role/{role}", arn.account))
        }
        ArnKind::Role => format!("{}/role/{}", arn.account, arn.name()),
        ArnKind::User => format!("{}/user/{}", arn.account, arn.name()),
        _ => id.to_string(),
    }
}

fn key_of_event(event: &Event) -> String {
    match &event.principal {
        Some(id) => key_of(id),
        None => format!("{}.amazonaws.com", event.who),
    }
}

/// What a resource is called by in events: itself, and for a model what serves it.
pub fn names(model: &Model, of: &ResourceRef) -> Vec<ResourceId> {
    let mut names = vec![of.id.clone()];
    if of.kind == Kind::Model {
        let inventory = &model.inventory;
        names.extend(inventory.deployments.values().filter(|one| one.model == of.id).map(|one| one.arn.clone()));
        names.extend(inventory.throughputs.values().filter(|one| one.model == of.id).map(|one| one.arn.clone()));
    }
    names
}

/// The events about a resource.
pub fn events<'a>(model: &'a Model, names: &'a [ResourceId]) -> impl Iterator<Item = &'a Arc<Event>> {
    names.iter().flat_map(|name| model.log.of(name))
}

impl Uses {
    /// What the console was told. `None` when that is what is held already.
    pub fn newer(&self, model: &Model, of: &ResourceRef) -> Option<Self> {
        let stamp = (model.log.revision, model.invoked.revision, model.revision);
        if self.stamp == stamp {
            return None;
        }
        let mut by: HashMap<String, Use> = HashMap::new();
        let mut callers = BTreeSet::new();
        let names = names(model, of);
        for event in events(model, &names) {
            let key = key_of_event(event);
            if event.outcome == Outcome::Ok && event.via.is_some() {
                callers.insert(key.clone());
            }
            by.entry(key).or_default().add(event);
        }
        if matches!(of.kind, Kind::Model | Kind::ImportedModel) {
            let names: HashSet<&ResourceId> = names.iter().collect();
            for call in model.invoked.list().iter().filter(|call| names.contains(&call.model)) {
                let Some(key) = call.principal.as_ref().map(key_of) else { continue };
                let held = by.entry(key.clone()).or_default();
                if call.error.is_some() {
                    continue;
                }
                callers.insert(key);
                held.times += 1;
                if held.at.is_none_or(|at| at < call.at) {
                    (held.at, held.what, held.via) = (Some(call.at), call.operation.clone(), None);
                }
            }
        }
        Some(Self { by, callers: Arc::new(callers), stamp })
    }

    /// What a principal did.
    pub fn of(&self, key: &str) -> Option<&Use> {
        self.by.get(key)
    }
}

impl Use {
    /// Counts one more event.
    pub fn add(&mut self, event: &Event) {
        match event.outcome {
            Outcome::Ok => {
                self.times += 1;
                if self.at.is_none_or(|at| at < event.at) {
                    self.at = Some(event.at);
                    (self.what, self.via, self.from) = (event.name.clone(), event.via.clone(), event.from.clone());
                }
            }
            Outcome::Denied(_) => {
                self.denied += 1;
                self.denied_at = self.denied_at.max(Some(event.at));
            }
            Outcome::Error(_) => {}
        }
    }

    /// Of one action only.
    pub fn of_action(model: &Model, of: &ResourceRef, key: &str, action: &str) -> Self {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        let mut found = Self::default();
        let names = names(model, of);
        for event in events(model, &names).filter(|event| event.name.as_str() == name && key_of_event(event) == key) {
            found.add(event);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_for_its_role() {
        for (arn, key) in [
            ("arn:aws:iam::123456789012:role/ml/App", "123456789012/role/App"),
            ("arn:aws:sts::123456789012:assumed-role/App/s1", "123456789012/role/App"),
            ("arn:aws:iam::123456789012:user/ml/ada", "123456789012/user/ada"),
            ("bedrock.amazonaws.com", "bedrock.amazonaws.com"),
        ] {
            assert_eq!(key_of(&arn.into()), key);
        }
    }
}
