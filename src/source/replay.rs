//! A saved inventory, sent as if it were read: a case as it was, the demo with a script behind it.
//! No network: this source only has what it was given.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Command, Envelope, Message};
use crate::activity::{Event, Invocation};
use crate::base::{Clock, Text};
use crate::case::Step;
use crate::inventory::{CallStats, Inventory, ResourceRef, SessionInfo, SourceId, SourceReport, Update};

/// What is replayed.
#[derive(Debug)]
pub struct Replay {
    /// Whose inventory it is.
    pub session: SessionInfo,
    /// The inventory as it was.
    pub inventory: Inventory,
    /// The activity as it was, newest first.
    pub events: Vec<Event>,
    /// The invocations as they were, newest first.
    pub invocations: Vec<Invocation>,
    /// What happens then; empty for a case.
    pub script: Vec<Step>,
    /// The calls it took, if they were kept.
    pub calls: Vec<CallStats>,
}

impl Replay {
    /// What is sent before the story begins: the session, and everything as it was.
    pub fn opening(&self) -> Vec<Message> {
        let updates = self.inventory.clone().into_updates().into_iter();
        [Message::Session(self.session.clone()), Message::Busy(true)]
            .into_iter()
            .chain(updates.map(|update| Message::Update(Box::new(update))))
            .chain([
                Message::Events(self.events.clone()),
                Message::Invocations(self.invocations.clone()),
                Message::Calls(self.calls.clone()),
                Message::Busy(false),
            ])
            .collect()
    }
}

/// How long after the last step the events of the story begin to come again.
const PAUSE_MS: u64 = 5_000;

/// Runs until told to stop, or until nobody listens.
pub async fn run(replay: Replay, clock: Clock, sender: mpsc::Sender<Envelope>, mut commands: mpsc::Receiver<Command>) {
    let generation = replay.session.generation;
    let mut out = Out { generation, clock, sender, rehearsed: BTreeSet::new() };
    if out.everything(&replay).await.is_none() {
        return;
    }
    let mut story = Story::new(replay.script);
    let mut refresh = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                None | Some(Command::Stop) => return,
                Some(Command::Pause(paused)) => story.pause(paused),
                // Asked for after a rehearsal: from then on the copy is ahead of the story, which must not undo it.
                Some(Command::Reread(one)) => drop(out.rehearsed.insert(one)),
                Some(Command::Refresh | Command::Focus(_) | Command::Deep(_)) => {}
            },
            () = tokio::time::sleep_until(story.due()), if story.goes_on() => {
                if let Some(step) = story.next() && out.step(step).await.is_none() {
                    return;
                }
            }
            // why: in the demo everything is read again and again, as in a live account; in a case the
            // clock stands still, so nothing grows stale there.
            _ = refresh.tick(), if story.goes_on() => {
                if out.coverage(&replay.inventory).await.is_none() {
                    return;
                }
            }
        }
    }
}

/// Where messages go. `None` from its methods: nobody listens any more.
struct Out {
    generation: crate::base::Generation,
    clock: Clock,
    sender: mpsc::Sender<Envelope>,
    /// What the console has changed on its copy.
    rehearsed: BTreeSet<ResourceRef>,
}

impl Out {
    async fn send(&mut self, message: Message) -> Option<()> {
        let envelope = Envelope { generation: self.generation, at: self.clock.now(), message };
        self.sender.send(envelope).await.ok()
    }

    async fn everything(&mut self, replay: &Replay) -> Option<()> {
        for message in replay.opening() {
            self.send(message).await?;
        }
        Some(())
    }

    async fn step(&mut self, step: Step) -> Option<()> {
        for mut update in step.updates {
            if let Update::Read(items) = &mut update {
                items.leave_out(&self.rehearsed);
            }
            self.send(Message::Update(Box::new(update))).await?;
        }
        if !step.events.is_empty() {
            let now = self.clock.now();
            let events = step.events.into_iter().map(|event| event.moved_to(now)).collect();
            self.send(Message::Events(events)).await?;
        }
        if !step.invocations.is_empty() {
            let now = self.clock.now();
            let invocations = step.invocations.into_iter().map(|invocation| invocation.moved_to(now)).collect();
            self.send(Message::Invocations(invocations)).await?;
        }
        Some(())
    }

    async fn coverage(&mut self, inventory: &Inventory) -> Option<()> {
        let at = self.clock.now();
        for report in SourceId::all().filter_map(|source| inventory.coverage.report(source)) {
            let report = SourceReport { at, ..report.clone() };
            self.send(Message::Update(Box::new(Update::Source(report)))).await?;
        }
        Some(())
    }
}

/// The script and where it is. After the last step its events come again, with new ids, for ever:
/// a demo that falls silent looks broken. Updates of the inventory happen once.
struct Story {
    steps: Vec<Step>,
    at: usize,
    round: u32,
    began: Instant,
    paused: Option<Instant>,
    pause_ms: u64,
}

