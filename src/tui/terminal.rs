//! The terminal: taken, drawn to, and always given back. Only this file writes to it while the
//! console is up.

use std::io::{self, IsTerminal as _, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::layout::Rect;

use super::model::Model;
use super::thrift::Thrifty;
use super::view;

/// Why the console cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Input or output is a file or a pipe.
    #[error(
        "the console needs a terminal, and {0} is none; `bedwatch scan` works without one, `bedwatch --demo` shows the console once there is one"
    )]
    NotATerminal(&'static str),
    /// The terminal does not do what it must.
    #[error(
        "the terminal cannot be used ({0}); try another TERM, or `bedwatch scan`, which needs no terminal (`bedwatch --demo` needs one too)"
    )]
    Broken(#[from] io::Error),
}

/// Whether the terminal is ours now. One a process: there is one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Where a frame gathers before it is written at once.
#[derive(Debug, Clone, Default)]
struct Frame(Arc<Mutex<Vec<u8>>>);

impl Frame {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    // why nothing: ratatui flushes several times a frame; the frame is written once, by `Screen::commit`.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<Thrifty<Frame>>,
    frame: Frame,
    sync: bool,
}

impl Screen {
    /// Takes the terminal.
    pub fn take(sync: bool) -> Result<Self, TerminalError> {
        if !io::stdin().is_terminal() {
            return Err(TerminalError::NotATerminal("standard input"));
        }
        if !io::stdout().is_terminal() {
            return Err(TerminalError::NotATerminal("standard output"));
        }
        let frame = Frame::default();
        enter()?;
        let terminal = Terminal::new(Thrifty::new(frame.clone())).inspect_err(|_| give_back())?;
        Ok(Self { terminal, frame, sync })
    }

    /// Draws one frame with one `write`. Returns how many bytes it took.
    pub fn draw(&mut self, model: &Model) -> io::Result<usize> {
        if self.sync {
            queue!(self.frame, BeginSynchronizedUpdate)?;
        }
        self.terminal.draw(|frame| view::view(model, frame))?;
        if self.sync {
            queue!(self.frame, EndSynchronizedUpdate)?;
        }
        self.commit()
    }

    /// Makes the next frame a whole one.
    pub fn clear(&mut self) -> io::Result<()> {
        // why not `Terminal::clear`: it asks the terminal where its cursor is, and waits for the answer
        // on the input that the console is reading.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Writes a sequence of its own (the clipboard), between frames.
    pub fn send(&mut self, sequence: &str) -> io::Result<()> {
        self.frame.write_all(sequence.as_bytes())?;
        self.commit().map(drop)
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    fn commit(&mut self) -> io::Result<usize> {
        let bytes = self.frame.take();
        let mut stdout = io::stdout().lock();
        stdout.write_all(&bytes)?;
        stdout.flush()?;
        Ok(bytes.len())
    }

    /// Takes it again after [`give_back`].
    pub fn enter_again(&mut self) -> io::Result<()> {
        enter()?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let entered = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste);
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Gives the terminal back if it is ours: from anywhere, any number of times.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // why every one: a half-drawn frame, or a program before us, may have left it on. Nothing can be
    // done about an error here, and none may stop the rest.
    let mut out = io::stdout();
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        LeaveAlternateScreen,
        Show
    );
    let _ = terminal::disable_raw_mode();
}

/// Panics of other threads than the console's, in words, until the console takes them.
#[derive(Debug, Clone, Default)]
pub struct Panics(Arc<Mutex<Vec<String>>>);

impl Panics {
    /// What panicked since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Installs the panic hook for a console that runs on this thread: a panic here gives the terminal
/// back and is then printed as ever; a panic of any other thread or task is only noted while the
/// screen lives, and `wake` is called.
pub fn watch_panics(wake: impl Fn() + Send + Sync + 'static) -> Panics {
    let panics = Panics::default();
    let (noted, ui, before) = (panics.clone(), thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        let ours = thread::current().id() == ui;
        if !ours && TAKEN.load(Ordering::SeqCst) {
            let what = info.payload_as_str().unwrap_or("no message");
            let at = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
            let text = format!("a background task stopped: {what}{at}; press r to read again, and report it");
            noted.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            wake();
            return;
        }
        give_back();
        before(info);
    }));
    panics
}

/// Stops this process and its group as a shell's job, the way `^Z` does for a program that does not
/// catch it. Returns at once; the stop comes while the caller waits for `SIGCONT`.
pub fn suspend() -> Result<(), &'static str> {
    if !under_job_control() {
        return Err("there is no shell to go back to; q leaves");
    }
    // why a command: raising a signal takes unsafe code or another crate. Process 0 is our own group, so
    // that a wrapper script around us stops with us.
    Command::new("kill")
        .args(["-STOP", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(|mut stopper| {
            // why a thread: the command is stopped with us, and ends only after we go on.
            thread::spawn(move || stopper.wait());
        })
        .map_err(|_| "the command `kill` was not found; q leaves")
}

/// Whether somebody could continue us: we do not lead our session.
fn under_job_control() -> bool {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return true };
    // Fields after the name in parentheses: state, ppid, pgrp, session (proc(5)).
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let session = after.split(' ').nth(3).and_then(|field| field.parse::<u32>().ok());
    session != Some(std::process::id())
}
