//! CUS-LOG-06: the role that writes the invocation log.

use super::deputy::{Tied, tied};
use super::log_target;
use crate::access::{Caller, Decision, Identity, Policy, PrincipalEntry, Scenario, Statement, identity_decides};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::iam::Role;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_06: Control = Control {
    id: "CUS-LOG-06",
    title: "Role of invocation logging is least-privilege",
    severity: Severity::Medium,
    area: Area::Logging,
    what: "roles of invocation logging",
    lists: &[SourceId::LOGGING],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "The role that Bedrock writes to CloudWatch Logs with must exist. Only bedrock.amazonaws.com may assume it, \
            with aws:SourceAccount and aws:SourceArn of this account. It must be allowed logs:CreateLogStream and \
            logs:PutLogEvents on the stream aws/bedrock/modelinvocations of the log group, and nothing else.",
    reasons: &[
        "role-missing",
        "bedrock-missing",
        "other-principal",
        "source-account-missing",
        "source-arn-missing",
        "missing-right",
        "over-granted",
    ],
    remediation: "Create the role again, or narrow its trust and its policy to what the logic says.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name invocation-log --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-6", "AU-9(4)"]),
        (FEDRAMP, &["AC-6", "AU-9(4)"]),
        (PCI, &["10.3.1"]),
        (HIPAA, &["164.308(a)(4)"]),
        (ATLAS, &["AML.M0019"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: logger,
};

const BEDROCK: &str = "bedrock.amazonaws.com";
/// What the role needs, and all it needs (Amazon Bedrock User Guide, model invocation logging).
const RIGHTS: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

fn logger(judge: &Judge<'_>) -> Vec<Verdict> {
    let Some(target) = log_target(judge) else { return Vec::new() };
    let (context, arn) = (judge.context, &target.role);
    let subject = judge.on(ResourceRef::new(Kind::Role, arn)).related([super::group_ref(&target.log_group)]);
    let Some(role) = context.inventory.roles.get(arn) else {
        return vec![match judge.gap(SourceId::AUTHORIZATION) {
            Some(why) => subject.unread(why),
            None => {
                let why = format!("role {} of invocation logging does not exist: the log is lost silently", arn.last());
                subject.shows("roleArn", arn).fail("role-missing", why)
            }
        }];
    };
    let trust = match Policy::parse(&role.trust) {
        Ok(trust) => trust,
        Err(error) => return vec![subject.malformed("trust policy", None, error)],
    };
    if let Some((statement, why)) = trust.malformed().next() {
        let pointer = statement.pointer();
        return vec![subject.malformed(&format!("trust policy, {pointer}"), Some(pointer.clone()), why)];
    }
    let stream = stream(context, &target.log_group);
    let draft = subject.shows("roleArn", arn).shows("expected", format!("{} on {stream}", RIGHTS.join(", ")));
    let mut problems = trusts(context, role, &trust);
    let Ok(caller) = Caller::parse(arn.as_str()) else {
        return vec![draft.undecided("uncertain", format!("{arn} is no role ARN"))];
    };
    let identity = Identity::of(context.inventory, &caller);
    let mut open = None;
    for action in RIGHTS {
        let answer = identity_decides(&identity, action, &stream, &Scenario::open());
        match &answer.decision {
            Decision::Allowed { .. } => {}
            Decision::Conditional { .. } | Decision::Uncertain { .. } => {
                open = Some(format!("{action}: {}", answer.decision.words()));
            }
            denied => {
                let why = format!("role {} cannot write the log: {action} is {}", role.name, denied.words());
                problems.push(Problem::fail("missing-right", why));
            }
        }
    }
    problems.extend(surplus(role, &identity, &stream));
    let open = open.map(|why| ("uncertain", why));
    draft.conclude_open(problems, open, "may write the log, and nothing else")
}

/// The stream that Bedrock writes to.
fn stream(context: &Context<'_>, group: &ResourceId) -> Arn {
    Arn {
        partition: context.partition.to_owned(),
        service: "logs".to_owned(),
        region: context.region.to_owned(),
        account: context.account.to_owned(),
        resource: format!("log-group:{group}:log-stream:aws/bedrock/modelinvocations"),
    }
}

/// What is wrong with who may assume the role.
fn trusts(context: &Context<'_>, role: &Role, trust: &Policy) -> Vec<Problem> {
    let name = &role.name;
    let bedrock = PrincipalEntry::Service(BEDROCK.to_owned());
    let mut problems = Vec::new();
    let mut trusted = false;
    let assumes = |statement: &&Statement| {
        statement.actions.as_ref().is_some_and(|actions| {
            ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
                .iter()
                .any(|action| actions.cover(action))
        })
    };
    for statement in trust.statements.iter().filter(|statement| statement.allows()).filter(assumes) {
        let Some(principals) = &statement.principals else { continue };
        let pointer = statement.pointer();
        // The id of a deleted role or user: nobody can be it again.
        let others = principals.entries.iter().filter(|entry| !matches!(entry, PrincipalEntry::UniqueId(_)));
        for entry in others.filter(|entry| principals.negated || **entry != bedrock) {
            let who = Text::new(if principals.negated {
                "everybody but a few (NotPrincipal)".into()
            } else {
                entry.written()
            });
            let why = format!("{} lets {who} assume role {name}", statement.label());
            problems.push(Problem::fail("other-principal", why).points("principal", &who, pointer.clone()));
        }
        if principals.negated || !principals.entries.contains(&bedrock) {
            continue;
        }
        trusted = true;
        let Tied { account, arn } = tied(statement, context.account);
        let found: Vec<String> = statement.conditions.iter().map(|condition| condition.words().to_string()).collect();
        let found = if found.is_empty() { "none".to_owned() } else { found.join("; ") };
        let mut lacks = |code, key| {
            let why = format!("role {name}: {key} does not tie Bedrock to account {}", context.account);
            problems.push(Problem::fail(code, why).points("condition", &found, pointer.clone()));
        };
        if !account {
            lacks("source-account-missing", "aws:SourceAccount");
        }
        if !arn {
            lacks("source-arn-missing", "aws:SourceArn");
        }
    }
    if !trusted {
        let why = format!("the trust policy of {name} does not let Bedrock assume it: nothing is logged");
        problems.push(Problem::fail("bedrock-missing", why).shows("expected", BEDROCK));
    }
    problems
}

/// What the role's own policies allow beyond the two rights on the one stream.
fn surplus(role: &Role, identity: &Identity, stream: &Arn) -> Vec<Problem> {
    let stream = stream.to_string();
    let mut problems = Vec::new();
    for (layer, policy) in &identity.policies {
        for statement in policy.statements.iter().filter(|statement| statement.allows()) {
            let (Some(actions), Some(resources)) = (&statement.actions, &statement.resources) else { continue };
            let more = if actions.negated {
                Some("NotAction".to_owned())
            } else {
                let mut beyond = actions.patterns.iter();
                beyond.find(|one| !RIGHTS.iter().any(|right| right.eq_ignore_ascii_case(one))).cloned()
            };
            let wider = if resources.negated {
                Some("NotResource".to_owned())
            } else {
                resources.patterns.iter().find(|one| **one != stream).cloned()
            };
            let what = match (more, wider) {
                (Some(action), _) => Text::new(action),
                (None, Some(resource)) => Text::new(format!("writing to {resource}")),
                (None, None) => continue,
            };
            let why =
                format!("{layer}, {}, allows role {} more than writing the log: {what}", statement.label(), role.name);
            problems.push(Problem::fail("over-granted", why).points(
                "statement",
                format!("{layer}: {what}"),
                statement.pointer(),
            ));
        }
    }
    problems
}
