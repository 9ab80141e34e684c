//! What the roles that Bedrock works as may do beyond what AWS documents for their work.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::catalogue::{self, Action, Level, is_on};
use crate::access::{Decision, Identity, Scenario, pattern};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::job_roles;
use crate::posture::judge::{Judge, Problem, listed, listed_refs};
use crate::posture::permissions::{Granted, NOBODY, decide, fill, granted, may, scenario, settle, ways};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_05: Control = Control {
    id: "CUS-IAM-05",
    title: "No managed FullAccess/admin and no action outside the documented set",
    severity: Severity::Critical,
    area: Area::Identity,
    what: "roles of jobs and of invocation logging",
    lists: super::WORK_LISTS,
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "The roles of customization, import, evaluation and batch jobs and of invocation logging may do what AWS \
            documents for that work: read and list S3 and put objects; kms:Decrypt, GenerateDataKey, DescribeKey and \
            CreateGrant; the EC2 actions for network interfaces; bedrock:InvokeModel to distil; lambda:InvokeFunction \
            to grade; for evaluation and logging, what these need. An attached AdministratorAccess, PowerUserAccess or \
            …FullAccess policy of AWS, or an Allow of everything, is critical; rights over IAM, keys or other roles are \
            high; any other surplus is medium. What a Deny or the boundary takes away does not count.",
    reasons: &["full-access", "privileged-action", "surplus-action"],
    remediation: "Attach a policy with the documented actions on the buckets and keys of the jobs, then detach the wide \
                  one.",
    cli: "aws iam detach-role-policy --role-name ROLE --policy-arn POLICY",
    compliance: &[
        (NIST, &["AC-6", "AC-6(5)", "CM-7"]),
        (FEDRAMP, &["AC-6", "AC-6(5)", "CM-7"]),
        (PCI, &["7.2.2", "7.2.5"]),
        (HIPAA, &["164.308(a)(3)(i)"]),
        (GDPR, &["25"]),
        (CIS, &["2.15"]),
        (OWASP, &["LLM06"]),
        (ATLAS, &["AML.M0019"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: documented_actions,
};

/// What a role is used for.
#[derive(Default)]
struct Work {
    users: BTreeSet<ResourceRef>,
    /// Actions of that work, beside those of S3 that read.
    actions: BTreeSet<&'static str>,
    data: bool,
}

/// Reading and writing data under a key, in a VPC.
const DATA: &[&str] = &[
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
    "kms:CreateGrant",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:CreateTags",
];

/// Bedrock User Guide, "Service role requirements for model evaluation jobs".
const EVALUATION: &[&str] = &[
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:CreateModelInvocationJob",
    "bedrock:StopModelInvocationJob",
    "bedrock:GetProvisionedModelThroughput",
    "bedrock:GetInferenceProfile",
    "bedrock:ListInferenceProfiles",
    "bedrock:GetImportedModel",
    "bedrock:GetPromptRouter",
    "sagemaker:InvokeEndpoint",
];

const LOGGING: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// Rights that lead to every other: over principals, over keys, to other roles.
const RAISING: &[&str] = &["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "sts:AssumeRole"];

/// One action of many services, tried for a wildcard over all of them.
const SAMPLE: &[&str] = &[
    "iam:CreateUser",
    "sts:AssumeRole",
    "kms:PutKeyPolicy",
    "s3:DeleteBucket",
    "bedrock:DeleteCustomModel",
    "ec2:RunInstances",
    "lambda:CreateFunction",
];

impl Work {
    fn add(&mut self, user: ResourceRef, data: bool, actions: &[&[&'static str]]) {
        self.users.insert(user);
        self.data |= data;
        self.actions.extend(actions.iter().copied().flatten());
    }

    /// Whether an action belongs to it.
    fn needs(&self, action: &str) -> bool {
        let reads = || {
            let known = catalogue::action(action);
            known.is_some_and(|known| known.name.starts_with("s3:") && matches!(known.level, Level::List | Level::Read))
        };
        self.actions.iter().any(|known| known.eq_ignore_ascii_case(action)) || (self.data && reads())
    }
}

fn works(inventory: &Inventory) -> BTreeMap<&ResourceId, Work> {
    let mut works: BTreeMap<&ResourceId, Work> = BTreeMap::new();
    for job in inventory.jobs.values() {
        // Details that were not read are told by the lists' gaps.
        let Ok(detail) = job.detail.known() else { continue };
        let distils: &[&str] = if job.customization == "DISTILLATION" { &["bedrock:InvokeModel"] } else { &[] };
        let graded = detail.grader.is_some() || job.customization.as_str().starts_with("REINFORCEMENT");
        let grades: &[&str] = if graded { &["lambda:InvokeFunction"] } else { &[] };
        let this = ResourceRef::new(Kind::Job, &job.arn);
        works.entry(&detail.role).or_default().add(this, true, &[DATA, distils, grades]);
    }
    for job in inventory.import_jobs.values() {
        let Ok(detail) = job.detail.known() else { continue };
        works.entry(&detail.role).or_default().add(ResourceRef::new(Kind::ImportJob, &job.arn), true, &[DATA]);
    }
    for job in inventory.evaluation_jobs.values() {
        let Ok(detail) = job.detail.known() else { continue };
        let this = ResourceRef::new(Kind::EvaluationJob, &job.arn);
        works.entry(&detail.role).or_default().add(this, true, &[DATA, EVALUATION]);
    }
    for job in inventory.batch_jobs.values() {
        let this = ResourceRef::new(Kind::BatchJob, &job.arn);
        works.entry(&job.role).or_default().add(this, true, &[DATA, &["bedrock:InvokeModel"]]);
    }
    let logging = inventory.logging.known().ok().and_then(Option::as_ref).and_then(|held| held.cloud_watch.as_ref());
    if let Some(target) = logging {
        let this = ResourceRef::new(Kind::Logging, "invocation-logging");
        works.entry(&target.role).or_default().add(this, false, &[LOGGING]);
    }
    works
}

/// How bad a surplus is; the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Everything,
    Raising,
    Surplus,
}

fn documented_actions(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let now = scenario(context);
    let mut verdicts = Vec::new();
    for (arn, work) in works(context.inventory) {
        let subject = judge.on(ResourceRef::new(Kind::Role, arn)).related(work.users.iter().cloned());
        let Some(identity) = judge.permissions().find(arn) else {
            verdicts.push(job_roles::absent(judge, subject, arn));
            continue;
        };
        let named = wide_policies(context.inventory, arn);
        let (mut problems, mut unsure) = (Vec::new(), None);
        for policy in &named {
            // What it says cannot be weighed, but what it is called is enough.
            if !context.inventory.policies.contains_key(policy) {
                let why = format!("role {} has the policy {} of AWS attached", arn.last(), policy.last());
                problems.push(Problem::fail("full-access", why).shows("attached", policy));
            }
        }
        for by in granted(identity) {
            let wide = named.iter().find(|policy| policy.last() == by.policy);
            let mut scales = Scales { context, identity, by, now: &now, unsure: None };
            for (surplus, example, grade) in scales.surplus(&work) {
                problems.push(problem(arn, by, wide, &surplus, example, grade));
            }
            unsure = unsure.or(scales.unsure);
        }
        let draft = subject
            .shows("usedBy", listed_refs(context, &work.users))
            .shows("attached", context.inventory.roles.get(arn).map_or(String::new(), |role| listed(&role.attached)));
        let right = "it may do what AWS documents for its work, and no more";
        verdicts.extend(settle(draft, identity, problems, unsure, right));
    }
    verdicts
}

/// The policies of AWS attached to a role that give everything of a service or more.
fn wide_policies(inventory: &Inventory, role: &ResourceId) -> Vec<ResourceId> {
    let wide = |policy: &&ResourceId| {
        let name = policy.last();
        policy.arn().is_some_and(|arn| arn.account == "aws")
            && (name.contains("FullAccess") || name == "AdministratorAccess" || name == "PowerUserAccess")
    };
    let attached = inventory.roles.get(role).map(|role| &role.attached[..]).unwrap_or_default();
    attached.iter().filter(wide).cloned().collect()
}

fn problem(
    role: &ResourceId,
    by: Granted<'_>,
    wide: Option<&ResourceId>,
    surplus: &str,
    example: String,
    grade: Grade,
) -> Problem {
    let name = role.last();
    let surplus = Text::new(surplus);
    let problem = match (wide, grade) {
        (Some(policy), _) => {
            Problem::fail("full-access", format!("role {name} has the policy {} of AWS attached", policy.last()))
                .shows("attached", policy)
        }
        (None, Grade::Everything) => {
            Problem::fail("full-access", format!("{} lets role {name} do everything ({surplus})", by.place()))
        }
        (None, Grade::Raising) => {
            let why = format!("{} lets role {name} do {surplus}, which leads to other rights", by.place());
            Problem::fail("privileged-action", why).graded(Severity::High)
        }
        (None, Grade::Surplus) => {
            let why = format!("{} lets role {name} do {surplus}, which its work does not need", by.place());
            Problem::fail("surplus-action", why).graded(Severity::Medium)
        }
    };
    problem.points("statement", by.words(), by.statement.pointer()).shows("for example", example)
}

/// One statement of a role, on the scales.
struct Scales<'a> {
    context: &'a Context<'a>,
    identity: &'a Identity,
    by: Granted<'a>,
    now: &'a Scenario,
    unsure: Option<(&'static str, Text)>,
}

/// A pattern of a statement, an action of it that nothing takes away, and how bad that is.
type Surplus = (String, String, Grade);

impl Scales<'_> {
    /// Whether something of an action is left.
    fn left(&mut self, action: &str) -> bool {
        let decision = effective(self.context, self.identity, self.by, action, self.now);
        if let Some(Decision::Uncertain { .. }) = &decision {
            let words = decision.as_ref().map(Decision::words).unwrap_or_default();
            self.unsure.get_or_insert_with(|| ("uncertain", Text::new(format!("{action}: {words}"))));
        }
        decision.as_ref().is_some_and(may)
    }

    /// What a pattern over all services leaves.
    fn everything(&mut self, pattern: String) -> Option<Surplus> {
        let by = self.by;
        let kept: Vec<&str> = SAMPLE.iter().copied().filter(|action| by.covers(action) && self.left(action)).collect();
        let first = kept.first()?;
        // Everything is what reaches the rights over principals, and what nobody thought of.
        let beyond = self.left(&format!("{NOBODY}:{NOBODY}"));
        let grade = match () {
            () if beyond && kept.contains(&"iam:CreateUser") => Grade::Everything,
            () if kept.iter().any(|action| raises(action)) => Grade::Raising,
            () => Grade::Surplus,
        };
        Some((pattern, (*first).to_owned(), grade))
    }

    /// What the statement gives beyond the work of the role.
    fn surplus(&mut self, work: &Work) -> Vec<Surplus> {
        let statement = self.by.statement;
        let Some(actions) = &statement.actions else { return Vec::new() };
        if actions.negated {
            return self.everything(format!("all but {}", listed(&actions.patterns))).into_iter().collect();
        }
        let mut found = Vec::new();
        for written in &actions.patterns {
            let service = written.split_once(':').map(|(service, _)| service);
            if service.is_none_or(|service| service.contains(['*', '?'])) {
                found.extend(self.everything(written.clone()));
                continue;
            }
            let Some(known) = catalogue::meant(written) else {
                // Of this service nothing is known but its name.
                let example = fill(written);
                if !work.needs(&example) && self.left(&example) {
                    found.push((written.clone(), written.clone(), Grade::Surplus));
                }
                continue;
            };
            let mut over: Vec<&Action> = known.into_iter().filter(|action| !work.needs(&action.name)).collect();
            over.sort_by_key(|action| !raises(&action.name));
            if let Some(action) = over.into_iter().find(|action| self.left(&action.name)) {
                let grade = if raises(&action.name) { Grade::Raising } else { Grade::Surplus };
                found.push((written.clone(), action.name.clone(), grade));
            }
        }
        found
    }
}

/// Whether an action leads to rights that one does not have.
fn raises(action: &str) -> bool {
    let over_principals = || {
        let known =
            catalogue::action(action).is_some_and(|known| matches!(known.level, Level::Write | Level::Permissions));
        known && action.starts_with("iam:")
    };
    RAISING.contains(&action) || over_principals()
}

/// What becomes of an action of a statement, on something that the statement means.
fn effective(
    context: &Context<'_>,
    identity: &Identity,
    by: Granted<'_>,
    action: &str,
    now: &Scenario,
) -> Option<Decision> {
    let service = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let known = catalogue::action(action);
    let kinds = known.map(|known| &known.types[..]).unwrap_or_default();
    let of = catalogue::service(&service).map(|of| &of.types[..]).unwrap_or_default();
    let kind =
        of.iter().find(|kind| kinds.contains(&kind.name) && pattern::matches(kind.arn, &here(context, kind.arn)));
    let like: Arn = match kind {
        Some(kind) => here(context, kind.arn).parse().ok()?,
        None => Arn {
            partition: context.partition.to_owned(),
            region: context.region.to_owned(),
            account: context.account.to_owned(),
            resource: NOBODY.to_owned(),
            service,
        },
    };
    let on_it = |(pattern, ..): &(String, bool, Arn)| {
        pattern.starts_with("NotResource") || known.is_none_or(|known| is_on(known, pattern))
    };
    let ways = ways(identity, by, &like).into_iter().filter(on_it);
    let decisions = ways.map(|(.., on)| decide(identity, action, &on, now));
    decisions.max_by_key(|decision| match decision {
        Decision::Allowed { .. } | Decision::Conditional { .. } => 2,
        Decision::Uncertain { .. } => 1,
        Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => 0,
    })
}

/// The ARN of a resource type, of this account and region.
fn here(context: &Context<'_>, kind: &str) -> String {
    let parts: Vec<&str> = kind.splitn(6, ':').collect();
    let [_, _, service, region, account, resource] = parts[..] else { return String::new() };
    let put = |part: &str, own: &str| if part == "*" { own.to_owned() } else { part.to_owned() };
    let (region, account) = (put(region, context.region), put(account, context.account));
    format!("arn:{}:{service}:{region}:{account}:{}", context.partition, fill(resource))
}
