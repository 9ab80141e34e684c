//! Logging: whether what is asked of custom models is recorded.

#[cfg(test)]
pub(super) mod tests;

use super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use super::control::Control;
use super::judge::{Judge, listed_refs, unread};
use super::verdict::{Area, Severity, Verdict};
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) const LOG_01: Control = Control {
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
        let kinds: Vec<&str> = [(config.text, "text"), (config.images, "images"), (config.embeddings, "embeddings")]
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
