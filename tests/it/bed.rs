//! A bed of one's own: the AWS test server, started for a test and gone with it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

/// A running bed. It ends when its standard input closes, that is with this value or this process.
pub struct Bed {
    child: Child,
    _stdin: Option<ChildStdin>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

/// Where the bed's virtual environment lives: under the target directory of this very test.
fn venv() -> PathBuf {
    let exe = PathBuf::from(env!("CARGO_BIN_EXE_bedwatch"));
    // target/debug/bedwatch → target/bed-venv
    exe.parent().and_then(|p| p.parent()).expect("a target directory").join("bed-venv")
}

/// The environment's Python, made if need be.
pub fn python() -> PathBuf {
    prepare().unwrap_or_else(|why| panic!("{why}"));
    venv().join("bin/python")
}

fn start_py() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bed/start.py")
}

/// Prepares the virtual environment once per test run.
fn prepare() -> Result<(), String> {
    static PREPARED: OnceLock<Result<(), String>> = OnceLock::new();
    PREPARED
        .get_or_init(|| {
            let out =
                Command::new("python3").arg(start_py()).args(["--prepare", "--venv"]).arg(venv()).output().map_err(
                    |e| format!("python3 could not be run ({e}): install python3 (3.9 or newer) and its venv module"),
                )?;
            if out.status.success() {
                return Ok(());
            }
            let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Err(format!("the bed's virtual environment could not be made:\n{}{}", said(&out.stdout), said(&out.stderr)))
        })
        .clone()
}

impl Bed {
    /// Starts a bed with the seed account `orion`.
    pub fn orion() -> Self {
        Self::start(&["--seed", "orion"])
    }

    /// Starts a bed with these flags.
    pub fn start(flags: &[&str]) -> Self {
        prepare().unwrap_or_else(|why| panic!("{why}"));
        let mut child = Command::new("python3")
            .arg(start_py())
            .args(["--port", "0", "--until-stdin-closes", "--venv"])
            .arg(venv())
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("python3 starts");
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("the bed says where it is");
        let url = line.trim().strip_prefix("bed ready ").unwrap_or_else(|| panic!("the bed said {line:?}")).to_owned();
        Self { child, _stdin: stdin, url }
    }

    /// Calls the bed's control plane.
    pub fn control(&self, method: &str, route: &str, body: &Value) -> Value {
        let address = self.url.strip_prefix("http://").expect("http");
        let body = body.to_string();
        let mut socket = TcpStream::connect(address).expect("the bed listens");
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        write!(
            socket,
            "{method} /_bed/{route} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        assert!(head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.0 200"), "{method} {route}: {answer}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// Plants a fault: see the bed's README for the kinds.
    pub fn fault(&self, fault: &Value) {
        self.control("POST", "faults", fault);
    }

    /// Takes all faults back.
    pub fn heal(&self) {
        self.control("DELETE", "faults", &json!({}));
    }

    /// How many mutating AWS requests reached the server.
    pub fn mutating(&self) -> u64 {
        self.control("GET", "calls", &json!({}))["mutating"].as_u64().expect("a count")
    }

    /// What the seed account's author says of one region.
    pub fn manifest(region: &str) -> Manifest {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bed/seed/manifest.json");
        let manifest: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let rows = |key: &str| manifest["regions"][region][key].as_array().cloned().unwrap_or_default();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let planted = |row: Value| Planted {
            control: text(&row, "control"),
            resource: text(&row, "resource"),
            status: text(&row, "status"),
            codes: row["reason"]
                .as_str()
                .into_iter()
                .chain(row["also"].as_array().into_iter().flatten().filter_map(Value::as_str))
                .map(str::to_owned)
                .collect(),
        };
        let expected: Vec<_> = rows("expected").into_iter().map(planted).collect();
        assert!(!expected.is_empty(), "the manifest knows no {region}");
        let open = |row: Value| (text(&row, "control"), text(&row, "resource"));
        Manifest { expected, undecided: rows("undecided").into_iter().map(open).collect() }
    }
}

/// The truth about one region of the seed account.
pub struct Manifest {
    pub expected: Vec<Planted>,
    /// Control and resource where either answer is fair.
    pub undecided: Vec<(String, String)>,
}

/// One verdict that must be there.
#[derive(Debug)]
pub struct Planted {
    pub control: String,
    pub resource: String,
    pub status: String,
    /// Reasons that hold; any of them will do.
    pub codes: Vec<String>,
}

impl Drop for Bed {
    fn drop(&mut self) {
        // Ours: this very test started it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
