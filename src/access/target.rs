//! From what a person names (an ARN, an id, an alias, a name) to the resource that is asked about.

use super::models::Model;
use super::plain::KeyAccess;
use super::policy::Policy;
use super::request::{Resource, Rules};
use super::scenario::Facts;
use crate::base::arn::ArnKind;
use crate::base::text::safe;
use crate::base::{Arn, ResourceId, Text};
use crate::inventory::{Document, Inventory, Read, SessionInfo};

/// What access is asked to.
#[derive(Debug, Clone)]
pub enum Target {
    /// One resource.
    One(Box<Resource>),
    /// A custom or imported model: used through what serves it (B2).
    Model(Box<Model>),
}

/// Nothing of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// Nothing is called so.
    #[error("'{0}' is no key, model, deployment, throughput, bucket or role that was read; give its ARN")]
    Unknown(String),
    /// Many things are.
    #[error("'{name}' is the name of {count} things; give the ARN: {arns}")]
    Ambiguous {
        /// What was given.
        name: String,
        /// How many.
        count: usize,
        /// Some of them.
        arns: String,
    },
}

impl Target {
    /// What `text` names. An ARN of another kind, or of what was not read, is taken as it is.
    pub fn of(inventory: &Inventory, session: &SessionInfo, text: &str) -> Result<Self, NoTarget> {
        let arn = match text.parse::<Arn>() {
            Ok(arn) => arn,
            Err(_) => named(inventory, session, text)?,
        };
        let id = ResourceId::new(arn.to_string());
        let one = |resource| Ok(Self::One(Box::new(resource)));
        match arn.kind() {
            ArnKind::Alias => {
                let alias = arn.resource.strip_prefix("alias/").unwrap_or_default();
                // S3: KMS is authorised on the key, never on its alias.
                let key = inventory.keys.values().find(|key| {
                    key.aliases.iter().any(|held| held.as_str() == alias)
                        && key.arn.arn().is_some_and(|held| held.region == arn.region && held.account == arn.account)
                });
                match key.and_then(KeyAccess::of) {
                    Some(access) => one(access.resource()),
                    None => Err(NoTarget::Unknown(safe(text).into_owned())),
                }
            }
            ArnKind::Key => match inventory.keys.get(&id).and_then(KeyAccess::of) {
                Some(access) => one(access.resource()),
                None => one(unread(arn, "the key is not in the inventory")),
            },
            ArnKind::CustomModel | ArnKind::ImportedModel => Ok(Self::Model(Box::new(Model::of(inventory, &id, arn)))),
            ArnKind::Bucket | ArnKind::Object => one(bucket(inventory, session, arn)),
            ArnKind::Role => one(role(inventory, &id, arn)),
            _ => one(Resource::plain(arn)),
        }
    }

    /// Its ARN.
    pub fn arn(&self) -> &Arn {
        match self {
            Self::One(resource) => &resource.arn,
            Self::Model(model) => &model.resource.arn,
        }
    }

    /// The account that owns it.
    pub fn owner(&self) -> &str {
        match self {
            Self::One(resource) => &resource.owner,
            Self::Model(model) => &model.resource.owner,
        }
    }

    /// The actions that matter on it, if nobody says which: use first, then power over it.
    pub fn actions(&self) -> &'static [&'static str] {
        super::actions::that_matter(self.arn())
    }
}

fn unread(arn: Arn, why: &str) -> Resource {
    let why = Text::new(why);
    Resource { rules: Rules::Unknown(why.clone()), grants: Err(why), ..Resource::plain(arn) }
}

fn rules(document: &Read<Option<Document>>, what: &str) -> Rules {
    match document.known() {
        Ok(None) => Rules::None,
        Ok(Some(document)) => match Policy::parse(document) {
            Ok(policy) => Rules::Known(policy),
            Err(error) => Rules::Unknown(Text::new(format!("{what}: {error}"))),
        },
        Err(unknown) => Rules::Unknown(Text::new(format!("{what}: {unknown}"))),
    }
}

