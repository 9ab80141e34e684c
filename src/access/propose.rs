//! The least that lets a role do something with a key: one statement or two, narrowed to the service that
//! calls, refused if anybody else would gain by it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::policy::Policy;
use super::scenario::Scenario;
use super::target::Target;
use super::who::{Difference, People, Shift, Who, diff, who_of};
use super::{Caller, KeyAccess};
use crate::base::arn::ArnKind;
use crate::base::{Arn, ResourceId, Text, Timestamp};
use crate::inventory::kms::{Grant, Key};
use crate::inventory::{Document, Inventory};

/// What a role needs a key for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To customize models under it (B5).
    Customize,
    /// To invoke models under it; Amazon Nova needs one right more.
    Invoke {
        /// Whether the model is built on Nova.
        nova: bool,
    },
    /// To copy a model under it into its own account.
    Copy,
    /// To read training data under it.
    ReadData,
}

impl Purpose {
    /// Its word, the service that calls, and the actions it needs, granting apart.
    fn needs(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Customize => ("Customize", "bedrock", &["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]),
            Self::Invoke { nova: false } => ("Invoke", "bedrock", &["kms:Decrypt"]),
            Self::Invoke { nova: true } => ("Invoke", "bedrock", &["kms:Decrypt", "kms:GenerateDataKey"]),
            Self::Copy => ("Copy", "bedrock", &["kms:Decrypt", "kms:DescribeKey"]),
            Self::ReadData => ("ReadData", "s3", &["kms:Decrypt"]),
        }
    }

    /// Whether Bedrock makes a grant of its own for it.
    fn grants(self) -> bool {
        matches!(self, Self::Customize | Self::Copy)
    }

    /// The grant operations it needs.
    fn operations(self) -> Vec<&'static str> {
        let named = self.needs().2.iter().filter_map(|action| action.strip_prefix("kms:"));
        named.chain(self.grants().then_some("CreateGrant")).collect()
    }
}

/// Access for a while: a break-glass statement that says why and until when. What has ended is found by
/// [`super::lint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// When it ends.
    pub at: Timestamp,
    /// The ticket that it is for; letters and digits of it go into the Sid.
    pub ticket: String,
}

/// A policy with the statements added, and what that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The statements that were added.
    pub statements: Vec<Value>,
    /// The whole new policy.
    pub document: Document,
    /// Who gains: nobody but the role.
    pub changes: Vec<Difference>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// The role or the key is none, or was not read.
    #[error("{0}")]
    Unfit(Text),
    /// Somebody else would gain.
    #[error("refused: {who} would gain {action}")]
    GivesOthers {
        /// Who.
        who: Text,
        /// What.
        action: String,
    },
    /// The policy would not fit.
    #[error("refused: the policy would have {bytes} bytes, KMS takes {limit}: use a grant")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most.
        limit: usize,
    },
}

/// The statements for a role, narrowed by the service that calls and the account of the caller.
pub fn statements(role: &Arn, key: &Arn, purpose: Purpose, until: Option<&Until>) -> Vec<Value> {
    let (word, service, actions) = purpose.needs();
    let clean = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let sid = |what: &str| match until {
        None => format!("{what}{}", clean(role.name())),
        Some(until) => {
            let day = until.at.to_string().chars().take(10).filter(char::is_ascii_digit).collect::<String>();
            format!("{what}{}Ticket{}Until{day}", clean(role.name()), clean(&until.ticket))
        }
    };
    let one = |what: &str, actions: &[&str], own_grant: bool| {
        let mut condition = json!({"StringEquals": {
            "kms:ViaService": format!("{service}.{}.amazonaws.com", key.region),
            "kms:CallerAccount": role.account,
        }});
        if own_grant {
            condition["Bool"] = json!({"kms:GrantIsForAWSResource": "true"});
        }
        if let Some(until) = until {
            condition["DateLessThan"] = json!({"aws:CurrentTime": until.at.to_string()});
        }
        json!({
            "Sid": sid(what), "Effect": "Allow", "Principal": {"AWS": role.to_string()},
            "Action": actions, "Resource": "*", "Condition": condition,
        })
    };
    let mut found = vec![one(word, actions, false)];
    // why apart: a grant that is not for Bedrock's own use would hand the key on (G5).
    if purpose.grants() {
        found.push(one(&format!("{word}Grant"), &["kms:CreateGrant"], true));
    }
    found
}

