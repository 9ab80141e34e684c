//! Secrets: known formats by their prefix, and values that are given to a name like `password`.

use std::ops::Range;

use super::{Anchor, Sink, View, begins_word, is_word};
use crate::content::mask;
use crate::content::rules::{
    ASSIGNED_SECRET, AWS_KEY_ID, AWS_SECRET_KEY, AWS_SESSION_TOKEN, AZURE_STORAGE_KEY, BEDROCK_KEY, Class,
    GITHUB_TOKEN, GITLAB_TOKEN, GOOGLE_KEY, JWT, MODEL_VENDOR_KEY, PRIVATE_KEY, REGISTRY_TOKEN, Rule, SENDGRID_KEY,
    SLACK_TOKEN, STRIPE_KEY, URL_PASSWORD,
};

/// How a secret goes on after its literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Upper-case letters and digits, exactly so many.
    Upper(usize),
    /// Letters and digits, at least so many.
    Alnum(usize),
    /// Letters, digits, `_` and `-`, at least so many.
    Url(usize),
    /// Base64, at least so many.
    Base64(usize),
    /// Letters, digits and `/`.
    Path(usize),
    /// Two dots inside: a JSON web token.
    Jwt,
    /// `SG.22.43`
    Sendgrid,
    /// A PEM block.
    Pem,
    /// `://user:password@`
    Url3986,
}

/// A known format.
pub(super) struct Format {
    /// What is looked for in any case; the text must have it in this one.
    pub literal: &'static str,
    body: Body,
    rule: &'static Rule,
}

const fn format(literal: &'static str, body: Body, rule: &'static Rule) -> Format {
    Format { literal, body, rule }
}

/// Known formats.
pub(super) static FORMATS: &[Format] = &[
    format("AKIA", Body::Upper(16), &AWS_KEY_ID),
    format("ASIA", Body::Upper(16), &AWS_KEY_ID),
    format("FwoGZXIvYXdz", Body::Base64(60), &AWS_SESSION_TOKEN),
    format("IQoJb3JpZ2lu", Body::Base64(60), &AWS_SESSION_TOKEN),
    format("ABSK", Body::Base64(20), &BEDROCK_KEY),
    format("bedrock-api-key-", Body::Base64(20), &BEDROCK_KEY),
    format("ghp_", Body::Alnum(30), &GITHUB_TOKEN),
    format("gho_", Body::Alnum(30), &GITHUB_TOKEN),
    format("ghu_", Body::Alnum(30), &GITHUB_TOKEN),
    format("ghs_", Body::Alnum(30), &GITHUB_TOKEN),
    format("ghr_", Body::Alnum(30), &GITHUB_TOKEN),
    format("github_pat_", Body::Url(30), &GITHUB_TOKEN),
    format("glpat-", Body::Url(20), &GITLAB_TOKEN),
    format("xoxb-", Body::Url(10), &SLACK_TOKEN),
    format("xoxp-", Body::Url(10), &SLACK_TOKEN),
    format("xoxa-", Body::Url(10), &SLACK_TOKEN),
    format("xoxr-", Body::Url(10), &SLACK_TOKEN),
    format("xoxs-", Body::Url(10), &SLACK_TOKEN),
    format("xoxe-", Body::Url(10), &SLACK_TOKEN),
    format("hooks.slack.com/services/", Body::Path(20), &SLACK_TOKEN),
    format("AIza", Body::Url(35), &GOOGLE_KEY),
    format("sk_live_", Body::Alnum(16), &STRIPE_KEY),
    format("rk_live_", Body::Alnum(16), &STRIPE_KEY),
    format("sk-ant-", Body::Url(20), &MODEL_VENDOR_KEY),
    format("sk-proj-", Body::Url(20), &MODEL_VENDOR_KEY),
    format("sk-svcacct-", Body::Url(20), &MODEL_VENDOR_KEY),
    format("T3BlbkFJ", Body::Alnum(16), &MODEL_VENDOR_KEY),
    format("hf_", Body::Alnum(30), &MODEL_VENDOR_KEY),
    format("npm_", Body::Alnum(36), &REGISTRY_TOKEN),
    format("pypi-AgEI", Body::Url(50), &REGISTRY_TOKEN),
    format("SG.", Body::Sendgrid, &SENDGRID_KEY),
    format("AccountKey=", Body::Base64(80), &AZURE_STORAGE_KEY),
    format("eyJ", Body::Jwt, &JWT),
    format("-----BEGIN ", Body::Pem, &PRIVATE_KEY),
    format("://", Body::Url3986, &URL_PASSWORD),
];

