//! One condition of a statement, and whether it holds for what is known of a request.

use std::borrow::Cow;
use std::net::IpAddr;

use super::decision::Tri;
use super::pattern;
use super::policy::Version;
use super::scenario::ContextValue;
use super::variables::{self, Expanded, Wildcards};
use crate::base::{Text, Timestamp};

macro_rules! operators {
    ($($name:ident $(not $base:ident)?;)*) => {
        /// A condition operator without its set prefix and `IfExists`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operator {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
        }

        impl Operator {
            /// By its name; AWS takes either case.
            pub fn named(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case(stringify!($name)) {
                    return Some(Self::$name);
                })*
                None
            }

            /// Its name.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The operator that this one is the opposite of.
            pub fn opposite_of(self) -> Option<Self> {
                match self {
                    $($(Self::$name => Some(Self::$base),)?)*
                    _ => None,
                }
            }
        }
    };
}

operators! {
    StringEquals;
    StringNotEquals not StringEquals;
    StringEqualsIgnoreCase;
    StringNotEqualsIgnoreCase not StringEqualsIgnoreCase;
    StringLike;
    StringNotLike not StringLike;
    NumericEquals;
    NumericNotEquals not NumericEquals;
    NumericLessThan;
    NumericLessThanEquals;
    NumericGreaterThan;
    NumericGreaterThanEquals;
    DateEquals;
    DateNotEquals not DateEquals;
    DateLessThan;
    DateLessThanEquals;
    DateGreaterThan;
    DateGreaterThanEquals;
    Bool;
    BinaryEquals;
    IpAddress;
    NotIpAddress not IpAddress;
    ArnEquals;
    ArnNotEquals not ArnEquals;
    ArnLike;
    ArnNotLike not ArnLike;
    Null;
}

/// How a condition on a key of many values is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetOperator {
    /// Every value of the request matches.
    ForAllValues,
    /// Some value of the request matches.
    ForAnyValue,
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Condition {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub set: Option<SetOperator>,
    /// The operator.
    pub operator: Operator,
    /// Whether `IfExists` stands behind it.
    pub if_exists: bool,
    /// The key as written. Compare without regard to case: [`Condition::is_on`].
    pub key: String,
    /// The values as written.
    pub values: Vec<String>,
}

