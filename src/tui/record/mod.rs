//! A resource as AWS prints it: the fields of the AWS CLI's output, call by call, with policies as JSON and not
//! as strings in JSON. What bedwatch adds stands under `bedwatch`, and nothing else does.

mod account;
mod bedrock;
mod network;
mod storage;

use serde_json::{Map, Value, json};

use super::model::Model;
use crate::base::Timestamp;
use crate::inventory::{Document, Inventory, Read, ResourceRef, Tags};

/// The record of a resource; none if it is not in the inventory.
pub fn of(model: &Model, resource: &ResourceRef) -> Option<Value> {
    of_inventory(&model.inventory, resource)
}

fn of_inventory(inventory: &Inventory, resource: &ResourceRef) -> Option<Value> {
    let mut record = Record::default();
    let known = bedrock::write(inventory, resource, &mut record)
        || storage::write(inventory, resource, &mut record)
        || account::write(inventory, resource, &mut record)
        || network::write(inventory, resource, &mut record);
    if known {
        return Some(record.finish());
    }
    // why: a kind that has no shape of AWS here yet is better shown in ours, and called ours, than not at all.
    let own = inventory.raw(resource)?;
    Some(json!({ "bedwatch": { "note": "bedwatch's own record, not AWS's", "record": own } }))
}

/// A record in the making.
#[derive(Debug, Default)]
struct Record {
    calls: Map<String, Value>,
    read: Map<String, Value>,
}

impl Record {
    /// What a call gave that is known if anything is.
    fn call(&mut self, operation: &str, value: Value) {
        self.calls.insert(operation.to_owned(), clean(value));
    }

    /// What a call gave, or why not.
    fn read<T>(&mut self, operation: &str, read: &Read<T>, shape: impl FnOnce(&T) -> Value) {
        if let Some(at) = read.at() {
            self.read.insert(operation.to_owned(), at.to_string().into());
        }
        let value = match (read.last(), read.error()) {
            (Some(value), None) => shape(value),
            (Some(value), Some(error)) => json!({ "bedwatch": format!("stale: {error}"), "last": shape(value) }),
            (None, Some(error)) => json!({ "bedwatch": error.to_string() }),
            (None, None) => json!({ "bedwatch": "not read yet" }),
        };
        self.call(operation, value);
    }

    /// What a listing and a call of detail gave, as the one object that the second prints.
    fn detailed<T>(&mut self, list: &str, get: &str, listed: Value, read: &Read<T>, shape: impl FnOnce(&T) -> Value) {
        if read.last().is_some() && read.error().is_none() {
            self.read(get, read, |detail| merge(listed, shape(detail)));
        } else {
            self.call(list, listed);
            self.read(get, read, shape);
        }
    }

    fn tags(&mut self, operation: &str, read: &Read<Tags>) {
        if !matches!(read, Read::NotAsked) {
            self.read(operation, read, |tags| json!({ "tags": pairs(tags, "key", "value") }));
        }
    }

    fn finish(mut self) -> Value {
        let mut own = Map::new();
        own.insert("note".into(), "AWS's field names, call by call; what bedwatch does not keep is left out".into());
        if !self.read.is_empty() {
            own.insert("readAt".into(), self.read.into());
        }
        self.calls.insert("bedwatch".into(), own.into());
        self.calls.into()
    }
}

fn merge(listed: Value, detail: Value) -> Value {
    match (listed, detail) {
        (Value::Object(mut all), Value::Object(more)) => {
            all.extend(more);
            Value::Object(all)
        }
        (_, detail) => detail,
    }
}

/// Without what is null, as the AWS CLI prints it.
fn clean(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key, clean(value))).collect()
        }
        Value::Array(list) => list.into_iter().map(clean).collect(),
        other => other,
    }
}

/// A policy as a subtree; what is no JSON stays a string.
fn policy(document: &Document) -> Value {
    document.json().unwrap_or_else(|_| Value::String(document.shown()))
}

fn time(at: Timestamp) -> Value {
    at.to_string().into()
}

fn maybe_time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

fn pairs(tags: &Tags, key: &str, value: &str) -> Value {
    tags.iter()
        .map(|(name, text)| {
            let mut one = Map::new();
            one.insert(key.to_owned(), name.as_str().into());
            one.insert(value.to_owned(), text.as_str().into());
            Value::Object(one)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Kind;
    use crate::tui::tests::fixture;

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        for update in fixture::updates() {
            inventory.apply(update);
        }
        inventory
    }

    fn record(kind: Kind, id: impl Into<crate::base::ResourceId>) -> Value {
        of_inventory(&inventory(), &ResourceRef::new(kind, id)).unwrap()
    }

    #[test]
    fn fields_are_where_the_aws_cli_prints_them() {
        let key = record(Kind::Key, fixture::key_arn("orion-chat"));
        let job = record(Kind::Job, fixture::job_arn("orion-chat-2"));
        let role = record(Kind::Role, fixture::role_arn("OrionTuner"));
        let bucket = record(Kind::Bucket, "orion-train");
        let import = record(Kind::ImportJob, fixture::arn("bedrock", "model-import-job/eyes"));
        for (value, pointer, wanted) in [
            (&key, "/DescribeKey/KeyMetadata/KeyState", json!("Enabled")),
            (&key, "/GetKeyPolicy/Policy/Statement/1/Principal", json!("*")),
            (&key, "/ListGrants/Grants/0/Operations/0", json!("Decrypt")),
            (&key, "/GetKeyRotationStatus/KeyRotationEnabled", json!(false)),
            (&job, "/GetModelCustomizationJob/status", json!("Failed")),
            (&job, "/GetModelCustomizationJob/vpcConfig/subnetIds/0", json!("subnet-0a1b")),
            (&job, "/GetModelCustomizationJob/statusDetails/trainingDetails/status", json!("Failed")),
            (&role, "/RoleDetail/AssumeRolePolicyDocument/Statement/0/Effect", json!("Allow")),
            (
                &bucket,
                "/GetBucketEncryption/ServerSideEncryptionConfiguration/Rules/0/ApplyServerSideEncryptionByDefault/SSEAlgorithm",
                json!("aws:kms"),
            ),
            (&bucket, "/GetPublicAccessBlock/PublicAccessBlockConfiguration/BlockPublicAcls", json!(true)),
            (&bucket, "/GetBucketPolicyStatus/PolicyStatus/IsPublic", json!(false)),
            (&bucket, "/GetBucketAcl/bedwatch", json!("not read yet")),
            (&import, "/ListModelImportJobs/jobName", json!("orion-eyes")),
        ] {
            assert_eq!(value.pointer(pointer), Some(&wanted), "{pointer}\n{value:#}");
        }
        let failed = import.pointer("/GetModelImportJob/bedwatch").and_then(Value::as_str).unwrap();
        assert!(failed.contains("not authorized"), "{failed}");
        assert!(key["bedwatch"]["readAt"].get("GetKeyPolicy").is_some());
    }

    #[test]
    fn everything_that_is_held_has_a_record_in_words_of_aws() {
        let inventory = inventory();
        for reference in inventory.references().chain([ResourceRef::new(Kind::Logging, "invocation-logging")]) {
            let record = of_inventory(&inventory, &reference).unwrap();
            assert!(record["bedwatch"].get("record").is_none(), "{reference} is shown in bedwatch's own terms");
        }
    }
}
