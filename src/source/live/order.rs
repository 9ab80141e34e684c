//! Which source waits for which in a round. Lineage grows as details arrive: jobs and models first,
//! then their buckets, then the keys that all of them name, then the background.

use crate::inventory::SourceId;

type S = SourceId;

/// Everything that can name a bucket.
const NAME_BUCKETS: &[S] =
    &[S::JOB_DETAILS, S::IMPORT_JOB_DETAILS, S::EVALUATION_JOB_DETAILS, S::BATCH_JOBS, S::LOGGING, S::BUCKETS];
/// Everything that can name a key.
const NAME_KEYS: &[S] = &[
    S::ALIASES,
    S::JOB_DETAILS,
    S::MODEL_DETAILS,
    S::IMPORTED_MODEL_DETAILS,
    S::IMPORT_JOB_DETAILS,
    S::EVALUATION_JOB_DETAILS,
    S::COPY_JOBS,
    S::BATCH_JOBS,
    S::GUARDRAIL_DETAILS,
    S::BUCKET_ENCRYPTION,
    S::LOGGING,
    S::LOG_GROUPS,
];
/// What the background waits for: all that the first screens show.
const FOREGROUND: &[S] = &[
    S::KEYS,
    S::KEY_POLICIES,
    S::GRANTS,
    S::ROTATION,
    S::BUCKET_LOCATION,
    S::MODEL_POLICIES,
    S::TRAILS,
    S::LOG_GROUPS,
];

/// What the invocation log waits for.
const INVOKED: &[S] = &[S::LOGGING, S::JOB_DETAILS, S::MODEL_DETAILS, S::KEY_POLICIES, S::GRANTS, S::LOG_GROUPS];

/// The sources of a key.
pub(super) const OF_KEYS: &[S] = &[S::KEYS, S::KEY_POLICIES, S::GRANTS, S::ROTATION];
/// The sources of a network.
pub(super) const OF_NETWORK: &[S] =
    &[S::SUBNETS, S::VPCS, S::VPC_ATTRIBUTES, S::ROUTE_TABLES, S::ENDPOINTS, S::SECURITY_GROUPS];
/// The sources of a bucket.
pub(super) const OF_BUCKETS: &[S] = &[
    S::BUCKET_LOCATION,
    S::BUCKET_ENCRYPTION,
    S::BUCKET_VERSIONING,
    S::BUCKET_PUBLIC_ACCESS,
    S::BUCKET_POLICY,
    S::BUCKET_POLICY_STATUS,
    S::BUCKET_ACL,
    S::BUCKET_OWNERSHIP,
    S::BUCKET_LOGGING,
    S::BUCKET_LOCK,
    S::BUCKET_LIFECYCLE,
    S::BUCKET_REPLICATION,
];

/// What must have been read before `source`, so that it knows what to ask.
pub(super) fn after(source: S) -> &'static [S] {
    match source {
        S::JOB_DETAILS => &[S::JOBS],
        S::MODEL_DETAILS | S::MODEL_POLICIES => &[S::MODELS],
        S::IMPORTED_MODEL_DETAILS => &[S::IMPORTED_MODELS],
        S::IMPORT_JOB_DETAILS => &[S::IMPORT_JOBS],
        S::EVALUATION_JOB_DETAILS => &[S::EVALUATION_JOBS, S::ALIASES],
        S::GUARDRAIL_DETAILS => &[S::GUARDRAILS],
        S::TAGS => &[S::JOBS, S::MODELS, S::IMPORTED_MODELS],
        // why: what a batch job names may be an alias.
        S::BATCH_JOBS => &[S::ALIASES],
        S::FOUNDATION_MODELS => &[S::JOBS, S::MODELS, S::THROUGHPUTS],
        S::KEYS | S::KEY_POLICIES | S::GRANTS | S::ROTATION => NAME_KEYS,
        S::SUBNETS => &[S::JOB_DETAILS, S::IMPORT_JOB_DETAILS],
        S::VPCS | S::ROUTE_TABLES | S::ENDPOINTS => &[S::SUBNETS],
        S::VPC_ATTRIBUTES => &[S::VPCS],
        // why: endpoints have security groups too.
        S::SECURITY_GROUPS => &[S::ENDPOINTS],
        S::BUCKET_LOCATION => NAME_BUCKETS,
        S::BUCKET_ENCRYPTION => &[S::BUCKET_LOCATION, S::ALIASES],
        S::BUCKET_VERSIONING | S::BUCKET_PUBLIC_ACCESS | S::BUCKET_POLICY | S::BUCKET_POLICY_STATUS => {
            &[S::BUCKET_LOCATION]
        }
        S::BUCKET_ACL
        | S::BUCKET_OWNERSHIP
        | S::BUCKET_LOGGING
        | S::BUCKET_LOCK
        | S::BUCKET_LIFECYCLE
        | S::BUCKET_REPLICATION
        | S::EVENT_DATA_STORES
        | S::LOG_FILTERS => FOREGROUND,
        // why: where invocations are logged is said there; reading them is background.
        S::LOG_EVENTS => INVOKED,
        S::TRAIL_STATUS | S::TRAIL_SELECTORS => &[S::TRAILS],
        S::RULE_TARGETS => &[S::RULES],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_waits_for_itself_or_for_what_is_never_read() {
        let mut done: BTreeSet<S> = BTreeSet::new();
        let all: Vec<S> = S::all().filter(|source| source.is_read()).collect();
        while let Some(next) = all.iter().find(|s| !done.contains(s) && after(**s).iter().all(|d| done.contains(d))) {
            done.insert(*next);
        }
        let stuck: Vec<_> = all.iter().filter(|source| !done.contains(source)).collect();
        assert!(stuck.is_empty(), "these wait for ever: {stuck:?}");
    }

    #[test]
    fn nothing_waits_for_a_later_wave() {
        for source in S::all().filter(|source| source.is_read()) {
            for needed in after(source) {
                assert!(needed.source().wave <= source.source().wave, "{source} {needed}");
            }
        }
    }
}
