//! CUS-LOG-01 and 02: whether what is asked of custom models is recorded, and all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::configuration;
use crate::base::ResourceId;
use crate::inventory::bedrock::LoggingConfiguration;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed, listed_refs, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_01: Control = Control {
    id: "CUS-LOG-01",
    title: "Model invocation logging is on where a custom model is served",
    severity: Severity::High,
    area: Area::Logging,
    what: "custom models, imported models, deployments or throughput",
    lists: &[],
    tables: &[],
    details: &[SourceId::LOGGING],
    logic: "A region that has a custom or imported model, a deployment or provisioned throughput must deliver \
            invocations to S3 or CloudWatch Logs, with at least one kind of data. Nothing to judge where none of these \
            is; when their lists are not complete and logging is off, that is Unknown.",
    reasons: &["logging-off"],
    remediation: "Switch invocation logging on, to an encrypted bucket or log group.",
    cli: "aws bedrock put-model-invocation-logging-configuration --logging-config file://LOGGING.json",
    compliance: &[
        (NIST, &["AU-2", "AU-12"]),
        (FEDRAMP, &["AU-2", "AU-12"]),
        (PCI, &["10.2.1"]),
        (HIPAA, &["164.312(b)"]),
        (GDPR, &["30"]),
        (OWASP, &["LLM01", "LLM10"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: invocation_logging,
};

fn invocation_logging(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    let subject = judge.on_region();
    let configured = match inventory.logging.known() {
        Ok(configured) => configured,
        Err(unknown) => {
            return vec![subject.unread(unread("bedrock:GetModelInvocationLoggingConfiguration", unknown))];
        }
    };
    let models = inventory.models.keys().map(|id| ResourceRef::new(Kind::Model, id));
    let imported = inventory.imported_models.keys().map(|id| ResourceRef::new(Kind::ImportedModel, id));
    let deployments = inventory.deployments.keys().map(|id| ResourceRef::new(Kind::Deployment, id));
    let throughputs = inventory.throughputs.keys().map(|id| ResourceRef::new(Kind::Throughput, id));
    let served: Vec<ResourceRef> = models.chain(imported).chain(deployments).chain(throughputs).collect();
    if let Some(config) = configured {
        let group = config.cloud_watch.as_ref().map(|target| &target.log_group);
        let kinds: Vec<&str> = [
            (config.text, "text"),
            (config.images, "images"),
            (config.embeddings, "embeddings"),
            (config.video, "video"),
            (config.audio, "audio"),
        ]
        .into_iter()
        .filter_map(|(on, kind)| on.then_some(kind))
        .collect();
        let draft = subject
            .clone()
            .related(served.iter().cloned())
            .shows("delivers", if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") })
            .shows_some("logGroup", group)
            .shows_some("s3", config.s3.as_ref());
        return vec![if group.is_none() && config.s3.is_none() {
            draft.fail("logging-off", format!("invocation logging in {} has no destination", context.region))
        } else if kinds.is_empty() {
            draft.fail(
                "logging-off",
                format!("invocation logging in {} is configured, but delivers no kind of data", context.region),
            )
        } else {
            draft.pass(format!("invocations in {} are logged", context.region))
        }];
    }
    if served.is_empty() {
        let lists = [SourceId::MODELS, SourceId::IMPORTED_MODELS, SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS];
        return match judge.any_gap(&lists) {
            Some(why) => {
                vec![subject.unread(format!("logging is off, and whether a model is served is not known: {why}"))]
            }
            None => Vec::new(),
        };
    }
    let why = format!("invocation logging is off in {}: what is asked of its models leaves no record", context.region);
    let draft = subject.related(served.iter().cloned());
    vec![draft.shows("loggingConfig", "none").shows("serves", listed_refs(context, &served)).fail("logging-off", why)]
}

pub(in crate::posture) const LOG_02: Control = Control {
    id: "CUS-LOG-02",
    title: "Invocation logging captures the modalities and large bodies in use",
    severity: Severity::Medium,
    area: Area::Logging,
    what: "settings of invocation logging",
    lists: &[SourceId::MODELS, SourceId::IMPORTED_MODELS, SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS],
    tables: &[SourceId::FOUNDATION_MODELS],
    details: &[SourceId::LOGGING],
    logic: "Where invocation logging is configured, text must be delivered, and each of images, embeddings, video and \
            audio that a model served here takes or gives (by its base model). With CloudWatch Logs as the only \
            destination, a bucket for large data must be set: bodies over 100 KB and binary ones are lost otherwise. \
            Calls through the bedrock-mantle endpoint are never logged, whatever is set.",
    reasons: &["nothing-delivered", "text-off", "modality-off", "large-bodies-lost"],
    remediation: "Switch the missing kinds of data on, and name a bucket for large data.",
    cli: "aws bedrock put-model-invocation-logging-configuration --logging-config file://LOGGING.json",
    compliance: &[
        (NIST, &["AU-3", "AU-12"]),
        (FEDRAMP, &["AU-3", "AU-12"]),
        (PCI, &["10.2.2"]),
        (HIPAA, &["164.312(b)"]),
        (GDPR, &["30"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.M0024"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: modalities,
};

/// A kind of data that logging delivers: its switch, its name, and what models call it.
type Modality = (fn(&LoggingConfiguration) -> bool, &'static str, &'static [&'static str]);
const MODALITIES: &[Modality] = &[
    (|set| set.text, "textDataDeliveryEnabled", &["TEXT"]),
    (|set| set.images, "imageDataDeliveryEnabled", &["IMAGE"]),
    (|set| set.embeddings, "embeddingDataDeliveryEnabled", &["EMBEDDING"]),
    (|set| set.video, "videoDataDeliveryEnabled", &["VIDEO"]),
    (|set| set.audio, "audioDataDeliveryEnabled", &["AUDIO", "SPEECH"]),
];

fn modalities(judge: &Judge<'_>) -> Vec<Verdict> {
    let set = match configuration(judge) {
        Ok(Some(set)) => set,
        // Logging that is off is CUS-LOG-01's.
        Ok(None) => return Vec::new(),
        Err(why) => return vec![judge.on_region().unread(why)],
    };
    let region = judge.context.region;
    let inventory = judge.context.inventory;
    let mut draft = judge.on_region().shows("largeDataDeliveryS3Config", large_data(set));
    for (on, name, _) in MODALITIES {
        draft = draft.shows(name, on(set));
    }
    if MODALITIES.iter().all(|(on, ..)| !on(set)) {
        let why = format!("invocation logging in {region} is configured, but delivers no kind of data");
        return vec![draft.fail("nothing-delivered", why)];
    }
    let (served, mut unknown) = served(inventory);
    let mut problems = Vec::new();
    if !set.text {
        let why = format!("invocation logging in {region} leaves out text: prompts and answers are not kept");
        problems.push(Problem::fail("text-off", why));
    }
    for (_, name, words) in MODALITIES.iter().skip(1).filter(|(on, ..)| !on(set)) {
        let users: Vec<&ResourceId> = served
            .iter()
            .filter(|(base, _)| {
                let base = inventory.foundation_models.get(**base);
                base.is_some_and(|base| {
                    base.inputs.iter().chain(&base.outputs).any(|one| words.contains(&one.as_str()))
                })
            })
            .flat_map(|(_, users)| users.iter().copied())
            .collect();
        if !users.is_empty() {
            let why =
                format!("{name} is off in {region}, and {} works with it", listed(users.iter().map(|id| id.last())));
            problems.push(Problem::fail("modality-off", why));
        }
    }
    if set.s3.is_none() && set.cloud_watch.as_ref().is_some_and(|target| target.large_data.is_none()) {
        let why = format!("bodies over 100 KB are lost in {region}: neither a bucket nor one for large data is set");
        problems.push(Problem::fail("large-bodies-lost", why));
    }
    // A modality that is on needs no model to speak for it.
    if MODALITIES.iter().all(|(on, ..)| on(set)) {
        unknown.clear();
    }
    let unknown = (!unknown.is_empty()).then(|| {
        let names = listed(unknown.iter().map(|id| id.last()));
        let gone = || format!("base model {names} is not listed any more: which modalities it has is not known");
        ("modality-unknown", judge.gap(SourceId::FOUNDATION_MODELS).map_or_else(gone, |gap| gap.to_string()))
    });
    draft.conclude_open(problems, unknown, format!("what models in {region} take and give is logged"))
}

fn large_data(set: &LoggingConfiguration) -> String {
    let large = set.cloud_watch.as_ref().and_then(|target| target.large_data.as_ref());
    large.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// The base models behind what is served here, with what serves them; and those that are not in the list.
fn served(inventory: &Inventory) -> (BTreeMap<&ResourceId, Vec<&ResourceId>>, BTreeSet<&ResourceId>) {
    let deployments = inventory.deployments.values().map(|one| (&one.arn, &one.model));
    let throughputs = inventory.throughputs.values().map(|one| (&one.arn, &one.model));
    let mut served: BTreeMap<&ResourceId, Vec<&ResourceId>> = BTreeMap::new();
    for (server, model) in deployments.chain(throughputs) {
        // A throughput may serve a base model by itself; an imported model has none.
        let base = inventory.models.get(model).map_or(model, |model| &model.base_model);
        if base.as_str().contains("foundation-model/") {
            served.entry(base).or_default().push(server);
        }
    }
    let unknown = served.keys().copied().filter(|base| !inventory.foundation_models.contains_key(*base)).collect();
    (served, unknown)
}
