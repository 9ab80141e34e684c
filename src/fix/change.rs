//! One mutating API call as data: what it is, what it does to an inventory, how a person would
//! type it. Every call that bedwatch can make is a variant here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::error::FixError;
use super::setting::{BucketAt, Setting, Which};
use crate::base::text::is_hostile;
use crate::base::{ResourceId, Text, Timestamp, digest};
use crate::inventory::kms::{Grant, Key};
use crate::inventory::{Document, Inventory, Read};

/// One mutating API call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation")]
pub enum Change {
    /// `kms:PutKeyPolicy` of the policy named `default`, the only one there is. KMS's own check
    /// against lockout stays on: there is no way to ask for anything else.
    #[serde(rename = "kms:PutKeyPolicy")]
    PutKeyPolicy {
        /// ARN of the key.
        key: ResourceId,
        /// The whole new policy.
        policy: Document,
    },
    /// `kms:CreateGrant`.
    #[serde(rename = "kms:CreateGrant")]
    CreateGrant {
        /// ARN of the key.
        key: ResourceId,
        /// The grant.
        grant: GrantSpec,
    },
    /// `kms:RevokeGrant`.
    #[serde(rename = "kms:RevokeGrant")]
    RevokeGrant {
        /// ARN of the key.
        key: ResourceId,
        /// `GrantId`.
        grant: ResourceId,
    },
    /// One setting of a bucket: the setting names the operation.
    #[serde(rename = "s3:PutSetting")]
    PutSetting {
        /// The bucket.
        bucket: BucketAt,
        /// What it is set to.
        setting: Setting,
    },
}

/// What a change is made on: what is read before and after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// A key, by its ARN: its policy and its grants.
    Key(ResourceId),
    /// A setting of a bucket.
    Setting(BucketAt, Which),
}

impl Spot {
    /// ARN of the key, name of the bucket.
    pub fn id(&self) -> &ResourceId {
        match self {
            Self::Key(id) => id,
            Self::Setting(bucket, _) => &bucket.name,
        }
    }
}

/// What a grant is made from (AWS KMS API Reference, CreateGrant).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantSpec {
    /// `Name`. Always set: the same name and parameters again return the same grant, so that a
    /// repeated call makes no second one.
    pub name: Text,
    /// `GranteePrincipal`.
    pub grantee: ResourceId,
    /// `RetiringPrincipal`.
    pub retiring: Option<ResourceId>,
    /// `Operations`.
    pub operations: Vec<Text>,
    /// `Constraints.EncryptionContextEquals`.
    pub context_equals: BTreeMap<Text, Text>,
    /// `Constraints.EncryptionContextSubset`.
    pub context_subset: BTreeMap<Text, Text>,
    /// `Constraints.SourceArn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<ResourceId>,
}

impl GrantSpec {
    /// A grant of `operations` to `grantee`, with a name that follows from key, grantee and
    /// operations.
    pub fn new(key: &ResourceId, grantee: ResourceId, operations: &[&str]) -> Self {
        let mut operations: Vec<Text> = operations.iter().copied().map(Text::new).collect();
        operations.sort();
        operations.dedup();
        let words: Vec<_> = operations.iter().map(Text::as_str).collect();
        let token = digest::sha256(format!("{key}\n{grantee}\n{}", words.join(",")));
        Self {
            name: format!("bedwatch-{}", token.get(..32).unwrap_or(&token)).into(),
            grantee,
            retiring: None,
            operations,
            context_equals: BTreeMap::new(),
            context_subset: BTreeMap::new(),
            source_arn: None,
        }
    }

    /// What would make this grant again. It gets a new id; a grant without a name gets one.
    pub fn again(key: &ResourceId, grant: &Grant) -> Self {
        let words: Vec<_> = grant.operations.iter().map(Text::as_str).collect();
        let fresh = Self::new(key, grant.grantee.clone(), &words);
        Self {
            name: grant.name.clone().filter(|name| !name.is_empty()).unwrap_or(fresh.name),
            retiring: grant.retiring.clone(),
            operations: grant.operations.clone(),
            context_equals: grant.context_equals.clone(),
            context_subset: grant.context_subset.clone(),
            source_arn: grant.source_arn.clone(),
            ..fresh
        }
    }

