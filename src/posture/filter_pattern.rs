//! Whether a CloudWatch Logs filter pattern matches a record in JSON (Amazon CloudWatch Logs User Guide, filter
//! pattern syntax): `{ ($.eventName = "X") && … }`, and terms (`ERROR`, `"a phrase"`, `?either ?or`, `-not`).
//!
//! What AWS does not say comes out as an error, and only where it could change the answer. Knows no control.

mod parser;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use regex::RegexBuilder;
use serde_json::Value;

use super::event_pattern::{all_of, any_of, wildcard};
use parser::Parser;

/// What a pattern says of a record, or why that cannot be told.
pub type Told = Result<bool, NoFilter>;

/// A pattern, or a part of one, that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFilter {
    /// Not a pattern.
    #[error("filter pattern at character {at}: {what} expected")]
    Malformed {
        /// From 1.
        at: usize,
        /// What should stand there.
        what: &'static str,
    },
    /// A part whose meaning for this record AWS does not say, or this version does not know.
    #[error("filter pattern: {0} cannot be told")]
    Open(&'static str),
}

/// A pattern, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPattern(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// `{ … }`
    Json(Node),
    /// Words of the line: required, forbidden, and those of which one suffices.
    Terms { all: Vec<Term>, none: Vec<Term>, any: Vec<Term> },
    /// `[ip, user, …]`: columns of a line, which a JSON record has not.
    Columns,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Test(Vec<Step>, Test),
}

/// One step from the root of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Item(usize),
    /// `[*]`
    Every,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Compare(Operator, Operand),
    IsNull,
    Is(bool),
    Missing,
    Present,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Differs,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    /// With `*` for any run; the flag says that it was written without quotes.
    Text(String, bool),
    /// `%…%`
    Regex(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Term {
    Text(String),
    Regex(String),
}

impl FilterPattern {
    /// Takes a pattern apart.
    pub fn parse(pattern: &str) -> Result<Self, NoFilter> {
        Parser::new(pattern).pattern().map(Self)
    }

    /// Whether it matches a record. Terms are looked for in the record as one line of JSON.
    pub fn matches(&self, record: &Value) -> Told {
        match &self.0 {
            Kind::Json(node) => node.holds(record),
            Kind::Columns => Err(NoFilter::Open("what columns are of a JSON record")),
            Kind::Terms { all, none, any } => {
                let line = record.to_string();
                let all_of_them = all_of(all.iter().map(|term| term.stands_in(&line)));
                let none_of_them = any_of(none.iter().map(|term| term.stands_in(&line))).map(|hit| !hit);
                // why only alone: beside other terms CloudWatch Logs takes no notice of optional ones.
                let optional = !any.is_empty() && all.is_empty() && none.is_empty();
                let one_of_them =
                    if optional { any_of(any.iter().map(|term| term.stands_in(&line))) } else { Ok(true) };
                all_of([all_of_them, none_of_them, one_of_them].into_iter())
            }
        }
    }

    /// Whether it could match a record with this value in a field of its root, whatever else stands there.
    pub fn is_open_to(&self, field: &str, value: &str) -> bool {
        match &self.0 {
            Kind::Json(node) => node.is_open_to(field, value),
            Kind::Terms { .. } | Kind::Columns => true,
        }
    }

    /// Whether it searches some text of this record below one of these fields: by words anywhere, or by a comparison
    /// with what stands there.
    pub fn reads(&self, record: &Value, below: &[&str]) -> bool {
        match &self.0 {
            Kind::Json(node) => node.reads(record, below),
            Kind::Terms { all, any, .. } => !all.is_empty() || !any.is_empty(),
            Kind::Columns => false,
        }
    }
}

impl Term {
    fn stands_in(&self, line: &str) -> Told {
        match self {
            Self::Text(text) => Ok(line.contains(text.as_str())),
            Self::Regex(regex) => finds(regex, line),
        }
    }
}

/// Whether a regular expression finds something. What the engine does not take is not guessed at.
fn finds(regex: &str, text: &str) -> Told {
    let built = RegexBuilder::new(regex).size_limit(1 << 18).build();
    built.map(|regex| regex.is_match(text)).map_err(|_| NoFilter::Open("what a regular expression finds"))
}

impl Node {
    fn is_open_to(&self, field: &str, value: &str) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.is_open_to(field, value)),
            Self::Any(parts) => parts.iter().any(|part| part.is_open_to(field, value)),
            Self::Test(path, _) if matches!(path.as_slice(), [Step::Name(name)] if name == field) => {
                self.holds(&serde_json::json!({ field: value })).unwrap_or(true)
            }
            Self::Test(..) => true,
        }
    }

    fn reads(&self, record: &Value, below: &[&str]) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.reads(record, below)),
            Self::Test(path, Test::Compare(Operator::Equal, _)) => {
                let named = path.iter().any(|step| matches!(step, Step::Name(name) if below.contains(&name.as_str())));
                named && reached(record, path).iter().any(|value| value.is_string())
            }
            Self::Test(..) => false,
        }
    }

    fn holds(&self, record: &Value) -> Told {
        match self {
            Self::All(parts) => all_of(parts.iter().map(|part| part.holds(record))),
            Self::Any(parts) => any_of(parts.iter().map(|part| part.holds(record))),
            Self::Test(path, test) => {
                let found = reached(record, path);
                if path.contains(&Step::Every) && !matches!(test, Test::Compare(Operator::Equal, _)) {
                    return Err(NoFilter::Open("what a test of every item says"));
                }
                match test {
                    Test::Missing => Ok(found.is_empty()),
                    Test::Present => Ok(!found.is_empty()),
                    Test::IsNull => Ok(found.iter().any(|value| value.is_null())),
                    Test::Is(wanted) => Ok(found.iter().any(|value| value.as_bool() == Some(*wanted))),
                    Test::Compare(Operator::Differs, _) if found.is_empty() => {
                        Err(NoFilter::Open("what '!=' says of a field that is not there"))
                    }
                    Test::Compare(operator, operand) => {
                        any_of(found.iter().map(|value| compare(value, *operator, operand)))
                    }
                }
            }
        }
    }
}

