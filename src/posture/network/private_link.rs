//! CUS-NET-09: whether Amazon Bedrock is reached privately from the VPCs of jobs, and what for.

use crate::access::{Condition, Operator, Policy, SetOperator, Statement};
use crate::base::{ResourceId, Text};
use crate::inventory::ec2::Endpoint;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::INVOKES;
use crate::posture::verdict::{Area, Severity, Verdict};

use super::reach::{JOB_LISTS, Network, endpoints_of, is_available, may_be_ours};

pub(in crate::posture) const NET_09: Control = Control {
    id: "CUS-NET-09",
    title: "Bedrock PrivateLink endpoints with restrictive policy",
    severity: Severity::Medium,
    area: Area::Network,
    what: "VPCs of customization and import jobs",
    lists: JOB_LISTS,
    tables: &[SourceId::SUBNETS, SourceId::ENDPOINTS],
    details: &[],
    logic: "Each VPC of jobs must have available interface endpoints for bedrock and bedrock-runtime with private DNS. \
            Their policies must not be the default that allows everything, unless a condition ties caller or resource \
            to accounts or to an organization; and that of bedrock-runtime should let only custom, imported and \
            provisioned models and deployments of this account be invoked. Other models are a warning: they may be \
            meant. VPCs that only invoke models are not reached by lineage and not seen.",
    reasons: &["no-endpoint", "not-available", "private-dns-off", "full-access", "other-models"],
    remediation: "Create the endpoints with private DNS, and give them a policy that names your models and deployments.",
    cli: "aws ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["SC-7", "SC-8", "AC-4"]),
        (FEDRAMP, &["SC-7", "SC-8", "AC-4"]),
        (PCI, &["1.3.1", "1.4.2"]),
        (HIPAA, &["164.312(e)(1)"]),
        (ATLAS, &["AML.T0040"]),
        (SRA, &["NET"]),
    ],
    fixes: &[],
    evaluate: private_links,
};

/// The services, each with the name of its endpoint for FIPS.
const SERVICES: [[&str; 2]; 2] = [["bedrock", "bedrock-fips"], ["bedrock-runtime", "bedrock-runtime-fips"]];
/// What models are served as that were customized or imported.
const OWN_MODELS: &[&str] = &["custom-model", "custom-model-deployment", "provisioned-model", "imported-model"];

fn private_links(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (vpc, network) in &judge.tables().networks {
        for names in SERVICES {
            let found = |name| endpoints_of(judge.context.inventory, vpc, judge.context.region, name);
            let endpoints: Vec<&Endpoint> = names.into_iter().flat_map(found).collect();
            verdicts.extend(presence(judge, vpc, network, names[0], &endpoints));
            for endpoint in endpoints.into_iter().filter(|endpoint| is_available(endpoint)) {
                verdicts.extend(policy(judge, endpoint, names[0]));
            }
        }
    }
    // Endpoints that cannot be seen now may have policies that let everything pass.
    verdicts.extend(judge.gap(SourceId::ENDPOINTS).map(|why| judge.on_region().unread(why)));
    verdicts
}

/// Whether a service has an endpoint that works.
fn presence(
    judge: &Judge<'_>,
    vpc: &ResourceId,
    network: &Network<'_>,
    service: &str,
    endpoints: &[&Endpoint],
) -> Vec<Verdict> {
    let name = judge.context.name_of(&ResourceRef::new(Kind::Vpc, vpc));
    let subject = judge
        .on(ResourceRef::new(Kind::Vpc, vpc))
        .part(service)
        .related(network.references())
        .related(endpoints.iter().map(|endpoint| ResourceRef::new(Kind::Endpoint, &endpoint.id)));
    let works = |endpoint: &&&Endpoint| is_available(endpoint) && endpoint.private_dns;
    let state = |one: &&Endpoint| format!("{} ({}, private DNS {})", one.id, one.state, one.private_dns);
    let shown = if endpoints.is_empty() { "none".to_owned() } else { listed(endpoints.iter().map(state)) };
    if let Some(endpoint) = endpoints.iter().find(works) {
        return vec![subject.shows("endpoints", shown).pass(format!("{service} is reached through {}", endpoint.id))];
    }
    // What is not in a list that is not whole may be there all the same.
    if let Some(why) = judge.gap(SourceId::ENDPOINTS) {
        return vec![subject.unread(why)];
    }
    let draft = subject.shows("endpoints", shown);
    vec![if endpoints.is_empty() {
        draft.fail("no-endpoint", format!("VPC {name} has no endpoint for {service}: calls leave the VPC or fail"))
    } else if endpoints.iter().any(|endpoint| is_available(endpoint)) {
        draft.fail("private-dns-off", format!("the name of {service} does not resolve to its endpoint in VPC {name}"))
    } else {
        draft.fail("not-available", format!("no endpoint for {service} in VPC {name} is available"))
    }]
}

