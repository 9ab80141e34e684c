//! Who can write where models learn from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::batch::ANYONE;
use crate::access::engine::{Survey, Verdict as Cell};
use crate::access::{
    Bounds, Caller, Condition, Decision, Guards, Identity, Operator, Policy, PrincipalEntry, Resource, Rules, Scenario,
    SetOperator, Statement,
};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::bedrock::S3Uri;
use crate::inventory::s3::Presence;
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::permissions::{ask, covers, may, principal, scenario};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_07: Control = Control {
    id: "CUS-DAT-07",
    title: "Only named principals can write training data",
    severity: Severity::High,
    area: Area::Data,
    what: "buckets with training or validation data",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS],
    tables: &[SourceId::AUTHORIZATION],
    details: &[SourceId::BUCKET_POLICY],
    logic: "For each bucket that jobs read training or validation data from: no Allow of its policy for PutObject, \
            DeleteObject or ReplicateObject may let in everybody, or an account that is neither ours nor trusted; a \
            whole organization is a warning. In the account, every role and user is counted that may write where the \
            data lies, by its own policies or the bucket's, Denies and boundaries taken off, rights under a condition \
            included: a user among them, or more than five together, is a failure. What cannot be settled is Unknown.",
    reasons: &["public-writers", "foreign-writers", "organization-writers", "user-writers", "too-many-writers"],
    remediation: "Name the one or two roles of the data pipeline in the bucket policy, deny the rest, and take \
                  s3:PutObject and s3:DeleteObject on the bucket out of everybody else's policies.",
    cli: "aws s3api put-bucket-policy --bucket BUCKET --policy file://POLICY.json",
    compliance: &[
        (NIST, &["AC-3", "AC-5", "SI-7"]),
        (FEDRAMP, &["AC-3", "AC-5", "SI-7"]),
        (PCI, &["7.2.1", "10.3.2"]),
        (HIPAA, &["164.312(c)(1)"]),
        (GDPR, &["5(1)(f)"]),
        (OWASP, &["LLM04"]),
        (ATLAS, &["AML.T0020", "AML.T0059", "AML.M0005"]),
        (SRA, &["CONS", "S3"]),
    ],
    fixes: &[],
    evaluate: few_writers,
};

const WRITES: &[&str] = &["s3:PutObject", "s3:DeleteObject", "s3:ReplicateObject"];

/// A bucket, and where data lies in it.
#[derive(Default)]
struct Place {
    jobs: BTreeSet<ResourceRef>,
    prefixes: BTreeSet<Text>,
}

