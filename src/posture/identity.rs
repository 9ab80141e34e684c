//! Identity: who may assume the roles that customization jobs run as.

mod api_keys;
mod data_rights;
mod documented;
mod graders;
mod invokers;
#[cfg(test)]
pub(super) mod job_role_tests;
mod model_admins;
mod pass_role;
#[cfg(test)]
pub(super) mod principal_tests;
pub(super) mod reach;
mod service_roles;
#[cfg(test)]
pub(super) mod service_roles_tests;

#[cfg(test)]
pub(super) mod tests;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use super::control::{Context, Control};
use super::judge::{Judge, Problem, Subject, listed_refs};
use super::verdict::{Area, Severity, Verdict};
use crate::access::{Condition, Operator, Policy, PrincipalEntry, SetOperator, Statement};
use crate::base::{ResourceId, Text};
use crate::inventory::iam::Role;
use crate::inventory::{Kind, ResourceRef, SourceId};

pub(super) use api_keys::IAM_09;
pub(super) use data_rights::{IAM_03, IAM_04};
pub(super) use documented::IAM_05;
pub(super) use graders::IAM_12;
pub(super) use invokers::{FAMILIES, IAM_08, nobody_of};
pub(super) use model_admins::IAM_07;
pub(super) use pass_role::IAM_06;
pub(super) use service_roles::IAM_11;
pub(super) use unused::IAM_10;

/// Everything that says which roles Bedrock works as.
const WORK_LISTS: &[SourceId] = &[
    SourceId::JOBS,
    SourceId::JOB_DETAILS,
    SourceId::IMPORT_JOBS,
    SourceId::IMPORT_JOB_DETAILS,
    SourceId::EVALUATION_JOBS,
    SourceId::EVALUATION_JOB_DETAILS,
    SourceId::BATCH_JOBS,
    SourceId::LOGGING,
];

/// The service that customizes.
pub(super) const BEDROCK: &str = "bedrock.amazonaws.com";

