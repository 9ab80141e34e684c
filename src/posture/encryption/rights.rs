//! CUS-KMS-06: whether roles that customize and roles that invoke hold exactly the key rights they need.

use std::collections::HashMap;

use crate::access::alike::{Likeness, OfIdentities, OfKeys, OneKey, Question};
use crate::access::{Answer, Caller, Decision, Identity, Layer, Scenario, identity_decides};
use crate::base::{Arn, ResourceId};
use crate::inventory::kms::Key;
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Draft, Judge, Subject, listed, unread};
use crate::posture::permissions::{INVOKES, principal};
use crate::posture::verdict::{Area, Evidence, Severity, Verdict};

use super::ties::{Ties, ties};

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
/// What a role that invokes needs.
const DECRYPT: &str = "kms:Decrypt";
/// What a role that only invokes must not have.
const NOT_FOR_INVOKERS: &[&str] = &["kms:CreateGrant", "kms:GenerateDataKey"];

fn rights(judge: &Judge<'_>) -> Vec<Verdict> {
    let ties = ties(judge);
    let served = ties.values().any(|ties| !ties.servers.is_empty());
    let invokers = if served { invokers(judge) } else { Vec::new() };
    let questions = Questions::of(judge.context.region);
    let mut verdicts = Vec::with_capacity(ties.len());
    // why by likeness: most keys of a large account are alike, and are then asked about once.
    let mut alike: HashMap<Option<Likeness<'_>>, Vec<(OneKey<'_>, &Ties<'_>)>> = HashMap::new();
    for (id, ties) in &ties {
        let key = ties.key;
        // why: nobody can set the rights on a key that AWS manages.
        let managed = key.and_then(|key| key.metadata.known().ok()).is_some_and(|metadata| metadata.manager == "AWS");
        if managed {
            continue;
        }
        match key.and_then(|key| OneKey::of(key, |document| judge.policy(document))) {
            Some(one) => alike.entry(one.likeness().cloned()).or_default().push((one, ties)),
            None => verdicts.extend(unseen(judge, id, ties)),
        }
    }
    let mut invoked = OfIdentities::new(&questions.invoked, decisions);
    for (likeness, keys) in &alike {
        let mut asked = AskedOf {
            customizers: OfKeys::new(likeness.as_ref(), &questions.customizer, customizers),
            invokers: OfKeys::new(likeness.as_ref(), &questions.invoker, of_invoker),
        };
        for (one, ties) in keys {
            let on = |role: &ResourceId| judge.on_item(Kind::Key, one.key()).beside(ResourceRef::new(Kind::Role, role));
            for (role, jobs) in &ties.customizers {
                let jobs = jobs.iter().map(|job| ResourceRef::new(Kind::Job, *job));
                verdicts.push(customizer(judge, one, &mut asked.customizers, role, on(role).related(jobs)));
            }
            // Who does not serve its model has nobody to invoke it.
            let others =
                invokers.iter().filter(|one| !ties.servers.is_empty() && !ties.customizers.contains_key(&&one.role));
            for invoker in others {
                let reach = reach(ties, invoker, &mut invoked);
                verdicts.extend(invoker_on(
                    judge,
                    one,
                    ties,
                    invoker,
                    reach,
                    &mut asked.invokers,
                    || on(&invoker.role),
                ));
            }
        }
    }
    verdicts
}

/// What a key that cannot be asked about leaves open.
fn unseen(judge: &Judge<'_>, id: &ResourceId, ties: &Ties<'_>) -> Vec<Verdict> {
    let why = judge
        .gap(SourceId::KEY_POLICIES)
        .map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
    let roles = ties.customizers.keys().copied();
    roles
        .map(|role| {
            let subject = judge.on(ResourceRef::new(Kind::Key, id)).beside(ResourceRef::new(Kind::Role, role));
            subject.unread(format!("key {id}: {why}"))
        })
        .collect()
}

/// What is asked: of a customizer, of an invoker, and about what it may invoke.
struct Questions {
    customizer: Vec<Question>,
    invoker: Vec<Question>,
    invoked: Vec<Question>,
}

