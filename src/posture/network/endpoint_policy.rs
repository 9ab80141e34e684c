//! CUS-NET-04: whether the policy of an S3 endpoint lets jobs through to their data, and to nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{
    Condition, ContextValue, Decision, Guards, Identity, Operator, Policy, Request, Resource, Scenario, SetOperator,
    Statement,
};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::bedrock::S3Uri;
use crate::inventory::ec2::Endpoint;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::probe::Probe;
use crate::posture::verdict::{Area, Severity, Verdict};

use super::reach::{JOB_LISTS, Network, endpoints_of, is_available, may_be_ours};

pub(in crate::posture) const NET_04: Control = Control {
    id: "CUS-NET-04",
    title: "S3 endpoint policy is least-privilege and complete",
    severity: Severity::High,
    area: Area::Network,
    what: "available S3 endpoints in VPCs of jobs",
    lists: JOB_LISTS,
    tables: &[SourceId::SUBNETS, SourceId::ENDPOINTS],
    details: &[],
    logic: "The policy of each available S3 endpoint in a VPC of jobs must not be the default that allows everything, \
            and its Allows must name the buckets of these jobs. A pattern for bucket names lets in buckets that \
            strangers can create, unless aws:ResourceAccount or aws:ResourceOrgID ties it to accounts. And it must \
            let the role of each job read and list its training, validation or import data and write (PutObject) its \
            output: the example of the AWS documentation lacks PutObject, and a job behind it cannot write its \
            metrics. Further buckets (such as those of AWS that hold packages) and further actions are a warning: \
            the tool is not told which are meant.",
    reasons: &["full-access", "any-bucket", "bucket-pattern", "incomplete", "other-buckets", "surplus-actions"],
    remediation: "Allow s3:GetObject and s3:ListBucket on the buckets that jobs read, and s3:PutObject on the one they \
                  write to; keep the buckets that other workloads of the VPC need.",
    cli: "aws ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-4", "SC-7", "AC-6"]),
        (FEDRAMP, &["AC-4", "SC-7", "AC-6"]),
        (PCI, &["1.3.2", "7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["S3", "NET"]),
    ],
    fixes: &[],
    evaluate: policies,
};

/// What jobs do with data, and what goes with it.
const EXPECTED: &[&str] = &[
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:ListBucketMultipartUploads",
];

fn policies(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (vpc, network) in &judge.tables().networks {
        let needs = needs(network);
        for endpoint in endpoints_of(judge.context.inventory, vpc, judge.context.region, "s3") {
            if is_available(endpoint) {
                verdicts.extend(of_endpoint(judge, endpoint, network, &needs));
            }
        }
    }
    verdicts
}

/// What one role does with one bucket.
#[derive(Default)]
struct Use<'a> {
    reads: BTreeSet<&'a Text>,
    writes: BTreeSet<&'a Text>,
}

/// By role and bucket, so that a thousand jobs of one role are one question.
type Needs<'a> = BTreeMap<(&'a ResourceId, &'a ResourceId), Use<'a>>;

fn needs<'a>(network: &Network<'a>) -> Needs<'a> {
    let mut needs: Needs<'a> = BTreeMap::new();
    for running in &network.jobs {
        let role = running.role;
        for S3Uri { bucket, prefix } in &running.reads {
            needs.entry((role, bucket)).or_default().reads.insert(prefix);
        }
        if let Some(S3Uri { bucket, prefix }) = running.writes {
            needs.entry((role, bucket)).or_default().writes.insert(prefix);
        }
    }
    needs
}

fn of_endpoint(judge: &Judge<'_>, endpoint: &Endpoint, network: &Network<'_>, needs: &Needs<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let name = context.name_of(&ResourceRef::new(Kind::Endpoint, &endpoint.id));
    let buckets: BTreeSet<&str> = needs.keys().map(|(_, bucket)| bucket.as_str()).collect();
    let subject = judge
        .on(ResourceRef::new(Kind::Endpoint, &endpoint.id))
        .related([ResourceRef::new(Kind::Vpc, &endpoint.vpc)])
        .related(network.references());
    // why: an endpoint that is made without a policy gets one that allows everything (CreateVpcEndpoint).
    let Some(document) = &endpoint.policy else {
        let why = format!("endpoint {name} has no policy of its own: it leads to every bucket of every account");
        return vec![subject.shows("PolicyDocument", "none").fail("full-access", why)];
    };
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(error) => return vec![subject.malformed("endpoint policy", None, error)],
    };
    let mut problems: Vec<Problem> =
        policy.statements.iter().flat_map(|statement| surplus(context, &name, statement, &buckets)).collect();
    let asked = Through::of(context, endpoint, &policy).ask(needs);
    if !asked.missing.is_empty() {
        let why = format!("endpoint {name} does not let jobs through to {}", listed(&asked.missing));
        problems.push(Problem::fail("incomplete", why).shows("missing", listed(&asked.missing)));
    }
    let broken = policy.malformed().next().map(|(statement, why)| {
        let why = format!("endpoint policy, {}: {why}", statement.pointer());
        ("malformed", why)
    });
    let draft = subject
        .shows("buckets", listed(&buckets))
        .shows("statements", policy.statements.len())
        .shows("VpcEndpointType", &endpoint.kind);
    let conditional = (!asked.open.is_empty()).then(|| {
        let why = format!("cannot tell whether endpoint {name} lets jobs through to {}", listed(&asked.open));
        ("conditional", why)
    });
    draft.conclude_open(problems, broken.or(conditional), "lets jobs through to their buckets, and to no others")
}

