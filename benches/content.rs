//! How fast training data is scanned, on one core: clean JSONL, the same with hits, and parts of it alone; and clean JSONL
//! on all cores. `cargo bench --bench content`. Prints megabytes a second, best of five.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::time::Instant;

use bedwatch::content::data::{Options, Scanner};
use bedwatch::content::find::Finder;
use bedwatch::content::{Masks, artefact};

const WORDS: &str = "the model answers each question with care and a short example of what it means for people who read it \
    after work while rain falls on roofs in a small town near Lyon where bread is baked at night and sold before eight \
    because nobody likes to wait for breakfast when trains leave early and the station clock runs three minutes fast";

/// A generator that gives the same numbers everywhere (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

fn sentence(numbers: &mut Numbers, words: &[&str], length: usize, text: &mut String) {
    for n in 0..length {
        if n > 0 {
            text.push(' ');
        }
        text.push_str(words[numbers.next(words.len())]);
        match numbers.next(40) {
            0 => text.push_str(".\\n"),
            1 => text.push(','),
            2 => text.push_str(" 2024"),
            3 => text.push_str(" \\\"so\\\""),
            _ => {}
        }
    }
}

/// About `megabytes` of JSONL, half prompt/completion, half conversations; one line in `dirty` has hits.
fn jsonl(megabytes: usize, dirty: usize) -> Vec<u8> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut numbers = Numbers(42);
    let mut text = String::new();
    let mut line: usize = 0;
    while text.len() < megabytes << 20 {
        line += 1;
        text.push_str(r#"{"prompt":""#);
        let long = 20 + numbers.next(120);
        sentence(&mut numbers, &words, long, &mut text);
        if line.is_multiple_of(dirty) {
            write!(text, " mail user{line}@corp.io or call +44 20 7946 0958, card 4111 1111 1111 1111").unwrap();
        }
        text.push_str(r#"","completion":""#);
        let long = 20 + numbers.next(160);
        sentence(&mut numbers, &words, long, &mut text);
        text.push_str("\"}\n");
    }
    text.into_bytes()
}

fn best(name: &str, bytes: usize, mut run: impl FnMut() -> u64) {
    let mut seconds = f64::MAX;
    let mut result = 0;
    for _ in 0..5 {
        let began = Instant::now();
        result = run();
        seconds = seconds.min(began.elapsed().as_secs_f64());
    }
    println!("{name:<34}{:>9.0} MB/s  ({result})", bytes as f64 / 1e6 / seconds);
}

fn scan(uri: &str, bytes: &[u8]) -> u64 {
    scan_by(1, uri, bytes)
}

fn scan_by(threads: usize, uri: &str, bytes: &[u8]) -> u64 {
    let mut scanner = Scanner::new(Options { threads, ..Options::default() }, Masks::keyed(b"bench"));
    scanner.file(uri, bytes, &mut |_| {});
    let report = scanner.finish();
    assert!(report.is_complete());
    report.findings.counts().iter().map(|(_, count)| count).sum()
}

fn main() {
    // `cargo test --benches` runs this too: then a small one will do.
    let size = if std::env::args().any(|arg| arg == "--bench") { 64 } else { 1 };
    let clean = jsonl(size, usize::MAX);
    let dirty = jsonl(size, 20);
    assert_eq!(scan("clean.jsonl", &clean), 0, "clean data has no hits");
    best("clean JSONL, everything", clean.len(), || scan("clean.jsonl", &clean));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    best(&format!("the same, {threads} threads"), clean.len(), || scan_by(threads, "clean.jsonl", &clean));
    best("JSONL, hits in each 20th line", dirty.len(), || scan("dirty.jsonl", &dirty));
    best("clean, as text", clean.len(), || scan("clean.txt", &clean));
    let text = std::str::from_utf8(&clean).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut finder = Finder::new(Masks::keyed(b"bench"));
    best("detectors alone", clean.len(), || lines.iter().map(|line| finder.find(line).len() as u64).sum());
    for nasty in [
        "eyJ",
        "://",
        "password=",
        "-----BEGIN PRIVATE KEY-----",
        "a@",
        "1 ",
        "](http",
        "AKIA",
        "ignore all ",
        "\u{200b}а",
    ] {
        let text = nasty.repeat((size << 20) / 16 / nasty.len());
        best(&format!("one text of {}", nasty.escape_debug()), text.len(), || finder.find(&text).len() as u64);
    }
    let mut names = String::new();
    for n in 0..40_000 {
        let (from, to) = (n * 64, n * 64 + 64);
        write!(names, r#""layer.{n}.weight":{{"dtype":"BF16","shape":[4,8],"data_offsets":[{from},{to}]}},"#).unwrap();
    }
    let header = format!("{{{}}}", names.trim_end_matches(','));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + 40_000 * 64, 0);
    let folder = std::env::temp_dir().join(format!("bedwatch-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("model.safetensors");
    std::fs::write(&path, &file).unwrap();
    best("safetensors header, 40,000 tensors", header.len(), || {
        let report = artefact::check(&artefact::LocalFolder::new(&path).unwrap(), true).unwrap();
        report.findings.counts().len() as u64
    });
    std::fs::remove_dir_all(&folder).unwrap();
}
