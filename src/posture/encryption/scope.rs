//! CUS-KMS-05: whether a key policy lets keys of models be used through Bedrock alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::access::apart::{Apart, Marks, Sort};
use crate::access::{Condition, Effect, Operator, Policy, PrincipalEntry, SetOperator, Statement};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Kind, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::conclusion::Conclusion;
use crate::posture::control::{Context, Control};
use crate::posture::identity::{BEDROCK, binds, is_string};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::verdict::{Area, Evidence, Severity, Verdict};

use super::{UsedKey, keys_of_models, metadata_of, policy_of};

pub(in crate::posture) const KMS_05: Control = Control {
    id: "CUS-KMS-05",
    title: "Key policy limits use to Bedrock via kms:ViaService",
    severity: Severity::Medium,
    area: Area::Encryption,
    what: "customer managed keys of custom, imported or copied models",
    lists: &[
        SourceId::MODELS,
        SourceId::MODEL_DETAILS,
        SourceId::IMPORTED_MODELS,
        SourceId::IMPORTED_MODEL_DETAILS,
        SourceId::COPY_JOBS,
    ],
    tables: &[],
    details: &[SourceId::KEYS, SourceId::KEY_POLICIES],
    logic: "Every Allow of the key policy that gives Decrypt, GenerateDataKey or CreateGrant to a principal must carry \
            StringEquals or StringLike kms:ViaService with a host of Bedrock; S3 and CloudWatch Logs are accepted too \
            where a bucket or log group of the lineage uses the key. A Deny for everybody that strikes calls through anything else does the same. Use \
            that is left to the whole account, and use through or by other services, are warnings. Bedrock under its \
            own name is accepted: such calls carry no kms:ViaService.",
    reasons: &["via-service-missing", "root-delegation", "other-service"],
    remediation: "Give each statement for customizers and invokers the condition StringEquals kms:ViaService \
                  bedrock.REGION.amazonaws.com.",
    cli: "aws kms put-key-policy --key-id KEY --policy-name default --policy file://POLICY.json",
    compliance: &[
        (NIST, &["AC-3", "AC-6", "SC-12"]),
        (FEDRAMP, &["AC-3", "AC-6", "SC-12"]),
        (PCI, &["3.6.1", "7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["25"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0005"]),
        (SRA, &["KMS"]),
    ],
    fixes: &[],
    evaluate: scope,
};

/// What uses a key, or lets it be used.
const USE: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"];
/// The condition key.
const VIA: &str = "kms:ViaService";

fn scope(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(judge.tables().keys.len());
    let mut seen = Seen::default();
    for (used, models) in keys_of_models(judge) {
        let subject = used.subject(judge).related(models.into_iter().cloned());
        match metadata_of(judge, used.key, used.id) {
            // why: nobody can set the policy of a key that AWS manages; see CUS-KMS-01.
            Ok(metadata) if metadata.manager == "AWS" => continue,
            Ok(_) => {}
            Err(why) => {
                verdicts.push(subject.unread(why));
                continue;
            }
        }
        match policy_of(judge, used, &subject) {
            Ok(policy) => {
                let expected = expected(used);
                verdicts.extend(subject.concludes(seen.of(judge.context, used.id, &policy, expected)));
            }
            Err(verdict) => verdicts.push(*verdict),
        }
    }
    verdicts
}

/// What was found of policies. why kept: thousands of keys may have the same, and most policies do not tell them apart.
#[derive(Default)]
struct Seen<'a>(HashMap<(*const Policy, Sort<'a>), OfPolicy>);