/// What an Allow gives beyond the buckets of the jobs.
fn surplus(context: &Context<'_>, name: &str, statement: &Statement, buckets: &BTreeSet<&str>) -> Vec<Problem> {
    let (true, Some(actions), Some(resources)) = (statement.allows(), &statement.actions, &statement.resources) else {
        return Vec::new();
    };
    let about_s3 = |pattern: &&String| *pattern == "*" || pattern.to_ascii_lowercase().starts_with("s3:");
    let on: Vec<&String> = actions.patterns.iter().filter(about_s3).collect();
    if on.is_empty() && !actions.negated {
        return Vec::new();
    }
    let (pointer, label) = (statement.pointer(), statement.label());
    let tied = statement.conditions.iter().any(|condition| ties(context, condition));
    let every = actions.negated || on.iter().any(|pattern| *pattern == "*" || pattern.eq_ignore_ascii_case("s3:*"));
    let (mut any, mut patterns, mut others) = (resources.negated, BTreeSet::new(), BTreeSet::new());
    for pattern in &resources.patterns {
        match bucket_of(pattern) {
            Named::Every => any = true,
            Named::Pattern(bucket) => _ = patterns.insert(Text::new(bucket)),
            Named::Bucket(bucket) if !buckets.contains(bucket) => _ = others.insert(Text::new(bucket)),
            Named::Bucket(_) | Named::Nothing => {}
        }
    }
    let written = Text::new(resources.patterns.join(", "));
    let point = |problem: Problem| problem.points("Resource", &written, pointer.clone());
    let mut problems = Vec::new();
    match (any, tied) {
        (true, false) if every => {
            let why = format!("{label} of endpoint {name} lets everything through to every bucket of every account");
            return vec![point(Problem::fail("full-access", why))];
        }
        (true, false) => {
            let why = format!("{label} of endpoint {name} leads to buckets of every account: data can leave by it");
            problems.push(point(Problem::fail("any-bucket", why)));
        }
        (true, true) => {
            let why = format!("{label} of endpoint {name} leads to every bucket of the accounts it is tied to");
            problems.push(point(Problem::warn("other-buckets", why)));
        }
        (false, _) => {}
    }
    if !patterns.is_empty() && !any {
        let list = listed(&patterns);
        problems.push(point(if tied {
            let why = format!("{label} of endpoint {name} leads to all buckets named like {list}");
            Problem::warn("other-buckets", why)
        } else {
            let why = format!(
                "{label} of endpoint {name} leads to all buckets named like {list}, and anybody can create one"
            );
            Problem::fail("bucket-pattern", why).graded(Severity::Medium)
        }));
    }
    if !others.is_empty() && !resources.negated {
        let why = format!("{label} of endpoint {name} leads to {}, which no job of this VPC uses", listed(&others));
        problems.push(point(Problem::warn("other-buckets", why)));
    }
    let known = |pattern: &&&String| EXPECTED.iter().any(|action| action.eq_ignore_ascii_case(pattern));
    let more: Vec<Text> = on.iter().filter(|pattern| !known(pattern)).copied().map(Text::new).collect();
    if actions.negated || !more.is_empty() {
        let list = if actions.negated { "all actions but a few (NotAction)".to_owned() } else { listed(&more) };
        let why = format!("{label} of endpoint {name} allows {list}, which jobs do not need");
        problems.push(Problem::warn("surplus-actions", why).graded(Severity::Low).points("Action", list, pointer));
    }
    problems
}

/// The bucket that a pattern of a `Resource` names.
enum Named<'a> {
    Every,
    Pattern(&'a str),
    Bucket(&'a str),
    /// No S3 ARN: it meets no bucket.
    Nothing,
}

fn bucket_of(pattern: &str) -> Named<'_> {
    let wild = |text: &str| text.contains(['*', '?', '$']);
    if pattern == "*" {
        return Named::Every;
    }
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts[..] else { return Named::Nothing };
    if service != "s3" && !wild(service) {
        return Named::Nothing;
    }
    match resource.split('/').next().unwrap_or_default() {
        bucket if bucket.chars().all(|c| c == '*') => Named::Every,
        bucket if wild(bucket) => Named::Pattern(bucket),
        bucket => Named::Bucket(bucket),
    }
}

