//! Which source waits for which in a round. Lineage grows as details arrive: jobs and models first,
//! then their buckets, then the keys that all of them name, then the background. And which lists tell of a resource.

use crate::inventory::{Kind, ResourceRef, SourceId};

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

/// What is read of a resource of Bedrock as soon as a list tells of it. What lineage reaches has lists of its own above.
pub(super) const OF_NEWCOMERS: &[S] = &[
    S::JOB_DETAILS,
    S::MODEL_DETAILS,
    S::MODEL_POLICIES,
    S::IMPORTED_MODEL_DETAILS,
    S::IMPORT_JOB_DETAILS,
    S::EVALUATION_JOB_DETAILS,
    S::DEPLOYMENT_DETAILS,
    S::GUARDRAIL_DETAILS,
    S::TAGS,
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
        S::TAGS => &[S::JOBS, S::MODELS, S::IMPORTED_MODELS, S::IMPORT_JOBS, S::DEPLOYMENTS, S::THROUGHPUTS],
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
        S::DEPLOYMENT_DETAILS => &[S::DEPLOYMENTS],
        S::STORE_DETAILS => &[S::EVENT_DATA_STORES],
        // why last: a private network has no endpoint for most of these, and a call that hangs holds a place.
        S::LOG_PROTECTION
        | S::LOG_SUBSCRIPTIONS
        | S::LOG_ACCOUNT_POLICIES
        | S::ACCOUNT_PUBLIC_ACCESS
        | S::VPC_BLOCK
        | S::CHANNELS
        | S::ALARMS
        | S::ORGANIZATIONS
        | S::ACCESS_ANALYZER
        | S::GUARDDUTY
        | S::MACIE
        | S::RAM_RESOURCES
        | S::COLLECTION_POLICIES => FOREGROUND,
        S::LAST_USE_REPORTS => &[S::AUTHORIZATION, S::KEYS],
        S::LAST_USES => &[S::LAST_USE_REPORTS],
        S::FLOW_LOGS | S::DHCP_OPTIONS => &[S::VPCS, S::SUBNETS],
        S::PREFIX_LISTS => &[S::SECURITY_GROUPS, S::ROUTE_TABLES],
        S::METRICS => &[S::ALARMS, S::THROUGHPUTS, S::DEPLOYMENTS, S::IMPORTED_MODELS],
        S::ORGANIZATION_PATH | S::BEDROCK_POLICY => &[S::ORGANIZATIONS],
        S::ORGANIZATION_POLICIES => &[S::ORGANIZATION_PATH],
        S::ORGANIZATION_DOCUMENTS => &[S::ORGANIZATION_POLICIES],
        S::ANALYZER_FINDINGS => &[S::ACCESS_ANALYZER, S::BUCKET_ENCRYPTION, S::KEYS],
        S::ANALYZER_DETAILS => &[S::ANALYZER_FINDINGS],
        S::DETECTORS | S::THREATS | S::MALWARE_PLANS => &[S::GUARDDUTY],
        S::THREAT_DETAILS => &[S::THREATS],
        S::MALWARE_PLAN_DETAILS => &[S::MALWARE_PLANS],
        S::MACIE_DISCOVERY | S::CLASSIFICATION_JOBS => &[S::MACIE],
        S::MACIE_BUCKETS | S::SENSITIVE_FINDINGS => &[S::MACIE, S::BUCKET_LOCATION, S::TRAILS],
        S::SENSITIVE_DETAILS => &[S::SENSITIVE_FINDINGS],
        S::RAM | S::RAM_PRINCIPALS => &[S::RAM_RESOURCES],
        S::SAGEMAKER => &[S::IMPORT_JOB_DETAILS, S::IMPORTED_MODEL_DETAILS, S::KEYS],
        S::TRAINING_DETAILS => &[S::SAGEMAKER],
        S::FUNCTIONS => &[S::JOB_DETAILS, S::KEYS],
        S::FUNCTION_POLICIES => &[S::FUNCTIONS],
        S::COLLECTION_DOCUMENTS => &[S::COLLECTION_POLICIES],
        S::RULE_TARGETS => &[S::RULES],
        // why last: what a deep look reads is named by everything before.
        S::OBJECTS => FOREGROUND,
        S::HEADS | S::CONTENT => &[S::OBJECTS],
        S::OBJECT_TAGS => &[S::OBJECTS, S::MALWARE_PLAN_DETAILS],
        S::CONVERSATIONS => INVOKED,
        _ => &[],
    }
}