    /// Whether this grant is what the spec makes.
    pub fn made(&self, grant: &Grant) -> bool {
        let sorted = |operations: &[Text]| {
            let mut operations = operations.to_vec();
            operations.sort();
            operations
        };
        grant.name.as_ref() == Some(&self.name)
            && grant.grantee == self.grantee
            && grant.retiring == self.retiring
            && sorted(&grant.operations) == sorted(&self.operations)
            && grant.context_equals == self.context_equals
            && grant.context_subset == self.context_subset
            && grant.source_arn == self.source_arn
    }

    /// The id that a preview shows: nobody knows the real one before the call.
    pub fn provisional_id(&self, key: &ResourceId) -> ResourceId {
        digest::sha256(format!("{key}\n{}", self.name)).into()
    }

    /// The grant as `ListGrants` will show it; its id is `id`.
    pub fn grant(&self, key: &ResourceId, id: ResourceId, at: Timestamp) -> Grant {
        Grant {
            id,
            name: Some(self.name.clone()),
            grantee: self.grantee.clone(),
            retiring: self.retiring.clone(),
            issuer: key.arn().map(|arn| format!("arn:{}:iam::{}:root", arn.partition, arn.account).into()),
            operations: self.operations.clone(),
            context_equals: self.context_equals.clone(),
            context_subset: self.context_subset.clone(),
            source_arn: self.source_arn.clone(),
            created: Some(at),
        }
    }
}