pub(super) const IAM_01: Control = Control {
    id: "CUS-IAM-01",
    title: "Customization role is assumable only by Bedrock",
    severity: Severity::High,
    area: Area::Identity,
    what: "roles of customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "In the trust policy of each role that a customization job runs as, the only principal of an Allow for \
            sts:AssumeRole is the service bedrock.amazonaws.com. Everybody, any AWS principal or identity provider, \
            and any other service could take the role, and read the training data with it.",
    reasons: &["public-principal", "aws-principal", "other-service", "bedrock-missing"],
    remediation: "Replace the trust policy by one statement for bedrock.amazonaws.com with aws:SourceAccount and \
                  aws:SourceArn.",
    cli: "aws iam update-assume-role-policy --role-name ROLE --policy-document file://TRUST.json",
    compliance: &[
        (NIST, &["AC-3", "AC-6", "IA-9"]),
        (FEDRAMP, &["AC-3", "AC-6"]),
        (PCI, &["7.2.5"]),
        (HIPAA, &["164.308(a)(4)"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM06"]),
        (ATLAS, &["AML.T0012"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: trusted_principals,
};

fn trusted_principals(judge: &Judge<'_>) -> Vec<Verdict> {
    each_trust(judge, roles_of_jobs(judge), |subject, role, users, policy| {
        let draft = subject
            .shows("usedBy", listed_refs(judge.context, users))
            .shows("lastUsed", role.last_used.map_or("never".to_owned(), crate::base::Timestamp::minute));
        draft.conclude(strangers(role, policy), "only Bedrock may assume it")
    })
}

/// Who but Bedrock may assume a role, and whether Bedrock may not.
pub(super) fn strangers(role: &Role, policy: &Policy) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut bedrock = false;
    for statement in assuming(policy) {
        let Some(principals) = &statement.principals else { continue };
        let mut add = |code, who: &str| {
            let who = Text::new(who);
            let why = format!("{} lets {who} assume role {}", statement.label(), role.name);
            problems.push(Problem::fail(code, why).points("principal", &who, statement.pointer()));
        };
        if principals.negated {
            add("public-principal", "everybody but a few (NotPrincipal)");
            continue;
        }
        for entry in &principals.entries {
            let written = entry.written();
            match entry {
                PrincipalEntry::Everyone => add("public-principal", "everybody (\"*\")"),
                PrincipalEntry::Service(service) if service == BEDROCK => bedrock = true,
                PrincipalEntry::Service(service) if service.contains('*') => {
                    add("public-principal", &format!("any service ({service})"));
                }
                PrincipalEntry::Service(service) => add("other-service", service),
                PrincipalEntry::Account(_) | PrincipalEntry::Arn(_) => add("aws-principal", &written),
                PrincipalEntry::Federated(_) | PrincipalEntry::Canonical(_) => add("aws-principal", &written),
                // The id of a deleted role or user: nobody can be it again.
                PrincipalEntry::UniqueId(_) => {}
            }
        }
    }
    if !bedrock {
        problems.push(
            Problem::fail(
                "bedrock-missing",
                format!("the trust policy of {} does not let Bedrock assume it: jobs fail", role.name),
            )
            .shows("expected", BEDROCK),
        );
    }
    problems
}

pub(super) const IAM_02: Control = Control {
    id: "CUS-IAM-02",
    title: "Trust policy blocks the confused deputy (SourceAccount and customization-job SourceArn)",
    severity: Severity::High,
    area: Area::Identity,
    what: "roles of customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "Each statement that lets Bedrock assume the role of a customization job must say StringEquals \
            aws:SourceAccount with our account, and ArnEquals or ArnLike aws:SourceArn with \
            arn:PARTITION:bedrock:REGION:ACCOUNT:model-customization-job/…. A missing account or a wrong job type is \
            high, a missing ARN medium, a wildcard for the region low. An account in the ARN other than ours makes \
            the role unusable. Conditions with IfExists, ForAllValues or a negation do not count.",
    reasons: &[
        "source-account-missing",
        "source-arn-missing",
        "source-arn-region-wildcard",
        "source-arn-wrong-job-type",
        "source-arn-account-mismatch",
    ],
    remediation: "Set both conditions in the trust policy.",
    cli: "aws iam update-assume-role-policy --role-name ROLE --policy-document file://TRUST.json",
    compliance: &[
        (NIST, &["AC-3", "AC-4"]),
        (FEDRAMP, &["AC-3", "AC-4"]),
        (PCI, &["7.2.5", "7.2.6"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM06"]),
        (ATLAS, &["AML.T0012", "AML.M0019"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: confused_deputy,
};

fn confused_deputy(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    each_trust(judge, roles_of_jobs(judge), |subject, role, users, policy| {
        let Some(problems) = deputies(context, role, policy, &CUSTOMIZATION) else {
            return vec![subject.not_applicable(format!("role {} does not trust Bedrock; see CUS-IAM-01", role.name))];
        };
        let draft =
            subject.shows("expected", CUSTOMIZATION.expected(context)).shows("usedBy", listed_refs(context, users));
        draft.conclude(problems, "Bedrock may assume it for customization jobs of this account only")
    })
}

/// What a role is for: the kind of job that `aws:SourceArn` has to name.
pub(super) struct Purpose {
    /// As it stands in the ARN of a job, with its slash.
    pub kind: &'static str,
    /// In words.
    pub words: &'static str,
}

/// Customization.
const CUSTOMIZATION: Purpose = Purpose { kind: "model-customization-job/", words: "customization jobs" };

impl Purpose {
    /// What the conditions have to say here.
    pub(super) fn expected(&self, context: &Context<'_>) -> String {
        format!(
            "aws:SourceAccount {0}, aws:SourceArn arn:{1}:bedrock:{2}:{0}:{3}*",
            context.account, context.partition, context.region, self.kind
        )
    }
}

/// What the statements for Bedrock leave open; none when there is no such statement.
pub(super) fn deputies(context: &Context<'_>, role: &Role, policy: &Policy, purpose: &Purpose) -> Option<Vec<Problem>> {
    let bedrock = PrincipalEntry::Service(BEDROCK.to_owned());
    let mut to_bedrock = assuming(policy)
        .filter(|s| s.principals.as_ref().is_some_and(|p| !p.negated && p.entries.contains(&bedrock)))
        .peekable();
    to_bedrock.peek()?;
    Some(to_bedrock.flat_map(|statement| deputy(context, role, statement, purpose)).collect())
}

/// What one statement for Bedrock leaves open.
fn deputy(context: &Context<'_>, role: &Role, statement: &Statement, purpose: &Purpose) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = &role.name;
    let found: Vec<String> = statement.conditions.iter().map(|condition| condition.words().to_string()).collect();
    let found = if found.is_empty() { "no condition".to_owned() } else { found.join("; ") };
    let mut add = |severity, code, why: String| {
        problems.push(Problem::fail(code, why).graded(severity).points("condition", &found, statement.pointer()));
    };
    let on = |key| statement.conditions.iter().filter(move |condition| condition.is_on(key) && binds(condition));
    let pinned = on("aws:SourceAccount").any(|condition| {
        is_string(condition.operator) && condition.values.iter().all(|value| value == context.account)
    });
    if !pinned {
        let why = format!("role {name}: aws:SourceAccount does not tie Bedrock to account {}", context.account);
        add(Severity::High, "source-account-missing", why);
    }
    let arns: Vec<&str> = on("aws:SourceArn")
        .filter(|condition| is_string(condition.operator) || is_arn(condition.operator))
        .flat_map(|condition| condition.values.iter().map(String::as_str))
        .collect();
    if arns.is_empty() {
        let why = format!("role {name}: no aws:SourceArn ties Bedrock to {}", purpose.words);
        add(Severity::Medium, "source-arn-missing", why);
        return problems;
    }
    let parts: Vec<[&str; 6]> =
        arns.iter().filter_map(|arn| <[&str; 6]>::try_from(arn.splitn(6, ':').collect::<Vec<_>>()).ok()).collect();
    let right = parts.iter().any(|part| part[5].starts_with(purpose.kind));
    // A wildcard before the slash admits other kinds of job as well.
    let broad = parts.len() < arns.len()
        || parts.iter().any(|part| part[5].split('/').next().is_some_and(|kind| kind.contains(['*', '?'])));
    let written = || Text::new(arns.join(", "));
    if !right || broad {
        let why = format!("role {name}: aws:SourceArn is for {}, not for {} alone", written(), purpose.words);
        add(Severity::High, "source-arn-wrong-job-type", why);
    }
    if parts.iter().any(|part| part[3].is_empty() || part[3].contains(['*', '?'])) {
        let why = format!("role {name}: aws:SourceArn allows every Region ({})", written());
        add(Severity::Low, "source-arn-region-wildcard", why);
    }
    let foreign = parts.iter().find(|part| part[4] != context.account && (!part[4].contains(['*', '?']) || !pinned));
    if let Some(part) = foreign {
        let theirs = Text::new(part[4]);
        let why = format!(
            "role {name}: aws:SourceArn names account '{theirs}', not {}: Bedrock cannot use the role",
            context.account
        );
        add(Severity::High, "source-arn-account-mismatch", why);
    }
    problems
}

/// Whether a condition holds only when its key is there and matches.
pub(super) fn binds(condition: &Condition) -> bool {
    !condition.if_exists
        && condition.set != Some(SetOperator::ForAllValues)
        && condition.operator.opposite_of().is_none()
}

pub(super) fn is_string(operator: Operator) -> bool {
    matches!(operator, Operator::StringEquals | Operator::StringEqualsIgnoreCase | Operator::StringLike)
}

fn is_arn(operator: Operator) -> bool {
    matches!(operator, Operator::ArnEquals | Operator::ArnLike)
}

/// Statements that let somebody assume the role.
fn assuming(policy: &Policy) -> impl Iterator<Item = &Statement> {
    const WAYS: &[&str] = &["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];
    let covers = |statement: &&Statement| {
        statement.actions.as_ref().is_some_and(|actions| WAYS.iter().any(|way| actions.cover(way)))
    };
    policy.statements.iter().filter(|statement| statement.allows()).filter(covers)
}

/// The roles of customization jobs, with the jobs.
fn roles_of_jobs<'a>(judge: &Judge<'a>) -> BTreeMap<&'a ResourceId, BTreeSet<ResourceRef>> {
    let mut roles: BTreeMap<&ResourceId, BTreeSet<ResourceRef>> = BTreeMap::new();
    for job in judge.context.inventory.jobs.values() {
        // A detail that was not read is told by the list's gap.
        let Ok(detail) = job.detail.known() else { continue };
        roles.entry(&detail.role).or_default().insert(ResourceRef::new(Kind::Job, &job.arn));
    }
    roles
}

/// Judges the trust policy of each of these roles.
pub(super) fn each_trust(
    judge: &Judge<'_>,
    roles: BTreeMap<&ResourceId, BTreeSet<ResourceRef>>,
    decide: impl Fn(Subject<'_>, &Role, &BTreeSet<ResourceRef>, &Policy) -> Vec<Verdict>,
) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut verdicts = Vec::new();
    for (arn, users) in roles {
        let subject = judge.on(ResourceRef::new(Kind::Role, arn)).related(users.iter().cloned());
        let Some(role) = inventory.roles.get(arn) else {
            verdicts.push(match judge.gap(SourceId::AUTHORIZATION) {
                Some(why) => subject.unread(why),
                None => subject.not_applicable(format!("role {} does not exist any more", arn.last())),
            });
            continue;
        };
        let policy = match Policy::parse(&role.trust) {
            Ok(policy) => policy,
            Err(error) => {
                verdicts.push(subject.malformed("trust policy", None, error));
                continue;
            }
        };
        if let Some((statement, why)) = policy.malformed().next() {
            let pointer = statement.pointer();
            verdicts.push(subject.malformed(&format!("trust policy, {pointer}"), Some(pointer.clone()), why));
            continue;
        }
        verdicts.extend(decide(subject, role, &users, &policy));
    }
    verdicts
}
