//! The loop: take what waits, update, draw if anything changed. It waits for nothing but this.

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::StreamExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::clipboard;
use super::config;
use super::matrix::{self, Question, Reply};
use super::message::{Effect, EffectRunner, Message, Replies};
use super::model::{Model, Options};
use super::terminal::{Panics, Screen, TerminalError, give_back, suspend, watch_panics};
use super::update::{settle, update};
use super::weighing::Weighing;
use crate::source::Envelope;

/// Most messages taken before a frame: a flood must not hold up keys.
const DRAIN: usize = 256;
/// How long the cursor must rest before the box beside the list follows it.
const REST: Duration = Duration::from_millis(120);
/// Least time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(33);

/// Why the console ended other than by leaving it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal cannot be used.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The terminal was closed or stopped answering.
    #[error("the terminal stopped working ({0}); what was being read is lost, nothing was changed by that")]
    Lost(std::io::Error),
    /// The system would not let us hear of signals.
    #[error("signals cannot be caught ({0}); `bedwatch scan` does not need them")]
    Signals(std::io::Error),
}

/// Shows the console until it is left. Must be called on the thread that blocks on it: a panic there
/// gives the terminal back, a panic of any other is shown in the console.
pub async fn run(options: Options, receiver: mpsc::Receiver<Envelope>, runner: impl EffectRunner) -> Result<(), Error> {
    let (sender, replies) = mpsc::unbounded_channel();
    let model = Model::new(options);
    for problem in &model.problems {
        eprintln!("bedwatch: {}", problem.text);
    }
    let screen = Screen::take(!model.options.no_sync)?;
    let wake = sender.clone();
    let panics = watch_panics(move || {
        let _ = wake.send(Message::Tick);
    });
    let theme_time = model.options.folder.as_deref().and_then(|folder| config::theme_time(folder, &model.theme.name));
    let console = Console {
        screen,
        model,
        runner,
        answers: Replies::new(sender),
        receiver: Some(receiver),
        replies,
        panics,
        theme_time,
        checked: Instant::now(),
        moved: Instant::now(),
    };
    console.run().await
}

struct Console<R> {
    screen: Screen,
    model: Model,
    runner: R,
    answers: Replies,
    receiver: Option<mpsc::Receiver<Envelope>>,
    replies: mpsc::UnboundedReceiver<Message>,
    panics: Panics,
    theme_time: Option<std::time::SystemTime>,
    checked: Instant,
    moved: Instant,
}

/// What one wait brought.
enum Woken {
    Leave,
    Messages(Vec<Message>),
    Continued,
    Stop,
    Draw,
}

struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    resume: Signal,
    stop: Option<Signal>,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let of = |kind| signal(kind).map_err(Error::Signals);
        // Signal numbers of SIGTSTP: 20 on Linux, 18 on the BSDs and macOS (signal(7), signal(3)).
        let number = if cfg!(target_os = "linux") { 20 } else { 18 };
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            hangup: of(SignalKind::hangup())?,
            interrupt: of(SignalKind::interrupt())?,
            // SIGCONT: 18 on Linux, 19 on the BSDs and macOS.
            resume: of(SignalKind::from_raw(if cfg!(target_os = "linux") { 18 } else { 19 }))?,
            stop: signal(SignalKind::from_raw(number)).ok(),
        })
    }
}

