//! What a change does to people: who gains and loses access to a key, and who can still administer
//! it. Asks the evaluator the same questions of the inventory before and after.

use std::collections::BTreeMap;

use crate::access::{Caller, Decision, Identity, KeyAccess, PrincipalEntry, Scenario, callers, decide};
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Inventory, SessionInfo};

/// The KMS actions that matter: use of the key, and power over it.
pub const ACTIONS: &[&str] = &[
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:RevokeGrant",
    "kms:ListGrants",
    "kms:GetKeyPolicy",
    "kms:PutKeyPolicy",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
];

/// An account that is nobody's: whoever it may, everybody may.
const ANYONE: &str = "000000000000";

/// What one principal gains or loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// Its ARN, service name, or `*` for everybody.
    pub principal: ResourceId,
    /// What a person calls it.
    pub name: Text,
    /// Whether it is outside the account of the key.
    pub foreign: bool,
    /// The actions, without `kms:`.
    pub actions: Vec<&'static str>,
    /// By what, when, or why not any more.
    pub how: Text,
}

/// Who gains and who loses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessChanges {
    /// Who could do less before. Outsiders first.
    pub gains: Vec<AccessChange>,
    /// Who can do less after.
    pub loses: Vec<AccessChange>,
    /// What could not be looked at, so that there may be more.
    pub incomplete: Option<Text>,
}

/// Whether the key can still be administered after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lockout {
    /// The caller and these others keep `kms:PutKeyPolicy`, without conditions.
    Safe {
        /// The others' names.
        administrators: Vec<Text>,
    },
    /// The change cannot touch it: a grant carries no right over the policy.
    Untouched,
    /// Nobody, or nobody else, would keep it for certain. The plan cannot be applied.
    Refused {
        /// Who, and by which statement or for want of which.
        why: Text,
    },
}

impl Lockout {
    /// Whether the plan may be applied.
    pub fn is_safe(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

/// How far a principal gets: denied < perhaps < allowed.
fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Allowed { .. } => 2,
        Decision::Conditional { .. } | Decision::Uncertain { .. } => 1,
        Decision::ExplicitlyDenied { .. } | Decision::ImplicitlyDenied { .. } => 0,
    }
}

/// Compares what everybody may do with a key before and after.
pub fn access_changes(before: &Inventory, after: &Inventory, key: &ResourceId) -> AccessChanges {
    let (Some(old), Some(new)) = (access(before, key), access(after, key)) else { return AccessChanges::default() };
    let (mut everybody, whole) = callers(before, &old);
    let (others, also) = callers(after, &new);
    everybody.extend(others);
    everybody.extend(anyone(&old, &new));
    everybody.sort();
    everybody.dedup();
    let mut changes = AccessChanges { incomplete: whole.and(also).err(), ..AccessChanges::default() };
    for caller in everybody {
        let (was, is) = (Identity::of(before, &caller), Identity::of(after, &caller));
        let mut gains: BTreeMap<Text, Vec<&'static str>> = BTreeMap::new();
        let mut loses: BTreeMap<Text, Vec<&'static str>> = BTreeMap::new();
        for action in ACTIONS {
            // why of what was read: an organization takes away the same before and after.
            let then = decide(&old, &was, action, &Scenario::open()).of_what_was_read().clone();
            let now = decide(&new, &is, action, &Scenario::open()).of_what_was_read().clone();
            let side = match rank(&now).cmp(&rank(&then)) {
                std::cmp::Ordering::Greater => &mut gains,
                std::cmp::Ordering::Less => &mut loses,
                std::cmp::Ordering::Equal => continue,
            };
            side.entry(without_action(&now, action)).or_default().push(action.trim_start_matches("kms:"));
        }
        let change = |(how, actions)| AccessChange {
            principal: principal(&caller),
            name: name(&caller, &new.arn),
            foreign: caller.account().is_some_and(|account| account != new.arn.account),
            actions,
            how,
        };
        changes.gains.extend(gains.into_iter().map(change));
        changes.loses.extend(loses.into_iter().map(change));
    }
    for side in [&mut changes.gains, &mut changes.loses] {
        side.sort_by_key(|change| (!change.foreign, change.name.clone()));
    }
    changes
}