/// A word that announces a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// Something secret.
    Any,
    /// A password: prose may give it ("the password is …").
    Password,
    /// The secret half of an AWS access key.
    AwsSecret,
}

/// Words that announce a value.
pub(super) static CUES: &[(&str, Cue)] = &[
    ("aws_secret_access_key", Cue::AwsSecret),
    ("secretaccesskey", Cue::AwsSecret),
    ("secret access key", Cue::AwsSecret),
    ("aws_secret_key", Cue::AwsSecret),
    ("password", Cue::Password),
    ("passwd", Cue::Password),
    ("passphrase", Cue::Password),
    ("pwd", Cue::Any),
    ("secret", Cue::Any),
    ("token", Cue::Any),
    ("api_key", Cue::Any),
    ("apikey", Cue::Any),
    ("api-key", Cue::Any),
    ("api key", Cue::Any),
    ("access_key", Cue::Any),
    ("private_key", Cue::Any),
    ("credential", Cue::Any),
];

/// No body is followed further than this.
const LONGEST: usize = 4096;

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

fn is_url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

fn run(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    run_to(LONGEST, bytes, from, is)
}

fn run_to(most: usize, bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().take(most).take_while(|byte| is(**byte)).count()
}

/// Shannon entropy in bits a byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let all = bytes.len() as f64;
    let term = |count: &u32| {
        let share = f64::from(*count) / all;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(term).sum()
}

/// Secrets of a known format.
pub(super) fn find(view: &View<'_>, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    // why: a body may hold its own prefix again and again; each byte is followed once.
    let mut past = 0;
    for (anchor, literal) in view.anchors() {
        let Anchor::Format(number) = anchor else { continue };
        let Some(format) = FORMATS.get(number) else { continue };
        if literal.start < past || view.text.get(literal.clone()) != Some(format.literal) {
            continue;
        }
        if let Some((range, shown)) = body(view.text, format, &literal) {
            past = range.end;
            let bare = format.rule != &URL_PASSWORD;
            sink.value(format.rule, view.text, range.clone(), shown, bare);
            if format.rule == &AWS_KEY_ID {
                secret_half(view.text, range.end, 200, sink);
            }
        } else if matches!(format.body, Body::Jwt | Body::Base64(_)) {
            past = past.max(literal.end + run_to(256, bytes, literal.end, is_base64));
        }
    }
}

