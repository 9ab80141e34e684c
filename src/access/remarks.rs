//! What is to be said against the policies that stand on a resource: its own, and that of the key a model is under.

use super::decision::Layer;
use super::documents::documents;
use super::lint::{Kind, Remark, lint};
use super::target::Target;
use crate::base::{Text, Timestamp};
use crate::inventory::Inventory;

/// A remark on one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remarked {
    /// What a person calls the document (`key policy of orion-chat`).
    pub document: Text,
    /// What is said against it.
    pub remark: Remark,
}

impl Remarked {
    /// In one line.
    pub fn line(&self) -> Text {
        Text::new(format!("{}, {}", self.document, self.remark.line()))
    }
}

/// Reads the policies of a resource for what is wrong with them. What was not read is not remarked upon: the matrix
/// itself says that.
pub fn remarks(inventory: &Inventory, target: &Target, now: Timestamp) -> Vec<Remarked> {
    let mut found = Vec::new();
    for layer in [Layer::ResourcePolicy, Layer::KeyPolicy] {
        for (document, policy) in documents(inventory, target, None, &layer) {
            let kind = match (&layer, target.arn().service.as_str()) {
                (Layer::KeyPolicy, _) => Kind::Key,
                (_, "iam") => Kind::Trust,
                _ => Kind::Resource,
            };
            let document = Text::new(document);
            let said = lint(policy, kind, now).into_iter();
            found.extend(said.map(|remark| Remarked { document: document.clone(), remark }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::kms::Key;
    use crate::inventory::{Document, Read, testing};

    #[test]
    fn each_policy_of_a_resource_is_read_as_what_it_is() {
        const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k1";
        let at = Timestamp::from_secs(1);
        let statement = |end: &str| {
            Document::new(format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Sid":"Glass","Effect":"Allow","Principal":{{"AWS":"123456789012"}},
                "Action":"kms:*","Resource":"*","Condition":{{"DateLessThan":{{"aws:CurrentTime":"{end}"}}}}}}}}"#
            ))
        };
        let mut inventory = Inventory::default();
        let mut key = Key::bare(KEY);
        key.policy = Read::got(statement("1969-12-31T00:00:00Z"), at);
        inventory.keys.insert(key.arn.clone(), key);
        let mut role = testing::role("arn:aws:iam::123456789012:role/Tuner");
        role.trust = Document::new(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#,
        );
        inventory.roles.insert(role.arn.clone(), role);
        let said = |name: &str| {
            let target = Target::of(&inventory, &testing::session(), name).unwrap();
            remarks(&inventory, &target, at).iter().map(|one| one.line().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            said(KEY),
            ["key policy of k1, \"Glass\": it ended on 1969-12-31T00:00:00Z and allows nothing any more: take it out",]
        );
        assert_eq!(said("Tuner"), ["trust policy of Tuner, statement 1: it gives access to everybody, in any account"]);
    }
}