/// Proposes a new key policy, and looks who gains by it.
pub fn propose(
    inventory: &Inventory,
    key: &Key,
    role: &ResourceId,
    purpose: Purpose,
    until: Option<&Until>,
) -> Result<Proposal, NoProposal> {
    let unfit = |why: String| NoProposal::Unfit(Text::new(why));
    let arn = role.arn().filter(|arn| arn.kind() == ArnKind::Role);
    let arn = arn.ok_or_else(|| unfit(format!("{role} is no role ARN")))?;
    let access = KeyAccess::of(key).ok_or_else(|| unfit(format!("{} is no key ARN", key.arn)))?;
    access.policy.as_ref().map_err(|why| NoProposal::Unfit(why.clone()))?;
    let held = key.policy.known().map_err(|unknown| unfit(format!("key policy: {unknown}")))?;
    let mut json = held.json().map_err(|error| unfit(error.to_string()))?;
    let added = statements(&arn, &access.arn, purpose, until);
    match json.get_mut("Statement") {
        Some(Value::Array(list)) => list.extend(added.iter().cloned()),
        Some(lone) => {
            let first = lone.take();
            *lone = std::iter::once(first).chain(added.iter().cloned()).collect();
        }
        None => return Err(unfit("the key policy has no Statement".to_owned())),
    }
    let document = Document::pretty(&json);
    let (bytes, limit) = (document.raw().len(), Document::KEY_POLICY_LIMIT);
    if bytes > limit {
        return Err(NoProposal::TooLong { bytes, limit });
    }
    let policy = Policy::parse(&document).map_err(|error| unfit(error.to_string()))?;
    let after = access.with_policy(policy);
    let changes = changes(inventory, access, after);
    only(&changes, &arn)?;
    Ok(Proposal { statements: added, document, changes })
}

/// A grant that does the same, and what it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantProposal {
    /// `Operations` of the grant.
    pub operations: Vec<&'static str>,
    /// Who gains: nobody but the role.
    pub changes: Vec<Difference>,
}

/// Proposes a grant, and looks who gains by it. why second to a statement: a grant cannot be tied to the service that
/// calls, nor end by itself; it is for a key policy that is full or not to be touched.
pub fn propose_grant(
    inventory: &Inventory,
    key: &Key,
    role: &ResourceId,
    purpose: Purpose,
) -> Result<GrantProposal, NoProposal> {
    let unfit = |why: String| NoProposal::Unfit(Text::new(why));
    let arn = role.arn().filter(|arn| arn.kind() == ArnKind::Role);
    let arn = arn.ok_or_else(|| unfit(format!("{role} is no role ARN")))?;
    let access = KeyAccess::of(key).ok_or_else(|| unfit(format!("{} is no key ARN", key.arn)))?;
    access.policy.as_ref().map_err(|why| NoProposal::Unfit(why.clone()))?;
    access.grants.as_ref().map_err(|why| NoProposal::Unfit(why.clone()))?;
    let operations: Vec<&'static str> = purpose.operations();
    let mut after = access.clone();
    if let Ok(grants) = &mut after.grants {
        grants.push(Grant {
            id: ResourceId::new("proposed"),
            name: None,
            grantee: role.clone(),
            retiring: None,
            issuer: None,
            operations: operations.iter().copied().map(Text::new).collect(),
            context_equals: BTreeMap::new(),
            context_subset: BTreeMap::new(),
            source_arn: None,
            created: None,
        });
    }
    let changes = changes(inventory, access, after);
    only(&changes, &arn)?;
    Ok(GrantProposal { operations, changes })
}

/// Who gains and loses between two states of a key.
fn changes(inventory: &Inventory, before: KeyAccess, after: KeyAccess) -> Vec<Difference> {
    let actions = super::catalogue::of_type("kms", "key");
    let mut people = People::of(inventory);
    let mut ask = |access: KeyAccess| {
        let target = Target::One(Box::new(access.resource()));
        who_of(inventory, &mut people, &target, &actions, &Scenario::open())
    };
    diff(&ask(before), &ask(after))
}

