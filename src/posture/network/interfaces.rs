//! What the role of a job in a VPC may do with network interfaces: what AWS documents, tied to the job's own.

use crate::access::{ContextValue, Decision, Identity, Resource, Scenario};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::SourceId;
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::job_roles::{self, JobRole};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::{NOBODY, ask, ask_for_certain, granted, may, scenario, settle};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const NET_10: Control = Control {
    id: "CUS-NET-10",
    title: "Role carries the documented ENI permissions with tag conditions",
    severity: Severity::Medium,
    area: Area::Network,
    what: "roles of customization jobs in a VPC",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "A role whose jobs run in a VPC must be allowed the EC2 actions that AWS documents, asked as Bedrock asks: \
            interfaces tagged BedrockManaged=true and BedrockModelCustomizationJobArn, in the job's subnets and groups. \
            A missing right makes the job fail. Each is asked again without a tag, in another subnet or group, and for \
            tagging at another time: what is still allowed then is over-granted. Conditions on other keys do not help.",
    reasons: &["missing-action", "untagged-interface", "any-subnet", "any-interface", "any-tagging"],
    remediation: "Give the role the documented statements: CreateNetworkInterface with aws:RequestTag, named subnets and \
                  groups, the other interface actions with ec2:Subnet and ec2:ResourceTag, CreateTags with \
                  ec2:CreateAction.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name vpc --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-6", "SC-7"]),
        (FEDRAMP, &["AC-6", "SC-7"]),
        (PCI, &["7.2.5"]),
        (ATLAS, &["AML.M0019"]),
        (SRA, &["NET", "IAM"]),
    ],
    fixes: &[],
    evaluate: interface_rights,
};

/// To look around, before interfaces are made.
pub(in crate::posture) const DESCRIBE: &[&str] = &[
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
];
const CREATE: &str = "ec2:CreateNetworkInterface";
const TAG: &str = "ec2:CreateTags";
const MANAGE: &[&str] =
    &["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission"];
const MANAGED: &str = "BedrockManaged";
const OF_JOB: &str = "BedrockModelCustomizationJobArn";

/// One request of Bedrock as a role.
struct Ask<'a> {
    context: &'a Context<'a>,
    identity: &'a Identity,
    problems: Vec<Problem>,
    unsure: Option<(&'static str, Text)>,
}

fn interface_rights(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let in_vpc = |role: &JobRole| !role.subnets.is_empty() || !role.groups.is_empty();
    job_roles::each(judge, in_vpc, |subject, role, identity| {
        let mut ask = Ask { context, identity, problems: Vec::new(), unsure: None };
        ask.needed(role);
        ask.surplus(role);
        let draft = subject
            .shows("subnets", listed(&role.subnets))
            .shows("securityGroups", listed(&role.groups))
            .shows("asked", "as Bedrock asks, with the tags of its interfaces; then without them and elsewhere");
        let draft = granted(identity)
            .filter(|by| [CREATE, TAG].iter().chain(MANAGE).any(|action| by.covers(action)))
            .fold(draft, |draft, by| draft.points("statement", by.words(), Some(by.statement.pointer())));
        settle(draft, identity, ask.problems, ask.unsure, "it may handle the network interfaces of its jobs alone")
    })
}

