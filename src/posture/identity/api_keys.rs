//! CUS-IAM-09: long-term API keys of Bedrock, and whose rights they carry.

use std::collections::BTreeMap;

use super::reach::{CONTROL_PLANE, Held, held, on_some};
use crate::access::{Caller, Condition, ContextValue, Effect, Identity, Policy, Scenario};
use crate::base::{ResourceId, Text};
use crate::inventory::iam::{ApiKey, User};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_09: Control = Control {
    id: "CUS-IAM-09",
    title: "Long-term Bedrock API keys absent, expiring and low-privilege",
    severity: Severity::High,
    area: Area::Identity,
    what: "long-term API keys of Amazon Bedrock",
    lists: &[SourceId::API_KEYS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "Every active API key in the account must expire at most 90 days after it was made; one that never does, or \
            only after ten years or more, is critical. Its user must not be allowed to create, import, copy, share, \
            serve or delete models, nor to change logging or guardrails, by identity policies and boundary. Inactive \
            and expired keys pass. Service control policies against bearer tokens are shown, and not counted.",
    reasons: &["never-expires", "expires-late", "privileged-user"],
    remediation: "Set the key to inactive, and use credentials of a role, or short-term keys, instead.",
    cli: "aws iam update-service-specific-credential --user-name USER --service-specific-credential-id KEY \
          --status Inactive",
    compliance: &[
        (NIST, &["IA-5", "IA-5(1)", "AC-2(3)"]),
        (FEDRAMP, &["IA-5", "IA-5(1)", "AC-2(3)"]),
        (PCI, &["8.3.9", "8.6.3"]),
        (HIPAA, &["164.308(a)(5)(ii)(D)"]),
        (GDPR, &["32"]),
        (CIS, &["2.13"]),
        (OWASP, &["LLM10"]),
        (ATLAS, &["AML.T0055", "AML.T0012"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: api_keys,
};

/// A life that is as good as endless. why ten years: keys without an end are made as keys of a hundred.
const ENDLESS_DAYS: i64 = 3650;
const DAY: i64 = 86_400;
/// What a call with such a key needs, beside the right to the call itself.
const BEARER: &str = "bedrock:CallWithBearerToken";

/// What the user of a key may do.
enum Power {
    /// It is known.
    Known {
        /// Its rights over models.
        held: Held,
        /// Why calls with a key are refused altogether, if they are.
        refused: Option<Text>,
    },
    /// It is not, and why.
    Unknown(Text),
}

fn api_keys(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let users: BTreeMap<&Text, &User> = context.inventory.users.values().map(|user| (&user.name, user)).collect();
    let forbidden = forbidden(context);
    let mut powers: BTreeMap<&Text, Power> = BTreeMap::new();
    let mut verdicts = Vec::new();
    for key in context.inventory.api_keys.values() {
        let user = users.get(&key.user);
        let owner = user.map(|user| ResourceRef::new(Kind::User, &user.arn));
        let subject = judge.on(ResourceRef::new(Kind::ApiKey, &key.id)).related(owner);
        let draft = subject
            .shows("UserName", &key.user)
            .shows("Status", if key.active { "Active" } else { "Inactive" })
            .shows("CreateDate", key.created.minute())
            .shows("ExpirationDate", key.expires.map_or("never".to_owned(), crate::base::Timestamp::minute))
            .shows_some("serviceControlPolicy", forbidden.as_ref());
        if !key.active {
            verdicts.push(draft.pass("inactive: Bedrock refuses it"));
            continue;
        }
        if let Some(expired) = key.expires.filter(|at| *at <= context.now) {
            verdicts.push(draft.pass(format!("expired on {}", expired.minute())));
            continue;
        }
        let mut problems: Vec<Problem> =
            lifetime(key, i64::from(judge.context.expect.api_key_days)).into_iter().collect();
        let power = powers.entry(&key.user).or_insert_with(|| power(judge, user.map(|user| &user.arn), &key.user));
        let mut unsure = None;
        let draft = match power {
            Power::Unknown(why) => {
                unsure = Some(why.clone());
                draft
            }
            Power::Known { refused: Some(why), .. } => draft.shows(BEARER, why),
            Power::Known { held, refused: None } => {
                if !held.actions.is_empty() {
                    let may = listed(held.actions.iter().map(|action| action.trim_start_matches("bedrock:")));
                    let why = format!("whoever has key {} of user {} may {may}", key.id, key.user);
                    problems.push(Problem::fail("privileged-user", why).shows("actions", listed(&held.actions)));
                }
                unsure.clone_from(&held.unsure);
                draft
            }
        };
        let open = unsure.map(|why| ("uncertain", why));
        verdicts.extend(draft.conclude_open(problems, open, "expires in time, and gives no power over models"));
    }
    verdicts
}

fn lifetime(key: &ApiKey, longest: i64) -> Option<Problem> {
    let (id, user) = (&key.id, &key.user);
    let Some(expires) = key.expires else {
        let why = format!("key {id} of user {user} never expires");
        return Some(Problem::fail("never-expires", why).graded(Severity::Critical).shows("days", "no end"));
    };
    let days = expires.secs_since(key.created).div_euclid(DAY);
    let problem = match days {
        ENDLESS_DAYS.. => {
            let why = format!("key {id} of user {user} expires only after {} years", days / 365);
            Problem::fail("never-expires", why).graded(Severity::Critical)
        }
        days if days > longest => {
            let why = format!("key {id} of user {user} lives {days} days; at most {longest} are asked for");
            Problem::fail("expires-late", why)
        }
        _ => return None,
    };
    Some(problem.shows("days", days))
}

fn power(judge: &Judge<'_>, user: Option<&ResourceId>, name: &Text) -> Power {
    let unknown = || {
        let gap = judge.gap(SourceId::AUTHORIZATION);
        Power::Unknown(gap.unwrap_or_else(|| Text::new(format!("user {name} of the key is not in the inventory"))))
    };
    let Some(caller) = user.and_then(|arn| Caller::parse(arn.as_str()).ok()) else { return unknown() };
    let identity = Identity::of(judge.context.inventory, &caller);
    let scenario = Scenario::open().with("bedrock:BearerTokenType", ContextValue::one("LONG_TERM"));
    let bearer = on_some(judge.context, &identity, BEARER, "", &scenario);
    let refused = bearer.is_denied().then(|| bearer.words());
    Power::Known { held: held(judge.context, &identity, CONTROL_PLANE, &scenario), refused }
}

/// Service control policies on the account's path that speak against calls with API keys.
fn forbidden(context: &Context<'_>) -> Option<String> {
    let policies = context.inventory.organization_policies.values().filter(|p| p.kind == "SERVICE_CONTROL_POLICY");
    let mut found = Vec::new();
    for held in policies {
        let Some(policy) = held.document.known().ok().and_then(|document| Policy::parse(document).ok()) else {
            continue;
        };
        for statement in policy.statements.iter().filter(|s| s.effect == Effect::Deny && s.malformed.is_none()) {
            let covers = |action: &str| statement.actions.as_ref().is_some_and(|actions| actions.cover(action));
            let mut doors = Vec::new();
            if covers(BEARER) {
                doors.push("bedrock");
            }
            if covers("bedrock-mantle:CallWithBearerToken") {
                doors.push("bedrock-mantle");
            }
            if !doors.is_empty() {
                let when = listed(statement.conditions.iter().map(Condition::words));
                let when = if when.is_empty() { String::new() } else { format!(" when {when}") };
                found.push(format!("{} denies CallWithBearerToken of {}{when}", held.name, doors.join(" and ")));
            }
        }
    }
    (!found.is_empty()).then(|| listed(found))
}
