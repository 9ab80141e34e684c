//! CUS-IMP-02: where import jobs run, and whether their role may put them there.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Caller, ContextValue, Decision, Identity, Scenario, identity_decides};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::bedrock::VpcConfig;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::network::{DESCRIBE, NoWay, Unseen, openings, way_to_s3};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const IMP_02: Control = Control {
    id: "CUS-IMP-02",
    title: "Import job runs in your VPC",
    severity: Severity::Medium,
    area: Area::Import,
    what: "import jobs",
    lists: &[SourceId::IMPORT_JOBS],
    tables: &[
        SourceId::SUBNETS,
        SourceId::SECURITY_GROUPS,
        SourceId::ROUTE_TABLES,
        SourceId::ENDPOINTS,
        SourceId::AUTHORIZATION,
    ],
    details: &[SourceId::IMPORT_JOB_DETAILS],
    logic: "Each import job must name subnets and security groups (vpcConfig) that still exist, and the subnets must \
            have no way to the internet, as CUS-NET-02 says, and reach S3 through an endpoint, as CUS-NET-03 says. Its role must be allowed to make, use and delete network \
            interfaces that are tagged for import jobs (BedrockManaged, BedrockModelImportJobArn); one that may do so \
            without these tags is a warning.",
    reasons: &[
        "no-vpc",
        "dangling-subnet",
        "dangling-security-group",
        "internet-route",
        "public-ip-on-launch",
        "leaves-vpc",
        "no-way-to-s3",
        "eni-rights-missing",
        "eni-rights-untagged",
    ],
    remediation: "Import the model again with vpcConfig, in subnets without a way to the internet.",
    cli: "aws bedrock create-model-import-job --vpc-config subnetIds=SUBNET,securityGroupIds=GROUP …",
    compliance: &[
        (NIST, &["SC-7"]),
        (FEDRAMP, &["SC-7"]),
        (PCI, &["1.4.2"]),
        (HIPAA, &["164.312(e)(1)"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0010.003"]),
        (SRA, &["NET"]),
    ],
    fixes: &[],
    evaluate: imports_in_vpc,
};

/// What jobs share: a subnet's routes and a role's rights are looked at once.
#[derive(Default)]
struct Known<'a> {
    subnets: BTreeMap<&'a ResourceId, Result<Vec<Problem>, Option<Text>>>,
    to_s3: BTreeMap<BTreeSet<&'a ResourceId>, Result<Vec<Problem>, Text>>,
    rights: BTreeMap<(&'a ResourceId, BTreeSet<&'a ResourceId>, BTreeSet<&'a ResourceId>), Rights>,
}

fn imports_in_vpc(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut known = Known::default();
    let mut verdicts = Vec::new();
    for job in inventory.import_jobs.values() {
        let subject = judge.on(ResourceRef::new(Kind::ImportJob, &job.arn));
        let detail = match job.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("bedrock:GetModelImportJob", unknown)));
                continue;
            }
        };
        let name = &job.name;
        let (mut problems, mut unsure) = (Vec::new(), None);
        let vpc = detail.vpc.as_ref();
        let subnets = vpc.map_or(&[][..], |vpc| &vpc.subnets[..]);
        let groups = vpc.map_or(&[][..], |vpc| &vpc.security_groups[..]);
        if subnets.is_empty() || groups.is_empty() {
            let what = match (subnets.is_empty(), groups.is_empty()) {
                (true, true) => "names no VPC: it runs in Bedrock's own network",
                (true, false) => "names security groups but no subnets",
                _ => "names subnets but no security groups",
            };
            problems.push(Problem::fail("no-vpc", format!("import job {name} {what}")));
        }
        for id in subnets {
            match known.subnets.entry(id).or_insert_with(|| ways(judge, id)) {
                Ok(ways) => problems.extend(ways.iter().cloned()),
                Err(Some(why)) => unsure = unsure.or_else(|| Some(why.clone())),
                Err(None) => {
                    let why = format!("subnet {id} of import job {name} does not exist any more");
                    problems.push(Problem::warn("dangling-subnet", why));
                }
            }
        }
        let together: BTreeSet<&ResourceId> = subnets.iter().collect();
        match known.to_s3.entry(together).or_insert_with_key(|subnets| to_s3(judge, subnets)) {
            Ok(missing) => problems.extend(missing.iter().cloned()),
            Err(why) => unsure = unsure.or_else(|| Some(why.clone())),
        }
        // What is missing from a list that is not whole is not known to be gone.
        if judge.gap(SourceId::SECURITY_GROUPS).is_none() {
            let gone = groups.iter().filter(|id| !inventory.security_groups.contains_key(*id));
            problems.extend(gone.map(|id| {
                let why = format!("security group {id} of import job {name} does not exist any more");
                Problem::warn("dangling-security-group", why)
            }));
        }
        let mut draft = subject
            .related([ResourceRef::new(Kind::Role, &detail.role)])
            .shows("subnetIds", or_none(subnets))
            .shows("securityGroupIds", or_none(groups))
            .shows("roleArn", &detail.role)
            .shows("status", &job.status);
        if let Some(vpc) = detail.vpc.as_ref().filter(|vpc| !vpc.subnets.is_empty()) {
            let asked = (&detail.role, vpc.subnets.iter().collect(), vpc.security_groups.iter().collect());
            let rights = known.rights.entry(asked).or_insert_with(|| rights(judge, &detail.role, vpc));
            problems.extend(rights.problems.iter().cloned());
            unsure = unsure.or_else(|| rights.unsure.clone());
            draft = draft.shows("networkInterfaces", &rights.words);
        }
        let open = unsure.map(|why| ("uncertain", why));
        verdicts.extend(draft.conclude_open(problems, open, "runs in isolated subnets of this account"));
    }
    verdicts
}

