//! How long it takes to judge a large account: every control over 2,000 customization jobs with a model each, 2,000
//! keys and 200 deployments, all of them like one of the bundled demo. `cargo bench --bench posture`; with
//! `-- --by-control`, what each control takes of it.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bedwatch::base::{ResourceId, Timestamp};
use bedwatch::inventory::{Document, Inventory, Lineage, Read, SessionInfo};
use bedwatch::posture::{self, CONTROLS, Context, Expectations, Status};
use serde::Deserialize;

/// What is needed of the demo.
#[derive(Deserialize)]
struct Demo {
    session: SessionInfo,
    saved_at: Timestamp,
    inventory: Inventory,
}

const COUNT: usize = 2_000;
const PER_DEPLOYMENT: usize = 10;
const RUNS: usize = 11;

/// The demo's inventory, its job `orion-chat-1` with model and key repeated under other names.
fn large(mut inventory: Inventory, saved_at: Timestamp) -> Inventory {
    let job = inventory.jobs.values().find(|job| job.name == "orion-chat-1").unwrap().clone();
    let model = inventory.models.values().find(|model| model.name == "orion-chat-v1").unwrap().clone();
    let key = inventory.keys[job.detail.known().unwrap().kms_key.as_ref().unwrap()].clone();
    let deployment = inventory.deployments.values().next().unwrap().clone();
    let renamed = |arn: &ResourceId, n: usize| {
        let (kind, _) = arn.as_str().rsplit_once('/').unwrap();
        ResourceId::new(format!("{kind}/scale{n:05}"))
    };
    for n in 0..COUNT {
        let (mut job, mut model, mut key) = (job.clone(), model.clone(), key.clone());
        // Each read by itself, as from an account.
        key.policy = Read::Got { value: Document::new(key.policy.known().unwrap().raw()), at: saved_at };
        (job.arn, model.arn, key.arn) = (renamed(&job.arn, n), renamed(&model.arn, n), renamed(&key.arn, n));
        job.name = format!("scale-{n}-job").as_str().into();
        job.output_model_name = format!("scale-{n}").as_str().into();
        job.output_model = Some(model.arn.clone());
        job.detail.known_mut().unwrap().kms_key = Some(key.arn.clone());
        model.name = job.output_model_name.clone();
        let detail = model.detail.known_mut().unwrap();
        (detail.job, detail.kms_key) = (Some(job.arn.clone()), Some(key.arn.clone()));
        if n % PER_DEPLOYMENT == 0 {
            let mut one = deployment.clone();
            (one.arn, one.model) = (renamed(&one.arn, n), model.arn.clone());
            inventory.deployments.insert(one.arn.clone(), one);
        }
        inventory.jobs.insert(job.arn.clone(), job);
        inventory.models.insert(model.arn.clone(), model);
        inventory.keys.insert(key.arn.clone(), key);
    }
    inventory
}

/// Median and best, in milliseconds.
fn timed<T>(mut run: impl FnMut() -> T) -> (f64, f64, T) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..RUNS {
        let began = Instant::now();
        let found = run();
        times.push(began.elapsed().as_secs_f64() * 1e3);
        // why after: what is thrown away is no part of it.
        last = Some(found);
    }
    times.sort_by(f64::total_cmp);
    (times[RUNS / 2], times[0], last.unwrap())
}

fn main() {
    let demo: Demo = serde_json::from_str(include_str!("../src/cli/console/demo.json")).unwrap();
    let expect = Expectations::default();
    let inventory = large(demo.inventory, demo.saved_at);
    println!("{COUNT} jobs, models and keys; {} controls", CONTROLS.len());
    let (median, best, lineage) = timed(|| Lineage::of(&inventory));
    println!("lineage     {median:8.1} ms median, {best:.1} best, {} edges", lineage.edges().count());
    let context = Context::of(&inventory, &lineage, &demo.session, demo.saved_at, &expect);
    let (median, best, assessment) = timed(|| posture::assess(&context));
    let count = |status| assessment.count(status);
    println!(
        "assessment  {median:8.1} ms median, {best:.1} best: {} verdicts, {} fail, {} unknown",
        assessment.verdicts.len(),
        count(Status::Fail),
        count(Status::Unknown)
    );
    let (median, best, _) = timed(|| posture::score(&assessment));
    println!("score       {median:8.1} ms median, {best:.1} best");
    if std::env::args().any(|argument| argument == "--by-control") {
        by_control(&context);
    }
}

/// The best of each control, the slowest first; the rest is what comes after all of them.
fn by_control(context: &Context<'_>) {
    let mut best: BTreeMap<&str, Duration> = BTreeMap::new();
    for _ in 0..RUNS {
        let mut began = Instant::now();
        let mut took = |id: &'static str| {
            let took = began.elapsed();
            best.entry(id).and_modify(|best| *best = took.min(*best)).or_insert(took);
            began = Instant::now();
        };
        let assessment = posture::assess::assess_by(context, |control| took(control.id));
        took("the rest");
        drop(assessment);
    }
    let mut rows: Vec<_> = best.into_iter().collect();
    rows.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    for (id, took) in rows {
        println!("{id:12} {:8.2} ms", took.as_secs_f64() * 1e3);
    }
}
