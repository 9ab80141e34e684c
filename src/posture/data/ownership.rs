//! CUS-DAT-06: whether a bucket that a job names is there, and ours.

use super::{BUCKET_LISTS, Used};
use crate::inventory::s3::{Bucket, Presence};
use crate::inventory::{Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Subject, listed, listed_refs, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_06: Control = Control {
    id: "CUS-DAT-06",
    title: "Bucket named by a job exists and belongs to this account",
    severity: Severity::High,
    area: Area::Data,
    what: "buckets of customization",
    lists: BUCKET_LISTS,
    tables: &[],
    details: &[SourceId::BUCKETS, SourceId::BUCKET_LOCATION],
    logic: "Every bucket that a customization or import job or the invocation log names must be in this account. A \
            name that no bucket has is free for anyone: who takes it is read from, and written to, by the roles that \
            still trust it. A bucket of another account is a finding too: S3 does not say whose it is, so accept it \
            with a mute when it is expected. A bucket in another region than the job is a warning: data leaves its \
            region.",
    reasons: &["dangling", "foreign", "other-region"],
    remediation: "Create the bucket again, or take the name out of the roles' policies. Copy data of others into a \
                  bucket of yours before you train on it.",
    cli: "aws s3api head-bucket --bucket BUCKET --expected-bucket-owner ACCOUNT",
    compliance: &[
        (NIST, &["CM-8", "SA-9", "SI-7"]),
        (FEDRAMP, &["CM-8", "SA-9", "SI-7"]),
        (PCI, &["6.3.2"]),
        (GDPR, &["28", "44"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0010.002"]),
        (SRA, &["S3"]),
    ],
    fixes: &[],
    evaluate: present,
};

fn present(judge: &Judge<'_>) -> Vec<Verdict> {
    let buckets = judge.tables().buckets.values();
    buckets
        .map(|used| {
            let roles = used.service_roles.iter().map(|role| ResourceRef::new(Kind::Role, *role));
            let subject = judge.on(used.reference()).related(used.users.iter().cloned()).related(roles);
            match used.bucket {
                Some(bucket) => place(judge, used, bucket, subject),
                None => {
                    let gap = judge.gap(SourceId::BUCKETS);
                    let why = gap.map_or_else(|| "it is not in the inventory".to_owned(), |gap| gap.to_string());
                    subject.unread(format!("bucket {}: {why}", used.name))
                }
            }
        })
        .collect()
}

fn place(judge: &Judge<'_>, used: &Used<'_>, bucket: &Bucket, subject: Subject<'_>) -> Verdict {
    let (name, here) = (used.name, judge.context.region);
    if let Err(unknown) = bucket.owned.known() {
        return subject.unread(unread("s3:ListBuckets", unknown));
    }
    let users = listed_refs(judge.context, &used.users);
    let named_by = (!used.service_roles.is_empty()).then(|| listed(used.service_roles.iter().map(|role| role.last())));
    let draft = subject.shows("roles", used.words()).shows("usedBy", &users).shows_some("namedBy", named_by);
    match (bucket.presence(), bucket.region.known()) {
        (Some(Presence::Gone), _) => draft.shows("status", 404).fail(
            "dangling",
            format!("bucket {name}, which {users} names, does not exist: anyone can create it and be trusted"),
        ),
        (Some(Presence::Foreign), _) => draft
            .shows("status", 403)
            .shows("ExpectedBucketOwner", judge.context.account)
            .fail("foreign", format!("bucket {name} belongs to another account than {}", judge.context.account)),
        (_, Err(unknown)) => draft.undecided("unread", unread("s3:GetBucketLocation", unknown)),
        (_, Ok(region)) if region.as_str() != here => draft
            .shows("BucketRegion", region)
            .warn("other-region", format!("bucket {name} is in {region}, the jobs that use it are in {here}")),
        (_, Ok(region)) => draft.shows("BucketRegion", region).pass(format!("ours, in {region}")),
    }
}
