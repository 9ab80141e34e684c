//! CUS-KMS-06: whether roles that customize and roles that invoke hold exactly the key rights they need.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Answer, Caller, Decision, Identity, KeyAccess, Scenario, decide, identity_decides};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::kms::Key;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Draft, Judge, Subject, listed, unread};
use crate::posture::permissions::{INVOKES, principal};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::key_id;

pub(in crate::posture) const KMS_06: Control = Control {
    id: "CUS-KMS-06",
    title: "Customizer and invoker roles hold exactly the key rights they need",
    severity: Severity::High,
    area: Area::Encryption,
    what: "roles that customize or invoke models with a customer managed key",
    lists: &[
        SourceId::JOBS,
        SourceId::JOB_DETAILS,
        SourceId::MODELS,
        SourceId::MODEL_DETAILS,
        SourceId::DEPLOYMENTS,
        SourceId::THROUGHPUTS,
    ],
    tables: &[SourceId::AUTHORIZATION],
    details: &[SourceId::KEY_POLICIES, SourceId::GRANTS],
    logic: "For each customer managed key of a job or model: the role of each job must be allowed CreateGrant, \
            DescribeKey, GenerateDataKey and Decrypt through Bedrock. Each role that may invoke the model where it is \
            served, and may not customize, must be allowed Decrypt, and must not be allowed CreateGrant or \
            GenerateDataKey, through Bedrock or directly (GenerateDataKey is accepted for Amazon Nova, which needs \
            it). Decided by key policy, identity policies, boundary, grants and the policies of the organization; what \
            cannot be settled is Unknown.",
    reasons: &["missing-right", "over-granted"],
    remediation: "Give customizers the four rights and invokers Decrypt alone in the key policy, with kms:ViaService \
                  set to Bedrock, and take the rest away.",
    cli: "aws kms put-key-policy --key-id KEY --policy-name default --policy file://POLICY.json",
    compliance: &[
        (NIST, &["AC-5", "AC-6", "SC-12"]),
        (FEDRAMP, &["AC-5", "AC-6", "SC-12"]),
        (PCI, &["3.7.7", "7.2.2"]),
        (HIPAA, &["164.308(a)(4)(ii)(C)"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0012", "AML.M0005"]),
        (SRA, &["KMS", "IAM"]),
    ],
    fixes: &["FIX-03"],
    evaluate: rights,
};

/// What a role that customizes needs on the key of its model.
const CUSTOMIZER: &[&str] = &["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"];
/// What a role that only invokes must not have.
const NOT_FOR_INVOKERS: &[&str] = &["kms:CreateGrant", "kms:GenerateDataKey"];

/// A key, and what the lineage ties to it.
#[derive(Default)]
struct Ties {
    /// Roles of jobs, with the jobs.
    customizers: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    /// Where models with this key are invoked.
    servers: BTreeMap<Arn, ResourceRef>,
    /// Whether one of those models is built on Amazon Nova.
    nova: bool,
}

fn rights(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    let ties = ties(judge);
    let served = ties.values().any(|ties| !ties.servers.is_empty());
    let invokers = if served { invokers(judge) } else { Vec::new() };
    let mut verdicts = Vec::new();
    for (id, ties) in ties {
        let key = context.inventory.keys.get(&id);
        // why: nobody can set the rights on a key that AWS manages.
        let managed = key.and_then(|key| key.metadata.known().ok()).is_some_and(|metadata| metadata.manager == "AWS");
        if managed {
            continue;
        }
        let Some((key, access)) = key.and_then(|key| Some((key, parsed(judge, key)?))) else {
            let why = judge
                .gap(SourceId::KEY_POLICIES)
                .map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
            for role in ties.customizers.keys() {
                let subject = judge.on(ResourceRef::new(Kind::Key, &id)).beside(ResourceRef::new(Kind::Role, role));
                verdicts.push(subject.unread(format!("key {id}: {why}")));
            }
            continue;
        };
        let on =
            |role: &ResourceId| judge.on(ResourceRef::new(Kind::Key, &id)).beside(ResourceRef::new(Kind::Role, role));
        for (role, jobs) in &ties.customizers {
            let jobs = jobs.iter().map(|job| ResourceRef::new(Kind::Job, job)).collect::<Vec<_>>();
            verdicts.push(customizer(judge, key, &access, role, on(role).related(jobs)));
        }
        // Who does not serve its model has nobody to invoke it.
        let others =
            invokers.iter().filter(|one| !ties.servers.is_empty() && !ties.customizers.contains_key(&one.role));
        for one in others {
            verdicts.extend(invoker(judge, key, &access, &ties, one, || on(&one.role)));
        }
    }
    verdicts
}

fn ties(judge: &Judge<'_>) -> BTreeMap<ResourceId, Ties> {
    let inventory = judge.context.inventory;
    let mut found: BTreeMap<ResourceId, Ties> = BTreeMap::new();
    for job in inventory.jobs.values() {
        // A detail that was not read is the list's gap, not this key's.
        let Ok(detail) = job.detail.known() else { continue };
        let Some(key) = &detail.kms_key else { continue };
        let ties = found.entry(key_id(judge, key)).or_default();
        ties.customizers.entry(detail.role.clone()).or_default().insert(job.arn.clone());
    }
    let mut servers: BTreeMap<&ResourceId, Vec<ResourceRef>> = BTreeMap::new();
    for deployment in inventory.deployments.values() {
        servers.entry(&deployment.model).or_default().push(ResourceRef::new(Kind::Deployment, &deployment.arn));
    }
    for throughput in inventory.throughputs.values() {
        servers.entry(&throughput.model).or_default().push(ResourceRef::new(Kind::Throughput, &throughput.arn));
    }
    for model in inventory.models.values() {
        let Ok(detail) = model.detail.known() else { continue };
        let Some(key) = &detail.kms_key else { continue };
        let ties = found.entry(key_id(judge, key)).or_default();
        let before = ties.servers.len();
        let mine = servers.get(&model.arn).into_iter().flatten().cloned();
        ties.servers.extend(mine.filter_map(|server| Some((server.id.arn()?, server))));
        ties.nova |= ties.servers.len() > before && model.base_model.as_str().contains("amazon.nova");
    }
    found
}

/// A key with its policy, which other controls may have parsed.
fn parsed(judge: &Judge<'_>, key: &Key) -> Option<KeyAccess> {
    KeyAccess::with(key, |document| judge.policy(document))
}

/// A role that may be allowed to invoke something.
struct Invoker<'a> {
    role: ResourceId,
    identity: &'a Identity,
    /// Whether it may customize as well: then it needs more.
    customizes: bool,
}

fn invokers<'a>(judge: &Judge<'a>) -> Vec<Invoker<'a>> {
    let holders = judge.permissions().holders(judge, INVOKES).into_iter();
    let roles =
        holders.filter_map(|identity| Some((principal(identity).filter(|one| one.kind == Kind::Role)?, identity)));
    roles.map(|(one, identity)| Invoker { role: one.id, identity, customizes: customizes(judge, identity) }).collect()
}

