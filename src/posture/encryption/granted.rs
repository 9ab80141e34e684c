//! CUS-KMS-08: whether Bedrock holds the grants that models need, and nobody else one that surprises.

use std::collections::BTreeMap;

use crate::base::ResourceId;
use crate::inventory::bedrock::JobStatus;
use crate::inventory::kms::Grant;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::identity::BEDROCK;
use crate::posture::judge::{Judge, Problem, listed, listed_refs, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{key_id, metadata_of};

pub(in crate::posture) const KMS_08: Control = Control {
    id: "CUS-KMS-08",
    title: "Bedrock grants on the model key are present and unsurprising",
    severity: Severity::Medium,
    area: Area::Encryption,
    what: "customer managed keys of models that exist",
    lists: HOLDERS,
    tables: &[],
    details: &[SourceId::KEYS, SourceId::GRANTS],
    logic: "Bedrock opens each custom or imported model under a customer managed key by a primary grant: grantee and \
            retiring principal bedrock.amazonaws.com, operations Decrypt, GenerateDataKey, DescribeKey, CreateGrant \
            and RetireGrant. A key of models with no grant for Bedrock is a failure, and so is a grant for an account \
            that is neither ours nor trusted. Fewer primary grants than models, more than models, throughput and \
            running jobs, other operations or another retiring principal are warnings.",
    reasons: &[
        "no-bedrock-grant",
        "foreign-grantee",
        "fewer-grants-than-models",
        "orphan-grants",
        "unexpected-operations",
        "unexpected-retiring-principal",
    ],
    remediation: "Revoke the grant of a foreign principal, after a dry run. Never revoke a primary grant of Bedrock: \
                  its model would be lost. A model without a grant has to be copied or trained again.",
    cli: "aws kms revoke-grant --key-id KEY --grant-id GRANT --dry-run",
    compliance: &[
        (NIST, &["AC-6", "SC-12", "AU-12"]),
        (FEDRAMP, &["AC-6", "SC-12", "AU-12"]),
        (PCI, &["3.7.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0005"]),
        (SRA, &["KMS"]),
    ],
    fixes: &["FIX-04"],
    evaluate: grants,
};

/// Everything that says which models there are, and what else may hold a grant of Bedrock.
const HOLDERS: &[SourceId] = &[
    SourceId::MODELS,
    SourceId::MODEL_DETAILS,
    SourceId::IMPORTED_MODELS,
    SourceId::IMPORTED_MODEL_DETAILS,
    SourceId::JOBS,
    SourceId::JOB_DETAILS,
    SourceId::IMPORT_JOBS,
    SourceId::IMPORT_JOB_DETAILS,
    SourceId::COPY_JOBS,
    SourceId::THROUGHPUTS,
];

/// The operations of a grant that Bedrock makes for a model (Amazon Bedrock User Guide, "Encryption of custom models").
const OPERATIONS: &[&str] = &["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant", "RetireGrant"];

/// What needs grants on a key.
#[derive(Default)]
struct Holders {
    /// Models that exist.
    models: Vec<ResourceRef>,
    /// Throughput and running jobs, which may hold one beside.
    others: usize,
}

fn grants(judge: &Judge<'_>) -> Vec<Verdict> {
    // why: more holders may be known once the lists are whole.
    let whole = judge.any_gap(HOLDERS).is_none();
    let holders = holders(judge);
    let mut verdicts = Vec::with_capacity(holders.len());
    for (id, holders) in holders {
        if holders.models.is_empty() {
            continue;
        }
        let key = judge.context.key(id);
        let subject = match key {
            Some(key) => judge.on_item(Kind::Key, key),
            None => judge.on(ResourceRef::new(Kind::Key, id)),
        };
        let subject = subject.related(holders.models.iter().cloned());
        match metadata_of(judge, key, id) {
            Ok(metadata) if metadata.manager == "AWS" => continue,
            Ok(_) => {}
            Err(why) => {
                verdicts.push(subject.unread(why));
                continue;
            }
        }
        let Some(key) = key else { continue };
        let grants = match key.grants.known() {
            Ok(grants) => grants,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("kms:ListGrants", unknown)));
                continue;
            }
        };
        let problems = problems(judge.context, key.label(), grants, &holders, whole);
        let of_bedrock = grants.iter().filter(|grant| is_bedrock(&grant.grantee)).count();
        let draft = subject
            .shows("grants", grants.len())
            .shows("grantsOfBedrock", of_bedrock)
            .shows("models", listed_refs(judge.context, &holders.models));
        let right = format!("Bedrock holds {of_bedrock} grants for {} models", holders.models.len());
        for mut verdict in draft.conclude(problems, right) {
            // A foreign grant is all that can be taken away.
            if verdict.code != "foreign-grantee" {
                verdict.fixes = &[];
            }
            verdicts.push(verdict);
        }
    }
    verdicts
}