fn few_writers(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let places = places(context.inventory);
    if places.is_empty() {
        return Vec::new();
    }
    let now = scenario(context);
    let actions: Vec<String> = WRITES.iter().map(ToString::to_string).collect();
    let guards = Guards::default();
    let people = judge.permissions().everybody();
    let mut survey = Survey::of(people, &actions, &now, &guards);
    let mut verdicts = Vec::new();
    for (bucket, place) in places {
        let subject = judge.on(ResourceRef::new(Kind::Bucket, bucket)).related(place.jobs.iter().cloned());
        let Some(held) = context.inventory.buckets.get(bucket) else {
            let why = judge.gap(SourceId::BUCKET_POLICY).unwrap_or_else(|| Text::new("it is not in the inventory"));
            verdicts.push(subject.unread(format!("bucket {bucket}: {why}")));
            continue;
        };
        match held.presence() {
            Some(Presence::Gone) => {
                verdicts.push(subject.not_applicable(format!("bucket {bucket} does not exist any more")));
                continue;
            }
            Some(Presence::Foreign) => {
                let why = format!("bucket {bucket} belongs to another account: who may write there is decided there");
                verdicts.push(subject.undecided("foreign-bucket", why));
                continue;
            }
            Some(Presence::Ours) | None => {}
        }
        let rules = match held.policy.known() {
            Ok(None) => Rules::None,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("s3:GetBucketPolicy", unknown)));
                continue;
            }
            Ok(Some(document)) => match Policy::parse(document) {
                Ok(policy) => Rules::Known(policy),
                Err(error) => {
                    verdicts.push(subject.malformed("bucket policy", None, error));
                    continue;
                }
            },
        };
        let resource = below(context, bucket, &place, rules.clone());
        let mut problems = Vec::new();
        if let Rules::Known(policy) = &rules {
            problems.extend(policy.statements.iter().flat_map(|one| outsiders(context, one, &resource, &now)));
        }
        let writers = writers(people, &mut survey, &resource, context, bucket, &place, &now);
        let most = context.expect.max_dataset_writers;
        problems.extend(writers.problems(bucket, most));
        let mut draft = subject
            .shows("prefixes", listed(&place.prefixes))
            .shows("writers", writers.names.len())
            .shows("most", most);
        for (name, by) in writers.names.iter().take(24) {
            draft = draft.shows("writer", format!("{name}: {by}"));
        }
        let broken = match &rules {
            Rules::Known(policy) => policy.malformed().next().map(|(one, why)| format!("{}: {why}", one.pointer())),
            _ => None,
        };
        verdicts.extend(match (problems.is_empty(), writers.open.first(), broken) {
            (true, _, Some(why)) => vec![draft.undecided("malformed", format!("bucket policy, {why}"))],
            (true, Some((name, why)), _) => {
                vec![draft.undecided("uncertain", format!("cannot tell whether {name} may write: {why}"))]
            }
            _ => {
                let names = writers.names.keys().map(Text::as_str);
                let right = match writers.names.len() {
                    0 => "no role or user of the account may write its data".to_owned(),
                    _ => format!("{} may write its data", listed(names)),
                };
                draft.conclude(problems, right)
            }
        });
    }
    verdicts
}

fn places(inventory: &Inventory) -> BTreeMap<&ResourceId, Place> {
    let mut places: BTreeMap<&ResourceId, Place> = BTreeMap::new();
    for job in inventory.jobs.values() {
        // A detail that was not read is told by the list's gap.
        let Ok(detail) = job.detail.known() else { continue };
        for S3Uri { bucket, prefix } in detail.training.iter().chain(&detail.validation) {
            let place = places.entry(bucket).or_default();
            place.jobs.insert(ResourceRef::new(Kind::Job, &job.arn));
            place.prefixes.insert(prefix.clone());
        }
    }
    places
}

/// Everything beneath the places, as one resource: what all prefixes begin with.
fn below(context: &Context<'_>, bucket: &ResourceId, place: &Place, rules: Rules) -> Resource {
    let mut common: Option<&str> = None;
    for prefix in &place.prefixes {
        let prefix = prefix.as_str();
        common = Some(common.map_or(prefix, |held| {
            let same = held.char_indices().zip(prefix.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
            &held[..same.unwrap_or(held.len().min(prefix.len()))]
        }));
    }
    let resource = format!("{bucket}/{}", common.unwrap_or_default());
    let arn = Arn {
        partition: context.partition.to_owned(),
        service: "s3".to_owned(),
        region: String::new(),
        account: String::new(),
        resource,
    };
    Resource { open: true, owner: context.account.to_owned(), rules, ..Resource::plain(arn) }
}

/// Those of the account who may write.
#[derive(Default)]
struct Writers {
    /// With what lets them.
    names: BTreeMap<Text, Text>,
    users: BTreeSet<Text>,
    open: Vec<(Text, Text)>,
}

impl Writers {
    fn problems(&self, bucket: &ResourceId, most: usize) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.users.is_empty() {
            let why = format!("users may write training data in {bucket}: {}", listed(&self.users));
            let facts = self.users.iter().filter_map(|name| Some((name, self.names.get(name)?)));
            problems.push(facts.fold(Problem::fail("user-writers", why), |problem, (name, by)| {
                problem.shows("user", format!("{name}: {by}"))
            }));
        }
        let count = self.names.len();
        if count > most {
            let names = listed(self.names.keys());
            let why = format!("{count} principals may write training data in {bucket}, more than {most}: {names}");
            problems.push(Problem::fail("too-many-writers", why));
        }
        problems
    }
}

