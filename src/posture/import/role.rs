//! CUS-IMP-06: the role that an import job reads weights as.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Caller, ContextValue, Decision, Guards, Identity, Request, Resource, Scenario, identity_decides};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::Presence;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::identity::reach::other_buckets;
use crate::posture::identity::{Purpose, deputies, each_trust, is_string, strangers};
use crate::posture::judge::{Judge, Problem, listed, listed_refs};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IMP_06: Control = Control {
    id: "CUS-IMP-06",
    title: "Import role: trusted for import jobs, read-only, bound to the bucket's account",
    severity: Severity::High,
    area: Area::Import,
    what: "roles of import jobs",
    lists: &[SourceId::IMPORT_JOBS, SourceId::IMPORT_JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "Only Bedrock may assume the role of an import job, with StringEquals aws:SourceAccount and aws:SourceArn of \
            model-import-job/…, graded as for customization roles. Its policies must let it read (GetObject, \
            ListBucket) the bucket of the weights and no other, write nothing to S3, and read only while \
            aws:ResourceAccount is the bucket's owner: our account, or a trusted one. Its rights on keys are judged \
            elsewhere.",
    reasons: &[
        "public-principal",
        "aws-principal",
        "other-service",
        "bedrock-missing",
        "source-account-missing",
        "source-arn-missing",
        "source-arn-region-wildcard",
        "source-arn-wrong-job-type",
        "source-arn-account-mismatch",
        "missing-right",
        "may-write",
        "other-buckets",
        "resource-account-missing",
        "resource-account-foreign",
    ],
    remediation: "Set both conditions in the trust policy. Replace the role's policies by GetObject and ListBucket on \
                  the bucket of the weights, with StringEquals aws:ResourceAccount.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name import --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-6", "AC-3"]),
        (FEDRAMP, &["AC-6", "AC-3"]),
        (PCI, &["7.2.5"]),
        (HIPAA, &["164.308(a)(4)"]),
        (GDPR, &["28"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0010.003", "AML.M0019"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: import_roles,
};

const IMPORT: Purpose = Purpose { kind: "model-import-job/", words: "import jobs" };

const READ: &[&str] = &["s3:GetObject", "s3:ListBucket"];
/// What would change the weights, or who may.
const WRITE: &[&str] = &["s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy"];
const ACCOUNT: &str = "aws:ResourceAccount";
/// An account that cannot be the owner: AWS gives no such number.
const NOBODY: &str = "000000000000";

fn import_roles(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let mut roles: BTreeMap<&ResourceId, BTreeSet<ResourceRef>> = BTreeMap::new();
    let mut sources: BTreeMap<&ResourceId, BTreeSet<&S3Uri>> = BTreeMap::new();
    for job in context.inventory.import_jobs.values() {
        // A detail that was not read is told by the list's gap.
        let Ok(detail) = job.detail.known() else { continue };
        roles.entry(&detail.role).or_default().insert(ResourceRef::new(Kind::ImportJob, &job.arn));
        sources.entry(&detail.role).or_default().extend(&detail.data);
    }
    each_trust(judge, roles, |subject, role, users, policy| {
        let mut problems = strangers(role, policy);
        problems.extend(deputies(context, role, policy, &IMPORT).unwrap_or_default());
        let none = BTreeSet::new();
        let data = sources.get(&role.arn).unwrap_or(&none);
        let mut unsure = None;
        match Caller::parse(role.arn.as_str()) {
            Ok(caller) => {
                let identity = Identity::of(context.inventory, &caller);
                reads(context, &identity, data, &mut problems, &mut unsure);
                writes(context, &identity, &mut problems, &mut unsure);
                unsure = identity.gaps.first().cloned().or(unsure);
            }
            Err(error) => unsure = Some(Text::new(error.to_string())),
        }
        let draft = subject
            .shows("expected", IMPORT.expected(context))
            .shows("modelDataSource", listed(data))
            .shows("usedBy", listed_refs(context, users));
        let open = unsure.map(|why| ("uncertain", why));
        draft.conclude_open(problems, open, "only import jobs of this account use it, to read their weights")
    })
}

/// What it may read: the weights, nothing else, and only of the right account.
fn reads(
    context: &Context<'_>,
    identity: &Identity,
    data: &BTreeSet<&S3Uri>,
    problems: &mut Vec<Problem>,
    unsure: &mut Option<Text>,
) {
    let name = identity.caller.name();
    for uri in data {
        let bucket = &uri.bucket;
        let mut ask = |action: &str, account: &str, needed: bool| {
            let scenario = Scenario::open().with(ACCOUNT, ContextValue::one(account));
            let answer = identity_decides(identity, action, &place(context, uri, action), &scenario);
            let decision = if needed { answer.decision } else { answer.into_what_was_read() };
            if let Decision::Uncertain { .. } = &decision {
                *unsure = unsure.take().or(Some(Text::new(format!("{action} on {bucket}: {}", decision.words()))));
            }
            decision
        };
        let owners = owners(context, bucket);
        let lacks: Vec<&str> = READ
            .iter()
            .copied()
            .filter(|action| owners.iter().all(|owner| ask(action, owner, true).is_denied()))
            .collect();
        if !lacks.is_empty() {
            let whose = listed(&owners);
            let why = format!("role {name} may not {} of {uri} in account {whose}: the import fails", listed(&lacks));
            problems.push(Problem::fail("missing-right", why).shows("missing", listed(&lacks)));
        }
        let open = |decision: &Decision| matches!(decision, Decision::Allowed { .. } | Decision::Conditional { .. });
        let stray: Vec<&str> = READ.iter().copied().filter(|action| open(&ask(action, NOBODY, false))).collect();
        if !stray.is_empty() {
            let why = format!(
                "role {name} may {} of {bucket} whoever owns the bucket: no {ACCOUNT} ties it to account {}",
                listed(&stray),
                listed(&owners)
            );
            problems.push(Problem::fail("resource-account-missing", why).shows("expected", listed(&owners)));
            continue;
        }
        let foreign: Vec<&str> = named_accounts(identity)
            .into_iter()
            .filter(|account| !owners.contains(account) && READ.iter().any(|action| open(&ask(action, account, false))))
            .collect();
        if !foreign.is_empty() {
            let theirs = listed(foreign.iter().copied().map(Text::new));
            let why = format!("role {name} may read {bucket} while account {theirs} owns it, not {}", listed(&owners));
            problems.push(Problem::fail("resource-account-foreign", why).shows(ACCOUNT, theirs));
        }
    }
    let own: BTreeSet<&str> = data.iter().map(|uri| uri.bucket.as_str()).collect();
    let scenario = Scenario::open();
    let found = other_buckets(context, identity, &own, READ, &scenario);
    if !found.others.is_empty() {
        let why = format!("role {name} may read {} beside the weights of its jobs", listed(&found.others));
        problems.push(Problem::fail("other-buckets", why).shows("buckets", listed(&found.others)));
    }
    *unsure = unsure.take().or(found.unsure);
}

/// What it may write, to any bucket.
fn writes(context: &Context<'_>, identity: &Identity, problems: &mut Vec<Problem>, unsure: &mut Option<Text>) {
    let everything = Arn {
        partition: context.partition.to_owned(),
        service: "s3".to_owned(),
        region: String::new(),
        account: String::new(),
        resource: String::new(),
    };
    let buckets = Resource { open: true, ..Resource::plain(everything) };
    let (scenario, guards) = (Scenario::open(), Guards::default());
    let mut may = Vec::new();
    for action in WRITE {
        let request = Request { identity, action, resource: &buckets, scenario: &scenario, guards: &guards };
        match request.answer().into_what_was_read() {
            Decision::Allowed { .. } | Decision::Conditional { .. } => may.push(*action),
            uncertain @ Decision::Uncertain { .. } if unsure.is_none() => {
                *unsure = Some(Text::new(format!("{action}: {}", uncertain.words())));
            }
            _ => {}
        }
    }
    if !may.is_empty() {
        let why = format!("role {} only reads weights, but may {}", identity.caller.name(), listed(&may));
        problems.push(Problem::fail("may-write", why).shows("actions", listed(&may)));
    }
}

/// The bucket, or some object of the weights.
fn place(context: &Context<'_>, uri: &S3Uri, action: &str) -> Arn {
    let resource = if crate::access::actions::is_on_objects(action) {
        format!("{}/{}config.json", uri.bucket, uri.prefix)
    } else {
        uri.bucket.to_string()
    };
    Arn {
        partition: context.partition.to_owned(),
        service: "s3".to_owned(),
        region: String::new(),
        account: String::new(),
        resource,
    }
}

/// The accounts that may own a bucket of weights: ours when it is there, a trusted one when it is not, any of
/// these while that is not known.
fn owners<'a>(context: &Context<'a>, bucket: &ResourceId) -> Vec<&'a str> {
    let trusted = context.expect.trusted_accounts.iter().map(String::as_str);
    match context.inventory.buckets.get(bucket).and_then(crate::inventory::s3::Bucket::presence) {
        Some(Presence::Ours) => vec![context.account],
        Some(Presence::Foreign) => trusted.collect(),
        Some(Presence::Gone) | None => std::iter::once(context.account).chain(trusted).collect(),
    }
}

/// Accounts that conditions on the owner name.
fn named_accounts(identity: &Identity) -> BTreeSet<&str> {
    let statements = identity.policies.iter().flat_map(|(_, policy)| &policy.statements);
    let conditions = statements.flat_map(|statement| &statement.conditions);
    let owner = conditions.filter(|condition| condition.is_on(ACCOUNT) && is_string(condition.operator));
    owner.flat_map(|condition| &condition.values).map(String::as_str).collect()
}
