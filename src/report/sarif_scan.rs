//! A scan as SARIF: findings only, as code hosts expect. They ask for a file, which a cloud resource has
//! not: the path is made of region, kind and name, and the ARN is the name inside it.

use std::io;

use super::sarif::{self, Finding, Location, Rule, Run};
use super::{Report, Scan, control_of};
use crate::posture::Status;

/// Writes it: one run a session.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let places: Vec<Vec<String>> = report.scans.iter().map(places).collect();
    let mut runs: Vec<Run<'_>> = report.scans.iter().zip(&places).map(|(scan, places)| run(scan, places)).collect();
    if let Some(first) = runs.first_mut() {
        let lost = report.failures.iter().map(|lost| format!("not scanned: {}: {}", lost.place(), lost.error));
        first.gaps.extend(lost);
    }
    sarif::write(&runs, out)
}

/// `aws/us-east-1/key/orion-chat` for each finding, in their order.
fn places(scan: &Scan<'_>) -> Vec<String> {
    let place = |verdict: &&crate::posture::Verdict| {
        let kind = verdict.resource.kind.word().replace(' ', "-");
        format!("aws/{}/{kind}/{}", scan.session.region, verdict.name)
    };
    scan.assessment.findings().iter().map(place).collect()
}

fn run<'a>(scan: &'a Scan<'_>, places: &'a [String]) -> Run<'a> {
    let mut run = Run::default();
    for (verdict, place) in scan.assessment.findings().into_iter().zip(places) {
        if let Some(control) = control_of(verdict)
            && run.rules.iter().all(|rule| rule.id != control.id)
        {
            run.rules.push(Rule {
                id: control.id,
                title: control.title,
                help: control.remediation,
                severity: control.severity,
                tags: vec!["security", control.area.word()],
            });
        }
        run.results.push(Finding {
            rule: verdict.control,
            message: verdict.reason.to_string(),
            location: Location { uri: place, line: None, byte: None, name: verdict.resource.id.as_str() },
            key: &verdict.id,
            severity: Some(verdict.severity),
        });
    }
    let unknown = scan.assessment.verdicts.iter().filter(|verdict| verdict.status == Status::Unknown);
    run.gaps = unknown.map(|verdict| format!("{}: {}", verdict.id, verdict.reason)).collect();
    run
}