fn problems(context: &Context<'_>, label: &str, grants: &[Grant], holders: &Holders, whole: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut of_bedrock, mut primary) = (0, 0);
    for grant in grants {
        let (id, grantee) = (&grant.id, &grant.grantee);
        let has = |operation: &str| grant.operations.iter().any(|held| held == operation);
        if let Some(account) = grantee.arn().map(|arn| arn.account).filter(|account| !context.trusts(account)) {
            let why = format!("grant {id} lets {} of account {account} use key {label}", grantee.last());
            problems.push(told(Problem::fail("foreign-grantee", why).graded(Severity::High), grant));
        }
        if !is_bedrock(grantee) {
            continue;
        }
        of_bedrock += 1;
        primary += usize::from(has("CreateGrant"));
        let more: Vec<_> = grant.operations.iter().filter(|held| !OPERATIONS.contains(&held.as_str())).collect();
        if !more.is_empty() {
            let why = format!("grant {id} gives Bedrock {} on key {label}, which models do not need", listed(&more));
            problems.push(told(Problem::warn("unexpected-operations", why), grant));
        }
        if let Some(retiring) = grant.retiring.as_ref().filter(|retiring| !is_bedrock(retiring)) {
            let why = format!("{retiring} may retire grant {id} of Bedrock on key {label}, and with it lose a model");
            problems.push(told(Problem::warn("unexpected-retiring-principal", why), grant));
        }
    }
    let (models, most) = (holders.models.len(), holders.models.len() + holders.others);
    if of_bedrock == 0 {
        let why = format!(
            "no grant lets Bedrock use key {label}: {} cannot be decrypted",
            listed_refs(context, &holders.models)
        );
        problems.push(Problem::fail("no-bedrock-grant", why).shows("expected", format!("grantee {BEDROCK}")));
    } else if primary < models {
        let why = format!("Bedrock holds {primary} primary grants on key {label} for {models} models");
        problems.push(Problem::warn("fewer-grants-than-models", why).shows("primaryGrants", primary));
    } else if primary > most && whole {
        let why = format!(
            "Bedrock holds {primary} primary grants on key {label}, but only {most} models, throughputs and running \
             jobs need one: some are orphans"
        );
        problems.push(Problem::warn("orphan-grants", why).shows("primaryGrants", primary));
    }
    problems
}

/// A problem with the facts of its grant.
fn told(problem: Problem, grant: &Grant) -> Problem {
    let created = grant.created.map_or("unknown".to_owned(), crate::base::Timestamp::minute);
    let constraints =
        grant.context_equals.iter().chain(&grant.context_subset).map(|(key, value)| format!("{key}={value}"));
    problem
        .shows("GrantId", &grant.id)
        .shows("GranteePrincipal", &grant.grantee)
        .shows("RetiringPrincipal", grant.retiring.as_ref().map_or("none", ResourceId::as_str))
        .shows("Operations", listed(&grant.operations))
        .shows("Constraints", listed(constraints))
        .shows("CreationDate", created)
}

fn is_bedrock(principal: &ResourceId) -> bool {
    principal.as_str() == BEDROCK
}

/// By key: the models that exist, and what else may hold a grant.
fn holders<'a>(judge: &Judge<'a>) -> BTreeMap<&'a ResourceId, Holders> {
    let inventory = judge.context.inventory;
    let mut found: BTreeMap<&ResourceId, Holders> = BTreeMap::new();
    let keys = keys_by_model(judge, inventory);
    for (model, key) in &keys {
        // why: a model that is being made, or failed, has no primary grant yet, or none.
        let kind = match inventory.models.get(*model) {
            Some(model) if !model.owned || model.status != "Active" => continue,
            Some(_) => Kind::Model,
            None => Kind::ImportedModel,
        };
        found.entry(key).or_default().models.push(ResourceRef::new(kind, *model));
    }
    for holders in found.values_mut() {
        holders.models.sort();
    }
    let mut more = |key: Option<&'a ResourceId>| {
        if let Some(key) = key {
            found.entry(key).or_default().others += 1;
        }
    };
    let named = |key: Option<&'a ResourceId>| key.map(|key| key_id(judge, key));
    for throughput in inventory.throughputs.values() {
        more(keys.get(&throughput.model).copied());
    }
    for job in inventory.jobs.values().filter(|job| job.status.is_running()) {
        more(named(job.detail.last().and_then(|detail| detail.kms_key.as_ref())));
    }
    for job in inventory.import_jobs.values().filter(|job| job.status.is_running()) {
        more(named(job.detail.last().and_then(|detail| detail.kms_key.as_ref())));
    }
    for job in inventory.copy_jobs.values().filter(|job| job.status == JobStatus::InProgress) {
        more(named(job.target_key.as_ref()));
        more(keys.get(&job.source_model).copied());
    }
    // Models that are being made.
    for model in inventory.models.values().filter(|model| model.owned && model.status == "Creating") {
        more(keys.get(&model.arn).copied());
    }
    found
}

/// The key of each model that has one.
fn keys_by_model<'a>(judge: &Judge<'a>, inventory: &'a Inventory) -> BTreeMap<&'a ResourceId, &'a ResourceId> {
    let custom = inventory.models.values().filter_map(|m| Some((&m.arn, m.detail.known().ok()?.kms_key.as_ref()?)));
    let imported =
        inventory.imported_models.values().filter_map(|m| Some((&m.arn, m.detail.known().ok()?.kms_key.as_ref()?)));
    custom.chain(imported).map(|(model, key)| (model, key_id(judge, key))).collect()
}
