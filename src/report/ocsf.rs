//! OCSF 1.5.0: Compliance Finding (class 2003), which is what a posture verdict is; and the same as
//! Detection Finding (class 2004) for readers that take only those. One JSON array. What is not
//! applicable is not exported: it is about nothing. Source: schema.ocsf.io/1.5.0.

use std::io;

use serde_json::{Map, Value, json};

use super::{Report, Scan, control_of, evidence_line};
use crate::posture::{Severity, Status, Verdict};

/// A class of the schema.
#[derive(Clone, Copy)]
struct Class {
    uid: u32,
    name: &'static str,
}

const COMPLIANCE: Class = Class { uid: 2003, name: "Compliance Finding" };
const DETECTION: Class = Class { uid: 2004, name: "Detection Finding" };

/// Writes compliance findings.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    all(report, COMPLIANCE, out)
}

/// Writes detection findings.
pub(super) fn write_detections(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    all(report, DETECTION, out)
}

/// One finding a line inside the array: it streams, and it can be read with line tools.
fn all(report: &Report<'_>, class: Class, out: &mut dyn io::Write) -> io::Result<()> {
    let mut before = "[\n";
    for (scan, verdict) in report.verdicts().filter(|(_, verdict)| verdict.status != Status::NotApplicable) {
        out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut *out, &finding(scan, verdict, class)).map_err(io::Error::from)?;
        before = ",\n";
    }
    out.write_all(if before == "[\n" { b"[]\n" } else { b"\n]\n" })
}

fn finding(scan: &Scan<'_>, verdict: &Verdict, class: Class) -> Value {
    let (severity_id, severity) = severity(verdict);
    let muted = verdict.status == Status::Muted;
    let mut event = json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class.uid,
        "class_name": class.name,
        "type_uid": class.uid * 100 + 1,
        "type_name": format!("{}: Create", class.name),
        "time": scan.at.millis(),
        "time_dt": scan.at,
        "message": verdict.reason,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": if muted { 3 } else { 1 },
        "status": if muted { "Suppressed" } else { "New" },
        "status_code": verdict.status.word(),
        "status_detail": verdict.reason,
        "metadata": {
            "event_code": verdict.control,
            "version": "1.5.0",
            "profiles": ["cloud", "datetime"],
            "tenant_uid": scan.session.account,
            "product": {
                "uid": "bedwatch", "name": "bedwatch", "vendor_name": "bedwatch", "version": env!("CARGO_PKG_VERSION"),
            },
        },
        "finding_info": {
            "uid": scan.uid(verdict),
            "title": verdict.title,
            "desc": control_of(verdict).map(|control| control.logic),
            "types": [verdict.code],
            "created_time": scan.since(verdict).millis(),
            "created_time_dt": scan.since(verdict),
            "first_seen_time": scan.since(verdict).millis(),
            "last_seen_time": scan.at.millis(),
            "analytic": {"type_id": 1, "type": "Rule", "uid": verdict.control, "name": verdict.title},
        },
        "resources": resources(scan, verdict),
        "cloud": {
            "provider": "AWS",
            "region": scan.session.region,
            "account": {
                "uid": scan.session.account, "name": scan.session.account_name(),
                "type": "AWS Account", "type_id": 10,
            },
        },
        "unmapped": {"fixes": verdict.fixes, "sources": verdict.sources},
    });
    let Some(fields) = event.as_object_mut() else { return event };
    if let Some(control) = control_of(verdict) {
        let desc = format!("{} {}", control.remediation, control.cli);
        fields.insert("remediation".into(), json!({"desc": desc}));
        let compliance = compliance(verdict, control.compliance);
        if class.uid == COMPLIANCE.uid {
            fields.insert("compliance".into(), compliance);
        } else if let Some(Value::Object(unmapped)) = fields.get_mut("unmapped") {
            unmapped.insert("compliance".into(), compliance);
            fields.insert("is_alert".into(), json!(verdict.status == Status::Fail));
        }
    }
    event
}

fn compliance(verdict: &Verdict, mapped: &[(&str, &[&str])]) -> Value {
    let (status_id, status) = match verdict.status {
        Status::Pass => (1, "Pass"),
        Status::Warn => (2, "Warning"),
        Status::Fail => (3, "Fail"),
        Status::Unknown => (0, "Unknown"),
        Status::Muted | Status::NotApplicable => (99, verdict.status.word()),
    };
    let requirements = mapped.iter().flat_map(|(framework, ids)| ids.iter().map(move |id| format!("{framework} {id}")));
    json!({
        "control": verdict.control,
        "standards": mapped.iter().map(|(framework, _)| framework).collect::<Vec<_>>(),
        "requirements": requirements.collect::<Vec<_>>(),
        "status": status,
        "status_id": status_id,
    })
}

/// The subject first, then what it concerns.
fn resources(scan: &Scan<'_>, verdict: &Verdict) -> Value {
    let place = |kind: &str, id: &str| {
        let mut fields = Map::new();
        fields.insert("uid".into(), json!(id));
        fields.insert("type".into(), json!(kind));
        fields.insert("region".into(), json!(scan.session.region));
        fields.insert("cloud_partition".into(), json!(scan.session.partition));
        fields
    };
    let mut subject = place(verdict.resource.kind.word(), verdict.resource.id.as_str());
    subject.insert("name".into(), json!(verdict.name));
    subject.insert("data".into(), json!({"details": evidence_line(verdict), "evidence": verdict.evidence}));
    let mut all = vec![Value::Object(subject)];
    all.extend(verdict.related.iter().map(|other| Value::Object(place(other.kind.word(), other.id.as_str()))));
    Value::Array(all)
}

/// What passes is information; anything else weighs what its control says.
fn severity(verdict: &Verdict) -> (u8, &'static str) {
    match (verdict.status, verdict.severity) {
        (Status::Pass | Status::NotApplicable, _) => (1, "Informational"),
        (_, Severity::Low) => (2, "Low"),
        (_, Severity::Medium) => (3, "Medium"),
        (_, Severity::High) => (4, "High"),
        (_, Severity::Critical) => (5, "Critical"),
    }
}