fn body(text: &str, format: &Format, literal: &Range<usize>) -> Option<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    let (start, from) = (literal.start, literal.end);
    let whole = |end: usize| (start..end, mask::prefix(format.literal, text.get(start..end).unwrap_or_default()));
    let random = |end: usize| entropy(&bytes[from..end]) >= 2.5 && !text[from..end].ends_with("EXAMPLE");
    let first = begins_word(bytes, start) && !(start > 0 && matches!(bytes[start - 1], b'+' | b'/'));
    // why not all: OpenAI's mark stands inside its key, and a URL or a block begins where it likes.
    let inside = matches!(format.body, Body::Path(_) | Body::Pem | Body::Url3986) || format.literal == "T3BlbkFJ";
    if !first && !inside {
        return None;
    }
    match format.body {
        Body::Upper(count) => {
            let end = from + run_to(count + 1, bytes, from, is_word);
            let all = bytes[from..end].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            (end - from == count && all && random(end)).then(|| whole(end))
        }
        Body::Alnum(least) => {
            let end = from + run(bytes, from, |b| b.is_ascii_alphanumeric());
            (end - from >= least && random(end)).then(|| {
                let back = bytes[..start].iter().rev().take(64).take_while(|b| is_url(**b)).count();
                let begin = if begins_word(bytes, start) { start } else { start - back };
                let known = if begin == start { format.literal } else { "sk-" };
                (begin..end, mask::prefix(known, text.get(begin..end).unwrap_or_default()))
            })
        }
        Body::Url(least) => {
            let end = from + run(bytes, from, is_url);
            let digit = bytes[from..end].iter().any(u8::is_ascii_digit);
            (digit && end - from >= least && random(end)).then(|| whole(end))
        }
        Body::Base64(least) => {
            let end = from + run(bytes, from, is_base64);
            (end - from >= least && random(end)).then(|| whole(end))
        }
        Body::Path(least) => {
            let end = from + run(bytes, from, |b| b.is_ascii_alphanumeric() || b == b'/');
            (end - from >= least && random(end)).then(|| whole(end))
        }
        Body::Jwt => jwt(bytes, start).map(whole),
        Body::Sendgrid => {
            let a = run_to(23, bytes, from, is_url);
            let dot = from + a;
            let b = if bytes.get(dot) == Some(&b'.') { run_to(44, bytes, dot + 1, is_url) } else { 0 };
            (a == 22 && b == 43).then(|| whole(dot + 1 + b))
        }
        Body::Pem => pem(text, from).map(|end| (start..end, format!("a PEM block of {} characters", end - start))),
        Body::Url3986 => url_password(text, from),
    }
}

/// Header, claims and signature; the first decodes to an object with `alg` (RFC 7515).
fn jwt(bytes: &[u8], start: usize) -> Option<usize> {
    use base64::Engine as _;
    let header = run(bytes, start, is_url);
    let claims_at = start + header + 1;
    (bytes.get(claims_at - 1) == Some(&b'.')).then_some(())?;
    let claims = run(bytes, claims_at, is_url);
    let sign_at = claims_at + claims + 1;
    (claims >= 10 && bytes.get(sign_at - 1) == Some(&b'.')).then_some(())?;
    let sign = run(bytes, sign_at, is_url);
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&bytes[start..start + header]).ok()?;
    let alg = String::from_utf8(decoded).ok()?.contains("\"alg\"");
    (alg && sign >= 16).then_some(sign_at + sign)
}

/// The end of a private key, if it has a body: documentation shows headers alone.
fn pem(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let label = bytes[from..].iter().take(48).position(|byte| *byte == b'-')?;
    text.get(from..from + label)?.ends_with("PRIVATE KEY").then_some(())?;
    let at = from + label + bytes[from + label..].iter().take(8).take_while(|byte| **byte == b'-').count();
    // why no dash: the block ends at the next one. Escaped line ends ("\\n") are common in copied environment files.
    let letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let between = |b: &u8| matches!(b, b'\n' | b'\r' | b' ' | b'\t' | b'\\' | b':' | b',' | b'.' | b'<' | b'>');
    let body = bytes[at..].iter().take(16 * 1024).take_while(|byte| letter(byte) || between(byte)).count();
    let letters = bytes[at..at + body].iter().filter(|byte| letter(byte)).count();
    (letters >= 40 && entropy(&bytes[at..at + body]) >= 3.5).then_some(at + body)
}

/// `user:password@` after `://` (RFC 3986, userinfo).
fn url_password(text: &str, from: usize) -> Option<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    let stop = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'"' | b'\'' | b'<' | b'>' | b'?' | b'#' | b'`');
    let authority = bytes[from..].iter().take(256).take_while(|byte| !stop(byte)).count();
    let at = from + bytes[from..from + authority].iter().rposition(|byte| *byte == b'@')?;
    let colon = from + bytes[from..at].iter().position(|byte| *byte == b':')?;
    let password = text.get(colon + 1..at)?;
    (password.len() >= 3 && !is_placeholder(password))
        .then(|| (colon + 1..at, format!("://…:…@ ({} characters)", password.chars().count())))
}

