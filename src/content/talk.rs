//! Detections over what was asked and what was answered (D56–D58, D61–D66 of the catalogue): pure functions over
//! the two texts of one invocation. Rates and comparisons over many invocations (D59, D60, D67, near-identical
//! prompts) belong to activity; [`near`] and [`fingerprint`] give it the comparison.

use serde_json::Value;

use super::find::{Finder, Match};
use super::rules::{
    CONTROL_TOKEN, Class, EMAIL_RESERVED, ENCODED, HIGH_ENTROPY, JAILBREAK, MARKDOWN_EXFIL, METADATA_ENDPOINT,
    OVERRIDE, PROMPT_LEAK, RULES, Severity,
};
use crate::base::Text;

/// Which side of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What was asked.
    Prompt,
    /// What was answered.
    Completion,
}

/// A call of a tool that a model asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// Its input, as JSON.
    pub input: String,
}

/// The texts of one invocation. Lives as long as it is looked at; it is never stored, shown or exported.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Talk {
    /// Texts of the prompt, in order.
    pub prompt: Vec<String>,
    /// Texts of the completion, deltas joined.
    pub completion: Vec<String>,
    /// Calls of tools in the completion.
    pub tools: Vec<ToolCall>,
    /// Whether a guardrail intervened.
    pub intervened: bool,
}

// why by hand: a prompt must not get into a log by way of `{:?}`.
impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        write!(
            f,
            "Talk({} bytes asked, {} answered, {} tools)",
            bytes(&self.prompt),
            bytes(&self.completion),
            self.tools.len()
        )
    }
}

/// What a detection found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Detection {
    /// Its id in the catalogue: `D56`.
    pub id: &'static str,
    /// What it is.
    pub title: &'static str,
    /// How bad; none for what is only worth knowing.
    pub severity: Option<Severity>,
    /// MITRE ATT&CK and ATLAS.
    pub technique: &'static str,
    /// On which side.
    pub side: Side,
    /// How often.
    pub count: u64,
    /// What of it may be shown.
    pub shown: Text,
}

/// What is known beside the texts.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// Whether a custom or imported model answered.
    pub custom_model: bool,
    /// Pieces of personal data in a completion from which D57 speaks.
    pub pii_threshold: u64,
    /// Strings that were planted in the training data and must never be answered (D64).
    pub canaries: Vec<String>,
    /// Hosts that links may lead to (D62).
    pub hosts: Vec<String>,
}