impl<R: EffectRunner> Console<R> {
    async fn run(mut self) -> Result<(), Error> {
        let mut signals = Signals::new()?;
        if let Ok((width, height)) = self.screen.size() {
            update(&mut self.model, Message::Resize(width, height));
        }
        // why first: the frame must be there before anything is read from anywhere.
        self.draw()?;
        let mut input = EventStream::new();
        let mut drawn = Instant::now();
        let mut tick = Instant::now() + Duration::from_secs(1);
        loop {
            let draw_at = self.model.dirty.then(|| drawn + FRAME);
            let woken = self.wait(&mut signals, &mut input, draw_at, tick).await?;
            let mut urgent = false;
            match woken {
                Woken::Leave => return Ok(()),
                Woken::Messages(messages) => {
                    for message in messages {
                        if matches!(message, Message::Tick) {
                            tick = Instant::now() + self.pace();
                        }
                        if matches!(message, Message::Key(_)) {
                            self.moved = Instant::now();
                        }
                        urgent |= matches!(message, Message::Key(_) | Message::Paste(_) | Message::Resize(..));
                        let effects = update(&mut self.model, message);
                        // why after each: the next key must see what this one made.
                        let more = settle_if(&mut self.model, urgent);
                        if self.carry_out(effects.into_iter().chain(more).collect(), &mut signals).await? {
                            return Ok(());
                        }
                    }
                }
                Woken::Stop => self.stop(&mut signals).await?,
                Woken::Continued => {
                    self.screen.enter_again().map_err(Error::Lost)?;
                    self.model.dirty = true;
                }
                Woken::Draw => urgent = true,
            }
            for what in self.panics.take() {
                update(&mut self.model, Message::Panicked(what));
            }
            let effects = settle(&mut self.model);
            if self.carry_out(effects, &mut signals).await? {
                return Ok(());
            }
            if self.model.dirty && (urgent || drawn.elapsed() >= FRAME) {
                self.draw()?;
                drawn = Instant::now();
            }
        }
    }

    /// How long until the clock can have changed anything that is seen.
    fn pace(&self) -> Duration {
        let spins = self.model.busy && !self.model.paused && !self.model.gone;
        if spins { Duration::from_millis(250) } else { Duration::from_secs(1) }
    }

    async fn wait(
        &mut self,
        signals: &mut Signals,
        input: &mut EventStream,
        draw_at: Option<Instant>,
        tick: Instant,
    ) -> Result<Woken, Error> {
        let stop = async {
            match &mut signals.stop {
                Some(stop) => stop.recv().await,
                None => std::future::pending().await,
            }
        };
        let source = async {
            match &mut self.receiver {
                Some(receiver) => receiver.recv().await,
                None => std::future::pending().await,
            }
        };
        let first = tokio::select! {
            biased;
            _ = signals.terminate.recv() => return Ok(Woken::Leave),
            _ = signals.hangup.recv() => return Ok(Woken::Leave),
            _ = signals.interrupt.recv() => return Ok(Woken::Leave),
            _ = stop => return Ok(Woken::Stop),
            _ = signals.resume.recv() => return Ok(Woken::Continued),
            event = input.next() => match event {
                Some(Ok(event)) => from_terminal(event),
                Some(Err(error)) => return Err(Error::Lost(error)),
                None => return Ok(Woken::Leave),
            },
            reply = self.replies.recv() => reply,
            envelope = source => {
                if envelope.is_none() {
                    self.receiver = None;
                }
                Some(envelope.map_or(Message::SourceGone, Message::Source))
            }
            () = sleep_until(draw_at.unwrap_or(tick)), if draw_at.is_some() => return Ok(Woken::Draw),
            () = sleep_until(self.moved + REST), if self.model.moving => Some(Message::Rested),
            () = sleep_until(tick) => Some(Message::Tick),
        };
        let mut messages: Vec<Message> = first.into_iter().collect();
        while messages.len() < DRAIN {
            let Some(receiver) = &mut self.receiver else { break };
            match receiver.try_recv() {
                Ok(envelope) => messages.push(Message::Source(envelope)),
                Err(_) => break,
            }
        }
        Ok(Woken::Messages(messages))
    }

    fn draw(&mut self) -> Result<(), Error> {
        self.model.drawn();
        self.screen.draw(&self.model).map(drop).map_err(Error::Lost)
    }

