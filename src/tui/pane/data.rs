//! Data: the buckets that customization reads and writes.

use std::collections::BTreeSet;

use super::super::list::{Cell, Column, Subject, text};
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::resource::read_field;
use super::worst;
use crate::inventory::{Kind, Link, Read, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("BUCKET", 18, 3, 0),
    text("HOLDS", 10, 2, 0),
    text("KEY", 10, 1, 2),
    text("VERSIONS", 8, 0, 3),
    text("PUBLIC", 7, 0, 1),
    text("RECORDED", 8, 0, 5),
    text("REGION", 10, 0, 6),
    text("!", 4, 0, 1),
];

/// All buckets, by name.
pub fn subjects(model: &Model) -> Vec<Subject> {
    model.inventory.buckets.keys().map(|id| Subject::Resource(ResourceRef::new(Kind::Bucket, id))).collect()
}

/// What lies in a bucket, by what reads or writes it.
fn holds(model: &Model, of: &ResourceRef) -> String {
    let mut words = BTreeSet::new();
    for (link, data) in model.lineage.up(of) {
        if *link != Link::LiesIn {
            continue;
        }
        for (link, user) in model.lineage.down(data) {
            if *link == Link::Feeds {
                words.insert(match user.kind {
                    Kind::ImportJob => "weights",
                    Kind::BatchJob => "batch input",
                    _ => "training",
                });
            }
        }
        for (link, user) in model.lineage.up(data) {
            words.insert(match (link, user.kind) {
                (Link::LogsTo, _) => "logs",
                (_, Kind::BatchJob) => "batch output",
                _ => "output",
            });
        }
    }
    words.into_iter().collect::<Vec<_>>().join(", ")
}

fn yes_no<T>(read: &Read<T>, good: impl Fn(&T) -> bool, words: (&str, &str)) -> Cell {
    match (read.known(), read.last()) {
        (Ok(value), _) if good(value) => Cell::of(words.0, Role::Ok),
        (Ok(_), _) => Cell::of(words.1, Role::Medium),
        (Err(_), Some(value)) => Cell::of(format!("{}?", if good(value) { words.0 } else { words.1 }), Role::Unknown),
        (Err(_), None) => Cell::of("?", Role::Unknown),
    }
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let bucket = model.inventory.buckets.get(&of.id)?;
    let key = match bucket.encryption.last() {
        Some(encryption) => match &encryption.kms_key {
            Some(key) => Cell::new(model.name_of(&ResourceRef::new(Kind::Key, key))),
            None if encryption.algorithm.as_str().starts_with("aws:kms") => Cell::of("aws/s3", Role::Medium),
            None => Cell::of(encryption.algorithm.as_str(), Role::Medium),
        },
        None => Cell::of("?", Role::Unknown),
    };
    let holds = holds(model, of);
    Some(vec![
        Cell::new(bucket.name.as_str()),
        if holds.is_empty() { Cell::of("-", Role::Dim) } else { Cell::new(holds) },
        key,
        yes_no(&bucket.versioning, |versioning| versioning.enabled, ("yes", "no")),
        match (bucket.policy_public.known(), bucket.public_access.known()) {
            (Ok(true), _) => Cell::of("PUBLIC", Role::Critical),
            (_, Ok(block)) if block.all() => Cell::of("blocked", Role::Ok),
            (_, Ok(_)) => Cell::of("open", Role::Medium),
            _ => Cell::of("?", Role::Unknown),
        },
        yes_no(&bucket.logging, Option::is_some, ("yes", "no")),
        bucket
            .region
            .last()
            .map_or_else(|| Cell::of("?", Role::Unknown), |region| Cell::of(region.as_str(), Role::Dim)),
        worst(model, of),
    ])
}

/// What is particular to a bucket.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(bucket) = model.inventory.buckets.get(&of.id) else { return };
    let holds = holds(model, of);
    page.field("holds", Role::Text, if holds.is_empty() { "nothing of customization" } else { &holds });
    read_field(page, "owned", &bucket.owned, |owned| match owned {
        true => (Role::Text, "by this account".into()),
        false => (Role::Medium, "by ANOTHER account: it is not in the list of this one's".into()),
    });
    read_field(page, "region", &bucket.region, |region| (Role::Text, region.to_string()));
    read_field(page, "encryption", &bucket.encryption, |encryption| {
        let key = encryption
            .kms_key
            .as_ref()
            .map(|key| format!(" with {}", model.name_of(&ResourceRef::new(Kind::Key, key))));
        (
            Role::Text,
            format!(
                "{}{}{}",
                encryption.algorithm,
                key.unwrap_or_default(),
                if encryption.bucket_key { ", bucket key" } else { "" }
            ),
        )
    });
    read_field(page, "versioning", &bucket.versioning, |versioning| {
        match (versioning.enabled, versioning.mfa_delete) {
            (true, true) => (Role::Ok, "on, deleting takes MFA".into()),
            (true, false) => (Role::Ok, "on".into()),
            (false, _) => (Role::Medium, "off: what is overwritten is lost".into()),
        }
    });
    read_field(page, "public", &bucket.public_access, |block| {
        if block.all() {
            return (Role::Ok, "blocked, all four ways".into());
        }
        let open: Vec<&str> = [
            (block.block_acls, "new ACLs"),
            (block.ignore_acls, "ACLs"),
            (block.block_policy, "new policies"),
            (block.restrict_buckets, "policies"),
        ]
        .into_iter()
        .filter_map(|(on, word)| (!on).then_some(word))
        .collect();
        (Role::Medium, format!("may be opened by {}", open.join(", ")))
    });
    read_field(page, "policy", &bucket.policy_public, |public| match public {
        true => (Role::Critical, "PUBLIC".into()),
        false => (Role::Ok, "not public".into()),
    });
    read_field(page, "logging", &bucket.logging, |logging| match logging {
        Some(to) => (Role::Ok, format!("to s3://{}/{}", to.bucket, to.prefix)),
        None => (Role::Medium, "off".into()),
    });
    read_field(page, "lock", &bucket.lock, |lock| {
        lock.as_ref().map_or((Role::Dim, "off".into()), |lock| (Role::Ok, lock.to_string()))
    });
    read_field(page, "ownership", &bucket.ownership, |own| {
        own.as_ref().map_or((Role::Dim, "never set".into()), |own| (Role::Text, own.to_string()))
    });
    read_field(page, "acl", &bucket.acl, |acl| {
        (Role::Text, acl.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    });
    read_field(page, "lifecycle", &bucket.lifecycle, |rules| {
        if rules.is_empty() {
            (Role::Dim, "no rules".into())
        } else {
            (Role::Text, rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    });
    read_field(page, "replicated", &bucket.replication, |to| {
        if to.is_empty() {
            (Role::Dim, "no".into())
        } else {
            (Role::Medium, to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    });
    let prefixes: Vec<_> = model.lineage.up(of).iter().filter(|(link, _)| *link == Link::LiesIn).collect();
    if !prefixes.is_empty() {
        page.head("Prefixes");
        for (_, data) in prefixes {
            page.line(vec![(Role::Accent, data.id.to_string())]).target =
                Some(Target::Go(Place::Lineage(data.clone())));
        }
    }
}
