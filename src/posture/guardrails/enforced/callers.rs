//! Whether whoever may invoke a model is bound to a guardrail by policies.

use std::cell::OnceCell;

use crate::access::alike::{OfIdentities, Question};
use crate::access::{Answer, Caller, ContextValue, Decision, Identity, Scenario, Statement};
use crate::base::ResourceId;
use crate::inventory::SourceId;
use crate::posture::control::Context;
use crate::posture::judge::{Judge, listed};
use crate::posture::permissions::INVOKES;

use super::Served;

const KEY: &str = "bedrock:GuardrailIdentifier";
/// So many who are not bound are named; the rest need not be looked for.
const NAMED: usize = 3;
/// In so many ways is each action asked about: see [`questions`].
const WAYS: usize = 3;

/// Everybody whose policies speak of invoking, parsed when first asked for.
pub(super) struct Callers<'j, 'a> {
    judge: &'j Judge<'a>,
    all: &'j OnceCell<Vec<Identity>>,
    asked: OfIdentities<'j, Vec<Decision>>,
}

/// Each way to invoke: whatever guardrail is named, without one, and with another than any of ours.
pub(super) fn questions(context: &Context<'_>) -> Vec<Question> {
    let another =
        format!("arn:{}:bedrock:{}:{}:guardrail/another0000:1", context.partition, context.region, context.account);
    let open = Scenario::open;
    let ways = [open(), open().with(KEY, ContextValue::Absent), open().with(KEY, ContextValue::one(another))];
    INVOKES.iter().flat_map(|action| ways.iter().map(|way| (*action, way.clone()))).collect()
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
    pub fn new(judge: &'j Judge<'a>, all: &'j OnceCell<Vec<Identity>>, questions: &'j [Question]) -> Self {
        let decisions = |answers: Vec<Answer>| answers.into_iter().map(|answer| answer.decision).collect();
        Self { judge, all, asked: OfIdentities::new(questions, decisions) }
    }

    /// How those stand who may invoke this model.
    pub fn bound(&mut self, served: &'j Served<'_>) -> Bound {
        let judge = self.judge;
        let all = self.all.get_or_init(|| identities(judge));
        let (mut invoking, mut unbound, mut doubts): (usize, Vec<String>, Vec<String>) = Default::default();
        'all: for identity in all {
            let name = identity.caller.name();
            let mut invokes = false;
            for server in &served.servers {
                let Some(decisions) = self.asked.of(&server.id, identity) else { continue };
                for ways in decisions.chunks(WAYS) {
                    if ways.first().is_none_or(Decision::is_denied) {
                        continue;
                    }
                    for (at, way) in ways.iter().enumerate() {
                        if let Decision::Uncertain { .. } = way {
                            doubts.push(format!("{name}: {}", way.words()));
                            continue 'all;
                        }
                        invokes = true;
                        if at > 0 && !way.is_denied() {
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
