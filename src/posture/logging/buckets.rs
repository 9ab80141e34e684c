//! CUS-LOG-05: the buckets of the invocation log: closed, under your key, and open to Bedrock's deliveries alone.

use std::collections::BTreeMap;

use super::deputy::tied;
use super::log_buckets;
use crate::access::ContextValue;
use crate::access::{
    Caller, Decision, Guards, Identity, KeyAccess, Policy, PrincipalEntry, Request, Resource, Rules, Scenario,
    Statement, decide,
};
use crate::base::{Arn, ResourceId};
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::{Bucket, Presence};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::data;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_05: Control = Control {
    id: "CUS-LOG-05",
    title: "Invocation log bucket: your key, a scoped delivery policy, ACLs off",
    severity: Severity::High,
    area: Area::Logging,
    what: "buckets of invocation logging",
    lists: &[SourceId::LOGGING],
    tables: &[SourceId::ACCOUNT_PUBLIC_ACCESS],
    details: &[
        SourceId::BUCKET_ENCRYPTION,
        SourceId::KEYS,
        SourceId::KEY_POLICIES,
        SourceId::BUCKET_PUBLIC_ACCESS,
        SourceId::BUCKET_POLICY_STATUS,
        SourceId::BUCKET_OWNERSHIP,
        SourceId::BUCKET_POLICY,
    ],
    logic: "CUS-DAT-01 and CUS-DAT-03 must hold for each bucket that invocation logging writes to. Its policy must let \
            bedrock.amazonaws.com put objects under PREFIX/AWSLogs/ACCOUNT/BedrockModelInvocationLogs/, and nowhere \
            else, with aws:SourceAccount and aws:SourceArn of this account. The policy of its key must let Bedrock \
            use kms:GenerateDataKey with the same conditions: without it nothing is delivered.",
    reasons: &[
        "bucket-key",
        "bucket-exposed",
        "delivery-not-allowed",
        "delivery-too-broad",
        "source-account-missing",
        "source-arn-missing",
        "key-not-allowed",
        "key-not-tied",
    ],
    remediation: "Put the statement AmazonBedrockLogsWrite into the bucket policy and its like into the key policy, \
                  both tied to this account; encrypt by default with your key and turn ACLs off.",
    cli: "aws s3api put-bucket-policy --bucket BUCKET --policy file://POLICY.json && aws kms put-key-policy --key-id KEY --policy-name default --policy file://KEY.json",
    compliance: &[
        (NIST, &["AU-9", "AC-3"]),
        (FEDRAMP, &["AU-9", "AC-3"]),
        (PCI, &["10.3.1", "10.3.2"]),
        (HIPAA, &["164.312(b)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: log_buckets_judged,
};

const BEDROCK: &str = "bedrock.amazonaws.com";
const PUT: &str = "s3:PutObject";
const DATA_KEY: &str = "kms:GenerateDataKey";

fn log_buckets_judged(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut places: BTreeMap<&ResourceId, Vec<&S3Uri>> = BTreeMap::new();
    for uri in log_buckets(judge) {
        places.entry(&uri.bucket).or_default().push(uri);
    }
    places.into_iter().flat_map(|(name, uris)| one_bucket(judge, name, &uris)).collect()
}

fn one_bucket(judge: &Judge<'_>, name: &ResourceId, uris: &[&S3Uri]) -> Vec<Verdict> {
    let context = judge.context;
    let subject = judge.on(ResourceRef::new(Kind::Bucket, name));
    let Some(bucket) = context.inventory.buckets.get(name) else {
        let gap = judge.gap(SourceId::BUCKETS);
        let why = gap.map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
        return vec![subject.unread(format!("bucket {name}: {why}"))];
    };
    match bucket.presence() {
        Some(Presence::Gone) => {
            return vec![subject.not_applicable(format!("bucket {name} does not exist any more; see CUS-DAT-06"))];
        }
        Some(Presence::Foreign) => {
            let why = format!("bucket {name} belongs to another account: its settings cannot be read");
            return vec![subject.undecided("foreign-bucket", why)];
        }
        _ => {}
    }
    let (mut problems, mut open) = (Vec::new(), Vec::new());
    let mut take = |(found, unseen): (Vec<Problem>, Option<String>)| {
        problems.extend(found);
        open.extend(unseen);
    };
    let as_a = |code, found: Vec<Problem>| found.into_iter().map(|one| Problem { code, ..one }).collect::<Vec<_>>();
    take(match data::default_key(judge, bucket) {
        Ok(problem) => (as_a("bucket-key", problem.into_iter().collect()), None),
        Err(why) => (Vec::new(), Some(why)),
    });
    let (exposed, unseen) = data::exposure(judge, bucket);
    take((as_a("bucket-exposed", exposed), unseen));
    take(delivery(context, bucket, uris));
    take(key_policy(context, bucket));
    let paths = uris.iter().map(|uri| path(context, uri)).collect::<Vec<_>>().join(", ");
    let draft = subject.shows("deliversTo", paths).shows("expected", expected(context));
    let open = open.into_iter().next().map(|why| ("unread", why));
    draft.conclude_open(problems, open, "only Bedrock's log of this account is delivered, under your key")
}

/// Where the records of a configuration go.
fn path(context: &Context<'_>, uri: &S3Uri) -> String {
    let prefix = uri.prefix.as_str().trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    format!("{}/{prefix}{slash}AWSLogs/{}/BedrockModelInvocationLogs/", uri.bucket, context.account)
}

fn expected(context: &Context<'_>) -> String {
    let Context { account, partition, region, .. } = context;
    format!("aws:SourceAccount {account}, aws:SourceArn arn:{partition}:bedrock:{region}:{account}:*")
}

/// How Bedrock asks when it delivers for this account.
fn scenario(context: &Context<'_>) -> Scenario {
    let Context { account, partition, region, .. } = context;
    Scenario::open()
        .with("aws:SourceAccount", ContextValue::one(*account))
        .with("aws:SourceArn", ContextValue::one(format!("arn:{partition}:bedrock:{region}:{account}:invocation-log")))
        .with("aws:SecureTransport", ContextValue::one("true"))
}

/// Whether a statement lets Bedrock itself do this.
fn names_bedrock(statement: &Statement, action: &str) -> bool {
    statement.allows()
        && statement.actions.as_ref().is_some_and(|actions| actions.cover(action))
        && statement
            .principals
            .as_ref()
            .is_some_and(|who| !who.negated && who.entries.contains(&PrincipalEntry::Service(BEDROCK.to_owned())))
}

fn ties(context: &Context<'_>, statement: &Statement, codes: [&'static str; 2], of: &str) -> Vec<Problem> {
    let tied = tied(statement, context.account);
    let found: Vec<String> = statement.conditions.iter().map(|condition| condition.words().to_string()).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join("; ") };
    [(tied.account, "aws:SourceAccount", codes[0]), (tied.arn, "aws:SourceArn", codes[1])]
        .into_iter()
        .filter(|(tied, ..)| !tied)
        .map(|(_, key, code)| {
            let why =
                format!("{} of {of}: {key} does not tie Bedrock to account {}", statement.label(), context.account);
            Problem::fail(code, why).points("condition", &found, statement.pointer())
        })
        .collect()
}

/// Whether its policy lets Bedrock deliver and no more, and what of that cannot be told.
fn delivery(context: &Context<'_>, bucket: &Bucket, uris: &[&S3Uri]) -> (Vec<Problem>, Option<String>) {
    let name = &bucket.name;
    let missing = |why: String| Problem::fail("delivery-not-allowed", why);
    let document = match bucket.policy.known() {
        Ok(Some(document)) => document,
        Ok(None) => {
            let why = format!("bucket {name} has no policy: Bedrock cannot deliver the invocation log");
            return (vec![missing(why)], None);
        }
        Err(unknown) => return (Vec::new(), Some(unread("s3:GetBucketPolicy", unknown))),
    };
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(error) => return (Vec::new(), Some(format!("bucket policy: {error}"))),
    };
    let object = |key: String| Arn {
        partition: context.partition.to_owned(),
        service: "s3".to_owned(),
        region: String::new(),
        account: String::new(),
        resource: key,
    };
    let caller = Caller::Service(BEDROCK.to_owned());
    let identity = Identity::of(context.inventory, &caller);
    let (scenario, guards) = (scenario(context), Guards::default());
    let (mut problems, mut open) = (Vec::new(), None);
    let elsewhere = object(format!("{name}/elsewhere"));
    for uri in uris {
        let record = object(format!("{}{}/record.json.gz", path(context, uri), context.region));
        let resource = Resource {
            owner: context.account.to_owned(),
            rules: Rules::Known(policy.clone()),
            ..Resource::plain(record.clone())
        };
        let request =
            Request { identity: &identity, action: PUT, resource: &resource, scenario: &scenario, guards: &guards };
        let answer = request.answer();
        match &answer.decision {
            Decision::Allowed { .. } => {}
            Decision::Conditional { .. } | Decision::Uncertain { .. } => {
                open =
                    Some(format!("whether Bedrock may deliver to {}: {}", path(context, uri), answer.decision.words()));
            }
            denied => problems.push(missing(format!(
                "Bedrock cannot deliver the invocation log to {}: {}",
                path(context, uri),
                denied.words()
            ))),
        }
        for statement in policy.statements.iter().filter(|statement| names_bedrock(statement, PUT)) {
            let Some(resources) = statement.resources.as_ref().filter(|resources| resources.cover(&record)) else {
                continue;
            };
            problems.extend(ties(
                context,
                statement,
                ["source-account-missing", "source-arn-missing"],
                "the bucket policy",
            ));
            let more = statement.actions.as_ref().is_some_and(|actions| {
                actions.negated || actions.patterns.iter().any(|one| !one.eq_ignore_ascii_case(PUT))
            });
            if more || resources.cover(&elsewhere) {
                let why = format!(
                    "{} of the bucket policy lets Bedrock do more than put records under {}",
                    statement.label(),
                    path(context, uri)
                );
                let what = resources.patterns.join(", ");
                problems.push(Problem::fail("delivery-too-broad", why).points("Resource", what, statement.pointer()));
            }
        }
    }
    let broken = policy.malformed().next();
    let broken = broken.map(|(statement, why)| format!("bucket policy, {}: {why}", statement.pointer()));
    (problems, broken.or(open))
}

