//! Grants on a key (G1–G4, G6).

use super::condition::{Condition, Operator, SetOperator};
use super::decision::{Deciding, Layer, Tri, Truth};
use super::expr::{Expr, FEDERATED_BY, SESSION_NAME};
use super::policy::Version;
use super::principal::{Caller, Class, Match, PrincipalEntry};
use super::request::Ground;
use super::scan::Ask;
use crate::base::{ResourceId, Text};
use crate::inventory::kms::Grant;

/// What grants allow. `own` is what the caller's own policies allow, `limit` what boundary and session let through.
pub(super) fn grants(key: &Ground<'_>, own: &Truth, limit: &Truth, ask: &Ask<'_>) -> Truth {
    let Some(operation) = operation(ask.action) else { return Truth::no() };
    let grants = match key.grants {
        Ok(grants) => grants,
        Err(why) => return Truth::blind(why.clone()),
    };
    let mut found = Vec::new();
    for grant in grants {
        for met in ways(grant, operation, ask.caller) {
            found.push(way(grant, &met, operation, own, limit, ask));
        }
    }
    Truth::any(found)
}

/// Whether an action is one that only grants give: a policy cannot allow it, but can deny it (G6).
pub(super) fn alone_give(action: &str) -> bool {
    action.eq_ignore_ascii_case("kms:RetireGrant")
}

/// Whether any of these grants lets a caller do an action, whatever else it asks for.
pub(super) fn are_for(grants: &[Grant], action: &str, caller: &Caller) -> bool {
    operation(action).is_some_and(|operation| grants.iter().any(|grant| !ways(grant, operation, caller).is_empty()))
}

/// The operation of a grant that is an action of KMS.
fn operation(action: &str) -> Option<&str> {
    action.get(..4).filter(|head| head.eq_ignore_ascii_case("kms:")).and(action.get(4..))
}

/// As what a grant lets a caller do an operation: as its grantee; and to retire it, as the one who may, or through
/// the account that issued it (G2, G6).
fn ways(grant: &Grant, operation: &str, caller: &Caller) -> Vec<Match> {
    let gives = || grant.operations.iter().any(|op| op.as_str().eq_ignore_ascii_case(operation));
    let grantee = Some(&grant.grantee).filter(|_| gives());
    let retires = operation.eq_ignore_ascii_case("RetireGrant");
    let more = grant.retiring.iter().chain(&grant.issuer).filter(|_| retires);
    let met = grantee.into_iter().chain(more).map(|who| meets(who, caller));
    let mut found: Vec<Match> = met.filter(|met| *met != Match::None).collect();
    found.dedup();
    found
}

fn way(grant: &Grant, met: &Match, operation: &str, own: &Truth, limit: &Truth, ask: &Ask<'_>) -> Truth {
    let by = Deciding { layer: Layer::Grant(grant.id.clone()), pointer: None, span: None, sid: Text::default() };
    let mut truth = match met {
        Match::None => return Truth::no(),
        Match::IfSession(name) => Truth::when(ask.is(SESSION_NAME, name), Some(by)),
        Match::IfFederatedBy(user) => Truth::when(ask.is(FEDERATED_BY, user), Some(by)),
        // G2: then the account's own policies decide who of it.
        Match::As(Class::Account) => Truth::when(Expr::True, Some(by)).and(own.clone()).and(limit.clone()),
        Match::As(_) => Truth::when(Expr::True, Some(by)),
    };
    truth = truth.and(Truth::when(constraints(grant, operation, ask), None));
    // G3: AWS does not say whether an implicit deny of a boundary or session policy limits a grant.
    let within = matches!(met, Match::As(Class::RoleOfSession) | Match::IfFederatedBy(_));
    if within && limit.tri() != Tri::Yes {
        let why = format!("grant {}: AWS does not say whether the boundary or session policy limits it", grant.id);
        truth = truth.and(Truth::blind(why).or(limit.clone().unnamed()));
    }
    truth
}

/// When a request meets the constraints. What the encryption context must hold does not hold back operations that
/// have none, what the request must be made for holds back all but retiring (G4). Keys compare without regard to
/// case: of the two documented readings the one that finds more access.
fn constraints(grant: &Grant, operation: &str, ask: &Ask<'_>) -> Expr {
    let is = |one: &str| operation.eq_ignore_ascii_case(one);
    if is("RetireGrant") {
        return Expr::True;
    }
    let mut parts: Vec<Expr> = Vec::new();
    if !is("DescribeKey") {
        let pair = |(key, value): (&Text, &Text)| Expr::equals(&format!("kms:EncryptionContext:{key}"), value.as_str());
        parts.extend(grant.context_equals.iter().chain(&grant.context_subset).map(pair));
        if !grant.context_equals.is_empty() {
            parts.push(Expr::condition(
                Condition {
                    set: Some(SetOperator::ForAllValues),
                    operator: Operator::StringEqualsIgnoreCase,
                    if_exists: false,
                    key: "kms:EncryptionContextKeys".to_owned(),
                    values: grant.context_equals.keys().map(|key| key.as_str().to_owned()).collect(),
                },
                Version::V2008,
            ));
        }
    }
    if let Some(source) = &grant.source_arn {
        parts.push(Expr::equals("aws:SourceArn", source.as_str()));
    }
    let lookup = |key: &str| ask.context.get(key);
    Expr::all(parts.into_iter().map(|part| match part.value(&lookup) {
        Tri::Yes => Expr::True,
        Tri::No => Expr::False,
        Tri::Maybe => part,
    }))
}

/// How a principal of a grant meets a caller.
pub(super) fn meets(named: &ResourceId, caller: &Caller) -> Match {
    match caller {
        Caller::Service(name) if named.as_str() == name => Match::As(Class::Service),
        Caller::Service(_) => Match::None,
        // why first: what does not even say the account cannot be anybody of it, and most grants are a service's.
        _ if caller.account().is_some_and(|account| !named.as_str().contains(account)) => Match::None,
        _ => PrincipalEntry::new("AWS", named.as_str())
            .filter(|entry| *entry != PrincipalEntry::Everyone)
            .map_or(Match::None, |entry| entry.meets(caller)),
    }
}