fn writers(
    people: &[Identity],
    survey: &mut Survey<'_>,
    resource: &Resource,
    context: &Context<'_>,
    bucket: &ResourceId,
    place: &Place,
    now: &Scenario,
) -> Writers {
    let mut found = Writers::default();
    let grid = survey.grid(resource);
    for (at, identity) in people.iter().enumerate().filter(|(at, _)| grid.has_access(*at)) {
        let Some(this) = principal(identity) else { continue };
        if this.id.as_str().contains(":role/aws-service-role/") {
            continue;
        }
        let name = Text::new(identity.caller.name());
        let columns = WRITES.iter().enumerate().map(|(column, action)| (*action, grid.verdict(at, column)));
        let mut open = None;
        let mut by = None;
        for (action, cell) in columns.filter(|(_, cell)| !cell.is_denied()) {
            let decision = match cell {
                // why again: a part of what the prefixes have in common may be no data at all.
                Cell::Conditional | Cell::Uncertain => narrow(identity, action, resource, context, bucket, place, now),
                _ => Some(ask(identity, action, resource, now)),
            };
            match decision {
                Some(decision) if may(&decision) => {
                    by = Some(Text::new(format!("{action} {}", decision.words())));
                    break;
                }
                Some(decision @ Decision::Uncertain { .. }) => open = Some(decision.words()),
                _ => {}
            }
        }
        if let Some(by) = by {
            if this.kind == Kind::User {
                found.users.insert(name.clone());
            }
            found.names.insert(name, by);
        } else if let Some(why) = open {
            found.open.push((name, why));
        }
    }
    found
}

/// The most places that are asked about one by one.
const ONE_BY_ONE: usize = 32;

/// What somebody may do to the data itself: the first place where it may, or where that is not known.
fn narrow(
    identity: &Identity,
    action: &str,
    resource: &Resource,
    context: &Context<'_>,
    bucket: &ResourceId,
    place: &Place,
    now: &Scenario,
) -> Option<Decision> {
    if place.prefixes.len() > ONE_BY_ONE {
        return Some(ask(identity, action, resource, now));
    }
    let mut open = None;
    for prefix in &place.prefixes {
        let one = |text: &Text| Place { prefixes: BTreeSet::from([text.clone()]), ..Place::default() };
        let mut at = below(context, bucket, &one(prefix), resource.rules.clone());
        let whole = prefix.is_empty() || prefix.as_str().ends_with('/');
        at.open = whole;
        let mut ways = vec![at.clone()];
        if !whole {
            at.arn.resource.push('/');
            ways.push(Resource { open: true, ..at });
        }
        for at in ways {
            match ask(identity, action, &at, now) {
                decision if may(&decision) => return Some(decision),
                decision @ Decision::Uncertain { .. } => open = Some(decision),
                _ => {}
            }
        }
    }
    open
}