/// Whether the key of the bucket lets Bedrock write under it. A bucket without a customer's key is told by
/// `bucket-key`.
fn key_policy(context: &Context<'_>, bucket: &Bucket) -> (Vec<Problem>, Option<String>) {
    let named = bucket.encryption.known().ok().and_then(|encryption| encryption.kms_key.as_ref());
    let Some(key) = named.and_then(|named| context.key(named)) else { return (Vec::new(), None) };
    if key.metadata.known().is_ok_and(|metadata| metadata.manager == "AWS") {
        return (Vec::new(), None);
    }
    if let Err(unknown) = key.policy.known() {
        return (Vec::new(), Some(unread("kms:GetKeyPolicy", unknown)));
    }
    let Some(mut access) = KeyAccess::of(key) else { return (Vec::new(), Some(format!("{} is no key ARN", key.arn))) };
    // why no grants: those that Bedrock has are for models; the log goes by the policy (AWS documents nothing else).
    access.grants = Ok(Vec::new());
    let policy = match &access.policy {
        Ok(policy) => policy,
        Err(why) => return (Vec::new(), Some(why.to_string())),
    };
    let identity = Identity::of(context.inventory, &Caller::Service(BEDROCK.to_owned()));
    let answer = decide(&access, &identity, DATA_KEY, &scenario(context));
    let label = key.label();
    let of = format!("the policy of key {label}");
    let named = policy.statements.iter().filter(|statement| names_bedrock(statement, DATA_KEY));
    let mut problems: Vec<Problem> = named.flat_map(|one| ties(context, one, ["key-not-tied"; 2], &of)).collect();
    let open = match &answer.decision {
        Decision::Allowed { .. } => None,
        open @ (Decision::Conditional { .. } | Decision::Uncertain { .. }) => {
            Some(format!("whether Bedrock may use key {label} for the log: {}", open.words()))
        }
        denied => {
            let why = format!(
                "Bedrock may not use {DATA_KEY} on key {label}: nothing is delivered to bucket {} ({})",
                bucket.name,
                denied.words()
            );
            problems.push(Problem::fail("key-not-allowed", why));
            None
        }
    };
    (problems, open)
}
