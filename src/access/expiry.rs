//! Statements that end by themselves: `DateLessThan` on the time of the request. IAM User Guide, "Date condition
//! operators".

use super::Operator;
use super::condition::{Condition, date};
use super::policy::Statement;
use crate::base::Timestamp;

/// What ends within so many seconds ends soon: thirty days.
pub const SOON: i64 = 30 * 86_400;

/// From when on a statement cannot apply any more; none where its time does not end.
pub fn ends(statement: &Statement) -> Option<Timestamp> {
    // Conditions must all hold: the first that ends, ends it.
    statement.conditions.iter().filter_map(end).min()
}

fn end(condition: &Condition) -> Option<Timestamp> {
    use Operator::{
        DateEquals, DateLessThan, DateLessThanEquals, NumericEquals, NumericLessThan, NumericLessThanEquals,
    };
    if !condition.is_on("aws:CurrentTime") && !condition.is_on("aws:EpochTime") {
        return None;
    }
    let included = match condition.operator {
        DateLessThan | NumericLessThan => false,
        DateLessThanEquals | DateEquals | NumericLessThanEquals | NumericEquals => true,
        _ => return None,
    };
    // One of the values is enough: the last counts. One that is no date leaves it open.
    let dates: Option<Vec<Timestamp>> = condition.values.iter().map(|value| date(value)).collect();
    let last = dates?.into_iter().max()?;
    Some(if included { Timestamp::from_millis(last.millis().saturating_add(1)) } else { last })
}
