//! CUS-INV-06: whether resources say whose they are and how sensitive.

use crate::inventory::{Kind, Read, SourceId, Tags};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, PCI};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Subject, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_06: Control = Control {
    id: "CUS-INV-06",
    title: "Models, jobs and deployments carry owner and classification tags",
    severity: Severity::Low,
    area: Area::Invocation,
    what: "models, jobs, deployments and throughput",
    lists: &[
        SourceId::JOBS,
        SourceId::MODELS,
        SourceId::IMPORTED_MODELS,
        SourceId::IMPORT_JOBS,
        SourceId::DEPLOYMENTS,
        SourceId::THROUGHPUTS,
    ],
    tables: &[],
    details: &[SourceId::TAGS],
    logic: "Each custom model of this account, imported model, customization and import job, deployment and provisioned \
            throughput must have tags for its owner, its data classification and its environment that are not empty. \
            Case, hyphens, underscores and a prefix up to a colon or slash do not matter: DataClassification and \
            orion:data-classification are both right.",
    reasons: &["missing-tags"],
    remediation: "Tag the resource. Look first whether a policy decides by tags.",
    cli: "aws bedrock tag-resource --resource-arn RESOURCE --tags key=owner,value=TEAM",
    compliance: &[
        (NIST, &["CM-8"]),
        (FEDRAMP, &["CM-8"]),
        (PCI, &["12.5.1"]),
        (GDPR, &["30"]),
        (ATLAS, &["AML.M0023"]),
    ],
    fixes: &[],
    evaluate: tags,
};

/// Other names that say the same, as they are compared.
const ALSO: [(&str, &str); 2] = [("dataclassification", "classification"), ("environment", "env")];

fn tags(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let required: Vec<Required<'_>> =
        judge.context.expect.required_tags.iter().map(|name| Required::of(name)).collect();
    let mut verdicts = Vec::with_capacity(inventory.jobs.len() + inventory.models.len());
    let mut seen: Option<Seen<'_>> = None;
    macro_rules! each {
        ($kind:ident, $items:expr) => {
            verdicts.extend($items.map(|one| {
                let subject = judge.on_item(Kind::$kind, one);
                judged(subject, Kind::$kind, &required, &one.tags, &mut seen)
            }));
        };
    }
    each!(Job, inventory.jobs.values());
    each!(ImportJob, inventory.import_jobs.values());
    // Those of another account are its own to tag.
    each!(Model, inventory.models.values().filter(|model| model.owned));
    each!(ImportedModel, inventory.imported_models.values());
    each!(Deployment, inventory.deployments.values());
    each!(Throughput, inventory.throughputs.values());
    verdicts
}

/// What is found of tags. why kept: what is made together is tagged alike, and comes one after another.
struct Seen<'a> {
    tags: &'a Tags,
    keys: String,
    /// None where none is.
    missing: Option<String>,
}

fn judged<'a>(
    subject: Subject<'_>,
    kind: Kind,
    required: &[Required<'_>],
    tags: &'a Read<Tags>,
    seen: &mut Option<Seen<'a>>,
) -> Verdict {
    let tags = match tags.known() {
        Ok(tags) => tags,
        Err(unknown) => return subject.unread(unread("bedrock:ListTagsForResource", unknown)),
    };
    let alike = seen.take().filter(|held| held.tags == tags);
    let find = || {
        let missing = missing(required, tags);
        Seen { tags, keys: listed(tags.keys()), missing: (!missing.is_empty()).then(|| listed(missing)) }
    };
    let Seen { keys, missing, .. } = seen.insert(alike.unwrap_or_else(find));
    let shown = if keys.is_empty() { "none" } else { keys.as_str() };
    let Some(missing) = missing else {
        return subject.shows("tags", shown).pass("says whose it is, how sensitive, and where it belongs");
    };
    let why = format!("{} {} has no tag for {missing}", kind.word(), subject.name());
    subject.shows("tags", shown).shows("missing", missing).fail("missing-tags", why)
}

/// A tag that is asked for.
struct Required<'a> {
    name: &'a str,
    /// As names are compared.
    plain: String,
    /// Another name that says the same.
    also: Option<&'static str>,
}

impl<'a> Required<'a> {
    fn of(name: &'a str) -> Self {
        let plain = plain(name);
        let also = ALSO.iter().find(|(other, _)| *other == plain).map(|(_, also)| *also);
        Self { name, plain, also }
    }
}

fn plain(key: &str) -> String {
    let last = key.rsplit([':', '/']).next().unwrap_or_default();
    last.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

fn missing<'a>(required: &[Required<'a>], tags: &Tags) -> Vec<&'a str> {
    let held: Vec<String> = tags
        .iter()
        .filter(|(_, value)| !value.as_str().trim().is_empty())
        .map(|(key, _)| plain(key.as_str()))
        .collect();
    let said = |one: &&Required<'_>| held.iter().any(|key| *key == one.plain || Some(key.as_str()) == one.also);
    required.iter().filter(|one| !said(one)).map(|one| one.name).collect()
}
