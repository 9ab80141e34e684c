//! CUS-NET-05: whether the buckets of jobs accept data access from the jobs' network only.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{
    Condition, ContextValue, Decision, Effect, Guards, Identity, Policy, Request, Resource, Rules, Scenario, Statement,
};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::s3::Presence;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Draft, Judge, Problem, Subject, listed, unread};
use crate::posture::probe::Probe;
use crate::posture::verdict::{Area, Severity, Verdict};

use super::reach::{JOB_LISTS, endpoints_of, is_available, running};

pub(in crate::posture) const NET_05: Control = Control {
    id: "CUS-NET-05",
    title: "Data buckets accept data access only from the VPC/endpoint",
    severity: Severity::Medium,
    area: Area::Network,
    what: "buckets of customization and import jobs",
    lists: JOB_LISTS,
    tables: &[SourceId::SUBNETS, SourceId::ENDPOINTS],
    details: &[SourceId::BUCKET_POLICY],
    logic: "The policy of each bucket that a job reads or writes must deny GetObject, PutObject and ListBucket to an \
            ordinary role of the account that comes over the internet or from another VPC (conditions on \
            aws:SourceVpce or aws:SourceVpc), and must not deny a job's own role in its own VPC. Exceptions for named \
            administrators and AWS services are shown; one for addresses (aws:SourceIp), and networks that no job \
            runs in, are a warning. Only VPCs of jobs are known to the tool: it cannot tell a network of \
            administrators from one that is gone.",
    reasons: &[
        "not-limited",
        "ineffective",
        "partly-limited",
        "any-vpc",
        "job-locked-out",
        "other-network",
        "address-exception",
    ],
    remediation: "Add a Deny for s3:GetObject, s3:PutObject and s3:ListBucket with StringNotEquals aws:SourceVpce, and \
                  with exceptions for the roles that administer the bucket. It locks out everybody else at once.",
    cli: "aws s3api put-bucket-policy --bucket BUCKET --policy file://POLICY.json",
    compliance: &[
        (NIST, &["AC-4", "SC-7"]),
        (FEDRAMP, &["AC-4", "SC-7"]),
        (PCI, &["1.4.4"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025", "AML.M0005"]),
        (SRA, &["S3", "NET"]),
    ],
    fixes: &[],
    evaluate: walls,
};

/// What data access is.
const READS: [&str; 2] = ["s3:GetObject", "s3:ListBucket"];
const WRITES: [&str; 1] = ["s3:PutObject"];
/// What tells networks apart.
const NETWORK: [&str; 3] = ["aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp"];

/// How jobs use a bucket.
#[derive(Default)]
struct Used<'a> {
    jobs: BTreeSet<ResourceRef>,
    /// Role, VPC, whether it writes.
    from: BTreeSet<(&'a ResourceId, &'a ResourceId, bool)>,
}

fn walls(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut used: BTreeMap<&ResourceId, Used<'_>> = BTreeMap::new();
    for running in &running(inventory) {
        let vpcs = running.vpcs(inventory);
        let mut add = |bucket, writes| {
            let entry = used.entry(bucket).or_default();
            entry.jobs.insert(running.job.clone());
            entry.from.extend(vpcs.iter().map(|vpc| (running.role, *vpc, writes)));
        };
        running.reads.iter().for_each(|uri| add(&uri.bucket, false));
        running.writes.iter().for_each(|uri| add(&uri.bucket, true));
    }
    let probe = Probe::new();
    used.iter().flat_map(|(bucket, used)| of_bucket(judge, &probe, bucket, used)).collect()
}

fn of_bucket(judge: &Judge<'_>, probe: &Probe, bucket: &ResourceId, used: &Used<'_>) -> Vec<Verdict> {
    let subject = judge.on(ResourceRef::new(Kind::Bucket, bucket)).related(used.jobs.iter().cloned());
    let Some(held) = judge.context.inventory.buckets.get(bucket) else {
        return vec![subject.unread(format!("bucket {bucket} is not in the inventory"))];
    };
    let document = match held.policy.known() {
        Ok(document) => document,
        Err(_) if held.presence() == Some(Presence::Gone) => {
            return vec![subject.not_applicable(format!("bucket {bucket} does not exist; see CUS-DAT-06"))];
        }
        Err(unknown) => return vec![subject.unread(unread("s3:GetBucketPolicy", unknown))],
    };
    let Some(document) = document else {
        let why = format!("bucket {bucket} has no policy: whoever has the right reaches its data from anywhere");
        return vec![subject.shows("Policy", "none").fail("not-limited", why)];
    };
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(error) => return vec![subject.malformed("bucket policy", None, error)],
    };
    let wall = Wall::of(judge.context, probe, bucket, policy);
    if let (true, Some((statement, why))) = (wall.statements().next().is_none(), wall.policy.malformed().next()) {
        let pointer = statement.pointer();
        return vec![subject.malformed(&format!("bucket policy, {pointer}"), Some(pointer.clone()), why)];
    }
    wall.judge(judge, used, subject)
}