impl Condition {
    /// Whether it is a condition on this key.
    pub fn is_on(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// In words, safe to draw: `kms:ViaService StringEquals bedrock.us-east-1.amazonaws.com`.
    pub fn words(&self) -> Text {
        let set = match self.set {
            Some(SetOperator::ForAllValues) => "ForAllValues:",
            Some(SetOperator::ForAnyValue) => "ForAnyValue:",
            None => "",
        };
        let exists = if self.if_exists { "IfExists" } else { "" };
        Text::new(format!("{} {set}{}{exists} {}", self.key, self.operator.word(), self.values.join(" | ")))
    }

    /// Whether a value holds a variable, in this version of the language and under this operator.
    pub fn has_variables(&self, version: Version) -> bool {
        let base = self.operator.opposite_of().unwrap_or(self.operator);
        version == Version::V2012 && base.takes_variables() && self.values.iter().any(|value| value.contains("${"))
    }

    /// The condition that holds exactly when this one does not, where there is one.
    pub(super) fn opposite(&self, version: Version) -> Option<Self> {
        if self.set.is_some() || self.if_exists || self.has_variables(version) || is_multivalued(&self.key) {
            return None;
        }
        let operator = match self.operator.opposite_of() {
            Some(base) => base,
            None => self.operator.negated()?,
        };
        Some(Self { operator, ..self.clone() })
    }

    /// Whether it holds in a context: the same as [`Condition::holds`], with its variables filled in.
    ///
    /// A variable without a value is like no value: it equals nothing, and nothing is said to differ from it
    /// (IAM User Guide, "Policy variables with no value"). What else is listed still counts, and so does the
    /// rule for a request without the condition's key.
    pub fn holds_in(&self, lookup: &dyn Fn(&str) -> ContextValue, version: Version) -> Tri {
        if !self.has_variables(version) {
            return self.holds(&lookup(&self.key), Version::V2008);
        }
        let base = self.operator.opposite_of().unwrap_or(self.operator);
        let wildcards = match base {
            Operator::StringLike | Operator::ArnLike | Operator::ArnEquals => Wildcards::Work,
            _ => Wildcards::Literal,
        };
        let mut filled = Filled::default();
        for value in &self.values {
            match variables::expand(value, wildcards, lookup) {
                Expanded::Pattern(pattern) => filled.values.push(Cow::Owned(pattern)),
                Expanded::Void => filled.void = true,
                Expanded::Unknown => filled.open = true,
            }
        }
        self.holds_filled(&lookup(&self.key), &filled)
    }

    /// Whether nothing that is unknown bears on it: its key and its variables are known, or known to be absent.
    pub(super) fn is_fixed(&self, lookup: &dyn Fn(&str) -> ContextValue, version: Version) -> bool {
        let open = |value: &String| variables::expand(value, Wildcards::Literal, lookup) == Expanded::Unknown;
        lookup(&self.key) != ContextValue::Unknown && !(self.has_variables(version) && self.values.iter().any(open))
    }

    /// Whether it holds, given what is known of its key. What depends on a variable is `Maybe`.
    pub fn holds(&self, value: &ContextValue, version: Version) -> Tri {
        let variables = self.has_variables(version);
        let mut filled = Filled::default();
        for value in &self.values {
            if variables && value.contains("${") {
                filled.open = true;
            } else {
                filled.values.push(Cow::Borrowed(value));
            }
        }
        self.holds_filled(value, &filled)
    }

    fn holds_filled(&self, value: &ContextValue, filled: &Filled<'_>) -> Tri {
        match value {
            ContextValue::Unknown => self.holds_whatever(filled),
            ContextValue::Absent => self.holds_without(),
            ContextValue::Known(values) if values.is_empty() => self.holds_without(),
            ContextValue::Known(values) => self.holds_for(values, filled),
        }
    }

    /// Some conditions hold, or fail, whatever the value is.
    fn holds_whatever(&self, filled: &Filled<'_>) -> Tri {
        let both =
            ["true", "false"].iter().all(|word| self.values.iter().any(|value| value.eq_ignore_ascii_case(word)));
        // What differs from nothing listed differs from it, unless nothing may be said to differ.
        let differs = self.operator.opposite_of().is_some() && !filled.void;
        let nothing = filled.values.is_empty() && !filled.open && !differs;
        match self.operator {
            Operator::Null if both => Tri::Yes,
            Operator::Null => Tri::Maybe,
            // No value can meet it; a request without the key may.
            _ if nothing && self.holds_without() == Tri::No => Tri::No,
            _ => Tri::Maybe,
        }
    }

    fn holds_without(&self) -> Tri {
        match (self.operator, self.set) {
            (Operator::Null, _) => Tri::from(self.values.iter().any(|value| value.eq_ignore_ascii_case("true"))),
            (_, Some(SetOperator::ForAllValues)) => Tri::Yes,
            // why Maybe: the IAM guide says true, simulators say false.
            (_, Some(SetOperator::ForAnyValue)) if self.if_exists => Tri::Maybe,
            (_, Some(SetOperator::ForAnyValue)) => Tri::No,
            (operator, None) => Tri::from(self.if_exists || operator.opposite_of().is_some()),
        }
    }

    fn holds_for(&self, values: &[String], filled: &Filled<'_>) -> Tri {
        if self.operator == Operator::Null {
            return Tri::from(self.values.iter().any(|value| value.eq_ignore_ascii_case("false")));
        }
        let base = self.operator.opposite_of().unwrap_or(self.operator);
        let one = |value: &String| {
            let met = filled.values.iter().any(|expected| base.test(expected, value));
            match (met, base == self.operator) {
                (true, positive) => Tri::from(positive),
                (false, true) => {
                    if filled.open {
                        Tri::Maybe
                    } else {
                        Tri::No
                    }
                }
                (false, false) if filled.void => Tri::No,
                (false, false) => {
                    if filled.open {
                        Tri::Maybe
                    } else {
                        Tri::Yes
                    }
                }
            }
        };
        match self.set {
            Some(SetOperator::ForAllValues) => values.iter().fold(Tri::Yes, |all, value| all.and(one(value))),
            Some(SetOperator::ForAnyValue) => values.iter().fold(Tri::No, |any, value| any.or(one(value))),
            None => match values {
                [single] => one(single),
                // A plain operator does not match a key of many values.
                _ => Tri::No,
            },
        }
    }
}

/// The values of a condition with their variables filled in.
#[derive(Default)]
struct Filled<'a> {
    /// Those that are known.
    values: Vec<Cow<'a, str>>,
    /// Whether a variable has no value.
    void: bool,
    /// Whether the value of a variable is not known.
    open: bool,
}

