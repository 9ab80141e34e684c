//! A plan: the changes, what must hold before them, and how they are confirmed.

use serde::{Deserialize, Serialize};

use super::change::{Change, Spot};
use super::error::FixError;
use super::setting::{BucketAt, Setting};
use super::statement;
use crate::base::{ResourceId, Text, Timestamp, digest};
use crate::inventory::kms::{Grant, Key};
use crate::inventory::s3::Bucket;
use crate::inventory::{Document, Kind, ResourceRef, SessionInfo};
use crate::posture::Expectations;

/// Who plans, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The session that would make the change.
    pub session: SessionInfo,
    /// Whether the context is marked as production: then the account is typed, not the resource.
    pub production: bool,
    /// What is expected of the account.
    pub expect: Expectations,
    /// The time.
    pub now: Timestamp,
}

impl Context {
    /// Whether an account is neither ours nor trusted.
    pub fn is_foreign(&self, account: &str) -> bool {
        account != self.session.account.as_str() && !self.expect.trusted_accounts.contains(account)
    }
}

/// What a person must do to confirm a plan. Enter alone never confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirm {
    /// Press `y`.
    Yes,
    /// Type the name of the resource.
    TypeName(String),
    /// Type the alias (else the number) of the account: contexts marked production.
    TypeAlias(String),
}

impl Confirm {
    /// What a change to something of this name asks for here; a grave one wants the name typed.
    pub(super) fn of(name: &str, grave: bool, context: &Context) -> Self {
        match (context.production, grave) {
            (true, _) => Self::TypeAlias(context.session.account_name().to_owned()),
            (false, true) => Self::TypeName(Text::new(name).to_string()),
            (false, false) => Self::Yes,
        }
    }

    /// What has to be typed.
    pub fn wanted(&self) -> &str {
        match self {
            Self::Yes => "y",
            Self::TypeName(text) | Self::TypeAlias(text) => text,
        }
    }

    /// The prompt in front of the input, for a thing of this kind.
    pub fn prompt(&self, kind: Kind) -> String {
        match self {
            Self::Yes => "Press y to apply".to_owned(),
            Self::TypeName(name) => format!("Type the {} name to apply: {name}", kind.word()),
            Self::TypeAlias(alias) => format!("PRODUCTION: type the account alias to apply: {alias}"),
        }
    }

    /// Whether `typed` confirms.
    pub fn accepts(&self, typed: &str) -> bool {
        let wanted = self.wanted();
        !wanted.is_empty() && typed.trim() == wanted
    }
}

/// What must still be so just before the first change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Precondition {
    /// The key's policy is this one.
    Policy {
        /// ARN of the key.
        key: ResourceId,
        /// SHA-256 of its bytes.
        sha256: String,
        /// The policy itself, to show what differs.
        seen: Document,
    },
    /// The key has this grant, and it looks like this.
    Grant {
        /// ARN of the key.
        key: ResourceId,
        /// SHA-256 of the grant as JSON.
        sha256: String,
        /// The grant itself.
        seen: Box<Grant>,
    },
    /// The bucket's setting has this value.
    Setting {
        /// The bucket.
        bucket: BucketAt,
        /// The setting.
        seen: Setting,
    },
}

impl Precondition {
    /// The policy of a key as it is known now.
    pub fn policy(key: &ResourceId, seen: &Document) -> Self {
        Self::Policy { key: key.clone(), sha256: digest::sha256(seen.raw()), seen: seen.clone() }
    }

    /// One grant of a key as it is known now. Only this one: Bedrock makes and retires others on a
    /// key in use all the time.
    pub fn grant(key: &ResourceId, seen: &Grant) -> Self {
        Self::Grant { key: key.clone(), sha256: grant_digest(seen), seen: Box::new(seen.clone()) }
    }

    /// Where it must hold.
    pub fn spot(&self) -> Spot {
        match self {
            Self::Policy { key, .. } | Self::Grant { key, .. } => Spot::Key(key.clone()),
            Self::Setting { bucket, seen } => Spot::Setting(bucket.clone(), seen.which()),
        }
    }
}

/// The SHA-256 of a grant, all its fields.
pub(super) fn grant_digest(grant: &Grant) -> String {
    // A grant has no map with other keys than strings: it can always be written.
    digest::sha256(serde_json::to_string(grant).unwrap_or_default())
}

/// Ordered changes with all that is needed to show, confirm, make and undo them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Follows from the finding and the changes: the same plan has the same id.
    pub id: String,
    /// The fix of the catalogue (`FIX-03`).
    pub fix: String,
    /// What it does, for a title.
    pub title: Text,
    /// What it changes.
    pub target: ResourceRef,
    /// What a person calls that.
    pub target_name: Text,
    /// How it is confirmed.
    pub confirm: Confirm,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// What must hold before the first.
    pub before: Vec<Precondition>,
    /// The finding it is for ([`crate::posture::Verdict::id`]).
    pub finding: Option<String>,
    /// What a person should know before: wider than needed, not exactly undoable.
    pub caveats: Vec<Text>,
    /// The run of the journal that it takes back, if it is an undo.
    #[serde(default)]
    pub undoes: Option<String>,
}

impl Plan {
    /// A plan that replaces the policy of a key.
    pub fn for_policy(
        fix: &str,
        title: impl Into<Text>,
        key: &Key,
        policy: Document,
        finding: Option<&str>,
        context: &Context,
    ) -> Result<Self, FixError> {
        let change = Change::PutKeyPolicy { key: key.arn.clone(), policy };
        let seen =
            key.policy.known().map_err(|why| FixError::not_known(format!("policy of key {}", key.label()), &why))?;
        let caveats = statement::orphans(seen)
            .into_iter()
            .map(|id| {
                Text::new(format!(
                    "the present policy names {id}, a principal that was deleted: KMS will not take it back unchanged, so the undo will fail"
                ))
            })
            .collect();
        let plan = Self::draft(fix, title, key, vec![change], finding, context);
        Ok(Self { before: vec![Precondition::policy(&key.arn, seen)], caveats, ..plan })
    }

