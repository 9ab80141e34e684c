//! What the roles of customization jobs may do with data: no more than their jobs need, and nothing to what they
//! learn from.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::catalogue::{Action, is_on};
use crate::access::{ContextValue, Decision, Identity, Policy, Resource, Rules, Scenario, pattern};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::SourceId;
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::Presence;
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::job_roles;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::{
    Granted, NOBODY, ask_for_certain, decide, decide_below, granted, may, scenario, settle, ways,
};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IAM_03: Control = Control {
    id: "CUS-IAM-03",
    title: "Role S3 rights limited to the buckets its jobs really use",
    severity: Severity::High,
    area: Area::Identity,
    what: "roles of customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "Every Allow of S3 actions on buckets or objects, in any policy of a role that customization jobs run as, \
            must name buckets that its jobs use: for training, validation, invocation logs or output. All buckets, a \
            wildcard in a bucket's name, and buckets that no job uses are failures, unless a Deny or the boundary takes \
            them away again. The role must be allowed GetObject and ListBucket on what its jobs read, and PutObject on \
            where they write, by its own policies or the bucket's; else its jobs fail.",
    reasons: &["all-buckets", "wildcard-bucket", "unused-bucket", "missing-right"],
    remediation: "Give the role a policy with GetObject and ListBucket on its training and validation buckets and \
                  GetObject, PutObject and ListBucket on its output bucket; then detach the old one.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name data --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-6", "AC-6(1)"]),
        (FEDRAMP, &["AC-6"]),
        (PCI, &["7.2.1", "7.2.2"]),
        (HIPAA, &["164.308(a)(4)(ii)(B)"]),
        (GDPR, &["25"]),
        (CIS, &["2.15"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0025", "AML.M0005"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: only_used_buckets,
};

fn only_used_buckets(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let now = scenario(context);
    job_roles::each(
        judge,
        |_| true,
        |subject, role, identity| {
            let used: BTreeSet<&str> = role.reads.iter().chain(&role.writes).map(|uri| uri.bucket.as_str()).collect();
            let mut found = Found::default();
            let mut granted_buckets = BTreeSet::new();
            for by in granted(identity) {
                beyond(judge, identity, by, &used, &now, &mut granted_buckets, &mut found);
            }
            for uri in &role.reads {
                let listing = now.clone().with("s3:prefix", ContextValue::one(uri.prefix.as_str()));
                found.need(context, identity, "s3:GetObject", uri, &now);
                found.need(context, identity, "s3:ListBucket", uri, &listing);
            }
            for uri in &role.writes {
                found.need(context, identity, "s3:PutObject", uri, &now);
            }
            let draft = subject.shows("used", listed(&used)).shows("granted", listed(&granted_buckets));
            let right = format!("its rights on S3 are those on {} that its jobs use", listed(&used));
            settle(draft, identity, found.problems, found.unsure, right)
        },
    )
}

/// What is wrong, and what could not be told.
#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    unsure: Option<(&'static str, Text)>,
}

impl Found {
    /// A right that jobs need on a place.
    fn need(&mut self, context: &Context<'_>, identity: &Identity, action: &str, uri: &S3Uri, now: &Scenario) {
        let on = on_data(context, action, uri);
        let decision = ask_for_certain(identity, action, &on, &owned(context, &uri.bucket, now));
        let name = identity.caller.name();
        match decision {
            Decision::Allowed { .. } => {}
            Decision::Conditional { .. } => {
                self.doubt("conditional", format!("{name}, {action} on {uri}: {}", decision.words()));
            }
            Decision::Uncertain { .. } => {
                self.doubt("uncertain", format!("{name}, {action} on {uri}: {}", decision.words()));
            }
            Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => {
                // why only now: the bucket's own policy is the exception, and a Deny of it is the bucket's matter.
                match by_bucket(context, identity, action, &on, &uri.bucket, now) {
                    Some(Err(why)) => self.doubt("uncertain", format!("{name}, {action} on {uri}: {why}")),
                    Some(Ok(decision)) if !decision.is_denied() => {}
                    _ => self.problems.push(
                        Problem::fail("missing-right", format!("{name} lacks {action} on {uri}: its jobs fail"))
                            .shows("decision", decision.words()),
                    ),
                }
            }
        }
    }

