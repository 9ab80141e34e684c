//! Statements made ready: which columns they cover, what they look up, and whether they can be settled at once.

use std::collections::HashMap;

use super::super::grants;
use super::super::policy::{Effect, Policy, Statement, Version};
use super::super::principal::{Caller, PrincipalEntry};
use super::super::print::meaning;
use super::super::scan::Side;
use super::mask::{Columns, Covered};
use crate::base::Arn;

/// Names of condition keys as numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    pub(super) names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Keys {
    fn number(&mut self, name: &str) -> u32 {
        let name = name.to_ascii_lowercase();
        if let Some(known) = self.numbers.get(&name) {
            return *known;
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }
}

/// A statement, for the columns in which it means the same.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    pub(super) statement: &'a Statement,
    pub(super) version: Version,
    /// The columns it covers.
    pub(super) columns: u64,
    /// One of them, to ask it by.
    pub(super) asked: usize,
    /// What it looks up in the request, by number.
    pub(super) keys: Vec<u32>,
    /// An identity's rule that applies whatever the request and the resource.
    pub(super) plain: bool,
    /// All its resources are written out: it can be passed over by comparing texts.
    pub(super) literal: bool,
    /// Of an own policy: its number among those that mean something else.
    pub(super) number: u32,
}

impl Rule<'_> {
    /// Whether it cannot be about this resource, as far as a comparison of texts shows.
    pub(super) fn passes(&self, resource: &str) -> bool {
        self.literal
            && self.statement.resources.as_ref().is_some_and(|all| all.patterns.iter().all(|one| one != resource))
    }
}

/// One document.
#[derive(Debug)]
pub(super) struct Doc<'a> {
    pub(super) rules: Vec<Rule<'a>>,
    /// All rules are plain.
    pub(super) plain: bool,
    /// All rules write out their resources.
    pub(super) literal: bool,
}

/// Which columns see one value of a key, for the keys whose value depends on the action.
pub(super) type Splits<'a> = &'a mut dyn FnMut(&str) -> Vec<u64>;

/// Makes a document ready. Statements that cover no column are left out; one whose keys have another value for some
/// of its columns becomes several rules.
pub(super) fn ready<'a>(
    policy: &'a Policy,
    side: Side,
    columns: &Columns<'_>,
    covered: &mut Covered,
    keys: &mut Keys,
    splits: Splits<'_>,
) -> Doc<'a> {
    let mut rules = Vec::new();
    for statement in &policy.statements {
        let broken = statement.malformed.is_some();
        let bits = match &statement.actions {
            _ if broken && statement.effect == Effect::Allow => continue,
            // S5: a broken Deny may be about anything.
            None if broken => columns.all,
            None => continue,
            Some(actions) => columns.covered(actions, covered),
        };
        if bits == 0 {
            continue;
        }
        let names = looked_up(statement);
        let numbers: Vec<u32> = names.iter().map(|name| keys.number(name)).collect();
        // G6: what only grants give, a policy of a resource does not.
        let alone = if side == Side::Identity { 0 } else { columns.where_(grants::alone_give) };
        let mut parts = vec![bits & alone, bits & !alone];
        parts.retain(|part| *part != 0);
        for name in &names {
            let groups = splits(name);
            if groups.len() > 1 {
                parts = parts.iter().flat_map(|part| groups.iter().map(move |group| part & group)).collect();
                parts.retain(|part| *part != 0);
            }
        }
        let (plain, literal) =
            (side == Side::Identity && is_plain(statement, policy.version), is_literal(statement, policy.version));
        rules.extend(parts.into_iter().map(|part| Rule {
            statement,
            version: policy.version,
            columns: part,
            asked: part.trailing_zeros() as usize,
            keys: numbers.clone(),
            plain,
            literal,
            number: 0,
        }));
    }
    Doc { plain: rules.iter().all(|rule| rule.plain), literal: rules.iter().all(|rule| rule.literal), rules }
}

/// Numbers the rules of own policies, those that mean the same alike: the same statement is written in many policies.
/// Returns for each document the number of its list of rules.
pub(super) fn number(docs: &mut [Doc<'_>]) -> Vec<u32> {
    let (mut plain, mut meant, mut lists) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut next = 0_u32;
    let mut sign = |doc: &mut Doc<'_>| {
        for rule in &mut doc.rules {
            let known = match () {
                // What is written out for one resource is hardly ever written twice.
                () if rule.literal => None,
                () if rule.plain => {
                    Some(plain.entry((rule.statement.effect == Effect::Allow, rule.columns)).or_insert(next))
                }
                () => {
                    let text = format!("{:?} {:x} {}", rule.version, rule.columns, meaning(rule.statement));
                    Some(meant.entry(text).or_insert(next))
                }
            };
            rule.number = known.map_or(next, |known| *known);
            next += u32::from(rule.number == next);
        }
        let list: Vec<u32> = doc.rules.iter().map(|rule| rule.number).collect();
        let count = lists.len() as u32;
        *lists.entry(list).or_insert(count)
    };
    docs.iter_mut().map(&mut sign).collect()
}

/// `Resource: *` without conditions.
fn is_plain(statement: &Statement, version: Version) -> bool {
    statement.malformed.is_none()
        && statement.conditions.is_empty()
        && statement.resources.as_ref().is_some_and(|resources| {
            !resources.negated && !resources.has_variables(version) && resources.patterns.iter().any(|one| one == "*")
        })
}

fn is_literal(statement: &Statement, version: Version) -> bool {
    let literal = |pattern: &String| pattern.is_ascii() && !pattern.contains(['*', '?']);
    statement.malformed.is_none()
        && statement.resources.as_ref().is_some_and(|resources| {
            !resources.negated && !resources.has_variables(version) && resources.patterns.iter().all(literal)
        })
}

/// Every key that a statement can look up: of its conditions, and of the variables in values and resources. Rather
/// one too many: what is no variable in this version of the language costs a comparison.
fn looked_up(statement: &Statement) -> Vec<String> {
    let mut found: Vec<String> = statement.conditions.iter().map(|condition| condition.key.clone()).collect();
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    let resources = statement.resources.iter().flat_map(|resources| &resources.patterns);
    for text in values.chain(resources) {
        let mut rest = text.as_str();
        while let Some(at) = rest.find("${") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find('}') else { break };
            let inside = &rest[..end];
            found.push(inside.split_once(',').map_or(inside, |(name, _)| name).trim().to_owned());
            rest = &rest[end + 1..];
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The callers that a document may treat otherwise than others of their account: those it names.
pub(super) fn named<'d>(doc: &Doc<'d>) -> impl Iterator<Item = (&'d Arn, &'d str)> {
    let entries =
        doc.rules.iter().filter_map(|rule| rule.statement.principals.as_ref()).flat_map(|all| all.entries.iter());
    entries.filter_map(|entry| match entry {
        PrincipalEntry::Arn(arn) => Some((arn, arn.assumed_role().map_or_else(|| arn.name(), |(role, _)| role))),
        _ => None,
    })
}

/// The name under which a caller would be found among [`named`].
pub(super) fn name_of(caller: &Caller) -> Option<(&str, &str)> {
    caller.arn().map(|arn| (arn.account.as_str(), arn.name()))
}