/// Whether a key may carry many values in one request. why unknown prefixes too: a key that this version
/// does not know may.
pub fn is_multivalued(key: &str) -> bool {
    const MANY: &[&str] = &[
        "kms:encryptioncontextkeys",
        "kms:grantoperations",
        "kms:resourcealiases",
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:vpceorgpaths",
        "aws:principalservicenameslist",
        "aws:tagkeys",
        "sts:transitivetagkeys",
        "sts:identitytokenaudience",
        "sts:requestcontextproviders",
        "s3:inventoryaccessibleoptionalfields",
        "s3:requestobjecttagkeys",
        "iam:accountpropertynamespaces",
    ];
    let key = key.to_ascii_lowercase();
    let ours = [super::expr::SESSION_NAME, super::expr::FEDERATED_BY];
    let known = ["aws:", "kms:", "s3:", "bedrock:", "iam:", "sts:", ours[0], ours[1]];
    MANY.contains(&key.as_str()) || !known.iter().any(|prefix| key.starts_with(prefix))
}

impl Operator {
    /// The operator that is the opposite of this one.
    fn negated(self) -> Option<Self> {
        Some(match self {
            Self::StringEquals => Self::StringNotEquals,
            Self::StringEqualsIgnoreCase => Self::StringNotEqualsIgnoreCase,
            Self::StringLike => Self::StringNotLike,
            Self::NumericEquals => Self::NumericNotEquals,
            Self::DateEquals => Self::DateNotEquals,
            Self::IpAddress => Self::NotIpAddress,
            Self::ArnEquals => Self::ArnNotEquals,
            Self::ArnLike => Self::ArnNotLike,
            _ => return None,
        })
    }

    fn takes_variables(self) -> bool {
        use Operator::{ArnEquals, ArnLike, Bool, StringEquals, StringEqualsIgnoreCase, StringLike};
        matches!(self, StringEquals | StringEqualsIgnoreCase | StringLike | ArnEquals | ArnLike | Bool)
    }

    /// Whether AWS would store this value under it (S5).
    pub(super) fn takes(self, value: &str) -> bool {
        let word = self.word();
        match self {
            _ if word.starts_with("Numeric") => number(value).is_some(),
            _ if word.starts_with("Date") => date(value).is_some(),
            Self::IpAddress | Self::NotIpAddress => network(value).is_some(),
            Self::Null => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
            Self::Bool => {
                value.contains("${") || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
            }
            _ => true,
        }
    }