/// Whether the identity side alone lets it. why of what was read: what an organization takes away from somebody
/// makes them no less an invoker by design.
fn may(identity: &Identity, action: &str, on: &Arn) -> Decision {
    identity_decides(identity, action, on, &Scenario::open()).of_what_was_read().clone()
}

fn customizes(judge: &Judge<'_>, identity: &Identity) -> bool {
    let context = judge.context;
    let (partition, region, account) = (context.partition, context.region, context.account);
    let jobs = format!("arn:{partition}:bedrock:{region}:{account}:model-customization-job/x");
    jobs.parse().is_ok_and(|job| !may(identity, "bedrock:CreateModelCustomizationJob", &job).is_denied())
}

fn customizer(judge: &Judge<'_>, key: &Key, access: &KeyAccess, role: &ResourceId, subject: Subject<'_>) -> Verdict {
    let context = judge.context;
    let Ok(caller) = Caller::parse(role.as_str()) else {
        return subject.undecided("uncertain", format!("{role} is no role ARN"));
    };
    if !context.inventory.roles.contains_key(role) && judge.gap(SourceId::AUTHORIZATION).is_none() {
        return subject.not_applicable(format!("role {} does not exist any more", role.last()));
    }
    let unread = || Identity::of(context.inventory, &caller);
    let identity = judge.permissions().find(role).map_or_else(|| Cow::Owned(unread()), Cow::Borrowed);
    let scenario = Scenario::through_bedrock(context.region);
    let asked: Vec<(&str, Answer)> =
        CUSTOMIZER.iter().map(|action| (*action, decide(access, &identity, action, &scenario))).collect();
    let draft = table(subject, &asked);
    let denied: Vec<&str> =
        asked.iter().filter(|(_, answer)| answer.decision.is_denied()).map(|(action, _)| *action).collect();
    if !denied.is_empty() {
        let why = format!(
            "{} customizes with key {} but lacks {}: jobs will be denied",
            caller.name(),
            key.label(),
            listed(&denied)
        );
        return draft.fail("missing-right", why);
    }
    settled(draft, key, &asked, format!("{} holds the four rights of a customizer", caller.name()))
}

