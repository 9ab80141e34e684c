//! Whether a statement that lets a service in ties it to our account: the confused deputy. It knows
//! statements, no control.

use crate::access::{Condition, Operator, SetOperator, Statement};

/// What a statement says about on whose behalf the service acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tied {
    /// `aws:SourceAccount` is our account and no other.
    pub account: bool,
    /// `aws:SourceArn` names only resources of Bedrock in our account.
    pub arn: bool,
}

/// How far a statement ties Amazon Bedrock to an account. Conditions that hold without their key, or for
/// more than they say, do not count.
pub(super) fn tied(statement: &Statement, account: &str) -> Tied {
    let on = |key| statement.conditions.iter().filter(move |condition| condition.is_on(key) && binds(condition));
    let text = |condition: &&Condition| {
        matches!(condition.operator, Operator::StringEquals | Operator::StringEqualsIgnoreCase | Operator::StringLike)
    };
    let arn = |condition: &&Condition| {
        text(condition) || matches!(condition.operator, Operator::ArnEquals | Operator::ArnLike)
    };
    let ours = |value: &String| {
        let mut parts = value.splitn(6, ':').skip(2);
        parts.next() == Some("bedrock") && parts.nth(1) == Some(account)
    };
    let all = |condition: &Condition, test: &dyn Fn(&String) -> bool| {
        !condition.values.is_empty() && condition.values.iter().all(test)
    };
    Tied {
        account: on("aws:SourceAccount").filter(text).any(|condition| all(condition, &|value| value == account)),
        arn: on("aws:SourceArn").filter(arn).any(|condition| all(condition, &ours)),
    }
}

/// Whether a condition holds only when its key is there and matches.
fn binds(condition: &Condition) -> bool {
    !condition.if_exists && condition.set != Some(SetOperator::ForAllValues)
}