/// A bucket's policy, and what it says to requests from somewhere.
struct Wall<'a> {
    context: &'a Context<'a>,
    probe: &'a Probe,
    bucket: &'a ResourceId,
    policy: Policy,
    resource: [Resource; 2],
}

impl<'a> Wall<'a> {
    fn of(context: &'a Context<'a>, probe: &'a Probe, bucket: &'a ResourceId, policy: Policy) -> Self {
        let arn = |resource: String| Arn {
            partition: context.partition.to_owned(),
            service: "s3".to_owned(),
            region: String::new(),
            account: String::new(),
            resource,
        };
        let rules = || Rules::Known(policy.clone());
        let owner = || context.account.to_owned();
        let whole = Resource { owner: owner(), rules: rules(), ..Resource::plain(arn(bucket.to_string())) };
        let objects =
            Resource { owner: owner(), rules: rules(), open: true, ..Resource::plain(arn(format!("{bucket}/"))) };
        Self { context, probe, bucket, policy, resource: [whole, objects] }
    }

    /// Denies that depend on the network.
    fn statements(&self) -> impl Iterator<Item = &Statement> {
        let on = |condition: &Condition| NETWORK.iter().any(|key| condition.is_on(key));
        let denies = |statement: &&Statement| statement.effect == Effect::Deny && statement.malformed.is_none();
        self.policy.statements.iter().filter(denies).filter(move |statement| statement.conditions.iter().any(on))
    }

    fn says(&self, who: &Identity, action: &str, scenario: &Scenario) -> Decision {
        let [whole, objects] = &self.resource;
        let resource = if action == "s3:ListBucket" { whole } else { objects };
        let guards = Guards::none();
        Request { identity: who, action, resource, scenario, guards: &guards }.answer().decision
    }

