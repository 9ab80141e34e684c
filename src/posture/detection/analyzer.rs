//! CUS-DET-10: whether Access Analyzer looks for access from outside, and what it has found on customization.

use std::collections::BTreeSet;

use crate::base::{Arn, ResourceId};
use crate::inventory::analyzer::{Analyzer, AnalyzerFinding};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, NIST, OWASP, PCI};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::idle;

pub(in crate::posture) const DET_10: Control = Control {
    id: "CUS-DET-10",
    title: "Access Analyzer is active, and silent on what customization uses",
    severity: Severity::High,
    area: Area::Detection,
    what: "customization jobs, custom or imported models, deployments",
    lists: &[],
    // why all that names buckets, keys and roles: silence on the lineage is only known of a whole lineage.
    tables: &[
        SourceId::JOBS,
        SourceId::JOB_DETAILS,
        SourceId::MODELS,
        SourceId::IMPORT_JOBS,
        SourceId::IMPORT_JOB_DETAILS,
        SourceId::IMPORTED_MODELS,
        SourceId::DEPLOYMENTS,
        SourceId::ACCESS_ANALYZER,
        SourceId::ANALYZER_FINDINGS,
    ],
    details: &[SourceId::ANALYZER_DETAILS],
    logic: "The region must have an active analyzer for access from outside (of the account or the organization), and it \
            must have no active finding on a bucket, key or role of the lineage. A finding that names trusted accounts \
            alone passes. Models are no resource that Access Analyzer knows: their policies are judged elsewhere.",
    reasons: &["no-analyzer", "external-access", "public-access"],
    remediation: "Create an analyzer; take the access away that it found, or archive the finding if it is meant.",
    cli: "aws accessanalyzer create-analyzer --analyzer-name NAME --type ACCOUNT",
    compliance: &[
        (NIST, &["AC-6", "CA-7"]),
        (FEDRAMP, &["AC-6", "CA-7"]),
        (PCI, &["7.2.4"]),
        (GDPR, &["32"]),
        (CIS, &["2.19"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
    ],
    fixes: &[],
    evaluate: analyzers,
};

fn analyzers(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let inventory = context.inventory;
    if idle(context) {
        return Vec::new();
    }
    let subject = judge.on_region();
    let active: Vec<&Analyzer> = inventory.analyzers.values().filter(|analyzer| analyzer.watches_outside()).collect();
    let others = inventory.analyzers.values().filter(|analyzer| !analyzer.watches_outside());
    let others: Vec<String> = others.map(|one| format!("{} ({}, {})", one.name, one.kind, one.status)).collect();
    let draft = subject
        .shows("analyzers", if active.is_empty() { "none".to_owned() } else { listed(active.iter().map(|a| &a.name)) })
        .shows_some("others", (!others.is_empty()).then(|| listed(&others)))
        .shows_some("lastResourceAnalyzedAt", active.iter().filter_map(|analyzer| analyzer.analyzed).max());
    let reached = [Kind::Bucket, Kind::Role].map(|kind| (kind, context.lineage.reached(kind)));
    let findings = inventory.analyzer_findings.values();
    let mut verdicts: Vec<Verdict> = findings.filter_map(|finding| external(judge, &reached, finding)).collect();
    // An analyzer that has found something is told with what it found.
    match (active.is_empty(), judge.gap(SourceId::ACCESS_ANALYZER)) {
        (false, _) if verdicts.is_empty() => {
            let names = listed(active.iter().map(|analyzer| &analyzer.name));
            verdicts.push(draft.pass(format!("analyzer {names} finds no access from outside")));
        }
        (false, _) => {}
        (true, Some(why)) => verdicts.push(draft.undecided("unread", why)),
        (true, None) => {
            let why = format!("no active analyzer in {} looks for access from outside", context.region);
            verdicts.push(draft.fail("no-analyzer", why));
        }
    }
    verdicts
}

/// What of the lineage findings can be about, beside keys.
type Reached = [(Kind, BTreeSet<ResourceId>); 2];

/// What a finding on something of the lineage says.
fn external(judge: &Judge<'_>, lineage: &Reached, finding: &AnalyzerFinding) -> Option<Verdict> {
    let context = judge.context;
    let on = reached(context, lineage, finding)?;
    let name = format!("{} {}", on.kind.word(), context.name_of(&on));
    // why not the finding: its id tells nobody anything.
    let subject = judge.on(on).beside(ResourceRef::new(Kind::AnalyzerFinding, &finding.id));
    let access = match finding.detail.known() {
        Ok(access) => access,
        Err(unknown) => return Some(subject.unread(unread("access-analyzer:GetFindingV2", unknown))),
    };
    let who: Vec<String> = access.principal.iter().map(|(kind, id)| format!("{kind} {id}")).collect();
    let who = if who.is_empty() { "somebody".to_owned() } else { listed(who) };
    let conditions = access.condition.iter().map(|(key, value)| format!("{key} = {value}"));
    let draft = subject
        .shows("id", &finding.id)
        .shows("resource", &finding.resource)
        .shows("principal", &who)
        .shows("isPublic", access.public)
        .shows("action", listed(&access.actions))
        .shows_some("condition", (!access.condition.is_empty()).then(|| listed(conditions)))
        .shows("updatedAt", finding.updated);
    let trusted = !access.public
        && !access.principal.is_empty()
        && access.principal.iter().all(|(kind, id)| kind.as_str() == "AWS" && trusts(context, id.as_str()));
    Some(if access.public {
        draft.fail_as(Severity::Critical, "public-access", format!("{name} is open to everybody"))
    } else if trusted {
        draft.pass(format!("{name} is open to {who}, which is trusted"))
    } else {
        draft.fail("external-access", format!("{name} is open to {who} from outside"))
    })
}

fn trusts(context: &Context<'_>, principal: &str) -> bool {
    match principal.parse::<Arn>() {
        Ok(arn) => context.trusts(&arn.account),
        Err(_) => context.trusts(principal),
    }
}

/// What of the lineage a finding is about.
fn reached(context: &Context<'_>, lineage: &Reached, finding: &AnalyzerFinding) -> Option<ResourceRef> {
    let arn = &finding.resource;
    let (kind, id) = match finding.resource_type.as_str() {
        "AWS::S3::Bucket" => (Kind::Bucket, ResourceId::new(arn.as_str().rsplit(":::").next()?)),
        "AWS::KMS::Key" => (Kind::Key, arn.clone()),
        "AWS::IAM::Role" => (Kind::Role, arn.clone()),
        _ => return None,
    };
    let reference = ResourceRef::new(kind, id);
    // A key may stand in lineage under its alias; the inventory holds only what lineage reaches.
    let held = match kind {
        Kind::Key => context.inventory.keys.contains_key(&reference.id),
        kind => lineage.iter().any(|(of, ids)| *of == kind && ids.contains(&reference.id)),
    };
    held.then_some(reference)
}
