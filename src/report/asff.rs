//! AWS Security Finding Format, version 2018-10-08: a JSON array, as `aws securityhub
//! batch-import-findings --findings file://…` takes it at most 100 at a time. Lengths are cut to the
//! limits of the service, which refuses a finding that breaks one. Source: Security Hub user guide, "Required
//! attributes" and the model of BatchImportFindings.

use std::io;

use serde_json::{Value, json};

use super::{Report, Resolved, Scan, clip, control_of};
use crate::inventory::{Kind, ResourceRef};
use crate::posture::{Severity, Status, Verdict};

/// Writes it.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &findings(report)).map_err(io::Error::from)?;
    writeln!(out)
}

/// Every finding of a report. What is not applicable is left out: it is about nothing.
fn findings(report: &Report<'_>) -> Vec<Value> {
    report.scans.iter().flat_map(of_scan).collect()
}

/// Those of one session.
pub(super) fn of_scan(scan: &Scan<'_>) -> Vec<Value> {
    let told = scan.assessment.verdicts.iter().filter(|verdict| verdict.status != Status::NotApplicable);
    told.map(|verdict| finding(scan, verdict)).collect()
}

/// What was found before and is not there any more: the same finding, archived. Its resource is that of what its
/// control says now; of one that is gone only the name is known.
pub(super) fn archived(scan: &Scan<'_>, resolved: &[Resolved]) -> Vec<Value> {
    let one = |gone: &Resolved| {
        let now = scan.whole.verdicts.iter().find(|verdict| {
            verdict.control == gone.control.as_str()
                && (gone.verdict.starts_with(&verdict.id) || verdict.name == gone.name)
        });
        let resource = now.map_or_else(
            || json!({"Type": "Other", "Id": clip(gone.name.as_str(), 512), "Partition": scan.session.partition, "Region": scan.session.region}),
            |verdict| resource(scan, &verdict.resource),
        );
        let control = crate::posture::control(gone.control.as_str());
        let title = control.map_or("", |control| control.title);
        let severity = json!({"Label": "INFORMATIONAL"});
        json!({
            "SchemaVersion": "2018-10-08",
            "Id": clip(&format!("bedwatch/{}/{}/{}", scan.session.account, scan.session.region, gone.verdict), 512),
            "ProductArn": product(scan),
            "GeneratorId": format!("bedwatch/{}", gone.control),
            "AwsAccountId": scan.session.account,
            "Types": [TYPE],
            "FirstObservedAt": gone.first_seen,
            "CreatedAt": gone.first_seen,
            "UpdatedAt": scan.at,
            "Severity": severity,
            "Title": clip(&format!("{} {title}", gone.control), 256),
            "Description": "It was found before and is not there any more.",
            "Resources": [resource],
            "Compliance": {"Status": "PASSED"},
            "RecordState": "ARCHIVED",
        })
    };
    resolved.iter().map(one).collect()
}

/// Security Hub's name for what bedwatch reports.
const TYPE: &str = "Software and Configuration Checks/AWS Security Best Practices";

fn product(scan: &Scan<'_>) -> String {
    let session = scan.session;
    format!(
        "arn:{}:securityhub:{}:{}:product/{}/default",
        session.partition, session.region, session.account, session.account
    )
}