    /// The actions that are surely denied, and those of which it is not known.
    fn denied(&self, who: &Identity, scenario: &Scenario) -> (Vec<&'static str>, Vec<(&'static str, Decision)>) {
        let (mut denied, mut open) = (Vec::new(), Vec::new());
        for action in READS.into_iter().chain(WRITES) {
            match self.says(who, action, scenario) {
                Decision::ExplicitlyDenied { .. } => denied.push(action),
                Decision::Allowed { .. } | Decision::ImplicitlyDenied { .. } => {}
                decision => open.push((action, decision)),
            }
        }
        (denied, open)
    }

    fn judge(&self, judge: &Judge<'_>, used: &Used<'_>, subject: Subject<'_>) -> Vec<Verdict> {
        let bucket = self.bucket;
        let all = READS.len() + WRITES.len();
        let walls: Vec<&Statement> = self.statements().collect();
        if walls.is_empty() {
            let why = format!("no statement of the policy of bucket {bucket} depends on the network a request is from");
            return vec![subject.shows("statements", self.policy.statements.len()).fail("not-limited", why)];
        }
        let draft = walls.iter().fold(subject.shows("bucket", bucket), |draft, wall| {
            let conditions = listed(wall.conditions.iter().map(Condition::words));
            draft.points("statement", format!("{}: {conditions}", wall.label()), Some(wall.pointer()))
        });
        let somebody = self.probe.somebody(self.context);
        let (outside, open_outside) = self.denied(&somebody, &from(ContextValue::Absent, ContextValue::Absent));
        let other = |id: &str| ContextValue::one(format!("{id}-00000000000000000"));
        let (elsewhere, open_elsewhere) = self.denied(&somebody, &from(other("vpce"), other("vpc")));
        let mut problems = Vec::new();
        let lets = |denied: &[&str]| {
            let spared = READS.into_iter().chain(WRITES).filter(|action| !denied.contains(action));
            listed(spared)
        };
        let open = open_outside.first().or(open_elsewhere.first());
        if open_outside.is_empty() && outside.len() < all {
            problems.push(if outside.is_empty() {
                let why = format!("the Deny of bucket {bucket} does not stop an ordinary role from any network");
                Problem::fail("ineffective", why)
            } else {
                let why = format!("bucket {bucket} is open to {} from any network", lets(&outside));
                Problem::fail("partly-limited", why)
            });
        } else if open_outside.is_empty() && open_elsewhere.is_empty() && elsewhere.len() < all {
            let why = format!("bucket {bucket} is open to {} from every VPC", lets(&elsewhere));
            problems.push(Problem::fail("any-vpc", why));
        }
        problems.extend(self.locked_out(judge, used));
        problems.extend(self.exceptions(judge, used, &walls));
        self.settled(draft, problems, open)
    }

    fn settled(
        &self,
        draft: Draft<Subject<'_>>,
        problems: Vec<Problem>,
        open: Option<&(&str, Decision)>,
    ) -> Vec<Verdict> {
        if let (true, Some((action, decision))) = (problems.is_empty(), open) {
            let why = format!("{action} on bucket {} from another network is {}", self.bucket, decision.words());
            return vec![draft.undecided("conditional", why)];
        }
        draft.conclude(problems, "data access from other networks is denied")
    }

    /// Jobs whose own network the policy shuts out.
    fn locked_out(&self, judge: &Judge<'_>, used: &Used<'_>) -> Vec<Problem> {
        let context = self.context;
        let mut problems = Vec::new();
        for (role, vpc, writes) in &used.from {
            let who = self.probe.caller(context, role);
            let endpoints = endpoints_of(context.inventory, vpc, context.region, "s3");
            let mut ways: Vec<Scenario> = endpoints
                .iter()
                .filter(|endpoint| is_available(endpoint))
                .map(|endpoint| from(ContextValue::one(endpoint.id.as_str()), ContextValue::one(vpc.as_str())))
                .collect();
            if ways.is_empty() {
                ways.push(from(ContextValue::Unknown, ContextValue::one(vpc.as_str())));
            }
            let needed: &[&str] = if *writes { &WRITES } else { &READS };
            for action in needed {
                let denied = |way: &Scenario| matches!(self.says(&who, action, way), Decision::ExplicitlyDenied { .. });
                // why only when whole: an endpoint that is not listed may be the one that the policy names.
                if ways.iter().all(denied) && judge.gap(SourceId::ENDPOINTS).is_none() {
                    let why = format!(
                        "the policy of bucket {} denies {action} to {} in its own network {vpc}: jobs fail",
                        self.bucket,
                        role.last()
                    );
                    problems.push(Problem::fail("job-locked-out", why).shows("job's VPC", vpc));
                }
            }
        }
        problems
    }

    /// Who is let in besides the jobs' networks.
    fn exceptions(&self, judge: &Judge<'_>, used: &Used<'_>, walls: &[&Statement]) -> Vec<Problem> {
        let vpcs: BTreeSet<&ResourceId> = used.from.iter().map(|(_, vpc, _)| *vpc).collect();
        let endpoints = self.context.inventory.endpoints.values().filter(|endpoint| vpcs.contains(&endpoint.vpc));
        let own: BTreeSet<&str> =
            vpcs.iter().map(|id| id.as_str()).chain(endpoints.map(|endpoint| endpoint.id.as_str())).collect();
        let is_id = |id: &str| id.starts_with("vpc") && !id.contains(['*', '?', '$']);
        let mut problems = Vec::new();
        for wall in walls {
            let by_network = |condition: &&Condition| NETWORK[..2].iter().any(|key| condition.is_on(key));
            let named = wall.conditions.iter().filter(by_network).flat_map(|condition| &condition.values);
            let others: BTreeSet<Text> =
                named.filter(|id| is_id(id) && !own.contains(id.as_str())).map(Text::new).collect();
            if !others.is_empty() && judge.any_gap(&[SourceId::SUBNETS, SourceId::ENDPOINTS]).is_none() {
                let why = format!(
                    "{} of bucket {} lets in {}, where no job of it runs",
                    wall.label(),
                    self.bucket,
                    listed(&others)
                );
                problems.push(Problem::warn("other-network", why).points("network", listed(&others), wall.pointer()));
            }
            if let Some(condition) = wall.conditions.iter().find(|condition| condition.is_on("aws:SourceIp")) {
                let why = format!(
                    "{} of bucket {} lets in requests from addresses on the internet",
                    wall.label(),
                    self.bucket
                );
                let problem = Problem::warn("address-exception", why);
                problems.push(problem.points("condition", condition.words(), wall.pointer()));
            }
        }
        problems
    }
}

/// A request by this endpoint of this VPC; without both it comes over the internet, from an address that belongs to
/// nobody (RFC 5737).
fn from(endpoint: ContextValue, vpc: ContextValue) -> Scenario {
    let public = vpc == ContextValue::Absent;
    let absent_outside = if public { ContextValue::Absent } else { ContextValue::Unknown };
    let address = if public { ContextValue::one("198.51.100.7") } else { ContextValue::Absent };
    Scenario::open()
        .with("aws:SourceVpce", endpoint)
        .with("aws:SourceVpc", vpc)
        .with("aws:VpcSourceIp", absent_outside)
        .with("aws:SourceIp", address)
        .with("aws:ViaAWSService", ContextValue::one("false"))
        .with("aws:SecureTransport", ContextValue::one("true"))
}
