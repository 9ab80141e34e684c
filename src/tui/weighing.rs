//! Judging beside the console: the question that is sent out and the answer that comes back. What is on screen is
//! never held up by it; of two answers the later question's stands, and one of another account is dropped.

use std::sync::Arc;
use std::time::Instant;

use super::judged::{Judge, Question};
use super::message::Effect;
use super::model::Model;
use super::names::Names;
use crate::activity::Watch;
use crate::base::{Generation, Timestamp};
use crate::inventory::{Inventory, Lineage, SessionInfo};
use crate::posture::{Assessment, Expectations};

/// While everything is read at first, each answer changes something: judging rests this many times as long as it took,
/// so that reading is left most of the machine. It comes at once when reading ends.
const REST: u32 = 4;

/// What is to be judged, as it was when judging began.
#[derive(Debug, Clone)]
pub struct Weighing {
    /// Which question; they are numbered as they are asked.
    pub id: u64,
    generation: Generation,
    inventory: Arc<Inventory>,
    session: Option<SessionInfo>,
    expect: Expectations,
    activity: Arc<Watch>,
    now: Timestamp,
    judge: Judge,
    whole: bool,
}

/// why by number: a question is asked once.
impl PartialEq for Weighing {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// The answer.
#[derive(Debug)]
pub struct Weighed {
    id: u64,
    generation: Generation,
    now: Timestamp,
    whole: bool,
    inventory: Arc<Inventory>,
    lineage: Lineage,
    names: Names,
    assessment: Assessment,
}

/// Where judging stands.
#[derive(Debug, Default)]
pub struct Scales {
    asked: u64,
    /// The question that is not answered yet, and when it was asked.
    open: Option<(u64, Instant)>,
    /// When the last answer came, and how long it took.
    last: Option<(Instant, std::time::Duration)>,
}

impl Scales {
    /// Waits for nothing any more: what is being judged is of another account.
    pub(super) fn forget(&mut self) {
        (self.open, self.last) = (None, None);
    }
}

impl Weighing {
    /// Judges. May take its time.
    pub fn weigh(&self) -> Weighed {
        let lineage = Lineage::of(&self.inventory);
        let assessment = (self.judge)(&Question {
            inventory: &self.inventory,
            lineage: &lineage,
            session: self.session.as_ref(),
            expect: &self.expect,
            activity: &self.activity,
            now: self.now,
        });
        let names = Names::of(&self.inventory);
        let Self { id, generation, now, whole, .. } = *self;
        let inventory = Arc::clone(&self.inventory);
        Weighed { id, generation, now, whole, inventory, lineage, names, assessment }
    }
}

/// Asks for judgement when what is shown is older than what is known, and nothing is being judged.
pub(super) fn ask(model: &mut Model) -> Option<Effect> {
    let patient = model.options.patient && model.busy;
    let scales = &mut model.scales;
    let resting = patient && scales.last.is_some_and(|(at, took)| at.elapsed() < took * REST);
    if !model.stale || resting || scales.open.is_some() {
        return None;
    }
    model.stale = false;
    scales.asked += 1;
    scales.open = Some((scales.asked, Instant::now()));
    Some(Effect::Weigh(Box::new(Weighing {
        id: scales.asked,
        generation: model.generation,
        inventory: model.inventory.clone(),
        session: model.session.clone(),
        expect: model.options.expect.clone(),
        activity: model.watch.clone(),
        now: model.now,
        judge: model.options.judge,
        whole: !model.busy,
    })))
}

/// Takes the answer.
pub(super) fn take(model: &mut Model, weighed: Weighed) {
    let Some((_, began)) = model.scales.open.take_if(|(id, _)| *id == weighed.id) else { return };
    model.scales.last = Some((Instant::now(), began.elapsed()));
    if weighed.generation != model.generation {
        return;
    }
    model.judged.take(&weighed.assessment, &weighed.inventory.coverage, weighed.now, weighed.whole);
    model.lineage = weighed.lineage;
    model.names = weighed.names;
    model.assessment = weighed.assessment;
    model.revision += 1;
    model.dirty = true;
}

/// Judging broke. What was judged before stays, and says so.
pub(super) fn broke(model: &mut Model, id: u64, why: &str) {
    if model.scales.open.take_if(|(open, _)| *open == id).is_some() {
        model.fail(&format!("judging broke ({why}); the findings are those of before; `r` reads and judges again"));
    }
}
