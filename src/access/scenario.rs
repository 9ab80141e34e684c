//! What is known of a request beyond who, what and on what: the condition keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::bounds::Bounds;
use super::expr::{FEDERATED_BY, SESSION_NAME};
use super::principal::Caller;
use crate::base::Arn;

/// What is known of one condition key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ContextValue {
    /// It has these values.
    Known(Vec<String>),
    /// The request does not carry it.
    Absent,
    /// Nobody can tell beforehand.
    Unknown,
}

impl ContextValue {
    /// One known value.
    pub fn one(value: impl Into<String>) -> Self {
        Self::Known(vec![value.into()])
    }
}

/// How a request is made. Keys that it does not fix and that do not follow from the caller are unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    fixed: BTreeMap<String, ContextValue>,
    closed: bool,
}

/// What is known of a principal or a resource, as condition keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    values: BTreeMap<String, ContextValue>,
    whole: Vec<&'static str>,
}

impl Facts {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// What follows from where a resource is: a request for one of a region goes to that region.
    pub fn of_place(arn: &Arn) -> Self {
        let mut facts = Self::none();
        if !arn.region.is_empty() {
            facts.set("aws:RequestedRegion", ContextValue::one(&arn.region));
        }
        facts
    }

    /// Adds one.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        self.values.insert(key.to_ascii_lowercase(), value);
    }

    /// Adds tags; all that there are, so that another one is absent.
    pub fn tags(&mut self, prefix: &'static str, tags: &crate::inventory::Tags) {
        for (name, value) in tags {
            self.set(&format!("{prefix}{name}"), ContextValue::one(value.as_str()));
        }
        self.whole.push(prefix);
    }

    pub(super) fn get(&self, key: &str) -> Option<ContextValue> {
        self.values.get(key).cloned().or_else(|| self.rules_out(key).then_some(ContextValue::Absent))
    }

    /// Whether a key that has no value here is known to have none.
    pub(super) fn rules_out(&self, key: &str) -> bool {
        self.whole.iter().any(|prefix| key.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix)))
    }

    /// Whether the same is told whole of both.
    pub(super) fn is_as_whole_as(&self, other: &Self) -> bool {
        // why places first: they are the same few texts for everybody.
        let same = |(one, other): (&&str, &&str)| std::ptr::eq(*one, *other) || one == other;
        self.whole.len() == other.whole.len() && self.whole.iter().zip(&other.whole).all(same)
    }

    /// Every key, in lower case, with its value.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// Everything that a condition can look up for one question.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub scenario: &'a Scenario,
    pub caller: &'a Caller,
    pub action: &'a str,
    pub owner: &'a str,
    pub principal: &'a Facts,
    pub resource: &'a Facts,
    pub bounds: &'a Bounds,
}

impl Context<'_> {
    pub(super) fn get(&self, key: &str) -> ContextValue {
        if key == SESSION_NAME {
            return match self.caller {
                Caller::Role { session: Some(name), .. } => ContextValue::one(name),
                Caller::Role { session: None, .. } => {
                    self.scenario.fixed.get(key).cloned().unwrap_or(ContextValue::Unknown)
                }
                _ => ContextValue::Absent,
            };
        }
        if key == FEDERATED_BY {
            let Caller::User(arn) = self.caller else { return ContextValue::Absent };
            return match self.scenario.fixed.get(key) {
                _ if !self.caller.is_federated() => ContextValue::Absent,
                Some(fixed) => fixed.clone(),
                // why the name: a case that says all there is has no other place for it.
                None if self.scenario.closed => {
                    ContextValue::one(arn.sibling("iam", &format!("user/{}", arn.name())).to_string())
                }
                None => ContextValue::Unknown,
            };
        }
        let lower = lowered(key);
        if let Some(fixed) = self.scenario.fixed(&lower, self.action) {
            return fixed;
        }
        self.principal
            .get(&lower)
            .or_else(|| self.resource.get(&lower))
            .or_else(|| self.bounds.tells(&lower, self.caller, self.owner))
            .unwrap_or_else(|| self.scenario.follows(&lower, self.caller, self.owner))
    }
}

/// Whether what follows from a caller for a key is its own, not that of everybody of its account and kind.
pub(super) fn is_own(key: &str) -> bool {
    ["aws:principalarn", "aws:username", "aws:userid", SESSION_NAME, FEDERATED_BY].contains(&key)
}

/// A key as keys are compared; borrowed when it is so already.
fn lowered(key: &str) -> Cow<'_, str> {
    if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(key.to_ascii_lowercase())
    } else {
        Cow::Borrowed(key)
    }
}

impl Scenario {
    /// Nothing is fixed: whatever depends on the way of the request comes out conditional.
    pub fn open() -> Self {
        Self::default()
    }

    /// A service forwards the caller's credentials (`bedrock.us-east-1.amazonaws.com`; the suffix is the
    /// same in every partition).
    pub fn through(host: &str) -> Self {
        Self::open()
            .with("kms:ViaService", ContextValue::one(host))
            .with("aws:ViaAWSService", ContextValue::one("true"))
            // why: a service that makes a grant with the caller's credentials makes it for its resource.
            .with("kms:GrantIsForAWSResource", ContextValue::one("true"))
    }

