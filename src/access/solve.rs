//! What an expression comes to over every context that a request could have: always, never, or when.
//!
//! Each key gets the values that its conditions tell apart, with "absent" and "any other" among them.
//! Where values cannot be listed (patterns, numbers, addresses), each condition may hold or not: that
//! takes in contexts that cannot be, so a flat answer is always right, and "when" may be said too often.

use super::condition::{Condition, Operator, SetOperator, is_multivalued};
use super::decision::Tri;
use super::expr::{Atom, Expr};
use super::policy::Version;
use super::scenario::ContextValue;

/// The most contexts that are told apart. Beyond that, whatever depends on the request is "when".
const MOST: usize = 1 << 12;
/// The most conditions of one key that are told apart freely.
const FREE: usize = 4;

/// One class of values of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Absent,
    One(String),
    /// None of those named: the conditions in `holds` are met, as bits; perhaps many values at once.
    Other {
        holds: u32,
        many: bool,
    },
}

enum Variable {
    Key { key: String, values: Vec<Value>, free: Vec<Condition> },
    Free(Atom),
}

impl Variable {
    fn size(&self) -> usize {
        match self {
            Self::Key { values, .. } => values.len(),
            Self::Free(_) => 2,
        }
    }
}

/// In which contexts something holds for certain, and in which it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truths {
    must: Vec<u64>,
    may: Vec<u64>,
}

impl Truths {
    fn flat(size: usize, tri: Tri) -> Self {
        let fill = |yes: bool| {
            let mut bits = vec![if yes { u64::MAX } else { 0 }; size.div_ceil(64)];
            if yes
                && !size.is_multiple_of(64)
                && let Some(last) = bits.last_mut()
            {
                *last = (1 << (size % 64)) - 1;
            }
            bits
        };
        Self { must: fill(tri == Tri::Yes), may: fill(tri != Tri::No) }
    }

    /// Holds in every context.
    pub(super) fn always(&self, space: &Space) -> bool {
        self.must == Self::flat(space.size, Tri::Yes).must
    }

    /// Holds in none.
    pub(super) fn never(&self) -> bool {
        self.may.iter().all(|word| *word == 0)
    }

    /// Nobody can tell in some context.
    pub(super) fn unsettled(&self) -> bool {
        self.must != self.may
    }

    /// Wherever this may hold, the other does for certain.
    pub(super) fn within(&self, other: &Self) -> bool {
        self.may.iter().zip(&other.must).all(|(mine, theirs)| mine & !theirs == 0)
    }
}

/// Whether `before` implies `after`, and whether `after` implies `before`. What cannot be gone through includes nothing.
pub(super) fn compare(before: &Expr, after: &Expr) -> (bool, bool) {
    let Some(space) = Space::of(&[before, after]) else { return (false, false) };
    let (was, is) = (space.truths(before), space.truths(after));
    (was.within(&is), is.within(&was))
}

/// Every context that some expressions tell apart.
pub(super) struct Space {
    size: usize,
    leaves: Vec<(Atom, Truths)>,
}

impl Space {
    /// Of these expressions; `None` when there are too many contexts to go through.
    pub(super) fn of(expressions: &[&Expr]) -> Option<Self> {
        let mut atoms: Vec<Atom> = Vec::new();
        let mut too_many = false;
        for expression in expressions {
            expression.each(&mut |part| {
                if let Expr::Atom(atom) = part
                    && !too_many
                    && !atoms.contains(atom)
                {
                    too_many = atoms.len() >= 64;
                    atoms.push((**atom).clone());
                }
            });
        }
        if too_many {
            return None;
        }
        let variables = variables(&atoms);
        let mut size = 1_usize;
        for variable in &variables {
            size = size.checked_mul(variable.size()).filter(|size| *size <= MOST)?;
        }
        let mut space = Self { size, leaves: Vec::with_capacity(atoms.len()) };
        for atom in atoms {
            let truths = space.leaf(&atom, &variables);
            space.leaves.push((atom, truths));
        }
        Some(space)
    }

