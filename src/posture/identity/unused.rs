//! CUS-IAM-10: rights over custom models that nobody uses.

use super::reach::{CONTROL_PLANE, INVOCATION, held};
use crate::access::{Caller, Identity, Scenario};
use crate::base::{Text, Timestamp};
use crate::inventory::iam::{LastAccessed, LastUse};
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, HIPAA, NIST, PCI};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_10: Control = Control {
    id: "CUS-IAM-10",
    title: "Unused Bedrock customization rights are removed",
    severity: Severity::Medium,
    area: Area::Identity,
    what: "roles and users that may customize models or invoke custom ones",
    lists: &[SourceId::JOBS, SourceId::IMPORT_JOBS, SourceId::MODELS, SourceId::IMPORTED_MODELS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[SourceId::LAST_USE_REPORTS, SourceId::LAST_USES],
    logic: "Where there are custom models or jobs: each role and user whose policies let it make, copy, share, serve or \
            delete models, or invoke custom ones, must have used Amazon Bedrock within 90 days (IAM's last-accessed \
            report). Where the report tells single actions, one of those over models must have been used too. \
            Principals made within 90 days have time.",
    reasons: &["bedrock-unused", "customization-unused"],
    remediation: "Take the rights away, or narrow the policy to what is used.",
    cli: "aws iam detach-role-policy --role-name ROLE --policy-arn POLICY",
    compliance: &[
        (NIST, &["AC-2(3)", "AC-6(7)"]),
        (FEDRAMP, &["AC-2(3)", "AC-6(7)"]),
        (PCI, &["7.2.4"]),
        (HIPAA, &["164.308(a)(4)(ii)(C)"]),
        (CIS, &["2.11"]),
        (ATLAS, &["AML.T0012"]),
    ],
    fixes: &[],
    evaluate: unused,
};

const DAY: i64 = 86_400;

fn unused(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let nothing = inventory.jobs.is_empty()
        && inventory.import_jobs.is_empty()
        && inventory.models.is_empty()
        && inventory.imported_models.is_empty();
    // why: in an account that customizes nothing, rights over models are nothing special.
    if nothing {
        return Vec::new();
    }
    let mut verdicts: Vec<Verdict> = inventory.last_uses.values().filter_map(|last| principal(judge, last)).collect();
    if inventory.last_uses.len() >= LastUse::MOST {
        let why = format!(
            "last use is asked for {} principals, those used last first: there may be more that do not use their rights",
            LastUse::MOST
        );
        verdicts.push(judge.on_region().part("more").undecided("truncated", why));
    }
    verdicts
}

fn principal(judge: &Judge<'_>, last: &LastUse) -> Option<Verdict> {
    let context = judge.context;
    let arn = &last.principal;
    let (kind, created) = known(context.inventory, arn.as_str())?;
    let subject = judge.on(ResourceRef::new(kind, arn));
    let caller = Caller::parse(arn.as_str()).ok()?;
    let identity = Identity::of(context.inventory, &caller);
    let scenario = Scenario::open();
    let makes = held(context, &identity, CONTROL_PLANE, &scenario);
    let invokes = held(context, &identity, INVOCATION, &scenario);
    if makes.actions.is_empty() && invokes.actions.is_empty() {
        let unsure = makes.unsure.or(invokes.unsure)?;
        let why = format!("cannot tell whether {} has rights over custom models: {unsure}", caller.name());
        return Some(subject.undecided("uncertain", why));
    }
    // A report that could not be made leaves no use to look at.
    if let Err(unknown) = last.report.known() {
        return Some(subject.unread(unread("iam:GenerateServiceLastAccessedDetails", unknown)));
    }
    let used = match last.detail.known() {
        Ok(used) => used,
        Err(unknown) => return Some(subject.unread(unread("iam:GetServiceLastAccessedDetails", unknown))),
    };
    let days = i64::from(context.expect.unused_days);
    let recent = |at: Timestamp| context.now.secs_since(at) <= days * DAY;
    let minute = |at: Option<Timestamp>| at.map_or("not in the tracking period".to_owned(), Timestamp::minute);
    let rights = listed(makes.actions.iter().chain(&invokes.actions));
    let draft = subject
        .shows("LastAuthenticated", minute(used.at))
        .shows_some("LastAuthenticatedRegion", used.region.as_ref())
        .shows("rights", &rights)
        .shows("CreateDate", created.minute());
    let name = caller.name();
    if recent(created) {
        return Some(draft.pass(format!("made on {}: it has had no {days} days yet", created.minute())));
    }
    if !used.at.is_some_and(recent) {
        let since = used.at.map_or("ever, as far as IAM remembers".to_owned(), |at| format!("since {}", at.minute()));
        let why = format!("{name} holds {rights}, but has not used Bedrock {since}");
        return Some(draft.fail("bedrock-unused", why));
    }
    let (tracked, newest) = over_models(used, &makes.actions);
    let draft = draft.shows_some("trackedActions", (!tracked.is_empty()).then(|| listed(&tracked)));
    // why: IAM does not track every action; where it tracks none of these, the service's own date decides.
    if !tracked.is_empty() && !newest.is_some_and(recent) {
        let since = newest.map_or("ever, as far as IAM remembers".to_owned(), |at| format!("since {}", at.minute()));
        let why = format!("{name} uses Bedrock, but none of its rights over models ({}) {since}", listed(&tracked));
        return Some(draft.fail("customization-unused", why));
    }
    Some(draft.pass(format!("last used on {}", minute(used.at))))
}

/// What it is and when it was made; none for what is gone.
fn known(inventory: &Inventory, arn: &str) -> Option<(Kind, Timestamp)> {
    let role = inventory.roles.get(arn).map(|role| (Kind::Role, role.created));
    role.or_else(|| inventory.users.get(arn).map(|user| (Kind::User, user.created)))
}

/// Of the actions over models that it holds, those that IAM tracks, and when one was used last.
fn over_models<'a>(used: &'a LastAccessed, held: &[&str]) -> (Vec<&'a Text>, Option<Timestamp>) {
    let mine = |name: &Text| held.iter().any(|action| action.strip_prefix("bedrock:") == Some(name.as_str()));
    let tracked: Vec<_> = used.actions.iter().filter(|(name, _)| mine(name)).collect();
    let newest = tracked.iter().filter_map(|(_, at)| **at).max();
    (tracked.into_iter().map(|(name, _)| name).collect(), newest)
}