/// Everything at the end of a path.
fn reached<'a>(record: &'a Value, path: &[Step]) -> Vec<&'a Value> {
    let mut at = vec![record];
    for step in path {
        at = match step {
            Step::Name(name) => at.into_iter().filter_map(|value| value.get(name)).collect(),
            Step::Item(place) => at.into_iter().filter_map(|value| value.get(*place)).collect(),
            Step::Every => at.into_iter().filter_map(Value::as_array).flatten().collect(),
        };
    }
    at
}

fn compare(value: &Value, operator: Operator, operand: &Operand) -> Told {
    // Objects, lists and null are no values that a comparison takes.
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Ok(false),
    };
    let (wanted, bare) = match operand {
        Operand::Text(wanted, bare) => (wanted, *bare),
        Operand::Regex(regex) => {
            return match operator {
                Operator::Equal => finds(regex, &text),
                Operator::Differs => finds(regex, &text).map(|hit| !hit),
                _ => Err(NoFilter::Open("the order of a regular expression")),
            };
        }
    };
    if let (true, Some(number), Ok(bound)) = (bare, value.as_f64(), wanted.parse::<f64>()) {
        let order = number.partial_cmp(&bound);
        return Ok(match operator {
            Operator::Equal => order.is_some_and(Ordering::is_eq),
            Operator::Differs => order.is_none_or(Ordering::is_ne),
            Operator::Less => order.is_some_and(Ordering::is_lt),
            Operator::AtMost => order.is_some_and(Ordering::is_le),
            Operator::More => order.is_some_and(Ordering::is_gt),
            Operator::AtLeast => order.is_some_and(Ordering::is_ge),
        });
    }
    match operator {
        Operator::Equal => Ok(wildcard(wanted, &text)),
        Operator::Differs => Ok(!wildcard(wanted, &text)),
        // Only numbers have an order.
        _ => Ok(false),
    }
}