fn invoker<'a>(
    judge: &Judge<'a>,
    key: &Key,
    access: &KeyAccess,
    ties: &Ties,
    one: &Invoker<'_>,
    subject: impl FnOnce() -> Subject<'a>,
) -> Option<Verdict> {
    let identity = one.identity;
    let mut unsure: Option<Decision> = None;
    let mut served: Vec<&ResourceRef> = Vec::new();
    for (arn, server) in &ties.servers {
        for action in INVOKES {
            match may(identity, action, arn) {
                Decision::Allowed { .. } | Decision::Conditional { .. } if !served.contains(&server) => {
                    served.push(server);
                }
                // A gap in the whole list is told once, on the region.
                uncertain @ Decision::Uncertain { .. } => unsure = Some(uncertain),
                _ => {}
            }
        }
    }
    let name = identity.caller.name();
    if served.is_empty() {
        let why = unsure.filter(|_| judge.gap(SourceId::AUTHORIZATION).is_none())?;
        let why = format!("cannot tell whether {name} invokes models of key {}: {}", key.label(), why.words());
        return Some(subject().undecided("uncertain", why));
    }
    if one.customizes {
        return None;
    }
    let (through, direct) = (Scenario::through_bedrock(judge.context.region), Scenario::direct());
    let mut asked = vec![("kms:Decrypt", decide(access, identity, "kms:Decrypt", &through))];
    let mut surplus: Vec<&str> = Vec::new();
    for action in NOT_FOR_INVOKERS.iter().filter(|action| !(ties.nova && **action == "kms:GenerateDataKey")) {
        let ways = [&through, &direct].map(|scenario| decide(access, identity, action, scenario));
        // why of what was read: an organization that nobody could look at is no excuse for what the key gives away.
        let worst = ways.into_iter().max_by_key(|answer| match answer.of_what_was_read() {
            Decision::Allowed { .. } => 2,
            Decision::Conditional { .. } | Decision::Uncertain { .. } => 1,
            Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => 0,
        });
        if let Some(answer) = worst {
            if answer.of_what_was_read().is_allowed() {
                surplus.push(action);
            }
            asked.push((action, answer));
        }
    }
    let lacks = asked.first().is_some_and(|(_, answer)| answer.decision.is_denied());
    let draft = table(subject().related(served.iter().map(|server| (*server).clone())), &asked);
    let label = key.label();
    let over = format!("only invokes, but is allowed {} on key {label}", listed(&surplus));
    Some(match (lacks, surplus.is_empty()) {
        (true, true) => draft.fail(
            "missing-right",
            format!("{name} invokes models of key {label} but lacks kms:Decrypt: inference will be denied"),
        ),
        (true, false) => draft.fail(
            "missing-right",
            format!("{name} lacks kms:Decrypt on key {label}: inference will be denied; it {over}"),
        ),
        (false, false) => draft.fail("over-granted", format!("{name} {over}")),
        (false, true) => settled(draft, key, &asked, format!("{name} may decrypt and no more")),
    })
}

/// A pass, unless something it rests on is open or was not read.
fn settled(draft: Draft<Subject<'_>>, key: &Key, asked: &[(&str, Answer)], right: String) -> Verdict {
    let open = asked
        .iter()
        .find(|(_, answer)| matches!(answer.decision, Decision::Uncertain { .. } | Decision::Conditional { .. }));
    if let Some((action, answer)) = open {
        let code = if matches!(answer.decision, Decision::Conditional { .. }) { "conditional" } else { "uncertain" };
        return draft.undecided(code, format!("{action}: {}", answer.decision.words()));
    }
    let policy = key.policy.known().err().map(|unknown| unread("kms:GetKeyPolicy", unknown));
    match policy.or_else(|| key.grants.known().err().map(|unknown| unread("kms:ListGrants", unknown))) {
        Some(why) => draft.undecided("unread", why),
        None => draft.pass(right),
    }
}

/// The matrix: one fact an action, with the deciding statement, pointing into the key policy where it
/// stands there.
fn table<'a>(subject: Subject<'a>, asked: &[(&str, Answer)]) -> Draft<Subject<'a>> {
    let draft = subject.shows("asked", "through Bedrock; what an invoker must not have, directly too");
    asked.iter().fold(draft, |draft, (action, answer)| draft.points(action, answer.decision.words(), pointer(answer)))
}

fn pointer(answer: &Answer) -> Option<Text> {
    let in_key_policy = answer.decision.by().iter().find(|by| by.layer == crate::access::Layer::KeyPolicy);
    in_key_policy.and_then(|by| by.pointer.clone())
}