struct OfPolicy {
    /// why held: another must not come to stand in its place.
    _policy: Arc<Policy>,
    apart: Option<Apart>,
    found: Vec<(Marks, Vec<&'static str>, Vec<Conclusion>)>,
}

impl<'a> Seen<'a> {
    /// What is found of a key's policy, now or before of a key like it.
    fn of(
        &mut self,
        context: &Context<'_>,
        key: &'a ResourceId,
        policy: &Arc<Policy>,
        expected: Vec<&'static str>,
    ) -> Vec<Conclusion> {
        let tell = |expected: &[&'static str]| conclusions(context, policy, key.arn().as_ref(), expected);
        let Some((sort, resource)) = Sort::of(key) else { return tell(&expected) };
        let held = self.0.entry((Arc::as_ptr(policy), sort)).or_insert_with(|| OfPolicy {
            _policy: Arc::clone(policy),
            apart: Apart::of(sort, USE, None, [&**policy]),
            found: Vec::new(),
        });
        let Some(apart) = &held.apart else { return tell(&expected) };
        let marks = apart.marks(resource);
        let known = held.found.iter().find(|(of, services, _)| *of == marks && *services == expected);
        if let Some((_, _, known)) = known {
            return known.clone();
        }
        let found = tell(&expected);
        held.found.push((marks, expected, found.clone()));
        found
    }
}

/// What the policy of a key comes to.
fn conclusions(
    context: &Context<'_>,
    policy: &Policy,
    key: Option<&Arn>,
    expected: &[&'static str],
) -> Vec<Conclusion> {
    // why once a key: a policy may hold thousands of statements.
    let open: Vec<&str> = USE.iter().copied().filter(|action| !fenced(policy, action, key, expected)).collect();
    let problems: Vec<Problem> = policy
        .statements
        .iter()
        .filter(|statement| about(statement, key))
        .flat_map(|statement| judge_statement(context, statement, &open, expected))
        .collect();
    if let (true, Some((statement, why))) = (problems.is_empty(), policy.malformed().next()) {
        let pointer = statement.pointer();
        return vec![Conclusion::malformed(&format!("key policy, {pointer}"), Some(pointer), why)];
    }
    let facts =
        vec![Evidence::new("statements", policy.statements.len()), Evidence::new("expected", expected.join(", "))];
    Conclusion::of(facts, problems, format_args!("only {} may use it for others", expected.join(" and ")))
}

/// The services whose business this key is, as hosts begin.
fn expected(used: &UsedKey<'_>) -> Vec<&'static str> {
    let mut services = vec!["bedrock"];
    let by = |kind: Kind| used.users.iter().any(|user| user.kind == kind);
    if by(Kind::Bucket) {
        services.push("s3");
    }
    if by(Kind::LogGroup) {
        services.push("logs");
    }
    services
}

/// What one statement of a key's policy lets be done with it, of the actions that no Deny fences.
fn judge_statement(
    context: &Context<'_>,
    statement: &Statement,
    unfenced: &[&'static str],
    expected: &[&str],
) -> Vec<Problem> {
    let (true, Some(principals), Some(actions)) = (statement.allows(), &statement.principals, &statement.actions)
    else {
        return Vec::new();
    };
    let open: Vec<&str> = unfenced.iter().copied().filter(|action| actions.cover(action)).collect();
    let through: Vec<&Condition> = statement
        .conditions
        .iter()
        .filter(|condition| condition.is_on(VIA) && binds(condition) && is_string(condition.operator))
        .collect();
    // Conditions hold together, so one that is narrow enough is enough.
    let narrow = through.iter().any(|condition| condition.values.iter().all(|host| is_host(host, expected)));
    if open.is_empty() || narrow {
        return Vec::new();
    }
    let conditions: Vec<Text> = statement.conditions.iter().map(Condition::words).collect();
    let conditions = if conditions.is_empty() { "no condition".to_owned() } else { listed(conditions) };
    let mut problems = Vec::new();
    let mut add = |who: &str, what: Grade, code: &'static str, how: &str| {
        let who = Text::new(who);
        let why = format!("{} lets {who} {how} ({})", statement.label(), listed(&open));
        let shown = format!("Principal {who}, Action {}, {conditions}", actions.patterns.join(", "));
        problems.push(what(code, why).points("statement", shown, statement.pointer()));
    };
    const ANYHOW: &str = "use the key past any service";
    const OTHERS: &str = "use the key through services other than Bedrock";
    if principals.negated {
        let (what, code, how) = held(&through, Problem::fail, "via-service-missing", ANYHOW, OTHERS);
        add("everybody but a few (NotPrincipal)", what, code, how);
    }
    for entry in principals.entries.iter().filter(|_| !principals.negated) {
        let named = entry.written();
        let (who, what, code, how) = match entry {
            // Bedrock under its own name, for what it writes itself; the id of a deleted role or user.
            PrincipalEntry::Service(service) if service == BEDROCK => continue,
            PrincipalEntry::UniqueId(_) => continue,
            PrincipalEntry::Service(service) if is_host(service, expected) => continue,
            PrincipalEntry::Service(_) => {
                (named.as_str(), Problem::warn as Grade, "other-service", "use the key under its own name")
            }
            PrincipalEntry::Account(account) if account == context.account => {
                let leaves = "use the key as its own policies say, past any service";
                let (what, code, how) = held(&through, Problem::warn, "root-delegation", leaves, OTHERS);
                ("the whole account", what, code, how)
            }
            PrincipalEntry::Everyone => {
                let (what, code, how) = held(&through, Problem::fail, "via-service-missing", ANYHOW, OTHERS);
                ("everybody", what, code, how)
            }
            _ => {
                let (what, code, how) = held(&through, Problem::fail, "via-service-missing", ANYHOW, OTHERS);
                (named.as_str(), what, code, how)
            }
        };
        add(who, what, code, how);
    }
    problems
}

type Grade = fn(&'static str, String) -> Problem;

/// How bad it is: without any `kms:ViaService`, or with one that names other services.
fn held(
    through: &[&Condition],
    without: Grade,
    code: &'static str,
    anyhow: &'static str,
    others: &'static str,
) -> (Grade, &'static str, &'static str) {
    // A wildcard for the service limits nothing.
    let limits = |condition: &&Condition| condition.values.iter().all(|host| !service_of(host).contains(['*', '?']));
    if through.iter().any(limits) { (Problem::warn, "other-service", others) } else { (without, code, anyhow) }
}

/// Whether a statement speaks of this key at all.
fn about(statement: &Statement, key: Option<&Arn>) -> bool {
    statement.resources.as_ref().is_some_and(|resources| key.is_none_or(|key| resources.cover(key)))
}

/// Whether a Deny for everybody strikes every call of `action` that does not come through Bedrock.
fn fenced(policy: &Policy, action: &str, key: Option<&Arn>, expected: &[&str]) -> bool {
    policy.statements.iter().any(|statement| {
        let [condition] = statement.conditions.as_slice() else { return false };
        let everybody = |p: &crate::access::Principals| !p.negated && p.entries.contains(&PrincipalEntry::Everyone);
        let differs = matches!(
            condition.operator,
            Operator::StringNotEquals | Operator::StringNotEqualsIgnoreCase | Operator::StringNotLike
        );
        // why not ForAnyValue: it does not strike a call that carries no such key.
        let strikes = differs && condition.set != Some(SetOperator::ForAnyValue);
        statement.effect == Effect::Deny
            && statement.malformed.is_none()
            && statement.actions.as_ref().is_some_and(|actions| actions.cover(action))
            && statement.principals.as_ref().is_some_and(everybody)
            && about(statement, key)
            && condition.is_on(VIA)
            && strikes
            && condition.values.iter().all(|host| is_host(host, expected))
    })
}

/// Whether a host belongs to one of these services: `bedrock.us-east-1.amazonaws.com`, `bedrock.*`.
fn is_host(host: &str, services: &[&str]) -> bool {
    host.contains('.') && services.contains(&service_of(host).to_ascii_lowercase().as_str())
}

fn service_of(host: &str) -> &str {
    host.split('.').next().unwrap_or_default()
}
