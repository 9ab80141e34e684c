//! What each source of single resources around Bedrock owes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::detail::{Batch, Owed, Pick, part};
use super::super::known::Known;
use crate::aws::read::{
    analyzer, bedrock_models, cloudtrail, feeders, guardduty, guardrails, last_use, logs, organizations,
};
use crate::base::{ResourceId, Text};
use crate::inventory::{ErrorKind, Inventory, Kind, ReadError, SourceId};

type S = SourceId;

/// The reads that `source` owes. `None` for a source that is a list, or is not of this file.
pub(in crate::source::live) fn batch(source: S, inventory: &Inventory, known: &Known, pick: Pick<'_>) -> Option<Batch> {
    let mut batch = Batch::default();
    macro_rules! owe {
        ($kind:ident, $table:ident . $part:ident, $owed:expr, $read:expr) => {{
            batch.add(inventory, pick, part!($kind, $table.$part), $owed, $read);
        }};
    }
    match source {
        S::DEPLOYMENT_DETAILS => owe!(Deployment, deployments.detail, always, |session, one| async move {
            bedrock_models::deployment_detail(&session, &one.arn).await
        }),
        S::STORE_DETAILS => owe!(EventDataStore, event_data_stores.detail, always, |session, one| async move {
            cloudtrail::store_detail(&session, &one.arn).await
        }),
        S::LOG_PROTECTION => {
            owe!(LogGroup, log_groups.protection, always, |session, one| async move {
                logs::protection(&session, &one.name).await
            });
            of_lineage(&mut batch, inventory, known);
        }
        S::LOG_SUBSCRIPTIONS => {
            owe!(LogGroup, log_groups.subscriptions, always, |session, one| async move {
                logs::subscriptions(&session, &one.name).await
            });
            of_lineage(&mut batch, inventory, known);
        }
        S::ORGANIZATION_DOCUMENTS => {
            owe!(OrganizationPolicy, organization_policies.document, always, |session, one| async move {
                organizations::document(&session, &one.id).await
            });
        }
        S::ANALYZER_DETAILS => owe!(AnalyzerFinding, analyzer_findings.detail, always, |session, one| async move {
            analyzer::finding(&session, &one).await
        }),
        S::DETECTORS => owe!(Detector, detectors.detail, always, |session, one| async move {
            guardduty::detector(&session, &one.id).await
        }),
        S::MALWARE_PLAN_DETAILS => owe!(MalwarePlan, malware_plans.detail, always, |session, one| async move {
            guardduty::malware_plan(&session, &one.id).await
        }),
        S::RAM => {
            owe!(Share, shares.detail, always, |session, one| async move { feeders::share(&session, &one.arn).await });
        }
        S::RAM_PRINCIPALS => owe!(Share, shares.principals, always, |session, one| async move {
            feeders::share_principals(&session, &one.arn).await
        }),
        // why once: a completed training job does not change.
        S::TRAINING_DETAILS => owe!(TrainingJob, training_jobs.detail, |_| Owed::Once, |session, one| async move {
            feeders::training_job(&session, one.name.as_str()).await
        }),
        S::FUNCTION_POLICIES => owe!(Function, functions.policy, always, |session, one| async move {
            feeders::function_policy(&session, &one).await
        }),
        S::COLLECTION_DOCUMENTS => {
            owe!(CollectionPolicy, collection_policies.document, always, |session, one| async move {
                feeders::collection_policy(&session, &one).await
            });
        }
        S::LAST_USE_REPORTS => owe!(LastUse, last_uses.report, always, |session, one| async move {
            last_use::report(&session, &one.principal).await
        }),
        S::LAST_USES => {
            let reports = reports(inventory);
            owe!(LastUse, last_uses.detail, always, move |session, one| {
                let report = reports.get(&one.principal).cloned();
                async move {
                    match report {
                        Some(report) => last_use::last_use(&session, &report).await,
                        None => Err(no_report(session.clock().now())),
                    }
                }
            });
        }
        _ => return None,
    }
    Some(batch)
}

/// Reads of guardrails' numbered versions, and of tags beyond those of models and jobs: parts of sources
/// whose other parts are owed elsewhere.
pub(in crate::source::live) fn more(source: S, inventory: &Inventory, pick: Pick<'_>, batch: &mut Batch) {
    macro_rules! owe {
        ($kind:ident, $table:ident . $part:ident, $owed:expr, $read:expr) => {{
            batch.add(inventory, pick, part!($kind, $table.$part), $owed, $read);
        }};
    }
    match source {
        // why once: a version never changes.
        S::GUARDRAIL_DETAILS => {
            owe!(GuardrailVersion, guardrail_versions.detail, |_| Owed::Once, |session, one| async move {
                guardrails::version_detail(&session, &one).await
            });
        }
        S::TAGS => {
            owe!(ImportJob, import_jobs.tags, always, |session, one| async move {
                bedrock_models::resource_tags(&session, &one.arn).await
            });
            owe!(Deployment, deployments.tags, always, |session, one| async move {
                bedrock_models::resource_tags(&session, &one.arn).await
            });
            owe!(Throughput, throughputs.tags, always, |session, one| async move {
                bedrock_models::resource_tags(&session, &one.arn).await
            });
        }
        _ => {}
    }
}

/// Keeps only the log groups that lineage reaches; the others owe nothing.
fn of_lineage(batch: &mut Batch, inventory: &Inventory, known: &Known) {
    batch.tasks.retain(|task| task.of.kind != Kind::LogGroup || known.log_groups.contains(&task.of.id));
    let reached = known.log_groups.iter().filter(|name| inventory.log_groups.contains_key(*name)).count();
    batch.known = reached.saturating_sub(batch.tasks.len());
}

fn reports(inventory: &Inventory) -> Arc<BTreeMap<ResourceId, Text>> {
    let asked = inventory.last_uses.values();
    Arc::new(asked.filter_map(|one| Some((one.principal.clone(), one.report.known().ok()?.clone()))).collect())
}

fn no_report(at: crate::base::Timestamp) -> ReadError {
    ReadError {
        operation: S::LAST_USES.name().to_owned(),
        kind: ErrorKind::NotFound,
        message: "IAM prepared no report to look at (iam:GenerateServiceLastAccessedDetails)".into(),
        at,
    }
}

fn always<T>(_: &T) -> Owed {
    Owed::Again
}
