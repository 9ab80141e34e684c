//! Objects that lay in a dataset before its bucket got a default key.

use super::super::control::Control;
use super::super::encryption::AT_REST;
use super::super::judge::{Judge, Problem, listed, unread};
use super::super::looked;
use super::super::verdict::{Area, Severity, Verdict};
use crate::base::ResourceId;
use crate::inventory::SourceId;
use crate::inventory::objects::{Dataset, Head, Heads, Purpose};

pub(in crate::posture) const DAT_02: Control = Control {
    id: "CUS-DAT-02",
    title: "Objects already in the dataset are under the CMK",
    severity: Severity::Medium,
    area: Area::Data,
    what: "data of customization jobs",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS, SourceId::OBJECTS],
    tables: &[],
    details: &[SourceId::HEADS, SourceId::BUCKET_ENCRYPTION, SourceId::KEYS],
    logic: "Default encryption changes only what is written after it was set. The heads of the objects under each \
            training, validation and output prefix (all up to a thousand, else a sample over the whole) must name the \
            customer managed key that is the bucket's default. Where the bucket has none, any customer managed \
            key will do.",
    reasons: &["not-kms", "aws-managed-key", "other-key"],
    remediation: "Copy the objects onto themselves under the key, or let S3 Batch Operations do it.",
    cli: "aws s3 cp s3://BUCKET/PREFIX s3://BUCKET/PREFIX --recursive --sse aws:kms --sse-kms-key-id KEY",
    compliance: AT_REST,
    fixes: &[],
    evaluate: objects,
};

const OF_JOBS: &[Purpose] = &[Purpose::Training, Purpose::Prompts, Purpose::Validation, Purpose::Output];

fn objects(judge: &Judge<'_>) -> Vec<Verdict> {
    looked::of(judge, OF_JOBS)
        .flat_map(|data| match (looked::listing(judge, data), data.heads.known()) {
            (Err(verdict), _) => vec![verdict],
            (_, Err(unknown)) => vec![looked::on(judge, data).unread(unread("s3:HeadObject", unknown))],
            (Ok(_), Ok(heads)) => one(judge, data, heads),
        })
        .collect()
}