impl Ask<'_> {
    fn arn(&self, kind: &str, id: &str) -> Arn {
        Arn {
            partition: self.context.partition.to_owned(),
            service: "ec2".to_owned(),
            region: self.context.region.to_owned(),
            account: self.context.account.to_owned(),
            resource: format!("{kind}/{id}"),
        }
    }

    /// A subnet or group. One that another account shares is named with that account, in the policy alone.
    fn named(&self, kind: &str, id: &ResourceId) -> Arn {
        let ours = self.arn(kind, id.as_str());
        let ending = format!(":{kind}/{id}");
        let resources = granted(self.identity).filter_map(|by| by.statement.resources.as_ref());
        let shared = resources.filter(|held| !held.negated).flat_map(|held| &held.patterns);
        let shared = shared.filter(|pattern| pattern.ends_with(&ending)).find_map(|pattern| {
            let arn: Arn = pattern.parse().ok()?;
            (arn.account.len() == 12 && arn.account.bytes().all(|b| b.is_ascii_digit())).then_some(arn)
        });
        shared
            .filter(|arn| arn.region == ours.region)
            .map_or(ours, |arn| Arn { account: arn.account, ..self.arn(kind, id.as_str()) })
    }

    fn job(&self) -> String {
        let Context { partition, region, account, .. } = self.context;
        format!("arn:{partition}:bedrock:{region}:{account}:model-customization-job/{NOBODY}/{NOBODY}")
    }

    /// Interfaces that are made with these tags; `prefix` says where conditions look them up.
    fn tagged(&self, prefix: &str, managed: bool, of_job: bool) -> Scenario {
        let value = |there: bool, value: &str| if there { ContextValue::one(value) } else { ContextValue::Absent };
        let mut keys: Vec<String> = Vec::new();
        keys.extend(managed.then(|| MANAGED.to_owned()));
        keys.extend(of_job.then(|| OF_JOB.to_owned()));
        let keys = if keys.is_empty() { ContextValue::Absent } else { ContextValue::Known(keys) };
        let base = scenario(self.context).with("aws:TagKeys", keys);
        let other = if prefix.starts_with("ec2:") { "aws:ResourceTag/" } else { prefix };
        [prefix, other].iter().fold(base, |all, prefix| {
            all.with(&format!("{prefix}{MANAGED}"), value(managed, "true"))
                .with(&format!("{prefix}{OF_JOB}"), value(of_job, &self.job()))
        })
    }

    /// A shared subnet is used by the account's own policies, as its own.
    fn owned(&self, on: &Arn) -> Resource {
        Resource { owner: self.context.account.to_owned(), ..Resource::plain(on.clone()) }
    }

    /// What the job cannot do without.
    fn need(&mut self, action: &'static str, on: &Arn, how: &Scenario) {
        let decision = ask_for_certain(self.identity, action, &self.owned(on), how);
        let name = self.identity.caller.name();
        match decision {
            Decision::Allowed { .. } => {}
            Decision::Conditional { .. } => {
                let why = Text::new(format!("{name}, {action} on {}: {}", on.resource, decision.words()));
                self.unsure.get_or_insert(("conditional", why));
            }
            Decision::Uncertain { .. } => {
                let why = Text::new(format!("{name}, {action} on {}: {}", on.resource, decision.words()));
                self.unsure.get_or_insert(("uncertain", why));
            }
            Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => {
                let why = format!("{name} lacks {action} on {}: its jobs fail", on.resource);
                self.problems.push(Problem::fail("missing-action", why).shows(action, decision.words()));
            }
        }
    }

    /// What should not be allowed.
    fn refuse(&mut self, code: &'static str, action: &str, on: &Arn, how: &Scenario, which: &str) {
        let decision = ask(self.identity, action, &self.owned(on), how);
        if may(&decision) {
            let why = format!("{} may do {action} {which}", self.identity.caller.name());
            let mut problem = Problem::fail(code, why);
            for one in decision.by() {
                if let Some(by) = granted(self.identity).find(|by| by.is(one)) {
                    problem = problem.points("statement", by.words(), by.statement.pointer());
                }
            }
            self.problems.push(problem);
        } else if let Decision::Uncertain { .. } = decision {
            let why = Text::new(format!("{action}: {}", decision.words()));
            self.unsure.get_or_insert(("uncertain", why));
        }
    }

    /// The documented rights, each asked as the job asks it.
    fn needed(&mut self, role: &JobRole) {
        let interface = self.arn("network-interface", "eni-0");
        let plain = scenario(self.context);
        // These are on no resource: only what means everything gives them.
        let nothing = Arn { partition: NOBODY.to_owned(), ..interface.clone() };
        for action in DESCRIBE {
            self.need(action, &nothing, &plain);
        }
        let requested = self.tagged("aws:RequestTag/", true, true);
        self.need(CREATE, &interface, &requested);
        let places: Vec<Arn> = role
            .subnets
            .iter()
            .map(|id| self.named("subnet", id))
            .chain(role.groups.iter().map(|id| self.named("security-group", id)))
            .collect();
        for place in &places {
            self.need(CREATE, place, &requested);
        }
        for id in &role.subnets {
            let held = self.tagged("ec2:ResourceTag/", true, true);
            let held = held.with("ec2:Subnet", ContextValue::one(self.named("subnet", id).to_string()));
            for action in MANAGE {
                self.need(action, &interface, &held);
            }
        }
        let tagging = requested.with("ec2:CreateAction", ContextValue::one("CreateNetworkInterface"));
        self.need(TAG, &interface, &tagging);
    }

    /// The same where it is not the job's.
    fn surplus(&mut self, role: &JobRole) {
        let interface = self.arn("network-interface", "eni-0");
        for (managed, of_job, tag) in [(false, true, MANAGED), (true, false, OF_JOB)] {
            let how = self.tagged("aws:RequestTag/", managed, of_job);
            self.refuse("untagged-interface", CREATE, &interface, &how, &format!("without the tag {tag}"));
        }
        let requested = self.tagged("aws:RequestTag/", true, true);
        let (subnet, group) = (self.arn("subnet", NOBODY), self.arn("security-group", NOBODY));
        self.refuse("any-subnet", CREATE, &subnet, &requested, "in any subnet");
        self.refuse("any-subnet", CREATE, &group, &requested, "with any security group");
        let Some(own) = role.subnets.iter().next().map(|id| self.named("subnet", id).to_string()) else { return };
        for action in MANAGE {
            for (managed, of_job, tag) in [(false, true, MANAGED), (true, false, OF_JOB)] {
                let held = self.tagged("ec2:ResourceTag/", managed, of_job);
                let held = held.with("ec2:Subnet", ContextValue::one(&own));
                self.refuse(
                    "any-interface",
                    action,
                    &interface,
                    &held,
                    &format!("on interfaces without the tag {tag}"),
                );
            }
            let held = self.tagged("ec2:ResourceTag/", true, true);
            let elsewhere = held.with("ec2:Subnet", ContextValue::one(subnet.to_string()));
            self.refuse("any-interface", action, &interface, &elsewhere, "on interfaces in any subnet");
        }
        let later = requested.with("ec2:CreateAction", ContextValue::Absent);
        self.refuse("any-tagging", TAG, &interface, &later, "at any time, not only when it makes the interface");
    }
}
