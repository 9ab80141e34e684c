//! CUS-KMS-07: whom a key policy lets in from outside.

use std::collections::HashMap;
use std::sync::Arc;

use crate::access::Policy;
use crate::inventory::SourceId;
use crate::posture::catalogue::framework::{ATLAS, CIS_7, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::conclusion::Conclusion;
use crate::posture::control::Control;
use crate::posture::judge::Judge;
use crate::posture::outsiders;
use crate::posture::verdict::{Area, Severity, Verdict};

use super::{KEY_LISTS, policy_of};

pub(in crate::posture) const KMS_07: Control = Control {
    id: "CUS-KMS-07",
    title: "Key not usable by public or foreign principals",
    severity: Severity::Critical,
    area: Area::Encryption,
    what: "keys used by models, jobs, buckets and log groups",
    lists: KEY_LISTS,
    tables: &[],
    details: &[SourceId::KEY_POLICIES],
    logic: "No Allow of the key policy may name everybody (\"*\", or NotPrincipal) unless a condition ties it to our \
            organization (aws:PrincipalOrgID, aws:PrincipalOrgPaths) or to accounts (kms:CallerAccount, \
            aws:PrincipalAccount, aws:SourceAccount), and none may name an account, in Principal or in such a \
            condition, that is neither ours nor trusted. An organization other than ours is outside; when ours is not \
            known, so is the verdict. Denies elsewhere in the policy are not counted in its favour.",
    reasons: outsiders::REASONS,
    remediation: "Remove the statement, or name the roles that need the key.",
    cli: "aws kms put-key-policy --key-id KEY --policy-name default --policy file://POLICY.json",
    compliance: &[
        (NIST, &["AC-3", "AC-6"]),
        (FEDRAMP, &["AC-3", "AC-6"]),
        (PCI, &["7.2.1"]),
        (HIPAA, &["164.312(a)(1)"]),
        (GDPR, &["32"]),
        (CIS_7, &["2.21"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0025"]),
        (SRA, &["KMS"]),
    ],
    fixes: &["FIX-03"],
    evaluate: exposure,
};

fn exposure(judge: &Judge<'_>) -> Vec<Verdict> {
    // why by policy: whom it names does not hang on the key, and many keys have the same.
    let mut seen: HashMap<*const Policy, (Arc<Policy>, Vec<Conclusion>)> = HashMap::new();
    let keys = judge.tables().keys.iter();
    keys.flat_map(|used| {
        let subject = used.subject(judge).related(used.users.iter().copied().cloned());
        match policy_of(judge, used, &subject) {
            Ok(policy) => {
                let (_, found) = seen.entry(Arc::as_ptr(&policy)).or_insert_with(|| {
                    let found = outsiders::conclusions(judge.context, &policy, "key policy", "use the key");
                    (policy, found)
                });
                subject.concludes(found.clone())
            }
            Err(verdict) => vec![*verdict],
        }
    })
    .collect()
}
