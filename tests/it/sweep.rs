//! Every operation that a scan really sends, refused and throttled in turn. Whatever is taken away, nothing gets
//! greener by it: no control that needs it passes, no finding goes away as if it had been mended, nothing that was
//! right turns wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bedwatch::aws::operations::{CONTENT, READS, service_operation};
use bedwatch::inventory::SourceId;
use bedwatch::posture::CONTROLS;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::scan::{bedwatch, err, out};

/// Scans at once. Each is somebody else to the bed, so that faults meet one of them alone.
const AT_ONCE: usize = 3;

/// What may be read and the seed gives no cause to: its jobs name no collection of OpenSearch Serverless.
const NO_CAUSE: [&str; 2] = ["aoss:GetSecurityPolicy", "aoss:ListSecurityPolicies"];

/// What a scan said.
struct Look {
    rows: BTreeMap<String, Row>,
    /// State and message of each source.
    coverage: BTreeMap<String, (String, String)>,
}

struct Row {
    control: String,
    resource: String,
    kind: String,
    status: String,
    code: String,
    reason: String,
}

impl Row {
    fn is_finding(&self) -> bool {
        matches!(self.status.as_str(), "FAIL" | "WARN")
    }

    fn is_blind(&self) -> bool {
        self.status == "UNKNOWN" || self.code == "needs-deep"
    }

    /// Two verdicts on the same thing.
    fn is_on(&self, other: &Self) -> bool {
        self.control == other.control && self.resource == other.resource
    }
}

/// One scan, as somebody of its own.
fn look(bed: &Bed, key: &str, retries: bool) -> Result<Look, String> {
    let env = [
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_RETRY_MODE", "standard"),
        // why: what is tested is what is said after the last attempt.
        ("AWS_MAX_ATTEMPTS", if retries { "3" } else { "1" }),
    ];
    let output = bedwatch(&["scan", "--deep", "--endpoint-url", &bed.url, "-M", "json"], &env);
    let text = out(&output);
    if text.is_empty() {
        assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}: {}", output.status, err(&output));
        return Err(err(&output));
    }
    assert!(matches!(output.status.code(), Some(3 | 4)), "{:?}: {}", output.status, err(&output));
    let document: Value = serde_json::from_str(&text).unwrap();
    let word = |row: &Value, pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let row = |row: &Value| Row {
        control: word(row, "/control"),
        resource: word(row, "/resource/arn"),
        kind: word(row, "/resource/type"),
        status: word(row, "/status"),
        code: word(row, "/code"),
        reason: word(row, "/reason"),
    };
    let rows = document["verdicts"].as_array().unwrap().iter().map(|one| (word(one, "/id"), row(one))).collect();
    let lines = document["coverage"].as_array().unwrap().iter();
    let coverage =
        lines.map(|one| (word(one, "/source"), (word(one, "/state"), word(one, "/error/message")))).collect();
    Ok(Look { rows, coverage })
}

/// `accessanalyzer:ListAnalyzers`, as the bed counts it, and the source that it is.
fn source_of(operation: &str) -> SourceId {
    let (service, name) = operation.split_once(':').expect("service:Operation");
    let service = match service {
        "accessanalyzer" => "access-analyzer",
        "opensearchserverless" => "aoss",
        same => same,
    };
    SourceId::named(&format!("{service}:{name}")).unwrap_or_else(|| panic!("{operation} is no source"))
}

/// What is wrong with a look from which `taken` was taken away.
fn wrong(taken: &[SourceId], clean: &Look, seen: &Look) -> Vec<String> {
    let names = taken.iter().map(|source| source.name()).collect::<Vec<_>>().join(" and ");
    let mut wrong = Vec::new();
    for source in taken {
        let (state, message) = &seen.coverage[source.name()];
        if !matches!(state.as_str(), "denied" | "partial" | "failed") || message.is_empty() {
            wrong.push(format!("{source} is {state} ({message})"));
        }
    }
    for control in CONTROLS {
        let needed: Vec<_> = control.needs().filter(|source| taken.contains(source)).collect();
        if needed.is_empty() {
            continue;
        }
        let before: Vec<_> = clean.rows.values().filter(|row| row.control == control.id).collect();
        let mine: Vec<_> = seen.rows.iter().filter(|(_, row)| row.control == control.id).collect();
        let judged = before.iter().any(|row| row.status != "NA");
        if mine.is_empty() || (judged && mine.iter().all(|(_, row)| row.status != "UNKNOWN")) {
            wrong.push(format!("{} needs {names} and nothing of it is unknown", control.id));
        }
        // A list that failed leaves what is known by another; all else must not pass.
        if needed.iter().any(|source| !control.lists.contains(source)) {
            let passes = mine.iter().filter(|(_, row)| row.status == "PASS");
            wrong.extend(passes.map(|(id, row)| format!("{id} passes without {names}: {}", row.reason)));
        }
    }
    for (id, row) in &seen.rows {
        let before = clean.rows.get(id);
        if row.status == "PASS" && before.is_none_or(|before| before.status != "PASS") {
            wrong.push(format!("{id} passes only without {names}: {}", row.reason));
        }
        // One thing may be judged in parts, some right and some wrong: what was wrong before is no news.
        let was_right = clean.rows.values().any(|before| before.is_on(row) && before.status == "PASS");
        if row.is_finding() && was_right && before.is_none_or(|before| !before.is_finding()) {
            wrong.push(format!("{id} is wrong only without {names}: {}", row.reason));
        }
    }
    for (id, row) in clean.rows.iter().filter(|(_, row)| row.is_finding()) {
        let held = seen.rows.get(id).is_some_and(Row::is_finding);
        // As the history of findings sees it: out of sight, not closed.
        let out_of_sight = || {
            let mut blind = seen.rows.values().filter(|other| other.is_blind() && other.control == row.control);
            blind.any(|other| other.is_on(row) || other.kind == "region")
        };
        if !held && !out_of_sight() {
            wrong.push(format!("{id} looks mended without {names}"));
        }
    }
    wrong
}

