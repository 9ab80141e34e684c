//! CUS-INV-08: whether customization is where the organization wants it.

use std::collections::{BTreeMap, BTreeSet};

use super::{PRESENCE, customization};
use crate::access::{Answer, Bounds, ContextValue, Decision, Guards, Identity, Policy, Request, Resource, Scenario};
use crate::base::{Arn, Text};
use crate::inventory::organization::OrganizationPolicy;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{FEDRAMP, GDPR, NIST, OWASP, PCI};
use crate::posture::control::Control;
use crate::posture::judge::{Draft, Judge, Subject, listed, listed_refs, unread};
use crate::posture::probe::Probe;
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const INV_08: Control = Control {
    id: "CUS-INV-08",
    title: "Customization only in approved Regions",
    severity: Severity::Medium,
    area: Area::Invocation,
    what: "customization resources",
    lists: &[SourceId::COPY_JOBS],
    tables: &[SourceId::ORGANIZATIONS, SourceId::ORGANIZATION_PATH, SourceId::ORGANIZATION_POLICIES],
    details: &[SourceId::ORGANIZATION_DOCUMENTS],
    logic: "Which Regions are approved is what the configuration expects ([expect] approved-regions); else it \
            is taken from the organization: its service control policies must leave an \
            ordinary role of this account free to start customization in this Region, where models, jobs, deployments \
            or throughput are, and in each Region that a model of this account was copied from; and they must keep it \
            from starting it in a Region that none of them names. Where they limit nothing, that is a warning. One \
            session sees one Region: what lies in the others is judged when they are scanned.",
    reasons: &["region-not-approved", "region-denied", "source-region-denied", "region-not-limited"],
    remediation: "Deny bedrock:Create* outside the approved Regions in a service control policy (aws:RequestedRegion), \
                  and move what lies elsewhere.",
    cli: "aws organizations create-policy --type SERVICE_CONTROL_POLICY --name REGIONS --content file://POLICY.json …",
    compliance: &[
        (NIST, &["AC-20", "SA-9(5)"]),
        (FEDRAMP, &["AC-20", "SA-9(5)"]),
        (PCI, &["12.5.2"]),
        (GDPR, &["44"]),
        (OWASP, &["LLM03"]),
    ],
    fixes: &[],
    evaluate: regions,
};

const KEY: &str = "aws:RequestedRegion";
/// A region that there is not: where it is allowed, everything is.
const NOWHERE: &str = "nowhere-none-0";

fn regions(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let here = customization(judge);
    if here.is_empty() {
        // Whether there is anything is said by the lists; what they do not say is unknown.
        let unlisted = judge.any_gap(PRESENCE);
        return unlisted.map(|why| judge.on_region().unread(why)).into_iter().collect();
    }
    let mut sources: BTreeMap<String, BTreeSet<ResourceRef>> = BTreeMap::new();
    for job in context.inventory.copy_jobs.values() {
        let Some(arn) = job.source_model.arn() else { continue };
        if arn.account == context.account && arn.region != context.region && !arn.region.is_empty() {
            sources.entry(arn.region).or_default().insert(ResourceRef::new(Kind::CopyJob, &job.arn));
        }
    }
    let approved = &context.expect.approved_regions;
    if !approved.is_empty() {
        let used = std::iter::once((context.region.to_owned(), here.clone()));
        let copied = sources.into_iter().map(|(region, jobs)| (region, jobs.into_iter().collect::<Vec<_>>()));
        return used.chain(copied).map(|(region, by)| of_approved(judge, approved, &region, by)).collect();
    }
    let limits = match Limits::of(judge) {
        Ok(limits) => limits,
        Err(why) => return vec![judge.on_region().related(here).unread(why)],
    };
    let mut verdicts = vec![of_region(judge, &limits, &here)];
    verdicts.extend(sources.into_iter().map(|(region, jobs)| of_source(judge, &limits, &region, jobs)));
    verdicts
}

/// A region against those that are expected; what the organization allows beyond them does not matter then.
fn of_approved(judge: &Judge<'_>, approved: &BTreeSet<String>, region: &str, by: Vec<ResourceRef>) -> Verdict {
    let subject = judge.on(ResourceRef::new(Kind::Region, region)).related(by.iter().cloned());
    let names = listed_refs(judge.context, &by);
    let draft = subject.shows("resources", &names).shows("approved", listed(approved));
    if approved.contains(region) {
        draft.pass(format!("{region} is approved for customization"))
    } else {
        draft.fail("region-not-approved", format!("{region} is not approved for customization, but there are {names}"))
    }
}

fn of_region(judge: &Judge<'_>, limits: &Limits, here: &[ResourceRef]) -> Verdict {
    let region = judge.context.region;
    let subject = judge.on_region().related(here.iter().cloned());
    let draft = limits.shown(subject.shows("resources", listed_refs(judge.context, here)));
    match (limits.allows(judge, region), limits.allows(judge, NOWHERE)) {
        (Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. }, _) => {
            let why = format!(
                "the organization denies customization in {region}, but there are {}",
                listed_refs(judge.context, here)
            );
            draft.fail("region-denied", why)
        }
        (open @ (Decision::Conditional { .. } | Decision::Uncertain { .. }), _) => {
            draft.undecided("conditional", format!("whether customization is denied in {region}: {}", open.words()))
        }
        (Decision::Allowed { .. }, Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. }) => {
            draft.pass(format!("the organization allows customization in {region}, and not everywhere"))
        }
        (Decision::Allowed { .. }, Decision::Allowed { .. }) => {
            let why = if limits.bound { "no service control policy names its Regions" } else { limits.free };
            draft.warn("region-not-limited", format!("customization may be started in any Region: {why}"))
        }
        (_, open) => {
            draft.undecided("conditional", format!("whether customization is denied elsewhere: {}", open.words()))
        }
    }
}

