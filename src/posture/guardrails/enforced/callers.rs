//! Whether whoever may invoke a model is bound to a guardrail by policies.

use crate::access::{Caller, ContextValue, Decision, Identity, Scenario, Statement, identity_decides};
use crate::base::{Arn, ResourceId};
use crate::inventory::SourceId;
use crate::posture::judge::{Judge, listed};
use crate::posture::permissions::INVOKES;

use super::Served;

const KEY: &str = "bedrock:GuardrailIdentifier";
/// So many who are not bound are named; the rest need not be looked for.
const NAMED: usize = 3;

/// Everybody whose policies speak of invoking, parsed when first asked for.
pub(super) struct Callers<'j, 'a> {
    judge: &'j Judge<'a>,
    all: Option<Vec<Identity>>,
}

/// How callers of one model stand.
pub(super) struct Bound {
    /// There are some, and each is bound.
    pub holds: bool,
    /// Some who are not.
    pub unbound: Vec<String>,
    /// What could not be settled.
    pub doubts: Vec<String>,
    /// In words.
    pub words: String,
}

impl<'j, 'a> Callers<'j, 'a> {
    pub fn new(judge: &'j Judge<'a>) -> Self {
        Self { judge, all: None }
    }

    /// How those stand who may invoke this model.
    pub fn bound(&mut self, served: &Served<'_>) -> Bound {
        let judge = self.judge;
        let context = judge.context;
        let all = self.all.get_or_insert_with(|| identities(judge));
        let another =
            format!("arn:{}:bedrock:{}:{}:guardrail/another0000:1", context.partition, context.region, context.account);
        let without =
            [Scenario::open().with(KEY, ContextValue::Absent), Scenario::open().with(KEY, ContextValue::one(another))];
        let open = Scenario::open();
        let servers: Vec<Arn> = served.servers.iter().filter_map(|server| server.id.arn()).collect();
        let (mut invoking, mut unbound, mut doubts): (usize, Vec<String>, Vec<String>) = Default::default();
        'all: for identity in &*all {
            let name = identity.caller.name();
            let mut invokes = false;
            for server in &servers {
                for action in INVOKES {
                    let decision = identity_decides(identity, action, server, &open).decision;
                    if decision.is_denied() {
                        continue;
                    }
                    if let Decision::Uncertain { .. } = decision {
                        doubts.push(format!("{name}: {}", decision.words()));
                        continue 'all;
                    }
                    invokes = true;
                    let ways = without.iter().map(|way| identity_decides(identity, action, server, way).decision);
                    for way in ways {
                        if let Decision::Uncertain { .. } = way {
                            doubts.push(format!("{name}: {}", way.words()));
                            continue 'all;
                        }
                        if !way.is_denied() {
                            unbound.push(name.to_owned());
                            if unbound.len() == NAMED {
                                break 'all;
                            }
                            continue 'all;
                        }
                    }
                }
            }
            invoking += usize::from(invokes);
        }
        doubts.truncate(NAMED);
        if unbound.is_empty() {
            doubts.extend(judge.gap(SourceId::AUTHORIZATION).map(|gap| gap.to_string()));
        } else {
            // One who goes past it is enough, whatever is not known of others.
            doubts.clear();
        }
        let words = if !unbound.is_empty() {
            format!("not bound: {}", listed(&unbound))
        } else if invoking == 0 {
            "nobody may invoke it".to_owned()
        } else {
            format!("{invoking} may invoke it, all bound to a guardrail")
        };
        Bound { holds: invoking > 0 && unbound.is_empty() && doubts.is_empty(), unbound, doubts, words }
    }
}

/// Every role but AWS's own, and every user, of whom a policy allows an invocation.
fn identities(judge: &Judge<'_>) -> Vec<Identity> {
    let inventory = judge.context.inventory;
    let own = |arn: &&ResourceId| arn.as_str().contains(":role/aws-service-role/");
    let principals = inventory.roles.keys().filter(|arn| !own(arn)).chain(inventory.users.keys());
    principals
        .filter_map(|arn| Caller::parse(arn.as_str()).ok())
        .map(|caller| Identity::of(inventory, &caller))
        .filter(speaks_of_invoking)
        .collect()
}

fn speaks_of_invoking(identity: &Identity) -> bool {
    let allows = |statement: &Statement| {
        let covers = |action: &&str| statement.actions.as_ref().is_some_and(|actions| actions.cover(action));
        statement.malformed.is_some() || (statement.allows() && INVOKES.iter().any(covers))
    };
    !identity.gaps.is_empty() || identity.policies.iter().any(|(_, policy)| policy.statements.iter().any(allows))
}