/// The policy of a model as rules.
pub(super) fn model_rules(document: &Read<Option<Document>>) -> Rules {
    rules(document, "model policy")
}

fn bucket(inventory: &Inventory, session: &SessionInfo, arn: Arn) -> Resource {
    let name = arn.resource.split('/').next().unwrap_or_default().to_owned();
    let mut resource = match inventory.buckets.get(name.as_str()) {
        None => unread(arn, "the bucket is not in the inventory"),
        Some(bucket) => {
            let mut resource = Resource { rules: rules(&bucket.policy, "bucket policy"), ..Resource::plain(arn) };
            match bucket.owned.known() {
                Ok(true) => session.account.as_str().clone_into(&mut resource.owner),
                Ok(false) => {
                    // A name in another account: whoever asks from here asks across accounts.
                    "another account".clone_into(&mut resource.owner);
                    resource.notes.push(Text::new("the bucket belongs to another account"));
                }
                Err(unknown) => {
                    session.account.as_str().clone_into(&mut resource.owner);
                    resource.notes.push(Text::new(format!("owner of the bucket: {unknown}; taken as this account")));
                }
            }
            resource
        }
    };
    if resource.owner.is_empty() {
        session.account.as_str().clone_into(&mut resource.owner);
    }
    resource
}

/// A role, as something that one can become: its rules are its trust policy.
pub(super) fn role(inventory: &Inventory, id: &ResourceId, arn: Arn) -> Resource {
    match inventory.roles.get(id) {
        None => unread(arn, "the role is not in the inventory"),
        Some(role) => {
            let rules = match Policy::parse(&role.trust) {
                Ok(policy) => Rules::Known(policy),
                Err(error) => Rules::Unknown(Text::new(format!("trust policy: {error}"))),
            };
            let mut facts = Facts::none();
            facts.tags("aws:ResourceTag/", &role.tags);
            facts.tags("iam:ResourceTag/", &role.tags);
            Resource { rules, facts, ..Resource::plain(arn) }
        }
    }
}

/// What a bare name or id means here.
fn named(inventory: &Inventory, session: &SessionInfo, text: &str) -> Result<Arn, NoTarget> {
    let alias = text.strip_prefix("alias/").unwrap_or(text);
    let mut found: Vec<ResourceId> = Vec::new();
    let mut add = |id: &ResourceId, names: &[&str]| {
        if id.last() == text || names.contains(&text) {
            found.push(id.clone());
        }
    };
    for key in inventory.keys.values() {
        let hit = key.aliases.iter().any(|held| held.as_str() == alias);
        add(&key.arn, if hit { std::slice::from_ref(&text) } else { &[] });
    }
    inventory.models.values().for_each(|model| add(&model.arn, &[model.name.as_str()]));
    inventory.imported_models.values().for_each(|model| add(&model.arn, &[model.name.as_str()]));
    inventory.deployments.values().for_each(|one| add(&one.arn, &[one.name.as_str()]));
    inventory.throughputs.values().for_each(|one| add(&one.arn, &[one.name.as_str()]));
    inventory.roles.values().for_each(|role| add(&role.arn, &[role.name.as_str()]));
    if inventory.buckets.contains_key(text) {
        found.push(ResourceId::new(format!("arn:{}:s3:::{text}", session.partition)));
    }
    match &found[..] {
        [one] => one.arn().ok_or_else(|| NoTarget::Unknown(safe(text).into_owned())),
        [] => Err(NoTarget::Unknown(safe(text).chars().take(120).collect())),
        many => Err(NoTarget::Ambiguous {
            name: safe(text).chars().take(120).collect(),
            count: many.len(),
            arns: many.iter().take(5).map(ResourceId::as_str).collect::<Vec<_>>().join(", "),
        }),
    }
}