fn or_none(ids: &[ResourceId]) -> String {
    if ids.is_empty() { "none".to_owned() } else { listed(ids) }
}

/// What leads out of a subnet; else why that was not read, or nothing where it is gone.
fn ways(judge: &Judge<'_>, id: &ResourceId) -> Result<Vec<Problem>, Option<Text>> {
    match openings(judge, id) {
        // why: graded here as the control is, not as CUS-NET-02.
        Ok(found) => Ok(found.problems.into_iter().map(|problem| Problem { severity: None, ..problem }).collect()),
        Err(Unseen::Unread(why)) => Err(Some(why)),
        Err(Unseen::Gone) => Err(None),
    }
}

/// Whether subnets reach S3 through an endpoint of their VPC; those that are gone are told apart.
fn to_s3<'a>(judge: &Judge<'a>, subnets: &BTreeSet<&'a ResourceId>) -> Result<Vec<Problem>, Text> {
    let mut by_vpc: BTreeMap<&ResourceId, BTreeSet<&'a ResourceId>> = BTreeMap::new();
    for id in subnets.iter().copied() {
        if let Some(subnet) = judge.context.inventory.subnets.get(id) {
            by_vpc.entry(&subnet.vpc).or_default().insert(id);
        }
    }
    let mut problems = Vec::new();
    for (vpc, subnets) in by_vpc {
        match way_to_s3(judge, vpc, &subnets) {
            Ok(_) => {}
            Err(NoWay::Missing(problem)) => problems.push(Problem { code: "no-way-to-s3", severity: None, ..problem }),
            Err(NoWay::Unread(why)) => return Err(why),
            Err(NoWay::Unsure(why)) => return Err(Text::new(why)),
        }
    }
    Ok(problems)
}

/// What a role may do with network interfaces.
struct Rights {
    problems: Vec<Problem>,
    unsure: Option<Text>,
    words: String,
}

/// On interfaces of import jobs (Amazon Bedrock User Guide, "Protect custom model import jobs using a VPC").
const ON_INTERFACES: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
];
/// why apart: AWS's own policy lets interfaces be made with fewer tags than these.
const TAG: &str = "ec2:CreateTags";
const CREATE: &str = "ec2:CreateNetworkInterface";
const TAGS: [&str; 2] = ["BedrockManaged", "BedrockModelImportJobArn"];