/// The secret half of an AWS key near `from`: forty characters of base64 that are random enough.
fn secret_half(text: &str, from: usize, within: usize, sink: &mut Sink<'_>) {
    let bytes = text.as_bytes();
    let is = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+');
    let mut at = from;
    while at < bytes.len() && at - from <= within {
        let length = bytes[at..].iter().take(320).take_while(|byte| is(**byte)).count();
        let token = &bytes[at..at + length];
        if length == 40
            && entropy(token) >= 3.8
            && token.iter().any(u8::is_ascii_uppercase)
            && token.iter().any(u8::is_ascii_lowercase)
            && token.iter().any(u8::is_ascii_digit)
            && !token.ends_with(b"EXAMPLEKEY")
        {
            if !sink.covers(Class::Secret, &(at..at + 40)) {
                sink.value(&AWS_SECRET_KEY, text, at..at + 40, "… (40 characters)".to_owned(), true);
            }
            return;
        }
        at += length + 1;
    }
}

/// Values given to a name.
pub(super) fn assigned(view: &View<'_>, sink: &mut Sink<'_>) {
    // First what is more exactly known.
    for (anchor, name) in view.anchors() {
        if matches!(anchor, Anchor::Cue(Cue::AwsSecret)) {
            secret_half(view.text, name.end, 64, sink);
        }
    }
    let mut past = 0;
    for (anchor, name) in view.anchors() {
        let Anchor::Cue(cue) = anchor else { continue };
        if name.end < past {
            continue;
        }
        let Some(value) = value_after(view.text, name.end, cue) else { continue };
        past = value.end;
        let text = view.text.get(value.clone()).unwrap_or_default();
        if looks_secret(text, cue) && !sink.covers(Class::Secret, &value) {
            let word = CUES.iter().map(|(word, _)| *word).find(|w| view.text[name.clone()].eq_ignore_ascii_case(w));
            let shown = format!("{} = … ({} characters)", word.unwrap_or("secret"), text.chars().count());
            sink.value(&ASSIGNED_SECRET, view.text, value, shown, false);
        }
    }
}

/// The value that stands after a name: `: "v"`, `= v`, ` is v`.
fn value_after(text: &str, from: usize, cue: Cue) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from + run_to(16, bytes, from, is_word);
    let blank = |b: u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`' | b'*');
    at += run_to(4, bytes, at, blank);
    let sign = run_to(3, bytes, at, |b| matches!(b, b':' | b'=' | b'>'));
    if sign == 0 {
        (cue == Cue::Password && bytes[at..].starts_with(b"is ")).then_some(())?;
        at += 3;
    } else {
        (sign <= 2).then_some(())?;
        at += sign;
    }
    at += run_to(8, bytes, at, blank);
    let end = |b: u8| {
        b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b',' | b';' | b'<' | b'>' | b')' | b'\\' | b'`' | b'*')
    };
    let length = bytes[at..].iter().take(520).take_while(|byte| !end(**byte)).count();
    let value = text.get(at..at + length)?.trim_end_matches(['.', ':', '!', '?']);
    (8..=512).contains(&value.len()).then(|| at..at + value.len())
}

fn looks_secret(value: &str, cue: Cue) -> bool {
    let bytes = value.as_bytes();
    let digit = bytes.iter().any(u8::is_ascii_digit);
    let letter = bytes.iter().any(u8::is_ascii_alphabetic);
    let symbol = bytes.iter().any(u8::is_ascii_punctuation);
    let varied = if cue == Cue::Password { letter && (digit || symbol) } else { letter && digit };
    // What names a thing (a path, a call, a type) is not the thing.
    let code = bytes.iter().any(|b| matches!(b, b'(' | b'[' | b'{')) || value.contains("::") || value.contains("://");
    let least = if cue == Cue::Any { 3.0 } else { 2.5 };
    varied && !code && !is_placeholder(value) && entropy(bytes) >= least
}

fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let words = [
        "example",
        "placeholder",
        "your",
        "xxxx",
        "****",
        "....",
        "redacted",
        "removed",
        "changeit",
        "dummy",
        "<",
        "{",
        "$",
    ];
    words.iter().any(|word| lower.contains(word))
        || ["password", "pass", "passwd", "secret", "pwd"].contains(&lower.as_str())
}
