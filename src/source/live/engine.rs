//! The engine of a live session: starts reads as they fall due, takes in what they bring, and sends
//! it on. It keeps its own copy of the inventory, because what is known decides what is asked next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use super::Depth;
use super::deep::{Deep, Plan};
use super::detail::{Batch, Pick};
use super::follow::Follow;
use super::gate::Gate;
use super::invoked::{self, Invoked};
use super::known::Known;
use super::lists::{self, Reach};
use super::order::{OF_BUCKETS, OF_KEYS, OF_NETWORK, OF_NEWCOMERS, after, list_of};
use super::owes::batch;
use super::reader::{Focus, Heard, Reader};
use super::schedule::{Schedule, Went};
use crate::aws::Session;
use crate::base::Text;
use crate::inventory::kms::Key;
use crate::inventory::s3::Bucket;
use crate::inventory::{CallStats, ErrorKind, Inventory, Items, Read, ReadError, SourceId, SourceReport, Update};
use crate::source::{Command, Envelope, Message};

/// How many answers may wait to be taken in.
const WAITING: usize = 256;
/// While a source is being read, lineage is followed this often at most: to follow it after each of two
/// thousand answers would take longer than to read them.
const FOLLOW: Duration = Duration::from_millis(200);
/// And it takes one part in so many of the time.
const FOLLOW_SHARE: u32 = 20;
/// More new ones than these are read in a round of their source, with a report.
const MANY: usize = 32;

/// Where envelopes go.
pub(super) enum Out<'a> {
    /// The console.
    Sender(&'a mpsc::Sender<Envelope>),
    /// A scan.
    Sink(&'a mut (dyn FnMut(Envelope) + Send)),
}

impl Out<'_> {
    /// `None`: nobody listens any more.
    pub(super) async fn send(&mut self, envelope: Envelope) -> Option<()> {
        match self {
            Self::Sender(sender) => sender.send(envelope).await.ok(),
            Self::Sink(sink) => {
                sink(envelope);
                Some(())
            }
        }
    }
}

/// Why the engine stopped.
pub(super) enum Over {
    /// Told to, or nobody listens.
    Stopped,
    /// Everything was read, and only one round was wanted.
    Round,
    /// Content is to be looked into: that takes a session that was made for it.
    Deep(Depth, Past),
    /// The session is no longer what the header says.
    Lost(ReadError),
}

/// What was seen of what happened, and who listens was told.
#[derive(Clone, Default)]
pub(super) struct Past {
    follow: Arc<Mutex<Follow>>,
    invoked: Arc<Mutex<Invoked>>,
}

impl Past {
    /// For another engine to go on with. What is being read just now begins anew: nobody knows how much of it was told.
    fn at_rest(&self) -> Self {
        fn at_rest<T: Default>(part: &Arc<Mutex<T>>) -> Arc<Mutex<T>> {
            if part.try_lock().is_ok() { part.clone() } else { Arc::default() }
        }
        Self { follow: at_rest(&self.follow), invoked: at_rest(&self.invoked) }
    }
}

/// What a task ended with: the report of a source, or none for reads that were asked for singly.
type Ended = Option<SourceReport>;

