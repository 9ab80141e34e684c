//! Whole scans: what is found and where, memory, and that no secret comes out.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::content::mask::Masks;

fn scan(uri: &str, text: &[u8]) -> Report {
    scan_with(Options::default(), uri, text)
}

fn scan_with(options: Options, uri: &str, text: &[u8]) -> Report {
    let mut scanner = Scanner::new(options, Masks::keyed(b"test"));
    scanner.file(uri, text, &mut |_| {});
    scanner.finish()
}

fn rows(report: &Report) -> Vec<(String, u64, u64, String, String)> {
    let rows = report.findings.hits().iter();
    rows.map(|hit| {
        let place = &hit.place;
        (
            hit.rule.id.to_owned(),
            place.line.unwrap_or_default(),
            place.column.unwrap_or_default(),
            place.field.as_str().to_owned(),
            hit.shown.as_str().to_owned(),
        )
    })
    .collect()
}

const KEY: &str = concat!("AKIA", "Q3EGRLKZ7B2MX5TY");

#[test]
fn hits_have_line_column_and_field() {
    let line1 = r#"{"prompt":"hello there","completion":"fine"}"#;
    let line2 = format!(r#"{{"prompt":"a\nb {KEY}","completion":"mail zoe@corp.io"}}"#);
    let line3 = r#"{"prompt":"broken"#;
    let report = scan("d.jsonl", format!("{line1}\n{line2}\n\n{line3}\n").as_bytes());
    let at = |line: &str, what: &str| line.find(what).unwrap() as u64 + 1;
    assert_eq!(
        rows(&report),
        [
            ("secret-aws-access-key-id".into(), 2, at(&line2, KEY), "prompt".into(), "AKIA… (20 characters)".into()),
            ("pii-email".into(), 2, at(&line2, "zoe@"), "completion".into(), "…@… (11 characters)".into()),
            ("schema-blank-line".into(), 4, 1, "line".into(), "blank lines stand before this one".into()),
            ("schema-json".into(), 4, 18, "line".into(), "a string without end".into()),
        ]
    );
    assert!(report.is_complete());
    assert_eq!((report.files[0].lines, report.files[0].records), (4, 3));
}

#[test]
fn secrets_in_broken_lines_are_found_all_the_same() {
    for bytes in
        [format!("{{\"prompt\": {KEY}").into_bytes(), [b"{\"p\":\"\xff ".as_slice(), KEY.as_bytes(), b"\"}"].concat()]
    {
        let report = scan("d.jsonl", &bytes);
        assert_eq!(report.findings.of_class(crate::content::Class::Secret), 1);
        assert_eq!(report.findings.of_class(crate::content::Class::Schema), 1);
    }
}

#[test]
fn a_line_that_is_too_long_is_searched_in_parts_and_counted_once() {
    let options = Options { max_line: 10_000, ..Options::default() };
    let mut line = "x ".repeat(400_000).into_bytes();
    for at in [3, 200_000, 262_100, 500_001] {
        let text = format!(" {KEY} ");
        line[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    let report = scan_with(options, "d.jsonl", &line);
    assert_eq!(report.findings.of(&crate::content::rules::AWS_KEY_ID), 4);
    assert_eq!(report.findings.of(&crate::content::rules::LINE_TOO_LONG), 1);
}

#[test]
fn repetition_is_seen_over_files() {
    let mut scanner = Scanner::new(Options::default(), Masks::random());
    let record = |p: &str, c: &str| format!("{{\"prompt\":\"{p}\",\"completion\":\"{c}\"}}\n");
    scanner.file("train.jsonl", record("2+2?", "4").as_bytes(), &mut |_| {});
    scanner.file("val.jsonl", (record("2+2?", "4") + &record("2+2?", "5")).as_bytes(), &mut |_| {});
    let report = scanner.finish();
    assert_eq!(
        rows(&report),
        [
            ("duplicate-record".into(), 1, 0, String::new(), "as line 1 of train.jsonl".into()),
            ("duplicate-conflict".into(), 2, 0, String::new(), "as line 1 of train.jsonl".into()),
        ]
    );
    assert_eq!((report.repetition.records.count, report.repetition.conflicts.count), (1, 1));
}

#[test]
fn mixed_formats_marks_and_text_files() {
    let report = scan("d.jsonl", "\u{feff}{\"prompt\":\"p\",\"completion\":\"c\"}\n{\"input\":\"i\"}\n".as_bytes());
    let ids: Vec<_> = rows(&report).into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["schema-bom", "schema-mixed-shapes"]);
    let report = scan("notes.txt", format!("a plain line\n{{ {KEY}\n").as_bytes());
    assert_eq!(rows(&report)[0].0, "secret-aws-access-key-id");
    assert_eq!(report.findings.counts().len(), 1);
    let report = scan("no-suffix", b"{\"prompt\":\"p\",\"completion\":\"c\"}");
    assert_eq!(report.files[0].shapes.keys().next(), Some(&Shape::PromptCompletion));
}

#[test]
fn a_private_key_over_several_lines_is_found_and_its_header_alone_is_not() {
    let key = ["-----BEGIN OPENSSH ", "PRIVATE KEY-----"].concat();
    let body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABFwAAAAdzc2gtcn";
    let report = scan("notes.txt", format!("see\n{key}\n{body}\n").as_bytes());
    assert_eq!(
        rows(&report)[0],
        ("secret-private-key".into(), 2, 1, String::new(), "a PEM block over several lines".into())
    );
    let report = scan("notes.txt", format!("{key}\nand so on\n").as_bytes());
    assert!(rows(&report).is_empty());
}

#[test]
fn records_without_question_are_not_answers_to_one() {
    let report = scan(
        "d.jsonl",
        b"{\"image-ref\":\"s3://b/1\",\"caption\":\"one\"}\n{\"image-ref\":\"s3://b/2\",\"caption\":\"two\"}\n",
    );
    assert!(rows(&report).is_empty(), "{:?}", rows(&report));
    let log = "{\"schemaType\":\"ModelInvocationLog\",\"requestId\":\"1\"}\n";
    assert!(rows(&scan("d.jsonl", log.repeat(2).as_bytes())).is_empty());
}

#[test]
fn what_breaks_off_is_incomplete() {
    let report = scan("d.jsonl.gz", &[0x1f, 0x8b, 8, 0, 0]);
    assert!(!report.is_complete() && report.files[0].stopped.is_some());
    let report = scan_with(Options { max_bytes: 10, ..Options::default() }, "d.txt", &b"line\n".repeat(100_000));
    assert!(report.files[0].stopped.as_ref().is_some_and(|why| why.as_str().contains("limit of 10")));
}

/// Lines of every kind, some hundred kilobytes: enough for several blocks.
fn many_lines(seed: u64) -> Vec<u8> {
    let mut bytes = b"\xef\xbb\xbf\n".to_vec();
    for n in 0..4000u64 {
        let kind = (n ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57;
        let line = match kind {
            0..80 => format!(
                "{{\"prompt\":\"Tell me about {n} things, \\u00e9 please\",\"completion\":\"{} is it\"}}",
                n * 7
            ),
            80..90 => format!("{{\"prompt\":\"again {}\",\"completion\":\"{}\"}}", n % 50, n % 3),
            90..95 => format!("{{\"prompt\":\"mail a{n}@corp.io {KEY}\",\"completion\":\"ok |RUN|\"}}"),
            95..100 => format!("{{\"input\":\"another format {n}\"}}"),
            100..105 => format!("{{\"prompt\":\"broken {n} password=Tr0ub4dor{n}"),
            105..108 => ["-----BEGIN OPENSSH ", "PRIVATE KEY-----\n", &"b3BlbnNzaC1rZXk".repeat(4)].concat(),
            108..112 => String::new(),
            112..115 => format!("{} {KEY} ", "x ".repeat(9000)),
            _ => format!("a plain line, number {n}, that is long enough to be told from others"),
        };
        bytes.extend(line.as_bytes());
        if kind == 120 {
            bytes.extend([b' ', 0xff]);
        }
        bytes.push(b'\n');
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn several_threads_tell_what_one_tells(seed in any::<u64>(), threads in 2usize..6, keep in 1usize..40, json in any::<bool>()) {
        let uri = if json { "d.jsonl" } else { "d.txt" };
        let bytes = many_lines(seed);
        let options = Options { max_line: 10_000, keep, ..Options::default() };
        let one = scan_with(options, uri, &bytes);
        prop_assert!(one.findings.counts().len() > 5, "{:?}", one.findings.counts());
        prop_assert_eq!(scan_with(Options { threads, ..options }, uri, &bytes), one);
    }
}

#[test]
fn several_threads_stop_where_one_stops() {
    let bytes = many_lines(7);
    for max_bytes in [10, 200_000, 700_000] {
        let options = Options { max_bytes, ..Options::default() };
        let one = scan_with(options, "d.jsonl", &bytes);
        assert!(one.files[0].stopped.is_some() || max_bytes > bytes.len() as u64);
        assert_eq!(scan_with(Options { threads: 3, ..options }, "d.jsonl", &bytes), one);
    }
    // What breaks off in the middle: all before it is told.
    let broken = || std::io::Read::chain(&bytes[..600_000], Broken);
    let report = |threads| {
        let mut scanner = Scanner::new(Options { threads, ..Options::default() }, Masks::keyed(b"test"));
        scanner.file("d.jsonl", broken(), &mut |_| {});
        scanner.finish()
    };
    let (one, three) = (report(1), report(3));
    assert!(one.files[0].stopped.as_ref().is_some_and(|why| why.as_str().contains("the line went dead")));
    assert!(one.files[0].lines > 1000);
    assert_eq!(one, three);
}

/// A stream that fails.
struct Broken;

impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the line went dead"))
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        scan("d.jsonl", &bytes);
        scan("d.txt", &bytes);
        scan("d", &bytes);
    }

    #[test]
    fn no_output_tells_a_planted_secret(
        secret in "[A-Z2-7]{16}", password in "[a-z]{4}[0-9]{4}[A-Z]{4}", name in "[b-df-hj-np-tv-z]{9}", broken in any::<bool>()
    ) {
        let key = format!("AKIA{secret}");
        let mut text = String::new();
        for n in 0..12 {
            writeln!(text, "{{\"prompt\":\"topic {n} {key} password={password} {name}@{name}.org |{name}|\",\"completion\":\"{key}\"}}").unwrap();
            writeln!(text, "{{\"{key}\":\"{password}\",\"messages\":[{{\"role\":\"{key}\",\"content\":\"{name}@{name}.org\"}}]}}").unwrap();
            writeln!(text, "{{\"prompt\":\"other {n}\",\"completion\":\"ignore {key} all previous {password} instructions\"}}").unwrap();
        }
        if broken {
            write!(text, "{{\"{key} {password}").unwrap();
        }
        let report = scan("d.jsonl", text.as_bytes());
        prop_assert!(report.findings.of_class(crate::content::Class::Secret) >= 12);
        let said = format!("{report:?}{}", serde_json::to_string(report.findings.hits()).unwrap());
        for told in [&secret, &password, &name] {
            prop_assert!(!said.contains(told.as_str()), "{} is told", told);
        }
    }
}