impl Story {
    fn new(steps: Vec<Step>) -> Self {
        // why shorter: a story of milliseconds (a test) need not wait seconds for its next round.
        let pause_ms = PAUSE_MS.min(steps.last().map_or(0, |step| step.after_ms));
        Self { steps, at: 0, round: 0, began: Instant::now(), paused: None, pause_ms }
    }

    fn goes_on(&self) -> bool {
        self.paused.is_none() && !self.steps.is_empty()
    }

    fn due(&self) -> Instant {
        let after = self.steps.get(self.at).map_or(0, |step| step.after_ms);
        self.began + Duration::from_millis(after)
    }

    fn pause(&mut self, paused: bool) {
        match (paused, self.paused) {
            (true, None) => self.paused = Some(Instant::now()),
            (false, Some(since)) => {
                self.began += since.elapsed();
                self.paused = None;
            }
            _ => {}
        }
    }

    fn next(&mut self) -> Option<Step> {
        let mut step = self.steps.get(self.at)?.clone();
        if self.round > 0 {
            step.updates.clear();
            for event in &mut step.events {
                event.id = Text::new(format!("{}-{}", event.id, self.round));
            }
            for invocation in &mut step.invocations {
                invocation.id = Text::new(format!("{}-{}", invocation.id, self.round));
            }
        }
        self.at += 1;
        if self.at == self.steps.len() {
            self.at = 0;
            self.round += 1;
            self.began = Instant::now() + Duration::from_millis(self.pause_ms);
        }
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Generation, Timestamp};
    use crate::inventory::Mode;
    use serde_json::json;

    fn replay(script: Vec<Step>) -> Replay {
        Replay {
            session: SessionInfo {
                generation: Generation(3),
                account: "123456789012".into(),
                alias: None,
                principal: "arn:aws:iam::123456789012:role/x".into(),
                partition: "aws".into(),
                region: "us-east-1".into(),
                mode: Mode::Demo,
                profile: None,
                endpoint: None,
                expires: None,
            },
            inventory: Inventory::default(),
            events: Vec::new(),
            invocations: Vec::new(),
            script,
            calls: Vec::new(),
        }
    }

    fn event() -> Event {
        Event::from_record(json!({
            "eventID": "e", "eventTime": "2026-01-01T00:00:00Z", "eventName": "Decrypt", "eventSource": "kms.amazonaws.com"
        }))
        .unwrap()
    }

    fn invocation() -> Invocation {
        const RECORD: &str = r#"{"schemaType":"ModelInvocationLog","timestamp":"2026-01-01T00:00:00Z","requestId":"i",
            "operation":"Converse","modelId":"m"}"#;
        Invocation::parse(RECORD, &"g".into()).unwrap()
    }

    #[tokio::test]
    async fn the_story_goes_on_and_its_events_have_the_time_and_an_id_of_their_own() {
        let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
        let (sender, mut receiver) = mpsc::channel(64);
        let (commands, inbox) = mpsc::channel(4);
        let step = Step { after_ms: 1, events: vec![event()], invocations: vec![invocation()], ..Step::default() };
        let task = tokio::spawn(run(replay(vec![step]), clock.clone(), sender, inbox));
        let (mut seen, mut invoked) = (Vec::new(), Vec::new());
        while seen.len() < 3 || invoked.len() < 3 {
            let envelope = receiver.recv().await.unwrap();
            assert_eq!(envelope.generation, Generation(3));
            match envelope.message {
                Message::Events(events) => seen.extend(events),
                Message::Invocations(invocations) => invoked.extend(invocations),
                _ => {}
            }
        }
        assert!(seen.iter().all(|event| event.at == clock.now()));
        assert!(invoked.iter().all(|invocation| invocation.at == clock.now()));
        assert_eq!(seen.iter().take(3).map(|e| e.id.as_str()).collect::<Vec<_>>(), ["e", "e-1", "e-2"]);
        assert_eq!(invoked.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["i", "i-1", "i-2"]);
        commands.send(Command::Stop).await.unwrap();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn a_case_without_a_story_is_sent_once_and_waits() {
        let (sender, mut receiver) = mpsc::channel(64);
        let (commands, inbox) = mpsc::channel(4);
        let task = tokio::spawn(run(replay(vec![]), Clock::manual(Timestamp::from_secs(5)), sender, inbox));
        commands.send(Command::Refresh).await.unwrap();
        commands.send(Command::Stop).await.unwrap();
        task.await.unwrap();
        let mut messages = Vec::new();
        while let Ok(envelope) = receiver.try_recv() {
            messages.push(envelope.message);
        }
        assert!(matches!(messages.first(), Some(Message::Session(_))));
        assert_eq!(messages.last(), Some(&Message::Busy(false)));
    }
}
