//! Who can hand a role to a job of Bedrock, and which.

use std::collections::BTreeSet;

use crate::access::catalogue::{self, Action};
use crate::access::{Condition, ContextValue, Decision, Identity, Policy, PrincipalEntry};
use crate::base::{Arn, Text};
use crate::inventory::SourceId;
use crate::inventory::iam::Role;
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::{
    Granted, NOBODY, Reach, customizes, granted, idle, may, principal, reaches, scenario, settle,
};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_06: Control = Control {
    id: "CUS-IAM-06",
    title: "iam:PassRole to Bedrock is scoped",
    severity: Severity::Critical,
    area: Area::Identity,
    what: "principals that may create jobs and pass roles",
    // why no lists: whether there is customization at all only says whether there is something to protect.
    lists: &[],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "A principal that may create a customization, import, evaluation or batch job or a custom model, and may \
            pass roles by a wildcard, must be tied by iam:PassedToService (or iam:AssociatedResourceArn): else it can \
            hand any role that trusts Bedrock to a job, and read with it what the role may read. Asked with the role \
            passed to Bedrock and to another service; Denies and the boundary count, other conditions do not help. A \
            wildcard over all roles, tied to Bedrock, is a warning. Roles named one by one pass.",
    reasons: &["unscoped-pass-role", "any-bedrock-role"],
    remediation: "Name the roles in Resource, and set iam:PassedToService to bedrock.amazonaws.com.",
    cli: "aws iam put-role-policy --role-name PRINCIPAL --policy-name pass-role --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-6(1)", "AC-6(10)"]),
        (FEDRAMP, &["AC-6"]),
        (PCI, &["7.2.2"]),
        (HIPAA, &["164.308(a)(4)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM06"]),
        (ATLAS, &["AML.T0012", "AML.T0025"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: scoped_pass_role,
};

const PASS: &str = "iam:PassRole";
const BEDROCK: &str = "bedrock.amazonaws.com";
/// A service that no policy names.
const OTHER: &str = "bedwatch-0.amazonaws.com";

/// Calls that take a role along.
const CREATES: &[&str] = &[
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateModelImportJob",
    "bedrock:CreateCustomModel",
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateModelInvocationJob",
];

fn scoped_pass_role(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    if let Some(said) = idle(judge, customizes(judge)) {
        return said;
    }
    let now = scenario(context);
    let to = |service: &str| now.clone().with("iam:PassedToService", ContextValue::one(service));
    let (to_bedrock, to_other) = (to(BEDROCK), to(OTHER));
    let creates: Vec<&Action> = CREATES.iter().filter_map(|action| catalogue::action(action)).collect();
    let Some(pass) = catalogue::action(PASS) else { return Vec::new() };
    let (model, role) = (of_account(context, "bedrock", "custom-model"), of_account(context, "iam", "role"));
    let mut passable: Option<Vec<&Role>> = None;
    let mut verdicts = Vec::new();
    for identity in judge.permissions().holders(judge, &[PASS]) {
        let Some(subject) = principal(identity).map(|this| judge.on(this)) else { continue };
        let created =
            creates.iter().flat_map(|action| reaches(identity, action, &model, &now).map(move |way| (*action, way)));
        let created: Vec<(&Action, Reach<'_>)> = created.take(16).collect();
        let passes: Vec<Reach<'_>> = reaches(identity, pass, &role, &to_bedrock).filter(decides).collect();
        let Some((create, by)) = created.iter().find(|(_, way)| may(&way.decision)).or(created.first()) else {
            // Who cannot create a job passes roles to others, which is no matter of Bedrock.
            verdicts.extend(identity.gaps.first().map(|gap| subject.undecided("uncertain", gap)));
            continue;
        };
        if passes.is_empty() {
            verdicts.extend(identity.gaps.first().map(|gap| subject.undecided("uncertain", gap)));
            continue;
        }
        let others: Vec<Reach<'_>> = reaches(identity, pass, &role, &to_other).filter(decides).collect();
        let (mut problems, mut unsure, mut scoped) = (Vec::new(), None, BTreeSet::new());
        for way in &passes {
            if let Decision::Uncertain { .. } = way.decision {
                unsure.get_or_insert_with(|| ("uncertain", Text::new(format!("{PASS}: {}", way.decision.words()))));
                continue;
            }
            let tied = is_tied(way, &others);
            if !way.wild || (tied && way.on != role) {
                scoped.insert(Text::new(&way.pattern));
                continue;
            }
            let roles = passable.get_or_insert_with(|| trusting(context));
            problems.push(problem(judge, identity, way, tied, roles, create));
        }
        if let Decision::Uncertain { .. } = by.decision {
            let why = format!("{}: {}", create.name, by.decision.words());
            unsure.get_or_insert_with(|| ("uncertain", Text::new(why)));
            problems.clear();
        }
        let draft = subject.shows("action", &create.name).points(
            "creates",
            format!("{} by {}", create.name, by.by.words()),
            Some(by.pointer()),
        );
        let right = format!("it can pass only {} to Bedrock", listed(&scoped));
        verdicts.extend(settle(draft, identity, problems, unsure, right));
    }
    if verdicts.is_empty() {
        let draft = judge.on_region().shows("principals", judge.permissions().everybody().len());
        verdicts.push(draft.pass("nobody may both create a job and pass it a role"));
    }
    verdicts
}

pub(super) fn of_account(context: &Context<'_>, service: &str, kind: &str) -> Arn {
    let resource = match kind {
        "custom-model" => format!("custom-model/{NOBODY}/{NOBODY}"),
        kind => format!("{kind}/{NOBODY}"),
    };
    let region = if service == "iam" { "" } else { context.region };
    Arn {
        partition: context.partition.to_owned(),
        service: service.to_owned(),
        region: region.to_owned(),
        account: context.account.to_owned(),
        resource,
    }
}

/// Whether something ties the passing to Bedrock: another service gets nothing by this statement.
fn is_tied(way: &Reach<'_>, others: &[Reach<'_>]) -> bool {
    let associated = |condition: &Condition| condition.is_on("iam:AssociatedResourceArn") && super::binds(condition);
    let place = |reach: &Reach<'_>| (reach.by.policy.to_owned(), reach.pointer(), reach.pattern.clone());
    way.by.statement.conditions.iter().any(associated) || !others.iter().any(|other| place(other) == place(way))
}

/// Whether what a way gives is of its own statement, not of another on the same resource.
fn decides(way: &Reach<'_>) -> bool {
    let by = way.decision.by();
    by.is_empty() || by.iter().any(|one| way.by.is(one))
}

fn problem(
    judge: &Judge<'_>,
    identity: &Identity,
    reach: &Reach<'_>,
    tied: bool,
    roles: &[&Role],
    create: &Action,
) -> Problem {
    let name = identity.caller.name();
    let resources = reach.by.statement.resources.as_ref();
    let covers = |role: &&&Role| {
        let arn = role.arn.arn();
        arn.is_some_and(|arn| resources.is_some_and(|resources| resources.cover(&arn)))
    };
    let within: Vec<&&Role> = roles.iter().filter(covers).collect();
    let reads = within.iter().map(|role| {
        let buckets = judge.permissions().find(&role.arn).map(readable).unwrap_or_default();
        if buckets.is_empty() { role.name.to_string() } else { format!("{} (reads {})", role.name, listed(buckets)) }
    });
    let problem = if tied {
        let why = format!("{name} may create jobs ({}) and pass Bedrock any role ({})", create.name, reach.by.place());
        Problem::warn("any-bedrock-role", why)
    } else {
        let when = match &reach.decision {
            Decision::Conditional { conditions, .. } => format!(" when {}", listed(conditions)),
            _ => String::new(),
        };
        let why = format!(
            "{name} may create jobs ({}) and pass any role that '{}' means, to any service, by {}{when}",
            create.name,
            Text::new(&reach.pattern),
            reach.by.place()
        );
        Problem::fail("unscoped-pass-role", why)
    };
    problem.points("iam:PassRole", reach.by.words(), reach.pointer()).shows("rolesThatTrustBedrock", listed(reads))
}

/// The roles that Bedrock can take.
fn trusting<'a>(context: &Context<'a>) -> Vec<&'a Role> {
    let bedrock = PrincipalEntry::Service(BEDROCK.to_owned());
    let trusts = |role: &&Role| {
        // why first: most roles are for other services, and a trust policy is long to parse.
        role.trust.raw().contains("bedrock")
            && Policy::parse(&role.trust).is_ok_and(|policy| {
                let named = |p: &crate::access::Principals| !p.negated && p.entries.contains(&bedrock);
                super::assuming(&policy).any(|statement| statement.principals.as_ref().is_some_and(named))
            })
    };
    context.inventory.roles.values().filter(trusts).collect()
}

/// What a role may read, as its policies write it.
fn readable(identity: &Identity) -> BTreeSet<Text> {
    let written =
        |by: Granted<'_>| by.statement.resources.as_ref().map(|held| held.patterns.clone()).unwrap_or_default();
    let reading = granted(identity).filter(|by| by.covers("s3:GetObject")).flat_map(written);
    reading.filter(|pattern| pattern == "*" || pattern.contains(":s3:::")).map(Text::new).collect()
}
