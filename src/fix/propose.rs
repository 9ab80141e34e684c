//! From a finding to the plans that mend it. Least first: narrow what is there, then add a statement
//! for one role, then a grant. A finding that this version cannot mend gets no plan and a reason.

use serde_json::{Value, json};

use super::change::{Change, GrantSpec};
use super::error::FixError;
use super::for_role::{account_of, aws_principals, keeps, put_for_role, take_from_role};
use super::plan::{Context, Plan, Precondition, own};
use super::setting::Setting;
use super::statement::{Policy, without_principals};
use crate::access::{Caller, Decision, Layer, Scenario, key_decision};
use crate::base::{ResourceId, Text};
use crate::inventory::kms::{Grant, Key, KeyState};
use crate::inventory::{Inventory, Kind};
use crate::posture::Verdict;

/// What a role that makes custom models needs on their key, and a role that only invokes them
/// (Amazon Bedrock User Guide, "Encryption of custom models").
pub const CUSTOMIZER: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"];
/// See [`CUSTOMIZER`].
pub const INVOKER: &[&str] = &["kms:Decrypt"];
/// See [`CUSTOMIZER`]: models built on Amazon Nova need one right more.
pub const NOVA_INVOKER: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

/// What neither needs: power over the key, and writing for those who only read.
const EXCESS: &[&str] = &[
    "kms:CreateGrant",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:Encrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:PutKeyPolicy",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
];

/// The plans for a finding, best first. `Err` says why there is none.
pub fn propose(verdict: &Verdict, inventory: &Inventory, context: &Context) -> Result<Vec<Plan>, FixError> {
    if !verdict.status.is_finding() {
        return Err(FixError::Unsupported(format!("{} is no finding here, there is nothing to fix", verdict.control)));
    }
    match verdict.resource.kind {
        Kind::Key => {}
        Kind::Bucket => return bucket(verdict, inventory, context),
        _ => return Err(unsupported(verdict)),
    }
    let key = held(inventory, &verdict.resource.id)?;
    own(key, context)?;
    changeable(key)?;
    let bench = Bench { key, inventory, context, verdict: Some(verdict) };
    let plans = match verdict.control {
        "CUS-KMS-06" => {
            let role = verdict.related.iter().find(|related| related.kind == Kind::Role);
            let role = role.ok_or_else(|| FixError::Unsupported("the finding names no role".to_owned()))?;
            if verdict.code.contains("over") { bench.narrow(&role.id)? } else { bench.allow(&role.id)? }
        }
        "CUS-KMS-07" if verdict.code.contains("grant") => bench.revoke_foreign()?,
        "CUS-KMS-07" => bench.close(verdict)?,
        "CUS-KMS-08" => bench.revoke_foreign()?,
        _ => Vec::new(),
    };
    if plans.is_empty() { Err(unsupported(verdict)) } else { Ok(plans) }
}

/// The plans for a bucket.
fn bucket(verdict: &Verdict, inventory: &Inventory, context: &Context) -> Result<Vec<Plan>, FixError> {
    let id = &verdict.resource.id;
    let held = inventory.buckets.get(id);
    let held = held.ok_or_else(|| FixError::Gone(format!("bucket {id} is not in the inventory: press r")))?;
    let name = &held.name;
    let (fix, title, setting) = match verdict.control {
        "CUS-DAT-03" => ("FIX-07", format!("block public access to {name}"), Setting::CLOSED),
        "CUS-DAT-05" => ("FIX-10", format!("keep versions in {name}"), Setting::Versioning(true)),
        _ => return Err(unsupported(verdict)),
    };
    if Setting::of(held, setting.which())? == setting {
        // What is left of the finding is not a matter of this setting.
        return Err(unsupported(verdict));
    }
    Ok(vec![Plan::for_setting(fix, title, held, setting, Some(&verdict.id), context)?])
}