/// Whether a condition ties the resource to accounts that are ours or trusted, or to our organization.
fn ties(context: &Context<'_>, condition: &Condition) -> bool {
    let exact = matches!(condition.operator, Operator::StringEquals | Operator::StringEqualsIgnoreCase)
        || (condition.operator == Operator::StringLike
            && condition.values.iter().all(|value| !value.contains(['*', '?', '$'])));
    let binds = !condition.if_exists && condition.set != Some(SetOperator::ForAllValues) && exact;
    let account = condition.is_on("aws:ResourceAccount") || condition.is_on("s3:ResourceAccount");
    let ours = || condition.values.iter().all(|value| context.trusts(value));
    binds
        && !condition.values.is_empty()
        && ((account && ours()) || (condition.is_on("aws:ResourceOrgID") && may_be_ours(context, &condition.values)))
}

/// Requests through one endpoint.
struct Through<'a> {
    context: &'a Context<'a>,
    guards: Guards,
    scenario: Scenario,
    probe: Probe,
}

/// What does not get through, and what may not.
#[derive(Default)]
struct Asked {
    missing: BTreeSet<String>,
    open: BTreeSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Passes {
    Yes,
    Perhaps,
    No,
}

impl<'a> Through<'a> {
    fn of(context: &'a Context<'a>, endpoint: &Endpoint, policy: &Policy) -> Self {
        let scenario = Scenario::open()
            .with("aws:SourceVpce", ContextValue::one(endpoint.id.as_str()))
            .with("aws:SourceVpc", ContextValue::one(endpoint.vpc.as_str()))
            .with("aws:SourceIp", ContextValue::Absent)
            .with("aws:SecureTransport", ContextValue::one("true"));
        let guards = Guards { endpoint: Some(vec![policy.clone()]), ..Guards::none() };
        Self { context, guards, scenario, probe: Probe::new() }
    }

    fn ask(&self, needs: &Needs<'_>) -> Asked {
        let mut asked = Asked::default();
        let mut identities: BTreeMap<&ResourceId, Identity> = BTreeMap::new();
        for ((role, bucket), using) in needs {
            let identity = &*identities.entry(role).or_insert_with(|| self.probe.caller(self.context, role));
            let mut note = |passes, action: &str| {
                let words = || format!("{action} on {bucket}");
                match passes {
                    Passes::Yes => {}
                    Passes::Perhaps => _ = asked.open.insert(words()),
                    Passes::No => _ = asked.missing.insert(words()),
                }
            };
            if !using.reads.is_empty() {
                note(self.objects(identity, bucket, "s3:GetObject", &using.reads), "s3:GetObject");
                note(self.lists(identity, bucket, &using.reads), "s3:ListBucket");
            }
            if !using.writes.is_empty() {
                note(self.objects(identity, bucket, "s3:PutObject", &using.writes), "s3:PutObject");
            }
        }
        asked
    }

    /// All objects of the bucket at once; only if that does not pass, each prefix.
    fn objects(&self, who: &Identity, bucket: &ResourceId, action: &str, prefixes: &BTreeSet<&Text>) -> Passes {
        let whole = self.one(who, bucket, action, Some(""), true);
        if whole == Passes::Yes {
            return whole;
        }
        let each = prefixes.iter().map(|prefix| {
            let below = self.one(who, bucket, action, Some(prefix.as_str()), true);
            // A training file is named by its whole key.
            let itself = || self.one(who, bucket, action, Some(prefix.as_str()), false);
            if below == Passes::Yes || prefix.is_empty() { below } else { below.min(itself()) }
        });
        each.max().unwrap_or(whole)
    }

    fn lists(&self, who: &Identity, bucket: &ResourceId, prefixes: &BTreeSet<&Text>) -> Passes {
        let whole = self.one(who, bucket, "s3:ListBucket", None, false);
        if whole != Passes::Perhaps {
            return whole;
        }
        let each = prefixes.iter().map(|prefix| {
            let scenario = self.scenario.clone().with("s3:prefix", ContextValue::one(prefix.as_str()));
            self.decide(who, bucket, "s3:ListBucket", None, false, &scenario)
        });
        each.max().unwrap_or(whole)
    }

    fn one(&self, who: &Identity, bucket: &ResourceId, action: &str, key: Option<&str>, open: bool) -> Passes {
        self.decide(who, bucket, action, key, open, &self.scenario)
    }

    fn decide(
        &self,
        who: &Identity,
        bucket: &ResourceId,
        action: &str,
        key: Option<&str>,
        open: bool,
        scenario: &Scenario,
    ) -> Passes {
        let arn = Arn {
            partition: self.context.partition.to_owned(),
            service: "s3".to_owned(),
            region: String::new(),
            account: String::new(),
            resource: key.map_or_else(|| bucket.to_string(), |key| format!("{bucket}/{key}")),
        };
        // Whose a bucket is that is not known stays open.
        let held = self.context.inventory.buckets.get(bucket);
        let ours = held.and_then(|held| held.owned.known().ok().copied()).unwrap_or(false);
        let owner = if ours { self.context.account.to_owned() } else { String::new() };
        let resource = Resource { open, owner, ..Resource::plain(arn) };
        let request = Request { identity: who, action, resource: &resource, scenario, guards: &self.guards };
        match request.answer().decision {
            Decision::Allowed { .. } => Passes::Yes,
            Decision::Conditional { .. } | Decision::Uncertain { .. } => Passes::Perhaps,
            Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => Passes::No,
        }
    }
}
