//! Which resource of the inventory an event, a policy or a person means by an ARN, an id or a name.

use std::collections::HashMap;

use crate::base::ResourceId;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// An index over the names of an inventory.
#[derive(Debug, Default)]
pub struct Names {
    exact: HashMap<ResourceId, ResourceRef>,
    last: HashMap<String, ResourceRef>,
}

impl Names {
    /// Of an inventory.
    pub fn of(inventory: &Inventory) -> Self {
        let mut names = Self::default();
        for reference in inventory.references() {
            names.last.entry(reference.id.last().to_owned()).or_insert_with(|| reference.clone());
            names.exact.insert(reference.id.clone(), reference);
        }
        // CloudTrail names a key by its alias and a job by its name when the caller did.
        for key in inventory.keys.values() {
            for alias in &key.aliases {
                let of = ResourceRef::new(Kind::Key, &key.arn);
                names.exact.entry(ResourceId::new(format!("alias/{alias}"))).or_insert(of);
            }
        }
        for job in inventory.jobs.values() {
            names.exact.entry(ResourceId::new(job.name.as_str())).or_insert(ResourceRef::new(Kind::Job, &job.arn));
        }
        names
    }

    /// What an id means: exactly, else by its last part.
    pub fn find(&self, id: &ResourceId) -> Option<&ResourceRef> {
        self.exact.get(id).or_else(|| self.last.get(id.last()))
    }
}

/// The short form of an id that nothing is known of: what follows the last slash, else the part of an ARN that
/// names the resource. Ids of base models hold colons, so a colon ends nothing elsewhere.
pub fn short(id: &ResourceId) -> &str {
    let text = id.as_str();
    let named = if text.starts_with("arn:") { text.splitn(6, ':').nth(5).unwrap_or(text) } else { text };
    let named = named.trim_end_matches('/');
    named.rsplit('/').next().unwrap_or(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_short() {
        for (id, name) in [
            ("arn:aws:kms:us-east-1:123456789012:key/91b5", "91b5"),
            ("arn:aws:s3:::orion-train", "orion-train"),
            ("arn:aws:bedrock:us-east-1::foundation-model/amazon.titan:0", "amazon.titan:0"),
            ("us.anthropic.claude-3-haiku-v1:0", "us.anthropic.claude-3-haiku-v1:0"),
            ("alias/orion-chat", "orion-chat"),
            ("orion-train/", "orion-train"),
        ] {
            assert_eq!(short(&id.into()), name);
        }
    }
}