/// Refuses what gives somebody else anything.
fn only(changes: &[Difference], role: &Arn) -> Result<(), NoProposal> {
    let meant = |who: &Who| matches!(who, Who::Caller(Caller::Role { arn, .. }) if arn == role);
    let gains = changes.iter().filter(|one| matches!(one.shift, Shift::Gain | Shift::Widen | Shift::Change));
    match gains.into_iter().find(|one| !meant(&one.who)) {
        None => Ok(()),
        Some(one) => Err(NoProposal::GivesOthers { who: one.who.name(), action: one.action.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::lint::{Kind, lint};
    use crate::inventory::Read;

    use std::collections::BTreeSet;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k1";
    const ROLE: &str = "arn:aws:iam::123456789012:role/ml/Tuner";

    fn key() -> Key {
        let mut key = Key::bare(KEY);
        let root = json!({"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"});
        let document = Document::pretty(&json!({"Version": "2012-10-17", "Statement": root}));
        key.policy = Read::got(document, Timestamp::from_secs(1));
        key.grants = Read::got(Vec::new(), Timestamp::from_secs(1));
        key
    }

    #[test]
    fn only_the_role_gains_and_only_through_the_service() {
        let inventory = Inventory::default();
        let until = Until { at: "2026-12-01T00:00:00Z".parse().unwrap(), ticket: "OPS-7".into() };
        for (purpose, actions) in [
            (Purpose::Customize, vec!["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]),
            (Purpose::Invoke { nova: false }, vec!["kms:Decrypt"]),
            (Purpose::Invoke { nova: true }, vec!["kms:Decrypt", "kms:GenerateDataKey"]),
            (Purpose::Copy, vec!["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"]),
            (Purpose::ReadData, vec!["kms:Decrypt"]),
        ] {
            let arn: Arn = ROLE.parse().unwrap();
            let added = statements(&arn, &KEY.parse().unwrap(), purpose, Some(&until));
            let mut found: Vec<&str> = added
                .iter()
                .flat_map(|one| one["Action"].as_array().unwrap())
                .map(|action| action.as_str().unwrap())
                .collect();
            found.sort_unstable();
            assert_eq!(found, actions);
            assert!(added[0]["Sid"].as_str().unwrap().ends_with("TunerTicketOPS7Until20261201"), "{}", added[0]);
            for one in &added {
                let grants = one["Action"].as_array().unwrap().contains(&json!("kms:CreateGrant"));
                assert_eq!(one["Condition"]["Bool"]["kms:GrantIsForAWSResource"] == "true", grants, "{one}");
            }
            let proposal = propose(&inventory, &key(), &ROLE.into(), purpose, Some(&until)).unwrap();
            let remarks = |at: &str| {
                let found = lint(&proposal.document, Kind::Key, at.parse().unwrap());
                found.into_iter().map(|remark| remark.code).collect::<Vec<_>>()
            };
            assert_eq!(remarks("2026-10-01T00:00:00Z"), Vec::<&str>::new());
            assert_eq!(remarks("2026-11-30T00:00:00Z"), vec!["expires-soon"; added.len()]);
            assert_eq!(remarks("2026-12-01T00:00:00Z"), vec!["expired"; added.len()]);
        }
        // A role that was read, so that what it could do before is known.
        let mut inventory = inventory;
        let role = crate::inventory::testing::role(ROLE);
        inventory.roles.insert(role.arn.clone(), role);
        let source = crate::inventory::SourceId::AUTHORIZATION;
        inventory.coverage.record(crate::inventory::SourceReport::sum(source, Timestamp::from_secs(1), 1, &[]));
        let grant = propose_grant(&inventory, &key(), &ROLE.into(), Purpose::Customize).unwrap();
        assert_eq!(grant.operations, ["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant"]);
        let gained: BTreeSet<&str> = grant.changes.iter().map(|one| one.action.as_str()).collect();
        let given: BTreeSet<String> = grant.operations.iter().map(|one| format!("kms:{one}")).collect();
        assert!(gained.iter().all(|one| given.contains(*one)), "{gained:?}");
        let user = propose(&inventory, &key(), &"arn:aws:iam::1:user/x".into(), Purpose::Copy, None);
        assert!(matches!(user, Err(NoProposal::Unfit(_))));
    }

    #[test]
    fn whoever_else_gains_is_named() {
        let before = crate::access::Decision::ImplicitlyDenied { missing: Vec::new() };
        let after = crate::access::Decision::Allowed { by: Vec::new() };
        let gain = |who: Who, shift| Difference {
            who,
            foreign: true,
            action: "kms:Decrypt".into(),
            shift,
            before: before.clone(),
            after: after.clone(),
        };
        let role: Arn = ROLE.parse().unwrap();
        let own = gain(Who::Caller(Caller::parse(ROLE).unwrap()), Shift::Gain);
        assert_eq!(only(std::slice::from_ref(&own), &role), Ok(()));
        assert_eq!(only(&[own.clone(), gain(Who::Anyone, Shift::Lose)], &role), Ok(()));
        for shift in [Shift::Gain, Shift::Widen, Shift::Change] {
            assert!(matches!(
                only(&[own.clone(), gain(Who::Anyone, shift)], &role),
                Err(NoProposal::GivesOthers { .. })
            ));
        }
    }
}
