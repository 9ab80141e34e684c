//! Grants on a key (G1–G4).

use super::condition::{Condition, Operator, SetOperator};
use super::decision::{Deciding, Layer, Tri, Truth};
use super::expr::{Expr, SESSION_NAME};
use super::identity::Identity;
use super::policy::Version;
use super::principal::{Caller, Class, Match, PrincipalEntry};
use super::request::Ground;
use super::scan::Ask;
use crate::base::Text;
use crate::inventory::kms::Grant;

/// What grants allow. `limit` is what boundary and session let through.
pub(super) fn grants(key: &Ground<'_>, identity: &Identity, limit: &Truth, ask: &Ask<'_>) -> Truth {
    let Some(operation) = ask.action.get(..4).filter(|head| head.eq_ignore_ascii_case("kms:")).and(ask.action.get(4..))
    else {
        return Truth::no();
    };
    let grants = match key.grants {
        Ok(grants) => grants,
        Err(why) => return Truth::blind(why.clone()),
    };
    let mut found = Truth::no();
    for grant in
        grants.iter().filter(|grant| grant.operations.iter().any(|op| op.as_str().eq_ignore_ascii_case(operation)))
    {
        let met = grantee(grant, ask.caller);
        let by = Deciding { layer: Layer::Grant(grant.id.clone()), pointer: None, span: None, sid: Text::default() };
        let mut truth = match &met {
            Match::None => continue,
            Match::IfSession(name) => Truth::when(Expr::equals(SESSION_NAME, name), Some(by)),
            // G2: then the account's own policies decide who of it.
            Match::As(Class::Account) => Truth::when(Expr::True, Some(by)).and(identity.allow(ask)).and(limit.clone()),
            Match::As(_) => Truth::when(Expr::True, Some(by)),
        };
        // G4: constraints do not hold back operations without an encryption context.
        let free = ["DescribeKey", "RetireGrant"].iter().any(|op| op.eq_ignore_ascii_case(operation));
        if !free {
            truth = truth.and(Truth::when(constraints(grant, ask), None));
        }
        // G3: AWS does not say whether an implicit deny of a boundary or session policy limits a grant.
        if met == Match::As(Class::RoleOfSession) && limit.tri() != Tri::Yes {
            let why = format!("grant {}: AWS does not say whether the boundary or session policy limits it", grant.id);
            truth = truth.and(Truth::blind(why).or(limit.clone().unnamed()));
        }
        found = found.or(truth);
    }
    found
}

/// When the encryption context of a request meets the constraints. Keys compare without regard to case:
/// of the two documented readings the one that finds more access.
fn constraints(grant: &Grant, ask: &Ask<'_>) -> Expr {
    let pair = |(key, value): (&Text, &Text)| Expr::equals(&format!("kms:EncryptionContext:{key}"), value.as_str());
    let mut parts: Vec<Expr> = grant.context_equals.iter().chain(&grant.context_subset).map(pair).collect();
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
    let lookup = |key: &str| ask.context.get(key);
    Expr::all(parts.into_iter().map(|part| match part.value(&lookup) {
        Tri::Yes => Expr::True,
        Tri::No => Expr::False,
        Tri::Maybe => part,
    }))
}

fn grantee(grant: &Grant, caller: &Caller) -> Match {
    let written = grant.grantee.as_str();
    match caller {
        Caller::Service(name) if written == name => Match::As(Class::Service),
        Caller::Service(_) => Match::None,
        _ => PrincipalEntry::new("AWS", written)
            .filter(|entry| *entry != PrincipalEntry::Everyone)
            .map_or(Match::None, |entry| entry.meets(caller)),
    }
}
