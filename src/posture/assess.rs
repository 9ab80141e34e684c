//! Runs the catalogue, and keeps the law: unknown is never pass.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use super::catalogue::CONTROLS;
use super::control::{Context, Control};
use super::judge::Judge;
use super::permissions::Shared;
use super::recall;
use super::verdict::{Assessment, Evidence, Status, Verdict};
use crate::base::Text;
use crate::inventory::{Kind, SourceId};

/// Controls that others rest on.
const RESTED_ON: &[&str] = &["CUS-KMS-01", "CUS-LOG-01", "CUS-GRD-02"];

/// Threads that judge: more would wait for one another's memory.
const THREADS: usize = 4;

/// What every control says of this inventory, in the catalogue's order, then by resource.
pub fn assess(context: &Context<'_>) -> Assessment {
    let (shared, next) = (Shared::default(), AtomicUsize::new(0));
    let judge = || {
        let mut said: Vec<(usize, Vec<Verdict>)> = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(control) = CONTROLS.get(at) else { return said };
            said.push((at, kept(control, context, &shared)));
        }
    };
    let more = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS) - 1;
    let mut said = std::thread::scope(|scope| {
        let others: Vec<_> = (0..more).map(|_| scope.spawn(judge)).collect();
        let mut said = judge();
        for other in others {
            // why not an error: a control that breaks breaks whoever asked, on one thread or many.
            said.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        said
    });
    said.sort_by_key(|(at, _)| *at);
    whole(context, said.into_iter().flat_map(|(_, verdicts)| verdicts).collect())
}

/// The same on one thread; tells after each control that it is done, so that each can be timed.
pub fn assess_by(context: &Context<'_>, mut done: impl FnMut(&'static Control)) -> Assessment {
    let shared = Shared::default();
    let mut verdicts: Vec<Verdict> = Vec::new();
    for control in CONTROLS {
        verdicts.extend(kept(control, context, &shared));
        done(control);
    }
    whole(context, verdicts)
}

/// One control; what others rest on is kept for them.
fn kept(control: &'static Control, context: &Context<'_>, shared: &Shared) -> Vec<Verdict> {
    let said = run(control, context, shared);
    if RESTED_ON.contains(&control.id) {
        shared.keep(control.id, &said);
    }
    said
}

/// What no control can say alone.
fn whole(context: &Context<'_>, mut verdicts: Vec<Verdict>) -> Assessment {
    recall::stale_findings(context, &mut verdicts);
    tell_apart(&mut verdicts);
    Assessment { verdicts }
}

/// One control, with the law applied.
pub(super) fn run(control: &'static Control, context: &Context<'_>, shared: &Shared) -> Vec<Verdict> {
    let judge = Judge { control, context, shared };
    if control.is_deep() && !judge.is_deep() {
        return vec![judge.on_region().needs_deep()];
    }
    let mut verdicts = (control.evaluate)(&judge);
    verdicts.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| a.resource.cmp(&b.resource)));
    // why: what was not asked for is no gap, or every look without --deep would be incomplete.
    let unasked = |source: SourceId| source.is_deep() && !judge.is_deep();
    let gap = |source: &SourceId| if unasked(*source) || moot(context, *source) { None } else { judge.gap(*source) };
    let first = |sources: &[SourceId]| sources.iter().find_map(gap);
    let anywhere = || control.needs().find_map(|source| gap(&source));
    if let Some(why) = first(control.tables) {
        for verdict in &mut verdicts {
            if matches!(verdict.status, Status::Pass | Status::NotApplicable) {
                doubt(verdict, &why);
            }
        }
    }
    let unlisted = first(control.lists);
    if let Some(why) = &unlisted {
        // What is known is judged; "nothing to judge" cannot be known.
        verdicts.retain(|verdict| verdict.status != Status::NotApplicable || verdict.resource.kind != Kind::Region);
        let why = format!("there may be more {}: the list is not complete ({why})", control.what);
        verdicts.push(judge.on_region().part("list").undecided("list-incomplete", why));
    } else if verdicts.is_empty() {
        verdicts.push(match first(control.tables) {
            Some(why) => judge.on_region().unread(why),
            None => judge.on_region().not_applicable(format!("no {} here", control.what)),
        });
    }
    // The backstop: a source that failed after its values were read leaves them looking fine.
    let judged = verdicts.iter().any(|v| v.resource.kind != Kind::Region || v.status != Status::NotApplicable);
    if judged
        && let Some(why) = anywhere()
        && verdicts.iter().all(|verdict| verdict.status != Status::Unknown)
    {
        verdicts.push(judge.on_region().part("source").unread(why));
    }
    verdicts
}