    /// Carries effects out. Returns whether to leave.
    async fn carry_out(&mut self, effects: Vec<Effect>, signals: &mut Signals) -> Result<bool, Error> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Suspend => self.stop(signals).await?,
                Effect::Redraw => self.screen.clear().map_err(Error::Lost)?,
                Effect::Copy(text) => self.copy(&text)?,
                Effect::ReadTheme => self.read_theme(),
                Effect::Ask(question) => ask(*question, self.answers.clone()),
                Effect::Weigh(weighing) => weigh(*weighing, self.answers.clone()),
                Effect::Export(export) => self.export(export),
                other => self.runner.run(other, &self.answers),
            }
        }
        Ok(false)
    }

    /// Gives the terminal back, stops, and takes it again when continued.
    async fn stop(&mut self, signals: &mut Signals) -> Result<(), Error> {
        give_back();
        let stopped = suspend();
        let told = match stopped {
            Err(why) => Some(format!("suspend: {why}")),
            // why a limit: if the stop does not come, neither does the signal that ends it.
            Ok(()) => {
                tokio::time::timeout(Duration::from_secs(2), signals.resume.recv()).await.err().map(|_| String::new())
            }
        };
        self.screen.enter_again().map_err(Error::Lost)?;
        if let Some(told) = told.filter(|told| !told.is_empty()) {
            self.model.tell(told);
        }
        self.model.dirty = true;
        Ok(())
    }

    fn copy(&mut self, text: &str) -> Result<(), Error> {
        let var = |name: &str| std::env::var(name).ok();
        let Some(wrap) = clipboard::wrapping(self.model.clipboard.as_deref(), var) else {
            self.model.tell("copy: the clipboard is switched off in the configuration");
            return Ok(());
        };
        match clipboard::sequence(text, wrap) {
            Ok(sequence) => {
                self.screen.send(&sequence).map_err(Error::Lost)?;
                let line = crate::base::text::safe(text.lines().next().unwrap_or_default()).into_owned();
                let shown = crate::base::text::shorten_middle(&line, 36);
                let letters = text.chars().count();
                self.model.tell(format!("to the clipboard: {shown}  ({letters} characters)"));
            }
            Err(size) => self.model.tell(format!(
                "copy: {size} bytes are more than terminals take ({}); open a smaller part of it",
                clipboard::MOST
            )),
        }
        Ok(())
    }

    /// Writes a file beside where the console was started: new, and for its owner only.
    fn export(&self, export: super::export::Export) {
        let answers = self.answers.clone();
        tokio::task::spawn_blocking(move || {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let written = options
                .open(&export.name)
                .and_then(|mut file| std::io::Write::write_all(&mut file, export.text.as_bytes()));
            answers.send(match written {
                Ok(()) => Message::Notice(format!("wrote {} to ./{}", export.what, export.name)),
                Err(error) => Message::Failed(format!(
                    "export: ./{} was not written ({error}); start the console in a folder you may write to",
                    export.name
                )),
            });
        });
    }

    /// Looks every two seconds whether the file of a user's theme changed, and reads it then.
    fn read_theme(&mut self) {
        let Some(folder) = self.model.options.folder.clone() else { return };
        if self.checked.elapsed() < Duration::from_secs(2) {
            return;
        }
        self.checked = Instant::now();
        let (name, level, held, answers) =
            (self.model.theme.name.clone(), self.model.options.level, self.theme_time, self.answers.clone());
        // why here and now: a stat of one small file; the reading itself waits for nobody.
        let time = config::theme_time(&folder, &name);
        if time.is_some() && time != held {
            self.theme_time = time;
            tokio::task::spawn_blocking(move || {
                answers.send(Message::Theme(config::theme(Some(&folder), &name, level)));
            });
        }
    }
}

/// Answers a question about access where it may take its time. A task that breaks is an answer too: else
/// the screen would wait for ever.
fn ask(question: Question, answers: Replies) {
    let (id, told) = (question.id, answers.clone());
    let task = tokio::task::spawn_blocking(move || {
        matrix::answer(&question, &mut |reply| answers.send(Message::Answered(Box::new(reply))));
    });
    tokio::spawn(async move {
        if let Err(error) = task.await {
            told.send(Message::Answered(Box::new(Reply::broken(id, error.to_string()))));
        }
    });
}

/// Judges the inventory where it may take its time. A task that breaks is an answer too.
fn weigh(weighing: Weighing, answers: Replies) {
    let id = weighing.id;
    let task = tokio::task::spawn_blocking(move || weighing.weigh());
    tokio::spawn(async move {
        answers.send(match task.await {
            Ok(weighed) => Message::Weighed(Box::new(weighed)),
            Err(error) => Message::WeighingBroke(id, error.to_string()),
        });
    });
}

fn settle_if(model: &mut Model, urgent: bool) -> Vec<Effect> {
    if urgent { settle(model) } else { Vec::new() }
}

fn from_terminal(event: TerminalEvent) -> Option<Message> {
    match event {
        TerminalEvent::Key(key) => Some(Message::Key(key)),
        TerminalEvent::Paste(text) => Some(Message::Paste(text)),
        TerminalEvent::Resize(width, height) => Some(Message::Resize(width, height)),
        TerminalEvent::Mouse(_) | TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}