/// Whom a statement of the bucket's policy lets write from outside.
fn outsiders(context: &Context<'_>, statement: &Statement, resource: &Resource, now: &Scenario) -> Vec<Problem> {
    let (true, Some(principals)) = (statement.allows(), &statement.principals) else { return Vec::new() };
    let Some(action) = WRITES.iter().find(|action| covers(statement, action)) else { return Vec::new() };
    let touches = statement.resources.as_ref().is_some_and(|held| {
        held.negated || held.patterns.iter().any(|p| p == "*" || p.contains('/') || p.contains('*'))
    });
    if !touches {
        return Vec::new();
    }
    let root = |account: &str| Caller::parse(&format!("arn:{}:iam::{account}:root", context.partition)).ok();
    // Whether the other account's principals get it, if that account lets them; Denies count.
    let gets = |account: &str| {
        let caller = root(account)?;
        // why no bounds: what the policy itself lets in is asked. Policies of another organization are never seen, and
        // what may only perhaps be taken away is a way in.
        let identity = Identity { bounds: Arc::new(Bounds::none()), ..Identity::of(&Inventory::default(), &caller) };
        let anyone = ["aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid"];
        let how = match account {
            ANYONE => anyone.iter().fold(now.clone(), |all, key| all.with(key, crate::access::ContextValue::Unknown)),
            _ => now.clone().with("aws:PrincipalArn", crate::access::ContextValue::Unknown),
        };
        let decision = ask(&identity, action, resource, &how);
        let here = decision.by().iter().any(|one| one.pointer.as_deref() == Some(statement.pointer().as_str()));
        (may(&decision) && here).then_some(decision)
    };
    let mut problems = Vec::new();
    let mut add = |code, warn: bool, why: String| {
        let problem = if warn { Problem::warn(code, why) } else { Problem::fail(code, why) };
        let (actions, conditions) = (statement.actions.as_ref(), &statement.conditions);
        let written = actions.map(|actions| listed(&actions.patterns)).unwrap_or_default();
        let when = listed(conditions.iter().map(Condition::words));
        let value = if when.is_empty() { format!("Allow {written}") } else { format!("Allow {written} when {when}") };
        problems.push(problem.points("statement", value, statement.pointer()));
    };
    let label = statement.label();
    let accounts = limits(statement, &["aws:PrincipalAccount"]);
    let arns = limits(statement, &["aws:PrincipalArn"]);
    let of_arns = arns.iter().filter_map(|arn| arn.split(':').nth(4)).filter(|account| account.len() == 12);
    let foreign: BTreeSet<&str> = accounts
        .iter()
        .copied()
        .chain(of_arns)
        .filter(|account| !account.contains(['*', '?']) && !context.trusts(account))
        .collect();
    let everybody = principals.negated || principals.entries.contains(&PrincipalEntry::Everyone);
    if everybody {
        let organizations = limits(statement, &["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"]);
        let closed = !accounts.is_empty()
            || (!arns.is_empty()
                && arns
                    .iter()
                    .all(|arn| arn.split(':').nth(4).is_some_and(|a| a.len() == 12 && !a.contains(['*', '?']))));
        match gets(ANYONE) {
            None => {}
            Some(_) if closed => {
                for account in &foreign {
                    add("foreign-writers", false, format!("{label} lets account {} do {action}", Text::new(*account)));
                }
            }
            Some(_) if !organizations.is_empty() => {
                let names = Text::new(listed(&organizations));
                add("organization-writers", true, format!("{label} lets everybody in {names} do {action}"));
            }
            Some(decision) => {
                let when = match &decision {
                    Decision::Conditional { conditions, .. } => format!(" when {}", listed(conditions)),
                    _ => String::new(),
                };
                add("public-writers", false, format!("{label} lets everybody do {action}{when}"));
            }
        }
        return problems;
    }
    let named: BTreeSet<&str> = principals.entries.iter().filter_map(PrincipalEntry::account).collect();
    for account in named.into_iter().filter(|account| !context.trusts(account)) {
        // why not asked as that principal: another account's root stands for whatever it lets; one of it stands in it.
        let is_named =
            principals.entries.iter().any(|entry| matches!(entry, PrincipalEntry::Arn(arn) if arn.account == account));
        if is_named || gets(account).is_some() {
            add("foreign-writers", false, format!("{label} lets account {} do {action}", Text::new(account)));
        }
    }
    problems
}

/// The values of conditions that say who, with no wildcard that lets everybody through.
fn limits<'a>(statement: &'a Statement, keys: &[&str]) -> Vec<&'a str> {
    let binds = |condition: &&Condition| {
        let positive = matches!(
            condition.operator,
            Operator::StringEquals
                | Operator::StringEqualsIgnoreCase
                | Operator::StringLike
                | Operator::ArnEquals
                | Operator::ArnLike
        );
        positive
            && !condition.if_exists
            && condition.set != Some(SetOperator::ForAllValues)
            && keys.iter().any(|key| condition.is_on(key))
            && !condition.values.iter().any(|value| value.starts_with('*') || value.starts_with('?'))
    };
    statement
        .conditions
        .iter()
        .filter(binds)
        .flat_map(|condition| condition.values.iter().map(String::as_str))
        .collect()
}
