//! CUS-DET-09: whether what was done lately looks like stolen credentials at work on models.

use crate::activity::jacking::{Sign, Spotted};
use crate::base::ResourceId;
use crate::base::arn::ArnKind;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Subject, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{CUSTOMIZED, idle};

pub(in crate::posture) const DET_09: Control = Control {
    id: "CUS-DET-09",
    title: "No LLM-jacking and no first-seen customization activity in CloudTrail",
    severity: Severity::High,
    area: Area::Detection,
    what: "customization jobs, custom or imported models, deployments",
    lists: CUSTOMIZED,
    tables: &[SourceId::EVENTS],
    details: &[],
    logic: "CloudTrail's event history of the last 24 hours is looked through, principal by principal. Wrong: six or more \
            of the 14 calls that Prowler knows LLM-jacking by, or nine of these and the calls of customization; ten \
            refused calls to Bedrock within ten minutes. A warning: a change to customization or to logging by a \
            principal, or from a public address, that was never seen to change anything before: where somebody made one, \
            each of these calls is looked up by name over the 90 days that CloudTrail keeps. To call something new takes \
            a week of that; without it, such a change is Unknown, not new.",
    reasons: &["many-kinds-of-calls", "denial-burst", "first-seen-principal", "first-seen-address"],
    remediation: "Find out whether it was meant. If not: deactivate the credentials, deny the role, end its sessions, and \
                  look at what it made.",
    cli: "aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=NAME",
    compliance: &[
        (NIST, &["SI-4", "AU-6", "IR-4"]),
        (FEDRAMP, &["SI-4", "AU-6", "IR-4"]),
        (PCI, &["10.4.1"]),
        (HIPAA, &["164.308(a)(6)"]),
        (OWASP, &["LLM10"]),
        (ATLAS, &["AML.T0012", "AML.T0034", "AML.T0040"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: jacking,
};

fn jacking(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let region = judge.on_region();
    let Some(watch) = context.activity else {
        if idle(context) {
            return Vec::new();
        }
        let why = judge.gap(SourceId::EVENTS).map(|gap| gap.to_string());
        return vec![region.unread(why.unwrap_or_else(|| "event history not read yet".to_owned()))];
    };
    let history = context.inventory.settings.changes.known();
    let spotted = watch.spotted(context.now, history.ok());
    if spotted.is_empty() {
        if idle(context) {
            return Vec::new();
        }
        let draft = region.shows("events", watch.looked_at());
        let draft = draft.shows_some("changesKnownSince", history.ok().map(|history| history.since));
        let draft = draft.shows_some("since", watch.since()).shows("signs", "none");
        return vec![draft.pass("nothing of the last 24 hours looks like it")];
    }
    let known = match history {
        Ok(history) => format!("changes are known since {} only", history.since.minute()),
        Err(unknown) => unread("the history of changes", unknown),
    };
    spotted.into_iter().map(|one| sign(judge, &one, &known)).collect()
}

fn sign(judge: &Judge<'_>, one: &Spotted, known: &str) -> Verdict {
    let who = &one.who;
    let code = match one.sign {
        Sign::ManyKinds => "many-kinds-of-calls",
        Sign::Denials => "denial-burst",
        Sign::NewPrincipal => "first-seen-principal",
        Sign::NewAddress => "first-seen-address",
        Sign::PerhapsNew => "history-too-short",
    };
    let draft = subject(judge, one.principal.as_ref(), who.as_str(), code)
        .shows("principal", one.principal.as_ref().map_or(who.as_str(), ResourceId::as_str))
        .shows("eventNames", listed(&one.calls))
        .shows("count", one.count)
        .shows("sourceIPAddress", listed(&one.from))
        .shows("first", one.first)
        .shows("last", one.last);
    let calls = listed(&one.calls);
    match one.sign {
        Sign::ManyKinds => draft
            .fail(code, format!("{who} made {} kinds of calls that LLM-jacking is made of: {calls}", one.calls.len())),
        Sign::Denials => {
            draft.fail(code, format!("{who} was refused {} calls to Bedrock within ten minutes: {calls}", one.count))
        }
        Sign::NewPrincipal => draft.warn(code, format!("{who} was never seen to change customization before: {calls}")),
        Sign::NewAddress => {
            draft.warn(code, format!("{who} made {calls} from {}, where it never was before", listed(&one.from)))
        }
        Sign::PerhapsNew => {
            let why = format!("{who} made {calls}; whether that is new cannot be told without a week before: {known}");
            draft.undecided(code, why)
        }
    }
}

/// Whom a sign is about: the role or user, if that is one of ours.
fn subject<'a>(judge: &Judge<'a>, principal: Option<&ResourceId>, who: &str, code: &'static str) -> Subject<'a> {
    let arn = principal.and_then(ResourceId::arn).filter(|arn| arn.account == judge.context.account);
    match (principal, arn.map(|arn| arn.kind())) {
        (Some(id), Some(ArnKind::Role)) => judge.on(ResourceRef::new(Kind::Role, id)).part(code),
        (Some(id), Some(ArnKind::User)) => judge.on(ResourceRef::new(Kind::User, id)).part(code),
        _ => judge.on_region().part(&format!("{code}/{who}")),
    }
}
