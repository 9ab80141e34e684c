//! CUS-DAT-04: whether a bucket can be talked to without TLS.

use super::{BUCKET_LISTS, Use, each};
use std::sync::Arc;

use crate::access::{
    Bounds, Caller, ContextValue, Decision, Facts, Guards, Identity, Policy, PrincipalEntry, Principals, Request,
    Resource, Rules, Scenario,
};
use crate::base::Arn;
use crate::inventory::SourceId;
use crate::inventory::s3::Bucket;
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::BucketDraft;

pub(in crate::posture) const DAT_04: Control = Control {
    id: "CUS-DAT-04",
    title: "Job buckets can be reached by TLS only",
    severity: Severity::Medium,
    area: Area::Data,
    what: "buckets of customization",
    lists: BUCKET_LISTS,
    tables: &[],
    details: &[SourceId::BUCKET_POLICY],
    logic: "The bucket policy must deny everybody every S3 action on the bucket and on all its objects when \
            aws:SecureTransport is false. It is decided by asking the policy, for requests without TLS: what rests on \
            another condition, names actions one by one, spares some principals or leaves objects out is partial.",
    reasons: &["no-tls-deny", "partial-tls-deny"],
    remediation: "Add a Deny for Principal \"*\", Action s3:*, on the bucket and on its objects, with Bool \
                  aws:SecureTransport false.",
    cli: "aws s3api put-bucket-policy --bucket BUCKET --policy file://POLICY.json",
    compliance: &[
        (NIST, &["SC-8", "SC-8(1)"]),
        (FEDRAMP, &["SC-8", "SC-8(1)"]),
        (PCI, &["4.2.1"]),
        (HIPAA, &["164.312(e)(2)(i)"]),
        (GDPR, &["32"]),
        (CIS, &["3.1.1"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["S3"]),
    ],
    fixes: &[],
    evaluate: tls_only,
};

/// What is asked of the policy, of the bucket and of any of its objects. The last stands for all the rest: no
/// action is called so, only a wildcard covers it.
const ON_BUCKET: &[&str] = &["s3:ListBucket", "s3:ListBucketVersions", "s3:PutBucketPolicy", "s3:EveryOtherAction"];
/// See [`ON_BUCKET`].
const ON_OBJECTS: &[&str] =
    &["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:EveryOtherAction"];

fn tls_only(judge: &Judge<'_>) -> Vec<Verdict> {
    each(judge, Use::ALL, |_, bucket, draft| vec![judge_policy(judge.context, bucket, draft)])
}

fn judge_policy(context: &Context<'_>, bucket: &Bucket, draft: BucketDraft<'_>) -> Verdict {
    let name = &bucket.name;
    let document = match bucket.policy.known() {
        Ok(Some(document)) => document,
        Ok(None) => {
            let why = format!("bucket {name} has no policy: it answers requests without TLS");
            return draft.shows("policy", "none").fail("no-tls-deny", why);
        }
        Err(unknown) => return draft.undecided("unread", unread("s3:GetBucketPolicy", unknown)),
    };
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(error) => return draft.undecided("malformed", format!("bucket policy: {error}")),
    };
    let mut draft = draft;
    for statement in &policy.statements {
        for condition in
            statement.conditions.iter().filter(|one| one.is_on("aws:SecureTransport") || one.is_on("s3:TlsVersion"))
        {
            draft = draft.points("statement", condition.words(), Some(statement.pointer()));
        }
    }
    let (denied, open) = ask(context, bucket, &policy);
    if open.is_empty() {
        return draft.pass("requests without TLS are denied");
    }
    if let Some((statement, why)) = policy.malformed().next() {
        let why = format!("bucket policy, {}: {why}", statement.pointer());
        return draft.undecided("malformed", why);
    }
    let draft = draft.shows("notDenied", listed(&open));
    if denied {
        let why = format!("bucket {name} denies only some requests without TLS: not {}", listed(&open));
        draft.fail("partial-tls-deny", why)
    } else {
        draft.fail("no-tls-deny", format!("the policy of bucket {name} does not deny requests without TLS"))
    }
}

/// Whether anything is denied without TLS, and what is not.
fn ask(context: &Context<'_>, bucket: &Bucket, policy: &Policy) -> (bool, Vec<String>) {
    let stranger = Identity {
        caller: Caller::Role {
            arn: Arn {
                partition: context.partition.to_owned(),
                service: "iam".to_owned(),
                region: String::new(),
                account: "000000000000".to_owned(),
                resource: "role/anybody".to_owned(),
            },
            session: None,
        },
        policies: Vec::new(),
        boundary: None,
        facts: Facts::none(),
        gaps: Vec::new(),
        bounds: Arc::new(Bounds::none()),
    };
    // why unknown: what is denied for one principal only, or for all but one, is not denied for everybody.
    let plain = ["aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:username"]
        .into_iter()
        .fold(Scenario::open(), |scenario, key| scenario.with(key, ContextValue::Unknown))
        .with("aws:SecureTransport", ContextValue::one("false"));
    let everybody = |pointer: Option<&str>| {
        let all = |who: &Principals| !who.negated && who.entries.contains(&PrincipalEntry::Everyone);
        let mut named = policy.statements.iter().filter(|statement| Some(statement.pointer().as_str()) == pointer);
        named.any(|statement| statement.principals.as_ref().is_some_and(all))
    };
    let (mut denied, mut open) = (false, Vec::new());
    for (of, actions, tail) in [("the bucket", ON_BUCKET, ""), ("its objects", ON_OBJECTS, "/")] {
        let arn = Arn {
            partition: context.partition.to_owned(),
            service: "s3".to_owned(),
            region: String::new(),
            account: String::new(),
            resource: format!("{}{tail}", bucket.name),
        };
        let resource = Resource {
            owner: context.account.to_owned(),
            open: !tail.is_empty(),
            rules: Rules::Known(policy.clone()),
            ..Resource::plain(arn)
        };
        for action in actions {
            let (identity, guards) = (&stranger, &Guards::default());
            let answer = Request { identity, action, resource: &resource, scenario: &plain, guards }.answer();
            match answer.decision {
                Decision::ExplicitlyDenied { by } if by.iter().any(|by| everybody(by.pointer.as_deref())) => {
                    denied = true;
                }
                _ => {
                    let action = if *action == "s3:EveryOtherAction" { "every other action" } else { *action };
                    open.push(format!("{action} on {of}"));
                }
            }
        }
    }
    (denied, open)
}
