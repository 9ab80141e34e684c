//! `bedwatch.scan/1`: one JSON document a session. A run over several sessions is one
//! `bedwatch.scans/1` that holds them, with those that could not be scanned. The JSON Schema of both is
//! `tests/reports/scan.schema.json`.

use std::io;

use serde_json::{Map, Value, json};

use super::{Report, Scan};
use crate::inventory::SourceId;
use crate::posture::{Verdict, score};

/// Writes it, indented, with a line end.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let document = match (report.scans.as_slice(), report.failures.as_slice()) {
        ([scan], []) => document(scan),
        (scans, failures) => json!({
            "schema": "bedwatch.scans/1",
            "scans": scans.iter().map(document).collect::<Vec<_>>(),
            "failures": failures,
        }),
    };
    serde_json::to_writer_pretty(&mut *out, &document).map_err(io::Error::from)?;
    writeln!(out)
}

fn document(scan: &Scan<'_>) -> Value {
    json!({
        "schema": "bedwatch.scan/1",
        "generated_at": scan.at,
        "session": {
            "account": scan.session.account,
            "alias": scan.session.alias,
            "region": scan.session.region,
            "partition": scan.session.partition,
            "principal": scan.session.principal,
            "mode": scan.session.mode,
            "endpoint": scan.session.endpoint,
        },
        "summary": {
            "by_status": scan.by_status().iter().map(|(s, n)| (s.word().to_owned(), json!(n))).collect::<Map<_, _>>(),
            "by_severity": scan.assessment.open().iter()
                .map(|(s, n)| (s.word().to_lowercase(), json!(n))).collect::<Map<_, _>>(),
            "score": score::score(scan.whole).1.percent(),
            "calls": scan.calls.iter().map(|c| c.calls).sum::<u64>(),
        },
        "verdicts": scan.assessment.verdicts.iter().map(|v| verdict(v, scan)).collect::<Vec<_>>(),
        "mutes": scan.mutes,
        "coverage": SourceId::all().map(|source| coverage(source, scan)).collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &Verdict, scan: &Scan<'_>) -> Value {
    json!({
        "id": verdict.id,
        "control": verdict.control,
        "title": verdict.title,
        "status": verdict.status,
        "severity": verdict.severity,
        "code": verdict.code,
        "reason": verdict.reason,
        "resource": {"arn": verdict.resource.id, "type": verdict.resource.kind, "name": verdict.name},
        "region": scan.session.region,
        "related": verdict.related.iter().map(|r| json!({"arn": r.id, "type": r.kind})).collect::<Vec<_>>(),
        "evidence": verdict.evidence,
        "sources": verdict.sources,
        "fixes": verdict.fixes,
        "muted": verdict.muted,
        "stale": verdict.stale,
        "first_seen": scan.first_seen.get(&verdict.id),
    })
}

fn coverage(source: SourceId, scan: &Scan<'_>) -> Value {
    let report = scan.coverage().report(source);
    json!({
        "source": source,
        "state": scan.coverage().state(source, scan.at),
        "at": report.map(|r| r.at),
        "items": report.map_or(0, |r| r.items),
        "failed": report.map_or(0, |r| r.failed),
        "error": report.and_then(|r| r.error.as_ref()).map(|e| json!({
            "kind": e.kind, "operation": e.operation, "message": e.message, "advice": e.kind.advice_once(),
        })),
    })
}