impl Questions {
    fn of(region: &str) -> Self {
        let (through, direct) = (Scenario::through_bedrock(region), Scenario::direct());
        let ways = |action: &&'static str| [(*action, through.clone()), (*action, direct.clone())];
        let decrypt = std::iter::once((DECRYPT, through.clone()));
        Self {
            customizer: CUSTOMIZER.iter().map(|action| (*action, through.clone())).collect(),
            invoker: decrypt.chain(NOT_FOR_INVOKERS.iter().flat_map(ways)).collect(),
            invoked: INVOKES.iter().map(|action| (*action, Scenario::open())).collect(),
        }
    }
}

/// What was asked of keys that are alike.
struct AskedOf<'a> {
    customizers: OfKeys<'a, Vec<Asked>>,
    invokers: OfKeys<'a, Vec<Asked>>,
}

/// What the answer to a question comes to.
struct Asked {
    action: &'static str,
    denied: bool,
    /// Whether it is given, as far as could be read.
    given: bool,
    /// The code of what leaves it open, if something does.
    open: Option<&'static str>,
    /// The answer with the deciding statement, pointing into the key policy where it stands there.
    fact: Evidence,
}

impl Asked {
    fn of(action: &'static str, answer: &Answer) -> Self {
        let by = answer.decision.by();
        let pointer = by.iter().find(|by| by.layer == Layer::KeyPolicy).and_then(|by| by.pointer.clone());
        Self {
            action,
            denied: answer.decision.is_denied(),
            given: answer.of_what_was_read().is_allowed(),
            open: match answer.decision {
                Decision::Conditional { .. } => Some("conditional"),
                Decision::Uncertain { .. } => Some("uncertain"),
                _ => None,
            },
            fact: Evidence { label: action.into(), value: answer.decision.words(), pointer },
        }
    }
}

fn customizers(answers: Vec<Answer>) -> Vec<Asked> {
    CUSTOMIZER.iter().zip(&answers).map(|(action, answer)| Asked::of(action, answer)).collect()
}

/// Decrypt, and the worse of both ways to each that it must not have.
fn of_invoker(answers: Vec<Answer>) -> Vec<Asked> {
    let Some((decrypt, more)) = answers.split_first() else { return Vec::new() };
    // why of what was read: an organization that nobody could look at is no excuse for what the key gives away.
    let rank = |answer: &&Answer| match answer.of_what_was_read() {
        Decision::Allowed { .. } => 2,
        Decision::Conditional { .. } | Decision::Uncertain { .. } => 1,
        Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => 0,
    };
    let worst = NOT_FOR_INVOKERS
        .iter()
        .zip(more.chunks(2))
        .filter_map(|(action, ways)| Some(Asked::of(action, ways.iter().max_by_key(rank)?)));
    std::iter::once(Asked::of(DECRYPT, decrypt)).chain(worst).collect()
}

fn decisions(answers: Vec<Answer>) -> Vec<Decision> {
    answers.into_iter().map(Answer::into_what_was_read).collect()
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

fn customizer<'a>(
    judge: &Judge<'a>,
    one: &OneKey<'_>,
    asked: &mut OfKeys<'a, Vec<Asked>>,
    role: &ResourceId,
    subject: Subject<'_>,
) -> Verdict {
    let context = judge.context;
    let Ok(caller) = Caller::parse(role.as_str()) else {
        return subject.undecided("uncertain", format!("{role} is no role ARN"));
    };
    if !context.inventory.roles.contains_key(role) && judge.gap(SourceId::AUTHORIZATION).is_none() {
        return subject.not_applicable(format!("role {} does not exist any more", role.last()));
    }
    let asked = match judge.permissions().find(role) {
        Some(identity) => asked.of(one, identity),
        None => asked.once(one, &Identity::of(context.inventory, &caller)).into(),
    };
    let draft = table(subject, asked.iter());
    let denied: Vec<&str> = asked.iter().filter(|one| one.denied).map(|one| one.action).collect();
    if !denied.is_empty() {
        let why = format!(
            "{} customizes with key {} but lacks {}: jobs will be denied",
            caller.name(),
            one.key().label(),
            listed(&denied)
        );
        return draft.fail("missing-right", why);
    }
    let right = || format!("{} holds the four rights of a customizer", caller.name());
    settled(draft, one.key(), asked.iter(), right)
}

