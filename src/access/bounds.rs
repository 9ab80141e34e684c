//! What an organization imposes on the account that was read, as far as it could be seen (E2, E3, A9). AWS
//! Organizations User Guide, "SCP evaluation" and "RCP evaluation".
//!
//! An organization only takes away. So what is denied without it stays denied; what is allowed without it is not
//! settled while some of its policies are not known, and the answer says which ([`Veil`]).

use std::cell::RefCell;
use std::sync::Arc;

use super::batch::ANYONE;
use super::decision::{Decision, Layer};
use super::organization::scps_bind;
use super::policy::Policy;
use super::principal::Caller;
use super::request::{Guards, Level};
use super::scenario::ContextValue;
use crate::base::{ResourceId, Text};
use crate::inventory::organization::{Organization, OrganizationPolicy};
use crate::inventory::{Inventory, Read, SourceId, Table};

/// What binds the account that was read, and what of it is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// The account that was read.
    home: Option<String>,
    /// Its organization, or why that is not known.
    organization: Result<Option<Organization>, Text>,
    /// From the root to the account; empty where that is not known.
    path: Vec<ResourceId>,
    scps: Imposed,
    rcps: Imposed,
}

/// Policies of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
struct Imposed {
    levels: Vec<Level>,
    /// Why there may be more.
    unseen: Option<Text>,
}

/// Nothing was read: nobody knows what binds whom.
impl Default for Bounds {
    fn default() -> Self {
        let why = Text::new("the organization of the account was not read");
        let blind = || Imposed { levels: Vec::new(), unseen: Some(why.clone()) };
        Self { home: None, organization: Err(why.clone()), path: Vec::new(), scps: blind(), rcps: blind() }
    }
}

/// The policies of one kind that bind somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over<'a> {
    pub(super) levels: &'a [Level],
    pub(super) unseen: Option<Unseen<'a>>,
}

/// Why there may be more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseen<'a> {
    /// Those of the account that was read could not be read.
    Because(&'a Text),
    /// Those of another account are never seen.
    Foreign(&'a str),
}

impl Unseen<'_> {
    fn words(self) -> String {
        match self {
            Self::Because(why) => why.to_string(),
            Self::Foreign(account) if account.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("those of account {account} are not visible")
            }
            Self::Foreign(account) => format!("those of {account} are not visible"),
        }
    }
}

const NOTHING: Over<'static> = Over { levels: &[], unseen: None };

/// What of an organization could not be seen and may take away what an answer allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Veil<'a> {
    pub(super) scps: Option<Unseen<'a>>,
    pub(super) rcps: Option<Unseen<'a>>,
}

impl Veil<'_> {
    /// In words; none where everything was seen.
    pub(super) fn words(&self) -> Option<Text> {
        let (kinds, why) = match (self.scps, self.rcps) {
            (None, None) => return None,
            (Some(why), None) => ("service", why.words()),
            (None, Some(why)) => ("resource", why.words()),
            (Some(one), Some(other)) if one == other => ("service or resource", one.words()),
            (Some(one), Some(other)) => ("service or resource", format!("{}; {}", one.words(), other.words())),
        };
        Some(Text::new(format!("unless a {kinds} control policy denies it: {why}")))
    }
}

/// A decision as it is behind what was not seen: what is allowed without it is not settled (A9).
pub(super) fn veiled(decision: &Decision, veil: &Text) -> Option<Decision> {
    match decision {
        Decision::Allowed { .. } | Decision::Conditional { .. } => {
            Some(Decision::Uncertain { by: Vec::new(), why: vec![Text::new(format!("{}, {veil}", decision.words()))] })
        }
        _ => None,
    }
}

/// All that it is made of.
#[derive(PartialEq)]
struct Seen {
    organization: Read<Option<Organization>>,
    path: Read<Vec<ResourceId>>,
    policies: Table<OrganizationPolicy>,
    gap: Option<String>,
    home: Option<String>,
}

impl Seen {
    fn of(inventory: &Inventory) -> Self {
        let settings = &inventory.settings;
        let gap = inventory.coverage.complete(SourceId::ORGANIZATION_POLICIES).err();
        Self {
            organization: settings.organization.clone(),
            path: settings.organization_path.clone(),
            policies: inventory.organization_policies.clone(),
            gap: gap.map(|gap| gap.to_string()),
            home: home(inventory),
        }
    }
}

/// The account that was read. why roles: users and roles are never those of another account.
fn home(inventory: &Inventory) -> Option<String> {
    let path = inventory.settings.organization_path.known().ok();
    let on_path = path.and_then(|path| path.last()).map(|account| account.as_str().to_owned());
    let mut arns = inventory.roles.keys().chain(inventory.users.keys()).chain(inventory.keys.keys());
    on_path.or_else(|| arns.find_map(ResourceId::arn).map(|arn| arn.account))
}

