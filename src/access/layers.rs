//! What a request is made on, and the layers that come from outside the account: plain data for [`super::request`].

use super::decision::Layer;
use super::organization;
use super::policy::Policy;
use super::principal::Caller;
use super::scan::Side;
use super::scenario::Facts;
use crate::base::{Arn, Text};
use crate::inventory::kms::Grant;

/// The policy of a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Rules {
    /// It has none.
    None,
    /// This one.
    Known(Policy),
    /// Not seen, or not readable, and why.
    Unknown(Text),
}

/// What a request is made on.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its ARN. With `open` the beginning of it.
    pub arn: Arn,
    /// Whether the question is about some object of a bucket.
    pub open: bool,
    /// The account that owns it. Empty when it belongs to nobody, like a base model.
    pub owner: String,
    /// Its policy.
    pub rules: Rules,
    /// The grants on a key, or why they are not known.
    pub grants: Result<Vec<Grant>, Text>,
    /// Condition keys that follow from it.
    pub facts: Facts,
    /// Whether AWS manages it: resource control policies then do not count (E3).
    pub managed: bool,
    /// What stands beside every decision: a state in which it cannot be used (E12).
    pub notes: Vec<Text>,
}

impl Resource {
    /// One without a policy of its own.
    pub fn plain(arn: Arn) -> Self {
        Self {
            owner: arn.account.clone(),
            facts: Facts::of_place(&arn),
            arn,
            open: false,
            rules: Rules::None,
            grants: Ok(Vec::new()),
            managed: false,
            notes: Vec::new(),
        }
    }

    pub(super) fn ground(&self) -> Ground<'_> {
        Ground {
            arn: &self.arn,
            open: self.open,
            owner: &self.owner,
            rules: match &self.rules {
                Rules::None => None,
                Rules::Known(policy) => Some(Ok(policy)),
                Rules::Unknown(why) => Some(Err(why)),
            },
            grants: self.grants.as_deref(),
            facts: &self.facts,
            managed: self.managed,
            notes: &self.notes,
            by_identity: false,
        }
    }
}

/// A resource, borrowed.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub arn: &'a Arn,
    pub open: bool,
    pub owner: &'a str,
    pub rules: Option<Result<&'a Policy, &'a Text>>,
    pub grants: Result<&'a [Grant], &'a Text>,
    pub facts: &'a Facts,
    pub managed: bool,
    pub notes: &'a [Text],
    /// Whether the account's own policies decide, even on a role (`iam:PassRole`).
    pub by_identity: bool,
}

impl Ground<'_> {
    /// The same for one action. A trust policy says who may become the role, and nothing else: the rest the account's
    /// own policies decide.
    pub(super) fn for_action(self, action: &str) -> Self {
        let role = self.arn.service == "iam" && self.arn.resource.starts_with("role/");
        let becomes = action.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("sts:"));
        if role && !becomes { Self { rules: None, by_identity: true, ..self } } else { self }
    }

    pub(super) fn is_key(&self) -> bool {
        self.arn.service == "kms"
    }

    fn is_role(&self) -> bool {
        !self.by_identity && self.arn.service == "iam" && self.arn.resource.starts_with("role/")
    }

    /// E6: a key and a role's trust stand above the account's own policies.
    pub(super) fn is_sovereign(&self) -> bool {
        self.is_key() || self.is_role()
    }

    /// How its policy is to be read.
    pub(super) fn side(&self) -> Side {
        if self.is_role() { Side::Trust } else { Side::Resource }
    }

    /// Whether a caller belongs to another account.
    pub(super) fn is_foreign_to(&self, caller: &Caller) -> bool {
        caller.account().is_some_and(|account| !self.owner.is_empty() && account != self.owner)
    }

    /// Whether resource control policies do not count (E3).
    pub(super) fn spared(&self, caller: &Caller, action: &str) -> bool {
        !organization::rcps_bind(caller, action, self.is_key() && self.managed)
    }
}

/// The policies that hang on one root, unit or account of an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its id.
    pub name: Text,
    /// Its policies, each with the layer that it is told by.
    pub policies: Vec<(Layer, Policy)>,
    /// Some policy of it could not be read: what the others do not allow, that one may.
    pub unread: bool,
}

/// The layers that come from outside the account and from the way of the request. An empty list imposes nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guards {
    /// Service control policies of the caller's account, root first; `None` for those that were read
    /// ([`super::bounds::Bounds`]).
    pub scps: Option<Vec<Level>>,
    /// Resource control policies of the resource's account, root first; `None` for those that were read. They only
    /// deny: what AWS itself puts on every level allows everything.
    pub rcps: Option<Vec<Level>>,
    /// Policies of the VPC endpoint that the request comes through; an empty list is a request that none limits, `None`
    /// one of which that is not known.
    pub endpoint: Option<Vec<Policy>>,
    /// The session policies of the caller; an empty list is a session without, `None` one that was not seen.
    pub session: Option<Vec<Policy>>,
}

impl Guards {
    /// No organization, no endpoint, no session policy: known, not unseen.
    pub fn none() -> Self {
        Self { scps: Some(Vec::new()), rcps: Some(Vec::new()), endpoint: Some(Vec::new()), session: Some(Vec::new()) }
    }

    /// What was not looked at, in words.
    pub fn unseen(&self) -> Option<Text> {
        match (&self.session, &self.endpoint) {
            (None, None) => Some(Text::new(super::plain::UNSEEN)),
            (None, Some(_)) => Some(Text::new("session policies are not evaluated")),
            (Some(_), None) => Some(Text::new("VPC endpoint policies are not evaluated")),
            (Some(_), Some(_)) => None,
        }
    }
}