/// Looks whether the caller, and at least one other administrator, keeps the right to put the policy.
pub fn lockout(after: &Inventory, key: &ResourceId, session: &SessionInfo) -> Lockout {
    let refused = |why: String| Lockout::Refused { why: Text::new(why) };
    let Some(access) = access(after, key) else { return refused(format!("key {key} is not in the inventory")) };
    let Ok(caller) = Caller::parse(session.principal.as_str()) else {
        return refused(format!("{} is no principal that a key policy can name", session.principal));
    };
    let me = Identity::of(after, &caller);
    // why direct: an administrator calls KMS itself, not through a service. why of what was read: what an organization
    // denies it denies before and after, so that no edit of the key policy locks anybody out by it.
    let ask = |identity: &Identity, action: &str| {
        decide(&access, identity, action, &Scenario::direct()).of_what_was_read().clone()
    };
    for action in ["kms:PutKeyPolicy", "kms:GetKeyPolicy"] {
        let decision = ask(&me, action);
        if !decision.is_allowed() {
            let who = session.principal_name();
            return refused(format!("you ({who}) do not surely hold {action} after it: {}", decision.words()));
        }
    }
    let mut administrators = Vec::new();
    for other in callers(after, &access).0 {
        let identity = Identity::of(after, &other);
        if identity.caller.arn() == me.caller.arn() || !exists(after, &identity.caller, &access.arn) {
            continue;
        }
        if ask(&identity, "kms:PutKeyPolicy").is_allowed() {
            administrators.push(name(&identity.caller, &access.arn));
        }
    }
    if administrators.is_empty() {
        let who = session.principal_name();
        return refused(format!("nobody but you ({who}) would have kms:PutKeyPolicy for certain"));
    }
    Lockout::Safe { administrators }
}

fn access(inventory: &Inventory, key: &ResourceId) -> Option<KeyAccess> {
    KeyAccess::of(inventory.keys.get(key)?)
}

/// Whether a principal is of the key's account and known to exist: a role that only a policy names
/// may be gone.
fn exists(inventory: &Inventory, caller: &Caller, key: &Arn) -> bool {
    let Some(arn) = caller.arn().filter(|arn| arn.account == key.account) else { return false };
    match caller {
        Caller::Root(_) => true,
        Caller::Role { .. } => inventory.roles.contains_key(arn.to_string().as_str()),
        Caller::User(_) => inventory.users.contains_key(arn.to_string().as_str()),
        Caller::Service(_) => false,
    }
}

/// Somebody of an account that nobody has, when a statement of either policy is for everybody.
fn anyone(old: &KeyAccess, new: &KeyAccess) -> Option<Caller> {
    let open = |access: &KeyAccess| {
        let policy = access.policy.as_ref().ok()?;
        let mut principals = policy.statements.iter().filter_map(|statement| statement.principals.as_ref());
        principals.find(|all| all.negated || all.entries.contains(&PrincipalEntry::Everyone)).map(|_| ())
    };
    open(old).or_else(|| open(new))?;
    Caller::parse(&format!("arn:{}:iam::{ANYONE}:root", new.arn.partition)).ok()
}

fn is_anyone(caller: &Caller) -> bool {
    caller.account() == Some(ANYONE)
}

fn principal(caller: &Caller) -> ResourceId {
    match caller.arn() {
        _ if is_anyone(caller) => "*".into(),
        Some(arn) => ResourceId::new(arn.to_string()),
        None => caller.name().into(),
    }
}

fn name(caller: &Caller, key: &Arn) -> Text {
    Text::new(match caller {
        _ if is_anyone(caller) => "anyone in any account".to_owned(),
        Caller::Root(arn) if arn.account == key.account => "account root".to_owned(),
        Caller::Root(arn) => format!("account {}", arn.account),
        Caller::Role { arn, .. } | Caller::User(arn) if arn.account != key.account => {
            format!("{} of account {}", arn.name(), arn.account)
        }
        _ => caller.name().to_owned(),
    })
}

/// The words of a decision, with the action taken out, so that actions decided alike stand together.
fn without_action(decision: &Decision, action: &str) -> Text {
    Text::new(decision.words().as_str().replace(action, "it"))
}