impl Bounds {
    /// What the inventory holds. The same inventory twice is read once: every question asks for it.
    pub fn of(inventory: &Inventory) -> Arc<Self> {
        thread_local! {
            static LAST: RefCell<Option<(Seen, Arc<Bounds>)>> = const { RefCell::new(None) };
        }
        let same = |held: &Seen| {
            held.organization == inventory.settings.organization
                && held.path == inventory.settings.organization_path
                && held.policies == inventory.organization_policies
                && held.home == home(inventory)
                && held.gap
                    == inventory.coverage.complete(SourceId::ORGANIZATION_POLICIES).err().map(|gap| gap.to_string())
        };
        LAST.with_borrow_mut(|last| match last {
            Some((held, bounds)) if same(held) => Arc::clone(bounds),
            _ => {
                let read = Seen::of(inventory);
                let bounds = Arc::new(Self::from(&read));
                *last = Some((read, Arc::clone(&bounds)));
                bounds
            }
        })
    }

    /// Of an account in no organization: nothing binds it.
    pub fn none() -> Self {
        let (path, scps, rcps) = (Vec::new(), Imposed::default(), Imposed::default());
        Self { home: None, organization: Ok(None), path, scps, rcps }
    }

    fn from(read: &Seen) -> Self {
        let organization = read.organization.known().cloned();
        let organization = organization.map_err(|unknown| Text::new(format!("the organization: {unknown}")));
        let path = read.path.known().cloned().unwrap_or_default();
        let mut bounds =
            Self { home: read.home.clone(), organization, path, scps: Imposed::default(), rcps: Imposed::default() };
        let binds = match &bounds.organization {
            Err(why) => Err(why.clone()),
            Ok(None) => Ok(false),
            // Only an organization with all features has such policies, and its management account is spared.
            Ok(Some(held)) => Ok(held.features != "CONSOLIDATED_BILLING"
                && bounds.home.as_deref() != Some(held.management_account.as_str())),
        };
        let where_ = read.path.known().map_err(|unknown| format!("where the account stands in it: {unknown}"));
        let seen = where_.and_then(|path| match &read.gap {
            None => Ok(path),
            Some(gap) => Err(gap.clone()),
        });
        let (scps, rcps) = match (binds, seen) {
            (Ok(false), _) => (Imposed::default(), Imposed::default()),
            (Err(why), _) => (Imposed::unseen(why.clone()), Imposed::unseen(why)),
            (Ok(true), Err(why)) => (Imposed::unseen(Text::new(&why)), Imposed::unseen(Text::new(why))),
            (Ok(true), Ok(path)) => (
                Imposed::of(path, &read.policies, "SERVICE_CONTROL_POLICY", Layer::Scp),
                Imposed::of(path, &read.policies, "RESOURCE_CONTROL_POLICY", Layer::Rcp),
            ),
        };
        (bounds.scps, bounds.rcps) = (scps, rcps);
        bounds
    }

    fn is_management(&self, account: &str) -> bool {
        matches!(&self.organization, Ok(Some(held)) if held.management_account.as_str() == account)
    }

    /// Service control policies by the caller's account (E2): of another account they are not known.
    pub(super) fn scps<'a>(&'a self, caller: &'a Caller) -> Over<'a> {
        let Some(account) = caller.account() else { return NOTHING };
        // Anyone is everybody: somewhere is an account that nothing binds.
        if !scps_bind(caller) || self.is_management(account) || account == ANYONE {
            return NOTHING;
        }
        if let Some(home) = self.home.as_deref()
            && home != account
        {
            return Over { levels: &[], unseen: Some(Unseen::Foreign(account)) };
        }
        self.scps.over()
    }

    /// Resource control policies by the owner of the resource (E3). What belongs to nobody (a base model) has none.
    pub(super) fn rcps<'a>(&'a self, owner: &'a str) -> Over<'a> {
        if owner.is_empty() || self.is_management(owner) {
            return NOTHING;
        }
        if self.home.as_deref().is_some_and(|home| home != owner) {
            return Over { levels: &[], unseen: Some(Unseen::Foreign(owner)) };
        }
        self.rcps.over()
    }

    /// The levels of the account that was read.
    pub(super) fn own_scps(&self) -> &[Level] {
        &self.scps.levels
    }

    /// The same of resource control policies.
    pub(super) fn own_rcps(&self) -> &[Level] {
        &self.rcps.levels
    }

    /// What of the own account's could not be seen, in words: what makes a table of answers incomplete.
    pub fn gap(&self) -> Option<Text> {
        let veil = Veil { scps: self.scps.over().unseen, rcps: self.rcps.over().unseen };
        veil.words().map(|words| {
            let words = words.as_str();
            let why = words.split_once(": ").map_or(words, |(_, why)| why);
            Text::new(format!("service and resource control policies: {why}"))
        })
    }