/// D-number, title, severity, technique.
type Row = (&'static str, &'static str, Option<Severity>, &'static str);

const D56: Row = ("D56", "Secret in prompt or completion", Some(Severity::High), "T1552, AML.T0057");
const D57: Row = ("D57", "PII in completion of a custom model", Some(Severity::High), "AML.T0057, AML.T0024");
const D58: Row = ("D58", "Guardrail intervened", None, "AML.T0051, AML.T0054");
const D61: Row =
    ("D61", "Instruction-override or jailbreak wording", Some(Severity::Medium), "AML.T0051.000, AML.T0054");
const D62: Row = ("D62", "Exfiltration by Markdown image or link", Some(Severity::High), "T1567");
const D63: Row =
    ("D63", "Training-data extraction probing", Some(Severity::High), "AML.T0024.000, AML.T0024.001, AML.T0056");
const D64: Row = ("D64", "Canary recalled", Some(Severity::Critical), "AML.T0057");
const D65: Row = ("D65", "High-risk tool call", Some(Severity::High), "T1059");
const D66: Row = ("D66", "Credential or instance-metadata harvest prompt", Some(Severity::High), "T1552.005");

/// Every detection of this file, for the catalogue of activity.
pub static DETECTIONS: &[(&str, &str)] = &[
    (D56.0, D56.1),
    (D57.0, D57.1),
    (D58.0, D58.1),
    (D61.0, D61.1),
    (D62.0, D62.1),
    (D63.0, D63.1),
    (D64.0, D64.1),
    (D65.0, D65.1),
    (D66.0, D66.1),
];

/// What a tool is not asked for in passing.
const RISKY: &[&str] = &[
    "/dev/tcp/",
    "curl ",
    "wget ",
    "nc -e",
    "ncat ",
    "bash -i",
    "bash -c",
    "sh -c",
    "/bin/sh",
    "powershell",
    "invoke-expression",
    "iex(",
    "base64 -d",
    "chmod +x",
    "rm -rf",
    "mkfifo",
    "eval(",
    "exec(",
    "os.system",
    "subprocess",
    "169.254.169.254",
    "aws configure",
    "/etc/shadow",
    ".ssh/id_",
    "authorized_keys",
    "crontab",
];

/// What the detections say of one invocation, by their number.
pub fn detect(talk: &Talk, about: &Circumstances, finder: &mut Finder) -> Vec<Detection> {
    let mut found = Vec::new();
    let prompt = seen(&talk.prompt, finder);
    let completion = seen(&talk.completion, finder);
    let packed = |hit: &Match| hit.rule == &ENCODED && hides_secret(&hit.shown);
    let secret = |hit: &Match| (hit.rule.class == Class::Secret && hit.rule != &HIGH_ENTROPY) || packed(hit);
    for (side, hits) in [(Side::Prompt, &prompt), (Side::Completion, &completion)] {
        say(&mut found, D56, side, hits.iter().filter(|hit| secret(hit)));
    }
    let personal: Vec<&Match> =
        completion.iter().filter(|hit| hit.rule.class == Class::Pii && hit.rule != &EMAIL_RESERVED).collect();
    if about.custom_model && personal.len() as u64 >= about.pii_threshold.max(1) {
        say(&mut found, D57, Side::Completion, personal.into_iter());
    }
    if talk.intervened {
        found.push(detection(D58, Side::Completion, 1, "the guardrail intervened"));
    }
    let wording = |hit: &&Match| {
        [&OVERRIDE, &JAILBREAK, &CONTROL_TOKEN].contains(&hit.rule) || (hit.rule == &ENCODED && !packed(hit))
    };
    say(&mut found, D61, Side::Prompt, prompt.iter().filter(wording));
    let allowed = |text: &str| about.hosts.iter().any(|host| text.contains(&format!("://{host}/")));
    let leads_away = |hit: &&Match| hit.rule == &MARKDOWN_EXFIL;
    if !talk.completion.iter().any(|text| allowed(text)) {
        say(&mut found, D62, Side::Completion, completion.iter().filter(leads_away));
    }
    say(&mut found, D63, Side::Prompt, prompt.iter().filter(|hit| hit.rule == &PROMPT_LEAK));
    let repeats = talk.prompt.iter().filter(|text| is_repetition(text)).count();
    if repeats > 0 {
        found.push(detection(D63, Side::Prompt, repeats as u64, "one token again and again"));
    }
    let recalled = about.canaries.iter().filter(|canary| canary.len() >= 8);
    let recalled = recalled.filter(|canary| talk.completion.iter().any(|text| text.contains(canary.as_str()))).count();
    if recalled > 0 {
        found.push(detection(D64, Side::Completion, recalled as u64, "a canary of the training data"));
    }
    for tool in &talk.tools {
        let lower = tool.input.to_ascii_lowercase();
        if let Some(risk) = RISKY.iter().find(|risk| lower.contains(*risk)) {
            found.push(detection(D65, Side::Completion, 1, &format!("a tool is asked for: {}", risk.trim())));
        }
    }
    say(&mut found, D66, Side::Prompt, prompt.iter().filter(|hit| hit.rule == &METADATA_ENDPOINT));
    found
}

fn seen(texts: &[String], finder: &mut Finder) -> Vec<Match> {
    texts.iter().flat_map(|text| finder.find(text).to_vec()).collect()
}

fn say<'a>(found: &mut Vec<Detection>, row: Row, side: Side, mut hits: impl Iterator<Item = &'a Match>) {
    let Some(first) = hits.next() else { return };
    let shown = format!("{}: {}", first.rule.title, first.shown);
    found.push(detection(row, side, 1 + hits.count() as u64, &shown));
}

fn detection((id, title, severity, technique): Row, side: Side, count: u64, shown: &str) -> Detection {
    Detection { id, title, severity, technique, side, count, shown: Text::new(shown) }
}

/// Whether what encoded text hides is a secret: its mask ends with the title of the rule.
fn hides_secret(shown: &str) -> bool {
    RULES.iter().any(|rule| rule.class == Class::Secret && shown.ends_with(rule.title))
}

/// "Repeat this word forever": at least fifty words of which nine in ten are the same.
fn is_repetition(text: &str) -> bool {
    let words: Vec<&str> = text.split_ascii_whitespace().take(2000).collect();
    let mut sorted = words.clone();
    sorted.sort_unstable();
    let most = sorted.chunk_by(|a, b| a == b).map(<[&str]>::len).max().unwrap_or(0);
    let asked = ["forever", "repeatedly", "again and again", "infinitely", "1000 times", "endlessly"];
    let lower: String = text.chars().take(400).collect::<String>().to_ascii_lowercase();
    (words.len() >= 50 && most * 10 >= words.len() * 9)
        || (lower.contains("repeat") && asked.iter().any(|word| lower.contains(word)))
}