    fn doubt(&mut self, code: &'static str, why: String) {
        self.unsure.get_or_insert_with(|| (code, Text::new(why)));
    }
}

/// What has to be asked about, for a right on a place of data.
fn on_data(context: &Context<'_>, action: &str, uri: &S3Uri) -> Resource {
    let bucket = bucket_arn(context, uri.bucket.as_str());
    if action == "s3:ListBucket" {
        return Resource::plain(bucket);
    }
    let prefix = uri.prefix.as_str();
    let object = Arn { resource: format!("{}/{prefix}", uri.bucket), ..bucket };
    if prefix.is_empty() || prefix.ends_with('/') {
        return Resource { open: true, ..Resource::plain(object) };
    }
    if action == "s3:PutObject" {
        // Results are written beneath the place, whether it ends in a slash or not.
        let below = Arn { resource: format!("{}/", object.resource), ..object };
        return Resource { open: true, ..Resource::plain(below) };
    }
    Resource::plain(object)
}

/// Whose a bucket is, as far as it is known: policies ask for it.
fn owned(context: &Context<'_>, bucket: &ResourceId, now: &Scenario) -> Scenario {
    let ours = context.inventory.buckets.get(bucket).and_then(crate::inventory::s3::Bucket::presence);
    match ours {
        Some(Presence::Ours) => {
            let account = ContextValue::one(context.account);
            now.clone().with("aws:ResourceAccount", account.clone()).with("s3:ResourceAccount", account)
        }
        _ => now.clone(),
    }
}

/// What the bucket's policy makes of what the role's own do not allow; nothing where it has none.
fn by_bucket(
    context: &Context<'_>,
    identity: &Identity,
    action: &str,
    on: &Resource,
    bucket: &ResourceId,
    now: &Scenario,
) -> Option<Result<Decision, Text>> {
    let document = match context.inventory.buckets.get(bucket).map(|held| held.policy.known()) {
        None | Some(Ok(None)) => return None,
        Some(Err(unknown)) => return Some(Err(Text::new(format!("bucket policy: {unknown}")))),
        Some(Ok(Some(document))) => document,
    };
    Some(match Policy::parse(document) {
        Err(error) => Err(Text::new(format!("bucket policy: {error}"))),
        Ok(policy) => {
            let resource = Resource { rules: Rules::Known(policy), ..on.clone() };
            Ok(ask_for_certain(identity, action, &resource, &owned(context, bucket, now)))
        }
    })
}

pub(super) fn bucket_arn(context: &Context<'_>, name: &str) -> Arn {
    Arn {
        partition: context.partition.to_owned(),
        service: "s3".to_owned(),
        region: String::new(),
        account: String::new(),
        resource: name.to_owned(),
    }
}

