//! What the lineage ties to a key of models: who customizes with it, and where its models are invoked.

use std::collections::{BTreeMap, HashMap};

use crate::base::{Arn, ResourceId};
use crate::inventory::kms::Key;
use crate::inventory::{Kind, ResourceRef};
use crate::posture::judge::Judge;

/// What the lineage ties to a key.
#[derive(Default)]
pub(super) struct Ties<'a> {
    /// The key, if it is in the inventory.
    pub key: Option<&'a Key>,
    /// Roles of jobs, with the jobs.
    pub customizers: BTreeMap<&'a ResourceId, Vec<&'a ResourceId>>,
    /// Where models with this key are invoked.
    pub servers: BTreeMap<Arn, ResourceRef>,
    /// Whether one of those models is built on Amazon Nova.
    pub nova: bool,
}

/// The keys of jobs and models, each once, however it is named.
pub(super) fn ties<'a>(judge: &Judge<'a>) -> HashMap<&'a ResourceId, Ties<'a>> {
    let inventory = judge.context.inventory;
    let mut found: HashMap<&'a ResourceId, Ties<'a>> = HashMap::new();
    for job in inventory.jobs.values() {
        // A detail that was not read is the list's gap, not this key's.
        let Ok(detail) = job.detail.known() else { continue };
        let Some(key) = &detail.kms_key else { continue };
        tied(judge, &mut found, key).customizers.entry(&detail.role).or_default().push(&job.arn);
    }
    let mut servers: BTreeMap<&ResourceId, Vec<ResourceRef>> = BTreeMap::new();
    for deployment in inventory.deployments.values() {
        servers.entry(&deployment.model).or_default().push(ResourceRef::new(Kind::Deployment, &deployment.arn));
    }
    for throughput in inventory.throughputs.values() {
        servers.entry(&throughput.model).or_default().push(ResourceRef::new(Kind::Throughput, &throughput.arn));
    }
    for model in inventory.models.values() {
        let Ok(detail) = model.detail.known() else { continue };
        let Some(key) = &detail.kms_key else { continue };
        let ties = tied(judge, &mut found, key);
        let before = ties.servers.len();
        let mine = servers.get(&model.arn).into_iter().flatten().cloned();
        ties.servers.extend(mine.filter_map(|server| Some((server.id.arn()?, server))));
        ties.nova |= ties.servers.len() > before && model.base_model.as_str().contains("amazon.nova");
    }
    found
}

/// What is tied to a key so far, however it is named.
fn tied<'f, 'a>(
    judge: &Judge<'a>,
    found: &'f mut HashMap<&'a ResourceId, Ties<'a>>,
    named: &'a ResourceId,
) -> &'f mut Ties<'a> {
    let key = judge.context.key(named);
    let ties = found.entry(key.map_or(named, |key| &key.arn)).or_default();
    ties.key = key;
    ties
}
