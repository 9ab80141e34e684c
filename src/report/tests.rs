//! Every format on one hostile, imperfect account: readable by its reader, and nothing breaks out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::base::Generation;
use crate::inventory::kms::Rotation;
use crate::inventory::{Mode, SourceId};
use crate::posture::fixtures::{JOB, KEY, deny, detail, got, healthy, with_context};
use crate::posture::{Assessment, Mutes, Verdict, assess, framework, mutes::Place};

const HOSTILE: &str = "=evil;\"x\"</td><script>alert(1)</script>|`]]>&\u{1b}[31m";

/// One account: findings, a mute, something denied, hostile names.
fn account() -> Inventory {
    let mut inventory = healthy();
    let off = Rotation { enabled: false, period_days: None, next: None };
    inventory.keys.get_mut(KEY).unwrap().rotation = got(off);
    detail(&mut inventory).vpc = None;
    inventory.jobs.get_mut(JOB).unwrap().name = HOSTILE.into();
    deny(&mut inventory, SourceId::RULES);
    inventory
}

fn session() -> SessionInfo {
    SessionInfo {
        generation: Generation(1),
        account: "123456789012".into(),
        alias: Some(HOSTILE.into()),
        principal: "arn:aws:sts::123456789012:assumed-role/auditor/ci".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        mode: Mode::ReadOnly,
        profile: None,
        endpoint: None,
        expires: None,
    }
}

/// A report over `sessions` copies of the account, in a format.
fn written(format: Format, sessions: usize) -> String {
    repeated(format, sessions, 0)
}

/// The same with its verdicts repeated until there are so many.
fn repeated(format: Format, sessions: usize, wanted: usize) -> String {
    picked(format, sessions, wanted, |_| true)
}