/// What one statement gives on buckets that no job uses.
fn beyond(
    judge: &Judge<'_>,
    identity: &Identity,
    by: Granted<'_>,
    used: &BTreeSet<&str>,
    now: &Scenario,
    granted_buckets: &mut BTreeSet<String>,
    found: &mut Found,
) {
    let context = judge.context;
    let actions = s3_actions(judge, by);
    if actions.is_empty() {
        return;
    }
    let nowhere = bucket_arn(context, NOBODY);
    for (pattern, wild, on) in ways(identity, by, &nowhere) {
        if on.service != "s3" {
            continue;
        }
        let bucket = on.resource.split('/').next().unwrap_or_default();
        granted_buckets.insert(pattern.clone());
        if used.contains(bucket) {
            continue;
        }
        let negated = pattern.starts_with("NotResource");
        let written = pattern.split(":::").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
        let code = match () {
            () if negated || written.chars().all(|c| c == '*') => "all-buckets",
            () if wild && written.contains(['*', '?', '$']) => "wildcard-bucket",
            () => "unused-bucket",
        };
        // What the statement gives is not always left: one action that is makes it a finding.
        let mut left = None;
        for action in actions.iter().filter(|action| negated || is_on(action, &pattern)) {
            let objects = action.types.contains(&"object");
            let named = on.resource.contains('/');
            let on = match (objects, named) {
                (true, false) => Arn { resource: format!("{}/{NOBODY}", on.resource), ..on.clone() },
                (false, true) => continue,
                _ => on.clone(),
            };
            match decide(identity, &action.name, &on, now) {
                decision if may(&decision) => {
                    left = Some((action.name.as_str(), decision));
                    break;
                }
                decision @ Decision::Uncertain { .. } => {
                    found.doubt("uncertain", format!("{}: {}", by.place(), decision.words()));
                }
                _ => {}
            }
        }
        let Some((action, decision)) = left else { continue };
        let name = identity.caller.name();
        let what = match code {
            "all-buckets" => "every bucket".to_owned(),
            "wildcard-bucket" => format!("all buckets that '{}' means", Text::new(&pattern)),
            _ => format!("bucket {}, which no job of it uses", Text::new(bucket)),
        };
        let when = match &decision {
            Decision::Conditional { conditions, .. } => format!(" when {}", listed(conditions)),
            _ => String::new(),
        };
        found.problems.push(
            Problem::fail(code, format!("{} lets {name} do {action} on {what}{when}", by.place())).points(
                "statement",
                by.words(),
                by.statement.pointer(),
            ),
        );
    }
}

/// The actions on buckets and objects that a statement is about, those on objects first.
fn s3_actions(judge: &Judge<'_>, by: Granted<'_>) -> Vec<&'static Action> {
    let data = |action: &&Action| action.types.iter().any(|kind| matches!(*kind, "bucket" | "object"));
    let mut found: Vec<&Action> = judge.permissions().meant(by, "s3").iter().copied().filter(data).collect();
    let rank = |action: &&Action| match action.name.as_str() {
        "s3:GetObject" => 0,
        "s3:PutObject" | "s3:ListBucket" => 1,
        _ => 2,
    };
    found.sort_by_key(rank);
    found
}