fn of_source(judge: &Judge<'_>, limits: &Limits, region: &str, jobs: BTreeSet<ResourceRef>) -> Verdict {
    let subject = judge.on(ResourceRef::new(Kind::Region, region)).related(jobs.iter().cloned());
    let draft = limits.shown(subject.shows("copied by", listed_refs(judge.context, &jobs)));
    match limits.allows(judge, region) {
        Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => {
            let why = format!("models were copied from {region}, where the organization denies customization");
            draft.fail("source-region-denied", why)
        }
        Decision::Allowed { .. } if !limits.bound || limits.allows(judge, NOWHERE).is_allowed() => {
            let why = format!("models were copied from {region}, and no policy limits the Regions");
            draft.warn("region-not-limited", why)
        }
        Decision::Allowed { .. } => draft.pass(format!("the organization allows customization in {region}")),
        open => {
            draft.undecided("conditional", format!("whether customization is denied in {region}: {}", open.words()))
        }
    }
}

/// What the organization leaves to an ordinary role of the account.
struct Limits {
    caller: Identity,
    /// Whether service control policies bind the account.
    bound: bool,
    /// Why not.
    free: &'static str,
    /// What names regions, by policy.
    named: Vec<(Text, Text)>,
}

impl Limits {
    fn of(judge: &Judge<'_>) -> Result<Self, String> {
        let context = judge.context;
        let inventory = context.inventory;
        let organization = inventory
            .settings
            .organization
            .known()
            .map_err(|unknown| unread("organizations:DescribeOrganization", unknown))?;
        let caller = Identity { bounds: Bounds::of(inventory), ..Probe::new().somebody(context) };
        let unbound = |free| Self { caller: caller.clone(), bound: false, free, named: Vec::new() };
        let Some(organization) = organization else { return Ok(unbound("the account is in no organization")) };
        if organization.management_account.as_str() == context.account {
            return Ok(unbound("service control policies do not bind the management account"));
        }
        // What is missing from a list that is not whole is not known to be missing.
        if let Some(why) = judge.any_gap(&[SourceId::ORGANIZATION_PATH, SourceId::ORGANIZATION_POLICIES]) {
            return Err(why.to_string());
        }
        let limits = Self { caller, bound: true, free: "", named: named(inventory) };
        // What is not denied by what was seen may be denied by what was not.
        match limits.ask(judge, context.region).veil {
            Some(veil) => Err(format!("customization in {} may be started, {veil}", context.region)),
            None => Ok(limits),
        }
    }

    /// Whether a job may be started in a region.
    fn allows(&self, judge: &Judge<'_>, region: &str) -> Decision {
        self.ask(judge, region).decision
    }

    fn ask(&self, judge: &Judge<'_>, region: &str) -> Answer {
        let arn = Arn {
            partition: judge.context.partition.to_owned(),
            service: "bedrock".to_owned(),
            region: region.to_owned(),
            account: judge.context.account.to_owned(),
            resource: "model-customization-job/any".to_owned(),
        };
        let scenario = Scenario::open().with(KEY, ContextValue::one(region));
        let resource = Resource::plain(arn);
        let action = "bedrock:CreateModelCustomizationJob";
        // The policies of the organization are those that were read; resource control policies do not reach Bedrock.
        let guards = Guards { scps: None, ..Guards::none() };
        Request { identity: &self.caller, action, resource: &resource, scenario: &scenario, guards: &guards }.answer()
    }

    fn shown<'a>(&self, draft: Draft<Subject<'a>>) -> Draft<Subject<'a>> {
        if self.named.is_empty() {
            return draft.shows(KEY, "in no service control policy");
        }
        let all = self.named.iter().map(|(policy, words)| format!("{policy}: {words}"));
        draft.shows(KEY, listed(all))
    }
}

/// The conditions on regions in the service control policies above the account, by policy.
fn named(inventory: &Inventory) -> Vec<(Text, Text)> {
    let path = inventory.settings.organization_path.known().map(Vec::as_slice).unwrap_or_default();
    let above = |held: &&OrganizationPolicy| {
        held.kind == "SERVICE_CONTROL_POLICY" && path.iter().any(|on| held.targets.contains(on))
    };
    let mut named = Vec::new();
    for held in inventory.organization_policies.values().filter(above) {
        let Some(policy) = held.document.known().ok().and_then(|document| Policy::parse(document).ok()) else {
            continue;
        };
        let well_formed = policy.statements.iter().filter(|statement| statement.malformed.is_none());
        let conditions = well_formed.flat_map(|statement| &statement.conditions);
        let on_regions = conditions.filter(|condition| condition.is_on(KEY));
        named.extend(on_regions.map(|condition| (held.name.clone(), condition.words())));
    }
    named
}
