//! Data: the buckets that customization reads and writes.

use std::collections::BTreeSet;

use super::super::list::{Cell, Column, Subject, text};
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::content;
use super::recorded::{self, Recorded};
use super::resource::read_field;
use super::standing;
use crate::base::text::shorten_middle;
use crate::inventory::{Kind, Link, Read, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("BUCKET", 16, 3, 0).at_least(13),
    text("HOLDS", 14, 2, 0).at_least(11),
    text("KEY", 10, 1, 3),
    text("VERS", 4, 0, 3),
    text("PUBLIC", 7, 0, 2),
    text("RECORDED", 8, 0, 4),
    text("REGION", 10, 0, 6),
    text("!", 9, 0, 1),
];

/// All buckets, by name.
pub fn subjects(model: &Model) -> Vec<Subject> {
    model.inventory.buckets.keys().map(|id| Subject::Resource(ResourceRef::new(Kind::Bucket, id))).collect()
}

/// One use of data: in a word, in words, and by what.
struct Use {
    word: &'static str,
    what: &'static str,
    by: ResourceRef,
}

/// What the data under a prefix is used for.
fn uses(model: &Model, data: &ResourceRef) -> Vec<Use> {
    let mut all = Vec::new();
    for (link, user) in model.lineage.down(data) {
        if *link != Link::Feeds {
            continue;
        }
        let validates = || {
            let detail = model.inventory.jobs.get(&user.id).and_then(|job| job.detail.last());
            detail.is_some_and(|detail| detail.validation.iter().any(|uri| data.id == *uri.to_string().as_str()))
        };
        let (word, what) = match user.kind {
            Kind::ImportJob => ("weights", "model weights, imported by"),
            Kind::BatchJob => ("batch in", "prompts of the batch, read by"),
            _ if validates() => ("validation", "validation data, read by"),
            _ => ("training", "training data, read by"),
        };
        all.push(Use { word, what, by: user.clone() });
    }
    for (link, user) in model.lineage.up(data) {
        let (word, what) = match (link, user.kind) {
            (Link::LogsTo, _) => ("logs", "prompts and completions, written by"),
            (_, Kind::BatchJob) => ("batch out", "completions of the batch, written by"),
            (_, Kind::EvaluationJob) => ("evaluation", "results of the evaluation, written by"),
            _ => ("output", "metrics and results of training, written by"),
        };
        all.push(Use { word, what, by: user.clone() });
    }
    all
}

