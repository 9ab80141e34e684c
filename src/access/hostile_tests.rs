//! Bad input: every size, depth and type that nobody means. Each gives a clear word with its place, and each ends: an
//! algorithm that looked at every pair of a hundred thousand things would not.

use serde_json::{Value, json};

use super::batch::{evaluate_line, judge};
use super::{Decision, KeyAccess, Policy, Rules, Scenario, decide, identity, invariants};
use crate::base::Timestamp;
use crate::inventory::kms::Key;
use crate::inventory::{Document, Read};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k1";
const ROLE: &str = "arn:aws:iam::111122223333:role/R";
const MANY: usize = 100_000;

fn case(name: &str, value: Value) -> Value {
    let mut case = json!({
        "request": {"principal": ROLE, "action": "kms:Decrypt", "resource": KEY},
        "unknownContext": ["kms:ViaService", "kms:EncryptionContext:app"],
    });
    case[name] = value;
    case
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(more: Value) -> Value {
    let mut one = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
    if let (Some(one), Value::Object(more)) = (one.as_object_mut(), more) {
        one.extend(more);
    }
    one
}

fn verdict(line: &[u8]) -> Value {
    serde_json::from_str(&evaluate_line(line)).unwrap()
}

/// What the console says of a key whose policy is `raw`.
fn of_key(raw: String) -> Decision {
    let mut key = Key::bare(KEY);
    key.policy = Read::got(Document::new(raw), Timestamp::from_secs(1));
    key.grants = Read::got(Vec::new(), Timestamp::from_secs(1));
    let caller = super::Caller::parse(ROLE).unwrap();
    let own = identity::Identity {
        caller,
        policies: Vec::new(),
        boundary: None,
        facts: super::Facts::none(),
        gaps: Vec::new(),
        bounds: std::sync::Arc::new(super::Bounds::none()),
    };
    decide(&KeyAccess::of(&key).unwrap(), &own, "kms:Decrypt", &Scenario::open()).decision
}

#[test]
fn a_document_that_cannot_be_read_makes_the_verdict_uncertain_and_says_where() {
    let deep = |open: &str, close: &str| format!(r#"{{"Statement":{}{}}}"#, open.repeat(10_000), close.repeat(10_000));
    let long = format!(r#"{{"Statement":[{{"Sid":"{}"}}]}}"#, "x".repeat(5_000_000));
    for (raw, why) in [
        (long.clone(), format!("policy has {} bytes; AWS stores none over 1048576", long.len())),
        (deep("[", "]"), "line 1, column 140: recursion limit exceeded".to_owned()),
        (deep(r#"{"a":"#, "}"), "recursion limit exceeded".to_owned()),
        ("{\n  \"Statement\": [}".to_owned(), "line 2, column 17".to_owned()),
        (
            "{\"Statement\":[],\n\"Statement\":[]}".to_owned(),
            "line 2, column 15: the key 'Statement' stands twice".to_owned(),
        ),
        (
            r#"{"Statement":[{"Condition":{"Bool":{"a":"x","a":"y"}}}]}"#.to_owned(),
            "the key 'a' stands twice".to_owned(),
        ),
        ("\u{feff}{}".to_owned(), "line 1, column 1".to_owned()),
        ("{\"a\":\"\\ud800\"}".to_owned(), "line 1".to_owned()),
        (String::new(), "line 1, column 0: EOF".to_owned()),
        (r#"{"Statement":"all"}"#.to_owned(), "at /Statement".to_owned()),
        (r#"{"Version":7,"Statement":[]}"#.to_owned(), "at /Version".to_owned()),
    ] {
        let Decision::Uncertain { why: said, .. } = of_key(raw.clone()) else {
            panic!("{}", &raw[..raw.len().min(60)])
        };
        let said = said.iter().map(|text| text.as_str().to_owned()).collect::<String>();
        assert!(said.contains(&why), "{said}\nwithout\n{why}");
        invariants::of_policy(&raw).unwrap();
    }
}

#[test]
fn a_line_that_is_no_text_says_from_which_byte() {
    for (line, why) in [
        (&b"{\"id\":\"\xff\"}"[..], "not UTF-8 from byte 7"),
        (b"\xfe", "not UTF-8 from byte 0"),
        (b"{\"id\":\"a\xc3\"}", "not UTF-8 from byte 8"),
    ] {
        let said = verdict(line);
        assert_eq!(
            (&said["decision"], said["error"].as_str().unwrap().contains(why)),
            (&json!("Error"), true),
            "{said}"
        );
    }
}

#[test]
fn wrong_types_everywhere_are_said_at_their_place_and_stop_nothing() {
    let bad =
        [json!(null), json!(7), json!(true), json!([]), json!({}), json!([[]]), json!({"AWS": {"a": 1}}), json!("")];
    for element in ["Effect", "Action", "NotAction", "Resource", "Principal", "NotPrincipal", "Condition", "Sid"] {
        for value in &bad {
            let statements = vec![allow(json!({})), allow(json!({element: value}))];
            let parsed = Policy::from_json(&policy(statements.clone())).unwrap();
            // What is malformed is at its place, and the statement beside it still counts.
            assert!(
                parsed.malformed().all(|(statement, why)| statement.pointer() == "/Statement/1" && !why.is_empty())
            );
            let said = judge(&case("resourcePolicy", policy(statements))).unwrap();
            let word = said.decision.word();
            assert!(["Allowed", "Uncertain"].contains(&word), "{element} {value}: {word}");
        }
    }
    for name in
        ["identityPolicies", "resourcePolicy", "scps", "grants", "request", "unknownContext", "endpointPolicies"]
    {
        for value in [json!(7), json!("x"), json!([7]), json!({"a": 1}), json!([{"a": 1}]), json!(true)] {
            let said = verdict(case(name, value.clone()).to_string().as_bytes());
            let known = matches!((name, &value), ("unknownContext", Value::Array(_)));
            let error = said["error"].as_str().unwrap_or_default();
            assert!(known || (said["decision"] == "Error" && !error.is_empty()), "{name} {value}: {said}");
        }
    }
}

#[test]
fn the_largest_key_policy_of_aws_is_read_whole() {
    let statement = allow(json!({"Sid": "A statement", "Condition": {"StringEquals": {"kms:ViaService": "s3"}}}));
    let mut statements = vec![statement.clone()];
    while policy(statements.clone()).to_string().len() + 200 < Document::KEY_POLICY_LIMIT {
        statements.push(statement.clone());
    }
    let raw = policy(statements.clone()).to_string();
    let parsed = Policy::parse(&Document::new(&raw)).unwrap();
    assert_eq!((parsed.statements.len(), parsed.is_well_formed()), (statements.len(), true));
    assert_eq!(&raw[parsed.statements[7].span.clone()], statement.to_string());
}

#[test]
fn a_hundred_thousand_statements_are_refused_by_size_or_read_to_the_end() {
    let many =
        |statement: &str| format!(r#"{{"Statement":[{}{statement}]}}"#, format!("{statement},").repeat(MANY - 1));
    // Whole statements are longer than any policy that AWS stores.
    let long = many(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
    assert!(
        matches!(of_key(long), Decision::Uncertain { why, .. } if why[0].as_str().contains("bytes; AWS stores none"))
    );
    // The shortest are not: each is malformed, and each is kept with its reason.
    let short = Policy::parse(&Document::new(many("{}"))).unwrap();
    assert_eq!((short.statements.len(), short.malformed().count()), (MANY, MANY));
    assert_eq!(short.statements[MANY - 1].pointer().as_str(), format!("/Statement/{}", MANY - 1));
    assert_eq!(short.statements[MANY - 1].span.len(), 2);
}

#[test]
fn what_is_many_in_a_case_is_gone_through_once() {
    let via = |n: usize| json!({"StringEquals": {"kms:ViaService": format!("v{n}")}});
    let broken: Vec<Value> =
        std::iter::once(allow(json!({}))).chain((0..MANY).map(|_| json!({"Effect": "Deny", "Action": 7}))).collect();
    let spared = |n: usize| json!({"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*", "Condition": via(n)});
    let partly: Vec<Value> = std::iter::once(allow(json!({}))).chain((0..10_000).map(spared)).collect();
    let session = |n: usize| format!("arn:aws:sts::111122223333:assumed-role/R/s{n}");
    let own =
        |n: usize| policy(vec![json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": via(n)})]);
    let root = json!({"AWS": "111122223333"});
    let mut delegated = case("identityPolicies", (0..40_000).map(own).collect());
    delegated["resourcePolicy"] = policy(vec![allow(json!({"Principal": root}))]);
    let grant = |n: usize| json!({"granteePrincipal": ROLE, "operations": ["Decrypt"], "encryptionContextEquals": {"app": n.to_string()}});
    for (name, case, word) in [
        ("malformed statements", case("resourcePolicy", policy(broken)), "Uncertain"),
        ("NotPrincipal statements", case("resourcePolicy", policy(partly)), "Uncertain"),
        (
            "conditions",
            case("resourcePolicy", policy((0..20_000).map(|n| allow(json!({"Condition": via(n)}))).collect())),
            "Conditional",
        ),
        (
            "sessions in one Principal",
            case(
                "resourcePolicy",
                policy(vec![allow(json!({"Principal": {"AWS": (0..MANY).map(session).collect::<Vec<_>>()}}))]),
            ),
            "Conditional",
        ),
        (
            "values of a condition",
            case(
                "resourcePolicy",
                policy(vec![allow(json!({"Condition": {"StringEquals": {
                "kms:ViaService": (0..MANY).map(|n| format!("v{n}")).collect::<Vec<_>>()}}}))]),
            ),
            "Conditional",
        ),
        ("identity policies", delegated, "Conditional"),
        ("grants", case("grants", (0..50_000).map(grant).collect()), "Conditional"),
        (
            "wildcards",
            case("resourcePolicy", policy(vec![allow(json!({"Action": format!("kms:{}t", "*?".repeat(50_000))}))])),
            "ImplicitlyDenied",
        ),
    ] {
        let answer = judge(&case).unwrap();
        assert_eq!(answer.decision.word(), word, "{name}");
        assert!(answer.decision.by().len() <= 64 * 4, "{name}: {} statements named", answer.decision.by().len());
    }
}

#[test]
fn the_console_survives_a_policy_of_ten_thousand_strangers() {
    let strangers: Vec<String> = (0..10_000).map(|n| format!("arn:aws:iam::444455556666:role/r{n}")).collect();
    let raw = policy(vec![allow(json!({"Principal": {"AWS": strangers}}))]).to_string();
    let Rules::Known(_) = KeyAccess::of(&{
        let mut key = Key::bare(KEY);
        key.policy = Read::got(Document::new(raw), Timestamp::from_secs(1));
        key
    })
    .unwrap()
    .resource()
    .rules
    else {
        panic!("not read")
    };
}

/// Numbers that are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Texts that are nearly policies: words of the language put together, cut, joined and spoilt.
#[test]
fn the_fuzz_targets_hold_over_made_up_input() {
    let table = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access/conformance.ndjson"));
    let cases: Vec<String> =
        table.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["case"].to_string()).collect();
    let words = [
        "\"Statement\"",
        "\"Effect\"",
        "\"Allow\"",
        "\"Deny\"",
        "\"Action\"",
        "\"NotAction\"",
        "\"Principal\"",
        "\"AWS\"",
        "\"*\"",
        "\"Condition\"",
        "\"StringEquals\"",
        "\"stringequals\"",
        "\"Version\"",
        "\"2012-10-17\"",
        "\"arn:aws:iam::1:root\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\\u0000",
        "\"",
        "é",
        "\u{202e}",
        "1e999",
        "null",
        "\"kms:*\"",
        "\"Resource\"",
        "\\",
        " ",
        "\n",
    ];
    let operators = [
        "StringEquals",
        "StringNotLike",
        "ForAnyValue:ArnLike",
        "NumericLessThanIfExists",
        "DateEquals",
        "NotIpAddress",
        "Null",
        "Bool",
        "ForAllValues:StringNotEquals",
        "BinaryEquals",
        "ArnNotEquals",
    ];
    let values = [
        "true",
        "false",
        "10.0.0.0/8",
        "10.0.0.1",
        "2026-01-01",
        "1e3",
        "*",
        "a?",
        "${aws:x}",
        "arn:aws:s3:::*",
        "",
        "\u{1b}[2J",
        "::1",
        "é",
    ];
    let mut dice = Dice(11);
    for round in 0..3_000 {
        let text = if round % 3 == 0 {
            (0..dice.below(40)).map(|_| words[dice.below(words.len())]).collect::<String>()
        } else {
            // A good document with one word spoilt.
            let good: Value = serde_json::from_str(&cases[dice.below(cases.len())]).unwrap();
            let mut raw = good.get("resourcePolicy").unwrap_or(&good["identityPolicies"]).to_string();
            let at = (0..=dice.below(raw.len().max(1))).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or(0);
            raw.insert_str(at, words[dice.below(words.len())]);
            raw
        };
        invariants::of_policy(&text).unwrap_or_else(|broken| panic!("{broken}:\n{text}"));

        let mut line = cases[dice.below(cases.len())].clone().into_bytes();
        if round % 2 == 0 {
            let at = dice.below(line.len());
            line[at] = dice.below(256) as u8;
        }
        invariants::of_case(&line).unwrap_or_else(|broken| panic!("{broken}:\n{}", String::from_utf8_lossy(&line)));

        let mut pick = |from: &[&str]| from[dice.below(from.len())].to_owned();
        let parts = [pick(&operators), pick(&["aws:x", "kms:ViaService"]), pick(&values), pick(&values), pick(&values)];
        let text = parts.join("\n");
        invariants::of_condition(&text).unwrap_or_else(|broken| panic!("{broken}:\n{text}"));
    }
}