impl Change {
    /// `service:Operation`, as the guard of the session names it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::PutKeyPolicy { .. } => "kms:PutKeyPolicy",
            Self::CreateGrant { .. } => "kms:CreateGrant",
            Self::RevokeGrant { .. } => "kms:RevokeGrant",
            Self::PutSetting { setting, .. } => setting.operation(),
        }
    }

    /// ARN of the key, or name of the bucket, that it changes.
    pub fn target(&self) -> &ResourceId {
        match self {
            Self::PutKeyPolicy { key, .. } | Self::CreateGrant { key, .. } | Self::RevokeGrant { key, .. } => key,
            Self::PutSetting { bucket, .. } => &bucket.name,
        }
    }

    /// What it is made on.
    pub fn spot(&self) -> Spot {
        match self {
            Self::PutSetting { bucket, setting } => Spot::Setting(bucket.clone(), setting.which()),
            _ => Spot::Key(self.target().clone()),
        }
    }

    /// The change in some words, for lists: `kms:RevokeGrant 3f9a… on 91b5…`.
    pub fn words(&self) -> String {
        let key = self.target().last();
        match self {
            Self::PutKeyPolicy { policy, .. } => format!("kms:PutKeyPolicy ({} bytes) on {key}", policy.raw().len()),
            Self::CreateGrant { grant, .. } => format!("kms:CreateGrant {} to {} on {key}", grant.name, grant.grantee),
            Self::RevokeGrant { grant, .. } => format!("kms:RevokeGrant {grant} on {key}"),
            Self::PutSetting { bucket, setting } => {
                format!("{} ({}) on {}", setting.operation(), setting.words(), bucket.name)
            }
        }
    }

    /// What the inventory will hold after the call, read at `at`. A new grant has its
    /// [provisional id](GrantSpec::provisional_id).
    pub fn apply_to(&self, inventory: &mut Inventory, at: Timestamp) -> Result<(), FixError> {
        if let Self::PutSetting { bucket, setting } = self {
            bucket.find(inventory)?;
            if let Some(held) = inventory.buckets.get_mut(&bucket.name) {
                setting.put_into(held, at);
            }
            return Ok(());
        }
        let key = inventory
            .keys
            .get_mut(self.target())
            .ok_or_else(|| FixError::Gone(format!("key {} is not in the inventory: press r", self.target())))?;
        match self {
            Self::PutKeyPolicy { policy, .. } => key.policy = Read::got(policy.clone(), at),
            Self::CreateGrant { key: arn, grant } => {
                let grants = known_grants(key)?;
                if !grants.iter().any(|held| grant.made(held)) {
                    grants.push(grant.grant(arn, grant.provisional_id(arn), at));
                }
            }
            Self::RevokeGrant { grant, .. } => {
                let grants = known_grants(key)?;
                let held = grants.len();
                grants.retain(|held| held.id != *grant);
                if grants.len() == held {
                    return Err(FixError::Gone(format!("grant {grant} is not there any more: press r")));
                }
            }
            // Made above: it has no key.
            Self::PutSetting { .. } => {}
        }
        Ok(())
    }

    /// The call as a line for a shell: exact, and safe to draw. Letters that could act on a
    /// terminal stand in it as JSON escapes, which mean the same.
    pub fn call(&self) -> String {
        let arn = self.target().arn();
        let region = arn.as_ref().map(|arn| arn.region.as_str()).filter(|region| !region.is_empty());
        let mut line = String::from("aws kms ");
        line.push_str(match self {
            Self::PutKeyPolicy { .. } => "put-key-policy",
            Self::CreateGrant { .. } => "create-grant",
            Self::RevokeGrant { .. } => "revoke-grant",
            Self::PutSetting { bucket, setting } => return setting.call(bucket),
        });
        let mut option = |name: &str, value: &str| {
            // A write to a String cannot fail.
            let _ = write!(line, " --{name} {}", quoted(value));
        };
        if let Some(region) = region {
            option("region", region);
        }
        option("key-id", self.target().as_str());
        match self {
            Self::PutKeyPolicy { policy, .. } => {
                option("policy-name", "default");
                option("policy", &visible_json(policy));
            }
            Self::CreateGrant { grant, .. } => {
                option("name", grant.name.as_str());
                let kind = |who: &ResourceId| if Grant::is_service(who) { "service-principal" } else { "principal" };
                option(&format!("grantee-{}", kind(&grant.grantee)), grant.grantee.as_str());
                if let Some(retiring) = &grant.retiring {
                    option(&format!("retiring-{}", kind(retiring)), retiring.as_str());
                }
                let _ = write!(line, " --operations");
                for operation in &grant.operations {
                    let _ = write!(line, " {}", quoted(operation.as_str()));
                }
                let mut constraints = serde_json::Map::new();
                for (name, pairs) in [
                    ("EncryptionContextEquals", &grant.context_equals),
                    ("EncryptionContextSubset", &grant.context_subset),
                ] {
                    if !pairs.is_empty() {
                        let pairs = pairs.iter().map(|(k, v)| (k.to_string(), v.as_str().into()));
                        constraints.insert(name.to_owned(), serde_json::Value::Object(pairs.collect()));
                    }
                }
                if let Some(source) = &grant.source_arn {
                    constraints.insert("SourceArn".to_owned(), source.as_str().into());
                }
                if !constraints.is_empty() {
                    let json = serde_json::Value::Object(constraints).to_string();
                    let _ = write!(line, " --constraints {}", quoted(&json));
                }
            }
            Self::RevokeGrant { grant, .. } => option("grant-id", grant.as_str()),
            Self::PutSetting { .. } => {}
        }
        line
    }
}

fn known_grants(key: &mut Key) -> Result<&mut Vec<Grant>, FixError> {
    let why = key.grants.known().err().map(|why| why.to_string());
    let name = key.label().to_owned();
    key.grants.known_mut().ok_or_else(|| FixError::not_known(format!("grants of key {name}"), &why.unwrap_or_default()))
}