/// What lies in a bucket, by what reads or writes it.
fn holds(model: &Model, of: &ResourceRef) -> String {
    let prefixes = model.lineage.up(of).iter().filter(|(link, _)| *link == Link::LiesIn);
    let words: BTreeSet<&str> = prefixes.flat_map(|(_, data)| uses(model, data)).map(|usage| usage.word).collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// Prefix by prefix: what it is for, and who uses it.
fn prefixes(model: &Model, of: &ResourceRef, page: &mut Page) {
    page.head("What it holds");
    let prefixes: Vec<_> = model.lineage.up(of).iter().filter(|(link, _)| *link == Link::LiesIn).collect();
    if prefixes.is_empty() {
        page.text(Role::Dim, "nothing that a job or a log of customization names");
    }
    for (_, data) in prefixes {
        let line = page.line(vec![(Role::Accent, data.id.to_string())]);
        line.target = Some(Target::Go(Place::Lineage(data.clone())));
        let mut told: Vec<(&str, Vec<ResourceRef>)> = Vec::new();
        for usage in uses(model, data) {
            match told.iter_mut().find(|(what, _)| *what == usage.what) {
                Some((_, by)) => by.push(usage.by),
                None => told.push((usage.what, vec![usage.by])),
            }
        }
        for (what, by) in told {
            let names: Vec<String> =
                by.iter().take(3).map(|by| format!("{} {}", by.kind.word(), model.name_of(by))).collect();
            let more = if by.len() > 3 { format!(" and {} more", by.len() - 3) } else { String::new() };
            page.text(Role::Text, &format!("  {what} {}{more}", names.join(", ")));
        }
        content::found(model, data, page);
    }
    content::could_be(model, page);
}

/// Who records what is done to the objects.
fn records(model: &Model, of: &ResourceRef, bucket: &crate::inventory::s3::Bucket, page: &mut Page) {
    page.head("Who reads or changes objects: is it recorded?");
    let trails = recorded::by_trails(model, of);
    match &trails {
        Recorded::Yes(names) => page.field("CloudTrail", Role::Ok, format!("yes, data events in {}", names.join(", "))),
        Recorded::Partly(name, what) => page.field("CloudTrail", Role::Medium, format!("in part by {name}: {what}")),
        Recorded::No => page.field("CloudTrail", Role::Medium, "no trail records data events of this bucket"),
        Recorded::Unknown(why) => page.field("CloudTrail", Role::Unknown, format!("not known: {why}")),
    }
    read_field(page, "access logs", &bucket.logging, |logging| match logging {
        Some(to) => (Role::Ok, format!("yes, to s3://{}/{}", to.bucket, to.prefix)),
        None => (Role::Medium, "no".into()),
    });
    if trails == Recorded::No && recorded::by_access_logs(bucket) == Some(false) {
        page.text(Role::High, "Nothing records it: nobody could tell who copied or replaced this data.");
    }
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
        match recorded::word(model, bucket) {
            "?" => Cell::of("?", Role::Unknown),
            word @ ("no" | "partly") => Cell::of(word, Role::Medium),
            word => Cell::of(word, Role::Ok),
        },
        bucket
            .region
            .last()
            .map_or_else(|| Cell::of("?", Role::Unknown), |region| Cell::of(region.as_str(), Role::Dim)),
        standing::whole(model, of),
    ])
}

/// What is particular to a bucket.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(bucket) = model.inventory.buckets.get(&of.id) else { return };
    prefixes(model, of, page);
    records(model, of, bucket, page);
}

/// What comes after the findings: its settings.
pub fn more(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(bucket) = model.inventory.buckets.get(&of.id) else { return };
    page.head("Settings");
    read_field(page, "owned", &bucket.owned, |owned| match owned {
        true => (Role::Text, "by this account".into()),
        false => (Role::Medium, "by ANOTHER account: it is not among the buckets of this one".into()),
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
            (block.block_acls, "BlockPublicAcls"),
            (block.ignore_acls, "IgnorePublicAcls"),
            (block.block_policy, "BlockPublicPolicy"),
            (block.restrict_buckets, "RestrictPublicBuckets"),
        ]
        .into_iter()
        .filter_map(|(on, word)| (!on).then_some(word))
        .collect();
        (Role::Medium, format!("could be made public: off are {}", open.join(", ")))
    });
    read_field(page, "policy", &bucket.policy_public, |public| match public {
        true => (Role::Critical, "PUBLIC".into()),
        false => (Role::Ok, "not public".into()),
    });
    read_field(page, "lock", &bucket.lock, |lock| {
        lock.as_ref().map_or((Role::Dim, "off".into()), |lock| (Role::Ok, lock.to_string()))
    });
    read_field(page, "ownership", &bucket.ownership, |own| {
        own.as_ref().map_or((Role::Dim, "never set".into()), |own| (Role::Text, own.to_string()))
    });
    read_field(page, "acl", &bucket.acl, |acl| {
        let grants = acl.iter().map(|grant| match grant.as_str().rsplit_once(' ') {
            Some((who, permission)) => format!("{permission} to {}", shorten_middle(who, 17)),
            None => grant.to_string(),
        });
        (Role::Text, grants.collect::<Vec<_>>().join(", "))
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
            (Role::Dim, "to no other bucket".into())
        } else {
            (Role::Medium, format!("to {}", to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
        }
    });
}