/// What of that which serves a key's models an invoker may invoke; and, where it may invoke none, why that is not
/// certain.
fn reach<'t>(
    ties: &'t Ties<'_>,
    one: &Invoker<'t>,
    invoked: &mut OfIdentities<'t, Vec<Decision>>,
) -> (Vec<&'t ResourceRef>, Option<Decision>) {
    let (mut served, mut unsure) = (Vec::new(), None);
    for server in ties.servers.values() {
        for decision in invoked.of(&server.id, one.identity).iter().flat_map(|decisions| decisions.iter()) {
            match decision {
                Decision::Allowed { .. } | Decision::Conditional { .. } if !served.contains(&server) => {
                    served.push(server);
                }
                // A gap in the whole list is told once, on the region.
                uncertain @ Decision::Uncertain { .. } => unsure = Some(uncertain.clone()),
                _ => {}
            }
        }
    }
    (served, unsure)
}

fn invoker_on<'a>(
    judge: &Judge<'a>,
    key: &OneKey<'_>,
    ties: &Ties<'_>,
    one: &Invoker<'a>,
    (served, unsure): (Vec<&ResourceRef>, Option<Decision>),
    asked: &mut OfKeys<'a, Vec<Asked>>,
    subject: impl FnOnce() -> Subject<'a>,
) -> Option<Verdict> {
    let (name, label) = (one.identity.caller.name(), key.key().label());
    if served.is_empty() {
        let why = unsure.filter(|_| judge.gap(SourceId::AUTHORIZATION).is_none())?;
        let why = format!("cannot tell whether {name} invokes models of key {label}: {}", why.words());
        return Some(subject().undecided("uncertain", why));
    }
    if one.customizes {
        return None;
    }
    let asked = asked.of(key, one.identity);
    let asked = asked.iter().filter(|one| !(ties.nova && one.action == "kms:GenerateDataKey"));
    let surplus: Vec<&str> = asked.clone().skip(1).filter(|one| one.given).map(|one| one.action).collect();
    let lacks = asked.clone().next().is_some_and(|one| one.denied);
    let draft = table(subject().related(served.into_iter().cloned()), asked.clone());
    let over = || format!("only invokes, but is allowed {} on key {label}", listed(&surplus));
    Some(match (lacks, surplus.is_empty()) {
        (true, true) => draft.fail(
            "missing-right",
            format!("{name} invokes models of key {label} but lacks kms:Decrypt: inference will be denied"),
        ),
        (true, false) => draft.fail(
            "missing-right",
            format!("{name} lacks kms:Decrypt on key {label}: inference will be denied; it {}", over()),
        ),
        (false, false) => draft.fail("over-granted", format!("{name} {}", over())),
        (false, true) => settled(draft, key.key(), asked, || format!("{name} may decrypt and no more")),
    })
}

/// A pass, unless something it rests on is open or was not read.
fn settled<'a>(
    draft: Draft<Subject<'_>>,
    key: &Key,
    asked: impl Iterator<Item = &'a Asked>,
    right: impl FnOnce() -> String,
) -> Verdict {
    let open = asked.into_iter().find_map(|one| Some((one, one.open?)));
    if let Some((one, code)) = open {
        return draft.undecided(code, format!("{}: {}", one.action, one.fact.value));
    }
    let policy = key.policy.known().err().map(|unknown| unread("kms:GetKeyPolicy", unknown));
    match policy.or_else(|| key.grants.known().err().map(|unknown| unread("kms:ListGrants", unknown))) {
        Some(why) => draft.undecided("unread", why),
        None => draft.pass(right()),
    }
}

/// The matrix: one fact an action.
fn table<'a>(subject: Subject<'a>, asked: impl Iterator<Item = &'a Asked>) -> Draft<Subject<'a>> {
    let draft = subject.shows("asked", "through Bedrock; what an invoker must not have, directly too");
    draft.facts(asked.map(|one| one.fact.clone()))
}