/// A word for a POSIX shell.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The document as written where every letter can be seen; else the same JSON with escapes.
fn visible_json(policy: &Document) -> String {
    let hidden = |c: char| is_hostile(c) && c != '\n';
    if !policy.raw().contains(hidden) {
        return policy.raw().to_owned();
    }
    let Ok(json) = policy.json() else { return policy.shown() };
    // Outside of strings this text has no letter but '\n' that could be hidden.
    Document::pretty(&json).raw().chars().fold(String::new(), |mut text, c| {
        if hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/91b5-1e7e";

    fn key() -> ResourceId {
        KEY.into()
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        let mut held = Key::bare(KEY);
        held.policy = Read::got(Document::new("{}"), at(1));
        held.grants = Read::got(Vec::new(), at(1));
        inventory.keys.insert(key(), held);
        inventory
    }

    #[test]
    fn lines_for_the_shell() {
        let role: ResourceId = "arn:aws:iam::123456789012:role/Tuner".into();
        let mut spec = GrantSpec::new(&key(), role, &["Decrypt", "CreateGrant"]);
        spec.context_equals.insert("it's".into(), "x y".into());
        let name = spec.name.clone();
        for (change, line) in [
            (
                Change::PutKeyPolicy { key: key(), policy: Document::new("{\"Id\":\"it's\"}") },
                format!(
                    "aws kms put-key-policy --region us-east-1 --key-id {KEY} --policy-name default --policy '{{\"Id\":\"it'\\''s\"}}'"
                ),
            ),
            (
                Change::CreateGrant { key: key(), grant: spec },
                format!(
                    "aws kms create-grant --region us-east-1 --key-id {KEY} --name {name} --grantee-principal arn:aws:iam::123456789012:role/Tuner --operations CreateGrant Decrypt --constraints '{{\"EncryptionContextEquals\":{{\"it'\\''s\":\"x y\"}}}}'"
                ),
            ),
            (
                Change::RevokeGrant { key: key(), grant: "3f9a".into() },
                format!("aws kms revoke-grant --region us-east-1 --key-id {KEY} --grant-id 3f9a"),
            ),
        ] {
            assert_eq!(change.call(), line);
        }
    }

    #[test]
    fn a_hostile_policy_is_drawn_with_escapes_and_means_the_same() {
        let policy = Document::new("{\"Sid\":\"a\u{9b}2J\u{202e}\u{1d173}\",\t\"n\":[1]}");
        let line = Change::PutKeyPolicy { key: key(), policy: policy.clone() }.call();
        assert!(line.chars().all(|c| !is_hostile(c) || c == '\n'), "{line:?}");
        let json = line.split_once("--policy '").unwrap().1.trim_end_matches('\'');
        assert!(Document::new(json).same_json(&policy), "{json}");
    }

    #[test]
    fn an_inventory_after_each_call() {
        let mut inventory = inventory();
        let policy = Document::pretty(&json!({"Version": "2012-10-17"}));
        let put = Change::PutKeyPolicy { key: key(), policy: policy.clone() };
        put.apply_to(&mut inventory, at(5)).unwrap();
        assert_eq!(inventory.keys[KEY].policy, Read::got(policy, at(5)));

        let grant = GrantSpec::new(&key(), "arn:aws:iam::123456789012:role/T".into(), &["Decrypt"]);
        let create = Change::CreateGrant { key: key(), grant: grant.clone() };
        create.apply_to(&mut inventory, at(6)).unwrap();
        // The name is an idempotency token: the same call again makes no second grant.
        create.apply_to(&mut inventory, at(7)).unwrap();
        let held = inventory.keys[KEY].grants.known().unwrap().clone();
        assert_eq!(held.len(), 1);
        assert!(grant.made(&held[0]));
        assert_eq!(held[0].issuer.as_ref().unwrap(), "arn:aws:iam::123456789012:root");
        assert_eq!(GrantSpec::again(&key(), &held[0]), grant);

        let revoke = Change::RevokeGrant { key: key(), grant: held[0].id.clone() };
        revoke.apply_to(&mut inventory, at(8)).unwrap();
        assert_eq!(inventory.keys[KEY].grants.known().unwrap(), &[]);
        assert!(matches!(revoke.apply_to(&mut inventory, at(9)), Err(FixError::Gone(_))));
    }

    #[test]
    fn grants_that_were_not_read_are_not_invented() {
        let mut inventory = inventory();
        inventory.keys.get_mut(KEY).unwrap().grants = Read::NotAsked;
        let grant = GrantSpec::new(&key(), "r".into(), &["Decrypt"]);
        let error = Change::CreateGrant { key: key(), grant }.apply_to(&mut inventory, at(1)).unwrap_err();
        assert!(error.to_string().contains("not read yet"), "{error}");
    }

    #[test]
    fn a_change_survives_a_file() {
        let change = Change::PutKeyPolicy { key: key(), policy: Document::new("{ \"a\" :1}") };
        let json = serde_json::to_string(&change).unwrap();
        assert!(json.contains("\"operation\":\"kms:PutKeyPolicy\""));
        assert_eq!(serde_json::from_str::<Change>(&json).unwrap(), change);
    }
}