/// What an endpoint lets through.
fn policy(judge: &Judge<'_>, endpoint: &Endpoint, service: &str) -> Vec<Verdict> {
    let context = judge.context;
    let subject =
        judge.on(ResourceRef::new(Kind::Endpoint, &endpoint.id)).related([ResourceRef::new(Kind::Vpc, &endpoint.vpc)]);
    // why: an endpoint that is made without a policy gets one that allows everything (CreateVpcEndpoint).
    let Some(document) = &endpoint.policy else {
        let why = format!("the endpoint for {service} has no policy of its own: everything passes");
        return vec![subject.shows("PolicyDocument", "none").fail("full-access", why)];
    };
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(error) => return vec![subject.malformed("endpoint policy", None, error)],
    };
    let problems: Vec<Problem> =
        policy.statements.iter().filter_map(|statement| allows(context, service, statement)).collect();
    if let (true, Some((statement, why))) = (problems.is_empty(), policy.malformed().next()) {
        let pointer = statement.pointer();
        return vec![subject.malformed(&format!("endpoint policy, {pointer}"), Some(pointer.clone()), why)];
    }
    let draft = subject.shows("service", service).shows("statements", policy.statements.len());
    draft.conclude(problems, format!("the policy of the endpoint for {service} names what may pass"))
}

fn allows(context: &Context<'_>, service: &str, statement: &Statement) -> Option<Problem> {
    let (true, Some(actions), Some(resources)) = (statement.allows(), &statement.actions, &statement.resources) else {
        return None;
    };
    let (label, pointer) = (statement.label(), statement.pointer());
    let everything = |pattern: &String| pattern == "*" || pattern.eq_ignore_ascii_case("bedrock:*");
    let all_actions = actions.negated || actions.patterns.iter().any(everything);
    let all_resources = resources.negated || resources.patterns.iter().any(|pattern| pattern == "*");
    let tied = statement.conditions.iter().any(|condition| ties(context, condition));
    if all_actions && all_resources && !tied {
        let why = format!("{label} of the endpoint for {service} lets everything through, with anybody's credentials");
        return Some(Problem::fail("full-access", why).points(
            "statement",
            format!("Action {}, Resource {}", actions.patterns.join(", "), resources.patterns.join(", ")),
            pointer,
        ));
    }
    if service != "bedrock-runtime" || !INVOKES.iter().any(|action| actions.cover(action)) {
        return None;
    }
    let foreign = |pattern: &&String| !is_own_model(context, pattern);
    let others: Vec<Text> = if resources.negated {
        vec![Text::new("all but a few (NotResource)")]
    } else {
        resources.patterns.iter().filter(foreign).map(Text::new).collect()
    };
    (!others.is_empty()).then(|| {
        let list = listed(&others);
        let why = format!("{label} of the endpoint for {service} lets other models be invoked: {list}");
        Problem::warn("other-models", why).points("Resource", list, pointer)
    })
}

/// Whether a pattern stays with models of this account that were customized or imported.
fn is_own_model(context: &Context<'_>, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let [_, _, "bedrock", _, account, resource] = parts[..] else { return false };
    let kind = resource.split('/').next().unwrap_or_default();
    account == context.account && resource.contains('/') && OWN_MODELS.contains(&kind)
}

/// Whether a condition ties the caller or the resource to accounts that are ours or trusted, or to our organization.
fn ties(context: &Context<'_>, condition: &Condition) -> bool {
    let wild = |value: &String| value.contains(['*', '?', '$']);
    let exact = match condition.operator {
        Operator::StringEquals | Operator::StringEqualsIgnoreCase => true,
        Operator::StringLike => !condition.values.iter().any(wild),
        _ => false,
    };
    let on = |keys: [&str; 2]| keys.iter().any(|key| condition.is_on(key));
    let account = on(["aws:PrincipalAccount", "aws:ResourceAccount"])
        && condition.values.iter().all(|account| context.trusts(account));
    let organization = on(["aws:PrincipalOrgID", "aws:ResourceOrgID"]) && may_be_ours(context, &condition.values);
    let binds = exact && !condition.if_exists && condition.set != Some(SetOperator::ForAllValues);
    binds && !condition.values.is_empty() && (account || organization)
}
