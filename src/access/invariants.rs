//! What must hold whatever comes in: shared by the fuzz targets (`fuzz/`) and by a test that runs them over made-up
//! input, so that they cannot rot. Nothing here panics; what is broken is said.

use serde_json::Value;

use super::batch::evaluate_line;
use super::condition::{Condition, Operator, SetOperator};
use super::decision::Tri;
use super::policy::{BadPolicy, Policy, Version};
use super::scenario::ContextValue;
use crate::inventory::Document;

fn hold(is: bool, otherwise: &str) -> Result<(), String> {
    if is { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// Any text as a policy: an error has a place; a policy's statements stand where it says they stand, and what is
/// well-formed prints to the same meaning.
pub fn of_policy(text: &str) -> Result<(), String> {
    let policy = match Policy::parse(&Document::new(text)) {
        Ok(policy) => policy,
        Err(BadPolicy::Json { line, column, .. }) => {
            return hold(
                line >= 1 && line <= text.lines().count() + 1 && column <= text.len() + 1,
                "the place is outside",
            );
        }
        Err(BadPolicy::Shape { pointer, .. }) => return hold(pointer.starts_with('/'), "no pointer"),
        Err(BadPolicy::TooLong { bytes, limit }) => return hold(bytes == text.len() && bytes > limit, "not too long"),
    };
    let json: Value = serde_json::from_str(text).map_err(|error| format!("a policy that is no JSON: {error}"))?;
    for statement in &policy.statements {
        let own = text.get(statement.span.clone()).ok_or("a span outside the text")?;
        let own: Value = serde_json::from_str(own).map_err(|error| format!("a span that is no JSON: {error}"))?;
        hold(json.pointer(&statement.pointer()) == Some(&own), "a span of something else")?;
    }
    if !policy.is_well_formed() {
        return Ok(());
    }
    let printed = policy.to_json();
    let mut again = Policy::from_json(&printed).map_err(|error| format!("printed, it is no policy: {error}"))?;
    let mut first = policy;
    first.statements.iter_mut().chain(&mut again.statements).for_each(|statement| statement.span = 0..0);
    hold(first == again, "printed, it means something else")
}

/// Any line as a case: one verdict on one line, of a known kind, with a reason when there is none.
pub fn of_case(line: &[u8]) -> Result<(), String> {
    let said = evaluate_line(line);
    hold(!said.contains('\n'), "more than one line")?;
    let verdict: Value = serde_json::from_str(&said).map_err(|error| format!("no JSON: {error}"))?;
    let text = |name: &str| verdict.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("decision") {
        "Allowed" | "ImplicitlyDenied" => Ok(()),
        "ExplicitlyDenied" => hold(verdict.get("blockedBy").is_some(), "denied by nothing"),
        "Conditional" => hold(!text("conditions").is_empty(), "under no condition"),
        "Uncertain" => hold(!text("uncertain").is_empty(), "uncertain without a reason"),
        "Error" => hold(!text("error").is_empty(), "an error without a reason"),
        other => Err(format!("'{other}' is no decision")),
    }
}

/// Any operator, values and value of the request: nothing but a verdict, the opposite is the opposite, and what holds
/// whatever the value holds for this one. Parts of the input stand on lines of their own.
pub fn of_condition(text: &str) -> Result<(), String> {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (name, key, actual) = (next(), next(), next());
    let (set, base) = match name.split_once(':') {
        Some(("ForAllValues", base)) => (Some(SetOperator::ForAllValues), base),
        Some(("ForAnyValue", base)) => (Some(SetOperator::ForAnyValue), base),
        _ => (None, name),
    };
    let (base, if_exists) = base.strip_suffix("IfExists").map_or((base, false), |base| (base, true));
    let Some(operator) = Operator::named(base) else { return Ok(()) };
    let values: Vec<String> = lines.map(str::to_owned).collect();
    let condition = Condition { set, operator, if_exists, key: key.to_owned(), values };
    let known = ContextValue::one(actual);
    for version in [Version::V2008, Version::V2012] {
        let (unknown, absent) =
            (condition.holds(&ContextValue::Unknown, version), condition.holds(&ContextValue::Absent, version));
        let one = condition.holds(&known, version);
        let fits = |found: Tri| unknown == Tri::Maybe || found == unknown || found == Tri::Maybe;
        hold(fits(one) && fits(absent), "what holds whatever the value is does not hold for one")?;
        if let (Some(base), None) = (operator.opposite_of(), set) {
            let base = Condition { operator: base, ..condition.clone() }.holds(&known, version);
            hold(one == base.not(), "the opposite is not the opposite")?;
        }
        let lookup = |asked: &str| if asked.eq_ignore_ascii_case(key) { known.clone() } else { ContextValue::Absent };
        hold(condition.holds_in(&lookup, version) != Tri::Maybe || set.is_some(), "open, though everything is known")?;
    }
    hold(!condition.words().as_str().contains(['\n', '\u{1b}']), "its words are not safe")
}