    /// Through Bedrock in this region.
    pub fn through_bedrock(region: &str) -> Self {
        Self::through(&format!("bedrock.{region}.amazonaws.com"))
    }

    /// The caller asks KMS itself.
    pub fn direct() -> Self {
        Self::open()
            .with("kms:ViaService", ContextValue::Absent)
            .with("aws:ViaAWSService", ContextValue::one("false"))
            .with("kms:GrantIsForAWSResource", ContextValue::one("false"))
    }

    /// The same with one key fixed.
    #[must_use]
    pub fn with(mut self, key: &str, value: ContextValue) -> Self {
        self.fixed.insert(key.to_ascii_lowercase(), value);
        self
    }

    /// The same with one key fixed, unless it is already.
    #[must_use]
    pub(super) fn unless(self, key: &str, value: ContextValue) -> Self {
        if self.fixed.contains_key(&key.to_ascii_lowercase()) { self } else { self.with(key, value) }
    }

    /// The same, with every key absent that it does not fix and that does not follow from the caller.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    pub(super) fn fixed(&self, key: &str, action: &str) -> Option<ContextValue> {
        let grants = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"];
        let on_grants = || grants.iter().any(|one| one.eq_ignore_ascii_case(action));
        if key == "kms:grantisforawsresource" && !on_grants() {
            return Some(ContextValue::Absent);
        }
        if let Some(fixed) = self.fixed.get(key) {
            return Some(fixed.clone());
        }
        // What one names of an encryption context are its keys.
        let prefix = "kms:encryptioncontext:";
        let named =
            || self.fixed.keys().filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect::<Vec<_>>();
        if self.closed && key == "kms:encryptioncontextkeys" {
            return Some(named()).filter(|keys| !keys.is_empty()).map(ContextValue::Known);
        }
        None
    }

    /// What is known of a key for this caller, action and owner of the resource. What follows from the
    /// caller (`aws:PrincipalArn` is the role's ARN, not the session's) wins over nothing fixed.
    pub fn value(&self, key: &str, caller: &Caller, action: &str, owner: &str) -> ContextValue {
        let key = lowered(key);
        self.fixed(&key, action).unwrap_or_else(|| self.follows(&key, caller, owner))
    }

    /// What follows from the caller and from the owner of the resource, when nothing is fixed.
    fn follows(&self, key: &str, caller: &Caller, owner: &str) -> ContextValue {
        let arn = caller.arn();
        match (key, caller) {
            ("aws:principalarn", Caller::Service(_)) | ("aws:username", Caller::Role { .. } | Caller::Root(_)) => {
                ContextValue::Absent
            }
            ("aws:principalarn", _) => arn.map_or(ContextValue::Absent, |arn| ContextValue::one(arn.to_string())),
            ("aws:principalaccount" | "kms:calleraccount", _) => {
                arn.map_or(ContextValue::Unknown, |arn| ContextValue::one(&arn.account))
            }
            ("aws:principaltype", Caller::Role { .. }) => ContextValue::one("AssumedRole"),
            ("aws:principaltype", Caller::Root(_)) => ContextValue::one("Account"),
            ("aws:username", _) if caller.is_federated() => ContextValue::Absent,
            ("aws:principaltype", _) if caller.is_federated() => ContextValue::one("FederatedUser"),
            ("aws:userid", Caller::User(user)) if caller.is_federated() => {
                ContextValue::one(format!("{}:{}", user.account, user.name()))
            }
            ("aws:username", Caller::User(user)) => ContextValue::one(user.name()),
            ("aws:principaltype", Caller::User(_)) => ContextValue::one("User"),
            ("aws:principalisawsservice", Caller::Service(_)) => ContextValue::one("true"),
            ("aws:principalisawsservice", _) => ContextValue::one("false"),
            ("aws:principalservicename", Caller::Service(name)) => ContextValue::one(name),
            ("aws:principalservicename", _) => ContextValue::Absent,
            ("aws:resourceaccount", _) if !owner.is_empty() => ContextValue::one(owner),
            _ if self.closed => ContextValue::Absent,
            _ => ContextValue::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_caller_is_known() {
        let caller = Caller::parse("arn:aws:iam::123456789012:role/ml/Tuner").unwrap();
        let through = Scenario::through_bedrock("us-east-1");
        let ask = |scenario: &Scenario, key: &str, action: &str| scenario.value(key, &caller, action, "123456789012");
        for (key, expected) in [
            ("AWS:principalARN", ContextValue::one("arn:aws:iam::123456789012:role/ml/Tuner")),
            ("kms:CallerAccount", ContextValue::one("123456789012")),
            ("kms:viaservice", ContextValue::one("bedrock.us-east-1.amazonaws.com")),
            ("aws:username", ContextValue::Absent),
            ("aws:SourceIp", ContextValue::Unknown),
            ("kms:GrantIsForAWSResource", ContextValue::Absent),
        ] {
            assert_eq!(ask(&through, key, "kms:Decrypt"), expected, "{key}");
        }
        assert_eq!(ask(&through, "kms:GrantIsForAWSResource", "kms:CreateGrant"), ContextValue::one("true"));
        assert_eq!(ask(&Scenario::direct(), "kms:ViaService", "kms:Decrypt"), ContextValue::Absent);
        assert_eq!(ask(&Scenario::open(), "kms:ViaService", "kms:Decrypt"), ContextValue::Unknown);
    }
}