/// The lists that tell of a resource, and so have to be read again with it.
pub(super) fn list_of(one: &ResourceRef) -> Vec<SourceId> {
    let source = match one.kind {
        Kind::Account => SourceId::CALLER,
        Kind::Job => SourceId::JOBS,
        Kind::ImportJob => SourceId::IMPORT_JOBS,
        Kind::CopyJob => SourceId::COPY_JOBS,
        Kind::EvaluationJob => SourceId::EVALUATION_JOBS,
        Kind::BatchJob => SourceId::BATCH_JOBS,
        Kind::Model => SourceId::MODELS,
        Kind::ImportedModel => SourceId::IMPORTED_MODELS,
        Kind::FoundationModel => SourceId::FOUNDATION_MODELS,
        Kind::Deployment => SourceId::DEPLOYMENTS,
        Kind::Throughput => SourceId::THROUGHPUTS,
        Kind::Guardrail | Kind::GuardrailVersion => SourceId::GUARDRAILS,
        Kind::EnforcedGuardrail => SourceId::ENFORCED_GUARDRAILS,
        Kind::Logging => SourceId::LOGGING,
        Kind::Role | Kind::User | Kind::Group | Kind::Policy => SourceId::AUTHORIZATION,
        Kind::Vpc => SourceId::VPCS,
        Kind::Subnet => SourceId::SUBNETS,
        Kind::RouteTable => SourceId::ROUTE_TABLES,
        Kind::Endpoint => SourceId::ENDPOINTS,
        Kind::SecurityGroup => SourceId::SECURITY_GROUPS,
        Kind::Trail => SourceId::TRAILS,
        Kind::EventDataStore => SourceId::EVENT_DATA_STORES,
        Kind::LogGroup => SourceId::LOG_GROUPS,
        Kind::Rule => SourceId::RULES,
        Kind::DhcpOptions => SourceId::DHCP_OPTIONS,
        Kind::FlowLog => SourceId::FLOW_LOGS,
        Kind::PrefixList => SourceId::PREFIX_LISTS,
        Kind::Channel => SourceId::CHANNELS,
        Kind::ApiKey => SourceId::API_KEYS,
        Kind::OrganizationPolicy => SourceId::ORGANIZATION_POLICIES,
        Kind::Analyzer => SourceId::ACCESS_ANALYZER,
        Kind::AnalyzerFinding => SourceId::ANALYZER_FINDINGS,
        Kind::Detector => SourceId::GUARDDUTY,
        Kind::Threat => SourceId::THREATS,
        Kind::MalwarePlan => SourceId::MALWARE_PLANS,
        Kind::MacieBucket => SourceId::MACIE_BUCKETS,
        Kind::ClassificationJob => SourceId::CLASSIFICATION_JOBS,
        Kind::SensitiveFinding => SourceId::SENSITIVE_FINDINGS,
        Kind::Alarm => SourceId::ALARMS,
        Kind::Metric => SourceId::METRICS,
        Kind::TrainingJob => SourceId::SAGEMAKER,
        Kind::Share => SourceId::RAM_RESOURCES,
        Kind::CollectionPolicy => SourceId::COLLECTION_POLICIES,
        // Keys, buckets, functions and last uses are listed by lineage; data and regions are no resources of
        // an API, and a setting is read whole.
        Kind::Key | Kind::Bucket | Kind::Function | Kind::LastUse | Kind::Data | Kind::Region | Kind::Setting => {
            return Vec::new();
        }
    };
    vec![source]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_waits_for_itself_or_for_what_is_never_read() {
        let mut done: BTreeSet<S> = BTreeSet::new();
        let all: Vec<S> = S::all().filter(|source| source.is_read() || source.is_deep()).collect();
        while let Some(next) = all.iter().find(|s| !done.contains(s) && after(**s).iter().all(|d| done.contains(d))) {
            done.insert(*next);
        }
        let stuck: Vec<_> = all.iter().filter(|source| !done.contains(source)).collect();
        assert!(stuck.is_empty(), "these wait for ever: {stuck:?}");
    }

    #[test]
    fn nothing_waits_for_a_later_wave() {
        for source in S::all().filter(|source| source.is_read() || source.is_deep()) {
            for needed in after(source) {
                assert!(needed.source().wave <= source.source().wave, "{source} {needed}");
            }
        }
    }
}