/// KMS refuses to change a key that waits to be deleted (`KMSInvalidStateException`).
fn changeable(key: &Key) -> Result<(), FixError> {
    let pending = key.metadata.known().is_ok_and(|metadata| metadata.state == KeyState::PendingDeletion);
    if !pending {
        return Ok(());
    }
    Err(FixError::Unsupported(format!(
        "key {} is pending deletion and cannot be changed: decide first whether it is kept, with \
         `aws kms cancel-key-deletion --key-id {}`",
        key.label(),
        key.arn.last()
    )))
}

/// The plan that revokes one grant: the Keys pane.
pub fn revoke(
    key: &ResourceId,
    grant: &ResourceId,
    inventory: &Inventory,
    context: &Context,
) -> Result<Plan, FixError> {
    let key = held(inventory, key)?;
    own(key, context)?;
    let bench = Bench { key, inventory, context, verdict: None };
    let grants = bench.grants()?;
    let grant = grants.iter().find(|held| held.id == *grant).ok_or_else(|| {
        FixError::Gone(format!("grant {grant} on key {} is not there any more: press r", key.label()))
    })?;
    bench.revoke(grant)
}

/// The plans that let a role use a key: the Keys and Jobs panes.
pub fn allow(
    key: &ResourceId,
    role: &ResourceId,
    inventory: &Inventory,
    context: &Context,
) -> Result<Vec<Plan>, FixError> {
    let key = held(inventory, key)?;
    own(key, context)?;
    Bench { key, inventory, context, verdict: None }.allow(role)
}

/// What to say of a finding for which there is no plan.
fn unsupported(verdict: &Verdict) -> FixError {
    let what = verdict.resource.kind.word();
    FixError::Unsupported(format!("this version cannot change the {what} for {}; {}", verdict.control, remedy(verdict)))
}

fn remedy(verdict: &Verdict) -> String {
    match crate::posture::control(verdict.control) {
        Some(control) => format!("by hand: {}", control.remediation),
        None => format!("see the remediation of {}", verdict.control),
    }
}

fn held<'a>(inventory: &'a Inventory, key: &ResourceId) -> Result<&'a Key, FixError> {
    inventory.keys.get(key).ok_or_else(|| FixError::Gone(format!("key {key} is not in the inventory: press r")))
}

/// The place of the statement that a pointer is at or in; a lone statement has no number.
fn place(pointer: &str) -> Option<usize> {
    match pointer.strip_prefix("/Statement")? {
        "" => Some(0),
        rest => rest.strip_prefix('/')?.split('/').next()?.parse().ok(),
    }
}