    fn leaf(&self, atom: &Atom, variables: &[Variable]) -> Truths {
        let mut truths = Truths::flat(self.size, Tri::No);
        let mut stride = 1;
        for variable in variables {
            let size = variable.size();
            let holds: Option<Vec<Tri>> = match variable {
                Variable::Free(free) if free == atom => Some(vec![Tri::No, Tri::Yes]),
                Variable::Key { key, values, free } => match atom {
                    Atom::Condition { condition, .. }
                        if atom.key().is_some_and(|own| own.eq_ignore_ascii_case(key)) =>
                    {
                        Some(values.iter().map(|value| at(condition, value, free)).collect())
                    }
                    _ => None,
                },
                Variable::Free(_) => None,
            };
            if let Some(holds) = holds {
                for context in 0..self.size {
                    let (word, bit) = (context / 64, 1_u64 << (context % 64));
                    match holds[(context / stride) % size] {
                        Tri::No => {}
                        Tri::Maybe => truths.may[word] |= bit,
                        Tri::Yes => {
                            truths.may[word] |= bit;
                            truths.must[word] |= bit;
                        }
                    }
                }
                return truths;
            }
            stride *= size;
        }
        Truths::flat(self.size, Tri::Maybe)
    }

    /// Where an expression of this space holds.
    pub(super) fn truths(&self, expression: &Expr) -> Truths {
        match expression {
            Expr::True => Truths::flat(self.size, Tri::Yes),
            Expr::False => Truths::flat(self.size, Tri::No),
            Expr::Unsettled(_) => Truths::flat(self.size, Tri::Maybe),
            Expr::Atom(atom) => self
                .leaves
                .iter()
                .find(|(leaf, _)| leaf == &**atom)
                .map_or_else(|| Truths::flat(self.size, Tri::Maybe), |(_, truths)| truths.clone()),
            Expr::Not(inner) => {
                let (inner, all) = (self.truths(inner), Truths::flat(self.size, Tri::Yes).must);
                let flip = |bits: Vec<u64>| bits.iter().zip(&all).map(|(bit, all)| !bit & all).collect();
                Truths { must: flip(inner.may), may: flip(inner.must) }
            }
            Expr::All(parts) => self.fold(parts, Tri::Yes, |a, b| a & b),
            Expr::Any(parts) => self.fold(parts, Tri::No, |a, b| a | b),
        }
    }

    fn fold(&self, parts: &[Expr], start: Tri, with: impl Fn(u64, u64) -> u64) -> Truths {
        let mut truths = Truths::flat(self.size, start);
        for part in parts {
            let one = self.truths(part);
            truths.must.iter_mut().zip(one.must).for_each(|(all, one)| *all = with(*all, one));
            truths.may.iter_mut().zip(one.may).for_each(|(all, one)| *all = with(*all, one));
        }
        truths
    }

    /// The same without the parts that change nothing.
    pub(super) fn minimal(&self, expression: &Expr) -> Expr {
        let mut parts = 0_usize;
        expression.each(&mut |_| parts += 1);
        if parts > MOST {
            return expression.clone();
        }
        let target = self.truths(expression);
        let mut best = expression.clone();
        let (mut place, mut tries) = (0, 0);
        while let Some(shorter) = without(&best, &mut { place }) {
            if self.truths(&shorter) == target {
                best = shorter;
            } else {
                place += 1;
            }
            tries += 1;
            // why: what is longer than that nobody reads; it is right as it is.
            if tries > 128 {
                break;
            }
        }
        best
    }
}

/// The expression without its n-th part, counted from the outside in; `None` when it has fewer.
fn without(expression: &Expr, place: &mut usize) -> Option<Expr> {
    let (parts, is_all) = match expression {
        Expr::All(parts) => (parts, true),
        Expr::Any(parts) => (parts, false),
        _ => return None,
    };
    let join = |parts: Vec<Expr>| if is_all { Expr::all(parts) } else { Expr::any(parts) };
    for at in 0..parts.len() {
        if *place == 0 {
            let rest = parts.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, part)| part.clone());
            return Some(join(rest.collect()));
        }
        *place -= 1;
        if let Some(shorter) = without(&parts[at], place) {
            let rest = parts.iter().enumerate().map(|(n, part)| if n == at { shorter.clone() } else { part.clone() });
            return Some(join(rest.collect()));
        }
    }
    None
}