/// A fingerprint of a prompt that changes little when the prompt does (simhash over word pairs, Charikar 2002).
pub fn fingerprint(text: &str) -> u64 {
    let words: Vec<&str> = text.split_ascii_whitespace().take(4096).collect();
    let mut sums = [0i32; 64];
    let pairs = words.windows(2).map(|two| format!("{} {}", two[0], two[1]));
    for pair in pairs.chain((words.len() == 1).then(|| words[0].to_owned())) {
        // FNV-1a, then mixed so that high bits count.
        let hash = pair
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        for (bit, sum) in sums.iter_mut().enumerate() {
            *sum += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    sums.iter().enumerate().fold(0, |print, (bit, sum)| print | u64::from(*sum > 0) << bit)
}

/// Whether two fingerprints are of nearly the same prompt.
pub fn near(one: u64, other: u64) -> bool {
    (one ^ other).count_ones() <= 6
}

impl Talk {
    /// From one record of Bedrock's invocation log (`ModelInvocationLog` 1.0); none if it is no such record. Bodies
    /// that were too large for the log are absent: then the lists are empty.
    pub fn of_record(record: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(record).ok()?;
        (record["schemaType"] == "ModelInvocationLog").then_some(())?;
        let mut talk = Self::default();
        talk.asked(&record["input"]["inputBodyJson"]);
        match &record["output"]["outputBodyJson"] {
            // A stream: chunks, the last of which may be the string "[DONE]".
            Value::Array(chunks) => {
                let mut joined = String::new();
                let mut call: Option<ToolCall> = None;
                for chunk in chunks {
                    talk.chunk(chunk, &mut joined, &mut call);
                }
                talk.tools.extend(call);
                if !joined.is_empty() {
                    talk.completion.push(joined);
                }
            }
            body => talk.answered(body, 0),
        }
        Some(talk)
    }

    fn asked(&mut self, body: &Value) {
        for key in ["prompt", "inputText", "system"] {
            if let Some(text) = body[key].as_str() {
                self.prompt.push(text.to_owned());
            }
        }
        for list in ["system", "messages"] {
            for message in body[list].as_array().into_iter().flatten() {
                texts(if message["content"].is_null() { message } else { &message["content"] }, &mut self.prompt, 0);
            }
        }
        if self.prompt.is_empty() {
            texts(body, &mut self.prompt, 0);
        }
    }

    fn answered(&mut self, body: &Value, depth: u8) {
        if depth > 24 {
            return;
        }
        match body {
            Value::Object(object) => {
                for (key, value) in object {
                    match (key.as_str(), value) {
                        ("text" | "generation" | "outputText" | "completion" | "content", Value::String(text)) => {
                            self.completion.push(text.clone());
                        }
                        ("stopReason" | "stop_reason", Value::String(reason)) => {
                            self.intervened |= reason == "guardrail_intervened";
                        }
                        ("amazon-bedrock-guardrailAction", Value::String(action)) => {
                            self.intervened |= action == "INTERVENED";
                        }
                        ("toolUse", tool) => self.tool(tool),
                        ("trace" | "amazon-bedrock-trace" | "usage" | "metrics", _) => {}
                        _ => self.answered(value, depth + 1),
                    }
                }
                if object.get("type").is_some_and(|kind| kind == "tool_use") {
                    self.tool(body);
                }
            }
            Value::Array(array) => array.iter().for_each(|value| self.answered(value, depth + 1)),
            _ => {}
        }
    }

    fn tool(&mut self, tool: &Value) {
        self.tools.push(ToolCall {
            name: tool["name"].as_str().unwrap_or_default().to_owned(),
            input: tool["input"].to_string(),
        });
    }

    /// One chunk of a stream: Anthropic's deltas, Converse's, Titan's, Llama's.
    fn chunk(&mut self, chunk: &Value, joined: &mut String, call: &mut Option<ToolCall>) {
        for pointer in ["/delta/text", "/contentBlockDelta/delta/text", "/outputText", "/generation", "/completion"] {
            if let Some(text) = chunk.pointer(pointer).and_then(Value::as_str) {
                joined.push_str(text);
            }
        }
        for pointer in ["/content_block", "/contentBlockStart/start/toolUse"] {
            if let Some(block) = chunk.pointer(pointer).filter(|block| block["name"].is_string()) {
                let name = block["name"].as_str().unwrap_or_default().to_owned();
                self.tools.extend(call.replace(ToolCall { name, input: String::new() }));
            }
        }
        for pointer in ["/delta/partial_json", "/contentBlockDelta/delta/toolUse/input"] {
            if let (Some(part), Some(call)) = (chunk.pointer(pointer).and_then(Value::as_str), call.as_mut()) {
                call.input.push_str(part);
            }
        }
        let stop =
            ["/delta/stop_reason", "/messageStop/stopReason"].iter().filter_map(|pointer| chunk.pointer(pointer));
        self.intervened |= stop.filter_map(Value::as_str).any(|reason| reason == "guardrail_intervened");
        self.intervened |= chunk["amazon-bedrock-guardrailAction"] == "INTERVENED";
    }
}

/// Every text of a value.
fn texts(value: &Value, into: &mut Vec<String>, depth: u8) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(array) if depth < 24 => array.iter().for_each(|value| texts(value, into, depth + 1)),
        Value::Object(object) if depth < 24 => {
            object
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "type" | "role" | "bytes" | "data"))
                .for_each(|(_, value)| texts(value, into, depth + 1));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