    /// A plan of these changes to a key, with no preconditions yet.
    pub(super) fn draft(
        fix: &str,
        title: impl Into<Text>,
        key: &Key,
        changes: Vec<Change>,
        finding: Option<&str>,
        context: &Context,
    ) -> Self {
        let plan = Self {
            id: String::new(),
            fix: fix.to_owned(),
            title: title.into(),
            target: ResourceRef::new(Kind::Key, key.arn.clone()),
            confirm: Confirm::of(key.label(), true, context),
            target_name: Text::new(key.label()),
            changes,
            before: Vec::new(),
            finding: finding.map(str::to_owned),
            caveats: Vec::new(),
            undoes: None,
        };
        Self { id: plan.digest(), ..plan }
    }

    /// A plan that sets a setting of a bucket.
    pub fn for_setting(
        fix: &str,
        title: impl Into<Text>,
        bucket: &Bucket,
        setting: Setting,
        finding: Option<&str>,
        context: &Context,
    ) -> Result<Self, FixError> {
        let seen = Setting::of(bucket, setting.which())?;
        let at = BucketAt::own(bucket, &context.session.account)?;
        let plan = Self {
            id: String::new(),
            fix: fix.to_owned(),
            title: title.into(),
            target: ResourceRef::new(Kind::Bucket, bucket.name.clone()),
            target_name: Text::new(bucket.name.as_str()),
            confirm: Confirm::of(bucket.name.as_str(), setting.is_grave(bucket), context),
            caveats: setting.caveats(),
            before: vec![Precondition::Setting { bucket: at.clone(), seen }],
            changes: vec![Change::PutSetting { bucket: at, setting }],
            finding: finding.map(str::to_owned),
            undoes: None,
        };
        Ok(Self { id: plan.digest(), ..plan })
    }

    /// The same plan with another policy, as edited by hand. The policy is checked.
    pub fn edited(&self, policy: Document) -> Result<Self, FixError> {
        statement::validate(&policy)?;
        let mut plan = self.clone();
        let mut edited = false;
        for change in &mut plan.changes {
            if let Change::PutKeyPolicy { policy: held, .. } = change {
                *held = policy.clone();
                edited = true;
            }
        }
        if !edited {
            return Err(FixError::Unsupported("this plan changes no policy, so there is none to edit".to_owned()));
        }
        plan.id = plan.digest();
        Ok(plan)
    }

    /// The policy that it would write, for the editor.
    pub fn policy(&self) -> Option<&Document> {
        self.changes.iter().find_map(|change| match change {
            Change::PutKeyPolicy { policy, .. } => Some(policy),
            _ => None,
        })
    }

    /// What it is made on and compared with, each once.
    pub fn spots(&self) -> Vec<Spot> {
        let mut spots: Vec<_> =
            self.changes.iter().map(Change::spot).chain(self.before.iter().map(Precondition::spot)).collect();
        spots.sort();
        spots.dedup();
        spots
    }

    /// Whether every change has what it must be compared with before it. A plan from a file may not.
    pub(super) fn is_guarded(&self) -> Result<(), FixError> {
        let guarded = |change: &Change| {
            self.before.iter().any(|precondition| match (change, precondition) {
                (Change::RevokeGrant { key, grant }, Precondition::Grant { key: of, seen, .. }) => {
                    key == of && *grant == seen.id
                }
                (
                    Change::PutKeyPolicy { key, .. } | Change::CreateGrant { key, .. },
                    Precondition::Policy { key: of, .. },
                ) => key == of,
                (Change::PutSetting { .. }, Precondition::Setting { .. }) => change.spot() == precondition.spot(),
                _ => false,
            })
        };
        match self.changes.iter().find(|change| !guarded(change)) {
            None => Ok(()),
            Some(change) => Err(FixError::Unsupported(format!(
                "the plan does not say what must hold before {}: make it again",
                change.words()
            ))),
        }
    }

    /// Whether the changes are those that its id was made from.
    pub(super) fn is_as_made(&self) -> bool {
        self.id == self.digest()
    }

    fn digest(&self) -> String {
        let changes = serde_json::to_string(&self.changes).unwrap_or_default();
        let all = digest::sha256(format!("{}\n{}\n{changes}", self.fix, self.finding.as_deref().unwrap_or_default()));
        all.get(..12).unwrap_or(&all).to_owned()
    }
}

/// A key policy can only be put from the key's own account and region, and only on a key that the
/// customer manages.
pub(super) fn own(key: &Key, context: &Context) -> Result<(), FixError> {
    let no = |why: String| Err(FixError::Unsupported(why));
    let Some(arn) = key.arn.arn() else { return no(format!("{} is no key ARN", key.arn)) };
    let session = &context.session;
    if arn.account != session.account.as_str() {
        return no(format!("key {} belongs to account {}: its owner must change it", key.label(), arn.account));
    }
    if arn.region != session.region.as_str() {
        return no(format!("key {} lies in {}: switch to that region first", key.label(), arn.region));
    }
    match key.metadata.known() {
        Ok(metadata) if metadata.manager.as_str() == "AWS" => {
            no(format!("key {} is managed by AWS: nobody can change its policy", key.label()))
        }
        _ => Ok(()),
    }
}