fn variables(atoms: &[Atom]) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut done: Vec<String> = Vec::new();
    for atom in atoms {
        let Some(key) = atom.key().map(str::to_ascii_lowercase) else {
            variables.push(Variable::Free(atom.clone()));
            continue;
        };
        if done.contains(&key) {
            continue;
        }
        let on_key: Vec<&Condition> = atoms
            .iter()
            .filter(|other| other.key().is_some_and(|own| own.eq_ignore_ascii_case(&key)))
            .filter_map(|other| match other {
                Atom::Condition { condition, .. } => Some(condition),
                Atom::Resource { .. } => None,
            })
            .collect();
        match values(&key, &on_key) {
            Some((values, free)) => variables.push(Variable::Key { key: key.clone(), values, free }),
            // Too many to tell apart: each condition for itself.
            None => {
                let own = atoms.iter().filter(|a| a.key().is_some_and(|own| own.eq_ignore_ascii_case(&key)));
                variables.extend(own.map(|atom| Variable::Free(atom.clone())));
            }
        }
        done.push(key);
    }
    variables
}

/// The classes of values of a key, and the conditions whose outcome on "any other" is free.
fn values(key: &str, conditions: &[&Condition]) -> Option<(Vec<Value>, Vec<Condition>)> {
    let many = is_multivalued(key);
    let mut values = vec![Value::Absent];
    let (mut single, mut several): (Vec<Condition>, Vec<Condition>) = (Vec::new(), Vec::new());
    for condition in conditions {
        let base = positive(condition);
        let literal = matches!(base.operator, Operator::StringEquals | Operator::BinaryEquals | Operator::Bool)
            || base.operator == Operator::StringEqualsIgnoreCase;
        if literal {
            values.extend(base.values.iter().map(|value| Value::One(value.clone())));
        }
        let listed = matches!(base.operator, Operator::StringEquals | Operator::BinaryEquals | Operator::Bool);
        if base.operator != Operator::Null && !listed && !is_everything(&base) && !single.contains(&base) {
            single.push(base);
        }
        let plain = Condition { if_exists: false, ..(*condition).clone() };
        if many && condition.set.is_some() && !several.contains(&plain) {
            several.push(plain);
        }
    }
    values.dedup();
    if single.len() > FREE || several.len() > FREE || values.len() > 256 {
        return None;
    }
    values.extend((0..1_u32 << single.len()).map(|holds| Value::Other { holds, many: false }));
    if many {
        // The bits of `several` stand behind those of `single`.
        let shift = single.len();
        values.extend((0..1_u32 << several.len()).map(|holds| Value::Other { holds: holds << shift, many: true }));
    }
    single.extend(several);
    Some((values, single))
}

/// The condition without its negation, set operator and `IfExists`: what a value meets or not.
fn positive(condition: &Condition) -> Condition {
    let operator = condition.operator.opposite_of().unwrap_or(condition.operator);
    Condition { set: None, operator, if_exists: false, ..condition.clone() }
}

fn is_everything(base: &Condition) -> bool {
    base.operator == Operator::StringLike && base.values.iter().any(|value| value == "*")
}

fn at(condition: &Condition, value: &Value, free: &[Condition]) -> Tri {
    let bit = |wanted: &Condition, holds: u32| {
        free.iter().position(|one| one == wanted).is_some_and(|place| holds & (1 << place) != 0)
    };
    match value {
        Value::Absent => condition.holds(&ContextValue::Absent, Version::V2008),
        Value::One(one) => condition.holds(&ContextValue::one(one), Version::V2008),
        Value::Other { .. } if condition.operator == Operator::Null => {
            condition.holds(&ContextValue::one("x"), Version::V2008)
        }
        Value::Other { holds, many: false } => {
            let base = positive(condition);
            let met = is_everything(&base) || bit(&base, *holds);
            Tri::from(met != condition.operator.opposite_of().is_some())
        }
        Value::Other { holds, many: true } => match condition.set {
            None => Tri::No,
            Some(SetOperator::ForAllValues | SetOperator::ForAnyValue) => {
                Tri::from(bit(&Condition { if_exists: false, ..condition.clone() }, *holds))
            }
        },
    }
}