/// The statements that the evidence points at.
fn pointed(verdict: &Verdict) -> Vec<usize> {
    let mut found: Vec<usize> = verdict.evidence.iter().filter_map(|e| place(e.pointer.as_deref()?)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A key on the bench.
struct Bench<'a> {
    key: &'a Key,
    inventory: &'a Inventory,
    context: &'a Context,
    verdict: Option<&'a Verdict>,
}

impl Bench<'_> {
    fn policy(&self) -> Result<Policy, FixError> {
        let name = self.key.label();
        Policy::read(self.key.policy.known().map_err(|why| FixError::not_known(format!("policy of key {name}"), &why))?)
    }

    fn grants(&self) -> Result<&[Grant], FixError> {
        let name = self.key.label();
        let grants =
            self.key.grants.known().map_err(|why| FixError::not_known(format!("grants of key {name}"), &why))?;
        Ok(grants)
    }

    fn put(&self, title: String, policy: &Policy) -> Result<Plan, FixError> {
        Plan::for_policy("FIX-03", title, self.key, policy.write()?, self.finding(), self.context)
    }

    fn finding(&self) -> Option<&str> {
        self.verdict.map(|verdict| verdict.id.as_str())
    }

    /// Whether a role makes models with this key, rather than only invoking them.
    fn customizes(&self, role: &ResourceId) -> bool {
        if let Some(verdict) = self.verdict {
            let on = |kinds: &[Kind]| verdict.related.iter().any(|related| kinds.contains(&related.kind));
            if on(&[Kind::Job]) {
                return true;
            }
            if on(&[Kind::Deployment, Kind::Throughput]) {
                return false;
            }
        }
        self.inventory.jobs.values().any(|job| job.detail.known().is_ok_and(|detail| detail.role == *role))
    }

    /// What a role needs on this key, and the statement that says so.
    fn needs(&self, role: &ResourceId) -> (&'static [&'static str], &'static str) {
        let here = |key: Option<&ResourceId>| key.is_some_and(|key| key.last() == self.key.arn.last());
        let nova = self.inventory.models.values().any(|model| {
            model.base_model.as_str().contains("amazon.nova")
                && model.detail.known().is_ok_and(|detail| here(detail.kms_key.as_ref()))
        });
        match (self.customizes(role), nova) {
            (true, _) => (CUSTOMIZER, "BedwatchCustomize"),
            (false, true) => (NOVA_INVOKER, "BedwatchInvoke"),
            (false, false) => (INVOKER, "BedwatchInvoke"),
        }
    }

    fn decision(&self, role: &ResourceId, action: &str, way: &Scenario) -> Result<Decision, FixError> {
        let caller = Caller::parse(role.as_str()).map_err(|error| FixError::Unsupported(error.to_string()))?;
        Ok(key_decision(self.inventory, &self.key.arn, &caller, action, way).of_what_was_read().clone())
    }

    fn through(&self) -> Scenario {
        Scenario::through_bedrock(self.context.session.region.as_str())
    }

    fn condition(&self) -> Value {
        let host = format!("bedrock.{}.amazonaws.com", self.context.session.region);
        json!({"StringLike": {"kms:ViaService": host}})
    }

    /// A role lacks a right.
    fn allow(&self, role: &ResourceId) -> Result<Vec<Plan>, FixError> {
        let (needed, sid) = self.needs(role);
        let use_ = if needed == CUSTOMIZER { "for customization" } else { "to invoke its models" };
        let mut missing = Vec::new();
        for action in needed {
            match self.decision(role, action, &self.through())? {
                Decision::Allowed { .. } => {}
                denied @ Decision::ExplicitlyDenied { .. } => {
                    return Err(FixError::Unsupported(format!(
                        "{action} is {} for {}: an Allow cannot override it, the Deny must be changed first",
                        denied.words(),
                        role.last()
                    )));
                }
                _ => missing.push(*action),
            }
        }
        if missing.is_empty() {
            missing = needed.to_vec();
        }
        let (who, name) = (role.last(), self.key.label());
        let mut policy = self.policy()?;
        put_for_role(&mut policy, sid, role, needed, &self.condition());
        let mut statement = self.put(format!("let {who} use {name} {use_}"), &policy)?;
        if !self.inventory.roles.contains_key(role) {
            statement.caveats.push(Text::new(format!(
                "role {who} is not in the inventory: KMS refuses a policy that names a role which does not exist"
            )));
        }
        let operations: Vec<_> = missing.iter().map(|action| action.trim_start_matches("kms:")).collect();
        let grant = GrantSpec::new(&self.key.arn, role.clone(), &operations);
        let change = Change::CreateGrant { key: self.key.arn.clone(), grant };
        let title = format!("let {who} use {name} {use_}, with a grant");
        let mut grant = Plan::draft("FIX-03", title, self.key, vec![change], self.finding(), self.context);
        if let Ok(seen) = self.key.policy.known() {
            grant.before.push(Precondition::policy(&self.key.arn, seen));
        }
        grant.caveats.push(
            "a grant cannot carry kms:ViaService: the role may use the key directly too, so this is wider than the statement"
                .into(),
        );
        grant.caveats.push("nobody is named to retire it: it stays until it is revoked".into());
        Ok(vec![statement, grant])
    }

    /// A role has rights that it does not need.
    fn narrow(&self, role: &ResourceId) -> Result<Vec<Plan>, FixError> {
        let (needed, sid) = self.needs(role);
        let mut excess = Vec::new();
        let (mut places, mut grants) = (Vec::new(), Vec::new());
        let mut elsewhere = Vec::new();
        // What the finding looked at, where it says so.
        let judged = |action: &&&str| {
            let labels = self.verdict.map(|verdict| verdict.evidence.iter().map(|e| e.label.as_str()));
            let mut labels = labels.into_iter().flatten().filter(|label| label.starts_with("kms:")).peekable();
            labels.peek().is_none() || labels.any(|label| label == **action)
        };
        for action in EXCESS.iter().filter(|action| !needed.contains(action)).filter(judged) {
            let ways = [self.through(), Scenario::direct()];
            let mut decisions = Vec::new();
            for way in &ways {
                let decision = self.decision(role, action, way)?;
                if matches!(decision, Decision::Allowed { .. } | Decision::Conditional { .. }) {
                    decisions.push(decision);
                }
            }
            if decisions.is_empty() {
                continue;
            }
            excess.push(*action);
            for decision in &decisions {
                // What the root statement delegates stands in a policy of the role.
                let delegated = decision.by().iter().find(|by| matches!(by.layer, Layer::Identity(_)));
                for by in delegated.map_or(decision.by(), std::slice::from_ref) {
                    match (&by.layer, by.pointer.as_deref()) {
                        (Layer::KeyPolicy, Some(pointer)) => places.extend(place(pointer)),
                        (Layer::Grant(id), _) => grants.push(id.clone()),
                        (layer, _) => elsewhere.push(layer.to_string()),
                    }
                }
            }
        }
        let mut plans = Vec::new();
        places.sort_unstable();
        places.dedup();
        if !places.is_empty() {
            let mut policy = self.policy()?;
            // From the last to the first, so that the places of the others stay right.
            for index in places.into_iter().rev() {
                take_from_role(&mut policy, index, role, needed, &excess)?;
            }
            if !keeps(&policy, role, needed) {
                put_for_role(&mut policy, sid, role, needed, &self.condition());
            }
            plans.push(self.put(format!("leave {} only what it needs on {}", role.last(), self.key.label()), &policy)?);
        }
        grants.sort();
        grants.dedup();
        for grant in self.grants()?.iter().filter(|grant| grants.contains(&grant.id)) {
            plans.push(self.revoke(grant)?);
        }
        if plans.is_empty() && !elsewhere.is_empty() {
            elsewhere.sort();
            elsewhere.dedup();
            return Err(FixError::Unsupported(format!(
                "this version cannot change IAM policies, and {} gets its rights from {}: take {} out of it by hand",
                role.last(),
                elsewhere.join(", "),
                excess.join(", ")
            )));
        }
        Ok(plans)
    }

    /// Everybody, or another account, may use the key.
    fn close(&self, verdict: &Verdict) -> Result<Vec<Plan>, FixError> {
        let policy = self.policy()?;
        let account = self.context.session.account.as_str();
        let foreign = |name: &str| account_of(name).is_some_and(|id| self.context.is_foreign(&id));
        let everyone = verdict.code == "public-principal";
        // why: everyone of our own organization may stay where another account was the problem.
        let goes = |statement: &Value, name: &str| {
            foreign(name) || (name == "*" && (everyone || !aws_principals(statement).into_iter().any(foreign)))
        };
        let offends = |index: &usize| {
            policy.statements().get(*index).is_some_and(|statement| {
                statement.get("Effect").and_then(Value::as_str) == Some("Allow")
                    && (statement.get("NotPrincipal").is_some()
                        || aws_principals(statement).into_iter().any(|name| goes(statement, name)))
            })
        };
        let all: Vec<usize> = (0..policy.statements().len()).collect();
        let pointed = pointed(verdict);
        let offending: Vec<usize> = if pointed.is_empty() { all } else { pointed };
        let offending: Vec<usize> = offending.into_iter().filter(offends).collect();
        if offending.is_empty() {
            return Err(FixError::Gone(format!(
                "the policy of key {} names no outsider any more: press r",
                self.key.label()
            )));
        }
        let mut without = policy.clone();
        let mut public = Vec::new();
        for index in offending.into_iter().rev() {
            let Some(statement) = policy.statements().get(index) else { continue };
            if everyone && aws_principals(statement).contains(&"*") {
                public.push(index);
            }
            match without_principals(statement, |name| goes(statement, name)) {
                Some(kept) => without.replace(index, kept)?,
                None => drop(without.remove(index)?),
            }
        }
        let name = self.key.label();
        let what = if everyone { "everyone" } else { "other accounts" };
        let mut plans = Vec::new();
        // A policy cannot be empty; then only the second plan is left.
        if !without.statements().is_empty() {
            plans.push(self.put(format!("close {name} to {what}"), &without)?);
        }
        if !public.is_empty() {
            let mut inward = policy.clone();
            let partition = self.key.arn.arn().map_or_else(|| "aws".to_owned(), |arn| arn.partition);
            for index in public {
                if let Some(mut statement) = policy.statements().get(index).cloned() {
                    if let Some(principal) = statement.get_mut("Principal") {
                        *principal = json!({"AWS": format!("arn:{partition}:iam::{account}:root")});
                    }
                    inward.replace(index, statement)?;
                }
            }
            let mut plan = self.put(format!("close {name} to other accounts; IAM of {account} decides"), &inward)?;
            plan.caveats.push("whoever in the account has a matching IAM policy keeps the access".into());
            plans.push(plan);
        }
        Ok(plans)
    }

    /// Other accounts have grants.
    fn revoke_foreign(&self) -> Result<Vec<Plan>, FixError> {
        let foreign =
            |grant: &&Grant| account_of(grant.grantee.as_str()).is_some_and(|id| self.context.is_foreign(&id));
        self.grants()?.iter().filter(foreign).map(|grant| self.revoke(grant)).collect()
    }

    fn revoke(&self, grant: &Grant) -> Result<Plan, FixError> {
        // why never: it is how Bedrock itself opens the model; without it the model is lost.
        if account_of(grant.grantee.as_str()).is_none() {
            return Err(FixError::Unsupported(format!(
                "grant {} belongs to {}: revoking it could make a model unusable for good, so bedwatch does not",
                grant.id, grant.grantee
            )));
        }
        let change = Change::RevokeGrant { key: self.key.arn.clone(), grant: grant.id.clone() };
        let title = format!("revoke the grant of {} on {}", person(&grant.grantee), self.key.label());
        let mut plan = Plan::draft("FIX-04", title, self.key, vec![change], self.finding(), self.context);
        plan.before.push(Precondition::grant(&self.key.arn, grant));
        plan.caveats.push("KMS takes up to some minutes until the grantee really loses the key".into());
        if !is_exact(grant) {
            plan.caveats
                .push("the grant holds characters that bedwatch does not keep: the undo will not be exact".into());
        }
        Ok(plan)
    }
}

/// Whether the grant holds nothing that was made visible when it was read: such a mark is not what
/// stood there.
fn is_exact(grant: &Grant) -> bool {
    let marked = |text: &Text| text.as_str().chars().any(|c| matches!(c, '\u{2400}'..='\u{2421}' | '⟨'));
    let pairs = grant.context_equals.iter().chain(&grant.context_subset);
    !pairs.flat_map(|(key, value)| [key, value]).chain(&grant.name).any(marked)
}

/// `OrionTuner of account …`, or `account …`.
fn person(principal: &ResourceId) -> String {
    match principal.arn() {
        Some(arn) if arn.name() == "root" => format!("account {}", arn.account),
        Some(arn) => format!("{} of account {}", arn.name(), arn.account),
        None => principal.to_string(),
    }
}

#[cfg(test)]
#[path = "propose_tests.rs"]
mod tests;