pub(super) struct Engine<'a> {
    out: Out<'a>,
    reader: Reader,
    heard: mpsc::Receiver<Heard>,
    inventory: Inventory,
    known: Known,
    schedule: Schedule,
    tasks: JoinSet<Ended>,
    sources: BTreeMap<Id, (SourceId, Instant)>,
    past: Past,
    deep: Option<Arc<Deep>>,
    keys: Vec<Key>,
    buckets: Vec<Bucket>,
    /// Whether the inventory changed since lineage was followed.
    moved: bool,
    /// Whether lineage has to be followed before anything is started: a source ended.
    settled: bool,
    followed: Instant,
    /// How long that took.
    following: Duration,
    busy: bool,
    calls: Vec<CallStats>,
    lost: Option<ReadError>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(session: &Session, schedule: Schedule, out: Out<'a>) -> Self {
        let (sender, heard) = mpsc::channel(WAITING);
        let gate = Gate::new(session.clock().clone());
        Self {
            out,
            reader: Reader { session: session.clone(), gate, heard: sender, focus: Focus::default() },
            heard,
            inventory: Inventory::default(),
            known: Known::new(session.info()),
            schedule,
            tasks: JoinSet::new(),
            sources: BTreeMap::new(),
            past: Past::default(),
            deep: None,
            keys: Vec::new(),
            buckets: Vec::new(),
            moved: false,
            settled: false,
            followed: Instant::now(),
            following: Duration::ZERO,
            busy: false,
            calls: Vec::new(),
            lost: None,
        }
    }

    /// Goes on where an earlier one stopped.
    pub(super) fn with_past(self, past: Past) -> Self {
        Self { past, ..self }
    }

    /// Looks into objects and logs too, as far as the schedule says so.
    pub(super) fn with_deep(self, depth: Depth) -> Self {
        Self { deep: Some(Arc::new(Deep::new(depth))), ..self }
    }

    /// Reads until told to stop; with `commands` absent, until everything due has been read.
    pub(super) async fn run(mut self, commands: Option<&mut mpsc::Receiver<Command>>) -> Over {
        self.go(commands).await.unwrap_or(Over::Stopped)
    }

    async fn go(&mut self, mut commands: Option<&mut mpsc::Receiver<Command>>) -> Option<Over> {
        self.first().await?;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.start().await?;
            if let Some(error) = self.lost.take() {
                return Some(Over::Lost(error));
            }
            if commands.is_none() && self.schedule.is_over() {
                self.count().await?;
                return Some(Over::Round);
            }
            let next = self.schedule.next(Instant::now());
            tokio::select! {
                Some(heard) = self.heard.recv() => self.hear(heard).await?,
                Some(ended) = self.tasks.join_next_with_id() => self.end(ended).await?,
                command = next_command(&mut commands) => match command {
                    None | Some(Command::Stop) => return Some(Over::Stopped),
                    Some(Command::Deep(depth)) => {
                        let past = self.past.at_rest();
                        while let Ok(heard) = self.heard.try_recv() {
                            self.hear(heard).await?;
                        }
                        return Some(Over::Deep(depth, past));
                    }
                    Some(command) => self.obey(command),
                },
                () = sleep_until(next) => {}
                _ = second.tick() => self.count().await?,
            }
        }
    }

    /// The session comes first, with what connecting already read.
    async fn first(&mut self) -> Option<()> {
        let session = self.reader.session.clone();
        self.send(Message::Session(session.info().clone())).await?;
        let caller = self.reader.report(SourceId::CALLER, Ok(1));
        self.update(Update::Source(caller)).await?;
        let alias = match session.alias() {
            Read::Got { .. } => Some(self.reader.report(SourceId::ACCOUNT_ALIAS, Ok(1))),
            Read::Failed { error, .. } => Some(self.reader.report(SourceId::ACCOUNT_ALIAS, Err(error.clone()))),
            Read::NotAsked => None,
        };
        let now = Instant::now();
        self.schedule.had(SourceId::CALLER, now);
        if let Some(report) = alias {
            self.schedule.had(SourceId::ACCOUNT_ALIAS, now);
            self.update(Update::Source(report)).await?;
        }
        Some(())
    }

    /// Starts what may start, and says whether anything runs.
    async fn start(&mut self) -> Option<()> {
        self.reach().await?;
        let now = Instant::now();
        for (source, forced) in self.schedule.start(now) {
            let task = self.read(source, forced);
            self.sources.insert(task, (source, now));
        }
        let busy = self.schedule.is_busy();
        if busy != self.busy {
            self.busy = busy;
            self.send(Message::Busy(busy)).await?;
        }
        Some(())
    }

    /// Starts one source.
    fn read(&mut self, source: SourceId, forced: bool) -> Id {
        let reader = self.reader.clone();
        if source == SourceId::EVENTS {
            let follow = self.past.follow.clone();
            return self.tasks.spawn(async move { Some(follow.lock().await.look(&reader).await) }).id();
        }
        if source == SourceId::LOG_EVENTS {
            let (invoked, place) = (self.past.invoked.clone(), invoked::place(&self.inventory));
            return self.tasks.spawn(async move { Some(invoked.lock().await.look(&reader, place).await) }).id();
        }
        if let Some(deep) = self.deep.clone().filter(|_| source.is_deep()) {
            let plan = Plan::of(&self.inventory, &self.known);
            return self.tasks.spawn(async move { Some(deep.read(source, &reader, plan).await) }).id();
        }
        // why half: a source falls due a little before or after its interval, and what was read with
        // the last round must not wait for the one after next.
        let older = Pick::Older(reader.now(), i64::from(source.source().every) / 2);
        let pick = if forced { Pick::All } else { older };
        if let Some(batch) = batch(source, &self.inventory, &self.known, pick) {
            return self.tasks.spawn(async move { Some(reader.details(source, batch).await) }).id();
        }
        let partition = reader.session.info().partition.clone();
        let reach = Reach::of(source, &self.inventory, &self.known, partition.as_str());
        let known = self.known.clone();
        self.tasks.spawn(async move { Some(Box::pin(lists::read(source, reader, known, reach)).await) }).id()
    }

    /// Takes in what a read brought.
    async fn hear(&mut self, heard: Heard) -> Option<()> {
        match heard {
            Heard::Update(update) => self.update(update).await,
            Heard::Apply(apply) => match apply(&self.inventory) {
                Some(update) => self.update(update).await,
                None => Some(()),
            },
            Heard::Events(events) => self.send(Message::Events(events)).await,
            Heard::Invocations(invocations) => self.send(Message::Invocations(invocations)).await,
            Heard::Aliases(aliases) => {
                self.known.named(&aliases);
                (self.moved, self.settled) = (true, true);
                Some(())
            }
            Heard::Buckets(buckets) => {
                self.known.owns(buckets.as_deref().map_err(Clone::clone), self.reader.now());
                (self.moved, self.settled) = (true, true);
                Some(())
            }
            Heard::Lost(error) => {
                self.lost = Some(error);
                Some(())
            }
        }
    }

    /// A task ended.
    async fn end(&mut self, ended: Result<(Id, Ended), JoinError>) -> Option<()> {
        // What it told comes before its report.
        while let Ok(heard) = self.heard.try_recv() {
            self.hear(heard).await?;
        }
        let (id, report) = match ended {
            Ok((id, report)) => (id, report),
            Err(error) => {
                let id = error.id();
                (id, self.sources.get(&id).map(|(source, _)| self.broke_off(*source, &error)))
            }
        };
        self.settled = true;
        let Some((source, began)) = self.sources.remove(&id) else { return Some(()) };
        let throttled = report
            .as_ref()
            .and_then(|report| report.error.as_ref())
            .is_some_and(|error| error.kind == ErrorKind::Throttled);
        let now = Instant::now();
        self.schedule.done(source, now, Went { throttled, took: now.duration_since(began) });
        self.meet(source, now);
        match report {
            Some(report) => self.update(Update::Source(report)).await,
            None => Some(()),
        }
    }

    /// A defect of ours must not look like a source that is fine, nor stop the others.
    fn broke_off(&self, source: SourceId, error: &JoinError) -> SourceReport {
        let error = ReadError {
            operation: source.name().to_owned(),
            kind: ErrorKind::Malformed,
            message: Text::new(format!("reading broke off inside bedwatch: {error}")),
            at: self.reader.now(),
        };
        self.reader.report(source, Err(error))
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Refresh => self.schedule.ask_all(now),
            Command::Pause(paused) => self.schedule.pause(paused),
            Command::Focus(at) => {
                self.single(Pick::Unread(&at));
                self.reader.focus.look(at);
            }
            Command::Reread(one) => {
                self.single(Pick::One(&one));
                self.schedule.ask(list_of(&one), now, true);
            }
            Command::Stop | Command::Deep(_) => {}
        }
    }

    /// Reads single resources beside the schedule, without a report: the source's own comes with its round.
    fn single(&mut self, pick: Pick<'_>) {
        for source in SourceId::all().filter(|source| source.is_read()) {
            if let Some(batch) = batch(source, &self.inventory, &self.known, pick) {
                self.spawn(source, batch);
            }
        }
    }

    fn spawn(&mut self, source: SourceId, batch: Batch) {
        for task in batch.tasks {
            let reader = self.reader.clone();
            self.tasks.spawn(async move {
                reader.one(source, &task).await;
                None
            });
        }
    }

    /// Reads at once what a list brought that was not there before: who sees a new model should not wait five minutes for
    /// its policy. What waits for its round anyway is left to it.
    fn meet(&mut self, list: SourceId, now: Instant) {
        for source in OF_NEWCOMERS.iter().copied().filter(|source| after(*source).contains(&list)) {
            if !self.schedule.rests(source, now) {
                continue;
            }
            let Some(batch) = batch(source, &self.inventory, &self.known, Pick::New) else { continue };
            if batch.tasks.len() > MANY {
                self.schedule.ask([source], now, false);
            } else {
                self.spawn(source, batch);
            }
        }
    }

    /// Follows lineage when something moved: lists the keys and buckets that it reaches, and asks at
    /// once for what is new.
    async fn reach(&mut self) -> Option<()> {
        let rest = FOLLOW.max(self.following * FOLLOW_SHARE);
        let due = std::mem::take(&mut self.settled) || self.followed.elapsed() >= rest;
        if !due || !std::mem::take(&mut self.moved) {
            return Some(());
        }
        let before = self.known.clone();
        let began = Instant::now();
        self.known.follow(&self.inventory);
        let now = Instant::now();
        (self.followed, self.following) = (now, now - began);
        let buckets = self.known.buckets();
        if buckets != self.buckets {
            self.buckets.clone_from(&buckets);
            self.update(Update::Listed(Items::Bucket(buckets))).await?;
        }
        let keys = self.known.keys();
        if keys != self.keys {
            self.keys.clone_from(&keys);
            self.update(Update::Listed(Items::Key(keys))).await?;
        }
        // why not `moved` again: keys and buckets without their parts lead nowhere new.
        self.moved = false;
        let (known, schedule) = (&self.known, &mut self.schedule);
        if !known.reached_keys.is_subset(&before.reached_keys) {
            schedule.ask(OF_KEYS.iter().copied(), now, false);
        }
        if !known.reached_buckets.is_subset(&before.reached_buckets) {
            schedule.ask(OF_BUCKETS.iter().copied(), now, false);
        }
        if !known.subnets.is_subset(&before.subnets) || !known.security_groups.is_subset(&before.security_groups) {
            schedule.ask(OF_NETWORK.iter().copied(), now, false);
        }
        if !known.log_groups.is_subset(&before.log_groups) {
            schedule.ask([SourceId::LOG_GROUPS, SourceId::LOG_FILTERS], now, false);
        }
        if !known.base_models.is_subset(&before.base_models) {
            schedule.ask([SourceId::FOUNDATION_MODELS], now, false);
        }
        Some(())
    }

    async fn update(&mut self, update: Update) -> Option<()> {
        if matches!(update, Update::Source(_)) {
            self.inventory.apply(update.clone());
        } else {
            self.moved |= self.inventory.apply(update.clone());
        }
        self.send(Message::Update(Box::new(update))).await
    }

    /// Sends the counts of calls if they changed.
    async fn count(&mut self) -> Option<()> {
        let calls = self.reader.session.calls();
        if calls == self.calls {
            return Some(());
        }
        self.calls.clone_from(&calls);
        self.send(Message::Calls(calls)).await
    }

    async fn send(&mut self, message: Message) -> Option<()> {
        let generation = self.reader.session.info().generation;
        self.out.send(Envelope { generation, at: self.reader.now(), message }).await
    }
}

/// The next command; none ever where nobody can give any.
async fn next_command(commands: &mut Option<&mut mpsc::Receiver<Command>>) -> Option<Command> {
    match commands {
        Some(commands) => commands.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
