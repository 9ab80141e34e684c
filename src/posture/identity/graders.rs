//! CUS-IAM-12: the Lambda functions that grade reinforcement fine-tuning.

use std::collections::{BTreeMap, BTreeSet};

use super::reach::other_buckets;
use super::{BEDROCK, binds, is_string};
use crate::access::{Caller, Identity, Policy, PrincipalEntry, Scenario, Statement};
use crate::base::{ResourceId, Text};
use crate::inventory::feeders::FunctionConfiguration;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed, listed_refs, unread};
use crate::posture::network::{Unseen, openings};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_12: Control = Control {
    id: "CUS-IAM-12",
    title: "The grader of a reinforcement fine-tuning is invocable only by the job",
    severity: Severity::Medium,
    area: Area::Identity,
    what: "Lambda functions that grade customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION, SourceId::SUBNETS, SourceId::ROUTE_TABLES],
    details: &[SourceId::FUNCTIONS, SourceId::FUNCTION_POLICIES],
    logic: "The resource policy of a function that grades must let neither everybody nor a foreign account invoke it, \
            and Bedrock only with aws:SourceAccount of ours; anybody else but the role of a job is a warning. The \
            function sees every training sample: it must run in subnets without a way to the internet, and its role \
            must not reach buckets other than those of its jobs.",
    reasons: &[
        "public-principal",
        "foreign-account",
        "source-account-missing",
        "other-principal",
        "open-network",
        "reaches-buckets",
    ],
    remediation: "Remove the statement, or tie it to this account; put the function into isolated subnets, and narrow \
                  its role.",
    cli: "aws lambda remove-permission --function-name FUNCTION --statement-id SID",
    compliance: &[
        (NIST, &["AC-3"]),
        (FEDRAMP, &["AC-3"]),
        (PCI, &["7.2.5"]),
        (GDPR, &["28"]),
        (OWASP, &["LLM04"]),
        (ATLAS, &["AML.T0020"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: graders,
};

/// Actions on objects that would carry samples away, or let others in.
const ON_OBJECTS: &[&str] = &["s3:GetObject", "s3:PutObject"];

/// The jobs that a function grades.
#[derive(Default)]
struct Graded<'a> {
    jobs: BTreeSet<ResourceRef>,
    roles: BTreeSet<&'a str>,
    buckets: BTreeSet<&'a str>,
}

fn graders(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut graded: BTreeMap<&ResourceId, Graded<'_>> = BTreeMap::new();
    for job in inventory.jobs.values() {
        let Ok(detail) = job.detail.known() else { continue };
        let Some(grader) = &detail.grader else { continue };
        let uses = graded.entry(grader).or_default();
        uses.jobs.insert(ResourceRef::new(Kind::Job, &job.arn));
        uses.roles.insert(detail.role.as_str());
        let data = detail.training.iter().chain(&detail.validation).chain(&detail.output);
        uses.buckets.extend(data.map(|uri| uri.bucket.as_str()));
    }
    graded.into_iter().flat_map(|(arn, graded)| grader(judge, arn, &graded)).collect()
}

fn grader(judge: &Judge<'_>, arn: &ResourceId, graded: &Graded<'_>) -> Vec<Verdict> {
    let subject = judge.on(ResourceRef::new(Kind::Function, arn)).related(graded.jobs.iter().cloned());
    let Some(function) = judge.context.inventory.functions.get(arn) else {
        let gap = judge.gap(SourceId::FUNCTIONS).unwrap_or_else(|| Text::new("it is not in the inventory"));
        return vec![subject.unread(format!("function {}: {gap}", arn.last()))];
    };
    let configuration = match function.configuration.known() {
        Ok(Some(configuration)) => configuration,
        Ok(None) => return vec![subject.not_applicable(format!("function {} does not exist any more", arn.last()))],
        Err(unknown) => return vec![subject.unread(unread("lambda:GetFunctionConfiguration", unknown))],
    };
    let policy = match function.policy.known() {
        Ok(None) => None,
        Ok(Some(document)) => match Policy::parse(document) {
            Ok(policy) => Some(policy),
            Err(error) => return vec![subject.malformed("function policy", None, error)],
        },
        Err(unknown) => return vec![subject.unread(unread("lambda:GetPolicy", unknown))],
    };
    let name = arn.last();
    let statements = policy.iter().flat_map(|policy| &policy.statements);
    let mut problems: Vec<Problem> =
        statements.flat_map(|statement| invokers(judge.context, name, statement, graded)).collect();
    let mut unsure = policy
        .iter()
        .flat_map(Policy::malformed)
        .next()
        .map(|(statement, why)| Text::new(format!("function policy, {}: {why}", statement.pointer())));
    network(judge, name, configuration, &mut problems, &mut unsure);
    buckets(judge, name, configuration, graded, &mut problems, &mut unsure);
    let subnets = configuration.vpc.as_ref().map(|vpc| listed(&vpc.subnets));
    let draft = subject
        .shows("statements", policy.as_ref().map_or(0, |policy| policy.statements.len()))
        .shows("Role", &configuration.role)
        .shows("VpcConfig", subnets.unwrap_or_else(|| "none".to_owned()))
        .shows("usedBy", listed_refs(judge.context, &graded.jobs));
    let open = unsure.map(|why| ("uncertain", why));
    draft.conclude_open(problems, open, "only its jobs may invoke it, and it reaches nothing else")
}

/// Whom one statement lets invoke the function.
fn invokers(context: &Context<'_>, name: &str, statement: &Statement, graded: &Graded<'_>) -> Vec<Problem> {
    let covers = statement.actions.as_ref().is_some_and(|actions| actions.cover("lambda:InvokeFunction"));
    let (true, true, Some(principals)) = (statement.allows(), covers, &statement.principals) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let mut add = |problem: fn(&'static str, String) -> Problem, code, who: &str, more: &str| {
        let who = Text::new(who);
        let why = format!("{} lets {who} invoke function {name}{more}", statement.label());
        problems.push(problem(code, why).points("principal", &who, statement.pointer()));
    };
    let ours = |key: &str| {
        statement.conditions.iter().any(|condition| {
            condition.is_on(key)
                && binds(condition)
                && is_string(condition.operator)
                && condition.values.iter().all(|value| context.trusts(value))
        })
    };
    let bound = ours("aws:SourceAccount") || ours("aws:PrincipalAccount") || in_organization(statement);
    type Grade = fn(&'static str, String) -> Problem;
    let (grade, code, more): (Grade, _, _) = if bound {
        (Problem::warn, "other-principal", ", of accounts that we trust")
    } else {
        (Problem::fail, "public-principal", "")
    };
    if principals.negated {
        add(grade, code, "everybody but a few (NotPrincipal)", more);
        return problems;
    }
    for entry in &principals.entries {
        let written = entry.written();
        match entry {
            PrincipalEntry::Everyone => add(grade, code, "everybody (\"*\")", more),
            PrincipalEntry::UniqueId(_) => {}
            PrincipalEntry::Service(service) if service == BEDROCK => {
                if !ours("aws:SourceAccount") {
                    add(Problem::fail, "source-account-missing", service, " for any account (no aws:SourceAccount)");
                }
            }
            // The account's own policies decide anyway.
            PrincipalEntry::Account(account) if account == context.account => {}
            PrincipalEntry::Arn(arn) if graded.roles.contains(arn.to_string().as_str()) => {}
            entry if entry.account().is_some_and(|account| !context.trusts(account)) => {
                add(Problem::fail, "foreign-account", &written, "");
            }
            _ => add(Problem::warn, "other-principal", &written, ", which is no role of its jobs"),
        }
    }
    problems
}

/// Whether a statement holds in one organization only.
fn in_organization(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| {
        condition.is_on("aws:PrincipalOrgID")
            && binds(condition)
            && is_string(condition.operator)
            && condition.values.iter().all(|value| value.starts_with("o-") && !value.contains(['*', '?']))
    })
}

fn network(
    judge: &Judge<'_>,
    name: &str,
    configuration: &FunctionConfiguration,
    problems: &mut Vec<Problem>,
    unsure: &mut Option<Text>,
) {
    let Some(vpc) = &configuration.vpc else {
        let why = format!("function {name} runs outside of any VPC, in a network with the internet behind it");
        problems.push(Problem::fail("open-network", why).shows("VpcConfig", "none"));
        return;
    };
    for id in &vpc.subnets {
        match openings(judge, id) {
            Ok(found) => {
                // What starts with a public address is no matter: Lambda gives none to its interfaces.
                let ways = found.problems.into_iter().filter(|problem| problem.code != "public-ip-on-launch");
                problems.extend(ways.map(|way| Problem {
                    code: "open-network",
                    reason: format!("function {name}: {}", way.reason),
                    ..way
                }));
            }
            Err(Unseen::Unread(why)) => *unsure = unsure.take().or(Some(why)),
            // why not "gone": only subnets of jobs are read.
            Err(Unseen::Gone) => {
                let why = format!("subnet {id} of function {name} is none of a job: its routes are not read");
                *unsure = unsure.take().or(Some(Text::new(why)));
            }
        }
    }
}

fn buckets(
    judge: &Judge<'_>,
    name: &str,
    configuration: &FunctionConfiguration,
    graded: &Graded<'_>,
    problems: &mut Vec<Problem>,
    unsure: &mut Option<Text>,
) {
    let role = &configuration.role;
    let Ok(caller) = Caller::parse(role.as_str()) else {
        *unsure = unsure.take().or(Some(Text::new(format!("{role} is no role ARN"))));
        return;
    };
    let identity = Identity::of(judge.context.inventory, &caller);
    let found = other_buckets(judge.context, &identity, &graded.buckets, ON_OBJECTS, &Scenario::open());
    if !found.others.is_empty() {
        let why = format!("role {} of function {name} reaches {}", caller.name(), listed(&found.others));
        problems.push(Problem::fail("reaches-buckets", why).shows("buckets", listed(&found.others)));
    }
    // why first: a role that is missing from a list that was refused is told by the refusal.
    let gap = judge.gap(SourceId::AUTHORIZATION).or_else(|| identity.gaps.first().cloned());
    *unsure = unsure.take().or(gap).or(found.unsure);
}
