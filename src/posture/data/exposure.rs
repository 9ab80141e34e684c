//! CUS-DAT-03: whether strangers can reach a bucket.

use super::{BUCKET_LISTS, Use, each};
use crate::base::Text;
use crate::inventory::SourceId;
use crate::inventory::s3::{Bucket, PublicAccessBlock};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const DAT_03: Control = Control {
    id: "CUS-DAT-03",
    title: "Job buckets are not public and their ACLs are off",
    severity: Severity::Critical,
    area: Area::Data,
    what: "buckets of customization",
    lists: BUCKET_LISTS,
    tables: &[SourceId::ACCOUNT_PUBLIC_ACCESS],
    details: &[SourceId::BUCKET_PUBLIC_ACCESS, SourceId::BUCKET_POLICY_STATUS, SourceId::BUCKET_OWNERSHIP],
    logic: "Each of the four switches of S3's block public access must be on for the bucket or for the account. The \
            bucket policy must not be public in S3's own judgement (IsPublic), and ObjectOwnership must be \
            BucketOwnerEnforced, which turns ACLs off (the invocation log needs that to be delivered). A public \
            policy is critical, or high where RestrictPublicBuckets holds it back; a switch that is off is high; ACLs \
            that still count are medium.",
    reasons: &["public-policy", "block-off", "acls-on"],
    remediation: "Switch all four blocks on, take the public statement out of the policy, and set ObjectOwnership to \
                  BucketOwnerEnforced.",
    cli: "aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    compliance: &[
        (NIST, &["AC-3", "AC-21", "SC-7"]),
        (FEDRAMP, &["AC-3", "AC-21", "SC-7"]),
        (PCI, &["1.4.4", "7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["25", "32"]),
        (CIS, &["3.1.4"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0036", "AML.T0035"]),
        (SRA, &["S3"]),
    ],
    fixes: &["FIX-07"],
    evaluate: closed,
};

fn closed(judge: &Judge<'_>) -> Vec<Verdict> {
    let account = judge.context.inventory.settings.public_access.known().ok();
    each(judge, Use::ALL, |_, bucket, mut draft| {
        for (name, on) in SWITCHES {
            let (here, above) = (bucket.public_access.known().ok().map(on), account.map(on));
            let value = match (here, above) {
                (Some(true), _) => "true",
                (_, Some(true)) => "true (account)",
                (Some(false), Some(false)) => "false",
                _ => "not known",
            };
            draft = draft.shows(name, value);
        }
        let ownership = bucket.ownership.known().ok().map(|set| set.as_ref().map_or("not set", Text::as_str));
        draft = draft.shows_some("ObjectOwnership", ownership);
        draft = draft.shows_some("IsPublic", bucket.policy_public.known().ok());
        let (problems, open) = exposure(judge, bucket);
        draft.conclude_open(problems, open.map(|why| ("unread", why)), "public access is blocked and ACLs are off")
    })
}

/// A switch: its name, and whether it is on.
type Switch = (&'static str, fn(&PublicAccessBlock) -> bool);
/// The four switches.
const SWITCHES: [Switch; 4] = [
    ("BlockPublicAcls", |block| block.block_acls),
    ("IgnorePublicAcls", |block| block.ignore_acls),
    ("BlockPublicPolicy", |block| block.block_policy),
    ("RestrictPublicBuckets", |block| block.restrict_buckets),
];

/// What lets strangers near a bucket, and why not all of that is known.
pub(in crate::posture) fn exposure(judge: &Judge<'_>, bucket: &Bucket) -> (Vec<Problem>, Option<String>) {
    let name = &bucket.name;
    let account = judge.context.inventory.settings.public_access.known();
    let own = bucket.public_access.known().map_err(|unknown| unread("s3:GetPublicAccessBlock", unknown));
    let public = bucket.policy_public.known().map_err(|unknown| unread("s3:GetBucketPolicyStatus", unknown));
    let ownership = bucket.ownership.known().map_err(|unknown| unread("s3:GetBucketOwnershipControls", unknown));
    let mut problems = Vec::new();
    let off: Option<Vec<&str>> = match (&own, account) {
        (Ok(own), Ok(account)) => {
            Some(SWITCHES.iter().filter(|(_, on)| !on(own) && !on(account)).map(|(name, _)| *name).collect())
        }
        _ => None,
    };
    if public == Ok(&true) {
        let held = off.as_ref().is_some_and(|off| !off.contains(&"RestrictPublicBuckets"));
        let (severity, but) = if held {
            (Severity::High, "; RestrictPublicBuckets keeps strangers out as long as it is on")
        } else {
            (Severity::Critical, "")
        };
        let why = format!("the policy of bucket {name} is public{but}");
        problems.push(Problem::fail("public-policy", why).graded(severity).shows("IsPublic", true));
    }
    if let Some(off) = off.filter(|off| !off.is_empty()) {
        let why =
            format!("bucket {name} does not block public access: {} off, here and for the account", off.join(", "));
        problems.push(Problem::fail("block-off", why).graded(Severity::High));
    }
    if let Ok(set) = &ownership
        && set.as_ref().is_none_or(|set| set.as_str() != "BucketOwnerEnforced")
    {
        let held = set.as_ref().map_or("not set", Text::as_str);
        let why = format!("ACLs of bucket {name} still count: ObjectOwnership is {held}");
        problems.push(Problem::fail("acls-on", why).graded(Severity::Medium));
    }
    let account = account.map_err(|unknown| unread("s3control:GetPublicAccessBlock", unknown));
    let open = [account.err(), own.err(), public.err(), ownership.err()].into_iter().flatten().next();
    (problems, open)
}
