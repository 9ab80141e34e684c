//! Whom a statement of a resource's own policy lets in from outside: everybody, other accounts, other organizations.
//! The same question for keys and for models.

use super::conclusion::Conclusion;
use super::control::Context;
use super::judge::{Problem, Subject, listed, unread};
use super::verdict::{Evidence, Verdict};
use crate::access::{Condition, Operator, Policy, PrincipalEntry, SetOperator, Statement};
use crate::base::Text;

/// The sub-reasons it can give.
pub(super) const REASONS: &[&str] = &["public-principal", "foreign-account", "foreign-organization"];

/// Judges a policy: `called` is how people name it, `what` what it gives.
pub(super) fn judge_policy(
    context: &Context<'_>,
    policy: &Policy,
    subject: Subject<'_>,
    called: &str,
    what: &str,
) -> Vec<Verdict> {
    subject.concludes(conclusions(context, policy, called, what))
}

/// The same, whatever resource has the policy.
pub(super) fn conclusions(context: &Context<'_>, policy: &Policy, called: &str, what: &str) -> Vec<Conclusion> {
    let (mut problems, mut unknown) = (Vec::new(), None);
    for statement in &policy.statements {
        let (found, why) = outsiders(context, statement, what);
        problems.extend(found);
        unknown = unknown.or(why);
    }
    let broken = policy.malformed().next().map(|(statement, why)| {
        let why = format!("{called}, {}: {why}", statement.pointer());
        ("malformed", why)
    });
    let open = broken.or_else(|| Some(("organization-unknown", unknown?)));
    let facts = vec![Evidence::new("statements", policy.statements.len())];
    Conclusion::open(facts, problems, open, "names only our own and trusted accounts")
}

/// Who gets `what` ("use the key") by an Allow and belongs neither to us nor to whom we trust; and why that may not be
/// all of them.
fn outsiders(context: &Context<'_>, statement: &Statement, what: &str) -> (Vec<Problem>, Option<String>) {
    // A statement without Action or Resource has no effect in the policy of a resource.
    let effective = statement.allows() && statement.resources.is_some();
    let (true, Some(principals), Some(actions)) = (effective, &statement.principals, &statement.actions) else {
        return (Vec::new(), None);
    };
    let given = || listed(actions.patterns.iter().map(Text::new));
    let mut problems = Vec::new();
    let mut add = |code, who: &str, shown: String| {
        let why = format!("{} lets {who} {what} ({})", statement.label(), given());
        problems.push(Problem::fail(code, why).points("statement", shown, statement.pointer()));
    };
    let mut foreign = |account: &str, how: &str| {
        let account = Text::new(account);
        add("foreign-account", &format!("account {account}"), format!("{how} {account}, Action {}", given()));
    };
    if !principals.negated {
        let named = principals.entries.iter().filter_map(PrincipalEntry::account);
        named.filter(|account| !context.trusts(account)).for_each(|account| foreign(account, "Principal"));
        if !principals.entries.contains(&PrincipalEntry::Everyone) {
            return (problems, None);
        }
    }
    let limits: Vec<(&Condition, Limit)> =
        statement.conditions.iter().filter_map(|one| Some((one, limit(one)?))).collect();
    let of = |kind| limits.iter().filter(move |(_, limit)| *limit == kind).map(|(condition, _)| *condition);
    // All conditions must hold, so one that names only trusted accounts is enough.
    if of(Limit::Accounts).any(|condition| condition.values.iter().all(|account| context.trusts(account))) {
        return (problems, None);
    }
    let everywhere = |account: &&String| of(Limit::Accounts).all(|condition| condition.values.contains(account));
    if let Some(first) = of(Limit::Accounts).next() {
        let untrusted = first.values.iter().filter(|account| !context.trusts(account)).filter(everywhere);
        untrusted.for_each(|account| foreign(account, "Condition on account"));
    }
    if of(Limit::Organization).next().is_some() {
        let values: Vec<&str> =
            of(Limit::Organization).flat_map(|condition| &condition.values).map(String::as_str).collect();
        let ours = match context.inventory.settings.organization.known() {
            Ok(organization) => organization.as_ref().map(|organization| organization.id.as_str()),
            Err(unknown) => {
                let why = unread("organizations:DescribeOrganization", unknown);
                let named = Text::new(values.join(", "));
                return (problems, Some(format!("whether {named} is our organization is not known: {why}")));
            }
        };
        let others = values.iter().filter(|value| value.split('/').next() != ours).copied().map(Text::new);
        let others: Vec<Text> = others.collect();
        if !others.is_empty() {
            let named = listed(&others);
            add(
                "foreign-organization",
                &format!("another organization ({named})"),
                format!("aws:PrincipalOrgID {named}"),
            );
        }
        return (problems, None);
    }
    if limits.is_empty() {
        let who = if principals.negated { "NotPrincipal" } else { "\"*\"" };
        add("public-principal", "every AWS principal", format!("Principal {who}, Action {}", given()));
    }
    (problems, None)
}

/// What a condition ties the caller to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Accounts,
    Organization,
}

/// A positive match on where the caller belongs, with no wildcard where it matters, that does not hold when the key is
/// missing.
fn limit(condition: &Condition) -> Option<Limit> {
    let on = |keys: &[&str]| keys.iter().any(|key| condition.is_on(key));
    let kind = if on(&["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"]) {
        Limit::Organization
    } else if on(&["aws:PrincipalAccount", "aws:SourceAccount", "kms:CallerAccount"]) {
        Limit::Accounts
    } else {
        return None;
    };
    let exact = match condition.operator {
        Operator::StringEquals | Operator::StringEqualsIgnoreCase => true,
        // A path of an organization ends in a wildcard by design; the organization itself must stand in full.
        Operator::StringLike => condition.values.iter().all(|value| {
            let head = value.split('/').next().unwrap_or_default();
            !head.contains(['*', '?']) && (kind == Limit::Organization || !value.contains(['*', '?']))
        }),
        _ => false,
    };
    let vacuous = condition.if_exists || condition.set == Some(SetOperator::ForAllValues);
    (exact && !vacuous && !condition.values.is_empty()).then_some(kind)
}