fn one(judge: &Judge<'_>, data: &Dataset, heads: &Heads) -> Vec<Verdict> {
    let context = judge.context;
    let subject = looked::on(judge, data);
    let bucket = data.bucket().and_then(|name| context.inventory.buckets.get(&name));
    let default = match bucket.map(|bucket| bucket.encryption.known()) {
        Some(Ok(encryption)) => encryption.kms_key.as_ref(),
        Some(Err(unknown)) => return vec![subject.unread(unread("s3:GetBucketEncryption", unknown))],
        None => None,
    };
    let wanted = default.map(|named| context.key(named).map_or(named, |key| &key.arn));
    let (mut plain, mut managed, mut other, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for head in &heads.objects {
        match under(judge, head) {
            Under::Nothing => plain.push(head),
            Under::AwsKey => managed.push(head),
            Under::Customers(key) if wanted.is_some_and(|wanted| wanted != key) => other.push(head),
            Under::Customers(_) => {}
            Under::Key(key, _) if wanted.is_some_and(|wanted| wanted != key) => other.push(head),
            Under::Key(_, why) => open.push((head, why)),
        }
    }
    let sampled = heads.objects.len();
    let draft = subject
        .shows("sampled", format!("{sampled} of {}", heads.of))
        .shows("bucketKey", wanted.map_or_else(|| "none".to_owned(), ToString::to_string));
    let mut problems = Vec::new();
    let mut add = |code, found: &[&Head], what: String| {
        if !found.is_empty() {
            let keys = listed(found.iter().map(|head| &head.key));
            let why = format!("{} of {sampled} objects sampled under {} {what}", found.len(), data.uri);
            problems.push(Problem::fail(code, why).shows("keys", keys));
        }
    };
    add("not-kms", &plain, "are not encrypted with a KMS key".to_owned());
    add("aws-managed-key", &managed, "are under the AWS managed key".to_owned());
    let others: std::collections::BTreeSet<_> = other.iter().filter_map(|head| head.kms_key.as_ref()).collect();
    add("other-key", &other, format!("are under another key than the bucket's: {}", listed(others)));
    let unread = heads.error.as_ref().map(|error| {
        let why = format!("{} heads could not be read: {error}", heads.failed);
        ("unread", why)
    });
    let unseen = open.first().map(|(head, why)| {
        let why = format!("whose key {} is under is not known: {why}", head.key);
        ("key-unread", why)
    });
    draft.conclude_open(problems, unread.or(unseen), format!("{sampled} objects are under a customer managed key"))
}

/// What an object is encrypted with.
enum Under<'a> {
    /// No KMS key.
    Nothing,
    /// A key that AWS manages.
    AwsKey,
    /// A customer managed key.
    Customers(&'a ResourceId),
    /// A key of which nothing else is known, and why.
    Key(&'a ResourceId, String),
}

fn under<'a>(judge: &Judge<'a>, head: &'a Head) -> Under<'a> {
    let Some(named) = head.kms_key.as_ref().filter(|_| head.encryption.as_str().starts_with("aws:kms")) else {
        return Under::Nothing;
    };
    let Some(key) = judge.context.key(named) else {
        let why = judge.gap(SourceId::KEYS).map_or_else(|| format!("{named} was not read"), |why| why.to_string());
        return Under::Key(named, why);
    };
    match key.metadata.known() {
        Ok(metadata) if metadata.manager.as_str() == "CUSTOMER" => Under::Customers(&key.arn),
        Ok(_) => Under::AwsKey,
        Err(unknown) => Under::Key(&key.arn, unread("kms:DescribeKey", unknown)),
    }
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::base::ResourceId;
    use crate::inventory::Inventory;
    use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
    use crate::posture::fixtures::deep::{DATA, expect, head, only_head};
    use crate::posture::fixtures::*;

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[keys];

    const C: &str = "CUS-DAT-02";
    const A: &str = "a.jsonl";
    const OTHER: &str = "arn:aws:kms:us-east-1:123456789012:key/k2";

    fn under(key: Option<&'static str>) -> impl Fn(&mut Inventory) {
        move |inventory| {
            let head = only_head(inventory, DATA);
            head.kms_key = key.map(ResourceId::from);
            head.encryption = if key.is_some() { "aws:kms" } else { "AES256" }.into();
        }
    }

    fn no_default(inventory: &mut Inventory) {
        inventory.buckets.get_mut("train").unwrap().encryption.known_mut().unwrap().kms_key = None;
    }

    #[test]
    fn keys() {
        expect(C, "the bucket's", |_| {}, &[(A, Pass, "ok")]);
        expect(C, "S3's own", under(None), &[(A, Fail, "not-kms")]);
        expect(C, "another", under(Some(OTHER)), &[(A, Fail, "other-key")]);
        let managed = |i: &mut Inventory| {
            under(Some(OTHER))(i);
            i.keys.insert(OTHER.into(), key(OTHER));
            i.keys.get_mut(OTHER).unwrap().metadata.known_mut().unwrap().manager = "AWS".into();
        };
        expect(C, "AWS's", managed, &[(A, Fail, "aws-managed-key")]);
        expect(C, "no default", no_default, &[(A, Pass, "ok")]);
        let open = |i: &mut Inventory| {
            no_default(i);
            under(Some(OTHER))(i);
        };
        expect(C, "no default, and whose key it is is not known", open, &[(A, Unknown, "key-unread")]);
        let both = |i: &mut Inventory| {
            under(None)(i);
            let heads = i.data.get_mut(DATA).unwrap().heads.known_mut().unwrap();
            heads.objects.push(super::Head { kms_key: Some(OTHER.into()), ..head("b.jsonl") });
            heads.of = 2;
        };
        expect(C, "two of two", both, &[(A, Fail, "not-kms"), (A, Fail, "other-key")]);
    }

    #[test]
    fn an_alias_is_its_key_and_what_failed_is_no_pass() {
        let alias = |i: &mut Inventory| {
            let encryption = i.buckets.get_mut("train").unwrap().encryption.known_mut().unwrap();
            encryption.kms_key = Some("arn:aws:kms:us-east-1:123456789012:alias/tuning".into());
        };
        expect(C, "by its alias", alias, &[(A, Pass, "ok")]);
        let some = |i: &mut Inventory| {
            let heads = i.data.get_mut(DATA).unwrap().heads.known_mut().unwrap();
            (heads.of, heads.failed, heads.error) = (2, 1, Some(error("s3:HeadObject")));
        };
        expect(C, "one of two failed", some, &[(A, Unknown, "unread")]);
        let gone = |i: &mut Inventory| {
            i.data.get_mut(DATA).unwrap().listing.known_mut().unwrap().objects = 0;
        };
        expect(C, "gone", gone, &[(A, NotApplicable, "not-applicable")]);
        expect(C, "a foreign bucket", |i| drop(i.buckets.remove("train")), &[(A, Pass, "ok")]);
    }
}
