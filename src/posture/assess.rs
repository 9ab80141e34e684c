//! Runs the catalogue, and keeps the law: unknown is never pass.

use std::collections::HashMap;
use std::fmt::Write as _;
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

/// Controls that go over every key, job or model and take longest: begun last, one of them would keep a thread at
/// work while the others have nothing left to do.
const LONG: &[&str] = &["CUS-KMS-06", "CUS-KMS-05", "CUS-KMS-08", "CUS-INV-06", "CUS-DAT-11"];

/// Threads that judge: more would wait for one another's memory.
const THREADS: usize = 4;

/// What every control says of this inventory, in the catalogue's order, then by resource.
pub fn assess(context: &Context<'_>) -> Assessment {
    let (shared, next) = (Shared::of(context), AtomicUsize::new(0));
    let is_long = |at: &usize| LONG.contains(&CONTROLS[*at].id);
    let (first, rest): (Vec<usize>, Vec<usize>) = (0..CONTROLS.len()).partition(is_long);
    let order = [first, rest].concat();
    let judge = || {
        let mut said: Vec<(usize, Piece)> = Vec::new();
        loop {
            let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) else { return said };
            said.push((*at, Piece::of(&CONTROLS[*at], context, &shared)));
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
    whole(context, said.into_iter().map(|(_, piece)| piece).collect())
}

/// The same on one thread; tells after each control that it is done, so that each can be timed.
pub fn assess_by(context: &Context<'_>, mut done: impl FnMut(&'static Control)) -> Assessment {
    let shared = Shared::of(context);
    let mut said: Vec<Piece> = Vec::new();
    for control in CONTROLS {
        said.push(Piece::of(control, context, &shared));
        done(control);
    }
    whole(context, said)
}

/// What one control says.
struct Piece {
    control: &'static str,
    verdicts: Vec<Verdict>,
    /// Whether something is unknown: then what was known before may still take its place.
    open: bool,
}

impl Piece {
    /// What others rest on is kept for them.
    fn of(control: &'static Control, context: &Context<'_>, shared: &Shared<'_>) -> Self {
        let mut verdicts = run(control, context, shared);
        if RESTED_ON.contains(&control.id) {
            shared.keep(control.id, &verdicts);
        }
        let open = verdicts.iter().any(|verdict| verdict.status == Status::Unknown);
        if !open {
            tell_apart(&mut verdicts);
        }
        Self { control: control.id, verdicts, open }
    }
}

/// What no control can say alone.
fn whole(context: &Context<'_>, said: Vec<Piece>) -> Assessment {
    let open: Vec<&str> = said.iter().filter(|piece| piece.open).map(|piece| piece.control).collect();
    let mut verdicts = Vec::with_capacity(said.iter().map(|piece| piece.verdicts.len()).sum());
    for piece in said {
        verdicts.extend(piece.verdicts);
    }
    recall::stale_findings(context, &mut verdicts);
    // why by control: the id of each begins with its own, so that no two controls share one.
    for of_one in verdicts.chunk_by_mut(|a, b| a.control == b.control) {
        if of_one.first().is_some_and(|verdict| open.contains(&verdict.control)) {
            tell_apart(of_one);
        }
    }
    Assessment { verdicts }
}

/// One control, with the law applied.
pub(super) fn run(control: &'static Control, context: &Context<'_>, shared: &Shared<'_>) -> Vec<Verdict> {
    let sources: Vec<SourceId> = control.sources().collect();
    let judge = Judge { control, context, shared, sources: &sources };
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

/// Ids are readable because they end in a short name. Where two resources of a control share one, each gets a
/// mark made of its full id, which is as stable.
fn tell_apart(of_one: &mut [Verdict]) {
    // why looked at first: sorted, as they nearly always are, those that share one stand together.
    if !of_one.is_sorted_by(|a, b| a.id <= b.id) {
        tell_scattered_apart(of_one);
        return;
    }
    for alike in of_one.chunk_by_mut(|a, b| a.id == b.id).filter(|alike| alike.len() > 1) {
        alike.iter_mut().for_each(mark);
    }
}

fn tell_scattered_apart(verdicts: &mut [Verdict]) {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(verdicts.len());
    for verdict in verdicts.iter() {
        *seen.entry(&verdict.id).or_default() += 1;
    }
    let alike: Vec<bool> = verdicts.iter().map(|verdict| seen.get(verdict.id.as_str()) > Some(&1)).collect();
    verdicts.iter_mut().zip(alike).filter(|(_, alike)| *alike).for_each(|(verdict, _)| mark(verdict));
}

fn mark(verdict: &mut Verdict) {
    let mut hash = Sha256::new();
    // As the resource is written.
    for part in [verdict.resource.kind.word(), " ", verdict.resource.id.as_str()] {
        hash.update(part);
    }
    // What the id's last part is short for.
    let beside = verdict.related.first().filter(|other| verdict.id.ends_with(other.id.last()));
    hash.update(beside.map(ToString::to_string).unwrap_or_default());
    let mark = hash.finalize().iter().take(4).fold(0u32, |mark, byte| mark << 8 | u32::from(*byte));
    // A write to a String cannot fail.
    let _ = write!(verdict.id, "~{mark:08x}");
}