/// Plants faults for one scan, makes it, and says which of the operations it met.
fn without(bed: &Bed, key: &str, kind: &str, operations: &[&str]) -> (Result<Look, String>, Vec<String>) {
    let fault = |operation: &&str| {
        let (service, name) = operation.split_once(':').expect("service:Operation");
        json!({"kind": kind, "service": service, "operation": name, "key": key})
    };
    let planted = bed.control("POST", "faults", &Value::Array(operations.iter().map(fault).collect()));
    let seen = look(bed, key, kind != "throttle");
    let ids: Vec<&str> = planted.as_array().unwrap().iter().map(|fault| fault["id"].as_str().unwrap()).collect();
    let held = bed.control("GET", "faults", &json!({}));
    let hits = |id: &&str| held.as_array().unwrap().iter().any(|one| one["id"] == **id && one["hits"] != 0);
    let met = ids.iter().zip(operations).filter(|(id, _)| hits(id)).map(|(_, operation)| (*operation).to_owned());
    let met = met.collect();
    for id in ids {
        bed.control("DELETE", &format!("faults?id={id}"), &json!({}));
    }
    (seen, met)
}

/// Runs every job, some at once; what they found.
fn each<T: Sync>(jobs: &[T], run: impl Fn(&str, &T) -> Vec<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (next, found, run) = (&next, &found, &run);
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let wrong = run(&format!("SWEEP{worker}"), job);
                    found.lock().unwrap_or_else(PoisonError::into_inner).extend(wrong);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn no_operation_that_is_refused_or_throttled_makes_anything_greener() {
    // Nothing of what happens here enters the history, and none of it is shown: LookupEvents is then one page.
    let bed = Bed::start(&["--seed", "orion", "--no-record", "--trail-delay", "1000000000"]);
    let role = "arn:aws:sts::123456789012:assumed-role/oncall-readonly/sweep";
    let who = |worker| (format!("SWEEP{worker}"), json!({"type": "AssumedRole", "arn": role}));
    bed.control("POST", "identities", &(0..AT_ONCE).map(who).collect());
    bed.control("DELETE", "calls", &json!({}));
    let clean = look(&bed, "SWEEP0", true).unwrap();
    // What asks another service's opinion has an option and a test of its own.
    let asked = |name: &str| !name.starts_with("comprehend:");
    assert!(
        clean.coverage.iter().all(|(name, (state, _))| state == "complete" || !asked(name)),
        "{:?}",
        clean.coverage
    );

    let counted = bed.control("GET", "calls", &json!({}));
    let operations: Vec<&str> = counted["operations"].as_object().unwrap().keys().map(String::as_str).collect();
    let called: BTreeSet<String> = operations.iter().map(|operation| source_of(operation).name().to_owned()).collect();
    let allowed: BTreeSet<String> = READS.iter().chain(CONTENT).map(|(s, o)| service_operation(s, o)).collect();
    assert!(called.is_subset(&allowed), "{called:?}");
    assert_eq!(allowed.difference(&called).collect::<Vec<_>>(), NO_CAUSE, "the seed gives cause for all others");

    // Who we are comes first: without it nothing is said at all.
    let (others, first): (Vec<&str>, Vec<&str>) = operations.iter().copied().partition(|one| !one.starts_with("sts:"));
    for (kind, word) in [("access_denied", "denied"), ("throttle", "throttled")] {
        let (seen, _) = without(&bed, "SWEEP0", kind, &first);
        let Err(told) = seen else { panic!("a scan without {first:?}") };
        assert!(told.contains(word) && told.contains("sts:GetCallerIdentity"), "{told}");
    }

    let denied = each(&others, |key, operation| {
        let (seen, met) = without(&bed, key, "access_denied", &[*operation]);
        assert_eq!(met, [*operation], "the scan did not ask");
        wrong(&[source_of(operation)], &clean, &seen.unwrap())
    });
    assert!(denied.is_empty(), "denied: {denied:#?}");

    // One of each service at once: services throttle, and are waited for, each by itself.
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for operation in &others {
        let turn = turns.entry(operation.split(':').next().unwrap()).or_default();
        groups.resize(groups.len().max(*turn + 1), Vec::new());
        groups[*turn].push(operation);
        *turn += 1;
    }
    let left = Mutex::new(BTreeSet::new());
    let throttled = each(&groups, |key, group| {
        let (seen, met) = without(&bed, key, "throttle", group);
        // What another one of the group kept from being asked.
        let unmet = group.iter().copied().filter(|operation| !met.iter().any(|one| one == operation));
        left.lock().unwrap_or_else(PoisonError::into_inner).extend(unmet);
        wrong(&met.iter().map(|operation| source_of(operation)).collect::<Vec<_>>(), &clean, &seen.unwrap())
    });
    assert!(throttled.is_empty(), "throttled: {throttled:#?}");
    let left: Vec<&str> = left.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect();
    let alone = each(&left, |key, operation| {
        let (seen, met) = without(&bed, key, "throttle", &[*operation]);
        assert_eq!(met, [*operation], "the scan did not ask");
        wrong(&[source_of(operation)], &clean, &seen.unwrap())
    });
    assert!(alone.is_empty(), "throttled: {alone:#?}");
    assert_eq!(bed.mutating(), 0);
}