/// The same with some of its verdicts shown.
fn picked(format: Format, sessions: usize, wanted: usize, shows: fn(&Verdict) -> bool) -> String {
    let inventory = account();
    let session = session();
    let now = Timestamp::from_secs(1_800_000_000);
    let mut assessment = with_context(&inventory, assess);
    let mutes = "Mutelist: {Accounts: {\"*\": {Checks: {CUS-KMS-04: {Regions: [\"*\"], Resources: [\"*\"], \
                 Owner: anna, Ticket: SEC-1}, CUS-INV-99: {Regions: [\"*\"], Resources: [\"*\"]}}}}}";
    let place = Place { account: "123456789012", region: "us-east-1", now };
    let mutes = Mutes::parse(mutes).unwrap().apply(&mut assessment, &inventory, &place);
    if wanted > 0 {
        let real: Vec<_> =
            assessment.verdicts.iter().filter(|verdict| verdict.status != Status::NotApplicable).cloned().collect();
        assessment.verdicts = real.iter().cycle().take(wanted).cloned().collect();
    }
    let lineage = Lineage::of(&inventory);
    let first_seen = BTreeMap::from([(assessment.findings()[0].id.clone(), now.plus_secs(-90_000))]);
    let shown = Assessment { verdicts: assessment.verdicts.iter().filter(|one| shows(one)).cloned().collect() };
    let scan = || Scan {
        session: &session,
        at: now,
        assessment: &shown,
        whole: &assessment,
        inventory: &inventory,
        lineage: &lineage,
        calls: &[],
        first_seen: &first_seen,
        mutes: &mutes,
    };
    let failures = match sessions {
        1 => Vec::new(),
        _ => vec![Failure { profile: None, region: Some("eu-west-1".into()), error: HOSTILE.into() }],
    };
    let scans = (0..sessions).map(|_| scan()).collect();
    let report = Report { scans, failures, framework: framework("gdpr") };
    let mut out = Vec::new();
    format.write(&report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn no_format_lets_an_escape_sequence_through() {
    for format in <Format as clap::ValueEnum>::value_variants() {
        for sessions in [1, 2] {
            let text = written(*format, sessions);
            assert!(!text.contains('\u{1b}'), "{format:?}");
            assert!(text.contains("CUS-NET-01"), "{format:?}");
        }
    }
}

#[test]
fn score_and_requirements_are_of_all_whatever_is_shown() {
    let warned = |verdict: &Verdict| verdict.status == Status::Warn;
    let after = |text: &str, mark: &str| text.split_once(mark).unwrap().1.to_owned();
    for (format, mark) in [(Format::Table, "score "), (Format::Table, "GDPR"), (Format::Markdown, "Score **")] {
        let (all, some) = (written(format, 1), picked(format, 1, 0, warned));
        assert!(some.len() < all.len());
        let (all, some) = (after(&all, mark), after(&some, mark));
        let first = |text: &str| text.lines().next().unwrap().to_owned();
        assert_eq!(first(&some), first(&all), "{format:?} {mark}");
    }
    assert_eq!(after(&picked(Format::Table, 1, 0, warned), "GDPR"), after(&written(Format::Table, 1), "GDPR"));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (all, some) = (json(&written(Format::Json, 1)), json(&picked(Format::Json, 1, 0, warned)));
    assert_eq!(some["summary"]["score"], all["summary"]["score"]);
    assert!(some["verdicts"].as_array().unwrap().len() < all["verdicts"].as_array().unwrap().len());
}

#[test]
fn json_is_one_document_a_session_and_one_over_several() {
    let one: Value = serde_json::from_str(&written(Format::Json, 1)).unwrap();
    assert_eq!(one["schema"], "bedwatch.scan/1");
    assert_eq!(one["summary"]["by_status"]["MUTED"], 1);
    assert_eq!(one["mutes"]["unmatched"][0], "CUS-INV-99 in account *");
    let muted = one["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["status"] == "MUTED").unwrap();
    assert_eq!((muted["muted"]["was"].as_str(), muted["muted"]["owner"].as_str()), (Some("FAIL"), Some("anna")));
    let two: Value = serde_json::from_str(&written(Format::Json, 2)).unwrap();
    assert_eq!((two["schema"].as_str(), two["scans"].as_array().map(Vec::len)), (Some("bedwatch.scans/1"), Some(2)));
    assert_eq!(two["scans"][1], one);
    assert_eq!(two["failures"][0]["region"], "eu-west-1");
}

#[test]
fn ocsf_findings_say_what_was_found_and_unknown_is_no_pass() {
    let all: Vec<Value> = serde_json::from_str(&written(Format::Ocsf, 1)).unwrap();
    assert!(all.iter().all(|finding| finding["class_uid"] == 2003 && finding["type_uid"] == 200_301));
    let of = |code: &str| all.iter().find(|finding| finding["status_code"] == code).unwrap();
    assert_eq!(of("FAIL")["compliance"]["status_id"], 3);
    assert_eq!(of("UNKNOWN")["compliance"]["status_id"], 0);
    assert_eq!(
        (&of("PASS")["compliance"]["status_id"], &of("PASS")["severity_id"]),
        (&Value::from(1), &Value::from(1))
    );
    assert_eq!(of("MUTED")["status_id"], 3);
    let uids: std::collections::BTreeSet<_> = all.iter().map(|f| f["finding_info"]["uid"].as_str()).collect();
    assert_eq!(uids.len(), all.len(), "a uid stands twice");
    let detections: Vec<Value> = serde_json::from_str(&written(Format::OcsfDetection, 1)).unwrap();
    assert!(detections.iter().all(|finding| finding["class_uid"] == 2004 && finding.get("compliance").is_none()));
    assert_eq!(detections.len(), all.len());
}

#[test]
fn asff_findings_keep_the_limits_of_the_service() {
    let all: Vec<Value> = serde_json::from_str(&written(Format::Asff, 1)).unwrap();
    let of = |status: &'static str| all.iter().filter(move |finding| finding["Compliance"]["Status"] == status);
    assert!(of("FAILED").count() > 0 && of("PASSED").count() > 0);
    assert!(of("NOT_AVAILABLE").all(|finding| finding["Compliance"]["StatusReasons"].is_array()));
    assert!(of("WARNING").any(|finding| finding["Workflow"]["Status"] == "SUPPRESSED"));
    for finding in &all {
        let length = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).map_or(0, |t| t.chars().count());
        assert!((1..=1024).contains(&length("/Description")) && (1..=256).contains(&length("/Title")));
        assert!(length("/Remediation/Recommendation/Text") <= 512 && length("/Id") <= 512);
        assert!(serde_json::to_string(finding).unwrap().len() < 240 * 1024);
    }
}

#[test]
fn junit_is_well_formed_and_its_sums_are_right() {
    use quick_xml::events::Event;
    let text = written(Format::Junit, 2);
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let (mut seen, mut said): (BTreeMap<String, usize>, BTreeMap<String, usize>) = Default::default();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                if name == "testsuites" {
                    for attribute in tag.attributes() {
                        let attribute = attribute.unwrap();
                        let key = attribute.key.as_ref().to_owned();
                        if let Ok(count) = attribute.value.parse() {
                            said.insert(key, count);
                        }
                    }
                }
                *seen.entry(name).or_default() += 1;
            }
            _ => {}
        }
    }
    for (sum, tag) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
        assert_eq!(said.get(sum), seen.get(tag), "{sum}");
        assert!(seen[tag] > 0, "{tag}");
    }
}