fn finding(scan: &Scan<'_>, verdict: &Verdict) -> Value {
    let session = scan.session;
    let control = control_of(verdict);
    let severity = json!({"Label": severity(verdict), "Original": verdict.severity.word()});
    let types = json!([TYPE]);
    let mut resources = vec![resource(scan, &verdict.resource)];
    // Security Hub takes 32 resources a finding.
    resources.extend(verdict.related.iter().take(31).map(|other| resource(scan, other)));
    let mut finding = json!({
        "SchemaVersion": "2018-10-08",
        "Id": clip(&scan.uid(verdict), 512),
        "ProductArn": product(scan),
        "GeneratorId": format!("bedwatch/{}", verdict.control),
        "AwsAccountId": session.account,
        "Types": types,
        "FirstObservedAt": scan.since(verdict),
        "LastObservedAt": scan.at,
        "CreatedAt": scan.since(verdict),
        "UpdatedAt": scan.at,
        "Severity": severity,
        "Title": clip(&format!("{} {}", verdict.control, verdict.title), 256),
        "Description": clip(verdict.reason.as_str(), 1024),
        "ProductFields": {
            "ProviderName": "bedwatch",
            "ProviderVersion": env!("CARGO_PKG_VERSION"),
            "bedwatch/SubReason": verdict.code,
        },
        "Resources": resources,
        "Compliance": compliance(verdict),
        "RecordState": "ACTIVE",
        "FindingProviderFields": {"Severity": severity, "Types": types},
    });
    if let Some(fields) = finding.as_object_mut() {
        if verdict.status == Status::Muted {
            fields.insert("Workflow".into(), json!({"Status": "SUPPRESSED"}));
        }
        if let Some(control) = control {
            let text = clip(&format!("{} {}", control.remediation, control.cli), 512);
            fields.insert("Remediation".into(), json!({"Recommendation": {"Text": text}}));
        }
    }
    finding
}

fn compliance(verdict: &Verdict) -> Value {
    // The format has no word for "could not look"; NOT_AVAILABLE with the reason says it.
    let status = match verdict.status {
        Status::Pass => "PASSED",
        Status::Fail => "FAILED",
        Status::Warn | Status::Muted => "WARNING",
        Status::Unknown | Status::NotApplicable => "NOT_AVAILABLE",
    };
    let mapped = control_of(verdict).map_or(&[][..], |control| control.compliance);
    let requirements = mapped.iter().flat_map(|(framework, ids)| ids.iter().map(move |id| format!("{framework} {id}")));
    let mut compliance = json!({
        "Status": status,
        "RelatedRequirements": requirements.map(|text| clip(&text, 64)).take(32).collect::<Vec<_>>(),
        "AssociatedStandards": mapped.iter().take(20).map(|(framework, _)| json!({"StandardsId": framework})).collect::<Vec<_>>(),
    });
    if verdict.status == Status::Unknown
        && let Some(fields) = compliance.as_object_mut()
    {
        let why =
            json!([{"ReasonCode": "CONFIG_EVALUATIONS_EMPTY", "Description": clip(verdict.reason.as_str(), 1024)}]);
        fields.insert("StatusReasons".into(), why);
    }
    compliance
}

fn resource(scan: &Scan<'_>, reference: &ResourceRef) -> Value {
    json!({
        "Type": kind(reference.kind),
        "Id": clip(reference.id.as_str(), 512),
        "Partition": scan.session.partition,
        "Region": scan.session.region,
        "Details": {"Other": {"Kind": reference.kind.word(), "Name": clip(&scan.inventory.name_of(reference), 1024)}},
    })
}

/// The format's name for a kind; it has none for Bedrock's.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Account | Kind::Region => "AwsAccount",
        Kind::Key => "AwsKmsKey",
        Kind::Bucket => "AwsS3Bucket",
        Kind::Role => "AwsIamRole",
        Kind::User => "AwsIamUser",
        Kind::Group => "AwsIamGroup",
        Kind::Policy => "AwsIamPolicy",
        Kind::Vpc => "AwsEc2Vpc",
        Kind::Subnet => "AwsEc2Subnet",
        Kind::RouteTable => "AwsEc2RouteTable",
        Kind::SecurityGroup => "AwsEc2SecurityGroup",
        Kind::Trail => "AwsCloudTrailTrail",
        _ => "Other",
    }
}

fn severity(verdict: &Verdict) -> &'static str {
    match (verdict.status, verdict.severity) {
        (Status::Pass | Status::NotApplicable, _) => "INFORMATIONAL",
        (_, Severity::Critical) => "CRITICAL",
        (_, Severity::High) => "HIGH",
        (_, Severity::Medium) => "MEDIUM",
        (_, Severity::Low) => "LOW",
    }
}