fn doubt(verdict: &mut Verdict, why: &Text) {
    verdict.status = Status::Unknown;
    verdict.code = "unread";
    verdict.reason = why.clone();
    verdict.evidence.insert(0, Evidence { label: "error".into(), value: why.clone(), pointer: None });
}

/// Whether a source was not asked because there is nothing to ask about: no jobs, no details of jobs.
fn moot(context: &Context<'_>, source: SourceId) -> bool {
    let inventory = context.inventory;
    let never = inventory.coverage.report(source).is_none();
    let whole = |list| inventory.coverage.complete(list).is_ok();
    never
        && match source {
            SourceId::JOB_DETAILS => whole(SourceId::JOBS) && inventory.jobs.is_empty(),
            SourceId::MODEL_DETAILS => whole(SourceId::MODELS) && inventory.models.is_empty(),
            SourceId::IMPORTED_MODEL_DETAILS => {
                whole(SourceId::IMPORTED_MODELS) && inventory.imported_models.is_empty()
            }
            SourceId::IMPORT_JOB_DETAILS => whole(SourceId::IMPORT_JOBS) && inventory.import_jobs.is_empty(),
            SourceId::EVALUATION_JOB_DETAILS => {
                whole(SourceId::EVALUATION_JOBS) && inventory.evaluation_jobs.is_empty()
            }
            SourceId::RULE_TARGETS => whole(SourceId::RULES) && inventory.rules.is_empty(),
            SourceId::KEYS | SourceId::KEY_POLICIES | SourceId::GRANTS | SourceId::ROTATION => {
                context.lineage.reached(Kind::Key).is_empty()
            }
            SourceId::BUCKET_ENCRYPTION => context.lineage.reached(Kind::Bucket).is_empty(),
            SourceId::LOG_GROUPS => context.lineage.reached(Kind::LogGroup).is_empty(),
            SourceId::SUBNETS | SourceId::ROUTE_TABLES => context.lineage.reached(Kind::Subnet).is_empty(),
            SourceId::SECURITY_GROUPS => context.lineage.reached(Kind::SecurityGroup).is_empty(),
            _ => false,
        }
}

/// Ids are readable because they end in a short name. Where two resources share one, each gets a
/// mark made of its full id, which is as stable.
fn tell_apart(verdicts: &mut [Verdict]) {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(verdicts.len());
    for verdict in verdicts.iter() {
        *seen.entry(&verdict.id).or_default() += 1;
    }
    let alike: Vec<bool> = verdicts.iter().map(|verdict| seen.get(verdict.id.as_str()) > Some(&1)).collect();
    for (verdict, _) in verdicts.iter_mut().zip(alike).filter(|(_, alike)| *alike) {
        let mut hash = Sha256::new();
        hash.update(verdict.resource.to_string());
        // What the id's last part is short for.
        let beside = verdict.related.first().filter(|other| verdict.id.ends_with(other.id.last()));
        hash.update(beside.map(ToString::to_string).unwrap_or_default());
        let mark = hash.finalize().iter().take(4).fold(0u32, |mark, byte| mark << 8 | u32::from(*byte));
        verdict.id = format!("{}~{mark:08x}", verdict.id);
    }
}