    fn test(self, expected: &str, actual: &str) -> bool {
        let numbers = || Some((number(actual)?, number(expected)?));
        let dates = || Some((date(actual)?, date(expected)?));
        match self {
            Self::StringEquals | Self::BinaryEquals => expected == actual,
            Self::StringEqualsIgnoreCase => expected.to_lowercase() == actual.to_lowercase(),
            Self::StringLike => pattern::matches(expected, actual),
            Self::Bool => expected.eq_ignore_ascii_case(actual),
            Self::ArnEquals | Self::ArnLike => pattern::matches_arn_text(expected, actual),
            Self::NumericEquals => numbers().is_some_and(|(a, e)| a.total_cmp(&e).is_eq()),
            Self::NumericLessThan => numbers().is_some_and(|(a, e)| a < e),
            Self::NumericLessThanEquals => numbers().is_some_and(|(a, e)| a <= e),
            Self::NumericGreaterThan => numbers().is_some_and(|(a, e)| a > e),
            Self::NumericGreaterThanEquals => numbers().is_some_and(|(a, e)| a >= e),
            Self::DateEquals => dates().is_some_and(|(a, e)| a == e),
            Self::DateLessThan => dates().is_some_and(|(a, e)| a < e),
            Self::DateLessThanEquals => dates().is_some_and(|(a, e)| a <= e),
            Self::DateGreaterThan => dates().is_some_and(|(a, e)| a > e),
            Self::DateGreaterThanEquals => dates().is_some_and(|(a, e)| a >= e),
            Self::IpAddress => network(expected).zip(actual.parse().ok()).is_some_and(|(net, ip)| inside(net, ip)),
            // The negations are tested by their opposite, Null by its presence.
            _ => false,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

/// ISO 8601, or seconds since 1970.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Some(Timestamp::from_secs(text.trim().parse().ok()?)))
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
    Some((address, bits))
}

fn inside((net, bits): (IpAddr, u8), ip: IpAddr) -> bool {
    match (net, ip) {
        (IpAddr::V4(net), IpAddr::V4(ip)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            net.to_bits() & mask == ip.to_bits() & mask
        }
        (IpAddr::V6(net), IpAddr::V6(ip)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            net.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(operator: &str, values: &[&str]) -> Condition {
        let (set, base) = match operator.split_once(':') {
            Some(("ForAllValues", base)) => (Some(SetOperator::ForAllValues), base),
            Some((_, base)) => (Some(SetOperator::ForAnyValue), base),
            None => (None, operator),
        };
        let (base, if_exists) = base.strip_suffix("IfExists").map_or((base, false), |base| (base, true));
        Condition {
            set,
            operator: Operator::named(base).unwrap(),
            if_exists,
            key: "aws:X".into(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        }
    }

    #[test]
    fn the_table_of_operators() {
        let known = |values: &[&str]| ContextValue::Known(values.iter().map(|v| (*v).to_owned()).collect());
        let (yes, no, maybe) = (Tri::Yes, Tri::No, Tri::Maybe);
        for (operator, values, actual, expected) in [
            ("StringEquals", vec!["a", "b"], known(&["b"]), yes),
            ("StringEquals", vec!["a*"], known(&["ab"]), no),
            ("StringEquals", vec!["a"], ContextValue::Absent, no),
            ("StringEquals", vec!["a"], ContextValue::Unknown, maybe),
            ("ForAnyValue:StringEquals", vec![], ContextValue::Unknown, no),
            ("ForAnyValue:StringNotEquals", vec![], known(&["a"]), yes),
            ("ForAnyValue:StringNotEquals", vec![], ContextValue::Absent, no),
            ("ForAnyValue:StringNotEquals", vec![], ContextValue::Unknown, maybe),
            ("StringEqualsIfExists", vec!["a"], ContextValue::Absent, yes),
            ("StringNotEquals", vec!["a", "b"], known(&["b"]), no),
            ("StringNotEquals", vec!["a", "b"], known(&["c"]), yes),
            ("StringNotEquals", vec!["a"], ContextValue::Absent, yes),
            ("StringEqualsIgnoreCase", vec!["ÄB"], known(&["äb"]), yes),
            ("StringLike", vec!["bedrock.*.amazonaws.com"], known(&["bedrock.us-east-1.amazonaws.com"]), yes),
            ("StringLike", vec!["${aws:x}"], known(&["b"]), maybe),
            ("StringNotLike", vec!["a*"], known(&["ab"]), no),
            ("ArnEquals", vec!["arn:aws:iam::1:role/*"], known(&["arn:aws:iam::1:role/p/x"]), yes),
            ("ArnLike", vec!["arn:aws:*:role/x"], known(&["arn:aws:iam::1:role/x"]), no),
            ("ArnNotLike", vec!["arn:aws:iam::1:role/x"], known(&["arn:aws:iam::1:role/y"]), yes),
            ("Bool", vec!["True"], known(&["true"]), yes),
            ("Bool", vec!["false"], ContextValue::Absent, no),
            ("Null", vec!["true"], ContextValue::Absent, yes),
            ("Null", vec!["true"], known(&["x"]), no),
            ("Null", vec!["false"], known(&["x"]), yes),
            ("NumericLessThan", vec!["10"], known(&["9.5"]), yes),
            ("NumericGreaterThanEquals", vec!["10"], known(&["9.5"]), no),
            ("NumericEquals", vec!["10"], known(&["10.0"]), yes),
            ("DateGreaterThan", vec!["2026-01-01T00:00:00Z"], known(&["1893456000"]), yes),
            ("IpAddress", vec!["10.0.0.0/8"], known(&["10.200.1.1"]), yes),
            ("IpAddress", vec!["0.0.0.0/0"], known(&["8.8.8.8"]), yes),
            ("IpAddress", vec!["2001:db8::/32"], known(&["2001:db9::1"]), no),
            ("NotIpAddress", vec!["10.0.0.1"], known(&["10.0.0.1"]), no),
            ("NotIpAddress", vec!["10.0.0.1"], ContextValue::Absent, yes),
            ("ForAllValues:StringEquals", vec!["a", "b"], known(&["a", "b"]), yes),
            ("ForAllValues:StringEquals", vec!["a"], known(&["a", "b"]), no),
            ("ForAllValues:StringEquals", vec!["a"], ContextValue::Absent, yes),
            ("ForAnyValue:StringEquals", vec!["a"], known(&["a", "b"]), yes),
            ("ForAnyValue:StringEquals", vec!["a"], ContextValue::Absent, no),
            ("ForAnyValue:StringEqualsIfExists", vec!["a"], ContextValue::Absent, maybe),
            ("StringEquals", vec!["a"], known(&["a", "b"]), no),
        ] {
            let found = condition(operator, &values).holds(&actual, Version::V2012);
            assert_eq!(found, expected, "{operator} {values:?} × {actual:?}");
        }
        let literal = condition("StringEquals", &["${aws:x}"]);
        assert_eq!(literal.holds(&known(&["${aws:x}"]), Version::V2008), yes);
    }
}