pub(in crate::posture) const IAM_04: Control = Control {
    id: "CUS-IAM-04",
    title: "Training role cannot write to training data, and output is not inside it",
    severity: Severity::High,
    area: Area::Identity,
    what: "roles of customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "A role that customization jobs run as must not be allowed to put, delete or replicate objects where its \
            jobs read training or validation data, nor to set anything of that bucket (PutObject*, DeleteObject*, \
            Replicate*, PutBucket*, DeleteBucket*); a right under a condition counts. The output of a job must not be \
            the place of its training or validation data, nor lie beneath it: a job could then alter what the next one \
            learns from.",
    reasons: &["writes-training-data", "output-in-training-data"],
    remediation: "Keep input and output in separate buckets or prefixes, and let the role write to the output alone.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name data --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-5", "AC-6", "SI-7"]),
        (FEDRAMP, &["AC-5", "AC-6", "SI-7"]),
        (PCI, &["7.2.1"]),
        (HIPAA, &["164.312(c)(1)"]),
        (GDPR, &["5(1)(f)"]),
        (OWASP, &["LLM04"]),
        (ATLAS, &["AML.T0020", "AML.M0005"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: reads_only,
};

/// The families of actions that change data or what protects it.
const WRITES: &[&str] = &["s3:PutObject", "s3:DeleteObject", "s3:Replicate", "s3:PutBucket", "s3:DeleteBucket"];

fn reads_only(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let now = scenario(context);
    job_roles::each(
        judge,
        |_| true,
        |subject, role, identity| {
            let mut found = Found::default();
            let mut by_bucket: BTreeMap<&str, Vec<&S3Uri>> = BTreeMap::new();
            for uri in &role.reads {
                by_bucket.entry(uri.bucket.as_str()).or_default().push(uri);
            }
            for by in granted(identity) {
                writes(judge, identity, by, &by_bucket, &now, &mut found);
            }
            for (job, output, data) in &role.nested {
                let job = context.name_of(job);
                found.problems.push(
                    Problem::fail(
                        "output-in-training-data",
                        format!("job {job} writes to {output}, inside its data {data}"),
                    )
                    .shows("outputDataConfig.s3Uri", output)
                    .shows("data", data),
                );
            }
            let draft = subject.shows("data", listed(&role.reads)).shows("output", listed(&role.writes));
            settle(draft, identity, found.problems, found.unsure, "it cannot change what its jobs learn from")
        },
    )
}

/// What one statement lets a role write of its jobs' data; the first right and place of each bucket tell it.
fn writes(
    judge: &Judge<'_>,
    identity: &Identity,
    by: Granted<'_>,
    data: &BTreeMap<&str, Vec<&S3Uri>>,
    now: &Scenario,
    found: &mut Found,
) {
    let context = judge.context;
    let begins = |action: &&Action| WRITES.iter().any(|family| action.name.starts_with(family));
    let actions: Vec<&Action> = s3_actions(judge, by).into_iter().filter(begins).collect();
    if actions.is_empty() {
        return;
    }
    for (bucket, uris) in data {
        // why first: most statements name other buckets.
        if !touches(by, bucket) {
            continue;
        }
        let places = |action: &&Action| {
            let on_bucket = action.types.contains(&"bucket");
            if on_bucket { &uris[..1] } else { &uris[..] }
        };
        let mut hit = None;
        'actions: for action in &actions {
            for uri in places(action) {
                for decision in on_place(context, identity, action, uri, now) {
                    if may(&decision) && decision.by().iter().any(|one| by.is(one)) {
                        hit = Some((action.name.as_str(), uri, decision));
                        break 'actions;
                    }
                    if let Decision::Uncertain { .. } = decision {
                        found.doubt("uncertain", format!("{} on {uri}: {}", action.name, decision.words()));
                    }
                }
            }
        }
        let Some((action, uri, decision)) = hit else { continue };
        let when = match &decision {
            Decision::Conditional { conditions, .. } => format!(" when {}", listed(conditions)),
            _ => String::new(),
        };
        let name = identity.caller.name();
        let why = format!("{} lets {name} do {action} on {uri}, which its jobs learn from{when}", by.place());
        let problem = Problem::fail("writes-training-data", why);
        found.problems.push(problem.points("statement", by.words(), by.statement.pointer()));
    }
}

/// Whether a resource of a statement is of a bucket, by its name alone.
fn touches(by: Granted<'_>, bucket: &str) -> bool {
    by.statement.resources.as_ref().is_some_and(|resources| {
        let of = |written: &String| match written.split(":::").nth(1) {
            Some(resource) if !written.contains("${") => {
                pattern::matches(resource.split('/').next().unwrap_or_default(), bucket)
                    || (resource.contains('*') && pattern::matches(resource, &format!("{bucket}/")))
            }
            _ => true,
        };
        resources.negated || resources.patterns.iter().any(of)
    })
}

/// What a role may do to one place of data: to the object of that name, and to all beneath it.
fn on_place(context: &Context<'_>, identity: &Identity, action: &Action, uri: &S3Uri, now: &Scenario) -> Vec<Decision> {
    let now = owned(context, &uri.bucket, now);
    let bucket = bucket_arn(context, uri.bucket.as_str());
    if action.types.contains(&"bucket") {
        return vec![decide(identity, &action.name, &bucket, &now)];
    }
    let prefix = uri.prefix.as_str();
    let object = Arn { resource: format!("{}/{prefix}", uri.bucket), ..bucket };
    if prefix.is_empty() || prefix.ends_with('/') {
        return vec![decide_below(identity, &action.name, &object, &now)];
    }
    let below = Arn { resource: format!("{}/", object.resource), ..object.clone() };
    vec![decide(identity, &action.name, &object, &now), decide_below(identity, &action.name, &below, &now)]
}
