//! CUS-KMS-07: whom a key policy lets in from outside.

use crate::access::{Condition, Operator, PrincipalEntry, SetOperator, Statement};
use crate::base::Text;
use crate::inventory::SourceId;
use crate::posture::catalogue::framework::{ATLAS, CIS_7, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{KEY_LISTS, policy_of, reached};

pub(in crate::posture) const KMS_07: Control = Control {
    id: "CUS-KMS-07",
    title: "Key not usable by public or foreign principals",
    severity: Severity::Critical,
    area: Area::Encryption,
    what: "keys used by models, jobs, buckets and log groups",
    lists: KEY_LISTS,
    tables: &[],
    details: &[SourceId::KEY_POLICIES],
    logic: "No Allow of the key policy may name everybody (\"*\", or NotPrincipal) unless a condition ties it to an \
            organization (aws:PrincipalOrgID, aws:PrincipalOrgPaths) or to accounts (kms:CallerAccount, \
            aws:PrincipalAccount, aws:SourceAccount), and none may name an account, in Principal or in such a \
            condition, that is neither ours nor trusted. Denies elsewhere in the policy are not counted in its favour.",
    reasons: &["public-principal", "foreign-account"],
    remediation: "Remove the statement, or name the roles that need the key.",
    cli: "aws kms put-key-policy --key-id KEY --policy-name default --policy file://POLICY.json",
    compliance: &[
        (NIST, &["AC-3", "AC-6"]),
        (FEDRAMP, &["AC-3", "AC-6"]),
        (PCI, &["7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["32"]),
        (CIS_7, &["2.21"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["KMS"]),
    ],
    fixes: &["FIX-03"],
    evaluate: exposure,
};

fn exposure(judge: &Judge<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for used in reached(judge).into_values() {
        let subject = judge.on(used.reference()).related(used.users.iter().cloned());
        let policy = match policy_of(&used, &subject) {
            Ok(policy) => policy,
            Err(verdict) => {
                verdicts.push(*verdict);
                continue;
            }
        };
        let problems: Vec<Problem> = policy.statements.iter().flat_map(|s| judge_statement(judge.context, s)).collect();
        // why after the problems: a hole that can be read outweighs a statement that cannot.
        if let (true, Some((statement, why))) = (problems.is_empty(), policy.malformed().next()) {
            let pointer = statement.pointer();
            verdicts.push(subject.malformed(&format!("key policy, {pointer}"), Some(pointer.clone()), why));
            continue;
        }
        let draft = subject.shows("statements", policy.statements.len());
        verdicts.extend(draft.conclude(problems, "names only our own and trusted accounts"));
    }
    verdicts
}

fn judge_statement(context: &Context<'_>, statement: &Statement) -> Vec<Problem> {
    // A statement without Action or Resource has no effect in a key policy.
    let effective = statement.allows() && statement.actions.is_some() && statement.resources.is_some();
    let (true, Some(principals)) = (effective, &statement.principals) else { return Vec::new() };
    let pointer = statement.pointer();
    let mut problems = Vec::new();
    let mut foreign = |account: &str, how: &str| {
        let account = Text::new(account);
        let why = format!("{} lets account {account} use the key", statement.label());
        problems.push(Problem::fail("foreign-account", why).points(
            "statement",
            format!("{how} {account}"),
            pointer.clone(),
        ));
    };
    for entry in &principals.entries {
        match entry.account() {
            Some(account) if !principals.negated && !context.trusts(account) => foreign(account, "Principal"),
            _ => {}
        }
    }
    let public = principals.negated || principals.entries.contains(&PrincipalEntry::Everyone);
    if public {
        let guards: Vec<Guard<'_>> = statement.conditions.iter().filter_map(guard).collect();
        for account in guards.iter().filter(|guard| guard.accounts).flat_map(|guard| guard.values) {
            if !context.trusts(account) && guards.iter().all(|guard| !guard.accounts || guard.values.contains(account))
            {
                foreign(account, "Condition on account");
            }
        }
        if guards.is_empty() {
            let actions = statement.actions.as_ref().map(|actions| actions.patterns.join(", ")).unwrap_or_default();
            let who = if principals.negated { "NotPrincipal" } else { "\"*\"" };
            problems.push(
                Problem::fail(
                    "public-principal",
                    format!("{} lets every AWS principal use the key", statement.label()),
                )
                .points("statement", format!("Principal {who}, Action {actions}"), pointer.clone()),
            );
        }
    }
    problems
}

/// A condition that limits who, not how.
struct Guard<'a> {
    /// Whether its values are accounts.
    accounts: bool,
    values: &'a [String],
}

/// Whether a condition keeps strangers out: a positive match on where the caller belongs, with no
/// wildcard, that does not hold when the key is missing.
fn guard(condition: &Condition) -> Option<Guard<'_>> {
    let organization = condition.is_on("aws:PrincipalOrgID") || condition.is_on("aws:PrincipalOrgPaths");
    let accounts =
        ["kms:CallerAccount", "aws:PrincipalAccount", "aws:SourceAccount"].iter().any(|key| condition.is_on(key));
    let exact = match condition.operator {
        Operator::StringEquals | Operator::StringEqualsIgnoreCase => true,
        // A path of an organization ends in a wildcard by design; one that begins with it limits nothing.
        Operator::StringLike => condition.values.iter().all(|value| match value.find(['*', '?']) {
            None => true,
            Some(at) => organization && value.get(..at).is_some_and(|head| head.starts_with("o-") && head.len() > 4),
        }),
        _ => false,
    };
    let vacuous = condition.if_exists || condition.set == Some(SetOperator::ForAllValues);
    ((organization || accounts) && exact && !vacuous && !condition.values.is_empty())
        .then_some(Guard { accounts, values: &condition.values })
}