#[test]
fn csv_has_as_many_cells_in_each_line_and_no_formula() {
    let text = written(Format::Csv, 1);
    let records = records(&text);
    let header = &records[0];
    assert!(header.contains(&"CHECK_ID".to_owned()) && header.contains(&"STATUS_EXTENDED".to_owned()));
    for record in &records {
        assert_eq!(record.len(), header.len(), "{record:?}");
        assert!(record.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{record:?}");
    }
    let name = header.iter().position(|cell| cell == "ACCOUNT_NAME").unwrap();
    assert!(records[1][name].starts_with("'=evil;\"x\""), "{}", records[1][name]);
}

/// A reader of RFC 4180 with semicolons.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ';' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty() && record.is_empty(), "the last line does not end");
    records
}

#[test]
fn html_and_markdown_show_hostile_names_as_text() {
    let page = written(Format::Html, 2);
    assert!(!page.contains("<script>alert"), "the name ran");
    assert!(page.contains("&lt;script&gt;alert(1)"));
    assert_eq!(page.matches("<script>").count(), 1, "only our own script");
    assert!(!page.contains("http://") && !page.contains("https://"), "something is loaded from elsewhere");
    assert!(page.contains("<svg") && page.contains("Not scanned"));
    let text = written(Format::Markdown, 1);
    assert!(!text.contains("<script>"));
    let head = text.lines().find(|line| line.starts_with("| severity")).unwrap();
    let bare = |line: &str| line.replace("\\|", "").matches('|').count();
    for line in text.lines().filter(|line| line.starts_with("| high") || line.starts_with("| medium")) {
        assert_eq!(bare(line), bare(head), "{line}");
    }
}

#[test]
fn the_table_fits_eighty_columns() {
    use unicode_width::UnicodeWidthStr as _;
    let text = written(Format::Table, 2);
    for line in text.lines() {
        assert!(line.width() <= 80, "{line}");
    }
    for words in ["GDPR", "MUTED", "NOT SCANNED", "mute without use: CUS-INV-99", "never counted as a pass"] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn what_is_resolved_is_archived_under_the_same_id() {
    let (inventory, session) = (account(), session());
    let assessment = with_context(&inventory, assess);
    let (lineage, mutes) = (Lineage::of(&inventory), MuteReport::default());
    let first_seen = BTreeMap::new();
    let scan = Scan {
        session: &session,
        at: Timestamp::from_secs(1_800_000_000),
        assessment: &assessment,
        whole: &assessment,
        inventory: &inventory,
        lineage: &lineage,
        calls: &[],
        first_seen: &first_seen,
        mutes: &mutes,
    };
    let gone = |verdict: &str, name: &str| Resolved {
        verdict: verdict.into(),
        control: "CUS-KMS-01".into(),
        name: name.into(),
        first_seen: Timestamp::from_secs(1_700_000_000),
    };
    let all = scan.security_hub(&[gone("CUS-KMS-01/model1/no-cmk", "model1"), gone("CUS-KMS-01/lost", HOSTILE)]);
    let told = assessment.verdicts.iter().filter(|verdict| verdict.status != Status::NotApplicable).count();
    assert_eq!(all.len(), told + 2);
    let archived = &all[told..];
    assert!(archived.iter().all(|finding| finding["RecordState"] == "ARCHIVED"));
    assert_eq!(archived[0]["Id"], "bedwatch/123456789012/us-east-1/CUS-KMS-01/model1/no-cmk");
    assert_eq!(archived[0]["Resources"][0]["Id"], crate::posture::fixtures::MODEL);
    assert!(archived[1]["Resources"][0]["Id"].as_str().unwrap().starts_with("=evil"));
    assert_eq!(archived[0]["ProductArn"], all[0]["ProductArn"]);
    for required in
        ["SchemaVersion", "GeneratorId", "Types", "CreatedAt", "UpdatedAt", "Severity", "Title", "Description"]
    {
        assert!(!archived[0][required].is_null(), "{required}");
    }
}

#[test]
fn a_page_of_thousands_holds_them_all_and_runs_only_its_own_script() {
    let page = repeated(Format::Html, 1, 1_203);
    assert_eq!(page.matches("<details class=\"v\"").count(), 1_203);
    assert_eq!(page.matches("<script type=\"text/plain\" class=\"rows\">").count(), 11);
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
    assert!(page.contains("data-all=\"1203\"") && page.contains("1003 more need"));
    assert!(!written(Format::Html, 1).contains("class=\"rows\""), "few are there at once");
}

/// Not a test of its own: pages of a hostile account for tests/reports/browser.py.
#[test]
#[ignore = "writes files for tests/reports/browser.py"]
fn pages_for_the_browser() {
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| "target".into(), std::path::PathBuf::from);
    std::fs::write(target.join("hostile.html"), written(Format::Html, 2)).unwrap();
    std::fs::write(target.join("many.html"), repeated(Format::Html, 1, 10_000)).unwrap();
}