fn rights(judge: &Judge<'_>, role: &ResourceId, vpc: &VpcConfig) -> Rights {
    let context = judge.context;
    let none = |words: String| Rights { problems: Vec::new(), unsure: None, words };
    if !context.inventory.roles.contains_key(role) {
        return match judge.gap(SourceId::AUTHORIZATION) {
            Some(why) => Rights { unsure: Some(why), ..none("not read".to_owned()) },
            None => none(format!("role {} does not exist any more; see CUS-IAM-11", role.last())),
        };
    }
    let Ok(caller) = Caller::parse(role.as_str()) else {
        let why = format!("{role} is no role ARN");
        return Rights { unsure: Some(Text::new(&why)), ..none(why) };
    };
    let identity = Identity::of(context.inventory, &caller);
    let interface = arn(context, "network-interface/eni-of-a-job");
    let tagged = scenario(context, vpc, true);
    let mut asked: Vec<(&str, String, Decision)> = Vec::new();
    let mut ask = |action: &'static str, on: &Arn, what: String, scenario: &Scenario| {
        asked.push((action, what, identity_decides(&identity, action, on, scenario).decision));
    };
    for &action in ON_INTERFACES.iter().chain([&TAG]).chain(DESCRIBE) {
        ask(action, &interface, String::new(), &tagged);
    }
    for id in &vpc.subnets {
        ask(CREATE, &arn(context, &format!("subnet/{id}")), format!(" in {id}"), &tagged);
    }
    for id in &vpc.security_groups {
        ask(CREATE, &arn(context, &format!("security-group/{id}")), format!(" in {id}"), &tagged);
    }
    let name = caller.name();
    let mut problems = Vec::new();
    let denied: Vec<String> = asked
        .iter()
        .filter(|(.., decision)| decision.is_denied())
        .map(|(action, what, _)| format!("{action}{what}"))
        .collect();
    if !denied.is_empty() {
        let why = format!("role {name} may not {} for import jobs: they fail", listed(&denied));
        problems.push(Problem::fail("eni-rights-missing", why).shows("missing", listed(&denied)));
    }
    let untagged = scenario(context, vpc, false);
    let open: Vec<&str> = ON_INTERFACES
        .iter()
        .copied()
        .filter(|action| identity_decides(&identity, action, &interface, &untagged).of_what_was_read().is_allowed())
        .collect();
    if !open.is_empty() {
        let why = format!("role {name} may {} on interfaces that are not tagged for import jobs", listed(&open));
        problems.push(Problem::warn("eni-rights-untagged", why).shows("untagged", listed(&open)));
    }
    let doubt = asked
        .iter()
        .find(|(.., decision)| matches!(decision, Decision::Uncertain { .. } | Decision::Conditional { .. }))
        .map(|(action, what, decision)| Text::new(format!("{action}{what}: {}", decision.words())));
    let words = if denied.is_empty() { "allowed, tagged for import jobs".to_owned() } else { "not allowed".to_owned() };
    Rights { problems, unsure: doubt, words }
}

fn arn(context: &Context<'_>, resource: &str) -> Arn {
    Arn {
        partition: context.partition.to_owned(),
        service: "ec2".to_owned(),
        region: context.region.to_owned(),
        account: context.account.to_owned(),
        resource: resource.to_owned(),
    }
}

/// A request of Bedrock for an import job, with its tags or without any.
fn scenario(context: &Context<'_>, vpc: &VpcConfig, tagged: bool) -> Scenario {
    let job = format!("arn:{}:bedrock:{}:{}:model-import-job/any", context.partition, context.region, context.account);
    let subnet = vpc.subnets.first().map(|id| arn(context, &format!("subnet/{id}")).to_string());
    let mut scenario = Scenario::open()
        .with("ec2:Subnet", subnet.map_or(ContextValue::Unknown, ContextValue::one))
        .with("ec2:CreateAction", ContextValue::one("CreateNetworkInterface"))
        .with("aws:TagKeys", if tagged { known(&TAGS) } else { ContextValue::Absent });
    for prefix in ["aws:RequestTag/", "aws:ResourceTag/", "ec2:ResourceTag/"] {
        for (tag, value) in [(TAGS[0], "true"), (TAGS[1], job.as_str())] {
            let value = if tagged { ContextValue::one(value) } else { ContextValue::Absent };
            scenario = scenario.with(&format!("{prefix}{tag}"), value);
        }
        // why: rights of a role for customization jobs do not serve an import.
        scenario = scenario.with(&format!("{prefix}BedrockModelCustomizationJobArn"), ContextValue::Absent);
    }
    scenario
}

fn known(values: &[&str]) -> ContextValue {
    ContextValue::Known(values.iter().map(|value| (*value).to_owned()).collect())
}
