//! The real binary in a pseudo-terminal, with a model of its screen.

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a test waits for something that must come. Generous: CI machines are slow, and a test
/// that waits for an event ends as soon as it comes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A console under test.
pub struct Console {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    input: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    _home: tempfile::TempDir,
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

/// What to start.
pub struct Start<'a> {
    pub program: &'a str,
    pub args: &'a [&'a str],
    pub env: &'a [(&'a str, &'a str)],
    pub columns: u16,
    pub rows: u16,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self { program: env!("CARGO_BIN_EXE_bedwatch"), args: &["--demo"], env: &[], columns: 120, rows: 40 }
    }
}

/// The environment every test starts from: nothing of the machine's own AWS configuration.
pub fn clean_env(home: &Path) -> Vec<(String, String)> {
    let home = |sub: &str| home.join(sub).display().to_string();
    vec![
        ("HOME".into(), home("")),
        ("XDG_CONFIG_HOME".into(), home("config")),
        ("XDG_STATE_HOME".into(), home("state")),
        ("PATH".into(), std::env::var("PATH").unwrap_or_default()),
        ("AWS_EC2_METADATA_DISABLED".into(), "true".into()),
        ("AWS_CONFIG_FILE".into(), home("aws-config")),
        ("AWS_SHARED_CREDENTIALS_FILE".into(), home("aws-credentials")),
    ]
}

/// The environment for the bed: `key` decides who the bed takes us for.
pub fn bed_env(key: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", "testing"), ("AWS_REGION", "us-east-1")]
}

impl Console {
    /// Starts it.
    pub fn start(start: &Start<'_>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let size = PtySize { rows: start.rows, cols: start.columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(start.program);
        command.env_clear();
        for (name, value) in clean_env(home.path()) {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        for (name, value) in start.env {
            command.env(name, value);
        }
        command.args(start.args);
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let seen = Arc::new(Mutex::new(Seen {
            screen: vt100::Parser::new(cells(start.rows), cells(start.columns), 0),
            bytes: Vec::new(),
            ended: false,
        }));
        let mut output = pair.master.try_clone_reader().unwrap();
        let sink = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let read = output.read(&mut buffer).unwrap_or(0);
                let mut seen = sink.lock().unwrap();
                if read == 0 {
                    seen.ended = true;
                    return;
                }
                seen.screen.process(&buffer[..read]);
                seen.bytes.extend_from_slice(&buffer[..read]);
            }
        });
        let input = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, input, seen, _home: home }
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// Whether the terminal is as it was before: main screen, cursor shown, no paste or mouse mode.
    pub fn is_given_back(&self) -> Result<(), String> {
        let seen = self.seen.lock().unwrap();
        let screen = seen.screen.screen();
        let left = [
            ("the alternate screen", screen.alternate_screen()),
            ("a hidden cursor", screen.hide_cursor()),
            ("bracketed paste", screen.bracketed_paste()),
            ("mouse reporting", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
            ("an open synchronized update", open_sync(&seen.bytes)),
            ("raw mode", self.is_raw()),
        ];
        let left: Vec<_> = left.into_iter().filter_map(|(what, is)| is.then_some(what)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", "))) }
    }

    /// Whether the alternate screen is shown.
    pub fn is_alternate(&self) -> bool {
        self.seen.lock().unwrap().screen.screen().alternate_screen()
    }

    /// Whether the terminal is in raw mode: neither lines nor echo.
    pub fn is_raw(&self) -> bool {
        let termios = self.master.get_termios().expect("a pseudo-terminal has settings");
        let on = |name| termios.local_flags.iter_names().any(|(flag, _)| flag == name);
        !on("ICANON") && !on("ECHO")
    }

    /// Waits until `what` is on the screen.
    pub fn wait_for(&self, what: &str) {
        self.wait_until(&format!("{what:?} on the screen"), |screen| screen.contains(what));
    }

    /// Waits until `what` is no longer on the screen.
    pub fn wait_gone(&self, what: &str) {
        self.wait_until(&format!("{what:?} gone"), |screen| !screen.contains(what));
    }

    /// Waits until the screen satisfies a condition.
    pub fn wait_until(&self, what: &str, done: impl Fn(&str) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if done(&screen) {
                return;
            }
            assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}; the screen is:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Changes the terminal's size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.seen.lock().unwrap().screen.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().expect("it runs").to_string();
        let done = std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end, and for the last of its output.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while !self.seen.lock().unwrap().ended && Instant::now() < end {
                    std::thread::sleep(Duration::from_millis(10));
                }
                return status;
            }
            assert!(Instant::now() < end, "it did not end; the screen is:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // Ours: this very test started it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A size that is not nothing.
fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has a size")
}

/// Whether the last synchronized update (DEC 2026) was begun and not ended.
fn open_sync(bytes: &[u8]) -> bool {
    let last = |what: &[u8]| bytes.windows(what.len()).rposition(|window| window == what);
    last(b"\x1b[?2026h") > last(b"\x1b[?2026l")
}