    /// Condition keys that follow from where the accounts of caller and resource stand.
    pub(super) fn tells(&self, key: &str, caller: &Caller, owner: &str) -> Option<ContextValue> {
        let account = match key {
            "aws:principalorgid" | "aws:principalorgpaths" => caller.account()?,
            "aws:resourceorgid" | "aws:resourceorgpaths" => owner,
            _ => return None,
        };
        let organization = self.organization.as_ref().ok()?;
        let is_home = self.home.as_deref() == Some(account);
        match organization {
            None if is_home => Some(ContextValue::Absent),
            Some(held) if key.ends_with("orgid") && (is_home || self.is_management(account)) => {
                Some(ContextValue::one(held.id.as_str()))
            }
            Some(held) if key.ends_with("orgpaths") && is_home && !self.path.is_empty() => {
                let steps = self.path.iter().take(self.path.len() - 1).map(ResourceId::as_str);
                let path: Vec<&str> = std::iter::once(held.id.as_str()).chain(steps).collect();
                Some(ContextValue::one(format!("{}/", path.join("/"))))
            }
            _ => None,
        }
    }
}

impl Imposed {
    fn unseen(why: Text) -> Self {
        Self { levels: Vec::new(), unseen: Some(why) }
    }

    fn over(&self) -> Over<'_> {
        Over { levels: &self.levels, unseen: self.unseen.as_ref().map(Unseen::Because) }
    }

    /// The levels of a path. Where no policy of a kind hangs anywhere, the kind is not in use and imposes nothing.
    fn of(path: &[ResourceId], policies: &Table<OrganizationPolicy>, kind: &str, layer: fn(Text) -> Layer) -> Self {
        let held: Vec<&OrganizationPolicy> = policies.values().filter(|policy| policy.kind == kind).collect();
        let mut imposed = Self::default();
        if held.is_empty() {
            return imposed;
        }
        for on in path {
            let mut level = Level { name: Text::new(on.as_str()), policies: Vec::new(), unread: false };
            let mut here = held.iter().filter(|policy| policy.targets.contains(on)).peekable();
            let mut gap = |why: String| {
                imposed.unseen.get_or_insert_with(|| Text::new(why));
            };
            if here.peek().is_none() && kind == "SERVICE_CONTROL_POLICY" {
                // why unread: AWS keeps at least one on every level.
                level.unread = true;
                gap(format!("no service control policy was seen on {on}"));
            }
            for policy in here {
                let read = match policy.document.known() {
                    Ok(document) => Policy::parse(document).map_err(|error| error.to_string()),
                    Err(unknown) => Err(unknown.to_string()),
                };
                match read {
                    Ok(document) => level.policies.push((layer(name(policy, on)), document)),
                    Err(why) => {
                        level.unread = true;
                        gap(format!("{}: {why}", name(policy, on)));
                    }
                }
            }
            imposed.levels.push(level);
        }
        imposed
    }
}

/// What a policy is called on a level.
fn name(policy: &OrganizationPolicy, on: &ResourceId) -> Text {
    let known = if policy.name.is_empty() { policy.id.as_str() } else { policy.name.as_str() };
    Text::new(format!("{known} of {on}"))
}

/// The policy of an organization that a layer names.
pub(super) fn policy_of<'a>(inventory: &'a Inventory, layer: &Layer) -> Option<&'a OrganizationPolicy> {
    let (Layer::Scp(called) | Layer::Rcp(called)) = layer else { return None };
    let kind = if matches!(layer, Layer::Scp(_)) { "SERVICE_CONTROL_POLICY" } else { "RESOURCE_CONTROL_POLICY" };
    let mut of_kind = inventory.organization_policies.values().filter(|policy| policy.kind == kind);
    of_kind.find(|policy| policy.targets.iter().any(|on| name(policy, on) == *called))
}

impl Guards {
    /// The service control policies that bind a caller: those that the question brings, or those that were read.
    pub(super) fn scps_over<'a>(&'a self, bounds: &'a Bounds, caller: &'a Caller) -> Over<'a> {
        match &self.scps {
            Some(_) if !scps_bind(caller) => NOTHING,
            Some(levels) => Over { levels, unseen: None },
            None => bounds.scps(caller),
        }
    }

    /// The resource control policies that bind a resource, likewise.
    pub(super) fn rcps_over<'a>(&'a self, bounds: &'a Bounds, owner: &'a str) -> Over<'a> {
        match &self.rcps {
            Some(levels) => Over { levels, unseen: None },
            None => bounds.rcps(owner),
        }
    }
}

#[cfg(test)]
impl Bounds {
    /// Of `home` in an organization that `management` manages, with these levels; `unseen` says why there may be more.
    pub(super) fn made(
        home: &str,
        management: &str,
        [scps, rcps]: [Vec<Level>; 2],
        [unseen_scps, unseen_rcps]: [Option<Text>; 2],
    ) -> Self {
        let organization = Organization {
            id: "o-1".into(),
            arn: "arn:aws:organizations::999988887777:organization/o-1".into(),
            management_account: management.into(),
            features: "ALL".into(),
        };
        Self {
            home: Some(home.to_owned()),
            organization: Ok(Some(organization)),
            path: ["r-1", "ou-1", home].map(ResourceId::new).into(),
            scps: Imposed { levels: scps, unseen: unseen_scps },
            rcps: Imposed { levels: rcps, unseen: unseen_rcps },
        }
    }
}

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod tests;
